/* SPDX-License-Identifier: MIT */
/*
 * library-access.c - judges by mode bits for another user, since root itself can read everything: a
 * file that root copied under umask 077 is found by root and not by the service.
 */
#include "image/library-access.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "image/folder.h"

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

static int refuse(struct library_candidate *candidate, const char *what, const char *name,
	const char *user, const char *mode)
{
	char shown[TEXT_MAX / 2], shown_user[TEXT_MAX / 2];
	int r = library_tell_why(candidate, "%s '%s' is not readable for the user %s (chmod %s)",
		what, text_escape(name, shown, sizeof(shown)),
		text_escape(user, shown_user, sizeof(shown_user)), mode);

	return r < 0 ? r : LIBRARY_REFUSED;
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
			return refuse(candidate, "the folder", folder, query->reader->name, "755");
		if (!end)
			return LIBRARY_OK;
	}
}

int library_access(const struct library_query *query, int root, const struct library_files *files,
	struct library_candidate *candidate)
{
	const struct library_file_status *image = &files->items[LIBRARY_FILE_IMAGE];
	const struct library_reader *reader = query->reader;
	char user[FOLDER_USER_MAX];
	int r;

	if (!reader && (faccessat(root, candidate->name, R_OK, 0) == 0 || errno != EACCES))
		return LIBRARY_OK;
	if (!reader)
		return refuse(candidate, "the file", image->name, folder_user(user), "644");
	r = check_folders(query, AT_FDCWD, query->directory, true, candidate);
	if (r == LIBRARY_OK)
		r = check_folders(query, root, candidate->name, false, candidate);
	for (size_t i = 0; i < LIBRARY_FILE_MAX && r == LIBRARY_OK; i++)
		if (files->items[i].exists && !may(reader, &files->items[i].status, MAY_READ))
			r = refuse(
				candidate, "the file", files->items[i].name, reader->name, "644");
	return r;
}
