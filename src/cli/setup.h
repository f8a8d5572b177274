/* SPDX-License-Identifier: MIT */
/*
 * setup.h - what the files of `plugflash setup` share: the first rule of a board, from the bridge
 * it is behind to its first update. Only setup*.c include it.
 *
 * Each step returns 0, or the exit code after it has said on standard error what is wrong. What is
 * not told by an option is asked at a terminal.
 */
#pragma once

#include "cli/made.h"
#include "cli/rule-template.h"
#include "image/version-name.h"
#include "rules/config.h"

/* The image that the rule begins with. */
struct setup_image {
	char *directory; /* of the file, "/home/me/build" */
	char *file;	 /* its name there */
	char version[VERSION_NAME_MAX];
	bool is_named;	    /* the name has the version, and stays what it is */
	bool is_of_several; /* it names others, which go with it */
	char *copy;	    /* below the image directory, "gate/gate-1.2.0.hex" */
	char *glob;	    /* of the rule, "gate/" and all of that suffix */
};

#define SETUP_NAME_MAX 48

struct setup {
	const struct options *options;
	const char *directory; /* of the configuration */
	bool may_ask;	       /* somebody sits at a terminal */
	struct config config;
	struct facts bridge;
	bool has_own_serial;
	enum rule_template_only only;
	struct circuit_list list;
	const struct circuit *circuit; /* that was found */
	bool is_in_doubt;
	struct report report; /* of the probe by it */
	struct setup_image image;
	char name[SETUP_NAME_MAX]; /* of the rule */
	char *rule_file;
	char *rule; /* its text */
	size_t n_rule;
	struct board board; /* the same, parsed */
	struct made made;
};

/* "plugflash setup: " and the sentence, on standard error. Returns the exit code of the outcome. */
int setup_fail(enum outcome outcome, const char *format, ...) PRINTF_LIKE(2, 3);

/* A mistake in the command. */
int setup_refuse(const char *format, ...) PRINTF_LIKE(1, 2);

/* setup-bridge.c: which bridge, by an option, the only one, or the one that is plugged in next. */
int setup_choose_bridge(struct setup *setup);

/* setup-image.c: which file, and under which name it is to be had. */
int setup_choose_image(struct setup *setup);
/* Once the rule has a name. */
int setup_name_copy(struct setup *setup);
/* Whether the chip could be flashed with it. */
int setup_check_image(struct setup *setup);
int setup_copy_image(struct setup *setup);
void setup_image_done(struct setup_image *image);

/* setup-rule.c: the name, the text, and the file, each checked as a job would. */
int setup_check_name(struct setup *setup); /* that of the option, where it is given */
int setup_choose_name(struct setup *setup);
int setup_make_rule(struct setup *setup);
int setup_write_rule(struct setup *setup);
