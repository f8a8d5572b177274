/* SPDX-License-Identifier: MIT */
#include "cli/redact-frames.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "image/digest.h"
#include "loader/cobs.h"
#include "loader/esp-link.h"
#include "stub/protocol.h"

static void set(bool *is_done, size_t n)
{
	memset(is_done, true, n);
}

/* ------------------------------------------------------------------ TI */

/* 00 CC, the size with itself and the sum, the sum, data (ti-bsl.md 2). */
#define BSL_HEAD 4

static uint8_t sum_of(const uint8_t *data, size_t n)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum = (uint8_t)(sum + data[i]);
	return sum;
}

/* Bytes of the frame that begins here; 0: none does. */
static size_t bsl_frame_at(const uint8_t *bytes, size_t n)
{
	size_t n_frame = n > BSL_HEAD ? (size_t)bytes[2] + 2 : 0;

	if (n_frame <= BSL_HEAD || n_frame > n || bytes[0] != 0x00 || bytes[1] != 0xCC)
		return 0;
	return sum_of(bytes + BSL_HEAD, n_frame - BSL_HEAD) == bytes[3] ? n_frame : 0;
}

static int change_bsl(uint8_t *bytes, size_t n, bool *is_done, redact_change change, void *userdata)
{
	int r = 0;

	for (size_t i = 0, n_frame; i < n && r == 0; i += n_frame > 0 ? n_frame : 1) {
		n_frame = bsl_frame_at(bytes + i, n - i);
		if (n_frame == 0)
			continue;
		set(is_done + i, n_frame);
		r = change(userdata, bytes + i + BSL_HEAD, n_frame - BSL_HEAD);
		bytes[i + 3] = sum_of(bytes + i + BSL_HEAD, n_frame - BSL_HEAD);
	}
	return r;
}

/* ------------------------------------------------------------------ the program in the RAM */

/* Bytes of the body of a sound answer, which ends in its CRC; 0: it is none. */
static size_t stub_body_of(const uint8_t *frame, size_t n_frame, uint8_t body[STUB_ANSWER_MAX])
{
	struct cobs cobs = {.body = body, .size = STUB_ANSWER_MAX};
	enum cobs_result result = COBS_MORE;
	size_t n;

	for (size_t i = 0; i < n_frame; i++)
		result = cobs_take(&cobs, frame[i]);
	if (result != COBS_BODY || cobs.n_body < sizeof(struct stub_answer) + STUB_CRC_SIZE)
		return 0;
	n = cobs.n_body - STUB_CRC_SIZE;
	return word_at(body + n) == digest_crc32(body, n) ? cobs.n_body : 0;
}

/* `n_frame` with the 0x00 at its end. */
static int change_answer(
	uint8_t *frame, size_t n_frame, bool *is_done, redact_change change, void *userdata)
{
	uint8_t body[STUB_ANSWER_MAX], coded[COBS_ENCODED_MAX(STUB_ANSWER_MAX)];
	size_t n_body = stub_body_of(frame, n_frame, body), n;
	int r;

	if (n_body == 0)
		return 0;
	n = n_body - STUB_CRC_SIZE;
	r = change(userdata, body + sizeof(struct stub_answer), n - sizeof(struct stub_answer));
	word_put(body + n, digest_crc32(body, n));
	/* Zeros that went may make runs longer than one length can say: not within so few bytes. */
	if (r < 0 || cobs_encode(body, n_body, coded) != n_frame)
		return r;
	memcpy(frame, coded, n_frame);
	set(is_done, n_frame);
	return 0;
}

static int change_stub(
	uint8_t *bytes, size_t n, bool *is_done, redact_change change, void *userdata)
{
	size_t from = 0;
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		if (bytes[i] != 0)
			continue;
		if (i - from < COBS_ENCODED_MAX(STUB_ANSWER_MAX))
			r = change_answer(
				bytes + from, i + 1 - from, is_done + from, change, userdata);
		from = i + 1;
	}
	return r;
}

int redact_frames(uint8_t *bytes, size_t n, bool *is_done, redact_change change, void *userdata)
{
	int r = change_stub(bytes, n, is_done, change, userdata);

	return r < 0 ? r : change_bsl(bytes, n, is_done, change, userdata);
}

/* ------------------------------------------------------------------ Espressif */

/* C0, direction, opcode, size, value, as many bytes as the size has, which are a status, C0. */
#define ESP_VALUE 5
#define ESP_DATA  9
#define SLIP_END  0xC0

void redact_esp_heads(const uint8_t *bytes, size_t n, bool *is_done)
{
	for (size_t i = 0; i + ESP_DATA < n; i++) {
		const uint8_t *at = bytes + i;
		size_t n_data = at[3];

		if (at[0] != SLIP_END || at[1] != 0x01 || at[2] != ESP_READ_REG || n_data > 4 ||
			at[4] != 0 || i + ESP_DATA + n_data >= n ||
			at[ESP_DATA + n_data] != SLIP_END)
			continue;
		set(is_done + i, ESP_VALUE);
		set(is_done + i + ESP_DATA, n_data + 1);
	}
}
