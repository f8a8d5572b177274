/* SPDX-License-Identifier: MIT */
/*
 * store-count.c - the attempts that counts are made of.
 *
 * What an attempt counts for depends on those before and after it of the same unit, so that the
 * attempts of a time are listed with all others of their units. The indexes of attempts that have
 * ended make this as fast as the time is short: the condition of each of them stands in each
 * search.
 */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "records/count.h"
#include "records/store-private.h"

#define ENDED	      "FROM attempts WHERE ended IS NOT NULL AND "
#define IS_IDENTIFIED "key NOT LIKE 'usb %' AND key <> ''"

/*
 * All attempts of the units of `span`: units that said an id in it, or in one of its plug-ins, and
 * the plug-ins in which one of them was met.
 */
#define WITH_UNITS(span)                                                                         \
	"WITH span (key, plug) AS (" span "), "                                                  \
	"met (key) AS (SELECT key FROM span WHERE " IS_IDENTIFIED " UNION SELECT key " ENDED     \
	"plug IN (SELECT plug FROM span WHERE plug IS NOT NULL) AND " IS_IDENTIFIED "), "        \
	"plugs (plug) AS (SELECT plug FROM span WHERE plug IS NOT NULL UNION SELECT plug " ENDED \
	"key IN (SELECT key FROM met) AND plug IS NOT NULL) "                                    \
	"SELECT id " ENDED "key IN (SELECT key FROM met) UNION SELECT id " ENDED                 \
	"plug IN (SELECT plug FROM plugs)"

#define OF_BATCH                                                                       \
	"WHERE id IN (" WITH_UNITS("SELECT key, plug " ENDED                           \
				   "id > ?1 AND board = ?2") " UNION SELECT id " ENDED \
							     "id > ?1 AND board = ?2) ORDER BY id"
#define OF_ALL "WHERE ended IS NOT NULL ORDER BY id"
#define OF_TIME                                                         \
	"WHERE id IN (" WITH_UNITS(                                     \
		"SELECT key, plug " ENDED                               \
		"ended >= ?1 AND ended < ?2") " UNION SELECT id " ENDED \
					      "ended >= ?1 AND ended < ?2) ORDER BY id"
/* A unit that comes and goes all day is not read whole each time. */
#define OF_UNIT                     \
	"WHERE id IN (" WITH_UNITS( \
		"SELECT ?1, nullif(?2, 0)") " ORDER BY id DESC LIMIT 1000) ORDER BY id"

struct attempt_list {
	int (*callback)(void *userdata, const struct store_attempt *attempt);
	void *userdata;
};

static int on_attempt(void *userdata, const void *object)
{
	struct attempt_list *list = userdata;

	return list->callback(list->userdata, object);
}

static int list_attempts(struct store *store, const char *condition,
	const struct database_value values[static 2], size_t n_values,
	int (*callback)(void *userdata, const struct store_attempt *attempt), void *userdata,
	struct reason *reason)
{
	struct attempt_list list = {callback, userdata};
	struct store_attempt attempt = {0};

	return database_list(store->database, &store_counted, condition, values, n_values, &attempt,
		on_attempt, &list, reason);
}

int store_list_counted(struct store *store, int64_t since_ms, int64_t until_ms,
	int (*callback)(void *userdata, const struct store_attempt *attempt), void *userdata,
	struct reason *reason)
{
	const struct database_value values[2] = {
		{.number = since_ms}, {.number = until_ms > 0 ? until_ms : INT64_MAX}};
	bool is_all = since_ms <= 0 && until_ms <= 0;

	return list_attempts(store, is_all ? OF_ALL : OF_TIME, values, is_all ? 0 : 2, callback,
		userdata, reason);
}

int store_list_counted_unit(struct store *store, const char *key, int64_t plug,
	int (*callback)(void *userdata, const struct store_attempt *attempt), void *userdata,
	struct reason *reason)
{
	const struct database_value values[2] = {{.text = key}, {.number = plug}};

	return list_attempts(store, OF_UNIT, values, 2, callback, userdata, reason);
}

int store_list_counted_batch(struct store *store, int64_t after_id, const char *board,
	int (*callback)(void *userdata, const struct store_attempt *attempt), void *userdata,
	struct reason *reason)
{
	const struct database_value values[2] = {{.number = after_id}, {.text = board}};

	return list_attempts(store, OF_BATCH, values, 2, callback, userdata, reason);
}

/* ------------------------------------------------------------------------------------ counts */

struct adding {
	struct tally tally;
	uint32_t most;
	uint32_t n;
};

static int add_attempt(void *userdata, const struct store_attempt *attempt)
{
	struct adding *adding = userdata;

	if (adding->most > 0 && adding->n++ >= adding->most)
		return -E2BIG;
	return tally_add(&adding->tally, attempt);
}

int store_count(struct store *store, const struct store_filter *filter, uint32_t most,
	struct count_cells *ret, struct reason *reason)
{
	struct adding adding = {.most = most};
	int r = store_list_counted(
		store, filter->since_ms, filter->until_ms, add_attempt, &adding, reason);

	if (r == 0)
		r = count_cells_make(&adding.tally, filter, ret);
	tally_done(&adding.tally);
	if (r == -E2BIG)
		reason_set(reason,
			"more than %u attempts would have to be counted at once; ask for fewer days",
			most);
	else if (r == -ENOMEM)
		reason_set(reason, "%s", strerror(ENOMEM));
	return r;
}
