/* SPDX-License-Identifier: MIT */
/*
 * A list of values for `serialize`: any bytes behind the first, which chooses form and size. Values
 * that were taken fit their place, differ, stand in rising lines, and are read the same again from
 * a list that quotes each of them.
 */
#include <errno.h>

#include "fuzz.h"
#include "service/serial-file.h"

static int parse(const struct serialize *serialize, const char *data, size_t n,
	struct serial_file *ret, struct reason *reason)
{
	char *text = malloc(n + 1);

	MUST(text);
	memcpy(text, data, n);
	text[n] = '\0';
	return serial_file_parse(serialize, text, n, ret, reason);
}

static void must_come_back(const struct serialize *serialize, const struct serial_file *file)
{
	CLEANUP(serial_file_done) struct serial_file again = {0};
	CLEANUP(freep) char *text = NULL;
	struct reason reason = {""};
	size_t n_text = 0;
	FILE *to = open_memstream(&text, &n_text);

	MUST(to);
	for (size_t i = 0; i < file->n_lines; i++) {
		fputc('"', to);
		for (const char *c = file->lines[i].value; *c; c++)
			fprintf(to, "%s%c", *c == '"' ? "\"" : "", *c);
		fputs("\",x\r\n", to);
	}
	MUST(fclose(to) == 0);
	MUST(parse(serialize, text, n_text, &again, &reason) == 0);
	MUST(again.n_lines == file->n_lines);
	for (size_t i = 0; i < file->n_lines; i++)
		MUST(strcmp(again.lines[i].value, file->lines[i].value) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct serialize serialize = {.file = "list.csv"};
	CLEANUP(serial_file_done) struct serial_file file = {0};
	struct reason reason = {""};
	uint8_t bytes[SERIALIZE_MOST];
	unsigned last = 0;

	if (size == 0)
		return 0;
	serialize.form = data[0] & 1 ? SERIALIZE_TEXT : SERIALIZE_BYTES;
	serialize.size = 1 + (data[0] >> 1) % SERIALIZE_MOST;
	if (parse(&serialize, (const char *)data + 1, size - 1, &file, &reason) < 0) {
		fuzz_must_be_sentence(reason.text);
		return 0;
	}
	for (size_t i = 0; i < file.n_lines; i++) {
		MUST(serialize_render(&serialize, file.lines[i].value, bytes, &reason) == 0);
		MUST(file.lines[i].line > last);
		last = file.lines[i].line;
		MUST(i == 0 || serial_file_compare(&serialize, file.lines[i].value,
				       file.lines[i - 1].value) != 0);
	}
	must_come_back(&serialize, &file);
	return 0;
}
