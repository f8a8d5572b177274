/* SPDX-License-Identifier: MIT */
/*
 * resident-gecko.c - Silicon Labs' Gecko boot loader on its serial line: a prompt, XMODEM-CRC with
 * blocks of 128 bytes, a GBL (gbl-take.c). By UG266, AN1086 and what Silicon Labs has published of
 * its sources: texts go out with the NUL behind them, an error is told as a code of two digits, and
 * a boot loader that came with the file is installed upon the key that starts the application.
 */
#include <stdio.h>

#include "base/util.h"
#include "sim/resident.h"

#define NSEC_PER_SEC  UINT64_C(1000000000)

#define FLUSH_NSEC    UINT64_C(5000000)
#define CALL_NSEC     NSEC_PER_SEC
#define SILENCE_NSEC  (3 * NSEC_PER_SEC)
#define MAX_CALLS     60
#define MAX_ERRORS    10

#define FIRST_VERSION 0x010C0001 /* 1.12.01 */

static void on_key(struct resident *resident, uint8_t key);
static void wait_block(struct resident *resident);

static void wait_key(struct resident *resident)
{
	resident_listen(resident, on_key, SIM_NEVER, NULL);
}

/* A text of its own, with the NUL that its compiler put there. */
static void print(struct resident *resident, const char *text)
{
	resident_print(resident, text);
	resident_put(resident, 0);
}

static void show_prompt(struct resident *resident)
{
	const struct sim_faults *knobs = &resident->fault->knobs;
	const char *suffix = knobs->loader_is_old ? "ebl" : "gbl";
	uint32_t version = resident->loader_version;
	char name[80], text[200];

	snprintf(name, sizeof(name), "Gecko Bootloader v%X.%02u.%02u", version >> 24 & 15,
		version >> 16 & 15, version & 15);
	snprintf(text, sizeof(text), "\r\n%s\r\n1. upload %s\r\n2. run\r\n3. ebl info\r\nBL > ",
		knobs->loader_name ? knobs->loader_name : name, suffix);
	print(resident, text);
	resident_work(resident, 0, wait_key);
}

void resident_gecko_begin(struct resident *resident)
{
	resident->gbl = (struct gbl_take){0};
	if (resident->loader_version == 0)
		resident->loader_version = FIRST_VERSION;
	if (resident->fault->knobs.loader_is_old)
		resident_work(resident, 0, wait_key);
	else
		show_prompt(resident);
}

static void end_upload(struct resident *resident, const char *text)
{
	print(resident, text);
	show_prompt(resident);
}

/* The code of two digits that stands for an error of today; 0x18, a CAN, for all others. */
static unsigned old_code(unsigned error)
{
	static const struct {
		unsigned error, code;
	} rows[] = {{0x901, 0x23}, {0x902, 0x24}, {0x903, 0x21}, {0x904, 0x22}, {0x905, 0x25},
		{0x906, 0x27}, {GBL_VERSION, 0x41}, {GBL_CRC, 0x43}, {GBL_UNKNOWN_TAG, 0x44},
		{GBL_SIGNATURE, 0x45}, {GBL_TYPE, 0x4F}, {GBL_UNEXPECTED, 0x4F}, {GBL_EOF, 0x4F},
		{GBL_KEY, 0x50}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].error == error)
			return rows[i].code;
	return MODEM_CAN;
}

#define XMODEM_DONE	 0x907
#define XMODEM_CANCELLED 0x908
#define XMODEM_SEQUENCE	 0x905

static void tell_error(struct resident *resident)
{
	unsigned error = resident->error;
	bool is_whole = resident->fault->knobs.prints_whole_code;
	char digits[16];

	print(resident, "\r\nSerial upload aborted\r\n");
	print(resident,
		error >= 0x900 && error < 0x1000 ? "\r\nblock error 0x" : "\r\nfile error 0x");
	snprintf(digits, sizeof(digits), is_whole ? "%04X\r\n" : "%02X\r\n",
		is_whole ? error : old_code(error));
	resident_print(resident, digits);
	show_prompt(resident);
}

static void abort_upload(struct resident *resident, unsigned error)
{
	resident->error = error;
	resident_work(resident, resident->fault->knobs.reason_nsec, tell_error);
}

static void give_up(struct resident *resident, unsigned error)
{
	resident_put(resident, MODEM_CAN);
	resident_put(resident, MODEM_CAN);
	resident_put(resident, MODEM_CAN);
	resident->counters->cancels++;
	abort_upload(resident, error);
}

static void on_silence(struct resident *resident)
{
	if (++resident->n_errors > (resident->n_blocks ? MAX_ERRORS : MAX_CALLS)) {
		give_up(resident, XMODEM_CANCELLED);
		return;
	}
	resident_put(resident, resident->n_blocks ? MODEM_NAK : MODEM_C);
	wait_block(resident);
}

static void on_garbage(struct resident *resident)
{
	if (++resident->n_errors > MAX_ERRORS) {
		give_up(resident, XMODEM_CANCELLED);
		return;
	}
	resident_put(resident, MODEM_NAK);
	wait_block(resident);
}

static void after_program(struct resident *resident)
{
	unsigned error = gbl_take(resident, resident->frame + 3, 128);

	if (error) {
		give_up(resident, error);
		return;
	}
	resident->n_blocks++;
	resident_put(resident, MODEM_ACK);
	wait_block(resident);
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
		give_up(resident, XMODEM_SEQUENCE);
		return;
	}
	resident_work(resident,
		resident_program_nsec(resident, 128) +
			(resident->n_blocks == 0 ? resident_erase_nsec(resident) : 0),
		after_program);
}

/* A file that is not over, or was not right, is answered by CAN in place of ACK. */
static void on_eot(struct resident *resident)
{
	const char *verdict = resident->fault->knobs.verdict;

	if (!gbl_is_complete(resident)) {
		give_up(resident, XMODEM_DONE);
		return;
	}
	resident_put(resident, MODEM_ACK);
	resident->counters->files++;
	print(resident, "\r\nSerial upload complete\r\n");
	if (verdict)
		resident_print(resident, verdict);
	show_prompt(resident);
}

static void on_second_cancel(struct resident *resident, uint8_t byte)
{
	if (byte == MODEM_CAN)
		abort_upload(resident, XMODEM_CANCELLED);
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
	resident_listen(
		resident, on_first, resident->n_blocks ? SILENCE_NSEC : CALL_NSEC, on_silence);
}

static void begin_upload(struct resident *resident)
{
	resident->n_blocks = 0;
	resident->n_errors = 0;
	resident->gbl = (struct gbl_take){.crc = 0xFFFFFFFF};
	resident_put(resident, MODEM_C);
	wait_block(resident);
}

static void start_application(struct resident *resident)
{
	uint32_t brought = resident->gbl.is_over ? resident->gbl.loader_version : 0;

	if (resident->fault->knobs.refuses_start) {
		end_upload(resident, resident->fault->knobs.refuses_start);
	} else if (brought > 0 && brought <= resident->loader_version) {
		end_upload(resident, "\r\nFailed to boot\r\n");
	} else {
		if (brought > 0)
			resident->loader_version = brought;
		resident->wants_start = true;
	}
}

static void on_key(struct resident *resident, uint8_t key)
{
	switch (key) {
	case '1':
		print(resident, "\r\nbegin upload\r\n");
		resident_work(resident, FLUSH_NSEC, begin_upload);
		break;
	case '2':
		resident_work(resident, 0, start_application);
		break;
	case '3':
		show_prompt(resident);
		break;
	default:
		show_prompt(resident);
	}
}
