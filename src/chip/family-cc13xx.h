/* SPDX-License-Identifier: MIT */
/* family-cc13xx.h - the row of a chip of the family, for its loader and its identification. */
#pragma once

#include "chip/cc13xx-row.h"
