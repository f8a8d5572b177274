/* SPDX-License-Identifier: MIT */
/*
 * Programs of the ESP family: read as they were made, and refused with what is wrong where a byte
 * of them was changed or is missing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "chip/esp-image.h"
#include "image/image.h"
#include "tools/esp-make.h"
#include "unit/rows.h"

static const struct chip_range mapped[] = {{0x3C000000, 0x800000}, {0x42000000, 0x800000}};

/* From memory that ends with the program, so that a sanitizer sees a step beyond. */
static int read_exact(const uint8_t *data, size_t n, enum esp_image_kind kind,
	struct esp_image *ret, struct reason *reason)
{
	struct esp_bytes exact = esp_bytes_new(n, 0);
	int r;

	memcpy(exact.data, data, n);
	r = esp_image_read(exact.data, n, kind, ret, reason);
	esp_bytes_done(&exact);
	return r;
}

static struct esp_bytes application(void)
{
	return esp_make_application(esp_make_chip("esp32c3"), "blink", "1.4.2", 5000, 3);
}

static void an_application_is_read(void **state)
{
	struct esp_bytes bytes = application();
	struct esp_image image;
	struct reason reason;
	char shown[ESP_IMAGE_SHOWN_MAX];

	(void)state;
	assert_int_equal(read_exact(bytes.data, bytes.n, ESP_IMAGE_32, &image, &reason), IMAGE_OK);
	assert_int_equal(image.n_bytes, bytes.n);
	assert_int_equal(image.chip_id, 5);
	assert_int_equal(image.n_segments, 4);
	assert_int_equal(image.segments[0].address, 0x3C000020);
	assert_int_equal(image.flash.mode, 2);
	assert_int_equal(image.flash.frequency, 0);
	assert_int_equal(image.flash.bytes, 4 << 20);
	assert_int_equal(image.min_revision, 0);
	assert_int_equal(image.max_revision, UINT32_MAX);
	assert_true(image.has_digest);
	assert_string_equal(esp_image_show(&image, shown), " 'blink' 1.4.2");
	assert_true(esp_image_is_application(&image, mapped, ARRAY_SIZE(mapped)));
	/* By its description alone, and by its mapped segments alone. */
	assert_true(esp_image_is_application(&image, NULL, 0));
	image.has_description = false;
	assert_true(esp_image_is_application(&image, mapped, 1));
	assert_false(esp_image_is_application(&image, NULL, 0));
	assert_string_equal(esp_image_show(&image, shown), "");
	esp_bytes_done(&bytes);
}

static void a_boot_loader_is_none(void **state)
{
	struct esp_bytes bytes = esp_make_bootloader(esp_make_chip("esp32c3"), 0, 1);
	struct esp_image image;
	struct reason reason;

	(void)state;
	assert_int_equal(read_exact(bytes.data, bytes.n, ESP_IMAGE_32, &image, &reason), IMAGE_OK);
	assert_false(esp_image_is_application(&image, mapped, ARRAY_SIZE(mapped)));
	esp_bytes_done(&bytes);
}

static void more_may_follow_it(void **state)
{
	struct esp_bytes bytes = application(), longer = esp_bytes_new(bytes.n + 5000, 0xA5);
	struct esp_image image;
	struct reason reason;

	(void)state;
	memcpy(longer.data, bytes.data, bytes.n);
	assert_int_equal(
		read_exact(longer.data, longer.n, ESP_IMAGE_32, &image, &reason), IMAGE_OK);
	assert_int_equal(image.n_bytes, bytes.n);
	esp_bytes_done(&longer);
	esp_bytes_done(&bytes);
}

/* Whatever byte is bent, the program is refused or is another one by its header alone. */
static void no_bent_byte_is_missed(void **state)
{
	struct esp_bytes bytes = application();

	(void)state;
	for (size_t i = 0; i < bytes.n; i += i < 64 || i > bytes.n - 64 ? 1 : 97) {
		struct esp_image image;
		struct reason reason = {""};

		bytes.data[i] ^= 0x04;
		/* Byte 23 says whether there is a digest: without one the bytes of it are not
		 * looked at, and the checksum is right. */
		if (i == 23)
			bytes.data[40] ^= 1;
		assert_int_equal(read_exact(bytes.data, bytes.n, ESP_IMAGE_32, &image, &reason),
			IMAGE_REFUSED);
		assert_true(reason.text[0] != '\0');
		if (i == 23)
			bytes.data[40] ^= 1;
		bytes.data[i] ^= 0x04;
	}
	esp_bytes_done(&bytes);
}

static void cut_off_anywhere_it_is_refused(void **state)
{
	struct esp_bytes bytes = application();

	(void)state;
	for (size_t n = 0; n < bytes.n; n += n < 400 || n > bytes.n - 100 ? 1 : 61) {
		struct esp_image image;
		struct reason reason = {""};

		assert_int_equal(
			read_exact(bytes.data, n, ESP_IMAGE_32, &image, &reason), IMAGE_REFUSED);
		assert_non_null(strstr(reason.text, "was it cut off"));
	}
	esp_bytes_done(&bytes);
}

/* ------------------------------------------------------------------ one field after the other */

static const struct header_row {
	const char *name;
	size_t at;
	uint8_t value;
	const char *expected;
} header_rows[] = {
	{"another first byte", 0, 0xEA,
		"begins with 0xea, and what this chip starts begins with 0xe9"},
	{"no segment", 1, 0, "its header says 0 segments, expected 1 to 16"},
	{"too many segments", 1, 17, "its header says 17 segments"},
	{"a segment too much", 1, 5, "segment 5 of 5"},
	{"a segment too few", 1, 3, "its checksum is"},
	{"a length that wraps", 31, 0xFF, "segment 1 of 4 goes on for 42"},
	{"a header that was changed", 3, 0x10, "the SHA-256 at its end is not that of its bytes"},
	{"another byte in a segment", 300, 0xA7, "its checksum is"},
};

static void a_bad_header_is_named(void **state)
{
	const struct header_row *row = *state;
	struct esp_bytes bytes = application();
	struct esp_image image;
	struct reason reason = {""};

	assert_int_not_equal(bytes.data[row->at], row->value);
	bytes.data[row->at] = row->value;
	assert_int_equal(
		read_exact(bytes.data, bytes.n, ESP_IMAGE_32, &image, &reason), IMAGE_REFUSED);
	if (!strstr(reason.text, row->expected))
		fail_msg("'%s' is not in: %s", row->expected, reason.text);
	esp_bytes_done(&bytes);
}

/* The least and the highest revision, by the field of one byte and by those of two. */
static const struct revision_row {
	const char *name;
	uint16_t chip_id;
	uint8_t old;
	uint16_t min, max;
	uint32_t expected_min, expected_max;
} revision_rows[] = {
	{"no limits", 0, 0, 0, ESP_ANY_REVISION, 0, UINT32_MAX},
	{"both", 0, 0, 100, 399, 100, 399},
	{"an old file for the ESP32", 0, 3, 0, 0, 300, UINT32_MAX},
	{"an old file for the C3", 5, 3, 0, 0, 3, UINT32_MAX},
	{"an old file for the S3", 9, 3, 0, 0, 0, UINT32_MAX},
	{"both fields: the new one counts", 0, 3, 301, ESP_ANY_REVISION, 301, UINT32_MAX},
};

static void revisions_are_read(void **state)
{
	const struct revision_row *row = *state;
	const struct esp_make_segment segment = {0x40080000, "abcdefgh", 8};
	struct esp_bytes bytes = esp_make_image(&(struct esp_make_image){
		.chip_id = row->chip_id,
		.old_min_revision = row->old,
		.min_revision = row->min,
		.max_revision = row->max,
		.no_digest = true,
		.segments = &segment,
		.n_segments = 1,
	});
	struct esp_image image;
	struct reason reason = {""};

	assert_int_equal(read_exact(bytes.data, bytes.n, ESP_IMAGE_32, &image, &reason), IMAGE_OK);
	assert_false(image.has_digest);
	assert_int_equal(image.min_revision, row->expected_min);
	assert_int_equal(image.max_revision, row->expected_max);
	esp_bytes_done(&bytes);
}

static void the_8266_has_a_header_of_its_own(void **state)
{
	struct esp_bytes bytes =
		esp_make_application(esp_make_chip("esp8266"), "old", "1", 5000, 1);
	struct esp_bytes later = application();
	struct esp_image image;
	struct reason reason;

	(void)state;
	assert_int_equal(
		read_exact(bytes.data, bytes.n, ESP_IMAGE_8266, &image, &reason), IMAGE_OK);
	assert_int_equal(image.n_bytes, bytes.n);
	assert_int_equal(image.flash.bytes, 1 << 20);
	assert_int_equal(
		read_exact(bytes.data, bytes.n, ESP_IMAGE_32, &image, &reason), IMAGE_REFUSED);
	assert_int_equal(
		read_exact(later.data, later.n, ESP_IMAGE_8266, &image, &reason), IMAGE_REFUSED);
	esp_bytes_done(&later);
	esp_bytes_done(&bytes);
}

static void texts_without_an_end_and_with_controls_are_shown_safely(void **state)
{
	struct esp_bytes bytes = application();
	struct esp_image image;
	struct reason reason;
	char shown[ESP_IMAGE_SHOWN_MAX];

	(void)state;
	memset(bytes.data + 32 + 16, '\033', 64);
	bytes.data[23] = 0;
	/* 64 equal bytes take nothing from the sum; those that stood there are taken out of it. */
	for (size_t i = 0; i < 1; i++) {
		struct esp_bytes as_made = application();

		for (size_t j = 48; j < 112; j++)
			bytes.data[bytes.n - 33] ^= as_made.data[j];
		esp_bytes_done(&as_made);
	}
	assert_int_equal(read_exact(bytes.data, bytes.n, ESP_IMAGE_32, &image, &reason), IMAGE_OK);
	assert_int_equal(strlen(image.version), 32);
	esp_image_show(&image, shown);
	assert_null(strchr(shown, '\033'));
	assert_non_null(strstr(shown, "\\x1b"));
	esp_bytes_done(&bytes);
}

static void chips_are_named_by_their_ids(void **state)
{
	(void)state;
	assert_string_equal(esp_image_chip_name(0), "ESP32");
	assert_string_equal(esp_image_chip_name(5), "ESP32-C3");
	assert_string_equal(esp_image_chip_name(1), "a chip that is not known here");
	assert_string_equal(esp_image_chip_name(0xFFFF), "a chip that is not known here");
}

int main(void)
{
	struct CMUnitTest tests[40];
	size_t n_tests = 0;

	ADD_TEST(tests, n_tests, an_application_is_read);
	ADD_TEST(tests, n_tests, a_boot_loader_is_none);
	ADD_TEST(tests, n_tests, more_may_follow_it);
	ADD_TEST(tests, n_tests, no_bent_byte_is_missed);
	ADD_TEST(tests, n_tests, cut_off_anywhere_it_is_refused);
	ADD_ROWS(tests, n_tests, header_rows, a_bad_header_is_named);
	ADD_ROWS(tests, n_tests, revision_rows, revisions_are_read);
	ADD_TEST(tests, n_tests, the_8266_has_a_header_of_its_own);
	ADD_TEST(tests, n_tests, texts_without_an_end_and_with_controls_are_shown_safely);
	ADD_TEST(tests, n_tests, chips_are_named_by_their_ids);
	return RUN_TESTS("esp-image", tests, n_tests);
}
