/* SPDX-License-Identifier: MIT */
/*
 * test-package-check.c - a GBL against a rule: each refusal comes before a port is opened, names
 * what was found and what is wanted, and what is good is taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/outcome.h"
#include "base/util.h"
#include "flash/image-check.h"
#include "rules/config.h"
#include "tools/gbl-make.h"
#include "unit/rows.h"

#define XMODEM	  "protocol = xmodem\nmenu = gecko\n"
#define BY_EZSP	  "protocol = xmodem\nentry = ezsp\n"
#define BY_ANY	  "protocol = xmodem\nentry = ezsp cpc spinel\n"
#define SPEAKS_IT XMODEM "application = ezsp\n"

struct check_row {
	const char *name;
	const char *rule;
	struct gbl_make_file file;
	const char *found, *wanted; /* in the reason; NULL: it is taken */
};

#define ZIGBEE(rate)                                                          \
	{                                                                     \
		.fw_type = "zigbee_ncp", .version = "7.4.4.0", .baud = (rate) \
	}
#define THREAD(rate)                                                              \
	{                                                                         \
		.fw_type = "openthread_rcp", .version = "2.4.4.0", .baud = (rate) \
	}
#define MULTIPAN                                                          \
	{                                                                 \
		.fw_type = "multipan", .version = "4.4.4", .baud = 115200 \
	}
#define ZWAVE                                                               \
	{                                                                   \
		.fw_type = "zwave_ncp", .version = "7.22.2", .baud = 115200 \
	}
#define SAYS_NOTHING           \
	{                      \
		.version = "1" \
	}
#define LOADER_ALONE                                                              \
	{                                                                         \
		.fw_type = "bootloader", .version = "2.0.1", .n_boot_loader = 64, \
		.has_no_application = true                                        \
	}

static const struct check_row check_rows[] = {
	{"package: a rule that says nothing takes it", XMODEM, ZIGBEE(115200), NULL, NULL},
	{"package: and one of another kind", XMODEM, THREAD(460800), NULL, NULL},
	{"package: and one that says nothing", XMODEM, SAYS_NOTHING, NULL, NULL},
	{"package: and an odd rate", XMODEM, ZIGBEE(57600), NULL, NULL},

	{"package: the kind of the rule", XMODEM "fw-type = zigbee_ncp", ZIGBEE(115200), NULL,
		NULL},
	{"package: one of two kinds", XMODEM "fw-type = zigbee_ncp openthread_rcp", THREAD(460800),
		NULL, NULL},
	{"package: another kind", XMODEM "fw-type = zigbee_ncp", THREAD(460800),
		"its fw_type is 'openthread_rcp'", "wants zigbee_ncp (`fw-type`)"},
	{"package: none of two kinds", XMODEM "fw-type = zigbee_ncp openthread_rcp", MULTIPAN,
		"'multipan'", "wants zigbee_ncp or openthread_rcp"},
	{"package: no kind, and one is wanted", XMODEM "fw-type = zigbee_ncp", SAYS_NOTHING,
		"does not say what it is", "add 'unsaid'"},
	{"package: no kind, as the rule says", XMODEM "fw-type = zigbee_ncp unsaid", SAYS_NOTHING,
		NULL, NULL},
	{"package: `unsaid` is no word for another kind", XMODEM "fw-type = zigbee_ncp unsaid",
		MULTIPAN, "'multipan'", "zigbee_ncp or unsaid"},

	{"package: what the application speaks", BY_EZSP, ZIGBEE(115200), NULL, NULL},
	{"package: what it does not speak", BY_EZSP, THREAD(115200), "'openthread_rcp'",
		"speaks ezsp"},
	{"package: what it does not speak, by lines", SPEAKS_IT, MULTIPAN, "'multipan'",
		"speaks ezsp"},
	{"package: what it does not speak, and the rule wants it", SPEAKS_IT "fw-type = multipan",
		MULTIPAN, NULL, NULL},
	{"package: one of those that it may speak", BY_ANY, THREAD(460800), NULL, NULL},
	{"package: none of those that it may speak", BY_ANY, ZWAVE, "'zwave_ncp'",
		"cpc, ezsp or spinel"},
	{"package: a router speaks nothing", BY_ANY, {.fw_type = "zigbee_router", .version = "1"},
		"'zigbee_router'", "cpc, ezsp or spinel"},
	{"package: a kind that nobody knows", BY_EZSP, {.fw_type = "my_bridge", .version = "1"},
		NULL, NULL},
	{"package: no kind, and it speaks", BY_EZSP, SAYS_NOTHING, NULL, NULL},

	{"package: the rule's rate", BY_EZSP "entry-baud = 230400", ZIGBEE(230400), NULL, NULL},
	{"package: another rate", BY_EZSP "entry-baud = 115200", ZIGBEE(230400), "230400 baud",
		"wants 115200 (`entry-baud`)"},
	{"package: another rate than it is confirmed at", SPEAKS_IT "confirm-baud = 460800",
		ZIGBEE(115200), "115200 baud", "wants 460800 (`confirm-baud`)"},
	{"package: the new one's rate is that of its confirmation",
		BY_EZSP "entry-baud = 115200\nconfirm-baud = 460800", ZIGBEE(460800), NULL, NULL},

	{"package: a boot loader", XMODEM,
		{.fw_type = "zigbee_ncp", .version = "1", .n_boot_loader = 64},
		"it brings a boot loader (tag at offset", "boot-loader-update = yes"},
	{"package: a boot loader, and no word of it", XMODEM, {.n_boot_loader = 64},
		"it brings a boot loader", "boot-loader-update = yes"},
	{"package: the secure element", BY_EZSP, {.n_secure_element = 64, .version = "1"},
		"firmware for the secure element", "boot-loader-update = yes"},
	{"package: a boot loader by its word", XMODEM, {.fw_type = "bootloader", .version = "1"},
		"'bootloader'", "boot-loader-update = yes"},
	{"package: a boot loader that is wanted", BY_EZSP "boot-loader-update = yes", LOADER_ALONE,
		NULL, NULL},
	{"package: the same beside the rule's kinds",
		XMODEM "fw-type = zigbee_ncp\nboot-loader-update = yes", LOADER_ALONE, NULL, NULL},
};

static void read_rule(const char *lines, struct board *ret)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(ini_done) struct ini ini = {0};
	CLEANUP(freep) char *text = NULL;
	char line[400];

	assert_true(asprintf(&text, "[board a]\nimage = x\n%s\n", lines) > 0);
	assert_int_equal(ini_load_text(&ini, "rule", text, strlen(text), &problems), 0);
	if (config_read_board(&ini, ret, &problems) != 0)
		fail_msg("%s", ini_problem_format(&problems.items[0], line, sizeof(line)));
}

static void check(
	const char *rule, const struct gbl_make *gbl, const char *found, const char *wanted)
{
	const struct image_options options = {.max_bytes = 100000};
	struct image image = {0};
	struct reason reason = {""};
	struct board board;
	int r;

	read_rule(rule, &board);
	assert_int_equal(
		image_read("x.gbl", gbl->data, gbl->n, &options, &image, &reason), IMAGE_OK);
	r = image_check(&board, NULL, &image, &reason);
	if (r != (found ? OUTCOME_BAD_IMAGE : 0))
		fail_msg("%d: %s", r, reason.text);
	if (found && (!strstr(reason.text, found) || !strstr(reason.text, wanted)))
		fail_msg("%s", reason.text);
	image_done(&image);
	board_done(&board);
}

static void a_file_is_taken_or_not(void **state)
{
	const struct check_row *row = *state;
	struct gbl_make gbl = gbl_make_file(&row->file);

	check(row->rule, &gbl, row->found, row->wanted);
	gbl_make_done(&gbl);
}

static void an_encrypted_file_is_taken_as_the_rule_says(void **state)
{
	struct gbl_make gbl = gbl_make_begin(1);
	static const uint8_t bytes[64];

	(void)state;
	gbl_make_tag(&gbl, GBL_TAG_ENCRYPTION, bytes, 16);
	gbl_make_tag(&gbl, GBL_TAG_ENCRYPTED, bytes, sizeof(bytes));
	gbl_make_end(&gbl);
	check(BY_EZSP, &gbl, NULL, NULL);
	check(BY_EZSP "fw-type = zigbee_ncp", &gbl, "is encrypted and does not show",
		"add 'unsaid'");
	check(BY_EZSP "fw-type = zigbee_ncp unsaid", &gbl, NULL, NULL);
	gbl_make_done(&gbl);
}

/* Words of older files are those of today. */
static void an_older_word_is_the_one_of_today(void **state)
{
	const struct gbl_make_file file = {.json = "{\"fw_type\":\"ncp-uart-hw\"}"};
	struct gbl_make gbl = gbl_make_file(&file);

	(void)state;
	check(XMODEM "fw-type = zigbee_ncp", &gbl, NULL, NULL);
	check(XMODEM "fw-type = openthread_rcp", &gbl, "'zigbee_ncp'", "openthread_rcp");
	gbl_make_done(&gbl);
}

struct problem_row {
	const char *name;
	const char *rule;
	const char *problem;
};

static const struct problem_row problem_rows[] = {
	{"key: fw-type, empty", XMODEM "fw-type =", "words like zigbee_ncp"},
	{"key: fw-type, a glob", XMODEM "fw-type = zigbee*", "words like zigbee_ncp"},
	{"key: fw-type, too long", XMODEM "fw-type = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"words like zigbee_ncp"},
	{"key: fw-type, an STM32", "chip = 0x410\nfw-type = zigbee_ncp", "only protocol = xmodem"},
	{"key: boot-loader-update, no word", XMODEM "boot-loader-update = maybe", "yes or no"},
	{"key: boot-loader-update, ymodem", "protocol = ymodem\nboot-loader-update = yes",
		"only protocol = xmodem"},
};

static void a_key_is_refused(void **state)
{
	const struct problem_row *row = *state;
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(ini_done) struct ini ini = {0};
	CLEANUP(freep) char *text = NULL;
	struct board board;
	char line[400];

	assert_true(asprintf(&text, "[board a]\nimage = x\n%s\n", row->rule) > 0);
	assert_int_equal(ini_load_text(&ini, "rule", text, strlen(text), &problems), 0);
	if (config_read_board(&ini, &board, &problems) == 0)
		fail_msg("it was taken");
	ini_problem_format(&problems.items[0], line, sizeof(line));
	if (!strstr(line, row->problem))
		fail_msg("%s", line);
}

int main(void)
{
	struct CMUnitTest tests[60];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, check_rows, a_file_is_taken_or_not);
	ADD_TEST(tests, n_tests, an_encrypted_file_is_taken_as_the_rule_says);
	ADD_TEST(tests, n_tests, an_older_word_is_the_one_of_today);
	ADD_ROWS(tests, n_tests, problem_rows, a_key_is_refused);
	return RUN_TESTS("package check", tests, n_tests);
}
