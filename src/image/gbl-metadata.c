/* SPDX-License-Identifier: MIT */
/* gbl-metadata.c - see gbl-metadata.h. */
#include "image/gbl-metadata.h"

#include <ctype.h>
#include <string.h>

#include "api/json.h"
#include "base/util.h"

/* Those that are published have some 200 bytes; the tag may be for something else altogether. */
#define METADATA_MAX 4096

/* The version of the object that is known; a later one may mean something else by these keys. */
#define METADATA_VERSION 2

/* Rates beyond these are none (plugflash.conf(5), `baud`). */
#define BAUD_MIN 1200
#define BAUD_MAX 3000000

/*
 * Of several versions the one that the application says itself goes first. `sdk_version` is none of
 * them: it is that of the kit, which no application says, so an update would never be confirmed.
 */
static const char *const versions[] = {
	"cpc_version", "ezsp_version", "ot_rcp_version", "zwave_version"};

struct walk {
	struct image_maker found;
	size_t rank; /* of found.version in the list above */
	bool is_later;
};

/* Words and versions as they stand in rules and file names; any other text is none. */
static void take_text(const char *text, const char *beside, char *to, size_t size)
{
	size_t n = strlen(text);

	if (n >= size)
		return;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr(beside, text[i]))
			return;
	memcpy(to, text, n + 1);
}

/* Words of older files for what has another one today (gecko.md 4). */
static const char *today(const char *word)
{
	static const struct {
		const char *old, *today;
	} rows[] = {
		{"ncp-uart-hw", "zigbee_ncp"},
		{"ncp-uart-sw", "zigbee_ncp"},
		{"rcp-uart-802154", "multipan"},
		{"ot-rcp", "openthread_rcp"},
		{"z-wave", "zwave_ncp"},
		{"gecko-bootloader", "bootloader"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].old, word) == 0)
			return rows[i].today;
	return word;
}

static void take_version(struct walk *walk, const char *key, const char *text)
{
	size_t rank = 0;

	while (rank < ARRAY_SIZE(versions) && strcmp(versions[rank], key) != 0)
		rank++;
	if (rank >= walk->rank)
		return;
	take_text(text, "._+-/", walk->found.version, sizeof(walk->found.version));
	if (walk->found.version[0])
		walk->rank = rank;
}

static int on_value(void *userdata, const struct json_value *value)
{
	struct walk *walk = userdata;
	const char *key = value->n_keys == 1 ? value->keys[0] : NULL;

	if (!key)
		return 0;
	if (value->kind == JSON_KIND_NUMBER && strcmp(key, "metadata_version") == 0)
		walk->is_later = value->number > METADATA_VERSION;
	else if (value->kind == JSON_KIND_NUMBER && strcmp(key, "baudrate") == 0 &&
		 value->number >= BAUD_MIN && value->number <= BAUD_MAX)
		walk->found.baud = (uint32_t)value->number;
	else if (value->kind == JSON_KIND_TEXT && strcmp(key, "fw_type") == 0)
		take_text(
			today(value->text), "_-", walk->found.fw_type, sizeof(walk->found.fw_type));
	else if (value->kind == JSON_KIND_TEXT)
		take_version(walk, key, value->text);
	return 0;
}

int gbl_metadata_read(const uint8_t *data, size_t n_data, struct image_maker *ret)
{
	struct walk walk = {.rank = ARRAY_SIZE(versions)};
	struct reason ignored;
	int r;

	/* A tag that is padded with NULs, or ends like a text of C. */
	while (n_data > 0 && data[n_data - 1] == '\0')
		n_data--;
	if (n_data == 0 || n_data > METADATA_MAX)
		return 0;
	r = json_walk((const char *)data, n_data, on_value, &walk, &ignored);
	if (r != 0 || walk.is_later)
		return r < 0 ? r : 0;
	memcpy(ret->fw_type, walk.found.fw_type, sizeof(ret->fw_type));
	memcpy(ret->version, walk.found.version, sizeof(ret->version));
	ret->baud = walk.found.baud;
	return 0;
}
