/* SPDX-License-Identifier: MIT */
/*
 * application-protocol.h - what a running application speaks that is no text, as a table of
 * operations: the question for its version, and the command that leads into its boot loader.
 *
 * The procedure knows these protocols by this table alone. A protocol is a file of this folder and
 * a row of application-protocol.c. Its word in rules is that of application_protocol_to_string().
 * All that comes from the application is hostile: an answer of another length, rate or kind is
 * silence, and nothing waits beyond the deadline of the link.
 */
#pragma once

#include "device/expect.h"
#include "rules/application-keys.h"

/* Room for a version, its NUL counted. */
#define APPLICATION_VERSION_BYTES 64

/* The result of an operation beside -errno, which comes from the port. */
enum application_result {
	APPLICATION_OK,
	APPLICATION_SILENT = EXPECT_SILENT, /* nobody speaks this protocol here, at this rate */
	APPLICATION_REFUSED, /* it speaks the protocol, and says no: `reason` tells it in words */
};

/*
 * The conversation with one application. The caller sets the port to a rate of the protocol, 8N1,
 * forgets what was heard (expect_forget()) and sets `deadline` before each operation. Every
 * operation is whole by itself: nothing is kept from one to the next.
 */
struct application_link {
	struct expect *expect; /* borrowed, with its port; bytes not used stay there */
	uint64_t deadline;     /* of the operation as a whole, µs on the port's clock */
	size_t n_heard;	       /* bytes that came, of whatever kind: 0: nothing speaks at all */
	struct reason reason;  /* behind APPLICATION_REFUSED: "it answers with status 0x70" */
};

struct application_protocol_ops {
	/* Where such applications are met, the most usual first. */
	const uint32_t *bauds;
	size_t n_bauds;

	/*
	 * Asks for the version: "7.4.3.0", printable ASCII, "" where it speaks the protocol and
	 * has none. Changes nothing that a user would miss: the application may be made to forget
	 * a conversation that was under way. The caller asks again where it may be starting still.
	 */
	int (*ask)(
		struct application_link *link, char ret_version[static APPLICATION_VERSION_BYTES]);

	/*
	 * Makes the application start its boot loader. 0 where it took the command: an answer that
	 * is missing counts as done, since the chip may reset at once. NULL: the protocol has no
	 * such command.
	 */
	int (*enter_loader)(struct application_link *link);
};

/* One in each file; its head says what a question disturbs. */
extern const struct application_protocol_ops application_cpc, application_ezsp, application_mt,
	application_spinel, application_zwave;

/* The table for this protocol, NULL: plugflash does not speak it. */
const struct application_protocol_ops *application_protocol_of(enum application_protocol protocol);

/* Sends, and waits until all is on the line. 0 or -errno. */
int application_link_say(struct application_link *link, const uint8_t *bytes, size_t n_bytes);

/* Takes the next byte that comes before `until` and before the deadline of the link. 0,
 * APPLICATION_SILENT, or -errno. */
int application_link_hear(struct application_link *link, uint8_t *ret, uint64_t until);
