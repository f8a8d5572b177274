/* SPDX-License-Identifier: MIT */
/*
 * ini.h - INI text into sections and entries, and tables of keys that turn entries into fields.
 *
 * Configuration, chip table, manifests and a worker's assignment share it. Nothing stops at the
 * first mistake: every problem is collected with file, line, section and key. No key is known here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/util.h"

/* One mistake, ready to be shown: "boards.d/10.conf:7: [board gate] baud: expected ..., got '...'"
 */
struct ini_problem {
	char *file;
	unsigned line;
	char *section;
	char *key;
	char *message;
};

struct ini_problems {
	struct ini_problem *items;
	size_t n_items;
};

struct ini_entry {
	char *key;
	char *value;
	unsigned line;
	unsigned comment_line; /* the first on which a comment was cut off behind the value; 0: none
				*/
};

/* `kind` is the first word of the heading, `name` the rest: [board kiosk gate] is board, kiosk
 * gate. */
struct ini_section {
	char *file;
	unsigned line;
	char *kind;
	char *name;
	struct ini_entry *entries;
	size_t n_entries;
};

struct ini {
	struct ini_section *sections;
	size_t n_sections;
};

/* inih's buffer has 200 bytes, of which "\r\n" and the NUL take three. */
#define INI_LINE_BYTES	197
#define INI_KEY_BYTES	49 /* inih cuts a longer name */
#define INI_VALUE_BYTES (16 * 1024)
#define INI_FILE_BYTES	(1024 * 1024)

/*
 * Adds what the file holds to `ini`. Refused with its line: an entry before the first section, a
 * repeated section (in any file loaded into the same `ini`) or key, NUL bytes, invalid UTF-8, a
 * byte order mark, control characters, CR LF line ends, lines over INI_LINE_BYTES, lines that are
 * neither. Indented lines continue the value above, a space between; a comment begins with ; or #
 * at the start of a line, or with ; behind a blank; `comment_line` tells the reader of a key whose
 * value may hold a ";" as text. Returns 0, also when problems were added; -errno when the file
 * cannot be read (the problem is added too), -ENOMEM.
 */
int ini_load_file(struct ini *ini, const char *path, struct ini_problems *problems);

/* The same from memory; `name` stands for the file in messages. */
int ini_load_text(struct ini *ini, const char *name, const char *text, size_t n_text,
	struct ini_problems *problems);

/* Adds DIRECTORY/(asterisk).conf in name order; a missing directory is no error. Every file is read
 * even where one cannot be; the first -errno is returned. */
int ini_load_directory(struct ini *ini, const char *directory, struct ini_problems *problems);

/*
 * Both again, but below an open directory, so that several files come from one and the same
 * directory even when it is replaced meanwhile. `shown` is that directory's name in messages.
 */
int ini_load_file_at(struct ini *ini, int directory_fd, const char *shown, const char *name,
	struct ini_problems *problems);
int ini_load_directory_at(struct ini *ini, int directory_fd, const char *shown, const char *name,
	struct ini_problems *problems);

void ini_done(struct ini *ini);

const struct ini_entry *ini_section_find(const struct ini_section *section, const char *key);

/* The heading without brackets. Returns `to`. */
char *ini_section_title(const struct ini_section *section, char *to, size_t size);

/*
 * Adds a problem of the section: at the line of the key where it has that key, else at its heading;
 * `key` may be NULL. 0 or -ENOMEM.
 */
int ini_section_problem(const struct ini_section *section, const char *key,
	struct ini_problems *problems, const char *format, ...) PRINTF_LIKE(4, 5);

/*
 * Adds the problem that a key is not what it should be: "expected X, got 'value'", "..., but the
 * key is missing", or for the heading (`key` NULL) "expected X". 0 or -ENOMEM.
 */
int ini_section_expect(const struct ini_section *section, const char *key, const char *expected,
	struct ini_problems *problems);

/* Deep copy; 0 or -ENOMEM. */
int ini_section_copy(const struct ini_section *from, struct ini_section **ret);
struct ini_section *ini_section_free(struct ini_section *section);

/* Writes heading and entries so that ini_load_text() reads the same. 0, -errno, -EINVAL as below.
 */
int ini_section_write(const struct ini_section *section, FILE *to);

/*
 * Writes one entry, long values on continuation lines. -EINVAL, with nothing written, where the
 * value could not be read back as it is: control characters, blanks at an end, a comment inside, a
 * word longer than a line.
 */
int ini_write_entry(const char *key, const char *value, FILE *to);

/*
 * One row of a key table. `parse` turns `value` into the field at `offset` of the object; on
 * failure it returns -EINVAL or -ERANGE and says in `expected` what would have been right
 * ("a duration like 500ms or 2s"), -ENOTSUP and a whole sentence where a key or value is known but
 * not to be had ("ymodem is not supported yet"), or -ENOMEM.
 */
struct ini_key {
	const char *name;
	size_t offset;
	int (*parse)(const char *value, void *field, const char **ret_expected);
};

/*
 * Applies every entry of the section. Unknown keys and bad values become problems; the rest is
 * applied. Returns 0 or -ENOMEM.
 */
int ini_section_apply(const struct ini_section *section, const struct ini_key *keys, size_t n_keys,
	void *object, struct ini_problems *problems);

/* The same where the keys are of several tables, each with an object of its own. */
struct ini_part {
	const struct ini_key *keys;
	size_t n_keys;
	void *object;
	/* Not NULL: "[service]", a section whose keys these are: told where one stands here. */
	const char *elsewhere;
};

int ini_section_apply_parts(const struct ini_section *section, const struct ini_part *parts,
	size_t n_parts, struct ini_problems *problems);

/*
 * Adds a problem; `file`, `section` and `key` may be NULL and `line` 0 where there is none. Outside
 * text in the message is the caller's to escape and bound. After INI_MAX_PROBLEMS one more says
 * that there are others. Returns 0 or -ENOMEM.
 */
#define INI_MAX_PROBLEMS 100
int ini_problem_add(struct ini_problems *problems, const char *file, unsigned line,
	const char *section, const char *key, const char *format, ...) PRINTF_LIKE(6, 7);

/* The problem as one line of text, outside text escaped. Returns `to`. */
char *ini_problem_format(const struct ini_problem *problem, char *to, size_t size);

/* One line each. */
void ini_problems_print(const struct ini_problems *problems, FILE *to);

void ini_problems_done(struct ini_problems *problems);

/* Field parsers that more than one table needs: char *, bool, uint32_t, uint64_t (µs). A char * is
 * replaced, the old one freed. */
int ini_parse_string(const char *value, void *field, const char **ret_expected);
int ini_parse_bool(const char *value, void *field, const char **ret_expected);
int ini_parse_u32(const char *value, void *field, const char **ret_expected);
int ini_parse_size(const char *value, void *field, const char **ret_expected);
int ini_parse_duration(const char *value, void *field, const char **ret_expected);

static inline bool ini_is_between(uint64_t least, uint64_t most, uint64_t found)
{
	return least <= found && found <= most;
}

/* Defines a field parser of a number, a size or a time (µs) between two bounds. */
#define INI_RANGE_KEY(name, type, parse, least, most, expected)                    \
	static int name(const char *value, void *field, const char **ret_expected) \
	{                                                                          \
		type found;                                                        \
		int r = parse(value, &found);                                      \
                                                                                   \
		*ret_expected = expected;                                          \
		if (r < 0 || !ini_is_between(least, most, found))                  \
			return r < 0 ? r : -ERANGE;                                \
		*(type *)field = found;                                            \
		return 0;                                                          \
	}
