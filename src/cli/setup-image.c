/* SPDX-License-Identifier: MIT */
/*
 * setup-image.c - the first image: found, checked against the chip, and copied to where the rule
 * looks.
 *
 * Each rule that is set up gets a folder of its own below the image directory. The copy has the
 * version in its name, since the next image is chosen by that. What stands beside the file and says
 * more of it (manifest, signatures) goes with it, before it, as plugflash-images(5) wants it.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/names.h"
#include "base/outcome.h"
#include "cli/ask.h"
#include "cli/setup.h"
#include "flash/assignment.h"
#include "image/library.h"
#include "image/version.h"

static const char *const beside[] = {".ini", ".ini.minisig", ".minisig"};

void setup_image_done(struct setup_image *image)
{
	free(image->directory);
	free(image->file);
	free(image->copy);
	free(image->glob);
	*image = (struct setup_image){0};
}

/* ------------------------------------------------------------------ which file */

/* ".hex"; "" where the ending is none that a glob may have as it is. */
static const char *suffix_of(const char *file)
{
	const char *dot = strrchr(file, '.');
	size_t n = 0;

	while (dot && isalnum((unsigned char)dot[1 + n]))
		n++;
	return dot && dot != file && n > 0 && dot[1 + n] == '\0' ? dot : "";
}

static int find_file(const char *path, struct setup_image *ret, struct reason *reason)
{
	CLEANUP(freep) char *real = realpath(path, NULL);
	struct stat status;
	char escaped[TEXT_MAX];
	char *slash;

	text_escape(path, escaped, sizeof(escaped));
	if (!real || stat(real, &status) < 0)
		return reason_refuse(-errno, reason, "image '%s': %s", escaped, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return reason_refuse(-EINVAL, reason,
			"image '%s' is no file; of what ESP-IDF has built name flasher_args.json",
			escaped);
	slash = strrchr(real, '/');
	*slash = '\0';
	ret->directory = strdup(real[0] ? real : "/");
	ret->file = strdup(slash + 1);
	if (!ret->directory || !ret->file)
		return reason_refuse(-ENOMEM, reason, "no memory");
	if (ret->file[0] == '.')
		return reason_refuse(-EINVAL, reason,
			"image '%s': a name that begins with a dot is never looked at by a rule",
			escaped);
	ret->is_of_several = flasher_args_is_name(ret->file);
	return 0;
}

/* By the name of the file, or of the folder where all builds give it the same name. */
static void version_of(const char *path, struct version_name *ret)
{
	CLEANUP(version_pattern_done) struct version_pattern none = {0};
	char shown[PATH_MAX];

	version_from_name(&none, flasher_args_version_path(path, shown, sizeof(shown)), ret);
}

static void find_version(struct setup_image *image)
{
	struct version_name found;
	char path[PATH_MAX + NAME_MAX + 2];

	snprintf(path, sizeof(path), "%s/%s", image->directory, image->file);
	version_of(path, &found);
	text_copy(image->version, sizeof(image->version), found.version);
	image->is_named = found.version[0] != '\0' && !image->is_of_several;
}

static int find(struct setup *setup, const char *path, struct reason *reason)
{
	const char *version = setup->options->image_version;
	char escaped[TEXT_MAX];
	int r;

	setup_image_done(&setup->image);
	r = find_file(path, &setup->image, reason);
	if (r < 0)
		return r;
	find_version(&setup->image);
	if (!version)
		return 0;
	if (!version_is_fit(version))
		return reason_refuse(-EINVAL, reason, "'%s' is no version, such as 1.2.0",
			text_escape(version, escaped, sizeof(escaped)));
	if (strcmp(setup->image.version, version) != 0)
		setup->image.is_named = false;
	text_copy(setup->image.version, sizeof(setup->image.version), version);
	return 0;
}

static int ask_version(struct setup_image *image)
{
	while (!version_is_fit(image->version)) {
		if (!ask_text("Version of the image", "", image->version, sizeof(image->version)))
			return setup_fail(
				OUTCOME_CANCELLED, "no version was given; nothing was done");
		if (!version_is_fit(image->version))
			fputs("  a version such as 1.2.0: numbers joined by dots\n", stderr);
	}
	return 0;
}

int setup_choose_image(struct setup *setup)
{
	struct setup_image *image = &setup->image;
	struct reason reason = {0};
	char path[PATH_MAX], file[TEXT_MAX];

	if (setup->options->image && find(setup, setup->options->image, &reason) < 0)
		return setup_fail(OUTCOME_NO_IMAGE, "%s", reason.text);
	while (!image->file) {
		if (!ask_text("Image file", "", path, sizeof(path)))
			return setup_fail(
				OUTCOME_CANCELLED, "no image was given; nothing was done");
		if (path[0] && find(setup, path, &reason) < 0) {
			fprintf(stderr, "  %s\n", reason.text);
			setup_image_done(image);
		}
	}
	if (image->version[0])
		return 0;
	if (!setup->may_ask)
		return setup_refuse(
			"the name of '%s' does not say its version for certain, and the next image is chosen by that: say it by --image-version",
			text_escape(image->file, file, sizeof(file)));
	return ask_version(image);
}

/* ------------------------------------------------------------------ its name there */

static int format_copy(const struct setup *setup, const char *mark, char **ret)
{
	const struct setup_image *image = &setup->image;
	const char *name = setup->name;

	if (image->is_of_several)
		return text_format(
			ret, "%s/%s-%s%s/%s", name, name, mark, image->version, image->file);
	if (image->is_named)
		return text_format(ret, "%s/%s", name, image->file);
	return text_format(
		ret, "%s/%s-%s%s%s", name, name, mark, image->version, suffix_of(image->file));
}

/* Numbers in the name of the rule may be taken for a version, unless a "v" stands before that. */
int setup_name_copy(struct setup *setup)
{
	static const char *const marks[] = {"", "v"};
	struct setup_image *image = &setup->image;
	struct version_name found = {0};
	int r = 0;

	free(TAKE_PTR(image->copy));
	free(TAKE_PTR(image->glob));
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		free(TAKE_PTR(image->copy));
		r = format_copy(setup, marks[i], &image->copy);
		if (r < 0)
			return setup_fail(OUTCOME_FAILED, "no memory");
		version_of(image->copy, &found);
		if (strcmp(found.version, image->version) == 0)
			break;
	}
	if (strcmp(found.version, image->version) != 0)
		return setup_refuse(
			"the version %s cannot be told for certain in the name '%s': choose a name for the rule without numbers (--name)",
			image->version, image->copy);
	r = image->is_of_several
		    ? text_format(&image->glob, "%s/*/%s", setup->name, image->file)
		    : text_format(&image->glob, "%s/*%s", setup->name, suffix_of(image->file));
	return r < 0 ? setup_fail(OUTCOME_FAILED, "no memory") : 0;
}

/* ------------------------------------------------------------------ whether it fits */

int setup_check_image(struct setup *setup)
{
	const struct service_config *service = &setup->config.service;
	CLEANUP(freep) char *chips_dir = NULL;
	struct report report = {0};
	struct assignment assignment = {
		.action = FLASH_UPDATE,
		.image_dir = setup->image.directory,
		.image = setup->image.file,
		.version = setup->image.version,
		.any_owner = true,
		.require_signature = service->require_signature,
		.accept_legacy_signatures = service->accept_legacy_signatures,
		.trusted_keys = service->trusted_keys,
		.chips = (char *)options_chips(),
		.board = setup->board, /* borrowed, as all here */
	};
	enum outcome outcome;

	if (text_format(&chips_dir, "%s/" NAME_CHIPS, setup->directory) < 0)
		return setup_fail(OUTCOME_FAILED, "no memory");
	assignment.chips_dir = chips_dir;
	outcome = assignment_check(&assignment, &report);
	return outcome == OUTCOME_MAX ? 0 : setup_fail(outcome, "%s", report.reason.text);
}

/* ------------------------------------------------------------------ the copy */

static int tell_copy(int r, const char *path)
{
	char escaped[TEXT_MAX];

	if (r == 0)
		return 0;
	text_escape(path, escaped, sizeof(escaped));
	if (r == MADE_OTHER)
		return setup_fail(OUTCOME_FAILED,
			"'%s' is there already, with other contents: choose another name for the rule (--name) or another version",
			escaped);
	return setup_fail(OUTCOME_FAILED, "'%s' cannot be written: %s", escaped, strerror(-r));
}

/* `from` below the folder of the image, `to` in the image directory; with the folders above. */
static int copy_one(struct setup *setup, const char *from, const char *to, bool is_optional)
{
	CLEANUP(freep) char *source = NULL, *target = NULL, *folder = NULL;
	char escaped[TEXT_MAX];
	int r = text_format(&source, "%s/%s", setup->image.directory, from);

	if (r == 0)
		r = text_format(&target, "%s/%s", setup->config.service.image_dir, to);
	if (r == 0)
		r = text_format(&folder, "%.*s", (int)(strrchr(target, '/') - target), target);
	if (r < 0)
		return setup_fail(OUTCOME_FAILED, "no memory");
	if (is_optional && access(source, F_OK) < 0)
		return 0;
	r = made_folder(&setup->made, folder);
	if (r == 0)
		r = made_copy(&setup->made, target, setup->image.directory, from);
	if (r == -ELOOP || r == -EXDEV || r == -EINVAL)
		return setup_fail(OUTCOME_BAD_IMAGE,
			"'%s' is a link, or no regular file: put the file itself there",
			text_escape(source, escaped, sizeof(escaped)));
	return tell_copy(r, target);
}

/* Manifest and signatures, which bear the name of the image. */
static int copy_beside(struct setup *setup)
{
	const struct setup_image *image = &setup->image;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(beside) && r == 0; i++) {
		CLEANUP(freep) char *from = NULL, *to = NULL;

		if (text_format(&from, "%s%s", image->file, beside[i]) < 0 ||
			text_format(&to, "%s%s", image->copy, beside[i]) < 0)
			return setup_fail(OUTCOME_FAILED, "no memory");
		r = copy_one(setup, from, to, true);
	}
	return r;
}

static int copy_parts(struct setup *setup)
{
	const struct setup_image *image = &setup->image;
	CLEANUP(library_file_done) struct library_file file = {0};
	struct reason reason = {0};
	int n_folder = (int)(strrchr(image->copy, '/') - image->copy);
	int r = library_read(image->directory, image->file, SIZE_MAX, &file, &reason);

	if (r != 0)
		return setup_fail(OUTCOME_BAD_IMAGE, "%s", reason.text);
	for (size_t i = 0; i < file.args.n_parts && r == 0; i++) {
		CLEANUP(freep) char *to = NULL;

		if (text_format(&to, "%.*s/%s", n_folder, image->copy, file.args.parts[i].name) < 0)
			return setup_fail(OUTCOME_FAILED, "no memory");
		r = copy_one(setup, file.args.parts[i].name, to, false);
	}
	return r;
}

int setup_copy_image(struct setup *setup)
{
	int r = copy_beside(setup);

	if (r == 0 && setup->image.is_of_several)
		r = copy_parts(setup);
	return r == 0 ? copy_one(setup, setup->image.file, setup->image.copy, false) : r;
}
