/* SPDX-License-Identifier: MIT */
/*
 * entry.h - from a running application to a boot loader that says who it is, and back.
 *
 * Owns the ladder: every try is a fresh reset, since the loader looks at the rate once; a try that
 * stays silent is followed by one that waits as long as the slowest start of the chip; then comes
 * the next rate of the rule. With `entry = command` a try is the command to the application and
 * then, should that lead nowhere, the loader directly: it may be there already.
 */
#pragma once

#include "base/outcome.h"
#include "loader/heard.h"
#include "loader/loader.h"

/* Which way it was that led into the boot loader. */
enum entry_way { ENTRY_WAY_NONE, ENTRY_WAY_LINES, ENTRY_WAY_COMMAND, ENTRY_WAY_DIRECT };

/* "lines", "command", "direct"; "" for none. */
const char *entry_way_to_string(enum entry_way way);

struct entry {
	const struct board *board; /* borrowed, as all here */
	const struct chip_table *chips;
	struct port *port;
	struct loader *loader;
	struct expect *expect;
	bool has_no_application; /* it was torn: its command is tried after the loader */
	bool has_answered;	 /* the application, to its command */
	struct heard heard;	 /* in the last try */
	enum entry_way way;
	size_t rung;	   /* of board->baud, where the next entry begins */
	uint32_t baud;	   /* the rate that worked */
	uint32_t n_resets; /* tries so far */
	bool stays_inside; /* through a reset: only the loader can start the application */
	bool is_by_loader; /* the application was started, not by a reset */
	bool is_inside;	   /* the chip may be in its boot loader: entry_leave() is owed */
};

/*
 * Enters and identifies. 0, -errno, or what the last try came to (loader.h), UNKNOWN_CHIP
 * included. `on_phase` is told where a try stands. `reason` is set where the port could not be
 * configured.
 */
int entry_enter(struct entry *entry, struct identity *ret,
	void (*on_phase)(void *userdata, enum phase phase), void *userdata, struct reason *reason);

/* How many tries one entry has at most. */
uint32_t entry_tries(const struct board *board);

/* What state the chip's flash is in at the end. */
enum entry_end {
	ENTRY_END_WELL,
	ENTRY_END_INTACT, /* the job did not end well, but the application is what it was */
	ENTRY_END_TORN,
};

/*
 * Gives the chip back to the application: after a job that ended well in the way of the rule's
 * `start`, else by reset, or where there is no line for that by the loader, if there is an
 * application. `address` is that of the vector table. Where `listen` is given, the port is set to
 * that line before the reset is released, so that the first byte of the application is heard.
 * 0, -errno, or what the loader's start came to where nothing else was left.
 */
int entry_leave(
	struct entry *entry, enum entry_end end, uint32_t address, const struct board_line *listen);

/*
 * Starts the application once more, by the lines. LOADER_UNSUPPORTED without any, and where they
 * would lead back into the boot loader.
 */
int entry_leave_again(struct entry *entry, const struct board_line *listen);

/* Takes the next rate of the ladder for what comes; stays on the last. */
void entry_step_down(struct entry *entry);
