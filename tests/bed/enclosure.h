/* SPDX-License-Identifier: MIT */
/*
 * enclosure.h - the surroundings of a bed: mounts of its own, a journal of its own, the preloads.
 *
 * A program that calls enclosure_enter() first needs no script around it.
 */
#pragma once

#include <sys/types.h>

/* All scratch space, in memory: it goes with the enclosure, whatever becomes of the program. */
#define ENCLOSURE_DIRECTORY "/run/bed"

/*
 * Takes the process, which must not have threads yet, into namespaces of its own and starts a
 * systemd-journald there that only it can reach and that ends with it. Where that cannot be had,
 * says what is missing and ends the program.
 */
void enclosure_enter(void);

/* The process of that journal, a child of the program as all others are. */
pid_t enclosure_journald(void);

/* The directory with the program's build: $BUILD or "build", as an absolute path. */
const char *enclosure_build(void);

/*
 * LD_PRELOAD for children: those built as this program is (the sanitiser first), and all others.
 * The program itself needs none: it makes the devices and does not use them.
 */
const char *enclosure_preload(void);
const char *enclosure_preload_plain(void);
