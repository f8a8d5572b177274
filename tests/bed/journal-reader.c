/* SPDX-License-Identifier: MIT */
#include "bed/journal-reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-journal.h>

#include "base/util.h"

#define DIRECTORY "/run/log/journal"

/*
 * Chosen here and not by sd_journal_add_match(): journald counts an entry before it links it to its
 * fields, and a reader with a match that looks in between takes the entry for one that does not
 * fit, and does not look again until there is another (systemd 252, next_beyond_location()).
 */
static const char *const identifier[] = {"SYSLOG_IDENTIFIER=plugflashd", NULL};

struct journal_reader {
	sd_journal *journal;
	struct journal_entry **entries; /* each stays where it is */
	size_t n_entries;
};

static struct journal_entry *entry_free(struct journal_entry *entry)
{
	for (size_t i = 0; i < entry->n_fields; i++)
		free(entry->fields[i]);
	free(entry->fields);
	free(entry);
	return NULL;
}

int journal_reader_new(struct journal_reader **ret)
{
	struct journal_reader *reader = calloc(1, sizeof(*reader));
	int r;

	if (!reader)
		return -ENOMEM;
	r = sd_journal_open_directory(&reader->journal, DIRECTORY, 0);
	if (r >= 0)
		r = sd_journal_get_fd(reader->journal);
	if (r >= 0)
		r = sd_journal_seek_tail(reader->journal);
	/* The entry before "now", if there is one: what follows it is new. */
	if (r >= 0)
		r = sd_journal_previous(reader->journal);
	if (r < 0) {
		journal_reader_free(reader);
		return r;
	}
	if (r == 0)
		sd_journal_seek_head(reader->journal);
	*ret = reader;
	return 0;
}

struct journal_reader *journal_reader_free(struct journal_reader *reader)
{
	if (!reader)
		return NULL;
	sd_journal_close(reader->journal);
	for (size_t i = 0; i < reader->n_entries; i++)
		entry_free(reader->entries[i]);
	free(reader->entries);
	free(reader);
	return NULL;
}

int journal_reader_fd(struct journal_reader *reader)
{
	return sd_journal_get_fd(reader->journal);
}

static int add_field(struct journal_entry *entry, const void *data, size_t n_data)
{
	char **fields = reallocarray(entry->fields, entry->n_fields + 1, sizeof(*fields));

	if (!fields)
		return -ENOMEM;
	entry->fields = fields;
	fields[entry->n_fields] = strndup(data, n_data);
	return fields[entry->n_fields++] ? 0 : -ENOMEM;
}

static int add_entry(struct journal_reader *reader)
{
	struct journal_entry *entry = calloc(1, sizeof(*entry)), **entries;
	const void *data;
	size_t n_data;
	int r = 0;

	entries = reallocarray(
		reader->entries, reader->n_entries + 1, sizeof(struct journal_entry *));
	if (!entry || !entries)
		return -ENOMEM;
	reader->entries = entries;
	SD_JOURNAL_FOREACH_DATA(reader->journal, data, n_data)
	{
		if (r == 0)
			r = add_field(entry, data, n_data);
	}
	if (r == 0 && journal_entry_fits(entry, identifier))
		entries[reader->n_entries++] = entry;
	else
		entry_free(entry);
	return r;
}

int journal_reader_dispatch(struct journal_reader *reader)
{
	int r = sd_journal_process(reader->journal);

	while (r >= 0) {
		r = sd_journal_next(reader->journal);
		if (r <= 0)
			break;
		r = add_entry(reader);
	}
	return r;
}

size_t journal_reader_count(const struct journal_reader *reader)
{
	return reader->n_entries;
}

const struct journal_entry *journal_reader_entry(const struct journal_reader *reader, size_t i)
{
	return reader->entries[i];
}

const char *journal_entry_get(const struct journal_entry *entry, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; entry && i < entry->n_fields; i++)
		if (strncmp(entry->fields[i], name, n) == 0 && entry->fields[i][n] == '=')
			return entry->fields[i] + n + 1;
	return NULL;
}

bool journal_entry_fits(const struct journal_entry *entry, const char *const match[])
{
	for (; *match; match++) {
		const char *equals = strchr(*match, '=');
		char name[64];
		const char *value;

		snprintf(name, sizeof(name), "%.*s",
			equals ? (int)(equals - *match) : (int)strlen(*match), *match);
		value = journal_entry_get(entry, name);
		if (!value || (equals && strcmp(value, equals + 1) != 0))
			return false;
	}
	return true;
}
