/* SPDX-License-Identifier: MIT */
#include "cli/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"

#define KIBI UINT64_C(1024)
#define MEBI (KIBI * KIBI)
/* Shorter than this says more about the clock than about the line. */
#define RATE_MIN_USEC (50 * USEC_PER_MSEC)

/* One decimal by integers, so that no locale changes the point. */
static char *tenths(uint64_t amount, uint64_t unit, const char *name, char *to, size_t size)
{
	uint64_t whole = amount / unit, rest = (amount % unit * 10 + unit / 2) / unit;

	if (rest == 10) {
		whole++;
		rest = 0;
	}
	snprintf(to, size, "%" PRIu64 ".%" PRIu64 " %s", whole, rest, name);
	return to;
}

char *units_bytes(uint64_t bytes, char *to, size_t size)
{
	if (bytes >= MEBI)
		return tenths(bytes, MEBI, "MiB", to, size);
	if (bytes >= KIBI)
		return tenths(bytes, KIBI, "KiB", to, size);
	snprintf(to, size, "%" PRIu64 " bytes", bytes);
	return to;
}

char *units_rate(uint64_t bytes, uint64_t usec, char *to, size_t size)
{
	if (usec < RATE_MIN_USEC || bytes > UINT64_MAX / USEC_PER_SEC)
		to[0] = '\0';
	else
		tenths(bytes * USEC_PER_SEC / usec, KIBI, "KiB/s", to, size);
	return to;
}

char *units_seconds(uint64_t milliseconds, char *to, size_t size)
{
	uint64_t seconds = milliseconds / 1000;

	if (seconds < 60)
		return tenths(milliseconds, 1000, "s", to, size);
	snprintf(to, size, "%" PRIu64 " min %" PRIu64 " s", seconds / 60, seconds % 60);
	return to;
}

char *units_port(const char *port, char *to, size_t size)
{
	const char *slash = port ? strrchr(port, '/') : NULL;

	return text_escape(slash ? slash + 1 : port, to, size);
}
