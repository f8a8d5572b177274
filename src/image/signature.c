/* SPDX-License-Identifier: MIT */
/*
 * signature.c - minisign's files (jedisct1.github.io/minisign, "Signature format", "Public key
 * format"), checked by libsodium.
 *
 * A signature file has four lines: an untrusted comment; base64 of algorithm, key id and signature;
 * a trusted comment; base64 of a second signature, over the first one and the trusted comment. With
 * "ED" the first is over the BLAKE2b-512 of the bytes, with the legacy "Ed" over the bytes
 * themselves. As minisign does, empty lines behind these are passed over.
 */
#include "image/signature.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "base/util.h"
#include "image/digest.h"
#include "image/folder.h"
#include "image/version.h"

#define UNTRUSTED	"untrusted comment: "
#define TRUSTED		"trusted comment: "

#define KEY_SUFFIX	".pub"
#define KEY_MAX_BYTES	4096
#define MAX_KEYS	64

#define ALGORITHM_BYTES 2
#define ID_BYTES	8
#define ID_TEXT_SIZE	(2 * ID_BYTES + 1)
#define SIGNATURE_BYTES crypto_sign_BYTES

struct line {
	const char *text;
	size_t n;
};

struct parsed {
	bool is_hashed;
	uint8_t id[ID_BYTES];
	uint8_t signature[SIGNATURE_BYTES];
	struct line comment;
	uint8_t global[SIGNATURE_BYTES];
};

static int refuse(struct reason *reason, const char *name, const char *format, ...)
	PRINTF_LIKE(3, 4);
static int refuse(struct reason *reason, const char *name, const char *format, ...)
{
	char shown[TEXT_MAX], text[sizeof(reason->text)];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return reason_refuse(SIGNATURE_REFUSED, reason, "'%s': %s",
		text_escape(name, shown, sizeof(shown)), text);
}

/* ------------------------------------------------------------------ lines and numbers */

/* Takes the next line, without its end; false where there is none. */
static bool next_line(const char **text, size_t *n_text, struct line *ret)
{
	const char *end = memchr(*text, '\n', *n_text);
	size_t n = end ? (size_t)(end - *text) : *n_text;

	if (*n_text == 0)
		return false;
	*ret = (struct line){*text, n};
	*text += end ? n + 1 : n;
	*n_text -= end ? n + 1 : n;
	if (ret->n > 0 && ret->text[ret->n - 1] == '\r')
		ret->n--;
	return true;
}

static bool begins_with(const struct line *line, const char *text)
{
	size_t n = strlen(text);

	return line->n >= n && memcmp(line->text, text, n) == 0;
}

/* Empty lines at the end of a file that was pasted or came through version control. */
static bool is_blank(const char *text, size_t n_text)
{
	for (size_t i = 0; i < n_text; i++)
		if (!strchr(" \t\r\n", text[i]) || text[i] == '\0')
			return false;
	return true;
}

/* Exactly so many bytes, and nothing behind them. */
static bool decode(const struct line *line, uint8_t *to, size_t n)
{
	const char *end;
	size_t got;

	/* libsodium takes some bytes above 0x7F for letters. */
	for (size_t i = 0; i < line->n; i++)
		if ((unsigned char)line->text[i] > 0x7F)
			return false;
	return sodium_base642bin(to, n, line->text, line->n, NULL, &got, &end,
		       sodium_base64_VARIANT_ORIGINAL) == 0 &&
	       got == n && end == line->text + line->n;
}

/* As minisign prints it: the bytes are a number, the lowest first, without leading zeros. */
static char *id_text(const uint8_t id[ID_BYTES], char to[ID_TEXT_SIZE])
{
	uint64_t number = 0;

	for (size_t i = ID_BYTES; i-- > 0;)
		number = number << 8 | id[i];
	snprintf(to, ID_TEXT_SIZE, "%" PRIX64, number);
	return to;
}

/* ------------------------------------------------------------------ keys */

void signature_keys_done(struct signature_keys *keys)
{
	free(keys->items);
	*keys = (struct signature_keys){};
}

/* The two lines of minisign's file, or the second one alone, as minisign -P takes it. */
static bool parse_key(const char *text, size_t n_text, struct signature_key *ret)
{
	uint8_t bytes[ALGORITHM_BYTES + ID_BYTES + sizeof(ret->key)];
	struct line key;

	if (!next_line(&text, &n_text, &key) ||
		(begins_with(&key, UNTRUSTED) && !next_line(&text, &n_text, &key)) ||
		!is_blank(text, n_text) || !decode(&key, bytes, sizeof(bytes)) ||
		memcmp(bytes, "Ed", ALGORITHM_BYTES) != 0)
		return false;
	memcpy(ret->id, bytes + ALGORITHM_BYTES, ID_BYTES);
	memcpy(ret->key, bytes + ALGORITHM_BYTES + ID_BYTES, sizeof(ret->key));
	return true;
}

/* Keys are root's, whoever brings images. */
static const struct folder_owners nobody_else;

static int load_key(int folder, const char *directory, const char *name,
	struct signature_keys *keys, struct reason *reason)
{
	CLEANUP(folder_file_done) struct folder_file file = {};
	char shown[TEXT_MAX], shown_directory[TEXT_MAX], label[2 * TEXT_MAX + 16];
	struct signature_key key = {}, *grown;
	int r;

	snprintf(label, sizeof(label), "key '%s/%s'",
		text_escape(directory, shown_directory, sizeof(shown_directory)),
		text_escape(name, shown, sizeof(shown)));
	r = folder_read(folder, name, label, KEY_MAX_BYTES, nobody_else, &file, reason);
	if (r == -ENOENT)
		return SIGNATURE_OK; /* taken away since it was listed */
	if (r != FOLDER_OK)
		return r < 0 ? r : SIGNATURE_REFUSED;
	if (!parse_key((const char *)file.data, file.n_data, &key))
		return reason_refuse(SIGNATURE_REFUSED, reason,
			"%s: not a public key of minisign: expected the two lines that 'minisign -G' writes, or the second alone",
			label);
	snprintf(key.name, sizeof(key.name), "%.*s", (int)(strlen(shown) - strlen(KEY_SUFFIX)),
		shown);
	grown = room_for_one(keys->items, keys->n_items, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	keys->items = grown;
	keys->items[keys->n_items++] = key;
	return SIGNATURE_OK;
}

static int load_listed(
	DIR *listing, const char *directory, struct signature_keys *keys, struct reason *reason)
{
	for (;;) {
		struct dirent *entry;
		const char *suffix;
		int r;

		errno = 0;
		entry = readdir(listing);
		if (!entry)
			return -errno;
		suffix = strrchr(entry->d_name, '.');
		if (entry->d_name[0] == '.' || !suffix || strcmp(suffix, KEY_SUFFIX) != 0)
			continue;
		if (keys->n_items == MAX_KEYS)
			return refuse(
				reason, directory, "more than %d keys: take some away", MAX_KEYS);
		r = load_key(dirfd(listing), directory, entry->d_name, keys, reason);
		if (r != SIGNATURE_OK)
			return r;
	}
}

int signature_keys_load(const char *directory, struct signature_keys *ret, struct reason *reason)
{
	CLEANUP(signature_keys_done) struct signature_keys keys = {};
	CLEANUP(closedirp) DIR *listing = opendir(directory);
	struct stat status;
	char why[200];
	int r;

	reason->text[0] = '\0';
	if (!listing || fstat(dirfd(listing), &status) < 0)
		r = -errno;
	else if (!folder_is_trusted(&status, nobody_else, why, sizeof(why)))
		return refuse(reason, directory, "%s", why);
	else
		r = load_listed(listing, directory, &keys, reason);
	if (r == SIGNATURE_OK && keys.n_items == 0)
		return refuse(reason, directory,
			"there is no key (*.pub) in the directory of trusted keys, so no signature can be good");
	/* Without keys no image is good, whatever the reason. */
	if (r < 0 && r != -ENOMEM)
		r = reason->text[0]
			    ? SIGNATURE_REFUSED
			    : refuse(reason, directory, "the trusted keys cannot be read: %s%s",
				      strerror(-r),
				      r == -ENOENT ? ": create it, and put the signers' *.pub there"
						   : "");
	if (r != SIGNATURE_OK)
		return r;
	*ret = keys;
	keys = (struct signature_keys){};
	return SIGNATURE_OK;
}

/* ------------------------------------------------------------------ a signature */

/* The four lines. */
static int parse_lines(
	const char *name, const char *text, size_t n_text, struct parsed *to, struct reason *reason)
{
	uint8_t first[ALGORITHM_BYTES + ID_BYTES + SIGNATURE_BYTES];
	struct line line, *comment = &to->comment;
	const char *expected = NULL;

	if (!next_line(&text, &n_text, &line) || !begins_with(&line, UNTRUSTED))
		expected = "line 1: expected a line that begins with '" UNTRUSTED "'";
	else if (!next_line(&text, &n_text, &line) || !decode(&line, first, sizeof(first)) ||
		 first[0] != 'E' || (first[1] != 'd' && first[1] != 'D'))
		expected = "line 2: expected the signature in base64";
	else if (!next_line(&text, &n_text, comment) || !begins_with(comment, TRUSTED))
		expected = "line 3: expected a line that begins with '" TRUSTED "'";
	else if (!next_line(&text, &n_text, &line) ||
		 !decode(&line, to->global, sizeof(to->global)))
		expected = "line 4: expected the signature of the trusted comment in base64";
	else if (!is_blank(text, n_text))
		expected = "line 5: expected the end of the file";
	if (expected)
		return refuse(reason, name, "%s: it is no signature of minisign, or was cut off",
			expected);
	to->is_hashed = first[1] == 'D';
	memcpy(to->id, first + ALGORITHM_BYTES, ID_BYTES);
	memcpy(to->signature, first + ALGORITHM_BYTES + ID_BYTES, SIGNATURE_BYTES);
	comment->text += strlen(TRUSTED);
	comment->n -= strlen(TRUSTED);
	return SIGNATURE_OK;
}

/* A legacy signature, where none is accepted or where it may be another one in disguise. */
static int check_form(const struct parsed *parsed, const struct signed_bytes *bytes,
	const char *name, struct reason *reason)
{
	if (parsed->is_hashed)
		return SIGNATURE_OK;
	if (!bytes->accepts_legacy)
		return refuse(reason, name,
			"a legacy signature ('Ed'), which may be one of another file, relabelled: sign again with minisign -S (older versions: -SH), or set accept-legacy-signatures = yes");
	if (!bytes->data)
		return refuse(reason, name,
			"a legacy signature ('Ed') of a file that is too large for that: sign again with minisign -S (older versions: -SH)");
	if (bytes->n_data == DIGEST_BLAKE2B_SIZE)
		return refuse(reason, name,
			"a legacy signature ('Ed') of a file of %d bytes, which may be one of another file, relabelled: sign again with minisign -S (older versions: -SH)",
			DIGEST_BLAKE2B_SIZE);
	return SIGNATURE_OK;
}

static int refuse_key(const struct signature_keys *keys, const char *name,
	const struct parsed *parsed, struct reason *reason)
{
	char id[ID_TEXT_SIZE], there[160] = "";
	size_t used = 0;

	for (size_t i = 0; i < keys->n_items && used < sizeof(there); i++)
		used += (size_t)snprintf(there + used, sizeof(there) - used, "%s%s", i ? ", " : "",
			keys->items[i].name);
	(void)refuse(reason, name,
		"signed with the key %s, which is not trusted, or no more (trusted: %s)",
		id_text(parsed->id, id), there);
	return SIGNATURE_UNKNOWN;
}

int signature_check(const struct signature_keys *keys, const char *name, const char *text,
	size_t n_text, const struct signed_bytes *bytes, struct signature *ret,
	struct reason *reason)
{
	CLEANUP(freep) uint8_t *both = NULL;
	const struct signature_key *key = keys->items;
	struct parsed parsed = {.comment.text = ""};
	char id[ID_TEXT_SIZE];
	size_t n_signed;
	int r;

	_Static_assert(crypto_sign_PUBLICKEYBYTES == 32, "Ed25519");
	r = parse_lines(name, text, n_text, &parsed, reason);
	if (r != SIGNATURE_OK)
		return r;
	while (key < keys->items + keys->n_items && memcmp(key->id, parsed.id, ID_BYTES) != 0)
		key++;
	if (key == keys->items + keys->n_items)
		return refuse_key(keys, name, &parsed, reason);
	r = check_form(&parsed, bytes, name, reason);
	if (r != SIGNATURE_OK)
		return r;
	n_signed = parsed.is_hashed ? DIGEST_BLAKE2B_SIZE : bytes->n_data;
	if (crypto_sign_verify_detached(parsed.signature,
		    parsed.is_hashed ? bytes->blake2b : bytes->data, n_signed, key->key) != 0)
		return refuse(reason, name,
			"the signature by '%s' does not fit: a byte of the signed file or of the signature was changed, or they do not belong together",
			key->name);
	/* The second signature is over the first one and the trusted comment. */
	both = malloc(SIGNATURE_BYTES + parsed.comment.n);
	if (!both)
		return -ENOMEM;
	memcpy(both, parsed.signature, SIGNATURE_BYTES);
	memcpy(both + SIGNATURE_BYTES, parsed.comment.text, parsed.comment.n);
	if (crypto_sign_verify_detached(
		    parsed.global, both, SIGNATURE_BYTES + parsed.comment.n, key->key) != 0)
		return refuse(reason, name, "the trusted comment is not the one that '%s' signed",
			key->name);
	ret->comment = strndup(parsed.comment.text, parsed.comment.n);
	if (!ret->comment)
		return -ENOMEM;
	snprintf(ret->signer, sizeof(ret->signer), "%s (%s)", key->name, id_text(key->id, id));
	return SIGNATURE_OK;
}

void signature_done(struct signature *signature)
{
	free(signature->comment);
	*signature = (struct signature){};
}

/* ------------------------------------------------------------------ what it says */

enum claim_word { WORD_VERSION, WORD_BOARD, WORD_IMAGE, WORD_SHA256, WORD_MAX };

static const char *const word_keys[WORD_MAX] = {
	[WORD_VERSION] = "version",
	[WORD_BOARD] = "board",
	[WORD_IMAGE] = "image",
	[WORD_SHA256] = "sha256",
};

/* Cuts `text` into words. The word that does not belong there, or NULL. */
static const char *cut_words(char *text, const char *values[WORD_MAX])
{
	char *rest = NULL, *word = strtok_r(text, " ", &rest);

	if (!word || strcmp(word, "plugflash") != 0)
		return word ? word : "";
	while ((word = strtok_r(NULL, " ", &rest))) {
		size_t n = strcspn(word, "="), i = 0;

		while (i < WORD_MAX &&
			(strlen(word_keys[i]) != n || strncmp(word_keys[i], word, n) != 0))
			i++;
		if (i == WORD_MAX || word[n] == '\0' || values[i])
			return word;
		values[i] = word + n + 1;
	}
	return NULL;
}

static bool list_has(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (;;) {
		size_t n_item = strcspn(list, ",");

		if (n_item == n && strncmp(list, name, n) == 0)
			return true;
		if (list[n_item] == '\0')
			return false;
		list += n_item + 1;
	}
}

#define SIGN_ANEW ": sign it with minisign -S -t 'plugflash version=... board=...'"

int signature_check_claims(const char *name, const char *comment,
	const struct signature_claims *claims, char ret_version[64], struct reason *reason)
{
	CLEANUP(freep) char *text = strdup(comment);
	const char *values[WORD_MAX] = {NULL};
	const char *strange, *version, *board, *image, *sha256;
	char shown[TEXT_MAX];

	if (!text)
		return -ENOMEM;
	strange = cut_words(text, values);
	version = values[WORD_VERSION];
	board = values[WORD_BOARD];
	image = values[WORD_IMAGE];
	sha256 = values[WORD_SHA256];
	if (strange)
		return refuse(reason, name,
			"the trusted comment does not say what was signed, at '%s'" SIGN_ANEW,
			text_escape(strange, shown, 80));
	if (!version || !version_is_fit(version))
		return refuse(reason, name, "the trusted comment has no version" SIGN_ANEW);
	if (!board || !*board)
		return refuse(reason, name, "the trusted comment has no board" SIGN_ANEW);
	if (*claims->version && version_compare(version, claims->version) != 0)
		return refuse(reason, name,
			"signed as version %s, but by its name or manifest the image is %s",
			version, text_escape(claims->version, shown, sizeof(shown)));
	if (claims->board && !list_has(board, claims->board))
		return refuse(reason, name, "signed for board '%s', and not for '%s'",
			text_escape(board, shown, 100), claims->board);
	if (image && strcmp(image, claims->image) != 0)
		return refuse(reason, name, "signed as '%s', the file has another name",
			text_escape(image, shown, sizeof(shown)));
	if (sha256 && strcasecmp(sha256, claims->sha256) != 0)
		return refuse(reason, name, "signed with the digest %s, the image has %s",
			text_escape(sha256, shown, 68), claims->sha256);
	snprintf(ret_version, 64, "%s", version);
	return SIGNATURE_OK;
}
