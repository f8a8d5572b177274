/* SPDX-License-Identifier: MIT */
/*
 * How a job ended, as closing line and as JSON. The command's objects are in no archive: its files
 * are part of this.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>

#include "base/util.h"
#include "cli/bridges.c"
#include "cli/find.c"
#include "cli/objects.c"
#include "cli/reader.c"
#include "cli/summary.c"
#include "cli/terminal.c"
#include "cli/units.c"
#include "cli/wait-for-copy.c"
#include "cli/when.c"

static const struct options no_options = {0};
static const struct options read_options = {.argument = "out.bin"};

static const struct {
	const char *name;
	enum flash_action action;
	bool dry_run;
	struct report report;
	uint32_t n_read;
	const char *expected;
} endings[] = {
	{"updated", FLASH_UPDATE, false,
		{.outcome = OUTCOME_UPDATED,
			.bytes = 5120,
			.duration_ms = 1900,
			.image = "gate-1.2.hex"},
		0,
		"ttyUSB0: updated: gate-1.2.hex, 5120 bytes in 1.9 s, 2.6 KiB/s overall, verified"},
	{"updated by the program in the RAM", FLASH_UPDATE, false,
		{.outcome = OUTCOME_UPDATED,
			.bytes = 5120,
			.duration_ms = 1900,
			.image = "gate-1.2.hex",
			.stub = "used: version 1, at 921600 baud"},
		0,
		"ttyUSB0: updated: gate-1.2.hex, 5120 bytes in 1.9 s, 2.6 KiB/s overall, verified; stub used: version 1, at 921600 baud"},
	{"updated without it", FLASH_UPDATE, false,
		{.outcome = OUTCOME_UPDATED,
			.bytes = 5120,
			.duration_ms = 1900,
			.image = "gate-1.2.hex",
			.stub = "not used: it pays from 8192 bytes on"},
		0,
		"ttyUSB0: updated: gate-1.2.hex, 5120 bytes in 1.9 s, 2.6 KiB/s overall, verified"},
	{"updated from a path", FLASH_UPDATE, false,
		{.outcome = OUTCOME_UPDATED,
			.bytes = 4,
			.duration_ms = 10,
			.image = "/tmp/a/b.bin"},
		0, "ttyUSB0: updated: b.bin, 4 bytes in 0.0 s, verified"},
	{"updated by one of many builds", FLASH_UPDATE, false,
		{.outcome = OUTCOME_UPDATED,
			.bytes = 4,
			.duration_ms = 10,
			.image = "lamp/lamp-1.2/flasher_args.json"},
		0, "ttyUSB0: updated: lamp-1.2/flasher_args.json, 4 bytes in 0.0 s, verified"},
	{"dry run with a build in the directory itself", FLASH_UPDATE, true,
		{.outcome = OUTCOME_UPDATED, .image = "lamp-1.2/flasher_args.json"}, 0,
		"ttyUSB0: dry run: lamp-1.2/flasher_args.json would be written; nothing was erased"},
	{"confirmed", FLASH_UPDATE, false,
		{.outcome = OUTCOME_UPDATED,
			.bytes = 4,
			.duration_ms = 10,
			.image = "b.gbl",
			.proof = PROOF_CONFIRM},
		0, "ttyUSB0: updated: b.gbl, 4 bytes in 0.0 s, confirmed by the application"},
	{"confirmed, with what it said", FLASH_UPDATE, false,
		{.outcome = OUTCOME_UPDATED,
			.bytes = 4,
			.duration_ms = 10,
			.image = "b.gbl",
			.application = "ezsp",
			.application_version = "7.4.3.0\n",
			.proof = PROOF_CONFIRM},
		0,
		"ttyUSB0: updated: b.gbl, 4 bytes in 0.0 s, confirmed by the application; it runs ezsp 7.4.3.0\\x0a"},
	{"the loader's word", FLASH_UPDATE, false,
		{.outcome = OUTCOME_UPDATED,
			.bytes = 4,
			.duration_ms = 10,
			.image = "b.gbl",
			.proof = PROOF_LOADER},
		0,
		"ttyUSB0: updated: b.gbl, 4 bytes in 0.0 s, not verified, by the boot loader's "
		"word"},
	{"current by its version", FLASH_UPDATE, false,
		{.outcome = OUTCOME_CURRENT, .image = "b.gbl", .proof = PROOF_VERSION}, 0,
		"ttyUSB0: current: the application says the version of b.gbl"},
	{"dry run", FLASH_UPDATE, true, {.outcome = OUTCOME_UPDATED, .image = "gate-1.2.hex"}, 0,
		"ttyUSB0: dry run: gate-1.2.hex would be written; nothing was erased"},
	{"current", FLASH_UPDATE, false,
		{.outcome = OUTCOME_CURRENT,
			.bytes = 5120,
			.duration_ms = 61000,
			.image = "gate-1.2.hex"},
		0, "ttyUSB0: current: holds gate-1.2.hex, 5120 bytes compared in 1 min 1 s"},
	{"verified", FLASH_VERIFY, false,
		{.outcome = OUTCOME_CURRENT,
			.bytes = 5120,
			.duration_ms = 900,
			.image = "gate-1.2.hex"},
		0, "ttyUSB0: current: holds gate-1.2.hex, 5120 bytes compared in 0.9 s"},
	{"read", FLASH_READ, false, {.outcome = OUTCOME_CURRENT, .duration_ms = 28000}, 262144,
		"ttyUSB0: read: 262144 bytes to 'out.bin' in 28.0 s, 9.1 KiB/s overall"},
	{"probed", FLASH_PROBE, false, {.outcome = OUTCOME_CURRENT, .duration_ms = 400}, 0,
		"ttyUSB0: probed in 0.4 s"},
	{"identified", FLASH_IDENTIFY, false, {.outcome = OUTCOME_CURRENT, .duration_ms = 10200}, 0,
		"ttyUSB0: showed itself in 10.2 s"},
	{"erased", FLASH_ERASE, false,
		{.outcome = OUTCOME_UPDATED,
			.duration_ms = 1200,
			.remark = "erased page 4 (0x08001000-0x080013ff)"},
		0, "ttyUSB0: erased page 4 (0x08001000-0x080013ff), in 1.2 s"},
};

static void test_closing_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		struct session session = {
			.verb = "any",
			.options = endings[i].action == FLASH_READ ? &read_options : &no_options,
			.assignment = {.action = endings[i].action,
				.dry_run = endings[i].dry_run,
				.port = (char *)"/dev/ttyUSB0"},
			.report = endings[i].report,
			.n_read = endings[i].n_read,
		};
		char line[LINE_SIZE];

		print_message("# %s\n", endings[i].name);
		assert_string_equal(
			summary_line(&session, line, sizeof(line)), endings[i].expected);
	}
}

/* Printed and read back by the library's strict parser. */
static json_t *print_and_parse(const struct session *session)
{
	CLEANUP(freep) char *text = NULL;
	size_t n_text = 0;
	FILE *to = open_memstream(&text, &n_text);
	json_t *object;

	assert_non_null(to);
	assert_int_equal(json_print_session(session, to), 0);
	fclose(to);
	object = json_loadb(text, n_text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(object);
	return object;
}

static void assert_text(const json_t *object, const char *key, const char *expected)
{
	const char *got = json_string_value(json_object_get(object, key));

	assert_non_null(got);
	assert_string_equal(got, expected);
}

static void test_json_of_a_failure(void **state)
{
	const struct session session = {
		.verb = "verify",
		.options = &no_options,
		.bridge = {.port = (char *)"/dev/ttyUSB0",
			.vendor_id = 0x10C4,
			.product_id = 0xEA60,
			.serial = (char *)"0001"},
		.assignment = {.board = {.name = (char *)"gate"}},
		.report = {.outcome = OUTCOME_VERIFY_DIFFERS,
			.phase = PHASE_COMPARE,
			.error = EIO,
			.has_address = true,
			.address = 0x08000123,
			.expected = 0x12,
			.has_got = true,
			.got = 0x34,
			.has_product_id = true,
			.product_id = 0x414,
			.bootloader_version = 0x22,
			.baud = 115200,
			.duration_ms = 812,
			.phase_ms = {[PHASE_COMPARE] = 700},
			.reason = {"a 'quoted' \"reason\""}},
	};
	CLEANUP(json_decrefp) json_t *object = print_and_parse(&session);

	(void)state;
	assert_text(object, "verb", "verify");
	assert_text(object, "outcome", "verify-differs");
	assert_int_equal(json_integer_value(json_object_get(object, "exit_code")), 15);
	assert_text(object, "phase", "compare");
	assert_text(object, "port", "ttyUSB0");
	assert_text(object, "usb_id", "10c4:ea60");
	assert_text(object, "usb_serial", "0001");
	assert_text(object, "board", "gate");
	assert_text(object, "product_id", "0x414");
	assert_text(object, "bootloader_version", "2.2");
	assert_text(object, "address", "0x08000123");
	assert_text(object, "expected", "0x12");
	assert_text(object, "got", "0x34");
	assert_text(object, "error", "EIO");
	assert_text(object, "reason", "a 'quoted' \"reason\"");
	assert_int_equal(json_integer_value(json_object_get(object, "baud")), 115200);
	assert_int_equal(json_integer_value(json_object_get(object, "duration_ms")), 812);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(object, "phase_ms"), "compare")),
		700);
	assert_true(json_is_null(json_object_get(object, "sha256")));
	assert_true(json_is_null(json_object_get(object, "unit")));
}

static const struct {
	const char *name;
	const char *serial;
	const char *expected; /* NULL: null */
} descriptors[] = {
	{"fault 65: controls and quotes", "a\n\"b\"\x01%n", "a\n\"b\"\x01%n"},
	{"fault 65: not UTF-8", "gate\xff", "gate\\xff"},
	{"none", NULL, NULL},
};

static void test_fault_65_json_of_descriptors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(descriptors); i++) {
		const struct session session = {
			.verb = "flash",
			.options = &no_options,
			.bridge = {.serial = (char *)descriptors[i].serial},
		};
		CLEANUP(json_decrefp) json_t *object = print_and_parse(&session);

		print_message("# %s\n", descriptors[i].name);
		if (descriptors[i].expected)
			assert_text(object, "usb_serial", descriptors[i].expected);
		else
			assert_true(json_is_null(json_object_get(object, "usb_serial")));
	}
}

/* What is invisible, or turns the line around, is not shown raw; whoever parses it gets it exactly.
 */
static void test_json_is_ascii_alone(void **state)
{
	static const char serial[] = "A1\xE2\x80\xAE\xC2\x9B\x7F\xF3\xA0\x81\x81\xC3\xBC";
	struct session session = {.options = &no_options, .bridge = {.serial = (char *)serial}};
	CLEANUP(freep) char *text = NULL;
	size_t n_text = 0;
	FILE *to = open_memstream(&text, &n_text);
	json_t *object;

	(void)state;
	assert_int_equal(json_print_session(&session, to), 0);
	fclose(to);
	for (size_t i = 0; i < n_text; i++)
		assert_true(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
	object = json_loadb(text, n_text, JSON_REJECT_DUPLICATES, NULL);
	assert_text(object, "usb_serial", serial);
	json_decref(object);
}

/* One has a byte that is no UTF-8, the other what that byte is shown as. */
static void test_json_of_two_serials_differs(void **state)
{
	static const char *const serials[][2] = {
		{"A\x9B", "A\\x5cx9b"}, {"A\\x9b", "A\\x5cx9b"}, {"A", "A\\x41"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(serials); i++) {
		char *shown[2];

		for (size_t k = 0; k < 2; k++) {
			const struct session session = {.options = &no_options,
				.bridge = {.serial = (char *)serials[i][k]}};
			json_t *object = print_and_parse(&session);

			shown[k] = strdup(json_string_value(json_object_get(object, "usb_serial")));
			json_decref(object);
		}
		assert_string_not_equal(shown[0], shown[1]);
		free(shown[0]);
		free(shown[1]);
	}
}

static void test_reason_is_told_without_the_port_twice(void **state)
{
	const struct report report = {.reason = {"/dev/ttyUSB0: no answer"}};

	(void)state;
	assert_string_equal(reason_without_port(&report, "/dev/ttyUSB0"), "no answer");
	assert_string_equal(reason_without_port(&report, "/dev/ttyUSB"), report.reason.text);
	assert_string_equal(reason_without_port(&report, NULL), report.reason.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closing_lines),
		cmocka_unit_test(test_json_of_a_failure),
		cmocka_unit_test(test_fault_65_json_of_descriptors),
		cmocka_unit_test(test_json_is_ascii_alone),
		cmocka_unit_test(test_json_of_two_serials_differs),
		cmocka_unit_test(test_reason_is_told_without_the_port_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
