/* SPDX-License-Identifier: MIT */
/*
 * sim.c - the board: power, the circuit between the bridge's lines and the chip, and which of ROM
 * and application has the serial line. What is behind the circuit of an Espressif chip is
 * esp-board.c's, of one of TI ti-board.c's; bytes, their faults and the bridge are the same for
 * all.
 */
#include <string.h>

#include "base/util.h"
#include "rules/wiring.h"
#include "sim/application.h"
#include "sim/core.h"
#include "sim/esp-board.h"
#include "sim/program.h"
#include "sim/resident.h"
#include "sim/rom.h"
#include "sim/spoken.h"
#include "sim/ti-board.h"

#define NSEC_PER_SEC UINT64_C(1000000000)

struct sim {
	struct sim_options options;
	struct fault fault;
	struct sim_counters counters;
	struct memory memory;
	struct rom rom;
	struct resident resident;
	struct application application;
	struct spoken spoken;		       /* in its place, where the flash has one */
	const struct program_ops *program_ops; /* of what may be started in the RAM, or NULL */
	void *program;
	struct outgoing outgoing;
	const struct board_ops *ops; /* of another chip; NULL: an STM32 */
	void *board;		     /* what they are for */
	enum sim_state state;
	bool is_started; /* the clock of the caller is known */
	bool is_powered;
	unsigned lines;
	uint32_t baud;
	bool even_parity;
	bool has_doubled; /* the byte sent last comes once more */
	uint8_t doubled;
	uint64_t now;
	bool was_empty;	    /* when the power came */
	bool is_astray;	    /* it was reset by itself, and by no line since ... */
	unsigned n_obeyed;  /* ... and the ROM had obeyed so many commands before ... */
	unsigned n_met;	    /* ... and was synchronised so often */
	uint64_t babble_at; /* the next byte of an endless stream */
};

/* --- The circuit --- */

struct pins {
	bool reset;
	bool boot0;
};

/* What the lines do at the chip; a line that is asserted is low (wiring.md 1). */
static struct pins circuit_pins(enum sim_circuit circuit, unsigned lines)
{
	bool dtr = lines & LINE_DTR;
	bool rts = lines & LINE_RTS;

	switch (circuit) {
	case SIM_CIRCUIT_DIRECT:
		return (struct pins){.reset = dtr, .boot0 = rts};
	case SIM_CIRCUIT_ONE_KEY:
		return (struct pins){.reset = rts && !dtr, .boot0 = rts};
	case SIM_CIRCUIT_ESP:
		return (struct pins){.reset = rts && !dtr, .boot0 = dtr && !rts};
	case SIM_CIRCUIT_BSL:
		return (struct pins){.reset = rts, .boot0 = dtr};
	case SIM_CIRCUIT_PLAIN:
		return (struct pins){.reset = dtr, .boot0 = !rts};
	case SIM_CIRCUIT_INVERTED:
		return (struct pins){.reset = !dtr, .boot0 = rts};
	case SIM_CIRCUIT_NONE:
		return (struct pins){.boot0 = false};
	case SIM_CIRCUIT_ROM:
		return (struct pins){.boot0 = true};
	}
	return (struct pins){.boot0 = false};
}

/* --- Starting and stopping --- */

static void start_application(struct sim *sim, uint32_t address, uint64_t now)
{
	if (!application_can_start(&sim->memory, address)) {
		sim->state = SIM_DEAD;
		return;
	}
	sim->state = SIM_APPLICATION;
	if (spoken_start(&sim->spoken, &sim->memory, now))
		return;
	application_start(&sim->application, &sim->memory, sim->options.chatter, now);
}

static uint32_t application_address(const struct sim *sim)
{
	uint32_t flash_base = sim->options.chip->flash_base;

	return sim->options.resident == SIM_RESIDENT_NONE ? flash_base
							  : flash_base + RESIDENT_BYTES;
}

static void enter_loader(struct sim *sim, uint64_t now)
{
	if (sim->options.resident == SIM_RESIDENT_NONE) {
		sim->state = SIM_ROM;
		rom_enter(&sim->rom, now);
	} else {
		sim->state = SIM_LOADER;
		resident_enter(&sim->resident, now);
	}
}

static bool flash_is_empty(const struct sim *sim)
{
	const struct sim_chip *chip = sim->options.chip;

	return memory_read_word(&sim->memory, chip->flash_base) ==
	       chip->erased_value * UINT32_C(0x01010101);
}

/* By the flag, where there is one that a reset leaves as it is. */
static bool counts_as_empty(const struct sim *sim)
{
	return sim->options.latches_empty ? sim->was_empty : flash_is_empty(sim);
}

/* Out of reset: BOOT0 is sampled now. */
static void boot(struct sim *sim, uint64_t now)
{
	bool boot0 = circuit_pins(sim->options.circuit, sim->lines).boot0;

	memory_reset(&sim->memory);
	if (boot0 || (sim->options.enters_rom_when_empty && counts_as_empty(sim))) {
		enter_loader(sim, now);
		if (sim->options.chip->clears_empty_flag)
			sim->was_empty = false;
	} else if (sim->options.resident != SIM_RESIDENT_NONE &&
		   !application_can_start(&sim->memory, application_address(sim)))
		enter_loader(sim, now);
	else
		start_application(sim, application_address(sim), now);
}

/* Whatever ran stops in the middle of what it did. */
static void halt(struct sim *sim, enum sim_state state, uint64_t now)
{
	if (sim->state == SIM_PROGRAM)
		sim->program_ops->stop(sim->program, now);
	sim->state = state;
	application_stop(&sim->application);
	spoken_stop(&sim->spoken);
	outgoing_cut(&sim->outgoing, now);
}

static void hold_or_boot(struct sim *sim, uint64_t now)
{
	if (circuit_pins(sim->options.circuit, sim->lines).reset)
		return;
	boot(sim, now);
}

static void reset(struct sim *sim, uint64_t now)
{
	halt(sim, SIM_RESET, now);
	sim->counters.resets++;
	hold_or_boot(sim, now);
}

static void obey_rom(struct sim *sim)
{
	struct rom *rom = &sim->rom;
	uint64_t at = rom->clock;

	switch (rom->wish) {
	case ROM_STAYS:
		break;
	case ROM_RESETS:
		reset(sim, at);
		break;
	case ROM_STARTS:
		if (!sim->program || memory_area(&sim->memory, rom->start_address) != MEMORY_RAM) {
			start_application(sim, rom->start_address, at);
			break;
		}
		sim->state = SIM_PROGRAM;
		sim->program_ops->start(sim->program, rom->start_address, at);
		break;
	}
}

static void step_program(struct sim *sim)
{
	uint64_t at = sim->program_ops->next(sim->program);

	sim->program_ops->step(sim->program);
	if (sim->program_ops->wish(sim->program) == PROGRAM_RESETS)
		reset(sim, at);
}

/* Silicon Labs' loader starts by a reset, after which it looks whether there is an application. */
static void step_resident(struct sim *sim)
{
	resident_step(&sim->resident);
	if (!sim->resident.wants_start)
		return;
	if (sim->options.resident == SIM_RESIDENT_GECKO &&
		!application_can_start(&sim->memory, application_address(sim)))
		enter_loader(sim, sim->resident.clock);
	else
		start_application(sim, application_address(sim), sim->resident.clock);
}

/* What an application that speaks a protocol does of its own accord. */
static void advance_spoken(struct sim *sim, uint64_t now)
{
	while (sim->state == SIM_APPLICATION && spoken_next(&sim->spoken) <= now) {
		if (spoken_has_left(&sim->spoken, spoken_next(&sim->spoken))) {
			uint64_t at = sim->spoken.leaves_at;

			halt(sim, SIM_RESET, at);
			enter_loader(sim, at);
		} else {
			spoken_step(&sim->spoken);
		}
	}
}

static void advance_board(struct sim *sim, uint64_t now)
{
	if (!sim->is_started) {
		struct pins pins = circuit_pins(sim->options.circuit, sim->lines);

		sim->is_started = true;
		sim->babble_at = now;
		sim->ops->set_pins(sim->board, pins.reset, pins.boot0, now);
		sim->ops->power(sim->board, now);
	}
	while (sim->ops->next(sim->board) <= now)
		sim->ops->step(sim->board);
	if (now > sim->now)
		sim->now = now;
}

/* Does all that is due by `now`, in order. */
static void advance(struct sim *sim, uint64_t now)
{
	if (sim->ops) {
		advance_board(sim, now);
		return;
	}
	if (!sim->is_started) {
		sim->is_started = true;
		sim->babble_at = now;
		halt(sim, SIM_RESET, now);
		hold_or_boot(sim, now);
	}
	while (sim->state == SIM_ROM && rom_next(&sim->rom) <= now) {
		if (sim->rom.wish != ROM_STAYS && !sim->rom.work)
			obey_rom(sim);
		else
			rom_step(&sim->rom);
	}
	advance_spoken(sim, now);
	while (sim->state == SIM_PROGRAM && sim->program_ops->next(sim->program) <= now)
		step_program(sim);
	while (sim->state == SIM_LOADER && resident_next(&sim->resident) <= now)
		step_resident(sim);
	if (sim->state == SIM_APPLICATION && sim->application.leaves_at <= now) {
		halt(sim, SIM_RESET, now);
		enter_loader(sim, now);
	}
	if (now > sim->now)
		sim->now = now;
}

static unsigned count_commands(const struct sim *sim)
{
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sim->counters.commands); i++)
		n += sim->counters.commands[i];
	return n;
}

static void end_straying(struct sim *sim)
{
	if (sim->is_astray)
		sim->counters.stray_commands += count_commands(sim) - sim->n_obeyed;
	sim->is_astray = false;
}

void sim_set_lines(struct sim *sim, unsigned lines, uint64_t now)
{
	struct pins pins = circuit_pins(sim->options.circuit, lines);
	bool was_reset = circuit_pins(sim->options.circuit, sim->lines).reset;
	bool is_reset = pins.reset;

	if (!sim->is_started)
		sim->lines = lines;
	advance(sim, now);
	sim->lines = lines;
	sim->spoken.is_clear = lines & LINE_RTS;
	if (sim->ops) {
		sim->ops->set_pins(sim->board, pins.reset, pins.boot0, now);
		return;
	}
	if (!sim->is_powered || was_reset == is_reset)
		return;
	if (is_reset) {
		halt(sim, SIM_RESET, now);
		sim->counters.resets++;
		end_straying(sim);
	} else if (sim->state == SIM_RESET) {
		boot(sim, now);
	}
}

void sim_power(struct sim *sim, uint64_t now)
{
	advance(sim, now);
	sim->fault.vanished = false;
	sim->is_powered = true;
	if (sim->ops) {
		sim->ops->power(sim->board, now);
		return;
	}
	sim->was_empty = flash_is_empty(sim);
	memory_lose_ram(&sim->memory);
	reset(sim, now);
}

/* --- Bytes --- */

uint64_t sim_byte_nsec(const struct sim *sim)
{
	return (sim->even_parity ? 11 : 10) * NSEC_PER_SEC / sim->baud;
}

void sim_set_format(struct sim *sim, uint32_t baud, bool even_parity, uint64_t now)
{
	advance(sim, now);
	sim->baud = baud;
	sim->even_parity = even_parity;
}

static void lose_power(struct sim *sim, uint64_t now)
{
	if (sim->ops) {
		sim->ops->lose_power(sim->board, now);
		sim->is_powered = false;
		return;
	}
	halt(sim, SIM_DEAD, now);
	sim->is_powered = false;
	memory_lose_ram(&sim->memory);
}

/* Those that run from the flash do so at one format. */
static uint8_t as_heard_from_flash(struct sim *sim, uint8_t byte)
{
	return sim_rates_fit(sim->baud, RESIDENT_BAUD) && !sim->even_parity
		       ? byte
		       : fault_garble(&sim->fault, byte);
}

static uint8_t as_heard_by_spoken(struct sim *sim, uint8_t byte)
{
	return sim_rates_fit(sim->baud, sim->spoken.baud) && !sim->even_parity
		       ? byte
		       : fault_garble(&sim->fault, byte);
}

static void hand_over(struct sim *sim, uint8_t byte, uint64_t now)
{
	const struct rom_byte arrived = {
		.byte = byte,
		.baud = sim->baud,
		.even_parity = sim->even_parity,
		.begin = now - sim_byte_nsec(sim),
		.end = now,
	};

	if (sim->ops) {
		sim->ops->receive(sim->board, &arrived);
		return;
	}
	switch (sim->state) {
	case SIM_ROM:
		rom_receive(&sim->rom, &arrived);
		break;
	case SIM_PROGRAM:
		sim->program_ops->receive(sim->program, &arrived);
		break;
	case SIM_LOADER:
		resident_receive(&sim->resident, as_heard_from_flash(sim, byte), now);
		break;
	case SIM_APPLICATION:
		if (sim->spoken.protocol) {
			spoken_receive(&sim->spoken, as_heard_by_spoken(sim, byte), now);
			break;
		}
		application_receive(
			&sim->application, &sim->memory, as_heard_from_flash(sim, byte), now);
		break;
	case SIM_RESET:
	case SIM_DEAD:
		break;
	}
}

static void reset_itself(struct sim *sim, uint64_t now)
{
	if (sim->fault.knobs.reset_is_dip) {
		sim->was_empty = flash_is_empty(sim);
		memory_lose_ram(&sim->memory);
	}
	reset(sim, now);
	sim->is_astray = true;
	sim->n_obeyed = count_commands(sim);
	sim->n_met = sim->counters.syncs;
}

static void count_stray(struct sim *sim)
{
	if (sim->counters.syncs != sim->n_met)
		end_straying(sim);
	if (sim->is_astray && sim->state == SIM_ROM)
		sim->counters.strays_to_rom++;
	else if (sim->is_astray)
		sim->counters.strays_to_others++;
}

void sim_receive(struct sim *sim, uint8_t byte, uint64_t now)
{
	bool arrives;

	advance(sim, now);
	if (sim->fault.vanished || !sim->is_powered)
		return;
	sim->counters.received++;
	arrives = fault_pass_received(&sim->fault, &byte);
	if (fault_cuts_power(&sim->fault)) {
		lose_power(sim, now);
		return;
	}
	if (fault_resets(&sim->fault) && !sim->ops) {
		reset_itself(sim, now);
		return;
	}
	if (fault_takes_bridge(&sim->fault))
		sim->fault.vanished = true;
	count_stray(sim);
	if (!arrives || fault_is_deaf(&sim->fault))
		return;
	hand_over(sim, byte, now);
	if (fault_doubles_received(&sim->fault))
		hand_over(sim, byte, now);
}

static bool bridge_hears(const struct sim *sim, const struct outgoing_byte *sent)
{
	return sent->even_parity == sim->even_parity && sim_rates_fit(sim->baud, sent->baud);
}

/* When the first byte of any source is out. */
static uint64_t next_byte_at(const struct sim *sim)
{
	const struct outgoing_byte *first = outgoing_peek(&sim->outgoing);
	uint64_t application_at = sim->application.text ? sim->application.next_at : SIM_NEVER;

	if (!sim->is_powered || sim->fault.vanished)
		return SIM_NEVER;
	if (fault_babbles(&sim->fault))
		return sim->babble_at;
	return first && first->at <= application_at ? first->at : application_at;
}

/* The byte of next_byte_at(). */
static struct outgoing_byte take_next(struct sim *sim)
{
	const struct outgoing_byte *first = outgoing_peek(&sim->outgoing);
	struct outgoing_byte taken = {
		.at = next_byte_at(sim), .baud = sim->baud, .even_parity = sim->even_parity};

	if (fault_babbles(&sim->fault)) {
		sim->babble_at += sim_byte_nsec(sim);
		if (sim->fault.knobs.ack_stream)
			taken.byte = ROM_ACK;
		else if (sim->fault.knobs.call_stream)
			taken.byte = 'C';
		else if (sim->fault.knobs.text_stream)
			taken.byte = (uint8_t)sim->fault.knobs
					     .text_stream[sim->fault.sent %
							  strlen(sim->fault.knobs.text_stream)];
		else
			taken.byte = (uint8_t)fault_random(&sim->fault);
	} else if (first && first->at == taken.at) {
		taken = *first;
		outgoing_pop(&sim->outgoing);
	} else {
		taken.baud = APPLICATION_BAUD;
		taken.even_parity = false;
		taken.byte = application_take(&sim->application);
	}
	return taken;
}

bool sim_send(struct sim *sim, uint8_t *ret, uint64_t now)
{
	advance(sim, now);
	if (sim->has_doubled) {
		sim->has_doubled = false;
		*ret = sim->doubled;
		return true;
	}
	while (next_byte_at(sim) <= now) {
		struct outgoing_byte sent = take_next(sim);

		if (sim->fault.knobs.silent || !fault_pass_sent(&sim->fault, &sent.byte))
			continue;
		sim->counters.sent++;
		if (sim->babble_at < sent.at)
			sim->babble_at = sent.at; /* should it begin now */
		*ret = bridge_hears(sim, &sent) ? sent.byte : fault_garble(&sim->fault, sent.byte);
		sim->has_doubled = fault_doubles_sent(&sim->fault);
		sim->doubled = *ret;
		return true;
	}
	return false;
}

uint64_t sim_next(const struct sim *sim)
{
	uint64_t next = next_byte_at(sim);

	if (!sim->is_started)
		return 0;
	if (sim->ops)
		return sim->ops->next(sim->board) < next ? sim->ops->next(sim->board) : next;
	if (sim->state == SIM_ROM && rom_next_visible(&sim->rom) < next)
		next = rom_next_visible(&sim->rom);
	if (sim->state == SIM_PROGRAM && sim->program_ops->next(sim->program) < next)
		next = sim->program_ops->next(sim->program);
	if (sim->state == SIM_LOADER && resident_next(&sim->resident) < next)
		next = resident_next(&sim->resident);
	if (sim->state == SIM_APPLICATION && sim->application.leaves_at < next)
		next = sim->application.leaves_at;
	if (sim->state == SIM_APPLICATION && spoken_next(&sim->spoken) < next)
		next = spoken_next(&sim->spoken);
	return next;
}

/* --- Around it --- */

static void *board_new(struct sim *sim)
{
	const struct sim_options *options = &sim->options;

	return options->chip->ti ? (void *)tiboard_new(options, &sim->fault, &sim->counters,
					   &sim->outgoing, &sim->application)
				 : (void *)espboard_new(options, &sim->fault, &sim->counters,
					   &sim->outgoing, &sim->application);
}

struct sim *sim_new(const struct sim_options *options)
{
	static const uint8_t none[12];
	struct sim *sim = calloc(1, sizeof(*sim));

	if (!sim)
		return NULL;
	sim->options = *options;
	sim->state = SIM_RESET;
	sim->is_powered = true;
	sim->baud = 9600; /* what Linux opens a port with */
	fault_set(&sim->fault, &options->faults);
	if (!memcmp(sim->options.unique_id, none, sizeof(none))) {
		for (size_t i = 0; i < sizeof(none); i++)
			sim->options.unique_id[i] = (uint8_t)fault_random(&sim->fault);
	}
	if (!memory_init(&sim->memory, options->chip, &sim->fault, &sim->counters,
		    sim->options.unique_id))
		return sim_free(sim);
	sim->was_empty = sim->memory.flash && flash_is_empty(sim);
	sim->rom = (struct rom){.chip = options->chip,
		.fault = &sim->fault,
		.counters = &sim->counters,
		.memory = &sim->memory,
		.outgoing = &sim->outgoing};
	sim->resident = (struct resident){.chip = options->chip,
		.fault = &sim->fault,
		.counters = &sim->counters,
		.memory = &sim->memory,
		.outgoing = &sim->outgoing,
		.kind = options->resident};
	/* The loader's own code: any bytes, as long as they are not those of an erased flash. */
	if (options->resident != SIM_RESIDENT_NONE)
		memset(sim->memory.flash, 0x4A, RESIDENT_BYTES);
	sim->spoken = (struct spoken){.chip = options->chip,
		.fault = &sim->fault,
		.counters = &sim->counters,
		.outgoing = &sim->outgoing};
	spoken_stop(&sim->spoken);
	sim->application.options = &sim->options;
	application_stop(&sim->application);
	sim->program_ops = program_of(options->program);
	if (sim->program_ops) {
		sim->program = sim->program_ops->new (&(struct program_place){
			&sim->options, &sim->fault, &sim->counters, &sim->memory, &sim->outgoing});
		if (!sim->program)
			return sim_free(sim);
	}
	if (!options->chip->esp && !options->chip->ti)
		return sim;
	sim->ops = options->chip->ti ? &tiboard_ops : &espboard_ops;
	sim->board = board_new(sim);
	return sim->board ? sim : sim_free(sim);
}

struct sim *sim_free(struct sim *sim)
{
	if (!sim)
		return NULL;
	if (sim->ops)
		sim->ops->free(sim->board);
	if (sim->program)
		sim->program_ops->free(sim->program);
	memory_done(&sim->memory);
	free(sim);
	return NULL;
}

bool sim_has_vanished(const struct sim *sim)
{
	return sim->fault.vanished;
}

void sim_set_faults(struct sim *sim, const struct sim_faults *faults)
{
	fault_set(&sim->fault, faults);
	sim->babble_at = sim->now;
	if (faults->protect)
		memory_protect_readout(&sim->memory, true);
}

uint8_t *sim_flash(struct sim *sim)
{
	return sim->ops ? sim->ops->flash(sim->board, &(uint32_t){0}) : sim->memory.flash;
}

void sim_protect_sectors(struct sim *sim, uint32_t sectors)
{
	sim->memory.write_protected = sectors;
}

uint32_t sim_flash_size(const struct sim *sim)
{
	uint32_t size = sim->options.chip->flash_size;

	if (sim->ops)
		sim->ops->flash(sim->board, &size);
	return size;
}

const struct sim_esp_state *sim_esp(const struct sim *sim)
{
	return sim->ops == &espboard_ops ? espboard_tell(sim->board) : NULL;
}

const struct sim_core_state *sim_core(const struct sim *sim)
{
	return sim->program_ops == &core_program ? core_tell(sim->program) : NULL;
}

uint32_t sim_core_coverage(const struct sim *sim, uint32_t address, uint32_t size)
{
	return sim->program_ops == &core_program ? core_coverage(sim->program, address, size) : 0;
}

const struct sim_ti_state *sim_ti(const struct sim *sim)
{
	return sim->ops == &tiboard_ops ? tiboard_tell(sim->board) : NULL;
}

void sim_swap_chip(struct sim *sim)
{
	sim->memory.unique_id[0] ^= 0xFF;
	if (sim->ops)
		sim->ops->swap_chip(sim->board);
}

const uint8_t *sim_unique_id(const struct sim *sim)
{
	return sim->memory.unique_id;
}

enum sim_state sim_state(const struct sim *sim)
{
	return sim->ops ? sim->ops->state(sim->board) : sim->state;
}

bool sim_application_is_sane(const struct sim *sim)
{
	if (sim->ops)
		return sim->ops->is_sane(sim->board);
	return application_can_start(&sim->memory, application_address(sim));
}

const struct sim_counters *sim_counters(const struct sim *sim)
{
	return &sim->counters;
}
