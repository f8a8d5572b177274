/* SPDX-License-Identifier: MIT */
/*
 * monitor.c - `plugflash monitor`: the service live.
 *
 * On a terminal the screen of `status` is drawn again after each change, at most each 100 ms, and
 * once a second while something on it counts seconds. With nothing going on there is no timer.
 * Elsewhere, and as JSON, each event is a line (events.c). Either goes on over restarts of service
 * and bus: the client takes them again.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/util.h"
#include "cli/cli.h"
#include "cli/events.h"
#include "cli/full-screen.h"
#include "cli/terminal.h"

#define REDRAW_USEC (100 * USEC_PER_MSEC)
#define REDRAW_KEY  0x0c /* Ctrl-L */

struct monitor {
	sd_event *event;
	struct client *client;
	struct events events;	    /* no terminal */
	struct full_screen *screen; /* a terminal */
	sd_event_source *draw;	    /* when the screen is drawn next; off: at the next change */
	uint64_t drawn_usec;
};

static void end(struct monitor *monitor, int result)
{
	sd_event_exit(monitor->event, result);
}

/* ------------------------------------------------------------------------------- screen */

static void draw_at(struct monitor *monitor, uint64_t usec)
{
	uint64_t due;

	if (sd_event_source_get_enabled(monitor->draw, NULL) > 0 &&
		sd_event_source_get_time(monitor->draw, &due) >= 0 && due <= usec)
		return;
	(void)sd_event_source_set_time(monitor->draw, usec);
	(void)sd_event_source_set_enabled(monitor->draw, SD_EVENT_ONESHOT);
}

static void draw_soon(struct monitor *monitor)
{
	draw_at(monitor, monitor->drawn_usec + REDRAW_USEC);
}

static int draw(struct monitor *monitor)
{
	CLEANUP(state_done) struct state state = {0};
	CLEANUP(screen_done) struct screen screen = {0};
	struct screen_look look = {
		.width = terminal_width(stdout),
		.height = terminal_height(stdout),
		.has_colours = terminal_has_colours(stdout),
		.is_live = true,
	};
	int r = state_of(monitor->client, wall_clock_msec(), &state);
	bool counts_seconds;

	if (r >= 0)
		r = screen_make(&state, &look, &screen);
	if (r < 0)
		return r;
	counts_seconds = screen.counts_seconds;
	r = full_screen_show(monitor->screen, &screen);
	monitor->drawn_usec = monotonic_usec();
	if (counts_seconds)
		draw_at(monitor, monitor->drawn_usec + USEC_PER_SEC);
	return r;
}

static int on_draw(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct monitor *monitor = userdata;
	int r = draw(monitor);

	(void)source;
	(void)usec;
	if (r < 0)
		end(monitor, r);
	return 0;
}

static int on_resize(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct monitor *monitor = userdata;

	(void)source;
	(void)info;
	full_screen_forget(monitor->screen);
	draw_soon(monitor);
	return 0;
}

/* The shell gets its screen while this stands still. */
static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct monitor *monitor = userdata;

	(void)source;
	(void)info;
	full_screen_leave(monitor->screen);
	kill(getpid(), SIGSTOP);
	full_screen_enter(monitor->screen);
	draw_soon(monitor);
	return 0;
}

static int on_end(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	(void)source;
	(void)info;
	end(userdata, 0);
	return 0;
}

static int on_keys(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct monitor *monitor = userdata;
	char keys[64];
	ssize_t n = read(fd, keys, sizeof(keys));

	(void)events;
	if (n <= 0) {
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
		return 0;
	}
	for (ssize_t i = 0; i < n; i++)
		if (keys[i] == 'q' || keys[i] == 'Q') {
			end(monitor, 0);
		} else if (keys[i] == REDRAW_KEY) {
			full_screen_forget(monitor->screen);
			draw_soon(monitor);
		}
	return 0;
}

static int watch_signal(struct monitor *monitor, int number, sd_event_signal_handler_t handler)
{
	sigset_t one;

	sigemptyset(&one);
	sigaddset(&one, number);
	if (sigprocmask(SIG_BLOCK, &one, NULL) < 0)
		return -errno;
	return sd_event_add_signal(monitor->event, NULL, number, handler, monitor);
}

static int begin_screen(struct monitor *monitor)
{
	int r = sd_event_add_time(
		monitor->event, &monitor->draw, CLOCK_MONOTONIC, 0, 1, on_draw, monitor);

	if (r >= 0)
		r = watch_signal(monitor, SIGINT, on_end);
	if (r >= 0)
		r = watch_signal(monitor, SIGTERM, on_end);
	if (r >= 0)
		r = watch_signal(monitor, SIGHUP, on_end);
	if (r >= 0)
		r = watch_signal(monitor, SIGTSTP, on_stop);
	if (r >= 0)
		r = watch_signal(monitor, SIGWINCH, on_resize);
	if (r >= 0 && isatty(STDIN_FILENO))
		r = sd_event_add_io(monitor->event, NULL, STDIN_FILENO, EPOLLIN, on_keys, monitor);
	return r < 0 ? r : full_screen_open(&monitor->screen);
}

/* ------------------------------------------------------------------------------- client */

static void on_presence(void *userdata, enum client_presence presence)
{
	struct monitor *monitor = userdata;
	int r = 0;

	(void)presence;
	if (monitor->screen)
		draw_soon(monitor);
	else
		r = events_presence(&monitor->events, monitor->client);
	if (r < 0)
		end(monitor, r);
}

static void on_change(void *userdata, const struct client_object *object, enum client_change change)
{
	struct monitor *monitor = userdata;
	int r = 0;

	if (monitor->screen)
		draw_soon(monitor);
	else
		r = events_change(&monitor->events, monitor->client, object, change);
	if (r < 0)
		end(monitor, r);
}

static void on_job_removed(
	void *userdata, const char *path, const char *outcome, const struct dict *report)
{
	struct monitor *monitor = userdata;
	int r = 0;

	if (!monitor->screen)
		r = events_job_removed(&monitor->events, monitor->client, path, outcome, report);
	if (r < 0)
		end(monitor, r);
}

static const struct client_callbacks callbacks = {
	.on_presence = on_presence,
	.on_change = on_change,
	.on_job_removed = on_job_removed,
};

/* --------------------------------------------------------------------------------- verb */

static void monitor_done(struct monitor *monitor)
{
	client_free(monitor->client);
	full_screen_close(monitor->screen);
	events_done(&monitor->events);
	sd_event_source_unref(monitor->draw);
	sd_event_unref(monitor->event);
}

static int watch(bool is_json, bool has_screen)
{
	CLEANUP(monitor_done)
	struct monitor monitor = {
		.events = {.to = stdout, .is_json = is_json},
	};
	int r = sd_event_new(&monitor.event);

	if (r >= 0 && has_screen)
		r = begin_screen(&monitor);
	if (r >= 0)
		r = client_new(monitor.event, &callbacks, &monitor, &monitor.client);
	return r < 0 ? r : sd_event_loop(monitor.event);
}

int verb_monitor(const struct options *options)
{
	bool has_screen = terminal_is(stdout) && !options->json;
	int code = 0, r = 0;

	if (has_screen)
		r = full_screen_guard(&code);
	if (r == FULL_SCREEN_GUARD)
		return code;
	if (r == 0)
		r = watch(options->json, has_screen);
	if (r < 0 && r != -EPIPE) {
		fprintf(stderr, "plugflash monitor: %s\n", strerror(-r));
		return outcome_to_exit_code(OUTCOME_FAILED);
	}
	return 0;
}
