/* SPDX-License-Identifier: MIT */
/*
 * Motorola S-records: what is refused with which line, what is accepted with which bytes, and that
 * no order and no single flipped bit makes another image.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <time.h>

#include "reading.h"
#include "rows.h"
#include "unit/in-flash.h"

#define HEADER "S00600004844521B\n"
#define DATA   "S31508000000000102030405060708090A0B0C0D0E0F6A\n"
#define NEXT   "S31508000010101112131415161718191A1B1C1D1E1F5A\n"
#define COUNT  "S5030002FA\n"
#define END    "S70508000045AD\n"

#define BAD(name_, text_, expected_)                                           \
	{                                                                      \
		.name = (name_), .text = (text_), .n_text = sizeof(text_) - 1, \
		.expected = (expected_),                                       \
	}

struct bad_row {
	const char *name;
	const char *text;
	size_t n_text;
	const char *expected;
};

static const struct bad_row bad[] = {
	BAD("srec, bad checksum", HEADER "S31508000000000102030405060708090A0B0C0D0E0F6B\n" END,
		"line 2: bad checksum: expected 0x6A, seen 0x6B"),
	BAD("srec, bad checksum of the header", "S00600004844521C\n" DATA END,
		"line 1: bad checksum: expected 0x1B, seen 0x1C"),
	BAD("srec, bad checksum of the end", HEADER DATA "S70508000045AE\n",
		"line 3: bad checksum: expected 0xAD, seen 0xAE"),
	BAD("srec, bad checksum of the count", DATA NEXT "S5030002FB\n" END,
		"line 3: bad checksum: expected 0xFA, seen 0xFB"),
	BAD("srec, one flipped data bit",
		HEADER "S31508000000000103030405060708090A0B0C0D0E0F6A\n" END,
		"line 2: bad checksum"),
	BAD("srec, swapped digits in the address",
		HEADER "S31508010000000102030405060708090A0B0C0D0E0F6A\n" END,
		"line 2: bad checksum"),
	BAD("srec, short record", HEADER "S31508000000000102030405060708090A0B0C0D0E0F\n" END,
		"line 2: short record: expected 46 characters for a length of 21, seen 44"),
	BAD("srec, short by one digit",
		HEADER "S31508000000000102030405060708090A0B0C0D0E0F6\n" END,
		"line 2: short record: expected 46 characters for a length of 21, seen 45"),
	BAD("srec, long record", HEADER "S31508000000000102030405060708090A0B0C0D0E0F6A00\n" END,
		"line 2: long record: expected 46 characters for a length of 21, seen 48"),
	BAD("srec, two records on one line",
		HEADER "S31508000000000102030405060708090A0B0C0D0E0F6A" NEXT END,
		"line 2: expected a hexadecimal digit at column 47, seen 'S'"),
	BAD("srec, a lone mark", HEADER "S\n" END,
		"line 2: short record: expected a type and a length, seen 'S' alone"),
	BAD("srec, a mark and a type", HEADER "S3\n" END,
		"line 2: short record: expected at least 14 characters, seen 2"),
	BAD("srec, half a length", HEADER "S11\n" END,
		"line 2: short record: expected at least 10 characters, seen 3"),
	BAD("srec, a length of nothing", HEADER "S100\n" END,
		"line 2: expected a length of at least 3 in a record of type S1, seen 0"),
	BAD("srec, no room for the address", HEADER "S3030000FC\n" END,
		"line 2: expected a length of at least 5 in a record of type S3, seen 3"),
	BAD("srec, not a digit", HEADER "S31508000000000102030405060708090G0B0C0D0E0F6A\n" END,
		"line 2: expected a hexadecimal digit at column 34, seen 'G'"),
	BAD("srec, a space inside", HEADER "S315 8000000000102030405060708090A0B0C0D0E0F6A\n" END,
		"line 2: expected a hexadecimal digit at column 5, seen ' '"),
	BAD("srec, a NUL byte", HEADER "S315\00008000000000102030405060708090A0B0C0D0E0F6A\n" END,
		"line 2: expected a hexadecimal digit at column 5, seen 0x00"),
	BAD("srec, the reserved type S4", HEADER "S404000001FA\n" DATA END,
		"line 2: unknown record type '4' behind the 'S', expected 0 to 3 or 5 to 9"),
	BAD("srec, type of a letter", HEADER "SA04000001FA\n" DATA END,
		"line 2: unknown record type 'A' behind the 'S'"),
	BAD("srec, type of a control character", HEADER "S\00104000001FA\n" DATA END,
		"line 2: unknown record type 0x01 behind the 'S'"),
	BAD("srec, junk line", HEADER DATA "junk\n" END,
		"line 3: a record begins with 'S', seen 'j'"),
	BAD("srec, an Intel record inside", HEADER DATA ":00000001FF\n",
		"line 3: a record begins with 'S', seen ':'"),
	BAD("srec, the line is counted with blank ones and CRLF",
		"\r\n" HEADER "\r\n\r\n"
		"S31508000000000102030405060708090A0B0C0D0E0F00\n" END,
		"line 5: bad checksum"),
	BAD("srec, count too high", HEADER DATA NEXT "S5030003F9\n" END,
		"line 4: the file counts 3 data records, seen 2: is a part of it missing?"),
	BAD("srec, count too low", HEADER DATA NEXT "S5030001FB\n" END,
		"line 4: the file counts 1 data records, seen 2"),
	BAD("srec, count modulo 65536", HEADER DATA NEXT "S604010002F8\n" END,
		"line 4: the file counts 65538 data records, seen 2"),
	BAD("srec, count with data", HEADER DATA NEXT "S504000201F8\n" END,
		"line 4: the file counts 513 data records, seen 2"),
	BAD("srec, count of five bytes, the last one data",
		HEADER DATA NEXT "S5060000000200F7\n" END,
		"line 4: expected no data bytes in a record of type S5 (count), seen 1"),
	BAD("srec, a false count of four bytes", HEADER DATA NEXT "S50500010002F7\n" END,
		"line 4: the file counts 65538 data records, seen 2"),
	BAD("srec, a false count and no end record", HEADER DATA NEXT "S5030003F9\n",
		"line 4: the file counts 3 data records, seen 2"),
	BAD("srec, text behind the end", DATA END "\032S9\n", "line 3: "),
	BAD("srec, a second count", HEADER DATA NEXT COUNT COUNT END,
		"line 5: a second count of data records, the first is in line 4"),
	BAD("srec, data behind the count", HEADER DATA "S5030001FB\n" NEXT END,
		"line 4: a data record behind the count of data records in line 3"),
	BAD("srec, a header behind data", DATA HEADER NEXT END,
		"line 2: a header record (S0) behind data: are these two files in one?"),
	BAD("srec, end with data", HEADER DATA "S7060000000001F8\n",
		"line 3: expected no data bytes in a record of type S7 (end), seen 1"),
	BAD("srec, no end record", HEADER DATA,
		"line 2: the file ends without an end record (S7, S8 or S9): it was cut off"),
	BAD("srec, no end record, no newline",
		HEADER "S31508000000000102030405060708090A0B0C0D0E0F6A",
		"line 2: the file ends without an end record"),
	BAD("fault 28: srec cut off inside a record", HEADER "S315080000000001020304",
		"line 2: short record"),
	BAD("fault 28: srec cut off inside the end record", HEADER DATA "S7050800",
		"line 3: short record"),
	BAD("fault 28: srec of no data", HEADER "S9030000FC\n",
		"line 2: the file ends and has no data record"),
	BAD("fault 28: srec of empty data records",
		HEADER "S30508000000F2\n"
		       "S5030001FB\nS9030000FC\n",
		"line 4: the file ends and has no data record"),
	BAD("srec, data after the end", HEADER DATA END NEXT,
		"line 4: expected nothing behind the end record"),
	BAD("srec, a second end record", HEADER DATA END END,
		"line 4: expected nothing behind the end record"),
	BAD("srec, two files in one", HEADER DATA END HEADER NEXT END,
		"line 4: expected nothing behind the end record: are these two files in one?"),
	BAD("srec, the same record twice", HEADER DATA DATA END,
		"line 3: address 0x08000000 is given twice, the first time in line 2"),
	BAD("srec, overlap by one byte", DATA "S3070800000F0102DE\n" END,
		"line 2: address 0x0800000f is given twice, the first time in line 1"),
	BAD("srec, overlap from below", NEXT "S3080800000E010203DB\n" END,
		"line 2: address 0x08000010 is given twice, the first time in line 1"),
	BAD("srec, one inside another", "S3060800000401EC\n" DATA END,
		"line 2: address 0x08000004 is given twice, the first time in line 1"),
	BAD("srec, overlap by two widths",
		"S1138000000102030405060708090A0B0C0D0E0FF4\n"
		"S20600800F0102"
		"67\n" END,
		"line 2: address 0x0000800f is given twice, the first time in line 1"),
	BAD("fault 41: srec wraps at 32 bits",
		HEADER "S315FFFFFFF8000102030405060708090A0B0C0D0E0F7D\n" END,
		"line 2: 16 bytes from 0xfffffff8 on reach the end of the 32-bit addresses"),
	BAD("fault 41: srec at the last address", "S306FFFFFFFF01FC\n" END,
		"line 1: 1 bytes from 0xffffffff on reach the end of the 32-bit addresses"),
	BAD("fault 29: srec larger than the flash", DATA NEXT "S3060801000001EF\n" END,
		"line 3: more than 32 bytes of data: they do not fit the flash"),
};

static void is_refused_with_its_line(void **state)
{
	const struct bad_row *row = *state;

	assert_refused("folder/gate.s19", row->text, row->n_text, 32, row->expected);
}

struct good_row {
	const char *name;
	const char *text;
	struct good_segment segments[3];
};

static const struct good_row good[] = {
	{"srec, two records that touch", HEADER DATA NEXT COUNT END,
		{SEGMENT(0x08000000, BYTES_16 BYTES_NEXT_16)}},
	{"srec, the later one first", NEXT DATA END, {SEGMENT(0x08000000, BYTES_16 BYTES_NEXT_16)}},
	{"srec, no newline at the end", DATA "S70508000045AD", {SEGMENT(0x08000000, BYTES_16)}},
	{"srec, no header and no count", DATA END, {SEGMENT(0x08000000, BYTES_16)}},
	{"srec, two headers", HEADER "S0030000FC\n" DATA END, {SEGMENT(0x08000000, BYTES_16)}},
	{"srec, a count of 24 bits", DATA NEXT "S604000002F9\n" END,
		{SEGMENT(0x08000000, BYTES_16 BYTES_NEXT_16)}},
	{"case 37: a count of four bytes", HEADER DATA NEXT "S50500000002F8\n" END,
		{SEGMENT(0x08000000, BYTES_16 BYTES_NEXT_16)}},
	{"srec, a count of three bytes", DATA NEXT "S504000002F9\n" END,
		{SEGMENT(0x08000000, BYTES_16 BYTES_NEXT_16)}},
	{"case 08: a true count and no end record", HEADER DATA NEXT COUNT,
		{SEGMENT(0x08000000, BYTES_16 BYTES_NEXT_16)}},
	{"case 08: a true count of four bytes and no end record", HEADER DATA NEXT "S50500000002F8",
		{SEGMENT(0x08000000, BYTES_16 BYTES_NEXT_16)}},
	{"srec, an end with a shorter address", DATA "S7030000FC\n",
		{SEGMENT(0x08000000, BYTES_16)}},
	{"srec, an end with a longer address", DATA "S90508000000F2\n",
		{SEGMENT(0x08000000, BYTES_16)}},
	{"srec, an end without an address", DATA "S901FE\n", {SEGMENT(0x08000000, BYTES_16)}},
	{"srec, blanks before the marks", " " HEADER "\t" DATA "  " END,
		{SEGMENT(0x08000000, BYTES_16)}},
	{"srec, DOS end of text", DATA END "\032", {SEGMENT(0x08000000, BYTES_16)}},
	{"srec, padded by XMODEM", DATA END "\032\032\032\032\032",
		{SEGMENT(0x08000000, BYTES_16)}},
	{"srec, a byte order mark", "\xef\xbb\xbf" HEADER DATA END,
		{SEGMENT(0x08000000, BYTES_16)}},
	{"srec, carriage returns alone",
		"S31508000000000102030405060708090A0B0C0D0E0F6A\rS70508000045AD\r",
		{SEGMENT(0x08000000, BYTES_16)}},
	{"srec, lower case",
		"s00600004844521b\ns31508000000000102030405060708090a0b0c0d0e0f6a\n"
		"s70508000045ad\n",
		{SEGMENT(0x08000000, BYTES_16)}},
	{"srec, CRLF",
		"S00600004844521B\r\nS31508000000000102030405060708090A0B0C0D0E0F6A\r\n"
		"S70508000045AD\r\n",
		{SEGMENT(0x08000000, BYTES_16)}},
	{"srec, blank lines", "\n\r\n" HEADER "\n  \n" DATA "\n\t\r\n" END "\n \n",
		{SEGMENT(0x08000000, BYTES_16)}},
	{"srec, trailing blanks",
		"S31508000000000102030405060708090A0B0C0D0E0F6A \t\r\nS70508000045AD ",
		{SEGMENT(0x08000000, BYTES_16)}},
	{"srec, S19", "S1138000000102030405060708090A0B0C0D0E0FF4\nS9030000FC\n",
		{SEGMENT(0x8000, BYTES_16)}},
	{"srec, S28", "S214010000000102030405060708090A0B0C0D0E0F72\nS804000000FB\n",
		{SEGMENT(0x10000, BYTES_16)}},
	{"srec, mixed widths",
		"S1138000000102030405060708090A0B0C0D0E0FF4\n"
		"S214010000000102030405060708090A0B0C0D0E0F72\n" DATA "S5030003F9\n" END,
		{SEGMENT(0x8000, BYTES_16), SEGMENT(0x10000, BYTES_16),
			SEGMENT(0x08000000, BYTES_16)}},
	{"srec, an end of another width", DATA "S9030000FC\n", {SEGMENT(0x08000000, BYTES_16)}},
	{"srec, addresses of 16 bits run on", "S105FFFF0102F9\nS9030000FC\n",
		{SEGMENT(0xFFFF, "\1\2")}},
	{"srec, addresses of 24 bits run on", "S206FFFFFF0102F9\nS804000000FB\n",
		{SEGMENT(0xFFFFFF, "\1\2")}},
	{"srec, the last but one of the 32-bit addresses", "S306FFFFFFFE01FD\n" END,
		{SEGMENT(0xFFFFFFFE, "\1")}},
	{"srec, an empty data record counts, and means nothing else",
		"S30508000000F2\n" DATA COUNT END, {SEGMENT(0x08000000, BYTES_16)}},
};

static void is_read(void **state)
{
	const struct good_row *row = *state;

	assert_read("gate.s37", row->text, strlen(row->text), 64, row->segments,
		ARRAY_SIZE(row->segments));
}

static void fault_41_srec_outside_the_flash_does_not_fit(void **state)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{"S3071FFFF800A55AE3\n" END, "0x1ffff800 (option bytes or system memory), outside"},
		{"S3060FFFFFFF7776\n" END, "0x0fffffff, outside the flash"},
		{"S10501000102F6\n" END, "0x00000100, outside the flash"},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct image image = {};
		struct reason reason = {};

		assert_int_equal(read_exact("gate.s37", rows[i].text, strlen(rows[i].text), 64,
					 &image, &reason),
			IMAGE_OK);
		assert_int_equal(check_in_flash(&image, &reason), OUTCOME_BAD_IMAGE);
		assert_non_null(strstr(reason.text, rows[i].expected));
		image_done(&image);
	}
}

/*
 * Each single flipped bit, everywhere: read as before, refused, or outside the flash, for the
 * format's sum leaves the type out: an S3 that became an S1 has another, lower address.
 */
static void srec_no_single_flipped_bit_flashes_another_image(void **state)
{
	static const char whole[] = HEADER DATA NEXT COUNT END;
	unsigned n_read = 0;
	(void)state;

	for (size_t bit = 0; bit < 8 * (sizeof(whole) - 1); bit++) {
		char text[sizeof(whole)];
		struct image image = {};
		struct reason reason = {};

		memcpy(text, whole, sizeof(whole));
		text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
		if (read_exact("gate.s37", text, sizeof(whole) - 1, 64, &image, &reason) != 0)
			continue;
		if (check_in_flash(&image, &reason) == 0) {
			assert_int_equal(image.n_segments, 1);
			assert_int_equal(image.segments[0].address, 0x08000000);
			assert_int_equal(image.segments[0].size, 32);
			assert_memory_equal(image.segments[0].data, BYTES_16 BYTES_NEXT_16, 32);
			n_read++;
		}
		image_done(&image);
	}
	assert_true(n_read > 0); /* a digit of the other case */
}

/* The worst order there is, with a gap behind every record: what was quadratic took minutes. */
static void srec_of_two_mebibytes_is_read_at_once(void **state)
{
	const uint32_t n_records = 2 * 1024 * 1024 / 16;
	CLEANUP(freep) char *text = malloc((size_t)n_records * 64 + 64);
	struct image image = {};
	struct reason reason = {};
	char *to = text;
	clock_t begin;
	(void)state;

	assert_non_null(text);
	for (uint32_t i = 0; i < n_records; i++) {
		uint32_t address = 0x08000000 + (n_records - 1 - i) * 17;
		uint8_t sum = (uint8_t)(21 + (address >> 24) + (address >> 16) + (address >> 8) +
					address + 16 * (uint8_t)i);

		to += sprintf(to, "S315%08X", (unsigned)address);
		for (int j = 0; j < 16; j++)
			to += sprintf(to, "%02X", (unsigned)(uint8_t)i);
		to += sprintf(to, "%02X\n", (unsigned)(uint8_t)~sum);
	}
	to += sprintf(to, "S9030000FC\n");

	begin = clock();
	if (read_exact("gate.s37", text, (size_t)(to - text), n_records * 16, &image, &reason) != 0)
		fail_msg("%s", reason.text);
	print_message("# figure: 2 MiB S-records, falling with gaps: %.0f ms\n",
		(double)(clock() - begin) * 1000 / CLOCKS_PER_SEC);
	assert_true(clock() - begin < 3 * CLOCKS_PER_SEC / 2);
	assert_int_equal(image.n_segments, n_records);
	assert_int_equal(image_byte(&image, 0x08000000), (uint8_t)(n_records - 1));
	image_done(&image);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(bad) + ARRAY_SIZE(good) + 3];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, bad, is_refused_with_its_line);
	ADD_ROWS(tests, n_tests, good, is_read);
	ADD_TEST(tests, n_tests, fault_41_srec_outside_the_flash_does_not_fit);
	ADD_TEST(tests, n_tests, srec_no_single_flipped_bit_flashes_another_image);
	ADD_TEST(tests, n_tests, srec_of_two_mebibytes_is_read_at_once);
	return RUN_TESTS("srec", tests, n_tests);
}
