/* SPDX-License-Identifier: MIT */
/*
 * way.h - the ways to some folders: the directories and links that their paths lead over, and the
 * mounts of this host. Tells when another one may be in the place of any of them.
 *
 * What happens in the folders themselves is watch.h's.
 */
#pragma once

#include <systemd/sd-event.h>

struct way;

/* The callback never comes from within a function of this file. 0 or -errno. */
int way_new(sd_event *event, void (*on_change)(void *userdata), void *userdata, struct way **ret);

/* NULL is fine. */
struct way *way_free(struct way *way);

/* Forgets all ways. 0 or -errno. */
int way_begin(struct way *way);

/*
 * Watches the way to this absolute path too, whose end need not be there. -errno where a part of it
 * is not there or cannot be watched: then nobody is told of all that may happen to it.
 */
int way_add(struct way *way, const char *path);
