/* SPDX-License-Identifier: MIT */
/*
 * rollout.h - NAME.rollout beside an image: which units get it so far. A new version goes to a few
 * of many at first; whoever spreads it counts up the share.
 *
 * The service passes the image over for the other units, which get the next lower version as if
 * this one was not there. Both sides of a fleet ask here who takes part, and so agree.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define ROLLOUT_SUFFIX	  ".rollout"
#define ROLLOUT_MAX_BYTES 4096
#define ROLLOUT_TEXT_MAX  80

/* Shares are 0 to 9999. */
#define ROLLOUT_SHARES 10000
/* Of a unit that nobody has identified: it takes part once all do. */
#define ROLLOUT_SHARE_UNKNOWN (ROLLOUT_SHARES - 1)

/* The year 5138: a number of milliseconds is none of seconds. */
#define ROLLOUT_UNTIL_MOST 100000000000

struct rollout {
	unsigned percent; /* of the units, 0 to 100 */
	int64_t until_s;  /* of 1970 on in seconds: no unit takes part from then on; 0: no end */
};

/* Whether both say the same. */
bool rollout_equals(const struct rollout *one, const struct rollout *other);

/*
 * The share of the unit with this unique id, as reports and the bus write it (hexadecimal, lower
 * case), or ROLLOUT_SHARE_UNKNOWN for "". plugflash-images(5) says how it is reckoned.
 */
unsigned rollout_share(const char *unit);

/* A unit takes part where its share is below this, at this time of the wall clock. */
unsigned rollout_below(const struct rollout *rollout, int64_t now_s);

/* What of a unit decides which images it gets. */
struct rollout_unit {
	unsigned share;
	char sha256[DIGEST_HEX_SIZE]; /* file that it is known to hold whole; "": none is */
	char version[64];	      /* of that file */
};

/* For which units an image is the choice. Zeroed: for all. */
struct rollout_span {
	unsigned from, below; /* shares; `below` 0: all */
	bool is_of_held;      /* and where they hold the same file alone */
	int64_t until_s;      /* another choice is due then; 0: no time is known */
};

/* Whether what was chosen for `one`, with that span, is the choice for `other` as well. */
bool rollout_is_same(const struct rollout_span *span, const struct rollout_unit *one,
	const struct rollout_unit *other);

enum rollout_result {
	ROLLOUT_OK,
	ROLLOUT_REFUSED, /* the reason begins with file and line */
};

/*
 * Reads the text; `name` stands for the file in the reason. 0, ROLLOUT_REFUSED (syntax, another
 * section than [rollout], an unknown key, a bad value, no percent), -ENOMEM.
 */
int rollout_read(const char *name, const char *text, size_t n_text, struct rollout *ret,
	struct reason *reason);

/* The text of the file. Returns `to`. */
char *rollout_write(const struct rollout *rollout, char to[static ROLLOUT_TEXT_MAX]);
