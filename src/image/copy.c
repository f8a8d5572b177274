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
 * An image of several files is whole when each of them is, and when all have rested together: a
 * new build that is copied over an old one, file by file, is a mixture of both meanwhile, and the
 * file that names the parts may stay the same.
 *
 * Times are compared with this host's clock. A file whose time lies in the future was dated by
 * somebody, or by another clock (a network mount, a clock that was set back since): its time says
 * nothing, and it is not waited for.
 */
#include "image/copy.h"

#include <inttypes.h>
#include <string.h>

#include "image/signature.h"

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

	for (size_t i = 0; i < library_files_count(files); i++) {
		const struct library_file_status *file = library_files_at(files, i);
		int64_t changed = usec_of(&file->status.st_ctim);

		if (file->exists && changed > last)
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
		return left_of(COPY_EMPTY_USEC, written, now_usec);
	return usec_of(&status->st_ctim) > written ? 0 : left_of(rest_usec, written, now_usec);
}

/* Each file by itself. */
static enum copy_state judge_each(const struct copy_rule *rule, const struct library_files *files,
	int64_t now_usec, uint64_t *ret_due_usec, struct reason *why)
{
	char shown[TEXT_MAX];

	for (size_t i = 0; i < library_files_count(files) && rule->rest_usec > 0; i++) {
		const struct library_file_status *file = library_files_at(files, i);
		uint64_t due = file->exists ? rest_of(&file->status, rule->rest_usec, now_usec) : 0;

		if (due == 0)
			continue;
		*ret_due_usec = due;
		return reason_refuse(COPY_AWAITED, why, "'%s' %s",
			text_escape(file->name, shown, sizeof(shown)),
			file->status.st_size == 0 ? "is empty yet: a copy may have begun"
						  : "was written just now, it may not be whole");
	}
	return COPY_WHOLE;
}

/*
 * The parts as a whole. One that is not there is waited for as long as files that contradict one
 * another are: the image is refused without it, so a longer wait loses nothing.
 */
static enum copy_state judge_parts(const struct copy_rule *rule, const struct library_files *files,
	int64_t now_usec, uint64_t *ret_due_usec, struct reason *why)
{
	const struct library_file_status *missing = library_files_missing(files);
	uint64_t wait_usec = missing ? COPY_TOGETHER_USEC : rule->has_digest ? 0 : COPY_PARTS_USEC;
	uint64_t due = 0;
	char shown[TEXT_MAX];

	if (files->n_parts > 0 && rule->rest_usec > 0)
		due = left_of(wait_usec, last_change(files), now_usec);
	if (due == 0)
		return COPY_WHOLE;
	*ret_due_usec = due;
	if (missing)
		return reason_refuse(COPY_AWAITED, why,
			"its part '%s' is not there yet: a copy may be under way",
			text_escape(missing->name, shown, sizeof(shown)));
	return reason_refuse(COPY_AWAITED, why,
		"one of its files changed just now, and others of the same build may follow");
}

enum copy_state copy_judge(const struct copy_rule *rule, const struct library_files *files,
	int64_t now_usec, uint64_t *ret_due_usec, struct reason *why)
{
	size_t signature = library_files_signature(files);
	const struct library_file_status *manifest = &files->items[LIBRARY_FILE_MANIFEST];
	const struct library_file_status *missing = NULL;
	uint64_t due = 0, wait_usec = 0, size = library_files_bytes(files);
	char shown[TEXT_MAX];

	if (judge_each(rule, files, now_usec, ret_due_usec, why) != COPY_WHOLE)
		return COPY_AWAITED;
	if (rule->is_wrong)
		return COPY_WHOLE;
	if (judge_parts(rule, files, now_usec, ret_due_usec, why) != COPY_WHOLE)
		return COPY_AWAITED;

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

	if (!rule->has_size || library_files_missing(files) || size == rule->size)
		return COPY_WHOLE;
	*ret_due_usec = 0;
	return reason_refuse(COPY_AWAITED, why,
		"it has %" PRIu64
		" bytes%s, its manifest says %u: the copy is not whole, or they do not belong together",
		size, files->n_parts > 0 ? " with its parts" : "", rule->size);
}

static enum copy_state refuse_open(const char *path, struct reason *why)
{
	char shown[TEXT_MAX];

	return reason_refuse(COPY_AWAITED, why, "'%s' is being written",
		text_escape(basename(path), shown, sizeof(shown)));
}

enum copy_state copy_judge_open(const char *path, char *const *parts,
	bool (*is_open)(const void *userdata, const char *path, bool is_part), const void *userdata,
	struct reason *why)
{
	char file[PATH_MAX + 32];

	for (size_t i = 0; i < LIBRARY_FILE_MAX; i++) {
		snprintf(file, sizeof(file), "%s%s", path, library_file_suffix(i));
		if (is_open(userdata, file, false))
			return refuse_open(file, why);
	}
	for (; parts && *parts; parts++)
		if (is_open(userdata, *parts, true))
			return refuse_open(*parts, why);
	return COPY_WHOLE;
}
