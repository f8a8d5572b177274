/* SPDX-License-Identifier: MIT */
/*
 * bus-inhibit.h - inhibitors that callers of the bus have: as long as a descriptor is open, nothing
 * begins, at one bridge or at all.
 */
#pragma once

#include <stdint.h>
#include <sys/queue.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "service/dispatcher.h"

struct inhibits {
	sd_event *event;
	struct dispatcher *dispatcher;
	TAILQ_HEAD(inhibit_list, inhibit) items;
};

void inhibits_init(struct inhibits *inhibits, sd_event *event, struct dispatcher *dispatcher);

/* What somebody asks for. */
struct inhibit_wish {
	uint64_t bridge;    /* its number, 0: all */
	bool stops_owners;  /* the units that own its port are stopped as well, for as long */
	bool changes_flash; /* what is known of the unit behind the bridge will not be so any more
			     */
	const char *who, *why;
};

/*
 * One more. The call is answered with the descriptor: now, or once no worker and no owner has that
 * bridge. 0, or an enum holds_result with the reason; -errno.
 */
int inhibits_take(struct inhibits *inhibits, const struct inhibit_wish *wish, sd_bus_message *call,
	struct reason *reason);

/* After a turn: answers those whose bridge is free. */
void inhibits_turn(struct inhibits *inhibits);

/* The bus goes, and with it who waits for an answer. Those that were given stay. */
void inhibits_drop(struct inhibits *inhibits);

/* Releases all. */
void inhibits_done(struct inhibits *inhibits);
