/* SPDX-License-Identifier: MIT */
/*
 * setup-bridge.c - which of the bridges a person means: the one that he unplugs and plugs in again.
 *
 * The monitor is armed before the bridges are listed, so that none comes unseen. One that was there
 * and did not go is not the one, whatever events it has.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/outcome.h"
#include "cli/ask.h"
#include "cli/bridges.h"
#include "cli/setup.h"
#include "cli/units.h"
#include "device/monitor.h"

/* Without a terminal nobody is there to end the wait. */
#define PLUG_MSEC (5 * 60 * 1000)

static void print_bridges(const struct bridges *bridges)
{
	for (size_t i = 0; i < bridges->n_items; i++) {
		const struct bridge *bridge = &bridges->items[i];
		char port[64], product[TEXT_MAX], serial[TEXT_MAX], rule[2 * TEXT_MAX];

		fprintf(stderr, "  %-10s %s, serial %s, at %s: %s\n",
			units_port(bridge->facts->port, port, sizeof(port)),
			text_cell(bridge->facts->product, product, sizeof(product)),
			text_identifier(bridge->facts->serial, serial, sizeof(serial)),
			bridge->facts->usb_path ? bridge->facts->usb_path : "-",
			bridge_rule_text(bridge, rule, sizeof(rule)));
	}
}

/* ------------------------------------------------------------------ plugged in next */

struct plug {
	const struct bridges *before; /* borrowed */
	bool *is_gone;		      /* of each of them */
	struct facts *ret;
	bool is_found;
	int r;
};

static void on_event(void *userdata, enum monitor_event event, const struct facts *facts)
{
	struct plug *plug = userdata;
	bool was_there = false;

	if (plug->is_found || !facts)
		return;
	for (size_t i = 0; i < plug->before->n_items; i++) {
		bool is_same = strcmp(plug->before->items[i].facts->sysfs, facts->sysfs) == 0;

		if (is_same && event == MONITOR_GONE)
			plug->is_gone[i] = true;
		was_there = was_there || (is_same && !plug->is_gone[i]);
	}
	if (event != MONITOR_PRESENT || was_there)
		return;
	plug->is_found = true;
	plug->r = facts_copy(facts, plug->ret);
}

/* Until a bridge comes (0), or a line is there to be read (1). -ETIMEDOUT, -errno. */
static int wait_for_plug(struct monitor *monitor, struct plug *plug, bool may_ask)
{
	struct pollfd fds[] = {{.fd = monitor_fd(monitor), .events = POLLIN},
		{.fd = may_ask ? STDIN_FILENO : -1, .events = POLLIN}};

	while (!plug->is_found) {
		int n = poll(fds, ARRAY_SIZE(fds), may_ask ? -1 : PLUG_MSEC);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -ETIMEDOUT;
		if (n > 0 && fds[1].revents)
			return 1;
		if (n > 0 && fds[0].revents) {
			int r = monitor_dispatch(monitor);

			if (r < 0)
				return r;
		}
	}
	return plug->r;
}

/* ------------------------------------------------------------------ by its name */

static int take_port(struct setup *setup, const char *name)
{
	CLEANUP(freep) char *port = NULL;
	char escaped[TEXT_MAX];
	int r = text_format(&port, "%s%s", strchr(name, '/') ? "" : "/dev/", name);

	if (r == 0)
		r = bridge_find(port, &setup->bridge);
	return r == 0 ? 0
		      : setup_fail(OUTCOME_PORT_GONE, "'%s' is no port of a CP210x bridge: %s",
				text_escape(name, escaped, sizeof(escaped)),
				r == -ENODEV ? "plugflash list shows those that are there"
					     : strerror(-r));
}

static int take_slot(struct setup *setup, const struct bridges *bridges)
{
	const struct slot *slot = config_find_slot(&setup->config, setup->options->slot);
	const char *path = slot ? slot->path : setup->options->slot;
	char escaped[TEXT_MAX];

	for (size_t i = 0; i < bridges->n_items; i++) {
		const struct facts *facts = bridges->items[i].facts;

		if (facts->usb_path && strcmp(facts->usb_path, path) == 0)
			return facts_copy(facts, &setup->bridge) == 0
				       ? 0
				       : setup_fail(OUTCOME_FAILED, "no memory");
	}
	return setup_fail(OUTCOME_PORT_GONE,
		"no bridge is plugged in at '%s'; plugflash list shows those that are there",
		text_escape(setup->options->slot, escaped, sizeof(escaped)));
}

/* The line that was typed names a port; an empty one asks once more. */
static int take_line(struct setup *setup, bool *ret_again)
{
	char line[TEXT_MAX];

	*ret_again = false;
	if (!ask_read(line, sizeof(line)))
		return setup_fail(OUTCOME_CANCELLED, "no board was chosen; nothing was done");
	*ret_again = !line[0];
	return line[0] ? take_port(setup, line) : 0;
}

/* Asks where somebody can type, and waits for a bridge that comes. */
static int wait_or_ask(struct setup *setup, struct monitor *monitor, struct plug *plug)
{
	bool may_type = setup->may_ask && !setup->options->plug, again = false;
	int r;

	do {
		fputs(may_type ? "Which board? Unplug it and plug it in again, or type its port: "
			       : "waiting for the board: plug it in, or unplug it and plug it in again\n",
			stderr);
		fflush(stderr);
		r = wait_for_plug(monitor, plug, may_type);
		if (r == 1)
			r = take_line(setup, &again);
		else if (r < 0)
			r = setup_fail(OUTCOME_PORT_GONE, "no board was plugged in: %s",
				r == -ETIMEDOUT ? "none came within five minutes" : strerror(-r));
		else if (may_type)
			fputc('\n', stderr);
	} while (r == 0 && again);
	return r;
}

static int choose(struct setup *setup, struct monitor *monitor, struct plug *plug,
	const struct bridges *bridges)
{
	const struct options *options = setup->options;

	if (options->port)
		return take_port(setup, options->port);
	if (options->slot)
		return take_slot(setup, bridges);
	if (bridges->n_items == 1 && !options->plug)
		return facts_copy(bridges->items[0].facts, &setup->bridge) == 0
			       ? 0
			       : setup_fail(OUTCOME_FAILED, "no memory");
	if (!options->plug && !setup->may_ask && bridges->n_items == 0)
		return setup_fail(OUTCOME_PORT_GONE,
			"no CP210x bridge is plugged in; is the cable one for data, and the cp210x driver loaded? --plug waits for one");
	if (!options->plug && !setup->may_ask)
		return setup_refuse(
			"%zu bridges are plugged in, and there is no terminal to ask at: say which by --port, --slot or --plug",
			bridges->n_items);
	return wait_or_ask(setup, monitor, plug);
}

/* One that came later is not among those that are asked. */
static bool has_own_serial(const struct bridges *bridges, const struct facts *chosen)
{
	for (size_t i = 0; i < bridges->n_items; i++)
		if (strcmp(bridges->facts[i].sysfs, chosen->sysfs) == 0)
			return bridge_has_own_serial(bridges, &bridges->facts[i]);
	return bridge_has_own_serial(bridges, chosen);
}

int setup_choose_bridge(struct setup *setup)
{
	CLEANUP(bridges_done) struct bridges bridges = {0};
	CLEANUP(freep) bool *is_gone = NULL;
	struct plug plug = {.before = &bridges, .ret = &setup->bridge};
	struct monitor *monitor;
	char port[64];
	int r = monitor_new(on_event, &plug, &monitor);

	if (r < 0)
		return setup_fail(OUTCOME_FAILED, "udev cannot be asked: %s", strerror(-r));
	r = bridges_load(&setup->config, &bridges);
	is_gone = calloc(bridges.n_items + 1, sizeof(*is_gone));
	plug.is_gone = is_gone;
	if (r < 0 || !is_gone) {
		monitor_free(monitor);
		return setup_fail(OUTCOME_FAILED, "the bridges cannot be listed: %s",
			strerror(r < 0 ? -r : ENOMEM));
	}
	print_bridges(&bridges);
	r = choose(setup, monitor, &plug, &bridges);
	monitor_free(monitor);
	if (r != 0)
		return r;
	setup->has_own_serial = has_own_serial(&bridges, &setup->bridge);
	fprintf(stderr, "the board is at %s\n", units_port(setup->bridge.port, port, sizeof(port)));
	return 0;
}
