/* SPDX-License-Identifier: MIT */
/* erase.c - the verb: pages of the flash, or all of it, and nothing in their place. */
#include <string.h>

#include "cli/cli.h"
#include "cli/summary.h"
#include "cli/units.h"
#include "cli/work.h"

static int wrong_use(const char *text, const char *sentence)
{
	char escaped[TEXT_MAX];

	fprintf(stderr, "plugflash erase: '%s' %s\n", text_escape(text, escaped, sizeof(escaped)),
		sentence);
	return EXIT_USAGE;
}

/* 0 or EXIT_USAGE. */
static int parse_wish(const struct options *options, struct erase_wish *wish)
{
	if (options->argument && strcmp(options->argument, "all") != 0)
		return wrong_use(options->argument,
			"is not what can be erased: all, --pages LIST or --range ADDRESS+SIZE");
	if (options->argument)
		wish->what = ERASE_ALL;
	else if (options->pages && erase_parse_pages(options->pages, wish) < 0)
		return wrong_use(options->pages,
			"is no list of pages such as 4,6-9, with rising ranges and 64 items at most");
	else if (options->range && erase_parse_range(options->range, wish) < 0)
		return wrong_use(options->range, "is no range such as 0x08004000+16K");
	wish->takes_whole_pages = options->whole_pages;
	wish->takes_kept = options->with_kept;
	return 0;
}

/*
 * A service that left the bridge alone knows of the erase. Without one its store may say that the
 * unit holds an image, and a look at a few blocks of it need not find the gap.
 */
static void tell_unknown(const struct work *work)
{
	const struct session *session = &work->session;
	char port[64];

	if (work->service.hold >= 0 || session->assignment.erase.what == ERASE_ALL ||
		!session->report.has_erased)
		return;
	fprintf(stderr,
		"%s: no running service knows of this erase: where its store says that the unit holds an image, plugflash verify corrects that once the service runs\n",
		units_port(session->assignment.port, port, sizeof(port)));
}

static int erase_board(const struct options *options, const struct erase_wish *wish)
{
	CLEANUP(work_done) struct work work;

	if (work_open("erase", options, FLASH_ERASE, &work)) {
		work.session.assignment.erase = *wish;
		work_run(&work);
		tell_unknown(&work);
	}
	return summary_tell(&work.session, stdout);
}

int verb_erase(const struct options *options)
{
	struct erase_wish wish = {.what = ERASE_NOTHING};
	int r = parse_wish(options, &wish);

	return r == 0 ? erase_board(options, &wish) : r;
}
