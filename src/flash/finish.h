/* SPDX-License-Identifier: MIT */
/*
 * finish.h - the last part of a job: the chip goes back to its application, which may have to say
 * that it runs, and what was done is weighed.
 */
#pragma once

#include "flash/run.h"

/* Ends the job whatever happened before; returns what it comes to, with the reason set. */
enum outcome ending_run(struct run *run, enum outcome outcome);
