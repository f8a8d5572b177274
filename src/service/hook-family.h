/* SPDX-License-Identifier: MIT */
/*
 * hook-family.h - all processes that one program of `on-outcome` has started, wherever they went:
 * by a mark in the environment, which each of them has from its parent.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define FAMILY_MARK_BYTES 64

/* A mark that no other program of this host has, as "NAME=value"; `number` is another for each. */
void family_mark(uint64_t number, char to[static FAMILY_MARK_BYTES]);

/* Sends the signal to every process with the mark; 0: to none. How many there are. */
size_t family_signal(const char *mark, int signal);
