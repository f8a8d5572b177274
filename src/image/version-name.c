/* SPDX-License-Identifier: MIT */
/*
 * version-name.c - the version in the name of a file.
 *
 * The name is read once, from left to right. Each number that may be a version is put into a class,
 * by the word before it, by the numbers joined to it and by what stands right behind it; numbers of
 * the hardware, baud rates and sizes are left out. Then the classes are counted, and a version is
 * told only where one reading is left. The grammar is in version-name.h and in plugflash-images(5).
 */
#include "image/version-name.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "image/version.h"

enum number_class {
	CLASS_JOINED, /* several numbers, joined */
	CLASS_MARKED, /* one number behind "v" */
	CLASS_DATE,
	CLASS_BARE,
	CLASS_UNSURE, /* may be a version, cannot be read */
	CLASS_MAX,
};

struct number {
	const char *begin;
	const char *end;
};

struct scan {
	unsigned n[CLASS_MAX];
	struct number first[CLASS_MAX]; /* where n > 0 */
	struct number last_joined;
	struct number ends[2]; /* the first and the last of all */
	const char *odd_end;   /* of the last word with letters and digits that ends in a digit */
};

/* ------------------------------------------------------------------ letters and digits */

static bool is_letter(char c)
{
	return isalpha((unsigned char)c) != 0;
}

static bool is_joint(char c)
{
	return c == '-' || c == '_' || c == '.' || c == ' ';
}

static const char *skip_word(const char *text)
{
	while (is_word(*text))
		text++;
	return text;
}

static bool is_one_of(const char *word, size_t n, const char *const *words)
{
	for (; *words; words++)
		if (strlen(*words) == n && strncasecmp(*words, word, n) == 0)
			return true;
	return false;
}

/* What `git describe` puts behind the version it counts from: "-5-gdeadbee". Its end, or `text`. */
static const char *skip_commits(const char *text)
{
	const char *hash, *end;

	if (text[0] != '-' || !is_digit(text[1]))
		return text;
	hash = skip_digits(text + 1);
	if (hash[0] != '-' || hash[1] != 'g')
		return text;
	end = hash + 2 + strspn(hash + 2, "0123456789abcdef");
	return end - hash < 6 || is_word(*end) ? text : end;
}

/* ------------------------------------------------------------------ dates */

static unsigned two(const char *digits)
{
	return (unsigned)(digits[0] - '0') * 10 + (unsigned)(digits[1] - '0');
}

static bool is_day(const char *year, const char *month, const char *day)
{
	unsigned century = two(year);

	return (century == 20 || (century == 19 && year[2] == '9')) && two(month) >= 1 &&
	       two(month) <= 12 && two(day) >= 1 && two(day) <= 31;
}

/* Behind a date: a time, or the number of the build of that day. */
static const char *skip_time(const char *text)
{
	const char *digits, *end;
	size_t n;

	if (text[0] == '.' && is_digit(text[1]))
		text = skip_dotted(text + 1);
	if (*text != '-' && *text != '_' && *text != 'T' && *text != 't')
		return text;
	digits = text + 1;
	end = skip_digits(digits);
	n = (size_t)(end - digits);
	if ((n == 4 || n == 6) && two(digits) < 24 && two(digits + 2) < 60 &&
		(n == 4 || two(digits + 4) < 60) && !is_word(*end))
		return end; /* HHMM or HHMMSS */
	if (!is_letter(*text) && end > text + 1 && end - text <= 4 && !is_word(*end) &&
		!(end[0] == '.' && is_digit(end[1])))
		return end;
	return text;
}

/* 20240131, 202401311530, 2024-01-31 or 2024_01_31: the end of the day, or NULL. */
static const char *day_end(const char *text)
{
	size_t n = (size_t)(skip_digits(text) - text);
	char joint = text[n];

	if (n == 8 || n == 12 || n == 14)
		return is_day(text, text + 4, text + 6) ? text + n : NULL;
	if (n != 4 || (joint != '-' && joint != '_') || skip_digits(text + 5) != text + 7 ||
		text[7] != joint || skip_digits(text + 8) != text + 10)
		return NULL;
	return is_day(text, text + 5, text + 8) ? text + 10 : NULL;
}

/* 31.01.2024, 01_31_2024: a date, it seems, and not in the order of versions. */
static bool is_year_last(const char *text)
{
	for (int i = 0; i < 2; i++) {
		size_t n = (size_t)(skip_digits(text) - text);

		if (n < 1 || n > 2 || (n == 2 && (two(text) < 1 || two(text) > 31)) ||
			(text[n] != '.' && text[n] != '_'))
			return false;
		text += n + 1;
	}
	return skip_digits(text) == text + 4 && !is_word(text[4]) &&
	       (two(text) == 20 || (two(text) == 19 && text[2] == '9')) &&
	       !(text[4] == '.' && is_digit(text[5]));
}

static const char *date_end(const char *text)
{
	const char *end = day_end(text);

	if (!end)
		return NULL;
	end = skip_time(end);
	return is_word(*end) ? NULL : end;
}

/* ------------------------------------------------------------------ one number */

static void add(struct scan *scan, enum number_class class, const char *begin, const char *end)
{
	const struct number *first = &scan->first[class];
	size_t n = (size_t)(end - begin);

	/* Said twice, it is one. */
	if (class == CLASS_JOINED && scan->n[class] > 0 &&
		(size_t)(first->end - first->begin) == n && strncmp(first->begin, begin, n) == 0)
		return;
	if (scan->n[class]++ == 0)
		scan->first[class] = (struct number){begin, end};
	if (class == CLASS_JOINED)
		scan->last_joined = (struct number){begin, end};
	scan->ends[1] = (struct number){begin, end};
	if (!scan->ends[0].begin)
		scan->ends[0] = scan->ends[1];
}

static bool is_baud(const char *begin, const char *end)
{
	static const char *const rates[] = {"9600", "19200", "38400", "57600", "115200", "230400",
		"256000", "460800", "921600", NULL};

	return is_one_of(begin, (size_t)(end - begin), rates);
}

/* Whether a joined number may end here: "_3a" is a mended release, "_64k" a size. */
static bool may_end(const char *end)
{
	return !is_word(*end) || version_mark_end(end) ||
	       (is_letter(end[0]) && !is_word(end[1]) && !strchr("kKmMvV", end[0]));
}

/* The end of digits joined by "_", and how many: what is a date or baud rate is none of them. */
static const char *skip_joined(const char *begin, unsigned *ret_n)
{
	const char *end = skip_digits(begin);

	*ret_n = 1;
	while (end[0] == '_' && is_digit(end[1])) {
		const char *next = skip_digits(end + 1);

		if (!may_end(next) || date_end(end + 1) || is_baud(end + 1, next))
			break;
		end = next;
		(*ret_n)++;
	}
	return end;
}

/* Behind a word of letters and digits: where dots join it to numbers, there is no telling where
 * they begin (gate1.9.3, stm32f103v1.2, 24V1.2). Where to go on. */
static const char *end_odd_word(struct scan *scan, const char *begin, const char *end)
{
	if (!is_digit(end[-1]))
		return end;
	if (end[0] != '.' || !is_digit(end[1])) {
		scan->odd_end = end;
		return end;
	}
	end = skip_word(skip_dotted(end));
	add(scan, CLASS_UNSURE, begin, end);
	return end;
}

/* "3.3V", "2.4GHz": of the board. */
static const char *const units[] = {"v", "hz", "khz", "mhz", "ghz", "kb", "kib", "mb", "mib", "ma",
	"mm", "bit", "kbit", "mbit", NULL};

/* A number that begins with these digits, with what belongs to it. Where to go on. */
static const char *take_number(struct scan *scan, const char *begin, bool is_marked)
{
	bool is_odd = !is_marked && scan->odd_end && begin == scan->odd_end + 1;
	const char *end = date_end(begin), *mark;
	bool is_dotted, is_joined;
	unsigned n = 1;

	if (end) {
		add(scan, CLASS_DATE, begin, end);
		return end;
	}
	end = skip_dotted(begin);
	is_dotted = end > skip_digits(begin);
	if (!is_dotted)
		end = skip_joined(begin, &n);
	if (!is_dotted && end[0] == '.' && is_digit(end[1])) { /* 1_9.3: both may be the first */
		end = skip_word(skip_dotted(end));
		add(scan, CLASS_UNSURE, begin, end);
		return end;
	}
	is_joined = is_dotted || n > 2 || (n == 2 && is_marked);
	mark = version_mark_end(end);
	if (!mark && is_word(*end)) {
		const char *word_end = skip_word(end);
		bool is_letter_release = word_end == end + 1 && is_letter(*end);

		if (is_letter_release && is_marked && !is_joined && may_end(end)) {
			add(scan, CLASS_MARKED, begin, word_end);
			return word_end;
		}
		if (!is_joined || is_one_of(end, (size_t)(word_end - end), units))
			return end_odd_word(scan, begin, word_end);
		add(scan, is_letter_release ? CLASS_JOINED : CLASS_UNSURE, begin, word_end);
		return word_end;
	}
	end = skip_commits(mark ? mark : end);
	if (!is_joined && n == 1 && is_baud(begin, end))
		return end;
	add(scan,
		is_year_last(begin) ? CLASS_UNSURE
		: is_joined	    ? CLASS_JOINED
		: is_marked	    ? CLASS_MARKED
				    : CLASS_BARE,
		begin, end);
	if (n == 2 || is_odd) /* 75_200, esp32-7: there is no telling which of them it is */
		scan->n[CLASS_BARE]++;
	return end;
}

/* ------------------------------------------------------------------ words */

static const char *const markers[] = {"v", "ver", "version", "fw", "sw", "rel", "release", NULL};

static const char *const hardware[] = {
	"hw", "hwrev", "hwv", "hardware", "pcb", "pcba", "rev", "revision", NULL};

/* The digits behind a marking word: at it, or behind one separator. NULL: none. */
static const char *digits_behind(const char *word_end)
{
	if (is_joint(word_end[0]) && is_digit(word_end[1]))
		return word_end + 1;
	return is_digit(*word_end) ? word_end : NULL;
}

/* Goes past what tells the hardware: "hw3", "rev-1.2", "pcb_v2". */
static const char *skip_hardware(const char *word_end)
{
	const char *digits = digits_behind(word_end);
	unsigned n;

	if (!digits && is_joint(word_end[0]) && tolower((unsigned char)word_end[1]) == 'v')
		digits = digits_behind(word_end + 2);
	if (!digits)
		return skip_word(word_end);
	word_end = skip_dotted(digits);
	return skip_word(word_end > skip_digits(digits) ? word_end : skip_joined(digits, &n));
}

static const char *take_word(struct scan *scan, const char *begin)
{
	const char *letters_end = begin, *digits, *end;

	while (is_letter(*letters_end))
		letters_end++;
	if (letters_end == begin)
		return take_number(scan, begin, false);
	if (is_one_of(begin, (size_t)(letters_end - begin), hardware))
		return skip_hardware(letters_end);
	digits = digits_behind(letters_end);
	if (digits && is_one_of(begin, (size_t)(letters_end - begin), markers))
		return take_number(scan, digits, true);
	end = skip_word(letters_end);
	if (end == letters_end)
		return end;
	return end_odd_word(scan, letters_end, end);
}

/* ------------------------------------------------------------------ the decision */

/* One spelling: dots between joined numbers, "-" before all else. False: too long. */
static bool spell(const struct number *number, bool is_date, char to[VERSION_NAME_MAX])
{
	const char *day = is_date ? day_end(number->begin) : number->begin;
	size_t n = 0;

	for (const char *at = number->begin; at < number->end; at++) {
		bool is_inside = at > number->begin && is_digit(at[-1]) && is_digit(at[1]);

		if (is_date && at < day && !is_digit(*at))
			continue;
		if (n + 1 == VERSION_NAME_MAX)
			return false;
		to[n++] = *at == '_'		      ? (is_inside && !is_date ? '.' : '-')
			  : is_date && is_letter(*at) ? '-'
						      : *at;
	}
	to[n] = '\0';
	return true;
}

static void tell_unsure(const struct scan *scan, struct version_name *ret)
{
	const struct number *second = NULL, *one = &scan->first[CLASS_UNSURE];
	char shown[2][40];

	ret->kind = VERSION_NAME_UNSURE;
	ret->version[0] = '\0';
	if (scan->n[CLASS_UNSURE] == 0) {
		/* Beside joined numbers, bare ones are no candidates. */
		one = scan->n[CLASS_JOINED] ? &scan->first[CLASS_JOINED] : &scan->ends[0];
		second = !scan->n[CLASS_JOINED]	     ? &scan->ends[1]
			 : scan->n[CLASS_MARKED] > 0 ? &scan->first[CLASS_MARKED]
						     : &scan->last_joined;
	}
	snprintf(shown[0], sizeof(shown[0]), "%.*s", (int)(one->end - one->begin), one->begin);
	if (!second || second->begin == one->begin) {
		snprintf(ret->why, sizeof(ret->why),
			"'%s' in its name may or may not be the version", shown[0]);
		return;
	}
	snprintf(shown[1], sizeof(shown[1]), "%.*s", (int)(second->end - second->begin),
		second->begin);
	snprintf(ret->why, sizeof(ret->why), "both '%s' and '%s' in its name may be the version",
		shown[0], shown[1]);
}

/*
 * The highest class that occurs decides, if it occurs once: joined numbers, beside which only a
 * marked one makes the name unsure; else the only number there is.
 */
static void scan_name(const char *name, struct version_name *ret)
{
	struct scan scan = {0};
	const unsigned *n = scan.n;
	enum number_class class = CLASS_UNSURE;
	unsigned n_alone;

	while (*name)
		name = is_word(*name) ? take_word(&scan, name) : name + 1;
	n_alone = n[CLASS_MARKED] + n[CLASS_DATE] + n[CLASS_BARE];
	if (n[CLASS_UNSURE] + n[CLASS_JOINED] + n_alone == 0)
		return;
	if (n[CLASS_UNSURE] == 0 && n[CLASS_JOINED] == 1 && n[CLASS_MARKED] == 0)
		class = CLASS_JOINED;
	else if (n[CLASS_UNSURE] == 0 && n[CLASS_JOINED] == 0 && n_alone == 1)
		class = n[CLASS_MARKED] ? CLASS_MARKED : n[CLASS_DATE] ? CLASS_DATE : CLASS_BARE;
	if (class == CLASS_UNSURE ||
		!spell(&scan.first[class], class == CLASS_DATE, ret->version)) {
		tell_unsure(&scan, ret);
		return;
	}
	ret->kind = class == CLASS_DATE ? VERSION_NAME_DATE : VERSION_NAME_NUMBERS;
}

/* ------------------------------------------------------------------ a rule's own pattern */

int version_pattern_init(struct version_pattern *pattern, const char *text)
{
	int r = text ? regcomp(&pattern->compiled, text, REG_EXTENDED) : 0;

	pattern->is_given = text && r == 0;
	return r == 0 ? 0 : r == REG_ESPACE ? -ENOMEM : -EINVAL;
}

void version_pattern_done(struct version_pattern *pattern)
{
	if (pattern->is_given)
		regfree(&pattern->compiled);
	pattern->is_given = false;
}

static void match_name(
	const struct version_pattern *pattern, const char *name, struct version_name *ret)
{
	regmatch_t groups[2];
	struct number number;
	char found[40], shown[TEXT_MAX / 2];
	size_t part = pattern->compiled.re_nsub > 0 ? 1 : 0;

	ret->kind = VERSION_NAME_UNSURE;
	if (regexec(&pattern->compiled, name, ARRAY_SIZE(groups), groups, 0) != 0 ||
		groups[part].rm_so < 0) {
		snprintf(ret->why, sizeof(ret->why), "its name does not fit version-in-name");
		return;
	}
	number = (struct number){name + groups[part].rm_so, name + groups[part].rm_eo};
	if (!spell(&number, false, ret->version) || !version_is_fit(ret->version)) {
		ret->version[0] = '\0';
		snprintf(found, sizeof(found), "%.*s", (int)(number.end - number.begin),
			number.begin);
		text_escape(found, shown, sizeof(shown));
		snprintf(ret->why, sizeof(ret->why),
			"version-in-name finds no version in its name, but '%s'", shown);
		return;
	}
	ret->kind = VERSION_NAME_NUMBERS;
}

void version_from_name(
	const struct version_pattern *pattern, const char *path, struct version_name *ret)
{
	const char *name = basename(path);

	ret->kind = VERSION_NAME_NONE;
	ret->version[0] = '\0';
	ret->why[0] = '\0';
	if (pattern && pattern->is_given)
		match_name(pattern, name, ret);
	else
		scan_name(name, ret);
}
