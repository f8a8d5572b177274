/* SPDX-License-Identifier: MIT */
/* units.h - bytes, rates, times and port names as people read them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* All write into `to` and return it. */

/* "812 bytes", "5.0 KiB", "1.3 MiB". */
char *units_bytes(uint64_t bytes, char *to, size_t size);

/* "2.6 KiB/s"; "" where the time is too short to tell. */
char *units_rate(uint64_t bytes, uint64_t usec, char *to, size_t size);

/* "1.9 s", "4 min 48 s". */
char *units_seconds(uint64_t milliseconds, char *to, size_t size);

/* The name of the node, escaped: "ttyUSB0" of "/dev/ttyUSB0". */
char *units_port(const char *port, char *to, size_t size);
