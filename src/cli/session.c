/* SPDX-License-Identifier: MIT */
/*
 * session.c - chooses bridge, rule and image of a verb, in this order, and says why it cannot.
 *
 *	configuration, unless the options describe a board
 *	bridge: --port or --slot, else the only one that has a rule
 *	rule: that of the bridge, --board's, or one made of --chip, --wiring and their like
 *	image: --image, else the one that the rule finds
 *
 * Each step needs the one before, no port is opened, and the first step that fails ends the session
 * with an outcome and a reason. A command that asks for too little or for two things at once is
 * wrong use (exit code 2); a machine that does not fit the command is an outcome of its own.
 * Options that describe a board replace the configuration: a new board can be flashed on a machine
 * that has none.
 */
#include "cli/session.h"

#include <errno.h>
#include <string.h>

#include "base/names.h"
#include "cli/bridges.h"
#include "cli/rule.h"
#include "cli/units.h"
#include "cli/wait-for-copy.h"
#include "device/monitor.h"
#include "image/library.h"

/* The names of the bridges that are there, in a sentence. */
#define BRIDGES_MAX 200

static bool refuse(struct session *session, enum outcome outcome)
{
	session->report.outcome = outcome;
	return false;
}

static bool refuse_use(struct session *session)
{
	session->is_wrong_use = true;
	return refuse(session, OUTCOME_FAILED);
}

/* The environment failed; `what` says at which step: "the bridges cannot be listed". */
static bool refuse_error(struct session *session, int error, const char *what)
{
	session->report.error = -error;
	reason_set(&session->report.reason, "%s: %s", what, strerror(-error));
	return refuse(session, OUTCOME_FAILED);
}

static bool load_configuration(struct session *session)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	const char *directory = options_configuration(session->options);
	char escaped[TEXT_MAX];
	int r = config_load(directory, &session->config, &problems);

	if (r == 0)
		return true;
	ini_problems_print(&problems, stderr);
	text_escape(directory, escaped, sizeof(escaped));
	if (r < 0)
		session->report.error = -r;
	reason_set(&session->report.reason,
		"the configuration in '%s' was refused, %zu problem%s; plugflash check-config lists them, --chip with --port does without one",
		escaped, problems.n_items, problems.n_items == 1 ? "" : "s");
	return refuse(session, OUTCOME_BAD_CONFIG);
}

/* ------------------------------------------------------------------ which bridge */

static const struct board *fitting_rule(const struct bridge *bridge, const struct board *wanted)
{
	switch (bridge->result) {
	case MATCH_NONE:
		return NULL;
	case MATCH_ONE:
		return !wanted || wanted == bridge->match.board ? bridge->match.board : NULL;
	case MATCH_AMBIGUOUS:
		/* --board names one of the two. */
		return wanted && (wanted == bridge->match.board || wanted == bridge->match.other)
			       ? wanted
			       : NULL;
	}
	return NULL;
}

static bool refuse_ambiguous(struct session *session, const struct bridge *bridge)
{
	char port[64], rules[2 * TEXT_MAX];

	reason_set(&session->report.reason,
		"%s: two rules fit equally well (%s): give one of them a further key, such as path, or choose with --board",
		units_port(bridge->facts->port, port, sizeof(port)),
		bridge_rule_text(bridge, rules, sizeof(rules)));
	return refuse(session, OUTCOME_AMBIGUOUS);
}

/* A probe asks the chip for its id, so that without a rule it needs the wiring alone. */
#define PROBE_WITHOUT_RULE                                     \
	"; without one say --port and --wiring: " WIRING_NAMES \
	"; for an ESP --protocol esp; for a Zigbee stick of TI --protocol bsl; for the application of a Zigbee, Thread or Z-Wave stick --application ezsp,cpc,spinel,zwave,mt"

#define ORDER_WITHOUT_RULE                                     \
	"; without one say --port and --wiring: " WIRING_NAMES \
	"; for an ESP --protocol esp; for a Zigbee stick of TI --protocol bsl"

/* Verbs that need a board and no image: without a rule the chip itself says which one it is. */
static bool asks_chip(enum flash_action action)
{
	return action != FLASH_UPDATE && action != FLASH_VERIFY && action != FLASH_READ &&
	       action != FLASH_IDENTIFY;
}

/* For the end of a sentence. */
static const char *without_rule(enum flash_action action)
{
	if (action == FLASH_PROBE)
		return PROBE_WITHOUT_RULE;
	return asks_chip(action) ? ORDER_WITHOUT_RULE : "";
}

/* Says why no bridge is left; where several reasons hold, the one that leads furthest. */
static bool refuse_all(
	struct session *session, const struct bridges *bridges, const struct board *wanted)
{
	struct reason *reason = &session->report.reason;
	char there[BRIDGES_MAX], name[TEXT_MAX];

	if (bridges->n_items == 0) {
		reason_set(reason,
			"no CP210x bridge is plugged in; is the cable one for data, and the cp210x driver loaded?");
		return refuse(session, OUTCOME_PORT_GONE);
	}
	bridges_text(bridges, there, sizeof(there));
	if (wanted) {
		reason_set(reason,
			"no bridge fits rule '%s' (there are: %s); --port takes one all the same",
			text_escape(wanted->name, name, sizeof(name)), there);
		return refuse(session, OUTCOME_NO_MATCH);
	}
	for (size_t i = 0; i < bridges->n_items; i++)
		if (bridges->items[i].result == MATCH_AMBIGUOUS)
			return refuse_ambiguous(session, &bridges->items[i]);
	reason_set(reason,
		"no rule fits any bridge (there are: %s); plugflash list prints a rule to paste%s",
		there, without_rule(session->assignment.action));
	return refuse(session, OUTCOME_NO_MATCH);
}

/* Takes the only bridge that has a rule. */
static bool choose_only_bridge(
	struct session *session, const struct board *wanted, const struct board **ret_rule)
{
	CLEANUP(bridges_done) struct bridges bridges = {0};
	const struct bridge *chosen = NULL;
	const struct board *rule = NULL;
	char there[BRIDGES_MAX];
	int r = bridges_load(&session->config, &bridges);

	if (r < 0)
		return refuse_error(session, r, "the bridges cannot be listed");
	if (session->options->chip || options_have_board(session->options)) {
		reason_set(&session->report.reason,
			"without a rule nothing says which bridge is meant: choose with --port (there are: %s)",
			bridges_text(&bridges, there, sizeof(there)));
		return refuse_use(session);
	}
	for (size_t i = 0; i < bridges.n_items; i++) {
		const struct board *fits = fitting_rule(&bridges.items[i], wanted);

		if (fits && chosen) {
			reason_set(&session->report.reason,
				"more than one bridge has a rule: choose with --port (there are: %s)",
				bridges_text(&bridges, there, sizeof(there)));
			return refuse_use(session);
		}
		if (fits) {
			chosen = &bridges.items[i];
			rule = fits;
		}
	}
	if (!chosen)
		return refuse_all(session, &bridges, wanted);
	r = facts_copy(chosen->facts, &session->bridge);
	if (r < 0)
		return refuse_error(session, r, "the bridge cannot be chosen");
	*ret_rule = rule;
	return true;
}

static bool refuse_port(struct session *session, const char *port, int error)
{
	struct reason *reason = &session->report.reason;
	char escaped[TEXT_MAX];

	text_escape(port, escaped, sizeof(escaped));
	if (access(port, F_OK) < 0) {
		reason_set(reason, "there is no '%s'; plugflash list shows the bridges present",
			escaped);
		return refuse(session, OUTCOME_PORT_GONE);
	}
	if (error == -ENODEV || error == -ENOENT) {
		reason_set(reason,
			"'%s' is not a CP210x bridge; plugflash list shows the bridges present",
			escaped);
		return refuse(session, OUTCOME_NO_MATCH);
	}
	return refuse_error(session, error, escaped);
}

/* "A1, A2": as many as there is room for. */
static const char *slots_text(const struct config *config, char to[static BRIDGES_MAX])
{
	size_t used = 0;

	snprintf(to, BRIDGES_MAX, "none");
	for (size_t i = 0; i < config->n_slots && used < BRIDGES_MAX; i++)
		used += (size_t)snprintf(to + used, BRIDGES_MAX - used, "%s%s", used ? ", " : "",
			config->slots[i].name);
	return to;
}

static bool refuse_slot(struct session *session, const char *name, const struct slot *slot,
	const struct bridges *bridges)
{
	char shown[TEXT_MAX], there[BRIDGES_MAX];

	text_escape(name, shown, sizeof(shown));
	if (slot) {
		reason_set(&session->report.reason,
			"no bridge is plugged in at slot '%s' (there are: %s); plugflash list shows the bridges present",
			shown, bridges_text(bridges, there, sizeof(there)));
		return refuse(session, OUTCOME_PORT_GONE);
	}
	reason_set(&session->report.reason,
		"no slot has this name or path: '%s' (there are: %s); plugflash list shows the paths of the bridges present",
		shown, slots_text(&session->config, there));
	return refuse_use(session);
}

/* The bridge that is plugged in at this place, by its name or its path. */
static bool choose_slot(struct session *session, const char *name)
{
	const struct slot *slot = config_find_slot(&session->config, name);
	const char *path = slot ? slot->path : name;
	CLEANUP(bridges_done) struct bridges bridges = {0};
	int r = bridges_load(&session->config, &bridges);

	for (size_t i = 0; r == 0 && i < bridges.n_items; i++) {
		const struct facts *facts = bridges.items[i].facts;

		if (!facts->usb_path || strcmp(facts->usb_path, path) != 0)
			continue;
		r = facts_copy(facts, &session->bridge);
		return r == 0 ? true : refuse_error(session, r, "the bridge cannot be chosen");
	}
	if (r < 0)
		return refuse_error(session, r, "the bridges cannot be listed");
	return refuse_slot(session, name, slot, &bridges);
}

static bool match_port(struct session *session, const struct board **ret_rule)
{
	struct bridge bridge = {.facts = &session->bridge};
	char port[64], product[TEXT_MAX / 2], serial[TEXT_MAX / 2];

	bridge.result = match_board(&session->config, bridge.facts, &bridge.match);
	switch (bridge.result) {
	case MATCH_ONE:
		*ret_rule = bridge.match.board;
		return true;
	case MATCH_AMBIGUOUS:
		return refuse_ambiguous(session, &bridge);
	case MATCH_NONE:
		break;
	}
	units_port(bridge.facts->port, port, sizeof(port));
	reason_set(&session->report.reason,
		"%s: no rule fits this bridge (product '%s', serial '%s'); plugflash list prints one to paste, --board takes one all the same%s",
		port, text_escape(bridge.facts->product, product, sizeof(product)),
		text_identifier(bridge.facts->serial, serial, sizeof(serial)),
		without_rule(session->assignment.action));
	return refuse(session, OUTCOME_NO_MATCH);
}

static bool choose_port(struct session *session, const char *name)
{
	CLEANUP(freep) char *port = NULL;
	int r = text_format(&port, "%s%s", strchr(name, '/') ? "" : "/dev/", name);

	if (r < 0)
		return refuse_error(session, r, "the port cannot be named");
	r = bridge_find(port, &session->bridge);
	return r < 0 ? refuse_port(session, port, r) : true;
}

/* `ret_rule` stays NULL where the options describe the board. */
static bool choose_bridge(struct session *session, const struct board **ret_rule)
{
	const struct options *options = session->options;
	const struct board *wanted = NULL;
	char escaped[TEXT_MAX];

	if (options->board) {
		wanted = config_find_board(&session->config, options->board);
		if (!wanted) {
			reason_set(&session->report.reason,
				"the configuration has no board '%s'; plugflash check-config lists its boards",
				text_escape(options->board, escaped, sizeof(escaped)));
			return refuse_use(session);
		}
	}
	if (!options->port && !options->slot)
		return choose_only_bridge(session, wanted, ret_rule);
	if (options->slot ? !choose_slot(session, options->slot)
			  : !choose_port(session, options->port))
		return false;
	*ret_rule = wanted;
	if (wanted || options_have_board(options))
		return true;
	return match_port(session, ret_rule);
}

/* ------------------------------------------------------------------ rule and image */

/* The rule with these options, or one of them alone where it is NULL. */
static bool make_rule(struct session *session, const struct board *rule,
	const struct options *options, struct board *ret)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	const struct assignment *assignment = &session->assignment;
	struct reason *reason = &session->report.reason;
	CLEANUP(freep) char *any_chip = NULL;
	int r = 0;

	if (!rule && !options->chip)
		r = rule_any_chip(assignment->chips, assignment->chips_dir, rule_protocol(options),
			&any_chip, &problems);
	if (r != 0) {
		ini_problems_print(&problems, stderr);
		reason_set(reason, "the chip table cannot be used: see above");
		return refuse(session, OUTCOME_BAD_CONFIG);
	}
	r = rule_make(rule, options, any_chip, ret, &problems);
	if (r == 0)
		return true;
	ini_problems_print(&problems, stderr);
	if (r < 0)
		return refuse_error(session, r, "the rule cannot be made");
	reason_set(reason, "the options do not make a rule: see above");
	return refuse_use(session);
}

/*
 * A wrong value is told before anything that this machine lacks: who mends it would be told of the
 * value only then. What describes a board is the rule already; a rate goes with any rule.
 */
static bool check_options(struct session *session)
{
	const struct options *options = session->options, rates = {.baud = options->baud};
	CLEANUP(board_done) struct board any = {0};

	if (!options_have_board(options))
		return !options->baud || make_rule(session, NULL, &rates, &any);
	if (!make_rule(session, NULL, options, &session->assignment.board))
		return false;
	/* What needs no image asks the chip for its id; the others must know which to expect. */
	if (options->chip || asks_chip(session->assignment.action))
		return true;
	reason_set(&session->report.reason,
		"--protocol, --application, --wiring, --reset, --boot, --enter and --leave describe a board without a rule: --chip goes with them");
	return refuse_use(session);
}

/* A file named by --image may lie anywhere and be a link, unlike one that a rule finds. */
static bool take_image(struct session *session)
{
	CLEANUP(freep) char *path = realpath(session->options->image, NULL);
	struct assignment *assignment = &session->assignment;
	CLEANUP(version_pattern_done) struct version_pattern pattern = {0};
	struct version_name found;
	char escaped[TEXT_MAX];
	char *name;

	if (!path) {
		session->report.error = errno;
		reason_set(&session->report.reason, "image '%s': %s",
			text_escape(session->options->image, escaped, sizeof(escaped)),
			strerror(errno));
		return refuse(session, OUTCOME_NO_IMAGE);
	}
	name = strrchr(path, '/');
	*name++ = '\0';
	assignment->any_owner = true;
	assignment->image = strdup(name);
	assignment->image_dir = strdup(path[0] ? path : "/");
	if (!assignment->image || !assignment->image_dir)
		return refuse_error(session, -ENOMEM, "image");
	if (version_pattern_init(&pattern, assignment->board.version_in_name) < 0)
		return refuse_error(session, -ENOMEM, "image");
	version_from_name(&pattern, name, &found);
	assignment->version = strdup(found.version);
	return assignment->version ? true : refuse_error(session, -ENOMEM, "image");
}

static bool find_image(struct session *session, const struct board *rule)
{
	struct assignment *assignment = &session->assignment;
	struct library_query query = library_query_for(&session->config, rule);
	CLEANUP(library_choice_done) struct library_choice choice = {0};
	uint64_t left_usec = COPY_COMMAND_USEC;
	int r;

	query.rest_usec = COPY_REST_USEC;
	do {
		library_choice_done(&choice);
		r = library_choose(&query, &choice, &session->report.reason);
	} while (wait_for_copy(&left_usec, r, &choice));
	if (r < 0)
		session->report.error = -r;
	if (r != 0)
		return refuse(session, r == LIBRARY_REFUSED || r == LIBRARY_AWAITED
					       ? OUTCOME_BAD_IMAGE
					       : OUTCOME_NO_IMAGE);
	assignment->image = TAKE_PTR(choice.name);
	assignment->version = TAKE_PTR(choice.version);
	assignment->stamp = TAKE_PTR(choice.stamp);
	assignment->image_dir = strdup(session->config.service.image_dir);
	return assignment->image_dir ? true : refuse_error(session, -ENOMEM, "image");
}

static bool choose_image(struct session *session, const struct board *rule)
{
	const struct service_config *service = &session->config.service;
	struct assignment *assignment = &session->assignment;

	/* Without a rule no configuration was read, and none of these is set. */
	assignment->require_signature = service->require_signature;
	assignment->accept_legacy_signatures = service->accept_legacy_signatures;
	if (text_duplicate(service->trusted_keys, &assignment->trusted_keys) < 0)
		return refuse_error(session, -ENOMEM, "image");
	if (session->options->image)
		return take_image(session);
	if (rule)
		return find_image(session, rule);
	reason_set(&session->report.reason,
		"without a rule nothing says which image is meant: name it with --image");
	return refuse_use(session);
}

/* The last step, so that none is there without a job. */
static bool make_transcript(struct session *session)
{
	int r = recorder_open(session->options, &session->recorder, &session->report.reason);

	return r == 0 ? true : refuse_use(session);
}

bool session_open(const char *verb, const struct options *options, enum flash_action action,
	bool has_image, struct session *ret)
{
	struct session *session = ret;
	struct assignment *assignment = &session->assignment;
	const struct board *rule = NULL;
	bool needs_image = has_image && (action == FLASH_UPDATE || action == FLASH_VERIFY);

	*session = (struct session){.verb = verb, .options = options};
	assignment->action = action;
	assignment->dry_run = options->dry_run;
	if (text_duplicate(options_chips(), &assignment->chips) < 0 ||
		text_format(&assignment->chips_dir, "%s/" NAME_CHIPS,
			options_configuration(options)) < 0)
		return refuse_error(session, -ENOMEM, "the job cannot be made");
	if (!check_options(session))
		return false;
	if (!options_have_board(options) && !load_configuration(session))
		return false;
	if (!choose_bridge(session, &rule))
		return false;
	assignment->devnum = session->bridge.devnum;
	if (text_duplicate(session->bridge.port, &assignment->port) < 0)
		return refuse_error(session, -ENOMEM, "the job cannot be made");
	/* Options that describe a board are the rule already. */
	if (rule && !make_rule(session, rule, options, &assignment->board))
		return false;
	return (!needs_image || choose_image(session, rule)) && make_transcript(session);
}

void session_done(struct session *session)
{
	recorder_close(&session->recorder);
	free(session->read);
	assignment_done(&session->assignment);
	facts_done(&session->bridge);
	config_done(&session->config);
	*session = (struct session){0};
}
