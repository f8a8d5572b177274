/* SPDX-License-Identifier: MIT */
/* page.h - the files of the page, read once when the process starts. */
#pragma once

#include <stddef.h>

#include "base/text.h"

#define PAGE_FILES_MOST 32
#define PAGE_FILE_MOST	(1024 * 1024)

struct page_file {
	char name[64];
	const char *type;
	char *bytes;
	size_t n;
	char etag[40]; /* with its quotes */
};

struct page {
	struct page_file files[PAGE_FILES_MOST];
	size_t n_files;
	char version[17]; /* another where any file is: a page that is open can tell that it is old
			   */
};

/*
 * The files of that directory whose suffix says what they are; hidden ones, and names with
 * anything but letters, digits, dots, hyphens and underscores are left out. There is an index.html
 * among them. 0, or -errno with the reason, and nothing to be freed.
 */
int page_load(const char *directory, struct page *ret, struct reason *reason);

void page_done(struct page *page);

/* The file of that path, "/page.js", or "/" for index.html. NULL: there is none. */
const struct page_file *page_find(const struct page *page, const char *path);
