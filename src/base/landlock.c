/* SPDX-License-Identifier: MIT */
/*
 * landlock.c - one ruleset: nothing may be done with files but removing them below one directory.
 * Rights that the running kernel does not know must not be asked for, so its version decides.
 */
#include "base/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "base/util.h"

/* The rights of the first version (Linux 5.13). REFER came with the second; under the first no file
 * can be moved to another folder. */
#define ACCESS_ALL (LANDLOCK_ACCESS_FS_MAKE_SYM | (LANDLOCK_ACCESS_FS_MAKE_SYM - 1))

static int version(void)
{
	long r = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return r < 0 ? -errno : (int)r;
}

bool landlock_is_there(void)
{
	return version() > 0;
}

/* A folder that is not there needs no rule: nothing can be removed below it. */
static int allow_removing(int rules, const char *directory)
{
	CLEANUP(closep) int fd = open(directory, O_PATH | O_CLOEXEC | O_DIRECTORY);
	const struct landlock_path_beneath_attr beneath = {
		.allowed_access = LANDLOCK_ACCESS_FS_REMOVE_FILE,
		.parent_fd = fd,
	};

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0
		       ? -errno
		       : 0;
}

int landlock_close_files(const char *directory)
{
	const struct landlock_ruleset_attr handled = {
		.handled_access_fs = ACCESS_ALL | (version() > 1 ? LANDLOCK_ACCESS_FS_REFER : 0),
	};
	CLEANUP(closep)
	int rules = (int)syscall(
		SYS_landlock_create_ruleset, &handled, sizeof(handled.handled_access_fs), 0);
	int r;

	if (rules < 0)
		return -errno;
	r = allow_removing(rules, directory);
	if (r < 0)
		return r;
	return syscall(SYS_landlock_restrict_self, rules, 0) < 0 ? -errno : 0;
}
