/* SPDX-License-Identifier: MIT */
/*
 * A file for a stick with a chip of TI, and what such a stick says of its own record: the first
 * byte says which of two chips, the rest is the file's record, that of the stick, and the program.
 * Whatever the bytes are, an image that is let through leaves a way back into the boot loader.
 */
#include "chip/cc13xx-own.h"
#include "chip/ccfg.h"
#include "chip/family.h"
#include "fuzz.h"
#include "image/image.h"

#define RECORD	    88u
#define CCA	    44u
#define X2_FLASH    0x8000u
#define FLASH_38    0x20000u
#define BASE_38	    0x200000u
#define HEAD	    (1 + 2 * (RECORD + 8)) /* in front of the program */
#define PROGRAM_MAX 6000

static struct cc13xx_row x2_row = {.kind = CC13XX_X2,
	.ccfg_bytes = RECORD,
	.ram = {0x20000000, 0x14000},
	.parts = {{.name = "CC2652P", .has_uart = true, .uart_pins = {12, 13}}},
	.n_parts = 1};
static struct cc13xx_row row_38 = {
	.kind = CC13XX_38, .ccfg_bytes = CCA, .has_zero_valid = true, .ram = {0x20000000, 0x8000}};

static const struct chip x2 = {.family = &family_cc13xx,
	.name = (char *)"CC2652P",
	.product_id = 0xBB41,
	.flash = {0, X2_FLASH},
	.pages = {.runs = {{.size = 8192}}, .n_runs = 1},
	.write_align = 8,
	.own = &x2_row};
static const struct chip cc2538 = {.family = &family_cc13xx,
	.name = (char *)"CC2538",
	.product_id = 0xB964,
	.flash = {BASE_38, 4 * FLASH_38},
	.pages = {.runs = {{.size = 2048}}, .n_runs = 1},
	.write_align = 4,
	.own = &row_38};

static uint32_t word(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

static void must_leave_a_way_back(const struct board *board, const uint8_t *record, bool is_38)
{
	if (is_38) {
		MUST(record[3] & 0x10);
		MUST((record[3] & 7) == board->backdoor_pin);
		MUST(!(record[3] & 8) == !board->is_backdoor_high);
		MUST(word(record + 4) == 0);
		for (int i = 12; i < 44; i++)
			MUST(record[i] == 0xFF);
		return;
	}
	MUST(record[0x30] == 0xC5 && record[0x33] == 0xC5);
	MUST(record[0x31] == board->backdoor_pin && record[0x31] != 12 && record[0x31] != 13);
	MUST((record[0x32] & 1) == board->is_backdoor_high);
	MUST((word(record + 0x34) & 0x101) == 0x101);
	for (int i = 0x48; i < 0x58; i++)
		MUST(record[i] == 0xFF);
	MUST(word(record + 0x44) % 0x100 == 0 && word(record + 0x44) < X2_FLASH);
}

/* The last bytes of the stick's flash; nobody reads elsewhere. */
struct stick {
	const uint8_t *end_bytes;
	uint32_t end;
};

static int read_stick(void *userdata, uint32_t address, uint8_t *to, size_t n)
{
	const struct stick *stick = userdata;

	MUST(address <= stick->end && n <= stick->end - address);
	MUST(stick->end - address <= RECORD + 8);
	memcpy(to, stick->end_bytes + (RECORD + 8) - (stick->end - address), n);
	return 0;
}

static void meet(const struct board *board, const struct chip *chip, const struct stick *stick,
	struct image *image)
{
	uint32_t bytes = cc13xx_row(chip)->ccfg_bytes;
	uint32_t ieee = chip == &cc2538 ? stick->end - CCA - 8 : stick->end - RECORD + 0x20;
	const uint8_t *own = stick->end_bytes + (RECORD + 8) - (stick->end - ieee);
	struct family_notes notes = {0};
	const struct family_flash flash = {.read = read_stick,
		.userdata = (void *)stick,
		.flash_bytes = stick->end - chip->flash.start,
		.notes = &notes};
	struct reason reason = {""}, remark = {""};
	struct ccfg now = {.row = cc13xx_row(chip)}, wanted;
	uint32_t vectors;
	int r = chip->family->fit(board, chip, &flash, image, &reason);

	if (r != FAMILY_FIT_OK) {
		fuzz_must_be_sentence(reason.text);
		return;
	}
	MUST(chip->family->check_image(board, chip, flash.flash_bytes, image, &reason) == IMAGE_OK);
	if (*notes.remark.text)
		fuzz_must_be_sentence(notes.remark.text);
	memcpy(now.bytes, stick->end_bytes + (RECORD + 8) - bytes, bytes);
	if (ccfg_starts(&now, flash.flash_bytes, &vectors)) {
		MUST(*notes.kept);
		for (int i = 0; i < 8; i++)
			MUST(memcmp(own, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8) == 0 ||
				image_byte(image, ieee + (uint32_t)i) == own[i]);
		/* What was kept restores the same once more. */
		MUST(chip->family->restore(board, chip, notes.kept, image, &remark));
		MUST(!*remark.text);
	}
	wanted = cc13xx_ccfg(chip, image);
	r = chip->family->check_guard(chip, &flash, image, &reason);
	if (r == FAMILY_GUARD_OK)
		for (uint32_t i = 0; i < bytes; i++)
			MUST((now.bytes[i] & wanted.bytes[i]) == wanted.bytes[i]);
	else
		fuzz_must_be_sentence(reason.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool is_38 = size > 0 && data[0] & 1;
	const struct chip *chip = is_38 ? &cc2538 : &x2;
	uint32_t bytes = is_38 ? CCA : RECORD;
	uint32_t end = is_38 ? BASE_38 + FLASH_38 : X2_FLASH;
	char *names[] = {(char *)(is_38 ? "CC2538" : "CC2652P"), NULL};
	struct board board = {.chip = names,
		.n_chip = 1,
		.has_backdoor_pin = true,
		.backdoor_pin = is_38 ? 3 : 15,
		.is_backdoor_high = size > 0 && data[0] & 2};
	struct stick stick = {data + 1 + RECORD + 8, end};
	struct image image = {.format = "fuzz"};
	struct reason reason = {""};
	size_t n_program = size > HEAD ? size - HEAD : 0;
	const uint8_t *record = data + 1 + (RECORD + 8) - bytes;
	int r;

	if (n_program == 0 || n_program > PROGRAM_MAX)
		return 0;
	r = image_add(&image, chip->flash.start, data + HEAD, n_program, UINT32_MAX, &reason);
	if (r == IMAGE_OK)
		r = image_add(&image, end - bytes, record, bytes, UINT32_MAX, &reason);
	MUST(r == IMAGE_OK);
	MUST(chip->family->shape_image(&board, chip, &image, &reason) == IMAGE_OK);
	MUST(image.n_segments > 0 && image_bytes(&image) == image.n_bytes);
	r = chip->family->check_image(&board, chip, chip->flash.size, &image, &reason);
	if (r == IMAGE_OK) {
		must_leave_a_way_back(&board, record, is_38);
		meet(&board, chip, &stick, &image);
	} else {
		fuzz_must_be_sentence(reason.text);
	}
	(void)chip->family->restore(&board, chip, (const char *)"00ff", &image, &reason);
	image_done(&image);
	return 0;
}

/* Half of the time the fields that most inputs fail at are right. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	uint8_t *record = data + 1 + 8;

	size = LLVMFuzzerMutate(data, size, max_size);
	if (size < HEAD + 16 || seed % 2 == 0)
		return size;
	if (data[0] & 1) {
		memset(record + RECORD - CCA, 0xFF, CCA);
		memcpy(record + RECORD - CCA,
			(const uint8_t[]){0xFF, 0xFF, 0xFF, 0xF3, 0, 0, 0, 0, 0, 0, 0x20, 0}, 12);
		data[0] &= (uint8_t)~2u;
		memcpy(data + HEAD, (const uint8_t[]){0, 0x80, 0, 0x20, 9, 0, 0x20, 0}, 8);
		return size;
	}
	memcpy(record + 0x30, (const uint8_t[]){0xC5, 15, 0xFE | (data[0] >> 1 & 1), 0xC5}, 4);
	memset(record + 0x34, 0xFF, 4);
	memset(record + 0x44, 0, 4);
	memset(record + 0x48, 0xFF, 16);
	memcpy(data + HEAD, (const uint8_t[]){0, 0x40, 1, 0x20, 9, 0, 0, 0}, 8);
	return size;
}
