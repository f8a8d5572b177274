/* SPDX-License-Identifier: MIT */
/*
 * batch.h - a batch: so many units are to be made good by one rule, and then the service pauses.
 * Plain data; service/batch.h begins and ends it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* The store keeps the newest 100,000 attempts, of which a batch is counted. */
#define BATCH_MOST 50000

/* One that has no rule is none. */
struct batch {
	char board[64]; /* name of the rule */
	uint32_t count;
	uint32_t done; /* units that became good; counted of the store, and not kept beside it */
	int64_t started_ms;
	/* What is kept: attempts above this id are the batch's, and so many units were done in a
	 * store that was lost since. */
	int64_t after_id;
	uint32_t done_before;
};

/* As the store keeps it. */
void batch_to_text(const struct batch *batch, char to[static 200]);

/* 0, or -EBADMSG for text that is none. Nothing is done yet but what was done before. */
int batch_from_text(const char *text, struct batch *ret);

/*
 * Whether no other attempt of this rule may begin, since those that run may be all that is missing:
 * 500 means 500.
 */
bool batch_is_full(const struct batch *batch, const char *board, uint32_t n_running);
