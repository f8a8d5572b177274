/* SPDX-License-Identifier: MIT */
/*
 * What Espressif's chips and their builds say, by the first byte: a program, a partition table with
 * otadata behind it, or a whole flash that is an image and is taken for that of a chip. Sums are
 * made right half of the time.
 */
#include "chip/esp-image.h"
#include "chip/esp-partitions.h"
#include "chip/esp-row.h"
#include "chip/family.h"
#include "fuzz.h"
#include "image/digest.h"
#include "image/image.h"

enum { A_PROGRAM, OF_THE_8266, A_TABLE, A_FLASH, KINDS };

/* A flash of fuzz data has its table in the second sector of what is given, and otadata behind. */
#define TABLE_IN_DATA 512
#define FLASH_BYTES   0x20000

static struct esp_row row = {.bootloader = 0x1000,
	.spi_layout = ESP_SPI_32,
	.mapped = {{0x3F400000, 0x400000}, {0x400D0000, 0x330000}},
	.n_mapped = 2};

static const struct chip chip = {
	.family = &family_esp,
	.name = (char *)"ESP32",
	.flash = {0, 16 << 20},
	.pages = {.runs = {{.size = 4096}}, .n_runs = 1},
	.write_align = 4,
	.own = &row,
};

static void read_program(const uint8_t *data, size_t size, enum esp_image_kind kind)
{
	struct esp_image image;
	struct reason reason = {""};
	char shown[ESP_IMAGE_SHOWN_MAX];

	if (esp_image_read(data, size, kind, &image, &reason) == IMAGE_OK) {
		MUST(image.n_bytes <= size);
		(void)esp_image_show(&image, shown);
	} else {
		fuzz_must_be_sentence(reason.text);
	}
}

/* Whatever is selected is selected afterwards, and each address is in no partition but its own. */
static void read_table(const uint8_t *data, size_t size)
{
	struct esp_partitions table;
	struct reason reason = {""};
	struct esp_otadata otadata, made;
	bool is_new[ESP_OTADATA_ENTRIES] = {false};
	char shown[100];

	(void)esp_partitions_want(data, size > ESP_TABLE_BYTES ? ESP_TABLE_BYTES : size);
	if (esp_partitions_read(data, size, &table, &reason) != IMAGE_OK) {
		fuzz_must_be_sentence(reason.text);
		return;
	}
	(void)esp_partitions_show(&table, shown, sizeof(shown));
	memset(&otadata, 0xFF, sizeof(otadata));
	if (size > sizeof(otadata))
		memcpy(&otadata, data + size - sizeof(otadata), sizeof(otadata));
	(void)esp_otadata_selected(&table, &otadata);
	for (size_t i = 0; i < table.n_items; i++) {
		struct esp_otadata after = otadata;

		MUST(esp_partitions_at(&table, table.items[i].offset) == &table.items[i]);
		if (!esp_otadata_select(&table, &otadata, &table.items[i], &made, is_new))
			continue;
		for (size_t j = 0; j < ESP_OTADATA_ENTRIES; j++)
			if (is_new[j])
				memcpy(after.entries[j], made.entries[j], ESP_OTADATA_BYTES);
		MUST(table.items[i].subtype == ESP_APP_FACTORY ||
			!esp_otadata_selected(&table, &after) ||
			esp_otadata_selected(&table, &after)->subtype == table.items[i].subtype);
	}
}

/* The first bytes at the boot loader's offset, the rest from the table on. */
static void spread(const uint8_t *data, size_t size, uint8_t flash[static FLASH_BYTES])
{
	size_t n = size < TABLE_IN_DATA ? size : TABLE_IN_DATA;

	memset(flash, 0xFF, FLASH_BYTES);
	memcpy(flash + 0x1000, data, n);
	memcpy(flash + ESP_TABLE_ADDRESS, data + n, size - n);
}

struct look {
	const uint8_t *flash;
};

static int read_flash(void *userdata, uint32_t address, uint8_t *to, size_t n)
{
	const struct look *look = userdata;

	for (size_t i = 0; i < n; i++)
		to[i] = look->flash[(address + i) % FLASH_BYTES];
	return 0;
}

/* As fuzz_must_be_image(), of more bytes than readers may make. */
static void must_be_in_order(const struct image *image)
{
	MUST(image->n_segments > 0);
	for (size_t i = 0; i < image->n_segments; i++) {
		MUST(image->segments[i].size > 0);
		MUST(segment_end(&image->segments[i]) <= UINT32_MAX);
		MUST(i == 0 || segment_end(&image->segments[i - 1]) < image->segments[i].address);
	}
}

static void read_flash_as_image(const uint8_t *data, size_t size)
{
	static uint8_t bytes[FLASH_BYTES];
	const struct look look = {bytes};
	const struct family_flash flash = {
		.read = read_flash, .userdata = (void *)&look, .flash_bytes = FLASH_BYTES};
	struct board board = {.otadata = data[0] & 1 ? BOARD_OTADATA_SELECT : BOARD_OTADATA_KEEP};
	struct image image = {.is_raw = true, .format = "raw binary"};
	struct reason reason = {""};

	spread(data + 1, size - 1, bytes);
	if (data[0] & 2)
		board.partition = (char *)"app0";
	if (image_add(&image, 0, data[0] & 2 ? data + 1 : bytes,
		    data[0] & 2 ? (size > 1 ? size - 1 : 0) : sizeof(bytes), FLASH_BYTES,
		    &reason) == IMAGE_OK &&
		image.n_segments > 0 &&
		family_esp.shape_image(&board, &chip, &image, &reason) == IMAGE_OK) {
		must_be_in_order(&image);
		if (family_esp.check_image(&board, &chip, FLASH_BYTES, &image, &reason) != IMAGE_OK)
			fuzz_must_be_sentence(reason.text);
		if (family_esp.fit(&board, &chip, &flash, &image, &reason) == IMAGE_OK) {
			must_be_in_order(&image);
			(void)family_esp.check_image(&board, &chip, FLASH_BYTES, &image, &reason);
			(void)family_esp.find_start(&chip, &image);
		}
	}
	image_done(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	switch (data[0] % KINDS) {
	case A_PROGRAM:
		read_program(data + 1, size - 1, ESP_IMAGE_32);
		break;
	case OF_THE_8266:
		read_program(data + 1, size - 1, ESP_IMAGE_8266);
		break;
	case A_TABLE:
		read_table(data + 1, size - 1);
		break;
	case A_FLASH:
		read_flash_as_image(data + 1, size - 1);
		break;
	}
	return 0;
}

/* ------------------------------------------------------------------ sums made right */

/* The checksum of as many segments as there are whole, at the place where it belongs. */
static void mend_program(uint8_t *data, size_t size)
{
	size_t at = 24, n = size > 1 ? data[1] : 0, end;
	uint8_t checksum = 0xEF;

	for (; n > 0 && size >= at + 8 && esp_word32(data + at + 4) <= size - at - 8; n--) {
		size_t n_bytes = esp_word32(data + at + 4);

		for (size_t i = 0; i < n_bytes; i++)
			checksum ^= data[at + 8 + i];
		at += 8 + n_bytes;
	}
	end = (at / 16 + 1) * 16;
	if (size < 24 || n > 0 || end > size)
		return;
	data[23] = 0;
	data[end - 1] = checksum;
}

static void mend_table(uint8_t *data, size_t size)
{
	size_t at = 0;

	while (size - at >= 32 && esp_word16(data + at) == 0x50AA)
		at += 32;
	if (size - at >= 32 && esp_word16(data + at) == 0xEBEB)
		digest_md5(data, at, data + at + 16);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	size = LLVMFuzzerMutate(data, size, max_size);
	if (size < 2 || seed % 2 == 0)
		return size;
	if (data[0] % KINDS == A_PROGRAM)
		mend_program(data + 1, size - 1);
	else if (data[0] % KINDS == A_TABLE)
		mend_table(data + 1, size - 1);
	else if (data[0] % KINDS == A_FLASH && size > TABLE_IN_DATA + 2) {
		mend_program(data + 2, TABLE_IN_DATA);
		mend_table(data + 2 + TABLE_IN_DATA, size - 2 - TABLE_IN_DATA);
	}
	return size;
}
