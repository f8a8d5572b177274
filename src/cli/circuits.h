/* SPDX-License-Identifier: MIT */
/*
 * circuits.h - the circuits that boards are known to have between bridge and chip, in the order in
 * which they are tried at a board nobody has told of.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "cli/options.h"
#include "rules/board.h"

/* One guess: how it is called, and the keys of a rule that say it (NULL: not given). */
struct circuit {
	const char *name; /* a word of --try */
	const char *kind; /* the word for all that find the same kind of chip */
	const char *what; /* "an STM32: DTR at reset, ..." */
	const char *protocol;
	const char *wiring;
	const char *reset;
	const char *boot;
	const char *application;
	/*
	 * What the pins of a chip do that is silent until it is spoken to: bit N is for the lines N
	 * (enum wiring_line). In reset where the first has its bit, BOOT0 high where the second
	 * has. 0: the chip says itself how it started.
	 */
	unsigned reset_pin, boot_pin;
};

/* Whether the circuit has the lines of the bridge lead in; else the application is asked. */
static inline bool circuit_has_lines(const struct circuit *circuit)
{
	return !circuit->application;
}

#define CIRCUITS_MAX 16

extern const struct circuit circuits[];
extern const size_t n_circuits;

/* Those of the list, in the order of the table; of a chosen one each is there once. */
struct circuit_list {
	const struct circuit *items[CIRCUITS_MAX];
	size_t n_items;
};

/*
 * Names, kinds and protocols, with commas or blanks between; NULL: all. False: the reason says
 * which word is none of them.
 */
bool circuits_choose(const char *list, struct circuit_list *ret, struct reason *reason);

/* Puts the keys into the options of a probe without a rule. */
void circuit_take(const struct circuit *circuit, struct options *options);

/* "wiring = one-key", or "reset = rts, boot = dtr": the keys as they stand in a rule, but for the
 * protocol; "" where all are the usual ones. Returns `to`. */
char *circuit_keys(const struct circuit *circuit, const char *between, char *to, size_t size);

/* The same as options of a verb without a rule, each with a blank before it. Returns `to`. */
char *circuit_arguments(const struct circuit *circuit, char *to, size_t size);
