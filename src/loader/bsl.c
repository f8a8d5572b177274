/* SPDX-License-Identifier: MIT */
/*
 * bsl.c - the boot loader in the ROM of the CC2538, CC13xx and CC26xx of TI. It is not
 * spoken to so far.
 */
#include <errno.h>
#include <stdlib.h>

#include "loader/loader.h"

static int bsl_open(const struct loader *base, struct loader **ret)
{
	struct loader *loader = calloc(1, sizeof(*loader));

	if (!loader)
		return -ENOMEM;
	*loader = *base;
	*ret = loader;
	return 0;
}

static struct loader *bsl_close(struct loader *loader)
{
	free(loader);
	return NULL;
}

static int bsl_sync(struct loader *loader, bool was_reset)
{
	(void)loader;
	(void)was_reset;
	return LOADER_UNSUPPORTED;
}

static int bsl_identify(struct loader *loader, struct chip_identity *ret)
{
	(void)loader;
	(void)ret;
	return LOADER_UNSUPPORTED;
}

static int bsl_read(struct loader *loader, uint32_t address, uint8_t *to, size_t n_to)
{
	(void)loader;
	(void)address;
	(void)to;
	(void)n_to;
	return LOADER_UNSUPPORTED;
}

static int bsl_digest(struct loader *loader, uint32_t address, uint32_t size,
	uint8_t ret[static LOADER_DIGEST_MAX])
{
	(void)loader;
	(void)address;
	(void)size;
	(void)ret;
	return LOADER_UNSUPPORTED;
}

static int bsl_write(struct loader *loader, uint32_t address, const uint8_t *data, size_t n_data)
{
	(void)loader;
	(void)address;
	(void)data;
	(void)n_data;
	return LOADER_UNSUPPORTED;
}

static int bsl_erase_pages(struct loader *loader, const struct chip_page *pages, size_t n_pages)
{
	(void)loader;
	(void)pages;
	(void)n_pages;
	return LOADER_UNSUPPORTED;
}

const struct loader_ops loader_bsl = {
	.name = "bsl",
	.parity = PORT_PARITY_NONE,
	.block_size = 248,
	.open = bsl_open,
	.close = bsl_close,
	.sync = bsl_sync,
	.identify = bsl_identify,
	.read = bsl_read,
	.digest_kind = LOADER_DIGEST_CRC32,
	.digest = bsl_digest,
	.write = bsl_write,
	.erase_pages = bsl_erase_pages,
};
