/* SPDX-License-Identifier: MIT */
/*
 * resident-gecko.c - Silicon Labs' Gecko boot loader on its serial line: a prompt, XMODEM-CRC with
 * blocks of 128 bytes, a file that begins with the tag of a GBL.
 *
 * Of what a GBL has inside it knows the header and, behind that, one tag to erase and program
 * (gbl.h). For tests of the line alone it also takes a reduced form, of no use to a real one:
 * behind the header's tag a length, and so many bytes of the application.
 */
#include <string.h>

#include "sim/gbl.h"
#include "sim/resident.h"

#define NSEC_PER_SEC UINT64_C(1000000000)

#define CALL_NSEC    (2 * NSEC_PER_SEC)
#define MAX_CALLS    30
#define MAX_ERRORS   10

/* The header tag of a GBL and its length, little-endian (UG266). */
static const uint8_t gbl_tag[4] = {0xEB, 0x17, 0xA6, 0x03};
#define REDUCED_HEAD_BYTES 8

static void on_key(struct resident *resident, uint8_t key);
static void wait_block(struct resident *resident);

static void wait_key(struct resident *resident)
{
	resident_listen(resident, on_key, SIM_NEVER, NULL);
}

static void show_prompt(struct resident *resident)
{
	resident_print(resident,
		"\r\nGecko Bootloader v1.12.01\r\n1. upload gbl\r\n2. run\r\n3. ebl info\r\nBL > ");
	resident_put(resident, 0);
	resident_work(resident, 0, wait_key);
}

void resident_gecko_begin(struct resident *resident)
{
	show_prompt(resident);
}

static void end_upload(struct resident *resident, const char *text)
{
	resident_print(resident, text);
	resident_put(resident, 0);
	show_prompt(resident);
}

static void give_up(struct resident *resident)
{
	resident_put(resident, MODEM_CAN);
	resident_put(resident, MODEM_CAN);
	resident_put(resident, MODEM_CAN);
	resident->counters->cancels++;
	end_upload(resident, "\r\nSerial upload aborted\r\nerror code 0x18\r\n");
}

static void on_silence(struct resident *resident)
{
	if (++resident->n_errors > (resident->n_blocks ? MAX_ERRORS : MAX_CALLS)) {
		give_up(resident);
		return;
	}
	resident_put(resident, resident->n_blocks ? MODEM_NAK : MODEM_C);
	wait_block(resident);
}

static void on_garbage(struct resident *resident)
{
	if (++resident->n_errors > MAX_ERRORS) {
		give_up(resident);
		return;
	}
	resident_put(resident, MODEM_NAK);
	wait_block(resident);
}

static void after_program(struct resident *resident)
{
	const uint8_t *data = resident->frame + 3;
	uint32_t head = resident->n_head;
	uint32_t skip = resident->offset < head ? head - resident->offset : 0;
	uint32_t end =
		resident->size < resident->offset + 128 ? resident->size : resident->offset + 128;

	if (resident->n_blocks == 0)
		resident_erase(resident);
	if (end > resident->offset + skip &&
		!resident_program(resident, resident->offset + skip - head, data + skip,
			end - resident->offset - skip)) {
		give_up(resident);
		return;
	}
	resident->offset += 128;
	resident->n_blocks++;
	resident_put(resident, MODEM_ACK);
	wait_block(resident);
}

static uint32_t word(const uint8_t *b)
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void take_first(struct resident *resident)
{
	const uint8_t *data = resident->frame + 3;
	uint32_t length = word(data + 4);

	resident->n_head = REDUCED_HEAD_BYTES;
	if (length == 8 && word(data + 8) == 0x03000000) {
		resident->n_head = GBL_HEAD_BYTES;
		length = word(data + 20) - 4;
	}
	resident->size =
		memcmp(data, gbl_tag, sizeof(gbl_tag)) != 0 ? 0 : length + resident->n_head;
	if (resident->size > resident->chip->flash_size - RESIDENT_BYTES)
		resident->size = 0;
}

static void on_block(struct resident *resident)
{
	uint8_t number = resident->frame[1];

	if (!resident_frame_is_sound(resident)) {
		on_garbage(resident);
		return;
	}
	if (resident_answers_blindly(resident)) {
		wait_block(resident);
		return;
	}
	resident->n_errors = 0;
	if (number == (uint8_t)resident->n_blocks && resident->n_blocks > 0) {
		resident_put(resident, MODEM_ACK);
		wait_block(resident);
		return;
	}
	if (number != (uint8_t)(resident->n_blocks + 1) || resident_cancels_here(resident)) {
		give_up(resident);
		return;
	}
	if (resident->n_blocks == 0) {
		take_first(resident);
		if (resident->size == 0) {
			give_up(resident);
			return;
		}
	}
	resident_work(resident,
		resident_program_nsec(resident, 128) +
			(resident->n_blocks == 0 ? resident_erase_nsec(resident) : 0),
		after_program);
}

static void on_eot(struct resident *resident)
{
	resident_put(resident, MODEM_ACK);
	if (resident->n_blocks == 0 || resident->offset < resident->size) {
		end_upload(resident, "\r\nSerial upload aborted\r\nerror code 0x05\r\n");
		return;
	}
	resident->counters->files++;
	resident_print(resident, "\r\nSerial upload complete\r\n");
	end_upload(resident, resident->fault->knobs.verdict ? resident->fault->knobs.verdict : "");
}

static void on_second_cancel(struct resident *resident, uint8_t byte)
{
	if (byte == MODEM_CAN)
		end_upload(resident, "\r\nSerial upload aborted\r\n");
	else
		on_garbage(resident);
}

static void on_first(struct resident *resident, uint8_t byte)
{
	switch (byte) {
	case MODEM_SOH:
		resident_collect(resident, byte, on_block, on_garbage);
		break;
	case MODEM_EOT:
		on_eot(resident);
		break;
	case MODEM_CAN:
		resident_listen(resident, on_second_cancel, NSEC_PER_SEC, on_garbage);
		break;
	default:
		/* Anything else is noise between blocks. */
		wait_block(resident);
	}
}

static void wait_block(struct resident *resident)
{
	resident_listen(resident, on_first, CALL_NSEC, on_silence);
}

static void begin_upload(struct resident *resident)
{
	resident->n_blocks = 0;
	resident->n_errors = 0;
	resident->offset = 0;
	resident_put(resident, MODEM_C);
	wait_block(resident);
}

static void start_application(struct resident *resident)
{
	if (resident->fault->knobs.refuses_start)
		end_upload(resident, resident->fault->knobs.refuses_start);
	else
		resident->wants_start = true;
}

static void on_key(struct resident *resident, uint8_t key)
{
	switch (key) {
	case '1':
		resident_print(resident, "\r\nbegin upload\r\n");
		resident_put(resident, 0);
		resident_work(resident, 0, begin_upload);
		break;
	case '2':
		resident_print(resident, "\r\n");
		resident_work(resident, 0, start_application);
		break;
	case '3':
		end_upload(resident, "\r\nno application information\r\n");
		break;
	default:
		show_prompt(resident);
	}
}
