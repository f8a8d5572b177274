/* SPDX-License-Identifier: MIT */
/*
 * entry-steps.h - what entering (entry.c) and leaving (entry-leave.c) share. Only these two include
 * it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct entry;
struct loader_words;
struct port;
struct wiring_steps;

/* Where the rule names no chip that tells its start-up time (stm32-rom.md 12). */
#define STARTUP_DEFAULT_USEC (100 * USEC_PER_MSEC)

/* What a chip says of its start comes within this time behind it (esp-rom.md 2.6). */
#define WORDS_USEC (100 * USEC_PER_MSEC)

int entry_play(struct port *port, const struct wiring_steps *steps);

/* Adds what comes to the words. 0, -ETIMEDOUT, or -errno. */
int entry_hear(struct entry *entry, struct loader_words *words, uint64_t deadline);

/*
 * Adds what has come to `heard`, until that is full: a sender without an end must not keep us here.
 * 0 or -errno.
 */
int entry_listen(struct entry *entry);

/*
 * Whether the chip that was heard says that it is of another family, by `foreign`: it is the wrong
 * board then, whatever its lines do.
 */
bool entry_is_foreign(struct entry *entry);
