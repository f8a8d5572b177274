/* SPDX-License-Identifier: MIT */
#include "doctor/user.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/names.h"

static bool has_group(const gid_t *groups, size_t n_groups, gid_t group)
{
	for (size_t i = 0; i < n_groups; i++)
		if (groups[i] == group)
			return true;
	return false;
}

/* Whether the database has the user in the group of the ports, whatever this process has. */
static bool is_in_group_of_ports(const char *name, gid_t gid)
{
	const struct group *ports = getgrnam(GROUP_OF_PORTS);
	gid_t groups[USER_GROUPS], wanted;
	int n = USER_GROUPS;

	if (!ports)
		return false;
	wanted = ports->gr_gid;
	return getgrouplist(name, gid, groups, &n) >= 0 && has_group(groups, (size_t)n, wanted);
}

void user_find_service(struct user *ret)
{
	const char *name = getenv(ENV_USER);
	const struct passwd *found = getpwnam(name && *name ? name : NAME_USER);
	const struct group *ports;
	int n = USER_GROUPS - 1;

	*ret = (struct user){0};
	snprintf(ret->name, sizeof(ret->name), "%s", name && *name ? name : NAME_USER);
	if (!found || getgrouplist(found->pw_name, found->pw_gid, ret->groups, &n) < 0)
		return;
	ret->exists = true;
	ret->uid = found->pw_uid;
	ret->n_groups = (size_t)n;
	ports = getgrnam(GROUP_OF_PORTS);
	if (!ports)
		return;
	ret->is_in_group_of_ports = true;
	if (!has_group(ret->groups, ret->n_groups, ports->gr_gid))
		ret->groups[ret->n_groups++] = ports->gr_gid;
}

void user_find_caller(struct user *ret)
{
	const struct passwd *found = getpwuid(geteuid());
	int n = getgroups(USER_GROUPS - 1, ret->groups);

	ret->exists = found != NULL;
	ret->uid = geteuid();
	ret->n_groups = n < 0 ? 0 : (size_t)n;
	ret->groups[ret->n_groups++] = getegid();
	ret->is_in_group_of_ports = found && is_in_group_of_ports(found->pw_name, found->pw_gid);
	if (found)
		snprintf(ret->name, sizeof(ret->name), "%s", found->pw_name);
	else
		snprintf(ret->name, sizeof(ret->name), "%u", (unsigned)ret->uid);
}

bool user_may_write(const struct user *user, uid_t uid, gid_t gid, mode_t mode)
{
	if (user->uid == 0)
		return true;
	if (user->uid == uid)
		return (mode & 0600) == 0600;
	if (has_group(user->groups, user->n_groups, gid))
		return (mode & 0060) == 0060;
	return (mode & 0006) == 0006;
}
