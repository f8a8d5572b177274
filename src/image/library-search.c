/* SPDX-License-Identifier: MIT */
/*
 * library-search.c - going through the image directory along a glob, folder by folder.
 *
 * Each part of the glob between slashes is one step down. A part without wildcards is opened by its
 * name; one with wildcards costs a listing. Of the last part each file that fits becomes a
 * candidate, with the version and the other facts of its manifest or its name; files that cannot be
 * meant are passed over with the reason, so that a person sees why. No image is opened.
 */
#include "image/library-search.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "image/flasher-args.h"
#include "image/folder.h"
#include "image/library-look.h"
#include "image/listing.h"

#define MAX_PARTS   16	  /* of a glob, between slashes */
#define MAX_ENTRIES 65536 /* looked at in one search */

struct search {
	const struct library_query *query;
	const char *parts[MAX_PARTS]; /* of the glob */
	size_t n_parts;
	size_t n_entries;
	int root;
	struct folder_owners owners;
	struct version_pattern pattern; /* of the rule, for names */
	struct reason distrust;		/* of the folder that is looked at; "": none */
	char *missing;			/* a folder of the glob that is not there, or NULL */
	char *unlike; /* one of the files that do not fit the last part, or NULL */
	size_t n_unlike;
	char *passed_by; /* one with an ending that is never taken, or NULL */
	struct library_list list;
	struct reason *reason;
};

static void search_done(struct search *search)
{
	library_list_done(&search->list);
	closep(&search->root);
	version_pattern_done(&search->pattern);
	free(search->missing);
	free(search->unlike);
	free(search->passed_by);
}

/* The environment failed below the directory: better no answer than an older image. */
static int search_failed(struct search *search, int error, const char *path)
{
	char shown[TEXT_MAX], shown_directory[TEXT_MAX];

	return reason_refuse(error, search->reason, "'%s' in image directory '%s': %s",
		text_escape(path, shown, sizeof(shown)),
		text_escape(search->query->directory, shown_directory, sizeof(shown_directory)),
		strerror(-error));
}

/* ------------------------------------------------------------------ names */

/* Names go through lines of text to the worker and into the journal. */
static bool is_plain_text(const char *name)
{
	for (const char *c = name; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			return false;
	return text_is_utf8(name, strlen(name));
}

/* ------------------------------------------------------------------ candidates */

/* Takes the name. The candidate, or NULL without memory. */
static struct library_candidate *add_candidate(struct search *search, char **path)
{
	struct library_list *list = &search->list;
	struct library_candidate *grown = room_for_one(list->items, list->n_items, sizeof(*grown));

	if (!grown)
		return NULL;
	list->items = grown;
	grown += list->n_items++;
	*grown = (struct library_candidate){
		.name = TAKE_PTR(*path), .state = LIBRARY_CANDIDATE_OLDER};
	return grown;
}

/* The version of its name, or why there is none that is certain. 0 or -ENOMEM. */
static int take_name(struct search *search, struct library_candidate *candidate)
{
	struct version_name found;
	char folder[PATH_MAX];

	version_from_name(&search->pattern,
		flasher_args_version_path(candidate->name, folder, sizeof(folder)), &found);
	candidate->kind = found.kind;
	candidate->version = strdup(found.version);
	if (found.kind == VERSION_NAME_UNSURE)
		candidate->doubt = strdup(found.why);
	return candidate->version && (found.kind != VERSION_NAME_UNSURE || candidate->doubt)
		       ? 0
		       : -ENOMEM;
}

static int pass_over(struct search *search, char **path, const char *why)
{
	struct library_candidate *candidate = add_candidate(search, path);

	if (!candidate)
		return search_failed(search, -ENOMEM, "");
	candidate->state = LIBRARY_CANDIDATE_PASSED_OVER;
	if (take_name(search, candidate) < 0 || library_tell_why(candidate, 0, "%s", why) < 0)
		return search_failed(search, -ENOMEM, "");
	return 0;
}

/* Takes those keys of the manifest that the choice depends on. 0 or -ENOMEM. */
static int take_manifest(
	struct search *search, struct library_candidate *candidate, struct manifest *manifest)
{
	const char *board = search->query->board;
	struct version_name found = {.kind = VERSION_NAME_NONE};
	char shown[TEXT_MAX];

	if (manifest->version)
		version_from_name(NULL, manifest->version, &found);
	candidate->kind = found.kind == VERSION_NAME_DATE ? found.kind : VERSION_NAME_NUMBERS;
	candidate->version = TAKE_PTR(manifest->version);
	candidate->requires = TAKE_PTR(manifest->requires);
	candidate->has_address = manifest->has_address;
	candidate->has_size = manifest->has_size;
	candidate->manifest_size = manifest->size;
	candidate->sha256 = TAKE_PTR(manifest->sha256);
	if (!board || manifest_is_for(manifest, board))
		return 0;
	candidate->state = LIBRARY_CANDIDATE_PASSED_OVER;
	return library_tell_why(candidate, 0, "for board '%s'%s by its manifest, not for '%s'",
		text_escape(manifest->board[0], shown, sizeof(shown)),
		manifest->n_board > 1 ? " and others" : "", board);
}

/* "gate-1.2.0.ini" says nothing of gate-1.2.0.hex, whatever somebody thought. */
static int remark_stray(struct library_candidate *candidate, const char *stray)
{
	char shown[TEXT_MAX / 2], name[TEXT_MAX / 2];

	return text_format(&candidate->remark,
		"'%s' beside it is not its manifest: that would be '%s" MANIFEST_SUFFIX "'",
		text_escape(stray, shown, sizeof(shown)),
		text_escape(basename(candidate->name), name, sizeof(name)));
}

/* Adds a file that fits the glob; `fault` is the reason why it is refused already, or NULL. */
static int consider(struct search *search, int folder, char **path, const char *fault,
	const struct listing_beside *beside)
{
	CLEANUP(manifest_done) struct manifest manifest = {};
	struct library_candidate *candidate = add_candidate(search, path);
	struct reason why = {""};
	bool is_refused;
	int r = -ENOENT;

	if (!candidate)
		return search_failed(search, -ENOMEM, "");
	candidate->may_have_rollout = beside->may_have_rollout;
	if (beside->may_have_manifest)
		r = manifest_load(folder, candidate->name, search->owners, &manifest, NULL, &why);
	is_refused = r == MANIFEST_REFUSED;
	if (r == MANIFEST_OK)
		r = take_manifest(search, candidate, &manifest);
	else if (is_refused)
		r = library_tell_why(candidate, 0, "%s", why.text);
	else if (r == -ENOENT)
		r = 0;
	if (r == 0 && !candidate->version)
		r = take_name(search, candidate);
	candidate->hides_version = is_refused && candidate->version && !*candidate->version;
	if (r == 0 && !candidate->why && fault)
		r = library_tell_why(candidate, 0, "%s", fault);
	if (r == 0 && !candidate->why && search->distrust.text[0])
		r = library_tell_why(candidate, 0, "%s", search->distrust.text);
	if (r == 0 && beside->stray[0])
		r = remark_stray(candidate, beside->stray);
	return r < 0 ? search_failed(search, r, candidate->name) : 0;
}

/* ------------------------------------------------------------------ going down the glob */

static int search_folder(struct search *search, int fd, const char *prefix, size_t depth);

/* One folder down; a link to one is followed where it stays inside. */
static int search_below(struct search *search, int folder, char **path, const char *name,
	bool is_link, size_t depth)
{
	CLEANUP(closep)
	int below = is_link ? folder_open(search->root, *path)
			    : openat(folder, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int fd = below;

	if (below >= 0)
		fd = openat(below, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		return search_folder(search, fd, *path, depth + 1);
	if (below >= 0 || !is_link)
		fd = -errno;
	if (fd == -EXDEV || fd == -ELOOP)
		return pass_over(search, path,
			"a symbolic link that leads out of the image directory, or is absolute");
	/* Gone, or made something else, since it was looked at; or a link to no folder. */
	if (fd == -ENOENT || fd == -ENOTDIR)
		return 0;
	return search_failed(search, fd, *path);
}

static int find_type(int folder, const struct listing_entry *entry, mode_t *ret)
{
	struct stat status;

	if (entry->is_known) {
		*ret = entry->type;
		return 0;
	}
	if (fstatat(folder, entry->name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	*ret = status.st_mode & S_IFMT;
	return 0;
}

/*
 * One entry that fits the whole glob. "latest.hex" may be a link for people; a link with a version
 * in its name was put there as that version, and while it cannot be used, an older one is not
 * either.
 */
static int search_last(struct search *search, int folder, char **path, mode_t type,
	const struct listing_beside *beside)
{
	struct version_name found = {.kind = VERSION_NAME_NONE};
	const char *fault = NULL;
	char above[PATH_MAX];

	if (type == S_IFLNK)
		fault = "a symbolic link: put the file itself there";
	else if (type != S_IFREG)
		fault = "not a regular file";
	if (fault && type != S_IFDIR)
		version_from_name(&search->pattern,
			flasher_args_version_path(*path, above, sizeof(above)), &found);
	return fault && found.kind == VERSION_NAME_NONE
		       ? pass_over(search, path, fault)
		       : consider(search, folder, path, fault, beside);
}

/* One entry that fits the glob's part at `depth`. */
static int search_entry(struct search *search, int folder, const char *prefix,
	const struct listing_entry *entry, const struct listing_beside *beside, size_t depth)
{
	CLEANUP(freep) char *path = NULL;
	bool is_last = depth + 1 == search->n_parts;
	mode_t type = 0;
	int r;

	if (text_format(&path, "%s%s%s", prefix, *prefix ? "/" : "", entry->name) < 0)
		return search_failed(search, -ENOMEM, entry->name);
	r = find_type(folder, entry, &type);
	if (r == -ENOENT && !is_last && !search->missing)
		search->missing = TAKE_PTR(path);
	if (r < 0)
		return r == -ENOENT ? 0 : search_failed(search, r, path);
	if (!is_plain_text(entry->name))
		return pass_over(
			search, &path, "a name with control characters or not UTF-8: rename it");
	if (is_last)
		return search_last(search, folder, &path, type, beside);
	if (type != S_IFDIR && type != S_IFLNK)
		return 0;
	return search_below(search, folder, &path, entry->name, type == S_IFLNK, depth);
}

/* ------------------------------------------------------------------ what a folder holds */

/* All entries of a folder that fit the part, which has wildcards. Consumes the descriptor. */
static int search_listing(struct search *search, int fd, const char *prefix, size_t depth)
{
	CLEANUP(closedirp) DIR *directory = fdopendir(fd);
	CLEANUP(listing_done) struct listing listing = {};
	char shown[TEXT_MAX];
	int r;

	if (!directory) {
		r = -errno;
		close(fd);
		return search_failed(search, r, prefix);
	}
	r = listing_read(
		directory, search->parts[depth], MAX_ENTRIES - search->n_entries, &listing);
	if (r < 0)
		return search_failed(search, r, prefix);
	if (r == LISTING_FULL)
		return reason_refuse(LIBRARY_REFUSED, search->reason,
			"image directory '%s' has more than %d entries: take old ones away",
			text_escape(search->query->directory, shown, sizeof(shown)), MAX_ENTRIES);
	search->n_entries += listing.n_seen;
	if (depth + 1 == search->n_parts) { /* for the one who wonders why no file fits */
		search->n_unlike += listing.n_unlike;
		if (!search->unlike)
			search->unlike = TAKE_PTR(listing.unlike);
		if (!search->passed_by)
			search->passed_by = TAKE_PTR(listing.passed_by);
	}
	for (size_t i = 0; i < listing.n_entries && r == 0; i++) {
		struct listing_beside beside;

		listing_look_beside(&listing, listing.entries[i].name, &beside);
		r = search_entry(search, fd, prefix, &listing.entries[i], &beside, depth);
	}
	return r;
}

/* Goes down the parts of the glob. Consumes the descriptor. */
static int search_folder(struct search *search, int fd, const char *prefix, size_t depth)
{
	const struct listing_entry named = {.name = (char *)search->parts[depth]};
	const struct listing_beside unknown = {.may_have_manifest = true, .may_have_rollout = true};
	int r = FOLDER_OK;

	if (search->query->on_folder)
		search->query->on_folder(search->query->userdata, prefix);
	search->distrust.text[0] = '\0';
	/* Only folders that files are taken from: it looks at all those above as well. */
	if (depth + 1 == search->n_parts)
		r = folder_check(search->root, fd, search->owners, &search->distrust);
	if (r < 0) {
		close(fd);
		return r == -ENOENT ? 0 : search_failed(search, r, prefix);
	}
	if (strpbrk(search->parts[depth], "*?[\\"))
		return search_listing(search, fd, prefix, depth);
	r = search_entry(search, fd, prefix, &named, &unknown, depth);
	close(fd);
	return r;
}

/* ------------------------------------------------------------------ the whole of it */

/* Cuts the glob, of which `text` is a copy to be cut, into its parts. */
static int split_glob(struct search *search, const char *glob, char *text)
{
	char shown[TEXT_MAX], *rest = NULL;

	text_escape(glob, shown, sizeof(shown));
	if (!folder_path_is_beneath(glob))
		return reason_refuse(LIBRARY_REFUSED, search->reason,
			"image '%s': expected a name or glob below the image directory, without '/' at the start and without '..'",
			shown);
	for (char *part = strtok_r(text, "/", &rest); part; part = strtok_r(NULL, "/", &rest)) {
		if (strcmp(part, ".") == 0)
			continue;
		if (search->n_parts == MAX_PARTS)
			return reason_refuse(LIBRARY_REFUSED, search->reason,
				"image '%s': more than %d folders deep", shown, MAX_PARTS);
		search->parts[search->n_parts++] = part;
	}
	if (search->n_parts == 0 || glob[strlen(glob) - 1] == '/')
		return reason_refuse(LIBRARY_REFUSED, search->reason,
			"image '%s': expected the name of a file, not a folder", shown);
	return LIBRARY_OK;
}

static int search_all(struct search *search)
{
	CLEANUP(freep) char *text = strdup(search->query->glob);
	int fd, r;

	if (!text)
		return search_failed(search, -ENOMEM, "");
	r = split_glob(search, search->query->glob, text);
	if (r != LIBRARY_OK)
		return r;
	search->root = open(search->query->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (search->root < 0)
		return folder_explain_directory(-errno, search->query->directory, search->reason);
	search->owners = library_owners(search->query, search->root);
	fd = openat(search->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return search_failed(search, -errno, ".");
	return search_folder(search, fd, "", 0);
}

/* One that would fit one folder higher, where it was put by mistake; NULL: none. */
static char *find_above(const struct library_query *query)
{
	const char *last = strrchr(query->glob, '/'), *before;
	CLEANUP(freep) char *glob = NULL;
	struct library_query above = *query;
	struct reason ignored;
	struct search search = {.query = &above, .root = -1, .reason = &ignored};
	char *found = NULL;

	if (!last)
		return NULL;
	before = memrchr(query->glob, '/', (size_t)(last - query->glob));
	if (text_format(&glob, "%.*s%s", before ? (int)(before + 1 - query->glob) : 0, query->glob,
		    last + 1) < 0)
		return NULL;
	above.glob = glob;
	if (search_all(&search) == LIBRARY_OK)
		for (size_t i = 0; i < search.list.n_items && !found; i++)
			if (search.list.items[i].state != LIBRARY_CANDIDATE_PASSED_OVER)
				found = strdup(search.list.items[i].name);
	search_done(&search);
	return found;
}

static void tell_none(struct search *search)
{
	const struct library_query *query = search->query;
	CLEANUP(freep) char *above = find_above(query);
	char shown[TEXT_MAX], shown_directory[TEXT_MAX], name[TEXT_MAX];
	char seen[TEXT_MAX + 64] = "", higher[TEXT_MAX + 64] = "";

	if (search->missing)
		snprintf(seen, sizeof(seen), ": there is no folder '%s' in it",
			text_escape(search->missing, name, sizeof(name)));
	else if (search->passed_by)
		snprintf(seen, sizeof(seen), ": '%s' there is %s",
			text_escape(search->passed_by, name, sizeof(name)),
			flasher_args_is_name(search->passed_by)
				? "taken where the glob ends in " FLASHER_ARGS_SUFFIX " alone"
				: "never taken, by its ending");
	else if (search->n_unlike > 1)
		snprintf(seen, sizeof(seen), ": '%s' and %zu more there do not",
			text_escape(search->unlike, name, sizeof(name)), search->n_unlike - 1);
	else if (search->unlike)
		snprintf(seen, sizeof(seen), ": '%s' there does not",
			text_escape(search->unlike, name, sizeof(name)));
	if (above)
		snprintf(higher, sizeof(higher), "%s '%s' is one folder too high",
			*seen ? "," : ":", text_escape(above, name, sizeof(name)));
	reason_set(search->reason, "no file in '%s' fits the rule's image '%s'%s%s",
		text_escape(query->directory, shown_directory, sizeof(shown_directory)),
		text_escape(query->glob, shown, sizeof(shown)), seen, higher);
}

int library_search(const struct library_query *query, int *ret_root, struct library_list *ret,
	struct reason *reason)
{
	CLEANUP(search_done)
	struct search search = {.query = query, .root = -1, .reason = reason};
	int r = version_pattern_init(&search.pattern, query->version_in_name);

	if (r < 0)
		return search_failed(&search, r, query->glob);
	r = search_all(&search);
	if (r != LIBRARY_OK)
		return r;
	if (search.list.n_items == 0)
		tell_none(&search);
	*ret = search.list;
	search.list = (struct library_list){};
	*ret_root = take_fd(&search.root);
	return LIBRARY_OK;
}
