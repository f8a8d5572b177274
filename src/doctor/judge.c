/* SPDX-License-Identifier: MIT */
#include "doctor/judge.h"

#include <errno.h>

int judge(const struct host *host, struct findings *to)
{
	static void (*const all[])(const struct host *host, struct findings *to) = {judge_driver,
		judge_udev, judge_programs, judge_usb, judge_ports, judge_service, judge_store,
		judge_disks, judge_configuration, judge_images, judge_keys, judge_clock};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		all[i](host, to);
	findings_sort(to);
	return to->is_short ? -ENOMEM : 0;
}
