/* SPDX-License-Identifier: MIT */
/*
 * report.c - a report and progress as lines of text, and back.
 *
 * The reader is on the far side of a process that spoke to a stranger's hardware: a line is at most
 * REPORT_LINE_BYTES, a number fits its field, a text its array, or the line is not one of ours.
 */
#include "api/report.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Linux knows no error number above it. */
#define MAX_ERRNO 4095

enum kind {
	KIND_NUMBER,
	KIND_BOOL,
	KIND_OUTCOME,
	KIND_PHASE,
	KIND_PROOF,
	KIND_ERROR,
	KIND_TEXT,
	KIND_HEX, /* text of lower-case hexadecimal digits */
};

struct field {
	const char *name;
	enum kind kind;
	size_t offset;
	size_t size;
};

#define FIELD(name, kind, member)                               \
	{                                                       \
		name, kind, offsetof(struct report, member),    \
			sizeof(((struct report *)NULL)->member) \
	}

static const struct field fields[] = {
	FIELD("outcome", KIND_OUTCOME, outcome),
	FIELD("phase", KIND_PHASE, phase),
	FIELD("error", KIND_ERROR, error),
	FIELD("has-address", KIND_BOOL, has_address),
	FIELD("address", KIND_NUMBER, address),
	FIELD("expected", KIND_NUMBER, expected),
	FIELD("got", KIND_NUMBER, got),
	FIELD("bytes", KIND_NUMBER, bytes),
	FIELD("pages-erased", KIND_NUMBER, pages_erased),
	FIELD("mass-erased", KIND_BOOL, mass_erased),
	FIELD("baud", KIND_NUMBER, baud),
	FIELD("attempts", KIND_NUMBER, attempts),
	FIELD("entered", KIND_TEXT, entered),
	FIELD("proof", KIND_PROOF, proof),
	FIELD("duration-ms", KIND_NUMBER, duration_ms),
	FIELD("has-product-id", KIND_BOOL, has_product_id),
	FIELD("product-id", KIND_NUMBER, product_id),
	FIELD("bootloader-version", KIND_NUMBER, bootloader_version),
	FIELD("chip", KIND_TEXT, chip),
	FIELD("protected", KIND_BOOL, is_protected),
	FIELD("flash-bytes", KIND_NUMBER, flash_bytes),
	FIELD("unit", KIND_HEX, unit),
	FIELD("erased", KIND_BOOL, has_erased),
	FIELD("other-product-id", KIND_NUMBER, other_product_id),
	FIELD("other-unit", KIND_HEX, other_unit),
	FIELD("unit-data", KIND_TEXT, unit_data),
	FIELD("image", KIND_TEXT, image),
	FIELD("version", KIND_TEXT, version),
	FIELD("sha256", KIND_HEX, sha256),
	FIELD("signer", KIND_TEXT, signer),
	FIELD("bridge", KIND_TEXT, bridge),
	FIELD("reason", KIND_TEXT, reason.text),
};

/* ------------------------------------------------------------------ writing */

static uint64_t get_number(const void *from, size_t size)
{
	uint64_t value = 0;

	switch (size) {
	case sizeof(uint8_t):
		return *(const uint8_t *)from;
	case sizeof(uint16_t):
		return *(const uint16_t *)from;
	case sizeof(uint32_t):
		return *(const uint32_t *)from;
	case sizeof(uint64_t):
		memcpy(&value, from, sizeof(value));
	}
	return value;
}

/* Escapes what could end the line and what is not ASCII, so that every byte comes back as it was.
 */
static void write_text(const char *text, size_t size, FILE *to)
{
	size_t n = strnlen(text, size);

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c > 0x7E || c == '\\')
			fprintf(to, "\\x%02X", c);
		else
			fputc(c, to);
	}
}

static void write_field(const struct report *report, const struct field *field, FILE *to)
{
	const void *from = (const char *)report + field->offset;

	fprintf(to, "%s ", field->name);
	switch (field->kind) {
	case KIND_NUMBER:
		fprintf(to, "%" PRIu64, get_number(from, field->size));
		break;
	case KIND_BOOL:
		fprintf(to, "%d", *(const bool *)from);
		break;
	case KIND_OUTCOME:
		fputs(outcome_to_string(report->outcome), to);
		break;
	case KIND_PHASE:
		fputs(phase_to_string(report->phase), to);
		break;
	case KIND_PROOF:
		fputs(proof_to_string(report->proof), to);
		break;
	case KIND_ERROR:
		fprintf(to, "%d", report->error < 0 ? -report->error : report->error);
		break;
	case KIND_TEXT:
	case KIND_HEX:
		write_text(from, field->size, to);
		break;
	}
	fputc('\n', to);
}

/* The reader is woken by whole lines only, and a pipe nobody reads is told of at once. */
static int finish_write(FILE *to)
{
	errno = 0;
	if (fflush(to) != 0 || ferror(to))
		return errno > 0 ? -errno : -EIO;
	return 0;
}

unsigned progress_percent(const struct progress *progress)
{
	if (progress->done >= progress->total)
		return 100;
	/* Totals are of flash sizes; one beyond that loses precision, not correctness. */
	if (progress->total > UINT64_MAX / 100)
		return (unsigned)(progress->done / (progress->total / 100));
	return (unsigned)(progress->done * 100 / progress->total);
}

int progress_write(const struct progress *progress, FILE *to)
{
	fprintf(to, "progress %s %" PRIu64 " %" PRIu64 "\n", phase_to_string(progress->phase),
		progress->done, progress->total);
	return finish_write(to);
}

void report_write_fields(const struct report *report, FILE *to)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		write_field(report, &fields[i], to);
	for (int phase = 0; phase < PHASE_MAX; phase++)
		if (report->phase_ms[phase] > 0)
			fprintf(to, "phase-ms %s %" PRIu64 "\n", phase_to_string((enum phase)phase),
				report->phase_ms[phase]);
}

bool report_unit_is_told(const char *unit)
{
	size_t n = strlen(unit);

	return n > 0 && strspn(unit, "0") < n && strspn(unit, "f") < n;
}

void report_name_image(struct report *report)
{
	const struct reason why = report->reason;

	if (report->image[0])
		reason_set(&report->reason, "image '%s': %s", report->image, why.text);
}

int report_write(const struct report *report, FILE *to)
{
	report_write_fields(report, to);
	fputs("end\n", to);
	return finish_write(to);
}

/* ------------------------------------------------------------------ reading */

/* Decimal digits and nothing else, up to `max`. */
static bool take_number(const char *text, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return false;
	}
	if (value > max)
		return false;
	*ret = value;
	return true;
}

static bool set_number(const char *text, void *to, size_t size)
{
	uint64_t max = size < sizeof(uint64_t) ? (UINT64_C(1) << (8 * size)) - 1 : UINT64_MAX;
	uint64_t value;

	if (!take_number(text, max, &value))
		return false;
	switch (size) {
	case sizeof(uint8_t):
		*(uint8_t *)to = (uint8_t)value;
		return true;
	case sizeof(uint16_t):
		*(uint16_t *)to = (uint16_t)value;
		return true;
	case sizeof(uint32_t):
		*(uint32_t *)to = (uint32_t)value;
		return true;
	case sizeof(uint64_t):
		memcpy(to, &value, sizeof(value));
		return true;
	}
	return false;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Undoes write_text(); refuses what it would not have written, and NUL. */
static bool take_text(const char *text, char *to, size_t size)
{
	size_t n = 0;

	while (*text) {
		int c = (unsigned char)*text++;

		if (c < 0x20 || c > 0x7E)
			return false;
		if (c == '\\') {
			int high, low;

			if (*text++ != 'x')
				return false;
			high = hex_value(*text);
			low = high < 0 ? -1 : hex_value(text[1]);
			if (low < 0)
				return false;
			text += 2;
			c = high << 4 | low;
			if (c == '\0')
				return false;
		}
		if (n + 1 >= size)
			return false;
		to[n++] = (char)c;
	}
	to[n] = '\0';
	return true;
}

static bool set_text(const char *text, char *to, size_t size)
{
	char taken[REPORT_LINE_BYTES];

	if (size > sizeof(taken) || !take_text(text, taken, size))
		return false;
	memcpy(to, taken, strlen(taken) + 1);
	return true;
}

static bool set_hex(const char *text, char *to, size_t size)
{
	size_t n = strlen(text);

	if (n >= size || strspn(text, "0123456789abcdef") != n)
		return false;
	memcpy(to, text, n + 1);
	return true;
}

static bool set_field(struct report *report, const struct field *field, const char *value)
{
	void *to = (char *)report + field->offset;
	uint64_t number;
	int r;

	switch (field->kind) {
	case KIND_NUMBER:
		return set_number(value, to, field->size);
	case KIND_BOOL:
		if (!take_number(value, 1, &number))
			return false;
		*(bool *)to = number;
		return true;
	case KIND_OUTCOME:
		r = outcome_from_string(value);
		if (r < 0)
			return false;
		report->outcome = (enum outcome)r;
		return true;
	case KIND_PHASE:
		r = phase_from_string(value);
		if (r < 0)
			return false;
		report->phase = (enum phase)r;
		return true;
	case KIND_PROOF:
		r = proof_from_string(value);
		if (r < 0)
			return false;
		report->proof = (enum proof)r;
		return true;
	case KIND_ERROR:
		if (!take_number(value, MAX_ERRNO, &number))
			return false;
		report->error = (int)number;
		return true;
	case KIND_TEXT:
		return set_text(value, to, field->size);
	case KIND_HEX:
		return set_hex(value, to, field->size);
	}
	return false;
}

/* Cuts the word off that `*text` begins with, up to one blank. */
static char *next_word(char **text)
{
	char *word = *text;

	*text += strcspn(word, " ");
	if (**text)
		*(*text)++ = '\0';
	return word;
}

static bool take_progress(char *rest, struct progress *ret)
{
	int phase = phase_from_string(next_word(&rest));
	struct progress progress;

	if (phase < 0 || !take_number(next_word(&rest), UINT64_MAX, &progress.done) ||
		!take_number(rest, UINT64_MAX, &progress.total))
		return false;
	progress.phase = (enum phase)phase;
	if (progress.total > 0 && progress.done > progress.total)
		progress.done = progress.total;
	*ret = progress;
	return true;
}

static bool take_phase_ms(char *rest, struct report *report)
{
	int phase = phase_from_string(next_word(&rest));
	uint64_t milliseconds;

	if (phase < 0 || !take_number(rest, UINT64_MAX, &milliseconds))
		return false;
	report->phase_ms[phase] = milliseconds;
	return true;
}

int report_read_line(struct report *report, struct progress *ret_progress, const char *line)
{
	char copy[REPORT_LINE_BYTES];
	char *rest = copy;
	const char *name;
	size_t n = strnlen(line, sizeof(copy));

	if (n == sizeof(copy))
		return REPORT_LINE_UNKNOWN;
	memcpy(copy, line, n + 1);
	if (strcmp(line, "end") == 0)
		return REPORT_LINE_END;
	if (!strchr(line, ' '))
		return REPORT_LINE_UNKNOWN;
	name = next_word(&rest);
	if (strcmp(name, "progress") == 0)
		return take_progress(rest, ret_progress) ? REPORT_LINE_PROGRESS
							 : REPORT_LINE_UNKNOWN;
	if (strcmp(name, "phase-ms") == 0)
		return take_phase_ms(rest, report) ? REPORT_LINE_FIELD : REPORT_LINE_UNKNOWN;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (strcmp(name, fields[i].name) == 0)
			return set_field(report, &fields[i], rest) ? REPORT_LINE_FIELD
								   : REPORT_LINE_UNKNOWN;
	return REPORT_LINE_UNKNOWN;
}
