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
#include "image/flasher-args.h"
#include "image/folder.h"
#include "image/library-doubt.h"
#include "image/library-look.h"
#include "image/library-parts.h"
#include "image/library-rollout.h"
#include "image/library-search.h"
#include "image/version.h"
#include "rules/protocol-words.h"

/* The file that was found a moment ago may be gone: the whole directory may be swapped. */
#define MAX_TRIES 3

struct library_query library_query_for(const struct config *config, const struct board *board)
{
	return (struct library_query){
		.directory = config->service.image_dir,
		.glob = board->image,
		.version_in_name = board->version_in_name,
		.needs_version = board->update == BOARD_UPDATE_NEWER,
		.asks_version = protocol_compares_versions(board),
		.board = board->name,
		.require_signature = config->service.require_signature,
		.accept_legacy_signatures = config->service.accept_legacy_signatures,
		.trusted_keys = config->service.trusted_keys,
	};
}

/* ------------------------------------------------------------------ who can read it */

enum access_right { MAY_READ = 4, MAY_ENTER = 1 };

static bool may(const struct library_reader *reader, const struct stat *status, unsigned what)
{
	unsigned mode = status->st_mode;

	if (reader->uid == 0)
		return true;
	if (status->st_uid == reader->uid)
		return (mode >> 6 & what) == what;
	for (size_t i = 0; i < reader->n_groups; i++)
		if (reader->groups[i] == status->st_gid)
			return (mode >> 3 & what) == what;
	return (mode & what) == what;
}

static int refuse_reader(struct library_candidate *candidate, const char *what, const char *name,
	const char *user, const char *mode)
{
	char shown[TEXT_MAX / 2], shown_user[TEXT_MAX / 2];

	return library_tell_why(candidate, LIBRARY_REFUSED,
		"%s '%s' is not readable for the user %s (chmod %s)", what,
		text_escape(name, shown, sizeof(shown)),
		text_escape(user, shown_user, sizeof(shown_user)), mode);
}

/*
 * All folders of a path, from the first on; its last part is one where `is_listed`, and is read
 * then. A relative path begins at the open folder `at`. A folder that is gone by now is reported by
 * the search.
 */
static int check_folders(const struct library_query *query, int at, const char *path,
	bool is_listed, struct library_candidate *candidate)
{
	char folder[PATH_MAX];

	for (const char *end = strchr(path + 1, '/');; end = strchr(end + 1, '/')) {
		size_t n = end ? (size_t)(end - path) : strlen(path);
		unsigned what = is_listed && !end ? MAY_READ | MAY_ENTER : MAY_ENTER;
		struct stat status;

		if (!end && !is_listed)
			return LIBRARY_OK;
		if (n >= sizeof(folder))
			return LIBRARY_OK;
		memcpy(folder, path, n);
		folder[n] = '\0';
		if (fstatat(at, folder, &status, 0) == 0 && !may(query->reader, &status, what))
			return refuse_reader(
				candidate, "the folder", folder, query->reader->name, "755");
		if (!end)
			return LIBRARY_OK;
	}
}

/* The folders of one file of the image, which is there. */
static int check_file_folders(const struct library_query *query, int root, const char *file,
	struct library_candidate *candidate)
{
	CLEANUP(freep) char *path = NULL;

	if (text_format(&path, "%.*s%s", (int)(basename(candidate->name) - candidate->name),
		    candidate->name, file) < 0)
		return -ENOMEM;
	return check_folders(query, root, path, false, candidate);
}

/* The part cannot be read by this process: as the file itself, by its mode. */
static int check_own_access(
	int root, const struct library_files *files, struct library_candidate *candidate)
{
	char user[FOLDER_USER_MAX];

	if (faccessat(root, candidate->name, R_OK, 0) < 0 && errno == EACCES)
		return refuse_reader(candidate, "the file", files->items[LIBRARY_FILE_IMAGE].name,
			folder_user(user), "644");
	for (size_t i = 0; i < files->n_parts; i++) {
		CLEANUP(freep) char *path = NULL;

		if (text_format(&path, "%.*s%s", (int)(basename(candidate->name) - candidate->name),
			    candidate->name, files->parts[i].name) < 0)
			return -ENOMEM;
		if (faccessat(root, path, R_OK, 0) < 0 && errno == EACCES)
			return refuse_reader(candidate, "the file", files->parts[i].name,
				folder_user(user), "644");
	}
	return LIBRARY_OK;
}

/*
 * Whether the candidate's files and folders can be read: by the query's reader, else by this
 * process. By mode bits for another user, since root itself can read everything: a file that root
 * copied under umask 077 is found by root and not by the service. 0, LIBRARY_REFUSED with the
 * candidate's `why`, or -ENOMEM.
 */
static int check_access(const struct library_query *query, int root,
	const struct library_files *files, struct library_candidate *candidate)
{
	const struct library_reader *reader = query->reader;
	int r;

	if (!reader)
		return check_own_access(root, files, candidate);
	r = check_folders(query, AT_FDCWD, query->directory, true, candidate);
	for (size_t i = 0; i < library_files_count(files) && r == LIBRARY_OK; i++) {
		const struct library_file_status *file = library_files_at(files, i);

		if (!file->exists)
			continue;
		r = check_file_folders(query, root, file->name, candidate);
		if (r == LIBRARY_OK && !may(reader, &file->status, MAY_READ))
			r = refuse_reader(candidate, "the file", file->name, reader->name, "644");
	}
	return r;
}

/* ------------------------------------------------------------------ whether it may be used */

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
	if (files->n_parts > 0 && library_parts_paths(candidate->name, files, &ret->parts) < 0)
		return -ENOMEM;
	return library_files_stamp(files, &ret->stamp);
}

/* Owners and modes of image and parts, and which kinds of files these are. */
static int check_owners(const struct library_query *query, int root,
	const struct library_files *files, struct library_candidate *candidate)
{
	const struct library_file_status *image = &files->items[LIBRARY_FILE_IMAGE];
	const struct folder_owners owners = library_owners(query, root);
	char distrust[200];
	struct reason why;
	int r = 0;

	if (!folder_is_trusted(&image->status, owners, distrust, sizeof(distrust)))
		return library_tell_why(candidate, LIBRARY_REFUSED, "%s", distrust);
	if (files->n_parts > 0)
		r = library_parts_check(root, candidate->name, files, owners, &why);
	return r > 0 ? library_tell_why(candidate, LIBRARY_REFUSED, "%s", why.text) : r;
}

/* Whether what is whole may be used. */
static int check_files(const struct library_query *query, int root,
	const struct library_files *files, struct library_candidate *candidate)
{
	const struct library_file_status *missing = library_files_missing(files);
	const struct library_file_status *signature = &files->items[library_files_signature(files)];
	char shown[TEXT_MAX];
	int r;

	if (missing)
		return library_tell_why(candidate, LIBRARY_REFUSED,
			"its part '%s' is not there: copy all files that it names, in their folders",
			text_escape(missing->name, shown, sizeof(shown)));
	r = check_owners(query, root, files, candidate);
	if (r != LIBRARY_OK)
		return r;
	if (query->require_signature && !signature->exists)
		return library_tell_why(candidate, LIBRARY_REFUSED,
			"it is not signed: there is no '%s', and require-signature = yes",
			text_escape(signature->name, shown, sizeof(shown)));
	return check_access(query, root, files, candidate);
}

/*
 * The candidate that is meant: whole, as far as its files tell; then whether it may be used. 0,
 * LIBRARY_AWAITED, LIBRARY_REFUSED; -ENOENT: it is gone.
 */
static int judge(const struct library_query *query, int root, struct library_candidate *candidate,
	struct library_choice *choice)
{
	CLEANUP(library_files_done) struct library_files files = {};
	struct copy_rule rule;
	struct reason why;
	int r = library_files_look(root, candidate->name, &files);

	candidate->state = LIBRARY_CANDIDATE_MEANT;
	if (r < 0)
		return r;
	candidate->size = library_files_bytes(&files);
	if (query->on_folder && files.n_parts > 0)
		library_parts_tell_folders(root, candidate->name, &files, query);
	r = fill_choice(candidate, &files, choice);
	if (r == 0 && files.fault.text[0] && !candidate->why)
		r = library_tell_why(candidate, 0, "%s", files.fault.text);
	if (r < 0)
		return r;
	rule = (struct copy_rule){
		.rest_usec = query->rest_usec,
		.needs_signature = query->require_signature,
		.is_wrong = candidate->why != NULL,
		.has_size = candidate->has_size,
		.size = candidate->manifest_size,
		.has_digest = candidate->sha256 != NULL,
	};
	if (copy_judge(&rule, &files, realtime_usec(), &choice->due_usec, &why) != COPY_WHOLE)
		return library_tell_why(candidate, LIBRARY_AWAITED, "%s", why.text);
	return candidate->why ? LIBRARY_REFUSED : check_files(query, root, &files, candidate);
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
		CLEANUP(library_files_done) struct library_files files = {};
		struct library_candidate *candidate = &list->items[i];
		struct stat status;

		if (fstatat(root, candidate->name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
			!S_ISREG(status.st_mode))
			continue;
		candidate->size = (uint64_t)status.st_size;
		if (flasher_args_is_name(candidate->name) &&
			library_files_look(root, candidate->name, &files) == 0)
			candidate->size = library_files_bytes(&files);
	}
}

/* All were passed over. That one is not yet for this unit is no fault of a file. */
static int explain_none(const struct library_list *list, struct reason *reason)
{
	const struct library_candidate *withheld = NULL;

	for (size_t i = 0; i < list->n_items; i++)
		if (list->items[i].is_withheld &&
			(!withheld || compare_candidates(&list->items[i], withheld) < 0))
			withheld = &list->items[i];
	reason_set(reason, "%s", withheld ? withheld->why : list->items[0].why);
	return withheld ? LIBRARY_NONE : LIBRARY_REFUSED;
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
	r = library_roll_out(query, root, realtime_usec(), list, &choice->span, reason);
	if (r == 0)
		r = library_doubt(query, list);
	if (r < 0)
		return r;
	meant = find_meant(list);
	if (!meant && list->n_items == 0)
		return LIBRARY_NONE; /* the search has set the reason */
	if (!meant || library_rollout_keeps(query, list, meant))
		return explain_none(list, reason);
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
