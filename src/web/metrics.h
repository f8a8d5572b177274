/* SPDX-License-Identifier: MIT */
/*
 * metrics.h - the state of the service in the text format of Prometheus, 0.0.4.
 *
 * Everything is a gauge. The service counts by day, and its counts begin anew at midnight; they are
 * named for that (plugflash_today_...), and are no counters: one that is read once an hour would
 * lose what happened between the last reading and midnight, and rate() would not tell. Counting on
 * in this process would be worse, since it ends when nobody asks.
 */
#pragma once

#include <stdio.h>

#include "api/state.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Without a service only plugflash_up and plugflash_web_build_info are told. */
void metrics_write(const struct state *state, FILE *to);
