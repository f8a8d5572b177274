/* SPDX-License-Identifier: MIT */
#include "flash/identify.h"

#include <errno.h>

#include "base/util.h"

static int play(struct run *run, const struct wiring_steps *steps)
{
	int r = 0;

	for (size_t i = 0; i < steps->n_items && r == 0; i++) {
		const struct wiring_step *step = &steps->items[i];

		if (step->mask != 0)
			r = port_set_lines(run->port, step->mask, step->lines);
		if (r == 0)
			r = run_wait(run, step->wait_usec);
	}
	return r;
}

enum outcome identify_run(struct run *run)
{
	enum outcome outcome = run_open_port(run);
	uint64_t end;
	int r = 0;

	if (outcome != GO_ON)
		return outcome;
	run_set_phase(run, PHASE_IDENTIFY);
	end = port_now(run->port) + IDENTIFY_USEC;
	while (r == 0 && port_now(run->port) < end)
		r = play(run, &run->job->board->identify);
	if (r == -ECANCELED)
		return OUTCOME_CANCELLED;
	return r < 0 ? run_fail_with(run, r, 0) : OUTCOME_CURRENT;
}
