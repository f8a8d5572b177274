/* SPDX-License-Identifier: MIT */
#include "image/version.h"

#include <string.h>
#include <strings.h>

#include "base/util.h"

/* What is known of a version: pointers into its text. */
struct version {
	const char *numbers; /* "1.2.3"; NULL where the text has no version */
	int rank;	     /* of the early release, RANK_PLAIN or RANK_MORE */
	const char *number;  /* digits behind "rc" */
	const char *rest;
};

/* In rising order. */
static const char *const early_releases[] = {
	"dev", "snapshot", "alpha", "beta", "pre", "preview", "rc"};

#define RANK_PLAIN ((int)ARRAY_SIZE(early_releases))
#define RANK_MORE  (RANK_PLAIN + 1)

/*
 * The early release that stands here, with its separator and number: where its number is, where it
 * ends. -1 where there is none, or where a longer word stands ("release").
 */
static int early_release_at(const char *text, const char **ret_number, const char **ret_end)
{
	if (*text != '\0' && strchr("-~._", *text))
		text++;
	if (!is_word(*text)) /* most versions: this is asked a hundred thousand times in one list */
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(early_releases); i++) {
		size_t n = strlen(early_releases[i]);
		const char *number = text + n, *end;

		if (strncasecmp(text, early_releases[i], n) != 0)
			continue;
		if ((number[0] == '.' || number[0] == '_') && is_digit(number[1]))
			number++;
		end = skip_digits(number);
		if (is_word(*end))
			continue;
		*ret_number = number;
		*ret_end = end;
		return (int)i;
	}
	return -1;
}

static struct version version_parse(const char *text)
{
	struct version version = {.rank = RANK_PLAIN, .number = "", .rest = text};
	const char *end;

	if ((text[0] == 'v' || text[0] == 'V') && is_digit(text[1]))
		text++;
	if (!is_digit(text[0]))
		return version;
	version.numbers = text;
	version.rest = end = skip_dotted(text);
	version.rank = early_release_at(end, &version.number, &version.rest);
	if (version.rank < 0)
		version.rank = *end == '\0' ? RANK_PLAIN : RANK_MORE;
	return version;
}

/* Two runs of digits, either of which may be empty (0). Longer than any integer type is fine. */
static int compare_digits(const char *a, const char *b)
{
	size_t n_a, n_b;

	while (*a == '0')
		a++;
	while (*b == '0')
		b++;
	n_a = (size_t)(skip_digits(a) - a);
	n_b = (size_t)(skip_digits(b) - b);
	if (n_a != n_b)
		return n_a < n_b ? -1 : 1;
	return strncmp(a, b, n_a);
}

static int compare_numbers(const char *a, const char *b)
{
	while (is_digit(*a) || is_digit(*b)) {
		int order = compare_digits(a, b);

		if (order != 0)
			return order;
		a = skip_digits(a);
		b = skip_digits(b);
		if (a[0] == '.' && is_digit(a[1]))
			a++;
		if (b[0] == '.' && is_digit(b[1]))
			b++;
	}
	return 0;
}

static int compare_text(const char *a, const char *b)
{
	for (;;) {
		if (is_digit(*a) && is_digit(*b)) {
			int order = compare_digits(a, b);

			if (order != 0)
				return order;
			a = skip_digits(a);
			b = skip_digits(b);
			continue;
		}
		if (*a != *b)
			return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
		if (*a == '\0')
			return 0;
		a++;
		b++;
	}
}

bool version_is_fit(const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		if (!is_word(text[i]) && !strchr(".-+~_", text[i]))
			return false;
	return n < 64 && version_parse(text).numbers != NULL;
}

int version_compare(const char *a, const char *b)
{
	struct version one = version_parse(a), other = version_parse(b);
	int order;

	if (!one.numbers || !other.numbers) {
		if (!one.numbers && !other.numbers)
			return compare_text(a, b);
		return one.numbers ? 1 : -1;
	}
	order = compare_numbers(one.numbers, other.numbers);
	if (order == 0)
		order = one.rank - other.rank;
	if (order == 0)
		order = compare_digits(one.number, other.number);
	if (order == 0)
		order = compare_text(one.rest, other.rest);
	return order;
}

const char *version_mark_end(const char *text)
{
	const char *number, *end;

	return early_release_at(text, &number, &end) >= 0 ? end : NULL;
}
