/* SPDX-License-Identifier: MIT */
/*
 * file.h - small files of the kernel and of the host, below a root: "" on a host, a folder with
 * such a tree in a test. None of them is a device node, and none is waited for.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/util.h"

#define FILE_PATH_MAX 4096

/* The path below the root; "" where it is too long, which is no file. Returns `to`. */
const char *file_path(char to[static FILE_PATH_MAX], const char *root, const char *format, ...)
	PRINTF_LIKE(3, 4);

bool file_is_there(const char *path);

/* The first line without its end, cut to the room there is. False, and "", where there is none. */
bool file_line(const char *path, char *to, size_t size);

/* A number at the beginning of the first line, -1 where there is none: bare hexadecimal digits, or
 * decimal ones with a unit behind ("100mA"). */
int64_t file_hex(const char *path);
int64_t file_number(const char *path);

/* The last part of where a link leads. False, and "", where it is none. */
bool file_link_name(const char *path, char *to, size_t size);

/* Calls back for each line of the file, without its end; whatever it returns but 0 ends that. The
 * last result; 0 for a file that is not there. */
int file_each_line(
	const char *path, int (*on_line)(void *userdata, const char *line), void *userdata);
