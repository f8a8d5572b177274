/* SPDX-License-Identifier: MIT */
/*
 * esp-link.c - commands of Espressif's ROM and their answers, and the time that each may take.
 *
 * An answer says to which command it belongs, but not to which of two equal ones, and a ROM answers
 * some of them several times: SYNC up to eight times, a command that it does not know likewise. So
 * these are read to their end, and what is left from before is thrown away before a command is
 * sent. Everything else that comes is passed over: text of the ROM, noise, answers to something
 * earlier.
 *
 * An answer has no checksum. One of another length than its command has is garbled, and the caller
 * decides whether it may be asked for again: a register may, a block of the flash may not, since
 * nobody knows whether the ROM has counted it (esp-rom.md 4.4).
 */
#include "loader/esp-link.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "device/transcript.h"
#include "loader/loader.h"

/* esp-rom.md 16. */
#define SYNC_TRIES	5
#define SYNC_USEC	(100 * USEC_PER_MSEC)
#define SYNC_PAUSE_USEC (50 * USEC_PER_MSEC)
#define BYTE_USEC	(100 * USEC_PER_MSEC)
#define SEND_USEC	(1 * USEC_PER_SEC)

/* Repeats of a refusal come late over a CP2102 (esp-rom.md 1.4). */
#define REFUSAL_USEC (200 * USEC_PER_MSEC)

/* What a sync sends: a start, and alternating bits by which the ROM measures the rate. */
#define SYNC_BYTES 36

#define PACKET_MAX (ESP_PACKET_HEADER + ESP_DATA_HEADER + ESP_BLOCK)

/* ------------------------------------------------------------------ receiving */

static void forget(struct esp_link *link)
{
	link->slip = (struct slip){.body = link->body, .size = sizeof(link->body)};
	link->n_input = link->at = 0;
}

static bool is_of(const struct slip *slip, enum esp_opcode opcode)
{
	return slip->n_body >= 2 && slip->body[0] == 0x01 && slip->body[1] == opcode;
}

static bool is_whole(const struct slip *slip)
{
	return slip->n_body >= ESP_PACKET_HEADER &&
	       (slip->body[2] | (size_t)slip->body[3] << 8) == slip->n_body - ESP_PACKET_HEADER;
}

/* Commands of which each one brings bytes of the flash. */
static bool has_checksum(enum esp_opcode opcode)
{
	return opcode == ESP_FLASH_DATA || opcode == ESP_FLASH_DEFL_DATA;
}

/*
 * A ROM need not repeat an opcode that it does not know: such a refusal under another name belongs
 * to the command, unless that is one which every ROM has (esp-rom.md 1). Under the name of the
 * command that was refused before it is a repeat of that refusal, which came late.
 */
static bool is_unknown(const struct esp_link *link, enum esp_opcode opcode)
{
	const uint8_t *status = link->body + ESP_PACKET_HEADER;
	size_t n_status = link->has_short_status ? 2 : 4;

	if (link->refused != 0 && link->body[1] == link->refused)
		return false;
	return opcode != ESP_SYNC && opcode != ESP_FLASH_BEGIN && !has_checksum(opcode) &&
	       is_whole(&link->slip) && link->body[0] == 0x01 &&
	       link->slip.n_body == ESP_PACKET_HEADER + n_status && status[0] != 0 &&
	       status[1] == ESP_ERROR_FORMAT;
}

/*
 * The next whole answer to `opcode`; REFUSED for one that it is not known. One that is not whole
 * may be the rest of an older one: GARBLED where no other follows at once.
 */
static int receive_body(struct esp_link *link, enum esp_opcode opcode, uint64_t deadline)
{
	struct slip *slip = &link->slip;
	bool is_broken = false;

	for (;;) {
		uint64_t until = port_now(link->port) + BYTE_USEC;
		bool is_begun;
		int r;

		while (link->at < link->n_input) {
			enum slip_result result = slip_take(slip, link->input[link->at++]);

			if (result == SLIP_BODY && !is_of(slip, opcode) && is_unknown(link, opcode))
				return LOADER_REFUSED;
			if (result == SLIP_MORE || !is_of(slip, opcode))
				continue;
			if (result == SLIP_BODY && is_whole(slip))
				return 0;
			is_broken = true;
		}
		is_begun = is_of(slip, opcode) && !slip->is_ended;
		if ((!is_begun && !is_broken) || until > deadline)
			until = deadline;
		link->at = link->n_input = 0;
		r = port_read_some(
			link->port, link->input, sizeof(link->input), until, &link->n_input);
		/* Somebody who never stops is not listened to for longer than anybody else. */
		if (r == -ETIMEDOUT || (r == 0 && port_now(link->port) >= deadline))
			return is_begun || is_broken ? LOADER_GARBLED : LOADER_NO_ANSWER;
		if (r < 0)
			return r;
	}
}

/* Where the data should stand that belong to it, a refusal has its status alone. */
static int receive_answer(struct esp_link *link, enum esp_opcode opcode, size_t n_expected,
	uint64_t deadline, struct esp_reply *ret)
{
	size_t n_status = link->has_short_status ? 2 : 4;
	const uint8_t *body = link->body, *data = body + ESP_PACKET_HEADER;
	int r = receive_body(link, opcode, deadline);
	size_t n_data;

	if (r == LOADER_REFUSED)
		ret->error = ESP_ERROR_FORMAT;
	if (r != 0)
		return r;
	n_data = link->slip.n_body - ESP_PACKET_HEADER;
	if (n_data < n_status || n_data > n_status + ESP_ANSWER_MAX)
		return LOADER_GARBLED;
	n_data -= n_status;
	if (n_data == 0 && data[0] != 0) {
		ret->error = data[1];
		return LOADER_REFUSED;
	}
	if (n_expected != ESP_ANY_DATA && n_data != n_expected)
		return LOADER_GARBLED;
	if (data[n_data] != 0) {
		ret->error = data[n_data + 1];
		return LOADER_REFUSED;
	}
	ret->value = word_at(body + 4);
	ret->n_data = n_data;
	memcpy(ret->data, data, n_data);
	return 0;
}

int esp_drain(struct esp_link *link, uint64_t silence_usec)
{
	uint64_t end = port_now(link->port) + 10 * silence_usec;
	int r = 0;

	while (r == 0 && port_now(link->port) < end)
		r = port_read_some(link->port, link->input, sizeof(link->input),
			port_now(link->port) + silence_usec, &link->n_input);
	forget(link);
	return r == -ETIMEDOUT ? 0 : r;
}

/* ------------------------------------------------------------------ sending */

static int send(struct esp_link *link, enum esp_opcode opcode, const uint8_t *data, size_t n_data)
{
	uint8_t packet[PACKET_MAX], frame[SLIP_ENCODED_MAX(PACKET_MAX)];
	uint8_t sum = 0xEF;
	size_t n_frame;
	int r;

	if (n_data > PACKET_MAX - ESP_PACKET_HEADER)
		return -EINVAL;
	packet[0] = 0x00;
	packet[1] = (uint8_t)opcode;
	packet[2] = (uint8_t)n_data;
	packet[3] = (uint8_t)(n_data >> 8);
	for (size_t i = ESP_DATA_HEADER; i < n_data; i++)
		sum ^= data[i];
	word_put(packet + 4, has_checksum(opcode) ? sum : 0);
	if (n_data > 0)
		memcpy(packet + ESP_PACKET_HEADER, data, n_data);
	n_frame = slip_encode(packet, ESP_PACKET_HEADER + n_data, frame);
	r = port_discard_input(link->port);
	forget(link);
	if (r == 0)
		r = port_write(link->port, frame, n_frame,
			port_now(link->port) + 3 * port_line_time(link->port, n_frame) + SEND_USEC);
	return r == -ETIMEDOUT ? LOADER_NO_ANSWER : r;
}

int esp_command(struct esp_link *link, enum esp_opcode opcode, const void *data, size_t n_data,
	size_t n_expected, uint64_t timeout_usec, struct esp_reply *ret)
{
	size_t n_line = SLIP_ENCODED_MAX(ESP_PACKET_HEADER + n_data) + sizeof(link->body);
	struct esp_reply reply = {0};
	uint64_t deadline;
	bool brings_flash = has_checksum(opcode), gets_flash = opcode == ESP_READ_FLASH_SLOW;
	struct transcript *transcript = port_transcript(link->port);
	int r, drained = 0;

	/* Blocks are counted and not addressed, and packed ones have no address. */
	transcript_begin(brings_flash ? transcript : NULL, TRANSCRIPT_FLASH, 0, n_data);
	r = send(link, opcode, data, n_data);
	transcript_end(brings_flash ? transcript : NULL);
	if (r != 0)
		return r;
	transcript_begin(gets_flash ? transcript : NULL, TRANSCRIPT_FLASH, 0, n_expected);
	deadline = port_now(link->port) + port_line_time(link->port, n_line) + timeout_usec;
	r = receive_answer(link, opcode, n_expected, deadline, &reply);
	transcript_end(gets_flash ? transcript : NULL);
	if (r == LOADER_REFUSED && reply.error == ESP_ERROR_FORMAT) {
		link->refused = (uint8_t)opcode;
		drained = esp_drain(link, REFUSAL_USEC);
	}
	if (ret && (r == 0 || r == LOADER_REFUSED))
		*ret = reply;
	return drained < 0 ? drained : r;
}

/* ------------------------------------------------------------------ commands of every ROM */

/* The value is what remained of this command in a ROM; a program in RAM puts 0 there (1.3). */
static int read_sync(struct esp_link *link)
{
	const uint8_t *data = link->body + ESP_PACKET_HEADER;
	int r = receive_body(link, ESP_SYNC, port_now(link->port) + SYNC_USEC);
	size_t n_status;

	if (r != 0)
		return r;
	n_status = link->slip.n_body - ESP_PACKET_HEADER;
	if (n_status != 2 && n_status != 4)
		return LOADER_GARBLED;
	if (data[0] != 0)
		return LOADER_REFUSED;
	link->has_short_status = n_status == 2;
	return word_at(link->body + 4) == 0 ? LOADER_FOREIGN : 0;
}

int esp_sync(struct esp_link *link)
{
	uint8_t data[SYNC_BYTES] = {0x07, 0x07, 0x12, 0x20};
	int r = LOADER_NO_ANSWER, drained;

	memset(data + 4, 0x55, sizeof(data) - 4);
	for (int i = 0; i < SYNC_TRIES; i++) {
		r = send(link, ESP_SYNC, data, sizeof(data));
		if (r == 0)
			r = read_sync(link);
		if (r < 0)
			return r;
		/* The seven others, or what keeps the ROM from being understood. */
		drained = esp_drain(link, SYNC_PAUSE_USEC);
		if (drained < 0)
			return drained;
		if (r == 0 || r == LOADER_FOREIGN)
			return r;
	}
	return r;
}

int esp_read_register(struct esp_link *link, uint32_t address, uint32_t *ret)
{
	struct esp_reply reply;
	uint8_t data[4];
	int r;

	word_put(data, address);
	r = esp_command(link, ESP_READ_REG, data, sizeof(data), 0, ESP_REGISTER_USEC, &reply);
	if (r == 0)
		*ret = reply.value;
	return r;
}

int esp_write_register(struct esp_link *link, uint32_t address, uint32_t value)
{
	uint8_t data[16];

	word_put(data, address);
	word_put(data + 4, value);
	word_put(data + 8, UINT32_MAX); /* mask */
	word_put(data + 12, 0);		/* delay */
	return esp_command(link, ESP_WRITE_REG, data, sizeof(data), 0, ESP_REGISTER_USEC, NULL);
}

const char *esp_error_to_string(uint8_t error)
{
	static const char *const texts[] = {
		[0x01] = "a parameter is wrong (0x01)",
		[0x02] = "it has no memory for it (0x02)",
		[0x03] = "it could not send (0x03)",
		[0x04] = "it could not receive (0x04)",
		[0x05] = "it does not understand the command (0x05)",
		[0x06] = "the command failed (0x06)",
		[0x07] = "the checksum of a packet is wrong (0x07)",
		[0x08] = "the flash does not hold what was written (0x08)",
		[0x09] = "the flash cannot be read (0x09)",
		[0x0A] = "a length to read is wrong (0x0a)",
		[0x0B] = "the packed data cannot be unpacked (0x0b)",
		[0x0C] = "the checksum of the packed data is wrong (0x0c)",
		[0x0D] = "a parameter of the packed data is wrong (0x0d)",
		[0x0E] = "a size in RAM is wrong (0x0e)",
		[0x0F] = "an address in RAM is wrong (0x0f)",
		[0x64] = "a parameter is wrong (0x64)",
		[0x65] = "a format is wrong (0x65)",
		[0x66] = "a description is too long (0x66)",
		[0x67] = "a description is wrong (0x67)",
		[0x69] = "its storage failed (0x69)",
	};
	const char *text = error < ARRAY_SIZE(texts) ? texts[error] : NULL;

	return text ? text : "it does not say why";
}
