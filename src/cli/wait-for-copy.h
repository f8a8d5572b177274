/* SPDX-License-Identifier: MIT */
/* wait-for-copy.h - the command line, like the service, lets a file that was written just now
 * settle. */
#pragma once

#include "image/library.h"

/* All waits of one command together: it was typed by somebody. */
#define PATIENCE_USEC (3 * USEC_PER_SEC)

/*
 * Where the library said LIBRARY_AWAITED, and said for how long, waits until then, if that much is
 * left of the patience, and takes it off. Whether to ask the library again.
 */
bool patience_wait(uint64_t *left_usec, int result, const struct library_choice *choice);
