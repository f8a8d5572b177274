/* SPDX-License-Identifier: MIT */
/*
 * test-zwave.c - the Z-Wave Serial API: frames whose vectors are those of logs that users published
 * (application-protocols.md 1), and conversations by scripts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "application/frames.h"
#include "application/zwave.h"
#include "unit/talk.h"

static void requests_are_made(void **state)
{
	static const struct {
		enum zwave_function function;
		const char *frame;
	} rows[] = {
		{ZWAVE_GET_VERSION, "01 03 00 15 E9"},
		{ZWAVE_GET_PROTOCOL_VERSION, "01 03 00 09 F5"},
		{ZWAVE_GET_CAPABILITIES, "01 03 00 07 FB"},
		{ZWAVE_ENTER_LOADER, "01 03 00 27 DB"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t expected[8], got[ZWAVE_REQUEST_BYTES];

		assert_int_equal(from_text(rows[i].frame, expected), sizeof(got));
		zwave_make(got, rows[i].function);
		assert_memory_equal(got, expected, sizeof(got));
	}
}

/* Of each frame its first byte; of a data frame its function as well. */
static void bytes_become_frames(void **state)
{
	static const struct {
		const char *bytes, *said;
	} rows[] = {
		{"", ""},
		{"06", "06;"},
		{"06 15 18", "06;15;18;"},
		{"06 01 10 01 15 5A 2D 57 61 76 65 20 37 2E 31 38 00 07 9E", "06;01:15;"},
		{"01 10 01 15 5A 2D 57 61 76 65 20 32 2E 37 38 00 01 9B 01 08 01 20 01 84 CF B4 01 29",
			"01:15;01:20;"},
		{"01 07 01 09 00 04 36 00 C2", "01:09;"},
		{"01 04 01 05 1C E3", "01:05;"},
		{"01 04 01 05 1C E4 06", "06;"},
		/* Begins that are none, and bytes that INS12350 says to ignore. */
		{"01 02 06", "06;"},
		{"01 03 02 06", "06;"},
		{"FF 00 01 01 04 01 05 1C E3", "01:05;"},
		{"86 06", "06;"},
		{"01 04 01 05 1C", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct frames frames = {.n_bytes = 0};
		uint8_t bytes[64];
		char said[64] = "";
		size_t n = from_text(rows[i].bytes, bytes);

		for (size_t k = 0; k < n; k++) {
			frames_put(&frames, bytes[k]);
			while (frames_next(&frames, zwave_look)) {
				size_t at = strlen(said);

				snprintf(said + at, sizeof(said) - at,
					frames.n_frame > 1 ? "%02X:%02X;" : "%02X;",
					frames.bytes[0], frames.bytes[ZWAVE_FUNCTION]);
			}
		}
		assert_string_equal(said, rows[i].said);
	}
}

static void majors_are_read(void **state)
{
	static const struct {
		const char *text;
		unsigned major;
	} rows[] = {
		{"Z-Wave 7.18", 7},
		{"Z-Wave 2.78", 2},
		{"Z-Wave 10.1", 10},
		{"Z-Wave ", 0},
		{"Z-Wave x", 0},
		{"z-wave 7", 0},
		{"", 0},
		{"Z-Wave 18446744073709551616.1", 0},
		{"Z-Wave 700", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(zwave_major(rows[i].text), rows[i].major);
}

#define ASK	"01 03 00 15 E9"
#define VERSION "01 10 01 15 5A 2D 57 61 76 65 20 37 2E 31 38 00 07 9E"
#define ACK                   \
	{                     \
		"06", NULL, 0 \
	}
#define MORE "01 03 00 07 FB"
/* home-assistant/core 59810: it has 0x09 and 0x27. */
#define IS_7_15                                                                                      \
	"01 2B 01 07 07 0F 00 00 00 04 00 04 F6 87 3E 88 CF 2B C0 4F FB D7 FD E0 07 00 00 80 00 80 " \
	"86 80 BA 05 00 70 00 00 2E 1F 00 00 00 00 B8"
#define IS_1_40                                                                                      \
	"01 2B 01 07 01 28 02 7A 04 01 00 06 F6 87 3E 88 CF 00 00 00 00 00 00 00 00 00 00 00 00 00 " \
	"00 00 00 00 00 00 00 00 00 00 00 00 00 00 88"
#define IS_5_1                                                                                       \
	"01 2B 01 07 05 01 00 86 00 01 00 5A F6 80 3E 88 CF 00 00 00 00 00 00 00 00 00 00 00 00 00 " \
	"00 00 00 00 00 00 00 00 00 00 00 00 00 00 04"
#define PROTOCOL  "01 03 00 09 F5"
#define IS_7_18_1 "01 09 01 09 00 07 12 01 00 00 EA"
#define STARTED	  "01 09 00 0A 03 00 01 02 01 00 FD"

static const struct talk_row ask_rows[] = {
	{"all of it",
		{{ASK, "06 " VERSION, 250}, ACK, {MORE, "06 " IS_1_40, 4}, ACK,
			{PROTOCOL, "06 " IS_7_18_1, 4}, ACK},
		APPLICATION_OK, "7.18.1 firmware 1.40", false},
	{"no third number", {{ASK, "06 " VERSION, 4}, ACK, {MORE, "06 " IS_5_1, 4}, ACK},
		APPLICATION_OK, "7.18 firmware 5.1", false},
	{"series 500 (home-assistant/addons 3769)",
		{{ASK, "06 01 10 01 15 5A 2D 57 61 76 65 20 36 2E 30 37 00 01 97", 4}, ACK,
			{MORE, "06 " IS_7_15, 4}, ACK,
			{PROTOCOL, "06 01 07 01 09 00 04 36 00 C2", 4}, ACK},
		APPLICATION_OK, "4.54.0 firmware 7.15", false},
	{"the version alone", {{ASK, "06 " VERSION, 4}, ACK, {MORE, NULL, 0}}, APPLICATION_OK,
		"7.18", false},
	{"it waits for an acknowledgement itself",
		{{ASK, "18 " STARTED, 4}, ACK, {ASK, "06 " VERSION, 4}, ACK,
			{MORE, "06 " IS_5_1, 4}, ACK},
		APPLICATION_OK, "7.18 firmware 5.1", false},
	{"refused", {{ASK, "15", 4}, {ASK, "06 " VERSION, 4}, ACK, {MORE, "06 " IS_5_1, 4}, ACK},
		APPLICATION_OK, "7.18 firmware 5.1", false},
	{"what was not asked for is acknowledged",
		{{ASK, STARTED " 06 " STARTED " " VERSION, 4}, {"06 06 06", NULL, 0},
			{MORE, "06 " IS_5_1, 4}, ACK},
		APPLICATION_OK, "7.18 firmware 5.1", false},
	{"lost", {{ASK, NULL, 0}, {ASK, "06 " VERSION, 4}, ACK, {MORE, NULL, 0}}, APPLICATION_OK,
		"7.18", false},
	{"no version", {{ASK, "06 01 0A 01 15 68 65 6C 6C 6F 00 01 82", 4}, ACK},
		APPLICATION_REFUSED, "it answers GET_VERSION with what is no version of Z-Wave",
		false},
	{"nobody", {{ASK, NULL, 0}, {ASK, NULL, 0}}, APPLICATION_SILENT, "", false},
};

static void version_is_asked(void **state)
{
	talk_ask(*state, &application_zwave);
}

#define ENTER "01 03 00 27 DB"
#define MENU  "0D 0A 'Gecko Bootloader v2.1.1' 0D 0A 'BL > '"

static const struct talk_row enter_rows[] = {
	{"acknowledged", {{ASK, "06 " VERSION, 4}, ACK, {ENTER, "06", 4}}, APPLICATION_OK, "",
		false},
	{"acknowledged, and the menu", {{ASK, "06 " VERSION, 4}, ACK, {ENTER, "06 " MENU, 4}},
		APPLICATION_OK, "", true},
	{"the menu alone", {{ASK, "06 " VERSION, 4}, ACK, {ENTER, MENU, 100}}, APPLICATION_OK, "",
		true},
	{"no word", {{ASK, "06 " VERSION, 4}, ACK, {ENTER, NULL, 0}}, APPLICATION_OK, "", false},
	{"refused once", {{ASK, "06 " VERSION, 4}, ACK, {ENTER, "18", 4}, {ENTER, "06", 4}},
		APPLICATION_OK, "", false},
	/* The function means something else there: it is never sent. */
	{"series 500", {{ASK, "06 01 10 01 15 5A 2D 57 61 76 65 20 36 2E 30 37 00 01 97", 4}, ACK},
		APPLICATION_REFUSED,
		"it is of Z-Wave 6.07, older than series 700: no boot loader of it takes a file over the serial port",
		false},
	{"nobody", {{ASK, NULL, 0}, {ASK, NULL, 0}}, APPLICATION_SILENT, "", false},
};

static void loader_is_entered(void **state)
{
	talk_enter(*state, &application_zwave);
}

static void noise_ends_with_the_probe(void **state)
{
	(void)state;
	talk_noise(&application_zwave);
}

static void an_unplugged_bridge_is_said(void **state)
{
	(void)state;
	talk_unplugged(&ask_rows[0], &application_zwave, 260 * USEC_PER_MSEC);
}

int main(void)
{
	struct CMUnitTest tests[32];
	size_t n = 0;

	ADD_TEST(tests, n, requests_are_made);
	ADD_TEST(tests, n, bytes_become_frames);
	ADD_TEST(tests, n, majors_are_read);
	ADD_ROWS(tests, n, ask_rows, version_is_asked);
	ADD_ROWS(tests, n, enter_rows, loader_is_entered);
	ADD_TEST(tests, n, noise_ends_with_the_probe);
	ADD_TEST(tests, n, an_unplugged_bridge_is_said);
	return RUN_TESTS("zwave", tests, n);
}
