/* SPDX-License-Identifier: MIT */
/*
 * command.c - reads what anybody who may write to the topic has written there.
 *
 * A payload is an object: "verb", "status", at most one each of "unit", "slot", "board" and "why",
 * and keys of others, which are ignored: the fleet may be newer than this gateway. The table says
 * which verb takes which target. A key that is ours and holds something else than text refuses the
 * command, for a target that is left out would widen it to all units.
 */
#include "fleet/command.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "api/json.h"
#include "base/util.h"

#define SCHEMA	 1

#define TO_UNIT	 (1U << 0)
#define TO_SLOT	 (1U << 1)
#define TO_BOARD (1U << 2)
#define TO_ALL	 (1U << 3) /* no target is a target, too */

static const struct verb {
	const char *name;
	unsigned targets;
	const char *expected; /* the targets, in words */
} verbs[COMMAND_VERB_MAX] = {
	[COMMAND_RETRY] = {"retry", TO_UNIT | TO_SLOT | TO_BOARD, "unit, slot or board"},
	[COMMAND_PAUSE] = {"pause", TO_BOARD | TO_ALL, "board, or nothing for all of the gateway"},
	[COMMAND_RESUME] = {"resume", TO_BOARD | TO_ALL,
		"board, or nothing for all of the gateway"},
	[COMMAND_VERIFY] = {"verify", TO_UNIT | TO_SLOT | TO_BOARD, "unit, slot or board"},
	[COMMAND_IDENTIFY] = {"identify", TO_UNIT | TO_SLOT, "unit or slot"},
};

static const char *const statuses[COMMAND_STATUS_MAX] = {
	[COMMAND_INIT] = "init",
	[COMMAND_EXECUTING] = "executing",
	[COMMAND_SUCCESSFUL] = "successful",
	[COMMAND_FAILED] = "failed",
};

#define MEMBER(member) offsetof(struct command, member), sizeof(((struct command *)NULL)->member)

static const struct key {
	const char *name;
	size_t offset, size;
	unsigned target; /* 0: it is none */
} keys[] = {
	{"unit", MEMBER(unit), TO_UNIT},
	{"slot", MEMBER(slot), TO_SLOT},
	{"board", MEMBER(board), TO_BOARD},
	{"why", MEMBER(why), 0},
};

static char *text_of(struct command *command, const struct key *key)
{
	return (char *)command + key->offset;
}

static const char *value_of(const struct command *command, const struct key *key)
{
	return (const char *)command + key->offset;
}

const char *command_verb_to_string(enum command_verb verb)
{
	return verb < COMMAND_VERB_MAX ? verbs[verb].name : NULL;
}

const char *command_status_to_string(enum command_status status)
{
	return statuses[status];
}

static enum command_verb verb_of(const char *name, size_t n)
{
	unsigned verb = 0;

	while (verb < COMMAND_VERB_MAX &&
		(strlen(verbs[verb].name) != n || strncmp(verbs[verb].name, name, n) != 0))
		verb++;
	return (enum command_verb)verb;
}

int command_verbs_parse(const char *list, unsigned *ret_allowed, struct reason *reason)
{
	static const char between[] = ", \t";
	unsigned allowed = 0;
	char shown[TEXT_MAX];

	for (list += strspn(list, between); *list; list += strspn(list, between)) {
		size_t n = strcspn(list, between);
		enum command_verb verb = verb_of(list, n);

		if (verb == COMMAND_VERB_MAX)
			return reason_refuse(-EINVAL, reason,
				"'%s': expected retry, pause, resume, verify or identify, with commas between them",
				text_escape(list, shown, sizeof(shown)));
		allowed |= 1U << verb;
		list += n;
	}
	*ret_allowed = allowed;
	return 0;
}

bool command_id_is_valid(const char *id)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t n = strlen(id);

	return n > 0 && n < COMMAND_ID_SIZE && strspn(id, allowed) == n;
}

/* -------------------------------------------------------------------------------- reading */

struct reading {
	struct command *command;
	bool has_status;
	bool is_init;	 /* its status */
	bool is_strange; /* its status is none of ours */
	/* The first thing that is wrong; told once all was read, and only of one whose status is
	 * init. */
	struct reason wrong;
	bool is_wrong;
};

static void note_wrong(struct reading *reading, const char *key, const char *what)
{
	if (!reading->is_wrong)
		reason_set(&reading->wrong, "%s: %s", key, what);
	reading->is_wrong = true;
}

static void take_status(struct reading *reading, const struct json_value *value)
{
	unsigned status = 0;

	reading->has_status = true;
	if (value->kind != JSON_KIND_TEXT) {
		reading->is_strange = true;
		return;
	}
	while (status < COMMAND_STATUS_MAX && strcmp(statuses[status], value->text) != 0)
		status++;
	reading->is_strange = status == COMMAND_STATUS_MAX;
	reading->is_init = status == COMMAND_INIT;
	if (!reading->is_strange)
		reading->command->status = (enum command_status)status;
}

static void take_verb(struct reading *reading, const struct json_value *value)
{
	if (value->kind == JSON_KIND_TEXT)
		reading->command->verb = verb_of(value->text, strlen(value->text));
	if (reading->command->verb == COMMAND_VERB_MAX)
		note_wrong(reading, "verb", "expected retry, pause, resume, verify or identify");
}

/* Null is what our own answers have in place of what was not said. */
static void take_text(
	struct reading *reading, const struct key *key, const struct json_value *value)
{
	if (value->kind == JSON_KIND_NULL)
		return;
	if (value->kind != JSON_KIND_TEXT || !*value->text)
		note_wrong(reading, key->name, "expected a text");
	else if (strlen(value->text) >= key->size)
		note_wrong(reading, key->name, "the text is too long");
	else
		text_copy(text_of(reading->command, key), key->size, value->text);
}

static int on_value(void *userdata, const struct json_value *value)
{
	struct reading *reading = userdata;
	const char *name = value->n_keys > 0 ? value->keys[0] : NULL;
	/* A list or an object where a text was expected is told by its parts. */
	struct json_value seen = *value;

	if (!name)
		return 0;
	if (value->n_keys > 1)
		seen.kind = JSON_KIND_EMPTY;
	if (strcmp(name, "status") == 0)
		take_status(reading, &seen);
	else if (strcmp(name, "verb") == 0)
		take_verb(reading, &seen);
	else if (strcmp(name, "schema") == 0 && seen.number != SCHEMA)
		note_wrong(reading, name, "expected 1; this gateway knows no other");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(name, keys[i].name) == 0)
			take_text(reading, &keys[i], &seen);
	return 0;
}

static int check_targets(const struct command *command, struct reason *reason)
{
	const struct verb *verb = &verbs[command->verb];
	unsigned given = 0;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (*value_of(command, &keys[i]))
			given |= keys[i].target;
	if ((given & ~verb->targets) == 0 && (given || verb->targets & TO_ALL))
		return COMMAND_OK;
	return reason_refuse(
		COMMAND_REFUSED, reason, "%s: it takes %s", verb->name, verb->expected);
}

static int judge(const struct reading *reading, struct reason *reason)
{
	const struct command *command = reading->command;

	if (reading->is_strange)
		return COMMAND_NOT_OURS;
	if (!reading->has_status)
		return reason_refuse(COMMAND_REFUSED, reason,
			"status: missing; a command is published with \"status\": \"init\"");
	if (!reading->is_init)
		return COMMAND_OK;
	if (reading->is_wrong)
		return reason_refuse(COMMAND_REFUSED, reason, "%s", reading->wrong.text);
	if (command->verb == COMMAND_VERB_MAX)
		return reason_refuse(COMMAND_REFUSED, reason,
			"verb: missing; expected retry, pause, resume, verify or identify");
	return check_targets(command, reason);
}

int command_parse(const char *payload, size_t n, struct command *ret, struct reason *reason)
{
	struct reading reading = {.command = ret};
	int r;

	*ret = (struct command){.verb = COMMAND_VERB_MAX};
	if (n > COMMAND_BYTES_MOST)
		return reason_refuse(COMMAND_REFUSED, reason,
			"the payload is too long: %d bytes at most", COMMAND_BYTES_MOST);
	r = json_walk(payload, n, on_value, &reading, reason);
	if (r == JSON_REFUSED)
		return COMMAND_REFUSED;
	return r < 0 ? r : judge(&reading, reason);
}

/* -------------------------------------------------------------------------------- writing */

int command_answer_to_json(const struct command *command, const struct command_answer *answer,
	char **ret, size_t *ret_n)
{
	struct json *json = json_new_object();

	json_add_number(json, "schema", SCHEMA);
	json_add_text(json, "verb", command_verb_to_string(command->verb));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		json_add_text(json, keys[i].name, value_of(command, &keys[i]));
	json_add_text(json, "status", statuses[answer->status]);
	json_add_text(json, "reason", answer->reason);
	json_add_number(json, "units", answer->units);
	return json_to_text(json, ret, ret_n);
}
