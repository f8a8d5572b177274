/* SPDX-License-Identifier: MIT */
#include "application/crc16.h"

uint16_t crc16_ccitt(uint16_t begin, const uint8_t *bytes, size_t n_bytes)
{
	unsigned crc = begin;

	for (size_t i = 0; i < n_bytes; i++) {
		crc ^= (unsigned)bytes[i] << 8;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1) & 0xFFFF;
	}
	return (uint16_t)crc;
}

uint16_t crc16_x25(const uint8_t *bytes, size_t n_bytes)
{
	unsigned crc = 0xFFFF;

	for (size_t i = 0; i < n_bytes; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x8408 : crc >> 1;
	}
	return (uint16_t)(crc ^ 0xFFFF);
}
