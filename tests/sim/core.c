/* SPDX-License-Identifier: MIT */
/*
 * core.c - the chip around the program: what Go leaves, the line, and the end by a reset.
 *
 * The program runs behind the clock of the line: what it sends is on its way for a byte's time, so
 * it may be looked at some part of that later, and what comes in was known before. Whoever drives
 * the simulator moves by core_next() and by bytes.
 */
#include "sim/core.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "sim/core-private.h"

#define LONGEST_STEP_NSEC  UINT64_C(50000)
#define SHORTEST_STEP_NSEC UINT64_C(2000)

static uint32_t ram_word(const struct core *core, uint32_t address)
{
	uint32_t word = 0;

	if (address - CORE_RAM_BASE <= core->ram_size - 4)
		memcpy(&word, core->ram + (address - CORE_RAM_BASE), 4);
	return word;
}

/* --- Board --- */

static struct core_usart *line_usart(struct core *core)
{
	for (size_t i = 0; i < ARRAY_SIZE(core->usarts) && core->usarts[i].facts; i++)
		if (core->usarts[i].facts == core->line)
			return &core->usarts[i];
	return NULL;
}

/* One for each set of registers; two choices of pins are one USART, on those of the line. */
static void find_usarts(struct core *core)
{
	unsigned number = core->knobs->usart ? core->knobs->usart - 1 : 0;
	size_t n = 0, k;

	core->line = &core->family->usarts[number];
	for (size_t i = 0; i < ARRAY_SIZE(core->family->usarts); i++) {
		const struct core_usart_facts *facts = &core->family->usarts[i];

		if (!facts->base)
			break;
		for (k = 0; k < n && core->usarts[k].facts->base != facts->base; k++)
			;
		if (k == n)
			n++;
		if (!core->usarts[k].facts || facts == core->line)
			core->usarts[k].facts = facts;
	}
}

/* aligned_alloc() wants a multiple of it. */
#define RAM_ALIGN 4096u

static void *new_core(const struct program_place *place)
{
	const struct sim_chip *chip = place->options->chip;
	struct core *core = calloc(1, sizeof(*core));
	uint32_t size = chip->ram_start - CORE_RAM_BASE + chip->ram_size;

	if (!core)
		return NULL;
	core->place = *place;
	core->knobs = &place->options->core;
	core->family = core_family_of(chip);
	core->state.is_there = cpu_is_there() && core->family;
	if (!core->state.is_there)
		return core;
	core->ram_size = core->knobs->ram_size && core->knobs->ram_size < size
				 ? core->knobs->ram_size
				 : size;
	core->ram = aligned_alloc(RAM_ALIGN, (core->ram_size + RAM_ALIGN - 1) & ~(RAM_ALIGN - 1));
	core->shadow = malloc(core->ram_size);
	core->ran = calloc(1, core->ram_size / 16 + 1);
	if (!core->ram || !core->shadow || !core->ran) {
		free(core->ram);
		free(core->shadow);
		free(core->ran);
		free(core);
		return NULL;
	}
	find_usarts(core);
	return core;
}

static void *free_core(void *program)
{
	struct core *core = program;

	if (!core)
		return NULL;
	cpu_free(core->cpu);
	free(core->ram);
	free(core->shadow);
	free(core->ran);
	free(core);
	return NULL;
}

/* --- Go --- */

static void fill_ram(struct core *core)
{
	const struct sim_chip *chip = core->place.options->chip;
	uint32_t offset = chip->ram_start - CORE_RAM_BASE;

	for (uint32_t i = 0; i < offset && i < core->ram_size; i++)
		core->ram[i] = (uint8_t)(i * 37 + (i >> 8) + 5);
	if (core->ram_size > offset)
		memcpy(core->ram + offset, core->place.memory->ram, core->ram_size - offset);
	memset(core->ran, 0, core->ram_size / 16 + 1);
}

/* The ROM's own USART is the first, at its rate, with even parity. */
static void leave_usart(struct core *core)
{
	struct core_usart *usart = &core->usarts[0];

	if (!core_has_clock(core, usart->facts->base))
		return;
	usart->cr1 = core->family->has_usart_v2 ? 0x140D : 0x340C;
	usart->brr = (uint32_t)(core_rcc_usart_hz(core, usart->facts) / 115200);
}

static void leave_as_rom_does(struct core *core)
{
	const struct core_gate *gates = core->family->gates;

	core_rcc_reset(core);
	core_gpio_reset(core);
	core_flash_reset(core);
	for (size_t i = 0; i < ARRAY_SIZE(core->usarts) && core->usarts[i].facts; i++)
		core_usart_reset(&core->usarts[i]);
	core_rcc_leave(core);
	if (core->knobs->go == SIM_CORE_GO_RESET)
		return;
	core_gpio_leave(core, core->usarts[0].facts);
	leave_usart(core);
	if (core->knobs->go == SIM_CORE_GO_NO_GPIO)
		core->rcc.registers[gates[0].enable / 4] &= ~(UINT32_C(0x3F) << gates[0].bit);
}

static enum cpu_model model_of(const struct core *core)
{
	switch (core->knobs->cpu) {
	case SIM_CORE_CPU_M0:
		return CPU_M0;
	case SIM_CORE_CPU_M3:
		return CPU_M3;
	case SIM_CORE_CPU_M4:
		return CPU_M4;
	case SIM_CORE_CPU_OWN:
		break;
	}
	return core->family->cpu;
}

/* All that belongs to one run; what was counted goes on. */
static void forget(struct core *core)
{
	core->is_over = core->is_hung = core->wants_reset = core->has_failed = false;
	core->clock = core->until = core->cycles = core->instructions = 0;
	core->block = 0;
	core->parked_until = 0;
	core->round = (struct core_round){0};
	core->polled_at = core->polled_instructions = core->kicked_at = core->received = 0;
	core->has_line = false;
	core->systick_control = 0;
	core->systick_reload = 0;
	core->state.baud = 0;
	core->state.first_sent_msec = 0;
	core->state.starts++;
	core->vtor =
		core->knobs->go == SIM_CORE_GO_PLL ? core->place.options->chip->system_memory : 0;
	memset(core->pwr, 0, sizeof(core->pwr));
	memset(core->syscfg, 0, sizeof(core->syscfg));
}

static void start_core(void *program, uint32_t address, uint64_t now)
{
	struct core *core = program;
	uint32_t sp, entry;

	if (!core->state.is_there)
		return;
	forget(core);
	core->origin = now;
	core->is_started = true;
	fill_ram(core);
	leave_as_rom_does(core);
	core->cpu = cpu_free(core->cpu);
	core->cpu = cpu_new(model_of(core), core->ram, core->ram_size, &core_cpu_ops, core);
	sp = ram_word(core, address);
	entry = ram_word(core, address + 4);
	/* Some ROMs do not load it: theirs, in their own RAM (F1 V2.0). */
	if (core->knobs->go == SIM_CORE_GO_RESET)
		sp = core->place.options->chip->ram_start - 16;
	if (!core->cpu || !(entry & 1)) {
		core_violation(core, "the entry is 0x%08X", entry);
		core->is_over = true;
		return;
	}
	cpu_set(core->cpu, entry, sp);
}

static void stop_core(void *program, uint64_t now)
{
	struct core *core = program;
	uint32_t offset = core->place.options->chip->ram_start - CORE_RAM_BASE;

	(void)now;
	if (!core->is_started)
		return;
	core->is_started = false;
	if (core->ram_size > offset)
		memcpy(core->place.memory->ram, core->ram + offset, core->ram_size - offset);
}

/* --- The line --- */

static void run_to(struct core *core, uint64_t nsec)
{
	if (nsec > core->origin)
		core_run(core, (nsec - core->origin) * CORE_FS_PER_NSEC);
}

static void strike(struct core *core)
{
	if (!core->knobs->stub_hang_received || ++core->received != core->knobs->stub_hang_received)
		return;
	if (core->knobs->hang_is_fault)
		core_fault(core, NULL);
	else
		core->is_hung = true;
}

static void receive_byte(void *program, const struct rom_byte *byte)
{
	struct core *core = program;
	struct core_usart *usart;

	if (!core->is_started)
		return;
	run_to(core, byte->end);
	core->parked_until = 0;
	core->round.event = 0;
	core_gpio_play(core, byte);
	usart = line_usart(core);
	if (usart)
		core_usart_receive(core, usart, byte);
	strike(core);
}

static uint64_t step_nsec(const struct core *core)
{
	uint64_t nsec =
		core->state.baud ? UINT64_C(5000000000) / core->state.baud : LONGEST_STEP_NSEC;

	if (nsec < SHORTEST_STEP_NSEC)
		nsec = SHORTEST_STEP_NSEC;
	return nsec < LONGEST_STEP_NSEC ? nsec : LONGEST_STEP_NSEC;
}

static uint64_t watchdog_at(const struct core *core)
{
	uint64_t nsec = core->knobs->iwdg_nsec ? core->knobs->iwdg_nsec : CORE_IWDG_NSEC;

	if (!core->knobs->iwdg)
		return SIM_NEVER;
	return core->origin + core->kicked_at / CORE_FS_PER_NSEC + nsec + 1;
}

static uint64_t next_of_core(const void *program)
{
	const struct core *core = program;
	uint64_t next;

	if (!core->is_started)
		return SIM_NEVER;
	if (core->wants_reset)
		return core_nsec(core);
	if (core->is_over || core->is_hung)
		return watchdog_at(core);
	next = core_nsec(core) + step_nsec(core);
	if (core->parked_until && core->origin + core->parked_until / CORE_FS_PER_NSEC + 1 > next)
		next = core->origin + core->parked_until / CORE_FS_PER_NSEC + 1;
	return next;
}

static void step_core(void *program)
{
	struct core *core = program;

	if (!core->wants_reset)
		run_to(core, next_of_core(core));
}

static enum program_wish wish_of_core(const void *program)
{
	const struct core *core = program;

	return core->wants_reset ? PROGRAM_RESETS : PROGRAM_STAYS;
}

const struct program_ops core_program = {
	.new = new_core,
	.free = free_core,
	.start = start_core,
	.stop = stop_core,
	.receive = receive_byte,
	.next = next_of_core,
	.step = step_core,
	.wish = wish_of_core,
};

/* --- For tests --- */

const struct sim_core_state *core_tell(const void *program)
{
	return &((const struct core *)program)->state;
}

uint32_t core_coverage(const void *program, uint32_t address, uint32_t size)
{
	const struct core *core = program;
	uint32_t n = 0;

	for (uint32_t i = 0; i < size / 2; i++) {
		uint32_t at = (address - CORE_RAM_BASE) / 2 + i;

		if (at < core->ram_size / 2 && core->ran[at / 8] >> at % 8 & 1)
			n++;
	}
	return n;
}
