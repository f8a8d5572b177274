/* SPDX-License-Identifier: MIT */
/* parse.c - numbers digit by digit: strtoul() accepts signs, blanks and octal, all unwanted here.
 */
#include "base/parse.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"

unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 16;
}

int parse_digits(const char **text, unsigned base, uint64_t *ret)
{
	const char *begin = *text;
	uint64_t value = 0;
	bool too_large = false;

	for (; digit_value(**text) < base; (*text)++) {
		if (__builtin_mul_overflow(value, base, &value) ||
			__builtin_add_overflow(value, (uint64_t)digit_value(**text), &value))
			too_large = true;
	}
	if (*text == begin)
		return -EINVAL;
	if (too_large)
		return -ERANGE;
	*ret = value;
	return 0;
}

static int take_number(const char **text, uint64_t *ret)
{
	bool hexadecimal = (*text)[0] == '0' && ((*text)[1] == 'x' || (*text)[1] == 'X');

	if (hexadecimal)
		*text += 2;
	return parse_digits(text, hexadecimal ? 16 : 10, ret);
}

int parse_u32(const char *text, uint32_t *ret)
{
	uint64_t value = 0;
	int r = take_number(&text, &value);

	if (*text != '\0')
		return -EINVAL;
	if (r < 0)
		return r;
	if (value > UINT32_MAX)
		return -ERANGE;
	*ret = (uint32_t)value;
	return 0;
}

int parse_address(const char *text, uint32_t *ret)
{
	if (text[0] == '0' && digit_value(text[1]) < 10)
		return -EINVAL;
	return parse_u32(text, ret);
}

int parse_size(const char *text, uint32_t *ret)
{
	uint64_t value = 0;
	uint64_t unit = 1;
	int r = take_number(&text, &value);

	if (*text == 'K')
		unit = 1024;
	else if (*text == 'M')
		unit = UINT64_C(1024) * 1024;
	if (unit > 1)
		text++;
	if (*text != '\0')
		return -EINVAL;
	if (r < 0)
		return r;
	if (value > UINT32_MAX || value * unit > UINT32_MAX)
		return -ERANGE;
	*ret = (uint32_t)(value * unit);
	return 0;
}

/* The part behind a point, if there is one, as digits / scale. */
static int take_fraction(const char **text, uint64_t *ret_digits, uint64_t *ret_scale)
{
	const char *begin;

	*ret_digits = 0;
	*ret_scale = 1;
	if (**text != '.')
		return 0;
	begin = ++*text;
	if (parse_digits(text, 10, ret_digits) < 0 || *text - begin > 9)
		return -EINVAL;
	for (; begin < *text; begin++)
		*ret_scale *= 10;
	return 0;
}

int parse_duration_usec(const char *text, uint64_t *ret)
{
	static const struct {
		const char *name;
		uint64_t usec;
	} units[] = {
		{"us", 1},
		{"ms", USEC_PER_MSEC},
		{"s", USEC_PER_SEC},
		{"min", 60 * USEC_PER_SEC},
	};
	uint64_t whole = 0;
	uint64_t fraction;
	uint64_t scale;
	int r = parse_digits(&text, 10, &whole);

	if (r == -EINVAL || take_fraction(&text, &fraction, &scale) < 0)
		return -EINVAL;
	if (r == 0 && *text == '\0' && whole == 0 && scale == 1) {
		*ret = 0;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		uint64_t usec;

		if (strcmp(text, units[i].name) != 0)
			continue;
		if (fraction * units[i].usec % scale != 0)
			return -EINVAL;
		if (r < 0 || __builtin_mul_overflow(whole, units[i].usec, &usec) ||
			__builtin_add_overflow(usec, fraction * units[i].usec / scale, &usec))
			return -ERANGE;
		*ret = usec;
		return 0;
	}
	return -EINVAL;
}

int parse_bool(const char *text, bool *ret)
{
	static const char *const words[][2] = {
		{"no", "yes"}, {"false", "true"}, {"0", "1"}, {"off", "on"}};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		for (size_t value = 0; value < 2; value++)
			if (strcmp(text, words[i][value]) == 0) {
				*ret = value == 1;
				return 0;
			}
	return -EINVAL;
}

void parse_list_free(char **list)
{
	if (!list)
		return;
	for (size_t i = 0; list[i]; i++)
		free(list[i]);
	free(list);
}

void parse_list_freep(char ***list)
{
	parse_list_free(*list);
}

int parse_list_copy(char *const *list, size_t n, char ***ret)
{
	char **copy CLEANUP(parse_list_freep) = calloc(n + 1, sizeof(*copy));

	for (size_t i = 0; copy && i < n; i++) {
		copy[i] = strdup(list[i]);
		if (!copy[i])
			return -ENOMEM;
	}
	if (!copy)
		return -ENOMEM;
	*ret = TAKE_PTR(copy);
	return 0;
}

int parse_list(const char *text, char ***ret, size_t *ret_n)
{
	static const char separators[] = " \t\r\n\v\f,";
	/* Every item but the last is followed by a separator. */
	char **list CLEANUP(parse_list_freep) = calloc(strlen(text) / 2 + 2, sizeof(*list));
	size_t n = 0;

	if (!list)
		return -ENOMEM;
	for (;;) {
		size_t length;

		text += strspn(text, separators);
		length = strcspn(text, separators);
		if (length == 0)
			break;
		list[n] = strndup(text, length);
		if (!list[n])
			return -ENOMEM;
		n++;
		text += length;
	}
	*ret = TAKE_PTR(list);
	*ret_n = n;
	return 0;
}
