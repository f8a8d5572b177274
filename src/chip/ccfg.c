/* SPDX-License-Identifier: MIT */
/*
 * ccfg.c - fields of the CCFG and of the CCA.
 *
 * The CCFG (SWCU185G 12, ti-bsl.md 5.1) is words of flash, least significant byte first:
 *
 *   0x0C MODE_CONF          byte 1: XOSC_CAPARRAY_DELTA
 *   0x20 IEEE_MAC_0, _1     secondary IEEE address
 *   0x30 BL_CONFIG          bytes BL_ENABLE, BL_PIN_NUMBER, bit 0 of the next: BL_LEVEL,
 *                           BOOTLOADER_ENABLE
 *   0x34 ERASE_CONF         bit 8 CHIP_ERASE_DIS_N, bit 0 BANK_ERASE_DIS_N: 1 leaves them possible
 *   0x3C CCFG_TAP_DAP_0, _1 three bytes each: 0xC5 leaves a part of the debug port open
 *   0x44 IMAGE_VALID_CONF   the address of the vector table, or 0 on the older ROMs
 *   0x48 CCFG_PROT_31_0 ... a bit for each sector: 0 protects it from every write and erase
 *
 * The CCA of a CC2538 (ti-bsl.md 5.5) has the backdoor in the top byte of its first word, then the
 * word that makes an image valid, the address of the vector table, and a bit for each page, of
 * which the last one locks the debug port.
 *
 * Nothing here can be mended later: with a wrong byte in the fields of the loader only a debugger
 * reaches the chip again, and without the debug port nothing does (ti-bsl.md 5.3). So each refusal
 * says what is wrong, where, and with what the image would do.
 */
#include "chip/ccfg.h"

#include "base/util.h"
#include "image/image.h"

#define ENABLED 0xC5

enum ccfg_offset {
	CCFG_MODE_CONF = 0x0C,
	CCFG_IEEE_MAC = 0x20,
	CCFG_BL_CONFIG = 0x30,
	CCFG_ERASE_CONF = 0x34,
	CCFG_TAP_DAP = 0x3C,
	CCFG_IMAGE_VALID = 0x44,
	CCFG_PROT = 0x48,
};

#define CAP_ARRAY	  (CCFG_MODE_CONF + 1)
#define BL_ENABLE	  CCFG_BL_CONFIG
#define BL_PIN_NUMBER	  (CCFG_BL_CONFIG + 1)
#define BL_LEVEL	  (CCFG_BL_CONFIG + 2)
#define BOOTLOADER_ENABLE (CCFG_BL_CONFIG + 3)

enum cca_offset {
	CCA_BACKDOOR = 0x03, /* the top byte of the first word */
	CCA_IMAGE_VALID = 0x04,
	CCA_VECTORS = 0x08,
	CCA_LOCKS = 0x0C,
	CCA_SIZE = 0x2C,
};

/* ti-bsl.md 5.5: 27FFCC, where the CCA begins at 27FFD4. */
#define CCA_IEEE_BEFORE	  8
#define CCA_BACKDOOR_ON	  0x10
#define CCA_BACKDOOR_HIGH 0x08
#define CCA_BACKDOOR_PIN  0x07

/* ti-bsl.md 5.1: a multiple of 0x100 or so. */
#define VECTORS_ALIGN 0x100

static const char *const ccfg_words[CCFG_MOST / 4] = {
	"CCFG EXT_LF_CLK",
	"CCFG MODE_CONF_1",
	"CCFG SIZE_AND_DIS_FLAGS",
	"CCFG MODE_CONF",
	"CCFG VOLT_LOAD_0",
	"CCFG VOLT_LOAD_1",
	"CCFG RTC_OFFSET",
	"CCFG FREQ_OFFSET",
	"CCFG IEEE_MAC_0",
	"CCFG IEEE_MAC_1",
	"CCFG IEEE_BLE_0",
	"CCFG IEEE_BLE_1",
	"CCFG BL_CONFIG",
	"CCFG ERASE_CONF",
	"CCFG TI_OPTIONS",
	"CCFG TAP_DAP_0",
	"CCFG TAP_DAP_1",
	"CCFG IMAGE_VALID_CONF",
	"CCFG PROT_31_0",
	"CCFG PROT_63_32",
	"CCFG PROT_95_64",
	"CCFG PROT_127_96",
};

static bool is_cca(const struct cc13xx_row *row)
{
	return row->kind == CC13XX_38;
}

static uint32_t record_word(const struct ccfg *ccfg, uint32_t offset)
{
	const uint8_t *bytes = ccfg->bytes + offset;

	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

/* ------------------------------------------------------------------ questions */

const char *ccfg_name(const struct cc13xx_row *row, uint32_t offset)
{
	if (!is_cca(row))
		return ccfg_words[offset / 4 % ARRAY_SIZE(ccfg_words)];
	if (offset < CCA_IMAGE_VALID)
		return "CCA BOOTLOADER_CONFIG";
	if (offset < CCA_VECTORS)
		return "CCA IMAGE_VALID";
	return offset < CCA_LOCKS ? "CCA VECTOR_TABLE" : "CCA LOCK_BITS";
}

uint8_t ccfg_pin(const struct ccfg *ccfg)
{
	return is_cca(ccfg->row) ? ccfg->bytes[CCA_BACKDOOR] & CCA_BACKDOOR_PIN
				 : ccfg->bytes[BL_PIN_NUMBER];
}

bool ccfg_is_high(const struct ccfg *ccfg)
{
	return is_cca(ccfg->row) ? ccfg->bytes[CCA_BACKDOOR] & CCA_BACKDOOR_HIGH
				 : ccfg->bytes[BL_LEVEL] & 1;
}

const char *ccfg_show_pin(const struct cc13xx_row *row, uint8_t pin, char to[static CCFG_PIN_SHOWN])
{
	snprintf(to, CCFG_PIN_SHOWN, "%s%u", is_cca(row) ? "PA" : "DIO", pin);
	return to;
}

bool ccfg_cap_array(const struct ccfg *ccfg, uint8_t *ret)
{
	if (is_cca(ccfg->row))
		return false;
	*ret = ccfg->bytes[CAP_ARRAY];
	return true;
}

uint32_t ccfg_ieee_address(const struct ccfg *ccfg)
{
	return is_cca(ccfg->row) ? ccfg->address - CCA_IEEE_BEFORE : ccfg->address + CCFG_IEEE_MAC;
}

struct chip_range ccfg_addresses(const struct ccfg *ccfg)
{
	if (is_cca(ccfg->row))
		return (struct chip_range){ccfg_ieee_address(ccfg), CCFG_IEEE_BYTES};
	return (struct chip_range){ccfg_ieee_address(ccfg), CCFG_BL_CONFIG - CCFG_IEEE_MAC};
}

uint32_t ccfg_valid_address(const struct ccfg *ccfg)
{
	return ccfg->address + (is_cca(ccfg->row) ? CCA_IMAGE_VALID : CCFG_IMAGE_VALID);
}

uint32_t ccfg_valid(const struct ccfg *ccfg)
{
	return record_word(ccfg, is_cca(ccfg->row) ? CCA_IMAGE_VALID : CCFG_IMAGE_VALID);
}

bool ccfg_starts(const struct ccfg *ccfg, uint32_t flash_bytes, uint32_t *ret_vectors)
{
	uint32_t valid = ccfg_valid(ccfg);

	if (ccfg->row->has_zero_valid ? valid != 0
				      : valid >= flash_bytes || valid % VECTORS_ALIGN != 0)
		return false;
	*ret_vectors = is_cca(ccfg->row) ? record_word(ccfg, CCA_VECTORS) : valid;
	return true;
}

uint32_t ccfg_find_unreachable(const struct ccfg *now, const struct ccfg *wanted)
{
	uint32_t i = 0;

	while (i < wanted->row->ccfg_bytes &&
		(now->bytes[i] & wanted->bytes[i]) == wanted->bytes[i])
		i++;
	return i;
}

/* ------------------------------------------------------------------ checks */

#define LOCKED_OUT "this image would lock the boot loader of the stick out"

static int check_byte(const struct ccfg *ccfg, uint32_t offset, uint8_t wanted, const char *field,
	struct reason *reason)
{
	if (ccfg->bytes[offset] == wanted)
		return 0;
	return reason_refuse(IMAGE_REFUSED, reason,
		"%s at 0x%05x: %s is 0x%02x, and 0x%02x is wanted: " LOCKED_OUT
		"; take an image that is built with its boot loader on",
		ccfg_name(ccfg->row, offset), ccfg->address + offset, field, ccfg->bytes[offset],
		wanted);
}

/* Bits that are to be 1. */
static int check_bits(const struct ccfg *ccfg, uint32_t offset, uint32_t bits, const char *what,
	struct reason *reason)
{
	uint32_t word = record_word(ccfg, offset);

	if ((word & bits) == bits)
		return 0;
	return reason_refuse(IMAGE_REFUSED, reason,
		"%s at 0x%05x: it is 0x%08x, and the bits 0x%08x are wanted as 1: %s; take an image that leaves them",
		ccfg_name(ccfg->row, offset), ccfg->address + offset, word, bits, what);
}

/* The lowest bit of the byte. */
static int check_erase(
	const struct ccfg *ccfg, uint32_t offset, const char *field, struct reason *reason)
{
	if (ccfg->bytes[offset] & 1)
		return 0;
	return reason_refuse(IMAGE_REFUSED, reason,
		"%s at 0x%05x: %s is 0, and 1 is wanted: nobody could erase the whole chip any more, by which a debugger frees one that is locked out; take an image that leaves it",
		ccfg_name(ccfg->row, offset), ccfg->address + offset, field);
}

static int check_pin(
	const struct ccfg *ccfg, const struct ccfg_wanted *wanted, struct reason *reason)
{
	uint32_t at = ccfg->address +
		      (is_cca(ccfg->row) ? (uint32_t)CCA_BACKDOOR : (uint32_t)CCFG_BL_CONFIG);
	const char *field = is_cca(ccfg->row) ? ccfg_name(ccfg->row, CCA_BACKDOOR)
					      : "CCFG BL_CONFIG (BL_PIN_NUMBER)";
	char found[CCFG_PIN_SHOWN], other[CCFG_PIN_SHOWN];
	uint8_t pin = ccfg_pin(ccfg);

	ccfg_show_pin(ccfg->row, pin, found);
	if (!wanted->has_pin)
		return reason_refuse(IMAGE_REFUSED, reason,
			"%s at 0x%05x: the backdoor pin is %s, and which one the stick has is not said: give `backdoor-pin` (--backdoor-pin) as a probe shows it, since an image with another one would lock the boot loader of the stick out",
			field, at, found);
	if (pin != wanted->pin)
		return reason_refuse(IMAGE_REFUSED, reason,
			"%s at 0x%05x: the backdoor pin is %s, and the rule wants %s: " LOCKED_OUT
			"; %s, or mend `backdoor-pin` (a probe shows it)",
			field, at, found, ccfg_show_pin(ccfg->row, wanted->pin, other),
			wanted->advice);
	if (wanted->part && cc13xx_is_uart_pin(wanted->part, pin))
		return reason_refuse(IMAGE_REFUSED, reason,
			"%s at 0x%05x: the backdoor pin is %s, which on a %s is a pin of the serial line, and another one is wanted: " LOCKED_OUT
			"; correct `backdoor-pin` of the rule (DIO15 on most such sticks), and %s",
			field, at, found, wanted->part->name, wanted->advice);
	if (ccfg_is_high(ccfg) != wanted->is_high)
		return reason_refuse(IMAGE_REFUSED, reason,
			"%s at 0x%05x: the backdoor opens while %s is %s, and the rule wants %s: " LOCKED_OUT
			"; %s",
			is_cca(ccfg->row) ? field : "CCFG BL_CONFIG (BL_LEVEL)", at, found,
			wanted->is_high ? "low" : "high", wanted->is_high ? "high" : "low",
			wanted->advice);
	return 0;
}

static int check_cca(
	const struct ccfg *ccfg, const struct ccfg_wanted *wanted, struct reason *reason)
{
	uint8_t backdoor = ccfg->bytes[CCA_BACKDOOR];
	int r = 0;

	if (!(backdoor & CCA_BACKDOOR_ON))
		return reason_refuse(IMAGE_REFUSED, reason,
			"%s at 0x%05x: the byte is 0x%02x, and bit 4 is wanted as 1, which switches the backdoor on: " LOCKED_OUT
			"; take an image that is built with its backdoor on",
			ccfg_name(ccfg->row, CCA_BACKDOOR), ccfg->address + CCA_BACKDOOR, backdoor);
	r = check_pin(ccfg, wanted, reason);
	for (uint32_t at = CCA_LOCKS; r == 0 && at < CCA_SIZE; at += 4)
		r = check_bits(ccfg, at, UINT32_MAX,
			at + 4 == CCA_SIZE
				? "the top one closes the debug port, the others lock pages for ever"
				: "pages that it locks are never written again",
			reason);
	return r;
}

int ccfg_check(const struct ccfg *ccfg, const struct ccfg_wanted *wanted, struct reason *reason)
{
	uint8_t cap;
	int r;

	if (is_cca(ccfg->row))
		return check_cca(ccfg, wanted, reason);
	r = check_byte(ccfg, BOOTLOADER_ENABLE, ENABLED, "BOOTLOADER_ENABLE", reason);
	if (r == 0)
		r = check_byte(ccfg, BL_ENABLE, ENABLED, "BL_ENABLE", reason);
	if (r == 0)
		r = check_pin(ccfg, wanted, reason);
	if (r == 0)
		r = check_erase(ccfg, CCFG_ERASE_CONF, "BANK_ERASE_DIS_N", reason);
	if (r == 0)
		r = check_erase(ccfg, CCFG_ERASE_CONF + 1, "CHIP_ERASE_DIS_N", reason);
	for (uint32_t at = CCFG_PROT; r == 0 && at < CCFG_MOST; at += 4)
		r = check_bits(ccfg, at, UINT32_MAX,
			"sectors that it protects are never erased or written again", reason);
	if (r == 0 && wanted->has_cap_array && ccfg_cap_array(ccfg, &cap) &&
		cap != wanted->cap_array)
		return reason_refuse(IMAGE_REFUSED, reason,
			"%s at 0x%05x: XOSC_CAPARRAY_DELTA is 0x%02x, and `cap-array` of the rule wants 0x%02x: it is built for another board, and its radio would be deaf; %s",
			ccfg_name(ccfg->row, CAP_ARRAY), ccfg->address + CAP_ARRAY, cap,
			wanted->cap_array, wanted->advice);
	return r;
}

/* A CC2538's lock of the debug port is among the bits that are to be 1 in any case. */
int ccfg_check_debug(const struct ccfg *ccfg, const struct ccfg *now, struct reason *reason)
{
	for (uint32_t i = 0; !is_cca(ccfg->row) && i < 8; i++) {
		uint32_t at = CCFG_TAP_DAP + i;

		if (now->bytes[at] != ENABLED || ccfg->bytes[at] == ENABLED)
			continue;
		return reason_refuse(IMAGE_REFUSED, reason,
			"%s at 0x%05x: the byte is 0x%02x, and 0x%02x is wanted, as the stick has it: this image would close a part of the debug port, the last way into a stick that is locked out; take an image that leaves it open",
			ccfg_name(ccfg->row, at), ccfg->address + at, ccfg->bytes[at], ENABLED);
	}
	return 0;
}
