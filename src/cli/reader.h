/* SPDX-License-Identifier: MIT */
/* reader.h - the service's user, for whom root asks whether images can be read. */
#pragma once

#include "doctor/user.h"
#include "image/library.h"

struct reader {
	struct user user;
	struct library_reader rights;
};

/*
 * The reader for a query: the service's user where this process is root and that user exists; else
 * NULL, which means this process itself.
 */
const struct library_reader *reader_find(struct reader *reader);
