/* SPDX-License-Identifier: MIT */
/* test-fleet-outbox.c - what stands at the broker: a broker of a few lines takes what is sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "fleet/outbox.h"
#include "fleet/topics.h"
#include "unit/rows.h"

/* What a broker retains, in order of coming, as "topic=payload ". */
struct broker {
	struct outbox outbox;
	unsigned last_id, n_acknowledged;
	char sent[4000]; /* all that came, also empty ones */
};

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct broker));
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	struct broker *broker = *state;

	outbox_done(&broker->outbox);
	free(broker);
	return 0;
}

static void keep_list(struct broker *broker)
{
	if (outbox_waits_for_list(&broker->outbox))
		outbox_kept(&broker->outbox);
}

/* Sends at most so many, and does not acknowledge them. */
static void send_some(struct broker *broker, unsigned most)
{
	const struct outbox_item *item;

	while (most-- > 0 && (item = outbox_next(&broker->outbox))) {
		size_t n = strlen(broker->sent);

		snprintf(broker->sent + n, sizeof(broker->sent) - n, "%s=%s ", item->topic,
			item->payload ? item->payload : "");
		outbox_sent(&broker->outbox, item, ++broker->last_id);
	}
}

static void acknowledge_all(struct broker *broker)
{
	while (broker->n_acknowledged < broker->last_id)
		assert_true(outbox_acknowledged(&broker->outbox, ++broker->n_acknowledged));
}

static void assert_sent(struct broker *broker, const char *expected)
{
	keep_list(broker);
	send_some(broker, UINT32_MAX);
	assert_string_equal(broker->sent, expected);
	acknowledge_all(broker);
	broker->sent[0] = '\0';
}

static void say(struct broker *broker, enum outbox_owner owner, const char *topic, const char *text)
{
	assert_int_equal(outbox_say(&broker->outbox, owner, topic, text), 0);
}

static void what_changed_is_sent_and_nothing_else(void **state)
{
	struct broker *broker = *state;

	say(broker, OUTBOX_SLOTS, "b", "1");
	say(broker, OUTBOX_SLOTS, "a", "1");
	assert_sent(broker, "a=1 b=1 ");
	say(broker, OUTBOX_SLOTS, "a", "1");
	say(broker, OUTBOX_SLOTS, "b", "2");
	assert_sent(broker, "b=2 ");
	assert_sent(broker, "");
}

static void the_status_goes_first(void **state)
{
	struct broker *broker = *state;

	say(broker, OUTBOX_SLOTS, "a", "1");
	say(broker, OUTBOX_STATUS, "z", "online");
	say(broker, OUTBOX_UNITS, "b", "1");
	assert_sent(broker, "z=online a=1 b=1 ");
}

static void what_is_gone_is_taken_back(void **state)
{
	struct broker *broker = *state;

	say(broker, OUTBOX_SLOTS, "a", "1");
	say(broker, OUTBOX_SLOTS, "b", "1");
	say(broker, OUTBOX_UNITS, "c", "1");
	outbox_sweep(&broker->outbox, OUTBOX_SLOTS);
	assert_sent(broker, "a=1 b=1 c=1 ");
	say(broker, OUTBOX_SLOTS, "b", "1");
	outbox_sweep(&broker->outbox, OUTBOX_SLOTS);
	assert_sent(broker, "a= ");
	assert_int_equal(broker->outbox.n_items, 2);
	say(broker, OUTBOX_UNITS, "c", NULL);
	say(broker, OUTBOX_UNITS, "never said", NULL);
	assert_sent(broker, "c= ");
	assert_int_equal(broker->outbox.n_items, 1);
	/* It may come again, also while it is taken back. */
	say(broker, OUTBOX_SLOTS, "b", NULL);
	send_some(broker, 1);
	say(broker, OUTBOX_SLOTS, "b", "2");
	acknowledge_all(broker);
	assert_sent(broker, "b= b=2 ");
	assert_int_equal(broker->outbox.n_items, 1);
}

static void all_is_sent_again_over_a_new_connection(void **state)
{
	struct broker *broker = *state;

	say(broker, OUTBOX_SLOTS, "a", "1");
	say(broker, OUTBOX_SLOTS, "b", "1");
	assert_sent(broker, "a=1 b=1 ");
	say(broker, OUTBOX_SLOTS, "b", NULL);
	send_some(broker, 1);
	/* The empty one was on its way: nobody knows whether it arrived. */
	outbox_disconnected(&broker->outbox);
	broker->n_acknowledged = broker->last_id;
	broker->sent[0] = '\0';
	outbox_connected(&broker->outbox);
	assert_sent(broker, "a=1 b= ");
	assert_int_equal(broker->outbox.n_items, 1);
}

static void of_a_fast_one_the_newest_is_sent(void **state)
{
	struct broker *broker = *state;
	char payload[8];

	say(broker, OUTBOX_SLOTS, "a", "0");
	say(broker, OUTBOX_SLOTS, "b", "0");
	keep_list(broker);
	send_some(broker, 2);
	for (unsigned i = 1; i < 100; i++) {
		snprintf(payload, sizeof(payload), "%u", i);
		say(broker, OUTBOX_SLOTS, "a", payload);
		send_some(broker, 1);
	}
	assert_string_equal(broker->sent, "a=0 b=0 ");
	acknowledge_all(broker);
	assert_sent(broker, "a=0 b=0 a=99 ");
}

/* One that changes all the time does not keep the others from being sent. */
static void each_has_its_turn(void **state)
{
	struct broker *broker = *state;
	char payload[8];

	say(broker, OUTBOX_SLOTS, "b", "1");
	say(broker, OUTBOX_SLOTS, "c", "1");
	for (unsigned i = 0; i < 3; i++) {
		snprintf(payload, sizeof(payload), "%u", i);
		say(broker, OUTBOX_SLOTS, "a", payload);
		keep_list(broker);
		send_some(broker, 1);
		acknowledge_all(broker);
	}
	assert_string_equal(broker->sent, "a=0 b=1 c=1 ");
}

static void no_more_than_some_are_on_their_way(void **state)
{
	struct broker *broker = *state;
	char topic[16];

	for (unsigned i = 0; i < 2 * OUTBOX_FLIGHT_MOST; i++) {
		snprintf(topic, sizeof(topic), "%u", i);
		say(broker, OUTBOX_SLOTS, topic, "x");
	}
	keep_list(broker);
	send_some(broker, UINT32_MAX);
	assert_int_equal(broker->last_id, OUTBOX_FLIGHT_MOST);
	acknowledge_all(broker);
	send_some(broker, UINT32_MAX);
	assert_int_equal(broker->last_id, 2 * OUTBOX_FLIGHT_MOST);
	assert_false(outbox_acknowledged(&broker->outbox, 0));
	assert_false(outbox_acknowledged(&broker->outbox, 9999));
}

static void one_too_large_is_let_go(void **state)
{
	struct broker *broker = *state;

	say(broker, OUTBOX_SLOTS, "a", "large");
	keep_list(broker);
	outbox_pass_over(&broker->outbox, outbox_next(&broker->outbox));
	assert_sent(broker, "");
	say(broker, OUTBOX_SLOTS, "a", "1");
	assert_sent(broker, "a=1 ");
}

static void more_topics_than_there_is_room_for(void **state)
{
	struct broker *broker = *state;
	char topic[16];

	for (unsigned i = 0; i < OUTBOX_TOPICS_MOST; i++) {
		snprintf(topic, sizeof(topic), "%u", i);
		say(broker, OUTBOX_SLOTS, topic, "x");
	}
	assert_int_equal(outbox_say(&broker->outbox, OUTBOX_SLOTS, "one more", "x"), -E2BIG);
	say(broker, OUTBOX_SLOTS, "7", "y");
}

/* ----------------------------------------------------------------------------- restart */

static void restart(struct broker *broker)
{
	CLEANUP(freep) char *list = NULL;
	size_t n;

	assert_int_equal(outbox_write(&broker->outbox, &list, &n), 0);
	assert_int_equal(n, strlen(list));
	outbox_done(&broker->outbox);
	assert_int_equal(outbox_read(&broker->outbox, list), 0);
	assert_false(outbox_waits_for_list(&broker->outbox));
}

/* Nothing is sent before the list has it: killed at any instant, the next process knows of it. */
static void a_topic_waits_for_the_list(void **state)
{
	struct broker *broker = *state;

	say(broker, OUTBOX_SLOTS, "a", "1");
	assert_true(outbox_waits_for_list(&broker->outbox));
	assert_null(outbox_next(&broker->outbox));
	assert_sent(broker, "a=1 ");
	assert_false(outbox_waits_for_list(&broker->outbox));
}

static void what_went_while_nobody_ran_is_taken_back(void **state)
{
	struct broker *broker = *state;

	say(broker, OUTBOX_SLOTS, "a", "1");
	say(broker, OUTBOX_SLOTS, "b", "1");
	say(broker, OUTBOX_WISHES, "w", "1");
	say(broker, OUTBOX_WISHES, "v", "1");
	restart(broker);
	/* Before it is known what there is, nothing is taken back. */
	outbox_connected(&broker->outbox);
	assert_sent(broker, "");
	say(broker, OUTBOX_SLOTS, "b", "1");
	say(broker, OUTBOX_SLOTS, "c", "1");
	outbox_sweep(&broker->outbox, OUTBOX_SLOTS);
	assert_sent(broker, "a= b=1 c=1 ");
	say(broker, OUTBOX_WISHES, "w", "2");
	outbox_end_before(&broker->outbox, OUTBOX_WISHES);
	assert_sent(broker, "v= w=2 ");
	/* The owner of wishes says no more what stays. */
	outbox_end_before(&broker->outbox, OUTBOX_WISHES);
	assert_sent(broker, "");
	restart(broker);
	outbox_sweep(&broker->outbox, OUTBOX_SLOTS);
	outbox_connected(&broker->outbox);
	assert_sent(broker, "b= c= ");
	assert_int_equal(broker->outbox.n_items, 1);
}

static const struct list_row {
	const char *name;
	const char *text;
	size_t n_items;
} lists[] = {
	{"nothing", "", 0},
	{"lines", "s a/b\nu c\n", 2},
	{"the last line is cut", "s a/b\nu c", 2},
	{"a topic twice", "s a\nu a\n", 1},
	{"an owner that nobody knows", "x a\n", 0},
	{"no topic", "s \ns\n\n \n", 0},
	{"a wildcard", "s a/+\ns #\n", 0},
	{"a control", "s a\tb\ns \x7f\n", 0},
	{"no UTF-8", "s \xff\n", 0},
};

static void a_list_is_read(void **state)
{
	const struct list_row *row = *state;
	struct outbox outbox = {0};

	assert_int_equal(outbox_read(&outbox, row->text), 0);
	assert_int_equal(outbox.n_items, row->n_items);
	outbox_done(&outbox);
}

static void a_long_list_is_read_in_part(void **state)
{
	CLEANUP(freep) char *text = calloc(OUTBOX_TOPICS_MOST + 10, 10);
	struct outbox outbox = {0};

	(void)state;
	for (unsigned i = 0; i < OUTBOX_TOPICS_MOST + 10; i++)
		snprintf(text + strlen(text), 10, "s %06u\n", i);
	assert_int_equal(outbox_read(&outbox, text), 0);
	assert_int_equal(outbox.n_items, OUTBOX_TOPICS_MOST);
	outbox_done(&outbox);
}

static void a_topic_of_the_list_is_not_too_long(void **state)
{
	struct outbox outbox = {0};
	char text[TOPIC_SIZE + 3] = "s ";

	(void)state;
	memset(text + 2, 'x', TOPIC_SIZE);
	assert_int_equal(outbox_read(&outbox, text), 0);
	assert_int_equal(outbox.n_items, 0);
	text[TOPIC_SIZE + 1] = '\n';
	assert_int_equal(outbox_read(&outbox, text), 0);
	assert_int_equal(outbox.n_items, 1);
	outbox_done(&outbox);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	struct CMUnitTest tests[40] = {
		TEST(what_changed_is_sent_and_nothing_else),
		TEST(the_status_goes_first),
		TEST(what_is_gone_is_taken_back),
		TEST(all_is_sent_again_over_a_new_connection),
		TEST(of_a_fast_one_the_newest_is_sent),
		TEST(each_has_its_turn),
		TEST(no_more_than_some_are_on_their_way),
		TEST(one_too_large_is_let_go),
		TEST(more_topics_than_there_is_room_for),
		TEST(a_topic_waits_for_the_list),
		TEST(what_went_while_nobody_ran_is_taken_back),
	};
	size_t n_tests = 11;

	ADD_ROWS(tests, n_tests, lists, a_list_is_read);
	ADD_TEST(tests, n_tests, a_long_list_is_read_in_part);
	ADD_TEST(tests, n_tests, a_topic_of_the_list_is_not_too_long);
	return RUN_TESTS("fleet-outbox", tests, n_tests);
}
