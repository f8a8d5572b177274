/* SPDX-License-Identifier: MIT */
/* stub-program.h - the built stub (src/stub/stub.bin), which a load image begins with. */
#pragma once

#include <stddef.h>
#include <stdint.h>

extern const uint8_t stub_program[];
extern const size_t stub_program_size; /* a multiple of 4, at most STUB_SIZE_MAX */
