/* SPDX-License-Identifier: MIT */
/*
 * entry-private.h - what the files of entering (entry.c, entry-ways.c, entry-application.c) and
 * leaving (entry-leave.c) share. Only these include it.
 */
#pragma once

#include "flash/entry.h"

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

/*
 * Gives the chip back to its application and has the loader look who is there instead of it
 * (loader_ops.look). As that returns; `advice` and `foreign` are set.
 */
int entry_look(struct entry *entry, bool is_last);

/* ------------------------------------------------------------------ entering */

/* One try: a rate, a speed of the start, and where the result goes. */
struct entry_try {
	struct entry *entry;
	uint32_t baud;
	bool slow;
	struct chip_identity *identity;
	bool (*on_phase)(void *userdata, enum phase phase);
	void *userdata;
	struct reason *reason;
};

/* Some loaders are met at one rate, whatever the rule has, and brought to another afterwards. */
uint32_t entry_rate(const struct entry_try *try);

/* Sets the port as the boot loader speaks. 0 or -errno, with the reason. */
int entry_set_loader_line(const struct entry_try *try);

/* The longest start of the rule's chips: it is not known yet which of them is there. */
uint64_t entry_startup_usec(const struct entry *entry, bool slow);

/* The boot loader must be there now: synchronises, identifies, and goes to the rate of the rule. */
int entry_meet(const struct entry_try *try, bool was_reset, enum entry_way way);

/* Whether another reset may help. */
bool entry_is_worth_a_reset(int r);

/* By the protocol that the application speaks. As entry_enter(). */
int entry_try_application(const struct entry_try *try);

/* Resets the chip by the lines of the rule. 0 or -errno. */
int entry_reset_application(const struct entry_try *try);

/* One try in the way of the rule. As entry_enter(). */
int entry_try_once(const struct entry_try *try, bool is_last);

/* How many ways lead into the loader, 1 at least. */
size_t entry_n_ways(const struct entry *entry);

/* By one of several ways, to a chip that says how it starts. */
int entry_try_way(const struct entry_try *try, bool is_last);

/*
 * Each way in turn, from the one that worked last. Where the loader was met and the rate of the
 * rule was not, the next rate follows, by the same way.
 */
int entry_enter_by_ways(struct entry_try *try);
