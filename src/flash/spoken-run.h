/* SPDX-License-Identifier: MIT */
/*
 * spoken-run.h - what a job does by the protocol of the application (`application`, or an `entry`
 * by one): it asks for the version before anything is disturbed, and whether the new one runs.
 */
#pragma once

#include "flash/run.h"

/*
 * A step of both procedures, before the boot loader is entered: OUTCOME_CURRENT where the version
 * that runs is that of the image (proof `version`), or where a probe needs no more; GO_ON where the
 * loader is to be entered, also where nobody was asked; else the outcome that ends the pass.
 */
enum outcome spoken_run_ask(struct run *run);

/*
 * Asks the application that was started, up to `confirm-within`: `outcome` where it runs, and says
 * the version of the image where both are known; else OUTCOME_NOT_CONFIRMED, or
 * OUTCOME_NOT_STARTED where the boot loader answers in its place. `ret_is_silent`: nobody answered.
 */
enum outcome spoken_run_confirm(struct run *run, enum outcome outcome, bool *ret_is_silent);
