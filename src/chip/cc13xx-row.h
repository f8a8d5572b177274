/* SPDX-License-Identifier: MIT */
/*
 * cc13xx-row.h - what the row of a CC2538, CC13xx or CC26xx of TI has beside that of any chip:
 * which forms of the commands its ROM takes, and where the bytes are by which it decides whether
 * its loader can be reached (ti-bsl.md 2, 4, 5). For the family, its loader and its identification.
 */
#pragma once

#include "chip/chip.h"

/* A ROM, and the layout that it reads at the end of the flash. */
enum cc13xx_kind {
	CC13XX_38, /* CC2538: commands of other lengths, and a CCA in the place of the CCFG */
	CC13XX_X0, /* CC13x0, CC26x0 */
	CC13XX_X1, /* CC13x1, CC26x1 */
	CC13XX_X2, /* CC13x2, CC26x2 */
	CC13XX_X7, /* CC13x2x7, CC26x2x7 */
};

#define CC13XX_MAX_PARTS  12
#define CC13XX_PART_BYTES 16

/*
 * A part by its name in TI's catalogue. Several have one wafer, and so one product id, though their
 * pins and radios differ; for some it is known what their JTAGUSERCODE begins with.
 */
struct cc13xx_part {
	char name[CC13XX_PART_BYTES];
	bool has_code;
	uint16_t code; /* bits 31:16 of JTAGUSERCODE, which GET_CHIP_ID answers */
	bool has_uart;
	uint8_t uart_pins[2]; /* DIOs of the ROM's UART: no backdoor can be there */
};

/* Whether the serial line is on that DIO of the part, so that no backdoor can be there. */
static inline bool cc13xx_is_uart_pin(const struct cc13xx_part *part, uint8_t pin)
{
	return part->has_uart && (pin == part->uart_pins[0] || pin == part->uart_pins[1]);
}

struct cc13xx_row {
	enum cc13xx_kind kind;
	uint32_t ccfg_bytes; /* the last ones of the flash: 88, or the CCA's 44 */
	bool has_zero_valid; /* IMAGE_VALID is 0; else the address of the vector table */
	struct chip_range ram;
	struct cc13xx_part parts[CC13XX_MAX_PARTS];
	size_t n_parts;
};

/* That of a chip of this family. */
static inline const struct cc13xx_row *cc13xx_row(const struct chip *chip)
{
	return chip->own;
}

/*
 * The part that a rule's word for the chip means: the one with the longest name that the text
 * begins with, without regard to case and dashes ("cc2652rb1f" is the CC2652RB). NULL: none, the
 * word names all parts of the row (its id, its name).
 */
const struct cc13xx_part *cc13xx_part_named(const struct cc13xx_row *row, const char *text);

/* The part with this JTAGUSERCODE, or NULL: it is not known whose it is. */
const struct cc13xx_part *cc13xx_part_coded(const struct cc13xx_row *row, uint32_t user_code);
