/* SPDX-License-Identifier: MIT */
#include "image/library-list.h"

#include <stdarg.h>

#include "base/parse.h"

int library_tell_why(struct library_candidate *candidate, int result, const char *format, ...)
{
	char text[sizeof(((struct reason *)NULL)->text)], shown[TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	free(candidate->why);
	return text_format(&candidate->why, "image '%s': %s",
		       text_escape(candidate->name, shown, sizeof(shown)), text) < 0
		       ? -ENOMEM
		       : result;
}

static void candidate_done(struct library_candidate *candidate)
{
	free(candidate->name);
	free(candidate->version);
	free(candidate->why);
	free(candidate->remark);
	free(candidate->requires);
	free(candidate->sha256);
	free(candidate->doubt);
}

void library_list_done(struct library_list *list)
{
	for (size_t i = 0; i < list->n_items; i++)
		candidate_done(&list->items[i]);
	free(list->items);
	free(list->note);
	*list = (struct library_list){};
}

void library_choice_done(struct library_choice *choice)
{
	free(choice->name);
	free(choice->version);
	free(choice->requires);
	free(choice->stamp);
	parse_list_free(choice->parts);
	*choice = (struct library_choice){};
}
