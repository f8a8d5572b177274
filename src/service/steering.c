/* SPDX-License-Identifier: MIT */
/*
 * steering.c - what is asked of the service: may it be, and whom does it concern?
 *
 *   ask      is there a rule by which it can be done? is something under way?  bridge_ask()
 *   cancel   whose job is it? was its unit erased?                             bridge_cancel()
 *   pause, inhibit                                                             holds.h
 *
 * A bridge has one job at most. Whoever asks for what is under way gets that job, so that two who
 * press one button do not flash twice; whoever asks for something else is told what is under way,
 * and waits or cancels it: a queue of wishes for one board would be done long after the person who
 * had them has taken the board away.
 */
#include "service/steering.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/names.h"
#include "service/bridge-run.h"

/* The name under which records keep the reason of a pause. */
#define SETTING_PAUSE "pause"

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

struct bridge *dispatcher_find_number(struct dispatcher *dispatcher, uint64_t number)
{
	struct bridge *bridge = NULL;

	while ((bridge = dispatcher_next(dispatcher, bridge)))
		if (bridge->number == number && bridge->state != BRIDGE_GONE)
			return bridge;
	return NULL;
}

/* --------------------------------------------------------------------------------- the ask */

static bool has_name(const struct board *board, const char *name)
{
	return board && strcmp(board->name, name) == 0;
}

/* Whether a board of this rule can do what is asked for. */
static int check_board(const struct board *board, const struct ask *ask, struct reason *reason)
{
	bool can = ask->operation != OPERATION_IDENTIFY || board_can_identify(board, reason);

	return can ? 0 : ASK_IMPOSSIBLE;
}

/* By the configuration in force, also where the bridge was matched by one before. */
static int check_rule(const struct config *config, const struct bridge *bridge,
	const struct ask *ask, struct reason *reason)
{
	char port[TEXT_MAX], names[2][TEXT_MAX];
	struct match match = {0};
	enum match_result result = match_board(config, &bridge->facts, &match);

	text_escape(last_part(bridge->facts.port), port, sizeof(port));
	switch (result) {
	case MATCH_NONE:
		reason_set(reason,
			"%s: no rule fits the bridge, so that nobody knows how its board is wired; 'plugflash list' prints a rule to paste",
			port);
		return ASK_IMPOSSIBLE;
	case MATCH_ONE:
		if (!*ask->board || has_name(match.board, ask->board))
			return check_board(match.board, ask, reason);
		break;
	case MATCH_AMBIGUOUS:
		if (has_name(match.board, ask->board))
			return check_board(match.board, ask, reason);
		if (has_name(match.other, ask->board))
			return check_board(match.other, ask, reason);
		if (*ask->board)
			break;
		reason_set(reason,
			"%s: the rules '%s' and '%s' fit the bridge equally well: name one of them, or give one of them another key, such as path",
			port, text_escape(match.board->name, names[0], sizeof(names[0])),
			text_escape(match.other->name, names[1], sizeof(names[1])));
		return ASK_IMPOSSIBLE;
	}
	reason_set(reason, "%s: the rule '%s' does not fit the bridge; '%s' does", port,
		text_escape(ask->board, names[0], sizeof(names[0])),
		text_escape(match.board->name, names[1], sizeof(names[1])));
	return ASK_IMPOSSIBLE;
}

/* The job of a bridge, whoever began it. */
static const char *job_of(const struct bridge *bridge)
{
	return bridge->attempt.is_open ? bridge->attempt.id : bridge->ask.id;
}

static enum attempt_operation operation_of(const struct bridge *bridge)
{
	return bridge->attempt.is_open ? bridge->attempt.operation : bridge->ask.operation;
}

/* Whether the job that is under way does all that is asked for. */
static bool does_the_same(const struct bridge *bridge, const struct ask *ask)
{
	const char *board = *bridge->ask.board	  ? bridge->ask.board
			    : bridge->match.board ? bridge->match.board
						  : "";

	return operation_of(bridge) == ask->operation && (bridge->ask.force || !ask->force) &&
	       (!*ask->board || strcmp(board, ask->board) == 0) && !bridge->attempt.is_cancelled;
}

static int check_free(const struct bridge *bridge, const struct ask *ask, char ret_id[static 33],
	struct reason *reason)
{
	const struct rollback *rollback = &bridge->attempt.rollback;
	bool goes_back = rollback->state == ROLLBACK_WANTED || rollback->state == ROLLBACK_BEGUN;
	char port[TEXT_MAX], image[TEXT_MAX];

	text_escape(last_part(bridge->facts.port), port, sizeof(port));
	if (*job_of(bridge) && does_the_same(bridge, ask)) {
		text_copy(ret_id, 33, job_of(bridge));
		return ASK_SAME;
	}
	if (*job_of(bridge) && operation_of(bridge) == ask->operation)
		reason_set(reason,
			"%s: the job %s (%s) is under way, but not with the same options; wait for its end, or cancel it",
			port, job_of(bridge), attempt_operation_to_string(operation_of(bridge)));
	else if (*job_of(bridge))
		reason_set(reason,
			"%s: the job %s (%s) is under way; wait for its end, or cancel it", port,
			job_of(bridge), attempt_operation_to_string(operation_of(bridge)));
	else if (goes_back)
		reason_set(reason,
			"%s: the unit is about to go back to %s, which it held before; wait for the end of that",
			port, text_escape(rollback->image, image, sizeof(image)));
	else
		return 0;
	return ASK_BUSY;
}

int dispatcher_ask(struct dispatcher *dispatcher, struct bridge *bridge, const struct ask *ask,
	char ret_id[static 33], struct reason *reason)
{
	struct ask asked = {
		.operation = ask->operation,
		.force = ask->force && ask->operation == OPERATION_FLASH,
		.asked_ms = wall_clock_msec(),
	};
	int r;

	assert(ask->operation != OPERATION_ROLLBACK);
	if (dispatcher_is_stopping(dispatcher) || bridge->state == BRIDGE_GONE) {
		reason_set(reason, dispatcher_is_stopping(dispatcher)
					   ? "the service is about to end, and begins nothing"
					   : "the bridge is unplugged");
		return ASK_IMPOSSIBLE;
	}
	r = check_rule(dispatcher_config(dispatcher), bridge, ask, reason);
	if (r == 0)
		r = check_free(bridge, ask, ret_id, reason);
	if (r != 0)
		return r;
	text_copy(asked.board, sizeof(asked.board), ask->board);
	bridge_make_job_id(asked.id);
	r = bridge_ask(bridge, &asked);
	if (r == 0)
		text_copy(ret_id, 33, asked.id);
	return r;
}

/* ------------------------------------------------------------------------------- the cancel */

int dispatcher_cancel(struct dispatcher *dispatcher, const char *id, struct reason *reason)
{
	struct bridge *bridge = NULL;
	char port[TEXT_MAX];

	while ((bridge = dispatcher_next(dispatcher, bridge)))
		if (*job_of(bridge) && strcmp(job_of(bridge), id) == 0)
			break;
	if (!bridge)
		return CANCEL_NO_JOB;
	/* Its worker is told already, and ends. */
	if (bridge->state == BRIDGE_GONE || bridge->attempt.is_cancelled)
		return 0;
	if (bridge_cancel(bridge))
		return 0;
	reason_set(reason,
		"%s: the unit is being written: cut off now it would hold no application; the job is finished, or the board unplugged",
		text_escape(last_part(bridge->facts.port), port, sizeof(port)));
	return CANCEL_TOO_LATE;
}

/* -------------------------------------------------------------------------------- the holds */

static int refuse_hold(int result, struct reason *reason)
{
	switch ((enum holds_result)result) {
	case HOLDS_TOO_LONG:
		reason_set(reason, "the text is too long: %d bytes at most", HOLDS_TEXT - 1);
		break;
	case HOLDS_FULL:
		reason_set(reason, "%d inhibitors are there already", HOLDS_MOST);
		break;
	case HOLDS_NO_NAME:
		reason_set(reason, "an inhibitor says who it is");
		break;
	}
	return result;
}

static void tell_pause(const struct holds *holds)
{
	char why[TEXT_MAX];

	log_event(LOG_NOTICE, MESSAGE_PAUSED, NULL,
		"paused%s%s: no job begins until 'plugflash resume'", *holds->reason ? ": " : "",
		text_escape(holds->reason, why, sizeof(why)));
}

int dispatcher_pause(struct dispatcher *dispatcher, const char *why, struct reason *reason)
{
	struct holds *holds = dispatcher_holds(dispatcher);
	int r = holds_pause(holds, why);

	if (r != 0)
		return refuse_hold(r, reason);
	if (records_keep_setting(dispatcher_records(dispatcher), SETTING_PAUSE, holds->reason) < 0)
		log_warning(
			"the pause cannot be kept in the store: it is over when the service is started again, unless the store can be written before");
	tell_pause(holds);
	dispatcher_wake(dispatcher);
	return 0;
}

bool dispatcher_resume(struct dispatcher *dispatcher)
{
	if (!holds_resume(dispatcher_holds(dispatcher)))
		return false;
	(void)records_keep_setting(dispatcher_records(dispatcher), SETTING_PAUSE, NULL);
	log_event(LOG_NOTICE, MESSAGE_RESUMED, NULL, "resumed: jobs begin again");
	dispatcher_wake(dispatcher);
	return true;
}

void dispatcher_recall_pause(struct dispatcher *dispatcher)
{
	struct holds *holds = dispatcher_holds(dispatcher);
	char why[STORE_SETTING_MAX];

	if (records_get_setting(dispatcher_records(dispatcher), SETTING_PAUSE, why) != 0 ||
		holds_pause(holds, why) != 0)
		return;
	(void)records_keep_setting(dispatcher_records(dispatcher), SETTING_PAUSE, why);
	tell_pause(holds);
	dispatcher_wake(dispatcher);
}

int dispatcher_inhibit(struct dispatcher *dispatcher, uint64_t number, const char *who,
	const char *why, unsigned *ret_id, struct reason *reason)
{
	int r = holds_inhibit(dispatcher_holds(dispatcher), number, who, why, ret_id);
	char names[2][TEXT_MAX];

	if (r != 0)
		return refuse_hold(r, reason);
	log_info("'%s' inhibits %s: %s", text_escape(who, names[0], sizeof(names[0])),
		number == 0 ? "all bridges" : "one bridge",
		text_escape(why, names[1], sizeof(names[1])));
	dispatcher_wake(dispatcher);
	return 0;
}

void dispatcher_distrust(struct dispatcher *dispatcher, uint64_t number)
{
	struct bridge *bridge = dispatcher_find_number(dispatcher, number);
	char port[TEXT_MAX];

	if (!bridge)
		return;
	log_info(
		"%s: somebody else changes the flash of this board: it is read in full when it is looked at next",
		text_escape(last_part(bridge->facts.port), port, sizeof(port)));
	bridge->image.held_sha256[0] = '\0';
	records_distrust(dispatcher_records(dispatcher), &bridge->facts, bridge_flash(bridge)->key);
}

void dispatcher_release(struct dispatcher *dispatcher, unsigned id)
{
	if (!holds_release(dispatcher_holds(dispatcher), id))
		return;
	log_info("an inhibitor is gone");
	dispatcher_wake(dispatcher);
}

bool dispatcher_has_worker(struct dispatcher *dispatcher, uint64_t number)
{
	struct bridge *bridge = NULL;

	while ((bridge = dispatcher_next(dispatcher, bridge)))
		if (bridge->worker && (number == 0 || bridge->number == number))
			return true;
	return false;
}
