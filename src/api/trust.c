/* SPDX-License-Identifier: MIT */
#include "api/trust.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"

static const char *const names[TRUST_MAX] = {
	[TRUST_OFF] = "off",
	[TRUST_ON_TRIAL] = "trial",
	[TRUST_FULL] = "full",
};

const char *trust_to_string(enum trust trust)
{
	return names[trust];
}

int trust_from_string(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], text) == 0)
			return (int)i;
	return -EINVAL;
}
