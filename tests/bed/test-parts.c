/* SPDX-License-Identifier: MIT */
/*
 * An image of several files, as ESP-IDF's build leaves it, that comes into the image directory file
 * by file while a board is plugged in. What it is made of does not matter for that: the board is an
 * STM32, whose firmware lies in two files, but for the last test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include "bed/enclosure.h"
#include "bed/image-directory.h"
#include "image/digest.h"
#include "tools/esp-make.h"

#define SECTOR 4096

/* The second part takes rsync longer than any time of rest, at its rate below. */
#define NEW_BYTES (40 * 1024)
#define FIRST	  "gate.bin"
#define REST	  "boot/rest.bin"
#define JSON                                                        \
	"{ \"write_flash_args\" : [ \"--flash_mode\", \"dio\" ],\n" \
	"  \"flash_files\" : { \"0x8001000\" : \"" REST "\", \"0x8000000\" : \"" FIRST "\" } }\n"
#define RULE "[board gate]\nserial = A*\nchip = 0x410\nimage = gate*/flasher_args.json\n"

/* Both builds: the bytes from the start of the flash on. */
static struct bytes old, new;

static void name_in(const char *folder, const char *name, char to[100])
{
	snprintf(to, 100, "%s/%s", folder, name);
}

/* Renamed into place, as tools do that copy well. */
static void put_part(
	struct bed *bed, const char *folder, const char *part, const struct bytes *build)
{
	bool is_first = strcmp(part, FIRST) == 0;
	char name[100];

	name_in(folder, part, name);
	bed_put_bytes(bed, name, build->data + (is_first ? 0 : SECTOR),
		is_first ? SECTOR : build->n - SECTOR);
}

static void make_folders(struct bed *bed, const char *folder)
{
	char name[100];

	make_folder(bed, folder);
	name_in(folder, "boot", name);
	make_folder(bed, name);
}

static void put_json(struct bed *bed, const char *folder)
{
	char name[100];

	name_in(folder, "flasher_args.json", name);
	put_text(bed, name, JSON);
}

static void put_build(struct bed *bed, const char *folder, const struct bytes *build)
{
	make_folders(bed, folder);
	put_part(bed, folder, FIRST, build);
	put_part(bed, folder, REST, build);
	put_json(bed, folder);
}

/* With a file in /tmp or wherever the bed is, to be compared with. */
static bool holds(struct bed *bed, struct bed_unit *unit, const struct bytes *build)
{
	char path[300];
	CLEANUP(fclosep) FILE *to = NULL;

	snprintf(path, sizeof(path), "%s/expected.bin", bed_directory(bed));
	to = fopen(path, "we");
	assert_non_null(to);
	assert_int_equal(fwrite(build->data, 1, build->n, to), build->n);
	assert_int_equal(fflush(to), 0);
	return bed_flash_is(unit, path);
}

/* A unit that holds the old build, out of this folder. */
static struct bed_unit *plug_with(struct bed *bed, const char *folder)
{
	struct bed_unit *unit;

	load(FIRMWARE_OLD_BIN, &old);
	memset(old.data + old.n, 0xFF, SECTOR - old.n);
	memset(old.data + SECTOR, 'o', 64);
	old.n = SECTOR + 64;
	load(FIRMWARE_NEW_BIN, &new);
	assert_in_range(new.n, SECTOR + 1, NEW_BYTES);
	memset(new.data + new.n, 'n', NEW_BYTES - new.n);
	new.n = NEW_BYTES;

	bed_configure(bed, "", RULE);
	put_build(bed, folder, &old);
	scene_start(bed);
	unit = bed_plug(bed, GATE);
	expect_outcome(unit, "updated");
	assert_true(holds(bed, unit, &old));
	bed_mark(bed);
	return unit;
}

/* Where the folder's name says no version. */
static void expect_updated(struct bed *bed)
{
	assert_non_null(bed_wait_journal(bed, BED_LONG, BED_MATCH(FIELD_OUTCOME "=updated")));
}

static void digest_of(const struct bytes *build, char ret[DIGEST_HEX_SIZE])
{
	const struct {
		const void *bytes;
		size_t n;
	} files[] = {{JSON, strlen(JSON)}, {build->data, SECTOR},
		{build->data + SECTOR, build->n - SECTOR}};
	char lines[ARRAY_SIZE(files)][DIGEST_HEX_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		digest_sha256(files[i].bytes, files[i].n, lines[i]);
		lines[i][DIGEST_HEX_SIZE - 1] = '\n';
	}
	digest_sha256((const uint8_t *)lines, sizeof(lines), ret);
}

/* ------------------------------------------------------------------ one image */

static void a_build_is_one_image_with_one_version_and_digest(void **state)
{
	struct bed_unit *unit = plug_with(*state, "gate-1.0.0");
	const struct journal_entry *entry;
	char digest[DIGEST_HEX_SIZE];
	unsigned n_opens;

	put_build(*state, "gate-1.1.0", &new);
	expect_end(*state, unit, "updated", "1.1.0");
	assert_true(holds(*state, unit, &new));
	entry = bed_wait_journal(*state, BED_LONG, BED_MATCH(FIELD_OUTCOME "=updated"));
	digest_of(&new, digest);
	expect_field(entry, FIELD_SHA256, digest);
	expect_field(entry, FIELD_IMAGE, "gate-1.1.0/flasher_args.json");
	/* The same parts in new files: known by their digest, and the port is left alone. */
	n_opens = bed_opens(unit);
	bed_mark(*state);
	put_part(*state, "gate-1.1.0", REST, &new);
	expect_end(*state, unit, "current", "1.1.0");
	assert_int_equal(bed_opens(unit), n_opens);
}

/* ------------------------------------------------------------------ copies under way */

/* The file that names the parts comes first, and the last of them stalls on its way. */
static void fault_27_a_build_is_waited_for_until_its_last_part_is_there(void **state)
{
	struct bed_unit *unit = plug_with(*state, "gate-1.0.0");
	char path[300];
	int fd;

	make_folders(*state, "gate-1.1.0");
	put_json(*state, "gate-1.1.0");
	bed_run(*state, 1500);
	put_part(*state, "gate-1.1.0", FIRST, &new);
	bed_run(*state, 1500);
	fd = open(path_of(*state, "gate-1.1.0/" REST, path), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, new.data + SECTOR, 1000), 1000);
	assert_non_null(
		bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_IMAGE_AWAITED)));
	/* Longer than any time of rest. */
	bed_run(*state, 2500);
	assert_true(holds(*state, unit, &old));
	assert_int_equal(bed_count_outcomes(unit), 1);
	assert_int_equal(
		write(fd, new.data + SECTOR + 1000, new.n - SECTOR - 1000), new.n - SECTOR - 1000);
	close(fd);
	expect_end(*state, unit, "updated", "1.1.0");
	assert_true(holds(*state, unit, &new));
	assert_int_equal(bed_count_outcomes(unit), 2);
}

/* The file that names them stays the same; between two parts each has rested by itself. */
static void fault_27_a_build_that_comes_over_another_is_not_mixed_with_it(void **state)
{
	struct bed_unit *unit = plug_with(*state, "gate");

	put_part(*state, "gate", FIRST, &new);
	bed_run(*state, 1200);
	assert_true(holds(*state, unit, &old));
	put_part(*state, "gate", REST, &new);
	expect_updated(*state);
	assert_true(holds(*state, unit, &new));
	assert_int_equal(bed_count_outcomes(unit), 2);
}

/* The second part is under way for longer than any time of rest, under a name that rsync gives it.
 */
static void fault_27_rsync_brings_a_build_over_another(void **state)
{
	struct bed_unit *unit = plug_with(*state, "gate");
	char from[300], to[300];

	/* Beside the image directory: bed_directory() has both. */
	make_folders(*state, "../build");
	put_part(*state, "../build", FIRST, &new);
	put_part(*state, "../build", REST, &new);
	path_of(*state, "../build/", from);
	path_of(*state, "gate", to);
	/* Such a name tells nothing of the file that it will replace, but that it has it in it. */
	copy_by(*state, (const char *const[]){"rsync", "-a", "--bwlimit=8", from, to, NULL});
	expect_updated(*state);
	assert_true(holds(*state, unit, &new));
	assert_int_equal(bed_count_outcomes(unit), 2);
}

/* A part that never comes: it is said which, and what comes in the end is taken. */
static void a_build_without_a_part_is_refused_until_it_comes(void **state)
{
	struct bed_unit *unit = plug_with(*state, "gate-1.0.0");
	unsigned n_opens = bed_opens(unit);
	const struct journal_entry *entry;

	make_folders(*state, "gate-1.1.0");
	put_part(*state, "gate-1.1.0", FIRST, &new);
	put_json(*state, "gate-1.1.0");
	entry = bed_wait_journal(*state, BED_LONG, BED_MATCH(FIELD_OUTCOME "=bad-image"));
	assert_non_null(entry);
	expect_text(entry, "MESSAGE", "its part '" REST "' is not there");
	assert_int_equal(bed_opens(unit), n_opens);
	bed_mark(*state);
	put_part(*state, "gate-1.1.0", REST, &new);
	expect_end(*state, unit, "updated", "1.1.0");
	assert_true(holds(*state, unit, &new));
}

/* The manifest has the digest of the new build; a part is still that of another. */
static void fault_27_a_build_of_another_digest_is_not_flashed(void **state)
{
	struct bed_unit *unit = plug_with(*state, "gate-1.0.0");
	char text[200], digest[DIGEST_HEX_SIZE];
	unsigned n_opens = bed_opens(unit);

	digest_of(&new, digest);
	snprintf(text, sizeof(text), "[image]\nsha256 = %s\n", digest);
	make_folders(*state, "gate-1.1.0");
	put_text(*state, "gate-1.1.0/flasher_args.json.ini", text);
	put_part(*state, "gate-1.1.0", FIRST, &new);
	put_part(*state, "gate-1.1.0", REST, &old);
	put_json(*state, "gate-1.1.0");
	expect_end(*state, unit, "bad-image", "1.1.0");
	assert_int_equal(bed_opens(unit), n_opens);
	assert_true(holds(*state, unit, &old));
	bed_mark(*state);
	put_part(*state, "gate-1.1.0", REST, &new);
	expect_end(*state, unit, "updated", "1.1.0");
	assert_true(holds(*state, unit, &new));
}

/* ------------------------------------------------------------------ as ESP-IDF leaves it */

#define FLASH_BEGIN	 0x02
#define FLASH_DEFL_BEGIN 0x10

static void put_project(struct bed *bed, const char *version)
{
	struct esp_make_project project = esp_make_project("esp32", version, 20000, false);
	char name[100], path[300];

	snprintf(name, sizeof(name), "lamp-%s", version);
	make_folder(bed, name);
	esp_make_project_write(&project, path_of(bed, name, path));
	esp_make_project_done(&project);
}

static unsigned esp_erases(struct bed_unit *unit)
{
	struct sim_counters counters = bed_counters(unit);

	return counters.commands[FLASH_BEGIN] + counters.commands[FLASH_DEFL_BEGIN];
}

static bool has_project(struct bed_unit *unit, const char *version)
{
	struct esp_make_project project = esp_make_project("esp32", version, 20000, false);
	uint32_t size;
	const uint8_t *flash = bed_flash(unit, &size);
	bool is_same = true;

	for (size_t i = 0; i < project.n_parts; i++)
		is_same = is_same &&
			  memcmp(flash + project.parts[i].offset, project.parts[i].bytes.data,
				  project.parts[i].bytes.n) == 0;
	esp_make_project_done(&project);
	return is_same;
}

static void an_esp32_gets_the_build_and_then_what_is_new_of_it(void **state)
{
	struct bed_unit *unit;
	uint8_t *flash;
	uint32_t size;
	unsigned n;

	bed_configure(*state, "",
		"[board lamp]\nserial = L*\nprotocol = esp\nwiring = esp\nchip = esp32\n"
		"image = lamp-*/flasher_args.json\n");
	put_project(*state, "1.2.0");
	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "L1", .chip = "esp32"});
	expect_end(*state, unit, "updated", "1.2.0");
	assert_true(has_project(unit, "1.2.0"));
	assert_int_equal(bed_esp(unit).app, 0x10000);

	bed_mark(*state);
	n = esp_erases(unit);
	bed_unplug(unit);
	bed_replug(unit, NULL);
	expect_end(*state, unit, "current", "1.2.0");
	assert_int_equal(esp_erases(unit), n);

	/* No part names these sectors: they are the application's own. */
	flash = bed_flash(unit, &size);
	memset(flash + 0x9000, 'n', 0x4000);
	bed_mark(*state);
	n = bed_counters(unit).pages_erased;
	put_project(*state, "1.3.0");
	expect_end(*state, unit, "updated", "1.3.0");
	/* Five are the application's, and its first one goes twice; boot loader and table stay. */
	assert_in_range(bed_counters(unit).pages_erased - n, 5, 6);
	assert_true(has_project(unit, "1.3.0"));
	flash = bed_flash(unit, &size);
	for (size_t i = 0x9000; i < 0xD000; i++)
		assert_int_equal(flash[i], 'n');
	assert_int_equal(bed_esp(unit).app, 0x10000);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(a_build_is_one_image_with_one_version_and_digest),
	SCENE_TEST(fault_27_a_build_is_waited_for_until_its_last_part_is_there),
	SCENE_TEST(fault_27_a_build_that_comes_over_another_is_not_mixed_with_it),
	SCENE_TEST(fault_27_rsync_brings_a_build_over_another),
	SCENE_TEST(a_build_without_a_part_is_refused_until_it_comes),
	SCENE_TEST(fault_27_a_build_of_another_digest_is_not_flashed),
	SCENE_TEST(an_esp32_gets_the_build_and_then_what_is_new_of_it),
};

SCENE_MAIN(tests)
