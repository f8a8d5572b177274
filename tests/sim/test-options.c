/* SPDX-License-Identifier: MIT */
/*
 * Option bytes: written last, compared at each look, and what becomes of a chip whose power fails
 * while they are written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loader/loader.h"
#include "place.h"
#include "promotion-bench.h"

#define WRITE 0x31

#define G0    "chip = G071\nretries = 0"
#define F405  "chip = F405\nretries = 0"

static const struct sim_counters *counters(const struct place *place)
{
	return sim_counters(place->bench->sim);
}

/* As its boot loader shows them, by a job that changes nothing else. */
static struct chip_options shown(struct bench *bench, const struct option_list *wanted)
{
	const struct report before = bench->report;
	struct chip_options read = {0};
	void (*ask)(void *, enum question, const struct report *, struct answer *) = bench->ask;

	/* It is no job of the service's. */
	bench->ask = NULL;
	bench->options = wanted;
	bench->ret_options = &read;
	(void)bench_run(bench, FLASH_OPTIONS);
	bench->options = NULL;
	bench->ask = ask;
	if (!wanted)
		bench->report = before;
	return read;
}

static uint32_t value_of(struct bench *bench, const char *name)
{
	const struct chip_options read = shown(bench, NULL);
	const struct option_field *field;

	assert_non_null(read.layout);
	field = option_field_named(read.layout, name);
	assert_non_null(field);
	return option_get(read.layout, field, read.bytes);
}

static bool remark_has(const struct bench *bench, const char *text)
{
	return strstr(bench->report.remark, text) != NULL;
}

/* ------------------------------------------------------------------ by a rule */

static void an_update_sets_them_last(void **state)
{
	struct place *place = new_place(NULL, F103 "\noption-bytes = nRST_STOP=0 Data0=0x5A");

	(void)state;
	assert_int_equal(value_of(place->bench, "Data0"), 0xFF);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_true(remark_has(place->bench, "nRST_STOP 1 -> 0, Data0 255 -> 90"));
	assert_int_equal(place->bench->report.proof, PROOF_READ_BACK);
	assert_true(bench_holds_image(place->bench));
	assert_int_equal(sim_state(place->bench->sim), SIM_APPLICATION);
	assert_int_equal(value_of(place->bench, "nRST_STOP"), 0);
	assert_int_equal(value_of(place->bench, "Data0"), 0x5A);
	assert_int_equal(value_of(place->bench, "nRST_STDBY"), 1);
	assert_int_equal(unit_of(place).state, UNIT_WHOLE);
	free_place(place);
}

/* Nothing is written, and nothing erased, where both are as they should be. */
static void a_unit_that_has_them_is_current(void **state)
{
	struct place *place = new_place(NULL, F103 "\noption-bytes = Data0=0x5A");
	unsigned n_writes, n_erases;

	(void)state;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	n_writes = counters(place)->commands[WRITE];
	n_erases = bench_erases(place->bench);
	restart_service(place);
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	assert_int_equal(counters(place)->commands[WRITE], n_writes);
	assert_int_equal(bench_erases(place->bench), n_erases);
	assert_string_equal(place->bench->report.remark, "");
	free_place(place);
}

/* A rule that got the key later, or somebody with a programmer. */
static void a_current_unit_with_others_is_set_right(void **state)
{
	struct place *place = new_place(NULL, F103);
	unsigned n_writes, n_erases;
	const char *expected;

	(void)state;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	n_writes = counters(place)->commands[WRITE];
	n_erases = bench_erases(place->bench);
	assert_int_equal(parse_option_list("Data1=1", &place->bench->board.options, &expected), 0);
	restart_service(place);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_true(remark_has(place->bench, "Data1 255 -> 1"));
	assert_int_equal(counters(place)->commands[WRITE], n_writes + 1);
	assert_int_equal(bench_erases(place->bench), n_erases);
	assert_int_equal(unit_of(place).state, UNIT_WHOLE);
	assert_true(bench_holds_image(place->bench));
	assert_int_equal(value_of(place->bench, "Data1"), 1);
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	free_place(place);
}

static void verify_says_which_differ(void **state)
{
	struct bench *bench = bench_new("f103xc", F103 "\noption-bytes = Data1=1 nRST_STOP=0");

	(void)state;
	bench_take_file(bench, FIRMWARE_NEW);
	bench_preload(bench);
	assert_int_equal(bench_run(bench, FLASH_VERIFY), OUTCOME_VERIFY_DIFFERS);
	assert_non_null(strstr(
		bench->report.reason.text, "nRST_STOP is 1 and not 0, Data1 is 255 and not 1"));
	assert_int_equal(value_of(bench, "Data1"), 0xFF);
	bench_free(bench);
}

static void a_dry_run_tells_and_writes_nothing(void **state)
{
	struct bench *bench = bench_new("f103xc", F103 "\noption-bytes = Data1=1");

	(void)state;
	bench_take_file(bench, FIRMWARE_NEW);
	bench_preload(bench);
	bench->dry_run = true;
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(remark_has(bench, "would be set: Data1 255 -> 1"));
	bench->dry_run = false;
	assert_int_equal(value_of(bench, "Data1"), 0xFF);
	bench_free(bench);
}

/* The chip resets before its ACK is out: what is read behind the reset decides. */
static void a_lost_acknowledgement_is_no_failure(void **state)
{
	const struct sim_faults faults = {.mute_options = true};
	struct place *place = new_place(&faults, F103 "\noption-bytes = Data1=1");

	(void)state;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_int_equal(value_of(place->bench, "Data1"), 1);
	free_place(place);
}

/* ------------------------------------------------------------------ other layouts */

/* What a G0 leaves the factory with: its BOOT0 pin does nothing before it is told to. */
static void the_pin_of_a_new_g0_is_switched_on(void **state)
{
	struct bench *bench = bench_new("g071", G0 "\noption-bytes = nBOOT_SEL=0");

	(void)state;
	bench_take_bytes(bench, 0x08000000, 4096, 1);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(remark_has(bench, "nBOOT_SEL 1 -> 0"));
	assert_int_equal(value_of(bench, "nBOOT_SEL"), 0);
	assert_int_equal(value_of(bench, "NRST_MODE"), 3);
	assert_int_equal(value_of(bench, "RDP"), 0xAA);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
	bench_free(bench);
}

/* Its complement is written as well, without which the chip takes the value for none. */
static void the_threshold_of_an_f4_is_set_with_its_complement(void **state)
{
	struct bench *bench = bench_new("f405", F405 "\noption-bytes = BOR_LEV=1 i-know-the-risk");
	struct chip_options read;

	(void)state;
	bench_take_bytes(bench, 0x08000000, 4096, 1);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	read = shown(bench, NULL);
	assert_memory_equal(read.bytes, "\xE7\xAA\x18\x55", 4);
	assert_true(bench_holds_image(bench));
	bench_free(bench);
}

/* ------------------------------------------------------------------ behind a promoted loader */

/* Reads and writes by the loader below it, until the chip is reset, and can do nothing else. */
struct faster {
	struct loader base;
	struct loader *below;
};

static struct loader *below(struct loader *loader)
{
	return ((struct faster *)loader)->below;
}

static struct loader *faster_close(struct loader *loader)
{
	free(loader);
	return NULL;
}

static int faster_read(struct loader *loader, uint32_t address, uint8_t *to, size_t n_to)
{
	return loader_stm32.read(below(loader), address, to, n_to);
}

static int faster_write(struct loader *loader, uint32_t address, const uint8_t *data, size_t n)
{
	return loader_stm32.write(below(loader), address, data, n);
}

static int faster_erase(struct loader *loader, const struct chip_page *pages, size_t n_pages)
{
	return loader_stm32.erase_pages(below(loader), pages, n_pages);
}

static const struct loader_ops faster_ops = {
	.name = "faster",
	.block_size = 256,
	.close = faster_close,
	.read = faster_read,
	.write = faster_write,
	.erase_pages = faster_erase,
};

static int promote(struct loader *loader, const struct chip_identity *identity, struct reason *why,
	struct loader **ret)
{
	struct faster *faster = calloc(1, sizeof(*faster));

	(void)identity;
	assert_non_null(faster);
	faster->base = *loader;
	faster->base.ops = &faster_ops;
	faster->below = loader;
	reason_set(why, "in a test");
	*ret = &faster->base;
	return 0;
}

static int identify(struct loader *loader, struct chip_identity *ret)
{
	int r = loader_stm32.identify(loader, ret);

	ret->can_promote = true;
	return r;
}

/* The ROM is met once more for it, since the program in the RAM has no such command. */
static void a_promoted_loader_gives_way_to_the_rom(void **state)
{
	struct bench *bench = bench_new("f103xc", F103 "\noption-bytes = Data0=1");
	struct loader_ops ops = loader_stm32;

	(void)state;
	ops.identify = identify;
	ops.promote = promote;
	ops.promote_version = 1;
	bench->loader = &ops;
	bench->trusts.stub = TRUST_FULL;
	bench_take_bytes(bench, 0x08000000, 16 * KIB, 1);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_string_equal(bench->report.stub, "used: in a test");
	assert_int_equal(bench->report.proof, PROOF_READ_BACK);
	/* Met, met again to write them, and once more to compare. */
	assert_int_equal(bench->report.entries, 3);
	assert_int_equal(sim_counters(bench->sim)->rom_entries, 3);
	assert_true(bench_holds_image(bench));
	bench->loader = NULL;
	assert_int_equal(value_of(bench, "Data0"), 1);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
	bench_free(bench);
}

/* The program of src/stub as its peer speaks it: trusted, on trial, and for a unit that is current
 * by its sums. */
static void the_program_in_the_ram_gives_way_to_the_rom(void **state)
{
	static const enum trust trusts[] = {TRUST_FULL, TRUST_ON_TRIAL};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(trusts); i++) {
		struct bench *bench = promotion_new(
			"f103xc", "f1", F103 "\noption-bytes = Data0=1", SIM_PROGRAM_PEER, NULL);
		const char *expected;

		bench->trusts.stub = trusts[i];
		bench_take_bytes(bench, 0x08000000, 32 * KIB, 1);
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
		assert_true(is_said(bench, "used"));
		assert_true(bench->report.proof >= PROOF_DIGEST);
		assert_true(bench_holds_image(bench));
		assert_int_equal(value_of(bench, "Data0"), 1);
		assert_int_equal(parse_option_list("Data0=2", &bench->board.options, &expected), 0);
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
		assert_true(remark_has(bench, "Data0 1 -> 2"));
		assert_int_equal(bench->report.bytes, 0);
		assert_int_equal(bench->report.pages_erased, 0);
		assert_int_equal(value_of(bench, "Data0"), 2);
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
		assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
		bench_free(bench);
	}
}

/* ------------------------------------------------------------------ what goes wrong */

/* Whatever was known of the rule's chips: the one that answers decides. */
static void a_chip_that_does_not_take_them_is_not_erased(void **state)
{
	static const struct {
		const char *chip, *rule, *reason;
	} rows[] = {
		{"f103xc", F103 "\noption-bytes = nBOOT_SEL=0", "no option 'nBOOT_SEL'"},
		{"f103xc", F103 "\noption-bytes = WDG_SW=0", "watchdog"},
		{"f103xc", F103 "\noption-bytes = RDP=0 i-know-it-is-for-ever",
			"readout-protection"},
		{"f429", "chip = F429\nretries = 0\noption-bytes = BOR_LEV=3", "never written"},
		{"h743", "chip = H743\nretries = 0\noption-bytes = BOR_LEV=0", "by their names"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench = bench_new(rows[i].chip, rows[i].rule);

		bench_take_bytes(bench, 0x08000000, 4096, 1);
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_BAD_CONFIG);
		print_message("# %s\n", bench->report.reason.text);
		assert_non_null(strstr(bench->report.reason.text, rows[i].reason));
		assert_int_equal(bench_erases(bench), 0);
		assert_int_equal(sim_counters(bench->sim)->commands[WRITE], 0);
		bench_free(bench);
	}
}

/* No entry behind the write is answered. */
static void stay_silent_once_written(void *userdata, const struct progress *progress)
{
	struct bench *bench = userdata;

	if (progress->phase == PHASE_ENTER && sim_counters(bench->sim)->commands[WRITE] > 0)
		sim_set_faults(bench->sim, &(struct sim_faults){.silent = true});
}

/* A new G0 was met because its flash was empty: its pin leads nowhere, and the option bytes that
 * are loaded let it see that it is empty no more. */
static void one_that_does_not_come_back_tells_what_may_be_why(void **state)
{
	static const struct {
		const char *rule, *reason;
	} rows[] = {
		{G0 "\noption-bytes = IRHEN=1", "nBOOT_SEL=1: the boot mode is that of nBOOT0"},
		{G0 "\noption-bytes = nBOOT_SEL=0", "check cable and power"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct option_list *list;
		struct bench *bench = bench_new("g071", rows[i].rule);

		list = &bench->board.options;
		assert_int_equal(list->n_items, 1);
		bench->options = list;
		bench->ret_options = &(struct chip_options){0};
		bench->userdata = bench;
		bench->on_progress = stay_silent_once_written;
		assert_int_equal(bench_run(bench, FLASH_OPTIONS), OUTCOME_FAILED);
		print_message("# %s\n", bench->report.reason.text);
		assert_non_null(strstr(bench->report.reason.text, "after the option bytes"));
		assert_non_null(strstr(bench->report.reason.text, rows[i].reason));
		assert_int_equal(strstr(bench->report.reason.text, "nBOOT_SEL") != NULL, i == 0);
		bench_free(bench);
	}
}

static bool cancel_when_written(void *userdata)
{
	return sim_counters(((struct bench *)userdata)->sim)->commands[WRITE] > 0;
}

/* Nobody stops a job between the write and the comparison. */
static void what_is_written_is_compared_whoever_cancels(void **state)
{
	struct bench *bench = bench_new("f103xc", F103);
	CLEANUP(option_list_done) struct option_list wanted = {0};
	const char *expected;

	(void)state;
	assert_int_equal(parse_option_list("Data0=1", &wanted, &expected), 0);
	bench->is_cancelled = cancel_when_written;
	bench->userdata = bench;
	(void)shown(bench, &wanted);
	assert_int_equal(bench->report.outcome, OUTCOME_UPDATED);
	bench->is_cancelled = NULL;
	assert_int_equal(value_of(bench, "Data0"), 1);
	bench_free(bench);
}

static void a_bit_that_stays_as_it_was_is_named(void **state)
{
	const struct sim_faults faults = {.stuck_option_at = 6, .stuck_options = 0x02};
	struct place *place = new_place(&faults, F103 "\noption-bytes = Data0=1 Data1=1");

	(void)state;
	assert_int_equal(plug(place), OUTCOME_FAILED);
	assert_non_null(strstr(place->bench->report.reason.text, "Data1 is 3 and not 1"));
	assert_null(strstr(place->bench->report.reason.text, "Data0"));
	/* The image was proved, and nothing has erased it since. */
	assert_int_equal(place->bench->report.proof, PROOF_READ_BACK);
	assert_true(bench_holds_image(place->bench));
	assert_int_equal(sim_state(place->bench->sim), SIM_APPLICATION);
	free_place(place);
}

/* The erased bytes protect the flash. With `clear` the next look repairs the unit by itself. */
static void a_power_cut_in_the_middle_is_repaired_by_the_next_look(void **state)
{
	const struct sim_faults faults = {.torn_options = 1};
	struct place *place =
		new_place(&faults, F103 "\nreadout-protection = clear\noption-bytes = Data0=1");
	const unsigned *entries = &counters(place)->rom_entries;
	unsigned n_entries;

	(void)state;
	assert_int_equal(plug(place), OUTCOME_FAILED);
	assert_non_null(strstr(place->bench->report.reason.text, "read-out protected"));
	n_entries = *entries;
	assert_true(n_entries <= 4);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_int_equal(counters(place)->unprotects, 1);
	assert_true(bench_holds_image(place->bench));
	assert_int_equal(value_of(place->bench, "Data0"), 1);
	assert_int_equal(unit_of(place).state, UNIT_WHOLE);
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	free_place(place);
}

/* Without it nothing is wiped, and the entry says what would. */
static void without_clear_a_torn_unit_is_left_alone(void **state)
{
	const struct sim_faults faults = {.torn_options = 1};
	struct place *place = new_place(&faults, F103 "\noption-bytes = Data0=1");

	(void)state;
	assert_int_equal(plug(place), OUTCOME_FAILED);
	assert_int_equal(plug(place), OUTCOME_PROTECTED);
	assert_int_equal(counters(place)->unprotects, 0);
	assert_non_null(strstr(place->bench->report.reason.text, "readout-protection = clear"));
	free_place(place);
}

#define KEPT F103 "\nreadout-protection = clear\noption-bytes = Data0=1 nRST_STOP=0"

/* Bytes to the chip, or from it, in an update that goes well and ends with the option bytes. */
static uint64_t n_bytes_of(bool is_received)
{
	struct place *place = new_place(NULL, KEPT);
	uint64_t n;

	assert_int_equal(plug(place), OUTCOME_UPDATED);
	n = is_received ? counters(place)->received : counters(place)->sent;
	free_place(place);
	return n;
}

/* Whatever became of the first job, the next one leaves image and settings as they should be. */
static void assert_made_good(struct place *place, uint64_t nth)
{
	enum outcome outcome;

	clear_faults(place);
	restart_service(place);
	outcome = plug(place);
	if (outcome != OUTCOME_UPDATED && outcome != OUTCOME_CURRENT)
		fail_msg("byte %u: %s: %s", (unsigned)nth, outcome_to_string(outcome),
			place->bench->report.reason.text);
	assert_true(bench_holds_image(place->bench));
	assert_int_equal(value_of(place->bench, "Data0"), 1);
	assert_int_equal(value_of(place->bench, "nRST_STOP"), 0);
	assert_int_equal(value_of(place->bench, "Data1"), 0xFF);
	assert_int_equal(value_of(place->bench, "RDP"), 0xA5);
	assert_int_equal(unit_of(place).state, UNIT_WHOLE);
	assert_int_equal(sim_state(place->bench->sim), SIM_APPLICATION);
}

/* The power goes after every fifth byte, from the last blocks of the verification to the job's
 * end, and half of the times the service with it. */
static void fault_18_cut_around_the_option_bytes(void **state)
{
	uint64_t n_bytes = n_bytes_of(true);
	unsigned n_cuts = 0;

	(void)state;
	for (uint64_t nth = n_bytes - 200; nth <= n_bytes; nth += 5, n_cuts++) {
		const struct sim_faults faults = {.power_cut_received = nth};
		struct place *place = new_place(&faults, KEPT);

		place->is_host_cut = nth % 2;
		(void)plug(place);
		assert_made_good(place, nth);
		free_place(place);
	}
	print_message("# figure: %u cuts around the option bytes, all made good\n", n_cuts);
}

/* A bent byte on either way may cost the job, and never sets what nobody wanted. */
static void bent_bytes_set_nothing_else(void **state)
{
	uint64_t n_received = n_bytes_of(true), n_sent = n_bytes_of(false);
	unsigned n_runs = 0;

	(void)state;
	for (uint64_t back = 0; back < 300; back += 9, n_runs++) {
		const struct sim_faults faults = {
			.flip_received = back % 2 ? n_received - back / 2 : 0,
			.flip_sent = back % 2 ? 0 : n_sent - back / 2,
			.seed = (unsigned)back + 1,
		};
		struct place *place = new_place(&faults, KEPT);

		(void)plug(place);
		assert_made_good(place, back);
		free_place(place);
	}
	print_message("# figure: %u runs with a bent byte, all made good\n", n_runs);
}

/* ------------------------------------------------------------------ by the command */

static void the_command_shows_and_sets_them(void **state)
{
	struct bench *bench = bench_new("g071", G0);
	CLEANUP(option_list_done) struct option_list wanted = {0};
	struct chip_options read;
	const char *expected;

	(void)state;
	assert_int_equal(parse_option_list("nBOOT_SEL=0", &wanted, &expected), 0);
	read = shown(bench, NULL);
	assert_int_equal(read.address, 0x1FFF7800);
	assert_int_equal(read.n_bytes, 128);
	assert_memory_equal(read.bytes, "\xAA\xE1\xFF\xDF\x55\x1E\x00\x20", 8);
	read = shown(bench, &wanted);
	assert_int_equal(bench->report.outcome, OUTCOME_UPDATED);
	assert_memory_equal(read.bytes, "\xAA\xE1\xFF\xDE\x55\x1E\x00\x21", 8);
	/* They are so now. */
	read = shown(bench, &wanted);
	assert_int_equal(bench->report.outcome, OUTCOME_CURRENT);
	assert_int_equal(sim_counters(bench->sim)->commands[WRITE], 1);
	bench_free(bench);
}

static void a_protected_chip_shows_none(void **state)
{
	const struct sim_options options = {.chip = sim_chip_find("f103xc"),
		.circuit = SIM_CIRCUIT_DIRECT,
		.faults = {.protect = true}};
	struct bench *bench = bench_new_with(&options, F103);

	(void)state;
	bench->ret_options = &(struct chip_options){0};
	assert_int_equal(bench_run(bench, FLASH_OPTIONS), OUTCOME_PROTECTED);
	assert_int_equal(sim_counters(bench->sim)->commands[WRITE], 0);
	bench_free(bench);
}

/* Bytes of a chip that nobody has by names are shown as they are. */
static void unknown_names_are_shown_as_bytes(void **state)
{
	struct bench *bench = bench_new("h743", "chip = H743\nretries = 0");
	const struct chip_options read = shown(bench, NULL);

	(void)state;
	assert_null(read.layout);
	assert_int_equal(read.n_bytes, 128);
	bench_free(bench);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_update_sets_them_last),
		cmocka_unit_test(a_unit_that_has_them_is_current),
		cmocka_unit_test(a_current_unit_with_others_is_set_right),
		cmocka_unit_test(verify_says_which_differ),
		cmocka_unit_test(a_dry_run_tells_and_writes_nothing),
		cmocka_unit_test(a_lost_acknowledgement_is_no_failure),
		cmocka_unit_test(the_pin_of_a_new_g0_is_switched_on),
		cmocka_unit_test(the_threshold_of_an_f4_is_set_with_its_complement),
		cmocka_unit_test(a_promoted_loader_gives_way_to_the_rom),
		cmocka_unit_test(the_program_in_the_ram_gives_way_to_the_rom),
		cmocka_unit_test(a_chip_that_does_not_take_them_is_not_erased),
		cmocka_unit_test(one_that_does_not_come_back_tells_what_may_be_why),
		cmocka_unit_test(what_is_written_is_compared_whoever_cancels),
		cmocka_unit_test(a_bit_that_stays_as_it_was_is_named),
		cmocka_unit_test(a_power_cut_in_the_middle_is_repaired_by_the_next_look),
		cmocka_unit_test(without_clear_a_torn_unit_is_left_alone),
		cmocka_unit_test(fault_18_cut_around_the_option_bytes),
		cmocka_unit_test(bent_bytes_set_nothing_else),
		cmocka_unit_test(the_command_shows_and_sets_them),
		cmocka_unit_test(a_protected_chip_shows_none),
		cmocka_unit_test(unknown_names_are_shown_as_bytes),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
