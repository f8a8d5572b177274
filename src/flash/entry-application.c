/* SPDX-License-Identifier: MIT */
/*
 * entry-application.c - into the boot loader by the protocol that the application speaks.
 *
 * Nothing resets the chip, so who is there must be found out. The boot loader is looked for first:
 * one that answers without a reset of ours was left there by a torn update, or its application is
 * broken, and to start that would only lead back (ti-bsl.md 15.1). Then each protocol of the rule
 * is asked at each of its rates. The application that answers is told to start its boot loader,
 * which is met as any other: it may be deaf for a while, so its menu is asked for again and again.
 *
 * Whoever was found out before the job was decided on (`found`) is not looked for a second time,
 * but once: a try in vain says that it was wrong, or is no more.
 */
#include "flash/entry.h"

#include <errno.h>

#include "base/util.h"
#include "flash/entry-private.h"

/* A menu answers at once; the application beside it must not wait long for its turn. */
#define LOOK_USEC USEC_PER_SEC

/* Whether the menu of the loader answers. 0, LOADER_NO_ANSWER, or -errno. */
static int look_for_loader(const struct entry_try *try)
{
	struct entry *entry = try->entry;
	const struct dialogue *menu = &entry->board->menu.before;
	size_t next = 0;
	int r = entry_set_loader_line(try);

	if (r == 0)
		r = expect_forget(entry->expect);
	if (r == 0)
		r = expect_open(entry->expect, menu, LOOK_USEC, &next);
	/* A loader without a menu is met only by what it asks for. */
	return r == EXPECT_SILENT || (r == 0 && next == 0) ? LOADER_NO_ANSWER : r;
}

/* 0: somebody was found; LOADER_NO_ANSWER, or -errno. */
static int look(const struct entry_try *try)
{
	struct entry *entry = try->entry;
	const struct board *board = entry->board;
	struct spoken spoken;
	int r = LOADER_NO_ANSWER;
	bool is_silent;

	entry->found = ENTRY_FOUND_NOBODY;
	entry->unheard = (struct spoken_heard){0};
	/* Lines lead into it whatever it does now. */
	if (board->entry != BOARD_ENTRY_LINES && entry->loader->ops->send)
		r = look_for_loader(try);
	if (r == 0)
		entry->found = ENTRY_FOUND_LOADER;
	for (size_t i = 0; r == LOADER_NO_ANSWER && spoken_candidate(board, i, &spoken); i++) {
		if (!try->on_phase(try->userdata, PHASE_ENTER))
			return -ECANCELED;
		r = spoken_ask(&spoken, entry->expect, SPOKEN_ASK_USEC, &entry->unheard);
		if (r == APPLICATION_SILENT) {
			r = LOADER_NO_ANSWER;
			continue;
		}
		if (r < 0)
			return r;
		/* One that refuses to be asked says as well who it is. */
		entry->spoken = spoken;
		entry->found = ENTRY_FOUND_APPLICATION;
		r = 0;
	}
	/* Where no byte came at all, and none upon the same questions once more, none will. */
	is_silent = r == LOADER_NO_ANSWER && entry->unheard.n_bytes == 0 &&
		    board->entry == BOARD_ENTRY_APPLICATION;
	entry->n_silent = is_silent ? entry->n_silent + 1 : 0;
	entry->is_vain = entry->n_silent > 1 && !entry->has_no_application;
	return r;
}

int entry_find(struct entry *entry, bool (*on_phase)(void *userdata, enum phase phase),
	void *userdata, struct reason *reason)
{
	const struct entry_try try = {
		.entry = entry,
		.baud = entry->board->baud.items[entry->rung],
		.on_phase = on_phase,
		.userdata = userdata,
		.reason = reason,
	};

	return look(&try);
}

static int lead(const struct entry_try *try)
{
	struct entry *entry = try->entry;
	int r;

	if (*entry->spoken.refusal.text)
		return LOADER_REFUSED;
	r = spoken_enter_loader(&entry->spoken, entry->expect);
	if (r == APPLICATION_SILENT)
		return LOADER_NO_ANSWER;
	if (r != 0)
		return r < 0 ? r : LOADER_REFUSED;
	entry->is_inside = true;
	entry->has_answered = true;
	r = entry_set_loader_line(try);
	return r < 0 ? r : entry_meet(try, true, ENTRY_WAY_APPLICATION);
}

static int enter_found(const struct entry_try *try)
{
	struct entry *entry = try->entry;
	enum entry_found found = entry->found;

	entry->found = ENTRY_FOUND_NOBODY;
	switch (found) {
	case ENTRY_FOUND_NOBODY:
		break;
	case ENTRY_FOUND_LOADER:
		entry->is_inside = true;
		return entry_meet(try, false, ENTRY_WAY_DIRECT);
	case ENTRY_FOUND_APPLICATION:
		return lead(try);
	}
	return LOADER_NO_ANSWER;
}

int entry_try_application(const struct entry_try *try)
{
	struct entry *entry = try->entry;
	int r = 0;

	entry->has_answered = false;
	if (entry->found == ENTRY_FOUND_NOBODY)
		r = look(try);
	/* An application that hangs may be mended by a reset, where the rule has a line for it. */
	if (r == LOADER_NO_ANSWER && entry->board->has_lines) {
		r = entry_reset_application(try);
		if (r == 0)
			r = look(try);
	}
	return r == 0 ? enter_found(try) : r;
}
