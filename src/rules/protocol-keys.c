/* SPDX-License-Identifier: MIT */
#include "rules/protocol-keys.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"
#include "rules/protocol-words.h"

/* The field of a partition table that has the name (esp-rom.md 5). */
#define PARTITION_NAME_MAX 16

/* No chip of the family has more (ti-bsl.md 5); the CC2538 has the pins 0 to 7 of port A. */
#define MOST_DIO 31

int parse_partition(const char *value, void *field, const char **ret_expected)
{
	size_t n = strlen(value);

	*ret_expected =
		"the name of a partition, 1 to 16 letters, digits, dots, dashes or underscores, like app0, or the kind of one, like ota_0";
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)value[i]) && !strchr("._-", value[i]))
			return -EINVAL;
	if (n == 0 || n > PARTITION_NAME_MAX)
		return n == 0 ? -EINVAL : -ERANGE;
	return ini_parse_string(value, field, ret_expected);
}

int parse_otadata(const char *value, void *field, const char **ret_expected)
{
	bool is_select = strcmp(value, "select") == 0;

	*ret_expected = "keep or select";
	if (!is_select && strcmp(value, "keep") != 0)
		return -EINVAL;
	*(enum board_otadata *)field = is_select ? BOARD_OTADATA_SELECT : BOARD_OTADATA_KEEP;
	return 0;
}

int parse_backdoor_pin(const char *value, void *field, const char **ret_expected)
{
	struct board *board = field;
	uint32_t pin;
	int r = parse_u32(value, &pin);

	*ret_expected =
		"the number of the DIO, 0 to 31, like 15: plugflash probe shows that of the installed firmware";
	if (r == 0 && pin > MOST_DIO)
		r = -ERANGE;
	if (r < 0)
		return r;
	board->backdoor_pin = (uint8_t)pin;
	board->has_backdoor_pin = true;
	return 0;
}

int parse_backdoor_level(const char *value, void *field, const char **ret_expected)
{
	bool is_high = strcmp(value, "high") == 0;

	*ret_expected = "low or high, of the pin at a reset that leads into the loader";
	if (!is_high && strcmp(value, "low") != 0)
		return -EINVAL;
	*(bool *)field = is_high;
	return 0;
}

int parse_secondary_ieee(const char *value, void *field, const char **ret_expected)
{
	bool is_image = strcmp(value, "image") == 0;

	*ret_expected = "keep or image";
	if (!is_image && strcmp(value, "keep") != 0)
		return -EINVAL;
	*(enum board_secondary_ieee *)field =
		is_image ? BOARD_SECONDARY_IEEE_IMAGE : BOARD_SECONDARY_IEEE_KEEP;
	return 0;
}

int parse_cap_array(const char *value, void *field, const char **ret_expected)
{
	struct board *board = field;
	uint32_t byte;
	int r = parse_u32(value, &byte);

	*ret_expected =
		"a byte, like 0xC1 for the \"launchpad\" circuit of a CC2652P or 0xFA for \"other\"";
	if (r == 0 && byte > UINT8_MAX)
		r = -ERANGE;
	if (r < 0)
		return r;
	board->cap_array = (uint8_t)byte;
	board->has_cap_array = true;
	return 0;
}

int parse_bank_erase(const char *value, void *field, const char **ret_expected)
{
	bool loses = strcmp(value, "loses-network") == 0;

	*ret_expected =
		"never, or loses-network: the whole flash is erased where nothing else makes the image's CCFG possible, and the stick forgets its network";
	if (!loses && strcmp(value, "never") != 0)
		return -EINVAL;
	*(enum board_bank_erase *)field =
		loses ? BOARD_BANK_ERASE_LOSES_NETWORK : BOARD_BANK_ERASE_NEVER;
	return 0;
}

int protocol_keys_set_wiring(const struct board *board, struct wiring_keys *wiring)
{
	const char *usual = protocol_word_of(board->protocol)->wiring;
	bool has_circuit = wiring->wiring || wiring->reset || wiring->boot;

	if (!usual || has_circuit || (wiring->enter && wiring->leave))
		return 0;
	wiring->wiring = strdup(usual);
	return wiring->wiring ? 0 : -ENOMEM;
}

int protocol_keys_set_baud(const struct ini_section *section, struct board *board)
{
	const struct protocol_word *protocol = protocol_word_of(board->protocol);
	uint32_t *items;

	if (protocol->n_bauds == 0 || ini_section_find(section, "baud"))
		return 0;
	items = calloc(protocol->n_bauds, sizeof(*items));
	if (!items)
		return -ENOMEM;
	memcpy(items, protocol->bauds, protocol->n_bauds * sizeof(*items));
	free(board->baud.items);
	board->baud.items = items;
	board->baud.n_items = protocol->n_bauds;
	return 0;
}

#define ONLY_PACKAGES \
	"nothing: only protocol = xmodem leads to Silicon Labs' boot loaders, whose files say it"
#define ONLY_SPI  "nothing: only protocol = esp has a use for it"
#define ONLY_CCFG "nothing: only protocol = bsl has a use for it"

int protocol_keys_check(
	const struct ini_section *section, const struct board *board, struct ini_problems *problems)
{
	const struct protocol_word *protocol = protocol_word_of(board->protocol);
	uint32_t page = protocol->page_bytes;
	bool is_spi = page > 0, has_ccfg = protocol->has_ccfg;
	const struct {
		bool is_met;
		const char *key, *expected;
	} rows[] = {
		{protocol->takes_packages, "fw-type", ONLY_PACKAGES},
		{protocol->takes_packages, "boot-loader-update", ONLY_PACKAGES},
		{is_spi, "partition", ONLY_SPI},
		{is_spi, "otadata", ONLY_SPI},
		{is_spi, "compress", ONLY_SPI},
		{!board->partition || !board->has_address, "partition",
			"no `address` beside it: each says where the image goes"},
		{!board->partition || board->size == 0, "size",
			"nothing beside `partition`: its room is that of the chip's own table"},
		{!is_spi || !board->has_address || board->address % page == 0, "address",
			"an offset in the flash that is a multiple of 4096, like 0x10000"},
		{!is_spi || !board->has_address || board->address < protocol->flash_bytes,
			"address",
			"an offset in the flash below 16M, like 0x10000: it is no address of the processor"},
		{!is_spi && !has_ccfg, "stub", "nothing: only protocol = stm32 has such a program"},
		{!is_spi && !has_ccfg, "bursts",
			"nothing: only protocol = stm32 has blocks that could be sent so"},
		{!is_spi, "vector-table",
			"nothing: images of protocol = esp have a header, which is always checked"},
		{!has_ccfg, "vector-table",
			"nothing: with protocol = bsl an image that does not start locks the chip, and is always checked"},
		{!is_spi, "readout-protection",
			"nothing: with protocol = esp only eFuses protect a chip, and they are for ever"},
		{!has_ccfg, "readout-protection",
			"nothing: with protocol = bsl the image itself says what is protected"},
		{protocol->has_option_bytes, "option-bytes",
			"nothing: only protocol = stm32 has a use for it"},
		{!is_spi, "serialize",
			"nothing: images of protocol = esp have a digest of their bytes, which the data of a unit would break"},
		{!is_spi || board->start != BOARD_START_GO, "start",
			"reset or none: the ROM of protocol = esp is left by a reset alone"},
		{!has_ccfg || !board->has_address, "address",
			"nothing: an image of protocol = bsl is that of the whole flash"},
		{!has_ccfg || board->size == 0, "size",
			"nothing: an image of protocol = bsl is that of the whole flash"},
		{has_ccfg, "backdoor-pin", ONLY_CCFG},
		{has_ccfg, "backdoor-level", ONLY_CCFG},
		{has_ccfg, "secondary-ieee", ONLY_CCFG},
		{has_ccfg, "cap-array", ONLY_CCFG},
		{has_ccfg, "bank-erase", ONLY_CCFG},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!rows[i].is_met && ini_section_find(section, rows[i].key) &&
			ini_section_expect(section, rows[i].key, rows[i].expected, problems) < 0)
			return -ENOMEM;
	return 0;
}
