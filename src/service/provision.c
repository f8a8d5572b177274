/* SPDX-License-Identifier: MIT */
/*
 * provision.c - the values of `serialize`: numbers of a rule, or lines of a file, each given once.
 *
 * What a unit was given is looked up by its key. One that has none gets the next, if nothing speaks
 * against it: its slot took more in a while than people plug in (a board may say another id each
 * time), or the store is another one than the one that knows what was given.
 */
#include "service/provision.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/names.h"
#include "base/util.h"
#include "records/provision-file.h"

static bool refuse(struct answer *ret, const struct reason *why)
{
	char text[sizeof(why->text)];

	snprintf(text, sizeof(text), "%s", why->text);
	ret->word = ANSWER_LEAVE;
	ret->outcome = OUTCOME_FAILED;
	reason_set(&ret->reason, "%s; nothing was erased", text);
	return false;
}

bool provision_refuse(struct records *records, const struct reason *why, struct answer *ret)
{
	struct reason reason;

	if (why)
		records_tell_trouble(records, why);
	reason_set(&reason,
		"`serialize` gives each unit what is its own, and which unit has what cannot be kept in %s",
		records->directory);
	return refuse(ret, &reason);
}

/* The bytes of the value go into the answer. */
static bool render(const struct attempt *attempt, const char *value, struct answer *ret)
{
	const struct provision *serialize = &attempt->policy.serialize;
	struct reason why = {0}, reason;
	char shown[TEXT_MAX], file[TEXT_MAX];

	if (provision_render(serialize, value, ret->data, &why) == 0) {
		ret->n_data = serialize->size;
		return true;
	}
	text_escape(serialize->file, file, sizeof(file));
	reason_set(&reason, "the unit's own value '%s'%s%s %s",
		text_escape(value, shown, sizeof(shown)), *file ? " of " : "", file, why.text);
	return refuse(ret, &reason);
}

/* The one above all that were given. 0, -ENOENT without another, -errno of the store. */
static int next_number(struct records *records, const struct attempt *attempt, const char *source,
	char value[PROVISION_VALUE_MAX], struct reason *reason)
{
	const struct provision *serialize = &attempt->policy.serialize;
	uint64_t number = serialize->first;
	struct store_serial highest;
	int r = store_find_serial_highest(records->store, source, &highest, reason);

	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0 && strtoull(highest.value, NULL, 10) >= number)
		number = strtoull(highest.value, NULL, 10) + 1;
	if (number > INT64_MAX) {
		reason_set(reason, "the numbers of the rule '%s' have come to their end",
			attempt->board);
		return -ENOENT;
	}
	snprintf(value, PROVISION_VALUE_MAX, "%" PRIu64, number);
	return 0;
}

/* The values of a source that were given, sorted: a list is looked through for each new unit. */
struct given {
	char *text; /* one after the other, each with its NUL */
	size_t n_text;
	const char **values;
	size_t n_values;
};

static void given_done(struct given *given)
{
	free(given->values);
	free(given->text);
}

static int on_given(void *userdata, const char *value)
{
	return fwrite(value, strlen(value) + 1, 1, userdata) == 1 ? 0 : -ENOMEM;
}

static int load_text(
	struct given *given, struct store *store, const char *source, struct reason *reason)
{
	FILE *to = open_memstream(&given->text, &given->n_text);
	int r = to ? store_list_serial_values(store, source, on_given, to, reason) : -ENOMEM;

	if (to && fclose(to) != 0 && r == 0)
		r = -ENOMEM;
	return r;
}

static int given_load(
	struct given *given, struct store *store, const char *source, struct reason *reason)
{
	int r = load_text(given, store, source, reason);
	const char *end, *at;
	size_t n = 0;

	if (r < 0)
		return r;
	end = given->text + given->n_text;
	for (at = given->text; at < end; at += strlen(at) + 1)
		n++;
	given->values = calloc(n + 1, sizeof(*given->values));
	if (!given->values)
		return -ENOMEM;
	for (at = given->text; at < end; at += strlen(at) + 1)
		given->values[given->n_values++] = at;
	return 0;
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The same bytes may have been given by a file that wrote their digits in another case. */
static int compare_digits(const void *a, const void *b)
{
	return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

/* The first line whose value no unit has, or NULL. */
static const char *find_free(
	const struct provision *serialize, const struct provision_file *file, struct given *given)
{
	bool is_bytes = serialize->form == PROVISION_BYTES;

	if (is_bytes)
		qsort(given->values, given->n_values, sizeof(*given->values), compare_digits);
	for (size_t i = 0; i < file->n_lines; i++)
		if (!bsearch(&file->lines[i].value, given->values, given->n_values,
			    sizeof(*given->values), is_bytes ? compare_digits : compare_text))
			return file->lines[i].value;
	return NULL;
}

/* As next_number(); -EINVAL where the file is at fault. */
static int next_line(struct records *records, const struct attempt *attempt, const char *source,
	char value[PROVISION_VALUE_MAX], struct reason *reason)
{
	const struct provision *serialize = &attempt->policy.serialize;
	CLEANUP(provision_file_done) struct provision_file file = {0};
	CLEANUP(given_done) struct given given = {0};
	char shown[TEXT_MAX];
	const char *free_value;
	int r = given_load(&given, records->store, source, reason);

	if (r == 0)
		r = provision_file_load(serialize, &file, reason);
	if (r == -ENOMEM)
		reason_set(reason, "%s", strerror(ENOMEM));
	if (r < 0)
		return r;
	free_value = find_free(serialize, &file, &given);
	if (!free_value) {
		reason_set(reason,
			"every line of %s is given to a unit: add lines for those that come",
			text_escape(serialize->file, shown, sizeof(shown)));
		return -ENOENT;
	}
	snprintf(value, PROVISION_VALUE_MAX, "%s", free_value);
	return 0;
}

/* The next value; false with the answer where there is none. */
static bool next(struct records *records, const struct attempt *attempt, const char *source,
	char value[PROVISION_VALUE_MAX], struct answer *ret)
{
	bool has_file = *attempt->policy.serialize.file;
	struct reason reason = {0};
	int r = has_file ? next_line(records, attempt, source, value, &reason)
			 : next_number(records, attempt, source, value, &reason);

	if (r == 0)
		return render(attempt, value, ret);
	if (r == -ENOENT || r == -EINVAL)
		return refuse(ret, &reason);
	return provision_refuse(records, &reason, ret);
}

bool provision_add(
	struct records *records, const struct attempt *attempt, const char *key, struct answer *ret)
{
	struct store_serial given;
	struct reason reason = {0};
	int r = records_find_serial(records, attempt, key, &given, &reason);

	if (r == 0)
		return render(attempt, given.value, ret);
	return r == -ENOENT || provision_refuse(records, r == -ENODEV ? NULL : &reason, ret);
}

/* What was given is given to nobody else, also where nobody knows any more which it was. */
static bool check_lost(struct records *records, const struct attempt *attempt, const char *source,
	struct answer *ret)
{
	const struct provision *serialize = &attempt->policy.serialize;
	char aside[TEXT_MAX], shown[TEXT_MAX];
	struct reason reason;

	if (!store_has_lost_serials(records->store, source, aside, sizeof(aside)))
		return true;
	if (*serialize->file)
		reason_set(&reason,
			"which lines of %s were given was lost with a damaged store: take those lines out of it, and once that is done for all rules move %s away",
			text_escape(serialize->file, shown, sizeof(shown)), aside);
	else
		reason_set(&reason,
			"which numbers the rule '%s' has given was lost with a damaged store: put the first one of `serialize` above them, and once that is done for all rules move %s away",
			attempt->board, aside);
	return refuse(ret, &reason);
}

/* A store that was replaced may lack values that were given: each would be given twice. */
static bool check_replaced(
	const struct records *records, const struct attempt *attempt, struct answer *ret)
{
	struct reason reason;

	if (records->trusted_since_ms == 0)
		return true;
	reason_set(&reason,
		"the store in %s was taken away or replaced while the service ran, so which values the rule '%s' has given is not certain: see that the next one of `serialize` is free, then restart the service",
		records->directory, attempt->board);
	return refuse(ret, &reason);
}

/* ------------------------------------------------------------------------------ how often */

#define MINUTE_MSEC 60000
#define HOUR_MSEC   (60 * MINUTE_MSEC)

/*
 * One slot takes no more new values in a minute, and no more in a row that were never verified,
 * than a fortieth of what it may take in an hour: by default 10. People need 10 s for a board; a
 * board that says another id at each of its comings needs none, and would use up every value.
 */
static uint32_t burst_of(uint32_t limit)
{
	return limit / 40 > 3 ? limit / 40 : 3;
}

static bool refuse_rate(struct attempt *attempt, const struct facts *facts, uint32_t n,
	const char *what, uint64_t wait_usec, struct answer *ret)
{
	char path[TEXT_MAX];
	struct reason reason;

	attempt->note.cause = CAUSE_TOO_MANY;
	attempt->note.wait_usec = wait_usec;
	reason_set(&reason,
		"slot '%s': %u new units took a value of `serialize` %s, more than people plug in: are these boards yours? Else raise serialize-limit, %u an hour; tried again in %u s",
		text_escape(facts->path, path, sizeof(path)), n, what,
		attempt->policy.serialize_limit, (unsigned)(wait_usec / USEC_PER_SEC));
	return refuse(ret, &reason);
}

static void warn_rate(
	const struct attempt *attempt, const struct facts *facts, uint32_t n, const char *what)
{
	CLEANUP(log_fields_done) struct log_fields fields = {0};
	char path[TEXT_MAX];

	log_field(&fields, FIELD_BOARD, "%s", attempt->board);
	log_field(&fields, FIELD_PORT, "%s", facts->port);
	log_field(&fields, FIELD_USB_PATH, "%s", facts->path);
	log_event(LOG_WARNING, MESSAGE_SERIAL_RATE, &fields,
		"slot '%s': %u new units took a value of `serialize` %s: are these boards yours?",
		text_escape(facts->path, path, sizeof(path)), n, what);
}

/* Whether one more unit may take a value in this slot now. Half of a burst is news already. */
static bool check_rate(struct records *records, struct attempt *attempt, const struct facts *facts,
	int64_t now_ms, struct answer *ret)
{
	static const char in_minute[] = "within a minute", in_hour[] = "within an hour",
			  in_row[] = "one after the other, and none was verified";
	const char *path = facts->path ? facts->path : "";
	uint32_t limit = attempt->policy.serialize_limit, burst = burst_of(limit);
	struct store_serial_rate minute, hour;
	struct reason reason = {0};

	if (limit == 0)
		return true;
	if (store_find_serial_rate(records->store, path, now_ms - MINUTE_MSEC, &minute, &reason) <
			0 ||
		store_find_serial_rate(records->store, path, now_ms - HOUR_MSEC, &hour, &reason) <
			0)
		return provision_refuse(records, &reason, ret);
	if (hour.n_given >= limit)
		return refuse_rate(
			attempt, facts, hour.n_given, in_hour, 10 * 60 * USEC_PER_SEC, ret);
	if (hour.n_unverified >= burst)
		return refuse_rate(
			attempt, facts, hour.n_unverified, in_row, 10 * 60 * USEC_PER_SEC, ret);
	if (minute.n_given >= burst)
		return refuse_rate(
			attempt, facts, minute.n_given, in_minute, 60 * USEC_PER_SEC, ret);
	if (minute.n_given + 1 == (burst + 1) / 2 + 1)
		warn_rate(attempt, facts, minute.n_given + 1, in_minute);
	else if (hour.n_unverified + 1 == (burst + 1) / 2 + 1)
		warn_rate(attempt, facts, hour.n_unverified + 1, in_row);
	return true;
}

/* --------------------------------------------------------------------------------- giving */

bool provision_give(struct records *records, struct attempt *attempt, const struct facts *facts,
	const char *key, struct store_rows *rows, struct answer *ret)
{
	struct store_serial given = {.given_ms = wall_clock_msec()};

	attempt_serial_source(attempt, given.source);
	if (!check_rate(records, attempt, facts, given.given_ms, ret) ||
		!check_replaced(records, attempt, ret) ||
		!check_lost(records, attempt, given.source, ret) ||
		!next(records, attempt, given.source, given.value, ret))
		return false;
	if (!key) {
		ret->n_data = 0;
		return true;
	}
	text_copy(given.key, sizeof(given.key), key);
	text_copy(given.board, sizeof(given.board), attempt->board);
	text_copy(given.path, sizeof(given.path), facts->path);
	rows->serial = given;
	rows->has_serial = true;
	return true;
}
