/* SPDX-License-Identifier: MIT */
/* csv.h - rows of text after RFC 4180, for programs and spreadsheets. */
#pragma once

#include <stddef.h>
#include <stdio.h>

/* One row. Cells from outside are escaped; NULL is an empty cell. */
void csv_write_row(const char *const cells[], size_t n_cells, FILE *to);
