/* SPDX-License-Identifier: MIT */
/*
 * test-server.c - a web server that means harm, or was taken over: whatever it sends, nothing half
 * ever has the name of an image, the state of the wish says why it does not come, and a server that
 * sends what was signed mends it. The server is tests/tools/https-peer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "bed/enclosure.h"
#include "fleet/scene.h"

#define IMAGE 100000

/* ------------------------------------------------------------------------------ servers */

struct server {
	char *folder, *address;
	int input; /* it ends when this is closed */
	struct child child;
};

/* Its address, once it listens. */
static bool listens(void *userdata)
{
	struct server *server = userdata;
	CLEANUP(freep) char *path = NULL;
	unsigned port = 0;
	FILE *f;

	assert_int_equal(text_format(&path, "%s/port", server->folder), 0);
	f = fopen(path, "re");
	if (!f)
		return false;
	assert_int_equal(fscanf(f, "%u", &port), 1);
	fclose(f);
	assert_int_equal(text_format(&server->address, "https://127.0.0.1:%u", port), 0);
	return true;
}

/* With the certificate NAME.crt of the scene. */
static void start(struct scene *scene, const char *name, struct server *server)
{
	CLEANUP(freep) char *program = NULL, *certificate = NULL, *key = NULL;
	int input[2];

	server->folder = farm_folder(scene->farm, "%s", name);
	free(farm_folder(scene->farm, "%s/files", name));
	assert_int_equal(text_format(&program, "%s/tests/tools/https-peer", enclosure_build()), 0);
	assert_int_equal(text_format(&certificate, "%s/%s.crt", scene->certificates, name), 0);
	assert_int_equal(text_format(&key, "%s/%s.key", scene->certificates, name), 0);
	assert_int_equal(pipe2(input, O_CLOEXEC), 0);
	server->input = input[1];
	child_start(scene->farm, &server->child,
		&(struct child_setup){.input = input[0], .output = -1, .error = -1},
		(const char *const[]){program, server->folder, certificate, key, NULL});
	close(input[0]);
	assert_true(farm_wait(scene->farm, FARM_LONG, listens, server));
}

static void stop(struct scene *scene, struct server *server)
{
	closep(&server->input);
	assert_true(child_wait(scene->farm, &server->child, FARM_LONG));
	free(server->folder);
	free(server->address);
}

static void serve(
	const struct server *server, const char *name, const struct made_image *image, size_t n)
{
	CLEANUP(freep) char *path = NULL, *data = calloc(1, n);

	assert_non_null(data);
	assert_int_equal(text_format(&path, "%s/files/%s", server->folder, name), 0);
	memcpy(data, image->data, n < image->n_data ? n : image->n_data);
	farm_write(path, data, n);
}

/* One that nobody whom the agent believes has signed. */
static void make_strange_certificate(struct scene *scene, const char *name)
{
	CLEANUP(freep) char *certificate = farm_path(scene->farm, "certificates/%s.crt", name);
	CLEANUP(freep) char *key = farm_path(scene->farm, "certificates/%s.key", name);

	farm_run(scene->farm,
		(const char *const[]){"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
			"ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
			"/CN=stranger", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key,
			"-out", certificate, NULL});
}

/* ------------------------------------------------------------------------------- waiting */

struct expected {
	struct scene *scene;
	struct agent *agent;
	const struct made_image *const *images;
	unsigned n_whole; /* in the folder all the time */
	const char *why;
};

/* Looks into the folder whenever something happens. */
static bool says(void *userdata)
{
	const struct expected *expected = userdata;
	CLEANUP(freep) char *topic = agent_topic(expected->agent, SCENE_WISH);
	const char *payload = watcher_payload(expected->scene->watcher, topic);
	char reason[VALUE_MAX];

	assert_int_equal(scene_judge_images(expected->agent, expected->images), expected->n_whole);
	return payload && value_is(payload, "state", "fetching") &&
	       strstr(value_of(payload, "reason", reason), expected->why);
}

static void expect(const struct expected *expected)
{
	CLEANUP(freep) char *topic = agent_topic(expected->agent, SCENE_WISH);

	if (farm_wait(expected->scene->farm, FARM_LONG, says, (void *)(uintptr_t)expected))
		return;
	scene_tell_of(expected->agent);
	fail_msg("not '%s', but: %s", expected->why,
		watcher_payload(expected->scene->watcher, topic));
}

/* ----------------------------------------------------------------------------- scenario */

static const struct row {
	bool is_strange; /* the other server */
	const char *file, *why;
} rows[] = {
	{true, "image", "the server's certificate is not accepted"},
	{false, "image?other", "the bytes have another digest than the wish says"},
	{false, "short", "the server has 99999 bytes instead of 100000"},
	{false, "long", "the server has 100001 bytes instead of 100000"},
	{false, "short?length=none", "the server ended, after 99999 of 100000 bytes"},
	{false, "image?endless", "the server sends more bytes than the image has"},
	{false, "image?junk", "after 0 of 100000 bytes"},
	{false, "image?packed", "the server packs the file"},
	{false, "image?to=http://127.0.0.1:8080/image",
		"leads to another address that is not https"},
	{false, "image?hold=60000", "nothing more came, or next to nothing"},
};

/* An agent that fetches by https alone, and has no patience with who is silent. */
static struct agent *make_careful_agent(struct scene *scene, const struct made_image *holds)
{
	CLEANUP(freep) char *sections = NULL, *file = NULL;
	struct agent *agent;

	assert_int_equal(
		text_format(&sections, "ca = %s\nidle = 5s\n", broker_ca(scene->broker)), 0);
	agent = scene_make(
		scene, &(struct agent_setup){.n_units = 1, .holds = holds, .sections = sections});
	file = farm_path(scene->farm, "%s/config/fleet.conf", agent_name(agent));
	farm_run(scene->farm, (const char *const[]){"sed", "-i",
				      "s/^plain-http = yes/plain-http = no/", file, NULL});
	scene_start(scene, agent);
	return agent;
}

static void wish_at(struct scene *scene, const struct made_image *image,
	const struct server *server, const char *file)
{
	CLEANUP(freep) char *url = NULL;

	assert_int_equal(text_format(&url, "%s/%s", server->address, file), 0);
	scene_wish(scene, NULL, &(struct desired){.image = image, .url = url, .percent = 100});
}

static void no_half_image_whatever_it_sends(void **state)
{
	struct scene *scene = *state;
	struct made_image before = signing_make(scene->signing, "1.0.0", "", 4096);
	struct made_image after = signing_make(scene->signing, "1.1.0", "", IMAGE);
	struct made_image next = signing_make(scene->signing, "1.2.0", "", IMAGE);
	const struct made_image *const images[] = {&after, &next, NULL};
	struct agent *agent = make_careful_agent(scene, &before);
	struct server web = {.input = -1}, strange = {.input = -1};
	struct expected expected = {scene, agent, images, 0, NULL};

	broker_make_certificate(scene->broker, "web", scene->certificates);
	make_strange_certificate(scene, "strange");
	start(scene, "web", &web);
	start(scene, "strange", &strange);
	serve(&web, "image", &after, IMAGE);
	serve(&web, "short", &after, IMAGE - 1);
	serve(&web, "long", &after, IMAGE + 1);
	serve(&strange, "image", &after, IMAGE);
	web_offer(scene->web, "image", "tag", after.data, after.n_data);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wish_at(scene, &after, rows[i].is_strange ? &strange : &web, rows[i].file);
		expected.why = rows[i].why;
		expect(&expected);
	}
	assert_int_equal(web_requests(scene->web), 0);
	assert_int_equal(gateway_last_id(agent_gateway(agent)), 0);

	/* The same, and without malice. */
	wish_at(scene, &after, &web, "image");
	assert_true(scene_hears_wish(scene, agent, "1.1.0", "have", "1"));
	/* Another one does not come, and the unit keeps what it has. */
	expected.n_whole = 1;
	expected.why = "the bytes have another digest than the wish says";
	wish_at(scene, &next, &web, "image");
	expect(&expected);
	assert_int_equal(gateway_count_version(agent_gateway(agent), "1.1.0"), 1);
	stop(scene, &web);
	stop(scene, &strange);
	made_image_done(&before);
	made_image_done(&after);
	made_image_done(&next);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(no_half_image_whatever_it_sends),
};

SCENE_MAIN(tests)
