/* SPDX-License-Identifier: MIT */
/*
 * request.c - requests are read strictly: the file is written by another user, perhaps by an older
 * version of the command. A key that is not known, a value that is too long or a last line without
 * its end refuses the whole request, for half a request could mean more units than were meant.
 */
#include "api/request.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"

#define WORD "retry"

static const struct {
	const char *key;
	size_t offset;
} fields[] = {
	{"unit", offsetof(struct request, unit)},
	{"board", offsetof(struct request, board)},
	{"path", offsetof(struct request, usb_path)},
	{"port", offsetof(struct request, port)},
};

int request_write(const struct request *request, FILE *to)
{
	fputs(WORD "\n", to);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const char *value = (const char *)request + fields[i].offset;

		if (strchr(value, '\n'))
			return -EINVAL;
		if (*value)
			fprintf(to, "%s %s\n", fields[i].key, value);
	}
	return ferror(to) ? -EIO : 0;
}

static int read_field(struct request *request, char *line)
{
	char *value = strchr(line, ' ');

	if (!value)
		return -EBADMSG;
	*value++ = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (strcmp(fields[i].key, line) == 0 && strlen(value) < TEXT_MAX) {
			memcpy((char *)request + fields[i].offset, value, strlen(value) + 1);
			return 0;
		}
	return -EBADMSG;
}

/* One line without its end; false at the end of the file, or where the line is cut short. */
static bool read_line(FILE *from, char line[static REQUEST_LINE_BYTES])
{
	char *end;

	*line = '\0';
	if (!fgets(line, REQUEST_LINE_BYTES, from))
		return false;
	end = strchr(line, '\n');
	if (!end)
		return false;
	*end = '\0';
	return true;
}

int request_read(FILE *from, struct request *ret)
{
	struct request request = {0};
	char line[REQUEST_LINE_BYTES];

	if (!read_line(from, line) || strcmp(line, WORD) != 0)
		return -EBADMSG;
	while (read_line(from, line))
		if (read_field(&request, line) < 0)
			return -EBADMSG;
	/* The last line was too long, or has no end. */
	if (!feof(from) || *line)
		return -EBADMSG;
	*ret = request;
	return 0;
}
