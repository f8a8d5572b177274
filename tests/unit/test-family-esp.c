/* SPDX-License-Identifier: MIT */
/* The ESP family: which files are taken for which rule and chip, and how a merged file is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/esp-stand.h"

/* ------------------------------------------------------------------ good files */

static void whole_images_are_taken(void **state)
{
	static const char *const chips[] = {"esp32", "esp32c3"};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(chips); i++) {
		struct stand *stand = stand_new(chips[i / 2]);
		bool has_otadata = i % 2;
		struct chip_range start;

		take_project(stand, has_otadata);
		assert_int_equal(check_file(stand), IMAGE_OK);
		assert_int_equal(fit(stand), IMAGE_OK);
		start = family_esp.find_start(&stand->chip, &stand->image);
		assert_int_equal(start.start, stand->made->bootloader);
		assert_int_equal(start.size, 4096);
		take_merged(stand, has_otadata, 0);
		assert_int_equal(check_file(stand), IMAGE_OK);
		assert_int_equal(fit(stand), IMAGE_OK);
		start = family_esp.find_start(&stand->chip, &stand->image);
		assert_int_equal(start.start, stand->made->bootloader);
		stand->board.has_address = true;
		stand->board.address = stand->made->bootloader;
		take_merged(stand, has_otadata, stand->made->bootloader);
		assert_int_equal(check_file(stand), IMAGE_OK);
		assert_int_equal(fit(stand), IMAGE_OK);
		stand_free(stand);
	}
}

/* What clang and lld made of sources, and not a tool of the tests. */
static void files_of_a_real_build_are_taken(void **state)
{
	static const char folder[] = "tests/firmware/esp32c3/";
	struct esp_make_part parts[] = {{0, "bootloader", "bootloader.bin", {}},
		{0x8000, "partition-table", "partition-table.bin", {}},
		{0xE000, "otadata", "ota_data_initial.bin", {}},
		{0x10000, "app", "app-1.1.0.bin", {}}};
	struct stand *stand = stand_new("esp32c3");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		char path[200];

		snprintf(path, sizeof(path), "%s%s", folder, parts[i].file);
		parts[i].bytes = esp_make_read(path);
	}
	take_parts(stand, parts, ARRAY_SIZE(parts));
	stand->image.chip = strdup("esp32c3");
	assert_int_equal(check_file(stand), IMAGE_OK);
	assert_int_equal(fit(stand), IMAGE_OK);
	write_image(stand);
	stand->board.partition = "app0";
	take_raw(stand, &parts[3].bytes);
	assert_int_equal(check_file(stand), IMAGE_OK);
	assert_int_equal(fit(stand), IMAGE_OK);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		esp_bytes_done(&parts[i].bytes);
	stand_free(stand);
}

/* ------------------------------------------------------------------ a merged file */

/* What no part names is not in the image; what a part has is, to the last byte. */
static void a_merged_file_is_cut_at_its_partitions(void **state)
{
	struct stand *stand = stand_new("esp32");
	struct esp_make_project project = esp_make_project("esp32", "1.0.0", 60000, false);

	(void)state;
	take_merged(stand, false, 0);
	assert_int_equal(stand->image.n_segments, 1);
	assert_int_equal(shape(stand), IMAGE_OK);
	assert_int_equal(stand->image.n_segments, 3);
	assert_false(image_touches(&stand->image, 0, 0x1000));
	assert_false(image_touches(&stand->image, 0x9000, 0x7000));
	for (size_t i = 0; i < project.n_parts; i++)
		for (size_t j = 0; j < project.parts[i].bytes.n; j++)
			assert_int_equal(
				image_byte(&stand->image, project.parts[i].offset + (uint32_t)j),
				project.parts[i].bytes.data[j]);
	assert_int_equal(image_bytes(&stand->image), stand->image.n_bytes);
	esp_make_project_done(&project);
	stand_free(stand);
}

/* A second sector of otadata that is blank in the file is to be blank: its number may be higher. */
static void otadata_of_a_merged_file_come_as_a_whole(void **state)
{
	struct stand *stand = stand_new("esp32c3");

	(void)state;
	take_merged(stand, true, 0);
	assert_int_equal(shape(stand), IMAGE_OK);
	assert_true(image_touches(&stand->image, 0xEFFF, 1));
	assert_true(image_touches(&stand->image, 0xF000, 1));
	assert_true(image_touches(&stand->image, 0xFFFF, 1));
	assert_false(image_touches(&stand->image, 0x9000, 0x5000));
	stand_free(stand);
}

/* Blank sectors in the middle of a program are a part of it, and so are those of a file system. */
static void blank_sectors_inside_are_kept(void **state)
{
	struct stand *stand = stand_new("esp32");
	struct esp_make_project project = esp_make_project("esp32", "1.0.0", 60000, false);
	struct esp_bytes merged = esp_make_merged(project.parts, project.n_parts, 0), longer;

	(void)state;
	longer = esp_bytes_new(0x400000, 0xFF);
	memcpy(longer.data, merged.data, merged.n);
	memset(longer.data + 0x12000, 0xFF, 0x3000);
	longer.data[0x290000 + 0x8000] = 0; /* of spiffs */
	take_raw(stand, &longer);
	assert_int_equal(shape(stand), IMAGE_OK);
	assert_true(image_touches(&stand->image, 0x12000, 1));
	assert_true(image_touches(&stand->image, 0x14FFF, 1));
	assert_false(image_touches(&stand->image, 0x150000, 0x140000));
	assert_true(image_touches(&stand->image, 0x290000, 1));
	assert_true(image_touches(&stand->image, 0x3EFFFF, 1));
	assert_false(image_touches(&stand->image, 0x3F0000, 0x10000));
	esp_bytes_done(&longer);
	esp_bytes_done(&merged);
	esp_make_project_done(&project);
	stand_free(stand);
}

static void other_files_are_left_as_they_are(void **state)
{
	struct stand *stand = stand_new("esp32");
	struct esp_bytes blank_inside = esp_bytes_new(0x20000, 0xFF);
	uint64_t n_bytes;

	(void)state;
	take_project(stand, true);
	n_bytes = image_bytes(&stand->image);
	assert_int_equal(shape(stand), IMAGE_OK);
	assert_int_equal(image_bytes(&stand->image), n_bytes);
	assert_int_equal(stand->image.n_parts, 4);
	blank_inside.data[0] = 0;
	take_raw(stand, &blank_inside);
	assert_int_equal(shape(stand), IMAGE_OK);
	assert_int_equal(image_bytes(&stand->image), blank_inside.n);
	esp_bytes_done(&blank_inside);
	stand_free(stand);
}

/* ------------------------------------------------------------------ refused before the reset */

static void check_08_a_file_of_another_chip_is_refused(void **state)
{
	struct stand *stand = stand_new("esp32"), *later = stand_new("esp32c3");
	const struct esp_make_chip *c3 = esp_make_chip("esp32c3");
	struct esp_bytes application = esp_make_application(c3, "blink", "1", 5000, 1);
	struct esp_make_project project = esp_make_project("esp32c3", "1.0.0", 60000, false);
	struct esp_bytes merged = esp_make_merged(project.parts, project.n_parts, 0);

	(void)state;
	stand->board.partition = "app0";
	take_raw(stand, &application);
	REFUSED(stand, check_file,
		"its header says chip id 5 (ESP32-C3), and the chip is an ESP32 (0)");
	stand->board.partition = NULL;
	take_raw(stand, &application);
	REFUSED(stand, check_file, "chip id 5 (ESP32-C3)");
	stand->board.has_address = true;
	stand->board.address = 0x10000;
	take_raw(stand, &application);
	REFUSED(stand, check_file, "the program at 0x10000: its header says chip id 5 (ESP32-C3)");
	stand->board.has_address = false;
	take_raw(stand, &merged);
	REFUSED(stand, check_file, "chip id 5 (ESP32-C3)");
	take_parts(stand, project.parts, project.n_parts);
	REFUSED(stand, check_file, "'bootloader/bootloader.bin' at 0x0: its header says chip id 5");
	/* By the word of the file that names them, before anything in them is looked at. */
	take_project(later, false);
	later->image.chip = strdup("esp32");
	REFUSED(later, check_file, "its files were built for 'esp32', and the chip is an ESP32-C3");
	/* The application of another chip among files for this one. */
	take_project(stand, false);
	image_put(&stand->image, 0x10000, application.data, application.n);
	REFUSED(stand, check_file, "'app.bin' at 0x10000: its header says chip id 5");
	esp_bytes_done(&merged);
	esp_make_project_done(&project);
	esp_bytes_done(&application);
	stand_free(later);
	stand_free(stand);
}

static void check_10_a_file_at_the_wrong_place_is_refused(void **state)
{
	struct stand *stand = stand_new("esp32"), *c3 = stand_new("esp32c3");
	struct esp_bytes bootloader = esp_make_bootloader(c3->made, 0, 1);
	struct esp_bytes own = esp_make_bootloader(stand->made, 0, 1);
	struct esp_make_part wrong = {0x1000, "bootloader", "bootloader.bin", own};

	(void)state;
	/* An application alone, for 0x0. */
	take_application(stand, "1.0.0", 5000);
	REFUSED(stand, check_file, "it is an application alone 'blink' 1.0.0");
	expect_reason(stand, "give the rule `partition = app0`");
	take_application(c3, "1.0.0", 5000);
	REFUSED(c3, check_file, "it is an application alone 'blink' 1.0.0");
	c3->board.has_address = true;
	take_application(c3, "1.0.0", 5000);
	REFUSED(c3, check_file,
		"the boot loader at 0x0: it is an application 'blink' 1.0.0, and the ROM of the ESP32-C3 looks there for a boot loader");
	stand->board.has_address = true;
	stand->board.address = 0x1000;
	take_application(stand, "1.0.0", 5000);
	REFUSED(stand, check_file, "the boot loader at 0x1000: it is an application");
	/* A merged file, for 0x10000. */
	stand->board.address = c3->board.address = 0x10000;
	take_merged(stand, true, 0);
	REFUSED(stand, check_file,
		"it is a merged file from 0x0 on, by its partition table, and the rule says `address = 0x10000`: take that out");
	take_merged(c3, true, 0);
	REFUSED(c3, check_file, "it is a merged file");
	take_merged(stand, true, 0x1000);
	REFUSED(stand, check_file,
		"it would be written from 0x10000 on: give the rule `address = 0x1000`");
	/* One that begins with the boot loader, for 0x0. */
	stand->board.has_address = false;
	take_merged(stand, true, 0x1000);
	REFUSED(stand, check_file,
		"it is a merged file that begins with the boot loader, by its partition table, and it would be written from 0x0 on: give the rule `address = 0x1000`");
	/* The boot loader of a chip that has it at 0x0, for 0x1000, and the other way round. */
	stand->board.has_address = true;
	stand->board.address = 0x1000;
	take_raw(stand, &bootloader);
	REFUSED(stand, check_file, "the boot loader at 0x1000: its header says chip id 5");
	stand->board.address = 0;
	take_raw(stand, &own);
	REFUSED(stand, check_file,
		"the program at 0x0: it is a boot loader, and the ROM of the ESP32 looks for that at 0x1000");
	wrong.bytes = bootloader;
	c3->board.has_address = false;
	take_parts(c3, &wrong, 1);
	REFUSED(c3, check_file,
		"'bootloader.bin' at 0x1000: it is a boot loader, and the ROM of the ESP32-C3 looks for that at 0x0");
	esp_bytes_done(&own);
	esp_bytes_done(&bootloader);
	stand_free(c3);
	stand_free(stand);
}

static void check_24_files_in_one_sector_are_refused(void **state)
{
	struct stand *stand = stand_new("esp32");
	struct esp_make_project project = esp_make_project("esp32", "1.0.0", 60000, false);
	struct esp_make_part *parts = project.parts;
	uint32_t end = parts[0].offset + (uint32_t)parts[0].bytes.n;

	(void)state;
	/* The table right behind the boot loader, in its last sector. */
	assert_int_not_equal(end % 4096, 0);
	parts[1].offset = end;
	take_parts(stand, parts, project.n_parts);
	REFUSED(stand, check_file, "shares the sector at 0x6000 with 'bootloader/bootloader.bin'");
	/* Alone in its sector, and not at its start. */
	parts[1].offset = 0x8000;
	parts[2].offset = 0x10010;
	take_parts(stand, parts, project.n_parts);
	REFUSED(stand, check_file,
		"'app.bin' at 0x10010: it begins in the middle of the sector at 0x10000, which is erased as a whole");
	parts[2].offset = 0x10000;
	take_parts(stand, parts, project.n_parts);
	assert_int_equal(check_file(stand), IMAGE_OK);
	stand->board.has_address = true;
	stand->board.address = 0x10200;
	take_application(stand, "1.0.0", 5000);
	REFUSED(stand, check_file, "the file at 0x10200: it begins in the middle of the sector");
	esp_make_project_done(&project);
	stand_free(stand);
}

static void a_damaged_file_is_named(void **state)
{
	struct stand *stand = stand_new("esp32");
	uint8_t byte;

	(void)state;
	take_project(stand, false);
	byte = image_byte(&stand->image, 0x10000 + 3000) ^ 0x20;
	image_put(&stand->image, 0x10000 + 3000, &byte, 1);
	REFUSED(stand, check_file, "'app.bin' at 0x10000: its checksum is");
	take_merged(stand, false, 0);
	image_put(&stand->image, 0x10000 + 3000, &byte, 1);
	REFUSED(stand, check_file, "partition 'app0' (ota_0) at 0x10000: its checksum is");
	take_merged(stand, false, 0);
	byte = image_byte(&stand->image, 0x8000 + 5) ^ 1;
	image_put(&stand->image, 0x8000 + 5, &byte, 1);
	REFUSED(stand, check_file,
		"the partition table at 0x8000: its MD5 is not that of its entries");
	/* Cut in the middle of the application. */
	take_merged(stand, false, 0);
	stand->image.segments[0].size -= 3000;
	REFUSED(stand, check_file, "partition 'app0' (ota_0) at 0x10000: it ends after");
	/* A boot loader was forgotten. */
	take_merged(stand, false, 0);
	memset(stand->image.segments[0].data, 0xFF, 0x8000);
	REFUSED(stand, check_file, "has nothing at 0x1000, where the ROM of the ESP32 looks");
	/* Something that is no program at all. */
	take_merged(stand, false, 0);
	memset(stand->image.segments[0].data, 0x5A, 0x9000);
	REFUSED(stand, check_file, "no merged file, and begins with 0x5a");
	stand_free(stand);
}

static void what_is_too_large_is_refused(void **state)
{
	struct stand *stand = stand_new("esp32");
	struct esp_make_project project = esp_make_project("esp32", "1.0.0", 0x150000, false);
	uint8_t size;

	(void)state;
	take_parts(stand, project.parts, project.n_parts);
	REFUSED(stand, check_file,
		"bytes are more than the partition 'app0' (ota_0) has room for, which ends at 0x14ffff");
	esp_make_project_done(&project);
	/* The table is for 4 MiB of flash, and a header of 4 MiB as well. */
	take_project(stand, false);
	assert_int_equal(check(stand, 4 << 20), IMAGE_OK);
	assert_int_equal(check(stand, 2 << 20), IMAGE_REFUSED);
	expect_reason(stand,
		"its partitions go on up to 0x3fffff, and the flash of this ESP32 ends at 0x1fffff");
	/* The ROM reaches 16 MiB, however large the flash is. */
	project = esp_make_project("esp32", "1.0.0", 60000, false);
	esp_put32(project.parts[1].bytes.data + 4 * 32 + 8, 0x1800000);
	memset(project.parts[1].bytes.data + 5 * 32, 0xFF, 2 * 32);
	take_parts(stand, project.parts, project.n_parts);
	esp_make_project_done(&project);
	assert_int_equal(check(stand, 16 << 20), IMAGE_REFUSED);
	expect_reason(stand,
		"ends at 0xffffff: if it has more, the boot loader in its ROM does not reach that");
	/* A header of 8 MiB without a digest that it would break, and one of 2 MiB. */
	project = esp_make_project("esp32", "1.0.0", 60000, false);
	for (size = 0x10; size <= 0x30; size += 0x20) {
		const struct esp_make_segment segment = {0x40078000, "abcdefgh", 8};

		esp_bytes_done(&project.parts[0].bytes);
		project.parts[0].bytes = esp_make_image(&(struct esp_make_image){
			.size_and_frequency = size, .segments = &segment, .n_segments = 1});
		take_parts(stand, project.parts, project.n_parts);
		assert_int_equal(check(stand, 4 << 20), IMAGE_REFUSED);
		expect_reason(stand,
			size == 0x30
				? "its header is for a flash of 8192 KiB, and this ESP32 has 4096 KiB"
				: "its header is for a flash of 2048 KiB, and the partition table at 0x8000 goes on up to 0x3fffff");
	}
	esp_make_project_done(&project);
	stand_free(stand);
}

/* In a merged file nothing but the table says where an application has to end. */
static void an_application_ends_with_its_partition(void **state)
{
	static const struct esp_make_partition partitions[] = {
		{"app0", 0, 0x10, 0x10000, 0x10000, 0}};
	struct stand *stand = stand_new("esp32");
	struct esp_make_project project = esp_make_project("esp32", "1.0.0", 90000, false);
	struct esp_bytes merged;

	(void)state;
	esp_bytes_done(&project.parts[1].bytes);
	project.parts[1].bytes = esp_make_table(partitions, 1, true);
	merged = esp_make_merged(project.parts, project.n_parts, 0);
	take_raw(stand, &merged);
	REFUSED(stand, check_file,
		"partition 'app0' (ota_0) at 0x10000: it ends after 65536 bytes, and segment 3 of 4");
	esp_bytes_done(&merged);
	esp_make_project_done(&project);
	stand_free(stand);
}

/* A boot loader that was built for it looks elsewhere, and the files say where. */
static void a_table_may_be_at_another_place(void **state)
{
	static const struct esp_make_partition partitions[] = {
		{"storage", 1, 0x82, 0x19000, 0x7000, 0}, {"app0", 0, 0x10, 0x20000, 0x100000, 0}};
	struct stand *stand = stand_new("esp32");
	struct esp_make_project project = esp_make_project("esp32", "1.0.0", 60000, false);
	struct esp_bytes storage = esp_bytes_new(5000, ESP_FIRST_BYTE);
	struct esp_make_part parts[] = {project.parts[0], project.parts[1],
		{0x19000, "storage", "storage.bin", storage}, project.parts[2]};

	(void)state;
	esp_bytes_done(&parts[1].bytes);
	parts[1].bytes = project.parts[1].bytes = esp_make_table(partitions, 2, true);
	parts[1].offset = 0x18000;
	parts[3].offset = 0x20000;
	take_parts(stand, parts, ARRAY_SIZE(parts));
	assert_int_equal(check_file(stand), IMAGE_OK);
	assert_int_equal(fit(stand), IMAGE_OK);
	/* Data may begin as a program does; the table knows better. */
	take_parts(stand, parts + 1, 3);
	assert_int_equal(family_esp.find_start(&stand->chip, &stand->image).start, 0x20000);
	parts[3].offset = 0x30000;
	take_parts(stand, parts, ARRAY_SIZE(parts));
	REFUSED(stand, check_file,
		"'app.bin' at 0x30000: it is in the middle of the application partition 'app0' (ota_0)");
	esp_bytes_done(&storage);
	esp_make_project_done(&project);
	stand_free(stand);
}

static void a_partition_is_for_a_raw_file(void **state)
{
	struct stand *stand = stand_new("esp32");
	struct esp_bytes own = esp_make_bootloader(stand->made, 0, 1);

	(void)state;
	stand->board.partition = "app0";
	take_application(stand, "1.0.0", 5000);
	assert_int_equal(check_file(stand), IMAGE_OK);
	stand->board.has_address = true;
	stand->board.address = 0x20000;
	take_application(stand, "1.0.0", 5000);
	REFUSED(stand, check_file,
		"its manifest says `address = 0x20000`, and the rule `partition = app0`");
	stand->board.has_address = false;
	take_project(stand, false);
	stand->image.segments[0].address = 0;
	REFUSED(stand, check_file,
		"it is an image of several files, which says itself where it belongs");
	take_merged(stand, false, 0);
	REFUSED(stand, check_file, "it is a merged file with a partition table of its own");
	take_raw(stand, &own);
	REFUSED(stand, check_file, "it is a boot loader, and the rule says `partition = app0`");
	esp_bytes_done(&own);
	stand_free(stand);
}

/* By the chip table as it is shipped: of each chip the files, and those of all others. */
static void each_chip_takes_its_own_files_alone(void **state)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(chip_table_done) struct chip_table chips = {0};
	struct stand *stand = stand_new("esp32");
	unsigned n_taken = 0;

	(void)state;
	assert_int_equal(
		chip_table_load(chip_families, "config/chips.ini", NULL, &chips, &problems), 0);
	for (size_t i = 0; i < ARRAY_SIZE(esp_make_chips); i++) {
		const char *name = esp_make_chips[i].name;
		const struct chip *own = chip_table_find_named(&chips, "esp", name);

		assert_non_null(own);
		stand->made = &esp_make_chips[i];
		if (stand->made->id == ESP_MAKE_CHIP_8266)
			continue;
		for (size_t j = 0; j < chips.n_items; j++) {
			const struct chip *chip = &chips.items[j];

			if (chip->family != &family_esp)
				continue;
			take_project(stand, true);
			assert_int_equal(family_esp.check_image(&stand->board, chip, 4 << 20,
						 &stand->image, &stand->reason),
				chip == own ? IMAGE_OK : IMAGE_REFUSED);
			n_taken += chip == own;
			stand->image.chip = strdup(esp_make_chips[i].written);
			assert_int_equal(family_esp.check_image(&stand->board, chip, 4 << 20,
						 &stand->image, &stand->reason),
				chip == own ? IMAGE_OK : IMAGE_REFUSED);
		}
	}
	assert_int_equal(n_taken, ARRAY_SIZE(esp_make_chips) - 1);
	stand_free(stand);
}

/* ------------------------------------------------------------------ the rest */

static void what_starts_a_chip_is_found(void **state)
{
	struct stand *stand = stand_new("esp32");
	struct esp_make_project project = esp_make_project("esp32", "1.0.0", 60000, true);

	(void)state;
	/* Without the boot loader it is the application, by the table or by what the file is. */
	take_parts(stand, project.parts + 1, 3);
	assert_int_equal(family_esp.find_start(&stand->chip, &stand->image).start, 0x10000);
	take_parts(stand, project.parts + 2, 2);
	assert_int_equal(family_esp.find_start(&stand->chip, &stand->image).start, 0x10000);
	take_parts(stand, project.parts + 2, 1);
	assert_int_equal(family_esp.find_start(&stand->chip, &stand->image).start, 0xE000);
	esp_make_project_done(&project);
	stand_free(stand);
}

static void the_8266_has_rules_of_its_own(void **state)
{
	struct stand *stand = stand_new("esp8266"), *later = stand_new("esp32");
	struct esp_bytes bytes = esp_make_application(stand->made, "old", "1", 5000, 1);
	struct esp_bytes other = esp_make_application(later->made, "new", "1", 5000, 1);

	(void)state;
	take_raw(stand, &bytes);
	assert_int_equal(check_file(stand), IMAGE_OK);
	stand->access.read = NULL;
	assert_int_equal(fit(stand), IMAGE_OK);
	assert_int_equal(family_esp.find_start(&stand->chip, &stand->image).start, 0);
	take_raw(stand, &other);
	REFUSED(stand, check_file,
		"it is a program for an ESP32 or one of its relatives (chip id 0, ESP32)");
	take_raw(later, &bytes);
	REFUSED(later, check_file, "it is a program for the ESP8266, and the chip is an ESP32");
	bytes.data[100] ^= 1;
	take_raw(stand, &bytes);
	REFUSED(stand, check_file, "its checksum is");
	esp_bytes_done(&other);
	esp_bytes_done(&bytes);
	stand_free(later);
	stand_free(stand);
}

static void addresses_of_the_cpu_are_named(void **state)
{
	struct stand *stand = stand_new("esp32");

	(void)state;
	assert_string_equal(family_esp.name_address(&stand->chip, 0x10000), "");
	assert_non_null(strstr(family_esp.name_address(&stand->chip, 0x400D0020), ".elf"));
	assert_int_equal(family_esp.erased_byte(&stand->chip), 0xFF);
	stand_free(stand);
}

int main(void)
{
	struct CMUnitTest tests[60];
	size_t n_tests = 0;

	ADD_TEST(tests, n_tests, whole_images_are_taken);
	ADD_TEST(tests, n_tests, files_of_a_real_build_are_taken);
	ADD_TEST(tests, n_tests, a_merged_file_is_cut_at_its_partitions);
	ADD_TEST(tests, n_tests, otadata_of_a_merged_file_come_as_a_whole);
	ADD_TEST(tests, n_tests, blank_sectors_inside_are_kept);
	ADD_TEST(tests, n_tests, other_files_are_left_as_they_are);
	ADD_TEST(tests, n_tests, check_08_a_file_of_another_chip_is_refused);
	ADD_TEST(tests, n_tests, check_10_a_file_at_the_wrong_place_is_refused);
	ADD_TEST(tests, n_tests, check_24_files_in_one_sector_are_refused);
	ADD_TEST(tests, n_tests, a_damaged_file_is_named);
	ADD_TEST(tests, n_tests, what_is_too_large_is_refused);
	ADD_TEST(tests, n_tests, an_application_ends_with_its_partition);
	ADD_TEST(tests, n_tests, a_table_may_be_at_another_place);
	ADD_TEST(tests, n_tests, a_partition_is_for_a_raw_file);
	ADD_TEST(tests, n_tests, each_chip_takes_its_own_files_alone);
	ADD_TEST(tests, n_tests, what_starts_a_chip_is_found);
	ADD_TEST(tests, n_tests, the_8266_has_rules_of_its_own);
	ADD_TEST(tests, n_tests, addresses_of_the_cpu_are_named);
	return RUN_TESTS("family-esp", tests, n_tests);
}
