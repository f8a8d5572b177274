/* SPDX-License-Identifier: MIT */
#include "chip/family.h"

const struct family *const chip_families[] = {&family_stm32, &family_esp, &family_cc13xx, NULL};
