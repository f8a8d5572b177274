/* SPDX-License-Identifier: MIT */
/*
 * bridge.c - the life of a bridge while it is plugged in:
 *
 *   NEW ── rule ──> WAITING ── time ──> QUEUED ── turn ──> RUNNING ── end ──> DONE
 *
 * NEW goes to DONE at once where no rule fits, QUEUED where there is no image to give. RUNNING and
 * DONE go back to WAITING: another try, another attempt. WAITING goes to DONE where somebody
 * cancels what it waits for. Each may go to GONE.
 *
 * Every way back to WAITING is a schedule with its reason: one function makes it, whoever asks for
 * it and whatever the state is. Somebody who has no time to give (the host is about to sleep)
 * schedules SCHEDULE_NEVER, and is the one to schedule it anew.
 */
#include "service/bridge.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <systemd/sd-id128.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/util.h"

#define TIMER_ACCURACY_USEC (5 * USEC_PER_MSEC)

static const char *const states[BRIDGE_STATE_MAX] = {
	[BRIDGE_NEW] = "new",
	[BRIDGE_WAITING] = "waiting",
	[BRIDGE_QUEUED] = "queued",
	[BRIDGE_RUNNING] = "running",
	[BRIDGE_DONE] = "done",
	[BRIDGE_GONE] = "gone",
};

static const char *const reasons[SCHEDULE_REASON_MAX] = {
	[SCHEDULE_NONE] = "none",
	[SCHEDULE_SETTLE] = "settle",
	[SCHEDULE_FLAP] = "flap",
	[SCHEDULE_RULE] = "rule",
	[SCHEDULE_IMAGE] = "image",
	[SCHEDULE_TRY] = "try",
	[SCHEDULE_ROOM] = "room",
	[SCHEDULE_REST] = "rest",
	[SCHEDULE_ROLLBACK] = "rollback",
	[SCHEDULE_TWIN] = "twin",
	[SCHEDULE_HOST] = "host",
	[SCHEDULE_ASKED] = "asked",
	[SCHEDULE_JOB] = "job",
};

const char *bridge_state_to_string(enum bridge_state state)
{
	return states[state];
}

bool bridge_state_may_follow(enum bridge_state from, enum bridge_state to)
{
	if (from == BRIDGE_GONE || to == BRIDGE_NEW)
		return false;
	if (to == BRIDGE_RUNNING)
		return from == BRIDGE_QUEUED;
	return to != BRIDGE_QUEUED || from != BRIDGE_QUEUED;
}

bool bridge_is_idle(const struct bridge *bridge)
{
	/* One that is done waits for no try, also where its attempt is open: its image is copied.
	 */
	return bridge->state == BRIDGE_DONE ||
	       (bridge->state == BRIDGE_WAITING && !bridge->attempt.is_open);
}

void bridge_enter_state(struct bridge *bridge, enum bridge_state state)
{
	struct schedule *schedule = &bridge->schedule;

	assert(bridge_state_may_follow(bridge->state, state));
	log_debug("%s: %s, was %s, for %s", bridge->facts.port, states[state],
		states[bridge->state], reasons[schedule->reason]);
	schedule->timer = sd_event_source_disable_unref(schedule->timer);
	if (state != BRIDGE_WAITING && state != BRIDGE_QUEUED)
		schedule->reason = SCHEDULE_NONE;
	bridge->state = state;
	bridge->is_held = false;
	bridge->since_ms = wall_clock_msec();
	bridge->callbacks->on_change(bridge->userdata, bridge);
}

/* -------------------------------------------------------------------------------- the schedule */

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	bridge_enter_state(userdata, BRIDGE_QUEUED);
	return 0;
}

static void follow_schedule(struct bridge *bridge, uint64_t now)
{
	struct schedule *schedule = &bridge->schedule;

	if (schedule->reason == SCHEDULE_NONE) {
		bridge_enter_state(bridge, BRIDGE_DONE);
		return;
	}
	if (schedule->due_usec <= now) {
		bridge_enter_state(bridge, BRIDGE_QUEUED);
		return;
	}
	bridge_enter_state(bridge, BRIDGE_WAITING);
	if (schedule->due_usec != SCHEDULE_NEVER &&
		sd_event_add_time(bridge->event, &schedule->timer, CLOCK_MONOTONIC,
			schedule->due_usec, TIMER_ACCURACY_USEC, on_timer, bridge) < 0)
		bridge_enter_state(bridge, BRIDGE_QUEUED);
}

void bridge_follow_schedule(struct bridge *bridge)
{
	follow_schedule(bridge, monotonic_usec());
}

/* Reasons of the job itself; all others are of what the service does with the bridge. */
static bool is_of_job(enum schedule_reason reason)
{
	return reason == SCHEDULE_JOB || reason == SCHEDULE_TRY || reason == SCHEDULE_ROOM;
}

/* With the times of another one, and its own timer. */
static void set_schedule(struct schedule *schedule, const struct schedule *times)
{
	sd_event_source *timer = schedule->timer;

	*schedule = *times;
	schedule->timer = timer;
}

void bridge_schedule(struct bridge *bridge, enum schedule_reason reason, uint64_t usec)
{
	uint64_t now = monotonic_usec();
	struct schedule made = {
		.reason = reason,
		.since_usec = now,
		.due_usec = usec < SCHEDULE_NEVER - now ? now + usec : SCHEDULE_NEVER,
	};

	if (made.due_usec != SCHEDULE_NEVER)
		made.due_ms = wall_clock_msec() + (int64_t)(usec / USEC_PER_MSEC);
	/* It does not take the place of a check, and follows it. */
	if (bridge_is_checked(bridge) && !is_of_job(reason)) {
		bridge->own = made;
		return;
	}
	set_schedule(&bridge->schedule, &made);
	/* By the same time: a bridge that is queued is not queued by a wait that has just ended. */
	if (!bridge->worker)
		follow_schedule(bridge, now);
}

void bridge_end_wait(struct bridge *bridge, uint64_t now)
{
	if (bridge->state == BRIDGE_WAITING && bridge->schedule.due_usec <= now)
		bridge_enter_state(bridge, BRIDGE_QUEUED);
}

void bridge_note_hold(struct bridge *bridge, bool is_held)
{
	bool is_news = bridge->is_held != is_held;

	bridge->is_held = is_held;
	if (is_news)
		bridge->since_ms = wall_clock_msec();
}

/* ---------------------------------------------------------------------------- what is asked for */

bool bridge_is_asked(const struct bridge *bridge)
{
	return *bridge->ask.id && !bridge->attempt.is_open;
}

bool bridge_is_checked(const struct bridge *bridge)
{
	return *bridge->ask.id && !attempt_operation_writes(bridge->ask.operation);
}

bool bridge_needs_image(const struct bridge *bridge)
{
	return !bridge_is_checked(bridge) || bridge->ask.operation == OPERATION_VERIFY;
}

struct attempt *bridge_flash(struct bridge *bridge)
{
	return bridge->kept && bridge->attempt.is_open ? bridge->kept : &bridge->attempt;
}

int bridge_ask(struct bridge *bridge, const struct ask *ask)
{
	const struct schedule *schedule = &bridge->schedule;
	bool waits = bridge->state == BRIDGE_WAITING;
	bool keeps_turn = bridge->state == BRIDGE_QUEUED ||
			  (waits && (schedule->reason == SCHEDULE_SETTLE ||
					    schedule->reason == SCHEDULE_FLAP));

	assert(!*bridge->ask.id && !bridge->attempt.is_open && !bridge->kept);
	if (!attempt_operation_writes(ask->operation)) {
		bridge->kept = calloc(1, sizeof(*bridge->kept));
		if (!bridge->kept)
			return -ENOMEM;
	}
	bridge->ask = *ask;
	/* A flash that is asked for is what the service was to do; a check is not. */
	if (bridge->kept && (waits || bridge->state == BRIDGE_QUEUED)) {
		bridge->own = *schedule;
		bridge->own.timer = NULL;
	}
	if (keeps_turn)
		bridge->callbacks->on_change(bridge->userdata, bridge);
	else
		bridge_schedule(bridge, SCHEDULE_JOB, 0);
	return 0;
}

void bridge_resume_own(struct bridge *bridge)
{
	uint64_t now = monotonic_usec();

	set_schedule(&bridge->schedule, &bridge->own);
	bridge->own = (struct schedule){0};
	/* A check that was cancelled before its turn leaves the place in the queue to that. */
	if (bridge->state == BRIDGE_QUEUED && bridge->schedule.reason != SCHEDULE_NONE &&
		bridge->schedule.due_usec <= now)
		bridge->callbacks->on_change(bridge->userdata, bridge);
	else
		follow_schedule(bridge, now);
}

/* ------------------------------------------------------------------------------------ the rule */

char *bridge_rule_text(const struct board *board)
{
	char *text = NULL;
	size_t n_text = 0;
	FILE *memory = open_memstream(&text, &n_text);
	int r;

	if (!memory)
		return NULL;
	r = config_write_board(board, memory);
	if (fclose(memory) != 0 || r < 0) {
		free(text);
		return NULL;
	}
	return text;
}

void bridge_name_slot(struct bridge *bridge, const struct config *config)
{
	text_copy(bridge->slot, sizeof(bridge->slot),
		config_slot_name(config, bridge->facts.usb_path));
}

int bridge_match(
	struct bridge *bridge, const struct config *config, unsigned config_seq, struct match *ret)
{
	struct bridge_match *match = &bridge->match;
	CLEANUP(freep) char *rule = NULL;
	CLEANUP(freep) char *board = NULL;
	struct match found = {0};
	enum match_result result = match_board(config, &bridge->facts, &found);
	bool is_new;

	if (result == MATCH_ONE) {
		rule = bridge_rule_text(found.board);
		board = strdup(found.board->name);
		if (!rule || !board)
			return -ENOMEM;
	}
	is_new = match->config_seq == 0 || match->result != result ||
		 strcmp(match->rule ? match->rule : "", rule ? rule : "") != 0;
	bridge_name_slot(bridge, config);
	match->config_seq = config_seq;
	match->result = result;
	free(match->rule);
	match->rule = TAKE_PTR(rule);
	free(match->board);
	match->board = TAKE_PTR(board);
	text_copy(bridge->attempt.board, sizeof(bridge->attempt.board), match->board);
	if (is_new) {
		bridge->image.held_sha256[0] = '\0';
		rollback_enter(&bridge->attempt.rollback, ROLLBACK_NONE);
	}
	*ret = found;
	return is_new ? BRIDGE_MATCH_CHANGED : 0;
}

bool bridge_take_entry(struct bridge *bridge, unsigned entry)
{
	return !bridge->flaps ||
	       flap_take_entry(bridge->flaps, &bridge->facts, entry, monotonic_usec());
}

/* ------------------------------------------------------------------------------- start and end */

/* 0 where there is none to be had; then it tells nothing. */
static uint64_t instance_of(const char *sysfs)
{
	struct stat found;

	return stat(sysfs, &found) == 0 ? found.st_ino : 0;
}

/*
 * The number of this plug-in, in this boot and the next: inodes below /sys count up from each boot
 * on. 0: none is known.
 */
static int64_t plug_of(uint64_t instance)
{
	sd_id128_t boot = SD_ID128_NULL;

	if (instance == 0 || sd_id128_get_boot(&boot) < 0)
		return 0;
	return (int64_t)((boot.qwords[0] ^ instance) & INT64_MAX);
}

int bridge_new(sd_event *event, const struct facts *facts, const struct bridge_callbacks *callbacks,
	void *userdata, struct bridge **ret)
{
	struct bridge *bridge = calloc(1, sizeof(*bridge));
	int r;

	if (!bridge)
		return -ENOMEM;
	r = facts_copy(facts, &bridge->facts);
	if (r < 0) {
		free(bridge);
		return r;
	}
	bridge->event = sd_event_ref(event);
	bridge->callbacks = callbacks;
	bridge->userdata = userdata;
	bridge->instance = instance_of(facts->sysfs);
	bridge->attempt.plug = plug_of(bridge->instance);
	bridge->appeared_usec = monotonic_usec();
	bridge->since_ms = wall_clock_msec();
	*ret = bridge;
	return 0;
}

struct bridge *bridge_free(struct bridge *bridge)
{
	if (!bridge)
		return NULL;
	worker_free(bridge->worker);
	parse_list_free(bridge->owners.names);
	sd_event_source_disable_unref(bridge->schedule.timer);
	sd_event_unref(bridge->event);
	facts_done(&bridge->facts);
	free(bridge->match.board);
	free(bridge->match.rule);
	free(bridge->image.stamp);
	free(bridge->kept);
	free(bridge);
	return NULL;
}

static bool is_same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

bool bridge_is_for(const struct bridge *bridge, const struct facts *facts)
{
	const struct facts *own = &bridge->facts;
	uint64_t instance = instance_of(facts->sysfs);

	return own->devnum == facts->devnum && own->vendor_id == facts->vendor_id &&
	       own->product_id == facts->product_id && is_same_text(own->sysfs, facts->sysfs) &&
	       is_same_text(own->serial, facts->serial) &&
	       is_same_text(own->product, facts->product) &&
	       is_same_text(own->manufacturer, facts->manufacturer) &&
	       (instance == bridge->instance || instance == 0 || bridge->instance == 0);
}
