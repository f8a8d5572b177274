/* SPDX-License-Identifier: MIT */
/* test-fleet-holds.c - what is kept of rollouts that this gateway holds, whoever publishes wishes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>

#include "base/util.h"
#include "fleet/holds.h"
#include "unit/folder.h"

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct fleet_rollout usual = {.pause_after = 3, .pause_share = 50};
static const struct results some = {.n_units = 10, .n_chosen = 10, .n_failed = 3};

static int open_state(void)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static struct hold_record *get(struct holds *holds, unsigned number)
{
	char board[WISH_BOARD_MAX];

	(void)snprintf(board, sizeof(board), "x%u", number);
	return holds_get(holds, board);
}

static void what_is_held_is_held_after_a_restart(void **state)
{
	struct wish wish = {.sha256 = SHA_A};
	struct holds before = {}, holds = {};
	struct hold_record *record;
	int fd CLEANUP(closep) = open_state();

	(void)state;
	assert_int_equal(holds_read(&before, fd), 0);
	record = get(&before, 1);
	assert_true(hold_review(record, &wish, &some, &usual));
	record = get(&before, 2);
	assert_false(hold_review(record, &wish, NULL, &usual));
	assert_true(hold_pause(record));
	record = get(&before, 3);
	assert_true(hold_pause(record));
	assert_true(hold_resume(record, &some));
	assert_int_equal(holds_keep(&before), 0);
	holds_done(&before);

	assert_int_equal(holds_read(&holds, fd), 0);
	assert_int_equal(holds.n_items, 3);
	record = get(&holds, 1);
	assert_int_equal(record->hold, HOLD_FAILURES);
	assert_string_equal(record->sha256, SHA_A);
	assert_non_null(strstr(record->why.text, "3 units failed"));
	assert_int_equal(get(&holds, 2)->hold, HOLD_COMMAND);
	assert_int_equal(get(&holds, 3)->n_tolerated, 3);
	assert_false(hold_review(get(&holds, 1), &wish, &some, &usual));
	holds_done(&holds);
}

/* As many as somebody has patience for: no memory, no file, and what is held is not forgotten. */
static void boards_that_hold_nothing_leave_nothing(void **state)
{
	struct wish wish = {.sha256 = SHA_A};
	struct holds holds = {}, kept = {};
	int fd CLEANUP(closep) = open_state();

	(void)state;
	holds.state = fd;
	assert_true(hold_pause(get(&holds, 0)));
	for (unsigned i = 1; i < 10000; i++)
		assert_false(hold_review(get(&holds, i), &wish, NULL, &usual));
	assert_int_equal(holds.n_items, 2);
	assert_int_equal(holds_keep(&holds), 0);
	assert_int_equal(holds_read(&kept, fd), 0);
	assert_int_equal(kept.n_items, 1);
	assert_int_equal(get(&kept, 0)->hold, HOLD_COMMAND);
	holds_done(&holds);
	holds_done(&kept);
}

/* All that are held are read again; of one more nothing is known. */
static void no_more_are_held_than_are_read_again(void **state)
{
	struct holds holds = {}, kept = {};
	struct reason longest;
	int fd CLEANUP(closep) = open_state();

	(void)state;
	memset(longest.text, '\x01', sizeof(longest.text) - 1);
	longest.text[sizeof(longest.text) - 1] = '\0';
	holds.state = fd;
	for (unsigned i = 0; i < HOLDS_MOST; i++) {
		struct hold_record *record = get(&holds, i);

		assert_true(hold_pause(record));
		record->why = longest;
	}
	assert_null(get(&holds, HOLDS_MOST));
	assert_int_equal(holds_keep(&holds), 0);
	assert_int_equal(holds_read(&kept, fd), 0);
	assert_int_equal(kept.n_items, HOLDS_MOST);
	assert_true(hold_resume(get(&holds, 7), NULL));
	assert_non_null(get(&holds, HOLDS_MOST));
	holds_done(&holds);
	holds_done(&kept);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_held_is_held_after_a_restart),
		cmocka_unit_test(boards_that_hold_nothing_leave_nothing),
		cmocka_unit_test(no_more_are_held_than_are_read_again),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
