/* SPDX-License-Identifier: MIT */
/*
 * dispatcher-answers.c - an attempt that runs: its worker asks, and it ends.
 *
 * What is about one unit alone is answered and kept by the records. Four things are about more
 * than that: a host that goes down, a second bridge whose chip has the same id, an image that was
 * chosen for another unit, and a flash that is to be made whatever the unit holds.
 */
#include "service/dispatcher-private.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "service/bridge-run.h"
#include "service/journal.h"

/* Another bridge that is plugged in, and whose chip said the same id; NULL: there is none. */
static const struct bridge *find_twin(const struct dispatcher *dispatcher,
	const struct bridge *bridge, const struct report *so_far)
{
	const struct bridge *other;
	char key[STORE_KEY_MAX];

	if (!report_unit_is_told(so_far->unit))
		return NULL;
	attempt_unit_key(&bridge->facts, so_far, key);
	TAILQ_FOREACH(other, &dispatcher->bridges, link)
	{
		if (other != bridge && other->state != BRIDGE_GONE &&
			strcmp(other->attempt.key, key) == 0)
			break;
	}
	return other;
}

/*
 * A rollout gives units different images, and the one of this attempt was chosen before the chip
 * said who it is. Its image is looked up once more, for whom it named; a chip that then names yet
 * another id is not trusted with that.
 */
static void leave_for_choice(struct bridge *bridge, const struct report *so_far, struct answer *ret)
{
	bool is_first = !bridge->image.was_for_another;

	bridge->image.was_for_another = true;
	attempt_note_unit(&bridge->attempt, &bridge->facts, so_far);
	*ret = (struct answer){
		.word = ANSWER_LEAVE,
		.outcome = is_first ? OUTCOME_CANCELLED : OUTCOME_FAILED,
	};
	if (is_first)
		bridge_schedule(bridge, SCHEDULE_IMAGE, 0);
	reason_set(&ret->reason,
		is_first
			? "the rollout of an image decides by unit, and the unit %s was not known to be here: nothing was erased, and its image is looked up anew"
			: "the chip names the unique id %s, and named another when its image was chosen: nothing was erased; check cable and power",
		so_far->unit);
}

/*
 * The worker asks. Three things are the dispatcher's to refuse, since they are about more than this
 * one unit; the records know the rest.
 */
static void answer_now(struct dispatcher *dispatcher, struct bridge *bridge, enum question question,
	const struct report *so_far, struct answer *ret)
{
	const struct bridge *twin = NULL;

	/* The host waits for seconds only: an erase that begins now may not end. One that was
	 * begun is not left in the middle. */
	if (question == QUESTION_ERASE && !bridge->attempt.has_begun_erase &&
		dispatcher_host_goes_down(dispatcher)) {
		bridge_schedule(bridge, SCHEDULE_HOST, SCHEDULE_NEVER);
		*ret = (struct answer){.word = ANSWER_LEAVE, .outcome = OUTCOME_CANCELLED};
		reason_set(&ret->reason,
			"the host is about to sleep or shut down, and nothing was erased; it is tried again when the host is up");
		return;
	}
	/* An id is one chip's: where two bridges name it at once, one of them has a copy, or says
	 * what it likes. The second gets nothing, least of all the number that the first has. */
	if (question == QUESTION_DECIDE || question == QUESTION_ERASE)
		twin = find_twin(dispatcher, bridge, so_far);
	if (twin) {
		bridge->attempt.note.cause = CAUSE_TWIN;
		*ret = (struct answer){.word = ANSWER_LEAVE, .outcome = OUTCOME_FAILED};
		reason_set(&ret->reason,
			"the chip at %s has the unique id %s, and so has the one at %s, which was there first: nothing was erased; unplug one of them, and find out which is the copy",
			bridge->facts.port, so_far->unit, twin->facts.port);
		return;
	}
	/* What was erased is finished with the image that it was erased for. */
	if (question == QUESTION_DECIDE && !bridge->attempt.has_begun_erase) {
		if (chooser_chose_for_another(&dispatcher->chooser, bridge, so_far)) {
			leave_for_choice(bridge, so_far, ret);
			return;
		}
		bridge->image.was_for_another = false;
	}
	records_answer(
		dispatcher->parts.records, &bridge->attempt, &bridge->facts, question, so_far, ret);
	/* Without a store nobody decides. */
	if (question == QUESTION_DECIDE && bridge->ask.force && ret->word != ANSWER_LEAVE)
		ret->word = ANSWER_WRITE;
	if (question == QUESTION_DECIDE && bridge->attempt.note.cause == CAUSE_TORN &&
		bridge_take_entry(bridge, FLAP_TORN))
		journal_torn(bridge, so_far);
	if (question == QUESTION_ERASE && ret->word != ANSWER_LEAVE)
		bridge->attempt.has_begun_erase = true;
}

/* A port that may be opened is one that its owners have given up by then. A check asks nothing
 * else but how fast it may read. */
bool dispatcher_answer(void *userdata, struct bridge *bridge, enum question question,
	const struct report *so_far, struct answer *ret)
{
	struct dispatcher *dispatcher = userdata;

	if (attempt_operation_writes(bridge->attempt.operation) || question == QUESTION_TRUST)
		answer_now(dispatcher, bridge, question, so_far, ret);
	if (question != QUESTION_OPEN || ret->word == ANSWER_LEAVE)
		return true;
	return dispatcher_take_owners(dispatcher, bridge, ret);
}

static void run_hook(
	struct dispatcher *dispatcher, const struct bridge *bridge, const struct report *report)
{
	CLEANUP(log_fields_done) struct log_fields fields = {0};
	const char *program = dispatcher->config.service.on_outcome;
	int r;

	if (!program)
		return;
	journal_end_fields(bridge, report, &fields);
	r = hook_start(dispatcher->parts.hooks, program, &fields);
	if (r < 0)
		log_warning("%s, the program of on-outcome, was not started: %s", program,
			r == -EAGAIN ? "too many of it run and wait" : strerror(-r));
}

/* It says nothing of whether boards change in this slot, and is no end of work that a label or a
 * lamp is for. */
static void end_check(struct dispatcher *dispatcher, struct bridge *bridge, struct report *report)
{
	(void)records_end(dispatcher->parts.records, &bridge->attempt, &bridge->facts, report);
	/* Its key stays that of the row by which the service goes on with it. */
	if (report_unit_is_told(report->unit))
		text_copy(bridge->attempt.unit, sizeof(bridge->attempt.unit), report->unit);
}

static uint64_t end_flash(
	struct dispatcher *dispatcher, struct bridge *bridge, struct report *report)
{
	uint64_t again =
		records_end(dispatcher->parts.records, &bridge->attempt, &bridge->facts, report);

	flap_note_end(dispatcher->parts.flaps, &bridge->facts,
		report_unit_is_told(report->unit) ? report->unit : "", report->outcome,
		monotonic_usec());
	run_hook(dispatcher, bridge, report);
	return again;
}

uint64_t dispatcher_end(void *userdata, struct bridge *bridge, struct report *report)
{
	struct dispatcher *dispatcher = userdata;
	uint64_t again = 0;

	if (attempt_operation_writes(bridge->attempt.operation))
		again = end_flash(dispatcher, bridge, report);
	else
		end_check(dispatcher, bridge, report);
	dispatcher_return_owners(dispatcher, bridge, report);
	if (dispatcher->parts.on_end)
		dispatcher->parts.on_end(dispatcher->parts.userdata, bridge, report);
	return again;
}

/* ------------------------------------------------------------ an end without a worker */

void dispatcher_refuse(struct bridge *bridge)
{
	enum match_result result = bridge->match.result;
	struct report end = {
		.outcome = result == MATCH_AMBIGUOUS ? OUTCOME_AMBIGUOUS : OUTCOME_NO_MATCH};
	char name[TEXT_MAX];

	if (*bridge->ask.board)
		reason_set(&end.reason,
			"by the configuration that is in force now the rule '%s', which was asked for, does not fit the bridge",
			text_escape(bridge->ask.board, name, sizeof(name)));
	else
		reason_set(&end.reason,
			result == MATCH_AMBIGUOUS
				? "by the configuration that is in force now two rules fit the bridge equally well: give one of them another key, such as path, or name one of them"
				: "by the configuration that is in force now no rule fits the bridge");
	bridge_refuse(bridge, &end);
}
