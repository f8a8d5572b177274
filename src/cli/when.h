/* SPDX-License-Identifier: MIT */
/* when.h - points in time as people write and read them, in local time. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * "2025-06-01", "2025-06-01 14:30" with or without seconds (a T in place of the blank is fine),
 * "today", "yesterday", or how long before `now_ms`: "90s", "30min", "2h", "3d". Milliseconds of
 * the wall clock. 0 or -EINVAL.
 */
int when_parse(const char *text, int64_t now_ms, int64_t *ret);

/* "2025-06-01 14:30:07", and the same for programs, "2025-06-01T14:30:07+0200". Returns `to`. */
char *when_format(int64_t msec, char *to, size_t size);
char *when_format_exact(int64_t msec, char *to, size_t size);
