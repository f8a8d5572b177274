/* SPDX-License-Identifier: MIT */
/*
 * lookup.h - whether the name of a host can be looked up now: asked by a process of our own
 * program, since the C library's resolver makes its caller wait, for minutes where a name server is
 * silent.
 *
 * The answer itself is not used. libmosquitto looks the name up again, which is quick right after,
 * and needs the name for the certificate.
 */
#pragma once

#include <stdbool.h>

#include <systemd/sd-event.h>

struct lookup;

/* Once, from the event loop: 0, or what getaddrinfo() said (EAI_NONAME ...), for gai_strerror(). */
typedef void lookup_handler(void *userdata, int error);

/* Starts it. SIGCHLD must be blocked. The handler may free it. 0 or -errno. */
int lookup_new(sd_event *event, const char *host, lookup_handler *handler, void *userdata,
	struct lookup **ret);

/* The process is ended where it still runs. NULL is fine. */
struct lookup *lookup_free(struct lookup *lookup);

/* Whether that is a name: an address, and localhost, need no look-up that could take time. */
bool lookup_is_needed(const char *host);

/* That process: `plugflash-fleet --look-up HOST`. Its exit status. */
int lookup_run(const char *host);
