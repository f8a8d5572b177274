/* SPDX-License-Identifier: MIT */
/*
 * bus-options.h - the a{sv} that closes every method: options by name, each of one type. What is
 * unknown is refused, so that nobody believes in an option that nobody reads.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <systemd/sd-bus.h>

enum option_type {
	OPTION_TEXT,   /* s, `const char *`: the message's */
	OPTION_PATH,   /* o or s, the same: some languages have no other text */
	OPTION_FLAG,   /* b, `bool` */
	OPTION_NUMBER, /* t, `uint64_t`; u, i and x that is not negative are taken as well */
};

struct option_row {
	const char *name; /* NULL closes the rows */
	enum option_type type;
	void *to; /* stays as it is where the option is not given */
};

/* Reads the a{sv} that is next. 0, or < 0 and the error. */
int options_read(sd_bus_message *call, const struct option_row *rows, sd_bus_error *error);
