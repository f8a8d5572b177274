/* SPDX-License-Identifier: MIT */
/*
 * test-esp-cuts.c - the cable is pulled, or the power fails, at each command and in each block of
 * an update: afterwards the chip starts nothing, or the old application, or the new one, and never
 * parts of both; nothing is lost that the image does not name; and the next plug-in completes the
 * update.
 *
 * Slow: some four thousand updates, each with its own end.
 *
 * An update without a cut is run first: its bytes on the line say where the cuts are. A job takes
 * the same way each time, up to its cut, since time is virtual.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "sim/esp-bench.h"

#define FLASH_BYTES (4u << 20)
#define SECTOR	    4096u
#define NVS	    0x9000u
#define OTADATA	    0xE000u
#define MAX_FRAMES  512

enum {
	FLASH_BEGIN = 0x02,
	FLASH_DATA = 0x03,
	DEFLATE_BEGIN = 0x10,
	DEFLATE_DATA = 0x11,
	MD5 = 0x13
};

enum kind { WHOLE, APP_ALONE };

struct scene {
	const char *name, *chip;
	enum kind kind;
	const char *rule;
	bool is_deflated; /* a larger application, with nothing behind it: no other is deflated */
};

static const struct scene scenes[] = {
	{"ESP32, whole build", "esp32", WHOLE, "", false},
	{"ESP32, application alone", "esp32", APP_ALONE, "address = 0x10000\n", false},
	{"ESP32-C3, whole build", "esp32c3", WHOLE, "", false},
	{"ESP32-C3, whole build, deflate", "esp32c3", WHOLE, "", true},
	{"ESP32-S2, application alone, deflate", "esp32s2", APP_ALONE, "address = 0x10000\n", true},
};

static size_t app_size(const struct scene *scene)
{
	return scene->is_deflated ? 26000 : 6000;
}

/* ------------------------------------------------------------------ one board */

/* A build of a few blocks: version 1 and 2 differ in every part but the table. */
static void take(struct bench *bench, const struct scene *scene, unsigned version)
{
	const struct esp_make_chip *made = esp_make_chip(scene->chip);
	char text[8];
	struct esp_make_part parts[3];

	snprintf(text, sizeof(text), "%u", version);
	if (scene->kind == APP_ALONE) {
		esp_take_app(bench, scene->chip, text, app_size(scene));
		return;
	}
	parts[0] = (struct esp_make_part){made->bootloader, "bootloader", "bootloader.bin",
		esp_make_bootloader(made, 6000, version)};
	parts[1] = (struct esp_make_part){ESP_TABLE_OFFSET, "partition-table", "table.bin",
		esp_make_table(esp_make_two_slots, ARRAY_SIZE(esp_make_two_slots), true)};
	parts[2] = (struct esp_make_part){ESP_APP, "app", "app.bin",
		esp_make_application(made, "gate", text, app_size(scene), version)};
	esp_take_parts(bench, parts, ARRAY_SIZE(parts));
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		esp_bytes_done(&parts[i].bytes);
}

static void put(struct bench *bench, uint32_t offset, struct esp_bytes bytes)
{
	memcpy(sim_flash(bench->sim) + offset, bytes.data, bytes.n);
	esp_bytes_done(&bytes);
}

/* The same for each cut. */
static const uint8_t *noise(void)
{
	static uint8_t bytes[FLASH_BYTES];
	static bool is_made;

	if (!is_made)
		esp_make_noise(bytes, sizeof(bytes), 99);
	is_made = true;
	return bytes;
}

/* All is full of something that somebody would miss; then version 1 as it was flashed once. */
static void fill(struct bench *bench, const struct scene *scene)
{
	const struct esp_make_chip *made = esp_make_chip(scene->chip);

	memcpy(sim_flash(bench->sim), noise(), FLASH_BYTES);
	put(bench, made->bootloader, esp_make_bootloader(made, 6000, 1));
	put(bench, ESP_TABLE_OFFSET,
		esp_make_table(esp_make_two_slots, ARRAY_SIZE(esp_make_two_slots), true));
	put(bench, OTADATA, esp_make_otadata(1, 0));
	if (scene->is_deflated)
		memset(sim_flash(bench->sim) + ESP_APP, 0xFF, 0x40000);
	put(bench, ESP_APP, esp_make_application(made, "gate", "1", app_size(scene), 1));
	memset(sim_flash(bench->sim) + 0x150000, 0xFF, SECTOR); /* no second slot */
}

static struct bench *board_new(const struct scene *scene, const struct sim_faults *faults)
{
	struct bench *bench = esp_bench_new(scene->chip, NULL, faults, scene->rule);

	fill(bench, scene);
	take(bench, scene, 2);
	return bench;
}

static bool is_named(const struct bench *bench, uint32_t sector)
{
	for (size_t i = 0; i < bench->image.n_segments; i++) {
		const struct segment *segment = &bench->image.segments[i];

		if (sector >= segment->address / SECTOR &&
			sector <= (segment->address + segment->size - 1) / SECTOR)
			return true;
	}
	return false;
}

/* Whether the sectors that the image names, or those that it does not, are as in `flash`. */
static bool is_as(const struct bench *bench, const uint8_t *flash, bool named)
{
	for (uint32_t i = 0; i < FLASH_BYTES / SECTOR; i++) {
		if (is_named(bench, i) == named &&
			memcmp(sim_flash(bench->sim) + i * SECTOR, flash + i * SECTOR, SECTOR) != 0)
			return false;
	}
	return true;
}

static uint8_t *copy_flash(const struct bench *bench)
{
	uint8_t *copy = malloc(FLASH_BYTES);

	assert_non_null(copy);
	memcpy(copy, sim_flash(bench->sim), FLASH_BYTES);
	return copy;
}

/* ------------------------------------------------------------------ what the line carries */

struct frame {
	uint8_t opcode;
	size_t begin, end; /* bytes sent up to its first and its last one */
	uint64_t at_nsec;  /* its end is at the chip */
};

struct frames {
	struct frame items[MAX_FRAMES];
	size_t n_items;
};

static void list_frames(struct frames *ret)
{
	const struct port_sim_record *record = port_sim_record(BENCH_PORT);
	size_t begin = 0;
	bool is_inside = false;

	ret->n_items = 0;
	for (size_t i = 0; i < record->n_sent; i++) {
		if (record->sent[i].byte != 0xC0)
			continue;
		is_inside = !is_inside;
		if (is_inside) {
			begin = i + 1;
			continue;
		}
		assert_true(ret->n_items < MAX_FRAMES);
		ret->items[ret->n_items++] = (struct frame){
			record->sent[begin + 1].byte, begin, i + 1, record->sent[i].at_nsec};
	}
}

/* ------------------------------------------------------------------ cuts */

enum cut { CUT_IN_FRAME, CUT_BEHIND_FRAME, CUT_IN_WORK, N_CUTS };

static const char *const cut_names[] = {
	[CUT_IN_FRAME] = "in the frame of",
	[CUT_BEHIND_FRAME] = "at the end of the frame of",
	[CUT_IN_WORK] = "in the work of",
};

/* Half of what passes until the next command begins. */
static struct port_sim_options cut_options(const struct frames *frames, size_t nth, enum cut cut)
{
	const struct frame *frame = &frames->items[nth];
	struct port_sim_options options = {0};

	switch (cut) {
	case CUT_IN_FRAME:
		options.unplug_after_sent = (frame->begin + frame->end) / 2;
		break;
	case CUT_BEHIND_FRAME:
		options.unplug_after_sent = frame->end;
		break;
	case CUT_IN_WORK:
		options.unplug_at_usec =
			(frame->at_nsec + (nth + 1 < frames->n_items
							  ? (frames->items[nth + 1].at_nsec -
								    frame->at_nsec) /
								    2
							  : 1000000)) /
			1000;
		break;
	case N_CUTS:
		break;
	}
	return options;
}

struct tally {
	unsigned nothing, old, new;
	unsigned wild; /* torn boot loaders that were started; they are among `nothing` */
};

/* What starts three seconds after the power came back. */
static void judge_start(struct bench *bench, const uint8_t *before, const uint8_t *after,
	struct tally *tally, const char *where)
{
	uint32_t app;

	port_sim_replug(BENCH_PORT);
	port_sim_pass(BENCH_PORT, 3 * USEC_PER_SEC);
	app = sim_esp(bench->sim)->app;
	if (!is_as(bench, before, false))
		fail_msg("%s: something is lost that the image does not name", where);
	tally->wild += sim_esp(bench->sim)->wild_starts > 0;
	if (app == SIM_ESP_NOTHING)
		tally->nothing++;
	else if (is_as(bench, before, true))
		tally->old++;
	else if (is_as(bench, after, true))
		tally->new ++;
	else
		fail_msg("%s: parts of both start", where);
}

static void complete(struct bench *bench, const uint8_t *after, const char *where)
{
	enum outcome outcome;

	bench->goes_away = false;
	outcome = bench_run(bench, FLASH_UPDATE);
	if (outcome != OUTCOME_UPDATED && outcome != OUTCOME_CURRENT)
		fail_msg("%s: the next plug-in: %s", where, bench->report.reason.text);
	port_sim_pass(BENCH_PORT, 3 * USEC_PER_SEC);
	if (!is_as(bench, after, true) || !esp_runs_app(bench))
		fail_msg("%s: the next plug-in leaves something else", where);
}

/* What is to be seen, without a cut. The flash before and after it are the caller's to free. */
static void run_whole(const struct scene *scene, struct frames *ret_frames, uint8_t **ret_before,
	uint8_t **ret_after)
{
	struct bench *bench = board_new(scene, NULL);

	*ret_before = copy_flash(bench);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	port_sim_pass(BENCH_PORT, 3 * USEC_PER_SEC);
	assert_true(esp_runs_app(bench));
	assert_true(is_as(bench, *ret_before, false));
	assert_int_equal(sim_counters(bench->sim)->bad_writes, 0);
	assert_int_equal(sim_counters(bench->sim)->commands[DEFLATE_DATA] > 0, scene->is_deflated);
	*ret_after = copy_flash(bench);
	list_frames(ret_frames);
	bench_free(bench);
}

static void cut_once(const struct scene *scene, const struct frames *frames, size_t nth,
	enum cut cut, unsigned seed, const uint8_t *before, const uint8_t *after,
	struct tally *tally)
{
	const struct port_sim_options options = cut_options(frames, nth, cut);
	const struct sim_faults faults = {.seed = seed * 1000 + (unsigned)(nth * N_CUTS + cut)};
	struct bench *bench = board_new(scene, &faults);
	char where[160];

	snprintf(where, sizeof(where), "%s: cut %s command %zu (%02x)", scene->name, cut_names[cut],
		nth, frames->items[nth].opcode);
	port_sim_set_options(BENCH_PORT, &options);
	bench->goes_away = true;
	bench_run(bench, FLASH_UPDATE);
	judge_start(bench, before, after, tally, where);
	complete(bench, after, where);
	bench_free(bench);
}

static size_t first_of(const struct frames *frames, uint8_t opcode)
{
	for (size_t i = 0; i < frames->n_items; i++) {
		if (frames->items[i].opcode == opcode)
			return i;
	}
	return frames->n_items;
}

/* From the first erase on the flash is torn in more than one way. */
static void cut_command(const struct scene *scene, const struct frames *frames, size_t nth,
	const uint8_t *before, const uint8_t *after, struct tally *tally)
{
	unsigned n_seeds = nth < first_of(frames, FLASH_BEGIN) ? 1 : 3;

	for (enum cut cut = 0; cut < N_CUTS; cut++) {
		for (unsigned seed = 0; seed < n_seeds; seed++)
			cut_once(scene, frames, nth, cut, seed, before, after, tally);
	}
}

static void every_cut_leaves_nothing_or_one_of_both(void **state)
{
	struct frames frames;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++) {
		uint8_t *before, *after;
		struct tally tally = {0};

		run_whole(&scenes[i], &frames, &before, &after);
		for (size_t nth = 0; nth < frames.n_items; nth++)
			cut_command(&scenes[i], &frames, nth, before, after, &tally);
		print_message(
			"# figure: %s: %zu commands, %u cuts: %u start nothing, %u the old, %u the new application; %u torn boot loaders pass the ROM's sum\n",
			scenes[i].name, frames.n_items, tally.nothing + tally.old + tally.new,
			tally.nothing, tally.old, tally.new, tally.wild);
		/* That sum has eight bits, and the sector that is written last four blocks. */
		assert_in_range(tally.wild, 0, 3);
		/* Before the first erase it is the old one, behind the last block the new one. */
		assert_true(tally.nothing > 0 && tally.old > 0 && tally.new > 0);
		free(before);
		free(after);
	}
}

/* The board has its own power: the chip ends what it was told, and waits in its loader. */
static void a_cable_that_is_pulled_alone_costs_one_more_turn(void **state)
{
	struct frames frames;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i += 2) {
		uint8_t *before, *after;

		run_whole(&scenes[i], &frames, &before, &after);
		for (size_t nth = 0; nth < frames.n_items; nth++) {
			const struct port_sim_options options = {
				.unplug_after_sent = frames.items[nth].end - nth % 2 * 5,
				.self_powered = true};
			struct bench *bench = board_new(&scenes[i], NULL);

			port_sim_set_options(BENCH_PORT, &options);
			bench->goes_away = true;
			bench_run(bench, FLASH_UPDATE);
			port_sim_set_options(
				BENCH_PORT, &(struct port_sim_options){.self_powered = true});
			port_sim_plug(BENCH_PORT);
			complete(bench, after, scenes[i].name);
			assert_true(is_as(bench, before, false));
			bench_free(bench);
		}
		free(before);
		free(after);
	}
}

/* ------------------------------------------------------------------ checks of esp-rom.md 17 */

/* Where the n-th frame of these opcodes is; the last one with `nth` 0. */
static size_t find_frame(const struct frames *frames, uint8_t plain, uint8_t deflated, size_t nth)
{
	size_t n = 0, last = frames->n_items;

	for (size_t i = 0; i < frames->n_items; i++) {
		uint8_t opcode = frames->items[i].opcode;

		if (opcode != plain && opcode != deflated)
			continue;
		last = i;
		if (++n == nth)
			return i;
	}
	assert_int_equal(nth, 0);
	return last;
}

static void check_18_power_lost_at_each_stage_starts_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++) {
		uint8_t *before, *after;
		struct frames frames;
		struct {
			size_t nth;
			enum cut cut;
		} cuts[4];

		run_whole(&scenes[i], &frames, &before, &after);
		/* After the guard, in a region, before the last sector, in it. */
		cuts[0].nth = find_frame(&frames, FLASH_BEGIN, DEFLATE_BEGIN, 1) + 1;
		cuts[0].cut = CUT_IN_FRAME;
		cuts[1].nth = find_frame(&frames, FLASH_DATA, DEFLATE_DATA, 1);
		cuts[1].cut = CUT_IN_WORK;
		cuts[2].nth = find_frame(&frames, FLASH_BEGIN, DEFLATE_BEGIN, 0);
		cuts[2].cut = CUT_IN_FRAME;
		cuts[3].nth = cuts[2].nth + 1;
		cuts[3].cut = CUT_BEHIND_FRAME;
		for (size_t k = 0; k < ARRAY_SIZE(cuts); k++) {
			struct tally tally = {0};

			for (unsigned seed = 0; seed < 4; seed++)
				cut_once(&scenes[i], &frames, cuts[k].nth, cuts[k].cut, seed,
					before, after, &tally);
			assert_int_equal(tally.nothing, 4);
		}
		free(before);
		free(after);
	}
}

struct fault_row {
	const char *name;
	struct sim_faults faults;
};

static void check_19_neighbours_stay_after_success_and_every_failure(void **state)
{
	static const struct fault_row rows[] = {
		{"nothing goes wrong", {0}},
		{"the flash has a defect", {.stuck_address = 0x10123}},
		{"it is reported", {.stuck_address = 0x10123, .esp = {.reports_defects = true}}},
		{"the flash is protected", {.write_protected = true}},
		{"erases are refused",
			{.esp = {.fail_code = FLASH_BEGIN, .fail_nth = 3, .fail_error = 6}}},
		{"deflated ones are",
			{.esp = {.fail_code = DEFLATE_BEGIN, .fail_nth = 2, .fail_error = 6}}},
		{"a block is refused for ever", {.esp = {.fail_code = FLASH_DATA,
							 .fail_nth = UINT32_MAX,
							 .fail_error = 8}}},
		{"inflating fails for ever", {.esp = {.fail_code = DEFLATE_DATA,
						      .fail_nth = UINT32_MAX,
						      .fail_error = 0x0B}}},
		{"an answer is lost", {.esp = {.lose_code = FLASH_DATA, .lose_nth = 3}}},
		{"one to a deflated block is", {.esp = {.lose_code = DEFLATE_DATA, .lose_nth = 2}}},
		{"an erase never ends", {.esp = {.begin_nsec = SIM_NEVER}}},
		{"no sum is right", {.esp = {.md5_always_other = true}}},
		{"it hangs in a block", {.hang_code = FLASH_DATA, .hang_nth = 2}},
		{"it hangs in a deflated one", {.hang_code = DEFLATE_DATA, .hang_nth = 2}},
	};
	unsigned n_updated = 0, n_failed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
			struct bench *bench = board_new(&scenes[i], &rows[k].faults);
			uint8_t *before = copy_flash(bench);
			enum outcome outcome = bench_run(bench, FLASH_UPDATE);

			if (!is_as(bench, before, false))
				fail_msg("%s, %s: something is lost that the image does not name",
					scenes[i].name, rows[k].name);
			n_updated += outcome == OUTCOME_UPDATED;
			n_failed += outcome != OUTCOME_UPDATED;
			if (k == 0)
				assert_int_equal(outcome, OUTCOME_UPDATED);
			free(before);
			bench_free(bench);
		}
	}
	assert_true(n_updated > ARRAY_SIZE(scenes) && n_failed > ARRAY_SIZE(scenes));
}

static void check_21_a_chip_equal_to_the_files_is_asked_for_sums_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++) {
		struct bench *bench = board_new(&scenes[i], NULL);
		const unsigned *commands = sim_counters(bench->sim)->commands;
		uint8_t *before;

		take(bench, &scenes[i], 1);
		before = copy_flash(bench);
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
		assert_int_equal(commands[FLASH_BEGIN] + commands[FLASH_DATA], 0);
		assert_int_equal(commands[DEFLATE_BEGIN] + commands[DEFLATE_DATA], 0);
		assert_true(commands[MD5] > 0);
		assert_int_equal(sim_counters(bench->sim)->pages_erased, 0);
		assert_memory_equal(sim_flash(bench->sim), before, FLASH_BYTES);
		port_sim_pass(BENCH_PORT, 3 * USEC_PER_SEC);
		assert_true(esp_runs_app(bench));
		free(before);
		bench_free(bench);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_18_power_lost_at_each_stage_starts_nothing),
		cmocka_unit_test(check_19_neighbours_stay_after_success_and_every_failure),
		cmocka_unit_test(check_21_a_chip_equal_to_the_files_is_asked_for_sums_alone),
		cmocka_unit_test(a_cable_that_is_pulled_alone_costs_one_more_turn),
		cmocka_unit_test(every_cut_leaves_nothing_or_one_of_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
