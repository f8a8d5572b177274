/* SPDX-License-Identifier: MIT */
/* store-reader.h - the service's store, opened for a verb that reads it. */
#pragma once

#include <stddef.h>

#include "records/store.h"

/* 0, or the exit code after a sentence on standard error. */
int store_reader_open(const char *verb, struct store **ret);

/* For CLEANUP(). */
void store_reader_closep(struct store **store);

/* The device node of a port as the user names it. Returns `to`. */
char *store_reader_port_node(const char *port, char *to, size_t size);
