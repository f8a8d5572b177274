/* SPDX-License-Identifier: MIT */
#include "fleet/window.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/parse.h"

#define DAYS	  7
#define EVERY_DAY ((1U << DAYS) - 1)
#define DAY_MIN	  (24 * 60)

/* In the order of struct tm. */
static const char *const days[DAYS] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

/* ------------------------------------------------------------------ as text */

/* "Sat" at `*text`, which goes behind it; DAYS: none stands there. */
static unsigned take_day(const char **text)
{
	unsigned day;

	for (day = 0; day < DAYS; day++)
		if (strncasecmp(*text, days[day], 3) == 0)
			break;
	if (day < DAYS)
		*text += 3;
	return day;
}

/* "Sat,Sun" or "Mon-Fri"; a range may run over the end of the week. */
static int take_days(const char **text, uint8_t *ret)
{
	const char *at = *text;
	unsigned set = 0;

	for (;;) {
		unsigned day = take_day(&at), last = day;

		if (day < DAYS && *at == '-') {
			at++;
			last = take_day(&at);
		}
		if (day == DAYS || last == DAYS)
			return WINDOW_REFUSED;
		for (set |= 1U << last; day != last; day = (day + 1) % DAYS)
			set |= 1U << day;
		if (*at != ',')
			break;
		at++;
	}
	if (!text_is_blank(*at))
		return WINDOW_REFUSED;
	while (text_is_blank(*at))
		at++;
	*text = at;
	*ret = (uint8_t)set;
	return WINDOW_OK;
}

/* Two digits. */
static int take_number(const char **text, unsigned *ret)
{
	const char *at = *text;

	if (digit_value(at[0]) > 9 || digit_value(at[1]) > 9)
		return WINDOW_REFUSED;
	*ret = digit_value(at[0]) * 10 + digit_value(at[1]);
	*text += 2;
	return WINDOW_OK;
}

/* "05:00", up to "24:00". */
static int take_time(const char **text, uint16_t *ret)
{
	unsigned hours, minutes;

	if (take_number(text, &hours) != WINDOW_OK || **text != ':')
		return WINDOW_REFUSED;
	(*text)++;
	if (take_number(text, &minutes) != WINDOW_OK || minutes > 59 ||
		hours * 60 + minutes > DAY_MIN)
		return WINDOW_REFUSED;
	*ret = (uint16_t)(hours * 60 + minutes);
	return WINDOW_OK;
}

int window_parse(const char *text, struct window *ret, struct reason *reason)
{
	struct window window = {.is_given = true, .days = EVERY_DAY};
	const char *at = text;
	char shown[TEXT_MAX];
	int r = digit_value(*at) > 9 ? take_days(&at, &window.days) : WINDOW_OK;

	if (r == WINDOW_OK)
		r = take_time(&at, &window.opens_min);
	if (r == WINDOW_OK && *at++ != '-')
		r = WINDOW_REFUSED;
	if (r == WINDOW_OK)
		r = take_time(&at, &window.closes_min);
	if (r != WINDOW_OK || *at || window.opens_min == DAY_MIN)
		return reason_refuse(WINDOW_REFUSED, reason,
			"expected hours like 22:00-05:00 or Sat,Sun 22:00-05:00, got '%s'",
			text_escape(text, shown, sizeof(shown)));
	if (window.opens_min == window.closes_min)
		return reason_refuse(WINDOW_REFUSED, reason,
			"opens and closes at the same time: a whole day is 00:00-24:00");
	*ret = window;
	return WINDOW_OK;
}

/* ------------------------------------------------------------------ at a time */

/* When it is so many minutes after midnight, so many days after that day. A time that the clocks
 * leap over is the one behind the leap. */
static int64_t time_of(const struct tm *day, int n_days, unsigned minutes)
{
	struct tm at = {
		.tm_year = day->tm_year,
		.tm_mon = day->tm_mon,
		.tm_mday = day->tm_mday + n_days,
		.tm_hour = (int)(minutes / 60),
		.tm_min = (int)(minutes % 60),
		.tm_isdst = -1,
	};

	return mktime(&at);
}

/* The window that opens on that day, so many days after today. False: none does. */
static bool window_of(const struct window *window, const struct tm *today, int n_days,
	int64_t *ret_opens_s, int64_t *ret_closes_s)
{
	int weekday = (today->tm_wday + n_days + DAYS) % DAYS;
	bool is_overnight = window->closes_min <= window->opens_min;

	if (!(window->days & 1U << weekday))
		return false;
	*ret_opens_s = time_of(today, n_days, window->opens_min);
	*ret_closes_s = time_of(today, n_days + is_overnight, window->closes_min);
	return *ret_opens_s < *ret_closes_s;
}

/* From yesterday on, whose window may still be open, to the same day a week later. */
void window_at(const struct window *window, int64_t now_s, struct window_state *ret)
{
	struct window_state state = {.is_open = !window->is_given, .until_s = INT64_MAX};
	time_t now = (time_t)now_s;
	int64_t opens_s, closes_s;
	struct tm today;

	*ret = state;
	if (!window->is_given || !localtime_r(&now, &today))
		return;
	for (int n_days = -1; n_days <= DAYS; n_days++) {
		if (!window_of(window, &today, n_days, &opens_s, &closes_s) || closes_s <= now_s)
			continue;
		/* One that opens as the other closes is the same window. */
		if (opens_s <= (state.is_open ? state.until_s : now_s)) {
			state.is_open = true;
			state.until_s = closes_s;
		} else if (!state.is_open && state.until_s == INT64_MAX) {
			state.until_s = opens_s;
		}
	}
	*ret = state;
}
