/* SPDX-License-Identifier: MIT */
/*
 * ini-problems.c - the list of what is wrong with a configuration, and how a line of it reads.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/ini.h"
#include "base/text.h"

static void problem_done(struct ini_problem *problem)
{
	free(problem->file);
	free(problem->section);
	free(problem->key);
	free(problem->message);
}

/* Takes the message. */
static int problem_append(struct ini_problems *problems, const char *file, unsigned line,
	const char *section, const char *key, char *message)
{
	struct ini_problem made = {.line = line, .message = message};
	struct ini_problem *items =
		room_for_one(problems->items, problems->n_items, sizeof(*problems->items));

	if (items)
		problems->items = items;
	if (!items || text_duplicate(file, &made.file) < 0 ||
		text_duplicate(section, &made.section) < 0 || text_duplicate(key, &made.key) < 0) {
		problem_done(&made);
		return -ENOMEM;
	}
	problems->items[problems->n_items++] = made;
	return 0;
}

int ini_problem_add(struct ini_problems *problems, const char *file, unsigned line,
	const char *section, const char *key, const char *format, ...)
{
	char *message = NULL;
	va_list arguments;
	int n;

	if (problems->n_items > INI_MAX_PROBLEMS)
		return 0;
	if (problems->n_items == INI_MAX_PROBLEMS) {
		message = strdup("there are more problems than these; mend these first");
		return message ? problem_append(problems, file, 0, NULL, NULL, message) : -ENOMEM;
	}
	va_start(arguments, format);
	n = vasprintf(&message, format, arguments);
	va_end(arguments);
	if (n < 0)
		return -ENOMEM;
	return problem_append(problems, file, line, section, key, message);
}

int ini_section_problem(const struct ini_section *section, const char *key,
	struct ini_problems *problems, const char *format, ...)
{
	const struct ini_entry *entry = key ? ini_section_find(section, key) : NULL;
	CLEANUP(freep) char *message = NULL;
	char title[INI_LINE_BYTES + 1];
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vasprintf(&message, format, arguments);
	va_end(arguments);
	if (n < 0) {
		message = NULL;
		return -ENOMEM;
	}
	return ini_problem_add(problems, section->file, entry ? entry->line : section->line,
		ini_section_title(section, title, sizeof(title)), key, "%s", message);
}

/* A message is a sentence with quotes; only what could break the line is taken out of it. */
static void append_sentence(char *to, size_t size, const char *message)
{
	size_t n = strlen(to);

	for (; *message && n + 1 < size; message++)
		to[n++] = (unsigned char)*message < 0x20 || *message == 0x7F ? '?' : *message;
	to[n] = '\0';
}

static void append(char *to, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
static void append(char *to, size_t size, const char *format, ...)
{
	size_t n = strlen(to);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(to + n, size - n, format, arguments);
	va_end(arguments);
}

char *ini_problem_format(const struct ini_problem *problem, char *to, size_t size)
{
	char shown[TEXT_MAX];

	if (size == 0)
		return to;
	to[0] = '\0';
	if (problem->file)
		append(to, size, "%s:", text_escape(problem->file, shown, sizeof(shown)));
	if (problem->file && problem->line > 0)
		append(to, size, "%u:", problem->line);
	if (problem->section)
		append(to, size, "%s[%s]", to[0] ? " " : "",
			text_escape(problem->section, shown, sizeof(shown)));
	if (problem->key)
		append(to, size, "%s%s:", to[0] ? " " : "",
			text_escape(problem->key, shown, sizeof(shown)));
	if (to[0])
		append(to, size, " ");
	append_sentence(to, size, problem->message);
	return to;
}

void ini_problems_print(const struct ini_problems *problems, FILE *to)
{
	char line[1024];

	for (size_t i = 0; i < problems->n_items; i++)
		fprintf(to, "%s\n", ini_problem_format(&problems->items[i], line, sizeof(line)));
}

void ini_problems_done(struct ini_problems *problems)
{
	for (size_t i = 0; i < problems->n_items; i++)
		problem_done(&problems->items[i]);
	free(problems->items);
	*problems = (struct ini_problems){0};
}
