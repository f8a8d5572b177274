/* SPDX-License-Identifier: MIT */
/*
 * bus-lists.h - what is kept, for those who ask on the bus: rows of attempts and units by the order
 * of their ids, so that a list goes on where the last answer ended, and counts by day.
 */
#pragma once

#include <systemd/sd-bus.h>

#include "api/dict.h"
#include "rules/config.h"
#include "service/records.h"

/* Rows of one answer. */
#define LISTS_MOST 200

/* Read the arguments of ListAttempts, ListUnits and ListCounts, and answer. 1, or < 0 and the
 * error. */
int lists_attempts(struct records *records, sd_bus_message *call, sd_bus_error *error);
int lists_units(struct records *records, sd_bus_message *call, sd_bus_error *error);
int lists_counts(struct records *records, sd_bus_message *call, sd_bus_error *error);

/* The same for ListBoards: the rules as they are in force. */
int lists_boards(const struct config *config, struct records *records, sd_bus_message *call,
	sd_bus_error *error);

/* Who asks without reading the answers gets no more of them: 0, or < 0 and the error. */
int lists_refuse_flood(sd_bus_message *call, sd_bus_error *error);

/* Answers with rows. 1 or -errno. */
int lists_reply(sd_bus_message *call, const struct dict *rows, size_t n_rows);
