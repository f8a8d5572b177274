/* SPDX-License-Identifier: MIT */
/*
 * log-journal.h - entries on their way to journald, in its native protocol. Nothing here waits: an
 * entry that the journal does not take at once is kept, in order and within a bound; beyond the
 * bound it is dropped and counted. For log.c alone.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* Room for waiting entries, some 500 of a job; allocated one by one, freed as they go out. */
#define LOG_QUEUE_BYTES ((size_t)256 * 1024)

/*
 * Sends "NAME=value" items as one entry, or keeps it; no item may have a line break in it. 0, also
 * where it is kept or counted as lost; -errno where there is no journal to send it to.
 */
int log_journal_send(const struct iovec *items, size_t n_items);

/* See log.h. */
int log_journal_waiting_fd(void);
void log_journal_flush(void);
size_t log_journal_take_lost(void);

/* Sends the waiting entries for at most that long, drops the rest and closes. */
void log_journal_close(uint64_t wait_usec);
