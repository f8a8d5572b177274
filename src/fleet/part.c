/* SPDX-License-Identifier: MIT */
#include "fleet/part.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "fleet/kept.h"

#define PART_SUFFIX ".part"
#define TAG_SUFFIX  ".tag"

/* As much as takes a small processor some milliseconds. */
#define DIGEST_BYTES (256 * 1024)
#define CHUNK_BYTES  (16 * 1024)

/* Half of the digest's digits: enough to tell images apart, and short enough for kept.h. */
#define NAME_DIGITS 32
#define NAME_SIZE   (NAME_DIGITS + sizeof(PART_SUFFIX))

static char *name_of(const char *sha256, const char *suffix, char to[static NAME_SIZE])
{
	snprintf(to, NAME_SIZE, "%.*s%s", NAME_DIGITS, sha256, suffix);
	return to;
}

/* ------------------------------------------------------------------ bytes */

void part_close(struct part *part)
{
	digest_stream_free(part->digest);
	closep(&part->fd);
	part->digest = NULL;
	part->fd = -1;
}

static int begin_digest(struct part *part)
{
	digest_stream_free(part->digest);
	part->digest = digest_stream_new();
	part->n_digested = 0;
	return part->digest ? 0 : -ENOMEM;
}

int part_open(
	int folder, const char sha256[static DIGEST_HEX_SIZE], uint64_t size, struct part *ret)
{
	char name[NAME_SIZE];
	struct stat status;

	*ret = (struct part){.folder = folder, .fd = -1, .size = size};
	text_copy(ret->sha256, sizeof(ret->sha256), sha256);
	ret->fd = openat(folder, name_of(sha256, PART_SUFFIX, name),
		O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (ret->fd < 0 || fstat(ret->fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -ENXIO;
	if ((uint64_t)status.st_size > size)
		return part_restart(ret);
	ret->n_bytes = (uint64_t)status.st_size;
	return begin_digest(ret);
}

int part_digest_some(struct part *part)
{
	uint8_t chunk[CHUNK_BYTES];

	for (size_t done = 0; done < DIGEST_BYTES && part->n_digested < part->n_bytes;) {
		uint64_t left = part->n_bytes - part->n_digested;
		ssize_t n = pread(part->fd, chunk, left < sizeof(chunk) ? left : sizeof(chunk),
			(off_t)part->n_digested);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		/* Nobody else writes here: the file system lost it. */
		if (n == 0)
			return -EIO;
		digest_stream_take(part->digest, chunk, (size_t)n);
		part->n_digested += (uint64_t)n;
		done += (size_t)n;
	}
	return part->n_digested < part->n_bytes ? PART_MORE : PART_DONE;
}

int part_append(struct part *part, const void *bytes, size_t n)
{
	int r;

	if (n > part->size - part->n_bytes)
		return PART_TOO_LONG;
	if (lseek(part->fd, (off_t)part->n_bytes, SEEK_SET) < 0)
		return -errno;
	r = write_whole(part->fd, bytes, n);
	if (r < 0)
		return r;
	digest_stream_take(part->digest, bytes, n);
	part->n_bytes += n;
	part->n_digested += n;
	return 0;
}

int part_restart(struct part *part)
{
	if (ftruncate(part->fd, 0) < 0)
		return -errno;
	part->n_bytes = 0;
	return begin_digest(part);
}

int part_finish(struct part *part)
{
	struct digests digests;

	digest_stream_end(part->digest, &digests);
	digest_stream_free(part->digest);
	part->digest = NULL;
	if (part->n_bytes != part->size || strcmp(digests.sha256, part->sha256) != 0)
		return PART_WRONG;
	return fdatasync(part->fd) < 0 ? -errno : PART_DONE;
}

/* ------------------------------------------------------------------ the tag */

/* The address may have a key in it, and is kept as its digest. */
static void digest_of_url(const char *url, char to[static DIGEST_HEX_SIZE])
{
	digest_sha256((const uint8_t *)url, strlen(url), to);
}

void part_keep_tag(const struct part *part, const char *url, const char *tag)
{
	char name[NAME_SIZE], source[DIGEST_HEX_SIZE];
	CLEANUP(freep) char *text = NULL;

	name_of(part->sha256, TAG_SUFFIX, name);
	digest_of_url(url, source);
	if (!*tag || text_format(&text, "%s %s\n", source, tag) < 0)
		(void)kept_remove(part->folder, name);
	else
		(void)kept_write(part->folder, name, text, strlen(text));
}

void part_tag(const struct part *part, const char *url, char *to, size_t size)
{
	char name[NAME_SIZE], source[DIGEST_HEX_SIZE];
	CLEANUP(freep) char *text = NULL;
	size_t n;

	text_copy(to, size, "");
	if (kept_read(part->folder, name_of(part->sha256, TAG_SUFFIX, name), DIGEST_HEX_SIZE + size,
		    &text, &n) < 0)
		return;
	digest_of_url(url, source);
	if (n <= DIGEST_HEX_SIZE || strncmp(text, source, DIGEST_HEX_SIZE - 1) != 0)
		return;
	text[strcspn(text, "\n")] = '\0';
	text_copy(to, size, text + DIGEST_HEX_SIZE);
}

/* ------------------------------------------------------------------ those that nobody wants */

void part_remove(int folder, const char *sha256)
{
	char name[NAME_SIZE];

	(void)unlinkat(folder, name_of(sha256, TAG_SUFFIX, name), 0);
	(void)unlinkat(folder, name_of(sha256, PART_SUFFIX, name), 0);
}

static bool is_old(int folder, const char *name, int64_t before_usec)
{
	struct stat status;

	return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       usec_of(&status.st_mtim) < before_usec;
}

void parts_sweep(int folder, int64_t before_usec,
	bool (*is_wanted)(const void *userdata, const char *sha256), const void *userdata)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closedirp) DIR *listing = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!listing) {
		closep(&fd);
		return;
	}
	while ((entry = readdir(listing))) {
		char digits[NAME_DIGITS + 1];
		const char *suffix = entry->d_name + strspn(entry->d_name, "0123456789abcdef");

		if (suffix - entry->d_name != NAME_DIGITS || *suffix != '.')
			continue;
		memcpy(digits, entry->d_name, NAME_DIGITS);
		digits[NAME_DIGITS] = '\0';
		if (!is_wanted(userdata, digits) && is_old(folder, entry->d_name, before_usec))
			(void)unlinkat(folder, entry->d_name, 0);
	}
}
