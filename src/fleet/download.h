/* SPDX-License-Identifier: MIT */
/*
 * download.h - the bytes of images from a web server, until they are whole: size and SHA-256 are
 * those that were asked for.
 *
 * One image is fetched at a time; the others wait for their turn. What was fetched lies in a part
 * file, goes on where it ended, also in another process, and is handed over as an open file. No
 * failure of network or server is final: the next try comes later, with less haste each time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "base/text.h"
#include "fleet/settings.h"

struct downloads;
struct download;

/*
 * `folder` is that of the part files, of this process alone, and is made where it is not there. The
 * settings must stay, and may change: they are read at each try. 0, -errno with the reason. SIGPIPE
 * must be ignored in this process: OpenSSL may cause it.
 */
int downloads_new(sd_event *event, const struct fleet_download *settings, const char *folder,
	struct downloads **ret, struct reason *reason);

/*
 * Those that wait after a failure try again within seconds, each at a random time, unless it was
 * the server that asked for a rest: for when the network is known to be back.
 */
void downloads_hurry(struct downloads *downloads);

/* All downloads must be gone. Part files stay. Returns NULL. */
struct downloads *downloads_free(struct downloads *downloads);

enum download_state {
	DOWNLOAD_WAITING, /* for its turn; after a failure until `next_usec` */
	DOWNLOAD_RUNNING,
	DOWNLOAD_WHOLE,	  /* size and digest are right, and it is on the disk */
	DOWNLOAD_REFUSED, /* no try will be made: what is asked for is not done here */
	DOWNLOAD_MAX,
};

/* "waiting", "running", "whole", "refused" */
const char *download_state_to_string(enum download_state state);

struct download_ask {
	const char *url;    /* https://... */
	const char *sha256; /* lower case */
	uint64_t size;
};

struct download_view {
	enum download_state state;
	uint64_t n_bytes;    /* that are there */
	unsigned n_failures; /* tries in a row that failed */
	uint64_t next_usec;  /* WAITING after a failure: monotonic_usec() of the next try, else 0 */
	const struct reason *reason; /* of the last failure or refusal, fit to be shown; "": none */
};

/*
 * Tells that the state changed, that a try failed, or that bytes came, the last at most every five
 * seconds. It comes from the event loop alone, never inside download_new(); the handler may free
 * this download or others, and begin new ones.
 */
typedef void (*download_handler)(struct download *download, void *userdata);

/* 0 or -errno. Also what is refused is a download, so that it can say why. */
int download_new(struct downloads *downloads, const struct download_ask *ask,
	download_handler handler, void *userdata, struct download **ret);

/* Whether it is for these bytes from that address: otherwise it is freed, and another begun, which
 * goes on where this one is if the digest is the same. */
bool download_is_for(const struct download *download, const struct download_ask *ask);

void download_look(const struct download *download, struct download_view *ret);

/*
 * A descriptor of the bytes of a WHOLE one, for reading from its start: the caller's, to be closed.
 * -errno; -EBUSY: it is not whole.
 */
int download_open(const struct download *download);

/* Ends it. The part file stays, and a later download of the same digest goes on with it; those that
 * nobody asked for in a week are removed, and earlier where space is short. Returns NULL. */
struct download *download_free(struct download *download);

/* The same, and the part file is removed: the image is in its place, or nobody will want it. */
struct download *download_forget(struct download *download);
