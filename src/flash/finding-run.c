/* SPDX-License-Identifier: MIT */
/* finding-run.c - the choice itself, in the worker program. */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "flash/finding.h"
#include "flash/job-image.h"

struct search {
	FILE *to;
	size_t n_folders;
};

static void on_folder(void *userdata, const char *path)
{
	struct search *search = userdata;

	if (!strchr(path, '\n') && search->n_folders++ < FINDING_FOLDERS_MAX)
		fprintf(search->to, "folder %s\n", path);
}

/* The store keeps names escaped, as they are shown in messages. */
static bool has_told_name(const struct library_candidate *candidate, const char *told)
{
	char shown[TEXT_MAX];

	return strcmp(text_escape(candidate->name, shown, sizeof(shown)), told) == 0;
}

/*
 * The file of the previous image's name, else any but the one that failed: the file may have been
 * renamed, and the attempt looks for its digest. NULL where there is none.
 */
static const struct library_candidate *find_previous(
	const struct library_list *list, const struct assignment *assignment)
{
	const struct library_candidate *other = NULL;

	for (size_t i = 0; i < list->n_items; i++) {
		const struct library_candidate *candidate = &list->items[i];

		if (candidate->state == LIBRARY_CANDIDATE_PASSED_OVER)
			continue;
		if (has_told_name(candidate, assignment->previous))
			return candidate;
		if (!assignment->failed || !has_told_name(candidate, assignment->failed))
			other = candidate;
	}
	return other;
}

/* A fault of the image that failed does not matter here. */
static int choose_previous(
	const struct library_query *query, const struct assignment *assignment, struct finding *ret)
{
	CLEANUP(library_choice_done) struct library_choice choice = {0};
	CLEANUP(library_list_done) struct library_list list = {0};
	const struct library_candidate *found;
	int r = library_list(query, &list, &choice, &ret->reason);

	if (r < 0)
		return r;
	found = find_previous(&list, assignment);
	if (!found)
		return LIBRARY_NONE;
	ret->choice.name = strdup(found->name);
	ret->choice.version = strdup(found->version);
	ret->choice.stamp = strdup("");
	return ret->choice.name && ret->choice.version && ret->choice.stamp ? LIBRARY_OK : -ENOMEM;
}

int finding_run(FILE *from, FILE *to)
{
	struct search search = {.to = to};
	int r;

	do {
		CLEANUP(assignment_done) struct assignment assignment = {0};
		struct reason reason;

		r = assignment_read(from, &assignment, &reason);
		if (r == -EPIPE) /* no more of them */
			return 0;
		if (r == 0) {
			CLEANUP(finding_done) struct finding finding = {0};
			struct library_query query = job_image_query(&assignment);

			query.on_folder = on_folder;
			query.userdata = &search;
			finding.result =
				assignment.previous
					? choose_previous(&query, &assignment, &finding)
					: library_choose(&query, &finding.choice, &finding.reason);
			r = finding_write(&finding, to);
			/* It is good also where a later rule's folder never answers. */
			if (r == 0 && fflush(to) != 0)
				r = -errno;
		}
	} while (r == 0);
	return r < 0 ? r : -EBADMSG;
}
