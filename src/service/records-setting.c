/* SPDX-License-Identifier: MIT */
/* records-setting.c - what the service is to know again when it is started. */
#include "service/records.h"

#include <errno.h>

int records_set_setting(struct records *records, const char *name, const char *value)
{
	struct reason reason = {0};
	int r;

	if (!records || !records_open_store(records))
		return -ENODEV;
	r = store_set_setting(records->store, name, value, &reason);
	if (records_follow(records, &r))
		r = store_set_setting(records->store, name, value, &reason);
	if (r < 0 && r != -ENODEV)
		records_tell_trouble(records, &reason);
	return r;
}

int records_keep_setting(struct records *records, const char *name, const char *value)
{
	/* Without memory it is in this store alone. */
	if (records && value)
		(void)dict_set_text(&records->settings, name, value);
	else if (records)
		dict_remove(&records->settings, name);
	return records_set_setting(records, name, value);
}

int records_get_setting(
	struct records *records, const char *name, char ret[static STORE_SETTING_MAX])
{
	struct reason reason = {0};
	int r;

	if (!records || !records_open_store(records))
		return -ENODEV;
	r = store_find_setting(records->store, name, ret, &reason);
	if (r == -EBADMSG && records_follow(records, &r))
		return -ENOENT;
	if (r < 0 && r != -ENOENT)
		records_tell_trouble(records, &reason);
	return r;
}
