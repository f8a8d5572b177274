/* SPDX-License-Identifier: MIT */
/* station-assignment.c - what a job is given when its turn comes: the image, and the rule as it is
 * now. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "service/memory-unit.h"
#include "service/station.h"

/* Replaces the text by a copy of another, which may be NULL. 0 or -ENOMEM. */
static int copy_text(char **to, const char *from)
{
	char *copy = from ? strdup(from) : NULL;

	if (from && !copy)
		return -ENOMEM;
	free(*to);
	*to = copy;
	return 0;
}

/* What the job needs of the image, and what tells it from the next one. 0 or -ENOMEM. */
static int take_image(struct station *station, struct job *job, const struct library_choice *choice)
{
	job->library = station->n_library;
	job->has_address = choice->has_address;
	if (copy_text(&job->identity, choice->identity) < 0 ||
		copy_text(&job->image, choice->name) < 0 ||
		copy_text(&job->version, choice->version) < 0)
		return -ENOMEM;
	return 0;
}

/* As the rule is now: a reload while the worker runs is for the next attempt. */
static void set_policy(
	struct job *job, const struct board *board, const struct library_choice *choice)
{
	job->policy = (struct memory_policy){
		.update = board->update,
		.quarantine_after = board->quarantine_after,
		.again_after_usec = board->again_after_usec,
		.rollback = board->rollback,
		.serialize = board->serialize,
		.serialize_limit = board->serialize_limit,
	};
	snprintf(job->policy.requires, sizeof(job->policy.requires), "%s",
		choice->requires ? choice->requires : "");
	memory_mark_rule(job->rule, job->policy.rule_mark);
}

void station_assign(struct station *station, struct job *job, const struct board *board)
{
	const struct shelf *shelf =
		shelves_find(&station->shelves, &station->config, board, station->watch);
	struct assignment assignment = {
		.action = FLASH_UPDATE,
		.port = job->facts.port,
		.devnum = job->facts.devnum,
		.image_dir = station->config.service.image_dir,
		.require_signature = station->config.service.require_signature,
		.accept_legacy_signatures = station->config.service.accept_legacy_signatures,
		.trusted_keys = station->config.service.trusted_keys,
		.chips = (char *)station->chips,
		.chips_dir = (char *)station->chips_dir,
		.board = *board, /* borrowed: the text of it is the worker's own copy */
	};

	bool goes_back;

	/* Nothing is known of the images then, and this is no word about them. */
	if (shelf && shelf->result < 0 && decide_is_shortage(shelf->result)) {
		shelves_look_again(&station->shelves);
		job_fail_for(job, shelf->result);
		return;
	}
	goes_back = shelf && station_goes_back(job, shelf);

	if (!shelf || (!goes_back && take_image(station, job, &shelf->choice) < 0)) {
		job_fail_for(job, -ENOMEM);
		return;
	}
	set_policy(job, board, &shelf->choice);
	if (goes_back) {
		assignment.image = job->image;
		assignment.version = job->version;
		assignment.sha256 = job->rollback.sha256;
		job_run(job, station->worker, &assignment);
		return;
	}
	/* Said once for all boards that wait; the change that ends it comes by itself. */
	if (shelf->result == LIBRARY_AWAITED && station->watch) {
		free(job->identity);
		job->identity = NULL;
		job_enter_state(job, JOB_DONE);
		return;
	}
	if (shelf->result != LIBRARY_OK) {
		job_fail(job,
			shelf->result < 0 || shelf->result == LIBRARY_NONE ? OUTCOME_NO_IMAGE
									   : OUTCOME_BAD_IMAGE,
			PHASE_IMAGE, &shelf->reason);
		return;
	}
	assignment.image = job->image;
	assignment.version = job->version;
	assignment.identity = job->identity;
	assignment.known_sha256 = job->held_sha256[0] ? job->held_sha256 : NULL;
	job_run(job, station->worker, &assignment);
}

uint64_t station_rest(struct station *station, struct job *job, const struct board *board)
{
	const struct shelf *shelf;
	char name[TEXT_MAX];
	uint64_t rest;

	if (!station->memory)
		return 0;
	shelf = shelves_find(&station->shelves, &station->config, board, station->watch);
	if (!shelf || shelf->result != LIBRARY_OK)
		return 0;
	rest = memory_unit_rest(station->memory, job, board, shelf->choice.name);
	/* With the image it was looked at with, so that another one ends the wait. */
	if (rest == 0 || take_image(station, job, &shelf->choice) < 0)
		return 0;
	job->has_failed = true;
	log_info("%s: board '%s' failed before the service was started; it is tried again in %llu "
		 "s, or when it is plugged in again",
		job->facts.port, text_escape(job->board, name, sizeof(name)),
		(unsigned long long)(rest / USEC_PER_SEC));
	return rest;
}
