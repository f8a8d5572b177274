/* SPDX-License-Identifier: MIT */
/*
 * test-cc13xx-own.c - what a stick with a chip of TI says of itself before its erase: which of it
 * goes into the image, and what is not believed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/ti-stand.h"

/* The end of its flash, of which nobody reads more. */
struct end {
	uint8_t bytes[96];
	uint32_t address; /* behind the last */
};

static int read_end(void *userdata, uint32_t address, uint8_t *to, size_t n)
{
	const struct end *end = userdata;

	assert_true(address + n <= end->address && end->address - address <= sizeof(end->bytes));
	memcpy(to, end->bytes + sizeof(end->bytes) - (end->address - address), n);
	return 0;
}

static int fit(
	struct stand *stand, struct end *end, uint32_t flash_bytes, struct family_notes *ret_notes)
{
	const struct chip *chip = chip_of(stand);
	const struct family_flash flash = {
		.read = read_end, .userdata = end, .flash_bytes = flash_bytes, .notes = ret_notes};

	end->address = chip->flash.start + flash_bytes;
	*ret_notes = (struct family_notes){0};
	stand->reason.text[0] = '\0';
	return chip->family->fit(&stand->board, chip, &flash, &stand->image, &stand->reason);
}

/* As the image is: it starts something. */
static struct end end_like(struct stand *stand)
{
	const struct ti_make_chip *made = stand->made.chip;
	struct end end;

	memcpy(end.bytes, ti_make_at(&stand->made, made->base + made->size - 96, 96), 96);
	return end;
}

static void a_part_with_another_flash_is_refused_by_what_it_says(void **state)
{
	static const struct {
		uint32_t kib, image_kib;
		const char *word, *says;
	} parts[] = {
		{512, 512, "cc2538", NULL},
		{256, 256, "cc2538", NULL},
		{256, 256, "cc2538sf23", NULL},
		{256, 512, "cc2538", "it ends at 0x280000, and the flash of this chip at 0x240000"},
		{512, 256, "cc2538", "it ends at 0x240000, and the flash of this chip at 0x280000"},
		{512, 256, "cc2538sf23",
			"the chip has 524288 bytes of flash, and the CC2538 that the rule names has 262144"},
		{256, 512, "cc2538sf53", "the chip has 262144 bytes of flash"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		struct stand *stand = stand_38(parts[i].image_kib * 1024, parts[i].word);
		struct family_notes notes;
		struct end end;

		memset(&end, 0xFF, sizeof(end));
		assert_int_equal(check(stand, true), 0);
		assert_int_equal(fit(stand, &end, parts[i].kib * 1024, &notes),
			parts[i].says ? FAMILY_FIT_IMAGE : FAMILY_FIT_OK);
		if (parts[i].says)
			expect_says(stand, parts[i].says);
		/* Behind the answer of the chip there is one size alone. */
		if (parts[i].kib != 512 && !parts[i].says)
			assert_int_equal(image_check_chip(&stand->board, chip_of(stand), 128 * 1024,
						 &stand->image, &stand->reason),
				OUTCOME_BAD_IMAGE);
		stand_free(stand);
	}
}

static void what_a_record_says_that_starts_nothing_is_not_believed(void **state)
{
	static const uint8_t ieee[8] = {8, 7, 6, 5, 4, 3, 2, 1};
	static const char *const words[] = {"cc2652p", "cc1310", "cc2538"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct stand *stand = stand_new(words[i], "20240710");
		const struct ti_make_chip *made = stand->made.chip;
		uint32_t at = ti_make_ieee(made),
			 valid = made->base ? TI_CCA_IMAGE_VALID : TI_CCFG_IMAGE_VALID;
		struct end end = end_like(stand);
		uint8_t *own = end.bytes + 96 - (made->base + made->size - at), had[8];
		struct family_notes notes;

		assert_int_equal(check(stand, true), 0);
		memcpy(own, ieee, 8);
		memset(end.bytes + 96 - ti_make_ccfg_size(made) + valid, 0xFF, 4);
		/* Nor is its debug port what an image had left open. */
		if (!made->base)
			memset(end.bytes + 96 - 88 + TI_CCFG_TAP_DAP_0, 0xC5, 8);
		assert_int_equal(fit(stand, &end, made->size, &notes), FAMILY_FIT_OK);
		assert_string_equal(notes.kept, "");
		/* And that it may have had one is said. */
		assert_non_null(strstr(notes.remark.text, "went with an earlier erase"));
		image_copy(&stand->image, at, had, 8);
		assert_memory_equal(had, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8);
		/* One that starts something has it, and the second look ends as the first. */
		end = end_like(stand);
		memcpy(own, ieee, 8);
		for (int pass = 0; pass < 2; pass++) {
			assert_int_equal(fit(stand, &end, made->size, &notes), FAMILY_FIT_OK);
			image_copy(&stand->image, at, had, 8);
			assert_memory_equal(had, ieee, 8);
			assert_non_null(strstr(notes.remark.text, "0102030405060708 is kept"));
			assert_true(*notes.kept);
		}
		/* And the look behind the erase leaves it where it is. */
		memset(end.bytes, 0xFF, sizeof(end.bytes));
		assert_int_equal(fit(stand, &end, made->size, &notes), FAMILY_FIT_OK);
		image_copy(&stand->image, at, had, 8);
		assert_memory_equal(had, ieee, 8);
		stand_free(stand);
	}
}

static void what_was_kept_comes_back_into_a_file_as_it_is(void **state)
{
	static const uint8_t ieee[8] = {8, 7, 6, 5, 4, 3, 2, 1};
	static const char *const words[] = {"cc2652p7", "cc2538"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct stand *stand = stand_new(words[i], "20240710");
		const struct chip *chip = chip_of(stand);
		const struct ti_make_chip *made = stand->made.chip;
		struct end end = end_like(stand);
		struct family_notes notes;
		struct reason remark = {""};
		char bent[REPORT_KEPT_MAX];
		uint8_t had[8];

		memcpy(end.bytes + 96 - (made->base + made->size - ti_make_ieee(made)), ieee, 8);
		assert_int_equal(check(stand, true), 0);
		assert_int_equal(fit(stand, &end, made->size, &notes), FAMILY_FIT_OK);
		assert_int_equal(check(stand, true), 0);
		/* Digits of another chip, too few, and none. */
		snprintf(bent, sizeof(bent), "%s", notes.kept + 2);
		assert_false(
			chip->family->restore(&stand->board, chip, bent, &stand->image, &remark));
		assert_false(
			chip->family->restore(&stand->board, chip, "", &stand->image, &remark));
		snprintf(bent, sizeof(bent), "%s", notes.kept);
		bent[7] = 'g';
		assert_false(
			chip->family->restore(&stand->board, chip, bent, &stand->image, &remark));
		assert_true(chip->family->restore(
			&stand->board, chip, notes.kept, &stand->image, &remark));
		image_copy(&stand->image, ti_make_ieee(made), had, 8);
		assert_memory_equal(had, ieee, 8);
		assert_non_null(strstr(remark.text, "0102030405060708 is what it had"));
		assert_int_equal(
			image_check(&stand->board, &shipped, &stand->image, &stand->reason), 0);
		/* One that had none is known to have had none. */
		remark.text[0] = '\0';
		end = end_like(stand);
		assert_int_equal(check(stand, true), 0);
		assert_int_equal(fit(stand, &end, made->size, &notes), FAMILY_FIT_OK);
		assert_true(chip->family->restore(
			&stand->board, chip, notes.kept, &stand->image, &remark));
		assert_string_equal(remark.text, "");
		/* Where the rule gives it up it does not come back. */
		stand->board.secondary_ieee = BOARD_SECONDARY_IEEE_IMAGE;
		assert_int_equal(check(stand, true), 0);
		assert_false(chip->family->restore(
			&stand->board, chip, notes.kept, &stand->image, &remark));
		stand_free(stand);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_part_with_another_flash_is_refused_by_what_it_says),
		cmocka_unit_test(what_a_record_says_that_starts_nothing_is_not_believed),
		cmocka_unit_test(what_was_kept_comes_back_into_a_file_as_it_is),
	};

	return cmocka_run_group_tests(tests, load_shipped, drop_shipped);
}
