/* SPDX-License-Identifier: MIT */
/*
 * bed.h - simulated boards that are plugged into the unmodified service, and what it makes of them.
 *
 * umockdev gives sysfs and the modem lines, pseudo-terminals the bytes, real workers and the real
 * journald the rest. Everything of the bed happens inside its waiting verbs, in one loop: between
 * them the boards stand still. No verb sleeps; each waits for an event, with a limit in
 * milliseconds after which it returns NULL or false. What must not fail ends the program.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bed/journal-reader.h"
#include "bed/tty.h"
#include "bed/uevent.h"
#include "sim/sim.h"

struct bed;
struct bed_unit;

/* Long enough for anything that ends at all, also sanitised and on a slow machine. */
#define BED_LONG 120000

/* In the enclosure, see enclosure_enter(). */
struct bed *bed_new(void);
struct bed *bed_free(struct bed *bed);

/* -------------------------------------------------------------------- files */

/* A file below the configuration directory; NULL text: taken away. */
void bed_write_config(struct bed *bed, const char *name, const char *text);
void bed_write_config_bytes(struct bed *bed, const char *name, const void *data, size_t n_data);

/*
 * plugflash.conf with the bed's image directory, a settle time of 10 ms and `service` behind it,
 * and boards.d/10.conf with `boards`.
 */
void bed_configure(struct bed *bed, const char *service, const char *boards);

/* Puts a copy of the file, or bytes, into the image directory, by renaming as one should. */
void bed_put_image(struct bed *bed, const char *name, const char *file);
void bed_put_bytes(struct bed *bed, const char *name, const void *data, size_t n_data);
/* Until the service need not wait for a manifest of theirs any more. */
void bed_settle_images(struct bed *bed);
void bed_remove_image(struct bed *bed, const char *name);

/* The bed's own directory: config/, images/, state/, runtime/. */
const char *bed_directory(const struct bed *bed);

/* ------------------------------------------------------------------- boards */

/* A board and where it is plugged in; texts are borrowed until bed_free(). */
struct bed_board {
	const char *chip;	  /* of the simulator; NULL: f103c8 */
	enum sim_circuit circuit; /* of an Espressif chip: its own, where none is named */
	struct sim_esp esp;	  /* what else a board with an Espressif chip is */
	struct sim_ti ti;	  /* one with a chip of TI */
	const uint8_t *flash;	  /* what its flash begins with when it is made, NULL: erased */
	uint32_t n_flash;
	struct sim_faults faults;
	const char *chatter;
	enum sim_resident resident; /* a boot loader in the flash, see sim.h; so the next three */
	const char *command, *reply;
	bool enters_rom_when_empty;
	enum sim_program program; /* what runs where the ROM starts the RAM */
	bool is_paced;		  /* at the real rate of the line; else as fast as possible */

	const char *serial; /* NULL: "0001", as bridges leave the factory; "": none */
	const char *product;
	const char *manufacturer;
	uint16_t vid, pid;  /* 0: 10c4:ea60 */
	const char *driver; /* NULL: cp210x */
	const char *path;   /* place in the USB tree, "1-2"; NULL: one of its own */
	unsigned interface;
	const char *tty; /* NULL: the lowest that is free, as the kernel takes it */

	bool is_silent;	   /* no "add" is sent */
	bool is_node_late; /* the device node appears with bed_make_node() */
};

/* Plugs in a board; it stays in the bed to its end, and its flash with it. */
struct bed_unit *bed_plug(struct bed *bed, const struct bed_board *board);
void bed_unplug(struct bed_unit *unit);

/* Power comes back as after every plug; the flash is what it was. `board` NULL: as before. */
void bed_replug(struct bed_unit *unit, const struct bed_board *board);

/* "change", "bind", or "add" once more. How many monitors did not get it. */
unsigned bed_event(struct bed_unit *unit, const char *action, enum uevent_patience patience);
void bed_make_node(struct bed_unit *unit);
/* Mode of the device node, as a rule of udev would set it. */
void bed_set_node_mode(struct bed_unit *unit, mode_t mode);

bool bed_is_plugged(const struct bed_unit *unit);
const char *bed_port(const struct bed_unit *unit);    /* "/dev/ttyUSB0" */
const char *bed_id_path(const struct bed_unit *unit); /* ID_PATH, the slot */

void bed_set_faults(struct bed_unit *unit, const struct sim_faults *faults);
void bed_power_cut(struct bed_unit *unit);
uint8_t *bed_flash(struct bed_unit *unit, uint32_t *ret_size);
void bed_load_flash(struct bed_unit *unit, const char *file);
/* Whether the flash begins with the bytes of the file; and, besides, is erased behind them. */
bool bed_flash_begins(struct bed_unit *unit, const char *file);
bool bed_flash_is(struct bed_unit *unit, const char *file);
struct sim_counters bed_counters(struct bed_unit *unit);
enum sim_state bed_state(struct bed_unit *unit);
/* Of a board with an Espressif chip alone. */
struct sim_esp_state bed_esp(struct bed_unit *unit);
/* Of a board with a chip of TI alone; `ccfg` points into the flash. */
struct sim_ti_state bed_ti(struct bed_unit *unit);

/* Since the last plug-in: every change of the lines; both of one request are one entry. */
const struct tty_change *bed_lines(struct bed_unit *unit, size_t *ret_n);
/* How often the node was opened, by anybody, and requests for lines or format were made. */
unsigned bed_opens(struct bed_unit *unit);
unsigned bed_requests(struct bed_unit *unit);
/* Nobody has the port open. */
bool bed_is_closed(struct bed_unit *unit);

/* ------------------------------------------------------------------ service */

/* Starts plugflashd; `watchdog_msec` 0: none. */
void bed_start_service(struct bed *bed, unsigned watchdog_msec);
bool bed_wait_ready(struct bed *bed, unsigned milliseconds);
/* SIGTERM, and the exit status it ended with; -1: it did not end in time. */
int bed_stop_service(struct bed *bed, unsigned milliseconds);
void bed_signal(struct bed *bed, int signal);
bool bed_is_running(const struct bed *bed);
pid_t bed_service_pid(const struct bed *bed);
/* READY=1 so far: one more after each reload. WATCHDOG=1 so far. EXTEND_TIMEOUT_USEC= so far. */
unsigned bed_readies(const struct bed *bed);
unsigned bed_watchdogs(const struct bed *bed);
unsigned bed_extensions(const struct bed *bed);
const char *bed_status(const struct bed *bed);
long bed_figure(const struct bed *bed, const char *name);

/*
 * A child of the bed that has the unit's port open for itself alone (TIOCEXCL), and more privileges
 * than the service, so that it is not seen by it. Its pid; SIGTERM ends it.
 */
pid_t bed_hold_exclusively(struct bed_unit *unit);

/* A child of the bed under the preload, without capabilities: `argv` from $PATH. Its pid. */
pid_t bed_spawn(struct bed *bed, const char *const argv[]);
/* The same as another user, without groups; it ends with 77 where there is none (user namespace).
 */
#define BED_NOBODY   65534
#define BED_NO_USERS 77
pid_t bed_spawn_as(struct bed *bed, uid_t user, const char *const argv[]);

/* ------------------------------------------------------------------ waiting */

/* Until `is_done` says so; it is asked after everything that happens. Time in which the machine
 * stands still does not count. */
bool bed_wait(
	struct bed *bed, unsigned milliseconds, bool (*is_done)(void *userdata), void *userdata);

/* For what must not happen in that time; where an event can come after it: scene.h,
 * expect_another_updated(). */
void bed_run(struct bed *bed, unsigned milliseconds);

bool bed_wait_child(struct bed *bed, unsigned milliseconds, pid_t pid, int *ret_status);
/* Until there is a file of this name in the bed's directory itself. */
bool bed_wait_file(struct bed *bed, unsigned milliseconds, const char *name);
bool bed_wait_opened(struct bed_unit *unit, unsigned milliseconds);
bool bed_wait_closed(struct bed_unit *unit, unsigned milliseconds);
/* Until the chip has taken `n` commands of this code since it was made. */
bool bed_wait_command(struct bed_unit *unit, unsigned milliseconds, uint8_t code, unsigned n);
bool bed_wait_unplugged(struct bed_unit *unit, unsigned milliseconds);

/* Entries before the mark are no longer looked at. */
void bed_mark(struct bed *bed);
#define BED_MATCH(...) ((const char *const[]){__VA_ARGS__, NULL})
const struct journal_entry *bed_wait_journal(
	struct bed *bed, unsigned milliseconds, const char *const match[]);
size_t bed_count_journal(struct bed *bed, const char *const match[]);
const struct journal_reader *bed_journal(struct bed *bed);

/* The entry that ends the unit's job since it was plugged in last. */
const struct journal_entry *bed_wait_outcome(struct bed_unit *unit, unsigned milliseconds);
size_t bed_count_outcomes(struct bed_unit *unit);

/* For a test that failed: the service, every entry, the board, and what each process waits for. */
void bed_tell(struct bed_unit *unit);
