/* SPDX-License-Identifier: MIT */
#include "cli/reader.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/names.h"

/* By SupplementaryGroups= of the unit, beside those of the user database. */
#define GROUP_OF_PORTS "dialout"

const struct library_reader *reader_find(struct reader *reader)
{
	const char *name = getenv(ENV_USER);
	int n = READER_GROUPS - 1;
	const struct passwd *user;
	const struct group *ports;

	if (geteuid() != 0)
		return NULL;
	user = getpwnam(name && *name ? name : NAME_USER);
	if (!user || getgrouplist(user->pw_name, user->pw_gid, reader->groups, &n) < 0)
		return NULL;
	snprintf(reader->name, sizeof(reader->name), "%s", user->pw_name);
	reader->rights = (struct library_reader){
		.name = reader->name,
		.uid = user->pw_uid,
		.groups = reader->groups,
		.n_groups = (size_t)n,
	};
	ports = getgrnam(GROUP_OF_PORTS);
	if (ports)
		reader->groups[reader->rights.n_groups++] = ports->gr_gid;
	return &reader->rights;
}
