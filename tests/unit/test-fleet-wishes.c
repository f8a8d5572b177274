/* SPDX-License-Identifier: MIT */
/*
 * Wishes from message to folder: how each is judged, which units are offered its image, and what is
 * told of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "fleet/holds.h"
#include "unit/wishes-bench.h"

static void a_wish_is_fetched_placed_and_offered(void **state)
{
	(void)state;
	send(NULL, "1.2", "");
	must_tell("\"state\": \"fetching\"");
	must_tell("{\"schema\": 1, \"gateway\": \"gw1\", \"board\": \"gate\", \"group\": null, ");
	must_be_gone("1.2");
	arrive("1.2");
	must_offer("1.2", "none");
	must_tell("\"state\": \"offered\"");
	must_tell("\"fetched_percent\": 100");
	assert_string_equal(told_version, "1.2");
	assert_int_equal(n_forgotten, 1);
	/* The same once more, as the broker tells it after each connection, is no news. */
	told[0] = '\0';
	send(NULL, "1.2", "");
	assert_string_equal(told, "");
	restart();
	must_tell("\"state\": \"offered\"");
	must_offer("1.2", "none");
}

static void percent_goes_up_and_a_pause_stops_all(void **state)
{
	unsigned before;

	(void)state;
	send_and_arrive("1.2", ",\"percent\":10");
	must_offer("1.2", PERCENT(10));
	/* Told once, and not before the rules are known anew. */
	before = n_told;
	send(NULL, "1.2", ",\"percent\":50");
	assert_int_equal(n_told, before + 1);
	must_offer("1.2", PERCENT(50));
	send(NULL, "1.2", ",\"percent\":50,\"paused\":true");
	must_offer("1.2", PERCENT(0));
	must_tell("\"state\": \"paused\"");
	send(NULL, "1.2", "");
	must_offer("1.2", "none");
	assert_null(download);
}

static void a_pause_stops_what_is_fetched(void **state)
{
	(void)state;
	send(NULL, "1.2", "");
	assert_non_null(download);
	send(NULL, "1.2", ",\"paused\":true");
	assert_null(download);
	assert_int_equal(n_forgotten, 0); /* it goes on where it was */
	send(NULL, "1.2", "");
	arrive("1.2");
	must_offer("1.2", "none");
}

static void another_wish_takes_the_place_of_the_one_that_is_fetched(void **state)
{
	(void)state;
	send(NULL, "1.2", "");
	send(NULL, "1.3", "");
	arrive("1.3");
	must_offer("1.3", "none");
	must_be_gone("1.2");
}

static void what_is_not_sealed_is_not_fetched(void **state)
{
	(void)state;
	seal = SEAL_UNKNOWN;
	send(NULL, "1.2", "");
	assert_null(download);
	must_tell("\"state\": \"refused\"");
	must_tell("not trusted");
	assert_string_equal(told_version, "");
	/* Of the service, where fleet.conf names none. */
	assert_string_equal(asked_keys, "/keys");
}

/* A key that is taken away later counts no more at the next turn. */
static void a_key_that_is_taken_away_stops_the_rollout(void **state)
{
	(void)state;
	send_and_arrive("1.2", "");
	seal = SEAL_UNKNOWN;
	job_ended();
	must_offer("1.2", PERCENT(0));
	must_tell("\"state\": \"refused\"");
}

static void failures_halt_it_over_restarts_until_somebody_resumes(void **state)
{
	struct reason reason;

	(void)state;
	add_unit("01", "1.1", NULL);
	add_unit("02", "1.1", NULL);
	add_unit("03", "1.1", NULL);
	send_and_arrive("1.2", "");
	job_ended();
	must_tell("\"units\": 3");
	dict_done(&service.units[0]);
	dict_done(&service.units[1]);
	service.n_units = 0;
	add_unit("01", "1.1", "1.2");
	add_unit("02", "1.1", "1.2");
	service.n_units = 3;
	job_ended();
	must_offer("1.2", PERCENT(0));
	must_tell("\"state\": \"halted\"");
	must_tell("2 units failed");
	must_tell("\"failed\": 2");
	restart();
	must_tell("\"state\": \"halted\"");
	must_offer("1.2", PERCENT(0));
	assert_int_equal(wishes_pause(wishes, "door", false, &reason), 1);
	assert_int_equal(wishes_pause(wishes, "gate", false, &reason), 0);
	settle();
	must_tell("\"state\": \"offered\"");
	must_offer("1.2", "none");
	assert_int_equal(wishes_pause(wishes, "gate", false, &reason), 1);
	restart();
	must_tell("\"state\": \"offered\"");
}

static void what_cannot_be_understood_stops_what_was_begun(void **state)
{
	(void)state;
	add_unit("01", "1.2", NULL);
	send_and_arrive("1.2", "");
	job_ended();
	wishes_take(wishes, NULL, "gate", "{\"paused\":tru", 14);
	settle();
	must_offer("1.2", PERCENT(0));
	must_tell("\"state\": \"refused\"");
	must_tell("\"image\": null");
	restart();
	must_tell("\"state\": \"refused\"");
	send(NULL, "1.2", "");
	must_offer("1.2", "none");
}

static void the_gateways_own_wish_is_before_those_of_groups(void **state)
{
	(void)state;
	send("b", "1.3", "");
	arrive("1.3");
	must_tell("\"group\": \"b\"");
	send("a", "1.2", "");
	must_tell("\"group\": \"a\"");
	arrive("1.2");
	must_be_gone("x"); /* nothing strange */
	send(NULL, "1.1", "");
	arrive("1.1");
	must_tell("\"group\": null");
	take_back(NULL, "gate");
	must_tell("\"group\": \"a\"");
}

/* An older wish, which stands in the topic again, while the higher image lies there. */
static void a_wish_below_the_floor_is_offered_at_no_moment(void **state)
{
	(void)state;
	add_unit("01", "1.2", NULL);
	assert_int_equal(dict_set_text(&service.units[0], "previous_sha256", sha256_of("1.1")), 0);
	send_and_arrive("1.1", "");
	send_and_arrive("1.2", "");
	assert_int_equal(dict_set_text(&service.board, "floor", "1.2"), 0);
	tell_manager("FloorTime", 1);
	send(NULL, "1.1", "");
	must_tell("the floor of this board");
	must_offer("1.1", PERCENT(0));
	must_offer("1.2", "none");
	/* A process that begins before the service has answered. */
	service.is_silent = true;
	restart();
	must_offer("1.1", PERCENT(0));
	must_offer("1.2", "none");
	service.is_silent = false;
	settle();
	must_tell("the floor of this board");
	must_offer("1.1", PERCENT(0));
	must_offer("1.2", "none");
	/* The service begins again. */
	wishes_presence(wishes, CLIENT_NO_SERVICE);
	settle();
	must_tell("the floor of this board");
	must_offer("1.1", PERCENT(0));
	must_offer("1.2", "none");
}

static void wishes_that_do_not_come_again_were_taken_back(void **state)
{
	(void)state;
	send("a", "1.2", "");
	arrive("1.2");
	wishes_connected(wishes);
	send("a", "1.2", "");
	wishes_heard_all(wishes);
	settle();
	must_tell("\"state\": \"offered\"");
	wishes_connected(wishes);
	wishes_heard_all(wishes);
	settle();
	assert_string_equal(told, "gone");
}

static void more_wishes_than_are_kept_are_refused(void **state)
{
	(void)state;
	send_and_arrive("1.2", "");
	for (unsigned i = 0; i < 100; i++) {
		char board[32], group[] = "a";

		snprintf(board, sizeof(board), "board%u", i);
		wishes_take(wishes, group, board, "{", 0);
		wishes_take(wishes, group, "line\nend", "{", 1);
	}
	settle();
	must_offer("1.2", "none");
}

/* Both ways, without a job that ends. */
static void a_floor_that_is_set_is_looked_at(void **state)
{
	(void)state;
	send_and_arrive("1.2", "");
	must_offer("1.2", "none");
	assert_int_equal(dict_set_text(&service.board, "floor", "1.3"), 0);
	tell_manager("FloorTime", 1);
	must_offer("1.2", PERCENT(0));
	must_tell("is below 1.3");
	assert_int_equal(dict_set_text(&service.board, "floor", "1.1"), 0);
	tell_manager("FloorTime", 2);
	must_offer("1.2", "none");
	must_tell("\"state\": \"offered\"");
}

/* What the service said before the wish came is not what the wish is judged by. */
static void a_wish_is_judged_by_what_the_service_says_then(void **state)
{
	(void)state;
	send_and_arrive("1.1", "");
	assert_int_equal(dict_set_text(&service.board, "floor", "1.3"), 0);
	send(NULL, "1.2", "");
	must_tell("\"state\": \"refused\"");
	must_tell("is below 1.3");
	assert_null(download);
	send(NULL, "1.1", ",\"percent\":50");
	must_tell("is below 1.3");
	must_offer("1.1", PERCENT(0));
	assert_int_equal(dict_set_text(&service.board, "floor", "1.1"), 0);
	send(NULL, "1.1", "");
	must_offer("1.1", "none");
}

/* As many as are kept. */
static void of_too_many_boards_one_more_cannot_be_paused(void **state)
{
	struct reason reason;
	FILE *to;

	(void)state;
	wishes = wishes_free(wishes);
	to = fopen(in_folder("state/holds.json"), "w");
	assert_non_null(to);
	for (unsigned i = 0; i < HOLDS_MOST; i++)
		fprintf(to, "%c\"board%u\": {\"hold\": \"command\"}", i == 0 ? '{' : ',', i);
	fputs("}", to);
	assert_int_equal(fclose(to), 0);
	start();
	assert_int_equal(wishes_pause(wishes, "gate", true, &reason), 1);
	assert_string_equal(reason.text, "there is no wish for this board");
	send(NULL, "1.2", "");
	must_tell("too many boards");
	assert_int_equal(wishes_pause(wishes, "gate", true, &reason), 1);
	assert_non_null(strstr(reason.text, "too many boards"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(a_wish_is_fetched_placed_and_offered),
		SCENE(percent_goes_up_and_a_pause_stops_all),
		SCENE(a_pause_stops_what_is_fetched),
		SCENE(another_wish_takes_the_place_of_the_one_that_is_fetched),
		SCENE(what_is_not_sealed_is_not_fetched),
		SCENE(a_key_that_is_taken_away_stops_the_rollout),
		SCENE(failures_halt_it_over_restarts_until_somebody_resumes),
		SCENE(what_cannot_be_understood_stops_what_was_begun),
		SCENE(the_gateways_own_wish_is_before_those_of_groups),
		SCENE(a_wish_below_the_floor_is_offered_at_no_moment),
		SCENE(wishes_that_do_not_come_again_were_taken_back),
		SCENE(more_wishes_than_are_kept_are_refused),
		SCENE(a_floor_that_is_set_is_looked_at),
		SCENE(a_wish_is_judged_by_what_the_service_says_then),
		SCENE(of_too_many_boards_one_more_cannot_be_paused),
	};

	log_open("test", LOG_TARGET_STDERR, LOG_ERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
