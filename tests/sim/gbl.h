/* SPDX-License-Identifier: MIT */
/* gbl.h - a GBL (Silicon Labs UG266): header tag, one tag to erase and program, end tag with CRC.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#define GBL_HEAD_BYTES 28 /* up to the first byte of the program */
#define GBL_END_BYTES  12
#define GBL_BYTES(n)   ((n) + GBL_HEAD_BYTES + GBL_END_BYTES)

static inline uint8_t *gbl_put(uint8_t *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		*to++ = (uint8_t)(value >> 8 * i);
	return to;
}

/* Writes GBL_BYTES(n) bytes. */
static inline void gbl_make(uint8_t *to, const uint8_t *program, uint32_t n)
{
	const uint32_t head[] = {0x03A617EB, 8, 0x03000000, 0, 0xFD0303FD, n + 4, 0x4000};
	uint8_t *begin = to;
	uint32_t crc = 0xFFFFFFFF;

	for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
		to = gbl_put(to, head[i]);
	memcpy(to, program, n);
	to = gbl_put(to + n, 0xFC0404FC);
	to = gbl_put(to, 4);
	for (const uint8_t *at = begin; at < to; at++) {
		crc ^= *at;
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
	}
	(void)gbl_put(to, ~crc);
}
