/* SPDX-License-Identifier: MIT */
/*
 * home.c - the discovery message of https://www.home-assistant.io/integrations/update.mqtt.
 *
 * Home Assistant drops a whole message of which one value has another type than it expects: texts
 * must be texts, and never null. An image without a version is known by the first digits of its
 * digest. Versions before 2024.11 do not know `update_percentage`, and leave such a message out.
 * `default_entity_id` is of 2025.10, and stands for `object_id`, which 2026.4 does not know any
 * more.
 */
#include "fleet/home.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/json.h"
#include "base/names.h"
#include "base/util.h"
#include "fleet/payload.h"

/* Of a topic that is taken back there is no `value_json`. */
static const char value_template[] =
	"{%- if value_json is defined -%}\n"
	"{%- set held = value_json.version or (value_json.sha256 or 'unknown')[:8] -%}\n"
	"{%- set job = value_json.job or {'operation': ''} -%}\n"
	"{%- set is_written = job.operation in ['flash', 'rollback'] -%}\n"
	"{{ {'installed_version': held,\n"
	" 'latest_version': value_json.latest_version or held,\n"
	" 'in_progress': is_written,\n"
	" 'update_percentage': job.percent if is_written else none} | to_json }}\n"
	"{%- endif -%}";

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-';
}

/* '_' is what the others become: it must not stay itself. */
static void write_plain(FILE *to, const char *text)
{
	for (; *text; text++)
		if (is_plain(*text))
			fputc(*text, to);
		else
			fprintf(to, "_%02x", (unsigned char)*text);
}

static char *make_id(const char *first, const char *gateway, const char *then, const char *unit)
{
	CLEANUP(freep) char *id = NULL;
	size_t n;
	FILE *to = open_memstream(&id, &n);

	if (!to)
		return NULL;
	fputs(first, to);
	write_plain(to, gateway);
	fputs(then, to);
	write_plain(to, unit);
	return fclose(to) == 0 ? TAKE_PTR(id) : NULL;
}

char *home_id(const char *gateway, const char *unit)
{
	return make_id("plugflash_", gateway, "__", unit);
}

/* Short, since there is a bound: the gateway stands in the topic. */
char *home_command_id(const char *unit)
{
	return make_id("home-", "", "", unit);
}

static void add_availability(struct json *to, const char *topic, const char *template)
{
	struct json *json = json_new_object();

	json_add_text(json, "topic", topic);
	json_add_text(json, "value_template", template);
	json_add(to, NULL, json);
}

static void add_device(struct json *to, const struct home_unit *unit)
{
	struct json *device = json_new_object(), *ids = json_new_list();
	const char *board = dict_text(unit->row, "board"), *chip = dict_text(unit->row, "chip");
	CLEANUP(freep) char *name = NULL;

	(void)text_format(&name, "%s %s", board[0] ? board : "board", unit->unit);
	json_add_text(ids, NULL, unit->id);
	json_add(device, "identifiers", ids);
	json_add_text(device, "name", name);
	if (chip[0])
		json_add_text(device, "model", chip);
	json_add(to, "device", device);
}

static void add_origin(struct json *to)
{
	struct json *origin = json_new_object();

	json_add_text(origin, "name", "plugflash-fleet");
	json_add_text(origin, "sw_version", PLUGFLASH_VERSION);
	json_add(to, "origin", origin);
}

/* What the button sends: a command as commands.h takes it, under an id of the unit's own. */
static int add_command(struct json *to, const struct home_unit *unit)
{
	CLEANUP(freep) char *command = NULL;
	struct json *json = json_new_object();
	const char *id = dict_text(unit->row, "unit");
	int r;

	json_add_number(json, "schema", PAYLOAD_SCHEMA);
	json_add_text(json, "verb", "retry");
	/* One without an id of its own is known by its place. */
	json_add_text(json, id[0] ? "unit" : "slot", id[0] ? id : unit->unit);
	json_add_text(json, "status", "init");
	r = json_to_text(json, &command, NULL);
	if (r < 0)
		return r;
	json_add_text(to, "command_topic", unit->command_topic);
	json_add_text(to, "payload_install", command);
	json_add_bool(to, "retain", true);
	return 0;
}

int home_payload(const struct home_unit *unit, char **ret)
{
	struct json *json = json_new_object(), *availability = json_new_list();
	CLEANUP(freep) char *entity_id = NULL;

	(void)text_format(&entity_id, "update.%s", unit->id);
	json_add_text(json, "unique_id", unit->id);
	json_add_text(json, "default_entity_id", entity_id);
	json_add_text(json, "name", "Firmware");
	json_add_text(json, "device_class", "firmware");
	json_add_text(json, "state_topic", unit->unit_topic);
	json_add_text(json, "value_template", value_template);
	add_availability(availability, unit->status_topic, "{{ value_json.status }}");
	add_availability(availability, unit->unit_topic,
		"{{ 'online' if value_json is defined and value_json.there else 'offline' }}");
	json_add(json, "availability", availability);
	json_add_text(json, "availability_mode", "all");
	json_add_number(json, "qos", 1);
	add_device(json, unit);
	add_origin(json);
	if (unit->command_topic && add_command(json, unit) < 0) {
		json_free(json);
		return -ENOMEM;
	}
	return json_to_text(json, ret, NULL);
}
