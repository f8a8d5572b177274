/* SPDX-License-Identifier: MIT */
/*
 * seam.h - how the stub reaches registers and memory.
 *
 * On the chip these are loads and stores. Tests build the same sources for their own machine
 * and bring the functions with them (tests/unit/stub-chip.c).
 */
#pragma once

#include <stdint.h>

#ifdef __arm__

static inline uint32_t seam_read(uint32_t address)
{
	return *(volatile uint32_t *)address;
}

static inline uint32_t seam_read16(uint32_t address)
{
	return *(volatile uint16_t *)address;
}

static inline uint32_t seam_read8(uint32_t address)
{
	return *(volatile uint8_t *)address;
}

static inline void seam_write(uint32_t address, uint32_t value)
{
	*(volatile uint32_t *)address = value;
}

static inline void seam_write16(uint32_t address, uint32_t value)
{
	*(volatile uint16_t *)address = (uint16_t)value;
}

static inline void seam_write8(uint32_t address, uint32_t value)
{
	*(volatile uint8_t *)address = (uint8_t)value;
}

/* What was written is out before anything else: a Cortex-M7 may keep a store to flash back. */
static inline void seam_barrier(void)
{
	__asm__ volatile("dsb" : : : "memory");
}

/* RAM, or flash that is not busy. */
static inline void *seam_memory(uint32_t address)
{
	return (void *)address;
}

static inline uint32_t seam_address(const void *memory)
{
	return (uint32_t)memory;
}

/* An address that others are counted from: so the compiler keeps one constant, not one for each. */
static inline uint32_t seam_block(uint32_t address)
{
	__asm__("" : "+r"(address));
	return address;
}

/* Where the program begins. */
static inline uint32_t seam_program(void)
{
	/* Of stub.ld. */
	extern const uint8_t stub_begins[] __attribute__((visibility("hidden")));

	return (uint32_t)stub_begins;
}

#else

static inline uint32_t seam_block(uint32_t address)
{
	return address;
}

static inline void seam_barrier(void)
{
}

uint32_t seam_program(void);
uint32_t seam_read(uint32_t address);
uint32_t seam_read16(uint32_t address);
uint32_t seam_read8(uint32_t address);
void seam_write(uint32_t address, uint32_t value);
void seam_write16(uint32_t address, uint32_t value);
void seam_write8(uint32_t address, uint32_t value);
void *seam_memory(uint32_t address);
uint32_t seam_address(const void *memory);

#endif
