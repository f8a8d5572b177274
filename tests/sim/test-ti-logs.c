/* SPDX-License-Identifier: MIT */
/*
 * test-ti-logs.c - what real chips have answered, as users' logs of cc2538-bsl tell it, said to the
 * simulated ones again: each request as that tool makes it, each answer with the bytes that the log
 * makes known, and ?? where it tells no more than that a byte was there.
 *
 * The tool says `Got 0 additional bytes` where an answer begins with 00 CC at once, `received 6
 * bytes` and `received 3 bytes` of a packet, and prints what it has read from it. The images of
 * those runs are not here; an image of the same shape is, and its CRC.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/util.h"
#include "sim/ti-host.h"
#include "tools/ti-make.h"

#define BLOCK 248u

struct step {
	const char *request, *answer;
};

#define STATUS_GOOD                     \
	{"03 23 23", "00 CC 03 40 40"}, \
	{                               \
		"00 CC", ""             \
	}
#define PACKET(request, packet)     \
	{request, "00 CC " packet}, \
	{                           \
		"00 CC", ""         \
	}

static bool fits(const char *said, const char *known)
{
	if (strlen(said) != strlen(known))
		return false;
	for (size_t i = 0; known[i]; i++) {
		if (known[i] != '?' && known[i] != said[i])
			return false;
	}
	return true;
}

static void play(struct tihost *host, const struct step *steps, size_t n_steps)
{
	for (size_t i = 0; i < n_steps; i++) {
		const char *said = tihost_say(host, steps[i].request);

		if (!fits(said, steps[i].answer))
			fail_msg("upon '%s' the log has '%s', and the simulator says '%s'",
				steps[i].request, steps[i].answer, said);
	}
}

/* ------------------------------------------------------------------ what the tool writes */

static void expect_status(struct tihost *host)
{
	static const struct step steps[] = {STATUS_GOOD};

	play(host, steps, ARRAY_SIZE(steps));
}

static void send_good(struct tihost *host, const uint8_t *packet, size_t n)
{
	assert_string_equal(tihost_packet(host, packet, n), "00 CC");
	expect_status(host);
}

static void say_download(struct tihost *host, uint32_t address, uint32_t size)
{
	const uint8_t packet[] = {0x21, (uint8_t)(address >> 24), (uint8_t)(address >> 16),
		(uint8_t)(address >> 8), (uint8_t)address, (uint8_t)(size >> 24),
		(uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size};

	send_good(host, packet, sizeof(packet));
}

static void say_data(struct tihost *host, const uint8_t *data, uint32_t n)
{
	uint8_t packet[1 + BLOCK] = {0x24};

	memcpy(packet + 1, data, n);
	send_good(host, packet, n + 1);
}

static bool is_blank(const uint8_t *data, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (data[i] != 0xFF)
			return false;
	}
	return true;
}

/* Blocks that are all FF are left out, and a DOWNLOAD of all that is left stands in front of the
 * next; the last block has one of its own. Returns the bytes of the last, and where it went. */
static uint32_t write_image(
	struct tihost *host, const struct ti_make_image *image, uint32_t *ret_at)
{
	uint32_t left = image->chip->size, at = image->chip->base;
	const uint8_t *data = image->flash;
	bool is_set = false;

	for (; left > BLOCK; left -= BLOCK, at += BLOCK, data += BLOCK) {
		if (is_blank(data, BLOCK)) {
			is_set = false;
			continue;
		}
		if (!is_set)
			say_download(host, at, left);
		is_set = true;
		say_data(host, data, BLOCK);
	}
	say_download(host, at, left);
	say_data(host, data, left);
	*ret_at = at;
	return left;
}

static void expect_crc(struct tihost *host, const struct ti_make_image *image, bool is_38)
{
	uint32_t base = image->chip->base, size = image->chip->size;
	uint32_t crc = (uint32_t)crc32(0, image->flash, size);
	const uint8_t packet[13] = {0x27, (uint8_t)(base >> 24), (uint8_t)(base >> 16),
		(uint8_t)(base >> 8), (uint8_t)base, (uint8_t)(size >> 24), (uint8_t)(size >> 16),
		(uint8_t)(size >> 8), (uint8_t)size};
	uint8_t answer[256];

	assert_int_equal(tihost_ask(host, packet, is_38 ? 9 : 13, answer), 4);
	assert_int_equal(
		(uint32_t)answer[0] << 24 | answer[1] << 16 | answer[2] << 8 | answer[3], crc);
	expect_status(host);
}

/* ------------------------------------------------------------------ the logs */

/*
 * cc2538-bsl#105: CC2652P, 500000, "CC1350 PG2.0 (7x7mm): 352KB Flash, 20KB SRAM, CCFG.BL_CONFIG at
 * 0x00057FD8", IEEE 00:12:4B:00:22:81:19:36, mass erase, 360448 bytes of which the last 104 go to
 * 0x00057F98, CRC as the file's.
 */
static void a_cc2652p_as_in_the_log_of_105(void **state)
{
	static const struct sim_ti board = {
		.ieee = {0x00, 0x12, 0x4B, 0x00, 0x22, 0x81, 0x19, 0x36}};
	static const struct step steps[] = {
		{"55 55", "00 CC"},
		/* Not the CC2538's. */
		PACKET("03 28 28", "06 ?? ?? ?? ?? ??"),
		STATUS_GOOD,
		/* Wafer id BB41, revision 3 (or 1 or 2: PG2.x). */
		PACKET("09 A7 2A 50 00 13 18 01 01", "06 ?? 2F 10 B4 3B"),
		STATUS_GOOD,
		/* Package 7x7 in byte 2, IEEE among the protocols of byte 1. */
		PACKET("09 22 2A 50 00 12 94 01 01", "06 ?? ?? ?? ?2 ??"),
		STATUS_GOOD,
		/* Minor revision: 0 (the tool takes FF for it as well). */
		PACKET("09 2C 2A 50 00 10 A0 01 01", "06 ?? 00 ?? ?? ??"),
		STATUS_GOOD,
		/* 44 sectors. */
		PACKET("09 9B 2A 40 03 00 2C 01 01", "06 ?? 2C ?? ?? ??"),
		STATUS_GOOD,
		/* 20 KB, as that register says and the tool believes. */
		PACKET("09 E6 2A 40 08 22 50 01 01", "06 ?? 03 ?? ?? ??"),
		STATUS_GOOD,
		PACKET("09 82 2A 50 00 12 F4 01 01", "06 5D 00 4B 12 00"),
		STATUS_GOOD,
		PACKET("09 7E 2A 50 00 12 F0 01 01", "06 F2 36 19 81 22"),
		STATUS_GOOD,
		{"03 2C 2C", "00 CC"},
		STATUS_GOOD,
	};
	struct ti_make_image image = ti_make_new("cc2652p", "20210107", 0);
	struct tihost host;
	uint32_t at;

	(void)state;
	tihost_begin(&host, "cc2652p", &board, NULL);
	play(&host, steps, ARRAY_SIZE(steps));
	assert_int_equal(write_image(&host, &image, &at), 104);
	assert_int_equal(at, 0x57F98);
	expect_crc(&host, &image, false);
	tihost_reset(&host, false);
	assert_int_equal(sim_ti(host.sim)->start, SIM_TI_APPLICATION);
	ti_make_done(&image);
	tihost_end(&host);
}

/* cc2538-bsl#47: CC2650 at 115200; its user code is 8000F000. */
static void a_cc2650_as_in_the_log_of_47(void **state)
{
	static const struct step steps[] = {
		{"55 55", "00 CC"},
		PACKET("03 28 28", "06 70 80 00 F0 00"),
		STATUS_GOOD,
		PACKET("09 A7 2A 50 00 13 18 01 01", "06 ?? 2F A0 99 ?B"),
		STATUS_GOOD,
		PACKET("09 22 2A 50 00 12 94 01 01", "06 ?? ?? ?? ?? ??"),
		STATUS_GOOD,
		PACKET("09 9B 2A 40 03 00 2C 01 01", "06 ?? 20 ?? ?? ??"),
		STATUS_GOOD,
	};
	struct tihost host;

	(void)state;
	tihost_begin(&host, "cc2650", NULL, NULL);
	sim_set_format(host.sim, 115200, false, host.now);
	play(&host, steps, ARRAY_SIZE(steps));
	tihost_end(&host);
}

/*
 * cc2538-bsl#42 and #13: CC2538, "Target id 0xb964", 512KB, CCA at 0x0027FFD4, IEEE
 * 00:12:4B:00:AE:26:07:01, ERASE of 524288 bytes, the last 16 bytes to 0x0027FFF0, CRC as the
 * file's.
 */
static void a_cc2538_as_in_the_log_of_42(void **state)
{
	static const struct sim_ti board = {
		.ieee = {0x00, 0x12, 0x4B, 0x00, 0xAE, 0x26, 0x07, 0x01}};
	static const struct step steps[] = {
		{"55 55", "00 CC"},
		PACKET("03 28 28", "06 ?? ?? ?? B9 64"),
		STATUS_GOOD,
		/* DIECFG0: 4 * 128 KB. */
		PACKET("08 BF 2A 40 0D 30 14 04", "06 ?? ?? ?? ?? 4?"),
		STATUS_GOOD,
		/* DIECFG2: PG2.0. */
		PACKET("08 C7 2A 40 0D 30 1C 04", "06 ?? ?? ?? 20 ??"),
		STATUS_GOOD,
		PACKET("08 7E 2A 00 28 00 28 04", "06 5D 00 12 4B 00"),
		STATUS_GOOD,
		PACKET("08 82 2A 00 28 00 2C 04", "06 DC AE 26 07 01"),
		STATUS_GOOD,
		{"0B 4E 26 00 20 00 00 00 08 00 00", "00 CC"},
		STATUS_GOOD,
	};
	struct ti_make_image image = ti_make_new("cc2538", "20211222", 0);
	struct tihost host;
	uint32_t at;

	(void)state;
	tihost_begin(&host, "cc2538", &board, NULL);
	play(&host, steps, ARRAY_SIZE(steps));
	assert_int_equal(write_image(&host, &image, &at), 16);
	assert_int_equal(at, 0x27FFF0);
	expect_crc(&host, &image, true);
	tihost_reset(&host, false);
	assert_int_equal(sim_ti(host.sim)->start, SIM_TI_APPLICATION);
	ti_make_done(&image);
	tihost_end(&host);
}

/*
 * cc2538-bsl#175: a file of 352 KB on a CC2652P7. The tool is content, since it compares what it
 * has written; the chip has no valid image, and stays in its loader.
 */
static void a_file_for_half_the_flash_as_in_the_log_of_175(void **state)
{
	static const struct step steps[] = {
		{"55 55", "00 CC"},
		PACKET("09 9B 2A 40 03 00 2C 01 01", "06 ?? 58 ?? ?? ??"),
		STATUS_GOOD,
		{"03 2C 2C", "00 CC"},
		STATUS_GOOD,
	};
	struct ti_make_image image = ti_make_new("cc2652p", "20230507", 0);
	struct tihost host;
	uint32_t at;

	(void)state;
	tihost_begin(&host, "cc2652p7", NULL, NULL);
	play(&host, steps, ARRAY_SIZE(steps));
	assert_int_equal(write_image(&host, &image, &at), 104);
	assert_int_equal(at, 0x57F98);
	expect_crc(&host, &image, false);
	tihost_reset(&host, false);
	assert_int_equal(sim_ti(host.sim)->start, SIM_TI_NO_IMAGE);
	ti_make_done(&image);
	tihost_end(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cc2652p_as_in_the_log_of_105),
		cmocka_unit_test(a_cc2650_as_in_the_log_of_47),
		cmocka_unit_test(a_cc2538_as_in_the_log_of_42),
		cmocka_unit_test(a_file_for_half_the_flash_as_in_the_log_of_175),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
