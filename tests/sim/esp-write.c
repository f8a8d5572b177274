/* SPDX-License-Identifier: MIT */
/*
 * esp-write.c - FLASH_BEGIN, FLASH_DATA and their deflated forms: see esp-rom.h.
 *
 * BEGIN erases all of the range before it answers, by the ROM's own algorithm (esp-rom.md 4.2), and
 * sets the position. DATA is answered when it is programmed; where it was refused the position
 * stays. The ROM does not look at the sequence number: a block that is sent twice is written twice,
 * one behind the other. Nobody has said so (esp-rom.md 4.4), and it is what costs a careless host
 * most.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "sim/esp-rom.h"

#define SECTORS_OF_BLOCK 16

/* How far the ESP32 goes beyond the end with deflate is not said (esp-rom.md 4.5): a block. */
#define OVER_ERASED ESPFLASH_BLOCK

static uint32_t min(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* --- Erase --- */

static void erase_next(struct esprom *rom);

static void on_erased(struct esprom *rom)
{
	espflash_finish(rom->flash);
	erase_next(rom);
}

/* A knob sets how long the whole command lasts: its rest is waited out behind the last sector. */
static void wait_for_knob(struct esprom *rom)
{
	uint64_t nsec = rom->fault->knobs.esp.begin_nsec;

	if (!nsec)
		return;
	if (nsec == SIM_NEVER) {
		rom->is_hung = true;
		return;
	}
	if (rom->clock < rom->erase_begun + nsec)
		rom->clock = rom->erase_begun + nsec;
}

static void answer_begin(struct esprom *rom)
{
	esprom_reply(rom, NULL, 0);
}

static void erase_next(struct esprom *rom)
{
	uint32_t left = rom->erase_end - rom->erase_at;
	uint32_t size = ESPFLASH_SECTOR;

	if (!left) {
		wait_for_knob(rom);
		rom->work = answer_begin;
		return;
	}
	/* Blocks while more than 16 sectors are left behind the head. */
	if (rom->erase_at >= rom->head_end && left > SECTORS_OF_BLOCK * ESPFLASH_SECTOR &&
		rom->erase_at % ESPFLASH_BLOCK == 0)
		size = ESPFLASH_BLOCK;
	esprom_spend(rom, espflash_begin_erase(rom->flash, rom->erase_at, size));
	rom->erase_at += size;
	rom->work = on_erased;
}

/* The ESP8266 erases its head twice over (esp-rom.md 4.3). */
static uint32_t sectors_erased(const struct esprom *rom, uint32_t sector, uint32_t n_sectors)
{
	uint32_t head = min(SECTORS_OF_BLOCK - sector % SECTORS_OF_BLOCK, n_sectors);

	return rom->chip->kind == ESPCHIP_8266 ? n_sectors + head : n_sectors;
}

static uint32_t rom_flash_bytes(const struct esprom *rom)
{
	return rom->chip->kind == ESPCHIP_8266 ? rom->flash->n_cells : rom->flash_bytes;
}

static void begin_erase(struct esprom *rom, uint32_t offset, uint32_t size)
{
	uint32_t sector = offset / ESPFLASH_SECTOR;
	uint32_t n_asked = (size + ESPFLASH_SECTOR - 1) / ESPFLASH_SECTOR;
	uint32_t n = sectors_erased(rom, sector, n_asked);
	uint32_t head = min(SECTORS_OF_BLOCK - sector % SECTORS_OF_BLOCK, n);

	if (n_asked && rom->range.is_deflated && rom->chip->kind == ESPCHIP_32)
		n += OVER_ERASED / ESPFLASH_SECTOR;
	n = min(n, rom->flash->n_cells / ESPFLASH_SECTOR - sector);
	if (n > n_asked)
		rom->state->n_over_erased += n - n_asked;
	rom->erase_at = offset;
	rom->head_end = offset + head * ESPFLASH_SECTOR;
	rom->erase_end = offset + n * ESPFLASH_SECTOR;
	rom->erase_begun = rom->clock;
	erase_next(rom);
}

void esprom_close_range(struct esprom *rom)
{
	if (rom->range.inflater) {
		inflateEnd(rom->range.inflater);
		free(rom->range.inflater);
	}
	rom->range = (struct esprom_range){0};
}

static void *make_inflater(void)
{
	z_stream *stream = calloc(1, sizeof(*stream));

	if (!stream || inflateInit(stream) != Z_OK)
		abort();
	return stream;
}

void esprom_flash_begin(struct esprom *rom)
{
	uint32_t size = esprom_word(rom, 0), offset = esprom_word(rom, 3);
	uint32_t flash_bytes = rom_flash_bytes(rom);

	esprom_close_range(rom);
	if (rom->chip->kind == ESPCHIP_LATER && esprom_word(rom, 4)) {
		esprom_fail(rom, ESPROM_FAILED);
		return;
	}
	/* The HAL's routine refuses a start that is no sector's, and what the flash has not. */
	if (!rom->registers->is_attached || offset % ESPFLASH_SECTOR || offset > flash_bytes ||
		size > flash_bytes - offset) {
		esprom_fail(rom, ESPROM_FAILED);
		return;
	}
	rom->range = (struct esprom_range){
		.is_open = true,
		.is_deflated = rom->opcode == ESPROM_DEFLATE_BEGIN,
		.n_packets = esprom_word(rom, 1),
		.packet_size = esprom_word(rom, 2),
		.at = offset,
		.end = flash_bytes,
	};
	if (rom->range.is_deflated) {
		rom->range.inflater = make_inflater();
		rom->range.end = offset + size;
	}
	begin_erase(rom, offset, size);
}

/* --- Program --- */

static bool is_as_sent(const struct esprom *rom, uint32_t offset)
{
	for (uint32_t i = 0; i < rom->n_pending; i++) {
		if (espflash_read(rom->flash, offset + i) != rom->pending[i])
			return false;
	}
	return true;
}

static void end_block(struct esprom *rom)
{
	bool is_good = is_as_sent(rom, rom->range.at) || !rom->fault->knobs.esp.reports_defects;

	free(rom->pending);
	rom->pending = NULL;
	rom->range.at += rom->n_pending;
	rom->counters->blocks_written++;
	if (is_good)
		esprom_reply(rom, NULL, 0);
	else
		esprom_fail(rom, ESPROM_WRITE);
}

static void program_next(struct esprom *rom);

static void on_programmed(struct esprom *rom)
{
	espflash_finish(rom->flash);
	program_next(rom);
}

static void program_next(struct esprom *rom)
{
	uint32_t offset = rom->range.at + rom->n_programmed;
	uint32_t left = rom->n_pending - rom->n_programmed;
	uint32_t n = min(left, ESPFLASH_PAGE - offset % ESPFLASH_PAGE);

	if (!left) {
		end_block(rom);
		return;
	}
	esprom_spend(rom,
		espflash_begin_program(rom->flash, offset, rom->pending + rom->n_programmed, n));
	rom->n_programmed += n;
	rom->work = on_programmed;
}

static void begin_program(struct esprom *rom, uint8_t *bytes, uint32_t n_bytes)
{
	rom->pending = bytes;
	rom->n_pending = n_bytes;
	rom->n_programmed = 0;
	program_next(rom);
}

/* The bytes of one packet; the stream's end may come in any, and what follows it is ignored. */
static int inflate_packet(struct esprom *rom, uint8_t *to, uint32_t n_to, uint32_t *ret_n)
{
	z_stream *stream = rom->range.inflater;
	int r = Z_OK;

	stream->next_in = (Bytef *)(uintptr_t)(rom->data + 16);
	stream->avail_in = rom->n_data - 16;
	stream->next_out = to;
	stream->avail_out = n_to;
	while (!rom->range.is_inflated && r == Z_OK && stream->avail_in > 0) {
		r = inflate(stream, Z_NO_FLUSH);
		rom->range.is_inflated = r == Z_STREAM_END;
	}
	*ret_n = n_to - stream->avail_out;
	if (r == Z_BUF_ERROR)
		return ESPROM_DEFLATE_PARAMETER;
	if (r == Z_DATA_ERROR && stream->msg && strstr(stream->msg, "data check"))
		return ESPROM_ADLER;
	return r == Z_OK || r == Z_STREAM_END ? 0 : ESPROM_INFLATE;
}

static void take_deflated(struct esprom *rom)
{
	uint32_t room = rom->range.end - rom->range.at, n = 0;
	uint8_t *bytes = malloc(room + 1);
	int error;

	if (!bytes)
		abort();
	error = inflate_packet(rom, bytes, room, &n);
	if (error) {
		free(bytes);
		esprom_fail(rom, (enum esprom_error)error);
		return;
	}
	begin_program(rom, bytes, n);
}

static void take_plain(struct esprom *rom)
{
	uint32_t n = rom->n_data - 16;
	uint8_t *bytes = malloc(n);

	if (!bytes)
		abort();
	memcpy(bytes, rom->data + 16, n);
	begin_program(rom, bytes, n);
}

void esprom_flash_data(struct esprom *rom)
{
	uint32_t n = rom->n_data - 16;
	uint32_t sum = 0xEF;

	for (uint32_t i = 0; i < n; i++)
		sum ^= rom->data[16 + i];
	if (esprom_word(rom, 0) != n || n > rom->range.packet_size) {
		esprom_fail(rom, ESPROM_FORMAT);
	} else if (sum != rom->checksum) {
		esprom_fail(rom, ESPROM_CHECKSUM);
	} else if (!rom->range.is_open || !rom->range.n_packets ||
		   rom->range.is_deflated != (rom->opcode == ESPROM_DEFLATE_DATA)) {
		esprom_fail(rom, ESPROM_FAILED);
	} else {
		rom->range.n_packets--;
		if (rom->range.is_deflated)
			take_deflated(rom);
		else
			take_plain(rom);
	}
}
