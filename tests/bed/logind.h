/* SPDX-License-Identifier: MIT */
/*
 * logind.h - a bus of the bed's own (dbus-daemon), and on it as much of logind as a service has to
 * do with that wants the host to wait. Only tests include it.
 */
#pragma once

#include <stdbool.h>

#include "bed/bed.h"

struct logind;

/* Before the service is started, which finds the bus by its environment. Without
 * `has_manager` there is nobody on it. */
struct logind *logind_new(struct bed *bed, bool has_manager);
/* The same bus with systemd's own logind on it. NULL: it does not come up here. */
struct logind *logind_new_real(struct bed *bed);
struct logind *logind_free(struct logind *logind);

/* Calls are taken, and not answered. */
void logind_be_mute(struct logind *logind);

/* A lock of this, "sleep" or "shutdown", is refused. */
void logind_refuse(struct logind *logind, const char *what);

/* It tells everybody, "PrepareForSleep" or "PrepareForShutdown", and takes no more locks until it
 * tells the end. */
void logind_prepare(struct logind *logind, const char *signal, bool is_begun);
/* It takes no more locks, and told nobody who is there now. */
void logind_be_going_down(struct logind *logind);

/* The bus ends, and all that goes over it. */
void logind_end_bus(struct logind *logind);

/* Locks that were asked for so far, and those that are still held. */
unsigned logind_asked(const struct logind *logind);
unsigned logind_held(const struct logind *logind);
/* What, who, why and mode of the last of them, with colons between. */
const char *logind_last(const struct logind *logind);

/* Locks "sleep" or "shutdown", "delay", of plugflash by the list of the real one. */
unsigned logind_listed(struct logind *logind);

bool logind_wait_held(struct logind *logind, unsigned milliseconds, unsigned n);
bool logind_wait_asked(struct logind *logind, unsigned milliseconds, unsigned n);
