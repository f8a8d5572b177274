/* SPDX-License-Identifier: MIT */
#include "cli/store-reader.h"

#include <errno.h>
#include <stdio.h>

#include "base/names.h"

int store_reader_open(const char *verb, struct store **ret)
{
	const char *environment = getenv(ENV_STATE);
	const char *directory = environment && *environment ? environment : PATH_STATE;
	struct reason reason = {0};
	int r = store_open_to_read(directory, ret, &reason);

	if (r == 0)
		return 0;
	if (r == -ENOENT)
		fprintf(stderr,
			"plugflash %s: there is no store in %s: the service has not run yet\n",
			verb, directory);
	else if (r == -EACCES || r == -EPERM)
		fprintf(stderr,
			"plugflash %s: only root and members of the group plugflash may read the store in %s: adduser NAME plugflash, then log in again\n",
			verb, directory);
	else
		fprintf(stderr, "plugflash %s: the store cannot be read: %s\n", verb, reason.text);
	return outcome_to_exit_code(OUTCOME_FAILED);
}

void store_reader_closep(struct store **store)
{
	store_close(*store);
}

char *store_reader_port_node(const char *port, char *to, size_t size)
{
	snprintf(to, size, "%s%s", *port == '/' ? "" : "/dev/", port);
	return to;
}
