/* SPDX-License-Identifier: MIT */
/*
 * folder.h - a temporary folder for one test program: made, filled, and removed with all in it.
 * Include after cmocka.h.
 */
#pragma once

#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"

static char folder[] = "/tmp/plugflash-test-XXXXXX";

static inline int folder_make(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static inline int folder_remove_entry(
	const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int folder_remove(void **state)
{
	(void)state;
	return nftw(folder, folder_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* The path of something in the folder; valid until the fourth call after. */
static inline const char *in_folder(const char *name)
{
	static char paths[4][700];
	static size_t next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];

	assert_true(
		snprintf(path, sizeof(paths[0]), "%s/%s", folder, name) < (int)sizeof(paths[0]));
	return path;
}

static inline void put_bytes(const char *name, const void *bytes, size_t n_bytes)
{
	FILE *to = fopen(in_folder(name), "w");

	assert_non_null(to);
	assert_int_equal(fwrite(bytes, 1, n_bytes, to), n_bytes);
	assert_int_equal(fclose(to), 0);
}

static inline void put_text(const char *name, const char *text)
{
	put_bytes(name, text, strlen(text));
}

static inline void make_directory(const char *name)
{
	assert_int_equal(mkdir(in_folder(name), 0700), 0);
}
