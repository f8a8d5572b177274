/* SPDX-License-Identifier: MIT */
/*
 * copy.h - the half-copied file: whether a file of the image directory is whole yet, how long it is
 * waited for, and every time that belongs to that. Service, worker and command ask here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "base/util.h"
#include "image/library-files.h"

/*
 * A file that was written to so lately may be written to again. Longer than a copy pauses between
 * two writes, shorter than a person waits for. A manifest gets the same time to follow its image.
 */
#define COPY_REST_USEC USEC_PER_SEC

/* A copy begins with an empty file, and its first bytes may come from far away. */
#define COPY_EMPTY_USEC (60 * USEC_PER_SEC)

/*
 * A part of an image of several files came so lately that the next may follow: of these nothing
 * else tells that all are of one build, unless a manifest has the digest over all. Longer than a
 * copy pauses between two files, and shorter than a command waits.
 */
#define COPY_PARTS_USEC (2 * USEC_PER_SEC)

/*
 * Files that contradict one another are chosen again, rather than refused, while one of them is
 * newer than this: the next file of the same copy may mend it.
 */
#define COPY_TOGETHER_USEC (5 * USEC_PER_SEC)

/* Most copies end sooner than this: until then the service says nothing of a wait. */
#define COPY_UNSAID_USEC (3 * USEC_PER_SEC)

/* All waits of one command together: a person typed it and sits before it. */
#define COPY_COMMAND_USEC (3 * USEC_PER_SEC)

/* A choice is this old at most when an attempt begins: a network tells of no change. */
#define COPY_GOOD_USEC USEC_PER_SEC

/*
 * The service looks at the directory when nothing happened in it for this long, so that a copy of
 * many files is looked at once; and at the latest this long after the first change.
 */
#define COPY_CALM_USEC	 (300 * USEC_PER_MSEC)
#define COPY_LATEST_USEC (3 * USEC_PER_SEC)

/*
 * Nobody tells that a directory comes that was not there, or what another host writes. Where that
 * may be, folders are compared this often: about as long as a person waits after a mount before
 * asking why nothing happens. It may come late by the same time again, so that the watchdog's
 * wake-up serves for it.
 */
#define COPY_RESCAN_USEC (5 * USEC_PER_SEC)

/* Whether the name is one that copy tools and editors give to what is not finished. */
bool copy_name_is_unfinished(const char *name);

/* Facts of the rule and the manifest, beside the files' status. */
struct copy_rule {
	uint64_t rest_usec; /* COPY_REST_USEC; 0: times are not asked */
	bool needs_signature;
	bool is_wrong; /* already, and waiting for a manifest or signature makes it no better */
	bool has_size; /* its manifest says how long the image is */
	uint32_t size;
	bool has_digest; /* its manifest says which bytes the image has */
};

enum copy_state {
	COPY_WHOLE,
	COPY_AWAITED = 1,
};

/*
 * Judges by the files' status, at the time `now_usec` of the clock of files' times. COPY_AWAITED
 * sets `ret_due_usec`, after which it is worth another look, 0 where only a change helps; and the
 * reason, without the image's name.
 */
enum copy_state copy_judge(const struct copy_rule *rule, const struct library_files *files,
	int64_t now_usec, uint64_t *ret_due_usec, struct reason *why);

/* Whether any of the files came or changed so lately that others of the same copy may follow. */
bool copy_may_go_on(const struct library_files *files, int64_t now_usec);

/*
 * Whether somebody has the image at `path`, or a file beside it, open for writing, or one of its
 * parts (`parts`, NULL or NULL-terminated, paths as `path` is), or what will be renamed to that:
 * then it is awaited, however old its time is. `is_open` answers for one path; `is_part`: under the
 * name of a copy under way as well. Sets the reason.
 */
enum copy_state copy_judge_open(const char *path, char *const *parts,
	bool (*is_open)(const void *userdata, const char *path, bool is_part), const void *userdata,
	struct reason *why);
