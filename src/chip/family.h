/* SPDX-License-Identifier: MIT */
/*
 * family.h - a kind of chip as a table of operations: how its images look, which of their bytes
 * make a flash startable, and what its addresses and its erased cells mean.
 *
 * The procedure asks a chip's family and knows none by its name. hacking.md says what a new family
 * needs; a test may hand a list of its own to chip_table_load(), or make a chip that
 * points to its family.
 */
#pragma once

#include "api/report.h"
#include "base/ini.h"
#include "chip/chip.h"
#include "chip/option-bytes.h"
#include "image/image.h"
#include "rules/config.h"

/*
 * How the chip table names chips of the family. A table of its own, since the service reads the
 * chip table to check rules, and is not to be linked with all that looks into images.
 */
struct family_rows {
	const char *name;   /* [chip NAME ID], and see protocol-words.h */
	const char *prefix; /* that names of chips may leave out, NULL: none */
	/* Names are whole, and their dashes do not count: "esp32c6" is not the ESP32-C61. Else more
	 * letters and digits may follow an alias, and a small x in it is any of them. */
	bool has_whole_names;
	/* How a rule may name a chip, for messages: "0x414", "F103xC". NULL: those of the STM32. */
	const char *example_id, *example_name;
	uint32_t min_id; /* of the ids; 0 is one where a family has it (the ESP32) */
	uint32_t max_id;

	/* Keys beside those of every chip, with offsets in `own`, which begins as `own_default`. */
	const struct ini_key *keys;
	size_t n_keys;
	size_t own_size; /* 0: such a chip has none */
	const void *own_default;

	/*
	 * Sets in the chip what follows from the family's keys, and checks them together. 0, also
	 * where problems were added, or -ENOMEM. NULL: nothing follows.
	 */
	int (*complete)(struct chip *chip, const struct ini_section *section,
		struct ini_problems *problems);
};

/* What a family may ask of the chip that answered, for fit(). */
struct family_flash {
	/*
	 * Reads any number of bytes of the flash. 0, or -errno, which the family passes on: the
	 * caller knows what happened. NULL where the boot loader cannot read it.
	 */
	int (*read)(void *userdata, uint32_t address, uint8_t *to, size_t n);
	void *userdata;
	uint32_t flash_bytes;
	uint32_t revision; /* 100 * major + minor, where `has_revision` */
	bool has_revision;
	/* Where fit() puts what no result says; it begins empty. NULL: nobody asks. */
	struct family_notes *notes;
};

struct family_notes {
	/* For a job that goes well: a sentence about what its image changes in this chip. */
	struct reason remark;
	/* What the coming erase takes from the chip and nobody could tell afterwards, as
	 * hexadecimal digits; "": nothing, or the chip was erased before. For restore(). */
	char kept[REPORT_KEPT_MAX];
};

/* What fit() finds, beside -errno. */
enum family_fit {
	FAMILY_FIT_OK = IMAGE_OK,
	FAMILY_FIT_IMAGE = IMAGE_REFUSED, /* the image is not for this chip as it is */
	FAMILY_FIT_RULE, /* the image is good, and the rule does not say what this chip needs */
};

/* What check_guard() finds, beside -errno. */
enum family_guard {
	FAMILY_GUARD_OK,
	FAMILY_GUARD_AS_BEFORE,	  /* the erase did nothing: the record starts an application */
	FAMILY_GUARD_UNREACHABLE, /* erased, and a bit is 0 that the image wants as 1 */
};

struct family {
	const struct family_rows *rows;

	/*
	 * Brings the image of a file into the form in which it is flashed: called once, after the
	 * file was read and before anything is checked. `chip` is the first of the rule. IMAGE_OK;
	 * IMAGE_REFUSED with the reason as for check_image(); -ENOMEM. NULL: files are flashed as
	 * they are.
	 */
	int (*shape_image)(const struct board *board, const struct chip *chip, struct image *image,
		struct reason *reason);

	/*
	 * Whether the image can start on this chip, which has `flash_bytes` of flash, by all that
	 * the rule says of it. Its segments lie in the flash already. IMAGE_OK; IMAGE_REFUSED with
	 * the reason, a sentence that goes on after the name of the image; -ENOMEM.
	 */
	int (*check_image)(const struct board *board, const struct chip *chip, uint32_t flash_bytes,
		const struct image *image, struct reason *reason);

	/*
	 * Looks at the flash of the chip that answered, before anything is decided: for update,
	 * dry-run and verify, once in each pass, also in those after an erase. It may move the
	 * image and add to it, to the same end each time, and the image is checked once more
	 * behind it. An enum family_fit, with the reason as for check_image() where it refuses;
	 * -ENOMEM; or what flash->read() returned. NULL: no chip says anything of where its image
	 * belongs.
	 */
	int (*fit)(const struct board *board, const struct chip *chip,
		const struct family_flash *flash, struct image *image, struct reason *reason);

	/*
	 * Whether the flash goes on up to the end of the image, or begins anew before, as far as
	 * its content shows that. Asked behind fit(), and once more with `is_written`, when all
	 * but the bytes that the chip starts by is in the flash. IMAGE_OK; IMAGE_REFUSED with the
	 * reason, a sentence; or what flash->read() returned. NULL: no flash says too much.
	 */
	int (*check_end)(const struct chip *chip, const struct family_flash *flash,
		const struct image *image, bool is_written, struct reason *reason);

	/*
	 * The bytes of the image without which the chip starts nothing. The page that holds the
	 * first of them is erased before all others; they are written last, after all else was
	 * verified.
	 */
	struct chip_range (*find_start)(const struct chip *chip, const struct image *image);

	/*
	 * These bytes are a record of settings by which the chip also decides whether its boot
	 * loader can be entered again. It goes into the flash by one write(), and is proved by
	 * reading, whatever `verify` says, for a digest names no field; a record that is not as it
	 * should be is erased again. The chip may set values in it as soon as its page was erased,
	 * so no blank check covers it. It fits into a block of the loader, which has read().
	 */
	bool starts_by_record;

	/*
	 * With `starts_by_record`: looks at the record after the erase of its page, and before any
	 * other page is erased: can the image's record be written now, that is by clearing bits
	 * alone? An enum family_guard, with the reason, a sentence, where it cannot; or what
	 * flash->read() returned.
	 */
	int (*check_guard)(const struct chip *chip, const struct family_flash *flash,
		const struct image *image, struct reason *reason);

	/*
	 * With `starts_by_record`: the field that the byte of the image at `address` belongs to,
	 * "CCFG BL_CONFIG"; NULL where it is none of the record's.
	 */
	const char *(*name_byte)(
		const struct chip *chip, const struct image *image, uint32_t address);

	/*
	 * Of a chip that was erased before this job could ask it: puts into the image what fit()
	 * of an earlier job kept (family_notes.kept), as fit() would have. True, with a remark
	 * in the place of fit()'s, or "", where the image has now what the chip had; false where
	 * the rule wants none of it, or the digits are none of this chip's. NULL with a fit() that
	 * keeps nothing.
	 */
	bool (*restore)(const struct board *board, const struct chip *chip, const char *kept,
		struct image *image, struct reason *remark);

	/* For messages: what the chip has at an address outside its flash, " (RAM)", or "". */
	const char *(*name_address)(const struct chip *chip, uint32_t address);

	/*
	 * Where the chip has settings beside its flash that the boot loader reads, and how they lie
	 * there; `ret_layout` is NULL where nobody here knows. False: none are in its reach. NULL:
	 * the family has none.
	 */
	bool (*find_options)(const struct chip *chip, struct chip_range *ret,
		const struct option_layout **ret_layout);

	/* What each byte of an erased flash reads. */
	uint8_t (*erased_byte)(const struct chip *chip);

	/*
	 * Chips whose settings decide which page a number means. All three are NULL for families
	 * without such chips. `use_other_pages` puts the row's other layout in the place of
	 * `pages`, for a part with that much flash; false where the row has none for it, and the
	 * chip is left alone then.
	 */
	bool (*has_other_pages)(const struct chip *chip);
	bool (*can_swap_banks)(const struct chip *chip);
	bool (*use_other_pages)(struct chip *chip, uint32_t flash_bytes);
};

static inline bool chip_has_other_pages(const struct chip *chip)
{
	return chip->family->has_other_pages && chip->family->has_other_pages(chip);
}

static inline bool chip_can_swap_banks(const struct chip *chip)
{
	return chip->family->can_swap_banks && chip->family->can_swap_banks(chip);
}

static inline bool chip_use_other_pages(struct chip *chip, uint32_t flash_bytes)
{
	return chip->family->use_other_pages && chip->family->use_other_pages(chip, flash_bytes);
}

/* Whether the bytes that it starts by are a record of settings. NULL: a loader of files, whose chip
 * is not known. */
static inline bool chip_starts_by_record(const struct chip *chip)
{
	return chip && chip->family->starts_by_record;
}

static inline uint8_t chip_erased_byte(const struct chip *chip)
{
	return chip->family->erased_byte(chip);
}

extern const struct family_rows family_stm32_rows;
extern const struct family family_stm32;
extern const struct family_rows family_esp_rows;
extern const struct family family_esp;
extern const struct family_rows family_cc13xx_rows;
extern const struct family family_cc13xx;

/* All families that there are, NULL-terminated. */
extern const struct family *const chip_families[];
