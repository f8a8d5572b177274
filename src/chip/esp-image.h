/* SPDX-License-Identifier: MIT */
/*
 * esp-image.h - a program as Espressif's ROM and boot loader take it: a header, segments for
 * addresses of the CPU, a checksum, and mostly a SHA-256 behind them (esp-rom.md 5). Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "chip/chip.h"

#define ESP_IMAGE_MAGIC	       0xE9
#define ESP_IMAGE_MAX_SEGMENTS 16
#define ESP_IMAGE_TEXT	       33 /* the longest text of the description, and its NUL */

/* Header, head of one segment, and a line that ends in the checksum. */
#define ESP_IMAGE_SHORTEST 48

struct esp_image_segment {
	uint32_t address; /* of the CPU */
	uint32_t size;
};

/* How the header tells which flash the program expects; numbers as the header has them. */
struct esp_image_flash {
	uint8_t mode, frequency;
	uint32_t bytes; /* 0: the header has a code that is not known here */
};

struct esp_image {
	struct esp_image_flash flash;
	uint32_t entry;
	/* From here to the segments all is 0 with the ESP8266, whose header ends before. */
	uint16_t chip_id;
	uint32_t min_revision;
	uint32_t max_revision; /* 100 * major + minor; UINT32_MAX: no limit */
	bool has_digest;
	struct esp_image_segment segments[ESP_IMAGE_MAX_SEGMENTS];
	size_t n_segments;
	size_t n_bytes; /* from the header to the end of checksum or digest */
	/* The description that ESP-IDF puts into each application. */
	bool has_description;
	char project[ESP_IMAGE_TEXT], version[ESP_IMAGE_TEXT]; /* outside text */
};

/* Which header the program has: the ESP8266's is shorter than all others. */
enum esp_image_kind { ESP_IMAGE_8266, ESP_IMAGE_32 };

/*
 * Reads the program at the start of the data and proves its checksum and its digest; more bytes may
 * follow it. IMAGE_OK, or IMAGE_REFUSED with the reason, a sentence that goes on after the name of
 * what lies there. `ret` is untouched then.
 */
int esp_image_read(const uint8_t *data, size_t n_data, enum esp_image_kind kind,
	struct esp_image *ret, struct reason *reason);

/* Whether bytes begin as a program does, and are more than an entry of otadata, which may as well.
 */
bool esp_image_begins(const uint8_t *data, size_t n_data);

/*
 * Whether the program is an application: it says so itself, or it has a segment in one of these
 * ranges, through which the CPU sees its flash. A boot loader runs in RAM alone.
 */
bool esp_image_is_application(
	const struct esp_image *image, const struct chip_range *mapped, size_t n_mapped);

/* The chip with that id, as esptool names it; "a chip that is not known here". */
const char *esp_image_chip_name(uint32_t chip_id);

/* Room for what esp_image_show() writes. */
#define ESP_IMAGE_SHOWN_MAX (2 * TEXT_MAX)

/* " 'PROJECT' VERSION" as far as the program describes itself, escaped; else "". Returns `to`. */
const char *esp_image_show(const struct esp_image *image, char to[ESP_IMAGE_SHOWN_MAX]);

static inline uint16_t esp_word16(const uint8_t *from)
{
	return (uint16_t)(from[0] | from[1] << 8);
}

static inline uint32_t esp_word32(const uint8_t *from)
{
	return (uint32_t)esp_word16(from) | (uint32_t)esp_word16(from + 2) << 16;
}
