/* SPDX-License-Identifier: MIT */
/*
 * kept.h - small files of the state directory: what the process must know again when it is started.
 * Each is there as it was written last, or as before; never half.
 */
#pragma once

#include <stddef.h>

#include "api/json.h"

/* Name of a file in the folder, without a slash. */
#define KEPT_NAME_MAX 64

/*
 * On the disk when it returns, under a name of its own first. It costs two writes that wait for the
 * disk: whoever has something new each second gathers it. 0 or -errno, and the file is as before.
 */
int kept_write(int folder, const char *name, const char *text, size_t n);

/*
 * Gives the file that is written under the hidden name its own, once it is on the disk. 0, or
 * -errno, and the hidden one is gone.
 */
int kept_name(int folder, int fd, const char *hidden, const char *name);

/*
 * The whole file, with a NUL behind it that `ret_n` does not count; the caller frees it. 0,
 * -ENOENT, -EFBIG where it has more than `most` bytes, -ENXIO where it is no regular file or a
 * link, another -errno.
 */
int kept_read(int folder, const char *name, size_t most, char **ret, size_t *ret_n);

/* 0, also where there was none, or -errno. */
int kept_remove(int folder, const char *name);

/* Leaves the first `n` bytes of the file, for which no room is needed. 0 or -errno, -ENOENT where
 * there is none. */
int kept_cut(int folder, const char *name, size_t n);

/*
 * A file that is a list in JSON. kept_read_list() goes through its values like json_walk(); one
 * that is not there, or that this process cannot have written, has none. 0, the result of
 * `on_value` or another -errno. kept_write_list() takes `list`, and is kept_write() else.
 */
int kept_read_list(int folder, const char *name,
	int (*on_value)(void *userdata, const struct json_value *value), void *userdata);
int kept_write_list(int folder, const char *name, struct json *list);
