/* SPDX-License-Identifier: MIT */
#include "image/library-look.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/util.h"
#include "image/flasher-args.h"
#include "image/folder.h"

struct folder_owners library_owners(const struct library_query *query, int root)
{
	struct folder_owners owners = {.any = query->any_owner};
	struct stat status;

	if (query->require_signature &&
		fstatat(root, LIBRARY_FLEET, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISDIR(status.st_mode))
		owners.also = status.st_uid;
	return owners;
}

int library_look_open(int folder, const char *part, const char **ret_name)
{
	const char *slash = strrchr(part, '/');
	CLEANUP(freep) char *below = strndup(part, slash ? (size_t)(slash - part) : 0);

	*ret_name = slash ? slash + 1 : part;
	return below ? folder_open(folder, below) : -ENOMEM;
}

/* A folder that is not there, or is another thing, has no file in it. */
static int look_at_part(int folder, struct library_file_status *part, struct reason *fault)
{
	const char *name;
	CLEANUP(closep) int fd = library_look_open(folder, part->name, &name);
	char shown[TEXT_MAX];

	if (fd == -ENOMEM || fd == -EMFILE || fd == -ENFILE)
		return fd;
	if (fd == -ELOOP || fd == -EXDEV)
		reason_set(fault,
			"the part '%s' lies behind a symbolic link that leads out of its folder, or is absolute: put the file itself there",
			text_escape(part->name, shown, sizeof(shown)));
	part->exists = fd >= 0 && fstatat(fd, name, &part->status, AT_SYMLINK_NOFOLLOW) == 0;
	return 0;
}

/*
 * The parts that the file names. A fault of the file that is not in its text, such as its mode, is
 * found where every image is looked at for that.
 */
static int look_at_parts(int folder, const char *name, struct library_files *files)
{
	static const struct folder_owners everybody = {.any = true};
	CLEANUP(flasher_args_done) struct flasher_args args = {};
	CLEANUP(folder_file_done) struct folder_file file = {};
	struct reason ignored;
	int r = folder_read(folder, name, "", FLASHER_ARGS_MAX_BYTES, everybody, &file, &ignored);

	if (r == FOLDER_OK)
		r = flasher_args_read((const char *)file.data, file.n_data, &args, &files->fault);
	if (r == -ENOENT || r == -ENOMEM || r == -EMFILE || r == -ENFILE)
		return r;
	if (r != 0)
		return 0;
	files->parts = calloc(args.n_parts, sizeof(*files->parts));
	if (!files->parts)
		return -ENOMEM;
	files->n_parts = args.n_parts;
	for (size_t i = 0; i < args.n_parts && r == 0; i++) {
		text_copy(files->parts[i].name, sizeof(files->parts[i].name), args.parts[i].name);
		r = look_at_part(folder, &files->parts[i], &files->fault);
	}
	return r;
}

int library_files_look_in(int folder, const char *name, struct library_files *ret)
{
	if (fstat(folder, &ret->folder) < 0)
		return -errno;
	for (size_t i = 0; i < LIBRARY_FILE_MAX; i++) {
		struct library_file_status *file = &ret->items[i];

		snprintf(file->name, sizeof(file->name), "%s%s", name, library_file_suffix(i));
		file->exists = fstatat(folder, file->name, &file->status, AT_SYMLINK_NOFOLLOW) == 0;
		if (!file->exists && errno != ENOENT && errno != ENAMETOOLONG)
			return -errno;
	}
	if (!ret->items[LIBRARY_FILE_IMAGE].exists)
		return -ENOENT;
	ret->has_parts = flasher_args_is_name(name);
	return ret->has_parts ? look_at_parts(folder, name, ret) : 0;
}

int library_files_look(int root, const char *path, struct library_files *ret)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(freep) char *folder = strndup(path, slash ? (size_t)(slash - path) : 0);
	CLEANUP(closep) int fd = -1;

	if (!folder)
		return -ENOMEM;
	fd = folder_open(root, folder);
	return fd < 0 ? fd : library_files_look_in(fd, slash ? slash + 1 : path, ret);
}
