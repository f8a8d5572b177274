/* SPDX-License-Identifier: MIT */
/*
 * judge-ports.c - the ports of bridges: what udev has made of them, who may open them, and which
 * rule they have. What many have alike is told once, of the first of them.
 */
#include "doctor/judge.h"

#include <string.h>

#include "rules/match.h"

/* A port, and what the configuration says of it. */
struct ported {
	const struct host_port *port;
	bool has_rules; /* there are any */
	enum match_result result;
	struct match match;
};

static struct ported look_up(const struct host *host, const struct host_port *port)
{
	struct ported found = {.port = port, .result = MATCH_NONE};

	found.has_rules = host->config && host->config->n_boards > 0;
	if (found.has_rules)
		found.result = match_board(host->config, &port->facts, &found.match);
	return found;
}

/* ------------------------------------------------------------------ udev */

static bool is_untagged(const struct host *host, const struct ported *at)
{
	const struct facts *facts = &at->port->facts;

	return host->udev.rules == HOST_RULES_THERE && !at->port->is_tagged &&
	       match_is_known_bridge(facts->vendor_id, facts->product_id);
}

static void tell_untagged(
	const struct host *host, const struct ported *at, const char *names, struct findings *to)
{
	(void)host;
	(void)at;
	finding_add(
		to, FINDING_WARNING, "ports", "the rules of udev have not been run for %s", names);
	finding_why(to, "what was plugged in before they were there has group and marks of before");
	finding_mend(to, "udevadm control --reload");
	finding_mend(to, "udevadm trigger --subsystem-match=usb --subsystem-match=tty");
}

/* ------------------------------------------------------------------ who may open it */

/* Ports without a rule are not the service's: who may open them is nobody's matter. */
static bool has_no_node(const struct host *host, const struct ported *at)
{
	(void)host;
	return at->result != MATCH_NONE && !at->port->has_node;
}

static void tell_no_node(
	const struct host *host, const struct ported *at, const char *names, struct findings *to)
{
	(void)host;
	(void)at;
	finding_add(to, FINDING_ERROR, "ports", "there is no device node %s", names);
	finding_why(to, "the kernel has the port, and nobody can open it");
	finding_mend(to, "udevadm trigger --subsystem-match=tty");
}

static bool is_closed_to_service(const struct host *host, const struct ported *at)
{
	return at->result != MATCH_NONE && at->port->has_node && host->service_user.exists &&
	       !user_may_write(&host->service_user, at->port->uid, at->port->gid, at->port->mode);
}

static void tell_closed_to_service(
	const struct host *host, const struct ported *at, const char *names, struct findings *to)
{
	char group[TEXT_MAX];

	finding_add(to, FINDING_ERROR, "ports",
		"the service's user '%s' may not open %s: group '%s', mode %04o",
		host->service_user.name, names, text_escape(at->port->group, group, sizeof(group)),
		at->port->mode);
	finding_why(to, "each job ends as 'failed' before it begins");
	finding_mend(to, "udevadm trigger --subsystem-match=tty");
}

static bool is_closed_to_caller(const struct host *host, const struct ported *at)
{
	return !host->is_root && at->port->has_node &&
	       !user_may_write(&host->caller, at->port->uid, at->port->gid, at->port->mode);
}

static void tell_closed_to_caller(
	const struct host *host, const struct ported *at, const char *names, struct findings *to)
{
	const struct user *caller = &host->caller;

	finding_add(to, FINDING_NOTE, "ports", "the user '%s' may not open %s by hand",
		caller->name, names);
	if (caller->is_in_group_of_ports)
		finding_why(to, "the group '%s' counts from the next login on: log in again",
			at->port->group);
	else
		finding_mend(to, "adduser %s %s", caller->name, at->port->group);
}

/* ------------------------------------------------------------------ the rule */

static bool has_no_rule(const struct host *host, const struct ported *at)
{
	(void)host;
	return at->has_rules && at->result == MATCH_NONE;
}

static void tell_no_rule(
	const struct host *host, const struct ported *at, const char *names, struct findings *to)
{
	(void)host;
	(void)at;
	finding_add(to, FINDING_NOTE, "ports", "no rule fits %s: left alone", names);
	finding_mend(to, "plugflash list");
}

static bool is_ambiguous(const struct host *host, const struct ported *at)
{
	(void)host;
	return at->result == MATCH_AMBIGUOUS;
}

static void tell_ambiguous(
	const struct host *host, const struct ported *at, const char *names, struct findings *to)
{
	char one[TEXT_MAX], other[TEXT_MAX];

	(void)host;
	finding_add(to, FINDING_WARNING, "ports", "the rules '%s' and '%s' fit %s by as many keys",
		text_escape(at->match.board->name, one, sizeof(one)),
		text_escape(at->match.other->name, other, sizeof(other)), names);
	finding_why(to,
		"which is 'ambiguous', and flashes nothing: give the one that is meant another key");
	finding_mend(to, "plugflash list");
}

/* ------------------------------------------------------------------ all of them */

static const struct {
	bool (*is_odd)(const struct host *host, const struct ported *at);
	void (*tell)(const struct host *host, const struct ported *first, const char *names,
		struct findings *to);
} checks[] = {
	{is_untagged, tell_untagged},
	{has_no_node, tell_no_node},
	{is_closed_to_service, tell_closed_to_service},
	{is_closed_to_caller, tell_closed_to_caller},
	{has_no_rule, tell_no_rule},
	{is_ambiguous, tell_ambiguous},
};

void judge_ports(const struct host *host, struct findings *to)
{
	for (size_t k = 0; k < ARRAY_SIZE(checks); k++) {
		struct ported first = {0};
		char port[TEXT_MAX], names[TEXT_MAX + 40];
		size_t n = 0;

		for (size_t i = 0; i < host->n_ports; i++) {
			struct ported at = look_up(host, &host->ports[i]);

			if (checks[k].is_odd(host, &at) && n++ == 0)
				first = at;
		}
		if (n == 0)
			continue;
		text_escape(first.port->facts.port, port, sizeof(port));
		if (n == 1)
			snprintf(names, sizeof(names), "'%s'", port);
		else
			snprintf(names, sizeof(names), "'%s' and %zu more", port, n - 1);
		checks[k].tell(host, &first, names, to);
	}
	if (host->n_ports > 0 && host->service_user.exists)
		finding_good(to, "ports", "the service may open each that has a rule");
}
