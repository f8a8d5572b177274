/* SPDX-License-Identifier: MIT */
/*
 * host.h - the facts of a host on which boards are to be flashed, as plain data. look.h gathers
 * them, judge.h says what is to be thought of them.
 *
 * A fact that could not be had is not a fault: for each that may be missing there is a word that
 * says so, and nothing is said of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "api/client.h"
#include "base/ini.h"
#include "doctor/user.h"
#include "flash/survey.h"
#include "rules/config.h"
#include "rules/facts.h"

/* ------------------------------------------------------------------ the kernel's driver */

struct host_driver {
	char release[72];     /* of the running kernel */
	bool is_there;	      /* loaded, or part of the kernel */
	bool has_folder;      /* the modules of this kernel are on the disk */
	bool is_loadable;     /* cp210x is among them */
	char blocked_by[256]; /* file of modprobe.d(5) that forbids it, "" none */
	/* The ids of its table. None: not known. */
	struct usb_id *ids;
	size_t n_ids;
};

/* ------------------------------------------------------------------ udev */

enum host_rules {
	HOST_RULES_THERE,
	HOST_RULES_MISSING,
	HOST_RULES_MASKED, /* by a link to /dev/null, which a person has made */
	HOST_RULES_MAX,
};

struct host_udev {
	bool is_running;
	enum host_rules rules;
};

/* ------------------------------------------------------------------ USB */

/* A device of USB: each bridge, and the hubs that bridges are behind. */
struct host_usb {
	char *sysfs; /* "/sys/devices/.../1-1.2", without a link in it */
	char name[32];
	uint16_t vendor_id;
	uint16_t product_id;
	char *product; /* raw descriptor, NULL: none */
	uint8_t device_class;
	bool is_configured;
	char driver[32]; /* of its first interface, "" none */
	bool has_power;	 /* the next two are known */
	unsigned milliamperes;
	bool is_self_powered; /* it has a supply of its own */
	bool is_suspendable;  /* power/control is "auto" */
	/* Firmware of a CP2102N as 0x010008; 0: another chip, or nobody asked it. */
	uint32_t firmware;
};

/* ------------------------------------------------------------------ ports */

/* A tty of a bridge, with what udev's rules made of it. */
struct host_port {
	struct facts facts;
	size_t usb;	    /* number of its device; SIZE_MAX: not known */
	bool is_tagged;	    /* by our rules */
	bool is_off_limits; /* marked for ModemManager to leave alone */
	bool has_node;	    /* the next four are known */
	uid_t uid;
	gid_t gid;
	mode_t mode;
	char group[64];
	bool is_worked_on; /* the service says so */
};

/* ------------------------------------------------------------------ the service */

enum host_unit_state {
	HOST_UNIT_UNKNOWN, /* no systemd that could be asked */
	HOST_UNIT_NOT_FOUND,
	HOST_UNIT_INACTIVE,
	HOST_UNIT_FAILED,
	HOST_UNIT_STARTING, /* or it has failed, and systemd starts it again in a moment */
	HOST_UNIT_ACTIVE,
	HOST_UNIT_STATE_MAX,
};

struct host_service {
	enum host_unit_state unit;
	bool is_enabled; /* it is started with the host; unless the unit is unknown */
	enum client_presence presence;
	bool is_config_stale;	/* the configuration on disk was refused */
	char config_error[400]; /* raw */
	bool is_paused;
	char pause_reason[256]; /* raw */
	bool is_replaced;	/* it runs a program that is no more on the disk: root sees it */
	char newer[TEXT_MAX];	/* file that it has not read yet, escaped; "" none */
};

/* ------------------------------------------------------------------ the store */

enum host_store_state {
	HOST_STORE_GOOD,
	HOST_STORE_NONE,   /* the service has not run yet */
	HOST_STORE_HIDDEN, /* this user may not read it */
	HOST_STORE_OLDER,  /* the service brings it up to date when it is started */
	HOST_STORE_NEWER,
	HOST_STORE_DAMAGED,
	HOST_STORE_UNREADABLE,
	HOST_STORE_STATE_MAX,
};

struct host_store {
	char directory[TEXT_MAX];
	enum host_store_state state;
	struct reason reason;
	char aside[TEXT_MAX]; /* a damaged one that was set aside, "" none */
	bool is_held;	      /* a process has it */
};

/* ------------------------------------------------------------------ files */

struct host_disk {
	const char *what; /* "store", "images" */
	char path[TEXT_MAX];
	bool is_known;
	uint64_t free_bytes; /* for whoever is not root */
	bool has_inodes;     /* this file system counts them */
	uint64_t free_inodes;
	bool is_read_only;
};

/* A folder of the image directory, and itself. */
struct host_folder {
	char *path;
	uid_t uid;
	mode_t mode;
};

struct host_images {
	bool is_hidden; /* this user may not look at them */
	bool is_missing;
	struct host_folder *folders;
	size_t n_folders;
	const struct survey *surveys; /* one a rule; borrowed */
	size_t n_surveys;
	char **strays; /* files that no rule takes, below the directory */
	size_t n_strays;
	char **keys; /* names of the trusted keys */
	size_t n_keys;
	struct reason keys_fault; /* why they cannot be read, "" */
};

/* ------------------------------------------------------------------ clock and programs */

struct host_clock {
	int64_t now_usec;
	int64_t built_usec; /* of the program on the disk; 0: not known */
	bool is_synchronized;
};

struct host_programs {
	bool has_modem_manager; /* runs */
	bool has_brltty;	/* runs */
	bool has_brltty_file;
};

/* ------------------------------------------------------------------ all of it */

struct host {
	bool is_root; /* whoever asks */
	struct user service_user;
	struct user caller;

	struct host_driver driver;
	struct host_udev udev;
	struct host_programs programs;
	struct host_usb *usb;
	size_t n_usb;
	struct host_port *ports;
	size_t n_ports;

	struct host_service service;
	struct host_store store;
	struct host_disk disks[2];
	struct host_clock clock;

	/* The configuration; all of it is borrowed. */
	const char *configuration; /* its directory */
	int configuration_error;   /* -errno: it cannot be read */
	const struct ini_problems *problems;
	const struct ini_problems *warnings;
	const struct config *config; /* NULL: it was refused */
	struct host_images images;
};

void host_done(struct host *host);
