/* SPDX-License-Identifier: MIT */
/*
 * Copies into the image directory that take their time, while boards are plugged in. Raw images
 * without a manifest are the hardest: half of one cannot be told from a whole one by its bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "bed/enclosure.h"
#include "bed/image-directory.h"
#include "image/copy.h"
#include "image/digest.h"

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

/* A copy that rests so long is whole, as far as anybody can tell: where the machine stood still
 * between two writes nothing is shown. */
static void skip_if_it_rested(uint64_t since_usec)
{
	if (monotonic_usec() - since_usec >= COPY_REST_USEC - 50 * USEC_PER_MSEC)
		skip();
}

/* Writes, and lets time pass; `last` is when that was begun last. */
static void append_and_wait(struct bed *bed, const void *data, size_t n_data, uint64_t *last)
{
	uint64_t begin = monotonic_usec();

	append(bed, "gate-1.1.0.bin", data, n_data);
	skip_if_it_rested(*last);
	*last = begin;
	bed_run(bed, 400);
	skip_if_it_rested(*last);
}

static void fault_27_a_file_that_grows_chunk_by_chunk_is_waited_for(void **state)
{
	struct bed_unit *unit = plug_updated(*state);
	struct bytes bytes;
	uint64_t last = monotonic_usec();
	size_t at = 0, chunk;

	load(FIRMWARE_NEW_BIN, &bytes);
	chunk = bytes.n / 8 + 1;
	for (; at < bytes.n; at += chunk) {
		append_and_wait(*state, bytes.data + at,
			bytes.n - at < chunk ? bytes.n - at : chunk, &last);
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

/* Whatever it is called meanwhile, it is whole when its writer says so. */
static void fault_27_a_file_that_is_renamed_before_it_is_closed_is_waited_for(void **state)
{
	struct bed_unit *unit = plug_updated(*state);
	char part[300], path[300];
	struct bytes bytes;
	int fd;

	load(FIRMWARE_NEW_BIN, &bytes);
	fd = open(path_of(*state, "new.part", part), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes.data, bytes.n / 2), bytes.n / 2);
	bed_run(*state, 500);
	assert_int_equal(rename(part, path_of(*state, "gate-1.1.0.bin", path)), 0);
	assert_non_null(
		bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_IMAGE_AWAITED)));
	/* Longer than any time of rest: the copy has stalled. */
	bed_run(*state, 2500);
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	assert_int_equal(
		write(fd, bytes.data + bytes.n / 2, bytes.n - bytes.n / 2), bytes.n - bytes.n / 2);
	close(fd);
	expect_end(*state, unit, "updated", "1.1.0");
	assert_true(bed_flash_is(unit, FIRMWARE_NEW_BIN));
	assert_int_equal(bed_count_outcomes(unit), 2);
}

/* Renamed into place, by the alphabet; the manifest says that the image is not for this board. */
static void fault_27_a_manifest_that_comes_after_its_image_is_waited_for(void **state)
{
	struct bed_unit *unit = plug_updated(*state);

	bed_put_image(*state, "gate-1.1.0.bin", FIRMWARE_NEW_BIN);
	bed_run(*state, 600);
	put_text(*state, "gate-1.1.0.bin.ini", "[image]\nboard = door\n");
	bed_run(*state, 3000);
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	assert_int_equal(bed_count_outcomes(unit), 1);
}

static void a_wait_without_end_is_said_once(void **state)
{
	struct bed_unit *unit = plug_updated(*state);
	uint64_t last = monotonic_usec();

	for (unsigned i = 0; i < 16; i++)
		append_and_wait(*state, "ever", 4, &last);
	assert_int_equal(
		bed_count_journal(*state, BED_MATCH("MESSAGE_ID=" MESSAGE_IMAGE_AWAITED)), 1);
	assert_int_equal(bed_count_outcomes(unit), 1);
}

static void a_wait_for_an_empty_file_is_said_at_once(void **state)
{
	struct bed_unit *unit = plug_updated(*state);
	const struct journal_entry *entry;

	append(*state, "gate-1.1.0.bin", NULL, 0);
	entry = bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_IMAGE_AWAITED));
	assert_non_null(entry);
	expect_text(entry, "MESSAGE", "'gate-1.1.0.bin' is empty yet");
	assert_int_equal(bed_count_outcomes(unit), 1);
	bed_put_image(*state, "gate-1.1.0.bin", FIRMWARE_NEW_BIN);
	expect_end(*state, unit, "updated", "1.1.0");
}

/* ------------------------------------------------------------------ between choice and load */

/* A worker before whose first attempt somebody overwrites the image that was chosen by half of
 * another. */
static void put_worker(struct bed *bed, const char *image, const char *half)
{
	char path[300], armed[300], text[2000];
	CLEANUP(fclosep) FILE *f = NULL;

	snprintf(path, sizeof(path), "%s/worker", bed_directory(bed));
	snprintf(armed, sizeof(armed), "%s/armed", bed_directory(bed));
	snprintf(text, sizeof(text),
		"#!/bin/sh\n"
		"[ $# -eq 0 ] && rm '%s' 2>/dev/null && head -c 3000 '%s' >'%s'\n"
		"exec '%s/plugflash-worker' \"$@\"\n",
		armed, half, image, enclosure_build());
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) > 0);
	assert_int_equal(fchmod(fileno(f), 0755), 0);
	assert_int_equal(setenv(ENV_WORKER, path, 1), 0);
	assert_int_equal(close(open(armed, O_WRONLY | O_CREAT | O_CLOEXEC, 0644)), 0);
}

static int take_worker_away(void **state)
{
	unsetenv(ENV_WORKER);
	return scene_tear_down(state);
}

/* It would be flashed, raw as it is: nothing in half an image tells that there was more. */
static void fault_26_an_image_that_is_overwritten_after_it_was_chosen_is_chosen_again(void **state)
{
	CLEANUP(freep) char *half = realpath(FIRMWARE_NEW_BIN, NULL);
	const struct journal_entry *entry;
	struct bed_unit *unit;
	char image[300];

	bed_put_image(*state, "gate-1.1.0.bin", FIRMWARE_OLD_BIN);
	put_worker(*state, path_of(*state, "gate-1.1.0.bin", image), half);
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	entry = bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_JOB_RETRIED));
	assert_non_null(entry);
	expect_text(entry, "MESSAGE", "'gate-1.1.0.bin' changed after it was chosen");
	assert_int_equal(bed_opens(unit), 0);
	bed_put_image(*state, "gate-1.1.0.bin", FIRMWARE_NEW_BIN);
	expect_outcome(unit, "updated");
	assert_true(bed_flash_is(unit, FIRMWARE_NEW_BIN));
	assert_int_equal(bed_count_outcomes(unit), 1);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(fault_27_a_file_that_is_open_for_writing_is_waited_for),
	SCENE_TEST(fault_27_a_file_that_grows_chunk_by_chunk_is_waited_for),
	SCENE_TEST(fault_27_a_copy_that_is_shorter_than_its_manifest_is_waited_for),
	SCENE_TEST(fault_27_an_image_of_another_digest_is_not_flashed),
	SCENE_TEST(fault_27_rsync_brings_a_whole_image),
	SCENE_TEST(fault_27_so_does_rsync_that_writes_in_place),
	SCENE_TEST(fault_27_a_file_that_is_renamed_before_it_is_closed_is_waited_for),
	SCENE_TEST(fault_27_a_manifest_that_comes_after_its_image_is_waited_for),
	SCENE_TEST(a_wait_without_end_is_said_once),
	SCENE_TEST(a_wait_for_an_empty_file_is_said_at_once),
	cmocka_unit_test_setup_teardown(
		fault_26_an_image_that_is_overwritten_after_it_was_chosen_is_chosen_again,
		scene_set_up, take_worker_away),
};

SCENE_MAIN(tests)
