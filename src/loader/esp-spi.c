/* SPDX-License-Identifier: MIT */
/*
 * esp-spi.c - the flash of an ESP chip by the registers of its SPI controller.
 *
 * The ROM has no command that asks the flash for its id, so the controller is told to send one: a
 * command byte (USR2), 24 bits back (MISO_DLEN, on the ESP8266 a part of USR1), started by CMD; the
 * answer is in W0. USR and USR2 get back what they held, since the ROM's own commands count on it.
 *
 * A line at which nobody drives anything reads all ones or all zeros, and so does a flash without
 * supply: such an id is believed as little as one that names no size. The id may lie: a re-marked
 * flash is smaller than it says, and only the digest behind a write shows that.
 */
#include "loader/esp-spi.h"

#include "base/util.h"
#include "loader/steady.h"

/* Offsets behind the controller's base (esp-rom.md 3). */
#define SPI_CMD 0x00

static const struct {
	uint32_t usr, usr1, usr2, miso_length, w0;
	unsigned length_shift; /* where the length stands in its register */
} layouts[] = {
	[ESP_SPI_8266] = {0x1C, 0x20, 0x24, 0x20, 0x40, 8},
	[ESP_SPI_32] = {0x1C, 0x20, 0x24, 0x2C, 0x80, 0},
	[ESP_SPI_LATER] = {0x18, 0x1C, 0x20, 0x28, 0x58, 0},
};

#define USR_COMMAND    (UINT32_C(1) << 31)
#define USR_MISO       (UINT32_C(1) << 28)
#define USR2_COMMAND_8 (UINT32_C(7) << 28) /* a command of 8 bits */
#define CMD_USR	       (UINT32_C(1) << 18)
#define RDID	       0x9F
#define RDID_BITS      24

/* Three bytes take less time than one answer of the ROM. */
#define LOOKS_AT_CMD 10

/* eFuses of the ESP32 in which a chip with its flash inside has the pins (esp-rom.md 4). */
#define PADS_ADDRESS   0x3FF5A014 /* clk, q, d, cs: five bits each, from bit 0 on */
#define PAD_HD_ADDRESS 0x3FF5A00C /* from bit 4 on */
#define PAD_MASK       UINT32_C(0x1F)

#define MAKER_ADESTO   0x1F
#define ADESTO_MIN     4 /* 2^19 bytes */
#define ADESTO_MAX     9

#define BLOCK_BYTES    0x10000
#define SECTOR_BYTES   0x1000
#define PAGE_BYTES     0x100
#define STATUS_MASK    0xFFFF

struct register_at {
	struct esp_link *link;
	uint32_t address;
};

static int ask_register(void *userdata, void *to)
{
	const struct register_at *at = userdata;

	return esp_read_register(at->link, at->address, to);
}

int esp_read_steady(struct esp_link *link, uint32_t address, uint32_t *ret)
{
	return steady_read(ask_register, &(struct register_at){link, address}, ret, sizeof(*ret));
}

/* ------------------------------------------------------------------ pins and size */

/* The ROM of the ESP32 does not find the pins of a flash inside its package by itself. */
static int read_pads(struct esp_link *link, uint32_t *ret)
{
	uint32_t pads, hd;
	int r = esp_read_steady(link, PADS_ADDRESS, &pads);

	if (r == 0)
		r = esp_read_steady(link, PAD_HD_ADDRESS, &hd);
	if (r == 0)
		*ret = (hd >> 4 & PAD_MASK) << 24 | (pads >> 15 & PAD_MASK) << 18 |
		       (pads >> 10 & PAD_MASK) << 12 | (pads >> 5 & PAD_MASK) << 6 |
		       (pads & PAD_MASK);
	return r;
}

static int command(struct esp_link *link, enum esp_opcode opcode, const uint32_t *words,
	size_t n_words, uint8_t *ret_error)
{
	struct esp_reply reply = {0};
	uint8_t data[6 * 4];
	int r;

	for (size_t i = 0; i < n_words; i++)
		word_put(data + 4 * i, words[i]);
	r = esp_command(link, opcode, data, 4 * n_words, 0, ESP_ANSWER_USEC, &reply);
	*ret_error = reply.error;
	return r;
}

int esp_spi_attach(
	struct esp_link *link, const struct esp_row *row, uint32_t *ret_pads, uint8_t *ret_error)
{
	/* The second word is that of a ROM: a program in RAM takes one alone (esp-rom.md 1). */
	uint32_t words[4] = {0};
	int r = 0;

	*ret_error = 0;
	if (row->spi_layout == ESP_SPI_32)
		r = read_pads(link, &words[0]);
	if (r != 0)
		return r;
	*ret_pads = words[0];
	if (row->flags & ESP_ROM_ATTACH)
		return command(link, ESP_SPI_ATTACH, words, 2, ret_error);
	return command(link, ESP_FLASH_BEGIN, words, 4, ret_error);
}

int esp_spi_set_size(
	struct esp_link *link, const struct esp_row *row, uint32_t n_bytes, uint8_t *ret_error)
{
	const uint32_t words[] = {0, n_bytes, BLOCK_BYTES, SECTOR_BYTES, PAGE_BYTES, STATUS_MASK};

	*ret_error = 0;
	if (!(row->flags & ESP_ROM_ATTACH))
		return 0;
	return command(link, ESP_SPI_SET_PARAMS, words, ARRAY_SIZE(words), ret_error);
}

/* ------------------------------------------------------------------ the id */

/* One write of a register, where those before succeeded. */
static void write_to(struct esp_link *link, uint32_t address, uint32_t value, int *r)
{
	if (*r == 0)
		*r = esp_write_register(link, address, value);
}

static int wait_done(struct esp_link *link, uint32_t address)
{
	uint32_t value = CMD_USR;
	int r = 0;

	for (unsigned i = 0; r == 0 && value & CMD_USR && i < LOOKS_AT_CMD; i++)
		r = esp_read_register(link, address, &value);
	return r == 0 && value & CMD_USR ? LOADER_REFUSED : r;
}

struct flash_at {
	struct esp_link *link;
	const struct esp_row *row;
};

static int ask_id(void *userdata, void *to)
{
	const struct flash_at *at = userdata;
	struct esp_link *link = at->link;
	uint32_t base = at->row->spi, usr, usr2, id;
	unsigned layout = at->row->spi_layout;
	int r = esp_read_steady(link, base + layouts[layout].usr, &usr), restored = 0;

	if (r == 0)
		r = esp_read_steady(link, base + layouts[layout].usr2, &usr2);
	if (r != 0)
		return r;
	write_to(link, base + layouts[layout].miso_length,
		(uint32_t)(RDID_BITS - 1) << layouts[layout].length_shift, &r);
	write_to(link, base + layouts[layout].usr, USR_COMMAND | USR_MISO, &r);
	write_to(link, base + layouts[layout].usr2, USR2_COMMAND_8 | RDID, &r);
	write_to(link, base + layouts[layout].w0, 0, &r);
	write_to(link, base + SPI_CMD, CMD_USR, &r);
	if (r == 0)
		r = wait_done(link, base + SPI_CMD);
	if (r == 0)
		r = esp_read_register(link, base + layouts[layout].w0, &id);
	if (r != 0 && r != LOADER_REFUSED)
		return r;
	write_to(link, base + layouts[layout].usr, usr, &restored);
	write_to(link, base + layouts[layout].usr2, usr2, &restored);
	if (r == 0 && restored == 0)
		*(uint32_t *)to = id & 0xFFFFFF;
	return r == 0 ? restored : r;
}

int esp_spi_read_id(struct esp_link *link, const struct esp_row *row, uint32_t *ret)
{
	return steady_read(ask_id, &(struct flash_at){link, row}, ret, sizeof(*ret));
}

bool esp_spi_is_silence(uint32_t id)
{
	return id >> 8 == 0 || id >> 8 == 0xFFFF || (id & 0xFF) == 0 || (id & 0xFF) == 0xFF;
}

/*
 * By the numbering of JEDEC 0x12 is 2^18 bytes. Two other series of makers count differently, and
 * Adesto's code is in the second byte (esp-rom.md 3).
 */
uint32_t esp_spi_bytes(uint32_t id)
{
	uint32_t code = id >> 16 & 0xFF, adesto = id >> 8 & 0x1F;

	if (esp_spi_is_silence(id))
		return 0;
	if ((id & 0xFF) == MAKER_ADESTO)
		return adesto >= ADESTO_MIN && adesto <= ADESTO_MAX ? UINT32_C(1) << (15 + adesto)
								    : 0;
	if (code >= 0x12 && code <= 0x1C)
		return UINT32_C(1) << code;
	if (code >= 0x20 && code <= 0x22)
		return UINT32_C(1) << (code - 6);
	if (code >= 0x32 && code <= 0x3A)
		return UINT32_C(1) << (code - 32);
	return 0;
}
