/* SPDX-License-Identifier: MIT */
/*
 * zwave.h - frames of the Z-Wave Serial API: INS12350 (application-protocols.md 1). A data frame is
 * SOF, length, type, function, data, checksum; ACK, NAK and CAN are one byte. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum zwave_byte { ZWAVE_SOF = 0x01, ZWAVE_ACK = 0x06, ZWAVE_NAK = 0x15, ZWAVE_CAN = 0x18 };

enum zwave_type { ZWAVE_REQUEST = 0, ZWAVE_RESPONSE = 1 };

enum zwave_function {
	ZWAVE_GET_CAPABILITIES = 0x07,
	ZWAVE_GET_PROTOCOL_VERSION = 0x09,
	ZWAVE_STARTED = 0x0A,
	ZWAVE_GET_VERSION = 0x15,
	ZWAVE_ENTER_LOADER = 0x27,
};

/* Of a data frame. */
enum zwave_offset { ZWAVE_LENGTH = 1, ZWAVE_TYPE = 2, ZWAVE_FUNCTION = 3, ZWAVE_DATA = 4 };

#define ZWAVE_REQUEST_BYTES 5

/* A request without data. */
void zwave_make(uint8_t to[static ZWAVE_REQUEST_BYTES], enum zwave_function function);

/* A frames_look_fn. */
int zwave_look(const uint8_t *bytes, size_t n_bytes);

/* The major number in the text of GET_VERSION, "Z-Wave 7.18"; 0: there is none. */
unsigned zwave_major(const char *text);

/* Whether the answer to GET_CAPABILITIES says that the function is there. */
bool zwave_has(const uint8_t *capabilities, size_t n_capabilities, enum zwave_function function);
