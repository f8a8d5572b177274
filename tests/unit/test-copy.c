/* SPDX-License-Identifier: MIT */
/* The half-copied file: the whole rule, as a table over times of files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "image/copy.h"

#define NOW (INT64_C(1700000000) * 1000000)

/* So that zero is a file that is not there. */
#define MADE 1

/* Ages in milliseconds, of its bytes and of its inode; negative: in the future. */
struct file {
	unsigned is_there;
	int written_ms, changed_ms;
	unsigned size;
};

static const struct {
	const char *name;
	struct file image, manifest, signature, manifest_signature;
	bool needs_signature, is_wrong, has_size, asks_no_times;
	uint32_t size;
	const char *why; /* NULL: it is whole */
	unsigned due_ms;
} rows[] = {
	{"old, and alone", .image = {MADE, 5000, 5000, 10}},
	{"written half a second ago", .image = {MADE, 500, 500, 10},
		.why = "'gate.hex' was written just now", .due_ms = 500},
	{"written a second ago, but a manifest may follow", .image = {MADE, 1000, 999, 10},
		.why = "'gate.hex.ini' may follow", .due_ms = 1},
	{"written a second ago", .image = {MADE, 1000, 1000, 10}},
	{"written just now, and given its time after that", .image = {MADE, 500, 400, 10},
		.manifest = {MADE, 9000, 9000, 10}},
	{"renamed into place just now, without a manifest", .image = {MADE, 9000, 100, 10},
		.why = "'gate.hex.ini' may follow", .due_ms = 900},
	{"renamed into place just now, beside its manifest", .image = {MADE, 9000, 100, 10},
		.manifest = {MADE, 9000, 9000, 10}},
	{"its manifest was written just now", .image = {MADE, 9000, 9000, 10},
		.manifest = {MADE, 300, 300, 10}, .why = "'gate.hex.ini' was written just now",
		.due_ms = 700},
	{"empty", .image = {MADE, 9000, 9000, 0}, .why = "'gate.hex' is empty yet",
		.due_ms = 51000},
	{"empty, and given its time after that", .image = {MADE, 9000, 8000, 0},
		.why = "'gate.hex' is empty yet", .due_ms = 51000},
	{"empty for a minute", .image = {MADE, 60000, 60000, 0}},
	{"no signature yet", .image = {MADE, 9000, 1500, 10}, .needs_signature = true,
		.why = "'gate.hex.minisig' may follow", .due_ms = 500},
	{"no signature of the manifest yet", .image = {MADE, 9000, 9000, 10},
		.manifest = {MADE, 9000, 1500, 10}, .signature = {MADE, 9000, 9000, 10},
		.needs_signature = true, .why = "'gate.hex.ini.minisig' may follow", .due_ms = 500},
	{"no signature for two seconds", .image = {MADE, 9000, 2000, 10}, .needs_signature = true},
	{"signed", .image = {MADE, 9000, 100, 10}, .manifest = {MADE, 9000, 100, 10},
		.manifest_signature = {MADE, 9000, 100, 10}, .needs_signature = true},
	{"wrong already: nothing that follows mends it", .image = {MADE, 9000, 100, 10},
		.is_wrong = true},
	{"wrong already, and written just now", .image = {MADE, 200, 200, 10}, .is_wrong = true,
		.why = "written just now", .due_ms = 800},
	{"shorter than its manifest says", .image = {MADE, 9000, 9000, 10},
		.manifest = {MADE, 9000, 9000, 10}, .has_size = true, .size = 11,
		.why = "it has 10 bytes, its manifest says 11"},
	{"longer than its manifest says", .image = {MADE, 9000, 9000, 12},
		.manifest = {MADE, 9000, 9000, 10}, .has_size = true, .size = 11,
		.why = "it has 12 bytes, its manifest says 11"},
	{"as long as its manifest says", .image = {MADE, 9000, 9000, 11},
		.manifest = {MADE, 9000, 9000, 10}, .has_size = true, .size = 11},
	/* The clock was set back, or another host has another clock. */
	{"written in the future", .image = {MADE, -100, -100, 10}},
	{"empty, of the future", .image = {MADE, -86400000, -86400000, 0}},
	{"times are not asked", .image = {MADE, 100, 100, 10}, .asks_no_times = true},
	{"times are not asked, the size is", .image = {MADE, 100, 100, 10},
		.manifest = {MADE, 100, 100, 10}, .asks_no_times = true, .has_size = true,
		.size = 9, .why = "its manifest says 9"},
};

static struct timespec time_of(int age_ms)
{
	int64_t usec = NOW - (int64_t)age_ms * 1000;

	return (struct timespec){.tv_sec = usec / 1000000, .tv_nsec = usec % 1000000 * 1000};
}

static void fill(struct library_file_status *to, const struct file *file)
{
	to->exists = file->is_there;
	to->status.st_size = file->size;
	to->status.st_mtim = time_of(file->written_ms);
	to->status.st_ctim = time_of(file->changed_ms);
}

static void put(struct library_files *files, size_t i, const struct file *file)
{
	struct library_file_status *to = &files->items[i];

	snprintf(to->name, sizeof(to->name), "gate.hex%s", library_file_suffix(i));
	fill(to, file);
}

static void a_file_is_whole_when_its_copy_has_rested(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct copy_rule rule = {
			.rest_usec = rows[i].asks_no_times ? 0 : COPY_REST_USEC,
			.needs_signature = rows[i].needs_signature,
			.is_wrong = rows[i].is_wrong,
			.has_size = rows[i].has_size,
			.size = rows[i].size,
		};
		struct library_files files = {};
		struct reason why = {""};
		uint64_t due = 0;
		enum copy_state state_of;

		put(&files, LIBRARY_FILE_IMAGE, &rows[i].image);
		put(&files, LIBRARY_FILE_MANIFEST, &rows[i].manifest);
		put(&files, LIBRARY_FILE_SIGNATURE, &rows[i].signature);
		put(&files, LIBRARY_FILE_MANIFEST_SIGNATURE, &rows[i].manifest_signature);
		state_of = copy_judge(&rule, &files, NOW, &due, &why);
		if (state_of != (rows[i].why ? COPY_AWAITED : COPY_WHOLE) ||
			(rows[i].why && !strstr(why.text, rows[i].why)) ||
			due != rows[i].due_ms * USEC_PER_MSEC)
			fail_msg("%s: got %d, '%s', due in %u us", rows[i].name, state_of, why.text,
				(unsigned)due);
	}
}

/* An image of two files more, beside which nothing else is but what the row says. */
static const struct {
	const char *name;
	struct file image, part, other, manifest;
	bool needs_signature, has_digest, is_wrong;
	uint32_t size;	 /* 0: its manifest does not say it */
	const char *why; /* NULL: it is whole */
	unsigned due_ms;
} part_rows[] = {
	{"old", .image = {MADE, 9000, 9000, 10}, .part = {MADE, 9000, 9000, 20},
		.other = {MADE, 9000, 9000, 30}},
	{"a part was written half a second ago", .image = {MADE, 9000, 9000, 10},
		.part = {MADE, 9000, 9000, 20}, .other = {MADE, 500, 500, 30},
		.why = "'app.bin' was written just now", .due_ms = 500},
	{"a part was written two seconds ago", .image = {MADE, 9000, 9000, 10},
		.part = {MADE, 2000, 2000, 20}, .other = {MADE, 9000, 9000, 30}},
	{"a part came by a rename", .image = {MADE, 9000, 9000, 10}, .part = {MADE, 9000, 300, 20},
		.other = {MADE, 9000, 9000, 30}, .why = "others of the same build may follow",
		.due_ms = 1700},
	{"the image itself came by a rename", .image = {MADE, 9000, 300, 10},
		.part = {MADE, 9000, 9000, 20}, .other = {MADE, 9000, 9000, 30},
		.why = "others of the same build may follow", .due_ms = 1700},
	{"a part came, and a manifest says which bytes they are", .image = {MADE, 9000, 9000, 10},
		.part = {MADE, 9000, 300, 20}, .other = {MADE, 9000, 9000, 30},
		.manifest = {MADE, 9000, 9000, 5}, .has_digest = true},
	{"a part is written, whatever a manifest says", .image = {MADE, 9000, 9000, 10},
		.part = {MADE, 300, 300, 20}, .other = {MADE, 9000, 9000, 30},
		.manifest = {MADE, 9000, 9000, 5}, .has_digest = true,
		.why = "'boot/boot.bin' was written just now", .due_ms = 700},
	{"a part is empty", .image = {MADE, 9000, 9000, 10}, .part = {MADE, 9000, 9000, 0},
		.other = {MADE, 9000, 9000, 30}, .why = "'boot/boot.bin' is empty yet",
		.due_ms = 51000},
	{"a part is not there, lately", .image = {MADE, 9000, 9000, 10},
		.other = {MADE, 9000, 3000, 30}, .why = "its part 'boot/boot.bin' is not there yet",
		.due_ms = 2000},
	{"a part is not there, and nothing came for five seconds", .image = {MADE, 9000, 9000, 10},
		.other = {MADE, 9000, 5000, 30}},
	{"a part is not there, and a manifest has a size", .image = {MADE, 9000, 9000, 10},
		.other = {MADE, 9000, 9000, 30}, .manifest = {MADE, 9000, 9000, 5}, .size = 60},
	{"wrong already", .image = {MADE, 9000, 100, 10}, .part = {MADE, 9000, 100, 20},
		.is_wrong = true},
	{"as long as its manifest says", .image = {MADE, 9000, 9000, 10},
		.part = {MADE, 9000, 9000, 20}, .other = {MADE, 9000, 9000, 30},
		.manifest = {MADE, 9000, 9000, 5}, .size = 60},
	{"a part of another size than its manifest says", .image = {MADE, 9000, 9000, 10},
		.part = {MADE, 9000, 9000, 20}, .other = {MADE, 9000, 9000, 29},
		.manifest = {MADE, 9000, 9000, 5}, .size = 60,
		.why = "it has 59 bytes with its parts, its manifest says 60"},
	/* Over the file that names them none is waited for: that would say nothing of them. */
	{"no signature yet", .image = {MADE, 9000, 9000, 10}, .part = {MADE, 9000, 1500, 20},
		.other = {MADE, 9000, 9000, 30}, .needs_signature = true, .has_digest = true,
		.why = "'gate.hex.ini.minisig' may follow", .due_ms = 500},
};

static void an_image_of_several_files_is_whole_when_all_have_rested(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(part_rows); i++) {
		const struct copy_rule rule = {
			.rest_usec = COPY_REST_USEC,
			.needs_signature = part_rows[i].needs_signature,
			.is_wrong = part_rows[i].is_wrong,
			.has_size = part_rows[i].size > 0,
			.size = part_rows[i].size,
			.has_digest = part_rows[i].has_digest,
		};
		struct library_file_status parts[] = {
			{.name = "boot/boot.bin"}, {.name = "app.bin"}};
		struct library_files files = {
			.has_parts = true, .parts = parts, .n_parts = ARRAY_SIZE(parts)};
		struct reason why = {""};
		uint64_t due = 0;
		enum copy_state state_of;

		put(&files, LIBRARY_FILE_IMAGE, &part_rows[i].image);
		put(&files, LIBRARY_FILE_MANIFEST, &part_rows[i].manifest);
		put(&files, LIBRARY_FILE_SIGNATURE, &(struct file){0});
		put(&files, LIBRARY_FILE_MANIFEST_SIGNATURE, &(struct file){0});
		fill(&parts[0], &part_rows[i].part);
		fill(&parts[1], &part_rows[i].other);
		state_of = copy_judge(&rule, &files, NOW, &due, &why);
		if (state_of != (part_rows[i].why ? COPY_AWAITED : COPY_WHOLE) ||
			(part_rows[i].why && !strstr(why.text, part_rows[i].why)) ||
			due != part_rows[i].due_ms * USEC_PER_MSEC)
			fail_msg("%s: got %d, '%s', due in %u us", part_rows[i].name, state_of,
				why.text, (unsigned)due);
	}
}

static void the_rest_of_a_copy_may_follow_for_five_seconds(void **state)
{
	static const struct {
		int changed_ms;
		bool may;
	} ages[] = {{0, true}, {4999, true}, {5000, false}, {-1, false}};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(ages); i++) {
		const struct file old = {MADE, 9000, 9000, 10},
				  file = {MADE, 9000, ages[i].changed_ms, 10};
		struct library_files files = {};

		put(&files, LIBRARY_FILE_IMAGE, &old);
		put(&files, LIBRARY_FILE_SIGNATURE, &file);
		assert_int_equal(copy_may_go_on(&files, NOW), ages[i].may);
	}
}

static void names_of_unfinished_files_are_known(void **state)
{
	static const char *const unfinished[] = {".gate.hex.Xa3", "gate.hex.part", "gate.hex.tmp",
		"gate.hex~", ".part", "~"},
				 *const others[] = {"gate.hex", "gate.part.hex", "part", "tmp",
					 "gate.hex.parts", ""};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(unfinished); i++)
		assert_true(copy_name_is_unfinished(unfinished[i]));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(copy_name_is_unfinished(others[i]));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_whole_when_its_copy_has_rested),
		cmocka_unit_test(an_image_of_several_files_is_whole_when_all_have_rested),
		cmocka_unit_test(the_rest_of_a_copy_may_follow_for_five_seconds),
		cmocka_unit_test(names_of_unfinished_files_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
