/* SPDX-License-Identifier: MIT */
/* command.h - plugflash on the directories of the bed's service. Only tests include it. */
#pragma once

#include "bed/bed.h"

/* The environment variable becomes the directory of this name below the bed's own. */
void command_set_directory(const char *variable, struct bed *bed, const char *below);

/* Runs it with these arguments, which a shell reads; its exit status. */
int command_run(struct bed *bed, const char *arguments);

/* How many lines of what the last one said have the text in them. */
unsigned command_lines(struct bed *bed, const char *part);
