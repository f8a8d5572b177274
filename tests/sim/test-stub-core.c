/* SPDX-License-Identifier: MIT */
/*
 * test-stub-core.c - the program of src/stub itself, on every simulated chip that may run it: what
 * a ROM may leave to it, how often it looks at the line, and images of odd shapes.
 *
 * The host is the product's own (loader/stub.c), the chip an emulated processor with the registers
 * of the reference manuals. The numbers are those of the checks in the design of the stub.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sim/core-stand.h"

#define KIB UINT32_C(1024)

/* --- Builds: the committed one, and another compiler's --- */

struct build {
	const char *name;
	uint8_t bytes[4096]; /* its size is not bounded as that of the committed one */
	size_t n_bytes;
};

/* False where nobody has built it: it needs lld and llvm. */
static bool read_clang_build(struct build *ret)
{
	const char *folder = getenv("BUILD");
	char path[200];
	FILE *file;

	snprintf(path, sizeof(path), "%s/stub-clang.bin", folder ? folder : "build");
	file = fopen(path, "rb");
	if (!file)
		return false;
	ret->name = "clang";
	ret->n_bytes = fread(ret->bytes, 1, sizeof(ret->bytes), file);
	fclose(file);
	return ret->n_bytes > 0 && ret->n_bytes % 4 == 0;
}

static const char *const cpus[] = {"own core", "M0", "M3", "M4"};

/* A part of the image's pages, on the chip's own core and the three others. */
static void write_on_each_core(const struct build *build)
{
	static const char *const names[] = {"f103xc", "f405", "g474"};
	CLEANUP(freep) uint8_t *image = stub_make_image(8 * KIB, 1);
	uint32_t n_program = (uint32_t)(build ? build->n_bytes : stub_program_size);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		for (unsigned cpu = SIM_CORE_CPU_M0; cpu <= SIM_CORE_CPU_M4; cpu++) {
			struct core_stand stand;
			uint32_t ran;

			core_stand_begin(&stand,
				&(struct core_stand_options){.chip = core_chip_named(names[i]),
					.knobs.cpu = (enum sim_core_cpu)cpu,
					.program = build ? build->bytes : NULL,
					.n_program = build ? build->n_bytes : 0});
			core_stand_write(&stand, stand.chip.flash.start, image, 8 * KIB, false);
			ran = sim_core_coverage(
				stand.stub.sim, stand.stub.load.address + 8, n_program);
			printf("# figure: %s on %s, %s: 8 KiB written and proved by %u %% of the code\n",
				names[i], cpus[cpu], build ? build->name : "gcc",
				(unsigned)(200 * ran / n_program));
			assert_in_range(200 * ran / n_program, 50, 100);
			core_stand_end(&stand);
		}
	}
}

static void stub_check_01_each_core(void **state)
{
	(void)state;
	core_need();
	write_on_each_core(NULL);
}

static void stub_check_01_the_other_compiler(void **state)
{
	static struct build build;
	CLEANUP(freep) uint8_t *image = stub_make_image(4 * KIB, 2);

	(void)state;
	core_need();
	if (!read_clang_build(&build))
		skip();
	write_on_each_core(&build);
	for (size_t i = 0; i < ARRAY_SIZE(core_chips); i++) {
		struct core_stand stand;

		core_stand_begin(&stand, &(struct core_stand_options){.chip = &core_chips[i],
						 .program = build.bytes,
						 .n_program = build.n_bytes});
		core_stand_write(&stand, stand.chip.flash.start, image, 4 * KIB, false);
		core_stand_end(&stand);
	}
}

/* --- 3: nothing lost, and how far apart two looks at the USART are --- */

static void stub_check_03_looks_often_enough(void **state)
{
	static const char *const names[] = {"f103xc", "f072", "f405", "g0b1", "wle5-v33"};
	CLEANUP(freep) uint8_t *image = stub_make_image(16 * KIB, 3);

	(void)state;
	core_need();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct sim_core_state *told;
		struct core_stand stand;

		core_stand_begin(
			&stand, &(struct core_stand_options){.chip = core_chip_named(names[i])});
		core_stand_write(&stand, stand.chip.flash.start, image, 16 * KIB, false);
		told = core_stand_tell(&stand);
		printf("# figure: %s: at most %u instructions, %u ns between two looks at the USART\n",
			names[i], told->poll_instructions, (unsigned)told->poll_nsec);
		assert_in_range(told->poll_instructions, 1, 200);
		core_stand_end(&stand);
	}
}

/* Two cycles an instruction, at the slowest clock that follows 921600. */
static void stub_check_03_on_a_slow_processor(void **state)
{
	CLEANUP(freep) uint8_t *image = stub_make_image(8 * KIB, 4);
	struct core_stand stand;

	(void)state;
	core_need();
	core_stand_begin(&stand, &(struct core_stand_options){.chip = core_chip_named("f072"),
					 .knobs = {.cycles_percent = 200}});
	core_stand_write(&stand, stand.chip.flash.start, image, 8 * KIB, false);
	core_stand_end(&stand);
}

/* --- A fault of the program, and a loop without an end --- */

static const struct end {
	const char *name, *chip;
	bool is_fault;
} ends[] = {
	{"its own vectors are used", "f103xc", true},
	{"the same on a Cortex-M0+", "g0b1", true},
	{"the same on F4", "f405", true},
	{"a Cortex-M0 has no vectors of its own", "f072", true},
	{"a loop", "g0b1", false},
};

/* The host may be sending still: a ROM that came up now would take that for commands. */
static void a_program_that_fails_is_silent(void **state)
{
	(void)state;
	core_need();
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct core_stand stand;

		/* Behind the train and a part of the first question. */
		core_stand_start(
			&stand, &(struct core_stand_options){.chip = core_chip_named(ends[i].chip),
					.knobs = {.stub_hang_received = 70,
						.hang_is_fault = ends[i].is_fault}});
		assert_int_not_equal(stub_meet(&stand.stub), 0);
		if (sim_state(stand.stub.sim) != SIM_PROGRAM)
			fail_msg("%s: the chip is in state %d", ends[i].name,
				sim_state(stand.stub.sim));
		assert_int_equal(core_stand_tell(&stand)->violations, 0);
		stub_end(&stand.stub);
	}
}

/* --- 4: what a ROM leaves --- */

static void stub_check_04_whatever_the_rom_leaves(void **state)
{
	static const char *const left[] = {[SIM_CORE_GO_LEFT] = "left as it was",
		[SIM_CORE_GO_NO_GPIO] = "clocks of the GPIO off",
		[SIM_CORE_GO_RESET] = "all reset",
		[SIM_CORE_GO_PLL] = "PLL and VTOR left",
		[SIM_CORE_GO_CSS] = "on HSE with CSS",
		[SIM_CORE_GO_INTERRUPTS] = "an interrupt pending"};

	(void)state;
	core_need();
	for (unsigned go = 0; go < SIM_CORE_GO_MAX; go++) {
		unsigned slowest = 0;

		for (size_t i = 0; i < ARRAY_SIZE(core_chips); i++) {
			struct core_stand stand;

			core_stand_begin(
				&stand, &(struct core_stand_options){.chip = &core_chips[i],
						.knobs.go = (enum sim_core_go)go,
						.max_baud = 115200});
			if (core_stand_tell(&stand)->first_sent_msec > slowest)
				slowest = core_stand_tell(&stand)->first_sent_msec;
			core_stand_end(&stand);
		}
		printf("# figure: %s: hello at most %u ms after Go\n", left[go], slowest);
		assert_in_range(slowest, 1, 100);
	}
}

/* --- 15: images of odd shapes --- */

static const struct shape {
	const char *name, *chip;
	uint32_t offset, size;	  /* of the image in the flash */
	uint32_t hole, hole_size; /* bytes of it that are erased ones */
} shapes[] = {
	{"runs of 0xFF", "f103xc", 0, 8 * KIB, 1 * KIB, 5 * KIB},
	{"runs of 0xFF, K2", "f405", 0, 8 * KIB, 1 * KIB, 5 * KIB},
	{"runs of 0xFF, K3", "g474", 0, 8 * KIB, 1 * KIB, 5 * KIB},
	{"the first unit alone is not 0xFF", "g0b1", 0, 2 * KIB, 8, 2 * KIB - 8},
	{"the last unit alone is not 0xFF", "g0b1", 0, 2 * KIB, 0, 2 * KIB - 8},
	{"a tail of 8 bytes", "l412", 0, 2 * KIB + 8, 0, 0},
	{"a tail of 8 bytes, K1", "f103c8", 0, 1 * KIB + 8, 0, 0},
	{"the last page", "f103xc", 254 * KIB, 2 * KIB, 0, 0},
	{"the last page, K2", "f405", 1020 * KIB, 4 * KIB, 0, 0},
	{"the last page, K3", "g0b1", 510 * KIB, 2 * KIB, 0, 0},
	{"across two banks, G0", "g0b1", 254 * KIB, 4 * KIB, 0, 0},
	{"across two banks, G4", "g474", 254 * KIB, 4 * KIB, 0, 0},
	{"where two banks would meet, one is", "g474-single", 252 * KIB, 8 * KIB, 0, 0},
	{"across two banks of 1 MiB, F4", "f429", 1020 * KIB, 8 * KIB, 0, 0},
	{"across two banks of 512 KiB, F4", "f429-1m-dual", 508 * KIB, 8 * KIB, 0, 0},
	{"the same part with one bank", "f429-1m", 508 * KIB, 8 * KIB, 0, 0},
	{"across two banks of 512 KiB, F46x", "f469-1m-dual", 508 * KIB, 8 * KIB, 0, 0},
	{"across two banks, F7", "f767-dual", 1020 * KIB, 8 * KIB, 0, 0},
	{"across two banks of 512 KiB, F7", "f767-1m-dual", 508 * KIB, 8 * KIB, 0, 0},
	{"one bank, F7", "f767", 1020 * KIB, 8 * KIB, 0, 0},
	{"pages of 8 KiB", "l4r5-single", 2040 * KIB, 8 * KIB, 0, 0},
};

/* What is beside the pages of the image is what it was. */
static void check_neighbours(
	const struct core_stand *stand, const uint8_t *before, const struct shape *shape)
{
	const struct sim_chip *sim_chip = stand->stub.sim_chip;
	const uint8_t *flash = sim_flash(stand->stub.sim);
	struct chip_page page;
	uint32_t first, end;

	assert_true(chip_page_at(&stand->chip, sim_chip->flash_base + shape->offset, &page));
	first = page.address - sim_chip->flash_base;
	assert_true(chip_page_at(
		&stand->chip, sim_chip->flash_base + shape->offset + shape->size - 1, &page));
	end = page.address - sim_chip->flash_base + page.size;
	if (memcmp(flash, before, first) != 0 ||
		memcmp(flash + end, before + end, sim_chip->flash_size - end) != 0)
		fail_msg("%s: a page beside the image has changed", shape->name);
}

static void write_shape(const struct shape *shape)
{
	CLEANUP(freep) uint8_t *image = stub_make_image(shape->size, 15);
	CLEANUP(freep) uint8_t *before = NULL;
	const struct sim_chip *sim_chip;
	struct core_stand stand;

	memset(image + shape->hole, 0xFF, shape->hole_size);
	core_stand_begin(
		&stand, &(struct core_stand_options){.chip = core_chip_named(shape->chip)});
	sim_chip = stand.stub.sim_chip;
	before = stub_make_image(sim_chip->flash_size, 16);
	memcpy(sim_flash(stand.stub.sim), before, sim_chip->flash_size);
	core_stand_write(&stand, sim_chip->flash_base + shape->offset, image, shape->size, false);
	check_neighbours(&stand, before, shape);
	core_stand_end(&stand);
}

static void stub_check_15_images_of_odd_shapes(void **state)
{
	(void)state;
	core_need();
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
		write_shape(&shapes[i]);
	printf("# figure: %zu shapes written, the pages beside them unchanged\n",
		ARRAY_SIZE(shapes));
}

/* --- 16: the watchdog --- */

static void stub_check_16_watchdog_of_the_option_bytes(void **state)
{
	/* Mass erase of an F405 byte by byte: 32 s at most (DS8626 table 40). The watchdog: 17.5 s.
	 */
	const struct core_stand_options options = {.chip = core_chip_named("f405"),
		.knobs = {.iwdg = true},
		.faults = {.erase_nsec = UINT64_C(32000000000)}};
	CLEANUP(freep) uint8_t *image = stub_make_image(1 * KIB, 5);
	unsigned resets;
	struct core_stand stand;

	(void)state;
	core_need();
	core_stand_begin(&stand, &options);
	resets = sim_counters(stand.stub.sim)->resets;
	core_stand_write(&stand, stand.chip.flash.start, image, 1 * KIB, true);
	assert_int_equal(sim_counters(stand.stub.sim)->resets, resets);
	printf("# figure: kicked %u times in %.1f s, as often as its loops turn\n",
		core_stand_tell(&stand)->kicks, (double)core_stand_tell(&stand)->ran_nsec / 1e9);
	core_stand_end(&stand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stub_check_01_each_core),
		cmocka_unit_test(stub_check_01_the_other_compiler),
		cmocka_unit_test(stub_check_03_looks_often_enough),
		cmocka_unit_test(stub_check_03_on_a_slow_processor),
		cmocka_unit_test(a_program_that_fails_is_silent),
		cmocka_unit_test(stub_check_04_whatever_the_rom_leaves),
		cmocka_unit_test(stub_check_15_images_of_odd_shapes),
		cmocka_unit_test(stub_check_16_watchdog_of_the_option_bytes),
	};

	cmocka_set_test_filter(getenv("F") ? getenv("F") : "*");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
