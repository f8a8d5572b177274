/* SPDX-License-Identifier: MIT */
#include "bed/logind.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "base/util.h"
#include "bed/bed-private.h"
#include "bed/bus-daemon.h"

#define LOGIND	   "/lib/systemd/systemd-logind"
#define MANAGER	   "org.freedesktop.login1.Manager"
#define LOCKS_MOST 128

struct logind {
	struct bed *bed;
	struct bus_daemon daemon;
	pid_t real; /* 0: none */
	bool is_real_up;
	sd_bus *bus;
	sd_bus_slot *manager;
	int epoll; /* the bus, and our ends of the locks */
	int locks[LOCKS_MOST];
	unsigned n_asked;
	char last[300];
	const char *refused; /* what polkit does not allow; NULL: nothing */
	bool is_mute;
	bool is_going_down;
};

/* ------------------------------------------------------------------------------ the manager */

/*
 * As systemd 252 does: for more than one thing at once it asks polkit whether the lid switch may be
 * inhibited, which is for nobody without a seat.
 */
static bool is_allowed(const struct logind *logind, const char *what)
{
	return !strchr(what, ':') && (!logind->refused || strcmp(what, logind->refused) != 0);
}

static int refuse(sd_bus_message *message)
{
	return sd_bus_reply_method_errorf(message, "org.freedesktop.login1.OperationInProgress",
		"The operation inhibition has been requested for is already running");
}

/* The lock is held while anybody has the other end of the pipe open. */
static int on_inhibit(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	const char *what, *who, *why, *mode;
	struct logind *logind = userdata;
	struct epoll_event event = {.events = EPOLLHUP};
	int ends[2], r;

	(void)error;
	if (sd_bus_message_read(message, "ssss", &what, &who, &why, &mode) < 0 ||
		logind->n_asked == LOCKS_MOST)
		return -EINVAL;
	snprintf(logind->last, sizeof(logind->last), "%s:%s:%s:%s", what, who, why, mode);
	logind->locks[logind->n_asked++] = -1;
	if (logind->is_mute)
		return 1;
	if (!is_allowed(logind, what))
		return sd_bus_reply_method_errorf(
			message, "org.freedesktop.DBus.Error.AccessDenied", "Permission denied");
	if (logind->is_going_down)
		return refuse(message);
	if (pipe2(ends, O_CLOEXEC) < 0 ||
		epoll_ctl(logind->epoll, EPOLL_CTL_ADD, ends[0], &event) < 0)
		bed_die("a lock", errno);
	logind->locks[logind->n_asked - 1] = ends[0];
	r = sd_bus_reply_method_return(message, "h", ends[1]);
	close(ends[1]);
	return r;
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Inhibit", "ssss", "h", on_inhibit, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL("PrepareForSleep", "b", 0),
	SD_BUS_SIGNAL("PrepareForShutdown", "b", 0),
	SD_BUS_VTABLE_END,
};

static void check(const char *what, int r)
{
	if (r < 0)
		bed_die(what, -r);
}

static void start_manager(struct logind *logind)
{
	struct epoll_event event = {.events = EPOLLIN};

	check("the bus", sd_bus_open_system(&logind->bus));
	check("org.freedesktop.login1",
		sd_bus_add_object_vtable(logind->bus, &logind->manager, "/org/freedesktop/login1",
			MANAGER, vtable, logind));
	check("org.freedesktop.login1",
		sd_bus_request_name(logind->bus, "org.freedesktop.login1", 0));
	if (epoll_ctl(logind->epoll, EPOLL_CTL_ADD, sd_bus_get_fd(logind->bus), &event) < 0)
		bed_die("the bus", errno);
}

static int on_owner(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct logind *logind = userdata;
	const char *name;

	(void)error;
	if (sd_bus_message_read(message, "s", &name) >= 0 &&
		strcmp(name, "org.freedesktop.login1") == 0)
		logind->is_real_up = true;
	return 0;
}

static bool is_up_or_ended(void *userdata)
{
	struct logind *logind = userdata;

	if (!logind->is_real_up && waitpid(logind->real, NULL, WNOHANG) == logind->real)
		logind->real = 0;
	return logind->is_real_up || logind->real == 0;
}

static void start_real(struct logind *logind)
{
	struct epoll_event event = {.events = EPOLLIN};
	pid_t parent = getpid();
	int null;

	check("the bus", sd_bus_open_system(&logind->bus));
	check("the bus", sd_bus_match_signal(logind->bus, NULL, "org.freedesktop.DBus", NULL,
				 "org.freedesktop.DBus", "NameOwnerChanged", on_owner, logind));
	if (epoll_ctl(logind->epoll, EPOLL_CTL_ADD, sd_bus_get_fd(logind->bus), &event) < 0)
		bed_die("the bus", errno);
	logind->real = fork();
	if (logind->real < 0)
		bed_die("fork", errno);
	if (logind->real == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		dup2(null, STDERR_FILENO);
		execl(LOGIND, LOGIND, (char *)NULL);
		_exit(127);
	}
}

static void close_lock(struct logind *logind, unsigned i)
{
	if (logind->locks[i] >= 0)
		close(logind->locks[i]);
	logind->locks[i] = -1;
}

static bool is_released(int lock)
{
	struct pollfd end = {.fd = lock};

	return poll(&end, 1, 0) > 0 && (end.revents & POLLHUP);
}

static void on_ready(void *userdata)
{
	struct logind *logind = userdata;

	for (unsigned i = 0; i < logind->n_asked; i++)
		if (logind->locks[i] >= 0 && is_released(logind->locks[i]))
			close_lock(logind, i);
	while (logind->bus && sd_bus_process(logind->bus, NULL) > 0)
		;
}

/* --------------------------------------------------------------------------- start and end */

struct logind *logind_new(struct bed *bed, bool has_manager)
{
	struct logind *logind = calloc(1, sizeof(*logind));

	if (!logind)
		bed_die("logind", ENOMEM);
	logind->bed = bed;
	logind->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (logind->epoll < 0)
		bed_die("epoll", errno);
	bus_daemon_init(&logind->daemon, bed);
	bus_daemon_start(&logind->daemon);
	if (has_manager)
		start_manager(logind);
	bed_watch(bed, logind->epoll, on_ready, logind);
	return logind;
}

struct logind *logind_new_real(struct bed *bed)
{
	struct logind *logind = logind_new(bed, false);

	start_real(logind);
	if (bed_wait(bed, BED_LONG, is_up_or_ended, logind) && logind->is_real_up)
		return logind;
	return logind_free(logind);
}

unsigned logind_listed(struct logind *logind)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const char *what, *who, *why, *mode;
	unsigned n = 0;
	int r = sd_bus_call_method(logind->bus, "org.freedesktop.login1", "/org/freedesktop/login1",
		MANAGER, "ListInhibitors", NULL, &reply, "");

	if (r >= 0)
		r = sd_bus_message_enter_container(reply, 'a', "(ssssuu)");
	while (r >= 0 && (r = sd_bus_message_read(
				  reply, "(ssssuu)", &what, &who, &why, &mode, NULL, NULL)) > 0)
		n += (strcmp(what, "sleep") == 0 || strcmp(what, "shutdown") == 0) &&
		     strcmp(who, "plugflash") == 0 && strcmp(mode, "delay") == 0;
	check("ListInhibitors", r);
	return n;
}

void logind_end_bus(struct logind *logind)
{
	logind->manager = sd_bus_slot_unref(logind->manager);
	logind->bus = sd_bus_close_unref(logind->bus);
	bus_daemon_end(&logind->daemon);
}

struct logind *logind_free(struct logind *logind)
{
	if (!logind)
		return NULL;
	bed_watch(logind->bed, -1, NULL, NULL);
	if (logind->real > 0) {
		kill(logind->real, SIGKILL);
		waitpid(logind->real, NULL, 0);
	}
	logind_end_bus(logind);
	for (unsigned i = 0; i < logind->n_asked; i++)
		close_lock(logind, i);
	close(logind->epoll);
	bus_daemon_done(&logind->daemon);
	free(logind);
	return NULL;
}

/* --------------------------------------------------------------------------------- verbs */

void logind_be_mute(struct logind *logind)
{
	logind->is_mute = true;
}

void logind_refuse(struct logind *logind, const char *what)
{
	logind->refused = what;
}

void logind_be_going_down(struct logind *logind)
{
	logind->is_going_down = true;
}

void logind_prepare(struct logind *logind, const char *signal, bool is_begun)
{
	logind->is_going_down = is_begun;
	check(signal, sd_bus_emit_signal(logind->bus, "/org/freedesktop/login1", MANAGER, signal,
			      "b", (int)is_begun));
	check(signal, sd_bus_flush(logind->bus));
}

unsigned logind_asked(const struct logind *logind)
{
	return logind->n_asked;
}

unsigned logind_held(const struct logind *logind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < logind->n_asked; i++)
		n += logind->locks[i] >= 0 && !is_released(logind->locks[i]);
	return n;
}

const char *logind_last(const struct logind *logind)
{
	return logind->last;
}

struct count_wait {
	const struct logind *logind;
	unsigned (*count)(const struct logind *logind);
	unsigned n;
};

static bool is_so_many(void *userdata)
{
	const struct count_wait *wait = userdata;

	return wait->count(wait->logind) == wait->n;
}

bool logind_wait_held(struct logind *logind, unsigned milliseconds, unsigned n)
{
	struct count_wait wait = {logind, logind_held, n};

	return bed_wait(logind->bed, milliseconds, is_so_many, &wait);
}

bool logind_wait_asked(struct logind *logind, unsigned milliseconds, unsigned n)
{
	struct count_wait wait = {logind, logind_asked, n};

	return bed_wait(logind->bed, milliseconds, is_so_many, &wait);
}
