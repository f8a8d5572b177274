/* SPDX-License-Identifier: MIT */
/*
 * requests.c - takes one request after the other:
 *
 *   read it ──> hide it under a dot ──> act ──> remove it
 *
 * It is hidden before anything is done: a request that ends the service, or that cannot be removed,
 * is not taken a second time. A file that is no request is told once, and removed or hidden.
 */
#include "service/requests.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/util.h"

#define FILE_BYTES_MAX 4096
/* A request that cannot be removed stays, hidden, under one of so many names. */
#define REFUSED_MOST 1000
/* The group of the service may look, and everybody else not even that. */
#define FOLDER_MODE 0750

struct requests {
	void (*on_retry)(void *userdata, const struct request *request);
	void *userdata;
	char path[4096];
	sd_event_source *source;
};

/*
 * Opens it without waiting and without following links: only a file that root or this user left
 * there. 0 or -errno; -EPERM and -EINVAL of a file that is not one of those.
 */
static int read_file(int folder, const char *name, struct request *ret)
{
	CLEANUP(fclosep) FILE *from = NULL;
	CLEANUP(closep)
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat found;

	if (fd < 0 || fstat(fd, &found) < 0)
		return -errno;
	if (!S_ISREG(found.st_mode) || found.st_size > FILE_BYTES_MAX)
		return -EINVAL;
	if (found.st_uid != 0 && found.st_uid != geteuid())
		return -EPERM;
	from = fdopen(fd, "r");
	if (!from)
		return -errno;
	take_fd(&fd);
	return request_read(from, ret);
}

/* Out of the way, so that it is told once: also a folder with something in it. */
static void put_away(int folder, const char *name)
{
	char hidden[32];
	int r = unlinkat(folder, name, 0);

	if (r < 0 && (errno == EISDIR || errno == EPERM))
		r = unlinkat(folder, name, AT_REMOVEDIR);
	for (unsigned i = 0; r < 0 && i < REFUSED_MOST; i++) {
		snprintf(hidden, sizeof(hidden), ".refused-%u", i);
		r = renameat2(folder, name, folder, hidden, RENAME_NOREPLACE);
	}
}

static const char *why_not(int error)
{
	switch (error) {
	case EPERM:
		return "it belongs neither to root nor to the user of the service";
	case EINVAL:
	case ELOOP:
	case ENXIO:
	case EBADMSG:
		return "it is no request";
	}
	return strerror(error);
}

static void take(struct requests *requests, int folder, const char *name)
{
	struct request request;
	char shown[TEXT_MAX], hidden[NAME_MAX + 2];
	int r = read_file(folder, name, &request);

	(void)text_escape(name, shown, sizeof(shown));
	/* The sender took it back. */
	if (r == -ENOENT)
		return;
	/* Hidden first: one that cannot be removed, or that ends the service, is not taken again.
	 */
	snprintf(hidden, sizeof(hidden), ".%s", name);
	if (r == 0 && renameat(folder, name, folder, hidden) < 0)
		r = -errno;
	if (r < 0) {
		log_warning(
			"the request %s/%s was refused: %s", requests->path, shown, why_not(-r));
		put_away(folder, name);
		return;
	}
	requests->on_retry(requests->userdata, &request);
	(void)unlinkat(folder, hidden, 0);
}

static void take_all(struct requests *requests)
{
	CLEANUP(closedirp) DIR *folder = opendir(requests->path);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			take(requests, dirfd(folder), entry->d_name);
}

static int on_change(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
	(void)source;
	(void)event;
	take_all(userdata);
	return 0;
}

static int start(struct requests *requests, sd_event *event)
{
	int r;

	if (mkdir(requests->path, FOLDER_MODE) < 0 && errno != EEXIST)
		return -errno;
	/* One that an earlier version left, and whatever the umask says. */
	if (chmod(requests->path, FOLDER_MODE) < 0)
		return -errno;
	r = sd_event_add_inotify(event, &requests->source, requests->path, IN_MOVED_TO | IN_ONLYDIR,
		on_change, requests);
	if (r < 0)
		return r;
	take_all(requests);
	return 0;
}

int requests_new(sd_event *event, const char *runtime,
	void (*on_retry)(void *userdata, const struct request *request), void *userdata,
	struct requests **ret, struct reason *reason)
{
	struct requests *requests = calloc(1, sizeof(*requests));
	int r = -ENOMEM;

	if (requests) {
		requests->on_retry = on_retry;
		requests->userdata = userdata;
		r = snprintf(requests->path, sizeof(requests->path), "%s/" REQUESTS_NAME,
			    runtime) >= (int)sizeof(requests->path)
			    ? -ENAMETOOLONG
			    : start(requests, event);
	}
	if (r < 0) {
		reason_set(reason, "%s/" REQUESTS_NAME ": %s", runtime, strerror(-r));
		requests_free(requests);
		return r;
	}
	*ret = requests;
	return 0;
}

struct requests *requests_free(struct requests *requests)
{
	if (!requests)
		return NULL;
	sd_event_source_disable_unref(requests->source);
	free(requests);
	return NULL;
}
