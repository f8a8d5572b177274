/* SPDX-License-Identifier: MIT */
/* Segments, the choice of a format, raw images, and what an image must fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/outcome.h"
#include "base/util.h"
#include "chip/family-stm32.h"
#include "chip/family.h"
#include "flash/image-check.h"
#include "image/image.h"
#include "image/library.h"

#define FLASH UINT32_C(0x08000000)

/* ------------------------------------------------------------------ segments */

static void add(struct image *image, uint32_t address, const char *text, int expected)
{
	struct reason reason = {};

	assert_int_equal(
		image_add(image, address, (const uint8_t *)text, strlen(text), 1000, &reason),
		expected);
}

static void assert_segment(const struct image *image, size_t i, uint32_t address, const char *text)
{
	assert_true(i < image->n_segments);
	assert_int_equal(image->segments[i].address, address);
	assert_int_equal(image->segments[i].size, strlen(text));
	assert_memory_equal(image->segments[i].data, text, strlen(text));
}

static void pieces_that_touch_become_one_segment(void **state)
{
	struct image image = {};
	(void)state;

	add(&image, 100, "cd", IMAGE_OK);
	add(&image, 110, "xy", IMAGE_OK);
	add(&image, 102, "ef", IMAGE_OK);
	add(&image, 98, "ab", IMAGE_OK);
	add(&image, 50, "first", IMAGE_OK);
	add(&image, 60, "", IMAGE_OK);
	assert_int_equal(image.n_segments, 3);
	assert_segment(&image, 0, 50, "first");
	assert_segment(&image, 1, 98, "abcdef");
	assert_segment(&image, 2, 110, "xy");
	add(&image, 104, "ghijkl", IMAGE_OK);
	assert_int_equal(image.n_segments, 2);
	assert_segment(&image, 1, 98, "abcdefghijklxy");
	assert_int_equal(image_bytes(&image), 19);
	image_done(&image);
	assert_int_equal(image.n_segments, 0);
}

static void fault_39_overlaps_are_refused_with_the_address(void **state)
{
	static const struct {
		uint32_t address;
		const char *text, *expected;
	} rows[] = {
		{100, "a", "0x00000064"},
		{103, "a", "0x00000067"},
		{99, "ab", "0x00000064"},
		{90, "0123456789a", "0x00000064"},
		{103, "ab", "0x00000067"},
		{99, "012345", "0x00000064"},
		{104, "0123456", "0x0000006e"},
		{0, "", NULL},
	};
	struct image image = {};
	(void)state;

	add(&image, 100, "abcd", IMAGE_OK);
	add(&image, 110, "xy", IMAGE_OK);
	for (size_t i = 0; rows[i].expected; i++) {
		struct reason reason = {};

		assert_int_equal(image_add(&image, rows[i].address, (const uint8_t *)rows[i].text,
					 strlen(rows[i].text), 1000, &reason),
			IMAGE_REFUSED);
		if (!strstr(reason.text, rows[i].expected))
			fail_msg(
				"row %zu: expected %s, got '%s'", i, rows[i].expected, reason.text);
	}
	image_done(&image);
}

static void fault_41_the_end_of_the_addresses_is_refused(void **state)
{
	const uint8_t data[16] = {};
	struct image image = {};
	struct reason reason = {};
	(void)state;

	assert_int_equal(image_add(&image, 0xFFFFFFFF, data, 1, 1000, &reason), IMAGE_REFUSED);
	assert_int_equal(image_add(&image, 0xFFFFFFF8, data, 16, 1000, &reason), IMAGE_REFUSED);
	assert_non_null(strstr(reason.text, "0xfffffff8"));
	assert_int_equal(image_add(&image, 0xFFFFFFFE, data, 1, 1000, &reason), IMAGE_OK);
	assert_int_equal(image_byte(&image, 0xFFFFFFFE), 0);
	assert_int_equal(image_byte(&image, 0xFFFFFFFF), 0xFF);
	assert_true(image_touches(&image, 0xFFFFFFFE, 2));
	assert_true(image_touches(&image, 0, UINT64_C(1) << 32));
	assert_false(image_touches(&image, 0xFFFFFFFF, 1));
	image_done(&image);
}

static void fault_29_the_bound_counts_all_segments(void **state)
{
	const uint8_t data[16] = {};
	struct image image = {};
	struct reason reason = {};
	(void)state;

	assert_int_equal(image_add(&image, 0, data, 16, 20, &reason), IMAGE_OK);
	assert_int_equal(image_add(&image, 100, data, 5, 20, &reason), IMAGE_REFUSED);
	assert_non_null(strstr(reason.text, "21 bytes, but at most 20"));
	assert_int_equal(image_add(&image, 100, data, 4, 20, &reason), IMAGE_OK);
	assert_int_equal(image_add(&image, 200, data, 1, 20, &reason), IMAGE_REFUSED);
	assert_int_equal(image_bytes(&image), 20);
	image_done(&image);
}

static void fault_30_gaps_and_the_end_read_as_erased_flash(void **state)
{
	struct image image = {};
	uint8_t got[12];
	(void)state;

	add(&image, 102, "abc", IMAGE_OK);
	add(&image, 107, "d", IMAGE_OK);
	assert_true(image_copy(&image, 100, got, sizeof(got)));
	assert_memory_equal(got,
		"\xff\xff"
		"abc\xff\xff"
		"d\xff\xff\xff\xff",
		sizeof(got));
	assert_true(image_copy(&image, 104, got, 4));
	assert_memory_equal(got,
		"c\xff\xff"
		"d",
		4);
	assert_false(image_copy(&image, 105, got, 2));
	assert_memory_equal(got, "\xff\xff", 2);
	assert_false(image_copy(&image, 108, got, 4));
	assert_false(image_copy(&image, 0, got, 0));
	assert_true(image_copy(&image, 107, got, 1));
	assert_int_equal(image_byte(&image, 101), 0xFF);
	assert_int_equal(image_byte(&image, 104), 'c');
	assert_int_equal(image_byte(&image, 105), 0xFF);
	assert_false(image_touches(&image, 105, 2));
	assert_true(image_touches(&image, 105, 3));
	assert_false(image_touches(&image, 102, 0));
	assert_false(image_touches(&image, 90, 12));
	assert_true(image_touches(&image, 90, 13));
	image_done(&image);
}

/* ------------------------------------------------------------------ formats */

#define HEX  ":04000000AABBCCDDEE\n:00000001FF\n"
#define RAW  "\0\x50\0\x20\x09\0\0\x08 firmware"
#define SREC "S10500000102F7\nS9030000FC\n"
#define ELF    \
	"\x7f" \
	"ELF\1\1\1"
#define NOTHING ""

static const struct {
	const char *name;
	const char *file;
	const char *content;
	size_t n_content;
	int result;
	const char *expected; /* format, or part of the reason */
} files[] = {
#define FILE_ROW(name_, file_, content_, result_, expected_)                     \
	{                                                                        \
		name_, file_, content_, sizeof(content_) - 1, result_, expected_ \
	}
	FILE_ROW("HEX by both", "gate.hex", HEX, IMAGE_OK, "Intel HEX"),
	FILE_ROW("HEX by both, in a folder with a dot", "a.bin/gate.ihex", HEX, IMAGE_OK,
		"Intel HEX"),
	FILE_ROW("suffix in capitals", "GATE.HEX", HEX, IMAGE_OK, "Intel HEX"),
	FILE_ROW("HEX behind blank lines", "gate.ihx", "\r\n\n  \n" HEX, IMAGE_OK, "Intel HEX"),
	FILE_ROW("HEX by content", "gate", HEX, IMAGE_OK, "Intel HEX"),
	FILE_ROW("HEX by content, other suffix", "gate-1.2.txt", HEX, IMAGE_OK, "Intel HEX"),
	FILE_ROW("raw by both", "gate.bin", RAW, IMAGE_OK, "raw binary"),
	FILE_ROW("raw by both, .img", "gate.img", RAW, IMAGE_OK, "raw binary"),
	FILE_ROW("raw by both, .raw", "gate.Raw", RAW, IMAGE_OK, "raw binary"),
	FILE_ROW("raw by content", "gate-1.2", RAW, IMAGE_OK, "raw binary"),
	FILE_ROW("raw, a folder's dot is no suffix", "a.hex/gate", RAW, IMAGE_OK, "raw binary"),
	FILE_ROW("raw named HEX", "gate.hex", RAW, IMAGE_REFUSED,
		"image 'gate.hex': the name says Intel HEX, but the content looks like raw binary "
		"(first byte 0x00)"),
	FILE_ROW("text named HEX", "gate.hex", "not found", IMAGE_REFUSED,
		"the name says Intel HEX, but the content looks like a text (first byte 0x6e)"),
	FILE_ROW("HTML named HEX", "gate.hex", "<html>not found</html>", IMAGE_REFUSED,
		"image 'gate.hex': this is a page of HTML, no firmware: download the file itself"),
	FILE_ROW("HEX named raw", "gate.bin", HEX, IMAGE_REFUSED,
		"the name says raw binary, but the content looks like Intel HEX"),
	FILE_ROW("HEX that begins damaged", "gate.hex", ":04!00000" HEX, IMAGE_REFUSED,
		"the name says Intel HEX"),
	FILE_ROW("a raw image may begin with a colon", "gate.bin", ":0123456\0\1\2\3", IMAGE_OK,
		"raw binary"),
	FILE_ROW("ELF by both, cut off", "gate.elf", ELF, IMAGE_REFUSED,
		"image 'gate.elf': offset 7: the file ends, but an ELF header has 52 bytes"),
	FILE_ROW("ELF by content", "gate", ELF, IMAGE_REFUSED, "an ELF header has 52 bytes"),
	FILE_ROW("ELF named raw", "gate.bin", ELF, IMAGE_REFUSED,
		"the name says raw binary, but the content looks like ELF (first byte 0x7f)"),
	FILE_ROW("raw named ELF", "gate.axf", RAW, IMAGE_REFUSED,
		"the name says ELF, but the content looks like raw binary"),
	FILE_ROW("S-record by both", "gate.s19", SREC, IMAGE_OK, "Motorola S-record"),
	FILE_ROW("S-record by both, another suffix", "gate.MOT", SREC, IMAGE_OK,
		"Motorola S-record"),
	FILE_ROW("S-record by content", "gate", "\n" SREC, IMAGE_OK, "Motorola S-record"),
	FILE_ROW("S-record of lower case", "gate.srec", "s10500000102f7\ns9030000fc\n", IMAGE_OK,
		"Motorola S-record"),
	FILE_ROW("S-record named HEX", "gate.hex", SREC, IMAGE_REFUSED,
		"the name says Intel HEX, but the content looks like Motorola S-record"),
	FILE_ROW("HEX named S-record", "gate.s37", HEX, IMAGE_REFUSED,
		"the name says Motorola S-record, but the content looks like Intel HEX"),
	FILE_ROW("raw named S-record", "gate.s28", RAW, IMAGE_REFUSED,
		"the name says Motorola S-record, but the content looks like raw binary"),
	FILE_ROW("S-record named raw", "gate.bin", SREC, IMAGE_REFUSED,
		"the name says raw binary, but the content looks like Motorola S-record"),
	FILE_ROW("DfuSe by both, cut off", "gate.dfu", "DfuSe\1\0\0\0\0\1", IMAGE_REFUSED,
		"image 'gate.dfu': offset 11: the file ends"),
	FILE_ROW("DfuSe named raw", "gate.bin", "DfuSe\1\0\0\0\0\1", IMAGE_REFUSED,
		"the name says raw binary, but the content looks like DfuSe (first byte 0x44)"),
	FILE_ROW("raw named DfuSe", "gate.dfu", RAW, IMAGE_REFUSED,
		"the name says DfuSe, but the content looks like raw binary"),
	FILE_ROW("fault 28: empty HEX", "gate.hex", NOTHING, IMAGE_REFUSED, "the file is empty"),
	FILE_ROW("fault 28: empty raw", "gate.bin", NOTHING, IMAGE_REFUSED, "the file is empty"),
	FILE_ROW("fault 28: HEX of 1 byte", "gate.hex", ":", IMAGE_REFUSED,
		"the name says Intel HEX"),
	FILE_ROW("fault 28: HEX of one newline", "gate.hex", "\n", IMAGE_REFUSED,
		"the name says Intel HEX"),
	FILE_ROW("fault 28: raw of 1 byte", "gate.bin", "\1", IMAGE_REFUSED,
		"image 'gate.bin': offset 1: the file ends"),
	FILE_ROW("fault 28: raw of 7 bytes", "gate", "abcdef\1", IMAGE_REFUSED,
		"offset 7: the file ends"),
	FILE_ROW("raw of 8 bytes", "gate.bin", "abcdefg\1", IMAGE_OK, "raw binary"),
	FILE_ROW("fault 29: raw, one byte too large", "gate.bin",
		"\1"
		"123456789abcdef0123456789abcdef!",
		IMAGE_REFUSED, "offset 32: 33 bytes, but at most 32 fit the flash"),
	FILE_ROW("raw, just as large as can be", "gate.bin",
		"\1"
		"123456789abcdef0123456789abcdef",
		IMAGE_OK, "raw binary"),
};

static void fault_28_29_a_file_is_what_name_and_content_say(void **state)
{
	const struct image_options options = {.address = FLASH, .max_bytes = 32};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		CLEANUP(freep) uint8_t *content = malloc(files[i].n_content);
		struct image image = {};
		struct reason reason = {};
		int r;

		memcpy(content, files[i].content, files[i].n_content);
		r = image_read(
			files[i].file, content, files[i].n_content, &options, &image, &reason);
		if (r != files[i].result)
			fail_msg("%s: got %d, '%s'", files[i].name, r, reason.text);
		if (!strstr(r == IMAGE_OK ? image.format : reason.text, files[i].expected))
			fail_msg("%s: expected '%s', got '%s'", files[i].name, files[i].expected,
				r == IMAGE_OK ? image.format : reason.text);
		image_done(&image);
	}
}

static void a_raw_image_stands_at_the_address_given(void **state)
{
	const struct image_options options = {.address = 0x08004000, .max_bytes = 100};
	struct image image = {};
	struct reason reason = {};
	(void)state;

	assert_int_equal(
		image_read("x", (const uint8_t *)RAW, sizeof(RAW) - 1, &options, &image, &reason),
		IMAGE_OK);
	assert_int_equal(image.n_segments, 1);
	assert_int_equal(image.segments[0].address, 0x08004000);
	assert_int_equal(image.segments[0].size, sizeof(RAW) - 1);
	assert_memory_equal(image.segments[0].data, RAW, sizeof(RAW) - 1);
	image_done(&image);
}

static void fault_41_a_raw_image_does_not_wrap(void **state)
{
	const struct image_options options = {.address = 0xFFFFFFF8, .max_bytes = 100};
	struct image image = {};
	struct reason reason = {};
	(void)state;

	assert_int_equal(
		image_read("x", (const uint8_t *)RAW, sizeof(RAW) - 1, &options, &image, &reason),
		IMAGE_REFUSED);
	assert_non_null(strstr(reason.text, "0xfffffff8"));
}

static void names_from_outside_are_escaped_in_the_reason(void **state)
{
	const struct image_options options = {.max_bytes = 100};
	struct image image = {};
	struct reason reason = {};
	(void)state;

	assert_int_equal(
		image_read("g%n\n'\x1b.hex", NULL, 0, &options, &image, &reason), IMAGE_REFUSED);
	assert_null(strpbrk(reason.text, "\n\x1b"));
	assert_non_null(strstr(reason.text, "g%n"));
}

/* ------------------------------------------------------------------ what an image must fit */

/* An F103xC; the second stack range stands for parts with a CCM. */
static struct keep_range keeps[] = {{0x0803F800, 0x800}, {0x08004000, 0x400}};
static struct stm32_row f103_row = {
	.stack = {{0x20000000, 0xC000}, {0x10000000, 0x10000}},
	.n_stack = 2,
};
static const struct chip f103 = {
	.family = &family_stm32,
	.name = (char *)"F103xC",
	.flash = {FLASH, 0x40000},
	.pages = {{{1024, 256, 0}}, 1},
	.write_align = 4,
	.own = &f103_row,
};
static const struct board rule = {.check_vectors = true, .keep = {keeps, 2}};

static int check_for_f103(const struct image *image, struct reason *reason)
{
	return image_check_chip(&rule, &f103, f103.flash.size, image, reason);
}

enum { CHECK_ALL, NO_VECTORS, NO_STACK_KNOWN };

static const struct {
	const char *name;
	uint32_t address, size; /* one segment */
	uint32_t stack, reset;	/* its first two words */
	int how;
	const char *expected; /* NULL: fits */
} spaces[] = {
	{"fits", FLASH, 256, 0x20005000, 0x08000009, CHECK_ALL, NULL},
	{"behind the vector table of another", FLASH + 0x400, 256, 0x20005000, 0x08000409,
		CHECK_ALL, NULL},
	{"no vectors behind the start of the flash", FLASH + 8, 256, 0, 0, CHECK_ALL,
		"vector table at 0x08000008 has 0x00000000 as initial stack pointer"},
	{"random words behind a loader", 0x08004400, 256, 0x4D7C3F11, 0x3AE51B77, CHECK_ALL,
		"vector table at 0x08004400 has 0x4d7c3f11"},
	{"a stack in memory outside, behind a loader", 0x08004400, 256, 0xD0200000, 0x08004409,
		CHECK_ALL, NULL},
	{"a stack in memory outside, at the start of the flash", FLASH, 256, 0xD0200000, 0x08000009,
		CHECK_ALL, "0xd0200000 as initial stack pointer, which is outside the RAM"},
	{"up to the first keep", FLASH, 0x4000, 0x20005000, 0x08003FFF, CHECK_ALL, NULL},
	{"between the keeps", 0x08004400, 0x3B400, 0x20005000, 0x08004409, CHECK_ALL, NULL},
	{"fault 29: beyond the end", 0x0803FF00, 0x101, 0, 0, CHECK_ALL,
		"0x08040000, outside the flash of 262144 bytes at 0x08000000"},
	{"fault 29: larger than the flash", FLASH, 0x40001, 0x20005000, 0x08000009, CHECK_ALL,
		"0x08040000, outside the flash"},
	{"fault 41: below the flash", FLASH - 4, 8, 0, 0, CHECK_ALL, "0x07fffffc, outside"},
	{"fault 41: at 0", 0, 256, 0x20005000, 0x08000009, CHECK_ALL, "0x00000000, outside"},
	{"fault 41: behind the end", 0x08040000, 16, 0, 0, CHECK_ALL, "0x08040000, outside"},
	{"fault 41: option bytes", 0x1FFFF800, 16, 0, 0, CHECK_ALL,
		"0x1ffff800 (option bytes or system memory), outside"},
	{"fault 41: RAM", 0x20000000, 16, 0, 0, CHECK_ALL, "0x20000000 (RAM), outside"},
	{"fault 41: peripherals", 0x40022000, 8, 0, 0, CHECK_ALL, "0x40022000 (peripherals)"},
	{"fault 41: the end of the addresses", 0xFFFFFFF0, 15, 0, 0, CHECK_ALL, "0xfffffff0"},
	{"into a range to keep", FLASH, 0x4001, 0x20005000, 0x08000009, CHECK_ALL,
		"0x08004000+0x400, which the rule says to keep"},
	{"last byte of a range to keep", 0x080043FF, 1, 0, 0, CHECK_ALL, "0x08004000+0x400"},
	{"over a range to keep", 0x0803F000, 0x1000, 0, 0, CHECK_ALL, "0x0803f800+0x800"},
	{"fault 44: stack at the end of RAM", FLASH, 256, 0x2000C000, 0x08000009, CHECK_ALL, NULL},
	{"fault 44: stack in the second RAM", FLASH, 256, 0x10010000, 0x08000009, CHECK_ALL, NULL},
	{"fault 44: stack at the first word", FLASH, 256, 0x20000004, 0x08000009, CHECK_ALL, NULL},
	{"fault 44: stack at the start of RAM", FLASH, 256, 0x20000000, 0x08000009, CHECK_ALL,
		"0x20000000 as initial stack pointer, which is outside the RAM"},
	{"fault 44: stack behind the RAM", FLASH, 256, 0x2000C004, 0x08000009, CHECK_ALL,
		"0x2000c004 as initial stack pointer, which is outside the RAM"},
	{"stack at the last byte of RAM", FLASH, 256, 0x2000BFFF, 0x08000009, CHECK_ALL, NULL},
	{"stack a byte behind the end of RAM", FLASH, 256, 0x2000C001, 0x08000009, CHECK_ALL, NULL},
	{"stack three bytes behind the end of RAM", FLASH, 256, 0x2000C003, 0x08000009, CHECK_ALL,
		NULL},
	{"stack not aligned", FLASH, 256, 0x20005002, 0x08000009, CHECK_ALL, NULL},
	{"stack that is the start of RAM without its low bits", FLASH, 256, 0x20000003, 0x08000009,
		CHECK_ALL, "0x20000003 as initial stack pointer, which is outside the RAM"},
	{"stack at the last byte of the second RAM", FLASH, 256, 0x1000FFFF, 0x08000009, CHECK_ALL,
		NULL},
	{"stack at the last byte of RAM, reset vector even", FLASH, 256, 0x2000BFFF, 0x08000008,
		CHECK_ALL, "0x08000008 as reset vector, which is even"},
	{"fault 44: stack in the flash", FLASH, 256, 0x08000100, 0x08000009, CHECK_ALL,
		"0x08000100 as initial stack pointer, which is outside the RAM"},
	{"fault 44: erased", FLASH, 256, 0xFFFFFFFF, 0xFFFFFFFF, CHECK_ALL,
		"0xffffffff as initial stack pointer, which is outside the RAM"},
	{"fault 44: zeros", FLASH, 256, 0, 0, CHECK_ALL,
		"0x00000000 as initial stack pointer, which is outside the RAM"},
	{"fault 44: reset vector even", FLASH, 256, 0x20005000, 0x08000008, CHECK_ALL,
		"0x08000008 as reset vector, which is even"},
	{"fault 44: reset vector 0", FLASH, 256, 0x20005000, 0, CHECK_ALL,
		"0x00000000 as reset vector, which is even"},
	{"fault 44: reset vector behind the image", FLASH, 256, 0x20005000, 0x08000101, CHECK_ALL,
		"0x08000101 as reset vector, which is outside the image"},
	{"fault 44: reset vector at the last byte", FLASH, 256, 0x20005000, 0x080000FF, CHECK_ALL,
		NULL},
	{"fault 44: reset vector in RAM", FLASH, 256, 0x20005000, 0x20000001, CHECK_ALL,
		"0x20000001 as reset vector, which is outside the image"},
	{"fault 44: built for another address", FLASH, 256, 0x20005000, 0x08004009, CHECK_ALL,
		"0x08004009 as reset vector, which is outside the image"},
	{"fault 44: a part of the table", FLASH, 7, 0x20005000, 0x08000009, CHECK_ALL,
		"only a part of the vector table at 0x08000000"},
	{"fault 44: the table but for its start", FLASH + 4, 256, 0, 0, CHECK_ALL,
		"only a part of the vector table at 0x08000000"},
	{"fault 44: overridden", FLASH, 256, 0, 0, NO_VECTORS, NULL},
	{"fault 44: overridden, but not the range", 0, 256, 0, 0, NO_VECTORS, "outside the flash"},
	{"fault 44: stack memories not known", FLASH, 256, 0x30000000, 0x08000009, NO_STACK_KNOWN,
		NULL},
	{"fault 44: not known, and not aligned", FLASH, 256, 0x30000001, 0x08000009, NO_STACK_KNOWN,
		NULL},
};

static void put_word(uint8_t *to, uint32_t word)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(word >> 8 * i);
}

static void fault_29_41_44_an_image_must_fit_its_chip(void **state)
{
	static uint8_t data[0x40001 + 8];
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++) {
		struct board board = rule;
		struct stm32_row row = f103_row;
		struct chip chip = f103;
		struct image image = {};
		struct reason reason = {};
		int r;

		put_word(data, spaces[i].stack);
		put_word(data + 4, spaces[i].reset);
		assert_int_equal(image_add(&image, spaces[i].address, data, spaces[i].size,
					 UINT32_MAX, &reason),
			IMAGE_OK);
		board.check_vectors = spaces[i].how != NO_VECTORS;
		chip.own = &row;
		if (spaces[i].how == NO_STACK_KNOWN)
			row.n_stack = 0;
		r = image_check_chip(&board, &chip, chip.flash.size, &image, &reason);
		if (r != (spaces[i].expected ? OUTCOME_BAD_IMAGE : 0))
			fail_msg("%s: got %d, '%s'", spaces[i].name, r, reason.text);
		if (spaces[i].expected && !strstr(reason.text, spaces[i].expected))
			fail_msg("%s: expected '%s', got '%s'", spaces[i].name, spaces[i].expected,
				reason.text);
		image_done(&image);
	}
}

/* A hole where the reset vector points is no code, whatever stands around it. */
static void fault_44_a_reset_vector_in_a_gap_is_refused(void **state)
{
	uint8_t data[16] = {};
	struct image image = {};
	struct reason reason = {};
	(void)state;

	put_word(data, 0x20005000);
	put_word(data + 4, FLASH + 0x21);
	assert_int_equal(image_add(&image, FLASH, data, 16, 1000, &reason), IMAGE_OK);
	assert_int_equal(image_add(&image, FLASH + 0x40, data, 16, 1000, &reason), IMAGE_OK);
	assert_int_equal(check_for_f103(&image, &reason), OUTCOME_BAD_IMAGE);
	assert_int_equal(image_add(&image, FLASH + 0x20, data, 16, 1000, &reason), IMAGE_OK);
	assert_int_equal(check_for_f103(&image, &reason), 0);
	image_done(&image);
}

/* What a linker made, not this test: both formats hold the same, and it fits its chip. */
static void real_firmware_is_the_same_in_both_formats(void **state)
{
	static const char *const versions[] = {"firmware-1.0.0", "firmware-1.1.0"};
	const struct image_options options = {.address = FLASH, .max_bytes = 0x10000};
	static uint8_t bytes[2][0x10000];
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		struct image images[2] = {};

		for (size_t j = 0; j < 2; j++) {
			struct library_file file = {};
			struct reason reason = {};
			char name[32];

			snprintf(name, sizeof(name), "%s.%s", versions[i], j == 0 ? "hex" : "bin");
			if (library_read("tests/firmware", name, 0x10000, &file, &reason) != 0 ||
				image_read(name, file.data, file.n_data, &options, &images[j],
					&reason) != 0 ||
				check_for_f103(&images[j], &reason) != 0)
				fail_msg("%s", reason.text);
			assert_true(image_copy(&images[j], FLASH, bytes[j], sizeof(bytes[j])));
			library_file_done(&file);
		}
		assert_true(image_bytes(&images[0]) > 2048);
		assert_int_equal(image_bytes(&images[0]), image_bytes(&images[1]));
		assert_memory_equal(bytes[0], bytes[1], sizeof(bytes[0]));
		assert_non_null(memmem(bytes[0], sizeof(bytes[0]),
			i == 0 ? "plugflash-test 1.0.0\r\n" : "plugflash-test 1.1.0\r\n", 22));
		image_done(&images[0]);
		image_done(&images[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_that_touch_become_one_segment),
		cmocka_unit_test(fault_39_overlaps_are_refused_with_the_address),
		cmocka_unit_test(fault_41_the_end_of_the_addresses_is_refused),
		cmocka_unit_test(fault_29_the_bound_counts_all_segments),
		cmocka_unit_test(fault_30_gaps_and_the_end_read_as_erased_flash),
		cmocka_unit_test(fault_28_29_a_file_is_what_name_and_content_say),
		cmocka_unit_test(a_raw_image_stands_at_the_address_given),
		cmocka_unit_test(fault_41_a_raw_image_does_not_wrap),
		cmocka_unit_test(names_from_outside_are_escaped_in_the_reason),
		cmocka_unit_test(fault_29_41_44_an_image_must_fit_its_chip),
		cmocka_unit_test(fault_44_a_reset_vector_in_a_gap_is_refused),
		cmocka_unit_test(real_firmware_is_the_same_in_both_formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
