/* SPDX-License-Identifier: MIT */
/*
 * serial-file.h - a file of values, one a line: its first column, without blanks and quotes around
 * it. Empty lines and those that begin with # are none.
 */
#pragma once

#include "base/text.h"

/*
 * Calls back with each value in order, until that returns something else than 0, which is returned;
 * 0 at the end. -EINVAL with the reason: the file cannot be read, is too large, or a line of it is
 * no value.
 */
int serial_file_list(const char *path, int (*callback)(void *userdata, const char *value),
	void *userdata, struct reason *reason);
