/* SPDX-License-Identifier: MIT */
/*
 * ini-load.c - INI files and directories of them, bounded, into ini_load_text().
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/ini.h"
#include "base/parse.h"

static int cannot_read(struct ini_problems *problems, const char *shown, int r)
{
	if (ini_problem_add(problems, shown, 0, NULL, NULL, "cannot be read: %s", strerror(-r)) < 0)
		return -ENOMEM;
	return r;
}

static unsigned count_lines(const char *text, size_t n)
{
	unsigned lines = 1;

	for (size_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	return lines;
}

static int load_opened(struct ini *ini, int fd, const char *shown, struct ini_problems *problems)
{
	char *text CLEANUP(freep) = NULL;
	struct stat status;
	size_t n = 0;
	int r;

	if (fstat(fd, &status) < 0)
		return cannot_read(problems, shown, -errno);
	if (!S_ISREG(status.st_mode))
		return ini_problem_add(problems, shown, 0, NULL, NULL, "is not a regular file");
	text = malloc(INI_FILE_BYTES + 1);
	if (!text)
		return -ENOMEM;
	/* One byte more than a file may have tells that it has too many. */
	r = read_up_to(fd, text, INI_FILE_BYTES + 1, &n);
	if (r < 0)
		return cannot_read(problems, shown, r);
	if (n > INI_FILE_BYTES)
		return ini_problem_add(problems, shown, count_lines(text, n), NULL, NULL,
			"the file is larger than %d bytes here", INI_FILE_BYTES);
	return ini_load_text(ini, shown, text, n, problems);
}

int ini_load_file_at(struct ini *ini, int directory_fd, const char *shown, const char *name,
	struct ini_problems *problems)
{
	char *path CLEANUP(freep) = NULL;
	int fd CLEANUP(closep) = -1;

	if (asprintf(&path, "%s%s%s", shown, shown[0] ? "/" : "", name) < 0)
		return -ENOMEM;
	/* A FIFO in its place must not hold the service up. */
	fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return cannot_read(problems, path, -errno);
	return load_opened(ini, fd, path, problems);
}

int ini_load_file(struct ini *ini, const char *path, struct ini_problems *problems)
{
	return ini_load_file_at(ini, AT_FDCWD, "", path, problems);
}

static void closedirp(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

static void list_freep(char ***list)
{
	parse_list_free(*list);
}

static bool is_conf(const char *name)
{
	size_t n = strlen(name);

	return name[0] != '.' && n > strlen(".conf") &&
	       strcmp(name + n - strlen(".conf"), ".conf") == 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of the *.conf in order, NULL-terminated. */
static int list_names(DIR *directory, char ***ret)
{
	char **names CLEANUP(list_freep) = calloc(1, sizeof(*names));
	size_t n = 0;

	if (!names)
		return -ENOMEM;
	for (;;) {
		const struct dirent *entry;
		char **longer;

		errno = 0;
		entry = readdir(directory);
		if (!entry && errno > 0)
			return -errno;
		if (!entry)
			break;
		if (!is_conf(entry->d_name))
			continue;
		longer = reallocarray(names, n + 2, sizeof(*names));
		if (!longer)
			return -ENOMEM;
		names = longer;
		names[n + 1] = NULL;
		names[n] = strdup(entry->d_name);
		if (!names[n])
			return -ENOMEM;
		n++;
	}
	qsort(names, n, sizeof(*names), compare_names);
	*ret = TAKE_PTR(names);
	return 0;
}

/* Takes the descriptor. */
static int load_names(struct ini *ini, int fd, const char *path, struct ini_problems *problems)
{
	DIR *directory CLEANUP(closedirp) = fdopendir(fd);
	char **names CLEANUP(list_freep) = NULL;
	int first = 0;
	int r;

	if (!directory) {
		r = -errno;
		close(fd);
		return cannot_read(problems, path, r);
	}
	r = list_names(directory, &names);
	if (r < 0)
		return cannot_read(problems, path, r);
	for (size_t i = 0; names[i]; i++) {
		r = ini_load_file_at(ini, dirfd(directory), path, names[i], problems);
		if (r == -ENOMEM)
			return r;
		if (first == 0)
			first = r;
	}
	return first;
}

int ini_load_directory_at(struct ini *ini, int directory_fd, const char *shown, const char *name,
	struct ini_problems *problems)
{
	char *path CLEANUP(freep) = NULL;
	int fd;

	if (asprintf(&path, "%s%s%s", shown, shown[0] ? "/" : "", name) < 0)
		return -ENOMEM;
	fd = openat(directory_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : cannot_read(problems, path, -errno);
	return load_names(ini, fd, path, problems);
}

int ini_load_directory(struct ini *ini, const char *directory, struct ini_problems *problems)
{
	return ini_load_directory_at(ini, AT_FDCWD, "", directory, problems);
}
