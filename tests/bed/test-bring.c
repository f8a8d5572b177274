/* SPDX-License-Identifier: MIT */
/*
 * test-bring.c - the example `bring` beside the real service: signed images that are brought to
 * boards, and what it says became of them. tests/scripts/test-fleet-examples has its refusals.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/scene.h"

#define LINE_SIZE 1024

/*
 * A key, and an update that it has signed, in $BED/update. The command finds the service, and has
 * the libraries before it that it is built for; the other programs are the distribution's.
 */
static const char prepare[] =
	"exec >$BED/said 2>&1; set -e; mkdir $BED/keys $BED/bin $BED/update; cd $BED/update;"
	"minisign -G -W -p $BED/keys/maker.pub -s $BED/maker.key;"
	"printf '#!/bin/sh\\nLD_PRELOAD=%s exec %s/plugflash \"$@\"\\n' $PRELOAD $BUILD >$BED/bin/plugflash;"
	"chmod 755 $BED/bin/plugflash; cp $FIRMWARE gate-1.1.0.hex;"
	"sum=$(sha256sum <gate-1.1.0.hex); sum=${sum%% *};"
	"printf '[image]\\nversion = 1.1.0\\nboard = gate\\nsha256 = %s\\n' $sum >gate-1.1.0.hex.ini;"
	"minisign -S -W -s $BED/maker.key -m gate-1.1.0.hex.ini;"
	"printf 'BRING_IMAGES=%s\\nBRING_KEYS=%s\\n' $BED/images $BED/keys >$BED/bring.conf";

static int shell(struct bed *bed, const char *text)
{
	int status = -1;
	pid_t pid = bed_spawn(bed, BED_MATCH("sh", "-c", text));

	assert_true(bed_wait_child(bed, BED_LONG, pid, &status));
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Its exit status; its last line is in `line`. */
static int bring(struct bed *bed, const char *arguments, char line[LINE_SIZE])
{
	char text[512], path[400];
	FILE *from;
	int status;

	snprintf(text, sizeof(text),
		"PATH=$BED/bin:$PATH BRING_CONF=$BED/bring.conf config/examples/fleet/bring %s >$BED/line 2>>$BED/said",
		arguments);
	status = shell(bed, text);
	snprintf(path, sizeof(path), "%s/line", bed_directory(bed));
	from = fopen(path, "re");
	assert_non_null(from);
	line[0] = '\0';
	while (fgets(line, LINE_SIZE, from))
		;
	fclose(from);
	return status;
}

static void says(struct bed *bed, const char *arguments, int status, const char *expected)
{
	char line[LINE_SIZE];
	int r = bring(bed, arguments, line);

	if (r != status || strcmp(line, expected) != 0) {
		shell(bed, "cat $BED/said >&2");
		fail_msg("bring %s: %d, '%s'; expected %d, '%s'", arguments, r, line, status,
			expected);
	}
}

static int set_up(void **state)
{
	char keys[400], build[PATH_MAX], firmware[PATH_MAX];
	struct bed *bed;
	int r = command_set_up(state);

	if (r != 0)
		return r;
	bed = *state;
	assert_non_null(realpath(enclosure_build(), build));
	assert_non_null(realpath(FIRMWARE_NEW ".hex", firmware));
	setenv("BED", bed_directory(bed), 1);
	setenv("PRELOAD", enclosure_preload(), 1);
	setenv("BUILD", build, 1);
	setenv("FIRMWARE", firmware, 1);
	command_set_directory(ENV_CONFIGURATION, bed, "config");
	command_set_directory(ENV_STATE, bed, "state");
	command_set_directory(ENV_RUNTIME, bed, "runtime");
	assert_int_equal(shell(bed, prepare), 0);
	bed_remove_image(bed, "gate-1.0.0.hex");
	snprintf(keys, sizeof(keys), "require-signature = yes\ntrusted-keys = %s/keys\n",
		bed_directory(bed));
	scene_configure(bed, keys, "retries = 0\n");
	command_start_service(bed);
	return 0;
}

#define BRING_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, command_tear_down)

static void an_update_reaches_all_boards(void **state)
{
	struct bed *bed = *state;
	struct bed_unit *first = bed_plug(bed, GATE);
	struct bed_unit *second = bed_plug(bed, &(struct bed_board){.serial = "A2"});

	expect_outcome(first, "no-image");
	expect_outcome(second, "no-image");
	says(bed, "place $BED/update", 0, "gate-1.1.0.hex: placed\n");
	says(bed, "wait $BED/update 60", 0, "gate-1.1.0.hex: 2 of 2 boards hold it\n");
	assert_true(bed_flash_is(first, FIRMWARE_NEW_BIN));
	assert_true(bed_flash_is(second, FIRMWARE_NEW_BIN));
	says(bed, "look $BED/update", 0, "gate-1.1.0.hex: 2 of 2 boards hold it\n");
}

static void a_board_that_does_not_answer_is_told(void **state)
{
	struct bed *bed = *state;
	struct bed_unit *good = bed_plug(bed, GATE);
	struct bed_unit *bad =
		bed_plug(bed, &(struct bed_board){.serial = "A2", .faults = {.silent = true}});
	char line[LINE_SIZE];

	expect_outcome(good, "no-image");
	expect_outcome(bad, "no-image");
	says(bed, "place $BED/update", 0, "gate-1.1.0.hex: placed\n");
	assert_int_equal(bring(bed, "wait $BED/update 60", line), 1);
	if (!strstr(line, "gate-1.1.0.hex: 1 of 2 boards hold it; ttyUSB1: no-sync: "))
		fail_msg("it says: %s", line);
	assert_true(bed_flash_is(good, FIRMWARE_NEW_BIN));
	/* Once it answers, the same update is brought once more. */
	bed_set_faults(bad, &(struct sim_faults){0});
	says(bed, "place $BED/update", 0, "gate-1.1.0.hex: placed\n");
	says(bed, "wait $BED/update 60", 0, "gate-1.1.0.hex: 2 of 2 boards hold it\n");
	assert_true(bed_flash_is(bad, FIRMWARE_NEW_BIN));
}

static void an_update_without_boards_is_placed(void **state)
{
	struct bed *bed = *state;
	struct bed_unit *unit;

	says(bed, "place $BED/update", 0, "gate-1.1.0.hex: placed\n");
	says(bed, "wait $BED/update 60", 0,
		"gate-1.1.0.hex: no board for it is plugged in; those that come get it\n");
	unit = bed_plug(bed, GATE);
	expect_outcome(unit, "updated");
	says(bed, "look $BED/update", 0, "gate-1.1.0.hex: 1 of 1 boards hold it\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BRING_TEST(an_update_reaches_all_boards),
		BRING_TEST(a_board_that_does_not_answer_is_told),
		BRING_TEST(an_update_without_boards_is_placed),
	};

	enclosure_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
