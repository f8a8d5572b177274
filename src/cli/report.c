/* SPDX-License-Identifier: MIT */
/*
 * report.c - the verb: all that somebody elsewhere needs to see what went wrong with one board, in
 * one file, without what tells that board from others.
 *
 * The parts are written into memory one behind the other. What cannot be had is told in its place:
 * a report of a host without a store is one, too. Then names and ids are replaced in the whole, and
 * the file is made.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/names.h"
#include "cli/bridges.h"
#include "cli/cli.h"
#include "cli/doctor.h"
#include "cli/objects.h"
#include "cli/redact.h"
#include "cli/report-journal.h"
#include "cli/store-reader.h"
#include "device/transcript.h"

/* Of a transcript that is taken in; a command writes no more. */
#define TRANSCRIPT_MOST (64 * 1024 * 1024)

#define ALPHANUMERIC	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

struct reporting {
	const struct options *options;
	FILE *to;
	bool has_attempt;
	struct store_attempt attempt;
	struct config config;
	bool has_config;
	struct redact redact;
	int error; /* a name that could not be noted: nothing may be written */
};

static void reporting_done(struct reporting *reporting)
{
	config_done(&reporting->config);
	redact_done(&reporting->redact);
}

static void note_name(struct reporting *reporting, enum redact_kind kind, const char *text)
{
	int r = redact_add(&reporting->redact, kind, text);

	if (r < 0)
		reporting->error = r;
}

static void begin_part(struct reporting *reporting, const char *name)
{
	fprintf(reporting->to, "\n==== %s ====\n", name);
}

/* ------------------------------------------------------------------ host */

static void write_host(struct reporting *reporting)
{
	CLEANUP(fclosep) FILE *release = fopen("/etc/os-release", "re");
	struct utsname host = {0};
	char line[256];

	begin_part(reporting, "versions");
	(void)uname(&host);
	fprintf(reporting->to, "plugflash %s\nkernel %s %s\n", reporting->options->build,
		host.release, host.machine);
	while (release && fgets(line, sizeof(line), release))
		if (strncmp(line, "PRETTY_NAME=", 12) == 0)
			fprintf(reporting->to, "system %s", line + 12);
}

static void write_bridges(struct reporting *reporting)
{
	CLEANUP(bridges_done) struct bridges bridges = {0};
	int r = bridges_load(&reporting->config, &bridges);

	begin_part(reporting, "bridges");
	if (r < 0)
		fprintf(reporting->to, "cannot be listed: %s\n", strerror(-r));
	for (size_t i = 0; i < bridges.n_items; i++)
		note_name(reporting, REDACT_SERIAL, bridges.items[i].facts->serial);
	if (r == 0 && json_print_bridges(&bridges, reporting->has_config, reporting->to) < 0)
		reporting->error = -EIO;
}

static void write_findings(struct reporting *reporting)
{
	CLEANUP(findings_done) struct findings findings = {0};
	const char *caller = reporting->options->with_ids ? NULL : "USER";
	int r = doctor_examine(reporting->options, caller, &findings);

	begin_part(reporting, "plugflash doctor");
	if (r < 0)
		fprintf(reporting->to, "could not look: %s\n", strerror(-r));
	else
		doctor_print(&findings, reporting->to);
}

/* ------------------------------------------------------------------ the job */

/* The one that was named, else the newest. */
static int take_attempt(void *userdata, const struct store_attempt *attempt)
{
	struct reporting *reporting = userdata;
	const char *job = reporting->options->argument2;

	if (job && strcmp(job, attempt->job) != 0)
		return 0;
	reporting->attempt = *attempt;
	reporting->has_attempt = true;
	return 1;
}

/* 0, or the exit code after a sentence on standard error. */
static int find_attempt(struct reporting *reporting)
{
	CLEANUP(store_reader_closep) struct store *store = NULL;
	const struct store_filter filter = {0};
	struct reason reason = {""};
	int r = store_reader_open("report", &store);

	if (r == 0 && store_list_attempts(store, &filter, take_attempt, reporting, &reason) < 0) {
		fprintf(stderr, "plugflash report: %s\n", reason.text);
		r = outcome_to_exit_code(OUTCOME_FAILED);
	}
	if (r == 0 && !reporting->has_attempt && reporting->options->argument2) {
		fprintf(stderr,
			"plugflash report: the store has no job of this id; plugflash history --json names them\n");
		return EXIT_USAGE;
	}
	/* Without a job by name the rest is worth its while. */
	return reporting->options->argument2 ? r : 0;
}

static void note_attempt(struct reporting *reporting)
{
	const struct store_attempt *attempt = &reporting->attempt;

	note_name(reporting, REDACT_SERIAL, attempt->serial);
	note_name(reporting, REDACT_UNIT, attempt->report.unit);
	note_name(reporting, REDACT_UNIT, attempt->report.other_unit);
	note_name(reporting, REDACT_UNIT_DATA, attempt->report.unit_data);
}

static void write_attempt(struct reporting *reporting)
{
	struct json_list list = {0};

	begin_part(reporting, "job");
	if (!reporting->has_attempt) {
		fputs("none: the store has no job, or cannot be read\n", reporting->to);
		return;
	}
	note_attempt(reporting);
	if (json_list_begin(&list, "attempts", reporting->to) < 0 ||
		json_list_attempt(&list, &reporting->attempt) < 0 || json_list_end(&list) < 0)
		reporting->error = -EIO;
}

static void write_rule(struct reporting *reporting)
{
	const struct board *board;

	begin_part(reporting, "rule");
	board = reporting->has_attempt
			? config_find_board(&reporting->config, reporting->attempt.board)
			: NULL;
	if (board && config_write_board(board, reporting->to) < 0)
		reporting->error = -EIO;
	/* A pattern may be a whole serial number; one of wildcards alone tells nothing. */
	if (board && board->serial && strpbrk(board->serial, ALPHANUMERIC))
		note_name(reporting, REDACT_SERIAL, board->serial);
	if (!board)
		fputs("none, or the configuration has it no more\n", reporting->to);
}

static void write_journal(struct reporting *reporting)
{
	unsigned n = 0;
	int r = 0;

	begin_part(reporting, "journal");
	if (reporting->has_attempt)
		r = report_journal_write(reporting->attempt.job, reporting->to, &n);
	if (r < 0)
		fprintf(reporting->to, "cannot be read: %s\n", strerror(-r));
	else if (n == 0)
		fputs("no entry of the job: root, and users of systemd-journal, may read it\n",
			reporting->to);
}

/* ------------------------------------------------------------------ the transcript */

/* That of --transcript, else the one that the service kept. NULL: there is none. */
static FILE *open_transcript(const struct reporting *reporting, char *name, size_t n_name)
{
	const char *state = getenv(ENV_STATE);
	CLEANUP(closedirp) DIR *folder = NULL;
	char path[4096], ending[64];
	struct dirent *entry;
	int fd;

	if (reporting->options->transcript) {
		snprintf(name, n_name, "%s", "of --transcript");
		return fopen(reporting->options->transcript, "re");
	}
	snprintf(path, sizeof(path), "%s/" NAME_TRANSCRIPTS, state && *state ? state : PATH_STATE);
	snprintf(ending, sizeof(ending), "-%s" TRANSCRIPTS_SUFFIX, reporting->attempt.job);
	folder = reporting->has_attempt ? opendir(path) : NULL;
	while (folder && (entry = readdir(folder))) {
		if (!text_ends_with(entry->d_name, ending))
			continue;
		snprintf(name, n_name, "%s", "as the service kept it");
		fd = openat(dirfd(folder), entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		return fd < 0 ? NULL : fdopen(fd, "r");
	}
	return NULL;
}

/* 0, or the exit code after a sentence on standard error. */
static int write_transcript(struct reporting *reporting)
{
	char name[64] = "";
	CLEANUP(fclosep) FILE *file = open_transcript(reporting, name, sizeof(name));
	CLEANUP(freep) char *text = calloc(1, TRANSCRIPT_MOST);
	size_t n = file && text ? fread(text, 1, TRANSCRIPT_MOST - 1, file) : 0;
	bool is_one = n > 0 && memchr(text, '\0', n) == NULL &&
		      strncmp(text, TRANSCRIPT_FORMAT "\n", strlen(TRANSCRIPT_FORMAT "\n")) == 0;
	int r;

	if (reporting->options->transcript && !is_one) {
		fprintf(stderr,
			"plugflash report: the file of --transcript is no transcript, or cannot be read\n");
		return EXIT_USAGE;
	}
	begin_part(reporting, "transcript");
	if (!is_one) {
		fputs("none: plugflash flash --transcript FILE writes one, and `transcripts` of plugflash.conf keeps them\n",
			reporting->to);
		return 0;
	}
	r = redact_add_names_of(&reporting->redact, text);
	if (r < 0)
		reporting->error = r;
	fprintf(reporting->to, "%s\n%s", name, text);
	return 0;
}

/* ------------------------------------------------------------------ the file */

static void write_parts(struct reporting *reporting)
{
	write_host(reporting);
	write_attempt(reporting);
	write_rule(reporting);
	write_journal(reporting);
	write_bridges(reporting);
	write_findings(reporting);
}

static int write_file(const char *path, const char *head, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	int r;

	if (!file)
		return -errno;
	r = fputs(head, file) < 0 || fputs(text, file) < 0 ? -EIO : 0;
	if (fclose(file) != 0 && r == 0)
		r = -errno;
	if (r < 0)
		(void)unlink(path);
	return r;
}

static int fail(int r, const char *what)
{
	fprintf(stderr, "plugflash report: %s: %s\n", what, strerror(-r));
	return outcome_to_exit_code(OUTCOME_FAILED);
}

/* Writes all of it, with names and ids replaced, and says so. */
static int finish(struct reporting *reporting, const char *text)
{
	const struct options *options = reporting->options;
	CLEANUP(freep) char *made = NULL;
	char head[300], shown[TEXT_MAX];
	int r;

	if (reporting->error < 0)
		return fail(reporting->error, "not all names could be noted, and none may stay");
	made = options->with_ids ? strdup(text) : redact_text(&reporting->redact, text);
	if (!made)
		return fail(-ENOMEM, "the report cannot be made");
	if (options->with_ids)
		snprintf(head, sizeof(head),
			"A report of plugflash, with serial numbers and ids of units.\n");
	else
		snprintf(head, sizeof(head),
			"A report of plugflash. Serial numbers and ids of units were replaced, %u times: the same one by the same word; whoever made it is USER. Names of rules, slots, files and paths were not.\n",
			reporting->redact.n_replaced);
	r = write_file(options->argument, head, made);
	text_escape(options->argument, shown, sizeof(shown));
	if (r == -EEXIST) {
		fprintf(stderr,
			"plugflash report: '%s' is there already, and stays: name another file\n",
			shown);
		return EXIT_USAGE;
	}
	if (r < 0) {
		fprintf(stderr, "plugflash report: '%s' cannot be written: %s\n", shown,
			strerror(-r));
		return outcome_to_exit_code(OUTCOME_FAILED);
	}
	printf("'%s' has versions, job, rule, journal, bridges, findings and transcript%s; read it before you send it\n",
		shown, options->with_ids ? ", with all ids" : ", ids replaced");
	return 0;
}

int verb_report(const struct options *options)
{
	CLEANUP(reporting_done) struct reporting reporting = {.options = options};
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(freep) char *text = NULL;
	size_t n_text = 0;
	int r;

	reporting.has_config =
		config_load(options_configuration(options), &reporting.config, &problems) == 0;
	r = find_attempt(&reporting);
	if (r != 0)
		return r;
	reporting.to = open_memstream(&text, &n_text);
	if (!reporting.to)
		return fail(-ENOMEM, "the report cannot be made");
	write_parts(&reporting);
	r = write_transcript(&reporting);
	if (fclose(reporting.to) != 0)
		return fail(-ENOMEM, "the report cannot be made");
	return r != 0 ? r : finish(&reporting, text);
}
