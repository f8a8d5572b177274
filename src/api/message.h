/* SPDX-License-Identifier: MIT */
/*
 * message.h - values into messages of the bus, and out of them.
 *
 * Writing: the bus closes the connection of whoever sends text that is not UTF-8, and descriptors
 * and file names may hold any bytes. Such a text is escaped as it is shown elsewhere.
 *
 * Reading: what comes is from anybody. A text above DICT_TEXT_MOST bytes becomes DICT_OTHER, as
 * does a value of any type that a dict does not know; more than DICT_ENTRIES_MOST names are -E2BIG.
 */
#pragma once

#include <systemd/sd-bus.h>

#include "api/dict.h"

#define DICT_TEXT_MOST (64 * 1024)

/* The text as s, escaped where it is not UTF-8; NULL is "". 0 or -errno. */
int message_append_text(sd_bus_message *message, const char *text);

/* As a{sv}, without the entries of DICT_OTHER; NULL is an empty one. 0 or -errno. */
int message_append_dict(sd_bus_message *message, const struct dict *dict);

/* Counts as a{st}. 0 or -errno. */
int message_append_counts(sd_bus_message *message, const struct dict *counts);

/*
 * The a{sv} that comes next, into an empty dict. y, q and u are DICT_NUMBER, as are n and i that
 * are not negative; t and such an x are DICT_LONG. 0; -E2BIG; -EBADMSG or -ENXIO: something else
 * comes next; -ENOMEM. Where it is not 0, `ret` stays empty and the message is read no further.
 */
int message_read_dict(sd_bus_message *message, struct dict *ret);

/* The same for the a{st} that comes next. */
int message_read_counts(sd_bus_message *message, struct dict *ret);
