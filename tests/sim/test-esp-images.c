/* SPDX-License-Identifier: MIT */
/*
 * test-esp-images.c - what an ESP chip says of itself and of its flash decides whether an image
 * goes into it, and where: the whole procedure against the simulated ROM, whose board starts by the
 * partition table and otadata that are in its flash. `check_NN_`: row NN of esp-rom.md 17.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flash/image-check.h"
#include "sim/esp-bench.h"

#define APP_BYTES 24000
#define APP0	  0x10000u
#define APP1	  0x150000u
#define NVS	  0x9000u
#define NVS_BYTES 0x5000u
#define OTADATA	  0xE000u

static void put(struct bench *bench, uint32_t offset, struct esp_bytes bytes)
{
	memcpy(sim_flash(bench->sim) + offset, bytes.data, bytes.n);
	esp_bytes_done(&bytes);
}

static struct esp_bytes application(const char *chip, const char *version)
{
	return esp_make_application(esp_make_chip(chip), "gate", version, APP_BYTES,
		(uint32_t)strtoul(version, NULL, 10));
}

/* A board that has run for a while: both slots hold version 1, and nvs what it has learnt. */
static struct bench *bench_of_two_slots(const char *chip, const struct sim_esp *esp,
	const struct sim_faults *faults, uint32_t first, uint32_t second, const char *rule)
{
	struct bench *bench = esp_bench_new(chip, esp, faults, rule);
	const struct esp_make_chip *made = esp_make_chip(chip);

	put(bench, made->bootloader, esp_make_bootloader(made, 0, 1));
	put(bench, ESP_TABLE_OFFSET,
		esp_make_table(esp_make_two_slots, ARRAY_SIZE(esp_make_two_slots), true));
	put(bench, OTADATA, esp_make_otadata(first, second));
	put(bench, APP0, application(chip, "1"));
	put(bench, APP1, application(chip, "1"));
	memset(sim_flash(bench->sim) + NVS, 0x5A, NVS_BYTES);
	return bench;
}

/* A file as a job reads it: raw, shaped, and checked before the port is opened. */
static enum outcome take_raw(struct bench *bench, struct esp_bytes bytes)
{
	struct image_options options;
	struct reason reason = {""};
	int r;

	image_done(&bench->image);
	assert_int_equal(image_check_options(&bench->board, bench->chips, &options, &reason), 0);
	r = image_read("x.bin", bytes.data, bytes.n, &options, &bench->image, &reason);
	if (r != 0)
		fail_msg("%s", reason.text);
	esp_bytes_done(&bytes);
	r = image_check_shape(&bench->board, bench->chips, &bench->image, &reason);
	if (r == 0)
		r = image_check(&bench->board, bench->chips, &bench->image, &reason);
	bench->report.reason = reason;
	assert_true(r >= 0);
	return r == 0 ? OUTCOME_MAX : (enum outcome)r;
}

static void expect(struct bench *bench, enum outcome outcome, enum outcome expected)
{
	if (outcome != expected)
		fail_msg("%s in place of %s: %s", outcome_to_string(outcome),
			outcome_to_string(expected), bench->report.reason.text);
}

static void expect_refused(struct bench *bench, enum outcome expected, const char *said)
{
	expect(bench, bench_run(bench, FLASH_UPDATE), expected);
	if (!strstr(bench->report.reason.text, said))
		fail_msg("'%s' is not in: %s", said, bench->report.reason.text);
	/* Neither FLASH_BEGIN nor FLASH_DEFL_BEGIN. */
	assert_int_equal(esp_commands(bench, 0x02), 0);
	assert_int_equal(esp_commands(bench, 0x10), 0);
	assert_int_equal(sim_counters(bench->sim)->pages_erased, 0);
	assert_false(bench->report.has_erased);
}

/* ------------------------------------------------------------------ the chip */

static void check_08_another_chip_than_the_rules_is_not_erased(void **state)
{
	static const struct {
		const char *chip, *rule;
	} rows[] = {{"esp32", "esp32c3"}, {"esp32c3", "esp32"}, {"esp32s2", "esp32s3"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench = bench_of_two_slots(rows[i].chip, NULL, NULL, 1, 0, "");
		char *name = strdup(rows[i].rule);

		/* The rule of the one, and the board of the other. */
		assert_non_null(name);
		free(bench->board.chip[0]);
		bench->board.chip[0] = name;
		esp_take_build(bench, rows[i].rule, "2", APP_BYTES);
		expect_refused(bench, OUTCOME_WRONG_CHIP, ": nothing of it was erased");
		bench_free(bench);
	}
}

static void check_09_a_chip_of_another_revision_is_not_erased(void **state)
{
	static const struct {
		uint32_t revision;
		uint16_t min, max;
		const char *said; /* NULL: updated */
	} rows[] = {
		{100, 300, 399,
			"it wants a chip of revision 3.0 or later, and this ESP32 is of revision 1.0"},
		{301, 0, 199,
			"it wants a chip of revision 1.99 or earlier, and this ESP32 is of revision 3.1"},
		{301, 300, 399, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sim_esp esp = {.revision = rows[i].revision};
		struct bench *bench =
			bench_of_two_slots("esp32", &esp, NULL, 1, 0, "partition = app0\n");
		struct esp_bytes app = application("esp32", "2");

		/* The digest goes with the header. */
		esp_put16(app.data + 15, rows[i].min);
		esp_put16(app.data + 17, rows[i].max);
		app.data[23] = 0;
		expect(bench, take_raw(bench, app), OUTCOME_MAX);
		if (rows[i].said)
			expect_refused(bench, OUTCOME_BAD_IMAGE, rows[i].said);
		else
			expect(bench, bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
		bench_free(bench);
	}
}

/* ------------------------------------------------------------------ a partition by its name */

static void an_application_goes_where_the_chips_table_has_it(void **state)
{
	static const char *const chips[] = {"esp32", "esp32s2", "esp32c3"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		struct bench *bench =
			bench_of_two_slots(chips[i], NULL, NULL, 0, 2, "partition = ota_1\n");
		unsigned erased;
		uint64_t begin;

		expect(bench, take_raw(bench, application(chips[i], "2")), OUTCOME_MAX);
		expect(bench, bench_run(bench, FLASH_VERIFY), OUTCOME_VERIFY_DIFFERS);
		expect(bench, bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
		assert_int_equal(sim_esp(bench->sim)->app, APP1);
		erased = sim_counters(bench->sim)->pages_erased;
		assert_in_range(erased, 7, 8); /* of 24 KB, the first one twice */
		expect(bench, take_raw(bench, application(chips[i], "2")), OUTCOME_MAX);
		begin = bench_msec(bench);
		expect(bench, bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
		print_message("# figure: %s: 24 KB by its partition are current after %u ms\n",
			chips[i], (unsigned)(bench_msec(bench) - begin));
		expect(bench, bench_run(bench, FLASH_VERIFY), OUTCOME_CURRENT);
		assert_int_equal(sim_counters(bench->sim)->pages_erased, erased);
		bench_free(bench);
	}
}

static void a_blank_chip_gets_no_application_alone(void **state)
{
	struct bench *bench = esp_bench_new("esp32", NULL, NULL, "partition = app0\n");

	(void)state;
	expect(bench, take_raw(bench, application("esp32", "2")), OUTCOME_MAX);
	expect_refused(bench, OUTCOME_BAD_IMAGE, "the chip has no partition table at 0x8000");
	bench_free(bench);
}

/* ------------------------------------------------------------------ which one is started */

static void check_22_an_update_that_would_not_be_started_is_refused(void **state)
{
	struct bench *bench = bench_of_two_slots("esp32", NULL, NULL, 1, 2, "partition = app0\n");

	(void)state;
	expect(bench, take_raw(bench, application("esp32", "2")), OUTCOME_MAX);
	expect_refused(bench, OUTCOME_BAD_CONFIG,
		"it is for the application partition 'app0' (ota_0), and the chip's otadata select 'app1' (ota_1)");
	bench->dry_run = true;
	expect_refused(bench, OUTCOME_BAD_CONFIG, "the chip's otadata select 'app1' (ota_1)");
	assert_int_equal(sim_esp(bench->sim)->app, APP1);
	bench_free(bench);
}

static void check_22_by_the_rule_the_selection_is_rewritten(void **state)
{
	struct bench *bench = bench_of_two_slots(
		"esp32", NULL, NULL, 1, 2, "partition = app0\notadata = select\n");
	uint8_t *flash = sim_flash(bench->sim);
	unsigned erased;

	(void)state;
	expect(bench, take_raw(bench, application("esp32", "2")), OUTCOME_MAX);
	expect(bench, bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_int_equal(sim_esp(bench->sim)->app, APP0);
	assert_int_equal(flash[OTADATA], 3);
	assert_int_equal(flash[OTADATA + 0x1000], 2);
	for (uint32_t i = 0; i < NVS_BYTES; i++)
		assert_int_equal(flash[NVS + i], 0x5A);
	erased = sim_counters(bench->sim)->pages_erased;
	expect(bench, take_raw(bench, application("esp32", "2")), OUTCOME_MAX);
	expect(bench, bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
	assert_int_equal(sim_counters(bench->sim)->pages_erased, erased);
	bench_free(bench);
}

/*
 * Cut off the power wherever the line is: the board starts version 1 of the other slot, version 2,
 * or nothing; nvs are as they were, and the next plug-in completes.
 */
static void cut_anywhere_a_selection_is_finished_later(void **state)
{
	struct bench *whole = bench_of_two_slots(
		"esp32", NULL, NULL, 1, 2, "partition = app0\notadata = select\n");
	unsigned n_torn = 0;
	uint64_t n_bytes;

	(void)state;
	expect(whole, take_raw(whole, application("esp32", "2")), OUTCOME_MAX);
	expect(whole, bench_run(whole, FLASH_UPDATE), OUTCOME_UPDATED);
	n_bytes = port_sim_record(BENCH_PORT)->n_sent;
	bench_free(whole);
	for (uint64_t at = 200; at < n_bytes; at += n_bytes / 60) {
		const struct sim_faults faults = {.power_cut_received = (unsigned)at};
		struct bench *bench = bench_of_two_slots(
			"esp32", NULL, &faults, 1, 2, "partition = app0\notadata = select\n");
		const struct sim_esp_state *esp = sim_esp(bench->sim);
		const uint8_t *flash = sim_flash(bench->sim);

		expect(bench, take_raw(bench, application("esp32", "2")), OUTCOME_MAX);
		(void)bench_run(bench, FLASH_UPDATE);
		n_torn += sim_counters(bench->sim)->pages_erased > 0;
		sim_set_faults(bench->sim, &(struct sim_faults){0});
		port_sim_replug(BENCH_PORT);
		port_sim_pass(BENCH_PORT, 2000000);
		assert_true(esp->app == SIM_ESP_NOTHING || esp->app == APP1 ||
			    (esp->app == APP0 && flash[APP0 + 24 + 8 + 16] == '2'));
		expect(bench, take_raw(bench, application("esp32", "2")), OUTCOME_MAX);
		expect(bench, bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
		assert_int_equal(esp->app, APP0);
		for (uint32_t i = 0; i < NVS_BYTES; i++)
			assert_int_equal(flash[NVS + i], 0x5A);
		bench_free(bench);
	}
	assert_in_range(n_torn, 30, 61);
}

/* ------------------------------------------------------------------ a whole flash */

/* A merged file on a board in the field: what no part names is as it was. */
static void a_merged_file_leaves_what_the_unit_has_for_itself(void **state)
{
	struct bench *bench = bench_of_two_slots("esp32", NULL, NULL, 1, 0, "");
	struct esp_make_project project = esp_make_project("esp32", "2.0.0", APP_BYTES, false);
	uint8_t *flash = sim_flash(bench->sim);
	unsigned erased;

	(void)state;
	memset(flash + 0x290000, 0x3C, 0x160000); /* spiffs */
	expect(bench, take_raw(bench, esp_make_merged(project.parts, project.n_parts, 0)),
		OUTCOME_MAX);
	expect(bench, bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_int_equal(sim_esp(bench->sim)->app, APP0);
	for (uint32_t i = 0; i < NVS_BYTES; i++)
		assert_int_equal(flash[NVS + i], 0x5A);
	for (uint32_t i = 0; i < 0x160000; i++)
		assert_int_equal(flash[0x290000 + i], 0x3C);
	assert_int_equal(flash[OTADATA], 1);
	erased = sim_counters(bench->sim)->pages_erased;
	expect(bench, take_raw(bench, esp_make_merged(project.parts, project.n_parts, 0)),
		OUTCOME_MAX);
	expect(bench, bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
	assert_int_equal(sim_counters(bench->sim)->pages_erased, erased);
	esp_make_project_done(&project);
	bench_free(bench);
}

/* One without otadata, on a board that starts the other slot. */
static void a_whole_image_selects_its_application_by_the_rule(void **state)
{
	struct bench *bench = bench_of_two_slots("esp32c3", NULL, NULL, 3, 4, "otadata = select\n");
	struct esp_make_project project = esp_make_project("esp32c3", "2.0.0", APP_BYTES, false);

	(void)state;
	expect(bench, take_raw(bench, esp_make_merged(project.parts, project.n_parts, 0)),
		OUTCOME_MAX);
	expect(bench, bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_int_equal(sim_esp(bench->sim)->app, APP0);
	assert_int_equal(sim_flash(bench->sim)[OTADATA], 5);
	assert_int_equal(sim_flash(bench->sim)[OTADATA + 0x1000], 4);
	expect(bench, take_raw(bench, esp_make_merged(project.parts, project.n_parts, 0)),
		OUTCOME_MAX);
	expect(bench, bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
	esp_make_project_done(&project);
	bench_free(bench);
}

/* Its boot loader writes into otadata at each start, and the image brings otadata of its own. */
static void otadata_that_the_chip_has_changed_are_no_difference(void **state)
{
	struct bench *bench = bench_of_two_slots("esp32c3", NULL, NULL, 7, 6, "");
	struct esp_make_project project = esp_make_project("esp32c3", "2.0.0", APP_BYTES, true);
	unsigned erased;

	(void)state;
	esp_take_parts(bench, project.parts, project.n_parts);
	expect(bench, bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_int_equal(sim_esp(bench->sim)->app, APP0);
	erased = sim_counters(bench->sim)->pages_erased;
	put(bench, OTADATA, esp_make_otadata(7, 9));
	esp_take_parts(bench, project.parts, project.n_parts);
	expect(bench, bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
	assert_int_equal(sim_counters(bench->sim)->pages_erased, erased);
	assert_int_equal(sim_flash(bench->sim)[OTADATA], 7);
	/* Now it starts the other slot, and the image says which one is to be started. */
	put(bench, OTADATA, esp_make_otadata(7, 10));
	esp_take_parts(bench, project.parts, project.n_parts);
	expect(bench, bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_int_equal(sim_esp(bench->sim)->app, APP0);
	esp_make_project_done(&project);
	bench_free(bench);
}

/* ------------------------------------------------------------------ a flash that lies */

/* In a flash of 2 MiB, which begins anew there, data lie over app0. */
static const struct esp_make_partition of_4_mib[] = {
	{"nvs", 1, 2, 0x9000, 0x5000, 0},
	{"otadata", 1, 0, 0xE000, 0x2000, 0},
	{"app0", 0, 0x10, 0x10000, 0x100000, 0},
	{"app1", 0, 0x11, 0x110000, 0x100000, 0},
	{"data", 1, 0x82, 0x210000, 0x100000, 0},
};

static void take_4_mib(struct bench *bench, uint8_t fill)
{
	const struct esp_make_chip *made = esp_make_chip("esp32");
	struct esp_make_part parts[] = {
		{made->bootloader, "bootloader", "bootloader.bin", esp_make_bootloader(made, 0, 1)},
		{ESP_TABLE_OFFSET, "partition-table", "partition-table.bin",
			esp_make_table(of_4_mib, ARRAY_SIZE(of_4_mib), true)},
		{APP0, "app", "app.bin", application("esp32", "2")},
		{0x210000, "data", "data.bin", esp_bytes_new(0x2000, fill)},
	};

	esp_take_parts(bench, parts, ARRAY_SIZE(parts));
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		esp_bytes_done(&parts[i].bytes);
}

static void a_blank_flash_that_is_smaller_than_it_says_proves_nothing(void **state)
{
	const struct sim_faults faults = {.esp = {.real_bytes = 2 << 20}};
	struct bench *bench = esp_bench_new("esp32", NULL, &faults, "");

	(void)state;
	take_4_mib(bench, 0x77);
	expect(bench, bench_run(bench, FLASH_UPDATE), OUTCOME_FAILED);
	assert_non_null(strstr(bench->report.reason.text, "it begins anew at 0x200000"));
	assert_int_equal(sim_esp(bench->sim)->app, SIM_ESP_NOTHING);
	assert_int_equal(bench->report.proof, PROOF_NONE);
	bench_free(bench);
}

static void a_flash_that_is_smaller_than_it_says_is_seen_before_an_erase(void **state)
{
	const struct sim_faults faults = {.esp = {.real_bytes = 2 << 20}};
	struct bench *bench = bench_of_two_slots("esp32", NULL, &faults, 1, 0, "");

	(void)state;
	take_4_mib(bench, 0x77);
	bench->dry_run = true;
	expect_refused(bench, OUTCOME_FAILED, "; nothing of it was erased");
	bench->dry_run = false;
	expect_refused(bench, OUTCOME_FAILED,
		"smaller than the 4096 KiB that its id says: it begins anew at 0x200000");
	assert_int_equal(sim_esp(bench->sim)->app, APP0);
	bench_free(bench);
}

/* Somebody keeps a copy of the table at a power of two: that alone shows nothing. */
static void a_copy_of_the_table_is_no_smaller_flash(void **state)
{
	struct bench *bench = bench_of_two_slots("esp32", NULL, NULL, 1, 0, "");
	uint8_t *flash = sim_flash(bench->sim);

	(void)state;
	memcpy(flash + 0x208000, flash + ESP_TABLE_OFFSET, ESP_TABLE_SIZE);
	take_4_mib(bench, 0x77);
	expect(bench, bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_int_equal(sim_esp(bench->sim)->app, APP0);
	bench_free(bench);
}

/* ------------------------------------------------------------------ places that start the chip */

/* Parts of a build of which the table was lost: zeros, another file, nothing at all. */
static void what_is_no_table_does_not_go_where_the_table_is(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct bench *bench = bench_of_two_slots("esp32", NULL, NULL, 1, 0, "");
		struct esp_make_project project =
			esp_make_project("esp32", "2.0.0", APP_BYTES, false);
		struct esp_bytes *table = &project.parts[1].bytes;

		memset(table->data, i == 0 ? 0 : 0xFF, table->n);
		if (i == 2)
			memset(table->data, 'x', 100);
		esp_take_parts(bench, project.parts, project.n_parts);
		expect_refused(bench, OUTCOME_BAD_IMAGE,
			"'partition_table/partition-table.bin' at 0x8000: it is not the partition table");
		assert_int_equal(sim_esp(bench->sim)->app, APP0);
		esp_make_project_done(&project);
		bench_free(bench);
	}
}

/* Raw data by an address: over the middle of the boot loader, its end, and the table. */
static void data_do_not_go_where_boot_loader_and_table_are(void **state)
{
	static const struct {
		const char *rule;
		size_t n;
	} rows[] = {{"address = 0x2000\n", 100}, {"address = 0x7000\n", 0x1004},
		{"address = 0x8000\n", 100}, {"address = 0x6000\n", 0x2004}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench = bench_of_two_slots("esp32", NULL, NULL, 1, 0, rows[i].rule);
		struct esp_bytes data = esp_bytes_new(rows[i].n, 0);

		esp_make_noise(data.data, data.n, 3);
		data.data[0] = 0x11;
		expect(bench, take_raw(bench, data), OUTCOME_MAX);
		expect_refused(bench, OUTCOME_BAD_IMAGE, "it reaches into the ");
		assert_int_equal(sim_esp(bench->sim)->app, APP0);
		bench_free(bench);
	}
}

/* ------------------------------------------------------------------ another table */

/* What fills the flash from the table on up to the application, so that all of it is one run. */
static void take_with_nvs(struct bench *bench, const char *version, uint32_t spiffs)
{
	const struct esp_make_chip *made = esp_make_chip("esp32");
	struct esp_make_partition partitions[ARRAY_SIZE(esp_make_two_slots)];
	struct esp_make_part parts[] = {
		{made->bootloader, "bootloader", "bootloader.bin", esp_make_bootloader(made, 0, 1)},
		{ESP_TABLE_OFFSET, "partition-table", "partition-table.bin", {0}},
		{NVS, "nvs", "nvs.bin", esp_bytes_new(NVS_BYTES, 0x5A)},
		{OTADATA, "otadata", "otadata.bin", esp_make_otadata(1, 0)},
		{APP0, "app", "app.bin", application("esp32", version)},
	};

	memcpy(partitions, esp_make_two_slots, sizeof(partitions));
	partitions[4].size = spiffs;
	parts[1].bytes = esp_make_table(partitions, ARRAY_SIZE(partitions), true);
	esp_take_parts(bench, parts, ARRAY_SIZE(parts));
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		esp_bytes_done(&parts[i].bytes);
}

/*
 * The other slot has an application of the old version: it is not to be started by the table of the
 * new one.
 */
static void cut_anywhere_a_new_table_starts_no_old_application(void **state)
{
	struct bench *whole = bench_of_two_slots("esp32", NULL, NULL, 1, 2, "");
	unsigned n_torn = 0;
	uint64_t n_bytes;

	(void)state;
	take_with_nvs(whole, "2", 0x100000);
	expect(whole, bench_run(whole, FLASH_UPDATE), OUTCOME_UPDATED);
	n_bytes = port_sim_record(BENCH_PORT)->n_sent;
	bench_free(whole);
	for (uint64_t at = 200; at < n_bytes; at += n_bytes / 40) {
		const struct sim_faults faults = {.power_cut_received = (unsigned)at};
		struct bench *bench = bench_of_two_slots("esp32", NULL, &faults, 1, 2, "");
		const struct sim_esp_state *esp = sim_esp(bench->sim);
		uint8_t old[ESP_TABLE_SIZE];
		bool has_old_table;

		memcpy(old, sim_flash(bench->sim) + ESP_TABLE_OFFSET, sizeof(old));
		take_with_nvs(bench, "2", 0x100000);
		(void)bench_run(bench, FLASH_UPDATE);
		n_torn += sim_counters(bench->sim)->pages_erased > 0;
		sim_set_faults(bench->sim, &(struct sim_faults){0});
		port_sim_replug(BENCH_PORT);
		port_sim_pass(BENCH_PORT, 2000000);
		has_old_table =
			memcmp(sim_flash(bench->sim) + ESP_TABLE_OFFSET, old, sizeof(old)) == 0;
		assert_true(esp->app == SIM_ESP_NOTHING || (esp->app == APP1 && has_old_table) ||
			    (esp->app == APP0 && !has_old_table));
		bench_free(bench);
	}
	assert_in_range(n_torn, 20, 41);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_08_another_chip_than_the_rules_is_not_erased),
		cmocka_unit_test(check_09_a_chip_of_another_revision_is_not_erased),
		cmocka_unit_test(an_application_goes_where_the_chips_table_has_it),
		cmocka_unit_test(a_blank_chip_gets_no_application_alone),
		cmocka_unit_test(check_22_an_update_that_would_not_be_started_is_refused),
		cmocka_unit_test(check_22_by_the_rule_the_selection_is_rewritten),
		cmocka_unit_test(cut_anywhere_a_selection_is_finished_later),
		cmocka_unit_test(a_merged_file_leaves_what_the_unit_has_for_itself),
		cmocka_unit_test(a_whole_image_selects_its_application_by_the_rule),
		cmocka_unit_test(otadata_that_the_chip_has_changed_are_no_difference),
		cmocka_unit_test(a_blank_flash_that_is_smaller_than_it_says_proves_nothing),
		cmocka_unit_test(a_flash_that_is_smaller_than_it_says_is_seen_before_an_erase),
		cmocka_unit_test(a_copy_of_the_table_is_no_smaller_flash),
		cmocka_unit_test(cut_anywhere_a_new_table_starts_no_old_application),
		cmocka_unit_test(what_is_no_table_does_not_go_where_the_table_is),
		cmocka_unit_test(data_do_not_go_where_boot_loader_and_table_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
