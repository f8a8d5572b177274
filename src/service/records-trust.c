/* SPDX-License-Identifier: MIT */
/*
 * records-trust.c - what was learnt of faster ways of writing: looked up for a worker that has met
 * a chip, and told to whoever asks what is off.
 *
 * Nothing of it is in memory but the text that says what is off, which is made once and made again
 * when the rows change. Without a store, and while it cannot be read, each kind is on trial.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "service/records.h"

static const struct store_trust *find_pending(const struct records *records, const char *kind)
{
	for (size_t i = records->n_pending; i > 0; i--)
		for (unsigned k = 0; k < records->pending[i - 1].n_trusts; k++)
			if (strcmp(records->pending[i - 1].trusts[k].kind, kind) == 0)
				return &records->pending[i - 1].trusts[k];
	return NULL;
}

bool records_find_trust(struct records *records, enum trust_way way, const struct report *report,
	struct store_trust *ret)
{
	const struct store_trust *pending;
	struct reason reason = {0};
	struct store_trust found;

	if (!trust_row(way, report, ret))
		return false;
	pending = find_pending(records, ret->kind);
	if (pending)
		*ret = *pending;
	else if (records_open_store(records) &&
		 store_find_trust(records->store, ret->kind, &found, &reason) == 0)
		*ret = found;
	return true;
}

void records_answer_trust(struct records *records, const struct attempt *attempt,
	const struct report *so_far, struct answer *ret)
{
	enum trust *const trusts[TRUST_WAY_MAX] = {
		[TRUST_STUB] = &ret->trusts.stub,
		[TRUST_BURSTS] = &ret->trusts.bursts,
	};
	struct store_trust row;

	ret->has_trusts = true;
	for (enum trust_way way = 0; way < TRUST_WAY_MAX; way++) {
		*trusts[way] = TRUST_ON_TRIAL;
		if (records && attempt->policy.learns[way] &&
			records_find_trust(records, way, so_far, &row))
			*trusts[way] = trust_of(&row);
	}
}

/* ------------------------------------------------------------------------------ what is off */

struct off_list {
	char *to;
	size_t size, used;
	unsigned n_left; /* kinds for which there was no room */
};

static int add_off(void *userdata, const struct store_trust *row)
{
	struct off_list *list = userdata;
	char item[sizeof(row->name) + sizeof(row->reason) + 8];
	size_t n;

	if (trust_of(row) != TRUST_OFF)
		return 0;
	n = (size_t)snprintf(
		item, sizeof(item), "%s%s: %s", list->used > 0 ? "; " : "", row->name, row->reason);
	if (list->n_left > 0 || n >= list->size - list->used) {
		list->n_left++;
		return 0;
	}
	memcpy(list->to + list->used, item, n + 1);
	list->used += n;
	return 0;
}

/* So many bytes are kept for " and N more". */
#define MORE_ROOM 24

const char *records_turned_off(struct records *records)
{
	char text[RECORDS_OFF_MAX] = "";
	struct off_list list = {.to = text, .size = sizeof(text) - MORE_ROOM};
	struct reason reason = {0};

	if (records->is_off_read || !records->store)
		return records->turned_off ? records->turned_off : "";
	free(records->turned_off);
	records->turned_off = NULL;
	records->is_off_read = store_list_trusts(records->store, add_off, &list, &reason) == 0;
	if (list.n_left > 0)
		snprintf(text + list.used, MORE_ROOM, " and %u more", list.n_left);
	if (*text)
		records->turned_off = strdup(text);
	return records->turned_off ? records->turned_off : "";
}

int records_allow_again(struct records *records)
{
	struct reason reason = {0};
	uint32_t n_kinds = 0;
	int r;

	if (!records_open_store(records))
		return -ENODEV;
	for (size_t i = 0; i < records->n_pending; i++)
		records->pending[i].n_trusts = 0;
	r = store_allow_again(records->store, &n_kinds, &reason);
	if (records_follow(records, &r))
		r = store_allow_again(records->store, &n_kinds, &reason);
	records->is_off_read = false;
	if (r < 0)
		records_tell_trouble(records, &reason);
	return r < 0 ? r : (int)n_kinds;
}
