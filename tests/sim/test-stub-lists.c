/* SPDX-License-Identifier: MIT */
/*
 * test-stub-lists.c - every setup list on the emulated processor, with the stub itself: it finds
 * each USART that a ROM listens to, on a line that is quiet or noisy elsewhere, measures the host's
 * rate by an oscillator that is off, and stays silent where a step does not come to its end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "chip/family-stm32.h"
#include "image/digest.h"
#include "loader/cobs.h"
#include "loader/stub-load.h"
#include "loader/stub-program.h"
#include "sim/core-bench.h"
#include "sim/core-family.h"
#include "sim/promotion-bench.h"
#include "unit/shipped-chips.h"

#define BAUD 115200

/* The lists, each with the chips that have other USARTs or another core than those before. */
static const struct seat {
	const char *base; /* a simulated chip with the same flash controller */
	uint16_t product_id;
	const char *word;
} seats[] = {
	{"f103c8", 0x410, "f1"},
	{"f103xc", 0x414, "f103"},
	{"f103xc", 0x418, "f105"},
	{"f103c8", 0x420, "f100"},
	{"f103xc", 0x430, "f1-xl"},
	{"f103xc", 0x430, "f103-xl"},
	{"f072", 0x442, "f09"},
	{"f072", 0x448, "f07"},
	{"f072", 0x422, "f3"},
	{"f072", 0x446, "f3-e"},
	{"f072", 0x439, "f3-s"},
	{"f405", 0x411, "f2"},
	{"f405", 0x413, "f4"},
	{"f429", 0x419, "f42"},
	{"f405", 0x423, "f401"},
	{"f405", 0x441, "f412"},
	{"f405", 0x458, "f410"},
	{"f767", 0x452, "f7"},
	{"f767", 0x451, "f76"},
	{"g071-v11.4", 0x466, "g0"},
	{"g071-v11.4", 0x460, "g07"},
	{"g0b1", 0x467, "g0b"},
	{"g071-v11.4", 0x453, "c03"},
	{"g071-v11.4", 0x493, "c07"},
	{"g474", 0x468, "g4"},
	{"g474", 0x469, "g47"},
	{"l412", 0x464, "l4"},
	{"l412", 0x415, "l47"},
	{"l4r5-single", 0x470, "l4-plus"},
	{"wle5-v33", 0x497, "wl"},
};

/* ------------------------------------------------------------------ one chip */

struct place {
	struct stm32_row row;
	struct chip chip;
	struct sim_chip sim;
	const struct stub_list *list;
	struct stub_load load;
};

static void make(struct place *place, const struct seat *seat)
{
	const struct sim_chip *base = sim_chip_find(seat->base);
	struct stub_load_question question = {
		.chip = &place->chip,
		.option_word = UINT32_MAX,
		.train_baud = BAUD,
		.program = stub_program,
		.n_program = stub_program_size,
	};
	struct reason reason = {""};

	assert_non_null(base);
	place->chip = *shipped_chip(seat->product_id);
	place->row = *stm32_row(&place->chip);
	place->chip.own = &place->row;
	place->list = stub_list_find(seat->word);
	assert_non_null(place->list);
	snprintf(place->row.stub, sizeof(place->row.stub), "%s", seat->word);
	/* Of the C0 the table does not know them. */
	if (place->row.option_bytes.size == 0)
		place->row.option_bytes = (struct chip_range){0x1FFF7800, 128};
	place->sim = *base;
	place->sim.product_id = seat->product_id;
	place->sim.ram_start = place->row.ram.start;
	place->sim.ram_size = place->row.ram.size;
	question.flash_bytes = base->flash_size;
	if (stub_load_make(&question, &place->load, &reason) != 0)
		fail_msg("%s: %s", seat->word, reason.text);
}

/* Which of the core's USARTs this candidate is; 0: the core has none like it. */
static unsigned usart_of(const struct place *place, const struct stub_pins *pins)
{
	const struct core_family *family = core_family_of(&place->sim);

	for (unsigned i = 0; family && i < ARRAY_SIZE(family->usarts); i++)
		if (family->usarts[i].number == pins->usart && family->usarts[i].rx == pins->rx &&
			family->usarts[i].port == (unsigned)(pins->port - 'A') &&
			!family->usarts[i].pad)
			return i + 1;
	return 0;
}

static void begin(
	struct core_bench *bench, const struct place *place, const struct sim_core_knobs *knobs)
{
	struct sim_options options = {
		.chip = &place->sim,
		.circuit = SIM_CIRCUIT_ROM,
		.program = SIM_PROGRAM_CORE,
		.core = *knobs,
	};

	memset(bench, 0, sizeof(*bench));
	bench->chip = &place->sim;
	host_begin(&bench->host, &options);
	host_say(&bench->host, "7F");
	core_bench_start(bench, place->load.address, place->load.bytes, place->load.n_bytes);
	core_bench_format(bench, BAUD, false);
}

/* ------------------------------------------------------------------ train and hello */

static size_t encode_hello(uint8_t *to)
{
	struct stub_frame frame = {.type = STUB_HELLO, .sequence = 7};
	uint8_t body[sizeof(frame) + STUB_CRC_SIZE];
	uint32_t crc;
	size_t n;

	memcpy(body, &frame, sizeof(frame));
	crc = digest_crc32(body, sizeof(frame));
	memcpy(body + sizeof(frame), &crc, sizeof(crc));
	to[0] = 0;
	n = cobs_encode(body, sizeof(body), to + 1);
	return n + 1;
}

/* The first sound answer to HELLO in what was heard. */
static bool find_hello(const struct core_bench *bench, struct stub_hello *ret)
{
	uint8_t body[STUB_ANSWER_MAX];
	struct cobs cobs = {.body = body, .size = sizeof(body)};

	for (size_t i = 0; i < bench->n_heard; i++) {
		const size_t n = sizeof(struct stub_answer) + sizeof(*ret);
		uint32_t crc;

		if (cobs_take(&cobs, bench->heard[i]) != COBS_BODY ||
			cobs.n_body != n + STUB_CRC_SIZE)
			continue;
		memcpy(&crc, body + n, sizeof(crc));
		if (crc != digest_crc32(body, n) || body[0] != (STUB_HELLO | STUB_ANSWER) ||
			body[1] != 7)
			continue;
		memcpy(ret, body + sizeof(struct stub_answer), sizeof(*ret));
		return true;
	}
	return false;
}

/* How many trains it took; 0: no answer to all of them. */
static unsigned meet(struct core_bench *bench, unsigned n_trains, struct stub_hello *ret)
{
	uint8_t train[STUB_TRAIN_BYTES], question[32];
	size_t n_question = encode_hello(question);

	memset(train, STUB_TRAIN_BYTE, sizeof(train));
	for (unsigned n = 1; n <= n_trains; n++) {
		core_bench_send(bench, train, sizeof(train));
		core_bench_send(bench, question, n_question);
		core_bench_pass(bench, (STUB_HELLO_MS + 8) * CORE_MSEC);
		if (find_hello(bench, ret))
			return n;
	}
	return 0;
}

static void check_hello(const struct place *place, const struct stub_hello *hello, size_t candidate)
{
	assert_int_equal(hello->magic, STUB_MAGIC);
	assert_int_equal(hello->protocol, STUB_PROTOCOL);
	assert_int_equal(hello->version, STUB_VERSION);
	assert_int_equal(hello->self_crc, place->load.self_crc);
	assert_int_equal(hello->kind, place->load.kind);
	assert_int_equal(hello->ring_size, place->load.ring_size);
	assert_int_equal(hello->candidate, candidate);
}

/* How far the measured clock is from the true one, in 1/100000. */
static int64_t error_of(const struct place *place, const struct stub_hello *hello, int permyriad)
{
	double clock = place->list->clock_hz * (1 + permyriad / 10000.0);
	double measured = (double)hello->train_ticks * BAUD / STUB_TRAIN_BITS;

	return (int64_t)((measured - clock) / clock * 100000);
}

/* ------------------------------------------------------------------ the checks */

static void stub_check_05_each_usart_of_each_list_is_found(void **state)
{
	unsigned n = 0;

	(void)state;
	core_bench_need();
	for (size_t i = 0; i < ARRAY_SIZE(seats); i++) {
		struct place place;

		make(&place, &seats[i]);
		for (size_t k = 0; k < place.list->n_pins; k++) {
			struct sim_core_knobs knobs = {
				.usart = usart_of(&place, &place.list->pins[k])};
			struct core_bench bench;
			struct stub_hello hello;

			if (place.list->pins[k].listens)
				continue; /* another test's */
			if (knobs.usart == 0)
				fail_msg("%s: the core has no USART%u on P%c%u", seats[i].word,
					place.list->pins[k].usart, place.list->pins[k].port,
					place.list->pins[k].rx);
			begin(&bench, &place, &knobs);
			if (meet(&bench, STUB_TRAINS, &hello) == 0)
				fail_msg("%s, USART%u: no hello; %s", seats[i].word,
					place.list->pins[k].usart,
					core_bench_tell(&bench)->violation);
			check_hello(&place, &hello, k);
			assert_in_range(error_of(&place, &hello, 0) + 300, 0, 600);
			core_bench_check(&bench);
			core_bench_end(&bench);
			n++;
		}
	}
	assert_in_range(n, 60, 100);
}

static void stub_check_05_noise_at_the_other_pins_does_not_win(void **state)
{
	(void)state;
	core_bench_need();
	for (size_t i = 0; i < ARRAY_SIZE(seats); i++) {
		struct place place;

		make(&place, &seats[i]);
		for (size_t k = 0; k < place.list->n_pins; k++) {
			struct sim_core_knobs knobs = {
				.usart = usart_of(&place, &place.list->pins[k]),
				.noisy_pins = true};
			struct core_bench bench;
			struct stub_hello hello;

			if (place.list->pins[k].listens)
				continue;
			begin(&bench, &place, &knobs);
			core_bench_pass(&bench, 50 * CORE_MSEC);
			assert_int_equal(bench.n_heard, 0);
			if (meet(&bench, STUB_TRAINS, &hello) == 0)
				fail_msg("%s, USART%u: no hello", seats[i].word,
					place.list->pins[k].usart);
			check_hello(&place, &hello, k);
			core_bench_check(&bench);
			core_bench_end(&bench);
		}
	}
}

/* Small packages of G0 and C0: RX is at PA12 until SYSCFG exchanges the pins. */
static void stub_check_05_the_line_of_a_small_package_is_found(void **state)
{
	unsigned n = 0;

	(void)state;
	core_bench_need();
	for (size_t i = 0; i < ARRAY_SIZE(seats); i++) {
		struct place place;

		make(&place, &seats[i]);
		for (size_t k = 0; k < place.list->n_pins; k++) {
			struct sim_core_knobs knobs = {.go = SIM_CORE_GO_RESET};
			const struct core_family *family = core_family_of(&place.sim);
			struct core_bench bench;
			struct stub_hello hello;

			if (!place.list->pins[k].listens)
				continue;
			for (unsigned u = 0; u < ARRAY_SIZE(family->usarts); u++)
				if (family->usarts[u].pad == place.list->pins[k].listens)
					knobs.usart = u + 1;
			assert_true(knobs.usart > 0);
			begin(&bench, &place, &knobs);
			assert_true(meet(&bench, STUB_TRAINS, &hello) > 0);
			check_hello(&place, &hello, k);
			core_bench_check(&bench);
			core_bench_end(&bench);
			n++;
		}
	}
	assert_int_equal(n, 2);
}

/* HSI +-2.5 % (DS5319 table 24), in five steps. */
static void stub_check_05_an_oscillator_that_is_off_is_measured(void **state)
{
	static const int steps[] = {-250, -125, 0, 125, 250};
	int64_t worst = 0;

	(void)state;
	core_bench_need();
	for (size_t i = 0; i < ARRAY_SIZE(seats); i++) {
		struct place place;

		make(&place, &seats[i]);
		for (size_t k = 0; k < ARRAY_SIZE(steps); k++) {
			struct sim_core_knobs knobs = {
				.usart = usart_of(&place, &place.list->pins[0]),
				.clock_permyriad = steps[k]};
			struct core_bench bench;
			struct stub_hello hello;
			int64_t error;

			begin(&bench, &place, &knobs);
			if (meet(&bench, STUB_TRAINS, &hello) == 0)
				fail_msg("%s at %d: no hello", seats[i].word, steps[k]);
			check_hello(&place, &hello, 0);
			error = error_of(&place, &hello, steps[k]);
			assert_in_range(error + 300, 0, 600);
			worst = llabs(error) > worst ? llabs(error) : worst;
			core_bench_check(&bench);
			core_bench_end(&bench);
		}
	}
	print_message("# measured to %d.%03d %%\n", (int)(worst / 1000), (int)(worst % 1000));
}

/* Each wait of one list of each clock tree in turn: what it waits for does not come. */
static void stub_check_19_a_wait_that_fails_ends_in_silence_and_in_the_rom(void **state)
{
	static const char *const words[] = {"f1", "f07", "f3", "f4", "g0", "c03", "g4", "wl"};
	unsigned n = 0;

	(void)state;
	core_bench_need();
	for (size_t i = 0; i < ARRAY_SIZE(seats); i++) {
		struct place place;
		struct stub_setup *setup;
		struct stub_step *steps;
		bool is_one = false;

		for (size_t k = 0; k < ARRAY_SIZE(words); k++)
			is_one |= strcmp(words[k], seats[i].word) == 0;
		if (!is_one)
			continue;
		make(&place, &seats[i]);
		setup = (void *)(place.load.bytes + 8 + stub_program_size);
		steps = (void *)((struct stub_candidate *)(setup + 1) + setup->candidates);
		for (size_t k = 0; k < setup->steps; k++) {
			struct sim_core_knobs knobs = {.usart = 1};
			struct core_bench bench;
			struct stub_hello hello;
			struct stub_step step = steps[k];

			if ((step.address & 3) != STUB_STEP_WAIT)
				continue;
			steps[k].mask = 0;
			steps[k].value = 1;
			setup->silence_limit = place.list->clock_hz / 6; /* 1.4 s by an HSI */
			begin(&bench, &place, &knobs);
			assert_int_equal(meet(&bench, 3, &hello), 0);
			assert_int_equal(bench.n_heard, 0);
			core_bench_pass(&bench, 1500 * CORE_MSEC);
			assert_int_equal(sim_state(bench.host.sim), SIM_ROM);
			core_bench_format(&bench, BAUD, true);
			assert_memory_equal(host_say(&bench.host, "7F"), "79", 2);
			core_bench_end(&bench);
			steps[k] = step;
			n++;
		}
	}
	assert_in_range(n, 40, 80);
}

/* A row of chips.d that names the list of another series: clocks and ports are elsewhere. The whole
 * job then ends by the ROM, and says why. */
static void stub_check_19_a_list_of_another_series_ends_by_the_rom(void **state)
{
	static const struct {
		const char *chip, *rule, *word;
	} rows[] = {
		{"f103xc", "chip = 0x414\nretries = 0\n", "f3"},
		{"f072", "chip = 0x448\nretries = 0\n", "f1"},
		{"g0b1", "chip = 0x467\nretries = 0\n", "g4"},
	};

	(void)state;
	core_bench_need();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench = promotion_new(
			rows[i].chip, rows[i].word, rows[i].rule, SIM_PROGRAM_CORE, NULL);

		bench_take_bytes(bench, PROMOTION_BASE, 32 * KIB, 1);
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
		assert_true(bench_holds_image(bench));
		assert_string_equal(bench->report.stub, "not used: it does not answer");
		bench_free(bench);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(stub_check_05_each_usart_of_each_list_is_found),
		cmocka_unit_test(stub_check_05_noise_at_the_other_pins_does_not_win),
		cmocka_unit_test(stub_check_05_the_line_of_a_small_package_is_found),
		cmocka_unit_test(stub_check_05_an_oscillator_that_is_off_is_measured),
		cmocka_unit_test(stub_check_19_a_wait_that_fails_ends_in_silence_and_in_the_rom),
		cmocka_unit_test(stub_check_19_a_list_of_another_series_ends_by_the_rom),
	};

	return cmocka_run_group_tests(tests, load_shipped, drop_shipped);
}
