/* SPDX-License-Identifier: MIT */
/*
 * batch.h - a batch begins, is remembered over a restart, and ends: with a pause of the service
 * once so many units became good, or because somebody says so.
 *
 * A unit counts once: when it is updated, or found current and not known to have been good before
 * the batch. One whose boot loader has no ids counts with each update. How many are done is counted
 * of the attempts that the store keeps, with each end and when the service starts: there is no
 * second number that a power cut could leave behind.
 */
#pragma once

#include "service/dispatcher.h"

enum batch_result {
	BATCH_RUNS = 1, /* another one does; stop it first */
	BATCH_NO_RULE,	/* no rule has that name */
	BATCH_NO_COUNT, /* it is to be 1 to BATCH_MOST */
	BATCH_NO_STORE, /* it could not be kept over a restart */
	BATCH_NONE,	/* there is none to stop */
};

/* 0; or an enum batch_result with the reason, and nothing has changed. */
int batch_start(
	struct dispatcher *dispatcher, const char *board, uint32_t count, struct reason *reason);

/* Ends it without a pause. 0 or BATCH_NONE with the reason. */
int batch_stop(struct dispatcher *dispatcher, struct reason *reason);

/* The one that runs; without a board there is none. */
const struct batch *batch_of(const struct dispatcher *dispatcher);

/* The batch of before a restart, if there was one: how many are done is counted anew. */
void batch_recall(struct dispatcher *dispatcher);

/* After the configuration was read: an entry where the rule of the batch is in it no more. */
void batch_check_rule(const struct dispatcher *dispatcher);

/* Before each turn: the batch that is done ends, and the service pauses. */
void batch_review(struct dispatcher *dispatcher);
