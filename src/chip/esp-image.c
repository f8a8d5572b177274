/* SPDX-License-Identifier: MIT */
/*
 * esp-image.c - reads and proves one program of the ESP family.
 *
 * ROM and boot loader of the chip look at the same bytes before they start a program. All that
 * makes them refuse it is found here, before a board is touched: a file that was cut off, bytes
 * that changed on the way, a program for another chip. Everything comes from a file or from a flash
 * and is hostile: each length is compared with what is left before it is used.
 */
#include "chip/esp-image.h"

#include <string.h>

#include "image/digest.h"
#include "image/image.h"

#define HEADER_BYTES	  8
#define LONG_HEADER_BYTES 24 /* of all but the ESP8266 */
#define SEGMENT_BYTES	  8
#define CHECKSUM_SEED	  0xEF
#define CHECKSUM_ALIGN	  16 /* the checksum is the last byte of a line of so many */
#define REVISION_UNSET	  UINT16_MAX

/* The description is the first thing in the first segment. */
#define DESCRIPTION_MAGIC   UINT32_C(0xABCD5432)
#define DESCRIPTION_BYTES   256
#define DESCRIPTION_VERSION 16
#define DESCRIPTION_PROJECT 48
#define DESCRIPTION_TEXT    32

#define CHIP_ESP32	    0
#define CHIP_ESP32_C3	    5

/* By the high half of byte 3; 0: no such code. */
static const uint32_t sizes[][16] = {
	[ESP_IMAGE_8266] = {512 << 10, 256 << 10, 1 << 20, 2 << 20,
		4 << 20, [8] = 8 << 20, [9] = 16 << 20},
	[ESP_IMAGE_32] = {1 << 20, 2 << 20, 4 << 20, 8 << 20, 16 << 20, 32 << 20, 64 << 20,
		128 << 20},
};

const char *esp_image_chip_name(uint32_t chip_id)
{
	static const char *const names[] = {
		[0] = "ESP32",
		[2] = "ESP32-S2",
		[5] = "ESP32-C3",
		[9] = "ESP32-S3",
		[12] = "ESP32-C2",
		[13] = "ESP32-C6",
		[16] = "ESP32-H2",
		[18] = "ESP32-P4",
		[20] = "ESP32-C61",
		[23] = "ESP32-C5",
	};
	const size_t n_names = sizeof(names) / sizeof(*names);

	return chip_id < n_names && names[chip_id] ? names[chip_id]
						   : "a chip that is not known here";
}

/* ------------------------------------------------------------------ the header */

/*
 * Images of old tools have no field of three digits for the least revision, but one byte: the major
 * number on the ESP32, the minor one on the C3, and nothing that anybody looks at elsewhere.
 */
static void read_revisions(const uint8_t *data, struct esp_image *image)
{
	uint8_t old = data[14];
	uint16_t min = esp_word16(data + 15), max = esp_word16(data + 17);

	image->max_revision = max == 0 || max == REVISION_UNSET ? UINT32_MAX : max;
	image->min_revision = min;
	if (max == 0 && min == 0 && image->chip_id == CHIP_ESP32)
		image->min_revision = old * UINT32_C(100);
	else if (max == 0 && min == 0 && image->chip_id == CHIP_ESP32_C3)
		image->min_revision = old;
}

static int read_header(const uint8_t *data, size_t n_data, enum esp_image_kind kind,
	struct esp_image *image, struct reason *reason)
{
	size_t n_header = kind == ESP_IMAGE_8266 ? HEADER_BYTES : LONG_HEADER_BYTES;

	if (n_data < n_header)
		return reason_refuse(IMAGE_REFUSED, reason,
			"it has %zu bytes, and its header alone has %zu: was it cut off?", n_data,
			n_header);
	if (data[0] != ESP_IMAGE_MAGIC)
		return reason_refuse(IMAGE_REFUSED, reason,
			"it begins with 0x%02x, and what this chip starts begins with 0x%02x",
			data[0], ESP_IMAGE_MAGIC);
	image->n_segments = data[1];
	if (image->n_segments < 1 || image->n_segments > ESP_IMAGE_MAX_SEGMENTS)
		return reason_refuse(IMAGE_REFUSED, reason,
			"its header says %u segments, expected 1 to %d", data[1],
			ESP_IMAGE_MAX_SEGMENTS);
	image->flash = (struct esp_image_flash){data[2], data[3] & 0x0F, sizes[kind][data[3] >> 4]};
	image->entry = esp_word32(data + 4);
	image->max_revision = UINT32_MAX;
	image->n_bytes = n_header;
	if (kind == ESP_IMAGE_8266)
		return IMAGE_OK;
	image->chip_id = esp_word16(data + 12);
	image->has_digest = data[23] == 1;
	read_revisions(data, image);
	return IMAGE_OK;
}

/* ------------------------------------------------------------------ what follows it */

static int read_segments(const uint8_t *data, size_t n_data, struct esp_image *image,
	uint8_t *ret_checksum, struct reason *reason)
{
	uint8_t checksum = CHECKSUM_SEED;
	size_t at = image->n_bytes;

	for (size_t i = 0; i < image->n_segments; i++) {
		struct esp_image_segment *segment = &image->segments[i];

		if (n_data - at < SEGMENT_BYTES)
			return reason_refuse(IMAGE_REFUSED, reason,
				"it ends after %zu bytes, before segment %zu of %zu: was it cut off?",
				n_data, i + 1, image->n_segments);
		segment->address = esp_word32(data + at);
		segment->size = esp_word32(data + at + 4);
		at += SEGMENT_BYTES;
		if (segment->size > n_data - at)
			return reason_refuse(IMAGE_REFUSED, reason,
				"it ends after %zu bytes, and segment %zu of %zu goes on for %u bytes from byte %zu on: was it cut off, or is there no room for it?",
				n_data, i + 1, image->n_segments, segment->size, at);
		for (size_t j = 0; j < segment->size; j++)
			checksum ^= data[at + j];
		at += segment->size;
	}
	image->n_bytes = at;
	*ret_checksum = checksum;
	return IMAGE_OK;
}

static int check_sums(const uint8_t *data, size_t n_data, uint8_t checksum, struct esp_image *image,
	struct reason *reason)
{
	size_t end = (image->n_bytes / CHECKSUM_ALIGN + 1) * CHECKSUM_ALIGN;
	char digest[DIGEST_HEX_SIZE];

	image->n_bytes = end + (image->has_digest ? DIGEST_SIZE : 0);
	if (image->n_bytes > n_data)
		return reason_refuse(IMAGE_REFUSED, reason,
			"it ends after %zu bytes, before its checksum%s: was it cut off?", n_data,
			image->has_digest ? " or its SHA-256" : "");
	if (data[end - 1] != checksum)
		return reason_refuse(IMAGE_REFUSED, reason,
			"its checksum is 0x%02x, and its segments have 0x%02x: it is damaged, copy or build it again",
			data[end - 1], checksum);
	if (!image->has_digest)
		return IMAGE_OK;
	digest_sha256(data, end, digest);
	if (!digest_is(digest, data + end))
		return reason_refuse(IMAGE_REFUSED, reason,
			"the SHA-256 at its end is not that of its bytes: it is damaged, or its header was changed without that: copy or build it again");
	return IMAGE_OK;
}

/* Up to its NUL; the field need not have one. */
static void copy_text(const uint8_t *from, char to[static ESP_IMAGE_TEXT])
{
	memcpy(to, from, DESCRIPTION_TEXT);
	to[DESCRIPTION_TEXT] = '\0';
}

static void read_description(const uint8_t *data, struct esp_image *image)
{
	const uint8_t *first = data + LONG_HEADER_BYTES + SEGMENT_BYTES;

	if (image->segments[0].size < DESCRIPTION_BYTES || esp_word32(first) != DESCRIPTION_MAGIC)
		return;
	image->has_description = true;
	copy_text(first + DESCRIPTION_VERSION, image->version);
	copy_text(first + DESCRIPTION_PROJECT, image->project);
}

int esp_image_read(const uint8_t *data, size_t n_data, enum esp_image_kind kind,
	struct esp_image *ret, struct reason *reason)
{
	struct esp_image image = {0};
	uint8_t checksum = 0;
	int r = read_header(data, n_data, kind, &image, reason);

	if (r == IMAGE_OK)
		r = read_segments(data, n_data, &image, &checksum, reason);
	if (r == IMAGE_OK)
		r = check_sums(data, n_data, checksum, &image, reason);
	if (r != IMAGE_OK)
		return r;
	if (kind == ESP_IMAGE_32)
		read_description(data, &image);
	*ret = image;
	return IMAGE_OK;
}

bool esp_image_begins(const uint8_t *data, size_t n_data)
{
	return n_data >= ESP_IMAGE_SHORTEST && data[0] == ESP_IMAGE_MAGIC;
}

bool esp_image_is_application(
	const struct esp_image *image, const struct chip_range *mapped, size_t n_mapped)
{
	if (image->has_description)
		return true;
	for (size_t i = 0; i < image->n_segments; i++)
		for (size_t j = 0; j < n_mapped; j++)
			if (image->segments[i].address >= mapped[j].start &&
				image->segments[i].address - mapped[j].start < mapped[j].size)
				return true;
	return false;
}

const char *esp_image_show(const struct esp_image *image, char to[ESP_IMAGE_SHOWN_MAX])
{
	char project[TEXT_MAX], version[TEXT_MAX];

	to[0] = '\0';
	if (image->has_description)
		snprintf(to, ESP_IMAGE_SHOWN_MAX, " '%s' %s",
			text_escape(image->project, project, sizeof(project)),
			text_escape(image->version, version, sizeof(version)));
	return to;
}
