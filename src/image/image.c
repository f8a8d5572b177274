/* SPDX-License-Identifier: MIT */
/*
 * image.c - segments in order, and the table of formats.
 *
 * Owns the memory of the segments. Reads no file and knows no chip.
 */
#include "image/image.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "image/content.h"

/* Nothing that starts is shorter: a Cortex-M begins with stack pointer and reset vector. */
#define SHORTEST_RAW 8

/* The bytes of the flash from the configured address on. */
static int raw_read(const uint8_t *data, size_t n_data, const struct image_options *options,
	struct image *ret, struct reason *reason)
{
	if (n_data < SHORTEST_RAW)
		return image_refuse(reason, "offset", n_data,
			"the file ends, but a raw image has at least the %d bytes of stack pointer and reset vector: was it cut off?",
			SHORTEST_RAW);
	if (n_data > options->max_bytes)
		return image_refuse(reason, "offset", options->max_bytes,
			"%zu bytes, but at most %u fit the flash", n_data, options->max_bytes);
	return image_add(ret, options->address, data, n_data, options->max_bytes, reason);
}

static const struct image_format image_format_raw = {
	.name = "raw binary",
	.suffixes = (const char *const[]){".bin", ".raw", ".img", NULL},
	.is_raw = true,
	.read = raw_read,
};

static const struct image_format *const formats[] = {
	&image_format_ihex, &image_format_srec, &image_format_elf, &image_format_dfuse,
	&image_format_gbl, &image_format_ebl, &image_format_flasher,
	&image_format_raw, /* the last: it takes the rest */
};

bool image_begins_with_record(const uint8_t *data, size_t n_data, const char *mark)
{
	/* Length, address and type of an Intel record; the shortest S-record has as many. */
	const size_t n_digits = 8;
	size_t n_mark = strlen(mark), at = content_begin(data, n_data);

	if (n_data - at < n_mark + n_digits || memcmp(data + at, mark, n_mark) != 0)
		return false;
	for (size_t i = 0; i < n_digits; i++)
		if (!isxdigit(data[at + n_mark + i]))
			return false;
	return true;
}

/* ------------------------------------------------------------------ the format of a file */

/* By the suffix, which is what stands behind the last dot of the last part of the name; or NULL. */
static const struct image_format *format_by_name(const char *name)
{
	const char *slash = strrchr(name, '/'), *suffix = strrchr(slash ? slash : name, '.');

	for (size_t i = 0; suffix && i < ARRAY_SIZE(formats); i++)
		for (const char *const *at = formats[i]->suffixes; *at; at++)
			if (strcasecmp(suffix, *at) == 0)
				return formats[i];
	return NULL;
}

/* The format that name and content agree upon. */
static int format_choose(const char *name, const uint8_t *data, size_t n_data,
	const struct image_format **ret, struct reason *reason)
{
	const struct image_format *by_name = format_by_name(name), *by_content;
	struct content content = {.what = NULL};
	bool is_foreign, contradicts;
	size_t i = 0;

	while (formats[i]->is && !formats[i]->is(data, n_data))
		i++;
	by_content = formats[i];
	is_foreign = by_content->is_raw && content_is_foreign(data, n_data, &content);
	contradicts = by_name && by_name != by_content;
	if (is_foreign && !(contradicts && content.is_text))
		return reason_refuse(IMAGE_REFUSED, reason, "this is %s, no firmware: %s",
			content.what, content.advice);
	if (contradicts)
		return reason_refuse(IMAGE_REFUSED, reason,
			"the name says %s, but the content looks like %s (first byte 0x%02x): give it the suffix of what it is, or check how it was made",
			by_name->name, is_foreign ? content.what : by_content->name, data[0]);
	*ret = by_content;
	return IMAGE_OK;
}

/* An erased flash that was read out, or a file that was made and never written. */
static int check_constant(const struct image *image, struct reason *reason)
{
	uint8_t first = image->segments[0].data[0];

	if (image_bytes(image) < 8)
		return IMAGE_OK;
	for (size_t i = 0; i < image->n_segments; i++) {
		const struct segment *segment = &image->segments[i];

		if (segment->data[0] != first || !content_is_constant(segment->data, segment->size))
			return IMAGE_OK;
	}
	return reason_refuse(IMAGE_REFUSED, reason,
		"all its %" PRIu64 " bytes are 0x%02X, so it is no firmware: check how it was made",
		image_bytes(image), first);
}

int image_read(const char *name, const uint8_t *data, size_t n_data,
	const struct image_options *options, struct image *ret, struct reason *reason)
{
	CLEANUP(image_done) struct image image = {};
	const struct image_format *format = NULL;
	struct reason why = {};
	char escaped[TEXT_MAX];
	int r;

	if (n_data == 0) {
		reason_set(&why, "the file is empty");
		r = IMAGE_REFUSED;
	} else {
		r = format_choose(name, data, n_data, &format, &why);
	}
	if (r == IMAGE_OK)
		r = format->read(data, n_data, options, &image, &why);
	if (r == IMAGE_OK)
		r = check_constant(&image, &why);
	if (r > 0)
		reason_set(reason, "image '%s': %s", text_escape(name, escaped, sizeof(escaped)),
			why.text);
	if (r != IMAGE_OK)
		return r;

	image.format = format->name;
	image.is_raw = format->is_raw;
	image.is_package = format->is_package;
	*ret = image;
	image = (struct image){};
	return IMAGE_OK;
}

/* ------------------------------------------------------------------ segments */

size_t image_find(const struct image *image, uint64_t address)
{
	size_t low = 0, high = image->n_segments;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (segment_end(&image->segments[middle]) > address)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/*
 * The room for `n` bytes is always the next power of two, so it need not be stored, and growing by
 * small pieces copies each byte about once.
 */
static uint64_t room_for(uint64_t n)
{
	uint64_t room = 16;

	while (room < n)
		room *= 2;
	return room;
}

static int segment_append(struct segment *segment, const uint8_t *data, uint32_t n_data)
{
	uint64_t room = room_for((uint64_t)segment->size + n_data);
	uint8_t *grown = segment->data;

	if (!grown || room != room_for(segment->size))
		grown = room <= SIZE_MAX ? realloc(grown, (size_t)room) : NULL;
	if (!grown)
		return -ENOMEM;
	segment->data = grown;
	memcpy(segment->data + segment->size, data, n_data);
	segment->size += n_data;
	return 0;
}

static int segment_insert(
	struct image *image, size_t at, uint32_t address, const uint8_t *data, uint32_t n_data)
{
	struct segment segment = {.address = address};
	struct segment *grown;
	int r;

	grown = room_for_one(image->segments, image->n_segments, sizeof(segment));
	if (!grown)
		return -ENOMEM;
	image->segments = grown;
	r = segment_append(&segment, data, n_data);
	if (r < 0)
		return r;
	memmove(image->segments + at + 1, image->segments + at,
		(image->n_segments - at) * sizeof(segment));
	image->segments[at] = segment;
	image->n_segments++;
	return 0;
}

/* Joins the segment with the next one where they touch. */
static int segment_join(struct image *image, size_t at)
{
	struct segment *next = image->segments + at + 1;
	int r;

	if (at + 1 == image->n_segments || segment_end(next - 1) != next->address)
		return 0;
	r = segment_append(next - 1, next->data, next->size);
	if (r < 0)
		return r;
	free(next->data);
	image->n_segments--;
	memmove(next, next + 1, (image->n_segments - at - 1) * sizeof(*next));
	return 0;
}

int image_add(struct image *image, uint32_t address, const uint8_t *data, size_t n_data,
	uint32_t max_bytes, struct reason *reason)
{
	size_t at = image_find(image, address);
	int r;

	if (n_data == 0)
		return IMAGE_OK;
	if (n_data > max_bytes || image->n_bytes > max_bytes - n_data)
		return reason_refuse(IMAGE_REFUSED, reason,
			"%" PRIu64 " bytes, but at most %u fit the flash", image->n_bytes + n_data,
			max_bytes);
	if (n_data > UINT32_MAX - address)
		return reason_refuse(IMAGE_REFUSED, reason,
			"%zu bytes from 0x%08x on reach the end of the 32-bit addresses", n_data,
			address);
	if (at < image->n_segments && image->segments[at].address < address + n_data) {
		uint32_t there = image->segments[at].address;

		return reason_refuse(IMAGE_REFUSED, reason, "address 0x%08x is given twice",
			there > address ? there : address);
	}

	if (at > 0 && segment_end(&image->segments[at - 1]) == address)
		r = segment_append(&image->segments[--at], data, (uint32_t)n_data);
	else
		r = segment_insert(image, at, address, data, (uint32_t)n_data);
	if (r < 0)
		return r;
	image->n_bytes += n_data;
	return segment_join(image, at);
}

void image_done(struct image *image)
{
	for (size_t i = 0; i < image->n_segments; i++)
		free(image->segments[i].data);
	free(image->segments);
	for (size_t i = 0; i < image->n_parts; i++)
		free(image->parts[i].name);
	free(image->parts);
	free(image->chip);
	*image = (struct image){};
}

uint32_t image_word(const struct image *image, uint32_t address)
{
	uint8_t b[4];

	image_copy(image, address, b, sizeof(b));
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

uint64_t image_bytes(const struct image *image)
{
	uint64_t total = 0;

	for (size_t i = 0; i < image->n_segments; i++)
		total += image->segments[i].size;
	return total;
}

uint8_t image_byte(const struct image *image, uint32_t address)
{
	uint8_t byte;

	image_copy(image, address, &byte, 1);
	return byte;
}

bool image_copy(const struct image *image, uint32_t address, uint8_t *to, size_t n)
{
	uint64_t end = (uint64_t)address + n;
	bool any = false;

	memset(to, 0xFF, n);
	for (size_t i = image_find(image, address); i < image->n_segments; i++) {
		const struct segment *segment = &image->segments[i];
		uint64_t from = segment->address > address ? segment->address : address;
		uint64_t until = segment_end(segment) < end ? segment_end(segment) : end;

		if (from >= until)
			break;
		memcpy(to + (from - address), segment->data + (from - segment->address),
			until - from);
		any = true;
	}
	return any;
}

bool image_touches(const struct image *image, uint32_t address, uint64_t size)
{
	size_t at = image_find(image, address);

	return at < image->n_segments && size > 0 &&
	       (image->segments[at].address <= address ||
		       image->segments[at].address - address < size);
}

int image_make_room(struct image *image, uint32_t address, uint32_t size, uint32_t max_bytes,
	struct reason *reason)
{
	static const uint8_t erased = 0xFF;

	for (uint32_t i = 0; i < size; i++) {
		int r = IMAGE_OK;

		if (!image_touches(image, address + i, 1))
			r = image_add(image, address + i, &erased, 1, max_bytes, reason);
		if (r != IMAGE_OK)
			return r;
	}
	return IMAGE_OK;
}

void image_put(struct image *image, uint32_t address, const uint8_t *data, size_t n_data)
{
	uint64_t end = (uint64_t)address + n_data;

	for (size_t i = image_find(image, address); i < image->n_segments; i++) {
		struct segment *segment = &image->segments[i];
		uint64_t from = segment->address > address ? segment->address : address;
		uint64_t until = segment_end(segment) < end ? segment_end(segment) : end;

		if (from >= until)
			break;
		memcpy(segment->data + (from - segment->address), data + (from - address),
			until - from);
	}
}
