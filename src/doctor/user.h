/* SPDX-License-Identifier: MIT */
/* user.h - a user with his groups, and what he may do with a file by its owner, group and mode. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define USER_GROUPS 64

/* The group of the ports, which the service has by its unit beside those of the user database. */
#define GROUP_OF_PORTS "dialout"

struct user {
	char name[64];
	bool exists;
	uid_t uid;
	gid_t groups[USER_GROUPS];
	size_t n_groups;
	bool is_in_group_of_ports; /* by the database: from his next login on */
};

/* The service's user, with the group of the ports: PLUGFLASH_USER, else "plugflash". */
void user_find_service(struct user *ret);

/* Whoever runs this process, with the groups that the process has. */
void user_find_caller(struct user *ret);

/* Whether he may read and write, pure. */
bool user_may_write(const struct user *user, uid_t uid, gid_t gid, mode_t mode);
