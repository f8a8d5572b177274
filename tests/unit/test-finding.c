/* SPDX-License-Identifier: MIT */
/* Findings as text: what is written is read, and any other text is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "flash/finding.h"

static char folders[200];

static void on_folder(void *userdata, const char *path)
{
	size_t n = strlen(folders);

	(void)userdata;
	snprintf(folders + n, sizeof(folders) - n, "%s;", path);
}

/* The text is a literal of the test; a copy of it is read. */
static int read_text(const char *text, struct finding *ret)
{
	CLEANUP(freep) char *copy = strdup(text);
	char *at = copy;

	assert_non_null(copy);
	folders[0] = '\0';
	return finding_read(&at, ret, on_folder, NULL);
}

static void findings_are_read_as_they_were_written(void **state)
{
	char *parts[] = {(char *)"a b/boot/boot.bin", (char *)"a b/gate.bin", NULL};
	const struct finding chosen = {
		.result = LIBRARY_AWAITED,
		.choice = {.name = (char *)"a b/gate 1.hex",
			.version = (char *)"",
			.requires = (char *)"1.0",
			.has_address = true,
			.parts = parts,
			.stamp = (char *)"gate 1.hex 0:1:2",
			.due_usec = 1234567,
			.span = {1000, 5000, true, 1796000000}},
		.reason = {"image 'a b/gate 1.hex': is empty yet"},
	};
	const struct finding failed = {.result = -EIO, .reason = {"Input/output error"}};
	CLEANUP(finding_done) struct finding first = {0}, second = {0}, third = {0};
	CLEANUP(freep) char *text = NULL;
	size_t n_text = 0;
	FILE *to = open_memstream(&text, &n_text);
	char *at;
	(void)state;

	assert_non_null(to);
	fputs("folder \nfolder a b\n", to);
	assert_int_equal(finding_write(&chosen, to), 0);
	assert_int_equal(finding_write(&failed, to), 0);
	assert_int_equal(fclose(to), 0);
	at = text;
	folders[0] = '\0';
	assert_int_equal(finding_read(&at, &first, on_folder, NULL), 0);
	assert_string_equal(folders, ";a b;");
	assert_int_equal(first.result, LIBRARY_AWAITED);
	assert_string_equal(first.choice.name, chosen.choice.name);
	assert_string_equal(first.choice.version, "");
	assert_string_equal(first.choice.requires, "1.0");
	assert_true(first.choice.has_address);
	assert_string_equal(first.choice.stamp, chosen.choice.stamp);
	assert_int_equal(first.choice.due_usec, 1234567);
	assert_int_equal(first.choice.span.from, 1000);
	assert_int_equal(first.choice.span.below, 5000);
	assert_true(first.choice.span.is_of_held);
	assert_int_equal(first.choice.span.until_s, 1796000000);
	assert_string_equal(first.choice.parts[0], parts[0]);
	assert_string_equal(first.choice.parts[1], parts[1]);
	assert_null(first.choice.parts[2]);
	assert_string_equal(first.reason.text, chosen.reason.text);
	assert_int_equal(finding_read(&at, &second, on_folder, NULL), 0);
	assert_int_equal(second.result, -EIO);
	assert_null(second.choice.name);
	assert_int_equal(finding_read(&at, &third, on_folder, NULL), -EBADMSG);
}

static void a_name_with_a_line_break_is_not_written(void **state)
{
	const struct finding finding = {.choice.name = (char *)"gate\nresult 0"};
	CLEANUP(fclosep) FILE *to = fopen("/dev/null", "we");
	(void)state;

	assert_int_equal(finding_write(&finding, to), -EINVAL);
}

static void any_other_text_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		"result 0",
		"result 0\n", /* nothing was found, and that is good? */
		"name a\nstamp b\nresult 0\n",
		"name a\nversion 1\nresult 3\n",
		"stamp b\nresult 2\n",
		"stamp b\nresult -5\n",
		"result 4\n",
		"result -5000\n",
		"result 99999999999999999999\n",
		"result x\n",
		"result 1x\n",
		"due -1\nresult 1\n",
		"share-from -1\nresult 1\n",
		"share-below 10001\nresult 1\n",
		"until -1\nresult 1\n",
		"until 100000000001\nresult 1\n",
		"hello\n",
		"name a\033b\nresult 1\n",
		"name a\xff\nresult 1\n",
		"hello world\n",
		"folder\nresult 1\n",
		"name a\nversion 1\nstamp b\n",
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		CLEANUP(finding_done) struct finding finding = {0};

		if (read_text(texts[i], &finding) != -EBADMSG)
			fail_msg("taken: '%s'", texts[i]);
	}
}

/* No image has more: it is no answer of the worker program. */
static void more_parts_than_an_image_has_are_refused(void **state)
{
	char text[1024] = "", *at = text;
	(void)state;

	for (unsigned n = 1; n <= FLASHER_ARGS_MAX_PARTS + 1; n++) {
		CLEANUP(finding_done) struct finding finding = {0};

		at += sprintf(at, "part %u.bin\n", n);
		strcpy(at, "name a\nversion 1\nstamp b\nresult 0\n");
		assert_int_equal(
			read_text(text, &finding), n <= FLASHER_ARGS_MAX_PARTS ? 0 : -EBADMSG);
	}
}

/* What is wrong with one rule's finding does not keep the others from theirs. */
static void the_finding_after_a_bad_one_is_read(void **state)
{
	CLEANUP(freep) char *text = strdup("name a\nhello\nresult 0\nreason none\nresult 1\n");
	CLEANUP(finding_done) struct finding bad = {0}, good = {0};
	char *at = text;
	(void)state;

	assert_non_null(text);
	assert_int_equal(finding_read(&at, &bad, on_folder, NULL), -EBADMSG);
	assert_int_equal(finding_read(&at, &good, on_folder, NULL), 0);
	assert_int_equal(good.result, LIBRARY_NONE);
	assert_string_equal(good.reason.text, "none");
}

static void a_line_without_end_is_refused(void **state)
{
	CLEANUP(finding_done) struct finding finding = {0};
	CLEANUP(freep) char *text = NULL;
	(void)state;

	assert_true(asprintf(&text, "name %09000d\nresult 1\n", 0) > 0);
	assert_int_equal(read_text(text, &finding), -EBADMSG);
}

static void count_folder(void *userdata, const char *path)
{
	(void)path;
	++*(unsigned *)userdata;
}

/* Each folder is compared with those that are watched, in the event loop. */
static void an_answer_without_end_names_no_more_folders_than_are_watched(void **state)
{
	CLEANUP(finding_done) struct finding finding = {0};
	CLEANUP(freep) char *text = NULL;
	size_t n_text = 0;
	unsigned n_folders = 0;
	FILE *to = open_memstream(&text, &n_text);
	char *at;
	(void)state;

	assert_non_null(to);
	for (unsigned i = 0; i < 100000; i++)
		fprintf(to, "folder %u\n", i);
	fputs("reason none\nresult 1\n", to);
	assert_int_equal(fclose(to), 0);
	at = text;
	assert_int_equal(finding_read(&at, &finding, count_folder, &n_folders), -EBADMSG);
	assert_int_equal(n_folders, FINDING_FOLDERS_MAX);
	assert_int_equal(*at, '\0');
}

static void a_key_that_comes_twice_counts_as_it_came_last(void **state)
{
	CLEANUP(finding_done) struct finding finding = {0};
	(void)state;

	assert_int_equal(read_text("name a\nname b\nversion 1\nstamp c\nresult 0\n", &finding), 0);
	assert_string_equal(finding.choice.name, "b");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(findings_are_read_as_they_were_written),
		cmocka_unit_test(a_name_with_a_line_break_is_not_written),
		cmocka_unit_test(any_other_text_is_refused),
		cmocka_unit_test(more_parts_than_an_image_has_are_refused),
		cmocka_unit_test(the_finding_after_a_bad_one_is_read),
		cmocka_unit_test(a_line_without_end_is_refused),
		cmocka_unit_test(an_answer_without_end_names_no_more_folders_than_are_watched),
		cmocka_unit_test(a_key_that_comes_twice_counts_as_it_came_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
