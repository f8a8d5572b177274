/* SPDX-License-Identifier: MIT */
/*
 * test-fleet-events.c - events of a store whose attempts are a few numbers, to a broker that is a
 * list, with every way in which either may fail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "fleet/events.h"
#include "unit/rows.h"

#define STORE_A "0123456789abcdef0123456789abcdef"
#define STORE_B "fedcba9876543210fedcba9876543210"

struct bench {
	struct events events;
	struct event_cursor kept; /* on the disk */
	bool is_kept;
	const char *store;
	uint64_t first, last; /* attempts that the store has */
	uint64_t running;     /* this one has no end; 0: all have */
	bool has_ports;	      /* two of them, in turn */
	uint64_t backup;      /* those above this id took the place of others */
	unsigned n_backups;   /* so often was one put back */
	unsigned n_questions;
	unsigned last_link, acknowledged_link;
	bool is_online, is_deaf; /* acknowledgements get lost */
	/* What arrived, in order. */
	struct {
		char store[EVENTS_STORE_SIZE];
		char kind[8];
		char job[EVENTS_JOB_SIZE];
		uint64_t id, first, last;
	} arrived[4000];
	size_t n_arrived;
};

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	*state = bench;
	if (!bench)
		return -1;
	bench->store = STORE_A;
	bench->first = 1;
	bench->is_online = true;
	events_init(&bench->events, "gw", NULL);
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	events_done(&bench->events);
	free(bench);
	return 0;
}

/* ------------------------------------------------------------------------- the service */

static const char *job_of(const struct bench *bench, uint64_t id, char to[static EVENTS_JOB_SIZE])
{
	snprintf(to, EVENTS_JOB_SIZE, "%08x%024" PRIx64, id > bench->backup ? bench->n_backups : 0,
		id);
	return to;
}

static struct dict *make_rows(
	struct bench *bench, const struct events_question *question, size_t *n)
{
	struct dict *rows = calloc(question->max, sizeof(*rows));
	uint64_t id = question->newest			  ? bench->last
		      : question->after_id < bench->first ? bench->first
							  : question->after_id + 1;
	char job[EVENTS_JOB_SIZE];

	assert_non_null(rows);
	*n = 0;
	for (; id > 0 && id <= bench->last && *n < question->max; id++) {
		struct dict *row = &rows[(*n)++];

		dict_set_long(row, "id", id);
		dict_set_text(row, "job", job_of(bench, id, job));
		dict_set_long(row, "started", 1000 + id);
		if (bench->has_ports)
			dict_set_text(row, "port", id % 2 ? "ttyUSB1" : "ttyUSB0");
		if (id == bench->running)
			continue;
		dict_set_long(row, "ended", 2000 + id);
		dict_set_text(row, "outcome", "updated");
	}
	return rows;
}

static void answer(struct bench *bench)
{
	struct events_question question;

	while (events_question(&bench->events, &question)) {
		struct dict *rows;
		size_t n;

		assert_in_range(question.max, 1, EVENTS_AHEAD);
		assert_true(bench->n_questions++ < 10000);
		events_asked(&bench->events);
		rows = make_rows(bench, &question, &n);
		assert_int_equal(events_take(&bench->events, rows, n), 0);
		for (size_t i = 0; i < n; i++)
			dict_done(&rows[i]);
		free(rows);
	}
}

/* -------------------------------------------------------------------------- the broker */

static uint64_t number(json_t *json, const char *key)
{
	json_t *value = json_object_get(json, key);

	assert_non_null(value);
	return json_is_null(value) ? 0 : (uint64_t)json_integer_value(value);
}

static void arrive(struct bench *bench, const char *payload)
{
	json_t *json = json_loads(payload, 0, NULL);
	size_t i = bench->n_arrived++;
	const char *kind = json_string_value(json_object_get(json, "event"));
	const char *store = json_string_value(json_object_get(json, "store"));

	assert_non_null(json);
	assert_true(i < ARRAY_SIZE(bench->arrived));
	snprintf(bench->arrived[i].kind, sizeof(bench->arrived[i].kind), "%s", kind);
	snprintf(
		bench->arrived[i].store, sizeof(bench->arrived[i].store), "%s", store ? store : "");
	if (strcmp(kind, "gap") == 0) {
		bench->arrived[i].first = number(json, "first");
		bench->arrived[i].last = number(json, "last");
	} else {
		bench->arrived[i].id = number(json, "id");
		snprintf(bench->arrived[i].job, sizeof(bench->arrived[i].job), "%s",
			json_string_value(json_object_get(json, "job")));
	}
	json_decref(json);
}

static void send_all(struct bench *bench)
{
	const struct event *event;

	while (bench->is_online && (event = events_next(&bench->events))) {
		arrive(bench, event->payload);
		events_sent(&bench->events, event, ++bench->last_link);
	}
}

static void keep(struct bench *bench)
{
	char text[EVENTS_CURSOR_MAX];

	if (!bench->events.is_cursor_new)
		return;
	event_cursor_write(&bench->events.cursor, text);
	assert_true(event_cursor_read(text, &bench->kept));
	bench->is_kept = true;
	bench->events.is_cursor_new = false;
}

/* Until there is nothing to do any more. */
static void run(struct bench *bench)
{
	unsigned before;

	do {
		before = bench->last_link + bench->n_questions;
		answer(bench);
		send_all(bench);
		while (!bench->is_deaf && bench->acknowledged_link < bench->last_link)
			assert_true(
				events_acknowledged(&bench->events, ++bench->acknowledged_link));
		keep(bench);
	} while (bench->last_link + bench->n_questions != before);
}

static void appear(struct bench *bench)
{
	events_service(&bench->events, true, bench->store);
	run(bench);
}

/* Killed, and started again. */
static void restart(struct bench *bench)
{
	events_done(&bench->events);
	bench->acknowledged_link = bench->last_link;
	events_init(&bench->events, "gw", bench->is_kept ? &bench->kept : NULL);
	appear(bench);
}

static void go_offline(struct bench *bench)
{
	bench->is_online = false;
	events_disconnected(&bench->events);
	bench->acknowledged_link = bench->last_link;
}

static void end_attempts(struct bench *bench, uint64_t n)
{
	bench->last += n;
	events_wake(&bench->events);
	run(bench);
}

static void assert_arrived(const struct bench *bench, size_t at, uint64_t first, uint64_t last)
{
	assert_int_equal(bench->n_arrived - at, last + 1 - first);
	for (uint64_t id = first; id <= last; id++, at++) {
		assert_string_equal(bench->arrived[at].kind, "attempt");
		assert_int_equal(bench->arrived[at].id, id);
	}
}

static void assert_gap(
	const struct bench *bench, size_t at, const char *store, uint64_t first, uint64_t last)
{
	assert_string_equal(bench->arrived[at].kind, "gap");
	assert_string_equal(bench->arrived[at].store, store);
	assert_int_equal(bench->arrived[at].first, first);
	assert_int_equal(bench->arrived[at].last, last);
}

/* ------------------------------------------------------------------------------- tests */

static void each_attempt_is_told_in_order_and_once(void **state)
{
	struct bench *bench = *state;

	bench->last = 3;
	appear(bench);
	assert_arrived(bench, 0, 1, 3);
	assert_string_equal(bench->arrived[0].store, STORE_A);
	end_attempts(bench, 1);
	end_attempts(bench, 0);
	assert_arrived(bench, 0, 1, 4);
	assert_int_equal(bench->kept.id, 4);
}

static void a_first_start_begins_with_the_last_ones(void **state)
{
	struct bench *bench = *state;

	bench->last = 1000;
	appear(bench);
	assert_arrived(bench, 0, 1000 - EVENTS_FIRST + 1, 1000);
}

static void a_first_start_that_is_killed_begins_there_again(void **state)
{
	struct bench *bench = *state;

	bench->last = 1000;
	bench->is_online = false;
	appear(bench);
	bench->last = 3000;
	bench->is_online = true;
	restart(bench);
	assert_arrived(bench, 0, 1000 - EVENTS_FIRST + 1, 3000);
}

static void an_empty_store_is_a_beginning(void **state)
{
	struct bench *bench = *state;

	appear(bench);
	assert_int_equal(bench->n_arrived, 0);
	assert_true(bench->is_kept);
	restart(bench);
	end_attempts(bench, 2);
	assert_arrived(bench, 0, 1, 2);
}

static void one_that_runs_holds_back_those_behind_it(void **state)
{
	struct bench *bench = *state;

	bench->last = 4;
	bench->running = 3;
	appear(bench);
	assert_arrived(bench, 0, 1, 2);
	end_attempts(bench, 1);
	assert_arrived(bench, 0, 1, 2);
	bench->running = 0;
	end_attempts(bench, 0);
	assert_arrived(bench, 0, 1, 5);
}

/* Its port has another one since then: what became of it nobody can tell. */
static void one_whose_end_was_lost_is_a_gap(void **state)
{
	struct bench *bench = *state;

	bench->has_ports = true;
	bench->last = 4;
	bench->running = 3;
	appear(bench);
	assert_int_equal(bench->n_arrived, 2);
	end_attempts(bench, 1);
	assert_int_equal(bench->n_arrived, 5);
	assert_string_equal(bench->arrived[2].kind, "gap");
	assert_int_equal(bench->arrived[2].first, 3);
	assert_int_equal(bench->arrived[2].last, 3);
	assert_int_equal(bench->arrived[4].id, 5);
	assert_int_equal(bench->kept.id, 5);
}

/* The answer that has it ends with it, and nothing happens any more. */
static void one_whose_end_was_lost_is_a_gap_in_a_long_list_too(void **state)
{
	struct bench *bench = *state;

	bench->has_ports = true;
	bench->last = 3 * EVENTS_AHEAD;
	bench->running = EVENTS_AHEAD;
	appear(bench);
	assert_int_equal(bench->n_arrived, bench->last);
	assert_gap(bench, EVENTS_AHEAD - 1, STORE_A, EVENTS_AHEAD, EVENTS_AHEAD);
	assert_int_equal(bench->kept.id, bench->last);
}

static void an_hour_without_network_loses_nothing(void **state)
{
	struct bench *bench = *state;

	bench->last = 10;
	appear(bench);
	go_offline(bench);
	for (unsigned i = 0; i < 1000; i++)
		end_attempts(bench, 1);
	assert_int_equal(bench->n_arrived, 10);
	/* Some are read ahead, the rest is the store's. */
	assert_true(bench->events.n_items <= EVENTS_AHEAD);
	assert_true(bench->n_questions < 50);
	bench->is_online = true;
	run(bench);
	assert_arrived(bench, 0, 1, 1010);
}

static void what_was_on_its_way_is_sent_again(void **state)
{
	struct bench *bench = *state;

	bench->is_deaf = true;
	bench->last = 100;
	appear(bench);
	assert_arrived(bench, 0, 1, EVENTS_FLIGHT_MOST);
	assert_int_equal(bench->kept.id, 0);
	go_offline(bench);
	bench->is_online = true;
	bench->is_deaf = false;
	run(bench);
	assert_arrived(bench, EVENTS_FLIGHT_MOST, 1, 100);
	assert_int_equal(bench->kept.id, 100);
}

/* The broker may acknowledge in any order; the cursor passes over none. */
static void the_cursor_goes_over_none_that_is_missing(void **state)
{
	struct bench *bench = *state;

	bench->is_deaf = true;
	bench->last = 3;
	appear(bench);
	assert_true(events_acknowledged(&bench->events, 3));
	assert_true(events_acknowledged(&bench->events, 2));
	assert_false(events_acknowledged(&bench->events, 2));
	assert_false(events_acknowledged(&bench->events, 0));
	assert_int_equal(bench->events.cursor.id, 0);
	assert_true(events_acknowledged(&bench->events, 1));
	assert_int_equal(bench->events.cursor.id, 3);
}

static void a_killed_process_goes_on_where_it_was_acknowledged(void **state)
{
	struct bench *bench = *state;
	uint64_t seen = 0;

	bench->last = 1;
	appear(bench);
	for (unsigned i = 0; i < 300; i++) {
		bench->is_deaf = i % 3 == 0;
		bench->is_online = i % 7 != 0;
		end_attempts(bench, i % 5);
		if (i % 4 == 0)
			restart(bench);
		else if (i % 11 == 0)
			go_offline(bench);
	}
	bench->is_deaf = false;
	bench->is_online = true;
	restart(bench);
	/* All are there, and no new one before the one before it. */
	for (size_t i = 0; i < bench->n_arrived; i++) {
		assert_string_equal(bench->arrived[i].kind, "attempt");
		assert_true(bench->arrived[i].id <= seen + 1);
		if (bench->arrived[i].id > seen)
			seen = bench->arrived[i].id;
	}
	assert_int_equal(seen, bench->last);
	assert_int_equal(bench->kept.id, bench->last);
}

static void what_the_store_has_dropped_is_a_gap(void **state)
{
	struct bench *bench = *state;

	bench->last = 5;
	appear(bench);
	bench->first = 11;
	end_attempts(bench, 7);
	assert_int_equal(bench->n_arrived, 5 + 1 + 2);
	assert_gap(bench, 5, STORE_A, 6, 10);
	assert_arrived(bench, 6, 11, 12);
	restart(bench);
	assert_int_equal(bench->n_arrived, 8);
}

static void another_store_is_read_from_its_beginning(void **state)
{
	struct bench *bench = *state;

	bench->last = 5;
	appear(bench);
	bench->store = STORE_B;
	bench->last = 7;
	appear(bench);
	assert_gap(bench, 5, STORE_A, 6, 0);
	assert_arrived(bench, 6, 1, 7);
	assert_string_equal(bench->arrived[6].store, STORE_B);
	assert_string_equal(bench->kept.store, STORE_B);
	restart(bench);
	assert_int_equal(bench->n_arrived, 13);
}

/* Of an earlier service: then ids that go down tell it. */
static void a_store_without_identity_is_another_by_its_ids(void **state)
{
	struct bench *bench = *state;

	bench->store = "";
	bench->last = 5;
	appear(bench);
	bench->last = 2;
	restart(bench);
	assert_gap(bench, 5, "", 6, 0);
	assert_arrived(bench, 6, 1, 2);
	/* The service is upgraded: its store gets an identity, and is no other. */
	bench->store = STORE_A;
	restart(bench);
	end_attempts(bench, 1);
	assert_arrived(bench, 6, 1, 3);
	assert_string_equal(bench->kept.store, STORE_A);
}

/* While no service runs: the store keeps its identity, and gives ids again that are known. */
static void put_back(struct bench *bench, uint64_t last)
{
	bench->last = bench->backup = last;
	bench->n_backups++;
}

/* Each attempt of the store has arrived behind the gap at `at`, by its own job. */
static void assert_read_anew(const struct bench *bench, size_t at, uint64_t first)
{
	char job[EVENTS_JOB_SIZE];

	assert_gap(bench, at, STORE_A, first, 0);
	assert_arrived(bench, at + 1, 1, bench->last);
	for (uint64_t id = 1; id <= bench->last; id++)
		assert_string_equal(bench->arrived[at + id].job, job_of(bench, id, job));
}

static void a_backup_that_is_put_back_is_read_anew(void **state)
{
	static const struct {
		uint64_t last, newer; /* the backup's, and of attempts since then */
	} rows[] = {{2, 0}, {2, 1}, {4, 1}, {2, 6}, {4, 100}, {0, 5}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench;
		size_t n_before;

		if (i > 0) {
			tear_down(state);
			assert_int_equal(set_up(state), 0);
		}
		bench = *state;
		bench->last = 5;
		appear(bench);
		events_service(&bench->events, false, "");
		put_back(bench, rows[i].last);
		bench->last += rows[i].newer;
		if (i % 2)
			restart(bench);
		else
			appear(bench);
		assert_read_anew(bench, 5, 6);
		n_before = bench->n_arrived;
		restart(bench);
		end_attempts(bench, 1);
		assert_arrived(bench, n_before, bench->last, bench->last);
	}
}

/* What was read ahead of the store that is no more is told, too. */
static void a_backup_without_what_was_read_ahead_is_read_anew(void **state)
{
	struct bench *bench = *state;

	bench->last = 5;
	appear(bench);
	go_offline(bench);
	end_attempts(bench, 4);
	events_service(&bench->events, false, "");
	put_back(bench, 7);
	bench->last = 12;
	appear(bench);
	bench->is_online = true;
	run(bench);
	for (size_t i = 5; i < 9; i++)
		assert_int_equal(bench->arrived[i].id, i + 1);
	assert_read_anew(bench, 9, 10);
}

/* The cursor is at an attempt whose end was lost, of which the job is known all the same. */
static void a_backup_before_a_lost_end_is_read_anew(void **state)
{
	struct bench *bench = *state;

	bench->has_ports = bench->is_deaf = true;
	bench->last = 7;
	bench->running = 5;
	appear(bench);
	for (unsigned i = 0; i < 5; i++)
		assert_true(events_acknowledged(&bench->events, ++bench->acknowledged_link));
	keep(bench);
	assert_int_equal(bench->kept.id, 5);
	put_back(bench, 4);
	bench->last = 7;
	bench->running = 0;
	bench->is_deaf = false;
	restart(bench);
	assert_read_anew(bench, 7, 6);
}

/* Nothing that arrived is missing in it. */
static void a_backup_that_is_not_behind_goes_on(void **state)
{
	struct bench *bench = *state;

	bench->last = 5;
	appear(bench);
	put_back(bench, 5);
	bench->last = 7;
	restart(bench);
	assert_arrived(bench, 0, 1, 7);
}

/* Kept by an earlier version. */
static void a_cursor_without_a_job_goes_on(void **state)
{
	struct bench *bench = *state;

	bench->last = 5;
	appear(bench);
	bench->kept.job[0] = '\0';
	bench->last = 7;
	restart(bench);
	assert_arrived(bench, 0, 1, 7);
}

static void a_service_that_goes_and_comes_is_asked_again(void **state)
{
	struct bench *bench = *state;
	struct events_question question;

	bench->last = 3;
	appear(bench);
	bench->last = 4;
	events_wake(&bench->events);
	assert_true(events_question(&bench->events, &question));
	events_asked(&bench->events);
	assert_false(events_question(&bench->events, &question));
	events_failed(&bench->events);
	events_service(&bench->events, false, "");
	events_wake(&bench->events);
	assert_false(events_question(&bench->events, &question));
	appear(bench);
	assert_arrived(bench, 0, 1, 4);
}

static void a_question_that_fails_is_asked_with_the_next_wake(void **state)
{
	struct bench *bench = *state;
	struct events_question question;

	bench->last = 3;
	events_service(&bench->events, true, STORE_A);
	assert_true(events_question(&bench->events, &question));
	assert_true(question.newest);
	events_asked(&bench->events);
	events_failed(&bench->events);
	assert_false(events_question(&bench->events, &question));
	events_wake(&bench->events);
	run(bench);
	assert_arrived(bench, 0, 1, 3);
}

/* The store gets its identity while a question is under way: the answer to it tells no newest id.
 */
static void an_answer_of_before_says_nothing_of_the_store(void **state)
{
	struct bench *bench = *state;
	struct events_question question;

	bench->store = "";
	bench->last = 3;
	appear(bench);
	events_wake(&bench->events);
	assert_true(events_question(&bench->events, &question));
	assert_false(question.newest);
	events_asked(&bench->events);
	bench->store = STORE_A;
	events_service(&bench->events, true, STORE_A);
	assert_int_equal(events_take(&bench->events, NULL, 0), 0);
	run(bench);
	assert_int_equal(bench->n_arrived, 3);
	end_attempts(bench, 1);
	assert_arrived(bench, 0, 1, 4);
	assert_string_equal(bench->kept.store, STORE_A);
}

/* A service that lies costs neither memory nor an endless loop. */
static void rows_that_were_not_asked_for(void **state)
{
	struct bench *bench = *state;
	struct dict rows[EVENTS_AHEAD * 3] = {0};
	struct events_question question;

	bench->last = 2;
	appear(bench);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		dict_set_long(&rows[i], "id", 2 * i);
		dict_set_long(&rows[i], "ended", 1);
	}
	assert_int_equal(events_take(&bench->events, rows, ARRAY_SIZE(rows)), 0);
	assert_int_equal(bench->events.n_items, EVENTS_AHEAD);
	run(bench);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		dict_set_long(&rows[i], "id", 1);
	assert_int_equal(events_take(&bench->events, rows, ARRAY_SIZE(rows)), 0);
	assert_false(events_question(&bench->events, &question));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		dict_done(&rows[i]);
}

static void one_too_large_is_passed_over(void **state)
{
	struct bench *bench = *state;
	const struct event *event;

	bench->is_online = false;
	bench->last = 2;
	appear(bench);
	event = events_next(&bench->events);
	assert_int_equal(event->after.id, 1);
	events_pass_over(&bench->events, event);
	assert_int_equal(bench->events.cursor.id, 1);
	bench->is_online = true;
	run(bench);
	assert_arrived(bench, 0, 2, 2);
}

static const struct cursor_row {
	const char *name;
	const char *text;
	bool is_one;
	struct event_cursor expected;
} cursors[] = {
	{"with a store", STORE_A " 17\n", true, {STORE_A, "", 17, true}},
	{"with a job", STORE_A " 17 " STORE_B "\n", true, {STORE_A, STORE_B, 17, true}},
	{"with a job of one sign", "- 17 j\n", true, {"", "j", 17, true}},
	{"the largest", STORE_A " 9223372036854775807 " STORE_B "\n", true,
		{STORE_A, STORE_B, INT64_MAX, true}},
	{"without", "- 17\n", true, {"", "", 17, true}},
	{"the first", "- 0\n", true, {"", "", 0, true}},
	{"empty", "", .is_one = false},
	{"cut before the newline", "- 17", .is_one = false},
	{"cut before the id", "- ", .is_one = false},
	{"cut before the blank", "-", .is_one = false},
	{"no store", " 17\n", .is_one = false},
	{"a store too long", STORE_A "0 17\n", .is_one = false},
	{"more behind it", "- 17\n\n", .is_one = false},
	{"an empty job", "- 17 \n", .is_one = false},
	{"cut within the job", "- 17 " STORE_B, .is_one = false},
	{"a job too long", "- 17 " STORE_B "0\n", .is_one = false},
	{"more behind the job", "- 17 " STORE_B "\n\n", .is_one = false},
	{"an id too large", "- 9223372036854775808\n", .is_one = false},
	{"an id with a sign", "- -1\n", .is_one = false},
};

static void a_cursor_is_read(void **state)
{
	const struct cursor_row *row = *state;
	struct event_cursor cursor = {.id = 99};
	char text[EVENTS_CURSOR_MAX];

	assert_int_equal(event_cursor_read(row->text, &cursor), row->is_one);
	if (!row->is_one) {
		assert_int_equal(cursor.id, 99);
		return;
	}
	assert_string_equal(cursor.store, row->expected.store);
	assert_string_equal(cursor.job, row->expected.job);
	assert_int_equal(cursor.id, row->expected.id);
	assert_true(cursor.is_known);
	event_cursor_write(&cursor, text);
	assert_string_equal(text, row->text);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest single[] = {
		TEST(each_attempt_is_told_in_order_and_once),
		TEST(a_first_start_begins_with_the_last_ones),
		TEST(a_first_start_that_is_killed_begins_there_again),
		TEST(an_empty_store_is_a_beginning),
		TEST(one_that_runs_holds_back_those_behind_it),
		TEST(one_whose_end_was_lost_is_a_gap),
		TEST(one_whose_end_was_lost_is_a_gap_in_a_long_list_too),
		TEST(an_hour_without_network_loses_nothing),
		TEST(what_was_on_its_way_is_sent_again),
		TEST(the_cursor_goes_over_none_that_is_missing),
		TEST(a_killed_process_goes_on_where_it_was_acknowledged),
		TEST(what_the_store_has_dropped_is_a_gap),
		TEST(another_store_is_read_from_its_beginning),
		TEST(a_store_without_identity_is_another_by_its_ids),
		TEST(a_backup_that_is_put_back_is_read_anew),
		TEST(a_backup_without_what_was_read_ahead_is_read_anew),
		TEST(a_backup_before_a_lost_end_is_read_anew),
		TEST(a_backup_that_is_not_behind_goes_on),
		TEST(a_cursor_without_a_job_goes_on),
		TEST(a_service_that_goes_and_comes_is_asked_again),
		TEST(a_question_that_fails_is_asked_with_the_next_wake),
		TEST(an_answer_of_before_says_nothing_of_the_store),
		TEST(rows_that_were_not_asked_for),
		TEST(one_too_large_is_passed_over),
	};
	struct CMUnitTest tests[50];
	size_t n_tests = ARRAY_SIZE(single);

	memcpy(tests, single, sizeof(single));
	ADD_ROWS(tests, n_tests, cursors, a_cursor_is_read);
	return RUN_TESTS("fleet-events", tests, n_tests);
}
