/* SPDX-License-Identifier: MIT */
#include "service/view.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/outcome.h"

#define PROPERTY(type, property, kind, member)                \
	{                                                     \
		property, kind, offsetof(struct type, member) \
	}

const struct view_property view_manager_properties[] = {
	PROPERTY(view_manager, "State", VIEW_TEXT, state),
	PROPERTY(view_manager, "JobsRunning", VIEW_NUMBER, jobs_running),
	PROPERTY(view_manager, "JobsWaiting", VIEW_NUMBER, jobs_waiting),
	PROPERTY(view_manager, "Rules", VIEW_NUMBER, rules),
	PROPERTY(view_manager, "Bridges", VIEW_NUMBER, bridges),
	PROPERTY(view_manager, "ImageDirectory", VIEW_TEXT, image_directory),
	PROPERTY(view_manager, "ConfigStale", VIEW_FLAG, config_stale),
	PROPERTY(view_manager, "ConfigTime", VIEW_LONG, config_time),
	{NULL},
};

const struct view_property view_bridge_properties[] = {
	PROPERTY(view_bridge, "Port", VIEW_TEXT, port),
	PROPERTY(view_bridge, "UsbId", VIEW_TEXT, usb_id),
	PROPERTY(view_bridge, "Serial", VIEW_TEXT, serial),
	PROPERTY(view_bridge, "Product", VIEW_TEXT, product),
	PROPERTY(view_bridge, "Manufacturer", VIEW_TEXT, manufacturer),
	PROPERTY(view_bridge, "Path", VIEW_TEXT, usb_path),
	PROPERTY(view_bridge, "Interface", VIEW_TEXT, interface),
	PROPERTY(view_bridge, "Slot", VIEW_TEXT, slot),
	PROPERTY(view_bridge, "Board", VIEW_TEXT, board),
	PROPERTY(view_bridge, "Match", VIEW_TEXT, match),
	PROPERTY(view_bridge, "State", VIEW_TEXT, state),
	PROPERTY(view_bridge, "Job", VIEW_TEXT, job),
	PROPERTY(view_bridge, "Unit", VIEW_TEXT, unit),
	PROPERTY(view_bridge, "LastOutcome", VIEW_TEXT, last_outcome),
	PROPERTY(view_bridge, "LastReason", VIEW_TEXT, last_reason),
	PROPERTY(view_bridge, "LastTime", VIEW_LONG, last_time),
	PROPERTY(view_bridge, "HeldUntil", VIEW_LONG, held_until),
	{NULL},
};

const struct view_property view_job_properties[] = {
	PROPERTY(view_job, "Id", VIEW_TEXT, id),
	PROPERTY(view_job, "Port", VIEW_TEXT, port),
	PROPERTY(view_job, "Board", VIEW_TEXT, board),
	PROPERTY(view_job, "Unit", VIEW_TEXT, unit),
	PROPERTY(view_job, "Operation", VIEW_TEXT, operation),
	PROPERTY(view_job, "Phase", VIEW_TEXT, phase),
	PROPERTY(view_job, "Progress", VIEW_SHARE, progress),
	PROPERTY(view_job, "Bytes", VIEW_LONG, bytes),
	PROPERTY(view_job, "BytesDone", VIEW_LONG, bytes_done),
	PROPERTY(view_job, "StartTime", VIEW_LONG, start_time),
	PROPERTY(view_job, "Attempt", VIEW_NUMBER, attempt),
	PROPERTY(view_job, "Image", VIEW_TEXT, image),
	PROPERTY(view_job, "Version", VIEW_TEXT, version),
	PROPERTY(view_job, "Cancelable", VIEW_FLAG, cancelable),
	{NULL},
};

#define COPY(to, from) text_copy((to), sizeof(to), (from))

void view_manager(const struct view_service *service, const struct config *config,
	const struct dispatcher_counts *counts, struct view_manager *ret)
{
	*ret = (struct view_manager){
		.jobs_running = (uint32_t)counts->running,
		.jobs_waiting = (uint32_t)counts->waiting,
		.rules = (uint32_t)config->n_boards,
		.bridges = (uint32_t)counts->bridges,
		.config_stale = service->is_config_refused,
		.config_time = (uint64_t)service->config_loaded_ms,
	};
	COPY(ret->state, service->is_stopping ? "stopping" : "running");
	COPY(ret->image_directory, config->service.image_dir);
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
	};

	switch (bridge->state) {
	case BRIDGE_NEW:
		return "settling";
	case BRIDGE_WAITING:
		return waits[bridge->schedule.reason];
	case BRIDGE_QUEUED:
		return "waiting";
	case BRIDGE_RUNNING:
		return "working";
	case BRIDGE_DONE:
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

	*ret = (struct view_bridge){.last_time = (uint64_t)bridge->last.ended_ms};
	COPY(ret->port, facts->port);
	snprintf(
		ret->usb_id, sizeof(ret->usb_id), "%04x:%04x", facts->vendor_id, facts->product_id);
	COPY(ret->serial, facts->serial);
	COPY(ret->product, facts->product);
	COPY(ret->manufacturer, facts->manufacturer);
	COPY(ret->usb_path, facts->usb_path);
	if (facts->interface >= 0)
		snprintf(ret->interface, sizeof(ret->interface), "%02x",
			(unsigned)facts->interface & 0xff);
	COPY(ret->slot, bridge->slot);
	COPY(ret->board, bridge->match.board);
	COPY(ret->match, match_word(bridge));
	COPY(ret->state, state_word(bridge));
	if (bridge->attempt.is_open)
		COPY(ret->job, bridge->attempt.id);
	COPY(ret->unit, bridge->attempt.unit);
	if (bridge->last.ended_ms > 0) {
		COPY(ret->last_outcome, outcome_to_string(bridge->last.outcome));
		COPY(ret->last_reason, bridge->last.reason.text);
	}
	if (bridge->state == BRIDGE_WAITING && strcmp(ret->state, "held") == 0)
		ret->held_until = (uint64_t)bridge->schedule.due_ms;
}

bool view_job(const struct bridge *bridge, struct view_job *ret)
{
	const struct attempt *attempt = &bridge->attempt;
	const struct progress *progress = &bridge->progress;

	if (!attempt->is_open)
		return false;
	*ret = (struct view_job){
		.progress = progress->total > 0 ? progress_percent(progress) / 100.0 : 0,
		.bytes = progress->total,
		.bytes_done = progress->done,
		.start_time = (uint64_t)attempt->note.started_ms,
		.attempt = attempt->n_retries + 1,
		.cancelable = !attempt->has_begun_erase,
	};
	COPY(ret->id, attempt->id);
	COPY(ret->port, bridge->facts.port);
	COPY(ret->board, attempt->board);
	COPY(ret->unit, attempt->unit);
	COPY(ret->operation, attempt_operation_to_string(attempt->operation));
	COPY(ret->phase, phase_to_string(progress->phase));
	COPY(ret->image, attempt->image);
	COPY(ret->version, attempt->version);
	return true;
}

static bool is_same(const struct view_property *property, const void *a, const void *b)
{
	const char *one = (const char *)a + property->offset;
	const char *other = (const char *)b + property->offset;

	switch (property->kind) {
	case VIEW_TEXT:
		return strcmp(one, other) == 0;
	case VIEW_FLAG:
		return memcmp(one, other, sizeof(bool)) == 0;
	case VIEW_NUMBER:
		return memcmp(one, other, sizeof(uint32_t)) == 0;
	case VIEW_LONG:
		return memcmp(one, other, sizeof(uint64_t)) == 0;
	case VIEW_SHARE:
		return memcmp(one, other, sizeof(double)) == 0;
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

void view_status(const struct view_manager *view, char *to, size_t size)
{
	const char *boards = view->jobs_running == 1 ? "board" : "boards";
	time_t loaded = (time_t)(view->config_time / 1000);
	char when[32] = "before";
	struct tm local;
	size_t n;

	if (strcmp(view->state, "stopping") == 0)
		snprintf(to, size, "stopping; %u %s flashing", view->jobs_running, boards);
	else
		snprintf(to, size, "%u %s flashing, %u waiting; %u %s", view->jobs_running, boards,
			view->jobs_waiting, view->rules, view->rules == 1 ? "rule" : "rules");
	if (!view->config_stale)
		return;
	/* `systemctl reload` has said so once; this says it as long as it is so. */
	if (localtime_r(&loaded, &local))
		(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &local);
	n = strlen(to);
	snprintf(to + n, size - n, "; configuration on disk refused, the one of %s in force", when);
}
