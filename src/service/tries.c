/* SPDX-License-Identifier: MIT */
#include "service/tries.h"

#include <errno.h>

#include "base/util.h"
#include "image/copy.h"
#include "records/decide.h"

struct retry_rule {
	uint64_t first_usec; /* doubles with each retry ... */
	uint64_t most_usec;  /* ... up to this */
	uint64_t all_usec;   /* then the attempt has failed */
};

/* ModemManager lets go of a port it probed and found no modem at after some 10 to 20 s. */
static const struct retry_rule busy_rule = {
	.first_usec = 500 * USEC_PER_MSEC,
	.most_usec = 4 * USEC_PER_SEC,
	.all_usec = 20 * USEC_PER_SEC,
};

/* The node may come, and its group and mode be set, a moment after the event. */
static const struct retry_rule node_rule = {
	.first_usec = 250 * USEC_PER_MSEC,
	.most_usec = USEC_PER_SEC,
	.all_usec = 5 * USEC_PER_SEC,
};

/* Who changes files that were just chosen is copying: the next look waits for the copy's end. */
static const struct retry_rule changed_rule = {
	.first_usec = COPY_REST_USEC,
	.most_usec = COPY_REST_USEC,
	.all_usec = COPY_TOGETHER_USEC,
};

/* An unplugged bridge is known as such within milliseconds, and ends the wait. Where it stays, the
 * tty was hung up by something else: vhangup(), a driver that was bound anew, a fault of the bus.
 */
static const struct retry_rule gone_rule = {
	.first_usec = 500 * USEC_PER_MSEC,
	.most_usec = 4 * USEC_PER_SEC,
	.all_usec = 10 * USEC_PER_SEC,
};

/* The host is short of memory, descriptors or processes: a board waits until there is room. */
static const struct retry_rule shortage_rule = {
	.first_usec = USEC_PER_SEC,
	.most_usec = 60 * USEC_PER_SEC,
	.all_usec = UINT64_MAX / 2,
};

bool tries_has_lost_port(const struct report *report)
{
	return report->outcome == OUTCOME_PORT_GONE &&
	       !(report->phase == PHASE_OPEN && report->error == ENOENT);
}

uint64_t tries_delay(const struct report *report, unsigned n_retries, uint64_t elapsed_usec)
{
	const struct retry_rule *rule = NULL;
	uint64_t delay;

	if (report->outcome == OUTCOME_PORT_BUSY)
		rule = &busy_rule;
	else if (report->phase == PHASE_OPEN &&
		 (report->error == EACCES || report->error == EPERM || report->error == ENOENT))
		rule = &node_rule;
	else if (tries_has_lost_port(report))
		rule = &gone_rule;
	else if (report->phase == PHASE_IMAGE && report->error == ESTALE)
		rule = &changed_rule;
	else if (report->outcome == OUTCOME_FAILED && report->phase <= PHASE_OPEN &&
		 decide_is_shortage(report->error))
		rule = &shortage_rule;
	if (!rule)
		return 0;
	delay = rule->first_usec;
	for (unsigned i = 0; i < n_retries && delay < rule->most_usec; i++)
		delay *= 2;
	if (delay > rule->most_usec)
		delay = rule->most_usec;
	return elapsed_usec + delay <= rule->all_usec ? delay : 0;
}
