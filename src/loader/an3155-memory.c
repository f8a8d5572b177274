/* SPDX-License-Identifier: MIT */
/*
 * an3155-memory.c - Read Memory and Write Memory, turn by turn or in bursts.
 *
 * AN3155 draws three turns for a block: the command, its address, its count or data, each after the
 * ACK of the one before. With a frame of the bus each way a turn costs as much as 10 to 20 bytes at
 * 115200 baud, and six turns a block, written and read back, more than a sixth of the whole time.
 * In a burst the same bytes are sent at once, and the ACKs are taken one after the other.
 *
 * A burst is possible because a ROM receives nothing while it sends an ACK, for the time of one
 * byte, and its USART holds one byte (stm32-rom.md 8, stm32-time.md 2). No document promises that
 * for every ROM, so a read tries it first, and the first unexpected answer ends it for good.
 *
 * A burst is safe because of what it may hold. Where a byte is lost, or a part is refused, the ROM
 * takes the rest of the burst for commands: so bytes that hold a command at any place are not sent
 * in a burst, and the rest of one can only earn NACKs. One block in ten of random bytes goes turn
 * by turn therefore.
 */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "device/transcript.h"
#include "loader/an3155.h"
#include "loader/loader.h"

/* The command and its complement, the address and its XOR. */
#define HEAD_BYTES 7

/* A code that the loader may obey: the list of Get has no checksum, so all of AN3155 count. */
static bool is_command(const struct an3155 *bl, uint8_t code)
{
	switch ((enum an3155_command)code) {
	case AN3155_GET:
	case AN3155_GET_VERSION:
	case AN3155_GET_ID:
	case AN3155_READ_MEMORY:
	case AN3155_GO:
	case AN3155_WRITE_MEMORY:
	case AN3155_ERASE:
	case AN3155_EXTENDED_ERASE:
	case AN3155_SPECIAL:
	case AN3155_EXTENDED_SPECIAL:
	case AN3155_WRITE_PROTECT:
	case AN3155_WRITE_UNPROTECT:
	case AN3155_READOUT_PROTECT:
	case AN3155_READOUT_UNPROTECT:
	case AN3155_GET_CHECKSUM:
		return true;
	}
	return bl->has[code];
}

static bool is_pair(const struct an3155 *bl, uint8_t first, uint8_t second)
{
	return (first ^ second) == 0xFF && is_command(bl, first);
}

/*
 * Whether no two bytes behind the command are a command and its complement. In the data also with
 * one byte between them: a ROM that refuses pair after pair may miss a byte now and then.
 */
static bool is_harmless(const struct an3155 *bl, const uint8_t *burst, size_t n_burst)
{
	for (size_t i = 2; i + 1 < n_burst; i++)
		if (is_pair(bl, burst[i], burst[i + 1]) ||
			(i >= HEAD_BYTES && i + 2 < n_burst && is_pair(bl, burst[i], burst[i + 2])))
			return false;
	return true;
}

static void put_head(uint8_t head[HEAD_BYTES], enum an3155_command command, uint32_t address)
{
	head[0] = (uint8_t)command;
	head[1] = (uint8_t)~command;
	for (unsigned i = 0; i < 4; i++)
		head[2 + i] = (uint8_t)(address >> (24 - 8 * i));
	head[6] = head[2] ^ head[3] ^ head[4] ^ head[5];
}

/* Whether it may go in one burst. */
static bool goes_at_once(const struct an3155 *bl, const uint8_t *burst, size_t n_burst)
{
	return bl->bursts == AN3155_BURSTS_WORK && !bl->in_turns && is_harmless(bl, burst, n_burst);
}

/* What is at an address, for a transcript; NULL where that is no flash. */
static struct transcript *transcript_of_flash(const struct an3155 *bl, uint32_t address)
{
	bool is_flash = address >= bl->flash_start && address - bl->flash_start < bl->flash_size;

	return is_flash ? port_transcript(bl->port) : NULL;
}

/* Sends bytes that hold `n_data` bytes for the address. */
static int send_data(
	struct an3155 *bl, uint32_t address, size_t n_data, const uint8_t *bytes, size_t n_bytes)
{
	struct transcript *transcript = transcript_of_flash(bl, address);
	int r;

	transcript_begin(transcript, TRANSCRIPT_FLASH, address, n_data);
	r = an3155_send(bl, bytes, n_bytes);
	transcript_end(transcript);
	return r;
}

static int receive_data(struct an3155 *bl, uint32_t address, uint8_t *to, size_t n_to)
{
	struct transcript *transcript = transcript_of_flash(bl, address);
	int r;

	transcript_begin(transcript, TRANSCRIPT_FLASH_RAW, address, n_to);
	r = an3155_receive(bl, to, n_to);
	transcript_end(transcript);
	return r;
}

/* Takes the three ACKs of a burst. */
static int wait_acks(struct an3155 *bl, size_t n_burst, uint64_t program_usec)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < 3; i++)
		r = an3155_wait_ack(bl, n_burst, program_usec);
	return r;
}

/* After a read that failed: what it left unfinished is filled up, and refused by the loader. */
static int return_to_turns(struct an3155 *bl)
{
	int r;

	bl->bursts = AN3155_BURSTS_FAIL;
	r = port_drain(bl->port, an3155_deadline(bl, HEAD_BYTES + 2, 0));
	if (r < 0 && r != -ETIMEDOUT)
		return r;
	r = an3155_drain(bl, AN3155_NACK_SILENCE_USEC + port_line_time(bl->port, 4));
	return r == 0 ? an3155_resync(bl) : r;
}

/* The checksum of a lone count is its complement, not its XOR (AN3155 3.4). */
static size_t put_read(uint8_t burst[HEAD_BYTES + 2], uint32_t address, size_t n_to)
{
	put_head(burst, AN3155_READ_MEMORY, address);
	burst[HEAD_BYTES] = (uint8_t)(n_to - 1);
	burst[HEAD_BYTES + 1] = (uint8_t)~burst[HEAD_BYTES];
	return HEAD_BYTES + 2;
}

static int read_in_turns(struct an3155 *bl, uint32_t address, uint8_t *to, size_t n_to)
{
	uint8_t count = (uint8_t)(n_to - 1);
	int r = an3155_send_command(bl, AN3155_READ_MEMORY);

	if (r == 0)
		r = an3155_send_word(bl, address);
	if (r == 0) {
		const uint8_t frame[] = {count, (uint8_t)~count};

		r = an3155_send(bl, frame, sizeof(frame));
		if (r == 0)
			r = an3155_wait_ack(bl, sizeof(frame), 0);
	}
	return r == 0 ? receive_data(bl, address, to, n_to) : r;
}

static int read_in_a_burst(struct an3155 *bl, uint32_t address, const uint8_t *burst,
	size_t n_burst, uint8_t *to, size_t n_to)
{
	int r = an3155_begin(bl, AN3155_READ_MEMORY);

	if (r == 0)
		r = an3155_send(bl, burst, n_burst);
	if (r == 0)
		r = wait_acks(bl, n_burst, 0);
	return r == 0 ? receive_data(bl, address, to, n_to) : r;
}

int an3155_read_memory(struct an3155 *bl, uint32_t address, uint8_t *to, size_t n_to)
{
	uint8_t burst[HEAD_BYTES + 2];
	size_t n_burst;
	int r;

	if (n_to < 1 || n_to > AN3155_BLOCK)
		return -EINVAL;
	bl->has_read = true;
	n_burst = put_read(burst, address, n_to);
	if (!goes_at_once(bl, burst, n_burst))
		return read_in_turns(bl, address, to, n_to);
	r = read_in_a_burst(bl, address, burst, n_burst, to, n_to);
	if (r <= 0)
		return r;
	r = return_to_turns(bl);
	return r == 0 ? read_in_turns(bl, address, to, n_to) : r;
}

int an3155_try_bursts(struct an3155 *bl, uint32_t address, const uint8_t *known, size_t n_known)
{
	uint8_t burst[HEAD_BYTES + 2], block[AN3155_BLOCK];
	size_t n_burst = put_read(burst, address, sizeof(block));
	int r;

	if (bl->bursts != AN3155_BURSTS_UNTRIED || n_known > sizeof(block) ||
		!is_harmless(bl, burst, n_burst))
		return 0;
	bl->has_read = true;
	r = read_in_a_burst(bl, address, burst, n_burst, block, sizeof(block));
	if (r == 0 && memcmp(block, known, n_known) != 0)
		r = LOADER_GARBLED;
	if (r == 0)
		bl->bursts = AN3155_BURSTS_WORK;
	return r > 0 ? return_to_turns(bl) : r;
}

/* `frame` is the count, the data and their XOR. */
static int write_in_turns(struct an3155 *bl, uint32_t address, size_t n_data, const uint8_t *frame,
	size_t n_frame, uint64_t program_usec)
{
	int r = an3155_send_command(bl, AN3155_WRITE_MEMORY);

	if (r == 0)
		r = an3155_send_word(bl, address);
	if (r == 0)
		r = send_data(bl, address, n_data, frame, n_frame);
	return r == 0 ? an3155_wait_ack(bl, n_frame, program_usec) : r;
}

static int write_in_a_burst(struct an3155 *bl, uint32_t address, size_t n_data,
	const uint8_t *burst, size_t n_burst, uint64_t program_usec)
{
	int r = an3155_begin(bl, AN3155_WRITE_MEMORY);

	if (r == 0)
		r = send_data(bl, address, n_data, burst, n_burst);
	return r == 0 ? wait_acks(bl, n_burst, program_usec) : r;
}

/*
 * A burst that fails is not sent again in turns: it is not known how much of it was programmed, and
 * flash with an ECC takes no block twice. The caller begins again with an erase.
 */
int an3155_write_memory(struct an3155 *bl, uint32_t address, const uint8_t *data, size_t n_data,
	uint64_t program_usec)
{
	uint8_t burst[HEAD_BYTES + 1 + AN3155_BLOCK + 1];
	size_t n_burst = HEAD_BYTES + 1 + n_data + 1;
	uint8_t sum = 0;
	int r;

	if (n_data < 1 || n_data > AN3155_BLOCK)
		return -EINVAL;
	put_head(burst, AN3155_WRITE_MEMORY, address);
	burst[HEAD_BYTES] = (uint8_t)(n_data - 1);
	memcpy(burst + HEAD_BYTES + 1, data, n_data);
	for (size_t i = HEAD_BYTES; i + 1 < n_burst; i++)
		sum ^= burst[i];
	burst[n_burst - 1] = sum;
	bl->was_burst = goes_at_once(bl, burst, n_burst);
	if (!bl->was_burst) {
		r = write_in_turns(bl, address, n_data, burst + HEAD_BYTES, n_burst - HEAD_BYTES,
			program_usec);
	} else {
		r = write_in_a_burst(bl, address, n_data, burst, n_burst, program_usec);
		if (r > 0)
			bl->bursts = AN3155_BURSTS_FAIL;
	}
	if (r == 0)
		bl->has_read = false;
	return r;
}
