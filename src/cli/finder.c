/* SPDX-License-Identifier: MIT */
/*
 * finder.c - from tries to a circuit.
 *
 * A boot loader that answers proves little: lines that rest as one circuit wants it, and then move
 * as another one does, lead into the loader of a third, and out of it nobody sees whether the
 * application runs or the chip is held in reset (wiring.md 5). So each circuit of the list is
 * followed as a model through all that the lines did: in reset or not, and BOOT0 as it ended. Who
 * would have answered where nobody did, or the other way round, is not the board. A loader that
 * goes on where it was left (is_still_inside) is one more thing that only some would have. What is
 * left over once the others are refuted is the circuit, and it has led in.
 *
 * The models know no capacitor and no noise. Where they refute every circuit, the first that led in
 * and out is taken, in doubt; and so is the first of several that nothing can tell apart, as with a
 * chip that is in its boot loader by itself. Whoever asked proves it with an application in place.
 */
#include "cli/finder.h"

#include <string.h>

static void make_wiring(const struct circuit *circuit, struct wiring *ret)
{
	struct wiring_keys keys = {
		.wiring = (char *)circuit->wiring,
		.reset = (char *)circuit->reset,
		.boot = (char *)circuit->boot,
	};
	const char *key, *expected;

	if (circuit->boot_pin)
		(void)wiring_compile(&keys, ret, &key, &expected);
}

void finder_begin(struct finder *finder, const struct circuit_list *list)
{
	*finder = (struct finder){.list = *list, .ending = OUTCOME_NO_SYNC};
	for (size_t i = 0; i < list->n_items; i++) {
		make_wiring(list->items[i], &finder->wirings[i]);
		if (!list->items[i]->boot_pin)
			continue;
		for (unsigned stays = 0; stays < 2; stays++)
			finder->boards[finder->n_boards++] = (struct finder_board){.circuit = i,
				.stays = stays,
				.chip = stays ? FINDER_CHIP_WAITS : FINDER_CHIP_RUNS};
	}
}

/* ------------------------------------------------------------------ the models */

static void set_lines(const struct finder *finder, struct finder_board *board, unsigned lines)
{
	const struct circuit *circuit = finder->list.items[board->circuit];

	if (circuit->reset_pin >> lines & 1)
		board->chip = FINDER_CHIP_RESET;
	else if (board->chip == FINDER_CHIP_RESET)
		board->chip = board->stays || (circuit->boot_pin >> lines & 1) ? FINDER_CHIP_WAITS
									       : FINDER_CHIP_RUNS;
}

static unsigned play(const struct finder *finder, struct finder_board *board,
	const struct wiring_steps *steps, unsigned lines)
{
	for (size_t i = 0; i < steps->n_items; i++) {
		lines = (lines & ~steps->items[i].mask) | steps->items[i].lines;
		set_lines(finder, board, lines);
	}
	return lines;
}

/* One try at a board of the model, seen or not by what was really met. */
static void follow(const struct finder *finder, struct finder_board *board,
	const struct wiring *wiring, const struct report *report)
{
	bool was_met = outcome_to_exit_code(report->outcome) == 0;
	unsigned lines;

	/* Linux raises both at open (cp210x.md 6), and the port puts them to rest. */
	set_lines(finder, board, LINE_DTR | LINE_RTS);
	set_lines(finder, board, wiring->rest);
	lines = play(finder, board, &wiring->enters[0], wiring->rest);
	if ((board->chip == FINDER_CHIP_WAITS || board->chip == FINDER_CHIP_MET) != was_met)
		board->is_refuted = true;
	if (was_met && board->chip == FINDER_CHIP_WAITS)
		board->chip = FINDER_CHIP_MET;
	(void)play(finder, board, &wiring->leave, lines);
	if (!was_met)
		return;
	if ((board->chip == FINDER_CHIP_MET) != report->is_still_inside)
		board->is_refuted = true;
	if (board->chip == FINDER_CHIP_WAITS)
		board->chip = FINDER_CHIP_DEAF;
}

static bool may_be(const struct finder *finder, size_t circuit)
{
	for (size_t i = 0; i < finder->n_boards; i++)
		if (finder->boards[i].circuit == circuit && !finder->boards[i].is_refuted)
			return true;
	return false;
}

static size_t n_left(const struct finder *finder)
{
	size_t n = 0;

	for (size_t i = 0; i < finder->list.n_items; i++)
		n += may_be(finder, i);
	return n;
}

/* ------------------------------------------------------------------ what is next */

static bool was_any_met(const struct finder *finder)
{
	for (size_t i = 0; i < finder->list.n_items; i++)
		if (finder->was_met[i])
			return true;
	return false;
}

static void settle(struct finder *finder, size_t circuit)
{
	finder->found = circuit;
	finder->is_found = true;
}

/* Whether one of them is it: the only one that may be, or the first of those that led in where no
 * try tells any more. */
static void conclude(struct finder *finder, bool has_more)
{
	size_t n = n_left(finder);

	for (size_t i = 0; i < finder->list.n_items && !finder->is_found; i++) {
		bool may = may_be(finder, i) || (n == 0 && !has_more);

		if (may && finder->was_met[i] && (n == 1 || !has_more))
			settle(finder, i);
	}
}

/* Of those with a model, once any loader was met, only those that may be it are worth a try. */
static bool is_worth_a_try(const struct finder *finder, size_t i)
{
	bool is_narrowed = was_any_met(finder) && n_left(finder) > 0;

	if (finder->was_tried[i])
		return false;
	return !is_narrowed || may_be(finder, i);
}

const struct circuit *finder_next(struct finder *finder)
{
	size_t i = 0;

	if (finder->is_over)
		return NULL;
	/* Another one was played since, and may have left the chip in reset. */
	if (finder->is_found)
		return finder->last_try == finder->found ? NULL : finder->list.items[finder->found];
	while (i < finder->list.n_items && !is_worth_a_try(finder, i))
		i++;
	/* A kind that a loader was met of is the kind. */
	conclude(finder, i < finder->list.n_items && finder->list.items[i]->boot_pin);
	if (finder->is_found)
		return finder_next(finder);
	return i == finder->list.n_items ? NULL : finder->list.items[i];
}

/* ------------------------------------------------------------------ what was seen */

static void take_silence(
	struct finder *finder, const struct circuit *circuit, const struct report *report)
{
	bool is_text = report->heard == HEARD_TEXT;

	finder->n_silent += report->heard == HEARD_NOTHING;
	finder->n_text += is_text;
	finder->n_bytes += report->heard == HEARD_BYTES;
	if (is_text)
		finder->last_text = circuit;
	if (is_text || finder->n_text == 0)
		finder->last = report->reason;
}

/* The text of a chip has said of what kind it is: all that find another kind are in vain. */
static void skip_kind(
	struct finder *finder, const struct circuit *circuit, const struct report *report)
{
	finder->other = report->reason;
	for (size_t i = 0; i < finder->list.n_items; i++)
		if (strcmp(finder->list.items[i]->kind, circuit->kind) == 0)
			finder->was_tried[i] = true;
}

/* The port is not to be had, or nobody may go on: the next try would end in the same way. */
static void end(struct finder *finder, const struct report *report)
{
	finder->is_over = true;
	finder->ending = report->outcome;
	finder->last = report->reason;
}

static size_t index_of(const struct finder *finder, const struct circuit *circuit)
{
	size_t i = 0;

	while (finder->list.items[i] != circuit)
		i++;
	return i;
}

void finder_take(struct finder *finder, const struct circuit *circuit, const struct report *report)
{
	bool was_met = outcome_to_exit_code(report->outcome) == 0;
	size_t at = index_of(finder, circuit);

	finder->last_try = at;
	finder->was_tried[at] = true;
	finder->was_met[at] = was_met;
	if (report->outcome == OUTCOME_WRONG_CHIP)
		skip_kind(finder, circuit, report);
	else if (report->outcome == OUTCOME_NO_SYNC)
		take_silence(finder, circuit, report);
	else if (!was_met)
		end(finder, report);
	if (was_met && !circuit->boot_pin)
		settle(finder, at);
	for (size_t i = 0; i < finder->n_boards && circuit->boot_pin; i++)
		follow(finder, &finder->boards[i], &finder->wirings[at], report);
}

const struct circuit *finder_found(const struct finder *finder)
{
	return finder->is_found ? finder->list.items[finder->found] : NULL;
}

bool finder_is_in_doubt(const struct finder *finder)
{
	return finder->is_found && finder->list.items[finder->found]->boot_pin &&
	       n_left(finder) != 1;
}

/* ------------------------------------------------------------------ what it means */

static bool moves_lines(const struct finder *finder)
{
	for (size_t i = 0; i < finder->list.n_items; i++)
		if (circuit_has_lines(finder->list.items[i]))
			return true;
	return false;
}

void finder_explain(const struct finder *finder, struct reason *ret)
{
	unsigned n_heard = finder->n_silent + finder->n_text + finder->n_bytes;

	if (finder->is_over)
		*ret = finder->last;
	else if (*finder->other.text)
		*ret = finder->other;
	else if (!moves_lines(finder) || n_heard == 0)
		*ret = finder->last;
	else if (finder->n_text == n_heard)
		reason_set(ret,
			"an application speaks in every try, whatever the lines do: no line of the bridge reaches reset, or none reaches BOOT0; set BOOT0 by its jumper and push reset, then a rule with `entry = none` flashes it");
	else if (finder->n_text > 0)
		reason_set(ret,
			"an application speaks in some tries, as by %s, and in the others nothing does: the lines reach reset, and by none of these circuits BOOT0; is BOOT0 set by a jumper alone? then `entry = none`; else the rule needs `enter` and `leave`",
			finder->last_text->name);
	else if (finder->n_bytes > 0)
		reason_set(ret,
			"bytes came that are no text, and no boot loader: noise, or an application at another rate than 115200; are TX and RX those of the boot loader's USART, and ground connected?");
	else
		reason_set(ret,
			"not one byte came in any try: no power at the chip, TX and RX not crossed or at another USART, a line that holds the chip in reset, or an application that is silent and a BOOT0 that no line reaches; and no other program has the port open?");
}
