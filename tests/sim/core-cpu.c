/* SPDX-License-Identifier: MIT */
/*
 * core-cpu.c - see core-cpu.h.
 *
 * What is known of Unicorn 2.0.1 and shapes this: UC_MODE_MCLASS makes a Cortex-M33 of every model,
 * so the model is set alone. A stop inside of an access does that access again afterwards, so
 * nothing stops but the hook of a block, before its first instruction; it is called again for the
 * same block when the processor goes on. Hooks must be there before the first code is translated,
 * so each program has an engine of its own.
 */
#include "sim/core-cpu.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef HAVE_UNICORN
#include <unicorn/unicorn.h>

#define RAM_BASE UINT32_C(0x20000000)

/* The smallest one of a Cortex-M: a store to a page that code was translated from is slow. */
#define PAGE 1024

struct cpu {
	uc_engine *engine;
	struct cpu_ops ops;
	void *userdata;
	char text[120];
};

/* What the bus of an STM32 reaches beside its RAM; what is not here faults. */
static const struct region {
	uint32_t base, size;
} regions[] = {
	{0x08000000, 0x00400000}, /* flash */
	{0x1FF00000, 0x00100000}, /* system memory, option bytes */
	{0x40000000, 0x00100000}, /* peripherals */
	{0x48000000, 0x00010000}, {0x50000000, 0x00010000}, {0x58000000, 0x00010000},
	{0xE0000000, 0x00100000}, /* the processor's own */
};

/*
 * A store to RAM is looked up as a change of code that was translated, each time anew, which is
 * half of all the time that is spent. These are Unicorn's own, by names that only its library
 * knows; in their place here they do nothing. A program in the RAM does not change itself.
 */
void *page_collection_lock_arm(void *engine, unsigned long begin, unsigned long end);
void page_collection_unlock_arm(void *pages);
void tb_invalidate_phys_page_fast_arm(
	void *engine, void *pages, unsigned long begin, int size, unsigned long back);

void *page_collection_lock_arm(void *engine, unsigned long begin, unsigned long end)
{
	(void)engine;
	(void)begin;
	(void)end;
	return NULL;
}

void page_collection_unlock_arm(void *pages)
{
	(void)pages;
}

void tb_invalidate_phys_page_fast_arm(
	void *engine, void *pages, unsigned long begin, int size, unsigned long back)
{
	(void)engine;
	(void)pages;
	(void)begin;
	(void)size;
	(void)back;
}

struct mapped {
	struct cpu *cpu;
	uint32_t base;
};

struct cpu_with_regions {
	struct cpu cpu; /* first */
	struct mapped mapped[sizeof(regions) / sizeof(regions[0])];
};

bool cpu_is_there(void)
{
	return true;
}

static void on_block(uc_engine *engine, uint64_t address, uint32_t size, void *userdata)
{
	struct cpu *cpu = userdata;

	if (!cpu->ops.block(cpu->userdata, (uint32_t)address, size / 2))
		uc_emu_stop(engine);
}

static uint64_t on_read(uc_engine *engine, uint64_t offset, unsigned size, void *userdata)
{
	struct mapped *mapped = userdata;

	(void)engine;
	return mapped->cpu->ops.read(mapped->cpu->userdata, mapped->base + (uint32_t)offset, size);
}

static void on_write(
	uc_engine *engine, uint64_t offset, unsigned size, uint64_t value, void *userdata)
{
	struct mapped *mapped = userdata;

	(void)engine;
	mapped->cpu->ops.write(
		mapped->cpu->userdata, mapped->base + (uint32_t)offset, size, (uint32_t)value);
}

static bool on_invalid(uc_engine *engine, uc_mem_type type, uint64_t address, int size,
	int64_t value, void *userdata)
{
	struct cpu *cpu = userdata;

	(void)engine;
	(void)value;
	snprintf(cpu->text, sizeof(cpu->text), "it %s %d bytes at 0x%08X, where nothing answers",
		type == UC_MEM_READ_UNMAPPED || type == UC_MEM_READ_PROT     ? "reads"
		: type == UC_MEM_FETCH_UNMAPPED || type == UC_MEM_FETCH_PROT ? "runs"
									     : "writes",
		size, (uint32_t)address);
	return false;
}

static int model_of(enum cpu_model model)
{
	switch (model) {
	case CPU_M0:
		return UC_CPU_ARM_CORTEX_M0;
	case CPU_M3:
		return UC_CPU_ARM_CORTEX_M3;
	case CPU_M4:
		return UC_CPU_ARM_CORTEX_M4;
	}
	return UC_CPU_ARM_CORTEX_M0;
}

static bool map(struct cpu_with_regions *with, uint8_t *ram, uint32_t ram_size)
{
	struct cpu *cpu = &with->cpu;

	if (uc_mem_map_ptr(cpu->engine, RAM_BASE, ram_size, UC_PROT_ALL, ram) != UC_ERR_OK)
		return false;
	for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
		with->mapped[i] = (struct mapped){.cpu = cpu, .base = regions[i].base};
		if (uc_mmio_map(cpu->engine, regions[i].base, regions[i].size, on_read,
			    &with->mapped[i], on_write, &with->mapped[i]) != UC_ERR_OK)
			return false;
	}
	return true;
}

struct cpu *cpu_new(enum cpu_model model, uint8_t *ram, uint32_t ram_size,
	const struct cpu_ops *ops, void *userdata)
{
	struct cpu_with_regions *with = calloc(1, sizeof(*with));
	struct cpu *cpu = &with->cpu;
	uc_hook hook;

	if (!with)
		return NULL;
	cpu->ops = *ops;
	cpu->userdata = userdata;
	if (uc_open(UC_ARCH_ARM, UC_MODE_THUMB, &cpu->engine) != UC_ERR_OK) {
		free(with);
		return NULL;
	}
	if (uc_ctl_set_page_size(cpu->engine, PAGE) != UC_ERR_OK ||
		uc_ctl_set_cpu_model(cpu->engine, model_of(model)) != UC_ERR_OK ||
		!map(with, ram, ram_size) ||
		uc_hook_add(cpu->engine, &hook, UC_HOOK_BLOCK, (void *)on_block, cpu, 1, 0) !=
			UC_ERR_OK ||
		uc_hook_add(cpu->engine, &hook, UC_HOOK_MEM_INVALID, (void *)on_invalid, cpu, 1,
			0) != UC_ERR_OK)
		return cpu_free(cpu);
	return cpu;
}

struct cpu *cpu_free(struct cpu *cpu)
{
	if (cpu) {
		uc_close(cpu->engine);
		free(cpu);
	}
	return NULL;
}

void cpu_set(struct cpu *cpu, uint32_t pc, uint32_t sp)
{
	pc &= ~UINT32_C(1);
	uc_reg_write(cpu->engine, UC_ARM_REG_PC, &pc);
	uc_reg_write(cpu->engine, UC_ARM_REG_SP, &sp);
}

uint32_t cpu_pc(struct cpu *cpu)
{
	uint32_t pc = 0;

	uc_reg_read(cpu->engine, UC_ARM_REG_PC, &pc);
	return pc;
}

bool cpu_masks_interrupts(struct cpu *cpu)
{
	uint32_t mask = 0;

	uc_reg_read(cpu->engine, UC_ARM_REG_PRIMASK, &mask);
	return mask & 1;
}

void cpu_registers(struct cpu *cpu, uint32_t ret[CPU_REGISTERS])
{
	static int names[CPU_REGISTERS] = {UC_ARM_REG_R0, UC_ARM_REG_R1, UC_ARM_REG_R2,
		UC_ARM_REG_R3, UC_ARM_REG_R4, UC_ARM_REG_R5, UC_ARM_REG_R6, UC_ARM_REG_R7,
		UC_ARM_REG_R8, UC_ARM_REG_R9, UC_ARM_REG_R10, UC_ARM_REG_R11, UC_ARM_REG_R12,
		UC_ARM_REG_SP, UC_ARM_REG_LR};
	void *to[CPU_REGISTERS];

	for (int i = 0; i < CPU_REGISTERS; i++)
		to[i] = &ret[i];
	uc_reg_read_batch(cpu->engine, names, to, CPU_REGISTERS);
}

const char *cpu_run(struct cpu *cpu)
{
	uc_err error;

	cpu->text[0] = '\0';
	error = uc_emu_start(cpu->engine, cpu_pc(cpu) | 1, UINT64_C(0xFFFFFFFE), 0, 0);
	if (error == UC_ERR_OK)
		return NULL;
	if (!cpu->text[0])
		snprintf(cpu->text, sizeof(cpu->text), "%s at or behind 0x%08X",
			error == UC_ERR_INSN_INVALID
				? "it has an instruction that this processor lacks"
				: uc_strerror(error),
			cpu_pc(cpu));
	return cpu->text;
}

#else

bool cpu_is_there(void)
{
	return false;
}

struct cpu *cpu_new(enum cpu_model model, uint8_t *ram, uint32_t ram_size,
	const struct cpu_ops *ops, void *userdata)
{
	(void)model;
	(void)ram;
	(void)ram_size;
	(void)ops;
	(void)userdata;
	return NULL;
}

struct cpu *cpu_free(struct cpu *cpu)
{
	(void)cpu;
	return NULL;
}

void cpu_set(struct cpu *cpu, uint32_t pc, uint32_t sp)
{
	(void)cpu;
	(void)pc;
	(void)sp;
}

const char *cpu_run(struct cpu *cpu)
{
	(void)cpu;
	return "there is no processor";
}

void cpu_registers(struct cpu *cpu, uint32_t ret[CPU_REGISTERS])
{
	(void)cpu;
	(void)ret;
}

uint32_t cpu_pc(struct cpu *cpu)
{
	(void)cpu;
	return 0;
}

bool cpu_masks_interrupts(struct cpu *cpu)
{
	(void)cpu;
	return true;
}

#endif
