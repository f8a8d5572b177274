/* SPDX-License-Identifier: MIT */
/*
 * port-fd.h - device/port.h over the master end of a pseudo-terminal, at the speed of the machine,
 * with a bad line between if wanted. For peers that are programs.
 */
#pragma once

#include "device/port.h"
#include "peers/noise.h"

/* Both ways have their own noise; NULL: none. All is borrowed. */
struct port *port_fd_new(int fd, struct noise *out, struct noise *in);
