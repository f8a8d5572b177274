/* SPDX-License-Identifier: MIT */
/*
 * ti-board.c - see ti-board.h.
 *
 * Out of reset the ROM looks at the CCFG (ti-bsl.md 3.1): with no valid image it stays in the
 * loader if that is on; with one it looks at the backdoor's pin, if loader and backdoor are on;
 * else it starts the image, and where there is none, it waits for a debugger. IMAGE_VALID says no
 * more than where the vectors are: a chip that was told so about half an application jumps into it.
 * Here that is found out: the test application of tools/ti-make.h carries a CRC over itself, and
 * one that is not whole crashes.
 */
#include "sim/ti-board.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/util.h"

#define RISE_NSEC  UINT64_C(1000000) /* 10 kOhm and 100 nF */
#define READY_NSEC UINT64_C(1000000) /* from the start until the loader listens */
#define RAM	   UINT32_C(0x20000000)
#define ENABLED	   0xC5

/* In the test application, from its vector table on (tools/ti-make.h). */
enum { MARK = 0x100, LENGTH = 0x110, SUM = 0x114, SUMMED = 0x120 };

/* --- What would start --- */

static uint32_t read_word_at(const struct tiboard *board, uint32_t offset)
{
	const uint8_t *at = board->flash.cells + offset;

	if (offset > board->chip->flash_bytes - 4)
		return UINT32_MAX;
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Offset of the vector table; false where the CCFG names none. */
static bool find_vectors(const struct tiboard *board, uint32_t *ret)
{
	const struct tiflash *flash = &board->flash;
	uint32_t at = 0;

	switch (board->chip->kind) {
	case TICHIP_38:
		if (tiflash_ccfg_word(flash, TIFLASH_CCA_VALID) != 0)
			return false;
		at = tiflash_ccfg_word(flash, TIFLASH_CCA_VECTORS) - board->chip->base;
		break;
	case TICHIP_X0:
		if (tiflash_ccfg_word(flash, TIFLASH_IMAGE_VALID) != 0)
			return false;
		break;
	case TICHIP_X2:
		at = tiflash_ccfg_word(flash, TIFLASH_IMAGE_VALID);
		break;
	}
	if (at % 0x100 || at >= board->chip->flash_bytes)
		return false;
	*ret = at;
	return true;
}

static bool has_mark(const struct tiboard *board, uint32_t vectors)
{
	return vectors <= board->chip->flash_bytes - SUMMED &&
	       !memcmp(board->flash.cells + vectors + MARK, "ZNP1", 4);
}

static bool is_whole(const struct tiboard *board, uint32_t vectors)
{
	uint32_t n = read_word_at(board, vectors + LENGTH), from = vectors + SUMMED;

	return n <= board->chip->flash_bytes - from &&
	       read_word_at(board, vectors + SUM) == crc32(0, board->flash.cells + from, n);
}

static bool is_sane(const struct tiboard *board, uint32_t vectors)
{
	uint32_t stack = read_word_at(board, vectors);
	uint32_t entry = (read_word_at(board, vectors + 4) & ~UINT32_C(1)) - board->chip->base;

	if (stack % 4 || stack <= RAM || stack > RAM + board->chip->ram_bytes)
		return false;
	if (!(read_word_at(board, vectors + 4) & 1) || entry >= board->chip->flash_bytes ||
		read_word_at(board, entry & ~UINT32_C(3)) == UINT32_MAX)
		return false;
	return !has_mark(board, vectors) || is_whole(board, vectors);
}

/* --- The backdoor --- */

/* The ROM pulls the pin against the level that it looks for: one that is open never has it. */
static bool pin_is_high(const struct tiboard *board, unsigned pin, bool wanted)
{
	unsigned own = board->options->ti.pin ? board->options->ti.pin : board->chip->pin;

	if (pin < 32 && board->options->ti.low_pins >> pin & 1)
		return false;
	if (pin == board->chip->uart_pins[0])
		return true; /* the bridge's TX, at rest */
	if (pin == own && board->is_boot_low)
		return false;
	return !wanted;
}

static bool is_loader_on(const struct tiboard *board)
{
	return board->chip->kind == TICHIP_38 ||
	       tiflash_ccfg_word(&board->flash, TIFLASH_BL_CONFIG) >> 24 == ENABLED;
}

static bool is_backdoor_open(struct tiboard *board)
{
	const struct sim_ti_faults *knobs = &board->fault->knobs.ti;
	uint32_t at = board->chip->kind == TICHIP_38 ? TIFLASH_CCA_CONFIG : TIFLASH_BL_CONFIG;
	uint32_t word = tiflash_ccfg_word(&board->flash, at);
	bool is_on = (word & 0xFF) == ENABLED, level = word >> 16 & 1;
	unsigned pin = word >> 8 & 0xFF;

	if (board->chip->kind == TICHIP_38) {
		word >>= 24;
		is_on = word >> 4 & 1;
		level = word >> 3 & 1;
		pin = word & 7;
	}
	if (!is_on)
		return false;
	if (board->fault->ti_low_starts < knobs->boot_low_resets) {
		board->fault->ti_low_starts++;
		return !level;
	}
	if (board->fault->ti_high_starts < knobs->boot_high_resets) {
		board->fault->ti_high_starts++;
		return level;
	}
	return pin_is_high(board, pin, level) == level;
}

/* --- Starts --- */

static void hang(struct tiboard *board, enum sim_ti_start why)
{
	board->state.start = why;
	board->phase = TIBOARD_HANGS;
}

static void enter_loader(
	struct tiboard *board, enum sim_ti_start why, uint32_t synced_baud, uint64_t now)
{
	board->state.start = why;
	board->state.starts_into_loader++;
	board->phase = TIBOARD_LOADER;
	tirom_enter(&board->rom, now, synced_baud);
}

static void start_application(struct tiboard *board, uint32_t vectors, uint64_t now)
{
	if (!is_sane(board, vectors)) {
		hang(board, SIM_TI_CRASHED);
		return;
	}
	board->state.start = SIM_TI_APPLICATION;
	board->phase = TIBOARD_RUNS;
	if (has_mark(board, vectors))
		timt_start(&board->mt, board->flash.cells + vectors + MARK + 4, board->reason, now);
	else
		application_start(board->application, &board->view, board->options->chatter, now);
}

static void start(struct tiboard *board, uint64_t now)
{
	uint32_t vectors = 0;
	bool is_valid = find_vectors(board, &vectors);

	board->state.starts++;
	tiflash_reset(&board->flash);
	if (!is_valid && is_loader_on(board))
		enter_loader(board, SIM_TI_NO_IMAGE, 0, now + READY_NSEC);
	else if (!is_valid)
		hang(board, SIM_TI_LOCKED);
	else if (is_loader_on(board) && is_backdoor_open(board))
		enter_loader(board, SIM_TI_BACKDOOR, 0, now + READY_NSEC);
	else
		start_application(board, vectors, now);
}

/* --- Power and lines --- */

static void halt(struct tiboard *board, uint64_t now)
{
	tirom_leave(&board->rom);
	timt_stop(&board->mt);
	application_stop(board->application);
	outgoing_cut(board->outgoing, now);
	tiflash_tear(&board->flash);
	board->state.start = SIM_TI_NOT_STARTED;
	board->due = SIM_NEVER;
}

static void let_rise(struct tiboard *board, uint8_t reason, uint64_t now)
{
	uint64_t nsec = board->options->ti.rise_nsec;

	board->phase = TIBOARD_RISING;
	board->reason = reason;
	board->due = now + (nsec ? nsec : RISE_NSEC);
}

static void lose_power(void *at, uint64_t now)
{
	struct tiboard *board = at;
	halt(board, now);
	board->n_delayed = 0;
	board->phase = TIBOARD_OFF;
}

static void power(void *at, uint64_t now)
{
	struct tiboard *board = at;
	lose_power(board, now);
	board->counters->resets++;
	if (board->options->ti.synced_baud)
		enter_loader(board, SIM_TI_BACKDOOR, board->options->ti.synced_baud, now);
	else if (board->is_reset)
		board->phase = TIBOARD_HELD;
	else
		let_rise(board, 0, now);
}

/* The chip resets itself: the pins are looked at as ever. */
static void restart(struct tiboard *board, uint64_t now)
{
	halt(board, now);
	board->counters->resets++;
	let_rise(board, 2, now);
}

static void obey_pins(struct tiboard *board, bool is_reset, bool is_boot_low, uint64_t now)
{
	bool was_reset = board->is_reset;

	board->is_reset = is_reset;
	board->is_boot_low = is_boot_low;
	if (board->phase == TIBOARD_OFF || is_reset == was_reset)
		return;
	if (is_reset) {
		halt(board, now);
		board->counters->resets++;
		board->phase = TIBOARD_HELD;
	} else {
		let_rise(board, 1, now);
	}
}

static void set_pins(void *at, bool is_reset, bool is_boot_low, uint64_t now)
{
	struct tiboard *board = at;
	uint64_t nsec = board->options->ti.helper_nsec;

	if (!nsec || board->phase == TIBOARD_OFF) {
		obey_pins(board, is_reset, is_boot_low, now);
		return;
	}
	if (board->n_delayed < TIBOARD_DELAYED)
		board->delayed[board->n_delayed++] =
			(struct tiboard_change){is_reset, is_boot_low, now + nsec};
}

static void receive(void *at, const struct rom_byte *byte)
{
	struct tiboard *board = at;
	bool is_understood = sim_rates_fit(byte->baud, APPLICATION_BAUD) && !byte->even_parity;
	uint8_t seen = is_understood ? byte->byte : fault_garble(board->fault, byte->byte);

	if (board->phase == TIBOARD_LOADER)
		tirom_receive(&board->rom, byte);
	else if (board->phase == TIBOARD_RUNS && board->mt.runs)
		timt_receive(&board->mt, seen, byte->end);
	else if (board->phase == TIBOARD_RUNS)
		application_receive(board->application, &board->view, seen, byte->end);
}

static uint64_t first_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t next_due(const void *at)
{
	const struct tiboard *board = at;
	uint64_t next = first_of(tirom_next(&board->rom), board->due);

	next = first_of(next, first_of(timt_next(&board->mt), board->mt.resets_at));
	next = first_of(next, board->application->leaves_at);
	return board->n_delayed ? first_of(next, board->delayed[0].at) : next;
}

static void pass_on(struct tiboard *board)
{
	struct tiboard_change change = board->delayed[0];

	board->n_delayed--;
	memmove(board->delayed, board->delayed + 1, board->n_delayed * sizeof(change));
	obey_pins(board, change.is_reset, change.is_boot_low, change.at);
}

static void step_rom(struct tiboard *board)
{
	uint64_t now = board->rom.clock;

	if (board->rom.work || board->rom.wish == TIROM_STAYS) {
		tirom_step(&board->rom);
	} else if (board->rom.wish == TIROM_RESETS) {
		restart(board, now);
	} else {
		uint32_t address = board->rom.start_address;

		halt(board, now);
		start_application(board, address - board->chip->base, now);
	}
}

static void step(void *at)
{
	struct tiboard *board = at;
	uint64_t now = next_due(board);

	if (board->n_delayed && board->delayed[0].at == now) {
		pass_on(board);
	} else if (tirom_next(&board->rom) == now) {
		step_rom(board);
	} else if (board->due == now) {
		board->due = SIM_NEVER;
		start(board, now);
	} else if (board->mt.resets_at == now || board->application->leaves_at == now) {
		restart(board, now);
	} else {
		timt_step(&board->mt);
	}
}

/* --- Around it --- */

static void make_ieee(struct tiboard *board)
{
	static const uint8_t none[8], maker[3] = {0x00, 0x12, 0x4B};

	memcpy(board->ieee, board->options->ti.ieee, sizeof(board->ieee));
	if (memcmp(board->ieee, none, sizeof(none)) != 0)
		return;
	memcpy(board->ieee, maker, sizeof(maker));
	for (int i = 3; i < 8; i++)
		board->ieee[i] = (uint8_t)fault_random(board->fault);
}

static void *board_free(void *at)
{
	struct tiboard *board = at;

	if (!board)
		return NULL;
	tiflash_done(&board->flash);
	free(board->rom.ram);
	free(board);
	return NULL;
}

struct tiboard *tiboard_new(const struct sim_options *options, struct fault *fault,
	struct sim_counters *counters, struct outgoing *outgoing, struct application *application)
{
	struct tiboard *board = calloc(1, sizeof(*board));

	if (!board)
		return NULL;
	board->options = options;
	board->chip = options->chip->ti;
	board->fault = fault;
	board->counters = counters;
	board->outgoing = outgoing;
	board->application = application;
	board->due = SIM_NEVER;
	make_ieee(board);
	board->mt = (struct timt){.fault = fault, .state = &board->state, .outgoing = outgoing};
	timt_stop(&board->mt);
	board->rom = (struct tirom){.chip = board->chip,
		.board = &options->ti,
		.fault = fault,
		.counters = counters,
		.ti = &board->state,
		.outgoing = outgoing,
		.flash = &board->flash,
		.ram = calloc(1, board->chip->ram_bytes)};
	if (!tiflash_init(
		    &board->flash, board->chip, &options->ti, fault, counters, &board->state) ||
		!board->rom.ram)
		return board_free(board);
	memcpy(board->rom.ieee, board->ieee, sizeof(board->ieee));
	board->view = (struct memory){
		.chip = options->chip, .counters = counters, .flash = board->flash.cells};
	return board;
}

static enum sim_state state(const void *at)
{
	static const enum sim_state states[] = {[TIBOARD_OFF] = SIM_DEAD,
		[TIBOARD_HELD] = SIM_RESET,
		[TIBOARD_RISING] = SIM_RESET,
		[TIBOARD_LOADER] = SIM_ROM,
		[TIBOARD_RUNS] = SIM_APPLICATION,
		[TIBOARD_HANGS] = SIM_DEAD};
	const struct tiboard *board = at;

	return states[board->phase];
}

static bool would_run(const void *at)
{
	const struct tiboard *board = at;
	uint32_t vectors;

	return find_vectors(board, &vectors) && is_sane(board, vectors);
}

static uint8_t *flash(void *at, uint32_t *ret_size)
{
	struct tiboard *board = at;

	*ret_size = board->chip->flash_bytes;
	return board->flash.cells;
}

static void swap_chip(void *at)
{
	struct tiboard *board = at;

	board->ieee[7] ^= 0xFF;
	board->rom.ieee[7] ^= 0xFF;
}

const struct sim_ti_state *tiboard_tell(struct tiboard *board)
{
	board->state.is_synced = board->rom.is_on && board->rom.state != TIROM_DETECTING;
	board->state.baud = board->rom.baud;
	board->state.status = board->rom.status;
	board->state.ccfg = tiflash_ccfg(&board->flash);
	board->state.n_ccfg = tiflash_ccfg_bytes(board->chip);
	memcpy(board->state.ieee, board->ieee, sizeof(board->ieee));
	return &board->state;
}

const struct board_ops tiboard_ops = {
	.power = power,
	.lose_power = lose_power,
	.set_pins = set_pins,
	.receive = receive,
	.next = next_due,
	.step = step,
	.state = state,
	.is_sane = would_run,
	.flash = flash,
	.swap_chip = swap_chip,
	.free = board_free,
};
