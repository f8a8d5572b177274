/* SPDX-License-Identifier: MIT */
/*
 * wiring.h - which line of the bridge does what, as steps for the port: data, not code.
 *
 * A line that is 1 is asserted: its pin at the chip is low (TIOCM_DTR or TIOCM_RTS set).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The words of `wiring`. */
#define WIRING_NAMES "direct, one-key or esp"

/* What a word of `wiring` leads to, which decides by how many sequences, and how long each is. */
enum wiring_ways {
	WIRING_WAYS_ONE, /* any loader that a single reset leads into */
	WIRING_WAYS_ESP, /* the ROM of an ESP */
	WIRING_WAYS_BSL, /* the ROM of a chip of TI: its words may be two, tried in turn */
};

enum wiring_line { LINE_DTR = 1, LINE_RTS = 2 };

/* First sets the lines of `mask` to `lines`, both in one request, then waits. */
struct wiring_step {
	unsigned mask;
	unsigned lines;
	uint64_t wait_usec;
};

#define WIRING_MAX_STEPS 16

struct wiring_steps {
	struct wiring_step items[WIRING_MAX_STEPS];
	size_t n_items;
};

#define WIRING_MAX_ENTERS 4

/*
 * The ways into the boot loader, which are tried in turn, the way out, and the state of both lines
 * while the port is not in use. `n_enters` is 1, or 0 where a rule has no lines. `let_go`: the ways
 * in end with the boot pin held, and this lets go of it without a reset, by one line alone; its
 * mask is 0 where the pin is not held, or where nobody here knows how to let go of it: then
 * `may_keep_pin` says that a chip that resets itself may be led into its loader once more.
 */
struct wiring {
	struct wiring_steps enters[WIRING_MAX_ENTERS];
	size_t n_enters;
	struct wiring_step let_go;
	bool may_keep_pin;
	struct wiring_steps leave;
	unsigned rest;
};

/* The keys of a board that decide its wiring, as written; NULL where not given. */
struct wiring_keys {
	char *wiring; /* direct, one-key, esp */
	char *reset;  /* dtr, rts, !dtr, !rts, none */
	char *boot;
	char *enter; /* raw steps */
	char *leave;
	enum wiring_ways ways;
};

/*
 * A key of steps by which a board shows which one it is, as struct ini_key reads one; the field is
 * a struct wiring_steps. They take 30 s in all at most, so that nobody has to wait for long, and,
 * since they are repeated, 100 ms at least. -EINVAL with what was expected, or -ENOMEM.
 *
 * What they do to the chip is not judged here: see wiring_meets().
 */
int wiring_parse_identify(const char *value, void *field, const char **ret_expected);

/* Whether the steps move a line that the ways into the boot loader, or out of it, move as well. */
bool wiring_meets(const struct wiring *wiring, const struct wiring_steps *steps);

/*
 * Compiles the keys. On failure -EINVAL, with the key at fault in `ret_key` and what was expected
 * in `ret_expected`. `rest` is the state after the last step of leave, lines never named there are
 * not asserted. -ENOMEM besides.
 */
int wiring_compile(const struct wiring_keys *keys, struct wiring *ret, const char **ret_key,
	const char **ret_expected);

void wiring_keys_done(struct wiring_keys *keys);

/* The way out of an ESP's loader, for a board that a rule with another wiring has met. */
extern const struct wiring_steps wiring_leave_esp;

/*
 * The wiring behind a CP2102C, which is a CDC-ACM device and does flow control at all times: while
 * DTR is not asserted it drops RTS as it receives, and would reset the chip (esp-rom.md 2.4). The
 * several ways of `wiring = esp` become those that leave DTR asserted; all others stay as they are.
 */
void wiring_suit_acm(struct wiring *wiring);
