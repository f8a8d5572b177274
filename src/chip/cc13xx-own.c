/* SPDX-License-Identifier: MIT */
/*
 * cc13xx-own.c - what of the end of the flash is the stick's, before and after the guard's erase.
 *
 * A secondary IEEE address that a user has set is the name of the stick in its network. It lies in
 * the CCFG, or in front of a CCA, in the sector that goes first; so it is put into the image, and
 * written and proved as part of it. All that the record had is kept with the job: where that is
 * not finished, the next one gets it back from whoever kept it.
 */
#include "chip/cc13xx-own.h"

#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"

/* As an erased flash reads. */
#define FILLING 0xFF

/* What a chip has of its own in front of a CCA, with it (ti-bsl.md 5.5). */
#define CCA_KEPT  (44 + CCFG_IEEE_BYTES)

#define KEPT_MOST CCFG_MOST

/* ------------------------------------------------------------------ the record of an image */

uint64_t cc13xx_end(const struct image *image)
{
	return segment_end(&image->segments[image->n_segments - 1]);
}

struct chip_range cc13xx_find_start(const struct chip *chip, const struct image *image)
{
	uint32_t bytes = cc13xx_row(chip)->ccfg_bytes;
	uint64_t end = cc13xx_end(image);

	return (struct chip_range){end > bytes ? (uint32_t)(end - bytes) : 0, bytes};
}

struct ccfg cc13xx_ccfg(const struct chip *chip, const struct image *image)
{
	const struct chip_range place = cc13xx_find_start(chip, image);
	struct ccfg ccfg = {.row = cc13xx_row(chip), .address = place.start};

	image_copy(image, place.start, ccfg.bytes, place.size);
	return ccfg;
}

/* ------------------------------------------------------------------ the secondary IEEE address */

static bool is_set(const uint8_t ieee[static CCFG_IEEE_BYTES])
{
	for (size_t i = 0; i < CCFG_IEEE_BYTES; i++)
		if (ieee[i] != FILLING)
			return true;
	return false;
}

#define IEEE_SHOWN (2 * CCFG_IEEE_BYTES + 1)

/* As it is printed on labels: the most significant byte first. */
static const char *show_ieee(const uint8_t ieee[static CCFG_IEEE_BYTES], char to[static IEEE_SHOWN])
{
	for (size_t i = 0; i < CCFG_IEEE_BYTES; i++)
		snprintf(to + 2 * i, 3, "%02x", ieee[CCFG_IEEE_BYTES - 1 - i]);
	return to;
}

/*
 * 0, or what image_make_room() returns. `ret_had`: that of the image; `ret_is_other`: it was
 * another one.
 */
static int put_ieee(const struct ccfg *ccfg, const uint8_t ieee[static CCFG_IEEE_BYTES],
	struct image *image, uint8_t ret_had[static CCFG_IEEE_BYTES], bool *ret_is_other,
	struct reason *reason)
{
	uint32_t address = ccfg_ieee_address(ccfg);
	int r = IMAGE_OK;

	image_copy(image, address, ret_had, CCFG_IEEE_BYTES);
	*ret_is_other = memcmp(ret_had, ieee, CCFG_IEEE_BYTES) != 0;
	/* It lies in front of a CCA, where an image need not have anything. */
	if (*ret_is_other)
		r = image_make_room(image, address, CCFG_IEEE_BYTES, UINT32_MAX, reason);
	if (r == IMAGE_OK && *ret_is_other)
		image_put(image, address, ieee, CCFG_IEEE_BYTES);
	return r;
}

/* ------------------------------------------------------------------ what the stick has */

/* The end of the flash that belongs to the stick: its CCFG, or its CCA and what lies before it. */
struct own {
	struct ccfg ccfg;
	uint8_t ieee[CCFG_IEEE_BYTES];
	uint8_t bytes[KEPT_MOST];
	uint32_t n_bytes;
};

static void take_own(const struct chip *chip, uint32_t flash_end, struct own *own)
{
	const struct cc13xx_row *row = cc13xx_row(chip);
	uint32_t from = own->n_bytes - row->ccfg_bytes;

	own->ccfg = (struct ccfg){.row = row, .address = flash_end - row->ccfg_bytes};
	memcpy(own->ccfg.bytes, own->bytes + from, row->ccfg_bytes);
	memcpy(own->ieee, own->bytes + (ccfg_ieee_address(&own->ccfg) - (flash_end - own->n_bytes)),
		sizeof(own->ieee));
}

static uint32_t n_kept(const struct chip *chip)
{
	return cc13xx_row(chip)->kind == CC13XX_38 ? CCA_KEPT : CCFG_MOST;
}

static int read_own(const struct chip *chip, const struct family_flash *flash, struct own *ret)
{
	uint32_t end = chip->flash.start + flash->flash_bytes;
	int r;

	*ret = (struct own){.n_bytes = n_kept(chip)};
	r = flash->read(flash->userdata, end - ret->n_bytes, ret->bytes, ret->n_bytes);
	if (r == 0)
		take_own(chip, end, ret);
	return r;
}

static void add_remark(struct reason *remark, const char *text)
{
	char before[sizeof(remark->text)];

	text_copy(before, sizeof(before), remark->text);
	reason_set(remark, "%s%s%s", before, *before ? "; " : "", text);
}

static void tell_pin(const struct ccfg *now, const struct ccfg *image, struct reason *remark)
{
	char old_pin[CCFG_PIN_SHOWN], new_pin[CCFG_PIN_SHOWN], text[160];

	if (ccfg_pin(now) == ccfg_pin(image) && ccfg_is_high(now) == ccfg_is_high(image))
		return;
	snprintf(text, sizeof(text),
		"the backdoor of its boot loader: %s (%s) before, %s (%s) with this image",
		ccfg_show_pin(now->row, ccfg_pin(now), old_pin), ccfg_is_high(now) ? "high" : "low",
		ccfg_show_pin(image->row, ccfg_pin(image), new_pin),
		ccfg_is_high(image) ? "high" : "low");
	add_remark(remark, text);
}

/* The two images for sticks with a CC2652P differ in it; which one is right nobody else says. */
static void tell_cap_array(const struct board *board, const struct ccfg *now,
	const struct ccfg *image, struct reason *remark)
{
	uint8_t had, has;
	char text[160];

	if (board->has_cap_array || !ccfg_cap_array(now, &had) || !ccfg_cap_array(image, &has) ||
		had == has)
		return;
	snprintf(text, sizeof(text),
		"its XOSC_CAPARRAY_DELTA: 0x%02x before, 0x%02x with this image: if the radio is deaf then, the image is one for another board",
		had, has);
	add_remark(remark, text);
}

static void tell_ieee(
	const uint8_t ieee[static CCFG_IEEE_BYTES], const char *what, struct reason *remark)
{
	char shown[IEEE_SHOWN], text[120];

	snprintf(text, sizeof(text), "its secondary IEEE address %s %s", show_ieee(ieee, shown),
		what);
	add_remark(remark, text);
}

/*
 * A stick without an address of its own has its primary one, by which its network knows it: an
 * image made of another stick's flash must not bring that one's. `had`: that of the image.
 */
static void tell_not_taken(const uint8_t had[static CCFG_IEEE_BYTES], struct reason *remark)
{
	tell_ieee(had,
		"of the image is not taken, since the stick had none: `secondary-ieee = image` in the rule takes it",
		remark);
}

/* What is known of a stick that starts an application, and would be lost with its CCFG. */
static int fit_own(const struct board *board, const struct chip *chip, const struct own *own,
	struct image *image, struct family_notes *notes, struct reason *reason)
{
	bool is_kept = board->secondary_ieee == BOARD_SECONDARY_IEEE_KEEP, is_other = false;
	struct ccfg ccfg = cc13xx_ccfg(chip, image);
	uint8_t had[CCFG_IEEE_BYTES];
	int r = ccfg_check_debug(&ccfg, &own->ccfg, reason);

	if (r != 0)
		return FAMILY_FIT_IMAGE;
	for (uint32_t i = 0; notes && i < own->n_bytes; i++)
		snprintf(notes->kept + 2 * i, 3, "%02x", own->bytes[i]);
	if (notes) {
		tell_pin(&own->ccfg, &ccfg, &notes->remark);
		tell_cap_array(board, &own->ccfg, &ccfg, &notes->remark);
	}
	if (is_kept)
		r = put_ieee(&ccfg, own->ieee, image, had, &is_other, reason);
	if (r != 0)
		return r < 0 ? r : FAMILY_FIT_IMAGE;
	if (notes && is_other && !is_set(own->ieee))
		tell_not_taken(had, &notes->remark);
	else if (notes && is_kept && is_set(own->ieee))
		tell_ieee(own->ieee, "is kept", &notes->remark);
	else if (notes && is_set(own->ieee))
		tell_ieee(own->ieee, "is given up for that of the image, as the rule wants it",
			&notes->remark);
	return FAMILY_FIT_OK;
}

/* Nobody can say whether it had an address of its own. restore() has another remark where somebody
 * kept it. */
static void tell_lost(const struct board *board, const struct ccfg *ccfg, const struct image *image,
	struct reason *remark)
{
	uint8_t ieee[CCFG_IEEE_BYTES];

	image_copy(image, ccfg_ieee_address(ccfg), ieee, sizeof(ieee));
	if (board->secondary_ieee == BOARD_SECONDARY_IEEE_KEEP && !is_set(ieee))
		add_remark(remark,
			"it started no firmware before: a secondary IEEE address that it had went with an earlier erase, and with this image it has its primary one");
}

/*
 * A stick whose record starts nothing was erased, by its maker or in an update that was not
 * finished: it has nothing of its own any more, and its debug port is as open as it was delivered.
 * Bytes of a record that was not written to its end say nothing.
 */
int cc13xx_own_fit(const struct board *board, const struct chip *chip,
	const struct family_flash *flash, struct image *image, struct reason *reason)
{
	const struct chip_range place = cc13xx_find_start(chip, image);
	uint64_t end = (uint64_t)chip->flash.start + flash->flash_bytes;
	uint32_t ignored;
	struct own own;
	int r;

	if ((uint64_t)place.start + place.size != end)
		return reason_refuse(FAMILY_FIT_IMAGE, reason,
			"it ends at 0x%05" PRIx64 ", and the flash of this chip at 0x%05" PRIx64
			": it is built for a part with another flash; take the image for this one",
			(uint64_t)place.start + place.size, end);
	if (!flash->read)
		return FAMILY_FIT_OK;
	r = read_own(chip, flash, &own);
	if (r != 0)
		return r;
	if (!ccfg_starts(&own.ccfg, flash->flash_bytes, &ignored)) {
		const struct ccfg ccfg = cc13xx_ccfg(chip, image);

		if (flash->notes)
			tell_lost(board, &ccfg, image, &flash->notes->remark);
		return FAMILY_FIT_OK;
	}
	return fit_own(board, chip, &own, image, flash->notes, reason);
}

/* Whether these are digits of what such a chip had. */
static bool parse_own(
	const struct chip *chip, const struct image *image, const char *kept, struct own *ret)
{
	*ret = (struct own){.n_bytes = n_kept(chip)};
	if (strlen(kept) != 2 * (size_t)ret->n_bytes)
		return false;
	for (uint32_t i = 0; i < ret->n_bytes; i++) {
		int high = digit_value(kept[2 * i]), low = digit_value(kept[2 * i + 1]);

		if (high < 0 || high > 15 || low < 0 || low > 15)
			return false;
		ret->bytes[i] = (uint8_t)(high << 4 | low);
	}
	take_own(chip, (uint32_t)cc13xx_end(image), ret);
	return true;
}

bool cc13xx_own_restore(const struct board *board, const struct chip *chip, const char *kept,
	struct image *image, struct reason *remark)
{
	const struct ccfg ccfg = cc13xx_ccfg(chip, image);
	uint8_t had[CCFG_IEEE_BYTES];
	bool is_other = false;
	struct reason ignored;
	struct own own;

	if (board->secondary_ieee != BOARD_SECONDARY_IEEE_KEEP ||
		!parse_own(chip, image, kept, &own))
		return false;
	if (put_ieee(&ccfg, own.ieee, image, had, &is_other, &ignored) != IMAGE_OK)
		return false;
	if (is_other && !is_set(own.ieee))
		tell_not_taken(had, remark);
	else if (is_other)
		tell_ieee(
			own.ieee, "is what it had before the update that was not finished", remark);
	return true;
}

/* ------------------------------------------------------------------ after the guard's erase */

int cc13xx_own_check_guard(const struct chip *chip, const struct family_flash *flash,
	const struct image *image, struct reason *reason)
{
	const struct ccfg wanted = cc13xx_ccfg(chip, image);
	uint32_t at, ignored;
	struct own own;
	int r;

	if (!flash->read)
		return FAMILY_GUARD_OK;
	r = read_own(chip, flash, &own);
	if (r != 0)
		return r;
	if (ccfg_starts(&own.ccfg, flash->flash_bytes, &ignored))
		return reason_refuse(FAMILY_GUARD_AS_BEFORE, reason,
			"%s at 0x%05x: it is still 0x%08x after the erase of its sector, which the chip acknowledged, and an erased one is wanted: the sector is write-protected, or the flash worn out",
			ccfg_name(wanted.row, ccfg_valid_address(&own.ccfg) - own.ccfg.address),
			ccfg_valid_address(&own.ccfg), ccfg_valid(&own.ccfg));
	at = ccfg_find_unreachable(&own.ccfg, &wanted);
	if (at == wanted.row->ccfg_bytes)
		return FAMILY_GUARD_OK;
	return reason_refuse(FAMILY_GUARD_UNREACHABLE, reason,
		"%s at 0x%05x: the chip itself has put 0x%02x there with the erase of its sector, and the image wants 0x%02x, which no write makes of it",
		ccfg_name(wanted.row, at), wanted.address + at, own.ccfg.bytes[at],
		wanted.bytes[at]);
}
