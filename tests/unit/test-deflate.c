/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/util.h"
#include "loader/deflate.h"

enum content { BLANK, NOISE, TEXT };

static uint8_t *make(enum content content, size_t n)
{
	uint8_t *bytes = malloc(n);
	uint32_t state = 7;

	assert_non_null(bytes);
	for (size_t i = 0; i < n; i++) {
		state = state * 1664525 + 1013904223;
		bytes[i] = content == BLANK  ? 0xFF
			   : content == TEXT ? (uint8_t)("the quick brown fox"[i % 19] + (i >> 9))
					     : (uint8_t)(state >> 24);
	}
	return bytes;
}

/* Packet by packet as the ROM does it: each gives as much as it says, and all of them the bytes. */
static void what_comes_out_of_each_packet_is_known(void **state)
{
	static const struct {
		enum content content;
		size_t n;
	} rows[] = {{BLANK, 4}, {BLANK, 1 << 20}, {NOISE, 1}, {NOISE, 1024}, {NOISE, 300001},
		{TEXT, 65536}, {TEXT, 1000000}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(freep) uint8_t *bytes = make(rows[i].content, rows[i].n);
		CLEANUP(freep) uint8_t *out = malloc(rows[i].n + 1);
		struct deflate *deflate = NULL;
		z_stream stream = {.next_out = out, .avail_out = (uInt)rows[i].n + 1};
		int result = Z_OK;

		assert_int_equal(deflate_new(bytes, rows[i].n, 1024, &deflate), 0);
		assert_int_equal(inflateInit(&stream), Z_OK);
		for (size_t j = 0; j < deflate->n_packets; j++) {
			const struct deflate_packet *packet = &deflate->packets[j];
			uLong before = stream.total_out;

			assert_in_range(packet->n_bytes, 1, 1024);
			assert_true(packet->n_bytes == 1024 || j + 1 == deflate->n_packets);
			stream.next_in = (Bytef *)packet->bytes;
			stream.avail_in = packet->n_bytes;
			assert_int_equal(result, Z_OK);
			result = inflate(&stream, Z_SYNC_FLUSH);
			assert_int_equal(stream.total_out - before, packet->n_output);
		}
		assert_int_equal(result, Z_STREAM_END);
		assert_int_equal(stream.total_out, rows[i].n);
		assert_memory_equal(out, bytes, rows[i].n);
		inflateEnd(&stream);
		assert_null(deflate_free(deflate));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_comes_out_of_each_packet_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
