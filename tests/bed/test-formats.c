/* SPDX-License-Identifier: MIT */
/*
 * One firmware in every format, as other people's tools make it: the service writes the same bytes
 * of each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "bed/enclosure.h"
#include "bed/scene.h"

#define HEX	   FIRMWARE_OLD ".hex"
#define ELF	   FIRMWARE_OLD ".elf"
#define TO	   "TO" /* stands for the file that is to be made */
#define MOST_WORDS 12

/* A tool's command line; with none the file itself. */
static const struct row {
	const char *suffix;
	const char *command[MOST_WORDS];
	const char *file;
	bool is_for_no_machine; /* as the objcopy of this machine says, which knows no Arm */
} rows[] = {
	{"hex", .file = HEX},
	{"bin", .file = FIRMWARE_OLD_BIN},
	{"elf", .file = ELF},
	{"srec", .command = {"objcopy", "-I", "ihex", "-O", "srec", HEX, TO}},
	{"s37", .command = {"objcopy", "-I", "elf32-little", "-O", "srec", "--srec-forceS3", ELF,
			TO}},
	{"img", .command = {"objcopy", "-I", "ihex", "-O", "binary", HEX, TO}},
	{"ihx", .command = {"objcopy", "-I", "elf32-little", "-O", "ihex", ELF, TO}},
	{"axf",
		.command = {"objcopy", "-I", "elf32-little", "-O", "elf32-little", "--strip-all",
			ELF, TO},
		.is_for_no_machine = true},
	{"mot", .command = {"srec_cat", HEX, "-Intel", "-o", TO, "-Motorola"}},
	{"s19", .command = {"srec_cat", HEX, "-Intel", "-o", TO, "-Motorola",
			"-line-termination=crlf"}},
	{"ihex", .command = {"srec_cat", HEX, "-Intel", "-o", TO, "-Intel",
			 "-output_block_size=255"}},
	{"raw", .command = {"srec_cat", HEX, "-Intel", "-offset", "-0x08000000", "-o", TO,
			"-Binary"}},
	{"dfu", .command = {"dfuse-pack", "-b", "0x08000000:" FIRMWARE_OLD_BIN, TO}},
};

static void say_it_is_arm(const char *file)
{
	const uint16_t machine = 40;
	CLEANUP(closep) int fd = open(file, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, &machine, sizeof(machine), 18), sizeof(machine));
}

static const char *make(struct bed *bed, const struct row *row, char file[100])
{
	const char *argv[MOST_WORDS + 1] = {NULL};
	int status;

	if (row->file)
		return row->file;
	snprintf(file, 100, "%s/made.%s", bed_directory(bed), row->suffix);
	for (size_t i = 0; i < MOST_WORDS && row->command[i]; i++)
		argv[i] = strcmp(row->command[i], TO) == 0 ? file : row->command[i];
	assert_true(bed_wait_child(bed, BED_LONG, bed_spawn(bed, argv), &status));
	assert_int_equal(status, 0);
	if (row->is_for_no_machine)
		say_it_is_arm(file);
	return file;
}

/* Each on a board of its own, whose flash is empty. */
static void every_format_is_written_to_the_same_bytes(void **state)
{
	static char serials[ARRAY_SIZE(rows)][8], places[ARRAY_SIZE(rows)][8];

	bed_remove_image(*state, "gate-1.0.0.hex");
	scene_start(*state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char name[40], file[100];
		struct bed_unit *unit;

		snprintf(name, sizeof(name), "gate-1.0.0.%s", rows[i].suffix);
		print_message("# %s by %s\n", name,
			rows[i].command[0] ? rows[i].command[0] : "the linker");
		bed_put_image(*state, name, make(*state, &rows[i], file));
		snprintf(serials[i], sizeof(serials[i]), "A%zu", i);
		snprintf(places[i], sizeof(places[i]), "1-%zu", i + 1);
		unit = bed_plug(
			*state, &(struct bed_board){.serial = serials[i], .path = places[i]});
		expect_field(expect_outcome(unit, "updated"), FIELD_IMAGE, name);
		assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
		bed_unplug(unit);
		bed_remove_image(*state, name);
	}
	print_message("# figure: one firmware in %zu formats, each written to the same bytes\n",
		ARRAY_SIZE(rows));
	expect_good_stop(*state);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(every_format_is_written_to_the_same_bytes),
};

SCENE_MAIN(tests)
