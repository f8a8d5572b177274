/* SPDX-License-Identifier: MIT */
/* test-config-application.c - rules whose application speaks a protocol of its own, and each
 * mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "rules/application-keys.h"
#include "unit/config-rows.h"

/* The shortest rule of a stick that is entered through its application. */
#define STICK	      "[board a]\nprotocol=xmodem\nimage=a.gbl\nentry=ezsp\n"

#define BIT(protocol) (1u << APPLICATION_##protocol)

static void the_shortest_rule_has_what_a_stick_needs(void **state)
{
	struct ini_problems warnings CLEANUP(ini_problems_done) = {0};
	struct config config CLEANUP(config_done) = {0};
	const struct board *board;

	(void)state;
	load(STICK, &config);
	board = &config.boards[0];
	assert_int_equal(board->entry, BOARD_ENTRY_APPLICATION);
	assert_int_equal(board->applications, BIT(EZSP));
	/* The Gecko boot loader's menu, by which the application is started as well. */
	assert_int_equal(board->menu.before.n_items, 4);
	assert_true(board->menu.start.n_items > 0);
	assert_int_equal(board->start, BOARD_START_GO);
	/* Lines that no key names stay asserted, for a stick with hardware flow control. */
	assert_false(board->has_lines);
	assert_int_equal(board->wiring.rest, LINE_DTR | LINE_RTS);
	assert_int_equal(board->wiring.n_enters, 0);
	assert_int_equal(board->verify, PROOF_CONFIRM);
	assert_true(board_confirms(board));
	assert_false(board->application.has_baud);
	assert_false(board->confirm.has_baud);
	/* The application vouches for the image: there is nothing to be warned of. */
	assert_int_equal(config_check_chips(&config, CHIPS_INI, NULL, &warnings, &warnings), 0);
	assert_int_equal(warnings.n_items, 0);
}

static void several_protocols_have_the_order_of_probing(void **state)
{
	struct config config CLEANUP(config_done) = {0};
	char list[64], most[8];

	(void)state;
	load(STICK
		"[board b]\nprotocol=xmodem\nimage=b\nentry=spinel, ezsp cpc\nentry-baud=230400\n"
		"confirm-baud=460800\nconfirm-within=9s\nrollback=yes\nverify=confirm\nreset=rts\n"
		"boot=dtr\n",
		&config);
	assert_int_equal(config.boards[1].applications, BIT(CPC) | BIT(EZSP) | BIT(SPINEL));
	assert_true(config.boards[1].application.has_baud);
	assert_int_equal(config.boards[1].application.line.baud, 230400);
	assert_true(config.boards[1].confirm.has_baud);
	assert_true(config.boards[1].rollback);
	/* A line that a key names is there. */
	assert_true(config.boards[1].has_lines);
	assert_int_equal(config.boards[1].wiring.rest, 0);
	assert_string_equal(
		application_protocols_list(config.boards[1].applications, list, sizeof(list)),
		"cpc, ezsp or spinel");
	assert_string_equal(
		application_protocols_list(config.boards[0].applications, list, sizeof(list)),
		"ezsp");
	assert_string_equal(
		application_protocols_list(config.boards[1].applications, most, sizeof(most)),
		"cpc, ez");
}

static void all_but_mt_lead_into_a_boot_loader(void **state)
{
	(void)state;
	assert_true(application_protocol_leads("ezsp"));
	assert_true(application_protocol_leads("zwave"));
	assert_false(application_protocol_leads("mt"));
	assert_false(application_protocol_leads("lines"));
}

static void the_application_of_a_stick_with_lines_is_asked(void **state)
{
	static const struct {
		const char *keys;
		unsigned applications;
	} rows[] = {
		{GOOD "application=mt\n", BIT(MT)},
		{GOOD "application=mt ezsp zwave\n", BIT(MT) | BIT(EZSP) | BIT(ZWAVE)},
		{"[board a]\nprotocol=xmodem\nimage=a\nmenu=gecko\nwiring=esp\napplication=ezsp\n",
			BIT(EZSP)},
		{"[board a]\nprotocol=xmodem\nimage=a\nmenu=gecko\nentry=none\napplication=ezsp\n",
			BIT(EZSP)},
		{GOOD, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct config config CLEANUP(config_done) = {0};

		load(rows[i].keys, &config);
		assert_int_not_equal(config.boards[0].entry, BOARD_ENTRY_APPLICATION);
		assert_int_equal(config.boards[0].applications, rows[i].applications);
		assert_int_equal(board_confirms(&config.boards[0]), rows[i].applications != 0);
	}
}

/* Forgotten, it would have the job wait a minute for a loader that asks for the file by itself. */
static void a_stick_with_lines_has_the_menu_of_the_gecko_boot_loader(void **state)
{
	struct config config CLEANUP(config_done) = {0};

	(void)state;
	load("[board a]\nprotocol=xmodem\nimage=a\nwiring=esp\napplication=ezsp\n"
	     "[board b]\nprotocol=ymodem\nimage=b\nwiring=esp\napplication=ezsp\n",
		&config);
	assert_true(config.boards[0].menu.before.n_items > 0);
	assert_int_equal(config.boards[1].menu.before.n_items, 0);
}

/* ------------------------------------------------------------------ mistakes */

/* STICK has four lines, GOOD three. */
#define WANTS(line, key) AT(line, key) "expected "
#define SAYS_IT \
	"nothing beside `application`, or an `entry` by one: its own protocol says that, got "
#define ENTRY_WORDS \
	"lines, command, none, or one or more of ezsp, cpc, spinel and zwave, which the application speaks, got "

static const struct config_row bads[] = {
	{"application: an entry that is none", GOOD "entry=ezps\n",
		WANTS("4", "entry") ENTRY_WORDS "'ezps'\n"},
	{"application: an entry by lines and more", GOOD "entry=lines ezsp\n",
		WANTS("4", "entry") ENTRY_WORDS "'lines ezsp'\n"},
	{"application: no entry", GOOD "entry=\n", WANTS("4", "entry") ENTRY_WORDS "''\n"},
	{"application: mt leads into no boot loader",
		"[board a]\nprotocol=xmodem\nimage=a\nentry=ezsp mt\n",
		WANTS("4",
			"entry") "lines, and application = mt beside it: an application that speaks mt has no command that leads into the boot loader, got 'ezsp mt'\n"},
	{"application: one that is none", GOOD "application=znp\n",
		WANTS("4",
			"application") "one or more of ezsp, cpc, spinel, zwave and mt, got 'znp'\n"},
	{"application: said twice", STICK "application=ezsp\n",
		WANTS("5",
			"application") "nothing beside such an `entry`, which says it already, got 'ezsp'\n"},
	{"application: the loader of another chip", GOOD "entry=ezsp\n",
		WANTS("4",
			"entry") "lines or none, or protocol = xmodem beside it: these applications lead into the Gecko boot loader, which takes a file by XMODEM, got 'ezsp'\n"},
	{"application: the other way to send a file",
		"[board a]\nprotocol=ymodem\nimage=a\nentry=ezsp\n",
		WANTS("4",
			"entry") "lines or none, or protocol = xmodem beside it: these applications lead into the Gecko boot loader, which takes a file by XMODEM, got 'ezsp'\n"},
	{"application: what no chip of TI speaks",
		"[board a]\nprotocol=bsl\nchip=cc2652p\nbackdoor-pin=15\nimage=a\n"
		"application=mt ezsp\n",
		WANTS("6",
			"application") "mt, or spinel of a Thread radio: a chip of TI, which protocol = bsl is for, speaks nothing else, got 'mt ezsp'\n"},
	{"application: beside a command in text",
		"[board a]\nprotocol=xmodem\nimage=a\nmenu=gecko\nentry=command\nentry-command=B\n"
		"application=ezsp\n",
		WANTS("7",
			"application") "nothing beside entry = command: an application takes commands as text or in a protocol, got 'ezsp'\n"},
	{"application: texts beside it",
		STICK "entry-command=B\nversion-pattern=v\nversion-query=V\nconfirm=ready\n"
		      "confirm-query=V\n",
		WANTS("6", "version-pattern") SAYS_IT "'v'\n" WANTS("8", "confirm") SAYS_IT
		"'ready'\n" WANTS(
			"5", "entry-command") "nothing without entry = command, got 'B'\n"},
	{"application: formats", STICK "entry-format=8e1\nconfirm-format=8e1\nentry-wait=1s\n",
		WANTS("7", "entry-wait") "nothing without entry = command, got '1s'\n" WANTS("5",
			"entry-format") "nothing without entry = command, got '8e1'\n" WANTS("6",
			"confirm-format") "nothing without confirm, got '8e1'\n"},
	{"application: one that is never started", STICK "start=none\n",
		WANTS("5",
			"start") "reset or go: the application is asked once it was started, got 'none'\n"},
};

int main(void)
{
	struct CMUnitTest tests[40];
	size_t n_tests = 0;

	ADD_TEST(tests, n_tests, the_shortest_rule_has_what_a_stick_needs);
	ADD_TEST(tests, n_tests, several_protocols_have_the_order_of_probing);
	ADD_TEST(tests, n_tests, all_but_mt_lead_into_a_boot_loader);
	ADD_TEST(tests, n_tests, the_application_of_a_stick_with_lines_is_asked);
	ADD_TEST(tests, n_tests, a_stick_with_lines_has_the_menu_of_the_gecko_boot_loader);
	ADD_ROWS(tests, n_tests, bads, bad_row_holds);
	return _cmocka_run_group_tests(
		"config-application", tests, n_tests, folder_make, folder_remove);
}
