/* SPDX-License-Identifier: MIT */
/*
 * flash.h - the procedure of one job: enter, identify, decide, erase, write, verify, leave,
 * confirm.
 *
 * The worker and `plugflash flash` run the same flash_run(). It knows protocols as tables of
 * operations and chips as data; it writes no log, and asks only through `ask` of the job.
 */
#pragma once

#include "flash/flash-job.h"

/*
 * Runs the job to its end. Whatever happens, `report` is filled (its image, version and sha256 stay
 * as the caller set them), the lines are at rest and the port is closed. Returns the outcome.
 */
enum outcome flash_run(const struct flash_job *job, struct report *report);
