/* SPDX-License-Identifier: MIT */
/*
 * esp-identify.c - who is there, before anything is erased.
 *
 * Chips since the ESP32-C3 say their id in GET_SECURITY_INFO; the others are told apart by a word
 * of their ROM. A new silicon has another such word, so an id that is known is enough. The one chip
 * that neither says its id nor lets that word be read is an ESP32-S2 in secure download mode.
 *
 * The fuses decide next: in secure download mode nothing can be read any more, an encrypted flash
 * starts no image as it is, and secure boot none that its maker has not signed. A chip is taken to
 * have what the security info or its eFuses say, whichever it is, since a fuse that is overlooked
 * costs the board: an image of the wrong kind does not start, and its maker's is gone.
 *
 * At last the flash itself: it is attached, says its id, and the ROM is told its size.
 *
 * Answers have no checksum, so all that decides something is read until two answers are equal.
 */
#include "loader/esp-identify.h"

#include <stdarg.h>
#include <string.h>

#include "base/util.h"
#include "chip/family.h"
#include "device/transcript.h"
#include "loader/esp-spi.h"
#include "loader/steady.h"

/* Ids as chips and images say them (esp-rom.md 3); the ESP8266 says none. */
#define ID_S2 2

/* GET_SECURITY_INFO: flags, flash_crypt_cnt, seven purposes of keys; then id and version. */
#define INFO_FLAGS	     0
#define INFO_CRYPT_COUNT     4
#define INFO_ID		     12
#define INFO_LONG	     20
#define INFO_SHORT	     12

#define FLAG_SECURE_BOOT     (UINT32_C(1) << 0)
#define FLAG_SECURE_DOWNLOAD (UINT32_C(1) << 2)

/* Words of eFuses that are read once: those of a row overlap. */
#define WORDS_MAX 12

struct word {
	uint32_t address, value;
};

struct identifying {
	struct esp_link *link;
	const struct loader *loader;
	struct chip_identity *identity;
	const struct esp_row *row; /* NULL until the chip is known */
	uint8_t info[INFO_LONG];
	size_t n_info; /* 0: the ROM does not have it */
	struct word words[WORDS_MAX];
	size_t n_words;
	bool is_major_odd; /* the bits of the major number are no number */
};

/* Adds to the details what there is room for. */
static void note(struct identifying *it, const char *format, ...) PRINTF_LIKE(2, 3);

static void note(struct identifying *it, const char *format, ...)
{
	char text[64], *to = it->identity->details;
	size_t n = strlen(to);
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (n + strlen(text) + 3 <= sizeof(it->identity->details))
		snprintf(
			to + n, sizeof(it->identity->details) - n, "%s%s", n > 0 ? "; " : "", text);
}

/* The first reason stands: what comes behind it may follow from it. */
static void refuse(struct identifying *it, enum outcome outcome, const char *format, ...)
	PRINTF_LIKE(3, 4);

static void refuse(struct identifying *it, enum outcome outcome, const char *format, ...)
{
	struct chip_identity *identity = it->identity;
	va_list ap;

	if (*identity->refusal)
		return;
	va_start(ap, format);
	vsnprintf(identity->refusal, sizeof(identity->refusal), format, ap);
	va_end(ap);
	identity->refusal_outcome = outcome;
}

/* ------------------------------------------------------------------ which chip */

static int ask_info(void *userdata, void *to)
{
	struct esp_reply reply;
	int r = esp_command(
		userdata, ESP_GET_SECURITY_INFO, NULL, 0, ESP_ANY_DATA, ESP_SECURITY_USEC, &reply);

	if (r == 0 && reply.n_data != INFO_LONG && reply.n_data != INFO_SHORT)
		return LOADER_GARBLED;
	if (r == 0) {
		memset(to, 0, 1 + INFO_LONG);
		*(uint8_t *)to = (uint8_t)reply.n_data;
		memcpy((uint8_t *)to + 1, reply.data, reply.n_data);
	}
	return r;
}

/*
 * A ROM that does not have the command says so eight times, and not in a hurry: it is asked once.
 * One that answers nothing or nonsense may be met by the word of its ROM all the same.
 */
static int read_info(struct identifying *it)
{
	uint8_t answer[1 + INFO_LONG];
	int r = ask_info(it->link, answer);

	if (r == 0)
		r = steady_read(ask_info, it->link, answer, sizeof(answer));
	if (r != 0)
		return r < 0 ? r : 0;
	it->n_info = answer[0];
	memcpy(it->info, answer + 1, it->n_info);
	return 0;
}

static const struct chip *find_by_magic(const struct chip_table *chips, uint32_t magic)
{
	for (size_t i = 0; i < chips->n_items; i++) {
		const struct chip *chip = &chips->items[i];

		if (chip->family->rows != &family_esp_rows)
			continue;
		for (size_t k = 0; k < esp_row(chip)->n_magics; k++)
			if (esp_row(chip)->magics[k] == magic)
				return chip;
	}
	return NULL;
}

static int know(struct identifying *it, const struct chip *chip, uint32_t id)
{
	it->identity->product_id = id;
	it->identity->chip = chip;
	if (!chip)
		return LOADER_UNKNOWN_CHIP;
	it->row = esp_row(chip);
	return 0;
}

static int find_chip(struct identifying *it)
{
	const struct chip_table *chips = it->loader->chips;
	const struct chip *chip;
	uint32_t magic;
	int r = read_info(it);

	if (r != 0)
		return r;
	if (it->n_info == INFO_LONG) {
		uint32_t id = word_at(it->info + INFO_ID);

		return know(it, chip_table_find(chips, family_esp_rows.name, id), id);
	}
	r = esp_read_steady(it->link, ESP_MAGIC_ADDRESS, &magic);
	if (r == LOADER_REFUSED) {
		it->identity->security |= IDENTITY_SECURE_DOWNLOAD;
		return know(it, chip_table_find(chips, family_esp_rows.name, ID_S2), ID_S2);
	}
	if (r != 0)
		return r;
	note(it, "magic 0x%08x", magic);
	chip = find_by_magic(chips, magic);
	return know(it, chip, chip ? chip->product_id : magic);
}

/* ------------------------------------------------------------------ what its fuses say */

static int read_word(struct identifying *it, uint32_t address, uint32_t *ret)
{
	int r;

	for (size_t i = 0; i < it->n_words; i++)
		if (it->words[i].address == address) {
			*ret = it->words[i].value;
			return 0;
		}
	r = esp_read_steady(it->link, address, ret);
	if (r != 0)
		return r;
	note(it, "0x%08x 0x%08x", address, *ret);
	if (it->n_words < WORDS_MAX)
		it->words[it->n_words++] = (struct word){address, *ret};
	return 0;
}

/* Adds the bits to `value`, behind the `*n` that it has. */
static int read_bits(
	struct identifying *it, const struct esp_bits *bits, uint32_t *value, unsigned *n)
{
	uint32_t word;
	int r;

	if (bits->count == 0)
		return 0;
	r = read_word(it, bits->address, &word);
	if (r == 0)
		*value |= (word >> bits->first & ((UINT32_C(1) << bits->count) - 1)) << *n;
	*n += bits->count;
	return r;
}

/* The ESP32 sets one bit more with each major number; another pattern is none (esp-rom.md 7). */
static uint32_t count_major(struct identifying *it, uint32_t bits)
{
	uint32_t n = 0;

	while (bits >> n & 1)
		n++;
	it->is_major_odd = bits >> n != 0;
	return it->is_major_odd ? 0 : n;
}

static int read_revision(struct identifying *it)
{
	const struct esp_row *row = it->row;
	uint32_t major = 0, minor = 0;
	unsigned n_major = 0, n_minor = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ESP_MAX_MAJOR; i++)
		r = read_bits(it, &row->major[i], &major, &n_major);
	for (size_t i = 0; r == 0 && i < ESP_MAX_MINOR; i++)
		r = read_bits(it, &row->minor[i], &minor, &n_minor);
	it->identity->has_revision = r == 0 && n_major + n_minor > 0;
	it->identity->revision =
		100 * (row->is_major_counted ? count_major(it, major) : major) + minor;
	return r;
}

static bool is_odd(uint32_t bits)
{
	return __builtin_popcount(bits) % 2 != 0;
}

static void take_info(struct identifying *it)
{
	unsigned *security = &it->identity->security;
	uint32_t flags = word_at(it->info + INFO_FLAGS);
	char hex[2 * INFO_LONG + 1] = "";

	if (it->n_info == 0)
		return;
	it->identity->has_security = true;
	if (flags & FLAG_SECURE_DOWNLOAD)
		*security |= IDENTITY_SECURE_DOWNLOAD;
	if (flags & FLAG_SECURE_BOOT)
		*security |= IDENTITY_SECURE_BOOT;
	if (is_odd(it->info[INFO_CRYPT_COUNT]))
		*security |= IDENTITY_ENCRYPTED;
	for (size_t i = 0; i < it->n_info; i++)
		snprintf(hex + 2 * i, 3, "%02x", it->info[i]);
	note(it, "security-info %s", hex);
}

static int read_fuses(struct identifying *it)
{
	const struct esp_row *row = it->row;
	uint32_t crypt_count = 0;
	unsigned n = 0;
	int r = read_bits(it, &row->crypt_count, &crypt_count, &n);

	if (is_odd(crypt_count))
		it->identity->security |= IDENTITY_ENCRYPTED;
	it->identity->has_security = it->identity->has_security || n > 0;
	for (size_t i = 0; r == 0 && i < ESP_MAX_SECURE; i++) {
		uint32_t bit = 0;

		n = 0;
		r = read_bits(it, &row->secure_boot[i], &bit, &n);
		/* Of a revision that nobody knows it is taken to count. */
		if (bit != 0 &&
			(it->is_major_odd || it->identity->revision >= row->secure_boot_from[i]))
			it->identity->security |= IDENTITY_SECURE_BOOT;
	}
	return r;
}

/* The strongest first: what it says of the image is true with the others as well. */
static const struct {
	enum identity_security bit;
	const char *name, *why;
} securities[] = {
	{IDENTITY_SECURE_DOWNLOAD, "secure download mode",
		"its boot loader shows nothing of the flash and computes no digest of it, so nothing would prove what is written"},
	{IDENTITY_ENCRYPTED, "flash encryption",
		"it starts nothing that is written as it is, and what can be read of the flash is ciphertext"},
	{IDENTITY_SECURE_BOOT, "secure boot",
		"it starts only what its maker has signed, and whether the image is cannot be seen here"},
};

/* "its fuses switch secure boot and flash encryption on for good". */
static void refuse_secured(struct identifying *it)
{
	unsigned left = it->identity->security;
	const char *why = NULL;
	char names[80] = "";
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(securities); i++) {
		const char *before = n == 0 ? "" : left == securities[i].bit ? " and " : ", ";

		if (!(left & securities[i].bit))
			continue;
		n += (size_t)snprintf(
			names + n, sizeof(names) - n, "%s%s", before, securities[i].name);
		why = why ? why : securities[i].why;
		left &= ~(unsigned)securities[i].bit;
	}
	it->identity->is_protected = why;
	if (why)
		refuse(it, OUTCOME_PROTECTED,
			"the fuses of this %s switch on %s for good: %s; update it the way its maker provides",
			it->identity->chip->name, names, why);
}

/* ------------------------------------------------------------------ whose it is */

/* The maker's half of an ESP8266's address (esp-rom.md 3); false: none that is known. */
static bool find_oui(uint32_t word_1, uint32_t word_3, uint32_t *ret)
{
	static const uint32_t by_word_1[] = {0x18FE34, 0xACD074};
	uint32_t which = word_1 >> 16 & 0xFF;

	*ret = word_3 & 0xFFFFFF;
	if (*ret != 0)
		return true;
	if (which >= ARRAY_SIZE(by_word_1))
		return false;
	*ret = by_word_1[which];
	return true;
}

static int read_mac_of_8266(struct identifying *it)
{
	uint32_t base = it->row->mac, words[3] = {0}, oui;
	int r = read_word(it, base, &words[0]);

	if (r == 0)
		r = read_word(it, base + 0x04, &words[1]);
	if (r == 0)
		r = read_word(it, base + 0x0C, &words[2]);
	if (r == 0 && find_oui(words[1], words[2], &oui))
		snprintf(it->identity->unique_id, sizeof(it->identity->unique_id), "%06x%04x%02x",
			oui, words[1] & 0xFFFF, words[0] >> 24);
	return r;
}

static int read_mac_of_others(struct identifying *it)
{
	uint32_t low = 0, high = 0;
	int r = read_word(it, it->row->mac, &low);

	if (r == 0)
		r = read_word(it, it->row->mac + 4, &high);
	if (r == 0)
		snprintf(it->identity->unique_id, sizeof(it->identity->unique_id), "%04x%08x",
			high & 0xFFFF, low);
	return r;
}

static int read_mac(struct identifying *it)
{
	struct transcript *transcript = port_transcript(it->link->port);
	int r;

	transcript_begin(transcript, TRANSCRIPT_UNIT, 0, 0);
	r = it->row->spi_layout == ESP_SPI_8266 ? read_mac_of_8266(it) : read_mac_of_others(it);
	transcript_end(transcript);
	return r;
}

/* ------------------------------------------------------------------ its flash */

/* Of the ESP32 (esp-rom.md 2). */
static const char *supply_hint(const struct esp_row *row)
{
	return row->spi_layout == ESP_SPI_32 ? ": GPIO12 that is high at the reset gives it 1.8 V"
					     : "";
}

static void refuse_flash(struct identifying *it, uint32_t id)
{
	const char *name = it->identity->chip->name;

	if (esp_spi_is_silence(id))
		refuse(it, OUTCOME_FAILED,
			"the flash of this %s does not answer (its id reads 0x%06x): check its contacts and its supply%s",
			name, id, supply_hint(it->row));
	else
		refuse(it, OUTCOME_FAILED,
			"the flash of this %s says the id 0x%06x, which names no size from 256 KiB on, so nobody knows where it ends: check its contacts and its supply%s",
			name, id, supply_hint(it->row));
}

static int find_flash(struct identifying *it)
{
	const struct chip *chip = it->identity->chip;
	uint32_t pads = 0, id = 0, n_bytes;
	uint8_t error = 0;
	int r = esp_spi_attach(it->link, it->row, &pads, &error);

	if (r == LOADER_REFUSED)
		refuse(it, OUTCOME_FAILED,
			"the boot loader of this %s cannot attach its flash: %s; check the flash and its supply",
			chip->name, esp_error_to_string(error));
	if (r != 0)
		return r == LOADER_REFUSED ? 0 : r;
	if (pads != 0)
		note(it, "pads 0x%08x", pads);
	r = esp_spi_read_id(it->link, it->row, &id);
	if (r == LOADER_REFUSED)
		refuse(it, OUTCOME_FAILED,
			"the boot loader of this %s cannot ask its flash for its id: check the flash and its supply%s",
			chip->name, supply_hint(it->row));
	if (r != 0)
		return r == LOADER_REFUSED ? 0 : r;
	note(it, "flash-id 0x%06x", id);
	n_bytes = esp_spi_bytes(id);
	if (n_bytes == 0) {
		refuse_flash(it, id);
		return 0;
	}
	/* The ROM's addresses have 24 bits: it would begin anew behind 16 MiB (esp-rom.md 3). */
	it->identity->flash_bytes = n_bytes < chip->flash.size ? n_bytes : chip->flash.size;
	r = esp_spi_set_size(it->link, it->row, it->identity->flash_bytes, &error);
	if (r == LOADER_REFUSED)
		refuse(it, OUTCOME_FAILED,
			"the boot loader of this %s does not take the size of its flash, %u KiB: %s",
			chip->name, it->identity->flash_bytes / 1024, esp_error_to_string(error));
	return r == LOADER_REFUSED ? 0 : r;
}

/* Its ROM attaches the flash in FLASH_BEGIN: not before the rule accepts what nobody can prove. */
static bool may_look_at_flash(const struct identifying *it)
{
	return it->row->flags & ESP_ROM_ATTACH || it->loader->board->verify <= PROOF_LOADER;
}

int esp_identify(struct esp_link *link, const struct loader *loader, struct chip_identity *ret)
{
	struct chip_identity identity = {0};
	struct identifying it = {.link = link, .loader = loader, .identity = &identity};
	int r;

	note(&it, "status %u", link->has_short_status ? 2 : 4);
	r = find_chip(&it);
	take_info(&it);
	if (r == LOADER_UNKNOWN_CHIP)
		*ret = identity;
	if (r != 0)
		return r;
	identity.proves_nothing = !(it.row->flags & (ESP_ROM_MD5 | ESP_ROM_READ_SLOW));
	/* Registers are closed then. */
	if (!(identity.security & IDENTITY_SECURE_DOWNLOAD)) {
		r = read_mac(&it);
		if (r == 0)
			r = read_revision(&it);
		if (r == 0)
			r = read_fuses(&it);
		refuse_secured(&it);
		if (r == 0 && may_look_at_flash(&it))
			r = find_flash(&it);
	} else {
		identity.has_security = true;
		refuse_secured(&it);
	}
	if (r == 0)
		*ret = identity;
	return r;
}
