/* SPDX-License-Identifier: MIT */
/*
 * batch.c - the life of a batch:
 *
 *   batch_start()     the rule, how many, and the id of the newest attempt: on the disk
 *   records_end()     each end of an attempt counts the unit, or does not
 *   is_held()         of the dispatcher: no more begin than are missing
 *   batch_review()    all are done: first the pause is on the disk, then the batch is off it
 *   batch_recall()    the service was started anew: done so far is counted of the store
 *
 * A power cut between the last two steps of an end leaves a batch that is full: it is counted so
 * when it is recalled, and ends once more.
 */
#include "service/batch.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/names.h"
#include "base/util.h"
#include "service/steering.h"

static const struct batch none;

const struct batch *batch_of(const struct dispatcher *dispatcher)
{
	const struct records *records = dispatcher_records(dispatcher);

	return records ? &records->batch : &none;
}

static void tell(const struct batch *batch, int priority, const char *message_id, const char *text)
{
	CLEANUP(log_fields_done) struct log_fields fields = {0};
	char name[TEXT_MAX];

	log_field(&fields, FIELD_BOARD, "%s", batch->board);
	log_field(&fields, FIELD_BATCH, "%u/%u", batch->done, batch->count);
	log_event(priority, message_id, &fields, "batch of board '%s': %u of %u done: %s",
		text_escape(batch->board, name, sizeof(name)), batch->done, batch->count, text);
}

int batch_start(
	struct dispatcher *dispatcher, const char *board, uint32_t count, struct reason *reason)
{
	struct records *records = dispatcher_records(dispatcher);
	const struct batch *running = batch_of(dispatcher);
	struct batch batch = {.count = count, .started_ms = wall_clock_msec()};
	char name[TEXT_MAX];

	if (*running->board) {
		reason_set(reason,
			"a batch of board '%s' runs, %u of %u done; plugflash batch stop ends it",
			text_escape(running->board, name, sizeof(name)), running->done,
			running->count);
		return BATCH_RUNS;
	}
	if (!config_find_board(dispatcher_config(dispatcher), board) ||
		strlen(board) >= sizeof(batch.board)) {
		reason_set(reason, "no rule has the name '%s'; plugflash check-config lists them",
			text_escape(board, name, sizeof(name)));
		return BATCH_NO_RULE;
	}
	if (count == 0 || count > BATCH_MOST) {
		reason_set(reason, "a batch is of 1 to %d units, not of %u", BATCH_MOST, count);
		return BATCH_NO_COUNT;
	}
	text_copy(batch.board, sizeof(batch.board), board);
	if (records_begin_batch(records, &batch) < 0) {
		reason_set(reason,
			"the store cannot be written, so that the batch would be forgotten when the service ends: the journal says why");
		return BATCH_NO_STORE;
	}
	tell(&records->batch, LOG_NOTICE, MESSAGE_BATCH_BEGUN, "it begins");
	dispatcher_wake(dispatcher);
	return 0;
}

int batch_stop(struct dispatcher *dispatcher, struct reason *reason)
{
	if (!*batch_of(dispatcher)->board) {
		reason_set(reason, "no batch runs");
		return BATCH_NONE;
	}
	tell(batch_of(dispatcher), LOG_NOTICE, MESSAGE_BATCH_STOPPED, "it was stopped");
	records_end_batch(dispatcher_records(dispatcher));
	dispatcher_wake(dispatcher);
	return 0;
}

void batch_review(struct dispatcher *dispatcher)
{
	const struct batch batch = *batch_of(dispatcher);
	struct reason reason = {0};
	char name[TEXT_MAX];
	char why[HOLDS_TEXT];

	if (!*batch.board || batch.done < batch.count)
		return;
	snprintf(why, sizeof(why), "batch %.64s: %u of %u done",
		text_escape(batch.board, name, sizeof(name)), batch.done, batch.count);
	tell(&batch, LOG_NOTICE, MESSAGE_BATCH_DONE, "the service pauses");
	if (dispatcher_pause(dispatcher, why, &reason) != 0)
		log_error("the service does not pause after the batch: %s", reason.text);
	records_end_batch(dispatcher_records(dispatcher));
}

void batch_check_rule(const struct dispatcher *dispatcher)
{
	const struct batch *batch = batch_of(dispatcher);
	char name[TEXT_MAX];

	if (*batch->board && !config_find_board(dispatcher_config(dispatcher), batch->board))
		log_warning(
			"batch of board '%s': no rule has its name any more, so that nothing is added to it; mend the rule, or end the batch by 'plugflash batch stop'",
			text_escape(batch->board, name, sizeof(name)));
}

void batch_recall(struct dispatcher *dispatcher)
{
	struct records *records = dispatcher_records(dispatcher);

	if (!records || records_recall_batch(records) != 0)
		return;
	tell(&records->batch, LOG_INFO, MESSAGE_BATCH_BEGUN, "it goes on");
	batch_check_rule(dispatcher);
	dispatcher_wake(dispatcher);
}
