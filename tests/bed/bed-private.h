/* SPDX-License-Identifier: MIT */
/* bed-private.h - what bed.c (loop, files, service), unit.c, children.c and entries.c share. */
#pragma once

#include <pthread.h>
#include <umockdev.h>

#include "bed/bed.h"
#include "bed/service.h"
#include "bed/usb.h"

#define BED_UNITS 128

/* One plug-in. It outlives the plug: umockdev may still have requests for it. */
struct bed_plug {
	struct bed *bed;
	struct bed_plug *next; /* bed::plugs */
	UMockdevIoctlBase *handler;
	struct tty tty;
};

struct bed_unit {
	struct bed *bed;
	struct bed_board board;
	struct usb_bridge bridge;
	struct sim *sim;
	struct bed_plug *plug; /* the last one; NULL never */
	bool is_plugged;
	char port[32];
	char id_path[64];
	size_t mark;	  /* entries of the journal at the last plug-in */
	int watch;	  /* of inotify, -1 none */
	unsigned n_opens; /* seen by inotify since the last plug-in */
	uint64_t skipped; /* of the ttys before */
};

struct bed {
	UMockdevTestbed *testbed;
	char *root; /* UMOCKDEV_DIR */
	char directory[64];
	/* Held while a tty or a sim is used: umockdev delivers requests in a thread of its own. */
	pthread_mutex_t mutex;
	int wake; /* eventfd: a request changed what is to be waited for */
	int inotify;
	int child; /* pidfd of the child that is waited for, -1 none */
	int other; /* what else is watched, -1 none */
	void (*on_other)(void *userdata);
	void *other_userdata;
	struct bed_unit *units[BED_UNITS];
	size_t n_units;
	struct bed_plug *plugs;
	struct service service;
	struct journal_reader *journal;
	uint64_t put_ns; /* when an image was put there last */
	size_t mark;
};

uint64_t bed_now(void); /* ns, monotonic */

/* Moves every board on; when to come again. Takes the bridge away from boards that vanished. */
uint64_t bed_units_advance(struct bed *bed);
void bed_units_on_inotify(struct bed *bed);
void bed_unit_free(struct bed_unit *unit);

/* Something else that the loop is to look after, while the descriptor is not -1. */
void bed_watch(struct bed *bed, int fd, void (*on_ready)(void *userdata), void *userdata);

/* Ends the program: the bed itself is broken, no test can be made of it. */
_Noreturn void bed_die(const char *what, int error);
