/* SPDX-License-Identifier: MIT */
/*
 * watch.c - changes in the image directory, by inotify and the list of mounts.
 *
 * Every folder below the directory is a spot; so is every directory on the way to it, for the one
 * name that is looked up there. After a change all of it is walked again: what is there already
 * keeps its number, what is gone loses it.
 */
#include "service/watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>

#include "base/clock.h"
#include "base/util.h"

/* A change is told when nothing more happened for so long, or at the latest so long after it. */
#define QUIET_USEC	    (300 * USEC_PER_MSEC)
#define LATEST_USEC	    (3 * USEC_PER_SEC)

#define TIMER_ACCURACY_USEC (20 * USEC_PER_MSEC)

#define MAX_DEPTH	    16 /* of folders, as deep as a glob goes */
#define MAX_SPOTS	    2048
#define MAX_WRITTEN	    512
#define MAX_LINKS	    40 /* what the kernel follows in one path */

#define FOLDER_EVENTS                                                                       \
	(IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | \
		IN_ATTRIB)
#define WAY_EVENTS (IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_ATTRIB)

struct spot {
	int wd;
	char *name; /* of a directory on the way: what is looked up there; NULL: a folder */
	dev_t dev;
	ino_t ino;
	bool is_seen; /* by the walk under way */
};

/* A file that was written to and not closed since. */
struct written {
	int wd;
	char *name;
};

struct watch {
	sd_event *event;
	struct watch_callbacks callbacks;
	sd_event_source *inotify_source;
	sd_event_source *mounts_source;
	sd_event_source *timer;
	uint64_t due_usec;   /* of the timer, 0: it does not run */
	uint64_t first_usec; /* of the changes not told yet, 0: none */
	int inotify;
	int mounts;

	char *directory;
	struct spot *spots;
	size_t n_spots;
	struct written *written;
	size_t n_written;
	uint32_t moved; /* cookie of a file that was renamed while it was being written, or 0 */
	int error;
	bool is_full;
};

/* ------------------------------------------------------------------ files being written */

static void forget_written(struct watch *watch, size_t i)
{
	free(watch->written[i].name);
	watch->written[i] = watch->written[--watch->n_written];
}

/* All of a spot where `name` is NULL; all there are where `wd` is negative. */
static void end_writing(struct watch *watch, int wd, const char *name)
{
	for (size_t i = watch->n_written; i-- > 0;)
		if (wd < 0 || (watch->written[i].wd == wd &&
				      (!name || strcmp(watch->written[i].name, name) == 0)))
			forget_written(watch, i);
}

static bool is_written(const struct watch *watch, int wd, const char *name)
{
	for (size_t i = 0; i < watch->n_written; i++)
		if (watch->written[i].wd == wd && strcmp(watch->written[i].name, name) == 0)
			return true;
	return false;
}

/* Without memory, or beyond the bound, the file's time has to say it. */
static void begin_writing(struct watch *watch, int wd, const char *name)
{
	struct written *grown;
	char *copy;

	if (watch->n_written == MAX_WRITTEN || is_written(watch, wd, name))
		return;
	grown = room_for_one(watch->written, watch->n_written, sizeof(*grown));
	if (!grown)
		return;
	watch->written = grown;
	copy = strdup(name);
	if (copy)
		watch->written[watch->n_written++] = (struct written){wd, copy};
}

bool watch_is_being_written(const struct watch *watch, const struct stat *folder, const char *name)
{
	for (size_t i = 0; i < watch->n_spots; i++) {
		const struct spot *spot = &watch->spots[i];

		if (!spot->name && spot->dev == folder->st_dev && spot->ino == folder->st_ino &&
			is_written(watch, spot->wd, name))
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------ spots */

static bool is_same_name(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static struct spot *find_spot(struct watch *watch, int wd, const char *name)
{
	for (size_t i = 0; i < watch->n_spots; i++)
		if (watch->spots[i].wd == wd && is_same_name(watch->spots[i].name, name))
			return &watch->spots[i];
	return NULL;
}

static bool has_spot(const struct watch *watch, int wd)
{
	for (size_t i = 0; i < watch->n_spots; i++)
		if (watch->spots[i].wd == wd)
			return true;
	return false;
}

static void forget_spot(struct watch *watch, size_t i)
{
	int wd = watch->spots[i].wd;

	if (!watch->spots[i].name)
		end_writing(watch, wd, NULL);
	free(watch->spots[i].name);
	watch->spots[i] = watch->spots[--watch->n_spots];
}

/* The kernel gave the number up: the directory is gone, or its file system. */
static void lose_spots(struct watch *watch, int wd)
{
	for (size_t i = watch->n_spots; i-- > 0;)
		if (watch->spots[i].wd == wd)
			forget_spot(watch, i);
}

/*
 * Watches an open directory. What cannot be watched is none the less used at the next plug-in, so a
 * failure here has no consequence but a later look.
 */
static void see_spot(struct watch *watch, int fd, const char *name)
{
	char path[64];
	struct stat status;
	struct spot *spot;
	int wd;

	if (watch->n_spots == MAX_SPOTS || fstat(fd, &status) < 0) {
		watch->is_full |= watch->n_spots == MAX_SPOTS;
		return;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	wd = inotify_add_watch(watch->inotify, path,
		(name ? WAY_EVENTS : FOLDER_EVENTS) | IN_MASK_ADD | IN_ONLYDIR);
	if (wd < 0) {
		watch->is_full |= errno == ENOSPC;
		return;
	}
	spot = find_spot(watch, wd, name);
	if (!spot) {
		struct spot *grown = room_for_one(watch->spots, watch->n_spots, sizeof(*grown));
		char *copy;

		if (!grown)
			return;
		watch->spots = grown;
		copy = name ? strdup(name) : NULL;
		if (name && !copy)
			return;
		spot = &watch->spots[watch->n_spots++];
		*spot = (struct spot){.wd = wd, .name = copy};
	}
	spot->dev = status.st_dev;
	spot->ino = status.st_ino;
	spot->is_seen = true;
}

/* ------------------------------------------------------------------ the way to the directory */

struct way {
	char at[PATH_MAX];   /* a directory without links in its path */
	char rest[PATH_MAX]; /* what is still to be looked up from there */
	unsigned n_links;
};

/* Takes the next part of the path; "" at its end. */
static void next_part(struct way *way, char part[NAME_MAX + 1])
{
	char *rest = way->rest + strspn(way->rest, "/");
	size_t n = strcspn(rest, "/");

	snprintf(part, NAME_MAX + 1, "%.*s", (int)(n <= NAME_MAX ? n : NAME_MAX), rest);
	memmove(way->rest, rest + n, strlen(rest + n) + 1);
}

static void go_up(struct way *way)
{
	char *slash = strrchr(way->at, '/');

	slash[slash == way->at ? 1 : 0] = '\0';
}

/* Puts where a link leads in front of what is still to be looked up. False: too far. */
static bool follow_link(struct way *way, const char *link)
{
	char target[PATH_MAX], rest[2 * PATH_MAX];
	ssize_t n = readlink(link, target, sizeof(target) - 1);

	if (n < 0 || ++way->n_links > MAX_LINKS)
		return false;
	target[n] = '\0';
	snprintf(rest, sizeof(rest), "%s/%s", target, way->rest);
	if (strlen(rest) >= sizeof(way->rest))
		return false;
	memcpy(way->rest, rest, strlen(rest) + 1);
	if (target[0] == '/')
		memcpy(way->at, "/", sizeof("/"));
	return true;
}

/* One part of the path: watched where it is looked up, and gone into. False: there is no more. */
static bool see_part(struct watch *watch, struct way *way)
{
	char part[NAME_MAX + 1], next[PATH_MAX + NAME_MAX + 2];
	CLEANUP(closep) int fd = -1;
	struct stat status;

	next_part(way, part);
	if (!*part)
		return false;
	if (strcmp(part, ".") == 0)
		return true;
	if (strcmp(part, "..") == 0) {
		go_up(way);
		return true;
	}
	fd = open(way->at, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	see_spot(watch, fd, part);
	snprintf(next, sizeof(next), "%s/%s", strcmp(way->at, "/") == 0 ? "" : way->at, part);
	if (strlen(next) >= sizeof(way->at) || lstat(next, &status) < 0)
		return false;
	if (S_ISLNK(status.st_mode))
		return follow_link(way, next);
	memcpy(way->at, next, strlen(next) + 1);
	return true;
}

static void see_way(struct watch *watch)
{
	struct way way = {.at = "/"};

	if (strlen(watch->directory) >= sizeof(way.rest))
		return;
	memcpy(way.rest, watch->directory, strlen(watch->directory) + 1);
	while (see_part(watch, &way))
		;
}

/* ------------------------------------------------------------------ the folders below it */

static void closedirp(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

/* Consumes the descriptor. */
static void see_folder(struct watch *watch, int fd, unsigned depth)
{
	CLEANUP(closedirp) DIR *directory = fdopendir(fd);
	struct dirent *entry;

	if (!directory) {
		close(fd);
		return;
	}
	see_spot(watch, fd, NULL);
	/* Once it is full, to walk on through thousands of folders would serve nobody. */
	while (depth < MAX_DEPTH && !watch->is_full && (entry = readdir(directory))) {
		int below;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
			(entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
			continue;
		/* Not through links: where one stays inside, its target is a folder here as well.
		 */
		below = openat(fd, entry->d_name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (below >= 0)
			see_folder(watch, below, depth + 1);
	}
}

/* What the walk did not come to is watched no more. */
static void sweep(struct watch *watch)
{
	for (size_t i = watch->n_spots; i-- > 0;) {
		int wd = watch->spots[i].wd;

		if (watch->spots[i].is_seen)
			continue;
		forget_spot(watch, i);
		if (!has_spot(watch, wd))
			(void)inotify_rm_watch(watch->inotify, wd);
	}
}

static void walk(struct watch *watch)
{
	int fd;

	watch->is_full = false;
	for (size_t i = 0; i < watch->n_spots; i++)
		watch->spots[i].is_seen = false;
	see_way(watch);
	fd = open(watch->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	watch->error = fd < 0 ? -errno : 0;
	if (fd >= 0)
		see_folder(watch, fd, 0);
	sweep(watch);
}

/* ------------------------------------------------------------------ telling */

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct watch *watch = userdata;

	(void)source;
	(void)usec;
	watch->timer = sd_event_source_disable_unref(watch->timer);
	watch->due_usec = 0;
	watch->first_usec = 0;
	walk(watch);
	watch->callbacks.on_change(watch->callbacks.userdata);
	return 0;
}

static void set_timer(struct watch *watch, uint64_t due_usec)
{
	watch->timer = sd_event_source_disable_unref(watch->timer);
	watch->due_usec = due_usec;
	if (sd_event_add_time(watch->event, &watch->timer, CLOCK_MONOTONIC, due_usec,
		    TIMER_ACCURACY_USEC, on_timer, watch) < 0)
		watch->due_usec = 0;
}

void watch_look_again(struct watch *watch, uint64_t usec)
{
	uint64_t due = monotonic_usec() + usec;

	if (watch->due_usec == 0 || due < watch->due_usec)
		set_timer(watch, due);
}

static void note_change(struct watch *watch)
{
	uint64_t now = monotonic_usec(), due = now + QUIET_USEC;

	if (watch->first_usec == 0)
		watch->first_usec = now;
	if (due > watch->first_usec + LATEST_USEC)
		due = watch->first_usec + LATEST_USEC;
	set_timer(watch, due);
}

/* ------------------------------------------------------------------ events */

static void on_folder_event(struct watch *watch, const struct inotify_event *event)
{
	if (event->mask & IN_MODIFY) {
		begin_writing(watch, event->wd, event->name);
		return; /* told when it is closed */
	}
	/* A new name does not close it. The two halves of a rename follow one another. */
	if ((event->mask & IN_MOVED_FROM) && is_written(watch, event->wd, event->name))
		watch->moved = event->cookie;
	if (event->mask & (IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE))
		end_writing(watch, event->wd, event->name);
	if ((event->mask & IN_MOVED_TO) && watch->moved != 0 && event->cookie == watch->moved) {
		watch->moved = 0;
		begin_writing(watch, event->wd, event->name);
	}
	note_change(watch);
}

static void on_event(struct watch *watch, const struct inotify_event *event)
{
	if (event->mask & IN_Q_OVERFLOW) {
		end_writing(watch, -1, NULL);
		note_change(watch);
		return;
	}
	if (event->mask & (IN_IGNORED | IN_UNMOUNT)) {
		if (has_spot(watch, event->wd))
			note_change(watch);
		lose_spots(watch, event->wd);
		return;
	}
	if (event->len == 0) /* of the folder itself: its mode */
		note_change(watch);
	else if (find_spot(watch, event->wd, NULL))
		on_folder_event(watch, event);
	else if (find_spot(watch, event->wd, event->name))
		note_change(watch);
}

static int on_inotify(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	char buffer[16 * 1024] __attribute__((aligned(__alignof__(struct inotify_event))));
	struct watch *watch = userdata;
	ssize_t n = read(fd, buffer, sizeof(buffer));

	(void)source;
	(void)revents;
	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *event = (const void *)(buffer + at);

		on_event(watch, event);
		at += (ssize_t)(sizeof(*event) + event->len);
	}
	return 0;
}

/* Something was mounted or unmounted somewhere: over the directory, or a folder, perhaps. */
static int on_mounts(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	(void)source;
	(void)fd;
	(void)revents;
	note_change(userdata);
	return 0;
}

/* ------------------------------------------------------------------ start and end */

static int set_up(struct watch *watch)
{
	int r;

	watch->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->inotify < 0)
		return -errno;
	r = sd_event_add_io(
		watch->event, &watch->inotify_source, watch->inotify, EPOLLIN, on_inotify, watch);
	if (r < 0)
		return r;
	/* Without it a mount over the directory is noticed at the next plug-in only. */
	watch->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (watch->mounts < 0)
		return 0;
	return sd_event_add_io(
		watch->event, &watch->mounts_source, watch->mounts, EPOLLPRI, on_mounts, watch);
}

int watch_new(sd_event *event, const struct watch_callbacks *callbacks, struct watch **ret)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return -ENOMEM;
	watch->event = sd_event_ref(event);
	watch->callbacks = *callbacks;
	watch->inotify = watch->mounts = -1;
	r = set_up(watch);
	if (r < 0) {
		watch_free(watch);
		return r;
	}
	*ret = watch;
	return 0;
}

struct watch *watch_free(struct watch *watch)
{
	if (!watch)
		return NULL;
	while (watch->n_spots > 0)
		forget_spot(watch, watch->n_spots - 1);
	end_writing(watch, -1, NULL);
	sd_event_source_disable_unref(watch->timer);
	sd_event_source_disable_unref(watch->mounts_source);
	sd_event_source_disable_unref(watch->inotify_source);
	closep(&watch->mounts);
	closep(&watch->inotify);
	sd_event_unref(watch->event);
	free(watch->spots);
	free(watch->written);
	free(watch->directory);
	free(watch);
	return NULL;
}

int watch_set_directory(struct watch *watch, const char *directory)
{
	char *copy;

	if (watch->directory && strcmp(watch->directory, directory) == 0)
		return 0;
	copy = strdup(directory);
	if (!copy)
		return -ENOMEM;
	free(watch->directory);
	watch->directory = copy;
	walk(watch);
	return 0;
}

bool watch_is_settling(const struct watch *watch)
{
	return watch->first_usec != 0;
}

int watch_error(const struct watch *watch)
{
	return watch->error;
}

bool watch_is_full(const struct watch *watch)
{
	return watch->is_full;
}
