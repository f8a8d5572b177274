/* SPDX-License-Identifier: MIT */
/*
 * test-knobs.c - each fault knob of a simulated board does what sim.h says, and only then.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "sim/host.h"

#define BYTE_NSEC UINT64_C(95486) /* 11 bits at 115200 */
#define MSEC	  UINT64_C(1000000)

/* The sync is byte 1 both ways. */
static const struct {
	const char *name;
	struct sim_faults faults;
	const char *said;
	const char *answered;
} knobs[] = {
	{"third byte to the chip lost", {.drop_received = 3}, "02 FD|FD", "|79 01 04 14 79"},
	{"third byte from the chip lost", {.drop_sent = 3}, "02 FD", "79 04 14 79"},
	{"second command NACKed", {.nack_command = 2}, "02 FD|02 FD|02 FD",
		"79 01 04 14 79|1F|79 01 04 14 79"},
	{"every Read NACKed", {.nack_code = 0x11}, "11 EE|02 FD|11 EE", "1F|79 01 04 14 79|1F"},
	{"Write NACKed after the address", {.nack_stage_code = 0x31, .nack_stage = 1},
		"31 CE|08 00 00 00 08|02 FD", "79|1F|79 01 04 14 79"},
	{"Write NACKed after the data", {.nack_stage_code = 0x31, .nack_stage = 2},
		"31 CE|08 00 00 00 08|03 00 00 00 00 03", "79|79|1F"},
	{"Read NACKed after the length", {.nack_stage_code = 0x11, .nack_stage = 2},
		"11 EE|08 00 00 00 08|00 FF", "79|79|1F"},
	{"Erase NACKed after the data", {.nack_stage_code = 0x43, .nack_stage = 2}, "43 BC|FF 00",
		"79|1F"},
	{"storm of NACKs after an erase", {.nack_storm = 5}, "43 BC|00 00 00", "79|1F 1F 1F 1F 1F"},
	{"hangs at the second Get ID", {.hang_code = 0x02, .hang_nth = 2}, "02 FD|02 FD|00 FF",
		"79 01 04 14 79||"},
	{"hangs at Get", {.hang_code = 0x00, .hang_nth = 1}, "00 FF|00 FF", "|"},
	{"another product id", {.product_id = 0x410}, "02 FD", "79 01 04 10 79"},
	{"Get says zero", {.get_length = -1}, "00 FF",
		"79 00 22 00 01 02 11 21 31 43 63 73 82 92 79"},
	{"Get says more", {.get_length = 13}, "00 FF",
		"79 0D 22 00 01 02 11 21 31 43 63 73 82 92 EE EE 79"},
	{"Get ID says zero", {.get_id_length = -1}, "02 FD", "79 00 04 14 79"},
	{"Get ID says more", {.get_id_length = 3}, "02 FD", "79 03 04 14 EE EE 79"},
	{"protected", {.protect = true}, "11 EE|02 FD", "1F|79 01 04 14 79"},
	{"an erase that never ends", {.erase_nsec = SIM_NEVER}, "43 BC|FF 00|02 FD", "79||"},
	{"pages that never end", {.erase_nsec = SIM_NEVER}, "43 BC|00 00 00|02 FD", "79||"},
};

static void knobs_strike_where_they_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(knobs); i++) {
		struct host host;
		const char *answer;

		host_begin_synced(&host, "f103xc", &knobs[i].faults);
		answer = host_say(&host, knobs[i].said);
		if (strcmp(answer, knobs[i].answered))
			fail_msg("%s: expected '%s', got '%s'", knobs[i].name, knobs[i].answered,
				answer);
		host_end(&host);
	}
}

/* Answers of the first byte, the sync. */
static void begin(struct host *host, const struct sim_faults *faults)
{
	host_begin(host, &(struct sim_options){.chip = sim_chip_find("f103xc"),
				 .circuit = SIM_CIRCUIT_ROM,
				 .faults = *faults});
}

static void silent_chip_sends_nothing(void **state)
{
	struct host host;

	(void)state;
	begin(&host, &(struct sim_faults){.silent = true});
	assert_string_equal(host_say(&host, "7F|7F|00 FF"), "||");
	assert_int_equal(sim_counters(host.sim)->received, 4);
	assert_int_equal(sim_counters(host.sim)->sent, 0);
	host_end(&host);
}

static void babble_has_no_end(void **state)
{
	struct host host;
	const char *answer;

	(void)state;
	begin(&host, &(struct sim_faults){.ack_stream = true});
	answer = host_say(&host, "");
	assert_int_equal(strlen(answer), 64 * 3 - 1);
	for (size_t i = 0; i < 64; i++)
		assert_memory_equal(answer + 3 * i, "79", 2);
	host_end(&host);

	begin(&host, &(struct sim_faults){.garbage = true, .seed = 3});
	answer = host_say(&host, "");
	assert_int_equal(strlen(answer), 64 * 3 - 1);
	assert_memory_not_equal(answer, answer + 3, 2);
	host_end(&host);
}

/* One byte a byte time, no faster than the line. */
static void babble_keeps_to_the_line(void **state)
{
	struct host host;
	uint64_t before;

	(void)state;
	begin(&host, &(struct sim_faults){.garbage = true});
	before = sim_counters(host.sim)->sent;
	host_pass(&host, 1000 * BYTE_NSEC);
	assert_int_equal(sim_counters(host.sim)->sent - before, 1000);
	host_end(&host);
}

static void zero_comes_before_the_first_ack(void **state)
{
	struct host host;

	(void)state;
	begin(&host, &(struct sim_faults){.leading_zero = true});
	assert_string_equal(host_say(&host, "7F|02 FD"), "00 79|79 01 04 14 79");
	host_end(&host);
}

static void first_entries_lock_to_a_wrong_rate(void **state)
{
	struct host host;

	(void)state;
	begin(&host, &(struct sim_faults){.silent_syncs = 2});
	assert_string_not_equal(host_say(&host, "7F"), "79");
	sim_power(host.sim, host.now);
	host_pass(&host, 10 * MSEC);
	assert_string_not_equal(host_say(&host, "7F"), "79");
	sim_power(host.sim, host.now);
	host_pass(&host, 10 * MSEC);
	assert_string_equal(host_say(&host, "7F"), "79");
	host_end(&host);
}

static void rates_above_the_limit_lock_wrong(void **state)
{
	struct host host;

	(void)state;
	begin(&host, &(struct sim_faults){.max_baud = 115200});
	sim_set_format(host.sim, 230400, true, host.now);
	assert_string_not_equal(host_say(&host, "7F"), "79");
	sim_power(host.sim, host.now);
	sim_set_format(host.sim, 115200, true, host.now);
	host_pass(&host, 10 * MSEC);
	assert_string_equal(host_say(&host, "7F"), "79");
	host_end(&host);
}

/* One bit only, so that a sum finds it. */
static void flipped_byte_differs_in_one_bit(void **state)
{
	uint8_t block[256] = {0};
	struct host host;
	unsigned got;

	(void)state;
	host_begin_synced(&host, "f103xc", &(struct sim_faults){.flip_sent = 3});
	assert_int_equal(sscanf(host_say(&host, "02 FD"), "79 %2x 04 14 79", &got), 1);
	assert_int_equal(__builtin_popcount(got ^ 0x01), 1);
	host_end(&host);

	host_begin_synced(&host, "f103xc", &(struct sim_faults){.flip_received = 100});
	assert_string_equal(host_write(&host, 0x08000000, block, sizeof(block)), "79 79 1F");
	host_end(&host);
}

static void vanished_bridge_is_mute_until_it_is_back(void **state)
{
	struct host host;

	(void)state;
	host_begin_synced(&host, "f103xc", &(struct sim_faults){.vanish_received = 5});
	assert_string_equal(host_say(&host, "02 FD"), "79 01 04 14 79");
	assert_false(sim_has_vanished(host.sim));
	assert_string_equal(host_say(&host, "02 FD"), "");
	assert_true(sim_has_vanished(host.sim));
	assert_string_equal(host_say(&host, "02 FD"), "");
	sim_power(host.sim, host.now);
	assert_false(sim_has_vanished(host.sim));
	host_pass(&host, 10 * MSEC);
	assert_string_equal(host_say(&host, "7F"), "79");
	host_end(&host);

	host_begin_synced(
		&host, "f103xc", &(struct sim_faults){.vanish_code = 0x31, .vanish_nth = 2});
	assert_string_equal(host_write(&host, 0x08000000, (uint8_t[4]){0}, 4), "79 79 79");
	assert_string_equal(host_say(&host, "31 CE"), "");
	assert_true(sim_has_vanished(host.sim));
	host_end(&host);
}

static void cut_power_stays_away(void **state)
{
	struct host host;

	(void)state;
	host_begin_synced(&host, "f103xc", &(struct sim_faults){.power_cut_received = 4});
	assert_string_equal(host_say(&host, "02 FD|02 FD"), "79 01 04 14 79|");
	assert_int_equal(sim_state(host.sim), SIM_DEAD);
	sim_set_lines(host.sim, 3, host.now);
	sim_set_lines(host.sim, 0, host.now + MSEC);
	assert_int_equal(sim_state(host.sim), SIM_DEAD);
	sim_power(host.sim, host.now + 2 * MSEC);
	assert_int_equal(sim_state(host.sim), SIM_ROM);
	host_end(&host);
}

static void protected_flash_says_nothing_and_keeps(void **state)
{
	struct host host;

	(void)state;
	host_begin_synced(&host, "f103xc", &(struct sim_faults){.write_protected = true});
	memset(sim_flash(host.sim), 0x11, 2048);
	assert_string_equal(host_say(&host, "43 BC|FF 00"), "79|79");
	assert_string_equal(host_say(&host, "43 BC|00 00 00"), "79|79");
	assert_string_equal(host_write(&host, 0x08000000, (uint8_t[4]){0}, 4), "79 79 79");
	assert_int_equal(sim_flash(host.sim)[0], 0x11);
	assert_int_equal(sim_counters(host.sim)->mass_erases, 0);
	assert_int_equal(sim_counters(host.sim)->pages_erased, 0);
	host_end(&host);
}

static void stuck_bit_differs_from_what_was_written(void **state)
{
	struct host host;

	(void)state;
	host_begin_synced(&host, "f103xc", &(struct sim_faults){.stuck_address = 0x08000002});
	host_write(&host, 0x08000000, (uint8_t[]){0x12, 0x34, 0x56, 0x78}, 4);
	assert_memory_equal(sim_flash(host.sim), ((uint8_t[]){0x12, 0x34, 0x57, 0x78}), 4);
	host_end(&host);
}

static void slow_bytes_and_erases_take_longer(void **state)
{
	struct host host;
	uint64_t from;

	(void)state;
	host_begin_synced(&host, "f103xc",
		&(struct sim_faults){.slow_sent_nsec = 3 * MSEC, .erase_nsec = 700 * MSEC});
	from = host.now;
	host_say(&host, "02 FD");
	assert_int_equal(host.now - from, 7 * BYTE_NSEC + 15 * MSEC);
	from = host.now;
	host_say(&host, "43 BC|01 00 01 00");
	assert_int_equal(host.now - from, 8 * BYTE_NSEC + 2 * 3 * MSEC + 700 * MSEC);
	host_end(&host);
}

static void knobs_can_be_turned_while_it_runs(void **state)
{
	struct host host;

	(void)state;
	host_begin_synced(&host, "f103xc", NULL);
	assert_string_equal(host_say(&host, "02 FD"), "79 01 04 14 79");
	sim_set_faults(host.sim, &(struct sim_faults){.drop_sent = 1});
	assert_string_equal(host_say(&host, "02 FD"), "01 04 14 79");
	sim_set_faults(host.sim, &(struct sim_faults){.protect = true});
	assert_string_equal(host_say(&host, "11 EE"), "1F");
	sim_set_faults(host.sim, &(struct sim_faults){0});
	assert_string_equal(host_say(&host, "11 EE"), "1F");
	host_end(&host);
}

static void same_seed_gives_the_same_run(void **state)
{
	struct host host;
	char first[4096];

	(void)state;
	begin(&host, &(struct sim_faults){.garbage = true, .seed = 9});
	snprintf(first, sizeof(first), "%s", host_say(&host, ""));
	host_end(&host);
	begin(&host, &(struct sim_faults){.garbage = true, .seed = 9});
	assert_string_equal(host_say(&host, ""), first);
	host_end(&host);
	begin(&host, &(struct sim_faults){.garbage = true, .seed = 10});
	assert_string_not_equal(host_say(&host, ""), first);
	host_end(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knobs_strike_where_they_say),
		cmocka_unit_test(silent_chip_sends_nothing),
		cmocka_unit_test(babble_has_no_end),
		cmocka_unit_test(babble_keeps_to_the_line),
		cmocka_unit_test(zero_comes_before_the_first_ack),
		cmocka_unit_test(first_entries_lock_to_a_wrong_rate),
		cmocka_unit_test(rates_above_the_limit_lock_wrong),
		cmocka_unit_test(flipped_byte_differs_in_one_bit),
		cmocka_unit_test(vanished_bridge_is_mute_until_it_is_back),
		cmocka_unit_test(cut_power_stays_away),
		cmocka_unit_test(protected_flash_says_nothing_and_keeps),
		cmocka_unit_test(stuck_bit_differs_from_what_was_written),
		cmocka_unit_test(slow_bytes_and_erases_take_longer),
		cmocka_unit_test(knobs_can_be_turned_while_it_runs),
		cmocka_unit_test(same_seed_gives_the_same_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
