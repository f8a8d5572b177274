/* SPDX-License-Identifier: MIT */
#include "cli/reader.h"

#include <unistd.h>

const struct library_reader *reader_find(struct reader *reader)
{
	if (geteuid() != 0)
		return NULL;
	user_find_service(&reader->user);
	if (!reader->user.exists)
		return NULL;
	reader->rights = (struct library_reader){
		.name = reader->user.name,
		.uid = reader->user.uid,
		.groups = reader->user.groups,
		.n_groups = reader->user.n_groups,
	};
	return &reader->rights;
}
