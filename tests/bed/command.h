/* SPDX-License-Identifier: MIT */
/* command.h - plugflash on the directories of the bed's service. Only tests include it. */
#pragma once

#include "bed/bed.h"

/*
 * The scene with a bus, on which service and command find each other; the command has the chip
 * table of the service. `*state` is the bed.
 */
int command_set_up(void **state);
int command_tear_down(void **state);
#define COMMAND_TEST(f) cmocka_unit_test_setup_teardown(f, command_set_up, command_tear_down)

/* Starts the service, and waits until commands find it. */
void command_start_service(struct bed *bed);

/* Until the service tells this of itself on the bus: not more than four times a second. */
void command_wait_manager(const char *property, const char *value);

/* All that goes over the bus ends. */
void command_end_bus(void);

/* The environment variable becomes the directory of this name below the bed's own. */
void command_set_directory(const char *variable, struct bed *bed, const char *below);

/* Runs it with these arguments, which a shell reads; its exit status. */
int command_run(struct bed *bed, const char *arguments);

/* The same with what it says on standard error, and as a user without rights. */
int command_run_all(struct bed *bed, const char *arguments);
int command_run_as_nobody(struct bed *bed, const char *arguments);

/* Starts it; all that it says is in that file of the bed's directory, "out" for command_lines(). */
pid_t command_start(struct bed *bed, const char *arguments, const char *file);

/* How many lines of what the last one said have the text in them. */
unsigned command_lines(struct bed *bed, const char *part);
