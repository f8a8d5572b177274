/* SPDX-License-Identifier: MIT */
/*
 * decision.h - what is to be done with the unit, by the service's records and by the rule.
 */
#pragma once

#include "flash/run.h"

/*
 * Sets run->decision to ANSWER_WRITE, ANSWER_COMPARE or ANSWER_FINGERPRINT. Asked once: the
 * passes that follow a failed one read what that one left, and what was wiped already is written.
 * GO_ON, or the outcome that the answer ends the job with.
 */
enum outcome decision_make(struct run *run);

/*
 * From here on the unit holds nothing whole, and the service has that on record. GO_ON, or the
 * outcome of a job that is not to erase. Not asked again about a unit that was erased: it is
 * finished.
 */
enum outcome decision_begin_erase(struct run *run);

/*
 * GO_ON unless another unit answers than the one that an earlier pass of this job has decided on
 * or erased.
 */
enum outcome decision_check_unit(struct run *run);

/* At the end of a job: names the unit that was erased, and says where nothing proves it whole. */
void decision_tell_erased(struct run *run);
