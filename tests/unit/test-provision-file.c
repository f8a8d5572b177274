/* SPDX-License-Identifier: MIT */
/* Lists of values: read as a whole and in one way only, or refused with their line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "records/provision-file.h"
#include "unit/folder.h"

/* Both with room for eight bytes. */
#define TEXT  PROVISION_TEXT
#define BYTES PROVISION_BYTES

static const struct row {
	const char *name;
	enum provision_form form;
	const char *text;
	const char *values; /* each with its line, NULL: refused */
	const char *reason;
} rows[] = {
	{"lines", TEXT, "a\nb\nc\n", "1a 2b 3c ", ""},
	{"no line end", TEXT, "a\nb", "1a 2b ", ""},
	{"nothing", TEXT, "", "", ""},
	{"DOS", TEXT, "a\r\nb,x\r\n\r\n", "1a 2b ", ""},
	{"commas", TEXT, "a,1\nb ,2,\"x\"\n c,3\n", "1a 2b 3c ", ""},
	{"semicolons, and decimal commas", TEXT, "a;1,5\nb;2,5\n", "1a 2b ", ""},
	{"tabs", TEXT, "a\t1,5;x\nb\t\n", "1a 2b ", ""},
	{"comments", TEXT, "# serial,batch\na\n\n  # b\n", "2a ", ""},
	{"empty rows of a spreadsheet", TEXT, "a,1\n,,,\n , \n\"\",\"\"\nb,2\n", "1a 5b ", ""},
	{"a byte order mark", TEXT,
		"\xEF\xBB\xBF"
		"AA0001\nAA0002\n",
		"1AA0001 2AA0002 ", ""},
	{"a mark alone", TEXT, "\xEF\xBB\xBF", "", ""},
	{"a blank inside", TEXT, "a b\n", "1a b ", ""},
	{"other columns in another encoding", TEXT, "a,M\xFCller\n", "1a ", ""},

	{"quotes", TEXT, "\"a, b\",1\n\"c\"\n", "1a, b 2c ", ""},
	{"doubled quotes", TEXT, "\"AA\"\"01\",x\n\"AA\"\"02\",y\n", "1AA\"01 2AA\"02 ", ""},
	{"only doubled quotes", TEXT, "\"\"\"\",x\n", "1\" ", ""},
	{"a quoted #", TEXT, "\"#1\"\n", "1#1 ", ""},
	{"quotes in another column", TEXT, "a,\"1; 5\",\"x\"\"y\"\n", "1a ", ""},
	{"a quote that stays open", TEXT, "a\n\"b\nc\"\n", NULL, "file:2: a quote is not closed"},
	{"a quote that stays open further on", TEXT, "a,\"b\nc\"\n", NULL,
		"file:1: a quote is not"},
	{"text behind quotes", TEXT, "\"AA\"01,x\n", NULL, "file:1: text behind a closing quote"},
	{"a blank behind quotes", TEXT, "\"AA\" ,x\n", NULL, "file:1: text behind a closing quote"},
	{"a quote inside", TEXT, "AA\"01\n", NULL, "file:1: a quote inside of a field"},
	{"a quote inside further on", TEXT, "AA,5\"\n", NULL, "file:1: a quote inside of a field"},
	{"blanks in quotes, behind", TEXT, "\"AA \"\n", NULL,
		"file:1: 'AA ' begins or ends with a"},
	{"blanks in quotes, before", TEXT, "\" AA\"\n", NULL,
		"file:1: ' AA' begins or ends with a"},

	{"two separators in one line", TEXT, "AA,01;x\nAB,01;y\n", NULL,
		"file:1: both ',' and ';' may separate columns"},
	{"two separators in the file", TEXT, "a;x\nb,y\n", NULL, "file:2: both ';' and ','"},
	{"a comma and a tab", TEXT, "a,x\ty\n", NULL, "file:1: both ',' and tab"},
	{"an empty first column", TEXT, "a,1\n,2\n", NULL, "file:2: the first column is empty"},
	{"a tab before the value", TEXT, "\tAA01\n", NULL, "file:1: the first column is empty"},
	{"quotes with nothing in them", TEXT, "\"\",2\n", NULL,
		"file:1: the first column is empty"},
	{"a comment behind a value", TEXT, "a # b\n", NULL, "file:1: 'a # b' may have a comment"},

	{"a formula", TEXT, "AA1\n=1+2\n", NULL, "file:2: '=1+2' begins with the = of a formula"},
	{"a quoted formula", TEXT, "\"=\"\"0001\"\"\"\n", NULL, "begins with the = of a formula"},
	{"the mark of a text", TEXT, "'0001\n", NULL,
		"file:1: '\\x270001' begins with the ' of a text"},
	{"a rounded number", TEXT, "AA1\n1.23E+11;x\n", NULL, "file:2: '1.23E+11' seems to be a"},
	{"a rounded number, German", TEXT, "\"1,2E+11\";x\n", NULL, "file:1: '1,2E+11' seems to"},
	{"no rounded numbers", TEXT, "12E5\n1E+5A\nE+5\n1E+\na=\na'b\n",
		"112E5 21E+5A 3E+5 41E+ 5a= 6a'b ", ""},

	{"a heading", TEXT, "batch\nAA01\nAA02\n", NULL, "file:1: 'batch' seems to be the heading"},
	{"a heading with columns", TEXT, "\n\"S/N\";Date\nAA;1\n", NULL,
		"file:2: 'S/N' seems to be"},
	{"a heading alone", TEXT, "serial\n", NULL, "file:1: 'serial' seems to be the heading"},
	{"what a spreadsheet says of itself", TEXT, "sep=;\nAA;1\n", NULL, "file:1: 'sep=' seems"},
	{"a heading of bytes", BYTES, "key\n0011223344556677\n", NULL,
		"file:1: 'key' is not in hexadecimal digits"},
	{"bytes without a digit", BYTES, "AABBCCDDEEFFAABB\n0011223344556677\n",
		"1AABBCCDDEEFFAABB 20011223344556677 ", ""},

	{"a value twice", TEXT, "AA01\nAA02\nAA01\n", NULL,
		"file:3: 'AA01' stands already in line 1"},
	{"a value in two cases", TEXT, "AA01\naa01\n", "1AA01 2aa01 ", ""},
	{"bytes twice, in two cases", BYTES, "00112233445566aa\n00112233445566AA\n", NULL,
		"file:2: '00112233445566AA' stands already in line 1"},

	{"too long for its place", TEXT, "AA01\nAA0000002\n", NULL,
		"file:2: 'AA0000002' does not fit the 8 bytes"},
	{"too long for anything", TEXT,
		"a1\n"
		"0123456789012345678901234567890123456789012345678901234567890123"
		"01234567890123456789012345678901234567890123456789012345678901234\n",
		NULL, "file:2: '012345"},
	{"bytes that are too few", BYTES, "00112233\n", NULL,
		"file:1: '00112233' has 8 hexadecimal"},
	{"bytes with blanks", BYTES, "00 11 22 33\n", NULL, "file:1: '00 11 22 33' is not in hex"},
	{"no ASCII", TEXT,
		"AA\xC2\xA0"
		"1\n",
		NULL, "file:1: 'AA\\xc2\\xa01' is no printable ASCII"},

	{"UTF-16", TEXT,
		"\xFF\xFE"
		"A",
		NULL, "file: the file is UTF-16"},
	{"UTF-16, the other way", TEXT,
		"\xFE\xFF"
		"A",
		NULL, "file: the file is UTF-16"},
	{"CR alone", TEXT, "AA01\rAA02\r", NULL, "file:1: a CR without LF"},
	{"CR alone behind LF", TEXT, "AA01\nAA02\rAA03\n", NULL, "file:2: a CR without LF"},
	{"a control character", TEXT,
		"AA01\nAA\x1b"
		"02\n",
		NULL, "file:2: byte 0x1b is not text"},
};

static struct provision make_key(enum provision_form form, const char *name)
{
	struct provision made = {.form = form, .address = 0x0800FC00, .size = 8};

	snprintf(made.file, sizeof(made.file), "%s", in_folder(name));
	return made;
}

static void put(const char *name, const char *text, size_t n_text)
{
	CLEANUP(fclosep) FILE *to = fopen(in_folder(name), "w");

	assert_non_null(to);
	assert_int_equal(fwrite(text, 1, n_text, to), n_text);
}

static void a_list_is_read_in_one_way_or_refused_with_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		const struct provision key = make_key(row->form, "file");
		CLEANUP(provision_file_done) struct provision_file file = {0};
		struct reason reason = {""};
		char values[400] = "";
		int r;

		put("file", row->text, strlen(row->text));
		r = provision_file_load(&key, &file, &reason);
		for (size_t j = 0; j < file.n_lines; j++)
			snprintf(values + strlen(values), sizeof(values) - strlen(values), "%u%s ",
				file.lines[j].line, file.lines[j].value);
		if (r != (row->values ? 0 : -EINVAL) ||
			strcmp(values, row->values ? row->values : "") != 0 ||
			!strstr(reason.text, row->reason))
			fail_msg("%s: %d '%s' '%s'", row->name, r, values, reason.text);
	}
}

static void expect_refused(const char *name, const char *why)
{
	const struct provision key = make_key(PROVISION_TEXT, name);
	CLEANUP(provision_file_done) struct provision_file file = {0};
	struct reason reason = {""};

	assert_int_equal(provision_file_load(&key, &file, &reason), -EINVAL);
	if (!strstr(reason.text, why))
		fail_msg("%s: '%s'", name, reason.text);
}

static void what_is_no_such_file_is_refused(void **state)
{
	(void)state;
	expect_refused("gone", "gone: No such file");
	expect_refused("", "this is no file");
	put("nul", "AA01\na\0b\n", 9);
	expect_refused("nul", "nul:2: byte 0x00");
	put("large", "", 0);
	assert_int_equal(truncate(in_folder("large"), 5 * 1024 * 1024), 0);
	expect_refused("large", "larger than 4 MiB");
}

static void write_numbers(const char *name, unsigned n)
{
	CLEANUP(fclosep) FILE *to = fopen(in_folder(name), "w");

	assert_non_null(to);
	for (unsigned i = 0; i < n; i++)
		assert_true(fprintf(to, "%08u,x\n", i) > 0);
}

static void a_list_has_a_hundred_thousand_values_at_most(void **state)
{
	const struct provision key = make_key(PROVISION_TEXT, "many");
	CLEANUP(provision_file_done) struct provision_file file = {0};
	struct reason reason = {""};

	(void)state;
	write_numbers("many", SERIAL_FILE_VALUES);
	assert_int_equal(provision_file_load(&key, &file, &reason), 0);
	assert_int_equal(file.n_lines, SERIAL_FILE_VALUES);
	assert_string_equal(file.lines[SERIAL_FILE_VALUES - 1].value, "00099999");
	write_numbers("many", SERIAL_FILE_VALUES + 1);
	expect_refused("many", "many:100001: more than 100000 values");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_list_is_read_in_one_way_or_refused_with_its_line),
	cmocka_unit_test(what_is_no_such_file_is_refused),
	cmocka_unit_test(a_list_has_a_hundred_thousand_values_at_most),
};

int main(void)
{
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
