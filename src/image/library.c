/* SPDX-License-Identifier: MIT */
/*
 * library.c - which file of the image directory a rule gets.
 *
 * Names, times and manifests decide, and no image is read, so that choosing among thousands takes
 * milliseconds. library_load() checks everything again on the bytes that are used.
 */
#include "image/library.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "image/copy.h"
#include "image/folder.h"
#include "image/library-access.h"
#include "image/library-doubt.h"
#include "image/library-files.h"
#include "image/library-search.h"
#include "image/version.h"

/* The file that was found a moment ago may be gone: the whole directory may be swapped. */
#define MAX_TRIES 3

struct library_query library_query_for(const struct config *config, const struct board *board)
{
	return (struct library_query){
		.directory = config->service.image_dir,
		.glob = board->image,
		.version_in_name = board->version_in_name,
		.needs_version = board->update == BOARD_UPDATE_NEWER,
		.asks_version = board->application.version_pattern != NULL,
		.board = board->name,
		.require_signature = config->service.require_signature,
		.accept_legacy_signatures = config->service.accept_legacy_signatures,
		.trusted_keys = config->service.trusted_keys,
	};
}

/* The result, unless there was no memory to tell why. */
static int with_reason(int result, int told)
{
	return told < 0 ? told : result;
}

static int fill_choice(const struct library_candidate *candidate, const struct library_files *files,
	struct library_choice *ret)
{
	ret->name = strdup(candidate->name);
	ret->version = strdup(candidate->version);
	ret->has_address = candidate->has_address;
	if (candidate->requires)
		ret->requires = strdup(candidate->requires);
	if (!ret->name || !ret->version || (candidate->requires && !ret->requires))
		return -ENOMEM;
	return library_files_identity(files, &ret->identity);
}

/*
 * The candidate that is meant: whole, as far as its files tell; then whether it may be used. 0,
 * LIBRARY_AWAITED, LIBRARY_REFUSED; -ENOENT: it is gone.
 */
static int judge(const struct library_query *query, int root, struct library_candidate *candidate,
	struct library_choice *choice)
{
	const struct copy_rule rule = {
		.rest_usec = query->rest_usec,
		.needs_signature = query->require_signature,
		.is_wrong = candidate->why != NULL,
		.has_size = candidate->has_size,
		.size = candidate->manifest_size,
	};
	struct library_files files = {};
	const struct library_file_status *signature, *image = &files.items[LIBRARY_FILE_IMAGE];
	char shown[TEXT_MAX], distrust[200];
	struct reason why;
	int r = library_files_look(root, candidate->name, &files);

	candidate->state = LIBRARY_CANDIDATE_MEANT;
	if (r < 0)
		return r;
	candidate->size = (uint64_t)image->status.st_size;
	r = fill_choice(candidate, &files, choice);
	if (r < 0)
		return r;
	if (copy_judge(&rule, &files, realtime_usec(), &choice->due_usec, &why) != COPY_WHOLE)
		return with_reason(LIBRARY_AWAITED, library_tell_why(candidate, "%s", why.text));
	if (candidate->why)
		return LIBRARY_REFUSED;
	if (!query->any_owner && !folder_is_trusted(&image->status, distrust, sizeof(distrust)))
		return with_reason(LIBRARY_REFUSED, library_tell_why(candidate, "%s", distrust));
	signature = &files.items[library_files_signature(&files)];
	if (query->require_signature && !signature->exists)
		return with_reason(LIBRARY_REFUSED,
			library_tell_why(candidate,
				"it is not signed: there is no '%s', and require-signature = yes",
				text_escape(signature->name, shown, sizeof(shown))));
	return library_access(query, root, &files, candidate);
}

/* ------------------------------------------------------------------ the highest */

static int compare_candidates(const void *a, const void *b)
{
	const struct library_candidate *one = a, *other = b;
	int order = version_compare(other->version, one->version);

	if (one->hides_version != other->hides_version)
		return one->hides_version ? -1 : 1;
	return order != 0 ? order : strverscmp(other->name, one->name);
}

static struct library_candidate *find_meant(struct library_list *list)
{
	struct library_candidate *best = NULL;

	for (size_t i = 0; i < list->n_items; i++)
		if (list->items[i].state != LIBRARY_CANDIDATE_PASSED_OVER &&
			(!best || compare_candidates(&list->items[i], best) < 0))
			best = &list->items[i];
	return best;
}

/* Sizes, for the list that a person reads. A file that is gone by now has none. */
static void fill_sizes(int root, struct library_list *list)
{
	for (size_t i = 0; i < list->n_items; i++) {
		struct stat status;

		if (fstatat(root, list->items[i].name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(status.st_mode))
			list->items[i].size = (uint64_t)status.st_size;
	}
}

static int choose_once(const struct library_query *query, bool is_listed, struct library_list *list,
	struct library_choice *choice, struct reason *reason)
{
	CLEANUP(closep) int root = -1;
	struct library_candidate *meant;
	char shown[TEXT_MAX];
	int r = library_search(query, &root, list, reason);

	if (r != LIBRARY_OK)
		return r;
	if (is_listed)
		fill_sizes(root, list);
	r = library_doubt(query, list);
	if (r < 0)
		return r;
	meant = find_meant(list);
	if (!meant && list->n_items == 0)
		return LIBRARY_NONE; /* the search has set the reason */
	if (!meant) {
		reason_set(reason, "%s", list->items[0].why); /* all were passed over */
		return LIBRARY_REFUSED;
	}
	if (is_listed && library_note(query, list, meant) < 0)
		return -ENOMEM;
	r = judge(query, root, meant, choice);
	if (r < 0)
		reason_set(reason, "image '%s': %s", text_escape(meant->name, shown, sizeof(shown)),
			strerror(-r));
	else if (r > 0)
		reason_set(reason, "%s", meant->why);
	return r;
}

/* As library_list(), with the list in no order. */
static int choose(const struct library_query *query, bool is_listed, struct library_list *ret,
	struct library_choice *ret_choice, struct reason *reason)
{
	for (unsigned i = 1;; i++) {
		CLEANUP(library_list_done) struct library_list list = {};
		CLEANUP(library_choice_done) struct library_choice choice = {};
		int r = choose_once(query, is_listed, &list, &choice, reason);

		if (r == -ENOENT && i < MAX_TRIES)
			continue;
		if (r < 0)
			return r;
		*ret = list;
		list = (struct library_list){};
		*ret_choice = choice;
		choice = (struct library_choice){};
		return r;
	}
}

int library_choose(
	const struct library_query *query, struct library_choice *ret, struct reason *reason)
{
	CLEANUP(library_list_done) struct library_list list = {};

	return choose(query, false, &list, ret, reason);
}

int library_list(const struct library_query *query, struct library_list *ret,
	struct library_choice *ret_choice, struct reason *reason)
{
	int r = choose(query, true, ret, ret_choice, reason);

	if (r >= 0 && ret->n_items > 0)
		qsort(ret->items, ret->n_items, sizeof(*ret->items), compare_candidates);
	return r;
}
