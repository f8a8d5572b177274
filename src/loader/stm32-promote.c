/* SPDX-License-Identifier: MIT */
/*
 * stm32-promote.c - a program of ours takes the place of the ROM: it is loaded into the RAM by
 * Write Memory and started by Go.
 *
 * Up to Go nothing is lost by a refusal: the ROM says NACK where its RAM is not to be had, and goes
 * on. Where it is on trial, the program is read back: not for the line, whose frames have a
 * checksum, but for ROMs that write something else (L47x, V10.1). From Go on the ROM is gone up to
 * the next reset, whatever comes: so silence, an answer that is not the program's, and one that
 * contradicts what the ROM has said end in a reset and in what the ROM does without us.
 *
 * The program says what it is and where it thinks to be (stub_open() compares that); and it has to
 * read the same bytes of the flash as the ROM did. A flash that is all blank would be read so by
 * many a broken program, so the unique id is taken there.
 */
#include <string.h>

#include "base/util.h"
#include "device/transcript.h"
#include "loader/stm32.h"
#include "loader/stub-load.h"
#include "loader/stub-program.h"
#include "loader/stub.h"

/* What both the ROM and the program are to read. */
struct witness {
	uint32_t address;
	uint8_t bytes[AN3155_BLOCK];
	size_t n_bytes;
	bool is_unit; /* the id of the unit: the flash is blank */
};

#define UNIQUE_ID_BYTES 12

static int take_witness(struct stm32 *stm32, struct witness *ret)
{
	const struct stm32_row *row = stm32_row(stm32->chip);
	int r;

	*ret = (struct witness){.address = stm32->flash.start, .n_bytes = sizeof(ret->bytes)};
	/* Once: an answer that was bent costs the program its place, and nothing else. */
	r = an3155_read_memory(&stm32->bl, ret->address, ret->bytes, ret->n_bytes);
	if (r != 0 || ret->bytes[0] != 0xFF ||
		memcmp(ret->bytes, ret->bytes + 1, ret->n_bytes - 1) != 0)
		return r;
	if (!row->unique_id)
		return LOADER_UNSUPPORTED;
	ret->address = row->unique_id;
	ret->n_bytes = UNIQUE_ID_BYTES;
	ret->is_unit = true;
	transcript_begin(port_transcript(stm32->bl.port), TRANSCRIPT_UNIT, 0, 0);
	r = stm32_read_fact(stm32, ret->address, ret->bytes, ret->n_bytes);
	transcript_end(port_transcript(stm32->bl.port));
	return r;
}

/* What the chip has to say before the load image can be made. */
static int make_load(struct stm32 *stm32, const struct chip_identity *identity,
	struct stub_load *ret, struct reason *why)
{
	uint32_t at = stub_load_option_word(stm32->chip);
	uint32_t rate = port_rate(stm32->bl.port);
	struct stub_load_question question = {
		.chip = stm32->chip,
		.flash_bytes = identity->flash_bytes,
		.names = stm32->base.board->chip,
		.train_baud = rate < STUB_TRAIN_BAUD_MAX ? rate : STUB_TRAIN_BAUD_MAX,
		.program = stub_program,
		.n_program = stub_program_size,
	};
	uint8_t word[4] = {0};
	int r = at ? stm32_read_fact(stm32, at, word, sizeof(word)) : 0;

	if (loader_is_refusal(r))
		return reason_refuse(LOADER_UNSUPPORTED, why,
			"the ROM does not let the option bytes at 0x%08x be read, which say what starts with the chip",
			at);
	if (r != 0)
		return r;
	question.option_word = word_at(word);
	return stub_load_make(&question, ret, why) == STUB_LOAD_OK ? 0 : LOADER_UNSUPPORTED;
}

static int write_ram(struct stm32 *stm32, const struct stub_load *load, struct reason *why)
{
	int r = 0;

	for (size_t at = 0, n; r == 0 && at < load->n_bytes; at += n) {
		n = load->n_bytes - at < AN3155_BLOCK ? load->n_bytes - at : AN3155_BLOCK;
		r = an3155_write_memory(
			&stm32->bl, load->address + (uint32_t)at, load->bytes + at, n, 0);
	}
	if (r == LOADER_REFUSED)
		reason_set(why, "the ROM does not let the RAM at 0x%08x be written", load->address);
	return r;
}

static int check_ram(struct stm32 *stm32, const struct stub_load *load, struct reason *why)
{
	uint8_t got[AN3155_BLOCK];
	int r = 0;

	for (size_t at = 0, n; r == 0 && at < load->n_bytes; at += n) {
		uint32_t address = load->address + (uint32_t)at;

		n = load->n_bytes - at < sizeof(got) ? load->n_bytes - at : sizeof(got);
		r = an3155_read_memory(&stm32->bl, address, got, n);
		if (r == 0 && memcmp(got, load->bytes + at, n) != 0)
			return reason_refuse(LOADER_UNSUPPORTED, why,
				"the RAM at 0x%08x does not hold what the ROM was to write there",
				address);
	}
	if (r == LOADER_REFUSED)
		reason_set(why, "the ROM does not let the RAM at 0x%08x be read", load->address);
	return r;
}

/* The most that the rule lets it raise the rate to; 0: it does not say. */
static uint32_t most_baud(const struct board *board)
{
	uint32_t most = 0;

	for (size_t i = 0; board->says_baud && i < board->baud.n_items; i++)
		if (board->baud.items[i] > most)
			most = board->baud.items[i];
	return most;
}

/* Without the boot pin by the flag of the empty flash, since the first page is erased meanwhile. */
static bool wakes_in_rom(const struct stm32 *stm32)
{
	const struct board *board = stm32->base.board;

	return stm32_row(stm32->chip)->flags & STM32_EMPTY_CHECK || !board->has_lines ||
	       board->wiring.may_keep_pin;
}

/* The ROM has started it. */
static int meet(struct stm32 *stm32, const struct chip_identity *identity,
	const struct stub_load *load, struct reason *why, struct loader **ret)
{
	uint32_t rate = port_rate(stm32->bl.port);
	const struct stub_facts facts = {
		.load = load,
		.chip = stm32->chip,
		.dev_id = identity->product_id,
		.flash_kib = (uint16_t)(stm32->has_flash_size ? identity->flash_bytes / 1024 : 0),
		.version = STUB_VERSION,
		.train_baud = rate < STUB_TRAIN_BAUD_MAX ? rate : STUB_TRAIN_BAUD_MAX,
		.max_baud = most_baud(stm32->base.board),
		.wakes_in_rom = wakes_in_rom(stm32),
	};

	return stub_open(&stm32->base, &facts, ret, why);
}

/* GARBLED where the program reads something else than the ROM did. */
static int ask_witness(const struct stm32 *stm32, struct loader *stub,
	const struct witness *witness, struct reason *why)
{
	struct transcript *transcript = port_transcript(stm32->bl.port);
	uint8_t got[AN3155_BLOCK];
	int r;

	if (witness->is_unit)
		transcript_begin(transcript, TRANSCRIPT_UNIT, 0, 0);
	r = stub->ops->read(stub, witness->address, got, witness->n_bytes);
	if (witness->is_unit)
		transcript_end(transcript);
	if (r == 0 && memcmp(got, witness->bytes, witness->n_bytes) == 0)
		return 0;
	if (r == 0 || loader_is_refusal(r))
		return reason_refuse(LOADER_GARBLED, why,
			"the program in the RAM reads something else at 0x%08x than the ROM does",
			witness->address);
	if (r > 0)
		reason_set(why, "the program in the RAM does not answer to a read");
	return r;
}

static void describe(struct loader *stub, struct reason *ret)
{
	struct stub_state state;

	stub_state(stub, &state);
	reason_set(ret, "version %u, at %u baud%s%s", state.version, state.baud,
		*state.why_not_faster ? ": " : "", state.why_not_faster);
}

/* Into the RAM; where it is on trial, it has to be found there as it was written. */
static int load_program(struct stm32 *stm32, const struct chip_identity *identity,
	struct stub_load *load, struct reason *why)
{
	const struct trusts *trusts = stm32->base.trusts;
	int r = make_load(stm32, identity, load, why);

	if (r == 0)
		r = write_ram(stm32, load, why);
	/* One that has proved itself on such chips finds by its own CRC what a RAM lost. */
	if (r == 0 && (!trusts || trusts->stub != TRUST_FULL))
		r = check_ram(stm32, load, why);
	if (r > 0 && !*why->text)
		reason_set(why, "the ROM lost the link while the program was loaded");
	return r;
}

/* What came of the second ACK only the program can tell: the jump may cut it off. */
static int start_program(struct stm32 *stm32, const struct chip_identity *identity,
	const struct stub_load *load, struct reason *why, struct loader **ret)
{
	int r = an3155_go(&stm32->bl, load->address);

	if (loader_is_refusal(r))
		return reason_refuse(r, why, "the ROM refuses to start the program in the RAM");
	return r < 0 ? r : meet(stm32, identity, load, why, ret);
}

int stm32_promote(struct loader *loader, const struct chip_identity *identity, struct reason *why,
	struct loader **ret)
{
	struct stm32 *stm32 = stm32_of(loader);
	struct witness witness;
	struct stub_load load;
	struct loader *stub;
	int r = take_witness(stm32, &witness);

	if (r > 0)
		return reason_refuse(r, why, "the ROM does not let the flash be read");
	if (r == 0)
		r = load_program(stm32, identity, &load, why);
	if (r == 0)
		r = start_program(stm32, identity, &load, why, &stub);
	if (r != 0)
		return r;
	r = ask_witness(stm32, stub, &witness, why);
	if (r != 0) {
		loader_close(stub);
		return r;
	}
	describe(stub, why);
	*ret = stub;
	return 0;
}
