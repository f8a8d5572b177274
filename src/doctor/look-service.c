/* SPDX-License-Identifier: MIT */
/* look-service.c - the service: what it says of itself on the bus, what systemd says of its unit,
 * and its store. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <systemd/sd-event.h>

#include "base/processes.h"
#include "doctor/file.h"
#include "doctor/loaded.h"
#include "doctor/look.h"
#include "records/database.h"
#include "records/store-file.h"
#include "records/store.h"
#include "service/systemd1.h"

#define UNIT "plugflashd.service"

/* Whoever has not answered by then does not. */
#define TIMEOUT_MSEC 5000

/* All pages of a larger store take more than a moment to read. */
#define CHECK_MOST_BYTES (256 * 1024 * 1024)

/* ------------------------------------------------------------------ its unit */

struct asking {
	struct host_service *service;
	bool is_answered;
};

static enum host_unit_state state_of_unit(const struct systemd_unit *unit)
{
	if (strcmp(unit->load, "not-found") == 0)
		return HOST_UNIT_NOT_FOUND;
	if (strcmp(unit->active, "failed") == 0)
		return HOST_UNIT_FAILED;
	if (strcmp(unit->active, "inactive") == 0 || strcmp(unit->active, "deactivating") == 0)
		return HOST_UNIT_INACTIVE;
	if (strcmp(unit->active, "activating") == 0)
		return HOST_UNIT_STARTING;
	return HOST_UNIT_ACTIVE;
}

static void on_units(void *userdata, const struct systemd1_answer *answer)
{
	struct asking *asking = userdata;

	asking->is_answered = true;
	if (!answer->fault && answer->n_units > 0)
		asking->service->unit = state_of_unit(&answer->units[0]);
}

/* Nothing is said where systemd cannot be asked: that is no fault of plugflash. */
static int look_unit(struct host_service *service)
{
	char *const names[] = {(char *)UNIT};
	struct asking asking = {.service = service};
	struct systemd1 *systemd1 = NULL;
	sd_event *event = NULL;
	int r = sd_event_new(&event);

	if (r >= 0)
		r = systemd1_new(event, &systemd1);
	if (r >= 0)
		r = systemd1_list(systemd1, names, ARRAY_SIZE(names), on_units, &asking);
	while (r >= 0 && !asking.is_answered) {
		r = sd_event_run(event, TIMEOUT_MSEC * USEC_PER_MSEC);
		if (r == 0)
			break;
	}
	systemd1_free(systemd1);
	sd_event_unref(event);
	return r == -ENOMEM ? r : 0;
}

/* systemd.unit(5): [Install] makes a link in the folder of what wants it. */
static bool is_enabled(const char *root)
{
	static const char *const folders[] = {"/etc/systemd/system", "/run/systemd/system"};
	static const char *const wanting[] = {
		"multi-user.target", "default.target", "graphical.target"};

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		for (size_t k = 0; k < ARRAY_SIZE(wanting); k++) {
			char path[FILE_PATH_MAX], target[64];

			if (file_link_name(file_path(path, root, "%s/%s.wants/" UNIT, folders[i],
						   wanting[k]),
				    target, sizeof(target)))
				return true;
		}
	return false;
}

/* ------------------------------------------------------------------ on the bus */

static void take_bridges(const struct client *client, struct host *host)
{
	const struct client_object *bridge = NULL;

	while ((bridge = client_next(client, CLIENT_BRIDGE, bridge)))
		for (size_t i = 0; i < host->n_ports; i++)
			if (strcmp(dict_text(&bridge->properties, "Port"),
				    host->ports[i].facts.port) == 0)
				host->ports[i].is_worked_on =
					strcmp(dict_text(&bridge->properties, "State"),
						"working") == 0;
}

static void take_manager(const struct client *client, struct host_service *service)
{
	const struct dict *manager = client_manager(client);

	service->is_config_stale = dict_flag(manager, "ConfigStale");
	text_copy(service->config_error, sizeof(service->config_error),
		dict_text(manager, "ConfigError"));
	service->is_paused = strcmp(dict_text(manager, "State"), "paused") == 0;
	text_copy(service->pause_reason, sizeof(service->pause_reason),
		dict_text(manager, "PauseReason"));
}

/* proc(5): the link to the program of a process, once that was replaced or taken away. */
static bool is_replaced(const char *root)
{
	char path[FILE_PATH_MAX], pid[PROCESSES_PID_MAX], target[64];

	return processes_find(root, "plugflashd", pid) &&
	       file_link_name(file_path(path, root, "/proc/%s/exe", pid), target, sizeof(target)) &&
	       text_ends_with(target, " (deleted)");
}

int look_service(const char *root, const char *configuration, struct host *ret)
{
	CLEANUP(client_freep) struct client *client = NULL;
	struct host_service *service = &ret->service;
	int r = client_open(NULL, NULL, TIMEOUT_MSEC, &client);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	service->presence = client_presence(client);
	if (service->presence == CLIENT_THERE) {
		take_manager(client, service);
		take_bridges(client, ret);
	}
	if (!loaded_is_older(configuration, service->newer, sizeof(service->newer)))
		service->newer[0] = '\0';
	service->is_enabled = is_enabled(root);
	service->is_replaced = is_replaced(root);
	return service->presence == CLIENT_NO_BUS || service->presence == CLIENT_ASKING
		       ? 0
		       : look_unit(service);
}

/* ------------------------------------------------------------------ the store */

static enum host_store_state open_store(struct host_store *store)
{
	struct store *opened = NULL;
	int r = store_open_to_read(store->directory, &opened, &store->reason);

	store_close(opened);
	switch (r) {
	case STORE_OK:
		return HOST_STORE_GOOD;
	case STORE_NEWER:
		return HOST_STORE_NEWER;
	case -ENOTSUP:
		return HOST_STORE_OLDER;
	case -ENOENT:
		return HOST_STORE_NONE;
	case -EACCES:
	case -EPERM:
		return HOST_STORE_HIDDEN;
	case -EBADMSG:
		return HOST_STORE_DAMAGED;
	default:
		return HOST_STORE_UNREADABLE;
	}
}

/* The service has read all pages when it was started; nobody has where it does not run. */
static void check_pages(const char *path, struct host_store *store)
{
	struct database *database = NULL;
	struct stat status;
	int r;

	if (stat(path, &status) < 0 || status.st_size > CHECK_MOST_BYTES)
		return;
	r = database_open(path, true, &database, &store->reason);
	if (r == 0)
		r = database_check(database, &store->reason);
	database_close(database);
	if (r == -EBADMSG)
		store->state = HOST_STORE_DAMAGED;
}

void look_store(const char *directory, struct host *ret)
{
	struct host_store *store = &ret->store;
	char path[FILE_PATH_MAX], lock[FILE_PATH_MAX];

	text_copy(store->directory, sizeof(store->directory), directory);
	store->state = open_store(store);
	file_path(path, directory, "/" STORE_NAME);
	if (!store_file_find_aside(path, store->aside, sizeof(store->aside)))
		store->aside[0] = '\0';
	store->is_held = access(file_path(lock, directory, "/" STORE_LOCK_NAME), R_OK) == 0 &&
			 store_file_is_locked(directory);
	if (store->state == HOST_STORE_GOOD && !store->is_held)
		check_pages(path, store);
}
