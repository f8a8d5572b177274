/* SPDX-License-Identifier: MIT */
#include "fleet/holds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "base/util.h"
#include "fleet/kept.h"

#define LIST_NAME "holds.json"

static const char *const words[] = {
	[HOLD_NONE] = "none",
	[HOLD_FAILURES] = "failures",
	[HOLD_COMMAND] = "command",
};

/*
 * One that says nothing is as good as none: anybody who may publish wishes makes records of any
 * number of boards, and these are neither kept nor have a place of their own.
 */
static bool says_something(const struct hold_record *record)
{
	return record->hold != HOLD_NONE || record->n_tolerated > 0 || record->is_owner_looking;
}

/* ------------------------------------------------------------------ what follows */

static void go_on(struct hold_record *record, const struct results *results)
{
	record->hold = HOLD_NONE;
	record->why.text[0] = '\0';
	record->is_owner_looking = false;
	if (results)
		record->n_tolerated = results->n_failed;
}

bool hold_review(struct hold_record *record, const struct wish *wish, const struct results *results,
	const struct fleet_rollout *limit)
{
	struct hold_record before = *record;

	if (strcmp(record->sha256, wish->sha256) != 0) {
		*record = (struct hold_record){.hold = HOLD_NONE};
		text_copy(record->board, sizeof(record->board), before.board);
		text_copy(record->sha256, sizeof(record->sha256), wish->sha256);
	}
	if (wish->paused)
		record->is_owner_looking = record->is_owner_looking || record->hold != HOLD_NONE;
	else if (record->is_owner_looking)
		go_on(record, results);
	/* Units that were mended, or forgotten, are not to hide as many new failures. */
	if (results && results->n_failed < record->n_tolerated)
		record->n_tolerated = results->n_failed;
	if (record->hold == HOLD_NONE && results &&
		results_are_bad(results, limit, record->n_tolerated, &record->why))
		record->hold = HOLD_FAILURES;
	if (!says_something(&before) && !says_something(record))
		return false;
	return strcmp(before.sha256, record->sha256) != 0 || before.hold != record->hold ||
	       before.n_tolerated != record->n_tolerated ||
	       before.is_owner_looking != record->is_owner_looking;
}

bool hold_pause(struct hold_record *record)
{
	if (record->hold != HOLD_NONE)
		return false;
	record->hold = HOLD_COMMAND;
	reason_set(&record->why, "by command: 'resume' lets it go on");
	return true;
}

bool hold_resume(struct hold_record *record, const struct results *results)
{
	if (record->hold == HOLD_NONE)
		return false;
	go_on(record, results);
	return true;
}

/* ------------------------------------------------------------------ on the disk */

void holds_done(struct holds *holds)
{
	free(holds->items);
	*holds = (struct holds){};
}

static struct hold_record *find_idle(struct holds *holds)
{
	for (size_t i = 0; i < holds->n_items; i++)
		if (!says_something(&holds->items[i]))
			return &holds->items[i];
	return NULL;
}

static struct hold_record *add(struct holds *holds)
{
	struct hold_record *grown;

	if (holds->n_items == HOLDS_MOST)
		return NULL;
	grown = room_for_one(holds->items, holds->n_items, sizeof(*grown));
	if (!grown)
		return NULL;
	holds->items = grown;
	return &grown[holds->n_items++];
}

struct hold_record *holds_get(struct holds *holds, const char *board)
{
	struct hold_record *record;

	for (size_t i = 0; i < holds->n_items; i++)
		if (strcmp(holds->items[i].board, board) == 0)
			return &holds->items[i];
	record = find_idle(holds);
	if (!record)
		record = add(holds);
	if (!record)
		return NULL;
	*record = (struct hold_record){};
	text_copy(record->board, sizeof(record->board), board);
	return record;
}

static void take_text(struct hold_record *record, const char *key, const char *text)
{
	if (strcmp(key, "sha256") == 0)
		text_copy(record->sha256, sizeof(record->sha256), text);
	else if (strcmp(key, "why") == 0)
		text_copy(record->why.text, sizeof(record->why.text), text);
	else if (strcmp(key, "hold") == 0)
		for (size_t i = 0; i < ARRAY_SIZE(words); i++)
			if (strcmp(words[i], text) == 0)
				record->hold = (enum hold)i;
}

static int take_value(void *userdata, const struct json_value *value)
{
	struct holds *holds = userdata;
	struct hold_record *record;

	if (value->n_keys != 2 || !value->keys[0] || !value->keys[1] ||
		strlen(value->keys[0]) >= WISH_BOARD_MAX)
		return 0;
	record = holds_get(holds, value->keys[0]);
	if (!record)
		return -ENOMEM;
	if (value->kind == JSON_KIND_TEXT)
		take_text(record, value->keys[1], value->text);
	else if (value->kind == JSON_KIND_BOOL)
		record->is_owner_looking = value->flag;
	else if (value->kind == JSON_KIND_NUMBER && value->number <= UINT32_MAX)
		record->n_tolerated = (unsigned)value->number;
	return 0;
}

int holds_read(struct holds *holds, int state)
{
	holds->state = state;
	return kept_read_list(state, LIST_NAME, take_value, holds);
}

/* {"gate": {"sha256": "...", "hold": "failures", "why": "...", "tolerated": 0, "looking": false}}
 */
int holds_keep(const struct holds *holds)
{
	struct json *list = json_new_object();

	for (size_t i = 0; i < holds->n_items; i++) {
		const struct hold_record *record = &holds->items[i];
		struct json *row;

		if (!says_something(record))
			continue;
		row = json_new_object();
		json_add_text(row, "sha256", record->sha256);
		json_add_text(row, "hold", words[record->hold]);
		json_add_text(row, "why", record->why.text);
		json_add_number(row, "tolerated", record->n_tolerated);
		json_add_bool(row, "looking", record->is_owner_looking);
		json_add(list, record->board, row);
	}
	return kept_write_list(holds->state, LIST_NAME, list);
}
