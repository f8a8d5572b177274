/* SPDX-License-Identifier: MIT */
/*
 * modem.h - a file over the line by XMODEM or YMODEM, as sender and as receiver.
 *
 * Knows no menu and no boot loader. Tolerant of what real receivers do: either answer to the first
 * EOT, 'C' in place of NAK, no 'C' behind the header, CAN at any time.
 */
#pragma once

#include "device/expect.h"
#include "loader/loader.h"
#include "loader/packet.h"
#include "rules/config.h"

struct modem {
	struct expect *expect;		       /* borrowed */
	const struct board_transfer *transfer; /* borrowed */
	bool has_header;		       /* YMODEM */
	bool is_asked;			       /* the receiver has asked for the file */
	enum packet_check check;	       /* so that it is secured */
	bool sends_data;		       /* of the file, which no transcript shows */
};

/*
 * Waits until the receiver asks for a file: a 'C' or NAK with silence behind it, since text before
 * it has that letter too. 0, LOADER_NO_ANSWER, LOADER_REFUSED (it cancelled).
 */
int modem_wait_start(struct modem *modem, uint64_t within_usec);

/*
 * Sends the file to a receiver that has asked for it. 0, LOADER_NO_ANSWER, LOADER_REFUSED (it
 * cancelled, or refused a block for good), LOADER_STOPPED (by the file's own callback; the
 * receiver is told). Text behind the end of the file stays in `expect`, as unused.
 */
int modem_send(struct modem *modem, const struct loader_file *file);

/*
 * The same the other way round; besides, LOADER_GARBLED for blocks out of order, and
 * LOADER_ENDLESS for a sender that goes on without bringing anything new.
 */
int modem_receive(struct modem *modem, const struct loader_sink *sink);

/* Tells the other side that the transfer is cancelled. */
int modem_cancel(struct modem *modem);

/* ------------------------------------------------------------------ for the two halves */

/* Above the USB latency of a bridge; far below the second between two 'C's. */
#define MODEM_SILENCE_USEC (30 * USEC_PER_MSEC)

#define MODEM_TRIES	   10 /* of one block (Forsberg, section 7) */

/* A receiver asks again after this. */
#define MODEM_ASK_USEC (3 * USEC_PER_SEC)

uint64_t modem_after(const struct modem *modem, uint64_t usec);

/* The next byte. EXPECT_SILENT also in a stream without an end, long after the deadline. */
int modem_hear(struct modem *modem, uint8_t *ret, uint64_t deadline);

/*
 * Gives up with the result `r`: cancels, or, where the other side has cancelled, receives its text.
 * Returns `r`, or -errno where that failed.
 */
int modem_give_up(struct modem *modem, int r);
