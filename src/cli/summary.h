/* SPDX-License-Identifier: MIT */
/* summary.h - how a session ended, as closing line or JSON, and as exit code. */
#pragma once

#include <stdio.h>

#include "cli/session.h"

/*
 * The closing line of a job that ended well: "ttyUSB0: updated: gate-1.2.hex, 5120 bytes in 1.9 s,
 * 2.6 KiB/s, verified". Returns `to`.
 */
char *summary_line(const struct session *session, char *to, size_t size);

/*
 * Tells it, text on `to` where it ended well and on standard error where it did not, or JSON on
 * standard output. Returns the exit code.
 */
int summary_tell(const struct session *session, FILE *to);
