/* SPDX-License-Identifier: MIT */
/*
 * bus-daemon.h - a dbus-daemon of the bed's own in place of the system bus, with the policy of the
 * system bus and the files that plugflash installs. Only tests include it.
 */
#pragma once

#include <sys/types.h>

#include "bed/bed.h"

struct bus_daemon {
	const char *directory;
	pid_t pid; /* 0: it does not run */
};

/* Names the address in the environment, where service and peers find it. It does not run yet. */
void bus_daemon_init(struct bus_daemon *daemon, struct bed *bed);

/* Comes back when it takes connections. */
void bus_daemon_start(struct bus_daemon *daemon);

/* All that goes over it ends. */
void bus_daemon_end(struct bus_daemon *daemon);

void bus_daemon_done(struct bus_daemon *daemon);
