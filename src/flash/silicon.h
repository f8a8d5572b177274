/* SPDX-License-Identifier: MIT */
/* silicon.h - revision, fuses and details of a chip in the report of its job. */
#pragma once

#include "api/report.h"
#include "flash/entry.h"
#include "loader/loader.h"

/* Sets all three; those that the identity does not have are not known. */
void silicon_report(const struct chip_identity *identity, struct report *report);

/* Adds to the details which of several ways led into the loader, and what the ROM said then. */
void silicon_report_entry(const struct entry *entry, struct report *report);
