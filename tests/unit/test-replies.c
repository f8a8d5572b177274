/* SPDX-License-Identifier: MIT */
/*
 * test-replies.c - whatever a boot loader answers, each command and each job comes to an end: right
 * answers, and answers with bytes lost, flipped, doubled, late or without end, by the thousand. All
 * by seed: what failed is said with its number and fails again.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "chip/family.h"
#include "flash/flash.h"
#include "loader/an3155.h"
#include "loader/loader.h"
#include "unit/spoilt-port.h"

#ifdef __SANITIZE_ADDRESS__
/* All of them take a minute of processor; fuzz-replies does the same, sanitised, by the million. */
#define SHARE 10
#else
#define SHARE 1
#endif

#define N_COMMAND_STREAMS (60000 / SHARE)
#define N_JOB_STREAMS	  (20000 / SHARE)

#define IMAGE_SIZE	  600

/* One call that waits drains 300 ms of noise at most, byte by byte; a few of them are in one. */
#define MOST_READS 20000
#define MOST_USEC  (20 * USEC_PER_SEC)

/* ------------------------------------------------------------------ commands */

static int call_get_version(struct an3155 *bl)
{
	uint8_t version = 0xA5, option[2] = {0xA5, 0xA5};
	int r = an3155_get_version(bl, &version, option);

	if (r != 0)
		assert_int_equal(version, 0xA5);
	return r;
}

static int call_get_id(struct an3155 *bl)
{
	uint16_t id = 0xA5A5;
	int r = an3155_get_id(bl, &id);

	if (r != 0)
		assert_int_equal(id, 0xA5A5);
	return r;
}

/* Memory of exactly the size, so that a byte too many is noticed. */
static int call_read(struct an3155 *bl)
{
	size_t n = 1 + pick(bl->port, 256);
	CLEANUP(freep) uint8_t *to = malloc(n);

	assert_non_null(to);
	return an3155_read_memory(bl, FLASH, to, n);
}

static int call_write(struct an3155 *bl)
{
	uint8_t data[256] = {0};

	return an3155_write_memory(bl, FLASH, data, 4 + 4 * pick(bl->port, 64), 10000);
}

static int call_erase(struct an3155 *bl)
{
	static const uint16_t pages[] = {0, 1};
	int r = pick(bl->port, 2) ? an3155_erase_pages(bl, pages, 2, 100000)
				  : an3155_erase_all(bl, 100000);

	if (r == 0 || r == LOADER_REFUSED)
		assert_false(bl->erase_may_be_pending);
	return r;
}

static int call_go(struct an3155 *bl)
{
	return an3155_go(bl, FLASH);
}

static int call_readout_unprotect(struct an3155 *bl)
{
	return an3155_readout_unprotect(bl, 100000);
}

static int (*const calls[])(struct an3155 *bl) = {an3155_sync, an3155_resync, an3155_get,
	call_get_version, call_get_id, call_read, call_write, call_erase, call_go,
	an3155_write_unprotect, an3155_readout_protect, call_readout_unprotect};

static void assert_outcome(int r, const struct port *port, uint32_t seed)
{
	bool is_known = (r >= 0 && r <= LOADER_UNSUPPORTED && r != LOADER_UNKNOWN_CHIP) ||
			(r == -ENODEV && port->is_gone);

	if (!is_known)
		fail_msg("stream %u: result %d", seed, r);
}

static void unspoilt_replies_are_understood(void **state)
{
	struct an3155 bl = {.port = &the_port};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		start_port(1, 0);
		assert_int_equal(an3155_sync(&bl), 0);
		assert_int_equal(an3155_get(&bl), 0);
		if (calls[i](&bl) != 0)
			fail_msg("call %zu", i);
	}
}

static void fault_55_58_59_every_command_comes_to_an_end(void **state)
{
	static const unsigned rates[] = {1, 1, 2, 4};
	unsigned n_good = 0, n_calls = 0;

	(void)state;
	for (uint32_t seed = 1; seed <= N_COMMAND_STREAMS; seed++) {
		struct an3155 bl = {.port = &the_port, .version = 0x22};

		start_port(seed, rates[seed % ARRAY_SIZE(rates)]);
		memset(bl.has, 1, sizeof(bl.has));
		the_port.is_synced = seed % 3;
		for (unsigned i = 0; i < 3 && !the_port.is_gone; i++) {
			unsigned n_reads = the_port.n_reads;
			uint64_t begin = the_port.now;
			int r = calls[seed % ARRAY_SIZE(calls)](&bl);

			n_calls++;
			n_good += r == 0;
			assert_outcome(r, &the_port, seed);
			if (the_port.n_reads - n_reads > MOST_READS ||
				the_port.now - begin > MOST_USEC)
				fail_msg("stream %u: %u reads, %llu us", seed,
					the_port.n_reads - n_reads,
					(unsigned long long)(the_port.now - begin));
		}
	}
	/* The table of mistakes is neither toothless nor deadly. */
	print_message("# figure: %u commands, %u understood\n", n_calls, n_good);
	assert_in_range(n_good, n_calls / 20, n_calls * 9 / 10);
}

/* ------------------------------------------------------------------ jobs */

struct desk {
	struct chip_table chips;
	struct board board;
	struct image image;
	uint8_t bytes[IMAGE_SIZE];
};

static int lay_desk(void **state)
{
	static const char rule[] = "[board bench]\nimage = x\nchip = F103xC\nbaud = 230400 "
				   "115200\n";
	static const uint32_t vectors[] = {0x20001000, FLASH + 0x101};
	const struct image_options options = {.address = FLASH, .max_bytes = IMAGE_SIZE};
	struct desk *desk = calloc(1, sizeof(*desk));
	struct ini_problems problems = {0};
	struct ini ini = {0};
	struct reason reason;

	if (!desk)
		return -1;
	for (size_t i = 0; i < IMAGE_SIZE; i++)
		desk->bytes[i] = (uint8_t)(i * 31 + i / 256);
	memcpy(desk->bytes, vectors, sizeof(vectors));
	*state = desk;
	if (chip_table_load(chip_families, "config/chips.ini", NULL, &desk->chips, &problems) !=
			0 ||
		ini_load_text(&ini, "rule", rule, strlen(rule), &problems) != 0 ||
		config_read_board(&ini, &desk->board, &problems) != 0)
		return -1;
	ini_done(&ini);
	return image_read("x.bin", desk->bytes, IMAGE_SIZE, &options, &desk->image, &reason);
}

static int clear_desk(void **state)
{
	struct desk *desk = *state;

	image_done(&desk->image);
	board_done(&desk->board);
	chip_table_done(&desk->chips);
	free(desk);
	return 0;
}

static enum outcome run_job(struct desk *desk, enum flash_action action, struct report *report)
{
	CLEANUP(freep) uint8_t *read = NULL;
	uint32_t n_read = 0;
	const struct flash_job job = {
		.action = action,
		.port = "/dev/ttyUSB0",
		.board = &desk->board,
		.chips = &desk->chips,
		.image = &desk->image,
		.read_address = FLASH,
		.read_size = 1000,
		.ret_read = &read,
		.ret_read_size = &n_read,
	};

	return flash_run(&job, report);
}

static bool flash_holds_image(const struct desk *desk)
{
	return memcmp(the_port.flash, desk->bytes, IMAGE_SIZE) == 0;
}

static void an_unspoilt_job_succeeds(void **state)
{
	struct report report = {0};

	start_port(1, 0);
	assert_int_equal(run_job(*state, FLASH_UPDATE, &report), OUTCOME_UPDATED);
	assert_true(flash_holds_image(*state));
	assert_int_equal(report.entries, 1);
}

/* And what it says is true: a job that calls itself good has put the image there. */
static void fault_54_55_every_job_comes_to_an_end(void **state)
{
	static const unsigned rates[] = {1, 3, 20, 100};
	unsigned n_good = 0;

	for (uint32_t seed = 1; seed <= N_JOB_STREAMS; seed++) {
		enum flash_action action = seed % 8 ? FLASH_UPDATE : seed / 8 % (FLASH_PROBE + 1);
		struct report report = {0};
		enum outcome outcome;

		start_port(seed, rates[seed % ARRAY_SIZE(rates)]);
		outcome = run_job(*state, action, &report);
		if (outcome >= OUTCOME_MAX || outcome != report.outcome)
			fail_msg("stream %u: outcome %d", seed, outcome);
		if (the_port.n_reads > 1000000 || the_port.now > 3600 * USEC_PER_SEC)
			fail_msg("stream %u: %u reads, %llu us", seed, the_port.n_reads,
				(unsigned long long)the_port.now);
		if (outcome == OUTCOME_UPDATED ||
			(outcome == OUTCOME_CURRENT && action < FLASH_READ)) {
			n_good++;
			if (!flash_holds_image(*state))
				fail_msg("stream %u: the image is not there", seed);
		} else if (outcome != OUTCOME_CURRENT) {
			assert_string_not_equal(report.reason.text, "");
		}
		assert_int_equal(the_port.n_unprotects, 0);
	}
	print_message("# figure: %u jobs, %u good\n", N_JOB_STREAMS, n_good);
	assert_in_range(n_good, N_JOB_STREAMS / 20, N_JOB_STREAMS * 9 / 10);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(unspoilt_replies_are_understood),
		cmocka_unit_test(fault_55_58_59_every_command_comes_to_an_end),
		cmocka_unit_test(an_unspoilt_job_succeeds),
		cmocka_unit_test(fault_54_55_every_job_comes_to_an_end),
	};

	return cmocka_run_group_tests(tests, lay_desk, clear_desk);
}
