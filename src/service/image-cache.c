/* SPDX-License-Identifier: MIT */
/*
 * image-cache.c - the image that each rule finds in the image directory.
 *
 * A question marks its entry as wanted. In the next round of the loop one process of the worker
 * program gets all that are wanted then, and its answers come in the same order. Entries that are
 * asked for meanwhile go into the run after it, so that there is never more than one process. Its
 * words are checked as those of any worker: it is confined as one, and files of the image directory
 * are read by it alone. If it fails, the answers that it gave are good, and the rule that it did
 * not come back from gets the failure: those who waited get it as their answer, the next bridge
 * asks anew, and bridges that wait for a change of the images are told of one a while later.
 *
 * Not all units of a rule may get the same image (rollout.h). An answer says for which it is good,
 * and a unit that it is not for asks for an entry of its own. While nobody knows of a rollout there
 * is one entry a rule, whose answer all wait for.
 */
#include "service/image-cache.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/names.h"
#include "base/util.h"
#include "image/copy.h"
#include "records/decide.h"
#include "service/process.h"

/* A mount that does not answer for so long does not answer. */
#define RUN_USEC (60 * USEC_PER_SEC)

/* After a failure: nobody asks sooner than that, but a bridge at its turn. */
#define FAILED_AGAIN_USEC (10 * USEC_PER_SEC)

/* Of all answers of a run. */
#define ANSWERS_MAX	    ((size_t)8 * 1024 * 1024)

#define TIMER_ACCURACY_USEC (100 * USEC_PER_MSEC)

struct image_run {
	struct image_cache *cache;
	struct process process;
	sd_event_source *timer;
	char *text;
	size_t n_text;
	int error; /* why it was ended before its time: -errno */
};

static void run_free(struct image_run *run)
{
	sd_event_source_disable_unref(run->timer);
	process_done(&run->process);
	free(run->text);
	free(run);
}

static void entry_done(struct image_entry *entry)
{
	free(entry->board);
	free(entry->previous);
	free(entry->failed);
	free(entry->said);
	finding_done(&entry->found);
}

void image_cache_clear(struct image_cache *cache)
{
	cache->start = sd_event_source_disable_unref(cache->start);
	if (cache->run) {
		process_let_go(&cache->run->process);
		run_free(cache->run);
	}
	cache->run = NULL;
	for (size_t i = 0; i < cache->n_items; i++)
		entry_done(&cache->items[i]);
	free(cache->items);
	cache->items = NULL;
	cache->n_items = 0;
}

void image_cache_look_again(struct image_cache *cache)
{
	cache->n_looks++;
}

/* ------------------------------------------------------------------ log entries */

/* Remembers the last entry that was made; false: it would be the same again. */
static bool say(struct image_entry *entry, const char *what)
{
	if (entry->said && strcmp(entry->said, what) == 0)
		return false;
	free(entry->said);
	entry->said = strdup(what);
	return true;
}

static void add_fields(struct log_fields *fields, const struct image_entry *entry)
{
	const struct library_choice *choice = &entry->found.choice;

	log_field(fields, FIELD_BOARD, "%s", entry->board);
	log_field(fields, FIELD_IMAGE, "%s", choice->name ? choice->name : "");
	log_field(fields, FIELD_VERSION, "%s", choice->version ? choice->version : "");
}

/* A copy that goes on and on is told of in the end, and a wait that may be long at once. */
static void tell_wait(struct image_entry *entry)
{
	CLEANUP(log_fields_done) struct log_fields fields = {0};
	uint64_t due = entry->found.choice.due_usec, now = monotonic_usec();
	char shown[TEXT_MAX];

	if (entry->waits_since_usec == 0)
		entry->waits_since_usec = now;
	if ((due > 0 && due <= COPY_UNSAID_USEC &&
		    now - entry->waits_since_usec <= COPY_UNSAID_USEC) ||
		!say(entry, entry->found.choice.name))
		return;
	add_fields(&fields, entry);
	log_event(LOG_NOTICE, MESSAGE_IMAGE_AWAITED, &fields, "board '%s' waits for its image: %s",
		text_escape(entry->board, shown, sizeof(shown)), entry->found.reason.text);
}

/* The image is there, for better or worse. */
static void end_wait(struct image_entry *entry)
{
	const char *name = entry->found.choice.name;
	char shown[TEXT_MAX], image[TEXT_MAX];

	if (entry->said && !*entry->said && name)
		log_info("board '%s' has an image again: %s",
			text_escape(entry->board, shown, sizeof(shown)),
			text_escape(name, image, sizeof(image)));
	free(entry->said);
	entry->said = NULL;
}

void image_cache_tell_loss(struct image_cache *cache, const struct image_entry *from)
{
	CLEANUP(log_fields_done) struct log_fields fields = {0};
	struct image_entry *entry = &cache->items[from - cache->items];
	char shown[TEXT_MAX];

	if (!say(entry, ""))
		return;
	add_fields(&fields, entry);
	log_event(LOG_WARNING, MESSAGE_IMAGES_GONE, &fields,
		"board '%s' has no image any more: %s; units that are plugged in keep what they hold",
		text_escape(entry->board, shown, sizeof(shown)), entry->found.reason.text);
}

/* ------------------------------------------------------------------ answers */

static bool is_open(const void *userdata, const char *path, bool is_part)
{
	return watch_is_being_written(userdata, path) ||
	       (is_part && watch_is_being_replaced(userdata, path));
}

static void on_folder(void *userdata, const char *path)
{
	if (userdata)
		watch_add_folder(userdata, path);
}

/* The wall clock may be set meanwhile: then the next plug-in finds what is due. */
static uint64_t usec_until(int64_t time_s)
{
	int64_t now = realtime_usec(), due = time_s * (int64_t)USEC_PER_SEC;

	return due > now ? (uint64_t)(due - now) : 0;
}

static void take_finding(
	struct image_cache *cache, struct image_entry *entry, struct finding *found)
{
	struct watch *watch = cache->parts.watch;
	char shown[TEXT_MAX];
	struct reason why;

	finding_done(&entry->found);
	entry->found = *found;
	*found = (struct finding){0};
	entry->found_usec = monotonic_usec();
	entry->is_asked = false;
	if (entry->previous)
		return;
	if (watch && image_entry_failure(entry) < 0)
		watch_look_again(watch, FAILED_AGAIN_USEC);
	/* A file that is open for writing is awaited whatever else was found, until it is closed.
	 */
	if (watch && entry->found.choice.stamp &&
		copy_judge_open(entry->found.choice.name, entry->found.choice.parts, is_open, watch,
			&why) != COPY_WHOLE) {
		entry->found.result = LIBRARY_AWAITED;
		entry->found.choice.due_usec = 0;
		/* Nobody tells that a copy was given up before its first byte. */
		if (entry->found.choice.parts)
			watch_look_again(watch, COPY_EMPTY_USEC);
		reason_set(&entry->found.reason, "image '%s': %s",
			text_escape(entry->found.choice.name, shown, sizeof(shown)), why.text);
	}
	if (entry->found.result == LIBRARY_AWAITED)
		tell_wait(entry);
	else
		entry->waits_since_usec = 0;
	if (watch && entry->found.result == LIBRARY_AWAITED && entry->found.choice.due_usec > 0)
		watch_look_again(watch, entry->found.choice.due_usec);
	if (watch && entry->found.choice.span.until_s > 0)
		watch_look_again(watch, usec_until(entry->found.choice.span.until_s));
	if (entry->found.result == LIBRARY_OK || entry->found.result == LIBRARY_REFUSED)
		end_wait(entry);
}

/*
 * Gives the entries that were asked for what the run says. Of a run that failed the answers that
 * are whole are good. The rule behind them gets the failure, since its folder may be what the run
 * did not come back from; the others are asked for again. `was_run`: the program could be started.
 */
static void take_answers(struct image_cache *cache, char *text, int error, bool was_run)
{
	bool has_failed = false;

	for (size_t i = 0; i < cache->n_items; i++) {
		CLEANUP(finding_done) struct finding found = {0};
		struct image_entry *entry = &cache->items[i];
		int r;

		if (!entry->is_asked)
			continue;
		r = finding_read(&text, &found, on_folder, cache->parts.watch);
		/* An answer that is not for who asked would be asked for without end. */
		if (r == 0 && !rollout_is_same(&found.choice.span, &entry->unit, &entry->unit)) {
			finding_done(&found);
			r = -EPROTO;
		}
		if (r == -EBADMSG && error < 0) {
			text = NULL;
			r = error;
			if (was_run && has_failed) {
				entry->is_asked = false;
				entry->is_wanted = true;
				continue;
			}
			has_failed = true;
		}
		entry->error = r;
		if (r < 0) {
			found.result = r;
			reason_set(&found.reason,
				"the worker '%s' could not be asked for the image: %s",
				cache->parts.worker, strerror(-r));
		}
		take_finding(cache, entry, &found);
	}
	cache->parts.on_answer(cache->parts.userdata);
}

/* ------------------------------------------------------------------ a run */

static void end_run(struct image_run *run, int error)
{
	if (run->error == 0)
		run->error = error;
	(void)sd_event_source_send_child_signal(run->process.end_source, SIGKILL, NULL, 0);
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	end_run(userdata, -ETIMEDOUT);
	return 0;
}

/* Reads the text that is in the pipe. Returns whether more may come. */
static bool take_output(struct image_run *run)
{
	char data[16 * 1024];
	ssize_t n;

	for (unsigned i = 0; i < 16; i++) {
		char *grown;

		n = read(run->process.output, data, sizeof(data));
		if (n <= 0)
			return n < 0 && (errno == EAGAIN || errno == EINTR);
		grown = run->n_text + (size_t)n < ANSWERS_MAX
				? realloc(run->text, run->n_text + (size_t)n + 1)
				: NULL;
		if (!grown) {
			end_run(run, run->n_text + (size_t)n < ANSWERS_MAX ? -ENOMEM : -E2BIG);
			return false;
		}
		run->text = grown;
		memcpy(run->text + run->n_text, data, (size_t)n);
		run->n_text += (size_t)n;
		run->text[run->n_text] = '\0';
	}
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

static int start_run(struct image_cache *cache);

static int on_end(sd_event_source *source, const siginfo_t *end, void *userdata)
{
	struct image_run *run = userdata;
	struct image_cache *cache = run->cache;
	size_t n_before;
	int error;

	(void)source;
	/* The last of its text may not have been read before the process ended. */
	do {
		n_before = run->n_text;
		(void)take_output(run);
	} while (run->error == 0 && run->n_text != n_before);
	error = run->error;
	/* The service did not kill it: the kernel did, for want of memory. */
	if (error == 0 && end->si_code == CLD_KILLED && end->si_status == SIGKILL)
		error = -ENOMEM;
	/* Whatever it had not come to is asked for again, as after a run that was killed. */
	if (error == 0 && (!run->text || end->si_code != CLD_EXITED || end->si_status != 0))
		error = -EBADMSG;
	cache->run = NULL;
	take_answers(cache, run->text, error, true);
	run_free(run);
	return start_run(cache);
}

/*
 * An assignment for each entry that is wanted, as many as there is room for in a pipe. Rules that a
 * run failed with last are asked for in a run of their own, after the others.
 */
static int write_questions(struct image_cache *cache, FILE *to)
{
	const struct config *config = cache->parts.config;
	bool has_sound = false;

	for (size_t i = 0; i < cache->n_items; i++)
		has_sound |= cache->items[i].is_wanted && cache->items[i].error == 0;

	for (size_t i = 0; i < cache->n_items && ftell(to) < PROCESS_SEND_MAX / 2; i++) {
		struct image_entry *entry = &cache->items[i];
		const struct board *board = config_find_board(config, entry->board);
		int r;

		if (!entry->is_wanted || (has_sound && entry->error < 0))
			continue;
		entry->is_wanted = false;
		if (!board) /* nobody can ask for it again */
			continue;
		/* Before it is written: where that fails, the entry gets the failure. */
		entry->is_asked = true;
		entry->look = cache->n_looks;
		entry->asked_usec = monotonic_usec();
		r = assignment_write(
			&(struct assignment){
				.action = FLASH_UPDATE,
				.port = (char *)"-",
				.chips = (char *)cache->parts.chips,
				.image_dir = config->service.image_dir,
				.require_signature = config->service.require_signature,
				.waits_for_copies = cache->parts.watch != NULL,
				.previous = entry->previous,
				.failed = entry->failed,
				.has_unit = !entry->previous,
				.unit = entry->unit,
				.board = *board, /* borrowed */
			},
			to);
		if (r < 0)
			return r;
	}
	return 0;
}

static int run_new(struct image_cache *cache, struct image_run **ret)
{
	sd_event *event = cache->parts.event;
	CLEANUP(freep) char *text = NULL;
	size_t n_text = 0;
	FILE *memory = open_memstream(&text, &n_text);
	struct image_run *run;
	int r = memory ? write_questions(cache, memory) : -ENOMEM;

	if (memory && fclose(memory) != 0 && r == 0)
		r = -ENOMEM;
	if (r < 0)
		return r;
	run = calloc(1, sizeof(*run));
	if (!run)
		return -ENOMEM;
	*run = (struct image_run){.cache = cache, .process = PROCESS_NONE};
	r = process_start(&run->process, event,
		&(struct process_program){
			.path = cache->parts.worker,
			.argument = FINDING_ARGUMENT,
			.text = text,
			.n_text = n_text,
			.on_output = on_output,
			.on_end = on_end,
		},
		run);
	/* The end of its questions. */
	closep(&run->process.input);
	run->process.input = -1;
	if (r == 0)
		r = sd_event_add_time_relative(event, &run->timer, CLOCK_MONOTONIC, RUN_USEC,
			TIMER_ACCURACY_USEC, on_timeout, run);
	if (r < 0) {
		run_free(run);
		return r;
	}
	*ret = run;
	return 0;
}

/* Starts a run, if an entry is wanted and no run is under way. */
static int start_run(struct image_cache *cache)
{
	bool is_wanted = false;
	int r;

	for (size_t i = 0; i < cache->n_items; i++)
		is_wanted |= cache->items[i].is_wanted;
	if (!is_wanted || cache->run)
		return 0;
	r = run_new(cache, &cache->run);
	if (r >= 0)
		return 0;
	for (size_t i = 0; i < cache->n_items; i++) {
		cache->items[i].is_asked |= cache->items[i].is_wanted;
		cache->items[i].is_wanted = false;
	}
	take_answers(cache, NULL, r, false);
	return 0;
}

static int on_start(sd_event_source *source, void *userdata)
{
	struct image_cache *cache = userdata;

	(void)source;
	cache->start = sd_event_source_disable_unref(cache->start);
	return start_run(cache);
}

/* ------------------------------------------------------------------ questions */

int image_entry_failure(const struct image_entry *entry)
{
	if (entry->error < 0)
		return entry->error;
	return decide_is_shortage(entry->found.result) ? entry->found.result : 0;
}

static bool is_same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* One that was not answered yet may be for all. */
static bool is_for(const struct image_entry *entry, const struct rollout_unit *unit)
{
	return entry->found_usec == 0 ||
	       rollout_is_same(&entry->found.choice.span, &entry->unit, unit);
}

/*
 * That of the rule, for that unit; NULL: none. Where rollouts change, entries are left that are for
 * fewer units than before: an old one is given to the unit that none is for.
 */
static struct image_entry *find_rule(
	struct image_cache *cache, const char *board, const struct rollout_unit *unit)
{
	struct image_entry *old = NULL;

	for (size_t i = 0; i < cache->n_items; i++) {
		struct image_entry *entry = &cache->items[i];

		if (entry->previous || strcmp(entry->board, board) != 0)
			continue;
		if (is_for(entry, unit))
			return entry;
		if (!entry->is_asked && !entry->is_wanted &&
			monotonic_usec() - entry->found_usec > COPY_GOOD_USEC)
			old = entry;
	}
	if (old) {
		finding_done(&old->found);
		old->found_usec = 0;
		old->error = 0;
		old->unit = *unit;
		old->look = cache->n_looks - 1;
	}
	return old;
}

static struct image_entry *find_previous(
	struct image_cache *cache, const char *board, const char *previous, const char *failed)
{
	for (size_t i = 0; i < cache->n_items; i++)
		if (strcmp(cache->items[i].board, board) == 0 &&
			is_same_text(cache->items[i].previous, previous) &&
			is_same_text(cache->items[i].failed, failed))
			return &cache->items[i];
	return NULL;
}

/* NULL without memory. */
static struct image_entry *add_entry(struct image_cache *cache, const char *board,
	const struct rollout_unit *unit, const char *previous, const char *failed)
{
	struct image_entry *grown;

	grown = room_for_one(cache->items, cache->n_items, sizeof(*grown));
	if (!grown)
		return NULL;
	cache->items = grown;
	grown += cache->n_items;
	*grown = (struct image_entry){
		.board = strdup(board),
		.unit = *unit,
		.previous = previous ? strdup(previous) : NULL,
		.failed = failed ? strdup(failed) : NULL,
		.look = cache->n_looks - 1,
	};
	if (!grown->board || (previous && !grown->previous) || (failed && !grown->failed)) {
		entry_done(grown);
		return NULL;
	}
	cache->n_items++;
	return grown;
}

/*
 * An answer is used while no change is known since it was asked for. While files change, that may
 * never be so: then it is good for those who waited for it, as a failure is.
 */
static bool is_good(
	const struct image_cache *cache, const struct image_entry *entry, uint64_t since_usec)
{
	const struct watch *watch = cache->parts.watch;
	uint64_t age = monotonic_usec() - entry->found_usec;

	if (entry->look != cache->n_looks)
		return false;
	if (entry->asked_usec >= since_usec && age < COPY_CALM_USEC)
		return true;
	return watch && image_entry_failure(entry) == 0 &&
	       entry->asked_usec > watch_last_change_usec(watch) && age < COPY_GOOD_USEC;
}

static int find(struct image_cache *cache, struct image_entry *entry, uint64_t since_usec,
	const struct image_entry **ret)
{
	if (!entry)
		return -ENOMEM;
	if (entry->is_asked || entry->is_wanted)
		return IMAGE_CACHE_ASKED;
	if (is_good(cache, entry, since_usec)) {
		*ret = entry;
		return IMAGE_CACHE_FOUND;
	}
	if (!cache->start) {
		int r = sd_event_add_defer(cache->parts.event, &cache->start, on_start, cache);

		if (r < 0)
			return r;
	}
	entry->is_wanted = true;
	return IMAGE_CACHE_ASKED;
}

int image_cache_find_previous(struct image_cache *cache, const struct board *board,
	const char *previous, const char *failed, uint64_t since_usec,
	const struct image_entry **ret)
{
	static const struct rollout_unit nobody;
	struct image_entry *entry = find_previous(cache, board->name, previous, failed);

	if (!entry)
		entry = add_entry(cache, board->name, &nobody, previous, failed);
	return find(cache, entry, since_usec, ret);
}

int image_cache_find(struct image_cache *cache, const struct board *board,
	const struct rollout_unit *unit, uint64_t since_usec, const struct image_entry **ret)
{
	struct image_entry *entry = find_rule(cache, board->name, unit);

	if (!entry)
		entry = add_entry(cache, board->name, unit, NULL, NULL);
	return find(cache, entry, since_usec, ret);
}

bool image_cache_is_asking(const struct image_cache *cache, const char *board)
{
	for (size_t i = 0; board && i < cache->n_items; i++)
		if (strcmp(cache->items[i].board, board) == 0 && !cache->items[i].previous &&
			(cache->items[i].is_wanted || cache->items[i].is_asked))
			return true;
	return false;
}
