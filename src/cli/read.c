/* SPDX-License-Identifier: MIT */
/*
 * read.c - the verb: the flash to a raw file.
 *
 * The file appears whole or not at all; one that exists is replaced only where that was asked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>

#include "base/parse.h"
#include "cli/cli.h"
#include "cli/summary.h"
#include "cli/work.h"

static bool is_standard_output(const char *file)
{
	return strcmp(file, "-") == 0;
}

static int wrong_use(const char *sentence, const char *text)
{
	char escaped[TEXT_MAX];

	fprintf(stderr, "plugflash read: '%s' %s\n", text_escape(text, escaped, sizeof(escaped)),
		sentence);
	return EXIT_USAGE;
}

/* Asked before the board is reset for nothing. 0 or EXIT_USAGE. */
static int check_file(const struct options *options)
{
	CLEANUP(freep) char *copy = strdup(options->argument);
	const char *file = options->argument;
	struct stat there;

	if (is_standard_output(file)) {
		if (options->json)
			return wrong_use(
				"is standard output, which --json takes too: name a file", file);
		if (isatty(STDOUT_FILENO))
			return wrong_use("is this terminal: name a file, or send it on", file);
		return 0;
	}
	if (stat(file, &there) == 0) {
		if (!S_ISREG(there.st_mode))
			return wrong_use("is not a regular file; - is standard output", file);
		if (!options->force)
			return wrong_use("exists; --force replaces it", file);
	}
	if (file[0] == '\0' || file[strlen(file) - 1] == '/')
		return wrong_use("is no name of a file", file);
	if (!copy || access(dirname(copy), W_OK) < 0)
		return wrong_use("cannot be written in its folder", file);
	return 0;
}

static int parse_range(const struct options *options, struct assignment *assignment)
{
	if (!options->size)
		return 0;
	if (parse_u32(options->address, &assignment->read_address) < 0)
		return wrong_use("is no address such as 0x08000000", options->address);
	if (parse_size(options->size, &assignment->read_size) < 0 || assignment->read_size == 0)
		return wrong_use("is no size such as 4096, 0x1000 or 4K", options->size);
	return 0;
}

static int move_into_place(const char *from, const char *to, bool replace)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, replace ? 0 : RENAME_NOREPLACE) == 0)
		return 0;
	/* Not every file system can refuse to replace; that the name was free was seen before. */
	if (!replace && errno == EINVAL && rename(from, to) == 0)
		return 0;
	return -errno;
}

static int write_file(const char *file, bool replace, const uint8_t *data, size_t n_data)
{
	CLEANUP(freep) char *temporary = NULL;
	CLEANUP(closep) int fd = -1;
	mode_t mask = umask(0);
	int r;

	umask(mask);
	if (text_format(&temporary, "%s.XXXXXX", file) < 0)
		return -ENOMEM;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = write_whole(fd, data, n_data);
	/* mkostemp() makes a private file; this is the mode of any other new file. */
	if (r == 0 && fchmod(fd, 0666 & ~mask) < 0)
		r = -errno;
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0)
		r = move_into_place(temporary, file, replace);
	if (r < 0)
		unlink(temporary);
	return r;
}

static void keep_bytes(struct session *session)
{
	const struct options *options = session->options;
	struct report *report = &session->report;
	char escaped[TEXT_MAX];
	int r;

	if (outcome_to_exit_code(report->outcome) != 0)
		return;
	if (is_standard_output(options->argument))
		r = write_whole(STDOUT_FILENO, session->read, session->n_read);
	else
		r = write_file(options->argument, options->force, session->read, session->n_read);
	if (r == 0)
		return;
	report->outcome = OUTCOME_FAILED;
	report->error = -r;
	reason_set(&report->reason, "'%s' cannot be written: %s",
		text_escape(options->argument, escaped, sizeof(escaped)), strerror(-r));
}

static int read_board(const struct options *options, const struct assignment *range)
{
	CLEANUP(work_done) struct work work;
	struct session *session = &work.session;

	if (work_open("read", options, FLASH_READ, &work)) {
		session->assignment.read_address = range->read_address;
		session->assignment.read_size = range->read_size;
		work_run(&work);
		keep_bytes(session);
	}
	return summary_tell(session, is_standard_output(options->argument) ? stderr : stdout);
}

int verb_read(const struct options *options)
{
	struct assignment range = {0};
	int r = check_file(options);

	if (r == 0)
		r = parse_range(options, &range);
	return r == 0 ? read_board(options, &range) : r;
}
