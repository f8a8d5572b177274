/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fleet/scene.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

#define LOG_SHOWN 3000

/* ----------------------------------------------------------------------------- events */

static void on_heard(void *userdata, const char *topic, const char *payload)
{
	struct scene *scene = userdata;
	struct scene_event *events, *event;

	if (!text_ends_with(topic, "/event"))
		return;
	events = room_for_one(scene->events, scene->n_events, sizeof(*events));
	assert_non_null(events);
	scene->events = events;
	event = &events[scene->n_events++];
	*event = (struct scene_event){.id = value_number(payload, "id")};
	assert_int_equal(sscanf(topic, "plugflash/%31[^/]/event", event->gateway), 1);
	assert_int_equal(text_duplicate(payload, &event->payload), 0);
}

static bool is_of(const struct scene_event *event, const struct agent *agent)
{
	return strcmp(event->gateway, agent_name(agent)) == 0;
}

unsigned scene_count_events(const struct scene *scene, const struct agent *agent, int64_t id)
{
	unsigned n = 0;

	for (size_t i = 0; i < scene->n_events; i++)
		n += is_of(&scene->events[i], agent) && scene->events[i].id == id;
	return n;
}

static bool has_gap(void *userdata)
{
	const struct scene *scene = userdata;

	for (size_t i = 0; i < scene->n_events; i++)
		if (value_is(scene->events[i].payload, "event", "gap"))
			return true;
	return false;
}

bool scene_hears_gap(struct scene *scene)
{
	return farm_wait(scene->farm, FARM_LONG, has_gap, scene);
}

struct awaited_events {
	const struct scene *scene;
	const struct agent *agent;
	int64_t next;
	size_t n_seen;
};

/* Those that came since it was asked last: first arrivals are in order. */
static bool have_come(void *userdata)
{
	struct awaited_events *awaited = userdata;

	for (; awaited->n_seen < awaited->scene->n_events; awaited->n_seen++) {
		const struct scene_event *event = &awaited->scene->events[awaited->n_seen];

		awaited->next += is_of(event, awaited->agent) && event->id == awaited->next;
	}
	return awaited->next > gateway_last_id(agent_gateway(awaited->agent));
}

bool scene_hears_attempts(struct scene *scene, const struct agent *agent, int64_t first)
{
	struct awaited_events awaited = {scene, agent, first, 0};

	if (farm_wait(scene->farm, FARM_LONG, have_come, &awaited))
		return true;
	printf("# attempt %" PRId64 " of %" PRId64 " did not come, %zu events came\n", awaited.next,
		gateway_last_id(agent_gateway(agent)), scene->n_events);
	scene_tell(scene);
	return false;
}

static void judge_event(const struct scene_event *event, const struct scene_event *former)
{
	if (value_number(event->payload, "schema") != 1 ||
		!value_is(event->payload, "event", "attempt") ||
		!value_is(event->payload, "gateway", event->gateway) ||
		value_number(event->payload, "ended") == 0)
		fail_msg("event %" PRId64 " is not whole: %s", event->id, event->payload);
	if (former && strcmp(former->payload, event->payload) != 0)
		fail_msg(
			"event %" PRId64 " came twice, and differs: %s", event->id, event->payload);
}

void scene_judge_events(
	const struct scene *scene, const struct agent *agent, int64_t first, bool may_repeat)
{
	int64_t last = gateway_last_id(agent_gateway(agent)), next = first, before = 0;
	const struct scene_event **first_of = calloc((size_t)last + 1, sizeof(*first_of));

	assert_non_null(first_of);
	for (size_t i = 0; i < scene->n_events; i++) {
		const struct scene_event *event = &scene->events[i];

		if (!is_of(event, agent) || event->id == 0)
			continue;
		if (event->id > next || event->id > last)
			fail_msg(
				"event %" PRId64 " came in the place of %" PRId64, event->id, next);
		if (event->id < next && !may_repeat)
			fail_msg("event %" PRId64 " came twice", event->id);
		if (event->id < next && event->id <= before)
			assert_true(event->id >= first);
		judge_event(event, first_of[event->id]);
		first_of[event->id] = event;
		next += event->id == next;
		before = event->id;
	}
	free(first_of);
	if (next <= last)
		fail_msg("event %" PRId64 " of %" PRId64 " did not come", next, last);
}

/* ------------------------------------------------------------------------ begin and end */

int scene_set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	scene->farm = farm_new();
	scene->broker = broker_new(scene->farm);
	scene->signing = signing_new(scene->farm);
	scene->certificates = farm_folder(scene->farm, "certificates");
	broker_make_certificate(scene->broker, BROKER_ANY, scene->certificates);
	broker_start(scene->broker);
	scene->watcher = watcher_new(scene->farm, "owner", on_heard, scene);
	scene->web = web_new(scene->farm);
	*state = scene;
	return 0;
}

int scene_tear_down(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < scene->n_agents; i++)
		agent_free(scene->agents[i]);
	free(scene->agents);
	for (size_t i = 0; i < scene->n_events; i++)
		free(scene->events[i].payload);
	free(scene->events);
	web_free(scene->web);
	watcher_free(scene->watcher);
	broker_free(scene->broker);
	signing_free(scene->signing);
	free(scene->certificates);
	farm_free(scene->farm);
	free(scene);
	return 0;
}

static struct agent *make_agent(
	struct scene *scene, const struct agent_setup *setup, const char *certificate)
{
	struct agent_setup made = setup ? *setup : (struct agent_setup){.n_units = 1};
	struct agent **agents = room_for_one(scene->agents, scene->n_agents, sizeof(*agents));
	char name[32];

	assert_non_null(agents);
	scene->agents = agents;
	snprintf(name, sizeof(name), "gw-%zu", scene->n_agents + 1);
	if (!certificate)
		broker_make_certificate(scene->broker, name, scene->certificates);
	made.name = name;
	made.certificate = certificate ? certificate : name;
	made.certificates = scene->certificates;
	made.broker = scene->broker;
	made.signing = scene->signing;
	agents[scene->n_agents] = agent_new(scene->farm, &made);
	return agents[scene->n_agents++];
}

struct agent *scene_add(struct scene *scene, const struct agent_setup *setup)
{
	struct agent *agent = make_agent(scene, setup, NULL);

	scene_start(scene, agent);
	return agent;
}

struct agent *scene_make(struct scene *scene, const struct agent_setup *setup)
{
	return make_agent(scene, setup, BROKER_ANY);
}

void scene_start(struct scene *scene, struct agent *agent)
{
	agent_start(agent, NULL);
	if (scene_hears(scene, agent, "status", "status", "online"))
		return;
	scene_tell(scene);
	fail_msg("%s does not come online", agent_name(agent));
}

void scene_stop(struct scene *scene, struct agent *agent)
{
	struct child *child = agent_child(agent);

	assert_int_equal(kill(child->pid, SIGTERM), 0);
	if (!child_wait(scene->farm, child, FARM_LONG) || child->status != 0) {
		scene_tell_of(agent);
		fail_msg("%s does not end well: status 0x%x", agent_name(agent), child->status);
	}
}

/* ------------------------------------------------------------------------------ wishes */

void scene_offer(struct scene *scene, const struct made_image *image)
{
	web_offer(scene->web, image->name, image->sha256, image->data, image->n_data);
}

void scene_wish(struct scene *scene, const struct agent *agent, const struct desired *desired)
{
	CLEANUP(freep) char *topic = NULL, *payload = NULL, *url = NULL;
	struct desired made;

	if (agent)
		assert_int_equal(text_format(&topic, "plugflash/desired/gateway/%s/" GATEWAY_BOARD,
					 agent_name(agent)),
			0);
	else
		assert_int_equal(
			text_duplicate("plugflash/desired/group/all/" GATEWAY_BOARD, &topic), 0);
	if (desired) {
		made = *desired;
		if (!made.url)
			made.url = url = web_address(desired->image->name);
		payload = desired_text(&made);
	}
	publish(scene->farm, topic, payload, true);
}

void scene_command(
	struct scene *scene, const struct agent *agent, const char *id, const char *payload)
{
	CLEANUP(freep) char *topic = agent_topic(agent, "cmd/%s", id);

	publish(scene->farm, topic, payload, true);
}

/* ----------------------------------------------------------------------------- waiting */

struct awaited {
	const struct scene *scene;
	const char *topic, *version, *key, *value;
};

static bool has_value(void *userdata)
{
	const struct awaited *awaited = userdata;
	const char *payload = watcher_payload(awaited->scene->watcher, awaited->topic);

	if (!payload || (awaited->version && !value_is(payload, "version", awaited->version)))
		return false;
	return value_is(payload, awaited->key, awaited->value);
}

static bool hears(struct scene *scene, const struct awaited *awaited)
{
	const char *payload;

	if (farm_wait(scene->farm, FARM_LONG, has_value, (void *)(uintptr_t)awaited))
		return true;
	payload = watcher_payload(scene->watcher, awaited->topic);
	printf("# %s: %s\n", awaited->topic, payload ? payload : "nothing");
	scene_tell(scene);
	return false;
}

bool scene_hears(struct scene *scene, const struct agent *agent, const char *below, const char *key,
	const char *value)
{
	CLEANUP(freep) char *topic = agent_topic(agent, "%s", below);

	return hears(scene, &(struct awaited){scene, topic, NULL, key, value});
}

bool scene_hears_wish(struct scene *scene, const struct agent *agent, const char *version,
	const char *key, const char *value)
{
	CLEANUP(freep) char *topic = agent_topic(agent, SCENE_WISH);

	return hears(scene, &(struct awaited){scene, topic, version, key, value});
}

/* ------------------------------------------------------------------------------ images */

static bool is_same(
	const char *folder, const char *name, const char *ending, const void *data, size_t n_data)
{
	CLEANUP(freep) char *path = NULL, *found = malloc(n_data + 1);
	CLEANUP(closep) int fd = -1;
	size_t n = 0;

	assert_non_null(found);
	assert_int_equal(text_format(&path, "%s/%s%s", folder, name, ending), 0);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read_up_to(fd, found, n_data + 1, &n) == 0 && n == n_data &&
	       memcmp(found, data, n_data) == 0;
}

static void judge_image(
	const char *folder, const char *name, const struct made_image *const images[])
{
	const struct made_image *image;

	while (*images && strcmp((*images)->name, name) != 0)
		images++;
	image = *images;
	if (!image)
		fail_msg("%s/%s: nobody made it", folder, name);
	if (!is_same(folder, name, "", image->data, image->n_data))
		fail_msg("%s/%s is half", folder, name);
	if (!is_same(folder, name, ".ini", image->manifest, strlen(image->manifest)))
		fail_msg("%s/%s has not its manifest", folder, name);
	if (!is_same(folder, name, ".ini.minisig", image->signature, strlen(image->signature)))
		fail_msg("%s/%s has not its signature", folder, name);
}

unsigned scene_judge_images(const struct agent *agent, const struct made_image *const images[])
{
	const char *folder = gateway_images(agent_gateway(agent));
	CLEANUP(closedirp) DIR *files = opendir(folder);
	const struct dirent *entry;
	unsigned n = 0;

	assert_non_null(files);
	while ((entry = readdir(files))) {
		/* What the glob of the rule takes. */
		if (strncmp(entry->d_name, "gate-", strlen("gate-")) != 0 ||
			!text_ends_with(entry->d_name, ".hex"))
			continue;
		judge_image(folder, entry->d_name, images);
		n++;
	}
	return n;
}

/* ---------------------------------------------------------------------------- the logs */

static char *read_log(const struct agent *agent)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = fopen(agent_log(agent), "re");

	if (f && getdelim(&text, &n, '\0', f) < 0) {
		free(text);
		text = NULL;
	}
	if (f)
		fclose(f);
	return text;
}

bool scene_said(const struct agent *agent, const char *text)
{
	CLEANUP(freep) char *log = read_log(agent);

	return log && strstr(log, text);
}

void scene_tell_of(const struct agent *agent)
{
	CLEANUP(freep) char *log = read_log(agent);
	size_t n = log ? strlen(log) : 0;
	const char *line = log ? log + (n > LOG_SHOWN ? n - LOG_SHOWN : 0) : "";

	printf("# log of %s:\n", agent_name(agent));
	while (*line) {
		size_t end = strcspn(line, "\n");

		printf("#   %.*s\n", (int)end, line);
		line += end + (line[end] != '\0');
	}
}

void scene_tell(const struct scene *scene)
{
	for (size_t i = 0; i < scene->n_agents && i < 4; i++)
		scene_tell_of(scene->agents[i]);
}
