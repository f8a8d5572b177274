/* SPDX-License-Identifier: MIT */
/*
 * test-bsl-jobs.c - whole jobs on a simulated stick with a chip of TI, where link or bridge fail.
 * `ti_check_NN_`: row NN of ti-bsl.md 14.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/bsl-stand.h"
#include "tools/ti-make.h"

#define NETWORK 0x5A

static const struct {
	const char *name;
	unsigned pin;
} chips[] = {{"cc2652p", 15}, {"cc2652rb", 13}, {"cc1352p7", 15}, {"cc1310", 11}, {"cc2538", 3}};

/* A stick whose Z-Stack of 2024 has a network, and the image of 2025; `bytes` 0: a small one. */
static struct bench *begin_with(size_t nth, uint32_t bytes, const struct sim_ti_faults *faults,
	const char *rule, struct ti_make_image *ret)
{
	struct sim_options options = {
		.chip = sim_chip_find(chips[nth].name), .circuit = SIM_CIRCUIT_ESP};
	struct ti_make_image old = ti_make_new(chips[nth].name, "20240710", 0);
	struct ti_make_image new = ti_make_new(chips[nth].name, "20250321", bytes);
	CLEANUP(freep) char *lines = NULL;
	struct reason reason = {""};
	struct bench *bench;

	if (faults)
		options.faults.ti = *faults;
	assert_true(asprintf(&lines,
			    "protocol = bsl\nbackdoor-pin = %u\nretry-delay = 0\nchip = %s\n%s",
			    chips[nth].pin, chips[nth].name, rule) > 0);
	bench = bench_new_with(&options, lines);
	memcpy(sim_flash(bench->sim), old.flash, old.chip->size);
	memset(sim_flash(bench->sim) + (old.chip->nv - old.chip->base), NETWORK,
		old.chip->nv_end - old.chip->nv);
	ti_make_done(&old);
	image_done(&bench->image);
	for (size_t i = 0; i < new.n_runs; i++)
		assert_int_equal(image_add(&bench->image, new.runs[i].address,
					 new.flash + (new.runs[i].address - new.chip->base),
					 new.runs[i].n, 1 << 20, &reason),
			0);
	bench->image.format = "Intel HEX";
	port_sim_replug(BENCH_PORT);
	port_sim_pass(BENCH_PORT, 2 * USEC_PER_SEC);
	*ret = new;
	return bench;
}

static struct bench *begin(
	size_t nth, const struct sim_ti_faults *faults, const char *rule, struct ti_make_image *ret)
{
	return begin_with(nth, 0, faults, rule, ret);
}

static void finish(struct bench *bench, struct ti_make_image *image)
{
	ti_make_done(image);
	bench_free(bench);
}

static enum outcome run(struct bench *bench, enum flash_action action)
{
	uint64_t began = bench_msec(bench);
	enum outcome outcome = bench_run(bench, action);

	print_message(
		"# %u ms: %s\n", (unsigned)(bench_msec(bench) - began), bench->report.reason.text);
	return outcome;
}

static bool has_network(const struct bench *bench, const struct ti_make_chip *chip)
{
	for (uint32_t at = chip->nv; at < chip->nv_end; at++)
		if (sim_flash(bench->sim)[at - chip->base] != NETWORK)
			return false;
	return true;
}

static bool runs(const struct bench *bench, uint32_t revision)
{
	port_sim_pass(BENCH_PORT, 2 * USEC_PER_SEC);
	return sim_ti(bench->sim)->start == SIM_TI_APPLICATION &&
	       sim_ti(bench->sim)->revision == revision;
}

static bool holds_image(const struct bench *bench, const struct ti_make_image *image)
{
	for (size_t i = 0; i < image->n_runs; i++) {
		uint32_t at = image->runs[i].address - image->chip->base;

		if (memcmp(sim_flash(bench->sim) + at, image->flash + at, image->runs[i].n) != 0)
			return false;
	}
	return true;
}

static void every_chip_is_updated_and_current_afterwards(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		struct ti_make_image image;
		struct bench *bench = begin(i, NULL, "", &image);
		unsigned erases;

		print_message("# %s\n", chips[i].name);
		assert_int_equal(run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
		assert_true(holds_image(bench, &image));
		assert_true(has_network(bench, image.chip));
		assert_true(runs(bench, 20250321));
		erases = bench_erases(bench);
		assert_int_equal(run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
		assert_int_equal(run(bench, FLASH_VERIFY), OUTCOME_CURRENT);
		assert_int_equal(bench_erases(bench), erases);
		assert_int_equal(sim_counters(bench->sim)->commands[0x2D], 0);
		assert_int_equal(sim_counters(bench->sim)->commands[BSL_BANK_ERASE], 0);
		finish(bench, &image);
	}
}

/*
 * ti-bsl.md 6: 267 bytes on the line for each packet of 248, programming, and the frames of the
 * bus; erase and digests beside it. As many bytes as a coordinator of Z-Stack has.
 */
static void an_image_of_180_KB_takes_its_time_on_the_line(void **state)
{
	static const struct {
		const char *rule;
		uint64_t most_msec;
	} rows[] = {{"baud = 500000\n", 9000}, {"baud = 115200\n", 23000}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ti_make_image image;
		struct bench *bench = begin_with(0, 180000, NULL, rows[i].rule, &image);
		uint64_t began = bench_msec(bench);

		assert_int_equal(run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
		assert_true(bench->report.bytes >= 180000);
		assert_true(bench_msec(bench) - began < rows[i].most_msec);
		assert_true(holds_image(bench, &image));
		finish(bench, &image);
	}
}

/* As by `plugflash flash --protocol bsl --chip cc2652p` alone. */
static void no_image_is_taken_where_nobody_knows_the_pin(void **state)
{
	struct ti_make_image image;
	struct bench *bench = begin(0, NULL, "", &image);

	(void)state;
	bench->board.has_backdoor_pin = false;
	assert_int_equal(run(bench, FLASH_UPDATE), OUTCOME_BAD_IMAGE);
	assert_non_null(strstr(bench->report.reason.text, "--backdoor-pin"));
	assert_int_equal(bench_erases(bench), 0);
	assert_int_equal(run(bench, FLASH_PROBE), OUTCOME_CURRENT);
	assert_non_null(strstr(bench->report.details, "backdoor DIO15 low"));
	finish(bench, &image);
}

/* The acknowledgement of a packet is lost, of any command that changes the flash. */
static void ti_check_10_nothing_that_is_lost_costs_the_job(void **state)
{
	static const uint8_t codes[] = {
		BSL_SEND_DATA, BSL_DOWNLOAD, BSL_GET_STATUS, BSL_CRC32, BSL_MEMORY_READ};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		for (unsigned nth = 1; nth <= 4; nth++) {
			const struct sim_ti_faults faults = {
				.lose_code = codes[i], .lose_nth = nth};
			struct ti_make_image image;
			struct bench *bench = begin(0, &faults, "retries = 0\n", &image);

			print_message("# 0x%02x, %u\n", codes[i], nth);
			assert_int_equal(run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
			assert_true(holds_image(bench, &image));
			assert_true(has_network(bench, image.chip));
			finish(bench, &image);
		}
}

/* Never acknowledged: it fails, the stick waits in its loader, and the next plug-in completes. */
static void ti_check_12_an_erase_without_an_end_fails_and_is_completed_later(void **state)
{
	const struct sim_faults never = {.erase_nsec = SIM_NEVER};
	const struct sim_faults sound = {0};
	struct ti_make_image image;
	struct bench *bench = begin(0, NULL, "retries = 0\n", &image);

	(void)state;
	sim_set_faults(bench->sim, &never);
	assert_int_equal(run(bench, FLASH_UPDATE), OUTCOME_ERASE_FAILED);
	sim_set_faults(bench->sim, &sound);
	port_sim_replug(BENCH_PORT);
	assert_int_equal(run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(runs(bench, 20250321));
	assert_true(has_network(bench, image.chip));
	finish(bench, &image);
}

static void ti_check_12_worn_sectors_are_waited_for(void **state)
{
	const struct sim_faults slow = {.erase_nsec = 4000 * NSEC_PER_MSEC};
	struct ti_make_image image;
	struct bench *bench = begin(0, NULL, "retries = 0\n", &image);

	(void)state;
	sim_set_faults(bench->sim, &slow);
	assert_int_equal(run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(runs(bench, 20250321));
	finish(bench, &image);
}

/* The line stays low for one reset behind the job: nobody but the application can tell. */
static void ti_check_19_a_stick_that_came_up_in_its_loader_is_reset_again(void **state)
{
	const struct sim_faults once = {.ti.boot_low_resets = 2};
	const struct sim_faults always = {.ti.boot_low_resets = UINT32_MAX};
	struct ti_make_image image;
	struct bench *bench = begin(0, NULL, "retries = 0\napplication = mt\n", &image);

	(void)state;
	/* The first of them leads in. */
	sim_set_faults(bench->sim, &once);
	assert_int_equal(run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(runs(bench, 20250321));
	finish(bench, &image);
	bench = begin(0, NULL, "retries = 0\napplication = mt\n", &image);
	sim_set_faults(bench->sim, &always);
	assert_int_equal(run(bench, FLASH_UPDATE), OUTCOME_NOT_STARTED);
	finish(bench, &image);
}

/* Wherever the cable goes: an outcome at once, and no wait for a chip that is gone. */
static void ti_check_24_a_bridge_that_goes_away_ends_the_job_at_once(void **state)
{
	static const uint8_t codes[] = {BSL_SECTOR_ERASE, BSL_SEND_DATA, BSL_CRC32};
	const struct sim_faults slow = {.erase_nsec = 4000 * NSEC_PER_MSEC};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		struct ti_make_image image;
		struct bench *bench = begin(0, NULL, "retries = 2\n", &image);
		uint64_t at = 0;

		sim_set_faults(bench->sim, &slow);
		/* Where that command is under way in a job like this one. */
		at = port_sim_now_nsec(BENCH_PORT) / 1000;
		port_sim_set_options(
			BENCH_PORT, &(struct port_sim_options){
					    .unplug_at_usec = at + (i + 1) * 2500 * USEC_PER_MSEC});
		bench->goes_away = true;
		assert_int_equal(run(bench, FLASH_UPDATE), OUTCOME_PORT_GONE);
		assert_true(port_sim_now_nsec(BENCH_PORT) / 1000 - at <
			    (i + 1) * 2500 * USEC_PER_MSEC + USEC_PER_SEC);
		finish(bench, &image);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_chip_is_updated_and_current_afterwards),
		cmocka_unit_test(an_image_of_180_KB_takes_its_time_on_the_line),
		cmocka_unit_test(no_image_is_taken_where_nobody_knows_the_pin),
		cmocka_unit_test(ti_check_10_nothing_that_is_lost_costs_the_job),
		cmocka_unit_test(ti_check_12_an_erase_without_an_end_fails_and_is_completed_later),
		cmocka_unit_test(ti_check_12_worn_sectors_are_waited_for),
		cmocka_unit_test(ti_check_19_a_stick_that_came_up_in_its_loader_is_reset_again),
		cmocka_unit_test(ti_check_24_a_bridge_that_goes_away_ends_the_job_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
