/* SPDX-License-Identifier: MIT */
/*
 * core.h - the program in the RAM of a simulated STM32 on an emulated processor, in the time of the
 * line: see core-private.h for its parts, sim/core-knobs.h for what a test may ask of it.
 */
#pragma once

#include "sim/program.h"

extern const struct program_ops core_program;

/* Of one that core_program made. */
const struct sim_core_state *core_tell(const void *program);

/* How many of the half-words in this part of the RAM were executed. */
uint32_t core_coverage(const void *program, uint32_t address, uint32_t size);
