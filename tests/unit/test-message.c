/* SPDX-License-Identifier: MIT */
/* test-message.c - named values through messages of the bus, and messages that nobody wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "api/message.h"
#include "base/text.h"
#include "base/util.h"

struct fixture {
	sd_bus *bus; /* nobody is at its other end: messages are sealed and read here */
	int other;
	sd_bus_message *message;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(sd_bus_new(&fixture->bus), 0);
	assert_true(sd_bus_set_fd(fixture->bus, ends[0], ends[0]) >= 0);
	assert_true(sd_bus_start(fixture->bus) >= 0);
	fixture->other = ends[1];
	assert_true(
		sd_bus_message_new_signal(fixture->bus, &fixture->message, "/a", "a.b", "c") >= 0);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	sd_bus_message_unref(fixture->message);
	sd_bus_close(fixture->bus);
	sd_bus_unref(fixture->bus);
	close(fixture->other);
	free(fixture);
	return 0;
}

static void seal(struct fixture *fixture)
{
	assert_true(sd_bus_message_seal(fixture->message, 1, 0) >= 0);
	assert_true(sd_bus_message_rewind(fixture->message, 1) >= 0);
}

static void every_kind_comes_back(void **state)
{
	struct fixture *fixture = *state;
	CLEANUP(dict_done) struct dict dict = {0}, counts = {0}, back = {0}, empty = {0};

	assert_int_equal(dict_set_long(&counts, "updated", UINT64_MAX), 0);
	assert_int_equal(dict_set_text(&dict, "Port", "/dev/ttyUSB0"), 0);
	assert_int_equal(dict_set_text(&dict, "Product", "Brücke"), 0);
	assert_int_equal(dict_set_flag(&dict, "ConfigStale", true), 0);
	assert_int_equal(dict_set_number(&dict, "Rules", UINT32_MAX), 0);
	assert_int_equal(dict_set_long(&dict, "Since", UINT64_MAX), 0);
	assert_int_equal(dict_set_share(&dict, "Progress", 0.5), 0);
	assert_int_equal(dict_set_counts(&dict, "Counters", &counts), 0);
	assert_int_equal(message_append_dict(fixture->message, &dict), 0);
	assert_int_equal(message_append_dict(fixture->message, NULL), 0);
	assert_int_equal(message_append_counts(fixture->message, &counts), 0);
	assert_string_equal(sd_bus_message_get_signature(fixture->message, 1), "a{sv}a{sv}a{st}");
	seal(fixture);

	assert_int_equal(message_read_dict(fixture->message, &back), 0);
	assert_true(dict_is_same(&dict, &back));
	assert_int_equal(message_read_dict(fixture->message, &empty), 0);
	assert_int_equal(empty.n_entries, 0);
	assert_int_equal(message_read_counts(fixture->message, &empty), 0);
	assert_true(dict_is_same(&counts, &empty));
	assert_true(sd_bus_message_at_end(fixture->message, 1));
}

/* The bus ends the connection of whoever sends it bytes that are not UTF-8. */
static void bytes_that_are_no_text_are_escaped(void **state)
{
	struct fixture *fixture = *state;
	CLEANUP(dict_done) struct dict dict = {0}, back = {0};

	assert_int_equal(dict_set_text(&dict, "Serial", "A\xff\\\xc3"), 0);
	assert_int_equal(message_append_dict(fixture->message, &dict), 0);
	seal(fixture);
	assert_int_equal(message_read_dict(fixture->message, &back), 0);
	assert_string_equal(dict_text(&back, "Serial"), "A\\xff\\x5c\\xc3");
}

static void values_of_other_kinds_keep_their_names(void **state)
{
	struct fixture *fixture = *state;
	CLEANUP(dict_done) struct dict back = {0}, again = {0};

	assert_true(sd_bus_message_append(fixture->message, "a{sv}", 3, "list", "as", 2, "a", "b",
			    "bytes", "ay", 2, 1, 2, "after", "u", 7) >= 0);
	seal(fixture);
	assert_int_equal(message_read_dict(fixture->message, &back), 0);
	assert_int_equal(back.n_entries, 3);
	assert_int_equal(dict_find(&back, "list")->kind, DICT_OTHER);
	assert_int_equal(dict_find(&back, "bytes")->kind, DICT_OTHER);
	assert_int_equal(dict_number(&back, "after"), 7);
	assert_int_equal(dict_copy(&back, &again), 0);
	assert_true(dict_is_same(&back, &again));
}

/* Bindings of other languages send a number as what their own integers are. */
static void numbers_of_other_sizes_are_taken(void **state)
{
	struct fixture *fixture = *state;
	CLEANUP(dict_done) struct dict back = {0};

	assert_true(
		sd_bus_message_append(fixture->message, "a{sv}", 9, "y", "y", 1, "n", "n", 2, "q",
			"q", 3, "i", "i", 4, "x", "x", INT64_C(5), "negative", "i", -1, "very", "x",
			INT64_C(-1), "short", "n", -1, "o", "o", "/org/plugflash1") >= 0);
	seal(fixture);
	assert_int_equal(message_read_dict(fixture->message, &back), 0);
	assert_int_equal(dict_number(&back, "y"), 1);
	assert_int_equal(dict_number(&back, "n"), 2);
	assert_int_equal(dict_number(&back, "q"), 3);
	assert_int_equal(dict_number(&back, "i"), 4);
	assert_int_equal(dict_long(&back, "x"), 5);
	assert_int_equal(dict_find(&back, "negative")->kind, DICT_OTHER);
	assert_int_equal(dict_find(&back, "very")->kind, DICT_OTHER);
	assert_int_equal(dict_find(&back, "short")->kind, DICT_OTHER);
	assert_string_equal(dict_text(&back, "o"), "/org/plugflash1");
}

static void a_name_that_comes_twice_is_one(void **state)
{
	struct fixture *fixture = *state;
	CLEANUP(dict_done) struct dict back = {0};

	assert_true(sd_bus_message_append(
			    fixture->message, "a{sv}", 2, "a", "s", "one", "a", "u", 2) >= 0);
	seal(fixture);
	assert_int_equal(message_read_dict(fixture->message, &back), 0);
	assert_int_equal(back.n_entries, 1);
	assert_int_equal(dict_number(&back, "a"), 2);
}

static void too_many_names_are_refused(void **state)
{
	struct fixture *fixture = *state;
	struct dict back = {0};
	char name[16];

	assert_true(sd_bus_message_open_container(fixture->message, 'a', "{sv}") >= 0);
	for (unsigned i = 0; i <= DICT_ENTRIES_MOST; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		assert_true(sd_bus_message_append(fixture->message, "{sv}", name, "u", i) >= 0);
	}
	assert_true(sd_bus_message_close_container(fixture->message) >= 0);
	seal(fixture);
	assert_int_equal(message_read_dict(fixture->message, &back), -E2BIG);
	assert_int_equal(back.n_entries, 0);
}

static void a_text_that_is_too_long_is_not_taken(void **state)
{
	struct fixture *fixture = *state;
	CLEANUP(dict_done) struct dict back = {0};
	CLEANUP(freep) char *text = calloc(1, DICT_TEXT_MOST + 2);

	memset(text, 'a', DICT_TEXT_MOST + 1);
	assert_true(sd_bus_message_append(fixture->message, "a{sv}", 2, "over", "s", text, "most",
			    "s", text + 1) >= 0);
	seal(fixture);
	assert_int_equal(message_read_dict(fixture->message, &back), 0);
	assert_int_equal(dict_find(&back, "over")->kind, DICT_OTHER);
	assert_int_equal(strlen(dict_text(&back, "most")), DICT_TEXT_MOST);
}

static void something_else_is_no_dict(void **state)
{
	struct fixture *fixture = *state;
	struct dict back = {0};

	assert_true(sd_bus_message_append(fixture->message, "s", "text") >= 0);
	seal(fixture);
	assert_true(message_read_dict(fixture->message, &back) < 0);
	assert_true(message_read_counts(fixture->message, &back) < 0);
	assert_int_equal(back.n_entries, 0);
}

static void a_message_that_ends_is_no_dict(void **state)
{
	struct fixture *fixture = *state;
	struct dict back = {0};

	seal(fixture);
	assert_true(message_read_dict(fixture->message, &back) < 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(every_kind_comes_back),
		TEST(bytes_that_are_no_text_are_escaped),
		TEST(values_of_other_kinds_keep_their_names),
		TEST(numbers_of_other_sizes_are_taken),
		TEST(a_name_that_comes_twice_is_one),
		TEST(too_many_names_are_refused),
		TEST(a_text_that_is_too_long_is_not_taken),
		TEST(something_else_is_no_dict),
		TEST(a_message_that_ends_is_no_dict),
	};

	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
