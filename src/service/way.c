/* SPDX-License-Identifier: MIT */
/*
 * way.c - the ways to folders, by inotify and the kernel's list of mounts.
 *
 * A path is walked as the kernel walks it, name by name and through each link. Each directory and
 * each link on it is watched itself (IN_DONT_FOLLOW) for being moved, deleted or given other
 * rights, before it is opened: so a change between the two is told as well. What happens to other
 * names beside them wakes nobody. A mount over any of them shows in /proc/self/mountinfo, which
 * poll(2) tells of (proc(5)).
 *
 * The watches belong to one inotify instance, which is made anew by way_begin(): nobody has to keep
 * track of those that are of no use any more.
 */
#include "service/way.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

#define WAY_EVENTS (IN_MOVE_SELF | IN_DELETE_SELF | IN_ATTRIB | IN_DONT_FOLLOW)

/* As many as the kernel follows in one path (path_resolution(7)). */
#define MAX_LINKS 40

struct way {
	sd_event *event;
	void (*on_change)(void *userdata);
	void *userdata;
	int inotify; /* -1: there is none */
	sd_event_source *source;
	int mounts; /* /proc/self/mountinfo */
	sd_event_source *mounts_source;
};

static int on_event(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	char buffer[4096];
	struct way *way = userdata;

	(void)source;
	(void)events;
	/* That something happened is all that counts. poll() has taken note of a mount itself. */
	if (fd == way->inotify)
		while (read(fd, buffer, sizeof(buffer)) > 0)
			;
	way->on_change(way->userdata);
	return 0;
}

/* Whether the name is a link: then `target` is where it leads, else `directory` is inside of it. */
static int step(struct way *way, int *directory, const char *name, char target[static PATH_MAX])
{
	CLEANUP(closep) int fd = -1;
	char path[64 + NAME_MAX];
	struct stat status;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", *directory, name);
	if (inotify_add_watch(way->inotify, path, WAY_EVENTS) < 0)
		return -errno;
	fd = openat(*directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0)
		return -errno;
	if (S_ISLNK(status.st_mode)) {
		n = readlinkat(fd, "", target, PATH_MAX - 1);
		if (n < 0)
			return -errno;
		target[n] = '\0';
		return 1;
	}
	closep(directory);
	*directory = take_fd(&fd);
	return 0;
}

static int open_root(void)
{
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* The link's target takes the place of its name in what is left of the path. */
static int follow(int *directory, const char *target, char **rest, char **at)
{
	char *joined;

	if (*target == '/') {
		closep(directory);
		*directory = open_root();
		if (*directory < 0)
			return *directory;
	}
	if (asprintf(&joined, "%s/%s", target, *at) < 0)
		return -ENOMEM;
	free(*rest);
	*rest = *at = joined;
	return 0;
}

int way_add(struct way *way, const char *path)
{
	CLEANUP(closep) int directory = open_root();
	CLEANUP(freep) char *rest = strdup(path);
	char *at = rest, name[NAME_MAX + 1], target[PATH_MAX] = "";
	unsigned n_links = 0;
	int r = 0;

	if (way->inotify < 0 || way->mounts < 0 || *path != '/')
		return -EINVAL;
	if (directory < 0 || !rest)
		return directory < 0 ? directory : -ENOMEM;
	while (r >= 0 && *(at += strspn(at, "/"))) {
		size_t n = strcspn(at, "/");

		if (n > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, at, n);
		name[n] = '\0';
		at += n;
		r = step(way, &directory, name, target);
		if (r == 1)
			r = ++n_links > MAX_LINKS ? -ELOOP : follow(&directory, target, &rest, &at);
	}
	return r;
}

int way_begin(struct way *way)
{
	int r;

	way->source = sd_event_source_disable_unref(way->source);
	closep(&way->inotify);
	way->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (way->inotify < 0)
		return -errno;
	r = sd_event_add_io(way->event, &way->source, way->inotify, EPOLLIN, on_event, way);
	return r < 0 ? r : 0;
}

int way_new(sd_event *event, void (*on_change)(void *userdata), void *userdata, struct way **ret)
{
	struct way *way = calloc(1, sizeof(*way));
	int r = 0;

	if (!way)
		return -ENOMEM;
	*way = (struct way){.event = sd_event_ref(event),
		.on_change = on_change,
		.userdata = userdata,
		.inotify = -1};
	/* Without it way_add() says that nobody is told of all. */
	way->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (way->mounts >= 0)
		r = sd_event_add_io(
			event, &way->mounts_source, way->mounts, EPOLLPRI, on_event, way);
	if (r < 0) {
		way_free(way);
		return r;
	}
	*ret = way;
	return 0;
}

struct way *way_free(struct way *way)
{
	if (!way)
		return NULL;
	sd_event_source_disable_unref(way->source);
	sd_event_source_disable_unref(way->mounts_source);
	closep(&way->inotify);
	closep(&way->mounts);
	sd_event_unref(way->event);
	free(way);
	return NULL;
}
