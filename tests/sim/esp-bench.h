/* SPDX-License-Identifier: MIT */
/*
 * esp-bench.h - a bench with an Espressif board, and a whole build of ESP-IDF to be flashed on it.
 * Include after cmocka.h.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "sim/bench.h"
#include "tools/esp-make.h"

#define ESP_RULE "protocol = esp\nretries = 0\nretry-delay = 0\n"
#define ESP_APP	 0x10000

static inline uint32_t esp_get32(const uint8_t *from)
{
	return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static inline struct bench *esp_bench_new(const char *chip, const struct sim_esp *esp,
	const struct sim_faults *faults, const char *rule)
{
	struct sim_options options = {.chip = sim_chip_find(chip), .circuit = SIM_CIRCUIT_ESP};
	CLEANUP(freep) char *lines = NULL;

	if (esp)
		options.esp = *esp;
	if (faults)
		options.faults = *faults;
	assert_true(asprintf(&lines, ESP_RULE "chip = %s\n%s", chip, rule) > 0);
	return bench_new_with(&options, lines);
}

/* Puts the parts of a build up for flashing, as image_read() makes them of flasher_args.json. */
static inline void esp_take_parts(struct bench *bench, const struct esp_make_part *parts, size_t n)
{
	struct reason reason = {""};

	image_done(&bench->image);
	bench->image.parts = calloc(n, sizeof(*bench->image.parts));
	assert_non_null(bench->image.parts);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(image_add(&bench->image, parts[i].offset, parts[i].bytes.data,
					 (uint32_t)parts[i].bytes.n, 16 << 20, &reason),
			0);
		bench->image.parts[i] = (struct image_part){
			parts[i].offset, (uint32_t)parts[i].bytes.n, strdup(parts[i].file)};
	}
	bench->image.n_parts = n;
	bench->image.format = "files of an ESP-IDF build";
}

/* Boot loader, table of two slots and application; `version` decides the application alone. */
static inline void esp_take_build(
	struct bench *bench, const char *chip, const char *version, size_t app_size)
{
	const struct esp_make_chip *made = esp_make_chip(chip);
	struct esp_make_part parts[] = {
		{made->bootloader, "bootloader", "bootloader.bin", esp_make_bootloader(made, 0, 1)},
		{ESP_TABLE_OFFSET, "partition-table", "partition-table.bin",
			esp_make_table(esp_make_two_slots, ARRAY_SIZE(esp_make_two_slots), true)},
		{ESP_APP, "app", "app.bin",
			esp_make_application(made, "gate", version, app_size,
				(uint32_t)strtoul(version, NULL, 10))},
	};

	esp_take_parts(bench, parts, ARRAY_SIZE(parts));
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		esp_bytes_done(&parts[i].bytes);
}

/* The application of such a build alone, as a raw file for ESP_APP. */
static inline void esp_take_app(
	struct bench *bench, const char *chip, const char *version, size_t app_size)
{
	struct esp_bytes app = esp_make_application(esp_make_chip(chip), "gate", version, app_size,
		(uint32_t)strtoul(version, NULL, 10));
	struct reason reason = {""};

	image_done(&bench->image);
	assert_int_equal(
		image_add(&bench->image, ESP_APP, app.data, (uint32_t)app.n, 16 << 20, &reason), 0);
	bench->image.is_raw = true;
	bench->image.format = "raw";
	esp_bytes_done(&app);
}

static inline bool esp_runs_app(const struct bench *bench)
{
	return sim_state(bench->sim) == SIM_APPLICATION && sim_esp(bench->sim)->app == ESP_APP;
}

static inline unsigned esp_commands(const struct bench *bench, uint8_t opcode)
{
	return sim_counters(bench->sim)->commands[opcode];
}

/* A command that was sent: its opcode, and the first words of its data. */
struct esp_sent {
	uint8_t opcode;
	uint32_t words[4];
	uint64_t at_nsec;
};

#define ESP_SENT_MAX 8192

/* Those from the `from`-th byte on that the port has sent; at most ESP_SENT_MAX. */
static inline size_t esp_list_sent(size_t from, struct esp_sent *to)
{
	const struct port_sim_record *record = port_sim_record(BENCH_PORT);
	uint8_t frame[24];
	size_t n = 0, n_frame = 0;
	bool is_escaped = false;

	for (size_t i = from; i < record->n_sent; i++) {
		uint8_t byte = record->sent[i].byte;

		if (byte == 0xC0) {
			if (n_frame >= 8 && frame[0] == 0) {
				assert_true(n < ESP_SENT_MAX);
				to[n] = (struct esp_sent){
					.opcode = frame[1], .at_nsec = record->sent[i].at_nsec};
				for (size_t j = 8; j + 4 <= n_frame && j < 24; j += 4)
					to[n].words[j / 4 - 2] = esp_get32(frame + j);
				n++;
			}
			n_frame = 0;
			continue;
		}
		if (byte == 0xDB) {
			is_escaped = true;
			continue;
		}
		if (is_escaped)
			byte = byte == 0xDC ? 0xC0 : 0xDB;
		is_escaped = false;
		if (n_frame < sizeof(frame))
			frame[n_frame++] = byte;
	}
	return n;
}
