/* SPDX-License-Identifier: MIT */
/*
 * run.h - one job under way: the state that the steps of a procedure share, and how a failure
 * becomes an outcome. Only the files of the procedures include it.
 */
#pragma once

#include "flash/entry.h"
#include "flash/flash-job.h"
#include "flash/plan.h"

/* Flash that is not to change: its pages, and their digests before the first erase (watch.h). */
struct watch {
	struct chip_range *pages;
	size_t n_pages;
	uint8_t (*digests)[LOADER_DIGEST_MAX];
	enum loader_digest kind;
	bool is_checked; /* they were the same behind the last write */
};

/* A step that did not end the job. */
#define GO_ON OUTCOME_MAX

struct run {
	const struct flash_job *job;
	struct report *report;
	struct port *port;
	struct loader *base; /* the loader that is met after a reset; NULL until the port is open */
	struct loader *loader; /* the one that speaks: `base`, or a promoted one in its place */
	struct trusts trusts;  /* what counts now, for the loaders as well */
	bool has_asked_trust;
	bool is_refused;	/* the last failure was of the chip: another loader gets no more */
	bool is_promotion_vain; /* one was tried in this job, and failed */
	bool may_outlast; /* one was started that may still run where no line resets the chip */
	bool has_promoted_erased; /* one was told to erase in this job */
	struct expect expect;
	struct wiring wiring; /* the rule's, as it suits the port */
	struct entry entry;
	struct chip_identity identity;
	struct plan plan;
	struct watch watch;
	struct chip_range first_unit; /* of a loader that begins small: written before the rest */
	bool has_written;     /* not all of the image is written, but `written` (regions.h) */
	struct image written; /* of the job's image: only the list of segments is its own */
	bool was_repeated;    /* a run had to be written more than once in this pass */
	bool has_lost;	      /* the last failure was of the line: an answer lost or garbled */
	bool has_decided;     /* `decision` is the answer to QUESTION_DECIDE */
	enum answer_word decision;
	bool is_final;		      /* another pass would end in the same words */
	bool has_changed;	      /* the chip is, or may be, as a person ordered it to be */
	bool is_left;		      /* an answer ended the job, with a reason that stays */
	bool has_erased;	      /* from here on the job is not cancelled any more */
	struct chip_identity decided; /* the unit when that was asked */
	struct chip_identity erased;  /* the unit when it was erased last */
	enum proof proof;
	struct chip_options options; /* of the chip of this pass, where the job wants some */
	bool is_whole;		     /* the image was proved, and something else is being written */
	bool has_protected;	     /* the whole image was verified, and protect() called */
	bool has_unit_data;	     /* the unit's own data (`serialize`) are in the image */
	bool cannot_compare;	     /* the loader does not send its flash back, or not all of it */
	uint32_t n_sent_back;	     /* then: bytes of the image, from its start on, that it sent */
	uint64_t started, phase_started;
	uint64_t deadline; /* of the whole pass */
};

/* Enters the phase: adds the time of the last one to the report, and calls on_progress. */
void run_set_phase(void *run, enum phase phase);

void run_tell_progress(struct run *run, uint64_t done, uint64_t total);

/* Sets the reason and returns the outcome. */
enum outcome run_fail(struct run *run, enum outcome outcome, const char *format, ...)
	PRINTF_LIKE(3, 4);

/* Turns the result of an operation at `address` (-errno or enum loader_result) into the outcome of
 * the job, with the reason and what to try: failure.c. */
enum outcome run_fail_with(struct run *run, int r, uint32_t address);

/* The outcome of a job whose work failed in this phase. */
enum outcome run_phase_outcome(enum phase phase);

/* For the end of a message: how a rule comes to be content with what its loader can prove. */
const char *run_proof_advice(const struct run *run);

/* Sets the deadline of a pass, once chip and image are known. */
void run_set_budget(struct run *run);

/* Of this pass, so many bytes more are read than those of its image. */
void run_add_budget(struct run *run, uint64_t n_bytes);

/* Lets `loader` speak from now on, and closes a promoted one that spoke before. */
void run_switch_loader(struct run *run, struct loader *loader);

/*
 * Lets the loader that was met speak again: it can be met by the next entry then. A promoted one is
 * left by the reset of that entry, or where the rule has no line for one by a reset of its own.
 */
void run_end_promotion(struct run *run);

/* Opens and locks the port: the process needs no file after that. */
enum outcome run_open_port(struct run *run);

/* GO_ON, or CANCELLED where the caller wants the job to stop and nothing was erased yet, nor option
 * bytes written. */
enum outcome run_check_cancelled(struct run *run);

/*
 * A pause in which somebody who cancels is heard: it may be long, and he waits. 0, -ECANCELED with
 * the reason of run_check_cancelled(), or -errno of the port.
 */
int run_wait(struct run *run, uint64_t usec);

/* The same before each block; besides, the outcome of the phase where no time is left. */
enum outcome run_check_block(struct run *run);

/* GO_ON with the answer, or the outcome of an answer that ends the job. */
enum outcome run_ask(struct run *run, enum question question, enum answer_word *ret);

/* What is written of the job's image: all of it, unless something was found to be there. */
const struct image *run_written(const struct run *run);
void run_forget_written(struct run *run);

/* The first address of the image and the one behind its last. */
uint32_t run_image_start(const struct run *run);
uint64_t run_image_end(const struct run *run);

/* As plan_next_block(), in frames of this loader for this chip. */
bool run_next_block(const struct run *run, const struct image *image, uint64_t *cursor,
	uint64_t end, struct plan_block *ret);

/* Whether erased flash of this chip reads like these bytes, 1 at least. */
bool run_is_erased(const struct run *run, const uint8_t *bytes, size_t n);
