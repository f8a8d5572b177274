/* SPDX-License-Identifier: MIT */
/*
 * image-list.h - all images that a rule finds, for somebody who asks.
 *
 * The worker program lists them, in a process of its own: the event loop reads no directory and
 * waits for no mount. Who asks for a rule that is being listed gets the answer of that run.
 */
#pragma once

#include <stddef.h>

#include <systemd/sd-event.h>

#include "base/text.h"
#include "rules/config.h"

/* Runs at once, and callbacks that wait for one of them: more are refused. */
#define IMAGE_LISTS_MOST	4
#define IMAGE_LIST_CALLERS_MOST 16

struct dict;

/* What the lists are made by: all is the caller's, and outlives the lists. */
struct image_list_parts {
	sd_event *event;
	const char *worker; /* the program */
	const char *chips, *chips_dir;
};

/*
 * `error` is 0, or -errno: the program failed or did not answer in time (-ETIMEDOUT), and `reason`
 * says so in a sentence. The items are the image_list's: an entry for each file, the highest
 * version first, SURVEY_FILES_MAX at most, with the keys
 *
 *     image s        below the image directory, escaped as in the journal
 *     version s      "": none
 *     bytes t        of the file
 *     state s        chosen, refused, awaited, older, equal, unsure, passed over
 *     reason s       why it is not to be had                               (or missing)
 *     remark s       what may be a mistake and changes nothing             (or missing)
 *     requires s     the lowest version that may be updated from           (or missing)
 *     sha256 s, signer s  of the one that is meant, once it was read       (or missing)
 *
 * Where no file fits the rule: one entry of state "none", whose reason says what is there instead.
 */
typedef void (*image_list_callback)(void *userdata, int error, const struct reason *reason,
	const struct dict *items, size_t n_items);

struct image_lists;

/* 0 or -ENOMEM. */
int image_lists_new(const struct image_list_parts *parts, struct image_lists **ret);

/* Ends all runs; no callback is called any more. */
void image_lists_free(struct image_lists *lists);

/*
 * Begins to list the images of the rule. 0: the callback is called once, from the event loop and
 * within some fifteen seconds, however the program behaves. -EBUSY: too many ask, or the
 * folder of this rule hangs; else -errno.
 */
int image_list_start(struct image_lists *lists, const struct config *config,
	const struct board *board, image_list_callback callback, void *userdata);
