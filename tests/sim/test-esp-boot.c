/* SPDX-License-Identifier: MIT */
/* test-esp-boot.c - what a simulated Espressif chip starts from its flash, and what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/esp-host.h"
#include "tools/esp-make.h"

#define APP0 0x10000u
#define APP1 0x150000u

static void put(struct esphost *host, uint32_t offset, const struct esp_bytes *bytes)
{
	memcpy(sim_flash(host->sim) + offset, bytes->data, bytes->n);
}

static void fill(struct esphost *host, const char *chip, bool has_otadata)
{
	struct esp_make_project project = esp_make_project(chip, "1.0.0", 32768, has_otadata);

	memset(sim_flash(host->sim), 0xFF, sim_flash_size(host->sim));
	for (size_t i = 0; i < project.n_parts; i++)
		put(host, project.parts[i].offset, &project.parts[i].bytes);
	esp_make_project_done(&project);
}

static void put_app(struct esphost *host, const char *chip, uint32_t offset)
{
	struct esp_bytes app =
		esp_make_application(esp_make_chip(chip), "plugflash-test", "2.0.0", 32768, 5);

	put(host, offset, &app);
	esp_bytes_done(&app);
}

static void put_otadata(struct esphost *host, uint32_t first, uint32_t second)
{
	struct esp_bytes otadata = esp_make_otadata(first, second);

	put(host, 0xE000, &otadata);
	esp_bytes_done(&otadata);
}

/* From a reset into the flash on; which application runs after two seconds. */
static uint32_t start(struct esphost *host)
{
	esphost_reset(host, false, 1);
	esphost_pass(host, 2000);
	return sim_esp(host->sim)->app;
}

static bool says(const struct esphost *host, const char *text)
{
	return strstr(sim_esp(host->sim)->text, text) != NULL;
}

static bool hears(const struct esphost *host, const char *text)
{
	return memmem(host->bytes, host->n_bytes, text, strlen(text)) != NULL;
}

static void every_chip_starts_what_its_build_made(void **state)
{
	static const char *const chips[] = {
		"esp32", "esp32s2", "esp32s3", "esp32c3", "esp32c2", "esp32c6", "esp32h2"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		struct esphost host;

		esphost_begin(&host, chips[i], NULL, NULL);
		assert_int_equal(sim_state(host.sim), SIM_ROM);
		fill(&host, chips[i], i % 2);
		assert_int_equal(start(&host), APP0);
		assert_int_equal(sim_state(host.sim), SIM_APPLICATION);
		assert_true(says(&host, "(SPI_FAST_FLASH_BOOT)"));
		assert_true(says(&host, "Loaded app from partition at offset 0x10000"));
		assert_int_equal(sim_esp(host.sim)->failed_starts, 1); /* of the blank flash */
		assert_true(hears(&host, "plugflash-test 1.0.0"));
		esphost_end(&host);
	}
}

struct spoil_row {
	const char *name;
	uint32_t offset; /* of a byte that is changed */
	const char *text;
};

/* Each of them would be a start of half an image. */
static void a_byte_that_is_wrong_starts_nothing(void **state)
{
	static const struct spoil_row rows[] = {
		{"the boot loader's magic", 0x1000, "invalid header: 0x"},
		{"its count of segments", 0x1001, "invalid header: 0x"},
		{"a byte of its code", 0x3000, "csum err:0x"},
		{"the table's magic", 0x8000, "partition 0 invalid magic number"},
		{"an offset in the table", 0x8045, "calculated md5 does not match"},
		{"the table's sum", 0x80D0, "calculated md5 does not match"},
		{"the application's magic", 0x10000, "has invalid magic byte"},
		{"its chip", 0x1000C, "mismatch chip ID"},
		{"a byte of its code", 0x14000, "Checksum failed"},
	};
	struct esphost host;

	(void)state;
	esphost_begin(&host, "esp32", NULL, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fill(&host, "esp32", false);
		sim_flash(host.sim)[rows[i].offset] ^= 0x11;
		if (start(&host) != SIM_ESP_NOTHING || !says(&host, rows[i].text))
			fail_msg("%s: %s", rows[i].name, sim_esp(host.sim)->text);
		assert_true(says(&host, "rst:0x10 (RTCWDT_RTC_RESET)")); /* again and again */
		assert_in_range(sim_esp(host.sim)->failed_starts, 3 * i + 3, 8 * i + 8);
	}
	/* Two faults that the checksum does not see. */
	fill(&host, "esp32", false);
	sim_flash(host.sim)[0x14000] ^= 0x11;
	sim_flash(host.sim)[0x14001] ^= 0x11;
	assert_int_equal(start(&host), SIM_ESP_NOTHING);
	assert_true(says(&host, "Image hash failed"));
	esphost_end(&host);
}

static void a_torn_slot_gives_way_to_another(void **state)
{
	struct esphost host;

	(void)state;
	esphost_begin(&host, "esp32c3", NULL, NULL);
	fill(&host, "esp32c3", true);
	put_app(&host, "esp32c3", APP1);
	assert_int_equal(start(&host), APP0);
	put_otadata(&host, 1, 2);
	assert_int_equal(start(&host), APP1);
	put_otadata(&host, 3, 2);
	assert_int_equal(start(&host), APP0);
	memset(sim_flash(host.sim) + APP0, 0xFF, 4096);
	assert_int_equal(start(&host), APP1);
	assert_true(says(&host, "OTA app partition slot 0 is not bootable"));
	esphost_end(&host);
}

/* boot_app0.bin of Arduino: 01 00 00 00 ... 9A 98 43 47 (esp-idf#961). */
static void otadata_has_the_sum_that_is_known(void **state)
{
	struct esp_bytes otadata = esp_make_otadata(1, 0);

	(void)state;
	assert_memory_equal(otadata.data + 28, ((uint8_t[]){0x9A, 0x98, 0x43, 0x47}), 4);
	esp_bytes_done(&otadata);
}

static void a_revision_that_the_image_refuses_is_refused(void **state)
{
	struct esphost host;

	(void)state;
	esphost_begin(&host, "esp32", &(struct sim_esp){.revision = 100}, NULL);
	fill(&host, "esp32", false);
	assert_int_equal(start(&host), APP0);
	{
		struct esp_make_segment segment = {0x3FFB0000, "0123456789abcdef", 16};
		struct esp_bytes app = esp_make_image(&(struct esp_make_image){
			.min_revision = 300,
			.max_revision = ESP_ANY_REVISION,
			.segments = &segment,
			.n_segments = 1,
		});

		put(&host, APP0, &app);
		esp_bytes_done(&app);
	}
	assert_int_equal(start(&host), SIM_ESP_NOTHING);
	assert_true(says(&host, "requires chip rev >= v3.0, but chip is v1.0"));
	esphost_end(&host);
}

/* Tasmota's and others' users: an application at 0, where the boot loader belongs. */
static void an_application_in_the_boot_loaders_place_starts_nothing(void **state)
{
	struct esphost host;

	(void)state;
	esphost_begin(&host, "esp32c3", NULL, NULL);
	fill(&host, "esp32c3", false);
	put_app(&host, "esp32c3", 0);
	assert_int_equal(start(&host), SIM_ESP_NOTHING);
	esphost_end(&host);
}

static void the_old_rom_of_the_esp32_has_other_words(void **state)
{
	struct esphost host;

	(void)state;
	esphost_begin(&host, "esp32", &(struct sim_esp){.old_rom = true}, NULL);
	assert_int_equal(start(&host), SIM_ESP_NOTHING);
	assert_true(says(&host, "ets Jun  8 2016 00:22:57"));
	assert_true(says(&host, "flash read err, 1000\r\nets_main.c 371"));
	esphost_end(&host);
}

static void the_esp8266_starts_what_lies_at_0(void **state)
{
	struct esphost host;
	struct esp_bytes app;

	(void)state;
	esphost_begin(&host, "esp8266", NULL, NULL);
	assert_int_equal(start(&host), SIM_ESP_NOTHING);
	app = esp_make_bootloader(esp_make_chip("esp8266"), 0, 1);
	put(&host, 0, &app);
	esp_bytes_done(&app);
	assert_int_equal(start(&host), 0);
	esphost_end(&host);
}

/* ------------------------------------------------------------------ into the loader */

struct entry_row {
	const char *name;
	struct sim_esp board;
	struct sim_esp_faults faults;
	uint64_t delay_msec;
	bool is_in;
	const char *text;
};

/* esp-rom.md 2.3: 1 uF needs less than 50 ms, 10 uF some 120. */
static void the_boot_pin_must_outlast_the_rise_of_en(void **state)
{
	static const struct entry_row rows[] = {
		{"1 uF", {.capacitor_nf = 1000}, {0}, 50, true,
			"boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))\r\nwaiting for download"},
		{"1 uF, no delay", {.capacitor_nf = 1000}, {0}, 5, false, "boot:0x13"},
		{"10 uF", {.capacitor_nf = 10000}, {0}, 50, false, "boot:0x13"},
		{"10 uF, long delay", {.capacitor_nf = 10000}, {0}, 550, true, "boot:0x3"},
		{"no capacitor", {.capacitor_nf = SIM_ESP_NO_CAPACITOR}, {0}, 50, true, "boot:0x3"},
		{"no boot pin", {0}, {.boot_pin_high = true}, 550, false, "boot:0x13"},
		{"loader off", {.download_off = true}, {0}, 550, false, "boot:0x13"},
		{"silent", {.no_text = true}, {0}, 550, true, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct entry_row *row = &rows[i];
		const struct sim_faults faults = {.esp = row->faults};
		struct esphost host;

		esphost_begin(&host, "esp32", &row->board, &faults);
		fill(&host, "esp32", false);
		esphost_reset(&host, true, row->delay_msec);
		esphost_pass(&host, 1000);
		if ((sim_state(host.sim) == SIM_ROM) != row->is_in || !says(&host, row->text))
			fail_msg("%s: %s", row->name, sim_esp(host.sim)->text);
		esphost_end(&host);
	}
}

/* Without a capacitor one request for each line is one too many (esp-rom.md 2.2). */
static void lines_set_one_by_one_need_a_capacitor(void **state)
{
	(void)state;
	for (int has_capacitor = 0; has_capacitor < 2; has_capacitor++) {
		const struct sim_esp board = {
			.capacitor_nf = has_capacitor ? 1000 : SIM_ESP_NO_CAPACITOR};
		struct esphost host;

		esphost_begin(&host, "esp32", &board, NULL);
		fill(&host, "esp32", false);
		sim_set_lines(host.sim, 2, host.now);
		esphost_pass(&host, 100);
		sim_set_lines(host.sim, 3, host.now);
		esphost_pass(&host, 1);
		sim_set_lines(host.sim, 1, host.now);
		esphost_pass(&host, 50);
		sim_set_lines(host.sim, 0, host.now);
		esphost_pass(&host, 1000);
		assert_int_equal(sim_state(host.sim), has_capacitor ? SIM_ROM : SIM_APPLICATION);
		esphost_end(&host);
	}
}

static void gpio8_of_a_c3_must_be_high(void **state)
{
	struct esphost host;

	(void)state;
	esphost_begin(&host, "esp32c3", &(struct sim_esp){.second_pin_low = true}, NULL);
	assert_int_equal(sim_state(host.sim), SIM_DEAD);
	fill(&host, "esp32c3", false);
	assert_int_equal(start(&host), APP0);
	esphost_end(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_chip_starts_what_its_build_made),
		cmocka_unit_test(a_byte_that_is_wrong_starts_nothing),
		cmocka_unit_test(a_torn_slot_gives_way_to_another),
		cmocka_unit_test(otadata_has_the_sum_that_is_known),
		cmocka_unit_test(a_revision_that_the_image_refuses_is_refused),
		cmocka_unit_test(an_application_in_the_boot_loaders_place_starts_nothing),
		cmocka_unit_test(the_old_rom_of_the_esp32_has_other_words),
		cmocka_unit_test(the_esp8266_starts_what_lies_at_0),
		cmocka_unit_test(the_boot_pin_must_outlast_the_rise_of_en),
		cmocka_unit_test(lines_set_one_by_one_need_a_capacitor),
		cmocka_unit_test(gpio8_of_a_c3_must_be_high),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
