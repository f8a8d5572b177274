/* SPDX-License-Identifier: MIT */
#include "fleet/moment.h"

#include <errno.h>
#include <stdbool.h>
#include <time.h>

#include "base/parse.h"

/* So many digits, then the mark; '\0': none. */
static bool take_number(const char **text, unsigned n_digits, char mark, int *ret)
{
	const char *at = *text;
	int number = 0;

	for (unsigned i = 0; i < n_digits; i++, at++) {
		if (digit_value(*at) > 9)
			return false;
		number = number * 10 + (int)digit_value(*at);
	}
	if (mark && *at++ != mark)
		return false;
	*text = at;
	*ret = number;
	return true;
}

/* "Z", "+01:00" or "-02:30", as the end of the text. */
static bool take_zone(const char *text, int *ret_min)
{
	int sign = *text == '-' ? -1 : 1, hours, minutes;

	*ret_min = 0;
	if (*text == 'Z' || *text == 'z')
		return text[1] == '\0';
	if (*text != '+' && *text != '-')
		return false;
	text++;
	if (!take_number(&text, 2, ':', &hours) || !take_number(&text, 2, '\0', &minutes) ||
		*text || hours > 23 || minutes > 59)
		return false;
	*ret_min = sign * (hours * 60 + minutes);
	return true;
}

int moment_parse(const char *text, int64_t *ret)
{
	struct tm at = {}, asked;
	int64_t moment;
	int zone_min;

	if (!take_number(&text, 4, '-', &at.tm_year) || !take_number(&text, 2, '-', &at.tm_mon) ||
		!take_number(&text, 2, '\0', &at.tm_mday))
		return -EINVAL;
	if (*text != 'T' && *text != 't' && *text != ' ')
		return -EINVAL;
	text++;
	if (!take_number(&text, 2, ':', &at.tm_hour) || !take_number(&text, 2, ':', &at.tm_min) ||
		!take_number(&text, 2, '\0', &at.tm_sec))
		return -EINVAL;
	if (*text == '.')
		for (text++; digit_value(*text) <= 9; text++)
			;
	if (!take_zone(text, &zone_min))
		return -EINVAL;
	at.tm_year -= 1900;
	at.tm_mon -= 1;
	asked = at;
	moment = timegm(&at);
	/* A 30th of February is moved on to March. */
	if (at.tm_mon != asked.tm_mon || at.tm_mday != asked.tm_mday ||
		at.tm_hour != asked.tm_hour || at.tm_min != asked.tm_min || asked.tm_sec > 59)
		return -EINVAL;
	moment -= (int64_t)zone_min * 60;
	if (moment < 0 || moment > MOMENT_MOST)
		return -EINVAL;
	*ret = moment;
	return 0;
}
