/* SPDX-License-Identifier: MIT */
#include "service/memory-store.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/names.h"

static const char *consequence(const struct memory *memory)
{
	return memory->is_required ? "nothing is erased until it can be kept (require-store)"
				   : "every chip is asked as if it were new";
}

void memory_tell_trouble(struct memory *memory, const struct reason *reason)
{
	if (memory->is_trouble_told)
		return;
	memory->is_trouble_told = true;
	log_event(LOG_ERR, MESSAGE_STORE_UNUSABLE, NULL,
		"what is known of units cannot be kept: %s; %s", reason->text, consequence(memory));
}

static void tell_recovery(struct memory *memory)
{
	if (!memory->is_trouble_told)
		return;
	memory->is_trouble_told = false;
	log_event(LOG_INFO, MESSAGE_STORE_USABLE, NULL, "what is known of units can be kept again");
}

/* 0 once there is a store. STORE_HELD and the others as store_open() has them. */
static int open_store(struct memory *memory, struct reason *reason)
{
	int r = store_open(memory->directory, &memory->store, reason);

	if (r == STORE_RENEWED) {
		log_event(LOG_ERR, MESSAGE_STORE_DAMAGED, NULL,
			"%s; what was known of units is lost, and kept anew from here on",
			reason->text);
		return 0;
	}
	memory->is_newer = r == STORE_NEWER;
	return r;
}

int memory_open(struct memory *memory, const char *directory)
{
	struct reason reason = {0};
	int r;

	memory->directory = strdup(directory);
	if (!memory->directory)
		return -ENOMEM;
	r = open_store(memory, &reason);
	if (r == STORE_HELD) {
		log_event(LOG_ERR, MESSAGE_STORE_HELD, NULL,
			"%s: two services would flash the same boards; this one ends", reason.text);
		return r;
	}
	if (r != 0)
		memory_tell_trouble(memory, &reason);
	return 0;
}

void memory_close(struct memory *memory)
{
	memory->store = store_close(memory->store);
	free(memory->directory);
	memory->directory = NULL;
}

/* A disk that was full may have room again; who made a later format will not take it back. */
bool memory_has_store(struct memory *memory)
{
	struct reason reason = {0};
	int r;

	if (memory->store)
		return true;
	if (memory->is_newer || !memory->directory)
		return false;
	r = open_store(memory, &reason);
	if (r != 0)
		memory_tell_trouble(memory, &reason);
	return r == 0;
}

/* Closed, it is found damaged when it is opened, and set aside. */
static bool renew(struct memory *memory)
{
	memory->store = store_close(memory->store);
	return memory_has_store(memory);
}

bool memory_save(
	struct memory *memory, const struct store_unit *unit, const struct store_attempt *attempt)
{
	struct reason reason = {0};
	int r;

	if (!memory_has_store(memory))
		return false;
	r = store_save(memory->store, unit, attempt, &reason);
	if (r == -EBADMSG && renew(memory))
		r = store_save(memory->store, unit, attempt, &reason);
	if (r < 0)
		memory_tell_trouble(memory, &reason);
	else
		tell_recovery(memory);
	return r == 0;
}

bool memory_find(struct memory *memory, const char *key, struct store_unit *ret)
{
	struct reason reason = {0};
	int r = -ENOENT;

	*ret = (struct store_unit){0};
	if (memory_has_store(memory))
		r = store_find_unit(memory->store, key, ret, &reason);
	if (r == -EBADMSG && renew(memory))
		r = -ENOENT;
	if (r < 0 && r != -ENOENT)
		memory_tell_trouble(memory, &reason);
	snprintf(ret->key, sizeof(ret->key), "%s", key);
	return r == 0;
}
