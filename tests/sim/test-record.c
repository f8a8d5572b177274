/* SPDX-License-Identifier: MIT */
/*
 * test-record.c - a chip that starts by a record of settings at the end of an image, which its
 * erase fills with values of its own: what the procedure does with it, whatever family and loader
 * it is of. The chip is that of toy.h with a loader that reads, and erases by pages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "bench.h"
#include "toy.h"

#define RULE	"chip = 7\nretries = 1\nretry-delay = 0\nbaud = 115200\n"

#define RECORD	24
#define TOP	(TOY_BYTES - TOY_PAGE)
#define PLACE	(TOY_BYTES - RECORD)
#define STARTS	PLACE	    /* this byte 0x00: the chip starts an application */
#define ENABLED (PLACE + 1) /* the erase puts this one to 0xC5 */

/* Of the image: the start of the flash, a run of 8 bytes behind a gap, and the record. */
#define BODY  (2 * TOY_PAGE + 100)
#define SHORT (3 * TOY_PAGE + 64)

struct stand {
	struct bench *bench;
	struct toy toy;
	char log[4000];	   /* E and page, W and offset, R and offset, D and size, B */
	uint8_t set;	   /* what an erase of the top page puts to ENABLED */
	uint8_t after_all; /* the same for the erase of everything */
	bool ignores_top;  /* an erase of the top page does nothing */
	uint32_t stubborn; /* page that is not blank after its erase; UINT32_MAX: none */
	bool spoils;	   /* the record does not take its last byte */
	int write_record;  /* result of the write of the record */
};

static struct stand *stand;

static void note(const char *what, uint32_t number)
{
	size_t n = strlen(stand->log);

	snprintf(stand->log + n, sizeof(stand->log) - n, "%s%x ", what, number);
}

/* ------------------------------------------------------------------ the family */

static struct chip_range find_start(const struct chip *chip, const struct image *image)
{
	const struct segment *last = &image->segments[image->n_segments - 1];

	(void)chip;
	return (struct chip_range){(uint32_t)(segment_end(last) - RECORD), RECORD};
}

static int fit(const struct board *board, const struct chip *chip, const struct family_flash *flash,
	struct image *image, struct reason *reason)
{
	uint8_t had[RECORD];
	int r = flash->read(flash->userdata, TOY_BASE + PLACE, had, sizeof(had));

	(void)board;
	(void)chip;
	(void)reason;
	if (r != 0 || had[0] != 0x00)
		return r;
	image_put(image, TOY_BASE + PLACE + 8, had + 8, 1);
	snprintf(flash->notes->kept, sizeof(flash->notes->kept), "%02x", had[8]);
	reason_set(&flash->notes->remark, "it had 0x%02x", had[8]);
	return FAMILY_FIT_OK;
}

static bool restore(const struct board *board, const struct chip *chip, const char *kept,
	struct image *image, struct reason *remark)
{
	(void)board;
	(void)chip;
	assert_string_equal(kept, "77");
	image_put(image, TOY_BASE + PLACE + 8, (const uint8_t[]){0x77}, 1);
	reason_set(remark, "it has 0x77 again");
	return true;
}

static int check_guard(const struct chip *chip, const struct family_flash *flash,
	const struct image *image, struct reason *reason)
{
	uint8_t now[RECORD], wanted[RECORD];
	int r = flash->read(flash->userdata, TOY_BASE + PLACE, now, sizeof(now));

	(void)chip;
	if (r != 0)
		return r;
	image_copy(image, TOY_BASE + PLACE, wanted, sizeof(wanted));
	if (now[0] == 0x00)
		return reason_refuse(FAMILY_GUARD_AS_BEFORE, reason, "it is as before");
	for (size_t i = 0; i < sizeof(now); i++)
		if ((now[i] & wanted[i]) != wanted[i])
			return reason_refuse(
				FAMILY_GUARD_UNREACHABLE, reason, "RECORD %zu is out of reach", i);
	return FAMILY_GUARD_OK;
}

static const char *name_byte(const struct chip *chip, const struct image *image, uint32_t address)
{
	(void)chip;
	(void)image;
	return address >= TOY_BASE + PLACE ? "RECORD FIELD" : NULL;
}

/* ------------------------------------------------------------------ the loader */

static int erase_pages(struct loader *loader, const struct chip_page *pages, size_t n_pages)
{
	(void)loader;
	for (size_t i = 0; i < n_pages; i++) {
		uint32_t at = pages[i].address - TOY_BASE;

		note("E", at / TOY_PAGE);
		if (at == TOP && stand->ignores_top)
			continue;
		memset(stand->toy.flash + at, 0xFF, TOY_PAGE);
		if (at == TOP)
			stand->toy.flash[ENABLED] = stand->set;
		if (at == stand->stubborn)
			stand->toy.flash[at + 200] = 0x5A;
	}
	return 0;
}

static int bank_erase(struct loader *loader)
{
	(void)loader;
	note("B", 0);
	memset(stand->toy.flash, 0xFF, TOY_BYTES);
	stand->toy.flash[ENABLED] = stand->after_all;
	return 0;
}

static int read_flash(struct loader *loader, uint32_t address, uint8_t *to, size_t n)
{
	(void)loader;
	note("R", address - TOY_BASE);
	memcpy(to, stand->toy.flash + (address - TOY_BASE), n);
	return 0;
}

static int write_flash(struct loader *loader, uint32_t address, const uint8_t *data, size_t n)
{
	uint32_t at = address - TOY_BASE;

	(void)loader;
	note("W", at);
	if (at == PLACE && stand->write_record != 0)
		return stand->write_record;
	for (size_t i = 0; i < n; i++)
		stand->toy.flash[at + i] &= data[i];
	if (at == PLACE && stand->spoils)
		stand->toy.flash[TOY_BYTES - 1] = 0x00;
	return 0;
}

/* As TI's: what is no longer than 8 bytes has none. */
static int digest(struct loader *loader, uint32_t address, uint32_t size, uint8_t *ret)
{
	note("D", size);
	assert_true(size > 8);
	/* Never of the record. */
	assert_true(address + size <= TOY_BASE + PLACE);
	return toy_ops.digest(loader, address, size, ret);
}

/* ------------------------------------------------------------------ the stand */

static struct family family;

static void take_image(uint8_t mark)
{
	struct image *image = &stand->bench->image;
	uint8_t bytes[BODY], record[RECORD];
	struct reason reason;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256 + mark);
	bytes[0] = TOY_MARK;
	memset(record, 0xF0, sizeof(record));
	record[0] = 0x00;
	record[1] = 0xC5;
	record[8] = 0xFF;
	record[9] = mark;
	image_done(image);
	assert_int_equal(image_add(image, TOY_BASE, bytes, sizeof(bytes), UINT32_MAX, &reason), 0);
	assert_int_equal(image_add(image, TOY_BASE + SHORT, bytes + 5, 8, UINT32_MAX, &reason), 0);
	assert_int_equal(
		image_add(image, TOY_BASE + PLACE, record, sizeof(record), UINT32_MAX, &reason), 0);
	image->format = "test";
}

static int set_up(void **state)
{
	struct chip *chip;

	stand = calloc(1, sizeof(*stand));
	assert_non_null(stand);
	stand->bench = bench_new("f103c8", RULE);
	toy_chips(&stand->bench->own_chips);
	stand->bench->chips = &stand->bench->own_chips;
	toy_init(&stand->toy);
	chip = &stand->bench->own_chips.items[0];
	family = *chip->family;
	family.find_start = find_start;
	family.fit = fit;
	family.restore = restore;
	family.starts_by_record = true;
	family.check_guard = check_guard;
	family.name_byte = name_byte;
	chip->family = &family;
	chip->no_mass_erase = true;
	stand->toy.slow.begin = NULL;
	stand->toy.slow.end = NULL;
	stand->toy.slow.begin_erases = false;
	stand->toy.slow.block_size = 248;
	stand->toy.slow.read = read_flash;
	stand->toy.slow.write = write_flash;
	stand->toy.slow.erase_pages = erase_pages;
	stand->toy.slow.bank_erase = bank_erase;
	stand->toy.slow.digest = digest;
	stand->toy.slow.digest_min = 9;
	stand->bench->loader = &stand->toy.slow;
	stand->bench->board.verify = PROOF_DIGEST;
	stand->set = stand->after_all = 0xC5;
	stand->stubborn = UINT32_MAX;
	/* An older image, and what belongs to the unit. */
	memset(stand->toy.flash, 0x11, TOY_BYTES);
	stand->toy.flash[STARTS] = 0x00;
	stand->toy.flash[PLACE + 8] = 0x77;
	take_image(1);
	*state = stand;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	bench_free(stand->bench);
	free(stand);
	return 0;
}

static void forget(void)
{
	stand->log[0] = '\0';
}

static bool has_unit_data(void)
{
	for (size_t i = 5 * TOY_PAGE; i < TOP; i++)
		if (stand->toy.flash[i] != 0x11)
			return false;
	return true;
}

static const char *reason(void)
{
	return stand->bench->report.reason.text;
}

/* ------------------------------------------------------------------ tests */

static void the_record_is_erased_first_and_written_last_in_one_piece(void **state)
{
	const char *first, *last;

	(void)state;
	assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_int_equal(stand->bench->report.proof, PROOF_DIGEST);
	first = strstr(stand->log, "Ef ");
	assert_non_null(first);
	assert_true(strchr(stand->log, 'E') == first);
	assert_null(strstr(first + 1, "Ef "));
	/* It is looked at before anything else is erased, and read when it was written. */
	assert_memory_equal(first, "Ef Rffe8 Rffe8 E0 E1 E2 E3 ", 26);
	last = strstr(stand->log, "Wffe8 ");
	assert_non_null(last);
	assert_null(strchr(last + 1, 'W'));
	assert_non_null(strstr(last, "Rffe8 "));
	assert_true(has_unit_data());
	assert_int_equal(stand->toy.flash[PLACE + 8], 0x77);
	assert_string_equal(stand->bench->report.kept, "77");
	assert_string_equal(stand->bench->report.remark, "it had 0x77");
	/* Found by digests and by reading alone. */
	forget();
	assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_CURRENT);
	assert_null(strpbrk(stand->log, "EWB"));
	assert_int_equal(stand->bench->report.proof, PROOF_DIGEST);
}

static void a_field_that_differs_is_named(void **state)
{
	(void)state;
	assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_UPDATED);
	stand->toy.flash[TOY_BYTES - 3] = 0x30;
	assert_int_equal(bench_run(stand->bench, FLASH_VERIFY), OUTCOME_VERIFY_DIFFERS);
	assert_string_equal(
		reason(), "RECORD FIELD at 0x0001fffd: the chip has 0x30, and the image 0xf0");
	/* A run that is too short for a digest is read. */
	stand->toy.flash[TOY_BYTES - 3] = 0xF0;
	stand->toy.flash[SHORT + 4] ^= 1;
	assert_int_equal(bench_run(stand->bench, FLASH_VERIFY), OUTCOME_VERIFY_DIFFERS);
	assert_int_equal(stand->bench->report.address, TOY_BASE + SHORT + 4);
	stand->toy.flash[SHORT + 4] ^= 1;
	/* And a difference is found in halves that have one. */
	stand->toy.flash[BODY - 1] ^= 1;
	assert_int_equal(bench_run(stand->bench, FLASH_VERIFY), OUTCOME_VERIFY_DIFFERS);
	assert_int_equal(stand->bench->report.address, TOY_BASE + BODY - 1);
}

static void a_record_that_is_not_as_it_should_be_is_erased_again(void **state)
{
	(void)state;
	stand->spoils = true;
	assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_VERIFY_DIFFERS);
	assert_string_equal(reason(),
		"RECORD FIELD at 0x0001ffff: the chip has 0x00, and the image 0xf0; the unit 746f79 was erased and is not known to hold a whole image");
	assert_int_equal(stand->toy.flash[STARTS], 0xFF);
	assert_int_equal(stand->toy.flash[ENABLED], 0xC5);
	assert_true(has_unit_data());
}

static void a_record_whose_write_fails_is_erased_again(void **state)
{
	static const int results[] = {LOADER_REFUSED, LOADER_NO_ANSWER, LOADER_GARBLED};

	for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
		stand->write_record = results[i];
		forget();
		assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_WRITE_FAILED);
		assert_non_null(strstr(strrchr(stand->log, 'W'), "Ef "));
		assert_int_equal(stand->toy.flash[STARTS], 0xFF);
		tear_down(state);
		set_up(state);
	}
}

static void what_the_erase_sets_is_looked_at_before_anything_else_goes(void **state)
{
	(void)state;
	stand->set = 0x05;
	assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_ERASE_FAILED);
	assert_non_null(strstr(reason(),
		"RECORD 1 is out of reach; nothing else was erased, and the chip stays in its boot loader at every reset: `bank-erase = loses-network` in the rule"));
	assert_null(strpbrk(stand->log, "WB"));
	assert_null(strstr(stand->log, "E0"));
	assert_int_equal(stand->toy.flash[0], 0x11);
	assert_true(has_unit_data());
}

static void an_erase_that_did_nothing_costs_nothing(void **state)
{
	(void)state;
	stand->ignores_top = true;
	assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_ERASE_FAILED);
	assert_non_null(strstr(reason(), "it is as before; nothing else was erased"));
	assert_null(strstr(stand->log, "E0"));
	assert_null(strpbrk(stand->log, "WB"));
	assert_int_equal(stand->toy.flash[STARTS], 0x00);
	assert_int_equal(stand->toy.flash[0], 0x11);
}

static void all_is_erased_where_the_rule_allows_it_and_nothing_is_to_be_kept(void **state)
{
	struct keep_range nv = {TOY_BASE + 6 * TOY_PAGE, TOY_PAGE};

	(void)state;
	stand->set = 0x05;
	stand->bench->board.bank_erase = BOARD_BANK_ERASE_LOSES_NETWORK;
	stand->bench->board.keep.items = &nv;
	stand->bench->board.keep.n_items = 1;
	assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_ERASE_FAILED);
	assert_null(strchr(stand->log, 'B'));
	assert_true(has_unit_data());
	stand->bench->board.keep.items = NULL;
	stand->bench->board.keep.n_items = 0;
	forget();
	assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_non_null(strstr(stand->log, "Ef Rffe8 Rffe8 B0 Rffe8 Rffe8 "));
	assert_true(stand->bench->report.mass_erased);
	/* Not used where it is not needed. */
	take_image(2);
	stand->set = 0xC5;
	forget();
	assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_null(strchr(stand->log, 'B'));
	assert_false(stand->bench->report.mass_erased);
	/* And where it does not help either, nothing is written. */
	take_image(3);
	stand->set = stand->after_all = 0x05;
	forget();
	assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_ERASE_FAILED);
	assert_null(strchr(stand->log, 'W'));
	assert_non_null(strstr(reason(), "all of the flash was erased, and nothing written"));
}

static void every_page_is_looked_at_for_what_its_erase_left(void **state)
{
	(void)state;
	stand->stubborn = 2 * TOY_PAGE;
	assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_ERASE_FAILED);
	assert_int_equal(stand->bench->report.address, TOY_BASE + 2 * TOY_PAGE + 200);
	assert_null(strchr(stand->log, 'W'));
	/* Also the one of the record, in front of it. */
	stand->stubborn = TOP;
	assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_ERASE_FAILED);
	assert_int_equal(stand->bench->report.address, TOY_BASE + TOP + 200);
	assert_null(strchr(stand->log, 'W'));
}

static void answer_with_kept(
	void *userdata, enum question question, const struct report *so_far, struct answer *ret)
{
	(void)userdata;
	(void)so_far;
	if (question == QUESTION_ERASE)
		strcpy(ret->kept, "77");
}

static void what_a_torn_unit_had_comes_back_with_the_answer(void **state)
{
	(void)state;
	stand->bench->ask = answer_with_kept;
	memset(stand->toy.flash + TOP, 0xFF, TOY_PAGE);
	assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_int_equal(stand->toy.flash[PLACE + 8], 0x77);
	assert_string_equal(stand->bench->report.remark, "it has 0x77 again");
	assert_string_equal(stand->bench->report.kept, "");
	/* One that still has it says so itself, and nothing is put over that. */
	take_image(2);
	stand->toy.flash[PLACE + 8] = 0x66;
	assert_int_equal(bench_run(stand->bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_int_equal(stand->toy.flash[PLACE + 8], 0x66);
	assert_string_equal(stand->bench->report.kept, "66");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_record_is_erased_first_and_written_last_in_one_piece),
		TEST(a_field_that_differs_is_named),
		TEST(a_record_that_is_not_as_it_should_be_is_erased_again),
		TEST(a_record_whose_write_fails_is_erased_again),
		TEST(what_the_erase_sets_is_looked_at_before_anything_else_goes),
		TEST(an_erase_that_did_nothing_costs_nothing),
		TEST(all_is_erased_where_the_rule_allows_it_and_nothing_is_to_be_kept),
		TEST(every_page_is_looked_at_for_what_its_erase_left),
		TEST(what_a_torn_unit_had_comes_back_with_the_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
