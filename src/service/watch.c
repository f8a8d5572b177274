/* SPDX-License-Identifier: MIT */
/*
 * watch.c - changes in the image directory.
 *
 * Changes are noticed in three ways. inotify tells at once what happens to the names and files of a
 * folder. way.h tells of a parent that is replaced, a link that leads elsewhere, and a mount.
 * Nobody tells of a directory that is not there yet, or of a file that another host writes: where
 * that may be, and only there, a slow timer looks. Each time the paths are followed anew, what they
 * lead to is watched, and inodes and times, all mixed into one number, are compared with those
 * before.
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
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/vfs.h>

#include <linux/magic.h>

#include "base/clock.h"
#include "base/util.h"
#include "image/copy.h"
#include "image/folder.h"
#include "service/way.h"

#define TIMER_ACCURACY_USEC (20 * USEC_PER_MSEC)

/* Changes in more folders than these are noticed at the next plug-in. */
#define MAX_FOLDERS 2048
#define MAX_WRITTEN 512

/* fs/ubifs/ubifs.h of Linux; <linux/magic.h> has the others. */
#define UBIFS_MAGIC 0x24051905

#define FOLDER_EVENTS                                                                       \
	(IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | \
		IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF)

/* The first is the directory itself, which keeps its place also while it is not there. */
struct folder {
	char *path; /* below the directory */
	int wd;	    /* -1: it cannot be watched; two paths may lead to one folder */
};

/* A file that was written to and not closed since, or made for a copy. */
struct written {
	int wd;
	char name[NAME_MAX + 1];
	uint64_t made_usec; /* when, of one that nothing was written to yet; 0: it was */
};

struct watch {
	sd_event *event;
	struct watch_callbacks callbacks;
	sd_event_source *inotify_source;
	sd_event_source *rescan; /* runs while there may be changes that nobody tells of */
	struct way *way;
	sd_event_source *timer;
	uint64_t due_usec;   /* of the timer; UINT64_MAX: it does not run */
	uint64_t first_usec; /* of the changes not told yet, 0: none */
	uint64_t last_usec;  /* the newest change there was, 0: none */
	int inotify;

	char *directory;
	struct folder *folders;
	size_t n_folders;
	uint64_t stamp; /* of all folders: which inodes they are, and their times */
	struct written written[MAX_WRITTEN];
	size_t n_written;
	uint32_t moved; /* cookie of a file that was renamed while it was being written, or 0 */
	int error;	/* of the directory itself */
};

/* ------------------------------------------------------------------ files being written */

/* All of a folder where `name` is NULL; all there are where `wd` is negative. */
static void end_writing(struct watch *watch, int wd, const char *name)
{
	for (size_t i = watch->n_written; i-- > 0;)
		if (wd < 0 || (watch->written[i].wd == wd &&
				      (!name || strcmp(watch->written[i].name, name) == 0)))
			watch->written[i] = watch->written[--watch->n_written];
}

static bool is_written(const struct watch *watch, int wd, const char *name)
{
	for (size_t i = 0; i < watch->n_written; i++)
		if (watch->written[i].wd == wd && watch->written[i].made_usec == 0 &&
			strcmp(watch->written[i].name, name) == 0)
			return true;
	return false;
}

/* `made_usec`: see there. Beyond the bound the file's time has to say it. */
static void begin_writing(struct watch *watch, int wd, const char *name, uint64_t made_usec)
{
	struct written *written;

	if (is_written(watch, wd, name))
		return;
	end_writing(watch, wd, name);
	written = &watch->written[watch->n_written];
	if (watch->n_written == MAX_WRITTEN)
		return;
	written->wd = wd;
	written->made_usec = made_usec;
	snprintf(written->name, sizeof(written->name), "%s", name);
	watch->n_written++;
}

/* The folder that the path is in, and its name there; NULL: it is not watched. */
static const struct folder *find_folder(
	const struct watch *watch, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	size_t n_folder = slash ? (size_t)(slash - path) : 0;

	*ret_name = slash ? slash + 1 : path;
	for (size_t i = 0; i < watch->n_folders; i++) {
		const struct folder *folder = &watch->folders[i];

		if (strlen(folder->path) == n_folder && strncmp(folder->path, path, n_folder) == 0)
			return folder;
	}
	return NULL;
}

bool watch_is_being_written(const struct watch *watch, const char *path)
{
	const char *name;
	const struct folder *folder = find_folder(watch, path, &name);

	return folder && is_written(watch, folder->wd, name);
}

/* A link under such a name is made, and never written to or closed. */
static bool is_left_alone(const struct written *written)
{
	return written->made_usec != 0 && monotonic_usec() - written->made_usec >= COPY_EMPTY_USEC;
}

bool watch_is_being_replaced(const struct watch *watch, const char *path)
{
	const char *name;
	const struct folder *folder = find_folder(watch, path, &name);

	for (size_t i = 0; folder && i < watch->n_written; i++) {
		const struct written *written = &watch->written[i];

		if (written->wd == folder->wd && copy_name_is_unfinished(written->name) &&
			strstr(written->name, name) && !is_left_alone(written))
			return true;
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

/*
 * Gives the number back. Where another path leads to the same folder, it loses its number as well,
 * by IN_IGNORED, and gets it again when the folders are compared after that.
 */
static void let_go(struct watch *watch, struct folder *folder)
{
	if (folder->wd < 0)
		return;
	(void)inotify_rm_watch(watch->inotify, folder->wd);
	end_writing(watch, folder->wd, NULL);
	folder->wd = -1;
}

static void mix(uint64_t *stamp, uint64_t value)
{
	*stamp = (*stamp ^ value) * UINT64_C(0x9E3779B97F4A7C15);
	*stamp ^= *stamp >> 32;
}

/* Opens the folder that the path leads to now. The descriptor or -errno. */
static int open_path(const struct watch *watch, const char *path)
{
	CLEANUP(closep) int root = open(watch->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return -errno;
	return *path ? folder_open(root, path) : take_fd(&root);
}

/* Whether this host alone writes to the folder. A kind of file system that is not known may be one
 * of several hosts, or of a program. */
static bool is_local(int fd)
{
	static const unsigned long known[] = {BTRFS_SUPER_MAGIC, EROFS_SUPER_MAGIC_V1,
		EXFAT_SUPER_MAGIC, EXT4_SUPER_MAGIC, F2FS_SUPER_MAGIC, ISOFS_SUPER_MAGIC,
		JFFS2_SUPER_MAGIC, MSDOS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC, RAMFS_MAGIC,
		SQUASHFS_MAGIC, TMPFS_MAGIC, XFS_SUPER_MAGIC, UBIFS_MAGIC};
	struct statfs status;

	if (fstatfs(fd, &status) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if ((unsigned long)status.f_type == known[i])
			return true;
	return false;
}

/*
 * Watches the folder that the path leads to now, and mixes its inode and times into the stamp. 0,
 * or -errno where there is none, or none that may be read. If the kernel's watches are used up, the
 * stamp alone has to do.
 */
static int watch_folder(struct watch *watch, struct folder *folder, uint64_t *stamp, bool *is_told)
{
	CLEANUP(closep) int fd = open_path(watch, folder->path);
	struct stat status = {0};
	char path[64];
	int wd = -1, r = fd < 0 ? fd : fstat(fd, &status) < 0 ? -errno : 0;

	if (r == 0) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		wd = inotify_add_watch(watch->inotify, path, FOLDER_EVENTS | IN_ONLYDIR);
		r = wd < 0 && errno != ENOSPC ? -errno : 0;
	}
	if (wd != folder->wd)
		let_go(watch, folder);
	folder->wd = wd;
	*is_told = *is_told && wd >= 0 && is_local(fd);
	mix(stamp, status.st_dev);
	mix(stamp, status.st_ino);
	mix(stamp, (uint64_t)usec_of(&status.st_mtim));
	mix(stamp, (uint64_t)usec_of(&status.st_ctim));
	mix(stamp, (uint64_t)r);
	return r;
}

/* Begun by what found that it is needed, and ended by what found that it is not. */
static void set_rescan(struct watch *watch, bool is_needed)
{
	int enabled = SD_EVENT_OFF;

	(void)sd_event_source_get_enabled(watch->rescan, &enabled);
	if (is_needed == (enabled != SD_EVENT_OFF))
		return;
	(void)sd_event_source_set_time_relative(watch->rescan, COPY_RESCAN_USEC);
	(void)sd_event_source_set_enabled(
		watch->rescan, is_needed ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

/*
 * Follows the ways anew. What happens to a folder that lies in the directory itself is told by that
 * one's watch. Whether all that may happen to them is told.
 */
static bool follow_ways(struct watch *watch)
{
	bool is_told = way_begin(watch->way) == 0;
	char path[PATH_MAX];

	for (size_t i = 0; i < watch->n_folders; i++) {
		const char *below = watch->folders[i].path;

		if (i > 0 && !strchr(below, '/'))
			continue;
		is_told = snprintf(path, sizeof(path), "%s/%s", watch->directory, below) <
				  (int)sizeof(path) &&
			  way_add(watch->way, path) == 0 && is_told;
	}
	return is_told;
}

/* Looks all folders up anew. Returns whether any of them is another, or has changed. */
static bool compare_all(struct watch *watch)
{
	uint64_t stamp = 0, before = watch->stamp;
	bool is_told = follow_ways(watch);

	for (size_t i = 0; i < watch->n_folders; i++) {
		struct folder *folder = &watch->folders[i];
		int r = watch_folder(watch, folder, &stamp, &is_told);

		if (i == 0) {
			watch->error = r;
		} else if (r < 0) {
			/* The next choice reports it again, where it is there by then. */
			free(folder->path);
			*folder = watch->folders[--watch->n_folders];
			i--;
		}
	}
	watch->stamp = stamp;
	set_rescan(watch, !is_told);
	return stamp != before;
}

/* ------------------------------------------------------------------ telling */

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct watch *watch = userdata;

	(void)source;
	(void)usec;
	watch->due_usec = UINT64_MAX;
	watch->first_usec = 0;
	(void)compare_all(watch);
	watch->callbacks.on_change(watch->callbacks.userdata);
	return 0;
}

static void set_timer(struct watch *watch, uint64_t due_usec)
{
	watch->due_usec = due_usec;
	(void)sd_event_source_set_time(watch->timer, due_usec);
	(void)sd_event_source_set_enabled(watch->timer, SD_EVENT_ONESHOT);
}

void watch_look_again(struct watch *watch, uint64_t usec)
{
	uint64_t due = monotonic_usec() + usec;

	if (due < watch->due_usec)
		set_timer(watch, due);
}

static void note_change(struct watch *watch)
{
	uint64_t now = monotonic_usec(), due = now + COPY_CALM_USEC;

	watch->last_usec = now;
	if (watch->first_usec == 0)
		watch->first_usec = now;
	if (due > watch->first_usec + COPY_LATEST_USEC)
		due = watch->first_usec + COPY_LATEST_USEC;
	set_timer(watch, due);
}

/* ------------------------------------------------------------------ which folders */

static bool add_folder(struct watch *watch, const char *path)
{
	struct folder *grown = room_for_one(watch->folders, watch->n_folders, sizeof(*grown));
	char *copy = grown && watch->n_folders < MAX_FOLDERS ? strdup(path) : NULL;

	watch->folders = grown ? grown : watch->folders;
	if (copy)
		grown[watch->n_folders++] = (struct folder){.path = copy, .wd = -1};
	return copy;
}

void watch_add_folder(struct watch *watch, const char *path)
{
	for (size_t i = 0; i < watch->n_folders; i++)
		if (strcmp(watch->folders[i].path, path) == 0)
			return;
	/* It may have changed since the choice read it, so that is made once more. */
	if (add_folder(watch, path))
		note_change(watch);
}

static void forget_folders(struct watch *watch)
{
	while (watch->n_folders > 0) {
		let_go(watch, &watch->folders[--watch->n_folders]);
		free(watch->folders[watch->n_folders].path);
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
	if (name && (event->mask & IN_MODIFY)) {
		begin_writing(watch, event->wd, name, 0);
		return; /* told when it is closed */
	}
	/* rsync writes the first bytes of a file when it has 256 KiB of them. */
	if (name && (event->mask & IN_CREATE) && !(event->mask & IN_ISDIR) &&
		copy_name_is_unfinished(name))
		begin_writing(watch, event->wd, name, monotonic_usec());
	/* A new name does not close it. The two halves of a rename follow one another. */
	if (name && (event->mask & IN_MOVED_FROM) && is_written(watch, event->wd, name))
		watch->moved = event->cookie;
	if (name && (event->mask & (IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE)))
		end_writing(watch, event->wd, name);
	if (name && (event->mask & IN_MOVED_TO) && watch->moved != 0 &&
		event->cookie == watch->moved) {
		watch->moved = 0;
		begin_writing(watch, event->wd, name, 0);
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

/* Something may be in another place now. */
static void on_way(void *userdata)
{
	struct watch *watch = userdata;

	if (watch->directory && compare_all(watch))
		note_change(watch);
}

static int on_rescan(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct watch *watch = userdata;

	(void)source;
	(void)usec;
	on_way(watch);
	return 0;
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
	watch->due_usec = UINT64_MAX;
	watch->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	r = watch->inotify < 0 ? -errno : 0;
	if (r == 0)
		r = sd_event_add_io(
			event, &watch->inotify_source, watch->inotify, EPOLLIN, on_inotify, watch);
	if (r >= 0)
		r = sd_event_add_time(event, &watch->timer, CLOCK_MONOTONIC, UINT64_MAX,
			TIMER_ACCURACY_USEC, on_timer, watch);
	if (r >= 0)
		r = sd_event_add_time_relative(event, &watch->rescan, CLOCK_MONOTONIC,
			COPY_RESCAN_USEC, COPY_RESCAN_USEC, on_rescan, watch);
	if (r >= 0)
		r = sd_event_source_set_enabled(watch->rescan, SD_EVENT_OFF);
	if (r >= 0)
		r = way_new(event, on_way, watch, &watch->way);
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
	way_free(watch->way);
	sd_event_source_disable_unref(watch->inotify_source);
	closep(&watch->inotify);
	sd_event_unref(watch->event);
	free(watch->folders);
	free(watch->directory);
	free(watch);
	return NULL;
}

uint64_t watch_last_change_usec(const struct watch *watch)
{
	return watch->last_usec;
}

int watch_error(const struct watch *watch)
{
	return watch->error;
}
