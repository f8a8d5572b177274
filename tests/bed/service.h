/* SPDX-License-Identifier: MIT */
/*
 * service.h - the real plugflashd as a child of the bed: started as systemd would, listened to
 * through NOTIFY_SOCKET, looked at through /proc.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct service {
	pid_t pid; /* 0: not running */
	int pidfd;
	int notify; /* our end of NOTIFY_SOCKET */
	char notify_path[100];
	bool is_ready;
	bool is_stopping;
	unsigned n_ready; /* once more after each reload */
	unsigned n_watchdog;
	unsigned n_extensions; /* of the time to stop */
	char status[512];
	int exit_status; /* of waitpid(), once it has ended */
};

/* `directory` is the bed's; the notify socket is made there. 0 or -errno. */
int service_init(struct service *service, const char *directory);
void service_done(struct service *service);

/* Starts $BUILD/plugflashd. `watchdog_usec` 0: none. 0 or -errno. */
int service_start(struct service *service, const char *directory, uint64_t watchdog_usec);

/* Takes the messages that are waiting. */
void service_dispatch_notify(struct service *service);

/* After the pidfd became readable. */
void service_reap(struct service *service);

/* A number out of /proc/PID/status, "voluntary_ctxt_switches" or "VmRSS" (KiB); -1 not there. */
long service_figure(const struct service *service, const char *name);

/*
 * For a child before it executes anything: no capability is left, as in the unit. So modes of files
 * and TIOCEXCL hold for root, too.
 */
void child_drop_capabilities(void);
