/* SPDX-License-Identifier: MIT */
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

#define WORD	       "retry"
#define FILE_BYTES_MAX 4096

struct requests {
	void (*on_retry)(void *userdata, const struct request *request);
	void *userdata;
	char path[4096];
	sd_event_source *source;
};

/* --------------------------------------------------------------------------------- text */

static const struct {
	const char *key;
	size_t offset;
} fields[] = {
	{"unit", offsetof(struct request, unit)},
	{"board", offsetof(struct request, board)},
	{"path", offsetof(struct request, path)},
	{"port", offsetof(struct request, port)},
};

int request_write(const struct request *request, FILE *to)
{
	fputs(WORD "\n", to);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const char *value = (const char *)request + fields[i].offset;

		if (strchr(value, '\n'))
			return -EINVAL;
		if (*value)
			fprintf(to, "%s %s\n", fields[i].key, value);
	}
	return ferror(to) ? -EIO : 0;
}

static int read_field(struct request *request, char *line)
{
	char *value = strchr(line, ' ');

	if (!value)
		return -EBADMSG;
	*value++ = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (strcmp(fields[i].key, line) == 0 && strlen(value) < TEXT_MAX) {
			memcpy((char *)request + fields[i].offset, value, strlen(value) + 1);
			return 0;
		}
	return -EBADMSG;
}

/* One line without its end; false where there is none, or none that is whole. */
static bool read_line(FILE *from, char line[static REQUEST_LINE_BYTES])
{
	char *end;

	*line = '\0';
	if (!fgets(line, REQUEST_LINE_BYTES, from))
		return false;
	end = strchr(line, '\n');
	if (!end)
		return false;
	*end = '\0';
	return true;
}

int request_read(FILE *from, struct request *ret)
{
	struct request request = {0};
	char line[REQUEST_LINE_BYTES];

	if (!read_line(from, line) || strcmp(line, WORD) != 0)
		return -EBADMSG;
	while (read_line(from, line))
		if (read_field(&request, line) < 0)
			return -EBADMSG;
	/* What is left is a line without an end, or too long for one. */
	if (!feof(from) || *line)
		return -EBADMSG;
	*ret = request;
	return 0;
}

/* -------------------------------------------------------------------------------- files */

/* Opened without waiting and without following links; only what root or this user left there. */
static FILE *open_request(int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat found;
	FILE *from;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &found) < 0 || !S_ISREG(found.st_mode) || found.st_size > FILE_BYTES_MAX ||
		(found.st_uid != 0 && found.st_uid != geteuid())) {
		close(fd);
		return NULL;
	}
	from = fdopen(fd, "r");
	if (!from)
		close(fd);
	return from;
}

static void take(struct requests *requests, int folder, const char *name)
{
	CLEANUP(fclosep) FILE *from = open_request(folder, name);
	struct request request;
	char shown[TEXT_MAX], hidden[NAME_MAX + 2];
	bool is_good = from && request_read(from, &request) == 0;

	(void)text_escape(name, shown, sizeof(shown));
	if (!is_good) {
		(void)unlinkat(folder, name, 0);
		log_warning("%s/%s is no request, ignoring it", requests->path, shown);
		return;
	}
	/* Hidden first: one that cannot be removed, or that ends the service, is not taken again.
	 */
	snprintf(hidden, sizeof(hidden), ".%s", name);
	if (renameat(folder, name, folder, hidden) < 0) {
		log_warning("the request %s/%s cannot be removed: %s; it is ignored",
			requests->path, shown, strerror(errno));
		return;
	}
	requests->on_retry(requests->userdata, &request);
	(void)unlinkat(folder, hidden, 0);
}

static void take_all(struct requests *requests)
{
	DIR *folder = opendir(requests->path);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			take(requests, dirfd(folder), entry->d_name);
	if (folder)
		closedir(folder);
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

	if (mkdir(requests->path, 0755) < 0 && errno != EEXIST)
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
