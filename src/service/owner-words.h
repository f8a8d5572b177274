/* SPDX-License-Identifier: MIT */
/*
 * owner-words.h - owners of ports as text: the row that the store has of one, and what a person is
 * told of one that could not be stopped or started. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* A unit that is down for a board. All texts are its own. */
struct owner_row {
	char *id;	    /* of systemd */
	char *name;	    /* by which a rule names it */
	char *usb_path;	    /* place of the board that is torn or gone, NULL: none is */
	int64_t stopped_ms; /* by the wall clock */
	bool is_owed;	    /* it was started on that board, and may have failed for it */
};

/* Two names, a place and a number. */
#define OWNER_ROW_MAX 1024

void owner_row_done(struct owner_row *row);
void owner_row_write(const struct owner_row *row, char to[static OWNER_ROW_MAX]);
/* 0, -EINVAL for text that is no row, -ENOMEM. */
int owner_row_read(const char *text, struct owner_row *ret);

/* Why a unit could not be stopped for a board, with what to do; the fault is one of systemd1.h. */
void owner_words_refusal(
	int fault, const char *unit, const struct reason *said, struct reason *ret);

/* What to do about a unit that could not be started again for this fault. */
const char *owner_words_remedy(int fault);
