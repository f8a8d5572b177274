/* SPDX-License-Identifier: MIT */
#include "service/tries.h"

#include <errno.h>

#include "base/util.h"
#include "image/copy.h"
#include "records/decide.h"

enum tries_rule { TRIES_BUSY, TRIES_NODE, TRIES_CHANGED, TRIES_LOST, TRIES_SHORTAGE, TRIES_MAX };

static const struct {
	uint64_t first_usec; /* doubles with each retry ... */
	uint64_t most_usec;  /* ... up to this */
	uint64_t all_usec;   /* then the attempt has failed */
} rules[TRIES_MAX] = {
	/* ModemManager lets go of a port it probed and found no modem at after 10 to 20 s. */
	[TRIES_BUSY] = {500 * USEC_PER_MSEC, 4 * USEC_PER_SEC, 20 * USEC_PER_SEC},
	/* The node may come, and its group and mode be set, a moment after the event. */
	[TRIES_NODE] = {250 * USEC_PER_MSEC, USEC_PER_SEC, 5 * USEC_PER_SEC},
	/* Files that change just after they were chosen are being copied: the next look waits for
	 * the copy's end. */
	[TRIES_CHANGED] = {COPY_REST_USEC, COPY_REST_USEC, COPY_TOGETHER_USEC},
	/* An unplugged bridge is known as such within milliseconds, and ends the wait. Where it
	 * stays, the tty was hung up by something else: vhangup(), a driver that was bound anew, a
	 * fault of the bus. */
	[TRIES_LOST] = {500 * USEC_PER_MSEC, 4 * USEC_PER_SEC, 10 * USEC_PER_SEC},
	/* The host is short of memory, descriptors or processes until there is room. */
	[TRIES_SHORTAGE] = {USEC_PER_SEC, 60 * USEC_PER_SEC, UINT64_MAX / 2},
};

bool tries_has_lost_port(const struct report *report)
{
	return report->outcome == OUTCOME_PORT_GONE &&
	       !(report->phase == PHASE_OPEN && report->error == ENOENT);
}

uint64_t tries_delay(const struct report *report, unsigned n_retries, uint64_t elapsed_usec)
{
	enum tries_rule rule = TRIES_MAX;
	uint64_t delay;

	if (report->outcome == OUTCOME_PORT_BUSY)
		rule = TRIES_BUSY;
	else if (report->phase == PHASE_OPEN &&
		 (report->error == EACCES || report->error == EPERM || report->error == ENOENT))
		rule = TRIES_NODE;
	else if (tries_has_lost_port(report))
		rule = TRIES_LOST;
	else if (report->phase == PHASE_IMAGE && report->error == ESTALE)
		rule = TRIES_CHANGED;
	else if (report->outcome == OUTCOME_FAILED && report->phase <= PHASE_OPEN &&
		 decide_is_shortage(report->error))
		rule = TRIES_SHORTAGE;
	if (rule == TRIES_MAX)
		return 0;
	delay = rules[rule].first_usec;
	for (unsigned i = 0; i < n_retries && delay < rules[rule].most_usec; i++)
		delay *= 2;
	if (delay > rules[rule].most_usec)
		delay = rules[rule].most_usec;
	return elapsed_usec + delay <= rules[rule].all_usec ? delay : 0;
}
