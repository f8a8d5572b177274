/* SPDX-License-Identifier: MIT */
/*
 * esp-partitions.h - the partition table of ESP-IDF, which says what lies where in the flash, and
 * the otadata partition, which says which application the boot loader starts (esp-rom.md 5.2).
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define ESP_FLASH_SECTOR UINT32_C(4096)

/* Where the table is unless the project was configured otherwise, and its bytes. */
#define ESP_TABLE_ADDRESS UINT32_C(0x8000)
#define ESP_TABLE_BYTES	  0xC00
#define ESP_TABLE_MAX	  95
#define ESP_TABLE_ENTRY	  32

enum esp_partition_type { ESP_PARTITION_APP = 0, ESP_PARTITION_DATA = 1 };

#define ESP_APP_FACTORY	 0x00
#define ESP_APP_OTA	 0x10 /* the first of 16 */
#define ESP_APP_TEST	 0x20
#define ESP_DATA_OTADATA 0x00

struct esp_partition {
	uint8_t type, subtype; /* any number: users have types of their own */
	uint32_t offset, size;
	char name[17]; /* outside text */
};

struct esp_partitions {
	struct esp_partition items[ESP_TABLE_MAX]; /* as in the table, in any order */
	size_t n_items;
};

/* Whether a table begins there; nothing is said of the rest of it. */
bool esp_partitions_begin(const uint8_t *data, size_t n_data);

/* How many bytes of the table have to be read, where these are its first: n_data, or more. */
size_t esp_partitions_want(const uint8_t *data, size_t n_data);

/*
 * Reads a table, proves its MD5 where it has one, and checks that no partition overlaps another. It
 * ends where an entry is blank, or with the data. IMAGE_OK, or IMAGE_REFUSED with the reason, a
 * sentence that goes on after the name of the table. `ret` is untouched then.
 */
int esp_partitions_read(
	const uint8_t *data, size_t n_data, struct esp_partitions *ret, struct reason *reason);

/* The partition of that name, or the application partition of that subtype ("factory", "ota_0",
 * "test"). NULL: there is none. */
const struct esp_partition *esp_partitions_find(
	const struct esp_partitions *table, const char *name);

/* The partition that holds the address, or NULL. */
const struct esp_partition *esp_partitions_at(const struct esp_partitions *table, uint32_t address);

/* The otadata partition, or NULL. */
const struct esp_partition *esp_partitions_otadata(const struct esp_partitions *table);

/* The first address behind all partitions. */
uint64_t esp_partitions_end(const struct esp_partitions *table);

/* For messages: "'app0' (ota_0)", "'nvs'". Returns `to`. */
const char *esp_partition_show(const struct esp_partition *partition, char *to, size_t size);

/* For messages: the names, "'nvs', 'otadata', 'app0' (ota_0)". Returns `to`. */
const char *esp_partitions_show(const struct esp_partitions *table, char *to, size_t size);

/* ------------------------------------------------------------------ which one is started */

/* The two sectors of otadata have an entry at their start each. */
#define ESP_OTADATA_ENTRIES 2
#define ESP_OTADATA_BYTES   32

struct esp_otadata {
	uint8_t entries[ESP_OTADATA_ENTRIES][ESP_OTADATA_BYTES];
};

/*
 * The application that the boot loader starts by this otadata, or NULL where that depends on how
 * the boot loader was built (an update that its application has not confirmed yet), or where the
 * table has no application at all. Without an otadata partition `otadata` is NULL.
 */
const struct esp_partition *esp_otadata_selected(
	const struct esp_partitions *table, const struct esp_otadata *otadata);

/*
 * What has to be written so that `wanted` is started: into entry N where `ret_is_new[N]`. The entry
 * that counts now stays as it is, as long as that is possible: a power cut leaves the old
 * selection. False where otadata cannot select it.
 */
bool esp_otadata_select(const struct esp_partitions *table, const struct esp_otadata *otadata,
	const struct esp_partition *wanted, struct esp_otadata *ret,
	bool ret_is_new[static ESP_OTADATA_ENTRIES]);
