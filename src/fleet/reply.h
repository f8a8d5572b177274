/* SPDX-License-Identifier: MIT */
/*
 * reply.h - what a web server says of the bytes that follow, and what is to be thought of it: lines
 * of headers in, a judgement out. It knows no library, no file and no time.
 *
 * A server may ignore a range, send another, or lie about the length. The digest would tell at the
 * end; this tells before the bytes are paid for.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define REPLY_TAG_MAX 128 /* with the NUL */

struct reply {
	unsigned status; /* 0: no status line came */
	bool has_length;
	uint64_t length;      /* Content-Length */
	bool has_range;	      /* Content-Range, understood */
	uint64_t first, last; /* both are sent */
	bool has_total;
	uint64_t total;
	bool is_packed;		 /* Content-Encoding: not the bytes themselves */
	char tag[REPLY_TAG_MAX]; /* ETag, where it is a strong one; "": none */
};

/*
 * Takes a line of the head, as it comes from the network, with its line end or without. A status
 * line begins anew: in front of the last one stand those of redirects.
 */
void reply_take(struct reply *reply, const char *line, size_t n);

enum reply_result {
	REPLY_REST,	 /* what follows goes on at the byte that was asked for */
	REPLY_WHOLE = 1, /* it begins at byte 0, whatever was asked for */
	REPLY_NO_RANGE,	 /* there is no such byte: what is there is of another file */
	REPLY_REFUSED,	 /* it is not the image; the reason says why */
};

/*
 * Judges the answer to a question for a file of `size` bytes from byte `from` on. The reason is the
 * rest of a sentence that begins with the address.
 */
enum reply_result reply_judge(
	const struct reply *reply, uint64_t from, uint64_t size, struct reason *reason);
