/* SPDX-License-Identifier: MIT */
/*
 * resident-iap.c - ST's example of in-application programming: a menu, YMODEM in, YMODEM out.
 *
 * What matters of its receiver: it erases after the header; a block with another number than the
 * next is passed over in silence; every other error is answered by a 'C'; the letter 'a' or 'A'
 * where a block should begin is the user's "abort".
 *
 * With the knob `st_manners` it does as the source of STM32CubeF1 has it (STM3210C_EVAL, IAP_Main:
 * Ymodem_Receive and Ymodem_Transmit of ymodem.c, SerialDownload and SerialUpload of menu.c), which
 * is not what the protocol asks for. Receiving: a wrong number is answered by NAK; blocks are
 * counted in eight bits, so that the 256th is taken for a header; the size is not checked; after
 * too many errors it says CAN CAN and goes on. Sending: it reads one byte behind each frame, and
 * whatever is no ACK has it sent again: with a 'C' behind the ACK of the header the first block
 * goes out twice, and from then on every frame is sent upon the ACK of the one before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/resident.h"

#define NSEC_PER_SEC UINT64_C(1000000000)

/* DOWNLOAD_TIMEOUT and MAX_ERRORS of the example. */
#define TIMEOUT_NSEC NSEC_PER_SEC
#define MAX_ERRORS   5

/* Its NAK_TIMEOUT: 0x100000 ticks of a millisecond. */
#define UPLOAD_NSEC (UINT64_C(0x100000) * 1000000)

static const char menu[] = "\r\n========== Main Menu ==========\r\n\n"
			   "  Download image to internal Flash ---- 1\r\n\n"
			   "  Upload image from internal Flash ---- 2\r\n\n"
			   "  Execute the loaded application ------ 3\r\n\n"
			   "  Enable the write protection --------- 4\r\n\n"
			   "===============================\r\n\n";

static uint32_t room(const struct resident *resident)
{
	return resident->chip->flash_size - RESIDENT_BYTES;
}

static void on_key(struct resident *resident, uint8_t key);
static void wait_block(struct resident *resident);

static bool has_manners(const struct resident *resident)
{
	return resident->fault->knobs.st_manners;
}

/* The receiver is emptied, then a key is waited for. */
static void wait_key(struct resident *resident)
{
	resident_flush(resident);
	resident_listen(resident, on_key, SIM_NEVER, NULL);
}

static void show_menu(struct resident *resident)
{
	resident_print(resident, menu);
	resident_work(resident, 0, wait_key);
}

void resident_iap_begin(struct resident *resident)
{
	show_menu(resident);
}

/* ------------------------------------------------------------------ menu 1 */

static void end_session(struct resident *resident, const char *text)
{
	resident_print(resident, text);
	show_menu(resident);
}

static void put_cancel(struct resident *resident)
{
	resident_put(resident, MODEM_CAN);
	resident_put(resident, MODEM_CAN);
	resident->counters->cancels++;
}

/* Not before the session has begun: until then it just asks. */
static void on_error(struct resident *resident)
{
	if (has_manners(resident) && resident->has_begun && ++resident->n_errors > MAX_ERRORS) {
		put_cancel(resident);
		wait_block(resident);
		return;
	}
	if (!has_manners(resident) && resident->n_blocks > 0 && ++resident->n_errors > MAX_ERRORS) {
		put_cancel(resident);
		end_session(resident, "\n\rFailed to receive the file!\n\r");
		return;
	}
	resident_put(resident, MODEM_C);
	wait_block(resident);
}

static void accept_file(struct resident *resident)
{
	const char *verdict = resident->fault->knobs.verdict;
	char text[300];

	resident->counters->files++;
	snprintf(text, sizeof(text),
		"%s\n\n\r Programming Completed Successfully!\n\r--------------------------------\r\n"
		" Size: %u Bytes\r\n-------------------\n",
		verdict ? verdict : "", resident->size);
	end_session(resident, text);
}

static void after_erase(struct resident *resident)
{
	resident_erase(resident);
	resident->n_blocks = 1;
	resident->has_begun = true;
	/* ST's has one destination for the whole session. */
	if (!has_manners(resident))
		resident->offset = 0;
	resident_put(resident, MODEM_ACK);
	resident_put(resident, MODEM_C);
	wait_block(resident);
}

static void on_header(struct resident *resident)
{
	const char *fields = (const char *)resident->frame + 3;
	size_t n_fields = resident->n_frame - 5;
	size_t at = strnlen(fields, n_fields) + 1;
	char digits[17] = "";

	if (fields[0] == '\0') {
		resident_put(resident, MODEM_ACK);
		accept_file(resident);
		return;
	}
	/* The digits are read up to a blank, sixteen of them at most. */
	for (size_t i = 0; i < sizeof(digits) - 1 && at + i < n_fields && fields[at + i] != ' ';
		i++)
		digits[i] = fields[at + i];
	resident->size = (uint32_t)strtoul(digits, NULL, 10);
	if (resident->size > room(resident) && !has_manners(resident)) {
		put_cancel(resident);
		end_session(resident,
			"\n\n\rThe image size is higher than the allowed space memory!\n\r");
		return;
	}
	resident_work(resident, resident_erase_nsec(resident), after_erase);
}

static void after_program(struct resident *resident)
{
	if (!resident_program(resident, resident->offset, resident->frame + 3, resident->n_data)) {
		put_cancel(resident);
		end_session(resident, "\n\n\rVerification failed!\n\r");
		return;
	}
	resident->offset += resident->n_data;
	resident->n_blocks++;
	if (has_manners(resident))
		resident->n_blocks %= 256;
	resident_put(resident, MODEM_ACK);
	wait_block(resident);
}

static void on_block(struct resident *resident)
{
	if (!resident_frame_is_sound(resident)) {
		on_error(resident);
		return;
	}
	if (resident_answers_blindly(resident)) {
		wait_block(resident);
		return;
	}
	resident->n_errors = 0;
	if (resident->frame[1] != (uint8_t)resident->n_blocks) {
		if (has_manners(resident))
			resident_put(resident, MODEM_NAK);
		wait_block(resident);
		return;
	}
	if (resident_cancels_here(resident)) {
		put_cancel(resident);
		end_session(resident, "\n\n\rVerification failed!\n\r");
	} else if (resident->n_blocks == 0) {
		on_header(resident);
	} else {
		resident->n_data = (uint32_t)resident->n_frame - 5;
		if (resident->n_data > room(resident) - resident->offset)
			resident->n_data = room(resident) - resident->offset;
		resident_work(
			resident, resident_program_nsec(resident, resident->n_data), after_program);
	}
}

static void on_first(struct resident *resident, uint8_t byte);

static void on_eot(struct resident *resident)
{
	if (resident->fault->knobs.naks_eot && !resident->has_eot) {
		resident->has_eot = true;
		resident_put(resident, MODEM_NAK);
		wait_block(resident);
		return;
	}
	if (resident->fault->knobs.acks_with_call) {
		resident->n_blocks = 0;
		resident_put_both(resident, MODEM_ACK, MODEM_C);
		resident_listen(resident, on_first, SIM_NEVER, NULL);
		return;
	}
	resident_put(resident, MODEM_ACK);
	if (resident->fault->knobs.ends_at_eot) {
		accept_file(resident);
		return;
	}
	/* The next header: empty, or that of another file. */
	resident->n_blocks = 0;
	resident->n_errors = 0;
	wait_block(resident);
}

static void on_second_cancel(struct resident *resident, uint8_t byte)
{
	if (byte != MODEM_CAN) {
		on_error(resident);
		return;
	}
	resident_put(resident, MODEM_ACK);
	end_session(resident, "\r\n\nAborted by user.\n\r");
}

static void on_first(struct resident *resident, uint8_t byte)
{
	switch (byte) {
	case MODEM_SOH:
	case MODEM_STX:
		resident_collect(resident, byte, on_block, on_error);
		break;
	case MODEM_EOT:
		on_eot(resident);
		break;
	case MODEM_CAN:
		resident_listen(resident, on_second_cancel, TIMEOUT_NSEC, on_error);
		break;
	case 'a':
	case 'A':
		resident->counters->aborts_by_letter++;
		put_cancel(resident);
		end_session(resident, "\r\n\nAborted by user.\n\r");
		break;
	default:
		on_error(resident);
	}
}

static void wait_block(struct resident *resident)
{
	resident_listen(resident, on_first, TIMEOUT_NSEC, on_error);
}

static void begin_download(struct resident *resident)
{
	resident->n_blocks = 0;
	resident->n_errors = 0;
	resident->offset = 0;
	resident->has_begun = false;
	resident->has_eot = false;
	wait_block(resident);
}

static void erase_early(struct resident *resident)
{
	resident_erase(resident);
	begin_download(resident);
}

/* ------------------------------------------------------------------ menu 2 */

static void put_frame(
	struct resident *resident, uint8_t number, const uint8_t *data, uint32_t n_data)
{
	uint16_t crc = resident_crc(data, n_data);

	resident_put(resident, n_data == 1024 ? MODEM_STX : MODEM_SOH);
	resident_put(resident, number);
	resident_put(resident, (uint8_t)~number);
	for (uint32_t i = 0; i < n_data; i++)
		resident_put(resident, data[i]);
	resident_put(resident, (uint8_t)(crc >> 8));
	resident_put(resident, (uint8_t)crc);
}

static uint32_t upload_bytes(const struct resident *resident)
{
	uint32_t n = resident->fault->knobs.upload_bytes;

	return n > 0 && n < room(resident) ? n : room(resident);
}

static void put_header(struct resident *resident, const char *name)
{
	uint8_t fields[128] = {0};

	if (name && !resident->fault->knobs.upload_has_no_length)
		snprintf((char *)fields + strlen(name) + 1, sizeof(fields) - strlen(name) - 1,
			has_manners(resident) ? "%u" : "%u ", upload_bytes(resident));
	if (name)
		memcpy(fields, name, strlen(name));
	put_frame(resident, 0, fields, sizeof(fields));
}

static void send_next(struct resident *resident);
static void on_upload_answer(struct resident *resident, uint8_t byte);

static void upload_failed(struct resident *resident)
{
	end_session(resident, "\n\rError Occurred while Transmitting File\n\r");
}

static void upload_done(struct resident *resident)
{
	end_session(resident, "\n\n\rFile uploaded successfully \n\r");
}

/* What it sent last was taken. */
static void go_on_sending(struct resident *resident)
{
	const struct sim_faults *knobs = &resident->fault->knobs;

	resident->n_errors = 0;
	resident->n_cancels = 0;
	if (resident->is_last) {
		upload_done(resident);
		return;
	}
	if (resident->has_eot)
		resident->is_last = true;
	else if (resident->n_blocks > 0 && !knobs->repeats_upload)
		resident->sent += 1024;
	if (resident->n_blocks == 0 || !knobs->repeats_upload)
		resident->n_blocks++;
	resident_work(resident, 0, send_next);
}

static void on_second_upload_cancel(struct resident *resident, uint8_t byte)
{
	if (byte != MODEM_CAN) {
		resident_work(resident, 0, send_next);
		return;
	}
	resident_flush(resident);
	upload_failed(resident);
}

/* One byte behind each frame, as ST's source reads them. */
static void on_upload_byte(struct resident *resident, uint8_t byte)
{
	bool is_data = resident->n_blocks > 0 && !resident->has_eot;

	if (resident->is_last && byte == MODEM_CAN)
		upload_failed(resident);
	else if (resident->is_last)
		upload_done(resident);
	else if (byte == MODEM_ACK)
		go_on_sending(resident);
	else if (byte == MODEM_CAN && !is_data)
		resident_listen(resident, on_second_upload_cancel, UPLOAD_NSEC, upload_failed);
	else if (is_data && ++resident->n_errors >= MAX_ERRORS)
		upload_failed(resident);
	else
		resident_work(resident, 0, send_next);
}

static void wait_upload_answer(struct resident *resident)
{
	if (has_manners(resident))
		resident_listen(resident, on_upload_byte, UPLOAD_NSEC, upload_failed);
	else
		resident_listen(resident, on_upload_answer, 10 * NSEC_PER_SEC, upload_failed);
}

static void on_upload_answer(struct resident *resident, uint8_t byte)
{
	if (byte == MODEM_CAN && ++resident->n_cancels == 2)
		upload_failed(resident);
	else if (byte == MODEM_ACK)
		go_on_sending(resident);
	else if (byte == MODEM_NAK && ++resident->n_errors <= 10)
		resident_work(resident, 0, send_next);
	else
		wait_upload_answer(resident);
}

static void send_next(struct resident *resident)
{
	const uint8_t *flash = resident->memory->flash + RESIDENT_BYTES;
	bool is_over = resident->sent >= upload_bytes(resident) &&
		       !resident->fault->knobs.uploads_for_ever;

	if (resident->is_last) {
		put_header(resident, NULL);
	} else if (resident->n_blocks == 0) {
		put_header(resident, "UploadedFlashImage.bin");
	} else if (!is_over) {
		put_frame(resident, (uint8_t)resident->n_blocks,
			flash + resident->sent % room(resident), 1024);
	} else {
		resident->has_eot = true;
		resident_put(resident, MODEM_EOT);
	}
	wait_upload_answer(resident);
}

static void on_receiver(struct resident *resident, uint8_t byte)
{
	if (byte != MODEM_C) {
		show_menu(resident);
		return;
	}
	resident->n_blocks = 0;
	resident->n_errors = 0;
	resident->n_cancels = 0;
	resident->sent = 0;
	resident->has_eot = false;
	resident->is_last = false;
	resident->counters->uploads++;
	resident_work(resident, 0, send_next);
}

static void wait_receiver(struct resident *resident)
{
	resident_flush(resident);
	resident_listen(resident, on_receiver, SIM_NEVER, NULL);
}

/* ------------------------------------------------------------------ the menu */

static void start_application(struct resident *resident)
{
	resident->wants_start = true;
}

static void on_key(struct resident *resident, uint8_t key)
{
	switch (key) {
	case '1':
		resident_print(resident, "Waiting for the file to be sent ... "
					 "(press 'a' to abort)\n\r");
		if (resident->fault->knobs.erases_before_call)
			resident_work(resident, resident_erase_nsec(resident), erase_early);
		else
			resident_work(resident, 0, begin_download);
		break;
	case '2':
		resident_print(resident, "\n\n\rSelect Receive File\n\r");
		resident_work(resident, 0, wait_receiver);
		break;
	case '3':
		resident_print(resident, "Start program execution......\r\n\n");
		resident_work(resident, 0, start_application);
		break;
	default:
		end_session(resident, "Invalid Number ! ==> The number should be either 1, 2, 3 "
				      "or 4\r");
	}
}
