/* SPDX-License-Identifier: MIT */
/*
 * option-layouts.c - the option bytes of the families of the chip table, from their reference
 * manuals and ST's headers; option-bytes.md 2 has the sources, and which ROM was seen to take them.
 *
 * A value is dangerous where plugflash could not come in again, where the application would not
 * run, or where the next update would fail. Nothing that only an erase of the whole chip undoes, or
 * nothing at all (BOOT_LOCK, SEC_SIZE, PCROP, SPRMOD), lies in the bytes that are written.
 */
#include <string.h>

#include "base/util.h"
#include "chip/option-bytes.h"

/* Sentences that settings share: a field has the number of its own. */
enum {
	NO_REASON,
	WATCHDOG,
	WINDOW_WATCHDOG,
	BROWN_OUT,
	BOOT1_BIT,
	BOOT0_BIT,
	PIN_BIT,
	PROTECTS,
	MOVES_PAGES,
	SECOND_START, /* AN2606 table 2, patterns 3, 7 and 14: the ROM is entered where no bank
			 holds one */
	NO_RESET_PIN,
};

static const char *const reasons[] = {
	[NO_REASON] = "",
	[WATCHDOG] =
		"the independent watchdog runs from each reset on, and resets an application that does not refresh it in time",
	[WINDOW_WATCHDOG] =
		"the window watchdog runs from each reset on, and resets the boot loader before it answers",
	[BROWN_OUT] =
		"with a supply below that threshold the chip stays in reset, and no boot loader answers any more",
	[BOOT1_BIT] = "BOOT0 leads into the RAM then, and no longer into the boot loader",
	[BOOT0_BIT] =
		"where the boot mode is that of this bit, each reset leads into the boot loader, and no longer into the application",
	[PIN_BIT] =
		"the boot mode is that of nBOOT0 then, and no longer that of the BOOT0 pin, so that no line leads into the boot loader",
	[PROTECTS] = "pages that are write-protected cannot be erased by the next update",
	[MOVES_PAGES] =
		"the pages of the flash are others then, and what was proved lies elsewhere",
	[SECOND_START] =
		"the ROM starts the second bank then, where that holds an application, and BOOT0 may lead into the boot loader no longer",
	[NO_RESET_PIN] =
		"the NRST pin is no reset input in that mode, so that no line resets the chip any more",
};

/* NAME, offset of the value, first bit, bits */
#define FIELD(name_, offset_, first_, n_)                                       \
	{                                                                       \
		.name = name_, .offset = offset_, .first = first_, .n_bits = n_ \
	}
#define SHOWN(name_, offset_, first_, n_)                                        \
	{                                                                        \
		.name = name_, .offset = offset_, .first = first_, .n_bits = n_, \
		.use = OPTION_USE_SHOWN                                          \
	}
#define PROTECTION(name_, offset_, first_)                                      \
	{                                                                       \
		.name = name_, .offset = offset_, .first = first_, .n_bits = 8, \
		.use = OPTION_USE_PROTECTION                                    \
	}
#define RISKY(name_, offset_, first_, n_, from_, to_, why_)                      \
	{                                                                        \
		.name = name_, .offset = offset_, .first = first_, .n_bits = n_, \
		.danger = OPTION_RISK, .from = from_, .to = to_, .reason = why_  \
	}

/* ------------------------------------------------------------------ F0, F1, F3 */

/* RM0091 2.? table "Option byte organization", PM0075 2.5, RM0316 4.2: the same in all three. */
#define USER_COMMON                                                        \
	PROTECTION("RDP", 0, 0), RISKY("WDG_SW", 2, 0, 1, 0, 0, WATCHDOG), \
		FIELD("nRST_STOP", 2, 1, 1), FIELD("nRST_STDBY", 2, 2, 1)
#define DATA_AND_WRP                                        \
	FIELD("Data0", 4, 0, 8), FIELD("Data1", 6, 0, 8),   \
		RISKY("WRP0", 8, 0, 8, 0, 0xFE, PROTECTS),  \
		RISKY("WRP1", 10, 0, 8, 0, 0xFE, PROTECTS), \
		RISKY("WRP2", 12, 0, 8, 0, 0xFE, PROTECTS), \
		RISKY("WRP3", 14, 0, 8, 0, 0xFE, PROTECTS)

static const struct option_field f1[] = {USER_COMMON, DATA_AND_WRP};

/* XL density, whose second bank can be what starts. */
static const struct option_field f1_xl[] = {
	USER_COMMON, RISKY("BFB2", 2, 3, 1, 0, 0, SECOND_START), DATA_AND_WRP};

static const struct option_field f0[] = {USER_COMMON, RISKY("nBOOT1", 2, 4, 1, 0, 0, BOOT1_BIT),
	FIELD("VDDA_MONITOR", 2, 5, 1), FIELD("RAM_PARITY_CHECK", 2, 6, 1), DATA_AND_WRP};

/* F04x and F09x: the boot mode may be that of a bit. BOOT_SEL is 1 for the pin. */
static const struct option_field f0_boot[] = {USER_COMMON,
	RISKY("nBOOT0", 2, 3, 1, 0, 0, BOOT0_BIT), RISKY("nBOOT1", 2, 4, 1, 0, 0, BOOT1_BIT),
	FIELD("VDDA_MONITOR", 2, 5, 1), FIELD("RAM_PARITY_CHECK", 2, 6, 1),
	RISKY("BOOT_SEL", 2, 7, 1, 0, 0, PIN_BIT), DATA_AND_WRP};

static const struct option_field f3[] = {USER_COMMON, RISKY("nBOOT1", 2, 4, 1, 0, 0, BOOT1_BIT),
	FIELD("VDDA_MONITOR", 2, 5, 1), FIELD("SRAM_PE", 2, 6, 1), DATA_AND_WRP};

static const struct option_field f37[] = {USER_COMMON, RISKY("nBOOT1", 2, 4, 1, 0, 0, BOOT1_BIT),
	FIELD("VDDA_MONITOR", 2, 5, 1), FIELD("SRAM_PE", 2, 6, 1),
	FIELD("SDADC12_VDD_MONITOR", 2, 7, 1), DATA_AND_WRP};

/* ------------------------------------------------------------------ F2, F4, F7 */

/* RM0090 3.7.1, tables 15 to 17. BOR_LEV: 3 is off, 0 the highest threshold. */
#define SECTORS_COMMON                                                                        \
	RISKY("BOR_LEV", 0, 2, 2, 0, 2, BROWN_OUT), RISKY("WDG_SW", 0, 5, 1, 0, 0, WATCHDOG), \
		FIELD("nRST_STOP", 0, 6, 1), FIELD("nRST_STDBY", 0, 7, 1), PROTECTION("RDP", 0, 8)

static const struct option_field f2[] = {
	SECTORS_COMMON, RISKY("nWRP", 8, 0, 12, 0, 0xFFE, PROTECTS)};

/* With SPRMOD nWRP means the contrary, and hides sectors from the boot loader. */
static const struct option_field f4[] = {
	SECTORS_COMMON, SHOWN("nWRP", 8, 0, 12), SHOWN("SPRMOD", 8, 15, 1)};

static const struct option_field f413[] = {
	SECTORS_COMMON, SHOWN("nWRP", 8, 0, 15), SHOWN("SPRMOD", 8, 15, 1)};

/* Two banks, whose bytes can only be changed together: the second half lies elsewhere. */
static const struct option_field f42[] = {SECTORS_COMMON, SHOWN("BFB2", 0, 4, 1),
	SHOWN("nWRP", 8, 0, 12), SHOWN("DB1M", 8, 14, 1), SHOWN("SPRMOD", 8, 15, 1)};

#define F7_COMMON                                                                        \
	SHOWN("BOR_LEV", 0, 2, 2), SHOWN("WWDG_SW", 0, 4, 1), SHOWN("IWDG_SW", 0, 5, 1), \
		SHOWN("nRST_STOP", 0, 6, 1), SHOWN("nRST_STDBY", 0, 7, 1), PROTECTION("RDP", 0, 8)
#define F7_REST                                                      \
	SHOWN("IWDG_STDBY", 8, 14, 1), SHOWN("IWDG_STOP", 8, 15, 1), \
		SHOWN("BOOT_ADD0", 16, 0, 16), SHOWN("BOOT_ADD1", 24, 0, 16)

static const struct option_field f7[] = {F7_COMMON, SHOWN("nWRP", 8, 0, 8), F7_REST};

static const struct option_field f76[] = {F7_COMMON, SHOWN("nWRP", 8, 0, 12),
	SHOWN("nDBOOT", 8, 12, 1), SHOWN("nDBANK", 8, 13, 1), F7_REST};

/* ------------------------------------------------------------------ L0, L1 */

static const struct option_field l0[] = {PROTECTION("RDPROT", 0, 0), SHOWN("WPRMOD", 0, 8, 1),
	SHOWN("BOR_LEV", 4, 0, 4), SHOWN("WDG_SW", 4, 4, 1), SHOWN("nRST_STOP", 4, 5, 1),
	SHOWN("nRST_STDBY", 4, 6, 1), SHOWN("nBOOT1", 4, 15, 1), SHOWN("WRPROT1_L", 8, 0, 16),
	SHOWN("WRPROT1_H", 12, 0, 16), SHOWN("WRPROT2", 16, 0, 16)};

static const struct option_field l07[] = {PROTECTION("RDPROT", 0, 0), SHOWN("WPRMOD", 0, 8, 1),
	SHOWN("BOR_LEV", 4, 0, 4), SHOWN("WDG_SW", 4, 4, 1), SHOWN("nRST_STOP", 4, 5, 1),
	SHOWN("nRST_STDBY", 4, 6, 1), SHOWN("BFB2", 4, 7, 1), SHOWN("nBOOT1", 4, 15, 1),
	SHOWN("WRPROT1_L", 8, 0, 16), SHOWN("WRPROT1_H", 12, 0, 16), SHOWN("WRPROT2", 16, 0, 16)};

#define L1_COMMON                                                                                  \
	PROTECTION("RDPRT", 0, 0), SHOWN("BOR_LEV", 4, 0, 4), SHOWN("IWDG_SW", 4, 4, 1),           \
		SHOWN("nRST_STOP", 4, 5, 1), SHOWN("nRST_STDBY", 4, 6, 1),                         \
		SHOWN("WRP1_L", 8, 0, 16), SHOWN("WRP1_H", 12, 0, 16), SHOWN("WRP2_L", 16, 0, 16), \
		SHOWN("WRP2_H", 20, 0, 16), SHOWN("WRP3_L", 24, 0, 16), SHOWN("WRP3_H", 28, 0, 16)

static const struct option_field l1[] = {L1_COMMON};
static const struct option_field l1_banks[] = {L1_COMMON, SHOWN("nBFB2", 4, 7, 1)};

/* ------------------------------------------------------------------ G0, C0 */

/* RM0444 3.7.8 (FLASH_OPTR), and at 0x1FFF7800 (3.4.1). */
#define G0_USER                                                                                   \
	PROTECTION("RDP", 0, 0), FIELD("BOR_EN", 0, 8, 1),                                        \
		RISKY("BORR_LEV", 0, 9, 2, 1, 3, BROWN_OUT),                                      \
		RISKY("BORF_LEV", 0, 11, 2, 1, 3, BROWN_OUT), FIELD("nRST_STOP", 0, 13, 1),       \
		FIELD("nRST_STDBY", 0, 14, 1), FIELD("nRST_SHDW", 0, 15, 1),                      \
		RISKY("IWDG_SW", 0, 16, 1, 0, 0, WATCHDOG), FIELD("IWDG_STOP", 0, 17, 1),         \
		FIELD("IWDG_STDBY", 0, 18, 1), RISKY("WWDG_SW", 0, 19, 1, 0, 0, WINDOW_WATCHDOG), \
		FIELD("RAM_PARITY_CHECK", 0, 22, 1), RISKY("nBOOT_SEL", 0, 24, 1, 1, 1, PIN_BIT), \
		RISKY("nBOOT1", 0, 25, 1, 0, 0, BOOT1_BIT),                                       \
		RISKY("nBOOT0", 0, 26, 1, 0, 0, BOOT0_BIT),                                       \
		RISKY("NRST_MODE", 0, 27, 2, 2, 2, NO_RESET_PIN), FIELD("IRHEN", 0, 29, 1)
#define G0_AREAS                                                                \
	SHOWN("PCROP1A_STRT", 8, 0, 9), SHOWN("PCROP1A_END", 16, 0, 9),         \
		SHOWN("PCROP_RDP", 16, 31, 1), SHOWN("WRP1A_STRT", 24, 0, 7),   \
		SHOWN("WRP1A_END", 24, 16, 7), SHOWN("WRP1B_STRT", 32, 0, 7),   \
		SHOWN("WRP1B_END", 32, 16, 7), SHOWN("PCROP1B_STRT", 40, 0, 9), \
		SHOWN("PCROP1B_END", 48, 0, 9), SHOWN("SEC_SIZE", 112, 0, 8),   \
		SHOWN("BOOT_LOCK", 112, 16, 1)

static const struct option_field g0[] = {G0_USER, G0_AREAS};

static const struct option_field g0b[] = {G0_USER, RISKY("nSWAP_BANK", 0, 20, 1, 0, 0, MOVES_PAGES),
	RISKY("DUAL_BANK", 0, 21, 1, 0, 1, MOVES_PAGES), G0_AREAS};

/* RM0490: as the G0, with pins that can be shared. No ROM of them was seen to take a write. */
static const struct option_field c0[] = {PROTECTION("RDP", 0, 0), SHOWN("BOR_EN", 0, 8, 1),
	SHOWN("BORR_LEV", 0, 9, 2), SHOWN("BORF_LEV", 0, 11, 2), SHOWN("nRST_STOP", 0, 13, 1),
	SHOWN("nRST_STDBY", 0, 14, 1), SHOWN("nRST_SHDW", 0, 15, 1), SHOWN("IWDG_SW", 0, 16, 1),
	SHOWN("IWDG_STOP", 0, 17, 1), SHOWN("IWDG_STDBY", 0, 18, 1), SHOWN("WWDG_SW", 0, 19, 1),
	SHOWN("RAM_PARITY_CHECK", 0, 22, 1), SHOWN("SECURE_MUXING_EN", 0, 23, 1),
	SHOWN("nBOOT_SEL", 0, 24, 1), SHOWN("nBOOT1", 0, 25, 1), SHOWN("nBOOT0", 0, 26, 1),
	SHOWN("NRST_MODE", 0, 27, 2), SHOWN("IRHEN", 0, 29, 1)};

/* ------------------------------------------------------------------ L4, G4, WB */

/* RM0394 3.7.8, RM0440 3.7.8. BOR_LEV: 0 is the lowest threshold. */
#define L4_USER                                                                           \
	PROTECTION("RDP", 0, 0), RISKY("BOR_LEV", 0, 8, 3, 1, 7, BROWN_OUT),              \
		FIELD("nRST_STOP", 0, 12, 1), FIELD("nRST_STDBY", 0, 13, 1),              \
		FIELD("nRST_SHDW", 0, 14, 1), RISKY("IWDG_SW", 0, 16, 1, 0, 0, WATCHDOG), \
		FIELD("IWDG_STOP", 0, 17, 1), FIELD("IWDG_STDBY", 0, 18, 1),              \
		RISKY("WWDG_SW", 0, 19, 1, 0, 0, WINDOW_WATCHDOG),                        \
		RISKY("nBOOT1", 0, 23, 1, 0, 0, BOOT1_BIT)
/* 1 is the pin, as the older F0 has it and the G0 has not. */
#define L4_BOOT0 \
	RISKY("nSWBOOT0", 0, 26, 1, 0, 0, PIN_BIT), RISKY("nBOOT0", 0, 27, 1, 0, 0, BOOT0_BIT)
#define L4_RAM FIELD("SRAM2_PE", 0, 24, 1), FIELD("SRAM2_RST", 0, 25, 1)
#define L4_BANKS \
	RISKY("BFB2", 0, 20, 1, 1, 1, SECOND_START), RISKY("DUALBANK", 0, 21, 1, 0, 1, MOVES_PAGES)

static const struct option_field l4[] = {L4_USER, L4_RAM, L4_BOOT0};
static const struct option_field l47[] = {L4_USER, L4_RAM, L4_BANKS};
/* RM0432. */
static const struct option_field l4r[] = {PROTECTION("RDP", 0, 0), SHOWN("BOR_LEV", 0, 8, 3),
	SHOWN("nRST_STOP", 0, 12, 1), SHOWN("nRST_STDBY", 0, 13, 1), SHOWN("nRST_SHDW", 0, 14, 1),
	SHOWN("IWDG_SW", 0, 16, 1), SHOWN("IWDG_STOP", 0, 17, 1), SHOWN("IWDG_STDBY", 0, 18, 1),
	SHOWN("WWDG_SW", 0, 19, 1), SHOWN("BFB2", 0, 20, 1), SHOWN("DB1M", 0, 21, 1),
	SHOWN("DBANK", 0, 22, 1), SHOWN("nBOOT1", 0, 23, 1), SHOWN("SRAM2_PE", 0, 24, 1),
	SHOWN("SRAM2_RST", 0, 25, 1), SHOWN("nSWBOOT0", 0, 26, 1), SHOWN("nBOOT0", 0, 27, 1)};
static const struct option_field l49[] = {L4_USER, L4_RAM, L4_BOOT0, L4_BANKS};

#define G4_USER                                                                        \
	L4_USER, L4_BOOT0, FIELD("SRAM_PE", 0, 24, 1), FIELD("CCMSRAM_RST", 0, 25, 1), \
		RISKY("NRST_MODE", 0, 28, 2, 2, 2, NO_RESET_PIN), FIELD("IRHEN", 0, 30, 1)
#define G4_AREAS                                                              \
	SHOWN("PCROP1_STRT", 8, 0, 15), SHOWN("PCROP1_END", 16, 0, 15),       \
		SHOWN("PCROP_RDP", 16, 31, 1), SHOWN("WRP1A_STRT", 24, 0, 7), \
		SHOWN("WRP1A_END", 24, 16, 7), SHOWN("WRP1B_STRT", 32, 0, 7), \
		SHOWN("WRP1B_END", 32, 16, 7), SHOWN("SEC_SIZE1", 40, 0, 8),  \
		SHOWN("BOOT_LOCK", 40, 16, 1)

static const struct option_field g4[] = {G4_USER, G4_AREAS};
static const struct option_field g47[] = {G4_USER, RISKY("BFB2", 0, 20, 1, 1, 1, SECOND_START),
	RISKY("DBANK", 0, 22, 1, 0, 1, MOVES_PAGES), G4_AREAS};
static const struct option_field g49[] = {G4_USER, FIELD("PB4_PUPEN", 0, 22, 1), G4_AREAS};

/* RM0434 3.10.8. A second processor has settings of its own there: nothing is written. */
static const struct option_field wb[] = {PROTECTION("RDP", 0, 0), SHOWN("ESE", 0, 8, 1),
	SHOWN("BOR_LEV", 0, 9, 3), SHOWN("nRST_STOP", 0, 12, 1), SHOWN("nRST_STDBY", 0, 13, 1),
	SHOWN("nRST_SHDW", 0, 14, 1), SHOWN("IWDG_SW", 0, 16, 1), SHOWN("IWDG_STOP", 0, 17, 1),
	SHOWN("IWDG_STDBY", 0, 18, 1), SHOWN("WWDG_SW", 0, 19, 1), SHOWN("nBOOT1", 0, 23, 1),
	SHOWN("SRAM2PE", 0, 24, 1), SHOWN("SRAM2RST", 0, 25, 1), SHOWN("nSWBOOT0", 0, 26, 1),
	SHOWN("nBOOT0", 0, 27, 1)};

/* ------------------------------------------------------------------ all of them */

#define LAYOUT(word_, form_, n_written_, fields_)                                         \
	{                                                                                 \
		.word = word_, .form = form_, .n_written = n_written_, .fields = fields_, \
		.n_fields = ARRAY_SIZE(fields_)                                           \
	}

static const struct option_layout layouts[] = {
	LAYOUT("f0", OPTION_BYTES, 16, f0),
	LAYOUT("f0-boot", OPTION_BYTES, 16, f0_boot),
	LAYOUT("f1", OPTION_BYTES, 16, f1),
	LAYOUT("f1-xl", OPTION_BYTES, 16, f1_xl),
	LAYOUT("f3", OPTION_BYTES, 16, f3),
	LAYOUT("f37", OPTION_BYTES, 16, f37),
	LAYOUT("f2", OPTION_HALF_WORDS, 16, f2),
	LAYOUT("f4", OPTION_HALF_WORDS, 16, f4),
	LAYOUT("f413", OPTION_HALF_WORDS, 16, f413),
	LAYOUT("f42", OPTION_HALF_WORDS, 0, f42),
	LAYOUT("f7", OPTION_HALF_WORDS, 0, f7),
	LAYOUT("f76", OPTION_HALF_WORDS, 0, f76),
	LAYOUT("l1", OPTION_HALF_WORDS, 0, l1),
	LAYOUT("l1-banks", OPTION_HALF_WORDS, 0, l1_banks),
	LAYOUT("l0", OPTION_HALF_WORDS, 0, l0),
	LAYOUT("l07", OPTION_HALF_WORDS, 0, l07),
	LAYOUT("g0", OPTION_DOUBLE_WORDS, 8, g0),
	LAYOUT("g0b", OPTION_DOUBLE_WORDS, 8, g0b),
	LAYOUT("g4", OPTION_DOUBLE_WORDS, 8, g4),
	LAYOUT("g47", OPTION_DOUBLE_WORDS, 8, g47),
	LAYOUT("g49", OPTION_DOUBLE_WORDS, 8, g49),
	LAYOUT("l4", OPTION_DOUBLE_WORDS, 8, l4),
	LAYOUT("l47", OPTION_DOUBLE_WORDS, 8, l47),
	LAYOUT("l4r", OPTION_DOUBLE_WORDS, 0, l4r),
	LAYOUT("l49", OPTION_DOUBLE_WORDS, 8, l49),
	LAYOUT("c0", OPTION_DOUBLE_WORDS, 0, c0),
	LAYOUT("wb", OPTION_DOUBLE_WORDS, 0, wb),
};

const char *option_reason(const struct option_field *field)
{
	return reasons[field->reason];
}

const struct option_layout *option_layout_named(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
		if (strcmp(layouts[i].word, word) == 0)
			return &layouts[i];
	return NULL;
}
