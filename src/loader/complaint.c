/* SPDX-License-Identifier: MIT */
/*
 * complaint.c - words for a failure, as boot loaders print them.
 *
 * A loader may answer every block with ACK and say only afterwards, in words, that it does not take
 * the file: ST's IAP ("Verification failed!", "Aborted by user."), Gecko ("Serial upload aborted",
 * "file error"), and others in words of their own. So single words are looked for, not the
 * sentences of one loader.
 */
#include "loader/complaint.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"

/* Begins of words, or of several words. */
static const char *const words[] = {"fail", "error", "abort", "unsuccess", "not success", "invalid",
	"not valid", "no valid", "illegal", "corrupt", "damaged", "mismatch", "not match", "differ",
	"wrong", "bad ", "reject", "refuse", "denied", "not accept", "not allowed", "incompatible",
	"unsupported", "not supported", "unknown file", "cannot", "can't", "could not", "couldn't",
	"unable", "not able", "timeout", "timed out", "time out", "too large", "too big",
	"too long", "too small", "too short", "higher than", "larger than", "exceed", "overflow",
	"out of range", "not ok", "nok", "incomplete", "not complete", "not found", "truncated",
	"panic", "no application", "no image", "no firmware"};

static const char *const about_start[] = {
	"boot", "appl", "app ", "image", "firmware", "program", "vector", "signature"};

static bool is_letter(char c)
{
	return isalpha((unsigned char)c) != 0;
}

static bool begins_with(const char *text, const char *word)
{
	return strncasecmp(text, word, strlen(word)) == 0;
}

static bool is_one_of(const char *const list[], size_t n_list, const char *word, size_t n)
{
	for (size_t i = 0; i < n_list; i++)
		if (strlen(list[i]) == n && strncasecmp(word, list[i], n) == 0)
			return true;
	return false;
}

/* "0 errors", "no CRC error", "not aborted", "to abort": with nothing but blanks between. */
static bool is_denied_before(const char *line, const char *at)
{
	static const char *const none[] = {"0", "no", "zero", "without"};
	static const char *const not [] = {"not", "never"};
	bool is_offer = begins_with(at, "abort");

	for (int i = 0; i < 2; i++) {
		const char *end = at;
		size_t n;

		while (end > line && end[-1] == ' ')
			end--;
		at = end;
		while (at > line && isalnum((unsigned char)at[-1]))
			at--;
		n = (size_t)(end - at);
		if (is_one_of(none, ARRAY_SIZE(none), at, n) ||
			(i == 0 && is_one_of(not, ARRAY_SIZE(not ), at, n)) ||
			(i == 0 && is_offer && n == 2 && begins_with(at, "to")))
			return true;
		if (n == 0)
			return false;
	}
	return false;
}

/* What is counted, in front of how many of them there were: "failed pages: 0". */
static const char *skip_counted(const char *at)
{
	static const char *const counted[] = {"code", "count", "counter", "total", "detected",
		"found", "pages", "blocks", "sectors", "packets", "frames", "records", "lines",
		"bytes", "words", "bits", "errors", "(s)"};

	for (;;) {
		const char *word = at + strspn(at, " :=_-");
		size_t n = *word == '(' ? strcspn(word, " :=_-") : 0;

		while (is_letter(word[n]))
			n++;
		if (!is_one_of(counted, ARRAY_SIZE(counted), word, n))
			return word;
		at = word + n;
	}
}

/* "0, 3" are two of a list, and no number of errors; "0, 3 retries" are. */
static bool is_list(const char *at)
{
	size_t n_digits;

	if (*at != ',')
		return false;
	at += strspn(at, ", ");
	n_digits = strspn(at, "0123456789");
	at += n_digits;
	at += strspn(at, " ");
	return n_digits > 0 && !is_letter(*at);
}

/* "errors: 0", "error code 0x00", "failures = none", "verify failed pages: 0". */
static bool is_denied_behind(const char *at)
{
	while (is_letter(*at))
		at++;
	at = skip_counted(at);
	if (begins_with(at, "none"))
		at += strlen("none");
	else if (*at == '0')
		at += strspn(at, "0xX");
	else
		return false;
	return *at == '\0' || (strchr(",;.)]/|", *at) != NULL && !is_list(at));
}

bool complaint_is_in(const char *line)
{
	for (const char *at = line; *at; at++) {
		if (at > line && is_letter(at[-1]))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(words); i++)
			if (begins_with(at, words[i]) && !is_denied_before(line, at) &&
				!is_denied_behind(at))
				return true;
	}
	return false;
}

bool complaint_is_about_start(const char *line)
{
	for (const char *at = line; *at; at++)
		for (size_t i = 0; i < ARRAY_SIZE(about_start); i++)
			if (begins_with(at, about_start[i]))
				return complaint_is_in(line);
	return false;
}
