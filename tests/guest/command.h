/* SPDX-License-Identifier: MIT */
/*
 * command.h - the commands of simboard, a line each, and the boards they have made.
 *
 *   plug NAME [KEY=VALUE ...]  a board with what is said of it; known boards keep what was said
 * before. chip, circuit (direct one-key esp bsl none rom), bridge (cp2102 cp2102n cp2105),
 * interface, serial, product, manufacturer, vid, pid, port, latency (ms), unit (24 hex digits; of a
 * MAC 12, of an IEEE address 16), resident (none iap gecko), program (none peer core), chatter,
 * command, reply, query. In texts %XX is a byte and + a space.
 *   unplug NAME                NAME may be a glob here and in plug of known boards
 *   dump NAME FILE             the flash, to a file
 *   load NAME FILE             the flash, from a file; the rest of it is erased
 *   fault NAME [KEY=VALUE ...] the knobs of struct sim_faults; those not named are off
 *   counters NAME              what the chip has counted
 *   record NAME [INTERFACE]    the serial line since plug-in
 *   state NAME                 reset, application, rom, loader, program or dead, or unplugged
 *   list                       names and ports
 *   quit
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "guest/board.h"

struct commands {
	struct board *boards;
	int next_port; /* for a board that has none of its own */
	bool is_over;  /* quit */
};

void commands_done(struct commands *commands);

/* Does one line, answers on `out`: what was asked, then "ok" or "error: ..." on a line of its own.
 */
void commands_do(struct commands *commands, char *line, FILE *out);
