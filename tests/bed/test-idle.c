/* SPDX-License-Identifier: MIT */
/* What the service costs while nothing happens, and that a bridge without a rule costs nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "bed/enclosure.h"
#include "bed/logind.h"
#include "bed/scene.h"

#define RESIDENT_MAX_KIB (6 * 1024)

/* With one job behind it, so that all code was once in memory that a job brings there. */
static struct bed_unit *serve_one(struct bed *bed)
{
	struct bed_unit *unit;

	bed_start_service(bed, 2000);
	assert_true(bed_wait_ready(bed, BED_LONG));
	bed_settle_images(bed);
	unit = bed_plug(bed, GATE);
	expect_outcome(unit, "updated");
	bed_run(bed, 500);
	return unit;
}

static void idle_the_service_wakes_up_for_the_watchdog_only(void **state)
{
	long before, after;
	unsigned n_before, n_watchdogs;

	serve_one(*state);
	n_before = bed_watchdogs(*state);
	before = bed_figure(*state, "voluntary_ctxt_switches");
	bed_run(*state, 8000);
	after = bed_figure(*state, "voluntary_ctxt_switches");
	n_watchdogs = bed_watchdogs(*state) - n_before;
	print_message("# figure: idle for 8 s: %ld wake-ups, %u of them the watchdog's\n",
		after - before, n_watchdogs);
	assert_true(before >= 0 && after >= before);
	assert_true(n_watchdogs > 0);
	/* One may fall on either edge of the time. */
	assert_in_range(after - before, 0, n_watchdogs + 1);
}

/* What the libraries take that the bed has preloaded, and that no service has outside of it, in
 * KiB. */
static long preloads_resident(struct bed *bed)
{
	CLEANUP(fclosep) FILE *f = NULL;
	char path[64], line[512];
	bool is_preload = false;
	long all = 0, one;

	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)bed_service_pid(bed));
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		/* A mapping begins with its addresses, "55d0c000-55d0e000", and ends with its file.
		 */
		if (strchr("0123456789abcdef", line[0]) && strchr(line, '-'))
			is_preload = strstr(line, "-preload.so");
		else if (is_preload && sscanf(line, "Rss: %ld kB", &one) == 1)
			all += one;
	}
	return all;
}

static void idle_the_service_holds_under_6_mib(void **state)
{
	/* With a host that is asked to wait: that brings code of sd-bus to memory. */
	struct logind *logind = logind_new(*state, true);
	long resident;

	serve_one(*state);
	assert_int_equal(logind_asked(logind), 2);
	resident = bed_figure(*state, "VmRSS") - preloads_resident(*state);
	assert_true(resident > 0);
#ifdef __SANITIZE_ADDRESS__
	print_message("# figure: resident memory when idle: %ld KiB, sanitised\n", resident);
#else
	print_message("# figure: resident memory when idle: %ld KiB\n", resident);
	assert_in_range(resident, 0, RESIDENT_MAX_KIB);
#endif
	logind_free(logind);
}

static void a_second_bridge_without_a_rule_is_not_touched_in_the_whole_run(void **state)
{
	struct bed_unit *stranger, *unit;
	const struct tty_change *changes;
	size_t n_changes;

	stranger = bed_plug(*state, &(struct bed_board){.serial = "X1"});
	unit = serve_one(*state);
	bed_unplug(unit);
	bed_replug(unit, NULL);
	expect_outcome(unit, "current");
	expect_good_stop(*state);
	bed_run(*state, 100);
	changes = bed_lines(stranger, &n_changes);
	assert_non_null(changes);
	assert_int_equal(n_changes, 0);
	assert_int_equal(bed_opens(stranger), 0);
	assert_int_equal(bed_requests(stranger), 0);
	print_message("# figure: opens of a bridge without a rule: 0\n");
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(idle_the_service_wakes_up_for_the_watchdog_only),
	SCENE_TEST(idle_the_service_holds_under_6_mib),
	SCENE_TEST(a_second_bridge_without_a_rule_is_not_touched_in_the_whole_run),
};

SCENE_MAIN(tests)
