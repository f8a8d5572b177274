/* SPDX-License-Identifier: MIT */
/* finding.c - findings as text, both ways. Apart from the choice itself, so that the service has no
 * part of that in it. */
#include "flash/finding.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/util.h"

/* As the errors of the kernel are. */
#define ERROR_MAX 4095

/* Longer than a path with a key and numbers before it. */
#define LINE_BYTES (2 * PATH_MAX)

void finding_done(struct finding *finding)
{
	free(finding->choice.name);
	free(finding->choice.version);
	free(finding->choice.requires);
	free(finding->choice.identity);
	*finding = (struct finding){0};
}

int finding_write(const struct finding *finding, FILE *to)
{
	const struct library_choice *choice = &finding->choice;
	const struct {
		const char *key, *value;
	} texts[] = {
		{"name", choice->name},
		{"version", choice->version},
		{"requires", choice->requires},
		{"identity", choice->identity},
		{"reason", finding->reason.text},
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (texts[i].value && strchr(texts[i].value, '\n'))
			return -EINVAL;
		if (texts[i].value)
			fprintf(to, "%s %s\n", texts[i].key, texts[i].value);
	}
	fprintf(to, "address %d\ndue %" PRIu64 "\nresult %d\n", choice->has_address,
		choice->due_usec, finding->result);
	return ferror(to) ? -EIO : 0;
}

void finding_write_folder(const char *path, const struct stat *status, FILE *to)
{
	fprintf(to, "folder %ju %ju %jd %ld %jd %ld %s\n", (uintmax_t)status->st_dev,
		(uintmax_t)status->st_ino, (intmax_t)status->st_mtim.tv_sec,
		status->st_mtim.tv_nsec, (intmax_t)status->st_ctim.tv_sec, status->st_ctim.tv_nsec,
		path);
}

/* Takes a number and the blank behind it. False: there is none. */
static bool take_number(char **at, int64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoll(*at, &end, 10);
	if (errno != 0 || end == *at || (*end != ' ' && *end != '\0'))
		return false;
	*at = *end ? end + 1 : end;
	return true;
}

/* The path of a folder, and what it was; NULL: the line is none. */
static const char *take_folder(char *value, struct stat *ret)
{
	int64_t items[6];

	for (size_t i = 0; i < ARRAY_SIZE(items); i++)
		if (!take_number(&value, &items[i]))
			return NULL;
	*ret = (struct stat){
		.st_dev = (dev_t)items[0],
		.st_ino = (ino_t)items[1],
		.st_mtim = {.tv_sec = items[2], .tv_nsec = items[3]},
		.st_ctim = {.tv_sec = items[4], .tv_nsec = items[5]},
	};
	return value;
}

/* One text of the finding; NULL: the key is of no text. */
static char **text_of(struct finding *finding, const char *key)
{
	const struct {
		const char *key;
		char **text;
	} texts[] = {
		{"name", &finding->choice.name},
		{"version", &finding->choice.version},
		{"requires", &finding->choice.requires},
		{"identity", &finding->choice.identity},
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (strcmp(texts[i].key, key) == 0)
			return texts[i].text;
	return NULL;
}

static int take_line(struct finding *finding, const char *key, char *value)
{
	char **text = text_of(finding, key);
	int64_t number = 0;

	if (text) {
		free(*text);
		*text = strdup(value);
		return *text ? 0 : -ENOMEM;
	}
	if (strcmp(key, "reason") == 0) {
		reason_set(&finding->reason, "%s", value);
		return 0;
	}
	if (!take_number(&value, &number))
		return -EBADMSG;
	if (strcmp(key, "address") == 0)
		finding->choice.has_address = number != 0;
	else if (strcmp(key, "due") == 0 && number >= 0)
		finding->choice.due_usec = (uint64_t)number;
	else if (strcmp(key, "result") == 0 && number >= -ERROR_MAX && number <= LIBRARY_AWAITED)
		finding->result = (int)number;
	else
		return -EBADMSG;
	return 0;
}

/* Names go on into assignments and the journal: no control characters, and none too long. */
static bool is_plain(const char *line)
{
	size_t n = strlen(line);

	for (const char *c = line; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			return false;
	return n < LINE_BYTES && text_is_utf8(line, n);
}

/* What the rest of the service relies on. */
static bool is_complete(const struct finding *finding)
{
	const struct library_choice *choice = &finding->choice;

	if (finding->result == LIBRARY_OK || finding->result == LIBRARY_AWAITED)
		return choice->name && choice->version && choice->identity;
	return true;
}

int finding_read(char **at, struct finding *ret,
	void (*on_folder)(void *userdata, const char *path, const struct stat *status),
	void *userdata)
{
	CLEANUP(finding_done) struct finding finding = {0};
	char *line, *value;

	while ((line = strsep(at, "\n")) && *at) {
		const char *path = NULL;
		struct stat status;
		int r = 0;

		value = strchr(line, ' ');
		if (!value || !is_plain(line))
			return -EBADMSG;
		*value++ = '\0';
		if (strcmp(line, "folder") != 0)
			r = take_line(&finding, line, value);
		else if ((path = take_folder(value, &status)))
			on_folder(userdata, path, &status);
		else
			r = -EBADMSG;
		if (r < 0)
			return r;
		if (strcmp(line, "result") != 0)
			continue;
		if (!is_complete(&finding))
			return -EBADMSG;
		*ret = finding;
		finding = (struct finding){0};
		return 0;
	}
	return -EBADMSG;
}
