/* SPDX-License-Identifier: MIT */
/*
 * An image directory that changes while boards are plugged in: copies that take their time, renames
 * and swaps of the whole of it. Raw images without a manifest are the hardest: half of one cannot
 * be told from a whole one by its bytes.
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

#include "base/util.h"
#include "bed/enclosure.h"
#include "bed/scene.h"
#include "image/digest.h"

#define N_BOARDS 8

struct bytes {
	uint8_t data[65536];
	size_t n;
};

static void load(const char *file, struct bytes *ret)
{
	CLEANUP(fclosep) FILE *f = fopen(file, "re");

	assert_non_null(f);
	ret->n = fread(ret->data, 1, sizeof(ret->data), f);
	assert_in_range(ret->n, 1000, sizeof(ret->data) - 1);
}

static char *path_of(struct bed *bed, const char *name, char to[300])
{
	snprintf(to, 300, "%s/images%s%s", bed_directory(bed), *name ? "/" : "", name);
	return to;
}

static void make_folder(struct bed *bed, const char *name)
{
	char path[300];

	assert_int_equal(mkdir(path_of(bed, name, path), 0755), 0);
}

static void append(struct bed *bed, const char *name, const uint8_t *data, size_t n_data)
{
	char path[300];
	CLEANUP(closep)
	int fd = open(path_of(bed, name, path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n_data), n_data);
}

static void put_text(struct bed *bed, const char *name, const char *text)
{
	bed_put_bytes(bed, name, text, strlen(text));
}

/* Waits for an end of a job of this unit with this outcome and version. */
static void expect_end(
	struct bed *bed, struct bed_unit *unit, const char *outcome, const char *version)
{
	char port[80], ended[80], with[80];

	snprintf(port, sizeof(port), FIELD_PORT "=%s", bed_port(unit));
	snprintf(ended, sizeof(ended), FIELD_OUTCOME "=%s", outcome);
	snprintf(with, sizeof(with), FIELD_VERSION "=%s", version);
	if (!bed_wait_journal(bed, BED_LONG, BED_MATCH(port, ended, with)))
		fail_msg("%s: no outcome '%s' with version %s", bed_port(unit), outcome, version);
}

static struct bed_unit *plug_updated(struct bed *bed)
{
	struct bed_unit *unit;

	scene_start(bed);
	unit = bed_plug(bed, GATE);
	expect_outcome(unit, "updated");
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	bed_mark(bed);
	return unit;
}

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

/* ------------------------------------------------------------------ copies that take their time */

static void fault_27_a_file_that_is_open_for_writing_is_waited_for(void **state)
{
	struct bed_unit *unit = plug_updated(*state), *other;
	struct bytes bytes;
	char path[300];
	int fd;

	load(FIRMWARE_NEW_BIN, &bytes);
	fd = open(path_of(*state, "gate-1.1.0.bin", path), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes.data, bytes.n / 2), bytes.n / 2);
	/* Longer than any time of rest: the copy has stalled. */
	bed_run(*state, 2500);
	other = bed_plug(*state, &(struct bed_board){.serial = "A2"});
	assert_non_null(
		bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_IMAGE_AWAITED)));
	bed_run(*state, 1000);
	assert_int_equal(bed_count_outcomes(other), 0);
	assert_int_equal(bed_opens(other), 0);
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	assert_int_equal(
		write(fd, bytes.data + bytes.n / 2, bytes.n - bytes.n / 2), bytes.n - bytes.n / 2);
	close(fd);
	expect_end(*state, unit, "updated", "1.1.0");
	expect_end(*state, other, "updated", "1.1.0");
	assert_true(bed_flash_is(unit, FIRMWARE_NEW_BIN));
	assert_true(bed_flash_is(other, FIRMWARE_NEW_BIN));
	assert_int_equal(
		bed_count_journal(*state, BED_MATCH("MESSAGE_ID=" MESSAGE_IMAGE_AWAITED)), 1);
}

static void fault_27_a_file_that_grows_chunk_by_chunk_is_waited_for(void **state)
{
	struct bed_unit *unit = plug_updated(*state);
	struct bytes bytes;
	size_t at = 0, chunk;

	load(FIRMWARE_NEW_BIN, &bytes);
	chunk = bytes.n / 8 + 1;
	for (; at < bytes.n; at += chunk) {
		append(*state, "gate-1.1.0.bin", bytes.data + at,
			bytes.n - at < chunk ? bytes.n - at : chunk);
		bed_run(*state, 400);
		if (at > 0 && at + chunk < bytes.n)
			assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	}
	expect_end(*state, unit, "updated", "1.1.0");
	assert_true(bed_flash_is(unit, FIRMWARE_NEW_BIN));
	assert_int_equal(bed_count_outcomes(unit), 2);
}

static void fault_27_a_copy_that_is_shorter_than_its_manifest_is_waited_for(void **state)
{
	struct bed_unit *unit = plug_updated(*state);
	struct bytes bytes;
	char text[100];

	load(FIRMWARE_NEW_BIN, &bytes);
	snprintf(text, sizeof(text), "[image]\nsize = %zu\n", bytes.n);
	put_text(*state, "gate-1.1.0.bin.ini", text);
	append(*state, "gate-1.1.0.bin", bytes.data, bytes.n / 2);
	assert_non_null(
		bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_IMAGE_AWAITED)));
	append(*state, "gate-1.1.0.bin", bytes.data + bytes.n / 2, 100);
	bed_run(*state, 2000);
	assert_int_equal(bed_count_outcomes(unit), 1);
	append(*state, "gate-1.1.0.bin", bytes.data + bytes.n / 2 + 100,
		bytes.n - bytes.n / 2 - 100);
	expect_end(*state, unit, "updated", "1.1.0");
	assert_true(bed_flash_is(unit, FIRMWARE_NEW_BIN));
	assert_int_equal(
		bed_count_journal(*state, BED_MATCH("MESSAGE_ID=" MESSAGE_IMAGE_AWAITED)), 1);
}

static void fault_27_an_image_of_another_digest_is_not_flashed(void **state)
{
	struct bed_unit *unit = plug_updated(*state);
	char text[200], digest[DIGEST_HEX_SIZE];
	unsigned n_opens = bed_opens(unit);
	struct bytes bytes;

	load(FIRMWARE_NEW_BIN, &bytes);
	digest_sha256(bytes.data, bytes.n, digest);
	snprintf(text, sizeof(text), "[image]\nsha256 = %s\n", digest);
	put_text(*state, "gate-1.1.0.bin.ini", text);
	bytes.data[bytes.n - 1] ^= 1;
	bed_put_bytes(*state, "gate-1.1.0.bin", bytes.data, bytes.n);
	expect_end(*state, unit, "bad-image", "1.1.0");
	assert_int_equal(bed_opens(unit), n_opens);
	bed_mark(*state);
	bed_put_image(*state, "gate-1.1.0.bin", FIRMWARE_NEW_BIN);
	expect_end(*state, unit, "updated", "1.1.0");
	assert_true(bed_flash_is(unit, FIRMWARE_NEW_BIN));
}

static void copy_by(struct bed *bed, const char *const argv[])
{
	int status;
	pid_t pid = bed_spawn(bed, argv);

	assert_true(bed_wait_child(bed, BED_LONG, pid, &status));
	assert_int_equal(status, 0);
}

static void fault_27_rsync_brings_a_whole_image(void **state)
{
	struct bed_unit *unit = plug_updated(*state);
	char path[300];

	copy_by(*state, (const char *const[]){"rsync", "-t", "--bwlimit=4", FIRMWARE_NEW_BIN,
				path_of(*state, "gate-1.1.0.bin", path), NULL});
	expect_end(*state, unit, "updated", "1.1.0");
	assert_true(bed_flash_is(unit, FIRMWARE_NEW_BIN));
	assert_int_equal(bed_count_outcomes(unit), 2);
}

static void fault_27_so_does_rsync_that_writes_in_place(void **state)
{
	struct bed_unit *unit = plug_updated(*state);
	char path[300];

	copy_by(*state, (const char *const[]){"rsync", "--inplace", "--bwlimit=2", FIRMWARE_NEW_BIN,
				path_of(*state, "gate-1.1.0.bin", path), NULL});
	expect_end(*state, unit, "updated", "1.1.0");
	assert_true(bed_flash_is(unit, FIRMWARE_NEW_BIN));
	assert_int_equal(bed_count_outcomes(unit), 2);
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
#ifndef __SANITIZE_ADDRESS__
	assert_true(after < before + 100 * USEC_PER_MSEC);
#endif
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(a_renamed_image_reaches_a_board_that_is_plugged_in),
	SCENE_TEST(an_image_that_comes_first_reaches_a_board_that_had_none),
	SCENE_TEST(changes_of_other_files_start_nothing),
	SCENE_TEST(the_same_bytes_in_a_new_file_do_not_touch_the_port),
	SCENE_TEST(fault_27_a_file_that_is_open_for_writing_is_waited_for),
	SCENE_TEST(fault_27_a_file_that_grows_chunk_by_chunk_is_waited_for),
	SCENE_TEST(fault_27_a_copy_that_is_shorter_than_its_manifest_is_waited_for),
	SCENE_TEST(fault_27_an_image_of_another_digest_is_not_flashed),
	SCENE_TEST(fault_27_rsync_brings_a_whole_image),
	SCENE_TEST(fault_27_so_does_rsync_that_writes_in_place),
	SCENE_TEST(fault_25_a_link_is_swapped_while_eight_boards_are_flashed),
	SCENE_TEST(fault_25_the_directory_is_swapped_while_eight_boards_are_flashed),
	SCENE_TEST(the_directory_may_be_a_link_that_is_swapped),
	SCENE_TEST(a_removed_directory_is_said_once_and_the_service_goes_on),
	SCENE_TEST(fault_34_a_directory_that_may_not_be_read_is_no_image),
	SCENE_TEST(fault_34_a_full_mount_that_vanishes_harms_nothing),
	SCENE_TEST(fault_33_an_image_that_others_may_write_is_refused),
	SCENE_TEST(fault_45_only_a_signed_image_is_flashed),
	SCENE_TEST(ten_thousand_files_hold_nobody_up),
};

SCENE_MAIN(tests)
