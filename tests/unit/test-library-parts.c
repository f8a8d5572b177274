/* SPDX-License-Identifier: MIT */
/*
 * The image directory: ESP-IDF's build output, which is one image of several files. One digest, one
 * manifest, one signature; none of its files from outside, from somebody else, or half copied.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdbool.h>
#include <time.h>

#include "base/parse.h"
#include "image/copy.h"
#include "unit/image-directory.h"
#include "unit/virtual-clock.h"

#define BOOT  "bootloader/bootloader.bin"
#define TABLE "partition_table/partition-table.bin"
#define JSON                                                                          \
	"{\"flash_files\" : {\"0x10000\" : \"gate.bin\", \"0x1000\" : \"" BOOT "\", " \
	"\"0x8000\" : \"" TABLE "\"}, \"extra_esptool_args\" : {\"chip\" : \"esp32\"}}\n"

/* As the manual page has it, by another program. */
static void sum_of(const char *folder, char ret[DIGEST_HEX_SIZE])
{
	char command[1024];
	FILE *from;

	snprintf(command, sizeof(command),
		"cd %s/%s && sha256sum flasher_args.json " BOOT " " TABLE
		" gate.bin | cut -d' ' -f1 | sha256sum",
		images, folder);
	from = popen(command, "r");
	assert_non_null(from);
	assert_int_equal(fread(ret, 1, DIGEST_HEX_SIZE - 1, from), DIGEST_HEX_SIZE - 1);
	ret[DIGEST_HEX_SIZE - 1] = '\0';
	pclose(from);
}

static void put_in(const char *folder, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	put(path, text);
}

static void put_build(const char *folder)
{
	put_in(folder, "flasher_args.json", JSON);
	put_in(folder, BOOT, "boot");
	put_in(folder, TABLE, "table");
	put_in(folder, "gate.bin", "application");
}

static int ask(
	const struct library_query *query, struct library_choice *choice, struct reason *reason)
{
	library_choice_done(choice);
	return library_choose(query, choice, reason);
}

/* ------------------------------------------------------------------ one image */

static void a_build_is_one_image_with_one_digest(void **state)
{
	struct library_choice choice = {};
	struct library_item item = {};
	struct library_file file = {};
	struct reason reason = {};
	char expected[DIGEST_HEX_SIZE];
	(void)state;

	put_build("gate-1.2.0");
	put_build("gate-1.10.0");
	put_in("gate-1.10.0", "gate.bin", "another");
	assert_int_equal(choose("gate-*/flasher_args.json", &choice, &reason), LIBRARY_OK);
	assert_string_equal(choice.name, "gate-1.10.0/flasher_args.json");
	assert_string_equal(choice.version, "1.10.0");
	assert_string_equal(choice.parts[0], "gate-1.10.0/" BOOT);
	assert_string_equal(choice.parts[1], "gate-1.10.0/" TABLE);
	assert_string_equal(choice.parts[2], "gate-1.10.0/gate.bin");
	assert_null(choice.parts[3]);

	assert_int_equal(load(choice.name, &item, &reason), LIBRARY_OK);
	sum_of("gate-1.10.0", expected);
	assert_string_equal(item.sha256, expected);
	assert_string_equal(item.version, "1.10.0");
	assert_int_equal(item.n_data, strlen(JSON "boottableanother"));
	assert_memory_equal(item.data, JSON "boottableanother", item.n_data);
	assert_int_equal(item.args.n_parts, 3);
	assert_int_equal(item.args.parts[0].size, 4);
	assert_int_equal(item.args.parts[1].size, 5);
	assert_int_equal(item.args.parts[2].size, 7);
	library_item_done(&item);

	/* The same for a person who names the file, and for a search by the digest. */
	assert_int_equal(
		library_read(images, "gate-1.10.0/flasher_args.json", 1000, &file, &reason), 0);
	assert_string_equal(file.sha256, expected);
	assert_int_equal(file.args.n_parts, 3);
	library_file_done(&file);
	library_choice_done(&choice);
}

static void an_older_build_is_found_by_its_digest(void **state)
{
	const struct library_query query = {
		.directory = images, .glob = "gate-*/flasher_args.json", .board = "gate"};
	struct library_item item = {};
	struct reason reason = {};
	char expected[DIGEST_HEX_SIZE], *name = NULL;
	(void)state;

	put_build("gate-1.2.0");
	put_build("gate-1.3.0");
	put_in("gate-1.3.0", BOOT, "tuub");
	sum_of("gate-1.2.0", expected);
	assert_int_equal(library_load_digest(&query, "gate-1.3.0/flasher_args.json", expected, 1000,
				 &item, &name, &reason),
		LIBRARY_OK);
	assert_string_equal(name, "gate-1.2.0/flasher_args.json");
	assert_string_equal(item.sha256, expected);
	library_item_done(&item);
	free(name);
	/* One byte of one part, and it is another image. */
	put_in("gate-1.2.0", TABLE, "tablE");
	assert_int_equal(library_load_digest(&query, "gate-1.3.0/flasher_args.json", expected, 1000,
				 &item, &name, &reason),
		LIBRARY_NONE);
}

static void json_files_are_taken_where_the_glob_says_so(void **state)
{
	static const struct {
		const char *glob, *expected; /* NULL: none */
	} rows[] = {
		{"gate-1.0/*", NULL},
		{"gate-1.0/*.bin", "gate-1.0/gate.bin"},
		{"gate-1.0/*.json", "gate-1.0/flasher_args.json"},
		{"gate-1.0/flasher_args.json", "gate-1.0/flasher_args.json"},
		{"*/flasher_args.json", "gate-1.0/flasher_args.json"},
		{"*.json", "door-3.0.json"},
	};
	struct library_choice choice = {};
	struct reason reason = {};
	(void)state;

	put("door-1.0.json", "{\"flash_files\" : {\"0x0\" : \"a.bin\"}}");
	assert_int_equal(choose("door-*", &choice, &reason), LIBRARY_NONE);
	assert_non_null(strstr(reason.text,
		": 'door-1.0.json' there is taken where the glob ends in .json alone"));
	put_build("gate-1.0");
	put("door-2.0.json", "{\"flash_files\" : {\"0x0\" : \"gate-1.0/gate.bin\"}}");
	put("door-3.0.json", "{\"flash_files\" : {\"0x0\" : \"gate-1.0/gate.bin\"}}");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *name;

		library_choice_done(&choice);
		(void)choose(rows[i].glob, &choice, &reason);
		name = choice.name && strstr(choice.name, ".json") ? choice.name : NULL;
		if (!rows[i].expected || !strstr(rows[i].expected, ".json"))
			assert_null(name);
		else
			assert_string_equal(name, rows[i].expected);
	}
	library_choice_done(&choice);
}

static void an_image_is_another_when_any_of_its_parts_is(void **state)
{
	static const char *const changes[] = {"flasher_args.json", BOOT, TABLE, "gate.bin"};
	const struct library_query query = {.directory = images, .glob = "a/flasher_args.json"};
	struct library_choice choice = {};
	struct reason reason = {};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		CLEANUP(freep) char *before = NULL;
		struct library_query loading = query;
		struct library_item item = {};

		put_build("a");
		assert_int_equal(ask(&query, &choice, &reason), LIBRARY_OK);
		before = strdup(choice.stamp);
		loading.stamp = before;
		assert_int_equal(library_load(&loading, choice.name, 1000, &item, &reason), 0);
		library_item_done(&item);
		/* The same bytes and the same length: another file all the same. */
		put_in("a", "new", strcmp(changes[i], "flasher_args.json") == 0 ? JSON : "newer");
		{
			char from[256], to[256], name[64];

			snprintf(name, sizeof(name), "a/%s", changes[i]);
			assert_int_equal(rename(path_of("a/new", from), path_of(name, to)), 0);
		}
		assert_int_equal(ask(&query, &choice, &reason), LIBRARY_OK);
		assert_string_not_equal(choice.stamp, before);
		assert_int_equal(
			library_load(&loading, choice.name, 1000, &item, &reason), -ESTALE);
	}
	library_choice_done(&choice);
}

static void image_and_parts_together_have_one_bound(void **state)
{
	const struct library_query query = {.directory = images};
	struct library_item item = {};
	struct reason reason = {};
	size_t n = strlen(JSON "boottableapplication");
	(void)state;

	put_build("a");
	assert_int_equal(library_load(&query, "a/flasher_args.json", n, &item, &reason), 0);
	library_item_done(&item);
	assert_int_equal(library_load(&query, "a/flasher_args.json", n - 1, &item, &reason),
		LIBRARY_REFUSED);
	assert_string_equal(reason.text,
		"image 'a/flasher_args.json': its part 'gate.bin': the file has 11 bytes, at most 10 can be right");
}

/* ------------------------------------------------------------------ what is refused */

/* Spoils a build that is good. */
static void remove_part(void)
{
	char path[256];

	assert_int_equal(unlink(path_of("a/" TABLE, path)), 0);
}

static void empty_part(void)
{
	put("a/" TABLE, "");
}

static void replace_by(const char *target)
{
	remove_part();
	link_to(target, "a/" TABLE);
}

static void link_part_outside(void)
{
	replace_by("../../../secret");
}

static void link_part_inside(void)
{
	put("a/other.bin", "table");
	replace_by("../other.bin");
}

static void link_folder_outside(void)
{
	char path[256];

	remove_part();
	assert_int_equal(rmdir(path_of("a/partition_table", path)), 0);
	put("../elsewhere/partition-table.bin", "table");
	link_to("../../elsewhere", "a/partition_table");
}

/* Within the image directory, and not below the folder of the image. */
static void link_folder_beside(void)
{
	char path[256];

	remove_part();
	assert_int_equal(rmdir(path_of("a/partition_table", path)), 0);
	put("b/partition-table.bin", "table");
	link_to("../b", "a/partition_table");
}

static void part_is_a_folder(void)
{
	char path[256];

	remove_part();
	assert_int_equal(mkdir(path_of("a/" TABLE, path), 0755), 0);
}

static void part_is_a_pipe(void)
{
	char path[256];

	remove_part();
	assert_int_equal(mkfifo(path_of("a/" TABLE, path), 0644), 0);
}

static void all_may_write_part(void)
{
	char path[256];

	assert_int_equal(chmod(path_of("a/" TABLE, path), 0666), 0);
}

static void all_may_write_folder(void)
{
	char path[256];

	assert_int_equal(chmod(path_of("a/partition_table", path), 0777), 0);
}

static void json_leads_outside(void)
{
	put("a/flasher_args.json", "{\"flash_files\" : {\"0x0\" : \"../../secret\"}}");
}

static void json_is_long(void)
{
	static char text[FLASHER_ARGS_MAX_BYTES + 2];

	memset(text, ' ', sizeof(text) - 1);
	memcpy(text, JSON, strlen(JSON));
	put("a/flasher_args.json", text);
}

static const struct {
	const char *name;
	void (*spoil)(void);
	const char *chosen, *loaded; /* NULL: it is found when it is loaded */
} spoilt[] = {
	{"a part that is not there", remove_part,
		"image 'a/flasher_args.json': its part '" TABLE "' is not there: copy all files",
		"its part '" TABLE "': No such file"},
	{"an empty part", empty_part, NULL, "its part '" TABLE "': the file is empty"},
	{"a link out of the directory", link_part_outside, "its part '" TABLE "': a symbolic link",
		"a symbolic link"},
	{"a link that stays inside", link_part_inside, "its part '" TABLE "': a symbolic link",
		"a symbolic link"},
	{"a folder that leads out of the directory", link_folder_outside,
		"the part '" TABLE "' lies behind a symbolic link that leads out",
		"behind a symbolic link that leads out"},
	{"a folder that leads beside that of the image", link_folder_beside,
		"the part '" TABLE "' lies behind a symbolic link that leads out",
		"behind a symbolic link that leads out"},
	{"a folder in place of a part", part_is_a_folder,
		"its part '" TABLE "': not a regular file", "not a regular file"},
	{"a pipe in place of a part", part_is_a_pipe, "its part '" TABLE "': not a regular file",
		"not a regular file"},
	{"fault 33: a part that all may write", all_may_write_part,
		"its part '" TABLE "': the file can be written by others",
		"its part '" TABLE "': the file can be written by others"},
	{"fault 33: a folder that all may write", all_may_write_folder,
		"partition_table': the folder can be written by others",
		"partition_table': the folder can be written by others"},
	{"a name that leads outside", json_leads_outside,
		"the part '../../secret' is not beside or below it",
		"the part '../../secret' is not beside or below it"},
	{"a text that is too long", json_is_long, NULL, "at most 65536 can be right"},
};

static void a_build_that_is_not_whole_and_safe_is_refused(void **state)
{
	const struct library_query query = {.directory = images, .glob = "a/flasher_args.json"};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(spoilt); i++) {
		struct library_choice choice = {};
		struct library_item item = {};
		struct reason chosen = {}, loaded = {};
		bool is_chosen = !spoilt[i].chosen;
		int r;

		empty_images();
		put_build("a");
		spoilt[i].spoil();
		r = library_choose(&query, &choice, &chosen);
		if (r != (is_chosen ? LIBRARY_OK : LIBRARY_REFUSED) ||
			(!is_chosen && !strstr(chosen.text, spoilt[i].chosen)))
			fail_msg("%s, chosen: got %d, '%s'", spoilt[i].name, r, chosen.text);
		r = load("a/flasher_args.json", &item, &loaded);
		if (r != LIBRARY_REFUSED || !strstr(loaded.text, spoilt[i].loaded))
			fail_msg("%s, loaded: got %d, '%s'", spoilt[i].name, r, loaded.text);
		library_choice_done(&choice);
	}
}

/* ------------------------------------------------------------------ manifests */

static void a_manifest_is_for_the_image_with_its_parts(void **state)
{
	char line[DIGEST_HEX_SIZE + 64], sum[DIGEST_HEX_SIZE];
	struct library_choice choice = {};
	struct library_item item = {};
	struct reason reason = {};
	(void)state;

	put_build("a");
	sum_of("a", sum);
	snprintf(line, sizeof(line), "version = 7.1\nsize = %zu\nsha256 = %s",
		strlen(JSON "boottableapplication"), sum);
	put_manifest("a/flasher_args.json", line);
	assert_int_equal(choose("a/flasher_args.json", &choice, &reason), LIBRARY_OK);
	assert_string_equal(choice.version, "7.1");
	assert_int_equal(load("a/flasher_args.json", &item, &reason), LIBRARY_OK);
	assert_string_equal(item.version, "7.1");
	library_item_done(&item);

	/* One byte of a part is another. */
	put("a/" TABLE, "tablE");
	assert_int_equal(load("a/flasher_args.json", &item, &reason), LIBRARY_REFUSED);
	assert_non_null(strstr(reason.text, "[image] sha256: the image has the digest"));
	/* One byte of it is not there: the copy is not whole. */
	put("a/" TABLE, "tabl");
	library_choice_done(&choice);
	assert_int_equal(choose("a/flasher_args.json", &choice, &reason), LIBRARY_AWAITED);
	assert_non_null(strstr(reason.text, " bytes with its parts, its manifest says "));
	library_choice_done(&choice);
}

/* ------------------------------------------------------------------ copies under way */

/* As cp -p and rsync leave it: its bytes are old, that it is there is not. */
static void copy_old(const char *name, const char *text)
{
	put(name, text);
	set_age(name, 7200);
}

/* In the order in which a folder is copied by names: the application last. */
static void fault_27_a_build_is_awaited_until_it_is_whole(void **state)
{
	const struct library_query query = {
		.directory = images, .glob = "a/flasher_args.json", .rest_usec = COPY_REST_USEC};
	struct library_choice choice = {};
	struct reason reason = {};
	(void)state;

	clock_added = 0;
	copy_old("a/flasher_args.json", "{\"flash_files\" : {\"0x0\" : ");
	assert_int_equal(ask(&query, &choice, &reason), LIBRARY_REFUSED);
	put("a/flasher_args.json", "{\"flash_files\" : {\"0x0\" : ");
	assert_int_equal(ask(&query, &choice, &reason), LIBRARY_AWAITED);
	assert_non_null(strstr(reason.text, "'flasher_args.json' was written just now"));

	copy_old("a/flasher_args.json", JSON);
	assert_int_equal(ask(&query, &choice, &reason), LIBRARY_AWAITED);
	assert_non_null(strstr(reason.text, "its part '" BOOT "' is not there yet"));
	copy_old("a/" BOOT, "boot");
	assert_int_equal(ask(&query, &choice, &reason), LIBRARY_AWAITED);
	assert_non_null(strstr(reason.text, "its part '" TABLE "' is not there yet"));
	copy_old("a/" TABLE, "table");
	put("a/gate.bin", "");
	assert_int_equal(ask(&query, &choice, &reason), LIBRARY_AWAITED);
	assert_non_null(strstr(reason.text, "'gate.bin' is empty yet"));
	put("a/gate.bin", "applic");
	assert_int_equal(ask(&query, &choice, &reason), LIBRARY_AWAITED);
	assert_non_null(strstr(reason.text, "'gate.bin' was written just now"));
	copy_old("a/gate.bin", "application");
	assert_int_equal(ask(&query, &choice, &reason), LIBRARY_AWAITED);
	assert_non_null(strstr(reason.text, "others of the same build may follow"));
	assert_in_range(choice.due_usec, 1, COPY_PARTS_USEC);
	clock_move(choice.due_usec + 1);
	assert_int_equal(ask(&query, &choice, &reason), LIBRARY_OK);
	library_choice_done(&choice);
}

/* The JSON stays as it is; what its parts are is of two builds for a while. */
static void fault_27_a_build_that_is_copied_over_another_is_awaited(void **state)
{
	const struct library_query query = {
		.directory = images, .glob = "a/flasher_args.json", .rest_usec = COPY_REST_USEC};
	static const char *const parts[] = {"a/" BOOT, "a/" TABLE, "a/gate.bin"};
	struct library_choice choice = {};
	struct reason reason = {};
	(void)state;

	clock_added = 0;
	put_build("a");
	set_age("a/flasher_args.json", 7200);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		set_age(parts[i], 7200);
	clock_move(COPY_TOGETHER_USEC);
	assert_int_equal(ask(&query, &choice, &reason), LIBRARY_OK);
	clock_added = 0;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		copy_old(parts[i], "newer");
		assert_int_equal(ask(&query, &choice, &reason), LIBRARY_AWAITED);
		assert_non_null(strstr(reason.text, "others of the same build may follow"));
	}
	clock_move(choice.due_usec + 1);
	assert_int_equal(ask(&query, &choice, &reason), LIBRARY_OK);
	library_choice_done(&choice);
}

/* The manifest knows better: parts that do not fit it are chosen again when they are loaded. */
static void fault_27_a_digest_over_all_spares_the_wait(void **state)
{
	struct library_query query = {
		.directory = images, .glob = "a/flasher_args.json", .rest_usec = COPY_REST_USEC};
	char line[DIGEST_HEX_SIZE + 64], sum[DIGEST_HEX_SIZE];
	struct library_choice choice = {};
	struct library_item item = {};
	struct reason reason = {};
	(void)state;

	clock_added = 0;
	put_build("a");
	set_age("a/flasher_args.json", 7200);
	set_age("a/" BOOT, 7200);
	set_age("a/gate.bin", 7200);
	copy_old("a/" TABLE, "newer");
	sum_of("a", sum);
	snprintf(line, sizeof(line), "sha256 = %s", sum);
	put_manifest("a/flasher_args.json", line);
	set_age("a/flasher_args.json.ini", 7200);
	assert_int_equal(ask(&query, &choice, &reason), LIBRARY_OK);
	query.stamp = choice.stamp;
	assert_int_equal(library_load(&query, choice.name, 1000, &item, &reason), LIBRARY_OK);
	library_item_done(&item);

	copy_old("a/" TABLE, "of another build");
	query.stamp = NULL;
	assert_int_equal(ask(&query, &choice, &reason), LIBRARY_OK);
	query.stamp = choice.stamp;
	assert_int_equal(library_load(&query, choice.name, 1000, &item, &reason), -ESTALE);
	assert_non_null(strstr(reason.text, "[image] sha256: the image has the digest"));
	clock_move(COPY_TOGETHER_USEC);
	assert_int_equal(library_load(&query, choice.name, 1000, &item, &reason), LIBRARY_REFUSED);
	library_choice_done(&choice);
}

/* A part that never comes: refused in the end, with its name. */
static void a_missing_part_is_awaited_for_five_seconds(void **state)
{
	const struct library_query query = {
		.directory = images, .glob = "a/flasher_args.json", .rest_usec = COPY_REST_USEC};
	struct library_choice choice = {};
	struct reason reason = {};
	(void)state;

	clock_added = 0;
	put_build("a");
	remove_part();
	clock_move(COPY_REST_USEC);
	assert_int_equal(ask(&query, &choice, &reason), LIBRARY_AWAITED);
	assert_in_range(choice.due_usec, 3 * USEC_PER_SEC, 4 * USEC_PER_SEC);
	clock_move(choice.due_usec + 1);
	assert_int_equal(ask(&query, &choice, &reason), LIBRARY_REFUSED);
	assert_non_null(strstr(reason.text, "its part '" TABLE "' is not there: copy all files"));
	library_choice_done(&choice);
}

/* ------------------------------------------------------------------ folders to watch */

static void take_folder(void *userdata, const char *path)
{
	char *list = userdata;

	strcat(strcat(list, path), ";");
}

static void the_folders_of_parts_are_told(void **state)
{
	char list[512] = "", path[256];
	const struct library_query query = {.directory = images,
		.glob = "a/b.json",
		.on_folder = take_folder,
		.userdata = list};
	struct library_choice choice = {};
	struct reason reason = {};
	(void)state;

	put("a/b.json",
		"{\"flash_files\" : {\"0x0000\" : \"x/y/1.bin\", \"0x1000\" : \"x/y/2.bin\", "
		"\"0x2000\" : \"x/3.bin\", \"0x3000\" : \"none/4.bin\", \"0x4000\" : \"5.bin\"}}");
	put("a/x/y/1.bin", "1");
	assert_int_equal(ask(&query, &choice, &reason), LIBRARY_REFUSED);
	/* Of one that is not there, the folder above it will tell. */
	assert_string_equal(list, ";a;a/x;a/x/y;");
	assert_int_equal(mkdir(path_of("a/none", path), 0755), 0);
	list[0] = '\0';
	assert_int_equal(ask(&query, &choice, &reason), LIBRARY_REFUSED);
	assert_string_equal(list, ";a;a/x;a/x/y;a/none;");
	library_choice_done(&choice);
}

static bool is_replaced(const void *userdata, const char *path, bool is_part)
{
	return is_part && strcmp(path, userdata) == 0;
}

static void fault_27_a_part_that_is_being_written_is_awaited(void **state)
{
	char *parts[] = {(char *)"a/x/boot.bin", (char *)"a/app.bin", NULL};
	struct reason reason = {};
	(void)state;

	assert_int_equal(copy_judge_open("a/b.json", parts, is_replaced, "a/app.bin", &reason),
		COPY_AWAITED);
	assert_string_equal(reason.text, "'app.bin' is being written");
	assert_int_equal(
		copy_judge_open("a/b.json", parts, is_replaced, "a/b.json", &reason), COPY_WHOLE);
	assert_int_equal(
		copy_judge_open("a/b.json", NULL, is_replaced, "a/app.bin", &reason), COPY_WHOLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_IMAGES(a_build_is_one_image_with_one_digest),
		IN_IMAGES(an_older_build_is_found_by_its_digest),
		IN_IMAGES(json_files_are_taken_where_the_glob_says_so),
		IN_IMAGES(an_image_is_another_when_any_of_its_parts_is),
		IN_IMAGES(image_and_parts_together_have_one_bound),
		IN_IMAGES(a_build_that_is_not_whole_and_safe_is_refused),
		IN_IMAGES(a_manifest_is_for_the_image_with_its_parts),
		IN_IMAGES(fault_27_a_build_is_awaited_until_it_is_whole),
		IN_IMAGES(fault_27_a_build_that_is_copied_over_another_is_awaited),
		IN_IMAGES(fault_27_a_digest_over_all_spares_the_wait),
		IN_IMAGES(a_missing_part_is_awaited_for_five_seconds),
		IN_IMAGES(the_folders_of_parts_are_told),
		cmocka_unit_test(fault_27_a_part_that_is_being_written_is_awaited),
		cmocka_unit_test(no_descriptor_was_left_open),
	};

	return cmocka_run_group_tests(tests, note_descriptors, NULL);
}
