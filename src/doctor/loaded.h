/* SPDX-License-Identifier: MIT */
/* loaded.h - whether the configuration on the disk is another than the one that the service has. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether a file of the configuration, or a changed folder of it, is newer than what the service
 * has read; its path, escaped. False too where no service has read this directory.
 */
bool loaded_is_older(const char *directory, char *to, size_t size);
