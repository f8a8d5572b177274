/* SPDX-License-Identifier: MIT */
/*
 * library-parts.c - the files that an image names.
 *
 * Their names come out of a file that others may write, so each is reached from the open folder of
 * the image by folder_open(), which no ".." and no link leads out of, and read by folder_read(),
 * which opens regular files alone. Where the whole folder is swapped meanwhile, old and new parts
 * do not mix.
 */
#include "image/library-parts.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"
#include "image/library-look.h"

/* The folder that the image lies in, with the slash behind it, as printf's "%.*s" has it. */
#define FOLDER_OF(image) (int)(basename(image) - (image)), (image)

int library_parts_paths(const char *image, const struct library_files *files, char ***ret)
{
	char **paths = calloc(files->n_parts + 1, sizeof(*paths));

	for (size_t i = 0; paths && i < files->n_parts; i++)
		if (text_format(&paths[i], "%.*s%s", FOLDER_OF(image), files->parts[i].name) < 0) {
			parse_list_free(paths);
			return -ENOMEM;
		}
	*ret = paths;
	return paths ? 0 : -ENOMEM;
}

/* ------------------------------------------------------------------ folders */

/* Whether the first `n` bytes of the part are those of one that came before it. */
static bool was_told(const struct library_files *files, size_t part, size_t n)
{
	const char *name = files->parts[part].name;

	for (size_t i = 0; i < part; i++)
		if (strncmp(files->parts[i].name, name, n + 1) == 0)
			return true;
	return false;
}

void library_parts_tell_folders(int root, const char *image, const struct library_files *files,
	const struct library_query *query)
{
	for (size_t i = 0; i < files->n_parts; i++) {
		const char *name = files->parts[i].name;

		for (const char *end = strchr(name, '/'); end; end = strchr(end + 1, '/')) {
			CLEANUP(freep) char *path = NULL;
			CLEANUP(closep) int fd = -1;

			if (was_told(files, i, (size_t)(end - name)) ||
				text_format(&path, "%.*s%.*s", FOLDER_OF(image), (int)(end - name),
					name) < 0)
				continue;
			/* Of one that comes, the folder above it tells. */
			fd = folder_open(root, path);
			if (fd >= 0)
				query->on_folder(query->userdata, path);
		}
	}
}

/* What speaks against the file itself; "": nothing. */
static void judge_part(
	const struct stat *status, struct folder_owners owners, char *why, size_t size)
{
	why[0] = '\0';
	if (!S_ISREG(status->st_mode))
		snprintf(why, size, "%s",
			S_ISLNK(status->st_mode) ? "a symbolic link: put the file itself there"
						 : "not a regular file");
	else
		(void)folder_is_trusted(status, owners, why, size);
}

int library_parts_check(int root, const char *image, const struct library_files *files,
	struct folder_owners owners, struct reason *reason)
{
	char shown[TEXT_MAX / 2], why[200];
	CLEANUP(freep) char *above = NULL;
	CLEANUP(closep) int folder = -1;

	if (text_format(&above, "%.*s", FOLDER_OF(image)) < 0)
		return -ENOMEM;
	folder = folder_open(root, above);
	if (folder < 0)
		return folder;
	for (size_t i = 0; i < files->n_parts; i++) {
		const struct library_file_status *part = &files->parts[i];
		const char *name;
		CLEANUP(closep) int fd = library_look_open(folder, part->name, &name);
		int r = fd < 0 ? fd : folder_check(root, fd, owners, reason);

		if (r != FOLDER_OK)
			return r > 0 ? LIBRARY_REFUSED : r;
		judge_part(&part->status, owners, why, sizeof(why));
		if (why[0])
			return reason_refuse(LIBRARY_REFUSED, reason, "its part '%s': %s",
				text_escape(part->name, shown, sizeof(shown)), why);
	}
	return LIBRARY_OK;
}

/* ------------------------------------------------------------------ bytes */

/* A part that is not there makes the image one that may not be used, not one that is not there. */
static int read_part(const struct library_parts_place *place, const char *part, size_t max_bytes,
	struct folder_file *ret, struct reason *reason)
{
	const struct folder_limit limit = {.max_bytes = max_bytes};
	char shown[TEXT_MAX / 2], image[TEXT_MAX / 2], label[TEXT_MAX + 32];
	const char *name;
	CLEANUP(closep) int fd = library_look_open(place->folder, part, &name);
	int r = fd < 0 ? fd : 0;

	snprintf(label, sizeof(label), "image '%s': its part '%s'",
		text_escape(place->image, image, sizeof(image)),
		text_escape(part, shown, sizeof(shown)));
	if (r == 0)
		r = folder_check(place->root, fd, place->owners, reason);
	if (r == 0)
		r = folder_read_parts(fd, name, label, &limit, place->owners, ret, reason);
	if (r == -ENOMEM || (r < 0 && fd >= 0 && r != -ENOENT))
		return r;
	if (r < 0)
		return reason_refuse(LIBRARY_REFUSED, reason, "%s: %s", label,
			r == -ELOOP || r == -EXDEV
				? "behind a symbolic link that leads out of its folder, or is absolute: put the file itself there"
				: strerror(-r));
	return r > 0 ? LIBRARY_REFUSED : 0;
}

static int append(struct folder_file *to, const struct folder_file *from)
{
	uint8_t *grown = realloc(to->data, to->n_data + from->n_data);

	if (!grown)
		return -ENOMEM;
	memcpy(grown + to->n_data, from->data, from->n_data);
	to->data = grown;
	to->n_data += from->n_data;
	return 0;
}

int library_parts_read(const struct library_parts_place *place, struct folder_file *file,
	struct flasher_args *ret, struct reason *reason)
{
	CLEANUP(flasher_args_done) struct flasher_args args = {};
	char shown[TEXT_MAX];
	struct reason why;
	int r = flasher_args_read((const char *)file->data, file->n_data, &args, &why);

	for (size_t i = 0; i < args.n_parts && r == 0; i++) {
		CLEANUP(folder_file_done) struct folder_file part = {};
		size_t left = place->max_bytes > file->n_data ? place->max_bytes - file->n_data : 0;

		if (left > UINT32_MAX)
			left = UINT32_MAX;
		r = read_part(place, args.parts[i].name, left, &part, reason);
		if (r == 0)
			r = append(file, &part);
		if (r != 0)
			return r;
		args.parts[i].size = (uint32_t)part.n_data;
	}
	if (r == IMAGE_OK)
		r = flasher_args_check_sizes(&args, &why);
	if (r > 0)
		return reason_refuse(LIBRARY_REFUSED, reason, "image '%s': %s",
			text_escape(place->image, shown, sizeof(shown)), why.text);
	if (r == 0) {
		*ret = args;
		args = (struct flasher_args){};
	}
	return r;
}

int library_parts_digest(
	const struct folder_file *file, const struct flasher_args *args, struct digests *ret)
{
	struct digest_stream *stream = digest_stream_new();
	const uint8_t *from = file->data;
	size_t n = file->n_data;

	if (!stream)
		return -ENOMEM;
	for (size_t i = 0; i < args->n_parts; i++)
		n -= args->parts[i].size;
	for (size_t i = 0; i <= args->n_parts; i++) {
		char line[DIGEST_HEX_SIZE];

		digest_sha256(from, n, line);
		line[DIGEST_HEX_SIZE - 1] = '\n';
		digest_stream_take(stream, (const uint8_t *)line, sizeof(line));
		from += n;
		n = i < args->n_parts ? args->parts[i].size : 0;
	}
	digest_stream_end(stream, ret);
	digest_stream_free(stream);
	return 0;
}
