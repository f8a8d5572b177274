/* SPDX-License-Identifier: MIT */
/*
 * test-ti-cuts.c - the cable is pulled, or the power fails, at each command and each packet of an
 * update of a stick with a chip of TI: afterwards a reset ends in the loader, in the old
 * application or in the new one, and never in half of one; nothing is lost that the image does not
 * name, Z-Stack's settings among it; and the next plug-in completes the update.
 *
 * Slow: some thousand updates, each with its own end.
 *
 * There is one moment that no order of commands avoids: while the ROM erases the top sector, up to
 * when it has programmed the values of delivery, the CCFG is neither the old nor the delivered one
 * (ti-bsl.md 5.2). A cut within it may leave the chip locked; how often is told, and nowhere else
 * may it be.
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

#include "sim/ti-bench.h"

#define OLD_VERSION "20230507"
#define NEW_VERSION "20240710"
#define IMAGE_BYTES 4096

enum { SEND_DATA = 0x24, ERASE = 0x26, BANK_ERASE = 0x2C, SET_CCFG = 0x2D, DOWNLOAD = 0x21 };

struct scene {
	const char *name, *chip, *rule;
	bool is_bin; /* the file has the whole flash, FF where the program is not */
};

static const struct scene scenes[] = {
	{"CC2652P", "cc2652p", "", false},
	{"CC2652P, .bin", "cc2652p", "", true},
	{"CC2652P that is asked for its version", "cc2652p", "application = mt\n", false},
	{"CC1352P7", "cc1352p7", "", false},
	{"CC1310", "cc1310", "", false},
	{"CC2538", "cc2538", "", false},
};

/* ------------------------------------------------------------------ one stick */

static struct bench *board_new(const struct scene *scene, const struct sim_faults *faults)
{
	struct bench *bench = ti_bench_new(scene->chip, NULL, faults, scene->rule);
	struct ti_make_image image = ti_make_new(scene->chip, NEW_VERSION, IMAGE_BYTES);

	ti_install(bench, scene->chip, OLD_VERSION, IMAGE_BYTES);
	ti_take(bench, &image, scene->is_bin);
	ti_make_done(&image);
	return bench;
}

static bool is_named(const struct bench *bench, uint32_t from, uint32_t to)
{
	for (size_t i = 0; i < bench->image.n_segments; i++) {
		const struct segment *segment = &bench->image.segments[i];
		uint32_t begin = segment->address - bench->flash_base;

		if (begin < to && begin + segment->size > from)
			return true;
	}
	return false;
}

/* Whether the sectors that the image names, or those that it does not, are as in `flash`. */
static bool is_as(
	const struct bench *bench, const struct scene *scene, const uint8_t *flash, bool named)
{
	uint32_t sector = ti_make_chip(scene->chip)->sector;

	for (uint32_t at = 0; at < sim_flash_size(bench->sim); at += sector) {
		if (is_named(bench, at, at + sector) == named &&
			memcmp(sim_flash(bench->sim) + at, flash + at, sector) != 0)
			return false;
	}
	return true;
}

static uint8_t *copy_flash(const struct bench *bench)
{
	uint8_t *copy = malloc(sim_flash_size(bench->sim));

	assert_non_null(copy);
	memcpy(copy, sim_flash(bench->sim), sim_flash_size(bench->sim));
	return copy;
}

/* ------------------------------------------------------------------ one whole update */

struct whole {
	const struct scene *scene;
	struct ti_sent sent[TI_SENT_MAX];
	size_t n_sent;
	uint8_t *before, *after;
};

static void whole_done(struct whole *whole)
{
	free(whole->before);
	free(whole->after);
	free(whole);
}

static struct whole *whole_new(const struct scene *scene)
{
	struct bench *bench = board_new(scene, NULL);
	struct whole *whole = calloc(1, sizeof(*whole));

	assert_non_null(whole);
	whole->scene = scene;
	whole->before = copy_flash(bench);
	if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
		fail_msg("%s: %s", scene->name, bench->report.reason.text);
	port_sim_pass(BENCH_PORT, USEC_PER_SEC);
	assert_int_equal(ti_runs(bench), strtoul(NEW_VERSION, NULL, 10));
	assert_true(is_as(bench, scene, whole->before, false));
	assert_int_equal(sim_counters(bench->sim)->bad_writes, 0);
	assert_int_equal(ti_commands(bench, BANK_ERASE) + ti_commands(bench, SET_CCFG), 0);
	whole->after = copy_flash(bench);
	whole->n_sent = ti_list_sent(0, whole->sent);
	bench_free(bench);
	return whole;
}

/* The n-th packet of this command, counted from 1; the last with 0. */
static size_t find_packet(const struct whole *whole, uint8_t opcode, size_t nth)
{
	size_t n = 0, last = whole->n_sent;

	for (size_t i = 0; i < whole->n_sent; i++) {
		if (whole->sent[i].opcode != opcode)
			continue;
		last = i;
		if (++n == nth)
			return i;
	}
	assert_true(!nth && last < whole->n_sent);
	return last;
}

/* ------------------------------------------------------------------ cuts */

enum cut { CUT_IN_PACKET, CUT_BEHIND_PACKET, CUT_IN_WORK, N_CUTS };

static const char *const cut_names[] = {
	[CUT_IN_PACKET] = "in the packet of",
	[CUT_BEHIND_PACKET] = "at the end of the packet of",
	[CUT_IN_WORK] = "in the work of",
};

/* A part of what passes until the next command is there, in hundredths. */
static struct port_sim_options cut_options(
	const struct whole *whole, size_t nth, enum cut cut, unsigned part)
{
	const struct ti_sent *sent = &whole->sent[nth];
	struct port_sim_options options = {0};
	uint64_t nsec = 1000000;

	switch (cut) {
	case CUT_IN_PACKET:
		options.unplug_after_sent = (sent->begin + sent->end + 1) / 2;
		break;
	case CUT_BEHIND_PACKET:
		options.unplug_after_sent = sent->end;
		break;
	case CUT_IN_WORK:
		if (nth + 1 < whole->n_sent)
			nsec = whole->sent[nth + 1].at_nsec - sent->at_nsec;
		options.unplug_at_usec = (sent->at_nsec + nsec * part / 100) / 1000;
		break;
	case N_CUTS:
		break;
	}
	return options;
}

struct tally {
	unsigned loader, old, new, nothing; /* where a reset ends */
	unsigned in_top, locked; /* cuts in the top sector's erase; no loader after them */
};

/* Where a reset ends, a second after the power came back. */
static void judge_start(
	struct bench *bench, const struct whole *whole, struct tally *tally, const char *where)
{
	const struct sim_ti_state *ti = sim_ti(bench->sim);
	bool is_top = ti->n_top_torn > 0;

	port_sim_replug(BENCH_PORT);
	port_sim_pass(BENCH_PORT, USEC_PER_SEC);
	if (!is_as(bench, whole->scene, whole->before, false))
		fail_msg("%s: something is lost that the image does not name", where);
	switch (ti->start) {
	case SIM_TI_NO_IMAGE:
		tally->loader++;
		return;
	case SIM_TI_APPLICATION:
		if (ti_runs(bench) == strtoul(OLD_VERSION, NULL, 10) &&
			(is_top || is_as(bench, whole->scene, whole->before, true)))
			tally->old++;
		else if (is_as(bench, whole->scene, whole->after, true))
			tally->new ++;
		else
			fail_msg("%s: parts of both start", where);
		return;
	case SIM_TI_CRASHED:
	case SIM_TI_LOCKED:
		if (!is_top)
			fail_msg("%s: the chip is lost", where);
		tally->nothing++;
		return;
	case SIM_TI_NOT_STARTED:
	case SIM_TI_BACKDOOR:
		fail_msg("%s: the chip has not started", where);
	}
}

/* The next plug-in. False where the loader is not reached. */
static bool complete(struct bench *bench, const struct whole *whole, const char *where)
{
	enum outcome outcome;

	bench->goes_away = false;
	outcome = bench_run(bench, FLASH_UPDATE);
	if (outcome == OUTCOME_NO_SYNC)
		return false;
	if (outcome != OUTCOME_UPDATED && outcome != OUTCOME_CURRENT)
		fail_msg("%s: the next plug-in: %s", where, bench->report.reason.text);
	port_sim_pass(BENCH_PORT, USEC_PER_SEC);
	if (!is_as(bench, whole->scene, whole->after, true) ||
		!is_as(bench, whole->scene, whole->before, false) ||
		ti_runs(bench) != strtoul(NEW_VERSION, NULL, 10))
		fail_msg("%s: the next plug-in leaves something else", where);
	return true;
}

static void cut_once(
	const struct whole *whole, size_t nth, enum cut cut, unsigned seed, struct tally *tally)
{
	/* Wherever in the work: in its middle first, then elsewhere. */
	const struct port_sim_options options =
		cut_options(whole, nth, cut, (50 + seed * 37) % 100);
	const struct sim_faults faults = {.seed = seed * 10000 + (unsigned)(nth * N_CUTS + cut)};
	struct bench *bench = board_new(whole->scene, &faults);
	char where[160];
	bool is_top;

	snprintf(where, sizeof(where), "%s: cut %s command %zu (%02x)", whole->scene->name,
		cut_names[cut], nth, whole->sent[nth].opcode);
	port_sim_set_options(BENCH_PORT, &options);
	bench->goes_away = true;
	bench_run(bench, FLASH_UPDATE);
	judge_start(bench, whole, tally, where);
	is_top = sim_ti(bench->sim)->n_top_torn > 0;
	tally->in_top += is_top;
	if (!complete(bench, whole, where)) {
		if (!is_top)
			fail_msg("%s: the loader is not reached any more: %s", where,
				bench->report.reason.text);
		tally->locked++;
	}
	bench_free(bench);
}

/* What writes or erases is torn in more than one way. */
static unsigned n_seeds(uint8_t opcode)
{
	return opcode == SEND_DATA || opcode == ERASE ? 4 : 1;
}

static void every_cut_leaves_the_loader_or_one_of_both(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++) {
		struct whole *whole = whole_new(&scenes[i]);
		struct tally tally = {0};

		for (size_t nth = 0; nth < whole->n_sent; nth++) {
			for (enum cut cut = 0; cut < N_CUTS; cut++) {
				for (unsigned seed = 0; seed < n_seeds(whole->sent[nth].opcode);
					seed++)
					cut_once(whole, nth, cut, seed, &tally);
			}
		}
		print_message(
			"# figure: %s: %zu commands, %u cuts: %u end in the loader, %u in the old, %u in the new application; of %u in the erase of the top sector %u leave no way into the loader\n",
			scenes[i].name, whole->n_sent,
			tally.loader + tally.old + tally.new + tally.nothing, tally.loader,
			tally.old, tally.new, tally.in_top, tally.locked);
		assert_true(tally.loader > 0 && tally.old > 0 && tally.new > 0);
		assert_in_range(tally.in_top, 1, 8);
		whole_done(whole);
	}
}

/* The stick has its own power: the chip ends what it was told, and waits in its loader. */
static void a_cable_that_is_pulled_alone_costs_one_more_turn(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++) {
		struct whole *whole = whole_new(&scenes[i]);

		for (size_t nth = 0; nth < whole->n_sent; nth++) {
			const struct port_sim_options options = {
				.unplug_after_sent = whole->sent[nth].end - nth % 2,
				.self_powered = true};
			struct bench *bench = board_new(&scenes[i], NULL);

			port_sim_set_options(BENCH_PORT, &options);
			bench->goes_away = true;
			bench_run(bench, FLASH_UPDATE);
			port_sim_set_options(
				BENCH_PORT, &(struct port_sim_options){.self_powered = true});
			port_sim_plug(BENCH_PORT);
			assert_true(complete(bench, whole, scenes[i].name));
			bench_free(bench);
		}
		whole_done(whole);
	}
}

/* ------------------------------------------------------------------ ti-bsl.md 14, check 14 */

struct stage {
	const char *name;
	size_t nth;
	enum cut cut;
};

/* After GUARD, behind one further erase, in half the data, before COMMIT, in COMMIT. */
static void find_stages(const struct whole *whole, struct stage ret[6])
{
	size_t commit = find_packet(whole, SEND_DATA, 0), n_data = 0;

	for (size_t i = 0; i < whole->n_sent; i++)
		n_data += whole->sent[i].opcode == SEND_DATA;
	ret[0] = (struct stage){"GUARD", find_packet(whole, ERASE, 1) + 1, CUT_IN_PACKET};
	ret[1] = (struct stage){"one erase", find_packet(whole, ERASE, 2), CUT_IN_WORK};
	ret[2] = (struct stage){
		"half the data", find_packet(whole, SEND_DATA, n_data / 2), CUT_IN_WORK};
	ret[3] = (struct stage){"before COMMIT", commit, CUT_IN_PACKET};
	ret[4] = (struct stage){"COMMIT begins", commit, CUT_BEHIND_PACKET};
	ret[5] = (struct stage){"COMMIT", commit, CUT_IN_WORK};
	assert_int_equal(whole->sent[find_packet(whole, ERASE, 1)].address,
		ti_make_chip(whole->scene->chip)->base + ti_make_chip(whole->scene->chip)->size -
			ti_make_chip(whole->scene->chip)->sector);
	/* The CCFG in one packet, and nothing is written behind it. */
	assert_int_equal(
		whole->sent[commit].n_data, ti_make_ccfg_size(ti_make_chip(whole->scene->chip)));
}

static void ti_check_14_power_lost_in_each_phase_ends_in_the_loader_or_the_new(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++) {
		struct whole *whole = whole_new(&scenes[i]);
		struct stage stages[6];

		find_stages(whole, stages);
		for (size_t k = 0; k < ARRAY_SIZE(stages); k++) {
			struct tally tally = {0};

			for (unsigned seed = 0; seed < 8; seed++)
				cut_once(whole, stages[k].nth, stages[k].cut, seed, &tally);
			if (tally.locked || tally.nothing || tally.old || (k < 5 && tally.new))
				fail_msg("%s, %s: %u locked, %u old, %u new", scenes[i].name,
					stages[k].name, tally.locked, tally.old, tally.new);
		}
		whole_done(whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			ti_check_14_power_lost_in_each_phase_ends_in_the_loader_or_the_new),
		cmocka_unit_test(a_cable_that_is_pulled_alone_costs_one_more_turn),
		cmocka_unit_test(every_cut_leaves_the_loader_or_one_of_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
