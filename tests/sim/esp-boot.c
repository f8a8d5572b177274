/* SPDX-License-Identifier: MIT */
/*
 * esp-boot.c - see esp-boot.h.
 *
 * The ROM loads the second boot loader from the chip's offset: header, segments into RAM, checksum.
 * It sums up nothing else: a SHA-256 is none of its business without secure boot, so one of 256
 * torn boot loaders is started all the same; it is taken to hang, and is counted. One that is whole
 * is taken for ESP-IDF's: partition table at 0x8000 with its MD5, otadata, then the slot that is
 * selected and, where that is none, those before it down to the factory one, and those behind it.
 * An application has magic, chip id and revision, segments, checksum and SHA-256 checked. Sources:
 * esp-rom.md 5 and 6; ESP-IDF bootloader_utility.c, esp_image_format.c and flash_partitions.c.
 */
#include "sim/esp-boot.h"

#include <md5.h>
#include <sha2.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/util.h"

#define TABLE	      0x8000u
#define TABLE_ENTRIES 95u
#define HEADER	      24u
#define MAX_SEGMENTS  16u
#define MAX_SLOTS     16u

enum { FACTORY = -1 };

struct place {
	uint32_t offset, size;
};

struct boot {
	const struct espregisters *registers;
	const struct espflash *flash;
	bool has_old_rom;
	struct espboot *ret;
	struct place factory, test, otadata, slots[MAX_SLOTS];
	uint32_t n_slots;
};

static void say(struct boot *boot, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct boot *boot, const char *format, ...)
{
	struct espboot *ret = boot->ret;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(ret->text + ret->n_text, sizeof(ret->text) - ret->n_text, format, args);
	va_end(args);
	if (n > 0)
		ret->n_text += (size_t)n;
	if (ret->n_text >= sizeof(ret->text))
		ret->n_text = sizeof(ret->text) - 1;
}

static uint8_t read_byte(const struct boot *boot, uint32_t offset)
{
	return espflash_read(boot->flash, offset);
}

static uint32_t read_half(const struct boot *boot, uint32_t offset)
{
	return read_byte(boot, offset) | (uint32_t)read_byte(boot, offset + 1) << 8;
}

static uint32_t read_word(const struct boot *boot, uint32_t offset)
{
	return read_half(boot, offset) | read_half(boot, offset + 2) << 16;
}

/* --- Images --- */

/* From a header on; `size` is what may belong to it. */
struct segments {
	uint32_t end; /* of the last segment */
	uint8_t sum;
	bool is_mapped; /* one of them is not for RAM */
};

static bool is_mapped(const struct boot *boot, uint32_t address)
{
	const struct espchip *chip = boot->registers->chip;

	for (int i = 0; i < 2; i++) {
		if (address >= chip->mapped[i] && address < chip->mapped_end[i])
			return true;
	}
	return false;
}

static bool walk(struct boot *boot, uint32_t at, uint32_t size, struct segments *ret)
{
	uint32_t n = read_byte(boot, at + 1),
		 header = boot->registers->chip->kind == ESPCHIP_8266 ? 8 : HEADER;
	uint32_t offset = header;

	*ret = (struct segments){.sum = 0xEF};
	if (n < 1 || n > MAX_SEGMENTS)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t length;

		if (size - offset < 8)
			return false;
		length = read_word(boot, at + offset + 4);
		ret->is_mapped |= is_mapped(boot, read_word(boot, at + offset));
		offset += 8;
		if (length > size - offset)
			return false;
		for (uint32_t k = 0; k < length; k++)
			ret->sum ^= read_byte(boot, at + offset + k);
		offset += length;
	}
	ret->end = offset;
	return size - offset > 16 + 32;
}

/* The checksum ends the line of 16 bytes. */
static uint32_t checksum_at(const struct segments *segments)
{
	return segments->end | 15;
}

static bool hash_is_right(const struct boot *boot, uint32_t at, uint32_t length)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	SHA2_CTX sha;

	SHA256Init(&sha);
	for (uint32_t i = 0, n; i < length; i += n) {
		const uint8_t *bytes = espflash_run(boot->flash, at + i, length - i, &n);

		SHA256Update(&sha, bytes, n);
	}
	SHA256Final(digest, &sha);
	for (uint32_t i = 0; i < sizeof(digest); i++) {
		if (read_byte(boot, at + length + i) != digest[i])
			return false;
	}
	return true;
}

/* --- The ROM --- */

static bool refuse_header(struct boot *boot, uint32_t at)
{
	if (boot->has_old_rom)
		say(boot, "flash read err, 1000\r\nets_main.c 371 \r\n");
	else
		for (int i = 0; i < 8; i++)
			say(boot, "invalid header: 0x%08x\r\n", read_word(boot, at));
	return false;
}

static void say_loads(struct boot *boot, uint32_t at)
{
	uint32_t offset = HEADER;

	for (uint32_t i = 0; i < read_byte(boot, at + 1); i++) {
		uint32_t length = read_word(boot, at + offset + 4);

		say(boot, "load:0x%08x,len:%u\r\n", read_word(boot, at + offset), length);
		offset += 8 + length;
	}
}

static bool load_boot_loader(struct boot *boot)
{
	const struct espchip *chip = boot->registers->chip;
	uint32_t at = chip->boot_offset;
	struct segments segments;
	uint8_t sum;

	if (read_byte(boot, at) != 0xE9)
		return refuse_header(boot, at);
	if (!walk(boot, at, boot->flash->n_cells - at, &segments))
		return refuse_header(boot, at);
	say(boot, chip->kind == ESPCHIP_32 ? "configsip: 0, SPIWP:0xee\r\n" : "SPIWP:0xee\r\n");
	say(boot, "mode:DIO, clock div:2\r\n");
	say_loads(boot, at);
	/* An application instead: its first segment is no RAM's, and the processor stops there. */
	if (segments.is_mapped)
		return false;
	sum = read_byte(boot, at + checksum_at(&segments));
	if (sum != segments.sum) {
		say(boot, "csum err:0x%02x!=0x%02x\r\nets_main.c 384 \r\n", sum, segments.sum);
		return false;
	}
	say(boot, "entry 0x%08x\r\n", read_word(boot, at + 4));
	boot->ret->is_rom_done = true;
	boot->ret->is_wild = read_byte(boot, at + 23) == 1 &&
			     !hash_is_right(boot, at, checksum_at(&segments) + 1);
	return !boot->ret->is_wild;
}

/* --- The second boot loader --- */

static void take_partition(struct boot *boot, uint32_t at)
{
	uint8_t type = read_byte(boot, at + 2), subtype = read_byte(boot, at + 3);
	struct place place = {read_word(boot, at + 4), read_word(boot, at + 8)};

	if (type == 0 && subtype == 0x00) {
		boot->factory = place;
	} else if (type == 0 && subtype == 0x20) {
		boot->test = place;
	} else if (type == 0 && subtype >= 0x10 && subtype <= 0x1F) {
		boot->slots[subtype & 15] = place;
		boot->n_slots++;
	} else if (type == 1 && subtype == 0x00) {
		boot->otadata = place;
	}
}

static bool table_sum_is_right(const struct boot *boot, uint32_t n_entries)
{
	uint8_t digest[MD5_DIGEST_LENGTH];
	MD5_CTX md5;

	MD5Init(&md5);
	for (uint32_t i = 0; i < 32 * n_entries; i++) {
		uint8_t byte = read_byte(boot, TABLE + i);

		MD5Update(&md5, &byte, 1);
	}
	MD5Final(digest, &md5);
	for (uint32_t i = 0; i < sizeof(digest); i++) {
		if (read_byte(boot, TABLE + 32 * n_entries + 16 + i) != digest[i])
			return false;
	}
	return true;
}

static bool refuse_table(struct boot *boot, uint32_t nth, uint32_t magic)
{
	if (magic == 0xEBEB)
		say(boot, "E (63) flash_parts: calculated md5 does not match\r\n");
	else
		say(boot, "E (63) flash_parts: partition %u invalid magic number 0x%x\r\n", nth,
			magic);
	say(boot,
		"E (69) boot: Failed to verify partition table\r\nE (75) boot: load partition table error!\r\n");
	return false;
}

/* The MD5 is asked for: ESP-IDF's boot loaders of the last years have no table without. */
static bool read_table(struct boot *boot)
{
	bool has_sum = false;

	for (uint32_t i = 0; i < TABLE_ENTRIES; i++) {
		uint32_t at = TABLE + 32 * i, magic = read_half(boot, at);

		if (magic == 0x50AA && !has_sum)
			take_partition(boot, at);
		else if (magic == 0xEBEB && !has_sum && table_sum_is_right(boot, i))
			has_sum = true;
		else if (magic == 0xFFFF && has_sum)
			return true;
		else
			return refuse_table(boot, i, magic);
	}
	return refuse_table(boot, TABLE_ENTRIES, 0);
}

/* 0: the entry selects nothing. */
static uint32_t selected_by(const struct boot *boot, uint32_t at)
{
	uint32_t sequence = read_word(boot, at), state = read_word(boot, at + 24);
	uint8_t bytes[4];

	for (int i = 0; i < 4; i++)
		bytes[i] = read_byte(boot, at + (uint32_t)i);
	if (sequence == UINT32_MAX || state == 3 || state == 4)
		return 0;
	return read_word(boot, at + 28) == crc32(UINT32_MAX, bytes, 4) ? sequence : 0;
}

static int selected_slot(struct boot *boot)
{
	uint32_t first, second, highest;

	if (!boot->otadata.size || !boot->n_slots)
		return FACTORY;
	first = selected_by(boot, boot->otadata.offset);
	second = selected_by(boot, boot->otadata.offset + ESPFLASH_SECTOR);
	highest = first > second ? first : second;
	if (highest)
		return (int)((highest - 1) % boot->n_slots);
	return boot->factory.size ? FACTORY : 0;
}

static bool refuse_app(struct boot *boot, int slot)
{
	if (slot == FACTORY)
		say(boot, "E (92) boot: Factory app partition is not bootable\r\n");
	else
		say(boot, "E (92) boot: OTA app partition slot %d is not bootable\r\n", slot);
	return false;
}

static bool header_is_right(struct boot *boot, uint32_t at)
{
	const struct espchip *chip = boot->registers->chip;
	uint32_t least = read_half(boot, at + 15), most = read_half(boot, at + 17);
	uint32_t revision = espregisters_revision(boot->registers);

	if (read_byte(boot, at) != 0xE9) {
		say(boot,
			"E (86) esp_image: image at 0x%x has invalid magic byte (nothing flashed here?)\r\n",
			at);
		return false;
	}
	if (read_half(boot, at + 12) != chip->id) {
		say(boot, "E (86) boot_comm: mismatch chip ID, expected %u, found %u\r\n", chip->id,
			read_half(boot, at + 12));
		return false;
	}
	if (revision < least || (most && most != 0xFFFF && revision > most)) {
		say(boot,
			"E (86) boot_comm: Image requires chip rev >= v%u.%u, but chip is v%u.%u\r\n",
			least / 100, least % 100, revision / 100, revision % 100);
		return false;
	}
	return true;
}

static bool try_app(struct boot *boot, int slot, const struct place *place)
{
	struct segments segments;
	uint32_t length;

	if (!place->size)
		return false;
	if (place->offset >= boot->flash->n_cells ||
		place->size > boot->flash->n_cells - place->offset ||
		!header_is_right(boot, place->offset))
		return refuse_app(boot, slot);
	if (!walk(boot, place->offset, place->size, &segments)) {
		say(boot, "E (86) esp_image: invalid segment length 0xffffffff\r\n");
		return refuse_app(boot, slot);
	}
	length = checksum_at(&segments) + 1;
	if (read_byte(boot, place->offset + length - 1) != segments.sum) {
		say(boot, "E (86) esp_image: Checksum failed. Calculated 0x%x read 0x%x\r\n",
			segments.sum, read_byte(boot, place->offset + length - 1));
		return refuse_app(boot, slot);
	}
	if (read_byte(boot, place->offset + 23) == 1 &&
		!hash_is_right(boot, place->offset, length)) {
		say(boot, "E (86) esp_image: Image hash failed - image is corrupt\r\n");
		return refuse_app(boot, slot);
	}
	say(boot, "I (212) boot: Loaded app from partition at offset 0x%x\r\n", place->offset);
	say(boot, "I (212) boot: Disabling RNG early entropy source...\r\n");
	boot->ret->app = place->offset;
	boot->ret->app_size = place->size;
	return true;
}

static bool start_app(struct boot *boot)
{
	int selected = selected_slot(boot);

	for (int i = selected; i >= 0; i--) {
		if (try_app(boot, i, &boot->slots[i]))
			return true;
	}
	if (try_app(boot, FACTORY, &boot->factory))
		return true;
	for (int i = selected + 1; i < (int)boot->n_slots; i++) {
		if (try_app(boot, i, &boot->slots[i]))
			return true;
	}
	if (try_app(boot, FACTORY, &boot->test))
		return true;
	say(boot, "E (98) boot: No bootable app partitions in the partition table\r\n");
	return false;
}

/* The ESP8266's ROM starts what lies at 0, and that brings up the rest by itself. */
static void decide_8266(struct boot *boot)
{
	struct segments segments;

	if (read_byte(boot, 0) != 0xE9 || !walk(boot, 0, boot->flash->n_cells, &segments)) {
		say(boot, "ets_main.c \r\n");
		return;
	}
	if (read_byte(boot, checksum_at(&segments)) != segments.sum) {
		say(boot, "csum err\r\nets_main.c \r\n");
		return;
	}
	say(boot, "load 0x%08x, len %u, room 16 \r\n", read_word(boot, 8), read_word(boot, 12));
	boot->ret->is_rom_done = true;
	boot->ret->app = 0;
	boot->ret->app_size = boot->flash->n_cells;
}

void espboot_decide(const struct espregisters *registers, bool has_old_rom, struct espboot *ret)
{
	struct boot boot = {.registers = registers,
		.flash = registers->flash,
		.has_old_rom = has_old_rom,
		.ret = ret};

	*ret = (struct espboot){.app = SIM_ESP_NOTHING};
	if (registers->chip->kind == ESPCHIP_8266) {
		decide_8266(&boot);
		return;
	}
	if (!load_boot_loader(&boot))
		return;
	say(&boot, "I (29) boot: ESP-IDF v5.2.2 2nd stage bootloader\r\n");
	if (read_table(&boot))
		start_app(&boot);
}
