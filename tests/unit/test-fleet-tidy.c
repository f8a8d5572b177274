/* SPDX-License-Identifier: MIT */
/*
 * Images that no wish in force offers are withdrawn or removed, over restarts and on a full disk,
 * and the others stay; and whose image one is that two wishes name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "unit/wishes-bench.h"

/* ------------------------------------------------------------------ one wish after the other */

static void a_wish_that_is_taken_back_is_given_to_nobody(void **state)
{
	(void)state;
	add_unit("01", "1.2", NULL);
	send_and_arrive("1.2", "");
	job_ended();
	take_back(NULL, "gate");
	must_offer("1.2", PERCENT(0));
	assert_string_equal(told, "gone");
	assert_string_equal(told_version, "");
	restart();
	assert_string_equal(told, "");
	must_offer("1.2", PERCENT(0));
}

/* The higher one would be chosen by the service; it goes once the lower one is offered. */
static void a_lower_version_takes_the_higher_one_away(void **state)
{
	(void)state;
	send_and_arrive("1.2", "");
	send(NULL, "1.1", ",\"percent\":10");
	must_offer("1.2", "none");
	arrive("1.1");
	must_offer("1.1", PERCENT(10));
	must_be_gone("1.2");
}

static void images_stay_as_long_as_somebody_needs_them(void **state)
{
	struct dict *unit = add_unit("01", "1.1", NULL);

	(void)state;
	job_ended();
	send_and_arrive("1.1", "");
	send_and_arrive("1.2", ",\"percent\":50");
	/* For who does not get the new one yet, or is plugged in tomorrow. */
	must_offer("1.1", "none");
	must_offer("1.2", PERCENT(50));
	assert_int_equal(dict_set_text(unit, "sha256", sha256_of("1.2")), 0);
	assert_int_equal(dict_set_text(unit, "previous_sha256", sha256_of("1.1")), 0);
	send(NULL, "1.2", "");
	job_ended();
	must_offer("1.1", "none"); /* it would go back to it */
	send_and_arrive("1.3", "");
	assert_int_equal(dict_set_text(unit, "sha256", sha256_of("1.3")), 0);
	assert_int_equal(dict_set_text(unit, "previous_sha256", sha256_of("1.2")), 0);
	job_ended();
	must_be_gone("1.1");
	must_offer("1.2", "none");
	must_offer("1.3", "none");
}

/* A half rollout ends with the wish: its units have it, no further one gets it. */
static void a_rollout_that_is_replaced_goes_no_further(void **state)
{
	(void)state;
	add_unit("01", "1.2", NULL);
	job_ended();
	send_and_arrive("1.2", ",\"percent\":50");
	send(NULL, "1.3", "");
	must_offer("1.2", PERCENT(0));
	arrive("1.3");
	must_offer("1.2", PERCENT(0));
}

/* ------------------------------------------------------------------ no wish, no offer */

/* No rollout file of that image can be written from now on, as where the disk is full. */
static void fill_disk(const char *version)
{
	char name[128];

	snprintf(name, sizeof(name), "images/.plugflash-part-gate-%s.hex.rollout", version);
	assert_int_equal(mkdir(in_folder(name), 0755), 0);
}

static void clear_disk(const char *version)
{
	char name[128];

	snprintf(name, sizeof(name), "images/.plugflash-part-gate-%s.hex.rollout", version);
	assert_int_equal(rmdir(in_folder(name)), 0);
}

static void the_image_of_a_group_that_is_none_any_more_is_given_to_nobody(void **state)
{
	(void)state;
	add_unit("01", "1.2", NULL);
	send("b", "1.2", "");
	arrive("1.2");
	must_offer("1.2", "none");
	n_groups = 1;
	restart();
	assert_string_equal(told, "");
	must_offer("1.2", PERCENT(0));
}

/* Killed after the wish was forgotten, before the rollout file was written. */
static void what_was_taken_back_at_a_kill_is_given_to_nobody(void **state)
{
	char command[800];

	(void)state;
	add_unit("01", "1.2", NULL);
	send_and_arrive("1.1", "");
	send_and_arrive("1.2", ",\"percent\":50");
	snprintf(command, sizeof(command), "rm %s/state/wish-*", folder);
	assert_int_equal(system(command), 0);
	/* Nothing is known of the units: it is given to nobody all the same. */
	service.is_silent = true;
	restart();
	must_offer("1.2", PERCENT(0));
	must_offer("1.1", PERCENT(0));
	service.is_silent = false;
	settle();
	must_be_gone("1.1");
	must_offer("1.2", PERCENT(0));
}

static void what_cannot_be_withdrawn_on_a_full_disk_is_taken_away(void **state)
{
	(void)state;
	add_unit("01", "1.2", NULL);
	send_and_arrive("1.2", ",\"percent\":10");
	fill_disk("1.2");
	/* Fewer units than the wish says is no harm. */
	send(NULL, "1.2", ",\"percent\":50");
	must_offer("1.2", PERCENT(10));
	must_tell("\"state\": \"waiting\"");
	take_back(NULL, "gate");
	must_be_gone("1.2");
	/* More than it says is. */
	send_and_arrive("1.3", "");
	fill_disk("1.3");
	send(NULL, "1.3", ",\"percent\":50");
	must_be_gone("1.3");
	arrive("1.3");
	assert_string_equal(text_of("gate-1.3.hex"), "none");
	must_tell("\"state\": \"fetching\"");
	clear_disk("1.2");
	clear_disk("1.3");
	for (unsigned i = 0; i < 10 && download; i++) {
		assert_true(clock_move_to_next());
		settle();
	}
	must_offer("1.3", PERCENT(50));
}

/* The disk is full as the own wish is changed, and the broker is away as the gateway starts. */
static void a_wish_that_found_no_room_lets_no_other_take_its_place(void **state)
{
	char command[800];

	(void)state;
	send("a", "1.2", "");
	arrive("1.2");
	send(NULL, "1.2", ",\"paused\":true");
	snprintf(command, sizeof(command), "cd %s/state; for i in wish-*; do mkdir $i.new; done",
		folder);
	assert_int_equal(system(command), 0);
	send(NULL, "1.2", ",\"percent\":10,\"paused\":true");
	must_tell("\"state\": \"paused\"");
	restart();
	must_tell("it could not be kept");
	must_offer("1.2", PERCENT(0));
	send(NULL, "1.2", ",\"percent\":10");
	must_offer("1.2", PERCENT(10));
	take_back(NULL, "gate");
	must_offer("1.2", "none");
}

/* Neither can its rollout file be written, nor all of it be removed. */
static void what_cannot_be_withdrawn_is_tried_again(void **state)
{
	(void)state;
	send_and_arrive("1.2", "");
	assert_int_equal(mkdir(in_folder("images/gate-1.2.hex.rollout"), 0755), 0);
	take_back(NULL, "gate");
	assert_string_equal(text_of("gate-1.2.hex"), "none");
	assert_int_equal(rmdir(in_folder("images/gate-1.2.hex.rollout")), 0);
	assert_true(clock_move_to_next());
	settle();
	must_be_gone("1.2");
}

/* It says the board of each image, not the group. */
static void a_list_of_an_older_version_is_understood(void **state)
{
	char list[1024];

	(void)state;
	send_and_arrive("1.1", "");
	send_and_arrive("1.2", ",\"percent\":50");
	wishes = wishes_free(wishes);
	snprintf(list, sizeof(list),
		"{\"gate-1.1.hex\":{\"board\":\"gate\",\"version\":\"1.1\",\"sha256\":\"%s\",\"size\":%zu},",
		sha256_of("1.1"), strlen(bytes_of("1.1")));
	snprintf(list + strlen(list), sizeof(list) - strlen(list),
		"\"gate-1.2.hex\":{\"board\":\"gate\",\"version\":\"1.2\",\"sha256\":\"%s\",\"size\":%zu}}",
		sha256_of("1.2"), strlen(bytes_of("1.2")));
	put_text("state/shelf.json", list);
	start();
	must_offer("1.1", "none");
	must_offer("1.2", PERCENT(50));
	add_unit("01", "1.1", NULL);
	add_unit("02", "1.2", NULL);
	take_back(NULL, "gate");
	must_offer("1.1", PERCENT(0));
	must_offer("1.2", PERCENT(0));
}

/* For all units, without end, and of a wish that is not in force. */
static void a_groups_wish_that_is_taken_back_withdraws_its_image(void **state)
{
	static const char *const times[] = {
		",\"not_before\":\"2020-01-01T00:00:00Z\"",
		",\"not_before\":\"2099-01-01T00:00:00Z\"",
		",\"window\":\"00:00-24:00\"",
	};

	(void)state;
	add_unit("01", "1.1", NULL);
	send("a", "1.1", "");
	arrive("1.1");
	send_and_arrive("1.2", ",\"percent\":10");
	must_offer("1.1", "none");
	send("a", "1.1", ",\"paused\":true");
	must_offer("1.1", PERCENT(0));
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		take_back(NULL, "gate");
		send("a", "1.1", "");
		must_offer("1.1", "none");
		send(NULL, "1.2", ",\"percent\":10");
		arrive("1.2");
		must_offer("1.1", "none");
		send("a", "1.1", times[i]);
		must_offer("1.1", i == 0 ? "none" : PERCENT(0));
	}
	take_back("a", "gate");
	must_offer("1.1", PERCENT(0));
	must_offer("1.2", PERCENT(10));
}

/* ------------------------------------------------------------------ whose image it is */

static void of_two_wishes_for_one_file_one_has_it_over_restarts(void **state)
{
	(void)state;
	send_and_arrive("1.2", "");
	send_wish(&(struct sent){.board = "door", .version = "1.2"});
	must_tell_door("the wish for board 'gate' names the same file");
	restart();
	must_tell("\"state\": \"offered\"");
	must_tell_door("the wish for board 'gate' names the same file");
	must_offer("1.2", "none");
	take_back(NULL, "gate");
	must_tell_door("\"state\": \"offered\"");
	must_offer("1.2", "none");
	send(NULL, "1.2", ",\"percent\":10");
	must_tell("the wish for board 'door' names the same file");
	must_offer("1.2", "none");
	restart();
	must_tell("the wish for board 'door' names the same file");
	must_tell_door("\"state\": \"offered\"");
	must_offer("1.2", "none");
}

/* For those who come tomorrow it is the newest of the other board. */
static void an_image_belongs_to_the_board_that_it_is_offered_for(void **state)
{
	(void)state;
	send_and_arrive("1.2", "");
	send_wish(&(struct sent){.board = "door", .version = "1.2"});
	take_back(NULL, "gate");
	send_wish(&(struct sent){.board = "door", .version = "1.3", .more = ",\"percent\":10"});
	arrive("1.3");
	must_offer("1.2", "none");
	must_offer("1.3", PERCENT(10));
	send_and_arrive("1.1", "");
	must_offer("1.1", "none");
	must_offer("1.2", "none");
	send_and_arrive("1.4", "");
	job_ended();
	must_be_gone("1.1");
	must_offer("1.2", "none");
	restart();
	must_offer("1.2", "none");
	take_back(NULL, "door");
	must_be_gone("1.2");
	must_be_gone("1.3");
	must_offer("1.4", "none");
}

static void an_image_signed_anew_is_given_to_nobody_before_it_is_there(void **state)
{
	(void)state;
	send_and_arrive("1.2", "");
	send_wish(
		&(struct sent){.version = "1.2", .signature = "anew", .more = ",\"paused\":true"});
	must_tell("\"state\": \"paused\"");
	must_offer("1.2", PERCENT(0));
	send_wish(&(struct sent){.version = "1.2", .signature = "anew"});
	must_offer("1.2", PERCENT(0));
	arrive("1.2");
	must_offer("1.2", "none");
	assert_string_equal(text_of("gate-1.2.hex.ini.minisig"), "s anew");
}

static void a_name_with_other_bytes_is_given_to_nobody(void **state)
{
	(void)state;
	send_and_arrive("1.2", ",\"percent\":50");
	send_wish(&(struct sent){.name = "1.2", .version = "1.3"});
	must_tell("each image needs a name of its own");
	must_offer("1.2", PERCENT(0));
	send(NULL, "1.2", ",\"percent\":50");
	must_offer("1.2", PERCENT(50));
	/* Of another board it is that one's alone that is refused. */
	send_wish(&(struct sent){.board = "door", .name = "1.2", .version = "1.3"});
	must_tell_door("\"state\": \"refused\"");
	must_offer("1.2", PERCENT(50));
	must_tell("\"state\": \"offered\"");
}

/* It is the group's from then on: once that goes as well nobody gets it. */
static void an_own_wish_leaves_the_image_to_the_group(void **state)
{
	(void)state;
	add_unit("01", "1.2", NULL);
	send("a", "1.2", ",\"percent\":50");
	arrive("1.2");
	send(NULL, "1.2", "");
	must_offer("1.2", "none");
	take_back(NULL, "gate");
	must_offer("1.2", PERCENT(50));
	must_tell("\"group\": \"a\"");
	send("b", "1.2", "");
	take_back("a", "gate");
	must_offer("1.2", "none");
	n_groups = 1;
	restart();
	must_offer("1.2", PERCENT(0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(a_wish_that_is_taken_back_is_given_to_nobody),
		SCENE(a_lower_version_takes_the_higher_one_away),
		SCENE(images_stay_as_long_as_somebody_needs_them),
		SCENE(a_rollout_that_is_replaced_goes_no_further),
		SCENE(the_image_of_a_group_that_is_none_any_more_is_given_to_nobody),
		SCENE(what_was_taken_back_at_a_kill_is_given_to_nobody),
		SCENE(what_cannot_be_withdrawn_on_a_full_disk_is_taken_away),
		SCENE(a_wish_that_found_no_room_lets_no_other_take_its_place),
		SCENE(what_cannot_be_withdrawn_is_tried_again),
		SCENE(a_list_of_an_older_version_is_understood),
		SCENE(a_groups_wish_that_is_taken_back_withdraws_its_image),
		SCENE(of_two_wishes_for_one_file_one_has_it_over_restarts),
		SCENE(an_image_belongs_to_the_board_that_it_is_offered_for),
		SCENE(an_image_signed_anew_is_given_to_nobody_before_it_is_there),
		SCENE(a_name_with_other_bytes_is_given_to_nobody),
		SCENE(an_own_wish_leaves_the_image_to_the_group),
	};

	log_open("test", LOG_TARGET_STDERR, LOG_ERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
