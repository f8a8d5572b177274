/* SPDX-License-Identifier: MIT */
/*
 * mt.h - frames of TI's Monitor and Test interface, which Z-Stack speaks (application-protocols.md
 * 6): FE, length, two bytes of command, data, XOR of all but the FE. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MT_DATA_MAX  250
#define MT_FRAME_MAX (1 + 3 + MT_DATA_MAX + 1)

enum mt_byte { MT_SOF = 0xFE };

/* Of a frame from its length byte on. */
enum mt_offset { MT_LENGTH = 1, MT_COMMAND_0 = 2, MT_COMMAND_1 = 3, MT_DATA = 4 };

/* Both bytes of a command. */
enum mt_command {
	MT_RPC_ERROR = 0x6000, /* error, then the two bytes of what was asked */
	MT_SYS_VERSION = 0x2102,
	MT_SYS_VERSION_ANSWER = 0x6102,
	MT_SYS_RESET_INDICATION = 0x4180,
};

/* Returns how many bytes the frame has. */
size_t mt_make(uint8_t to[static MT_FRAME_MAX], enum mt_command command, const uint8_t *data,
	size_t n_data);

/* A frames_look_fn. */
int mt_look(const uint8_t *bytes, size_t n_bytes);

/* The version of SYS_VERSION's answer as text; false: too short. Room for 16 bytes is enough. */
bool mt_version(const uint8_t *data, size_t n_data, char *to, size_t size);
