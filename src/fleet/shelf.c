/* SPDX-License-Identifier: MIT */
/*
 * shelf.c - placing and taking away, in orders that may end anywhere:
 *
 *   placed:  written down, manifest, signature, rollout file, image
 *   away:    image, rollout file, signature, manifest, forgotten
 *
 * So the service never sees an image without what is beside it, and what lies there without being
 * written down is not ours. Each file is written under a hidden name, which no glob fits, and is on
 * the disk before it gets its own.
 */
#include "fleet/shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/util.h"
#include "fleet/kept.h"
#include "image/digest.h"
#include "image/manifest.h"
#include "image/signature.h"

#define PART_PREFIX ".plugflash-part-"

/* What is copied at once: some milliseconds on a slow card. */
#define STEP_BYTES (1024 * 1024)

/* Room for an image with a suffix, and for the hidden name of that. */
#define NAME_SIZE	 (WISH_IMAGE_MAX + 16)
#define PART_SIZE	 (sizeof(PART_PREFIX) + NAME_SIZE)

#define SUFFIX_SIGNATURE MANIFEST_SUFFIX SIGNATURE_SUFFIX

/* An image that is being copied. */
struct filling {
	struct wish wish; /* image, size and digest alone */
	int from;	  /* -1: nothing is copied */
	int to;
	uint64_t n_done;
	struct digest_stream *digest;
	uint8_t *bytes; /* of one step */
};

struct shelf {
	int folder;
	struct brought brought;
	struct filling filling;
};

/* ------------------------------------------------------------------ names */

static const char *beside(const char *image, const char *suffix, char to[static NAME_SIZE])
{
	snprintf(to, NAME_SIZE, "%s%s", image, suffix);
	return to;
}

static const char *part_of(const char *name, char to[static PART_SIZE])
{
	snprintf(to, PART_SIZE, PART_PREFIX "%s", name);
	return to;
}

static int fail(const struct wish *wish, int error, struct reason *reason)
{
	return reason_refuse(error, reason, "%s: %s", wish->image, strerror(-error));
}

size_t shelf_count(const struct shelf *shelf)
{
	return shelf->brought.n_items;
}

const struct shelf_item *shelf_find(const struct shelf *shelf, const char *image)
{
	return brought_find(&shelf->brought, image);
}

const struct shelf_item *shelf_at(const struct shelf *shelf, size_t i)
{
	return &shelf->brought.items[i];
}

/* ------------------------------------------------------------------ files of the folder */

/* A copy of the whole file, NULL where it is none of ours to read. */
static char *read_beside(const struct shelf *shelf, const char *image, const char *suffix)
{
	char name[NAME_SIZE], *text = NULL;
	size_t n;

	return kept_read(shelf->folder, beside(image, suffix, name), MANIFEST_MAX_BYTES, &text,
		       &n) == 0
		       ? text
		       : NULL;
}

static bool is_beside(
	const struct shelf *shelf, const char *image, const char *suffix, const char *expected)
{
	CLEANUP(freep) char *text = read_beside(shelf, image, suffix);

	return text && strcmp(text, expected) == 0;
}

/* For others to read, whatever the umask is. */
static int open_part(const struct shelf *shelf, const char *name)
{
	char part[PART_SIZE];
	int fd, r = 0;

	part_of(name, part);
	/* One of a process that was killed, or a link that somebody put there. */
	unlinkat(shelf->folder, part, 0);
	fd = openat(
		shelf->folder, part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0 || fchmod(fd, 0644) < 0)
		r = -errno;
	if (r == 0)
		return fd;
	closep(&fd);
	return r;
}

static int place_text(
	const struct shelf *shelf, const char *image, const char *suffix, const char *text)
{
	CLEANUP(closep) int fd = -1;
	char name[NAME_SIZE], part[PART_SIZE];
	int r;

	if (is_beside(shelf, image, suffix, text))
		return 0;
	beside(image, suffix, name);
	fd = open_part(shelf, name);
	if (fd < 0)
		return fd;
	part_of(name, part);
	r = write_whole(fd, text, strlen(text));
	if (r == 0)
		return kept_name(shelf->folder, fd, part, name);
	unlinkat(shelf->folder, part, 0);
	return r;
}

static int remove_file(const struct shelf *shelf, const char *image, const char *suffix)
{
	char name[NAME_SIZE];

	return kept_remove(shelf->folder, beside(image, suffix, name));
}

/* No file says the same as all units without end. */
static int place_rollout(
	const struct shelf *shelf, const char *image, const struct rollout *rollout)
{
	char text[ROLLOUT_TEXT_MAX];

	if (rollout->percent == 100 && rollout->until_s == 0)
		return remove_file(shelf, image, ROLLOUT_SUFFIX);
	return place_text(shelf, image, ROLLOUT_SUFFIX, rollout_write(rollout, text));
}

/* ------------------------------------------------------------------ opening */

static void look_at(const struct shelf *shelf, struct shelf_item *item)
{
	CLEANUP(freep) char *text = read_beside(shelf, item->image, ROLLOUT_SUFFIX);
	struct reason reason;
	struct stat status;

	item->is_placed = fstatat(shelf->folder, item->image, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
			  S_ISREG(status.st_mode) && (uint64_t)status.st_size == item->size;
	item->rollout = (struct rollout){.percent = 100};
	/* The service refuses the image then; whatever is offered next is written over it. */
	if (text && rollout_read("rollout", text, strlen(text), &item->rollout, &reason) != 0)
		item->rollout = (struct rollout){.percent = UINT_MAX};
}

/* Files of a process that was killed. */
static int sweep_parts(const struct shelf *shelf)
{
	CLEANUP(closedirp) DIR *directory = NULL;
	struct dirent *entry;
	int fd = openat(shelf->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	directory = fdopendir(fd);
	if (!directory) {
		close(fd);
		return -ENOMEM;
	}
	while ((entry = readdir(directory)))
		if (strncmp(entry->d_name, PART_PREFIX, strlen(PART_PREFIX)) == 0)
			unlinkat(shelf->folder, entry->d_name, 0);
	return 0;
}

int shelf_open(const char *folder, int state, struct shelf **ret, struct reason *reason)
{
	CLEANUP(shelf_freep) struct shelf *shelf = calloc(1, sizeof(*shelf));
	char shown[TEXT_MAX];
	int r;

	if (!shelf)
		return -ENOMEM;
	shelf->filling.from = shelf->filling.to = -1;
	shelf->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = shelf->folder < 0 ? -errno : sweep_parts(shelf);
	if (r < 0)
		return reason_refuse(r, reason,
			"folder of images '%s': %s: create it, owned by the user of plugflash-fleet",
			text_escape(folder, shown, sizeof(shown)), strerror(-r));
	r = brought_read(&shelf->brought, state, reason);
	if (r < 0)
		return r;
	for (size_t i = 0; i < shelf->brought.n_items; i++)
		look_at(shelf, &shelf->brought.items[i]);
	*ret = TAKE_PTR(shelf);
	return 0;
}

struct shelf *shelf_free(struct shelf *shelf)
{
	if (!shelf)
		return NULL;
	shelf_abort(shelf);
	closep(&shelf->folder);
	brought_done(&shelf->brought);
	free(shelf);
	return NULL;
}

void shelf_freep(struct shelf **shelf)
{
	shelf_free(*shelf);
}

/* ------------------------------------------------------------------ what lies there */

static bool is_as_wished(const struct shelf *shelf, const struct wish *wish)
{
	return is_beside(shelf, wish->image, MANIFEST_SUFFIX, wish->manifest) &&
	       is_beside(shelf, wish->image, SUFFIX_SIGNATURE, wish->signature);
}

/* The bytes of an open file against the wish. 0, 1: others, or -errno. */
static int compare_bytes(int fd, const struct wish *wish)
{
	struct digest_stream *digest = digest_stream_new();
	CLEANUP(freep) uint8_t *bytes = malloc(STEP_BYTES);
	struct digests digests = {};
	uint64_t n_all = 0;
	size_t n = 0;
	int r = digest && bytes ? 0 : -ENOMEM;

	while (r == 0) {
		r = read_up_to(fd, bytes, STEP_BYTES, &n);
		if (r < 0 || n == 0)
			break;
		digest_stream_take(digest, bytes, n);
		n_all += n;
	}
	if (digest)
		digest_stream_end(digest, &digests);
	digest_stream_free(digest);
	if (r == 0 && (n_all != wish->size || strcmp(digests.sha256, wish->sha256) != 0))
		r = 1;
	return r;
}

/* An image that this user put there, and that is not written down: the state was lost. It is ours
 * again where all of it is as wished. 0, 1: it is another, or -errno. */
static int adopt(struct shelf *shelf, const struct wish *wish)
{
	CLEANUP(closep)
	int fd = openat(shelf->folder, wish->image,
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct shelf_item *item;
	struct stat status;
	int r;

	if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) ||
		status.st_uid != geteuid() || (uint64_t)status.st_size != wish->size ||
		!is_as_wished(shelf, wish))
		return 1;
	r = compare_bytes(fd, wish);
	if (r == 0)
		r = brought_add(&shelf->brought, wish, &item);
	if (r == 0)
		look_at(shelf, item);
	return r;
}

int shelf_claim(struct shelf *shelf, const struct wish *wish, struct reason *reason)
{
	struct shelf_item *item = brought_find(&shelf->brought, wish->image);
	struct stat status;
	int r;

	if (item) {
		look_at(shelf, item);
		if (item->is_placed && strcmp(item->sha256, wish->sha256) != 0)
			return reason_refuse(SHELF_REFUSED, reason,
				"%s has version %s and other bytes on this gateway: each image needs a name of its own",
				wish->image, item->version);
		return item->is_placed && is_as_wished(shelf, wish) ? SHELF_OK : SHELF_MISSING;
	}
	if (fstatat(shelf->folder, wish->image, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? SHELF_MISSING : fail(wish, -errno, reason);
	r = adopt(shelf, wish);
	if (r > 0)
		return reason_refuse(SHELF_REFUSED, reason,
			"another file %s is there, which plugflash-fleet did not bring: take it away, or give the new image another name",
			wish->image);
	return r < 0 ? fail(wish, r, reason) : SHELF_OK;
}

/* ------------------------------------------------------------------ placing */

void shelf_abort(struct shelf *shelf)
{
	struct filling *filling = &shelf->filling;
	char part[PART_SIZE];

	if (filling->to >= 0)
		unlinkat(shelf->folder, part_of(filling->wish.image, part), 0);
	closep(&filling->from);
	closep(&filling->to);
	digest_stream_free(filling->digest);
	free(filling->bytes);
	*filling = (struct filling){.from = -1, .to = -1};
}

static int place_beside(struct shelf *shelf, const struct wish *wish, const struct rollout *rollout)
{
	struct shelf_item *item = brought_find(&shelf->brought, wish->image);
	int r = 0;

	/* Signed anew, the same bytes: the image goes first, so that it is never beside one of
	 * each. */
	if (item && item->is_placed)
		r = remove_file(shelf, wish->image, "");
	if (r == 0)
		r = brought_add(&shelf->brought, wish, &item);
	if (r < 0)
		return r;
	item->is_placed = false;
	r = place_text(shelf, wish->image, MANIFEST_SUFFIX, wish->manifest);
	if (r == 0)
		r = place_text(shelf, wish->image, SUFFIX_SIGNATURE, wish->signature);
	if (r == 0)
		r = place_rollout(shelf, wish->image, rollout);
	if (r == 0)
		item->rollout = *rollout;
	return r;
}

int shelf_begin(struct shelf *shelf, const struct wish *wish, int fd, const struct rollout *rollout,
	struct reason *reason)
{
	CLEANUP(closep) int from = fd;
	struct filling *filling = &shelf->filling;
	int r = shelf_claim(shelf, wish, reason);

	shelf_abort(shelf);
	if (r != SHELF_MISSING)
		return r;
	r = place_beside(shelf, wish, rollout);
	if (r == 0)
		r = open_part(shelf, wish->image);
	if (r < 0)
		return fail(wish, r, reason);
	filling->to = r;
	text_copy(filling->wish.image, sizeof(filling->wish.image), wish->image);
	text_copy(filling->wish.sha256, sizeof(filling->wish.sha256), wish->sha256);
	filling->wish.size = wish->size;
	filling->digest = digest_stream_new();
	filling->bytes = malloc(STEP_BYTES);
	if (!filling->digest || !filling->bytes) {
		shelf_abort(shelf);
		return -ENOMEM;
	}
	filling->from = take_fd(&from);
	return SHELF_MORE;
}

/* All bytes are there. */
static int end_filling(struct shelf *shelf, struct reason *reason)
{
	struct filling *filling = &shelf->filling;
	struct shelf_item *item = brought_find(&shelf->brought, filling->wish.image);
	char part[PART_SIZE];
	struct digests digests;
	int r;

	digest_stream_end(filling->digest, &digests);
	if (filling->n_done != filling->wish.size ||
		strcmp(digests.sha256, filling->wish.sha256) != 0)
		return reason_refuse(SHELF_REFUSED, reason,
			"%s: the bytes that were fetched changed on the disk: is its medium worn out?",
			filling->wish.image);
	r = kept_name(shelf->folder, filling->to, part_of(filling->wish.image, part),
		filling->wish.image);
	if (r == 0 && item)
		item->is_placed = true;
	return r;
}

int shelf_fill(struct shelf *shelf, struct reason *reason)
{
	struct filling *filling = &shelf->filling;
	size_t n = 0;
	int r;

	if (filling->from < 0)
		return reason_refuse(-EINVAL, reason, "no image is being placed");
	r = read_up_to(filling->from, filling->bytes, STEP_BYTES, &n);
	/* A part file that grows is no reason to fill the disk. */
	if (r == 0 && filling->n_done + n > filling->wish.size)
		n = (size_t)(filling->wish.size - filling->n_done);
	if (r == 0)
		r = write_whole(filling->to, filling->bytes, n);
	if (r == 0) {
		digest_stream_take(filling->digest, filling->bytes, n);
		filling->n_done += n;
		/* Now, so that the last step does not wait for all of it. */
		if (n == STEP_BYTES && fdatasync(filling->to) == 0)
			return SHELF_MORE;
		r = n == STEP_BYTES ? -errno : end_filling(shelf, reason);
	}
	if (r < 0)
		fail(&filling->wish, r, reason);
	shelf_abort(shelf);
	return r;
}

/* ------------------------------------------------------------------ offering */

/* Whether units get it by what stands there that are not to get it. A file that cannot be read
 * stands as more than 100 percent, and gives it to nobody. */
static bool is_above(const struct rollout *standing, const struct rollout *wanted)
{
	int64_t now_s = realtime_usec() / (int64_t)USEC_PER_SEC;
	unsigned below = standing->percent > 100 ? 0 : rollout_below(standing, now_s);

	return below > rollout_below(wanted, now_s) ||
	       (below > 0 && wanted->until_s > 0 &&
		       (standing->until_s == 0 || standing->until_s > wanted->until_s));
}

static int put_rollout(struct shelf *shelf, struct shelf_item *item, const struct rollout *rollout)
{
	size_t n_before = shelf->brought.n_items;
	int r;

	if (rollout_equals(&item->rollout, rollout))
		return 0;
	r = place_rollout(shelf, item->image, rollout);
	if (r == 0) {
		item->rollout = *rollout;
		return 0;
	}
	look_at(shelf, item);
	if (!item->is_placed || !is_above(&item->rollout, rollout))
		return r;
	(void)shelf_remove(shelf, item->image);
	return shelf->brought.n_items < n_before ? SHELF_MISSING : r;
}

int shelf_offer(struct shelf *shelf, const char *image, const char *board, const char *group,
	const struct rollout *rollout)
{
	struct shelf_item *item = brought_find(&shelf->brought, image);
	int r;

	if (!item)
		return -ENOENT;
	r = brought_give(&shelf->brought, item, board, group);
	return r == 0 || is_above(&item->rollout, rollout) ? put_rollout(shelf, item, rollout) : r;
}

int shelf_withdraw(struct shelf *shelf, const char *image)
{
	struct shelf_item *item = brought_find(&shelf->brought, image);

	return item ? put_rollout(shelf, item, &(struct rollout){}) : 0;
}

/* ------------------------------------------------------------------ taking away */

/* Whether what lies there is still what was brought: its manifest says the digest. */
static bool is_as_brought(const struct shelf *shelf, const struct shelf_item *item)
{
	CLEANUP(manifest_done) struct manifest manifest = {};
	CLEANUP(freep) char *text = read_beside(shelf, item->image, MANIFEST_SUFFIX);
	struct reason reason;
	struct stat status;

	if (fstatat(shelf->folder, item->image, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT;
	return S_ISREG(status.st_mode) && (uint64_t)status.st_size == item->size && text &&
	       manifest_read(item->image, text, strlen(text), &manifest, &reason) == MANIFEST_OK &&
	       manifest.sha256 && strcmp(manifest.sha256, item->sha256) == 0;
}

int shelf_remove(struct shelf *shelf, const char *image)
{
	static const char *const suffixes[] = {
		"", ROLLOUT_SUFFIX, SUFFIX_SIGNATURE, MANIFEST_SUFFIX};
	struct shelf_item *item = brought_find(&shelf->brought, image);
	bool is_ours = item && is_as_brought(shelf, item);
	int r = 0;

	if (!item)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes) && is_ours && r == 0; i++)
		r = remove_file(shelf, image, suffixes[i]);
	if (r < 0)
		return r;
	if (strcmp(shelf->filling.wish.image, image) == 0)
		shelf_abort(shelf);
	return brought_remove(&shelf->brought, item);
}
