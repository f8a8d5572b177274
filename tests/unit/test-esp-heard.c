/* SPDX-License-Identifier: MIT */
/* test-esp-heard.c - what an ESP's boot text says, and the cause that it names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "loader/esp-heard.h"
#include "unit/rows.h"

/* esp-rom.md 2.6. */
#define ETS	 "ets Jun  8 2016 00:22:57\r\n\r\n"
#define WAITING	 "waiting for download\r\n"
#define DOWNLOAD "boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))\r\n"
#define POWERON	 "rst:0x1 (POWERON_RESET),"
#define WATCHDOG "rst:0x10 (RTCWDT_RTC_RESET),"
#define FLASH	 "boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"
#define LOADS	 "mode:DIO, clock div:2\r\nload:0x3fff0018,len:4\r\nentry 0x400806a8\r\n"
#define EMPTY	 "invalid header: 0xffffffff\r\n"
#define C3_ROM	 "ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021\r\n"
#define OF_8266	 "\r\n ets Jan  8 2013,rst cause:2, boot mode:"

static const struct row {
	const char *name, *text;
	enum loader_start start;
	bool is_waiting;
	unsigned n_starts;
	const char *said; /* a part of it */
} rows[] = {
	{"nothing", "", LOADER_START_UNHEARD, false, 0, ""},
	{"loader", ETS POWERON DOWNLOAD WAITING, LOADER_START_LOADER, true, 1, "waiting"},
	{"loader, that does not listen yet", ETS POWERON DOWNLOAD, LOADER_START_LOADER, false, 1,
		"DOWNLOAD"},
	{"loader, its first lines lost", "E_V2))\r\n" WAITING, LOADER_START_LOADER, true, 0,
		"waiting"},
	{"loader, a line that is not over", ETS POWERON "boot:0x3 (DOWNLO", LOADER_START_OTHER,
		false, 0, "ets"},
	{"loader of a C3", C3_ROM "rst:0x1 (POWERON),boot:0x7 (DOWNLOAD(USB/UART0/1))\r\n" WAITING,
		LOADER_START_LOADER, true, 1, "waiting"},
	{"loader of an ESP8266", OF_8266 "(1,6)\r\n\r\n", LOADER_START_LOADER, true, 1, "(1,6)"},
	{"loader behind noise", "\xff\xc0\x80z" WAITING, LOADER_START_LOADER, true, 0, "waiting"},
	{"flash", ETS POWERON FLASH LOADS, LOADER_START_FLASH, false, 1, "boot:0x13"},
	{"flash of a C3", C3_ROM "rst:0x1 (POWERON),boot:0xc (SPI_FAST_FLASH_BOOT)\r\n",
		LOADER_START_FLASH, false, 1, "boot:0xc"},
	{"flash of an ESP8266", OF_8266 "(3,6)\r\n\r\nload 0x40100000, len 1856, room 16 \r\n",
		LOADER_START_FLASH, false, 1, "(3,6)"},
	{"flash, and one more reset", ETS POWERON FLASH LOADS ETS "rst:0xc (SW_CPU_RESET)," FLASH,
		LOADER_START_FLASH, false, 2, "boot:0x13"},
	{"flash, and an empty slot that is skipped",
		ETS POWERON FLASH "E (55) boot: OTA app partition slot 1 is not bootable\r\n",
		LOADER_START_FLASH, false, 1, "slot 1"},
	{"empty: the ROM complains without an end", ETS POWERON FLASH EMPTY EMPTY EMPTY EMPTY,
		LOADER_START_FAILED, false, 1, "invalid header"},
	{"empty: it complains, and resets", ETS POWERON FLASH EMPTY ETS WATCHDOG FLASH,
		LOADER_START_FAILED, false, 2, "invalid header"},
	{"empty: it has only begun", ETS POWERON FLASH EMPTY, LOADER_START_FLASH, false, 1,
		"invalid header"},
	{"unreadable",
		ETS POWERON FLASH "flash read err, 1000\r\nets_main.c 371 \r\n" ETS WATCHDOG FLASH,
		LOADER_START_FAILED, false, 2, "flash read err"},
	{"no application",
		ETS POWERON FLASH LOADS
		"E (71) boot: No bootable app partitions in the partition table\r\n" ETS WATCHDOG
			FLASH,
		LOADER_START_FAILED, false, 2, "No bootable app"},
	{"a panic, and a reset",
		ETS POWERON FLASH LOADS
		"Guru Meditation Error: Core  0 panic'ed (LoadProhibited).\r\n" ETS WATCHDOG FLASH,
		LOADER_START_FAILED, false, 2, "Guru Meditation"},
	{"a brown-out",
		ETS POWERON FLASH LOADS
		"\r\nBrownout detector was triggered\r\n" ETS WATCHDOG FLASH,
		LOADER_START_FAILED, false, 2, "Brownout"},
	{"a loop without a word", ETS POWERON FLASH ETS WATCHDOG FLASH ETS WATCHDOG FLASH,
		LOADER_START_FAILED, false, 3, "boot:0x13"},
	{"a loop, and then the loader",
		ETS WATCHDOG FLASH EMPTY EMPTY EMPTY EMPTY ETS POWERON DOWNLOAD WAITING,
		LOADER_START_LOADER, true, 2, "waiting"},
	{"flash, a letter of it lost", ETS POWERON "boot:0x13 (SPI_FAST_LASH_BOOT)\r\n" LOADS,
		LOADER_START_FLASH, false, 1, "boot:0x13"},
	{"neither", C3_ROM "rst:0x1 (POWERON),boot:0x0 (USB_BOOT)\r\n", LOADER_START_ODD, false, 1,
		"USB_BOOT"},
	{"flash, its boot word bent", ETS POWERON "boot:0xq3 (SPI_F\xe1ST_F_ASH_BOOT)\r\n" LOADS,
		LOADER_START_FLASH, false, 1, "boot:0xq3"},
	{"an application", "gate 1.0.0 ready\r\n", LOADER_START_OTHER, false, 0, "gate 1.0.0"},
	{"noise", "\xf8\x80\xf8\x80\x80", LOADER_START_OTHER, false, 0, ""},
};

static void text_says_so(void **state)
{
	const struct row *row = *state;
	size_t n = strlen(row->text);

	/* The port gives it in pieces of any size. */
	for (size_t piece = 1; piece < 70; piece++) {
		struct loader_words words = {0};

		for (size_t at = 0; at < n; at += piece)
			esp_heard_take(&words, (const uint8_t *)row->text + at,
				n - at < piece ? n - at : piece);
		assert_int_equal(words.start, row->start);
		assert_int_equal(words.is_waiting, row->is_waiting);
		assert_int_equal(words.n_starts, row->n_starts);
		if (!strstr(words.said, row->said) || (!*row->said && *words.said))
			fail_msg("'%s' is not in '%s'", row->said, words.said);
	}
}

static const struct cause_row {
	const char *name, *text;
	uint32_t baud;
	bool is_garbled;
	const char *cause;
} cause_rows[] = {
	{"cause: TX path", ETS POWERON DOWNLOAD WAITING, 115200, false, "TX path"},
	{"cause: boot pin", ETS POWERON FLASH LOADS, 115200, false, "the boot pin is high"},
	{"cause: reset race", ETS POWERON FLASH LOADS, 115200, false, "EN lacks its capacitor"},
	{"cause: boot pin, and nothing to start", ETS POWERON FLASH EMPTY ETS WATCHDOG FLASH,
		115200, false, "the boot pin is high"},
	{"cause: another strapping pin", "rst:0x1 (POWERON),boot:0x0 (USB_BOOT)\r\n", 115200, false,
		"strapping pins"},
	{"cause: no power", "", 115200, false, "check power"},
	{"cause: garbled", "", 115200, true, "no answer"},
	{"cause: no reset", "gate 1.0.0 ready\r\n", 115200, false, "another `protocol`"},
	{"cause: wrong rate", "\xf8\x80\xf8\x80\x80", 115200, false, "no text"},
	{"cause: an ESP8266 in its loader", OF_8266 "(1,6)\r\n", 74880, false, "ESP8266"},
	{"cause: an ESP8266 that is not", OF_8266 "(3,6)\r\n", 74880, false, "ESP8266"},
};

static void the_cause_is_named(void **state)
{
	const struct cause_row *row = *state;
	struct loader_words words = {.baud = row->baud};
	char said[HEARD_ADVICE_MAX];

	esp_heard_take(&words, (const uint8_t *)row->text, strlen(row->text));
	assert_ptr_equal(esp_heard_explain(&words, true, row->is_garbled, said), said);
	printf("# %s\n", said);
	assert_true(said[0] == ',' && said[1] == ' ');
	if (!strstr(said, row->cause))
		fail_msg("'%s' is not in '%s'", row->cause, said);
	/* Uncut: the longest text ends as it was meant to. */
	assert_true(strlen(said) + 1 < HEARD_ADVICE_MAX);
}

/* Text of others, without an end of the line and with controls in it, overruns nothing. */
static void a_hostile_text_is_bounded(void **state)
{
	uint8_t bytes[4096];
	struct loader_words words = {0};
	char said[HEARD_ADVICE_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = i % 200 ? (uint8_t)('\x1b' + i % 3) : 'x';
	esp_heard_take(&words, bytes, sizeof(bytes));
	esp_heard_take(&words, (const uint8_t *)"\r" WAITING "\x1b[2Jboot:0x\x1b[31m\n", 40);
	assert_true(strlen(words.said) < LOADER_WORDS_LINE);
	esp_heard_explain(&words, true, false, said);
	for (const char *at = said; *at; at++)
		assert_in_range(*at, 0x20, 0x7e);
}

static void a_chip_that_nobody_resets_is_put_into_its_loader_by_hand(void **state)
{
	const struct loader_words words = {0};
	char said[HEARD_ADVICE_MAX];

	(void)state;
	assert_non_null(strstr(esp_heard_explain(&words, false, false, said), "hold BOOT"));
	assert_null(strstr(said, "`wiring`"));
}

static void only_an_esp_is_taken_for_one(void **state)
{
	static const struct {
		const char *text;
		bool is_there;
	} texts[] = {{ETS POWERON FLASH, true}, {C3_ROM, true}, {OF_8266 "(3,6)", true},
		{"wdt\r\n" POWERON "boot:0x1", true},
		{"\xf8"
		 "0 (RTCWDT_RTC_RESET),boot:0x3",
			true},
		{"", false}, {"gate 1.0.0 ready\r\n", false}, {"rst:0x1 reset by pin\r\n", false},
		{"boot:0x08000000 ok\r\n", false}, {"invalid header\r\n", false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (esp_heard_is_there((const uint8_t *)texts[i].text, strlen(texts[i].text)) !=
			texts[i].is_there)
			fail_msg("%s", texts[i].text);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows) + ARRAY_SIZE(cause_rows) + 3];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, rows, text_says_so);
	ADD_ROWS(tests, n_tests, cause_rows, the_cause_is_named);
	ADD_TEST(tests, n_tests, a_hostile_text_is_bounded);
	ADD_TEST(tests, n_tests, a_chip_that_nobody_resets_is_put_into_its_loader_by_hand);
	ADD_TEST(tests, n_tests, only_an_esp_is_taken_for_one);
	return RUN_TESTS("esp-heard", tests, n_tests);
}
