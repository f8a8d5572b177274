/* SPDX-License-Identifier: MIT */
/*
 * provision-file.c - reads a list of values as spreadsheets and people write it.
 *
 * Order: the bytes are checked (encoding, control characters), then each line is cut into its
 * fields, then each value is rendered as the unit would get it, then the values are compared with
 * one another. Columns behind the first are read only to see where the quotes end.
 */
#include "records/provision-file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"

/* Slots of the table that finds equal values; a power of two well above the values. */
#define N_SLOTS (4u * 65536)

struct reader {
	const struct provision *serialize;
	struct provision_file *file;
	unsigned line;
	char separator; /* of the columns, as the first line with several shows it; 0: not known */
	struct reason *reason;
};

static int refuse(struct reader *reader, const char *format, ...) PRINTF_LIKE(2, 3);
static int refuse(struct reader *reader, const char *format, ...)
{
	char shown[TEXT_MAX], number[16] = "";
	struct reason why;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why.text, sizeof(why.text), format, arguments);
	va_end(arguments);
	if (reader->line > 0)
		snprintf(number, sizeof(number), "%u:", reader->line);
	reason_set(reader->reason, "%s:%s %s",
		text_escape(reader->serialize->file, shown, sizeof(shown)), number, why.text);
	return -EINVAL;
}

void provision_file_done(struct provision_file *file)
{
	free(file->text);
	free(file->lines);
	*file = (struct provision_file){0};
}

int provision_file_compare(const struct provision *serialize, const char *a, const char *b)
{
	return serialize->form == PROVISION_BYTES ? strcasecmp(a, b) : strcmp(a, b);
}

/* ------------------------------------------------------------------ bytes */

static int check_encoding(struct reader *reader, const char *text, size_t n_text)
{
	if (n_text >= 2 && (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0))
		return refuse(reader, "the file is UTF-16: save it as UTF-8 or ASCII text");
	reader->line = 1;
	for (size_t i = 0; i < n_text; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\n')
			reader->line++;
		else if (c == '\r' && text[i + 1] != '\n')
			return refuse(reader,
				"a CR without LF: save the file with the line ends of Unix or DOS");
		else if ((c < 0x20 && c != '\t' && c != '\r') || c == 0x7F)
			return refuse(reader,
				"byte 0x%02x is not text: save the file as UTF-8 or ASCII text", c);
	}
	reader->line = 0;
	return 0;
}

/* ------------------------------------------------------------------ one line */

static bool is_separator(char c)
{
	return c == ',' || c == ';' || c == '\t';
}

/* A comma stands in texts and numbers, too; behind a semicolon or tab it is no separator. */
static unsigned strength(char separator)
{
	return separator == '\t' ? 3 : separator == ';' ? 2 : 1;
}

static int refuse_mixed(struct reader *reader, char other)
{
	return refuse(reader,
		"both %s and %s may separate columns: put quotes around a text that has one of them",
		reader->separator == '\t'  ? "tab"
		: reader->separator == ';' ? "';'"
					   : "','",
		other == '\t'  ? "tab"
		: other == ';' ? "';'"
			       : "','");
}

/* Behind a field: the end of the line or a separator. 0 with `*at` behind the separator. */
static int end_field(struct reader *reader, char **at, bool is_first)
{
	if (**at == '\0')
		return 0;
	if (!reader->separator)
		reader->separator = **at;
	if (is_first && **at != reader->separator)
		return refuse_mixed(reader, **at);
	(*at)++;
	return 0;
}

/* A quoted field, unquoted in place; `*at` goes behind it. */
static int take_quoted(struct reader *reader, char **at, char **ret)
{
	char *from = *at + 1, *to = *at + 1;

	*ret = to;
	while (*from != '"' || from[1] == '"') {
		if (*from == '\0')
			return refuse(reader, "a quote is not closed on its line");
		from += *from == '"' ? 2 : 1;
		*to++ = from[-1];
	}
	from++;
	if (*from != '\0' && !is_separator(*from))
		return refuse(reader,
			"text behind a closing quote: double a quote that is part of the value");
	*to = '\0';
	*at = from;
	return 0;
}

/* A field without quotes. Its end is not marked: the separator there is still to be read. */
static int take_plain(struct reader *reader, char **at, char **ret_end, bool is_first)
{
	const char *begin = *at;
	char *end = *at;

	while (*end && (is_first ? !is_separator(*end) : *end != reader->separator)) {
		if (*end == '"')
			return refuse(reader,
				"a quote inside of a field: put quotes around the field and double this one");
		if (is_separator(*end) && strength(*end) > strength(reader->separator))
			return refuse_mixed(reader, *end);
		end++;
	}
	*at = end;
	while (end > begin && end[-1] == ' ')
		end--;
	*ret_end = end;
	return 0;
}

/* The columns behind the first: whether any has a text, and whether all can be read. */
static int skip_fields(struct reader *reader, char *at, bool *ret_has_text)
{
	while (*at) {
		char *value = at, *end;
		int r;

		if (*at == '"') {
			r = take_quoted(reader, &at, &value);
			*ret_has_text = *ret_has_text || *value;
		} else {
			r = take_plain(reader, &at, &end, false);
			for (; value < at; value++)
				*ret_has_text = *ret_has_text || *value != ' ';
		}
		if (r == 0)
			r = end_field(reader, &at, false);
		if (r < 0)
			return r;
	}
	return 0;
}

/* 1.23457E+11: the digits behind these are lost. */
static bool is_rounded(const char *value)
{
	const char *at = value + strspn(value, "0123456789");

	if (at > value && (*at == '.' || *at == ','))
		at += 1 + strspn(at + 1, "0123456789");
	return at > value && (at[0] == 'E' || at[0] == 'e') && at[1] == '+' && at[2] != '\0' &&
	       at[2 + strspn(at + 2, "0123456789")] == '\0';
}

static int check_value(struct reader *reader, const char *value, bool is_quoted)
{
	uint8_t bytes[PROVISION_MOST];
	char shown[TEXT_MAX / 2];
	struct reason why = {""};
	size_t n = strlen(value);

	text_escape(value, shown, sizeof(shown));
	if (n >= PROVISION_VALUE_MAX)
		return refuse(reader, "'%s' is longer than any unit's data may be", shown);
	if (is_quoted && (value[0] == ' ' || value[n - 1] == ' '))
		return refuse(reader,
			"'%s' begins or ends with a blank inside of its quotes: take it away",
			shown);
	if (!is_quoted && strstr(value, " #"))
		return refuse(reader,
			"'%s' may have a comment behind it: put that on a line of its own, or quotes around the value",
			shown);
	if (provision_render(reader->serialize, value, bytes, &why) < 0)
		return refuse(reader, "'%s' %s", shown, why.text);
	/* Spreadsheets make these of numbers, and people against that: ="0001", '0001. */
	if (value[0] == '=' || value[0] == '\'')
		return refuse(reader, "'%s' begins with %s of a spreadsheet: write the text alone",
			shown, value[0] == '=' ? "the = of a formula" : "the ' of a text");
	if (is_rounded(value))
		return refuse(reader,
			"'%s' seems to be a number that a spreadsheet has rounded: give the column the format of a text, and enter it again",
			shown);
	return 0;
}

static int add_value(struct reader *reader, const char *value)
{
	struct provision_file *file = reader->file;
	struct provision_line *grown = room_for_one(file->lines, file->n_lines, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	file->lines = grown;
	if (file->n_lines == SERIAL_FILE_VALUES)
		return refuse(reader, "more than %d values: divide them among several rules",
			SERIAL_FILE_VALUES);
	grown[file->n_lines++] = (struct provision_line){value, reader->line};
	return 0;
}

static int take_line(struct reader *reader, char *line)
{
	char *at = line + strspn(line, " "), *value = at, *end = NULL;
	bool is_quoted = *at == '"', has_text = false;
	int r;

	if (*at == '\0' || *at == '#')
		return 0;
	r = is_quoted ? take_quoted(reader, &at, &value) : take_plain(reader, &at, &end, true);
	if (r == 0)
		r = end_field(reader, &at, true);
	if (end)
		*end = '\0';
	if (r == 0)
		r = skip_fields(reader, at, &has_text);
	if (r < 0)
		return r;
	if (!*value)
		return has_text
			       ? refuse(reader,
					 "the first column is empty: it is the one that has the value")
			       : 0;
	r = check_value(reader, value, is_quoted);
	return r < 0 ? r : add_value(reader, value);
}

/* ------------------------------------------------------------------ all lines */

static bool has_digit(const char *value)
{
	return value[strcspn(value, "0123456789")] != '\0';
}

/* Texts alone: the names of columns are no hexadecimal digits. */
static int check_heading(struct reader *reader)
{
	static const char *const words[] = {"serial", "serial number", "serialnumber",
		"serial_number", "serial-number", "serial no", "serial no.", "sn", "s/n", "number",
		"no", "no.", "id", "uid", "uuid", "key", "mac", "name", "value", "sep="};
	const struct provision_file *file = reader->file;
	bool is_odd = file->n_lines > 1 && !has_digit(file->lines[0].value), is_word = false;
	char shown[TEXT_MAX / 2];

	if (reader->serialize->form != PROVISION_TEXT || file->n_lines == 0)
		return 0;
	for (size_t i = 1; i < file->n_lines && is_odd; i++)
		is_odd = has_digit(file->lines[i].value);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		is_word |= strcasecmp(file->lines[0].value, words[i]) == 0;
	if (!is_odd && !is_word)
		return 0;
	reader->line = file->lines[0].line;
	return refuse(reader,
		"'%s' seems to be the heading of the column: begin that line with #, or move the line down if it is a value",
		text_escape(file->lines[0].value, shown, sizeof(shown)));
}

/* FNV-1a, over bytes in one case: both forms that compare as equal fall into one slot. */
static uint32_t hash(const char *value)
{
	uint32_t sum = 2166136261u;

	for (; *value; value++)
		sum = (sum ^ (uint32_t)toupper((unsigned char)*value)) * 16777619u;
	return sum;
}

static int check_twice(struct reader *reader)
{
	const struct provision_file *file = reader->file;
	CLEANUP(freep) uint32_t *slots = calloc(N_SLOTS, sizeof(*slots)); /* line + 1; 0: free */
	char shown[TEXT_MAX / 2];

	if (!slots)
		return -ENOMEM;
	for (uint32_t i = 0; i < file->n_lines; i++) {
		const char *value = file->lines[i].value;
		uint32_t slot = hash(value) % N_SLOTS;

		for (; slots[slot] > 0; slot = (slot + 1) % N_SLOTS) {
			const struct provision_line *other = &file->lines[slots[slot] - 1];

			if (provision_file_compare(reader->serialize, other->value, value) != 0)
				continue;
			reader->line = file->lines[i].line;
			return refuse(reader,
				"'%s' stands already in line %u: no two units may have one value",
				text_escape(value, shown, sizeof(shown)), other->line);
		}
		slots[slot] = i + 1;
	}
	return 0;
}

int provision_file_parse(const struct provision *serialize, char *text, size_t n_text,
	struct provision_file *ret, struct reason *reason)
{
	CLEANUP(provision_file_done) struct provision_file file = {.text = text};
	struct reader reader = {.serialize = serialize, .file = &file, .reason = reason};
	char *rest = text, *line;
	int r = check_encoding(&reader, text, n_text);

	if (n_text >= 3 && memcmp(rest, "\xEF\xBB\xBF", 3) == 0)
		rest += 3;
	while (r == 0 && (line = strsep(&rest, "\n"))) {
		reader.line++;
		line[strcspn(line, "\r")] = '\0';
		r = take_line(&reader, line);
	}
	if (r == 0)
		r = check_heading(&reader);
	if (r == 0)
		r = check_twice(&reader);
	if (r < 0)
		return r;
	*ret = file;
	file = (struct provision_file){0};
	return 0;
}

int provision_file_load(
	const struct provision *serialize, struct provision_file *ret, struct reason *reason)
{
	/* A pipe in its place must not hold up the service. */
	CLEANUP(closep)
	int fd = open(serialize->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct reader reader = {.serialize = serialize, .reason = reason};
	CLEANUP(freep) char *text = NULL;
	struct stat status;
	size_t n_text = 0;
	int r;

	if (fd < 0 || fstat(fd, &status) < 0)
		return refuse(&reader, "%s", strerror(errno));
	if (!S_ISREG(status.st_mode))
		return refuse(&reader, "this is no file");
	if (status.st_size > SERIAL_FILE_BYTES)
		return refuse(&reader, "larger than 4 MiB: divide it among several rules");
	text = malloc((size_t)status.st_size + 1);
	if (!text)
		return -ENOMEM;
	r = read_up_to(fd, text, (size_t)status.st_size, &n_text);
	if (r < 0)
		return refuse(&reader, "%s", strerror(-r));
	text[n_text] = '\0';
	return provision_file_parse(serialize, TAKE_PTR(text), n_text, ret, reason);
}
