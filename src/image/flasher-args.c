/* SPDX-License-Identifier: MIT */
/*
 * flasher-args.c - ESP-IDF's flasher_args.json, and the image that it makes with its parts.
 *
 * The file is written by components/esptool_py/flasher_args.json.in of ESP-IDF: which options
 * esptool gets (`write_flash_args`, and once more as `flash_settings`), which file goes to which
 * offset (`flash_files`), the same part by part with a mark whether it is to be encrypted
 * (`bootloader`, `app`, ... { offset, file, encrypted }), and how esptool is to reset the chip
 * (`extra_esptool_args`). The options are spelled --flash_mode, or --flash-mode as esptool 5 has
 * them; what older versions write has no `encrypted`, and no `chip`.
 *
 * Files are written as they are: the flash then has the digest of the file, and mode, size and
 * frequency stay as the build has put them into the header of the boot loader. So these three
 * options change nothing and are let pass. Any other one, and any key that is not known here, may
 * mean that the files alone are not what belongs into the flash: the image is refused.
 *
 * Within this program an image of several files is one buffer: the bytes of the JSON, then those of
 * each part in rising order of address. Where each part begins is said by the struct flasher_args
 * beside it, which came from the same JSON, since sizes stand nowhere in the files; the digest
 * covers both (library-parts.h). So the bound on the size, the worker and the readers know one kind
 * of image, and none can use bytes that the digest does not cover.
 */
#include "image/flasher-args.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "api/json.h"
#include "base/parse.h"
#include "image/content.h"

void flasher_args_done(struct flasher_args *args)
{
	for (size_t i = 0; i < args->n_parts; i++)
		free(args->parts[i].name);
	free(args->parts);
	free(args->chip);
	*args = (struct flasher_args){};
}

/* ------------------------------------------------------------------ names */

bool flasher_args_is_name(const char *path)
{
	size_t n = strlen(path), n_suffix = strlen(FLASHER_ARGS_SUFFIX);

	return n > n_suffix && strcasecmp(path + n - n_suffix, FLASHER_ARGS_SUFFIX) == 0;
}

const char *flasher_args_version_path(const char *path, char *to, size_t size)
{
	const char *name = basename(path);
	size_t n = (size_t)(name - path);

	if (strcmp(name, FLASHER_ARGS_NAME) != 0 || n < 2 || n > size)
		return path;
	memcpy(to, path, n - 1);
	to[n - 1] = '\0';
	return to;
}

/* Each part of the path leads down, and the whole goes through lines of text. */
static bool is_plain_path(const char *path)
{
	size_t n = strlen(path);

	if (n == 0 || n >= FLASHER_ARGS_NAME_MAX || !text_is_utf8(path, n))
		return false;
	for (const char *c = path; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			return false;
	for (const char *part = path;; part += strcspn(part, "/") + 1) {
		size_t n_part = strcspn(part, "/");

		if (n_part == 0 || (n_part <= 2 && strncmp(part, "..", n_part) == 0))
			return false;
		if (part[n_part] == '\0')
			return true;
	}
}

/* ------------------------------------------------------------------ reading */

/* An entry for one part by itself: it repeats what `flash_files` says. */
struct entry {
	char *key;
	char *file;
	uint32_t offset;
	bool has_offset;
};

struct reading {
	struct flasher_args args;
	struct entry entries[FLASHER_ARGS_MAX_PARTS];
	size_t n_entries;
	bool expects_value; /* the last of the write_flash_args was an option that has one */
	struct reason *reason;
};

static void reading_done(struct reading *reading)
{
	flasher_args_done(&reading->args);
	for (size_t i = 0; i < reading->n_entries; i++) {
		free(reading->entries[i].key);
		free(reading->entries[i].file);
	}
}

/* Where a value stands, for messages: 'app.offset'. */
static int refuse_value(
	const struct reading *reading, const struct json_value *value, const char *what)
{
	const char *outer = value->n_keys > 0 ? value->keys[0] : NULL;
	const char *inner = value->n_keys > 1 ? value->keys[1] : NULL;
	char shown[TEXT_MAX / 2], shown_inner[TEXT_MAX / 2];

	return reason_refuse(IMAGE_REFUSED, reading->reason, "'%s%s%s' %s",
		outer ? text_escape(outer, shown, sizeof(shown)) : "", inner ? "." : "",
		inner ? text_escape(inner, shown_inner, sizeof(shown_inner)) : "", what);
}

#define NOT_UNDERSTOOD "is not understood here, and may ask for more than to write the files"

/* The options that change no byte of what is written here, by their long and short names. */
static bool is_header_option(const char *text)
{
	static const char *const names[] = {"--flash_mode", "--flash-mode", "-fm", "--flash_size",
		"--flash-size", "-fs", "--flash_freq", "--flash-freq", "-ff"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(text, names[i]) == 0)
			return true;
	return false;
}

static int take_option(struct reading *reading, const struct json_value *value)
{
	char shown[TEXT_MAX / 2];

	if (value->n_keys != 2 || value->keys[1] || value->kind != JSON_KIND_TEXT)
		return refuse_value(reading, value, "is not the list of texts that it should be");
	if (!reading->expects_value && !is_header_option(value->text))
		return reason_refuse(IMAGE_REFUSED, reading->reason,
			"'write_flash_args' has '%s', which is not done here: expected --flash_mode, --flash_size and --flash_freq alone",
			text_escape(value->text, shown, sizeof(shown)));
	reading->expects_value = !reading->expects_value;
	return 0;
}

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (word && strcmp(word, *words) == 0)
			return true;
	return false;
}

static int take_setting(struct reading *reading, const struct json_value *value)
{
	static const char *const keys[] = {"flash_mode", "flash_size", "flash_freq", NULL};

	if (value->n_keys != 2 || !is_one_of(value->keys[1], keys) || value->kind != JSON_KIND_TEXT)
		return refuse_value(reading, value, NOT_UNDERSTOOD);
	return 0;
}

/* How the chip is reset and talked to is the rule's and the loader's. */
static int take_extra(struct reading *reading, const struct json_value *value)
{
	static const char *const keys[] = {"after", "before", "stub", "chip", NULL};

	if (value->n_keys != 2 || !is_one_of(value->keys[1], keys))
		return refuse_value(reading, value, NOT_UNDERSTOOD);
	if (strcmp(value->keys[1], "chip") != 0)
		return 0;
	if (value->kind != JSON_KIND_TEXT || !value->text[0])
		return refuse_value(reading, value, "should be the name of a chip");
	reading->args.chip = strdup(value->text);
	return reading->args.chip ? 0 : -ENOMEM;
}

static int parse_offset(
	const struct reading *reading, const char *text, uint32_t *ret, const char *where)
{
	char shown[TEXT_MAX / 2], shown_where[TEXT_MAX / 2];

	text_escape(text, shown, sizeof(shown));
	if (parse_address(text, ret) < 0)
		return reason_refuse(IMAGE_REFUSED, reading->reason,
			"'%s': the offset '%s' is no number like 0x10000",
			text_escape(where, shown_where, sizeof(shown_where)), shown);
	if (*ret % FLASHER_ARGS_SECTOR != 0)
		return reason_refuse(IMAGE_REFUSED, reading->reason,
			"'%s': the offset %s is not that of a sector, a multiple of 0x%x",
			text_escape(where, shown_where, sizeof(shown_where)), shown,
			FLASHER_ARGS_SECTOR);
	return 0;
}

static int take_file(struct reading *reading, const struct json_value *value)
{
	struct flasher_args *args = &reading->args;
	struct image_part *grown;
	char shown[TEXT_MAX / 2];
	uint32_t address = 0;
	int r;

	if (value->n_keys != 2 || !value->keys[1] || value->kind != JSON_KIND_TEXT)
		return refuse_value(reading, value, "is not the list of files that it should be");
	r = parse_offset(reading, value->keys[1], &address, "flash_files");
	if (r != 0)
		return r;
	if (!is_plain_path(value->text))
		return reason_refuse(IMAGE_REFUSED, reading->reason,
			"the part '%s' is not beside or below it: expected a path without '/' at the start, and without '..': put all parts there",
			text_escape(value->text, shown, sizeof(shown)));
	if (args->n_parts == FLASHER_ARGS_MAX_PARTS)
		return reason_refuse(IMAGE_REFUSED, reading->reason, "more than %d parts",
			FLASHER_ARGS_MAX_PARTS);
	grown = room_for_one(args->parts, args->n_parts, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	args->parts = grown;
	grown[args->n_parts] = (struct image_part){.address = address, .name = strdup(value->text)};
	if (!grown[args->n_parts].name)
		return -ENOMEM;
	args->n_parts++;
	return 0;
}

/* The entry of this key, as `ret`. 0, IMAGE_REFUSED where there is no room for it, -ENOMEM. */
static int find_entry(struct reading *reading, const char *key, struct entry **ret)
{
	struct entry *last = reading->entries + reading->n_entries;

	/* The values of one object follow one another. */
	if (reading->n_entries > 0 && strcmp(last[-1].key, key) == 0) {
		*ret = last - 1;
		return 0;
	}
	if (reading->n_entries == FLASHER_ARGS_MAX_PARTS)
		return reason_refuse(IMAGE_REFUSED, reading->reason, "more than %d parts",
			FLASHER_ARGS_MAX_PARTS);
	last->key = strdup(key);
	reading->n_entries += last->key != NULL;
	*ret = last;
	return last->key ? 0 : -ENOMEM;
}

static int take_entry(struct reading *reading, const struct json_value *value)
{
	const char *key = value->n_keys == 2 ? value->keys[1] : NULL;
	struct entry *entry;
	int r;

	if (!key || (value->kind != JSON_KIND_TEXT && value->kind != JSON_KIND_BOOL))
		return refuse_value(reading, value, NOT_UNDERSTOOD);
	if (strcmp(key, "encrypted") == 0) {
		bool is_plain = value->kind == JSON_KIND_BOOL ? !value->flag
							      : !strcmp(value->text, "false");

		return is_plain
			       ? 0
			       : refuse_value(reading, value,
					 "is not false: the part is for a chip that encrypts its flash, and is not written here");
	}
	if (value->kind != JSON_KIND_TEXT)
		return refuse_value(reading, value, NOT_UNDERSTOOD);
	r = find_entry(reading, value->keys[0], &entry);
	if (r != 0)
		return r;
	if (strcmp(key, "file") == 0) {
		entry->file = strdup(value->text);
		return entry->file ? 0 : -ENOMEM;
	}
	if (strcmp(key, "offset") != 0)
		return refuse_value(reading, value, NOT_UNDERSTOOD);
	entry->has_offset = true;
	return parse_offset(reading, value->text, &entry->offset, value->keys[0]);
}

static int take_value(void *userdata, const struct json_value *value)
{
	struct reading *reading = userdata;
	const char *key = value->n_keys > 0 ? value->keys[0] : NULL;
	static const struct {
		const char *key;
		int (*take)(struct reading *reading, const struct json_value *value);
	} places[] = {
		{"write_flash_args", take_option},
		{"flash_settings", take_setting},
		{"flash_files", take_file},
		{"extra_esptool_args", take_extra},
	};

	if (!key)
		return reason_refuse(IMAGE_REFUSED, reading->reason,
			"it is not what ESP-IDF writes as " FLASHER_ARGS_NAME);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (strcmp(places[i].key, key) != 0)
			continue;
		return value->kind == JSON_KIND_EMPTY && value->n_keys == 1
			       ? 0
			       : places[i].take(reading, value);
	}
	return take_entry(reading, value);
}

static int compare_parts(const void *a, const void *b)
{
	const struct image_part *one = a, *other = b;

	return (one->address > other->address) - (one->address < other->address);
}

static const struct image_part *find_part(const struct flasher_args *args, uint32_t address)
{
	for (size_t i = 0; i < args->n_parts; i++)
		if (args->parts[i].address == address)
			return &args->parts[i];
	return NULL;
}

/*
 * The entries against the list. One for an offset that the list does not have is for a part that
 * the build makes and does not flash with the others.
 */
static int check_entries(const struct reading *reading)
{
	char key[TEXT_MAX / 2], file[TEXT_MAX / 2], other[TEXT_MAX / 2];

	for (size_t i = 0; i < reading->n_entries; i++) {
		const struct entry *entry = &reading->entries[i];
		const struct image_part *part = find_part(&reading->args, entry->offset);

		text_escape(entry->key, key, sizeof(key));
		if (!entry->file || !entry->has_offset)
			return reason_refuse(IMAGE_REFUSED, reading->reason,
				"'%s' is not understood here: expected an offset and a file", key);
		if (part && strcmp(part->name, entry->file) != 0)
			return reason_refuse(IMAGE_REFUSED, reading->reason,
				"at 0x%x '%s' has the file '%s', and flash_files '%s'",
				entry->offset, key, text_escape(entry->file, file, sizeof(file)),
				text_escape(part->name, other, sizeof(other)));
	}
	return 0;
}

/* ------------------------------------------------------------------ the whole of it */

static int check_whole(struct reading *reading)
{
	struct flasher_args *args = &reading->args;
	char name[TEXT_MAX / 2], other[TEXT_MAX / 2];

	if (args->n_parts == 0)
		return reason_refuse(IMAGE_REFUSED, reading->reason,
			"it names no files in 'flash_files': is it what ESP-IDF writes as " FLASHER_ARGS_NAME
			"?");
	if (reading->expects_value)
		return reason_refuse(IMAGE_REFUSED, reading->reason,
			"the last of 'write_flash_args' lacks its value");
	qsort(args->parts, args->n_parts, sizeof(*args->parts), compare_parts);
	for (size_t i = 1; i < args->n_parts; i++)
		if (args->parts[i].address == args->parts[i - 1].address)
			return reason_refuse(IMAGE_REFUSED, reading->reason,
				"'%s' and '%s' both belong to 0x%x",
				text_escape(args->parts[i - 1].name, name, sizeof(name)),
				text_escape(args->parts[i].name, other, sizeof(other)),
				args->parts[i].address);
	return check_entries(reading);
}

int flasher_args_read(
	const char *text, size_t n_text, struct flasher_args *ret, struct reason *reason)
{
	CLEANUP(reading_done) struct reading reading = {.reason = reason};
	int r = json_walk(text, n_text, take_value, &reading, reason);

	if (r == 0)
		r = check_whole(&reading);
	if (r != 0)
		return r < 0 ? r : IMAGE_REFUSED;
	*ret = reading.args;
	reading.args = (struct flasher_args){};
	return IMAGE_OK;
}

size_t flasher_args_bytes(const struct flasher_args *args)
{
	size_t n = 0;

	for (size_t i = 0; i < args->n_parts; i++)
		n += args->parts[i].size;
	return n;
}

int flasher_args_check_sizes(const struct flasher_args *args, struct reason *reason)
{
	char name[TEXT_MAX / 2], other[TEXT_MAX / 2];

	for (size_t i = 0; i < args->n_parts; i++) {
		const struct image_part *part = &args->parts[i];
		uint64_t end = (uint64_t)part->address + part->size;

		text_escape(part->name, name, sizeof(name));
		if (part->size == 0)
			return reason_refuse(IMAGE_REFUSED, reason, "the part '%s' is empty", name);
		if (end > UINT32_MAX)
			return reason_refuse(IMAGE_REFUSED, reason,
				"the part '%s' reaches the end of the 32-bit addresses", name);
		if (i + 1 == args->n_parts ||
			(end - 1) / FLASHER_ARGS_SECTOR < part[1].address / FLASHER_ARGS_SECTOR)
			continue;
		return reason_refuse(IMAGE_REFUSED, reason,
			"the part '%s' ends at 0x%" PRIx64
			", in or behind the first sector of '%s' at 0x%x: neither can be written without the other",
			name, end, text_escape(part[1].name, other, sizeof(other)),
			part[1].address);
	}
	return IMAGE_OK;
}

/* ------------------------------------------------------------------ the image */

/* Text of JSON that has the one key without which it is of no use; parts of any bytes behind it. */
static bool flasher_is(const uint8_t *data, size_t n_data)
{
	size_t begin = content_begin(data, n_data);
	size_t n = n_data < FLASHER_ARGS_MAX_BYTES ? n_data : FLASHER_ARGS_MAX_BYTES;
	static const char key[] = "\"flash_files\"";

	return begin < n && data[begin] == '{' &&
	       memmem(data + begin, n - begin, key, strlen(key)) != NULL;
}

static int take_part(struct image *image, const struct image_part *part, const uint8_t *data,
	uint32_t max_bytes, struct reason *reason)
{
	struct image_part *grown = room_for_one(image->parts, image->n_parts, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	image->parts = grown;
	grown[image->n_parts] = *part;
	grown[image->n_parts].name = strdup(part->name);
	if (!grown[image->n_parts].name)
		return -ENOMEM;
	image->n_parts++;
	return image_add(image, part->address, data, part->size, max_bytes, reason);
}

static int flasher_read(const uint8_t *data, size_t n_data, const struct image_options *options,
	struct image *ret, struct reason *reason)
{
	const struct flasher_args *args = options->args;
	size_t at, n_parts = args ? flasher_args_bytes(args) : 0;
	int r;

	if (n_parts == 0 || n_parts >= n_data)
		return image_refuse(reason, "offset", 0,
			"it names other files, which were not read with it: give it a name that ends in " FLASHER_ARGS_SUFFIX);
	r = flasher_args_check_sizes(args, reason);
	if (r == IMAGE_OK && args->chip && !(ret->chip = strdup(args->chip)))
		r = -ENOMEM;
	at = n_data - n_parts;
	for (size_t i = 0; i < args->n_parts && r == IMAGE_OK; i++) {
		r = take_part(ret, &args->parts[i], data + at, options->max_bytes, reason);
		at += args->parts[i].size;
	}
	return r;
}

const struct image_format image_format_flasher = {
	.name = "files of an ESP-IDF build",
	.suffixes = (const char *const[]){FLASHER_ARGS_SUFFIX, NULL},
	.is = flasher_is,
	.read = flasher_read,
};
