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
#include "base/text.h"

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

	if (text_format(&path, "%s%s%s", shown, shown[0] ? "/" : "", name) < 0)
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

static int is_conf(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name), n_ending = strlen(".conf");

	return entry->d_name[0] != '.' && n > n_ending &&
	       strcmp(entry->d_name + n - n_ending, ".conf") == 0;
}

/* Every file is read, also behind one that cannot be: all that is wrong is told at once. */
static int load_names(struct ini *ini, int fd, const char *path, struct ini_problems *problems)
{
	struct dirent **names;
	/* By strcmp(): no program of ours calls setlocale(). */
	int n = scandirat(fd, ".", &names, is_conf, alphasort);
	int first = 0;

	if (n < 0)
		return cannot_read(problems, path, -errno);
	for (int i = 0; i < n; i++) {
		if (first != -ENOMEM) {
			int r = ini_load_file_at(ini, fd, path, names[i]->d_name, problems);

			first = first == 0 || r == -ENOMEM ? r : first;
		}
		free(names[i]);
	}
	free(names);
	return first;
}

int ini_load_directory_at(struct ini *ini, int directory_fd, const char *shown, const char *name,
	struct ini_problems *problems)
{
	char *path CLEANUP(freep) = NULL;
	int fd CLEANUP(closep) = -1;

	if (text_format(&path, "%s%s%s", shown, shown[0] ? "/" : "", name) < 0)
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
