/* SPDX-License-Identifier: MIT */
/*
 * GBL and EBL: what Silicon Labs' boot loaders take apart themselves. Half a file makes them erase
 * the application and stop, so each must be whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "image/digest.h"
#include "unit/reading.h"
#include "unit/rows.h"

#define MAX_BYTES 100000

struct file {
	uint8_t bytes[8192];
	size_t n_bytes;
};

static void put(struct file *file, const void *bytes, size_t n)
{
	assert_true(file->n_bytes + n <= sizeof(file->bytes));
	memcpy(file->bytes + file->n_bytes, bytes, n);
	file->n_bytes += n;
}

static void put_little(struct file *file, uint32_t value)
{
	const uint8_t bytes[] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
		(uint8_t)(value >> 24)};

	put(file, bytes, sizeof(bytes));
}

static void put_big(struct file *file, uint32_t value)
{
	const uint8_t bytes[] = {(uint8_t)(value >> 8), (uint8_t)value};

	put(file, bytes, sizeof(bytes));
}

/* Program data as an example in the field has it: each byte 7 above the one before. */
static void put_program(struct file *file, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put(file, &(uint8_t){(uint8_t)(3 + 7 * i)}, 1);
}

/* Most significant bit first over reflected bytes: another way than the reader's. */
static uint32_t crc_of(const uint8_t *bytes, size_t n)
{
	uint32_t crc = 0xFFFFFFFF, reflected = 0;

	for (size_t i = 0; i < 8 * n; i++) {
		uint32_t bit = (uint32_t)(bytes[i / 8] >> i % 8 & 1) ^ crc >> 31;

		crc = crc << 1 ^ (bit ? 0x04C11DB7 : 0);
	}
	for (int i = 0; i < 32; i++)
		reflected |= (crc >> i & 1) << (31 - i);
	return ~reflected;
}

static void put_gbl_tag(struct file *file, uint32_t id, uint32_t length)
{
	put_little(file, id);
	put_little(file, length);
}

static void begin_gbl(struct file *file, uint32_t type)
{
	*file = (struct file){};
	put_gbl_tag(file, 0x03A617EB, 8);
	put_little(file, 0x03000000);
	put_little(file, type);
}

static void end_gbl(struct file *file)
{
	put_gbl_tag(file, 0xFC0404FC, 4);
	put_little(file, crc_of(file->bytes, file->n_bytes));
}

static void make_gbl(struct file *file)
{
	begin_gbl(file, 0);
	put_gbl_tag(file, 0xF40A0AF4, 13);
	put(file, "\1\0\0\0\0\1\2\3\0\0\0\0\0", 13);
	put_gbl_tag(file, 0xFD0303FD, 6004);
	put_little(file, 0x4000);
	put_program(file, 6000);
	end_gbl(file);
}

static void begin_ebl(struct file *file)
{
	*file = (struct file){};
	put_big(file, 0x0000);
	put_big(file, 140);
	put_big(file, 0x0201);
	put_big(file, 0xE350);
	put_program(file, 136);
}

static void put_ebl_program(struct file *file)
{
	put_big(file, 0xFD03);
	put_big(file, 2052);
	put(file, "\x08\0\x20\0", 4);
	put_program(file, 2048);
}

static void make_ebl(struct file *file)
{
	begin_ebl(file);
	put_ebl_program(file);
	put_ebl_program(file);
	put_big(file, 0xFC04);
	put_big(file, 4);
	put_little(file, crc_of(file->bytes, file->n_bytes));
}

/* Header, parameters, data, and the code that only the boot loader can check. */
static void make_encrypted_ebl(struct file *file)
{
	*file = (struct file){};
	put_big(file, 0xFB05);
	put_big(file, 6);
	put_big(file, 0x0201);
	put_big(file, 1);
	put_big(file, 0xE350);
	put_big(file, 0xFA06);
	put_big(file, 16);
	put_program(file, 16);
	put_big(file, 0xF907);
	put_big(file, 2000);
	put_program(file, 2000);
	put_big(file, 0xF709);
	put_big(file, 16);
	put_program(file, 16);
}

static void assert_taken(const char *name, const struct file *file, const char *format)
{
	struct image image = {};
	struct reason reason = {};

	if (read_exact(name, file->bytes, file->n_bytes, MAX_BYTES, &image, &reason) != IMAGE_OK)
		fail_msg("%s", reason.text);
	assert_string_equal(image.format, format);
	assert_true(image.is_package);
	assert_int_equal(image.n_segments, 1);
	assert_int_equal(image.segments[0].size, file->n_bytes);
	assert_memory_equal(image.segments[0].data, file->bytes, file->n_bytes);
	image_done(&image);
}

static void a_whole_file_is_sent_as_it_is(void **state)
{
	static const uint8_t padding[60] = {[0] = 0xFF, [1] = 0xFF, [2] = 0xFF};
	struct file file;
	(void)state;

	make_gbl(&file);
	assert_taken("radio.gbl", &file, "GBL");
	assert_taken("radio-1.0.0", &file, "GBL");
	put(&file, padding, 3);
	assert_taken("radio.gbl", &file, "GBL");
	make_ebl(&file);
	assert_taken("radio.ebl", &file, "EBL");
	put(&file, padding, sizeof(padding));
	assert_taken("radio.ebl", &file, "EBL");
	make_encrypted_ebl(&file);
	assert_taken("radio.ebl", &file, "EBL");
	put(&file, padding, sizeof(padding));
	assert_taken("radio.ebl", &file, "EBL");
}

/* Encrypted and signed, a boot loader, and a tag of some later version. */
static void tags_of_all_kinds_are_passed_on(void **state)
{
	static const uint32_t ids[] = {
		0xF90707F9, 0xF50909F5, 0x5EA617EB, 0xFD0505FD, 0xFD0707FD, 0xF80A0AF8, 0xFE0101FE};
	struct file file;
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		begin_gbl(&file, 0x103);
		put_gbl_tag(&file, 0xFA0606FA, 16);
		put_program(&file, 16);
		put_gbl_tag(&file, ids[i], 100);
		put_program(&file, 100);
		put_gbl_tag(&file, 0xF1234567, 5);
		put_program(&file, 5);
		put_gbl_tag(&file, 0xF70A0AF7, 64);
		put_program(&file, 64);
		end_gbl(&file);
		assert_taken("radio.gbl", &file, "GBL");
	}
}

static void case_04_no_cut_passes_for_whole(void **state)
{
	static void (*const makers[])(struct file *) = {make_gbl, make_ebl, make_encrypted_ebl};
	static const char *const names[] = {"radio.gbl", "radio.ebl", "radio.ebl"};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		struct file file;

		makers[i](&file);
		for (size_t n = 1; n < file.n_bytes; n++) {
			struct image image = {.n_segments = 77};
			struct reason reason = {};

			if (read_exact(names[i], file.bytes, n, MAX_BYTES, &image, &reason) !=
				IMAGE_REFUSED)
				fail_msg("%s of %zu bytes was taken", names[i], n);
			assert_int_equal(image.n_segments, 77);
			if (n >= 10)
				assert_non_null(strstr(reason.text, "cut off"));
		}
	}
}

static void case_04_no_single_flipped_bit_passes(void **state)
{
	static void (*const makers[])(struct file *) = {make_gbl, make_ebl};
	static const char *const names[] = {"radio.gbl", "radio.ebl"};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		struct file file;

		makers[i](&file);
		for (size_t bit = 0; bit < 8 * file.n_bytes; bit += 1 + (bit > 1600) * 30) {
			struct image image = {};
			struct reason reason = {};

			file.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (read_exact(names[i], file.bytes, file.n_bytes, MAX_BYTES, &image,
				    &reason) != IMAGE_REFUSED)
				fail_msg("%s: bit %zu", names[i], bit);
			file.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

static void case_04_what_is_wrong_is_said(void **state)
{
	struct file file;
	(void)state;

	begin_gbl(&file, 0);
	put_gbl_tag(&file, 0xFD0303FD, 0x68);
	put(&file, "\0\x40\0\0\1\1\1\1\1\1\1\1\1\1", 14);
	assert_refused("radio-1.0.0.gbl", file.bytes, file.n_bytes, MAX_BYTES,
		"offset 16: a tag 0xFD0303FD of 104 bytes, but the file ends 14 bytes behind it: "
		"it was cut off, download it again");
	begin_gbl(&file, 0);
	put_gbl_tag(&file, 0xFD0303FD, 10);
	put_program(&file, 10);
	assert_refused("radio.gbl", file.bytes, file.n_bytes, MAX_BYTES,
		"offset 34: the file ends without an end tag");
	begin_gbl(&file, 0);
	end_gbl(&file);
	assert_refused("radio.gbl", file.bytes, file.n_bytes, MAX_BYTES,
		"offset 16: the file ends, and none of its tags has a program");
	make_gbl(&file);
	file.bytes[3000] ^= 1;
	assert_refused("radio.gbl", file.bytes, file.n_bytes, MAX_BYTES, "offset 6057: bad CRC");
	make_gbl(&file);
	put(&file, file.bytes, 100);
	assert_refused("radio.gbl", file.bytes, file.n_bytes, MAX_BYTES,
		"offset 6061: expected nothing but padding behind the end tag");
	begin_gbl(&file, 0);
	file.bytes[11] = 4;
	end_gbl(&file);
	assert_refused("radio.gbl", file.bytes, file.n_bytes, MAX_BYTES,
		"offset 8: expected version 3 of the format, seen 4");
	make_gbl(&file);
	assert_refused("radio.bin", file.bytes, file.n_bytes, MAX_BYTES,
		"the name says raw binary, but the content looks like GBL");
	assert_refused("radio.gbl", file.bytes, file.n_bytes, 6000, "");
	make_ebl(&file);
	file.bytes[1000] ^= 1;
	assert_refused("radio.ebl", file.bytes, file.n_bytes, MAX_BYTES, "offset 4260: bad CRC");
}

static void the_crc_is_that_of_zlib(void **state)
{
	(void)state;

	assert_int_equal(digest_crc32((const uint8_t *)"123456789", 9), 0xCBF43926);
	assert_int_equal(digest_crc32(NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_file_is_sent_as_it_is),
		cmocka_unit_test(tags_of_all_kinds_are_passed_on),
		cmocka_unit_test(case_04_no_cut_passes_for_whole),
		cmocka_unit_test(case_04_no_single_flipped_bit_passes),
		cmocka_unit_test(case_04_what_is_wrong_is_said),
		cmocka_unit_test(the_crc_is_that_of_zlib),
	};

	return cmocka_run_group_tests_name("gbl", tests, NULL, NULL);
}
