/* SPDX-License-Identifier: MIT */
/* list.c - the verb: the bridges present, each with its rule or a template of one. Opens no port.
 */
#include <string.h>

#include "base/names.h"
#include "base/outcome.h"
#include "base/text.h"
#include "cli/bridges.h"
#include "cli/cli.h"
#include "cli/objects.h"
#include "cli/rule-template.h"
#include "cli/table.h"
#include "cli/units.h"
#include "doctor/loaded.h"

/*
 * Users run `list` before they have a configuration: a machine without one has no rules, and that
 * is no mistake. False where it has one that cannot be read, so that its rules are not known.
 */
static bool load_rules(const struct options *options, struct config *config)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(freep) char *file = NULL;
	const char *directory = options_configuration(options);
	char escaped[TEXT_MAX];

	text_escape(directory, escaped, sizeof(escaped));
	if (text_format(&file, "%s/" NAME_SERVICE_CONFIGURATION, directory) < 0)
		return false;
	if (access(file, F_OK) < 0) {
		fprintf(stderr, "there is no configuration in '%s' yet\n", escaped);
		return true;
	}
	if (config_load(directory, config, &problems) == 0)
		return true;
	fprintf(stderr,
		"the configuration in '%s' was refused, so no rule is known; plugflash check-config says why\n",
		escaped);
	return false;
}

static int add_bridge(struct table *table, const struct bridge *bridge, bool is_good)
{
	const struct facts *facts = bridge->facts;
	char port[64], id[16], interface[16] = "", rule[2 * TEXT_MAX] = "unknown";
	char product[TEXT_ESCAPED_MAX], serial[TEXT_ESCAPED_MAX];

	snprintf(id, sizeof(id), "%04x:%04x", facts->vendor_id, facts->product_id);
	if (facts->interface >= 0)
		snprintf(interface, sizeof(interface), "%d", facts->interface);
	if (is_good)
		bridge_rule_text(bridge, rule, sizeof(rule));
	return table_add_row(
		table, (const char *const[]){units_port(facts->port, port, sizeof(port)), id,
			       text_cell(facts->product, product, sizeof(product)),
			       text_identifier(facts->serial, serial, sizeof(serial)),
			       facts->usb_path, bridge->slot, interface, rule});
}

/* An earlier bridge that got the same template, or NULL: two such rules would tie. */
static const struct facts *find_alike(const struct bridges *bridges, size_t n)
{
	const struct facts *facts = bridges->items[n].facts;

	for (size_t i = 0; i < n; i++) {
		const struct facts *other = bridges->items[i].facts;

		if (bridges->items[i].result == MATCH_NONE && facts->product && facts->product[0] &&
			other->product && strcmp(facts->product, other->product) == 0 &&
			facts->vendor_id == other->vendor_id &&
			facts->product_id == other->product_id &&
			facts->interface == other->interface)
			return other;
	}
	return NULL;
}

/* Whoever has written a rule for this bridge finds the slip in it. */
static void print_nearest(const struct config *config, const struct facts *facts)
{
	struct match_miss miss;
	char port[64], name[TEXT_MAX], file[TEXT_MAX];

	if (!match_nearest(config, facts, &miss))
		return;
	printf("\n# %s: the nearest rule is '%s' (%s:%u), but its %s is '%s', that of the bridge %s%s%s.\n",
		units_port(facts->port, port, sizeof(port)),
		text_escape(miss.board->name, name, sizeof(name)),
		text_escape(miss.board->file, file, sizeof(file)), miss.board->line, miss.key,
		miss.wanted, miss.found[0] ? "'" : "", miss.found[0] ? miss.found : "missing",
		miss.found[0] ? "'" : "");
}

static int print_templates(
	const struct bridges *bridges, const struct config *config, const char *directory)
{
	unsigned n = 0;
	char escaped[TEXT_MAX];

	for (size_t i = 0; i < bridges->n_items; i++) {
		const struct facts *facts = bridges->items[i].facts;
		const struct facts *alike = find_alike(bridges, i);
		char name[32], port[64], other[64];
		int r;

		if (bridges->items[i].result != MATCH_NONE)
			continue;
		if (alike) {
			printf("\n# The rule for %s fits %s as well.\n",
				units_port(alike->port, other, sizeof(other)),
				units_port(facts->port, port, sizeof(port)));
			continue;
		}
		do
			snprintf(name, sizeof(name), "new-%u", ++n);
		while (config_find_board(config, name));
		print_nearest(config, facts);
		printf("\n# A rule for %s, to paste into '%s/" NAME_BOARDS "/%s.conf'.\n",
			units_port(facts->port, port, sizeof(port)),
			text_escape(directory, escaped, sizeof(escaped)), name);
		r = rule_template_write(
			&(struct rule_template){
				.facts = facts,
				.slot = bridges->items[i].slot,
				.name = name,
				.has_own_serial = bridge_has_own_serial(bridges, facts),
			},
			stdout);
		if (r < 0)
			return r;
	}
	return 0;
}

static int print_text(const struct bridges *bridges, const struct config *config, bool is_good,
	const char *directory)
{
	CLEANUP(table_done) struct table table = {.n_columns = 8};
	int r;

	if (bridges->n_items == 0) {
		fputs("no CP210x bridge is plugged in\n", stderr);
		return 0;
	}
	r = table_add_row(&table, (const char *const[]){"PORT", "USB-ID", "PRODUCT", "SERIAL",
					  "PATH", "SLOT", "IF", "RULE"});
	for (size_t i = 0; i < bridges->n_items && r == 0; i++)
		r = add_bridge(&table, &bridges->items[i], is_good);
	if (r < 0)
		return r;
	table_print(&table, table_room(stdout), stdout);
	return is_good ? print_templates(bridges, config, directory) : 0;
}

/* `list` reads the rules from disk; the running service may still have older ones. */
static void warn_of_newer(const char *directory)
{
	char newer[TEXT_MAX];

	if (loaded_is_older(directory, newer, sizeof(newer)))
		fprintf(stderr,
			"warning: '%s' is newer than what the service has read: systemctl reload plugflashd\n",
			newer);
}

int verb_list(const struct options *options)
{
	CLEANUP(config_done) struct config config = {0};
	CLEANUP(bridges_done) struct bridges bridges = {0};
	bool is_good = load_rules(options, &config);
	int r = bridges_load(&config, &bridges);

	warn_of_newer(options_configuration(options));
	if (r == 0 && options->json)
		r = json_print_bridges(&bridges, is_good, stdout);
	else if (r == 0)
		r = print_text(&bridges, &config, is_good, options_configuration(options));
	if (r < 0) {
		fprintf(stderr, "plugflash list: the bridges cannot be listed: %s\n", strerror(-r));
		return outcome_to_exit_code(OUTCOME_FAILED);
	}
	return is_good ? 0 : outcome_to_exit_code(OUTCOME_BAD_CONFIG);
}
