/* SPDX-License-Identifier: MIT */
/*
 * store-bench.h - a store in a folder of its own, and rows whose every field follows from one
 * number, so that a mixed or torn row shows. Include after cmocka.h.
 */
#pragma once

#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "records/store-file.h"
#include "records/store.h"
#include "unit/folder.h"
#include "unit/save.h"

static inline void make_sha256(unsigned number, char to[DIGEST_HEX_SIZE])
{
	snprintf(to, DIGEST_HEX_SIZE, "%064x", number);
}

static inline struct store_unit make_unit(unsigned unit, unsigned number, enum unit_state state)
{
	struct store_unit made = {
		.has_state = true,
		.state = state,
		.is_protected = number % 2,
		.failures = number % 5,
		.drops = number % 4,
		.rollback = number % 3,
		.failed_outcome = OUTCOME_WRITE_FAILED,
		.not_before_ms = 1000 * (int64_t)number,
		.seen_ms = 2000 * (int64_t)number,
		.chip = "STM32F103x8",
		.board = "gate",
	};

	snprintf(made.key, sizeof(made.key), "stm32:0x410 %024x", unit);
	snprintf(made.unit, sizeof(made.unit), "%024x", unit);
	snprintf(made.serial, sizeof(made.serial), "serial-%u", number);
	snprintf(made.usb_path, sizeof(made.usb_path), "pci-%u", number);
	snprintf(made.slot, sizeof(made.slot), "A%u", number);
	snprintf(made.image, sizeof(made.image), "gate-%u.hex", number);
	snprintf(made.version, sizeof(made.version), "%u", number);
	make_sha256(number, made.sha256);
	snprintf(made.previous_image, sizeof(made.previous_image), "gate-%u.hex", number + 3);
	snprintf(made.previous_version, sizeof(made.previous_version), "%u", number + 3);
	make_sha256(number + 3, made.previous_sha256);
	make_sha256(number + 1, made.failed_sha256);
	make_sha256(number + 2, made.failed_rule);
	return made;
}

static inline struct store_attempt make_attempt(unsigned unit, unsigned number, bool has_ended)
{
	struct store_attempt made = {
		.started_ms = 10 * (int64_t)number + 1,
		.ended_ms = has_ended ? 10 * (int64_t)number + 2 : 0,
		.board = "gate",
		.port = "/dev/ttyUSB0",
		.operation = "flash",
		.cause = "differs",
		.plug = number % 3,
		.report = {.outcome = OUTCOME_UPDATED,
			.phase = PHASE_LEAVE,
			.proof = (enum proof)(number % PROOF_MAX),
			.error = (int)(number % 100),
			.bytes = 100 * (uint64_t)number,
			.pages_erased = number % 64,
			.baud = 115200,
			.entries = number % 7,
			.duration_ms = number,
			.chip = "STM32F103x8"},
	};

	snprintf(made.job, sizeof(made.job), "%032x", number);
	snprintf(made.key, sizeof(made.key), "stm32:0x410 %024x", unit);
	snprintf(made.serial, sizeof(made.serial), "serial-%u", number);
	snprintf(made.usb_path, sizeof(made.usb_path), "pci-%u", number);
	snprintf(made.slot, sizeof(made.slot), "A%u", number);
	snprintf(made.report.unit, sizeof(made.report.unit), "%024x", unit);
	snprintf(made.report.image, sizeof(made.report.image), "gate-%u.hex", number);
	snprintf(made.report.version, sizeof(made.report.version), "%u", number);
	make_sha256(number, made.report.sha256);
	for (int phase = PHASE_OPEN; phase < PHASE_MAX; phase++)
		made.report.phase_ms[phase] = number + (unsigned)phase;
	snprintf(made.report.revision, sizeof(made.report.revision), "%u.%u", number, unit);
	snprintf(made.report.security, sizeof(made.report.security), "%s",
		number % 2 ? "none" : "secure-boot");
	snprintf(made.report.unit_data, sizeof(made.report.unit_data), "%08u", number);
	snprintf(made.report.kept, sizeof(made.report.kept), "%08x", number);
	reason_set(&made.report.reason, "reason %u", number);
	return made;
}

static inline void assert_unit_equal(const struct store_unit *a, const struct store_unit *b)
{
	assert_string_equal(a->key, b->key);
	assert_string_equal(a->chip, b->chip);
	assert_string_equal(a->unit, b->unit);
	assert_string_equal(a->serial, b->serial);
	assert_string_equal(a->usb_path, b->usb_path);
	assert_string_equal(a->slot, b->slot);
	assert_string_equal(a->board, b->board);
	assert_int_equal(a->has_state, b->has_state);
	if (a->has_state)
		assert_int_equal(a->state, b->state);
	assert_int_equal(a->is_protected, b->is_protected);
	assert_string_equal(a->image, b->image);
	assert_string_equal(a->version, b->version);
	assert_string_equal(a->sha256, b->sha256);
	assert_string_equal(a->previous_image, b->previous_image);
	assert_string_equal(a->previous_version, b->previous_version);
	assert_string_equal(a->previous_sha256, b->previous_sha256);
	assert_int_equal(a->failures, b->failures);
	assert_int_equal(a->drops, b->drops);
	assert_int_equal(a->rollback, b->rollback);
	assert_string_equal(a->failed_sha256, b->failed_sha256);
	assert_string_equal(a->failed_rule, b->failed_rule);
	if (a->failures > 0)
		assert_int_equal(a->failed_outcome, b->failed_outcome);
	assert_int_equal(a->not_before_ms, b->not_before_ms);
	assert_int_equal(a->seen_ms, b->seen_ms);
	assert_string_equal(a->kept, b->kept);
}

static inline void assert_attempt_equal(
	const struct store_attempt *a, const struct store_attempt *b)
{
	assert_string_equal(a->job, b->job);
	assert_string_equal(a->key, b->key);
	assert_string_equal(a->board, b->board);
	assert_string_equal(a->port, b->port);
	assert_string_equal(a->serial, b->serial);
	assert_string_equal(a->usb_path, b->usb_path);
	assert_string_equal(a->operation, b->operation);
	assert_string_equal(a->slot, b->slot);
	assert_string_equal(a->cause, b->cause);
	assert_int_equal(a->plug, b->plug);
	assert_int_equal(a->started_ms, b->started_ms);
	assert_int_equal(a->ended_ms, b->ended_ms);
	assert_int_equal(a->report.outcome, b->report.outcome);
	assert_int_equal(a->report.phase, b->report.phase);
	assert_int_equal(a->report.proof, b->report.proof);
	assert_int_equal(a->report.error, b->report.error);
	assert_string_equal(a->report.chip, b->report.chip);
	assert_string_equal(a->report.unit, b->report.unit);
	assert_string_equal(a->report.revision, b->report.revision);
	assert_string_equal(a->report.security, b->report.security);
	assert_string_equal(a->report.kept, b->report.kept);
	assert_string_equal(a->report.image, b->report.image);
	assert_string_equal(a->report.version, b->report.version);
	assert_string_equal(a->report.sha256, b->report.sha256);
	assert_int_equal(a->report.bytes, b->report.bytes);
	assert_int_equal(a->report.pages_erased, b->report.pages_erased);
	assert_int_equal(a->report.baud, b->report.baud);
	assert_int_equal(a->report.entries, b->report.entries);
	assert_int_equal(a->report.duration_ms, b->report.duration_ms);
	assert_memory_equal(a->report.phase_ms, b->report.phase_ms, sizeof(a->report.phase_ms));
	assert_string_equal(a->report.unit_data, b->report.unit_data);
	assert_string_equal(a->report.reason.text, b->report.reason.text);
}

static inline struct store *open_store(const char *directory)
{
	struct store *store = NULL;
	struct reason reason = {0};
	int r = store_open(directory, &store, &reason);

	if (r != STORE_OK)
		fail_msg("%s: %d: %s", directory, r, reason.text);
	return store;
}

static inline void save(
	struct store *store, const struct store_unit *unit, const struct store_attempt *attempt)
{
	struct reason reason = {0};
	int r = save_rows(store, unit, attempt, &reason);

	if (r != 0)
		fail_msg("not saved: %d: %s", r, reason.text);
}

/* An empty folder within the folder of the test. */
static inline const char *fresh_directory(void)
{
	static unsigned number;
	char name[32];

	snprintf(name, sizeof(name), "state-%u", number++);
	make_directory(name);
	return in_folder(name);
}

/* In a process of its own; exits with the result of `run`. */
static inline int in_child(int (*run)(const char *directory), const char *directory)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(run(directory));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}
