/* SPDX-License-Identifier: MIT */
/*
 * request.h - a request of the command to the running service, as text: a word, then lines
 * "KEY VALUE"; the end of the file is the end of the request. service/requests.h says how a file
 * reaches the service.
 */
#pragma once

#include <stdio.h>

#include "base/text.h"

/* The folder of requests, below the runtime directory. */
#define REQUESTS_NAME "requests"

/* Longer than any value may be, with its key. */
#define REQUEST_LINE_BYTES (TEXT_MAX + 16)

/* The units to try again: those that fit every field; "" fits all. */
struct request {
	char unit[TEXT_MAX];
	char board[TEXT_MAX];
	char usb_path[TEXT_MAX];
	char port[TEXT_MAX];
};

/* The request as text. 0 or -EINVAL: a value has a line break; -EIO. */
int request_write(const struct request *request, FILE *to);

/* 0, or -EBADMSG. */
int request_read(FILE *from, struct request *ret);
