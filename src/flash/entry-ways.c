/* SPDX-License-Identifier: MIT */
/*
 * entry-ways.c - into a ROM that says itself how it started, by one of several ways.
 *
 * An ESP's ROM is met at one rate by several sequences of the lines, and says itself how it
 * started: wiring.enters, loader_ops.hear. There a try is a sequence, in turn, each with the same
 * wait; the rates come into play once the loader was met (loader_ops.set_baud). The chip's words
 * are read before it is spoken to, since the first edges that it receives set its rate, and a chip
 * that says that it starts from its flash is not spoken to at all (esp-rom.md 2.5, 2.7).
 */
#include "flash/entry.h"

#include <errno.h>

#include "base/util.h"
#include "flash/entry-private.h"

/* Text that came so lately goes on. */
#define TALKING_USEC (50 * USEC_PER_MSEC)

/* Of bytes received at a wrong rate hardly a third are printable. */
static bool is_text(const struct loader_words *words)
{
	return words->n_letters * 4 >= words->n_bytes * 3;
}

/* Whether the chip has said all that matters before it is spoken to. */
static bool has_told(const struct loader_words *words)
{
	return words->start == LOADER_START_LOADER ? words->is_waiting
						   : words->start > LOADER_START_OTHER;
}

int entry_hear(struct entry *entry, struct loader_words *words, uint64_t deadline)
{
	uint8_t bytes[256];
	size_t n = 0;
	int r = port_read_some(entry->port, bytes, sizeof(bytes), deadline, &n);

	if (r == 0)
		entry->loader->ops->hear(words, bytes, n);
	return r;
}

/* `ret_is_talking`: something that is no ROM is still at it at the end of that time. */
static int hear_words(
	struct entry *entry, struct loader_words *words, uint64_t usec, bool *ret_is_talking)
{
	uint64_t deadline = port_now(entry->port) + usec, heard = 0;
	int r = 0;

	while (r == 0 && !has_told(words)) {
		r = entry_hear(entry, words, deadline);
		heard = r == 0 ? port_now(entry->port) : heard;
	}
	if (r != 0 && r != -ETIMEDOUT)
		return r;
	*ret_is_talking = !has_told(words) && is_text(words) && heard + TALKING_USEC >= deadline;
	return 0;
}

/* Of all tries the words that tell most are kept. */
static void keep_words(struct entry *entry, const struct loader_words *words)
{
	if (words->start > entry->words.start ||
		(words->start == entry->words.start && words->n_bytes > entry->words.n_bytes))
		entry->words = *words;
}

size_t entry_n_ways(const struct entry *entry)
{
	return entry->board->entry == BOARD_ENTRY_LINES && entry->wiring->n_enters > 0
		       ? entry->wiring->n_enters
		       : 1;
}

int entry_try_way(const struct entry_try *try, bool is_last)
{
	struct entry *entry = try->entry;
	struct loader_words words = {.baud = entry_rate(try)};
	bool is_running, is_talking = false;
	int r = entry_set_loader_line(try);

	if (r < 0)
		return r;
	entry->is_inside = true;
	r = expect_forget(entry->expect);
	if (r == 0)
		r = entry_play(entry->port, &entry->wiring->enters[entry->enter]);
	if (r == 0)
		r = hear_words(
			entry, &words, entry_startup_usec(entry, false) + WORDS_USEC, &is_talking);
	if (r < 0)
		return r;
	keep_words(entry, &words);
	is_running = words.start == LOADER_START_FLASH || words.start == LOADER_START_FAILED;
	/* An application would take what is sent for a command of its own. */
	if ((is_running || is_talking) && !is_last)
		return LOADER_NO_ANSWER;
	return entry_meet(try, true, ENTRY_WAY_LINES);
}

/*
 * Bytes that are no text at this rate may be the text of a relative, which takes any rate and
 * speaks at its own (ESP8266, esp-rom.md 2.7): one more reset, to hear it and name it.
 */
static int hear_relative(const struct entry_try *try)
{
	struct entry *entry = try->entry;
	uint32_t baud = entry->loader->ops->words_baud;
	struct loader_words words = {.baud = baud};
	struct reason ignored;
	bool ignored_too;
	int r;

	if (baud == 0 || entry->board->entry != BOARD_ENTRY_LINES ||
		entry->words.start != LOADER_START_OTHER || is_text(&entry->words))
		return 0;
	/* A bridge that does not have this rate can tell nothing. */
	r = port_configure(entry->port, baud, PORT_PARITY_NONE, &ignored);
	if (r == -ENOTSUP)
		return 0;
	if (r == 0)
		r = expect_forget(entry->expect);
	if (r == 0)
		r = entry_play(entry->port, &entry->wiring->enters[0]);
	if (r == 0)
		r = hear_words(
			entry, &words, entry_startup_usec(entry, false) + WORDS_USEC, &ignored_too);
	if (r == 0 && words.start > LOADER_START_OTHER)
		keep_words(entry, &words);
	return r;
}

/* What a chip that was not met has said decides whether it is worth to begin once more. */
static bool is_vain(const struct entry *entry)
{
	const struct loader_words *words = &entry->words;

	/* A board without a whole application is not given up. */
	if (entry->has_no_application || entry->board->entry != BOARD_ENTRY_LINES)
		return false;
	switch (words->start) {
	case LOADER_START_UNHEARD:
	case LOADER_START_LOADER:
		return true;
	case LOADER_START_OTHER:
		return is_text(words);
	case LOADER_START_ODD:
	case LOADER_START_FLASH:
	case LOADER_START_FAILED:
		break;
	}
	return false;
}

int entry_enter_by_ways(struct entry_try *try)
{
	struct entry *entry = try->entry;
	const struct baud_list *ladder = &entry->board->baud;
	size_t n = entry_n_ways(entry), n_vain = 0;
	bool was_met = false;
	int r = LOADER_NO_ANSWER;

	entry->words = (struct loader_words){0};
	entry->is_vain = false;
	while (n_vain < n && entry->rung < ladder->n_items) {
		entry->way = ENTRY_WAY_NONE;
		try->baud = ladder->items[entry->rung];
		r = entry_try_once(try, n_vain + 1 == n);
		/* A stub that still runs: the reset did not reach the chip. */
		if (!entry_is_worth_a_reset(r) && r != LOADER_FOREIGN)
			return r;
		if (entry->is_identified) {
			was_met = true;
			entry->rung++;
			continue;
		}
		was_met = was_met || entry->way != ENTRY_WAY_NONE;
		entry->enter = (entry->enter + 1) % n;
		n_vain++;
	}
	if (!was_met && r != LOADER_FOREIGN) {
		int heard = hear_relative(try);

		if (heard < 0)
			return heard;
		entry->is_vain = is_vain(entry);
	}
	entry->rung = 0;
	return r;
}
