/* SPDX-License-Identifier: MIT */
/* library-find.c - an image by its digest: it may have another name by now. */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "image/library.h"

/* One image that is looked for. */
struct find {
	const struct library_query *query;
	const char *sha256;
	size_t max_bytes;
	struct library_item *item;
	char **name;
};

/*
 * Whether the file has the digest; then it is loaded, with all that is checked there. LIBRARY_NONE:
 * it has not, or cannot be read.
 */
static int try(const struct find *find, const char *name, struct reason *reason)
{
	CLEANUP(library_file_done) struct library_file file = {0};
	struct reason ignored;
	int r = library_read(find->query->directory, name, find->max_bytes, &file, &ignored);

	if (r == -ENOMEM)
		return r;
	if (r != LIBRARY_OK || strcmp(file.sha256, find->sha256) != 0)
		return LIBRARY_NONE;
	r = library_load(find->query, name, find->max_bytes, find->item, reason);
	if (r != LIBRARY_OK)
		return r;
	*find->name = strdup(name);
	/* It may have been replaced between the two. */
	if (*find->name && strcmp(find->item->sha256, find->sha256) == 0)
		return LIBRARY_OK;
	r = *find->name ? LIBRARY_NONE : -ENOMEM;
	free(*find->name);
	*find->name = NULL;
	library_item_done(find->item);
	return r;
}

int library_load_digest(const struct library_query *query, const char *name, const char *sha256,
	size_t max_bytes, struct library_item *ret, char **ret_name, struct reason *reason)
{
	const struct find find = {query, sha256, max_bytes, ret, ret_name};
	CLEANUP(library_choice_done) struct library_choice choice = {0};
	CLEANUP(library_list_done) struct library_list list = {0};
	char shown[TEXT_MAX];
	int r = try(&find, name, reason);

	if (r == LIBRARY_NONE && library_list(query, &list, &choice, reason) < 0)
		return r;
	for (size_t i = 0; i < list.n_items && r == LIBRARY_NONE; i++)
		if (list.items[i].state != LIBRARY_CANDIDATE_PASSED_OVER)
			r = try(&find, list.items[i].name, reason);
	if (r == LIBRARY_NONE)
		reason_set(reason,
			"no file in '%s' that fits the rule's image is the one that the unit held before (SHA-256 %s)",
			text_escape(query->directory, shown, sizeof(shown)), sha256);
	return r;
}
