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

/* ------------------------------------------------------------------ an erase of something else */

#define BEGIN	    0x02
#define HEADER	    9 /* the end of the frame before, and 8 bytes */
#define SIZE_WORD   0
#define OFFSET_WORD 12

/* All of the image is there, and then data of it far behind, of which no version is new. */
static struct bench *bench_with_data(const char *version, const struct sim_faults *faults)
{
	const struct esp_make_chip *made = esp_make_chip("esp32");
	struct bench *bench = esp_bench_new("esp32", NULL, faults, "");

	for (unsigned i = 0; i < 2; i++) {
		const char *of = i == 0 ? "1" : version;
		struct esp_make_part parts[] = {
			{made->bootloader, "bootloader", "b", esp_make_bootloader(made, 0, 1)},
			{ESP_TABLE_OFFSET, "partition-table", "t",
				esp_make_table(
					esp_make_two_slots, ARRAY_SIZE(esp_make_two_slots), true)},
			{ESP_APP, "app", "a",
				esp_make_application(made, "gate", of, APP_BYTES, *of - '0')},
			{0x290000, "data", "d", esp_bytes_new(0x3000, 0x77)},
		};

		esp_take_parts(bench, parts, ARRAY_SIZE(parts));
		for (size_t k = 0; k < ARRAY_SIZE(parts); k++)
			esp_bytes_done(&parts[k].bytes);
		if (i == 0)
			bench_preload(bench);
	}
	return bench;
}

/* Where in what was sent the frames of FLASH_BEGIN have their data. */
static size_t find_begins(size_t *to, size_t n_most)
{
	const struct port_sim_record *record = port_sim_record(BENCH_PORT);
	size_t n = 0;

	for (size_t i = 0; i + 2 < record->n_sent; i++)
		if (record->sent[i].byte == 0xC0 && record->sent[i + 1].byte == 0 &&
			record->sent[i + 2].byte == BEGIN) {
			assert_true(n < n_most);
			to[n++] = i + HEADER;
		}
	return n;
}

/*
 * The command that erases has no checksum: a bit of its size or its place that is bent on its way
 * takes what nobody wanted to write. Whatever the job says then, what it calls proved is there.
 */
static void an_erase_of_something_else_is_no_proof(void **state)
{
	struct bench *plain = bench_with_data("2", NULL);
	size_t begins[16], n_begins;
	unsigned n_runs = 0, n_failed = 0;

	(void)state;
	assert_int_equal(bench_run(plain, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(bench_holds_image(plain));
	assert_int_equal(sim_counters(plain->sim)->received, port_sim_record(BENCH_PORT)->n_sent);
	n_begins = find_begins(begins, ARRAY_SIZE(begins));
	assert_in_range(n_begins, 3, 16);
	bench_free(plain);
	for (size_t i = 0; i < n_begins * 2 * 32; i++) {
		size_t word = i / 32 % 2 ? OFFSET_WORD : SIZE_WORD;
		const struct sim_faults faults = {
			.flip_received = begins[i / 64] + word + i / 8 % 4 + 1,
			.flip_mask = (uint8_t)(1u << i % 8),
		};
		struct bench *bench = bench_with_data("2", &faults);
		enum outcome outcome = bench_run(bench, FLASH_UPDATE);

		if ((outcome == OUTCOME_UPDATED || bench->report.proof != PROOF_NONE) &&
			!bench_holds_image(bench))
			fail_msg("begin %zu of %zu, byte %zu, bit %zu: %s", i / 64 + 1, n_begins,
				word + i / 8 % 4, i % 8, outcome_to_string(outcome));
		n_failed += outcome != OUTCOME_UPDATED;
		n_runs++;
		/* The next time it is mended. */
		sim_set_faults(bench->sim, &(struct sim_faults){0});
		outcome = bench_run(bench, FLASH_UPDATE);
		assert_true(outcome == OUTCOME_UPDATED || outcome == OUTCOME_CURRENT);
		assert_true(bench_holds_image(bench));
		bench_free(bench);
	}
	print_message("# figure: %u bent erases, of which %u failed the job\n", n_runs, n_failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_byte_anywhere_may_be_wrong),
		cmocka_unit_test(an_erase_of_something_else_is_no_proof),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
