/* SPDX-License-Identifier: MIT */
/*
 * tries.h - whether an attempt that ended early is tried once more, and when. Pure.
 *
 * A try ends early where the port could not be opened or was lost, or the host was short of
 * something. It is no failure of the unit, and the tries are one attempt.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/report.h"

/*
 * How long to wait before another try after this report, 0: the attempt has ended. `n_retries`
 * tries were repeated before, `elapsed_usec` passed since the first began.
 */
uint64_t tries_delay(const struct report *report, unsigned n_retries, uint64_t elapsed_usec);

/* Whether an open port was lost; that its node is not there yet is another matter. */
bool tries_has_lost_port(const struct report *report);
