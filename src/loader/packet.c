/* SPDX-License-Identifier: MIT */
#include "loader/packet.h"

#include <string.h>

uint16_t packet_crc(const uint8_t *bytes, size_t n_bytes)
{
	unsigned crc = 0;

	for (size_t i = 0; i < n_bytes; i++) {
		crc ^= (unsigned)bytes[i] << 8;
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
	}
	return (uint16_t)crc;
}

static uint8_t sum(const uint8_t *bytes, size_t n_bytes)
{
	uint8_t total = 0;

	for (size_t i = 0; i < n_bytes; i++)
		total = (uint8_t)(total + bytes[i]);
	return total;
}

size_t packet_make(uint8_t to[PACKET_BYTES], uint8_t number, const uint8_t *data, size_t n_data,
	size_t size, uint8_t filler, enum packet_check check)
{
	uint16_t crc;

	to[0] = size == PACKET_LARGE ? PACKET_STX : PACKET_SOH;
	to[1] = number;
	to[2] = (uint8_t)~number;
	if (n_data > 0)
		memcpy(to + 3, data, n_data);
	memset(to + 3 + n_data, filler, size - n_data);
	switch (check) {
	case PACKET_CHECK_SUM:
		to[3 + size] = sum(to + 3, size);
		return 3 + size + 1;
	case PACKET_CHECK_CRC:
		crc = packet_crc(to + 3, size);
		to[3 + size] = (uint8_t)(crc >> 8);
		to[3 + size + 1] = (uint8_t)crc;
		return 3 + size + 2;
	}
	return 0;
}

size_t packet_length(uint8_t first, enum packet_check check)
{
	size_t check_bytes = check == PACKET_CHECK_CRC ? 2 : 1;

	if (first == PACKET_SOH)
		return 3 + PACKET_SMALL + check_bytes;
	return first == PACKET_STX ? 3 + PACKET_LARGE + check_bytes : 0;
}

bool packet_is_sound(const uint8_t *frame, size_t n_frame, enum packet_check check)
{
	size_t size = n_frame - 3 - (check == PACKET_CHECK_CRC ? 2 : 1);
	const uint8_t *data = frame + 3;

	if ((frame[1] ^ frame[2]) != 0xFF)
		return false;
	if (check == PACKET_CHECK_SUM)
		return sum(data, size) == data[size];
	return packet_crc(data, size) == (data[size] << 8 | data[size + 1]);
}
