/* SPDX-License-Identifier: MIT */
#include "cli/made.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "image/folder.h"

#define BLOCK 65536

static int note(struct made *made, const char *path)
{
	char **grown = room_for_one(made->paths, made->n_paths, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	made->paths = grown;
	grown[made->n_paths] = strdup(path);
	if (!grown[made->n_paths])
		return -ENOMEM;
	made->n_paths++;
	return 0;
}

/* Whoever made it and cannot note it would leave it behind. */
static int note_or_remove(struct made *made, const char *path)
{
	int r = note(made, path);

	if (r < 0)
		(void)remove(path);
	return r;
}

static int make_folder(struct made *made, const char *path)
{
	if (mkdir(path, 0755) < 0)
		return errno == EEXIST ? 0 : -errno;
	/* Whatever the umask is. */
	if (chmod(path, 0755) < 0) {
		int r = -errno;

		(void)rmdir(path);
		return r;
	}
	return note_or_remove(made, path);
}

int made_folder(struct made *made, const char *path)
{
	CLEANUP(freep) char *part = strdup(path);
	int r = 0;

	if (!part)
		return -ENOMEM;
	for (char *slash = part; r == 0 && (slash = strchr(slash + 1, '/')); *slash = '/') {
		*slash = '\0';
		r = make_folder(made, part);
	}
	return r == 0 ? make_folder(made, part) : r;
}

/* Either from memory or from a file. */
struct source {
	const uint8_t *data;
	size_t n_data;
	int fd; /* -1: from memory */
};

static int fill(int fd, const struct source *source)
{
	CLEANUP(freep) uint8_t *block = NULL;
	size_t n = 0;
	int r = 0;

	if (source->fd < 0)
		return write_whole(fd, source->data, source->n_data);
	block = malloc(BLOCK);
	if (!block)
		return -ENOMEM;
	do {
		r = read_up_to(source->fd, block, BLOCK, &n);
		if (r == 0)
			r = write_whole(fd, block, n);
	} while (r == 0 && n > 0);
	return r;
}

static bool are_equal(const char *a, const char *b)
{
	CLEANUP(closep) int one = open(a, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	CLEANUP(closep) int other = open(b, O_RDONLY | O_CLOEXEC);
	uint8_t blocks[2][4096];
	size_t n[2] = {0, 0};

	if (one < 0 || other < 0)
		return false;
	do {
		if (read_up_to(one, blocks[0], sizeof(blocks[0]), &n[0]) < 0 ||
			read_up_to(other, blocks[1], sizeof(blocks[1]), &n[1]) < 0 ||
			n[0] != n[1] || memcmp(blocks[0], blocks[1], n[0]) != 0)
			return false;
	} while (n[0] > 0);
	return true;
}

/* File systems of the network and of FUSE know no RENAME_NOREPLACE (rename(2)): a second name does
 * the same there. */
static int rename_as_new(const char *hidden, const char *path)
{
	if (renameat2(AT_FDCWD, hidden, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	return link(hidden, path) == 0 ? 0 : -errno;
}

/* As tools do that copy well: whoever watches the folder sees the whole file come. */
static int give_name(struct made *made, const char *hidden, const char *path)
{
	int r = rename_as_new(hidden, path);

	if (r == 0)
		return note_or_remove(made, path);
	if (r != -EEXIST)
		return r;
	return are_equal(path, hidden) ? 0 : MADE_OTHER;
}

static int make_file(struct made *made, const char *path, const struct source *source)
{
	CLEANUP(freep) char *hidden = NULL;
	CLEANUP(closep) int fd = -1;
	const char *slash = strrchr(path, '/');
	int r = text_format(
		&hidden, "%.*s/.setup-XXXXXX", slash ? (int)(slash - path) : 1, slash ? path : ".");

	if (r < 0)
		return r;
	fd = mkostemp(hidden, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fill(fd, source);
	if (r == 0 && (fchmod(fd, 0644) < 0 || fsync(fd) < 0))
		r = -errno;
	if (r == 0)
		r = give_name(made, hidden, path);
	(void)unlink(hidden);
	return r;
}

int made_file(struct made *made, const char *path, const void *data, size_t n_data)
{
	return make_file(made, path, &(struct source){.data = data, .n_data = n_data, .fd = -1});
}

/* The descriptor or -errno. */
static int open_source(const char *directory, const char *from)
{
	CLEANUP(closep) int root = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closep) int folder = -1, fd = -1;
	CLEANUP(freep) char *above = NULL;
	const char *name = basename(from);
	struct stat status;

	if (root < 0)
		return -errno;
	if (text_format(&above, "%.*s", (int)(name - from), from) < 0)
		return -ENOMEM;
	folder = folder_open(root, above);
	if (folder < 0)
		return folder;
	fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &status) < 0)
		return -errno;
	return S_ISREG(status.st_mode) ? take_fd(&fd) : -EINVAL;
}

int made_copy(struct made *made, const char *path, const char *directory, const char *from)
{
	CLEANUP(closep) int fd = open_source(directory, from);

	return fd < 0 ? fd : make_file(made, path, &(struct source){.fd = fd});
}

void made_undo(struct made *made)
{
	for (size_t i = made->n_paths; i > 0; i--)
		(void)remove(made->paths[i - 1]);
	made_done(made);
}

void made_done(struct made *made)
{
	for (size_t i = 0; i < made->n_paths; i++)
		free(made->paths[i]);
	free(made->paths);
	*made = (struct made){0};
}
