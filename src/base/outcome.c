/* SPDX-License-Identifier: MIT */
#include "base/outcome.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"

static const struct {
	const char *name;
	int exit_code;
} outcomes[OUTCOME_MAX] = {
	[OUTCOME_UPDATED] = {"updated", 0},
	[OUTCOME_CURRENT] = {"current", 0},
	[OUTCOME_FAILED] = {"failed", 1},
	[OUTCOME_BAD_CONFIG] = {"bad-config", 3},
	[OUTCOME_NO_MATCH] = {"no-match", 4},
	[OUTCOME_AMBIGUOUS] = {"ambiguous", 5},
	[OUTCOME_NO_IMAGE] = {"no-image", 6},
	[OUTCOME_BAD_IMAGE] = {"bad-image", 7},
	[OUTCOME_PORT_BUSY] = {"port-busy", 8},
	[OUTCOME_PORT_GONE] = {"port-gone", 9},
	[OUTCOME_NO_SYNC] = {"no-sync", 10},
	[OUTCOME_WRONG_CHIP] = {"wrong-chip", 11},
	[OUTCOME_PROTECTED] = {"protected", 12},
	[OUTCOME_ERASE_FAILED] = {"erase-failed", 13},
	[OUTCOME_WRITE_FAILED] = {"write-failed", 14},
	[OUTCOME_VERIFY_DIFFERS] = {"verify-differs", 15},
	[OUTCOME_VERIFY_IMPOSSIBLE] = {"verify-impossible", 16},
	[OUTCOME_NOT_CONFIRMED] = {"not-confirmed", 17},
	[OUTCOME_NOT_STARTED] = {"not-started", 20},
	[OUTCOME_CANCELLED] = {"cancelled", 18},
	[OUTCOME_QUARANTINED] = {"quarantined", 19},
};

static const char *const phases[PHASE_MAX] = {
	[PHASE_NONE] = "none",
	[PHASE_IMAGE] = "image",
	[PHASE_OPEN] = "open",
	[PHASE_ENTER] = "enter",
	[PHASE_SYNC] = "sync",
	[PHASE_IDENTIFY] = "identify",
	[PHASE_COMPARE] = "compare",
	[PHASE_ERASE] = "erase",
	[PHASE_WRITE] = "write",
	[PHASE_VERIFY] = "verify",
	[PHASE_PROTECT] = "protect",
	[PHASE_LEAVE] = "leave",
	[PHASE_CONFIRM] = "confirm",
	[PHASE_READ] = "read",
};

const char *outcome_to_string(enum outcome outcome)
{
	return outcomes[outcome].name;
}

int outcome_from_string(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++)
		if (strcmp(outcomes[i].name, text) == 0)
			return (int)i;
	return -EINVAL;
}

int outcome_to_exit_code(enum outcome outcome)
{
	return outcomes[outcome].exit_code;
}

const char *phase_to_string(enum phase phase)
{
	return phases[phase];
}

int phase_from_string(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
		if (strcmp(phases[i], text) == 0)
			return (int)i;
	return -EINVAL;
}
