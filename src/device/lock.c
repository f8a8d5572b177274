/* SPDX-License-Identifier: MIT */
/*
 * lock.c - one user for a port at a time.
 *
 * Programs exclude each other from a tty in ways that do not see one another, so all are used, in
 * this order: whoever has it open is looked for in /proc, since a program that takes no lock would
 * still eat the answers; flock(); TIOCEXCL, which keeps others from opening it from then on; and a
 * lock file of UUCP, which old programs look at. A lock file of others counts where it can be
 * believed.
 */
#include "device/lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/clock.h"
#include "base/parse.h"
#include "base/util.h"

/* The kernel's TASK_COMM_LEN, without the NUL. */
#define COMM_LENGTH 15

#define WORKER	    "plugflash-worker"

struct lock {
	int fd;	    /* borrowed */
	char *file; /* the lock file we made, NULL where none could be made */
};

/* As the program was started, without its folder: the kernel's own name for it (/proc/PID/comm)
 * ends after 15 letters. Both are whatever the process says of itself. */
static void name_process(uint32_t pid, char to[TEXT_MAX])
{
	CLEANUP(fclosep) FILE *comm = NULL;
	CLEANUP(fclosep) FILE *cmdline = NULL;
	char path[64], line[TEXT_MAX] = "";
	const char *name;

	to[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	comm = fopen(path, "re");
	if (comm && fgets(to, TEXT_MAX, comm))
		to[strcspn(to, "\n")] = '\0';
	snprintf(path, sizeof(path), "/proc/%u/cmdline", pid);
	cmdline = fopen(path, "re");
	if (!cmdline || !fgets(line, sizeof(line), cmdline))
		return;
	name = basename(line);
	/* A script's interpreter, or a line that the process wrote itself, is not its name. */
	if (strlen(to) == COMM_LENGTH && strncmp(name, to, COMM_LENGTH) == 0)
		snprintf(to, TEXT_MAX, "%s", name);
}

static void describe_process(uint32_t pid, char *to, size_t size)
{
	char name[TEXT_MAX], shown[TEXT_MAX];

	name_process(pid, name);
	snprintf(to, size, "%s (%u)", text_escape(name[0] ? name : "process", shown, sizeof(shown)),
		pid);
}

/* Whether the process has the device open. Descriptors of others' processes may not be readable. */
static bool process_has_open(const char *pid, const struct stat *device)
{
	CLEANUP(closedirp) DIR *directory = NULL;
	char path[64];
	struct dirent *entry;

	if (snprintf(path, sizeof(path), "/proc/%s/fd", pid) >= (int)sizeof(path))
		return false;
	directory = opendir(path);
	if (!directory)
		return false;
	while ((entry = readdir(directory))) {
		char target[8];
		struct stat st;
		ssize_t n;

		if (entry->d_type == DT_DIR)
			continue;
		n = readlinkat(dirfd(directory), entry->d_name, target, sizeof(target));
		/* Who may read one may read all (proc(5), /proc/PID/fd), and who may list them may
		 * not always read one: root without capabilities, of a worker. Each worker looks at
		 * all others, so that what one look costs counts with the square of the boards. */
		if (n < 0 && errno == EACCES)
			return false;
		/* Only what lies below /dev is looked at closer: a stat may block on a dead
		 * network. */
		if (n < 5 || strncmp(target, "/dev/", 5) != 0)
			continue;
		if (fstatat(dirfd(directory), entry->d_name, &st, 0) == 0 &&
			((S_ISCHR(st.st_mode) && st.st_rdev == device->st_rdev) ||
				(st.st_dev == device->st_dev && st.st_ino == device->st_ino)))
			return true;
	}
	return false;
}

static bool find_opener(const struct stat *device, char *to, size_t size)
{
	CLEANUP(closedirp) DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		uint32_t pid;

		if (parse_u32(entry->d_name, &pid) < 0 || pid == (uint32_t)getpid())
			continue;
		if (process_has_open(entry->d_name, device)) {
			describe_process(pid, to, size);
			return true;
		}
	}
	return false;
}

/*
 * The kernel's list of locks (proc(5)) names their owners to everybody, where descriptors are shown
 * to their own user only: "3: FLOCK  ADVISORY  WRITE 412 00:05:331 0 EOF". The owner of a lock on
 * the device that is `wanted`, or any but us where that is 0; 0: none. A lock of an open file
 * description has no owner, -1, which is no number here; one that waits has "->" for its kind.
 */
static uint32_t find_locker(const struct stat *device, uint32_t wanted)
{
	enum { NUMBER, KIND, MODE, ACCESS, OWNER, FILE_ID };
	CLEANUP(fclosep) FILE *locks = fopen("/proc/locks", "re");
	char line[256], file[64];

	snprintf(file, sizeof(file), "%02x:%02x:%ju", major(device->st_dev), minor(device->st_dev),
		(uintmax_t)device->st_ino);
	while (locks && fgets(line, sizeof(line), locks)) {
		CLEANUP(parse_list_freep) char **words = NULL;
		size_t n = 0;
		uint32_t pid;

		if (parse_list(line, &words, &n) == 0 && n > FILE_ID &&
			strcmp(words[KIND], "->") != 0 && strcmp(words[FILE_ID], file) == 0 &&
			parse_u32(words[OWNER], &pid) == 0 && pid != (uint32_t)getpid() &&
			(wanted == 0 || pid == wanted))
			return pid;
	}
	return 0;
}

static bool find_holder(const struct stat *device, char *to, size_t size)
{
	uint32_t pid;

	if (find_opener(device, to, size))
		return true;
	pid = find_locker(device, 0);
	if (pid != 0)
		describe_process(pid, to, size);
	return pid != 0;
}

bool lock_find_holder(const char *path, char *to, size_t size)
{
	struct stat device;

	return stat(path, &device) == 0 && find_holder(&device, to, size);
}

/* ------------------------------------------------------------------ lock files of others */

/*
 * Everybody may write to /run/lock (mode 1777 on Debian), so that a file there proves nothing: a
 * user without any right to the port would keep it from the service with a file for each, which
 * names process 1. A file is believed where its maker may use the port, and where the process that
 * it names is the maker's and is older than the file. Who that process is, /proc tells.
 */

/* The clock of files is slewed and stepped by less than this while a host runs; at its boot by
 * years. */
#define CLOCK_STEP_USEC ((int64_t)(60 * USEC_PER_SEC))

/* Who made a lock file, when, and the process that it names. */
struct lock_file {
	struct stat made;
	uint32_t pid;
};

/* False where there is no file, or one that names nobody, or us. */
static bool lock_file_read(const char *file, struct lock_file *ret)
{
	CLEANUP(closep) int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char text[16];
	ssize_t n;
	char *begin = text;

	if (fd < 0 || fstat(fd, &ret->made) < 0 || !S_ISREG(ret->made.st_mode))
		return false;
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	begin += strspn(begin, " ");
	begin[strcspn(begin, " \n")] = '\0';
	return parse_u32(begin, &ret->pid) == 0 && ret->pid > 0 && ret->pid <= INT32_MAX &&
	       ret->pid != (uint32_t)getpid();
}

/* What /proc says of a process to everybody. */
struct process {
	uint32_t user, group; /* effective */
	bool has_group;	      /* that of the port, among those it has besides */
	bool is_known;
};

static struct process look_at(uint32_t pid, gid_t port_group)
{
	CLEANUP(freep) char *line = NULL;
	CLEANUP(fclosep) FILE *status = NULL;
	struct process found = {0};
	bool has_user = false, has_own_group = false;
	size_t size = 0;
	uint32_t group;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	status = fopen(path, "re");
	while (status && getline(&line, &size, status) > 0) {
		CLEANUP(parse_list_freep) char **words = NULL;
		size_t n = 0;

		/* Real, effective, saved and of the file system: the second one counts. */
		if (parse_list(line, &words, &n) < 0 || n < 2)
			continue;
		if (strcmp(words[0], "Uid:") == 0 && n > 2)
			has_user = parse_u32(words[2], &found.user) == 0;
		else if (strcmp(words[0], "Gid:") == 0 && n > 2)
			has_own_group = parse_u32(words[2], &found.group) == 0;
		else if (strcmp(words[0], "Groups:") == 0)
			for (size_t i = 1; i < n; i++)
				found.has_group |=
					parse_u32(words[i], &group) == 0 && group == port_group;
	}
	found.is_known = has_user && has_own_group;
	return found;
}

/*
 * When it began, since the boot: the 22nd word, in ticks of the clock (proc(5)). The second word is
 * its name in brackets, which may have anything in it. The ticks are more than 32 bits after 497
 * days at 100 a second.
 */
static bool start_of(uint32_t pid, uint64_t *ret_usec)
{
	CLEANUP(fclosep) FILE *from = NULL;
	CLEANUP(parse_list_freep) char **words = NULL;
	char path[64], text[1024], *name_end;
	const char *digits;
	uint64_t ticks;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	from = fopen(path, "re");
	n = from ? fread(text, 1, sizeof(text) - 1, from) : 0;
	text[n] = '\0';
	name_end = strrchr(text, ')');
	if (!name_end || parse_list(name_end + 1, &words, &n) < 0 || n <= 22 - 3)
		return false;
	digits = words[22 - 3];
	if (parse_digits(&digits, 10, &ticks) < 0 || *digits || ticks > UINT64_MAX / USEC_PER_SEC)
		return false;
	*ret_usec = ticks * USEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK);
	return true;
}

/* A filter may forbid to send signals, and a mount option hides processes in /proc: either is asked
 * where the other cannot tell. */
static bool is_gone(uint32_t pid)
{
	char path[64];

	if (kill((pid_t)pid, 0) == 0)
		return false;
	if (errno == ESRCH)
		return true;
	snprintf(path, sizeof(path), "/proc/%u", pid);
	return access(path, F_OK) < 0 && access("/proc/1", F_OK) == 0;
}

/*
 * Whether the process lives, and can have made the file: root made it, or a user whose process it
 * is and who may open the port; and it is older than the file.
 */
static bool lock_file_is_plausible(const struct lock_file *file, const struct stat *port)
{
	int64_t made = usec_of(&file->made.st_mtim);
	int64_t booted = realtime_usec() - (int64_t)uptime_usec();
	struct process process;
	uint64_t started;

	if (is_gone(file->pid))
		return false;
	/*
	 * A process that is younger than the file has the number of the one that made it. The clock
	 * of files may have been set since: a file from before the boot tells of that, and a minute
	 * is allowed for less.
	 */
	if (start_of(file->pid, &started) && made >= booted &&
		booted + (int64_t)started > made + CLOCK_STEP_USEC)
		return false;
	if (file->made.st_uid == 0)
		return true;
	process = look_at(file->pid, port->st_gid);
	if (!process.is_known || process.user != file->made.st_uid)
		return false;
	/* As the kernel judges it when that process opens the port. */
	return process.user == 0 || process.user == port->st_uid || (port->st_mode & S_IWOTH) ||
	       ((process.group == port->st_gid || process.has_group) && (port->st_mode & S_IWGRP));
}

/*
 * A file counts where a process could have made it that may use the port. Workers, and those are
 * all processes of the service's user, have the port open or locked: one that was killed leaves its
 * file behind, and its number to another process.
 */
static bool is_claim_good(const struct lock_file *found, const struct stat *port)
{
	bool is_own = found->made.st_uid != 0 && found->made.st_uid == geteuid();
	char number[16], name[TEXT_MAX];

	if (!lock_file_is_plausible(found, port))
		return false;
	name_process(found->pid, name);
	if (!is_own && strcmp(name, WORKER) != 0)
		return true;
	snprintf(number, sizeof(number), "%u", found->pid);
	return process_has_open(number, port) || find_locker(port, found->pid) != 0;
}

static int make_lock_file(const char *file)
{
	CLEANUP(closep) int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return -errno;
	/* Others must be able to read whose it is, whatever the umask says. Ten digits and a
	 * newline: the form of the UUCP programs. */
	if (fchmod(fd, 0644) == 0 && dprintf(fd, "%10d\n", (int)getpid()) == 11)
		return 0;
	unlink(file);
	return -EIO;
}

/* NULL without memory. */
static char *lock_file_of(const char *path)
{
	char *file;

	(void)text_format(&file, "%s/LCK..%s", LOCK_DIRECTORY, basename(path));
	return file;
}

bool lock_is_ours(const char *path, const char *holder, struct reason *reason)
{
	if (strncmp(holder, WORKER " (", strlen(WORKER " (")) != 0)
		return false;
	reason_set(reason,
		"%s is busy: the service is flashing this board now; it will be done in a moment (journalctl -t plugflashd -f)",
		path);
	return true;
}

static int check_lock_file(const char *path, const char *file, struct reason *reason)
{
	char holder[TEXT_MAX];
	struct lock_file found;
	struct stat port;

	if (!lock_file_read(file, &found) || stat(path, &port) < 0 || !is_claim_good(&found, &port))
		return 0;
	describe_process(found.pid, holder, sizeof(holder));
	if (!lock_is_ours(path, holder, reason))
		reason_set(reason, "%s is locked by %s through %s: end that program first", path,
			holder, file);
	return -EBUSY;
}

static int take_lock_file(const char *path, struct lock *lock, struct reason *reason)
{
	CLEANUP(freep) char *file = lock_file_of(path);
	int r;

	if (!file)
		return -ENOMEM;
	r = check_lock_file(path, file, reason);
	if (r < 0)
		return r;
	r = make_lock_file(file);
	if (r == -EEXIST) {
		/* Left behind by a process that is no more, or of somebody whose does not count:
		 * that one stays, in a folder with the sticky bit. */
		if (unlink(file) == 0)
			r = make_lock_file(file);
	}
	if (r == 0)
		lock->file = TAKE_PTR(file);
	return 0;
}

static int refuse_busy(
	const char *path, const char *how, const struct stat *device, struct reason *reason)
{
	char holder[TEXT_MAX];

	if (!find_holder(device, holder, sizeof(holder)))
		reason_set(reason,
			"%s is busy: a program that cannot be seen from here %s: `fuser -v %s` as root names it",
			path, how, path);
	else if (!lock_is_ours(path, holder, reason))
		reason_set(reason, "%s is busy: %s %s: end that program first", path, holder, how);
	return -EBUSY;
}

int lock_check(const char *path, struct reason *reason)
{
	CLEANUP(freep) char *file = lock_file_of(path);
	struct stat device;
	char holder[TEXT_MAX];

	/* Without memory the lock will tell. */
	if (file && check_lock_file(path, file, reason) < 0)
		return -EBUSY;
	if (stat(path, &device) == 0 && find_holder(&device, holder, sizeof(holder)))
		return refuse_busy(path, "has it open", &device, reason);
	return 0;
}

static int exclude_others(const char *path, int fd, struct reason *reason)
{
	struct stat device;
	char holder[TEXT_MAX];

	if (fstat(fd, &device) < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? refuse_busy(path, "holds its lock", &device, reason)
					    : -errno;
	/* Somebody who neither locks nor excludes would still eat the answers. */
	if (find_holder(&device, holder, sizeof(holder)))
		return refuse_busy(path, "has it open", &device, reason);
	/* Keeps others from opening it from now on; root is not kept (tty_ioctl(4)). */
	return ioctl(fd, TIOCEXCL) < 0 ? -errno : 0;
}

int lock_acquire(const char *path, int fd, struct lock **ret, struct reason *reason)
{
	CLEANUP(freep) struct lock *lock = calloc(1, sizeof(*lock));
	int r = -ENOMEM;

	if (lock) {
		lock->fd = fd;
		r = exclude_others(path, fd, reason);
		if (r == 0) {
			r = take_lock_file(path, lock, reason);
			/* A lock that is not ours stays: only what succeeded is taken back. */
			if (r < 0)
				ioctl(fd, TIOCNXCL);
		}
	}
	if (r == 0)
		*ret = TAKE_PTR(lock);
	else if (r != -EBUSY)
		reason_set(reason, "%s cannot be locked: %s", path, strerror(-r));
	return r;
}

struct lock *lock_release(struct lock *lock)
{
	if (!lock)
		return NULL;
	ioctl(lock->fd, TIOCNXCL);
	if (lock->file)
		unlink(lock->file);
	free(lock->file);
	flock(lock->fd, LOCK_UN);
	free(lock);
	return NULL;
}
