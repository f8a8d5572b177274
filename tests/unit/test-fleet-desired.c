/* SPDX-License-Identifier: MIT */
/* test-fleet-desired.c - what the desired topics say, as it is kept: over restarts, and where a
 * process was killed. What becomes of it is test-fleet-wishes.c's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "fleet/desired.h"

#include "folder.h"

/* Bytes of a message. */
#define MOST 2000

static char group_a[] = "a", group_b[] = "b";
static char *const groups[] = {group_a, group_b};
static struct desired desired;
static int state_fd = -1;

static void restart(size_t n_groups)
{
	struct reason reason = {""};

	desired_done(&desired);
	desired.state = state_fd;
	desired.payload_most = MOST;
	if (desired_read(&desired, groups, n_groups, &reason) != 0)
		fail_msg("%s", reason.text);
}

static int set_up(void **state)
{
	text_copy(folder, sizeof(folder), "/tmp/plugflash-test-XXXXXX");
	if (folder_make(state) < 0)
		return -1;
	state_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state_fd < 0)
		return -1;
	restart(ARRAY_SIZE(groups));
	return 0;
}

static int tear_down(void **state)
{
	desired_done(&desired);
	close(take_fd(&state_fd));
	return folder_remove(state);
}

/* ------------------------------------------------------------------ what is sent, and what is so
 */

/* A good wish of that version. */
static const char *wish_of(const char *version)
{
	static char text[1024];

	snprintf(text, sizeof(text),
		"{\"board\":\"gate\",\"image\":\"gate-%s.hex\",\"version\":\"%s\","
		"\"sha256\":\"%064d\",\"size\":5,\"url\":\"https://images/%s\",\"manifest\":\"m\","
		"\"signature\":\"s\"}",
		version, version, 7, version);
	return text;
}

static int take(const char *group, const char *payload)
{
	struct reason reason;

	return desired_take(
		&desired, group ? group : "", "gate", payload, strlen(payload), &reason);
}

/* "": none is in force, or one that is not good. */
static const char *version_in_force(void)
{
	const struct desired_item *item =
		desired_find(&desired, groups, ARRAY_SIZE(groups), "gate");

	return item && item->is_good ? item->wish.version : "";
}

/* The name of the one file of a wish that is there; "": there is none. */
static const char *only_file(void)
{
	static char name[256];
	CLEANUP(closedirp) DIR *directory = opendir(folder);
	struct dirent *entry;

	name[0] = '\0';
	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		assert_string_equal(name, "");
		text_copy(name, sizeof(name), entry->d_name);
	}
	return name;
}

/* ------------------------------------------------------------------ scenes */

static void what_a_topic_said_is_known_after_a_restart(void **state)
{
	(void)state;
	assert_int_equal(take("a", wish_of("1.2")), DESIRED_CHANGED);
	assert_int_equal(take("a", wish_of("1.2")), DESIRED_SAME);
	restart(ARRAY_SIZE(groups));
	assert_string_equal(version_in_force(), "1.2");
	assert_int_equal(take("a", wish_of("1.2")), DESIRED_SAME);
	assert_int_equal(take("a", ""), DESIRED_CHANGED);
	assert_string_equal(only_file(), "");
	restart(ARRAY_SIZE(groups));
	assert_string_equal(version_in_force(), "");
}

static void a_group_that_is_none_any_more_is_forgotten(void **state)
{
	(void)state;
	assert_int_equal(take("a", wish_of("1.2")), DESIRED_CHANGED);
	assert_int_equal(take("b", wish_of("1.3")), DESIRED_CHANGED);
	restart(1);
	assert_int_equal(desired.n_items, 1);
	restart(ARRAY_SIZE(groups));
	assert_string_equal(version_in_force(), "1.2");
	assert_int_equal(desired.n_items, 1);
}

/*
 * Killed between the writing of the new file and its name: the topic says what it said before, and
 * once it is taken back nothing is left of it.
 */
static void a_file_that_was_not_given_its_name_is_no_wish(void **state)
{
	static const char *const lefts[] = {"whole", "cut off", "without a line", "empty"};
	char name[300], text[2048];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lefts); i++) {
		assert_int_equal(take("a", wish_of("1.2")), DESIRED_CHANGED);
		snprintf(name, sizeof(name), "%s.new", only_file());
		snprintf(text, sizeof(text), "a\ngate\n%s", wish_of("1.3"));
		text[i == 0 ? strlen(text) : i == 1 ? strlen(text) / 2 : i == 2 ? 1 : 0] = '\0';
		put_text(name, text);
		restart(ARRAY_SIZE(groups));
		assert_int_equal(desired.n_items, 1);
		assert_string_equal(version_in_force(), "1.2");
		name[strlen(name) - strlen(".new")] = '\0';
		assert_string_equal(only_file(), name);
		assert_int_equal(take("a", ""), DESIRED_CHANGED);
		assert_string_equal(version_in_force(), "");
		restart(ARRAY_SIZE(groups));
		assert_string_equal(version_in_force(), "");
	}
}

/* Whoever copies files about makes no second wish for a topic. */
static void a_file_under_another_name_is_no_wish(void **state)
{
	char text[2048];

	(void)state;
	snprintf(text, sizeof(text), "a\ngate\n%s", wish_of("1.3"));
	put_text("wish-0123456789abcdef0123456789abcdef", text);
	put_text("wish-", text);
	restart(ARRAY_SIZE(groups));
	assert_string_equal(version_in_force(), "");
	assert_string_equal(only_file(), "");
}

/* A folder in the place of a file, or nobody may read it: the others are read all the same. */
static void what_is_no_file_stops_nothing(void **state)
{
	char name[300];

	(void)state;
	assert_int_equal(take("a", wish_of("1.2")), DESIRED_CHANGED);
	text_copy(name, sizeof(name), only_file());
	make_directory("wish-folder");
	assert_int_equal(symlink(name, in_folder("wish-link")), 0);
	restart(ARRAY_SIZE(groups));
	assert_string_equal(version_in_force(), "1.2");
	assert_int_equal(access(in_folder("wish-link"), F_OK), -1);
}

/* It takes the place of the wish before, as one that cannot be understood does. */
static void one_that_is_too_large_is_refused(void **state)
{
	char payload[MOST + 2];

	(void)state;
	assert_int_equal(take("a", wish_of("1.2")), DESIRED_CHANGED);
	memset(payload, ' ', MOST + 1);
	payload[MOST + 1] = '\0';
	assert_int_equal(take("a", payload), DESIRED_CHANGED);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(take("a", payload), DESIRED_SAME);
		assert_int_equal(desired.n_items, 1);
		assert_false(desired.items[0].is_good);
		assert_string_equal(desired.items[0].fault.text,
			"it has more than 2000 bytes: set message-size higher, or publish a smaller one");
		restart(ARRAY_SIZE(groups));
	}
	/* As large as may be: it is read. */
	payload[MOST] = '\0';
	assert_int_equal(take("a", payload), DESIRED_CHANGED);
	assert_null(strstr(desired.items[0].fault.text, "bytes"));
	assert_int_equal(take("a", wish_of("1.2")), DESIRED_CHANGED);
	assert_string_equal(version_in_force(), "1.2");
}

/* A full disk: once there is room the same message is taken, and a restart knows it. */
static void what_could_not_be_kept_is_taken_again(void **state)
{
	char name[300];

	(void)state;
	assert_int_equal(take("a", wish_of("1.2")), DESIRED_CHANGED);
	snprintf(name, sizeof(name), "%s.new", only_file());
	make_directory(name);
	assert_int_equal(take("b", wish_of("1.1")), DESIRED_CHANGED);
	assert_true(take("a", wish_of("1.3")) < 0);
	assert_string_equal(version_in_force(), "1.3");
	assert_true(take("a", wish_of("1.3")) < 0);
	/* Neither the one before is desired, nor what another group says. */
	for (unsigned i = 0; i < 2; i++) {
		restart(ARRAY_SIZE(groups));
		assert_int_equal(desired.n_items, 2);
		assert_string_equal(version_in_force(), "");
	}
	assert_true(take("a", wish_of("1.3")) < 0);
	assert_int_equal(rmdir(in_folder(name)), 0);
	assert_int_equal(take("a", wish_of("1.3")), DESIRED_CHANGED);
	assert_int_equal(take("a", wish_of("1.3")), DESIRED_SAME);
	restart(ARRAY_SIZE(groups));
	assert_string_equal(version_in_force(), "1.3");
}

/* Topics that cannot be heard are no topics that were taken back. */
static void what_does_not_come_again_was_taken_back_unless_it_is_spared(void **state)
{
	(void)state;
	assert_int_equal(take(NULL, wish_of("1.1")), DESIRED_CHANGED);
	assert_int_equal(take("a", wish_of("1.2")), DESIRED_CHANGED);
	assert_int_equal(take("b", wish_of("1.3")), DESIRED_CHANGED);
	desired_begin(&desired);
	desired_spare(&desired, NULL);
	desired_spare(&desired, "b");
	assert_int_equal(desired_end(&desired), 0);
	assert_int_equal(desired.n_items, 2);
	assert_string_equal(version_in_force(), "1.1");
	/* The next connection decides anew. */
	desired_begin(&desired);
	assert_int_equal(take("b", wish_of("1.3")), DESIRED_SAME);
	assert_int_equal(desired_end(&desired), 0);
	assert_string_equal(version_in_force(), "1.3");
	restart(ARRAY_SIZE(groups));
	assert_int_equal(desired.n_items, 1);
}

#define SCENE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(what_a_topic_said_is_known_after_a_restart),
		SCENE(a_group_that_is_none_any_more_is_forgotten),
		SCENE(a_file_that_was_not_given_its_name_is_no_wish),
		SCENE(a_file_under_another_name_is_no_wish),
		SCENE(what_is_no_file_stops_nothing),
		SCENE(one_that_is_too_large_is_refused),
		SCENE(what_could_not_be_kept_is_taken_again),
		SCENE(what_does_not_come_again_was_taken_back_unless_it_is_spared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
