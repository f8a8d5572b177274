/* SPDX-License-Identifier: MIT */
/*
 * fuzz-stub.c - the stub against a host that says anything.
 *
 * The input is a session: bytes as they are, frames whose CRC is right, and what goes wrong with
 * the flash meanwhile. stub-chip.c ends the program at each access that the stub must not make: an
 * address that is not its own, flash that is busy, a unit programmed twice, a wrong key. Beside
 * that every answer must be whole, and without a frame of its own nothing may change in the flash.
 */
#include "stub/stub-chip.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* More of them are no other session, and take long. */
#define TURNS_MAX 32

struct input {
	const uint8_t *at, *end;
};

enum word {
	RAW,
	FRAME,
	RUN,
	HANG,
	PROTECT,
	OVERRUN,
	SLOW,
	HELLO,
	N_WORDS,
};

static uint8_t next(struct input *input)
{
	return input->at < input->end ? *input->at++ : 0;
}

static uint32_t next16(struct input *input)
{
	uint32_t low = next(input);

	return low | (uint32_t)next(input) << 8;
}

/* Near the bounds of what may be touched, and anywhere. */
static uint32_t next_address(struct input *input)
{
	static const uint32_t bases[] = {STUB_CHIP_FLASH, STUB_CHIP_FLASH,
		STUB_CHIP_FLASH + STUB_CHIP_FLASH_SIZE - 0x8000, STUB_CHIP_IDS, STUB_CHIP_RAM,
		0x40022000, 0xFFFF8000, 0};
	uint8_t base = next(input);

	return bases[base % 8] + (next16(input) & (base & 8 ? ~7u : ~0u));
}

static void send_frame(struct stub_chip *chip, struct input *input)
{
	static const uint8_t types[] = {STUB_HELLO, STUB_LINK, STUB_ECHO, STUB_SUM, STUB_READ,
		STUB_PEEK, STUB_ERASE, STUB_ERASE_ALL, STUB_DATA, STUB_DATA, STUB_DATA, STUB_DATA};
	uint8_t type = next(input), sequence = next(input);
	uint32_t address = next_address(input);
	size_t n = next16(input) % (STUB_DATA_MAX + 1), there = (size_t)(input->end - input->at);
	uint8_t bytes[STUB_DATA_MAX];

	memset(bytes, type, sizeof(bytes));
	memcpy(bytes, input->at, n < there ? n : there);
	input->at += n < there ? n : there;
	stub_chip_send_frame(
		chip, type < 128 ? types[type % sizeof(types)] : type, sequence, address, bytes, n);
}

static void must(bool is_so)
{
	if (!is_so)
		abort();
}

/* True where the chip was reset. */
static bool run(struct stub_chip *chip)
{
	bool is_reset = stub_chip_run(chip) == STUB_CHIP_RESET;
	struct stub_answer answer;

	while (chip->n_out > 0) {
		must(stub_chip_answer(chip, &answer, NULL));
		must(answer.type & STUB_ANSWER);
		must(answer.status <= STUB_UNKNOWN && answer.failure <= STUB_UNKNOWN);
	}
	chip->n_in = chip->n_taken = 0;
	return is_reset;
}

/* One word of the session; false where it is over. */
static bool take(struct stub_chip *chip, struct input *input, bool *frames)
{
	uint8_t byte;

	/* The line has room for the largest of them. */
	if (chip->n_in > STUB_CHIP_LINE_SIZE / 2)
		return !run(chip);
	switch ((enum word)(next(input) % N_WORDS)) {
	case RAW:
		for (uint8_t n = next(input); n > 0; n--) {
			byte = next(input);
			stub_chip_send(chip, &byte, 1);
		}
		return true;
	case FRAME:
		*frames = true;
		send_frame(chip, input);
		return true;
	case RUN:
		return !run(chip);
	case HANG:
		chip->hangs = true;
		return true;
	case PROTECT:
		chip->protected_from = next_address(input);
		chip->protected_to = chip->protected_from + 0x1000;
		return true;
	case OVERRUN:
		chip->overruns = true;
		return true;
	case SLOW:
		chip->program_ticks = next16(input) / 4;
		chip->erase_ticks = next16(input) / 2;
		return true;
	case HELLO:
		stub_chip_send_frame(chip, STUB_HELLO, 0, 0, NULL, 0);
		return true;
	case N_WORDS:
		break;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct stub_chip chip;
	static uint8_t before[STUB_CHIP_FLASH_SIZE];
	struct input input = {data, data + size};
	bool frames = false;
	uint8_t kind = next(&input);

	stub_chip_init(&chip, (enum stub_kind)(STUB_K1 + kind % 3));
	/* Above each limit of the flash: an operation is never left in the middle. */
	chip.setup->erase_limit = chip.setup->erase_all_limit = 20000;
	chip.idle_limit = 40000;
	if (kind & 4)
		memset(chip.flash + 0x100, kind, 0x2000);
	memcpy(before, chip.flash, sizeof(before));
	stub_chip_send_frame(&chip, STUB_HELLO, 0, 0, NULL, 0);
	for (unsigned turn = 0; turn < TURNS_MAX && input.at < input.end; turn++) {
		if (!take(&chip, &input, &frames))
			return 0;
	}
	run(&chip);
	must(frames || memcmp(before, chip.flash, sizeof(before)) == 0);
	return 0;
}
