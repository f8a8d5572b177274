/* SPDX-License-Identifier: MIT */
/* manifest.c - the keys of a manifest, and whether they hold for the bytes. */
#include "image/manifest.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include "base/parse.h"
#include "image/version.h"

#define SECTION "image"

void manifest_done(struct manifest *manifest)
{
	free(manifest->version);
	parse_list_free(manifest->board);
	parse_list_free(manifest->chip);
	free(manifest->sha256);
	free(manifest->requires);
	free(manifest->notes);
	ini_section_free(manifest->source);
	*manifest = (struct manifest){};
}

/* ------------------------------------------------------------------ the keys */

static int parse_version(const char *value, void *field, const char **ret_expected)
{
	*ret_expected = "a version like 1.2.3 or 1.0-rc2";
	return version_is_fit(value) ? ini_parse_string(value, field, ret_expected) : -EINVAL;
}

static int parse_words(const char *value, char ***list, size_t *n_list)
{
	char **words;
	size_t n;

	if (parse_list(value, &words, &n) < 0)
		return -ENOMEM;
	parse_list_free(*list);
	*list = words;
	*n_list = n;
	return n > 0 ? 0 : -EINVAL;
}

static int parse_board(const char *value, void *field, const char **ret_expected)
{
	struct manifest *manifest = field;

	*ret_expected = "a list of boards, each the NAME of a [board NAME]";
	return parse_words(value, &manifest->board, &manifest->n_board);
}

static int parse_chip(const char *value, void *field, const char **ret_expected)
{
	struct manifest *manifest = field;

	*ret_expected = "a list of product ids or names of chips, like 0x414 or F103xC";
	return parse_words(value, &manifest->chip, &manifest->n_chip);
}

static int parse_sha256(const char *value, void *field, const char **ret_expected)
{
	char **text = field;
	int r;

	*ret_expected = "64 hexadecimal digits, as sha256sum prints them";
	if (strlen(value) != DIGEST_HEX_SIZE - 1 ||
		strspn(value, "0123456789abcdefABCDEF") != DIGEST_HEX_SIZE - 1)
		return -EINVAL;
	r = ini_parse_string(value, field, ret_expected);
	for (char *digit = *text; r == 0 && *digit; digit++)
		*digit = (char)tolower((unsigned char)*digit);
	return r;
}

static int parse_size_of_file(const char *value, void *field, const char **ret_expected)
{
	struct manifest *manifest = field;

	*ret_expected = "a number of bytes like 16384";
	manifest->has_size = true;
	return parse_u32(value, &manifest->size);
}

static int parse_place(const char *value, void *field, const char **ret_expected)
{
	struct manifest *manifest = field;

	*ret_expected = "an address like 0x08000000";
	manifest->has_address = true;
	return parse_address(value, &manifest->address);
}

static const struct ini_key keys[] = {
	{"version", offsetof(struct manifest, version), parse_version},
	{"board", 0, parse_board},
	{"chip", 0, parse_chip},
	{"sha256", offsetof(struct manifest, sha256), parse_sha256},
	{"size", 0, parse_size_of_file},
	{"address", 0, parse_place},
	{"requires", offsetof(struct manifest, requires), parse_version},
	{"notes", offsetof(struct manifest, notes), ini_parse_string},
};

/* ------------------------------------------------------------------ reading */

static int take_sections(const struct ini *ini, const char *name, struct manifest *manifest,
	struct ini_problems *problems)
{
	for (size_t i = 0; i < ini->n_sections; i++) {
		const struct ini_section *section = &ini->sections[i];
		int r;

		if (strcmp(section->kind, SECTION) != 0 || section->name[0] != '\0') {
			r = ini_section_expect(section, NULL, "[" SECTION "]", problems);
		} else {
			r = ini_section_apply(section, keys, ARRAY_SIZE(keys), manifest, problems);
			if (r == 0)
				r = ini_section_copy(section, &manifest->source);
		}
		if (r < 0)
			return r;
	}
	if (manifest->source || problems->n_items > 0)
		return 0;
	return ini_problem_add(problems, name, 1, NULL, NULL, "there is no [" SECTION "]");
}

int manifest_read(const char *name, const char *text, size_t n_text, struct manifest *ret,
	struct reason *reason)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(manifest_done) struct manifest manifest = {0};
	CLEANUP(ini_done) struct ini ini = {0};
	char line[sizeof(reason->text)], more[40] = "";
	int r = ini_load_text(&ini, name, text, n_text, &problems);

	if (r == 0)
		r = take_sections(&ini, name, &manifest, &problems);
	if (r < 0)
		return r;
	if (problems.n_items > 0) {
		if (problems.n_items > 1)
			snprintf(more, sizeof(more), " (and %zu more)", problems.n_items - 1);
		return reason_refuse(MANIFEST_REFUSED, reason, "%s%s",
			ini_problem_format(&problems.items[0], line, sizeof(line)), more);
	}
	*ret = manifest;
	manifest = (struct manifest){};
	return MANIFEST_OK;
}

int manifest_load(int folder, const char *path, struct folder_owners owners, struct manifest *ret,
	struct folder_file *ret_file, struct reason *reason)
{
	CLEANUP(folder_file_done) struct folder_file file = {};
	char shown[TEXT_MAX], label[TEXT_MAX + 16], name[PATH_MAX];
	int r;

	if (snprintf(name, sizeof(name), "%s" MANIFEST_SUFFIX, path) >= (int)sizeof(name))
		return -ENAMETOOLONG;
	snprintf(label, sizeof(label), "manifest '%s'", text_escape(name, shown, sizeof(shown)));
	r = folder_read(folder, basename(name), label, MANIFEST_MAX_BYTES, owners, &file, reason);
	if (r != FOLDER_OK)
		return r < 0 ? r : MANIFEST_REFUSED;
	r = manifest_read(name, (const char *)file.data, file.n_data, ret, reason);
	if (r == MANIFEST_OK && ret_file) {
		*ret_file = file;
		file = (struct folder_file){};
	}
	return r;
}

/* ------------------------------------------------------------------ what must hold */

int manifest_refuse(const struct manifest *manifest, const char *key, struct reason *reason,
	const char *format, ...)
{
	const struct ini_section *section = manifest->source;
	const struct ini_entry *entry = ini_section_find(section, key);
	struct reason message;
	char shown[TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message.text, sizeof(message.text), format, arguments);
	va_end(arguments);
	return reason_refuse(MANIFEST_REFUSED, reason, "%s:%u: [" SECTION "] %s: %s",
		text_escape(section->file, shown, sizeof(shown)),
		entry ? entry->line : section->line, key, message.text);
}

bool manifest_is_for(const struct manifest *manifest, const char *board)
{
	for (size_t i = 0; i < manifest->n_board; i++)
		if (strcmp(manifest->board[i], board) == 0)
			return true;
	return manifest->n_board == 0;
}

int manifest_check_bytes(const struct manifest *manifest, size_t n_data,
	const char sha256[DIGEST_HEX_SIZE], struct reason *reason)
{
	if (manifest->has_size && manifest->size != n_data)
		return manifest_refuse(manifest, "size", reason,
			"the image has %zu bytes, the manifest says %u: is it of another version, or was the copy cut off?",
			n_data, manifest->size);
	if (manifest->sha256 && strcmp(manifest->sha256, sha256) != 0)
		return manifest_refuse(manifest, "sha256", reason,
			"the image has the digest %.16s..., the manifest says %.16s...: a byte differs, or they do not belong together",
			sha256, manifest->sha256);
	return MANIFEST_OK;
}
