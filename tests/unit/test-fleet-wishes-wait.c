/* SPDX-License-Identifier: MIT */
/*
 * What a wish waits for: that somebody mends a key, a file or the disk, that the service tells its
 * rules, its window, and its turn among more wishes than can be paid for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "fleet/inbox.h"
#include "unit/wishes-bench.h"

/* ------------------------------------------------------------------ what somebody mends */

/* Until one of its timers has made something other be told, `most_s` at most. */
static void wait_for_news(unsigned most_s)
{
	uint64_t begun = monotonic_usec();
	unsigned before = n_told;

	while (n_told == before) {
		assert_true(clock_move_to_next());
		assert_in_range(monotonic_usec() - begun, 0, most_s * USEC_PER_SEC);
		settle();
	}
}

/* Nobody tells that it came. */
static void a_key_that_comes_later_is_found(void **state)
{
	(void)state;
	seal = SEAL_UNKNOWN;
	send(NULL, "1.2", "");
	must_tell("not trusted");
	clock_move(600 * USEC_PER_SEC);
	settle();
	assert_null(download);
	seal = SEAL_OK;
	wait_for_news(600);
	arrive("1.2");
	must_offer("1.2", "none");
}

static void a_wish_that_no_key_mends_is_left_alone(void **state)
{
	(void)state;
	seal = SEAL_REFUSED;
	send(NULL, "1.2", "");
	must_tell("\"state\": \"refused\"");
	assert_false(clock_move_to_next());
}

static void a_file_that_stands_in_the_way_is_looked_at_again(void **state)
{
	(void)state;
	put_text("images/gate-1.2.hex", "somebody's");
	send(NULL, "1.2", "");
	must_tell("\"state\": \"refused\"");
	must_tell("which plugflash-fleet did not bring: take it away");
	assert_int_equal(unlink(in_folder("images/gate-1.2.hex")), 0);
	wait_for_news(600);
	arrive("1.2");
	must_offer("1.2", "none");
}

/* The image lies there, and what was brought cannot be written down: a disk that is full, say. */
static void a_disk_that_gives_errors_is_tried_again(void **state)
{
	char text[200];

	(void)state;
	snprintf(text, sizeof(text), "[image]\nsha256 = %s\n", sha256_of("1.2"));
	put_text("images/gate-1.2.hex", bytes_of("1.2"));
	put_text("images/gate-1.2.hex.ini", text);
	put_text("images/gate-1.2.hex.ini.minisig", "s 1.2");
	make_directory("state/shelf.json");
	send(NULL, "1.2", "");
	assert_null(download);
	must_tell("\"state\": \"waiting\"");
	must_tell("gate-1.2.hex: Is a directory");
	assert_int_equal(rmdir(in_folder("state/shelf.json")), 0);
	wait_for_news(300);
	must_tell("\"state\": \"offered\"");
}

/* It is too large, say: neither time nor what else happens makes it another. */
static void a_download_that_is_refused_stays_so(void **state)
{
	unsigned before;

	(void)state;
	send(NULL, "1.2", "");
	download->state = DOWNLOAD_REFUSED;
	download->handler(download, download->userdata);
	settle();
	must_tell("\"state\": \"refused\"");
	before = n_told;
	job_ended();
	job_ended();
	assert_int_equal(n_told, before);
	send(NULL, "1.3", "");
	arrive("1.3");
	must_offer("1.3", "none");
}

/* ------------------------------------------------------------------ the service */

static void without_the_service_nothing_is_taken_away(void **state)
{
	(void)state;
	send_and_arrive("1.1", "");
	send_and_arrive("1.2", ",\"percent\":50");
	service.presence = CLIENT_NO_SERVICE;
	wishes_presence(wishes, CLIENT_NO_SERVICE);
	settle();
	send(NULL, "1.2", "");
	must_offer("1.2", PERCENT(50));
	must_offer("1.1", "none");
	must_tell("\"units\": null");
	must_tell("the rules are waited for: plugflashd does not run; systemctl start plugflashd");
	send(NULL, "1.2", ",\"percent\":10");
	must_offer("1.2", PERCENT(10));
	send(NULL, "1.2", "");
	service.presence = CLIENT_THERE;
	wishes_presence(wishes, CLIENT_THERE);
	clock_move(1);
	settle();
	must_offer("1.2", "none");
	must_be_gone("1.1");
}

/* Its store cannot be read, say. */
static void a_service_that_cannot_answer_raises_nothing(void **state)
{
	struct reason reason;

	(void)state;
	send_and_arrive("1.2", ",\"percent\":10");
	service.is_broken = true;
	send(NULL, "1.2", ",\"percent\":50");
	must_offer("1.2", PERCENT(10));
	must_tell("does not tell its rules and units: the store cannot be read; journalctl");
	assert_int_equal(wishes_pause(wishes, "gate", true, &reason), 0);
	settle();
	assert_int_equal(wishes_pause(wishes, "gate", false, &reason), 0);
	settle();
	must_offer("1.2", PERCENT(0));
	service.is_broken = false;
	assert_true(clock_move_to_next());
	settle();
	must_offer("1.2", PERCENT(50));
}

/* To a process that begins. */
static void a_wish_says_why_the_rules_are_not_known(void **state)
{
	unsigned before;

	(void)state;
	service.is_silent = true;
	restart();
	send(NULL, "1.2", "");
	must_tell("\"state\": \"waiting\"");
	must_tell("the rules are waited for: plugflashd has not told them yet");
	service.presence = CLIENT_NO_SERVICE;
	wishes_presence(wishes, CLIENT_NO_SERVICE);
	settle();
	must_tell("plugflashd does not run");
	service.is_silent = false;
	service.is_broken = true;
	service.presence = CLIENT_THERE;
	wishes_presence(wishes, CLIENT_THERE);
	clock_move(1);
	settle();
	must_tell("the store cannot be read");
	/* The same again is no news, while it is asked and after that. */
	before = n_told;
	clock_move(30 * USEC_PER_SEC);
	settle();
	assert_int_equal(n_told, before);
	service.is_broken = false;
	clock_move(30 * USEC_PER_SEC);
	settle();
	arrive("1.2");
	must_offer("1.2", "none");
}

/* ------------------------------------------------------------------ time */

static void its_window_opens_by_itself(void **state)
{
	char window[64];
	time_t soon = (time_t)(realtime_usec() / (int64_t)USEC_PER_SEC) + 3 * 3600;
	struct tm from, to;

	(void)state;
	assert_non_null(localtime_r(&soon, &from));
	soon += 2 * 3600;
	assert_non_null(localtime_r(&soon, &to));
	snprintf(window, sizeof(window), ",\"window\":\"%02d:%02d-%02d:%02d\"", from.tm_hour,
		from.tm_min, to.tm_hour, to.tm_min);
	send_and_arrive("1.2", window);
	must_offer("1.2", PERCENT(0));
	must_tell("\"state\": \"ready\"");
	for (unsigned i = 0; i < 30 && !strstr(told, "offered"); i++) {
		assert_true(clock_move_to_next());
		settle();
	}
	must_tell("\"state\": \"offered\"");
	assert_non_null(strstr(text_of("gate-1.2.hex.rollout"), "percent = 100\nuntil = "));
	for (unsigned i = 0; i < 30 && !strstr(told, "ready"); i++) {
		assert_true(clock_move_to_next());
		settle();
	}
	must_offer("1.2", PERCENT(0));
}

/* ------------------------------------------------------------------ more than can be paid for */

/* Wishes of a group, each another than the last, until no further one is acted on at once. */
static void flood(void)
{
	char more[32];

	for (unsigned i = 0; i < 3 * INBOX_AT_ONCE; i++) {
		snprintf(more, sizeof(more), ",\"percent\":%u", i % 100);
		send("b", "1.1", more);
	}
}

static void pass(uint64_t usec)
{
	clock_move(usec);
	settle();
}

static void a_flood_of_wishes_asks_and_writes_no_more_than_is_paid_for(void **state)
{
	(void)state;
	service.n_asked = 0;
	flood();
	assert_in_range(service.n_asked, 1, INBOX_AT_ONCE);
	must_tell("\"version\": \"1.1\"");
	send("b", "1.2", "");
	must_tell("\"version\": \"1.1\"");
	pass(INBOX_EACH_USEC);
	must_tell("\"version\": \"1.2\"");
	arrive("1.2");
	must_offer("1.2", "none");
	/* The same once more costs nothing, and takes what waits back. */
	service.n_asked = 0;
	for (unsigned i = 0; i < 200; i++)
		send("b", "1.2", "");
	send("b", "1.2", ",\"percent\":50");
	send("b", "1.2", "");
	pass(10 * INBOX_EACH_USEC);
	must_offer("1.2", "none");
	assert_int_equal(service.n_asked, 0);
}

static void a_pause_is_there_soon_whatever_else_is_published(void **state)
{
	(void)state;
	send_and_arrive("1.2", "");
	flood();
	must_offer("1.2", "none");
	send(NULL, "1.2", ",\"paused\":true");
	pass(2 * INBOX_EACH_USEC);
	must_offer("1.2", PERCENT(0));
	must_tell("\"state\": \"paused\"");
}

static void a_pause_by_command_is_of_the_wish_that_waits(void **state)
{
	struct reason reason = {""};

	(void)state;
	send_and_arrive("1.2", "");
	flood();
	send(NULL, "1.3", "");
	must_tell("\"version\": \"1.2\"");
	assert_int_equal(wishes_pause(wishes, "gate", true, &reason), 0);
	settle();
	must_tell("\"version\": \"1.3\"");
	must_tell("\"state\": \"paused\"");
	pass(100 * INBOX_EACH_USEC);
	must_tell("\"state\": \"paused\"");
	assert_null(download);
	assert_int_equal(wishes_pause(wishes, "gate", false, &reason), 0);
	settle();
	arrive("1.3");
	must_offer("1.3", "none");
	/* The first one for a board, too. */
	flood();
	send_wish(&(struct sent){.board = "door", .version = "1.4"});
	assert_string_equal(told_door, "");
	assert_int_equal(wishes_pause(wishes, "door", true, &reason), 0);
	settle();
	must_tell_door("\"state\": \"paused\"");
	/* One that is taken back is none. */
	take_back(NULL, "door");
	assert_int_equal(wishes_pause(wishes, "door", true, &reason), 1);
}

static void a_wish_that_waits_was_not_taken_back(void **state)
{
	(void)state;
	send("a", "1.2", "");
	arrive("1.2");
	flood();
	wishes_connected(wishes);
	send("a", "1.2", ",\"percent\":50");
	wishes_heard_all(wishes);
	settle();
	must_offer("1.2", "none");
	must_tell("\"state\": \"offered\"");
	pass(2 * INBOX_EACH_USEC);
	must_offer("1.2", PERCENT(50));
}

/* What waited when the connection went is not retained any more. */
static void a_wish_that_waited_is_taken_back_with_the_others(void **state)
{
	(void)state;
	send("a", "1.2", "");
	arrive("1.2");
	flood();
	send("a", "1.2", ",\"percent\":50");
	wishes_connected(wishes);
	wishes_heard_all(wishes);
	settle();
	assert_string_equal(told, "gone");
	pass(10 * INBOX_EACH_USEC);
	assert_string_equal(told, "gone");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(a_key_that_comes_later_is_found),
		SCENE(a_wish_that_no_key_mends_is_left_alone),
		SCENE(a_file_that_stands_in_the_way_is_looked_at_again),
		SCENE(a_disk_that_gives_errors_is_tried_again),
		SCENE(a_download_that_is_refused_stays_so),
		SCENE(without_the_service_nothing_is_taken_away),
		SCENE(a_service_that_cannot_answer_raises_nothing),
		SCENE(a_wish_says_why_the_rules_are_not_known),
		SCENE(its_window_opens_by_itself),
		SCENE(a_flood_of_wishes_asks_and_writes_no_more_than_is_paid_for),
		SCENE(a_pause_is_there_soon_whatever_else_is_published),
		SCENE(a_pause_by_command_is_of_the_wish_that_waits),
		SCENE(a_wish_that_waits_was_not_taken_back),
		SCENE(a_wish_that_waited_is_taken_back_with_the_others),
	};

	log_open("test", LOG_TARGET_STDERR, LOG_ERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
