/* SPDX-License-Identifier: MIT */
/*
 * bsl-link.h - packets of TI's ROM (ti-bsl.md 1): a command, its acknowledgement, and the packet
 * that the chip answers with. For the files of the loader `bsl` alone.
 *
 * Results are 0, -errno, or of enum loader_result NO_ANSWER, REFUSED, GARBLED.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/port.h"

/* ti-bsl.md 2. BANK_ERASE is for bsl.c's bank_erase() alone, and SET_CCFG is never sent. */
enum bsl_opcode {
	BSL_PING = 0x20,
	BSL_DOWNLOAD = 0x21,
	BSL_GET_STATUS = 0x23,
	BSL_SEND_DATA = 0x24,
	BSL_RESET = 0x25,
	BSL_SECTOR_ERASE = 0x26, /* of the CC2538: ERASE, with a size */
	BSL_CRC32 = 0x27,
	BSL_GET_CHIP_ID = 0x28,
	BSL_MEMORY_READ = 0x2A,
	BSL_BANK_ERASE = 0x2C,
};

/* ti-bsl.md 2.1. */
enum bsl_status {
	BSL_STATUS_SUCCESS = 0x40,
	BSL_STATUS_UNKNOWN_COMMAND = 0x41,
	BSL_STATUS_INVALID_COMMAND = 0x42,
	BSL_STATUS_INVALID_ADDRESS = 0x43,
	BSL_STATUS_FLASH_FAILED = 0x44,
};

/* The most bytes of data in one packet, by its size of one byte; the command is the first. */
#define BSL_DATA_MAX 253

/* How long an answer may take beyond the time on the line (ti-bsl.md 13). */
#define BSL_ANSWER_USEC (1 * USEC_PER_SEC)

struct bsl_link {
	struct port *port; /* borrowed */
	uint8_t input[512];
	size_t n_input, at; /* received, and used of it */
	uint8_t status;	    /* of the last GET_STATUS; 0: it arrived bent each time */
	unsigned n_zeros;   /* times that zeros were sent: the last status may be theirs */
};

/*
 * Finds the loader, after a reset or in the middle of anything. LOADER_NO_ANSWER, and
 * LOADER_GARBLED where something else than an acknowledgement came.
 */
int bsl_link_sync(struct bsl_link *link, bool was_reset);

/*
 * Sends a packet and waits for its acknowledgement. A NACK says that it arrived bent: it is sent
 * three times at most, then LOADER_REFUSED. After NO_ANSWER and GARBLED nobody knows whether the
 * chip has done it; the line is silent then, and bsl_link_recover() takes the chip back into step.
 */
int bsl_link_send(struct bsl_link *link, const uint8_t *data, size_t n_data, uint64_t timeout_usec);

/*
 * The same for a command that is answered by a packet of `n_to` bytes, which is acknowledged; one
 * with a wrong checksum is asked for again. The question changes nothing, so that it is put twice
 * where no answer came. LOADER_REFUSED where the chip has none, and says so by `link->status`.
 */
int bsl_link_ask(struct bsl_link *link, const uint8_t *data, size_t n_data, uint64_t timeout_usec,
	uint8_t *to, size_t n_to);

/* Whether the last command worked: 0, or LOADER_REFUSED with `link->status`. */
int bsl_link_check(struct bsl_link *link);

/*
 * After something was lost: ends a packet of which the chip has only a part, throws away what is
 * still on its way, and sees that the chip answers.
 */
int bsl_link_recover(struct bsl_link *link);

/* In words that go on after "refused: ". */
const char *bsl_status_to_string(uint8_t status);

/* Numbers in packets have their most significant byte first. */
static inline void bsl_put_word(uint8_t *to, uint32_t word)
{
	for (size_t i = 0; i < 4; i++)
		to[i] = (uint8_t)(word >> (24 - 8 * i));
}

static inline uint32_t bsl_word(const uint8_t *from)
{
	return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}
