/* SPDX-License-Identifier: MIT */
/*
 * patience.h - how long a test waits for what comes at once. It is against hanging alone: a machine
 * that others use stands still for half a minute now and then, and nothing is wrong with what is
 * tested on it.
 */
#pragma once

#include "base/util.h"

#define PATIENCE_USEC (300 * USEC_PER_SEC)
#define PATIENCE_MSEC ((int)(PATIENCE_USEC / USEC_PER_MSEC))
