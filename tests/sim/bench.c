/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/util.h"
#include "flash/image-check.h"
#include "image/library.h"
#include "sim/shipped.h"

#define RAM_BASE UINT32_C(0x20000000)

static void read_rule(const char *lines, struct board *ret)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(ini_done) struct ini ini = {0};
	CLEANUP(freep) char *text = NULL;
	char line[400];

	assert_true(asprintf(&text, "[board bench]\nimage = x\n%s\n", lines) > 0);
	assert_int_equal(ini_load_text(&ini, "rule", text, strlen(text), &problems), 0);
	if (config_read_board(&ini, ret, &problems) != 0)
		fail_msg("%s", ini_problem_format(&problems.items[0], line, sizeof(line)));
}

struct chip_table *bench_own_chips(struct bench *bench)
{
	chip_table_done(&bench->own_chips);
	assert_int_equal(shipped_chips_load(&bench->own_chips), 0);
	bench->chips = &bench->own_chips;
	return &bench->own_chips;
}

struct bench *bench_new_with(const struct sim_options *options, const char *rule)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_non_null(bench);
	bench->chips = shipped_chips();
	assert_non_null(bench->chips);
	read_rule(rule, &bench->board);
	assert_non_null(options->chip);
	bench->trusts = (struct trusts){.stub = TRUST_OFF, .bursts = TRUST_FULL};
	bench->flash_base = options->chip->flash_base;
	bench->sim = sim_new(options);
	assert_non_null(bench->sim);
	port_sim_attach(BENCH_PORT, bench->sim, NULL);
	return bench;
}

struct bench *bench_new(const char *chip, const char *rule)
{
	struct sim_options options = {.chip = sim_chip_find(chip)};

	if (options.chip && options.chip->esp)
		options.circuit = SIM_CIRCUIT_ESP;
	return bench_new_with(&options, rule);
}

void bench_take_rule(struct bench *bench, const char *rule)
{
	board_done(&bench->board);
	bench->board = (struct board){0};
	read_rule(rule, &bench->board);
}

void bench_free(struct bench *bench)
{
	port_sim_detach_all();
	sim_free(bench->sim);
	image_done(&bench->image);
	board_done(&bench->board);
	chip_table_done(&bench->own_chips);
	free(bench->read);
	free(bench);
}

void bench_take_file(struct bench *bench, const char *path)
{
	CLEANUP(library_file_done) struct library_file file = {0};
	const struct image_options options = {
		.address = bench->flash_base, .max_bytes = 2 * 1024 * 1024};
	struct reason reason = {""};

	image_done(&bench->image);
	assert_int_equal(library_read(".", path, 1 << 20, &file, &reason), 0);
	assert_int_equal(
		image_read(path, file.data, file.n_data, &options, &bench->image, &reason), 0);
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 16;
}

void bench_take_bytes(struct bench *bench, uint32_t address, uint32_t size, unsigned seed)
{
	CLEANUP(freep) uint8_t *bytes = malloc(size);
	const struct image_options options = {.address = address, .max_bytes = size};
	uint32_t vectors[] = {RAM_BASE + 0x1000, address + 0x101}, state = seed;
	struct reason reason = {""};

	assert_non_null(bytes);
	for (uint32_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)next_random(&state);
	memcpy(bytes, vectors, sizeof(vectors));
	image_done(&bench->image);
	assert_int_equal(image_read("x.bin", bytes, size, &options, &bench->image, &reason), 0);
}

void bench_preload(struct bench *bench)
{
	for (size_t i = 0; i < bench->image.n_segments; i++) {
		const struct segment *segment = &bench->image.segments[i];

		memcpy(sim_flash(bench->sim) + (segment->address - bench->flash_base),
			segment->data, segment->size);
	}
}

enum outcome bench_run(struct bench *bench, enum flash_action action)
{
	const struct flash_job job = {
		.action = action,
		.port = BENCH_PORT,
		.devnum = bench->devnum,
		.board = &bench->board,
		.chips = bench->chips,
		.loader = bench->loader,
		.image = action < FLASH_ERASE ? &bench->image : NULL,
		.dry_run = bench->dry_run,
		.is_guess = bench->is_guess,
		.read_address = bench->read_address,
		.read_size = bench->read_size,
		.ret_read = &bench->read,
		.ret_read_size = &bench->n_read,
		.erase = &bench->erase,
		.has_start_address = bench->has_start_address,
		.start_address = bench->start_address,
		.options = bench->options,
		.ret_options = bench->ret_options,
		.is_cancelled = bench->is_cancelled,
		.on_progress = bench->on_progress,
		.ask = bench->ask,
		.trusts = bench->trusts,
		.asks_trust = bench->asks_trust,
		.seed = bench->seed,
		.transcript = bench->transcript,
		.userdata = bench->userdata,
	};
	const struct port_sim_record *record = port_sim_record(BENCH_PORT);
	struct reason reason = {""};
	enum outcome outcome;

	if (bench->image.n_segments > 0)
		assert_int_equal(
			image_check_make_room(&bench->board, UINT32_MAX, &bench->image, &reason),
			0);
	free(bench->read);
	bench->read = NULL;
	bench->report = bench->known;
	if (bench->version)
		snprintf(
			bench->report.version, sizeof(bench->report.version), "%s", bench->version);
	outcome = flash_run(&job, &bench->report);
	assert_int_equal(outcome, bench->report.outcome);
	assert_int_equal(record->opens, record->closes);
	if (record->opens > 0 && outcome != OUTCOME_PORT_GONE && !bench->goes_away)
		assert_int_equal(record->lines_at_close, bench->board.wiring.rest);
	if (!bench->ask && (outcome == OUTCOME_UPDATED || outcome == OUTCOME_CURRENT))
		assert_string_equal(bench->report.reason.text, "");
	else if (!bench->ask)
		assert_string_not_equal(bench->report.reason.text, "");
	return outcome;
}

bool bench_holds_image(const struct bench *bench)
{
	for (size_t i = 0; i < bench->image.n_segments; i++) {
		const struct segment *segment = &bench->image.segments[i];

		if (memcmp(sim_flash(bench->sim) + (segment->address - bench->flash_base),
			    segment->data, segment->size) != 0)
			return false;
	}
	return true;
}

unsigned bench_erases(const struct bench *bench)
{
	const struct sim_counters *counters = sim_counters(bench->sim);

	return counters->commands[0x43] + counters->commands[0x44] + counters->unprotects;
}

uint64_t bench_msec(const struct bench *bench)
{
	(void)bench;
	return port_sim_now_nsec(BENCH_PORT) / 1000000;
}
