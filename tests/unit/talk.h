/* SPDX-License-Identifier: MIT */
/*
 * talk.h - rows of conversations with an application, for the tests of its protocols. Include after
 * cmocka.h.
 */
#pragma once

#include "application/application-protocol.h"
#include "unit/rows.h"
#include "unit/spoken-port.h"

#define TALK_LINES 12

struct talk_row {
	const char *name;
	struct spoken_line lines[TALK_LINES];
	int result;
	const char *said; /* the version, or the reason of a refusal */
	bool leaves_menu; /* what came behind is left to the caller */
};

static size_t talk_lines(const struct talk_row *row)
{
	size_t n = 0;

	while (n < TALK_LINES && (row->lines[n].host || row->lines[n].peer))
		n++;
	return n;
}

static inline void talk_ask(const struct talk_row *row, const struct application_protocol_ops *ops)
{
	struct spoken spoken;

	spoken_begin(row->lines, talk_lines(row));
	assert_int_equal(spoken_ask(&spoken, ops), row->result);
	assert_string_equal(
		row->result == APPLICATION_OK ? spoken.version : spoken.link.reason.text,
		row->said);
	if (row->result == APPLICATION_OK)
		assert_string_equal(spoken.link.reason.text, "");
	spoken_end();
}

static inline void talk_enter(
	const struct talk_row *row, const struct application_protocol_ops *ops)
{
	struct spoken spoken;

	spoken_begin(row->lines, talk_lines(row));
	assert_int_equal(spoken_enter(&spoken, ops), row->result);
	assert_string_equal(spoken.link.reason.text, row->said);
	spoken_end();
	assert_int_equal(expect_text(&spoken.expect, "BL > ", the_port.now + USEC_PER_SEC, NULL, 0),
		row->leaves_menu ? EXPECT_OK : EXPECT_SILENT);
}

/* Noise that never ends, of one byte and of any, ends with the probe. */
static inline void talk_noise(const struct application_protocol_ops *ops)
{
	for (int byte = -2; byte < 256; byte++) {
		struct spoken spoken;

		spoken_begin(NULL, 0);
		the_port.endless_byte = byte;
		if (byte != -1)
			assert_int_equal(spoken_ask(&spoken, ops), APPLICATION_SILENT);
	}
}

/* The bridge goes at any moment of the row's conversation: said as that, or the answer was there.
 */
static inline void talk_unplugged(
	const struct talk_row *row, const struct application_protocol_ops *ops, uint64_t most_usec)
{
	for (uint64_t at = 1; at < most_usec; at += 500) {
		struct spoken spoken;
		int r;

		spoken_begin(row->lines, talk_lines(row));
		the_port.gone_at = at;
		r = spoken_ask(&spoken, ops);
		assert_true(r == -ENODEV || (r == APPLICATION_OK && the_port.now < at));
	}
}
