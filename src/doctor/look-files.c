/* SPDX-License-Identifier: MIT */
/* look-files.c - the disks, and the image directory: its folders, and files that no rule takes. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "doctor/file.h"
#include "doctor/look.h"
#include "image/flasher-args.h"
#include "image/signature.h"

/* Of the image directory so many are looked at. */
#define FOLDERS_MOST 1000

/* ------------------------------------------------------------------ disks */

static void look_disk(const char *what, const char *path, struct host_disk *ret)
{
	struct statvfs disk;

	ret->what = what;
	text_copy(ret->path, sizeof(ret->path), path);
	if (statvfs(path, &disk) < 0)
		return;
	ret->is_known = true;
	ret->free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
	ret->has_inodes = disk.f_files > 0;
	ret->free_inodes = disk.f_favail;
	ret->is_read_only = (disk.f_flag & ST_RDONLY) != 0;
}

void look_disks(const char *state, const char *images, struct host *ret)
{
	look_disk("store", state, &ret->disks[0]);
	if (images)
		look_disk("images", images, &ret->disks[1]);
}

/* ------------------------------------------------------------------ folders */

static int take_folder(struct host_images *images, const char *path)
{
	struct host_folder *grown;
	struct stat status;

	if (lstat(path, &status) < 0 || !S_ISDIR(status.st_mode))
		return 0;
	grown = room_for_one(images->folders, images->n_folders, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	images->folders = grown;
	grown += images->n_folders;
	*grown = (struct host_folder){
		.path = strdup(path),
		.uid = status.st_uid,
		.mode = status.st_mode & 07777,
	};
	if (!grown->path)
		return -ENOMEM;
	images->n_folders++;
	return 0;
}

/* The list is its own queue: a folder is opened when its turn comes, and what is in it appended. */
static int take_folders_in(struct host_images *images, size_t at)
{
	CLEANUP(closedirp) DIR *folder = opendir(images->folders[at].path);
	const struct dirent *entry;
	int r = 0;

	while (r == 0 && folder && images->n_folders < FOLDERS_MOST && (entry = readdir(folder))) {
		char path[FILE_PATH_MAX];

		if (entry->d_name[0] == '.' ||
			(entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
			continue;
		r = take_folder(
			images, file_path(path, images->folders[at].path, "/%s", entry->d_name));
	}
	return r;
}

static int look_folders(const char *directory, struct host_images *images)
{
	int r = access(directory, R_OK | X_OK) < 0 ? -errno : 0;

	images->is_missing = r == -ENOENT || r == -ENOTDIR;
	images->is_hidden = r == -EACCES;
	if (r < 0)
		return 0;
	r = take_folder(images, directory);
	for (size_t i = 0; r == 0 && i < images->n_folders; i++)
		r = take_folders_in(images, i);
	return r;
}

/* ------------------------------------------------------------------ files that no rule takes */

/* The image of several files lies in a folder of its own, with its parts. */
static bool is_in_folder_of(const char *file, const char *image)
{
	size_t n = (size_t)(basename(image) - image);

	return n > 0 && strcmp(image + n, FLASHER_ARGS_NAME) == 0 && strncmp(file, image, n) == 0;
}

static bool is_taken(const struct host_images *images, const char *file)
{
	for (size_t i = 0; i < images->n_surveys; i++)
		for (size_t k = 0; k < images->surveys[i].list.n_items; k++) {
			const char *name = images->surveys[i].list.items[k].name;

			if (strcmp(name, file) == 0 || is_in_folder_of(file, name))
				return true;
		}
	return false;
}

static int take_strays(struct host_images *images, const struct library_list *list)
{
	for (size_t i = 0; i < list->n_items; i++) {
		const struct library_candidate *file = &list->items[i];
		char **grown;

		if (file->state == LIBRARY_CANDIDATE_PASSED_OVER || is_taken(images, file->name))
			continue;
		grown = room_for_one(images->strays, images->n_strays, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		images->strays = grown;
		images->strays[images->n_strays] = strdup(file->name);
		if (!images->strays[images->n_strays])
			return -ENOMEM;
		images->n_strays++;
	}
	return 0;
}

/* The library itself says what is an image and what stands beside one. */
static int look_strays(const char *directory, struct host_images *images)
{
	static const char *const globs[] = {"*", "*/*", "*/*/*", "*/*/*/*"};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(globs) && r == 0; i++) {
		const struct library_query query = {
			.directory = directory,
			.glob = globs[i],
			.any_owner = true,
		};
		CLEANUP(library_list_done) struct library_list list = {0};
		CLEANUP(library_choice_done) struct library_choice choice = {0};
		struct reason reason = {""};

		if (library_list(&query, &list, &choice, &reason) >= 0)
			r = take_strays(images, &list);
	}
	return r;
}

/* ------------------------------------------------------------------ keys */

static int look_keys(const struct service_config *service, struct host_images *images)
{
	CLEANUP(signature_keys_done) struct signature_keys keys = {0};
	int r = signature_keys_load(service->trusted_keys, &keys, &images->keys_fault);

	if (r == -ENOMEM)
		return r;
	images->keys = calloc(keys.n_items + 1, sizeof(*images->keys));
	for (size_t i = 0; images->keys && i < keys.n_items; i++) {
		images->keys[i] = strdup(keys.items[i].name);
		if (!images->keys[i])
			return -ENOMEM;
		images->n_keys++;
	}
	return images->keys ? 0 : -ENOMEM;
}

int look_images(const struct config *config, struct host_images *ret)
{
	const char *directory = config->service.image_dir;
	int r = look_folders(directory, ret);

	if (r == 0 && ret->n_folders > 0)
		r = look_strays(directory, ret);
	return r == 0 ? look_keys(&config->service, ret) : r;
}
