/* SPDX-License-Identifier: MIT */
/*
 * report-lines.c - a report and progress as lines of text, and back.
 *
 * The worker writes a line "NAME VALUE" for each row of the table of fields, "progress PHASE DONE
 * TOTAL BAUD" while it works, and "end" last. The service reads them from a process that talks to
 * hardware nobody vouches for, so the reader trusts nothing: a line has at most REPORT_LINE_BYTES,
 * a number fits its member, a text its array, and any other line is REPORT_LINE_UNKNOWN, upon
 * which the service stops the worker.
 */
#include "api/report-lines.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "api/fields.h"
#include "base/parse.h"

/* Linux knows no error number above it. */
#define MAX_ERRNO 4095

/* ------------------------------------------------------------------ writing */

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
	const void *from = field_of(field, report);
	char shown[FIELD_SHOWN_MAX];

	fprintf(to, "%s ", field->name);
	switch (field->kind) {
	case KIND_NUMBER:
	case KIND_HEX:
	case KIND_VERSION:
		fprintf(to, "%" PRIu64, field_number(field, report));
		break;
	case KIND_BOOL:
		fprintf(to, "%d", *(const bool *)from);
		break;
	case KIND_OUTCOME:
	case KIND_PHASE:
	case KIND_PROOF:
		fputs(field_format(field, report, shown), to);
		break;
	case KIND_ERROR:
		fprintf(to, "%d", report->error < 0 ? -report->error : report->error);
		break;
	case KIND_TEXT:
	case KIND_DIGITS:
		write_text(from, field->size, to);
		break;
	case KIND_PHASES:
		break;
	}
	fputc('\n', to);
}

/* A line for each phase that took time. */
static void write_phases(const struct report *report, const struct field *field, FILE *to)
{
	for (enum phase phase = 0; phase < PHASE_MAX; phase++)
		if (report->phase_ms[phase] > 0)
			fprintf(to, "%s %s %" PRIu64 "\n", field->name, phase_to_string(phase),
				report->phase_ms[phase]);
}

/* Flushed, so that the reader gets whole lines at once, and a closed pipe is noticed here. */
static int finish_write(FILE *to)
{
	errno = 0;
	if (fflush(to) != 0 || ferror(to))
		return errno > 0 ? -errno : -EIO;
	return 0;
}

int progress_write(const struct progress *progress, FILE *to)
{
	fprintf(to, "progress %s %" PRIu64 " %" PRIu64 " %" PRIu32 "\n",
		phase_to_string(progress->phase), progress->done, progress->total, progress->baud);
	return finish_write(to);
}

void report_write_fields(const struct report *report, FILE *to)
{
	for (size_t i = 0; i < n_report_fields; i++)
		if (report_fields[i].kind == KIND_PHASES)
			write_phases(report, &report_fields[i], to);
		else
			write_field(report, &report_fields[i], to);
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
	uint64_t value;

	if (parse_digits(&text, 10, &value) < 0 || *text || value > max)
		return false;
	*ret = value;
	return true;
}

static bool set_number(const char *text, void *to, size_t size)
{
	uint64_t value;

	return take_number(text, UINT64_MAX, &value) && field_set_number(to, size, value);
}

/* Undoes write_text() into an array of `size`; false for what it never writes, and for NUL. */
static bool take_text(const char *text, char *ret, size_t size)
{
	char to[REPORT_LINE_BYTES];
	size_t n = 0;

	while (*text) {
		int c = (unsigned char)*text++;

		if (c < 0x20 || c > 0x7E)
			return false;
		if (c == '\\') {
			if (*text++ != 'x' || strspn(text, "0123456789ABCDEF") < 2)
				return false;
			c = (int)(digit_value(text[0]) << 4 | digit_value(text[1]));
			text += 2;
			if (c == '\0')
				return false;
		}
		if (n + 1 >= size || n + 1 >= sizeof(to))
			return false;
		to[n++] = (char)c;
	}
	memcpy(ret, to, n);
	ret[n] = '\0';
	return true;
}

/* `found` is the value of one of our enums, which are unsigned, or -EINVAL. */
static bool set_enum(int found, void *to)
{
	if (found < 0)
		return false;
	*(unsigned *)to = (unsigned)found;
	return true;
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

static bool take_phase_ms(char *rest, struct report *report)
{
	int phase = phase_from_string(next_word(&rest));
	uint64_t milliseconds;

	if (phase < 0 || !take_number(rest, UINT64_MAX, &milliseconds))
		return false;
	report->phase_ms[phase] = milliseconds;
	return true;
}

static bool set_field(struct report *report, const struct field *field, char *value)
{
	void *to = (char *)report + field->offset;
	uint64_t number;

	switch (field->kind) {
	case KIND_NUMBER:
	case KIND_HEX:
	case KIND_VERSION:
		return set_number(value, to, field->size);
	case KIND_BOOL:
		if (!take_number(value, 1, &number))
			return false;
		*(bool *)to = number;
		return true;
	case KIND_OUTCOME:
		return set_enum(outcome_from_string(value), to);
	case KIND_PHASE:
		return set_enum(phase_from_string(value), to);
	case KIND_PROOF:
		return set_enum(proof_from_string(value), to);
	case KIND_ERROR:
		if (!take_number(value, MAX_ERRNO, &number))
			return false;
		report->error = (int)number;
		return true;
	case KIND_TEXT:
		return take_text(value, to, field->size);
	case KIND_DIGITS:
		return value[strspn(value, "0123456789abcdef")] == '\0' &&
		       take_text(value, to, field->size);
	case KIND_PHASES:
		return take_phase_ms(value, report);
	}
	return false;
}

static bool take_progress(char *rest, struct progress *ret)
{
	int phase = phase_from_string(next_word(&rest));
	struct progress progress;
	uint64_t baud;

	if (phase < 0 || !take_number(next_word(&rest), UINT64_MAX, &progress.done) ||
		!take_number(next_word(&rest), UINT64_MAX, &progress.total) ||
		!take_number(rest, UINT32_MAX, &baud))
		return false;
	progress.baud = (uint32_t)baud;
	progress.phase = (enum phase)phase;
	if (progress.total > 0 && progress.done > progress.total)
		progress.done = progress.total;
	*ret = progress;
	return true;
}

enum report_line report_read_line(
	struct report *report, struct progress *ret_progress, const char *line)
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
	for (size_t i = 0; i < n_report_fields; i++)
		if (strcmp(name, report_fields[i].name) == 0)
			return set_field(report, &report_fields[i], rest) ? REPORT_LINE_FIELD
									  : REPORT_LINE_UNKNOWN;
	return REPORT_LINE_UNKNOWN;
}
