/* SPDX-License-Identifier: MIT */
/*
 * test-stub-faults.c - each byte of a short talk lost, bent or doubled, one at a time and in both
 * directions: the host gets on, and what it calls written is written.
 *
 * Slow: some ten thousand talks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "sim/stub-stand.h"

#define FLASH UINT32_C(0x08000000)
#define BYTES 600

struct talk {
	const char *chip, *word;
	uint32_t max_baud;
	uint32_t size; /* that is written */
	uint32_t ring; /* 512: frames of a quarter of a kilobyte */
};

/* What is known after a talk. */
struct end {
	int result;
	uint64_t received, sent; /* by the stub */
	uint64_t nsec;
	struct stub_state state;
};

static int do_talk(struct stub_stand *stand, const struct talk *talk, const uint8_t *image)
{
	uint8_t got[BYTES], said[2][LOADER_DIGEST_MAX], sums[DIGEST_SUMS_SIZE];
	const struct chip_range ranges[] = {{FLASH, 1024}, {FLASH + 1024, 1024}};
	uint8_t expected[2048];
	bool is_equal = false;
	int r = stub_meet(stand);

	if (r == 0)
		r = stub_erase_first(stand, 2048);
	if (r == 0)
		r = stub_write_all(stand, FLASH, image, talk->size);
	if (r != 0)
		return r;
	/* It says that all is in the flash. */
	assert_memory_equal(sim_flash(stand->sim), image, talk->size);
	r = stub_compare(stand, FLASH, image, talk->size, &is_equal);
	if (r == 0)
		assert_true(is_equal);
	memset(expected, 0xFF, sizeof(expected));
	memcpy(expected, image, talk->size);
	if (r == 0)
		r = stand->loader->ops->digests(stand->loader, ranges, 2, said);
	for (size_t i = 0; r == 0 && i < 2; i++) {
		digest_sums(expected + 1024 * i, 1024, sums);
		assert_memory_equal(said[i], sums, sizeof(sums));
	}
	if (r == 0)
		r = stand->loader->ops->read(stand->loader, FLASH, got, talk->size);
	if (r == 0)
		assert_memory_equal(got, image, talk->size);
	return r;
}

static struct end talk_with(
	const struct talk *talk, const struct sim_stub_faults *knobs, const uint8_t *image)
{
	struct sim_faults faults = {.stub = *knobs};
	struct stub_stand stand;
	struct end end;
	uint64_t received, sent, started;

	faults.stub.ring = talk->ring;
	stub_begin_with(&stand, talk->chip, talk->word, &faults, NULL);
	stand.max_baud = talk->max_baud;
	if (talk->ring)
		stand.load.ring_size = talk->ring;
	memset(sim_flash(stand.sim), 0x5A, 4096);
	received = sim_counters(stand.sim)->received;
	sent = sim_counters(stand.sim)->sent;
	started = stub_now_nsec();
	end.result = do_talk(&stand, talk, image);
	end.received = sim_counters(stand.sim)->received - received;
	end.sent = sim_counters(stand.sim)->sent - sent;
	end.nsec = stub_now_nsec() - started;
	assert_int_equal(sim_counters(stand.sim)->bad_writes, 0);
	assert_int_equal(sim_flash(stand.sim)[2048], 0x5A);
	if (end.result == 0)
		stub_state(stand.loader, &end.state);
	stub_end(&stand);
	return end;
}

static void put_knob(struct sim_stub_faults *knobs, int which, uint64_t nth)
{
	uint64_t *const all[] = {&knobs->drop_received, &knobs->flip_received,
		&knobs->double_received, &knobs->drop_sent, &knobs->flip_sent, &knobs->double_sent};

	*all[which] = nth;
}

#define N_KNOBS 6

static void talk_with_each_fault(const struct talk *talk)
{
	static const char *const names[N_KNOBS] = {"lost on the way to it", "bent", "doubled",
		"lost on the way back", "bent on the way back", "doubled on the way back"};
	CLEANUP(freep) uint8_t *image = stub_make_image(BYTES, 41);
	struct end sound = talk_with(talk, &(struct sim_stub_faults){0}, image);
	uint64_t worst = 0;
	unsigned n = 0;

	assert_int_equal(sound.result, 0);
	assert_int_equal(sound.state.n_repeated, 0);
	for (int knob = 0; knob < N_KNOBS; knob++) {
		uint64_t most = knob < 3 ? sound.received : sound.sent;

		for (uint64_t nth = 1; nth <= most; nth++, n++) {
			struct sim_stub_faults knobs = {0};
			struct end end;

			put_knob(&knobs, knob, nth);
			end = talk_with(talk, &knobs, image);
			/* One byte is always made good. */
			if (end.result != 0)
				fail_msg("byte %u %s: %d", (unsigned)nth, names[knob], end.result);
			worst = end.nsec > worst ? end.nsec : worst;
		}
	}
	print_message("%u talks of %u ms, the longest with a fault %u ms\n", n,
		(unsigned)(sound.nsec / 1000000), (unsigned)(worst / 1000000));
	/* A rung of the ladder that was given up for it, and the look at a hang. */
	assert_true(worst < sound.nsec + UINT64_C(1100000000));
}

static void stub_check_07_a_fault_of_each_byte_is_made_good(void **state)
{
	const struct talk talk = {"g0b1", "g0b", 115200, BYTES, 512};

	(void)state;
	talk_with_each_fault(&talk);
}

static void stub_check_07_the_same_with_a_step_of_the_rate(void **state)
{
	const struct talk talk = {"f103xc", "f1", 230400, 40, 0};

	(void)state;
	talk_with_each_fault(&talk);
}

/* A line so bad that nothing gets through is given up, and nothing wrong is called right. */
static void stub_check_07_a_rotten_line_is_given_up(void **state)
{
	CLEANUP(freep) uint8_t *image = stub_make_image(BYTES, 43);
	const struct talk talk = {"g0b1", "g0b", 115200, BYTES, 512};
	unsigned n_right = 0, n_given_up = 0;

	(void)state;
	for (unsigned every = 3; every < 3000; every += every / 7 + 1) {
		const struct sim_stub_faults knobs = {.damage_above = 9600, .damage_every = every};
		struct end end = talk_with(&talk, &knobs, image);

		n_right += end.result == 0;
		n_given_up += end.result != 0;
		assert_true(end.result == 0 || end.result == LOADER_NO_ANSWER ||
			    end.result == LOADER_GARBLED);
		assert_true(end.nsec < UINT64_C(10000000000));
	}
	print_message("%u got through, %u were given up\n", n_right, n_given_up);
	assert_true(n_right > 3 && n_given_up > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stub_check_07_a_fault_of_each_byte_is_made_good),
		cmocka_unit_test(stub_check_07_the_same_with_a_step_of_the_rate),
		cmocka_unit_test(stub_check_07_a_rotten_line_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
