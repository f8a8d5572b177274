/* SPDX-License-Identifier: MIT */
#include "fleet/board.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "image/digest.h"
#include "image/rollout.h"

/* Copies a text of the row. False: it has no room, and what is cut would be another one. */
static bool take_text(const struct dict *row, const char *name, char *to, size_t size)
{
	const char *text = dict_text(row, name);

	if (strlen(text) >= size)
		return false;
	text_copy(to, size, text);
	return true;
}

#define TAKE(row, name, member) take_text(row, name, member, sizeof(member))

/* ------------------------------------------------------------------ rules */

/* A rule is there also where a text of it is too long: who asks for it is told that. */
static bool read_board(const struct dict *row, struct board_facts *ret)
{
	bool is_whole = TAKE(row, "image", ret->image);

	is_whole = TAKE(row, "floor", ret->floor) && is_whole;
	is_whole = TAKE(row, "trusted_keys", ret->trusted_keys) && is_whole;
	ret->is_cut = !is_whole;
	ret->requires_signature = dict_flag(row, "require_signature");
	return TAKE(row, "board", ret->board) && *ret->board;
}

int board_list_add(struct board_list *list, const struct dict *rows, size_t n_rows)
{
	for (size_t i = 0; i < n_rows; i++) {
		struct board_facts *grown, board = {};

		if (!read_board(&rows[i], &board))
			continue;
		grown = room_for_one(list->items, list->n_items, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		list->items = grown;
		grown[list->n_items++] = board;
	}
	return 0;
}

void board_list_done(struct board_list *list)
{
	free(list->items);
	*list = (struct board_list){};
}

const struct board_facts *board_find(const struct board_list *list, const char *board)
{
	for (size_t i = 0; i < list->n_items; i++)
		if (strcmp(list->items[i].board, board) == 0)
			return &list->items[i];
	return NULL;
}

/* ------------------------------------------------------------------ units */

/* A digest of the length of another is none of ours. */
static void take_digest(const struct dict *row, const char *name, char to[static DIGEST_HEX_SIZE])
{
	const char *text = dict_text(row, name);

	if (strlen(text) == DIGEST_HEX_SIZE - 1)
		text_copy(to, DIGEST_HEX_SIZE, text);
}

static uint32_t sum_of(const char *text)
{
	return digest_crc32((const uint8_t *)text, strlen(text));
}

static bool read_unit(const struct dict *row, struct unit_facts *ret)
{
	ret->is_whole = strcmp(dict_text(row, "state"), "whole") == 0;
	take_digest(row, "sha256", ret->sha256);
	take_digest(row, "previous_sha256", ret->previous_sha256);
	if (dict_number(row, "failures") > 0) {
		int outcome = outcome_from_string(dict_text(row, "failed_with"));

		take_digest(row, "failed_sha256", ret->failed_sha256);
		ret->failed_with = outcome < 0 ? OUTCOME_FAILED : (enum outcome)outcome;
	}
	ret->has_id = *dict_text(row, "unit") != '\0';
	ret->share = rollout_share(dict_text(row, "unit"));
	ret->place = *dict_text(row, "usb_path") ? sum_of(dict_text(row, "usb_path")) : 0;
	return TAKE(row, "board", ret->board) && *ret->board;
}

/* A chip that did not say its id at first has two rows: that of its place, and its own. */
static bool is_known_by_id(const struct unit_list *list, const struct unit_facts *unit)
{
	for (size_t i = 0; i < list->n_items; i++) {
		const struct unit_facts *other = &list->items[i];

		if (other->has_id && other->place == unit->place &&
			strcmp(other->board, unit->board) == 0)
			return true;
	}
	return false;
}

static void find_shadows(struct unit_list *list)
{
	for (size_t i = 0; i < list->n_items; i++) {
		struct unit_facts *unit = &list->items[i];

		unit->is_shadow = !unit->has_id && unit->place && is_known_by_id(list, unit);
	}
}

int unit_list_add(struct unit_list *list, const struct dict *rows, size_t n_rows)
{
	for (size_t i = 0; i < n_rows; i++) {
		struct unit_facts *grown, unit = {};

		if (!read_unit(&rows[i], &unit))
			continue;
		grown = room_for_one(list->items, list->n_items, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		list->items = grown;
		grown[list->n_items++] = unit;
	}
	find_shadows(list);
	return 0;
}

void unit_list_done(struct unit_list *list)
{
	free(list->items);
	*list = (struct unit_list){};
}
