/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fleet/agent.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "api/json.h"
#include "base/names.h"
#include "base/text.h"
#include "bed/enclosure.h"

/* Hundreds of messages a second, so that the broker is what tests wait for. */
static const char configuration[] = "[fleet]\n"
				    "gateway = %s\n"
				    "groups = all\n"
				    "trusted-keys = %s\n"
				    "%s"
				    "[broker]\n"
				    "uri = mqtts://127.0.0.1:%d\n"
				    "ca = %s\n"
				    "certificate = %s/%s.crt\n"
				    "key = %s/%s.key\n"
				    "messages-per-second = 500\n"
				    "retry = 1s\n"
				    "[download]\n"
				    "plain-http = yes\n"
				    "space-left = 0\n"
				    "%s";

struct agent {
	struct farm *farm;
	struct gateway *gateway;
	struct child child;
	char *name, *address, *images, *configuration, *state, *log;
};

static void configure(struct agent *agent, const struct agent_setup *setup)
{
	CLEANUP(freep) char *text = NULL, *path = NULL;

	assert_int_equal(
		text_format(&text, configuration, setup->name, signing_keys(setup->signing),
			setup->fleet ? setup->fleet : "", FARM_TLS_PORT, broker_ca(setup->broker),
			setup->certificates, setup->certificate, setup->certificates,
			setup->certificate, setup->sections ? setup->sections : ""),
		0);
	assert_int_equal(text_format(&path, "%s/fleet.conf", agent->configuration), 0);
	farm_write(path, text, strlen(text));
}

static void make_gateway(struct agent *agent, const struct agent_setup *setup, const char *folder)
{
	struct gateway_setup gateway = {.name = setup->name,
		.folder = folder,
		.trusted_keys = signing_keys(setup->signing),
		.n_units = setup->n_units};

	if (setup->holds) {
		gateway.image = setup->holds->name;
		gateway.version = setup->holds->version;
		gateway.sha256 = setup->holds->sha256;
	}
	agent->gateway = gateway_new(farm_event(agent->farm), &gateway);
}

struct agent *agent_new(struct farm *farm, const struct agent_setup *setup)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	CLEANUP(freep) char *folder = farm_folder(farm, "%s", setup->name);
	const char *address = setup->address, *images = setup->images;

	assert_non_null(agent);
	agent->farm = farm;
	agent->configuration = farm_folder(farm, "%s/config", setup->name);
	agent->state = farm_folder(farm, "%s/state", setup->name);
	agent->log = farm_path(farm, "%s/log", setup->name);
	if (!address) {
		make_gateway(agent, setup, folder);
		address = gateway_address(agent->gateway);
		images = gateway_images(agent->gateway);
	}
	assert_int_equal(text_duplicate(setup->name, &agent->name), 0);
	assert_int_equal(text_duplicate(address, &agent->address), 0);
	assert_int_equal(text_duplicate(images, &agent->images), 0);
	configure(agent, setup);
	return agent;
}

struct agent *agent_free(struct agent *agent)
{
	if (!agent)
		return NULL;
	child_end(&agent->child, SIGKILL);
	gateway_free(agent->gateway);
	free(agent->name);
	free(agent->address);
	free(agent->images);
	free(agent->configuration);
	free(agent->state);
	free(agent->log);
	free(agent);
	return NULL;
}

void agent_start(struct agent *agent, const char *const *environment)
{
	const char *all[8] = {0};
	size_t n = 3;
	CLEANUP(closep) int log = open(agent->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	CLEANUP(freep) char *program = NULL, *bus = NULL, *configuration_of = NULL, *state = NULL;

	assert_true(log >= 0);
	assert_int_equal(text_format(&program, "%s/plugflash-fleet", enclosure_build()), 0);
	assert_int_equal(text_format(&bus, ENV_BUS_ADDRESS "=%s", agent->address), 0);
	assert_int_equal(
		text_format(&configuration_of, ENV_CONFIGURATION "=%s", agent->configuration), 0);
	assert_int_equal(text_format(&state, ENV_STATE "=%s", agent->state), 0);
	memcpy(all, (const char *const[]){bus, configuration_of, state}, 3 * sizeof(*all));
	while (environment && *environment && n < ARRAY_SIZE(all) - 1)
		all[n++] = *environment++;
	child_start(agent->farm, &agent->child,
		&(struct child_setup){.environment = all, .input = -1, .output = log, .error = log},
		(const char *const[]){program, "--images", agent->images, NULL});
}

void agent_start_killable(struct agent *agent, const char *word)
{
	char preload[4200];
	const char *const environment[] = {preload, word, NULL};

	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s/kill-preload.so", enclosure_build());
	agent_start(agent, environment);
}

struct child *agent_child(struct agent *agent)
{
	return &agent->child;
}

struct gateway *agent_gateway(const struct agent *agent)
{
	return agent->gateway;
}

const char *agent_name(const struct agent *agent)
{
	return agent->name;
}

const char *agent_state(const struct agent *agent)
{
	return agent->state;
}

const char *agent_log(const struct agent *agent)
{
	return agent->log;
}

char *agent_topic(const struct agent *agent, const char *format, ...)
{
	CLEANUP(freep) char *below = NULL;
	char *topic;
	va_list args;

	va_start(args, format);
	assert_true(vasprintf(&below, format, args) >= 0);
	va_end(args);
	assert_int_equal(text_format(&topic, "plugflash/%s/%s", agent_name(agent), below), 0);
	return topic;
}

/* ------------------------------------------------------------------------------ wishes */

static void add(struct json *json, const char *key, const char *text)
{
	if (text)
		json_add_text(json, key, text);
}

char *desired_text(const struct desired *desired)
{
	const struct made_image *image = desired->image;
	struct json *json = json_new_object();
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);

	assert_non_null(to);
	json_add_number(json, "schema", 1);
	json_add_text(json, "board", image->board);
	json_add_text(json, "image", image->name);
	json_add_text(json, "version", image->version);
	json_add_text(json, "sha256", image->sha256);
	json_add_number(json, "size", image->n_data);
	json_add_text(json, "url", desired->url);
	json_add_text(json, "manifest", image->manifest);
	json_add_text(json, "signature", image->signature);
	if (desired->percent >= 0)
		json_add_number(json, "percent", (uint64_t)desired->percent);
	add(json, "not_before", desired->not_before);
	add(json, "window", desired->window);
	json_add_bool(json, "paused", desired->is_paused);
	assert_int_equal(json_print_line(json, to), 0);
	assert_int_equal(fclose(to), 0);
	text[strcspn(text, "\n")] = '\0';
	return text;
}
