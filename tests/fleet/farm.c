/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fleet/farm.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/text.h"
#include "bed/enclosure.h"
#include "bed/processes.h"

struct farm {
	char folder[64];
	sd_event *event;
};

/* ----------------------------------------------------------------------- surroundings */

static void open_loopback(void)
{
	CLEANUP(closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0) {
		printf("Bail out! the farm has no loopback: %s\n", strerror(errno));
		exit(1);
	}
}

void farm_enter(void)
{
	enclosure_enter();
	/* Programs without a journal say it on standard error, which is a file of each agent. */
	(void)unlink("/run/systemd/journal/socket");
	farm_open();
}

void farm_open(void)
{
	struct rlimit limit;

	open_loopback();
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	(void)signal(SIGPIPE, SIG_IGN);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

struct farm *farm_new(void)
{
	struct farm *farm = calloc(1, sizeof(*farm));

	assert_non_null(farm);
	snprintf(farm->folder, sizeof(farm->folder), "%s/farm-XXXXXX", ENCLOSURE_DIRECTORY);
	assert_non_null(mkdtemp(farm->folder));
	assert_int_equal(chmod(farm->folder, 0755), 0);
	assert_true(sd_event_new(&farm->event) >= 0);
	return farm;
}

struct farm *farm_free(struct farm *farm)
{
	if (!farm)
		return NULL;
	processes_end(enclosure_journald());
	sd_event_unref(farm->event);
	nftw(farm->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(farm);
	return NULL;
}

sd_event *farm_event(const struct farm *farm)
{
	return farm->event;
}

/* ------------------------------------------------------------------------------ files */

static char *path_of(const struct farm *farm, const char *format, va_list args)
{
	CLEANUP(freep) char *name = NULL;
	char *path;

	assert_true(vasprintf(&name, format, args) >= 0);
	assert_int_equal(text_format(&path, "%s/%s", farm->folder, name), 0);
	return path;
}

char *farm_path(const struct farm *farm, const char *format, ...)
{
	va_list args;
	char *path;

	va_start(args, format);
	path = path_of(farm, format, args);
	va_end(args);
	return path;
}

char *farm_folder(const struct farm *farm, const char *format, ...)
{
	va_list args;
	char *path;

	va_start(args, format);
	path = path_of(farm, format, args);
	va_end(args);
	assert_int_equal(mkdir(path, 0755), 0);
	return path;
}

void farm_write(const char *path, const void *data, size_t n_data)
{
	CLEANUP(closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(write_whole(fd, data, n_data), 0);
}

/* ---------------------------------------------------------------------------- waiting */

/* The longest that a turn counts: in the rest of it the machine stood still, and nobody got on. */
#define TURN_MOST_USEC (100 * USEC_PER_MSEC)

bool farm_wait(
	struct farm *farm, unsigned milliseconds, bool (*is_done)(void *userdata), void *userdata)
{
	uint64_t left = milliseconds * USEC_PER_MSEC;

	while (!is_done(userdata)) {
		uint64_t most = left < TURN_MOST_USEC ? left : TURN_MOST_USEC;
		uint64_t begin = monotonic_usec(), took;

		if (left == 0)
			return false;
		assert_true(sd_event_run(farm->event, most) >= 0);
		took = monotonic_usec() - begin;
		left -= took < most ? took : most;
	}
	return true;
}

uint64_t farm_now_msec(void)
{
	return monotonic_usec() / USEC_PER_MSEC;
}

void farm_settle(struct farm *farm)
{
	int r;

	do
		r = sd_event_run(farm->event, 0);
	while (r > 0);
	assert_int_equal(r, 0);
}

/* --------------------------------------------------------------------------- children */

static void reap(struct child *child)
{
	assert_int_equal(waitpid(child->pid, &child->status, 0), child->pid);
	child->end = sd_event_source_disable_unref(child->end);
	close(child->pidfd);
	child->pid = 0;
}

static int on_end(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	(void)source;
	(void)fd;
	(void)events;
	reap(userdata);
	return 0;
}

static _Noreturn void be_child(
	const struct child_setup *setup, const char *const argv[], pid_t parent)
{
	const int from[] = {setup->input, setup->output, setup->error};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	(void)signal(SIGPIPE, SIG_DFL);
	for (int fd = 0; fd < 3; fd++)
		if (from[fd] >= 0)
			dup2(from[fd], fd);
	for (size_t i = 0; setup->environment && setup->environment[i]; i++)
		putenv((char *)(uintptr_t)setup->environment[i]);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

void child_start(struct farm *farm, struct child *to, const struct child_setup *setup,
	const char *const argv[])
{
	pid_t parent = getpid();

	*to = (struct child){.pid = fork()};
	if (to->pid == 0)
		be_child(setup, argv, parent);
	assert_true(to->pid > 0);
	to->pidfd = (int)syscall(SYS_pidfd_open, to->pid, 0);
	assert_true(to->pidfd >= 0);
	assert_true(sd_event_add_io(farm->event, &to->end, to->pidfd, EPOLLIN, on_end, to) >= 0);
}

bool child_is_running(const struct child *child)
{
	return child->pid > 0;
}

void child_end(struct child *child, int signal)
{
	if (child->pid <= 0)
		return;
	(void)kill(child->pid, signal);
	reap(child);
}

static bool has_ended(void *userdata)
{
	return !child_is_running(userdata);
}

bool child_wait(struct farm *farm, struct child *child, unsigned milliseconds)
{
	return farm_wait(farm, milliseconds, has_ended, child);
}

/* What it said, as comments of TAP. */
static void tell_said(int said)
{
	char line[512];
	FILE *f = fdopen(dup(said), "r");

	if (!f)
		return;
	rewind(f);
	while (fgets(line, sizeof(line), f))
		printf("# %s", line);
	fclose(f);
}

void farm_run(struct farm *farm, const char *const argv[])
{
	CLEANUP(closep) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	CLEANUP(closep) int said = memfd_create("said", MFD_CLOEXEC);
	struct child child;

	child_start(farm, &child,
		&(struct child_setup){.input = null, .output = said, .error = said}, argv);
	if (!child_wait(farm, &child, FARM_LONG))
		fail_msg("%s does not end", argv[0]);
	if (child.status == 0)
		return;
	tell_said(said);
	fail_msg("%s %s: status 0x%x", argv[0], argv[1] ? argv[1] : "", child.status);
}

/* ---------------------------------------------------------------------------- figures */

double child_cpu_msec(const struct child *child)
{
	struct timespec time;
	clockid_t clock;

	if (clock_getcpuclockid(child->pid, &clock) != 0 || clock_gettime(clock, &time) != 0)
		return 0;
	return (double)usec_of(&time) / (double)USEC_PER_MSEC;
}

long child_private_kib(const struct child *child)
{
	char path[64], line[256];
	long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", child->pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		(void)sscanf(line, "Private_Dirty: %ld", &kib);
	if (f)
		fclose(f);
	return kib;
}
