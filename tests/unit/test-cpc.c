/* SPDX-License-Identifier: MIT */
/*
 * test-cpc.c - CPC: frames whose vectors are those of logs that users published and of the CRC of
 * cpc-daemon (application-protocols.md 4), and conversations by scripts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "application/cpc.h"
#include "application/crc16.h"
#include "application/frames.h"
#include "unit/talk.h"

static void the_sum_is_right(void **state)
{
	(void)state;
	assert_int_equal(crc16_ccitt(0, (const uint8_t *)"123456789", 9), 0x31C3);
	assert_int_equal(crc16_ccitt(0xFFFF, (const uint8_t *)"123456789", 9), 0x29B1);
	assert_int_equal(crc16_x25((const uint8_t *)"123456789", 9), 0x906E);
}

static void frames_are_made(void **state)
{
	uint8_t expected[64], got[CPC_FRAME_MAX];
	/* Issue 23 of NabuCasa/silabs-firmware. */
	size_t n = from_text("14 00 0A 00 C4 55 D3 02 00 04 00 03 00 00 00 DB 12", expected);

	(void)state;
	assert_int_equal(
		cpc_make_property(got, CPC_PROPERTY_GET, 0, CPC_SECONDARY_VERSION, NULL, 0), n);
	assert_memory_equal(got, expected, n);
	n = from_text("14 00 06 00 C4 34 A6 01 00 00 00 B4 76", expected);
	assert_int_equal(cpc_make_reset(got, 0), n);
	assert_memory_equal(got, expected, n);
}

static void bytes_become_frames(void **state)
{
	static const struct {
		const char *bytes;
		size_t n_frames;
	} rows[] = {
		{"", 0},
		{"14 00 06 00 C4 34 A6 01 00 00 00 B4 76", 1},
		{"14 14 14 00 06 00 C4 34 A6 01 00 00 00 B4 76", 1},
		{"14 00 06 00 C4 34 A6 01 00 00 00 B4 77", 0},
		{"14 00 06 00 C4 34 A7 01 00 00 00 B4 76", 0},
		/* One with a bad payload costs none behind it. */
		{"14 00 06 00 C4 34 A6 01 00 00 00 B4 77 14 00 06 00 C4 34 A6 01 00 00 00 B4 76",
			1},
		/* A header alone: an acknowledgement of another endpoint. */
		{"14 01 00 00 80 60 6A", 1},
		/* Longer than anything that is asked for, and one byte of payload, which is no CRC.
		 */
		{"14 00 FF FF C4 08 D8 14 00 06 00 C4 34 A6 01 00 00 00 B4 76", 1},
		{"14 00 01 00 C4 A4 23 14 00 06 00 C4 34 A6 01 00 00 00 B4 76", 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct frames frames = {.n_bytes = 0};
		uint8_t bytes[64];
		size_t n = from_text(rows[i].bytes, bytes), n_frames = 0;

		for (size_t k = 0; k < n; k++) {
			frames_put(&frames, bytes[k]);
			while (frames_next(&frames, cpc_look))
				n_frames++;
		}
		assert_int_equal(n_frames, rows[i].n_frames);
	}
}

#define ASK	  "14 00 0A 00 C4 55 D3 02 02 04 00 04 00 00 00 15 23"
#define VERSION	  "14 00 10 00 C4 F7 57 06 02 0A 00 04 00 00 00 34 2E 34 2E 33 00 FE F4"
#define ASK_CPC	  "14 00 0A 00 C4 55 D3 02 03 04 00 03 00 00 00 59 CA"
#define UNDEFINED "14 00 14 00 C4 37 8B 06 02 0E 00 04 00 00 00 'UNDEFINED' 00 69 FD"
#define CPC_VERSION \
	"14 00 16 00 C4 57 E5 06 03 10 00 03 00 00 00 04 00 00 00 04 00 00 00 03 00 00 00 7D 4C"
#define UNASKED	       "14 00 0E 00 C0 11 4F 06 00 08 00 00 00 00 00 72 00 00 00 68 EE"
#define OTHER_ENDPOINT "14 05 10 00 C4 B2 EB 06 02 0A 00 04 00 00 00 39 2E 39 2E 39 00 F0 6C"

static const struct talk_row ask_rows[] = {
	{"application's version", {{ASK, VERSION, 5}}, APPLICATION_OK, "4.4.3", false},
	{"an application without a version", {{ASK, UNDEFINED, 5}, {ASK_CPC, CPC_VERSION, 5}},
		APPLICATION_OK, "4.4.3", false},
	{"a property that is not known",
		{{ASK, "14 00 0E 00 C4 95 0F 06 02 08 00 00 00 00 00 0D 00 00 00 40 D8", 5},
			{ASK_CPC, CPC_VERSION, 5}},
		APPLICATION_OK, "4.4.3", false},
	{"two properties that are not known",
		{{ASK, UNDEFINED, 5},
			{ASK_CPC, "14 00 0E 00 C4 95 0F 06 03 08 00 00 00 00 00 0D 00 00 00 09 00",
				5}},
		APPLICATION_REFUSED, "it answers the question for its version with CPC status 13",
		false},
	{"what was not asked for, and another endpoint",
		{{ASK, "00 14 00 " UNASKED " " OTHER_ENDPOINT " " VERSION, 5}}, APPLICATION_OK,
		"4.4.3", false},
	{"lost twice", {{ASK, NULL, 0}, {ASK, "14 00 10 00 C4 F7", 5}, {ASK, VERSION, 5}},
		APPLICATION_OK, "4.4.3", false},
	{"nobody", {{ASK, NULL, 0}, {ASK, NULL, 0}, {ASK, NULL, 0}, {ASK, NULL, 0}},
		APPLICATION_SILENT, "", false},
};

static void version_is_asked(void **state)
{
	talk_ask(*state, &application_cpc);
}

#define SET	  "14 00 0E 00 C4 95 0F 03 04 08 00 02 02 00 00 01 00 00 00 62 87"
#define IS_LOADER "14 00 0E 00 C4 95 0F 06 04 08 00 02 02 00 00 01 00 00 00 C3 89"
#define RESET	  "14 00 06 00 C4 34 A6 01 05 00 00 44 9D"
#define MENU	  "0D 0A 'Gecko Bootloader v2.1.1' 0D 0A 'BL > '"

static const struct talk_row enter_rows[] = {
	{"both are answered",
		{{SET, IS_LOADER, 5},
			{RESET, "14 00 0A 00 C4 55 D3 01 05 04 00 00 00 00 00 D5 38", 5}},
		APPLICATION_OK, "", false},
	{"an answer and the menu",
		{{SET, IS_LOADER, 5},
			{RESET, "14 00 0A 00 C4 55 D3 01 05 04 00 00 00 00 00 D5 38 " MENU, 5}},
		APPLICATION_OK, "", true},
	{"the menu alone", {{SET, IS_LOADER, 5}, {RESET, MENU, 100}}, APPLICATION_OK, "", true},
	{"no answer to the reset", {{SET, IS_LOADER, 5}, {RESET, NULL, 0}}, APPLICATION_OK, "",
		false},
	{"the first is lost", {{SET, NULL, 0}, {SET, IS_LOADER, 5}, {RESET, NULL, 0}},
		APPLICATION_OK, "", false},
	/* Without the second, which would only start the application again. */
	{"no way into a loader",
		{{SET, "14 00 0E 00 C4 95 0F 06 04 08 00 02 02 00 00 00 00 00 00 77 FF", 5}},
		APPLICATION_REFUSED,
		"it was built without the way into its boot loader (component bootloader_interface)",
		false},
	{"a property that is not known",
		{{SET, "14 00 0E 00 C4 95 0F 06 04 08 00 00 00 00 00 0D 00 00 00 B4 29", 5}},
		APPLICATION_REFUSED,
		"it answers the request to start its boot loader with CPC status 13", false},
	{"the reset fails",
		{{SET, IS_LOADER, 5},
			{RESET, "14 00 0A 00 C4 55 D3 01 05 04 00 01 00 00 00 61 4E", 5}},
		APPLICATION_REFUSED, "it answers the request to reset with CPC status 1", false},
	{"nobody", {{SET, NULL, 0}, {SET, NULL, 0}, {SET, NULL, 0}, {SET, NULL, 0}},
		APPLICATION_SILENT, "", false},
};

static void loader_is_entered(void **state)
{
	talk_enter(*state, &application_cpc);
}

static void noise_ends_with_the_probe(void **state)
{
	(void)state;
	talk_noise(&application_cpc);
}

static void an_unplugged_bridge_is_said(void **state)
{
	(void)state;
	talk_unplugged(&ask_rows[1], &application_cpc, 20 * USEC_PER_MSEC);
}

int main(void)
{
	struct CMUnitTest tests[32];
	size_t n = 0;

	ADD_TEST(tests, n, the_sum_is_right);
	ADD_TEST(tests, n, frames_are_made);
	ADD_TEST(tests, n, bytes_become_frames);
	ADD_ROWS(tests, n, ask_rows, version_is_asked);
	ADD_ROWS(tests, n, enter_rows, loader_is_entered);
	ADD_TEST(tests, n, noise_ends_with_the_probe);
	ADD_TEST(tests, n, an_unplugged_bridge_is_said);
	return RUN_TESTS("cpc", tests, n);
}
