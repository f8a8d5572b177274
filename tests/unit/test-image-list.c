/* SPDX-License-Identifier: MIT */
/* All images of a rule, listed by a process of its own, which may hang, lie, crash or say too much.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "api/dict.h"
#include "flash/survey.h"
#include "service/image-list.h"
#include "unit/folder.h"
#include "unit/patience.h"
#include "unit/virtual-clock.h"

static char self[4096];

/* ------------------------------------------------------------------ the worker */

static void hang(void)
{
	for (;;)
		pause();
}

static int play_worker(void)
{
	CLEANUP(assignment_done) struct assignment assignment = {0};
	static char text[1 << 20];
	size_t n = fread(text, 1, sizeof(text) - 1, stdin);
	FILE *from = fmemopen(text, n, "r");

	if (strstr(text, "[board stuck"))
		hang();
	/* An hour later nothing is waited for any more. */
	if (strstr(text, "[board later]"))
		clock_move(3600 * USEC_PER_SEC);
	if (strstr(text, "[board half]")) {
		printf("image a\nstate chosen\nend 0\n");
		return 0;
	}
	if (strstr(text, "[board crash]")) {
		printf("image a\nstate chosen\nend 0\ndone 1\n");
		fflush(stdout);
		raise(SIGKILL);
	}
	if (strstr(text, "[board bad]")) {
		printf("image a\nstate chosen\nend 0\ndone 1\n");
		return 3;
	}
	if (strstr(text, "[board endless]"))
		for (;;)
			puts("image a");
	if (strstr(text, "[board hostile]")) {
		printf("image a\033[2J\nstate chosen\nend 0\ndone 1\n");
		return 0;
	}
	return survey_run(from, stdout) == 0 ? 0 : 97;
}

/* ------------------------------------------------------------------ the desk */

struct desk {
	sd_event *event;
	struct image_lists *lists;
	struct config config;
	unsigned n_answers;
	int error;
	struct reason reason;
	struct dict items[8];
	size_t n_items;
	const char *again; /* to be asked for from the answer */
	int again_result;
};

static const char *const names[] = {"gate", "stuck", "stuck0", "stuck1", "stuck2", "stuck3", "half",
	"crash", "bad", "endless", "hostile", "later"};

static void load_rules(struct config *ret)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	FILE *to = fopen(in_folder("plugflash.conf"), "we");

	assert_non_null(to);
	fprintf(to, "[service]\nimage-dir = %s\n", in_folder("images"));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		fprintf(to, "[board %s]\nserial = S%zu\nchip = 0x410\nimage = gate-*\n", names[i],
			i);
	assert_int_equal(fclose(to), 0);
	assert_int_equal(config_load(folder, ret, &problems), 0);
}

static int set_up(void **state)
{
	struct desk *desk = calloc(1, sizeof(*desk));

	if (!desk || sd_event_new(&desk->event) < 0)
		return -1;
	*state = desk;
	load_rules(&desk->config);
	return image_lists_new(
		&(struct image_list_parts){
			.event = desk->event,
			.worker = self,
			.chips = "config/chips.ini",
		},
		&desk->lists);
}

static void forget_items(struct desk *desk)
{
	for (size_t i = 0; i < desk->n_items; i++)
		dict_done(&desk->items[i]);
	desk->n_items = 0;
}

static int tear_down(void **state)
{
	struct desk *desk = *state;

	forget_items(desk);
	image_lists_free(desk->lists);
	sd_event_unref(desk->event);
	config_done(&desk->config);
	free(desk);
	return 0;
}

static int ask(struct desk *desk, const char *name);

static void on_answer(void *userdata, int error, const struct reason *reason,
	const struct dict *items, size_t n_items)
{
	struct desk *desk = userdata;

	desk->n_answers++;
	desk->error = error;
	desk->reason = *reason;
	forget_items(desk);
	for (size_t i = 0; i < n_items; i++) {
		assert_true(desk->n_items < ARRAY_SIZE(desk->items));
		assert_int_equal(dict_copy(&items[i], &desk->items[desk->n_items++]), 0);
	}
	if (desk->again) {
		const char *again = TAKE_PTR(desk->again);

		desk->again_result = ask(desk, again);
	}
}

static int ask(struct desk *desk, const char *name)
{
	return image_list_start(desk->lists, &desk->config, config_find_board(&desk->config, name),
		on_answer, desk);
}

static void run_until(struct desk *desk, unsigned n_answers)
{
	uint64_t deadline = real_usec() + PATIENCE_USEC;

	while (desk->n_answers < n_answers) {
		assert_true(sd_event_run(desk->event, 10 * USEC_PER_MSEC) >= 0);
		if (real_usec() > deadline)
			fail_msg("%u of %u answers", desk->n_answers, n_answers);
	}
}

static void put_images(void)
{
	(void)mkdir(in_folder("images"), 0755);
	put_text("images/gate-1.0.hex", ":00000001FF\n");
	put_text("images/gate-1.1.hex", ":00000001FF\n");
	put_text("images/gate-1.0.bin", "x");
}

/* ------------------------------------------------------------------ tests */

static void all_images_are_listed_with_what_is_wrong(void **state)
{
	struct desk *desk = *state;

	put_images();
	assert_int_equal(ask(desk, "gate"), 0);
	run_until(desk, 1);
	assert_int_equal(desk->error, 0);
	assert_int_equal(desk->n_items, 3);
	assert_string_equal(dict_text(&desk->items[0], "image"), "gate-1.1.hex");
	assert_string_equal(dict_text(&desk->items[0], "version"), "1.1");
	/* It has just been written, and may be half a copy. */
	assert_string_equal(dict_text(&desk->items[0], "state"), "awaited");
	assert_true(strlen(dict_text(&desk->items[0], "reason")) > 0);
	assert_int_equal(dict_long(&desk->items[0], "bytes"), 12);
	assert_string_equal(dict_text(&desk->items[1], "version"), "1.0");
	assert_string_equal(dict_text(&desk->items[1], "state"), "older");
	assert_int_equal(
		dict_long(&desk->items[2], "bytes") + dict_long(&desk->items[1], "bytes"), 13);
}

static void an_image_that_is_refused_says_why(void **state)
{
	struct desk *desk = *state;

	put_images();
	assert_int_equal(ask(desk, "later"), 0);
	run_until(desk, 1);
	assert_int_equal(desk->error, 0);
	assert_string_equal(dict_text(&desk->items[0], "state"), "refused");
	assert_non_null(strstr(dict_text(&desk->items[0], "reason"), "gate-1.1.hex"));
}

static void the_image_that_is_chosen_has_its_digest(void **state)
{
	struct desk *desk = *state;
	CLEANUP(fclosep) FILE *from = fopen("tests/firmware/firmware-1.0.0.hex", "re");
	static char text[1 << 20];

	put_images();
	assert_non_null(from);
	assert_true(fread(text, 1, sizeof(text) - 1, from) > 0);
	put_text("images/gate-1.1.hex", text);
	assert_int_equal(ask(desk, "later"), 0);
	run_until(desk, 1);
	assert_int_equal(desk->error, 0);
	assert_string_equal(dict_text(&desk->items[0], "state"), "chosen");
	assert_int_equal(strlen(dict_text(&desk->items[0], "sha256")), 64);
	assert_null(dict_find(&desk->items[0], "reason"));
	assert_null(dict_find(&desk->items[1], "sha256"));
}

static void a_folder_without_images_says_what_is_there(void **state)
{
	struct desk *desk = *state;

	assert_int_equal(
		nftw(in_folder("images"), folder_remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
	(void)mkdir(in_folder("images"), 0755);
	assert_int_equal(ask(desk, "gate"), 0);
	run_until(desk, 1);
	assert_int_equal(desk->error, 0);
	assert_int_equal(desk->n_items, 1);
	assert_string_equal(dict_text(&desk->items[0], "state"), "none");
	assert_null(dict_find(&desk->items[0], "image"));
	assert_true(strlen(dict_text(&desk->items[0], "reason")) > 0);
}

/* A mount that does not answer: the answer comes in time, and the rule is refused meanwhile. */
static void a_folder_that_hangs_is_told_in_time(void **state)
{
	struct desk *desk = *state;

	assert_int_equal(ask(desk, "stuck"), 0);
	assert_int_equal(sd_event_run(desk->event, 0), 0);
	assert_int_equal(desk->n_answers, 0);
	assert_true(clock_move_to_next());
	desk->again = "stuck";
	run_until(desk, 1);
	assert_int_equal(desk->error, -ETIMEDOUT);
	assert_non_null(strstr(desk->reason.text, "does not answer"));
	assert_int_equal(desk->n_items, 0);
	assert_int_equal(desk->again_result, -EBUSY);
}

static void a_rule_has_one_run_and_all_hear_of_it(void **state)
{
	struct desk *desk = *state;

	put_images();
	for (unsigned i = 0; i < IMAGE_LIST_CALLERS_MOST; i++)
		assert_int_equal(ask(desk, "gate"), 0);
	assert_int_equal(ask(desk, "gate"), -EBUSY);
	run_until(desk, IMAGE_LIST_CALLERS_MOST);
	assert_int_equal(desk->error, 0);
	/* Over: the next begins another. */
	assert_int_equal(ask(desk, "gate"), 0);
	run_until(desk, IMAGE_LIST_CALLERS_MOST + 1);
}

static void there_are_never_more_runs_than_may_be(void **state)
{
	struct desk *desk = *state;
	char name[16];

	for (unsigned i = 0; i < IMAGE_LISTS_MOST; i++) {
		snprintf(name, sizeof(name), "stuck%u", i);
		assert_int_equal(ask(desk, name), 0);
	}
	assert_int_equal(ask(desk, "gate"), -EBUSY);
	while (clock_move_to_next() && desk->n_answers < IMAGE_LISTS_MOST)
		assert_true(sd_event_run(desk->event, 10 * USEC_PER_MSEC) >= 0);
	/* Killed, they end, and there is room again. */
	for (uint64_t deadline = real_usec() + PATIENCE_USEC; ask(desk, "gate") == -EBUSY;) {
		assert_true(sd_event_run(desk->event, 10 * USEC_PER_MSEC) >= 0);
		assert_true(real_usec() < deadline);
	}
	run_until(desk, IMAGE_LISTS_MOST + 1);
}

static void a_worker_that_fails_is_told(void **state)
{
	static const struct {
		const char *board;
		int error;
	} rows[] = {
		{"half", -EBADMSG},
		{"crash", -EBADMSG},
		{"bad", -EBADMSG},
		{"endless", -E2BIG},
		{"hostile", -EBADMSG},
	};
	struct desk *desk = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(ask(desk, rows[i].board), 0);
		run_until(desk, i + 1);
		if (desk->error != rows[i].error)
			fail_msg("%s: %d", rows[i].board, desk->error);
		assert_int_equal(desk->n_items, 0);
		assert_non_null(strstr(desk->reason.text, rows[i].board));
	}
}

static void a_worker_that_cannot_be_started_is_told(void **state)
{
	struct desk *desk = *state;
	struct image_lists *lists = TAKE_PTR(desk->lists);

	image_lists_free(lists);
	assert_int_equal(image_lists_new(
				 &(struct image_list_parts){
					 .event = desk->event,
					 .worker = "/nonexistent",
					 .chips = "config/chips.ini",
				 },
				 &desk->lists),
		0);
	assert_int_equal(ask(desk, "gate"), -ENOENT);
	assert_int_equal(ask(desk, "gate"), -ENOENT);
}

/* Those who wait hear nothing any more, and nobody waits for the process. */
static void lists_that_go_call_nobody(void **state)
{
	struct desk *desk = *state;

	assert_int_equal(ask(desk, "stuck"), 0);
	image_lists_free(TAKE_PTR(desk->lists));
	assert_true(sd_event_run(desk->event, 0) >= 0);
	assert_int_equal(desk->n_answers, 0);
}

int main(int argc, char **argv)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(all_images_are_listed_with_what_is_wrong),
		TEST(an_image_that_is_refused_says_why),
		TEST(the_image_that_is_chosen_has_its_digest),
		TEST(a_folder_without_images_says_what_is_there),
		TEST(a_folder_that_hangs_is_told_in_time),
		TEST(a_rule_has_one_run_and_all_hear_of_it),
		TEST(there_are_never_more_runs_than_may_be),
		TEST(a_worker_that_fails_is_told),
		TEST(a_worker_that_cannot_be_started_is_told),
		TEST(lists_that_go_call_nobody),
	};

	if (argc == 2 && strcmp(argv[1], SURVEY_ARGUMENT) == 0)
		return play_worker();
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	return cmocka_run_group_tests_name("image-list", tests, folder_make, folder_remove);
}
