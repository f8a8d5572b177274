/* SPDX-License-Identifier: MIT */
/*
 * inhibitor.c - org.freedesktop.login1(5) over sd-bus: Inhibit, PrepareForSleep,
 * PrepareForShutdown.
 *
 * Sleep and shutdown are two locks. logind of systemd 252 takes a call for both at once, but asks
 * polkit for another action then (inhibit-handle-lid-switch), which a service without a seat is
 * refused. Each lock may be refused alone, and the other one is held all the same.
 */
#include "service/inhibitor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <systemd/sd-bus.h>

#include "base/log.h"
#include "base/names.h"
#include "base/util.h"

#define LOGIND_NAME	 "org.freedesktop.login1"
#define LOGIND_PATH	 "/org/freedesktop/login1"
#define LOGIND_INTERFACE "org.freedesktop.login1.Manager"

/* The answer of logind while the host already goes down. */
#define ERROR_IN_PROGRESS LOGIND_NAME ".OperationInProgress"

/* It answers in milliseconds, where it has to start polkit first in seconds. A board waits for no
 * more than this; a lock that is given later is taken all the same. */
#define ASK_USEC USEC_PER_SEC

/* A host that said it goes down, never that it does not, and is still up, does not. The clock
 * stands still while it sleeps. */
#define GOING_DOWN_USEC	    (300 * USEC_PER_SEC)

#define TIMER_ACCURACY_USEC (20 * USEC_PER_MSEC)

enum lock {
	LOCK_NONE,
	LOCK_ASKED,
	LOCK_LATE, /* asked for, and no board waits for the answer any more */
	LOCK_HELD,
	LOCK_REFUSED, /* not asked again on this connection */
};

#define N_DELAYS 2

static const char *const delay_names[N_DELAYS] = {"sleep", "shutdown"};

/* One of the two that the host is asked to delay. */
struct delay {
	struct inhibitor *inhibitor;
	const char *what;
	enum lock lock;
	sd_bus_slot *call;
	int fd;		   /* of the lock, whose end it is to be closed; -1 */
	char trouble[128]; /* why it is not held; empty: nothing is wrong */
	bool is_trouble_told;
};

struct inhibitor {
	sd_event *event;
	struct inhibitor_callbacks callbacks;
	enum inhibitor_need need;
	sd_bus *bus; /* NULL: not connected */
	struct delay delays[N_DELAYS];
	sd_event_source *ask_timer;
	bool is_going_down;
	sd_event_source *down_timer;
	bool has_failed; /* no connection, until there is nothing to flash */
};

static void tell_change(struct inhibitor *inhibitor)
{
	inhibitor->callbacks.on_change(inhibitor->callbacks.userdata);
}

static void note_trouble(struct delay *delay, const char *why)
{
	snprintf(delay->trouble, sizeof(delay->trouble), "%s", why);
}

/* Once for each of the two, and in one entry where they have one reason. */
static void tell_trouble(struct inhibitor *inhibitor)
{
	struct delay *sleep = &inhibitor->delays[0], *shutdown = &inhibitor->delays[1];
	bool is_one = strcmp(sleep->trouble, shutdown->trouble) == 0 &&
		      sleep->is_trouble_told == shutdown->is_trouble_told;

	for (size_t i = 0; i < N_DELAYS; i++) {
		struct delay *delay = &inhibitor->delays[i];

		if (!*delay->trouble || delay->is_trouble_told)
			continue;
		delay->is_trouble_told = true;
		log_event(LOG_WARNING, MESSAGE_NO_DELAY, NULL,
			"the host does not wait with %s while boards are flashed, logind cannot be asked to: %s",
			is_one ? "sleep and shutdown" : delay->what, delay->trouble);
		if (is_one)
			shutdown->is_trouble_told = true;
	}
}

static void tell_trouble_of_all(struct inhibitor *inhibitor, const char *why)
{
	for (size_t i = 0; i < N_DELAYS; i++)
		note_trouble(&inhibitor->delays[i], why);
	tell_trouble(inhibitor);
}

/* ------------------------------------------------------------------------- going down */

static int on_still_up(sd_event_source *source, uint64_t usec, void *userdata);

static void set_going_down(struct inhibitor *inhibitor, bool is_going_down)
{
	if (inhibitor->is_going_down == is_going_down)
		return;
	inhibitor->is_going_down = is_going_down;
	inhibitor->down_timer = sd_event_source_disable_unref(inhibitor->down_timer);
	if (is_going_down)
		log_event(LOG_NOTICE, MESSAGE_GOING_DOWN, NULL,
			"the host is about to sleep or shut down: no board is begun, those that were erased are finished");
	else
		log_event(LOG_NOTICE, MESSAGE_STAYING_UP, NULL,
			"the host is up: boards are flashed again");
	/* Without the timer boards wait until logind says that the host is up again. */
	if (is_going_down)
		(void)sd_event_add_time_relative(inhibitor->event, &inhibitor->down_timer,
			CLOCK_MONOTONIC, GOING_DOWN_USEC, USEC_PER_SEC, on_still_up, inhibitor);
	tell_change(inhibitor);
}

static int on_still_up(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	set_going_down(userdata, false);
	return 0;
}

/* Both signals say with one boolean that it begins, or that it is over. */
static int on_prepare(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	int is_going_down;

	(void)error;
	if (sd_bus_message_read(message, "b", &is_going_down) >= 0)
		set_going_down(userdata, is_going_down != 0);
	return 0;
}

/* ----------------------------------------------------------------------------- the locks */

static void release(struct inhibitor *inhibitor)
{
	for (size_t i = 0; i < N_DELAYS; i++) {
		struct delay *delay = &inhibitor->delays[i];

		if (delay->lock == LOCK_LATE)
			note_trouble(delay, "it does not answer");
		delay->call = sd_bus_slot_unref(delay->call);
		closep(&delay->fd);
		delay->fd = -1;
		if (delay->lock != LOCK_REFUSED)
			delay->lock = LOCK_NONE;
	}
	inhibitor->ask_timer = sd_event_source_disable_unref(inhibitor->ask_timer);
	tell_trouble(inhibitor);
}

static bool is_asking(const struct inhibitor *inhibitor)
{
	for (size_t i = 0; i < N_DELAYS; i++)
		if (inhibitor->delays[i].lock == LOCK_ASKED)
			return true;
	return false;
}

static void refuse(struct delay *delay, const char *why)
{
	delay->lock = LOCK_REFUSED;
	note_trouble(delay, why);
}

static int on_lock(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct delay *delay = userdata;
	struct inhibitor *inhibitor = delay->inhibitor;
	const sd_bus_error *said = sd_bus_message_get_error(message);
	int r, fd;

	(void)error;
	delay->call = sd_bus_slot_unref(delay->call);
	delay->lock = LOCK_NONE;
	if (said && said->name && strcmp(said->name, ERROR_IN_PROGRESS) == 0) {
		set_going_down(inhibitor, true);
	} else if (said) {
		refuse(delay, said->message ? said->message : said->name);
	} else {
		r = sd_bus_message_read(message, "h", &fd);
		/* The descriptor is the message's, which goes when this returns. */
		delay->fd = r < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (delay->fd < 0)
			refuse(delay, strerror(r < 0 ? -r : errno));
		else
			delay->lock = LOCK_HELD;
	}
	if (!is_asking(inhibitor)) {
		inhibitor->ask_timer = sd_event_source_disable_unref(inhibitor->ask_timer);
		tell_trouble(inhibitor);
	}
	tell_change(inhibitor);
	return 0;
}

static int on_silence(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct inhibitor *inhibitor = userdata;

	(void)source;
	(void)usec;
	for (size_t i = 0; i < N_DELAYS; i++)
		if (inhibitor->delays[i].lock == LOCK_ASKED)
			inhibitor->delays[i].lock = LOCK_LATE;
	tell_trouble(inhibitor);
	tell_change(inhibitor);
	return 0;
}

static int ask(struct delay *delay)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *message = NULL;
	sd_bus *bus = delay->inhibitor->bus;
	int r = sd_bus_message_new_method_call(
		bus, &message, LOGIND_NAME, LOGIND_PATH, LOGIND_INTERFACE, "Inhibit");

	/* A host without it need not start one for this. */
	if (r >= 0)
		r = sd_bus_message_set_auto_start(message, false);
	if (r >= 0)
		r = sd_bus_message_append(message, "ssss", delay->what, "plugflash",
			"boards are being flashed", "delay");
	if (r >= 0)
		r = sd_bus_call_async(bus, &delay->call, message, on_lock, delay, 0);
	return r;
}

static void hold(struct inhibitor *inhibitor)
{
	bool is_asked = false;
	int r;

	for (size_t i = 0; inhibitor->bus && i < N_DELAYS; i++) {
		struct delay *delay = &inhibitor->delays[i];

		if (delay->lock != LOCK_NONE)
			continue;
		r = ask(delay);
		if (r < 0)
			refuse(delay, strerror(-r));
		else
			delay->lock = LOCK_ASKED;
		is_asked |= r >= 0;
	}
	tell_trouble(inhibitor);
	/* Without a timer the answer, or its time-out of sd-bus, is waited for. */
	if (is_asked && !inhibitor->ask_timer)
		(void)sd_event_add_time_relative(inhibitor->event, &inhibitor->ask_timer,
			CLOCK_MONOTONIC, ASK_USEC, TIMER_ACCURACY_USEC, on_silence, inhibitor);
}

/* ------------------------------------------------------------------------ the connection */

static void disconnect(struct inhibitor *inhibitor)
{
	release(inhibitor);
	for (size_t i = 0; i < N_DELAYS; i++)
		inhibitor->delays[i].lock = LOCK_NONE;
	inhibitor->bus = sd_bus_close_unref(inhibitor->bus);
}

/* The locks go with the connection; whether logind still delays anything is not known. */
static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct inhibitor *inhibitor = userdata;

	(void)message;
	(void)error;
	disconnect(inhibitor);
	inhibitor->has_failed = true;
	tell_trouble_of_all(inhibitor, "the connection to the bus was lost");
	set_going_down(inhibitor, false);
	tell_change(inhibitor);
	return 0;
}

static int match(struct inhibitor *inhibitor, const char *sender, const char *path,
	const char *interface, const char *member, sd_bus_message_handler_t handler)
{
	return sd_bus_match_signal_async(
		inhibitor->bus, NULL, sender, path, interface, member, handler, NULL, inhibitor);
}

/* Does not wait: the bus takes the matches once it is there. */
static void be_connected(struct inhibitor *inhibitor)
{
	int r;

	if (inhibitor->bus || inhibitor->has_failed)
		return;
	r = sd_bus_open_system(&inhibitor->bus);
	if (r >= 0)
		r = sd_bus_attach_event(inhibitor->bus, inhibitor->event, SD_EVENT_PRIORITY_NORMAL);
	if (r >= 0)
		r = match(inhibitor, NULL, "/org/freedesktop/DBus/Local",
			"org.freedesktop.DBus.Local", "Disconnected", on_disconnected);
	if (r >= 0)
		r = match(inhibitor, LOGIND_NAME, LOGIND_PATH, LOGIND_INTERFACE, "PrepareForSleep",
			on_prepare);
	if (r >= 0)
		r = match(inhibitor, LOGIND_NAME, LOGIND_PATH, LOGIND_INTERFACE,
			"PrepareForShutdown", on_prepare);
	if (r >= 0)
		return;
	disconnect(inhibitor);
	inhibitor->has_failed = true;
	tell_trouble_of_all(inhibitor, strerror(-r));
}

void inhibitor_set_need(struct inhibitor *inhibitor, enum inhibitor_need need)
{
	if (!inhibitor || inhibitor->need == need)
		return;
	inhibitor->need = need;
	switch (need) {
	case INHIBITOR_IDLE:
		disconnect(inhibitor);
		inhibitor->has_failed = false;
		/* The next call to logind says again where that is so. */
		inhibitor->is_going_down = false;
		inhibitor->down_timer = sd_event_source_disable_unref(inhibitor->down_timer);
		break;
	case INHIBITOR_READY:
		be_connected(inhibitor);
		release(inhibitor);
		break;
	case INHIBITOR_HOLD:
		be_connected(inhibitor);
		hold(inhibitor);
		break;
	}
}

enum inhibitor_word inhibitor_word(const struct inhibitor *inhibitor)
{
	if (!inhibitor)
		return INHIBITOR_GO;
	if (inhibitor->is_going_down)
		return INHIBITOR_GOING_DOWN;
	return is_asking(inhibitor) ? INHIBITOR_ASKING : INHIBITOR_GO;
}

/* --------------------------------------------------------------------------- start and end */

int inhibitor_new(
	sd_event *event, const struct inhibitor_callbacks *callbacks, struct inhibitor **ret)
{
	struct inhibitor *inhibitor = calloc(1, sizeof(*inhibitor));

	if (!inhibitor)
		return -ENOMEM;
	inhibitor->event = sd_event_ref(event);
	inhibitor->callbacks = *callbacks;
	for (size_t i = 0; i < N_DELAYS; i++)
		inhibitor->delays[i] =
			(struct delay){.inhibitor = inhibitor, .what = delay_names[i], .fd = -1};
	*ret = inhibitor;
	return 0;
}

struct inhibitor *inhibitor_free(struct inhibitor *inhibitor)
{
	if (!inhibitor)
		return NULL;
	disconnect(inhibitor);
	sd_event_source_disable_unref(inhibitor->down_timer);
	sd_event_unref(inhibitor->event);
	free(inhibitor);
	return NULL;
}
