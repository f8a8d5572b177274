/* SPDX-License-Identifier: MIT */
/*
 * retry.c - the verb: asks the running service to try units again that failed.
 *
 * The service alone writes the store, so the verb hands it a request: a file in a folder that the
 * service watches, written under a hidden name and renamed, so that half a request is never taken.
 * The service renames it back while it obeys and removes it when it is done, or removes it under
 * its own name where it refuses (service/requests.h). Failures in the store are counted before and
 * after: the difference is the number of units that are tried again.
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

#define ANSWER_MSEC 5000
#define PATH_ROOM   4096

/* The service's user must be able to read root's file, whatever root's umask. The folder keeps
 * other users out. */
#define REQUEST_MODE 0644

/* A request that was handed to the service. */
struct errand {
	char folder[PATH_ROOM];
	char path[PATH_ROOM + 64];   /* the name under which the service takes it */
	char hidden[PATH_ROOM + 64]; /* before, and while the service obeys */
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

static int read_request(const struct options *options, struct request *request)
{
	char port[PATH_ROOM], escaped[PATH_ROOM];
	int r = copy_value("unit", options->unit, request->unit);

	if (r == 0)
		r = copy_value("board", options->board, request->board);
	if (r == 0)
		r = copy_value("slot", options->slot, request->usb_path);
	if (r != 0 || !options->port)
		return r;
	r = copy_value(
		"port", store_reader_port_node(options->port, port, sizeof(port)), request->port);
	/* Without the port, the unit that is meant cannot be tried again. */
	if (r != 0 || access(request->port, F_OK) == 0 || errno != ENOENT)
		return r;
	fprintf(stderr,
		"plugflash retry: there is no '%s'; plugflash list shows the bridges present\n",
		text_escape(request->port, escaped, sizeof(escaped)));
	return outcome_to_exit_code(OUTCOME_PORT_GONE);
}

/* ---------------------------------------------------------------------------- the service */

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

/* In this order: the service renames from `path` to `hidden`, never back. */
static bool is_there(const struct errand *errand)
{
	return access(errand->path, F_OK) == 0 || access(errand->hidden, F_OK) == 0;
}

/* Reads what was removed from the folder: our file under its own name means refused. */
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

/* Waits until the file is gone; looks after each file that leaves the folder. */
static bool wait_until_taken(struct errand *errand, int watch)
{
	struct pollfd ready = {.fd = watch, .events = POLLIN};
	uint64_t deadline = monotonic_usec() + ANSWER_MSEC * USEC_PER_MSEC, now;

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
	const char *runtime = getenv(ENV_RUNTIME);
	CLEANUP(closep) int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int r;

	snprintf(errand.folder, sizeof(errand.folder), "%s/" REQUESTS_NAME,
		runtime && *runtime ? runtime : PATH_RUNTIME);
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

/* The units with a failure on record. */
struct failed {
	struct store *store;
	size_t n_units;
	struct reason reason;
};

static int count_failed(void *userdata, const struct store_unit *unit)
{
	struct failed *failed = userdata;

	failed->n_units += unit->failures > 0 || unit->drops > 0;
	return 0;
}

/* By an attempt at the port: the unit that it was about. */
static int count_behind_port(void *userdata, const struct store_attempt *attempt)
{
	struct failed *failed = userdata;
	struct store_unit unit;
	int r = store_find_unit(failed->store, attempt->key, &unit, &failed->reason);

	if (r == 0)
		(void)count_failed(failed, &unit);
	return r == -ENOENT ? 0 : r;
}

/* Counts them among the units that are meant; with a port that is the last one worked on there. */
static int count(const struct request *request, size_t *ret)
{
	CLEANUP(store_reader_closep) struct store *store = NULL;
	const struct store_filter filter = {
		.unit = *request->unit ? request->unit : NULL,
		.board = *request->board ? request->board : NULL,
		.slot = *request->usb_path ? request->usb_path : NULL,
		.port = *request->port ? request->port : NULL,
		.limit = *request->port ? 1 : 0,
	};
	struct failed failed = {0};
	int r = store_reader_open("retry", &store);

	if (r != 0)
		return r;
	failed.store = store;
	r = filter.port ? store_list_attempts(
				  store, &filter, count_behind_port, &failed, &failed.reason)
			: store_list_units(store, &filter, count_failed, &failed, &failed.reason);
	*ret = failed.n_units;
	if (r == 0)
		return 0;
	fprintf(stderr, "plugflash retry: the store cannot be read: %s\n", failed.reason.text);
	return outcome_to_exit_code(OUTCOME_FAILED);
}

static int tell(const struct options *options, const struct request *request, size_t n_before,
	size_t n_held)
{
	size_t n_units = n_before > n_held ? n_before - n_held : 0;
	int r = 0;

	if (options->json)
		r = json_print_retry(n_units, n_held, stdout);
	else if (!options->port)
		printf("units that failed and are tried again: %zu\n", n_units);
	else if (n_units > 0)
		puts("tried again; the outcome will be in the journal and in plugflash history");
	else if (n_held == 0)
		puts("the service was asked; no failure is on record for a unit at this port");
	/* The service says in the journal what it could not do, and why. */
	if (n_held > 0 && options->port)
		fprintf(stderr,
			"plugflash retry: the unit that was last worked on at %s stays blocked: nothing is plugged in there, or journalctl -t plugflashd says why\n",
			request->port);
	else if (n_held > 0)
		fprintf(stderr,
			"plugflash retry: units that stay blocked: %zu; journalctl -t plugflashd says why\n",
			n_held);
	return r;
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
	r = tell(options, &request, n_before, n_held);
	return r == 0 && n_held == 0 ? 0 : outcome_to_exit_code(OUTCOME_FAILED);
}
