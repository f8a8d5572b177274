/* SPDX-License-Identifier: MIT */
#include "doctor/finding.h"

#include <stdarg.h>
#include <string.h>

static const char *const levels[FINDING_LEVEL_MAX] = {
	[FINDING_GOOD] = "good",
	[FINDING_NOTE] = "note",
	[FINDING_WARNING] = "warning",
	[FINDING_ERROR] = "error",
};

const char *finding_level_to_string(enum finding_level level)
{
	return levels[level];
}

static char *make_text(struct findings *findings, const char *format, va_list values)
{
	char *text = NULL;

	if (vasprintf(&text, format, values) >= 0)
		return text;
	findings->is_short = true;
	return NULL;
}

void finding_add(
	struct findings *to, enum finding_level level, const char *about, const char *format, ...)
{
	struct finding *grown = room_for_one(to->items, to->n_items, sizeof(*grown));
	va_list values;

	if (!grown) {
		to->is_short = true;
		return;
	}
	to->items = grown;
	grown += to->n_items++;
	*grown = (struct finding){.level = level, .about = about};
	va_start(values, format);
	grown->what = make_text(to, format, values);
	va_end(values);
}

/* NULL without memory, where there may be none. */
static struct finding *newest(struct findings *findings)
{
	return findings->is_short || findings->n_items == 0
		       ? NULL
		       : &findings->items[findings->n_items - 1];
}

void finding_why(struct findings *to, const char *format, ...)
{
	struct finding *finding = newest(to);
	va_list values;

	if (!finding)
		return;
	free(finding->why);
	va_start(values, format);
	finding->why = make_text(to, format, values);
	va_end(values);
}

void finding_mend(struct findings *to, const char *format, ...)
{
	struct finding *finding = newest(to);
	va_list values;

	if (!finding || finding->n_mend == FINDING_MENDS)
		return;
	va_start(values, format);
	finding->mend[finding->n_mend] = make_text(to, format, values);
	va_end(values);
	if (finding->mend[finding->n_mend])
		finding->n_mend++;
}

void finding_good(struct findings *to, const char *about, const char *what)
{
	for (size_t i = 0; i < to->n_items; i++)
		if (to->items[i].level > FINDING_NOTE && strcmp(to->items[i].about, about) == 0)
			return;
	finding_add(to, FINDING_GOOD, about, "%s", what);
}

size_t findings_count(const struct findings *findings, enum finding_level level)
{
	size_t n = 0;

	for (size_t i = 0; i < findings->n_items; i++)
		n += findings->items[i].level == level;
	return n;
}

enum finding_level findings_worst(const struct findings *findings)
{
	enum finding_level worst = FINDING_GOOD;

	for (size_t i = 0; i < findings->n_items; i++)
		if (findings->items[i].level > worst)
			worst = findings->items[i].level;
	return worst;
}

void findings_sort(struct findings *findings)
{
	for (size_t i = 1; i < findings->n_items; i++) {
		const struct finding moved = findings->items[i];
		size_t at = i;

		for (; at > 0 && findings->items[at - 1].level < moved.level; at--)
			findings->items[at] = findings->items[at - 1];
		findings->items[at] = moved;
	}
}

void findings_done(struct findings *findings)
{
	for (size_t i = 0; i < findings->n_items; i++) {
		struct finding *finding = &findings->items[i];

		free(finding->what);
		free(finding->why);
		for (size_t k = 0; k < finding->n_mend; k++)
			free(finding->mend[k]);
	}
	free(findings->items);
	*findings = (struct findings){0};
}
