/* SPDX-License-Identifier: MIT */
/* wait-for-copy.h - the command line, like the service, lets a file that was written just now
 * settle. */
#pragma once

#include "image/copy.h"
#include "image/library.h"

/*
 * If the library said LIBRARY_AWAITED, and for how long, waits until then, if `left_usec`
 * (at first COPY_COMMAND_USEC) is as much, and takes it off. Whether to ask the library again.
 */
bool wait_for_copy(uint64_t *left_usec, int result, const struct library_choice *choice);
