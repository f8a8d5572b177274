/* SPDX-License-Identifier: MIT */
/*
 * ti-stand.h - a rule for a stick with a chip of TI, and files for it as a job reads, shapes and
 * checks them before it opens its port. Include after cmocka.h.
 */
#pragma once

#include <elf.h>
#include <string.h>

#include "base/outcome.h"
#include "chip/cc13xx-own.h"
#include "chip/ccfg.h"
#include "flash/image-check.h"
#include "tools/ti-make.h"
#include "unit/shipped-chips.h"

struct stand {
	struct board board;
	char *names[3];
	struct ti_make_image made;
	struct image image;
	struct reason reason;
};

static inline struct stand *stand_new(const char *chip, const char *version)
{
	struct stand *stand = calloc(1, sizeof(*stand));

	assert_non_null(stand);
	stand->made = ti_make_new(chip, version, 0);
	stand->names[0] = strdup(chip);
	stand->board = (struct board){.name = strdup("stick"),
		.protocol = BOARD_PROTOCOL_BSL,
		.chip = stand->names,
		.n_chip = 1,
		.has_backdoor_pin = true,
		.backdoor_pin = stand->made.chip->pin,
		.check_vectors = true};
	return stand;
}

static inline void stand_free(struct stand *stand)
{
	image_done(&stand->image);
	ti_make_done(&stand->made);
	for (size_t i = 0; i < ARRAY_SIZE(stand->names); i++)
		free(stand->names[i]);
	free(stand->board.name);
	free(stand);
}

static inline const struct chip *chip_of(const struct stand *stand)
{
	const struct chip *chip = chip_table_find_for(&shipped, &stand->board, stand->names[0]);

	assert_non_null(chip);
	return chip;
}

/* As a linker leaves it: a program header for each run. For ti_make_bytes_done(). */
static inline struct ti_make_bytes make_elf(struct ti_make_image *made)
{
	struct ti_make_bytes elf = {};
	FILE *to = open_memstream((char **)&elf.data, &elf.n);
	Elf32_Ehdr header = {
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_ARM,
		.e_version = EV_CURRENT,
		.e_entry = made->chip->base + 0x401,
		.e_phoff = sizeof(header),
		.e_ehsize = sizeof(header),
		.e_phentsize = sizeof(Elf32_Phdr),
		.e_phnum = (Elf32_Half)made->n_runs,
		.e_shentsize = sizeof(Elf32_Shdr),
	};
	size_t at = sizeof(header) + made->n_runs * sizeof(Elf32_Phdr);

	assert_non_null(to);
	fwrite(&header, sizeof(header), 1, to);
	for (size_t i = 0; i < made->n_runs; at += made->runs[i++].n) {
		const Elf32_Phdr program = {.p_type = PT_LOAD,
			.p_offset = (Elf32_Off)at,
			.p_vaddr = made->runs[i].address,
			.p_paddr = made->runs[i].address,
			.p_filesz = made->runs[i].n,
			.p_memsz = made->runs[i].n};

		fwrite(&program, sizeof(program), 1, to);
	}
	for (size_t i = 0; i < made->n_runs; i++)
		fwrite(ti_make_at(made, made->runs[i].address, made->runs[i].n), 1, made->runs[i].n,
			to);
	assert_int_equal(fclose(to), 0);
	return elf;
}

static const struct {
	const char *name;
	struct ti_make_bytes (*make)(struct ti_make_image *made);
} ti_forms[] = {{"a.bin", ti_make_bin}, {"a.hex", ti_make_hex}, {"a.elf", make_elf}};

/* As a job does it before it opens its port: read, shaped, checked. */
static inline int check_as(struct stand *stand, size_t form)
{
	struct ti_make_bytes file = ti_forms[form].make(&stand->made);
	struct image_options options;
	int r;

	stand->reason.text[0] = '\0';
	image_done(&stand->image);
	stand->image = (struct image){0};
	r = image_check_options(&stand->board, &shipped, &options, &stand->reason);
	if (r == 0)
		r = image_read(ti_forms[form].name, file.data, file.n, &options, &stand->image,
			&stand->reason);
	if (r == IMAGE_OK)
		r = image_check_shape(&stand->board, &shipped, &stand->image, &stand->reason);
	if (r == IMAGE_OK)
		r = image_check(&stand->board, &shipped, &stand->image, &stand->reason);
	ti_make_bytes_done(&file);
	return r;
}

static inline int check(struct stand *stand, bool is_hex)
{
	return check_as(stand, is_hex);
}

static inline void expect_says(const struct stand *stand, const char *text)
{
	if (!strstr(stand->reason.text, text))
		fail_msg("'%s' does not say '%s'", stand->reason.text, text);
}

/* The same program with its CCA at the end of another flash. */
static inline struct stand *stand_38(uint32_t flash_bytes, const char *word)
{
	struct stand *stand = stand_new("cc2538", "20240710");
	uint8_t cca[TI_CCA_SIZE];

	memcpy(cca, ti_make_at(&stand->made, ti_make_ccfg(stand->made.chip), TI_CCA_SIZE),
		TI_CCA_SIZE);
	ti_make_fault(&stand->made, TI_FAULT_NO_CCFG);
	memcpy(ti_make_at(&stand->made, 0x200000 + flash_bytes - TI_CCA_SIZE, TI_CCA_SIZE), cca,
		TI_CCA_SIZE);
	ti_make_run(&stand->made, 0x200000 + flash_bytes - TI_CCA_SIZE, TI_CCA_SIZE);
	free(stand->names[0]);
	stand->names[0] = strdup(word);
	return stand;
}
