/* SPDX-License-Identifier: MIT */
#include "web/query.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

static const char *const names[QUERY_MAX] = {
	[QUERY_LIMIT] = "limit",
	[QUERY_AFTER] = "after",
	[QUERY_SLOT] = "slot",
	[QUERY_PORT] = "port",
	[QUERY_UNIT] = "unit",
	[QUERY_BOARD] = "board",
	[QUERY_OUTCOME] = "outcome",
	[QUERY_REASON] = "reason",
};

void query_init(struct query *query, unsigned known)
{
	*query = (struct query){.known = known, .limit = QUERY_LIMIT_DEFAULT};
}

static int take_number(struct query *query, enum query_key key, const char *value)
{
	uint64_t most = key == QUERY_LIMIT ? QUERY_LIMIT_MOST : INT64_MAX, number;
	const char *end = value;
	char shown[TEXT_MAX];

	if (parse_digits(&end, 10, &number) < 0 || *end || number > most)
		return reason_refuse(-EINVAL, &query->reason, "%s=%s: expected a number up to %llu",
			names[key], text_escape(value, shown, sizeof(shown)),
			(unsigned long long)most);
	if (key == QUERY_LIMIT)
		query->limit = (uint32_t)number;
	else
		query->after = number;
	return 0;
}

static int take_text(struct query *query, enum query_key key, const char *value)
{
	size_t n = strlen(value);

	if (n == 0 || n > QUERY_TEXT_MOST || !text_is_utf8(value, n))
		return reason_refuse(-EINVAL, &query->reason,
			"%s=: expected 1 to %d bytes of UTF-8 text", names[key], QUERY_TEXT_MOST);
	query->texts[key] = value;
	return 0;
}

int query_take(struct query *query, const char *name, const char *value)
{
	char shown[TEXT_MAX];

	for (enum query_key key = 0; key < QUERY_MAX; key++) {
		if (!(query->known & 1U << key) || strcmp(names[key], name) != 0)
			continue;
		if (key == QUERY_LIMIT || key == QUERY_AFTER)
			return take_number(query, key, value);
		return take_text(query, key, value);
	}
	return reason_refuse(-EINVAL, &query->reason, "'%s': this address takes no such name",
		text_escape(name, shown, sizeof(shown)));
}

int query_to_options(const struct query *query, struct dict *options)
{
	int r = 0;

	for (enum query_key key = 0; key < QUERY_MAX && r == 0; key++)
		if (query->texts[key] && key != QUERY_REASON)
			r = dict_set_text(options, names[key], query->texts[key]);
	return r;
}
