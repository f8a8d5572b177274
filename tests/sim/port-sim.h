/* SPDX-License-Identifier: MIT */
/*
 * port-sim.h - device/port.h over a simulated board, on a clock that only moves while somebody
 * waits.
 *
 * Nothing sleeps: a read goes straight to the time of the next byte or of its deadline. Every
 * direction costs the time of a USB frame, as with a full-speed bridge. What happened is recorded,
 * for a test to ask.
 */
#pragma once

#include <sys/types.h>

#include "sim/sim.h"

/* One frame of a full-speed bus each way, unless the options say otherwise. */
#define PORT_SIM_USB_USEC 1000
#define PORT_SIM_NO_USB	  (-1)

/* Bytes that may stand in the place of one. */
#define PORT_SIM_EDIT 16

struct port_sim_options {
	int usb_usec;		     /* 0: PORT_SIM_USB_USEC; PORT_SIM_NO_USB: none */
	uint64_t start_usec;	     /* the port's clock begins there */
	const char *held_by;	     /* somebody else has the port, so named in the reason */
	bool permission_denied;	     /* by the node's mode */
	bool gone;		     /* the node is there no more */
	dev_t devnum;		     /* of the node; 0: whatever port_open() asks for */
	bool drops_parity;	     /* the driver does not keep PARENB */
	uint32_t max_baud;	     /* what the bridge can do; 0: anything */
	uint64_t unplug_after_sent;  /* unplugged when that many bytes are on the line; 0: not */
	unsigned unplug_after_lines; /* unplugged upon that many changes of the lines; 0: not */
	uint64_t unplug_at_usec;     /* unplugged at that time; 0: not */
	/* Puts what the host receives in place of a byte that the chip sent; returns how many
	 * bytes that are. NULL: the byte itself. */
	size_t (*edit)(void *userdata, uint8_t byte, uint8_t to[PORT_SIM_EDIT]);
	void *userdata;
	bool self_powered;    /* the board does not lose its power with the bridge */
	uint64_t stolen_byte; /* another program reads the n-th byte of the board; 0: none */
};

/* Both lines of one request are one entry. */
struct port_sim_lines {
	unsigned lines;
	uint64_t at_nsec;
	bool by_kernel; /* as Linux does at open */
};

struct port_sim_byte {
	uint8_t byte;
	uint64_t at_nsec; /* its last bit is at the chip */
};

/* What the chip saw first after a reset. */
struct port_sim_first {
	uint8_t byte;
	uint32_t baud;
	bool even_parity;
	uint64_t at_nsec;
};

struct port_sim_record {
	unsigned opens;	  /* that succeeded */
	unsigned refused; /* opens that did not */
	unsigned closes;
	unsigned configures; /* that succeeded */
	unsigned writes;
	unsigned lines_at_close;
	uint32_t baud;
	bool even_parity;
	struct port_sim_lines *lines;
	size_t n_lines;
	struct port_sim_byte *sent;
	size_t n_sent;
	struct port_sim_first *firsts;
	size_t n_firsts;
};

/*
 * From now on port_open() of `path` finds this board; `options` may be NULL, strings in it must
 * stay. An earlier board at the path is replaced. The simulator stays the caller's.
 */
void port_sim_attach(const char *path, struct sim *sim, const struct port_sim_options *options);

/* Frees all that attach made; to be called when no port is open. */
void port_sim_detach_all(void);

/* Other options for an attached board; the record and the clock go on. */
void port_sim_set_options(const char *path, const struct port_sim_options *options);

/* The bridge is back after an unplug, the board powered up, no knob for another unplug left. */
void port_sim_replug(const char *path);

/* The same, with the power of a board that has its own untouched, and the options as they are. */
void port_sim_plug(const char *path);

/* Time passes on the board while nobody has the port open. */
void port_sim_pass(const char *path, uint64_t usec);

const struct port_sim_record *port_sim_record(const char *path);
uint64_t port_sim_now_nsec(const char *path);
