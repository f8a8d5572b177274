/* SPDX-License-Identifier: MIT */
/* A rollout in the real service: which units get the new version, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "bed/enclosure.h"
#include "bed/scene.h"
#include "image/digest.h"
#include "image/rollout.h"

#define NEW "gate-1.1.0.hex"

static void put_rollout(struct bed *bed, unsigned percent)
{
	const struct rollout rollout = {.percent = percent};
	char text[ROLLOUT_TEXT_MAX];

	rollout_write(&rollout, text);
	bed_put_bytes(bed, NEW ROLLOUT_SUFFIX, text, strlen(text));
}

/* The new version comes behind its rollout, as a fleet brings it. */
static void put_new(struct bed *bed, unsigned percent)
{
	put_rollout(bed, percent);
	bed_put_image(bed, NEW, FIRMWARE_NEW ".hex");
}

static struct bed_unit *hold_the_old_one(struct bed *bed)
{
	struct bed_unit *unit;

	scene_configure(bed, "", "update = different\n");
	scene_start(bed);
	unit = bed_plug(bed, GATE);
	expect_outcome(unit, "updated");
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	return unit;
}

/* The smallest percent at which the unit takes part, by the id that the journal has. */
static unsigned percent_of(struct bed_unit *unit)
{
	const struct journal_entry *entry = bed_wait_outcome(unit, BED_LONG);

	return rollout_share(journal_entry_get(entry, FIELD_UNIT)) / (ROLLOUT_SHARES / 100) + 1;
}

static const struct journal_entry *wait_updated(struct bed *bed)
{
	const struct journal_entry *entry =
		bed_wait_journal(bed, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_UPDATED));

	if (!entry)
		fail_msg("no unit was updated");
	return entry;
}

static void a_unit_gets_the_image_once_its_share_is_reached(void **state)
{
	struct bed *bed = *state;
	struct bed_unit *unit = hold_the_old_one(bed);
	unsigned percent = percent_of(unit);

	put_new(bed, percent - 1);
	bed_unplug(unit);
	bed_mark(bed);
	bed_replug(unit, NULL);
	expect_outcome(unit, "current");
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));

	/* It stays plugged in. */
	bed_mark(bed);
	put_rollout(bed, percent);
	expect_field(wait_updated(bed), FIELD_VERSION, "1.1.0");
	assert_true(bed_flash_is(unit, FIRMWARE_NEW_BIN));
}

/* A unit that nobody has identified is, by the first job, which writes nothing then. */
static void a_unit_that_was_never_here_is_asked_who_it_is(void **state)
{
	struct bed *bed = *state;
	struct bed_unit *unit;

	scene_configure(bed, "", "update = different\n");
	put_new(bed, 99);
	scene_start(bed);
	unit = bed_plug(bed, GATE);
	expect_text(expect_outcome(unit, "cancelled"), "MESSAGE", "was not known to be here");
	/* The chip of the bed is one of the 99 of a hundred. */
	expect_field(wait_updated(bed), FIELD_VERSION, "1.1.0");
	assert_in_range(percent_of(unit), 1, 99);
	assert_int_equal(bed_count_journal(bed, BED_MATCH(FIELD_OUTCOME "=cancelled")), 1);
}

static void put_manifest_of_new(struct bed *bed)
{
	static uint8_t data[256 * 1024];
	CLEANUP(fclosep) FILE *f = fopen(FIRMWARE_NEW ".hex", "re");
	char sha256[DIGEST_HEX_SIZE], text[128];

	assert_non_null(f);
	digest_sha256(data, fread(data, 1, sizeof(data), f), sha256);
	snprintf(text, sizeof(text), "[image]\nversion = 1.1.0\nsha256 = %s\n", sha256);
	bed_put_bytes(bed, NEW ".ini", text, strlen(text));
}

/* A window that closes, or an owner who says stop, stops; nobody is taken back by that. */
static void a_unit_that_has_the_image_keeps_it_when_the_rollout_stops(void **state)
{
	struct bed *bed = *state;
	struct bed_unit *unit = hold_the_old_one(bed), *other;

	put_manifest_of_new(bed);
	bed_mark(bed);
	put_new(bed, 100);
	expect_field(wait_updated(bed), FIELD_VERSION, "1.1.0");

	put_rollout(bed, 0);
	other = bed_plug(bed, &(struct bed_board){.serial = "A2"});
	expect_field(expect_outcome(other, "updated"), FIELD_VERSION, "1.0.0");
	bed_unplug(unit);
	bed_replug(unit, NULL);
	expect_field(expect_outcome(unit, "current"), FIELD_VERSION, "1.1.0");
	assert_true(bed_flash_is(unit, FIRMWARE_NEW_BIN));
}

static void a_unit_gets_nothing_after_the_end(void **state)
{
	struct bed *bed = *state;
	struct bed_unit *unit = hold_the_old_one(bed);
	const struct rollout over = {.percent = 100, .until_s = 1000000000};
	char text[ROLLOUT_TEXT_MAX];

	rollout_write(&over, text);
	bed_put_bytes(bed, NEW ROLLOUT_SUFFIX, text, strlen(text));
	bed_put_image(bed, NEW, FIRMWARE_NEW ".hex");
	bed_unplug(unit);
	bed_replug(unit, NULL);
	expect_outcome(unit, "current");
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_unit_gets_the_image_once_its_share_is_reached),
		SCENE_TEST(a_unit_that_was_never_here_is_asked_who_it_is),
		SCENE_TEST(a_unit_that_has_the_image_keeps_it_when_the_rollout_stops),
		SCENE_TEST(a_unit_gets_nothing_after_the_end),
	};

	enclosure_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
