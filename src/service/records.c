/* SPDX-License-Identifier: MIT */
/*
 * records.c - the store as the service has it.
 *
 * A store that cannot be opened or written is tried again: at the next thing to save, and every
 * RETRY_USEC. Rows that were not saved wait in order, the newest row of each unit and attempt, and
 * are found there. A store that is damaged is set aside and begun anew. One that was taken away or
 * put back under the service is found out by the last attempt that was saved: what it says to be
 * whole is not believed then, and nothing goes into the files that were there before.
 */
#include "service/records.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/names.h"
#include "base/util.h"
#include "records/settle.h"

/* Opening a store that another program has locked takes a while: the event loop must not try often.
 */
#define RETRY_USEC (10 * USEC_PER_SEC)

void records_tell_trouble(struct records *records, const struct reason *reason)
{
	if (records->is_trouble_told)
		return;
	records->is_trouble_told = true;
	log_event(LOG_ERR, MESSAGE_STORE_UNUSABLE, NULL,
		"what is known of units cannot be kept: %s; %s", reason->text,
		records->is_required ? "nothing is erased until it can be kept (require-store)"
		: records->store     ? "it is saved once that is possible"
				     : "every chip is asked as if it were new");
}

/* Those that the store lacks, where it takes them now. */
static void put_settings(struct records *records)
{
	struct reason reason = {0};
	char text[STORE_SETTING_MAX];

	for (size_t i = 0; i < records->settings.n_entries; i++) {
		const struct dict_entry *kept = &records->settings.entries[i];

		if (store_find_setting(records->store, kept->name, text, &reason) == 0 &&
			strcmp(text, kept->text) == 0)
			continue;
		(void)store_set_setting(records->store, kept->name, kept->text, &reason);
	}
}

static void tell_recovery(struct records *records)
{
	if (!records->is_trouble_told)
		return;
	records->is_trouble_told = false;
	put_settings(records);
	if (records->n_lost > 0)
		log_event(LOG_WARNING, MESSAGE_STORE_USABLE, NULL,
			"what is known of units can be kept again; the history lacks %u attempts that ended meanwhile",
			records->n_lost);
	else
		log_event(LOG_INFO, MESSAGE_STORE_USABLE, NULL,
			"what is known of units can be kept again");
	records->n_lost = 0;
}

static int take_job(void *userdata, const struct store_attempt *attempt)
{
	snprintf(userdata, sizeof(attempt->job), "%s", attempt->job);
	return 1;
}

/* This store does not know which values of `serialize` another one has given. */
static void drop_pending_serials(struct records *records)
{
	for (size_t i = 0; i < records->n_pending; i++)
		records->pending[i].has_serial = false;
}

/*
 * A store that lacks what was saved last is an older copy, or an empty one: what it says to be
 * whole may have been erased since.
 */
static void check_continuity(struct records *records)
{
	struct reason reason;

	if (*records->last_job && store_has_attempt(records->store, records->last_job, &reason))
		return;
	if (*records->last_job) {
		records->trusted_since_ms = wall_clock_msec();
		drop_pending_serials(records);
		records_move_batch(records);
		records_renew_identity(records);
		log_event(LOG_ERR, MESSAGE_STORE_REPLACED, NULL,
			"the store in %s was taken away or replaced while the service ran: what it says of units is checked against their chips, and no new values of `serialize` are given until the service is restarted",
			records->directory);
	}
	(void)store_list_attempts(records->store, &(struct store_filter){.limit = 1}, take_job,
		records->last_job, &reason);
}

/* 0 once there is a store. STORE_HELD and the others as store_open() has them. */
static int open_store(struct records *records, struct reason *reason)
{
	int r = store_open(records->directory, &records->store, reason);

	records->is_off_read = records->is_identity_read = false;
	records_note_floor(records);
	if (r == 0)
		check_continuity(records);
	if (r == 0 || r == STORE_RENEWED)
		put_settings(records);
	if (r == STORE_RENEWED) {
		records->last_job[0] = '\0';
		drop_pending_serials(records);
		records_move_batch(records);
		log_event(LOG_ERR, MESSAGE_STORE_DAMAGED, NULL,
			"%s; what was known of units is lost, and kept anew from here on",
			reason->text);
		return 0;
	}
	records->is_newer = r == STORE_NEWER;
	return r;
}

int records_open(struct records *records, const char *directory)
{
	struct reason reason = {0};
	int r;

	records->last_job[0] = '\0';
	records->trusted_since_ms = 0;
	records->directory = strdup(directory);
	if (!records->directory)
		return -ENOMEM;
	r = open_store(records, &reason);
	if (r == STORE_HELD) {
		log_event(LOG_ERR, MESSAGE_STORE_HELD, NULL,
			"%s: two services would flash the same boards; this one ends", reason.text);
		return r;
	}
	if (r != 0)
		records_tell_trouble(records, &reason);
	return 0;
}

static bool save_pending(struct records *records);

void records_close(struct records *records)
{
	if (records->n_pending > 0)
		(void)save_pending(records);
	free(records->pending);
	records->pending = NULL;
	records->n_pending = 0;
	records->store = store_close(records->store);
	dict_done(&records->settings);
	free(records->turned_off);
	records->turned_off = NULL;
	free(records->directory);
	records->directory = NULL;
}

/* A disk that was full may have room again; a store of a later version stays one. */
bool records_open_store(struct records *records)
{
	struct reason reason = {0};
	int r;

	if (records->store && store_is_changed(records->store))
		records->store = store_abandon(records->store);
	if (records->store)
		return true;
	if (records->is_newer || !records->directory)
		return false;
	r = open_store(records, &reason);
	if (r != 0)
		records_tell_trouble(records, &reason);
	return r == 0;
}

/*
 * Opens the store that is there now where it is not the one that was opened, or lacks what was
 * saved. Whether it was that one.
 */
static bool follow_store(struct records *records)
{
	if (records->store && !store_is_changed(records->store))
		return true;
	(void)records_open_store(records);
	return false;
}

/* A damaged store is set aside when it is opened: it is closed first. */
static bool renew(struct records *records)
{
	records->store = store_close(records->store);
	return records_open_store(records);
}

/* Whether a change with this result is to be made once more: another store is there now, or none.
 */
static bool follow(struct records *records, int r)
{
	return (r == -EBADMSG && renew(records)) || (r >= 0 && !follow_store(records));
}

bool records_follow(struct records *records, int *r)
{
	bool is_other = follow(records, *r);

	if (is_other && !records->store)
		*r = -ENODEV;
	return is_other && records->store;
}

/* ------------------------------------------------------------------------------- saving */

static int save(struct records *records, const struct store_rows *rows, struct reason *reason)
{
	int r = store_save(records->store, rows, reason);
	bool is_other = follow(records, r);
	struct store_rows again;

	if (is_other && rows->has_serial && rows->serial.written_ms == 0) {
		reason_set(reason, "the store in %s is another one meanwhile", records->directory);
		return -ESTALE;
	}
	if (is_other && records->store) {
		again = *rows;
		again.has_serial = false;
		r = store_save(records->store, &again, reason);
	}
	if (r == 0 && !records->store)
		r = -ENOENT;
	records->is_off_read = records->is_off_read && rows->n_trusts == 0;
	if (r == 0 && rows->has_attempt)
		text_copy(records->last_job, sizeof(records->last_job), rows->attempt.job);
	return r;
}

static bool has_trust(const struct store_rows *rows, const char *kind)
{
	for (unsigned i = 0; i < rows->n_trusts; i++)
		if (strcmp(rows->trusts[i].kind, kind) == 0)
			return true;
	return false;
}

static const struct store_unit *find_unit(const struct store_rows *rows, const char *key)
{
	for (unsigned i = 0; i < rows->n_units; i++)
		if (strcmp(rows->units[i].key, key) == 0)
			return &rows->units[i];
	return NULL;
}

/*
 * The rows wait. They take the place of older ones of the same unit, kind or attempt, since the
 * newest is the one that counts. Where there is no room, the oldest are given up, and attempts
 * among them are counted.
 */
static void keep(struct records *records, const struct store_rows *rows)
{
	struct store_rows *pending = records->pending;
	size_t n_items = 0, n_over;

	for (size_t i = 0; i < records->n_pending; i++) {
		struct store_rows *item = &pending[i];
		unsigned n = 0, n_trusts = 0;

		for (unsigned k = 0; k < item->n_units; k++)
			if (!find_unit(rows, item->units[k].key))
				item->units[n++] = item->units[k];
		item->n_units = n;
		for (unsigned k = 0; k < item->n_trusts; k++)
			if (!has_trust(rows, item->trusts[k].kind))
				item->trusts[n_trusts++] = item->trusts[k];
		item->n_trusts = n_trusts;
		if (rows->has_attempt && strcmp(item->attempt.job, rows->attempt.job) == 0)
			item->has_attempt = false;
		if (n + n_trusts > 0 || item->has_attempt || item->has_serial || item->has_floor)
			pending[n_items++] = *item;
	}
	n_over = n_items >= RECORDS_PENDING_MOST ? n_items - RECORDS_PENDING_MOST + 1 : 0;
	for (size_t i = 0; i < n_over; i++)
		records->n_lost += pending[i].has_attempt;
	records->n_pending = n_items - n_over;
	if (n_over > 0)
		memmove(pending, pending + n_over, records->n_pending * sizeof(*pending));
	pending = room_for_one(pending, records->n_pending, sizeof(*pending));
	if (!pending)
		return;
	records->pending = pending;
	pending[records->n_pending++] = *rows;
}

/* Saves all that waits, the oldest first. Whether none is left. */
static bool save_pending(struct records *records)
{
	struct reason reason = {0};
	size_t n = 0;
	int r = 0;

	if (records->n_pending > 0 && !records_open_store(records))
		return false;
	for (; n < records->n_pending && r == 0; n += r == 0)
		r = save(records, &records->pending[n], &reason);
	records->n_pending -= n;
	if (records->n_pending > 0)
		memmove(records->pending, records->pending + n,
			records->n_pending * sizeof(*records->pending));
	if (r < 0)
		records_tell_trouble(records, &reason);
	else
		tell_recovery(records);
	if (records->n_pending == 0) {
		free(records->pending);
		records->pending = NULL;
	}
	return r == 0;
}

bool records_save_now(struct records *records, const struct store_rows *rows)
{
	struct reason reason = {0};
	int r;

	if (!records_open_store(records) || !save_pending(records))
		return false;
	r = save(records, rows, &reason);
	if (r < 0)
		records_tell_trouble(records, &reason);
	else
		tell_recovery(records);
	return r == 0;
}

bool records_save(struct records *records, const struct store_rows *rows)
{
	if (records_save_now(records, rows))
		return true;
	keep(records, rows);
	return false;
}

void records_retry(struct records *records)
{
	uint64_t now = monotonic_usec();

	if (records->n_pending == 0 ||
		(records->retried_usec > 0 && now - records->retried_usec < RETRY_USEC))
		return;
	records->retried_usec = save_pending(records) ? 0 : now;
}

bool records_find(struct records *records, const char *key, struct store_unit *ret)
{
	const struct store_unit *pending = NULL;
	struct reason reason = {0};
	int r = -ENOENT;

	for (size_t i = 0; i < records->n_pending && !pending; i++)
		pending = find_unit(&records->pending[i], key);
	*ret = (struct store_unit){0};
	if (records_open_store(records))
		r = pending ? 0 : store_find_unit(records->store, key, ret, &reason);
	if (r == 0 && pending)
		*ret = *pending;
	/* Its chip is asked, as that of a unit that nobody knows. */
	if (r == 0 && ret->seen_ms < records->trusted_since_ms && ret->state == UNIT_WHOLE)
		ret->has_state = false;
	if (r == -EBADMSG && renew(records))
		r = -ENOENT;
	if (r < 0 && r != -ENOENT)
		records_tell_trouble(records, &reason);
	text_copy(ret->key, sizeof(ret->key), key);
	return r == 0;
}

int records_find_serial(struct records *records, const struct attempt *attempt, const char *key,
	struct store_serial *ret, struct reason *reason)
{
	char source[STORE_SOURCE_MAX];

	if (!records_open_store(records))
		return -ENODEV;
	attempt_serial_source(attempt, source);
	return store_find_serial(records->store, source, key, ret, reason);
}

/* -------------------------------------------------------------------------------- attempts */

/*
 * FNV-1a, 64 bits: nobody gains by two rules that are alike. A library for digests would be a
 * twentieth of what the service holds in memory.
 */
void records_mark_rule(const char *rule, char to[17])
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *rule; rule++)
		hash = (hash ^ (unsigned char)*rule) * 0x100000001b3;
	snprintf(to, 17, "%016" PRIx64, hash);
}

void records_begin(
	struct records *records, const struct attempt *attempt, const struct facts *facts)
{
	struct store_rows rows = {.has_attempt = true};
	const struct report nothing = {0};
	struct reason reason = {0};

	if (!records)
		return;
	settle_attempt_row(attempt, facts, &nothing, &rows.attempt);
	if (records->n_pending > 0 || !records_open_store(records) ||
		store_save_begin(records->store, &rows.attempt, &reason) < 0 ||
		!follow_store(records))
		(void)records_save(records, &rows);
}

uint64_t records_end(struct records *records, struct attempt *attempt, const struct facts *facts,
	struct report *report)
{
	struct settle_input input = {.attempt = attempt, .facts = facts, .report = report};
	bool went_back = attempt_goes_back(attempt);
	struct store_serial serial;
	struct settled settled;
	struct reason reason;
	char key[STORE_KEY_MAX];

	settle_report(attempt, report);
	if (attempt_operation_writes(attempt->operation)) {
		attempt_note_unit(attempt, facts, report);
		attempt->has_failed = went_back || (report->outcome != OUTCOME_UPDATED &&
							   report->outcome != OUTCOME_CURRENT);
	}
	if (!records)
		return 0;
	input.now_ms = wall_clock_msec();
	settle_key(attempt, facts, report, key);
	(void)records_find(records, key, &input.unit);
	attempt_bridge_key(facts, key);
	(void)records_find(records, key, &input.bridge);
	if (*report->unit_data &&
		records_find_serial(records, attempt, input.unit.key, &serial, &reason) == 0)
		input.serial = &serial;
	for (enum trust_way way = 0; way < TRUST_WAY_MAX; way++)
		if (attempt->policy.learns[way])
			(void)records_find_trust(records, way, report, &input.trusts[way]);
	input.has_store = records->store;
	settle(&input, &settled);
	records_count_end(records, &settled.rows.attempt);
	attempt->note.batch = records->batch;
	if (settled.rows.has_floor)
		records_note_raise(records, &settled.rows.floor);
	(void)records_save(records, &settled.rows);
	attempt->rollback = settled.rollback;
	attempt->note.quarantined_after = settled.quarantined_after;
	attempt->note.drops = settled.drops;
	memcpy(attempt->note.turned_off, settled.turned_off, sizeof(settled.turned_off));
	return settled.again_usec;
}

unsigned records_end_rollback(struct records *records, struct attempt *attempt)
{
	struct store_rows rows = {.n_units = 1};
	struct store_unit *unit = &rows.units[0];
	bool is_known = records_find(records, attempt->rollback.key, unit);
	bool is_quarantined = settle_no_rollback(attempt, unit);

	if (!is_known)
		return 0;
	(void)records_save(records, &rows);
	return is_quarantined ? unit->failures : 0;
}

/* ------------------------------------------------------------------------------- once more */

int records_forgive(struct records *records, const struct store_filter *filter)
{
	struct reason reason = {0};
	uint32_t n_units;
	int r;

	if (!records_open_store(records))
		return -ENODEV;
	r = store_forgive(records->store, filter, &n_units, &reason);
	if (records_follow(records, &r))
		r = store_forgive(records->store, filter, &n_units, &reason);
	if (r < 0)
		records_tell_trouble(records, &reason);
	return r < 0 ? r : (int)n_units;
}

static int take_unit(void *userdata, const struct store_unit *unit)
{
	*(struct store_unit *)userdata = *unit;
	return 0;
}

/* The unit that was seen last at the place of the bridge and behind one of its serial number; its
 * key is "" where there is none. */
static void find_seen(struct records *records, const struct facts *facts, const char *board,
	struct store_unit *ret)
{
	const struct store_filter filter = {
		.usb_path = facts->usb_path, .board = board, .limit = 1};
	struct reason reason;

	*ret = (struct store_unit){0};
	if (!filter.usb_path || !records_open_store(records) ||
		store_list_units(records->store, &filter, take_unit, ret, &reason) < 0 ||
		strcmp(ret->serial, facts->serial ? facts->serial : "") != 0)
		*ret = (struct store_unit){0};
}

void records_find_behind(struct records *records, const struct facts *facts, const char *key,
	const char *board, struct store_unit *ret)
{
	*ret = (struct store_unit){0};
	if (records && *key)
		(void)records_find(records, key, ret);
	else if (records)
		find_seen(records, facts, board, ret);
}

static void distrust(struct records *records, const char *key)
{
	struct store_rows rows = {.n_units = 1};

	if (*key && records_find(records, key, &rows.units[0]) && settle_distrust(&rows.units[0]))
		(void)records_save(records, &rows);
}

void records_distrust(struct records *records, const struct facts *facts, const char *key)
{
	char bridge_key[STORE_KEY_MAX];
	struct store_unit seen;

	if (!records)
		return;
	attempt_bridge_key(facts, bridge_key);
	find_seen(records, facts, NULL, &seen);
	distrust(records, key);
	distrust(records, bridge_key);
	distrust(records, seen.key);
}

uint64_t records_rest(struct records *records, const struct facts *facts, const struct board *board,
	const char *mark, const char *image)
{
	int64_t now_ms = wall_clock_msec();
	struct store_unit unit;

	/* It may be known by its chip, which nobody has asked yet: by its place, then. */
	find_seen(records, facts, board->name, &unit);
	if (!*unit.key)
		return 0;
	/* While the host was off, the board behind a bridge that looks the same may have been
	 * changed. */
	if (unit.seen_ms < now_ms - (int64_t)(uptime_usec() / USEC_PER_MSEC))
		return 0;
	return settle_rest_usec(&unit, board, mark, image, now_ms);
}
