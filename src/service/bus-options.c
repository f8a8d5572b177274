/* SPDX-License-Identifier: MIT */
#include "service/bus-options.h"

#include <errno.h>
#include <string.h>

#include "base/names.h"
#include "base/text.h"

static const struct option_row *find_row(const struct option_row *rows, const char *name)
{
	while (rows->name && strcmp(rows->name, name) != 0)
		rows++;
	return rows->name ? rows : NULL;
}

static int refuse_type(const struct option_row *row, const char *type, sd_bus_error *error)
{
	static const char *const wanted[] = {
		[OPTION_TEXT] = "s",
		[OPTION_PATH] = "o",
		[OPTION_FLAG] = "b",
		[OPTION_NUMBER] = "t",
	};

	return sd_bus_error_setf(error, BUS_ERROR_INVALID,
		"option '%s': type %s is expected, not %s", row->name, wanted[row->type], type);
}

/* Clients of other languages send the integer that comes to their mind. */
static int read_number(sd_bus_message *call, char type, uint64_t *ret)
{
	int64_t of_64 = 0;
	int32_t of_32 = 0;
	uint32_t number = 0;
	int r;

	switch (type) {
	case 't':
		return sd_bus_message_read(call, "t", ret);
	case 'u':
		r = sd_bus_message_read(call, "u", &number);
		*ret = number;
		return r;
	case 'i':
		r = sd_bus_message_read(call, "i", &of_32);
		*ret = (uint64_t)of_32;
		return r >= 0 && of_32 < 0 ? -ERANGE : r;
	case 'x':
		r = sd_bus_message_read(call, "x", &of_64);
		*ret = (uint64_t)of_64;
		return r >= 0 && of_64 < 0 ? -ERANGE : r;
	}
	return -EINVAL;
}

static int read_value(
	sd_bus_message *call, const struct option_row *row, const char *type, sd_bus_error *error)
{
	uint64_t number;
	int flag, r = -EINVAL;

	switch (row->type) {
	case OPTION_TEXT:
	case OPTION_PATH:
		if (strcmp(type, "s") == 0 || (strcmp(type, "o") == 0 && row->type == OPTION_PATH))
			r = sd_bus_message_read(call, type, row->to);
		break;
	case OPTION_FLAG:
		if (strcmp(type, "b") == 0)
			r = sd_bus_message_read(call, "b", &flag);
		if (r >= 0)
			*(bool *)row->to = flag != 0;
		break;
	case OPTION_NUMBER:
		if (strlen(type) == 1)
			r = read_number(call, *type, &number);
		if (r >= 0)
			*(uint64_t *)row->to = number;
		break;
	}
	if (r == -EINVAL)
		return refuse_type(row, type, error);
	if (r == -ERANGE)
		return sd_bus_error_setf(error, BUS_ERROR_INVALID,
			"option '%s': a number below zero has no meaning", row->name);
	return r;
}

static int read_option(sd_bus_message *call, const struct option_row *rows, sd_bus_error *error)
{
	const struct option_row *row;
	const char *name, *type;
	char shown[TEXT_MAX];
	int r = sd_bus_message_read(call, "s", &name);

	if (r < 0)
		return r;
	row = find_row(rows, name);
	if (!row)
		return sd_bus_error_setf(error, BUS_ERROR_INVALID,
			"option '%s': there is none of this name; plugflash-bus(5) lists them",
			text_escape(name, shown, sizeof(shown)));
	r = sd_bus_message_peek_type(call, NULL, &type);
	if (r >= 0)
		r = sd_bus_message_enter_container(call, 'v', type);
	if (r >= 0)
		r = read_value(call, row, type, error);
	return r < 0 ? r : sd_bus_message_exit_container(call);
}

int options_read(sd_bus_message *call, const struct option_row *rows, sd_bus_error *error)
{
	int r = sd_bus_message_enter_container(call, 'a', "{sv}");

	while (r >= 0 && (r = sd_bus_message_enter_container(call, 'e', "sv")) > 0) {
		r = read_option(call, rows, error);
		if (r >= 0)
			r = sd_bus_message_exit_container(call);
	}
	return r < 0 ? r : sd_bus_message_exit_container(call);
}
