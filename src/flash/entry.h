/* SPDX-License-Identifier: MIT */
/*
 * entry.h - from a running application to a boot loader that was identified, and back.
 */
#pragma once

#include "base/outcome.h"
#include "loader/heard.h"
#include "loader/loader.h"

/* The way that led into the boot loader. */
enum entry_way { ENTRY_WAY_NONE, ENTRY_WAY_LINES, ENTRY_WAY_COMMAND, ENTRY_WAY_DIRECT };

/* "lines", "command", "direct"; "" for none. */
const char *entry_way_to_string(enum entry_way way);

struct entry {
	const struct board *board; /* borrowed, as all here */
	const struct chip_table *chips;
	struct port *port;
	struct loader *loader;
	struct expect *expect;
	bool has_no_application; /* an update was torn: `entry-command` is tried after the loader */
	bool has_answered;	 /* the application has answered to `entry-command` */
	struct heard heard;	 /* in the last try */
	enum entry_way way;
	size_t rung;	   /* index in board->baud, where the next entry begins */
	uint32_t baud;	   /* the rate that worked */
	uint32_t n_tries;  /* tries so far */
	bool stays_inside; /* through a reset: only the loader can start the application */
	bool is_by_loader; /* the loader has started the application, without a reset */
	bool is_inside;	   /* the chip may be in its boot loader: entry_leave() is owed */
};

/*
 * Enters and identifies. 0, -errno, or the enum loader_result of the last try,
 * LOADER_UNKNOWN_CHIP among them. `on_phase` is called with each phase of a try; where it says
 * no to PHASE_ENTER, no try begins any more, and -ECANCELED is returned: all tries at a chip that
 * is silent take most of a minute. `reason` is set where the port could not be configured.
 */
int entry_enter(struct entry *entry, struct chip_identity *ret,
	bool (*on_phase)(void *userdata, enum phase phase), void *userdata, struct reason *reason);

/* How many tries one entry has at most. */
uint32_t entry_tries(const struct board *board);

/* The state of the flash when the chip is left. */
enum entry_end {
	ENTRY_END_WELL,	  /* the job ended well */
	ENTRY_END_INTACT, /* it did not, and nothing was erased: the application is as before */
	ENTRY_END_TORN,	  /* it did not, and there may be no whole application */
};

/*
 * Gives the chip back to the application: after a job that ended well in the way of the rule's
 * `start`; else by reset, or where there is no line for one by the loader, if there is an
 * application. The application begins at `address`. Where `listen` is given, the port is set to
 * that line before the reset is released, so that no byte of the application is missed. 0, -errno,
 * or the enum loader_result of start() where there was no other way.
 */
int entry_leave(
	struct entry *entry, enum entry_end end, uint32_t address, const struct board_line *listen);

/*
 * Starts the application once more, by the lines. LOADER_UNSUPPORTED without lines, and where a
 * reset would lead back into the boot loader.
 */
int entry_leave_again(struct entry *entry, const struct board_line *listen);

/* The next entry begins with the next rate of the rule; stays on the last one. */
void entry_step_down(struct entry *entry);
