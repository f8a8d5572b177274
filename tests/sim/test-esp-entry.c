/* SPDX-License-Identifier: MIT */
/*
 * test-esp-entry.c - into the ROM of an ESP and out again: the ways in, what the chip's own words
 * say of a fault, and whether the application starts. Checks 6, 7 and 23 of esp-rom.md 17.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/sysmacros.h>

#include "flash/image-check.h"
#include "tools/esp-make.h"
#include "unit/rows.h"

#define RULE	    "protocol = esp\nchip = esp32\nbaud = 460800 115200\n"
#define APPLICATION 6000

static struct bench *esp_bench(const struct sim_options *options, const char *rule)
{
	struct sim_options made = *options;

	if (!made.chip)
		made.chip = sim_chip_find("esp32");
	made.circuit = SIM_CIRCUIT_ESP;
	return bench_new_with(&made, rule);
}

/* A whole flash: boot loader, table, otadata and application. */
static void take_project(struct bench *bench, const char *version)
{
	struct esp_make_project project = esp_make_project("esp32", version, APPLICATION, true);
	struct esp_bytes merged = esp_make_merged(project.parts, project.n_parts, 0);
	const struct image_options options = {.max_bytes = (uint32_t)merged.n};
	struct reason reason = {""};

	image_done(&bench->image);
	assert_int_equal(
		image_read("x.bin", merged.data, merged.n, &options, &bench->image, &reason), 0);
	if (image_check_shape(&bench->board, bench->chips, &bench->image, &reason) != 0)
		fail_msg("%s", reason.text);
	esp_bytes_done(&merged);
	esp_make_project_done(&project);
}

static void assert_reason(const struct bench *bench, const char *part)
{
	printf("# %s\n", bench->report.reason.text);
	if (!strstr(bench->report.reason.text, part))
		fail_msg("'%s' is not in '%s'", part, bench->report.reason.text);
}

static unsigned n_commands(const struct bench *bench)
{
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sim_counters(bench->sim)->commands); i++)
		n += sim_counters(bench->sim)->commands[i];
	return n;
}

/* The n-th time, from 0, that the boot pin is low and the chip not in reset: DTR alone. */
static const struct port_sim_lines *boot_pin(unsigned nth)
{
	const struct port_sim_record *record = port_sim_record(BENCH_PORT);

	for (size_t i = 0; i + 1 < record->n_lines; i++)
		if (record->lines[i].lines == LINE_DTR && nth-- == 0)
			return &record->lines[i];
	fail_msg("not so often");
	return NULL;
}

static unsigned held_msec(unsigned nth)
{
	const struct port_sim_lines *lines = boot_pin(nth);

	return (unsigned)((lines[1].at_nsec - lines->at_nsec) / 1000000);
}

/* ------------------------------------------------------------------ in */

static void a_plain_board_is_met_by_the_first_way(void **state)
{
	struct bench *bench = esp_bench(&(struct sim_options){0}, RULE);

	(void)state;
	assert_int_equal(bench_run(bench, FLASH_PROBE), OUTCOME_CURRENT);
	assert_int_equal(bench->report.entries, 1);
	assert_string_equal(bench->report.entered, "lines");
	assert_in_range(held_msec(0), 50, 53);
	assert_int_equal(sim_esp(bench->sim)->starts_into_loader, 1);
	assert_int_equal(sim_esp(bench->sim)->starts, 2); /* in, out */
	bench_free(bench);
}

/* 10 k and 10 uF: EN rises for 120 ms, and the boot pin is high again by then. */
static void check_06_a_large_capacitor_needs_the_second_way(void **state)
{
	struct bench *bench =
		esp_bench(&(struct sim_options){.esp.capacitor_nf = 10000}, RULE "retries = 0\n");

	(void)state;
	assert_int_equal(bench_run(bench, FLASH_PROBE), OUTCOME_CURRENT);
	assert_int_equal(bench->report.entries, 2);
	assert_in_range(held_msec(0), 50, 53);
	assert_in_range(held_msec(1), 550, 553);
	/* The chip said "boot:0x13": its application was not spoken to. */
	assert_true(port_sim_record(BENCH_PORT)->sent[0].at_nsec > boot_pin(1)->at_nsec);
	bench_free(bench);
}

static void check_06_a_boot_pin_that_is_never_low_is_named(void **state)
{
	struct bench *bench = esp_bench(
		&(struct sim_options){.faults.esp.boot_pin_high = true}, RULE "retries = 0\n");

	(void)state;
	assert_int_equal(bench_run(bench, FLASH_PROBE), OUTCOME_NO_SYNC);
	assert_int_equal(bench->report.entries, 4);
	assert_in_range(held_msec(0), 50, 53);
	assert_in_range(held_msec(1), 550, 553);
	assert_in_range(held_msec(2), 50, 53);
	assert_in_range(held_msec(3), 550, 553);
	assert_reason(bench, "the boot pin is high");
	assert_reason(bench, "hold BOOT");
	assert_int_equal(n_commands(bench), 0);
	bench_free(bench);
}

/* What is at the board, what is said of it, and what must not have happened. */
static const struct fault_row {
	const char *name;
	const char *chip; /* NULL: esp32 */
	struct sim_esp esp;
	struct sim_esp_faults faults;
	const char *chatter;
	enum sim_circuit circuit; /* 0: as on an ESP board */
	const char *cause;
	bool is_repeated; /* another reset may help */
} fault_rows[] = {
	{"check_07_a_chip_that_waits_and_is_deaf_has_a_broken_tx_path", .faults.is_deaf = true,
		.cause = "TX path"},
	{"check_07_the_same_of_a_C3", "esp32c3", .faults.is_deaf = true, .cause = "TX path"},
	{"a deaf chip without text", .esp.no_text = true, .faults.is_deaf = true,
		.cause = "nothing at all was heard"},
	{"no power", .faults.no_power = true, .cause = "check power"},
	{"a second pin that is low", "esp32c3", .esp.second_pin_low = true,
		.cause = "strapping pins", .is_repeated = true},
	{"a boot pin that is high", .faults.boot_pin_high = true, .cause = "boot pin",
		.is_repeated = true},
	{"the loader switched off", .esp.download_off = true, .cause = "boot pin",
		.is_repeated = true},
	{"an ESP8266 that is deaf", "esp8266", .faults.is_deaf = true, .cause = "ESP8266"},
	{"lines that are not connected", .chatter = "gate 1.0.0 ready\r\n",
		.circuit = SIM_CIRCUIT_NONE, .cause = "the reset does not reach the chip"},
};

static void a_fault_is_named_by_the_words_of_the_chip(void **state)
{
	const struct fault_row *row = *state;
	struct sim_options options = {.chip = sim_chip_find(row->chip ? row->chip : "esp32"),
		.circuit = row->circuit ? row->circuit : SIM_CIRCUIT_ESP,
		.chatter = row->chatter,
		.esp = row->esp,
		.faults.esp = row->faults};
	struct bench *bench = bench_new_with(&options, RULE "retries = 1\n");
	uint64_t begun;

	take_project(bench, "1.0.0");
	bench_preload(bench);
	sim_power(bench->sim, 0);
	port_sim_pass(BENCH_PORT, 1000000);
	begun = bench_msec(bench);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_NO_SYNC);
	assert_reason(bench, row->cause);
	assert_int_equal(bench->report.entries, row->is_repeated ? 8 : 4);
	assert_int_equal(sim_counters(bench->sim)->pages_erased, 0);
	assert_int_equal(n_commands(bench), 0);
	assert_true(bench_holds_image(bench));
	/* Somebody waits for the light: esp-rom.md 2.7 has 4.6 s for the four ways. */
	if (!row->is_repeated)
		assert_true(bench_msec(bench) - begun < 10000);
	bench_free(bench);
}

static void a_silent_rom_is_met_all_the_same(void **state)
{
	struct bench *bench = esp_bench(&(struct sim_options){.esp.no_text = true}, RULE);

	(void)state;
	take_project(bench, "1.0.0");
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_int_equal(bench->report.entries, 1);
	assert_int_equal(sim_esp(bench->sim)->app, 0x10000);
	bench_free(bench);
}

/* A module behind a bare bridge: a hand holds BOOT as it presses EN, or it does not. */
static void a_board_without_lines_is_put_into_its_loader_by_hand(void **state)
{
	(void)state;
	for (unsigned held = 0; held < 2; held++) {
		struct sim_options options = {.chip = sim_chip_find("esp32"),
			.circuit = SIM_CIRCUIT_NONE,
			.faults.esp.boot_pin_low_resets = held};
		struct bench *bench = bench_new_with(
			&options, "protocol = esp\nchip = esp32\nentry = none\nretries = 0\n");

		take_project(bench, "1.0.0");
		sim_power(bench->sim, 0);
		port_sim_pass(BENCH_PORT, 1000000);
		assert_int_equal(
			bench_run(bench, FLASH_UPDATE), held ? OUTCOME_UPDATED : OUTCOME_NO_SYNC);
		assert_int_equal(bench->report.entries, 1);
		assert_reason(bench, held ? "" : "hold BOOT");
		bench_free(bench);
	}
}

/* What was in vain is not tried again: the next pass begins by the way that worked. */
static void a_way_that_worked_is_the_first_of_the_next_pass(void **state)
{
	struct sim_options options = {.esp.capacitor_nf = 10000, .faults.esp.keeps_baud = true};
	struct bench *bench = esp_bench(&options, RULE "retries = 0\n");

	(void)state;
	/* The rate is not kept: met by the second way, the next rate follows by the same. */
	assert_int_equal(bench_run(bench, FLASH_PROBE), OUTCOME_CURRENT);
	assert_int_equal(bench->report.entries, 3);
	assert_int_equal(bench->report.baud, 115200);
	assert_in_range(held_msec(0), 50, 53);
	assert_in_range(held_msec(1), 550, 553);
	assert_in_range(held_msec(2), 550, 553);
	bench_free(bench);
}

/* ------------------------------------------------------------------ out */

static const struct start_row {
	const char *name;
	struct sim_esp_faults faults;
	const char *rule;
	const char *chatter;
	enum outcome outcome;
	const char *cause;
	unsigned starts; /* into the loader, 0: not asked */
} start_rows[] = {
	{"it starts", .outcome = OUTCOME_UPDATED},
	{"it starts, and says so", {0}, "confirm = ^gate ready\n", "gate ready\r\n",
		OUTCOME_UPDATED, NULL, 1},
	{"it starts, and says something else", {0}, "confirm = ^lamp\nconfirm-within = 1s\n",
		"gate ready\r\n", OUTCOME_NOT_CONFIRMED,
		"did not say what fits '^lamp'; it said 'gate ready'", 1},
	{"it panics", {.starts_badly = true}, "", "", OUTCOME_NOT_STARTED, "Guru Meditation", 1},
	{"it panics, and was to confirm", {.starts_badly = true},
		"confirm = ^gate ready\nconfirm-within = 1s\n", "", OUTCOME_NOT_STARTED,
		"Guru Meditation", 1},
	{"check_23_a_reset_that_leads_back_into_the_loader_is_repaired", {.boot_pin_low_resets = 2},
		"baud = 115200\n", "", OUTCOME_UPDATED, NULL, 2},
	{"check_23_a_boot_pin_that_stays_low_is_told", {.boot_pin_low_resets = 1000}, "", "",
		OUTCOME_NOT_STARTED, "back into the boot loader ('waiting for download", 3},
};

static void what_starts_is_told_by_the_chip(void **state)
{
	const struct start_row *row = *state;
	struct sim_options options = {.chatter = row->chatter, .faults.esp = row->faults};
	char rule[300];
	struct bench *bench;

	snprintf(rule, sizeof(rule), "protocol = esp\nchip = esp32\n%s%s",
		row->rule ? row->rule : "",
		row->rule && strstr(row->rule, "baud =") ? "" : "baud = 115200\n");
	bench = esp_bench(&options, rule);
	take_project(bench, "1.0.0");
	bench_run(bench, FLASH_UPDATE);
	printf("# %s\n", bench->report.reason.text);
	assert_int_equal(bench->report.outcome, row->outcome);
	assert_true(bench_holds_image(bench));
	/* Proved all the same: that it does not start is another matter. */
	assert_int_equal(bench->report.proof, PROOF_DIGEST);
	if (row->cause)
		assert_reason(bench, row->cause);
	if (row->starts > 0)
		assert_int_equal(sim_esp(bench->sim)->starts_into_loader, row->starts);
	assert_int_equal(sim_esp(bench->sim)->app,
		row->outcome == OUTCOME_NOT_STARTED ? SIM_ESP_NOTHING : 0x10000);
	assert_int_equal(port_sim_record(BENCH_PORT)->lines_at_close, 0);
	bench_free(bench);
}

/* Some boards take their bridge down with them as they start: the image is proved by then. */
static void a_bridge_that_goes_while_the_chip_starts_takes_no_proof_away(void **state)
{
	struct port_sim_options options = {0};
	struct bench *bench;
	uint64_t end_usec = 0;

	(void)state;
	for (int i = 0; i < 2; i++) {
		bench = esp_bench(&(struct sim_options){0}, RULE);
		options.unplug_at_usec = end_usec > 0 ? end_usec - 700000 : 0;
		port_sim_set_options(BENCH_PORT, &options);
		bench->goes_away = i == 1;
		take_project(bench, "1.0.0");
		bench_run(bench, FLASH_UPDATE);
		printf("# %s\n", bench->report.reason.text);
		assert_int_equal(bench->report.outcome, OUTCOME_UPDATED);
		assert_int_equal(bench->report.proof, PROOF_DIGEST);
		end_usec = port_sim_now_nsec(BENCH_PORT) / 1000;
		assert_true(i == 0 || end_usec < options.unplug_at_usec + 100000);
		bench_free(bench);
	}
}

/* Its text comes at 74880 baud, which no rule has. */
static void an_esp8266_is_heard_at_its_own_rate(void **state)
{
	static const struct {
		struct sim_esp_faults faults;
		enum outcome outcome;
		const char *reason;
	} rows[] = {{{0}, OUTCOME_UPDATED, ""},
		{{.starts_badly = true}, OUTCOME_NOT_STARTED, "Guru Meditation"},
		{{.boot_pin_low_resets = 1000}, OUTCOME_NOT_STARTED, "boot mode:(1,6)"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sim_options options = {
			.chip = sim_chip_find("esp8266"), .faults.esp = rows[i].faults};
		struct bench *bench = esp_bench(&options,
			"protocol = esp\nwiring = esp\nchip = esp8266\naccept-unverified = yes\n");
		struct esp_bytes app =
			esp_make_bootloader(esp_make_chip("esp8266"), APPLICATION, 1);
		const struct image_options how = {.max_bytes = (uint32_t)app.n};
		struct reason reason = {""};

		assert_int_equal(
			image_read("x.bin", app.data, app.n, &how, &bench->image, &reason), 0);
		bench_run(bench, FLASH_UPDATE);
		assert_reason(bench, rows[i].reason);
		assert_int_equal(bench->report.outcome, rows[i].outcome);
		assert_true(bench_holds_image(bench));
		assert_int_equal(port_sim_record(BENCH_PORT)->baud, 74880);
		esp_bytes_done(&app);
		bench_free(bench);
	}
}

/* An application alone, to a chip whose boot loader begins as one does, and is none. */
static void an_image_that_nothing_starts_is_proved_and_not_started(void **state)
{
	static const bool is_old[] = {false, true};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(is_old); i++) {
		struct sim_options options = {.esp.old_rom = is_old[i]};
		struct bench *bench = esp_bench(&options, RULE "address = 0x10000\n");
		struct esp_bytes app = esp_make_application(
			esp_make_chip("esp32"), "gate", "1.0.0", APPLICATION, 1);
		const struct image_options how = {.address = 0x10000, .max_bytes = (uint32_t)app.n};
		struct reason reason = {""};

		struct esp_bytes table =
			esp_make_table(esp_make_two_slots, ARRAY_SIZE(esp_make_two_slots), true);

		sim_flash(bench->sim)[0x1000] = 0xE9;
		memcpy(sim_flash(bench->sim) + ESP_TABLE_OFFSET, table.data, table.n);
		esp_bytes_done(&table);
		assert_int_equal(
			image_read("x.bin", app.data, app.n, &how, &bench->image, &reason), 0);
		bench_run(bench, FLASH_UPDATE);
		printf("# %s\n", bench->report.reason.text);
		assert_int_equal(bench->report.outcome, OUTCOME_NOT_STARTED);
		assert_int_equal(bench->report.proof, PROOF_DIGEST);
		assert_reason(bench, is_old[i] ? "flash read err, 1000" : "invalid header");
		assert_true(bench_holds_image(bench));
		/* Found whole the next time, and not erased again for that. */
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_NOT_STARTED);
		assert_int_equal(bench->report.pages_erased, 0);
		esp_bytes_done(&app);
		bench_free(bench);
	}
}

/* An S3 whose application asked for the loader once stays in it through resets (esp-rom.md 7). */
static void a_bit_that_forces_the_loader_is_cleared(void **state)
{
	struct sim_options options = {
		.chip = sim_chip_find("esp32s3"), .esp.forces_download = true};
	struct bench *bench =
		esp_bench(&options, "protocol = esp\nchip = esp32s3\nbaud = 115200\n");
	struct esp_make_project project = esp_make_project("esp32s3", "1.0.0", APPLICATION, true);

	(void)state;
	for (size_t i = 0; i < project.n_parts; i++)
		memcpy(sim_flash(bench->sim) + project.parts[i].offset, project.parts[i].bytes.data,
			project.parts[i].bytes.n);
	assert_int_equal(bench_run(bench, FLASH_PROBE), OUTCOME_CURRENT);
	port_sim_pass(BENCH_PORT, 1000000);
	assert_int_equal(sim_esp(bench->sim)->app, 0x10000);
	esp_make_project_done(&project);
	bench_free(bench);
}

/*
 * A rule for an STM32 on an ESP board: refused within the time that somebody waits for the light,
 * and the application runs as before, though the way out of that rule leads an ESP into its loader.
 */
static void an_esp_on_a_rule_for_an_stm32_gets_its_application_back(void **state)
{
	static const char *const wirings[] = {
		"", "wiring = one-key\n", "wiring = esp\n", "reset = rts\nboot = dtr\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wirings); i++) {
		struct esp_make_project project =
			esp_make_project("esp32", "1.0.0", APPLICATION, true);
		struct bench *bench;
		uint64_t begun;
		char rule[100];

		snprintf(rule, sizeof(rule), "chip = F103x8\n%s", wirings[i]);
		bench = esp_bench(&(struct sim_options){.chatter = "gate ready\r\n"}, rule);
		for (size_t k = 0; k < project.n_parts; k++)
			memcpy(sim_flash(bench->sim) + project.parts[k].offset,
				project.parts[k].bytes.data, project.parts[k].bytes.n);
		sim_power(bench->sim, 0);
		port_sim_pass(BENCH_PORT, 1000000);
		bench_take_bytes(bench, 0x08000000, 4096, 1);
		begun = bench_msec(bench);
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_WRONG_CHIP);
		assert_reason(bench, "`protocol = esp`");
		assert_true(bench_msec(bench) - begun < 10000);
		assert_int_equal(n_commands(bench), 0);
		port_sim_pass(BENCH_PORT, 1000000);
		assert_int_equal(sim_esp(bench->sim)->app, 0x10000);
		esp_make_project_done(&project);
		bench_free(bench);
	}
}

/* ------------------------------------------------------------------ the bridge */

/* esp-rom.md 2.4: a CP2102N that is closed while bytes arrive is deaf until it is plugged in. */
static void the_port_is_closed_once_the_chip_is_silent(void **state)
{
	static const enum flash_action actions[] = {FLASH_PROBE, FLASH_UPDATE};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		struct bench *bench = esp_bench(&(struct sim_options){0}, RULE);
		const struct port_sim_record *record;

		take_project(bench, "1.0.0");
		bench_preload(bench);
		assert_int_equal(bench_run(bench, actions[i]), OUTCOME_CURRENT);
		record = port_sim_record(BENCH_PORT);
		/* The boot text, some 600 bytes at 115200 baud, and 100 ms of silence. */
		assert_true(
			port_sim_now_nsec(BENCH_PORT) - record->lines[record->n_lines - 2].at_nsec >
			UINT64_C(150000000));
		bench_free(bench);
	}
}

/*
 * A CP2102C, which the kernel takes for a modem: it drops RTS, which resets the chip, when it
 * receives while DTR is released (esp-rom.md 2.4). So DTR is released only on the way to a reset.
 */
static void behind_a_cp2102c_dtr_stays_asserted(void **state)
{
	struct bench *bench = esp_bench(&(struct sim_options){0}, RULE);
	const struct port_sim_record *record;

	(void)state;
	bench->devnum = makedev(166, 0);
	/* Its rest is another than that of the rule. */
	bench->goes_away = true;
	take_project(bench, "1.0.0");
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	record = port_sim_record(BENCH_PORT);
	assert_int_equal(record->lines_at_close, LINE_DTR);
	for (size_t i = 0; i + 1 < record->n_lines; i++)
		if (!(record->lines[i].lines & LINE_DTR))
			assert_true(record->lines[i + 1].at_nsec - record->lines[i].at_nsec <
				    UINT64_C(110000000));
	assert_int_equal(sim_esp(bench->sim)->app, 0x10000);
	bench_free(bench);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(fault_rows) + ARRAY_SIZE(start_rows) + 16];
	size_t n_tests = 0;

	ADD_TEST(tests, n_tests, a_plain_board_is_met_by_the_first_way);
	ADD_TEST(tests, n_tests, check_06_a_large_capacitor_needs_the_second_way);
	ADD_TEST(tests, n_tests, check_06_a_boot_pin_that_is_never_low_is_named);
	ADD_ROWS(tests, n_tests, fault_rows, a_fault_is_named_by_the_words_of_the_chip);
	ADD_TEST(tests, n_tests, a_silent_rom_is_met_all_the_same);
	ADD_TEST(tests, n_tests, a_board_without_lines_is_put_into_its_loader_by_hand);
	ADD_TEST(tests, n_tests, a_way_that_worked_is_the_first_of_the_next_pass);
	ADD_ROWS(tests, n_tests, start_rows, what_starts_is_told_by_the_chip);
	ADD_TEST(tests, n_tests, a_bridge_that_goes_while_the_chip_starts_takes_no_proof_away);
	ADD_TEST(tests, n_tests, an_esp8266_is_heard_at_its_own_rate);
	ADD_TEST(tests, n_tests, an_image_that_nothing_starts_is_proved_and_not_started);
	ADD_TEST(tests, n_tests, a_bit_that_forces_the_loader_is_cleared);
	ADD_TEST(tests, n_tests, an_esp_on_a_rule_for_an_stm32_gets_its_application_back);
	ADD_TEST(tests, n_tests, behind_a_cp2102c_dtr_stays_asserted);
	ADD_TEST(tests, n_tests, the_port_is_closed_once_the_chip_is_silent);
	return RUN_TESTS("esp-entry", tests, n_tests);
}
