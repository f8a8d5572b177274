/* SPDX-License-Identifier: MIT */
/*
 * test-esp-bytes.c - one byte of a job with an ESP32 is lost, bent or doubled, at each place of it:
 * the image gets there all the same, and nothing else is touched.
 *
 * One thing nobody can prevent: the commands but those that bring data have no checksum, so a bit
 * that is bent in the address of an erase is an erase elsewhere (esp-rom.md 1). The image gets
 * there, and these runs are counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/esp-bench.h"

#define APP_BYTES (9 * 1024)

/* Every byte of the beginning, and then some of the many blocks. */
#define ALL_UP_TO    40
#define STEP	     211

#define BENT_TO_CHIP 1

static struct bench *new_bench(const char *chip, const struct sim_faults *faults)
{
	struct bench *bench = esp_bench_new(chip, NULL, faults, "");

	bench->board.retries = 1;
	memset(sim_flash(bench->sim), 0x5A, sim_flash_size(bench->sim));
	/* Behind the application: it is packed where the chip's ROM takes that. */
	memset(sim_flash(bench->sim) + ESP_APP, 0xFF, 0x20000);
	esp_take_build(bench, chip, "1", APP_BYTES);
	bench_preload(bench);
	esp_take_build(bench, chip, "2", APP_BYTES);
	return bench;
}

static bool is_around_untouched(const struct bench *bench)
{
	const uint8_t *flash = sim_flash(bench->sim);

	for (uint32_t at = 0; at < sim_flash_size(bench->sim); at += ESP_SECTOR)
		if (!image_touches(&bench->image, at, ESP_SECTOR) && flash[at] != 0x5A &&
			(at < ESP_APP || at >= ESP_APP + 0x20000))
			return false;
	return true;
}

static void set(struct sim_faults *faults, unsigned kind, uint64_t nth)
{
	uint64_t *const places[] = {&faults->drop_received, &faults->flip_received,
		&faults->double_received, &faults->drop_sent, &faults->flip_sent,
		&faults->double_sent};

	*places[kind] = nth;
}

static void run_kind(const char *chip, unsigned kind)
{
	static const char *const names[] = {"a byte to the chip is lost",
		"a byte to the chip is bent", "a byte to the chip is doubled",
		"a byte from the chip is lost", "a byte from the chip is bent",
		"a byte from the chip is doubled"};
	struct bench *plain = new_bench(chip, NULL);
	unsigned n_runs = 0, n_longer = 0, n_elsewhere = 0;
	uint64_t n_bytes;

	assert_int_equal(bench_run(plain, FLASH_UPDATE), OUTCOME_UPDATED);
	n_bytes = kind < 3 ? sim_counters(plain->sim)->received : sim_counters(plain->sim)->sent;
	bench_free(plain);
	for (uint64_t nth = 1; nth <= n_bytes; nth += nth < ALL_UP_TO ? 1 : STEP) {
		struct sim_faults faults = {.seed = (uint32_t)nth};
		struct bench *bench;

		set(&faults, kind, nth);
		bench = new_bench(chip, &faults);
		if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
			fail_msg("%s: %s, number %u: %s", chip, names[kind], (unsigned)nth,
				bench->report.reason.text);
		assert_true(bench_holds_image(bench));
		n_elsewhere += !is_around_untouched(bench);
		n_longer += bench->report.entries > 1;
		n_runs++;
		bench_free(bench);
	}
	assert_true(n_elsewhere == 0 || kind == BENT_TO_CHIP);
	assert_in_range(n_elsewhere, 0, n_runs / 50);
	print_message(
		"# figure: %s: %s: %u runs, %u entered again, %u erased elsewhere, all updated\n",
		chip, names[kind], n_runs, n_longer, n_elsewhere);
}

static void a_byte_anywhere_may_be_wrong(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 6; kind++) {
		run_kind("esp32", kind);
		run_kind("esp32c3", kind);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_byte_anywhere_may_be_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
