/* SPDX-License-Identifier: MIT */
/*
 * view.h - what the outside sees of the service, its bridges and its attempts: plain data in the
 * words of README and journal, computed and never kept up to date by those who change something.
 *
 * Each view has a table of its properties, by which two views are compared: whoever tells them to
 * the outside takes a new view now and then, and tells what differs from the one before. Pure:
 * nothing here asks a clock, and no bus is known.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "service/bridge.h"
#include "service/dispatcher.h"
#include "service/records.h"

enum view_kind {
	VIEW_TEXT,   /* char[], UTF-8 */
	VIEW_PATH,   /* char[]: an object of the bus, "" none */
	VIEW_FLAG,   /* bool */
	VIEW_NUMBER, /* uint32_t */
	VIEW_LONG,   /* uint64_t; times are milliseconds since 1970, 0: none */
	VIEW_SHARE,  /* double, 0 to 1 */
	VIEW_COUNTS, /* struct view_counts */
};

/* How often a property changes. */
enum view_pace {
	VIEW_CONSTANT, /* never, as long as the service runs */
	VIEW_NEWS,     /* each change is told at once */
	VIEW_FLOW,     /* with each byte: it is told now and then */
};

struct view_property {
	const char *name;
	enum view_kind kind;
	enum view_pace pace;
	size_t offset; /* in the view */
};

/* Numbers with names. */
#define VIEW_COUNTS_MOST (OUTCOME_MAX + 3)
struct view_counts {
	uint32_t n_items;
	struct view_count {
		char name[24];
		uint64_t value;
	} items[VIEW_COUNTS_MOST];
};

#define VIEW_PATH_MAX 80

/* The service. */
struct view_manager {
	char version[24];
	uint32_t api_version;
	char state[16];		/* running, paused, stopping */
	char pause_reason[512]; /* why nothing begins, "" something does */
	uint32_t jobs_running;
	uint32_t jobs_waiting;
	uint32_t rules;
	uint32_t bridges;
	char config_error[1024]; /* why the configuration on disk was refused, "" it was not */
	bool config_stale;	 /* it was: an earlier one is in force */
	uint64_t config_time;	 /* when the one in force was read */
	uint64_t floor_time;	 /* when a floor became another one, 0 never yet */
	char image_directory[4096];
	char counters_day[16]; /* "2026-11-28" */
	struct view_counts counters;
	char stopped_units[512]; /* that own ports and are down for boards, "" none */
	/* Faster ways of writing that failed, by kind of chip and with the reason, "" none. */
	char turned_off[RECORDS_OFF_MAX];
	char store[STORE_IDENTITY_SIZE]; /* identity of the store, "" none */
	char batch_board[64];		 /* "" no batch */
	uint32_t batch_count;
	uint32_t batch_done;
	uint64_t batch_start_time;
};

/* A socket with a name, also where nothing is plugged in. */
struct view_slot {
	char name[SLOT_NAME_SIZE];
	char usb_path[TEXT_MAX];
	char bridge[VIEW_PATH_MAX];
};

/* A bridge that is plugged in. */
struct view_bridge {
	char port[TEXT_MAX];
	char usb_id[10];
	char serial[TEXT_MAX];
	char product[TEXT_MAX];
	char manufacturer[TEXT_MAX];
	char usb_path[TEXT_MAX];
	char interface[4];	   /* "" unknown */
	char slot[SLOT_NAME_SIZE]; /* name that the configuration gives it, "" none */
	char board[64];		   /* "" where no rule, or more than one, fits */
	char match[16];		   /* one, none, ambiguous */
	char state[16];		   /* settling, waiting, working, done, held, flapping */
	uint64_t since;		   /* of the state */
	char job[VIEW_PATH_MAX];
	char unit[25];
	char last_outcome[32]; /* of the last attempt, "" where there was none yet */
	char last_reason[sizeof(((struct reason *)NULL)->text)];
	uint64_t last_time;
	uint64_t held_until; /* 0: until something changes, or somebody asks */
};

/* An attempt that has not ended. */
struct view_job {
	char id[33];
	char bridge[VIEW_PATH_MAX];
	char board[64];
	char unit[25];
	char operation[16]; /* flash, verify, probe, identify, rollback */
	char phase[16];	    /* "waiting": it was asked for, and has not begun */
	double progress;    /* of the whole attempt, as far as its work is known */
	uint64_t bytes;	    /* of the phase; pages for an erase */
	uint64_t bytes_done;
	uint64_t rate; /* bytes a second, 0 not known */
	uint32_t baud; /* 0 not known yet */
	uint64_t start_time;
	uint64_t expected_end_time; /* 0 not known yet */
	uint32_t attempt;	    /* 1: the first try */
	char image[TEXT_MAX];
	char version[64];
	bool cancelable; /* nothing was erased yet */
};

/* Tables of their properties, each closed by one without a name. */
extern const struct view_property view_manager_properties[];
extern const struct view_property view_slot_properties[];
extern const struct view_property view_bridge_properties[];
extern const struct view_property view_job_properties[];

/* Facts of the service itself. */
struct view_service {
	bool is_stopping;
	bool is_config_refused;
	int64_t config_loaded_ms;
	uint64_t floor_ms;
	const char *config_error;	/* NULL: none */
	const struct day_counts *today; /* NULL: nothing is counted */
	const struct holds *holds;	/* NULL: nothing holds boards back */
	const struct batch *batch;	/* NULL: none */
	const struct owners *owners;	/* NULL: none are stopped */
	const char *turned_off;		/* NULL: nothing is */
	const char *store;		/* its identity; NULL: none */
};

void view_manager(const struct view_service *service, const struct config *config,
	const struct dispatcher_counts *counts, struct view_manager *ret);

/* `bridge` NULL: nothing is plugged in there. */
void view_slot(const struct slot *slot, const struct bridge *bridge, struct view_slot *ret);

void view_bridge(const struct bridge *bridge, struct view_bridge *ret);

/* False where the bridge has no attempt that has not ended. */
bool view_job(const struct bridge *bridge, struct view_job *ret);

/* The objects of the bus that stand for them; the first slot of the configuration is 1. */
void view_slot_path(size_t number, char to[static VIEW_PATH_MAX]);
void view_bridge_path(uint64_t number, char to[static VIEW_PATH_MAX]);
void view_job_path(const char *id, char to[static VIEW_PATH_MAX]);

/* The properties of this table that differ between two views of its kind: the n-th is bit n. */
uint32_t view_diff(const struct view_property *properties, const void *a, const void *b);

/* The properties of this table that have this pace, as above. */
uint32_t view_mask(const struct view_property *properties, enum view_pace pace);

/* The line that `systemctl status` shows. */
void view_status(const struct view_manager *view, char *to, size_t size);
