/* SPDX-License-Identifier: MIT */
/*
 * client.h - the service as its clients see it over the bus: a mirror of its objects, and calls of
 * its methods. Command, page and fleet share it; none of them sees sd-bus.
 *
 * The mirror takes bus and service when they come, and again when they come again. Nothing waits
 * and nothing polls, but for client_open(), client_wait() and client_call_wait(), which are for a
 * command that has nothing else to do.
 *
 * Properties are those of the bus under their names there ("State", "LastOutcome", ...).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "api/client-mirror.h"
#include "api/dict.h"

enum client_presence {
	CLIENT_ASKING,	   /* not known yet */
	CLIENT_NO_BUS,	   /* it is waited for */
	CLIENT_NO_SERVICE, /* there is a bus, and the service is waited for */
	CLIENT_REFUSED,	   /* the service does not tell its state; it is asked again now and then */
	CLIENT_THERE,	   /* the mirror is whole */
	CLIENT_PRESENCE_MAX,
};

struct client;

/*
 * Each may be NULL. None of them may free the client; calls and questions are welcome.
 */
struct client_callbacks {
	/*
	 * The presence is another. With CLIENT_THERE every object is in the mirror; with all others
	 * there is none. A service that was restarted is gone first, and there again then.
	 */
	void (*on_presence)(void *userdata, enum client_presence presence);
	/*
	 * One object came, changed or goes, while the service is there. One that goes is out of the
	 * mirror already, and freed after the call.
	 */
	void (*on_change)(
		void *userdata, const struct client_object *object, enum client_change change);
	/* A job has ended, and its object goes right after. The report is of report_to_dict(). */
	void (*on_job_removed)(
		void *userdata, const char *path, const char *outcome, const struct dict *report);
};

/*
 * The callbacks are borrowed, the loop is referenced. The bus is that of DBUS_SYSTEM_BUS_ADDRESS,
 * else the system's; that it is not there is no failure. 0 or -errno.
 */
int client_new(sd_event *event, const struct client_callbacks *callbacks, void *userdata,
	struct client **ret);

/* NULL is fine. Calls that are not answered are dropped without a reply. */
struct client *client_free(struct client *client);
void client_freep(struct client **client); /* for CLEANUP() */

enum client_presence client_presence(const struct client *client);

/* Why it is not there, a whole sentence that says what to do; "" with CLIENT_THERE. */
const char *client_why(const struct client *client);

/* The objects of one kind, from `before` (NULL: the first) on; NULL behind the last. */
const struct client_object *client_next(
	const struct client *client, enum client_kind kind, const struct client_object *before);

/* The object of that path, or NULL. */
const struct client_object *client_find(const struct client *client, const char *path);

/* All of them; empty where the service is not there. */
const struct mirror *client_mirror(const struct client *client);

/* The properties of the manager; empty ones where the service is not there. */
const struct dict *client_manager(const struct client *client);

/* ------------------------------------------------------------------------------- calls */

enum client_result {
	CLIENT_DONE,
	CLIENT_NOT_FOUND,	 /* there is no such bridge, job or rule */
	CLIENT_BUSY,		 /* somebody else is at it */
	CLIENT_NOT_PERMITTED,	 /* this user may not */
	CLIENT_NOT_POSSIBLE,	 /* not now, or not with this */
	CLIENT_INVALID_ARGUMENT, /* a mistake of the caller */
	CLIENT_AWAY,		 /* the service is not there, or went before it answered */
	CLIENT_SILENT,		 /* no answer in time */
	CLIENT_FAILED,		 /* anything else */
	CLIENT_RESULT_MAX,
};

struct client_answer {
	enum client_result result;
	char *reason;	 /* in words, other than with CLIENT_DONE */
	char *text;	 /* the first s or o of the answer; NULL none */
	uint64_t number; /* the first u or t */
	int fd;		 /* the h, -1 none; whoever takes it leaves -1 behind */
	struct dict *rows;
	size_t n_rows; /* the aa{sv} */
};

/* Frees what it holds. For CLEANUP(), too; a zeroed one must have the fd -1. */
void client_answer_done(struct client_answer *answer);

struct client_call {
	enum client_kind kind; /* its interface */
	const char *path;      /* NULL: the manager's */
	const char *method;
	const struct dict *options; /* the a{sv} that every method ends with; NULL: empty */
	bool may_ask;		    /* polkit may ask the user for a password */
	uint64_t timeout_ms;	    /* 0: 25 s, 330 s with may_ask; UINT64_MAX: none */
};

/* The answer is the client's, but what the reply takes out of it. */
typedef void client_reply(void *userdata, struct client_answer *answer);

/*
 * Calls the method; `types` are those of its arguments but the options: "o", "ss", "tu", or "" for
 * none, and the values follow: const char * for s and o, uint32_t for u, uint64_t for t. `reply` is
 * called once, later and never from within this call, also with CLIENT_AWAY where the service is
 * not there. 0, or -errno and no reply follows.
 */
int client_call(struct client *client, const struct client_call *call, client_reply *reply,
	void *userdata, const char *types, ...);

/*
 * Whether this process may do what polkit knows as `action` (BUS_ACTION_OPERATE), without a
 * password: CLIENT_DONE, or CLIENT_NOT_PERMITTED also where there is no polkit or none that answers
 * within 2 s; CLIENT_AWAY without a bus.
 */
int client_may(struct client *client, const char *action, client_reply *reply, void *userdata);

/* Calls with that userdata get no reply any more: whoever waits for it is gone. */
void client_forget(struct client *client, const void *userdata);

/* ------------------------------------------------------------------- for a command alone */

/*
 * A client with a loop of its own, once it is known whether the service is there, or after so many
 * milliseconds; client_presence() says which. 0 or -errno.
 */
int client_open(const struct client_callbacks *callbacks, void *userdata, uint64_t timeout_ms,
	struct client **ret);

enum client_wait {
	CLIENT_WAIT_TIMEOUT = 1,
	CLIENT_WAIT_INTERRUPTED, /* there is something to be read from `fd` */
};

/*
 * Runs the loop until the question is answered by true. It is asked at first, and after each
 * event. `timeout_ms` UINT64_MAX: no limit; `fd` -1: none. 0, an enum client_wait, or -errno.
 */
int client_wait(struct client *client, uint64_t timeout_ms, int fd, bool (*is_done)(void *userdata),
	void *userdata);

/* client_call(), and the answer, within the time of the call. 0 or -errno. */
int client_call_wait(struct client *client, const struct client_call *call,
	struct client_answer *ret, const char *types, ...);
