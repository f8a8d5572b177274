/* SPDX-License-Identifier: MIT */
/* past.h - the store as the verbs read it: opened or refused with a sentence. */
#pragma once

#include <stddef.h>

#include "service/store.h"

/* The service's state directory: $STATE_DIRECTORY or the installed one. */
const char *past_directory(void);

/* 0, or the exit code, and what is wrong was said. */
int past_open(const char *verb, struct store **ret);

/* For CLEANUP(). */
void past_store_closep(struct store **store);

/* The device node of a port as the user names it. Returns `to`. */
char *past_port_node(const char *port, char *to, size_t size);
