/* SPDX-License-Identifier: MIT */
/*
 * test-probe.c - what `plugflash probe` tells of a board with an Espressif chip or one of TI: all
 * that is asked of whoever has one, without a rule, and what the service and the history make of
 * it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/scene.h"
#include "tools/esp-make.h"
#include "tools/ti-make.h"

#define ESP_RULE                                                                        \
	"[board lamp]\nserial = E*\nprotocol = esp\nchip = esp32\nimage = lamp-*.bin\n" \
	"address = 0x10000\n"

static void expect_line(struct bed *bed, const char *line)
{
	if (command_lines(bed, line) != 1)
		fail_msg("the command does not say '%s' once", line);
}

static void an_esp_is_probed_without_a_rule(void **state)
{
	struct bed *bed = *state;

	bed_plug(bed, &(struct bed_board){.chip = "esp32", .serial = "X1"});
	assert_int_equal(command_run(bed, "probe -p ttyUSB0 --protocol esp"), 0);
	expect_line(bed, "chip         ESP32");
	expect_line(bed, "product id   0x000 (in a rule: protocol = esp, chip = 0x000)");
	expect_line(bed, "revision     3.1");
	expect_line(bed, "flash        4096 KiB");
	expect_line(bed, "unit         240ac4000001");
	expect_line(bed, "security     none");
	expect_line(bed, "status       4");
	expect_line(bed, "magic        0x00f01d83");
	expect_line(bed, "0x3ff5a00c   0x00008000");
	expect_line(bed, "flash-id     0x1640ef");
	expect_line(bed, "way          1/4");
	expect_line(bed, "rom          ets Jul 29 2019 12:21:46");
	expect_line(bed, "boot         rst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT(UART0");
	assert_int_equal(command_lines(bed, "refused "), 0);
	assert_int_equal(command_lines(bed, "protection "), 0);

	assert_int_equal(command_run(bed, "probe -p ttyUSB0 --protocol esp --json"), 0);
	expect_line(bed, "\"product_id\": \"0x000\"");
	expect_line(bed, "\"revision\": \"3.1\"");
	expect_line(bed, "\"security\": \"none\"");
	expect_line(bed, "\"refusal\": null");
	expect_line(
		bed, "; flash-id 0x1640ef; way 1/4; rom ets Jul 29 2019 12:21:46; boot rst:0x1");
}

static void a_probe_tells_why_a_chip_would_be_refused(void **state)
{
	struct bed *bed = *state;

	bed_plug(bed, &(struct bed_board){.chip = "esp32c3",
			      .serial = "X1",
			      .esp = {.secure_boot = 2, .crypt_count = 1}});
	bed_plug(bed, &(struct bed_board){.chip = "esp8266", .serial = "X2"});
	assert_int_equal(command_run(bed, "probe -p ttyUSB0 --protocol esp"), 0);
	expect_line(bed, "security     secure-boot flash-encryption");
	expect_line(bed,
		"refused      the fuses of this ESP32-C3 switch on flash encryption and secure boot for good");
	expect_line(bed, "security-info 0100000001");
	assert_int_equal(command_run(bed, "probe -p ttyUSB1 --protocol esp"), 0);
	expect_line(bed, "chip         ESP8266");
	expect_line(bed, "refused      its boot loader proves nothing of what it writes");
	expect_line(bed, "status       2");
}

/* The service tells and keeps it: journal, history. */
static void a_refused_chip_is_told_and_remembered(void **state)
{
	struct bed *bed = *state;
	const struct journal_entry *entry;
	struct esp_bytes app = esp_make_application(esp_make_chip("esp32"), "lamp", "1.0", 8192, 1);
	struct bed_unit *unit;

	bed_configure(bed, "", ESP_RULE);
	bed_put_bytes(bed, "lamp-1.0.bin", app.data, app.n);
	esp_bytes_done(&app);
	command_start_service(bed);
	bed_settle_images(bed);
	unit = bed_plug(bed,
		&(struct bed_board){.chip = "esp32", .serial = "E1", .esp = {.secure_boot = 1}});
	entry = expect_outcome(unit, "protected");
	expect_text(entry, "MESSAGE", "secure boot");
	expect_field(entry, FIELD_REVISION, "3.1");
	expect_field(entry, FIELD_SECURITY, "secure-boot");
	expect_field(entry, FIELD_UNIT, "240ac4000001");
	assert_int_equal(bed_counters(unit).pages_erased, 0);
	assert_int_equal(command_run(bed, "history --json"), 0);
	expect_line(bed, "\"revision\": \"3.1\"");
	assert_int_equal(command_run(bed, "history --csv"), 0);
	expect_line(bed, "secure-boot");
	/* Read-out protection is nothing of an ESP, and no rule lifts this. */
	assert_int_equal(command_run_all(bed, "flash -p ttyUSB0"), 12);
	assert_int_equal(command_lines(bed, "readout-protection"), 0);
}

/* All that a rule for it needs: which part it is, and which pin the firmware in it has. */
static void a_stick_of_ti_is_probed_without_a_rule(void **state)
{
	struct ti_make_image image = ti_make_new("cc2652p", "20240710", 0);
	struct bed *bed = *state;
	struct bed_unit *unit;
	char flash[600];

	unit = bed_plug(bed, &(struct bed_board){.chip = "cc2652p",
				     .serial = "X1",
				     .flash = image.flash,
				     .n_flash = image.chip->size});
	assert_int_equal(command_run(bed, "probe -p ttyUSB0 --protocol bsl"), 0);
	expect_line(bed, "chip         CC26x2");
	expect_line(bed, "product id   0xbb41 (in a rule: protocol = bsl, chip = 0xbb41)");
	expect_line(bed, "flash        352 KiB");
	expect_line(bed, "unit         00124b");
	expect_line(bed, "part         CC2652P");
	expect_line(bed, "package      2");
	expect_line(bed, "backdoor     DIO15 low");
	expect_line(bed, "way          1/2");
	assert_int_equal(command_lines(bed, "refused "), 0);
	/* And without the pin nothing is flashed. */
	bed_put_bytes(bed, "stick.bin", image.flash, image.chip->size);
	snprintf(flash, sizeof(flash),
		"flash -p ttyUSB0 --protocol bsl --chip cc2652p --image %s/images/stick.bin",
		bed_directory(bed));
	assert_int_equal(command_run_all(bed, flash), outcome_to_exit_code(OUTCOME_BAD_IMAGE));
	assert_true(command_lines(bed, "--backdoor-pin") > 0);
	assert_int_equal(bed_counters(unit).pages_erased, 0);
	ti_make_done(&image);
}

static const struct CMUnitTest tests[] = {
	COMMAND_TEST(an_esp_is_probed_without_a_rule),
	COMMAND_TEST(a_probe_tells_why_a_chip_would_be_refused),
	COMMAND_TEST(a_refused_chip_is_told_and_remembered),
	COMMAND_TEST(a_stick_of_ti_is_probed_without_a_rule),
};

SCENE_MAIN(tests)
