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
#include "base/text.h"
#include "rules/dialogue-keys.h"
#include "rules/protocol-words.h"

static void list_freep(char ***list)
{
	parse_list_free(*list);
}

/* One word of a key that takes one of several. */
struct word {
	const char *text;
	unsigned value;
};

/* An enum without negative values is an unsigned int here. */
static int parse_word(const struct word *words, size_t n_words, const char *value, unsigned *ret)
{
	for (size_t i = 0; i < n_words; i++) {
		if (strcmp(words[i].text, value) != 0)
			continue;
		*ret = words[i].value;
		return 0;
	}
	return -EINVAL;
}

static int parse_entry(const char *value, void *field, const char **ret_expected)
{
	static const struct word words[] = {
		{"lines", BOARD_ENTRY_LINES},
		{"command", BOARD_ENTRY_COMMAND},
		{"none", BOARD_ENTRY_NONE},
	};

	*ret_expected = "lines, command or none";
	return parse_word(words, ARRAY_SIZE(words), value, field);
}

static int parse_update(const char *value, void *field, const char **ret_expected)
{
	static const struct word words[] = {
		{"different", BOARD_UPDATE_DIFFERENT},
		{"newer", BOARD_UPDATE_NEWER},
		{"always", BOARD_UPDATE_ALWAYS},
	};

	*ret_expected = "different, newer or always";
	return parse_word(words, ARRAY_SIZE(words), value, field);
}

static int parse_protection(const char *value, void *field, const char **ret_expected)
{
	static const struct word words[] = {
		{"refuse", BOARD_PROTECTION_REFUSE},
		{"clear", BOARD_PROTECTION_CLEAR},
		{"set", BOARD_PROTECTION_SET},
	};

	*ret_expected = "refuse, clear or set";
	return parse_word(words, ARRAY_SIZE(words), value, field);
}

static int parse_start(const char *value, void *field, const char **ret_expected)
{
	static const struct word words[] = {
		{"reset", BOARD_START_RESET},
		{"go", BOARD_START_GO},
		{"none", BOARD_START_NONE},
	};

	*ret_expected = "reset, go or none";
	return parse_word(words, ARRAY_SIZE(words), value, field);
}

static int parse_vector_table(const char *value, void *field, const char **ret_expected)
{
	static const struct word words[] = {{"check", true}, {"ignore", false}};
	unsigned word;
	int r;

	*ret_expected = "check or ignore";
	r = parse_word(words, ARRAY_SIZE(words), value, &word);
	if (r == 0)
		*(bool *)field = word != 0;
	return r;
}

/*
 * What other formats of INI take for no part of the value. A glob with it would fit nothing, and
 * nobody would be told; whoever means it writes ? for a quote or for the #.
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

static int parse_hex_id(const char *text, size_t n, uint16_t *ret)
{
	char digits[7];
	uint32_t id;

	if (n == 0 || n > 4)
		return -EINVAL;
	snprintf(digits, sizeof(digits), "0x%.*s", (int)n, text);
	if (parse_u32(digits, &id) < 0)
		return -EINVAL;
	*ret = (uint16_t)id;
	return 0;
}

static int parse_usb_ids(const char *value, void *field, const char **ret_expected)
{
	char **words CLEANUP(list_freep) = NULL;
	struct usb_id *items CLEANUP(freep) = NULL;
	struct usb_ids *ids = field;
	size_t n;

	*ret_expected = "a list of vendor:product, four hexadecimal digits each, like 10c4:ea60";
	if (parse_list(value, &words, &n) < 0)
		return -ENOMEM;
	items = calloc(n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const char *colon = strchr(words[i], ':');

		if (!colon || colon != words[i] + 4 || strlen(colon + 1) != 4 ||
			parse_hex_id(words[i], 4, &items[i].vendor) < 0 ||
			parse_hex_id(colon + 1, 4, &items[i].product) < 0)
			return -EINVAL;
	}
	if (n == 0)
		return -EINVAL;
	free(ids->items);
	*ids = (struct usb_ids){TAKE_PTR(items), n};
	return 0;
}

static int parse_bauds(const char *value, void *field, const char **ret_expected)
{
	char **words CLEANUP(list_freep) = NULL;
	uint32_t *items CLEANUP(freep) = NULL;
	struct baud_list *bauds = field;
	size_t n;

	*ret_expected = "a list of speeds from 1200 to 3000000, like 115200, 57600";
	if (parse_list(value, &words, &n) < 0)
		return -ENOMEM;
	items = calloc(n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (parse_u32(words[i], &items[i]) < 0 || items[i] < 1200 || items[i] > 3000000)
			return -EINVAL;
	if (n == 0)
		return -EINVAL;
	free(bauds->items);
	*bauds = (struct baud_list){TAKE_PTR(items), n};
	return 0;
}

static int parse_keep_range(char *word, struct keep_range *ret)
{
	char *plus = strchr(word, '+');

	if (!plus)
		return -EINVAL;
	*plus = '\0';
	if (parse_address(word, &ret->address) < 0 || parse_size(plus + 1, &ret->size) < 0 ||
		ret->size == 0)
		return -EINVAL;
	return ret->size - 1 > UINT32_MAX - ret->address ? -ERANGE : 0;
}

static int parse_keep(const char *value, void *field, const char **ret_expected)
{
	char **words CLEANUP(list_freep) = NULL;
	struct keep_range *items CLEANUP(freep) = NULL;
	struct keep_list *keep = field;
	size_t n;

	*ret_expected = "a list of address+size below 4 GiB, like 0x0803F800+2K";
	if (parse_list(value, &words, &n) < 0)
		return -ENOMEM;
	items = calloc(n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (parse_keep_range(words[i], &items[i]) < 0)
			return -EINVAL;
	if (n == 0)
		return -EINVAL;
	free(keep->items);
	*keep = (struct keep_list){TAKE_PTR(items), n};
	return 0;
}

static int parse_u32_range(const char *value, uint32_t most, void *field)
{
	uint32_t number;
	int r = parse_u32(value, &number);

	if (r == 0 && number > most)
		r = -ERANGE;
	if (r == 0)
		*(uint32_t *)field = number;
	return r;
}

static int parse_max_jobs(const char *value, void *field, const char **ret_expected)
{
	*ret_expected = "a number from 0 (no limit) to 1000";
	return parse_u32_range(value, 1000, field);
}

static int parse_retries(const char *value, void *field, const char **ret_expected)
{
	*ret_expected = "a number from 0 to 20";
	return parse_u32_range(value, 20, field);
}

static int parse_wait(const char *value, void *field, const char **ret_expected)
{
	uint64_t usec;
	int r = parse_duration_usec(value, &usec);

	*ret_expected = "a duration from 0 to 60s, like 500ms or 2s";
	if (r == 0 && usec > 60 * USEC_PER_SEC)
		r = -ERANGE;
	if (r == 0)
		*(uint64_t *)field = usec;
	return r;
}

static int parse_quarantine(const char *value, void *field, const char **ret_expected)
{
	*ret_expected = "a number from 0 (never) to 1000";
	return parse_u32_range(value, 1000, field);
}

static int parse_serialize_limit(const char *value, void *field, const char **ret_expected)
{
	*ret_expected = "a number from 0 (no limit) to 100000 units a slot and hour";
	return parse_u32_range(value, 100000, field);
}

static int parse_again(const char *value, void *field, const char **ret_expected)
{
	uint64_t usec;
	int r = parse_duration_usec(value, &usec);

	*ret_expected = "a duration from 0 (not by itself) to 60min, like 30s or 5min";
	if (r == 0 && usec > 3600 * USEC_PER_SEC)
		r = -ERANGE;
	if (r == 0)
		*(uint64_t *)field = usec;
	return r;
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

/* A rule while it is read: with the words its wiring is compiled from. */
struct draft {
	struct board values;
	struct wiring_keys wiring;
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

/* What stands here is looked up in the chip table by others. */
static int parse_chips(const char *value, void *field, const char **ret_expected)
{
	struct board *board = field;
	char **words CLEANUP(list_freep) = NULL;
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
	{"interface", BOARD(interface), parse_glob},
	{"protocol", BOARD(protocol), parse_protocol},
	{"chip", offsetof(struct draft, values), parse_chips},
	{"baud", BOARD(baud), parse_bauds},
	{"bursts", BOARD(bursts), ini_parse_bool},
	{"entry", BOARD(entry), parse_entry},
	{"reset", WIRING(reset), ini_parse_string},
	{"boot", WIRING(boot), ini_parse_string},
	{"wiring", WIRING(wiring), ini_parse_string},
	{"enter", WIRING(enter), ini_parse_string},
	{"leave", WIRING(leave), ini_parse_string},
	{"image", BOARD(image), parse_image},
	{"version-in-name", BOARD(version_in_name), parse_pattern},
	{"address", offsetof(struct draft, values), parse_place},
	{"vector-table", BOARD(check_vectors), parse_vector_table},
	{"update", BOARD(update), parse_update},
	{"keep", BOARD(keep), parse_keep},
	{"readout-protection", BOARD(readout_protection), parse_protection},
	{"serialize", BOARD(serialize), parse_provision},
	{"serialize-limit", BOARD(serialize_limit), parse_serialize_limit},
	{"start", BOARD(start), parse_start},
	{"retries", BOARD(retries), parse_retries},
	{"retry-delay", BOARD(retry_delay_usec), parse_wait},
	{"entry-command", BOARD(application.command), parse_text},
	{"entry-reply", BOARD(application.reply), parse_pattern},
	{"entry-wait", BOARD(application.wait_usec), parse_patience},
	{"entry-baud", BOARD(application.line.baud), parse_baud},
	{"entry-format", BOARD(application.line.even_parity), parse_format},
	{"version-query", BOARD(application.version_query), parse_text},
	{"version-pattern", BOARD(application.version_pattern), parse_pattern},
	{"menu", BOARD(menu), parse_menu},
	{"menu-after", BOARD(menu.after), parse_steps},
	{"menu-upload", BOARD(menu.upload), parse_steps},
	{"menu-start", BOARD(menu.start), parse_steps},
	{"menu-within", BOARD(menu.within_usec), parse_patience},
	{"block-size", BOARD(transfer.blocks), parse_blocks},
	{"closing-header", BOARD(transfer.closing_header), ini_parse_bool},
	{"erase-within", BOARD(transfer.erase_usec), parse_patience},
	{"answer-within", BOARD(transfer.answer_usec), parse_patience},
	{"size", BOARD(size), parse_room},
	{"accept-unverified", BOARD(accept_unverified), ini_parse_bool},
	{"confirm", BOARD(confirm.pattern), parse_pattern},
	{"confirm-query", BOARD(confirm.query), parse_text},
	{"confirm-within", BOARD(confirm.within_usec), parse_patience},
	{"confirm-baud", BOARD(confirm.line.baud), parse_baud},
	{"confirm-format", BOARD(confirm.line.even_parity), parse_format},
	{"quarantine-after", BOARD(quarantine_after), parse_quarantine},
	{"again-after", BOARD(again_after_usec), parse_again},
	{"rollback", BOARD(rollback), ini_parse_bool},
};

static int board_set_defaults(struct board *board)
{
	board->baud.items = calloc(1, sizeof(*board->baud.items));
	if (!board->baud.items)
		return -ENOMEM;
	board->baud.items[0] = 115200;
	board->baud.n_items = 1;
	board->bursts = true;
	board->check_vectors = true;
	dialogue_keys_set_defaults(board);
	board->retries = 3;
	board->retry_delay_usec = 2 * USEC_PER_SEC;
	/* A line that takes 10 s for a board makes 360 an hour in one slot. */
	board->serialize_limit = 400;
	board->quarantine_after = 3;
	board->again_after_usec = 60 * USEC_PER_SEC;
	return 0;
}

/* A problem of one key: at its line where it is given, else at the heading. */
static int key_problem(const struct ini_section *section, const char *key, const char *expected,
	struct ini_problems *problems)
{
	const struct ini_entry *entry = ini_section_find(section, key);
	char title[INI_LINE_BYTES + 1];
	char quoted[80];

	ini_section_title(section, title, sizeof(title));
	if (!entry)
		return ini_problem_add(problems, section->file, section->line, title, key,
			"expected %s, but the key is missing", expected);
	return ini_problem_add(problems, section->file, entry->line, title, key,
		"expected %s, got '%s'", expected,
		text_escape(entry->value, quoted, sizeof(quoted)));
}

/*
 * In these a " ;" may be meant as text, and what stands behind it would be cut off as a comment. A
 * value that is sent or waited for without its end is worse than none.
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

static int compile_wiring(
	const struct ini_section *section, struct draft *draft, struct ini_problems *problems)
{
	const char *key;
	const char *expected;
	int r = wiring_compile(&draft->wiring, &draft->values.wiring, &key, &expected);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return key_problem(section, key, expected, problems);
	if (draft->values.entry == BOARD_ENTRY_LINES && draft->values.wiring.enter.n_items == 0)
		return key_problem(section, "boot",
			"a line for reset or boot, or else entry = none", problems);
	return 0;
}

static int check_required(
	const struct ini_section *section, const struct board *board, struct ini_problems *problems)
{
	if (!ini_section_find(section, "image") &&
		key_problem(section, "image", "a glob below image-dir", problems) < 0)
		return -ENOMEM;
	/* Without a word from the application nobody knows that an image does not run. */
	if (board->rollback && !board->confirm.pattern &&
		key_problem(section, "rollback", "no, or a `confirm` beside it", problems) < 0)
		return -ENOMEM;
	if (ini_section_find(section, "chip") || protocol_word_of(board->protocol)->takes_file)
		return 0;
	return key_problem(
		section, "chip", "the product ids or names of the chips it may be", problems);
}

/*
 * What a protected chip cannot do: Go is refused (AN3155 3.5), and nothing of its flash is written
 * but after taking the protection away, which wipes all of it.
 */
static int check_protection(
	const struct ini_section *section, const struct board *board, struct ini_problems *problems)
{
	if (board->readout_protection != BOARD_PROTECTION_SET)
		return 0;
	if (board->start == BOARD_START_GO &&
		key_problem(section, "start",
			"reset or none: a chip that readout-protection = set protects refuses go",
			problems) < 0)
		return -ENOMEM;
	if (board->keep.n_items == 0)
		return 0;
	return key_problem(section, "keep",
		"nothing: with readout-protection = set every update wipes the whole chip",
		problems);
}

int board_read(
	const struct ini_section *section, struct board *board, struct ini_problems *problems)
{
	struct draft draft CLEANUP(draft_done) = {0};
	int r = board_set_defaults(&draft.values);

	if (r == 0)
		r = ini_section_apply(
			section, board_keys, ARRAY_SIZE(board_keys), &draft, problems);
	if (r == 0)
		r = check_comments(section, problems);
	if (r == 0)
		r = compile_wiring(section, &draft, problems);
	if (r == 0)
		r = check_required(section, &draft.values, problems);
	if (r == 0)
		r = dialogue_keys_settle(section, &draft.values, key_problem, problems);
	if (r == 0)
		r = check_protection(section, &draft.values, problems);
	if (r < 0)
		return r;
	*board = draft.values;
	draft.values = (struct board){0};
	return 0;
}
