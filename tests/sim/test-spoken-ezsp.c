/* SPDX-License-Identifier: MIT */
/*
 * test-spoken-ezsp.c - the simulated stick that speaks EZSP over ASH, byte by byte: against the
 * examples of UG101 and against what its text asks for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/spoken-line.h"
#include "unit/rows.h"

/* UG101: the RST frame of "Frame Formats", behind a Cancel Byte. */
#define RST    "1A C0 38 BC 7E"
#define RSTACK "1A C1 02 0B 0A 52 7E"

/* "version" with 4 as the version: sequence 0, control 0, id 0; numbers of the frames 0. */
#define ASK_VERSION "00 42 21 A8 50 ED 2C 7E"

static void a_reset_and_a_version_go_as_in_the_document(void **state)
{
	(void)state;
	begin("ezsp", "7.4.3.0", 115200, NULL);
	assert_string_equal(answer(RST), RSTACK);
	/* 00 80 00 0D 02 30 74 under the sequence 42 21 A8 54 2A 15 B2. */
	assert_string_equal(hear(10), "");
	say(ASK_VERSION);
	hear(1000);
	assert_non_null(strstr(text, "01 42 A1 A8 59 28 25 C6 "));
	end();
}

struct said_row {
	const char *name;
	const char *version;
	uint32_t baud;
	struct sim_spoken_faults faults;
	const char *says;
	const char *hears;
};

static const struct said_row said_rows[] = {
	{"said: nothing but a reset is understood in noise", "7.4.3.0", 115200, {0}, "00 55 " RST,
		RSTACK},
	{"said: another rate", "7.4.3.0", 460800, {0}, RST, RSTACK},
	{"said: mute", "7.4.3.0", 115200, {.is_mute = true}, RST, ""},
	{"said: the frame is lost on its way", "7.4.3.0", 115200, {.drop_heard = 1}, RST, ""},
	{"said: a NAK for a bad check, and one alone", "7.4.3.0", 115200, {0},
		"00 42 21 A8 50 ED 2D 7E 00 42 21 A8 50 ED 2D 7E", "A0 54 7D 3A 7E"},
	{"said: a NAK for a number out of turn", "7.4.3.0", 115200, {0}, "25 42 21 A8 56 A6 09 7E",
		"A0 54 7D 3A 7E"},
	{"said: locked", "7.4.3.0", 115200, {.is_locked = true}, ASK_VERSION, "C2 02 80 73 E1 7E"},
};

static void it_says(void **state)
{
	const struct said_row *row = *state;

	begin("ezsp", row->version, row->baud, &row->faults);
	assert_string_equal(answer(row->says), row->hears);
	end();
}

/* ------------------------------------------------------------------ with frames made here */

static uint8_t next_number, next_heard;

/* A DATA frame around these bytes, by UG101: sequence, CRC, escapes. */
static void say_data(const uint8_t *data, size_t n_data)
{
	uint8_t frame[64] = {(uint8_t)(next_number << 4 | next_heard)}, random = 0x42;
	uint16_t crc = 0xFFFF;
	char line[300];
	size_t n = 0;

	for (size_t i = 0; i < n_data; i++) {
		frame[1 + i] = data[i] ^ random;
		random = random & 1 ? (uint8_t)(random >> 1 ^ 0xB8) : random >> 1;
	}
	for (size_t i = 0; i < n_data + 1; i++)
		for (int bit = 7; bit >= 0; bit--)
			crc = (uint16_t)(crc << 1 ^
					 ((crc >> 15 ^ (frame[i] >> bit & 1)) ? 0x1021 : 0));
	frame[n_data + 1] = (uint8_t)(crc >> 8);
	frame[n_data + 2] = (uint8_t)crc;
	for (size_t i = 0; i < n_data + 3; i++) {
		bool is_reserved = memchr("\x7E\x7D\x11\x13\x18\x1A", frame[i], 6) != NULL;

		n += (size_t)snprintf(line + n, sizeof(line) - n,
			is_reserved ? "7D %02X " : "%02X ",
			is_reserved ? frame[i] ^ 0x20 : frame[i]);
	}
	snprintf(line + n, sizeof(line) - n, "7E");
	next_number = (next_number + 1) % 8;
	say(line);
}

/* What DATA frames carry that come within a second, one "..." behind the other with a "|" between.
 */
static const char *hear_data(void)
{
	static char data[600];
	uint8_t frame[200], byte, random;
	size_t n_frame = 0, n = 0;
	char *at = text;

	hear(1000);
	data[0] = '\0';
	while (*at) {
		byte = (uint8_t)strtoul(at, &at, 16);
		if (byte == 0x7D) {
			frame[n_frame++] = (uint8_t)strtoul(at, &at, 16) ^ 0x20;
			continue;
		}
		if (byte != 0x7E) {
			frame[n_frame++] = byte;
			continue;
		}
		random = 0x42;
		for (size_t i = 1; !(frame[0] & 0x80) && i + 2 < n_frame; i++) {
			n += (size_t)snprintf(data + n, sizeof(data) - n, "%s%02X",
				i > 1	? " "
				: n > 0 ? "|"
					: "",
				frame[i] ^ random);
			random = random & 1 ? (uint8_t)(random >> 1 ^ 0xB8) : random >> 1;
		}
		if (!(frame[0] & 0x80))
			next_heard = ((frame[0] >> 4) + 1) % 8;
		n_frame = 0;
	}
	return data;
}

struct talk_row {
	const char *name;
	const char *version;
	struct sim_spoken_faults faults;
	uint8_t asks[8];
	size_t n_asks;
	const char *answers;
	enum sim_state state; /* after a second more */
};

#define LAUNCH	       {3, 0, 1, 0x8F, 0, 1}, 6
#define LAUNCH_OLD     {3, 0, 0xFF, 0, 0x8F, 1}, 6
#define VALUE(id)      {3, 0, 1, 0xAA, 0, id}, 6
#define LOADER_VERSION {3, 0, 1, 0x91, 0}, 5

static const struct talk_row talk_rows[] = {
	{"talk: the version with its build", "7.4.3.0", {0}, VALUE(0x11),
		"03 80 01 AA 00 00 07 00 00 07 04 03 00 AA", SIM_APPLICATION},
	{"talk: the same, a status of four bytes", "8.0.2.0", {0}, VALUE(0x11),
		"03 80 01 AA 00 00 00 00 00 07 00 00 08 00 02 00 AA", SIM_APPLICATION},
	{"talk: a value that it does not have", "7.4.3.0", {0}, VALUE(0x77), "03 80 01 AA 00 36 00",
		SIM_APPLICATION},
	{"talk: another version by a knob", "7.4.3.0", {.version = "6.10.3.0"}, VALUE(0x11),
		"03 80 01 AA 00 00 07 00 00 06 0A 03 00 AA", SIM_APPLICATION},
	{"talk: the boot loader's version", "7.4.3.0", {0}, LOADER_VERSION,
		"03 80 01 91 00 01 1C 04 18 18", SIM_APPLICATION},
	{"talk: a frame of its own before", "7.4.3.0", {.talks = true}, LOADER_VERSION,
		"03 90 01 19 00 90|03 80 01 91 00 01 1C 04 18 18", SIM_APPLICATION},
	{"talk: launch", "7.4.3.0", {0}, LAUNCH, "03 80 01 8F 00 00", SIM_LOADER},
	{"talk: launch, version 14", "8.0.2.0", {0}, LAUNCH, "03 80 01 8F 00 00 00 00 00",
		SIM_LOADER},
	{"talk: launch, version 7", "6.6.3.0", {0}, LAUNCH_OLD, "03 80 FF 00 8F 00", SIM_LOADER},
	{"talk: version 7 does not know the long form", "6.6.3.0", {0}, LAUNCH, "03 80 01 58 00 31",
		SIM_APPLICATION},
	{"talk: launch, no status", "7.4.3.0", {.launch_is_silent = true}, LAUNCH, "", SIM_LOADER},
	{"talk: launch, an error", "7.4.3.0", {.launch_error = 0x70}, LAUNCH, "03 80 01 8F 00 70",
		SIM_APPLICATION},
	{"talk: launch, unknown", "7.4.3.0", {.has_no_command = true}, LAUNCH, "03 80 01 58 00 31",
		SIM_APPLICATION},
	{"talk: launch, and it stays", "7.4.3.0", {.launch_is_lost = true}, LAUNCH,
		"03 80 01 8F 00 00", SIM_APPLICATION},
};

/* With the version agreed, as UG100 has it: asked in the oldest form, then in that of the answer.
 */
static void it_talks(void **state)
{
	const struct talk_row *row = *state;
	const char *heard;
	uint8_t ezsp;

	begin("ezsp", row->version, 115200, &row->faults);
	next_number = next_heard = 0;
	answer(RST);
	say_data((const uint8_t[]){1, 0, 0, 4}, 4);
	hear_data();
	ezsp = row->version[0] == '8' ? 14 : row->version[0] == '7' ? 13 : 7;
	if (ezsp >= 8)
		say_data((const uint8_t[]){2, 0, 1, 0, 0, ezsp}, 6);
	else
		say_data((const uint8_t[]){2, 0, 0, ezsp}, 4);
	hear_data();
	say_data(row->asks, row->n_asks);
	heard = hear_data();
	if (strncmp(heard, row->answers, strlen(row->answers)) != 0 ||
		(row->state == SIM_APPLICATION && strlen(heard) != strlen(row->answers)))
		fail_msg("'%s' instead of '%s'", heard, row->answers);
	port_sim_pass(PORT, USEC_PER_SEC);
	assert_int_equal(sim_state(sim), row->state);
	end();
}

/* No command but the version is obeyed before it was agreed. */
static void without_a_version_nothing_is_obeyed(void **state)
{
	(void)state;
	begin("ezsp", "7.4.3.0", 115200, NULL);
	next_number = next_heard = 0;
	answer(RST);
	say_data((const uint8_t[]){3, 0, 1, 0x8F, 0, 1}, 6);
	assert_string_equal(hear_data(), "03 80 01 58 00 30");
	port_sim_pass(PORT, USEC_PER_SEC);
	assert_int_equal(sim_state(sim), SIM_APPLICATION);
	end();
}

/* T_RX_ACK_INIT is 1.6 s, ACK_TIMEOUTS is 4 (UG101, "Configuration Parameters"). */
static void a_frame_is_repeated_until_it_gives_up(void **state)
{
	(void)state;
	begin("ezsp", "7.4.3.0", 115200, NULL);
	answer(RST);
	say(ASK_VERSION);
	hear(9000);
	/* The first, four with the bit for a repeat, and the word that it has failed. */
	assert_non_null(strstr(text, "01 42 A1 A8 59"));
	assert_non_null(strstr(text, "7E 09 42 A1 A8 59"));
	assert_non_null(strstr(text, "C2 02 51 "));
	end();
}

int main(void)
{
	struct CMUnitTest tests[40];
	size_t n_tests = 0;

	ADD_TEST(tests, n_tests, a_reset_and_a_version_go_as_in_the_document);
	ADD_ROWS(tests, n_tests, said_rows, it_says);
	ADD_ROWS(tests, n_tests, talk_rows, it_talks);
	ADD_TEST(tests, n_tests, without_a_version_nothing_is_obeyed);
	ADD_TEST(tests, n_tests, a_frame_is_repeated_until_it_gives_up);
	return RUN_TESTS("spoken ezsp", tests, n_tests);
}
