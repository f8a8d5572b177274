/* SPDX-License-Identifier: MIT */
/*
 * retry.c - the verb: asks the running service to try units again that failed. The service alone
 * writes the store, so the request is a file in a folder that it watches, taken when it is gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "api/request.h"
#include "base/clock.h"
#include "base/names.h"
#include "base/outcome.h"
#include "cli/cli.h"
#include "cli/objects.h"
#include "cli/store-reader.h"

#define PATIENCE_MSEC 5000
#define PATH_ROOM     4096

/* The service and root are two users: the file of one must be readable for the other, whatever the
 * umask says. The folder keeps everybody else out. */
#define REQUEST_MODE 0644

/* A request on its way: its folder, its name once it has one, and the one that it has before that,
 * and again while the service obeys it. */
struct errand {
	char folder[PATH_ROOM];
	char path[PATH_ROOM + 64];
	char hidden[PATH_ROOM + 64];
	bool is_refused;
};

static int fail(const char *what, int error)
{
	fprintf(stderr, "plugflash retry: %s: %s\n", what, strerror(error));
	return outcome_to_exit_code(OUTCOME_FAILED);
}

static int copy_value(const char *option, const char *value, char to[static TEXT_MAX])
{
	if (!value || (strlen(value) < TEXT_MAX && !strchr(value, '\n'))) {
		snprintf(to, TEXT_MAX, "%s", value ? value : "");
		return 0;
	}
	fprintf(stderr, "plugflash retry: --%s is too long, or has a line break in it\n", option);
	return EXIT_USAGE;
}

/* A port that is not there has nothing plugged in that could be tried again. */
static int check_port(const char *node)
{
	char escaped[PATH_ROOM];

	if (access(node, F_OK) == 0 || errno != ENOENT)
		return 0;
	fprintf(stderr,
		"plugflash retry: there is no '%s'; plugflash list shows the bridges present\n",
		text_escape(node, escaped, sizeof(escaped)));
	return outcome_to_exit_code(OUTCOME_PORT_GONE);
}

static int read_request(const struct options *options, struct request *request)
{
	char port[PATH_ROOM];
	int r = copy_value("unit", options->unit, request->unit);

	if (r == 0)
		r = copy_value("board", options->board, request->board);
	if (r == 0)
		r = copy_value("slot", options->slot, request->path);
	if (r == 0 && options->port)
		r = copy_value("port", store_reader_port_node(options->port, port, sizeof(port)),
			request->port);
	if (r == 0 && options->port)
		r = check_port(request->port);
	return r;
}

/* ---------------------------------------------------------------------------- the service */

static void name_folder(struct errand *errand)
{
	const char *environment = getenv(ENV_RUNTIME);

	snprintf(errand->folder, sizeof(errand->folder), "%s/" REQUESTS_NAME,
		environment && *environment ? environment : PATH_RUNTIME);
}

/* Written under a name that is not looked at, then renamed: half a request is never taken. */
static int post(struct errand *errand, const struct request *request)
{
	FILE *to;
	int fd, r;

	snprintf(errand->hidden, sizeof(errand->hidden), "%s/.retry-XXXXXX", errand->folder);
	fd = mkostemp(errand->hidden, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	to = fdopen(fd, "w");
	r = to ? request_write(request, to) : -errno;
	if (r == 0 && fchmod(fd, REQUEST_MODE) < 0)
		r = -errno;
	if (!to)
		close(fd);
	else if (fclose(to) != 0 && r == 0)
		r = -errno;
	snprintf(errand->path, sizeof(errand->path), "%s/%s", errand->folder,
		strrchr(errand->hidden, '/') + 2);
	if (r == 0 && rename(errand->hidden, errand->path) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(errand->hidden);
	return r;
}

/* In this order: between the two names it has one of them. */
static bool is_there(const struct errand *errand)
{
	return access(errand->path, F_OK) == 0 || access(errand->hidden, F_OK) == 0;
}

/* The service hides a request before it obeys it, and removes one that it refuses under the name
 * that it came with. */
static int read_events(struct errand *errand, int watch)
{
	_Alignas(struct inotify_event) char events[4096];
	const char *name = strrchr(errand->path, '/') + 1;
	ssize_t n = read(watch, events, sizeof(events));

	for (ssize_t i = 0; i < n;) {
		const struct inotify_event *event = (const struct inotify_event *)(events + i);

		if (event->len > 0 && strcmp(event->name, name) == 0)
			errand->is_refused = true;
		i += (ssize_t)(sizeof(*event) + event->len);
	}
	return n < 0 && errno != EAGAIN ? -errno : 0;
}

/* Waits until the file is gone; each one that goes is a reason to look. */
static bool wait_until_taken(struct errand *errand, int watch)
{
	struct pollfd ready = {.fd = watch, .events = POLLIN};
	uint64_t deadline = monotonic_usec() + PATIENCE_MSEC * USEC_PER_MSEC, now;

	while (is_there(errand)) {
		now = monotonic_usec();
		if (now >= deadline ||
			poll(&ready, 1, (int)((deadline - now) / USEC_PER_MSEC) + 1) <= 0)
			break;
		if (read_events(errand, watch) < 0)
			break;
	}
	(void)read_events(errand, watch);
	return !is_there(errand);
}

static int refuse(const char *sentence)
{
	fprintf(stderr, "plugflash retry: %s\n", sentence);
	return outcome_to_exit_code(OUTCOME_FAILED);
}

static int refuse_folder(const struct errand *errand, int error)
{
	if (error == ENOENT || error == ENOTDIR)
		return refuse(
			"the service does not run, and it alone can try units again: systemctl start plugflashd");
	if (error == EACCES || error == EPERM)
		return refuse("only root, and the user of the service, may ask it");
	return fail(errand->folder, error);
}

static int hand_over(const struct request *request)
{
	struct errand errand = {0};
	CLEANUP(closep) int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int r;

	name_folder(&errand);
	if (watch < 0)
		return fail("the service cannot be waited for", errno);
	if (inotify_add_watch(watch, errand.folder, IN_DELETE) < 0)
		return refuse_folder(&errand, errno);
	r = post(&errand, request);
	if (r < 0)
		return refuse_folder(&errand, -r);
	if (!wait_until_taken(&errand, watch)) {
		(void)unlink(errand.path);
		return refuse("the service does not answer: systemctl status plugflashd");
	}
	if (errand.is_refused)
		return refuse("the service refused the request: journalctl -t plugflashd says why");
	return 0;
}

/* ---------------------------------------------------------------------------------- verb */

/* What the store has against units. */
struct blame {
	struct store *store;
	size_t n_units; /* of them */
	struct reason reason;
};

static int count_failed(void *userdata, const struct store_unit *unit)
{
	struct blame *blame = userdata;

	blame->n_units += unit->failures > 0 || unit->drops > 0;
	return 0;
}

static int count_at_end(void *userdata, const struct store_attempt *attempt)
{
	struct blame *blame = userdata;
	struct store_unit unit;
	int r = store_find_unit(blame->store, attempt->key, &unit, &blame->reason);

	if (r == 0)
		(void)count_failed(blame, &unit);
	return r == -ENOENT ? 0 : r;
}

/* Of the units that are meant; by port it is the one that was last worked on there. */
static int count(const struct request *request, size_t *ret)
{
	CLEANUP(store_reader_closep) struct store *store = NULL;
	const struct store_filter filter = {
		.unit = *request->unit ? request->unit : NULL,
		.board = *request->board ? request->board : NULL,
		.path = *request->path ? request->path : NULL,
		.port = *request->port ? request->port : NULL,
		.limit = *request->port ? 1 : 0,
	};
	struct blame blame = {0};
	int r = store_reader_open("retry", &store);

	if (r != 0)
		return r;
	blame.store = store;
	r = filter.port ? store_list_attempts(store, &filter, count_at_end, &blame, &blame.reason)
			: store_list_units(store, &filter, count_failed, &blame, &blame.reason);
	*ret = blame.n_units;
	if (r == 0)
		return 0;
	fprintf(stderr, "plugflash retry: the store cannot be read: %s\n", blame.reason.text);
	return outcome_to_exit_code(OUTCOME_FAILED);
}

/* The service says in the journal why it could not. */
static void tell_held(const struct request *request, size_t n_held)
{
	if (*request->port)
		fprintf(stderr,
			"plugflash retry: what it failed at is still held against the unit that "
			"was "
			"last worked on at %s: nothing is plugged in there, or journalctl -t "
			"plugflashd says why\n",
			request->port);
	else
		fprintf(stderr,
			"plugflash retry: what they failed at is still held against units: %zu; "
			"journalctl -t plugflashd says why\n",
			n_held);
}

static int tell(const struct options *options, size_t n_units, size_t n_held)
{
	if (options->json)
		return json_print_retry(n_units, n_held, stdout);
	if (options->port && n_units > 0)
		puts("tried again; what comes of it is in the journal and in plugflash history");
	else if (options->port && n_held == 0)
		puts("the service was asked; no failure is on record for a unit at this port");
	else if (!options->port)
		printf("units that failed and are tried again: %zu\n", n_units);
	return 0;
}

int verb_retry(const struct options *options)
{
	struct request request = {0};
	size_t n_before = 0, n_held = 0;
	int r = read_request(options, &request);

	if (r == 0)
		r = count(&request, &n_before);
	if (r == 0)
		r = hand_over(&request);
	if (r == 0)
		r = count(&request, &n_held);
	if (r != 0)
		return r;
	r = tell(options, n_before > n_held ? n_before - n_held : 0, n_held);
	if (n_held > 0)
		tell_held(&request, n_held);
	return r == 0 && n_held == 0 ? 0 : outcome_to_exit_code(OUTCOME_FAILED);
}
