/* SPDX-License-Identifier: MIT */
/*
 * test-ash.c - ASH and EZSP: frames by tables, whose vectors are those of Silicon Labs' UG101 and
 * of logs that users published (application-protocols.md 2, 3), and conversations by scripts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "application/ash.h"
#include "application/ezsp.h"
#include "unit/talk.h"

/* ------------------------------------------------------------------ frames */

static const struct frame_row {
	const char *name;
	uint8_t control;
	const char *data, *frame;
} frame_rows[] = {
	{"RST (UG101 3.1)", ASH_RST, "", "C0 38 BC 7E"},
	{"RSTACK, power on (UG101 3.2)", ASH_RSTACK, "02 02", "C1 02 02 9B 7B 7E"},
	{"RSTACK, software (issue 99 of universal-silabs-flasher)", ASH_RSTACK, "02 0B",
		"C1 02 0B 0A 52 7E"},
	{"ERROR, no acknowledgement (zigbee-herdsman's tests)", ASH_ERROR, "02 51",
		"C2 02 51 A8 BD 7E"},
	{"DATA, version (UG101 3.4)", 0x25, "00 00 00 02", "25 42 21 A8 56 A6 09 7E"},
	{"DATA, version (issue 99)", 0x00, "00 00 00 04", "00 42 21 A8 50 ED 2C 7E"},
	{"DATA, its answer (issue 99)", 0x01, "00 80 00 0D 02 30 74",
		"01 42 A1 A8 59 28 25 C6 AE 91 7E"},
	{"DATA, stuffed (issue 136 of darkxst)", 0x11, "00 00 01 00 00 08",
		"7D 31 42 21 A9 54 2A 1D 8C DF 7E"},
	{"DATA, its answer (issue 136)", 0x12, "00 80 01 00 00 08 02 30 6A",
		"12 42 A1 A9 54 2A 1D B0 69 FE 46 F0 7E"},
	{"ACK 0 (zigbee-herdsman)", ASH_ACK, "", "80 70 78 7E"},
	{"ACK 1 (issue 99)", ASH_ACK | 1, "", "81 60 59 7E"},
	{"ACK 2 (issue 136)", ASH_ACK | 2, "", "82 50 3A 7E"},
	{"ACK 4 (issue 204 of darkxst)", ASH_ACK | 4, "", "84 30 FC 7E"},
	{"NAK 0, stuffed", ASH_NAK, "", "A0 54 7D 3A 7E"},
};

static void frames_are_made_and_read(void **state)
{
	const struct frame_row *row = *state;
	uint8_t data[64], expected[64], got[ASH_FRAME_MAX];
	size_t n_data = from_text(row->data, data), n = from_text(row->frame, expected), n_got = 99;
	struct ash_receiver receiver = {.n_body = 0};

	assert_int_equal(ash_make(got, row->control, data, n_data), n);
	assert_memory_equal(got, expected, n);
	for (size_t i = 0; i + 1 < n; i++)
		assert_int_equal(ash_take(&receiver, expected[i], &n_got), ASH_MORE);
	assert_int_equal(ash_take(&receiver, expected[n - 1], &n_got), ASH_FRAME);
	assert_int_equal(receiver.body[0], row->control);
	assert_int_equal(n_got, n_data);
	assert_memory_equal(receiver.body + 1, data, n_data);
}

/* Each received thing: the control byte, "broken" where something ended that is no frame. */
static void bytes_become_frames(void **state)
{
	static const struct {
		const char *bytes, *said;
	} rows[] = {
		{"", ""},
		{"7E 7E 7E", ""},
		{"C0 38 BC 7E 7E 7E", "C0;"},
		{"C0 38 BC", ""},
		/* CANCEL: what came since the last flag is nothing (bellows' tests). */
		{"DD F9 FF 1A C1 02 0B 0A 52 7E", "C1;"},
		{"DD F9 FF C1 02 0B 0A 52 7E C0 38 BC 7E", "broken;C0;"},
		/* XON and XOFF may be anywhere. */
		{"11 C0 11 38 13 BC 13 7E", "C0;"},
		/* SUBSTITUTE: the frame is none, up to its flag. */
		{"C0 18 38 BC 7E C1 02 0B 0A 52 7E", "broken;C1;"},
		{"C0 18 38 BC AA BB 7E C0 38 BC 7E", "broken;C0;"},
		{"C0 38 BD 7E", "broken;"},
		{"C0 7E", "broken;"},
		{"C0 38 7E", "broken;"},
		{"C0 38 BC 7D 7E C0 38 BC 7E", "broken;C0;"},
		{"7D 7D 38 BC 7E C0 38 BC 7E", "broken;C0;"},
		/* A byte that need not be escaped. */
		{"7D E0 38 BC 7E", "C0;"},
		{"81 60 59 7E A1 44 3B 7E", "81;A1;"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ash_receiver receiver = {.n_body = 0};
		uint8_t bytes[64];
		char said[64] = "";
		size_t n = from_text(rows[i].bytes, bytes), n_data;

		for (size_t k = 0; k < n; k++) {
			enum ash_result result = ash_take(&receiver, bytes[k], &n_data);

			if (result != ASH_MORE)
				snprintf(said + strlen(said), sizeof(said) - strlen(said),
					result == ASH_FRAME ? "%02X;" : "broken;",
					receiver.body[0]);
		}
		assert_string_equal(said, rows[i].said);
	}
}

static void a_frame_that_is_too_long_costs_no_other(void **state)
{
	struct ash_receiver receiver = {.n_body = 0};
	static const uint8_t rst[] = {0xC0, 0x38, 0xBC, ASH_FLAG};
	size_t n_data;

	(void)state;
	for (size_t i = 0; i < 100000; i++)
		assert_int_equal(ash_take(&receiver, 0xEE, &n_data), ASH_MORE);
	assert_int_equal(ash_take(&receiver, ASH_FLAG, &n_data), ASH_BROKEN);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(ash_take(&receiver, rst[i], &n_data), ASH_MORE);
	assert_int_equal(ash_take(&receiver, rst[3], &n_data), ASH_FRAME);
}

static void the_longest_frame_is_read(void **state)
{
	struct ash_receiver receiver = {.n_body = 0};
	uint8_t data[ASH_DATA_MAX], frame[ASH_FRAME_MAX];
	enum ash_result result = ASH_MORE;
	size_t n, n_data = 0;

	(void)state;
	memset(data, 0x7E ^ 0x42, sizeof(data));
	n = ash_make(frame, 0x7D, data, sizeof(data));
	for (size_t i = 0; i < n; i++)
		result = ash_take(&receiver, frame[i], &n_data);
	assert_int_equal(result, ASH_FRAME);
	assert_int_equal(n_data, sizeof(data));
	assert_memory_equal(receiver.body + 1, data, sizeof(data));
}

static void headers_have_three_forms(void **state)
{
	static const struct {
		uint8_t version;
		const char *header, *answer;
	} rows[] = {
		{4, "09 00 AA", "09 80 AA"},
		{5, "09 00 FF 00 AA", "09 80 FF 00 AA"},
		{7, "09 00 FF 00 AA", "09 80 FF 00 AA"},
		{8, "09 00 01 AA 00", "09 80 01 AA 00"},
		{14, "09 00 01 AA 00", "09 80 01 AA 00"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t expected[8], got[EZSP_HEADER_MAX], answer[8];
		size_t n = from_text(rows[i].header, expected), n_answer;
		struct ezsp_response response;

		assert_int_equal(ezsp_make_header(got, rows[i].version, 9, EZSP_GET_VALUE), n);
		assert_memory_equal(got, expected, n);
		n_answer = from_text(rows[i].answer, answer);
		assert_true(ezsp_read(answer, n_answer, rows[i].version, &response));
		assert_int_equal(response.number, 9);
		assert_int_equal(response.frame, EZSP_GET_VALUE);
		assert_false(response.is_callback);
		assert_int_equal(response.n_data, 0);
		/* A command, and one that is cut off. */
		answer[1] = 0;
		assert_false(ezsp_read(answer, n_answer, rows[i].version, &response));
		answer[1] = 0x90;
		assert_false(ezsp_read(answer, n_answer - 1, rows[i].version, &response));
		assert_true(ezsp_read(answer, n_answer, rows[i].version, &response));
		assert_true(response.is_callback);
	}
}

/* ------------------------------------------------------------------ conversations */

#define CONNECT                                               \
	{                                                     \
		"1A C0 38 BC 7E", "1A C1 02 0B 0A 52 7E", 300 \
	}
#define VERSION_13                                                                \
	{                                                                         \
		"00 42 21 A8 50 ED 2C 7E", "01 42 A1 A8 59 28 25 C6 AE 91 7E", 14 \
	}
#define ACK_1                          \
	{                              \
		"81 60 59 7E", NULL, 0 \
	}
#define AGAIN_13                                                        \
	{                                                               \
		"7D 31 43 21 A9 54 2A 7D 38 99 DA 7E",                  \
			"12 43 A1 A9 54 2A 7D 38 B0 69 E0 E2 69 7E", 14 \
	}
#define ACK_2                          \
	{                              \
		"82 50 3A 7E", NULL, 0 \
	}
#define ACK_3                          \
	{                              \
		"83 40 1B 7E", NULL, 0 \
	}
#define CONNECTED  CONNECT, VERSION_13, ACK_1, AGAIN_13, ACK_2
#define GET_VALUE  "22 40 21 A9 FE 2A 04 7F D5 7E"
#define VALUE	   "23 40 A1 A9 FE 2A 15 B5 D5 94 4D 21 A9 55 38 E5 5D 7E"
#define CALLBACK   "22 43 B1 A9 4D 2A 85 B1 B9 7E"
#define VALUE_NEXT "33 40 A1 A9 FE 2A 15 B5 D5 94 4D 21 A9 55 38 AB D7 7E"

/* What is asked of each NCP, and what is known of it then. */
static const struct talk_row ask_rows[] = {
	{"version 13 (issue 99)", {CONNECTED, {GET_VALUE, VALUE, 14}, ACK_3}, APPLICATION_OK,
		"7.4.3.0", false},
	{"XON and what an NCP sends as it starts",
		{{"1A C0 38 BC 7E", "11 1A 1A C1 02 0B 0A 52 7E", 900}, VERSION_13, ACK_1, AGAIN_13,
			ACK_2, {GET_VALUE, VALUE, 14}, ACK_3},
		APPLICATION_OK, "7.4.3.0", false},
	{"an NCP that had failed says ERROR first",
		{{"1A C0 38 BC 7E", "C2 02 51 A8 BD 7E C2 02 51 A8 BD 7E C1 02 0B 0A 52 7E", 300},
			VERSION_13, ACK_1, AGAIN_13, ACK_2, {GET_VALUE, VALUE, 14}, ACK_3},
		APPLICATION_OK, "7.4.3.0", false},
	{"a callback comes first and is acknowledged",
		{CONNECTED, {GET_VALUE, CALLBACK, 14}, {"83 40 1B 7E", VALUE_NEXT, 14},
			{"84 30 FC 7E", NULL, 0}},
		APPLICATION_OK, "7.4.3.0", false},
	{"a callback that is not ours is sent twice",
		{CONNECTED, {GET_VALUE, CALLBACK, 14},
			{"83 40 1B 7E", "2A 43 B1 A9 4D 2A 85 22 14 7E", 14},
			{"83 40 1B 7E", VALUE_NEXT, 14}, {"84 30 FC 7E", NULL, 0}},
		APPLICATION_OK, "7.4.3.0", false},
	{"the question is lost and sent again",
		{CONNECTED, {GET_VALUE, NULL, 0}, {"2A 40 21 A9 FE 2A 04 EC 78 7E", VALUE, 14},
			ACK_3},
		APPLICATION_OK, "7.4.3.0", false},
	{"the answer is lost, which the acknowledgement of a copy tells",
		{CONNECTED, {GET_VALUE, NULL, 0},
			{"2A 40 21 A9 FE 2A 04 EC 78 7E", "83 40 1B 7E", 14},
			{"A2 74 58 7E", "2B 40 A1 A9 FE 2A 15 B5 D5 94 4D 21 A9 55 38 C2 7D 38 7E",
				14},
			ACK_3},
		APPLICATION_OK, "7.4.3.0", false},
	{"the question is refused and sent again",
		{CONNECTED, {GET_VALUE, "A2 74 58 7E", 14},
			{"2A 40 21 A9 FE 2A 04 EC 78 7E", VALUE, 14}, ACK_3},
		APPLICATION_OK, "7.4.3.0", false},
	{"the answer is broken and asked for again",
		{CONNECTED, {GET_VALUE, "23 40 A1 A9 FE 2A 15 B5 7E", 14},
			{"A2 74 58 7E", "2B 40 A1 A9 FE 2A 15 B5 D5 94 4D 21 A9 55 38 C2 7D 38 7E",
				14},
			ACK_3},
		APPLICATION_OK, "7.4.3.0", false},
	{"version 14 has a status of four bytes",
		{CONNECT, {"00 42 21 A8 50 ED 2C 7E", "01 42 A1 A8 5A 28 05 32 9C 30 7E", 14},
			ACK_1,
			{"7D 31 43 21 A9 54 2A 1B A9 B9 7E",
				"12 43 A1 A9 54 2A 1B B0 49 14 D0 C8 7E", 14},
			ACK_2,
			{GET_VALUE,
				"23 40 A1 A9 FE 2A 15 B2 59 94 4D 35 AB 5D 93 49 9C E4 F1 7C 7E",
				14},
			ACK_3},
		APPLICATION_OK, "8.1.0.0", false},
	{"version 7",
		{CONNECT, {"00 42 21 A8 50 ED 2C 7E", "01 42 A1 A8 53 28 14 D5 D2 CC 7E", 14},
			ACK_1,
			{"7D 31 43 21 57 54 2A 12 05 87 7E",
				"12 43 A1 57 54 2A 12 B0 58 F3 83 24 7E", 14},
			ACK_2,
			{"22 40 21 57 54 80 04 CA 2A 7E",
				"23 40 A1 57 54 80 15 B5 36 95 4C 22 AA 54 38 6D E2 7E", 14},
			ACK_3},
		APPLICATION_OK, "6.7.0.1", false},
	{"version 4 does not know the value: the stack's version",
		{CONNECT, {"00 42 21 A8 50 ED 2C 7E", "01 42 A1 A8 50 28 52 E6 E8 4A 7E", 14},
			ACK_1, {"7D 31 43 21 02 45 85 B2 7E", "12 43 A1 02 62 2A 7A AC 7E", 14},
			ACK_2},
		APPLICATION_OK, "5.4.4.7", false},
	{"the value is not known: the stack's version",
		{CONNECTED, {GET_VALUE, "23 40 A1 A9 0C 2A 2F FD 5F 7E", 14}, ACK_3},
		APPLICATION_OK, "7.4.3.0", false},
	{"version 3 of EZSP",
		{CONNECT, {"00 42 21 A8 50 ED 2C 7E", "01 42 A1 A8 57 28 14 87 62 8A 7E", 14},
			ACK_1},
		APPLICATION_REFUSED, "it speaks version 3 of EZSP, and plugflash 4 and above",
		false},
	{"version 3 of ASH", {{"1A C0 38 BC 7E", "C1 03 0B 39 63 7E", 300}}, APPLICATION_REFUSED,
		"it speaks version 3 of ASH, and plugflash 2", false},
	{"the connection is given up",
		{CONNECT, {"00 42 21 A8 50 ED 2C 7E", "C2 02 51 A8 BD 7E", 14}},
		APPLICATION_REFUSED, "it gave up the connection: ASH error 0x51", false},
	{"a reset in between: all again",
		{CONNECT, {"00 42 21 A8 50 ED 2C 7E", "C1 02 02 9B 7B 7E", 14}, VERSION_13, ACK_1,
			AGAIN_13, ACK_2, {GET_VALUE, VALUE, 14}, ACK_3},
		APPLICATION_OK, "7.4.3.0", false},
	{"the reset is lost and sent again",
		{{"1A C0 38 BC 7E", NULL, 0}, CONNECTED, {GET_VALUE, VALUE, 14}, ACK_3},
		APPLICATION_OK, "7.4.3.0", false},
	{"its word is broken",
		{{"1A C0 38 BC 7E", "1A C1 02 0B 0A 53 7E", 300}, CONNECTED, {GET_VALUE, VALUE, 14},
			ACK_3},
		APPLICATION_OK, "7.4.3.0", false},
	{"a slow one hears both",
		{{"1A C0 38 BC 7E 1A C0 38 BC 7E", "1A C1 02 0B 0A 52 7E", 200},
			{"00 42 21 A8 50 ED 2C 7E", "1A C1 02 0B 0A 52 7E", 14}, VERSION_13, ACK_1,
			AGAIN_13, ACK_2, {GET_VALUE, VALUE, 14}, ACK_3},
		APPLICATION_OK, "7.4.3.0", false},
	{"nobody", {{"1A C0 38 BC 7E", NULL, 0}, {"1A C0 38 BC 7E", NULL, 0}}, APPLICATION_SILENT,
		"", false},
	{"a menu",
		{{"1A C0 38 BC 7E",
			 "0D 0A 'Gecko Bootloader v2.1.1' 0D 0A '1. upload gbl' 0D 0A '2. run' 0D 0A "
			 "'3. ebl info' 0D 0A 'BL > ' 00",
			 5},
			{"1A C0 38 BC 7E", NULL, 0}},
		APPLICATION_SILENT, "", false},
	{"a router that talks (issue 97 of universal-silabs-flasher)",
		{{"1A C0 38 BC 7E", "0D 0A '> appNwkJoinOrRejoinWhenPowerOn [291]: ~~~' 0D 0A", 5},
			{"1A C0 38 BC 7E", NULL, 0}},
		APPLICATION_SILENT, "", false},
	{"Z-Stack",
		{{"1A C0 38 BC 7E", "FE 06 41 80 00 02 01 02 07 01 C0", 5},
			{"1A C0 38 BC 7E", NULL, 0}},
		APPLICATION_SILENT, "", false},
};

static void version_is_asked(void **state)
{
	talk_ask(*state, &application_ezsp);
}

static const struct talk_row enter_rows[] = {
	{"status good",
		{CONNECTED, {"22 40 21 A9 DB 2A 14 00 D2 7E", "23 40 A1 A9 DB 2A 15 8A 42 7E", 14},
			ACK_3},
		APPLICATION_OK, "", false},
	{"status and menu at once",
		{CONNECTED,
			{"22 40 21 A9 DB 2A 14 00 D2 7E",
				"23 40 A1 A9 DB 2A 15 8A 42 7E 0D 0A 'Gecko Bootloader' 0D 0A 'BL > '",
				14},
			ACK_3},
		APPLICATION_OK, "", true},
	{"status missing", {CONNECTED, {"22 40 21 A9 DB 2A 14 00 D2 7E", NULL, 0}}, APPLICATION_OK,
		"", false},
	/* Nothing is said to a menu: its '~' would be a flag, and a NAK or the command again an
	   order. */
	{"status missing, a menu with a flag in it",
		{CONNECTED, {"22 40 21 A9 DB 2A 14 00 D2 7E",
				    "0D 0A '~~Gecko Bootloader~' 0D 0A 'BL > '", 200}},
		APPLICATION_OK, "", true},
	{"the command is refused and sent again",
		{CONNECTED, {"22 40 21 A9 DB 2A 14 00 D2 7E", "A2 74 58 7E", 14},
			{"2A 40 21 A9 DB 2A 14 93 7F 7E", "23 40 A1 A9 DB 2A 15 8A 42 7E", 14},
			ACK_3},
		APPLICATION_OK, "", false},
	{"error status",
		{CONNECTED, {"22 40 21 A9 DB 2A 14 00 D2 7E", "23 40 A1 A9 DB 2A 65 F4 D5 7E", 14},
			ACK_3},
		APPLICATION_REFUSED, "it answers launchStandaloneBootloader with status 0x70",
		false},
	{"the command is not known",
		{CONNECTED, {"22 40 21 A9 DB 2A 14 00 D2 7E", "23 40 A1 A9 0C 2A 2F FD 5F 7E", 14},
			ACK_3},
		APPLICATION_REFUSED, "it does not know EZSP command 0x8f: status 0x3a", false},
	{"a start of the same application",
		{CONNECTED, {"22 40 21 A9 DB 2A 14 00 D2 7E", "C1 02 0B 0A 52 7E", 300}},
		APPLICATION_REFUSED, "it starts again in place of its boot loader", false},
	{"nobody", {{"1A C0 38 BC 7E", NULL, 0}, {"1A C0 38 BC 7E", NULL, 0}}, APPLICATION_SILENT,
		"", false},
};

static void loader_is_entered(void **state)
{
	talk_enter(*state, &application_ezsp);
}

static void noise_ends_with_the_probe(void **state)
{
	(void)state;
	talk_noise(&application_ezsp);
}

static void an_unplugged_bridge_is_said(void **state)
{
	(void)state;
	talk_unplugged(&ask_rows[0], &application_ezsp, 320 * USEC_PER_MSEC);
}

int main(void)
{
	struct CMUnitTest tests[64];
	size_t n = 0;

	ADD_ROWS(tests, n, frame_rows, frames_are_made_and_read);
	ADD_TEST(tests, n, bytes_become_frames);
	ADD_TEST(tests, n, a_frame_that_is_too_long_costs_no_other);
	ADD_TEST(tests, n, the_longest_frame_is_read);
	ADD_TEST(tests, n, headers_have_three_forms);
	ADD_ROWS(tests, n, ask_rows, version_is_asked);
	ADD_ROWS(tests, n, enter_rows, loader_is_entered);
	ADD_TEST(tests, n, noise_ends_with_the_probe);
	ADD_TEST(tests, n, an_unplugged_bridge_is_said);
	return RUN_TESTS("ash", tests, n);
}
