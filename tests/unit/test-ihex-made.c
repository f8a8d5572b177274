/* SPDX-License-Identifier: MIT */
/*
 * Intel HEX that the test makes: size, order and damage of a file cost neither time nor memory, and
 * make no other image.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reading.h"

struct text {
	char *bytes;
	size_t n;
};

static void add_record(
	struct text *text, uint8_t type, uint16_t offset, const uint8_t *data, uint8_t n_data)
{
	uint8_t sum = (uint8_t)(n_data + type + (offset >> 8) + offset);
	char *to = text->bytes + text->n;

	to += sprintf(to, ":%02X%04X%02X", n_data, offset, type);
	for (size_t i = 0; i < n_data; i++) {
		to += sprintf(to, "%02X", data[i]);
		sum = (uint8_t)(sum + data[i]);
	}
	to += sprintf(to, "%02X\n", (uint8_t)-sum);
	text->n = (size_t)(to - text->bytes);
}

static void add_base(struct text *text, uint32_t address)
{
	const uint8_t base[] = {(uint8_t)(address >> 24), (uint8_t)(address >> 16)};

	add_record(text, 4, 0, base, sizeof(base));
}

enum order { RISING, FALLING, RANDOM, GAPS };

static double seconds_to_read(enum order order, size_t n_records)
{
	CLEANUP(freep) size_t *places = calloc(n_records, sizeof(*places));
	struct text text = {.bytes = malloc(n_records * 64)};
	struct image image = {};
	struct reason reason = {};
	unsigned seed = 2;
	clock_t begin;
	double seconds;

	assert_true(places && text.bytes);
	for (size_t i = 0; i < n_records; i++)
		places[i] = order == FALLING ? n_records - 1 - i : i;
	for (size_t i = n_records - 1; order == RANDOM && i > 0; i--) {
		size_t other = (size_t)rand_r(&seed) % (i + 1), place = places[i];

		places[i] = places[other];
		places[other] = place;
	}
	for (size_t i = 0; i < n_records; i++) {
		uint32_t address = 0x08000000 + (uint32_t)places[i] * 16;
		uint8_t data[16];

		memset(data, (uint8_t)places[i], sizeof(data));
		if (order == RANDOM || i == 0 || places[i] / 4096 != places[i - 1] / 4096)
			add_base(&text, address);
		add_record(&text, 0, (uint16_t)address, data, order == GAPS ? 15 : 16);
	}
	add_record(&text, 1, 0, NULL, 0);

	begin = clock();
	assert_int_equal(read_exact("gate.hex", text.bytes, text.n, (uint32_t)n_records * 16,
				 &image, &reason),
		0);
	seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
	assert_int_equal(image.n_segments, order == GAPS ? n_records : 1);
	for (size_t i = 0; i < n_records; i++)
		assert_int_equal(image_byte(&image, 0x08000000 + (uint32_t)i * 16 + 3), (uint8_t)i);
	image_done(&image);
	free(text.bytes);
	return seconds;
}

/* What was quadratic would take minutes; the bound leaves room for sanitizers. */
static void two_mebibytes_are_read_at_once_in_any_order(void **state)
{
	static const char *const names[] = {"rising", "falling", "random", "gaps"};
	(void)state;

	for (enum order order = RISING; order <= GAPS; order++) {
		double seconds = seconds_to_read(order, 2 * 1024 * 1024 / 16);

		print_message(
			"# figure: 2 MiB Intel HEX, %s: %.0f ms\n", names[order], seconds * 1000);
		if (seconds > 1.5)
			fail_msg("%s: %.1f s", names[order], seconds);
	}
}

/* A model as plain as can be: an array of bytes and one of marks. */
#define MODEL_SIZE 4096

static void random_files_give_what_a_model_gives(void **state)
{
	static uint8_t bytes[MODEL_SIZE], is_there[MODEL_SIZE];
	unsigned seed = 3, n_read = 0;
	(void)state;

	for (unsigned round = 0; round < 500; round++) {
		const uint32_t base = 0x0800F800; /* a new base in the middle */
		struct text text = {.bytes = malloc(256 * 1024)};
		struct image image = {};
		struct reason reason = {};
		uint8_t copy[MODEL_SIZE];
		bool overlaps = false;
		int r;

		assert_non_null(text.bytes);
		memset(bytes, 0xFF, sizeof(bytes));
		memset(is_there, 0, sizeof(is_there));
		for (unsigned i = (unsigned)rand_r(&seed) % 40 + 1; i > 0; i--) {
			uint8_t data[255], n = (uint8_t)((unsigned)rand_r(&seed) % 64 + 1);
			size_t at = (size_t)rand_r(&seed) % (MODEL_SIZE - n);

			at -= round % 2 ? at % 64 : 0; /* every other round few overlap */
			for (size_t j = 0; j < n; j++) {
				data[j] = (uint8_t)rand_r(&seed);
				overlaps = overlaps || is_there[at + j];
				bytes[at + j] = data[j];
				is_there[at + j] = 1;
			}
			add_base(&text, base + (uint32_t)at);
			add_record(&text, 0, (uint16_t)(base + at), data, n);
		}
		add_record(&text, 1, 0, NULL, 0);

		r = read_exact("gate.hex", text.bytes, text.n, MODEL_SIZE, &image, &reason);
		assert_int_equal(r, overlaps ? IMAGE_REFUSED : IMAGE_OK);
		if (r == IMAGE_OK) {
			image_copy(&image, base, copy, sizeof(copy));
			assert_memory_equal(copy, bytes, sizeof(copy));
			for (uint32_t i = 0; i < MODEL_SIZE; i++)
				assert_int_equal(image_touches(&image, base + i, 1), is_there[i]);
			n_read++;
		}
		image_done(&image);
		free(text.bytes);
	}
	assert_in_range(n_read, 50, 450);
}

/* ------------------------------------------------------------------ damage */

static void check_order(const struct image *image, uint32_t max_bytes)
{
	uint64_t total = 0;

	for (size_t i = 0; i < image->n_segments; i++) {
		const struct segment *segment = &image->segments[i];

		assert_true(segment->size > 0);
		assert_true((uint64_t)segment->address + segment->size <= UINT32_MAX);
		assert_true(i == 0 ||
			    (uint64_t)segment[-1].address + segment[-1].size < segment->address);
		total += segment->size;
	}
	assert_true(total > 0 && total <= max_bytes);
	assert_int_equal(total, image_bytes(image));
}

/* Corrects the sum of the record in the line at `at`, so that damage gets past that check. */
static void mend_sum(struct text *text, size_t at)
{
	size_t begin = at, end = at;
	unsigned sum = 0, byte;

	while (begin > 0 && text->bytes[begin - 1] != '\n')
		begin--;
	while (end < text->n && text->bytes[end] != '\n')
		end++;
	if (end - begin < 11 || text->bytes[begin] != ':')
		return;
	for (size_t i = begin + 1; i + 4 <= end; i += 2)
		if (sscanf((char[]){text->bytes[i], text->bytes[i + 1], '\0'}, "%2x", &byte) == 1)
			sum += byte;
	text->bytes[end - 2] = "0123456789ABCDEF"[(uint8_t)-sum >> 4];
	text->bytes[end - 1] = "0123456789ABCDEF"[(uint8_t)-sum & 15];
}

static void damage(struct text *text, size_t room, unsigned *seed)
{
	static const char letters[] = "0123456789ABCDEFabcdef:\n\r \tGS\x7f";
	size_t at = (size_t)rand_r(seed) % text->n, other = (size_t)rand_r(seed) % text->n;
	char piece[48];
	size_t n = (size_t)rand_r(seed) % sizeof(piece) + 1;

	switch (rand_r(seed) % 7) {
	case 0:
		text->bytes[at] = (char)(text->bytes[at] ^ 1 << rand_r(seed) % 8);
		return;
	case 1:
		text->bytes[at] = letters[(size_t)rand_r(seed) % (sizeof(letters) - 1)];
		return;
	case 2: /* a digit, and the sum with it */
	case 3:
		text->bytes[at] = letters[(size_t)rand_r(seed) % 16];
		mend_sum(text, at);
		return;
	case 4: /* a piece missing */
		n = n < text->n - at ? n : text->n - at - 1;
		memmove(text->bytes + at, text->bytes + at + n, text->n - at - n);
		text->n -= n;
		return;
	case 5: /* a piece twice */
		if (other + n > text->n || text->n + n > room)
			return;
		memcpy(piece, text->bytes + other, n);
		memmove(text->bytes + at + n, text->bytes + at, text->n - at);
		memcpy(text->bytes + at, piece, n);
		text->n += n;
		return;
	case 6: /* cut off */
		if (rand_r(seed) % 8 == 0)
			text->n = at + 1;
		return;
	}
}

static void fault_36_random_damage_neither_crashes_nor_passes_the_bound(void **state)
{
	const size_t room = 8192;
	const uint32_t max_bytes = 200;
	unsigned seed = 4, n_accepted = 0, n_refused = 0;
	struct text whole = {.bytes = malloc(room)}, text = {.bytes = calloc(1, room)};
	(void)state;

	assert_true(whole.bytes && text.bytes);
	add_base(&whole, 0x08000000);
	for (uint16_t i = 0; i < 10; i++) {
		uint8_t data[16];

		memset(data, i * 17, sizeof(data));
		add_record(&whole, 0, (uint16_t)(i * 24), data, sizeof(data));
	}
	add_record(&whole, 1, 0, NULL, 0);

	for (unsigned round = 0; round < 50000; round++) {
		struct image image = {};
		struct reason reason = {};
		int r;

		memcpy(text.bytes, whole.bytes, whole.n);
		text.n = whole.n;
		for (int i = rand_r(&seed) % 4; i >= 0; i--)
			damage(&text, room, &seed);
		r = read_exact("gate.hex", text.bytes, text.n, max_bytes, &image, &reason);
		assert_in_range(r, IMAGE_OK, IMAGE_REFUSED);
		if (r == IMAGE_OK) {
			check_order(&image, max_bytes);
			image_done(&image);
			n_accepted++;
		} else {
			assert_true(strlen(reason.text) > 0);
			n_refused++;
		}
	}
	/* Both ways were gone: mended sums and blank characters leave a file good. */
	assert_true(n_accepted > 500);
	assert_true(n_refused > 25000);
	free(whole.bytes);
	free(text.bytes);
}

/* Each single flipped bit, everywhere: read as before, or refused; never another image. */
static void fault_36_no_single_flipped_bit_changes_the_image(void **state)
{
	static const char whole[] = ":020000040800F2\n"
				    ":10000000000102030405060708090A0B0C0D0E0F78\n"
				    ":10001000101112131415161718191A1B1C1D1E1F68\n"
				    ":00000001FF\n";
	(void)state;

	for (size_t bit = 0; bit < 8 * (sizeof(whole) - 1); bit++) {
		char text[sizeof(whole)];
		uint8_t got[32];
		struct image image = {};
		struct reason reason = {};

		memcpy(text, whole, sizeof(whole));
		text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
		if (read_exact("gate.hex", text, sizeof(whole) - 1, 64, &image, &reason) !=
			IMAGE_OK)
			continue;
		assert_int_equal(image_bytes(&image), 32);
		assert_true(image_copy(&image, 0x08000000, got, sizeof(got)));
		assert_memory_equal(got, BYTES_16 BYTES_NEXT_16, sizeof(got));
		image_done(&image);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_mebibytes_are_read_at_once_in_any_order),
		cmocka_unit_test(random_files_give_what_a_model_gives),
		cmocka_unit_test(fault_36_random_damage_neither_crashes_nor_passes_the_bound),
		cmocka_unit_test(fault_36_no_single_flipped_bit_changes_the_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
