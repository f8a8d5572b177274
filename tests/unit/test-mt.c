/* SPDX-License-Identifier: MIT */
/*
 * test-mt.c - Z-Stack's MT: frames whose vectors are those of logs that users published and of the
 * tests of zigbee-herdsman and zigpy-znp (application-protocols.md 6), and conversations by
 * scripts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "application/frames.h"
#include "application/mt.h"
#include "unit/talk.h"

static void frames_are_made(void **state)
{
	static const uint8_t data[] = {0x79, 0x07};
	uint8_t expected[16], got[MT_FRAME_MAX];
	size_t n = from_text("FE 00 21 02 23", expected);

	(void)state;
	assert_int_equal(mt_make(got, MT_SYS_VERSION, NULL, 0), n);
	assert_memory_equal(got, expected, n);
	/* SYS_PING's answer (ioBroker.zigbee 1527). */
	n = from_text("FE 02 61 01 79 07 1C", expected);
	assert_int_equal(mt_make(got, (enum mt_command)0x6101, data, sizeof(data)), n);
	assert_memory_equal(got, expected, n);
}

static void find(struct frames *frames, char *said, size_t size)
{
	while (frames_next(frames, mt_look))
		snprintf(said + strlen(said), size - strlen(said), "%02X%02X;",
			frames->bytes[MT_COMMAND_0], frames->bytes[MT_COMMAND_1]);
}

/* Commands of the frames that are found; at the end nothing more comes. */
static void bytes_become_frames(void **state)
{
	static const struct {
		const char *bytes, *said;
	} rows[] = {
		{"", ""},
		{"FE 02 61 01 79 07 1C", "6101;"},
		{"FE 03 61 08 00 01 55 3E FE 02 61 01 79 07 1C", "6108;6101;"},
		{"FE 03 61 08 00 01 55 3F", ""},
		/* A begin that is none costs no frame behind it (herdsman's tests). */
		{"FE 03 61 08 00 01 55 3F FE 02 61 01 79 07 1C", "6101;"},
		{"FE FE FE 02 61 01 79 07 1C", "6101;"},
		{"FE FB FE 02 61 01 79 07 1C", "6101;"},
		{"00 58 4A FE 02 61 01 79 07 1C 00 E4 4F FE 02 61 01 79 07 1C", "6101;6101;"},
		/* 250 bytes of data would follow: given up, and found behind. */
		{"FE FA 00 FE 02 61 01 79 07 1C", "6101;"},
		/* An answer within a frame of the radio is none. */
		{"FE 17 44 81 00 00 00 00 00 FE 0A 61 02 02 01 02 07 01 47 D9 34 01 00 C5 00 00 00 2C",
			"4481;"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct frames frames = {.n_bytes = 0};
		uint8_t bytes[64];
		char said[64] = "";
		size_t n = from_text(rows[i].bytes, bytes);

		for (size_t k = 0; k < n; k++) {
			frames_put(&frames, bytes[k]);
			find(&frames, said, sizeof(said));
		}
		while (frames.n_bytes > 0) {
			frames_give_up(&frames);
			find(&frames, said, sizeof(said));
		}
		assert_string_equal(said, rows[i].said);
	}
}

#define ASK    "FE 00 21 02 23"
#define ANSWER "FE 0A 61 02 02 01 02 07 01 46 D9 34 01 00 C4"

static const struct talk_row ask_rows[] = {
	{"20240710 (zigbee-herdsman-converters 8776)", {{ASK, ANSWER, 10}}, APPLICATION_OK,
		"20240710", false},
	{"an older one (herdsman's tests)",
		{{ASK, "FE 0E 61 02 02 00 02 06 03 D9 14 34 01 02 00 00 00 00 92", 10}},
		APPLICATION_OK, "20190425", false},
	{"no revision", {{ASK, "FE 05 61 02 02 00 02 06 03 63", 10}}, APPLICATION_OK, "2.6.3",
		false},
	{"revision 0", {{ASK, "FE 09 61 02 02 01 02 07 01 00 00 00 00 6D", 10}}, APPLICATION_OK,
		"2.7.1", false},
	{"indications come first",
		{{ASK, "FE 06 41 80 00 02 01 02 07 01 C0 FE 03 45 C4 3B 1C 00 A5 " ANSWER, 10}},
		APPLICATION_OK, "20240710", false},
	{"an indication that has an answer in it",
		{{ASK,
			"FE 17 44 81 00 00 00 00 00 FE 0A 61 02 02 01 02 07 01 47 D9 34 01 00 C5 00 00 "
			"00 2C " ANSWER,
			10}},
		APPLICATION_OK, "20240710", false},
	{"a begin that is none", {{ASK, "FE FA 00 " ANSWER, 10}}, APPLICATION_OK, "20240710",
		false},
	{"lost twice", {{ASK, NULL, 0}, {ASK, "FE 0A 61", 10}, {ASK, ANSWER, 10}}, APPLICATION_OK,
		"20240710", false},
	{"a bit flipped",
		{{ASK, "FE 0A 61 02 02 01 02 07 01 47 D9 34 01 00 C4", 10}, {ASK, ANSWER, 10}},
		APPLICATION_OK, "20240710", false},
	{"not known", {{ASK, "FE 03 60 00 02 21 02 42", 10}}, APPLICATION_REFUSED,
		"it answers the question for its version with RPC error 2", false},
	{"an error about something else", {{ASK, "FE 03 60 00 02 21 01 41 " ANSWER, 10}},
		APPLICATION_OK, "20240710", false},
	{"too short", {{ASK, "FE 02 61 02 02 00 63", 10}}, APPLICATION_REFUSED,
		"it answers the question for its version with 2 bytes", false},
	{"nobody", {{ASK, NULL, 0}, {ASK, NULL, 0}, {ASK, NULL, 0}, {ASK, NULL, 0}},
		APPLICATION_SILENT, "", false},
	/* ASH's NCP may send this at the noise of another rate. */
	{"an EZSP application",
		{{ASK, "11 1A C2 02 51 A8 BD 7E", 10}, {ASK, NULL, 0}, {ASK, NULL, 0},
			{ASK, NULL, 0}},
		APPLICATION_SILENT, "", false},
};

static void version_is_asked(void **state)
{
	talk_ask(*state, &application_mt);
}

static void noise_ends_with_the_probe(void **state)
{
	(void)state;
	talk_noise(&application_mt);
}

static void an_unplugged_bridge_is_said(void **state)
{
	(void)state;
	talk_unplugged(&ask_rows[0], &application_mt, 20 * USEC_PER_MSEC);
}

static void there_is_no_way_into_a_loader(void **state)
{
	(void)state;
	assert_null(application_mt.enter_loader);
}

int main(void)
{
	struct CMUnitTest tests[32];
	size_t n = 0;

	ADD_TEST(tests, n, frames_are_made);
	ADD_TEST(tests, n, bytes_become_frames);
	ADD_ROWS(tests, n, ask_rows, version_is_asked);
	ADD_TEST(tests, n, noise_ends_with_the_probe);
	ADD_TEST(tests, n, an_unplugged_bridge_is_said);
	ADD_TEST(tests, n, there_is_no_way_into_a_loader);
	return RUN_TESTS("mt", tests, n);
}
