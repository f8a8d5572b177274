/* SPDX-License-Identifier: MIT */
/*
 * DfuSe: files made here by UM0391, what is refused at which offset, and what several targets and
 * elements give.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reading.h"
#include "rows.h"
#include "unit/in-flash.h"

#define FLASH	 UINT32_C(0x08000000)
#define MAX_FILE 2048

struct element {
	uint32_t address;
	const char *data;
	size_t n_data;
};

#define ELEMENT(address_, data_)                       \
	{                                              \
		(address_), (data_), sizeof(data_) - 1 \
	}

/* One of no data ends the elements, one of none the targets. */
struct target {
	uint8_t setting;
	struct element elements[4];
};

/* What is written over the finished file; `size` 0: nothing. */
struct change {
	size_t offset, size;
	uint32_t value;
};

struct made {
	struct target targets[3];
	struct change changes[3];
	size_t cut; /* bytes missing at the end, 0: none */
	bool keep_crc;
};

struct file {
	uint8_t bytes[MAX_FILE];
	size_t n_bytes;
};

static void put(struct file *file, const void *bytes, size_t n)
{
	assert_true(n <= sizeof(file->bytes) - file->n_bytes);
	memcpy(file->bytes + file->n_bytes, bytes, n);
	file->n_bytes += n;
}

static void overwrite(struct file *file, size_t offset, size_t size, uint32_t value)
{
	for (size_t i = 0; i < size; i++)
		file->bytes[offset + i] = (uint8_t)(value >> 8 * i);
}

static void put_number(struct file *file, size_t size, uint32_t value)
{
	static const uint8_t zeros[4];

	put(file, zeros, size);
	overwrite(file, file->n_bytes - size, size, value);
}

static void put_target(struct file *file, const struct target *target)
{
	char name[255] = "ST...";
	size_t begin = file->n_bytes;
	uint32_t n_elements = 0;

	put(file, "Target", 6);
	put_number(file, 1, target->setting);
	put_number(file, 4, 1);
	put(file, name, sizeof(name));
	put_number(file, 4, 0);
	put_number(file, 4, 0);
	for (; n_elements < ARRAY_SIZE(target->elements); n_elements++) {
		const struct element *element = &target->elements[n_elements];

		if (!element->data)
			break;
		put_number(file, 4, element->address);
		put_number(file, 4, (uint32_t)element->n_data);
		put(file, element->data, element->n_data);
	}
	overwrite(file, begin + 266, 4, (uint32_t)(file->n_bytes - begin - 274));
	overwrite(file, begin + 270, 4, n_elements);
}

/* Most significant bit first over reflected bytes: another way than the reader's. */
static uint32_t crc_of(const uint8_t *bytes, size_t n)
{
	uint32_t crc = 0xFFFFFFFF, reflected = 0;

	for (size_t i = 0; i < 8 * n; i++) {
		uint32_t bit = (uint32_t)(bytes[i / 8] >> i % 8 & 1) ^ crc >> 31;

		crc = crc << 1 ^ (bit ? 0x04C11DB7 : 0);
	}
	for (int i = 0; i < 32; i++)
		reflected |= (crc >> i & 1) << (31 - i);
	return reflected;
}

static void make_file(const struct made *made, struct file *ret)
{
	uint8_t n_targets = 0;

	*ret = (struct file){};
	put(ret, "DfuSe", 5);
	put_number(ret, 1, 1);
	put_number(ret, 4, 0);
	put_number(ret, 1, 0);
	for (size_t i = 0; i < ARRAY_SIZE(made->targets); i++) {
		if (!made->targets[i].elements[0].data)
			break;
		put_target(ret, &made->targets[i]);
		n_targets++;
	}
	overwrite(ret, 6, 4, (uint32_t)ret->n_bytes);
	overwrite(ret, 10, 1, n_targets);
	put_number(ret, 2, 0);
	put_number(ret, 2, 0xDF11);
	put_number(ret, 2, 0x0483);
	put_number(ret, 2, 0x011A);
	put(ret, "UFD", 3);
	put_number(ret, 1, 16);

	for (size_t i = 0; !made->keep_crc && i < ARRAY_SIZE(made->changes); i++)
		overwrite(ret, made->changes[i].offset, made->changes[i].size,
			made->changes[i].value);
	put_number(ret, 4, crc_of(ret->bytes, ret->n_bytes));
	for (size_t i = 0; made->keep_crc && i < ARRAY_SIZE(made->changes); i++)
		overwrite(ret, made->changes[i].offset, made->changes[i].size,
			made->changes[i].value);
	ret->n_bytes -= made->cut;
}

/* Of one target with two elements: what stands where. */
#define ONE                                                                              \
	{                                                                                \
		{                                                                        \
			0,                                                               \
			{                                                                \
				ELEMENT(FLASH, BYTES_16), ELEMENT(FLASH + 0x100, "data") \
			}                                                                \
		}                                                                        \
	}
enum {
	TARGET = 11,
	FIRST = TARGET + 274,
	SECOND = FIRST + 8 + 16,
	SUFFIX = SECOND + 8 + 4,
	END = SUFFIX + 16,
};
_Static_assert(SUFFIX == 321, "as the messages below say");

struct bad_row {
	const char *name;
	struct made made;
	const char *expected;
};

static const struct bad_row bad[] = {
	{"fault 28: dfuse of prefix alone", {.targets = ONE, .cut = END - 11},
		"offset 11: the file ends, but prefix and suffix alone have 27 bytes: was it cut "
		"off?"},
	{"fault 28: dfuse one byte too short for both ends", {.targets = ONE, .cut = END - 26},
		"offset 26: the file ends, but prefix and suffix alone"},
	{"fault 28: dfuse cut off in the suffix", {.targets = ONE, .cut = 1},
		"offset 328: expected 'UFD' in the suffix of a DFU file: was it cut off?"},
	{"fault 28: dfuse cut off in an element", {.targets = ONE, .cut = 20},
		"offset 309: expected 'UFD' in the suffix"},
	{"dfuse, suffix signature", {.targets = ONE, .changes = {{SUFFIX + 10, 1, 'd'}}},
		"offset 329: expected 'UFD' in the suffix"},
	{"dfuse, suffix length", {.targets = ONE, .changes = {{SUFFIX + 11, 1, 18}}},
		"offset 332: expected a suffix of 16 bytes, seen 18"},
	{"dfuse, plain DFU 1.0", {.targets = ONE, .changes = {{SUFFIX + 6, 2, 0x0100}}},
		"offset 327: expected DFU version 0x011a, which is ST's, seen 0x0100"},
	{"dfuse, one flipped bit",
		{.targets = ONE, .changes = {{FIRST + 9, 1, 0}}, .keep_crc = true},
		"offset 333: bad CRC: expected 0x"},
	{"dfuse, bad CRC",
		{.targets = ONE, .changes = {{SUFFIX + 12, 4, 0x12345678}}, .keep_crc = true},
		"offset 333: bad CRC: expected 0x"},
	{"dfuse, version of the format", {.targets = ONE, .changes = {{5, 1, 2}}},
		"offset 5: expected version 1 of the format, seen 2"},
	{"dfuse, size of the file too large", {.targets = ONE, .changes = {{6, 4, 338}}},
		"offset 6: the file has 337 bytes, but says 338: was it cut off?"},
	{"dfuse, size of the file too small", {.targets = ONE, .changes = {{6, 4, 320}}},
		"offset 6: the file has 337 bytes, but says 320"},
	{"dfuse, no targets", {.targets = ONE, .changes = {{10, 1, 0}}},
		"offset 11: 310 bytes before the suffix belong to none of the 0 targets"},
	{"dfuse, nothing at all", {.keep_crc = true},
		"offset 11: the targets end and have no byte of data"},
	{"dfuse, a target more than there is", {.targets = ONE, .changes = {{10, 1, 2}}},
		"offset 321: expected a target prefix of 274 bytes, but the targets end at offset "
		"321"},
	{"dfuse, a target fewer than there is",
		{.targets = {{0, {ELEMENT(FLASH, "a")}}, {0, {ELEMENT(FLASH + 1, "b")}}},
			.changes = {{10, 1, 1}}},
		"offset 294: 283 bytes before the suffix belong to none of the 1 targets"},
	{"dfuse, target signature", {.targets = ONE, .changes = {{TARGET + 5, 1, 'T'}}},
		"offset 11: expected 'Target' at a target's begin"},
	{"dfuse, target larger than the file", {.targets = ONE, .changes = {{TARGET + 266, 4, 37}}},
		"offset 277: a target of 37 bytes, but the targets end at offset 321"},
	{"dfuse, target as large as can be",
		{.targets = ONE, .changes = {{TARGET + 266, 4, 0xFFFFFFFF}}},
		"offset 277: a target of 4294967295 bytes, but the targets end at offset 321"},
	{"dfuse, target smaller than its elements",
		{.targets = ONE, .changes = {{TARGET + 266, 4, 35}}},
		"offset 313: an element of 4 bytes, but its target ends at offset 320"},
	{"dfuse, an element more than there is",
		{.targets = ONE, .changes = {{TARGET + 270, 4, 3}}},
		"offset 321: expected an element's address and size, but its target ends at offset "
		"321"},
	{"dfuse, elements as many as can be",
		{.targets = ONE, .changes = {{TARGET + 270, 4, 0xFFFFFFFF}}},
		"offset 321: expected an element's address and size"},
	{"dfuse, an element fewer than there is",
		{.targets = ONE, .changes = {{TARGET + 270, 4, 1}}},
		"offset 309: 12 bytes of the target belong to none of its elements"},
	{"dfuse, no element", {.targets = ONE, .changes = {{TARGET + 270, 4, 0}}},
		"offset 285: 36 bytes of the target belong to none of its elements"},
	{"dfuse, element larger than its target", {.targets = ONE, .changes = {{FIRST + 4, 4, 29}}},
		"offset 289: an element of 29 bytes, but its target ends at offset 321"},
	{"dfuse, element as large as can be",
		{.targets = ONE, .changes = {{SECOND + 4, 4, 0xFFFFFFFF}}},
		"offset 313: an element of 4294967295 bytes"},
	{"dfuse, only empty elements", {.targets = {{0, {ELEMENT(FLASH, "")}}}},
		"offset 293: the targets end and have no byte of data"},
	{"fault 41: dfuse wraps at 32 bits", {.targets = ONE, .changes = {{FIRST, 4, 0xFFFFFFF8}}},
		"element at offset 285: 16 bytes from 0xfffffff8 on reach the end of the 32-bit"},
	{"fault 29: dfuse larger than the flash",
		{.targets = {{0, {ELEMENT(FLASH, BYTES_16), ELEMENT(FLASH + 16, BYTES_16),
					 ELEMENT(FLASH + 32, "!")}}}},
		"element at offset 333: more than 32 bytes of data: they do not fit the flash"},
	{"dfuse, overlap", {.targets = ONE, .changes = {{SECOND, 4, FLASH + 15}}},
		"element at offset 309: address 0x0800000f is given twice, the first time in "
		"element at offset 285"},
	{"dfuse, overlap of two targets",
		{.targets = {{0, {ELEMENT(FLASH, "ab")}}, {0, {ELEMENT(FLASH, "ab")}}}},
		"element at offset 569: address 0x08000000 is given twice, the first time in "
		"element at offset 285"},
	{"dfuse, a target for the option bytes besides",
		{.targets = {{0, {ELEMENT(FLASH, "ab")}}, {1, {ELEMENT(0x1FFFF800, "ab")}}}},
		"offset 301: one of 2 targets is for alternate setting 1: only the flash, setting "
		"0,"},
	{"dfuse, another memory first",
		{.targets = {{2, {ELEMENT(0x90000000, "ab")}}, {0, {ELEMENT(FLASH, "ab")}}}},
		"offset 17: one of 2 targets is for alternate setting 2"},
};

struct good_row {
	const char *name;
	struct made made;
	struct good_segment segments[3];
};

static const struct good_row good[] = {
	{"dfuse, two elements", {.targets = ONE},
		{SEGMENT(FLASH, BYTES_16), SEGMENT(FLASH + 0x100, "data")}},
	{"dfuse, elements that touch",
		{.targets = {{0, {ELEMENT(FLASH, BYTES_16), ELEMENT(FLASH + 16, BYTES_NEXT_16)}}}},
		{SEGMENT(FLASH, BYTES_16 BYTES_NEXT_16)}},
	{"dfuse, the later one first",
		{.targets = {{0, {ELEMENT(FLASH + 16, BYTES_NEXT_16), ELEMENT(FLASH, BYTES_16)}}}},
		{SEGMENT(FLASH, BYTES_16 BYTES_NEXT_16)}},
	{"dfuse, an empty element", {.targets = {{0, {ELEMENT(FLASH, ""), ELEMENT(FLASH, "ab")}}}},
		{SEGMENT(FLASH, "ab")}},
	{"dfuse, one target of another setting", {.targets = {{3, {ELEMENT(FLASH, "ab")}}}},
		{SEGMENT(FLASH, "ab")}},
	{"dfuse, three targets of the flash",
		{.targets = {{0, {ELEMENT(FLASH, "ab")}}, {0, {ELEMENT(FLASH + 4, "ef")}},
			 {0, {ELEMENT(FLASH + 2, "cd")}}}},
		{SEGMENT(FLASH, "abcdef")}},
	{"dfuse, size of the file with its suffix", {.targets = ONE, .changes = {{6, 4, END}}},
		{SEGMENT(FLASH, BYTES_16), SEGMENT(FLASH + 0x100, "data")}},
	{"dfuse, any device's ids",
		{.targets = ONE, .changes = {{SUFFIX, 4, 0xFFFFFFFF}, {SUFFIX + 4, 2, 0xFFFF}}},
		{SEGMENT(FLASH, BYTES_16), SEGMENT(FLASH + 0x100, "data")}},
	{"dfuse, a target without a name",
		{.targets = ONE, .changes = {{TARGET + 7, 4, 0}, {TARGET + 11, 4, 0xFFFFFFFF}}},
		{SEGMENT(FLASH, BYTES_16), SEGMENT(FLASH + 0x100, "data")}},
	{"dfuse, the last but one of the 32-bit addresses",
		{.targets = {{0, {ELEMENT(0xFFFFFFFE, "a")}}}}, {SEGMENT(0xFFFFFFFE, "a")}},
};

static void is_refused_with_its_offset(void **state)
{
	const struct bad_row *row = *state;
	struct file file;

	make_file(&row->made, &file);
	assert_refused("folder/gate.dfu", file.bytes, file.n_bytes, 32, row->expected);
}

static void is_read(void **state)
{
	const struct good_row *row = *state;
	struct file file;

	make_file(&row->made, &file);
	assert_read(
		"gate.dfu", file.bytes, file.n_bytes, 32, row->segments, ARRAY_SIZE(row->segments));
}

static void fault_28_no_cut_of_dfuse_crashes_or_passes_for_whole(void **state)
{
	const struct made made = {.targets = ONE};
	struct file file;
	(void)state;

	make_file(&made, &file);
	for (size_t n = 1; n < file.n_bytes; n++)
		assert_refused("gate.dfu", file.bytes, n, 32, n < 5 ? "the name says DfuSe" : "");
}

/* Each single flipped bit is found, by the mark or by the CRC. */
static void dfuse_no_single_flipped_bit_passes(void **state)
{
	const struct made made = {.targets = ONE};
	struct file file;
	(void)state;

	make_file(&made, &file);
	for (size_t bit = 0; bit < 8 * file.n_bytes; bit++) {
		file.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_refused("gate.dfu", file.bytes, file.n_bytes, 32, "");
		file.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void fault_41_dfuse_outside_the_flash_does_not_fit(void **state)
{
	const struct made made = {.targets = {{1, {ELEMENT(0x1FFFF800, "ab")}}}};
	struct image image = {};
	struct reason reason = {};
	struct file file;
	(void)state;

	make_file(&made, &file);
	assert_int_equal(
		read_exact("gate.dfu", file.bytes, file.n_bytes, 32, &image, &reason), IMAGE_OK);
	assert_int_equal(check_in_flash(&image, &reason), OUTCOME_BAD_IMAGE);
	assert_non_null(strstr(reason.text, "0x1ffff800 (option bytes or system memory), outside"));
	image_done(&image);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(bad) + ARRAY_SIZE(good) + 3];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, bad, is_refused_with_its_offset);
	ADD_ROWS(tests, n_tests, good, is_read);
	ADD_TEST(tests, n_tests, fault_28_no_cut_of_dfuse_crashes_or_passes_for_whole);
	ADD_TEST(tests, n_tests, dfuse_no_single_flipped_bit_passes);
	ADD_TEST(tests, n_tests, fault_41_dfuse_outside_the_flash_does_not_fit);
	return RUN_TESTS("dfuse", tests, n_tests);
}
