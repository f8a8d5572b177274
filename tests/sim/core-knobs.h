/* SPDX-License-Identifier: MIT */
/*
 * core-knobs.h - what a test says of a program in the RAM that runs on an emulated processor
 * (sim/core.h), and what it is told of it. All zero: an honest chip, which its ROM left as it was.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What Go leaves behind (stm32-stub.md 1). */
enum sim_core_go {
	SIM_CORE_GO_LEFT,	/* clocks, GPIO, USART as the ROM has used them */
	SIM_CORE_GO_NO_GPIO,	/* the GPIO's clocks are off (F40x, F401, F446) */
	SIM_CORE_GO_RESET,	/* all at reset values, the stack pointer of the ROM too */
	SIM_CORE_GO_PLL,	/* the PLL runs and is used, VTOR is the ROM's (G031) */
	SIM_CORE_GO_CSS,	/* the clock is HSE, guarded by the CSS (F07x, F3) */
	SIM_CORE_GO_INTERRUPTS, /* interrupts are enabled, and one is pending */
	SIM_CORE_GO_MAX,
};

enum sim_core_cpu { SIM_CORE_CPU_OWN, SIM_CORE_CPU_M0, SIM_CORE_CPU_M3, SIM_CORE_CPU_M4 };

struct sim_core_knobs {
	enum sim_core_go go;
	enum sim_core_cpu cpu;	 /* another than the chip has, for the same program */
	int clock_permyriad;	 /* its oscillator is so much too fast, in 1/10000 */
	unsigned cycles_percent; /* of an instruction; 0: 150 */
	unsigned usart;	     /* which of the ROM's (the first is 1) has the line; 0: the first */
	bool noisy_pins;     /* pins that nobody drives move by themselves */
	bool iwdg;	     /* the watchdog runs, by option byte */
	uint64_t iwdg_nsec;  /* how long it waits; 0: 17.5 s, as with the fastest LSI of F1 */
	unsigned millivolts; /* supply; 0: 3300 */
	uint32_t ram_size;   /* so much is fitted; 0: all of the ROM's window */
	uint64_t stub_hang_received; /* the program hangs in a loop behind its n-th byte ... */
	bool hang_is_fault;	     /* ... or faults, by a jump into nowhere */
	bool goes_on;		     /* violations are counted, and do not end the run */
	bool forgives_polls;	     /* a byte time without a look at the USART is none */
};

struct sim_core_state {
	bool is_there;	     /* false: the tests were built without an emulator */
	char violation[200]; /* the first thing that no chip would stand; "": none */
	unsigned violations;
	unsigned starts;
	unsigned overruns;	    /* bytes that the USART lost */
	unsigned stalls;	    /* accesses to a busy flash */
	unsigned twice;		    /* units programmed again without an erase */
	unsigned kicks;		    /* of the watchdog */
	unsigned poll_instructions; /* most of them between two looks at the USART */
	uint64_t poll_nsec;	    /* most time, once the line was found */
	uint64_t instructions, parked_nsec, ran_nsec;
	uint32_t baud;		  /* as the USART stands */
	uint32_t clock_hz;	  /* of the processor */
	unsigned first_sent_msec; /* from Go to the end of its first byte */
};
