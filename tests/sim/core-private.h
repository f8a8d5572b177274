/* SPDX-License-Identifier: MIT */
/*
 * core-private.h - a chip whose RAM runs a program: what its parts share.
 *
 * core.c      Go, the line, stop; the table for sim.c
 * core-run.c  time: instructions, rounds of a loop that waits, jumps over them
 * core-bus.c  which register is meant; the processor's own, watchdog, ids
 * core-rcc.c  clocks
 * core-usart.c, core-gpio.c  the line
 * core-flash.c with core-flash-k1.c to -k3.c  the flash behind its registers
 *
 * Times are in femtoseconds from Go on, so that a cycle of any clock is whole; cycles are counted
 * in hundredths.
 */
#pragma once

#include "sim/core-family.h"
#include "sim/program.h"

#define CORE_FS_PER_NSEC UINT64_C(1000000)
#define CORE_NEVER	 UINT64_MAX
#define CORE_RAM_BASE	 UINT32_C(0x20000000)
/* Shortest time of the watchdog as the ROMs set it: F1, fastest LSI (AN2606 4.9). */
#define CORE_IWDG_NSEC UINT64_C(17500000000)

struct core_rcc {
	uint32_t registers[0x110 / 4];
	uint32_t acr; /* of the flash: latency, caches */
	uint64_t pll_ready_at;
	uint64_t sysclk_hz, hclk_hz, pclk1_hz, pclk2_hz; /* nominal */
};

struct core_usart {
	const struct core_usart_facts *facts;
	uint32_t cr1, cr2, cr3, brr;
	uint8_t data;
	bool has_data, overrun, bad_format, saw_status;
	uint64_t listens_from;
	uint64_t free_at, sent_at; /* TXE, TC */
};

#define CORE_WAVE 16

/* Levels of the host's line at a pin: bytes are played there a byte's time after they came. */
struct core_wave {
	struct {
		uint64_t begin, end, bit_fs;
		uint32_t bits; /* from the start bit on */
		unsigned n_bits;
	} bytes[CORE_WAVE];
	unsigned first, n_bytes;
};

struct core_gpio {
	uint32_t registers[6][12];
	struct core_wave wave;
};

struct core_flash {
	uint32_t cr;
	uint32_t sr;
	uint64_t busy_until;
	uint32_t key;
	bool is_locked, is_locked_for_ever, is_hidden; /* BSY not yet seen, behind STRT (K1) */
	bool has_half;				       /* K3: the low word of a unit */
	uint32_t half_address, half;
	uint32_t pending_sr; /* at the end of the operation */
	bool is_changed;     /* behind the back of caches that are on */
};

#define CORE_LOOPS 1024

/* A round that was seen to wait, by place and hash; one that once did not is none for ever. */
struct core_loop {
	uint64_t key;
	unsigned n_waited;
	bool is_none;
};

/* A loop that waits: equal rounds between two reads of the same register at the same place. */
struct core_round {
	uint64_t anchor; /* that place; 0: none */
	uint64_t hash, last_hash;
	uint64_t begin_fs, begin_cycles, begin_instructions;
	uint64_t fs, cycles; /* of the last one */
	uint64_t event;	     /* when, after its begin, something may read differently */
	bool is_equal, polls, kicks, acts;
	bool polled, kicked; /* the last one */
	bool has_shadow;     /* registers, and RAM, of a round before */
	uint64_t shadow_cycles;
	uint32_t registers[CPU_REGISTERS];
	struct core_loop loops[CORE_LOOPS];
	struct core_loop *loop; /* of the last round */
};

struct core {
	struct program_place place;
	const struct core_family *family;
	const struct sim_core_knobs *knobs;
	struct sim_core_state state;
	struct cpu *cpu;
	uint8_t *ram;
	uint32_t ram_size;
	uint8_t *shadow; /* RAM as it was a round before */
	uint8_t *ran;	 /* a bit a half-word of RAM that was executed */
	bool is_started, is_over, is_stopping, is_hung, wants_reset;
	bool has_failed; /* a fault: its handler runs */

	uint64_t origin; /* nsec of Go */
	uint64_t clock;	 /* fs since */
	uint64_t until;
	uint64_t cycles, instructions;
	uint64_t fs_per_instruction, cycles_per_instruction;
	uint64_t block_begin; /* clock before the block that runs */
	uint32_t block;
	uint64_t parked_until; /* 0: it works */
	struct core_round round;

	uint64_t polled_at, polled_instructions;
	bool has_line; /* a USART listens: it must be looked at */
	uint64_t kicked_at;
	uint64_t received;

	struct core_rcc rcc;
	struct core_usart usarts[5];
	const struct core_usart_facts *line; /* where the host is */
	struct core_gpio gpio;
	struct core_flash flash;
	uint32_t systick_control, systick_reload;
	uint64_t systick_base; /* cycles */
	uint32_t vtor, pwr[16], syscfg[64];
};

/* core-run.c: */

/* What no chip would stand; the first one is kept, and ends the run. */
__attribute__((format(printf, 2, 3))) void core_violation(
	struct core *core, const char *format, ...);

/* Into its own handler, or to where the chip's vectors lead; `why`: it is a violation. */
void core_fault(struct core *core, const char *why);

/* Runs until its clock is there, in fs. */
void core_run(struct core *core, uint64_t until);
void core_set_speed(struct core *core);
uint64_t core_nsec(const struct core *core); /* on the caller's clock */

/* A register was read or written; what it means for a loop that waits. Not for SysTick. */
void core_note_read(struct core *core, uint32_t address, uint32_t value);
void core_note_write(struct core *core, uint32_t address, uint32_t value);

/* The USART was looked at. */
void core_note_poll(struct core *core);
extern const struct cpu_ops core_cpu_ops;

/* core-bus.c: */

uint32_t core_bus_read(void *userdata, uint32_t address, unsigned size);
void core_bus_write(void *userdata, uint32_t address, unsigned size, uint32_t value);
bool core_has_clock(const struct core *core, uint32_t base);

/* core-rcc.c: */

void core_rcc_reset(struct core *core);
void core_rcc_leave(struct core *core); /* as the ROM does */
uint32_t core_rcc_read(struct core *core, uint32_t offset);
void core_rcc_write(struct core *core, uint32_t offset, uint32_t value);
void core_rcc_set_acr(struct core *core, uint32_t value);
void core_rcc_update(struct core *core);
uint64_t core_rcc_usart_hz(const struct core *core, const struct core_usart_facts *facts);
uint64_t core_rcc_next(const struct core *core);

/* core-usart.c: */

void core_usart_reset(struct core_usart *usart);
uint32_t core_usart_read(struct core *core, struct core_usart *usart, uint32_t offset);
void core_usart_write(struct core *core, struct core_usart *usart, uint32_t offset, uint32_t value);
void core_usart_receive(struct core *core, struct core_usart *usart, const struct rom_byte *byte);
uint64_t core_usart_next(const struct core *core);
uint32_t core_usart_baud(const struct core *core, const struct core_usart *usart);

/* core-gpio.c: */

void core_gpio_reset(struct core *core);
uint32_t core_gpio_read(struct core *core, unsigned port, uint32_t offset);
void core_gpio_write(struct core *core, unsigned port, uint32_t offset, uint32_t value);
void core_gpio_play(struct core *core, const struct rom_byte *byte);
uint64_t core_gpio_next(const struct core *core);
bool core_gpio_sends(const struct core *core, const struct core_usart_facts *facts);
bool core_gpio_hears(const struct core *core, const struct core_usart_facts *facts);
void core_gpio_leave(struct core *core, const struct core_usart_facts *facts);

/* core-flash.c: */

void core_flash_reset(struct core *core);
uint32_t core_flash_read(struct core *core, uint32_t offset);
void core_flash_write(struct core *core, uint32_t offset, unsigned size, uint32_t value);
uint32_t core_flash_load(struct core *core, uint32_t address, unsigned size);
void core_flash_store(struct core *core, uint32_t address, unsigned size, uint32_t value);
bool core_flash_is_busy(const struct core *core);
void core_flash_begin(struct core *core, uint64_t nsec, uint32_t sr_at_end);

/* False where the flash is protected there. */
bool core_flash_program(struct core *core, uint32_t address, const uint8_t *data, uint32_t n);
bool core_flash_erase(struct core *core, unsigned page);
bool core_flash_erase_all(struct core *core);

/* Each kind: what CR starts or refuses, and what a store into the flash does. */
void core_flash_k1_control(struct core *core, uint32_t value);
void core_flash_k1_store(struct core *core, uint32_t address, unsigned size, uint32_t value);
void core_flash_k2_control(struct core *core, uint32_t value);
void core_flash_k2_store(struct core *core, uint32_t address, unsigned size, uint32_t value);
void core_flash_k3_control(struct core *core, uint32_t value);
void core_flash_k3_store(struct core *core, uint32_t address, unsigned size, uint32_t value);
