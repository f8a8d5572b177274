/* SPDX-License-Identifier: MIT */
/* A chip of one family on a rule for the other: told within ten seconds of the board's own time,
 * and nothing in it is changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/util.h"
#include "sim/bench.h"
#include "tools/esp-make.h"

#define LIMIT_MSEC 10000

static void take_application(struct bench *bench, const char *chip)
{
	struct esp_bytes bytes = esp_make_application(esp_make_chip(chip), "x", "1.0.0", 8192, 1);
	const struct image_options options = {.address = 0x10000, .max_bytes = 65536};
	struct reason reason = {""};

	assert_int_equal(image_read("x.bin", bytes.data, (uint32_t)bytes.n, &options, &bench->image,
				 &reason),
		0);
	esp_bytes_done(&bytes);
}

/* What the chip does once it had two seconds more. */
static enum sim_state later_state(struct bench *bench)
{
	uint64_t later = port_sim_now_nsec(BENCH_PORT) + UINT64_C(2000000000);
	uint8_t byte;

	while (sim_send(bench->sim, &byte, later))
		;
	return sim_state(bench->sim);
}

static void expect_told(struct bench *bench, const char *title, bool is_wired)
{
	enum outcome outcome;
	enum sim_state state;
	uint64_t took;

	outcome = bench_run(bench, FLASH_UPDATE);
	took = bench_msec(bench);
	print_message("# figure: %s: '%s' after %u.%u s\n", title, bench->report.reason.text,
		(unsigned)(took / 1000), (unsigned)(took % 1000 / 100));
	if (outcome != OUTCOME_WRONG_CHIP)
		assert_int_equal(outcome, OUTCOME_NO_SYNC);
	assert_in_range(took, 1, LIMIT_MSEC);
	assert_int_equal(sim_counters(bench->sim)->pages_erased, 0);
	assert_int_equal(sim_counters(bench->sim)->mass_erases, 0);
	assert_int_equal(sim_counters(bench->sim)->blocks_written, 0);
	assert_int_equal(sim_counters(bench->sim)->unprotects, 0);
	/* Lines of another circuit may leave it in its loader, but nothing holds it in reset. */
	state = later_state(bench);
	assert_int_not_equal(state, SIM_RESET);
	if (is_wired)
		assert_int_not_equal(state, SIM_ROM);
	bench_free(bench);
}

static void an_esp_on_the_rule_of_an_stm32(void **state)
{
	static const char *const chips[] = {"esp32", "esp32s2", "esp32s3", "esp32c3"};
	static const char *const rules[] = {
		"chip = 0x410", "chip = 0x410\nwiring = esp", "chip = 0x410\nwiring = one-key"};
	char title[80];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(chips) * ARRAY_SIZE(rules); i++) {
		const char *chip = chips[i / ARRAY_SIZE(rules)];
		struct bench *bench = bench_new(chip, rules[i % ARRAY_SIZE(rules)]);

		bench_take_bytes(bench, 0x08000000, 4096, 1);
		snprintf(title, sizeof(title), "%s on rule %zu of an STM32", chip,
			i % ARRAY_SIZE(rules));
		expect_told(bench, title, i % ARRAY_SIZE(rules) == 1);
	}
}

static void an_stm32_on_the_rule_of_an_esp(void **state)
{
	static const enum sim_circuit circuits[] = {SIM_CIRCUIT_DIRECT, SIM_CIRCUIT_ONE_KEY,
		SIM_CIRCUIT_ESP, SIM_CIRCUIT_NONE, SIM_CIRCUIT_ROM};
	char title[80];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(circuits); i++) {
		struct sim_options options = {
			.chip = sim_chip_find("f103c8"), .circuit = circuits[i]};
		struct bench *bench =
			bench_new_with(&options, "protocol = esp\nchip = esp32\naddress = 0x10000");

		take_application(bench, "esp32");
		snprintf(title, sizeof(title), "an STM32 in circuit %u on the rule of an ESP32",
			(unsigned)circuits[i]);
		/* Tied to its own loader, it stays there. */
		if (circuits[i] == SIM_CIRCUIT_ROM) {
			assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_NO_SYNC);
			assert_in_range(bench_msec(bench), 1, LIMIT_MSEC);
			assert_int_equal(bench_erases(bench), 0);
			bench_free(bench);
			continue;
		}
		expect_told(bench, title, circuits[i] == SIM_CIRCUIT_ESP);
	}
}

static void another_chip_of_the_family(void **state)
{
	struct bench *bench =
		bench_new("esp32c3", "protocol = esp\nchip = esp32\naddress = 0x10000");

	(void)state;
	take_application(bench, "esp32");
	expect_told(bench, "an ESP32-C3 on the rule of an ESP32", true);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(an_esp_on_the_rule_of_an_stm32),
	cmocka_unit_test(an_stm32_on_the_rule_of_an_esp),
	cmocka_unit_test(another_chip_of_the_family),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
