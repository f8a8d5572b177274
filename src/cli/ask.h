/* SPDX-License-Identifier: MIT */
/*
 * ask.h - the question before something that cannot be taken back.
 */
#pragma once

#include <stdbool.h>

#include "cli/options.h"

/* Whether somebody sits at a terminal who can be asked. */
bool ask_may(void);

/*
 * The next line that is typed, without blanks at its ends; one that has no room is cut. False: the
 * end of what is typed (Ctrl-D).
 */
bool ask_read(char *to, size_t size);

/* Puts the question, and where the answer is only Enter, takes `usual` for it ("" none). */
bool ask_text(const char *question, const char *usual, char *to, size_t size);

/*
 * Whether it may be done: --yes says so; else `sentence`, which says what is lost, and the question
 * go to the terminal, where the word "yes" is to be typed. False: `ret_exit` is EXIT_USAGE without
 * a terminal to ask at, with a sentence on standard error that names --yes; and that of
 * OUTCOME_CANCELLED where the answer was another.
 */
bool ask_yes(const struct options *options, const char *verb, const char *sentence, int *ret_exit);
