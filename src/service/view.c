/* SPDX-License-Identifier: MIT */
#include "service/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/names.h"
#include "base/outcome.h"
#include "service/owners.h"

#define PROPERTY(type, property, kind, pace, member)                \
	{                                                           \
		property, kind, pace, offsetof(struct type, member) \
	}

#define MANAGER(...) PROPERTY(view_manager, __VA_ARGS__)
#define SLOT(...)    PROPERTY(view_slot, __VA_ARGS__)
#define BRIDGE(...)  PROPERTY(view_bridge, __VA_ARGS__)
#define JOB(...)     PROPERTY(view_job, __VA_ARGS__)

const struct view_property view_manager_properties[] = {
	MANAGER("Version", VIEW_TEXT, VIEW_CONSTANT, version),
	MANAGER("ApiVersion", VIEW_NUMBER, VIEW_CONSTANT, api_version),
	MANAGER("State", VIEW_TEXT, VIEW_NEWS, state),
	MANAGER("PauseReason", VIEW_TEXT, VIEW_NEWS, pause_reason),
	MANAGER("JobsRunning", VIEW_NUMBER, VIEW_NEWS, jobs_running),
	MANAGER("JobsWaiting", VIEW_NUMBER, VIEW_NEWS, jobs_waiting),
	MANAGER("Rules", VIEW_NUMBER, VIEW_NEWS, rules),
	MANAGER("Bridges", VIEW_NUMBER, VIEW_NEWS, bridges),
	MANAGER("ConfigError", VIEW_TEXT, VIEW_NEWS, config_error),
	MANAGER("ConfigStale", VIEW_FLAG, VIEW_NEWS, config_stale),
	MANAGER("ConfigTime", VIEW_LONG, VIEW_NEWS, config_time),
	MANAGER("FloorTime", VIEW_LONG, VIEW_NEWS, floor_time),
	MANAGER("ImageDirectory", VIEW_TEXT, VIEW_NEWS, image_directory),
	MANAGER("CountersDay", VIEW_TEXT, VIEW_NEWS, counters_day),
	MANAGER("Counters", VIEW_COUNTS, VIEW_NEWS, counters),
	MANAGER("StoppedUnits", VIEW_TEXT, VIEW_NEWS, stopped_units),
	MANAGER("TurnedOff", VIEW_TEXT, VIEW_NEWS, turned_off),
	MANAGER("Store", VIEW_TEXT, VIEW_NEWS, store),
	MANAGER("BatchBoard", VIEW_TEXT, VIEW_NEWS, batch_board),
	MANAGER("BatchCount", VIEW_NUMBER, VIEW_NEWS, batch_count),
	MANAGER("BatchDone", VIEW_NUMBER, VIEW_NEWS, batch_done),
	MANAGER("BatchStartTime", VIEW_LONG, VIEW_NEWS, batch_start_time),
	{NULL},
};

const struct view_property view_slot_properties[] = {
	SLOT("Name", VIEW_TEXT, VIEW_NEWS, name),
	SLOT("Path", VIEW_TEXT, VIEW_NEWS, usb_path),
	SLOT("Bridge", VIEW_PATH, VIEW_NEWS, bridge),
	{NULL},
};

const struct view_property view_bridge_properties[] = {
	BRIDGE("Port", VIEW_TEXT, VIEW_NEWS, port),
	BRIDGE("UsbId", VIEW_TEXT, VIEW_NEWS, usb_id),
	BRIDGE("Serial", VIEW_TEXT, VIEW_NEWS, serial),
	BRIDGE("Product", VIEW_TEXT, VIEW_NEWS, product),
	BRIDGE("Manufacturer", VIEW_TEXT, VIEW_NEWS, manufacturer),
	BRIDGE("Path", VIEW_TEXT, VIEW_NEWS, usb_path),
	BRIDGE("Interface", VIEW_TEXT, VIEW_NEWS, interface),
	BRIDGE("Slot", VIEW_TEXT, VIEW_NEWS, slot),
	BRIDGE("Board", VIEW_TEXT, VIEW_NEWS, board),
	BRIDGE("Match", VIEW_TEXT, VIEW_NEWS, match),
	BRIDGE("State", VIEW_TEXT, VIEW_NEWS, state),
	BRIDGE("Since", VIEW_LONG, VIEW_NEWS, since),
	BRIDGE("Job", VIEW_PATH, VIEW_NEWS, job),
	BRIDGE("Unit", VIEW_TEXT, VIEW_NEWS, unit),
	BRIDGE("LastOutcome", VIEW_TEXT, VIEW_NEWS, last_outcome),
	BRIDGE("LastReason", VIEW_TEXT, VIEW_NEWS, last_reason),
	BRIDGE("LastTime", VIEW_LONG, VIEW_NEWS, last_time),
	BRIDGE("HeldUntil", VIEW_LONG, VIEW_NEWS, held_until),
	{NULL},
};

const struct view_property view_job_properties[] = {
	JOB("Id", VIEW_TEXT, VIEW_NEWS, id),
	JOB("Bridge", VIEW_PATH, VIEW_NEWS, bridge),
	JOB("Board", VIEW_TEXT, VIEW_NEWS, board),
	JOB("Unit", VIEW_TEXT, VIEW_NEWS, unit),
	JOB("Operation", VIEW_TEXT, VIEW_NEWS, operation),
	JOB("Phase", VIEW_TEXT, VIEW_NEWS, phase),
	JOB("Progress", VIEW_SHARE, VIEW_FLOW, progress),
	JOB("Bytes", VIEW_LONG, VIEW_FLOW, bytes),
	JOB("BytesDone", VIEW_LONG, VIEW_FLOW, bytes_done),
	JOB("Rate", VIEW_LONG, VIEW_FLOW, rate),
	JOB("Baud", VIEW_NUMBER, VIEW_FLOW, baud),
	JOB("StartTime", VIEW_LONG, VIEW_NEWS, start_time),
	JOB("ExpectedEndTime", VIEW_LONG, VIEW_FLOW, expected_end_time),
	JOB("Attempt", VIEW_NUMBER, VIEW_NEWS, attempt),
	JOB("Image", VIEW_TEXT, VIEW_NEWS, image),
	JOB("Version", VIEW_TEXT, VIEW_NEWS, version),
	JOB("Cancelable", VIEW_FLAG, VIEW_NEWS, cancelable),
	{NULL},
};

/* Words of our own, which fit. */
#define COPY(to, from) text_copy((to), sizeof(to), (from))
/* Text from outside: the bus takes nothing but UTF-8, and a cut one has to end at a character. */
#define SHOW(to, from) text_show((from), (to), sizeof(to))

void view_slot_path(size_t number, char to[static VIEW_PATH_MAX])
{
	snprintf(to, VIEW_PATH_MAX, BUS_PATH_SLOT "/%zu", number);
}

void view_bridge_path(uint64_t number, char to[static VIEW_PATH_MAX])
{
	snprintf(to, VIEW_PATH_MAX, BUS_PATH_BRIDGE "/%" PRIu64, number);
}

void view_job_path(const char *id, char to[static VIEW_PATH_MAX])
{
	snprintf(to, VIEW_PATH_MAX, BUS_PATH_JOB "/%s", id);
}

static void add_count(struct view_counts *counts, const char *name, uint64_t value)
{
	struct view_count *item = &counts->items[counts->n_items++];

	COPY(item->name, name);
	item->value = value;
}

/* Outcomes that no unit has are left out. */
static void show_counts(const struct day_counts *today, struct view_counts *ret)
{
	add_count(ret, "first-pass", today->first_pass);
	add_count(ret, "retried", today->retried);
	add_count(ret, "bad", today->bad);
	for (enum outcome outcome = 0; outcome < OUTCOME_MAX; outcome++)
		if (today->outcomes[outcome] > 0)
			add_count(ret, outcome_to_string(outcome), today->outcomes[outcome]);
}

void view_manager(const struct view_service *service, const struct config *config,
	const struct dispatcher_counts *counts, struct view_manager *ret)
{
	bool is_paused;

	*ret = (struct view_manager){
		.version = PLUGFLASH_VERSION,
		.api_version = BUS_API_VERSION,
		.jobs_running = (uint32_t)counts->running,
		.jobs_waiting = (uint32_t)counts->waiting,
		.rules = (uint32_t)config->n_boards,
		.bridges = (uint32_t)counts->bridges,
		.config_stale = service->is_config_refused,
		.config_time = (uint64_t)service->config_loaded_ms,
		.floor_time = service->floor_ms,
	};
	/* An inhibitor of all bridges, too: where nothing begins it is not called running. */
	is_paused = service->holds && holds_blocks(service->holds, 0) != HOLD_NONE;
	COPY(ret->state, service->is_stopping ? "stopping" : is_paused ? "paused" : "running");
	if (is_paused)
		holds_reason(service->holds, 0, ret->pause_reason, sizeof(ret->pause_reason));
	COPY(ret->config_error, service->config_error);
	SHOW(ret->image_directory, config->service.image_dir);
	SHOW(ret->turned_off, service->turned_off);
	SHOW(ret->store, service->store);
	if (service->owners)
		owners_list_down(service->owners, ret->stopped_units, sizeof(ret->stopped_units));
	if (service->batch) {
		COPY(ret->batch_board, service->batch->board);
		ret->batch_count = service->batch->count;
		ret->batch_done = service->batch->done;
		ret->batch_start_time = (uint64_t)service->batch->started_ms;
	}
	if (service->today) {
		COPY(ret->counters_day, service->today->day);
		show_counts(service->today, &ret->counters);
	}
}

void view_slot(const struct slot *slot, const struct bridge *bridge, struct view_slot *ret)
{
	*ret = (struct view_slot){0};
	COPY(ret->name, slot->name);
	SHOW(ret->usb_path, slot->path);
	if (bridge)
		view_bridge_path(bridge->number, ret->bridge);
}

/* Why a bridge waits is the schedule's reason; people want to know who is to act. */
static const char *state_word(const struct bridge *bridge)
{
	static const char *const waits[SCHEDULE_REASON_MAX] = {
		[SCHEDULE_NONE] = "waiting",
		[SCHEDULE_SETTLE] = "settling",
		[SCHEDULE_FLAP] = "flapping",
		[SCHEDULE_RULE] = "waiting",
		[SCHEDULE_IMAGE] = "waiting",
		[SCHEDULE_TRY] = "waiting",
		[SCHEDULE_ROOM] = "waiting",
		[SCHEDULE_REST] = "held",
		[SCHEDULE_ROLLBACK] = "waiting",
		[SCHEDULE_TWIN] = "waiting",
		[SCHEDULE_HOST] = "held",
		[SCHEDULE_ASKED] = "waiting",
		[SCHEDULE_JOB] = "waiting",
	};

	switch (bridge->state) {
	case BRIDGE_NEW:
		return "settling";
	case BRIDGE_WAITING:
		return waits[bridge->schedule.reason];
	case BRIDGE_QUEUED:
		return bridge->is_held ? "held" : "waiting";
	case BRIDGE_RUNNING:
		return "working";
	case BRIDGE_DONE:
		/* With a rule, and nothing was tried: its image is still being copied. */
		if (bridge_is_asked(bridge) ||
			(bridge->match.board && bridge->match.result == MATCH_ONE &&
				bridge->last.ended_ms == 0))
			return "waiting";
		break;
	case BRIDGE_GONE:
	case BRIDGE_STATE_MAX:
		break;
	}
	return bridge->last.ended_ms > 0 && bridge->last.outcome == OUTCOME_QUARANTINED ? "held"
											: "done";
}

static const char *match_word(const struct bridge *bridge)
{
	switch (bridge->match.result) {
	case MATCH_ONE:
		return "one";
	case MATCH_NONE:
		return "none";
	case MATCH_AMBIGUOUS:
		return "ambiguous";
	}
	return "";
}

void view_bridge(const struct bridge *bridge, struct view_bridge *ret)
{
	const struct facts *facts = &bridge->facts;

	*ret = (struct view_bridge){
		.since = (uint64_t)bridge->since_ms,
		.last_time = (uint64_t)bridge->last.ended_ms,
	};
	SHOW(ret->port, facts->port);
	snprintf(
		ret->usb_id, sizeof(ret->usb_id), "%04x:%04x", facts->vendor_id, facts->product_id);
	SHOW(ret->serial, facts->serial);
	SHOW(ret->product, facts->product);
	SHOW(ret->manufacturer, facts->manufacturer);
	SHOW(ret->usb_path, facts->usb_path);
	if (facts->interface >= 0)
		snprintf(ret->interface, sizeof(ret->interface), "%02x",
			(unsigned)facts->interface & 0xff);
	COPY(ret->slot, bridge->slot);
	SHOW(ret->board, bridge->match.board);
	COPY(ret->match, match_word(bridge));
	COPY(ret->state, state_word(bridge));
	if (bridge->attempt.is_open || *bridge->ask.id)
		view_job_path(
			bridge->attempt.is_open ? bridge->attempt.id : bridge->ask.id, ret->job);
	SHOW(ret->unit, bridge->attempt.unit);
	if (bridge->last.ended_ms > 0) {
		COPY(ret->last_outcome, outcome_to_string(bridge->last.outcome));
		SHOW(ret->last_reason, bridge->last.reason.text);
	}
	if (bridge->state == BRIDGE_WAITING && strcmp(ret->state, "held") == 0)
		ret->held_until = (uint64_t)bridge->schedule.due_ms;
}

/* A job that somebody asked for, and that has not begun: it has no image yet. */
static void view_asked(const struct bridge *bridge, struct view_job *ret)
{
	const struct ask *ask = &bridge->ask;

	*ret = (struct view_job){
		.start_time = (uint64_t)ask->asked_ms,
		.attempt = 1,
		.cancelable = true,
	};
	COPY(ret->id, ask->id);
	view_bridge_path(bridge->number, ret->bridge);
	SHOW(ret->board, *ask->board ? ask->board : bridge->match.board);
	SHOW(ret->unit, bridge->attempt.unit);
	COPY(ret->operation, attempt_operation_to_string(ask->operation));
	COPY(ret->phase, "waiting");
}

bool view_job(const struct bridge *bridge, struct view_job *ret)
{
	const struct attempt *attempt = &bridge->attempt;
	const struct progress *progress = &bridge->progress;

	if (bridge_is_asked(bridge)) {
		view_asked(bridge, ret);
		return true;
	}
	if (!attempt->is_open)
		return false;
	*ret = (struct view_job){
		.progress = bridge->pace.progress,
		.bytes = progress->total,
		.bytes_done = progress->done,
		.rate = bridge->worker ? bridge->pace.rate : 0,
		.baud = progress->baud,
		.start_time = (uint64_t)attempt->note.started_ms,
		.expected_end_time = bridge->worker ? (uint64_t)bridge->pace.expected_end_ms : 0,
		.attempt = attempt->n_retries + 1,
		.cancelable = !attempt->has_begun_erase,
	};
	COPY(ret->id, attempt->id);
	view_bridge_path(bridge->number, ret->bridge);
	SHOW(ret->board, attempt->board);
	SHOW(ret->unit, attempt->unit);
	COPY(ret->operation, attempt_operation_to_string(attempt->operation));
	/* The units that own the port are being stopped. */
	COPY(ret->phase, bridge->owners.is_asking ? "hand-over" : phase_to_string(progress->phase));
	SHOW(ret->image, attempt->image);
	SHOW(ret->version, attempt->version);
	return true;
}

static bool is_same_counts(const struct view_counts *a, const struct view_counts *b)
{
	if (a->n_items != b->n_items)
		return false;
	for (uint32_t i = 0; i < a->n_items; i++)
		if (a->items[i].value != b->items[i].value ||
			strcmp(a->items[i].name, b->items[i].name) != 0)
			return false;
	return true;
}

static bool is_same(const struct view_property *property, const void *a, const void *b)
{
	const char *one = (const char *)a + property->offset;
	const char *other = (const char *)b + property->offset;

	switch (property->kind) {
	case VIEW_TEXT:
	case VIEW_PATH:
		return strcmp(one, other) == 0;
	case VIEW_FLAG:
		return memcmp(one, other, sizeof(bool)) == 0;
	case VIEW_NUMBER:
		return memcmp(one, other, sizeof(uint32_t)) == 0;
	case VIEW_LONG:
		return memcmp(one, other, sizeof(uint64_t)) == 0;
	case VIEW_SHARE:
		return memcmp(one, other, sizeof(double)) == 0;
	case VIEW_COUNTS:
		return is_same_counts((const void *)one, (const void *)other);
	}
	return false;
}

uint32_t view_diff(const struct view_property *properties, const void *a, const void *b)
{
	uint32_t differing = 0;

	for (unsigned i = 0; properties[i].name; i++)
		if (!is_same(&properties[i], a, b))
			differing |= UINT32_C(1) << i;
	return differing;
}

uint32_t view_mask(const struct view_property *properties, enum view_pace pace)
{
	uint32_t mask = 0;

	for (unsigned i = 0; properties[i].name; i++)
		if (properties[i].pace == pace)
			mask |= UINT32_C(1) << i;
	return mask;
}

/* Of the reason of a pause, so that what follows has room. */
#define STATUS_WHY 100

void view_status(const struct view_manager *view, char *to, size_t size)
{
	const char *boards = view->jobs_running == 1 ? "board" : "boards";
	bool is_paused = strcmp(view->state, "paused") == 0;
	char why[STATUS_WHY];
	time_t loaded = (time_t)(view->config_time / 1000);
	char when[32] = "before";
	struct tm local;
	size_t n;

	if (strcmp(view->state, "stopping") == 0)
		snprintf(to, size, "stopping; %u %s flashing", view->jobs_running, boards);
	else
		snprintf(to, size, "%s%s%s%u %s flashing, %u waiting; %u %s",
			is_paused ? "paused, '" : "",
			is_paused ? text_escape(view->pause_reason, why, sizeof(why)) : "",
			is_paused ? "'; " : "", view->jobs_running, boards, view->jobs_waiting,
			view->rules, view->rules == 1 ? "rule" : "rules");
	if (*view->stopped_units) {
		n = strlen(to);
		snprintf(to + n, size - n, "; stopped meanwhile: %s",
			text_escape(view->stopped_units, why, sizeof(why)));
	}
	if (!view->config_stale)
		return;
	/* `systemctl reload` has said so once; this says it as long as it is so. */
	if (localtime_r(&loaded, &local))
		(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &local);
	n = strlen(to);
	snprintf(to + n, size - n, "; configuration on disk refused, the one of %s in force", when);
}
