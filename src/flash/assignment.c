/* SPDX-License-Identifier: MIT */
/* assignment.c - the assignment as text: written by the service, read by the worker. */
#include "flash/assignment.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"

/* Closes the text: later lines of the same stream are answers, not part of it. */
#define END_LINE "[end]\n"

/* An assignment is a few hundred bytes; a rule may be long, but not that long. */
#define MAX_TEXT (64 * 1024)

static const char *const actions[FLASH_ACTION_MAX] = {
	[FLASH_UPDATE] = "update",
	[FLASH_VERIFY] = "verify",
	[FLASH_READ] = "read",
	[FLASH_PROBE] = "probe",
	[FLASH_IDENTIFY] = "identify",
	[FLASH_ERASE] = "erase",
	[FLASH_START] = "start",
	[FLASH_PROTECT] = "protect",
	[FLASH_UNPROTECT] = "unprotect",
	[FLASH_WRITE_UNPROTECT] = "write-unprotect",
	[FLASH_OPTIONS] = "option-bytes",
};

void assignment_done(struct assignment *assignment)
{
	free(assignment->port);
	free(assignment->image_dir);
	free(assignment->image);
	free(assignment->version);
	free(assignment->stamp);
	free(assignment->trusted_keys);
	free(assignment->sha256);
	free(assignment->known_sha256);
	free(assignment->chips);
	free(assignment->chips_dir);
	free(assignment->previous);
	free(assignment->failed);
	option_list_done(&assignment->options);
	board_done(&assignment->board);
	*assignment = (struct assignment){0};
}

/* ------------------------------------------------------------------ as text */

const char *assignment_action_word(enum flash_action action)
{
	return actions[action];
}

static int parse_action(const char *value, void *field, const char **ret_expected)
{
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (strcmp(value, actions[i]) == 0) {
			*(enum flash_action *)field = (enum flash_action)i;
			return 0;
		}
	*ret_expected = "an action";
	return -EINVAL;
}

static int parse_devnum(const char *value, void *field, const char **ret_expected)
{
	char *end;
	unsigned long long number;

	errno = 0;
	number = strtoull(value, &end, 10);
	if (errno != 0 || *end != '\0' || end == value) {
		*ret_expected = "a device number";
		return -EINVAL;
	}
	*(dev_t *)field = (dev_t)number;
	return 0;
}

static int parse_share(const char *value, void *field, const char **ret_expected)
{
	struct assignment *assignment = field;

	*ret_expected = "the share of a unit";
	assignment->has_unit = true;
	return parse_u32(value, &assignment->unit.share);
}

static int parse_held(const char *value, void *field, const char **ret_expected)
{
	struct rollout_unit *unit = field;

	*ret_expected = "a digest";
	if (strlen(value) >= sizeof(unit->sha256))
		return -EINVAL;
	text_copy(unit->sha256, sizeof(unit->sha256), value);
	return 0;
}

static int parse_held_version(const char *value, void *field, const char **ret_expected)
{
	struct rollout_unit *unit = field;

	*ret_expected = "a version";
	if (strlen(value) >= sizeof(unit->version))
		return -EINVAL;
	text_copy(unit->version, sizeof(unit->version), value);
	return 0;
}

static const struct ini_key keys[] = {
	{"action", offsetof(struct assignment, action), parse_action},
	{"dry-run", offsetof(struct assignment, dry_run), ini_parse_bool},
	{"port", offsetof(struct assignment, port), ini_parse_string},
	{"devnum", offsetof(struct assignment, devnum), parse_devnum},
	{"image-dir", offsetof(struct assignment, image_dir), ini_parse_string},
	{"image", offsetof(struct assignment, image), ini_parse_string},
	{"version", offsetof(struct assignment, version), ini_parse_string},
	{"stamp", offsetof(struct assignment, stamp), ini_parse_string},
	{"any-owner", offsetof(struct assignment, any_owner), ini_parse_bool},
	{"require-signature", offsetof(struct assignment, require_signature), ini_parse_bool},
	{"accept-legacy-signatures", offsetof(struct assignment, accept_legacy_signatures),
		ini_parse_bool},
	{"trusted-keys", offsetof(struct assignment, trusted_keys), ini_parse_string},
	{"sha256", offsetof(struct assignment, sha256), ini_parse_string},
	{"known-sha256", offsetof(struct assignment, known_sha256), ini_parse_string},
	{"chips", offsetof(struct assignment, chips), ini_parse_string},
	{"chips-dir", offsetof(struct assignment, chips_dir), ini_parse_string},
	{"waits-for-copies", offsetof(struct assignment, waits_for_copies), ini_parse_bool},
	{"previous", offsetof(struct assignment, previous), ini_parse_string},
	{"failed", offsetof(struct assignment, failed), ini_parse_string},
	{"share", 0, parse_share},
	{"held-sha256", offsetof(struct assignment, unit), parse_held},
	{"held-version", offsetof(struct assignment, unit), parse_held_version},
	{"read-address", offsetof(struct assignment, read_address), ini_parse_u32},
	{"read-size", offsetof(struct assignment, read_size), ini_parse_size},
};

static const char *yes_or_no(bool value)
{
	return value ? "yes" : "no";
}

int assignment_write(const struct assignment *assignment, FILE *to)
{
	const struct {
		const char *key, *value;
	} texts[] = {
		{"port", assignment->port},
		{"image-dir", assignment->image_dir},
		{"image", assignment->image},
		{"version", assignment->version},
		{"stamp", assignment->stamp},
		{"trusted-keys", assignment->trusted_keys},
		{"sha256", assignment->sha256},
		{"known-sha256", assignment->known_sha256},
		{"chips", assignment->chips},
		{"chips-dir", assignment->chips_dir},
		{"previous", assignment->previous},
		{"failed", assignment->failed},
		{"held-sha256", *assignment->unit.sha256 ? assignment->unit.sha256 : NULL},
		{"held-version", *assignment->unit.version ? assignment->unit.version : NULL},
	};
	int r;

	fprintf(to, "action %s\ndry-run %s\ndevnum %llu\nread-address 0x%08x\nread-size %u\n",
		actions[assignment->action], yes_or_no(assignment->dry_run),
		(unsigned long long)assignment->devnum, assignment->read_address,
		assignment->read_size);
	fprintf(to, "waits-for-copies %s\n", yes_or_no(assignment->waits_for_copies));
	if (assignment->has_unit)
		fprintf(to, "share %u\n", assignment->unit.share);
	fprintf(to, "any-owner %s\nrequire-signature %s\naccept-legacy-signatures %s\n",
		yes_or_no(assignment->any_owner), yes_or_no(assignment->require_signature),
		yes_or_no(assignment->accept_legacy_signatures));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (!texts[i].value)
			continue;
		/* A line break would begin another line: such a file name is refused. */
		if (strchr(texts[i].value, '\n'))
			return -EINVAL;
		fprintf(to, "%s %s\n", texts[i].key, texts[i].value);
	}
	fputc('\n', to);
	r = config_write_board(&assignment->board, to);
	if (r < 0)
		return r;
	fputs(END_LINE, to);
	return fflush(to) == 0 && !ferror(to) ? 0 : -EIO;
}

/* One line of the head, without its line break. */
static int read_head_line(char *line, struct assignment *assignment, struct reason *reason)
{
	char *value = strchr(line, ' ');
	const char *expected = "a known key";
	char shown[TEXT_MAX];

	if (value)
		*value++ = '\0';
	for (size_t i = 0; value && i < ARRAY_SIZE(keys); i++) {
		int r;

		if (strcmp(keys[i].name, line) != 0)
			continue;
		r = keys[i].parse(value, (char *)assignment + keys[i].offset, &expected);
		if (r == 0 || r == -ENOMEM)
			return r;
	}
	reason_set(reason, "the job cannot be read: '%s': expected %s",
		text_escape(line, shown, sizeof(shown)), expected);
	return OUTCOME_BAD_CONFIG;
}

static int read_head(FILE *from, struct assignment *assignment, struct reason *reason)
{
	CLEANUP(freep) char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, from) > 0) {
		int r;

		line[strcspn(line, "\n")] = '\0';
		if (!line[0])
			return 0;
		r = read_head_line(line, assignment, reason);
		if (r != 0)
			return r;
	}
	return -EPIPE;
}

/* Reads the rule, up to the closing line. */
static int read_rule(FILE *from, char **ret, size_t *ret_n)
{
	CLEANUP(freep) char *text = NULL, *line = NULL;
	size_t n_text = 0, size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, from)) > 0) {
		char *longer;

		if (strcmp(line, END_LINE) == 0) {
			*ret = TAKE_PTR(text);
			*ret_n = n_text;
			return 0;
		}
		if (n_text + (size_t)n > MAX_TEXT)
			return -E2BIG;
		longer = realloc(text, n_text + (size_t)n);
		if (!longer)
			return -ENOMEM;
		text = longer;
		memcpy(text + n_text, line, (size_t)n);
		n_text += (size_t)n;
	}
	return -EPIPE;
}

static int parse_rule(const char *text, size_t n_text, struct board *ret, struct reason *reason)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(ini_done) struct ini ini = {0};
	char line[sizeof(reason->text)];
	int r = ini_load_text(&ini, "job", text, n_text, &problems);

	if (r == 0 && problems.n_items == 0)
		r = config_read_board(&ini, ret, &problems);
	if (r == 0 && problems.n_items > 0)
		r = OUTCOME_BAD_CONFIG;
	if (problems.n_items > 0)
		reason_set(reason, "the job cannot be read: %s",
			ini_problem_format(&problems.items[0], line, sizeof(line)));
	return r;
}

int assignment_read(FILE *from, struct assignment *ret, struct reason *reason)
{
	CLEANUP(assignment_done) struct assignment assignment = {0};
	CLEANUP(freep) char *text = NULL;
	size_t n_text = 0;
	int r = read_head(from, &assignment, reason);

	if (r == 0)
		r = read_rule(from, &text, &n_text);
	if (r == 0)
		r = parse_rule(text, n_text, &assignment.board, reason);
	if (r != 0)
		return r;
	if (!assignment.port || !assignment.chips) {
		reason_set(reason, "the job names no port or no chip table");
		return OUTCOME_BAD_CONFIG;
	}
	*ret = assignment;
	assignment = (struct assignment){0};
	return 0;
}
