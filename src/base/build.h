/* SPDX-License-Identifier: MIT */
/* build.h - whether service and worker are of one build; for the mains, which know their own. */
#pragma once

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"

/*
 * After an upgrade the old service, still running, starts the new worker, and their protocols may
 * differ. Such a worker exits at once, so that no unit counts a failure. False without a service.
 */
static inline bool build_is_other(const char *own)
{
	const char *of_service = getenv(ENV_BUILD);

	return of_service && strcmp(of_service, own) != 0;
}
