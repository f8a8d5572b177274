/* SPDX-License-Identifier: MIT */
/*
 * ELF: a small executable made here, what changes of its headers are refused with which message,
 * and that a real one gives what its HEX and raw files give.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>

#include "image/library.h"
#include "reading.h"
#include "rows.h"
#include "unit/in-flash.h"

#define FLASH UINT32_C(0x08000000)
#define RAM   UINT32_C(0x20000000)

/* The whole file: 16 bytes of code, 4 of data that start-up code copies to RAM, and a bss. */
struct file {
	Elf32_Ehdr header;
	Elf32_Phdr programs[3];
	uint8_t code[16];
	uint8_t data[4];
	uint8_t more[1]; /* what belongs to nothing: a section table, debug information */
};

#define FILE_BYTES    offsetof(struct file, more[1])
#define HEADERS_END   offsetof(struct file, code)
#define CODE_AND_DATA BYTES_16 "\x10\x11\x12\x13"

static const struct file whole = {
	.header =
		{
			.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
			.e_type = ET_EXEC,
			.e_machine = EM_ARM,
			.e_version = EV_CURRENT,
			.e_entry = FLASH + 9,
			.e_phoff = offsetof(struct file, programs),
			.e_ehsize = sizeof(Elf32_Ehdr),
			.e_phentsize = sizeof(Elf32_Phdr),
			.e_phnum = 3,
			.e_shentsize = sizeof(Elf32_Shdr),
		},
	.programs =
		{
			{
				.p_type = PT_LOAD,
				.p_offset = offsetof(struct file, code),
				.p_vaddr = FLASH,
				.p_paddr = FLASH,
				.p_filesz = 16,
				.p_memsz = 16,
			},
			{
				.p_type = PT_LOAD,
				.p_offset = offsetof(struct file, data),
				.p_vaddr = RAM,
				.p_paddr = FLASH + 16,
				.p_filesz = 4,
				.p_memsz = 64,
			},
			{
				.p_type = PT_LOAD,
				.p_offset = 0,
				.p_vaddr = RAM + 64,
				.p_paddr = RAM + 64,
				.p_filesz = 0,
				.p_memsz = 1024,
			},
		},
	.code = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	.data = {16, 17, 18, 19},
};

/* `size` 0: none. */
struct change {
	size_t offset, size;
	uint32_t value;
};

#define IDENT(index, value_)         \
	{                            \
		(index), 1, (value_) \
	}
#define HEADER(field, value_)                                                             \
	{                                                                                 \
		offsetof(struct file, header.field), sizeof(whole.header.field), (value_) \
	}
#define PROGRAM(i, field, value_)                                     \
	{                                                             \
		offsetof(struct file, programs[i].field), 4, (value_) \
	}

/* A file as it is, or changed, or the first bytes of it. */
struct made {
	size_t n_bytes;
	struct change changes[4];
};

#define WHOLE               \
	{                   \
		FILE_BYTES, \
		{           \
		}           \
	}
#define WITH(...)                   \
	{                           \
		FILE_BYTES,         \
		{                   \
			__VA_ARGS__ \
		}                   \
	}
#define CUT(n)       \
	{            \
		(n), \
		{    \
		}    \
	}

struct bad_row {
	const char *name;
	struct made made;
	const char *expected;
};

struct good_row {
	const char *name;
	struct made made;
	struct good_segment segments[2];
};

static const struct bad_row bad[] = {
	{"fault 28: ELF of its mark alone", CUT(4), "offset 4: the file ends, but an ELF header"},
	{"fault 28: ELF header cut off", CUT(51),
		"offset 51: the file ends, but an ELF header has 52 bytes: was it cut off?"},
	{"fault 42: 64-bit class", WITH(IDENT(EI_CLASS, ELFCLASS64)),
		"offset 4: expected a 32-bit ELF (class 1), seen class 2: is it for this chip?"},
	{"fault 42: no class", WITH(IDENT(EI_CLASS, 0)), "offset 4: expected a 32-bit ELF"},
	{"fault 42: unknown class", WITH(IDENT(EI_CLASS, 255)), "offset 4: expected a 32-bit ELF"},
	{"fault 42: big-endian", WITH(IDENT(EI_DATA, ELFDATA2MSB)),
		"offset 5: expected little-endian bytes (1), seen 2"},
	{"fault 42: unknown byte order", WITH(IDENT(EI_DATA, 7)),
		"offset 5: expected little-endian bytes (1), seen 7"},
	{"fault 42: unknown ELF version", WITH(IDENT(EI_VERSION, 2)),
		"offset 6: expected ELF version 1, seen 2"},
	{"fault 42: machine x86", WITH(HEADER(e_machine, EM_386)),
		"offset 18: expected code for Arm (machine 40), seen machine 3"},
	{"fault 42: machine AArch64", WITH(HEADER(e_machine, EM_AARCH64)),
		"offset 18: expected code for Arm (machine 40), seen machine 183"},
	{"fault 42: machine RISC-V", WITH(HEADER(e_machine, EM_RISCV)),
		"offset 18: expected code for Arm (machine 40), seen machine 243"},
	{"fault 42: no machine", WITH(HEADER(e_machine, EM_NONE)),
		"offset 18: expected code for Arm (machine 40), seen machine 0"},
	{"fault 42: object file", WITH(HEADER(e_type, ET_REL)),
		"offset 16: expected an executable (type 2), seen type 1 (an object file: link"},
	{"fault 42: position-independent", WITH(HEADER(e_type, ET_DYN)),
		"offset 16: expected an executable (type 2), seen type 3 (position-independent"},
	{"fault 42: core dump", WITH(HEADER(e_type, ET_CORE)),
		"offset 16: expected an executable (type 2), seen type 4"},
	{"fault 42: no program headers", WITH(HEADER(e_phnum, 0)),
		"offset 44: the file has no program headers"},
	{"fault 42: 65535 program headers", WITH(HEADER(e_phnum, 65535)),
		"offset 44: expected fewer than 65535 program headers"},
	{"fault 42: 65534 program headers", WITH(HEADER(e_phnum, 65534)),
		"offset 169: the file ends, but its 65534 program headers end at offset 2097140"},
	{"fault 42: short program headers", WITH(HEADER(e_phentsize, 31)),
		"offset 42: expected program headers of 32 bytes, seen 31"},
	{"fault 42: program headers of 64 bits", WITH(HEADER(e_phentsize, 56)),
		"offset 42: expected program headers of 32 bytes, seen 56"},
	{"fault 42: program headers of no bytes", WITH(HEADER(e_phentsize, 0)),
		"offset 42: expected program headers of 32 bytes, seen 0"},
	{"fault 42: program headers one byte behind the end", WITH(HEADER(e_phoff, 74)),
		"offset 169: the file ends, but its 3 program headers end at offset 170"},
	{"fault 42: program headers at the end of all offsets", WITH(HEADER(e_phoff, 0xFFFFFFF0)),
		"offset 169: the file ends, but its 3 program headers end at offset 4294967376"},
	{"fault 42: program headers at no offset", WITH(HEADER(e_phoff, 0)),
		"program header at offset 0: "},
	{"fault 42: program header truncated", CUT(HEADERS_END - 1),
		"offset 147: the file ends, but its 3 program headers end at offset 148"},
	{"fault 42: section headers at the end of all offsets",
		WITH(HEADER(e_shoff, 0xFFFFFFF0), HEADER(e_shnum, 0xFFFF)),
		"offset 169: the file ends, but its 65535 section headers end at offset "
		"4297588680"},
	{"fault 28: section headers one byte behind the end",
		WITH(HEADER(e_shoff, 130), HEADER(e_shnum, 1)),
		"offset 169: the file ends, but its 1 section headers end at offset 170: was it "
		"cut off?"},
	{"fault 42: offset and size overflow",
		WITH(PROGRAM(0, p_offset, 0xFFFFFFF8), PROGRAM(0, p_filesz, 16)),
		"program header at offset 52: its 16 bytes end at offset 4294967304, but the file "
		"has 169 "
		"bytes"},
	{"fault 42: largest offset and size",
		WITH(PROGRAM(0, p_offset, 0xFFFFFFFF), PROGRAM(0, p_filesz, 0xFFFFFFFF),
			PROGRAM(0, p_memsz, 0xFFFFFFFF)),
		"program header at offset 52: its 4294967295 bytes end at offset 8589934590"},
	{"fault 42: bytes cut off", CUT(FILE_BYTES - 2),
		"program header at offset 84: its 4 bytes end at offset 168, but the file has 167 "
		"bytes: was "
		"it cut off?"},
	{"fault 42: memory smaller than the file's bytes", WITH(PROGRAM(1, p_memsz, 3)),
		"program header at offset 84: 4 bytes in the file, but only 3 in memory"},
	{"fault 42: no memory for the file's bytes", WITH(PROGRAM(0, p_memsz, 0)),
		"program header at offset 52: 16 bytes in the file, but only 0 in memory"},
	{"fault 41: ELF wraps at 32 bits", WITH(PROGRAM(0, p_paddr, 0xFFFFFFF8)),
		"program header at offset 52: 16 bytes from 0xfffffff8 on reach the end of the "
		"32-bit"},
	{"fault 29: ELF larger than the flash",
		WITH(PROGRAM(1, p_offset, 64), PROGRAM(1, p_filesz, 20)),
		"program header at offset 84: more than 32 bytes of data: they do not fit the "
		"flash"},
	{"ELF, overlap", WITH(PROGRAM(1, p_paddr, FLASH + 12)),
		"program header at offset 84: address 0x0800000c is given twice, the first time in "
		"program "
		"header at offset 52"},
	{"ELF, the same address twice", WITH(PROGRAM(1, p_paddr, FLASH)),
		"program header at offset 84: address 0x08000000 is given twice"},
	{"ELF, its own header in the flash", WITH(PROGRAM(1, p_offset, 0)),
		"program header at offset 84: the ELF header itself would be flashed at "
		"0x08000010: link "
		"with"},
	{"ELF, the last byte of its own header in the flash", WITH(PROGRAM(1, p_offset, 51)),
		"program header at offset 84: the ELF header itself would be flashed"},
	{"ELF, nothing to load",
		WITH(PROGRAM(0, p_type, PT_NOTE), PROGRAM(1, p_type, PT_ARM_EXIDX)),
		"offset 169: the file ends, and none of its 3 program headers has bytes to load"},
	{"ELF, all bss", WITH(PROGRAM(0, p_filesz, 0), PROGRAM(1, p_filesz, 0)),
		"offset 169: the file ends, and none of its 3 program headers has bytes to load"},
};

static const struct good_row good[] = {
	{"ELF, code and data at physical addresses", WHOLE, {SEGMENT(FLASH, CODE_AND_DATA)}},
	{"ELF, nothing behind its bytes", CUT(FILE_BYTES - 1), {SEGMENT(FLASH, CODE_AND_DATA)}},
	{"ELF, data far from the code", WITH(PROGRAM(1, p_paddr, FLASH + 0x1000)),
		{SEGMENT(FLASH, BYTES_16), SEGMENT(FLASH + 0x1000, "\x10\x11\x12\x13")}},
	{"ELF, data below the code", WITH(PROGRAM(1, p_paddr, FLASH - 4)),
		{SEGMENT(FLASH - 4, "\x10\x11\x12\x13" BYTES_16)}},
	{"ELF, memory equal to the bytes", WITH(PROGRAM(1, p_memsz, 4)),
		{SEGMENT(FLASH, CODE_AND_DATA)}},
	{"ELF, two program headers", WITH(HEADER(e_phnum, 2)), {SEGMENT(FLASH, CODE_AND_DATA)}},
	{"ELF, a header of another type", WITH(PROGRAM(1, p_type, PT_ARM_EXIDX)),
		{SEGMENT(FLASH, BYTES_16)}},
	{"ELF, what is not loaded may be damaged",
		WITH(PROGRAM(1, p_type, PT_NOTE), PROGRAM(1, p_offset, 0xFFFFFFFF)),
		{SEGMENT(FLASH, BYTES_16)}},
	{"ELF, the same bytes at two addresses",
		WITH(PROGRAM(1, p_offset, offsetof(struct file, code))),
		{SEGMENT(FLASH, BYTES_16 "\0\1\2\3")}},
	{"ELF, section headers at the end", WITH(HEADER(e_shoff, 129), HEADER(e_shnum, 1)),
		{SEGMENT(FLASH, CODE_AND_DATA)}},
	{"ELF, a number of sections that stands in a section",
		WITH(HEADER(e_shoff, 60), HEADER(e_shnum, 0)), {SEGMENT(FLASH, CODE_AND_DATA)}},
	{"ELF, code in the last but one byte of the addresses",
		WITH(PROGRAM(0, p_paddr, 0xFFFFFFEF)),
		{SEGMENT(FLASH + 16, "\x10\x11\x12\x13"), SEGMENT(0xFFFFFFEF, BYTES_16)}},
};

/* Little-endian; so is `whole`, on every machine that Debian builds this for but s390x. */
static void make_file(const struct made *made, uint8_t *ret)
{
	memcpy(ret, &whole, FILE_BYTES);
	for (size_t i = 0; i < ARRAY_SIZE(made->changes); i++) {
		const struct change *change = &made->changes[i];

		for (size_t j = 0; j < change->size; j++)
			ret[change->offset + j] = (uint8_t)(change->value >> 8 * j);
	}
}

static void is_refused_with_its_place(void **state)
{
	const struct bad_row *row = *state;
	uint8_t bytes[sizeof(whole)];

	make_file(&row->made, bytes);
	assert_refused("folder/gate.elf", bytes, row->made.n_bytes, 32, row->expected);
}

static void is_read(void **state)
{
	const struct good_row *row = *state;
	uint8_t bytes[sizeof(whole)];

	make_file(&row->made, bytes);
	assert_read(
		"gate.axf", bytes, row->made.n_bytes, 32, row->segments, ARRAY_SIZE(row->segments));
}

static void fault_28_42_no_cut_crashes_or_passes_for_whole(void **state)
{
	(void)state;
	for (size_t n = 1; n < FILE_BYTES - 1; n++)
		assert_refused("gate.elf", &whole, n, 32, n < 4 ? "the name says ELF" : "");
}

/* Linked to run from RAM, or without the physical addresses: the chip's range decides. */
static void fault_41_elf_outside_the_flash_does_not_fit(void **state)
{
	static const struct bad_row rows[] = {
		{"RAM", WITH(PROGRAM(1, p_paddr, RAM)), "0x20000000 (RAM), outside the flash"},
		{"option bytes", WITH(PROGRAM(1, p_paddr, 0x1FFFF800)),
			"0x1ffff800 (option bytes or system memory), outside the flash"},
		{"at 0", WITH(PROGRAM(0, p_paddr, 0)), "0x00000000, outside the flash"},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t bytes[sizeof(whole)];
		struct image image = {};
		struct reason reason = {};

		make_file(&rows[i].made, bytes);
		assert_int_equal(
			read_exact("gate.elf", bytes, FILE_BYTES, 32, &image, &reason), IMAGE_OK);
		assert_int_equal(check_in_flash(&image, &reason), OUTCOME_BAD_IMAGE);
		if (!strstr(reason.text, rows[i].expected))
			fail_msg("%s: %s", rows[i].name, reason.text);
		image_done(&image);
	}
}

/* Odd offsets are allowed by nobody and written by some: no access may rely on alignment. */
static void elf_headers_need_no_alignment(void **state)
{
	static const struct good_segment expected[] = {SEGMENT(FLASH, BYTES_16)};
	uint8_t bytes[sizeof(whole) + 1] = {};
	(void)state;

	memcpy(bytes, &whole, sizeof(Elf32_Ehdr));
	memcpy(bytes + sizeof(Elf32_Ehdr) + 1, (const uint8_t *)&whole + sizeof(Elf32_Ehdr),
		FILE_BYTES - sizeof(Elf32_Ehdr));
	bytes[offsetof(Elf32_Ehdr, e_phoff)]++;
	bytes[offsetof(Elf32_Ehdr, e_phnum)] = 1;
	bytes[offsetof(struct file, programs[0].p_offset) + 1]++;
	assert_read("gate.elf", bytes, FILE_BYTES + 1, 32, expected, 1);
}

/* What a linker made, not this test. */
static void real_firmware_gives_the_bytes_of_its_other_formats(void **state)
{
	static const char *const versions[] = {"firmware-1.0.0", "firmware-1.1.0"};
	static const char *const suffixes[] = {"elf", "hex", "bin"};
	const struct image_options options = {.address = FLASH, .max_bytes = 0x10000};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		struct image images[ARRAY_SIZE(suffixes)] = {};

		for (size_t j = 0; j < ARRAY_SIZE(suffixes); j++) {
			CLEANUP(library_file_done) struct library_file file = {};
			struct reason reason = {};
			char name[32];

			snprintf(name, sizeof(name), "%s.%s", versions[i], suffixes[j]);
			if (library_read("tests/firmware", name, 0x10000, &file, &reason) != 0 ||
				image_read(name, file.data, file.n_data, &options, &images[j],
					&reason) != 0)
				fail_msg("%s", reason.text);
			assert_int_equal(images[j].n_segments, 1);
			assert_int_equal(images[j].segments[0].address, FLASH);
			assert_int_equal(images[j].segments[0].size, images[0].segments[0].size);
			assert_memory_equal(images[j].segments[0].data, images[0].segments[0].data,
				images[0].segments[0].size);
		}
		for (size_t j = 0; j < ARRAY_SIZE(suffixes); j++)
			image_done(&images[j]);
	}
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(bad) + ARRAY_SIZE(good) + 4];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, bad, is_refused_with_its_place);
	ADD_ROWS(tests, n_tests, good, is_read);
	ADD_TEST(tests, n_tests, fault_28_42_no_cut_crashes_or_passes_for_whole);
	ADD_TEST(tests, n_tests, fault_41_elf_outside_the_flash_does_not_fit);
	ADD_TEST(tests, n_tests, elf_headers_need_no_alignment);
	ADD_TEST(tests, n_tests, real_firmware_gives_the_bytes_of_its_other_formats);
	return RUN_TESTS("elf", tests, n_tests);
}
