/* SPDX-License-Identifier: MIT */
/*
 * What a look-up that ends badly leaves to each of the rules that it was asked for, and how units
 * share answers while rollouts divide them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "service/image-cache.h"
#include "unit/folder.h"
#include "unit/patience.h"
#include "unit/virtual-clock.h"

static char self[4096];
static const struct rollout_unit anybody = {.share = ROLLOUT_SHARE_UNKNOWN};

/* Of an image for 10 percent, or as the file says. One that lies is for nobody. */
static void play_rollout(unsigned share)
{
	unsigned bound = (unsigned)atoi(getenv("TEST_BOUND"));

	if (bound == 0)
		printf("share-from 9999\nshare-below 1\n");
	else if (share < bound)
		printf("share-from 0\nshare-below %u\n", bound);
	else
		printf("share-from %u\nshare-below 10000\n", bound);
}

/* Answers for each rule, and ends with status 3 at the rule "broken"; adds a line to a file. */
static int play_worker(void)
{
	CLEANUP(fclosep) FILE *runs = fopen(getenv("TEST_RUNS"), "ae");
	struct reason reason;

	fputs("run\n", runs);
	for (;;) {
		CLEANUP(assignment_done) struct assignment assignment = {0};

		if (assignment_read(stdin, &assignment, &reason) != 0)
			return 0;
		fprintf(runs, "%s\n", assignment.board.name);
		if (strcmp(assignment.board.name, "broken") == 0)
			return 3;
		if (strcmp(assignment.board.name, "divided") == 0)
			play_rollout(assignment.unit.share);
		printf("name %s.hex\nversion 1\nstamp s\naddress 0\ndue 0\nresult 0\n",
			assignment.board.name);
		fflush(stdout);
	}
}

static void on_answer(void *userdata)
{
	++*(unsigned *)userdata;
}

static const char *const names[] = {"ahead", "broken", "behind", "last", "divided"};

static void load_rules(struct config *ret)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	FILE *to = fopen(in_folder("plugflash.conf"), "we");

	assert_non_null(to);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		fprintf(to, "[board %s]\nserial = S%zu\nchip = 0x410\nimage = *.hex\n", names[i],
			i);
	assert_int_equal(fclose(to), 0);
	assert_int_equal(config_load(folder, ret, &problems), 0);
}

static void the_rule_that_a_worker_ends_badly_at_fails_alone(void **state)
{
	CLEANUP(config_done) struct config config = {0};
	CLEANUP(fclosep) FILE *runs = NULL;
	struct image_cache cache = {0};
	const struct image_entry *entry;
	unsigned n_answers = 0;
	uint64_t deadline = real_usec() + PATIENCE_USEC;
	char text[200] = "";
	(void)state;

	load_rules(&config);
	cache.parts = (struct image_cache_parts){
		.config = &config,
		.worker = self,
		.chips = "config/chips.ini",
		.on_answer = on_answer,
		.userdata = &n_answers,
	};
	assert_int_equal(sd_event_new(&cache.parts.event), 0);
	setenv("TEST_RUNS", in_folder("runs"), 1);
	setenv("TEST_BOUND", "10000", 1);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(image_cache_find(&cache, &config.boards[i], &anybody, 0, &entry),
			IMAGE_CACHE_ASKED);
	/* The second run is for those behind, which nobody asks for again. */
	while (n_answers < 2) {
		assert_true(sd_event_run(cache.parts.event, 10 * USEC_PER_MSEC) >= 0);
		assert_true(real_usec() < deadline);
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(image_cache_find(&cache, &config.boards[i], &anybody, 0, &entry),
			IMAGE_CACHE_FOUND);
		if (strcmp(names[i], "broken") == 0)
			assert_true(image_entry_failure(entry) < 0);
		else
			assert_int_equal(image_entry_failure(entry), 0);
	}
	runs = fopen(in_folder("runs"), "re");
	assert_non_null(runs);
	assert_true(fread(text, 1, sizeof(text) - 1, runs) > 0);
	assert_string_equal(text, "run\nahead\nbroken\nrun\nbehind\nlast\ndivided\n");
	image_cache_clear(&cache);
	sd_event_unref(cache.parts.event);
}

struct divided {
	struct config config;
	struct image_cache cache;
	unsigned n_answers;
};

static void divided_begin(struct divided *bench, const char *bound)
{
	*bench = (struct divided){0};
	load_rules(&bench->config);
	bench->cache.parts = (struct image_cache_parts){
		.config = &bench->config,
		.worker = self,
		.chips = "config/chips.ini",
		.on_answer = on_answer,
		.userdata = &bench->n_answers,
	};
	assert_int_equal(sd_event_new(&bench->cache.parts.event), 0);
	setenv("TEST_RUNS", "/dev/null", 1);
	setenv("TEST_BOUND", bound, 1);
}

static void divided_end(struct divided *bench)
{
	image_cache_clear(&bench->cache);
	sd_event_unref(bench->cache.parts.event);
	config_done(&bench->config);
}

/* Asks until there is an answer; how many look-ups that took. */
static unsigned look_for(
	struct divided *bench, unsigned share, uint64_t since, const struct image_entry **ret)
{
	const struct board *board = config_find_board(&bench->config, "divided");
	const struct rollout_unit unit = {.share = share};
	uint64_t deadline = real_usec() + PATIENCE_USEC;
	unsigned n = bench->n_answers;

	while (image_cache_find(&bench->cache, board, &unit, since, ret) == IMAGE_CACHE_ASKED) {
		unsigned n_before = bench->n_answers;

		while (bench->n_answers == n_before) {
			assert_true(
				sd_event_run(bench->cache.parts.event, 10 * USEC_PER_MSEC) >= 0);
			assert_true(real_usec() < deadline);
		}
	}
	return bench->n_answers - n;
}

static void units_on_one_side_of_a_bound_share_an_answer(void **state)
{
	static const struct {
		unsigned share, n_lookups, from;
	} rows[] = {
		{500, 1, 0},	 /* the first answer */
		{999, 0, 0},	 /* is good for this, too */
		{1000, 1, 1000}, /* and not for this */
		{9999, 0, 1000},
		{0, 0, 0},
	};
	const struct image_entry *entry;
	struct divided bench;
	(void)state;

	divided_begin(&bench, "1000");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(look_for(&bench, rows[i].share, 0, &entry), rows[i].n_lookups);
		assert_int_equal(entry->found.choice.span.from, rows[i].from);
	}
	assert_int_equal(bench.cache.n_items, 2);
	divided_end(&bench);
}

/* A rollout that goes on and on for years leaves no entry behind each time. */
static void bounds_that_change_leave_no_more_entries(void **state)
{
	const struct image_entry *entry;
	struct divided bench;
	char bound[16];
	(void)state;

	divided_begin(&bench, "5000");
	for (unsigned i = 0; i < 30; i++) {
		unsigned at = 100 + i * 4999 % 9800;

		snprintf(bound, sizeof(bound), "%u", at);
		setenv("TEST_BOUND", bound, 1);
		image_cache_look_again(&bench.cache);
		clock_move(2 * USEC_PER_SEC);
		for (unsigned share = 0; share < 10000; share += 1111) {
			(void)look_for(&bench, share, monotonic_usec(), &entry);
			assert_int_equal(entry->found.choice.span.from, share < at ? 0 : at);
		}
	}
	assert_in_range(bench.cache.n_items, 2, 4);
	divided_end(&bench);
}

/* The worker program is believed no more than that: a lie costs the rule its image, and no loop. */
static void an_answer_for_nobody_is_a_failure(void **state)
{
	const struct image_entry *entry;
	struct divided bench;
	(void)state;

	divided_begin(&bench, "0");
	assert_int_equal(look_for(&bench, 500, 0, &entry), 1);
	assert_true(image_entry_failure(entry) < 0);
	divided_end(&bench);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rule_that_a_worker_ends_badly_at_fails_alone),
		cmocka_unit_test(units_on_one_side_of_a_bound_share_an_answer),
		cmocka_unit_test(bounds_that_change_leave_no_more_entries),
		cmocka_unit_test(an_answer_for_nobody_is_a_failure),
	};

	if (argc == 2 && strcmp(argv[1], FINDING_ARGUMENT) == 0)
		return play_worker();
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	return cmocka_run_group_tests_name("image-cache", tests, folder_make, folder_remove);
}
