/* SPDX-License-Identifier: MIT */
/* Intel HEX: what is refused with which line, and what is accepted with which bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "image/image.h"
#include "unit/in-flash.h"

#define BASE ":020000040800F2\n"
#define DATA ":10000000000102030405060708090A0B0C0D0E0F78\n"
#define NEXT ":10001000101112131415161718191A1B1C1D1E1F68\n"
#define END  ":00000001FF\n"

#define BAD(name_, text_, expected_)                                           \
	{                                                                      \
		.name = (name_), .text = (text_), .n_text = sizeof(text_) - 1, \
		.expected = (expected_),                                       \
	}

static const struct {
	const char *name;
	const char *text;
	size_t n_text;
	const char *expected;
} bad[] = {
	BAD("fault 36: bad checksum", BASE ":10000000000102030405060708090A0B0C0D0E0F79\n" END,
		"line 2: bad checksum: expected 0x78, seen 0x79"),
	BAD("fault 36: bad checksum of the base", ":020000040800F7\n" DATA END,
		"line 1: bad checksum: expected 0xF2, seen 0xF7"),
	BAD("fault 36: bad checksum of the end", BASE DATA ":00000001FE\n",
		"line 3: bad checksum: expected 0xFF, seen 0xFE"),
	BAD("fault 36: one flipped data bit",
		BASE ":10000000000103030405060708090A0B0C0D0E0F78\n" END, "line 2: bad checksum"),
	BAD("fault 36: swapped digits in the address",
		BASE ":10010000000102030405060708090A0B0C0D0E0F78\n" END, "line 2: bad checksum"),
	BAD("fault 36: short record", BASE ":10000000000102030405060708090A0B0C0D0E0F\n" END,
		"line 2: short record: expected 43 characters for 16 data bytes, seen 41"),
	BAD("fault 36: short by one digit", BASE ":10000000000102030405060708090A0B0C0D0E0F7\n" END,
		"line 2: short record: expected 43 characters for 16 data bytes, seen 42"),
	BAD("fault 36: long record", BASE ":10000000000102030405060708090A0B0C0D0E0F7800\n" END,
		"line 2: long record: expected 43 characters for 16 data bytes, seen 45"),
	BAD("fault 36: long by one digit",
		BASE ":10000000000102030405060708090A0B0C0D0E0F780\n" END, "line 2: long record"),
	BAD("fault 36: two records on one line",
		BASE ":10000000000102030405060708090A0B0C0D0E0F78" DATA END,
		"line 2: expected a hexadecimal digit at column 44, seen ':'"),
	BAD("fault 36: length byte too large",
		BASE ":11000000000102030405060708090A0B0C0D0E0F77\n" END,
		"line 2: short record: expected 45 characters for 17 data bytes, seen 43"),
	BAD("fault 36: length byte too small",
		BASE ":0F000000000102030405060708090A0B0C0D0E0F79\n" END,
		"line 2: long record: expected 41 characters for 15 data bytes, seen 43"),
	BAD("fault 36: a lone mark", BASE ":\n" END,
		"line 2: short record: expected at least 11 characters, seen 1"),
	BAD("fault 36: a mark and a length", BASE ":10\n" END,
		"line 2: short record: expected at least 11 characters, seen 3"),
	BAD("fault 36: ten characters", BASE ":000000010\n" END,
		"line 2: short record: expected at least 11 characters, seen 10"),
	BAD("fault 36: not a hexadecimal digit",
		BASE ":10000000000102030405060708090G0B0C0D0E0F78\n" END,
		"line 2: expected a hexadecimal digit at column 31, seen 'G'"),
	BAD("fault 36: not a digit in the length",
		BASE ":x0000000000102030405060708090A0B0C0D0E0F78\n" END,
		"line 2: expected a hexadecimal digit at column 2, seen 'x'"),
	BAD("fault 36: not a digit in the sum",
		BASE ":10000000000102030405060708090A0B0C0D0E0F7.\n" END,
		"line 2: expected a hexadecimal digit at column 43, seen '.'"),
	BAD("fault 36: a space inside", BASE ":10000000 000102030405060708090A0B0C0D0E0F78\n" END,
		"line 2: expected a hexadecimal digit at column 10, seen ' '"),
	BAD("fault 36: a control character",
		BASE ":10000000\00100102030405060708090A0B0C0D0E0F78\n" END,
		"line 2: expected a hexadecimal digit at column 10, seen 0x01"),
	BAD("fault 36: a byte that is not ASCII",
		BASE ":10000000\37700102030405060708090A0B0C0D0E0F78\n" END,
		"line 2: expected a hexadecimal digit at column 10, seen 0xff"),
	BAD("fault 36: a NUL byte", BASE ":10000000\00000102030405060708090A0B0C0D0E0F78\n" END,
		"line 2: expected a hexadecimal digit at column 10, seen 0x00"),
	BAD("fault 36: unknown type 06", BASE DATA ":020000060102F5\n" END,
		"line 3: unknown record type 06"),
	BAD("fault 36: unknown type FF", BASE DATA ":000000FF01\n" END,
		"line 3: unknown record type FF"),
	BAD("fault 36: junk line", BASE DATA "junk\n" END,
		"line 3: a record begins with ':', seen 'j'"),
	BAD("fault 36: comment line", BASE "; by the linker\n" DATA END,
		"line 2: a record begins with ':', seen ';'"),
	BAD("fault 36: an S-record inside", BASE DATA "S9030000FC\n" END,
		"line 3: a record begins with ':', seen 'S'"),
	BAD("fault 36: the line is counted with blank ones and CRLF",
		"\r\n" BASE "\r\n\r\n"
		":10000000000102030405060708090A0B0C0D0E0F00\n" END,
		"line 5: bad checksum"),
	BAD("fault 36: end-of-file record with data", BASE DATA ":0100000100FE\n",
		"line 3: expected 0 data bytes in a record of type 01 (end-of-file), seen 1"),
	BAD("fault 36: segment address of one byte", ":0100000210ED\n" DATA END,
		"line 1: expected 2 data bytes in a record of type 02 (segment address), seen 1"),
	BAD("fault 36: segment start of two bytes", BASE DATA ":020000030000FB\n" END,
		"line 3: expected 4 data bytes in a record of type 03 (segment start), seen 2"),
	BAD("fault 36: linear address of no byte", ":00000004FC\n" DATA END,
		"line 1: expected 2 data bytes in a record of type 04 (linear address), seen 0"),
	BAD("fault 36: linear address of four bytes", ":0400000408000000F0\n" DATA END,
		"line 1: expected 2 data bytes in a record of type 04 (linear address), seen 4"),
	BAD("fault 36: linear start of five bytes", BASE DATA ":050000050800000000EE\n" END,
		"line 3: expected 4 data bytes in a record of type 05 (linear start), seen 5"),
	BAD("fault 36: segment behind linear base", BASE DATA ":020000021000EC\n" END,
		"line 3: segment (02) and linear (04) address records in one file"),
	BAD("fault 36: linear behind segment base", ":020000021000EC\n" DATA BASE END,
		"line 3: segment (02) and linear (04) address records in one file"),
	BAD("fault 37: no end-of-file record", BASE DATA,
		"line 2: the file ends without an end-of-file record"),
	BAD("fault 37: no end-of-file record, no newline",
		BASE ":10000000000102030405060708090A0B0C0D0E0F78",
		"line 2: the file ends without an end-of-file record"),
	BAD("fault 37: cut off in the end-of-file record", BASE DATA ":000000",
		"line 3: short record: expected at least 11 characters, seen 7"),
	BAD("fault 28: cut off inside a record", BASE ":1000000000010203040",
		"line 2: short record"),
	BAD("fault 28: cut off behind a record", BASE DATA NEXT,
		"line 3: the file ends without an end-of-file record"),
	BAD("fault 28: no data at all", END, "line 1: the file ends and has no data record"),
	BAD("fault 28: a base and no data", BASE END,
		"line 2: the file ends and has no data record"),
	BAD("fault 28: only empty data records", BASE ":0000000000\n" END,
		"line 3: the file ends and has no data record"),
	BAD("fault 38: data after the end", BASE DATA END NEXT,
		"line 4: expected nothing behind the end-of-file record"),
	BAD("fault 38: a second end-of-file record", BASE DATA END END,
		"line 4: expected nothing behind the end-of-file record"),
	BAD("fault 38: junk after the end",
		BASE DATA END "\n\n"
			      "junk",
		"line 6: expected nothing behind the end-of-file record"),
	BAD("fault 39: the same record twice", BASE DATA DATA END,
		"line 3: address 0x08000000 is given twice, the first time in line 2"),
	BAD("fault 39: overlap by one byte", BASE DATA ":02000F000102EC\n" END,
		"line 3: address 0x0800000f is given twice, the first time in line 2"),
	BAD("fault 39: overlap from below",
		BASE ":020010000102EB\n"
		     ":03000E00010203E9\n" END,
		"line 3: address 0x08000010 is given twice, the first time in line 2"),
	BAD("fault 39: one inside another", BASE ":0100040001FA\n" NEXT DATA END,
		"line 4: address 0x08000004 is given twice, the first time in line 2"),
	BAD("fault 39: overlap by two bases",
		":020000040801F1\n" DATA ":020000040800F2\n"
		":03FFFE00010203FA\n" END,
		"line 4: address 0x08010000 is given twice, the first time in line 2"),
	BAD("fault 39: overlap by the wrap of a segment",
		":020000021000EC\n" DATA ":02FFFF000102FD\n" END,
		"line 3: address 0x00010000 is given twice, the first time in line 2"),
	BAD("fault 41: wrap of the 32-bit addresses",
		":02000004FFFFFC\n"
		":10FFF800000102030405060708090A0B0C0D0E0F81\n" END,
		"line 2: 16 bytes from 0xfffffff8 on reach the end of the 32-bit addresses"),
	BAD("fault 41: the last of the 32-bit addresses",
		":02000004FFFFFC\n"
		":01FFFF000100\n" END,
		"line 2: 1 bytes from 0xffffffff on reach the end"),
	BAD("fault 29: more than the flash holds",
		BASE DATA NEXT ":10002000000102030405060708090A0B0C0D0E0F58\n"
			       ":10003000000102030405060708090A0B0C0D0E0F48\n"
			       ":0100400001BE\n" END,
		"line 6: more than 64 bytes of data"),
};

/* Memory that ends where the text ends, so that a sanitizer sees a step beyond. */
static int read_exact(const char *text, size_t n_text, uint32_t max_bytes, struct image *ret,
	struct reason *reason)
{
	const struct image_options options = {.max_bytes = max_bytes};
	CLEANUP(freep) uint8_t *copy = malloc(n_text);

	assert_non_null(copy);
	memcpy(copy, text, n_text);
	return image_read("folder/gate.hex", copy, n_text, &options, ret, reason);
}

static void fault_36_37_38_39_41_bad_files_are_refused_with_their_line(void **state)
{
	static const char prefix[] = "image 'folder/gate.hex': ";
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct image image = {.n_segments = 77};
		struct reason reason = {};
		int r = read_exact(bad[i].text, bad[i].n_text, 64, &image, &reason);

		if (r != IMAGE_REFUSED || image.n_segments != 77)
			fail_msg("%s: got %d", bad[i].name, r);
		if (strncmp(reason.text, prefix, strlen(prefix)) != 0 ||
			strncmp(reason.text + strlen(prefix), bad[i].expected,
				strlen(bad[i].expected)) != 0)
			fail_msg("%s: expected '%s', got '%s'", bad[i].name, bad[i].expected,
				reason.text);
	}
	print_message(
		"# figure: %zu bad Intel HEX files, each refused with its line\n", ARRAY_SIZE(bad));
}

struct good_segment {
	uint32_t address;
	const char *data;
	size_t n_data;
};

#define SEGMENT(address_, data_)                       \
	{                                              \
		(address_), (data_), sizeof(data_) - 1 \
	}

#define BYTES_16 "\0\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf"
#define BYTES_32 BYTES_16 "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"

static const struct {
	const char *name;
	const char *text;
	struct good_segment segments[3];
} good[] = {
	{"two records that touch", BASE DATA NEXT END, {SEGMENT(0x08000000, BYTES_32)}},
	{"the later one first", BASE NEXT DATA END, {SEGMENT(0x08000000, BYTES_32)}},
	{"no newline at the end", BASE DATA NEXT ":00000001FF", {SEGMENT(0x08000000, BYTES_32)}},
	{"fault 40: lower case",
		":020000040800f2\n:10000000000102030405060708090a0b0c0d0e0f78\n:00000001ff\n",
		{SEGMENT(0x08000000, BYTES_16)}},
	{"fault 40: CRLF",
		":020000040800F2\r\n:10000000000102030405060708090A0B0C0D0E0F78\r\n"
		":00000001FF\r\n",
		{SEGMENT(0x08000000, BYTES_16)}},
	{"fault 40: blank lines", "\n\r\n" BASE "\n  \n" DATA "\n\t\r\n" END "\n \n",
		{SEGMENT(0x08000000, BYTES_16)}},
	{"trailing blanks",
		":020000040800F2 \t\n:10000000000102030405060708090A0B0C0D0E0F78  \r\n"
		":00000001FF ",
		{SEGMENT(0x08000000, BYTES_16)}},
	{"carriage returns alone",
		":020000040800F2\r:10000000000102030405060708090A0B0C0D0E0F78\r:00000001FF\r",
		{SEGMENT(0x08000000, BYTES_16)}},
	{"two carriage returns", BASE ":10000000000102030405060708090A0B0C0D0E0F78\r\r\n" END,
		{SEGMENT(0x08000000, BYTES_16)}},
	{"blanks before the marks", "  " BASE " " DATA "\t" END, {SEGMENT(0x08000000, BYTES_16)}},
	{"a linear address at an address", ":020010040800E2\n" DATA END,
		{SEGMENT(0x08000000, BYTES_16)}},
	{"a segment start at an address", BASE DATA ":0400010300000000F8\n" END,
		{SEGMENT(0x08000000, BYTES_16)}},
	{"DOS end of text", BASE DATA END "\032", {SEGMENT(0x08000000, BYTES_16)}},
	{"padded by XMODEM", BASE DATA END "\032\032\032\032\032\032",
		{SEGMENT(0x08000000, BYTES_16)}},
	{"a byte order mark", "\xef\xbb\xbf" BASE DATA END, {SEGMENT(0x08000000, BYTES_16)}},
	{"no base", DATA END, {SEGMENT(0, BYTES_16)}},
	{"a gap of one byte", BASE ":01000400AA51\n:010006005A9F\n" END,
		{SEGMENT(0x08000004, "\xaa"), SEGMENT(0x08000006, "\x5a")}},
	{"start records mean nothing",
		BASE ":0400000508000135B9\n" DATA ":0400000312345678E5\n" END,
		{SEGMENT(0x08000000, BYTES_16)}},
	{"an empty data record means nothing", BASE ":00010000FF\n" DATA END,
		{SEGMENT(0x08000000, BYTES_16)}},
	{"an address in the end-of-file record", BASE DATA ":00123401B9\n",
		{SEGMENT(0x08000000, BYTES_16)}},
	{"a segment base", ":020000021000EC\n" DATA END, {SEGMENT(0x00010000, BYTES_16)}},
	{"a segment wraps inside 64 KiB", ":020000021000EC\n:08FFFC000001020304050607E1\n" END,
		{SEGMENT(0x00010000, "\4\5\6\7"), SEGMENT(0x0001FFFC, "\0\1\2\3")}},
	{"a linear base runs on", BASE ":08FFFC000001020304050607E1\n" END,
		{SEGMENT(0x0800FFFC, "\0\1\2\3\4\5\6\7")}},
	{"a base at zero may be of either kind",
		":020000020000FC\n:020000040000FA\n" BASE DATA ":020000040000FA\n"
		":020000021000EC\n" NEXT END,
		{SEGMENT(0x00010010, "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d"
				     "\x1e\x1f"),
			SEGMENT(0x08000000, BYTES_16)}},
	{"the last but one of the 32-bit addresses", ":02000004FFFFFC\n:01FFFE005AA8\n" END,
		{SEGMENT(0xFFFFFFFE, "\x5a")}},
	{"segments that meet across bases",
		":020000040801F1\n" DATA ":020000040800F2\n:02FFFE00AA5AFD\n" END,
		{SEGMENT(0x0800FFFE, "\xaa\x5a" BYTES_16)}},
};

static void check_segments(const char *name, const struct image *image,
	const struct good_segment *segments, size_t n_segments)
{
	for (size_t i = 0; i < n_segments; i++) {
		const struct segment *got = &image->segments[i];

		if (i == image->n_segments) {
			if (segments[i].n_data > 0)
				fail_msg("%s: %zu segments are too few", name, i);
			return;
		}
		if (got->address != segments[i].address || got->size != segments[i].n_data ||
			memcmp(got->data, segments[i].data, got->size) != 0)
			fail_msg("%s: segment %zu of %u bytes at 0x%08x differs", name, i,
				(unsigned)got->size, (unsigned)got->address);
	}
	assert_int_equal(image->n_segments, n_segments);
}

static void fault_40_good_files_give_their_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct image image = {};
		struct reason reason = {};
		int r = read_exact(good[i].text, strlen(good[i].text), 64, &image, &reason);

		if (r != IMAGE_OK)
			fail_msg("%s: got %d, '%s'", good[i].name, r, reason.text);
		assert_string_equal(image.format, "Intel HEX");
		check_segments(
			good[i].name, &image, good[i].segments, ARRAY_SIZE(good[i].segments));
		image_done(&image);
	}
}

static void fault_43_a_huge_gap_costs_no_memory(void **state)
{
	static const char text[] = BASE DATA ":020000040FFFEC\n:01FFFF00778A\n" END;
	struct mallinfo2 before = mallinfo2(), after;
	struct image image = {};
	struct reason reason = {};
	(void)state;

	assert_int_equal(read_exact(text, strlen(text), 64, &image, &reason), IMAGE_OK);
	after = mallinfo2();
	assert_int_equal(image.n_segments, 2);
	assert_int_equal(image_bytes(&image), 17);
	assert_true(after.uordblks + after.hblkhd < before.uordblks + before.hblkhd + 65536);
	assert_int_equal(check_in_flash(&image, &reason), OUTCOME_BAD_IMAGE);
	assert_non_null(strstr(reason.text, "0x0fffffff"));
	image_done(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fault_36_37_38_39_41_bad_files_are_refused_with_their_line),
		cmocka_unit_test(fault_40_good_files_give_their_bytes),
		cmocka_unit_test(fault_43_a_huge_gap_costs_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
