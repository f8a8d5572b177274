/* SPDX-License-Identifier: MIT */
/*
 * cpc.h - frames of Silicon Labs' Co-Processor Communication on its system endpoint
 * (application-protocols.md 4): flag, endpoint, length, control, CRC of these; payload and its CRC.
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPC_VALUE_MAX 16 /* of what plugflash sends */
#define CPC_FRAME_MAX (7 + 4 + 4 + CPC_VALUE_MAX + 2)

enum cpc_byte {
	CPC_FLAG = 0x14,
	CPC_SYSTEM = 0,	       /* the endpoint */
	CPC_POLL_FINAL = 0xC4, /* control: unnumbered, a command or the answer to one */
};

enum cpc_command {
	CPC_RESET = 0x01,
	CPC_PROPERTY_GET = 0x02,
	CPC_PROPERTY_SET = 0x03,
	CPC_PROPERTY_IS = 0x06,
};

enum cpc_property {
	CPC_LAST_STATUS = 0x00,	      /* u32, in the place of an answer */
	CPC_SECONDARY_VERSION = 0x03, /* of CPC: three u32 */
	CPC_APPLICATION_VERSION = 0x04,
	CPC_REBOOT_MODE = 0x202, /* u32: 0 application, 1 boot loader */
};

/* A property with its value, or RESET, which has neither. Returns how many bytes the frame has. */
size_t cpc_make_property(uint8_t to[static CPC_FRAME_MAX], enum cpc_command command, uint8_t number,
	enum cpc_property property, const uint8_t *value, size_t n_value);
size_t cpc_make_reset(uint8_t to[static CPC_FRAME_MAX], uint8_t number);

/* A frames_look_fn. */
int cpc_look(const uint8_t *bytes, size_t n_bytes);

/* An answer of the system endpoint, in a frame that cpc_look() found. */
struct cpc_answer {
	uint8_t command, number;
	uint32_t property; /* of CPC_PROPERTY_IS */
	const uint8_t *value;
	size_t n_value;
};

bool cpc_read(const uint8_t *frame, size_t n_frame, struct cpc_answer *ret);
