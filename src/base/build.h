/* SPDX-License-Identifier: MIT */
/* build.h - whether service and worker are of one build; for the mains, which know their own. */
#pragma once

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"

/*
 * After an upgrade the service that still runs starts the new worker: what the two say to one
 * another may have changed, and no unit is to pay for that. Without a service, by hand: false.
 */
static inline bool build_is_other(const char *own)
{
	const char *of_service = getenv(ENV_BUILD);

	return of_service && strcmp(of_service, own) != 0;
}
