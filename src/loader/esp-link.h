/* SPDX-License-Identifier: MIT */
/*
 * esp-link.h - packets of Espressif's ROM (esp-rom.md 1): a command, and the answer that belongs to
 * it. For the files of the loader `esp` alone.
 *
 * Results are 0, -errno, or of enum loader_result NO_ANSWER, REFUSED, GARBLED, FOREIGN.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/port.h"
#include "loader/slip.h"

/* esp-rom.md 1.5. FLASH_END and those of a program in RAM are never sent (4.7). */
enum esp_opcode {
	ESP_FLASH_BEGIN = 0x02,
	ESP_FLASH_DATA = 0x03,
	ESP_SYNC = 0x08,
	ESP_WRITE_REG = 0x09,
	ESP_READ_REG = 0x0A,
	ESP_SPI_SET_PARAMS = 0x0B,
	ESP_SPI_ATTACH = 0x0D,
	ESP_READ_FLASH_SLOW = 0x0E,
	ESP_CHANGE_BAUDRATE = 0x0F,
	ESP_FLASH_DEFL_BEGIN = 0x10,
	ESP_FLASH_DEFL_DATA = 0x11,
	ESP_SPI_FLASH_MD5 = 0x13,
	ESP_GET_SECURITY_INFO = 0x14,
};

/* The second byte of the status (esp-rom.md 1.6), as far as somebody asks for it. */
enum esp_error {
	ESP_ERROR_PARAMETER = 0x01,
	ESP_ERROR_FORMAT = 0x05, /* also: no such command */
	ESP_ERROR_FAILED = 0x06,
	ESP_ERROR_CHECKSUM = 0x07,
	ESP_ERROR_FLASH_WRITE = 0x08,
	ESP_ERROR_DEFLATE = 0x0B,
	ESP_ERROR_ADLER = 0x0C,
	ESP_ERROR_DEFLATE_PARAMETER = 0x0D,
};

/* Bytes of the flash in one packet: no ROM is known to take more (4.4). */
#define ESP_BLOCK 1024
/* In front of them in a packet of data. */
#define ESP_DATA_HEADER 16
/* Bytes that READ_FLASH_SLOW always answers, and the most that any answer has. */
#define ESP_ANSWER_MAX 64

/* How long an answer may take, beyond the time on the line (esp-rom.md 16). */
#define ESP_ANSWER_USEC	  (3 * USEC_PER_SEC)
#define ESP_REGISTER_USEC (1 * USEC_PER_SEC)
#define ESP_SECURITY_USEC (500 * USEC_PER_MSEC)

/* As `n_expected`: whatever stands in front of the status. */
#define ESP_ANY_DATA SIZE_MAX

/* Commands have a header of 8 bytes, answers too, and the longest status has 4. */
#define ESP_PACKET_HEADER 8
#define ESP_STATUS_MAX	  4

struct esp_link {
	struct port *port;     /* borrowed */
	bool has_short_status; /* 2 bytes: the ESP8266, and every program in RAM (1.3) */
	uint8_t refused;       /* opcode that was not known last; 0: none */

	/* The answer that is being received, and bytes behind the last one. */
	struct slip slip;
	uint8_t body[ESP_PACKET_HEADER + ESP_ANSWER_MAX + ESP_STATUS_MAX];
	uint8_t input[256];
	size_t n_input, at;
};

struct esp_reply {
	uint32_t value; /* of READ_REG; anything else otherwise */
	uint8_t data[ESP_ANSWER_MAX];
	size_t n_data;
	uint8_t error; /* with REFUSED */
};

/*
 * Finds the ROM, which takes the rate from this command, and reads all of its answers. Sets
 * `has_short_status`. LOADER_FOREIGN where a program in the chip's RAM answers in its place: the
 * reset has not reached the chip.
 */
int esp_sync(struct esp_link *link);

/*
 * Sends a command and waits for its answer, of which `n_expected` bytes stand in front of the
 * status. Older bytes, other commands' answers, text and noise are passed over. `n_data` is at most
 * ESP_DATA_HEADER + ESP_BLOCK. 0; LOADER_REFUSED with `ret->error`, after which late repeats of the
 * refusal are over; LOADER_NO_ANSWER; LOADER_GARBLED for an answer of another length or one that
 * stops in the middle; -errno. `ret` may be NULL.
 */
int esp_command(struct esp_link *link, enum esp_opcode opcode, const void *data, size_t n_data,
	size_t n_expected, uint64_t timeout_usec, struct esp_reply *ret);

int esp_read_register(struct esp_link *link, uint32_t address, uint32_t *ret);
int esp_write_register(struct esp_link *link, uint32_t address, uint32_t value);

/* Reads and forgets until the line was silent for so long, at most ten times that. 0 or -errno. */
int esp_drain(struct esp_link *link, uint64_t silence_usec);

/* As a sentence goes on after "it says ": "an error while it wrote the flash (0x08)". */
const char *esp_error_to_string(uint8_t error);
