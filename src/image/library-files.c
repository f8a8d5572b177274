/* SPDX-License-Identifier: MIT */
#include "image/library-files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "image/folder.h"
#include "image/manifest.h"
#include "image/signature.h"

static const char *const suffixes[LIBRARY_FILE_MAX] = {
	[LIBRARY_FILE_IMAGE] = "",
	[LIBRARY_FILE_MANIFEST] = MANIFEST_SUFFIX,
	[LIBRARY_FILE_SIGNATURE] = SIGNATURE_SUFFIX,
	[LIBRARY_FILE_MANIFEST_SIGNATURE] = MANIFEST_SUFFIX SIGNATURE_SUFFIX,
};

const char *library_file_suffix(size_t file)
{
	return suffixes[file];
}

size_t library_files_signature(const struct library_files *files)
{
	return files->items[LIBRARY_FILE_MANIFEST].exists ? LIBRARY_FILE_MANIFEST_SIGNATURE
							  : LIBRARY_FILE_SIGNATURE;
}

int library_files_look_in(int folder, const char *name, struct library_files *ret)
{
	if (fstat(folder, &ret->folder) < 0)
		return -errno;
	for (size_t i = 0; i < LIBRARY_FILE_MAX; i++) {
		struct library_file_status *file = &ret->items[i];

		snprintf(file->name, sizeof(file->name), "%s%s", name, suffixes[i]);
		file->exists = fstatat(folder, file->name, &file->status, AT_SYMLINK_NOFOLLOW) == 0;
		if (!file->exists && errno != ENOENT && errno != ENAMETOOLONG)
			return -errno;
	}
	return ret->items[LIBRARY_FILE_IMAGE].exists ? 0 : -ENOENT;
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

int library_files_stamp(const struct library_files *files, char **ret)
{
	size_t n = 0;
	FILE *to = open_memstream(ret, &n);

	if (!to)
		return -ENOMEM;
	fputs(files->items[LIBRARY_FILE_IMAGE].name, to);
	for (size_t i = 0; i < LIBRARY_FILE_MAX; i++) {
		const struct stat *status = &files->items[i].status;

		if (!files->items[i].exists)
			continue;
		fprintf(to, " %zu:%ju:%ju:%jd:%jd.%09ld:%jd.%09ld", i, (uintmax_t)status->st_dev,
			(uintmax_t)status->st_ino, (intmax_t)status->st_size,
			(intmax_t)status->st_mtim.tv_sec, status->st_mtim.tv_nsec,
			(intmax_t)status->st_ctim.tv_sec, status->st_ctim.tv_nsec);
	}
	return fclose(to) == 0 ? 0 : -ENOMEM;
}
