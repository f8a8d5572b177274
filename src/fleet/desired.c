/* SPDX-License-Identifier: MIT */
/*
 * desired.c - each topic is a file "wish-DIGEST", of group, board, and the payload as it came:
 *
 *   GROUP or nothing \n BOARD or nothing \n payload
 *
 * A payload that cannot be understood is kept as well. So it is refused again after a restart, and
 * not the one before it taken for what is desired. One that is too large is kept as an empty one,
 * which no other is: that would take the wish back. Where the disk is full, the one before is cut
 * behind the name of the board: the topic stays, so that no wish of another one takes its place.
 */
#include "fleet/desired.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "fleet/kept.h"
#include "image/digest.h"

#define FILE_PREFIX "wish-"
#define FILE_MOST   (DESIRED_GROUP_MAX + WISH_BOARD_MAX + WISH_MAX_BYTES + 2)

static void item_done(struct desired_item *item)
{
	wish_done(&item->wish);
	*item = (struct desired_item){};
}

void desired_done(struct desired *desired)
{
	for (size_t i = 0; i < desired->n_items; i++)
		item_done(&desired->items[i]);
	free(desired->items);
	*desired = (struct desired){};
}

/* ------------------------------------------------------------------ one topic */

static struct desired_item *find_topic(
	const struct desired *desired, const char *group, const char *board)
{
	for (size_t i = 0; i < desired->n_items; i++) {
		struct desired_item *item = &desired->items[i];

		if (strcmp(item->group, group) == 0 && strcmp(item->topic_board, board) == 0)
			return item;
	}
	return NULL;
}

static struct desired_item *add_topic(struct desired *desired, const char *group, const char *board)
{
	struct desired_item *grown = room_for_one(desired->items, desired->n_items, sizeof(*grown));

	if (!grown)
		return NULL;
	desired->items = grown;
	grown = &grown[desired->n_items++];
	*grown = (struct desired_item){};
	text_copy(grown->group, sizeof(grown->group), group);
	text_copy(grown->topic_board, sizeof(grown->topic_board), board);
	return grown;
}

static void drop_topic(struct desired *desired, struct desired_item *item)
{
	item_done(item);
	*item = desired->items[--desired->n_items];
}

/* One that is too large is kept as an empty one. */
static size_t kept_bytes(const struct desired *desired, size_t n_payload)
{
	return n_payload > desired->payload_most ? 0 : n_payload;
}

static int refuse_size(const struct desired *desired, struct reason *reason)
{
	return reason_refuse(WISH_REFUSED, reason, "it has more than %zu bytes: %s",
		desired->payload_most,
		desired->payload_most < WISH_MAX_BYTES
			? "set message-size higher, or publish a smaller one"
			: "no wish is that large");
}

/* 0 or -ENOMEM. No bytes: it is too large. */
static int read_payload(const struct desired *desired, struct desired_item *item,
	const char *payload, size_t n_payload)
{
	const char *board = *item->topic_board ? item->topic_board : NULL;
	int r;

	wish_done(&item->wish);
	digest_sha256((const uint8_t *)payload, n_payload, item->digest);
	item->fault.text[0] = item->note.text[0] = '\0';
	if (n_payload == 0 || n_payload > desired->payload_most)
		r = refuse_size(desired, &item->fault);
	else
		r = wish_parse(payload, n_payload, board, &item->wish, &item->note, &item->fault);
	if (r < 0)
		reason_set(&item->fault, "%s: it is read again when it comes again", strerror(-r));
	item->is_good = r == WISH_OK;
	return r < 0 ? r : 0;
}

/* ------------------------------------------------------------------ on the disk */

static void file_of(const char *group, const char *board, char to[static KEPT_NAME_MAX])
{
	char key[DESIRED_GROUP_MAX + WISH_BOARD_MAX + 2], digest[DIGEST_HEX_SIZE];
	int n = snprintf(key, sizeof(key), "%s\n%s", group, board);

	digest_sha256((const uint8_t *)key, (size_t)n, digest);
	snprintf(to, KEPT_NAME_MAX, FILE_PREFIX "%.32s", digest);
}

static int keep(const struct desired *desired, const struct desired_item *item, const char *payload,
	size_t n_payload)
{
	char name[KEPT_NAME_MAX];
	CLEANUP(freep) char *text = malloc(FILE_MOST);
	int n;

	if (!text)
		return -ENOMEM;
	file_of(item->group, item->topic_board, name);
	n = snprintf(text, FILE_MOST, "%s\n%s\n", item->group, item->topic_board);
	memcpy(text + n, payload, n_payload);
	return kept_write(desired->state, name, text, (size_t)n + n_payload);
}

static int remove_kept(const struct desired *desired, const struct desired_item *item)
{
	char name[KEPT_NAME_MAX];

	file_of(item->group, item->topic_board, name);
	return kept_remove(desired->state, name);
}

/* What is kept of the topic is not what it said last, which found no room: this needs none. */
static void cut_kept(const struct desired *desired, const struct desired_item *item)
{
	char name[KEPT_NAME_MAX];

	file_of(item->group, item->topic_board, name);
	if (kept_cut(desired->state, name, strlen(item->group) + 1 + strlen(item->topic_board)) < 0)
		(void)kept_remove(desired->state, name);
}

static bool is_among(char *const *groups, size_t n_groups, const char *group)
{
	for (size_t i = 0; i < n_groups; i++)
		if (strcmp(groups[i], group) == 0)
			return true;
	return !*group;
}

/* What cannot be taken away lies there, and is passed over again. */
static int pass_over(const struct desired *desired, const char *name)
{
	(void)kept_remove(desired->state, name);
	return 0;
}

/*
 * A file that is damaged, of a group that is none any more, or under a name that is not its topic's
 * (a process was killed before it gave it that name) is taken away. One that cannot be read now is
 * no reason not to start: the broker says it again.
 */
static int read_file(
	struct desired *desired, const char *name, char *const *groups, size_t n_groups)
{
	CLEANUP(freep) char *text = NULL;
	char *board, *payload, own[KEPT_NAME_MAX];
	struct desired_item *item;
	size_t n = 0;
	int r = kept_read(desired->state, name, FILE_MOST, &text, &n);

	if (r < 0 && r != -EFBIG && r != -ENXIO)
		return r == -ENOMEM ? r : 0;
	board = r == 0 ? strchr(text, '\n') : NULL;
	if (!board)
		return pass_over(desired, name);
	*board++ = '\0';
	payload = strchr(board, '\n');
	if (payload)
		*payload++ = '\0';
	if (!is_among(groups, n_groups, text) || strlen(text) >= DESIRED_GROUP_MAX ||
		strlen(board) >= WISH_BOARD_MAX || desired->n_items == DESIRED_MOST)
		return pass_over(desired, name);
	file_of(text, board, own);
	if (strcmp(own, name) != 0)
		return pass_over(desired, name);
	item = add_topic(desired, text, board);
	if (!item)
		return -ENOMEM;
	if (payload)
		return read_payload(desired, item, payload, n - (size_t)(payload - text));
	reason_set(&item->fault,
		"it could not be kept, as on a full disk: it is read when it comes again");
	return 0;
}

int desired_read(
	struct desired *desired, char *const *groups, size_t n_groups, struct reason *reason)
{
	int r = 0, fd = openat(desired->state, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closedirp) DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!directory) {
		r = reason_refuse(-errno, reason, "state directory: %s", strerror(errno));
		closep(&fd);
		return r;
	}
	while (r == 0 && (entry = readdir(directory)))
		if (strncmp(entry->d_name, FILE_PREFIX, strlen(FILE_PREFIX)) == 0)
			r = read_file(desired, entry->d_name, groups, n_groups);
	if (r < 0)
		reason_set(reason, "wishes in the state directory: %s", strerror(-r));
	return r;
}

/* ------------------------------------------------------------------ changes */

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			return false;
	return true;
}

static int forget(struct desired *desired, struct desired_item *item)
{
	int r;

	r = remove_kept(desired, item);
	drop_topic(desired, item);
	return r;
}

enum desired_result desired_judge(struct desired *desired, const char *group, const char *board,
	const void *payload, size_t n_payload, size_t n_promised, struct reason *reason)
{
	struct desired_item *item;
	char digest[DIGEST_HEX_SIZE];

	if (strlen(group) >= DESIRED_GROUP_MAX || strlen(board) >= WISH_BOARD_MAX ||
		!is_plain(board))
		return reason_refuse(DESIRED_REFUSED, reason, "its topic names no board");
	item = find_topic(desired, group, board);
	if (n_payload == 0)
		return item ? DESIRED_CHANGED : DESIRED_SAME;
	if (!item && desired->n_items + n_promised >= DESIRED_MOST)
		return reason_refuse(DESIRED_REFUSED, reason,
			"there are %d wishes already: take those back that are not needed",
			DESIRED_MOST);
	if (!item)
		return DESIRED_CHANGED;
	item->is_heard = true;
	digest_sha256(payload, kept_bytes(desired, n_payload), digest);
	return strcmp(item->digest, digest) == 0 ? DESIRED_SAME : DESIRED_CHANGED;
}

static int take(struct desired *desired, const char *group, const char *board, const char *payload,
	size_t n_payload)
{
	struct desired_item *item = find_topic(desired, group, board);
	int kept, r;

	if (n_payload == 0)
		return forget(desired, item);
	if (!item)
		item = add_topic(desired, group, board);
	if (!item)
		return -ENOMEM;
	n_payload = kept_bytes(desired, n_payload);
	item->is_heard = true;
	r = read_payload(desired, item, payload, n_payload);
	kept = keep(desired, item, payload, n_payload);
	if (kept < 0)
		cut_kept(desired, item);
	r = r < 0 ? r : kept;
	if (r < 0)
		item->digest[0] = '\0';
	return r;
}

int desired_take(struct desired *desired, const char *group, const char *board, const void *payload,
	size_t n_payload, struct reason *reason)
{
	int r = desired_judge(desired, group, board, payload, n_payload, 0, reason);

	if (r == DESIRED_CHANGED)
		r = take(desired, group, board, payload, n_payload);
	if (r < 0)
		reason_set(reason, "state directory: %s", strerror(-r));
	return r;
}

void desired_begin(struct desired *desired)
{
	for (size_t i = 0; i < desired->n_items; i++)
		desired->items[i].is_heard = false;
}

void desired_spare(struct desired *desired, const char *group)
{
	for (size_t i = 0; i < desired->n_items; i++)
		if (strcmp(desired->items[i].group, group ? group : "") == 0)
			desired->items[i].is_heard = true;
}

int desired_end(struct desired *desired)
{
	size_t i = desired->n_items;
	int r = 0;

	/* From the last on: one that goes is replaced by the last. */
	while (i-- > 0)
		if (!desired->items[i].is_heard) {
			int one = forget(desired, &desired->items[i]);

			r = r < 0 ? r : one;
		}
	return r;
}

/* ------------------------------------------------------------------ looking */

bool desired_has(const struct desired *desired, const char *group, const char *board)
{
	return find_topic(desired, group, board) != NULL;
}

const char *desired_board(const struct desired_item *item)
{
	return *item->topic_board ? item->topic_board : item->is_good ? item->wish.board : "";
}

const struct desired_item *desired_find_in(
	const struct desired *desired, const char *group, const char *board)
{
	for (size_t i = 0; i < desired->n_items; i++) {
		const struct desired_item *item = &desired->items[i];

		if (strcmp(item->group, group) == 0 && strcmp(desired_board(item), board) == 0)
			return item;
	}
	return NULL;
}

const struct desired_item *desired_find(
	const struct desired *desired, char *const *groups, size_t n_groups, const char *board)
{
	const struct desired_item *item = desired_find_in(desired, "", board);

	for (size_t i = 0; i < n_groups && !item; i++)
		item = desired_find_in(desired, groups[i], board);
	return item;
}

bool desired_names(const struct desired *desired, const char *image)
{
	for (size_t i = 0; i < desired->n_items; i++)
		if (desired->items[i].is_good && strcmp(desired->items[i].wish.image, image) == 0)
			return true;
	return false;
}
