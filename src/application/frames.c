/* SPDX-License-Identifier: MIT */
#include "application/frames.h"

#include <assert.h>
#include <string.h>

#include "base/util.h"

/* Above the latency of USB on both sides; within a frame there are no such gaps. */
#define GAP_USEC (50 * USEC_PER_MSEC)

static void drop(struct frames *frames, size_t n)
{
	frames->n_bytes -= n;
	memmove(frames->bytes, frames->bytes + n, frames->n_bytes);
}

void frames_put(struct frames *frames, uint8_t byte)
{
	assert(frames->n_bytes < sizeof(frames->bytes));
	frames->bytes[frames->n_bytes++] = byte;
}

bool frames_next(struct frames *frames, frames_look_fn look)
{
	size_t at = frames->n_frame;
	int n = FRAMES_INCOMPLETE;

	frames->n_frame = 0;
	while (at < frames->n_bytes &&
		(n = look(frames->bytes + at, frames->n_bytes - at)) == FRAMES_NONE)
		at++;
	drop(frames, at);
	if (frames->n_bytes == 0 || n <= 0)
		return false;
	frames->n_frame = (size_t)n;
	return true;
}

void frames_give_up(struct frames *frames)
{
	frames->n_frame = 0;
	if (frames->n_bytes > 0)
		drop(frames, 1);
}

int frames_hear(
	struct frames *frames, struct application_link *link, frames_look_fn look, uint64_t until)
{
	while (!frames_next(frames, look)) {
		uint64_t gap = port_now(link->expect->port) + GAP_USEC;
		bool is_within = frames->n_bytes > 0 && gap < until;
		uint8_t byte;
		int r = application_link_hear(link, &byte, is_within ? gap : until);

		if (r == APPLICATION_SILENT && is_within)
			frames_give_up(frames);
		else if (r != 0)
			return r;
		else
			frames_put(frames, byte);
	}
	return 0;
}
