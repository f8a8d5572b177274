/* SPDX-License-Identifier: MIT */
/*
 * finish.h - the last part of a job: the chip goes back to its application, which may have to say
 * that it runs, and the proof of the update is compared with what the rule wants.
 */
#pragma once

#include "flash/run.h"

/* Ends the job after this outcome of its passes. Returns the outcome of the job, with the reason
 * set. */
enum outcome finish_run(struct run *run, enum outcome outcome);
