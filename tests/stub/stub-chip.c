/* SPDX-License-Identifier: MIT */
/*
 * stub-chip.c - see stub-chip.h.
 *
 * The stub never returns. It comes back by longjmp(): when it resets the chip, and when it has
 * waited for a while for a byte that nobody sends. Every address that it may not touch, and every
 * access to the flash at a wrong time, ends the test program at once by abort(), so a fuzzer sees
 * it.
 */
#include "stub-chip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stub/seam.h"
#include "stub/stub.h"

#define LOAD	    0x20000400u
#define CODE_SIZE   64u /* what stands for stub.bin */
#define WORK	    0x20001000u
#define RING	    0x20002000u
#define USART	    0x40013800u
#define USART_ELSE  0x40004400u
#define GPIO	    0x40010800u
#define IDR	    (GPIO + 8)
#define RCC	    0x40021000u
#define FPEC	    0x40022000u
#define IWDG	    0x40003000u
#define SYSTICK	    0xE000E010u
#define VTOR	    0xE000ED08u
#define DEV_ID	    0xE0042000u
#define FLASH_KIB   (STUB_CHIP_IDS + 0x22)
#define READ_TICKS  10

#define CHIP_DEV_ID 0x20036410u

/* The functions of the seam have no argument for it. */
static struct stub_chip *the_chip;

static _Noreturn void wrong(const char *what, uint32_t address)
{
	fprintf(stderr, "stub: %s at %08X\n", what, address);
	abort();
}

static bool is_in(uint32_t address, uint32_t first, uint32_t size)
{
	return address >= first && address - first < size;
}

static bool is_busy(const struct stub_chip *chip)
{
	return chip->now < chip->busy_until;
}

/* SR with what is going on now; the busy bits are those of the kind. */
static uint32_t flash_status(struct stub_chip *chip)
{
	uint32_t busy = chip->setup->busy;

	return is_busy(chip) ? chip->sr | busy : chip->sr;
}

static void begin_operation(struct stub_chip *chip, uint32_t ticks)
{
	if (is_busy(chip))
		wrong("operation while the flash is busy", 0);
	chip->busy_until = chip->hangs ? UINT64_MAX : chip->now + ticks;
}

static bool is_protected(const struct stub_chip *chip, uint32_t address)
{
	return address >= chip->protected_from && address < chip->protected_to;
}

static void erase_range(struct stub_chip *chip, uint32_t address, uint32_t size)
{
	if (is_protected(chip, address)) {
		chip->sr |= 1 << 4;
		return;
	}
	begin_operation(chip, chip->erase_ticks);
	memset(chip->flash + (address - STUB_CHIP_FLASH), 0xFF, size);
	chip->n_erased++;
	chip->last_erased = address;
}

/* STRT: what is erased by these bits of CR. Pages have 1 KiB, sectors of K2 have 16. */
static void start(struct stub_chip *chip)
{
	uint32_t page = chip->ar;

	if (chip->cr & 1)
		wrong("erase with PG on", chip->cr);
	if (chip->cr & chip->setup->erase_all) {
		erase_range(chip, STUB_CHIP_FLASH, STUB_CHIP_FLASH_SIZE);
		return;
	}
	if (!(chip->cr & 2))
		wrong("STRT without PER", chip->cr);
	if (chip->setup->kind == STUB_K2)
		page = STUB_CHIP_FLASH + (chip->cr >> 3 & 0x1F) * 0x4000;
	if (chip->setup->kind == STUB_K3)
		page = STUB_CHIP_FLASH + (chip->cr >> 3 & 0x3F) * 0x400;
	/*
	 * The stub has no map of K2's sectors and trusts the number in a frame whose CRC is right.
	 * RM0090 allows no number that the chip has not: nothing is erased, and PGSERR says so.
	 */
	if (chip->setup->kind == STUB_K2 && !is_in(page, STUB_CHIP_FLASH, STUB_CHIP_FLASH_SIZE)) {
		chip->sr |= 1 << 7;
		return;
	}
	if (!is_in(page, STUB_CHIP_FLASH, STUB_CHIP_FLASH_SIZE))
		wrong("erase of no page", page);
	erase_range(chip, page, chip->setup->kind == STUB_K2 ? 0x4000 : 0x400);
}

static void write_control(struct stub_chip *chip, uint32_t value)
{
	uint32_t start_bit = chip->setup->kind == STUB_K1 ? 1 << 6 : 1 << 16;

	if (is_busy(chip))
		wrong("write to CR while the flash is busy", value);
	if (chip->is_locked)
		wrong("write to CR while it is locked", value);
	chip->cr = value & ~start_bit;
	if (value & start_bit)
		start(chip);
}

static void write_key(struct stub_chip *chip, uint32_t value)
{
	static const uint32_t keys[] = {0x45670123, 0xCDEF89AB};

	if (!chip->is_locked && chip->setup->kind != STUB_K1)
		wrong("keys while it is unlocked", value);
	if (value != keys[chip->keys])
		wrong("wrong key", value);
	chip->keys = (chip->keys + 1) % 2;
	if (chip->keys == 0)
		chip->is_locked = false;
}

/* A store into flash: the whole unit is there with the last of its parts. */
static void program(struct stub_chip *chip, uint32_t address, uint32_t width, uint32_t value)
{
	uint8_t *to = chip->flash + (address - STUB_CHIP_FLASH);
	uint32_t unit = chip->setup->unit;

	if (is_busy(chip))
		wrong("write into flash while it is busy", address);
	if (!(chip->cr & 1) || (chip->cr & 2))
		wrong("write into flash without PG", address);
	if (width != (unit == 8 ? 4 : unit) || address % width != 0)
		wrong("write of a wrong width", address);
	if (is_protected(chip, address)) {
		chip->sr |= 1 << 4;
		return;
	}
	if (unit == 8 && !chip->has_first_word) {
		if (address % 8 != 0)
			wrong("second word first", address);
		chip->first_word = value;
		chip->has_first_word = true;
		return;
	}
	if (unit == 8) {
		if (address % 8 != 4)
			wrong("not the second word", address);
		chip->has_first_word = false;
		to -= 4;
		for (uint32_t i = 0; i < 8; i++) {
			if (to[i] != 0xFF)
				wrong("double word programmed twice", address);
		}
		memcpy(to, &chip->first_word, 4);
		to += 4;
	}
	for (uint32_t i = 0; i < width; i++) {
		if (to[i] != 0xFF)
			wrong("not blank", address);
	}
	memcpy(to, &value, width);
	begin_operation(chip, chip->program_ticks);
	chip->n_programmed++;
}

/* The level of a pin: the train is a square wave, other pins stay high. */
static uint32_t levels(const struct stub_chip *chip)
{
	uint32_t all = 1u << 3 | 1u << 10, pin = chip->train_pin;

	if (chip->bit_ticks && chip->now / chip->bit_ticks % 2 == 0)
		all &= ~(1u << pin);
	return all;
}

static uint32_t usart_offset(const struct stub_chip *chip, uint32_t v1, uint32_t v2)
{
	return USART + (chip->setup->usart == STUB_USART_V1 ? v1 : v2);
}

static uint32_t usart_status(struct stub_chip *chip)
{
	uint32_t status = 1 << 7 | 1 << 6;

	if (chip->n_taken < chip->n_in) {
		chip->idle_since = chip->now;
		return status | 1 << 5 | (chip->overruns ? 1 << 3 : 0);
	}
	if (chip->now - chip->idle_since > chip->idle_limit)
		longjmp(chip->back, STUB_CHIP_IDLE);
	return status;
}

static uint32_t receive(struct stub_chip *chip)
{
	if (chip->setup->usart == STUB_USART_V1)
		chip->overruns = false;
	if (chip->n_taken == chip->n_in)
		wrong("read of a byte that is not there", 0);
	return chip->in[chip->n_taken++];
}

uint32_t seam_read(uint32_t address)
{
	struct stub_chip *chip = the_chip;
	uint32_t flash = FPEC + (chip->setup->kind == STUB_K3 ? 4 : 0), value;

	chip->now += READ_TICKS;
	if (address == SYSTICK + 8)
		return (uint32_t)(0xFFFFFF - chip->now % 0x1000000);
	if (address == IDR)
		return levels(chip);
	if (address == usart_offset(chip, 0x00, 0x1C))
		return usart_status(chip);
	if (address == flash + 0x0C)
		return flash_status(chip);
	if (address == flash + 0x10)
		return chip->cr |
		       (chip->is_locked ? chip->setup->kind == STUB_K1 ? 1u << 7 : 1u << 31 : 0);
	if (address == DEV_ID)
		return CHIP_DEV_ID;
	if (is_in(address, FPEC, 0x100))
		return 0;
	if (is_in(address, RCC, 0x100))
		return address & 0xFF;
	if (address % 4 != 0)
		wrong("unaligned word", address);
	memcpy(&value, seam_memory(address), 4);
	return value;
}

uint32_t seam_read16(uint32_t address)
{
	uint16_t value;

	if (address == usart_offset(the_chip, 0x04, 0x24))
		return receive(the_chip);
	if (address % 2 != 0)
		wrong("unaligned half-word", address);
	memcpy(&value, seam_memory(address), 2);
	return value;
}

uint32_t seam_read8(uint32_t address)
{
	return *(const uint8_t *)seam_memory(address);
}

void seam_write(uint32_t address, uint32_t value)
{
	struct stub_chip *chip = the_chip;
	uint32_t flash = FPEC + (chip->setup->kind == STUB_K3 ? 4 : 0);

	if (is_in(address, STUB_CHIP_FLASH, STUB_CHIP_FLASH_SIZE))
		program(chip, address, 4, value);
	else if (is_in(address, WORK, STUB_WORK_SIZE + 64))
		memcpy(seam_memory(address), &value, 4);
	else if (address == IWDG)
		chip->n_kicks++;
	else if (address == flash + 0x04)
		write_key(chip, value);
	else if (address == flash + 0x0C)
		chip->sr &= ~value;
	else if (address == flash + 0x10)
		write_control(chip, value);
	else if (address == flash + 0x14 && chip->setup->kind == STUB_K1)
		chip->ar = value;
	else if (address == VTOR)
		chip->vtor_written = true;
	else if (address == usart_offset(chip, 0x08, 0x0C))
		chip->brr = value;
	else if (address == usart_offset(chip, 0x0C, 0x00))
		chip->cr1 = value;
	else if (address == USART + 0x20 && chip->setup->usart == STUB_USART_V2)
		chip->overruns = chip->overruns && !(value & 1 << 3);
	else if (!is_in(address, RCC, 0x100) && !is_in(address, SYSTICK, 16) &&
		 !is_in(address, USART, 0x20))
		wrong("write to an address that is not the stub's", address);
}

void seam_write16(uint32_t address, uint32_t value)
{
	struct stub_chip *chip = the_chip;

	if (is_in(address, STUB_CHIP_FLASH, STUB_CHIP_FLASH_SIZE)) {
		program(chip, address, 2, value);
	} else if (address == usart_offset(chip, 0x04, 0x28)) {
		if (chip->n_out == sizeof(chip->out))
			wrong("more answers than there can be", 0);
		chip->idle_since = chip->now;
		chip->out[chip->n_out++] = (uint8_t)value;
	} else {
		wrong("half-word to an address that is not the stub's", address);
	}
}

void seam_write8(uint32_t address, uint32_t value)
{
	if (is_in(address, WORK, STUB_WORK_SIZE + 64))
		*(uint8_t *)seam_memory(address) = (uint8_t)value;
	else if (is_in(address, STUB_CHIP_FLASH, STUB_CHIP_FLASH_SIZE))
		program(the_chip, address, 1, value);
	else
		wrong("byte to an address that is not the stub's", address);
}

void *seam_memory(uint32_t address)
{
	struct stub_chip *chip = the_chip;

	if (is_in(address, STUB_CHIP_RAM, STUB_CHIP_RAM_SIZE))
		return chip->ram + (address - STUB_CHIP_RAM);
	if (is_in(address, STUB_CHIP_IDS, STUB_CHIP_IDS_SIZE))
		return chip->ids + (address - STUB_CHIP_IDS);
	if (!is_in(address, STUB_CHIP_FLASH, STUB_CHIP_FLASH_SIZE))
		wrong("read of an address that is not there", address);
	if (is_busy(chip))
		wrong("read of flash while it is busy", address);
	return chip->flash + (address - STUB_CHIP_FLASH);
}

uint32_t seam_address(const void *memory)
{
	return STUB_CHIP_RAM + (uint32_t)((const uint8_t *)memory - the_chip->ram);
}

void stub_reset(void)
{
	longjmp(the_chip->back, STUB_CHIP_RESET);
}

uint32_t seam_program(void)
{
	return LOAD + 8;
}

/* What differs between the kinds; numbers as a host takes them from its chip table. */
static void set_kind(struct stub_setup *setup, enum stub_kind kind)
{
	setup->kind = (uint8_t)kind;
	setup->usart = kind == STUB_K3 ? STUB_USART_V2 : STUB_USART_V1;
	setup->cr1 = kind == STUB_K3 ? 0x0D : 0x200C;
	setup->unit = kind == STUB_K1 ? 2 : kind == STUB_K2 ? 4 : 8;
	setup->control = kind == STUB_K2 ? 2 << 8 : 0;
	setup->erase_all = 1 << 2;
	setup->busy = kind == STUB_K1 ? 1 << 0 : 1 << 16;
	setup->errors = kind == STUB_K1 ? 0x14 : kind == STUB_K2 ? 0xF2 : 0xC3FA;
	setup->clear = setup->errors | (kind == STUB_K1 ? 1 << 5 : 1);
}

void stub_chip_init(struct stub_chip *chip, enum stub_kind kind)
{
	static const struct stub_candidate candidates[] = {
		{.idr = IDR, .mask = 1 << 3, .usart = USART_ELSE, .clock_shift = 1, .steps = 1},
		{.idr = IDR, .mask = 1 << 10, .usart = USART, .clock_shift = 1, .steps = 2},
	};
	static const struct stub_step steps[] = {
		{RCC, 0xFFFFFFFF, 0x83},
		{RCC | STUB_STEP_WAIT, 0xFF, 0},
		{RCC | STUB_STEP_WAIT, 0, 0},
		{RCC + 0x18, 1 << 17, 1 << 17}, /* of the first candidate */
		{RCC + 0x18, 1 << 14, 1 << 14},
		{RCC + 0x04, 0xF0, 0x40},
	};
	struct stub_setup setup = {
		.magic = STUB_MAGIC,
		.size = sizeof(setup) + sizeof(candidates) + sizeof(steps),
		.protocol = STUB_PROTOCOL,
		.candidates = 2,
		.steps = 3,
		.work = WORK,
		.ring = RING,
		.ring_size = 4096,
		.period = 2 * 417,
		.registers = FPEC,
		.bank2_registers = FPEC,
		.flash = STUB_CHIP_FLASH,
		.flash_size = STUB_CHIP_FLASH_SIZE,
		.program_limit = 10000,
		.erase_limit = 100000,
		.erase_all_limit = 200000,
		.step_limit = 100000,
		.fall_back = 1000000,
		.silence_limit = 30000000,
		.iwdg = IWDG,
		.dev_id = DEV_ID,
		.flash_kib = FLASH_KIB,
		.window = STUB_CHIP_IDS,
		.window_size = STUB_CHIP_IDS_SIZE,
		.vtor = VTOR,
	};
	uint8_t *at = chip->ram + (LOAD + 8 + CODE_SIZE - STUB_CHIP_RAM);

	memset(chip, 0, sizeof(*chip));
	memset(chip->flash, 0xFF, sizeof(chip->flash));
	memset(chip->ram, 0xA5, sizeof(chip->ram));
	for (size_t i = 0; i < sizeof(chip->ids); i++)
		chip->ids[i] = (uint8_t)(i * 7 + 1);
	set_kind(&setup, kind);
	memcpy(at, &setup, sizeof(setup));
	memcpy(at + sizeof(setup), candidates, sizeof(candidates));
	memcpy(at + sizeof(setup) + sizeof(candidates), steps, sizeof(steps));
	chip->setup = (struct stub_setup *)(void *)at;
	chip->train_pin = 10;
	chip->bit_ticks = 416;
	chip->idle_limit = 400000;
	chip->is_locked = true;
	chip->program_ticks = 300;
	chip->erase_ticks = 20000;
}

enum stub_chip_end stub_chip_run(struct stub_chip *chip)
{
	int end;

	the_chip = chip;
	chip->idle_since = chip->now;
	end = setjmp(chip->back);
	if (end)
		return (enum stub_chip_end)end;
	if (!chip->is_started) {
		chip->is_started = true;
		stub_main(chip->setup);
	}
	for (;;)
		stub_serve((struct stub *)(void *)(chip->ram + (WORK - STUB_CHIP_RAM) +
						   4 * STUB_VECTORS));
}

void stub_chip_send(struct stub_chip *chip, const void *bytes, size_t n)
{
	if (n > sizeof(chip->in) - chip->n_in)
		abort();
	memcpy(chip->in + chip->n_in, bytes, n);
	chip->n_in += n;
}

uint32_t stub_chip_crc(uint32_t polynomial, const void *bytes, size_t n)
{
	const uint8_t *byte = bytes;
	uint32_t crc = ~0u;

	for (size_t i = 0; i < n; i++) {
		crc ^= byte[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
	}
	return ~crc;
}

size_t stub_chip_cobs(const uint8_t *bytes, size_t n, uint8_t *ret)
{
	size_t code = 0, to = 1;

	for (size_t i = 0; i < n; i++) {
		if (to - code == 0xFF) {
			ret[code] = 0xFF;
			code = to++;
		}
		if (bytes[i] == 0) {
			ret[code] = (uint8_t)(to - code);
			code = to++;
		} else {
			ret[to++] = bytes[i];
		}
	}
	ret[code] = (uint8_t)(to - code);
	ret[to++] = 0;
	return to;
}

void stub_chip_send_frame(struct stub_chip *chip, uint8_t type, uint8_t sequence, uint32_t address,
	const void *data, size_t n)
{
	struct stub_frame header = {
		.type = type, .sequence = sequence, .size = (uint16_t)n, .address = address};
	uint8_t frame[STUB_FRAME_MAX + 64], line[STUB_COBS_SIZE(sizeof(frame))];
	uint32_t crc;

	if (n > STUB_DATA_MAX + 32)
		abort();
	memcpy(frame, &header, sizeof(header));
	if (n > 0)
		memcpy(frame + sizeof(header), data, n);
	n += sizeof(header);
	crc = stub_chip_crc(0xEDB88320, frame, n);
	memcpy(frame + n, &crc, sizeof(crc));
	stub_chip_send(chip, line, stub_chip_cobs(frame, n + sizeof(crc), line));
}

/* COBS backwards, by the text of its definition: blocks, each with a 0x00 behind it unless it is
 * full or the last. */
static bool decode(const uint8_t *line, size_t n, uint8_t *ret, size_t *ret_n)
{
	size_t to = 0;

	for (size_t i = 0; i < n;) {
		uint8_t code = line[i++];

		if (code == 0 || (size_t)code - 1 > n - i)
			return false;
		for (uint8_t j = 1; j < code; j++)
			ret[to++] = line[i++];
		if (code != 0xFF && i < n)
			ret[to++] = 0;
	}
	*ret_n = to;
	return true;
}

bool stub_chip_answer(struct stub_chip *chip, struct stub_answer *ret, uint8_t *ret_data)
{
	const uint8_t *end = memchr(chip->out, 0, chip->n_out);
	uint8_t frame[STUB_CHIP_LINE_SIZE];
	uint32_t crc;
	size_t n, n_line = end ? (size_t)(end - chip->out) : 0;
	bool is_sound;

	if (!end)
		return false;
	is_sound = decode(chip->out, n_line, frame, &n) && n >= sizeof(*ret) + STUB_CRC_SIZE;
	if (is_sound) {
		memcpy(ret, frame, sizeof(*ret));
		memcpy(&crc, frame + n - sizeof(crc), sizeof(crc));
		is_sound = ret->size == n - sizeof(*ret) - sizeof(crc) &&
			   ret->size <= STUB_DATA_MAX &&
			   crc == stub_chip_crc(0xEDB88320, frame, n - sizeof(crc));
	}
	if (is_sound && ret_data)
		memcpy(ret_data, frame + sizeof(*ret), ret->size);
	chip->n_out -= n_line + 1;
	memmove(chip->out, end + 1, chip->n_out);
	return is_sound;
}
