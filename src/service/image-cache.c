/* SPDX-License-Identifier: MIT */
#include "service/image-cache.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/names.h"
#include "base/util.h"
#include "image/copy.h"

static void shelf_done(struct shelf *shelf)
{
	free(shelf->board);
	free(shelf->said);
	library_choice_done(&shelf->choice);
}

void shelves_done(struct shelves *shelves)
{
	for (size_t i = 0; i < shelves->n_items; i++)
		shelf_done(&shelves->items[i]);
	free(shelves->items);
	*shelves = (struct shelves){.n_looks = shelves->n_looks};
}

void shelves_look_again(struct shelves *shelves)
{
	shelves->n_looks++;
}

static struct shelf *shelf_of(struct shelves *shelves, const char *board)
{
	struct shelf *grown;

	for (size_t i = 0; i < shelves->n_items; i++)
		if (strcmp(shelves->items[i].board, board) == 0)
			return &shelves->items[i];
	grown = reallocarray(shelves->items, shelves->n_items + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	shelves->items = grown;
	grown += shelves->n_items;
	*grown = (struct shelf){.board = strdup(board), .look = shelves->n_looks - 1};
	if (!grown->board)
		return NULL;
	shelves->n_items++;
	return grown;
}

/* Remembers what was said; false where it was said before. */
static bool say(struct shelf *shelf, const char *what)
{
	if (shelf->said && strcmp(shelf->said, what) == 0)
		return false;
	free(shelf->said);
	shelf->said = strdup(what);
	return true;
}

static void add_fields(struct log_fields *fields, const struct shelf *shelf)
{
	log_field(fields, FIELD_BOARD, "%s", shelf->board);
	log_field(fields, FIELD_IMAGE, "%s", shelf->choice.name ? shelf->choice.name : "");
	log_field(fields, FIELD_VERSION, "%s", shelf->choice.version ? shelf->choice.version : "");
}

static void tell_wait(struct shelf *shelf)
{
	CLEANUP(log_fields_done) struct log_fields fields = {0};
	char shown[TEXT_MAX];

	if (!say(shelf, shelf->choice.name))
		return;
	add_fields(&fields, shelf);
	log_event(LOG_NOTICE, MESSAGE_IMAGE_AWAITED, &fields, "board '%s' waits for its image: %s",
		text_escape(shelf->board, shown, sizeof(shown)), shelf->reason.text);
}

void shelf_tell_loss(struct shelves *shelves, const struct shelf *from)
{
	CLEANUP(log_fields_done) struct log_fields fields = {0};
	struct shelf *shelf = &shelves->items[from - shelves->items];
	char shown[TEXT_MAX];

	if (!say(shelf, ""))
		return;
	add_fields(&fields, shelf);
	log_event(LOG_WARNING, MESSAGE_IMAGES_GONE, &fields,
		"board '%s' has no image any more: %s; units that are plugged in keep what they "
		"hold",
		text_escape(shelf->board, shown, sizeof(shown)), shelf->reason.text);
}

/* The image is there, for better or worse. */
static void end_wait(struct shelf *shelf)
{
	char shown[TEXT_MAX], image[TEXT_MAX];

	if (shelf->said && !*shelf->said && shelf->choice.name)
		log_info("board '%s' has an image again: %s",
			text_escape(shelf->board, shown, sizeof(shown)),
			text_escape(shelf->choice.name, image, sizeof(image)));
	free(shelf->said);
	shelf->said = NULL;
}

static bool is_open(const void *userdata, const char *path)
{
	return watch_is_being_written(userdata, path);
}

static void on_folder(void *userdata, const char *path, const struct stat *status)
{
	watch_add_folder(userdata, path, status);
}

/* A copy that goes on and on is told of in the end, and a wait that may be long at once. */
static void wait_for_copy(struct shelf *shelf, struct watch *watch)
{
	uint64_t due = shelf->choice.due_usec, now = monotonic_usec();

	if (shelf->waits_since_usec == 0)
		shelf->waits_since_usec = now;
	if (due == 0 || due > COPY_UNSAID_USEC || now - shelf->waits_since_usec > COPY_UNSAID_USEC)
		tell_wait(shelf);
	if (due > 0)
		watch_look_again(watch, due);
}

/* A file that is open for writing is awaited whatever else was found, until it is closed. */
static void await_open(struct shelf *shelf, const struct watch *watch)
{
	char shown[TEXT_MAX];
	struct reason why;

	if (copy_judge_open(shelf->choice.name, is_open, watch, &why) == COPY_WHOLE)
		return;
	shelf->result = LIBRARY_AWAITED;
	shelf->choice.due_usec = 0;
	reason_set(&shelf->reason, "image '%s': %s",
		text_escape(shelf->choice.name, shown, sizeof(shown)), why.text);
}

static void look(struct shelf *shelf, const struct config *config, const struct board *board,
	struct watch *watch)
{
	struct library_query query = library_query_for(config, board);

	/* Without a watch nobody would come back to a file that was waited for. */
	if (watch) {
		query.rest_usec = COPY_REST_USEC;
		query.on_folder = on_folder;
		query.userdata = watch;
	}
	library_choice_done(&shelf->choice);
	shelf->reason.text[0] = '\0';
	shelf->result = library_choose(&query, &shelf->choice, &shelf->reason);
	if (watch && shelf->choice.name)
		await_open(shelf, watch);
	if (shelf->result == LIBRARY_AWAITED)
		wait_for_copy(shelf, watch);
	else
		shelf->waits_since_usec = 0;
	if (shelf->result == LIBRARY_OK || shelf->result == LIBRARY_REFUSED)
		end_wait(shelf);
}

static bool is_good(
	const struct shelves *shelves, const struct shelf *shelf, const struct watch *watch)
{
	return watch && !watch_is_settling(watch) && shelf->look == shelves->n_looks &&
	       monotonic_usec() - shelf->looked_usec < COPY_GOOD_USEC;
}

const struct shelf *shelves_find(struct shelves *shelves, const struct config *config,
	const struct board *board, struct watch *watch)
{
	struct shelf *shelf = shelf_of(shelves, board->name);

	if (shelf && !is_good(shelves, shelf, watch)) {
		shelf->look = shelves->n_looks;
		shelf->looked_usec = monotonic_usec();
		look(shelf, config, board, watch);
	}
	return shelf;
}
