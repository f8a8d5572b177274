/* SPDX-License-Identifier: MIT */
/* What a look-up that ends badly leaves to each of the rules that it was asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "service/image-cache.h"
#include "unit/folder.h"
#include "unit/virtual-clock.h"

#define PATIENCE_USEC (20 * USEC_PER_SEC)

static char self[4096];

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
		printf("name %s.hex\nversion 1\nstamp s\naddress 0\ndue 0\nresult 0\n",
			assignment.board.name);
		fflush(stdout);
	}
}

static void on_answer(void *userdata)
{
	++*(unsigned *)userdata;
}

static const char *const names[] = {"ahead", "broken", "behind", "last"};

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
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(
			image_cache_find(&cache, &config.boards[i], 0, &entry), IMAGE_CACHE_ASKED);
	/* The second run is for those behind, which nobody asks for again. */
	while (n_answers < 2) {
		assert_true(sd_event_run(cache.parts.event, 10 * USEC_PER_MSEC) >= 0);
		assert_true(real_usec() < deadline);
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(
			image_cache_find(&cache, &config.boards[i], 0, &entry), IMAGE_CACHE_FOUND);
		if (strcmp(names[i], "broken") == 0)
			assert_true(image_entry_failure(entry) < 0);
		else
			assert_int_equal(image_entry_failure(entry), 0);
	}
	runs = fopen(in_folder("runs"), "re");
	assert_non_null(runs);
	assert_true(fread(text, 1, sizeof(text) - 1, runs) > 0);
	assert_string_equal(text, "run\nahead\nbroken\nrun\nbehind\nlast\n");
	image_cache_clear(&cache);
	sd_event_unref(cache.parts.event);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rule_that_a_worker_ends_badly_at_fails_alone),
	};

	if (argc == 2 && strcmp(argv[1], FINDING_ARGUMENT) == 0)
		return play_worker();
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	return cmocka_run_group_tests_name("image-cache", tests, folder_make, folder_remove);
}
