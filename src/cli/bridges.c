/* SPDX-License-Identifier: MIT */
#include "cli/bridges.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "cli/units.h"
#include "device/monitor.h"

/* The serial number of a CP210x as it leaves its factory, the same for all. */
#define SERIAL_OF_THE_FACTORY "0001"

int bridges_load(const struct config *config, struct bridges *ret)
{
	CLEANUP(bridges_done) struct bridges bridges = {0};
	int r = bridges_list(&bridges.facts, &bridges.n_items);

	if (r < 0)
		return r;
	bridges.items = calloc(bridges.n_items + 1, sizeof(*bridges.items));
	if (!bridges.items)
		return -ENOMEM;
	for (size_t i = 0; i < bridges.n_items; i++) {
		struct bridge *bridge = &bridges.items[i];

		bridge->facts = &bridges.facts[i];
		bridge->slot = config_slot_name(config, bridge->facts->usb_path);
		bridge->result = match_board(config, bridge->facts, &bridge->match);
	}
	*ret = bridges;
	bridges = (struct bridges){0};
	return 0;
}

void bridges_done(struct bridges *bridges)
{
	if (bridges->facts)
		bridges_free(bridges->facts, bridges->n_items);
	free(bridges->items);
	*bridges = (struct bridges){0};
}

char *bridge_rule_text(const struct bridge *bridge, char *to, size_t size)
{
	char one[TEXT_MAX], other[TEXT_MAX];

	switch (bridge->result) {
	case MATCH_ONE:
		return text_escape(bridge->match.board->name, to, size);
	case MATCH_NONE:
		snprintf(to, size, "no rule");
		return to;
	case MATCH_AMBIGUOUS:
		snprintf(to, size, "ambiguous: %s, %s",
			text_escape(bridge->match.board->name, one, sizeof(one)),
			text_escape(bridge->match.other->name, other, sizeof(other)));
		return to;
	}
	return to;
}

char *bridges_text(const struct bridges *bridges, char *to, size_t size)
{
	size_t used = 0;

	snprintf(to, size, "none");
	for (size_t i = 0; i < bridges->n_items && used < size; i++) {
		char port[64], rule[TEXT_MAX];

		used += (size_t)snprintf(to + used, size - used, "%s%s (%s)", i ? ", " : "",
			units_port(bridges->items[i].facts->port, port, sizeof(port)),
			bridge_rule_text(&bridges->items[i], rule, sizeof(rule)));
	}
	return to;
}

bool bridge_has_own_serial(const struct bridges *bridges, const struct facts *facts)
{
	if (!facts->serial || strcmp(facts->serial, SERIAL_OF_THE_FACTORY) == 0)
		return false;
	for (size_t i = 0; i < bridges->n_items; i++) {
		const struct facts *other = bridges->items[i].facts;

		if (other != facts && other->serial && strcmp(other->serial, facts->serial) == 0)
			return false;
	}
	return true;
}
