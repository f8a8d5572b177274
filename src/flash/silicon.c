/* SPDX-License-Identifier: MIT */
#include "flash/silicon.h"

#include <string.h>

#include "base/util.h"

static const struct {
	enum identity_security bit;
	const char *word;
} securities[] = {
	{IDENTITY_SECURE_DOWNLOAD, "secure-download"},
	{IDENTITY_SECURE_BOOT, "secure-boot"},
	{IDENTITY_ENCRYPTED, "flash-encryption"},
};

void silicon_report(const struct chip_identity *identity, struct report *report)
{
	size_t n = 0;

	report->revision[0] = report->security[0] = '\0';
	if (identity->has_revision)
		snprintf(report->revision, sizeof(report->revision), "%u.%u",
			identity->revision / 100, identity->revision % 100);
	text_copy(report->details, sizeof(report->details), identity->details);
	if (!identity->has_security)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(securities); i++)
		if (identity->security & securities[i].bit)
			n += (size_t)snprintf(report->security + n, sizeof(report->security) - n,
				"%s%s", n > 0 ? " " : "", securities[i].word);
	if (n == 0)
		text_copy(report->security, sizeof(report->security), "none");
}

/* What does not fit whole is left out. */
static void add_detail(struct report *report, const char *name, const char *value)
{
	size_t n = strlen(report->details);
	const char *before = n > 0 ? "; " : "";

	if (n + strlen(before) + strlen(name) + 1 + strlen(value) < sizeof(report->details))
		snprintf(report->details + n, sizeof(report->details) - n, "%s%s %s", before, name,
			value);
}

static void add_line(struct report *report, const char *name, const char *line)
{
	char text[4 * LOADER_WORDS_LINE];

	if (!*line)
		return;
	text_escape(line, text, sizeof(text));
	/* It stands between details. */
	for (char *c = strchr(text, ';'); c; c = strchr(c, ';'))
		*c = ',';
	add_detail(report, name, text);
}

void silicon_report_entry(const struct entry *entry, struct report *report)
{
	char text[32];

	if (entry->wiring && entry->wiring->n_enters > 1) {
		snprintf(text, sizeof(text), "%zu/%zu", entry->enter + 1, entry->wiring->n_enters);
		add_detail(report, "way", text);
	}
	add_line(report, "rom", entry->words.rom);
	add_line(report, "boot", entry->words.boot);
}
