/* SPDX-License-Identifier: MIT */
/*
 * log.h - entries with fields, to the journal or, where there is none, to standard error.
 *
 * Only the service and the mains log above debug; lower floors return outcomes. Text from outside
 * is escaped here, so that no caller can forget it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <syslog.h>

#include "base/util.h"

enum log_target { LOG_TARGET_STDERR, LOG_TARGET_JOURNAL };

/* The fields of one entry, "NAME=value" each. A value is escaped and bounded when it is added. */
struct log_fields {
	char *items[28];
	size_t n_items;
};

/*
 * Chooses where entries go and the SYSLOG_IDENTIFIER; `threshold` is a syslog priority. The journal
 * is chosen only where its socket is; otherwise standard error with <N> priority prefixes where
 * systemd asks for them (JOURNAL_STREAM), without on a terminal.
 */
void log_open(const char *identifier, enum log_target target, int threshold);

/* The target that fits the process: the journal when its socket exists, else standard error. */
enum log_target log_target_default(void);

/* Adds NAME=value; a NULL or empty value adds nothing. Beyond the bound, fields are dropped. */
void log_field(struct log_fields *fields, const char *name, const char *format, ...)
	PRINTF_LIKE(3, 4);

void log_fields_done(struct log_fields *fields);

/*
 * Sends one entry. `message_id` (NULL for none) is one of names.h, each of which has an entry in
 * the catalog; `fields` may be NULL and stays the caller's.
 */
void log_event(int priority, const char *message_id, const struct log_fields *fields,
	const char *format, ...) PRINTF_LIKE(4, 5);

/*
 * Entries that the journal does not take at once wait, within a bound, and log_event() does not.
 * log_waiting_fd() is a descriptor to be waited for until it can be written, then for log_flush();
 * -1: nothing waits. log_take_lost() tells how many entries had no room, and counts anew.
 */
int log_waiting_fd(void);
void log_flush(void);
size_t log_take_lost(void);

/* Gives entries that wait a second more, at the end of the process. */
void log_close(void);

#define log_debug(...)	 log_event(LOG_DEBUG, NULL, NULL, __VA_ARGS__)
#define log_info(...)	 log_event(LOG_INFO, NULL, NULL, __VA_ARGS__)
#define log_warning(...) log_event(LOG_WARNING, NULL, NULL, __VA_ARGS__)
#define log_error(...)	 log_event(LOG_ERR, NULL, NULL, __VA_ARGS__)
