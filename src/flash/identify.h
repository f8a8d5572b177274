/* SPDX-License-Identifier: MIT */
/*
 * identify.h - the board shows a person which one it is, by the steps of its rule's `identify`.
 *
 * No boot loader is entered, and nothing is said or heard. The steps are repeated for a while, long
 * enough to walk up to the board; the lines come to rest as the port is closed.
 */
#pragma once

#include "flash/run.h"

/* As long as this is not over the steps are begun once more. */
#define IDENTIFY_USEC (10 * USEC_PER_SEC)

/* For a rule that has steps. Opens the port. OUTCOME_CURRENT, or how it failed. */
enum outcome identify_run(struct run *run);
