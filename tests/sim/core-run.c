/* SPDX-License-Identifier: MIT */
/*
 * core-run.c - time on the emulated processor.
 *
 * Each block of instructions costs its number times the cycles of one, at the clock that the
 * program itself has set up. A program that waits would be most of the work: 24 seconds of a line
 * are a thousand million instructions. So a loop that waits is jumped over, by whole rounds, up to
 * the moment at which a register may read differently.
 *
 * What a waiting loop is must not be known from the program. A round lies between two reads of one
 * register at one place. Two rounds are equal where the same blocks ran, the same registers were
 * read and written, and all of it had the same values, SysTick left aside, and nothing happened
 * meanwhile that was not looked at yet. That is so inside of a
 * sum over the RAM as well, which looks at the USART now and then; therefore registers and the
 * RAM must be equal too, but for words that went on with the time: what was read from SysTick, or
 * is counted by it. Then one more round would be the same again, and so all the rounds up to the
 * next event. A round that was found so again and again is known, and one of it is enough.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "sim/core-private.h"

#define LONGEST_JUMP	     (1000000 * CORE_FS_PER_NSEC)
#define LONGEST_ROUND	     1500 /* instructions */
#define LONGEST_KICK	     (100 * 1000000 * CORE_FS_PER_NSEC)
#define CHUNK		     64
#define INSTRUCTIONS_TO_MASK 8
#define ROUNDS_TO_KNOW	     4

uint64_t core_nsec(const struct core *core)
{
	return core->origin + core->clock / CORE_FS_PER_NSEC;
}

void core_violation(struct core *core, const char *format, ...)
{
	va_list arguments;
	size_t n;

	if (!core->state.violations++) {
		va_start(arguments, format);
		vsnprintf(core->state.violation, sizeof(core->state.violation), format, arguments);
		va_end(arguments);
		n = strlen(core->state.violation);
		snprintf(core->state.violation + n, sizeof(core->state.violation) - n,
			" (about 0x%08X, %llu us after Go)", core->block,
			(unsigned long long)(core->clock / CORE_FS_PER_NSEC / 1000));
	}
	if (!core->knobs->goes_on)
		core->is_over = true;
}

void core_set_speed(struct core *core)
{
	unsigned percent = core->knobs->cycles_percent ? core->knobs->cycles_percent : 150;
	uint64_t hz = core->rcc.hclk_hz;

	hz = hz / 10000 * (uint64_t)(10000 + core->knobs->clock_permyriad);
	core->fs_per_instruction = UINT64_C(1000000000000000) / hz * percent / 100;
	core->cycles_per_instruction = percent;
	core->state.clock_hz = (uint32_t)hz;
}

/* --- Rounds --- */

static void mix(struct core *core, uint64_t value)
{
	core->round.hash = (core->round.hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
	core->round.hash ^= core->round.hash >> 29;
}

static uint64_t next_event(const struct core *core)
{
	uint64_t next = core_usart_next(core);

	if (core->flash.busy_until > core->clock && core->flash.busy_until < next)
		next = core->flash.busy_until;
	if (core_gpio_next(core) < next)
		next = core_gpio_next(core);
	if (core_rcc_next(core) < next)
		next = core_rcc_next(core);
	return next;
}

static void begin_round(struct core *core)
{
	struct core_round *round = &core->round;

	round->hash = 0;
	round->acts = round->polls = round->kicks = false;
	round->begin_fs = core->clock;
	round->begin_cycles = core->cycles;
	round->begin_instructions = core->instructions;
	round->event = next_event(core);
}

/* Its own, or one that is forgotten for it. */
static struct core_loop *find_loop(struct core_round *round)
{
	uint64_t key = round->anchor ^ round->hash;
	struct core_loop *loop = &round->loops[key % CORE_LOOPS];

	if (loop->key != key)
		*loop = (struct core_loop){.key = key};
	return loop;
}

static bool is_known(const struct core_loop *loop)
{
	return loop->n_waited >= ROUNDS_TO_KNOW && !loop->is_none;
}

static void end_round(struct core *core)
{
	struct core_round *round = &core->round;

	round->loop = find_loop(round);
	round->is_equal = (round->hash == round->last_hash || is_known(round->loop)) &&
			  !round->acts && !round->loop->is_none && core->clock < round->event;
	round->last_hash = round->hash;
	round->fs = core->clock - round->begin_fs;
	round->cycles = core->cycles - round->begin_cycles;
	round->polled = round->polls;
	round->kicked = round->kicks;
	if (!round->is_equal) {
		round->has_shadow = false;
		core->parked_until = 0;
	}
	begin_round(core);
}

void core_note_read(struct core *core, uint32_t address, uint32_t value)
{
	uint64_t place = (uint64_t)core->block << 32 | address;
	struct core_round *round = &core->round;

	mix(core, address);
	mix(core, value);
	if (place == round->anchor) {
		end_round(core);
	} else if (!round->anchor ||
		   core->instructions - round->begin_instructions > LONGEST_ROUND) {
		round->anchor = place;
		round->last_hash = 0;
		round->has_shadow = false;
		core->parked_until = 0;
		begin_round(core);
	}
}

void core_note_write(struct core *core, uint32_t address, uint32_t value)
{
	mix(core, ~(uint64_t)address);
	mix(core, value);
	core->round.acts = true;
}

/* Both are counted by the time that went by, up or down; SysTick has 24 bits. */
static bool went_on_with_time(uint32_t before, uint32_t now, uint64_t cycles)
{
	uint32_t up = (now - before) & 0xFFFFFF, down = (before - now) & 0xFFFFFF;
	uint32_t by = (uint32_t)(cycles / 100) & 0xFFFFFF;

	return up - by + 2 <= 4 || down - by + 2 <= 4;
}

/* Whether all that the program has is what it was, but for what goes on with time. */
static bool has_stood_still(struct core *core, const uint32_t *registers, uint64_t cycles)
{
	for (unsigned i = 0; i < CPU_REGISTERS; i++)
		if (registers[i] != core->round.registers[i] &&
			!went_on_with_time(core->round.registers[i], registers[i], cycles))
			return false;
	for (uint32_t at = 0; at < core->ram_size; at += CHUNK) {
		uint32_t before[CHUNK / 4], now[CHUNK / 4];

		if (!memcmp(core->ram + at, core->shadow + at, CHUNK))
			continue;
		memcpy(before, core->shadow + at, CHUNK);
		memcpy(now, core->ram + at, CHUNK);
		for (unsigned i = 0; i < CHUNK / 4; i++)
			if (now[i] != before[i] && !went_on_with_time(before[i], now[i], cycles))
				return false;
	}
	return true;
}

static void jump(struct core *core)
{
	struct core_round *round = &core->round;
	uint64_t next = next_event(core), rounds;

	if (next > core->until + LONGEST_JUMP)
		next = core->until + LONGEST_JUMP;
	core->parked_until = next;
	if (next > core->until)
		next = core->until;
	if (next > core->clock + LONGEST_JUMP)
		next = core->clock + LONGEST_JUMP;
	if (next <= core->clock || !round->fs)
		return;
	/* One more is left: this one may have read SysTick already, and look at a pin afterwards.
	 */
	rounds = (next - core->clock) / round->fs;
	if (!rounds--)
		return;
	core->clock += rounds * round->fs;
	core->cycles += rounds * round->cycles;
	round->begin_fs += rounds * round->fs;
	round->begin_cycles += rounds * round->cycles;
	core->state.parked_nsec += rounds * round->fs / CORE_FS_PER_NSEC;
	if (round->polled)
		core->polled_at += rounds * round->fs;
	if (round->kicked)
		core->kicked_at += rounds * round->fs;
}

/* The last round was equal to the one before. */
static void consider_jump(struct core *core)
{
	struct core_round *round = &core->round;
	uint32_t registers[CPU_REGISTERS];
	bool waits = false;

	cpu_registers(core->cpu, registers);
	if (round->has_shadow) {
		waits = has_stood_still(core, registers, core->cycles - round->shadow_cycles);
		round->loop->n_waited += waits;
		round->loop->is_none = !waits;
	}
	memcpy(round->registers, registers, sizeof(registers));
	memcpy(core->shadow, core->ram, core->ram_size);
	round->has_shadow = true;
	round->shadow_cycles = core->cycles;
	if (waits)
		jump(core);
	else
		core->parked_until = 0;
}

/* --- Instructions --- */

static bool on_block(void *userdata, uint32_t address, uint32_t n)
{
	struct core *core = userdata;
	uint32_t at = (address - CORE_RAM_BASE) / 2;

	if (core->round.is_equal) {
		core->round.is_equal = false;
		if (is_known(core->round.loop))
			jump(core);
		else
			consider_jump(core);
	}
	if (core->is_over || core->wants_reset || core->clock >= core->until) {
		core->is_stopping = true;
		return false;
	}
	core->block = address;
	core->block_begin = core->clock;
	core->clock += n * core->fs_per_instruction;
	core->cycles += n * core->cycles_per_instruction;
	core->instructions += n;
	mix(core, address);
	if (at < core->ram_size / 2 && core->ran[at / 8] >> at % 8 & 1)
		return true;
	for (; n && at < core->ram_size / 2; n--, at++)
		core->ran[at / 8] |= (uint8_t)(1u << at % 8);
	return true;
}

void core_note_poll(struct core *core)
{
	uint64_t gap = core->clock - core->polled_at;
	uint64_t instructions = core->instructions - core->polled_instructions;
	uint32_t baud = core->state.baud;

	core->round.polls = true;
	core->polled_at = core->clock;
	core->polled_instructions = core->instructions;
	if (!core->has_line)
		return;
	if (instructions > core->state.poll_instructions)
		core->state.poll_instructions = (unsigned)instructions;
	if (gap / CORE_FS_PER_NSEC > core->state.poll_nsec)
		core->state.poll_nsec = gap / CORE_FS_PER_NSEC;
	if (!core->knobs->forgives_polls && baud && gap > 10 * (UINT64_C(1000000000000000) / baud))
		core_violation(core,
			"%llu ns and %llu instructions without a look at the USART, at %u baud",
			(unsigned long long)(gap / CORE_FS_PER_NSEC),
			(unsigned long long)instructions, baud);
}

/* Into its own handler where it has vectors in RAM, else where the ROM's lead. */
void core_fault(struct core *core, const char *why)
{
	uint32_t handler = 0;

	if (why)
		core_violation(core, "%s", why);
	if (core->vtor >= CORE_RAM_BASE && core->vtor - CORE_RAM_BASE + 16 <= core->ram_size)
		memcpy(&handler, core->ram + (core->vtor - CORE_RAM_BASE) + 12, 4);
	/* Its handler need not keep the watchdog: that ends it where no host does. */
	core->has_failed = true;
	if (handler & 1)
		cpu_set(core->cpu, handler, CORE_RAM_BASE + core->ram_size - 0x20);
	else if (core->family->has_gpio_f1)
		core->wants_reset = true; /* ROM V2.2: its HardFault handler resets */
	else
		core->is_hung = true;
}

static void check_interrupts(struct core *core)
{
	if (core->knobs->go == SIM_CORE_GO_INTERRUPTS && !core->is_hung &&
		core->instructions > INSTRUCTIONS_TO_MASK && !cpu_masks_interrupts(core->cpu))
		core_violation(core, "an interrupt is pending, and nothing holds it off");
}

static void check_watchdog(struct core *core)
{
	uint64_t nsec = core->knobs->iwdg_nsec ? core->knobs->iwdg_nsec : CORE_IWDG_NSEC;

	if (core->clock - core->kicked_at > LONGEST_KICK && !core->is_hung && !core->is_over &&
		!core->has_failed)
		core_violation(core, "the watchdog was not kicked for 100 ms");
	if (core->knobs->iwdg && core->clock - core->kicked_at > nsec * CORE_FS_PER_NSEC)
		core->wants_reset = true;
}

void core_run(struct core *core, uint64_t until)
{
	uint64_t begin = core->clock;

	core->until = until;
	while (core->clock < until && !core->is_over && !core->wants_reset && !core->is_hung) {
		const char *error;

		core->is_stopping = false;
		error = cpu_run(core->cpu);
		if (error)
			core_fault(core, error);
		else if (!core->is_stopping)
			core_violation(core, "it stops by itself, at 0x%08X", cpu_pc(core->cpu));
		check_interrupts(core);
	}
	if (core->clock < until && !core->wants_reset)
		core->clock = until;
	check_watchdog(core);
	core->state.instructions = core->instructions;
	core->state.ran_nsec += (core->clock - begin) / CORE_FS_PER_NSEC;
}

const struct cpu_ops core_cpu_ops = {
	.block = on_block,
	.read = core_bus_read,
	.write = core_bus_write,
};
