/* SPDX-License-Identifier: MIT */
/*
 * provision.c - `serialize`: the key, and a value as bytes for the flash and as text for people.
 *
 * A value travels as text, a number or a column of a file, from the store or the file to the
 * worker; only provision_render() turns it into bytes. It checks that the value fits exactly: a
 * number that is cut, or a text without its end, would be two units with one serial number.
 */
#include "rules/provision.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"

/* The store counts in signed numbers of 64 bits. */
#define NUMBER_MOST INT64_MAX

static const struct {
	const char *word;
	enum provision_form form;
	bool has_file;
} forms[] = {
	{"decimal", PROVISION_DECIMAL, false},
	{"hex", PROVISION_HEX, false},
	{"binary", PROVISION_BINARY, false},
	{"text", PROVISION_TEXT, true},
	{"bytes", PROVISION_BYTES, true},
};

/* ------------------------------------------------------------------ the key */

/* The next word of the text, at most `size` bytes with the NUL. */
static int take_word(const char **text, char *to, size_t size)
{
	const char *begin = *text + strspn(*text, " \t");
	size_t n = strcspn(begin, " \t");

	if (n == 0 || n >= size)
		return -EINVAL;
	memcpy(to, begin, n);
	to[n] = '\0';
	*text = begin + n;
	return 0;
}

static int parse_range(const char *word, struct provision *to)
{
	char address[32];
	const char *plus = strchr(word, '+');

	if (!plus || (size_t)(plus - word) >= sizeof(address))
		return -EINVAL;
	snprintf(address, sizeof(address), "%.*s", (int)(plus - word), word);
	if (parse_address(address, &to->address) < 0 || parse_size(plus + 1, &to->size) < 0)
		return -EINVAL;
	if (to->size == 0 || to->size > PROVISION_MOST)
		return -EINVAL;
	return to->size - 1 > UINT32_MAX - to->address ? -ERANGE : 0;
}

/* Digits, after 0x hexadecimal ones, and nothing else. */
static int parse_number(const char *text, uint64_t *ret)
{
	bool is_hex = strncmp(text, "0x", 2) == 0;
	const char *digits = is_hex ? text + 2 : text;
	uint64_t number;
	int r = parse_digits(&digits, is_hex ? 16 : 10, &number);

	if (r == -EINVAL || *digits)
		return -EINVAL;
	if (r < 0 || number > NUMBER_MOST)
		return -ERANGE;
	*ret = number;
	return 0;
}

int parse_provision(const char *value, void *field, const char **ret_expected)
{
	struct provision made = {0};
	char word[64];
	int r;

	*ret_expected =
		"address+size (1 to 64 bytes), and decimal, hex or binary with the first number, or text or bytes with the path of a file, like 0x0800FC00+8 decimal 1000";
	r = take_word(&value, word, sizeof(word));
	if (r == 0)
		r = parse_range(word, &made);
	if (r == 0)
		r = take_word(&value, word, sizeof(word));
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(forms); i++)
		if (strcmp(forms[i].word, word) == 0) {
			made.form = forms[i].form;
			value += strspn(value, " \t");
			if (!forms[i].has_file)
				r = parse_number(value, &made.first);
			else if (value[0] != '/' || strlen(value) >= sizeof(made.file))
				r = -EINVAL;
			else
				snprintf(made.file, sizeof(made.file), "%s", value);
		}
	if (r == 0 && made.form == PROVISION_BINARY && made.size > sizeof(made.first))
		r = -ERANGE;
	if (r < 0 || made.form == PROVISION_NONE)
		return r < 0 ? r : -EINVAL;
	*(struct provision *)field = made;
	return 0;
}

/* ------------------------------------------------------------------ the bytes */

static int refuse_size(const struct provision *serialize, struct reason *reason)
{
	reason_set(reason, "does not fit the %u bytes of `serialize`", serialize->size);
	return -ERANGE;
}

static int render_number(
	const struct provision *serialize, const char *value, uint8_t *to, struct reason *reason)
{
	char digits[PROVISION_MOST + 1];
	uint64_t number;
	int n;

	if (parse_number(value, &number) < 0) {
		reason_set(reason, "is no number");
		return -EINVAL;
	}
	if (serialize->form == PROVISION_BINARY) {
		if (serialize->size < 8 && number >> (8 * serialize->size) != 0)
			return refuse_size(serialize, reason);
		for (uint32_t i = 0; i < serialize->size; i++)
			to[i] = (uint8_t)(number >> (8 * i));
		return 0;
	}
	if (serialize->form == PROVISION_HEX)
		n = snprintf(digits, sizeof(digits), "%0*" PRIX64, (int)serialize->size, number);
	else
		n = snprintf(digits, sizeof(digits), "%0*" PRIu64, (int)serialize->size, number);
	if (n != (int)serialize->size)
		return refuse_size(serialize, reason);
	memcpy(to, digits, serialize->size);
	return 0;
}

static int render_text(
	const struct provision *serialize, const char *value, uint8_t *to, struct reason *reason)
{
	size_t n = strlen(value);

	if (n > serialize->size)
		return refuse_size(serialize, reason);
	for (size_t i = 0; i < n; i++)
		if (!isprint((unsigned char)value[i])) {
			reason_set(reason, "is no printable ASCII text");
			return -EINVAL;
		}
	memset(to, 0, serialize->size);
	memcpy(to, value, n);
	return 0;
}

static int render_bytes(
	const struct provision *serialize, const char *value, uint8_t *to, struct reason *reason)
{
	size_t n = strlen(value);

	if (strspn(value, "0123456789abcdefABCDEF") != n) {
		reason_set(reason, "is not in hexadecimal digits");
		return -EINVAL;
	}
	if (n != 2 * (size_t)serialize->size) {
		reason_set(reason,
			"has %zu hexadecimal digits, and `serialize` has room for %u bytes: two each",
			n, serialize->size);
		return -ERANGE;
	}
	for (uint32_t i = 0; i < serialize->size; i++)
		to[i] = (uint8_t)(digit_value(value[2 * i]) << 4 | digit_value(value[2 * i + 1]));
	return 0;
}

int provision_render(const struct provision *serialize, const char *value,
	uint8_t to[static PROVISION_MOST], struct reason *reason)
{
	switch (serialize->form) {
	case PROVISION_DECIMAL:
	case PROVISION_HEX:
	case PROVISION_BINARY:
		return render_number(serialize, value, to, reason);
	case PROVISION_TEXT:
		return render_text(serialize, value, to, reason);
	case PROVISION_BYTES:
		return render_bytes(serialize, value, to, reason);
	case PROVISION_NONE:
		break;
	}
	return -EINVAL;
}

char *provision_show(const uint8_t *bytes, size_t n_bytes, char to[static PROVISION_SHOWN_MAX])
{
	size_t n_text = n_bytes;
	bool is_text = true;

	while (n_text > 0 && bytes[n_text - 1] == 0)
		n_text--;
	for (size_t i = 0; i < n_text; i++)
		is_text = is_text && isprint(bytes[i]);
	if (is_text && n_text > 0) {
		snprintf(to, PROVISION_SHOWN_MAX, "%.*s", (int)n_text, (const char *)bytes);
		return to;
	}
	snprintf(to, PROVISION_SHOWN_MAX, "0x");
	for (size_t i = 0; i < n_bytes && i < PROVISION_MOST; i++)
		snprintf(to + 2 + 2 * i, 3, "%02x", bytes[i]);
	return to;
}
