/* SPDX-License-Identifier: MIT */
/*
 * recorder.h - the file of --transcript: made before anything is touched, written after each job.
 *
 * A command that runs several jobs has one transcript behind the other in it.
 */
#pragma once

#include "base/text.h"
#include "cli/options.h"
#include "device/transcript.h"

struct recorder {
	const char *path; /* NULL: nothing is recorded */
	int fd;
	bool with_image, has_jobs;
};

/*
 * Makes the file, for its owner alone; without --transcript nothing. 0, or -errno with the reason:
 * a file that is there stays as it is (-EEXIST).
 */
int recorder_open(const struct options *options, struct recorder *ret, struct reason *reason);

/* The transcript of one job; NULL where none is wanted, or there is no memory for one. */
struct transcript *recorder_begin(const struct recorder *recorder);

/* Writes it to the file and frees it; what fails is told on standard error. Returns NULL. */
struct transcript *recorder_end(struct recorder *recorder, struct transcript *transcript);

/* Takes the file away where no job was recorded. */
void recorder_close(struct recorder *recorder);
