/* SPDX-License-Identifier: MIT */
/*
 * esp-make.h - files as ESP-IDF's build and esptool leave them, for tests: images with header,
 * segments, checksum and SHA-256, application descriptions, partition tables, otadata, merged
 * files, flasher_args.json.
 *
 * All of it follows espressif's pages of the image format and of partition tables (esp-rom.md 3.2,
 * 5.1 to 5.3), and none of the code in src, which is judged by these files. make-esp is the same
 * from a shell. A fault ends the program: a test has nothing to go on with.
 *
 * Every esp_make_...() gives bytes from the heap, for esp_bytes_done().
 */
#pragma once

#include <errno.h>
#include <inttypes.h>
#include <md5.h>
#include <sha256.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"

#define ESP_SECTOR	   4096u
#define ESP_TABLE_OFFSET   0x8000u
#define ESP_TABLE_SIZE	   0xC00u
#define ESP_OTADATA_SIZE   0x2000u
#define ESP_ANY_REVISION   65535u
#define ESP_DESCRIPTION	   256u /* bytes of an application's description */
#define ESP_MAKE_CHIP_8266 0xFFFFu

struct esp_bytes {
	uint8_t *data;
	size_t n;
};

static inline void esp_bytes_done(struct esp_bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct esp_bytes){};
}

static inline _Noreturn void esp_make_die(const char *object, const char *what)
{
	fprintf(stderr, "esp-make: %s: %s\n", object, what);
	abort();
}

static inline struct esp_bytes esp_bytes_new(size_t n, uint8_t fill)
{
	struct esp_bytes bytes = {.data = malloc(n ? n : 1), .n = n};

	if (!bytes.data)
		esp_make_die("memory", "none is left");
	memset(bytes.data, fill, n);
	return bytes;
}

static inline void esp_put16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
}

static inline void esp_put32(uint8_t *to, uint32_t value)
{
	esp_put16(to, value);
	esp_put16(to + 2, value >> 16);
}

/* ------------------------------------------------------------------ chips */

/* Where a program of this chip lies: addresses of the data sheets, by esptool's targets. */
struct esp_make_chip {
	const char *name;	       /* as a rule says it */
	const char *written;	       /* as flasher_args.json says it */
	uint16_t id;		       /* in the header of an image */
	uint32_t bootloader;	       /* offset in the flash */
	uint32_t drom, irom;	       /* memory-mapped flash: constants, code */
	uint32_t dram, iram;	       /* of an application */
	uint32_t boot_dram, boot_iram; /* of a boot loader */
};

static const struct esp_make_chip esp_make_chips[] = {
	{"esp32", "esp32", 0, 0x1000, 0x3F400020, 0x400D0020, 0x3FFB0000, 0x40080000, 0x3FFF0018,
		0x40078000},
	{"esp32s2", "esp32s2", 2, 0x1000, 0x3F000020, 0x40080020, 0x3FFC0000, 0x40024000,
		0x3FFE6000, 0x4004C000},
	{"esp32s3", "esp32s3", 9, 0, 0x3C000020, 0x42000020, 0x3FC90000, 0x40374000, 0x3FCE3000,
		0x403C9000},
	{"esp32c3", "esp32c3", 5, 0, 0x3C000020, 0x42000020, 0x3FC90000, 0x40380000, 0x3FCD6000,
		0x403CE000},
	{"esp32c2", "esp32c2", 12, 0, 0x3C000020, 0x42000020, 0x3FCA0000, 0x4037C000, 0x3FCCC000,
		0x403AE000},
	{"esp32c6", "esp32c6", 13, 0, 0x42800020, 0x42000020, 0x40810000, 0x40800000, 0x4086A000,
		0x40860000},
	{"esp32h2", "esp32h2", 16, 0, 0x42800020, 0x42000020, 0x40810000, 0x40800000, 0x4083C000,
		0x40838000},
	{"esp32c61", "esp32c61", 20, 0, 0x42000020, 0x42010020, 0x40810000, 0x40800000, 0x4084A000,
		0x40840000},
	{"esp8266", "esp8266", ESP_MAKE_CHIP_8266, 0, 0x3FFE8000, 0x40100000, 0x3FFE8000,
		0x40100000, 0x3FFE8000, 0x40100000},
};

static inline const struct esp_make_chip *esp_make_chip(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(esp_make_chips); i++)
		if (strcmp(esp_make_chips[i].name, name) == 0)
			return &esp_make_chips[i];
	esp_make_die(name, "no such chip");
}

/* ------------------------------------------------------------------ images */

struct esp_make_segment {
	uint32_t address; /* of the processor */
	const void *data;
	size_t n;
};

struct esp_make_image {
	uint16_t chip_id; /* ESP_MAKE_CHIP_8266: a header of that kind, without the second one */
	uint8_t mode;	  /* 0 QIO 1 QOUT 2 DIO 3 DOUT */
	uint8_t size_and_frequency; /* 0x20: 4 MiB, 40 MHz */
	uint32_t entry;
	uint8_t old_min_revision;
	uint16_t min_revision;
	uint16_t max_revision; /* 0 as in files of before these two fields; ESP_ANY_REVISION */
	bool no_digest;	       /* no SHA-256 behind it */
	const struct esp_make_segment *segments;
	size_t n_segments;
};

/* Header, segments, zeros up to a byte before a line of 16, checksum, and the SHA-256 of that. */
static inline struct esp_bytes esp_make_image(const struct esp_make_image *image)
{
	bool is_8266 = image->chip_id == ESP_MAKE_CHIP_8266;
	size_t at = is_8266 ? 8 : 24, n = at, n_digest = is_8266 || image->no_digest ? 0 : 32;
	uint8_t checksum = 0xEF;
	struct esp_bytes bytes;

	for (size_t i = 0; i < image->n_segments; i++)
		n += 8 + image->segments[i].n;
	n += 16 - n % 16;
	bytes = esp_bytes_new(n + n_digest, 0);
	bytes.data[0] = 0xE9;
	bytes.data[1] = (uint8_t)image->n_segments;
	bytes.data[2] = image->mode;
	bytes.data[3] = image->size_and_frequency;
	esp_put32(bytes.data + 4, image->entry);
	if (!is_8266) {
		bytes.data[8] = 0xEE; /* no pin of the flash's WP was set */
		esp_put16(bytes.data + 12, image->chip_id);
		bytes.data[14] = image->old_min_revision;
		esp_put16(bytes.data + 15, image->min_revision);
		esp_put16(bytes.data + 17, image->max_revision);
		bytes.data[23] = n_digest > 0;
	}
	for (size_t i = 0; i < image->n_segments; i++) {
		const struct esp_make_segment *segment = &image->segments[i];

		esp_put32(bytes.data + at, segment->address);
		esp_put32(bytes.data + at + 4, (uint32_t)segment->n);
		memcpy(bytes.data + at + 8, segment->data, segment->n);
		for (size_t j = 0; j < segment->n; j++)
			checksum ^= bytes.data[at + 8 + j];
		at += 8 + segment->n;
	}
	bytes.data[n - 1] = checksum;
	if (n_digest > 0) {
		SHA2_CTX sha;

		SHA256Init(&sha);
		SHA256Update(&sha, bytes.data, n);
		SHA256Final(bytes.data + n, &sha);
	}
	return bytes;
}

/* An application's first segment begins with this: version, project, time, date, ESP-IDF. */
static inline void esp_make_description(
	uint8_t to[ESP_DESCRIPTION], const char *project, const char *version)
{
	memset(to, 0, ESP_DESCRIPTION);
	esp_put32(to, 0xABCD5432);
	snprintf((char *)to + 16, 32, "%s", version);
	snprintf((char *)to + 48, 32, "%s", project);
	snprintf((char *)to + 80, 16, "12:00:00");
	snprintf((char *)to + 96, 16, "Jan  1 2026");
	snprintf((char *)to + 112, 32, "v5.3-test");
}

/* Bytes of which no two blocks are the same, and which deflate to two thirds, as programs do: of
 * 32 values, and one in sixteen of all. */
static inline void esp_make_noise(uint8_t *to, size_t n, uint32_t seed)
{
	uint32_t state = seed * 2654435761u + 1;

	for (size_t i = 0; i < n; i++) {
		state = state * 1664525u + 1013904223u;
		to[i] = (uint8_t)(i % 16 == 0 ? state >> 24 : (state >> 27) * 7);
	}
}

/*
 * An application of at least `size` bytes, with description; `seed` decides its content. The parts
 * are those of a real one: constants and code in mapped flash, data and code in RAM. The text
 * "PROJECT VERSION" stands in it.
 */
static inline struct esp_bytes esp_make_application(const struct esp_make_chip *chip,
	const char *project, const char *version, size_t size, uint32_t seed)
{
	size_t n = (size < 4096 ? 4096 : size) / 4 / 4 * 4 + 64;
	struct esp_bytes content = esp_bytes_new(4 * n, 0), image;
	struct esp_make_segment segments[] = {
		{chip->drom, content.data, n},
		{chip->dram, content.data + n, n},
		{chip->iram, content.data + 2 * n, n},
		{chip->irom, content.data + 3 * n, n},
	};

	esp_make_noise(content.data, content.n, seed);
	esp_make_description(content.data, project, version);
	snprintf((char *)content.data + ESP_DESCRIPTION, 64, "%s %s\n", project, version);
	image = esp_make_image(&(struct esp_make_image){
		.chip_id = chip->id,
		.mode = 2,
		.size_and_frequency = 0x20,
		.entry = chip->iram,
		.max_revision = ESP_ANY_REVISION,
		.segments = segments,
		.n_segments = ARRAY_SIZE(segments),
	});
	esp_bytes_done(&content);
	return image;
}

/* A boot loader: RAM alone. Some 20 KiB at `size` 0. */
static inline struct esp_bytes esp_make_bootloader(
	const struct esp_make_chip *chip, size_t size, uint32_t seed)
{
	size_t n = (size ? size : 20480) / 2 / 4 * 4;
	struct esp_bytes content = esp_bytes_new(2 * n, 0), image;
	struct esp_make_segment segments[] = {
		{chip->boot_dram, content.data, n},
		{chip->boot_iram, content.data + n, n},
	};

	esp_make_noise(content.data, content.n, seed + 7777);
	image = esp_make_image(&(struct esp_make_image){
		.chip_id = chip->id,
		.mode = 2,
		.size_and_frequency = 0x20,
		.entry = chip->boot_iram,
		.max_revision = ESP_ANY_REVISION,
		.segments = segments,
		.n_segments = ARRAY_SIZE(segments),
	});
	esp_bytes_done(&content);
	return image;
}

/* ------------------------------------------------------------------ partitions */

struct esp_make_partition {
	const char *name;
	uint8_t type,
		subtype; /* 0 app: 00 factory, 10 to 1F ota_N, 20 test; 1 data: 00 otadata ... */
	uint32_t offset, size, flags;
};

/* The usual one of two slots: ota_0 at 0x10000 and ota_1 behind it, as Arduino has them. */
static const struct esp_make_partition esp_make_two_slots[] = {
	{"nvs", 1, 2, 0x9000, 0x5000, 0},
	{"otadata", 1, 0, 0xE000, 0x2000, 0},
	{"app0", 0, 0x10, 0x10000, 0x140000, 0},
	{"app1", 0, 0x11, 0x150000, 0x140000, 0},
	{"spiffs", 1, 0x82, 0x290000, 0x160000, 0},
	{"coredump", 1, 3, 0x3F0000, 0x10000, 0},
};

/* The one of ESP-IDF's examples. */
static const struct esp_make_partition esp_make_factory[] = {
	{"nvs", 1, 2, 0x9000, 0x6000, 0},
	{"phy_init", 1, 1, 0xF000, 0x1000, 0},
	{"factory", 0, 0, 0x10000, 0x100000, 0},
};

static inline struct esp_bytes esp_make_table(
	const struct esp_make_partition *partitions, size_t n, bool has_md5)
{
	struct esp_bytes table = esp_bytes_new(ESP_TABLE_SIZE, 0xFF);
	uint8_t *to = table.data;

	if (n > 95)
		esp_make_die("partition table", "too many partitions");
	for (size_t i = 0; i < n; i++, to += 32) {
		size_t n_name = strlen(partitions[i].name);

		memset(to, 0, 32);
		to[0] = 0xAA;
		to[1] = 0x50;
		to[2] = partitions[i].type;
		to[3] = partitions[i].subtype;
		esp_put32(to + 4, partitions[i].offset);
		esp_put32(to + 8, partitions[i].size);
		memcpy(to + 12, partitions[i].name, n_name < 16 ? n_name : 16);
		esp_put32(to + 28, partitions[i].flags);
	}
	if (has_md5) {
		MD5_CTX md5;

		to[0] = to[1] = 0xEB;
		MD5Init(&md5);
		MD5Update(&md5, table.data, 32 * n);
		MD5Final(to + 16, &md5);
	}
	return table;
}

/* CRC-32 of zip and Ethernet over one word: begins as if FFFFFFFF stood before. */
static inline uint32_t esp_make_crc(uint32_t word)
{
	/* esp_rom_crc32_le(FFFFFFFF, ...) inverts what it is given, and what it returns. */
	uint32_t crc = 0;

	for (unsigned i = 0; i < 32; i++) {
		crc ^= word >> i & 1;
		crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
	}
	return ~crc;
}

/* Both sectors by their sequence numbers; 0 leaves one blank. The higher one decides. */
static inline struct esp_bytes esp_make_otadata(uint32_t first, uint32_t second)
{
	const uint32_t sequences[2] = {first, second};
	struct esp_bytes otadata = esp_bytes_new(ESP_OTADATA_SIZE, 0xFF);

	for (size_t i = 0; i < 2; i++) {
		uint8_t *to = otadata.data + i * ESP_SECTOR;

		if (sequences[i] == 0)
			continue;
		esp_put32(to, sequences[i]);
		esp_put32(to + 24, 2); /* valid */
		esp_put32(to + 28, esp_make_crc(sequences[i]));
	}
	return otadata;
}

/* ------------------------------------------------------------------ parts together */

struct esp_make_part {
	uint32_t offset;
	const char *name; /* in flasher_args.json: "bootloader", "app", "partition-table" ... */
	const char *file; /* the same: beside or below it */
	struct esp_bytes bytes;
};

/* `merge_bin`: from offset 0 (or `from`) up to the end of the last part, FF between them. */
static inline struct esp_bytes esp_make_merged(
	const struct esp_make_part *parts, size_t n, uint32_t from)
{
	struct esp_bytes merged;
	size_t end = from;

	for (size_t i = 0; i < n; i++) {
		if (parts[i].offset < from)
			esp_make_die("merged file", "a part lies before its start");
		if (parts[i].offset + parts[i].bytes.n > end)
			end = parts[i].offset + parts[i].bytes.n;
	}
	merged = esp_bytes_new(end - from, 0xFF);
	for (size_t i = 0; i < n; i++)
		memcpy(merged.data + parts[i].offset - from, parts[i].bytes.data, parts[i].bytes.n);
	return merged;
}

/* As ESP-IDF's build writes it. */
static inline struct esp_bytes esp_make_args(
	const struct esp_make_part *parts, size_t n, const struct esp_make_chip *chip)
{
	struct esp_bytes args = {};
	FILE *to = open_memstream((char **)&args.data, &args.n);

	if (!to)
		esp_make_die("memory", "none is left");
	fprintf(to, "{\n    \"write_flash_args\" : [ \"--flash_mode\", \"dio\",\n"
		    "                           \"--flash_size\", \"4MB\",\n"
		    "                           \"--flash_freq\", \"40m\" ],\n"
		    "    \"flash_settings\" : {\n        \"flash_mode\": \"dio\",\n"
		    "        \"flash_size\": \"4MB\",\n        \"flash_freq\": \"40m\"\n    },\n"
		    "    \"flash_files\" : {\n");
	for (size_t i = 0; i < n; i++)
		fprintf(to, "        \"0x%" PRIx32 "\" : \"%s\"%s\n", parts[i].offset,
			parts[i].file, i + 1 < n ? "," : "");
	fprintf(to, "    },\n");
	for (size_t i = 0; i < n; i++)
		fprintf(to,
			"    \"%s\" : { \"offset\" : \"0x%" PRIx32
			"\", \"file\" : \"%s\", \"encrypted\" : \"false\" },\n",
			parts[i].name, parts[i].offset, parts[i].file);
	fprintf(to,
		"    \"extra_esptool_args\" : {\n        \"after\"  : \"hard_reset\",\n"
		"        \"before\" : \"default_reset\",\n        \"stub\"   : true,\n"
		"        \"chip\"   : \"%s\"\n    }\n}\n",
		chip->written);
	/* Closed before its bytes are handed out: that may move them. */
	if (fclose(to) != 0)
		esp_make_die("memory", "none is left");
	return args;
}

/* ------------------------------------------------------------------ files */

static inline void esp_make_file(const char *path, const struct esp_bytes *bytes)
{
	CLEANUP(fclosep) FILE *to = fopen(path, "we");

	if (!to || fwrite(bytes->data, 1, bytes->n, to) != bytes->n || fflush(to) != 0)
		esp_make_die(path, strerror(errno));
}

static inline struct esp_bytes esp_make_read(const char *path)
{
	CLEANUP(fclosep) FILE *from = fopen(path, "re");
	struct esp_bytes bytes;
	struct stat st;

	if (!from || fstat(fileno(from), &st) < 0)
		esp_make_die(path, strerror(errno));
	bytes = esp_bytes_new((size_t)st.st_size, 0);
	if (fread(bytes.data, 1, bytes.n, from) != bytes.n)
		esp_make_die(path, "cannot be read whole");
	return bytes;
}

/* One project as its build leaves it: boot loader, partition table, otadata, application. */
struct esp_make_project {
	const struct esp_make_chip *chip;
	struct esp_make_part parts[4];
	size_t n_parts;
};

/*
 * The table is that of two slots. With otadata "initial" (sequence 1: ota_0, as Arduino writes it
 * each time) where `has_otadata`. `size` is that of the application, at 0x10000.
 */
static inline struct esp_make_project esp_make_project(
	const char *chip_name, const char *version, size_t size, bool has_otadata)
{
	struct esp_make_project project = {.chip = esp_make_chip(chip_name)};
	uint32_t seed = 0;

	for (const char *c = version; *c; c++)
		seed = seed * 31 + (uint8_t)*c;
	project.parts[project.n_parts++] = (struct esp_make_part){project.chip->bootloader,
		"bootloader", "bootloader/bootloader.bin", esp_make_bootloader(project.chip, 0, 0)};
	project.parts[project.n_parts++] = (struct esp_make_part){ESP_TABLE_OFFSET,
		"partition-table", "partition_table/partition-table.bin",
		esp_make_table(esp_make_two_slots, ARRAY_SIZE(esp_make_two_slots), true)};
	if (has_otadata)
		project.parts[project.n_parts++] = (struct esp_make_part){
			0xE000, "otadata", "ota_data_initial.bin", esp_make_otadata(1, 0)};
	project.parts[project.n_parts++] = (struct esp_make_part){0x10000, "app", "app.bin",
		esp_make_application(project.chip, "plugflash-test", version, size, seed)};
	return project;
}

static inline void esp_make_project_done(struct esp_make_project *project)
{
	for (size_t i = 0; i < project->n_parts; i++)
		esp_bytes_done(&project->parts[i].bytes);
}

/* Into a folder that is there: the parts, and flasher_args.json last. */
static inline void esp_make_project_write(
	const struct esp_make_project *project, const char *folder)
{
	struct esp_bytes args = esp_make_args(project->parts, project->n_parts, project->chip);
	char path[4096];

	for (size_t i = 0; i < project->n_parts; i++) {
		const char *slash = strrchr(project->parts[i].file, '/');

		if (slash) {
			snprintf(path, sizeof(path), "%s/%.*s", folder,
				(int)(slash - project->parts[i].file), project->parts[i].file);
			if (mkdir(path, 0755) < 0 && errno != EEXIST)
				esp_make_die(path, strerror(errno));
		}
		snprintf(path, sizeof(path), "%s/%s", folder, project->parts[i].file);
		esp_make_file(path, &project->parts[i].bytes);
	}
	snprintf(path, sizeof(path), "%s/flasher_args.json", folder);
	esp_make_file(path, &args);
	esp_bytes_done(&args);
}
