/* SPDX-License-Identifier: MIT */
/* peer.h - a program of others with a pseudo-terminal for its line, in a folder of its own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct peer {
	pid_t pid;
	int master; /* our end of the line */
	int slave;  /* kept open: with its last user a pseudo-terminal forgets what was sent last */
};

/* A folder in memory that goes with peer_remove_folder(). */
void peer_make_folder(void);
void peer_remove_folder(void);
const char *peer_folder(void);

/*
 * Starts `argv` in the folder. What it says on its standard error is dropped. The line is a
 * pseudo-terminal, or a socket for a peer that throws away at its end what a pseudo-terminal,
 * unlike a UART, has not delivered by then (rx and its last ACK).
 */
enum peer_line { PEER_TERMINAL, PEER_SOCKET };
void peer_begin(struct peer *peer, const char *const argv[], enum peer_line line);

/* Waits until it has ended, killing it after so long; its exit status, or -1. */
int peer_end(struct peer *peer, unsigned milliseconds);

/* A file of the folder. The caller frees the bytes; NULL: it is not there. */
uint8_t *peer_read_file(const char *name, size_t *ret_n);
void peer_write_file(const char *name, const uint8_t *data, size_t n_data);
void peer_remove_file(const char *name);
