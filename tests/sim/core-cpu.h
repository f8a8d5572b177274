/* SPDX-License-Identifier: MIT */
/*
 * core-cpu.h - a Cortex-M that runs the program in a chip's RAM: the one door to Unicorn.
 *
 * RAM is the caller's bytes, all else of the address space are calls. Where the tests were built
 * without libunicorn there is no processor, and cpu_is_there() says so.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum cpu_model { CPU_M0, CPU_M3, CPU_M4 };

struct cpu_ops {
	/* Before `n` instructions from `address` on; false: stop before them, and come back here
	 * at the next cpu_run(). */
	bool (*block)(void *userdata, uint32_t address, uint32_t n);
	/* In the middle of them. They cannot stop it. */
	uint32_t (*read)(void *userdata, uint32_t address, unsigned size);
	void (*write)(void *userdata, uint32_t address, unsigned size, uint32_t value);
};

struct cpu;

bool cpu_is_there(void);

/* `ram` lies on a boundary of 4 KiB, as its size. NULL: no memory, or no processor. */
struct cpu *cpu_new(enum cpu_model model, uint8_t *ram, uint32_t ram_size,
	const struct cpu_ops *ops, void *userdata);
struct cpu *cpu_free(struct cpu *cpu);

/* As a reset, or a jump there: where it goes on. */
void cpu_set(struct cpu *cpu, uint32_t pc, uint32_t sp);

/* Runs until block() says stop: NULL; or until what is said, after which it cannot go on. */
const char *cpu_run(struct cpu *cpu);

#define CPU_REGISTERS 15

/* R0 to R12, SP, LR. Inside of block(), or while it stands. */
void cpu_registers(struct cpu *cpu, uint32_t ret[CPU_REGISTERS]);
uint32_t cpu_pc(struct cpu *cpu);
bool cpu_masks_interrupts(struct cpu *cpu);
