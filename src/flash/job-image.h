/* SPDX-License-Identifier: MIT */
/*
 * job-image.h - what a job takes out of the library: the image, read once and checked against its
 * manifest and signature, the rule and the chip table, before any port is touched.
 */
#pragma once

#include "flash/assignment.h"
#include "image/image.h"

struct job_image {
	struct image image;
	/* The rule, with the chips that the manifest names alone. All else in it is the
	 * assignment's. */
	struct board board;
	char **chip; /* the list, where it is not the assignment's own */
};

/*
 * Loads the image of the assignment. OUTCOME_MAX: it is good; else the outcome of the job
 * (OUTCOME_CURRENT where it is the known one), and the report is filled.
 */
enum outcome job_image_load(const struct assignment *assignment, const struct chip_table *chips,
	struct job_image *ret, struct report *report);

void job_image_done(struct job_image *job_image);

/* Ends the job in the phase before the port: failed where `r` is an errno, else `otherwise`. */
enum outcome job_image_end(struct report *report, int r, enum outcome otherwise);
