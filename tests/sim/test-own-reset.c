/* SPDX-License-Identifier: MIT */
/*
 * test-own-reset.c - whole jobs in which an STM32 is reset in the middle by its supply or a
 * watchdog, while the host sends on: what comes to its ROM of that, which finds commands in the
 * bytes of an image, and what becomes of the unit.
 *
 * Slow: some four hundred whole jobs, 16 s of processor.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "promotion-bench.h"
#include "unit/rows.h"

#define SIZE (12 * KIB)

/* One block in one burst: AN3155 waits for its ACKs. Then the ROM is looked for, once. */
#define BURST 300

/* By the program: STUB_SHORT_BYTES, and a question. */
#define SHORT (4 * KIB + 100)

/*
 * The chips: one whose flash is quickly read, one with room for a large ring in its RAM, and one
 * that also has a flag of the empty flash, which a watchdog leaves as it is. The steps from one
 * reset to the next are primes, so that it meets each place of a frame.
 */
struct chip_under_reset {
	const char *name, *id, *word;
	uint64_t step, step_by_program;
	bool has_flag;
};

static const struct chip_under_reset small = {"f103c8", "0x410", "f1", 149, 431, false};
static const struct chip_under_reset large = {"f103xc", "0x414", "f1", 149, 1009, false};
static const struct chip_under_reset g0 = {"g0b1", "0x467", "g0b", 1543, 1543, true};

struct reset_row {
	const char *name;
	const struct chip_under_reset *chip;
	enum sim_circuit circuit;
	const char *wiring; /* the rule's lines of it */
	bool by_program;    /* in the RAM, else by the ROM alone */
	bool is_watchdog;   /* else the supply */
	unsigned most;	    /* bytes that the ROM may hear of one reset */
};

#define DIRECT	"wiring = direct\n"
#define ONE_KEY "wiring = one-key\n"
#define ESP	"wiring = esp\n"

/* Those of the circuit `direct`, in a rule's own words. */
#define OWN_STEPS "enter = dtr=1,rts=1 100ms dtr=0\nleave = dtr=1,rts=0 100ms dtr=0\n"

static const struct reset_row rows[] = {
	{"direct, by the ROM", &small, SIM_CIRCUIT_DIRECT, DIRECT, false, false, 0},
	{"direct, by the program", &small, SIM_CIRCUIT_DIRECT, DIRECT, true, false, 0},
	{"direct, much ahead", &large, SIM_CIRCUIT_DIRECT, DIRECT, true, false, 0},
	{"one-key, by the ROM", &small, SIM_CIRCUIT_ONE_KEY, ONE_KEY, false, false, 0},
	{"one-key, by the program", &small, SIM_CIRCUIT_ONE_KEY, ONE_KEY, true, false, 0},
	{"esp, by the ROM", &small, SIM_CIRCUIT_ESP, ESP, false, false, 0},
	{"esp, by the program", &small, SIM_CIRCUIT_ESP, ESP, true, false, 0},
	{"G0, a watchdog, by the ROM", &g0, SIM_CIRCUIT_DIRECT, DIRECT, false, true, 0},
	{"G0, a watchdog, by the program", &g0, SIM_CIRCUIT_DIRECT, DIRECT, true, true, 0},
	/* Not to be mended by us: the chip starts its ROM without the pin, or we know no pin. */
	{"G0, by the ROM", &g0, SIM_CIRCUIT_DIRECT, DIRECT, false, false, BURST},
	{"G0, by the program", &g0, SIM_CIRCUIT_DIRECT, DIRECT, true, false, SHORT},
	{"own steps, by the ROM", &small, SIM_CIRCUIT_DIRECT, OWN_STEPS, false, false, BURST},
	{"own steps, by the program", &large, SIM_CIRCUIT_DIRECT, OWN_STEPS, true, false, SHORT},
};

struct sums {
	unsigned n_resets, n_failed, n_heard, most_heard, n_commands, n_others;
};

static struct bench *new_bench(const struct reset_row *row, uint64_t at)
{
	struct sim_options options = {
		.circuit = row->circuit,
		.program = row->by_program ? SIM_PROGRAM_PEER : SIM_PROGRAM_NONE,
		.enters_rom_when_empty = row->chip->has_flag,
		.latches_empty = row->chip->has_flag,
		.faults = {.reset_received = at, .reset_is_dip = !row->is_watchdog},
	};
	CLEANUP(freep) char *rule = NULL;
	struct bench *bench;

	assert_true(asprintf(&rule, "chip = %s\nretries = 1\n%s", row->chip->id, row->wiring) > 0);
	bench = promotion_new_with(&options, row->chip->name, row->chip->word, rule);
	if (!row->by_program)
		bench->trusts.stub = TRUST_OFF;
	bench_take_bytes(bench, PROMOTION_BASE, SIZE, 1);
	bench_preload(bench);
	bench_take_bytes(bench, PROMOTION_BASE, SIZE, 2);
	return bench;
}

/* One job whose chip is reset at the n-th byte; false where it ends before. */
static bool reset_at(const struct reset_row *row, uint64_t at, struct sums *sums)
{
	struct bench *bench = new_bench(row, at);
	const struct sim_counters *counters = sim_counters(bench->sim);
	bool is_well = bench_run(bench, FLASH_UPDATE) == OUTCOME_UPDATED;
	bool was_reset = counters->received >= at;

	/* A chip that obeyed a command may refuse itself, and the job then says so. */
	if (!is_well && row->most == 0)
		fail_msg("at byte %u: %s: %s", (unsigned)at,
			outcome_to_string(bench->report.outcome), bench->report.reason.text);
	assert_true(!is_well || bench_holds_image(bench));
	sums->n_resets += was_reset;
	sums->n_failed += !is_well;
	sums->n_heard += counters->strays_to_rom;
	sums->n_others += counters->strays_to_others;
	sums->n_commands += counters->stray_commands;
	if (counters->strays_to_rom > sums->most_heard)
		sums->most_heard = counters->strays_to_rom;
	bench_free(bench);
	return was_reset;
}

static void the_rom_hears_little(void **state)
{
	const struct reset_row *row = *state;
	uint64_t step = row->by_program ? row->chip->step_by_program : row->chip->step;
	struct sums sums = {0};

	/* Before the ROM was met the pin is needed. */
	for (uint64_t at = step; reset_at(row, at, &sums); at += step)
		;
	print_message("# figure: %s: reset at %u places; the ROM heard %u bytes, at most %u of one "
		      "reset, and found %u commands; others heard %u; %u jobs in vain\n",
		row->name, sums.n_resets, sums.n_heard, sums.most_heard, sums.n_commands,
		sums.n_others, sums.n_failed);
	assert_true(sums.n_resets >= 8);
	assert_in_range(sums.most_heard, row->most > 0, row->most);
}

int main(void)
{
	struct CMUnitTest tests[32];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, rows, the_rom_hears_little);
	return RUN_TESTS("own-reset", tests, n_tests);
}
