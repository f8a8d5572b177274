/* SPDX-License-Identifier: MIT */
/*
 * What the fleet is told of service, slots and units, and when: over lost brokers and slow lines,
 * services that go, and processes that are killed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/up-bench.h"

static void assert_events(uint64_t first, uint64_t last)
{
	assert_int_equal(bench.n_events, last + 1 - first);
	for (size_t i = 0; i < bench.n_events; i++)
		assert_int_equal(bench.events[i], first + i);
}

static void all_that_is_there_is_told(void **state)
{
	(void)state;
	begin();
	assert_text(STATUS, "status", "online");
	assert_text(SLOT_1, "state", "done");
	assert_text(SLOT_1, "unit", "aa01");
	assert_text("plugflash/gw/slot/A2", "state", "empty");
	assert_text(UNIT_1, "version", "1.2.0");
	assert_text(UNIT_1, "latest_version", "1.2.0");
	assert_text(UNIT_1, "light", "good");
	assert_events(1, 3);
	/* Nobody asked for Home Assistant. */
	assert_int_equal(bench.n_retained, 4);
}

/* Nothing is told before it is known: an empty state would be the wrong one for a moment. */
static void nothing_is_told_before_the_service_was_looked_for(void **state)
{
	(void)state;
	set_broker(true);
	quiet();
	assert_int_equal(bench.n_messages, 0);
	set_service(false);
	quiet();
	assert_int_equal(bench.n_messages, 1);
	assert_text(STATUS, "status", "online");
}

static void a_change_is_one_message_and_no_change_is_none(void **state)
{
	unsigned before;

	(void)state;
	begin();
	before = bench.n_messages;
	set_bridge(1, "State", "waiting");
	quiet();
	/* The slot, and the light of its unit. */
	assert_int_equal(bench.n_messages, before + 2);
	assert_text(SLOT_1, "state", "waiting");
	changed(bridge(1), CLIENT_BRIDGE);
	up_job_removed(bench.up);
	quiet();
	assert_int_equal(bench.n_messages, before + 2);
}

/* A job tells its progress four times a second. */
static void progress_is_told_by_tenths(void **state)
{
	struct dict *job;
	unsigned before;

	(void)state;
	begin();
	job = made_job(&bench.mirror, bridge(1), "abc");
	dict_set_share(job, "Progress", 0);
	changed(job, CLIENT_JOB);
	quiet();
	before = find_retained(SLOT_1)->n_sent;
	for (unsigned i = 1; i <= 1000; i++) {
		dict_set_share(job, "Progress", i / 1000.0);
		dict_set_long(job, "BytesDone", i);
		changed(job, CLIENT_JOB);
		pass_time(250 * USEC_PER_MSEC);
	}
	assert_int_equal(find_retained(SLOT_1)->n_sent, before + 10);
}

static void changes_that_come_fast_are_told_four_times_a_second(void **state)
{
	unsigned before;

	(void)state;
	begin();
	before = bench.n_messages;
	for (unsigned i = 0; i < 1000; i++) {
		set_bridge(1, "State", i % 2 ? "waiting" : "working");
		pass_time(USEC_PER_MSEC);
	}
	assert_in_range(bench.n_messages - before, 2, 2 * 5);
	quiet();
	assert_text(SLOT_1, "state", "waiting");
}

/* A host whose processor is slow, or with very many bridges. */
static void a_pass_that_takes_long_comes_less_often(void **state)
{
	uint64_t begin_usec;
	unsigned before;
	char port[32];

	(void)state;
	begin();
	clock_pace = 50 * USEC_PER_MSEC;
	begin_usec = monotonic_usec();
	before = find_retained(SLOT_1)->n_sent;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(port, sizeof(port), "/dev/ttyUSB%u", i);
		set_bridge(1, "Port", port);
		pass_time(USEC_PER_MSEC);
	}
	/* A twentieth of the time, at 50 ms or more each. */
	assert_in_range(find_retained(SLOT_1)->n_sent - before, 2,
		(monotonic_usec() - begin_usec) / (20 * clock_pace) + 1);
	clock_pace = 0;
}

static void a_bridge_that_is_pulled_out_is_taken_back(void **state)
{
	(void)state;
	made_bridge(&bench.mirror, 2, "done");
	dict_set_text(bridge(2), "Path", "usb-9");
	begin();
	assert_text("plugflash/gw/slot/usb-9", "state", "done");
	client_object_free(mirror_remove(&bench.mirror, CLIENT_BRIDGE, BUS_PATH_BRIDGE "/2"));
	changed(bridge(1), CLIENT_BRIDGE);
	quiet();
	assert_string_equal(at_broker("plugflash/gw/slot/usb-9"), "");
}

static void a_service_that_restarts_takes_nothing_back(void **state)
{
	unsigned before;

	(void)state;
	begin();
	before = bench.n_messages;
	set_service(false);
	quiet();
	assert_int_equal(bench.n_messages, before + 1);
	assert_non_null(strstr(at_broker(STATUS), "it is away"));
	set_service(true);
	quiet();
	assert_int_equal(bench.n_messages, before + 2);
}

static void a_broker_that_lost_all_is_told_all(void **state)
{
	(void)state;
	begin();
	set_broker(false);
	for (size_t i = 0; i < bench.n_retained; i++)
		free(TAKE_PTR(bench.retained[i].payload));
	set_broker(true);
	quiet();
	assert_text(STATUS, "status", "online");
	assert_text(SLOT_1, "state", "done");
	assert_text(UNIT_1, "version", "1.2.0");
	assert_events(1, 3);
}

static void an_offline_hour_of_a_thousand_attempts(void **state)
{
	uint64_t begin_usec;
	unsigned asked;

	(void)state;
	begin();
	set_broker(false);
	begin_usec = monotonic_usec();
	asked = bench.n_asked;
	for (unsigned i = 0; i < 1000; i++) {
		bench.last_attempt++;
		up_job_removed(bench.up);
		pass_time(3600 * USEC_PER_MSEC);
	}
	assert_true(monotonic_usec() - begin_usec >= 3600 * USEC_PER_SEC);
	assert_int_equal(bench.n_events, 3);
	/* The store has them: while nobody can be told, one question a job is for its unit. */
	assert_true(bench.n_asked - asked < 1000 + 100);
	set_broker(true);
	quiet();
	assert_events(1, 1003);
}

/* The line takes a few messages a second. */
static void a_line_that_is_slow_holds_up_and_loses_nothing(void **state)
{
	(void)state;
	bench.room = 0;
	bench.last_attempt = 150;
	begin();
	assert_int_equal(bench.n_messages, 0);
	for (unsigned i = 0; i < 80; i++) {
		bench.room = 2;
		up_pump(bench.up);
		settle();
		if (i == 0)
			assert_text(STATUS, "status", "online");
	}
	assert_events(1, 150);
}

static void what_is_too_large_is_not_sent_and_holds_up_nothing(void **state)
{
	(void)state;
	bench.size_most = 60;
	begin();
	assert_int_equal(bench.n_messages, 0);
	bench.size_most = 20000;
	bench.last_attempt++;
	up_job_removed(bench.up);
	quiet();
	assert_events(4, 4);
}

/* "online" behind it would stay there. */
static void nothing_follows_the_good_bye(void **state)
{
	unsigned before;

	(void)state;
	bench.is_deaf = true;
	begin();
	before = bench.n_messages;
	up_stop(bench.up);
	bench.is_deaf = false;
	bench.last_attempt = 40;
	up_job_removed(bench.up);
	set_bridge(1, "State", "waiting");
	quiet();
	assert_int_equal(bench.n_messages, before);
}

/* ------------------------------------------------------------------------------ restart */

static void a_killed_process_goes_on_behind_what_was_acknowledged(void **state)
{
	(void)state;
	begin();
	assert_events(1, 3);
	bench.last_attempt = 5;
	kill_process();
	start_process();
	begin();
	assert_events(1, 5);
}

/* Within the second in which the cursor waits for the disk. */
static void a_killed_process_may_tell_twice_and_never_loses(void **state)
{
	(void)state;
	begin();
	bench.last_attempt = 5;
	up_job_removed(bench.up);
	settle();
	assert_events(1, 5);
	kill_process();
	start_process();
	begin();
	assert_int_equal(bench.n_events, 7);
	assert_int_equal(bench.events[5], 4);
	assert_int_equal(bench.events[6], 5);
}

static void what_went_while_nobody_ran_is_taken_back(void **state)
{
	(void)state;
	assert_int_equal(up_tell_wish(bench.up, "gate", "{\"wish\":1}"), 0);
	assert_int_equal(up_tell_wish(bench.up, "other", "{\"wish\":2}"), 0);
	begin();
	assert_string_equal(at_broker("plugflash/gw/wish/gate"), "{\"wish\":1}");
	kill_process();
	client_object_free(mirror_remove(&bench.mirror, CLIENT_SLOT, BUS_PATH_SLOT "/2"));
	dict_set_text(&bench.units[0], "unit", "aa02");
	start_process();
	set_broker(true);
	quiet();
	assert_string_not_equal(at_broker("plugflash/gw/slot/A2"), "");
	set_service(true);
	quiet();
	assert_string_equal(at_broker("plugflash/gw/slot/A2"), "");
	assert_string_equal(at_broker(UNIT_1), "");
	assert_text("plugflash/gw/unit/aa02/state", "version", "1.2.0");
	/* Whether there still is a wish is known once the broker has told all. */
	assert_string_equal(at_broker("plugflash/gw/wish/other"), "{\"wish\":2}");
	assert_int_equal(up_tell_wish(bench.up, "gate", "{\"wish\":1}"), 0);
	up_wishes_are_told(bench.up);
	assert_string_equal(at_broker("plugflash/gw/wish/other"), "");
	assert_string_equal(at_broker("plugflash/gw/wish/gate"), "{\"wish\":1}");
}

static void a_gateway_with_another_name_leaves_none_of_the_old(void **state)
{
	(void)state;
	begin();
	kill_process();
	bench.settings.topics.gateway = "new";
	start_process();
	begin();
	assert_string_equal(at_broker(STATUS), "");
	assert_string_equal(at_broker(SLOT_1), "");
	assert_string_not_equal(at_broker("plugflash/new/slot/A1"), "");
}

static void without_a_state_directory_all_is_told(void **state)
{
	(void)state;
	kill_process();
	close(bench.state);
	bench.state = -1;
	start_process();
	begin();
	assert_text(SLOT_1, "state", "done");
	assert_events(1, 3);
}

static void files_that_nobody_wrote_are_a_first_start(void **state)
{
	(void)state;
	kill_process();
	put_text("events", "what is this");
	put_text("topics", "and\nthis\n");
	start_process();
	begin();
	assert_events(1, 3);
	assert_text(SLOT_1, "state", "done");
}

/* ------------------------------------------------------------------------------ questions */

static void a_question_that_is_not_answered_is_asked_again(void **state)
{
	(void)state;
	bench.result = CLIENT_NOT_POSSIBLE;
	begin();
	assert_int_equal(bench.n_events, 0);
	assert_string_equal(at_broker(UNIT_1), "");
	assert_text(SLOT_1, "state", "done");
	/* Not all the time. */
	assert_in_range(bench.n_asked, 2, 10);
	bench.result = CLIENT_DONE;
	quiet();
	assert_events(1, 3);
	assert_text(UNIT_1, "version", "1.2.0");
}

static void units_are_asked_for_once_a_second(void **state)
{
	unsigned before;

	(void)state;
	begin();
	before = bench.n_asked;
	for (unsigned i = 0; i < 3000; i++) {
		changed(bridge(1), CLIENT_BRIDGE);
		pass_time(USEC_PER_MSEC);
	}
	assert_in_range(bench.n_asked - before, 2, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_that_is_there_is_told),
		TEST(nothing_is_told_before_the_service_was_looked_for),
		TEST(a_change_is_one_message_and_no_change_is_none),
		TEST(progress_is_told_by_tenths),
		TEST(changes_that_come_fast_are_told_four_times_a_second),
		TEST(a_pass_that_takes_long_comes_less_often),
		TEST(a_bridge_that_is_pulled_out_is_taken_back),
		TEST(a_service_that_restarts_takes_nothing_back),
		TEST(a_broker_that_lost_all_is_told_all),
		TEST(an_offline_hour_of_a_thousand_attempts),
		TEST(a_line_that_is_slow_holds_up_and_loses_nothing),
		TEST(what_is_too_large_is_not_sent_and_holds_up_nothing),
		TEST(nothing_follows_the_good_bye),
		TEST(a_killed_process_goes_on_behind_what_was_acknowledged),
		TEST(a_killed_process_may_tell_twice_and_never_loses),
		TEST(what_went_while_nobody_ran_is_taken_back),
		TEST(a_gateway_with_another_name_leaves_none_of_the_old),
		TEST(without_a_state_directory_all_is_told),
		TEST(files_that_nobody_wrote_are_a_first_start),
		TEST(a_question_that_is_not_answered_is_asked_again),
		TEST(units_are_asked_for_once_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
