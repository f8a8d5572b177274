/* SPDX-License-Identifier: MIT */
/*
 * test-spinel.c - Spinel in HDLC-lite: frames whose vectors are those of the tests of
 * universal-silabs-flasher and of logs that users published (application-protocols.md 5), and
 * conversations by scripts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "application/hdlc.h"
#include "application/spinel.h"
#include "unit/talk.h"

static const struct frame_row {
	const char *name, *body, *frame;
} frame_rows[] = {
	{"no value (tests/test_spinel.py)", "81 02 43", "7E 81 02 43 D3 D3 7E"},
	{"both bytes of the framing", "81 03 36 7E 7D", "7E 81 03 36 7D 5E 7D 5D 6A F9 7E"},
	{"no byte of it", "81 03 65 01", "7E 81 03 65 01 0B 28 7E"},
	{"in the CRC", "81 03 86 2A 01", "7E 81 03 86 2A 01 54 7D 5E 7E"},
	{"a version", "81 06 02 'OPENTHREAD/6ff1ac0-dirty; EFR32; Dec 23 2022 18:08:00' 00",
		"7E 81 06 02 'OPENTHREAD/6ff1ac0-dirty; EFR32; Dec 23 2022 18:08:00' 00 FA 8C 7E"},
	{"issue 52 of Nerivec/silabs-firmware-builder", "83 02 02", "7E 83 02 02 E6 35 7E"},
	{"issue 4266 of the add-ons", "83 02 08", "7E 83 02 08 BC 9A 7E"},
	{"XON, XOFF and the vendor's", "11 13 F8", "7E 7D 31 7D 33 7D D8 BB DD 7E"},
};

static void frames_are_made_and_read(void **state)
{
	const struct frame_row *row = *state;
	uint8_t body[128], expected[160], got[HDLC_ENCODED_MAX(128)];
	size_t n_body = from_text(row->body, body), n = from_text(row->frame, expected), n_got = 0;
	struct hdlc_receiver receiver = {.n_body = 0};

	assert_int_equal(hdlc_make(got, body, n_body), n);
	assert_memory_equal(got, expected, n);
	for (size_t i = 0; i + 1 < n; i++)
		assert_false(hdlc_take(&receiver, expected[i], &n_got));
	assert_true(hdlc_take(&receiver, expected[n - 1], &n_got));
	assert_int_equal(n_got, n_body);
	assert_memory_equal(receiver.body, body, n_body);
}

static void bytes_become_bodies(void **state)
{
	static const struct {
		const char *bytes;
		size_t n_bodies;
	} rows[] = {
		{"", 0},
		{"7E 7E 7E", 0},
		{"7E 81 02 43 D3 D3 7E", 1},
		/* One flag ends the one and begins the other. */
		{"7E 81 02 43 D3 D3 7E 83 02 02 E6 35 7E", 2},
		{"00 FF 7E 81 02 43 D3 D3 7E", 1},
		{"7E 81 02 43 D3 D4 7E 81 02 43 D3 D3 7E", 1},
		{"7E 81 11 02 13 43 D3 D3 7E", 1},
		{"7E 81 02 43 7D 7E 81 02 43 D3 D3 7E", 1},
		{"7E 7D 7D 02 43 D3 D3 7E 81 02 43 D3 D3 7E", 1},
		{"7E D3 7E 00 00 7E", 0},
	};
	struct hdlc_receiver receiver = {.n_body = 0};
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t bytes[64];
		size_t n_bytes = from_text(rows[i].bytes, bytes), n_bodies = 0;

		receiver = (struct hdlc_receiver){.n_body = 0};
		for (size_t k = 0; k < n_bytes; k++)
			n_bodies += hdlc_take(&receiver, bytes[k], &n);
		assert_int_equal(n_bodies, rows[i].n_bodies);
	}
	for (size_t i = 0; i < 100000; i++)
		assert_false(hdlc_take(&receiver, 0x55, &n));
	assert_false(hdlc_take(&receiver, HDLC_FLAG, &n));
}

static void numbers_are_unpacked(void **state)
{
	/* The table of Spinel's document, "packed unsigned integer". */
	static const struct {
		const char *bytes;
		bool is_number;
		uint32_t value;
		size_t n_left;
	} rows[] = {
		{"00", true, 0, 0},
		{"01 02", true, 1, 1},
		{"7F", true, 127, 0},
		{"80 01", true, 128, 0},
		{"81 01", true, 129, 0},
		{"B9 0A", true, 1337, 0},
		{"FF FF 7F", true, 2097151, 0},
		{"", false, 0, 0},
		{"80", false, 0, 1},
		{"FF FF FF 01", false, 0, 4},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t bytes[8];
		const uint8_t *at = bytes;
		size_t n = from_text(rows[i].bytes, bytes);
		uint32_t value = 0;

		assert_int_equal(spinel_unpack(&at, &n, &value), rows[i].is_number);
		assert_int_equal(value, rows[i].value);
		assert_int_equal(n, rows[i].n_left);
	}
}

#define ASK "7E 82 02 02 3A 6F 7E"
#define VERSION \
	"7E 82 06 02 'SL-OPENTHREAD/2.4.4.0_GitHub-7074a43e4; EFR32; Oct 21 2024 14:40:57' 00 09 F5 7E"
#define RADIO	"7E 80 06 71 01 02 7D 5E 7D 5D 7D 31 33 32 7E"
#define UNASKED "7E 80 06 02 58 58 00 D5 A8 7E"

static const struct talk_row ask_rows[] = {
	{"a version", {{ASK, VERSION, 4}}, APPLICATION_OK, "SL-OPENTHREAD/2.4.4.0_GitHub-7074a43e4",
		false},
	{"radio frames and a version that was not asked for",
		{{ASK, RADIO " " UNASKED " " VERSION, 4}}, APPLICATION_OK,
		"SL-OPENTHREAD/2.4.4.0_GitHub-7074a43e4", false},
	{"lost twice", {{ASK, NULL, 0}, {ASK, "7E 82 06 02 'SL-OP'", 4}, {ASK, VERSION, 4}},
		APPLICATION_OK, "SL-OPENTHREAD/2.4.4.0_GitHub-7074a43e4", false},
	{"a status", {{ASK, "7E 82 06 00 03 84 0C 7E", 4}}, APPLICATION_REFUSED,
		"it answers the question for its version with Spinel status 3", false},
	{"an empty version", {{ASK, "7E 82 06 02 00 AF 0D 7E", 4}}, APPLICATION_REFUSED,
		"it answers the question for its version with Spinel status 0", false},
	{"nobody", {{ASK, NULL, 0}, {ASK, NULL, 0}, {ASK, NULL, 0}, {ASK, NULL, 0}},
		APPLICATION_SILENT, "", false},
};

static void version_is_asked(void **state)
{
	talk_ask(*state, &application_spinel);
}

#define RESET "7E 80 01 03 63 E1 7E"
#define MENU  "0D 0A 'Gecko Bootloader v2.1.1' 0D 0A 'BL > '"

static const struct talk_row enter_rows[] = {
	{"no answer", {{RESET, NULL, 0}}, APPLICATION_OK, "", false},
	{"the menu", {{RESET, MENU, 100}}, APPLICATION_OK, "", true},
	{"frames under way and the menu", {{RESET, RADIO " 7E 80 06 00 00 69 07 7E " MENU, 4}},
		APPLICATION_OK, "", true},
	{"a refusal", {{RESET, "7E 80 06 00 05 C4 50 7E", 4}}, APPLICATION_REFUSED,
		"it answers the request to start its boot loader with Spinel status 5", false},
	{"a start of the same application", {{RESET, "7E 80 06 00 72 FC 57 7E", 300}},
		APPLICATION_REFUSED,
		"it starts again in place of its boot loader: it was built without the way into that",
		false},
};

static void loader_is_entered(void **state)
{
	talk_enter(*state, &application_spinel);
}

static void noise_ends_with_the_probe(void **state)
{
	(void)state;
	talk_noise(&application_spinel);
}

static void an_unplugged_bridge_is_said(void **state)
{
	(void)state;
	talk_unplugged(&ask_rows[0], &application_spinel, 12 * USEC_PER_MSEC);
}

int main(void)
{
	struct CMUnitTest tests[32];
	size_t n = 0;

	ADD_ROWS(tests, n, frame_rows, frames_are_made_and_read);
	ADD_TEST(tests, n, bytes_become_bodies);
	ADD_TEST(tests, n, numbers_are_unpacked);
	ADD_ROWS(tests, n, ask_rows, version_is_asked);
	ADD_ROWS(tests, n, enter_rows, loader_is_entered);
	ADD_TEST(tests, n, noise_ends_with_the_probe);
	ADD_TEST(tests, n, an_unplugged_bridge_is_said);
	return RUN_TESTS("spinel", tests, n);
}
