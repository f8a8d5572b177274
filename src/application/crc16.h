/* SPDX-License-Identifier: MIT */
/* crc16.h - the two checks by polynomial 0x1021 that these protocols have. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Most significant bit first. Begins with 0 for CPC, with 0xFFFF for ASH. */
uint16_t crc16_ccitt(uint16_t begin, const uint8_t *bytes, size_t n_bytes);

/* CRC-16/X-25, as HDLC has it: least significant bit first, inverted at the end. */
uint16_t crc16_x25(const uint8_t *bytes, size_t n_bytes);
