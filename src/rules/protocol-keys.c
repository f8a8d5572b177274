/* SPDX-License-Identifier: MIT */
#include "rules/protocol-keys.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "rules/protocol-words.h"

/* The field of a partition table that has the name (esp-rom.md 5). */
#define PARTITION_NAME_MAX 16

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

#define ONLY_SPI "nothing: only protocol = esp has a use for it"

int protocol_keys_check(
	const struct ini_section *section, const struct board *board, struct ini_problems *problems)
{
	const struct protocol_word *protocol = protocol_word_of(board->protocol);
	uint32_t page = protocol->page_bytes;
	bool is_spi = page > 0;
	const struct {
		bool is_met;
		const char *key, *expected;
	} rows[] = {
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
		{!is_spi, "bursts",
			"nothing: only protocol = stm32 has blocks that could be sent so"},
		{!is_spi, "vector-table",
			"nothing: images of protocol = esp have a header, which is always checked"},
		{!is_spi, "readout-protection",
			"nothing: with protocol = esp only eFuses protect a chip, and they are for ever"},
		{!is_spi, "serialize",
			"nothing: images of protocol = esp have a digest of their bytes, which the data of a unit would break"},
		{!is_spi || board->start != BOARD_START_GO, "start",
			"reset or none: the ROM of protocol = esp is left by a reset alone"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!rows[i].is_met && ini_section_find(section, rows[i].key) &&
			ini_section_expect(section, rows[i].key, rows[i].expected, problems) < 0)
			return -ENOMEM;
	return 0;
}
