/* SPDX-License-Identifier: MIT */
/* The real service, and an old signed image that somebody plays back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <sys/stat.h>

#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/scene.h"

static char keys[320], public[340], secret[340];

static void run(struct bed *bed, const char *const argv[])
{
	int status = -1;

	assert_true(bed_wait_child(bed, BED_LONG, bed_spawn(bed, argv), &status));
	assert_int_equal(status, 0);
}

static void sign(struct bed *bed, const char *version)
{
	char image[320], comment[80];

	snprintf(image, sizeof(image), "%s/images/gate-%s.hex", bed_directory(bed), version);
	snprintf(comment, sizeof(comment), "plugflash version=%s board=gate", version);
	run(bed, (const char *const[]){
			 "minisign", "-S", "-s", secret, "-m", image, "-t", comment, NULL});
}

/* A unit that was updated to the newer of two signed images. */
static struct bed_unit *begin(struct bed *bed)
{
	struct bed_unit *unit;
	char service[400];

	snprintf(keys, sizeof(keys), "%s/keys", bed_directory(bed));
	snprintf(public, sizeof(public), "%s/release.pub", keys);
	snprintf(secret, sizeof(secret), "%s/release.key", bed_directory(bed));
	assert_int_equal(mkdir(keys, 0755), 0);
	run(bed, (const char *const[]){"minisign", "-G", "-W", "-p", public, "-s", secret, NULL});
	bed_put_image(bed, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	sign(bed, "1.0.0");
	sign(bed, "1.1.0");
	snprintf(service, sizeof(service), "require-signature = yes\ntrusted-keys = %s\n", keys);
	scene_configure(bed, service, "anti-rollback = yes\n");
	command_start_service(bed);
	bed_settle_images(bed);
	unit = bed_plug(bed, GATE);
	expect_field(expect_outcome(unit, "updated"), FIELD_VERSION, "1.1.0");
	bed_unplug(unit);
	return unit;
}

static void an_older_image_is_refused_until_somebody_allows_it(void **state)
{
	struct bed *bed = *state;
	struct bed_unit *unit = begin(bed);

	bed_remove_image(bed, "gate-1.1.0.hex");
	bed_replug(unit, NULL);
	expect_text(expect_outcome(unit, "bad-image"), "MESSAGE",
		"its version '1.0.0' is below 1.1.0, the floor of board 'gate'");
	assert_int_equal(bed_opens(unit), 0);
	assert_true(bed_flash_is(unit, FIRMWARE_NEW_BIN));

	assert_int_equal(command_run(bed, "floor"), 0);
	assert_int_equal(command_lines(bed, "1.1.0"), 1);
	assert_int_equal(command_run(bed, "floor gate 1.0.0"), 0);
	assert_int_equal(command_lines(bed, "1.0.0"), 1);
	bed_unplug(unit);
	bed_replug(unit, NULL);
	expect_field(expect_outcome(unit, "updated"), FIELD_VERSION, "1.0.0");
}

static void the_command_says_what_it_is_not_given(void **state)
{
	struct bed *bed = *state;

	(void)begin(bed);
	assert_int_equal(command_run_all(bed, "floor gate new"), 2);
	assert_int_equal(command_lines(bed, "expected a version like 1.2.3, or none"), 1);
	assert_int_not_equal(command_run_all(bed, "floor door"), 0);
	assert_int_equal(command_lines(bed, "there is no rule 'door'"), 1);
	assert_int_not_equal(command_run_all(bed, "floor door 1.0"), 0);
	assert_int_equal(command_lines(bed, "there is no rule 'door'"), 1);
	assert_int_equal(command_run(bed, "floor gate none"), 0);
	assert_int_equal(command_run(bed, "floor --json"), 0);
	assert_int_equal(command_lines(bed, "\"floor\": null"), 1);
	assert_int_equal(command_lines(bed, "\"anti_rollback\": true"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COMMAND_TEST(an_older_image_is_refused_until_somebody_allows_it),
		COMMAND_TEST(the_command_says_what_it_is_not_given),
	};

	enclosure_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
