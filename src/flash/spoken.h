/* SPDX-License-Identifier: MIT */
/*
 * spoken.h - which application runs, by the protocol that it speaks: asked one protocol and one
 * rate after the other, in the order of ti-bsl.md 15.1.
 */
#pragma once

#include "application/application-protocol.h"

/* An application at its rate. */
struct spoken {
	enum application_protocol protocol;
	uint32_t baud;
	char version[APPLICATION_VERSION_BYTES]; /* "" it has none, or was not asked */
	struct reason refusal; /* behind APPLICATION_REFUSED: why it does not do what it is told */
};

/* Of all that was asked in vain. */
struct spoken_heard {
	size_t n_bytes; /* that came, and were no answer */
};

/* The time that one protocol has to answer at one rate (ti-bsl.md 15.1). */
#define SPOKEN_ASK_USEC (2 * USEC_PER_SEC)

/* A reset of the chip is over, and its loader has begun, within this time (ti-bsl.md 15.2). */
#define SPOKEN_ENTER_USEC (5 * USEC_PER_SEC)

/*
 * The n-th combination of protocol and rate that the rule has, counted from 0, in the order in
 * which they are asked. False: there are no more.
 */
bool spoken_candidate(const struct board *board, size_t n, struct spoken *ret);

/*
 * Asks for the version, by protocol and rate of `spoken`. 0 with the version; APPLICATION_SILENT,
 * also where the bridge does not have this rate; APPLICATION_REFUSED with `refusal`; -errno.
 */
int spoken_ask(
	struct spoken *spoken, struct expect *expect, uint64_t usec, struct spoken_heard *heard);

/* Makes the application start its boot loader. As spoken_ask(). */
int spoken_enter_loader(struct spoken *spoken, struct expect *expect);

/* "ezsp 7.4.3.0 at 115200 baud". Returns `to`. */
char *spoken_format(const struct spoken *spoken, char *to, size_t size);

/* What spoken_candidate() has: "cpc at 460800, 115200, 230400; ezsp at 115200". Returns `to`. */
char *spoken_list(const struct board *board, char *to, size_t size);
