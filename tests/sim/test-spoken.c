/* SPDX-License-Identifier: MIT */
/*
 * test-spoken.c - the simulated sticks that speak CPC, Spinel and Z-Wave, byte by byte. The bytes
 * are those of the documents: "7E 80 01 02 EA F0 7E" is the reset of the stack that OpenThread's
 * logs show, "01 03 00 15 E9" the question that every host of Z-Wave begins with; the checks of the
 * others were computed by Python's binascii.crc_hqx() and by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/spoken-line.h"
#include "unit/rows.h"

#define CPC_HEAD_4   "14 00 0A 00 C4 55 D3 "
#define CPC_HEAD_8   "14 00 0E 00 C4 95 0F "
#define CPC_GET_CPC  CPC_HEAD_4 "02 00 04 00 03 00 00 00 DB 12"
#define CPC_GET_APP  CPC_HEAD_4 "02 01 04 00 04 00 00 00 97 FB"
#define CPC_GET_77   CPC_HEAD_4 "02 01 04 00 77 00 00 00 3E 22"
#define CPC_SET	     CPC_HEAD_8 "03 02 08 00 02 02 00 00 01 00 00 00 96 76"
#define CPC_IS_SET   CPC_HEAD_8 "06 02 08 00 02 02 00 00 01 00 00 00 37 78"
#define CPC_RESET    "14 00 06 00 C4 34 A6 01 03 00 00 E4 2F"
#define CPC_IS_RESET CPC_HEAD_4 "01 03 04 00 00 00 00 00 F0 99"
#define CPC_WOKE     "14 00 0E 00 C0 11 4F 06 00 08 00 00 00 00 00 72 00 00 00 68 EE"
#define CPC_IS_CPC \
	"14 00 16 00 C4 57 E5 06 00 10 00 03 00 00 00 04 00 00 00 04 00 00 00 03 00 00 00 7D 3E"
#define CPC_IS_APP \
	"14 00 14 00 C4 37 8B 06 01 0E 00 04 00 00 00 55 4E 44 45 46 49 4E 45 44 00 4F CC"

#define SPINEL_WOKE   "7E 80 06 00 72 FC 57 7E"
#define SPINEL_LAUNCH "7E 80 01 03 63 E1 7E"
#define SPINEL_ASK    "7E 81 02 02 5E 80 7E"
#define SPINEL_IS                                                                                 \
	"7E 81 06 02 53 4C 2D 4F 50 45 4E 54 48 52 45 41 44 2F 32 2E 34 2E 34 2E 30 5F 47 69 74 " \
	"48 75 62 2D 37 30 37 34 61 34 33 65 34 3B 20 45 46 52 33 32 3B 20 4F 63 74 20 32 31 20 " \
	"32 30 32 34 20 31 34 3A 34 30 3A 35 37 00 91 F2 7E"

#define ZWAVE_ASK    "01 03 00 15 E9"
#define ZWAVE_IS     "01 10 01 15 5A 2D 57 61 76 65 20 37 2E 31 38 00 01 98"
#define ZWAVE_LAUNCH "01 03 00 27 DB"

struct talk_row {
	const char *name;
	const char *protocol, *version;
	uint32_t baud;
	struct sim_spoken_faults faults;
	const char *says;
	const char *hears;    /* within a second; a boot loader's menu may follow */
	enum sim_state state; /* then */
};

#define CPC    "cpc", "4.4.3", 460800
#define SPINEL "spinel", "2.4.4.0", 460800
#define ZWAVE  "zwave", "7.18.1.140", 115200

static const struct talk_row talk_rows[] = {
	{"cpc: its version", CPC, {0}, CPC_GET_CPC, CPC_IS_CPC, SIM_APPLICATION},
	{"cpc: the application's version", CPC, {0}, CPC_GET_APP, CPC_IS_APP, SIM_APPLICATION},
	{"cpc: an unknown property", CPC, {0}, CPC_GET_77,
		CPC_HEAD_8 "06 01 08 00 00 00 00 00 0D 00 00 00 BA A0", SIM_APPLICATION},
	{"cpc: behind noise that looks like a flag", CPC, {0}, "14 55 14 " CPC_GET_CPC, CPC_IS_CPC,
		SIM_APPLICATION},
	{"cpc: a bad check of the head", CPC, {0}, "14 00 0A 00 C4 55 D4 02 00", "",
		SIM_APPLICATION},
	{"cpc: a bad check of the payload", CPC, {0},
		CPC_HEAD_4 "02 00 04 00 03 00 00 00 DB 13 " CPC_GET_APP, CPC_IS_APP,
		SIM_APPLICATION},
	{"cpc: a reset is no launch", CPC, {0}, CPC_RESET, CPC_IS_RESET " " CPC_WOKE,
		SIM_APPLICATION},
	{"cpc: launch", CPC, {0}, CPC_SET " " CPC_RESET, CPC_IS_SET " " CPC_IS_RESET, SIM_LOADER},
	{"cpc: launch, no status", CPC, {.launch_is_silent = true}, CPC_SET " " CPC_RESET,
		CPC_IS_SET, SIM_LOADER},
	{"cpc: launch, and no such property", CPC, {.has_no_command = true}, CPC_SET,
		CPC_HEAD_8 "06 02 08 00 00 00 00 00 0D 00 00 00 40 D8", SIM_APPLICATION},
	{"cpc: launch, refused", CPC, {.launch_error = 13}, CPC_SET,
		CPC_HEAD_8 "06 02 08 00 00 00 00 00 0D 00 00 00 40 D8", SIM_APPLICATION},
	{"cpc: mute", CPC, {.is_mute = true}, CPC_GET_CPC, "", SIM_APPLICATION},

	{"spinel: its version", SPINEL, {0}, SPINEL_ASK, SPINEL_IS, SIM_APPLICATION},
	{"spinel: a question in noise", SPINEL, {0}, "00 81 02 " SPINEL_ASK, SPINEL_IS,
		SIM_APPLICATION},
	{"spinel: a bad check", SPINEL, {0}, "7E 81 02 02 5E 81 7E", "", SIM_APPLICATION},
	{"spinel: an unknown property", SPINEL, {0}, "7E 81 02 77 74 A4 7E",
		"7E 81 06 00 0D 37 C0 7E", SIM_APPLICATION},
	{"spinel: a reset of the stack", SPINEL, {0}, "7E 80 01 02 EA F0 7E", SPINEL_WOKE,
		SIM_APPLICATION},
	{"spinel: launch", SPINEL, {0}, SPINEL_LAUNCH, "", SIM_LOADER},
	{"spinel: launch, which it does not know", SPINEL, {.has_no_command = true}, SPINEL_LAUNCH,
		SPINEL_WOKE, SIM_APPLICATION},
	{"spinel: launch, refused", SPINEL, {.launch_error = 2}, SPINEL_LAUNCH,
		"7E 80 06 00 02 7B 24 7E", SIM_APPLICATION},
	{"spinel: a frame that ends in its middle", SPINEL, {.cut_said = 2}, SPINEL_ASK,
		"7E 81 06 02 53 4C 2D 4F 50 45 4E 54 48 52 45 41 44 2F 32 2E 34 2E 34 2E 30 5F 47 69 74 48 75 62 2D 37 30 37 34",
		SIM_APPLICATION},

	{"zwave: its version", ZWAVE, {0}, ZWAVE_ASK, "06 " ZWAVE_IS, SIM_APPLICATION},
	{"zwave: that of the protocol", ZWAVE, {0}, "01 03 00 09 F5",
		"06 01 09 01 09 00 07 12 01 00 00 EA", SIM_APPLICATION},
	{"zwave: a bad check", ZWAVE, {0}, "01 03 00 15 E8", "15", SIM_APPLICATION},
	{"zwave: a function that it does not know", ZWAVE, {0}, "01 03 00 77 8B", "06",
		SIM_APPLICATION},
	{"zwave: a reset", ZWAVE, {0}, "01 03 00 08 F4", "06 01 09 00 0A 03 00 02 01 00 00 FC",
		SIM_APPLICATION},
	{"zwave: launch", ZWAVE, {0}, ZWAVE_LAUNCH, "06", SIM_LOADER},
	{"zwave: launch, and it stays", ZWAVE, {.launch_is_lost = true}, ZWAVE_LAUNCH, "06",
		SIM_APPLICATION},
	{"zwave: launch, series 500", "zwave", "6.7.0.100", 115200, {0}, ZWAVE_LAUNCH " " ZWAVE_ASK,
		"06", SIM_APPLICATION},
};

static void it_talks(void **state)
{
	const struct talk_row *row = *state;
	const char *heard;

	begin(row->protocol, row->version, row->baud, &row->faults);
	heard = answer(row->says);
	if (strncmp(heard, row->hears, strlen(row->hears)) != 0 ||
		(row->state == SIM_APPLICATION && strlen(heard) != strlen(row->hears)))
		fail_msg("'%s' instead of '%s'", heard, row->hears);
	assert_int_equal(sim_state(sim), row->state);
	end();
}

/* INS12350: a frame that is not acknowledged is sent three times. */
static void a_z_wave_frame_is_repeated(void **state)
{
	(void)state;
	begin(ZWAVE, NULL);
	say(ZWAVE_ASK);
	assert_string_equal(hear(9000), "06 " ZWAVE_IS " " ZWAVE_IS " " ZWAVE_IS);
	say(ZWAVE_ASK);
	hear(500);
	say("06");
	assert_string_equal(hear(9000), "");
	end();
}

/* The rate is the application's alone: the boot loader behind it is at 115200. */
static void at_another_rate_nothing_is_understood(void **state)
{
	struct reason reason = {""};

	(void)state;
	begin(SPINEL, NULL);
	assert_int_equal(port_configure(port, 115200, PORT_PARITY_NONE, &reason), 0);
	say(SPINEL_LAUNCH);
	hear(1000);
	assert_int_equal(sim_state(sim), SIM_APPLICATION);
	assert_int_equal(port_configure(port, 460800, PORT_PARITY_NONE, &reason), 0);
	say(SPINEL_LAUNCH);
	assert_int_equal(port_drain(port, UINT64_MAX), 0);
	assert_int_equal(port_configure(port, 115200, PORT_PARITY_NONE, &reason), 0);
	hear(1000);
	assert_int_equal(sim_state(sim), SIM_LOADER);
	/* "Gecko". */
	assert_non_null(strstr(text, "47 65 63 6B 6F"));
	end();
}

int main(void)
{
	struct CMUnitTest tests[60];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, talk_rows, it_talks);
	ADD_TEST(tests, n_tests, a_z_wave_frame_is_repeated);
	ADD_TEST(tests, n_tests, at_another_rate_nothing_is_understood);
	return RUN_TESTS("spoken", tests, n_tests);
}
