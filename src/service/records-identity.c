/* SPDX-License-Identifier: MIT */
/* records-identity.c - what tells this store from another one that has the same ids of attempts. */
#include <errno.h>
#include <string.h>

#include <systemd/sd-id128.h>

#include "service/records.h"

#define SETTING_IDENTITY "identity"

/* A store of before, and one that was just made, gets it with the first question. */
static int make(struct records *records, struct reason *reason)
{
	char text[STORE_IDENTITY_SIZE];
	sd_id128_t id;
	int r = sd_id128_randomize(&id);

	if (r < 0)
		return r;
	sd_id128_to_string(id, text);
	r = store_set_setting(records->store, SETTING_IDENTITY, text, reason);
	if (r == 0)
		memcpy(records->identity, text, sizeof(text));
	return r;
}

const char *records_identity(struct records *records)
{
	char text[STORE_SETTING_MAX];
	struct reason reason = {0};
	int r;

	if (!records->store)
		return "";
	if (records->is_identity_read)
		return records->identity;
	records->identity[0] = '\0';
	/* Where it cannot be kept, it is asked for again with the next store that is opened. */
	records->is_identity_read = true;
	r = store_find_setting(records->store, SETTING_IDENTITY, text, &reason);
	if (r == 0)
		text_copy(records->identity, sizeof(records->identity), text);
	else if (r == -ENOENT)
		r = make(records, &reason);
	if (r < 0)
		records_tell_trouble(records, &reason);
	return records->identity;
}

void records_renew_identity(struct records *records)
{
	struct reason reason = {0};

	records->is_identity_read = false;
	if (store_set_setting(records->store, SETTING_IDENTITY, NULL, &reason) < 0)
		records_tell_trouble(records, &reason);
}
