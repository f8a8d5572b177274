/* SPDX-License-Identifier: MIT */
/*
 * doctor.c - the verb: what is the matter with this host, its service and its rules, and what to do
 * about it. Configuration and images are read as check-config and images read them.
 */
#include "cli/doctor.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/names.h"
#include "base/outcome.h"
#include "cli/check.h"
#include "cli/cli.h"
#include "cli/find.h"
#include "cli/objects.h"
#include "cli/screen-text.h"
#include "cli/terminal.h"
#include "doctor/judge.h"
#include "doctor/look.h"

/* Of the system's own paths. */
#define ROOT ""

/* Columns of "warning" and two blanks. */
#define LEVEL_WIDTH 9

/* ------------------------------------------------------------------ looking */

static int look_system(const char *configuration, const struct check *check, struct host *host)
{
	const char *environment = getenv(ENV_STATE);
	const char *state = environment && *environment ? environment : PATH_STATE;
	int r;

	host->is_root = geteuid() == 0;
	user_find_service(&host->service_user);
	user_find_caller(&host->caller);
	r = look_driver(ROOT, &host->driver);
	look_udev(ROOT, &host->udev);
	look_programs(ROOT, &host->programs);
	look_clock(&host->clock);
	if (r == 0)
		r = look_usb(ROOT, host);
	if (r == 0)
		r = look_ports(ROOT, host);
	if (r == 0)
		r = look_service(ROOT, configuration, host);
	look_firmware(host);
	look_store(state, host);
	look_disks(state, check->is_good ? check->config.service.image_dir : NULL, host);
	return r;
}

static int look_rules(const struct check *check, const struct finds *finds, struct host *host)
{
	host->problems = &check->problems;
	host->warnings = &check->warnings;
	if (!check->is_good)
		return 0;
	host->config = &check->config;
	host->images.surveys = finds->items;
	host->images.n_surveys = finds->n_items;
	return look_images(host->config, &host->images);
}

int doctor_examine(const struct options *options, const char *caller, struct findings *ret)
{
	const char *configuration = options_configuration(options), *chips = options_chips();
	CLEANUP(check_done) struct check check = {0};
	CLEANUP(finds_done) struct finds finds = {0};
	CLEANUP(host_done) struct host host = {.configuration = configuration};
	CLEANUP(findings_done) struct findings findings = {0};
	CLEANUP(freep) char *chips_dir = NULL;
	int r = text_format(&chips_dir, "%s/" NAME_CHIPS, configuration);

	if (r == 0)
		host.configuration_error = check_load(configuration, chips, &check);
	if (r == 0 && check.is_good)
		r = finds_load(&check.config, chips, chips_dir, &finds);
	if (r == 0)
		r = look_system(configuration, &check, &host);
	if (r == 0)
		r = look_rules(&check, &finds, &host);
	if (caller)
		text_copy(host.caller.name, sizeof(host.caller.name), caller);
	if (r == 0)
		r = judge(&host, &findings);
	if (r < 0)
		return r;
	*ret = findings;
	findings = (struct findings){0};
	return 0;
}

/* ------------------------------------------------------------------ telling */

static enum colour colour_of(enum finding_level level)
{
	static const enum colour colours[FINDING_LEVEL_MAX] = {
		[FINDING_GOOD] = COLOUR_GOOD,
		[FINDING_NOTE] = COLOUR_STRONG,
		[FINDING_WARNING] = COLOUR_WARNING,
		[FINDING_ERROR] = COLOUR_BAD,
	};

	return colours[level];
}

static void print_finding(const struct finding *finding, unsigned width, FILE *to)
{
	CLEANUP(freep) char *line = NULL;

	fprintf(to, "%s%-*s%s", terminal_colour(to, colour_of(finding->level)), LEVEL_WIDTH,
		finding_level_to_string(finding->level), terminal_plain(to));
	if (text_format(&line, "%s: %s", finding->about, finding->what) == 0)
		screen_wrap(to, line, LEVEL_WIDTH, LEVEL_WIDTH, width);
	if (finding->why) {
		fprintf(to, "%*s", LEVEL_WIDTH, "");
		screen_wrap(to, finding->why, LEVEL_WIDTH, LEVEL_WIDTH, width);
	}
	/* A command is copied: it stays in one line. */
	for (size_t i = 0; i < finding->n_mend; i++)
		fprintf(to, "%*s%s\n", LEVEL_WIDTH + 4, i == 0 ? "do: " : "", finding->mend[i]);
}

static void print_count(size_t n, const char *what, bool *has_one, FILE *to)
{
	if (n == 0)
		return;
	fprintf(to, "%s%zu %s%s", *has_one ? ", " : "", n, what, n == 1 ? "" : "s");
	*has_one = true;
}

void doctor_print(const struct findings *findings, FILE *to)
{
	bool has_one = findings_worst(findings) <= FINDING_NOTE;
	/* Who searches a file for a sentence finds it in one line. */
	unsigned width = terminal_is(to) ? terminal_width(to) : UINT_MAX;

	for (size_t i = 0; i < findings->n_items; i++)
		print_finding(&findings->items[i], width, to);
	fputs(has_one ? "all is well" : "", to);
	print_count(findings_count(findings, FINDING_ERROR), "error", &has_one, to);
	print_count(findings_count(findings, FINDING_WARNING), "warning", &has_one, to);
	print_count(findings_count(findings, FINDING_NOTE), "note", &has_one, to);
	fputc('\n', to);
}

static int exit_code_of(enum finding_level worst)
{
	switch (worst) {
	case FINDING_WARNING:
		return EXIT_WARNINGS;
	case FINDING_ERROR:
		return EXIT_ERRORS;
	case FINDING_GOOD:
	case FINDING_NOTE:
	case FINDING_LEVEL_MAX:
		break;
	}
	return 0;
}

int verb_doctor(const struct options *options)
{
	CLEANUP(findings_done) struct findings findings = {0};
	int r = doctor_examine(options, NULL, &findings);

	if (r == 0 && options->json)
		r = json_print_findings(&findings, stdout);
	else if (r == 0)
		doctor_print(&findings, stdout);
	if (r == 0 && fflush(stdout) != 0)
		r = -errno;
	if (r < 0) {
		fprintf(stderr, "plugflash doctor: %s\n", strerror(-r));
		return outcome_to_exit_code(OUTCOME_FAILED);
	}
	return exit_code_of(findings_worst(&findings));
}
