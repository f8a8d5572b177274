/* SPDX-License-Identifier: MIT */
#include "web/page.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#define INDEX "index.html"

static const struct {
	const char *suffix, *type;
} types[] = {
	{".html", "text/html; charset=utf-8"},
	{".css", "text/css; charset=utf-8"},
	{".js", "text/javascript; charset=utf-8"},
	{".svg", "image/svg+xml"},
	{".png", "image/png"},
	{".woff2", "font/woff2"},
	{".ogg", "audio/ogg"},
};

/* NULL: it is not served. */
static const char *type_of(const char *name)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

	if (name[0] == '.' || name[strspn(name, plain)] != '\0')
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (text_ends_with(name, types[i].suffix))
			return types[i].type;
	return NULL;
}

/* FNV-1a, 64 bits: it tells one state of a file from another, and guards nothing. */
static uint64_t hash(const char *bytes, size_t n)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)bytes[i]) * UINT64_C(0x100000001b3);
	return h;
}

static int read_file(int directory, const char *name, char **ret, size_t *ret_n)
{
	CLEANUP(closep)
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	CLEANUP(freep) char *bytes = NULL;
	struct stat st;
	size_t n = 0;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > PAGE_FILE_MOST)
		return -EFBIG;
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	r = read_up_to(fd, bytes, (size_t)st.st_size, &n);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(bytes);
	*ret_n = n;
	return 0;
}

/* The sum of all, so that the order of the folder does not matter. */
static void make_version(struct page *page)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < page->n_files; i++)
		sum += hash(page->files[i].bytes, page->files[i].n) ^
		       hash(page->files[i].name, strlen(page->files[i].name));
	snprintf(page->version, sizeof(page->version), "%016" PRIx64, sum);
}

static int take_file(struct page *page, int directory, const char *name, const char *type)
{
	struct page_file *file = &page->files[page->n_files];
	int r;

	if (page->n_files == PAGE_FILES_MOST)
		return -E2BIG;
	if (strlen(name) >= sizeof(file->name))
		return -ENAMETOOLONG;
	r = read_file(directory, name, &file->bytes, &file->n);
	if (r < 0)
		return r;
	text_copy(file->name, sizeof(file->name), name);
	file->type = type;
	snprintf(file->etag, sizeof(file->etag), "\"%zx-%016" PRIx64 "\"", file->n,
		hash(file->bytes, file->n));
	page->n_files++;
	return 0;
}

int page_load(const char *directory, struct page *ret, struct reason *reason)
{
	CLEANUP(page_done) struct page page = {0};
	CLEANUP(closedirp) DIR *folder = opendir(directory);
	int r;

	if (!folder) {
		int error = errno;

		return reason_refuse(-error, reason,
			"%s: the files of the page are not there: %s; install plugflash whole, or say where they are (--page)",
			directory, strerror(error));
	}
	for (struct dirent *entry; (entry = readdir(folder));) {
		const char *type = type_of(entry->d_name);

		r = type ? take_file(&page, dirfd(folder), entry->d_name, type) : 0;
		if (r < 0)
			return reason_refuse(r, reason,
				"%s/%s: this file of the page is not usable: %s", directory,
				entry->d_name, strerror(-r));
	}
	if (!page_find(&page, "/" INDEX))
		return reason_refuse(-ENOENT, reason,
			"%s: no " INDEX
			" is there; install plugflash whole, or say where the page is (--page)",
			directory);
	make_version(&page);
	*ret = page;
	page = (struct page){0};
	return 0;
}

void page_done(struct page *page)
{
	for (size_t i = 0; i < page->n_files; i++)
		free(page->files[i].bytes);
	*page = (struct page){0};
}

const struct page_file *page_find(const struct page *page, const char *path)
{
	const char *name = strcmp(path, "/") == 0 ? "/" INDEX : path;

	for (size_t i = 0; name[0] == '/' && i < page->n_files; i++)
		if (strcmp(page->files[i].name, name + 1) == 0)
			return &page->files[i];
	return NULL;
}
