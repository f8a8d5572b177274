/* SPDX-License-Identifier: MIT */
/* state-exit.h - the exit codes of `status` and `monitor`, which are those of systemctl status. */
#pragma once

#include "api/client.h"

#define EXIT_NOT_RUNNING 3
#define EXIT_NOT_KNOWN	 4 /* no bus, or a service that does not say */

int state_exit_code(enum client_presence presence);
