/* SPDX-License-Identifier: MIT */
/*
 * test-application-strangers.c - what the question of one protocol means to everything else that
 * may be behind a bridge: nothing (application-protocols.md 7). Asked are peers that never answer,
 * so what is judged is all that a probe sends, repeats too; in every choice of protocols that a
 * rule may name, one behind the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "application/application-protocol.h"
#include "application/ash.h"
#include "application/cpc.h"
#include "application/hdlc.h"
#include "application/mt.h"
#include "application/zwave.h"
#include "unit/spoken-port.h"

#define STREAM_BYTES 1024

struct stream {
	uint8_t bytes[STREAM_BYTES];
	size_t n_bytes;
};

/* What is sent where nobody answers; at each rate of the protocol, for the rate may be the same. */
static void add_probe(struct stream *stream, enum application_protocol protocol)
{
	const struct application_protocol_ops *ops = application_protocol_of(protocol);

	assert_non_null(ops);
	for (size_t i = 0; i < ops->n_bauds; i++) {
		struct spoken spoken;

		spoken_begin(NULL, 0);
		assert_int_equal(spoken_ask(&spoken, ops), APPLICATION_SILENT);
		assert_true(the_port.n_written > 0);
		assert_true(stream->n_bytes + the_port.n_written <= STREAM_BYTES);
		memcpy(stream->bytes + stream->n_bytes, the_port.written, the_port.n_written);
		stream->n_bytes += the_port.n_written;
	}
}

/* Asks of `chosen`, a set of bits, in the order of probing, all but `left_out`. */
static struct stream stream_of(unsigned chosen, enum application_protocol left_out)
{
	struct stream stream = {.n_bytes = 0};

	for (enum application_protocol p = 0; p < APPLICATION_PROTOCOL_MAX; p++)
		if (chosen & 1u << p && p != left_out)
			add_probe(&stream, p);
	return stream;
}

#define ALL_CHOICES (1u << APPLICATION_PROTOCOL_MAX)

static void assert_none_of(const struct stream *stream, const char *bytes, size_t n_bytes)
{
	for (size_t i = 0; i < stream->n_bytes; i++)
		if (memchr(bytes, stream->bytes[i], n_bytes))
			fail_msg("byte %zu is 0x%02x", i, stream->bytes[i]);
}

/* '1' begins an upload in the Gecko boot loader, '2' starts the application; '1' to '4' do so in
 * ST's menus, and 'a' aborts (file-loaders.md 2, 3). */
static void no_menu_is_chosen_from(void **state)
{
	struct stream stream = stream_of(ALL_CHOICES - 1, APPLICATION_PROTOCOL_MAX);

	(void)state;
	assert_none_of(&stream, "1234aA", 6);
}

/* An XOFF would stop an NCP that has software flow control. */
static void no_application_is_stopped(void **state)
{
	struct stream stream = stream_of(ALL_CHOICES - 1, APPLICATION_PROTOCOL_MAX);

	(void)state;
	assert_none_of(&stream, "\x13", 1);
}

/* AN3155 3: a command is a byte and its complement. */
static void no_stm32_is_commanded(void **state)
{
	(void)state;
	for (unsigned chosen = 1; chosen < ALL_CHOICES; chosen++) {
		struct stream stream = stream_of(chosen, APPLICATION_PROTOCOL_MAX);

		for (size_t i = 0; i + 1 < stream.n_bytes; i++)
			if ((stream.bytes[i] ^ stream.bytes[i + 1]) == 0xFF)
				fail_msg("byte %zu of choice %u", i, chosen);
	}
}

/* A loader that is synchronised takes a byte as the size of a packet (ti-bsl.md 1, 2): at whatever
 * byte it begins, there is no packet with a good checksum that is a command. */
static void no_ti_loader_is_commanded(void **state)
{
	(void)state;
	for (unsigned chosen = 1; chosen < ALL_CHOICES; chosen++) {
		struct stream stream = stream_of(chosen, APPLICATION_PROTOCOL_MAX);

		for (size_t at = 0; at + 3 <= stream.n_bytes; at++) {
			const uint8_t *packet = stream.bytes + at;
			uint8_t sum = 0;

			/* What synchronises one that is not. */
			assert_false(packet[0] == 0x55 && packet[1] == 0x55);
			if (packet[0] < 3 || at + packet[0] > stream.n_bytes)
				continue;
			for (size_t i = 2; i < packet[0]; i++)
				sum = (uint8_t)(sum + packet[i]);
			if (sum == packet[1] && packet[2] >= 0x20 && packet[2] <= 0x2D)
				fail_msg("a packet at byte %zu of choice %u", at, chosen);
		}
	}
}

/* A request of Espressif's ROM is a SLIP frame that begins with 00 (esp-rom.md 1.2). */
static void no_esp_is_commanded(void **state)
{
	struct stream stream = stream_of(ALL_CHOICES - 1, APPLICATION_PROTOCOL_MAX);

	(void)state;
	for (size_t i = 0; i + 1 < stream.n_bytes; i++)
		assert_false(stream.bytes[i] == 0xC0 && stream.bytes[i + 1] == 0x00);
}

/* ------------------------------------------------------------------ other applications */

static void no_frame_begins_elsewhere(void **state)
{
	static const struct {
		enum application_protocol protocol;
		uint8_t begin;
	} rows[] = {
		{APPLICATION_CPC, CPC_FLAG},
		{APPLICATION_ZWAVE, ZWAVE_SOF},
		{APPLICATION_MT, MT_SOF},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct stream stream = stream_of(ALL_CHOICES - 1, rows[i].protocol);

		assert_none_of(&stream, (const char *)&rows[i].begin, 1);
	}
}

static void no_frame_ends_elsewhere(void **state)
{
	(void)state;
	for (unsigned chosen = 1; chosen < ALL_CHOICES; chosen++) {
		struct stream of_ash = stream_of(chosen, APPLICATION_EZSP);
		struct stream of_hdlc = stream_of(chosen, APPLICATION_SPINEL);
		struct ash_receiver ash = {.n_body = 0};
		struct hdlc_receiver hdlc = {.n_body = 0};
		size_t n;

		for (size_t i = 0; i < of_ash.n_bytes; i++)
			assert_int_not_equal(ash_take(&ash, of_ash.bytes[i], &n), ASH_FRAME);
		for (size_t i = 0; i < of_hdlc.n_bytes; i++)
			assert_false(hdlc_take(&hdlc, of_hdlc.bytes[i], &n));
	}
}

/* What stands before a question does not keep it from being read. */
static void every_question_is_read_behind_all_others(void **state)
{
	struct stream stream = stream_of(ALL_CHOICES - 1, APPLICATION_PROTOCOL_MAX);
	struct ash_receiver ash = {.n_body = 0};
	struct hdlc_receiver hdlc = {.n_body = 0};
	size_t n, n_rst = 0, n_bodies = 0;

	(void)state;
	for (size_t i = 0; i < stream.n_bytes; i++) {
		n_rst += ash_take(&ash, stream.bytes[i], &n) == ASH_FRAME && ash.body[0] == ASH_RST;
		n_bodies += hdlc_take(&hdlc, stream.bytes[i], &n);
	}
	assert_int_equal(n_rst, 2 * application_ezsp.n_bauds);
	assert_int_equal(n_bodies, 4 * application_spinel.n_bauds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_menu_is_chosen_from),
		cmocka_unit_test(no_application_is_stopped),
		cmocka_unit_test(no_stm32_is_commanded),
		cmocka_unit_test(no_ti_loader_is_commanded),
		cmocka_unit_test(no_esp_is_commanded),
		cmocka_unit_test(no_frame_begins_elsewhere),
		cmocka_unit_test(no_frame_ends_elsewhere),
		cmocka_unit_test(every_question_is_read_behind_all_others),
	};

	return cmocka_run_group_tests_name("application-strangers", tests, NULL, NULL);
}
