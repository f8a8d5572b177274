/* SPDX-License-Identifier: MIT */
#include "flash/survey.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/confine.h"
#include "base/util.h"
#include "flash/finding.h"
#include "flash/job-image.h"
#include "image/copy.h"

/* A board that is being flashed has the processor first. */
#define BACKGROUND_NICE 10

/* State of the entry that stands for no file. */
#define STATE_NONE "none"

void survey_done(struct survey *survey)
{
	library_list_done(&survey->list);
	library_choice_done(&survey->choice);
	*survey = (struct survey){0};
}

void survey_look(const struct library_query *query, struct survey *survey)
{
	library_list_done(&survey->list);
	library_choice_done(&survey->choice);
	survey->result =
		library_list(query, &survey->list, &survey->choice, &survey->report.reason);
}

void survey_check(const struct assignment *assignment, struct survey *survey)
{
	struct assignment of_choice = *assignment; /* borrowed */

	of_choice.image = survey->choice.name;
	of_choice.version = survey->choice.version;
	of_choice.stamp = survey->choice.stamp;
	if (survey->result == LIBRARY_OK)
		survey->outcome = assignment_check(&of_choice, &survey->report);
	else if (survey->result == LIBRARY_REFUSED || survey->result == LIBRARY_AWAITED)
		survey->outcome = OUTCOME_BAD_IMAGE;
	else
		survey->outcome = OUTCOME_NO_IMAGE;
}

const char *survey_state(const struct survey *survey, const struct library_candidate *candidate)
{
	switch (candidate->state) {
	case LIBRARY_CANDIDATE_OLDER:
		return candidate->hides_version ? "unsure" : "older";
	case LIBRARY_CANDIDATE_EQUAL:
		return "equal";
	case LIBRARY_CANDIDATE_PASSED_OVER:
		return "passed over";
	case LIBRARY_CANDIDATE_MEANT:
		break;
	}
	if (survey->result == LIBRARY_AWAITED)
		return "awaited";
	return survey->outcome == OUTCOME_MAX ? "chosen" : "refused";
}

const char *survey_why(const struct survey *survey, const struct library_candidate *candidate)
{
	if (candidate->why || candidate->state != LIBRARY_CANDIDATE_MEANT)
		return candidate->why;
	return survey->outcome == OUTCOME_MAX ? NULL : survey->report.reason.text;
}

/* ------------------------------------------------------------------ as text */

/* Names and what manifests say are outside text, and the bus takes UTF-8 alone. */
static void write_outside(const char *key, const char *value, FILE *to)
{
	char shown[TEXT_ESCAPED_MAX];

	if (value)
		fprintf(to, "%s %s\n", key, text_escape(value, shown, sizeof(shown)));
}

/* A sentence of ours, in which outside text was escaped already. */
static void write_sentence(const char *key, const char *value, FILE *to)
{
	char shown[TEXT_ESCAPED_MAX];

	if (value && *value)
		fprintf(to, "%s %s\n", key, text_show(value, shown, sizeof(shown)));
}

static void write_candidate(
	const struct survey *survey, const struct library_candidate *candidate, FILE *to)
{
	bool is_meant = candidate->state == LIBRARY_CANDIDATE_MEANT;
	bool is_good = is_meant && survey->outcome == OUTCOME_MAX;

	write_outside("image", candidate->name, to);
	/* Where a signature says the version, it is known once the image was read. */
	if (is_good && survey->report.version[0])
		fprintf(to, "version %s\n", survey->report.version);
	else
		write_outside("version", candidate->version, to);
	fprintf(to, "bytes %" PRIu64 "\nstate %s\n", candidate->size,
		survey_state(survey, candidate));
	write_outside("requires", candidate->requires, to);
	write_sentence("reason", survey_why(survey, candidate), to);
	write_sentence("remark", candidate->remark, to);
	if (is_meant) {
		write_sentence("sha256", survey->report.sha256, to);
		write_sentence("signer", survey->report.signer, to);
	}
	fputs("end 0\n", to);
}

int survey_write(const struct survey *survey, FILE *to)
{
	size_t n = survey->list.n_items;

	if (n == 0) {
		fprintf(to, "state %s\n", STATE_NONE);
		write_sentence("reason", survey->report.reason.text, to);
		fputs("end 0\n", to);
	}
	for (size_t i = 0; i < n && i < SURVEY_FILES_MAX; i++)
		write_candidate(survey, &survey->list.items[i], to);
	fprintf(to, "done %zu\n", n);
	return fflush(to) != 0 || ferror(to) ? -EIO : 0;
}

int survey_run(FILE *from, FILE *to)
{
	CLEANUP(assignment_done) struct assignment assignment = {0};
	CLEANUP(survey_done) struct survey survey = {0};
	struct library_query query;
	struct reason reason;
	int r = assignment_read(from, &assignment, &reason);

	if (r != 0)
		return r < 0 ? r : -EBADMSG;
	query = job_image_query(&assignment);
	survey.board = &assignment.board;
	survey_look(&query, &survey);
	survey_check(&assignment, &survey);
	return survey_write(&survey, to);
}

bool survey_is_asked(const char *argument)
{
	return strcmp(argument, FINDING_ARGUMENT) == 0 || strcmp(argument, SURVEY_ARGUMENT) == 0;
}

int survey_process(const char *argument)
{
	bool is_choice = strcmp(argument, FINDING_ARGUMENT) == 0;
	int r;

	(void)!nice(BACKGROUND_NICE);
	r = confine_begin(STDERR_FILENO, CONFINE_FILE_BYTES);
	if (r == 0)
		r = is_choice ? finding_run(stdin, stdout) : survey_run(stdin, stdout);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
