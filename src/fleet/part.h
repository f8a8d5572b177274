/* SPDX-License-Identifier: MIT */
/*
 * part.h - the bytes of an image that came so far: a file of the name of the digest that it is to
 * have, in a folder of this process alone, and beside it where they came from.
 *
 * What is there after the power failed may be anything: all of it is digested, also what an earlier
 * process had fetched, and only the digest over all says that it is right.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "image/digest.h"

struct part {
	int folder; /* the caller's */
	int fd;	    /* -1: not open */
	char sha256[DIGEST_HEX_SIZE];
	uint64_t size;	     /* that it is to have */
	uint64_t n_bytes;    /* that are there, at most `size` */
	uint64_t n_digested; /* of these */
	struct digest_stream *digest;
};

/*
 * Opens or makes the part of that image; one that is longer than the image begins anew. 0 or
 * -errno. `part` need not be initialised; part_close() also where it failed.
 */
int part_open(
	int folder, const char sha256[static DIGEST_HEX_SIZE], uint64_t size, struct part *ret);

/* Closes it; the files stay. For CLEANUP(), too. */
void part_close(struct part *part);

enum part_result {
	PART_DONE,
	PART_MORE,
	PART_WRONG,
	PART_TOO_LONG,
};

/* Digests some of what was there when it was opened: 0, PART_MORE (call it again), -errno. */
int part_digest_some(struct part *part);

/* Adds bytes behind all that is there and was digested: 0, PART_TOO_LONG (more than the image has;
 * nothing was added), -errno. */
int part_append(struct part *part, const void *bytes, size_t n);

/* Throws away what is there. 0 or -errno. */
int part_restart(struct part *part);

/* All bytes are there and were digested: are they right? On the disk, then. 0, PART_WRONG, -errno.
 */
int part_finish(struct part *part);

/*
 * Remembers the server's tag for the bytes of that address; "" forgets it. A tag that is lost costs
 * bytes and no more, so that nothing is told.
 */
void part_keep_tag(const struct part *part, const char *url, const char *tag);

/* The tag for the bytes of that address; "": none. */
void part_tag(const struct part *part, const char *url, char *to, size_t size);

/* Removes the part of that digest, and what belongs to it. */
void part_remove(int folder, const char *sha256);

/* Removes those that nobody wrote to since that time (of the clock of files), but for the ones that
 * are wanted: `is_wanted` is asked with the first digits of the digest. */
void parts_sweep(int folder, int64_t before_usec,
	bool (*is_wanted)(const void *userdata, const char *digits), const void *userdata);
