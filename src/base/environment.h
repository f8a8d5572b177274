/* SPDX-License-Identifier: MIT */
/* environment.h - what systemd, or a person who tries something, has put there; for the mains. */
#pragma once

#include <stdlib.h>

/* The value of a variable, where there is one and it says something. */
static inline const char *environment_or(const char *name, const char *otherwise)
{
	const char *value = secure_getenv(name);

	return value && *value ? value : otherwise;
}
