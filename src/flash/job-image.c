/* SPDX-License-Identifier: MIT */
#include "flash/job-image.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"
#include "flash/image-check.h"
#include "image/copy.h"
#include "rules/protocol-words.h"

/*
 * The largest file that is read: a HEX file takes about 2.8 characters for a byte of the flash, and
 * an ELF file has its debug information besides, however small the program.
 */
#define FILE_BYTES_PER_IMAGE_BYTE 4
#define FILE_BYTES_BESIDES	  (16 * 1024 * 1024)

void job_image_done(struct job_image *job_image)
{
	image_done(&job_image->image);
	parse_list_free(job_image->chip);
	*job_image = (struct job_image){0};
}

enum outcome job_image_end(struct report *report, int r, enum outcome otherwise)
{
	report->phase = PHASE_IMAGE;
	if (r < 0) {
		report->error = -r;
		if (!report->reason.text[0])
			reason_set(&report->reason, "%s", strerror(-r));
	}
	report->outcome = r < 0 ? OUTCOME_FAILED : otherwise;
	return report->outcome;
}

/* ------------------------------------------------------------------ the manifest's chips */

/*
 * Leaves the chips that rule and manifest both name: the image is written to no other. A name that
 * the table does not have is a typing mistake: found here rather than on the board.
 */
static int narrow_chips(const struct manifest *manifest, const struct chip_table *chips,
	struct job_image *job_image, struct reason *reason)
{
	struct board *board = &job_image->board;
	size_t n = 0;

	if (manifest->n_chip == 0)
		return 0;
	for (size_t i = 0; i < manifest->n_chip; i++) {
		char refusal[CHIP_REFUSAL_MAX];

		if (chip_table_find_for(chips, board, manifest->chip[i]))
			continue;
		(void)manifest_refuse(manifest, "chip", reason, "%s",
			chip_table_refuse_name(chips, protocol_word_of(board->protocol)->family,
				manifest->chip[i], refusal));
		return OUTCOME_BAD_IMAGE;
	}
	job_image->chip = calloc(chips->n_items + 1, sizeof(*job_image->chip));
	if (!job_image->chip)
		return -ENOMEM;
	for (size_t i = 0; i < chips->n_items; i++) {
		const struct chip *chip = &chips->items[i];

		if (!chip_is_one_of(chip, manifest->chip, manifest->n_chip) ||
			!chip_is_one_of(chip, board->chip, board->n_chip))
			continue;
		if (text_format(&job_image->chip[n], "0x%03x", chip->product_id) < 0)
			return -ENOMEM;
		n++;
	}
	if (n == 0) {
		(void)manifest_refuse(manifest, "chip", reason,
			"none of these is a chip of board '%s'", board->name);
		return OUTCOME_BAD_IMAGE;
	}
	board->chip = job_image->chip;
	board->n_chip = n;
	return 0;
}

/* ------------------------------------------------------------------ the image */

static void add_word(char *to, size_t size, const char *word)
{
	size_t n = strlen(to);

	if (*word)
		snprintf(to + n, size - n, "%s%s", n > 0 ? ", " : "", word);
}

/* A version in the file itself is for one that has none in its name and no manifest. */
static void note_maker(const struct image_maker *maker, struct report *report)
{
	char baud[32] = "";
	const char *const words[] = {maker->fw_type, baud,
		maker->brings_loader ? "boot loader" : "",
		maker->brings_secure_element ? "secure element" : "",
		maker->is_encrypted ? "encrypted" : ""};

	if (!report->version[0])
		text_copy(report->version, sizeof(report->version), maker->version);
	if (maker->baud > 0)
		snprintf(baud, sizeof(baud), "%u baud", maker->baud);
	report->image_says[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		add_word(report->image_says, sizeof(report->image_says), words[i]);
}

static int read_item(const char *name, const struct chip_table *chips,
	const struct library_item *item, struct job_image *job_image, struct report *report)
{
	const struct manifest *manifest = item->has_manifest ? &item->manifest : NULL;
	bool has_address = manifest && manifest->has_address;
	struct board *board = &job_image->board;
	struct image *image = &job_image->image;
	struct reason *reason = &report->reason;
	struct image_options options;
	int r = manifest ? narrow_chips(manifest, chips, job_image, reason) : 0;

	/* The address of a raw image, where the rule has none. */
	if (r == 0 && has_address && board->has_address && board->address != manifest->address) {
		(void)manifest_refuse(manifest, "address", reason,
			"0x%08x, but the rule '%s' says 0x%08x", manifest->address, board->name,
			board->address);
		return OUTCOME_BAD_IMAGE;
	}
	if (r == 0 && has_address) {
		board->has_address = true;
		board->address = manifest->address;
	}
	if (r == 0)
		r = image_check_options(board, chips, &options, reason);
	if (r != 0)
		return r;
	options.args = item->args.n_parts > 0 ? &item->args : NULL;
	r = image_read(name, item->data, item->n_data, &options, image, reason);
	if (r != IMAGE_OK)
		return r < 0 ? r : OUTCOME_BAD_IMAGE;
	/* The other formats have their addresses in them. */
	if (has_address && image->n_segments > 0 &&
		image->segments[0].address != manifest->address) {
		(void)manifest_refuse(manifest, "address", reason,
			"0x%08x, but the first byte of the image belongs to 0x%08x",
			manifest->address, image->segments[0].address);
		return OUTCOME_BAD_IMAGE;
	}
	note_maker(&image->maker, report);
	r = image_check_shape(board, chips, image, reason);
	if (r == OUTCOME_BAD_IMAGE)
		report_name_image(report);
	if (r == 0)
		r = image_check_make_room(board, options.max_bytes, image, reason);
	if (r != 0)
		return r;
	r = image_check(board, chips, image, reason);
	if (r == OUTCOME_BAD_IMAGE)
		report_name_image(report);
	return r;
}

struct library_query job_image_query(const struct assignment *assignment)
{
	const struct board *board = &assignment->board;

	return (struct library_query){
		.directory = assignment->image_dir,
		.glob = board->image,
		.version_in_name = board->version_in_name,
		.needs_version = board->update == BOARD_UPDATE_NEWER,
		.asks_version = protocol_compares_versions(board),
		.board = strcmp(board->name, ASSIGNMENT_NO_RULE) == 0 ? NULL : board->name,
		.require_signature = assignment->require_signature,
		.accept_legacy_signatures = assignment->accept_legacy_signatures,
		.trusted_keys = assignment->trusted_keys,
		.any_owner = assignment->any_owner,
		.unit = assignment->has_unit ? &assignment->unit : NULL,
		.stamp = assignment->stamp,
		.rest_usec = assignment->waits_for_copies ? COPY_REST_USEC : 0,
	};
}

enum outcome job_image_load(const struct assignment *assignment, const struct chip_table *chips,
	struct job_image *ret, struct report *report)
{
	const struct library_query query = job_image_query(assignment);
	CLEANUP(library_item_done) struct library_item item = {0};
	CLEANUP(job_image_done) struct job_image job_image = {.board = assignment->board};
	CLEANUP(freep) char *found = NULL;
	struct image_options options;
	size_t max_bytes;
	int r = image_check_options(&assignment->board, chips, &options, &report->reason);

	if (r != 0)
		return job_image_end(report, r, OUTCOME_BAD_CONFIG);
	max_bytes = (size_t)options.max_bytes * FILE_BYTES_PER_IMAGE_BYTE + FILE_BYTES_BESIDES;
	if (assignment->sha256) {
		r = library_load_digest(&query, assignment->image, assignment->sha256, max_bytes,
			&item, &found, &report->reason);
	} else if (text_duplicate(assignment->image, &found) < 0) {
		r = -ENOMEM;
	} else {
		r = library_load(&query, assignment->image, max_bytes, &item, &report->reason);
		r = r == -ENOENT ? LIBRARY_NONE : r;
	}
	if (r == LIBRARY_NONE)
		return job_image_end(report, OUTCOME_NO_IMAGE, OUTCOME_NO_IMAGE);
	if (r == -ESTALE) {
		report->error = ESTALE;
		return job_image_end(report, OUTCOME_BAD_IMAGE, OUTCOME_BAD_IMAGE);
	}
	if (r != LIBRARY_OK)
		return job_image_end(report, r, OUTCOME_BAD_IMAGE);
	text_copy(report->sha256, sizeof(report->sha256), item.sha256);
	text_copy(report->signer, sizeof(report->signer), item.signer);
	text_escape(item.version, report->version, sizeof(report->version));
	text_escape(found, report->image, sizeof(report->image));
	r = read_item(found, chips, &item, &job_image, report);
	if (r != 0)
		return job_image_end(report, r, r > 0 ? (enum outcome)r : OUTCOME_FAILED);
	/* A manifest may move a raw image to another address without changing a byte of it. */
	if (assignment->known_sha256 && !item.manifest.has_address &&
		strcmp(assignment->known_sha256, item.sha256) == 0)
		return job_image_end(report, OUTCOME_CURRENT, OUTCOME_CURRENT);
	*ret = job_image;
	job_image = (struct job_image){0};
	return OUTCOME_MAX;
}
