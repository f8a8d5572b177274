/* SPDX-License-Identifier: MIT */
/*
 * packet.h - the frames of XMODEM and YMODEM (Forsberg, "XMODEM/YMODEM protocol reference", 1988).
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum packet_byte {
	PACKET_SOH = 0x01, /* a block of 128 */
	PACKET_STX = 0x02, /* a block of 1024 */
	PACKET_EOT = 0x04,
	PACKET_ACK = 0x06,
	PACKET_NAK = 0x15,
	PACKET_CAN = 0x18,
	PACKET_SUB = 0x1A, /* fills the last block */
	PACKET_CRC = 0x43, /* 'C': the receiver wants CRCs */
};

#define PACKET_SMALL 128
#define PACKET_LARGE 1024
#define PACKET_BYTES (3 + PACKET_LARGE + 2)

/* How a block is secured: the receiver asks for the one or the other. */
enum packet_check { PACKET_CHECK_SUM, PACKET_CHECK_CRC };

/* CRC-16/XMODEM: 0x1021, begins with 0, most significant bit first. */
uint16_t packet_crc(const uint8_t *bytes, size_t n_bytes);

/*
 * A frame of `size` bytes of payload (PACKET_SMALL or PACKET_LARGE), of which `n_data` are given
 * and the rest is `filler`. Returns its length, at most PACKET_BYTES.
 */
size_t packet_make(uint8_t to[PACKET_BYTES], uint8_t number, const uint8_t *data, size_t n_data,
	size_t size, uint8_t filler, enum packet_check check);

/* What a frame that begins with this byte has in all; 0: none does. */
size_t packet_length(uint8_t first, enum packet_check check);

/* Whether number and check of a whole frame are right. */
bool packet_is_sound(const uint8_t *frame, size_t n_frame, enum packet_check check);
