/* SPDX-License-Identifier: MIT */
/*
 * gbl.c - what Silicon Labs' boot loaders take: GBL (UG103.6 and UG266, "Gecko Bootloader file
 * format") and EBL, its predecessor of the EM2xx and EM3xx (UG103.6, "EBL file format").
 *
 *	GBL: tags of id, length, data, numbers little-endian; the first is the header, the last the
 *	     end tag, which holds a CRC-32 over all before it
 *	EBL: the same with 16-bit numbers, big-endian but for the CRC, padded with 0xFF behind the
 *	     end
 *
 * The boot loader takes the file apart itself, and erases its application before it has seen the
 * end. So tags and sum are checked here, and the file is sent as it is: what is in it has other
 * addresses, or is encrypted.
 */

#include "base/util.h"
#include "image/digest.h"
#include "image/gbl-metadata.h"
#include "image/image.h"

enum use {
	USE_OTHER, /* says something of the file, or a tag of a later version */
	USE_HEADER,
	USE_PROGRAM, /* something to be written */
	USE_SEAL,    /* a sum that only the boot loader can check; an encrypted EBL ends with it */
	USE_END,
	/* What a GBL says of itself. The last three are programs as well. */
	USE_METADATA,
	USE_LOADER,
	USE_SECURE_ELEMENT,
	USE_ENCRYPTED,
};

struct tag_use {
	uint32_t id;
	enum use use;
};

struct tag {
	uint32_t id;
	uint32_t length;
	enum use use;
};

/* How the two formats write a tag. */
struct form {
	size_t n_number; /* bytes of id and of length */
	bool is_big_endian;
	const struct tag_use *uses;
	size_t n_uses;
};

static const struct tag_use gbl_uses[] = {
	{0x03A617EB, USE_HEADER},
	{0xFE0101FE, USE_PROGRAM}, /* program */
	{0xFD0303FD, USE_PROGRAM}, /* erase and program */
	{0xFD0505FD, USE_PROGRAM}, /* the same, LZ4 */
	{0xFD0707FD, USE_PROGRAM}, /* the same, LZMA */
	{0xF80A0AF8, USE_PROGRAM}, /* a difference to the application that is there */
	{0xF80B0BF8, USE_PROGRAM}, /* the same, LZ4 */
	{0xF80C0CF8, USE_PROGRAM}, /* the same, LZMA */
	{0xF50909F5, USE_LOADER},
	{0x5EA617EB, USE_SECURE_ELEMENT},
	{0xF90707F9, USE_ENCRYPTED}, /* any of these */
	{0xF60808F6, USE_METADATA},
	{0xFC0404FC, USE_END},
};

static const struct tag_use ebl_uses[] = {
	{0x0000, USE_HEADER},
	{0xFB05, USE_HEADER},  /* of an encrypted file */
	{0xFE01, USE_PROGRAM}, /* program */
	{0xFD03, USE_PROGRAM}, /* erase and program */
	{0x02FE, USE_PROGRAM}, /* manufacturing data */
	{0xF907, USE_PROGRAM}, /* encrypted: any of these */
	{0xF709, USE_SEAL},
	{0xFC04, USE_END},
};

static const struct form gbl = {4, false, gbl_uses, ARRAY_SIZE(gbl_uses)};
static const struct form ebl = {2, true, ebl_uses, ARRAY_SIZE(ebl_uses)};

#define CRC_BYTES 4

static uint32_t number(const struct form *form, const uint8_t *b)
{
	uint32_t value = 0;

	for (size_t i = 0; i < form->n_number; i++)
		value = value << 8 | b[form->is_big_endian ? i : form->n_number - 1 - i];
	return value;
}

/* The tag at `at`, all of whose data is in the file. */
static int read_tag(const struct form *form, const uint8_t *data, size_t n_data, size_t at,
	struct tag *ret, struct reason *reason)
{
	size_t n_head = 2 * form->n_number;

	if (n_data - at < n_head)
		return image_refuse(reason, "offset", at,
			"the file ends without an end tag: it was cut off, download it again");
	ret->id = number(form, data + at);
	ret->length = number(form, data + at + form->n_number);
	ret->use = USE_OTHER;
	for (size_t i = 0; i < form->n_uses; i++)
		if (form->uses[i].id == ret->id)
			ret->use = form->uses[i].use;
	if (ret->length > n_data - at - n_head)
		return image_refuse(reason, "offset", at,
			"a tag 0x%0*X of %u bytes, but the file ends %zu bytes behind it: it was cut off, download it again",
			(int)form->n_number * 2, ret->id, ret->length, n_data - at - n_head);
	return IMAGE_OK;
}

static bool is_padding(const uint8_t *data, size_t n_data)
{
	for (size_t i = 0; i < n_data; i++)
		if (data[i] != 0xFF && data[i] != 0x00)
			return false;
	return true;
}

/* The sum over all before it, and nothing but padding behind. */
static int check_end(const uint8_t *data, size_t n_data, size_t at, struct reason *reason)
{
	uint32_t expected = digest_crc32(data, at), seen = word_at(data + at);

	if (seen != expected)
		return image_refuse(reason, "offset", at,
			"bad CRC: expected 0x%08X, seen 0x%08X: the file is damaged, download it again",
			expected, seen);
	if (!is_padding(data + at + CRC_BYTES, n_data - at - CRC_BYTES))
		return image_refuse(reason, "offset", at + CRC_BYTES,
			"expected nothing but padding behind the end tag: are these two files in one?");
	return IMAGE_OK;
}

/* What the tag at `at` says of the whole file; `data` is its own. */
static int note_tag(
	struct image_maker *maker, const struct tag *tag, const uint8_t *data, size_t at)
{
	switch (tag->use) {
	case USE_METADATA:
		return gbl_metadata_read(data, tag->length, maker);
	case USE_LOADER:
		maker->brings_loader = true;
		maker->at = at;
		break;
	case USE_SECURE_ELEMENT:
		maker->brings_secure_element = true;
		maker->at = at;
		break;
	case USE_ENCRYPTED:
		maker->is_encrypted = true;
		break;
	case USE_PROGRAM:
		maker->brings_application = true;
		break;
	case USE_OTHER:
	case USE_HEADER:
	case USE_SEAL:
	case USE_END:
		break;
	}
	return 0;
}

static bool is_program(enum use use)
{
	return use == USE_PROGRAM || use == USE_LOADER || use == USE_SECURE_ELEMENT ||
	       use == USE_ENCRYPTED;
}

static int check_tags(const struct form *form, const uint8_t *data, size_t n_data,
	struct image_maker *maker, struct reason *reason)
{
	size_t at = 0, n_head = 2 * form->n_number;
	bool has_program = false;

	for (;;) {
		struct tag tag = {0};
		int r = read_tag(form, data, n_data, at, &tag, reason);

		if (r != IMAGE_OK)
			return r;
		if (tag.use == USE_HEADER && at > 0)
			return image_refuse(reason, "offset", at,
				"a second header tag: are these two files in one?");
		if (tag.use == USE_END && tag.length != CRC_BYTES)
			return image_refuse(reason, "offset", at,
				"expected an end tag of %d bytes, seen %u", CRC_BYTES, tag.length);
		if (tag.use == USE_END && !has_program)
			return image_refuse(reason, "offset", at,
				"the file ends, and none of its tags has a program");
		if (tag.use == USE_END)
			return check_end(data, n_data, at + n_head, reason);
		r = note_tag(maker, &tag, data + at + n_head, at);
		if (r < 0)
			return r;
		has_program = has_program || is_program(tag.use);
		at += n_head + tag.length;
		if (tag.use == USE_SEAL && has_program && is_padding(data + at, n_data - at))
			return IMAGE_OK;
	}
}

static int read_file(const struct form *form, const uint8_t *data, size_t n_data,
	const struct image_options *options, struct image *ret, struct reason *reason)
{
	struct image_maker maker = {0};
	int r = check_tags(form, data, n_data, &maker, reason);

	if (r != IMAGE_OK)
		return r;
	if (n_data > options->max_bytes)
		return image_refuse(reason, "offset", options->max_bytes,
			"the file has %zu bytes, but at most %u can be sent", n_data,
			options->max_bytes);
	r = image_add(ret, options->address, data, n_data, options->max_bytes, reason);
	if (r == IMAGE_OK)
		ret->maker = maker;
	return r;
}

/* ------------------------------------------------------------------ GBL */

static int gbl_read(const uint8_t *data, size_t n_data, const struct image_options *options,
	struct image *ret, struct reason *reason)
{
	/* Version 3.0.0.0; the first byte is the one that must fit. */
	if (n_data < 16 || number(&gbl, data + 4) != 8)
		return image_refuse(reason, "offset", 4,
			"expected a header tag of 8 bytes: the file was cut off or is damaged, download it again");
	if (data[11] != 3)
		return image_refuse(reason, "offset", 8,
			"expected version 3 of the format, seen %u", (unsigned)data[11]);
	return read_file(&gbl, data, n_data, options, ret, reason);
}

static bool gbl_is(const uint8_t *data, size_t n_data)
{
	return n_data >= 4 && number(&gbl, data) == 0x03A617EB;
}

const struct image_format image_format_gbl = {
	.name = "GBL",
	.suffixes = (const char *const[]){".gbl", NULL},
	.is_package = true,
	.is = gbl_is,
	.read = gbl_read,
};

/* ------------------------------------------------------------------ EBL */

static int ebl_read(const uint8_t *data, size_t n_data, const struct image_options *options,
	struct image *ret, struct reason *reason)
{
	return read_file(&ebl, data, n_data, options, ret, reason);
}

/*
 * A header tag, 140 bytes long for the EM3xx and 60 for the EM2xx, with its signature behind the
 * version; or that of an encrypted file, with the kind of encryption between the two.
 */
static bool ebl_is(const uint8_t *data, size_t n_data)
{
	uint32_t id, length, signature;

	if (n_data < 10)
		return false;
	id = number(&ebl, data);
	length = number(&ebl, data + 2);
	signature = number(&ebl, data + (id == 0xFB05 ? 8 : 6));
	if (signature != 0xE350 && signature != 0xE250 && signature != 0xE260)
		return false;
	return (id == 0 && (length == 140 || length == 60)) || (id == 0xFB05 && length == 6);
}

const struct image_format image_format_ebl = {
	.name = "EBL",
	.suffixes = (const char *const[]){".ebl", NULL},
	.is_package = true,
	.is = ebl_is,
	.read = ebl_read,
};
