/* SPDX-License-Identifier: MIT */
/*
 * startup.c - the vector table, and the way from reset to main(): initialised data is copied out of
 * the flash, the rest of the RAM in use is cleared.
 */
#include <stdint.h>

#define SCB_VTOR (*(volatile uint32_t *)0xE000ED08) /* PM0056 4.4.4 */

/* Of the linker script. */
extern uint32_t stack_end, data_load, data_start, data_end, bss_start, bss_end;

int main(void);
void reset(void);
void sys_tick(void);

static void stop(void)
{
	for (;;)
		;
}

union vector {
	const void *stack;
	void (*handler)(void);
};

/* Armv7-M, B1.5.2: the 16 exceptions of the core. No interrupt of a peripheral is used. */
__attribute__((section(".vectors"), used)) static const union vector vectors[16] = {
	[0] = {.stack = &stack_end},
	[1] = {.handler = reset},
	[2] = {.handler = stop},  /* NMI */
	[3] = {.handler = stop},  /* hard fault */
	[4] = {.handler = stop},  /* memory management */
	[5] = {.handler = stop},  /* bus fault */
	[6] = {.handler = stop},  /* usage fault */
	[11] = {.handler = stop}, /* SVCall */
	[12] = {.handler = stop}, /* debug monitor */
	[14] = {.handler = stop}, /* PendSV */
	[15] = {.handler = sys_tick},
};

void reset(void)
{
	const uint32_t *from = &data_load;

	/*
	 * A boot loader's Go command jumps here with system memory still at address 0 (AN3155, Go):
	 * its vectors must not be taken for ours, nor interrupts stay masked.
	 */
	SCB_VTOR = (uint32_t)vectors;
	__asm__ volatile("cpsie i");

	for (uint32_t *to = &data_start; to < &data_end; to++)
		*to = *from++;
	for (uint32_t *to = &bss_start; to < &bss_end; to++)
		*to = 0;
	main();
	stop();
}
