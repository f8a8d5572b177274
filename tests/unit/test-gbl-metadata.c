/* SPDX-License-Identifier: MIT */
/*
 * test-gbl-metadata.c - what a GBL says of itself: its metadata by the JSON of those who publish
 * firmware, and what its tags bring. None of it can make a sound file a bad one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "image/gbl-metadata.h"
#include "tools/gbl-make.h"
#include "unit/rows.h"

struct metadata_row {
	const char *name;
	const char *json;
	const char *fw_type, *version;
	uint32_t baud;
};

/* Sixteen 'a'. */
#define A16 "aaaaaaaaaaaaaaaa"
#define A64 A16 A16 A16 A16

static const struct metadata_row metadata_rows[] = {
	{"metadata: as Nabu Casa writes it",
		"{\"metadata_version\": 2, \"sdk_version\": \"4.4.4\", \"ezsp_version\": \"7.4.4.0\", "
		"\"fw_type\": \"zigbee_ncp\", \"fw_variant\": null, \"baudrate\": 115200}",
		"zigbee_ncp", "7.4.4.0", 115200},
	{"metadata: Thread",
		"{\"metadata_version\": 2, \"sdk_version\": \"4.4.4\", "
		"\"ot_rcp_version\": \"SL-OPENTHREAD/2.4.4.0_GitHub-7074a43e4\", "
		"\"fw_type\": \"openthread_rcp\", \"baudrate\": 460800}",
		"openthread_rcp", "SL-OPENTHREAD/2.4.4.0_GitHub-7074a43e4", 460800},
	{"metadata: several protocols",
		"{\"fw_type\": \"multipan\", \"cpc_version\": \"4.4.4\", \"ezsp_version\": "
		"\"7.4.4.0\", \"metadata_version\": 1}",
		"multipan", "4.4.4", 0},
	{"metadata: Z-Wave",
		"{\"metadata_version\":2,\"fw_type\":\"zwave_ncp\",\"zwave_version\":\"7.22.2\","
		"\"sdk_version\":\"4.4.4\"}",
		"zwave_ncp", "7.22.2", 0},
	{"metadata: words of older files", "{\"metadata_version\":1,\"fw_type\":\"ncp-uart-hw\"}",
		"zigbee_ncp", "", 0},
	{"metadata: words of older files, Thread", "{\"fw_type\":\"ot-rcp\"}", "openthread_rcp", "",
		0},
	{"metadata: a word that nobody knows", "{\"fw_type\":\"my_bridge\",\"baudrate\":9600}",
		"my_bridge", "", 9600},
	{"metadata: the version of the kit is none of the application",
		"{\"fw_type\":\"zigbee_ncp\",\"sdk_version\":\"4.4.4\"}", "zigbee_ncp", "", 0},
	{"metadata: nothing of it", "{}", "", "", 0},
	{"metadata: nulls", "{\"fw_type\":null,\"ezsp_version\":null,\"baudrate\":null}", "", "",
		0},
	{"metadata: of another kind", "{\"fw_type\":7,\"ezsp_version\":true,\"baudrate\":\"fast\"}",
		"", "", 0},
	{"metadata: a rate that is none",
		"{\"fw_type\":\"zigbee_ncp\",\"baudrate\":18446744073709551616}", "", "", 0},
	{"metadata: a rate below all", "{\"fw_type\":\"zigbee_ncp\",\"baudrate\":-115200}",
		"zigbee_ncp", "", 0},
	{"metadata: a rate beyond 32 bits", "{\"fw_type\":\"zigbee_ncp\",\"baudrate\":4295082496}",
		"zigbee_ncp", "", 0},
	{"metadata: a rate with a point", "{\"baudrate\":115200.5}", "", "", 0},
	{"metadata: a later version", "{\"metadata_version\":3,\"fw_type\":\"zigbee_ncp\"}", "", "",
		0},
	{"metadata: no JSON", "EFR32 firmware of today", "", "", 0},
	{"metadata: cut off", "{\"fw_type\":\"zigbee_ncp\",", "", "", 0},
	{"metadata: deeper", "{\"a\":{\"fw_type\":\"zigbee_ncp\"}}", "", "", 0},
	{"metadata: a list", "[\"fw_type\",\"zigbee_ncp\"]", "", "", 0},
	{"metadata: a word that is no word", "{\"fw_type\":\"zig bee\\u0007\"}", "", "", 0},
	{"metadata: a word without an end", "{\"fw_type\":\"" A64 "\"}", "", "", 0},
	{"metadata: a version without an end", "{\"ezsp_version\":\"" A64 "\"}", "", "", 0},
	{"metadata: a key twice", "{\"fw_type\":\"a\",\"fw_type\":\"b\"}", "", "", 0},
};

static int read_gbl(const struct gbl_make *gbl, struct image *ret)
{
	const struct image_options options = {.max_bytes = 100000};
	struct reason reason = {""};
	int r = image_read("radio.gbl", gbl->data, gbl->n, &options, ret, &reason);

	if (r != 0)
		fail_msg("%s", reason.text);
	return r;
}

static void a_file_says_what_it_is(void **state)
{
	const struct metadata_row *row = *state;
	const struct gbl_make_file file = {.json = row->json};
	struct gbl_make gbl = gbl_make_file(&file);
	struct image image = {0};

	read_gbl(&gbl, &image);
	assert_string_equal(image.maker.fw_type, row->fw_type);
	assert_string_equal(image.maker.version, row->version);
	assert_int_equal(image.maker.baud, row->baud);
	assert_true(image.maker.brings_application);
	image_done(&image);
	gbl_make_done(&gbl);
}

/* A tag ends like a text of C, or has NULs behind it; and one that is too long says nothing. */
static void the_end_of_a_tag_is_no_part_of_it(void **state)
{
	static const char json[] = "{\"fw_type\":\"zigbee_ncp\"}\0\0\0";
	static uint8_t long_one[5000];
	struct image_maker maker = {0};

	(void)state;
	assert_int_equal(gbl_metadata_read((const uint8_t *)json, sizeof(json), &maker), 0);
	assert_string_equal(maker.fw_type, "zigbee_ncp");
	maker = (struct image_maker){0};
	memset(long_one, ' ', sizeof(long_one));
	memcpy(long_one, json, strlen(json));
	assert_int_equal(gbl_metadata_read(long_one, sizeof(long_one), &maker), 0);
	assert_string_equal(maker.fw_type, "");
	assert_int_equal(gbl_metadata_read(long_one, 4096, &maker), 0);
	assert_string_equal(maker.fw_type, "zigbee_ncp");
	maker = (struct image_maker){0};
	assert_int_equal(gbl_metadata_read(NULL, 0, &maker), 0);
	assert_string_equal(maker.fw_type, "");
}

static void the_tags_say_what_is_replaced(void **state)
{
	static const struct {
		struct gbl_make_file file;
		bool application, loader, secure_element;
	} rows[] = {
		{{.version = "1"}, true, false, false},
		{{.version = "1", .n_boot_loader = 64}, true, true, false},
		{{.n_boot_loader = 64, .has_no_application = true}, false, true, false},
		{{.n_secure_element = 64}, true, false, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gbl_make gbl = gbl_make_file(&rows[i].file);
		struct image image = {0};

		read_gbl(&gbl, &image);
		assert_int_equal(image.maker.brings_application, rows[i].application);
		assert_int_equal(image.maker.brings_loader, rows[i].loader);
		assert_int_equal(image.maker.brings_secure_element, rows[i].secure_element);
		assert_false(image.maker.is_encrypted);
		image_done(&image);
		gbl_make_done(&gbl);
	}
}

/* Signed and encrypted, as a trace of zwave-js has it: nothing inside can be seen. */
static void an_encrypted_file_shows_nothing(void **state)
{
	struct gbl_make gbl = gbl_make_begin(0x103);
	static const uint8_t bytes[64] = {1, 2, 3};
	struct image image = {0};

	(void)state;
	gbl_make_tag(&gbl, GBL_TAG_ENCRYPTION, bytes, 16);
	gbl_make_tag(&gbl, GBL_TAG_ENCRYPTED, bytes, sizeof(bytes));
	gbl_make_tag(&gbl, GBL_TAG_SIGNATURE, bytes, 64);
	gbl_make_end(&gbl);
	read_gbl(&gbl, &image);
	assert_true(image.maker.is_encrypted);
	assert_false(image.maker.brings_application);
	assert_string_equal(image.maker.fw_type, "");
	image_done(&image);
	gbl_make_done(&gbl);
}

int main(void)
{
	struct CMUnitTest tests[40];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, metadata_rows, a_file_says_what_it_is);
	ADD_TEST(tests, n_tests, the_end_of_a_tag_is_no_part_of_it);
	ADD_TEST(tests, n_tests, the_tags_say_what_is_replaced);
	ADD_TEST(tests, n_tests, an_encrypted_file_shows_nothing);
	return RUN_TESTS("gbl metadata", tests, n_tests);
}
