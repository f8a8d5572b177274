/* SPDX-License-Identifier: MIT */
/* family-esp.h - the row of a chip of the family, for its loader and its identification. */
#pragma once

#include "chip/esp-row.h"
