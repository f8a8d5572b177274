/* SPDX-License-Identifier: MIT */
/*
 * watch.h - changes in the image directory: told once they have come to rest, and which files
 * somebody has open for writing meanwhile.
 *
 * Watches the directory, the folders below it, and the way to it, so that it may be removed,
 * mounted or swapped as a whole, by a rename or a link. It says that something changed, not what
 * that means.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include <systemd/sd-event.h>

struct watch;

struct watch_callbacks {
	/* Something changed, and then nothing for a moment. Never from within the watch's own
	 * functions. */
	void (*on_change)(void *userdata);
	void *userdata;
};

/* 0 or -errno. */
int watch_new(sd_event *event, const struct watch_callbacks *callbacks, struct watch **ret);

/* NULL is fine. */
struct watch *watch_free(struct watch *watch);

/* This directory from now on; it need not be there. 0 or -ENOMEM. */
int watch_set_directory(struct watch *watch, const char *directory);

/* Tells of a change after so long, if none is told before. */
void watch_look_again(struct watch *watch, uint64_t usec);

/* Whether something changed that has not been told yet. */
bool watch_is_settling(const struct watch *watch);

/* Whether the file of that folder was written to since it was last closed. */
bool watch_is_being_written(const struct watch *watch, const struct stat *folder, const char *name);

/* Why the directory cannot be opened, -errno; 0: it can. As of the change told last. */
int watch_error(const struct watch *watch);

/* Whether there are too many folders to watch them all. */
bool watch_is_full(const struct watch *watch);
