/* SPDX-License-Identifier: MIT */
/* mirror-made.h - a mirror of a service that is not there, for tests. Include after cmocka.h. */
#pragma once

#include "api/client-mirror.h"
#include "base/names.h"

/* The properties of an object, which is made where it is not there. */
static struct dict *made(struct mirror *mirror, enum client_kind kind, const char *path)
{
	static const struct dict none;
	struct client_object *object;

	assert_true(mirror_take(mirror, kind, path, &none, &object) >= 0);
	return &object->properties;
}

static inline struct dict *made_manager(struct mirror *mirror, const char *state)
{
	struct dict *manager = made(mirror, CLIENT_MANAGER, BUS_PATH);

	dict_set_text(manager, "State", state);
	dict_set_text(manager, "Version", "0.1");
	return manager;
}

static inline struct dict *made_slot(
	struct mirror *mirror, unsigned number, const char *name, const char *bridge)
{
	struct dict *slot;
	char path[64];

	snprintf(path, sizeof(path), BUS_PATH_SLOT "/%u", number);
	slot = made(mirror, CLIENT_SLOT, path);
	dict_set_text(slot, "Name", name);
	dict_set_text(slot, "Path", "pci-0000:00:14.0-usb-0:1:1.0");
	dict_set_text(slot, "Bridge", bridge);
	return slot;
}

static inline struct dict *made_bridge(struct mirror *mirror, unsigned number, const char *state)
{
	struct dict *bridge;
	char path[64], port[32];

	snprintf(path, sizeof(path), BUS_PATH_BRIDGE "/%u", number);
	snprintf(port, sizeof(port), "/dev/ttyUSB%u", number - 1);
	bridge = made(mirror, CLIENT_BRIDGE, path);
	dict_set_text(bridge, "Port", port);
	dict_set_text(bridge, "State", state);
	dict_set_text(bridge, "Match", "one");
	dict_set_text(bridge, "Board", "gate");
	dict_set_text(bridge, "Job", "/");
	return bridge;
}

static inline struct dict *made_job(struct mirror *mirror, struct dict *bridge, const char *id)
{
	struct dict *job;
	char path[96];

	snprintf(path, sizeof(path), BUS_PATH_JOB "/%s", id);
	job = made(mirror, CLIENT_JOB, path);
	dict_set_text(job, "Id", id);
	dict_set_text(job, "Operation", "flash");
	dict_set_text(bridge, "Job", path);
	return job;
}
