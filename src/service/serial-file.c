/* SPDX-License-Identifier: MIT */
#include "service/serial-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "rules/serialize.h"

/* A hundred thousand lines of 40 characters; what is longer belongs into several rules. */
#define FILE_BYTES_MOST (4 * 1024 * 1024)

static int refuse(struct reason *reason, const char *path, unsigned line, const char *why)
{
	char shown[TEXT_MAX];

	text_escape(path, shown, sizeof(shown));
	if (line > 0)
		reason_set(reason, "%s:%u: %s", shown, line, why);
	else
		reason_set(reason, "%s: %s", shown, why);
	return -EINVAL;
}

/* All of a regular file, with a NUL behind it; a pipe could hold up the service. */
static int load(const char *path, char **ret, size_t *ret_n, struct reason *reason)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	CLEANUP(freep) char *text = NULL;
	struct stat status;
	int r;

	if (fd < 0 || fstat(fd, &status) < 0)
		return refuse(reason, path, 0, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return refuse(reason, path, 0, "this is no file");
	if (status.st_size > FILE_BYTES_MOST)
		return refuse(reason, path, 0, "larger than 4 MiB");
	text = malloc((size_t)status.st_size + 1);
	if (!text)
		return refuse(reason, path, 0, strerror(ENOMEM));
	r = read_up_to(fd, text, (size_t)status.st_size, ret_n);
	if (r < 0)
		return refuse(reason, path, 0, strerror(-r));
	text[*ret_n] = '\0';
	if (strlen(text) != *ret_n)
		return refuse(reason, path, 0, "it has bytes that are no text");
	*ret = TAKE_PTR(text);
	return 0;
}

/* The first column, in place. NULL where the line has none. */
static char *take_column(char *line)
{
	size_t n;

	line += strspn(line, " \t");
	if (*line == '#')
		return NULL;
	if (*line == '"') {
		line++;
		line[strcspn(line, "\"")] = '\0';
		return line;
	}
	n = strcspn(line, ",;\r");
	while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t'))
		n--;
	line[n] = '\0';
	return n > 0 ? line : NULL;
}

int serial_file_list(const char *path, int (*callback)(void *userdata, const char *value),
	void *userdata, struct reason *reason)
{
	CLEANUP(freep) char *text = NULL;
	char *rest, *line;
	size_t n_text;
	unsigned number = 0;
	int r = load(path, &text, &n_text, reason);

	rest = text;
	while (r == 0 && (line = strsep(&rest, "\n"))) {
		char *value = take_column(line);

		number++;
		if (!value || !*value)
			continue;
		if (strlen(value) >= SERIALIZE_VALUE_MAX)
			return refuse(reason, path, number, "longer than any unit's data may be");
		r = callback(userdata, value);
	}
	return r;
}
