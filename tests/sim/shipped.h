/* SPDX-License-Identifier: MIT */
/* shipped.h - the chip table that is installed, for simulated boards. */
#pragma once

#include "chip/chips.h"

/* Read once for all boards of a program; NULL where it cannot be read. */
const struct chip_table *shipped_chips(void);

/* A table of its own, to be freed; like chip_table_load(). */
int shipped_chips_load(struct chip_table *ret);
