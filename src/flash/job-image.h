/* SPDX-License-Identifier: MIT */
/*
 * job-image.h - the image of a job: taken out of the library, read once and checked against its
 * manifest and signature, the rule and the chip table, before any port is touched.
 */
#pragma once

#include "flash/assignment.h"
#include "image/image.h"
#include "image/library.h"

struct job_image {
	struct image image;
	/* The rule, with no other chips than those that the manifest names too. What it points to
	 * is the assignment's, except `chip`. */
	struct board board;
	char **chip; /* the narrowed list, or NULL */
};

/* The assignment's question to the image directory; all in it is the assignment's. */
struct library_query job_image_query(const struct assignment *assignment);

/*
 * Loads the image of the assignment. OUTCOME_MAX: it is good, and the job goes on. Else the outcome
 * of the job (OUTCOME_CURRENT where the unit is known to hold it), and the report is filled.
 */
enum outcome job_image_load(const struct assignment *assignment, const struct chip_table *chips,
	struct job_image *ret, struct report *report);

void job_image_done(struct job_image *job_image);

/* Ends the job before the port is opened: OUTCOME_FAILED where `r` is -errno, else `otherwise`. */
enum outcome job_image_end(struct report *report, int r, enum outcome otherwise);
