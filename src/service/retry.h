/* SPDX-License-Identifier: MIT */
/*
 * retry.h - units that somebody wants tried again: those in the store, and those plugged in.
 */
#pragma once

#include "base/text.h"
#include "service/dispatcher.h"

/* Of which units; "" are all. */
struct retry_filter {
	char unit[TEXT_MAX]; /* unique id of the chip, or its beginning */
	char board[TEXT_MAX];
	char slot[TEXT_MAX]; /* name or place in the USB tree */
	char port[TEXT_MAX]; /* "/dev/ttyUSB0" */
	/* No unit: faster ways of writing that are off for a kind of chip are on trial again. */
	bool trials;
};

/*
 * Forgives the units that fit every field given, and by port the one that is plugged in there;
 * those that are plugged in are tried again in the next turn. Returns how many the store had
 * something against (kinds of chips with `trials`), or -errno. Without `records`, which may be
 * NULL, it has nothing.
 */
int retry_units(
	struct dispatcher *dispatcher, struct records *records, const struct retry_filter *wanted);
