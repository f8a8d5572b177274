/* SPDX-License-Identifier: MIT */
/*
 * test-orders.c - what a person orders of the chip itself: erase, start, protect, unprotect and
 * write-unprotect, on simulated chips; what goes wrong on the line, and what a chip refuses.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "esp-bench.h"
#include "loader-bench.h"
#include "ti-bench.h"
#include "unit/rows.h"

#define F103	"chip = F103xC\nretries = 0\nretry-delay = 0\n"
#define F103X2	"chip = F103xC\nretries = 1\nretry-delay = 0\n"
#define PAGE	2048u
#define CONTENT 0x5A

enum { WRITE_UNPROTECT = 0x73, PROTECT = 0x82, UNPROTECT = 0x92, GO = 0x21 };

static struct bench *filled(const struct sim_options *options, const char *rule)
{
	struct bench *bench = bench_new_with(options, rule);

	memset(sim_flash(bench->sim), CONTENT, sim_flash_size(bench->sim));
	return bench;
}

static struct bench *f103(const struct sim_faults *faults, const char *rule)
{
	struct sim_options options = {.chip = sim_chip_find("f103xc")};

	if (faults)
		options.faults = *faults;
	return filled(&options, rule);
}

static const struct sim_counters *counters(const struct bench *bench)
{
	return sim_counters(bench->sim);
}

static void must_be(struct bench *bench, enum flash_action action, enum outcome expected)
{
	if (bench_run(bench, action) != expected)
		fail_msg("%s, not %s: %s", outcome_to_string(bench->report.outcome),
			outcome_to_string(expected), bench->report.reason.text);
}

static void reason_has(const struct bench *bench, const char *text)
{
	if (!strstr(bench->report.reason.text, text))
		fail_msg("'%s' is not in: %s", text, bench->report.reason.text);
}

static void remark_is(const struct bench *bench, const char *text)
{
	assert_string_equal(bench->report.remark, text);
}

/* Whether the bytes are all of this value. */
static bool holds(struct bench *bench, uint32_t offset, uint32_t size, uint8_t value)
{
	const uint8_t *bytes = sim_flash(bench->sim) + offset;

	for (uint32_t i = 0; i < size; i++)
		if (bytes[i] != value)
			return false;
	return true;
}

static void wish(struct bench *bench, const char *pages, const char *range)
{
	bench->erase = (struct erase_wish){.what = ERASE_ALL};
	if (pages)
		assert_int_equal(erase_parse_pages(pages, &bench->erase), 0);
	if (range)
		assert_int_equal(erase_parse_range(range, &bench->erase), 0);
}

/* ------------------------------------------------------------------ erase */

static void all_is_erased_by_one_command_and_seen_to_be(void **state)
{
	struct bench *bench = f103(NULL, F103);

	(void)state;
	wish(bench, NULL, NULL);
	must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
	assert_true(holds(bench, 0, sim_flash_size(bench->sim), 0xFF));
	assert_int_equal(counters(bench)->mass_erases, 1);
	assert_true(bench->report.has_erased && bench->report.mass_erased);
	assert_int_equal(bench->report.proof, PROOF_NONE);
	assert_int_equal(bench->report.phase, PHASE_LEAVE);
	remark_is(bench, "erased pages 0-127 (0x08000000-0x0803ffff)");
	/* A block of each page. */
	assert_true(counters(bench)->commands[0x11] >= 128);
	bench_free(bench);
}

static void pages_and_ranges_are_erased_and_nothing_else(void **state)
{
	struct bench *bench = f103(NULL, F103);

	(void)state;
	wish(bench, "9,4-5", NULL);
	must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
	remark_is(bench, "erased pages 4-5 (0x08002000-0x08002fff), 9 (0x08004800-0x08004fff)");
	assert_int_equal(bench->report.pages_erased, 3);
	assert_int_equal(counters(bench)->pages_erased, 3);
	assert_int_equal(counters(bench)->mass_erases, 0);
	assert_true(holds(bench, 4 * PAGE, 2 * PAGE, 0xFF) && holds(bench, 9 * PAGE, PAGE, 0xFF));
	assert_true(holds(bench, 0, 4 * PAGE, CONTENT) &&
		    holds(bench, 6 * PAGE, 3 * PAGE, CONTENT) &&
		    holds(bench, 10 * PAGE, 118 * PAGE, CONTENT));

	wish(bench, NULL, "0x0803f800+2K");
	must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
	assert_true(holds(bench, 127 * PAGE, PAGE, 0xFF));
	assert_true(holds(bench, 10 * PAGE, 117 * PAGE, CONTENT));

	wish(bench, NULL, "0x08000001+2K");
	must_be(bench, FLASH_ERASE, OUTCOME_BAD_CONFIG);
	reason_has(bench, "the range cuts a page");
	assert_false(bench->report.has_erased);
	bench->erase.takes_whole_pages = true;
	must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
	assert_true(holds(bench, 0, 2 * PAGE, 0xFF) && holds(bench, 2 * PAGE, 2 * PAGE, CONTENT));
	wish(bench, "128", NULL);
	must_be(bench, FLASH_ERASE, OUTCOME_BAD_CONFIG);
	reason_has(bench, "has no page 128: the last one is 127");
	bench_free(bench);
}

static void what_the_rule_keeps_stays(void **state)
{
	struct bench *bench = f103(NULL, F103 "keep = 0x0803f000+8\n");

	(void)state;
	wish(bench, NULL, NULL);
	bench->dry_run = true;
	must_be(bench, FLASH_ERASE, OUTCOME_CURRENT);
	assert_true(holds(bench, 0, 128 * PAGE, CONTENT));
	assert_false(bench->report.has_erased);
	remark_is(bench,
		"nothing was erased; it would be pages 0-125 (0x08000000-0x0803efff), 127 (0x0803f800-0x0803ffff); kept page 126 (0x0803f000-0x0803f7ff)");
	bench->dry_run = false;
	must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
	assert_true(holds(bench, 126 * PAGE, PAGE, CONTENT));
	assert_true(holds(bench, 0, 126 * PAGE, 0xFF) && holds(bench, 127 * PAGE, PAGE, 0xFF));
	assert_int_equal(counters(bench)->mass_erases, 0);
	remark_is(bench,
		"erased pages 0-125 (0x08000000-0x0803efff), 127 (0x0803f800-0x0803ffff); kept page 126 (0x0803f000-0x0803f7ff)");
	wish(bench, "126", NULL);
	must_be(bench, FLASH_ERASE, OUTCOME_BAD_CONFIG);
	reason_has(bench, "--with-kept");
	assert_true(holds(bench, 126 * PAGE, PAGE, CONTENT));
	bench->erase.takes_kept = true;
	must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
	assert_true(holds(bench, 126 * PAGE, PAGE, 0xFF));
	bench_free(bench);
}

/* Only the service, which keeps it, gives it back. */
static void the_units_own_data_is_named_where_it_goes(void **state)
{
	struct bench *bench = f103(NULL, F103 "serialize = 0x0803f000+8 hex 1\n");

	(void)state;
	wish(bench, "1", NULL);
	must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
	assert_null(strstr(bench->report.remark, "serialize"));
	wish(bench, "126", NULL);
	must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
	assert_non_null(strstr(bench->report.remark, "the unit's own data (`serialize`) with it"));
	bench_free(bench);
}

/* Each has its own way: lists of 255, one by one, sectors of two banks, cells that read zero. */
static void chips_of_all_kinds_are_erased(void **state)
{
	static const struct {
		const char *chip, *rule;
		uint8_t erased;
	} rows[] = {
		{"g0b1", "chip = 0x467\nretries = 0", 0xFF},
		{"g071-v11.3", "chip = 0x460\nretries = 0", 0xFF},
		{"h743-v9.1", "chip = 0x450\nretries = 0", 0xFF},
		{"f405", "chip = 0x413\nretries = 0", 0xFF},
		{"l152", "chip = 0x416\nretries = 0", 0x00},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct sim_options options = {.chip = sim_chip_find(rows[i].chip)};
		struct bench *bench;

		print_message("# %s\n", rows[i].chip);
		assert_non_null(options.chip);
		bench = filled(&options, rows[i].rule);
		wish(bench, NULL, NULL);
		must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
		assert_true(holds(bench, 0, sim_flash_size(bench->sim), rows[i].erased));
		bench_free(bench);
	}
}

static void an_erase_that_did_nothing_is_found_out(void **state)
{
	struct bench *bench = f103(NULL, F103);

	(void)state;
	/* Pages 8 and 9 are one sector. */
	sim_protect_sectors(bench->sim, 1 << 4);
	wish(bench, "7-10", NULL);
	must_be(bench, FLASH_ERASE, OUTCOME_ERASE_FAILED);
	reason_has(bench,
		"0x08004000 still holds 0x5a: the page is write-protected; plugflash write-unprotect lifts that");
	reason_has(bench, "is not known to hold a whole image");
	assert_true(holds(bench, 8 * PAGE, 2 * PAGE, CONTENT));

	must_be(bench, FLASH_WRITE_UNPROTECT, OUTCOME_UPDATED);
	assert_int_equal(counters(bench)->commands[WRITE_UNPROTECT], 1);
	assert_true(strstr(bench->report.remark, "no page is write-protected any more") != NULL);
	assert_false(bench->report.has_erased);
	assert_true(holds(bench, 8 * PAGE, 2 * PAGE, CONTENT));
	wish(bench, "7-10", NULL);
	must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
	assert_true(holds(bench, 7 * PAGE, 4 * PAGE, 0xFF));
	bench_free(bench);
}

static bool stop(void *userdata)
{
	(void)userdata;
	return true;
}

static void an_order_can_be_cancelled_before_it_is_given(void **state)
{
	static const enum flash_action actions[] = {
		FLASH_ERASE, FLASH_PROTECT, FLASH_WRITE_UNPROTECT};

	(void)state;
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		struct bench *bench = f103(NULL, F103);

		wish(bench, NULL, NULL);
		bench->is_cancelled = stop;
		must_be(bench, actions[i], OUTCOME_CANCELLED);
		assert_true(holds(bench, 0, 128 * PAGE, CONTENT));
		bench->is_cancelled = NULL;
		must_be(bench, FLASH_PROBE, OUTCOME_CURRENT);
		assert_false(bench->report.is_protected);
		bench_free(bench);
	}
}

/* ------------------------------------------------------------------ start */

static struct bench *with_application(const struct sim_options *options, const char *rule)
{
	struct bench *bench = bench_new_with(options, rule);

	bench_take_file(bench, FIRMWARE_OLD);
	bench_preload(bench);
	return bench;
}

static void the_application_is_started_as_the_rule_has_it(void **state)
{
	static const struct {
		const char *rule, *remark;
		unsigned goes;
	} rows[] = {
		{F103, "started by a reset, by the lines of the rule", 0},
		{F103 "start = none", "started by a reset, by the lines of the rule", 0},
		{F103 "start = go", "started at 0x08000000, by the boot loader's Go", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct bench *bench = with_application(
			&(struct sim_options){.chip = sim_chip_find("f103xc")}, rows[i].rule);

		must_be(bench, FLASH_START, OUTCOME_CURRENT);
		remark_is(bench, rows[i].remark);
		assert_int_equal(counters(bench)->commands[GO], rows[i].goes);
		assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
		bench_free(bench);
	}
}

static void without_lines_the_boot_loader_starts_it(void **state)
{
	const struct sim_options options = {
		.chip = sim_chip_find("f103xc"), .circuit = SIM_CIRCUIT_ROM};
	struct bench *bench = with_application(&options, F103 "entry = none");

	(void)state;
	must_be(bench, FLASH_START, OUTCOME_CURRENT);
	remark_is(bench, "started at 0x08000000, by the boot loader's Go");
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	bench_free(bench);
}

/* After an erase without lines the chip waits in its boot loader for what comes next. */
static void without_lines_an_erased_chip_stays_in_its_boot_loader(void **state)
{
	static const char *const rules[] = {F103 "entry = none", F103 "entry = none\nstart = go"};

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		const struct sim_options options = {
			.chip = sim_chip_find("f103xc"), .circuit = SIM_CIRCUIT_ROM};
		struct bench *bench = with_application(&options, rules[i]);

		wish(bench, NULL, NULL);
		must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
		assert_non_null(strstr(bench->report.remark, "the chip stays in its boot loader"));
		assert_int_equal(counters(bench)->commands[GO], 0);
		assert_int_equal(sim_state(bench->sim), SIM_ROM);
		must_be(bench, FLASH_START, OUTCOME_FAILED);
		reason_has(bench, "the flash at 0x08000000 is erased");
		assert_int_equal(counters(bench)->commands[GO], 0);
		bench_free(bench);
	}
}

static void a_start_at_an_address_goes_there_or_nowhere(void **state)
{
	static const struct {
		uint32_t address;
		const char *reason; /* NULL: it goes */
	} rows[] = {
		{0x08000000, NULL},
		{0x08010000, "the flash at 0x08010000 is erased"},
		{0x08000002, "is no place of a vector table"},
		{0x0803FFFC, "is no place of a vector table"},
		{0x20000000, "is no place of a vector table"},
		{0xFFFFFFFC, "is no place of a vector table"},
		{0, "is no place of a vector table"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct bench *bench = with_application(
			&(struct sim_options){.chip = sim_chip_find("f103xc")}, F103);

		bench->has_start_address = true;
		bench->start_address = rows[i].address;
		must_be(bench, FLASH_START, rows[i].reason ? OUTCOME_FAILED : OUTCOME_CURRENT);
		if (rows[i].reason)
			reason_has(bench, rows[i].reason);
		assert_int_equal(counters(bench)->commands[GO], rows[i].reason ? 0 : 1);
		assert_int_equal(counters(bench)->bad_addresses, 0);
		/* One that did not go is started by a reset, as after any failure. */
		assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
		bench_free(bench);
	}
}

/* ------------------------------------------------------------------ protection */

static void protection_is_set_and_lifted(void **state)
{
	struct bench *bench = f103(NULL, F103);

	(void)state;
	must_be(bench, FLASH_UNPROTECT, OUTCOME_CURRENT);
	remark_is(bench, "read-out protection was off already; nothing was wiped");
	assert_int_equal(counters(bench)->unprotects, 0);

	must_be(bench, FLASH_PROTECT, OUTCOME_UPDATED);
	remark_is(bench, "read-out protection is on: nobody can read the flash any more");
	assert_true(bench->report.is_protected);
	assert_false(bench->report.has_erased);
	assert_int_equal(strlen(bench->report.unit), 24);
	assert_true(holds(bench, 0, 128 * PAGE, CONTENT));
	must_be(bench, FLASH_PROTECT, OUTCOME_CURRENT);
	remark_is(bench, "read-out protection is on already; nothing was changed");
	assert_int_equal(counters(bench)->commands[PROTECT], 1);

	wish(bench, NULL, NULL);
	must_be(bench, FLASH_ERASE, OUTCOME_PROTECTED);
	reason_has(bench, "plugflash unprotect lifts it, which wipes all of the flash");
	must_be(bench, FLASH_WRITE_UNPROTECT, OUTCOME_PROTECTED);
	bench->has_start_address = true;
	bench->start_address = 0x08000000;
	must_be(bench, FLASH_START, OUTCOME_PROTECTED);
	/* A reset needs no boot loader that obeys. */
	bench->has_start_address = false;
	must_be(bench, FLASH_START, OUTCOME_CURRENT);
	assert_true(holds(bench, 0, 128 * PAGE, CONTENT));

	must_be(bench, FLASH_UNPROTECT, OUTCOME_UPDATED);
	remark_is(bench, "read-out protection is off; all of the flash was wiped");
	assert_true(bench->report.has_erased && bench->report.mass_erased);
	assert_int_equal(counters(bench)->unprotects, 1);
	assert_true(holds(bench, 0, 128 * PAGE, 0xFF));
	must_be(bench, FLASH_PROBE, OUTCOME_CURRENT);
	assert_false(bench->report.is_protected);
	bench_free(bench);
}

/* Newer families have no read-out protection that a boot loader could set (AN3155 3.1). */
static void a_chip_without_the_command_says_so(void **state)
{
	struct sim_options options = {.chip = sim_chip_find("u375-v14.1")};
	struct bench *bench;

	(void)state;
	assert_non_null(options.chip);
	assert_true(options.chip->has_no_protection);
	bench = filled(&options, "chip = 0x454\nretries = 3\nretry-delay = 0");
	must_be(bench, FLASH_PROTECT, OUTCOME_FAILED);
	reason_has(bench, "does not list Readout Protect: nothing was changed");
	assert_int_equal(bench->report.entries, 1);
	bench_free(bench);
}

static void a_refused_command_is_not_repeated(void **state)
{
	static const struct {
		enum flash_action action;
		int code;
		const char *reason;
	} rows[] = {
		{FLASH_PROTECT, PROTECT, "refused Readout Protect (NACK): nothing was changed"},
		{FLASH_WRITE_UNPROTECT, WRITE_UNPROTECT,
			"refused Write Unprotect (NACK): nothing was changed"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct sim_faults faults = {.nack_code = rows[i].code};
		struct bench *bench = f103(&faults, F103X2);

		must_be(bench, rows[i].action, OUTCOME_FAILED);
		reason_has(bench, rows[i].reason);
		assert_int_equal(bench->report.entries, 1);
		assert_true(holds(bench, 0, 128 * PAGE, CONTENT));
		bench_free(bench);
	}
}

/* ------------------------------------------------------------------ the line */

static bool is_so(struct bench *bench, enum flash_action action)
{
	const struct report before = bench->report;
	bool is_on;

	if (action == FLASH_ERASE)
		return holds(bench, 0, 128 * PAGE, 0xFF);
	if (action != FLASH_PROTECT && action != FLASH_UNPROTECT)
		return true;
	sim_set_faults(bench->sim, &(struct sim_faults){0});
	must_be(bench, FLASH_PROBE, OUTCOME_CURRENT);
	is_on = bench->report.is_protected;
	bench->report = before;
	return is_on == (action == FLASH_PROTECT);
}

/*
 * A byte is lost or bent at each place of the conversation, either way: the job ends, what it says
 * to be done is done, and nothing is erased that was not to be.
 */
static void a_byte_lost_or_bent_anywhere_changes_no_meaning(void **state)
{
	static const enum flash_action actions[] = {
		FLASH_ERASE, FLASH_START, FLASH_PROTECT, FLASH_UNPROTECT, FLASH_WRITE_UNPROTECT};
	unsigned n_jobs = 0, n_good = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
		for (unsigned kind = 0; kind < 4; kind++)
			for (uint64_t n = 1; n < 160; n += actions[i] == FLASH_ERASE ? 3 : 1) {
				struct sim_faults faults = {
					.protect = actions[i] == FLASH_UNPROTECT};
				struct bench *bench;
				enum outcome outcome;

				*(kind == 0	    ? &faults.drop_sent
					: kind == 1 ? &faults.flip_sent
					: kind == 2 ? &faults.drop_received
						    : &faults.flip_received) = n;
				bench = f103(&faults, F103X2);
				wish(bench, NULL, NULL);
				outcome = bench_run(bench, actions[i]);
				n_jobs++;
				if (outcome == OUTCOME_UPDATED) {
					n_good++;
					if (!is_so(bench, actions[i]))
						fail_msg(
							"action %d, kind %u, byte %u: it is not so",
							actions[i], kind, (unsigned)n);
				}
				if (actions[i] != FLASH_ERASE && actions[i] != FLASH_UNPROTECT &&
					!holds(bench, 0, 128 * PAGE, CONTENT))
					fail_msg("action %d, kind %u, byte %u: erased", actions[i],
						kind, (unsigned)n);
				bench_free(bench);
			}
	print_message("# figure: %u jobs, %u updated\n", n_jobs, n_good);
	assert_true(n_good > n_jobs / 3);
}

/* The ACK of the command itself is lost: the second pass finds what the first has done. */
static void a_lost_answer_is_looked_at_again(void **state)
{
	static const struct {
		enum flash_action action;
		int code;
	} rows[] = {{FLASH_PROTECT, PROTECT}, {FLASH_UNPROTECT, UNPROTECT},
		{FLASH_WRITE_UNPROTECT, WRITE_UNPROTECT}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct sim_faults faults = {.hang_code = rows[i].code,
			.hang_nth = 1,
			.protect = rows[i].action == FLASH_UNPROTECT};
		struct bench *bench = f103(&faults, F103X2);

		must_be(bench, rows[i].action, OUTCOME_UPDATED);
		assert_int_equal(bench->report.entries >= 2, true);
		assert_true(is_so(bench, rows[i].action));
		bench_free(bench);

		/* And with no other pass nobody says that it was done. */
		bench = f103(&faults, F103);
		if (bench_run(bench, rows[i].action) == OUTCOME_UPDATED)
			fail_msg("action %d: updated", rows[i].action);
		bench_free(bench);
	}
}

static void a_bridge_that_goes_is_told_as_always(void **state)
{
	const struct sim_faults faults = {.vanish_code = 0x43, .vanish_nth = 1};
	struct bench *bench = f103(&faults, F103);

	(void)state;
	wish(bench, NULL, NULL);
	bench->goes_away = true;
	must_be(bench, FLASH_ERASE, OUTCOME_PORT_GONE);
	reason_has(bench, "the bridge went away during erase");
	bench_free(bench);
}

/* ------------------------------------------------------------------ other loaders */

static void what_a_loader_lacks_is_said_before_the_port_is_opened(void **state)
{
	static const struct {
		const char *chip, *rule;
		enum flash_action action;
		bool at_address;
		const char *reason;
	} rows[] = {
		{"f103c8", "protocol = xmodem\naccept-unverified = yes\nentry = none", FLASH_ERASE,
			false, "`protocol = xmodem` cannot do it: it erases as it takes a file"},
		{"f103c8", "protocol = ymodem\naccept-unverified = yes\nentry = none",
			FLASH_PROTECT, false, "no command that sets a read-out protection"},
		{"f103c8", "protocol = ymodem\naccept-unverified = yes\nentry = none",
			FLASH_UNPROTECT, false, "no command that lifts a read-out protection"},
		{"f103c8", "protocol = xmodem\naccept-unverified = yes\nentry = none",
			FLASH_WRITE_UNPROTECT, false, "no command that lifts a write protection"},
		{"esp32", ESP_RULE "chip = esp32", FLASH_PROTECT, false,
			"`protocol = esp` cannot do it"},
		{"esp32", ESP_RULE "chip = esp32", FLASH_WRITE_UNPROTECT, false,
			"`protocol = esp` cannot do it"},
		{"esp32", ESP_RULE "chip = esp32", FLASH_START, true,
			"no command that starts a program at an address"},
		{"cc2652p", TI_RULE "chip = cc2652p\nbackdoor-pin = 15", FLASH_UNPROTECT, false,
			"`protocol = bsl` cannot do it"},
		{"cc2652p", TI_RULE "chip = cc2652p\nbackdoor-pin = 15", FLASH_START, true,
			"no command that starts a program at an address"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct bench *bench = bench_new(rows[i].chip, rows[i].rule);

		bench->has_start_address = rows[i].at_address;
		wish(bench, NULL, NULL);
		must_be(bench, rows[i].action, OUTCOME_FAILED);
		reason_has(bench, rows[i].reason);
		assert_int_equal(port_sim_record(BENCH_PORT)->opens, 0);
		bench_free(bench);
	}
}

static void a_loader_with_a_menu_starts_its_application_or_says_why_not(void **state)
{
	static const struct {
		const char *rule, *refusal;
		enum outcome outcome;
		const char *text;
	} rows[] = {
		{IAP "entry = none\nstart = go", NULL, OUTCOME_CURRENT,
			"started by the boot loader's own command"},
		{GECKO "entry = none\nstart = go\naccept-unverified = yes", NULL, OUTCOME_CURRENT,
			"started by the boot loader's own command"},
		{GECKO "entry = none\nstart = go\naccept-unverified = yes",
			"\r\nFailed to boot\r\n", OUTCOME_FAILED, "and shows its menu again"},
		{"protocol = xmodem\nmenu = expect \"BL >\" send \"1\"\nentry = none\naccept-unverified = yes",
			NULL, OUTCOME_FAILED, "the rule has no `menu-start`"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct sim_options options = {.circuit = SIM_CIRCUIT_ROM,
			.resident = i == 0 ? SIM_RESIDENT_IAP : SIM_RESIDENT_GECKO,
			.faults = {.refuses_start = rows[i].refusal}};
		struct bench *bench = new_bench(&options, rows[i].rule);

		take_application(bench, 3000, 5);
		bench_preload(bench);
		must_be(bench, FLASH_START, rows[i].outcome);
		if (rows[i].outcome == OUTCOME_CURRENT) {
			remark_is(bench, rows[i].text);
			assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
		} else {
			reason_has(bench, rows[i].text);
		}
		bench_free(bench);
	}
}

static void an_esp_is_erased_and_started(void **state)
{
	struct bench *bench = esp_bench_new("esp32c3", NULL, NULL, "");
	uint32_t size = sim_flash_size(bench->sim);

	(void)state;
	memset(sim_flash(bench->sim), CONTENT, size);
	wish(bench, "16-17", NULL);
	must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
	assert_true(holds(bench, 0x10000, 0x2000, 0xFF));
	assert_true(holds(bench, 0, 0x10000, CONTENT) && holds(bench, 0x12000, 0x10000, CONTENT));
	wish(bench, NULL, NULL);
	must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
	assert_true(holds(bench, 0, size, 0xFF));
	/* It says itself that it starts nothing. */
	must_be(bench, FLASH_START, OUTCOME_NOT_STARTED);
	reason_has(bench, "the chip was told to start, but the chip does not start it");
	remark_is(bench, "");
	esp_take_build(bench, "esp32c3", "1.0", 20000);
	bench_preload(bench);
	must_be(bench, FLASH_START, OUTCOME_CURRENT);
	remark_is(bench, "started by a reset, by the lines of the rule");
	bench_free(bench);
}

static void a_stick_of_ti_keeps_the_way_into_its_boot_loader(void **state)
{
	struct ti_make_image made = ti_make_new("cc2652p", "20240710", 0);
	struct bench *bench = ti_bench_new("cc2652p", NULL, NULL, "");
	uint32_t size = sim_flash_size(bench->sim);

	(void)state;
	memcpy(sim_flash(bench->sim), made.flash, size);
	wish(bench, NULL, NULL);
	must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
	assert_true(holds(bench, 0, size - 0x2000, 0xFF));
	assert_memory_equal(
		sim_flash(bench->sim) + size - 0x2000, made.flash + size - 0x2000, 0x2000);
	assert_non_null(strstr(bench->report.remark,
		"; what the firmware had kept, such as its network, with it; kept page 43 (0x00056000-0x00057fff)"));
	wish(bench, "43", NULL);
	must_be(bench, FLASH_ERASE, OUTCOME_BAD_CONFIG);
	bench->erase.takes_kept = true;
	must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
	/* It answers as before: a stick without settings is in its boot loader. */
	must_be(bench, FLASH_PROBE, OUTCOME_CURRENT);
	ti_make_done(&made);
	bench_free(bench);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_erased_by_one_command_and_seen_to_be),
		cmocka_unit_test(pages_and_ranges_are_erased_and_nothing_else),
		cmocka_unit_test(what_the_rule_keeps_stays),
		cmocka_unit_test(the_units_own_data_is_named_where_it_goes),
		cmocka_unit_test(chips_of_all_kinds_are_erased),
		cmocka_unit_test(an_erase_that_did_nothing_is_found_out),
		cmocka_unit_test(an_order_can_be_cancelled_before_it_is_given),
		cmocka_unit_test(the_application_is_started_as_the_rule_has_it),
		cmocka_unit_test(without_lines_the_boot_loader_starts_it),
		cmocka_unit_test(without_lines_an_erased_chip_stays_in_its_boot_loader),
		cmocka_unit_test(a_start_at_an_address_goes_there_or_nowhere),
		cmocka_unit_test(protection_is_set_and_lifted),
		cmocka_unit_test(a_chip_without_the_command_says_so),
		cmocka_unit_test(a_refused_command_is_not_repeated),
		cmocka_unit_test(a_byte_lost_or_bent_anywhere_changes_no_meaning),
		cmocka_unit_test(a_lost_answer_is_looked_at_again),
		cmocka_unit_test(a_bridge_that_goes_is_told_as_always),
		cmocka_unit_test(what_a_loader_lacks_is_said_before_the_port_is_opened),
		cmocka_unit_test(a_loader_with_a_menu_starts_its_application_or_says_why_not),
		cmocka_unit_test(an_esp_is_erased_and_started),
		cmocka_unit_test(a_stick_of_ti_keeps_the_way_into_its_boot_loader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
