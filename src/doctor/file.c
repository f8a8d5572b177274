/* SPDX-License-Identifier: MIT */
#include "doctor/file.h"

#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include "base/parse.h"

const char *file_path(char to[static FILE_PATH_MAX], const char *root, const char *format, ...)
{
	size_t n_root = strlen(root);
	va_list values;
	int n;

	to[0] = '\0';
	if (n_root >= FILE_PATH_MAX)
		return to;
	memcpy(to, root, n_root + 1);
	va_start(values, format);
	n = vsnprintf(to + n_root, FILE_PATH_MAX - n_root, format, values);
	va_end(values);
	if (n < 0 || (size_t)n >= FILE_PATH_MAX - n_root)
		to[0] = '\0';
	return to;
}

bool file_is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

bool file_line(const char *path, char *to, size_t size)
{
	CLEANUP(fclosep) FILE *file = fopen(path, "re");

	to[0] = '\0';
	if (!file || !fgets(to, (int)size, file))
		return false;
	to[strcspn(to, "\n")] = '\0';
	return true;
}

static int64_t read_number(const char *path, unsigned base)
{
	char line[64];
	const char *at = line;
	uint64_t value;

	if (!file_line(path, line, sizeof(line)) || parse_digits(&at, base, &value) < 0 ||
		value > INT64_MAX)
		return -1;
	return (int64_t)value;
}

int64_t file_hex(const char *path)
{
	return read_number(path, 16);
}

int64_t file_number(const char *path)
{
	return read_number(path, 10);
}

bool file_link_name(const char *path, char *to, size_t size)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	to[0] = '\0';
	if (n <= 0)
		return false;
	target[n] = '\0';
	snprintf(to, size, "%s", basename(target));
	return true;
}

int file_each_line(
	const char *path, int (*on_line)(void *userdata, const char *line), void *userdata)
{
	CLEANUP(fclosep) FILE *file = fopen(path, "re");
	CLEANUP(freep) char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int r = 0;

	while (r == 0 && file && (n = getline(&line, &room, file)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		r = on_line(userdata, line);
	}
	return r;
}
