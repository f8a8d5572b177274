/* SPDX-License-Identifier: MIT */
/*
 * bsl.c - the boot loader in the ROM of the CC2538, CC13xx and CC26xx of TI, as a loader of ranges
 * (ti-bsl.md 2, 6, 13). Commands of the ROM alone: no program of ours is put into the chip.
 *
 * DOWNLOAD sets an address and erases nothing; SEND_DATA programs from there on, and the address
 * goes on with it, but not where GET_STATUS says that the packet failed. So a packet that failed is
 * sent again as it is. Where its acknowledgement was lost nobody knows whether the address went on:
 * DOWNLOAD sets it again, and the same bytes are programmed twice, which harms nothing.
 *
 * The top sector decides whether this loader can ever be reached again, and after its erase the ROM
 * itself writes there (ti-bsl.md 5.2): in which order the flash is erased and written is the
 * procedure's and the family's. SET_CCFG is never sent. BANK_ERASE, which takes the network with
 * it, is sent by bank_erase() alone.
 *
 * The ROM of the CC2538 has the same commands with other lengths; one of the wrong length is
 * refused (status 0x42) and does nothing.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "chip/family-cc13xx.h"
#include "loader/bsl-identify.h"
#include "loader/bsl-strangers.h"
#include "loader/loader.h"

/* Of a packet, a multiple of what the flash programs at once. */
#define BLOCK_BYTES 248

/* ti-bsl.md 13. */
#define SEND_DATA_USEC	(2 * USEC_PER_SEC)
#define CRC32_USEC	(2 * USEC_PER_SEC)
#define BANK_ERASE_USEC (15 * USEC_PER_SEC)

/* Of a packet that the flash did not take, of one whose acknowledgement was lost, of an erase. */
#define DATA_TRIES  3
#define LOST_TRIES  3
#define ERASE_TRIES 2

/* The CRC of so few bytes is all ones (ti-bsl.md 2). */
#define CRC32_MIN 9

struct bsl {
	struct loader base;
	struct bsl_link link;
	const struct chip *chip; /* NULL until it is known */
	bool is_38;
	bool has_pointer; /* a DOWNLOAD is in force, and goes on at `pointer` */
	uint32_t pointer;
};

static struct bsl *bsl_of(struct loader *loader)
{
	return (struct bsl *)((char *)loader - offsetof(struct bsl, base));
}

static int bsl_open(const struct loader *base, struct loader **ret)
{
	struct bsl *bsl = calloc(1, sizeof(*bsl));

	if (!bsl)
		return -ENOMEM;
	bsl->base = *base;
	bsl->link.port = base->port;
	*ret = &bsl->base;
	return 0;
}

static struct loader *bsl_close(struct loader *loader)
{
	free(bsl_of(loader));
	return NULL;
}

static int bsl_sync(struct loader *loader, bool was_reset)
{
	struct bsl *bsl = bsl_of(loader);

	bsl->chip = NULL;
	bsl->has_pointer = false;
	return bsl_link_sync(&bsl->link, was_reset);
}

static int bsl_find_chip(struct loader *loader, struct chip_identity *ret)
{
	struct bsl *bsl = bsl_of(loader);
	int r = bsl_identify(&bsl->link, loader, ret);

	if (r != 0)
		return r;
	bsl->chip = ret->chip;
	bsl->is_38 = cc13xx_row(ret->chip)->kind == CC13XX_38;
	return 0;
}

static const char *bsl_refusal(struct loader *loader)
{
	return bsl_status_to_string(bsl_of(loader)->link.status);
}

/*
 * A command, and whether it worked. LOADER_GARBLED where the status is of zeros that were sent in
 * between to mend the link, and not of the command.
 */
static int command(struct bsl *bsl, const uint8_t *data, size_t n_data, uint64_t timeout_usec)
{
	unsigned n_zeros = bsl->link.n_zeros;
	int r = bsl_link_send(&bsl->link, data, n_data, timeout_usec);

	if (r == 0)
		r = bsl_link_check(&bsl->link);
	if (r == LOADER_REFUSED && bsl->link.status == BSL_STATUS_UNKNOWN_COMMAND &&
		bsl->link.n_zeros != n_zeros)
		return LOADER_GARBLED;
	return r;
}

/* ------------------------------------------------------------------ questions */

/* The ROM of the CC2538 reads whole words alone. */
static int bsl_read(struct loader *loader, uint32_t address, uint8_t *to, size_t n_to)
{
	struct bsl *bsl = bsl_of(loader);
	uint32_t from = address / 4 * 4, before = address - from;
	uint8_t bytes[BLOCK_BYTES + 8];
	int r;

	if (n_to > BLOCK_BYTES)
		return -EINVAL;
	r = bsl_read_memory(&bsl->link, bsl->is_38, from, bytes, (before + n_to + 3) / 4 * 4);
	if (r == 0)
		memcpy(to, bytes + before, n_to);
	return r;
}

static int bsl_digest(struct loader *loader, uint32_t address, uint32_t size,
	uint8_t ret[static LOADER_DIGEST_MAX])
{
	struct bsl *bsl = bsl_of(loader);
	uint8_t data[13] = {BSL_CRC32};

	if (size < CRC32_MIN)
		return LOADER_UNSUPPORTED;
	bsl_put_word(data + 1, address);
	bsl_put_word(data + 5, size);
	/* Behind them how often each byte is read, of the later ROMs alone: 0. */
	return bsl_link_ask(&bsl->link, data, bsl->is_38 ? 9 : 13, CRC32_USEC, ret, 4);
}

/* ------------------------------------------------------------------ erase and write */

/* A sector may be erased twice; one whose end was not told at all is not waited for once more. */
static int erase_page(struct bsl *bsl, const struct chip_page *page)
{
	uint8_t data[9] = {BSL_SECTOR_ERASE};
	int r = LOADER_GARBLED;

	bsl->has_pointer = false;
	bsl_put_word(data + 1, page->address);
	bsl_put_word(data + 5, page->size);
	for (int i = 0; i < ERASE_TRIES; i++) {
		int recovered = i > 0 && r == LOADER_GARBLED ? bsl_link_recover(&bsl->link) : 0;

		if (recovered != 0)
			return recovered < 0 ? recovered : r;
		r = command(bsl, data, bsl->is_38 ? 9 : 5, bsl->chip->page_erase_max_usec);
		if (r != LOADER_GARBLED &&
			!(r == LOADER_REFUSED && bsl->link.status == BSL_STATUS_FLASH_FAILED))
			break;
	}
	return r;
}

static int bsl_erase_pages(struct loader *loader, const struct chip_page *pages, size_t n_pages)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n_pages; i++)
		r = erase_page(bsl_of(loader), &pages[i]);
	return r;
}

/* Of protected sectors the ROM erases none, and where the CCFG forbids it nothing (ti-bsl.md 5.2).
 */
static int bsl_bank_erase(struct loader *loader)
{
	const uint8_t erase = BSL_BANK_ERASE;
	struct bsl *bsl = bsl_of(loader);

	if (bsl->is_38)
		return LOADER_UNSUPPORTED;
	bsl->has_pointer = false;
	return command(bsl, &erase, 1, BANK_ERASE_USEC);
}

/* Up to the end of the flash: it may be more than what follows, and a later one ends it. */
static int send_download(struct bsl *bsl, uint32_t address)
{
	const struct chip *chip = bsl->chip;
	uint8_t data[9] = {BSL_DOWNLOAD};
	int r;

	bsl_put_word(data + 1, address);
	bsl_put_word(data + 5, chip->flash.start + chip->flash.size - address);
	r = command(bsl, data, sizeof(data), BSL_ANSWER_USEC);
	bsl->has_pointer = r == 0;
	bsl->pointer = address;
	return r;
}

/* The address does not go on where the status is bad (ti-bsl.md 2): the same packet again. */
static int send_packet(struct bsl *bsl, const uint8_t *data, size_t n_data)
{
	int r = LOADER_REFUSED;

	bsl->link.status = BSL_STATUS_FLASH_FAILED;
	for (int i = 0; i < DATA_TRIES && r == LOADER_REFUSED &&
			bsl->link.status == BSL_STATUS_FLASH_FAILED;
		i++)
		r = command(bsl, data, n_data, SEND_DATA_USEC);
	return r;
}

/* The packet, behind a DOWNLOAD where the chip does not go on there by itself. */
static int send_block(struct bsl *bsl, uint32_t address, const uint8_t *packet, size_t n_packet)
{
	bool goes_on = bsl->has_pointer && bsl->pointer == address;
	int r = goes_on ? 0 : send_download(bsl, address);

	if (r != 0)
		return r;
	r = send_packet(bsl, packet, n_packet);
	bsl->has_pointer = r == 0;
	bsl->pointer = address + (uint32_t)n_packet - 1;
	/* What is left of a bent packet may be a command that ends the DOWNLOAD. */
	if (r == LOADER_REFUSED && bsl->link.status != BSL_STATUS_FLASH_FAILED)
		return LOADER_GARBLED;
	return r;
}

static int bsl_write(struct loader *loader, uint32_t address, const uint8_t *data, size_t n_data)
{
	struct bsl *bsl = bsl_of(loader);
	uint8_t packet[1 + BLOCK_BYTES] = {BSL_SEND_DATA};
	int r = LOADER_NO_ANSWER;

	if (n_data == 0 || n_data > BLOCK_BYTES || n_data % 4 != 0 ||
		address < bsl->chip->flash.start ||
		address - bsl->chip->flash.start > bsl->chip->flash.size - n_data)
		return -EINVAL;
	memcpy(packet + 1, data, n_data);
	for (int i = 0; i < LOST_TRIES && (r == LOADER_NO_ANSWER || r == LOADER_GARBLED); i++) {
		int recovered = i > 0 ? bsl_link_recover(&bsl->link) : 0;

		if (recovered != 0)
			return recovered < 0 ? recovered : r;
		r = send_block(bsl, address, packet, 1 + n_data);
	}
	return r;
}

/* ------------------------------------------------------------------ leaving */

/* The acknowledgement comes before the reset (ti-bsl.md 8). */
static int bsl_start(struct loader *loader, uint32_t address)
{
	const uint8_t reset = BSL_RESET;

	(void)address;
	return bsl_link_send(&bsl_of(loader)->link, &reset, 1, BSL_ANSWER_USEC);
}

const struct loader_ops loader_bsl = {
	.name = "bsl",
	.parity = PORT_PARITY_NONE,
	.unanswered =
		": the boot loader answered, and did not say which chip it is: check cable and power, or put a lower rate into `baud`",
	.block_size = BLOCK_BYTES,
	.open = bsl_open,
	.close = bsl_close,
	.sync = bsl_sync,
	.identify = bsl_find_chip,
	.look = bsl_look,
	.refusal = bsl_refusal,
	.read = bsl_read,
	.digest_kind = LOADER_DIGEST_CRC32,
	.digest = bsl_digest,
	.digest_min = CRC32_MIN,
	.write = bsl_write,
	.erase_pages = bsl_erase_pages,
	.bank_erase = bsl_bank_erase,
	.start = bsl_start,
};
