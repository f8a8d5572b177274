/* SPDX-License-Identifier: MIT */
/*
 * window.h - the maintenance window of a wish: the hours of the day, in the local time of the
 * gateway, in which boards may be updated. Pure, but for the time zone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct window {
	bool is_given;	     /* false: it is always open */
	uint8_t days;	     /* on which it opens; bit 0 is Sunday */
	uint16_t opens_min;  /* minutes since midnight */
	uint16_t closes_min; /* not above opens_min: on the day after */
};

enum window_result {
	WINDOW_OK,
	WINDOW_REFUSED, /* the reason goes on behind the name of the key */
};

/*
 * "22:00-05:00", "Sat,Sun 22:00-05:00", "Mon-Fri 01:30-04:00", "Sat 00:00-24:00". Days are those on
 * which it opens.
 */
int window_parse(const char *text, struct window *ret, struct reason *reason);

struct window_state {
	bool is_open;
	int64_t until_s; /* when it closes or opens next, seconds since 1970; INT64_MAX: never */
};

/* What it is at that time. A day on which the clocks are changed is as long as it is. */
void window_at(const struct window *window, int64_t now_s, struct window_state *ret);
