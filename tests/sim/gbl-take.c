/* SPDX-License-Identifier: MIT */
/*
 * gbl-take.c - see gbl-take.h.
 *
 * For tests of the line alone a reduced form is taken as well, of no use to a real one: behind the
 * id of the header a length that is not 8, and so many bytes of the application.
 */
#include "sim/gbl-take.h"

#include <string.h>

#include "base/util.h"
#include "sim/resident.h"

enum {
	TAG_HEADER = 0x03A617EB,
	TAG_LOADER = (int)0xF50909F5,
	TAG_PROGRAM = (int)0xFE0101FE,
	TAG_ERASE_PROGRAM = (int)0xFD0303FD,
	TAG_ENCRYPTION = (int)0xFA0606FA,
	TAG_SIGNATURE = (int)0xF70A0AF7,
	TAG_END = (int)0xFC0404FC,
};

/* Tags that it knows and has no use for here. */
static const uint32_t passed_over[] = {0xF40A0AF4, 0xF60808F6, 0xF70A0AF7, 0x5EA617EB, 0x76A617EB,
	0xF30B0BF3, 0xFD0505FD, 0xFD0707FD, 0xF90707F9};

static uint32_t word(const uint8_t *b)
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* ------------------------------------------------------------------ programming */

static bool program(struct resident *resident, uint32_t offset, const uint8_t *data, uint32_t n)
{
	if (offset > resident->chip->flash_size - RESIDENT_BYTES - n)
		return false;
	return resident_program(resident, offset, data, n);
}

static unsigned flush(struct resident *resident)
{
	struct gbl_take *gbl = &resident->gbl;
	uint32_t n = gbl->n_word;

	if (n == 0)
		return 0;
	memset(gbl->word + n, 0xFF, sizeof(gbl->word) - n);
	gbl->n_word = 0;
	gbl->address += n;
	return program(resident, gbl->address - n, gbl->word, sizeof(gbl->word)) ? 0 : GBL_STORAGE;
}

static unsigned take_program(struct resident *resident, uint8_t byte)
{
	struct gbl_take *gbl = &resident->gbl;

	if (!gbl->has_erased) {
		resident_erase(resident);
		gbl->has_erased = true;
	}
	if (gbl->address == gbl->n_held && gbl->n_held < GBL_HELD_BYTES) {
		gbl->held[gbl->n_held++] = byte;
		gbl->address++;
		return 0;
	}
	gbl->word[gbl->n_word++] = byte;
	return gbl->n_word == sizeof(gbl->word) ? flush(resident) : 0;
}

/* ------------------------------------------------------------------ tags */

static bool is_program(uint32_t id)
{
	return id == (uint32_t)TAG_PROGRAM || id == (uint32_t)TAG_ERASE_PROGRAM;
}

static unsigned begin_tag(struct resident *resident)
{
	struct gbl_take *gbl = &resident->gbl;

	gbl->id = word(gbl->head);
	gbl->length = word(gbl->head + 4);
	gbl->at = 0;
	if (!gbl->is_begun) {
		if (gbl->id != TAG_HEADER)
			return GBL_UNEXPECTED;
		gbl->is_begun = true;
		gbl->is_reduced = gbl->length != 8;
		return gbl->is_reduced && gbl->length > resident->chip->flash_size - RESIDENT_BYTES
			       ? GBL_UNEXPECTED
			       : 0;
	}
	if (gbl->id == TAG_HEADER)
		return GBL_UNEXPECTED;
	if (gbl->id == (uint32_t)TAG_ENCRYPTION)
		return resident->fault->knobs.has_gbl_key ? 0 : GBL_KEY;
	if (is_program(gbl->id) || gbl->id == (uint32_t)TAG_LOADER)
		return gbl->length < 4 ? GBL_UNEXPECTED : 0;
	if (gbl->id == (uint32_t)TAG_END)
		return gbl->length == 4 ? 0 : GBL_UNEXPECTED;
	for (size_t i = 0; i < ARRAY_SIZE(passed_over); i++)
		if (passed_over[i] == gbl->id)
			return 0;
	return GBL_UNKNOWN_TAG;
}

/* Where an address is: in the GBL it is the chip's own, whose flash begins at 0 or elsewhere. */
static uint32_t offset_of(const struct resident *resident, uint32_t address)
{
	uint32_t base = resident->chip->flash_base;

	return (address >= base ? address - base : address) - RESIDENT_BYTES;
}

static unsigned end_file(struct resident *resident)
{
	struct gbl_take *gbl = &resident->gbl;

	gbl->is_over = true;
	if (resident->fault->knobs.gbl_error)
		return resident->fault->knobs.gbl_error;
	if (gbl->n_held > 0 && !program(resident, 0, gbl->held, gbl->n_held))
		return GBL_STORAGE;
	return 0;
}

static unsigned take_in_tag(struct resident *resident, uint8_t byte)
{
	struct gbl_take *gbl = &resident->gbl;
	uint32_t at = gbl->at++;

	if (at < sizeof(gbl->head))
		gbl->head[at] = byte;
	if (gbl->is_reduced)
		return take_program(resident, byte);
	if (gbl->id == TAG_HEADER && at == 7 && word(gbl->head) >> 24 != 3)
		return GBL_VERSION;
	if (gbl->id == (uint32_t)TAG_LOADER && at == 3)
		gbl->loader_version = word(gbl->head);
	if (gbl->id == (uint32_t)TAG_END && at == 3)
		return word(gbl->head) == ~gbl->crc ? end_file(resident) : GBL_CRC;
	if (!is_program(gbl->id))
		return 0;
	if (at == 3)
		gbl->address = offset_of(resident, word(gbl->head));
	return at > 3 ? take_program(resident, byte) : 0;
}

static void add_to_crc(struct gbl_take *gbl, uint8_t byte)
{
	gbl->crc ^= byte;
	for (int bit = 0; bit < 8; bit++)
		gbl->crc = gbl->crc & 1 ? gbl->crc >> 1 ^ 0xEDB88320 : gbl->crc >> 1;
}

static unsigned take_byte(struct resident *resident, uint8_t byte)
{
	struct gbl_take *gbl = &resident->gbl;
	unsigned error = 0;

	if (gbl->is_over)
		return 0; /* padding */
	if (gbl->n_head < sizeof(gbl->head)) {
		gbl->head[gbl->n_head++] = byte;
		add_to_crc(gbl, byte);
		if (gbl->n_head == sizeof(gbl->head))
			error = begin_tag(resident);
	} else {
		if (gbl->id != (uint32_t)TAG_END)
			add_to_crc(gbl, byte);
		error = take_in_tag(resident, byte);
	}
	if (error || gbl->n_head < sizeof(gbl->head) || gbl->at < gbl->length)
		return error;
	error = flush(resident);
	gbl->n_head = 0;
	if (!error && gbl->is_reduced)
		error = end_file(resident);
	return error;
}

unsigned gbl_take(struct resident *resident, const uint8_t *data, size_t n_data)
{
	unsigned error = 0;

	for (size_t i = 0; i < n_data && !error; i++)
		error = take_byte(resident, data[i]);
	return error;
}

bool gbl_is_complete(const struct resident *resident)
{
	return resident->gbl.is_over;
}
