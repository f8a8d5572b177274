/* SPDX-License-Identifier: MIT */
/*
 * watch.c - changes in the image directory.
 *
 * Two ways of noticing, for two kinds of change. inotify tells at once what happens to the names
 * and files of a folder. It tells nothing of a folder that is not there yet, a parent that is
 * replaced, the target of a link, a mount over the folder, or a file that another host writes. For
 * these, each folder has a stamp (which inode it is, and its times), and a slow timer compares the
 * stamps with what the paths lead to now. A folder that is another one is watched in place of the
 * old one.
 *
 * Watched are the directory itself and the folders that a choice looked into: a folder that no
 * rule's glob reaches changes nothing. The choice reports them, so nothing is searched here.
 *
 * A file counts as being written from its first IN_MODIFY to its IN_CLOSE_WRITE, under whatever
 * names it is given meanwhile.
 */
#include "service/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>

#include "base/clock.h"
#include "base/util.h"
#include "image/copy.h"
#include "image/folder.h"

#define TIMER_ACCURACY_USEC (20 * USEC_PER_MSEC)

/* Changes in more folders than these are noticed at the next plug-in. */
#define MAX_FOLDERS 2048
#define MAX_WRITTEN 512

#define FOLDER_EVENTS                                                                       \
	(IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | \
		IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF)

/* Which inode it is, and its times. */
struct stamp {
	int64_t items[6];
};

/* The first is the directory itself, which keeps its place also while it is not there. */
struct folder {
	char *path; /* below the directory */
	int wd;	    /* -1: it cannot be watched; two paths may lead to one folder */
	struct stamp stamp;
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
	sd_event_source *rescan;
	sd_event_source *timer;
	uint64_t due_usec;   /* of the timer, 0: it does not run */
	uint64_t first_usec; /* of the changes not told yet, 0: none */
	int inotify;

	char *directory;
	struct folder *folders;
	size_t n_folders;
	struct written *written;
	size_t n_written;
	uint32_t moved; /* cookie of a file that was renamed while it was being written, or 0 */
	int error;	/* of the directory itself */
};

/* ------------------------------------------------------------------ files being written */

/* All of a folder where `name` is NULL; all there are where `wd` is negative. */
static void end_writing(struct watch *watch, int wd, const char *name)
{
	for (size_t i = watch->n_written; i-- > 0;) {
		if (wd >= 0 && (watch->written[i].wd != wd ||
				       (name && strcmp(watch->written[i].name, name) != 0)))
			continue;
		free(watch->written[i].name);
		watch->written[i] = watch->written[--watch->n_written];
	}
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

bool watch_is_being_written(const struct watch *watch, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t n_folder = slash ? (size_t)(slash - path) : 0;

	for (size_t i = 0; i < watch->n_folders; i++) {
		const struct folder *folder = &watch->folders[i];

		if (strlen(folder->path) == n_folder && strncmp(folder->path, path, n_folder) == 0)
			return is_written(watch, folder->wd, name);
	}
	return false;
}

/* ------------------------------------------------------------------ folders */

static bool has_folder(const struct watch *watch, int wd)
{
	for (size_t i = 0; i < watch->n_folders; i++)
		if (watch->folders[i].wd == wd)
			return true;
	return false;
}

/* Takes the number away from the folder, and from the kernel where no other has it. */
static void let_go(struct watch *watch, struct folder *folder)
{
	int wd = folder->wd;

	folder->wd = -1;
	if (wd < 0 || has_folder(watch, wd))
		return;
	end_writing(watch, wd, NULL);
	(void)inotify_rm_watch(watch->inotify, wd);
}

static struct stamp stamp_of(const struct stat *status)
{
	return (struct stamp){
		{(int64_t)status->st_dev, (int64_t)status->st_ino, status->st_mtim.tv_sec,
			status->st_mtim.tv_nsec, status->st_ctim.tv_sec, status->st_ctim.tv_nsec}};
}

static bool is_same_stamp(const struct stamp *a, const struct stamp *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* What the folder's path leads to now, open. The descriptor or -errno. */
static int open_path(const struct watch *watch, const char *path)
{
	CLEANUP(closep) int root = open(watch->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return -errno;
	return *path ? folder_open(root, path) : take_fd(&root);
}

/*
 * Watches what the folder's path leads to now. Returns 0, or -errno where there is nothing, or
 * nothing that may be read. Where the kernel's watches are used up, the stamp alone has to do.
 */
static int watch_folder(struct watch *watch, struct folder *folder)
{
	CLEANUP(closep) int fd = open_path(watch, folder->path);
	char path[64];
	struct stat status;
	int wd = -1, r = 0;

	if (fd < 0)
		r = fd;
	else if (fstat(fd, &status) < 0)
		r = -errno;
	if (r == 0) {
		/* Again each time: it costs nothing where the folder is still the same. */
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		wd = inotify_add_watch(watch->inotify, path, FOLDER_EVENTS | IN_ONLYDIR);
		if (wd < 0 && errno != ENOSPC)
			r = -errno;
	}
	if (wd != folder->wd) {
		let_go(watch, folder);
		folder->wd = wd;
	}
	folder->stamp = r == 0 ? stamp_of(&status) : (struct stamp){0};
	return r;
}

/*
 * Compares all folders with what their paths lead to now. Returns whether any of them is another,
 * or changed since it was last compared.
 */
static bool compare_all(struct watch *watch)
{
	int error = watch->error;
	bool is_changed = false;

	for (size_t i = watch->n_folders; i-- > 0;) {
		struct folder *folder = &watch->folders[i];
		const struct stamp before = folder->stamp;
		int r = watch_folder(watch, folder);

		is_changed |= !is_same_stamp(&before, &folder->stamp);
		if (i == 0) {
			watch->error = r;
			is_changed |= r != error;
		} else if (r < 0) {
			/* The next choice reports it again, where it is there by then. */
			free(folder->path);
			*folder = watch->folders[--watch->n_folders];
		}
	}
	return is_changed;
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
	(void)compare_all(watch);
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
	uint64_t now = monotonic_usec(), due = now + COPY_CALM_USEC;

	if (watch->first_usec == 0)
		watch->first_usec = now;
	if (due > watch->first_usec + COPY_LATEST_USEC)
		due = watch->first_usec + COPY_LATEST_USEC;
	set_timer(watch, due);
}

/* ------------------------------------------------------------------ which folders */

static struct folder *add_folder(struct watch *watch, const char *path)
{
	struct folder *grown;
	char *copy;

	if (watch->n_folders == MAX_FOLDERS)
		return NULL;
	grown = room_for_one(watch->folders, watch->n_folders, sizeof(*grown));
	if (!grown)
		return NULL;
	watch->folders = grown;
	copy = strdup(path);
	if (!copy)
		return NULL;
	grown += watch->n_folders++;
	*grown = (struct folder){.path = copy, .wd = -1};
	return grown;
}

void watch_add_folder(struct watch *watch, const char *path, const struct stat *status)
{
	const struct stamp seen = stamp_of(status);
	struct folder *folder;

	for (size_t i = 0; i < watch->n_folders; i++)
		if (strcmp(watch->folders[i].path, path) == 0)
			return;
	folder = add_folder(watch, path);
	if (folder && watch_folder(watch, folder) == 0 && !is_same_stamp(&folder->stamp, &seen))
		note_change(watch);
}

static void forget_folders(struct watch *watch)
{
	while (watch->n_folders > 0) {
		struct folder *folder = &watch->folders[watch->n_folders - 1];

		let_go(watch, folder);
		free(folder->path);
		watch->n_folders--;
	}
	end_writing(watch, -1, NULL);
}

int watch_set_directory(struct watch *watch, const char *directory)
{
	char *copy;

	if (watch->directory && strcmp(watch->directory, directory) == 0)
		return 0;
	copy = strdup(directory);
	if (!copy)
		return -ENOMEM;
	forget_folders(watch);
	free(watch->directory);
	watch->directory = copy;
	if (!add_folder(watch, ""))
		return -ENOMEM;
	(void)compare_all(watch);
	return 0;
}

/* ------------------------------------------------------------------ events */

static void on_event(struct watch *watch, const struct inotify_event *event)
{
	const char *name = event->len > 0 ? event->name : NULL;

	if (event->mask & IN_Q_OVERFLOW)
		end_writing(watch, -1, NULL);
	else if (!has_folder(watch, event->wd))
		return; /* of one that was let go */
	if (event->mask & IN_IGNORED) {
		/* The kernel gave the number up, and may give it to another folder. */
		end_writing(watch, event->wd, NULL);
		for (size_t i = 0; i < watch->n_folders; i++)
			if (watch->folders[i].wd == event->wd)
				watch->folders[i].wd = -1;
	}
	if (event->mask & IN_MODIFY) {
		begin_writing(watch, event->wd, name);
		return; /* told when it is closed */
	}
	/* A new name does not close it. The two halves of a rename follow one another. */
	if (name && (event->mask & IN_MOVED_FROM) && is_written(watch, event->wd, name))
		watch->moved = event->cookie;
	if (name && (event->mask & (IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE)))
		end_writing(watch, event->wd, name);
	if (name && (event->mask & IN_MOVED_TO) && watch->moved != 0 &&
		event->cookie == watch->moved) {
		watch->moved = 0;
		begin_writing(watch, event->wd, name);
	}
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

static int on_rescan(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct watch *watch = userdata;

	(void)usec;
	if (watch->directory && compare_all(watch))
		note_change(watch);
	(void)sd_event_source_set_time_relative(source, COPY_RESCAN_USEC);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* ------------------------------------------------------------------ start and end */

int watch_new(sd_event *event, const struct watch_callbacks *callbacks, struct watch **ret)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return -ENOMEM;
	watch->event = sd_event_ref(event);
	watch->callbacks = *callbacks;
	watch->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	r = watch->inotify < 0 ? -errno : 0;
	if (r == 0)
		r = sd_event_add_io(
			event, &watch->inotify_source, watch->inotify, EPOLLIN, on_inotify, watch);
	if (r >= 0)
		r = sd_event_add_time_relative(event, &watch->rescan, CLOCK_MONOTONIC,
			COPY_RESCAN_USEC, COPY_RESCAN_USEC, on_rescan, watch);
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
	forget_folders(watch);
	sd_event_source_disable_unref(watch->timer);
	sd_event_source_disable_unref(watch->rescan);
	sd_event_source_disable_unref(watch->inotify_source);
	closep(&watch->inotify);
	sd_event_unref(watch->event);
	free(watch->folders);
	free(watch->written);
	free(watch->directory);
	free(watch);
	return NULL;
}

bool watch_is_settling(const struct watch *watch)
{
	return watch->first_usec != 0;
}

int watch_error(const struct watch *watch)
{
	return watch->error;
}
