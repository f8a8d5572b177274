/* SPDX-License-Identifier: MIT */
#include "flash/silicon.h"

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
