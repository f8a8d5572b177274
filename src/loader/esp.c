/* SPDX-License-Identifier: MIT */
/* esp.c - the boot loader in the ROM of an ESP32 and its relatives. */
#include <errno.h>

#include "loader/loader.h"

static int esp_open(const struct loader *base, struct loader **ret)
{
	(void)base;
	(void)ret;
	return -EOPNOTSUPP;
}

static struct loader *esp_close(struct loader *loader)
{
	(void)loader;
	return NULL;
}

static int esp_sync(struct loader *loader, bool was_reset)
{
	(void)loader;
	(void)was_reset;
	return LOADER_NO_ANSWER;
}

static int esp_identify(struct loader *loader, struct chip_identity *ret)
{
	(void)loader;
	(void)ret;
	return LOADER_NO_ANSWER;
}

static int esp_read(struct loader *loader, uint32_t address, uint8_t *to, size_t n_to)
{
	(void)loader;
	(void)address;
	(void)to;
	(void)n_to;
	return LOADER_UNSUPPORTED;
}

static int esp_write(struct loader *loader, uint32_t address, const uint8_t *data, size_t n_data)
{
	(void)loader;
	(void)address;
	(void)data;
	(void)n_data;
	return LOADER_UNSUPPORTED;
}

static int esp_erase_pages(struct loader *loader, const struct chip_page *pages, size_t n_pages)
{
	(void)loader;
	(void)pages;
	(void)n_pages;
	return LOADER_UNSUPPORTED;
}

const struct loader_ops loader_esp = {
	.name = "esp",
	.parity = PORT_PARITY_NONE,
	.block_size = 1024,
	.open = esp_open,
	.close = esp_close,
	.sync = esp_sync,
	.identify = esp_identify,
	.read = esp_read,
	.write = esp_write,
	.erase_pages = esp_erase_pages,
};
