/* SPDX-License-Identifier: MIT */
#include "service/memory-unit.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "service/memory-store.h"

bool memory_unit_is_identified(const struct report *report)
{
	return report_unit_is_told(report->unit);
}

void memory_unit_key_of_chip(const struct report *report, const char *unit, char to[STORE_KEY_MAX])
{
	snprintf(to, STORE_KEY_MAX, "%s:0x%03x %s", report->family, report->product_id, unit);
}

void memory_unit_key(const struct facts *facts, const struct report *report, char to[STORE_KEY_MAX])
{
	if (memory_unit_is_identified(report))
		memory_unit_key_of_chip(report, report->unit, to);
	else
		snprintf(to, STORE_KEY_MAX, "usb %04x:%04x '%.255s' at %.255s", facts->vendor_id,
			facts->product_id, facts->serial ? facts->serial : "",
			facts->path ? facts->path : "");
}

void memory_unit_note(
	struct attempt *attempt, const struct facts *facts, const struct report *report)
{
	text_copy(attempt->unit, sizeof(attempt->unit), report->unit);
	if (attempt_goes_back(attempt))
		text_copy(attempt->key, sizeof(attempt->key), attempt->rollback.key);
	else
		memory_unit_key(facts, report, attempt->key);
}

void memory_unit_describe(const struct attempt *attempt, const struct facts *facts,
	const struct report *report, struct store_unit *unit)
{
	if (*report->unit || (*report->chip && strcmp(unit->chip, report->chip) != 0))
		text_copy(unit->unit, sizeof(unit->unit), report->unit);
	if (*report->chip)
		text_copy(unit->chip, sizeof(unit->chip), report->chip);
	text_copy(unit->serial, sizeof(unit->serial), facts->serial);
	text_copy(unit->path, sizeof(unit->path), facts->path);
	text_copy(unit->board, sizeof(unit->board), attempt->board);
	unit->seen_ms = wall_clock_msec();
}

void memory_unit_set_image(
	struct store_unit *unit, enum unit_state state, const struct report *report)
{
	unit->has_state = true;
	unit->state = state;
	text_copy(unit->image, sizeof(unit->image), report->image);
	text_copy(unit->version, sizeof(unit->version), report->version);
	text_copy(unit->sha256, sizeof(unit->sha256), report->sha256);
}

void memory_unit_set_previous(
	struct store_unit *unit, const char *image, const char *version, const char *sha256)
{
	snprintf(unit->previous_image, sizeof(unit->previous_image), "%s", image);
	snprintf(unit->previous_version, sizeof(unit->previous_version), "%s", version);
	snprintf(unit->previous_sha256, sizeof(unit->previous_sha256), "%s", sha256);
}

void memory_unit_keep_previous(struct store_unit *unit, const struct report *report)
{
	if (!unit->has_state || unit->state != UNIT_WHOLE)
		return;
	if (strcmp(unit->sha256, report->sha256) == 0)
		memory_unit_set_previous(unit, "", "", "");
	else
		memory_unit_set_previous(unit, unit->image, unit->version, unit->sha256);
}

void memory_unit_clear_failures(struct store_unit *unit)
{
	unit->failures = 0;
	unit->drops = 0;
	unit->rollback = ROLLBACK_NONE;
	unit->not_before_ms = 0;
}

static int take_unit(void *userdata, const struct store_unit *unit)
{
	*(struct store_unit *)userdata = *unit;
	return 0;
}

/* It may be known by its chip, which nobody has asked yet. */
static bool find_last_at(
	struct memory *memory, const char *board, const struct facts *facts, struct store_unit *ret)
{
	const struct store_filter filter = {.path = facts->path, .board = board, .limit = 1};
	struct reason reason;

	*ret = (struct store_unit){0};
	return filter.path && memory_has_store(memory) &&
	       store_list_units(memory->store, &filter, take_unit, ret, &reason) == 0 &&
	       *ret->key && strcmp(ret->serial, facts->serial ? facts->serial : "") == 0;
}

/* Who switched the host off may have changed the board behind a bridge that looks the same. */
static bool was_seen_since_boot(const struct store_unit *unit, int64_t now_ms)
{
	return unit->seen_ms >= now_ms - (int64_t)(uptime_usec() / USEC_PER_MSEC);
}

uint64_t memory_unit_rest(struct memory *memory, const struct facts *facts, const char *rule,
	const struct board *board, const char *image)
{
	struct report last = {.phase = PHASE_LEAVE};
	int64_t now_ms = wall_clock_msec();
	char mark[17], told[TEXT_MAX];
	struct store_unit unit;
	uint64_t most;

	if (!find_last_at(memory, board->name, facts, &unit) || !was_seen_since_boot(&unit, now_ms))
		return 0;
	memory_mark_rule(rule, mark);
	text_escape(image, told, sizeof(told));
	if (strcmp(unit.failed_rule, mark) != 0 ||
		(unit.has_state && unit.state != UNIT_WHOLE && strcmp(unit.image, told) != 0))
		return 0;
	last.outcome = unit.failed_outcome;
	most = decide_drops_usec(unit.drops, board->again_after_usec);
	if (most == 0)
		most = decide_again_usec(
			&last, unit.failures, board->quarantine_after, board->again_after_usec);
	return decide_rest_usec(&unit, now_ms, most);
}

int memory_unit_forgive(struct memory *memory, const char *key)
{
	struct reason reason = {0};
	struct store_unit unit;
	int r;

	if (!memory_has_store(memory))
		return -ENODEV;
	r = store_find_unit(memory->store, key, &unit, &reason);
	if (r == -ENOENT || (r == 0 && unit.failures == 0 && unit.drops == 0))
		return 0;
	if (r == 0) {
		memory_unit_clear_failures(&unit);
		r = store_save(memory->store, &unit, NULL, &reason);
	}
	if (r < 0)
		memory_tell_trouble(memory, &reason);
	return r < 0 ? r : 1;
}
