/* SPDX-License-Identifier: MIT */
#include "image/library-files.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
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
	return files->has_parts || files->items[LIBRARY_FILE_MANIFEST].exists
		       ? LIBRARY_FILE_MANIFEST_SIGNATURE
		       : LIBRARY_FILE_SIGNATURE;
}

uint64_t library_files_bytes(const struct library_files *files)
{
	uint64_t n = (uint64_t)files->items[LIBRARY_FILE_IMAGE].status.st_size;

	for (size_t i = 0; i < files->n_parts; i++)
		if (files->parts[i].exists)
			n += (uint64_t)files->parts[i].status.st_size;
	return n;
}

const struct library_file_status *library_files_missing(const struct library_files *files)
{
	for (size_t i = 0; i < files->n_parts; i++)
		if (!files->parts[i].exists)
			return &files->parts[i];
	return NULL;
}

void library_files_done(struct library_files *files)
{
	free(files->parts);
	*files = (struct library_files){};
}

int library_files_stamp(const struct library_files *files, char **ret)
{
	size_t n = 0;
	FILE *to = open_memstream(ret, &n);

	if (!to)
		return -ENOMEM;
	fputs(files->items[LIBRARY_FILE_IMAGE].name, to);
	for (size_t i = 0; i < library_files_count(files); i++) {
		const struct stat *status = &library_files_at(files, i)->status;

		if (!library_files_at(files, i)->exists)
			continue;
		fprintf(to, " %zu:%ju:%ju:%jd:%jd.%09ld:%jd.%09ld", i, (uintmax_t)status->st_dev,
			(uintmax_t)status->st_ino, (intmax_t)status->st_size,
			(intmax_t)status->st_mtim.tv_sec, status->st_mtim.tv_nsec,
			(intmax_t)status->st_ctim.tv_sec, status->st_ctim.tv_nsec);
	}
	return fclose(to) == 0 ? 0 : -ENOMEM;
}
