/* SPDX-License-Identifier: MIT */
/* records-floor.c - the lowest version of each board, as the store and what waits for it have it.
 */
#include "service/records.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "image/version.h"

void records_find_floor(struct records *records, const char *board, struct store_floor *ret)
{
	struct reason reason = {0};

	*ret = (struct store_floor){0};
	if (!records || !records_open_store(records))
		return;
	if (store_find_floor(records->store, board, ret, &reason) < 0)
		*ret = (struct store_floor){0};
	for (size_t i = 0; i < records->n_pending; i++) {
		const struct store_floor *pending = &records->pending[i].floor;

		if (records->pending[i].has_floor && strcmp(pending->board, board) == 0 &&
			version_compare(pending->version, ret->version) > 0)
			*ret = *pending;
	}
}

/* Two changes of one millisecond are two, also where the clock was set back. */
void records_note_floor(struct records *records)
{
	uint64_t now_ms = (uint64_t)wall_clock_msec();

	records->floor_ms = now_ms > records->floor_ms ? now_ms : records->floor_ms + 1;
}

void records_note_raise(struct records *records, const struct store_floor *floor)
{
	struct store_floor known;

	records_find_floor(records, floor->board, &known);
	if (version_compare(floor->version, known.version) > 0)
		records_note_floor(records);
}

/* What waits would raise it again behind the back of the one who lowers it. */
int records_set_floor(struct records *records, const char *board, const char *version)
{
	struct store_floor floor = {.raised_ms = wall_clock_msec()};
	struct reason reason = {0};
	int r;

	if (!records || !records_open_store(records))
		return -ENODEV;
	if (records->n_pending > 0)
		return -EBUSY;
	text_copy(floor.board, sizeof(floor.board), board);
	text_copy(floor.version, sizeof(floor.version), version);
	r = store_set_floor(records->store, &floor, &reason);
	if (records_follow(records, &r))
		r = store_set_floor(records->store, &floor, &reason);
	if (r < 0)
		records_tell_trouble(records, &reason);
	else
		records_note_floor(records);
	return r;
}
