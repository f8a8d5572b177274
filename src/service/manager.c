/* SPDX-License-Identifier: MIT */
/*
 * manager.c - the life of the service.
 *
 * Everything that can fail is set up before the first bridge is looked at: store, host, signals,
 * timers, monitor. The monitor is armed before the bridges are enumerated, so that none is missed
 * that comes in between; one that is found twice is known the second time.
 *
 * From then on things happen in callbacks: device events, signals, changes of the images, calls.
 * None of them starts a worker or frees a bridge. They tell the dispatcher and wake the turn, a
 * source of the lowest priority, which runs once after all else of the same round.
 *
 * SIGHUP reads the configuration anew, all of it or nothing. SIGTERM ends the service in two steps:
 * no attempt begins, those that have not erased are cancelled; the loop ends in the turn that finds
 * no bridge and no program of on-outcome any more. systemd is asked for the time that this takes.
 */
#include "service/manager.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/landlock.h"
#include "base/log.h"
#include "base/names.h"
#include "base/util.h"
#include "device/monitor.h"
#include "service/backlog.h"
#include "service/batch.h"
#include "service/bus.h"
#include "service/dispatcher.h"
#include "service/midnight.h"
#include "service/owners.h"
#include "service/ready.h"
#include "service/retry.h"
#include "service/settings.h"
#include "service/steering.h"
#include "service/sweep.h"
#include "service/view.h"
#include "service/watch.h"

/* While the service stops, systemd is told to wait for longer than a worker may be silent, or a
 * program of on-outcome may run. */
#define STOP_EXTENSION_USEC (330 * USEC_PER_SEC)
#define STOP_REPEAT_USEC    (10 * USEC_PER_SEC)

struct manager {
	struct manager_options options;
	char *chips_dir; /* what is laid over the chip table */
	sd_event *event;
	sd_event_source *signals[3];
	sd_event_source *monitor_source;
	sd_event_source *turn_source;
	struct sweep sweep;
	struct backlog backlog;
	struct monitor *monitor;
	struct watch *watch;
	struct dispatcher *dispatcher;
	struct flap_table flaps;
	struct hooks hooks;
	struct records records;
	struct midnight midnight; /* while the counts of the day are not zero */
	struct inhibitor *inhibitor;
	struct bus *bus; /* NULL where there is no room for it */
	struct ready ready;

	bool is_stopping;
	struct view_manager told; /* of the last turn */
	char status[256];	  /* and what systemd was told of it */
	int64_t loaded_ms;	  /* when the configuration in force was read */
	bool is_refused;	  /* the one on disk is */
	char refusal[1024];	  /* and why */
	int images_error;	  /* what was said of the image directory: -errno, 0: nothing */
	uint64_t extended_usec;
	int exit_status;
};

/* ------------------------------------------------------------------------------------ turns */

static void wake(void *userdata)
{
	struct manager *manager = userdata;

	(void)sd_event_source_set_enabled(manager->turn_source, SD_EVENT_ONESHOT);
}

static struct view_manager view_of(struct manager *manager)
{
	const struct view_service service = {
		.is_stopping = manager->is_stopping,
		.is_config_refused = manager->is_refused,
		.config_loaded_ms = manager->loaded_ms,
		.floor_ms = manager->records.floor_ms,
		.config_error = manager->refusal,
		.today = records_today(&manager->records),
		.holds = dispatcher_holds(manager->dispatcher),
		.batch = batch_of(manager->dispatcher),
		.owners = dispatcher_owners(manager->dispatcher),
		.turned_off = records_turned_off(&manager->records),
		.store = records_identity(&manager->records),
	};
	const struct dispatcher_counts counts = dispatcher_count(manager->dispatcher);
	struct view_manager view;

	view_manager(&service, dispatcher_config(manager->dispatcher), &counts, &view);
	return view;
}

/* The line that `systemctl status` shows, where something of it is news. */
static void tell_status(struct manager *manager)
{
	struct view_manager view = view_of(manager);
	char status[256];

	if (view_diff(view_manager_properties, &manager->told, &view) == 0)
		return;
	/* A service that waits for weeks gives back what its attempts left behind. */
	if (manager->told.jobs_running > 0 && view.jobs_running == 0)
		(void)malloc_trim(0);
	manager->told = view;
	view_status(&view, status, sizeof(status));
	if (strcmp(status, manager->status) == 0)
		return;
	memcpy(manager->status, status, sizeof(status));
	(void)sd_notifyf(0, "STATUS=%s", status);
}

/* At midnight the counts begin anew, and who looks at them is told; zeros need not be told so. */
static void watch_day(struct manager *manager)
{
	const struct day_counts *today = records_today(&manager->records);

	midnight_set(&manager->midnight, day_counts_are_zero(today) ? 0 : today->until_ms);
}

static void extend_stop(struct manager *manager)
{
	uint64_t now = monotonic_usec();

	if (manager->extended_usec > 0 && now - manager->extended_usec < STOP_REPEAT_USEC)
		return;
	manager->extended_usec = now;
	(void)sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%" PRIu64, STOP_EXTENSION_USEC);
}

static int on_turn(sd_event_source *source, void *userdata)
{
	struct manager *manager = userdata;

	(void)source;
	batch_review(manager->dispatcher);
	dispatcher_turn(manager->dispatcher);
	tell_status(manager);
	watch_day(manager);
	bus_wake(manager->bus);
	if (!manager->is_stopping)
		return 0;
	/* Programs of on-outcome end before the service does; of many, one after the other. */
	if (!hooks_are_idle(&manager->hooks)) {
		extend_stop(manager);
		return 0;
	}
	if (dispatcher_next(manager->dispatcher, NULL) ||
		!owners_are_settled(dispatcher_owners(manager->dispatcher)))
		return 0;
	bus_last_pass(manager->bus);
	return sd_event_exit(manager->event, manager->exit_status);
}

/* ------------------------------------------------------------------------------------- stop */

static void on_progress(void *userdata, const struct bridge *bridge)
{
	struct manager *manager = userdata;

	bus_note_progress(manager->bus, bridge);
	if (manager->is_stopping)
		extend_stop(manager);
}

static void on_end(void *userdata, const struct bridge *bridge, const struct report *report)
{
	struct manager *manager = userdata;

	bus_note_end(manager->bus, bridge, report);
}

/* Ends the loop once the last worker has ended; what is asked again changes nothing. */
static void begin_stop(struct manager *manager, int exit_status)
{
	if (manager->is_stopping)
		return;
	manager->is_stopping = true;
	manager->exit_status = exit_status;
	(void)sd_notify(0, "STOPPING=1");
	if (dispatcher_count(manager->dispatcher).running > 0)
		extend_stop(manager);
	dispatcher_stop(manager->dispatcher);
}

/* ---------------------------------------------------------------------------------- bridges */

static int enumerate(void *userdata)
{
	struct manager *manager = userdata;
	int r;

	if (manager->is_stopping)
		return 0;
	dispatcher_begin_sweep(manager->dispatcher);
	r = monitor_enumerate(manager->monitor);
	if (r < 0)
		return r;
	dispatcher_end_sweep(manager->dispatcher);
	return 0;
}

static void on_bridge(void *userdata, enum monitor_event event, const struct facts *facts)
{
	struct manager *manager = userdata;
	int r;

	switch (event) {
	case MONITOR_PRESENT:
		dispatcher_add_bridge(manager->dispatcher, facts);
		break;
	case MONITOR_GONE:
		dispatcher_remove_bridge(manager->dispatcher, facts->sysfs);
		break;
	case MONITOR_MISSED:
		sweep_soon(&manager->sweep, -ENOMEM);
		break;
	case MONITOR_LOST:
		r = sweep_for_lost(&manager->sweep);
		if (r == 0)
			break;
		log_error("the bridges could not be looked up: %s; the service ends", strerror(-r));
		begin_stop(manager, EXIT_FAILURE);
		break;
	}
}

static int on_monitor(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct manager *manager = userdata;
	int r = monitor_dispatch(manager->monitor);

	(void)fd;
	(void)events;
	if (r < 0) {
		log_error("device events can be received no more: %s; the service ends",
			strerror(-r));
		(void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
		begin_stop(manager, EXIT_FAILURE);
	}
	return 0;
}

/* --------------------------------------------------------------------------------- signals */

static int on_stop_signal(
	sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	(void)source;
	(void)info;
	begin_stop(userdata, EXIT_SUCCESS);
	return 0;
}

/* Once, when it becomes so: it may be weeks before the next board comes and finds no image. */
static void tell_watch(struct manager *manager)
{
	int error = watch_error(manager->watch);
	char directory[TEXT_MAX];

	text_escape(dispatcher_config(manager->dispatcher)->service.image_dir, directory,
		sizeof(directory));
	if (error < 0 && error != manager->images_error)
		log_warning(
			"image directory '%s': %s: no board is updated until it is there, or image-dir says where it is",
			directory, strerror(-error));
	else if (error == 0 && manager->images_error < 0)
		log_info("image directory '%s' is there again", directory);
	manager->images_error = error;
}

static void on_images(void *userdata)
{
	struct manager *manager = userdata;

	tell_watch(manager);
	dispatcher_images_changed(manager->dispatcher);
}

static int load_settings(struct manager *manager, const char *consequence)
{
	const struct settings_source source = {
		.directory = manager->options.configuration,
		.chips = manager->options.chips,
		.chips_dir = manager->chips_dir,
	};
	CLEANUP(config_done) struct config config = {0};
	const char *directory;
	int r = settings_load(
		&source, consequence, &config, manager->refusal, sizeof(manager->refusal));

	manager->is_refused = r != 0;
	if (r != 0)
		return r;
	manager->loaded_ms = wall_clock_msec();
	settings_note_loaded(manager->options.runtime, manager->options.configuration);
	dispatcher_set_config(manager->dispatcher, &config);
	directory = dispatcher_config(manager->dispatcher)->service.image_dir;
	/* Without a watch a change is noticed at the next plug-in. */
	if (manager->watch) {
		if (watch_set_directory(manager->watch, directory) < 0)
			log_warning("changes in %s cannot be noticed: out of memory", directory);
		manager->images_error = 0;
		tell_watch(manager);
	}
	/* The chip table was read to check the rules against it, and is gone again. */
	(void)malloc_trim(0);
	return 0;
}

/* Whoever asks: systemd waits for the end of a reload by what it is told of one. */
static int reload(struct manager *manager)
{
	int r;

	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, monotonic_usec());
	r = load_settings(manager, "the one before stays in force");
	if (r == 0) {
		log_event(LOG_INFO, MESSAGE_CONFIG_LOADED, NULL,
			"the configuration in %s was read again, rules: %zu",
			manager->options.configuration,
			dispatcher_config(manager->dispatcher)->n_boards);
		batch_check_rule(manager->dispatcher);
	}
	wake(manager);
	(void)sd_notify(0, "READY=1");
	return r;
}

static int on_reload_signal(
	sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	(void)source;
	(void)info;
	(void)reload(userdata);
	return 0;
}

static int on_reload(void *userdata, const char **ret_why)
{
	struct manager *manager = userdata;
	int r = reload(manager);

	*ret_why = manager->refusal;
	return r;
}

/* ---------------------------------------------------------------------------- start and end */

static int add_signal(struct manager *manager, sd_event_source **ret, int number,
	sd_event_signal_handler_t handler)
{
	return sd_event_add_signal(
		manager->event, ret, number | SD_EVENT_SIGNAL_PROCMASK, handler, manager);
}

static int add_sources(struct manager *manager)
{
	const struct watch_callbacks watch_callbacks = {
		.on_change = on_images, .userdata = manager};
	int r = add_signal(manager, &manager->signals[0], SIGTERM, on_stop_signal), watch_r = 0;

	if (r >= 0)
		r = add_signal(manager, &manager->signals[1], SIGINT, on_stop_signal);
	if (r >= 0)
		r = add_signal(manager, &manager->signals[2], SIGHUP, on_reload_signal);
	if (r >= 0)
		r = sd_event_add_defer(manager->event, &manager->turn_source, on_turn, manager);
	/* After all that is due in the same round: turns go by appearance, not by which timer was
	 * first. */
	if (r >= 0)
		r = sd_event_source_set_priority(manager->turn_source, SD_EVENT_PRIORITY_IDLE);
	if (r >= 0)
		r = backlog_init(&manager->backlog, manager->event);
	if (r >= 0)
		r = midnight_init(&manager->midnight, manager->event, wake, manager);
	if (r >= 0)
		r = sweep_init(&manager->sweep, manager->event, enumerate, manager);
	if (r >= 0)
		r = watch_r = watch_new(manager->event, &watch_callbacks, &manager->watch);
	if (watch_r == -EMFILE || watch_r == -ENFILE) {
		log_warning(
			"changes of images cannot be noticed while boards are plugged in: %s (fs.inotify.max_user_instances)",
			strerror(-watch_r));
		r = 0;
	}
	if (r >= 0)
		r = sd_event_set_watchdog(manager->event, true);
	if (r >= 0)
		r = monitor_new(on_bridge, manager, &manager->monitor);
	if (r >= 0)
		r = sd_event_add_io(manager->event, &manager->monitor_source,
			monitor_fd(manager->monitor), EPOLLIN, on_monitor, manager);
	return r;
}

static int retry(void *userdata, const struct retry_filter *filter)
{
	struct manager *manager = userdata;
	int n = retry_units(manager->dispatcher, &manager->records, filter);

	wake(manager);
	if (n >= 0)
		log_event(LOG_INFO, MESSAGE_FORGIVEN, NULL,
			filter->trials
				? "faster ways that were turned off are on trial again, as was asked for: %d"
				: "units that failed are tried again, as was asked for: %d",
			n);
	else
		log_error(
			"plugflash retry: the store in %s cannot be written (%s), so all stays as it is on record: mend that, then repeat the command",
			manager->records.directory, strerror(-n));
	return n;
}

/* A worker cannot say it: it has no log, and would say it at each board. */
static void check_confinement(void)
{
	if (prctl(PR_GET_SECCOMP) < 0)
		log_warning(
			"workers: this kernel has no seccomp: a board that takes over its worker can do what the user of the service can");
	else if (!landlock_is_there())
		log_warning(
			"workers: this kernel has no Landlock, or a container forbids it: they are confined by their filter of system calls alone");
}

/* A bridge was missed, for want of memory, and no event tells of it a second time. */
static void on_missed(void *userdata)
{
	struct manager *manager = userdata;

	sweep_soon(&manager->sweep, -ENOMEM);
}

static int add_dispatcher(struct manager *manager)
{
	const struct dispatcher_parts parts = {
		.event = manager->event,
		.chips = manager->options.chips,
		.chips_dir = manager->chips_dir,
		.worker = manager->options.worker,
		.state = manager->options.state,
		.records = &manager->records,
		.inhibitor = manager->inhibitor,
		.watch = manager->watch,
		.flaps = &manager->flaps,
		.hooks = &manager->hooks,
		.on_change = wake,
		.on_progress = on_progress,
		.on_end = on_end,
		.on_missed = on_missed,
		.userdata = manager,
	};

	return dispatcher_new(&parts, &manager->dispatcher);
}

/* Everything but the configuration. STORE_HELD is an entry already, as its problems are. */
static int set_up(struct manager *manager)
{
	const struct manager_options *options = &manager->options;
	const struct inhibitor_callbacks host_callbacks = {.on_change = wake, .userdata = manager};
	int r = sd_event_new(&manager->event);

	if (r < 0)
		return r;
	check_confinement();
	hooks_init(&manager->hooks, manager->event, wake, manager);
	if (asprintf(&manager->chips_dir, "%s/" NAME_CHIPS, options->configuration) < 0) {
		manager->chips_dir = NULL;
		return -ENOMEM;
	}
	r = records_open(&manager->records, options->state);
	if (r != 0)
		return r;
	r = inhibitor_new(manager->event, &host_callbacks, &manager->inhibitor);
	if (r < 0)
		return r;
	r = add_sources(manager);
	return r < 0 ? r : add_dispatcher(manager);
}

static void on_view(void *userdata, struct view_manager *ret)
{
	*ret = view_of(userdata);
}

static void on_settled(void *userdata)
{
	struct manager *manager = userdata;

	ready_tell(&manager->ready);
}

/* Once there is something to be seen. The service works without. */
static void add_bus(struct manager *manager)
{
	const struct bus_parts parts = {
		.methods = {.event = manager->event,
			.dispatcher = manager->dispatcher,
			.records = &manager->records,
			.images = {.event = manager->event,
				.worker = manager->options.worker,
				.chips = manager->options.chips,
				.chips_dir = manager->chips_dir},
			.on_retry = retry,
			.on_reload = on_reload,
			.userdata = manager},
		.on_view = on_view,
		.on_settled = on_settled,
		.userdata = manager,
	};
	int r = bus_new(&parts, &manager->bus);

	if (r < 0)
		log_warning("the system bus: %s: status, monitor and page do not see this service",
			strerror(-r));
}

int manager_new(const struct manager_options *options, struct manager **ret)
{
	struct manager *manager = calloc(1, sizeof(*manager));
	int r;

	if (!manager)
		return -ENOMEM;
	manager->options = *options;
	r = set_up(manager);
	if (r == STORE_HELD)
		r = -EBUSY;
	else if (r < 0)
		log_error("the service could not be set up: %s", strerror(-r));
	else
		r = load_settings(manager, "the service does not start");
	if (r != 0) {
		manager_free(manager);
		return r;
	}
	dispatcher_recall_pause(manager->dispatcher);
	batch_recall(manager->dispatcher);
	dispatcher_recall_owners(manager->dispatcher);
	*ret = manager;
	return 0;
}

struct manager *manager_free(struct manager *manager)
{
	if (!manager)
		return NULL;
	ready_done(&manager->ready);
	bus_free(manager->bus);
	dispatcher_free(manager->dispatcher);
	hooks_done(&manager->hooks);
	watch_free(manager->watch);
	inhibitor_free(manager->inhibitor);
	records_close(&manager->records);
	sd_event_source_disable_unref(manager->monitor_source);
	monitor_free(manager->monitor);
	sd_event_source_disable_unref(manager->turn_source);
	midnight_done(&manager->midnight);
	sweep_done(&manager->sweep);
	backlog_done(&manager->backlog);
	for (size_t i = 0; i < ARRAY_SIZE(manager->signals); i++)
		sd_event_source_disable_unref(manager->signals[i]);
	sd_event_unref(manager->event);
	free(manager->chips_dir);
	free(manager);
	return NULL;
}

/* Entries about the bridges that are there already come behind the one that counts them: the first
 * word of a start that went well is that the service is ready. */
static int begin(struct manager *manager)
{
	struct view_manager view;
	int r;

	dispatcher_begin_sweep(manager->dispatcher);
	r = monitor_enumerate(manager->monitor);
	if (r < 0) {
		log_error("the bridges could not be looked up: %s", strerror(-r));
		return r;
	}
	view = view_of(manager);
	log_event(LOG_INFO, MESSAGE_READY, NULL, "ready; rules: %u, bridges: %u, images in %s",
		view.rules, view.bridges, view.image_directory);
	dispatcher_end_sweep(manager->dispatcher);
	manager->told = view_of(manager);
	return 0;
}

int manager_run(struct manager *manager)
{
	int r = begin(manager);

	if (r < 0)
		return EXIT_FAILURE;
	add_bus(manager);
	wake(manager);
	ready_begin(&manager->ready, manager->event, bus_is_coming(manager->bus));
	r = sd_event_loop(manager->event);
	if (r < 0) {
		log_error("the event loop failed: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	return r;
}
