/* SPDX-License-Identifier: MIT */
/*
 * stub.c - see stub.h: what the procedure asks of a loader, as frames to the stub.
 *
 * The stub is believed step by step. First it must answer to a train of bytes by which it finds its
 * USART and the rate; then all that it says of itself and of the chip must be what the ROM and the
 * chip table say. Only then the rate is raised.
 *
 * Erase and write are posted: stub-link.c keeps the line and the flash busy at once, and flush()
 * waits for the end. A page is erased right before its first bytes, so that the line brings these
 * meanwhile: erased all together in front, a quarter of a whole job passes with an idle line. The
 * first page of a call is the exception, since it may be the one that keeps a torn flash from being
 * started. Units of nothing but erased bytes are not sent where a run of them is longer
 * than the frame that it saves; the stub programs none of them in any case.
 */
#include "loader/stub.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "image/digest.h"
#include "loader/stub-link.h"
#include "loader/stub-rate.h"

/* Bytes of one read or write: questions of a read are sent ahead. */
#define BLOCK 4096

/* A run of erased bytes that is left out: a frame costs a question and an answer. */
#define GAP_MIN 64

/* Sums and reads of a processor at 8 MHz, for a byte. */
#define SUM_NSEC 8000

/* How far the chip's clock may be off: oscillator and rate of the bridge. */
#define CLOCK_PERCENT 8

struct stub {
	struct loader base;
	struct stub_link link;
	struct stub_rate_state rate;
	const struct chip *chip;
	struct stub_banks banks;
	struct chip_page *pages; /* that are to be erased, owned */
	size_t n_pages;
	struct stub_hello hello;
	uint64_t clock_hz, nominal_hz; /* by the train; by the setup */
	char refusal[200];
};

static struct stub *stub_of(struct loader *loader)
{
	return (struct stub *)((char *)loader - offsetof(struct stub, base));
}

static struct loader *stub_close(struct loader *loader)
{
	struct stub *stub = stub_of(loader);

	stub_link_done(&stub->link);
	free(stub->pages);
	free(stub);
	return NULL;
}

/* ------------------------------------------------------------------ meeting it */

static uint32_t get(const uint8_t **at, unsigned n)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < n; i++)
		value |= (uint32_t)(*at)[i] << 8 * i;
	*at += n;
	return value;
}

static void read_hello(const uint8_t *at, struct stub_hello *ret)
{
	ret->magic = get(&at, 4);
	ret->protocol = (uint16_t)get(&at, 2);
	ret->version = (uint16_t)get(&at, 2);
	ret->self_crc = get(&at, 4);
	ret->dev_id = get(&at, 4);
	ret->flash_kib = (uint16_t)get(&at, 2);
	ret->kind = (uint8_t)get(&at, 1);
	ret->candidate = (uint8_t)get(&at, 1);
	ret->ring_size = get(&at, 4);
	ret->train_ticks = get(&at, 4);
	ret->brr = get(&at, 4);
	ret->cr1 = get(&at, 4);
}

/*
 * Trains with HELLO behind each, until there is an answer. A late one to an earlier HELLO counts:
 * what comes after it is over when a question is answered.
 */
static int meet(struct stub *stub)
{
	uint8_t train[STUB_TRAIN_BYTES];
	struct stub_reply reply;
	int r = LOADER_NO_ANSWER;

	memset(train, STUB_TRAIN_BYTE, sizeof(train));
	for (unsigned i = 0; r == LOADER_NO_ANSWER && i < STUB_TRAINS; i++) {
		/* No ring holds what no stub has taken. */
		stub->link.n_taken = stub->link.n_sent;
		r = stub_link_send(&stub->link, train, sizeof(train));
		if (r == 0)
			r = stub_link_try(&stub->link, STUB_HELLO, NULL, 0, i,
				STUB_HELLO_MS * USEC_PER_MSEC, &reply);
	}
	if (r != 0)
		return r;
	if (reply.head.status != STUB_OK || reply.head.size != sizeof(stub->hello))
		return LOADER_GARBLED;
	read_hello(reply.data, &stub->hello);
	return 0;
}

static int refuse(struct reason *why, const char *what, uint32_t said, uint32_t expected)
{
	reason_set(
		why, "its hello has %s 0x%" PRIx32 " in place of 0x%" PRIx32, what, said, expected);
	return LOADER_FOREIGN;
}

/* Whether it is the program that was loaded, on the chip that the ROM has shown. */
static int check_hello(struct stub *stub, const struct stub_facts *facts, struct reason *why)
{
	const struct stub_hello *hello = &stub->hello;
	uint32_t dev_id = hello->dev_id & 0xFFF;
	uint64_t off;

	if (hello->magic != STUB_MAGIC)
		return refuse(why, "the mark", hello->magic, STUB_MAGIC);
	if (hello->protocol != STUB_PROTOCOL)
		return refuse(why, "protocol", hello->protocol, STUB_PROTOCOL);
	if (hello->version != facts->version)
		return refuse(why, "version", hello->version, facts->version);
	if (hello->self_crc != facts->load->self_crc)
		return refuse(why, "a CRC of itself", hello->self_crc, facts->load->self_crc);
	if (dev_id != facts->dev_id && !(facts->load->may_have_no_dev_id && hello->dev_id == 0))
		return refuse(why, "product id", dev_id, facts->dev_id);
	if (facts->flash_kib && hello->flash_kib != facts->flash_kib)
		return refuse(why, "flash size", hello->flash_kib, facts->flash_kib);
	if (hello->kind != facts->load->kind)
		return refuse(why, "flash kind", hello->kind, facts->load->kind);
	if (hello->ring_size != facts->load->ring_size)
		return refuse(why, "ring size", hello->ring_size, facts->load->ring_size);
	stub->clock_hz = (uint64_t)hello->train_ticks * facts->train_baud / STUB_TRAIN_BITS;
	off = stub->clock_hz > facts->load->clock_hz ? stub->clock_hz - facts->load->clock_hz
						     : facts->load->clock_hz - stub->clock_hz;
	if (off * 100 > (uint64_t)facts->load->clock_hz * CLOCK_PERCENT)
		return refuse(why, "a clock of", (uint32_t)stub->clock_hz, facts->load->clock_hz);
	if (!stub_rate_init(&stub->rate, hello, facts->train_baud))
		return refuse(
			why, "a divider of", hello->brr, hello->train_ticks / STUB_TRAIN_BITS);
	return 0;
}

static int on_bad_line(void *userdata)
{
	struct stub *stub = userdata;

	return stub_rate_lower(&stub->rate, &stub->link);
}

static int begin(struct stub *stub, const struct stub_facts *facts, struct reason *why)
{
	uint32_t most = facts->max_baud ? facts->max_baud : STUB_BAUD;
	struct reason ignored;
	int r = port_configure(stub->base.port, facts->train_baud, PORT_PARITY_NONE, &ignored);

	if (facts->load->max_baud > 0 && most > facts->load->max_baud)
		most = facts->load->max_baud;
	if (r == 0)
		r = meet(stub);
	if (r == LOADER_NO_ANSWER)
		reason_set(why, "it does not answer");
	if (r == LOADER_GARBLED)
		reason_set(why, "its hello is none");
	if (r == 0)
		r = check_hello(stub, facts, why);
	if (r != 0)
		return r;
	/* HELLO again: late answers are over, and what is left of a train is forgotten. */
	stub_link_set_ring(&stub->link, stub->hello.ring_size);
	r = stub_link_clear(&stub->link);
	if (r == 0)
		r = stub_rate_raise(&stub->rate, &stub->link, most);
	if (r > 0)
		reason_set(why, "it answered once, and is not heard any more");
	/* What was left of the trains counts for nothing. */
	stub->link.n_damaged = stub->link.n_row_damaged = 0;
	return r;
}

int stub_open(const struct loader *base, const struct stub_facts *facts, struct loader **ret,
	struct reason *why)
{
	struct stub *stub = calloc(1, sizeof(*stub));
	int r;

	if (!stub)
		return -ENOMEM;
	stub->base = *base;
	stub->base.ops = &loader_stub;
	stub->chip = facts->chip;
	stub->banks = facts->load->banks;
	stub->nominal_hz = facts->load->clock_hz;
	r = stub_link_init(&stub->link, base->port);
	if (r == 0 && facts->wakes_in_rom)
		stub_link_keep_short(&stub->link);
	if (r == 0)
		r = begin(stub, facts, why);
	if (r != 0) {
		stub_close(&stub->base);
		return r;
	}
	stub->link.on_bad_line = on_bad_line;
	stub->link.userdata = stub;
	*ret = &stub->base;
	return 0;
}

/* ------------------------------------------------------------------ erase */

/* The data sheet's longest: the table has twice that. */
static uint64_t longest(uint64_t max_usec)
{
	return max_usec / 2;
}

static int post_erase(struct stub *stub, const struct chip_page *page)
{
	uint8_t data[sizeof(struct stub_erase)];

	word_put(data, page->size);
	word_put(data + 4, stub_select(&stub->banks, page));
	return stub_link_post(&stub->link, STUB_ERASE, page->address, data, sizeof(data),
		longest(stub->chip->page_erase_max_usec));
}

/* Erases what is left of the pages that the range touches. */
static int erase_touched(struct stub *stub, uint32_t address, uint64_t size)
{
	size_t n_kept = 0;
	int r = 0;

	for (size_t i = 0; i < stub->n_pages; i++) {
		const struct chip_page page = stub->pages[i];
		bool is_touched = page.address < address + size &&
				  address < (uint64_t)page.address + page.size;

		if (r == 0 && is_touched)
			r = post_erase(stub, &page);
		else
			stub->pages[n_kept++] = page;
	}
	stub->n_pages = n_kept;
	return r;
}

static int erase_all_left(struct stub *stub)
{
	return erase_touched(stub, 0, UINT64_C(1) << 32);
}

/* A failure of before is forgotten: these pages are to be erased all the same. */
static int begin_erase(struct stub *stub)
{
	return stub->link.failure != STUB_OK ? stub_link_clear(&stub->link) : 0;
}

static int stub_erase_pages(struct loader *loader, const struct chip_page *pages, size_t n_pages)
{
	struct stub *stub = stub_of(loader);
	struct chip_page *grown;
	int r = begin_erase(stub);

	if (r == 0 && n_pages > 0)
		r = post_erase(stub, &pages[0]);
	if (r != 0 || n_pages < 2)
		return r;
	grown = reallocarray(stub->pages, stub->n_pages + n_pages - 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	stub->pages = grown;
	memcpy(grown + stub->n_pages, pages + 1, (n_pages - 1) * sizeof(*grown));
	stub->n_pages += n_pages - 1;
	return 0;
}

static int stub_erase_all(struct loader *loader)
{
	struct stub *stub = stub_of(loader);
	int r;

	if (stub->chip->no_mass_erase)
		return LOADER_UNSUPPORTED;
	stub->n_pages = 0;
	r = begin_erase(stub);
	if (r != 0)
		return r;
	return stub_link_post(
		&stub->link, STUB_ERASE_ALL, 0, NULL, 0, longest(stub->chip->mass_erase_max_usec));
}

/* ------------------------------------------------------------------ read and sums */

/*
 * What an answer to a question about `size` bytes means. The flash is there and can be read: a stub
 * that does not let it be finds its controller busy for ever, or is wrong. That is no refusal of
 * the chip, which the ROM would meet as well.
 */
static int judge_refusal(const struct stub *stub, uint32_t address, uint64_t size, int r)
{
	uint64_t all = (uint64_t)stub->hello.flash_kib * 1024;
	uint32_t start = stub->chip->flash.start;
	bool is_there = address >= start && address - start + size <= all;

	return r == LOADER_REFUSED && is_there ? LOADER_FAULT : r;
}

static int stub_read(struct loader *loader, uint32_t address, uint8_t *to, size_t n_to)
{
	struct stub *stub = stub_of(loader);
	int r = erase_touched(stub, address, n_to);

	if (r != 0)
		return r;
	return judge_refusal(stub, address, n_to, stub_link_read(&stub->link, address, to, n_to));
}

/* The sums that one answer brings at most. */
#define SUMS_MAX (STUB_FETCH_MAX / DIGEST_SUMS_SIZE)

/* The sums of `n` ranges, one behind the other, in one question. */
static int ask_sums(struct stub *stub, const struct chip_range *ranges, size_t n,
	uint8_t (*ret)[LOADER_DIGEST_MAX])
{
	uint8_t sizes[4 * SUMS_MAX], sums[DIGEST_SUMS_SIZE * SUMS_MAX];
	uint64_t n_bytes = 0;
	int r;

	for (size_t i = 0; i < n; i++) {
		word_put(sizes + 4 * i, ranges[i].size);
		n_bytes += ranges[i].size;
	}
	r = erase_touched(stub, ranges[0].start, n_bytes);
	if (r != 0)
		return r;
	r = stub_link_ask(&stub->link, STUB_SUM, ranges[0].start, sizes, 4 * n,
		n_bytes * SUM_NSEC / 1000, sums, DIGEST_SUMS_SIZE * n);
	r = judge_refusal(stub, ranges[0].start, n_bytes, r);
	for (size_t i = 0; r == 0 && i < n; i++)
		memcpy(ret[i], sums + DIGEST_SUMS_SIZE * i, DIGEST_SUMS_SIZE);
	return r;
}

static int stub_digests(struct loader *loader, const struct chip_range *ranges, size_t n_ranges,
	uint8_t (*ret)[LOADER_DIGEST_MAX])
{
	struct stub *stub = stub_of(loader);
	size_t most = stub_link_data_max(&stub->link) / 4;
	int r = 0;

	if (most > SUMS_MAX)
		most = SUMS_MAX;
	for (size_t i = 0, n; r == 0 && i < n_ranges; i += n) {
		uint64_t end = (uint64_t)ranges[i].start + ranges[i].size;

		for (n = 1; i + n < n_ranges && n < most && ranges[i + n].start == end; n++)
			end += ranges[i + n].size;
		r = ask_sums(stub, ranges + i, n, ret + i);
	}
	return r;
}

static int stub_digest(struct loader *loader, uint32_t address, uint32_t size,
	uint8_t ret[static LOADER_DIGEST_MAX])
{
	const struct chip_range range = {address, size};
	uint8_t sums[1][LOADER_DIGEST_MAX] = {{0}};
	int r = ask_sums(stub_of(loader), &range, 1, sums);

	if (r == 0)
		memcpy(ret, sums[0], DIGEST_SUMS_SIZE);
	return r;
}

/* ------------------------------------------------------------------ write */

static bool is_erased(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i] != 0xFF)
			return false;
	return true;
}

/*
 * Bytes in whole units of STUB_UNIT_MAX, of which some at both ends may be erased ones. A frame may
 * reach into the next page, which is erased before it then.
 */
static int post_data(struct stub *stub, uint32_t address, const uint8_t *bytes, size_t n_bytes)
{
	size_t most = stub_link_data_max(&stub->link);
	int r = 0;

	for (size_t at = 0, n; r == 0 && at < n_bytes; at += n) {
		n = n_bytes - at < most ? n_bytes - at : most;
		r = erase_touched(stub, address + (uint32_t)at, n);
		/* A row of 256 bytes takes program_max_usec. */
		if (r == 0)
			r = stub_link_post(&stub->link, STUB_DATA, address + (uint32_t)at,
				bytes + at, n, stub->chip->program_max_usec * (n + 255) / 256);
	}
	return r;
}

/* How many bytes from there on are erased ones, in whole units. */
static size_t erased_run(const uint8_t *bytes, size_t n_bytes)
{
	size_t n = 0;

	while (n < n_bytes && is_erased(bytes + n, STUB_UNIT_MAX))
		n += STUB_UNIT_MAX;
	return n;
}

/* How many are to be sent, up to the end or to a gap that is worth a frame of its own. */
static size_t run_size(const uint8_t *bytes, size_t n_bytes)
{
	size_t n = 0;

	for (size_t at = 0; at < n_bytes; at = n) {
		size_t gap = erased_run(bytes + at, n_bytes - at);

		if (gap >= GAP_MIN || at + gap == n_bytes)
			break;
		n = at + gap + STUB_UNIT_MAX;
	}
	return n;
}

/*
 * The stub takes multiples of STUB_UNIT_MAX for every kind of flash; the chip may be written in
 * smaller ones. What is added is erased. The eight bytes together are programmed once, so that the
 * procedure gives no part of them alone: its blocks end at multiples of that, but for the last.
 */
static int stub_write(struct loader *loader, uint32_t address, const uint8_t *data, size_t n_data)
{
	struct stub *stub = stub_of(loader);
	uint8_t bytes[BLOCK + 2 * STUB_UNIT_MAX];
	size_t before = address % STUB_UNIT_MAX;
	size_t n = (before + n_data + STUB_UNIT_MAX - 1) / STUB_UNIT_MAX * STUB_UNIT_MAX;
	int r = 0;

	if (n_data > BLOCK || address % stub->chip->write_align != 0 ||
		n_data % stub->chip->write_align != 0)
		return LOADER_REFUSED;
	memset(bytes, 0xFF, n);
	memcpy(bytes + before, data, n_data);
	address -= (uint32_t)before;
	for (size_t at = 0, end; r == 0 && at < n; at = end) {
		at += erased_run(bytes + at, n - at);
		end = at + run_size(bytes + at, n - at);
		r = post_data(stub, address + (uint32_t)at, bytes + at, end - at);
	}
	return r;
}

static int stub_flush(struct loader *loader)
{
	struct stub *stub = stub_of(loader);
	int r = erase_all_left(stub);

	return r == 0 ? stub_link_flush(&stub->link) : r;
}

/* ------------------------------------------------------------------ words */

static const char *stub_refusal(struct loader *loader)
{
	static const char *const words[] = {
		[STUB_OK] = "the stub does not do it",
		[STUB_EXPECTED] = "frames are missing",
		[STUB_NOT_BLANK] = "is not erased",
		[STUB_WRITE_PROTECTED] = "is write-protected",
		[STUB_FLASH_ERROR] = "is refused by the flash controller",
		[STUB_DIFFERS] = "reads otherwise than it was written",
		[STUB_TIMEOUT] = "keeps the flash busy longer than its data sheet has it",
		[STUB_LOCKED] = "stays locked: the flash does not open by its keys",
		[STUB_RANGE] = "is not in the flash, or no page of it",
		[STUB_UNKNOWN] = "is asked for what the stub does not know",
	};
	struct stub *stub = stub_of(loader);
	const struct stub_link *link = &stub->link;
	unsigned failure = link->failure;

	if (failure == STUB_OK)
		return "";
	snprintf(stub->refusal, sizeof(stub->refusal),
		"0x%08" PRIx32 " %s (flash status 0x%" PRIx32 ")", link->failed_at,
		failure < ARRAY_SIZE(words) ? words[failure] : "fails in a way that nobody knows",
		link->flash_status);
	return stub->refusal;
}

void stub_state(struct loader *loader, struct stub_state *ret)
{
	const struct stub *stub = stub_of(loader);
	uint64_t nominal = stub->nominal_hz;

	*ret = (struct stub_state){
		.version = stub->hello.version,
		.candidate = stub->hello.candidate,
		.baud = stub->rate.baud,
		.ring_size = stub->hello.ring_size,
		.train_ticks = stub->hello.train_ticks,
		.clock_ppm = (int32_t)(((int64_t)stub->clock_hz - (int64_t)nominal) * 1000000 /
				       (int64_t)nominal),
		.n_frames = stub->link.n_frames,
		.n_repeated = stub->link.n_repeated,
		.n_damaged = stub->link.n_damaged,
		.n_lost = stub->link.n_lost,
		.failure = stub->link.failure,
		.failed_at = stub->link.failed_at,
		.flash_status = stub->link.flash_status,
	};
	snprintf(ret->why_not_faster, sizeof(ret->why_not_faster), "%s", stub->rate.why_not_faster);
}

int stub_reset(struct loader *loader)
{
	return stub_link_ask(&stub_of(loader)->link, STUB_RESET, 0, NULL, 0, 0, NULL, 0);
}

const struct loader_ops loader_stub = {
	.name = "stub",
	.parity = PORT_PARITY_NONE,
	.block_size = BLOCK,
	.close = stub_close,
	.refusal = stub_refusal,
	.read = stub_read,
	.digest_kind = LOADER_DIGEST_SUMS,
	.digest = stub_digest,
	.digests = stub_digests,
	.digest_unit = STUB_UNIT_MAX,
	.write = stub_write,
	.flush = stub_flush,
	.erase_pages = stub_erase_pages,
	.erase_all = stub_erase_all,
	.demote = stub_reset,
	.finds_pages = true,
	.begins_small = true,
};
