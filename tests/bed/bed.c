/* SPDX-License-Identifier: MIT */
/* The bed's loop, and what stands around the boards: files, service, journal. */
#include "bed/bed.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/names.h"
#include "base/util.h"
#include "bed/bed-private.h"
#include "bed/enclosure.h"
#include "bed/processes.h"
#include "image/copy.h"

/* Leaks of the libraries below are not ours to mend. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libumockdev\nleak:libglib\nleak:libgobject\nleak:libgio\n";
}

_Noreturn void bed_die(const char *what, int error)
{
	printf("Bail out! the bed: %s: %s\n", what, strerror(error));
	fflush(stdout);
	_exit(1);
}

uint64_t bed_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ------------------------------------------------------------------ life */

static void make_directories(struct bed *bed)
{
	static const char *const names[] = {
		"config", "config/boards.d", "config/chips.d", "images", "state", "runtime"};
	char path[512];

	snprintf(bed->directory, sizeof(bed->directory), ENCLOSURE_DIRECTORY "/XXXXXX");
	if (!mkdtemp(bed->directory))
		bed_die(bed->directory, errno);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", bed->directory, names[i]);
		if (mkdir(path, 0755) < 0)
			bed_die(path, errno);
	}
}

struct bed *bed_new(void)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	int r;

	if (!bed)
		bed_die("bed", ENOMEM);
	pthread_mutex_init(&bed->mutex, NULL);
	make_directories(bed);
	bed->testbed = umockdev_testbed_new();
	bed->root = umockdev_testbed_get_root_dir(bed->testbed);
	bed->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	bed->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	bed->child = bed->other = -1;
	/* Files that children make in the bed's directory wake the loop. */
	if (bed->wake < 0 || bed->inotify < 0 ||
		inotify_add_watch(bed->inotify, bed->directory, IN_CREATE) < 0)
		bed_die("eventfd or inotify", errno);
	r = service_init(&bed->service, bed->directory);
	if (r < 0)
		bed_die("NOTIFY_SOCKET", -r);
	r = journal_reader_new(&bed->journal);
	if (r < 0)
		bed_die("the journal", -r);
	return bed;
}

struct bed *bed_free(struct bed *bed)
{
	if (!bed)
		return NULL;
	service_done(&bed->service);
	/* Before the boards go: a worker that asks one that is not there waits for ever. */
	processes_end(enclosure_journald());
	for (size_t i = 0; i < bed->n_units; i++)
		bed_unplug(bed->units[i]);
	/* Ends the thread that uses the ttys. */
	g_object_unref(bed->testbed);
	while (bed->plugs) {
		struct bed_plug *plug = bed->plugs;

		bed->plugs = plug->next;
		g_object_unref(plug->handler);
		free(plug);
	}
	for (size_t i = 0; i < bed->n_units; i++)
		bed_unit_free(bed->units[i]);
	journal_reader_free(bed->journal);
	closep(&bed->wake);
	closep(&bed->inotify);
	g_free(bed->root);
	pthread_mutex_destroy(&bed->mutex);
	free(bed);
	return NULL;
}

const char *bed_directory(const struct bed *bed)
{
	return bed->directory;
}

/* ------------------------------------------------------------------ files */

/* Beside it first, under a name that nobody looks for, as one should replace a file. */
/* Whole at once, and with the time it was made, as rsync and tar put it: nobody waits for more. */
static void put(const char *directory, const char *name, const void *data, size_t n_data)
{
	const struct timespec made[2] = {
		{.tv_sec = time(NULL) - 3600}, {.tv_sec = time(NULL) - 3600}};
	g_autofree char *path = g_build_filename(directory, name, NULL);
	g_autofree char *folder = g_path_get_dirname(path), *base = g_path_get_basename(path);
	g_autofree char *beside = g_strdup_printf("%s/.%s.new", folder, base);
	CLEANUP(fclosep) FILE *f = NULL;

	if (g_mkdir_with_parents(folder, 0755) < 0)
		bed_die(folder, errno);
	f = fopen(beside, "we");
	if (!f || fwrite(data, 1, n_data, f) != n_data || fflush(f) != 0 ||
		futimens(fileno(f), made) < 0 || rename(beside, path) < 0)
		bed_die(path, errno);
}

void bed_write_config_bytes(struct bed *bed, const char *name, const void *data, size_t n_data)
{
	g_autofree char *directory = g_build_filename(bed->directory, "config", NULL);

	put(directory, name, data, n_data);
}

void bed_write_config(struct bed *bed, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(bed->directory, "config", name, NULL);

	if (text)
		bed_write_config_bytes(bed, name, text, strlen(text));
	else
		(void)unlink(path);
}

void bed_configure(struct bed *bed, const char *service, const char *boards)
{
	g_autofree char *text =
		g_strdup_printf("[service]\nimage-dir = %s/images\nsettle = 10ms\n%s\n",
			bed->directory, service ? service : "");

	bed_write_config(bed, NAME_SERVICE_CONFIGURATION, text);
	bed_write_config(bed, NAME_BOARDS "/10.conf", boards);
}

void bed_put_bytes(struct bed *bed, const char *name, const void *data, size_t n_data)
{
	g_autofree char *directory = g_build_filename(bed->directory, "images", NULL);

	put(directory, name, data, n_data);
	bed->put_ns = bed_now();
}

void bed_settle_images(struct bed *bed)
{
	uint64_t settled = bed->put_ns + COPY_REST_USEC * NSEC_PER_USEC, now = bed_now();

	if (now < settled)
		bed_run(bed, (unsigned)((settled - now) / (NSEC_PER_USEC * USEC_PER_MSEC)) + 1);
}

void bed_put_image(struct bed *bed, const char *name, const char *file)
{
	g_autofree char *data = NULL;
	size_t n_data;

	if (!g_file_get_contents(file, &data, &n_data, NULL))
		bed_die(file, ENOENT);
	bed_put_bytes(bed, name, data, n_data);
}

void bed_remove_image(struct bed *bed, const char *name)
{
	g_autofree char *path = g_build_filename(bed->directory, "images", name, NULL);

	(void)unlink(path);
}

/* ------------------------------------------------------------------ loop */

enum { FD_WAKE, FD_INOTIFY, FD_NOTIFY, FD_JOURNAL, FD_SERVICE, FD_CHILD, FD_OTHER, FD_UNITS };

static nfds_t collect(struct bed *bed, struct pollfd fds[FD_UNITS + BED_UNITS])
{
	nfds_t n = FD_UNITS;

	fds[FD_WAKE] = (struct pollfd){.fd = bed->wake, .events = POLLIN};
	fds[FD_INOTIFY] = (struct pollfd){.fd = bed->inotify, .events = POLLIN};
	fds[FD_NOTIFY] = (struct pollfd){.fd = bed->service.notify, .events = POLLIN};
	fds[FD_JOURNAL] = (struct pollfd){.fd = journal_reader_fd(bed->journal), .events = POLLIN};
	fds[FD_SERVICE] = (struct pollfd){.fd = bed->service.pidfd, .events = POLLIN};
	fds[FD_CHILD] = (struct pollfd){.fd = bed->child, .events = POLLIN};
	fds[FD_OTHER] = (struct pollfd){.fd = bed->other, .events = POLLIN};
	pthread_mutex_lock(&bed->mutex);
	for (size_t i = 0; i < bed->n_units; i++) {
		const struct bed_unit *unit = bed->units[i];

		/* A master whose slave nobody has open is readable without end. */
		if (unit->is_plugged && unit->plug->tty.is_open)
			fds[n++] = (struct pollfd){.fd = unit->plug->tty.master, .events = POLLIN};
	}
	pthread_mutex_unlock(&bed->mutex);
	return n;
}

static void dispatch(struct bed *bed, const struct pollfd *fds)
{
	eventfd_t count;
	int r;

	if (fds[FD_WAKE].revents)
		eventfd_read(bed->wake, &count);
	if (fds[FD_INOTIFY].revents)
		bed_units_on_inotify(bed);
	if (fds[FD_NOTIFY].revents)
		service_dispatch_notify(&bed->service);
	if (fds[FD_JOURNAL].revents) {
		r = journal_reader_dispatch(bed->journal);
		if (r < 0)
			bed_die("the journal", -r);
	}
	if (fds[FD_SERVICE].revents)
		service_reap(&bed->service);
	if (fds[FD_OTHER].revents)
		bed->on_other(bed->other_userdata);
}

/* Moves the boards on, then waits for whatever is next, `deadline` at the latest. */
static void turn(struct bed *bed, uint64_t deadline)
{
	struct pollfd fds[FD_UNITS + BED_UNITS];
	uint64_t now = bed_now();
	uint64_t left = deadline > now ? deadline - now : 0;
	struct timespec timeout = {
		.tv_sec = (time_t)(left / 1000000000),
		.tv_nsec = (long)(left % 1000000000),
	};
	nfds_t n = collect(bed, fds);

	if (ppoll(fds, n, &timeout, NULL) > 0)
		dispatch(bed, fds);
}

/* The longest that a turn counts: in the rest of it the machine stood still, and nobody got on. */
#define TURN_MOST_NS UINT64_C(100000000)

bool bed_wait(
	struct bed *bed, unsigned milliseconds, bool (*is_done)(void *userdata), void *userdata)
{
	uint64_t left = milliseconds * UINT64_C(1000000);

	for (;;) {
		uint64_t next = bed_units_advance(bed), begin = bed_now();
		uint64_t most = left < TURN_MOST_NS ? left : TURN_MOST_NS, took;

		if (is_done(userdata))
			return true;
		if (left == 0)
			return false;
		turn(bed, next < begin + most ? next : begin + most);
		took = bed_now() - begin;
		left -= took < most ? took : most;
	}
}

void bed_watch(struct bed *bed, int fd, void (*on_ready)(void *userdata), void *userdata)
{
	bed->other = fd;
	bed->on_other = on_ready;
	bed->other_userdata = userdata;
}

void bed_run(struct bed *bed, unsigned milliseconds)
{
	uint64_t end = bed_now() + milliseconds * UINT64_C(1000000);

	do {
		uint64_t next = bed_units_advance(bed);

		turn(bed, next < end ? next : end);
	} while (bed_now() < end);
}

/* ------------------------------------------------------------------ service */

void bed_start_service(struct bed *bed, unsigned watchdog_msec)
{
	int r = service_start(&bed->service, bed->directory, watchdog_msec * USEC_PER_MSEC);

	if (r < 0)
		bed_die("plugflashd", -r);
}

static bool is_ready_or_dead(void *userdata)
{
	const struct bed *bed = userdata;

	return bed->service.is_ready || bed->service.pid == 0;
}

bool bed_wait_ready(struct bed *bed, unsigned milliseconds)
{
	return bed_wait(bed, milliseconds, is_ready_or_dead, bed) && bed->service.is_ready;
}

static bool is_dead(void *userdata)
{
	const struct bed *bed = userdata;

	return bed->service.pid == 0;
}

int bed_stop_service(struct bed *bed, unsigned milliseconds)
{
	if (bed->service.pid > 0)
		bed_signal(bed, SIGTERM);
	if (!bed_wait(bed, milliseconds, is_dead, bed))
		return -1;
	return bed->service.exit_status;
}

void bed_signal(struct bed *bed, int signal)
{
	if (bed->service.pid <= 0 || kill(bed->service.pid, signal) < 0)
		bed_die("a signal for the service", ESRCH);
}

bool bed_is_running(const struct bed *bed)
{
	return bed->service.pid > 0;
}

pid_t bed_service_pid(const struct bed *bed)
{
	return bed->service.pid;
}

unsigned bed_readies(const struct bed *bed)
{
	return bed->service.n_ready;
}

unsigned bed_watchdogs(const struct bed *bed)
{
	return bed->service.n_watchdog;
}

unsigned bed_extensions(const struct bed *bed)
{
	return bed->service.n_extensions;
}

const char *bed_status(const struct bed *bed)
{
	return bed->service.status;
}

long bed_figure(const struct bed *bed, const char *name)
{
	return service_figure(&bed->service, name);
}

/* ------------------------------------------------------------------ waiting */

static bool is_there(void *userdata)
{
	return access(userdata, F_OK) == 0;
}

bool bed_wait_file(struct bed *bed, unsigned milliseconds, const char *name)
{
	g_autofree char *path = g_build_filename(bed->directory, name, NULL);

	return bed_wait(bed, milliseconds, is_there, path);
}

static bool is_open(void *userdata)
{
	return bed_opens(userdata) > 0;
}

bool bed_wait_opened(struct bed_unit *unit, unsigned milliseconds)
{
	return bed_wait(unit->bed, milliseconds, is_open, unit);
}

static bool is_closed(void *userdata)
{
	return bed_is_closed(userdata);
}

bool bed_wait_closed(struct bed_unit *unit, unsigned milliseconds)
{
	return bed_wait(unit->bed, milliseconds, is_closed, unit);
}

struct command_wait {
	struct bed_unit *unit;
	uint8_t code;
	unsigned n;
};

static bool has_command(void *userdata)
{
	struct command_wait *wait = userdata;

	return bed_counters(wait->unit).commands[wait->code] >= wait->n;
}

bool bed_wait_command(struct bed_unit *unit, unsigned milliseconds, uint8_t code, unsigned n)
{
	struct command_wait wait = {unit, code, n};

	return bed_wait(unit->bed, milliseconds, has_command, &wait);
}

static bool is_unplugged(void *userdata)
{
	return !bed_is_plugged(userdata);
}

bool bed_wait_unplugged(struct bed_unit *unit, unsigned milliseconds)
{
	return bed_wait(unit->bed, milliseconds, is_unplugged, unit);
}
