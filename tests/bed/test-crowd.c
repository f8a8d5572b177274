/* SPDX-License-Identifier: MIT */
/*
 * What one more board costs while 1, 30 and 120 boards are plugged in at once: processor time of
 * the workers and of the service, and memory of both. With a bus and a peer that hears all of it,
 * for what is told of one board is to be told once, and not once for each of the others.
 *
 * Times and sizes differ from machine to machine, so none is demanded. The test demands that one
 * more board costs about the same among 30 to 120 as it does among 1 to 30. Where n boards cost
 * a + b*n + c*n*n, one more costs b + 31*c in the first range and b + 150*c in the second: the
 * ratio is 4.8 where the square is all, and RATIO_MOST where it is 71 % of what 120 boards cost.
 * Processor time does not grow while a process waits on a loaded machine, but it does by cold
 * caches, and RATIO_MOST leaves room for that.
 *
 * Slow: 152 boards, each with a worker of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"
#include "bed/enclosure.h"
#include "bed/processes.h"
#include "bed/stage.h"

#define N_FEW	   30
#define N_MANY	   120
#define N_IMAGE	   (4 * 1024)
#define RATIO_MOST 2.5
/* Of the bed's limits against hanging, for 120 boards of which each worker is sanitised. */
#define N_BED_LONGS 4
/* How often the memory of all workers is added up, for it costs processor time itself. */
#define SAMPLE_USEC (100 * USEC_PER_MSEC)

struct crowd {
	struct bed *bed;
	struct bed_unit *units[N_MANY];
	char serials[N_MANY][16], places[N_MANY][32];
};

struct cost {
	double service_msec, workers_msec;
	double service_kib; /* the most so far */
	double workers_kib; /* of all at once, the most */
	size_t n_workers;   /* that ran then */
	double seconds;
};

/* ------------------------------------------------------------------------------- what is read */

static void read_times(pid_t pid, struct cost *cost)
{
	struct processes_time time;

	assert_true(processes_time_of(pid, &time));
	cost->service_msec = time.msec;
	cost->workers_msec = time.children_msec;
}

/* Its share of what it has in memory, in KiB: what others have as well counts for each in part. 0:
 * it has ended. */
static long share_of(pid_t pid)
{
	CLEANUP(fclosep) FILE *f = NULL;
	char path[64], line[256];
	long kib = 0;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f) && sscanf(line, "Pss: %ld", &kib) != 1)
		;
	return kib;
}

/* ------------------------------------------------------------------------------- one crowd */

struct gathering {
	struct bed *bed;
	struct cost *cost;
	size_t at;	    /* entries of the journal that were looked at */
	unsigned n_missing; /* boards whose job has not ended */
	uint64_t sample_usec;
};

static void sample_workers(struct gathering *gathering)
{
	pid_t workers[N_MANY + 8];
	size_t n =
		processes_children(bed_service_pid(gathering->bed), workers, ARRAY_SIZE(workers));
	long kib = 0;

	for (size_t i = 0; i < n; i++)
		kib += share_of(workers[i]);
	if ((double)kib <= gathering->cost->workers_kib)
		return;
	gathering->cost->workers_kib = (double)kib;
	gathering->cost->n_workers = n;
}

/* expect_outcome() reads all entries anew after each event; this reads each entry once. */
static bool has_gathered(void *userdata)
{
	struct gathering *gathering = userdata;
	const struct journal_reader *journal = bed_journal(gathering->bed);

	for (; gathering->at < journal_reader_count(journal); gathering->at++) {
		const struct journal_entry *entry = journal_reader_entry(journal, gathering->at);

		if (journal_entry_get(entry, FIELD_OUTCOME) &&
			!journal_entry_fits(entry, BED_MATCH("MESSAGE_ID=" MESSAGE_JOB_RETRIED)) &&
			gathering->n_missing > 0)
			gathering->n_missing--;
	}
	if (monotonic_usec() >= gathering->sample_usec) {
		sample_workers(gathering);
		gathering->sample_usec = monotonic_usec() + SAMPLE_USEC;
	}
	return gathering->n_missing == 0;
}

static void plug(struct crowd *crowd, unsigned i)
{
	if (crowd->units[i]) {
		bed_replug(crowd->units[i], NULL);
		return;
	}
	snprintf(crowd->serials[i], sizeof(crowd->serials[i]), "A%u", i);
	snprintf(crowd->places[i], sizeof(crowd->places[i]), "1-%u.%u", 1 + i / 15, 1 + i % 15);
	crowd->units[i] = bed_plug(crowd->bed,
		&(struct bed_board){.serial = crowd->serials[i], .path = crowd->places[i]});
}

/* So many boards come at once, are written and go. */
static struct cost run_crowd(struct crowd *crowd, unsigned n_boards, unsigned version)
{
	struct bed *bed = crowd->bed;
	pid_t service = bed_service_pid(bed);
	struct cost before = {0}, cost = {0};
	struct gathering gathering = {.bed = bed, .cost = &cost, .n_missing = n_boards};
	uint64_t begin;

	scene_put_noise(bed, version, N_IMAGE);
	bed_settle_images(bed);
	gathering.at = journal_reader_count(bed_journal(bed));
	begin = monotonic_usec();
	read_times(service, &before);
	for (unsigned i = 0; i < n_boards; i++)
		plug(crowd, i);
	bed_wait(bed, N_BED_LONGS * BED_LONG, has_gathered, &gathering);
	for (unsigned i = 0; i < n_boards; i++)
		expect_outcome(crowd->units[i], "updated");
	read_times(service, &cost);
	cost.seconds = (double)(monotonic_usec() - begin) / 1e6;
	cost.service_msec -= before.service_msec;
	cost.workers_msec -= before.workers_msec;
	cost.service_kib = (double)bed_figure(bed, "VmHWM");
	for (unsigned i = 0; i < n_boards; i++)
		bed_unplug(crowd->units[i]);
	bed_run(bed, 200);
	print_message("# figure: %u boards at once: %.1f s; the service %.0f ms of processor and "
		      "%.0f KiB at most, its workers %.0f ms, and %.0f KiB at most, %zu of them\n",
		n_boards, cost.seconds, cost.service_msec, cost.service_kib, cost.workers_msec,
		cost.workers_kib, cost.n_workers);
	return cost;
}

/* How many times what one more board costs among few the same costs among many. */
static double compare(const char *what, const char *unit, double one, double few, double many)
{
	double first = (few - one) / (N_FEW - 1), second = (many - few) / (N_MANY - N_FEW);

	print_message("# figure: one more board, %s: %.2f %s from 1 to %u boards, %.2f from %u to "
		      "%u: %.2f times\n",
		what, first, unit, N_FEW, second, N_FEW, N_MANY, second / first);
	return second / first;
}

/* How many run at once is the machine's affair, so one worker is compared with one. */
static double compare_workers(const struct cost *few, const struct cost *many)
{
	double first, second;

	assert_true(few->n_workers > 0 && many->n_workers > 0);
	first = few->workers_kib / (double)few->n_workers;
	second = many->workers_kib / (double)many->n_workers;
	print_message("# figure: one worker, memory: %.0f KiB among %zu, %.0f among %zu: %.2f "
		      "times\n",
		first, few->n_workers, second, many->n_workers, second / first);
	return second / first;
}

/* Memory and time of a sanitised process are not those of the program. */
static void expect_flat(const char *what, double ratio)
{
#ifndef __SANITIZE_ADDRESS__
	if (!(ratio > 0 && ratio < RATIO_MOST))
		fail_msg("one more board, %s: %.2f times among %u boards", what, ratio, N_MANY);
#else
	(void)what;
	(void)ratio;
#endif
}

static void one_more_board_costs_the_same_among_120_as_among_30(void **state)
{
	static struct crowd crowd;
	struct stage *stage = *state;
	double worker_time, worker_memory, service_time, service_memory;
	struct cost one, few, many;

	crowd = (struct crowd){.bed = stage->bed};
	stage_start(stage);
	/* Once before, so that all code that a job takes is in memory. */
	run_crowd(&crowd, 1, 0);
	one = run_crowd(&crowd, 1, 1);
	few = run_crowd(&crowd, N_FEW, 2);
	many = run_crowd(&crowd, N_MANY, 3);
	worker_time = compare("processor time of its worker", "ms", one.workers_msec,
		few.workers_msec, many.workers_msec);
	service_time = compare("processor time of the service", "ms", one.service_msec,
		few.service_msec, many.service_msec);
	service_memory = compare(
		"memory of the service", "KiB", one.service_kib, few.service_kib, many.service_kib);
	worker_memory = compare_workers(&few, &many);
	expect_flat("the processor time of its worker", worker_time);
	expect_flat("the processor time of the service", service_time);
	expect_flat("the memory of the service", service_memory);
	expect_flat("the memory of its worker", worker_memory);
}

static const struct CMUnitTest tests[] = {
	STAGE_TEST(one_more_board_costs_the_same_among_120_as_among_30),
};

SCENE_MAIN(tests)
