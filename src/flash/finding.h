/* SPDX-License-Identifier: MIT */
/*
 * finding.h - the image of a rule, chosen by the worker program: the event loop of the service
 * reads no directory.
 *
 * The service writes an assignment for each rule that it asks for. The answer has, in the same
 * order, a finding for each: lines "KEY VALUE", the last of them "result N". Lines "folder PATH"
 * name the folders that it depends on.
 */
#pragma once

#include <stdio.h>

#include "flash/assignment.h"
#include "image/library.h"

/* The argument that the worker program is started with. */
#define FINDING_ARGUMENT "choose"

/* Of one answer: the service would not watch more of them. */
#define FINDING_FOLDERS_MAX 2048

struct finding {
	int result; /* of library_choose(), -errno included */
	struct library_choice choice;
	struct reason reason;
};

void finding_done(struct finding *finding);

/*
 * Chooses for each assignment in turn, to the end of the text. For one that names a previous image
 * the finding is the file that is most likely that image. 0 or -errno.
 */
int finding_run(FILE *from, FILE *to);

/* 0 or -errno. */
int finding_write(const struct finding *finding, FILE *to);

/*
 * Reads the next finding of an answer, and moves `at` behind it; the text is written to. Any text
 * may stand there. 0, -EBADMSG or -ENOMEM, and the one after it can be read all the same.
 * `on_folder` hears of each folder meanwhile.
 */
int finding_read(char **at, struct finding *ret,
	void (*on_folder)(void *userdata, const char *path), void *userdata);
