/* SPDX-License-Identifier: MIT */
/*
 * esp.c - the boot loader in the ROM of the ESP32 and its relatives, as a loader of ranges
 * (esp-rom.md 4). Commands of the ROM alone: no program of ours is put into the chip.
 *
 * FLASH_BEGIN erases a range and sets the place where FLASH_DATA goes on, so begin() is the only
 * erase there is. Each block is answered once it is in the flash. One that the ROM says to have
 * received wrongly is sent again; one whose answer is lost is not, since nobody knows whether the
 * ROM has counted it: the range begins again then, and the procedure sees to that.
 *
 * Packed data are sent where they are much shorter and cannot hurt: the ROM of an ESP32 erases
 * beyond the end of a packed range, and nobody has tried the others. So the flash behind the range
 * must be blank, by the chip's own digest; and on an ESP32 nothing is packed. A packet gives other
 * bytes of the flash than one block: write() sends as many packets as its block needs.
 */
#include "loader/esp.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "chip/family-esp.h"
#include "image/digest.h"
#include "loader/deflate.h"
#include "loader/esp-heard.h"
#include "loader/esp-identify.h"

/* The rate at which the ROM is met: the one that all of them are told to work at. */
#define ENTRY_BAUD 115200

#define SECTOR	   4096
#define MEGABYTE   (UINT64_C(1) << 20)

/* esp-rom.md 16. */
#define BEGIN_USEC     (10 * USEC_PER_SEC)
#define BEGIN_MAX_USEC (240 * USEC_PER_SEC)
#define ERASE_PER_MB   (40 * USEC_PER_SEC)
#define MD5_PER_MB     (8 * USEC_PER_SEC)
#define NEW_RATE_USEC  (50 * USEC_PER_MSEC)

/* How often a block is sent that arrives with a wrong checksum. */
#define BLOCK_TRIES 3

/* Questions that change nothing are asked again where the answer was lost. */
#define QUESTION_TRIES 2

/* After something was lost: what is still on its way has come then. */
#define LOST_USEC (50 * USEC_PER_MSEC)

/* The largest reach of the erase behind a packed range that is allowed for. */
#define PACKED_REACH (64 * 1024)

/* How often ranges are packed that do not get through so, in one session. */
#define PACKED_TRIES 2

/* Of READ_FLASH_SLOW, which always answers as many. */
#define READ_BYTES 64

struct esp {
	struct loader base;
	struct esp_link link;
	const struct esp_row *row; /* NULL until it is known which chip it is */
	uint32_t flash_bytes;
	bool is_out_of_step; /* an answer was lost: it may still come */
	uint8_t error;	     /* of the last refusal */
	unsigned n_vain;     /* packed ranges that were not unpacked to their end */

	/* The range that is open. */
	uint32_t begin, size, n_taken;
	struct deflate *packed; /* NULL: as it is */
	size_t n_packets;	/* sent */
	uint32_t n_output;	/* that these have given */
};

static struct esp *esp_of(struct loader *loader)
{
	return (struct esp *)((char *)loader - offsetof(struct esp, base));
}

static bool can(const struct esp *esp, enum esp_rom_flags what)
{
	return esp->row && (esp->row->flags & what);
}

static uint64_t at_least(uint64_t least, uint64_t per_megabyte, uint64_t n_bytes)
{
	uint64_t usec = n_bytes * per_megabyte / MEGABYTE;

	return usec > least ? usec : least;
}

static int esp_open(const struct loader *base, struct loader **ret)
{
	struct esp *esp = calloc(1, sizeof(*esp));

	if (!esp)
		return -ENOMEM;
	esp->base = *base;
	esp->link.port = base->port;
	*ret = &esp->base;
	return 0;
}

static void forget_range(struct esp *esp)
{
	esp->packed = deflate_free(esp->packed);
	esp->begin = esp->size = esp->n_taken = 0;
	esp->n_packets = 0;
	esp->n_output = 0;
}

static struct loader *esp_close(struct loader *loader)
{
	struct esp *esp = esp_of(loader);

	forget_range(esp);
	free(esp);
	return NULL;
}

/* A ROM that was met already understands the same command (esp-rom.md 2). */
static int esp_start(struct loader *loader, bool was_reset)
{
	struct esp *esp = esp_of(loader);

	(void)was_reset;
	forget_range(esp);
	esp->row = NULL;
	esp->is_out_of_step = false;
	return esp_sync(&esp->link);
}

/* A program in RAM has 2 bytes of status on every chip, a ROM on the ESP8266 alone. */
static int esp_find_chip(struct loader *loader, struct chip_identity *ret)
{
	struct esp *esp = esp_of(loader);
	int r = esp_identify(&esp->link, loader, ret);

	if (r != 0)
		return r;
	esp->row = esp_row(ret->chip);
	esp->flash_bytes = ret->flash_bytes;
	ret->words_baud = can(esp, ESP_ROM_SHORT_STATUS) ? ESP_HEARD_8266_BAUD : 0;
	if (esp->link.has_short_status != can(esp, ESP_ROM_SHORT_STATUS))
		return LOADER_FOREIGN;
	return 0;
}

/* ------------------------------------------------------------------ questions */

/* For what changes nothing in the chip; what cannot be done again is not asked by this. */
static int ask(struct esp *esp, enum esp_opcode opcode, const uint8_t *data, size_t n_data,
	size_t n_expected, uint64_t timeout_usec, struct esp_reply *ret)
{
	int r = LOADER_NO_ANSWER;

	/* A question has no checksum: one that is refused may have arrived bent. */
	for (int i = 0; i < QUESTION_TRIES && r > 0; i++) {
		if (i > 0 || esp->is_out_of_step) {
			r = esp_drain(&esp->link, LOST_USEC);
			if (r != 0)
				return r;
		}
		esp->is_out_of_step = false;
		r = esp_command(&esp->link, opcode, data, n_data, n_expected, timeout_usec, ret);
	}
	if (r == LOADER_REFUSED)
		esp->error = ret->error;
	return r;
}

static int ask_register(struct esp *esp, uint32_t address)
{
	uint8_t data[4];

	word_put(data, address);
	return ask(esp, ESP_READ_REG, data, sizeof(data), 0, ESP_REGISTER_USEC,
		&(struct esp_reply){0});
}

static int digit_of(uint8_t byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* A ROM says it in lower-case digits; in any other form it is not the answer of a ROM (4.8). */
static int read_md5(const struct esp_reply *reply, uint8_t ret[static DIGEST_MD5_SIZE])
{
	uint8_t md5[DIGEST_MD5_SIZE];

	for (size_t i = 0; i < sizeof(md5); i++) {
		int high = digit_of(reply->data[2 * i]), low = digit_of(reply->data[2 * i + 1]);

		if (high < 0 || low < 0)
			return LOADER_GARBLED;
		md5[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(ret, md5, sizeof(md5));
	return 0;
}

static int esp_digest(struct loader *loader, uint32_t address, uint32_t size,
	uint8_t ret[static LOADER_DIGEST_MAX])
{
	struct esp *esp = esp_of(loader);
	uint64_t timeout = at_least(ESP_ANSWER_USEC, MD5_PER_MB, size);
	int r = can(esp, ESP_ROM_MD5) ? LOADER_GARBLED : LOADER_UNSUPPORTED;

	for (int i = 0; i < QUESTION_TRIES && r == LOADER_GARBLED; i++) {
		struct esp_reply reply = {0};
		uint8_t data[16] = {0};

		word_put(data, address);
		word_put(data + 4, size);
		r = ask(esp, ESP_SPI_FLASH_MD5, data, sizeof(data), 2 * DIGEST_MD5_SIZE, timeout,
			&reply);
		if (r != 0)
			return r;
		r = read_md5(&reply, ret);
	}
	return r;
}

static int esp_read(struct loader *loader, uint32_t address, uint8_t *to, size_t n_to)
{
	struct esp *esp = esp_of(loader);

	if (!can(esp, ESP_ROM_READ_SLOW))
		return LOADER_UNSUPPORTED;
	for (size_t done = 0; done < n_to; done += READ_BYTES) {
		size_t n = n_to - done < READ_BYTES ? n_to - done : READ_BYTES;
		struct esp_reply reply;
		uint8_t data[8];
		int r;

		word_put(data, address + (uint32_t)done);
		word_put(data + 4, (uint32_t)n);
		r = ask(esp, ESP_READ_FLASH_SLOW, data, sizeof(data), READ_BYTES, ESP_REGISTER_USEC,
			&reply);
		if (r != 0)
			return r;
		memcpy(to + done, reply.data, n);
	}
	return 0;
}

static const char *esp_refusal(struct loader *loader)
{
	return esp_error_to_string(esp_of(loader)->error);
}

/* The answer comes at the old rate, and two lone ends of a frame may follow (esp-rom.md 4). */
static int esp_set_baud(struct loader *loader, uint32_t baud)
{
	struct esp *esp = esp_of(loader);
	uint8_t data[8] = {0};
	struct reason ignored;
	uint32_t told, magic;
	int r = can(esp, ESP_ROM_CHANGE_BAUD) ? 0 : LOADER_UNSUPPORTED;

	if (r == 0)
		r = esp_find_rate(&esp->link, esp->row, ENTRY_BAUD, baud, &told);
	if (r != 0)
		return r;
	word_put(data, told);
	r = esp_command(
		&esp->link, ESP_CHANGE_BAUDRATE, data, sizeof(data), 0, ESP_ANSWER_USEC, NULL);
	if (r == 0)
		r = port_configure(loader->port, baud, PORT_PARITY_NONE, &ignored);
	if (r == 0)
		r = port_wait(loader->port, NEW_RATE_USEC);
	return r == 0 ? esp_read_register(&esp->link, ESP_MAGIC_ADDRESS, &magic) : r;
}

/* ------------------------------------------------------------------ a range */

/*
 * The ROM of an ESP8266 erases as many sectors as it is told, and those of them that lie in front
 * of the next border of 64 KiB once more, behind the others (esp-rom.md 4). So no odd number of
 * sectors can be erased of the first few: its pages are pairs of them.
 */
uint32_t esp_erase_size(uint32_t address, uint32_t size, bool has_bug)
{
	uint32_t n = (size + SECTOR - 1) / SECTOR, head = 16 - address / SECTOR % 16;

	if (!has_bug)
		return n * SECTOR;
	n += n % 2;
	return (n < 2 * head ? n / 2 : n - head) * SECTOR;
}

/* Whether the flash behind the range holds nothing that an erase could take. */
static int is_blank_behind(struct esp *esp, uint32_t address, uint32_t size, bool *ret)
{
	uint64_t from = ((uint64_t)address + size + SECTOR - 1) / SECTOR * SECTOR;
	uint64_t left = from < esp->flash_bytes ? esp->flash_bytes - from : 0;
	uint32_t n = left < PACKED_REACH ? (uint32_t)left : PACKED_REACH;
	uint8_t said[LOADER_DIGEST_MAX], blank[DIGEST_MD5_SIZE];
	uint8_t bytes[PACKED_REACH];
	int r = 0;

	memset(bytes, 0xFF, sizeof(bytes));
	digest_md5(bytes, n, blank);
	if (n > 0)
		r = esp_digest(&esp->base, (uint32_t)from, n, said);
	*ret = n == 0 || (r == 0 && memcmp(said, blank, sizeof(blank)) == 0);
	return r;
}

/* Leaves `packed` NULL where the bytes go as they are. A sector more or less is not worth it. */
static int pack(struct esp *esp, uint32_t address, uint32_t size, const uint8_t *bytes)
{
	uint32_t n_blocks = (size + ESP_BLOCK - 1) / ESP_BLOCK;
	bool is_blank;
	int r;

	if (!bytes || !esp->base.board->compress || !can(esp, ESP_ROM_DEFLATE) ||
		!can(esp, ESP_ROM_MD5) || size <= 4 * SECTOR || esp->n_vain >= PACKED_TRIES)
		return 0;
	r = deflate_new(bytes, size, ESP_BLOCK, &esp->packed);
	if (r == 0 && esp->packed->n_packets > n_blocks - n_blocks / 8)
		esp->packed = deflate_free(esp->packed);
	if (r != 0 || !esp->packed)
		return r;
	r = is_blank_behind(esp, address, size, &is_blank);
	if (r < 0 || (r == 0 && is_blank))
		return r;
	esp->packed = deflate_free(esp->packed);
	return 0;
}

/* The size counts what comes out, and the packets what goes in. */
static int send_begin(struct esp *esp, uint32_t address, uint32_t size)
{
	uint32_t n_blocks = (size + ESP_BLOCK - 1) / ESP_BLOCK;
	uint64_t timeout = at_least(BEGIN_USEC, ERASE_PER_MB, size);
	struct esp_reply reply = {0};
	uint8_t data[20] = {0};
	int r;

	word_put(data, esp->packed ? n_blocks * ESP_BLOCK
				   : esp_erase_size(address, size, can(esp, ESP_ROM_ERASE_BUG)));
	word_put(data + 4, esp->packed ? (uint32_t)esp->packed->n_packets : n_blocks);
	word_put(data + 8, ESP_BLOCK);
	word_put(data + 12, address);
	r = esp_command(&esp->link, esp->packed ? ESP_FLASH_DEFL_BEGIN : ESP_FLASH_BEGIN, data,
		can(esp, ESP_ROM_ENCRYPT_WORD) ? 20 : 16, 0,
		timeout < BEGIN_MAX_USEC ? timeout : BEGIN_MAX_USEC, &reply);
	esp->is_out_of_step = r > 0;
	esp->error = reply.error;
	return r;
}

static int esp_begin(struct loader *loader, uint32_t address, uint32_t size, const uint8_t *bytes)
{
	struct esp *esp = esp_of(loader);
	int r = 0;

	/* A packed range that is begun again was not taken to its end. */
	if (esp->packed)
		esp->n_vain++;
	forget_range(esp);
	if (address % SECTOR != 0 || size == 0)
		return -EINVAL;
	/* A chip that hangs is found by a question that is answered soon. */
	if (esp->is_out_of_step)
		r = ask_register(esp, ESP_MAGIC_ADDRESS);
	if (r == 0)
		r = pack(esp, address, size, bytes);
	if (r == 0)
		r = send_begin(esp, address, size);
	/* Chips with 8 MB of flash were seen that refuse it (esp-rom.md 4). */
	if (r == LOADER_REFUSED && esp->packed) {
		esp->packed = deflate_free(esp->packed);
		esp->n_vain = PACKED_TRIES;
		r = send_begin(esp, address, size);
	}
	esp->begin = address;
	esp->size = size;
	return r;
}

/* `n_bytes` of a packet; the header repeats how many it has and counts the packets. */
static int send_data(struct esp *esp, enum esp_opcode opcode, uint32_t sequence,
	const uint8_t *bytes, uint32_t n_bytes, uint64_t timeout_usec)
{
	uint8_t data[ESP_DATA_HEADER + ESP_BLOCK] = {0};
	struct esp_reply reply = {0};
	int r = LOADER_REFUSED;

	assert(n_bytes <= ESP_BLOCK);
	word_put(data, n_bytes);
	word_put(data + 4, sequence);
	memcpy(data + ESP_DATA_HEADER, bytes, n_bytes);
	for (int i = 0; i < BLOCK_TRIES; i++) {
		r = esp_command(&esp->link, opcode, data, ESP_DATA_HEADER + n_bytes, 0,
			timeout_usec, &reply);
		if (r != LOADER_REFUSED || reply.error != ESP_ERROR_CHECKSUM)
			break;
	}
	esp->is_out_of_step = r > 0;
	esp->error = reply.error;
	return r;
}

/* The packets that give the bytes of the range up to `n_output`; all of them for its end. */
static int send_packets(struct esp *esp, uint32_t n_output)
{
	const struct deflate *packed = esp->packed;
	int r = 0;

	while (r == 0 && esp->n_packets < packed->n_packets &&
		(esp->n_output < n_output || n_output == esp->size)) {
		const struct deflate_packet *packet = &packed->packets[esp->n_packets];

		r = send_data(esp, ESP_FLASH_DEFL_DATA, (uint32_t)esp->n_packets, packet->bytes,
			packet->n_bytes, at_least(ESP_ANSWER_USEC, ERASE_PER_MB, packet->n_output));
		esp->n_packets++;
		esp->n_output += packet->n_output;
	}
	return r;
}

static int esp_write(struct loader *loader, uint32_t address, const uint8_t *data, size_t n_data)
{
	struct esp *esp = esp_of(loader);
	uint8_t block[ESP_BLOCK];
	uint32_t at = esp->n_taken;

	if (address != esp->begin + at || n_data > ESP_BLOCK || n_data > esp->size - at ||
		at % ESP_BLOCK != 0)
		return -EINVAL;
	esp->n_taken += (uint32_t)n_data;
	if (esp->packed)
		return send_packets(esp, esp->n_taken);
	/* Only the last block is shorter: the ROM wants all of them whole. */
	memset(block, 0xFF, sizeof(block));
	memcpy(block, data, n_data);
	return send_data(
		esp, ESP_FLASH_DATA, at / ESP_BLOCK, block, sizeof(block), ESP_ANSWER_USEC);
}

/* FLASH_END would end the loader, and is never sent (esp-rom.md 4). */
static int esp_end(struct loader *loader)
{
	forget_range(esp_of(loader));
	return 0;
}

/* The bit by which an application asks for the loader; it outlasts resets (esp-rom.md 7). */
static int esp_prepare_leave(struct loader *loader)
{
	struct esp *esp = esp_of(loader);
	struct esp_bits bits = {0};
	uint32_t value;
	int r;

	if (esp->row)
		bits = esp->row->force_download;
	if (bits.count == 0)
		return 0;
	r = esp_read_register(&esp->link, bits.address, &value);
	if (r != 0 || !(value >> bits.first & 1))
		return r;
	return esp_write_register(&esp->link, bits.address, value & ~(UINT32_C(1) << bits.first));
}

const struct loader_ops loader_esp = {
	.name = "esp",
	.parity = PORT_PARITY_NONE,
	.foreign =
		"a program in the chip's RAM answers in the place of its boot loader: the reset does not reach the chip; check RTS on EN, or take the board off its power and on again",
	.unanswered =
		": the boot loader answered, and did not say which chip it is: check cable and power",
	.block_size = ESP_BLOCK,
	.words_baud = ESP_HEARD_8266_BAUD,
	.hear = esp_heard_take,
	.explain = esp_heard_explain,
	.open = esp_open,
	.close = esp_close,
	.sync = esp_start,
	.identify = esp_find_chip,
	.prepare_leave = esp_prepare_leave,
	.entry_baud = ENTRY_BAUD,
	.set_baud = esp_set_baud,
	.refusal = esp_refusal,
	.digest_kind = LOADER_DIGEST_MD5,
	.digest = esp_digest,
	.digest_unit = SECTOR,
	.read = esp_read,
	.write = esp_write,
	.begin = esp_begin,
	.end = esp_end,
	.begin_erases = true,
	.proves_runs = true,
};
