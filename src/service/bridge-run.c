/* SPDX-License-Identifier: MIT */
/*
 * bridge-run.c - an attempt at the unit behind a bridge:
 *
 *   bridge_run()            it begins: it has an id, a row in the store and an entry
 *   on_worker_question()    the worker asks, and is checked against what it asked before
 *   on_worker_end()         the worker is gone: is its report to be believed?
 *     retry()               the port was held or lost: another try of the same attempt, in a while
 *     end_attempt()         or the end: kept in the store, then told in the journal
 *   bridge_cancel()         somebody wants its end before the erase
 *
 * A job that somebody asked for has its id before it begins. Where it ends before that (cancelled,
 * unplugged, no rule any more), its attempt begins and ends in one step, so that it has a row and
 * an entry as each other has. A check (verify, probe, identify) takes the place of the attempt
 * before it as long as it lasts: what that left, failures, rule and image, is there again when it
 * has ended.
 *
 * An attempt ends exactly once, whatever ends it: its worker, the unplugging of its bridge, the
 * service, or that none could be started.
 */
#include "service/bridge-run.h"

#include <string.h>

#include <systemd/sd-id128.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/util.h"
#include "records/decide.h"
#include "records/settle.h"
#include "service/brltty.h"
#include "service/journal.h"
#include "service/tries.h"

/* A worker whose bridge is gone has nothing left to save. */
#define UNPLUGGED_GRACE_USEC USEC_PER_SEC

/* A program that takes bridges from their driver does it soon after plug-in; 0.5 to 21 s were
 * reported. */
#define THEFT_USEC (30 * USEC_PER_SEC)

/* ------------------------------------------------------------------------- begin and end */

void bridge_make_job_id(char to[static 33])
{
	sd_id128_t id;

	if (sd_id128_randomize(&id) < 0)
		id = SD_ID128_NULL;
	(void)sd_id128_to_string(id, to);
}

/* Of a check everything is its own, but for the unit as far as it is known. */
static void begin_check(struct bridge *bridge)
{
	struct attempt *attempt = &bridge->attempt;

	*bridge->kept = *attempt;
	*attempt = (struct attempt){0};
	text_copy(attempt->unit, sizeof(attempt->unit), bridge->kept->unit);
	text_copy(attempt->key, sizeof(attempt->key), bridge->kept->key);
	attempt->plug = bridge->kept->plug;
	attempt_begin(attempt, bridge->ask.id);
	attempt->operation = bridge->ask.operation;
}

/* Whoever asks knows of the failures, and may have changed the board behind the bridge. */
static void begin_asked(struct bridge *bridge)
{
	bridge->attempt.has_failed = false;
	bridge->image.held_sha256[0] = '\0';
	attempt_begin(&bridge->attempt, bridge->ask.id);
}

static void begin_attempt(struct bridge *bridge)
{
	char id[sizeof(bridge->ask.id)];

	bridge_make_job_id(id);
	if (bridge_is_checked(bridge))
		begin_check(bridge);
	else if (*bridge->ask.id)
		begin_asked(bridge);
	else
		attempt_begin(&bridge->attempt, id);
	text_copy(bridge->attempt.slot, sizeof(bridge->attempt.slot), bridge->slot);
}

/* One that ends before it got an image. */
static void begin_without_image(struct bridge *bridge)
{
	begin_attempt(bridge);
	text_copy(bridge->attempt.board, sizeof(bridge->attempt.board),
		*bridge->ask.board ? bridge->ask.board : bridge->match.board);
	bridge->attempt.image[0] = '\0';
	bridge->attempt.version[0] = '\0';
}

/* A check leaves the attempt before it as it was, but for the unit, which it may have met. */
static void end_ask(struct bridge *bridge)
{
	struct attempt *kept = bridge->kept;

	bridge->ask = (struct ask){0};
	bridge->kept = NULL;
	if (!kept)
		return;
	text_copy(kept->unit, sizeof(kept->unit), bridge->attempt.unit);
	bridge->attempt = *kept;
	free(kept);
}

/* What somebody asked for is told each time: he waits for it. */
static bool take_entry(struct bridge *bridge, unsigned entry)
{
	return *bridge->ask.id || bridge_take_entry(bridge, entry);
}

/*
 * Kept before it is told: what the journal says of an attempt, the store says as well. Returns how
 * long to wait before the unit is tried again, 0: it is not.
 */
static uint64_t end_attempt(struct bridge *bridge, const struct report *report)
{
	struct attempt *attempt = &bridge->attempt;
	struct report told = *report;
	uint64_t again;

	attempt->is_open = false;
	again = bridge->callbacks->on_end(bridge->userdata, bridge, &told);
	if (attempt_operation_writes(attempt->operation)) {
		bridge->image.was_unusable =
			told.outcome == OUTCOME_BAD_IMAGE || told.outcome == OUTCOME_NO_IMAGE;
		bridge->last = (struct bridge_end){wall_clock_msec(), told.outcome, told.reason};
	}
	if (take_entry(bridge, FLAP_ENDED + told.outcome))
		journal_ended(bridge, &told);
	if (attempt->rollback.state == ROLLBACK_DONE)
		journal_rolled_back(bridge, &told);
	if (attempt->note.quarantined_after > 0)
		journal_quarantined(bridge, &told, attempt->note.quarantined_after);
	if (attempt->note.drops > 0)
		journal_drops(bridge, &told);
	for (enum trust_way way = 0; way < TRUST_WAY_MAX; way++)
		if (attempt->note.turned_off[way])
			journal_turned_off(bridge, &told, way);
	parse_list_free(bridge->owners.names);
	bridge->owners = (struct bridge_owners){0};
	attempt->is_cancelled = false;
	end_ask(bridge);
	return again;
}

/* Ends the attempt, and the bridge goes to what is next: another one, what was scheduled while its
 * worker ran, what the service was about to do before a check, or nothing. */
static void finish(struct bridge *bridge, const struct report *report)
{
	bool is_check = bridge_is_checked(bridge), is_cancelled = bridge->attempt.is_cancelled;
	uint64_t again = end_attempt(bridge, report);

	if (bridge->state == BRIDGE_GONE)
		bridge->callbacks->on_change(bridge->userdata, bridge);
	else if (is_check)
		bridge_resume_own(bridge);
	else if (is_cancelled)
		bridge_enter_state(bridge, BRIDGE_DONE);
	/* Where two rules fit nobody says a second time which is meant. */
	else if (again > 0 && bridge->match.result == MATCH_ONE)
		bridge_schedule(bridge, SCHEDULE_REST, again);
	else if (bridge->state == BRIDGE_RUNNING)
		bridge_follow_schedule(bridge);
	else
		bridge_enter_state(bridge, BRIDGE_DONE);
}

/* A bridge that went: how soon, and who is known to do that. */
static void explain_loss(const struct bridge *bridge, struct report *report)
{
	uint64_t after = monotonic_usec() - bridge->appeared_usec;
	const char *suspect = after <= THEFT_USEC ? brltty_suspect() : NULL;
	struct reason why = report->reason;

	reason_set(&report->reason, "%s%sthe port was lost %llu ms after it appeared%s%s", why.text,
		*why.text ? "; " : "", (unsigned long long)(after / USEC_PER_MSEC),
		suspect ? "; " : "", suspect ? suspect : "");
}

/* Ends an attempt between two tries, or a job that has not begun: by unplugging, or with the
 * service. */
static void end_early(struct bridge *bridge, enum outcome outcome)
{
	struct report report;

	if (bridge_is_asked(bridge))
		begin_without_image(bridge);
	if (!bridge->attempt.is_open)
		return;
	report = bridge->attempt.last;
	report.outcome = outcome;
	report.duration_ms = (monotonic_usec() - bridge->attempt.started_usec) / USEC_PER_MSEC;
	if (outcome == OUTCOME_PORT_GONE)
		explain_loss(bridge, &report);
	(void)end_attempt(bridge, &report);
}

/* ------------------------------------------------------------------------------- the worker */

static void on_worker_progress(void *userdata, const struct progress *progress)
{
	struct bridge *bridge = userdata;

	bridge->progress = *progress;
	pace_take(&bridge->pace, progress, monotonic_usec(), wall_clock_msec());
	bridge->callbacks->on_progress(bridge->userdata, bridge);
}

/* A unit that was not touched, for whatever reason, holds what it held. */
static void note_held(struct bridge *bridge, const struct report *report)
{
	/* Current with a reason is one that holds something newer, and keeps it. */
	bool is_good = report->outcome == OUTCOME_UPDATED ||
		       (report->outcome == OUTCOME_CURRENT && !*report->reason.text);

	/* A check says nothing in favour of a unit, and more than nothing against one. */
	if (!attempt_operation_writes(bridge->attempt.operation)) {
		if (!is_good)
			bridge->image.held_sha256[0] = '\0';
		return;
	}
	if (is_good && !bridge->image.has_address)
		memcpy(bridge->image.held_sha256, report->sha256,
			sizeof(bridge->image.held_sha256));
	else if (report->phase > PHASE_IMAGE)
		bridge->image.held_sha256[0] = '\0';
}

static bool on_worker_question(
	void *userdata, enum question question, const struct report *so_far, struct answer *ret)
{
	struct bridge *bridge = userdata;
	bool is_answered;

	bridge->lie = claim_check_question(&bridge->claim, question, so_far);
	if (bridge->lie) {
		ret->word = ANSWER_LEAVE;
		worker_kill(bridge->worker, bridge->lie);
		return true;
	}
	is_answered =
		bridge->callbacks->on_question(bridge->userdata, bridge, question, so_far, ret);
	claim_note(&bridge->claim, question, so_far, ret);
	return is_answered;
}

void bridge_answer(struct bridge *bridge, const struct answer *answer)
{
	if (!bridge->worker)
		return;
	if (answer->word == ANSWER_LEAVE)
		claim_note_leave(&bridge->claim, answer);
	worker_answer(bridge->worker, answer);
}

/* The image of an attempt to go back is found by its digest, and has another name by now. */
static const char *find_lie(const struct bridge *bridge, const struct report *report)
{
	char image[TEXT_MAX], version[TEXT_MAX];
	bool goes_back = attempt_goes_back(&bridge->attempt);
	const struct claim_bounds bounds = {
		.image =
			goes_back ? NULL : text_escape(bridge->attempt.image, image, sizeof(image)),
		.version = goes_back
				   ? NULL
				   : text_escape(bridge->attempt.version, version, sizeof(version)),
		.sha256 = goes_back ? bridge->attempt.rollback.sha256 : NULL,
		.held_sha256 = bridge->image.held_sha256,
		.is_stopped = bridge->state == BRIDGE_GONE || bridge->is_stopping ||
			      bridge->attempt.is_cancelled ||
			      (bridge->worker && worker_is_of_another_build(bridge->worker)),
	};

	return bridge->lie ? bridge->lie : claim_check_report(&bridge->claim, &bounds, report);
}

/*
 * All that is left of a report that is not believed: of which unit it was, by the questions. It
 * counts as a failure of the unit only where that was erased, and then the unit is tried again.
 */
static void disbelieve(struct bridge *bridge, const char *lie, struct report *report)
{
	const struct claim *claim = &bridge->claim;
	struct report believed = {
		.outcome = OUTCOME_FAILED,
		.phase = claim->may_erase ? PHASE_ERASE : PHASE_NONE,
		.has_product_id = *claim->unit,
		.product_id = claim->product_id,
		.has_erased = report->has_erased,
	};

	text_copy(believed.family, sizeof(believed.family), claim->family);
	text_copy(believed.unit, sizeof(believed.unit), claim->unit);
	reason_set(&believed.reason,
		"the worker said '%s', and its word is not taken: %s; is the board one of yours? Else report this as a fault of plugflash",
		outcome_to_string(report->outcome), lie);
	journal_disbelieved(bridge, report, lie);
	*report = believed;
}

/*
 * Whether the entry of another try is made: each time where that ends soon, else ever more seldom.
 * A bridge that went is told when it went; one that did not, by bridge_run().
 */
static bool take_retry_entry(struct bridge *bridge, const struct report *report)
{
	unsigned n = bridge->attempt.n_retries;

	return !tries_has_lost_port(report) && take_entry(bridge, FLAP_RETRIED) &&
	       (!decide_is_shortage(report->error) || (n & (n + 1)) == 0);
}

/* Has the attempt go on with another try, in a while. Returns false where it has ended. */
static bool retry(struct bridge *bridge, const struct report *report)
{
	struct attempt *attempt = &bridge->attempt;
	uint64_t elapsed = monotonic_usec() - attempt->started_usec;
	uint64_t delay = tries_delay(report, attempt->n_retries, elapsed);

	/* A unit that holds its image is not written once more because its port went after that. */
	if (delay == 0 || settle_was_verified(attempt, report) || attempt->is_cancelled ||
		bridge->owners.is_final)
		return false;
	if (take_retry_entry(bridge, report))
		journal_retried(bridge, report, delay);
	attempt_note_try(attempt, report);
	bridge_schedule(bridge, SCHEDULE_TRY, delay);
	return true;
}

/* Somebody cancelled it, and it ended just then by what would have been followed by another try. */
static void cancel_tries(const struct attempt *attempt, struct report *report)
{
	struct reason why = report->reason;

	if (report->outcome == OUTCOME_CANCELLED || tries_delay(report, attempt->n_retries, 0) == 0)
		return;
	reason_set(&report->reason,
		"it was cancelled between two tries, the last of which ended as %s%s%s",
		outcome_to_string(report->outcome), *why.text ? ": " : "", why.text);
	report->outcome = OUTCOME_CANCELLED;
}

static void on_worker_end(void *userdata, const struct report *from)
{
	struct bridge *bridge = userdata;
	struct attempt *attempt = &bridge->attempt;
	struct report report = *from;
	bool is_unplugged = bridge->state == BRIDGE_GONE;
	const char *lie = find_lie(bridge, &report);

	bridge->worker = worker_free(bridge->worker);
	if (lie)
		disbelieve(bridge, lie, &report);
	note_held(bridge, &report);
	/* The image's name may hold no version, and its signature one. */
	if (!*attempt->version)
		text_copy(attempt->version, sizeof(attempt->version), report.version);
	/* It stopped, or had to be stopped, because its bridge went. */
	if (is_unplugged && !lie &&
		(report.outcome == OUTCOME_CANCELLED || report.outcome == OUTCOME_FAILED))
		report.outcome = OUTCOME_PORT_GONE;
	if (!is_unplugged && !bridge->is_stopping && retry(bridge, &report))
		return;
	if (!is_unplugged && attempt->is_cancelled)
		cancel_tries(attempt, &report);
	if (report.outcome == OUTCOME_PORT_GONE)
		explain_loss(bridge, &report);
	if (report.duration_ms == 0)
		report.duration_ms = (monotonic_usec() - attempt->started_usec) / USEC_PER_MSEC;
	finish(bridge, &report);
}

/* As the rule is when the job begins: a reload while it runs is for the next one. 0 or -ENOMEM. */
static int take_owners(struct bridge *bridge, const struct board *board)
{
	struct bridge_owners owners = {.n_names = board->n_port_owner};

	if (board->n_port_owner > 0 &&
		parse_list_copy(board->port_owner, board->n_port_owner, &owners.names) < 0)
		return -ENOMEM;
	bridge->owners = owners;
	return 0;
}

/* Its rule is not that of the bridge where somebody named one of two. A check has no image before
 * this; a flash was given its own when that was chosen, and the assignment borrows it. */
static void take_assignment(struct attempt *attempt, const struct assignment *assignment)
{
	text_copy(attempt->board, sizeof(attempt->board), assignment->board.name);
	if (attempt_operation_writes(attempt->operation))
		return;
	text_copy(attempt->image, sizeof(attempt->image), assignment->image);
	text_copy(attempt->version, sizeof(attempt->version), assignment->version);
}

/* -1: none is kept. */
static int open_transcript(const struct transcripts *transcripts, const struct attempt *attempt)
{
	int fd, r = transcripts_open(transcripts, attempt->id, &fd);

	if (r < 0)
		log_warning(
			"the transcript of job %s cannot be kept: %s; the job goes on without: is there room in the state directory?",
			attempt->id, strerror(-r));
	return fd;
}

void bridge_run(struct bridge *bridge, const char *program, const struct transcripts *transcripts,
	const struct assignment *assignment)
{
	const struct worker_limits limits = worker_limits_for(&assignment->board);
	const struct worker_callbacks callbacks = {
		.on_progress = on_worker_progress,
		.on_question = on_worker_question,
		.on_end = on_worker_end,
		.userdata = bridge,
	};
	struct attempt *attempt = &bridge->attempt;
	struct report report = {.outcome = OUTCOME_FAILED};
	CLEANUP(closep) int transcript = -1;
	int r = 0;

	if (!attempt->is_open) {
		begin_attempt(bridge);
		take_assignment(attempt, assignment);
		r = take_owners(bridge, &assignment->board);
		bridge->callbacks->on_begin(bridge->userdata, bridge);
		if (take_entry(bridge, FLAP_STARTED))
			journal_started(bridge);
	} else if (tries_has_lost_port(&attempt->last) && take_entry(bridge, FLAP_RETRIED)) {
		journal_retried(bridge, &attempt->last, 0);
	}
	bridge->claim = (struct claim){.operation = attempt->operation};
	bridge->progress = (struct progress){0};
	bridge->pace = (struct pace){.is_check = !attempt_operation_writes(attempt->operation)};
	bridge->lie = NULL;
	transcript = open_transcript(transcripts, attempt);
	if (r >= 0)
		r = worker_new(bridge->event, program, transcript, assignment, &limits, &callbacks,
			&bridge->worker, &report.reason);
	report.error = -r;
	if (r >= 0)
		bridge_enter_state(bridge, BRIDGE_RUNNING);
	else if (!retry(bridge, &report))
		finish(bridge, &report);
}

void bridge_fail(struct bridge *bridge, const struct report *end)
{
	if (!bridge->attempt.is_open && bridge_is_checked(bridge))
		begin_without_image(bridge);
	else if (!bridge->attempt.is_open)
		begin_attempt(bridge);
	finish(bridge, end);
}

void bridge_refuse(struct bridge *bridge, const struct report *end)
{
	if (!bridge->attempt.is_open)
		begin_without_image(bridge);
	finish(bridge, end);
}

void bridge_fail_for(struct bridge *bridge, int error)
{
	struct report report = {.outcome = OUTCOME_FAILED, .error = -error};
	uint64_t delay;

	if (!decide_is_shortage(error)) {
		reason_set(&report.reason, "the service could not prepare the attempt: %s",
			strerror(-error));
		bridge_fail(bridge, &report);
		return;
	}
	/* Before an attempt begins there is nothing to keep open: the bridge is looked at again as
	 * if it had just appeared. */
	delay = tries_delay(&report, bridge->attempt.n_retries, 0);
	if (take_retry_entry(bridge, &report))
		log_warning(
			"%s: the host is short of memory or descriptors (%s), which is no fault of the board; it is looked at again in %llu s",
			bridge->facts.port, strerror(-error),
			(unsigned long long)(delay / USEC_PER_SEC));
	bridge->attempt.n_retries++;
	bridge_schedule(bridge, SCHEDULE_ROOM, delay);
}

/* ----------------------------------------------------------------------------- an end from outside
 */

/*
 * A bridge that went before its first attempt began is no news, unless somebody is known who takes
 * them: then nobody would learn why the board stays as it is. One that flaps is expected to go.
 */
static bool is_stolen_unseen(const struct bridge *bridge)
{
	return bridge->attempt.started_usec == 0 && bridge->match.result == MATCH_ONE &&
	       bridge->schedule.reason != SCHEDULE_NONE &&
	       bridge->schedule.reason != SCHEDULE_FLAP && brltty_suspect();
}

void bridge_unplug(struct bridge *bridge)
{
	if (is_stolen_unseen(bridge))
		begin_attempt(bridge);
	if (bridge->worker)
		worker_abandon(bridge->worker, UNPLUGGED_GRACE_USEC);
	else
		end_early(bridge, OUTCOME_PORT_GONE);
	bridge_enter_state(bridge, BRIDGE_GONE);
}

void bridge_stop(struct bridge *bridge)
{
	bridge->is_stopping = true;
	if (bridge->state == BRIDGE_GONE)
		return;
	if (bridge->worker) {
		worker_cancel(bridge->worker);
		return;
	}
	end_early(bridge, OUTCOME_CANCELLED);
	bridge_enter_state(bridge, BRIDGE_GONE);
}

/* The image that it was to get is none to begin anew for: with the first look it is noted. */
static void cancel_unbegun(struct bridge *bridge)
{
	begin_without_image(bridge);
	if (attempt_operation_writes(bridge->attempt.operation))
		bridge->image.is_noted_only = true;
}

static void cancel_now(struct bridge *bridge)
{
	struct attempt *attempt = &bridge->attempt;
	struct report report = {.outcome = OUTCOME_CANCELLED};

	if (bridge_is_asked(bridge)) {
		cancel_unbegun(bridge);
		reason_set(&report.reason, "it was cancelled before its turn came");
	} else {
		report = attempt->last;
		cancel_tries(attempt, &report);
		report.outcome = OUTCOME_CANCELLED;
		report.duration_ms = (monotonic_usec() - attempt->started_usec) / USEC_PER_MSEC;
	}
	attempt->is_cancelled = true;
	finish(bridge, &report);
}

bool bridge_cancel(struct bridge *bridge)
{
	struct attempt *attempt = &bridge->attempt;

	if (attempt->is_open && attempt->has_begun_erase)
		return false;
	if (!bridge->worker) {
		cancel_now(bridge);
		return true;
	}
	/* Its answer to a question of the erase is not given any more: see worker.c. */
	attempt->is_cancelled = true;
	bridge->schedule.reason = SCHEDULE_NONE;
	worker_cancel(bridge->worker);
	return true;
}
