/* SPDX-License-Identifier: MIT */
/*
 * esp-board.c - see esp-board.h.
 *
 * EN falls at once, since a transistor pulls it, and rises by 10 kOhm into its capacitor: the chip
 * leaves reset after some 1.2 time constants, and looks at its straps then (esp-rom.md 2.2, 2.3).
 * An EN that is low does not stop the flash, which ends the sector it is at; a loss of power does.
 */
#include "sim/esp-board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NSEC_PER_SEC	  UINT64_C(1000000000)
#define RISE_NSEC_PER_NF  UINT64_C(12000) /* 1.2 * 10 kOhm */
#define NO_CAPACITOR_NSEC UINT64_C(1200)  /* 100 pF of board */
#define ROM_STARTS_NSEC	  UINT64_C(2000000)
#define WATCHDOG_NSEC	  UINT64_C(300000000)

static uint64_t rise_nsec(const struct espboard *board)
{
	uint32_t nf = board->options->esp.capacitor_nf;

	if (nf == SIM_ESP_NO_CAPACITOR)
		return NO_CAPACITOR_NSEC;
	return RISE_NSEC_PER_NF * (nf ? nf : 1000);
}

/* --- Text --- */

/* The ROM sets its rate for the crystal that it believes in: 74880 with 26 MHz on a C2. */
static uint32_t text_baud(const struct espboard *board)
{
	const struct espregisters *registers = &board->registers;

	if (board->chip->kind != ESPCHIP_LATER)
		return board->chip->text.baud;
	return (uint32_t)(board->chip->text.baud * (uint64_t)espregisters_crystal(registers) /
			  board->chip->rom_crystal_hz);
}

/* From `now` on; when it is out. */
static uint64_t print(struct espboard *board, const char *text, uint64_t now)
{
	size_t n = strlen(board->state.text), n_text = strlen(text);

	if (board->options->esp.no_text)
		return now;
	snprintf(board->state.text + n, sizeof(board->state.text) - n, "%s", text);
	for (size_t i = 0; i < n_text; i++) {
		now += 10 * NSEC_PER_SEC / text_baud(board);
		outgoing_put(board->outgoing,
			&(struct outgoing_byte){
				.at = now, .baud = text_baud(board), .byte = (uint8_t)text[i]});
	}
	return now;
}

static bool has_old_rom(const struct espboard *board)
{
	return board->options->esp.old_rom && board->chip->text.old_head;
}

/* What stands in front of everything: which ROM, why it starts, and the straps it has seen. */
static uint64_t print_head(
	struct espboard *board, bool is_watchdog, unsigned boot_word, const char *how, uint64_t now)
{
	const struct espchip_text *text = &board->chip->text;
	const char *reason = is_watchdog ? text->watchdog : text->power_on;
	char line[160];

	board->state.text[0] = '\0';
	now = print(board, has_old_rom(board) ? text->old_head : text->head, now);
	if (board->chip->kind == ESPCHIP_8266)
		snprintf(line, sizeof(line), ",rst cause:%s, boot mode:(%u,6)\r\n\r\n", reason,
			boot_word);
	else
		snprintf(line, sizeof(line), "rst:%s,boot:0x%x (%s)\r\n", reason, boot_word, how);
	return print(board, line, now);
}

/* --- Starts --- */

static void start_loader(struct espboard *board, bool is_watchdog, uint64_t now)
{
	uint64_t at = now + ROM_STARTS_NSEC;

	board->state.starts_into_loader++;
	at = print_head(board, is_watchdog, board->chip->boot_word & ~board->chip->boot_pin,
		board->chip->text.loader, at);
	if (board->chip->kind != ESPCHIP_8266)
		at = print(board, "waiting for download\r\n", at);
	board->phase = ESPBOARD_LOADER;
	board->due = SIM_NEVER;
	esprom_enter(&board->rom, now, at, false);
}

static void start_flash(struct espboard *board, bool is_watchdog, uint64_t now)
{
	uint64_t at = print_head(board, is_watchdog, board->chip->boot_word, "SPI_FAST_FLASH_BOOT",
		now + ROM_STARTS_NSEC);

	espboot_decide(&board->registers, has_old_rom(board), &board->boot);
	at = print(board, board->boot.text, at);
	if (board->boot.app != SIM_ESP_NOTHING && !board->fault->knobs.esp.starts_badly) {
		board->phase = ESPBOARD_STARTING;
		board->due = at;
		return;
	}
	board->state.failed_starts++;
	board->state.wild_starts += board->boot.is_wild;
	if (board->boot.app != SIM_ESP_NOTHING)
		at = print(board,
			"Guru Meditation Error: Core  0 panic'ed (LoadProhibited). Exception was unhandled.\r\nRebooting...\r\n",
			at);
	board->phase = ESPBOARD_FAILS;
	board->due = at + WATCHDOG_NSEC;
}

/* A strap that reads low once, whatever the lines do, or high. */
static bool reads_boot_low(struct espboard *board)
{
	const struct sim_esp_faults *knobs = &board->fault->knobs.esp;

	if (board->fault->esp_low_starts < knobs->boot_pin_low_resets) {
		board->fault->esp_low_starts++;
		return true;
	}
	if (board->is_boot_low && board->fault->esp_high_starts < knobs->boot_pin_high_resets) {
		board->fault->esp_high_starts++;
		return false;
	}
	return board->is_boot_low && !knobs->boot_pin_high;
}

static bool is_forced(struct espboard *board)
{
	const struct espchip_bits *bits = &board->chip->force_download;

	return bits->count &&
	       espregisters_read(&board->registers, bits->address) >> bits->first & 1;
}

/* Out of reset: the straps are read now. */
static void start(struct espboard *board, bool is_watchdog, uint64_t now)
{
	bool is_low = reads_boot_low(board);

	board->state.starts++;
	espregisters_reset(&board->registers);
	if (is_low && board->options->esp.second_pin_low && board->chip->needs_second_pin) {
		print_head(board, is_watchdog, 0, "invalid", now + ROM_STARTS_NSEC);
		board->phase = ESPBOARD_HANGS;
		board->due = SIM_NEVER;
	} else if ((is_low || is_forced(board)) && !board->options->esp.download_off) {
		start_loader(board, is_watchdog, now);
	} else {
		start_flash(board, is_watchdog, now);
	}
}

static void start_application(struct espboard *board, uint64_t now)
{
	board->phase = ESPBOARD_RUNS;
	board->due = SIM_NEVER;
	board->state.app = board->boot.app;
	board->view_chip = *board->options->chip;
	board->view_chip.flash_size = board->boot.app_size;
	board->view = (struct memory){.chip = &board->view_chip,
		.counters = board->counters,
		.flash = board->flash.cells + board->boot.app};
	application_start(board->application, &board->view, board->options->chatter, now);
}

/* --- Power and lines --- */

static void halt(struct espboard *board, uint64_t now)
{
	esprom_leave(&board->rom);
	application_stop(board->application);
	outgoing_cut(board->outgoing, now);
	board->state.app = SIM_ESP_NOTHING;
	board->state.is_stub = false;
	board->due = SIM_NEVER;
}

static void let_rise(struct espboard *board, uint64_t now)
{
	board->phase = ESPBOARD_RISING;
	board->due = now + rise_nsec(board);
}

static void lose_power(void *at, uint64_t now)
{
	struct espboard *board = at;
	espflash_tear(&board->flash);
	halt(board, now);
	board->phase = ESPBOARD_OFF;
}

static void power(void *at, uint64_t now)
{
	struct espboard *board = at;
	lose_power(board, now);
	board->counters->resets++;
	board->n_lost_pulses = 0;
	espregisters_init(&board->registers, board->mac);
	if (board->fault->knobs.esp.no_power)
		return;
	if (board->fault->knobs.esp.stub_resets) {
		board->phase = ESPBOARD_LOADER;
		esprom_enter(&board->rom, now, now, true);
		board->rom.baud = 115200;
		board->registers.is_attached = true;
	} else if (board->is_reset) {
		board->phase = ESPBOARD_HELD;
	} else {
		let_rise(board, now);
	}
}

static bool loses_pulse(struct espboard *board)
{
	if (board->n_lost_pulses >= board->fault->knobs.esp.stub_resets)
		return false;
	board->n_lost_pulses++;
	return true;
}

static void set_pins(void *at, bool is_reset, bool is_boot_low, uint64_t now)
{
	struct espboard *board = at;
	bool was_reset = board->is_reset;

	board->is_reset = is_reset;
	board->is_boot_low = is_boot_low;
	if (board->phase == ESPBOARD_OFF || is_reset == was_reset)
		return;
	if (is_reset) {
		board->is_pulse_lost = loses_pulse(board);
		if (board->is_pulse_lost)
			return;
		espflash_finish(&board->flash);
		halt(board, now);
		board->counters->resets++;
		board->phase = ESPBOARD_HELD;
	} else if (!board->is_pulse_lost) {
		let_rise(board, now);
	}
}

static void receive(void *at, const struct rom_byte *byte)
{
	struct espboard *board = at;
	bool is_understood = sim_rates_fit(byte->baud, APPLICATION_BAUD) && !byte->even_parity;

	if (board->phase == ESPBOARD_LOADER)
		esprom_receive(&board->rom, byte);
	else if (board->phase == ESPBOARD_RUNS)
		application_receive(board->application, &board->view,
			is_understood ? byte->byte : fault_garble(board->fault, byte->byte),
			byte->end);
}

static uint64_t next_due(const void *at)
{
	const struct espboard *board = at;
	uint64_t next = esprom_next(&board->rom);

	if (board->due < next)
		next = board->due;
	return board->application->leaves_at < next ? board->application->leaves_at : next;
}

static void step(void *at)
{
	struct espboard *board = at;
	uint64_t now = next_due(board);

	if (esprom_next(&board->rom) == now) {
		esprom_step(&board->rom);
		return;
	}
	if (board->application->leaves_at == now) {
		halt(board, now);
		start_loader(board, false, now);
		return;
	}
	board->due = SIM_NEVER;
	if (board->phase == ESPBOARD_RISING)
		start(board, false, now);
	else if (board->phase == ESPBOARD_STARTING)
		start_application(board, now);
	else if (board->phase == ESPBOARD_FAILS)
		start(board, true, now);
}

/* --- Around it --- */

static void make_mac(struct espboard *board)
{
	static const uint8_t none[6], maker[3] = {0x24, 0x0A, 0xC4};

	memcpy(board->mac, board->options->esp.mac, sizeof(board->mac));
	if (memcmp(board->mac, none, sizeof(none)) != 0)
		return;
	memcpy(board->mac, maker, sizeof(maker));
	for (int i = 3; i < 6; i++)
		board->mac[i] = (uint8_t)fault_random(board->fault);
}

static void *board_free(void *at)
{
	struct espboard *board = at;

	if (!board)
		return NULL;
	esprom_leave(&board->rom);
	espflash_done(&board->flash);
	free(board);
	return NULL;
}

struct espboard *espboard_new(const struct sim_options *options, struct fault *fault,
	struct sim_counters *counters, struct outgoing *outgoing, struct application *application)
{
	struct espboard *board = calloc(1, sizeof(*board));
	uint32_t flash_bytes = options->esp.flash_bytes;

	if (!board)
		return NULL;
	board->options = options;
	board->chip = options->chip->esp;
	board->fault = fault;
	board->counters = counters;
	board->outgoing = outgoing;
	board->application = application;
	board->due = SIM_NEVER;
	board->state.app = SIM_ESP_NOTHING;
	board->state.has_short_status = board->chip->kind == ESPCHIP_8266;
	board->state.has_encrypt_word = board->chip->kind == ESPCHIP_LATER;
	make_mac(board);
	if (!espflash_init(&board->flash, flash_bytes ? flash_bytes : options->chip->flash_size,
		    fault, counters))
		return board_free(board);
	board->registers = (struct espregisters){.chip = board->chip,
		.board = &options->esp,
		.flash = &board->flash,
		.fault = fault};
	board->rom = (struct esprom){.chip = board->chip,
		.board = &options->esp,
		.fault = fault,
		.counters = counters,
		.state = &board->state,
		.outgoing = outgoing,
		.flash = &board->flash,
		.registers = &board->registers};
	return board;
}

static enum sim_state state(const void *at)
{
	static const enum sim_state states[] = {[ESPBOARD_OFF] = SIM_DEAD,
		[ESPBOARD_HELD] = SIM_RESET,
		[ESPBOARD_RISING] = SIM_RESET,
		[ESPBOARD_LOADER] = SIM_ROM,
		[ESPBOARD_STARTING] = SIM_RESET,
		[ESPBOARD_RUNS] = SIM_APPLICATION,
		[ESPBOARD_FAILS] = SIM_DEAD,
		[ESPBOARD_HANGS] = SIM_DEAD};
	const struct espboard *board = at;

	return states[board->phase];
}

static bool is_sane(const void *at)
{
	const struct espboard *board = at;
	struct espboot boot;

	espboot_decide(&board->registers, false, &boot);
	return boot.app != SIM_ESP_NOTHING;
}

static uint8_t *flash(void *at, uint32_t *ret_size)
{
	struct espboard *board = at;

	*ret_size = board->flash.n_cells;
	return board->flash.cells;
}

static void swap_chip(void *at)
{
	struct espboard *board = at;

	board->mac[5] ^= 0xFF;
}

const struct sim_esp_state *espboard_tell(struct espboard *board)
{
	board->state.is_attached = board->registers.is_attached;
	board->state.flash_bytes = board->rom.flash_bytes;
	board->state.baud = (uint32_t)board->rom.baud;
	memcpy(board->state.mac, board->mac, sizeof(board->mac));
	return &board->state;
}

const struct board_ops espboard_ops = {
	.power = power,
	.lose_power = lose_power,
	.set_pins = set_pins,
	.receive = receive,
	.next = next_due,
	.step = step,
	.state = state,
	.is_sane = is_sane,
	.flash = flash,
	.swap_chip = swap_chip,
	.free = board_free,
};
