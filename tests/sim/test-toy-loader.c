/* SPDX-License-Identifier: MIT */
/*
 * test-toy-loader.c - a third loader for a chip of another family is flashed by the unchanged
 * procedure: what it lacks and what it has besides the STM32 is in its tables alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/util.h"
#include "bench.h"
#include "toy.h"

#define IMAGE_BYTES (5 * TOY_PAGE + 300)
#define SMALL_BYTES 300

#define RULE	    "chip = 7\nretries = 1\nretry-delay = 0\nbaud = 921600 460800 115200\n"

/* The simulated STM32 behind the port has the lines, and is never spoken to. */
struct stand {
	struct bench *bench;
	struct toy toy;
};

static void take_image(struct stand *stand, uint8_t first, unsigned seed, size_t size)
{
	uint8_t bytes[IMAGE_BYTES];
	const struct image_options options = {.address = TOY_BASE, .max_bytes = sizeof(bytes)};
	struct reason reason = {""};
	uint32_t state = seed;

	for (size_t i = 0; i < sizeof(bytes); i++) {
		state = state * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(state >> 16);
	}
	bytes[0] = first;
	/* Two blocks that an erase leaves as they are to be. */
	memset(bytes + 2 * TOY_PAGE + 1024, 0xFF, 2048);
	image_done(&stand->bench->image);
	assert_int_equal(
		image_read("toy.bin", bytes, size, &options, &stand->bench->image, &reason), 0);
}

static struct stand *stand_new(const char *rule)
{
	struct stand *stand = calloc(1, sizeof(*stand));

	assert_non_null(stand);
	stand->bench = bench_new("f103c8", rule);
	toy_chips(&stand->bench->own_chips);
	stand->bench->chips = &stand->bench->own_chips;
	toy_init(&stand->toy);
	stand->bench->loader = &stand->toy.slow;
	stand->bench->trusts.stub = TRUST_FULL;
	/* As the row of a protocol of its own would have it. */
	stand->bench->board.verify = PROOF_DIGEST;
	take_image(stand, TOY_MARK, 1, IMAGE_BYTES);
	return stand;
}

static void stand_free(struct stand *stand)
{
	bench_free(stand->bench);
	free(stand);
}

static const uint8_t *image_of(const struct stand *stand)
{
	return stand->bench->image.segments[0].data;
}

static bool holds_image(const struct stand *stand)
{
	return memcmp(stand->toy.flash, image_of(stand), IMAGE_BYTES) == 0;
}

static void it_is_flashed_and_found_current(void **state)
{
	struct stand *stand = stand_new(RULE);
	struct toy *toy = &stand->toy;

	(void)state;
	assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(holds_image(stand));
	assert_int_equal(stand->bench->report.proof, PROOF_DIGEST);
	assert_string_equal(stand->bench->report.chip, "toy");
	assert_string_equal(stand->bench->report.unit, "746f79");
	assert_int_equal(stand->bench->report.bytes, IMAGE_BYTES);
	/* The first page twice: to make the flash unstartable, and to be written, last. */
	assert_int_equal(toy->n_erased, 1 + 6);
	assert_int_equal(toy->n_longest, 1024);
	assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_CURRENT);
	assert_int_equal(stand->bench->report.proof, PROOF_DIGEST);
	assert_int_equal(bench_run(stand->bench, FLASH_VERIFY), OUTCOME_CURRENT);
	assert_int_equal(toy->n_erased, 1 + 6);
	stand_free(stand);
}

/* The digest of everything differs; halving it finds the four bytes that the chip can tell apart.
 */
static void a_difference_is_named_by_its_address(void **state)
{
	static const uint32_t offsets[] = {0, 1, TOY_PAGE - 1, 3 * TOY_PAGE + 77, IMAGE_BYTES - 1};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		struct stand *stand = stand_new(RULE);

		memcpy(stand->toy.flash, image_of(stand), IMAGE_BYTES);
		stand->toy.flash[offsets[i]] ^= 0x10;
		assert_int_equal(bench_run(stand->bench, FLASH_VERIFY), OUTCOME_VERIFY_DIFFERS);
		assert_true(stand->bench->report.has_address);
		assert_int_equal(stand->bench->report.address, TOY_BASE + offsets[i] / 4 * 4);
		assert_in_range(stand->toy.n_digests, 2, 64);
		assert_int_equal(stand->toy.n_erased, 0);
		assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_UPDATED);
		assert_true(holds_image(stand));
		stand_free(stand);
	}
}

/* The page it begins with is announced as far as the image goes. */
static void an_image_of_less_than_a_page_is_one_block(void **state)
{
	struct stand *stand = stand_new(RULE);

	(void)state;
	take_image(stand, TOY_MARK, 1, SMALL_BYTES);
	assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_memory_equal(stand->toy.flash, image_of(stand), SMALL_BYTES);
	assert_int_equal(stand->toy.n_writes, 1);
	assert_int_equal(stand->toy.n_longest, SMALL_BYTES);
	stand_free(stand);
}

/* ------------------------------------------------------------------ a family that looks first */

/* The byte at the end of the flash names the page that the image belongs to; its mark is there. */
#define LABEL_AT (TOY_BASE + TOY_BYTES - 1)

static unsigned n_fits;

static int read_toy(struct loader *loader, uint32_t address, uint8_t *to, size_t n_to)
{
	memcpy(to, ((struct toy_loader *)loader)->toy->flash + (address - TOY_BASE), n_to);
	return LOADER_OK;
}

static int read_nothing(struct loader *loader, uint32_t address, uint8_t *to, size_t n_to)
{
	(void)loader;
	(void)address;
	(void)to;
	(void)n_to;
	return LOADER_NO_ANSWER;
}

static int fit_by_label(const struct board *board, const struct chip *chip,
	const struct family_flash *flash, struct image *image, struct reason *reason)
{
	uint8_t label = 0;
	int r = flash->read(flash->userdata, LABEL_AT, &label, 1);

	(void)board;
	(void)chip;
	n_fits++;
	assert_int_equal(flash->flash_bytes, TOY_BYTES);
	if (r != 0)
		return r;
	if (label == 0xFF)
		return reason_refuse(FAMILY_FIT_IMAGE, reason, "the flash has no label");
	if (label == 0xFE)
		return reason_refuse(FAMILY_FIT_RULE, reason, "the rule wants another label");
	image->segments[0].address = TOY_BASE + label * TOY_PAGE;
	return IMAGE_OK;
}

static struct stand *stand_of_labels(struct family *family, uint8_t label)
{
	struct stand *stand = stand_new(RULE);

	*family = *stand->bench->own_chips.items[0].family;
	family->fit = fit_by_label;
	stand->bench->own_chips.items[0].family = family;
	stand->toy.slow.read = read_toy;
	stand->toy.flash[TOY_BYTES - 1] = label;
	n_fits = 0;
	return stand;
}

static void the_family_moves_the_image_by_what_the_flash_says(void **state)
{
	struct family family;
	struct stand *stand = stand_of_labels(&family, 5);
	const uint8_t *there = stand->toy.flash + 5 * TOY_PAGE;

	(void)state;
	assert_int_equal(bench_run(stand->bench, FLASH_PROBE), OUTCOME_CURRENT);
	assert_int_equal(n_fits, 0);
	assert_int_equal(bench_run(stand->bench, FLASH_VERIFY), OUTCOME_VERIFY_DIFFERS);
	assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_memory_equal(there, image_of(stand), IMAGE_BYTES);
	assert_int_equal(stand->toy.flash[0], 0xFF);
	assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_CURRENT);
	assert_int_equal(n_fits, 3);
	stand_free(stand);
}

static void a_refusal_by_what_the_flash_says_touches_nothing(void **state)
{
	static const struct {
		uint8_t label;
		bool is_unreadable;
		enum outcome outcome;
		const char *said;
	} rows_of_labels[] = {
		{0xFF, false, OUTCOME_BAD_IMAGE, "the flash has no label"},
		{0xFE, false, OUTCOME_BAD_CONFIG, "the rule wants another label"},
		/* Five pages are left from there on, and the image has six. */
		{11, false, OUTCOME_BAD_IMAGE, "outside the flash"},
		{5, true, OUTCOME_FAILED, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows_of_labels); i++) {
		struct family family;
		struct stand *stand = stand_of_labels(&family, rows_of_labels[i].label);

		if (rows_of_labels[i].is_unreadable)
			stand->toy.slow.read = read_nothing;
		assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), rows_of_labels[i].outcome);
		assert_non_null(strstr(stand->bench->report.reason.text, rows_of_labels[i].said));
		assert_int_equal(stand->toy.n_erased, 0);
		assert_false(stand->bench->report.has_erased);
		stand_free(stand);
	}
}

static void an_image_that_the_family_refuses_is_not_written(void **state)
{
	struct stand *stand = stand_new(RULE);

	(void)state;
	take_image(stand, 0x00, 1, IMAGE_BYTES);
	assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_BAD_IMAGE);
	assert_non_null(strstr(stand->bench->report.reason.text, "begins with 0x00"));
	assert_int_equal(stand->toy.n_erased, 0);
	stand_free(stand);
}

static uint32_t start_of(const struct stand *stand)
{
	return stand->bench->own_chips.items[0].own ? IMAGE_BYTES - 1 : 0;
}

/* The old image or the new one. */
static bool starts(const struct stand *stand)
{
	return stand->toy.flash[start_of(stand)] != 0xFF;
}

static bool rest_is_whole(const struct stand *stand)
{
	for (uint32_t i = 0; i < IMAGE_BYTES; i++)
		if (i / TOY_PAGE != start_of(stand) / TOY_PAGE &&
			stand->toy.flash[i] != image_of(stand)[i])
			return false;
	return true;
}

/* Unplugged with the n-th block; false where there are not so many. */
static bool is_torn_and_finished(unsigned n, bool by_last_byte)
{
	struct stand *stand = stand_new(RULE);
	bool is_torn;

	if (by_last_byte)
		stand->bench->own_chips.items[0].own = calloc(1, 1);
	take_image(stand, TOY_MARK, 2, IMAGE_BYTES);
	memcpy(stand->toy.flash, image_of(stand), IMAGE_BYTES);
	take_image(stand, TOY_MARK, 1, IMAGE_BYTES);
	assert_int_not_equal(image_of(stand)[start_of(stand)], 0xFF);
	stand->toy.unplug_at_write = n;
	bench_run(stand->bench, FLASH_UPDATE);
	is_torn = stand->bench->report.outcome == OUTCOME_PORT_GONE;
	if (is_torn && starts(stand))
		assert_true(rest_is_whole(stand));
	if (!is_torn)
		assert_int_equal(stand->bench->report.outcome, OUTCOME_UPDATED);
	stand->toy.unplug_at_write = 0;
	assert_int_equal(
		bench_run(stand->bench, FLASH_UPDATE), is_torn ? OUTCOME_UPDATED : OUTCOME_CURRENT);
	assert_true(holds_image(stand));
	stand_free(stand);
	return is_torn;
}

/* Wherever the page lies that it starts by, that page comes last, after all else was found equal.
 */
static void torn_at_each_block_it_is_finished(void **state)
{
	(void)state;
	for (int by_last_byte = 0; by_last_byte <= 1; by_last_byte++) {
		unsigned n_torn = 0;

		while (is_torn_and_finished(n_torn + 1, by_last_byte))
			n_torn++;
		assert_int_equal(n_torn, (IMAGE_BYTES + 1023) / 1024);
	}
}

/* A cell in the page to start by, and one elsewhere: in both cases nothing is left to start. */
static void flash_that_does_not_take_the_image_starts_nothing(void **state)
{
	static const uint32_t offsets[] = {1, 2 * TOY_PAGE};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		struct stand *stand = stand_new(RULE);

		stand->toy.stuck = TOY_BASE + offsets[i];
		assert_int_not_equal(image_of(stand)[offsets[i]], 0x00);
		assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_VERIFY_DIFFERS);
		assert_int_equal(stand->bench->report.address, TOY_BASE + offsets[i] / 4 * 4);
		assert_false(starts(stand));
		stand_free(stand);
	}
}

static void one_bent_digest_changes_nothing(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 3; n++) {
		struct stand *stand = stand_new(RULE);

		memcpy(stand->toy.flash, image_of(stand), IMAGE_BYTES);
		stand->toy.bend_digest = n;
		assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_CURRENT);
		assert_int_equal(stand->toy.n_erased, 0);
		stand_free(stand);
	}
}

/* Nobody can see the flash itself. */
static void without_read_the_flash_cannot_be_read(void **state)
{
	struct stand *stand = stand_new(RULE);

	(void)state;
	assert_int_equal(bench_run(stand->bench, FLASH_READ), OUTCOME_FAILED);
	assert_null(stand->bench->read);
	assert_int_equal(stand->bench->report.entries, 1);
	stand_free(stand);
}

/* Met at its own rate, brought to the rule's; one that does not work costs a reset each. */
static void the_rate_is_raised_and_the_ladder_goes_down(void **state)
{
	static const struct {
		uint32_t max_baud, baud, resets;
	} rows[] = {{0, 921600, 1}, {500000, 460800, 3}, {115200, 115200, 5}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct stand *stand = stand_new(RULE "retries = 0\n");

		stand->toy.max_baud = rows[i].max_baud;
		assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_UPDATED);
		assert_int_equal(stand->bench->report.baud, rows[i].baud);
		assert_int_equal(stand->bench->report.entries, rows[i].resets);
		stand_free(stand);
	}
}

static void a_faster_loader_takes_its_place(void **state)
{
	struct stand *stand = stand_new(RULE);

	(void)state;
	stand->toy.promotion = 0;
	assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(holds_image(stand));
	assert_int_equal(stand->toy.n_promotions, 1);
	/* A block may be as large as the header says, and the last one was waited for. */
	assert_int_equal(stand->toy.n_longest, LOADER_BLOCK_MAX);
	assert_int_equal(stand->toy.n_pending, 0);
	stand_free(stand);
}

/* What promote() may come to, and how many entries that costs. */
static void where_it_does_not_the_first_one_goes_on(void **state)
{
	static const struct {
		int promotion;
		uint32_t resets;
	} rows[] = {{LOADER_UNSUPPORTED, 1}, {LOADER_REFUSED, 1}, {LOADER_NO_ANSWER, 2},
		{LOADER_GARBLED, 2}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct stand *stand = stand_new(RULE);

		stand->toy.promotion = rows[i].promotion;
		assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_UPDATED);
		assert_true(holds_image(stand));
		assert_int_equal(stand->toy.n_longest, 1024);
		assert_int_equal(stand->bench->report.entries, rows[i].resets);
		assert_int_equal(stand->toy.n_promotions, 1);
		stand_free(stand);
	}
}

/*
 * A faster loader that had a part in a failure is given up: the first one does the job anew, which
 * counts as no retry. Then both have failed, and the rule's one retry follows.
 */
static void one_that_fails_is_given_up_for_the_job(void **state)
{
	static const struct {
		int promotion;
		enum trial trial;
		const char *said;
	} rows[] = {{0, TRIAL_FAILED, "given up behind the erase: the chip's digest of "},
		{LOADER_NO_ANSWER, TRIAL_NONE, "not used: it does not answer"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct stand *stand = stand_new(RULE);

		stand->toy.promotion = rows[i].promotion;
		stand->toy.stuck = TOY_BASE + 1;
		assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_VERIFY_DIFFERS);
		assert_int_equal(stand->toy.n_promotions, 1);
		assert_int_equal(stand->bench->report.entries, 3);
		assert_int_equal(stand->bench->report.stub_trial, rows[i].trial);
		assert_memory_equal(stand->bench->report.stub, rows[i].said, strlen(rows[i].said));
		stand_free(stand);
	}
}

static void count_question(
	void *userdata, enum question question, const struct report *so_far, struct answer *ret)
{
	(void)so_far;
	(void)ret;
	*(unsigned *)userdata += question != QUESTION_OPEN;
}

/* Before anything is asked of the service, and whatever the job: the unit is as it was. */
static void a_chip_that_is_refused_is_not_touched(void **state)
{
	static const struct {
		enum flash_action action;
		bool dry_run;
	} jobs[] = {{FLASH_UPDATE, false}, {FLASH_UPDATE, true}, {FLASH_VERIFY, false},
		{FLASH_READ, false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++) {
		struct stand *stand = stand_new(RULE "retries = 0\n");
		struct report *report = &stand->bench->report;
		unsigned n_questions = 0;

		stand->bench->ask = count_question;
		stand->bench->userdata = &n_questions;
		stand->toy.identity.refusal_outcome = OUTCOME_PROTECTED;
		strcpy(stand->toy.identity.refusal, "its maker sealed it");
		stand->bench->dry_run = jobs[i].dry_run;
		assert_int_equal(bench_run(stand->bench, jobs[i].action), OUTCOME_PROTECTED);
		assert_string_equal(
			report->reason.text, "its maker sealed it; nothing of it was erased");
		assert_int_equal(stand->toy.n_erased + stand->toy.n_digests, 0);
		assert_int_equal(n_questions, 0);
		/* Nor is its line brought to another rate. */
		assert_int_equal(report->baud, 115200);
		assert_string_equal(report->unit, "746f79");
		assert_string_equal(report->refusal, "");
		assert_int_equal(bench_run(stand->bench, FLASH_PROBE), OUTCOME_CURRENT);
		assert_string_equal(report->reason.text, "");
		assert_string_equal(report->refusal, "its maker sealed it");
		stand_free(stand);
	}
}

/* A failure may pass, as that of a contact: it is tried again, as often as the rule says. */
static void a_refusal_that_is_a_failure_is_tried_again(void **state)
{
	struct stand *stand = stand_new(RULE);

	(void)state;
	stand->toy.identity.refusal_outcome = OUTCOME_FAILED;
	strcpy(stand->toy.identity.refusal, "its flash is silent");
	assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_FAILED);
	assert_int_equal(stand->bench->report.entries, 2);
	assert_int_equal(stand->toy.n_erased, 0);
	stand_free(stand);
}

/* The tables of the loader have a digest, and this chip has none. */
static void a_chip_that_proves_nothing_is_taken_at_its_word_alone(void **state)
{
	static const struct {
		enum flash_action action;
		enum proof verify;
		enum outcome outcome;
		const char *reason;
	} rows[] = {
		{FLASH_UPDATE, PROOF_DIGEST, OUTCOME_VERIFY_IMPOSSIBLE, "accept-unverified"},
		{FLASH_VERIFY, PROOF_LOADER, OUTCOME_VERIFY_IMPOSSIBLE, "compared"},
		{FLASH_READ, PROOF_LOADER, OUTCOME_FAILED, "read"},
		{FLASH_UPDATE, PROOF_LOADER, OUTCOME_UPDATED, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct stand *stand = stand_new(RULE);
		bool is_good = rows[i].outcome == OUTCOME_UPDATED;

		stand->toy.identity.proves_nothing = true;
		stand->bench->board.verify = rows[i].verify;
		assert_int_equal(bench_run(stand->bench, rows[i].action), rows[i].outcome);
		assert_non_null(strstr(stand->bench->report.reason.text, rows[i].reason));
		assert_int_equal(stand->bench->report.entries, 1);
		assert_int_equal(stand->toy.n_digests, 0);
		assert_int_equal(stand->toy.n_erased > 0, is_good);
		assert_int_equal(stand->bench->report.proof, is_good ? PROOF_LOADER : PROOF_NONE);
		assert_int_equal(holds_image(stand), is_good);
		assert_int_equal(bench_run(stand->bench, FLASH_PROBE), OUTCOME_CURRENT);
		assert_int_equal(strstr(stand->bench->report.refusal, "accept-unverified") != NULL,
			rows[i].verify > PROOF_LOADER);
		stand_free(stand);
	}
}

/* Nobody can say that it is current: it is written each time. */
static void what_proves_nothing_is_never_current(void **state)
{
	struct stand *stand = stand_new(RULE);

	(void)state;
	stand->toy.identity.proves_nothing = true;
	stand->bench->board.verify = PROOF_LOADER;
	memcpy(stand->toy.flash, image_of(stand), IMAGE_BYTES);
	stand->bench->dry_run = true;
	assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_int_equal(stand->toy.n_erased, 0);
	stand->bench->dry_run = false;
	assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_int_equal(stand->toy.n_erased, 1 + 6);
	stand_free(stand);
}

static void what_the_chip_says_of_itself_is_reported(void **state)
{
	static const struct {
		struct chip_identity identity;
		const char *revision, *security;
	} rows[] = {
		{{.flash_bytes = 0}, "", ""},
		{{.has_revision = true, .revision = 0, .has_security = true}, "0.0", "none"},
		{{.has_revision = true,
			 .revision = 301,
			 .has_security = true,
			 .security = IDENTITY_SECURE_BOOT},
			"3.1", "secure-boot"},
		{{.has_security = true,
			 .security = IDENTITY_SECURE_DOWNLOAD | IDENTITY_SECURE_BOOT |
				     IDENTITY_ENCRYPTED},
			"", "secure-download secure-boot flash-encryption"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct stand *stand = stand_new(RULE);

		stand->toy.identity = rows[i].identity;
		strcpy(stand->toy.identity.details, "magic 0x7");
		assert_int_equal(bench_run(stand->bench, FLASH_PROBE), OUTCOME_CURRENT);
		assert_string_equal(stand->bench->report.revision, rows[i].revision);
		assert_string_equal(stand->bench->report.security, rows[i].security);
		assert_string_equal(stand->bench->report.details, "magic 0x7");
		stand_free(stand);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(it_is_flashed_and_found_current),
	cmocka_unit_test(a_difference_is_named_by_its_address),
	cmocka_unit_test(an_image_of_less_than_a_page_is_one_block),
	cmocka_unit_test(an_image_that_the_family_refuses_is_not_written),
	cmocka_unit_test(the_family_moves_the_image_by_what_the_flash_says),
	cmocka_unit_test(a_refusal_by_what_the_flash_says_touches_nothing),
	cmocka_unit_test(torn_at_each_block_it_is_finished),
	cmocka_unit_test(flash_that_does_not_take_the_image_starts_nothing),
	cmocka_unit_test(one_bent_digest_changes_nothing),
	cmocka_unit_test(without_read_the_flash_cannot_be_read),
	cmocka_unit_test(the_rate_is_raised_and_the_ladder_goes_down),
	cmocka_unit_test(a_faster_loader_takes_its_place),
	cmocka_unit_test(where_it_does_not_the_first_one_goes_on),
	cmocka_unit_test(one_that_fails_is_given_up_for_the_job),
	cmocka_unit_test(a_chip_that_is_refused_is_not_touched),
	cmocka_unit_test(a_refusal_that_is_a_failure_is_tried_again),
	cmocka_unit_test(a_chip_that_proves_nothing_is_taken_at_its_word_alone),
	cmocka_unit_test(what_proves_nothing_is_never_current),
	cmocka_unit_test(what_the_chip_says_of_itself_is_reported),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
