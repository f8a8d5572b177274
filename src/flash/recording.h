/* SPDX-License-Identifier: MIT */
/*
 * recording.h - what a transcript says of the job itself: what was asked for, by which rule and
 * image, in which phase it was, what the service answered, and how it ended. What was said on the
 * port is port.h's.
 *
 * All of it is for a job without a transcript as well, and does nothing there.
 */
#pragma once

#include "flash/flash-job.h"

/* The head. The image stays borrowed until the end, so that flash that is read can be compared. */
void recording_begin(const struct flash_job *job, const struct report *report);

void recording_phase(const struct flash_job *job, enum phase phase);

void recording_answer(
	const struct flash_job *job, enum question question, const struct answer *answer);

/* The closing lines. */
void recording_end(const struct flash_job *job, const struct report *report);
