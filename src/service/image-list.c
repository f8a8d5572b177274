/* SPDX-License-Identifier: MIT */
/*
 * image-list.c - one run of the worker program for each rule that is asked for:
 *
 *   running ──> answered ──> ended
 *      └──────> late ─────────┘
 *
 * A run that has not answered by its deadline is killed, and those who wait hear of it at once: a
 * process that reads from a mount which does not answer may not end until the mount does. Until
 * then its rule is refused, and the run counts among those that may be: a mount that hangs costs a
 * few processes and no more. The text that comes is checked as that of any worker.
 */
#include "service/image-list.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/queue.h>

#include "api/dict.h"
#include "base/parse.h"
#include "base/util.h"
#include "flash/survey.h"
#include "service/process.h"

/* A mount that does not answer for so long does not answer. */
#define RUN_USEC	    (15 * USEC_PER_SEC)
#define TIMER_ACCURACY_USEC (100 * USEC_PER_MSEC)

/* Of all of an answer: SURVEY_FILES_MAX entries, whose longest values are sentences. */
#define ANSWER_MAX ((size_t)2 * 1024 * 1024)

/* Longer than any value that survey_write() writes. */
#define LINE_MAX_BYTES 4096

struct caller {
	image_list_callback callback;
	void *userdata;
};

struct list_run {
	TAILQ_ENTRY(list_run) link;
	struct image_lists *lists;
	char *board;
	struct caller callers[IMAGE_LIST_CALLERS_MOST];
	size_t n_callers;
	struct process process;
	sd_event_source *timer;
	char *text;
	size_t n_text;
	int error; /* why it was ended before its time: -errno */
};

struct image_lists {
	struct image_list_parts parts;
	TAILQ_HEAD(, list_run) runs;
	size_t n_runs;
};

static void run_free(struct list_run *run)
{
	sd_event_source_disable_unref(run->timer);
	process_done(&run->process);
	free(run->text);
	free(run->board);
	free(run);
}

/* ------------------------------------------------------------------ the answer */

struct items {
	struct dict *items;
	size_t n_items;
};

static void items_done(struct items *items)
{
	for (size_t i = 0; i < items->n_items; i++)
		dict_done(&items->items[i]);
	free(items->items);
}

/* Whether the line may go on to the bus: no control characters, UTF-8, and not too long. */
static bool is_plain(const char *line)
{
	size_t n = strlen(line);

	for (const char *c = line; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			return false;
	return n < LINE_MAX_BYTES && text_is_utf8(line, n);
}

static bool is_text_key(const char *key)
{
	static const char *const keys[] = {
		"image", "version", "state", "reason", "remark", "requires", "sha256", "signer"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

/* One line into the item; 0, -EBADMSG or -ENOMEM. */
static int take_line(struct dict *item, const char *key, const char *value)
{
	uint64_t bytes;

	if (is_text_key(key))
		return dict_set_text(item, key, value);
	if (strcmp(key, "bytes") != 0 || parse_digits(&value, 10, &bytes) != 0 || *value)
		return -EBADMSG;
	return dict_set_long(item, key, bytes);
}

static int add_item(struct items *items, struct dict *item)
{
	struct dict *grown;

	if (items->n_items >= SURVEY_FILES_MAX || !dict_find(item, "state"))
		return -EBADMSG;
	grown = room_for_one(items->items, items->n_items, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	items->items = grown;
	grown[items->n_items++] = *item;
	*item = (struct dict){0};
	return 0;
}

/* The whole text, which is written to. 0, -EBADMSG or -ENOMEM. */
static int read_answer(char *text, struct items *ret)
{
	CLEANUP(dict_done) struct dict item = {0};
	char *line, *value;
	int r = 0;

	while (r == 0 && (line = strsep(&text, "\n")) && text) {
		value = strchr(line, ' ');
		if (!value || !is_plain(line))
			return -EBADMSG;
		*value++ = '\0';
		if (strcmp(line, "done") == 0)
			return item.n_entries == 0 && !*text ? 0 : -EBADMSG;
		r = strcmp(line, "end") == 0 ? add_item(ret, &item) : take_line(&item, line, value);
	}
	return r < 0 ? r : -EBADMSG;
}

/* Each caller is told once. It may ask again from its callback. */
static void tell(struct list_run *run, int error, const struct items *items)
{
	size_t n = run->n_callers;
	struct reason reason = {0};

	if (error == -ETIMEDOUT)
		reason_set(&reason,
			"the images of board '%s' cannot be listed: the image directory does not answer; see to its mount",
			run->board);
	else if (error < 0)
		reason_set(&reason,
			"the images of board '%s' cannot be listed: the worker '%s' failed: %s",
			run->board, run->lists->parts.worker, strerror(-error));
	run->n_callers = 0;
	for (size_t i = 0; i < n; i++)
		run->callers[i].callback(
			run->callers[i].userdata, error, &reason, items->items, items->n_items);
}

/* ------------------------------------------------------------------ a run */

static void end_run(struct list_run *run, int error)
{
	const struct items none = {0};

	if (run->error == 0)
		run->error = error;
	(void)sd_event_source_send_child_signal(run->process.end_source, SIGKILL, NULL, 0);
	(void)sd_event_source_set_enabled(run->process.output_source, SD_EVENT_OFF);
	tell(run, run->error, &none);
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	end_run(userdata, -ETIMEDOUT);
	return 0;
}

/* Reads the text that is in the pipe. Returns whether more may come; ends a run that says too much.
 */
static bool take_output(struct list_run *run)
{
	char data[16 * 1024], *grown;
	ssize_t n = read(run->process.output, data, sizeof(data));

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	grown = run->n_text + (size_t)n < ANSWER_MAX
			? realloc(run->text, run->n_text + (size_t)n + 1)
			: NULL;
	if (!grown) {
		end_run(run, run->n_text + (size_t)n < ANSWER_MAX ? -ENOMEM : -E2BIG);
		return false;
	}
	run->text = grown;
	memcpy(run->text + run->n_text, data, (size_t)n);
	run->n_text += (size_t)n;
	run->text[run->n_text] = '\0';
	return true;
}

static int on_output(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	(void)fd;
	(void)events;
	if (!take_output(userdata))
		(void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
	return 0;
}

/* The run leaves the list before anybody hears of its end: who asks again then begins another. */
static int on_end(sd_event_source *source, const siginfo_t *end, void *userdata)
{
	CLEANUP(items_done) struct items items = {0};
	const struct items none = {0};
	struct list_run *run = userdata;
	struct image_lists *lists = run->lists;
	size_t n_before;
	int error;

	(void)source;
	/* The last of its text may not have been read before the process ended. */
	do {
		n_before = run->n_text;
		(void)take_output(run);
	} while (run->error == 0 && run->n_text != n_before);
	TAILQ_REMOVE(&lists->runs, run, link);
	lists->n_runs--;
	error = run->error;
	if (error == 0 && (end->si_code != CLD_EXITED || end->si_status != 0))
		error = -EBADMSG;
	if (error == 0)
		error = run->text ? read_answer(run->text, &items) : -EBADMSG;
	tell(run, error, error == 0 ? &items : &none);
	run_free(run);
	return 0;
}

static int write_question(const struct image_lists *lists, const struct config *config,
	const struct board *board, FILE *to)
{
	return assignment_write(
		&(struct assignment){
			.action = FLASH_UPDATE,
			.port = (char *)"-",
			.chips = (char *)lists->parts.chips,
			.chips_dir = (char *)lists->parts.chips_dir,
			.image_dir = config->service.image_dir,
			.require_signature = config->service.require_signature,
			.accept_legacy_signatures = config->service.accept_legacy_signatures,
			.trusted_keys = config->service.trusted_keys,
			.waits_for_copies = true,
			.board = *board, /* borrowed */
		},
		to);
}

static int run_begin(struct list_run *run, const struct config *config, const struct board *board)
{
	sd_event *event = run->lists->parts.event;
	CLEANUP(freep) char *text = NULL;
	size_t n_text = 0;
	FILE *memory = open_memstream(&text, &n_text);
	int r = memory ? write_question(run->lists, config, board, memory) : -ENOMEM;

	if (memory && fclose(memory) != 0 && r == 0)
		r = -ENOMEM;
	if (r < 0)
		return r;
	r = process_start(&run->process, event,
		&(struct process_program){
			.path = run->lists->parts.worker,
			.argument = SURVEY_ARGUMENT,
			.text = text,
			.n_text = n_text,
			.on_output = on_output,
			.on_end = on_end,
		},
		run);
	/* The end of its question. */
	closep(&run->process.input);
	run->process.input = -1;
	if (r < 0)
		return r;
	r = sd_event_add_time_relative(event, &run->timer, CLOCK_MONOTONIC, RUN_USEC,
		TIMER_ACCURACY_USEC, on_timeout, run);
	return r < 0 ? r : 0;
}

/* ------------------------------------------------------------------ questions */

/* The run for that rule, or NULL. */
static struct list_run *find_run(const struct image_lists *lists, const char *board)
{
	struct list_run *run;

	TAILQ_FOREACH(run, &lists->runs, link)
	if (strcmp(run->board, board) == 0)
		return run;
	return NULL;
}

int image_list_start(struct image_lists *lists, const struct config *config,
	const struct board *board, image_list_callback callback, void *userdata)
{
	struct list_run *run = find_run(lists, board->name);
	int r;

	/* One that was ended and is not gone yet hangs in the directory: so would the next. */
	if (run && (run->error < 0 || run->n_callers >= IMAGE_LIST_CALLERS_MOST))
		return -EBUSY;
	if (!run) {
		if (lists->n_runs >= IMAGE_LISTS_MOST)
			return -EBUSY;
		run = calloc(1, sizeof(*run));
		if (!run)
			return -ENOMEM;
		*run = (struct list_run){.lists = lists, .process = PROCESS_NONE};
		r = text_duplicate(board->name, &run->board);
		if (r == 0)
			r = run_begin(run, config, board);
		if (r < 0) {
			run_free(run);
			return r;
		}
		TAILQ_INSERT_TAIL(&lists->runs, run, link);
		lists->n_runs++;
	}
	run->callers[run->n_callers++] = (struct caller){callback, userdata};
	return 0;
}

int image_lists_new(const struct image_list_parts *parts, struct image_lists **ret)
{
	struct image_lists *lists = calloc(1, sizeof(*lists));

	if (!lists)
		return -ENOMEM;
	lists->parts = *parts;
	TAILQ_INIT(&lists->runs);
	*ret = lists;
	return 0;
}

void image_lists_free(struct image_lists *lists)
{
	struct list_run *run;

	if (!lists)
		return;
	while ((run = TAILQ_FIRST(&lists->runs))) {
		TAILQ_REMOVE(&lists->runs, run, link);
		process_let_go(&run->process);
		run_free(run);
	}
	free(lists);
}
