/* SPDX-License-Identifier: MIT */
/* reader.h - the service's user, for whom root asks whether images can be read. */
#pragma once

#include "image/library.h"

#define READER_GROUPS 64

struct reader {
	char name[64];
	gid_t groups[READER_GROUPS];
	struct library_reader rights;
};

/*
 * The reader for a query: the service's user where this process is root and that user exists; else
 * NULL, which means this process itself.
 */
const struct library_reader *reader_find(struct reader *reader);
