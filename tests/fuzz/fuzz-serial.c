/* SPDX-License-Identifier: MIT */
/*
 * A list of values for `serialize`: any bytes behind the first, which chooses form and size. Values
 * that were taken fit their place, differ, stand in rising lines, and are read the same again from
 * a list that quotes each of them.
 */
#include <errno.h>

#include "fuzz.h"
#include "records/provision-file.h"

static int parse(const struct provision *serialize, const char *data, size_t n,
	struct provision_file *ret, struct reason *reason)
{
	char *text = malloc(n + 1);

	MUST(text);
	memcpy(text, data, n);
	text[n] = '\0';
	return provision_file_parse(serialize, text, n, ret, reason);
}

static void must_come_back(const struct provision *serialize, const struct provision_file *file)
{
	CLEANUP(provision_file_done) struct provision_file again = {0};
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
	struct provision serialize = {.file = "list.csv"};
	CLEANUP(provision_file_done) struct provision_file file = {0};
	struct reason reason = {""};
	uint8_t bytes[PROVISION_MOST];
	unsigned last = 0;

	if (size == 0)
		return 0;
	serialize.form = data[0] & 1 ? PROVISION_TEXT : PROVISION_BYTES;
	serialize.size = 1 + (data[0] >> 1) % PROVISION_MOST;
	if (parse(&serialize, (const char *)data + 1, size - 1, &file, &reason) < 0) {
		fuzz_must_be_sentence(reason.text);
		return 0;
	}
	for (size_t i = 0; i < file.n_lines; i++) {
		MUST(provision_render(&serialize, file.lines[i].value, bytes, &reason) == 0);
		MUST(file.lines[i].line > last);
		last = file.lines[i].line;
		MUST(i == 0 || provision_file_compare(&serialize, file.lines[i].value,
				       file.lines[i - 1].value) != 0);
	}
	must_come_back(&serialize, &file);
	return 0;
}
