/* SPDX-License-Identifier: MIT */
/*
 * modem.h - a file over the line by XMODEM or YMODEM, as sender and as receiver.
 *
 * Knows no menu and no boot loader. Tolerant of what real receivers do: either answer to the first
 * EOT, 'C' in place of NAK, no 'C' behind the header, CAN at any time.
 */
#pragma once

#include "rules/config.h"
#include "target/packet.h"
#include "target/protocol.h"
#include "target/speech.h"

struct modem {
	struct speech *speech;		       /* borrowed */
	const struct board_transfer *transfer; /* borrowed */
	bool has_header;		       /* YMODEM */
	bool is_asked;			       /* the receiver has asked for the file */
	enum packet_check check;	       /* so that it is secured */
};

/*
 * Waits until the receiver asks for a file: a 'C' or NAK with silence behind it, for the texts
 * before it have the letter in them too. 0, PROTOCOL_NO_ANSWER, PROTOCOL_REFUSED (it cancelled).
 */
int modem_wait_start(struct modem *modem, uint64_t within_usec);

/*
 * Sends the file to a receiver that has asked for it. 0, PROTOCOL_NO_ANSWER, PROTOCOL_REFUSED (it
 * cancelled, or refused a block for good), PROTOCOL_STOPPED (by the file's own callback; the
 * receiver is told). What the receiver says behind the end of the file stays in `speech`, and is
 * `said` there.
 */
int modem_send(struct modem *modem, const struct protocol_file *file);

/* The same the other way round; PROTOCOL_GARBLED for blocks out of order besides. */
int modem_receive(struct modem *modem, const struct protocol_sink *sink);

/* Tells the other side that this comes to nothing. */
int modem_cancel(struct modem *modem);
