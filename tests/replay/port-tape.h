/* SPDX-License-Identifier: MIT */
/*
 * port-tape.h - device/port.h with a transcript in the place of the bridge: a chip that says just
 * this, on a clock that moves only while somebody waits.
 *
 * What it says comes behind what was sent to it then, and as long after it as then. So the client
 * may read in other pieces, wait otherwise or throw away what it does not need; it may not send
 * other bytes, move a line otherwise or set another rate. The first such difference ends the
 * conversation: from there on the bridge is gone, and nobody knows what the board would have said.
 */
#pragma once

#include "device/port.h"
#include "replay/tape.h"

#define TAPE_PORT "tape"

/* What port_open() opens from now on; borrowed. */
void port_tape_insert(struct tape *tape);

/* "line 12: plugflash sends 01 fe, and the transcript has 00 ff"; NULL: no difference. Asked once
 * the port is closed; what of the transcript was left over is one, too. */
const char *port_tape_difference(void);
