/* SPDX-License-Identifier: MIT */
/*
 * match.c - the rule of a bridge. A descriptor is always the text that a glob of the rule is
 * compared with, never a glob itself: a device cannot choose how it is compared.
 */
#include "rules/match.h"

#include <fnmatch.h>
#include <string.h>

#include "base/util.h"

/*
 * Silicon Labs' own ids in the kernel's table (drivers/usb/serial/cp210x.c), and 10c4:ea80, which
 * it held until the CP2110 proved to be a HID device. The ids of other makers are those of finished
 * products: a rule must name them.
 */
static const struct usb_id known_bridges[] = {
	{0x10C4, 0xEA60}, /* CP2101 to CP2104, CP2102N */
	{0x10C4, 0xEA61},
	{0x10C4, 0xEA63}, /* the same chips, driver from Windows Update */
	{0x10C4, 0xEA70}, /* CP2105 */
	{0x10C4, 0xEA71}, /* CP2108 */
	{0x10C4, 0xEA7A}, /* CP2105, Windows Update */
	{0x10C4, 0xEA7B}, /* CP2108, Windows Update */
	{0x10C4, 0xEA80},
};

static bool ids_contain(const struct usb_id *ids, size_t n_ids, uint16_t vendor, uint16_t product)
{
	for (size_t i = 0; i < n_ids; i++)
		if (ids[i].vendor == vendor && ids[i].product == product)
			return true;
	return false;
}

bool match_is_known_bridge(uint16_t vendor, uint16_t product)
{
	return ids_contain(known_bridges, ARRAY_SIZE(known_bridges), vendor, product);
}

/*
 * Counts a glob that fits; false where it does not. A descriptor that the bridge does not have fits
 * no glob at all, not even "*".
 */
static bool glob_fits(const char *glob, const char *text, unsigned *n_fitting)
{
	if (!glob)
		return true;
	if (!text || fnmatch(glob, text, 0) != 0)
		return false;
	(*n_fitting)++;
	return true;
}

/* The same for the slots that a rule names; `slot` is that of the bridge, "" none. */
static bool slot_fits(const struct board *board, const char *slot, unsigned *n_fitting)
{
	if (!board->slot)
		return true;
	for (size_t i = 0; i < board->n_slot; i++)
		if (strcmp(board->slot[i], slot) == 0) {
			(*n_fitting)++;
			return true;
		}
	return false;
}

/* How many keys the rule gives, all of which fit; false where one does not. */
static bool board_fits(const struct board *board, const struct facts *facts, const char *slot,
	unsigned *ret_n_fitting)
{
	const struct usb_ids *ids = &board->usb_id;
	char interface[16];

	snprintf(interface, sizeof(interface), "%d", facts->interface);
	*ret_n_fitting = ids->n_items > 0;
	return (ids->n_items == 0 ? match_is_known_bridge(facts->vendor_id, facts->product_id)
				  : ids_contain(ids->items, ids->n_items, facts->vendor_id,
					    facts->product_id)) &&
	       glob_fits(board->serial, facts->serial, ret_n_fitting) &&
	       glob_fits(board->product, facts->product, ret_n_fitting) &&
	       glob_fits(board->manufacturer, facts->manufacturer, ret_n_fitting) &&
	       glob_fits(board->path, facts->usb_path, ret_n_fitting) &&
	       slot_fits(board, slot, ret_n_fitting) &&
	       glob_fits(board->interface, facts->interface >= 0 ? interface : NULL, ret_n_fitting);
}

enum match_result match_board(
	const struct config *config, const struct facts *facts, struct match *ret)
{
	const char *slot = config_slot_name(config, facts->usb_path);
	struct match best = {NULL, NULL};
	unsigned n_best = 0;

	for (size_t i = 0; i < config->n_boards; i++) {
		const struct board *board = &config->boards[i];
		unsigned n_fitting;

		if (!board_fits(board, facts, slot, &n_fitting))
			continue;
		if (!best.board || n_fitting > n_best) {
			best = (struct match){.board = board};
			n_best = n_fitting;
		} else if (n_fitting == n_best && !best.other) {
			best.other = board;
		}
	}
	if (!best.board)
		return MATCH_NONE;
	*ret = best;
	return best.other ? MATCH_AMBIGUOUS : MATCH_ONE;
}
