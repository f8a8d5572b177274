/* SPDX-License-Identifier: MIT */
/*
 * test-ti-knobs.c - each knob of the simulated chips of TI does what ti.h says of it, the number of
 * times that it says: a knob that did nothing would let a test of the loader pass.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/util.h"
#include "rules/wiring.h"
#include "sim/ti-host.h"
#include "tools/ti-make.h"

static void begin(struct tihost *host, const struct sim_ti *board, const struct sim_ti_faults *ti)
{
	struct sim_faults faults = {0};

	if (ti)
		faults.ti = *ti;
	tihost_begin(host, "cc2652p", board, &faults);
}

static void begin_synced(struct tihost *host, const struct sim_ti_faults *ti)
{
	begin(host, NULL, ti);
	tihost_sync(host);
}

/* With the usual image in its flash, and in the loader. */
static void begin_installed(
	struct tihost *host, const struct sim_ti *board, const struct sim_ti_faults *ti)
{
	struct ti_make_image image = ti_make_new("cc2652p", "20240710", 0);

	begin(host, board, ti);
	memcpy(sim_flash(host->sim), image.flash, image.chip->size);
	ti_make_done(&image);
}

/* ------------------------------------------------------------------ answers */

static void zeros_stand_in_front_of_answers_and_packets(void **state)
{
	struct tihost host;

	(void)state;
	begin(&host, NULL, &(struct sim_ti_faults){.zeros = 2});
	assert_string_equal(tihost_say(&host, "55 55"), "00 00 00 CC");
	assert_string_equal(tihost_say(&host, "03 23 23"), "00 00 00 CC 00 00 03 40 40");
	tihost_end(&host);
	begin(&host, NULL, &(struct sim_ti_faults){.bare_acks = true});
	assert_string_equal(tihost_say(&host, "55 55"), "CC");
	assert_string_equal(tihost_say(&host, "03 23 23"), "CC 03 40 40");
	tihost_end(&host);
}

static void an_ack_is_lost_and_its_command_done(void **state)
{
	struct tihost host;

	(void)state;
	begin_synced(&host, &(struct sim_ti_faults){.lose_code = 0x26, .lose_nth = 2});
	memset(sim_flash(host.sim), 0, 0x6000);
	assert_string_equal(tihost_send(&host, 0x26, 0, 0, 0, 0), "00 CC");
	assert_string_equal(tihost_send(&host, 0x26, 0, 0, 0x20, 0), "");
	assert_int_equal(sim_flash(host.sim)[0x2000], 0xFF);
	assert_string_equal(tihost_send(&host, 0x26, 0, 0, 0x40, 0), "00 CC");
	tihost_end(&host);
}

static void a_command_is_refused_or_fails(void **state)
{
	struct tihost host;

	(void)state;
	begin_synced(&host, &(struct sim_ti_faults){.nack_code = 0x26, .nack_nth = 1});
	memset(sim_flash(host.sim), 0, 0x2000);
	assert_string_equal(tihost_send(&host, 0x26, 0, 0, 0, 0), "00 33");
	assert_int_equal(sim_flash(host.sim)[0], 0);
	assert_string_equal(tihost_send(&host, 0x26, 0, 0, 0, 0), "00 CC");
	assert_int_equal(sim_flash(host.sim)[0], 0xFF);
	tihost_end(&host);
	begin_synced(&host,
		&(struct sim_ti_faults){.status_code = 0x26, .status_nth = 2, .status = 0x44});
	for (int i = 1; i <= 3; i++) {
		memset(sim_flash(host.sim), 0, 0x2000);
		assert_string_equal(tihost_send(&host, 0x26, 0, 0, 0, 0), "00 CC");
		assert_int_equal(tihost_status(&host), i == 2 ? 0x44 : 0x40);
		assert_int_equal(sim_flash(host.sim)[0], i == 2 ? 0 : 0xFF);
	}
	tihost_end(&host);
}

static void sums_of_packets_are_wrong_once_or_always(void **state)
{
	struct tihost host;

	(void)state;
	begin_synced(&host, &(struct sim_ti_faults){.bad_sum_nth = 2});
	assert_string_equal(tihost_say(&host, "03 23 23"), "00 CC 03 40 40");
	tihost_say(&host, "00 CC");
	assert_string_equal(tihost_say(&host, "03 23 23"), "00 CC 03 1A 40");
	assert_string_equal(tihost_say(&host, "00 33"), "03 40 40");
	tihost_end(&host);
	begin_synced(&host, &(struct sim_ti_faults){.bad_sums = true});
	assert_string_equal(tihost_say(&host, "03 23 23"), "00 CC 03 1A 40");
	assert_string_equal(tihost_say(&host, "00 33"), "03 1A 40");
	tihost_end(&host);
}

static void a_crc_is_wrong_once(void **state)
{
	static const char ask[] = "0F 47 27 00 00 00 00 00 00 20 00 00 00 00 00";
	struct tihost host;
	char first[64];

	(void)state;
	begin_synced(&host, &(struct sim_ti_faults){.crc_wrong_nth = 2});
	snprintf(first, sizeof(first), "%s", tihost_say(&host, ask));
	tihost_say(&host, "00 CC");
	assert_string_not_equal(tihost_say(&host, ask), first);
	tihost_say(&host, "00 CC");
	assert_string_equal(tihost_say(&host, ask), first);
	tihost_end(&host);
}

/* ------------------------------------------------------------------ flash */

static void a_stubborn_sector_stays_as_it_is(void **state)
{
	struct tihost host;

	(void)state;
	for (int is_silent = 0; is_silent < 2; is_silent++) {
		begin_synced(&host, &(struct sim_ti_faults){.stubborn = 0x2345,
					    .stubborn_times = 1,
					    .is_stubborn_silent = is_silent});
		memset(sim_flash(host.sim), 0, 0x6000);
		tihost_send(&host, 0x26, 0, 0, 0x40, 0);
		assert_int_equal(tihost_status(&host), 0x40);
		tihost_send(&host, 0x26, 0, 0, 0x20, 0);
		assert_int_equal(tihost_status(&host), is_silent ? 0x40 : 0x44);
		assert_int_equal(sim_flash(host.sim)[0x2000], 0);
		tihost_send(&host, 0x26, 0, 0, 0x20, 0);
		assert_int_equal(tihost_status(&host), 0x40);
		assert_int_equal(sim_flash(host.sim)[0x2000], 0xFF);
		tihost_end(&host);
	}
}

/* The sector erase alone: a bank erase leaves C5FFFFFF whatever a sector erase does (egony#25). */
static void other_values_of_delivery_follow_an_erase_of_the_top_sector(void **state)
{
	static const struct sim_ti board = {
		.delivery_bl_config = 0xC5FE0DC5, .delivery = {true, 0x28, 0xC5}};
	struct tihost host;
	const uint8_t *ccfg;

	(void)state;
	begin(&host, &board, NULL);
	tihost_sync(&host);
	ccfg = sim_ti(host.sim)->ccfg;
	tihost_send(&host, 0x26, 0, 5, 0x60, 0);
	assert_memory_equal(ccfg + 0x30, "\xC5\x0D\xFE\xC5", 4);
	assert_int_equal(ccfg[0x28], 0xC5);
	tihost_send(&host, 0x2C);
	assert_memory_equal(ccfg + 0x30, "\xFF\xFF\xFF\xC5", 4);
	assert_int_equal(ccfg[0x28], 0xFF);
	tihost_end(&host);
}

static void a_byte_of_the_ccfg_is_spoilt_by_programming(void **state)
{
	struct tihost host;

	(void)state;
	begin_synced(&host, &(struct sim_ti_faults){.spoils = {true, 0x47, 0xC5}});
	tihost_send(&host, 0x21, 0, 5, 0x7F, 0xEC, 0, 0, 0, 4);
	tihost_send(&host, 0x24, 0, 0, 0, 0xFF);
	assert_int_equal(tihost_status(&host), 0x40);
	assert_memory_equal(sim_ti(host.sim)->ccfg + 0x44, "\x00\x00\x00\xC5", 4);
	tihost_end(&host);
}

/* The cells are neither what they were nor what they should be, and the chip remembers why. */
static void a_reset_tears_what_is_under_way(void **state)
{
	struct tihost host;
	unsigned old = 0, erased = 0;

	(void)state;
	begin_synced(&host, NULL);
	memset(sim_flash(host.sim) + 0x56000, 0, 0x2000);
	for (const char *byte = "07 8B 26 00 05 60 00"; *byte; byte += 3) {
		host.now += sim_byte_nsec(host.sim);
		sim_receive(host.sim, (uint8_t)strtoul(byte, NULL, 16), host.now);
		if (strlen(byte) < 3)
			break;
	}
	tihost_pass(&host, 5);
	assert_int_equal(sim_ti(host.sim)->n_torn, 0);
	sim_set_lines(host.sim, LINE_RTS, host.now);
	assert_int_equal(sim_ti(host.sim)->n_top_torn, 1);
	for (uint32_t i = 0x56000; i < 0x58000; i++) {
		old += sim_flash(host.sim)[i] == 0;
		erased += sim_flash(host.sim)[i] != 0;
	}
	assert_true(old > 0 && erased > 0);
	tihost_end(&host);
}

/* ------------------------------------------------------------------ pins and starts */

static void the_backdoors_pin_is_low_or_high_for_some_starts(void **state)
{
	struct tihost host;

	(void)state;
	begin_installed(&host, NULL, &(struct sim_ti_faults){.boot_low_resets = 1});
	tihost_reset(&host, false);
	assert_int_equal(sim_ti(host.sim)->start, SIM_TI_BACKDOOR);
	tihost_reset(&host, false);
	assert_int_equal(sim_ti(host.sim)->start, SIM_TI_APPLICATION);
	tihost_end(&host);
	begin_installed(&host, NULL, &(struct sim_ti_faults){.boot_high_resets = 1});
	tihost_reset(&host, true);
	assert_int_equal(sim_ti(host.sim)->start, SIM_TI_APPLICATION);
	tihost_reset(&host, true);
	assert_int_equal(sim_ti(host.sim)->start, SIM_TI_BACKDOOR);
	tihost_end(&host);
}

static void a_reset_command_may_do_nothing(void **state)
{
	struct tihost host;

	(void)state;
	begin_synced(&host, &(struct sim_ti_faults){.no_reset = true});
	assert_string_equal(tihost_say(&host, "03 25 25"), "00 CC");
	assert_string_equal(tihost_say(&host, "03 20 20"), "00 CC");
	tihost_end(&host);
}

/* Boards with a controller of their own reset late (contiki#1533). */
static void a_helper_passes_the_lines_on_late(void **state)
{
	struct tihost host;

	(void)state;
	begin_installed(&host, &(struct sim_ti){.helper_nsec = 300000000}, NULL);
	tihost_pass(&host, 1000);
	tihost_reset(&host, false);
	tihost_pass(&host, 1000);
	assert_int_equal(sim_ti(host.sim)->start, SIM_TI_APPLICATION);
	tihost_reset(&host, true);
	tihost_pass(&host, 50);
	assert_int_equal(sim_ti(host.sim)->start, SIM_TI_APPLICATION);
	tihost_pass(&host, 100);
	assert_int_equal(sim_state(host.sim), SIM_RESET);
	tihost_pass(&host, 200);
	assert_int_equal(sim_ti(host.sim)->start, SIM_TI_BACKDOOR);
	tihost_sync(&host);
	tihost_end(&host);
}

static void a_loader_is_synchronised_from_the_start(void **state)
{
	static const struct sim_ti board = {.synced_baud = 115200};
	const struct sim_options options = {
		.chip = sim_chip_find("cc2652p"), .circuit = SIM_CIRCUIT_NONE, .ti = board};
	struct tihost host = {.sim = sim_new(&options), .now = 1000000};

	(void)state;
	sim_set_format(host.sim, 115200, false, host.now);
	assert_string_equal(tihost_say(&host, "03 20 20"), "00 CC");
	tihost_end(&host);
}

static void other_numbers_are_told(void **state)
{
	static const struct sim_ti board = {
		.wafer_id = 0xBB78, .flash_sectors = 88, .user_code = 0x12345678};
	struct tihost host;
	uint8_t answer[256];

	(void)state;
	begin(&host, &board, NULL);
	tihost_sync(&host);
	assert_int_equal(tihost_ask(&host, (const uint8_t[]){0x28}, 1, answer), 4);
	assert_memory_equal(answer, "\x12\x34\x56\x78", 4);
	assert_int_equal(
		tihost_ask(&host, (const uint8_t[]){0x2A, 0x50, 0, 0x13, 0x18, 1, 1}, 7, answer),
		4);
	assert_int_equal((answer[3] & 0x0F) << 12 | answer[2] << 4 | answer[1] >> 4, 0xBB78);
	assert_int_equal(
		tihost_ask(&host, (const uint8_t[]){0x2A, 0x40, 3, 0, 0x2C, 1, 1}, 7, answer), 4);
	assert_int_equal(answer[0], 88);
	tihost_end(&host);
}

/* ------------------------------------------------------------------ the application */

static const char *ask_version(struct tihost *host)
{
	sim_set_format(host->sim, 115200, false, host->now);
	tihost_reset(host, false);
	tihost_pass(host, 1000);
	return tihost_say(host, "FE 00 21 02 23");
}

static void z_stack_has_its_faults(void **state)
{
	static const struct {
		struct sim_ti_faults faults;
		const char *answer;
	} rows[] = {
		{{0}, "FE 09 61 02 02 01 02 07 01 46 D9 34 01 C7"},
		{{.is_mute = true}, ""},
		{{.is_deaf = true}, ""},
		{{.start_nsec = UINT64_C(3000000000)}, ""},
		{{.revision = 1}, "FE 09 61 02 02 01 02 07 01 01 00 00 00 6C"},
		{{.bad_mt_sums = true}, "FE 09 61 02 02 01 02 07 01 46 D9 34 01 38"},
		{{.mt_noise = "\x00\x55", .n_mt_noise = 2},
			"00 55 FE 09 61 02 02 01 02 07 01 46 D9 34 01 C7"},
	};
	struct tihost host;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		begin_installed(&host, NULL, &rows[i].faults);
		/* Where it starts late, its word of that comes instead. */
		if (rows[i].faults.start_nsec)
			assert_string_equal(ask_version(&host), "FE 06 41 80 01 02 01 02 07 01 C1");
		else
			assert_string_equal(ask_version(&host), rows[i].answer);
		tihost_end(&host);
	}
	begin_installed(&host, NULL, &(struct sim_ti_faults){.no_indication = true});
	sim_set_format(host.sim, 115200, false, host.now);
	tihost_reset(&host, false);
	tihost_pass(&host, 1000);
	assert_int_equal(host.n_bytes, 0);
	tihost_end(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zeros_stand_in_front_of_answers_and_packets),
		cmocka_unit_test(an_ack_is_lost_and_its_command_done),
		cmocka_unit_test(a_command_is_refused_or_fails),
		cmocka_unit_test(sums_of_packets_are_wrong_once_or_always),
		cmocka_unit_test(a_crc_is_wrong_once),
		cmocka_unit_test(a_stubborn_sector_stays_as_it_is),
		cmocka_unit_test(other_values_of_delivery_follow_an_erase_of_the_top_sector),
		cmocka_unit_test(a_byte_of_the_ccfg_is_spoilt_by_programming),
		cmocka_unit_test(a_reset_tears_what_is_under_way),
		cmocka_unit_test(the_backdoors_pin_is_low_or_high_for_some_starts),
		cmocka_unit_test(a_reset_command_may_do_nothing),
		cmocka_unit_test(a_helper_passes_the_lines_on_late),
		cmocka_unit_test(a_loader_is_synchronised_from_the_start),
		cmocka_unit_test(other_numbers_are_told),
		cmocka_unit_test(z_stack_has_its_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
