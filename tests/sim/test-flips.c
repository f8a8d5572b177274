/* SPDX-License-Identifier: MIT */
/*
 * test-flips.c - one bit flipped in each byte that a chip sends, for every chip that can be
 * simulated: what is to be kept is kept, the unit is the one it is and has its own number, and no
 * flip is the last word.
 *
 * Slow: some thousand whole jobs, one for each byte, 13 s of processor.
 *
 * AN3155's answers have no checksum. A bit of each byte before the first erase is flipped, by which
 * everything is decided, and of one in four behind it. FLIPS=all flips each of the eight bits
 * before the erase and one in every byte behind it: three minutes of processor.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"

#define IMAGE_BYTES   300
#define NUMBER_OFFSET 0x180
#define NUMBER	      "00001000"
/* As far behind the image as the other layouts of the families put its page's number. */
#define KEEP_BYTES (64 * 1024)

struct board_under_test {
	struct bench *bench;
	const struct sim_chip *chip;
	uint32_t page, page_size; /* offset of the image's pages, and how much they are */
	uint8_t *before;	  /* the whole flash */
	char unit[25];
	unsigned n_numbers;
	uint64_t n_before_erase; /* bytes that the chip had sent then */
};

/* Number 1000 is the unit's; every other unit would get one more. */
static void answer(
	void *userdata, enum question question, const struct report *so_far, struct answer *ret)
{
	struct board_under_test *board = userdata;
	bool is_it = strcmp(so_far->unit, board->unit) == 0;

	if (question == QUESTION_OPEN)
		return;
	if (question == QUESTION_ERASE && board->n_before_erase == 0)
		board->n_before_erase = sim_counters(board->bench->sim)->sent;
	if (!is_it)
		fail_msg("unit '%s' is there, not '%s'", so_far->unit, board->unit);
	board->n_numbers += question == QUESTION_DECIDE;
	ret->n_data = question == QUESTION_DECIDE ? strlen(NUMBER) : 0;
	memcpy(ret->data, NUMBER, ret->n_data);
}

/* The first page that begins behind 8 KiB, with all others that the image needs. */
static void find_pages(struct board_under_test *board)
{
	uint32_t offset = 0;

	for (size_t i = 0; board->chip->pages[i].count > 0; i++)
		for (uint32_t n = 0; n < board->chip->pages[i].count; n++) {
			uint32_t size = board->chip->pages[i].size;

			if (offset >= 0x2000 && board->page_size == 0)
				board->page = offset;
			if (offset >= 0x2000 && board->page_size < 512)
				board->page_size += size;
			offset += size;
		}
}

static void begin_board(struct board_under_test *board, const struct sim_chip *chip)
{
	const struct sim_options options = {.chip = chip};
	CLEANUP(freep) char *rule = NULL;
	uint32_t address, size = chip->flash_size;

	*board = (struct board_under_test){.chip = chip};
	find_pages(board);
	address = chip->flash_base + board->page;
	assert_true(asprintf(&rule,
			    "chip = 0x%03x\naddress = 0x%08x\nkeep = 0x%08x+%u\n"
			    "serialize = 0x%08x+8 decimal 1000",
			    chip->product_id, address, address + board->page_size,
			    size - board->page - board->page_size < KEEP_BYTES
				    ? size - board->page - board->page_size
				    : KEEP_BYTES,
			    address + NUMBER_OFFSET) > 0);
	board->bench = bench_new_with(&options, rule);
	board->bench->ask = answer;
	board->bench->userdata = board;
	bench_take_bytes(board->bench, address, IMAGE_BYTES, 4);
	board->bench->board.check_vectors = false;
	for (unsigned i = 0; i < 12; i++)
		snprintf(board->unit + 2 * i, 3, "%02x", sim_unique_id(board->bench->sim)[i]);
	memset(sim_flash(board->bench->sim), 0x5A, size);
	board->before = malloc(size);
	assert_non_null(board->before);
	memcpy(board->before, sim_flash(board->bench->sim), size);
}

static void end_board(struct board_under_test *board)
{
	bench_free(board->bench);
	free(board->before);
}

/* As it was, but that the n-th byte it sends from now on has these bits flipped. */
static enum outcome run_with(struct board_under_test *board, uint64_t nth, uint8_t mask)
{
	const struct sim_faults faults = {.flip_sent = nth, .flip_mask = mask};
	uint8_t *flash = sim_flash(board->bench->sim);

	sim_set_faults(board->bench->sim, &faults);
	port_sim_attach(BENCH_PORT, board->bench->sim, NULL);
	memcpy(flash + board->page, board->before + board->page, board->page_size);
	board->n_numbers = 0;
	return bench_run(board->bench, FLASH_UPDATE);
}

static void assert_is_right(
	struct board_under_test *board, enum outcome outcome, enum outcome clean, const char *what)
{
	const uint8_t *flash = sim_flash(board->bench->sim);
	uint32_t end = board->page + board->page_size;

	if (outcome != clean)
		fail_msg("%s: %s: %s", what, outcome_to_string(outcome),
			board->bench->report.reason.text);
	if (memcmp(flash, board->before, board->page) != 0 ||
		memcmp(flash + end, board->before + end, board->chip->flash_size - end) != 0)
		fail_msg("%s: more was erased than the image's own pages", what);
	if (clean != OUTCOME_UPDATED)
		return;
	assert_memory_equal(flash + board->page + NUMBER_OFFSET, NUMBER, strlen(NUMBER));
	assert_int_equal(board->n_numbers, 1);
	assert_string_equal(board->bench->report.unit, board->unit);
	assert_true(bench_holds_image(board->bench));
}

/* `turn` is the chip's: what one leaves out another of its kind has. */
static bool is_chosen(uint64_t nth, unsigned bit, uint64_t n_decide, unsigned turn, bool all)
{
	if (nth <= n_decide)
		return all || (bit == nth * 5 % 8 && nth % 2 == turn % 2);
	return bit == nth % 8 && (all || nth % 8 == turn % 8);
}

static unsigned flip_each(struct board_under_test *board, unsigned turn, bool all)
{
	uint64_t before = sim_counters(board->bench->sim)->sent, n_sent, n_decide;
	enum outcome clean = run_with(board, 0, 0);
	unsigned n_runs = 0;
	char what[100];

	assert_is_right(board, clean, clean, board->chip->name);
	n_sent = sim_counters(board->bench->sim)->sent - before;
	n_decide = board->n_before_erase > 0 ? board->n_before_erase - before : n_sent;
	assert_true(n_sent > (board->chip->has_no_id ? 20 : 50));
	for (uint64_t nth = 1; nth <= n_sent; nth++)
		for (unsigned bit = 0; bit < 8; bit++) {
			if (!is_chosen(nth, bit, n_decide, turn, all))
				continue;
			snprintf(what, sizeof(what), "%s, byte %u of %u, bit %u", board->chip->name,
				(unsigned)nth, (unsigned)n_sent, bit);
			assert_is_right(
				board, run_with(board, nth, (uint8_t)(1u << bit)), clean, what);
			n_runs++;
		}
	return n_runs;
}

static void a_flipped_bit_decides_nothing(void **state)
{
	unsigned n_runs = 0, n_chips = 0;
	bool all = getenv("FLIPS") && strcmp(getenv("FLIPS"), "all") == 0;
	clock_t begin = clock();

	(void)state;
	for (; sim_chip_at(n_chips); n_chips++) {
		struct board_under_test board;

		/* Of one that has no id nothing is believed but that. */
		if (sim_chip_at(n_chips)->product_id == 0)
			continue;
		begin_board(&board, sim_chip_at(n_chips));
		n_runs += flip_each(&board, n_chips, all);
		end_board(&board);
	}
	assert_true(n_chips > 10);
	print_message("# figure: %u chips, %u flips, each made good, in %.1f s of processor\n",
		n_chips, n_runs, (double)(clock() - begin) / CLOCKS_PER_SEC);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_flipped_bit_decides_nothing),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
