/* SPDX-License-Identifier: MIT */
/*
 * entry.h - from a running application to a boot loader that was identified, and back.
 */
#pragma once

#include "base/outcome.h"
#include "flash/spoken.h"
#include "loader/heard.h"
#include "loader/loader.h"

/* The way that led into the boot loader. */
enum entry_way {
	ENTRY_WAY_NONE,
	ENTRY_WAY_LINES,
	ENTRY_WAY_COMMAND,
	ENTRY_WAY_DIRECT,
	ENTRY_WAY_APPLICATION, /* `spoken` says which */
};

/* Who answers without a reset. */
enum entry_found { ENTRY_FOUND_NOBODY, ENTRY_FOUND_LOADER, ENTRY_FOUND_APPLICATION };

struct entry {
	const struct board *board;   /* borrowed, as all here */
	const struct wiring *wiring; /* the rule's, as it suits the port */
	const struct chip_table *chips;
	struct port *port;
	struct loader *loader;
	struct expect *expect;
	bool is_guess; /* whether the lines are those of the board: one try, and no start but a
			  reset */
	bool has_no_application; /* an update was torn: `entry-command` is tried after the loader */
	bool has_answered;	/* the application has answered to `entry-command`, or taken that of
				   its protocol */
	enum entry_found found; /* by entry_find(), and not made use of yet */
	struct spoken spoken;	/* the application that was met last; baud 0: none was */
	struct spoken_heard unheard; /* by all that was asked in vain */
	unsigned n_silent;	   /* looks for it, one after the other, upon which no byte came */
	struct heard heard;	   /* in the last try */
	struct loader_words words; /* of the chip, from the try that told most */
	/*
	 * By them no further reset leads into this loader: the chip waits in it and does not hear,
	 * another program speaks, or nothing is there at all.
	 */
	bool is_vain;
	struct reason advice; /* of loader_ops.look, "" for none */
	unsigned n_looks;     /* 1: behind the first try of the job; 2: behind all of an entry */
	const char *foreign; /* behind LOADER_FOREIGN: another kind of chip speaks; NULL: the loader
				knows */
	bool is_identified;  /* in the last try: what failed then is the rate */
	enum entry_way way;
	size_t enter;	     /* index in wiring->enters, where the next entry begins */
	size_t rung;	     /* index in board->baud, likewise */
	uint32_t baud;	     /* the rate that worked */
	uint32_t n_tries;    /* tries so far */
	bool stays_inside;   /* through a reset: only the loader can start the application */
	uint32_t words_baud; /* of the chip that was identified last; 0: the loader's */
	uint64_t left_usec;  /* of the port's clock: the last reset by the way out */
	bool is_by_loader;   /* the loader has started the application, without a reset */
	bool is_inside;	     /* the chip may be in its boot loader: entry_leave() is owed */
};

/*
 * Enters and identifies. 0, -errno, or the enum loader_result of the last try,
 * LOADER_UNKNOWN_CHIP among them. `on_phase` is called with each phase of a try; where it says
 * no to PHASE_ENTER, no try begins any more, and -ECANCELED is returned: all tries at a chip that
 * is silent take most of a minute. `reason` is set where the port could not be configured.
 */
int entry_enter(struct entry *entry, struct chip_identity *ret,
	bool (*on_phase)(void *userdata, enum phase phase), void *userdata, struct reason *reason);

/*
 * Finds out who is there, without a reset: the boot loader where the rule leads into it through an
 * application, else an application of the rule. 0 with `found`, which the next entry_enter() begins
 * with; LOADER_NO_ANSWER; -ECANCELED as entry_enter(); -errno.
 */
int entry_find(struct entry *entry, bool (*on_phase)(void *userdata, enum phase phase),
	void *userdata, struct reason *reason);

/* The way that led into the loader: "lines", "command", "direct", or the protocol of an
 * application, "ezsp"; "" for none. */
const char *entry_entered(const struct entry *entry);

/* How many tries one entry has at most. */
uint32_t entry_tries(const struct entry *entry);

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
 * Reads what the chip says of its start, after entry_leave() where nobody else listened: until it
 * is told that nothing starts, or has gone well for two seconds. Loaders without hear(): unheard.
 * 0 or -errno.
 */
int entry_hear_start(struct entry *entry, struct loader_words *ret);

/*
 * Reads on until the chip is silent, two seconds behind its reset at most, where a bridge may need
 * that: a CP2102N before firmware A02 that is closed while bytes arrive receives nothing more until
 * it is plugged in anew (esp-rom.md 2.4). 0 or -errno.
 */
int entry_hear_end(struct entry *entry);

/*
 * Gives the chip back to its application and listens: whether an ESP is there, which the lines of a
 * rule for another chip hold in reset, or do not reset, all the while. 0, -errno, or LOADER_FOREIGN
 * with `foreign`.
 */
int entry_look_for_others(struct entry *entry);

/*
 * Starts the application once more, by the lines. LOADER_UNSUPPORTED without lines, and where a
 * reset would lead back into the boot loader.
 */
int entry_leave_again(struct entry *entry, const struct board_line *listen);

/* The next entry begins with the next rate of the rule; false, and as before, on the last one. */
bool entry_step_down(struct entry *entry);
