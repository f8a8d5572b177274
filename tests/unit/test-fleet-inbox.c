/* SPDX-License-Identifier: MIT */
/* test-fleet-inbox.c - which messages of wishes pass when somebody publishes more than can be paid
 * for, in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "fleet/inbox.h"

#include "virtual-clock.h"

/* A stop that has to wait: the message whose turn it is, and its own. */
#define STOP_USEC (2 * INBOX_EACH_USEC)

static sd_event *event;
static struct inbox *inbox;
static char passed[4096]; /* since the last look: "GROUP/BOARD PAYLOAD\n" each */
static unsigned n_passed;

static void on_turn(
	void *userdata, const char *group, const char *board, const void *payload, size_t n_payload)
{
	size_t n = strlen(passed);

	(void)userdata;
	n_passed++;
	snprintf(passed + n, sizeof(passed) - n, "%s/%s %.*s\n", group, board, (int)n_payload,
		(const char *)payload);
}

static int set_up(void **state)
{
	(void)state;
	passed[0] = '\0';
	n_passed = 0;
	assert_true(sd_event_new(&event) >= 0);
	return inbox_new(event, on_turn, NULL, &inbox);
}

static int tear_down(void **state)
{
	(void)state;
	inbox = inbox_free(inbox);
	event = sd_event_unref(event);
	return 0;
}

static void put(const char *group, const char *board, const char *payload)
{
	assert_int_equal(inbox_put(inbox, group, board, payload, strlen(payload), false), 0);
}

/* A good wish for the board "gate" that pauses it. */
static const char *pause_of(const char *version)
{
	static char text[1024];

	snprintf(text, sizeof(text),
		"{\"board\":\"gate\",\"image\":\"i\",\"version\":\"%s\",\"sha256\":\"%064d\",\"size\":5,"
		"\"url\":\"https://images/i\",\"manifest\":\"m\",\"signature\":\"s\",\"paused\":true}",
		version, 7);
	return text;
}

static void pass(uint64_t usec)
{
	clock_move(usec);
	while (sd_event_run(event, 0) > 0)
		;
}

static void must_pass(const char *messages)
{
	assert_string_equal(passed, messages);
	passed[0] = '\0';
}

/* Of one topic: nothing more passes at once, and the last of these waits. */
static void spend_all(void)
{
	char text[16];

	for (unsigned i = 0; i <= INBOX_AT_ONCE; i++) {
		snprintf(text, sizeof(text), "%u", i);
		put("a", "flood", text);
	}
	assert_int_equal(n_passed, INBOX_AT_ONCE);
	n_passed = 0;
	passed[0] = '\0';
}

/* ------------------------------------------------------------------ scenes */

static void so_many_pass_at_once_and_the_newest_in_time(void **state)
{
	(void)state;
	put("a", "gate", "1");
	put("", "gate", "2");
	must_pass("a/gate 1\n/gate 2\n");
	pass(INBOX_AT_ONCE * INBOX_EACH_USEC);
	n_passed = 0;
	spend_all();
	put("a", "flood", "x");
	put("a", "flood", "y");
	must_pass("");
	pass(INBOX_EACH_USEC);
	must_pass("a/flood y\n");
	pass(1000 * INBOX_EACH_USEC);
	must_pass("");
}

/* In any topic, whether that says the board or the wish does; it is paid for by the next. */
static void what_waits_for_a_board_passes_when_it_is_hurried(void **state)
{
	char messages[1100];

	(void)state;
	spend_all();
	put("a", "door", "1");
	put("", "", pause_of("1.2"));
	put("b", "gate", "2");
	put("b", "", "3");
	inbox_hurry(inbox, "gate");
	snprintf(messages, sizeof(messages), "/ %s\nb/gate 2\n", pause_of("1.2"));
	must_pass(messages);
	inbox_hurry(inbox, "gate");
	pass(2 * INBOX_EACH_USEC);
	must_pass("");
	pass(INBOX_EACH_USEC);
	pass(INBOX_EACH_USEC);
	pass(INBOX_EACH_USEC);
	must_pass("a/flood 129\na/door 1\nb/ 3\n");
}

/* Ten a minute, however many come: an hour of a thousand a second. */
static void a_flood_costs_no_more_than_ten_a_minute(void **state)
{
	char board[16], text[16];

	(void)state;
	for (unsigned i = 0; i < 3600 * 10; i++) {
		snprintf(board, sizeof(board), "%u", i % 5);
		snprintf(text, sizeof(text), "%u", i);
		put("a", board, text);
		pass(USEC_PER_SEC / 10);
		passed[0] = '\0';
	}
	assert_in_range(n_passed, INBOX_AT_ONCE + 590, INBOX_AT_ONCE + 601);
}

static void each_topic_has_its_turn(void **state)
{
	(void)state;
	spend_all();
	put("a", "b1", "1");
	put("", "b1", "2");
	put("a", "b2", "3");
	for (unsigned i = 0; i < 4; i++) {
		pass(INBOX_EACH_USEC);
		put("a", "flood", "more");
	}
	must_pass("a/flood 129\na/b1 1\n/b1 2\na/b2 3\n");
	put("a", "b1", "4");
	pass(2 * INBOX_EACH_USEC);
	must_pass("a/flood more\na/b1 4\n");
}

static void a_stop_waits_for_none_of_many_others(void **state)
{
	char board[16], expected[1024];

	(void)state;
	spend_all();
	for (unsigned i = 0; i < 60; i++) {
		snprintf(board, sizeof(board), "b%u", i);
		put("a", board, "x");
	}
	put("", "gate", pause_of("1.2"));
	pass(INBOX_EACH_USEC);
	snprintf(expected, sizeof(expected), "/gate %s\n", pause_of("1.2"));
	must_pass(expected);
	pass(INBOX_EACH_USEC);
	must_pass("a/flood 129\n");
	/* An empty one stops as well, and a message that pauses no more is none. */
	put("", "gate", pause_of("1.2"));
	put("", "gate", "not paused");
	put("a", "gate", "");
	pass(INBOX_EACH_USEC);
	must_pass("a/gate \n");
	pass(INBOX_EACH_USEC);
	must_pass("a/b0 x\n");
}

/* Somebody stops other topics without an end: they and what stops nothing go in turn. */
static void stops_hold_up_nothing_for_long(void **state)
{
	char text[16];

	(void)state;
	spend_all();
	for (unsigned i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "%u", i);
		put("a", "gate", pause_of(text));
		pass(USEC_PER_SEC / 10);
	}
	put("", "gate", pause_of("9.9"));
	put("", "door", "open");
	passed[0] = '\0';
	for (unsigned i = 0; i < 40; i++) {
		snprintf(text, sizeof(text), "%u", i);
		put("a", "gate", pause_of(text));
		pass(USEC_PER_SEC);
	}
	assert_non_null(strstr(passed, "\"9.9\""));
	assert_non_null(strstr(passed, "/door open\n"));
}

static void a_stop_comes_within_its_bound(void **state)
{
	(void)state;
	spend_all();
	put("a", "other", "");
	pass(INBOX_EACH_USEC);
	must_pass("a/other \n");
	put("", "gate", pause_of("1.2"));
	pass(STOP_USEC);
	assert_non_null(strstr(passed, "/gate {"));
}

static void what_waits_goes_where_it_is_no_news_or_comes_again(void **state)
{
	(void)state;
	spend_all();
	put("a", "gate", "1");
	put("a", "door", "2");
	inbox_drop(inbox, "a", "gate");
	inbox_drop(inbox, "a", "gate");
	pass(10 * INBOX_EACH_USEC);
	must_pass("a/flood 129\na/door 2\n");
	pass(INBOX_AT_ONCE * INBOX_EACH_USEC);
	n_passed = 0;
	spend_all();
	inbox_clear(inbox);
	pass(10 * INBOX_EACH_USEC);
	must_pass("");
}

/* Of those that wait, in the places that others may not have. */
static void new_topics_are_counted(void **state)
{
	(void)state;
	assert_int_equal(inbox_put(inbox, "a", "first", "1", 1, true), 0);
	assert_int_equal(inbox_promised(inbox, "a", "x"), 0);
	spend_all();
	assert_int_equal(inbox_promised(inbox, "a", "x"), 0);
	assert_int_equal(inbox_put(inbox, "a", "x", "1", 1, true), 0);
	assert_int_equal(inbox_put(inbox, "a", "y", "1", 1, true), 0);
	assert_int_equal(inbox_put(inbox, "a", "y", "2", 1, true), 0);
	assert_int_equal(inbox_put(inbox, "a", "z", "1", 1, false), 0);
	assert_int_equal(inbox_promised(inbox, "a", "x"), 1);
	assert_int_equal(inbox_promised(inbox, "", "x"), 2);
	pass(10 * INBOX_EACH_USEC);
	assert_int_equal(inbox_promised(inbox, "", "x"), 0);
}

#define SCENE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(so_many_pass_at_once_and_the_newest_in_time),
		SCENE(what_waits_for_a_board_passes_when_it_is_hurried),
		SCENE(a_flood_costs_no_more_than_ten_a_minute),
		SCENE(each_topic_has_its_turn),
		SCENE(a_stop_waits_for_none_of_many_others),
		SCENE(stops_hold_up_nothing_for_long),
		SCENE(a_stop_comes_within_its_bound),
		SCENE(what_waits_goes_where_it_is_no_news_or_comes_again),
		SCENE(new_topics_are_counted),
	};

	log_open("test", LOG_TARGET_STDERR, LOG_ERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
