/* SPDX-License-Identifier: MIT */
/*
 * test-match.c - which rule a bridge gets, when none, and when it is a tie; and that nothing a
 * device says of itself is more than text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "rules/match.h"
#include "unit/rows.h"

#define CP2102 .vendor_id = 0x10C4, .product_id = 0xEA60
#define CP2105 .vendor_id = 0x10C4, .product_id = 0xEA70
#define OTHERS .vendor_id = 0x1BA4, .product_id = 0x0002

static struct usb_id two_ids[] = {{0x1BA4, 0x0002}, {0x10C4, 0xEA60}};
static struct usb_id cp2105_id[] = {{0x10C4, 0xEA70}};

#define LEFT  "pci-0000:00:14.0-usb-0:1.2:1.0"
#define RIGHT "pci-0000:00:14.0-usb-0:1.3:1.0"

struct match_row {
	const char *name;
	struct facts facts;
	struct board boards[4];
	enum match_result result;
	const char *board;
	const char *other;
};

static const struct slot slots[] = {{.name = "A1", .path = (char *)LEFT},
	{.name = "A2", .path = (char *)RIGHT}, {.name = "A3", .path = (char *)"other"}};
static const char *const left[] = {"A1", NULL}, *const both[] = {"A2", "A1", NULL};

#define SLOT(names) .slot = (char **)(names), .n_slot = ARRAY_SIZE(names) - 1

static const struct match_row matches[] = {
	{"match: no rules", {CP2102}, {{0}}, MATCH_NONE, NULL, NULL},
	{"match: a rule without keys fits a CP210x", {CP2102, .interface = -1}, {{.name = "a"}},
		MATCH_ONE, "a", NULL},
	{"match: a rule without keys leaves others alone", {OTHERS}, {{.name = "a"}}, MATCH_NONE,
		NULL, NULL},
	{"match: other keys do not take another maker's id", {OTHERS, .serial = "1"},
		{{.name = "a", .serial = "1"}}, MATCH_NONE, NULL, NULL},
	{"match: a rule that names another maker's id", {OTHERS},
		{{.name = "a", .usb_id = {two_ids, 2}}}, MATCH_ONE, "a", NULL},
	{"match: the second of several ids", {CP2102}, {{.name = "a", .usb_id = {two_ids, 2}}},
		MATCH_ONE, "a", NULL},
	{"match: an id that is not named", {CP2102}, {{.name = "a", .usb_id = {cp2105_id, 1}}},
		MATCH_NONE, NULL, NULL},
	{"match: a named id counts as a key", {CP2105},
		{{.name = "a"}, {.name = "b", .usb_id = {cp2105_id, 1}}}, MATCH_ONE, "b", NULL},
	{"match: a glob", {CP2102, .product = "CP2102N USB to UART"},
		{{.name = "a", .product = "CP2102? *"}}, MATCH_ONE, "a", NULL},
	{"match: a glob fits all of the text", {CP2102, .product = "CP2102N USB"},
		{{.name = "a", .product = "CP2102N"}}, MATCH_NONE, NULL, NULL},
	{"match: case counts", {CP2102, .serial = "ABC"}, {{.name = "a", .serial = "abc"}},
		MATCH_NONE, NULL, NULL},
	{"match: one key that does not fit is enough", {CP2102, .serial = "1", .product = "x"},
		{{.name = "a", .serial = "1", .product = "y"}}, MATCH_NONE, NULL, NULL},
	{"match: a missing descriptor fits no glob", {CP2102, .interface = -1},
		{{.name = "a", .serial = "*"}, {.name = "b", .product = "*"},
			{.name = "c", .manufacturer = "*"}, {.name = "d", .path = "*"}},
		MATCH_NONE, NULL, NULL},
	{"match: a missing descriptor fits the rule without that key", {CP2102},
		{{.name = "a", .serial = "*"}, {.name = "b"}}, MATCH_ONE, "b", NULL},
	{"match: an empty descriptor is one", {CP2102, .serial = ""},
		{{.name = "a", .serial = "*"}}, MATCH_ONE, "a", NULL},
	{"match: the interface is a decimal number", {CP2105, .interface = 1},
		{{.name = "a", .interface = "0"}, {.name = "b", .interface = "1"}}, MATCH_ONE, "b",
		NULL},
	{"match: a glob for interfaces", {CP2105, .interface = 0},
		{{.name = "a", .interface = "[01]"}}, MATCH_ONE, "a", NULL},
	{"match: an unknown interface fits no number", {CP2105, .interface = -1},
		{{.name = "a", .interface = "*1"}}, MATCH_NONE, NULL, NULL},
	{"match: more keys win, before", {CP2102, .serial = "1", .usb_path = LEFT},
		{{.name = "a", .serial = "1", .path = "*"}, {.name = "b", .serial = "1"}},
		MATCH_ONE, "a", NULL},
	{"match: more keys win, behind", {CP2102, .serial = "1", .usb_path = LEFT},
		{{.name = "a", .serial = "1"}, {.name = "b", .serial = "1", .path = "*"}},
		MATCH_ONE, "b", NULL},
	{"match: a tie below the best is none", {CP2102, .serial = "1", .usb_path = LEFT},
		{{.name = "a", .serial = "1"}, {.name = "b", .path = "*"},
			{.name = "c", .serial = "1", .path = "*"}},
		MATCH_ONE, "c", NULL},
	{"fault 49: two rules without keys", {CP2102}, {{.name = "a"}, {.name = "b"}},
		MATCH_AMBIGUOUS, "a", "b"},
	{"fault 49: as many keys, though others", {CP2102, .serial = "1", .product = "x"},
		{{.name = "a", .serial = "1"}, {.name = "b", .product = "x"}}, MATCH_AMBIGUOUS, "a",
		"b"},
	{"fault 49: an exact text is no more than a glob", {CP2102, .serial = "0001"},
		{{.name = "a", .serial = "*"}, {.name = "b", .serial = "0001"}}, MATCH_AMBIGUOUS,
		"a", "b"},
	{"fault 49: three of them name two", {CP2102},
		{{.name = "a"}, {.name = "b"}, {.name = "c"}}, MATCH_AMBIGUOUS, "a", "b"},
	{"fault 49: a tie behind a lesser rule", {CP2102, .serial = "1"},
		{{.name = "a"}, {.name = "b", .serial = "1"}, {.name = "c", .serial = "?"}},
		MATCH_AMBIGUOUS, "b", "c"},
	{"fault 50: serial 0001 in two rules", {CP2102, .serial = "0001", .usb_path = LEFT},
		{{.name = "a", .serial = "0001"}, {.name = "b", .serial = "0001"}}, MATCH_AMBIGUOUS,
		"a", "b"},
	{"fault 50: serial 0001, the path decides, left",
		{CP2102, .serial = "0001", .usb_path = LEFT},
		{{.name = "a", .serial = "0001", .path = "*-usb-0:1.2:1.0"},
			{.name = "b", .serial = "0001", .path = "*-usb-0:1.3:1.0"}},
		MATCH_ONE, "a", NULL},
	{"fault 50: serial 0001, the path decides, right",
		{CP2102, .serial = "0001", .usb_path = RIGHT},
		{{.name = "a", .serial = "0001", .path = "*-usb-0:1.2:1.0"},
			{.name = "b", .serial = "0001", .path = "*-usb-0:1.3:1.0"}},
		MATCH_ONE, "b", NULL},
	{"fault 50: serial 0001, one rule for both", {CP2102, .serial = "0001", .usb_path = RIGHT},
		{{.name = "a", .serial = "0001"}}, MATCH_ONE, "a", NULL},
	{"slot: the one that a rule names", {CP2102, .usb_path = LEFT}, {{.name = "a", SLOT(left)}},
		MATCH_ONE, "a", NULL},
	{"slot: another", {CP2102, .usb_path = RIGHT}, {{.name = "a", SLOT(left)}}, MATCH_NONE,
		NULL, NULL},
	{"slot: the second of two names", {CP2102, .usb_path = LEFT}, {{.name = "a", SLOT(both)}},
		MATCH_ONE, "a", NULL},
	{"slot: a place without a name", {CP2102, .usb_path = "nowhere"},
		{{.name = "a", SLOT(both)}}, MATCH_NONE, NULL, NULL},
	{"slot: a bridge without a place", {CP2102}, {{.name = "a", SLOT(both)}}, MATCH_NONE, NULL,
		NULL},
	{"slot: is a key", {CP2102, .usb_path = LEFT}, {{.name = "a"}, {.name = "b", SLOT(left)}},
		MATCH_ONE, "b", NULL},
	{"slot: is one key, however many names", {CP2102, .serial = "1", .usb_path = LEFT},
		{{.name = "a", .serial = "1"}, {.name = "b", SLOT(both)}}, MATCH_AMBIGUOUS, "a",
		"b"},
	{"slot: is as good as a path", {CP2102, .usb_path = LEFT},
		{{.name = "a", .path = LEFT}, {.name = "b", SLOT(left)}}, MATCH_AMBIGUOUS, "a",
		"b"},
	{"fault 65: a device's asterisk is no glob", {CP2102, .serial = "*"},
		{{.name = "a", .serial = "0001"}}, MATCH_NONE, NULL, NULL},
	{"fault 65: a device's brackets are no glob", {CP2102, .serial = "[0-9]*"},
		{{.name = "a", .serial = "12"}, {.name = "b", .serial = "\\[0-9]\\*"}}, MATCH_ONE,
		"b", NULL},
	{"fault 65: %n, ../, quotes and newlines are text",
		{CP2102, .serial = "%n%s'\"\n\033", .product = "../../etc/passwd"},
		{{.name = "a", .serial = "%n%s'\"\n\033", .product = "../*"}}, MATCH_ONE, "a",
		NULL},
	{"fault 65: bytes that are not UTF-8", {CP2102, .serial = "\xFF\xFE\x80"},
		{{.name = "a", .serial = "1"}, {.name = "b"}}, MATCH_ONE, "b", NULL},
};

static void match_row_holds(void **state)
{
	const struct match_row *row = *state;
	struct config config = {.boards = (struct board *)row->boards,
		.slots = (struct slot *)slots,
		.n_slots = ARRAY_SIZE(slots)};
	struct match match = {NULL, NULL};

	while (config.n_boards < ARRAY_SIZE(row->boards) && row->boards[config.n_boards].name)
		config.n_boards++;
	assert_int_equal(match_board(&config, &row->facts, &match), row->result);
	if (row->board)
		assert_string_equal(match.board->name, row->board);
	else
		assert_null(match.board);
	if (row->other)
		assert_string_equal(match.other->name, row->other);
	else
		assert_null(match.other);
}

static void fault_49_no_order_of_the_rules_makes_a_tie_a_match(void **state)
{
	const struct facts facts = {CP2102, .serial = "1", .product = "x"};
	struct board boards[3] = {
		{.name = "a"}, {.name = "b", .serial = "1"}, {.name = "c", .product = "x"}};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct config config = {.boards = boards, .n_boards = 3};
		struct board first = boards[0];
		struct match match;

		assert_int_equal(match_board(&config, &facts, &match), MATCH_AMBIGUOUS);
		assert_string_not_equal(match.board->name, "a");
		assert_string_not_equal(match.other->name, "a");
		assert_ptr_not_equal(match.board, match.other);
		boards[0] = boards[1 + i % 2];
		boards[1 + i % 2] = first;
	}
}

static void fault_65_descriptors_of_126_units(void **state)
{
	char serial[126 * 4 + 1];
	char shown[TEXT_MAX];
	struct facts facts = {CP2102, .serial = serial};
	struct board board = {.name = "a", .serial = "*\xF0\x9F\x94\x8C"};
	struct config config = {.boards = &board, .n_boards = 1};
	struct match match;

	(void)state;
	for (size_t i = 0; i < 126; i++)
		memcpy(serial + 4 * i, "\xF0\x9F\x94\x8C", 4);
	serial[sizeof(serial) - 1] = '\0';
	assert_int_equal(match_board(&config, &facts, &match), MATCH_ONE);
	assert_true(strlen(text_escape(serial, shown, sizeof(shown))) < sizeof(shown));
}

static void only_the_ids_of_silicon_labs_are_known(void **state)
{
	static const uint16_t known[] = {
		0xEA60, 0xEA61, 0xEA63, 0xEA70, 0xEA71, 0xEA7A, 0xEA7B, 0xEA80};
	size_t n_known = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		assert_true(match_is_known_bridge(0x10C4, known[i]));
	for (unsigned product = 0; product <= UINT16_MAX; product++)
		n_known += match_is_known_bridge(0x10C4, (uint16_t)product);
	assert_int_equal(n_known, ARRAY_SIZE(known));
	assert_false(match_is_known_bridge(0x1A86, 0xEA60));
}

static const struct miss_row {
	const char *name;
	struct facts facts;
	struct board boards[4];
	const char *board; /* NULL: there is none to be named */
	const char *key, *wanted, *found;
} misses[] = {
	{"nearest: no rules", {CP2102}, {{0}}, NULL, NULL, NULL, NULL},
	{"nearest: a glob", {CP2102, .product = "CP2102 USB"}, {{.name = "a", .product = "Gate*"}},
		"a", "product", "Gate*", "CP2102 USB"},
	{"nearest: what the bridge does not have", {CP2102}, {{.name = "a", .serial = "*"}}, "a",
		"serial", "*", ""},
	{"nearest: the one with the fewest slips", {CP2102, .serial = "1", .product = "x"},
		{{.name = "a", .serial = "2", .product = "y"},
			{.name = "b", .serial = "1", .product = "y"}},
		"b", "product", "y", "x"},
	{"nearest: of two that are as near, the first", {CP2102, .serial = "1"},
		{{.name = "a", .serial = "2"}, {.name = "b", .serial = "3"}}, "a", "serial", "2",
		"1"},
	{"nearest: an id", {CP2102}, {{.name = "a", .usb_id = {cp2105_id, 1}}}, "a", "usb-id",
		"10c4:ea70", "10c4:ea60"},
	{"nearest: the id of another maker, and a rule that names none", {OTHERS}, {{.name = "a"}},
		"a", "usb-id", "of the known CP210x", "1ba4:0002"},
	{"nearest: a slot", {CP2102, .usb_path = "other"}, {{.name = "a", SLOT(both)}}, "a", "slot",
		"A2, A1", "A3"},
	{"nearest: nothing is believed", {CP2102, .product = "\x1b[31m'"},
		{{.name = "a", .product = "x"}}, "a", "product", "x", "\\x1b[31m\\x27"},
};

static void a_miss_is_named(void **state)
{
	const struct miss_row *row = *state;
	struct config config = {.boards = (struct board *)row->boards,
		.slots = (struct slot *)slots,
		.n_slots = ARRAY_SIZE(slots)};
	struct match_miss miss;

	while (config.n_boards < ARRAY_SIZE(row->boards) && row->boards[config.n_boards].name)
		config.n_boards++;
	assert_int_equal(match_nearest(&config, &row->facts, &miss), row->board != NULL);
	if (!row->board)
		return;
	assert_string_equal(miss.board->name, row->board);
	assert_string_equal(miss.key, row->key);
	assert_string_equal(miss.wanted, row->wanted);
	assert_string_equal(miss.found, row->found);
}

static void facts_are_copied_and_freed(void **state)
{
	struct facts from = {CP2102, .port = "/dev/ttyUSB0", .sysfs = "/s", .devnum = 48128,
		.serial = "1", .usb_path = LEFT, .interface = 1, .driver = "cp210x"};
	struct facts copy;

	(void)state;
	assert_int_equal(facts_copy(&from, &copy), 0);
	assert_string_equal(copy.port, "/dev/ttyUSB0");
	assert_ptr_not_equal(copy.port, from.port);
	assert_string_equal(copy.sysfs, "/s");
	assert_string_equal(copy.serial, "1");
	assert_string_equal(copy.usb_path, LEFT);
	assert_string_equal(copy.driver, "cp210x");
	assert_null(copy.product);
	assert_null(copy.manufacturer);
	assert_int_equal(copy.devnum, 48128);
	assert_int_equal(copy.vendor_id, 0x10C4);
	assert_int_equal(copy.product_id, 0xEA60);
	assert_int_equal(copy.interface, 1);
	facts_done(&copy);
	assert_null(copy.port);
	assert_int_equal(copy.interface, -1);
}

int main(void)
{
	struct CMUnitTest tests[64];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, matches, match_row_holds);
	ADD_ROWS(tests, n_tests, misses, a_miss_is_named);
	ADD_TEST(tests, n_tests, fault_49_no_order_of_the_rules_makes_a_tie_a_match);
	ADD_TEST(tests, n_tests, fault_65_descriptors_of_126_units);
	ADD_TEST(tests, n_tests, only_the_ids_of_silicon_labs_are_known);
	ADD_TEST(tests, n_tests, facts_are_copied_and_freed);
	return RUN_TESTS("match", tests, n_tests);
}
