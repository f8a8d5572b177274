/* SPDX-License-Identifier: MIT */
/*
 * transcripts.h - the files of the jobs' transcripts, `transcripts` of [service] of them: the
 * service makes the file, and its worker, which may open none any more, writes it at its end.
 */
#pragma once

#include <stdint.h>

struct transcripts {
	const char *state; /* directory, NULL: nothing is kept */
	uint32_t most;	   /* 0: nothing is kept */
};

/*
 * Opens the file of a job, "TIME-JOB.txt" below the state directory, for another try at its end.
 * For a new one the oldest go, so that no more than `most` are there. `ret_fd` is the caller's, or
 * -1 where nothing is kept. 0 or -errno.
 */
int transcripts_open(const struct transcripts *transcripts, const char *job, int *ret_fd);
