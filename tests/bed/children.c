/* SPDX-License-Identifier: MIT */
/* Other programs in the bed: peers, holders of ports, thieves. */
#include <errno.h>
#include <glib.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "bed/bed-private.h"
#include "bed/enclosure.h"

pid_t bed_spawn(struct bed *bed, const char *const argv[])
{
	return bed_spawn_as(bed, 0, argv);
}

pid_t bed_spawn_as(struct bed *bed, uid_t user, const char *const argv[])
{
	/* Programs of the distribution are not sanitised, ours are as this one is. */
	const char *preload =
		strchr(argv[0], '/') ? enclosure_preload() : enclosure_preload_plain();
	g_auto(GStrv) environment = g_environ_setenv(g_get_environ(), "LD_PRELOAD", preload, TRUE);
	pid_t parent = getpid(), child = fork();

	(void)bed;
	if (child < 0)
		bed_die(argv[0], errno);
	if (child > 0)
		return child;
	/* Only what is safe in the child of a process with threads. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	if (user != 0 && (setgroups(0, NULL) < 0 || setresgid(user, user, user) < 0 ||
				 setresuid(user, user, user) < 0))
		_exit(BED_NO_USERS);
	child_drop_capabilities();
	execvpe(argv[0], (char *const *)argv, environment);
	_exit(127);
}

struct child_wait {
	pid_t pid;
	int status;
};

static bool has_ended(void *userdata)
{
	struct child_wait *wait = userdata;

	return waitpid(wait->pid, &wait->status, WNOHANG) == wait->pid;
}

bool bed_wait_child(struct bed *bed, unsigned milliseconds, pid_t pid, int *ret_status)
{
	struct child_wait wait = {.pid = pid};
	bool ended;

	bed->child = (int)syscall(SYS_pidfd_open, pid, 0);
	if (bed->child < 0)
		bed_die("pidfd", errno);
	ended = bed_wait(bed, milliseconds, has_ended, &wait);
	close(bed->child);
	bed->child = -1;
	if (ended)
		*ret_status = wait.status;
	return ended;
}
