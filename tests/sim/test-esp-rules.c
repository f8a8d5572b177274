/* SPDX-License-Identifier: MIT */
/* test-esp-rules.c - the shortest rule that people write for an ESP, by each simulated chip. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/esp-bench.h"
#include "unit/rows.h"

#define APP_BYTES 20000

static const struct chip_row {
	const char *name, *rule;
} chip_rows[] = {
	{"esp32", "protocol = esp\nchip = esp32\n"},
	{"esp32s2", "protocol = esp\nchip = ESP32-S2\n"},
	{"esp32s3", "protocol = esp\nchip = esp32s3\n"},
	{"esp32c2", "protocol = esp\nchip = esp32-c2\n"},
	{"esp32c3", "protocol = esp\nchip = 5\n"},
	{"esp32c6", "protocol = esp\nchip = ESP32C6\n"},
	{"esp32h2", "protocol = esp\nchip = 0x010\n"},
};

static struct bench *bench_of(const char *chip, const char *rule)
{
	const struct sim_options options = {
		.chip = sim_chip_find(chip), .circuit = SIM_CIRCUIT_ESP};

	return bench_new_with(&options, rule);
}

/* Wiring, ladder and proof follow from the protocol: the first rate is the highest. */
static void the_shortest_rule_flashes_and_then_finds_it_current(void **state)
{
	const struct chip_row *row = *state;
	struct bench *bench = bench_of(row->name, row->rule);
	size_t n_erased, n_begun;

	esp_take_build(bench, row->name, "1.2.0", APP_BYTES);
	if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
		fail_msg("%s: %s", outcome_to_string(bench->report.outcome),
			bench->report.reason.text);
	assert_int_equal(bench->report.baud, 921600);
	assert_int_equal(bench->report.entries, 1);
	assert_int_equal(bench->report.proof, PROOF_DIGEST);
	assert_true(bench->report.has_product_id);
	assert_string_equal(bench->report.family, "esp");
	assert_true(esp_runs_app(bench));
	n_erased = sim_counters(bench->sim)->pages_erased;
	n_begun = esp_commands(bench, 0x02) + esp_commands(bench, 0x10);
	assert_true(n_erased > 0 && n_begun > 0);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
	assert_int_equal(sim_counters(bench->sim)->pages_erased, n_erased);
	assert_int_equal(esp_commands(bench, 0x02) + esp_commands(bench, 0x10), n_begun);
	bench_free(bench);
}

/* A rule for one chip of the family leaves every other alone, also those whose names begin alike.
 */
static void a_chip_of_another_name_is_refused(void **state)
{
	static const struct {
		const char *chip, *file, *rule;
	} rows[] = {
		{"esp32c3", "esp32", "protocol = esp\nchip = esp32\n"},
		{"esp32", "esp32s2", "protocol = esp\nchip = esp32s2\n"},
		{"esp32c6", "esp32c61", "protocol = esp\nchip = esp32c61\n"},
		{"esp8266", "esp32", "protocol = esp\nchip = esp32\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench = bench_of(rows[i].chip, rows[i].rule);

		print_message("# %s\n", rows[i].chip);
		esp_take_build(bench, rows[i].file, "1.2.0", APP_BYTES);
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_WRONG_CHIP);
		assert_int_equal(esp_commands(bench, 0x02), 0);
		assert_non_null(strstr(bench->report.reason.text, "nothing of it was erased"));
		bench_free(bench);
	}
}

int main(void)
{
	struct CMUnitTest tests[20];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, chip_rows, the_shortest_rule_flashes_and_then_finds_it_current);
	ADD_TEST(tests, n_tests, a_chip_of_another_name_is_refused);
	return RUN_TESTS("esp-rules", tests, n_tests);
}
