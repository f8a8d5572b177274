/* SPDX-License-Identifier: MIT */
/* What is left of names and ids in a report. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cli/redact-frames.c"
#include "cli/redact-spell.c"
#include "cli/redact.c"

#define ODD                     \
	"9\"\\\x1b\xc3\xa4\xff" \
	"7"
#define UNIT  "193e3ab51f37d0bf39b8eeb4"
#define MAC   "240ac4123456"
#define OTHER "0000000000000000000000a1"

static void set_up(struct redact *redact)
{
	*redact = (struct redact){0};
	assert_int_equal(redact_add(redact, REDACT_UNIT, UNIT), 0);
	assert_int_equal(redact_add(redact, REDACT_UNIT, MAC), 0);
	assert_int_equal(redact_add(redact, REDACT_UNIT, "ef4915c0"), 0);
	assert_int_equal(redact_add(redact, REDACT_UNIT, "313233333231"), 0);
	assert_int_equal(redact_add(redact, REDACT_SERIAL, "A1"), 0);
	assert_int_equal(redact_add(redact, REDACT_SERIAL, "a1"), 0);
	assert_int_equal(redact_add(redact, REDACT_SERIAL, ""), 0);
	assert_int_equal(redact_add(redact, REDACT_SERIAL, NULL), 0);
	assert_int_equal(redact_add(redact, REDACT_SERIAL, "A1-B2"), 0);
	assert_int_equal(redact_add(redact, REDACT_SERIAL, ODD), 0);
	assert_int_equal(redact_add(redact, REDACT_SERIAL, "9\"8\t"), 0);
}

#define UNIT_MADE "101112131415161718191a1b"
#define MAC_MADE  "202122232425"

static const struct {
	const char *name, *from, *to;
} rows[] = {
	{"nothing of it", "ttyUSB0: updated\n", "ttyUSB0: updated\n"},
	{"an id", "unit " UNIT "\n", "unit " UNIT_MADE "\n"},
	{"in any case", "unit 193E3AB51F37D0BF39B8EEB4,", "unit " UNIT_MADE ","},
	{"twice, and another", UNIT " " MAC " " UNIT, UNIT_MADE " " MAC_MADE " " UNIT_MADE},
	{"a serial", "serial = A1\n", "serial = serial-1\n"},
	{"the longer one first", "A1-B2 'A1'", "serial-2 'serial-1'"},
	{"not in another word", "DATA1 A10 A1_ xA1", "DATA1 A10 A1_ xA1"},
	{"a short one is not in another word", "usb-Bridge_A1-B2XY", "usb-Bridge_A1-B2XY"},
	{"an id in another word", "label_" UNIT "_1.pdf\n", "label_" UNIT_MADE "_1.pdf\n"},
	{"a MAC as people write it", "'sta (24:0A:c4:12:34:56)'", "'sta (" MAC_MADE ")'"},
	{"escaped, and as it is in a rule", "'9\\x22\\x5c\\x1b\xc3\xa4\\xff7' " ODD,
		"'serial-3' serial-3"},
	{"escaped for a name", "9\\x22\\x5c\\x1b\\xc3\\xa4\\xff7", "serial-3"},
	{"escaped by JSON", "\"9\\\"8\\t\"", "\"serial-4\""},
	{"escaped by both", "\"9\\\"\\\\x5c\\\\x1b\\u00e4\\\\xff7\"", "\"serial-3\""},
	{"letters of an application, outside of brackets",
		"0.100000 < 73 74 61 20 28 32 34 3a 30\n0.200000 silence\n0.300000 < 41 3a 63 34 3a 31 32 3a 33 34 3a 35 36 29\n",
		"0.100000 < 73 74 61 20 28 32 30 3a 32\n0.200000 silence\n0.300000 < 31 3a 32 32 3a 32 33 3a 32 34 3a 32 35 29\n"},
	{"letters of an id",
		"0.100000 < 69 64 20 31 39 33 65 33 61 62 35 31 66 33 37 64 30 62 66 33 39 62 38 65 65 62 34 21\n",
		"0.100000 < 69 64 20 31 30 31 31 31 32 31 33 31 34 31 35 31 36 31 37 31 38 31 39 31 61 31 62 21\n"},
	{"letters without an end of the line", "0.100000 <", "0.100000 <"},
	{"an event without bytes and an end", "0.100000 silence", "0.100000 silence"},
	{"no letters across what is sent",
		"0.100000 < 73 74 61 20 28 32 34 3a 30\n0.200000 > 00\n0.300000 < 41 3a 63 34 3a 31 32 3a 33 34 3a 35 36 29\n",
		"0.100000 < 73 74 61 20 28 32 34 3a 30\n0.200000 > 00\n0.300000 < 41 3a 63 34 3a 31 32 3a 33 34 3a 35 36 29\n"},
	{"no bytes of an event", "0.000001 > a1 10\n", "0.000001 > a1 10\n"},
	{"bytes of a unit in their order",
		"begin unit\n0.100000 > 11 ee\n0.191264 < 79 19 3e 3a b5 1f 37 d0 bf 39 b8 ee b4\nend\n",
		"begin unit\n0.100000 > 11 ee\n0.191264 < 79 10 11 12 13 14 15 16 17 18 19 1a 1b\nend\n"},
	{"that are the same from behind", "begin unit\n0.100000 < 79 31 32 33 33 32 31 79\nend\n",
		"begin unit\n0.100000 < 79 40 41 42 43 44 45 79\nend\n"},
	{"over the end of a line",
		"begin unit\n0.100000 < 79 19 3e 3a b5 1f\n0.200000 < 37 d0 bf 39 b8 ee b4\nend\n",
		"begin unit\n0.100000 < 79 10 11 12 13 14\n0.200000 < 15 16 17 18 19 1a 1b\nend\n"},
	{"in the reverse order, in two answers",
		"begin unit\n0.100000 < c0 01 0a 56 34 12 c4 00 00 c0\n0.200000 < c0 01 0a 0a 24 7f 00 c0\nend\n",
		"begin unit\n0.100000 < c0 01 0a 25 24 23 22 00 00 c0\n0.200000 < c0 01 0a 21 20 7f 00 c0\nend\n"},
	{"with two bytes for one, which do not tell which",
		"begin unit\n0.100000 < c0 01 db dc 15 49 ef 00 c0\nend\nunit ef4915c0\n",
		"begin unit\n0.100000 < c0 01 db dd 32 31 30 00 c0\nend\nunit 30313233\n"},
	{"not behind the end",
		"begin unit\nend\n0.191264 < 79 19 3e 3a b5 1f 37 d0 bf 39 b8 ee b4\n",
		"begin unit\nend\n0.191264 < 79 19 3e 3a b5 1f 37 d0 bf 39 b8 ee b4\n"},
};

static void names_and_bytes_are_replaced(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct redact redact;
		char *made;

		set_up(&redact);
		made = redact_text(&redact, rows[i].from);
		assert_non_null(made);
		if (strcmp(made, rows[i].to) != 0)
			fail_msg("%s: '%s'", rows[i].name, made);
		assert_int_equal(redact.n_replaced > 0, strcmp(rows[i].from, rows[i].to) != 0);
		free(made);
		redact_done(&redact);
	}
}

#define FRAMED_UNIT "19003e003ab51f0037d0bf39"
#define FRAMED_IEEE "00124b0004cc0605"
#define FRAMED_MAC  "c400040a1122"

/* Lines of what a board said in brackets of their own. */
static const struct {
	const char *name, *from, *to;
} frames[] = {
	{"the program in the RAM: zeros are coded, and a CRC follows",
		"0.100000 < 00 04 85 03 01 02 13 01 01 01 01 01 01 01 01 01 01 02 0c 01 01 02 19 02 3e 04 3a b5 1f 09 37 d0\n0.100001 < bf 39 6c d7 1c 4d 00\n",
		"0.100000 < 00 04 85 03 01 02 13 01 01 01 01 01 01 01 01 01 01 02 0c 01 01 11 10 11 12 13 14 15 16 17 18 19\n0.100001 < 1a 1b a3 c9 46 41 00\n"},
	{"TI: a sum is in front, and the head looks like the id",
		"0.100000 < 00 cc 0a 38 05 06 cc 04 00 4b 12 00\n",
		"0.100000 < 00 cc 0a 1c 27 26 25 24 23 22 21 20\n"},
	{"TI: a wrong one stays wrong", "0.100000 < 00 cc 05 39 4b 12 77\n",
		"0.100000 < 00 cc 05 39 22 21 77\n"},
	{"ESP: the head looks like the id",
		"0.100000 < c0 01 0a 04 00 22 11 0a 04 00 00 00 00 c0\n0.200000 < c0 01 0a 04 00 00 c4 5a 00 00 00 00 00 c0\n",
		"0.100000 < c0 01 0a 04 00 35 34 33 32 00 00 00 00 c0\n0.200000 < c0 01 0a 04 00 31 30 5a 00 00 00 00 00 c0\n"},
};

static void frames_stay_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		CLEANUP(redact_done) struct redact redact = {0};
		CLEANUP(freep) char *from = NULL, *to = NULL, *made = NULL;

		assert_int_equal(redact_add(&redact, REDACT_UNIT, FRAMED_UNIT), 0);
		assert_int_equal(redact_add(&redact, REDACT_UNIT, FRAMED_IEEE), 0);
		assert_int_equal(redact_add(&redact, REDACT_UNIT, FRAMED_MAC), 0);
		assert_true(asprintf(&from, "begin unit\n%send\n", frames[i].from) > 0);
		assert_true(asprintf(&to, "begin unit\n%send\n", frames[i].to) > 0);
		made = redact_text(&redact, from);
		assert_non_null(made);
		if (strcmp(made, to) != 0)
			fail_msg("%s: '%s'", frames[i].name, made);
	}
}

/* The same replacement for two units would be a lie. */
static void many_units_are_told_apart(void **state)
{
	CLEANUP(redact_done) struct redact redact = {0};
	char unit[REDACT_ID_BYTES + 1];

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		snprintf(unit, sizeof(unit), "%012x", i);
		assert_int_equal(redact_add(&redact, REDACT_UNIT, unit), 0);
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(
				redact.names[k].replacement, redact.names[i].replacement);
	}
}

static void units_of_a_transcript_are_found(void **state)
{
	struct redact redact = {0};
	char *made;

	(void)state;
	assert_int_equal(redact_add_names_of(&redact,
				 "plugflash-transcript 1\nunit " UNIT "\n[end]\nunit " OTHER "\n"),
		0);
	assert_int_equal(redact.n_names, 2);
	made = redact_text(&redact, UNIT " " OTHER);
	assert_string_equal(made, UNIT_MADE " 202122232425262728292a2b");
	free(made);
	redact_done(&redact);
}

/* A chip that talks much before it tells what it is. */
static void bytes_behind_many_others_are_replaced(void **state)
{
	static const char line[] = "0.100000 < 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55\n";
	static const char end[] = "0.200000 < 79 24 0a c4 12 34 56 79\nend\n";
	struct redact redact = {0};
	char *text = NULL, *made;
	size_t n_text = 0;
	FILE *to = open_memstream(&text, &n_text);

	(void)state;
	assert_int_equal(redact_add(&redact, REDACT_UNIT, MAC), 0);
	fputs("begin unit\n", to);
	for (unsigned i = 0; i < 1000; i++)
		fputs(line, to);
	fputs(end, to);
	fclose(to);
	made = redact_text(&redact, text);
	assert_non_null(made);
	assert_null(strstr(made, "24 0a c4 12 34 56"));
	assert_non_null(strstr(made, "79 10 11 12 13 14 15 79\nend\n"));
	free(made);
	free(text);
	redact_done(&redact);
}

static void the_serial_number_of_a_transcripts_rule_is_found(void **state)
{
	struct redact redact = {0};
	static const char text[] =
		"plugflash-transcript 1\nrule [board gate]\nrule serial=00*7\n[end]\n";
	char *made;

	(void)state;
	assert_int_equal(redact_add_names_of(&redact, text), 0);
	made = redact_text(&redact, text);
	assert_null(strstr(made, "00*7"));
	assert_non_null(strstr(made, "rule serial=serial-1\n"));
	free(made);
	redact_done(&redact);
}

static void more_than_can_be_told_apart_is_refused(void **state)
{
	struct redact redact = {0};
	char name[16];

	(void)state;
	for (unsigned i = 0; i < REDACT_MOST; i++) {
		snprintf(name, sizeof(name), "S%u", i);
		assert_int_equal(redact_add(&redact, REDACT_SERIAL, name), 0);
	}
	assert_int_equal(redact_add(&redact, REDACT_SERIAL, "S0"), 0);
	assert_int_equal(redact_add(&redact, REDACT_SERIAL, "another"), -E2BIG);
	redact_done(&redact);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_bytes_are_replaced),
		cmocka_unit_test(frames_stay_sound),
		cmocka_unit_test(many_units_are_told_apart),
		cmocka_unit_test(units_of_a_transcript_are_found),
		cmocka_unit_test(bytes_behind_many_others_are_replaced),
		cmocka_unit_test(the_serial_number_of_a_transcripts_rule_is_found),
		cmocka_unit_test(more_than_can_be_told_apart_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
