/* SPDX-License-Identifier: MIT */
/*
 * How long 1 MiB takes, on the times of data sheets and of the line alone (W25Q32JV, typical; a
 * frame of USB each way), beside the floor: what wire, erase, programming and digest take if nobody
 * ever waits. performance.md has the table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/util.h"
#include "sim/bench.h"
#include "sim/esp-flash.h"
#include "tools/esp-make.h"

#define OFFSET	      0x10000u
#define BYTES	      (1024u * 1024 - 4096)
#define PACKET	      1024u
#define MD5_BYTE_NSEC 900u

/* 1 MiB of application, and its size in the packets that go over the line. */
struct load {
	struct esp_bytes bytes;
	uint64_t wire_bytes;
};

struct row {
	const char *chip;
	unsigned baud;
	bool compress;
	double least; /* of the floor, to be reached; 0: told alone */
};

/* Bytes of a SLIP frame: two ends, and those that are escaped. */
static uint64_t frame_bytes(const uint8_t *bytes, size_t n)
{
	uint64_t size = 2 + 8 + 16 + n;

	for (size_t i = 0; i < n; i++)
		size += bytes[i] == 0xC0 || bytes[i] == 0xDB;
	return size;
}

static uint64_t packets_bytes(const uint8_t *bytes, size_t n)
{
	uint64_t size = 0;

	for (size_t at = 0; at < n; at += PACKET)
		size += frame_bytes(bytes + at, n - at < PACKET ? n - at : PACKET);
	return size;
}

static uint64_t deflated_bytes(const struct esp_bytes *bytes)
{
	uLongf n = compressBound(bytes->n);
	CLEANUP(freep) uint8_t *packed = malloc(n);

	assert_non_null(packed);
	assert_int_equal(compress2(packed, &n, bytes->data, bytes->n, 9), Z_OK);
	return packets_bytes(packed, n);
}

/* One erase of the whole (esp-rom.md 4.2), each page programmed once, one digest, and the bytes. */
static double floor_sec(const struct row *row, const struct load *load)
{
	uint64_t sectors = (load->bytes.n + ESP_SECTOR - 1) / ESP_SECTOR;
	uint64_t blocks = (sectors - 16 - 1) / 16, rest = sectors - 16 * blocks;
	uint64_t nsec = rest * ESPFLASH_SECTOR_NSEC + blocks * ESPFLASH_BLOCK_NSEC +
			load->bytes.n / ESPFLASH_PAGE * ESPFLASH_PROGRAM_NSEC +
			load->bytes.n * MD5_BYTE_NSEC;

	return (double)nsec / 1e9 + (double)load->wire_bytes * 10 / row->baud;
}

/* When so much of the image had been written: what is between has no erase in it. */
#define FROM_BYTES (128u * 1024)
#define TO_BYTES   (896u * 1024)

struct watch {
	uint64_t from, to, from_bytes, to_bytes; /* milliseconds, and bytes of the image */
};

static void on_progress(void *userdata, const struct progress *progress)
{
	struct watch *watch = userdata;

	if (progress->phase != PHASE_WRITE)
		return;
	if (progress->done >= FROM_BYTES && watch->from == 0) {
		watch->from = bench_msec(NULL);
		watch->from_bytes = progress->done;
	}
	if (progress->done > FROM_BYTES && progress->done <= TO_BYTES) {
		watch->to = bench_msec(NULL);
		watch->to_bytes = progress->done;
	}
}

/* The part of the line's time that bytes fill while blocks are written, with their programming. */
static double filled(const struct watch *watch, const struct row *row, const struct load *load)
{
	double bytes = (double)load->wire_bytes * (double)(watch->to_bytes - watch->from_bytes) /
		       (double)load->bytes.n;

	assert_true(watch->to > watch->from && watch->to_bytes > watch->from_bytes);
	return bytes * 10 / row->baud * 1000 / (double)(watch->to - watch->from);
}

/* Boot loader and table, without which nothing would start the application. */
static void preload(struct bench *bench, const char *chip)
{
	struct esp_make_project project = esp_make_project(chip, "0.9.0", 8192, false);

	for (size_t i = 0; i < project.n_parts; i++)
		memcpy(sim_flash(bench->sim) + project.parts[i].offset, project.parts[i].bytes.data,
			project.parts[i].bytes.n);
	esp_make_project_done(&project);
}

static void measure(const struct row *row)
{
	struct load load = {
		.bytes = esp_make_application(esp_make_chip(row->chip), "x", "1.0.0", BYTES, 5)};
	const struct image_options options = {.address = OFFSET, .max_bytes = 2 * 1024 * 1024};
	struct watch watch = {0};
	struct reason reason = {""};
	struct bench *bench;
	double took, least;
	char rule[200];

	load.wire_bytes = row->compress ? deflated_bytes(&load.bytes)
					: packets_bytes(load.bytes.data, load.bytes.n);
	snprintf(rule, sizeof(rule),
		"protocol = esp\nchip = %s\naddress = 0x10000\nbaud = %u\ncompress = %s\n",
		row->chip, row->baud, row->compress ? "yes" : "no");
	bench = bench_new(row->chip, rule);
	preload(bench, row->chip);
	assert_int_equal(image_read("x.bin", load.bytes.data, (uint32_t)load.bytes.n, &options,
				 &bench->image, &reason),
		0);
	bench->on_progress = on_progress;
	bench->userdata = &watch;
	if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
		fail_msg("%s", bench->report.reason.text);
	assert_true(bench_holds_image(bench));
	took = (double)bench_msec(bench) / 1000;
	least = floor_sec(row, &load);
	print_message(
		"# figure: 1 MiB, %s, %s, %u baud: %.1f s, floor %.1f s (wire %.1f s), %.2f of it; the line is filled to %.2f in between\n",
		row->chip, row->compress ? "deflate" : "plain", row->baud, took, least,
		(double)load.wire_bytes * 10 / row->baud, least / took, filled(&watch, row, &load));
	assert_true(least / took >= row->least);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
	print_message("# figure: the same once more: current after %.1f s\n",
		(double)bench_msec(bench) / 1000 - took);
	bench_free(bench);
	esp_bytes_done(&load.bytes);
}

static void a_mebibyte_takes_little_more_than_the_floor(void **state)
{
	static const struct row rows[] = {
		{"esp32", 115200, false, 0.85},
		{"esp32", 460800, false, 0.85},
		{"esp32", 921600, false, 0},
		{"esp32c3", 115200, false, 0.85},
		{"esp32c3", 460800, false, 0.85},
		{"esp32c3", 921600, false, 0},
		{"esp32c3", 115200, true, 0.85},
		{"esp32c3", 460800, true, 0.84},
		{"esp32c3", 921600, true, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		measure(&rows[i]);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_mebibyte_takes_little_more_than_the_floor),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
