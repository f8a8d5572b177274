/* SPDX-License-Identifier: MIT */
/*
 * loader.c - which loaders there are: a row for each word of the rule's `protocol`; and what all of
 * them have in common.
 */
#include "loader/loader.h"

#include <assert.h>

const struct loader_ops *loader_of(enum board_protocol protocol)
{
	static const struct loader_ops *const loaders[] = {
		[BOARD_PROTOCOL_STM32] = &loader_stm32,
		[BOARD_PROTOCOL_XMODEM] = &loader_xmodem,
		[BOARD_PROTOCOL_YMODEM] = &loader_ymodem,
		[BOARD_PROTOCOL_ESP] = &loader_esp,
		[BOARD_PROTOCOL_BSL] = &loader_bsl,
	};

	return loaders[protocol];
}

/* A mistake in a table is found by the first test that opens the loader, not by a board. */
int loader_open(const struct loader *base, struct loader **ret)
{
	const struct loader_ops *ops = base->ops;
	bool erases = ops->begin_erases ? ops->begin != NULL : ops->erase_pages != NULL;

	assert(ops->block_size >= 1 && ops->block_size <= LOADER_BLOCK_MAX);
	assert(ops->open && ops->close && ops->sync);
	assert(!ops->begin == !ops->end);
	assert(!ops->set_baud == (ops->entry_baud == 0));
	assert(!ops->proves_runs || (ops->digest && ops->begin_erases));
	assert(!ops->digest == (ops->digest_kind == LOADER_DIGEST_NONE));
	assert(!ops->digests || ops->digest);
	assert(ops->digest_min == 0 || (ops->read && ops->digest_min <= ops->block_size));
	assert(ops->send || (ops->identify && ops->write && erases && (ops->read || ops->digest)));
	return ops->open(base, ret);
}

struct loader *loader_close(struct loader *loader)
{
	return loader ? loader->ops->close(loader) : NULL;
}

int loader_erase_pages(struct loader *loader, const struct chip_page *pages, size_t n_pages)
{
	const struct loader_ops *ops = loader->ops;
	int r = 0;

	if (!ops->begin_erases)
		return ops->erase_pages(loader, pages, n_pages);
	for (size_t i = 0; r == 0 && i < n_pages;) {
		uint32_t address = pages[i].address, size = 0;

		for (; i < n_pages && pages[i].address == address + size; i++)
			size += pages[i].size;
		r = ops->begin(loader, address, size, NULL);
		if (r == 0)
			r = ops->end(loader);
	}
	return r;
}
