/* SPDX-License-Identifier: MIT */
#include "api/proof.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"

static const char *const names[PROOF_MAX] = {
	[PROOF_NONE] = "",
	[PROOF_LOADER] = "loader",
	[PROOF_VERSION] = "version",
	[PROOF_CONFIRM] = "confirm",
	[PROOF_UPLOAD] = "upload",
	[PROOF_DIGEST] = "digest",
	[PROOF_SUMS] = "sums",
	[PROOF_READ_BACK] = "read-back",
};

const char *proof_to_string(enum proof proof)
{
	return names[proof];
}

int proof_from_string(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], text) == 0)
			return (int)i;
	return -EINVAL;
}
