/* SPDX-License-Identifier: MIT */
/* doctor.h - this host examined, for the verb and for whoever reports what is the matter. */
#pragma once

#include <stdio.h>

#include "cli/options.h"
#include "doctor/finding.h"

/* Exit codes of `doctor`, beside 0 for notes and good news: no outcome has them. */
#define EXIT_WARNINGS 30
#define EXIT_ERRORS   31

/*
 * Looks at host and configuration, and judges. Opens no port. `caller`: how findings call whoever
 * runs this process; NULL: by name. 0 with the findings, the worst first; -errno.
 */
int doctor_examine(const struct options *options, const char *caller, struct findings *ret);

/* For people: each finding, and the sum of them in the last line. */
void doctor_print(const struct findings *findings, FILE *to);
