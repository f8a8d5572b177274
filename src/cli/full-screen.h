/* SPDX-License-Identifier: MIT */
/*
 * full-screen.h - the whole terminal for one program that redraws lines in place, given back as it
 * was whatever becomes of that program.
 */
#pragma once

#include "cli/screen.h"

struct full_screen;

enum full_screen_side {
	FULL_SCREEN_GUARD = 1, /* the program has ended; `ret_code` is its exit code */
};

/*
 * Goes on in a new process, which may do what it likes to the terminal; this one waits for it,
 * restores the terminal, and returns FULL_SCREEN_GUARD. 0: this is the new process; or -errno. To
 * be called before anything else is opened.
 */
int full_screen_guard(int *ret_code);

/* Takes the terminal at standard output: another screen, no cursor, no echo. 0 or -errno. */
int full_screen_open(struct full_screen **ret);

/* Gives it back. NULL is fine. */
struct full_screen *full_screen_close(struct full_screen *screen);

/* Shows these lines: those that changed are written, in one go. 0 or -errno. */
int full_screen_show(struct full_screen *screen, struct screen *lines);

/* Everything is written with the next lines: the size changed, or somebody wrote in between. */
void full_screen_forget(struct full_screen *screen);

/* Gives it back, and takes it again. */
void full_screen_leave(struct full_screen *screen);
void full_screen_enter(struct full_screen *screen);
