/* SPDX-License-Identifier: MIT */
/*
 * scene.h - what most tests of the bed begin with, and what they demand at the end.
 *
 * The scene: a rule "gate" for bridges whose serial begins with A, chip STM32F103C8, and two
 * versions of a real firmware for it. Only tests include it, after cmocka.
 */
#pragma once

#include "base/names.h"
#include "base/outcome.h"
#include "bed/bed.h"
#include "rules/wiring.h"

#define FIRMWARE_OLD	 "tests/firmware/firmware-1.0.0"
#define FIRMWARE_NEW	 "tests/firmware/firmware-1.1.0"
#define FIRMWARE_OLD_BIN FIRMWARE_OLD ".bin"
#define FIRMWARE_NEW_BIN FIRMWARE_NEW ".bin"

/* A board of the rule, on a line at the real rate, and one as fast as possible. */
#define GATE_PACED                               \
	&(struct bed_board)                      \
	{                                        \
		.serial = "A1", .is_paced = true \
	}
#define GATE                   \
	&(struct bed_board)    \
	{                      \
		.serial = "A1" \
	}
/* One that is still written when a command has started, on a busy machine as well. */
#define GATE_AT_LEISURE                                              \
	&(struct bed_board)                                          \
	{                                                            \
		.serial = "A1", .is_paced = true, .faults = {        \
			.slow_ack_nsec = UINT64_C(100) * 1000 * 1000 \
		}                                                    \
	}

/* The commands of AN3155 that change a chip, and two that do not. */
enum { READ = 0x11, WRITE = 0x31, ERASE = 0x43, EXTENDED_ERASE = 0x44, UNPROTECT = 0x92 };

/* For cmocka: `*state` becomes the bed; its service does not run yet. */
int scene_set_up(void **state);
int scene_tear_down(void **state);
#define SCENE_TEST(f) cmocka_unit_test_setup_teardown(f, scene_set_up, scene_tear_down)

/* The rule anew, with more keys for [service] and [board gate]. */
void scene_configure(struct bed *bed, const char *service_keys, const char *board_keys);

/* An image for the rule 'gate', "gate-2.VERSION.0.bin": a vector table for an STM32F103, and noise
 * that is another for each version. */
void scene_put_noise(struct bed *bed, unsigned version, size_t n_bytes);

/* Starts the service and waits until it is ready. */
void scene_start(struct bed *bed);

/* Waits for the end of the unit's job and demands this outcome; the entry. */
const struct journal_entry *expect_outcome(struct bed_unit *unit, const char *outcome);

/*
 * For what must not have happened: one more board of the rule comes, and is updated. What the
 * service had to begin about anything before has begun by then.
 */
void expect_another_updated(struct bed *bed);

/* The same where boards have no turn: a bridge without a rule, which is told. */
void expect_stranger_told(struct bed *bed);

void expect_field(const struct journal_entry *entry, const char *name, const char *value);
void expect_text(const struct journal_entry *entry, const char *name, const char *part);

/* Nothing was erased, written or unprotected since the simulator was made. */
void expect_untouched(struct bed_unit *unit);
unsigned scene_erases(struct bed_unit *unit);

/* Lines at rest (neither asserted: the wiring is "direct"), port closed, application running. */
void expect_at_rest(struct bed_unit *unit);

/* The worker that works on /dev/ttyUSB0, by its lock file. */
#define SCENE_LOCK_FILE "/run/lock/LCK..ttyUSB0"
pid_t scene_worker(void);

/* SIGTERM ends the service with status 0. */
void expect_good_stop(struct bed *bed);

/* The main() of a test program. */
#define SCENE_MAIN(tests)                                         \
	int main(void)                                            \
	{                                                         \
		enclosure_enter();                                \
		return cmocka_run_group_tests(tests, NULL, NULL); \
	}
