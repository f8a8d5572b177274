/* SPDX-License-Identifier: MIT */
/*
 * monitor.h - which bridges there are, and which come and go: libudev behind facts.
 *
 * Nothing outside monitor.c knows libudev. Only ttys whose USB parent is bound to the cp210x driver
 * are reported; nothing here opens a port.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "rules/facts.h"

enum monitor_event {
	MONITOR_PRESENT, /* the bridge is there: "add", "change", "bind" or found by enumeration */
	MONITOR_GONE,	 /* "remove"; of the facts only port and sysfs are set */
	MONITOR_MISSED,	 /* one could not be read, the host is short of something; facts NULL */
	MONITOR_LOST, /* the socket overflowed and events are lost: enumerate again; facts NULL */
};

typedef void (*monitor_fn)(void *userdata, enum monitor_event event, const struct facts *facts);

struct monitor;

/* Arms the socket for events of the udev daemon. Enumerate afterwards, so that none is missed. */
int monitor_new(monitor_fn fn, void *userdata, struct monitor **ret);
struct monitor *monitor_free(struct monitor *monitor);

/* To be watched for EPOLLIN. */
int monitor_fd(const struct monitor *monitor);

/* Takes every event that is waiting and calls back. 0 or -errno; an overflow is MONITOR_LOST, not
 * an error. */
int monitor_dispatch(struct monitor *monitor);

/* Calls back with MONITOR_PRESENT for every bridge there is now. */
int monitor_enumerate(struct monitor *monitor);

/* The same without a monitor, for the command: all bridges now, in order of their port names. */
int bridges_list(struct facts **ret, size_t *ret_n);
void bridges_free(struct facts *bridges, size_t n_bridges);

/* The bridge with this device node (a link to it will do). 0, -ENODEV (no bridge there), -errno. */
int bridge_find(const char *port, struct facts *ret);

/* What the rules of udev made of a bridge. */
struct bridge_marks {
	bool is_tagged;	    /* "plugflash": our rules have run for its tty */
	bool is_off_limits; /* ModemManager is told to leave it alone, the device or the port */
};

/* Of the tty with these facts. 0, -ENODEV, -ENOMEM. */
int bridge_marks(const struct facts *bridge, struct bridge_marks *ret);
