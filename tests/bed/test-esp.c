/* SPDX-License-Identifier: MIT */
/* ESP32 devkits in the bed, as their owner sees them: by a build's flasher_args.json, one merged
 * file, or the application alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/image-directory.h"
#include "tools/esp-make.h"

#define LAMP_RULE                                                   \
	"[board lamp]\nserial = E*\nprotocol = esp\nchip = esp32\n" \
	"image = lamp-*/flasher_args.json\n"

#define LAMP                                    \
	&(struct bed_board)                     \
	{                                       \
		.serial = "E1", .chip = "esp32" \
	}

/* What a ROM is asked to erase or write by, and for its digest. */
enum { FLASH_BEGIN = 0x02, FLASH_END = 0x04, DEFL_BEGIN = 0x10, DEFL_END = 0x12, MD5 = 0x13 };

#define APP_OFFSET  0x10000u
#define APP_BYTES   (48u * 1024)
#define NVS_OFFSET  0x9000u
#define NVS_BYTES   0x5000u
#define SLOT_1	    0x150000u
#define OTADATA_AT  0xE000u
#define FLASH_BYTES (4u * 1024 * 1024)

/* A build into a folder of the image directory, which has its version. */
static void put_build(struct bed *bed, const char *chip, const char *version, bool has_otadata)
{
	struct esp_make_project project = esp_make_project(chip, version, APP_BYTES, has_otadata);
	char name[64], path[300];

	snprintf(name, sizeof(name), "lamp-%s", version);
	make_folder(bed, name);
	esp_make_project_write(&project, path_of(bed, name, path));
	esp_make_project_done(&project);
}

static void put_application(
	struct bed *bed, const char *name, const char *chip, const char *version)
{
	struct esp_bytes bytes = esp_make_application(
		esp_make_chip(chip), "plugflash-test", version, APP_BYTES, (uint32_t)version[0]);

	bed_put_bytes(bed, name, bytes.data, bytes.n);
	esp_bytes_done(&bytes);
}

static unsigned begins(struct bed_unit *unit)
{
	struct sim_counters counters = bed_counters(unit);

	return counters.commands[FLASH_BEGIN] + counters.commands[DEFL_BEGIN];
}

static void expect_nothing_erased(struct bed_unit *unit)
{
	assert_int_equal(begins(unit), 0);
	assert_int_equal(bed_counters(unit).pages_erased, 0);
}

/* The bytes are in the flash there. */
static void expect_bytes(struct bed_unit *unit, uint32_t offset, const struct esp_bytes *bytes)
{
	uint32_t size;
	const uint8_t *flash = bed_flash(unit, &size);

	assert_true(offset + bytes->n <= size);
	assert_memory_equal(flash + offset, bytes->data, bytes->n);
}

static void expect_build(
	struct bed_unit *unit, const char *chip, const char *version, bool has_otadata)
{
	struct esp_make_project project = esp_make_project(chip, version, APP_BYTES, has_otadata);

	for (size_t i = 0; i < project.n_parts; i++)
		expect_bytes(unit, project.parts[i].offset, &project.parts[i].bytes);
	esp_make_project_done(&project);
}

/* What the device itself keeps, and nobody else may touch: filled with numbers before. */
static void fill_nvs(struct bed_unit *unit)
{
	uint32_t size;

	esp_make_noise(bed_flash(unit, &size) + NVS_OFFSET, NVS_BYTES, 99);
}

static void expect_nvs(struct bed_unit *unit)
{
	struct esp_bytes bytes = esp_bytes_new(NVS_BYTES, 0);

	esp_make_noise(bytes.data, bytes.n, 99);
	expect_bytes(unit, NVS_OFFSET, &bytes);
	esp_bytes_done(&bytes);
}

static void expect_runs(struct bed_unit *unit, uint32_t offset)
{
	assert_true(bed_wait_closed(unit, BED_LONG));
	assert_int_equal(bed_state(unit), SIM_APPLICATION);
	assert_int_equal(bed_esp(unit).app, offset);
	assert_int_equal(bed_counters(unit).bad_writes, 0);
	/* The ROM's own way out does not look at the boot pin. */
	assert_int_equal(bed_counters(unit).commands[FLASH_END], 0);
	assert_int_equal(bed_counters(unit).commands[DEFL_END], 0);
}

/* The version is in the bed, the board holds it, and runs. */
static struct bed_unit *plug_updated_lamp(struct bed *bed, const char *rule)
{
	struct bed_unit *unit;

	bed_configure(bed, "", rule);
	put_build(bed, "esp32", "1.0.0", false);
	scene_start(bed);
	unit = bed_plug(bed, LAMP);
	expect_outcome(unit, "updated");
	expect_runs(unit, APP_OFFSET);
	return unit;
}

/* ------------------------------------------------------------------ a build */

static void a_devkit_gets_boot_loader_table_and_application_of_one_build(void **state)
{
	const struct journal_entry *entry;
	struct bed_unit *unit;
	char mac[13], text[300];
	struct sim_esp_state esp;

	bed_configure(*state, "", LAMP_RULE);
	put_build(*state, "esp32", "1.0.0", false);
	unit = bed_plug(
		*state, &(struct bed_board){.serial = "E1", .chip = "esp32", .is_silent = true});
	snprintf(text, sizeof(text), "[slot A1]\npath = %s\n", bed_id_path(unit));
	bed_write_config(*state, NAME_BOARDS "/00-slots.conf", text);
	scene_start(*state);
	bed_event(unit, "add", UEVENT_WAIT);
	entry = expect_outcome(unit, "updated");
	expect_build(unit, "esp32", "1.0.0", false);
	expect_runs(unit, APP_OFFSET);
	expect_field(entry, FIELD_BOARD, "lamp");
	expect_field(entry, FIELD_VERSION, "1.0.0");
	expect_field(entry, FIELD_IMAGE, "lamp-1.0.0/flasher_args.json");
	expect_field(entry, FIELD_SLOT, "A1");
	expect_text(entry, FIELD_CHIP, "ESP32");
	/* The first of its rates that worked: of the rule's default. */
	expect_field(entry, FIELD_BAUD, "921600");
	esp = bed_esp(unit);
	snprintf(mac, sizeof(mac), "%02x%02x%02x%02x%02x%02x", esp.mac[0], esp.mac[1], esp.mac[2],
		esp.mac[3], esp.mac[4], esp.mac[5]);
	expect_field(entry, FIELD_UNIT, mac);
	assert_int_equal(command_run(*state, "history --units --slot A1"), 0);
	assert_int_equal(command_lines(*state, mac), 1);
	assert_int_equal(command_run(*state, "history --csv --slot A1"), 0);
	assert_int_equal(command_lines(*state, ",updated,"), 1);
	assert_int_equal(command_lines(*state, mac), 1);
}

static void plugged_in_again_it_is_current_by_its_digests_alone(void **state)
{
	struct bed_unit *unit = plug_updated_lamp(*state, LAMP_RULE);
	unsigned n_begins = begins(unit), n_digests = bed_counters(unit).commands[MD5];

	bed_unplug(unit);
	bed_replug(unit, NULL);
	expect_outcome(unit, "current");
	assert_int_equal(begins(unit), n_begins);
	/* Boot loader, table, application. */
	assert_in_range(bed_counters(unit).commands[MD5] - n_digests, 1, 3);
	expect_runs(unit, APP_OFFSET);
}

/* A build that differs in its application alone. */
static void of_a_new_build_only_the_region_that_differs_is_erased(void **state)
{
	struct bed_unit *unit = plug_updated_lamp(*state, LAMP_RULE);
	unsigned n_erased = bed_counters(unit).pages_erased;
	unsigned n_blocks = bed_counters(unit).blocks_written;

	bed_unplug(unit);
	fill_nvs(unit);
	put_build(*state, "esp32", "1.1.0", false);
	bed_settle_images(*state);
	bed_replug(unit, NULL);
	expect_field(expect_outcome(unit, "updated"), FIELD_VERSION, "1.1.0");
	expect_build(unit, "esp32", "1.1.0", false);
	expect_nvs(unit);
	expect_runs(unit, APP_OFFSET);
	/* The application's sectors, and one sector twice that nothing starts in between. */
	assert_in_range(bed_counters(unit).pages_erased - n_erased, APP_BYTES / ESP_SECTOR,
		APP_BYTES / ESP_SECTOR + 4);
	assert_in_range(bed_counters(unit).blocks_written - n_blocks, 1, APP_BYTES / 1024 + 8);
}

/* The application was updated over the air: otadata starts the other slot. */
static void otadata_that_starts_the_other_slot_is_refused_or_rewritten_by_key(void **state)
{
	struct bed_unit *unit = plug_updated_lamp(*state, LAMP_RULE);
	struct esp_bytes otadata = esp_make_otadata(1, 2);
	struct esp_bytes other = esp_make_application(
		esp_make_chip("esp32"), "plugflash-test", "0.9.0", APP_BYTES, 9);
	unsigned n_begins;
	uint32_t size;

	bed_unplug(unit);
	memcpy(bed_flash(unit, &size) + OTADATA_AT, otadata.data, otadata.n);
	memcpy(bed_flash(unit, &size) + SLOT_1, other.data, other.n);
	put_build(*state, "esp32", "1.1.0", false);
	bed_settle_images(*state);
	n_begins = begins(unit);
	bed_replug(unit, NULL);
	expect_text(expect_outcome(unit, "bad-config"), "MESSAGE", "otadata");
	assert_int_equal(begins(unit), n_begins);
	expect_bytes(unit, OTADATA_AT, &otadata);
	expect_runs(unit, SLOT_1);

	bed_unplug(unit);
	expect_good_stop(*state);
	bed_configure(*state, "", LAMP_RULE "otadata = select\n");
	scene_start(*state);
	bed_replug(unit, NULL);
	expect_outcome(unit, "updated");
	expect_build(unit, "esp32", "1.1.0", false);
	expect_bytes(unit, SLOT_1, &other);
	expect_runs(unit, APP_OFFSET);
	esp_bytes_done(&otadata);
	esp_bytes_done(&other);
}

/* ------------------------------------------------------------------ other forms */

static void a_merged_file_leaves_what_it_only_fills(void **state)
{
	struct esp_make_project project = esp_make_project("esp32", "1.0.0", APP_BYTES, false);
	struct esp_bytes merged = esp_make_merged(project.parts, project.n_parts, 0);
	struct bed_unit *unit;

	bed_configure(*state, "",
		"[board lamp]\nserial = E*\nprotocol = esp\nchip = esp32\nimage = lamp-*.bin\naddress = 0\n");
	bed_put_bytes(*state, "lamp-1.0.0.bin", merged.data, merged.n);
	scene_start(*state);
	unit = bed_plug(
		*state, &(struct bed_board){.serial = "E1", .chip = "esp32", .is_silent = true});
	fill_nvs(unit);
	bed_event(unit, "add", UEVENT_WAIT);
	expect_outcome(unit, "updated");
	expect_build(unit, "esp32", "1.0.0", false);
	expect_nvs(unit);
	expect_runs(unit, APP_OFFSET);
	esp_bytes_done(&merged);
	esp_make_project_done(&project);
}

static void an_application_goes_where_the_chips_own_table_has_its_partition(void **state)
{
	struct bed_unit *unit = plug_updated_lamp(*state, LAMP_RULE);
	struct esp_bytes application = esp_make_application(
		esp_make_chip("esp32"), "plugflash-test", "2.0.0", APP_BYTES, '2');

	bed_unplug(unit);
	expect_good_stop(*state);
	bed_configure(*state, "",
		"[board lamp]\nserial = E*\nprotocol = esp\nchip = esp32\nimage = app-*.bin\npartition = app0\n");
	put_application(*state, "app-2.0.0.bin", "esp32", "2.0.0");
	scene_start(*state);
	bed_replug(unit, NULL);
	expect_outcome(unit, "updated");
	expect_bytes(unit, APP_OFFSET, &application);
	expect_runs(unit, APP_OFFSET);
	esp_bytes_done(&application);
}

static void a_real_application_of_the_c3_is_flashed_beside_its_boot_loader(void **state)
{
	static const struct {
		const char *name, *file;
		uint32_t offset;
	} parts[] = {
		{"c3/bootloader.bin", "tests/firmware/esp32c3/bootloader.bin", 0},
		{"c3/partition-table.bin", "tests/firmware/esp32c3/partition-table.bin",
			ESP_TABLE_OFFSET},
		{"c3/app-1.0.0.bin", "tests/firmware/esp32c3/app-1.0.0.bin", APP_OFFSET},
	};
	struct bed_unit *unit;

	bed_configure(*state, "",
		"[board lamp]\nserial = E*\nprotocol = esp\nchip = esp32c3\n"
		"image = c3/flasher_args.json\nconfirm = plugflash-test 1\n");
	make_folder(*state, "c3");
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		bed_put_image(*state, parts[i].name, parts[i].file);
	/* It selects what a blank one does, and stays out. */
	bed_put_image(
		*state, "c3/ota_data_initial.bin", "tests/firmware/esp32c3/ota_data_initial.bin");
	bed_put_image(*state, "c3/flasher_args.json", "tests/firmware/esp32c3/flasher_args.json");
	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "E1", .chip = "esp32c3"});
	expect_outcome(unit, "updated");
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		struct esp_bytes bytes = esp_make_read(parts[i].file);

		expect_bytes(unit, parts[i].offset, &bytes);
		esp_bytes_done(&bytes);
	}
	expect_runs(unit, APP_OFFSET);
}

/* ------------------------------------------------------------------ refused */

static void a_devkit_on_the_rule_of_an_stm32_is_refused(void **state)
{
	static const char *const wirings[] = {"direct", "esp"};

	for (size_t i = 0; i < ARRAY_SIZE(wirings); i++) {
		char rule[200];
		struct bed_unit *unit;
		const char *outcome;

		snprintf(rule, sizeof(rule),
			"[board gate]\nserial = *\nchip = 0x410\nimage = gate-*\nwiring = %s\n",
			wirings[i]);
		bed_configure(*state, "", rule);
		scene_start(*state);
		unit = bed_plug(*state, LAMP);
		assert_non_null(bed_wait_outcome(unit, BED_LONG));
		outcome = journal_entry_get(bed_wait_outcome(unit, 0), FIELD_OUTCOME);
		if (strcmp(outcome, "no-sync") != 0)
			assert_string_equal(outcome, "wrong-chip");
		expect_nothing_erased(unit);
		bed_unplug(unit);
		expect_good_stop(*state);
	}
}

static void an_stm32_on_the_rule_of_an_esp32_is_refused(void **state)
{
	struct bed_unit *direct, *transistors;

	bed_configure(*state, "", LAMP_RULE);
	put_build(*state, "esp32", "1.0.0", false);
	scene_start(*state);
	direct = bed_plug(*state, &(struct bed_board){.serial = "E1"});
	transistors =
		bed_plug(*state, &(struct bed_board){.serial = "E2", .circuit = SIM_CIRCUIT_ESP});
	expect_outcome(direct, "no-sync");
	expect_outcome(transistors, "no-sync");
	expect_untouched(direct);
	expect_untouched(transistors);
}

static void another_chip_of_the_family_is_refused(void **state)
{
	struct bed_unit *unit;

	bed_configure(*state, "", LAMP_RULE);
	put_build(*state, "esp32", "1.0.0", false);
	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "E1", .chip = "esp32c3"});
	expect_text(expect_outcome(unit, "wrong-chip"), "MESSAGE", "ESP32-C3");
	expect_nothing_erased(unit);
}

static void a_build_for_another_chip_is_refused_before_the_port_is_opened_for_writing(void **state)
{
	struct bed_unit *unit;

	bed_configure(*state, "", LAMP_RULE);
	put_build(*state, "esp32c3", "1.0.0", false);
	scene_start(*state);
	unit = bed_plug(*state, LAMP);
	expect_text(expect_outcome(unit, "bad-image"), "MESSAGE", "esp32c3");
	expect_nothing_erased(unit);
	assert_int_equal(bed_counters(unit).rom_entries, 0);
}

static void a_protected_chip_is_left_as_it_is(void **state)
{
	struct bed_unit *unit;

	bed_configure(*state, "", LAMP_RULE);
	put_build(*state, "esp32", "1.0.0", false);
	scene_start(*state);
	unit = bed_plug(
		*state, &(struct bed_board){.serial = "E1", .chip = "esp32", .esp.crypt_count = 1});
	expect_text(expect_outcome(unit, "protected"), "MESSAGE", "encrypt");
	expect_nothing_erased(unit);
}

/* ------------------------------------------------------------------ what comes of it */

static void an_application_that_resets_again_and_again_is_not_started(void **state)
{
	struct bed_unit *unit;

	bed_configure(*state, "", LAMP_RULE "retries = 0\n");
	put_build(*state, "esp32", "1.0.0", false);
	scene_start(*state);
	unit = bed_plug(
		*state, &(struct bed_board){
				.serial = "E1", .chip = "esp32", .faults.esp.starts_badly = true});
	expect_outcome(unit, "not-started");
	expect_build(unit, "esp32", "1.0.0", false);
	assert_int_equal(command_run(*state, "history --csv"), 0);
	assert_int_equal(command_lines(*state, ",not-started,"), 1);
}

static void what_does_not_confirm_goes_back_to_the_build_before(void **state)
{
	struct bed_unit *unit = plug_updated_lamp(*state,
		LAMP_RULE "confirm = plugflash-test 1\\.0\nconfirm-within = 2s\nrollback = yes\n");

	bed_unplug(unit);
	put_build(*state, "esp32", "1.1.0", false);
	bed_settle_images(*state);
	bed_mark(*state);
	bed_replug(unit, NULL);
	assert_non_null(
		bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_ROLLED_BACK)));
	assert_true(bed_wait_closed(unit, BED_LONG));
	expect_build(unit, "esp32", "1.0.0", false);
	expect_runs(unit, APP_OFFSET);
}

/* Both kinds at once, each by its rule. */
static void an_stm32_and_an_esp32_get_each_its_own(void **state)
{
	struct bed_unit *gate, *lamp;

	bed_configure(
		*state, "", "[board gate]\nserial = A*\nchip = 0x410\nimage = gate-*\n" LAMP_RULE);
	put_build(*state, "esp32", "1.0.0", false);
	scene_start(*state);
	gate = bed_plug(*state, GATE);
	lamp = bed_plug(*state, LAMP);
	expect_field(expect_outcome(gate, "updated"), FIELD_BOARD, "gate");
	expect_field(expect_outcome(lamp, "updated"), FIELD_BOARD, "lamp");
	assert_true(bed_flash_is(gate, FIRMWARE_OLD_BIN));
	expect_build(lamp, "esp32", "1.0.0", false);
	expect_runs(lamp, APP_OFFSET);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(a_devkit_gets_boot_loader_table_and_application_of_one_build),
	SCENE_TEST(plugged_in_again_it_is_current_by_its_digests_alone),
	SCENE_TEST(of_a_new_build_only_the_region_that_differs_is_erased),
	SCENE_TEST(otadata_that_starts_the_other_slot_is_refused_or_rewritten_by_key),
	SCENE_TEST(a_merged_file_leaves_what_it_only_fills),
	SCENE_TEST(an_application_goes_where_the_chips_own_table_has_its_partition),
	SCENE_TEST(a_real_application_of_the_c3_is_flashed_beside_its_boot_loader),
	SCENE_TEST(a_devkit_on_the_rule_of_an_stm32_is_refused),
	SCENE_TEST(an_stm32_on_the_rule_of_an_esp32_is_refused),
	SCENE_TEST(another_chip_of_the_family_is_refused),
	SCENE_TEST(a_build_for_another_chip_is_refused_before_the_port_is_opened_for_writing),
	SCENE_TEST(a_protected_chip_is_left_as_it_is),
	SCENE_TEST(an_application_that_resets_again_and_again_is_not_started),
	SCENE_TEST(what_does_not_confirm_goes_back_to_the_build_before),
	SCENE_TEST(an_stm32_and_an_esp32_get_each_its_own),
};

SCENE_MAIN(tests)
