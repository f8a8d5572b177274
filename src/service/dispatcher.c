/* SPDX-License-Identifier: MIT */
/*
 * dispatcher.c - the way of a bridge through the service, in this order:
 *
 *   it appears, by udev or an enumeration         dispatcher_add_bridge()
 *   it is matched against the rules               consider()
 *   its port comes to rest                        bridge_schedule(), in WAITING
 *   its turn comes                                dispatcher_turn(), is_held(), next_bridge()
 *   who is there now? it gets image and rule      start_bridge(), chooser_choose()
 *   a worker runs, and asks                       bridge_run(), dispatcher_answer()
 *   the attempt ends: it is kept, then told       dispatcher_end()
 *   what next: nothing, or another attempt        bridge_schedule(), review()
 *
 * A callback of a bridge never starts, ends or frees one: it answers, and asks for a turn. All that
 * follows is done in dispatcher_turn(), in one order, so that no bridge is freed below somebody who
 * still uses it, and boards take their turns by appearance and not by which event of one round of
 * the loop came first.
 */
#include "service/dispatcher-private.h"

#include <errno.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/outcome.h"
#include "base/util.h"
#include "device/monitor.h"
#include "service/bridge-run.h"
#include "service/journal.h"

static void ask_for_turn(struct dispatcher *dispatcher)
{
	dispatcher->parts.on_change(dispatcher->parts.userdata);
}

bool dispatcher_host_goes_down(const struct dispatcher *dispatcher)
{
	return inhibitor_word(dispatcher->parts.inhibitor) == INHIBITOR_GOING_DOWN;
}

/* ------------------------------------------------------------------------- bridges come and go */

static const struct bridge_callbacks callbacks;
static void consider(struct dispatcher *dispatcher, struct bridge *bridge,
	enum schedule_reason reason, uint64_t delay);

static struct bridge *find_bridge(struct dispatcher *dispatcher, const char *sysfs)
{
	struct bridge *bridge;

	TAILQ_FOREACH(bridge, &dispatcher->bridges, link)
	{
		if (bridge->state != BRIDGE_GONE && strcmp(bridge->facts.sysfs, sysfs) == 0)
			return bridge;
	}
	return NULL;
}

static void add_bridge(struct dispatcher *dispatcher, const struct facts *facts)
{
	struct flap_verdict flap = flap_count(dispatcher->parts.flaps, facts, monotonic_usec());
	struct bridge *bridge;

	if (flap.is_entry_due)
		journal_flapping(
			facts, config_slot_name(&dispatcher->config, facts->usb_path), &flap);
	if (bridge_new(dispatcher->parts.event, facts, &callbacks, dispatcher, &bridge) < 0) {
		dispatcher->parts.on_missed(dispatcher->parts.userdata);
		return;
	}
	bridge->number = ++dispatcher->last_number;
	bridge->flaps = dispatcher->parts.flaps;
	bridge->sweep_seq = dispatcher->sweep_seq;
	TAILQ_INSERT_TAIL(&dispatcher->bridges, bridge, link);
	if (dispatcher->is_first_look)
		return;
	consider(dispatcher, bridge, flap.delay_usec > 0 ? SCHEDULE_FLAP : SCHEDULE_SETTLE,
		dispatcher->config.service.settle_usec + flap.delay_usec);
}

static void unplug(struct dispatcher *dispatcher, struct bridge *gone)
{
	struct bridge *bridge;

	bridge_unplug(gone);
	/* A bridge that was refused for the same id is alone with it now. */
	TAILQ_FOREACH(bridge, &dispatcher->bridges, link)
	{
		const struct attempt *flash = bridge_flash(bridge);
		bool is_done = bridge->state == BRIDGE_DONE || bridge->kept;

		if (is_done && flash->note.cause == CAUSE_TWIN && *gone->attempt.unit &&
			strcmp(flash->unit, gone->attempt.unit) == 0)
			bridge_schedule(bridge, SCHEDULE_TWIN, 0);
	}
}

void dispatcher_add_bridge(struct dispatcher *dispatcher, const struct facts *facts)
{
	struct bridge *bridge = find_bridge(dispatcher, facts->sysfs);

	/* Most events are about a bridge that is known. */
	if (bridge && bridge_is_for(bridge, facts))
		bridge->sweep_seq = dispatcher->sweep_seq;
	else if (bridge)
		unplug(dispatcher, bridge);
	if ((!bridge || bridge->state == BRIDGE_GONE) && !dispatcher->is_stopping)
		add_bridge(dispatcher, facts);
}

void dispatcher_remove_bridge(struct dispatcher *dispatcher, const char *sysfs)
{
	struct bridge *gone = find_bridge(dispatcher, sysfs);

	if (gone)
		unplug(dispatcher, gone);
}

void dispatcher_begin_sweep(struct dispatcher *dispatcher)
{
	dispatcher->sweep_seq++;
	dispatcher->is_first_look = dispatcher->sweep_seq == 1;
}

void dispatcher_end_sweep(struct dispatcher *dispatcher)
{
	struct bridge *bridge;

	TAILQ_FOREACH(bridge, &dispatcher->bridges, link)
	{
		if (bridge->state != BRIDGE_GONE && bridge->sweep_seq != dispatcher->sweep_seq)
			unplug(dispatcher, bridge);
		else if (dispatcher->is_first_look && bridge->state == BRIDGE_NEW)
			consider(dispatcher, bridge, SCHEDULE_SETTLE,
				dispatcher->config.service.settle_usec);
	}
	dispatcher->is_first_look = false;
}

/* ------------------------------------------------------------------------------------ its rule */

/* No rule, or two. */
static void leave_alone(
	struct dispatcher *dispatcher, struct bridge *bridge, const struct match *match)
{
	struct match_miss nearest;
	bool has_rules;

	if (*bridge->ask.id) {
		if (bridge->match.result != MATCH_ONE)
			bridge->own = (struct schedule){0};
		dispatcher_refuse(bridge);
		return;
	}
	if (bridge->match.result == MATCH_AMBIGUOUS && bridge_take_entry(bridge, FLAP_AMBIGUOUS))
		journal_ambiguous(bridge, match);
	else if (bridge->match.result == MATCH_NONE && bridge_take_entry(bridge, FLAP_NO_MATCH)) {
		has_rules = match_nearest(dispatcher_config(dispatcher), &bridge->facts, &nearest);
		journal_no_match(bridge, has_rules ? &nearest : NULL);
	}
	bridge_enter_state(bridge, BRIDGE_DONE);
}

/* The rules were read anew, or the bridge has appeared: then its port is given time to settle. */
static void consider(struct dispatcher *dispatcher, struct bridge *bridge,
	enum schedule_reason reason, uint64_t delay)
{
	struct match match;
	int r = bridge_match(bridge, &dispatcher->config, dispatcher->config_seq, &match);

	bridge->is_from_start = dispatcher->is_first_look;
	if (r < 0)
		bridge_fail_for(bridge, r);
	else if (r == 0 && bridge->state == BRIDGE_DONE)
		return;
	else if (bridge->match.result != MATCH_ONE)
		leave_alone(dispatcher, bridge, &match);
	else
		bridge_schedule(bridge, reason, delay);
}

/* ------------------------------------------------------------------------------ its turn comes */

/* Name of the rule whose image it gets at its turn; NULL: it needs none. */
static const char *image_rule(const struct bridge *bridge)
{
	if (!bridge_needs_image(bridge))
		return NULL;
	return *bridge->ask.board ? bridge->ask.board : bridge->match.board;
}

/*
 * The bridge that has waited longest among those that may run now: within the limit of the
 * configuration, where nobody holds it back, where no worker of a bridge that was pulled out still
 * holds the node that the next bridge has now, and where the rule's image is not being looked up.
 * NULL: none.
 */
static struct bridge *next_bridge(struct dispatcher *dispatcher)
{
	uint32_t limit = dispatcher->config.service.max_jobs;
	struct bridge *bridge, *next = NULL;
	const struct bridge *holder;

	if (limit > 0 && dispatcher_count(dispatcher).running >= limit)
		return NULL;
	TAILQ_FOREACH(bridge, &dispatcher->bridges, link)
	{
		if (bridge->state != BRIDGE_QUEUED || bridge->is_held ||
			(next && bridge->schedule.since_usec >= next->schedule.since_usec) ||
			image_cache_is_asking(&dispatcher->chooser.cache, image_rule(bridge)))
			continue;
		TAILQ_FOREACH(holder, &dispatcher->bridges, link)
		{
			if (holder != bridge && holder->worker &&
				strcmp(holder->facts.port, bridge->facts.port) == 0)
				break;
		}
		if (!holder)
			next = bridge;
	}
	return next;
}

static void start_worker(
	struct dispatcher *dispatcher, struct bridge *bridge, const struct board *board)
{
	const struct transcripts transcripts = {
		dispatcher->parts.state, dispatcher->config.service.transcripts};
	struct assignment assignment;
	struct report end;
	uint64_t rest = 0;
	int r = bridge_is_checked(bridge)
			? chooser_choose_check(
				  &dispatcher->chooser, bridge, board, &assignment, &end)
			: chooser_choose(&dispatcher->chooser, bridge, board, &assignment, &end);

	if (r == CHOICE_ASKED)
		return;
	if (r == 0 && !*bridge->ask.id)
		rest = chooser_resume_rest(&dispatcher->chooser, bridge, board);
	if (rest > 0)
		bridge_schedule(bridge, SCHEDULE_REST, rest);
	else if (r < 0)
		bridge_fail_for(bridge, r);
	else if (r == CHOICE_WAIT)
		/* The chooser has said so, once for all boards that wait. */
		bridge_enter_state(bridge, BRIDGE_DONE);
	else if (r == CHOICE_NONE)
		bridge_fail(bridge, &end);
	else
		bridge_run(bridge, dispatcher->parts.worker, &transcripts, &assignment);
}

/* NULL where no rule fits, or more than one and nobody has said which. */
static const struct board *rule_for(const struct bridge *bridge, const struct match *match)
{
	const char *named = bridge->ask.board;

	if (bridge->match.result == MATCH_NONE || !match->board)
		return NULL;
	if (*named ? strcmp(named, match->board->name) == 0 : bridge->match.result == MATCH_ONE)
		return match->board;
	if (*named && match->other && strcmp(named, match->other->name) == 0)
		return match->other;
	return NULL;
}

/*
 * Between its event and its turn the bridge may have gone, and another have its node: who is there
 * is asked again, and what was found is what is matched and flashed.
 */
static void start_bridge(struct dispatcher *dispatcher, struct bridge *bridge)
{
	CLEANUP(facts_done) struct facts found = {0}, before = {0};
	const struct board *board = NULL;
	struct match match = {0};
	int r = bridge_find(bridge->facts.port, &found);

	if (r == -ENODEV || (r == 0 && !bridge_is_for(bridge, &found))) {
		if (bridge_take_entry(bridge, FLAP_MISSED))
			log_info(
				"%s: the bridge is another than the one that was announced, or gone",
				bridge->facts.port);
		unplug(dispatcher, bridge);
		if (r == 0)
			dispatcher_add_bridge(dispatcher, &found);
		return;
	}
	if (r == 0) {
		before = bridge->facts;
		bridge->facts = found;
		found = (struct facts){0};
		r = bridge_match(bridge, &dispatcher->config, dispatcher->config_seq, &match);
	}
	/* What the service is to do by another rule comes after the check. */
	if (r == BRIDGE_MATCH_CHANGED && bridge_is_checked(bridge))
		bridge_schedule(bridge, SCHEDULE_RULE, 0);
	if (r >= 0)
		board = rule_for(bridge, &match);
	if (r < 0)
		bridge_fail_for(bridge, r);
	else if (board)
		start_worker(dispatcher, bridge, board);
	else
		leave_alone(dispatcher, bridge, &match);
}

/* ------------------------------------------------------------------- its worker asks, and ends */

static void on_change(void *userdata, struct bridge *bridge)
{
	(void)bridge;
	ask_for_turn(userdata);
}

static void on_progress(void *userdata, struct bridge *bridge)
{
	struct dispatcher *dispatcher = userdata;

	dispatcher->parts.on_progress(dispatcher->parts.userdata, bridge);
}

static void on_begin(void *userdata, struct bridge *bridge)
{
	struct dispatcher *dispatcher = userdata;

	records_begin(dispatcher->parts.records, &bridge->attempt, &bridge->facts);
}

static const struct bridge_callbacks callbacks = {
	.on_change = on_change,
	.on_begin = on_begin,
	.on_question = dispatcher_answer,
	.on_end = dispatcher_end,
	.on_progress = on_progress,
};

/* ----------------------------------------------------------------------------------- what next */

/*
 * A bridge that is done or waits, and of which something may be another by now: its rule, its
 * image, or the host. Bridges that are queued or have a worker are matched when their turn comes.
 */
static void review(struct dispatcher *dispatcher, struct bridge *bridge)
{
	bool is_new_config = bridge->match.config_seq != dispatcher->config_seq;
	struct match match;

	if (!bridge_is_idle(bridge))
		return;
	/* A shutdown that was called off, or a sleep that is over: what was put off is due. */
	if (bridge->schedule.reason == SCHEDULE_HOST && !dispatcher_host_goes_down(dispatcher))
		bridge_schedule(bridge, SCHEDULE_HOST, 0);
	/* A board that waits because it failed is not kept waiting by the rule it failed with. */
	if (bridge->state == BRIDGE_DONE && is_new_config)
		consider(dispatcher, bridge, SCHEDULE_RULE, 0);
	else if (bridge->state == BRIDGE_WAITING && bridge->attempt.has_failed && is_new_config &&
		 bridge_match(bridge, &dispatcher->config, dispatcher->config_seq, &match) > 0)
		bridge_schedule(bridge, SCHEDULE_RULE, 0);
	/* One that was not looked at yet gets the image of its turn. */
	if (bridge_is_idle(bridge) && bridge->match.result == MATCH_ONE &&
		bridge->image.seq != dispatcher->chooser.images_seq &&
		chooser_review(&dispatcher->chooser, bridge) &&
		(bridge->state == BRIDGE_DONE || bridge->image.stamp))
		bridge_schedule(bridge, SCHEDULE_IMAGE, 0);
	/* A job whose image was being copied; what ended that may have left none. */
	if (bridge->state == BRIDGE_DONE && bridge_is_asked(bridge) &&
		bridge->ask.images_seq != dispatcher->chooser.images_seq)
		bridge_schedule(bridge, SCHEDULE_JOB, 0);
	/* A unit whose rule has another image by now gets that. */
	if (bridge_is_idle(bridge) && bridge->attempt.rollback.state == ROLLBACK_WANTED)
		chooser_begin_rollback(&dispatcher->chooser, bridge);
}

/* ------------------------------------------------------------------------------------ the turn */

/* The host waits while boards are flashed or about to be; one that goes down is not asked to wait
 * for a board that does not get its turn before. */
static void hold_host(struct dispatcher *dispatcher)
{
	struct dispatcher_counts counts = dispatcher_count(dispatcher);
	const struct bridge *bridge;
	bool has_queued = false;

	TAILQ_FOREACH(bridge, &dispatcher->bridges, link)
	{
		has_queued |= bridge->state == BRIDGE_QUEUED && !bridge->is_held;
	}
	inhibitor_set_need(dispatcher->parts.inhibitor,
		counts.running > 0 || (has_queued && !dispatcher_host_goes_down(dispatcher))
			? INHIBITOR_HOLD
		: counts.waiting > 0 ? INHIBITOR_READY
				     : INHIBITOR_IDLE);
}

/* Attempts of this rule that are under way, also between two tries. */
static uint32_t count_flashes(const struct dispatcher *dispatcher, const char *board)
{
	const struct bridge *bridge;
	uint32_t n = 0;

	TAILQ_FOREACH(bridge, &dispatcher->bridges, link)
	{
		n += bridge->attempt.is_open && bridge->attempt.operation == OPERATION_FLASH &&
		     strcmp(bridge->attempt.board, board) == 0;
	}
	return n;
}

/* No more begin than are missing in the batch; one that begins is not held back any more, nor is
 * one that cannot be counted. */
static bool is_beyond_batch(const struct dispatcher *dispatcher, const struct bridge *bridge)
{
	const struct records *records = dispatcher->parts.records;

	return records && *records->batch.board && !bridge->attempt.is_open &&
	       !bridge_is_checked(bridge) && !attempt_goes_back(&bridge->attempt) &&
	       batch_is_full(&records->batch, image_rule(bridge),
		       count_flashes(dispatcher, records->batch.board));
}

/* A unit that this attempt has erased is finished in spite of a pause, but not on a port that
 * somebody else uses. */
static bool is_held(const struct dispatcher *dispatcher, const struct bridge *bridge)
{
	const struct attempt *attempt = &bridge->attempt;

	if (bridge->state != BRIDGE_QUEUED)
		return false;
	switch (holds_blocks(&dispatcher->holds, bridge->number)) {
	case HOLD_PAUSE:
		return !attempt->is_open || !attempt->has_begun_erase;
	case HOLD_INHIBITOR:
		return true;
	case HOLD_NONE:
	case HOLD_MAX:
		break;
	}
	return is_beyond_batch(dispatcher, bridge);
}

static void free_gone(struct dispatcher *dispatcher)
{
	struct bridge *bridge = TAILQ_FIRST(&dispatcher->bridges);

	while (bridge) {
		struct bridge *next = TAILQ_NEXT(bridge, link);

		if (bridge->state == BRIDGE_GONE && !bridge->worker) {
			TAILQ_REMOVE(&dispatcher->bridges, bridge, link);
			bridge_free(bridge);
		}
		bridge = next;
	}
}

void dispatcher_turn(struct dispatcher *dispatcher)
{
	struct bridge *bridge;

	if (dispatcher->parts.records)
		records_retry(dispatcher->parts.records);
	TAILQ_FOREACH(bridge, &dispatcher->bridges, link)
	{
		if (dispatcher->is_stopping) {
			bridge_stop(bridge);
			continue;
		}
		review(dispatcher, bridge);
		bridge_end_wait(bridge, monotonic_usec());
		bridge_note_hold(bridge, is_held(dispatcher, bridge));
	}
	hold_host(dispatcher);
	/* One a turn: to start a process takes milliseconds, and others are to be heard between. */
	if (!dispatcher->is_stopping &&
		inhibitor_word(dispatcher->parts.inhibitor) == INHIBITOR_GO &&
		(bridge = next_bridge(dispatcher))) {
		start_bridge(dispatcher, bridge);
		ask_for_turn(dispatcher);
	}
	hold_host(dispatcher);
	free_gone(dispatcher);
	owners_turn(dispatcher->owners, dispatcher->is_stopping);
}

/* ------------------------------------------------------------------------------- start and end */

int dispatcher_new(const struct dispatcher_parts *parts, struct dispatcher **ret)
{
	struct dispatcher *dispatcher = calloc(1, sizeof(*dispatcher));

	if (!dispatcher)
		return -ENOMEM;
	dispatcher->parts = *parts;
	dispatcher->chooser = (struct chooser){
		.records = parts->records,
		.chips_dir = parts->chips_dir,
		.cache.parts = {parts->event, &dispatcher->config, parts->worker, parts->chips,
			parts->watch, parts->on_change, parts->userdata},
	};
	TAILQ_INIT(&dispatcher->bridges);
	if (dispatcher_add_owners(dispatcher) < 0) {
		free(dispatcher);
		return -ENOMEM;
	}
	*ret = dispatcher;
	return 0;
}

struct dispatcher *dispatcher_free(struct dispatcher *dispatcher)
{
	struct bridge *bridge;

	if (!dispatcher)
		return NULL;
	while ((bridge = TAILQ_FIRST(&dispatcher->bridges))) {
		TAILQ_REMOVE(&dispatcher->bridges, bridge, link);
		bridge_free(bridge);
	}
	owners_free(dispatcher->owners);
	chooser_done(&dispatcher->chooser);
	config_done(&dispatcher->config);
	free(dispatcher);
	return NULL;
}

void dispatcher_images_changed(struct dispatcher *dispatcher)
{
	chooser_images_changed(&dispatcher->chooser);
	ask_for_turn(dispatcher);
}

void dispatcher_set_config(struct dispatcher *dispatcher, struct config *config)
{
	struct bridge *bridge;

	config_done(&dispatcher->config);
	dispatcher->config = *config;
	*config = (struct config){0};
	dispatcher->config_seq++;
	chooser_config_changed(&dispatcher->chooser);
	TAILQ_FOREACH(bridge, &dispatcher->bridges, link)
	{
		bridge_name_slot(bridge, &dispatcher->config);
		/* Another directory, or another word on signatures; a key may have come with it. */
		if (!bridge->image.was_unusable)
			continue;
		free(bridge->image.stamp);
		bridge->image.stamp = NULL;
	}
	dispatcher_review_owners(dispatcher);
	if (dispatcher->parts.records)
		dispatcher->parts.records->is_required = dispatcher->config.service.require_store;
}

const struct config *dispatcher_config(const struct dispatcher *dispatcher)
{
	return &dispatcher->config;
}

struct holds *dispatcher_holds(struct dispatcher *dispatcher)
{
	return &dispatcher->holds;
}

struct records *dispatcher_records(const struct dispatcher *dispatcher)
{
	return dispatcher->parts.records;
}

bool dispatcher_is_stopping(const struct dispatcher *dispatcher)
{
	return dispatcher->is_stopping;
}

void dispatcher_wake(struct dispatcher *dispatcher)
{
	ask_for_turn(dispatcher);
}

void dispatcher_stop(struct dispatcher *dispatcher)
{
	dispatcher->is_stopping = true;
	ask_for_turn(dispatcher);
}

struct bridge *dispatcher_next(const struct dispatcher *dispatcher, const struct bridge *previous)
{
	return previous ? TAILQ_NEXT(previous, link) : TAILQ_FIRST(&dispatcher->bridges);
}

struct dispatcher_counts dispatcher_count(const struct dispatcher *dispatcher)
{
	struct dispatcher_counts counts = {0};
	const struct bridge *bridge;

	TAILQ_FOREACH(bridge, &dispatcher->bridges, link)
	{
		counts.bridges += bridge->state != BRIDGE_GONE;
		counts.running += bridge->worker != NULL;
		/* Also for the copy of its image to end, and then it has no schedule. */
		counts.waiting += bridge->state == BRIDGE_WAITING ||
				  bridge->state == BRIDGE_QUEUED || bridge_is_asked(bridge);
	}
	return counts;
}
