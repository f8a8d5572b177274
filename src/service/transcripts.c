/* SPDX-License-Identifier: MIT */
/*
 * transcripts.c - see transcripts.h.
 *
 * The names rise with the time of their jobs, so that the oldest are known without a look into the
 * files. The folder is read when a job begins: it is the service's own, beside its store, and has
 * at most a thousand names.
 */
#include "service/transcripts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/names.h"
#include "base/text.h"
#include "base/util.h"

static int open_folder(const char *state, int *ret_fd)
{
	CLEANUP(closep) int at = open(state, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (at < 0)
		return -errno;
	if (mkdirat(at, NAME_TRANSCRIPTS, 0750) < 0 && errno != EEXIST)
		return -errno;
	*ret_fd = openat(at, NAME_TRANSCRIPTS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *ret_fd < 0 ? -errno : 0;
}

static int is_transcript(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && text_ends_with(entry->d_name, TRANSCRIPTS_SUFFIX);
}

struct names {
	struct dirent **items;
	int n_items;
};

static void names_done(struct names *names)
{
	for (int i = 0; i < names->n_items; i++)
		free(names->items[i]);
	free(names->items);
}

static const char *find_job(const struct names *names, const char *job)
{
	char ending[64];

	snprintf(ending, sizeof(ending), "-%s" TRANSCRIPTS_SUFFIX, job);
	for (int i = 0; i < names->n_items; i++)
		if (text_ends_with(names->items[i]->d_name, ending))
			return names->items[i]->d_name;
	return NULL;
}

/* So that there is room for one more. */
static void remove_oldest(int folder, const struct names *names, uint32_t most)
{
	for (int i = 0; i + (int64_t)most <= names->n_items; i++)
		(void)unlinkat(folder, names->items[i]->d_name, 0);
}

static int open_new(int folder, const char *job, int *ret_fd)
{
	int64_t usec = realtime_usec();
	time_t now = (time_t)(usec / (int64_t)USEC_PER_SEC);
	char time[32] = "", name[128];
	struct tm utc;

	if (gmtime_r(&now, &utc))
		(void)strftime(time, sizeof(time), "%Y%m%dT%H%M%S", &utc);
	/* Jobs follow one another within a second, too. */
	snprintf(name, sizeof(name), "%s.%06uZ-%s" TRANSCRIPTS_SUFFIX, time,
		(unsigned)(usec % (int64_t)USEC_PER_SEC), job);
	*ret_fd = openat(folder, name,
		O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0640);
	return *ret_fd < 0 ? -errno : 0;
}

int transcripts_open(const struct transcripts *transcripts, const char *job, int *ret_fd)
{
	CLEANUP(names_done) struct names names = {0};
	CLEANUP(closep) int folder = -1;
	const char *name;
	int r;

	*ret_fd = -1;
	if (!transcripts->state || transcripts->most == 0)
		return 0;
	r = open_folder(transcripts->state, &folder);
	if (r < 0)
		return r;
	names.n_items = scandirat(folder, ".", &names.items, is_transcript, alphasort);
	if (names.n_items < 0) {
		names.n_items = 0;
		return -errno;
	}
	name = find_job(&names, job);
	if (!name) {
		remove_oldest(folder, &names, transcripts->most);
		return open_new(folder, job, ret_fd);
	}
	*ret_fd = openat(folder, name, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	return *ret_fd < 0 ? -errno : 0;
}
