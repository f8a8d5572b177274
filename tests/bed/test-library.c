/* SPDX-License-Identifier: MIT */
/*
 * An image directory that changes while boards are plugged in: renames, and swaps of the whole of
 * it; what may not be used; and many files. Copies under way are test-copies.c's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"
#include "bed/enclosure.h"
#include "bed/image-directory.h"

#define N_BOARDS 8

/* ------------------------------------------------------------------ who is looked at again */

static void a_renamed_image_reaches_a_board_that_is_plugged_in(void **state)
{
	struct bed_unit *unit = plug_updated(*state);

	bed_put_image(*state, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	expect_end(*state, unit, "updated", "1.1.0");
	assert_true(bed_flash_is(unit, FIRMWARE_NEW_BIN));
	expect_at_rest(unit);
}

static void an_image_that_comes_first_reaches_a_board_that_had_none(void **state)
{
	struct bed_unit *unit;

	bed_remove_image(*state, "gate-1.0.0.hex");
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_outcome(unit, "no-image");
	bed_mark(*state);
	bed_put_image(*state, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	expect_end(*state, unit, "updated", "1.1.0");
}

static void changes_of_other_files_start_nothing(void **state)
{
	struct bed_unit *unit = plug_updated(*state);
	unsigned n_opens = bed_opens(unit);
	char path[300];

	bed_put_image(*state, "gate-0.9.0.hex", FIRMWARE_NEW ".hex");
	bed_put_image(*state, "door-9.0.hex", FIRMWARE_NEW ".hex");
	bed_put_image(*state, "folder/gate-9.0.hex", FIRMWARE_NEW ".hex");
	put_text(*state, "gate-0.9.0.hex.ini", "[image]\nnotes = old\n");
	put_text(*state, "gate-7.0.hex.ini", "[image]\nnotes = of nothing\n");
	assert_int_equal(symlink("door-9.0.hex", path_of(*state, "gate-latest.hex", path)), 0);
	bed_run(*state, 2500);
	assert_int_equal(bed_count_outcomes(unit), 1);
	assert_int_equal(bed_opens(unit), n_opens);
}

/* As when the whole folder is deployed anew and this image is the same: no reset of a running
 * board. */
static void the_same_bytes_in_a_new_file_do_not_touch_the_port(void **state)
{
	struct bed_unit *unit = plug_updated(*state);
	unsigned n_opens = bed_opens(unit);

	bed_put_image(*state, "gate-1.0.0.hex", FIRMWARE_OLD ".hex");
	expect_end(*state, unit, "current", "1.0.0");
	assert_int_equal(bed_opens(unit), n_opens);
	bed_mark(*state);
	bed_put_image(*state, "gate-1.2.0.hex", FIRMWARE_OLD ".hex");
	expect_end(*state, unit, "current", "1.2.0");
	assert_int_equal(bed_opens(unit), n_opens);
}

/* ------------------------------------------------------------------ swaps of the whole folder */

struct crowd {
	struct bed *bed;
	struct bed_unit *units[N_BOARDS];
	void (*swap)(struct bed *bed);
	bool is_swapped;
	bool is_mixed;
};

/* Half-way through the first board's job; and what each holds whenever its job has ended. */
static bool is_crowd_done(void *userdata)
{
	struct crowd *crowd = userdata;
	size_t n_new = 0, n_busy = 0;

	for (size_t i = 0; i < N_BOARDS; i++) {
		struct bed_unit *unit = crowd->units[i];
		bool is_old = bed_flash_is(unit, FIRMWARE_OLD_BIN);
		bool is_new = bed_flash_is(unit, FIRMWARE_NEW_BIN);

		n_busy += bed_counters(unit).blocks_written > 4;
		n_new += is_new && bed_is_closed(unit);
		if (bed_count_outcomes(unit) > 0 && bed_is_closed(unit) && !is_old && !is_new)
			crowd->is_mixed = true;
	}
	if (!crowd->is_swapped && n_busy >= N_BOARDS / 2) {
		crowd->is_swapped = true;
		crowd->swap(crowd->bed);
	}
	return n_new == N_BOARDS;
}

static void expect_swap(struct bed *bed, const char *glob, void (*swap)(struct bed *bed))
{
	struct crowd crowd = {.bed = bed, .swap = swap};
	char boards[200];

	snprintf(boards, sizeof(boards), "[board gate]\nserial = A*\nchip = 0x410\nimage = %s\n",
		glob);
	bed_configure(bed, "", boards);
	scene_start(bed);
	for (size_t i = 0; i < N_BOARDS; i++)
		crowd.units[i] = bed_plug(bed, GATE_PACED);
	assert_true(bed_wait(bed, 2 * BED_LONG, is_crowd_done, &crowd));
	assert_true(crowd.is_swapped);
	assert_false(crowd.is_mixed);
	assert_int_equal(bed_count_journal(bed, BED_MATCH(FIELD_OUTCOME "=bad-image")), 0);
	for (size_t i = 0; i < N_BOARDS; i++) {
		assert_true(bed_wait_closed(crowd.units[i], BED_LONG));
		assert_true(bed_flash_is(crowd.units[i], FIRMWARE_NEW_BIN));
	}
}

static void swap_link(struct bed *bed)
{
	char beside[300], path[300];

	assert_int_equal(symlink("new", path_of(bed, ".current", beside)), 0);
	assert_int_equal(rename(beside, path_of(bed, "current", path)), 0);
}

static void fault_25_a_link_is_swapped_while_eight_boards_are_flashed(void **state)
{
	char path[300];

	bed_put_image(*state, "old/gate.bin", FIRMWARE_OLD_BIN);
	put_text(*state, "old/gate.bin.ini", "[image]\nversion = 1.0.0\n");
	bed_put_image(*state, "new/gate.bin", FIRMWARE_NEW_BIN);
	put_text(*state, "new/gate.bin.ini", "[image]\nversion = 1.1.0\n");
	assert_int_equal(symlink("old", path_of(*state, "current", path)), 0);
	expect_swap(*state, "current/gate.bin", swap_link);
}

static void swap_directory(struct bed *bed)
{
	char path[300], other[320], gone[320];

	path_of(bed, "", path);
	snprintf(other, sizeof(other), "%s.new", path);
	snprintf(gone, sizeof(gone), "%s.old", path);
	assert_int_equal(rename(path, gone), 0);
	assert_int_equal(rename(other, path), 0);
}

static void fault_25_the_directory_is_swapped_while_eight_boards_are_flashed(void **state)
{
	char path[300], other[320];

	bed_put_image(*state, "gate-1.1.0.bin", FIRMWARE_NEW_BIN);
	snprintf(other, sizeof(other), "%s.new", path_of(*state, "", path));
	assert_int_equal(rename(path, other), 0);
	bed_put_image(*state, "gate-1.0.0.bin", FIRMWARE_OLD_BIN);
	expect_swap(*state, "gate-*.bin", swap_directory);
}

static void the_directory_may_be_a_link_that_is_swapped(void **state)
{
	char path[300], one[320], other[320], beside[320];
	struct bed_unit *unit;

	snprintf(one, sizeof(one), "%s.one", path_of(*state, "", path));
	snprintf(other, sizeof(other), "%s.other", path);
	snprintf(beside, sizeof(beside), "%s.link", path);
	assert_int_equal(rename(path, one), 0);
	bed_put_image(*state, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink(strrchr(one, '/') + 1, path), 0);
	unit = plug_updated(*state);
	assert_int_equal(symlink(other, beside), 0);
	assert_int_equal(rename(beside, path), 0);
	expect_end(*state, unit, "updated", "1.1.0");
}

/* ------------------------------------------------------------------ a directory that goes away */

static void a_removed_directory_is_said_once_and_the_service_goes_on(void **state)
{
	struct bed_unit *unit = plug_updated(*state), *other;
	unsigned n_opens = bed_opens(unit);
	char path[300], away[320];

	snprintf(away, sizeof(away), "%s.away", path_of(*state, "", path));
	assert_int_equal(rename(path, away), 0);
	assert_non_null(
		bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_IMAGES_GONE)));
	other = bed_plug(*state, &(struct bed_board){.serial = "A2"});
	expect_outcome(other, "no-image");
	assert_int_equal(bed_opens(other), 0);
	/* Another change on the way to it. */
	make_folder(*state, "");
	bed_run(*state, 1500);
	assert_int_equal(
		bed_count_journal(*state, BED_MATCH("MESSAGE_ID=" MESSAGE_IMAGES_GONE)), 1);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rename(away, path), 0);
	expect_end(*state, other, "updated", "1.0.0");
	assert_int_equal(bed_opens(unit), n_opens);
	assert_true(bed_is_running(*state));
}

/* It is said when it happens, not when the first board of the week comes. */
static void a_directory_that_vanishes_is_said_where_no_board_is(void **state)
{
	char path[300], away[320], gone[500], back[400];

	scene_start(*state);
	bed_mark(*state);
	snprintf(away, sizeof(away), "%s.away", path_of(*state, "", path));
	snprintf(gone, sizeof(gone),
		"MESSAGE=image directory '%s': No such file or directory: no board is updated "
		"until it is there, or image-dir says where it is",
		path);
	snprintf(back, sizeof(back), "MESSAGE=image directory '%s' is there again", path);
	assert_int_equal(rename(path, away), 0);
	assert_non_null(bed_wait_journal(*state, BED_LONG, BED_MATCH(gone, "PRIORITY=4")));
	assert_int_equal(rename(away, path), 0);
	assert_non_null(bed_wait_journal(*state, BED_LONG, BED_MATCH(back)));
	assert_int_equal(bed_count_journal(*state, BED_MATCH(gone)), 1);
}

static void fault_34_a_directory_that_may_not_be_read_is_no_image(void **state)
{
	struct bed_unit *unit;
	char path[300];

	assert_int_equal(chmod(path_of(*state, "", path), 0), 0);
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_text(expect_outcome(unit, "no-image"), "MESSAGE", "Permission denied");
	assert_int_equal(bed_opens(unit), 0);
	bed_mark(*state);
	assert_int_equal(chmod(path, 0755), 0);
	expect_end(*state, unit, "updated", "1.0.0");
}

/* A full file system cuts the copy off; then it is unmounted, with the copy in it. */
static void fault_34_a_full_mount_that_vanishes_harms_nothing(void **state)
{
	struct bed_unit *unit = plug_updated(*state), *other;
	unsigned n_opens = bed_opens(unit);
	struct bytes bytes;
	char path[300], text[100];
	ssize_t n;
	int fd;

	path_of(*state, "", path);
	assert_int_equal(mount("tmpfs", path, "tmpfs", 0, "size=8k,mode=755"), 0);
	assert_non_null(
		bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_IMAGES_GONE)));
	load(FIRMWARE_NEW_BIN, &bytes);
	snprintf(text, sizeof(text), "[image]\nsize = %zu\n", sizeof(bytes.data));
	append(*state, "gate-2.0.0.bin.ini", (const uint8_t *)text, strlen(text));
	fd = open(path_of(*state, "gate-2.0.0.bin", path), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	do
		n = write(fd, bytes.data, sizeof(bytes.data));
	while (n > 0);
	assert_int_equal(errno, ENOSPC);
	close(fd);
	assert_non_null(
		bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_IMAGE_AWAITED)));
	other = bed_plug(*state, &(struct bed_board){.serial = "A2"});
	bed_run(*state, 1500);
	assert_int_equal(bed_opens(other), 0);
	assert_int_equal(umount2(path_of(*state, "", path), MNT_DETACH), 0);
	expect_end(*state, other, "updated", "1.0.0");
	assert_int_equal(bed_opens(unit), n_opens);
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
}

/* ------------------------------------------------------------------ what may not be used */

static void fault_33_an_image_that_others_may_write_is_refused(void **state)
{
	struct bed_unit *unit;
	char path[300];

	assert_int_equal(chmod(path_of(*state, "gate-1.0.0.hex", path), 0664), 0);
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_text(expect_outcome(unit, "bad-image"), "MESSAGE", "can be written by others");
	assert_int_equal(bed_opens(unit), 0);
	bed_mark(*state);
	assert_int_equal(chmod(path, 0644), 0);
	expect_end(*state, unit, "updated", "1.0.0");
}

static void fault_45_only_a_signed_image_is_flashed(void **state)
{
	char keys[320], public[340], secret[340], path[300], service[400];
	struct bed_unit *unit;

	snprintf(keys, sizeof(keys), "%s/keys", bed_directory(*state));
	snprintf(public, sizeof(public), "%s/release.pub", keys);
	snprintf(secret, sizeof(secret), "%s/release.key", bed_directory(*state));
	assert_int_equal(mkdir(keys, 0755), 0);
	copy_by(*state,
		(const char *const[]){"minisign", "-G", "-W", "-p", public, "-s", secret, NULL});
	snprintf(service, sizeof(service), "require-signature = yes\ntrusted-keys = %s\n", keys);
	scene_configure(*state, service, "");
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_text(expect_outcome(unit, "bad-image"), "MESSAGE", "is not signed");
	assert_int_equal(bed_opens(unit), 0);
	bed_mark(*state);
	copy_by(*state, (const char *const[]){"minisign", "-S", "-s", secret, "-m",
				path_of(*state, "gate-1.0.0.hex", path), "-t",
				"plugflash version=1.0.0 board=gate", NULL});
	expect_end(*state, unit, "updated", "1.0.0");
	assert_non_null(bed_wait_journal(*state, 0, BED_MATCH("MESSAGE_ID=" MESSAGE_UPDATED)));
	bed_unplug(unit);

	/* A key that is taken away is revoked, from the next job on. */
	assert_int_equal(unlink(public), 0);
	bed_replug(unit, NULL);
	expect_text(expect_outcome(unit, "bad-image"), "MESSAGE", "there is no key");
	assert_int_equal(bed_opens(unit), 0);

	/* Whoever had no good image is looked at again when the configuration is read again. */
	bed_mark(*state);
	scene_configure(*state, "", "");
	bed_signal(*state, SIGHUP);
	expect_end(*state, unit, "current", "1.0.0");
}

/* ------------------------------------------------------------------ ten thousand files */

/* From plug-in to the start of the job, the best of five boards: others use this machine too. */
static uint64_t start_usec(struct bed *bed)
{
	uint64_t best = UINT64_MAX;

	for (unsigned i = 0; i < 5; i++) {
		uint64_t begin = monotonic_usec();
		struct bed_unit *unit = bed_plug(bed, GATE);
		char port[80];

		snprintf(port, sizeof(port), FIELD_PORT "=%s", bed_port(unit));
		assert_non_null(bed_wait_journal(
			bed, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_JOB_STARTED, port)));
		if (monotonic_usec() - begin < best)
			best = monotonic_usec() - begin;
		assert_non_null(bed_wait_outcome(unit, BED_LONG));
	}
	return best;
}

static void ten_thousand_files_hold_nobody_up(void **state)
{
	uint64_t before, after;
	char name[64], path[300];

	scene_start(*state);
	before = start_usec(*state);
	for (unsigned i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "gate-0.%u.hex", i);
		assert_int_equal(close(open(path_of(*state, name, path),
					 O_WRONLY | O_CREAT | O_CLOEXEC, 0644)),
			0);
	}
	bed_run(*state, 4000);
	after = start_usec(*state);
	print_message("# figure: from plug-in to the start of the job: %u ms, with 10000 more "
		      "images %u ms\n",
		(unsigned)(before / USEC_PER_MSEC), (unsigned)(after / USEC_PER_MSEC));
	/* A bound against hanging, since others use this machine too: what a look costs is counted
	 * by unit/test-dispatcher-images and bounded by scripts/test-images. */
	assert_true(after < before + 30 * USEC_PER_SEC);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(a_renamed_image_reaches_a_board_that_is_plugged_in),
	SCENE_TEST(an_image_that_comes_first_reaches_a_board_that_had_none),
	SCENE_TEST(changes_of_other_files_start_nothing),
	SCENE_TEST(the_same_bytes_in_a_new_file_do_not_touch_the_port),
	SCENE_TEST(fault_25_a_link_is_swapped_while_eight_boards_are_flashed),
	SCENE_TEST(fault_25_the_directory_is_swapped_while_eight_boards_are_flashed),
	SCENE_TEST(the_directory_may_be_a_link_that_is_swapped),
	SCENE_TEST(a_removed_directory_is_said_once_and_the_service_goes_on),
	SCENE_TEST(a_directory_that_vanishes_is_said_where_no_board_is),
	SCENE_TEST(fault_34_a_directory_that_may_not_be_read_is_no_image),
	SCENE_TEST(fault_34_a_full_mount_that_vanishes_harms_nothing),
	SCENE_TEST(fault_33_an_image_that_others_may_write_is_refused),
	SCENE_TEST(fault_45_only_a_signed_image_is_flashed),
	SCENE_TEST(ten_thousand_files_hold_nobody_up),
};

SCENE_MAIN(tests)
