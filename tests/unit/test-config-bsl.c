/* SPDX-License-Identifier: MIT */
/* test-config-bsl.c - rules with `protocol = bsl`: their defaults, their keys, and each mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "unit/config-rows.h"

/* The steps of one way in, as "dr 20 | dR 100": small letters are lines that are not asserted. */
static const char *in_words(const struct wiring_steps *steps, char *to, size_t n_to)
{
	size_t n = 0;

	*to = '\0';
	for (size_t i = 0; i < steps->n_items && n < n_to; i++) {
		const struct wiring_step *step = &steps->items[i];

		assert_int_equal(step->mask, LINE_DTR | LINE_RTS);
		n += (size_t)snprintf(to + n, n_to - n, "%s%c%c %u", i > 0 ? " | " : "",
			step->lines & LINE_DTR ? 'D' : 'd', step->lines & LINE_RTS ? 'R' : 'r',
			(unsigned)(step->wait_usec / USEC_PER_MSEC));
	}
	return to;
}

static void the_shortest_rule_has_what_a_stick_needs(void **state)
{
	static const uint32_t ladder[] = {500000, 115200};
	struct config config CLEANUP(config_done) = {0};
	const struct board *board;

	(void)state;
	load(BSL, &config);
	board = &config.boards[0];
	assert_int_equal(board->protocol, BOARD_PROTOCOL_BSL);
	assert_int_equal(board->baud.n_items, ARRAY_SIZE(ladder));
	assert_memory_equal(board->baud.items, ladder, sizeof(ladder));
	assert_true(board->has_lines);
	assert_true(board->has_backdoor_pin);
	assert_int_equal(board->backdoor_pin, 15);
	assert_false(board->is_backdoor_high);
	assert_false(board->has_cap_array);
	/* What the user has set, and the network, survive where the rule says nothing. */
	assert_int_equal(board->secondary_ieee, BOARD_SECONDARY_IEEE_KEEP);
	assert_int_equal(board->bank_erase, BOARD_BANK_ERASE_NEVER);
	assert_int_equal(board->verify, PROOF_DIGEST);
	assert_int_equal(board->start, BOARD_START_RESET);
}

/* Nobody has to touch a stick whose button was held: RESET starts its application. */
static void without_lines_the_loader_starts_the_application(void **state)
{
	static const struct {
		const char *keys;
		enum board_start start;
	} rows[] = {
		{"entry=lines\n", BOARD_START_RESET},
		{"entry=none\n", BOARD_START_GO},
		{"entry=none\nstart=none\n", BOARD_START_NONE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct config config CLEANUP(config_done) = {0};
		char text[512];

		print_message("# %s\n", rows[i].keys);
		snprintf(text, sizeof(text), BSL "%s", rows[i].keys);
		load(text, &config);
		assert_int_equal(config.boards[0].start, rows[i].start);
	}
}

static void keys_of_a_stick_are_taken(void **state)
{
	struct config config CLEANUP(config_done) = {0};
	const struct board *board;

	(void)state;
	load("[board a]\nprotocol=bsl\nchip=cc2538\nbackdoor-pin=3\nbackdoor-level=high\n"
	     "secondary-ieee=image\ncap-array=0xC1\nbank-erase=loses-network\nimage=a.hex\n"
	     "verify=read-back\nbaud=115200\nkeep=0x250000+24K\n",
		&config);
	board = &config.boards[0];
	assert_int_equal(board->backdoor_pin, 3);
	assert_true(board->is_backdoor_high);
	assert_int_equal(board->secondary_ieee, BOARD_SECONDARY_IEEE_IMAGE);
	assert_true(board->has_cap_array);
	assert_int_equal(board->cap_array, 0xC1);
	assert_int_equal(board->bank_erase, BOARD_BANK_ERASE_LOSES_NETWORK);
	assert_int_equal(board->verify, PROOF_READ_BACK);
	assert_int_equal(board->baud.n_items, 1);
	assert_int_equal(board->keep.n_items, 1);
}

/*
 * ti-bsl.md 3.3 and 8: each level in one request, no level with reset let go while the pin is high
 * before the loader was entered, both lines at rest in the end.
 */
static void wirings_are_those_of_the_sticks(void **state)
{
	static const char esp_fast[] = "dr 20 | dR 100 | Dr 100 | dr 0";
	static const char esp_slow[] = "dr 20 | dR 100 | Dr 300 | dr 0";
	static const char plain[] = "DR 100 | Dr 100 | dr 0";
	static const struct {
		const char *keys;
		size_t n_enters;
		const char *enters[3], *leave;
	} rows[] = {
		{"", 2, {esp_fast, esp_slow}, "dR 100 | dr 0"},
		{"wiring=esp\n", 2, {esp_fast, esp_slow}, "dR 100 | dr 0"},
		{"wiring=direct\n", 1, {plain}, "dR 100 | dr 0"},
		{"reset=dtr\nboot=rts\n", 1, {"DR 100 | dR 100 | dr 0"}, "Dr 100 | dr 0"},
		/* Where one is said, the other line is the other one. */
		{"reset=dtr\n", 1, {"DR 100 | dR 100 | dr 0"}, "Dr 100 | dr 0"},
		{"boot=rts\n", 1, {"DR 100 | dR 100 | dr 0"}, "Dr 100 | dr 0"},
		{"reset=rts\n", 1, {plain}, "dR 100 | dr 0"},
		{"boot=dtr\n", 1, {plain}, "dR 100 | dr 0"},
		{"boot=!dtr\n", 1, {"dR 100 | dr 100 | Dr 0"}, "DR 100 | Dr 0"},
		{"wiring=esp direct\n", 3, {esp_fast, esp_slow, plain}, "dR 100 | dr 0"},
		{"wiring=direct esp\n", 3, {plain, esp_fast, esp_slow}, "dR 100 | dr 0"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct config config CLEANUP(config_done) = {0};
		const struct wiring *wiring;
		char text[512], words[200];

		print_message("# %s\n", rows[i].keys);
		snprintf(text, sizeof(text), BSL "%s", rows[i].keys);
		load(text, &config);
		wiring = &config.boards[0].wiring;
		assert_int_equal(wiring->n_enters, rows[i].n_enters);
		for (size_t k = 0; k < rows[i].n_enters; k++)
			assert_string_equal(in_words(&wiring->enters[k], words, sizeof(words)),
				rows[i].enters[k]);
		assert_string_equal(in_words(&wiring->leave, words, sizeof(words)), rows[i].leave);
	}
}

/* ------------------------------------------------------------------ mistakes */

/* BSL has five lines, GOOD three. */
#define ONLY_BSL "expected nothing: only protocol = bsl has a use for it, got "
#define NO_PIN                                                                                                               \
	"expected the DIO that leads into the loader, like 15: 15 on sticks with a CC2652P or P7, 13 with a CC2652R or RB; " \
	"`plugflash probe --protocol bsl` shows that of the installed firmware, and an image for another pin is refused"

static const struct config_row bads[] = {
	{"bsl: keys that only it has",
		GOOD
		"backdoor-pin=15\nbackdoor-level=low\nsecondary-ieee=keep\ncap-array=1\nbank-erase=never\n",
		AT("4", "backdoor-pin") ONLY_BSL "'15'\n" AT("5", "backdoor-level") ONLY_BSL
		"'low'\n" AT("6", "secondary-ieee") ONLY_BSL "'keep'\n" AT("7", "cap-array")
			ONLY_BSL "'1'\n" AT("8", "bank-erase") ONLY_BSL "'never'\n"},
	{"bsl: keys of others",
		BSL "bursts=no\nvector-table=ignore\nreadout-protection=set\n"
		    "address=0x1000\nsize=64K\nstub=auto\n",
		AT("11", "stub") "expected nothing: only protocol = stm32 has such a program, got 'auto'\n" AT(
			"6",
			"bursts") "expected nothing: only protocol = stm32 has blocks that could be sent so, got 'no'\n" AT("7",
			"vector-table") "expected nothing: with protocol = bsl an image that does not start locks the chip, and is always checked, got 'ignore'\n" AT("8",
			"readout-protection") "expected nothing: with protocol = bsl the image itself says what is protected, got 'set'\n" AT("9",
			"address") "expected nothing: an image of protocol = bsl is that of the whole flash, got '0x1000'\n" AT("10",
			"size") "expected nothing: an image of protocol = bsl is that of the whole flash, got '64K'\n"},
	{"bsl: the pin by its name",
		"[board a]\nprotocol=bsl\nchip=cc2652p\nimage=a\nbackdoor-pin=DIO15\n",
		AT("5", "backdoor-pin") "expected the number of the DIO, 0 to 31, like 15: plugflash probe shows that of the installed firmware, got 'DIO15'\n"},
	{"bsl: words that are none",
		BSL "backdoor-level=1\nsecondary-ieee=yes\ncap-array=0x1C1\nbank-erase=yes\n",
		AT("6", "backdoor-level") "expected low or high, of the pin at a reset that leads into the loader, got '1'\n" AT(
			"7", "secondary-ieee") "expected keep or image, got 'yes'\n" AT("8",
			"cap-array") "expected a byte, like 0xC1 for the \"launchpad\" circuit of a CC2652P or 0xFA for \"other\", got '0x1C1'\n" AT("9",
			"bank-erase") "expected never, or loses-network: the whole flash is erased where nothing else makes the image's CCFG possible, and the stick forgets its network, got 'yes'\n"},
	{"bsl: another circuit", BSL "wiring=one-key\n",
		AT("6", "wiring") "expected esp, direct, esp direct or direct esp, got 'one-key'\n"},
	{"bsl: lines beside two circuits", BSL "wiring=esp direct\nreset=rts\n",
		AT("7", "reset") "expected nothing: only wiring = direct alone has a line for it, got 'rts'\n"},
	{"bsl: a version of the application", BSL "version-pattern=x\n",
		AT("6", "version-pattern") "expected nothing: with protocol = bsl the chip computes a CRC of what it holds, got 'x'\n"},
	{"bsl: a proof that it cannot give", BSL "verify=loader\n",
		AT("6", "verify") "expected read-back or digest: protocol = bsl gives nothing else, got 'loader'\n"},
	{"two circuits before another loader", GOOD "wiring=esp direct\n",
		AT("4", "wiring") "expected direct, one-key or esp, got 'esp direct'\n"},
};

/* ------------------------------------------------------------------ beside the chip table */

#define RULE(chip) "[board a]\nprotocol=bsl\nchip=" chip "\nimage=a\nbackdoor-pin=15\n"

static const struct config_row chips[] = {
	{"chips: as people write them", RULE("CC2652P cc2652rb1f CC1352P-2 cc2538 0xBB77"), ""},
	{"chips: the x4", RULE("cc1354p10"),
		AT("3", "chip") "the cc1354p10 is not flashed: its CCFG is not in the flash but at 0x50000000, and how it lies there is not known: a mistake in it would lock the chip for ever\n"},
	{"chips: no backdoor pin", "[board a]\nprotocol=bsl\nchip=cc2652p\nimage=a\n",
		AT("1", "backdoor-pin") NO_PIN "\n"},
	{"chips: a pin of the serial line",
		"[board a]\nprotocol=bsl\nchip=cc2652p\nimage=a\nbackdoor-pin=13\n",
		AT("5", "backdoor-pin") "DIO13 of the CC2652P is a pin of the serial line, where nothing can lead into its boot loader: expected another one, DIO15 on most such sticks\n"},
	{"chips: the same pin of another part",
		"[board a]\nprotocol=bsl\nchip=cc2652rb\nimage=a\nbackdoor-pin=13\n", ""},
	{"chips: an 8051", RULE("CC2530"),
		AT("3", "chip") "expected a product id like 0xBB41, or a name of the chip table like cc2652p, got 'CC2530'; `plugflash probe` tells the id of a chip\n"},
	{"chips: the protocol was forgotten", "[board a]\nimage=a\nchip=cc2652p\n",
		AT("3", "chip") "expected a product id like 0x414, or a name of the chip table like F103xC, got 'cc2652p', which is one of protocol = bsl: say so in the rule, or mend the chip\n"},
};

int main(void)
{
	struct CMUnitTest tests[60];
	size_t n_tests = 0;

	ADD_TEST(tests, n_tests, the_shortest_rule_has_what_a_stick_needs);
	ADD_TEST(tests, n_tests, without_lines_the_loader_starts_the_application);
	ADD_TEST(tests, n_tests, keys_of_a_stick_are_taken);
	ADD_TEST(tests, n_tests, wirings_are_those_of_the_sticks);
	ADD_ROWS(tests, n_tests, bads, bad_row_holds);
	ADD_ROWS(tests, n_tests, chips, chip_row_holds);
	return _cmocka_run_group_tests("config-bsl", tests, n_tests, folder_make, folder_remove);
}
