/* SPDX-License-Identifier: MIT */
/* silicon.h - revision, fuses and details of a chip in the report of its job. */
#pragma once

#include "api/report.h"
#include "loader/loader.h"

/* Sets all three; those that the identity does not have are not known. */
void silicon_report(const struct chip_identity *identity, struct report *report);
