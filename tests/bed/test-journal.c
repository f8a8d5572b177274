/* SPDX-License-Identifier: MIT */
/* A journald that stands still, and a service that does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log-journal.h"
#include "base/util.h"
#include "bed/enclosure.h"
#include "bed/scene.h"

/* Each socket has room of its own, and the journal's has room for so many datagrams at most. */
#define STUFFERS 64

/* Stops journald, and leaves no room in its socket. */
static void stop_journald(void)
{
	static const struct sockaddr_un address = {
		.sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET};
	static const char entry[] = "MESSAGE=stuffing\n";
	unsigned n_sent = 1;

	assert_int_equal(kill(enclosure_journald(), SIGSTOP), 0);
	for (unsigned i = 0; i < STUFFERS && n_sent > 0; i++) {
		int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		assert_true(fd >= 0);
		for (n_sent = 0; sendto(fd, entry, sizeof(entry) - 1, 0,
					 (const struct sockaddr *)&address, sizeof(address)) > 0;)
			n_sent++;
		assert_int_equal(errno, EAGAIN);
		close(fd);
	}
	assert_int_equal(n_sent, 0);
}

static void start_journald(void)
{
	assert_int_equal(kill(enclosure_journald(), SIGCONT), 0);
}

static int tear_down(void **state)
{
	start_journald();
	return scene_tear_down(state);
}

static bool is_flashed(void *userdata)
{
	return bed_flash_is(userdata, FIRMWARE_OLD_BIN);
}

static void boards_are_flashed_and_entries_come_later(void **state)
{
	struct bed_unit *unit;
	unsigned n_watchdogs;

	bed_start_service(*state, 2000);
	assert_true(bed_wait_ready(*state, BED_LONG));
	stop_journald();
	n_watchdogs = bed_watchdogs(*state);
	unit = bed_plug(*state, GATE);
	assert_true(bed_wait(*state, BED_LONG, is_flashed, unit));
	assert_true(bed_wait_closed(unit, BED_LONG));
	bed_run(*state, 3000);
	assert_true(bed_watchdogs(*state) > n_watchdogs);
	start_journald();
	expect_outcome(unit, "updated");
	assert_int_equal(
		bed_count_journal(*state, BED_MATCH("MESSAGE_ID=" MESSAGE_ENTRIES_LOST)), 0);
	expect_good_stop(*state);
}

/* A reload tells of 20 mistakes: more of them than there is room for. */
static void entries_without_room_are_counted_and_said(void **state)
{
	static char many[100 * 16];
	unsigned n_readies;

	bed_start_service(*state, 0);
	assert_true(bed_wait_ready(*state, BED_LONG));
	for (size_t n = 0; n + 16 < sizeof(many);)
		n += (size_t)snprintf(many + n, sizeof(many) - n, "k%u = 5\n", (unsigned)n);
	bed_configure(*state, many, "");
	stop_journald();
	for (unsigned reloads = 0; reloads < 120; reloads++) {
		n_readies = bed_readies(*state);
		bed_signal(*state, SIGHUP);
		for (unsigned i = 0; i < 6000 && bed_readies(*state) == n_readies; i++)
			bed_run(*state, 10);
		assert_int_equal(bed_readies(*state), n_readies + 1);
	}
	start_journald();
	assert_non_null(bed_wait_journal(
		*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_ENTRIES_LOST, "PRIORITY=4")));
	expect_good_stop(*state);
}

/* A stop is not held up either. */
static void a_service_ends_while_the_journal_stands_still(void **state)
{
	bed_start_service(*state, 0);
	assert_true(bed_wait_ready(*state, BED_LONG));
	stop_journald();
	assert_int_equal(bed_stop_service(*state, BED_LONG), 0);
}

#define JOURNAL_TEST(f) cmocka_unit_test_setup_teardown(f, scene_set_up, tear_down)

static const struct CMUnitTest tests[] = {
	JOURNAL_TEST(boards_are_flashed_and_entries_come_later),
	JOURNAL_TEST(entries_without_room_are_counted_and_said),
	JOURNAL_TEST(a_service_ends_while_the_journal_stands_still),
};

SCENE_MAIN(tests)
