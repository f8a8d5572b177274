/* SPDX-License-Identifier: MIT */
/*
 * content.c - files that are no firmware, by one table of what they begin with.
 *
 * A raw firmware begins with a stack pointer and a reset vector, little-endian: its fourth byte is
 * 0x10 or above for RAM, its eighth that of a flash address. A magic of two or three bytes could be
 * the low half of a stack pointer, so each row has four bytes or more, or a check of its own.
 */
#include "image/content.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

#define DOWNLOAD "download the file itself, not the page about it"
#define UNPACK	 "unpack it, and take the firmware that is inside"
#define COMPUTER "it runs on a computer, not on a microcontroller"
#define WRONG	 "take the firmware file"
#define DECRYPT	 "decrypt it first"
#define CONVERT	 "convert it to a raw file, Intel HEX or ELF"

/* ------------------------------------------------------------------ one check for each oddity */

/* Of the flags behind the three bytes of the magic, the upper three are reserved (RFC 1952). */
static bool is_gzip(const uint8_t *data, size_t n_data)
{
	return n_data >= 10 && memcmp(data, "\x1f\x8b\x08", 3) == 0 && (data[3] & 0xE0) == 0;
}

/* A marker, then a second one, of an application or a table. */
static bool is_jpeg(const uint8_t *data, size_t n_data)
{
	return n_data >= 4 && memcmp(data, "\xff\xd8\xff", 3) == 0 && data[3] >= 0xC0;
}

/* "MZ" alone is too short; the word at 0x3C leads to the header of the program itself. */
static bool is_windows_program(const uint8_t *data, size_t n_data)
{
	uint32_t at;

	if (n_data < 0x40 || memcmp(data, "MZ", 2) != 0)
		return false;
	at = word_at(data + 0x3C);
	return at <= n_data - 4 && memcmp(data + at, "PE\0", 4) == 0;
}

/* "BM", then the size of the file, and four bytes of zero. */
static bool is_bitmap(const uint8_t *data, size_t n_data)
{
	return n_data >= 14 && memcmp(data, "BM", 2) == 0 && word_at(data + 2) == n_data &&
	       word_at(data + 6) == 0;
}

static bool is_utf16(const uint8_t *data, size_t n_data)
{
	size_t n = n_data < 64 ? n_data : 64, zero;

	if (n < 16 || (memcmp(data, "\xFF\xFE", 2) != 0 && memcmp(data, "\xFE\xFF", 2) != 0))
		return false;
	zero = data[0] == 0xFF ? 1 : 0;
	for (size_t i = 2; i + 1 < n; i += 2)
		if (data[i + zero] != 0 || data[i + 1 - zero] == 0)
			return false;
	return true;
}

/*
 * All of it, to the last byte: a file that merely begins with a line of text may be some vendor's
 * format. UTF-8, or an older code page if most of it is ASCII. A file of binary data has control
 * characters.
 */
static bool is_text(const uint8_t *data, size_t n_data)
{
	size_t n_ascii = 0;

	for (size_t i = 0; i < n_data; i++) {
		if (data[i] == 0x7F ||
			(data[i] < ' ' && !memchr("\b\t\n\v\f\r\x1a\x1b", data[i], 8)))
			return false;
		n_ascii += data[i] < 0x80;
	}
	return n_ascii >= n_data - n_data / 4 || text_is_utf8((const char *)data, n_data);
}

size_t content_begin(const uint8_t *data, size_t n_data)
{
	size_t at = 0;

	if (n_data >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0)
		at = 3;
	while (at < n_data && (data[at] == ' ' || (data[at] >= '\t' && data[at] <= '\r')))
		at++;
	return at;
}

static bool begins_with(const uint8_t *data, size_t n_data, const char *text)
{
	size_t n = strlen(text), at = content_begin(data, n_data);

	return n_data - at >= n && strncasecmp((const char *)data + at, text, n) == 0;
}

static bool is_page(const uint8_t *data, size_t n_data)
{
	static const char *const marks[] = {
		"<!doctype html", "<html", "<head", "<body", "<title", "<!--"};

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (begins_with(data, n_data, marks[i]))
			return true;
	return false;
}

static bool is_xml(const uint8_t *data, size_t n_data)
{
	return begins_with(data, n_data, "<?xml") || begins_with(data, n_data, "<svg");
}

/* ------------------------------------------------------------------ the table */

struct magic {
	const char *what, *advice;
	uint16_t offset;
	uint8_t n_bytes;
	const char *bytes;
	bool (*is)(const uint8_t *data, size_t n_data); /* in place of the bytes */
};

#define AT(offset_, bytes_) .offset = (offset_), .n_bytes = sizeof(bytes_) - 1, .bytes = (bytes_)

static const struct magic magics[] = {
	{"a pointer of Git LFS in place of the file", "fetch the file itself (git lfs pull)",
		AT(0, "version https://git-lfs.github.com/spec/")},
	{"a page of HTML", DOWNLOAD, .is = is_page},
	{"a document of XML", DOWNLOAD, .is = is_xml},

	{"a ZIP archive", UNPACK, AT(0, "PK\3\4")},
	{"an empty ZIP archive", UNPACK, AT(0, "PK\5\6")},
	{"a part of a ZIP archive", UNPACK, AT(0, "PK\7\10")},
	{"a file of gzip", UNPACK, .is = is_gzip},
	{"a file of xz", UNPACK,
		AT(0, "\xfd"
		      "7zXZ\0")},
	{"a file of bzip2", UNPACK, AT(4, "1AY&SY")},
	{"a file of zstd", UNPACK, AT(0, "\x28\xb5\x2f\xfd")},
	{"a file of LZ4", UNPACK, AT(0, "\x04\x22\x4d\x18")},
	{"a file of lzip", UNPACK, AT(0, "LZIP\1")},
	{"a file of lzop", UNPACK, AT(0, "\x89LZO\0\r\n\x1a\n")},
	{"a file of LZMA", UNPACK, AT(4, "\0\xff\xff\xff\xff\xff\xff\xff\xff")},
	{"a 7-Zip archive", UNPACK, AT(0, "7z\xbc\xaf\x27\x1c")},
	{"a RAR archive", UNPACK, AT(0, "Rar!\x1a\7")},
	{"a tar archive", UNPACK, AT(257, "ustar")},
	{"a cpio archive", UNPACK, AT(0, "07070")},
	{"a Debian package or ar archive", UNPACK, AT(0, "!<arch>\n")},
	{"an RPM package", UNPACK, AT(0, "\xed\xab\xee\xdb")},
	{"a Windows cabinet", UNPACK, AT(0, "MSCF\0\0\0\0")},
	{"a SquashFS image", UNPACK, AT(0, "hsqs")},
	{"a CD image", UNPACK, AT(0x8001, "CD001")},
	{"a Zigbee OTA file", UNPACK, AT(0, "\x1e\xf1\xee\x0b")},

	{"a UF2 file", CONVERT, AT(0, "UF2\n\x57\x51\x5d\x9e")},

	{"a Windows program", COMPUTER, .is = is_windows_program},
	{"a program for macOS", COMPUTER, AT(0, "\xcf\xfa\xed\xfe")},
	{"a program for macOS", COMPUTER, AT(0, "\xce\xfa\xed\xfe")},
	{"a program for macOS", COMPUTER, AT(0, "\xfe\xed\xfa\xcf")},
	{"a program for macOS", COMPUTER, AT(0, "\xfe\xed\xfa\xce")},
	{"a Java class or a program for macOS", COMPUTER, AT(0, "\xca\xfe\xba\xbe")},
	{"a program of WebAssembly", COMPUTER, AT(0, "\0asm\1\0\0\0")},
	{"a boot image of U-Boot", COMPUTER, AT(0, "\x27\x05\x19\x56")},
	{"a device tree or boot image of U-Boot", COMPUTER, AT(0, "\xd0\x0d\xfe\xed")},

	{"a PDF document", WRONG, AT(0, "%PDF-")},
	{"an Office document", WRONG, AT(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")},
	{"a PNG picture", WRONG, AT(0, "\x89PNG\r\n\x1a\n")},
	{"a JPEG picture", WRONG, .is = is_jpeg},
	{"a GIF picture", WRONG, AT(0, "GIF8")},
	{"a TIFF picture", WRONG, AT(0, "II*\0")},
	{"a TIFF picture", WRONG, AT(0, "MM\0*")},
	{"a bitmap picture", WRONG, .is = is_bitmap},
	{"a RIFF file (sound, film or picture)", WRONG, AT(0, "RIFF")},
	{"a film", WRONG, AT(4, "ftyp")},
	{"a sound", WRONG, AT(0, "OggS")},
	{"a database of SQLite", WRONG, AT(0, "SQLite format 3")},

	{"a file encrypted by OpenSSL", DECRYPT, AT(0, "Salted__")},
	{"a file encrypted by age", DECRYPT, AT(0, "age-encryption.org/")},
	{"a file in PEM or PGP armour", DECRYPT, AT(0, "-----BEGIN ")},

	{"a text of UTF-16", WRONG, .is = is_utf16},
	{"a text", WRONG, .is = is_text},
};

bool content_is_foreign(const uint8_t *data, size_t n_data, struct content *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++) {
		const struct magic *magic = &magics[i];
		bool fits = magic->is ? magic->is(data, n_data)
				      : n_data >= (size_t)magic->offset + magic->n_bytes &&
						memcmp(data + magic->offset, magic->bytes,
							magic->n_bytes) == 0;

		if (!fits)
			continue;
		*ret = (struct content){.what = magic->what,
			.advice = magic->advice,
			.is_text = magic->is == is_text};
		return true;
	}
	return false;
}

bool content_is_constant(const uint8_t *data, size_t n_data)
{
	return n_data > 0 && memcmp(data, data + 1, n_data - 1) == 0;
}
