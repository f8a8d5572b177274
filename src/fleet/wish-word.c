/* SPDX-License-Identifier: MIT */
#include "fleet/wish-word.h"

#include "api/json.h"

/* Each tenth is told, not each block that comes. */
static unsigned tenths_of(uint64_t n_bytes, uint64_t size)
{
	return size > 0 && n_bytes < size ? (unsigned)(n_bytes * 10 / size) * 10 : 100;
}

static void add_image(struct json *to, const struct wish_word *word)
{
	const struct desired_item *item = word->item;
	const struct wish *wish = item->is_good ? &item->wish : NULL;

	json_add_text(to, "image", wish ? wish->image : NULL);
	json_add_text(to, "version", wish ? wish->version : NULL);
	json_add_text(to, "sha256", wish ? wish->sha256 : NULL);
	if (wish)
		json_add_number(to, "fetched_percent", tenths_of(word->n_bytes, wish->size));
	else
		json_add_null(to, "fetched_percent");
}

static void add_count(struct json *to, const char *key, const struct results *results, unsigned n)
{
	if (results)
		json_add_number(to, key, n);
	else
		json_add_null(to, key);
}

int wish_word_make(const struct wish_word *word, char **ret)
{
	const struct decision *decision = word->decision;
	const struct results *results = word->results;
	const struct results none = {}, *counts = results ? results : &none;
	struct json *json = json_new_object();
	size_t n;

	json_add_number(json, "schema", WISH_SCHEMA);
	json_add_text(json, "gateway", word->gateway);
	json_add_text(json, "board", word->board);
	json_add_text(json, "group", word->item->group);
	add_image(json, word);
	json_add_text(json, "state", wish_state_to_string(decision->state));
	json_add_text(json, "reason", decision->reason.text);
	json_add_text(json, "note", word->item->note.text);
	json_add_number(json, "percent", decision->rollout.percent);
	json_add_known_number(json, "until", (uint64_t)decision->rollout.until_s);
	add_count(json, "units", results, counts->n_units);
	add_count(json, "chosen", results, counts->n_chosen);
	add_count(json, "have", results, counts->n_have);
	add_count(json, "failed", results, counts->n_failed);
	return json_to_text(json, ret, &n);
}
