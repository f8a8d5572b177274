/* SPDX-License-Identifier: MIT */
/*
 * ini.c - INI text to sections and entries, by inih.
 *
 * inih takes an entry apart: key, value, blanks, comment. It is fed line by line, because it is
 * silent about faults that must be refused: it cuts long lines and names, skips a byte order mark,
 * ends a line at a NUL, and reports one error a file and no heading. So this file checks each line
 * and reads each heading before inih sees it, and gives inih an empty line for a refused one.
 */
#include "base/ini.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

/* Both have a function of that name; inih's is not used. */
#define ini_parse_string inih_parse_string
#include <ini.h>
#undef ini_parse_string

#include "base/text.h"

#define MAX_SECTIONS 1024
#define MAX_KEYS     256
#define QUOTE_BYTES  80

/* The section or entry above a line, which it belongs to. */
enum above { ABOVE_NOTHING, ABOVE_REFUSED, ABOVE_KEPT };

/* The kind of line that inih was given last. */
enum fed { FED_NOTHING, FED_ENTRY, FED_CONTINUATION };

struct reader {
	struct ini *ini;
	struct ini_problems *problems;
	const char *name;
	const char *text; /* what is left of it */
	size_t n_text;
	unsigned line;
	bool cr_lf_reported;
	enum above section; /* ABOVE_KEPT: the last one of `ini` */
	enum above entry;   /* ABOVE_KEPT: the last one of that section */
	enum fed fed;
	bool has_comment;	      /* behind the value it was fed */
	bool taken;		      /* inih made an entry of what it was fed */
	char raw[INI_LINE_BYTES + 1]; /* the line as it stands, for messages */
	int error;
};

static void refuse(struct reader *reader, const char *key, const char *format, ...)
	PRINTF_LIKE(3, 4);
static void refuse(struct reader *reader, const char *key, const char *format, ...)
{
	const struct ini_section *section =
		reader->section == ABOVE_KEPT ? &reader->ini->sections[reader->ini->n_sections - 1]
					      : NULL;
	char title[INI_LINE_BYTES + 1] = "";
	struct reason message;
	va_list arguments;
	int r;

	va_start(arguments, format);
	vsnprintf(message.text, sizeof(message.text), format, arguments);
	va_end(arguments);
	if (section)
		ini_section_title(section, title, sizeof(title));
	r = ini_problem_add(reader->problems, reader->name, reader->line, section ? title : NULL,
		key, "%s", message.text);
	if (r < 0)
		reader->error = r;
}

/* False, with one problem, where the line holds what no line may hold. */
static bool check_line(struct reader *reader, const char *line, size_t n)
{
	if (n > INI_LINE_BYTES) {
		refuse(reader, NULL,
			"the line has %zu bytes, the limit is %d; continue it on an indented line",
			n, INI_LINE_BYTES);
		return false;
	}
	for (size_t i = 0; i < n; i++)
		if (((unsigned char)line[i] < 0x20 && line[i] != '\t') || line[i] == 0x7F) {
			refuse(reader, NULL, "%s 0x%02x at byte %zu of the line",
				line[i] == '\0' ? "NUL byte" : "control character",
				(unsigned char)line[i], i + 1);
			return false;
		}
	if (!text_is_utf8(line, n)) {
		refuse(reader, NULL, "the line is not UTF-8");
		return false;
	}
	return true;
}

/*
 * Takes the next line from the text, without its end. CR LF and a byte order mark are named once
 * and then passed over, so that the other mistakes of the file are found as well.
 */
static const char *next_line(struct reader *reader, size_t *ret_n)
{
	const char *line = reader->text;
	const char *end = memchr(line, '\n', reader->n_text);
	size_t n = end ? (size_t)(end - line) : reader->n_text;

	reader->text += end ? n + 1 : n;
	reader->n_text -= end ? n + 1 : n;
	reader->line++;
	if (n > 0 && line[n - 1] == '\r') {
		n--;
		if (!reader->cr_lf_reported)
			refuse(reader, NULL,
				"the line ends in CR LF; save the file with Unix line ends");
		reader->cr_lf_reported = true;
	}
	if (reader->line == 1 && n >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0) {
		refuse(reader, NULL,
			"the file begins with a byte order mark; save it as UTF-8 without one");
		line += 3;
		n -= 3;
	}
	*ret_n = n;
	return line;
}

static void begin_section(struct reader *reader, const char *kind, const char *name)
{
	struct ini *ini = reader->ini;
	struct ini_section *grown;
	char title[INI_LINE_BYTES + 1], shown[TEXT_MAX / 2], file[TEXT_MAX / 2];

	for (size_t i = 0; i < ini->n_sections; i++) {
		const struct ini_section *other = &ini->sections[i];

		if (strcmp(other->kind, kind) != 0 || strcmp(other->name, name) != 0)
			continue;
		ini_section_title(other, title, sizeof(title));
		refuse(reader, NULL, "[%s] stands already in %s, line %u",
			text_escape(title, shown, sizeof(shown)),
			text_escape(other->file, file, sizeof(file)), other->line);
		return;
	}
	if (ini->n_sections == MAX_SECTIONS) {
		refuse(reader, NULL,
			"more than %d sections in all files together: let a rule fit more bridges, or take some away",
			MAX_SECTIONS);
		return;
	}
	reader->section = ABOVE_KEPT;
	grown = room_for_one(ini->sections, ini->n_sections, sizeof(*grown));
	if (!grown) {
		reader->error = -ENOMEM;
		return;
	}
	ini->sections = grown;
	grown += ini->n_sections++;
	*grown = (struct ini_section){
		.line = reader->line,
		.file = strdup(reader->name),
		.kind = strdup(kind),
		.name = strdup(name),
	};
	if (!grown->file || !grown->kind || !grown->name)
		reader->error = -ENOMEM;
}

/* Reads "[kind name]" in place. The section counts as refused until its heading is good. */
static void read_heading(struct reader *reader, char *line)
{
	char quoted[QUOTE_BYTES];
	char *end = strchr(line, ']');
	char *kind = line + 1 + strspn(line + 1, " \t");
	char *name;
	const char *rest;

	text_escape(line, quoted, sizeof(quoted));
	rest = end ? end + 1 + strspn(end + 1, " \t") : NULL;
	if (!rest || (*rest && *rest != ';' && *rest != '#') || kind == end) {
		refuse(reader, NULL, "expected a heading like [service] or [board gate], got '%s'",
			quoted);
		return;
	}
	while (end > kind && text_is_blank(end[-1]))
		end--;
	*end = '\0';
	name = kind + strcspn(kind, " \t");
	if (*name) {
		*name++ = '\0';
		name += strspn(name, " \t");
	}
	begin_section(reader, kind, name);
}

/* Refuses the entry that inih was fed and took for none. */
static void check_taken(struct reader *reader)
{
	char quoted[QUOTE_BYTES];

	if (reader->fed == FED_ENTRY && !reader->taken) {
		refuse(reader, NULL, "expected 'key = value', a [heading] or a comment, got '%s'",
			text_escape(reader->raw, quoted, sizeof(quoted)));
		reader->entry = ABOVE_REFUSED;
	}
	reader->fed = FED_NOTHING;
}

/* As inih does: a ";" behind a blank, behind the "=" or ":" of an entry. */
static bool has_comment(const char *value)
{
	for (const char *at = strchr(value, ';'); at; at = strchr(at + 1, ';'))
		if (at > value && text_is_blank(at[-1]))
			return true;
	return false;
}

/* The line inih is to see, into `to`: the entry, or nothing. */
static void prepare_line(struct reader *reader, char *to, size_t size)
{
	const char *content = reader->raw + strspn(reader->raw, " \t");
	char quoted[QUOTE_BYTES];

	to[0] = '\0';
	if (*content == '\0' || *content == ';' || *content == '#')
		return;
	if (content == reader->raw && *content == '[') {
		read_heading(reader, reader->raw);
		return;
	}
	/* One problem a place: lines below a refused heading or entry belong to it. */
	if (content > reader->raw) {
		if (reader->section != ABOVE_REFUSED && reader->entry == ABOVE_NOTHING)
			refuse(reader, NULL,
				"an indented line continues the value above, but there is none: '%s'",
				text_escape(reader->raw, quoted, sizeof(quoted)));
		if (reader->section != ABOVE_KEPT || reader->entry != ABOVE_KEPT)
			return;
		/* As an entry of its own: inih would leave the comments in a continuation. */
		snprintf(to, size, "+=%s", content);
		reader->has_comment = has_comment(content);
		reader->fed = FED_CONTINUATION;
		return;
	}
	if (reader->section == ABOVE_NOTHING) {
		refuse(reader, NULL, "an entry before the first [heading]");
		reader->section = ABOVE_REFUSED;
	}
	if (reader->section != ABOVE_KEPT)
		return;
	snprintf(to, size, "%s", content);
	reader->has_comment = has_comment(content + strcspn(content, "=:"));
	reader->fed = FED_ENTRY;
}

/* inih's reader, like fgets(). */
static char *reader_next(char *to, int size, void *stream)
{
	struct reader *reader = stream;
	const char *line;
	size_t n;

	check_taken(reader);
	/* A library built with less room than Debian's: nothing may be cut in silence. */
	if (size < INI_LINE_BYTES + 3)
		reader->error = -EOVERFLOW;
	if (reader->error < 0 || reader->n_text == 0 ||
		reader->problems->n_items > INI_MAX_PROBLEMS)
		return NULL;
	reader->taken = false;
	line = next_line(reader, &n);
	to[0] = '\0';
	if (n > 0 && line[0] == '[') {
		reader->section = ABOVE_REFUSED;
		reader->entry = ABOVE_NOTHING;
	}
	if (check_line(reader, line, n)) {
		memcpy(reader->raw, line, n);
		reader->raw[n] = '\0';
		prepare_line(reader, to, (size_t)size);
	} else if (n > 0 && line[0] != ';' && line[0] != '#') {
		reader->entry = ABOVE_REFUSED;
	}
	return to;
}

static bool key_is_fit(const char *key)
{
	size_t n = strlen(key);

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)key[i]) && !strchr("-_.", key[i]))
			return false;
	return n > 0 && n <= INI_KEY_BYTES;
}

static void add_entry(struct reader *reader, const char *key, const char *value)
{
	struct ini_section *section = &reader->ini->sections[reader->ini->n_sections - 1];
	const struct ini_entry *other = ini_section_find(section, key);
	struct ini_entry *longer;
	char quoted[QUOTE_BYTES];

	reader->entry = ABOVE_REFUSED;
	if (!key_is_fit(key)) {
		refuse(reader, NULL,
			"expected a key of at most %d letters, digits, '-', '_', '.', got '%s'",
			INI_KEY_BYTES, text_escape(key, quoted, sizeof(quoted)));
		return;
	}
	if (other || section->n_entries == MAX_KEYS) {
		if (other)
			refuse(reader, key, "stands already in line %u", other->line);
		else
			refuse(reader, key, "more than %d keys in a section", MAX_KEYS);
		return;
	}
	longer = room_for_one(section->entries, section->n_entries, sizeof(*longer));
	if (!longer) {
		reader->error = -ENOMEM;
		return;
	}
	section->entries = longer;
	longer += section->n_entries++;
	*longer = (struct ini_entry){
		.key = strdup(key),
		.value = strdup(value),
		.line = reader->line,
		.comment_line = reader->has_comment ? reader->line : 0,
	};
	if (!longer->key || !longer->value)
		reader->error = -ENOMEM;
	reader->entry = ABOVE_KEPT;
}

static void continue_entry(struct reader *reader, const char *more)
{
	struct ini_section *section = &reader->ini->sections[reader->ini->n_sections - 1];
	struct ini_entry *entry = &section->entries[section->n_entries - 1];
	char *longer;

	if (strlen(entry->value) + 1 + strlen(more) > INI_VALUE_BYTES) {
		refuse(reader, entry->key, "the value is longer than %d bytes", INI_VALUE_BYTES);
		reader->entry = ABOVE_REFUSED;
		return;
	}
	if (asprintf(&longer, "%s%s%s", entry->value, entry->value[0] ? " " : "", more) < 0) {
		reader->error = -ENOMEM;
		return;
	}
	free(entry->value);
	entry->value = longer;
	if (reader->has_comment && entry->comment_line == 0)
		entry->comment_line = reader->line;
}

/* inih's handler; its own idea of the section is not used. */
static int on_entry(void *user, const char *inih_section, const char *key, const char *value)
{
	struct reader *reader = user;

	(void)inih_section;
	reader->taken = true;
	if (reader->error < 0)
		return 1;
	if (reader->fed == FED_CONTINUATION)
		continue_entry(reader, value);
	else
		add_entry(reader, key, value);
	return 1;
}

int ini_load_text(struct ini *ini, const char *name, const char *text, size_t n_text,
	struct ini_problems *problems)
{
	struct reader reader = {
		.ini = ini,
		.problems = problems,
		.name = name,
		.text = text,
		.n_text = n_text,
	};

	ini_parse_stream(reader_next, &reader, on_entry, &reader);
	return reader.error;
}
