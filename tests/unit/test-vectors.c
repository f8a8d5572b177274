/* SPDX-License-Identifier: MIT */
/*
 * The vector table at the start of an application: which are taken, and which say that the image is
 * for another address. The images are made here, with code that begins its functions as compilers
 * do; "the other way" is what a linker makes for each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "chip/vectors.h"
#include "image/digest.h"
#include "image/library.h"
#include "unit/rows.h"

#define FLASH	  UINT32_C(0x08000000)
#define N_VECTORS 76
#define N_TABLE	  (4 * N_VECTORS)

enum shape {
	CODE,		/* functions behind one another, the handlers among them */
	LATE,		/* the same, the handlers behind 40 KiB of other code */
	RANDOM,		/* random bytes in place of code */
	NOPS,		/* one instruction in place of code */
	MINIMAL,	/* two words, then code */
	RAM_HANDLERS,	/* some handlers in RAM */
	EMPTY_HANDLERS, /* all but the reset vector 0 */
	DEFAULT_ALONE,	/* one handler for all */
	LIBRARY,	/* handlers in a library of another region */
	LOADER,		/* handlers in the boot loader below */
	CHECKSUM,	/* sums in the reserved words */
	LEFT_OUT,	/* 0xFF between table and code */
	STRANGE,	/* late handlers, a third of which begin as none of a compiler */
	FEW, /* late handlers, of which there are four, and an endless loop for the rest */
	TWO, /* late handlers: one that begins strangely, and the loop */
};

struct vectors_row {
	const char *name;
	enum shape shape;
	uint32_t size;
	uint32_t linked, placed;
	const char *expected; /* NULL: taken */
};

static const struct vectors_row rows[] = {
	{"at the start of the flash", CODE, 60000, FLASH, FLASH, NULL},
	{"at the start of the flash, handlers late", LATE, 60000, FLASH, FLASH, NULL},
	{"behind a loader", CODE, 60000, 0x08004000, 0x08004000, NULL},
	{"behind a loader, handlers late", LATE, 60000, 0x08007000, 0x08007000, NULL},
	{"small", CODE, 4000, FLASH, FLASH, NULL},
	{"minimal", MINIMAL, 128, FLASH, FLASH, NULL},
	{"minimal and large", MINIMAL, 60000, FLASH, FLASH, NULL},
	{"one handler for all", DEFAULT_ALONE, 60000, FLASH, FLASH, NULL},
	{"no handlers", EMPTY_HANDLERS, 60000, FLASH, FLASH, NULL},
	{"handlers in RAM", RAM_HANDLERS, 60000, FLASH, FLASH, NULL},
	{"handlers in a library above", LIBRARY, 60000, FLASH, FLASH, NULL},
	{"handlers in the loader below", LOADER, 60000, 0x08008000, 0x08008000, NULL},
	{"sums in the reserved words", CHECKSUM, 60000, FLASH, FLASH, NULL},
	{"code behind a hole", LEFT_OUT, 60000, FLASH, FLASH, NULL},
	{"handlers that begin strangely, late", STRANGE, 60000, FLASH, FLASH, NULL},
	{"few handlers, late", FEW, 60000, FLASH, FLASH, NULL},
	{"two handlers, late, one of which begins strangely", TWO, 60000, FLASH, FLASH, NULL},
	{"bytes that are no code", RANDOM, 60000, FLASH, FLASH, NULL},
	{"nothing but one instruction", NOPS, 60000, FLASH, FLASH, NULL},

	{"for 0x08007000", CODE, 60000, 0x08007000, FLASH,
		"linked for another address, 0x08007000"},
	{"for 0x08002000", CODE, 60000, 0x08002000, FLASH,
		"linked for another address, 0x08002000"},
	{"for 0x08002800", CODE, 60000, 0x08002800, FLASH,
		"linked for another address, 0x08002800"},
	{"for 0x08000800", CODE, 60000, 0x08000800, FLASH,
		"linked for another address, 0x08000800"},
	{"for 0x08004000, at 0x08001000", CODE, 60000, 0x08004000, 0x08001000,
		"linked for another address, 0x08004000"},
	{"for 0x08002000, handlers late", LATE, 60000, 0x08002000, FLASH,
		"linked for another address, 0x08002000"},
	{"for 0x08007000, handlers late, behind the end", LATE, 50000, 0x08007000, FLASH,
		"linked for another address, 0x08007000"},
	{"few handlers, late, for 0x08002000", FEW, 60000, 0x08002000, FLASH,
		"linked for another address, 0x08002000"},
	{"for 0x08007000, the whole behind the end", CODE, 20000, 0x08007000, FLASH,
		"0x08007000 as it seems"},
	{"for the start of the flash, at 0x08004000", CODE, 60000, FLASH, 0x08004000,
		"0x08000000 as it seems"},
	{"for 0x08007000, sums in the reserved words", CHECKSUM, 60000, 0x08007000, FLASH,
		"linked for another address, 0x08007000"},
	{"for 0x08007000, bytes that are no code", RANDOM, 60000, 0x08007000, FLASH,
		"linked for another address, 0x08007000"},
	{"for 0x08002000, nothing but one instruction", NOPS, 60000, 0x08002000, FLASH,
		"linked for another address, 0x08002000"},
	{"one handler for all, for 0x08007000", DEFAULT_ALONE, 60000, 0x08007000, FLASH,
		"linked for another address, 0x08007000"},
};

static void put_word(uint8_t *to, uint32_t word)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(word >> 8 * i);
}

static void put_half(uint8_t *to, uint16_t half)
{
	to[0] = (uint8_t)half;
	to[1] = (uint8_t)(half >> 8);
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 16;
}

/* Code: mostly what stands inside of functions, every 20th to 60th halfword a beginning. */
static void put_code(uint8_t *bytes, uint32_t size, uint32_t *functions, size_t n_functions)
{
	static const uint16_t inside[] = {0x6018, 0x681B, 0x3301, 0x4283, 0xD1FB, 0x4413, 0x0612,
		0x5CD3, 0x9B01, 0x7019, 0xD0F4, 0x1AD2, 0x4A12, 0x2300, 0xF7FF, 0xFFC3, 0x8893};
	static const uint16_t beginnings[] = {
		0xB510, 0xB580, 0xE92D, 0xB082, 0x4B03, 0xE7FE, 0x2000};
	uint32_t state = 7, until_next = 0;
	size_t n = 0;

	for (uint32_t at = 0; at + 2 <= size; at += 2) {
		if (until_next-- > 0) {
			put_half(bytes + at, inside[next_random(&state) % ARRAY_SIZE(inside)]);
			continue;
		}
		put_half(bytes + at, beginnings[next_random(&state) % ARRAY_SIZE(beginnings)]);
		until_next = 20 + next_random(&state) % 40;
		if (n < n_functions)
			functions[n++] = at;
	}
}

static uint32_t handler_of(enum shape shape, size_t i, const uint32_t *functions, uint32_t linked)
{
	if (shape == EMPTY_HANDLERS && i > 1)
		return 0;
	if (shape == RAM_HANDLERS && i % 3 == 0)
		return 0x20000101 + 4 * (uint32_t)i;
	if (shape == LIBRARY && i > 5)
		return 0x08060101;
	if (shape == LOADER && i % 2 == 0)
		return 0x08000201;
	if (shape == DEFAULT_ALONE && i > 1)
		return linked + functions[1] + 1;
	if (shape == TWO)
		return linked + functions[i == 15 ? 4 : 6] + 1;
	if (shape == FEW)
		return linked + functions[i == 3 ? 3 : i == 15 ? 4 : i == 40 ? 5 : 6] + 1;
	/* Those of a few interrupts, the rest has the default. */
	return linked + functions[i < 16 ? i : i % 9 == 0 ? 16 + i / 9 : 2] + 1;
}

static uint8_t *make(const struct vectors_row *row)
{
	uint8_t *bytes = calloc(1, row->size);
	uint32_t functions[2000] = {0}, begin = row->shape == MINIMAL ? 8 : N_TABLE, state = 99;
	bool is_late = row->shape == LATE || row->shape == STRANGE || row->shape == FEW ||
		       row->shape == TWO;
	size_t n_skip = is_late ? 700 : 0;

	assert_non_null(bytes);
	if (row->shape == LEFT_OUT)
		begin = 0x4000;
	put_code(bytes + begin, row->size - begin, functions, ARRAY_SIZE(functions));
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		functions[i] += begin;
	if (row->shape == LEFT_OUT)
		memset(bytes + N_TABLE, 0xFF, begin - N_TABLE);
	for (uint32_t i = begin; row->shape == RANDOM && i < row->size; i++)
		bytes[i] = (uint8_t)next_random(&state);
	for (uint32_t i = begin; row->shape == NOPS && i + 2 <= row->size; i += 2)
		put_half(bytes + i, 0x3301);
	for (size_t i = 1; row->shape == STRANGE && i < 60; i += 4)
		put_half(bytes + functions[n_skip + i], 0x6803);
	if (row->shape == FEW) {
		put_half(bytes + functions[n_skip + 3], 0xB510);
		put_half(bytes + functions[n_skip + 4], 0xB580);
		put_half(bytes + functions[n_skip + 5], 0x4B03);
		put_half(bytes + functions[n_skip + 6], 0xE7FE);
	}
	if (row->shape == TWO) {
		put_half(bytes + functions[n_skip + 4], 0x6803);
		put_half(bytes + functions[n_skip + 6], 0xE7FE);
		/* For 0x08002000 all three would fit better, by chance. */
		put_half(bytes + functions[n_skip] - 0x2000, 0xB510);
		put_half(bytes + functions[n_skip + 4] - 0x2000, 0xB510);
		put_half(bytes + functions[n_skip + 6] - 0x2000, 0xB510);
	}
	put_word(bytes, 0x20005000);
	put_word(bytes + 4, row->linked + functions[n_skip] + 1);
	for (size_t i = 2; i < N_VECTORS && row->shape != MINIMAL; i++) {
		bool is_reserved = (i >= 7 && i <= 10) || i == 13;
		uint32_t handler = handler_of(row->shape, i, functions + n_skip, row->linked);

		if (is_reserved)
			handler = row->shape == CHECKSUM ? 0x1234ABCD * (uint32_t)i : 0;
		put_word(bytes + 4 * i, handler);
	}
	return bytes;
}

static int check_at(const uint8_t *bytes, uint32_t size, uint32_t address, struct reason *reason)
{
	const struct image_options options = {.address = address, .max_bytes = size};
	const struct chip_range ram = {0x20000000, 0x5000};
	const struct vector_space space = {.has_address = true,
		.address = address,
		.flash = {FLASH, 0x80000},
		.stack = &ram,
		.n_stack = 1};
	struct image image = {};
	int r = image_read("gate.bin", bytes, size, &options, &image, reason);

	assert_int_equal(r, IMAGE_OK);
	r = vectors_check(&image, &space, reason);
	image_done(&image);
	return r;
}

static void case_35_vectors_say_where_an_image_belongs(void **state)
{
	const struct vectors_row *row = *state;
	CLEANUP(freep) uint8_t *bytes = make(row);
	struct reason reason = {};
	int r = check_at(bytes, row->size, row->placed, &reason);

	if (r != (row->expected ? IMAGE_REFUSED : IMAGE_OK))
		fail_msg("got %d, '%s'", r, reason.text);
	if (row->expected && !strstr(reason.text, row->expected))
		fail_msg("expected '%s', got '%s'", row->expected, reason.text);
}

/* Both handlers begin with it, so that of three vectors it decides. */
static void handlers_may_begin_with_these_too(void **state)
{
	static const uint16_t beginnings[] = {0xBF00 /* nop */, 0xBF20 /* wfe */, 0xBF30 /* wfi */,
		0xDEFE /* udf */, 0xA001 /* adr */};
	const struct vectors_row row = {.shape = TWO, .size = 60000, .linked = FLASH};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++) {
		CLEANUP(freep) uint8_t *bytes = make(&row);
		struct reason reason = {};

		for (size_t vector = 2; vector < N_VECTORS; vector++) {
			uint32_t handler =
				(uint32_t)(bytes[4 * vector] | bytes[4 * vector + 1] << 8);

			if (handler > 0)
				put_half(bytes + handler - 1, beginnings[i]);
		}
		if (check_at(bytes, row.size, FLASH, &reason) != IMAGE_OK)
			fail_msg("0x%04x: '%s'", beginnings[i], reason.text);
	}
}

/* At its own place, and a KiB to 64 KiB off it. */
static void case_35_real_firmware_is_taken_in_its_place_alone(void **state)
{
	static const char *const names[] = {"firmware-1.0.0.bin", "firmware-1.1.0.bin"};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(library_file_done) struct library_file file = {};
		struct reason reason = {};

		assert_int_equal(
			library_read("tests/firmware", names[i], 0x10000, &file, &reason), 0);
		assert_int_equal(
			check_at(file.data, (uint32_t)file.n_data, FLASH, &reason), IMAGE_OK);
		for (uint32_t off = 0x400; off <= 0x10000; off += 0x400) {
			int r = check_at(file.data, (uint32_t)file.n_data, FLASH + off, &reason);

			assert_int_equal(r, IMAGE_REFUSED);
			assert_non_null(strstr(reason.text, "0x08000000 as it seems"));
		}
	}
}

/* ------------------------------------------------------------------ a place that nobody knows */

static const struct {
	const char *name;
	enum shape shape;
	uint32_t linked;
	uint32_t spoilt; /* replaces the reset vector, where it is not 0 */
	const char *expected;
} anywhere[] = {
	{"code for the start of the flash", CODE, FLASH, 0, NULL},
	{"code for 0", CODE, 0, 0, NULL},
	{"code for behind a loader", CODE, 0x00004000, 0, NULL},
	{"handlers in RAM", RAM_HANDLERS, 0x08004000, 0, NULL},
	{"random bytes behind a sound table", RANDOM, 0x08004000, 0, NULL},
	{"reset vector even", CODE, FLASH, 0x08000200, "nothing says where it belongs"},
	{"reset vector far from all handlers", CODE, FLASH, 0x00500001,
		"(0x20005000, 0x00500001), and nothing says where it belongs: set `address`"},
	{"nothing but a reset vector", MINIMAL, FLASH, 0, "vector-table = ignore"},
};

static void case_06_without_a_place_the_vectors_must_agree(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(anywhere); i++) {
		const struct vectors_row row = {
			.shape = anywhere[i].shape, .size = 20000, .linked = anywhere[i].linked};
		const struct image_options options = {.max_bytes = row.size};
		CLEANUP(freep) uint8_t *bytes = make(&row);
		struct image image = {};
		struct reason reason = {};
		int r;

		if (anywhere[i].spoilt)
			put_word(bytes + 4, anywhere[i].spoilt);
		assert_int_equal(
			image_read("x.bin", bytes, row.size, &options, &image, &reason), IMAGE_OK);
		assert_true(image.is_raw);
		r = vectors_check_anywhere(&image, &reason);
		image_done(&image);
		if (r != (anywhere[i].expected ? IMAGE_REFUSED : IMAGE_OK))
			fail_msg("%s: got %d, '%s'", anywhere[i].name, r, reason.text);
		if (anywhere[i].expected && !strstr(reason.text, anywhere[i].expected))
			fail_msg("%s: '%s'", anywhere[i].name, reason.text);
	}
}

/* 4,000 files of random bytes: none is taken, with a place or without. */
static void case_36_random_bytes_are_no_application(void **state)
{
	static uint8_t bytes[12000];
	uint32_t random = 1;
	(void)state;

	for (unsigned n = 0; n < 4000; n++) {
		const struct image_options options = {.max_bytes = sizeof(bytes)};
		struct image image = {};
		struct reason reason = {};

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)next_random(&random);
		assert_int_equal(
			check_at(bytes, sizeof(bytes), 0x08004000, &reason), IMAGE_REFUSED);
		assert_int_equal(
			image_read("x.bin", bytes, sizeof(bytes), &options, &image, &reason), 0);
		assert_int_equal(vectors_check_anywhere(&image, &reason), IMAGE_REFUSED);
		image_done(&image);
	}
}

/* ------------------------------------------------------------------ MCUboot */

#define HEADER 0x200
#define SLOT   UINT32_C(0x08010000)

struct mcuboot_row {
	const char *name;
	uint32_t linked, placed;
	uint32_t flags;
	size_t at; /* this byte of the file is changed, where it is not 0 */
	size_t cut;
	const char *expected;
};

static const struct mcuboot_row mcuboots[] = {
	{"mcuboot: in its slot", SLOT, SLOT, 0, 0, 0, NULL},
	{"mcuboot: at the start of the flash", FLASH, FLASH, 0, 0, 0,
		"0x08000000, where the chip starts, belongs MCUboot itself"},
	{"mcuboot: for another slot", 0x08020000, SLOT, 0, 0, 0, "0x08020000 as it seems"},
	{"mcuboot: a bit more", SLOT, SLOT, 0, 0x1234, 0, "its SHA-256 is not the one at its end"},
	{"mcuboot: a bit more in the header", SLOT, SLOT, 0, 0x20, 0, "its SHA-256 is not"},
	{"mcuboot: a byte short", SLOT, SLOT, 0, 0, 1, "it was cut off, or not signed by imgtool"},
	{"mcuboot: half of it", SLOT, SLOT, 0, 0, 10000, "it was cut off"},
	{"mcuboot: but for its first KiB", SLOT, SLOT, 0, 0, 19700, "it was cut off"},
	{"mcuboot: encrypted", SLOT, SLOT, 4, 0x1234, 0, NULL},
	{"mcuboot: encrypted, a byte short", SLOT, SLOT, 4, 0, 1, "it was cut off"},
	{"mcuboot: to be loaded to RAM", 0x20001000, SLOT, 0x20, 0, 0, NULL},
	{"mcuboot: to be loaded to RAM, linked for flash", SLOT, SLOT, 0x20, 0, 0,
		"header loads it to 0x20001000"},
};

static void hash_of(const uint8_t *bytes, size_t n, uint8_t to[DIGEST_SIZE])
{
	char hex[DIGEST_HEX_SIZE];

	digest_sha256(bytes, n, hex);
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		const char text[] = {hex[2 * i], hex[2 * i + 1], '\0'};

		to[i] = (uint8_t)strtoul(text, NULL, 16);
	}
}

/* Header, application, one TLV with the digest. */
static uint8_t *make_mcuboot(const struct mcuboot_row *row, uint32_t *ret_size)
{
	const struct vectors_row application = {
		.shape = CODE, .size = 20000, .linked = row->linked + HEADER};
	CLEANUP(freep) uint8_t *bytes = make(&application);
	uint32_t n = HEADER + application.size;
	uint8_t *file = calloc(1, n + 40);

	assert_non_null(file);
	put_word(file, 0x96f3b83d);
	put_word(file + 4, row->flags & 0x20 ? 0x20001000 : 0);
	put_half(file + 8, HEADER);
	put_word(file + 12, application.size);
	put_word(file + 16, row->flags);
	memcpy(file + HEADER, bytes, application.size);
	put_half(file + n, 0x6907);
	put_half(file + n + 2, 40);
	put_half(file + n + 4, 0x10);
	put_half(file + n + 6, DIGEST_SIZE);
	hash_of(file, n, file + n + 8);
	file[row->at] ^= row->at > 0;
	*ret_size = n + 40 - (uint32_t)row->cut;
	return file;
}

static void case_38_mcuboot_is_checked_behind_its_header(void **state)
{
	const struct mcuboot_row *row = *state;
	uint32_t size;
	CLEANUP(freep) uint8_t *file = make_mcuboot(row, &size);
	struct reason reason = {};
	int r = check_at(file, size, row->placed, &reason);

	if (r != (row->expected ? IMAGE_REFUSED : IMAGE_OK))
		fail_msg("got %d, '%s'", r, reason.text);
	if (row->expected && !strstr(reason.text, row->expected))
		fail_msg("expected '%s', got '%s'", row->expected, reason.text);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows) + ARRAY_SIZE(mcuboots) + 4];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, rows, case_35_vectors_say_where_an_image_belongs);
	ADD_TEST(tests, n_tests, handlers_may_begin_with_these_too);
	ADD_TEST(tests, n_tests, case_35_real_firmware_is_taken_in_its_place_alone);
	ADD_TEST(tests, n_tests, case_06_without_a_place_the_vectors_must_agree);
	ADD_TEST(tests, n_tests, case_36_random_bytes_are_no_application);
	ADD_ROWS(tests, n_tests, mcuboots, case_38_mcuboot_is_checked_behind_its_header);
	return RUN_TESTS("vectors", tests, n_tests);
}
