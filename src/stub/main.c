/* SPDX-License-Identifier: MIT */
/*
 * main.c - from the jump of the ROM to the first frame.
 *
 * Nothing is assumed of what the ROM leaves: it may have left clocks, pins and USART as they were,
 * or have reset some or all of them (stm32-stub.md 1.3). Interrupts may be on and pending, for the
 * vector table is not ours: they go off first. Then come the steps of the host, which know the
 * family.
 */
#include <stddef.h>

#include "stub/stub.h"

#define SYSTICK	     0xE000E010 /* CSR, RVR, CVR */
#define SYSTICK_RUNS 5		/* ENABLE, CLKSOURCE: the processor's clock; no interrupt */
#define SYSTICK_MAX  0x00FFFFFF

#define AIRCR	     0xE000ED0C
#define SYSRESETREQ  0x05FA0004

#ifdef __arm__

/* The first instructions of the program. */
__attribute__((naked, noreturn, used, section(".entry"))) void stub_entry(void)
{
	__asm__ volatile("cpsid i\n\t"
			 "movs r0, #0\n\t"
			 "msr control, r0\n\t" /* privileged, MSP */
			 "isb\n\t"
			 "ldr r0, 2f\n"
			 "1:\tadd r0, pc\n\t"
			 "ldr r1, [r0, %0]\n\t"
			 "movs r2, %1\n\t"
			 "lsls r2, r2, %2\n\t"
			 "adds r1, r1, r2\n\t"
			 "mov sp, r1\n\t"
			 "bl stub_main\n\t"
			 ".balign 4\n"
			 "2:\t.word stub_ends - (1b + 4)\n\t"
			 :
			 : "i"(__builtin_offsetof(struct stub_setup, work)),
			 "i"(STUB_WORK_SIZE / 128), "i"(7));
}

/*
 * NMI and HardFault. The host may be in the middle of a stream, and a ROM that came up now would
 * take bytes of an image for its commands, Readout Protect among them. So the chip stays as it is
 * until the host has noticed and resets it, or the watchdog does.
 */
static void fault(void)
{
	for (;;)
		;
}

void stub_reset(void)
{
	seam_write(AIRCR, SYSRESETREQ);
	for (;;)
		;
}

#endif

/* Whether what a step waits for comes in time. */
static int waits(struct stub *stub, const struct stub_step *step)
{
	uint32_t began = stub->now;

	while ((seam_read(step->address & ~3u) & step->mask) != step->value) {
		stub_clock(stub);
		if (stub->now - began > stub->setup->step_limit)
			return 0;
	}
	return 1;
}

const struct stub_step *stub_steps(struct stub *stub, const struct stub_step *step, uint32_t n)
{
	for (; n > 0; n--, step++) {
		if ((step->address & 3) == STUB_STEP_CHANGE) {
			uint32_t kept = ~step->mask;

			/* A register may be one that must not be read. */
			if (kept)
				kept &= seam_read(step->address);
			seam_write(step->address, kept | step->value);
		} else if (!waits(stub, step)) {
			return NULL;
		}
	}
	return step;
}

const struct stub_candidate *stub_candidate(const struct stub *stub, uint32_t i)
{
	return (const struct stub_candidate *)(const void *)(stub->setup + 1) + i;
}

/* A fault must not start what the old application has for it. */
static void set_vectors(const struct stub_setup *setup)
{
#ifdef __arm__
	uint32_t *vector = seam_memory(setup->work);

	/* NMI and HardFault; nothing else can come while interrupts are off. */
	vector[2] = vector[3] = (uint32_t)&fault | 1;
#endif
	if (setup->vtor)
		seam_write(setup->vtor, setup->work);
}

void stub_clear(void *words, uint32_t size)
{
	for (uint32_t *word = words; size > 0; size -= 4)
		*word++ = 0;
}

void stub_copy(void *words, const void *from, uint32_t size)
{
	const uint32_t *other = from;

	for (uint32_t *word = words; size > 0; size -= 4)
		*word++ = *other++;
}

void stub_main(const struct stub_setup *setup)
{
	struct stub *stub =
		(struct stub *)(void *)((uint8_t *)seam_memory(setup->work) + 4 * STUB_VECTORS);
	const struct stub_candidate *picked = NULL;
	const struct stub_step *step;
	uint32_t systick;

	stub_clear(stub, sizeof(*stub));
	stub->setup = setup;
	stub->buffer = &stub->buffers[0];
	stub->next = &stub->buffers[1];
	stub->ring = seam_memory(setup->ring);
	stub->ring_mask = setup->ring_size - 1;
	stub_make_tables(stub);
	set_vectors(setup);
	systick = seam_block(SYSTICK);
	seam_write(systick + 4, SYSTICK_MAX);
	seam_write(systick + 8, 0);
	seam_write(systick, SYSTICK_RUNS);
	step = stub_steps(
		stub, (const void *)stub_candidate(stub, setup->candidates), setup->steps);
	if (step) {
		uint32_t candidate = stub_train(stub);

		stub->candidate = (uint8_t)candidate;
		for (picked = stub_candidate(stub, 0); candidate > 0; candidate--)
			step += picked++->steps;
		step = stub_steps(stub, step, picked->steps);
	}
	while (!step) {
		stub_clock(stub);
		stub_check_silence(stub);
	}
	stub_open_line(stub, picked);
	for (;;)
		stub_serve(stub);
}
