/* SPDX-License-Identifier: MIT */
/* store-reader.h - the store as the verbs read it: opened or refused with a sentence. */
#pragma once

#include <stddef.h>

#include "records/store.h"

/* The service's state directory: $STATE_DIRECTORY or the installed one. */
const char *store_reader_directory(void);

/* 0, or the exit code, and what is wrong was said. */
int store_reader_open(const char *verb, struct store **ret);

/* For CLEANUP(). */
void store_reader_closep(struct store **store);

/* The device node of a port as the user names it. Returns `to`. */
char *store_reader_port_node(const char *port, char *to, size_t size);
