/* SPDX-License-Identifier: MIT */
/*
 * client-mirror.h - the objects of the service as plain data, in their order. The mirror itself is
 * the client's; its clients see the objects by client_next() and client_find().
 */
#pragma once

#include <stddef.h>

#include "api/dict.h"

/* Objects of one kind above this are left out. */
#define CLIENT_OBJECTS_MOST 1024

enum client_kind {
	CLIENT_MANAGER, /* one, /org/plugflash1 */
	CLIENT_SLOT,	/* in the order of the configuration */
	CLIENT_BRIDGE,	/* in order of appearance */
	CLIENT_JOB,	/* in order of appearance */
	CLIENT_KIND_MAX,
};

struct client_object {
	enum client_kind kind;
	char *path;
	struct dict properties;
};

enum client_change { CLIENT_OBJECT_NEW, CLIENT_OBJECT_CHANGED, CLIENT_OBJECT_GONE };

struct mirror_list {
	struct client_object **items;
	size_t n_items;
};

/* A zeroed one is empty and ready. */
struct mirror {
	struct mirror_list lists[CLIENT_KIND_MAX];
};

/*
 * Sets these properties of the object, which is made where there is none of that path. The enum
 * client_change, or -ENOMEM, -E2BIG (too many objects, or too many names of one: nothing is set).
 */
int mirror_take(struct mirror *mirror, enum client_kind kind, const char *path,
	const struct dict *properties, struct client_object **ret);

/* Takes the object out; the caller frees it. NULL: there is none of that kind and path. */
struct client_object *mirror_remove(struct mirror *mirror, enum client_kind kind, const char *path);

struct client_object *mirror_find(const struct mirror *mirror, const char *path);

void mirror_done(struct mirror *mirror);

struct client_object *client_object_free(struct client_object *object);
