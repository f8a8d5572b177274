/* SPDX-License-Identifier: MIT */
/* listen.h - the listening sockets that systemd opened and hands over (sd_listen_fds(3)). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define LISTEN_MOST 8

struct listening {
	int sockets[LISTEN_MOST]; /* they stay open until the process ends */
	uint16_t ports[LISTEN_MOST];
	size_t n;
};

/* 0, or -errno with the reason. */
int listen_take(struct listening *ret, struct reason *reason);
