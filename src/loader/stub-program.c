/* SPDX-License-Identifier: MIT */
/*
 * stub-program.c - see stub-program.h.
 *
 * The assembler takes the file in as it is, from the top of the tree, where make runs. So the
 * program needs no cross compiler, and stub.bin stands in the tree once.
 */
#include "loader/stub-program.h"

__asm__(".pushsection .rodata\n"
	".globl stub_program\n"
	".balign 4\n"
	"stub_program:\n"
	".incbin \"src/stub/stub.bin\"\n"
	"stub_program_end:\n"
	".globl stub_program_size\n"
	".balign 8\n"
	"stub_program_size:\n"
	".quad stub_program_end - stub_program\n"
	".popsection\n");
