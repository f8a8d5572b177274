/* SPDX-License-Identifier: MIT */
/*
 * frames.h - finds the frames of a protocol that says by its first bytes how long they are: MT,
 * CPC, Z-Wave. Bytes that are no frame are passed over, one by one, so that noise which looks like
 * the begin of a frame costs no frame behind it.
 */
#pragma once

#include "application/application-protocol.h"

/* Longer frames are none: all that is asked for here is short. */
#define FRAMES_BYTES 512

/* {0} is the state before the first byte. */
struct frames {
	uint8_t bytes[FRAMES_BYTES];
	size_t n_bytes;
	size_t n_frame; /* of the frame that was found last: it stands at the begin */
};

/* Of frames_look_fn beside the length. */
enum { FRAMES_NONE = 0, FRAMES_INCOMPLETE = -1 };

/*
 * Looks at `n_bytes`, at least 1: the length of the whole and sound frame that begins with the
 * first, FRAMES_NONE where none does, FRAMES_INCOMPLETE where more bytes must tell. Pure; never
 * FRAMES_INCOMPLETE for FRAMES_BYTES.
 */
typedef int (*frames_look_fn)(const uint8_t *bytes, size_t n_bytes);

/* Adds a byte. Only after frames_next() was false. */
void frames_put(struct frames *frames, uint8_t byte);

/* Whether there is a whole frame: the first `n_frame` of `bytes`, until the next call. */
bool frames_next(struct frames *frames, frames_look_fn look);

/* The rest of a frame does not come: its first byte is passed over. */
void frames_give_up(struct frames *frames);

/*
 * Waits for the next frame. A frame in which nothing came for 50 ms is given up. 0,
 * APPLICATION_SILENT at `until`, or -errno.
 */
int frames_hear(
	struct frames *frames, struct application_link *link, frames_look_fn look, uint64_t until);
