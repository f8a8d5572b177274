/* SPDX-License-Identifier: MIT */
/* Files that are plainly no firmware, and firmware that looks a little like one of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "image/content.h"
#include "unit/reading.h"
#include "unit/rows.h"

struct content_row {
	const char *name;
	size_t offset; /* of the bytes, in a file of 40,000 bytes of machine code */
	const char *bytes;
	size_t n_bytes;
	const char *expected; /* NULL: none of these */
};

#define ROW(name_, offset_, bytes_, expected_)                        \
	{                                                             \
		name_, offset_, bytes_, sizeof(bytes_) - 1, expected_ \
	}

static const struct content_row rows[] = {
	ROW("HTML", 0, "<!DOCTYPE html>\n<html><head>",
		"this is a page of HTML, no firmware: download the file itself, not the page"),
	ROW("HTML behind blanks", 0, "\xef\xbb\xbf\r\n \t<HTML lang=en>", "a page of HTML"),
	ROW("HTML without a head", 0, "<body>404 Not Found", "a page of HTML"),
	ROW("XML", 0, "<?xml version=\"1.0\"?><Error>", "a document of XML"),
	ROW("Git LFS", 0, "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a",
		"this is a pointer of Git LFS in place of the file, no firmware: fetch the file "
		"itself (git lfs pull)"),
	ROW("ZIP", 0, "PK\3\4\x14\0", "a ZIP archive, no firmware: unpack it"),
	ROW("gzip", 0, "\x1f\x8b\x08\x08\0\0\0\0\0\3", "a file of gzip"),
	ROW("xz", 0, "\xfd\x37zXZ\0\0\4", "a file of xz"),
	ROW("bzip2", 0, "BZh91AY&SY\x12", "a file of bzip2"),
	ROW("zstd", 0, "\x28\xb5\x2f\xfd\x24", "a file of zstd"),
	ROW("LZ4", 0, "\x04\x22\x4d\x18\x64", "a file of LZ4"),
	ROW("LZMA", 0, "\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff", "a file of LZMA"),
	ROW("7-Zip", 0, "7z\xbc\xaf\x27\x1c\0\4", "a 7-Zip archive"),
	ROW("RAR", 0, "Rar!\x1a\7\1\0", "a RAR archive"),
	ROW("tar", 257, "ustar  ", "a tar archive"),
	ROW("cpio", 0, "070701000", "a cpio archive"),
	ROW("Debian package", 0, "!<arch>\ndebian-binary ", "a Debian package"),
	ROW("RPM", 0, "\xed\xab\xee\xdb\3\0", "an RPM package"),
	ROW("CD image", 0x8001, "CD001", "a CD image"),
	ROW("Zigbee OTA", 0, "\x1e\xf1\xee\x0b\0\1", "a Zigbee OTA file"),
	ROW("UF2", 0, "UF2\n\x57\x51\x5d\x9e", "a UF2 file, no firmware: convert it"),
	ROW("macOS", 0, "\xcf\xfa\xed\xfe\7\0\0\1", "a program for macOS"),
	ROW("Windows", 0,
		"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0\xb8\0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x40\0\0\0PE\0\0",
		"a Windows program, no firmware: it runs on a computer"),
	ROW("U-Boot", 0, "\x27\x05\x19\x56", "a boot image of U-Boot"),
	ROW("PDF", 0, "%PDF-1.7", "a PDF document"),
	ROW("PNG", 0, "\x89PNG\r\n\x1a\n", "a PNG picture"),
	ROW("JPEG", 0, "\xff\xd8\xff\xe0", "a JPEG picture"),
	ROW("GIF", 0, "GIF89a", "a GIF picture"),
	ROW("bitmap", 0, "BM\x40\x9c\0\0\0\0\0\0\x36\0\0\0", "a bitmap picture"),
	ROW("SQLite", 0, "SQLite format 3", "a database of SQLite"),
	ROW("OpenSSL", 0, "Salted__\1\2", "a file encrypted by OpenSSL"),
	ROW("PGP", 0, "-----BEGIN PGP MESSAGE-----", "in PEM or PGP armour"),
	ROW("UTF-16", 0,
		"\xff\xfe:\0"
		"1\0"
		"0\0"
		"0\0"
		"0\0"
		"0\0"
		"0\0"
		"0\0"
		"0\0"
		"A\0"
		"B\0"
		"1\0"
		"0\0"
		"0\0"
		"0\0"
		"0\0"
		"0\0"
		"0\0"
		"0\0"
		"A\0"
		"B\0"
		"1\0"
		"0\0"
		"0\0"
		"0\0"
		"0\0"
		"0\0"
		"0\0"
		"0\0"
		"A\0"
		"B\0"
		"C\0",
		"a text of UTF-16"),

	ROW("machine code", 0, "\0\x50\0\x20\x09\0\0\x08", NULL),
	ROW("stack like gzip", 0, "\x1f\x8b\x08\x20\x09\0\0\x08", NULL),
	ROW("stack like a Windows program", 0, "MZ\0\x20\x09\0\0\x08", NULL),
	ROW("stack like a bitmap", 0, "BM\1\x20\x09\0\0\x08", NULL),
	ROW("stack like UTF-16", 0, "\xff\xfe\0\x20\x09\0\0\x08", NULL),
	ROW("stack like a shell script", 0, "#!\0\x20\x09\0\0\x08", NULL),
	ROW("text, then something else", 0, "FIRMWARE VENDOR FORMAT 1\n\0\1\2", NULL),
};

#define N_FILE 40000

/* Bytes as machine code has them, most of all values. */
static void fill(uint8_t *bytes, size_t n)
{
	uint32_t state = 5;

	for (size_t i = 0; i < n; i++) {
		state = state * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(state >> 16);
	}
}

static void case_06_no_firmware_is_told_by_its_content(void **state)
{
	const struct content_row *row = *state;
	static uint8_t bytes[N_FILE];
	static const char *const names[] = {"door-1.0.0.bin", "door-1.0.0", "door-1.0.0.txt"};

	fill(bytes, sizeof(bytes));
	memcpy(bytes + row->offset, row->bytes, row->n_bytes);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct image image = {};
		struct reason reason = {};
		int r = read_exact(names[i], bytes, sizeof(bytes), N_FILE, &image, &reason);

		if (r != (row->expected ? IMAGE_REFUSED : IMAGE_OK))
			fail_msg("got %d, '%s'", r, reason.text);
		if (row->expected && !strstr(reason.text, row->expected))
			fail_msg("expected '%s', got '%s'", row->expected, reason.text);
		image_done(&image);
	}
	/* Named as another format, it is told as what it is all the same. */
	if (row->expected)
		assert_refused("gate.hex", bytes, sizeof(bytes), N_FILE, "this is a");
}

static void case_06_texts_are_no_firmware(void **state)
{
	static const char *const texts[] = {
		"#!/bin/sh\nexit 0\n",
		"{\"message\": \"Not Found\"}\n",
		"Gr\xc3\xbc\xc3\x9f"
		"e aus K\xc3\xb6ln\r\n",
		"Gr\xfc\xdf"
		"e aus K\xf6ln, in einer alten Kodierung\r\n",
		"\x1b[31mred\x1b[0m log\n\x1a",
		"\xe4\xbd\xa0\xe5\xa5\xbd\xef\xbc\x8c\xe4\xb8\x96\xe7\x95\x8c",
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_refused("gate.bin", texts[i], strlen(texts[i]), 1000,
			"this is a text, no firmware: take the firmware file");
}

static void case_06_one_value_alone_is_no_firmware(void **state)
{
	static const uint8_t values[] = {0xFF, 0x00, 0xA5, 0x1F};
	uint8_t bytes[3000];
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		char expected[80];

		memset(bytes, values[i], sizeof(bytes));
		snprintf(expected, sizeof(expected),
			"all its 3000 bytes are 0x%02X, so it is no firmware", values[i]);
		assert_refused("gate.bin", bytes, sizeof(bytes), 3000, expected);
		bytes[2999] ^= 1;
		assert_false(content_is_constant(bytes, sizeof(bytes)));
		assert_true(content_is_constant(bytes, 2999));
	}
}

static void case_06_one_value_in_other_formats(void **state)
{
	static const char hex[] = ":10000000FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00\n"
				  ":10020000FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFE\n:00000001FF\n";
	(void)state;

	assert_refused("gate.hex", hex, strlen(hex), 1000, "all its 32 bytes are 0xFF");
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows) + 3];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, rows, case_06_no_firmware_is_told_by_its_content);
	ADD_TEST(tests, n_tests, case_06_texts_are_no_firmware);
	ADD_TEST(tests, n_tests, case_06_one_value_alone_is_no_firmware);
	ADD_TEST(tests, n_tests, case_06_one_value_in_other_formats);
	return RUN_TESTS("content", tests, n_tests);
}
