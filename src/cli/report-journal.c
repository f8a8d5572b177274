/* SPDX-License-Identifier: MIT */
/*
 * report-journal.c - see report-journal.h. Of an entry only what the service wrote goes into a
 * report: no name of this host, no user, no command line.
 */
#include "cli/report-journal.h"

#include <errno.h>
#include <string.h>
#include <systemd/sd-journal.h>
#include <time.h>

#include "base/names.h"
#include "base/text.h"
#include "base/util.h"

/* One job has a few, and a hook that talks some more. */
#define ENTRIES_MOST 500

/* What all our own fields begin with. */
#define OWN_PREFIX "PLUGFLASH_"

static void closep_journal(sd_journal **journal)
{
	sd_journal_close(*journal);
}

/* The value of "NAME=value"; cut where it is longer than a line. */
static char *value_of(const void *data, size_t n_data, char *to, size_t size)
{
	const char *at = memchr(data, '=', n_data);
	size_t n = at ? n_data - (size_t)(at + 1 - (const char *)data) : 0;
	char raw[1024];

	if (n >= sizeof(raw))
		n = sizeof(raw) - 1;
	if (at)
		memcpy(raw, at + 1, n);
	raw[n] = '\0';
	return text_show(raw, to, size);
}

static void write_heading(sd_journal *journal, FILE *to)
{
	char text[1024] = "", when[32] = "";
	const void *data;
	size_t n_data;
	uint64_t usec;
	struct tm utc;

	if (sd_journal_get_realtime_usec(journal, &usec) >= 0) {
		time_t sec = (time_t)(usec / USEC_PER_SEC);

		if (gmtime_r(&sec, &utc))
			(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &utc);
	}
	if (sd_journal_get_data(journal, "MESSAGE", &data, &n_data) >= 0)
		value_of(data, n_data, text, sizeof(text));
	fprintf(to, "%s %s\n", when, text);
}

static void write_entry(sd_journal *journal, FILE *to)
{
	const void *data;
	size_t n_data;

	write_heading(journal, to);
	SD_JOURNAL_FOREACH_DATA(journal, data, n_data)
	{
		const char *equals = memchr(data, '=', n_data);
		char value[1024];

		if (equals && n_data > strlen(OWN_PREFIX) &&
			memcmp(data, OWN_PREFIX, strlen(OWN_PREFIX)) == 0)
			fprintf(to, "    %.*s=%s\n", (int)(equals - (const char *)data),
				(const char *)data, value_of(data, n_data, value, sizeof(value)));
	}
}

int report_journal_write(const char *job, FILE *to, unsigned *ret_n)
{
	CLEANUP(closep_journal) sd_journal *journal = NULL;
	char match[64];
	unsigned n = 0;
	int r = sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY);

	snprintf(match, sizeof(match), FIELD_JOB "=%s", job);
	if (r >= 0)
		r = sd_journal_add_match(journal, match, 0);
	while (r >= 0 && n < ENTRIES_MOST && (r = sd_journal_next(journal)) > 0) {
		write_entry(journal, to);
		n++;
	}
	if (r < 0)
		return r;
	*ret_n = n;
	return 0;
}
