/* SPDX-License-Identifier: MIT */
/*
 * test-owners.c - units that own ports, over minutes and over lives of the service. The store is
 * real; systemd is of paper and takes the place of systemd1.c: an order is answered when the test
 * says so.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "service/owners.h"
#include "service/systemd1.h"
#include "unit/folder.h"
#include "unit/virtual-clock.h"

#define UNIT "zigbee2mqtt.service"
#define PATH "pci-0000:00:14.0-usb-0:1.2:1.0"
#define HUB  "pci-0000:00:14.0-usb-0:1.3:1.0"

static char *names[] = {(char *)UNIT, NULL};

/* -------------------------------------------------------------------- a systemd of paper */

/* The order that waits, of one unit. */
static struct paper {
	systemd1_callback callback;
	void (*on_queued)(void *userdata);
	void *userdata;
	bool is_forced;
} list_order, stop_order, start_order;

static struct systemd_unit unit;
static unsigned n_stops, n_starts, n_rests;

struct systemd1 {
	int nothing;
};

int systemd1_new(sd_event *event, struct systemd1 **ret)
{
	(void)event;
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

struct systemd1 *systemd1_free(struct systemd1 *systemd1)
{
	free(systemd1);
	return NULL;
}

int systemd1_list(struct systemd1 *systemd1, char *const *asked, size_t n_asked,
	systemd1_callback callback, void *userdata)
{
	(void)systemd1;
	assert_int_equal(n_asked, 1);
	assert_string_equal(asked[0], UNIT);
	list_order = (struct paper){callback, NULL, userdata, false};
	return 0;
}

int systemd1_stop(struct systemd1 *systemd1, const struct systemd_unit *which,
	systemd1_callback callback, void *userdata)
{
	(void)systemd1;
	assert_string_equal(which->id, unit.id);
	n_stops++;
	stop_order = (struct paper){callback, NULL, userdata, false};
	return 0;
}

int systemd1_start(struct systemd1 *systemd1, const char *id, bool is_forced,
	void (*on_queued)(void *userdata), systemd1_callback callback, void *userdata)
{
	(void)systemd1;
	assert_string_equal(id, unit.id);
	n_starts++;
	start_order = (struct paper){callback, on_queued, userdata, is_forced};
	return 0;
}

void systemd1_forget(struct systemd1 *systemd1, const void *userdata)
{
	struct paper *const orders[] = {&list_order, &stop_order, &start_order};

	(void)systemd1;
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
		if (orders[i]->userdata == userdata)
			*orders[i] = (struct paper){0};
}

void systemd1_rest(struct systemd1 *systemd1)
{
	(void)systemd1;
	n_rests++;
}

static void answer(struct paper *order, const struct systemd1_answer *given)
{
	const struct paper asked = *order;

	assert_non_null(asked.callback);
	*order = (struct paper){0};
	asked.callback(asked.userdata, given);
}

static void answer_list(const char *active)
{
	unit.active = active;
	answer(&list_order, &(struct systemd1_answer){.units = &unit, .n_units = 1});
}

static void end_job(struct paper *order, const char *result)
{
	answer(order, &(struct systemd1_answer){.result = result});
}

static void refuse(struct paper *order, enum systemd1_fault fault)
{
	answer(order, &(struct systemd1_answer){.fault = (int)fault, .reason = {.text = "so"}});
}

/* ----------------------------------------------------------------------- owners on a bench */

static struct bench {
	sd_event *event;
	struct records records;
	struct owners *owners;
	struct owners_need need;
	struct owners_answer answer; /* the last */
	unsigned n_answers, n_wakes;
} bench;

static struct owners_need need(void *userdata, const char *id, const char *name)
{
	(void)userdata;
	assert_string_equal(id, unit.id);
	assert_string_equal(name, UNIT);
	return bench.need;
}

static void on_change(void *userdata)
{
	(void)userdata;
	bench.n_wakes++;
}

static void on_taken(void *userdata, const struct owners_answer *taken)
{
	assert_ptr_equal(userdata, &bench);
	bench.answer = *taken;
	bench.n_answers++;
}

static void begin_service(void)
{
	const struct owners_parts parts = {.event = bench.event,
		.records = &bench.records,
		.need = need,
		.on_change = on_change};

	assert_int_equal(records_open(&bench.records, in_folder("state")), 0);
	assert_int_equal(owners_new(&parts, &bench.owners), 0);
	owners_recall(bench.owners);
}

/* As by kill -9: nothing is said to systemd. */
static void end_service(void)
{
	bench.owners = owners_free(bench.owners);
	records_close(&bench.records);
	list_order = stop_order = start_order = (struct paper){0};
}

static int set_up(void **state)
{
	(void)state;
	(void)nftw(in_folder("state"), folder_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	assert_int_equal(mkdir(in_folder("state"), 0700), 0);
	bench = (struct bench){0};
	unit = (struct systemd_unit){.name = UNIT,
		.id = UNIT,
		.load = "loaded",
		.active = "active",
		.job = "",
		.path = "/"};
	n_stops = n_starts = n_rests = 0;
	assert_true(sd_event_new(&bench.event) >= 0);
	begin_service();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	end_service();
	sd_event_unref(bench.event);
	return 0;
}

#define OWNERS_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static void turn(void)
{
	owners_turn(bench.owners, false);
}

/* A turn comes where a timer asks for it. */
static void pass(uint64_t usec)
{
	bench.n_wakes = 0;
	clock_move(usec);
	while (sd_event_run(bench.event, 0) > 0)
		;
	if (bench.n_wakes > 0)
		turn();
}

/* A job begins, and its unit is down. */
static void take(void)
{
	assert_int_equal(owners_take(bench.owners, names, 1, on_taken, &bench), 0);
	bench.need.is_used = true;
	answer_list("active");
	end_job(&stop_order, "done");
	assert_true(bench.answer.is_free);
	turn();
}

static void end(enum owners_end how, const char *path)
{
	bench.need.is_used = false;
	owners_note_end(bench.owners, names, 1, how, path, "");
	turn();
}

static const char *down(void)
{
	static char text[256];

	owners_list_down(bench.owners, text, sizeof(text));
	return text;
}

/* ----------------------------------------------------------------------------------- tests */

static void a_unit_is_down_for_the_time_of_a_job(void **state)
{
	(void)state;
	take();
	assert_string_equal(bench.answer.stopped, UNIT);
	assert_string_equal(down(), UNIT);
	pass(600 * USEC_PER_SEC);
	assert_int_equal(n_starts, 0);
	end(OWNERS_WELL, PATH);
	assert_int_equal(n_starts, 1);
	assert_false(owners_are_settled(bench.owners));
	end_job(&start_order, "done");
	assert_string_equal(down(), "");
	assert_true(owners_are_settled(bench.owners));
	turn();
	assert_true(n_rests > 0);
	/* And nothing of it is left for the next service. */
	end_service();
	begin_service();
	assert_string_equal(down(), "");
}

/* polkit is asked about the start before systemd has a job of it, and the list comes in between. */
static void a_start_that_systemd_has_not_taken_yet_is_taken_back(void **state)
{
	(void)state;
	take();
	end(OWNERS_WELL, PATH);
	assert_int_equal(n_starts, 1);
	bench.answer = (struct owners_answer){0};
	assert_int_equal(owners_take(bench.owners, names, 1, on_taken, &bench), 0);
	bench.need.is_used = true;
	answer_list("inactive");
	assert_false(bench.answer.is_free);
	assert_int_equal(n_stops, 2);
	assert_string_equal(down(), UNIT);
	end_job(&stop_order, "done");
	assert_true(bench.answer.is_free);
	turn();
	assert_int_equal(n_starts, 1);
	end(OWNERS_WELL, PATH);
	assert_int_equal(n_starts, 2);
	end_job(&start_order, "done");
	assert_true(owners_are_settled(bench.owners));
}

static void it_waits_for_a_board_that_was_pulled_out_but_not_for_ever(void **state)
{
	(void)state;
	take();
	end(OWNERS_PULLED, PATH);
	assert_int_equal(n_starts, 0);
	pass(HANDOVER_MOMENT_USEC - USEC_PER_SEC);
	assert_int_equal(n_starts, 0);
	pass(USEC_PER_SEC);
	assert_int_equal(n_starts, 1);
}

/* It fails on the stick that is gone, and stays so for want of anybody who starts it. */
static void one_that_fails_without_its_board_is_started_when_that_is_whole(void **state)
{
	(void)state;
	take();
	end(OWNERS_PULLED, PATH);
	pass(HANDOVER_MOMENT_USEC);
	end_job(&start_order, "done");
	assert_string_equal(down(), "");
	assert_true(owners_are_settled(bench.owners));
	/* Also in the next life of the service. */
	end_service();
	begin_service();
	assert_string_equal(down(), "");
	assert_int_equal(owners_take(bench.owners, names, 1, on_taken, &bench), 0);
	bench.need.is_used = true;
	answer_list("failed");
	assert_true(bench.answer.is_free);
	assert_string_equal(bench.answer.stopped, "");
	assert_int_equal(n_stops, 1);
	end(OWNERS_WELL, PATH);
	assert_int_equal(n_starts, 2);
	end_job(&start_order, "done");
	/* Once: the board is whole. */
	assert_int_equal(owners_take(bench.owners, names, 1, on_taken, &bench), 0);
	answer_list("failed");
	end(OWNERS_WELL, PATH);
	assert_int_equal(n_starts, 2);
}

static void one_that_somebody_stopped_meanwhile_stays_down(void **state)
{
	(void)state;
	take();
	end(OWNERS_TORN, PATH);
	end_job(&start_order, "done");
	assert_int_equal(owners_take(bench.owners, names, 1, on_taken, &bench), 0);
	answer_list("inactive");
	end(OWNERS_WELL, PATH);
	assert_int_equal(n_starts, 1);
}

static void another_board_of_the_owner_does_not_mend_the_torn_one(void **state)
{
	(void)state;
	take();
	end(OWNERS_TORN, PATH);
	end_job(&start_order, "done");
	take();
	end(OWNERS_WELL, HUB);
	assert_int_equal(n_starts, 2);
	end_job(&start_order, "done");
	assert_int_equal(owners_take(bench.owners, names, 1, on_taken, &bench), 0);
	answer_list("failed");
	end(OWNERS_WELL, PATH);
	assert_int_equal(n_starts, 3);
}

/* It is known by its id; another board of the owner is not it. */
static void a_board_that_comes_back_in_another_socket_ends_the_wait(void **state)
{
	(void)state;
	take();
	bench.need.is_used = false;
	owners_note_end(bench.owners, names, 1, OWNERS_PULLED, PATH, "00124b0012345678");
	owners_note_end(bench.owners, names, 1, OWNERS_WELL, HUB, "");
	owners_note_end(bench.owners, names, 1, OWNERS_WELL, HUB, "00124b00deadbeef");
	turn();
	assert_int_equal(n_starts, 0);
	owners_note_end(bench.owners, names, 1, OWNERS_WELL, HUB, "00124b0012345678");
	turn();
	assert_int_equal(n_starts, 1);
	/* And nothing is owed to it. */
	end_job(&start_order, "done");
	assert_int_equal(owners_take(bench.owners, names, 1, on_taken, &bench), 0);
	answer_list("failed");
	end(OWNERS_WELL, PATH);
	assert_int_equal(n_starts, 1);
}

static bool is_named_by_nobody(void *userdata, const char *name)
{
	(void)userdata;
	(void)name;
	return false;
}

static void a_rule_that_is_gone_takes_what_is_owed_with_it(void **state)
{
	(void)state;
	take();
	end(OWNERS_TORN, PATH);
	/* Not what is down: that is started. */
	owners_review(bench.owners, is_named_by_nobody, NULL);
	end_job(&start_order, "done");
	owners_review(bench.owners, is_named_by_nobody, NULL);
	assert_int_equal(owners_take(bench.owners, names, 1, on_taken, &bench), 0);
	answer_list("failed");
	end(OWNERS_WELL, PATH);
	assert_int_equal(n_starts, 1);
}

static void a_board_that_is_to_be_tried_in_a_moment_keeps_it_down(void **state)
{
	(void)state;
	take();
	bench.need.is_soon = true;
	end(OWNERS_TORN, PATH);
	pass(HANDOVER_MOMENT_USEC);
	assert_int_equal(n_starts, 0);
	bench.need.is_soon = false;
	turn();
	assert_int_equal(n_starts, 1);
}

/* Two boards of it: the stop is ordered once, and both wait for its end. */
static void two_jobs_wait_for_one_stop(void **state)
{
	struct paper first;

	(void)state;
	assert_int_equal(owners_take(bench.owners, names, 1, on_taken, &bench), 0);
	first = list_order;
	assert_int_equal(owners_take(bench.owners, names, 1, on_taken, &bench), 0);
	bench.need.is_used = true;
	answer_list("active");
	assert_int_equal(n_stops, 1);
	list_order = first;
	unit.job = "stop";
	answer_list("deactivating");
	unit.job = "";
	turn();
	assert_int_equal(bench.n_answers, 0);
	assert_int_equal(n_starts, 0);
	end_job(&stop_order, "done");
	assert_int_equal(bench.n_answers, 2);
	assert_int_equal(n_stops, 1);
}

static void a_job_that_gives_up_is_not_answered_and_the_stop_taken_back(void **state)
{
	(void)state;
	assert_int_equal(owners_take(bench.owners, names, 1, on_taken, &bench), 0);
	bench.need.is_used = true;
	answer_list("active");
	owners_forget(bench.owners, &bench);
	end(OWNERS_WELL, PATH);
	assert_int_equal(n_starts, 1);
	assert_true(start_order.is_forced);
	assert_null(stop_order.callback);
	end_job(&start_order, "done");
	assert_int_equal(bench.n_answers, 0);
	assert_true(owners_are_settled(bench.owners));
}

/* A human has started it in the middle of a job that is tried again. */
static void one_that_runs_again_is_stopped_again(void **state)
{
	(void)state;
	take();
	take();
	assert_int_equal(n_stops, 2);
	end(OWNERS_WELL, PATH);
	assert_int_equal(n_starts, 1);
}

static void a_start_that_is_refused_is_tried_again_ever_more_seldom(void **state)
{
	static const unsigned seconds[] = {10, 20, 40, 80, 160, 320, 600, 600};

	(void)state;
	take();
	end(OWNERS_WELL, PATH);
	for (unsigned i = 0; i < ARRAY_SIZE(seconds); i++) {
		assert_int_equal(n_starts, i + 1);
		refuse(&start_order, i % 2 == 0 ? SYSTEMD1_REFUSED : SYSTEMD1_AWAY);
		turn();
		pass(seconds[i] * USEC_PER_SEC - 1);
		assert_int_equal(n_starts, i + 1);
		pass(1);
	}
	/* The next service tries at once. */
	end_service();
	begin_service();
	assert_string_equal(down(), UNIT);
	turn();
	assert_int_equal(n_starts, ARRAY_SIZE(seconds) + 2);
	end_job(&start_order, "done");
	assert_string_equal(down(), "");
}

/* A new job finds it down, and all begins anew after it. */
static void a_start_that_was_refused_is_made_after_the_next_job(void **state)
{
	(void)state;
	take();
	end(OWNERS_WELL, PATH);
	refuse(&start_order, SYSTEMD1_REFUSED);
	assert_int_equal(owners_take(bench.owners, names, 1, on_taken, &bench), 0);
	bench.need.is_used = true;
	answer_list("inactive");
	assert_true(bench.answer.is_free);
	pass(60 * USEC_PER_SEC);
	assert_int_equal(n_starts, 1);
	end(OWNERS_WELL, PATH);
	assert_int_equal(n_starts, 2);
}

/* The file of the unit is gone for a moment, while its package is upgraded. */
static void a_start_that_fails_is_tried_again_and_given_up_at_last(void **state)
{
	unsigned n = 0;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		unsigned before = n_starts;

		take();
		end(OWNERS_WELL, PATH);
		for (n = 0; down()[0]; n++) {
			assert_int_equal(n_starts, before + n + 1);
			if (i == 0)
				refuse(&start_order, SYSTEMD1_IMPOSSIBLE);
			else
				end_job(&start_order, "failed");
			assert_in_range(n, 0, 20);
			turn();
			pass(600 * USEC_PER_SEC);
		}
		assert_in_range(n, 5, 10);
		assert_true(owners_are_settled(bench.owners));
	}
	end_service();
	begin_service();
	assert_string_equal(down(), "");
}

static void a_start_that_failed_once_is_made_the_next_time(void **state)
{
	(void)state;
	take();
	end(OWNERS_WELL, PATH);
	refuse(&start_order, SYSTEMD1_IMPOSSIBLE);
	assert_string_equal(down(), UNIT);
	turn();
	pass(60 * USEC_PER_SEC);
	assert_int_equal(n_starts, 2);
	end_job(&start_order, "done");
	assert_string_equal(down(), "");
}

/* BindsTo= on the device of the stick: it cannot run before that is there. */
static void a_start_that_needs_its_board_is_made_when_that_is_whole(void **state)
{
	(void)state;
	take();
	end(OWNERS_PULLED, PATH);
	pass(HANDOVER_MOMENT_USEC);
	assert_int_equal(n_starts, 1);
	end_job(&start_order, "dependency");
	assert_string_equal(down(), UNIT);
	assert_int_equal(owners_take(bench.owners, names, 1, on_taken, &bench), 0);
	bench.need.is_used = true;
	answer_list("inactive");
	assert_true(bench.answer.is_free);
	end(OWNERS_WELL, PATH);
	assert_int_equal(n_starts, 2);
	end_job(&start_order, "done");
	assert_string_equal(down(), "");
}

static const struct refusal_row {
	const char *name;
	enum systemd1_fault fault;
	const char *result;
	bool is_final, is_down;
} refusals[] = {
	{"polkit", SYSTEMD1_REFUSED, NULL, true, false},
	{"no bus: nobody knows whether it was stopped", SYSTEMD1_AWAY, NULL, false, true},
	{"a shutdown", SYSTEMD1_CONFLICT, NULL, false, false},
	{"it hangs", SYSTEMD1_SLOW, NULL, true, true},
	{"it cannot be", SYSTEMD1_IMPOSSIBLE, NULL, true, false},
	{"somebody has started it", 0, "canceled", false, true},
	{"its job has failed", 0, "failed", false, true},
};

static void a_stop_that_fails_ends_the_job(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct refusal_row *row = &refusals[i];
		unsigned before = n_starts;

		print_message("# %s\n", row->name);
		assert_int_equal(owners_take(bench.owners, names, 1, on_taken, &bench), 0);
		bench.need.is_used = true;
		answer_list("active");
		if (row->result)
			end_job(&stop_order, row->result);
		else
			refuse(&stop_order, row->fault);
		assert_int_equal(bench.n_answers, i + 1);
		assert_false(bench.answer.is_free);
		assert_int_equal(bench.answer.is_final, row->is_final);
		assert_non_null(strstr(bench.answer.reason.text, UNIT));
		assert_string_equal(down(), row->is_down ? UNIT : "");
		end(OWNERS_WELL, PATH);
		assert_int_equal(n_starts - before, row->is_down);
		if (row->is_down) {
			/* A stop that hangs is taken back. */
			assert_int_equal(start_order.is_forced, row->fault == SYSTEMD1_SLOW);
			end_job(&start_order, "done");
		}
		assert_string_equal(down(), "");
	}
}

static void a_list_that_fails_ends_the_job(void **state)
{
	(void)state;
	assert_int_equal(owners_take(bench.owners, names, 1, on_taken, &bench), 0);
	refuse(&list_order, SYSTEMD1_AWAY);
	assert_false(bench.answer.is_free);
	assert_false(bench.answer.is_final);
	assert_non_null(strstr(bench.answer.reason.text, UNIT));
	assert_int_equal(n_stops, 0);
	assert_true(owners_are_settled(bench.owners));
}

/* A service that ends does not wait for the start to be over, and not for one that cannot be. */
static void a_service_that_ends_orders_the_start_and_no_more(void **state)
{
	(void)state;
	take();
	end(OWNERS_PULLED, PATH);
	owners_turn(bench.owners, true);
	assert_int_equal(n_starts, 1);
	assert_false(owners_are_settled(bench.owners));
	start_order.on_queued(start_order.userdata);
	assert_true(owners_are_settled(bench.owners));
	assert_string_equal(down(), "");
}

static void a_service_that_ends_in_a_shutdown_leaves_the_start_to_the_next(void **state)
{
	(void)state;
	take();
	bench.need.is_used = false;
	owners_turn(bench.owners, true);
	refuse(&start_order, SYSTEMD1_CONFLICT);
	assert_true(owners_are_settled(bench.owners));
	owners_turn(bench.owners, true);
	assert_int_equal(n_starts, 1);
	end_service();
	begin_service();
	assert_string_equal(down(), UNIT);
}

/* At each moment from the order of the stop to the end of the start. */
static void a_service_that_is_killed_leaves_a_row(void **state)
{
	(void)state;
	for (unsigned moment = 0; moment < 4; moment++) {
		unsigned before = n_starts;

		assert_int_equal(owners_take(bench.owners, names, 1, on_taken, &bench), 0);
		bench.need.is_used = true;
		answer_list("active");
		if (moment > 0)
			end_job(&stop_order, "done");
		if (moment > 1)
			end(OWNERS_WELL, PATH);
		if (moment > 2)
			start_order.on_queued(start_order.userdata);
		end_service();
		begin_service();
		assert_string_equal(down(), UNIT);
		bench.need.is_used = false;
		n_starts = before;
		turn();
		assert_int_equal(n_starts, before + 1);
		end_job(&start_order, "done");
		assert_string_equal(down(), "");
	}
}

static void a_row_that_nobody_can_read_is_passed_over(void **state)
{
	(void)state;
	assert_int_equal(records_set_setting(&bench.records, "owner-1", "zigbee2mqtt.service"), 0);
	assert_int_equal(records_set_setting(
				 &bench.records, "owner-7", UNIT " " UNIT " 1732880000000 down -"),
		0);
	end_service();
	begin_service();
	assert_string_equal(down(), UNIT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		OWNERS_TEST(a_unit_is_down_for_the_time_of_a_job),
		OWNERS_TEST(a_start_that_systemd_has_not_taken_yet_is_taken_back),
		OWNERS_TEST(it_waits_for_a_board_that_was_pulled_out_but_not_for_ever),
		OWNERS_TEST(one_that_fails_without_its_board_is_started_when_that_is_whole),
		OWNERS_TEST(one_that_somebody_stopped_meanwhile_stays_down),
		OWNERS_TEST(another_board_of_the_owner_does_not_mend_the_torn_one),
		OWNERS_TEST(a_board_that_comes_back_in_another_socket_ends_the_wait),
		OWNERS_TEST(a_rule_that_is_gone_takes_what_is_owed_with_it),
		OWNERS_TEST(a_board_that_is_to_be_tried_in_a_moment_keeps_it_down),
		OWNERS_TEST(two_jobs_wait_for_one_stop),
		OWNERS_TEST(a_job_that_gives_up_is_not_answered_and_the_stop_taken_back),
		OWNERS_TEST(one_that_runs_again_is_stopped_again),
		OWNERS_TEST(a_start_that_is_refused_is_tried_again_ever_more_seldom),
		OWNERS_TEST(a_start_that_was_refused_is_made_after_the_next_job),
		OWNERS_TEST(a_start_that_fails_is_tried_again_and_given_up_at_last),
		OWNERS_TEST(a_start_that_failed_once_is_made_the_next_time),
		OWNERS_TEST(a_start_that_needs_its_board_is_made_when_that_is_whole),
		OWNERS_TEST(a_stop_that_fails_ends_the_job),
		OWNERS_TEST(a_list_that_fails_ends_the_job),
		OWNERS_TEST(a_service_that_ends_orders_the_start_and_no_more),
		OWNERS_TEST(a_service_that_ends_in_a_shutdown_leaves_the_start_to_the_next),
		OWNERS_TEST(a_service_that_is_killed_leaves_a_row),
		OWNERS_TEST(a_row_that_nobody_can_read_is_passed_over),
	};

	return cmocka_run_group_tests_name("owners", tests, folder_make, folder_remove);
}
