/* SPDX-License-Identifier: MIT */
/* store-setting.c - what the service is to know again when it is started. */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "records/store-private.h"

struct setting {
	char name[32];
	char value[STORE_SETTING_MAX];
};

static const struct column columns[] = {
	TEXT(struct setting, "name", name),
	TEXT(struct setting, "value", value),
};

static const struct database_table settings = {"settings", columns, ARRAY_SIZE(columns)};

int store_set_setting(
	struct store *store, const char *name, const char *value, struct reason *reason)
{
	const struct database_value key = {.text = name};
	struct setting setting;
	uint32_t n_rows;
	int r;

	if (strlen(name) >= sizeof(setting.name) ||
		(value && strlen(value) >= sizeof(setting.value))) {
		reason_set(reason, "%s is too long to be kept", name);
		return -EMSGSIZE;
	}
	if (value) {
		text_copy(setting.name, sizeof(setting.name), name);
		snprintf(setting.value, sizeof(setting.value), "%s", value);
		r = database_put(store->database, &settings, &setting, reason);
	} else {
		r = database_change(store->database, "DELETE FROM settings WHERE name = ?", &key, 1,
			&n_rows, reason);
	}
	store_note_files(store);
	return r;
}

int store_find_setting(struct store *store, const char *name, char ret[static STORE_SETTING_MAX],
	struct reason *reason)
{
	const struct database_value key = {.text = name};
	struct setting setting = {.name = ""};
	int r = database_find(
		store->database, &settings, "WHERE name = ?", &key, 1, &setting, reason);

	if (r == 0)
		memcpy(ret, setting.value, sizeof(setting.value));
	return r;
}
