/* SPDX-License-Identifier: MIT */
/* finding.c - findings as text, both ways. Apart from the choice itself, so that the service has no
 * part of that in it. */
#include "flash/finding.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "base/util.h"

/* As the errors of the kernel are. */
#define ERROR_MAX 4095

/* Longer than a path with a key and numbers before it. */
#define LINE_BYTES (2 * PATH_MAX)

void finding_done(struct finding *finding)
{
	library_choice_done(&finding->choice);
	*finding = (struct finding){0};
}

/* The texts of a finding, but for its reason. */
static const struct {
	const char *key;
	size_t offset; /* of a char * in struct finding */
} texts[] = {
	{"name", offsetof(struct finding, choice.name)},
	{"version", offsetof(struct finding, choice.version)},
	{"requires", offsetof(struct finding, choice.requires)},
	{"stamp", offsetof(struct finding, choice.stamp)},
};

static int write_text(const char *key, const char *value, FILE *to)
{
	if (value && strchr(value, '\n'))
		return -EINVAL;
	if (value)
		fprintf(to, "%s %s\n", key, value);
	return 0;
}

int finding_write(const struct finding *finding, FILE *to)
{
	const struct rollout_span *span = &finding->choice.span;
	int r = write_text("reason", finding->reason.text, to);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(texts); i++)
		r = write_text(texts[i].key,
			*(char *const *)((const char *)finding + texts[i].offset), to);
	for (char **part = finding->choice.parts; part && *part && r == 0; part++)
		r = write_text("part", *part, to);
	if (r < 0)
		return r;
	fprintf(to, "address %d\ndue %" PRIu64 "\n", finding->choice.has_address,
		finding->choice.due_usec);
	fprintf(to, "share-from %u\nshare-below %u\nof-held %d\nuntil %" PRId64 "\nresult %d\n",
		span->from, span->below, span->is_of_held, span->until_s, finding->result);
	return ferror(to) ? -EIO : 0;
}

/* More than any image names are no answer. */
static int take_part(struct library_choice *choice, const char *value)
{
	char **grown;
	size_t n = 0;

	while (choice->parts && choice->parts[n])
		n++;
	if (n == FLASHER_ARGS_MAX_PARTS)
		return -EBADMSG;
	grown = realloc(choice->parts, (n + 2) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	choice->parts = grown;
	grown[n + 1] = NULL;
	grown[n] = strdup(value);
	return grown[n] ? 0 : -ENOMEM;
}

/* Whether there is such a key, and the number may be its value. */
static bool take_number(struct finding *finding, const char *key, long long number)
{
	struct library_choice *choice = &finding->choice;
	bool is_share = number >= 0 && number <= ROLLOUT_SHARES;

	if (strcmp(key, "result") == 0 && number >= -ERROR_MAX && number <= LIBRARY_AWAITED)
		finding->result = (int)number;
	else if (number < 0)
		return false;
	else if (strcmp(key, "address") == 0)
		choice->has_address = number != 0;
	else if (strcmp(key, "due") == 0)
		choice->due_usec = (uint64_t)number;
	else if (strcmp(key, "share-from") == 0 && is_share)
		choice->span.from = (unsigned)number;
	else if (strcmp(key, "share-below") == 0 && is_share)
		choice->span.below = (unsigned)number;
	else if (strcmp(key, "of-held") == 0)
		choice->span.is_of_held = number != 0;
	else if (strcmp(key, "until") == 0 && number <= ROLLOUT_UNTIL_MOST)
		choice->span.until_s = number;
	else
		return false;
	return true;
}

static int take_line(struct finding *finding, const char *key, const char *value)
{
	long long number;
	char *end;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char **text = (char **)((char *)finding + texts[i].offset);

		if (strcmp(texts[i].key, key) != 0)
			continue;
		free(*text);
		*text = strdup(value);
		return *text ? 0 : -ENOMEM;
	}
	if (strcmp(key, "part") == 0)
		return take_part(&finding->choice, value);
	if (strcmp(key, "reason") == 0) {
		reason_set(&finding->reason, "%s", value);
		return 0;
	}
	errno = 0;
	number = strtoll(value, &end, 10);
	if (errno != 0 || end == value || *end)
		return -EBADMSG;
	return take_number(finding, key, number) ? 0 : -EBADMSG;
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

/* Whether it has all fields that the rest of the service relies on. */
static bool is_complete(const struct finding *finding)
{
	const struct library_choice *choice = &finding->choice;

	if (finding->result == LIBRARY_OK || finding->result == LIBRARY_AWAITED || choice->stamp)
		return choice->name && choice->version && choice->stamp;
	return true;
}

int finding_read(char **at, struct finding *ret,
	void (*on_folder)(void *userdata, const char *path), void *userdata)
{
	CLEANUP(finding_done) struct finding finding = {0};
	char *line, *value;
	size_t n_folders = 0;
	int r = 0;

	while ((line = strsep(at, "\n")) && *at) {
		bool is_end = strncmp(line, "result ", strlen("result ")) == 0;

		value = strchr(line, ' ');
		if (!value || !is_plain(line)) {
			r = -EBADMSG;
		} else {
			*value++ = '\0';
			if (strcmp(line, "folder") == 0 && n_folders++ < FINDING_FOLDERS_MAX)
				on_folder(userdata, value);
			else if (r == 0)
				r = take_line(&finding, line, value);
		}
		if (!is_end)
			continue;
		if (r == 0 && !is_complete(&finding))
			r = -EBADMSG;
		if (r == 0) {
			*ret = finding;
			finding = (struct finding){0};
		}
		return r;
	}
	return -EBADMSG;
}
