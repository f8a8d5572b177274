/* SPDX-License-Identifier: MIT */
/*
 * gbl-make.h - GBL files as Silicon Labs' commander leaves them for an EFR32, for tests: header,
 * application info, metadata as Nabu Casa and darkxst write it, program, secure element, boot
 * loader, end with its CRC-32; whole, or tag by tag.
 *
 * It follows UG266 and ti-bsl.md 15.4, and none of the code in src. tests/sim/gbl.h is the smaller
 * one: a header and one program, on the caller's memory. `make-ti gbl` is the same from a shell.
 *
 * Each gives bytes from the heap, for gbl_make_done().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GBL_TAG_HEADER		  0x03A617EBu
#define GBL_TAG_APPLICATION	  0xF40A0AF4u
#define GBL_TAG_SECURE_ELEMENT	  0x5EA617EBu
#define GBL_TAG_BOOT_LOADER	  0xF50909F5u
#define GBL_TAG_PROGRAM		  0xFE0101FEu
#define GBL_TAG_ERASE_AND_PROGRAM 0xFD0303FDu
#define GBL_TAG_LZ4		  0xFD0505FDu
#define GBL_TAG_LZMA		  0xFD0707FDu
#define GBL_TAG_METADATA	  0xF60808F6u
#define GBL_TAG_SIGNATURE	  0xF70A0AF7u
#define GBL_TAG_ENCRYPTION	  0xFA0606FAu
#define GBL_TAG_ENCRYPTED	  0xF90707F9u
#define GBL_TAG_END		  0xFC0404FCu

struct gbl_make {
	uint8_t *data;
	size_t n;
};

static inline void gbl_make_done(struct gbl_make *gbl)
{
	free(gbl->data);
	*gbl = (struct gbl_make){};
}

static inline void gbl_make_put(uint8_t *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

/* A tag behind the others. */
static inline void gbl_make_tag(struct gbl_make *gbl, uint32_t id, const void *data, size_t n)
{
	uint8_t *larger = realloc(gbl->data, gbl->n + 8 + n);

	if (!larger) {
		fprintf(stderr, "gbl-make: memory: none is left\n");
		abort();
	}
	gbl->data = larger;
	gbl_make_put(larger + gbl->n, id);
	gbl_make_put(larger + gbl->n + 4, (uint32_t)n);
	if (n > 0)
		memcpy(larger + gbl->n + 8, data, n);
	gbl->n += 8 + n;
}

/* `flags`: 0 plain, 1 encrypted, 0x100 signed. */
static inline struct gbl_make gbl_make_begin(uint32_t flags)
{
	struct gbl_make gbl = {};
	uint8_t header[8];

	gbl_make_put(header, 0x03000000);
	gbl_make_put(header + 4, flags);
	gbl_make_tag(&gbl, GBL_TAG_HEADER, header, sizeof(header));
	return gbl;
}

/* The tag of what the application is: type 1 is a Zigbee application (application_properties.h). */
static inline void gbl_make_application_info(struct gbl_make *gbl, uint32_t type, uint32_t version)
{
	uint8_t info[28] = {};

	gbl_make_put(info, type);
	gbl_make_put(info + 4, version);
	gbl_make_tag(gbl, GBL_TAG_APPLICATION, info, sizeof(info));
}

static inline uint8_t *gbl_make_noise(size_t n, uint32_t seed)
{
	uint8_t *bytes = malloc(n ? n : 1);
	uint32_t state = seed * 2654435761u + 1;

	if (!bytes)
		abort();
	for (size_t i = 0; i < n; i++) {
		state = state * 1664525u + 1013904223u;
		bytes[i] = (uint8_t)(state >> 24);
	}
	return bytes;
}

/* n bytes for the flash from `address` on. */
static inline void gbl_make_program(
	struct gbl_make *gbl, uint32_t id, uint32_t address, size_t n, uint32_t seed)
{
	uint8_t *program = gbl_make_noise(4 + n, seed);

	gbl_make_put(program, address);
	gbl_make_tag(gbl, id, program, 4 + n);
	free(program);
}

#define GBL_MAKE_LOADER_BYTES 0x4000u /* in front of the application, as sim/resident.h has it */

/*
 * The application behind the simulated boot loader: a vector table that can be started there, and
 * the line by which it says what it speaks (sim/spoken.h). n bytes, for free().
 */
static inline uint8_t *gbl_make_program_bytes(
	size_t n, uint32_t seed, const char *speaks, const char *version, uint32_t baud)
{
	uint8_t *program = gbl_make_noise(n < 1024 ? 1024 : n, seed);

	gbl_make_put(program, 0x20001000);
	gbl_make_put(program + 4, 0x08000000 + GBL_MAKE_LOADER_BYTES + 0x101);
	if (speaks)
		snprintf((char *)program + 0x300, 100, "plugflash-speaks %s %s %u\r\n", speaks,
			version, baud);
	return program;
}

static inline void gbl_make_application(struct gbl_make *gbl, const uint8_t *program, size_t n)
{
	uint8_t *data = malloc(4 + n);

	if (!data)
		abort();
	gbl_make_put(data, GBL_MAKE_LOADER_BYTES);
	memcpy(data + 4, program, n);
	gbl_make_tag(gbl, GBL_TAG_ERASE_AND_PROGRAM, data, 4 + n);
	free(data);
}

/* The end tag and its CRC-32 over all before. */
static inline void gbl_make_end(struct gbl_make *gbl)
{
	uint32_t crc = 0xFFFFFFFF;

	gbl_make_tag(gbl, GBL_TAG_END, "\0\0\0", 4);
	for (size_t i = 0; i + 4 < gbl->n; i++) {
		crc ^= gbl->data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
	}
	gbl_make_put(gbl->data + gbl->n - 4, ~crc);
}

/* What a file is made of; a 0 leaves out what it names. */
struct gbl_make_file {
	const char *fw_type;  /* metadata: zigbee_ncp, openthread_rcp, multipan, zwave_ncp ...;
				 NULL: no metadata at all */
	const char *version;  /* metadata, under the name that this type has for it: ezsp_version,
				 ot_rcp_version, cpc_version, zwave_version, fw_version */
	const char *speaks;   /* protocol of the application, by sim/spoken.h: ezsp, cpc, spinel,
				 zwave; NULL: by fw_type */
	const char *json;     /* metadata as it stands here, instead of the two above */
	uint32_t baud;	      /* metadata: baudrate */
	size_t n_program;     /* bytes, 1 KiB at least; 0: 8 KiB */
	size_t n_boot_loader; /* a tag of so many bytes */
	size_t n_secure_element; /* the same */
	bool has_no_application; /* no application info, and no program */
};

static inline const char *gbl_make_version_name(const char *fw_type)
{
	if (strcmp(fw_type, "zigbee_ncp") == 0)
		return "ezsp_version";
	if (strcmp(fw_type, "openthread_rcp") == 0)
		return "ot_rcp_version";
	if (strcmp(fw_type, "multipan") == 0)
		return "cpc_version";
	return strcmp(fw_type, "zwave_ncp") == 0 ? "zwave_version" : "fw_version";
}

static inline const char *gbl_make_speaks(const struct gbl_make_file *file)
{
	static const char *const types[][2] = {{"zigbee_ncp", "ezsp"}, {"openthread_rcp", "spinel"},
		{"multipan", "cpc"}, {"zwave_ncp", "zwave"}};

	for (size_t i = 0; !file->speaks && file->fw_type && i < sizeof(types) / sizeof(types[0]);
		i++)
		if (strcmp(types[i][0], file->fw_type) == 0)
			return types[i][1];
	return file->speaks;
}

/* Metadata of version 2, in the order in which Nabu Casa's builder writes its fields. */
static inline void gbl_make_metadata(struct gbl_make *gbl, const struct gbl_make_file *file)
{
	char json[512];

	if (file->json)
		snprintf(json, sizeof(json), "%s", file->json);
	else
		snprintf(json, sizeof(json),
			"{\"metadata_version\": 2, \"sdk_version\": \"4.4.4\", \"%s\": \"%s\", "
			"\"fw_type\": \"%s\", \"fw_variant\": null, \"baudrate\": %u}",
			gbl_make_version_name(file->fw_type), file->version ? file->version : "0",
			file->fw_type, file->baud ? file->baud : 115200);
	gbl_make_tag(gbl, GBL_TAG_METADATA, json, strlen(json));
}

static inline uint32_t gbl_make_seed(const char *version)
{
	uint32_t seed = 0;

	for (const char *c = version; c && *c; c++)
		seed = seed * 31 + (uint8_t)*c;
	return seed;
}

static inline size_t gbl_make_size(const struct gbl_make_file *file)
{
	return file->n_program ? file->n_program : 8192;
}

/* The program of such a file, gbl_make_size() bytes for free(). Its version decides its content. */
static inline uint8_t *gbl_make_file_program(const struct gbl_make_file *file)
{
	return gbl_make_program_bytes(gbl_make_size(file), gbl_make_seed(file->version),
		gbl_make_speaks(file), file->version, file->baud ? file->baud : 115200);
}

/* A whole file. */
static inline struct gbl_make gbl_make_file(const struct gbl_make_file *file)
{
	struct gbl_make gbl = gbl_make_begin(0);
	uint32_t seed = gbl_make_seed(file->version);
	uint8_t *program = gbl_make_file_program(file);

	if (!file->has_no_application)
		gbl_make_application_info(&gbl, 1, seed);
	if (file->fw_type || file->json)
		gbl_make_metadata(&gbl, file);
	if (file->n_secure_element > 0)
		gbl_make_program(&gbl, GBL_TAG_SECURE_ELEMENT, 0, file->n_secure_element, seed + 1);
	if (file->n_boot_loader > 0)
		gbl_make_program(&gbl, GBL_TAG_BOOT_LOADER, 0, file->n_boot_loader, seed + 2);
	if (!file->has_no_application)
		gbl_make_application(&gbl, program, gbl_make_size(file));
	gbl_make_end(&gbl);
	free(program);
	return gbl;
}

/* What the flash of a simulated stick holds once it has taken such a file: nothing where the boot
 * loader is, and the program. */
static inline struct gbl_make gbl_make_flash(const struct gbl_make_file *file)
{
	struct gbl_make flash = {.n = GBL_MAKE_LOADER_BYTES + gbl_make_size(file)};
	uint8_t *program = gbl_make_file_program(file);

	flash.data = malloc(flash.n);
	if (!flash.data)
		abort();
	memset(flash.data, 0xFF, GBL_MAKE_LOADER_BYTES);
	memcpy(flash.data + GBL_MAKE_LOADER_BYTES, program, gbl_make_size(file));
	free(program);
	return flash;
}
