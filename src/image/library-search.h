/* SPDX-License-Identifier: MIT */
/* library-search.h - going through the image directory along a glob. For library.c only. */
#pragma once

#include "image/library-list.h"

/*
 * All files that fit, in no order, those passed over with the reason; the manifests were read,
 * sizes were not asked for. The directory stays open in `ret_root`. 0, where none fits with the
 * names seen instead as the reason; LIBRARY_REFUSED (the glob, a search without end) or -errno,
 * with the reason.
 */
int library_search(const struct library_query *query, int *ret_root, struct library_list *ret,
	struct reason *reason);
