/* SPDX-License-Identifier: MIT */
/*
 * manager.h - the service: event loop, configuration, the bridges and their turn.
 *
 * Owns everything else in this folder. dispatcher.h decides what becomes of a bridge.
 */
#pragma once

struct manager;

/* Borrowed: the texts outlive the manager. */
struct manager_options {
	const char *configuration; /* directory */
	const char *chips;	   /* the chip table */
	const char *worker;	   /* the program */
	const char *state;	   /* directories */
	const char *runtime;
};

/*
 * Reads the configuration, arms the monitor and takes the signals. Logs what failed and returns
 * OUTCOME_BAD_CONFIG or -errno.
 */
int manager_new(const struct manager_options *options, struct manager **ret);

/* Kills workers that still run. NULL is fine. */
struct manager *manager_free(struct manager *manager);

/* Takes the bridges that are there, then those that come, until told to stop. The exit status. */
int manager_run(struct manager *manager);
