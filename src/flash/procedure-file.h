/* SPDX-License-Identifier: MIT */
/*
 * procedure-file.h - a job with a boot loader that takes a file: the steps that flash.c has in the
 * place of erase, write and read. The image is one run of bytes, from the rule's `address` (else
 * its first byte) to its last, gaps as 0xFF.
 */
#pragma once

#include "flash/run.h"

/*
 * Asks the running application for its version, where the rule says how: the one of the image makes
 * the unit current. Silence is no failure.
 */
enum outcome delivery_ask_version(struct run *run);

/* Compares where the loader can send its flash back; GO_ON where the file is to be sent. */
enum outcome delivery_decide(struct run *run);

/* Sends the file, up to the loader's word that it has it. */
enum outcome delivery_send(struct run *run);

/* Compares what was written, where that can be done. UPDATED, or what was found. */
enum outcome delivery_prove(struct run *run);

/* FLASH_VERIFY and FLASH_READ. */
enum outcome delivery_verify(struct run *run);
enum outcome delivery_read(struct run *run);
