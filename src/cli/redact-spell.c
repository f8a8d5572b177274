/* SPDX-License-Identifier: MIT */
#include "cli/redact-spell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/json.h"
#include "base/text.h"

int redact_add_spelling(char *spellings[static REDACT_SPELLINGS], char *text)
{
	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < REDACT_SPELLINGS; i++) {
		if (!spellings[i]) {
			spellings[i] = text;
			return 0;
		}
		if (strcasecmp(spellings[i], text) == 0)
			break;
	}
	free(text);
	return 0;
}

/* As one text of JSON, without its quotes. NULL without memory. */
static char *spell_json(
	const char *text, void (*add)(struct json *to, const char *key, const char *from))
{
	struct json *list = json_new_list();
	char *made = NULL;
	size_t n_made = 0;
	FILE *to = open_memstream(&made, &n_made);
	int r = -ENOMEM;

	add(list, NULL, text);
	if (to)
		r = json_print_line(list, to);
	else
		json_free(list);
	if (to && fclose(to) != 0)
		r = -ENOMEM;
	if (r < 0 || n_made < strlen("[\"\"]")) {
		free(made);
		return NULL;
	}
	memmove(made, made + 2, n_made - 4);
	made[n_made - 4] = '\0';
	return made;
}

int redact_spell(const char *text, char *spellings[static REDACT_SPELLINGS])
{
	static char *(*const escapes[])(const char *from, char *to, size_t size) = {
		text_escape, text_cell, text_identifier, text_show};
	char shown[TEXT_MAX];
	int r = redact_add_spelling(spellings, strdup(text));

	for (size_t i = 0; i < ARRAY_SIZE(escapes) && r == 0; i++)
		r = redact_add_spelling(spellings, strdup(escapes[i](text, shown, sizeof(shown))));
	if (r == 0)
		r = redact_add_spelling(spellings, spell_json(text, json_add_text));
	return r == 0 ? redact_add_spelling(spellings, spell_json(text, json_add_descriptor)) : r;
}
