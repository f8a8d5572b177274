/* SPDX-License-Identifier: MIT */
/*
 * test-ti-guard-torn.c - a stick with a chip of TI whose cable is pulled in the middle of an
 * update, and plugged in again, with the service's memory in the loop: the next attempt completes,
 * and the stick has its network and its own address as before, though the erase took that and the
 * worker that knew it is gone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "place.h"
#include "ti-guard.h"

static const uint8_t ieee[8] = {0x88, 0x77, 0x66, 0x55, 0x00, 0x4B, 0x12, 0x00};

static struct place *new_stick(const char *chip, const char *rule)
{
	struct place *place = new_place_of(ti_guard_new(chip, NULL, NULL, rule));

	ti_guard_install_old(place->bench, chip);
	memcpy(ti_guard_at(place->bench, ti_make_ieee(ti_make_chip(chip))), ieee, sizeof(ieee));
	ti_guard_take_new(place->bench, chip, TI_NEW);
	take_image(place, "new.hex", TI_NEW);
	return place;
}

/* A new process has the file as it is, and nothing of what an earlier one found. */
static enum outcome plug_anew(struct place *place, const char *chip)
{
	ti_guard_take_new(place->bench, chip, TI_NEW);
	return plug(place);
}

static bool has_address(struct place *place, const char *chip)
{
	return memcmp(ti_guard_at(place->bench, ti_make_ieee(ti_make_chip(chip))), ieee,
		       sizeof(ieee)) == 0;
}

struct cuts {
	unsigned n_cuts, n_before_erase, n_locked;
};

/*
 * Pulls the cable when so many bytes were sent. The moment between the erase of the top sector and
 * the delivery values is the ROM's own (ti-bsl.md 5.2): a chip that is cut off there waits for a
 * debugger, whatever its host does.
 */
static void cut_at(const char *chip, uint64_t n_sent, bool dies, struct cuts *tally)
{
	struct place *place = new_stick(chip, "");
	const struct port_sim_options options = {.unplug_after_sent = n_sent};
	enum outcome outcome;

	port_sim_set_options(BENCH_PORT, &options);
	place->is_host_cut = dies;
	outcome = plug_anew(place, chip);
	assert_int_not_equal(outcome, OUTCOME_UPDATED);
	port_sim_set_options(BENCH_PORT, &(struct port_sim_options){0});
	port_sim_replug(BENCH_PORT);
	port_sim_pass(BENCH_PORT, 2 * USEC_PER_SEC);
	if (dies)
		restart_service(place);
	assert_true(ti_guard_has_network(place->bench, chip));
	tally->n_cuts++;
	if (sim_ti(place->bench->sim)->start == SIM_TI_LOCKED) {
		assert_true(sim_ti(place->bench->sim)->n_top_torn > 0);
		tally->n_locked++;
		free_place(place);
		return;
	}
	tally->n_before_erase += !place->bench->report.has_erased;
	outcome = plug_anew(place, chip);
	if (outcome != OUTCOME_UPDATED && outcome != OUTCOME_CURRENT)
		fail_msg("%s: cut after %llu bytes, then %s: %s", chip, (unsigned long long)n_sent,
			outcome_to_string(outcome), place->bench->report.reason.text);
	assert_true(bench_holds_image(place->bench));
	assert_true(ti_guard_has_network(place->bench, chip));
	if (!has_address(place, chip))
		fail_msg("%s: cut after %llu bytes, the address is lost", chip,
			(unsigned long long)n_sent);
	port_sim_replug(BENCH_PORT);
	port_sim_pass(BENCH_PORT, 2 * USEC_PER_SEC);
	assert_int_equal(sim_ti(place->bench->sim)->start, SIM_TI_APPLICATION);
	assert_int_equal(sim_ti(place->bench->sim)->revision, 20240710);
	free_place(place);
}

static void ti_check_14_16_17_a_stick_that_was_cut_off_is_completed_with_what_it_had(void **state)
{
	static const char *const chips[] = {"cc2652p", "cc2538"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		struct place *whole = new_stick(chips[i], "");
		struct cuts tally = {0};
		uint64_t n_sent;

		if (plug(whole) != OUTCOME_UPDATED)
			fail_msg("%s", whole->bench->report.reason.text);
		n_sent = port_sim_record(BENCH_PORT)->n_sent;
		free_place(whole);
		/* Each packet of the beginning and of the end, and some in between. */
		for (uint64_t at = 2; at < n_sent;
			at += at < 500 || at > n_sent - 500 ? 13 : n_sent / 40)
			cut_at(chips[i], at, at % 2, &tally);
		assert_true(tally.n_before_erase > 5);
		assert_true(tally.n_cuts - tally.n_before_erase > 30);
		print_message("    %s: %u cuts, %u before an erase, %u in the ROM's own moment\n",
			chips[i], tally.n_cuts, tally.n_before_erase, tally.n_locked);
	}
}

/* Until it is whole again, and not longer: what somebody does with it afterwards counts. */
static void what_a_stick_had_is_not_put_over_what_came_later(void **state)
{
	const struct port_sim_options cut = {.unplug_after_sent = 3000};
	struct place *place = new_stick("cc2652p", "");
	uint8_t *at = ti_guard_at(place->bench, ti_make_ieee(ti_make_chip("cc2652p")));

	(void)state;
	port_sim_set_options(BENCH_PORT, &cut);
	assert_int_equal(plug_anew(place, "cc2652p"), OUTCOME_PORT_GONE);
	assert_true(place->bench->report.has_erased);
	assert_int_equal(strlen(unit_of(place).kept), 2 * 88);
	assert_string_equal(last_attempt(place).report.kept, unit_of(place).kept);
	port_sim_set_options(BENCH_PORT, &(struct port_sim_options){0});
	port_sim_replug(BENCH_PORT);
	assert_int_equal(plug_anew(place, "cc2652p"), OUTCOME_UPDATED);
	assert_memory_equal(at, ieee, 8);
	assert_string_equal(place->bench->report.remark,
		"its secondary IEEE address 00124b0055667788 is what it had before the update that was not finished");
	/* Another one by another tool. */
	memcpy(at, (const uint8_t[]){1, 2, 3, 4, 0, 0x4B, 0x12, 0}, 8);
	ti_guard_take_new(place->bench, "cc2652p", "20250101");
	take_image(place, "newer.hex", "20250101");
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_int_equal(at[0], 1);
	/* Somebody has emptied it: it is not for us to know better. */
	memset(sim_flash(place->bench->sim) + 0x56000, 0xFF, 0x2000);
	*ti_guard_at(place->bench, 0x57FDB) = 0xC5;
	ti_guard_take_new(place->bench, "cc2652p", "20250202");
	take_image(place, "newest.hex", "20250202");
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_int_equal(at[0], 0xFF);
	free_place(place);
}

static void an_address_that_the_rule_gives_up_does_not_come_back(void **state)
{
	const struct port_sim_options cut = {.unplug_after_sent = 3000};
	struct place *place = new_stick("cc2652p", "secondary-ieee = image\n");

	(void)state;
	port_sim_set_options(BENCH_PORT, &cut);
	assert_int_equal(plug_anew(place, "cc2652p"), OUTCOME_PORT_GONE);
	port_sim_set_options(BENCH_PORT, &(struct port_sim_options){0});
	port_sim_replug(BENCH_PORT);
	assert_int_equal(plug_anew(place, "cc2652p"), OUTCOME_UPDATED);
	assert_false(has_address(place, "cc2652p"));
	free_place(place);
}

/* An image that was read out of another stick, with the address of that one. */
static void take_of_another_stick(struct place *place)
{
	struct ti_make_image made = ti_make_new("cc2652p", TI_NEW, 0);

	ti_make_ccfg32(&made, 0x20, 0x55667788);
	ti_make_ccfg32(&made, 0x24, 0x00124B00);
	ti_guard_take(place->bench, &made, true);
	ti_make_done(&made);
	take_image(place, "new.hex", TI_NEW);
}

/* Its network knows it by its primary address. */
static void a_stick_without_an_address_gets_none_of_another_stick(void **state)
{
	const struct port_sim_options cut = {.unplug_after_sent = 3000};
	static const char not_taken[] =
		"secondary IEEE address 00124b0055667788 of the image is not taken";

	(void)state;
	for (int is_torn = 0; is_torn < 2; is_torn++) {
		struct place *place = new_place_of(ti_guard_new("cc2652p", NULL, NULL, ""));
		uint8_t *at = ti_guard_at(place->bench, ti_make_ieee(ti_make_chip("cc2652p")));

		ti_guard_install_old(place->bench, "cc2652p");
		if (is_torn) {
			ti_guard_take_new(place->bench, "cc2652p", TI_NEW);
			take_image(place, "new.hex", TI_NEW);
			port_sim_set_options(BENCH_PORT, &cut);
			assert_int_equal(plug(place), OUTCOME_PORT_GONE);
			assert_true(place->bench->report.has_erased);
			port_sim_set_options(BENCH_PORT, &(struct port_sim_options){0});
			port_sim_replug(BENCH_PORT);
		}
		take_of_another_stick(place);
		assert_int_equal(plug(place), OUTCOME_UPDATED);
		for (size_t i = 0; i < sizeof(ieee); i++)
			assert_int_equal(at[i], 0xFF);
		if (!strstr(place->bench->report.remark, not_taken))
			fail_msg("'%s'", place->bench->report.remark);
		/* And is current with it, whatever the file says. */
		take_of_another_stick(place);
		assert_int_equal(plug(place), OUTCOME_CURRENT);
		free_place(place);
	}
}

/* What is the unit's own is put into the image when that was checked. */
static void data_of_the_unit_are_not_put_over_what_decides_on_its_loader(void **state)
{
	static const struct {
		const char *chip, *rule, *field;
	} cases[] = {
		{"cc2652p", "serialize = 0x57fd4+6 decimal 1\n", "BL_CONFIG"},
		{"cc2652p", "serialize = 0x57fc0+16 decimal 1\n", "RTC_OFFSET"},
		{"cc2652p", "serialize = 0x57ffc+4 decimal 1\n", "PROT_127_96"},
		{"cc2652p", "serialize = 0x57fc8+8 decimal 1\n", NULL},
		{"cc2652p", "serialize = 0x57f00+8 decimal 1\n", NULL},
		{"cc2538", "serialize = 0x27ffd0+8 decimal 1\n", "CCA BOOTLOADER_CONFIG"},
		{"cc2538", "serialize = 0x27ffcc+8 decimal 1\n", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct place *place = new_stick(cases[i].chip, cases[i].rule);
		enum outcome outcome = plug(place);

		if (cases[i].field) {
			assert_int_equal(outcome, OUTCOME_BAD_IMAGE);
			assert_false(place->bench->report.has_erased);
			ti_guard_says(place->bench, cases[i].field);
			ti_guard_says(place->bench, "`serialize`");
		} else if (outcome != OUTCOME_UPDATED) {
			fail_msg("%s: %s", cases[i].rule, place->bench->report.reason.text);
		}
		port_sim_replug(BENCH_PORT);
		port_sim_pass(BENCH_PORT, 2 * USEC_PER_SEC);
		assert_int_equal(sim_ti(place->bench->sim)->start, SIM_TI_APPLICATION);
		free_place(place);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			ti_check_14_16_17_a_stick_that_was_cut_off_is_completed_with_what_it_had),
		cmocka_unit_test(what_a_stick_had_is_not_put_over_what_came_later),
		cmocka_unit_test(an_address_that_the_rule_gives_up_does_not_come_back),
		cmocka_unit_test(a_stick_without_an_address_gets_none_of_another_stick),
		cmocka_unit_test(data_of_the_unit_are_not_put_over_what_decides_on_its_loader),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
