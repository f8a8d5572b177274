/* SPDX-License-Identifier: MIT */
/*
 * test-core.c - the judge of programs in the RAM is judged: a small program that does what a list
 * says, and what the chip must make of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/util.h"
#include "sim/core-bench.h"

/*
 * What the program does for an entry of its list, three words each: a store, a load, a wait for any
 * of these bits, a wait for none of them, rounds of a loop; the last one sends back what comes in.
 * It kicks the watchdog everywhere. ARMv6-M, made by hand:
 *
 *	cpsid i; ldr r6, iwdg; ldr r5, kick; adr r7, list
 * next:	str r5, [r6]; ldmia r7!, {r0, r1, r2}
 *	cmp r0, #1; beq word; cmp r0, #2; beq half; cmp r0, #3; beq any; cmp r0, #4; beq load
 *	cmp r0, #5; beq rounds; cmp r0, #6; beq none
 *	ldr r4, [r7]
 * echo:	str r5, [r6]; ldr r3, [r1]; lsrs r3, r3, #6; bcc echo; ldr r0, [r2]
 * sent:	str r5, [r6]; ldr r3, [r1]; lsrs r3, r3, #8; bcc sent; str r0, [r4]; b echo
 * word:	str r2, [r1]; b next
 * half:	strh r2, [r1]; b next
 * any:	str r5, [r6]; ldr r3, [r1]; tst r3, r2; beq any; b next
 * none:	str r5, [r6]; ldr r3, [r1]; tst r3, r2; bne none; b next
 * load:	ldr r3, [r1]; b next
 * rounds: str r5, [r6]; subs r2, #1; bne rounds; b next
 * iwdg:	.word 0x40003000
 * kick:	.word 0xAAAA
 * list:
 */
static const uint16_t program[] = {0xB672, 0x4E18, 0x4D18, 0xA719, 0x6035, 0xCF07, 0x2801, 0xD015,
	0x2802, 0xD015, 0x2803, 0xD015, 0x2804, 0xD01D, 0x2805, 0xD01D, 0x2806, 0xD014, 0x683C,
	0x6035, 0x680B, 0x099B, 0xD3FB, 0x6810, 0x6035, 0x680B, 0x0A1B, 0xD3FB, 0x6020, 0xE7F4,
	0x600A, 0xE7E3, 0x800A, 0xE7E1, 0x6035, 0x680B, 0x4213, 0xD0FB, 0xE7DC, 0x6035, 0x680B,
	0x4213, 0xD1FB, 0xE7D7, 0x680B, 0xE7D5, 0x6035, 0x3A01, 0xD1FC, 0xE7D1, 0x3000, 0x4000,
	0xAAAA, 0x0000};

enum op { ECHO, WORD, HALF, ANY, LOAD, ROUNDS, NONE };

struct entry {
	uint32_t op, address, value;
};

#define MANY 40

static void start(struct core_bench *bench, const struct entry *list, size_t n_list)
{
	uint32_t base = bench->chip->ram_start;
	uint8_t bytes[8 + sizeof(program) + MANY * sizeof(struct entry)];
	uint32_t head[] = {base + 0x800, (base + 8) | 1};

	assert_true(n_list <= MANY);
	memcpy(bytes, head, 8);
	memcpy(bytes + 8, program, sizeof(program));
	memcpy(bytes + 8 + sizeof(program), list, n_list * sizeof(*list));
	core_bench_start(bench, base, bytes, 8 + sizeof(program) + n_list * sizeof(*list));
	core_bench_format(bench, 115200, false);
}

/* --- Lists: F103 at 36 MHz by its PLL, 115200 8N1 --- */

#define F1_CLOCK                                                                   \
	{WORD, 0x40022000, 0x11}, {WORD, 0x40021000, 0x83}, {WORD, 0x40021004, 0}, \
		{NONE, 0x40021000, 0x02000000}, {WORD, 0x40021004, 0x001C0400},    \
		{WORD, 0x40021000, 0x01000083}, {ANY, 0x40021000, 0x02000000},     \
	{                                                                          \
		WORD, 0x40021004, 0x001C0402                                       \
	}
#define F1_PINS                              \
	{WORD, 0x40021018, 0x4005},          \
	{                                    \
		WORD, 0x40010804, 0x444444B4 \
	}
#define F1_USART(divider)                                   \
	{WORD, 0x4001380C, 0}, {WORD, 0x40013808, divider}, \
	{                                                   \
		WORD, 0x4001380C, 0x200C                    \
	}
#define F1_ECHO                         \
	{ECHO, 0x40013800, 0x40013804}, \
	{                               \
		0x40013804, 0, 0        \
	}

static const struct entry f1_echo[] = {F1_CLOCK, F1_PINS, F1_USART(312), F1_ECHO};

static void run(struct core_bench *bench, const struct entry *list, size_t n, const char *say)
{
	start(bench, list, n);
	core_bench_pass(bench, 5 * CORE_MSEC);
	core_bench_send(bench, say, strlen(say));
	core_bench_await(bench, strlen(say), 20 * CORE_MSEC);
}

#define RUN(bench, list, say) run(bench, list, ARRAY_SIZE(list), say)

static void program_echoes(void **state)
{
	struct core_bench bench;

	(void)state;
	core_bench_need();
	core_bench_begin(&bench, "f103xc", NULL);
	RUN(&bench, f1_echo, "hello, world");
	core_bench_check(&bench);
	assert_int_equal(bench.n_heard, 12);
	assert_memory_equal(bench.heard, "hello, world", 12);
	assert_int_equal(core_bench_tell(&bench)->clock_hz, 36000000);
	assert_in_range(core_bench_tell(&bench)->baud, 115000, 115400);
	core_bench_end(&bench);
}

/* The clock that it made is the clock that it has: the same divider at half of it is half the rate.
 */
static void wrong_clock_is_garbage(void **state)
{
	static const struct entry list[] = {F1_PINS, F1_USART(312), F1_ECHO};
	struct core_bench bench;

	(void)state;
	core_bench_need();
	core_bench_begin(&bench, "f103xc", NULL);
	RUN(&bench, list, "hello");
	assert_int_equal(core_bench_tell(&bench)->clock_hz, 8000000);
	assert_true(bench.n_heard < 5 || memcmp(bench.heard, "hello", 5));
	core_bench_end(&bench);
}

/* Nobody looks for two byte times: the second byte is lost, and nothing more comes. */
static void overrun_is_counted(void **state)
{
	static const struct entry list[] = {
		F1_CLOCK, F1_PINS, F1_USART(312), {ROUNDS, 0, 200000}, F1_ECHO};
	const struct sim_core_knobs knobs = {.forgives_polls = true};
	struct core_bench bench;

	(void)state;
	core_bench_need();
	core_bench_begin(&bench, "f103xc", &knobs);
	RUN(&bench, list, "abc");
	core_bench_pass(&bench, 100 * CORE_MSEC);
	assert_int_equal(core_bench_tell(&bench)->overruns, 2);
	assert_int_equal(core_bench_tell(&bench)->violations, 0);
	assert_int_equal(bench.n_heard, 1);
	assert_int_equal(bench.heard[0], 'a');
	core_bench_end(&bench);
}

/* A loop that waits is jumped over; what it sees afterwards is the same, at any speed. */
static void waiting_is_free(void **state)
{
	struct core_bench bench;

	(void)state;
	core_bench_need();
	core_bench_begin(&bench, "f103xc", NULL);
	RUN(&bench, f1_echo, "a");
	core_bench_pass(&bench, 20000 * CORE_MSEC);
	core_bench_send(&bench, "b", 1);
	assert_true(core_bench_await(&bench, 2, 20 * CORE_MSEC));
	core_bench_check(&bench);
	/* 36 MHz by 1.5 cycles would be 480 million of them. */
	assert_true(core_bench_tell(&bench)->instructions < 10000000);
	assert_true(core_bench_tell(&bench)->parked_nsec > UINT64_C(19000000000));
	core_bench_end(&bench);
}

/*
 * A loop that counts in RAM, and whose registers are the same in each round, does not wait: it ends
 * when it has counted. 100000 rounds of 9 instructions, then a reset. ARMv6-M, made by hand:
 *
 *	cpsid i; ldr r6, iwdg; ldr r5, kick; ldr r1, cr; adr r2, count
 * loop:	str r5, [r6]; ldr r3, [r1]; b next
 * next:	ldr r0, [r2]; subs r0, #1; str r0, [r2]; beq done; movs r0, #0; b loop
 * done:	ldr r1, aircr; ldr r2, key; str r2, [r1]; b .
 * iwdg:	.word 0x40003000; .word 0xAAAA; .word 0x40021000; .word 0xE000ED0C; .word 0x05FA0004
 * count: .word 100000
 */
static const uint16_t counter[] = {0xB672, 0x4E08, 0x4D08, 0x4909, 0xA20B, 0x6035, 0x680B, 0xE7FF,
	0x6810, 0x3801, 0x6010, 0xD001, 0x2000, 0xE7F6, 0x4904, 0x4A05, 0x600A, 0xE7FE, 0x3000,
	0x4000, 0xAAAA, 0x0000, 0x1000, 0x4002, 0xED0C, 0xE000, 0x0004, 0x05FA, 0x86A0, 0x0001};

static void counting_is_no_waiting(void **state)
{
	uint8_t bytes[8 + sizeof(counter)];
	uint32_t head[2];
	struct core_bench bench;

	(void)state;
	core_bench_need();
	core_bench_begin(&bench, "f103xc", NULL);
	head[0] = bench.chip->ram_start + 0x800;
	head[1] = (bench.chip->ram_start + 8) | 1;
	memcpy(bytes, head, sizeof(head));
	memcpy(bytes + 8, counter, sizeof(counter));
	core_bench_start(&bench, bench.chip->ram_start, bytes, sizeof(bytes));
	/* 9 instructions of 1.5 cycles at 8 MHz are 1.6875 us. */
	core_bench_pass(&bench, 168 * CORE_MSEC);
	assert_int_equal(sim_state(bench.host.sim), SIM_PROGRAM);
	core_bench_pass(&bench, 2 * CORE_MSEC);
	assert_int_equal(sim_state(bench.host.sim), SIM_ROM);
	assert_int_equal(core_bench_tell(&bench)->violations, 0);
	core_bench_end(&bench);
}

static void reset_by_the_program(void **state)
{
	static const struct entry list[] = {{WORD, 0xE000ED0C, 0x05FA0004}, F1_ECHO};
	struct core_bench bench;

	(void)state;
	core_bench_need();
	core_bench_begin(&bench, "f103xc", NULL);
	start(&bench, list, ARRAY_SIZE(list));
	core_bench_pass(&bench, 200 * CORE_MSEC);
	assert_int_equal(sim_state(bench.host.sim), SIM_ROM);
	core_bench_end(&bench);
}

/* --- What no chip would stand --- */

#define UNLOCK_K1                            \
	{WORD, 0x40022004, 0x45670123},      \
	{                                    \
		WORD, 0x40022004, 0xCDEF89AB \
	}

static const struct bad {
	const char *name, *chip;
	struct entry list[MANY];
	const char *violation; /* NULL: none */
} bads[] = {
	{"a page is erased and programmed", "f103xc",
		{UNLOCK_K1, {WORD, 0x40022010, 2}, {WORD, 0x40022014, 0x08001000},
			{WORD, 0x40022010, 0x42}, {LOAD, 0x40022010, 0}, {NONE, 0x4002200C, 1},
			{WORD, 0x40022010, 0}, {WORD, 0x40022010, 1}, {HALF, 0x08001000, 0x1234},
			{NONE, 0x4002200C, 1}, {LOAD, 0x08001000, 0}, F1_ECHO},
		NULL},
	{"a busy flash is read", "f103xc",
		{UNLOCK_K1, {WORD, 0x40022010, 1}, {HALF, 0x08001000, 0x1234},
			{LOAD, 0x08001000, 0}},
		"0x08001000 is read while the flash is busy"},
	{"BSY is not there at once", "f103xc",
		{UNLOCK_K1, {WORD, 0x40022010, 2}, {WORD, 0x40022014, 0x08001000},
			{WORD, 0x40022010, 0x42}, {NONE, 0x4002200C, 1}, {LOAD, 0x08001000, 0}},
		"0x08001000 is read while the flash is busy"},
	{"a unit is programmed twice", "f103xc",
		{UNLOCK_K1, {WORD, 0x40022010, 1}, {HALF, 0x08001000, 0x1234},
			{NONE, 0x4002200C, 1}, {HALF, 0x08001000, 0x1234}},
		"the unit at 0x08001000 is programmed again"},
	{"the keys are out of order", "f103xc",
		{{WORD, 0x40022010, 0x80}, {WORD, 0x40022004, 0xCDEF89AB}},
		"the key 0xCDEF89AB is out of order"},
	{"option keys", "f103xc", {{WORD, 0x40022008, 0x45670123}}, "OPTKEYR gets 0x45670123"},
	{"a register without a clock", "f103xc", {{WORD, 0x40021018, 0}, {LOAD, 0x40010808, 0}},
		"0x40010808 is touched while its clock is off"},
	{"nothing is mapped there", "f103xc", {{LOAD, 0x60000000, 0}},
		"it reads 4 bytes at 0x60000000, where nothing answers"},
	{"behind the RAM", "f103xc", {{WORD, 0x2000C000, 0}},
		"it writes 4 bytes at 0x2000C000, where nothing answers"},
	{"behind the flash", "f103xc", {{LOAD, 0x08040000, 0}},
		"0x08040000 is read, behind the flash"},
	{"the watchdog is started", "f103xc", {{WORD, 0x40003000, 0xCCCC}},
		"the watchdog gets 0xCCCC at 0x40003000"},
	{"a clock that is not ready", "f103xc",
		{{WORD, 0x40021004, 0x00280000}, {WORD, 0x40021000, 0x01000083},
			{WORD, 0x40021004, 0x00280002}},
		"the clock is switched to a source that is not ready"},
	{"too few wait states", "f103xc",
		{{WORD, 0x40021004, 0x00280000}, {WORD, 0x40021000, 0x01000083},
			{ANY, 0x40021000, 0x02000000}, {WORD, 0x40021004, 0x00280402}},
		"the flash has 0 wait states at 48 MHz"},
	{"nobody looks at the USART", "f103xc",
		{F1_CLOCK, F1_PINS, F1_USART(312), {ROUNDS, 0, 5000}, F1_ECHO},
		"without a look at the USART, at 115384 baud"},
	{"K3: keys while open", "g071-v11.4",
		{{WORD, 0x40022008, 0x45670123}, {WORD, 0x40022008, 0xCDEF89AB}},
		"keys for a flash that is not locked"},
	{"K3: the flags of an earlier operation", "g071-v11.4",
		{{WORD, 0x40022014, 2}, {WORD, 0x40022014, 0x10002}},
		"an operation begins with the flags"},
	{"K3: half of a double word", "g071-v11.4",
		{{WORD, 0x40022010, 0xC3FB}, {WORD, 0x40022014, 1}, {WORD, 0x08000000, 1},
			{WORD, 0x08000008, 1}},
		"0x08000008 is written, which does not end a double word"},
	{"K2: a byte where words are set", "f405",
		{{WORD, 0x40023C10, 0x201}, {HALF, 0x08000000, 1}},
		"2 bytes at 0x08000000 are programmed with CR 0x201"},
};

static void what_no_chip_would_stand_is_told(void **state)
{
	(void)state;
	core_bench_need();
	for (size_t i = 0; i < ARRAY_SIZE(bads); i++) {
		const struct bad *row = &bads[i];
		struct core_bench bench;
		const char *violation;

		core_bench_begin(&bench, row->chip, NULL);
		start(&bench, row->list, MANY);
		core_bench_pass(&bench, 100 * CORE_MSEC);
		violation = core_bench_tell(&bench)->violation;
		if (row->violation ? !strstr(violation, row->violation) : *violation)
			fail_msg("%s: expected '%s', got '%s'", row->name,
				row->violation ? row->violation : "", violation);
		core_bench_end(&bench);
	}
}

static void hang_is_ended_by_the_watchdog(void **state)
{
	const struct sim_core_knobs knobs = {
		.stub_hang_received = 2, .iwdg = true, .iwdg_nsec = 500 * CORE_MSEC};
	struct core_bench bench;

	(void)state;
	core_bench_need();
	core_bench_begin(&bench, "f103xc", &knobs);
	RUN(&bench, f1_echo, "abc");
	assert_int_equal(sim_state(bench.host.sim), SIM_PROGRAM);
	core_bench_pass(&bench, 600 * CORE_MSEC);
	assert_int_equal(sim_state(bench.host.sim), SIM_ROM);
	assert_int_equal(core_bench_tell(&bench)->violations, 0);
	core_bench_end(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(program_echoes),
		cmocka_unit_test(wrong_clock_is_garbage),
		cmocka_unit_test(overrun_is_counted),
		cmocka_unit_test(waiting_is_free),
		cmocka_unit_test(counting_is_no_waiting),
		cmocka_unit_test(reset_by_the_program),
		cmocka_unit_test(what_no_chip_would_stand_is_told),
		cmocka_unit_test(hang_is_ended_by_the_watchdog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
