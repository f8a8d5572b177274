/* SPDX-License-Identifier: MIT */
/*
 * spoken-knobs.h - what may go wrong in an application that speaks a protocol of Silicon Labs'
 * sticks (spoken.h). sim.h includes it. The n-th counts from 1.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sim_spoken_faults {
	bool needs_rts;		 /* hardware flow control: it sends only while RTS is asserted */
	bool is_mute;		 /* it never answers, as with a wrong rate or flow control */
	bool is_locked;		 /* it answers no question until it is reset by the protocol: EZSP's
				    ERROR frame; the others are silent */
	uint64_t drop_heard;	 /* the n-th frame to it is lost */
	uint64_t spoil_heard;	 /* the n-th frame to it fails its check */
	uint64_t drop_said;	 /* the n-th frame from it is lost */
	uint64_t spoil_said;	 /* the n-th frame from it has a bad check */
	uint64_t cut_said;	 /* the n-th frame from it ends in its middle */
	bool talks;		 /* a frame of its own goes before every answer */
	uint64_t slow_said_nsec; /* from a frame to its answer */
	const char *version;	 /* it says this one instead of its own */
	const char *app_version; /* CPC: of its application; NULL: UNDEFINED */
	uint32_t launch_error;	 /* it refuses to launch the boot loader, with this status */
	bool has_no_command;	 /* it does not know the command that launches the boot loader */
	bool launch_is_silent;	 /* it launches the boot loader without a status */
	bool launch_is_lost;	 /* it says that all is well, and goes on */
	uint64_t launch_nsec;	 /* from the command until it has left; 0: 50 ms */
	uint64_t reset_nsec;	 /* a reset by the protocol takes this; 0: 300 ms */
};
