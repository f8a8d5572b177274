/* SPDX-License-Identifier: MIT */
/* toy.c - the boot loader of toy.h, a whole one. */
#include "toy.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static struct toy *toy_of(struct loader *loader)
{
	return ((struct toy_loader *)((char *)loader - offsetof(struct toy_loader, base)))->toy;
}

/* The table is a part of the chip that it speaks to. */
static int toy_open(const struct loader *base, struct loader **ret)
{
	struct toy *toy = (struct toy *)((char *)base->ops - offsetof(struct toy, slow));

	toy->slow_loader = (struct toy_loader){*base, toy};
	*ret = &toy->slow_loader.base;
	return 0;
}

static struct loader *toy_close(struct loader *loader)
{
	(void)loader;
	return NULL;
}

static int toy_sync(struct loader *loader, bool was_reset)
{
	struct toy *toy = toy_of(loader);

	assert(was_reset && loader->ops == &toy->slow);
	toy->begin = toy->next = toy->end = toy->n_pending = 0;
	return 0;
}

static int toy_identify(struct loader *loader, struct chip_identity *ret)
{
	*ret = toy_of(loader)->identity;
	ret->product_id = TOY_ID;
	ret->can_promote = true;
	ret->flash_bytes = TOY_BYTES;
	ret->chip = &loader->chips->items[0];
	strcpy(ret->unique_id, "746f79");
	return 0;
}

static int toy_set_baud(struct loader *loader, uint32_t baud)
{
	struct toy *toy = toy_of(loader);
	struct reason reason;

	if (toy->max_baud > 0 && baud > toy->max_baud)
		return LOADER_NO_ANSWER;
	return port_configure(loader->port, baud, PORT_PARITY_NONE, &reason);
}

static int program(struct toy *toy, uint32_t offset, const uint8_t *data, size_t n_data)
{
	for (size_t i = 0; i < n_data; i++) {
		assert(toy->flash[offset + i] == 0xFF);
		toy->flash[offset + i] = TOY_BASE + offset + i == toy->stuck ? 0x00 : data[i];
	}
	return 0;
}

static int toy_flush(struct loader *loader)
{
	struct toy *toy = toy_of(loader);
	uint32_t n = (uint32_t)toy->n_pending;

	toy->n_flushes += n > 0;
	toy->n_pending = 0;
	return program(toy, toy->next - n, toy->pending, n);
}

static int toy_begin(struct loader *loader, uint32_t address, uint32_t size, const uint8_t *bytes)
{
	struct toy *toy = toy_of(loader);
	uint32_t n_pages = (size + TOY_PAGE - 1) / TOY_PAGE;

	assert(toy->begin == toy->end && address % TOY_PAGE == 0 && size > 0);
	toy_flush(loader);
	toy->begin = toy->next = address - TOY_BASE;
	toy->end = toy->begin + size;
	toy->announced = bytes;
	assert(toy->end <= TOY_BYTES);
	memset(toy->flash + toy->begin, 0xFF, n_pages * TOY_PAGE);
	toy->n_erased += n_pages;
	return 0;
}

/* The fast loader answers before the flash has the bytes. */
static int toy_write(struct loader *loader, uint32_t address, const uint8_t *data, size_t n_data)
{
	struct toy *toy = toy_of(loader);

	toy_flush(loader);
	assert(address - TOY_BASE == toy->next && n_data <= toy->end - toy->next);
	assert(n_data <= loader->ops->block_size);
	assert(memcmp(toy->announced + (toy->next - toy->begin), data, n_data) == 0);
	toy->n_longest = n_data > toy->n_longest ? n_data : toy->n_longest;
	if (++toy->n_writes == toy->unplug_at_write)
		return program(toy, toy->next, data, n_data / 2) - ENODEV;
	memcpy(toy->pending, data, n_data);
	toy->n_pending = n_data;
	toy->next += (uint32_t)n_data;
	return loader->ops->flush ? 0 : toy_flush(loader);
}

static int toy_end(struct loader *loader)
{
	struct toy *toy = toy_of(loader);

	assert(toy->next == toy->begin || toy->next == toy->end);
	toy->begin = toy->end;
	return loader->ops->flush ? 0 : toy_flush(loader);
}

static int toy_digest(struct loader *loader, uint32_t address, uint32_t size, uint8_t *ret)
{
	struct toy *toy = toy_of(loader);
	uint32_t crc = UINT32_MAX;

	assert(address >= TOY_BASE && size <= TOY_BASE + TOY_BYTES - address);
	assert(size > 0 && address % 4 == 0 && size % 4 == 0 && toy->n_pending == 0 &&
		toy->begin == toy->end);
	for (uint32_t i = 0; i < 8 * size; i++) {
		uint8_t byte = toy->flash[address - TOY_BASE + i / 8];

		crc = crc >> 1 ^ ((crc ^ byte >> i % 8) & 1 ? UINT32_C(0xEDB88320) : 0);
	}
	for (int i = 0; i < 4; i++)
		ret[i] = (uint8_t)(~crc >> (24 - 8 * i));
	ret[0] ^= ++toy->n_digests == toy->bend_digest;
	return 0;
}

const struct loader_ops toy_ops = {.name = "toy",
	.block_size = 1024,
	.open = toy_open,
	.close = toy_close,
	.sync = toy_sync,
	.identify = toy_identify,
	.entry_baud = 115200,
	.set_baud = toy_set_baud,
	.digest_kind = LOADER_DIGEST_CRC32,
	.digest = toy_digest,
	.write = toy_write,
	.flush = toy_flush,
	.begin = toy_begin,
	.end = toy_end,
	.begin_erases = true};
