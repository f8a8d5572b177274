/* SPDX-License-Identifier: MIT */
#include "cli/when.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"
#include "base/util.h"

#define MSEC_PER_SEC 1000

static const struct {
	const char *name;
	int64_t seconds;
} units[] = {{"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};

/* A number and a unit, counted back from now. */
static int parse_ago(const char *text, int64_t now_ms, int64_t *ret)
{
	uint64_t number;

	if (parse_digits(&text, 10, &number) < 0)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		int64_t msec;

		if (strcmp(units[i].name, text) != 0)
			continue;
		if (__builtin_mul_overflow(number, units[i].seconds * MSEC_PER_SEC, &msec))
			return -EINVAL;
		*ret = msec < now_ms ? now_ms - msec : 0;
		return 0;
	}
	return -EINVAL;
}

/* The begin of a day `days` after the one of `now_ms`. */
static int day_of(int64_t now_ms, int days, int64_t *ret)
{
	time_t now = (time_t)(now_ms / MSEC_PER_SEC);
	struct tm day;

	if (!localtime_r(&now, &day))
		return -EINVAL;
	day.tm_mday += days;
	day.tm_hour = day.tm_min = day.tm_sec = 0;
	day.tm_isdst = -1;
	*ret = (int64_t)mktime(&day) * MSEC_PER_SEC;
	return 0;
}

static int parse_date(const char *text, int64_t *ret)
{
	static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S",
		"%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct tm tm = {.tm_isdst = -1};
		const char *end = strptime(text, forms[i], &tm);
		int day = tm.tm_mday;
		time_t seconds;

		if (!end || *end)
			continue;
		seconds = mktime(&tm);
		/* The 31st of a month that has 30 days would be the first of the next. */
		if (seconds < 0 || tm.tm_mday != day)
			return -EINVAL;
		*ret = (int64_t)seconds * MSEC_PER_SEC;
		return 0;
	}
	return -EINVAL;
}

int when_parse(const char *text, int64_t now_ms, int64_t *ret)
{
	if (strcmp(text, "today") == 0)
		return day_of(now_ms, 0, ret);
	if (strcmp(text, "yesterday") == 0)
		return day_of(now_ms, -1, ret);
	if (parse_ago(text, now_ms, ret) == 0)
		return 0;
	return parse_date(text, ret);
}

/* False for a time that is not known, which is written as nothing. */
static bool to_local(int64_t msec, struct tm *ret)
{
	time_t seconds = (time_t)(msec / MSEC_PER_SEC);

	return msec > 0 && localtime_r(&seconds, ret);
}

char *when_format(int64_t msec, char *to, size_t size)
{
	struct tm tm;

	if (!to_local(msec, &tm) || strftime(to, size, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		to[0] = '\0';
	return to;
}

char *when_format_exact(int64_t msec, char *to, size_t size)
{
	char stamp[32], zone[8];
	struct tm tm;

	/* RFC 3339 wants a colon between the hours and minutes of the zone, strftime() knows none.
	 */
	if (!to_local(msec, &tm) || strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm) == 0 ||
		strftime(zone, sizeof(zone), "%z", &tm) != 5)
		to[0] = '\0';
	else
		snprintf(to, size, "%s%.3s:%s", stamp, zone, zone + 3);
	return to;
}
