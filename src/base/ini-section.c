/* SPDX-License-Identifier: MIT */
/*
 * ini-section.c - a section by itself: looked into, copied, and written so that it reads the same.
 */
#include <errno.h>
#include <string.h>

#include "base/ini.h"
#include "base/text.h"

static void section_done(struct ini_section *section)
{
	for (size_t i = 0; i < section->n_entries; i++) {
		free(section->entries[i].key);
		free(section->entries[i].value);
	}
	free(section->entries);
	free(section->file);
	free(section->kind);
	free(section->name);
}

void ini_done(struct ini *ini)
{
	for (size_t i = 0; i < ini->n_sections; i++)
		section_done(&ini->sections[i]);
	free(ini->sections);
	*ini = (struct ini){0};
}

const struct ini_entry *ini_section_find(const struct ini_section *section, const char *key)
{
	for (size_t i = 0; i < section->n_entries; i++)
		if (strcmp(section->entries[i].key, key) == 0)
			return &section->entries[i];
	return NULL;
}

char *ini_section_title(const struct ini_section *section, char *to, size_t size)
{
	snprintf(to, size, "%s%s%s", section->kind, section->name[0] ? " " : "", section->name);
	return to;
}

struct ini_section *ini_section_free(struct ini_section *section)
{
	if (section)
		section_done(section);
	free(section);
	return NULL;
}

static void section_freep(struct ini_section **section)
{
	ini_section_free(*section);
}

int ini_section_copy(const struct ini_section *from, struct ini_section **ret)
{
	struct ini_section *made CLEANUP(section_freep) = calloc(1, sizeof(*made));

	if (!made)
		return -ENOMEM;
	made->line = from->line;
	made->file = strdup(from->file);
	made->kind = strdup(from->kind);
	made->name = strdup(from->name);
	made->entries = calloc(from->n_entries + 1, sizeof(*made->entries));
	if (!made->file || !made->kind || !made->name || !made->entries)
		return -ENOMEM;
	for (size_t i = 0; i < from->n_entries; i++) {
		struct ini_entry *entry = &made->entries[made->n_entries++];

		*entry = (struct ini_entry){
			.key = strdup(from->entries[i].key),
			.value = strdup(from->entries[i].value),
			.line = from->entries[i].line,
			.comment_line = from->entries[i].comment_line,
		};
		if (!entry->key || !entry->value)
			return -ENOMEM;
	}
	*ret = TAKE_PTR(made);
	return 0;
}

/* A line that began so would be a comment. */
static bool begins_comment(char c)
{
	return c == ';' || c == '#';
}

static bool value_can_be_written(const char *value)
{
	size_t n = strlen(value);

	if (n > INI_VALUE_BYTES || !text_is_utf8(value, n))
		return false;
	if (n > 0 && (text_is_blank(value[0]) || text_is_blank(value[n - 1])))
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)value[i];

		if ((c < 0x20 && c != '\t') || c == 0x7F)
			return false;
		if (i > 0 && c == ';' && text_is_blank(value[i - 1]))
			return false;
	}
	return true;
}

/*
 * How much of the value goes on a line with so much room: all of it, or up to the last single space
 * that reading would put back. 0: no such place.
 */
static size_t line_part(const char *value, size_t room)
{
	size_t n = strlen(value);

	if (n <= room)
		return n;
	for (size_t at = room; at > 0; at--)
		if (value[at] == ' ' && !text_is_blank(value[at - 1]) &&
			!text_is_blank(value[at + 1]) && !begins_comment(value[at + 1]))
			return at;
	return 0;
}

/* The lines of an entry; with `to` NULL only whether they can be made. */
static int put_lines(const char *key, const char *value, FILE *to)
{
	size_t room = INI_LINE_BYTES - strlen(key) - 1;
	size_t n = line_part(value, room);

	/* Nothing fits behind the key: reading joins an empty first line without a space. */
	if (n == 0 && begins_comment(value[0]))
		return -EINVAL;
	/* No blank after '=': a value may begin with ';', which behind one is a comment. */
	if (to)
		fprintf(to, "%s=%.*s\n", key, (int)n, value);
	value += n;
	while (*value) {
		if (*value == ' ')
			value++;
		n = line_part(value, INI_LINE_BYTES - 1);
		if (n == 0)
			return -EINVAL;
		if (to)
			fprintf(to, " %.*s\n", (int)n, value);
		value += n;
	}
	return 0;
}

int ini_write_entry(const char *key, const char *value, FILE *to)
{
	if (strlen(key) > INI_KEY_BYTES || !value_can_be_written(value) ||
		put_lines(key, value, NULL) < 0)
		return -EINVAL;
	errno = 0;
	put_lines(key, value, to);
	return ferror(to) ? (errno > 0 ? -errno : -EIO) : 0;
}

int ini_section_write(const struct ini_section *section, FILE *to)
{
	char title[INI_LINE_BYTES + 1];

	errno = 0;
	if (fprintf(to, "[%s]\n", ini_section_title(section, title, sizeof(title))) < 0)
		return errno > 0 ? -errno : -EIO;
	for (size_t i = 0; i < section->n_entries; i++) {
		int r = ini_write_entry(section->entries[i].key, section->entries[i].value, to);

		if (r < 0)
			return r;
	}
	return 0;
}
