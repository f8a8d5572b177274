/* SPDX-License-Identifier: MIT */
/*
 * uevent.h - events as udevd sends them, to every monitor of the bed.
 *
 * umockdev's own sender ends the program when a receiver's queue is full, and needs the device to
 * be there for "remove". This one drops the event and leaves the mark that becomes ENOBUFS.
 */
#pragma once

#include <stdbool.h>

/* What becomes of an event for which a receiver has no room: sent later, or lost as netlink does.
 */
enum uevent_patience { UEVENT_WAIT, UEVENT_DROP };

/*
 * `properties` are lines "NAME=value", without ACTION, DEVPATH, SUBSYSTEM and SEQNUM. 0 when every
 * receiver got it, else how many did not; with UEVENT_WAIT it is the caller who tries again.
 */
unsigned uevent_send(const char *root, const char *action, const char *devpath,
	const char *subsystem, const char *properties, enum uevent_patience patience);
