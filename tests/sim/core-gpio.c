/* SPDX-License-Identifier: MIT */
/*
 * core-gpio.c - pins: which of them a USART has, and the levels that the program can look at.
 *
 * A byte is known to the simulator at its end alone. So that the program can see its bits, they are
 * played at the pin from that moment on, a byte's time late: bytes without a gap are a wave without
 * a gap all the same, and only such a wave is measured.
 */
#include "base/util.h"
#include "sim/core-private.h"

enum { MODER = 0x00, PUPDR = 0x0C, IDR = 0x10, AFRL = 0x20 };
enum { F1_CRL = 0x00, F1_IDR = 0x08, F1_ODR = 0x0C, F1_BSRR = 0x10, F1_BRR = 0x14 };
enum { BSRR = 0x18 };

static uint32_t get(const struct core *core, unsigned port, uint32_t offset)
{
	return core->gpio.registers[port][offset / 4];
}

/* Four bits of an F1's pin: mode, then what it is. */
static uint32_t f1_pin(const struct core *core, unsigned port, unsigned pin)
{
	return get(core, port, F1_CRL + (pin / 8) * 4) >> (4 * (pin % 8)) & 0xF;
}

static uint32_t mode_of(const struct core *core, unsigned port, unsigned pin)
{
	return get(core, port, MODER) >> (2 * pin) & 3;
}

static uint32_t function_of(const struct core *core, unsigned port, unsigned pin)
{
	return get(core, port, AFRL + (pin / 8) * 4) >> (4 * (pin % 8)) & 0xF;
}

static bool has_clock(const struct core *core, unsigned port)
{
	return core_has_clock(core, core->family->gpio + port * 0x400);
}

static bool is_there(const struct core *core, const struct core_usart_facts *facts)
{
	return (core->syscfg[facts->remap_register / 4] & facts->remap) == facts->remap;
}

bool core_gpio_sends(const struct core *core, const struct core_usart_facts *facts)
{
	if (!has_clock(core, facts->port) || !is_there(core, facts))
		return false;
	if (core->family->has_gpio_f1) /* alternate function, push-pull, at any speed */
		return (f1_pin(core, facts->port, facts->tx) & 0xC) == 0x8 &&
		       f1_pin(core, facts->port, facts->tx) & 3;
	return mode_of(core, facts->port, facts->tx) == 2 &&
	       function_of(core, facts->port, facts->tx) == facts->alternate;
}

bool core_gpio_hears(const struct core *core, const struct core_usart_facts *facts)
{
	if (!has_clock(core, facts->port) || !is_there(core, facts))
		return false;
	if (core->family->has_gpio_f1) /* an input, floating or with a pull */
		return f1_pin(core, facts->port, facts->rx) == 0x4 ||
		       f1_pin(core, facts->port, facts->rx) == 0x8;
	return mode_of(core, facts->port, facts->rx) == 2 &&
	       function_of(core, facts->port, facts->rx) == facts->alternate;
}

/* --- Levels --- */

void core_gpio_play(struct core *core, const struct rom_byte *byte)
{
	struct core_wave *wave = &core->gpio.wave;
	uint64_t bit_fs = UINT64_C(1000000000000000) / byte->baud;
	uint64_t begin = (byte->end - core->origin) * CORE_FS_PER_NSEC;
	unsigned n_bits = byte->even_parity ? 11 : 10, at;
	uint32_t bits = (uint32_t)byte->byte << 1;

	if (byte->end < core->origin)
		return;
	if (byte->even_parity)
		bits |= (uint32_t)__builtin_parity(byte->byte) << 9;
	bits |= UINT32_C(1) << (n_bits - 1);
	if (wave->n_bytes == CORE_WAVE) {
		wave->first = (wave->first + 1) % CORE_WAVE;
		wave->n_bytes--;
	}
	/* Ends of bytes are whole nanoseconds; their bits are not. */
	if (wave->n_bytes) {
		uint64_t last = wave->bytes[(wave->first + wave->n_bytes - 1) % CORE_WAVE].end;
		uint64_t slack = 2 * CORE_FS_PER_NSEC;

		if (begin < last + slack && begin + slack * 200 > last)
			begin = last;
	}
	at = (wave->first + wave->n_bytes++) % CORE_WAVE;
	wave->bytes[at].begin = begin;
	wave->bytes[at].bit_fs = bit_fs;
	wave->bytes[at].end = begin + n_bits * bit_fs;
	wave->bytes[at].bits = bits;
	wave->bytes[at].n_bits = n_bits;
}

/* Of the host's line, and when the next bit begins. */
static bool line_level(const struct core *core, uint64_t *ret_next)
{
	const struct core_wave *wave = &core->gpio.wave;

	*ret_next = CORE_NEVER;
	for (unsigned i = 0; i < wave->n_bytes; i++) {
		unsigned at = (wave->first + i) % CORE_WAVE;
		uint64_t bit;

		if (core->clock >= wave->bytes[at].end)
			continue;
		if (core->clock < wave->bytes[at].begin) {
			*ret_next = wave->bytes[at].begin;
			return true;
		}
		bit = (core->clock - wave->bytes[at].begin) / wave->bytes[at].bit_fs;
		*ret_next = wave->bytes[at].begin + (bit + 1) * wave->bytes[at].bit_fs;
		return wave->bytes[at].bits >> bit & 1;
	}
	return true;
}

uint64_t core_gpio_next(const struct core *core)
{
	uint64_t next;

	line_level(core, &next);
	/* Noise moves every 3.7 us or so. */
	if (core->knobs->noisy_pins && core->clock + 3700 * CORE_FS_PER_NSEC < next)
		next = core->clock + 3700 * CORE_FS_PER_NSEC;
	return next;
}

/* Multiples of one number alone would come in a rhythm, as a train does. */
static bool noise(const struct core *core, unsigned port, unsigned pin)
{
	uint64_t x = core->clock / (3700 * CORE_FS_PER_NSEC) * 256 + port * 16 + pin;

	x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
	return (x ^ x >> 31) & 1;
}

/* What a pin reads that nobody drives. */
static bool idle_level(const struct core *core, unsigned port, unsigned pin)
{
	if (core->knobs->noisy_pins)
		return noise(core, port, pin);
	if (core->family->has_gpio_f1)
		return f1_pin(core, port, pin) == 8 && get(core, port, F1_ODR) >> pin & 1;
	return (get(core, port, PUPDR) >> (2 * pin) & 3) == 1;
}

/* An analog pin reads 0 (RM0090 8.3.12). */
static bool can_be_read(const struct core *core, unsigned port, unsigned pin)
{
	return core->family->has_gpio_f1 ? (f1_pin(core, port, pin) & 0xF) != 0
					 : mode_of(core, port, pin) != 3;
}

static uint32_t read_input(struct core *core, unsigned port)
{
	const struct core_usart_facts *line = core->line;
	unsigned rx = line->pad && !is_there(core, line) ? line->pad : line->rx;
	uint32_t value = 0;
	uint64_t next;

	for (unsigned pin = 0; pin < 16; pin++) {
		bool level = idle_level(core, port, pin);

		if (line->port == port && rx == pin)
			level = line_level(core, &next);
		if (level && can_be_read(core, port, pin))
			value |= UINT32_C(1) << pin;
	}
	return value;
}

/* --- Registers --- */

uint32_t core_gpio_read(struct core *core, unsigned port, uint32_t offset)
{
	if (offset == (core->family->has_gpio_f1 ? (uint32_t)F1_IDR : (uint32_t)IDR))
		return read_input(core, port);
	if (offset / 4 >= ARRAY_SIZE(core->gpio.registers[port])) {
		core_violation(core, "the GPIO has no register at 0x%X", offset);
		return 0;
	}
	return get(core, port, offset);
}

void core_gpio_write(struct core *core, unsigned port, uint32_t offset, uint32_t value)
{
	bool is_f1 = core->family->has_gpio_f1;
	uint32_t *output = &core->gpio.registers[port][is_f1 ? F1_ODR / 4 : 0x14 / 4];

	if (offset / 4 >= ARRAY_SIZE(core->gpio.registers[port]) ||
		offset == (is_f1 ? (uint32_t)F1_IDR : (uint32_t)IDR))
		core_violation(core, "the GPIO's register 0x%X is written", offset);
	else if (offset == (is_f1 ? (uint32_t)F1_BSRR : (uint32_t)BSRR))
		*output = (*output & ~(value >> 16)) | (value & 0xFFFF);
	else if (is_f1 && offset == F1_BRR)
		*output &= ~value;
	else
		core->gpio.registers[port][offset / 4] = value;
}

void core_gpio_reset(struct core *core)
{
	bool is_g0_or_l4 = core->family->flash_kind == CORE_FLASH_K3;

	core->gpio = (struct core_gpio){0};
	for (unsigned port = 0; port < ARRAY_SIZE(core->gpio.registers); port++) {
		if (core->family->has_gpio_f1)
			core->gpio.registers[port][0] = core->gpio.registers[port][1] = 0x44444444;
		else if (is_g0_or_l4)
			core->gpio.registers[port][0] = port ? 0xFFFFFFFF : 0xABFFFFFF;
	}
}

/* As the ROM had it. */
void core_gpio_leave(struct core *core, const struct core_usart_facts *facts)
{
	uint32_t *registers = core->gpio.registers[facts->port];
	unsigned pins[] = {facts->tx, facts->rx};

	for (unsigned i = 0; i < 2; i++) {
		unsigned high = pins[i] / 8, at = 4 * (pins[i] % 8);

		if (core->family->has_gpio_f1) {
			registers[high] = (registers[high] & ~(UINT32_C(0xF) << at)) |
					  (i ? UINT32_C(4) : UINT32_C(0xB)) << at;
			continue;
		}
		registers[0] = (registers[0] & ~(UINT32_C(3) << (2 * pins[i]))) |
			       UINT32_C(2) << (2 * pins[i]);
		registers[AFRL / 4 + high] = (registers[AFRL / 4 + high] & ~(UINT32_C(0xF) << at)) |
					     (uint32_t)facts->alternate << at;
	}
}
