/* SPDX-License-Identifier: MIT */
/*
 * topics.h - the names under which things are said and heard at the broker: a template for each
 * kind, and what stands in its places. Pure.
 *
 * A template is the text of a topic with {prefix}, {gateway}, {slot}, {unit}, {board}, {group} or
 * {id} in it. The last five are values of the moment, from the bus or the broker: what is no plain
 * letter, digit or sign in them becomes %XX, so that a value stays within its level, no two values
 * share a topic, and a value that came can be read back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/ini.h"
#include "base/text.h"

enum topic {
	TOPIC_STATUS,	       /* the gateway; the will of the connection stands there, too */
	TOPIC_SLOT,	       /* {slot} */
	TOPIC_UNIT,	       /* {unit} */
	TOPIC_WISH,	       /* {board}: what the gateway makes of a wish */
	TOPIC_EVENT,	       /* of attempts; the one that is not retained */
	TOPIC_COMMAND,	       /* {id}: heard, and answered in place */
	TOPIC_DESIRED_GROUP,   /* {group}, {board}: heard */
	TOPIC_DESIRED_GATEWAY, /* {board}: heard */
	TOPIC_DISCOVERY,       /* {id}: where Home Assistant looks for entities */
	TOPIC_MAX,
};

/* Bytes of a topic with the NUL. AWS IoT takes 256, others more. */
#define TOPIC_SIZE 257

/* `gateway` is borrowed; the rest is owned. */
struct topics {
	char *prefix;
	const char *gateway;
	char *templates[TOPIC_MAX];
};

/* The key of a template in [topics], "desired-group". */
const char *topic_key(enum topic topic);

/* All templates as they are where nobody says otherwise. 0 or -ENOMEM. */
int topics_set_defaults(struct topics *topics);
void topics_done(struct topics *topics);

/*
 * Reads a section [topics]: its keys are `prefix` and those of topic_key(). 0 or -ENOMEM; mistakes
 * are problems: a place that is not known or has no meaning there, one that is missing, without
 * which two things would share a topic, a wildcard, or something that no topic may hold.
 */
int topics_read(
	const struct ini_section *section, struct topics *topics, struct ini_problems *problems);

/* Those that a topic has no place for may be NULL. */
struct topic_values {
	const char *slot;
	const char *unit;
	const char *board;
	const char *group;
	const char *id;
};

/* Writes the topic into to[TOPIC_SIZE] and returns it; NULL: it is too long, or a value is "". */
char *topics_make(
	const struct topics *topics, enum topic topic, const struct topic_values *values, char *to);

/*
 * The filter that subscribes to all of one kind that is heard; `group` NULL but for
 * TOPIC_DESIRED_GROUP. to[TOPIC_SIZE], or NULL: it is too long.
 */
char *topics_filter(const struct topics *topics, enum topic topic, const char *group, char *to);

/* What a topic that came says. */
struct topic_match {
	enum topic topic;     /* TOPIC_COMMAND, TOPIC_DESIRED_GROUP or TOPIC_DESIRED_GATEWAY */
	size_t group;	      /* which of the groups, with TOPIC_DESIRED_GROUP */
	char value[TEXT_MAX]; /* the board, or the id of the command, as it was before escaping */
};

/* Whether the topic is one of those that are heard; `groups` as they were subscribed to. */
bool topics_match(const struct topics *topics, char *const *groups, size_t n_groups,
	const char *text, struct topic_match *ret);
