/* SPDX-License-Identifier: MIT */
/*
 * ezsp.h - frames of the EmberZNet Serial Protocol: Silicon Labs UG100 (application-protocols.md
 * 3). The header has three forms, by the version that both sides settled on. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ezsp_frame {
	EZSP_VERSION = 0x00,
	EZSP_INVALID_COMMAND = 0x58,
	EZSP_LAUNCH_BOOTLOADER = 0x8F, /* launchStandaloneBootloader */
	EZSP_GET_VALUE = 0xAA,
};

enum { EZSP_VALUE_VERSION_INFO = 0x11, EZSP_BOOTLOADER_MENU = 0x01 };

/* The version that is asked for first, and the first ones with another header. */
enum { EZSP_FIRST = 4, EZSP_WITH_FF = 5, EZSP_EXTENDED = 8, EZSP_LONG_STATUS = 14 };

#define EZSP_HEADER_MAX 5

/* Writes the header of a command; returns how many bytes it has. */
size_t ezsp_make_header(
	uint8_t to[static EZSP_HEADER_MAX], uint8_t version, uint8_t number, enum ezsp_frame frame);

/* What an NCP sent: a response or a callback. */
struct ezsp_response {
	uint8_t number; /* of the command */
	uint16_t frame;
	bool is_callback;
	const uint8_t *data; /* in what was read */
	size_t n_data;
};

/* False: no frame of an NCP. */
bool ezsp_read(const uint8_t *bytes, size_t n_bytes, uint8_t version, struct ezsp_response *ret);

/*
 * The text of an answer to getValue(VERSION_INFO): "7.4.3.0", or of the stack's version in the
 * answer to `version`: 0x7430. False: there is none in it.
 */
bool ezsp_version_info(
	const struct ezsp_response *response, uint8_t version, char *to, size_t size);
bool ezsp_stack_version(const struct ezsp_response *response, char *to, size_t size);
