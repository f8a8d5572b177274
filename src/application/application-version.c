/* SPDX-License-Identifier: MIT */
#include "application/application-version.h"

#include <string.h>

#include "image/version.h"

#define COMMIT "GitHub-"

bool application_version_read(
	const uint8_t *bytes, size_t n_bytes, char end, char ret[static APPLICATION_VERSION_BYTES])
{
	size_t begin = 0, n = 0;

	while (n < n_bytes && bytes[n] != '\0' && (end == '\0' || bytes[n] != (uint8_t)end))
		if (bytes[n] < ' ' || bytes[n++] > '~')
			return false;
	while (begin < n && bytes[begin] == ' ')
		begin++;
	while (n > begin && bytes[n - 1] == ' ')
		n--;
	if (n == begin || n - begin >= APPLICATION_VERSION_BYTES)
		return false;
	memcpy(ret, bytes + begin, n - begin);
	ret[n - begin] = '\0';
	return true;
}

/* The next number that is not within a word ("7.4.3", not the one of "EFR32" or of a commit). */
static const char *next_number(const char *text, char to[APPLICATION_VERSION_BYTES])
{
	bool is_in_word = false;

	for (; *text; text++) {
		const char *end = skip_dotted(text);

		if (is_digit(*text) && !is_in_word && !is_word(*end) &&
			(size_t)(end - text) < APPLICATION_VERSION_BYTES) {
			memcpy(to, text, (size_t)(end - text));
			to[end - text] = '\0';
			return end;
		}
		/* "v7.4.3" is a number, "EFR32MG21" is none. */
		is_in_word = is_word(*text) && !(!is_in_word && (*text == 'v' || *text == 'V'));
	}
	return NULL;
}

static size_t word_length(const char *text)
{
	size_t n = 0;

	while (is_word(text[n]))
		n++;
	return n;
}

static bool names_other_commit(const char *a, const char *b)
{
	const char *of_a = strstr(a, COMMIT), *of_b = strstr(b, COMMIT);
	size_t n_a, n_b;

	if (!of_a || !of_b)
		return false;
	n_a = word_length(of_a += strlen(COMMIT));
	n_b = word_length(of_b += strlen(COMMIT));
	/* One side may give more digits of it. */
	return strncmp(of_a, of_b, n_a < n_b ? n_a : n_b) != 0;
}

/* "7.3" of "7.3.1.0", but not of "7.31" and no "7" of anything. */
static bool begins(const char *number, const char *sought)
{
	size_t n = strlen(sought);

	return strchr(sought, '.') && strncmp(number, sought, n) == 0 && number[n] == '.';
}

static bool is_version(const char *said, const char *wanted, bool may_be_short)
{
	char sought[APPLICATION_VERSION_BYTES], number[APPLICATION_VERSION_BYTES];

	if (strcmp(said, wanted) == 0)
		return *said != '\0';
	if (!next_number(wanted, sought) || names_other_commit(said, wanted))
		return false;
	while ((said = next_number(said, number)) != NULL)
		if (version_compare(number, sought) == 0 ||
			(may_be_short && begins(number, sought)))
			return true;
	return false;
}

bool application_version_is(const char *said, const char *wanted)
{
	return is_version(said, wanted, false);
}

bool application_version_confirms(const char *said, const char *wanted)
{
	return is_version(said, wanted, true);
}
