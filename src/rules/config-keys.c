/* SPDX-License-Identifier: MIT */
/*
 * config-keys.c - what each key may hold. A value that cannot be acted on is refused: a setting
 * that is passed over in silence is worse than none.
 */
#include "rules/config-keys.h"

#include <errno.h>
#include <string.h>

#include "base/names.h"
#include "base/parse.h"
#include "rules/application-keys.h"
#include "rules/dialogue-keys.h"
#include "rules/option-keys.h"
#include "rules/owner-keys.h"
#include "rules/package-keys.h"
#include "rules/protocol-keys.h"
#include "rules/protocol-words.h"

/*
 * A key of a few words. The place of the word in the list is the value of the enum, which is an
 * unsigned int where no value is negative.
 */
#define WORD_KEY(name, expected, ...)                                              \
	static int name(const char *value, void *field, const char **ret_expected) \
	{                                                                          \
		static const char *const words[] = {__VA_ARGS__};                  \
                                                                                   \
		*ret_expected = expected;                                          \
		return take_word(words, ARRAY_SIZE(words), value, field);          \
	}

static int take_word(const char *const *words, size_t n_words, const char *value, unsigned *field)
{
	for (size_t i = 0; i < n_words; i++)
		if (strcmp(words[i], value) == 0) {
			*field = (unsigned)i;
			return 0;
		}
	return -EINVAL;
}

WORD_KEY(parse_update, "different, newer or always", [BOARD_UPDATE_DIFFERENT] = "different",
	[BOARD_UPDATE_NEWER] = "newer", [BOARD_UPDATE_ALWAYS] = "always")
WORD_KEY(parse_protection, "refuse, clear or set", [BOARD_PROTECTION_REFUSE] = "refuse",
	[BOARD_PROTECTION_CLEAR] = "clear", [BOARD_PROTECTION_SET] = "set")
WORD_KEY(parse_start, "reset, go or none", [BOARD_START_RESET] = "reset", [BOARD_START_GO] = "go",
	[BOARD_START_NONE] = "none")
WORD_KEY(parse_blocks, "128, 1024 or mixed", [BOARD_BLOCKS_128] = "128",
	[BOARD_BLOCKS_1024] = "1024", [BOARD_BLOCKS_MIXED] = "mixed")

/* The words of a switch, and `auto`. */
static int parse_use(const char *value, void *field, const char **ret_expected)
{
	enum board_use *use = field;
	bool is_wanted = false;
	int r = 0;

	*ret_expected = "auto, yes or no";
	if (strcmp(value, "auto") == 0) {
		*use = BOARD_USE_AUTO;
		return 0;
	}
	r = parse_bool(value, &is_wanted);
	if (r == 0)
		*use = is_wanted ? BOARD_USE_YES : BOARD_USE_NO;
	return r;
}

#define NUMBER_KEY(name, least, most, expected) \
	INI_RANGE_KEY(name, uint32_t, parse_u32, least, most, expected)
#define SIZE_KEY(name, least, most, expected) \
	INI_RANGE_KEY(name, uint32_t, parse_size, least, most, expected)
#define TIME_KEY(name, least, most, expected) \
	INI_RANGE_KEY(name, uint64_t, parse_duration_usec, least, most, expected)

NUMBER_KEY(parse_max_jobs, 0, 1000, "a number from 0 (no limit) to 1000")
NUMBER_KEY(parse_transcripts, 0, 1000, "a number from 0 (none) to 1000")
NUMBER_KEY(parse_retries, 0, 20, "a number from 0 to 20")
NUMBER_KEY(parse_quarantine, 0, 1000, "a number from 0 (never) to 1000")
NUMBER_KEY(parse_serialize_limit, 0, 100000,
	"a number from 0 (no limit) to 100000 units a slot and hour")
NUMBER_KEY(parse_baud, 1200, 3000000, "a speed from 1200 to 3000000")
/* The largest flash of a chip known here has 4 MiB. */
SIZE_KEY(parse_room, 8, 16 * 1024 * 1024, "a size from 8 to 16M, like 224K")
TIME_KEY(parse_wait, 0, 60 * USEC_PER_SEC, "a duration from 0 to 60s, like 500ms or 2s")
TIME_KEY(parse_time_limit, USEC_PER_MSEC, 600 * USEC_PER_SEC,
	"a duration from 1ms to 10min, like 500ms or 5s")
TIME_KEY(parse_again, 0, 3600 * USEC_PER_SEC,
	"a duration from 0 (not by itself) to 60min, like 30s or 5min")

static int parse_vector_table(const char *value, void *field, const char **ret_expected)
{
	bool is_ignored = strcmp(value, "ignore") == 0;

	*ret_expected = "check or ignore";
	if (!is_ignored && strcmp(value, "check") != 0)
		return -EINVAL;
	*(bool *)field = !is_ignored;
	return 0;
}

/*
 * Quotes and comments of other INI dialects, which here are part of the value. A glob with them
 * would silently fit nothing. A user who means a quote or a # writes ? in its place.
 */
static const char *other_syntax(const char *value)
{
	size_t n = strlen(value);

	if (n >= 2 && strchr("\"'", value[0]) && value[n - 1] == value[0])
		return "no quotes around it: they would be a part of it";
	return strstr(value, " # ") ? "a comment behind it to begin with ' ;', not with #" : NULL;
}

static int parse_glob(const char *value, void *field, const char **ret_expected)
{
	const char *other = other_syntax(value);

	*ret_expected = other ? other : "a text or a glob like 'A1*'; leave the key out for any";
	return value[0] && !other ? ini_parse_string(value, field, ret_expected) : -EINVAL;
}

/* Whether there are such slots is known once all files are read: config.c looks. */
static int parse_slots(const char *value, void *field, const char **ret_expected)
{
	struct board *board = field;
	char **words CLEANUP(parse_list_freep) = NULL;
	size_t n;

	*ret_expected = "names of slots, blanks between them; leave the key out for any";
	if (parse_list(value, &words, &n) < 0)
		return -ENOMEM;
	if (n == 0)
		return -EINVAL;
	parse_list_free(board->slot);
	board->slot = TAKE_PTR(words);
	board->n_slot = n;
	return 0;
}

static int parse_directory(const char *value, void *field, const char **ret_expected)
{
	*ret_expected = "an absolute path";
	return value[0] == '/' ? ini_parse_string(value, field, ret_expected) : -EINVAL;
}

static bool path_has_dots(const char *path)
{
	while (*path) {
		size_t n = strcspn(path, "/");

		if ((n == 1 && path[0] == '.') || (n == 2 && strncmp(path, "..", 2) == 0))
			return true;
		path += n + (path[n] == '/');
	}
	return false;
}

static int parse_image(const char *value, void *field, const char **ret_expected)
{
	const char *other = other_syntax(value);

	*ret_expected =
		other ? other : "a glob below image-dir, without a leading / and without ..";
	if (other || value[0] == '\0' || value[0] == '/' || path_has_dots(value))
		return -EINVAL;
	*ret_expected = "the name of a file, not of a folder";
	if (value[strlen(value) - 1] == '/')
		return -EINVAL;
	return ini_parse_string(value, field, ret_expected);
}

/* The words of a list as items of `size` bytes, at least one, into memory of its own. */
static int take_items(const char *value, size_t size, int (*take)(char *word, void *item),
	void *ret_items, size_t *ret_n)
{
	char **words CLEANUP(parse_list_freep) = NULL;
	char *items CLEANUP(freep) = NULL;
	size_t n;

	if (parse_list(value, &words, &n) < 0)
		return -ENOMEM;
	items = calloc(n + 1, size);
	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (take(words[i], items + i * size) < 0)
			return -EINVAL;
	if (n == 0)
		return -EINVAL;
	free(*(void **)ret_items);
	*(void **)ret_items = TAKE_PTR(items);
	*ret_n = n;
	return 0;
}

static int take_usb_id(char *word, void *item)
{
	struct usb_id *id = item;
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *at = word;
	uint64_t vendor, product;

	if (strspn(word, digits) != 4 || word[4] != ':' || strspn(word + 5, digits) != 4 || word[9])
		return -EINVAL;
	(void)parse_digits(&at, 16, &vendor);
	at = word + 5;
	(void)parse_digits(&at, 16, &product);
	*id = (struct usb_id){(uint16_t)vendor, (uint16_t)product};
	return 0;
}

static int parse_usb_ids(const char *value, void *field, const char **ret_expected)
{
	struct usb_ids *ids = field;

	*ret_expected = "a list of vendor:product, four hexadecimal digits each, like 10c4:ea60";
	return take_items(value, sizeof(*ids->items), take_usb_id, &ids->items, &ids->n_items);
}

static int take_baud(char *word, void *item)
{
	const char *expected;

	return parse_baud(word, item, &expected);
}

static int parse_bauds(const char *value, void *field, const char **ret_expected)
{
	struct baud_list *bauds = field;

	*ret_expected = "a list of speeds from 1200 to 3000000, like 115200, 57600";
	return take_items(value, sizeof(*bauds->items), take_baud, &bauds->items, &bauds->n_items);
}

static int take_keep(char *word, void *item)
{
	struct keep_range *range = item;
	char *plus = strchr(word, '+');

	if (!plus)
		return -EINVAL;
	*plus = '\0';
	if (parse_address(word, &range->address) < 0 || parse_size(plus + 1, &range->size) < 0 ||
		range->size == 0)
		return -EINVAL;
	return range->size - 1 > UINT32_MAX - range->address ? -ERANGE : 0;
}

static int parse_keep(const char *value, void *field, const char **ret_expected)
{
	struct keep_list *keep = field;

	*ret_expected = "a list of address+size below 4 GiB, like 0x0803F800+2K";
	return take_items(value, sizeof(*keep->items), take_keep, &keep->items, &keep->n_items);
}

#define SERVICE(member) offsetof(struct service_config, member)

static const struct ini_key service_keys[] = {
	{"image-dir", SERVICE(image_dir), parse_directory},
	{"max-jobs", SERVICE(max_jobs), parse_max_jobs},
	{"settle", SERVICE(settle_usec), parse_wait},
	{"require-signature", SERVICE(require_signature), ini_parse_bool},
	{"accept-legacy-signatures", SERVICE(accept_legacy_signatures), ini_parse_bool},
	{"on-outcome", SERVICE(on_outcome), parse_directory},
	{"require-store", SERVICE(require_store), ini_parse_bool},
	{"trusted-keys", SERVICE(trusted_keys), parse_directory},
	{"transcripts", SERVICE(transcripts), parse_transcripts},
};

int service_set_defaults(struct service_config *service)
{
	*service = (struct service_config){
		.image_dir = strdup(PATH_IMAGES),
		.settle_usec = 500 * USEC_PER_MSEC,
		.trusted_keys = strdup(PATH_KEYS),
	};
	return service->image_dir && service->trusted_keys ? 0 : -ENOMEM;
}

int service_read(const struct ini_section *section, struct service_config *service,
	struct ini_problems *problems)
{
	return ini_section_apply(
		section, service_keys, ARRAY_SIZE(service_keys), service, problems);
}

/* What vouches for an image that was written; a version says nothing of one. */
static int parse_verify(const char *value, void *field, const char **ret_expected)
{
	int proof = proof_from_string(value);

	*ret_expected = "read-back, digest, upload, confirm or loader";
	if (proof < 0 || proof == PROOF_NONE || proof == PROOF_VERSION)
		return -EINVAL;
	*(enum proof *)field = (enum proof)proof;
	return 0;
}

/* A rule while it is read: with the words its wiring is compiled from. */
struct draft {
	struct board values;
	struct wiring_keys wiring;
	bool accepts_unverified; /* the older word for verify = loader */
};

static void draft_done(struct draft *draft)
{
	board_done(&draft->values);
	wiring_keys_done(&draft->wiring);
}

static int parse_place(const char *value, void *field, const char **ret_expected)
{
	struct board *board = field;
	int r = parse_address(value, &board->address);

	*ret_expected = "an address like 0x08000000";
	if (r == 0)
		board->has_address = true;
	return r;
}

/* Names are looked up in the chip table later, by config_check_chips(). */
static int parse_chips(const char *value, void *field, const char **ret_expected)
{
	struct board *board = field;
	char **words CLEANUP(parse_list_freep) = NULL;
	size_t n;

	*ret_expected = "a list of product ids or names of chips, like 0x414 or F103xC";
	if (parse_list(value, &words, &n) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		uint32_t id;

		if (parse_u32(words[i], &id) == -ERANGE)
			return -ERANGE;
	}
	if (n == 0)
		return -EINVAL;
	parse_list_free(board->chip);
	board->chip = TAKE_PTR(words);
	board->n_chip = n;
	return 0;
}

#define BOARD(member)  offsetof(struct draft, values.member)
#define WIRING(member) offsetof(struct draft, wiring.member)

static const struct ini_key board_keys[] = {
	{"usb-id", BOARD(usb_id), parse_usb_ids},
	{"serial", BOARD(serial), parse_glob},
	{"product", BOARD(product), parse_glob},
	{"manufacturer", BOARD(manufacturer), parse_glob},
	{"path", BOARD(path), parse_glob},
	{"slot", offsetof(struct draft, values), parse_slots},
	{"interface", BOARD(interface), parse_glob},
	{"port-owner", offsetof(struct draft, values), parse_owners},
	{"protocol", BOARD(protocol), parse_protocol},
	{"chip", offsetof(struct draft, values), parse_chips},
	{"baud", BOARD(baud), parse_bauds},
	{"stub", BOARD(stub), parse_use},
	{"bursts", BOARD(bursts), parse_use},
	{"entry", offsetof(struct draft, values), parse_entry},
	{"application", BOARD(applications), parse_applications},
	{"reset", WIRING(reset), ini_parse_string},
	{"boot", WIRING(boot), ini_parse_string},
	{"wiring", WIRING(wiring), ini_parse_string},
	{"enter", WIRING(enter), ini_parse_string},
	{"leave", WIRING(leave), ini_parse_string},
	{"identify", BOARD(identify), wiring_parse_identify},
	{"image", BOARD(image), parse_image},
	{"version-in-name", BOARD(version_in_name), parse_pattern},
	{"address", offsetof(struct draft, values), parse_place},
	{"partition", BOARD(partition), parse_partition},
	{"otadata", BOARD(otadata), parse_otadata},
	{"compress", BOARD(compress), ini_parse_bool},
	{"backdoor-pin", offsetof(struct draft, values), parse_backdoor_pin},
	{"backdoor-level", BOARD(is_backdoor_high), parse_backdoor_level},
	{"secondary-ieee", BOARD(secondary_ieee), parse_secondary_ieee},
	{"cap-array", offsetof(struct draft, values), parse_cap_array},
	{"bank-erase", BOARD(bank_erase), parse_bank_erase},
	{"fw-type", offsetof(struct draft, values), parse_fw_types},
	{"boot-loader-update", BOARD(boot_loader_update), ini_parse_bool},
	{"vector-table", BOARD(check_vectors), parse_vector_table},
	{"update", BOARD(update), parse_update},
	{"keep", BOARD(keep), parse_keep},
	{"readout-protection", BOARD(readout_protection), parse_protection},
	{"option-bytes", BOARD(options), parse_option_list},
	{"serialize", BOARD(serialize), parse_provision},
	{"serialize-limit", BOARD(serialize_limit), parse_serialize_limit},
	{"start", BOARD(start), parse_start},
	{"retries", BOARD(retries), parse_retries},
	{"retry-delay", BOARD(retry_delay_usec), parse_wait},
	{"entry-command", BOARD(application.command), parse_text},
	{"entry-reply", BOARD(application.reply), parse_pattern},
	{"entry-wait", BOARD(application.wait_usec), parse_time_limit},
	{"entry-baud", BOARD(application.line.baud), parse_baud},
	{"entry-format", BOARD(application.line.even_parity), parse_format},
	{"version-query", BOARD(application.version_query), parse_text},
	{"version-pattern", BOARD(application.version_pattern), parse_pattern},
	{"menu", BOARD(menu), parse_menu},
	{"menu-after", BOARD(menu.after), parse_steps},
	{"menu-upload", BOARD(menu.upload), parse_steps},
	{"menu-start", BOARD(menu.start), parse_steps},
	{"menu-within", BOARD(menu.within_usec), parse_time_limit},
	{"block-size", BOARD(transfer.blocks), parse_blocks},
	{"closing-header", BOARD(transfer.closing_header), ini_parse_bool},
	{"erase-within", BOARD(transfer.erase_usec), parse_time_limit},
	{"answer-within", BOARD(transfer.answer_usec), parse_time_limit},
	{"size", BOARD(size), parse_room},
	{"verify", BOARD(verify), parse_verify},
	{"accept-unverified", offsetof(struct draft, accepts_unverified), ini_parse_bool},
	{"confirm", BOARD(confirm.pattern), parse_pattern},
	{"confirm-query", BOARD(confirm.query), parse_text},
	{"confirm-within", BOARD(confirm.within_usec), parse_time_limit},
	{"confirm-baud", BOARD(confirm.line.baud), parse_baud},
	{"confirm-format", BOARD(confirm.line.even_parity), parse_format},
	{"quarantine-after", BOARD(quarantine_after), parse_quarantine},
	{"again-after", BOARD(again_after_usec), parse_again},
	{"rollback", BOARD(rollback), ini_parse_bool},
	{"anti-rollback", BOARD(anti_rollback), ini_parse_bool},
};

static int board_set_defaults(struct board *board)
{
	board->baud.items = calloc(1, sizeof(*board->baud.items));
	if (!board->baud.items)
		return -ENOMEM;
	board->baud.items[0] = 115200;
	board->baud.n_items = 1;
	board->check_vectors = true;
	board->compress = true;
	dialogue_keys_set_defaults(board);
	board->retries = 3;
	board->retry_delay_usec = 2 * USEC_PER_SEC;
	/* A line that takes 10 s for a board makes 360 an hour in one slot. */
	board->serialize_limit = 400;
	board->quarantine_after = 3;
	board->again_after_usec = 60 * USEC_PER_SEC;
	return 0;
}

/*
 * Refuses " ;" in the keys whose values are sent or waited for: the user may mean it as text, but
 * the rest of the line is cut off as a comment, and half a command is worse than none.
 */
static int check_comments(const struct ini_section *section, struct ini_problems *problems)
{
	static const char *const texts[] = {"version-in-name", "entry-command", "entry-reply",
		"version-query", "version-pattern", "menu", "menu-after", "menu-upload",
		"menu-start", "confirm", "confirm-query"};
	char title[INI_LINE_BYTES + 1];

	ini_section_title(section, title, sizeof(title));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const struct ini_entry *entry = ini_section_find(section, texts[i]);

		if (!entry || entry->comment_line == 0)
			continue;
		if (ini_problem_add(problems, section->file, entry->comment_line, title, entry->key,
			    "';' behind a blank begins a comment: write it as \\x3b in texts and [;] in patterns, leave it out between steps, and put a comment on a line of its own") <
			0)
			return -ENOMEM;
	}
	return 0;
}

/* What the keys need of one another, beside what dialogue-keys.c knows of applications and menus.
 */
static int check_together(const struct ini_section *section, const struct board *board,
	bool is_wired, bool accepts, struct ini_problems *problems)
{
	const struct protocol_word *protocol = protocol_word_of(board->protocol);
	bool protects = board->readout_protection == BOARD_PROTECTION_SET;
	bool is_sent_back = board->menu.upload.n_items > 0;
	bool confirms = board_confirms(board);
	bool says_verify = board->verify != PROOF_NONE;
	const struct {
		bool is_wrong;
		const char *key, *expected;
	} rows[] = {
		{is_wired && board->entry == BOARD_ENTRY_LINES &&
				board->wiring.enters[0].n_items == 0,
			"boot", "a line for reset or boot, or else entry = none"},
		{board->slot && board->path, "slot",
			"no `path` beside it: each says where the board is plugged in"},
		{!ini_section_find(section, "image"), "image", "a glob below image-dir"},
		/* Only a word of application or chip tells that a new image does not run. */
		{board->rollback && !confirms && !protocol->tells_start, "rollback",
			"no, or `application` or `confirm` beside it"},
		{!ini_section_find(section, "chip") && !protocol->takes_file, "chip",
			"the product ids or names of the chips it may be"},
		/* A protected chip refuses Go (AN3155 3.5). */
		{protects && board->start == BOARD_START_GO, "start",
			"reset or none: a chip that readout-protection = set protects refuses go"},
		/* A ROM lets nobody read the option bytes of a protected chip (AN3155 3.4). */
		{protects && board->options.n_items > 0, "option-bytes",
			"nothing beside readout-protection = set: the boot loader of a protected chip lets nobody compare them"},
		/* Its flash is written only after the protection was lifted, which wipes all of it.
		 */
		{protects && board->keep.n_items > 0, "keep",
			"nothing: with readout-protection = set every update wipes the whole chip"},
		/* A proof that the loader cannot give would be missed behind the erase. */
		/* Sums are of a program of ours, which chips of one family alone have. */
		{says_verify && (board->verify < protocol->least ||
					board->verify > protocol->most ||
					(board->verify == PROOF_SUMS &&
						protocol->least != PROOF_SUMS)),
			"verify", protocol->verify_words},
		{says_verify && board->verify == PROOF_UPLOAD && protocol->sends_back &&
				!is_sent_back,
			"verify", "a `menu-upload` beside it, or less"},
		{says_verify && board->verify == PROOF_CONFIRM && protocol->takes_file &&
				!is_sent_back && !confirms,
			"verify", "a `confirm` beside it, or less"},
		{says_verify && accepts && board->verify != PROOF_LOADER, "accept-unverified",
			"no beside this verify, which says what is enough"},
		{board->verify == PROOF_UPLOAD && board->application.version_pattern,
			"version-pattern",
			"nothing with verify = upload: a version shows nothing of the flash"},
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows) && r == 0; i++)
		if (rows[i].is_wrong)
			r = ini_section_expect(section, rows[i].key, rows[i].expected, problems);
	return r;
}

int board_read(
	const struct ini_section *section, struct board *board, struct ini_problems *problems)
{
	struct draft draft CLEANUP(draft_done) = {0};
	const struct ini_part parts[] = {
		{board_keys, ARRAY_SIZE(board_keys), &draft, NULL},
		{service_keys, ARRAY_SIZE(service_keys), NULL, "[service]"},
	};
	const char *key = NULL, *expected = NULL;
	bool is_wired;
	int r = board_set_defaults(&draft.values);

	if (r == 0)
		r = ini_section_apply_parts(section, parts, ARRAY_SIZE(parts), problems);
	if (r == 0)
		r = check_comments(section, problems);
	draft.wiring.ways = protocol_word_of(draft.values.protocol)->ways;
	if (r == 0)
		r = protocol_keys_set_wiring(&draft.values, &draft.wiring);
	if (r == 0)
		r = protocol_keys_set_baud(section, &draft.values);
	draft.values.says_baud = ini_section_find(section, "baud") != NULL;
	if (r == 0)
		r = wiring_compile(&draft.wiring, &draft.values.wiring, &key, &expected);
	is_wired = r == 0;
	if (r == -EINVAL && key)
		r = ini_section_expect(section, key, expected, problems);
	if (r == 0)
		r = application_keys_settle(section, &draft.values, problems);
	if (r == 0)
		r = dialogue_keys_settle(section, &draft.values, problems);
	if (r == 0)
		r = protocol_keys_check(section, &draft.values, problems);
	if (r == 0)
		r = check_together(
			section, &draft.values, is_wired, draft.accepts_unverified, problems);
	if (r < 0)
		return r;
	if (draft.values.verify == PROOF_NONE)
		draft.values.verify = draft.accepts_unverified
					      ? PROOF_LOADER
					      : protocol_word_of(draft.values.protocol)->usual;
	*board = draft.values;
	draft.values = (struct board){0};
	return 0;
}
