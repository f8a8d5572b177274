/* SPDX-License-Identifier: MIT */
/*
 * A host that is short of descriptors for a moment while boards come: that is told as the host's,
 * and no board needs to be plugged in again for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/scene.h"

/* The number that the next file of the service will have. */
static rlim_t next_descriptor(struct bed *bed)
{
	char path[64];

	for (unsigned number = 0; number < 1024; number++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%u", (int)bed_service_pid(bed), number);
		if (readlink(path, (char[8]){0}, 8) < 0)
			return number;
	}
	fail_msg("the service has every descriptor open");
	return 0;
}

/* So many more files, and no more, may the service open. */
static struct rlimit set_room(struct bed *bed, unsigned n)
{
	struct rlimit before, now;

	assert_int_equal(prlimit(bed_service_pid(bed), RLIMIT_NOFILE, NULL, &before), 0);
	now = before;
	now.rlim_cur = next_descriptor(bed) + n;
	assert_int_equal(prlimit(bed_service_pid(bed), RLIMIT_NOFILE, &now, NULL), 0);
	return before;
}

static void a_board_that_comes_meanwhile_is_flashed_once_there_is_room(void **state)
{
	scene_start(*state);
	/* Each in a slot of its own: to come so often in one is flapping. */
	for (unsigned n = 0; n <= 10; n++) {
		struct rlimit before;
		struct bed_unit *unit;

		bed_mark(*state);
		before = set_room(*state, n);
		unit = bed_plug(*state, GATE);
		bed_run(*state, 1500);
		assert_true(bed_is_running(*state));
		assert_int_equal(
			bed_count_journal(*state, BED_MATCH(FIELD_OUTCOME "=no-image")), 0);
		assert_int_equal(prlimit(bed_service_pid(*state), RLIMIT_NOFILE, &before, NULL), 0);
		if (!bed_wait_journal(*state, BED_LONG, BED_MATCH(FIELD_OUTCOME "=updated")))
			fail_msg("with room for %u", n);
		assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
		bed_unplug(unit);
	}
	/* Nothing of it is held against the units. */
	assert_int_equal(command_run(*state, "history --csv --outcome updated"), 0);
	assert_int_equal(command_lines(*state, ",updated,"), 11);
	assert_int_equal(command_run(*state, "history --csv --outcome failed"), 0);
	assert_int_equal(command_lines(*state, ",failed,"), 0);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(a_board_that_comes_meanwhile_is_flashed_once_there_is_room),
};

SCENE_MAIN(tests)
