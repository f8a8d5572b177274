/* SPDX-License-Identifier: MIT */
/*
 * test-orders-line.c - orders on a line that loses or bends bytes, and those that chips with other
 * boot loaders take or lack.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "esp-bench.h"
#include "loader-bench.h"
#include "orders.h"
#include "ti-bench.h"

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
