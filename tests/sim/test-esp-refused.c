/* SPDX-License-Identifier: MIT */
/*
 * test-esp-refused.c - whole jobs at boards that are not to be written: by their fuses, by their
 * flash, and an ESP8266 without leave. Nothing of them is erased, and they start what they hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/esp-bench.h"
#include "unit/rows.h"

#define MIB	   (1024 * 1024)
#define APP_SIZE   (40 * 1024)

#define BEGIN	   0x02
#define DEFL_BEGIN 0x10

/* How often a command was sent, whatever became of it. */
static unsigned count_sent(uint8_t opcode)
{
	const struct port_sim_record *record = port_sim_record(BENCH_PORT);
	unsigned n = 0;

	for (size_t i = 0; i + 2 < record->n_sent; i++)
		n += record->sent[i].byte == 0xC0 && record->sent[i + 1].byte == 0x00 &&
		     record->sent[i + 2].byte == opcode;
	return n;
}

static const struct job_case {
	enum flash_action action;
	bool dry_run;
} jobs[] = {{FLASH_UPDATE, false}, {FLASH_UPDATE, true}, {FLASH_VERIFY, false}};

/* Its old application is in the flash, and runs once the job has left it alone. */
static struct bench *bench_with_old(const char *chip, const struct sim_esp *esp,
	const struct sim_faults *faults, const char *rule)
{
	struct bench *bench = esp_bench_new(chip, esp, faults, rule);

	esp_take_build(bench, chip, "1.0.0", APP_SIZE);
	for (size_t i = 0; i < bench->image.n_segments; i++)
		memcpy(sim_flash(bench->sim) + bench->image.segments[i].address,
			bench->image.segments[i].data, bench->image.segments[i].size);
	esp_take_build(bench, chip, "2.0.0", APP_SIZE);
	return bench;
}

static void assert_untouched(const struct bench *bench)
{
	assert_int_equal(count_sent(BEGIN), 0);
	assert_int_equal(count_sent(DEFL_BEGIN), 0);
	assert_int_equal(sim_counters(bench->sim)->pages_erased, 0);
	assert_int_equal(sim_counters(bench->sim)->blocks_written, 0);
	assert_false(bench->report.has_erased);
	assert_int_equal(bench->report.proof, PROOF_NONE);
}

static void assert_says(const struct bench *bench, const char *part)
{
	if (!strstr(bench->report.reason.text, part))
		fail_msg("'%s' is not in: %s", part, bench->report.reason.text);
}

/* ------------------------------------------------------------------ 11: the fuses */

static const struct fuse_case {
	const char *name, *chip;
	bool by_fuses; /* the ROM's info is of no use */
	struct sim_esp esp;
	const char *security, *reason;
} fuse_cases[] = {
	{"check 11: ESP32, flash encryption", "esp32", false, {.crypt_count = 1},
		"flash-encryption", "switch on flash encryption for good"},
	{"check 11: ESP32, secure boot v1", "esp32", false, {.secure_boot = 1}, "secure-boot",
		"switch on secure boot for good"},
	{"check 11: ESP32, secure boot v2", "esp32", false, {.secure_boot = 2, .revision = 300},
		"secure-boot", "switch on secure boot for good"},
	/* Of a revision that nobody knows the bit may count. */
	{"check 11: ESP32, secure boot v2 of an odd revision", "esp32", false,
		{.secure_boot = 2, .odd_major = 5}, "secure-boot",
		"switch on secure boot for good"},
	{"check 11: ESP32-S2, secure download mode", "esp32s2", false, {.secure_download = true},
		"secure-download", "switch on secure download mode for good"},
	{"check 11: ESP32-S2, secure download mode by its registers", "esp32s2", true,
		{.secure_download = true}, "secure-download",
		"switch on secure download mode for good"},
	{"check 11: ESP32-C3, secure download mode", "esp32c3", false, {.secure_download = true},
		"secure-download", "switch on secure download mode for good"},
	{"check 11: ESP32-C3, secure boot by flags and fuses", "esp32c3", false, {.secure_boot = 2},
		"secure-boot", "switch on secure boot for good"},
	{"check 11: ESP32-C3, secure boot by fuses", "esp32c3", true, {.secure_boot = 2},
		"secure-boot", "switch on secure boot for good"},
	{"check 11: ESP32-C3, flash encryption by flags and fuses", "esp32c3", false,
		{.crypt_count = 7}, "flash-encryption", "switch on flash encryption for good"},
	{"check 11: ESP32-C3, flash encryption by fuses", "esp32c3", true, {.crypt_count = 7},
		"flash-encryption", "switch on flash encryption for good"},
	{"check 11: ESP32-S3, all three", "esp32s3", false,
		{.secure_download = true, .secure_boot = 2, .crypt_count = 1},
		"secure-download secure-boot flash-encryption",
		"switch on secure download mode, flash encryption and secure boot for good"},
};

/* Each of the jobs, and nothing in them is about read-out protection, which an ESP does not have.
 */
static void check_11_fuses_are_refused_by_name(void **state)
{
	const struct fuse_case *row = *state;
	const struct sim_faults no_info = {
		.esp = {.fail_code = 0x14, .fail_nth = UINT32_MAX, .fail_error = 5}};

	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++) {
		struct bench *bench =
			bench_with_old(row->chip, &row->esp, row->by_fuses ? &no_info : NULL, "");

		bench->dry_run = jobs[i].dry_run;
		assert_int_equal(bench_run(bench, jobs[i].action), OUTCOME_PROTECTED);
		assert_untouched(bench);
		assert_says(bench, row->reason);
		assert_says(bench, "nothing of it was erased");
		assert_null(strstr(bench->report.reason.text, "readout-protection"));
		assert_string_equal(bench->report.security, row->security);
		assert_int_equal(bench->report.entries, 1);
		assert_true(bench->report.is_protected);
		bench_free(bench);
	}
}

/* It tells all of it, and is well. */
static void check_11_a_probe_tells_the_fuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fuse_cases); i++) {
		const struct fuse_case *row = &fuse_cases[i];
		struct bench *bench = bench_with_old(row->chip, &row->esp, NULL, "");

		assert_int_equal(bench_run(bench, FLASH_PROBE), OUTCOME_CURRENT);
		assert_untouched(bench);
		assert_string_equal(bench->report.security, row->security);
		assert_non_null(strstr(bench->report.refusal, row->reason));
		bench_free(bench);
	}
}

/* ------------------------------------------------------------------ 12: the flash */

static void check_12_a_flash_that_says_nothing_is_refused(void **state)
{
	static const struct {
		uint32_t id;
		const char *reason;
	} rows[] = {
		{0x000000, "does not answer (its id reads 0x000000)"},
		{0xFFFFFF, "does not answer (its id reads 0xffffff)"},
		{0xFFFF3F, "does not answer"},
		{0x004242, "names no size"},
		{0x1040EF, "names no size"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t k = 0; k < ARRAY_SIZE(jobs); k++) {
			const struct sim_faults faults = {
				.esp = {.rdid = SIM_ESP_RDID(rows[i].id)}};
			struct bench *bench = bench_with_old("esp32", NULL, &faults, "");

			bench->dry_run = jobs[k].dry_run;
			assert_int_equal(bench_run(bench, jobs[k].action), OUTCOME_FAILED);
			assert_untouched(bench);
			assert_says(bench, rows[i].reason);
			assert_string_equal(bench->report.security, "none");
			bench_free(bench);
		}
}

/*
 * Beyond what the flash has, and beyond what the ROM reaches of one that has more. A partition
 * table that wants more is refused with the image that lies well within.
 */
static void check_12_an_image_beyond_the_flash_is_refused(void **state)
{
	static const struct {
		uint32_t id, address;
		const char *reason;
	} rows[] = {
		{0x1540EF, 2 * MIB - 0x10000, "the flash of this ESP32 ends at 0x1fffff"},
		{0x1540EF, 2 * MIB - 0x8000, "outside the flash of 2097152 bytes"},
		{0x1540EF, 2 * MIB, "outside the flash of 2097152 bytes"},
		{0x1840EF, 16 * MIB - 0x8000, "outside the flash of 16777216 bytes"},
		{0x1940EF, 16 * MIB - 0x8000, "outside the flash of 16777216 bytes"},
		{0x1940EF, 16 * MIB, "outside the flash of 16777216 bytes"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sim_faults faults = {.esp = {.rdid = SIM_ESP_RDID(rows[i].id)}};
		const struct sim_esp esp = {.flash_bytes = 16 * MIB};
		struct bench *bench = bench_with_old("esp32", &esp, &faults, "");
		struct image *image = &bench->image;

		image->segments[image->n_segments - 1].address = rows[i].address;
		image->parts[image->n_parts - 1].address = rows[i].address;
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_BAD_IMAGE);
		assert_untouched(bench);
		assert_says(bench, rows[i].reason);
		bench_free(bench);
	}
}

/* The same image fits where the flash is as large as it wants. */
static void check_12_what_fits_is_written(void **state)
{
	static const struct sim_faults faults = {.esp = {.rdid = SIM_ESP_RDID(0x1640EF)}};
	struct bench *bench = bench_with_old("esp32", NULL, &faults, "");

	(void)state;
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(bench_holds_image(bench));
	assert_int_equal(bench->report.flash_bytes, 4 * MIB);
	bench_free(bench);
}

/* ------------------------------------------------------------------ the ESP8266 */

static void an_esp8266_is_named_and_refused_with_the_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++) {
		struct bench *bench = esp_bench_new("esp8266", NULL, NULL, "");

		esp_take_app(bench, "esp8266", "1.0.0", APP_SIZE);
		bench->dry_run = jobs[i].dry_run;
		assert_int_equal(bench_run(bench, jobs[i].action), OUTCOME_VERIFY_IMPOSSIBLE);
		assert_untouched(bench);
		assert_says(bench, "ESP8266");
		assert_string_equal(bench->report.chip, "ESP8266");
		assert_int_equal(bench->report.entries, 1);
		bench_free(bench);
	}
}

/*
 * By the loader's word, each time: nobody can say that it is current. Its rate cannot be raised,
 * and its neighbours stay, though its ROM erases more than it is told.
 */
static void an_esp8266_is_written_where_its_word_is_enough(void **state)
{
	struct bench *bench = esp_bench_new("esp8266", NULL, NULL, "accept-unverified = yes");
	uint32_t end;

	(void)state;
	esp_take_app(bench, "esp8266", "1.0.0", APP_SIZE);
	bench->image.segments[0].address = 0;
	end = (bench->image.segments[0].size + 0x1FFF) / 0x2000 * 0x2000;
	memset(sim_flash(bench->sim), 0x55, sim_flash_size(bench->sim));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
		assert_int_equal(bench->report.proof, PROOF_LOADER);
		assert_int_equal(bench->report.baud, 115200);
		assert_int_equal(bench->report.flash_bytes, 4 * MIB);
		assert_true(bench_holds_image(bench));
		for (uint32_t at = end; at < sim_flash_size(bench->sim); at++)
			assert_int_equal(sim_flash(bench->sim)[at], 0x55);
	}
	assert_int_equal(bench_run(bench, FLASH_VERIFY), OUTCOME_VERIFY_IMPOSSIBLE);
	bench_free(bench);
}

int main(void)
{
	static struct CMUnitTest tests[ARRAY_SIZE(fuse_cases) + 8];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, fuse_cases, check_11_fuses_are_refused_by_name);
	ADD_TEST(tests, n_tests, check_11_a_probe_tells_the_fuses);
	ADD_TEST(tests, n_tests, check_12_a_flash_that_says_nothing_is_refused);
	ADD_TEST(tests, n_tests, check_12_an_image_beyond_the_flash_is_refused);
	ADD_TEST(tests, n_tests, check_12_what_fits_is_written);
	ADD_TEST(tests, n_tests, an_esp8266_is_named_and_refused_with_the_reason);
	ADD_TEST(tests, n_tests, an_esp8266_is_written_where_its_word_is_enough);
	return RUN_TESTS("esp-refused", tests, n_tests);
}
