/* SPDX-License-Identifier: MIT */
/* moment.h - a moment as RFC 3339 writes it: "2026-12-01T22:00:00Z", "2026-12-01T23:00:00+01:00".
 */
#pragma once

#include <stdint.h>

/* The year 5138: a number of milliseconds is none of seconds. */
#define MOMENT_MOST INT64_C(100000000000)

/* Seconds since 1970, of which parts are left out; none before. 0 or -EINVAL. */
int moment_parse(const char *text, int64_t *ret);
