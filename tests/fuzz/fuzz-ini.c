/* SPDX-License-Identifier: MIT */
/* INI: any bytes; what was read without a problem is read the same once it was written. */
#include <errno.h>

#include "base/ini.h"
#include "fuzz.h"

static void must_be_same(const struct ini_section *a, const struct ini_section *b)
{
	MUST(strcmp(a->kind, b->kind) == 0 && strcmp(a->name, b->name) == 0);
	MUST(a->n_entries == b->n_entries);
	for (size_t i = 0; i < a->n_entries; i++) {
		MUST(strcmp(a->entries[i].key, b->entries[i].key) == 0);
		MUST(strcmp(a->entries[i].value, b->entries[i].value) == 0);
	}
}

static void must_come_back(const struct ini_section *section)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {};
	CLEANUP(ini_done) struct ini again = {};
	CLEANUP(freep) char *text = NULL;
	size_t n_text = 0;
	FILE *to = open_memstream(&text, &n_text);
	int r;

	MUST(to);
	r = ini_section_write(section, to);
	MUST(fclose(to) == 0);
	if (r == -EINVAL) /* what cannot be written so that it is read the same */
		return;
	MUST(r == 0);
	MUST(ini_load_text(&again, "again", text, n_text, &problems) == 0);
	MUST(problems.n_items == 0 && again.n_sections == 1);
	must_be_same(section, &again.sections[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {};
	CLEANUP(ini_done) struct ini ini = {};
	char line[512];

	MUST(ini_load_text(&ini, "file", (const char *)data, size, &problems) == 0);
	MUST(problems.n_items <= INI_MAX_PROBLEMS + 1);
	for (size_t i = 0; i < problems.n_items; i++)
		MUST(*ini_problem_format(&problems.items[i], line, sizeof(line)));
	for (size_t i = 0; problems.n_items == 0 && i < ini.n_sections; i++)
		must_come_back(&ini.sections[i]);
	return 0;
}
