/* SPDX-License-Identifier: MIT */
/*
 * entry-leave.c - back to the application, and what the chip says of its start.
 *
 * The line of whoever listens is set before the reset is released, so that no byte is missed. A
 * chip that speaks is heard until it has told its failure, or has gone well for a while: a loop of
 * resets shows only by its repeats. At the end it is heard until it is silent, for the sake of a
 * bridge that does not survive a close in the middle of its text.
 */
#include "flash/entry.h"

#include <errno.h>

#include "base/util.h"
#include "flash/application.h"
#include "flash/entry-private.h"

/* Before the application speaks; NULL: nobody listens. */
static int set_listening_line(struct entry *entry, const struct board_line *listen)
{
	struct reason ignored;

	return listen ? application_set_line(entry->expect, listen, &ignored) : 0;
}

/* Whoever listens to nothing else listens to the chip itself, if that speaks. */
static int leave_by_lines(struct entry *entry, const struct board_line *listen)
{
	const struct loader_ops *ops = entry->loader->ops;
	const struct board_line words = {
		.baud = entry->words_baud > 0 ? entry->words_baud : ops->entry_baud};
	int r = set_listening_line(entry, listen || !ops->hear ? listen : &words);

	if (r == 0)
		r = expect_forget(entry->expect);
	if (r == 0)
		r = entry_play(entry->port, &entry->wiring->leave);
	entry->left_usec = port_now(entry->port);
	/* The way out of the rule may have been the way in for the chip that is there. */
	if (r == 0 && entry->foreign)
		r = entry_play(entry->port, &wiring_leave_esp);
	return r;
}

int entry_leave(
	struct entry *entry, enum entry_end end, uint32_t address, const struct board_line *listen)
{
	const struct board *board = entry->board;
	const struct loader_ops *ops = entry->loader->ops;
	bool is_go = !entry->is_guess &&
		     (board->start == BOARD_START_GO ||
			     (board->start == BOARD_START_RESET && entry->stays_inside));
	bool may_go = end == ENTRY_END_WELL || (end == ENTRY_END_INTACT && !board->has_lines);
	int r = LOADER_UNSUPPORTED;

	if (!entry->is_inside)
		return 0;
	entry->is_inside = false;
	if (end == ENTRY_END_WELL && board->start == BOARD_START_NONE)
		return 0;
	if (is_go && may_go && ops->start)
		r = ops->start(entry->loader, address);
	entry->is_by_loader = r == 0;
	if (r < 0)
		return r;
	if (r > 0 && board->has_lines && ops->prepare_leave && entry->is_identified &&
		ops->prepare_leave(entry->loader) == -ENODEV)
		return -ENODEV;
	if (r > 0 && board->has_lines)
		return leave_by_lines(entry, listen);
	/* Without either the application starts by itself, or a person pushes the button. */
	if (r == 0 || (listen && r == LOADER_UNSUPPORTED))
		return set_listening_line(entry, listen);
	return board->start == BOARD_START_GO ? r : 0;
}

/* Behind a start that says nothing of a failure (esp-rom.md 10). */
#define START_USEC	  (2 * USEC_PER_SEC)
#define START_SILENT_USEC USEC_PER_SEC

/* The ROM's text comes at once, or it is switched off. */
#define START_UNHEARD_USEC (500 * USEC_PER_MSEC)

int entry_hear_start(struct entry *entry, struct loader_words *ret)
{
	struct loader_words words = {.baud = entry->loader->ops->entry_baud};
	uint64_t deadline = port_now(entry->port) + START_USEC;
	bool is_longer = false;
	int r = 0;

	while (entry->loader->ops->hear && r == 0 && words.start != LOADER_START_FAILED &&
		!(words.start == LOADER_START_LOADER && words.is_waiting)) {
		uint64_t silent = words.n_bytes > 0 ? START_SILENT_USEC : START_UNHEARD_USEC;
		uint64_t until = port_now(entry->port) + silent;

		r = entry_hear(entry, &words, until < deadline ? until : deadline);
		/* Twice may be the application's own doing: a third time is waited for. */
		if (words.n_starts > 1 && !is_longer) {
			is_longer = true;
			deadline += START_USEC;
		}
	}
	if (r < 0 && r != -ETIMEDOUT)
		return r;
	*ret = words;
	return 0;
}

#define END_SILENT_USEC (100 * USEC_PER_MSEC)
#define END_USEC	(2 * USEC_PER_SEC)

int entry_hear_end(struct entry *entry)
{
	uint64_t deadline = entry->left_usec + END_USEC;
	struct loader_words words = {0};
	int r = 0;

	while (entry->loader->ops->hear && r == 0 && port_now(entry->port) < deadline)
		r = entry_hear(entry, &words, port_now(entry->port) + END_SILENT_USEC);
	return r == -ETIMEDOUT ? 0 : r;
}

int entry_leave_again(struct entry *entry, const struct board_line *listen)
{
	if (!entry->board->has_lines || entry->stays_inside)
		return LOADER_UNSUPPORTED;
	return leave_by_lines(entry, listen);
}

/* The text of an ESP comes at this rate, whatever a rule for another chip has. */
#define OTHERS_BAUD 115200

int entry_look(struct entry *entry, bool is_last)
{
	const struct board_line line = {.baud = OTHERS_BAUD};
	const struct loader_ops *ops = entry->loader->ops;
	bool has_lines = entry->board->has_lines;
	int r;

	reason_set(&entry->advice, "%s", "");
	r = set_listening_line(entry, &line);
	if (r == 0 && has_lines && !is_last)
		r = ops->look(entry->loader, LOADER_LOOK_INSIDE, &entry->advice);
	if (r == 0 && has_lines)
		r = leave_by_lines(entry, &line);
	if (r == 0)
		r = ops->look(entry->loader, is_last ? LOADER_LOOK_LAST : LOADER_LOOK_STARTED,
			&entry->advice);
	if (r == LOADER_FOREIGN)
		entry->foreign = entry->advice.text;
	return r;
}

int entry_look_for_others(struct entry *entry)
{
	const struct board_line line = {.baud = OTHERS_BAUD};
	int r;

	if (entry->board->entry != BOARD_ENTRY_LINES || entry->loader->ops->hear ||
		entry->loader->ops->send || entry->loader->ops->look)
		return 0;
	entry->heard.n_bytes = 0;
	r = leave_by_lines(entry, &line);
	if (r == 0)
		r = port_wait(entry->port, STARTUP_DEFAULT_USEC + WORDS_USEC);
	if (r == 0)
		r = entry_listen(entry);
	if (r < 0)
		return r;
	return entry_is_foreign(entry) ? LOADER_FOREIGN : 0;
}
