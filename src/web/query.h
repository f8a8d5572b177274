/* SPDX-License-Identifier: MIT */
/* query.h - what stands behind the question mark of a request; pure. */
#pragma once

#include <stdint.h>

#include "api/dict.h"
#include "base/text.h"

#define QUERY_LIMIT_DEFAULT 100
#define QUERY_LIMIT_MOST    1000
#define QUERY_TEXT_MOST	    255

enum query_key {
	QUERY_LIMIT,
	QUERY_AFTER,
	QUERY_SLOT,
	QUERY_PORT,
	QUERY_UNIT,
	QUERY_BOARD,
	QUERY_OUTCOME,
	QUERY_REASON,
	QUERY_MAX,
};

struct query {
	unsigned known; /* keys that this request may have, 1 << each */
	uint32_t limit;
	uint64_t after;
	const char *texts[QUERY_MAX]; /* of the request; NULL: not there */
	struct reason reason;
};

/* A query that may have these keys. */
void query_init(struct query *query, unsigned known);

/* One name with its value, decoded. 0, or -EINVAL with the reason. */
int query_take(struct query *query, const char *name, const char *value);

/* Its texts under their names, as an option of a method of the bus. 0 or -ENOMEM. */
int query_to_options(const struct query *query, struct dict *options);
