/* SPDX-License-Identifier: MIT */
/* Sockets that have names: seen in the journal, by on-outcome and in the history, and renamed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/scene.h"

/* Names of the sockets where two bridges are, or one and another place. */
static void name_slots(struct bed *bed, const char *left, const char *left_path, const char *right,
	const char *right_path)
{
	char text[400];

	snprintf(text, sizeof(text), "[slot %s]\npath = %s\n[slot %s]\npath = %s\n", left,
		left_path, right, right_path);
	bed_write_config(bed, NAME_BOARDS "/00-slots.conf", text);
}

static bool is_loaded(void *userdata)
{
	return bed_count_journal(userdata, BED_MATCH("MESSAGE_ID=" MESSAGE_CONFIG_LOADED)) > 0;
}

static void reload(struct bed *bed)
{
	bed_mark(bed);
	bed_signal(bed, SIGHUP);
	assert_true(bed_wait(bed, BED_LONG, is_loaded, bed));
}

/* A program of on-outcome that leaves PLUGFLASH_SLOT in a file. */
static void keep_slots(struct bed *bed, char *to, size_t size)
{
	char program[300], key[400];
	FILE *file;

	snprintf(to, size, "%s/slots", bed_directory(bed));
	snprintf(program, sizeof(program), "%s/keep-slot", bed_directory(bed));
	file = fopen(program, "w");
	assert_non_null(file);
	fprintf(file, "#!/bin/sh\necho \"slot=$PLUGFLASH_SLOT\" >>%s\n", to);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(program, 0755), 0);
	snprintf(key, sizeof(key), "on-outcome = %s\n", program);
	scene_configure(bed, key, "");
}

struct kept {
	const char *path;
	const char *text;
};

static bool is_kept(void *userdata)
{
	const struct kept *kept = userdata;
	CLEANUP(fclosep) FILE *file = fopen(kept->path, "r");
	char text[200] = "";

	return file && fread(text, 1, sizeof(text) - 1, file) > 0 && strstr(text, kept->text);
}

static void a_name_is_told_everywhere_as_it_was_then(void **state)
{
	char slots[300];
	struct kept kept = {slots, "slot=A1\n"};
	struct bed_unit *unit;
	char path[100];

	unit = bed_plug(*state, GATE);
	snprintf(path, sizeof(path), "%s", bed_id_path(unit));
	bed_unplug(unit);
	keep_slots(*state, slots, sizeof(slots));
	name_slots(*state, "A1", path, "A2", "pci-nowhere");
	scene_start(*state);
	bed_replug(unit, NULL);
	expect_field(expect_outcome(unit, "updated"), FIELD_SLOT, "A1");
	assert_true(bed_wait(*state, BED_LONG, is_kept, &kept));
	assert_int_equal(command_run(*state, "list"), 0);
	assert_int_equal(command_lines(*state, " A1 "), 1);

	/* It gets another name: nothing is flashed anew, and what comes next has that. */
	name_slots(*state, "left", path, "A1", "pci-nowhere");
	reload(*state);
	expect_another_updated(*state);
	assert_int_equal(bed_opens(unit), 1);
	bed_unplug(unit);
	bed_replug(unit, NULL);
	expect_field(expect_outcome(unit, "current"), FIELD_SLOT, "left");
	assert_int_equal(command_run(*state, "history --slot A1 --csv"), 0);
	assert_int_equal(command_lines(*state, ",updated,"), 1);
	assert_int_equal(command_lines(*state, ",current,"), 0);
	assert_int_equal(command_lines(*state, ",A1"), 1);
	assert_int_equal(command_run(*state, "history --slot left --json"), 0);
	assert_int_equal(command_lines(*state, "\"slot\": \"left\""), 1);
	assert_int_equal(command_run(*state, "history --units --slot left"), 0);
	assert_int_equal(command_lines(*state, " left "), 1);
	/* A slip of the finger is no good answer; a place in the USB tree is none. */
	assert_int_equal(command_run_all(*state, "history --slot lfet"), 0);
	assert_int_equal(command_lines(*state, "no [slot lfet]; the nearest name is 'left'"), 1);
	assert_int_equal(command_run_all(*state, "history --json --slot pci-0-usb-0:9:1.0"), 0);
	assert_int_equal(command_lines(*state, "warning"), 0);
	/* By its place it is both. */
	snprintf(slots, sizeof(slots), "history --csv --slot %s", path);
	assert_int_equal(command_run(*state, slots), 0);
	assert_int_equal(command_lines(*state, "gate"), 2);
}

static void a_rule_is_for_the_sockets_it_names(void **state)
{
	struct bed_unit *inside, *outside;

	inside = bed_plug(*state, &(struct bed_board){.serial = "B1"});
	outside = bed_plug(*state, &(struct bed_board){.serial = "B1"});
	name_slots(*state, "A1", bed_id_path(inside), "A2", "pci-nowhere");
	bed_write_config(*state, NAME_BOARDS "/10.conf",
		"[board gate]\nslot = A2 A1\nchip = 0x410\nimage = gate-*\n");
	scene_start(*state);
	expect_field(expect_outcome(inside, "updated"), FIELD_SLOT, "A1");
	expect_outcome(outside, "no-match");

	/* The socket that has the name now has the rule now. */
	name_slots(*state, "A1", bed_id_path(outside), "A2", "pci-nowhere");
	reload(*state);
	assert_non_null(bed_wait_journal(
		*state, BED_LONG, BED_MATCH(FIELD_OUTCOME "=updated", FIELD_SLOT "=A1")));
	assert_true(bed_flash_is(outside, FIRMWARE_OLD_BIN));
	assert_int_equal(bed_opens(inside), 1);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(a_name_is_told_everywhere_as_it_was_then),
	SCENE_TEST(a_rule_is_for_the_sockets_it_names),
};

SCENE_MAIN(tests)
