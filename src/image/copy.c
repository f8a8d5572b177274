/* SPDX-License-Identifier: MIT */
/*
 * copy.c - the half-copied file.
 *
 * Half of a raw image cannot be told from a whole one by its bytes, so it is judged by what copy
 * tools do. They write the file in pieces, and set its time, mode and final name after the last
 * piece. They take files in the order of their names, so that NAME.ini and NAME.minisig arrive
 * after NAME. A file that is open for writing is not whole, and a manifest that says a size knows
 * better than any time. All else is whole: where a copy breaks off and nothing tells, the format's
 * end record, a digest or a signature has to.
 *
 * Times are compared with this host's clock. A file whose time lies in the future was dated by
 * somebody, or by another clock (a network mount, a clock that was set back since): its time says
 * nothing, and it is not waited for.
 */
#include "image/copy.h"

#include <string.h>

#include "image/signature.h"

/* A copy begins with an empty file, and its first bytes may come from far away. */
#define EMPTY_USEC (60 * USEC_PER_SEC)

/* Without its signature the image is refused in the end, so a longer wait loses nothing. */
#define SIGNATURE_USEC (2 * USEC_PER_SEC)

/* Names that cp, rsync, browsers and editors give to what they have not finished. */
bool copy_name_is_unfinished(const char *name)
{
	static const char *const endings[] = {".part", ".tmp", "~"};

	if (name[0] == '.')
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		if (text_ends_with(name, endings[i]))
			return true;
	return false;
}

/* The rest of a wait that began at a file's time. */
static uint64_t left_of(uint64_t wait_usec, int64_t since_usec, int64_t now_usec)
{
	uint64_t age = (uint64_t)now_usec - (uint64_t)since_usec;

	return since_usec <= now_usec && age < wait_usec ? wait_usec - age : 0;
}

/* When any of them was last written, renamed into place or given another mode. */
static int64_t last_change(const struct library_files *files)
{
	int64_t last = INT64_MIN;

	for (size_t i = 0; i < LIBRARY_FILE_MAX; i++) {
		int64_t changed = usec_of(&files->items[i].status.st_ctim);

		if (files->items[i].exists && changed > last)
			last = changed;
	}
	return last;
}

bool copy_may_go_on(const struct library_files *files, int64_t now_usec)
{
	return left_of(COPY_TOGETHER_USEC, last_change(files), now_usec) > 0;
}

/*
 * Whether the file itself may be written to again. Writing sets both of its times. Where the
 * inode's is the later one, it was renamed into place, or given its time or mode, after the last
 * write: tools do that at the end.
 */
static uint64_t rest_of(const struct stat *status, uint64_t rest_usec, int64_t now_usec)
{
	int64_t written = usec_of(&status->st_mtim);

	if (status->st_size == 0)
		return left_of(EMPTY_USEC, written, now_usec);
	return usec_of(&status->st_ctim) > written ? 0 : left_of(rest_usec, written, now_usec);
}

enum copy_state copy_judge(const struct copy_rule *rule, const struct library_files *files,
	int64_t now_usec, uint64_t *ret_due_usec, struct reason *why)
{
	size_t signature = library_files_signature(files);
	const struct library_file_status *image = &files->items[LIBRARY_FILE_IMAGE];
	const struct library_file_status *manifest = &files->items[LIBRARY_FILE_MANIFEST];
	const struct library_file_status *missing = NULL;
	uint64_t due = 0, wait_usec = 0;
	char shown[TEXT_MAX];

	for (size_t i = 0; i < LIBRARY_FILE_MAX && rule->rest_usec > 0; i++) {
		const struct library_file_status *file = &files->items[i];

		due = file->exists ? rest_of(&file->status, rule->rest_usec, now_usec) : 0;
		if (due == 0)
			continue;
		*ret_due_usec = due;
		return reason_refuse(COPY_AWAITED, why, "'%s' %s",
			text_escape(file->name, shown, sizeof(shown)),
			file->status.st_size == 0 ? "is empty yet: a copy may have begun"
						  : "was written just now, it may not be whole");
	}
	if (rule->is_wrong)
		return COPY_WHOLE;

	/* Until the next file comes, the image would be used under its file name, or refused. */
	if (rule->needs_signature && !files->items[signature].exists) {
		missing = &files->items[signature];
		wait_usec = SIGNATURE_USEC;
	} else if (!manifest->exists) {
		missing = manifest;
		wait_usec = rule->rest_usec;
	}
	if (missing && rule->rest_usec > 0)
		due = left_of(wait_usec, last_change(files), now_usec);
	if (due > 0) {
		*ret_due_usec = due;
		return reason_refuse(COPY_AWAITED, why,
			"it was put there just now, and '%s' may follow",
			text_escape(missing->name, shown, sizeof(shown)));
	}

	if (!rule->has_size || (intmax_t)image->status.st_size == (intmax_t)rule->size)
		return COPY_WHOLE;
	*ret_due_usec = 0;
	return reason_refuse(COPY_AWAITED, why,
		"it has %jd bytes, its manifest says %u: the copy is not whole, or they do not belong together",
		(intmax_t)image->status.st_size, rule->size);
}

enum copy_state copy_judge_open(const char *path,
	bool (*is_open)(const void *userdata, const char *path), const void *userdata,
	struct reason *why)
{
	const char *slash = strrchr(path, '/');
	char file[PATH_MAX + 32], shown[TEXT_MAX];

	for (size_t i = 0; i < LIBRARY_FILE_MAX; i++) {
		snprintf(file, sizeof(file), "%s%s", path, library_file_suffix(i));
		if (!is_open(userdata, file))
			continue;
		return reason_refuse(COPY_AWAITED, why, "'%s' is being written",
			text_escape(file + (slash ? slash + 1 - path : 0), shown, sizeof(shown)));
	}
	return COPY_WHOLE;
}
