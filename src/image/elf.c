/* SPDX-License-Identifier: MIT */
/*
 * elf.c - executables of Arm's toolchains ("Tool Interface Standard, ELF Specification", version
 * 1.2): the bytes of the loadable program headers at their physical addresses, which is where a
 * linker puts what start-up code copies to RAM.
 *
 * libelf reads the headers; what they claim is checked against the file here, each number before it
 * is used. Sections do not count. Symbols and debug information may make a file many times larger
 * than its program: of a large file only the parts are kept that are read here.
 */
#include <elf.h>
#include <endian.h>
#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <string.h>

#include "base/util.h"
#include "image/image.h"
#include "image/pieces.h"

static void elf_endp(Elf **elf)
{
	elf_end(*elf);
}

/* Class and byte order say how the rest is to be read, so they come first. */
static int check_ident(const uint8_t *data, size_t n_data, struct reason *reason)
{
	if (n_data < sizeof(Elf32_Ehdr))
		return image_refuse(reason, "offset", n_data,
			"the file ends, but an ELF header has %zu bytes: was it cut off?",
			sizeof(Elf32_Ehdr));
	if (data[EI_CLASS] != ELFCLASS32)
		return image_refuse(reason, "offset", EI_CLASS,
			"expected a 32-bit ELF (class %d), seen class %d: is it for this chip?",
			ELFCLASS32, data[EI_CLASS]);
	if (data[EI_DATA] != ELFDATA2LSB)
		return image_refuse(reason, "offset", EI_DATA,
			"expected little-endian bytes (%d), seen %d: is it for this chip?",
			ELFDATA2LSB, data[EI_DATA]);
	if (data[EI_VERSION] != EV_CURRENT)
		return image_refuse(reason, "offset", EI_VERSION,
			"expected ELF version %d, seen %d", EV_CURRENT, data[EI_VERSION]);
	return IMAGE_OK;
}

/*
 * Sections are not read, but linkers write their headers last: without them a file that was cut off
 * behind its code would pass for whole.
 */
static int check_header(const GElf_Ehdr *header, size_t n_data, struct reason *reason)
{
	uint64_t programs_end = header->e_phoff + (uint64_t)header->e_phnum * sizeof(Elf32_Phdr);
	uint64_t sections_end = header->e_shoff + (uint64_t)header->e_shnum * header->e_shentsize;
	const char *advice = "";

	if (header->e_type == ET_REL)
		advice = " (an object file: link it first)";
	else if (header->e_type == ET_DYN)
		advice = " (position-independent: link it with -no-pie for the chip's addresses)";
	if (header->e_machine != EM_ARM)
		return image_refuse(reason, "offset", offsetof(Elf32_Ehdr, e_machine),
			"expected code for Arm (machine %d), seen machine %u: is it for this chip?",
			EM_ARM, (unsigned)header->e_machine);
	if (header->e_type != ET_EXEC)
		return image_refuse(reason, "offset", offsetof(Elf32_Ehdr, e_type),
			"expected an executable (type %d), seen type %u%s", ET_EXEC,
			(unsigned)header->e_type, advice);
	if (header->e_phnum == 0)
		return image_refuse(reason, "offset", offsetof(Elf32_Ehdr, e_phnum),
			"the file has no program headers, so nothing says what belongs where");
	/* 65535 says that the true number stands elsewhere: for core dumps, not for firmware. */
	if (header->e_phnum == PN_XNUM)
		return image_refuse(reason, "offset", offsetof(Elf32_Ehdr, e_phnum),
			"expected fewer than %d program headers", PN_XNUM);
	if (header->e_phentsize != sizeof(Elf32_Phdr))
		return image_refuse(reason, "offset", offsetof(Elf32_Ehdr, e_phentsize),
			"expected program headers of %zu bytes, seen %u", sizeof(Elf32_Phdr),
			(unsigned)header->e_phentsize);
	if (programs_end > n_data)
		return image_refuse(reason, "offset", n_data,
			"the file ends, but its %u program headers end at offset %" PRIu64
			": was it cut off?",
			(unsigned)header->e_phnum, programs_end);
	if (sections_end > n_data)
		return image_refuse(reason, "offset", n_data,
			"the file ends, but its %u section headers end at offset %" PRIu64
			": was it cut off?",
			(unsigned)header->e_shnum, sections_end);
	return IMAGE_OK;
}

/* ------------------------------------------------------------------ program headers */

#define PLACE "program header at offset"

/* All checks of a header, and its bytes: they are in the file, and fit what they are loaded to. */
static int read_program_headers(
	Elf *elf, const GElf_Ehdr *file, const uint8_t *data, size_t n_data, struct pieces *pieces)
{
	struct reason *reason = pieces->reason;

	for (size_t i = 0; i < file->e_phnum; i++) {
		size_t place = (size_t)file->e_phoff + i * sizeof(Elf32_Phdr);
		GElf_Phdr header;
		uint64_t end;
		int r;

		if (!gelf_getphdr(elf, (int)i, &header))
			return image_refuse(reason, PLACE, place, "%s", elf_errmsg(-1));
		/* No bytes in the file: zeroed by the start-up code (bss), or a stack. */
		if (header.p_type != PT_LOAD || header.p_filesz == 0)
			continue;
		end = header.p_offset + header.p_filesz; /* of 32 bits each: no wrap */
		if (header.p_filesz > header.p_memsz)
			return image_refuse(reason, PLACE, place,
				"%" PRIu64 " bytes in the file, but only %" PRIu64
				" in memory: the file is damaged",
				header.p_filesz, header.p_memsz);
		if (end > n_data)
			return image_refuse(reason, PLACE, place,
				"its %" PRIu64 " bytes end at offset %" PRIu64
				", but the file has %zu bytes: was it cut off?",
				header.p_filesz, end, n_data);
		/*
		 * Where pages are larger than the distance to the start of the code, ld puts the
		 * ELF header into the first segment, below the code: it would overwrite whatever is
		 * flashed there.
		 */
		if (header.p_offset < sizeof(Elf32_Ehdr))
			return image_refuse(reason, PLACE, place,
				"the ELF header itself would be flashed at 0x%08" PRIx64
				": link with -Wl,--nmagic, or convert the file with objcopy -O ihex",
				header.p_paddr);
		r = pieces_add(pieces, place, header.p_paddr, data + header.p_offset,
			(uint32_t)header.p_filesz);
		if (r != IMAGE_OK)
			return r;
	}
	if (pieces->n_items == 0)
		return image_refuse(reason, "offset", n_data,
			"the file ends, and none of its %u program headers has bytes to load",
			(unsigned)file->e_phnum);
	return IMAGE_OK;
}

static int elf_read(const uint8_t *data, size_t n_data, const struct image_options *options,
	struct image *ret, struct reason *reason)
{
	CLEANUP(pieces_done) struct pieces pieces = PIECES_INIT(PLACE, options, reason);
	CLEANUP(elf_endp) Elf *elf = NULL;
	GElf_Ehdr header;
	int r;

	r = check_ident(data, n_data, reason);
	if (r != IMAGE_OK)
		return r;

	elf_version(EV_CURRENT);
	/* libelf takes a char * for those who write; what is opened so is only read. */
	elf = elf_memory((char *)(uintptr_t)data, n_data);
	if (!elf || !gelf_getehdr(elf, &header))
		return image_refuse(
			reason, "offset", 0, "not a readable ELF file: %s", elf_errmsg(-1));
	r = check_header(&header, n_data, reason);
	if (r == IMAGE_OK)
		r = read_program_headers(elf, &header, data, n_data, &pieces);
	return r == IMAGE_OK ? pieces_build(&pieces, ret) : r;
}

static bool elf_is(const uint8_t *data, size_t n_data)
{
	return n_data >= SELFMAG && memcmp(data, ELFMAG, SELFMAG) == 0;
}

size_t image_pick_parts(const uint8_t *head, size_t n_head, uint64_t n_file, size_t max_bytes,
	struct folder_part parts[FOLDER_MAX_PARTS])
{
	uint64_t n_bytes = 0;
	size_t n = 2;
	Elf32_Ehdr header;

	if (n_head < sizeof(header) || !elf_is(head, n_head) || head[EI_CLASS] != ELFCLASS32 ||
		head[EI_DATA] != ELFDATA2LSB)
		return 0;
	memcpy(&header, head, sizeof(header));
	parts[0] = (struct folder_part){0, sizeof(header)};
	parts[1] = (struct folder_part){
		le32toh(header.e_phoff), (uint64_t)le16toh(header.e_phnum) * sizeof(Elf32_Phdr)};
	/* Linkers put the program headers behind the file's header. */
	if (parts[1].offset + parts[1].size > n_head)
		return 0;
	for (uint64_t at = parts[1].offset; at < parts[1].offset + parts[1].size;
		at += sizeof(Elf32_Phdr)) {
		Elf32_Phdr program;

		memcpy(&program, head + at, sizeof(program));
		if (le32toh(program.p_type) != PT_LOAD || program.p_filesz == 0)
			continue;
		if (n == FOLDER_MAX_PARTS)
			return 0;
		parts[n] =
			(struct folder_part){le32toh(program.p_offset), le32toh(program.p_filesz)};
		if (parts[n].offset + parts[n].size > n_file)
			return 0;
		n_bytes += parts[n++].size;
	}
	return n_bytes <= max_bytes ? n : 0;
}

const struct image_format image_format_elf = {
	.name = "ELF",
	.suffixes = (const char *const[]){".elf", ".axf", NULL},
	.is = elf_is,
	.read = elf_read,
};
