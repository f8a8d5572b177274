/* SPDX-License-Identifier: MIT */
#include "records/batch.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"

/* The name of a rule may hold blanks, and so it is the last. */
void batch_to_text(const struct batch *batch, char to[static 200])
{
	snprintf(to, 200, "%u %" PRId64 " %" PRId64 " %u %s", batch->count, batch->started_ms,
		batch->after_id, batch->done_before, batch->board);
}

/* A number and the blank behind it. */
static int take_number(const char **text, uint64_t most, uint64_t *ret)
{
	if (parse_digits(text, 10, ret) < 0 || *ret > most || **text != ' ')
		return -EBADMSG;
	(*text)++;
	return 0;
}

int batch_from_text(const char *text, struct batch *ret)
{
	uint64_t count, started_ms, after_id, done_before;

	if (take_number(&text, BATCH_MOST, &count) < 0 ||
		take_number(&text, INT64_MAX, &started_ms) < 0 ||
		take_number(&text, INT64_MAX, &after_id) < 0 ||
		take_number(&text, BATCH_MOST, &done_before) < 0 || count == 0 || !*text ||
		strlen(text) >= sizeof(ret->board))
		return -EBADMSG;
	*ret = (struct batch){
		.count = (uint32_t)count,
		.done = (uint32_t)done_before,
		.started_ms = (int64_t)started_ms,
		.after_id = (int64_t)after_id,
		.done_before = (uint32_t)done_before,
	};
	text_copy(ret->board, sizeof(ret->board), text);
	return 0;
}

bool batch_is_full(const struct batch *batch, const char *board, uint32_t n_running)
{
	return *batch->board && board && strcmp(batch->board, board) == 0 &&
	       (uint64_t)batch->done + n_running >= batch->count;
}
