/* SPDX-License-Identifier: MIT */
/*
 * image-directory.h - an image directory for one test: made, filled, asked, and removed with all in
 * it. Include after cmocka.h.
 */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "image/library.h"

/* Made anew for each test: ROOT/images is the image directory, ROOT/secret lies outside. */
static char root[64], images[96];

static inline int remove_entry(
	const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline char *path_of(const char *name, char to[256])
{
	snprintf(to, 256, "%s/%s", images, name);
	return to;
}

static inline void put(const char *name, const char *text)
{
	char path[256];
	FILE *file;

	for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		path_of(name, path)[strlen(images) + 1 + (size_t)(slash - name)] = '\0';
		mkdir(path, 0755);
	}
	file = fopen(path_of(name, path), "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static inline int set_up(void **state)
{
	const char *temporary = getenv("TMPDIR");

	(void)state;
	snprintf(root, sizeof(root), "%.40s/test-library-XXXXXX", temporary ? temporary : "/tmp");
	if (!mkdtemp(root))
		return -1;
	snprintf(images, sizeof(images), "%s/images", root);
	if (mkdir(images, 0755) < 0)
		return -1;
	put("../secret", "not yours");
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	return nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void link_to(const char *target, const char *name)
{
	char path[256];

	assert_int_equal(symlink(target, path_of(name, path)), 0);
}

/* Both times of the file: so many seconds ago. */
static inline void set_age(const char *name, time_t seconds)
{
	struct timespec times[2];
	char path[256];

	clock_gettime(CLOCK_REALTIME, &times[0]);
	times[0].tv_sec -= seconds;
	times[1] = times[0];
	assert_int_equal(utimensat(AT_FDCWD, path_of(name, path), times, 0), 0);
}

static inline void put_manifest(const char *image, const char *line)
{
	char name[64], text[200];

	snprintf(name, sizeof(name), "%s.ini", image);
	snprintf(text, sizeof(text), "[image]\n%s\n", line ? line : "version = 9");
	put(name, text);
}

static inline void empty_images(void)
{
	assert_int_equal(nftw(images, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
	assert_int_equal(mkdir(images, 0755), 0);
}

/* ------------------------------------------------------------------ asking */

static inline int choose_in(
	const char *directory, const char *glob, struct library_choice *ret, struct reason *reason)
{
	const struct library_query query = {.directory = directory, .glob = glob};

	return library_choose(&query, ret, reason);
}

static inline int choose(const char *glob, struct library_choice *ret, struct reason *reason)
{
	return choose_in(images, glob, ret, reason);
}

static inline int load(const char *name, struct library_item *ret, struct reason *reason)
{
	const struct library_query query = {.directory = images, .board = "gate"};

	return library_load(&query, name, 1000, ret, reason);
}

/* ------------------------------------------------------------------ descriptors */

static inline unsigned count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(directory);
	while (readdir(directory))
		n++;
	closedir(directory);
	return n;
}

static unsigned n_descriptors;

static inline int note_descriptors(void **state)
{
	(void)state;
	n_descriptors = count_descriptors();
	return 0;
}

/* Runs last: what stands before it opened and refused in every way. */
static inline void no_descriptor_was_left_open(void **state)
{
	(void)state;
	assert_int_equal(count_descriptors(), n_descriptors);
}

#define IN_IMAGES(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
