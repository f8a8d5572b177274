/* SPDX-License-Identifier: MIT */
/* test-config-esp.c - rules with `protocol = esp`: their defaults, their keys, and each mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "unit/config-rows.h"

static void the_shortest_rule_has_what_an_esp_needs(void **state)
{
	static const uint32_t ladder[] = {921600, 460800, 230400, 115200};
	struct config config CLEANUP(config_done) = {0};
	const struct board *board;

	(void)state;
	load(ESP, &config);
	board = &config.boards[0];
	assert_int_equal(board->protocol, BOARD_PROTOCOL_ESP);
	assert_int_equal(board->baud.n_items, ARRAY_SIZE(ladder));
	assert_memory_equal(board->baud.items, ladder, sizeof(ladder));
	/* RTS alone is the reset of the two transistors, and all four ways are there. */
	assert_true(board->has_lines);
	assert_int_equal(board->wiring.n_enters, WIRING_MAX_ENTERS);
	assert_int_equal(board->wiring.leave.items[board->wiring.leave.n_items - 1].lines, 0);
	assert_null(board->partition);
	assert_false(board->has_address);
	assert_int_equal(board->otadata, BOARD_OTADATA_KEEP);
	assert_true(board->compress);
	assert_int_equal(board->verify, PROOF_DIGEST);
	assert_int_equal(board->start, BOARD_START_RESET);
}

static void keys_of_an_esp_are_taken(void **state)
{
	struct config config CLEANUP(config_done) = {0};
	const struct board *board;

	(void)state;
	/* That its ROM says what it starts is enough to go back by. */
	load(ESP "rollback=yes\n", &config);
	assert_true(config.boards[0].rollback);
	config_done(&config);
	load(ESP "partition=ota_0\notadata=select\ncompress=no\nverify=read-back\nbaud=115200\n"
		 "keep=0x9000+20K\nconfirm=ready\nrollback=yes\n",
		&config);
	board = &config.boards[0];
	assert_string_equal(board->partition, "ota_0");
	assert_int_equal(board->otadata, BOARD_OTADATA_SELECT);
	assert_false(board->compress);
	assert_int_equal(board->verify, PROOF_READ_BACK);
	assert_int_equal(board->baud.n_items, 1);
	assert_int_equal(board->baud.items[0], 115200);
	assert_int_equal(board->keep.n_items, 1);
}

/* What a rule says of its lines counts, and the rest of it follows from the usual circuit. */
static void other_wirings_are_those_of_the_rule(void **state)
{
	static const struct {
		const char *keys;
		size_t n_enters, n_first;
	} rows[] = {
		{"wiring=direct\n", 1, 2},
		{"reset=dtr\nboot=rts\n", 1, 2},
		{"wiring=one-key\n", 1, 2},
		{"enter=dtr=0,rts=1 300ms dtr=1,rts=0 1s dtr=0\n", 1, 3},
		{"enter=dtr=0,rts=1 300ms dtr=1,rts=0 1s dtr=0\nleave=rts=1 100ms rts=0\n", 1, 3},
		{"entry=none\n", WIRING_MAX_ENTERS, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct config config CLEANUP(config_done) = {0};
		char text[512];

		print_message("# %s", rows[i].keys);
		snprintf(text, sizeof(text), ESP "%s", rows[i].keys);
		load(text, &config);
		assert_int_equal(config.boards[0].wiring.n_enters, rows[i].n_enters);
		if (rows[i].n_first > 0)
			assert_int_equal(
				config.boards[0].wiring.enters[0].n_items, rows[i].n_first);
		/* Its loader starts nothing: a person pushes the button where no line does. */
		assert_int_equal(config.boards[0].start, BOARD_START_RESET);
	}
}

/* Where the application enters the loader, lines that no key names stay at rest. */
static void a_command_needs_no_lines(void **state)
{
	struct config config CLEANUP(config_done) = {0};

	(void)state;
	load(ESP "entry=command\nentry-command=BOOT\n", &config);
	assert_false(config.boards[0].has_lines);
	assert_int_equal(config.boards[0].start, BOARD_START_RESET);
}

/* ------------------------------------------------------------------ mistakes */

/* ESP has four lines, GOOD three. */
#define ONLY_ESP "expected nothing: only protocol = esp has a use for it, got "

static const struct config_row bads[] = {
	{"esp: keys that only it has", GOOD "partition=app0\notadata=keep\ncompress=yes\n",
		AT("4", "partition") ONLY_ESP "'app0'\n" AT("5", "otadata") ONLY_ESP
		"'keep'\n" AT("6", "compress") ONLY_ESP "'yes'\n"},
	{"esp: keys of files and of the STM32",
		ESP "bursts=no\nvector-table=check\nreadout-protection=refuse\n"
		    "serialize=0x9000+8 decimal 1\nstart=go\nmenu=st-iap\nblock-size=128\n",
		AT("10", "menu") "expected nothing: only protocol = ymodem or xmodem has a use for it, got 'st-iap'\n" AT(
			"11",
			"block-size") "expected nothing: only protocol = ymodem or xmodem has a use for it, got '128'\n" AT("5",
			"bursts") "expected nothing: only protocol = stm32 has blocks that could be sent so, got 'no'\n" AT("6",
			"vector-table") "expected nothing: images of protocol = esp have a header, which is always checked, got 'check'\n" AT("7",
			"readout-protection") "expected nothing: with protocol = esp only eFuses protect a chip, and they are for ever, got 'refuse'\n" AT("8",
			"serialize") "expected nothing: images of protocol = esp have a digest of their bytes, which the data of a unit would break, got '0x9000+8 decimal 1'\n" AT("9",
			"start") "expected reset or none: the ROM of protocol = esp is left by a reset alone, got 'go'\n"},
	{"esp: a version of the application", ESP "version-pattern=x\n",
		AT("5", "version-pattern") "expected nothing: with protocol = esp the chip computes a digest of what it holds, got 'x'\n"},
	{"esp: both places", ESP "partition=app0\naddress=0x10000\n",
		AT("5", "partition") "expected no `address` beside it: each says where the image goes, got 'app0'\n"},
	{"esp: a room beside a partition", ESP "partition=app0\nsize=1M\n",
		AT("6", "size") "expected nothing beside `partition`: its room is that of the chip's own table, got '1M'\n"},
	{"esp: an offset within a sector", ESP "address=0x10800\n",
		AT("5", "address") "expected an offset in the flash that is a multiple of 4096, like 0x10000, got '0x10800'\n"},
	{"esp: an address of the processor", ESP "address=0x42010000\n",
		AT("5", "address") "expected an offset in the flash below 16M, like 0x10000: it is no address of the processor, got '0x42010000'\n"},
	{"esp: words that are none", ESP "otadata=reset\ncompress=gzip\n",
		AT("5", "otadata") "expected keep or select, got 'reset'\n" AT(
			"6", "compress") "expected yes or no, got 'gzip'\n"},
	{"esp: no name of a partition", ESP "partition=\n",
		AT("5", "partition") "expected the name of a partition, 1 to 16 letters, digits, dots, dashes or underscores, like app0, or the kind of one, like ota_0, got ''\n"},
	{"esp: a name with a blank", ESP "partition=app 0\n",
		AT("5", "partition") "expected the name of a partition, 1 to 16 letters, digits, dots, dashes or underscores, like app0, or the kind of one, like ota_0, got 'app 0'\n"},
	{"esp: a name of 17 letters", ESP "partition=abcdefghijklmnopq\n",
		AT("5", "partition") "expected the name of a partition, 1 to 16 letters, digits, dots, dashes or underscores, like app0, or the kind of one, like ota_0, got 'abcdefghijklmnopq'\n"},
	{"esp: a proof that it cannot give", ESP "verify=loader\n",
		AT("5", "verify") "expected read-back or digest: protocol = esp gives nothing else, got 'loader'\n"},
	{"esp: a proof beside none", ESP "verify=digest\naccept-unverified=yes\n",
		AT("6", "accept-unverified") "expected no beside this verify, which says what is enough, got 'yes'\n"},
	{"esp: no chip", "[board a]\nprotocol=esp\nimage=a\n",
		"/plugflash.conf:1: [board a] chip: expected the product ids or names of the chips it may be, but the key is missing\n"},
	{"esp: a key that is nearly one", ESP "partion=app0\n",
		AT("5", "partion") "there is no such key; is it 'partition'?\n"},
	{"esp: half of the steps, and a line", ESP "reset=dtr\nboot=dtr\n",
		AT("6", "boot") "expected another line than that of reset, got 'dtr'\n"},
};

/* ------------------------------------------------------------------ beside the chip table */

#define RULE(chip, more) "[board a]\nprotocol=esp\nchip=" chip "\nimage=a\n" more

static const struct config_row chips[] = {
	{"chips: every name of Espressif's tool",
		RULE("esp32 esp32s2 esp32s3 esp32c2 esp32c3 esp32c5 esp32c6 esp32c61 esp32h2 esp32p4",
			""),
		""},
	{"chips: with dashes, and by id", RULE("ESP32-C3 0 0x009", ""), ""},
	{"chips: an ESP8266 that nothing vouches for", RULE("esp8266", ""),
		AT("3", "chip") "the boot loader of the ESP8266 neither reads back nor computes a digest, so that nothing vouches for what is written: accept-unverified = yes, in a rule for this chip alone, takes that\n"},
	{"chips: an ESP8266 whose rule knows that", RULE("esp8266", "accept-unverified=yes\n"), ""},
	{"chips: a chip that needs no such word", RULE("esp32", "accept-unverified=yes\n"),
		AT("5", "accept-unverified") "expected no: the ESP32 proves what was written, and needs a rule of its own where another chip of this one does not\n"},
	{"chips: both in one rule", RULE("esp8266 esp32c3", "accept-unverified=yes\n"),
		AT("5", "accept-unverified") "expected no: the ESP32-C3 proves what was written, and needs a rule of its own where another chip of this one does not\n"},
	{"chips: both in one rule, without the word",
		RULE("esp32c3 esp8266", "accept-unverified=no\n"),
		AT("3", "chip") "the boot loader of the ESP8266 neither reads back nor computes a digest, so that nothing vouches for what is written: accept-unverified = yes, in a rule for this chip alone, takes that\n"},
	{"chips: the protocol was forgotten", "[board a]\nimage=a\nchip=esp32c3\n",
		AT("3", "chip") "expected a product id like 0x414, or a name of the chip table like F103xC, got 'esp32c3', which is one of protocol = esp: say so in the rule, or mend the chip\n"},
	{"chips: a chip of another family", RULE("F103xC", ""),
		AT("3", "chip") "expected a product id like 5, or a name of the chip table like esp32c3, got 'F103xC', which is one of protocol = stm32: say so in the rule, or mend the chip\n"},
	{"chips: the name of a module", RULE("ESP32-C3-MINI-1", ""),
		AT("3", "chip") "expected a product id like 5, or a name of the chip table like esp32c3, got 'ESP32-C3-MINI-1': is it 0x005 (ESP32-C3)?\n"},
	{"chips: ids of the STM32", RULE("0x410", ""),
		AT("3", "chip") "expected a product id like 5, or a name of the chip table like esp32c3, got '0x410'; `plugflash probe` tells the id of a chip\n"},
};

int main(void)
{
	struct CMUnitTest tests[60];
	size_t n_tests = 0;

	ADD_TEST(tests, n_tests, the_shortest_rule_has_what_an_esp_needs);
	ADD_TEST(tests, n_tests, keys_of_an_esp_are_taken);
	ADD_TEST(tests, n_tests, other_wirings_are_those_of_the_rule);
	ADD_TEST(tests, n_tests, a_command_needs_no_lines);
	ADD_ROWS(tests, n_tests, bads, bad_row_holds);
	ADD_ROWS(tests, n_tests, chips, chip_row_holds);
	return _cmocka_run_group_tests("config-esp", tests, n_tests, folder_make, folder_remove);
}
