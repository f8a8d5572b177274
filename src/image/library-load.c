/* SPDX-License-Identifier: MIT */
/*
 * library-load.c - one image of the directory, read once, with its manifest and signature.
 *
 * All of them come out of one open folder, the parts that the image names too: where the whole
 * folder is swapped meanwhile, old and new do not mix. Of formats it knows only, through
 * image_pick_parts(), which parts of a large file are needed. The order: folders and owners, the
 * bytes and their digests, the manifest against these, the version, the signatures; at last,
 * whether the files are still those that were chosen.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "image/copy.h"
#include "image/folder.h"
#include "image/image.h"
#include "image/library-look.h"
#include "image/library-parts.h"
#include "image/library.h"
#include "image/signature.h"

/* The folder that an image lies in, open. */
struct place {
	int root;
	int folder;
	const char *name; /* without folders */
};

static void place_done(struct place *place)
{
	closep(&place->folder);
	closep(&place->root);
}

/* The reason why a folder could not be opened. A fault of the file itself becomes REFUSED. */
static int explain(int error, const char *directory, const char *path, struct reason *reason)
{
	char shown[TEXT_MAX], shown_directory[TEXT_MAX];

	text_escape(path, shown, sizeof(shown));
	text_escape(directory, shown_directory, sizeof(shown_directory));
	if (error == -ELOOP || error == -EXDEV)
		return reason_refuse(LIBRARY_REFUSED, reason,
			"image '%s' in '%s' lies behind a symbolic link that leads out of there, or is absolute: put the file itself there",
			shown, shown_directory);
	return reason_refuse(
		error, reason, "image '%s' in '%s': %s", shown, shown_directory, strerror(-error));
}

static int open_place(
	const char *directory, const char *path, struct place *ret, struct reason *reason)
{
	CLEANUP(place_done) struct place place = {.root = -1, .folder = -1};
	CLEANUP(freep) char *folder = strdup(path);
	char shown[TEXT_MAX], shown_directory[TEXT_MAX];
	char *slash;

	if (!folder)
		return -ENOMEM;
	if (!folder_path_is_beneath(path))
		return reason_refuse(LIBRARY_REFUSED, reason, "image '%s' is not inside '%s'",
			text_escape(path, shown, sizeof(shown)),
			text_escape(directory, shown_directory, sizeof(shown_directory)));
	place.root = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (place.root < 0)
		return folder_explain_directory(-errno, directory, reason);
	slash = strrchr(folder, '/');
	place.name = slash ? path + (slash - folder) + 1 : path;
	if (slash)
		*slash = '\0';
	place.folder = folder_open(place.root, slash ? folder : "");
	if (place.folder < 0)
		return explain(place.folder, directory, path, reason);
	*ret = place;
	place = (struct place){.root = -1, .folder = -1};
	return LIBRARY_OK;
}

/* Debug information of the largest programs; the time to read that much bounds it. */
#define LARGEST_IMAGE ((size_t)512 * 1024 * 1024)

/* A file of the place, with what a sentence calls it. -ENOENT with the reason, too. */
static int read_beside(const struct place *place, const char *what, const char *path,
	const struct folder_limit *limit, struct folder_owners owners, struct folder_file *ret,
	struct reason *reason)
{
	const char *name = basename(path);
	char shown[TEXT_MAX], label[TEXT_MAX + 16];
	int r;

	snprintf(label, sizeof(label), "%s '%s'", what, text_escape(path, shown, sizeof(shown)));
	/* A path that ends in a slash is a folder's. */
	r = folder_read_parts(place->folder, *name ? name : ".", label, limit, owners, ret, reason);
	if (r == -ENOENT)
		reason_set(reason, "%s: %s", label, strerror(ENOENT));
	return r > 0 ? LIBRARY_REFUSED : r;
}

static void digest_streamp_free(struct digest_stream **stream)
{
	digest_stream_free(*stream);
}

static void take_bytes(void *userdata, const uint8_t *bytes, size_t n_bytes)
{
	digest_stream_take(userdata, bytes, n_bytes);
}

/* The digests are of all of the file, also where parts of it are kept; of several files: of each.
 */
static int read_image(const struct place *place, const char *path, size_t max_bytes,
	struct folder_owners owners, struct folder_file *ret, struct flasher_args *ret_args,
	struct digests *ret_digests, struct reason *reason)
{
	CLEANUP(digest_streamp_free) struct digest_stream *stream = digest_stream_new();
	bool has_parts = flasher_args_is_name(path);
	const struct folder_limit limit = {
		.max_bytes = has_parts ? FLASHER_ARGS_MAX_BYTES : max_bytes,
		.max_large = LARGEST_IMAGE > max_bytes ? LARGEST_IMAGE : max_bytes,
		.pick = has_parts ? NULL : image_pick_parts,
		.take = has_parts ? NULL : take_bytes,
		.userdata = stream,
	};
	const struct library_parts_place below = {
		.root = place->root,
		.folder = place->folder,
		.image = path,
		.max_bytes = max_bytes,
		.owners = owners,
	};
	int r = stream ? read_beside(place, "image", path, &limit, owners, ret, reason) : -ENOMEM;

	if (r != LIBRARY_OK)
		return r;
	if (!has_parts) {
		digest_stream_end(stream, ret_digests);
		return r;
	}
	r = library_parts_read(&below, ret, ret_args, reason);
	return r == LIBRARY_OK ? library_parts_digest(ret, ret_args, ret_digests) : r;
}

int library_read(const char *directory, const char *name, size_t max_bytes,
	struct library_file *ret, struct reason *reason)
{
	static const struct folder_owners everybody = {.any = true};
	CLEANUP(place_done) struct place place = {.root = -1, .folder = -1};
	CLEANUP(folder_file_done) struct folder_file file = {};
	struct flasher_args args = {};
	struct digests digests;
	int r = open_place(directory, name, &place, reason);

	if (r == LIBRARY_OK)
		r = read_image(&place, name, max_bytes, everybody, &file, &args, &digests, reason);
	if (r != LIBRARY_OK)
		return r;
	memcpy(ret->sha256, digests.sha256, sizeof(ret->sha256));
	ret->data = TAKE_PTR(file.data);
	ret->n_data = file.n_data;
	ret->args = args;
	return LIBRARY_OK;
}

void library_file_done(struct library_file *file)
{
	free(file->data);
	flasher_args_done(&file->args);
	*file = (struct library_file){};
}

/* ------------------------------------------------------------------ signatures */

struct loading {
	const struct library_query *query;
	const char *path; /* of the image */
	struct place place;
	struct folder_owners owners;
	struct folder_file manifest;
	bool is_whole;		/* all bytes of the image are kept */
	struct digests digests; /* of the image */
	struct library_item item;
};

static void loading_done(struct loading *loading)
{
	place_done(&loading->place);
	folder_file_done(&loading->manifest);
	library_item_done(&loading->item);
}

/* The signature file over these bytes, which are those of `path`. */
static int check_signature_of(struct loading *loading, const char *path,
	const struct signed_bytes *bytes, struct signature *ret, struct reason *reason)
{
	const struct library_query *query = loading->query;
	const struct folder_limit limit = {.max_bytes = SIGNATURE_MAX_BYTES};
	CLEANUP(signature_keys_done) struct signature_keys keys = {};
	CLEANUP(folder_file_done) struct folder_file file = {};
	CLEANUP(freep) char *name = NULL;
	char shown[TEXT_MAX / 2], shown_name[TEXT_MAX / 2];
	int r;

	if (text_format(&name, "%s" SIGNATURE_SUFFIX, path) < 0)
		return -ENOMEM;
	r = read_beside(&loading->place, "signature", name, &limit, loading->owners, &file, reason);
	if (r == -ENOENT)
		return reason_refuse(LIBRARY_REFUSED, reason,
			"'%s' is not signed: there is no '%s', and require-signature = yes",
			text_escape(path, shown, sizeof(shown)),
			text_escape(name, shown_name, sizeof(shown_name)));
	if (r != LIBRARY_OK)
		return r;
	r = signature_keys_load(query->trusted_keys, &keys, reason);
	if (r == SIGNATURE_OK)
		r = signature_check(
			&keys, name, (const char *)file.data, file.n_data, bytes, ret, reason);
	return r > 0 ? LIBRARY_REFUSED : r;
}

/* A signed manifest stands for the image only where it says which one, as what, and for whom. */
static int check_signed_manifest(struct loading *loading, struct reason *reason)
{
	const struct manifest *manifest = &loading->item.manifest;
	struct digests digests;
	const struct signed_bytes bytes = {
		.data = loading->manifest.data,
		.n_data = loading->manifest.n_data,
		.blake2b = digests.blake2b,
		.accepts_legacy = loading->query->accept_legacy_signatures,
	};
	CLEANUP(signature_done) struct signature signature = {};
	CLEANUP(freep) char *name = NULL;
	const char *missing = NULL;
	int r;

	if (!manifest->sha256)
		missing = "sha256";
	else if (!manifest->version)
		missing = "version";
	else if (manifest->n_board == 0)
		missing = "board";
	if (missing) {
		(void)manifest_refuse(manifest, missing, reason,
			"the key is missing, and a signed manifest binds the image by version, board and sha256");
		return LIBRARY_REFUSED;
	}
	if (text_format(&name, "%s" MANIFEST_SUFFIX, loading->path) < 0)
		return -ENOMEM;
	r = digest_all(loading->manifest.data, loading->manifest.n_data, &digests);
	if (r == 0)
		r = check_signature_of(loading, name, &bytes, &signature, reason);
	if (r == LIBRARY_OK)
		memcpy(loading->item.signer, signature.signer, sizeof(signature.signer));
	return r;
}

static int check_signed_image(struct loading *loading, struct reason *reason)
{
	struct library_item *item = &loading->item;
	const struct signature_claims claims = {
		.image = loading->place.name,
		.version = item->version,
		.board = loading->query->board,
		.sha256 = item->sha256,
	};
	const struct signed_bytes bytes = {
		.data = loading->is_whole ? item->data : NULL,
		.n_data = item->n_data,
		.blake2b = loading->digests.blake2b,
		.accepts_legacy = loading->query->accept_legacy_signatures,
	};
	CLEANUP(signature_done) struct signature signature = {};
	char version[64], shown[TEXT_MAX / 2];
	char *copy;
	int r;

	if (item->args.n_parts > 0)
		return reason_refuse(LIBRARY_REFUSED, reason,
			"image '%s': a signature over this file alone says nothing of its parts: sign a manifest '%s" MANIFEST_SUFFIX
			"' with version, board and sha256",
			text_escape(loading->path, shown, sizeof(shown)), basename(shown));
	r = check_signature_of(loading, loading->path, &bytes, &signature, reason);
	if (r == LIBRARY_OK && signature_check_claims(loading->path, signature.comment, &claims,
				       version, reason) != SIGNATURE_OK)
		r = LIBRARY_REFUSED;
	if (r != LIBRARY_OK)
		return r;
	copy = strdup(version);
	if (!copy)
		return -ENOMEM;
	free(item->version);
	item->version = copy;
	memcpy(item->signer, signature.signer, sizeof(signature.signer));
	return LIBRARY_OK;
}

/* A signature that is not required is only reported, where it is good. */
static int check_signatures(struct loading *loading, struct reason *reason)
{
	struct reason unused;
	bool is_required = loading->query->require_signature;
	int r;

	if (!loading->query->trusted_keys)
		return LIBRARY_OK;
	r = loading->item.has_manifest
		    ? check_signed_manifest(loading, is_required ? reason : &unused)
		    : check_signed_image(loading, is_required ? reason : &unused);
	return is_required || r == -ENOMEM ? r : LIBRARY_OK;
}

/* ------------------------------------------------------------------ one image */

static int load_manifest(struct loading *loading, struct reason *reason)
{
	struct library_item *item = &loading->item;
	const char *board = loading->query->board;
	char shown[TEXT_MAX];
	int r = manifest_load(loading->place.folder, loading->path, loading->owners,
		&item->manifest, &loading->manifest, reason);

	if (r == -ENOENT)
		return LIBRARY_OK;
	if (r != MANIFEST_OK)
		return r < 0 ? r : LIBRARY_REFUSED;
	item->has_manifest = true;
	r = manifest_check_bytes(&item->manifest, item->n_data, item->sha256, reason);
	if (r == MANIFEST_OK && board && !manifest_is_for(&item->manifest, board))
		r = manifest_refuse(&item->manifest, "board", reason,
			"the image is not for board '%s'",
			text_escape(board, shown, sizeof(shown)));
	return r == MANIFEST_OK ? LIBRARY_OK : LIBRARY_REFUSED;
}

static int load_all(struct loading *loading, size_t max_bytes, struct reason *reason)
{
	CLEANUP(version_pattern_done) struct version_pattern pattern = {0};
	CLEANUP(folder_file_done) struct folder_file image = {};
	struct version_name named = {.version = ""};
	char folder[PATH_MAX];
	struct library_item *item = &loading->item;
	const struct library_query *query = loading->query;
	int r = FOLDER_OK;

	r = folder_check(loading->place.root, loading->place.folder, loading->owners, reason);
	if (r != FOLDER_OK)
		return r > 0 ? LIBRARY_REFUSED : r;
	r = read_image(&loading->place, loading->path, max_bytes, loading->owners, &image,
		&item->args, &loading->digests, reason);
	if (r != LIBRARY_OK)
		return r;
	memcpy(item->sha256, loading->digests.sha256, sizeof(item->sha256));
	loading->is_whole = image.is_whole;
	item->data = TAKE_PTR(image.data);
	item->n_data = image.n_data;
	r = load_manifest(loading, reason);
	if (r == LIBRARY_OK)
		r = version_pattern_init(&pattern, query->version_in_name);
	if (r != LIBRARY_OK)
		return r;
	/* The manifest's version goes before the one in the name. */
	if (!item->manifest.version)
		version_from_name(&pattern,
			flasher_args_version_path(loading->path, folder, sizeof(folder)), &named);
	item->version = strdup(item->manifest.version ? item->manifest.version : named.version);
	return item->version ? check_signatures(loading, reason) : -ENOMEM;
}

/*
 * Whether the files are those that were chosen still, whatever was found in them, and do not
 * contradict one another because a copy has come to one and not to the next: -ESTALE where not.
 * Asked after they were read, it holds for all that was.
 */
static int check_stamp(struct loading *loading, int r, struct reason *reason)
{
	CLEANUP(library_files_done) struct library_files files = {};
	CLEANUP(freep) char *stamp = NULL;
	char shown[TEXT_MAX];
	int r_look = -ENOENT;

	if (r < 0 && r != -ENOENT)
		return r;
	if (loading->place.folder >= 0)
		r_look = library_files_look_in(loading->place.folder, loading->place.name, &files);
	if (r_look == 0)
		r_look = library_files_stamp(&files, &stamp);
	if (r_look < 0 && r_look != -ENOENT)
		return r_look;
	if (stamp && strcmp(stamp, loading->query->stamp) == 0)
		return r == LIBRARY_REFUSED && copy_may_go_on(&files, realtime_usec()) ? -ESTALE
										       : r;
	return reason_refuse(-ESTALE, reason,
		"image '%s' changed after it was chosen: copy under another name, and rename what is whole",
		text_escape(loading->path, shown, sizeof(shown)));
}

int library_load(const struct library_query *query, const char *name, size_t max_bytes,
	struct library_item *ret, struct reason *reason)
{
	CLEANUP(loading_done)
	struct loading loading = {
		.query = query,
		.path = name,
		.place = {.root = -1, .folder = -1},
	};
	int r;

	reason->text[0] = '\0';
	r = open_place(query->directory, name, &loading.place, reason);
	if (r == LIBRARY_OK) {
		loading.owners = library_owners(query, loading.place.root);
		r = load_all(&loading, max_bytes, reason);
	}
	if (query->stamp)
		r = check_stamp(&loading, r, reason);
	if (r < 0 && !reason->text[0])
		return explain(r, query->directory, name, reason);
	if (r != LIBRARY_OK)
		return r;
	*ret = loading.item;
	loading.item = (struct library_item){};
	return LIBRARY_OK;
}

void library_item_done(struct library_item *item)
{
	free(item->data);
	flasher_args_done(&item->args);
	free(item->version);
	manifest_done(&item->manifest);
	*item = (struct library_item){};
}

/* ------------------------------------------------------------------ by its digest */

/*
 * Whether the file has the digest; then it is loaded, with all that is checked there. LIBRARY_NONE:
 * it has not, or cannot be read.
 */
static int load_if(const struct library_query *query, const char *name, const char *sha256,
	size_t max_bytes, struct library_item *item, char **ret_name, struct reason *reason)
{
	CLEANUP(library_file_done) struct library_file file = {0};
	struct reason ignored;
	int r = library_read(query->directory, name, max_bytes, &file, &ignored);

	if (r == -ENOMEM)
		return r;
	if (r != LIBRARY_OK || strcmp(file.sha256, sha256) != 0)
		return LIBRARY_NONE;
	r = library_load(query, name, max_bytes, item, reason);
	if (r != LIBRARY_OK)
		return r;
	*ret_name = strdup(name);
	/* It may have been replaced between the two. */
	if (*ret_name && strcmp(item->sha256, sha256) == 0)
		return LIBRARY_OK;
	r = *ret_name ? LIBRARY_NONE : -ENOMEM;
	free(*ret_name);
	*ret_name = NULL;
	library_item_done(item);
	return r;
}

int library_load_digest(const struct library_query *query, const char *name, const char *sha256,
	size_t max_bytes, struct library_item *ret, char **ret_name, struct reason *reason)
{
	CLEANUP(library_choice_done) struct library_choice choice = {0};
	CLEANUP(library_list_done) struct library_list list = {0};
	char shown[TEXT_MAX];
	int r = load_if(query, name, sha256, max_bytes, ret, ret_name, reason);

	if (r == LIBRARY_NONE && library_list(query, &list, &choice, reason) < 0)
		return r;
	for (size_t i = 0; i < list.n_items && r == LIBRARY_NONE; i++)
		if (list.items[i].state != LIBRARY_CANDIDATE_PASSED_OVER)
			r = load_if(query, list.items[i].name, sha256, max_bytes, ret, ret_name,
				reason);
	if (r == LIBRARY_NONE)
		reason_set(reason,
			"no file in '%s' that fits the rule's image is the one that the unit held before (SHA-256 %s)",
			text_escape(query->directory, shown, sizeof(shown)), sha256);
	return r;
}
