/* SPDX-License-Identifier: MIT */
#include "guest/fault-keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define KEY(field)                                              \
	{                                                       \
#field, offsetof(struct sim_faults, field),     \
			sizeof(((struct sim_faults *)0)->field) \
	}

static const struct {
	const char *name;
	size_t offset, size;
} keys[] = {
	KEY(silent),
	KEY(garbage),
	KEY(ack_stream),
	KEY(leading_zero),
	KEY(silent_syncs),
	KEY(max_baud),
	KEY(drop_received),
	KEY(flip_received),
	KEY(drop_sent),
	KEY(flip_sent),
	KEY(nack_command),
	KEY(nack_code),
	KEY(nack_stage_code),
	KEY(nack_stage),
	KEY(nack_storm),
	KEY(hang_code),
	KEY(hang_nth),
	KEY(power_cut_received),
	KEY(vanish_received),
	KEY(vanish_code),
	KEY(vanish_nth),
	KEY(product_id),
	KEY(get_length),
	KEY(get_id_length),
	KEY(protect),
	KEY(write_protected),
	KEY(stuck_address),
	KEY(slow_sent_nsec),
	KEY(erase_nsec),
	KEY(seed),
	KEY(esp.boot_pin_high),
	KEY(esp.is_deaf),
	KEY(esp.no_power),
	KEY(esp.starts_badly),
	KEY(esp.keeps_baud),
	KEY(esp.garbles_above),
	KEY(ti.is_mute),
	KEY(ti.is_deaf),
	KEY(ti.status_code),
	KEY(ti.status_nth),
	KEY(ti.status),
	KEY(ti.stubborn),
	KEY(ti.stubborn_times),
	KEY(ti.revision),
	KEY(spoken.is_mute),
	KEY(spoken.launch_is_lost),
};

/* Integers of any width: the low bytes of the number, which is what this machine's order begins
 * with. */
int fault_key_set(struct sim_faults *faults, const char *key, const char *value)
{
	long long number;
	char *end;

	if (strcmp(value, "never") == 0) {
		number = -1; /* SIM_NEVER */
	} else {
		errno = 0;
		number = strtoll(value, &end, 0);
		if (errno || *end || end == value)
			return -EINVAL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(keys[i].name, key) != 0)
			continue;
		memcpy((char *)faults + keys[i].offset, &number, keys[i].size);
		return 0;
	}
	return -EINVAL;
}
