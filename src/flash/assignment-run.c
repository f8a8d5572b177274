/* SPDX-License-Identifier: MIT */
/*
 * assignment-run.c - carries an assignment out, for worker and command. A file of its own, so that
 * the service, which only writes the text, is linked with neither image readers nor a port.
 */
#include <sys/random.h>

#include "base/util.h"
#include "chip/chips.h"
#include "chip/family.h"
#include "flash/assignment.h"
#include "flash/flash.h"
#include "flash/job-image.h"
#include "flash/trial.h"

static int load_chips(
	const struct assignment *assignment, struct chip_table *ret, struct reason *reason)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	char line[sizeof(reason->text)];
	int r = chip_table_load(
		chip_families, assignment->chips, assignment->chips_dir, ret, &problems);

	if (r != 0 && problems.n_items > 0)
		reason_set(
			reason, "%s", ini_problem_format(&problems.items[0], line, sizeof(line)));
	return r;
}

/* The fields of the report that are known before the image is read. */
static void begin_report(const struct assignment *assignment, struct report *report)
{
	*report = (struct report){0};
	if (assignment->image)
		text_escape(assignment->image, report->image, sizeof(report->image));
	if (assignment->version)
		text_escape(assignment->version, report->version, sizeof(report->version));
}

static enum outcome load_both(const struct assignment *assignment, struct chip_table *chips,
	struct job_image *ret, struct report *report)
{
	bool needs_image = assignment->action == FLASH_UPDATE || assignment->action == FLASH_VERIFY;
	int r = load_chips(assignment, chips, &report->reason);

	if (r != 0)
		return job_image_end(report, r, OUTCOME_BAD_CONFIG);
	return needs_image ? job_image_load(assignment, chips, ret, report) : OUTCOME_MAX;
}

enum outcome assignment_check(const struct assignment *assignment, struct report *report)
{
	CLEANUP(chip_table_done) struct chip_table chips = {0};
	CLEANUP(job_image_done) struct job_image job_image = {0};

	begin_report(assignment, report);
	return load_both(assignment, &chips, &job_image, report);
}

enum outcome assignment_run(const struct assignment *assignment,
	const struct assignment_callbacks *callbacks, struct report *report)
{
	CLEANUP(chip_table_done) struct chip_table chips = {0};
	CLEANUP(job_image_done) struct job_image job_image = {0};
	const struct board *board = &assignment->board;
	struct flash_job job = {
		.trusts = {trial_of_rule(board->stub), trial_of_rule(board->bursts)},
		.asks_trust = board->stub == BOARD_USE_AUTO || board->bursts == BOARD_USE_AUTO,
		.action = assignment->action,
		.dry_run = assignment->dry_run,
		.port = assignment->port,
		.devnum = assignment->devnum,
		.board = board,
		.chips = &chips,
		.read_address = assignment->read_address,
		.read_size = assignment->read_size,
		.erase = &assignment->erase,
		.has_start_address = assignment->has_start_address,
		.start_address = assignment->start_address,
		.is_guess = assignment->is_guess,
		.ret_read = callbacks->ret_read,
		.ret_read_size = callbacks->ret_read_size,
		.options = &assignment->options,
		.ret_options = callbacks->ret_options,
		.transcript = callbacks->transcript,
		.on_open = callbacks->on_open,
		.on_progress = callbacks->on_progress,
		.is_cancelled = callbacks->is_cancelled,
		.ask = callbacks->ask,
		.userdata = callbacks->userdata,
	};
	enum outcome outcome;

	if (assignment->is_trial)
		job.trusts.stub = TRUST_ON_TRIAL;
	/* Without randomness the same blocks are compared each time. */
	if (getrandom(&job.seed, sizeof(job.seed), GRND_NONBLOCK) < 0)
		job.seed = 0;
	begin_report(assignment, report);
	outcome = load_both(assignment, &chips, &job_image, report);
	if (outcome != OUTCOME_MAX)
		return outcome;
	if (job_image.image.n_segments > 0) {
		job.image = &job_image.image;
		job.board = &job_image.board;
	}
	return flash_run(&job, report);
}
