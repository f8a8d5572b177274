/* SPDX-License-Identifier: MIT */
/*
 * match.c - the rule of a bridge. A descriptor is always the text that a glob of the rule is
 * compared with, never a glob itself: a device cannot choose how it is compared.
 */
#include "rules/match.h"

#include <fnmatch.h>
#include <limits.h>
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
 * A descriptor that the bridge does not have fits no glob at all, not even "*".
 */
static bool glob_fits(const char *glob, const char *text)
{
	return text && fnmatch(glob, text, 0) == 0;
}

static bool slot_fits(const struct board *board, const char *slot)
{
	for (size_t i = 0; i < board->n_slot; i++)
		if (strcmp(board->slot[i], slot) == 0)
			return true;
	return false;
}

/* A key by which a rule tells its bridges. */
struct key {
	const char *name;
	bool is_given, fits;
	const char *wanted, *found; /* globs and texts; NULL of ids and slots */
};

enum {
	KEY_ID,
	KEY_SERIAL,
	KEY_PRODUCT,
	KEY_MANUFACTURER,
	KEY_PATH,
	KEY_SLOT,
	KEY_INTERFACE,
	KEY_MAX
};

/* What a rule says of the bridge, key by key; `slot` is that of the bridge, "" none. `interface`
 * has room for its number. */
static void judge(const struct board *board, const struct facts *facts, const char *slot,
	char interface[static 16], struct key ret[static KEY_MAX])
{
	const struct usb_ids *ids = &board->usb_id;

	snprintf(interface, 16, "%d", facts->interface);
	ret[KEY_ID] = (struct key){.name = "usb-id",
		.is_given = ids->n_items > 0,
		.fits = ids->n_items > 0
				? ids_contain(ids->items, ids->n_items, facts->vendor_id,
					  facts->product_id)
				: match_is_known_bridge(facts->vendor_id, facts->product_id)};
	ret[KEY_SERIAL] = (struct key){"serial", .wanted = board->serial, .found = facts->serial};
	ret[KEY_PRODUCT] =
		(struct key){"product", .wanted = board->product, .found = facts->product};
	ret[KEY_MANUFACTURER] = (struct key){
		"manufacturer", .wanted = board->manufacturer, .found = facts->manufacturer};
	ret[KEY_PATH] = (struct key){"path", .wanted = board->path, .found = facts->usb_path};
	ret[KEY_SLOT] = (struct key){"slot", .is_given = board->slot != NULL,
		.fits = !board->slot || slot_fits(board, slot), .found = slot};
	ret[KEY_INTERFACE] = (struct key){"interface", .wanted = board->interface,
		.found = facts->interface >= 0 ? interface : NULL};
	for (size_t i = 0; i < KEY_MAX; i++) {
		if (i == KEY_ID || i == KEY_SLOT)
			continue;
		ret[i].is_given = ret[i].wanted != NULL;
		ret[i].fits = !ret[i].wanted || glob_fits(ret[i].wanted, ret[i].found);
	}
}

/* How many keys the rule gives, all of which fit; false where one does not. */
static bool board_fits(const struct board *board, const struct facts *facts, const char *slot,
	unsigned *ret_n_fitting)
{
	struct key keys[KEY_MAX];
	char interface[16];

	*ret_n_fitting = 0;
	judge(board, facts, slot, interface, keys);
	for (size_t i = 0; i < KEY_MAX; i++) {
		if (!keys[i].fits)
			return false;
		*ret_n_fitting += keys[i].is_given;
	}
	return true;
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

static void slots_text(const struct board *board, char *to, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < board->n_slot && used < size; i++)
		used += (size_t)snprintf(
			to + used, size - used, "%s%s", i ? ", " : "", board->slot[i]);
}

static void ids_text(const struct board *board, char *to, size_t size)
{
	size_t used = 0;

	snprintf(to, size, "of the known CP210x");
	for (size_t i = 0; i < board->usb_id.n_items && used < size; i++)
		used += (size_t)snprintf(to + used, size - used, "%s%04x:%04x", i ? ", " : "",
			board->usb_id.items[i].vendor, board->usb_id.items[i].product);
}

static void describe(const struct board *board, const struct facts *facts, const struct key *keys,
	size_t at, struct match_miss *ret)
{
	char text[TEXT_MAX] = "";

	*ret = (struct match_miss){.board = board, .key = keys[at].name};
	if (at == KEY_SLOT)
		slots_text(board, text, sizeof(text));
	else if (at == KEY_ID)
		ids_text(board, text, sizeof(text));
	text_escape(keys[at].wanted ? keys[at].wanted : text, ret->wanted, sizeof(ret->wanted));
	if (at == KEY_ID)
		snprintf(ret->found, sizeof(ret->found), "%04x:%04x", facts->vendor_id,
			facts->product_id);
	else
		text_escape(keys[at].found, ret->found, sizeof(ret->found));
}

bool match_nearest(const struct config *config, const struct facts *facts, struct match_miss *ret)
{
	const char *slot = config_slot_name(config, facts->usb_path);
	unsigned least = UINT_MAX;

	for (size_t i = 0; i < config->n_boards; i++) {
		struct key keys[KEY_MAX];
		unsigned n = 0;
		size_t first = 0;
		char interface[16];

		judge(&config->boards[i], facts, slot, interface, keys);
		for (size_t k = KEY_MAX; k > 0; k--)
			if (!keys[k - 1].fits) {
				first = k - 1;
				n++;
			}
		if (n == 0 || n >= least)
			continue;
		least = n;
		describe(&config->boards[i], facts, keys, first, ret);
	}
	return least < UINT_MAX;
}
