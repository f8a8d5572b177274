/* SPDX-License-Identifier: MIT */
/* journal-reader.h - the entries of the service in the enclosure's journal, in their order. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct journal_entry {
	char **fields; /* "NAME=value" */
	size_t n_fields;
};

struct journal_reader;

/* Entries of the service from now on. 0 or -errno. */
int journal_reader_new(struct journal_reader **ret);
struct journal_reader *journal_reader_free(struct journal_reader *reader);

/* To be watched for POLLIN. */
int journal_reader_fd(struct journal_reader *reader);

/* Takes what is new. 0 or -errno. */
int journal_reader_dispatch(struct journal_reader *reader);

size_t journal_reader_count(const struct journal_reader *reader);
const struct journal_entry *journal_reader_entry(const struct journal_reader *reader, size_t i);

/* The value, or NULL where the entry has no such field. */
const char *journal_entry_get(const struct journal_entry *entry, const char *name);

/* Whether the entry has every one of the NULL-terminated "NAME=value"; "NAME" alone: with any
 * value. */
bool journal_entry_fits(const struct journal_entry *entry, const char *const match[]);
