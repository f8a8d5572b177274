/* SPDX-License-Identifier: MIT */
/*
 * provision.c - the values of `serialize`: numbers of a rule, or lines of a file, each given once.
 *
 * The value of a unit is looked up by its key. One that has none gets the next, if nothing speaks
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

static int given_load(
	struct given *given, struct store *store, const char *source, struct reason *reason)
{
	FILE *to = open_memstream(&given->text, &given->n_text);
	int r = to ? store_list_serial_values(store, source, on_given, to, reason) : -ENOMEM;
	size_t n = 0;

	if (to && fclose(to) != 0 && r == 0)
		r = -ENOMEM;
	if (r < 0)
		return r;
	for (size_t at = 0; at < given->n_text; at += strlen(given->text + at) + 1)
		n++;
	given->values = calloc(n + 1, sizeof(*given->values));
	if (!given->values)
		return -ENOMEM;
	for (size_t at = 0; at < given->n_text; at += strlen(given->text + at) + 1)
		given->values[given->n_values++] = given->text + at;
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

/*
 * A value is given to one unit only: none is given where the store may lack values that were given,
 * because it was replaced under the service or begun anew after damage.
 */
static bool check_store(struct records *records, const struct attempt *attempt, const char *source,
	struct answer *ret)
{
	const struct provision *serialize = &attempt->policy.serialize;
	char aside[TEXT_MAX], shown[TEXT_MAX];
	struct reason reason;

	if (records->trusted_since_ms != 0)
		reason_set(&reason,
			"the store in %s was taken away or replaced while the service ran, so which values the rule '%s' has given is not certain: see that the next one of `serialize` is free, then restart the service",
			records->directory, attempt->board);
	else if (!store_has_lost_serials(records->store, source, aside, sizeof(aside)))
		return true;
	else if (*serialize->file)
		reason_set(&reason,
			"which lines of %s were given was lost with a damaged store: take those lines out of it, and once that is done for all rules move %s away",
			text_escape(serialize->file, shown, sizeof(shown)), aside);
	else
		reason_set(&reason,
			"which numbers the rule '%s' has given was lost with a damaged store: put the first one of `serialize` above them, and once that is done for all rules move %s away",
			attempt->board, aside);
	return refuse(ret, &reason);
}

/*
 * Whether one more unit may take a value in this slot now. No more new values are taken in a
 * minute, and no more in a row that were never verified, than a fortieth of those that may be in an
 * hour: by default 10. People need 10 s for a board; a board that says another id at each of its
 * comings needs none, and would use up every value. Half of that is worth an entry already.
 */
static bool check_rate(struct records *records, struct attempt *attempt, const struct facts *facts,
	int64_t now_ms, struct answer *ret)
{
	uint32_t limit = attempt->policy.serialize_limit, burst = limit / 40 > 3 ? limit / 40 : 3;
	const char *slot = facts->usb_path ? facts->usb_path : "", *warned = NULL;
	CLEANUP(log_fields_done) struct log_fields fields = {0};
	struct store_serial_rate minute, hour;
	struct reason reason = {0};
	char path[TEXT_MAX];

	if (limit == 0)
		return true;
	if (store_find_serial_rate(records->store, slot, now_ms - 60 * 1000, &minute, &reason) <
			0 ||
		store_find_serial_rate(records->store, slot, now_ms - 3600 * 1000, &hour, &reason) <
			0)
		return provision_refuse(records, &reason, ret);
	const struct {
		uint32_t n, most;
		unsigned wait_sec;
		const char *what;
	} rates[] = {
		{hour.n_given, limit, 600, "within an hour"},
		{hour.n_unverified, burst, 600, "one after the other, and none was verified"},
		{minute.n_given, burst, 60, "within a minute"},
	};

	text_escape(slot, path, sizeof(path));
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		if (i > 0 && rates[i].n == (burst + 1) / 2)
			warned = rates[i].what;
		if (rates[i].n < rates[i].most)
			continue;
		attempt->note.cause = CAUSE_TOO_MANY;
		attempt->note.wait_usec = rates[i].wait_sec * USEC_PER_SEC;
		reason_set(&reason,
			"slot '%s': %u new units took a value of `serialize` %s, more than people plug in: are these boards yours? Else raise serialize-limit, %u an hour; tried again in %u s",
			path, rates[i].n, rates[i].what, limit, rates[i].wait_sec);
		return refuse(ret, &reason);
	}
	if (!warned)
		return true;
	log_field(&fields, FIELD_BOARD, "%s", attempt->board);
	log_field(&fields, FIELD_PORT, "%s", facts->port);
	log_field(&fields, FIELD_USB_PATH, "%s", facts->usb_path);
	log_field(&fields, FIELD_SLOT, "%s", attempt->slot);
	log_event(LOG_WARNING, MESSAGE_SERIAL_RATE, &fields,
		"slot '%s': %u new units took a value of `serialize` %s: are these boards yours?",
		path, (burst + 1) / 2 + 1, warned);
	return true;
}

bool provision_give(struct records *records, struct attempt *attempt, const struct facts *facts,
	const char *key, struct store_rows *rows, struct answer *ret)
{
	bool has_file = *attempt->policy.serialize.file;
	struct store_serial given = {.given_ms = wall_clock_msec()};
	struct reason reason = {0};
	int r;

	attempt_serial_source(attempt, given.source);
	if (!check_rate(records, attempt, facts, given.given_ms, ret) ||
		!check_store(records, attempt, given.source, ret))
		return false;
	r = has_file ? next_line(records, attempt, given.source, given.value, &reason)
		     : next_number(records, attempt, given.source, given.value, &reason);
	if (r == -ENOENT || r == -EINVAL)
		return refuse(ret, &reason);
	if (r < 0)
		return provision_refuse(records, &reason, ret);
	if (!render(attempt, given.value, ret))
		return false;
	if (!key) {
		ret->n_data = 0;
		return true;
	}
	text_copy(given.key, sizeof(given.key), key);
	text_copy(given.board, sizeof(given.board), attempt->board);
	text_copy(given.usb_path, sizeof(given.usb_path), facts->usb_path);
	rows->serial = given;
	rows->has_serial = true;
	return true;
}
