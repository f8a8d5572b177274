/* SPDX-License-Identifier: MIT */
/*
 * library-list.h - what a rule asks of the image directory, and the files that fit it. Below the
 * search, the choice and the load, which share these.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/text.h"
#include "base/util.h"
#include "image/rollout.h"
#include "image/version-name.h"

enum library_result {
	LIBRARY_OK,
	LIBRARY_NONE,	 /* no file fits the glob; the reason says what is there instead */
	LIBRARY_REFUSED, /* the file that is meant may not be used */
	LIBRARY_AWAITED, /* the file that is meant is not whole yet */
};

/* A user for whom files must be readable, other than the one of this process. */
struct library_reader {
	const char *name;
	uid_t uid;
	const gid_t *groups;
	size_t n_groups;
};

/* A rule's question to the directory. All is borrowed. */
struct library_query {
	const char *directory;
	const char *glob;  /* below it; slashes match slashes only */
	const char *board; /* whom a manifest must name, where it names any; NULL: not asked */
	const char *version_in_name; /* the rule's pattern, or NULL */
	bool needs_version;	     /* the rule takes newer versions only */
	bool asks_version;	     /* the application says its own, to be compared */
	bool require_signature;
	bool accept_legacy_signatures;	     /* see signature.h */
	const char *trusted_keys;	     /* directory; NULL: signatures are not looked at */
	const struct library_reader *reader; /* NULL: this process */
	bool any_owner; /* the user named the file: its owner and mode do not matter */
	/* For whom: a rollout (rollout.h) that the unit takes no part in passes over its image.
	 * NULL: nobody, and rollouts are told and decide nothing. */
	const struct rollout_unit *unit;
	const char *stamp; /* to load: of the choice it must be still; NULL: not asked */

	/* COPY_REST_USEC, where files that may be copied just now are to be waited for; 0: not. */
	uint64_t rest_usec;
	/* Hears of each folder, by its path below the directory, before it is read, and of those
	 * of the parts that the choice has: what the choice depends on. May be NULL. */
	void (*on_folder)(void *userdata, const char *path);
	void *userdata;
};

/* The file that a glob means. */
struct library_choice {
	char *name;	   /* relative to the directory */
	char *version;	   /* its manifest's, else the one in its name, else "" */
	char *requires;	   /* its manifest's, or NULL */
	bool has_address;  /* its manifest says where it belongs */
	char **parts;	   /* files that it names, as `name` is; NULL-terminated; NULL: none */
	char *stamp;	   /* changes when any of its files does */
	uint64_t due_usec; /* LIBRARY_AWAITED: worth another look after so long; 0: only after a
			      change */
	struct rollout_span span; /* the units that it is the choice for, also where it is none */
};

enum library_state {
	LIBRARY_CANDIDATE_MEANT, /* chosen, refused or awaited */
	LIBRARY_CANDIDATE_OLDER,
	LIBRARY_CANDIDATE_EQUAL, /* the same version as the one that is meant */
	LIBRARY_CANDIDATE_PASSED_OVER,
};

struct library_candidate {
	char *name;
	char *version;
	uint64_t size;
	enum library_state state;
	char *why;    /* refused, awaited or passed over; else NULL */
	char *remark; /* what may be a mistake and changes nothing, or NULL */

	/* Of its manifest. */
	char *requires;
	bool has_address;
	bool has_size;
	uint32_t manifest_size;
	char *sha256;
	bool may_have_rollout; /* one stands beside it, as far as names tell */
	bool is_withheld;      /* passed over by that */

	enum version_name_kind kind; /* of the version, from whichever it is taken */
	char *doubt;		     /* why its name has no version that is certain, or NULL */
	bool hides_version;	     /* it may be any */
};

struct library_list {
	struct library_candidate *items; /* the highest first */
	size_t n_items;
	char *note; /* of what decided where no version did, or what may be a mistake; or NULL */
};

/*
 * The sentence why the candidate is not taken; "image 'NAME': " is put before it. Returns `result`,
 * or -ENOMEM.
 */
int library_tell_why(struct library_candidate *candidate, int result, const char *format, ...)
	PRINTF_LIKE(3, 4);

void library_list_done(struct library_list *list);
void library_choice_done(struct library_choice *choice);
