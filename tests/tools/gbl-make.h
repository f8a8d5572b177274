/* SPDX-License-Identifier: MIT */
/*
 * gbl-make.h - GBL files as Silicon Labs' commander leaves them for an EFR32, for tests: header,
 * application info, metadata as Nabu Casa and darkxst write it, program, secure element, boot
 * loader, end with its CRC-32; whole, or tag by tag.
 *
 * It follows UG266 and ti-bsl.md 15.4, and none of the code in src. tests/sim/gbl.h is the smaller
 * one: a header and one program, on the caller's memory. make-gbl is the same from a shell.
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

/* n bytes for the flash from `address` on. */
static inline void gbl_make_program(
	struct gbl_make *gbl, uint32_t id, uint32_t address, size_t n, uint32_t seed)
{
	uint8_t *program = malloc(4 + n);
	uint32_t state = seed * 2654435761u + 1;

	if (!program)
		abort();
	gbl_make_put(program, address);
	for (size_t i = 0; i < n; i++) {
		state = state * 1664525u + 1013904223u;
		program[4 + i] = (uint8_t)(state >> 24);
	}
	gbl_make_tag(gbl, id, program, 4 + n);
	free(program);
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
				 ot_rcp_version, cpc_version, sdk_version */
	const char *json;     /* metadata as it stands here, instead of the two above */
	uint32_t baud;	      /* metadata: baudrate */
	size_t n_program;     /* bytes; 0: 8 KiB */
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
	return strcmp(fw_type, "multipan") == 0 ? "cpc_version" : "sdk_version";
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

/* A whole file. Its version decides its content. */
static inline struct gbl_make gbl_make_file(const struct gbl_make_file *file)
{
	struct gbl_make gbl = gbl_make_begin(0);
	uint32_t seed = 0;

	for (const char *c = file->version; c && *c; c++)
		seed = seed * 31 + (uint8_t)*c;
	if (!file->has_no_application)
		gbl_make_application_info(&gbl, 1, seed);
	if (file->fw_type || file->json)
		gbl_make_metadata(&gbl, file);
	if (file->n_secure_element > 0)
		gbl_make_program(&gbl, GBL_TAG_SECURE_ELEMENT, 0, file->n_secure_element, seed + 1);
	if (file->n_boot_loader > 0)
		gbl_make_program(&gbl, GBL_TAG_BOOT_LOADER, 0, file->n_boot_loader, seed + 2);
	if (!file->has_no_application)
		gbl_make_program(&gbl, GBL_TAG_ERASE_AND_PROGRAM, 0x4000,
			file->n_program ? file->n_program : 8192, seed);
	gbl_make_end(&gbl);
	return gbl;
}
