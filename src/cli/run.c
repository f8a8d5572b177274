/* SPDX-License-Identifier: MIT */
/* run.c - the job of a session: progress while it runs, and signals that ask it to stop. */
#include <string.h>

#include "base/clock.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/session.h"

struct watch {
	struct interrupt interrupt;
	struct progress_view view;
	bool is_quiet; /* of several short tries nobody reads a line for each step */
	bool changes_flash;
	bool was_told;
};

static void on_progress(void *userdata, const struct progress *progress)
{
	struct watch *watch = userdata;

	bool is_too_late = watch->changes_flash && progress->phase >= PHASE_ERASE &&
			   progress->phase != PHASE_READ;

	if (interrupt_asked(&watch->interrupt) && !watch->was_told) {
		watch->was_told = true;
		progress_view_say(&watch->view,
			is_too_late ? "the chip is being changed: finishing first" : "cancelling");
	}
	if (!watch->is_quiet || watch->view.is_terminal)
		progress_view_show(&watch->view, progress, monotonic_usec());
}

static bool is_cancelled(void *userdata)
{
	struct watch *watch = userdata;

	return interrupt_asked(&watch->interrupt);
}

void session_run(struct session *session)
{
	const struct assignment *assignment = &session->assignment;
	enum flash_action action = assignment->action;
	struct watch watch = {.is_quiet = assignment->is_guess,
		.changes_flash = (action == FLASH_UPDATE && !assignment->dry_run) ||
				 action == FLASH_ERASE || action == FLASH_UNPROTECT ||
				 assignment->options.n_items > 0};
	struct assignment_callbacks callbacks = {
		.on_progress = on_progress,
		.is_cancelled = is_cancelled,
		.userdata = &watch,
		.ret_read = &session->read,
		.ret_read_size = &session->n_read,
		.ret_options = &session->options_read,
	};
	int r = interrupt_open(&watch.interrupt);

	if (r < 0) {
		session->report.outcome = OUTCOME_FAILED;
		session->report.error = -r;
		reason_set(
			&session->report.reason, "signals cannot be waited for: %s", strerror(-r));
		return;
	}
	progress_view_begin(&watch.view, stderr, assignment->port,
		action != FLASH_UPDATE || assignment->dry_run);
	callbacks.transcript = recorder_begin(&session->recorder);
	session->report.outcome = assignment_run(assignment, &callbacks, &session->report);
	recorder_end(&session->recorder, callbacks.transcript);
	progress_view_end(&watch.view);
	session->was_asked_to_end = watch.interrupt.was_asked;
	interrupt_close(&watch.interrupt);
	if (!session->report.bridge[0])
		text_escape(session->bridge.product, session->report.bridge,
			sizeof(session->report.bridge));
}
