/* SPDX-License-Identifier: MIT */
/*
 * systemd1.h - on the bed's bus as much of systemd's manager as a service has to do with that stops
 * and starts units. Made from org.freedesktop.systemd1(5). Only tests include it.
 */
#pragma once

#include <stdbool.h>

#include "bed/peer.h"

struct systemd1_stand;

/* The bus runs. Its units are there until it is freed; the manager may go and come again, with the
 * bus or without. */
struct systemd1_stand *systemd1_stand_new(struct bed *bed, struct peers *peers);
struct systemd1_stand *systemd1_stand_free(struct systemd1_stand *stand);

enum stand_way {
	STAND_DOES,	   /* at once */
	STAND_WAITS,	   /* the job ends by systemd1_stand_end() */
	STAND_REFUSES,	   /* polkit does not allow it */
	STAND_MASKED,	   /* the unit is masked by then */
	STAND_FAILS,	   /* the job ends as "failed", and the unit is that */
	STAND_DESTRUCTIVE, /* the jobs of a shutdown stand against it */
};

/* A unit, loaded, in this state: "active", "inactive", "failed" ... TimeoutStopSec= is 1 s. */
void systemd1_stand_add(struct systemd1_stand *stand, const char *id, const char *active);
void systemd1_stand_set_active(struct systemd1_stand *stand, const char *id, const char *active);
void systemd1_stand_set_load(struct systemd1_stand *stand, const char *id, const char *load);
void systemd1_stand_set_alias(struct systemd1_stand *stand, const char *id, const char *alias);
void systemd1_stand_set_stop(struct systemd1_stand *stand, const char *id, enum stand_way way);
void systemd1_stand_set_start(struct systemd1_stand *stand, const char *id, enum stand_way way);
/* The process that runs while the unit does: it gets SIGTERM, and is reaped, when that is stopped.
 */
void systemd1_stand_set_process(struct systemd1_stand *stand, const char *id, pid_t pid);

/* Somebody else has ordered its stop, and that waits. */
void systemd1_stand_order_stop(struct systemd1_stand *stand, const char *id);
/* The job that waits ends with this word. */
void systemd1_stand_end(struct systemd1_stand *stand, const char *id, const char *result);

void systemd1_stand_go(struct systemd1_stand *stand);
void systemd1_stand_come(struct systemd1_stand *stand);

/* Orders so far, "stop a.service replace; start a.service fail"; "" none. */
const char *systemd1_stand_orders(const struct systemd1_stand *stand);
/* All calls, of whatever kind. */
unsigned systemd1_stand_calls(const struct systemd1_stand *stand);
const char *systemd1_stand_active(const struct systemd1_stand *stand, const char *id);

bool systemd1_stand_wait_active(
	struct systemd1_stand *stand, unsigned milliseconds, const char *id, const char *active);
bool systemd1_stand_wait_orders(
	struct systemd1_stand *stand, unsigned milliseconds, const char *orders);
