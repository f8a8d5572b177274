/* SPDX-License-Identifier: MIT */
/*
 * fault-keys.h - the simulator's fault knobs by name, as they are written in commands: the names
 * are those of struct sim_faults.
 */
#pragma once

#include "sim/sim.h"

/* "erase_nsec=never", "nack_command=3"; 0, or -EINVAL where there is no such knob or number. */
int fault_key_set(struct sim_faults *faults, const char *key, const char *value);
