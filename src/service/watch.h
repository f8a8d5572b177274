/* SPDX-License-Identifier: MIT */
/*
 * watch.h - changes in the image directory and in those of its folders that a choice looked into:
 * told once they have come to rest. It also knows which files somebody has open for writing.
 *
 * It tells that something changed and does not judge the change. It reads no directory.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

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

/* The choice of a rule depends on this folder, `path` being below the directory: it is watched from
 * now on. A change is told, for it may have changed since the choice read it. */
void watch_add_folder(struct watch *watch, const char *path);

/* Tells of a change after so long, if none is told before. */
void watch_look_again(struct watch *watch, uint64_t usec);

/* When something changed last, on the monotonic clock; 0: nothing has. */
uint64_t watch_last_change_usec(const struct watch *watch);

/* Whether the file at this path below the directory was written to since it was last closed. */
bool watch_is_being_written(const struct watch *watch, const char *path);

/*
 * Whether one that will get this name is, or was made for that within COPY_EMPTY_USEC: under a name
 * that has it in it, and is of a copy under way ('.gate.bin.x7Kq2f' of rsync, 'gate.bin.part').
 */
bool watch_is_being_replaced(const struct watch *watch, const char *path);

/* Why the directory cannot be watched, -errno; 0: it can. As of the change told last. */
int watch_error(const struct watch *watch);
