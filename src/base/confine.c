/* SPDX-License-Identifier: MIT */
/*
 * confine.c - the calls that a worker is left with, as two lists. A call that is on neither fails
 * with EPERM instead of ending the process: the C library can do without most calls, and a worker
 * must not be killed in the middle of an erase.
 *
 * Filters add up: the second can only take away. Calls that reach further by an argument are
 * allowed by its value alone: F_SETOWN makes the kernel signal another process, prlimit() changes
 * the limits of one, PROT_EXEC makes code.
 */
#include "base/confine.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/landlock.h"
#include "base/util.h"

/* Chip table, image, manifest, signature, /proc and the port are never all open at once. */
#define FILES_MAX 64

/* An image is checked against the chip's flash before it is kept; the rest is room for ELF files.
 */
#define MEMORY_MAX (1024UL * 1024 * 1024)

/* The calls of a worker in conversation, and those of the C library at any time. */
static const int talking[] = {
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(ppoll_time64),
	SCMP_SYS(select),
	SCMP_SYS(pselect6),
	SCMP_SYS(pselect6_time64),
	SCMP_SYS(_newselect),
	SCMP_SYS(close),
	SCMP_SYS(flock),
	SCMP_SYS(lseek),
	SCMP_SYS(_llseek),
	SCMP_SYS(fstat),
	SCMP_SYS(fstat64),
	SCMP_SYS(fstatat64),
	SCMP_SYS(newfstatat),
	SCMP_SYS(stat),
	SCMP_SYS(stat64),
	SCMP_SYS(statx),
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(futex),
	SCMP_SYS(futex_time64),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getrandom),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_gettime64),
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(clock_nanosleep_time64),
	SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(sched_yield),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* The calls before that: for files and folders, the lock file, and the second step itself. */
static const int reading[] = {
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(openat2),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(lstat),
	SCMP_SYS(lstat64),
	SCMP_SYS(statfs),
	SCMP_SYS(statfs64),
	SCMP_SYS(fstatfs),
	SCMP_SYS(fstatfs64),
	SCMP_SYS(getcwd),
	SCMP_SYS(getdents),
	SCMP_SYS(getdents64),
	SCMP_SYS(pread64),
	SCMP_SYS(preadv),
	SCMP_SYS(fadvise64),
	SCMP_SYS(fadvise64_64),
	SCMP_SYS(arm_fadvise64_64),
	SCMP_SYS(dup),
	SCMP_SYS(link),
	SCMP_SYS(linkat),
	SCMP_SYS(rename),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	SCMP_SYS(fchmod),
	SCMP_SYS(fchown),
	SCMP_SYS(fchown32),
	SCMP_SYS(getgroups),
	SCMP_SYS(getgroups32),
	SCMP_SYS(getppid),
	SCMP_SYS(getrlimit),
	SCMP_SYS(ugetrlimit),
	SCMP_SYS(sysinfo),
	SCMP_SYS(uname),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(prctl),
	SCMP_SYS(seccomp),
	SCMP_SYS(landlock_create_ruleset),
	SCMP_SYS(landlock_add_rule),
	SCMP_SYS(landlock_restrict_self),
};

/* A call that is allowed where one argument has one of these values. */
struct choice {
	int call;
	unsigned argument;
	const scmp_datum_t *values;
	size_t n_values;
};

/* The requests of port.c, lock.c and libserialport. */
static const scmp_datum_t tty_requests[] = {TCGETS, TCSETS, TCSETSW, TCSETSF, TCGETS2, TCSETS2,
	TCSETSW2, TCSETSF2, TCFLSH, TIOCMGET, TIOCMSET, TIOCMBIS, TIOCMBIC, TIOCOUTQ, TIOCINQ,
	TIOCEXCL, TIOCNXCL, TIOCGSERIAL};

static const scmp_datum_t file_requests[] = {
	F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_DUPFD_CLOEXEC, F_GETPIPE_SZ};

static const scmp_datum_t signal_none[] = {0};

static const struct choice choices[] = {
	{SCMP_SYS(ioctl), 1, tty_requests, ARRAY_SIZE(tty_requests)},
	{SCMP_SYS(fcntl), 1, file_requests, ARRAY_SIZE(file_requests)},
	{SCMP_SYS(fcntl64), 1, file_requests, ARRAY_SIZE(file_requests)},
	/* Signal 0 asks whether the process is there: by it a lock file is known to be stale. */
	{SCMP_SYS(kill), 1, signal_none, ARRAY_SIZE(signal_none)},
};

static int allow_list(scmp_filter_ctx filter, const int *calls, size_t n_calls)
{
	int r = 0;

	for (size_t i = 0; i < n_calls && r == 0; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	return r;
}

static void releasep(scmp_filter_ctx *filter)
{
	seccomp_release(*filter);
}

static int filter_calls(bool reads_files, bool removes_files)
{
	static const int memory[] = {SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect)};
	static const int removing[] = {SCMP_SYS(unlink), SCMP_SYS(unlinkat)};
	CLEANUP(releasep) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = filter ? 0 : -ENOMEM;

	if (r == 0)
		r = allow_list(filter, talking, ARRAY_SIZE(talking));
	if (r == 0 && reads_files)
		r = allow_list(filter, reading, ARRAY_SIZE(reading));
	if (r == 0 && removes_files && !reads_files)
		r = allow_list(filter, removing, ARRAY_SIZE(removing));
	/* The kernel ignores the upper half of such an argument, so it must not decide here. */
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++)
		for (size_t k = 0; k < choices[i].n_values && r == 0; k++)
			r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, choices[i].call, 1,
				SCMP_CMP(choices[i].argument, SCMP_CMP_MASKED_EQ, UINT32_MAX,
					choices[i].values[k]));
	/* Memory, but none that can be executed; abort(), but no signal to another process. */
	for (size_t i = 0; i < ARRAY_SIZE(memory) && r == 0; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, memory[i], 1,
			SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
			SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
	if (r < 0)
		return r;
	r = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	if (r == 0)
		r = seccomp_load(filter);
	/* An old kernel or a container refuses the filter so; confine.h: as far as it can. */
	return r == -EINVAL || r == -ENOSYS || r == -EPERM || r == -EACCES ? 0 : r;
}

static void limit(int resource, rlim_t most)
{
	struct rlimit now;

	if (getrlimit(resource, &now) < 0 || now.rlim_max <= most)
		return;
	(void)setrlimit(resource, &(struct rlimit){.rlim_cur = most, .rlim_max = most});
}

int confine_begin(unsigned last, uint64_t most_bytes)
{
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	/* Linux 5.9; before, the parent's O_CLOEXEC has to do. */
	(void)syscall(SYS_close_range, last + 1, ~0U, 0U);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_NPROC, 0);
	limit(RLIMIT_FSIZE, most_bytes);
	limit(RLIMIT_NOFILE, FILES_MAX);
	limit(RLIMIT_AS, MEMORY_MAX);
	return filter_calls(true, true);
}

int confine_to_open_files(const char *lock_directory)
{
	bool is_locked = landlock_close_files(lock_directory) == 0;

	return filter_calls(false, is_locked);
}
