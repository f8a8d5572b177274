/* SPDX-License-Identifier: MIT */
/*
 * esp-partitions.c - partition table and otadata, read and written as ESP-IDF's boot loader does.
 *
 * The boot loader starts the application that the valid entry of otadata with the highest sequence
 * number selects, else the factory application, else the first of the others. Its rules are
 * followed here to the letter, with one exception: an entry whose application was started once and
 * has not said since that it works (state "pending") is dropped at the next start by a boot loader
 * that was built with rollback, and counts for any other. Nobody can see which one it is, so
 * neither is believed.
 */
#include "chip/esp-partitions.h"

#include <string.h>

#include "base/util.h"
#include "chip/esp-image.h"
#include "image/digest.h"
#include "image/image.h"

#define ENTRY_MAGIC   0x50AA
#define MD5_MAGIC     0xEBEB
#define MD5_AT	      16 /* in its entry, behind magic and 0xFF */
#define NAME_BYTES    16
#define WANT_BYTES    64 /* two entries, which is what the ROM sends at once */
#define APP_ALIGN     UINT32_C(0x10000)
#define OTA_MAX	      16
#define OTADATA_BYTES (ESP_OTADATA_ENTRIES * ESP_FLASH_SECTOR)

/* ------------------------------------------------------------------ the table */

bool esp_partitions_begin(const uint8_t *data, size_t n_data)
{
	return n_data >= ESP_TABLE_ENTRY && esp_word16(data) == ENTRY_MAGIC;
}

size_t esp_partitions_want(const uint8_t *data, size_t n_data)
{
	for (size_t at = 0; n_data - at >= ESP_TABLE_ENTRY; at += ESP_TABLE_ENTRY) {
		uint16_t magic = esp_word16(data + at);

		if (magic != ENTRY_MAGIC && magic != MD5_MAGIC)
			return n_data;
	}
	return n_data + WANT_BYTES > ESP_TABLE_BYTES ? ESP_TABLE_BYTES : n_data + WANT_BYTES;
}

/* Which partition it is, where it stands in the table. */
static int refuse_entry(const struct esp_partition *partition, struct reason *reason,
	const char *what, const char *advice)
{
	char shown[TEXT_MAX];

	return reason_refuse(IMAGE_REFUSED, reason, "its partition %s, 0x%x+0x%x, %s%s",
		esp_partition_show(partition, shown, sizeof(shown)), partition->offset,
		partition->size, what, advice);
}

static int add_entry(const uint8_t *entry, struct esp_partitions *table, struct reason *reason)
{
	struct esp_partition *partition = &table->items[table->n_items];
	uint32_t align;

	if (table->n_items == ESP_TABLE_MAX)
		return reason_refuse(IMAGE_REFUSED, reason,
			"it has more than %d partitions, which is all that its place has room for",
			ESP_TABLE_MAX);
	*partition = (struct esp_partition){
		.type = entry[2],
		.subtype = entry[3],
		.offset = esp_word32(entry + 4),
		.size = esp_word32(entry + 8),
	};
	memcpy(partition->name, entry + 12, NAME_BYTES);
	align = partition->type == ESP_PARTITION_APP ? APP_ALIGN : ESP_FLASH_SECTOR;
	if (partition->size == 0 || partition->size > UINT32_MAX - partition->offset)
		return refuse_entry(partition, reason, "cannot be that large", "");
	if (partition->offset % align != 0)
		return refuse_entry(partition, reason, "begins in the middle of a ",
			align == APP_ALIGN ? "block of 64 KiB, where no application can be mapped"
					   : "sector");
	if (partition->type == ESP_PARTITION_DATA && partition->subtype == ESP_DATA_OTADATA &&
		partition->size < OTADATA_BYTES)
		return refuse_entry(partition, reason, "needs two sectors for otadata", "");
	table->n_items++;
	return IMAGE_OK;
}

static int check_overlaps(const struct esp_partitions *table, struct reason *reason)
{
	for (size_t i = 0; i < table->n_items; i++) {
		const struct esp_partition *one = &table->items[i];

		for (size_t j = 0; j < i; j++) {
			const struct esp_partition *other = &table->items[j];
			char shown[TEXT_MAX];

			if (one->offset >= other->offset + other->size ||
				other->offset >= one->offset + one->size)
				continue;
			return refuse_entry(one, reason, "overlaps ",
				esp_partition_show(other, shown, sizeof(shown)));
		}
	}
	return IMAGE_OK;
}

/* How many entries stand before the end, which are as they were written where there is an MD5. */
static int count_entries(const uint8_t *data, size_t n_data, size_t *ret_n, struct reason *reason)
{
	uint8_t md5[DIGEST_MD5_SIZE];
	size_t at = 0;
	uint16_t magic = ENTRY_MAGIC;

	for (; n_data - at >= ESP_TABLE_ENTRY; at += ESP_TABLE_ENTRY) {
		magic = esp_word16(data + at);
		if (magic != ENTRY_MAGIC)
			break;
	}
	*ret_n = at / ESP_TABLE_ENTRY;
	if (magic == ENTRY_MAGIC || magic == UINT16_MAX)
		return IMAGE_OK;
	digest_md5(data, at, md5);
	if (magic == MD5_MAGIC && memcmp(data + at + MD5_AT, md5, sizeof(md5)) == 0)
		return IMAGE_OK;
	if (magic == MD5_MAGIC)
		return reason_refuse(
			IMAGE_REFUSED, reason, "its MD5 is not that of its entries: it is damaged");
	return reason_refuse(IMAGE_REFUSED, reason,
		"its entry %zu begins with 0x%04x: it is damaged", *ret_n, magic);
}

int esp_partitions_read(
	const uint8_t *data, size_t n_data, struct esp_partitions *ret, struct reason *reason)
{
	struct esp_partitions table = {0};
	size_t n = 0;
	int r;

	if (!esp_partitions_begin(data, n_data))
		return reason_refuse(IMAGE_REFUSED, reason,
			"it does not begin with the bytes 0xaa 0x50 of an entry");
	if (n_data > ESP_TABLE_BYTES)
		n_data = ESP_TABLE_BYTES;
	r = count_entries(data, n_data, &n, reason);
	for (size_t i = 0; r == IMAGE_OK && i < n; i++)
		r = add_entry(data + i * ESP_TABLE_ENTRY, &table, reason);
	if (r == IMAGE_OK)
		r = check_overlaps(&table, reason);
	if (r == IMAGE_OK)
		*ret = table;
	return r;
}

/* ------------------------------------------------------------------ partitions by name and place
 */

/* "ota_3", or NULL for what is no application of ESP-IDF's. */
static const char *app_word(const struct esp_partition *partition, char to[static 16])
{
	if (partition->type != ESP_PARTITION_APP)
		return NULL;
	if (partition->subtype == ESP_APP_FACTORY)
		return "factory";
	if (partition->subtype == ESP_APP_TEST)
		return "test";
	if (partition->subtype < ESP_APP_OTA || partition->subtype >= ESP_APP_OTA + OTA_MAX)
		return NULL;
	snprintf(to, 16, "ota_%d", partition->subtype - ESP_APP_OTA);
	return to;
}

const struct esp_partition *esp_partitions_find(
	const struct esp_partitions *table, const char *name)
{
	char room[16];

	for (size_t i = 0; i < table->n_items; i++)
		if (strcmp(table->items[i].name, name) == 0)
			return &table->items[i];
	for (size_t i = 0; i < table->n_items; i++) {
		const char *word = app_word(&table->items[i], room);

		if (word && strcmp(word, name) == 0)
			return &table->items[i];
	}
	return NULL;
}

const struct esp_partition *esp_partitions_at(const struct esp_partitions *table, uint32_t address)
{
	for (size_t i = 0; i < table->n_items; i++)
		if (address >= table->items[i].offset &&
			address - table->items[i].offset < table->items[i].size)
			return &table->items[i];
	return NULL;
}

static const struct esp_partition *find_type(
	const struct esp_partitions *table, uint8_t type, uint8_t subtype)
{
	for (size_t i = 0; i < table->n_items; i++)
		if (table->items[i].type == type && table->items[i].subtype == subtype)
			return &table->items[i];
	return NULL;
}

const struct esp_partition *esp_partitions_otadata(const struct esp_partitions *table)
{
	return find_type(table, ESP_PARTITION_DATA, ESP_DATA_OTADATA);
}

uint64_t esp_partitions_end(const struct esp_partitions *table)
{
	uint64_t end = 0;

	for (size_t i = 0; i < table->n_items; i++) {
		uint64_t own = (uint64_t)table->items[i].offset + table->items[i].size;

		end = own > end ? own : end;
	}
	return end;
}

const char *esp_partition_show(const struct esp_partition *partition, char *to, size_t size)
{
	char name[TEXT_MAX], room[16];
	const char *word = app_word(partition, room);

	text_escape(partition->name, name, sizeof(name));
	if (word && strcmp(word, partition->name) != 0)
		snprintf(to, size, "'%s' (%s)", name, word);
	else
		snprintf(to, size, "'%s'", name);
	return to;
}

const char *esp_partitions_show(const struct esp_partitions *table, char *to, size_t size)
{
	size_t n = 0;

	to[0] = '\0';
	for (size_t i = 0; i < table->n_items && n < size; i++) {
		char shown[TEXT_MAX];

		n += (size_t)snprintf(to + n, size - n, "%s%s", i > 0 ? ", " : "",
			esp_partition_show(&table->items[i], shown, sizeof(shown)));
	}
	return to;
}

/* ------------------------------------------------------------------ which one is started */

enum ota_state { OTA_PENDING = 1, OTA_INVALID = 3, OTA_ABORTED = 4 };

#define OTA_BLANK     UINT32_MAX /* also the state of an entry that nobody has to confirm */
#define OTADATA_STATE 24
#define OTADATA_CRC   28

static uint32_t sequence_of(const struct esp_otadata *otadata, size_t i)
{
	return esp_word32(otadata->entries[i]);
}

/* CRC-32 over the sequence number alone, begun with all ones as the ROM counts, which are zeros. */
static uint32_t crc_of(uint32_t sequence)
{
	uint32_t crc = sequence;

	for (unsigned i = 0; i < 32; i++)
		crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xEDB88320) : 0);
	return ~crc;
}

/* Whether it was written whole, whatever became of its application. */
static bool is_whole(const struct esp_otadata *otadata, size_t i)
{
	uint32_t sequence = sequence_of(otadata, i);

	return sequence != OTA_BLANK &&
	       esp_word32(otadata->entries[i] + OTADATA_CRC) == crc_of(sequence);
}

static bool counts(const struct esp_otadata *otadata, size_t i, bool with_pending)
{
	uint32_t state = esp_word32(otadata->entries[i] + OTADATA_STATE);

	return is_whole(otadata, i) && state != OTA_INVALID && state != OTA_ABORTED &&
	       (with_pending || state != OTA_PENDING);
}

/* The entry that the boot loader goes by; -1: none. */
static int active_entry(const struct esp_otadata *otadata, bool with_pending)
{
	int active = -1;

	for (int i = 0; i < ESP_OTADATA_ENTRIES; i++)
		if (counts(otadata, (size_t)i, with_pending) &&
			(active < 0 || sequence_of(otadata, (size_t)i) >
					       sequence_of(otadata, (size_t)active)))
			active = i;
	return active;
}

static uint32_t count_ota(const struct esp_partitions *table)
{
	uint32_t n = 0;

	for (size_t i = 0; i < table->n_items; i++)
		n += table->items[i].type == ESP_PARTITION_APP &&
		     table->items[i].subtype >= ESP_APP_OTA &&
		     table->items[i].subtype < ESP_APP_OTA + OTA_MAX;
	return n;
}

static const struct esp_partition *selected(
	const struct esp_partitions *table, const struct esp_otadata *otadata, bool with_pending)
{
	int active = otadata ? active_entry(otadata, with_pending) : -1;
	const struct esp_partition *factory = find_type(table, ESP_PARTITION_APP, ESP_APP_FACTORY);
	uint32_t n_ota = count_ota(table), slot = 0;

	if (active >= 0 && n_ota > 0)
		slot = (sequence_of(otadata, (size_t)active) - 1) % n_ota;
	else if (factory)
		return factory;
	return find_type(table, ESP_PARTITION_APP, (uint8_t)(ESP_APP_OTA + slot));
}

const struct esp_partition *esp_otadata_selected(
	const struct esp_partitions *table, const struct esp_otadata *otadata)
{
	const struct esp_partition *one = selected(table, otadata, true);

	return one == selected(table, otadata, false) ? one : NULL;
}

static void make_entry(uint32_t sequence, uint8_t to[static ESP_OTADATA_BYTES])
{
	memset(to, 0xFF, ESP_OTADATA_BYTES);
	word_put(to, sequence);
	word_put(to + OTADATA_CRC, crc_of(sequence));
}

/*
 * The next sequence number that leads to the slot goes into the other entry than the one that
 * counts. It is higher than that of each whole entry, also of one that is not believed.
 */
bool esp_otadata_select(const struct esp_partitions *table, const struct esp_otadata *otadata,
	const struct esp_partition *wanted, struct esp_otadata *ret,
	bool ret_is_new[static ESP_OTADATA_ENTRIES])
{
	uint32_t n_ota = count_ota(table), slot = wanted->subtype - (uint32_t)ESP_APP_OTA;
	int active = active_entry(otadata, false);
	uint64_t sequence = 0;
	size_t i;

	if (wanted->type != ESP_PARTITION_APP)
		return false;
	memset(ret, 0xFF, sizeof(*ret));
	if (wanted->subtype == ESP_APP_FACTORY) {
		ret_is_new[0] = ret_is_new[1] = true;
		return true;
	}
	if (wanted->subtype < ESP_APP_OTA || slot >= n_ota)
		return false;
	if (active < 0)
		active = active_entry(otadata, true);
	i = active == 0 ? 1 : 0;
	for (size_t j = 0; j < ESP_OTADATA_ENTRIES; j++)
		if (is_whole(otadata, j) && sequence_of(otadata, j) > sequence)
			sequence = sequence_of(otadata, j);
	sequence++;
	while ((sequence - 1) % n_ota != slot)
		sequence++;
	if (sequence >= OTA_BLANK)
		return false;
	make_entry((uint32_t)sequence, ret->entries[i]);
	ret_is_new[i] = true;
	ret_is_new[1 - i] = false;
	return true;
}
