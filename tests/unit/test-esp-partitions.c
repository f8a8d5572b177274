/* SPDX-License-Identifier: MIT */
/*
 * Partition tables and otadata: what is taken, which application the boot loader starts by them,
 * and what has to be written so that it starts another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "chip/esp-partitions.h"
#include "image/image.h"
#include "tools/esp-make.h"
#include "unit/rows.h"

#define READ(table_, partitions_)                                                                \
	do {                                                                                     \
		struct esp_bytes made_ =                                                         \
			esp_make_table((partitions_), ARRAY_SIZE(partitions_), true);            \
		struct reason reason_ = {""};                                                    \
		assert_int_equal(                                                                \
			esp_partitions_read(made_.data, made_.n, (table_), &reason_), IMAGE_OK); \
		esp_bytes_done(&made_);                                                          \
	} while (0)

static void a_table_is_read(void **state)
{
	struct esp_partitions table;
	const struct esp_partition *partition;
	char shown[300];

	(void)state;
	READ(&table, esp_make_two_slots);
	assert_int_equal(table.n_items, 6);
	assert_int_equal(esp_partitions_end(&table), 0x400000);
	partition = esp_partitions_find(&table, "app1");
	assert_non_null(partition);
	assert_int_equal(partition->offset, 0x150000);
	assert_int_equal(partition->size, 0x140000);
	assert_ptr_equal(esp_partitions_find(&table, "ota_1"), partition);
	assert_ptr_equal(esp_partitions_at(&table, 0x150000), partition);
	assert_ptr_equal(esp_partitions_at(&table, 0x28FFFF), partition);
	assert_null(esp_partitions_find(&table, "factory"));
	assert_null(esp_partitions_find(&table, ""));
	assert_null(esp_partitions_at(&table, 0x8000));
	assert_string_equal(esp_partitions_otadata(&table)->name, "otadata");
	assert_string_equal(esp_partitions_show(&table, shown, sizeof(shown)),
		"'nvs', 'otadata', 'app0' (ota_0), 'app1' (ota_1), 'spiffs', 'coredump'");
	/* Cut, and not written beyond. */
	assert_int_equal(strlen(esp_partitions_show(&table, shown, 20)), 19);
}

static void a_name_goes_before_a_subtype(void **state)
{
	static const struct esp_make_partition crossed[] = {
		{"ota_1", 0, 0x10, 0x10000, 0x10000, 0},
		{"ota_0", 0, 0x11, 0x20000, 0x10000, 0},
		{"exact16characters", 1, 2, 0x30000, 0x1000, 0},
	};
	struct esp_partitions table;

	(void)state;
	READ(&table, crossed);
	assert_int_equal(esp_partitions_find(&table, "ota_0")->offset, 0x20000);
	assert_int_equal(esp_partitions_find(&table, "exact16character")->offset, 0x30000);
}

/* No byte more is asked of the chip than there are entries, by two at once. */
static void only_what_there_is_is_read(void **state)
{
	struct esp_bytes made = esp_make_table(esp_make_two_slots, 6, true);
	struct esp_bytes full = esp_bytes_new(ESP_TABLE_BYTES, 0);
	struct esp_partitions table;
	struct reason reason;
	size_t n = 0, want;

	(void)state;
	while ((want = esp_partitions_want(made.data, n)) > n) {
		assert_in_range(want, n + 1, ESP_TABLE_BYTES);
		n = want;
	}
	assert_int_equal(n, 256); /* six, the MD5, and the blank one */
	assert_int_equal(esp_partitions_read(made.data, n, &table, &reason), IMAGE_OK);
	assert_int_equal(table.n_items, 6);
	for (size_t at = 0; at < full.n; at += 32)
		memcpy(full.data + at, made.data, 32);
	for (n = 0; (want = esp_partitions_want(full.data, n)) > n; n = want)
		assert_in_range(want, n + 1, ESP_TABLE_BYTES);
	assert_int_equal(n, ESP_TABLE_BYTES);
	memset(full.data, 0xFF, full.n);
	assert_int_equal(esp_partitions_want(full.data, 64), 64);
	esp_bytes_done(&full);
	esp_bytes_done(&made);
}

/* ------------------------------------------------------------------ tables that are refused */

static const struct table_row {
	const char *name;
	struct esp_make_partition partitions[3];
	size_t n;
	size_t bend; /* this byte, if not 0 */
	const char *expected;
} table_rows[] = {
	{"a bent byte", {{"nvs", 1, 2, 0x9000, 0x5000, 0}}, 1, 5,
		"its MD5 is not that of its entries"},
	{"a bent MD5", {{"nvs", 1, 2, 0x9000, 0x5000, 0}}, 1, 50,
		"its MD5 is not that of its entries"},
	{"a strange entry", {{"nvs", 1, 2, 0x9000, 0x5000, 0}}, 1, 33,
		"its entry 1 begins with 0x"},
	{"no bytes", {{"nvs", 1, 2, 0x9000, 0, 0}}, 1, 0,
		"'nvs', 0x9000+0x0, cannot be that large"},
	{"a wrap", {{"nvs", 1, 2, 0xFFFFF000, 0x2000, 0}}, 1, 0, "cannot be that large"},
	{"in the middle of a sector", {{"nvs", 1, 2, 0x9010, 0x1000, 0}}, 1, 0,
		"begins in the middle of a sector"},
	{"an application off its border", {{"app0", 0, 0x10, 0x11000, 0x10000, 0}}, 1, 0,
		"'app0' (ota_0), 0x11000+0x10000, begins in the middle of a block of 64 KiB"},
	{"otadata of one sector", {{"otadata", 1, 0, 0xD000, 0x1000, 0}}, 1, 0,
		"needs two sectors for otadata"},
	{"an overlap",
		{{"nvs", 1, 2, 0x9000, 0x8000, 0}, {"phy", 1, 1, 0xF000, 0x1000, 0},
			{"x", 1, 6, 0xA000, 0x1000, 0}},
		3, 0, "'phy', 0xf000+0x1000, overlaps 'nvs'"},
	{"a name that is none", {{"\033[2J", 1, 2, 0x9000, 0, 0}}, 1, 0, "'\\x1b[2J'"},
};

static void a_bad_table_is_refused(void **state)
{
	const struct table_row *row = *state;
	struct esp_bytes made = esp_make_table(row->partitions, row->n, true);
	struct esp_partitions table = {.n_items = 77};
	struct reason reason = {""};

	if (row->bend)
		made.data[row->bend] ^= 1;
	assert_int_equal(esp_partitions_read(made.data, made.n, &table, &reason), IMAGE_REFUSED);
	if (!strstr(reason.text, row->expected))
		fail_msg("'%s' is not in: %s", row->expected, reason.text);
	assert_int_equal(table.n_items, 77);
	esp_bytes_done(&made);
}

static void what_is_no_table_is_refused(void **state)
{
	static const uint8_t blank[64] = {0xFF, 0xFF};
	struct esp_partitions table;
	struct reason reason;

	(void)state;
	assert_int_equal(esp_partitions_read(blank, sizeof(blank), &table, &reason), IMAGE_REFUSED);
	assert_int_equal(esp_partitions_read(blank, 0, &table, &reason), IMAGE_REFUSED);
	assert_false(esp_partitions_begin(blank, sizeof(blank)));
}

/* Old projects have none; the table ends with its first blank entry. */
static void a_table_without_md5_is_taken(void **state)
{
	struct esp_bytes made = esp_make_table(esp_make_factory, 3, false);
	struct esp_partitions table;
	struct reason reason;

	(void)state;
	assert_int_equal(esp_partitions_read(made.data, made.n, &table, &reason), IMAGE_OK);
	assert_int_equal(table.n_items, 3);
	esp_bytes_done(&made);
}

/* ------------------------------------------------------------------ which one is started */

#define APP(name, subtype, offset)                         \
	{                                                  \
		(name), 0, (subtype), (offset), 0x10000, 0 \
	}
#define OTADATA                                    \
	{                                          \
		"otadata", 1, 0, 0xD000, 0x2000, 0 \
	}

static const struct esp_make_partition slots2[] = {
	OTADATA, APP("app0", 0x10, 0x10000), APP("app1", 0x11, 0x20000)};
static const struct esp_make_partition slots3[] = {OTADATA, APP("factory", 0, 0x10000),
	APP("a", 0x10, 0x20000), APP("b", 0x11, 0x30000), APP("c", 0x12, 0x40000)};
static const struct esp_make_partition gap[] = {
	OTADATA, APP("a", 0x10, 0x20000), APP("c", 0x12, 0x40000)};
static const struct esp_make_partition factory_alone[] = {OTADATA, APP("factory", 0, 0x10000)};
static const struct esp_make_partition none[] = {OTADATA};

#define TABLE(of) (of), ARRAY_SIZE(of)
#define VALID	  2
#define ANY	  UINT32_MAX

static const struct start_row {
	const char *name;
	const struct esp_make_partition *partitions;
	size_t n;
	uint32_t sequences[2]; /* 0: blank */
	uint32_t states[2];
	bool is_bent[2];     /* the CRC is wrong */
	const char *started; /* NULL: nobody can say */
} start_rows[] = {
	{"blank: the first", TABLE(slots2), {0, 0}, {0, 0}, {false}, "app0"},
	{"blank: the factory's", TABLE(slots3), {0, 0}, {0, 0}, {false}, "factory"},
	{"sequence 1", TABLE(slots2), {1, 0}, {ANY, 0}, {false}, "app0"},
	{"sequence 2", TABLE(slots2), {0, 2}, {0, VALID}, {false}, "app1"},
	{"the higher one", TABLE(slots2), {5, 4}, {VALID, VALID}, {false}, "app0"},
	{"the higher one, second", TABLE(slots2), {5, 6}, {VALID, VALID}, {false}, "app1"},
	{"far apart", TABLE(slots2), {9, 2}, {VALID, VALID}, {false}, "app0"},
	{"of three", TABLE(slots3), {6, 5}, {VALID, VALID}, {false}, "c"},
	{"of three, around", TABLE(slots3), {7, 6}, {VALID, VALID}, {false}, "a"},
	{"the higher one is bent", TABLE(slots2), {5, 6}, {VALID, VALID}, {false, true}, "app0"},
	{"both are bent", TABLE(slots3), {5, 6}, {VALID, VALID}, {true, true}, "factory"},
	{"the higher one is invalid", TABLE(slots2), {5, 6}, {VALID, 3}, {false}, "app0"},
	{"the higher one was given up", TABLE(slots2), {5, 6}, {VALID, 4}, {false}, "app0"},
	{"all were given up", TABLE(slots3), {5, 6}, {4, 3}, {false}, "factory"},
	{"a new one is started", TABLE(slots2), {5, 6}, {VALID, 0}, {false}, "app1"},
	{"one that was not confirmed", TABLE(slots2), {5, 6}, {VALID, 1}, {false}, NULL},
	{"not confirmed, and the same slot", TABLE(slots2), {4, 6}, {VALID, 1}, {false}, "app1"},
	{"not confirmed below another", TABLE(slots2), {5, 6}, {1, VALID}, {false}, "app1"},
	{"a slot that is not there", TABLE(gap), {0, 2}, {0, VALID}, {false}, NULL},
	{"no slots", TABLE(factory_alone), {0, 2}, {0, VALID}, {false}, "factory"},
	{"no application", TABLE(none), {0, 0}, {0, 0}, {false}, NULL},
};

static struct esp_otadata otadata_of(const struct start_row *row)
{
	struct esp_bytes made = esp_make_otadata(row->sequences[0], row->sequences[1]);
	struct esp_otadata otadata;

	for (size_t i = 0; i < 2; i++) {
		uint8_t *entry = made.data + i * 4096;

		if (row->sequences[i])
			esp_put32(entry + 24, row->states[i]);
		if (row->is_bent[i])
			entry[29] ^= 0x10;
		memcpy(otadata.entries[i], entry, ESP_OTADATA_BYTES);
	}
	esp_bytes_done(&made);
	return otadata;
}

static void read_row(const struct start_row *row, struct esp_partitions *table)
{
	struct esp_bytes made = esp_make_table(row->partitions, row->n, true);
	struct reason reason;

	assert_int_equal(esp_partitions_read(made.data, made.n, table, &reason), IMAGE_OK);
	esp_bytes_done(&made);
}

static void it_is_known_which_one_is_started(void **state)
{
	const struct start_row *row = *state;
	struct esp_otadata otadata = otadata_of(row);
	const struct esp_partition *started;
	struct esp_partitions table;

	read_row(row, &table);
	started = esp_otadata_selected(&table, &otadata);
	assert_true(!started == !row->started);
	if (started)
		assert_string_equal(started->name, row->started);
}

/*
 * Whatever otadata are there, each slot can be selected; torn between the erase and the write of
 * the entry, the old selection is still there. The factory application has no sequence number: it
 * is selected by none.
 */
static void each_application_can_be_selected(void **state)
{
	const struct start_row *row = *state;
	const struct esp_otadata before = otadata_of(row);
	struct esp_partitions table;
	bool was_whole = esp_make_crc(1) == 0x4743989A;

	assert_true(was_whole); /* as in Arduino's boot_app0.bin */
	read_row(row, &table);
	for (size_t i = 0; i < table.n_items; i++) {
		const struct esp_partition *wanted = &table.items[i];
		struct esp_otadata after = before, torn = before, made;
		bool is_new[2] = {false, false};

		/* A number for a slot beyond their count leads to another one. */
		if (!esp_otadata_select(&table, &before, wanted, &made, is_new)) {
			assert_true(wanted->type != 0 || row->partitions == gap);
			continue;
		}
		for (size_t j = 0; j < 2; j++) {
			if (!is_new[j])
				continue;
			memcpy(after.entries[j], made.entries[j], ESP_OTADATA_BYTES);
			memset(torn.entries[j], 0xFF, ESP_OTADATA_BYTES);
		}
		assert_ptr_equal(esp_otadata_selected(&table, &after), wanted);
		assert_true(is_new[0] || is_new[1]);
		if (wanted->subtype != ESP_APP_FACTORY && esp_otadata_selected(&table, &before))
			assert_ptr_equal(esp_otadata_selected(&table, &torn),
				esp_otadata_selected(&table, &before));
	}
}

static void a_new_entry_is_as_the_chip_would_write_it(void **state)
{
	static const uint8_t expected[ESP_OTADATA_BYTES] = {1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF,
		0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
		0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x9A, 0x98, 0x43, 0x47};
	struct esp_otadata blank, made;
	struct esp_partitions table;
	bool is_new[2];

	(void)state;
	READ(&table, slots2);
	memset(&blank, 0xFF, sizeof(blank));
	assert_true(esp_otadata_select(
		&table, &blank, esp_partitions_find(&table, "app0"), &made, is_new));
	assert_true(is_new[0] && !is_new[1]);
	assert_memory_equal(made.entries[0], expected, sizeof(expected));
}

/* No number is left above the highest. */
static void the_highest_sequence_number_is_not_passed(void **state)
{
	const struct start_row row = {"", TABLE(slots2), {0xFFFFFFFE, 0}, {VALID, 0}, {false}, ""};
	const struct esp_otadata otadata = otadata_of(&row);
	struct esp_otadata made;
	struct esp_partitions table;
	bool is_new[2];

	(void)state;
	READ(&table, slots2);
	assert_false(esp_otadata_select(
		&table, &otadata, esp_partitions_find(&table, "app0"), &made, is_new));
}

static void without_otadata_the_first_is_started(void **state)
{
	struct esp_partitions table;

	(void)state;
	READ(&table, esp_make_factory);
	assert_string_equal(esp_otadata_selected(&table, NULL)->name, "factory");
}

int main(void)
{
	struct CMUnitTest tests[80];
	size_t n_tests = 0;

	ADD_TEST(tests, n_tests, a_table_is_read);
	ADD_TEST(tests, n_tests, a_name_goes_before_a_subtype);
	ADD_TEST(tests, n_tests, only_what_there_is_is_read);
	ADD_ROWS(tests, n_tests, table_rows, a_bad_table_is_refused);
	ADD_TEST(tests, n_tests, what_is_no_table_is_refused);
	ADD_TEST(tests, n_tests, a_table_without_md5_is_taken);
	ADD_ROWS(tests, n_tests, start_rows, it_is_known_which_one_is_started);
	ADD_ROWS(tests, n_tests, start_rows, each_application_can_be_selected);
	ADD_TEST(tests, n_tests, a_new_entry_is_as_the_chip_would_write_it);
	ADD_TEST(tests, n_tests, the_highest_sequence_number_is_not_passed);
	ADD_TEST(tests, n_tests, without_otadata_the_first_is_started);
	return RUN_TESTS("esp-partitions", tests, n_tests);
}
