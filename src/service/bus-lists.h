/* SPDX-License-Identifier: MIT */
/*
 * bus-lists.h - what is kept, for those who ask on the bus: rows of attempts and units by the order
 * of their ids, so that a list goes on where the last answer ended.
 */
#pragma once

#include <systemd/sd-bus.h>

#include "api/dict.h"
#include "records/store.h"
#include "service/records.h"

/* Rows of one answer. */
#define LISTS_MOST 200

/* Under the keys of `plugflash history --json`, with `id`; times are milliseconds. 0 or -ENOMEM. */
int attempt_to_dict(const struct store_attempt *attempt, struct dict *ret);
int unit_to_dict(const struct store_unit *unit, struct dict *ret);

/* Read the arguments of ListAttempts and ListUnits, and answer. 1, or < 0 and the error. */
int lists_attempts(struct records *records, sd_bus_message *call, sd_bus_error *error);
int lists_units(struct records *records, sd_bus_message *call, sd_bus_error *error);
