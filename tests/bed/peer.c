/* SPDX-License-Identifier: MIT */
#include "bed/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/names.h"
#include "base/util.h"
#include "bed/bed-private.h"
#include "bed/enclosure.h"

struct peers {
	struct bed *bed;
	sd_event *event;
};

struct peer {
	struct peers *peers;
	sd_bus *bus;
	struct {
		sd_bus_message *message;
		uint64_t time;
	} * signals;
	size_t n_signals;
};

static void check(const char *what, int r)
{
	if (r < 0)
		bed_die(what, -r);
}

/* ---------------------------------------------------------------------------------- the loop */

/* Also after whatever was sent from outside of it: what is waited for may be another. */
static void on_ready(void *userdata)
{
	struct peers *peers = userdata;
	int r;

	do
		r = sd_event_run(peers->event, 0);
	while (r > 0);
	check("the loop of the peers", r);
}

struct peers *peers_new(struct bed *bed)
{
	struct peers *peers = calloc(1, sizeof(*peers));

	if (!peers)
		bed_die("peers", ENOMEM);
	peers->bed = bed;
	check("the loop of the peers", sd_event_new(&peers->event));
	bed_watch(bed, sd_event_get_fd(peers->event), on_ready, peers);
	return peers;
}

struct peers *peers_free(struct peers *peers)
{
	if (!peers)
		return NULL;
	bed_watch(peers->bed, -1, NULL, NULL);
	sd_event_unref(peers->event);
	free(peers);
	return NULL;
}

/* -------------------------------------------------------------------------------- a client */

static int on_signal(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct peer *peer = userdata;

	(void)error;
	peer->signals = room_for_one(peer->signals, peer->n_signals, sizeof(*peer->signals));
	if (!peer->signals)
		bed_die("signals", ENOMEM);
	peer->signals[peer->n_signals].time = bed_now();
	peer->signals[peer->n_signals++].message = sd_bus_message_ref(message);
	return 0;
}

static sd_bus *connect_bus(struct peers *peers)
{
	sd_bus *bus;

	check("the bus", sd_bus_open_system(&bus));
	check("the bus", sd_bus_attach_event(bus, peers->event, SD_EVENT_PRIORITY_NORMAL));
	on_ready(peers);
	return bus;
}

struct peer *peer_new(struct peers *peers)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		bed_die("peer", ENOMEM);
	peer->peers = peers;
	peer->bus = connect_bus(peers);
	check("signals", sd_bus_add_match(peer->bus, NULL, "type='signal',sender='" BUS_NAME "'",
				 on_signal, peer));
	check("signals",
		sd_bus_add_match(peer->bus, NULL,
			"type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged'"
			",arg0='" BUS_NAME "'",
			on_signal, peer));
	return peer;
}

void peer_forget(struct peer *peer)
{
	while (peer->n_signals > 0)
		sd_bus_message_unref(peer->signals[--peer->n_signals].message);
	free(peer->signals);
	peer->signals = NULL;
}

struct peer *peer_free(struct peer *peer)
{
	if (!peer)
		return NULL;
	peer_forget(peer);
	sd_bus_close_unref(peer->bus);
	free(peer);
	return NULL;
}

sd_bus *peer_bus(struct peer *peer)
{
	return peer->bus;
}

/* --------------------------------------------------------------------------------- signals */

size_t peer_signals(const struct peer *peer)
{
	return peer->n_signals;
}

sd_bus_message *peer_signal(struct peer *peer, size_t n)
{
	if (n >= peer->n_signals)
		return NULL;
	check("a signal", sd_bus_message_rewind(peer->signals[n].message, true));
	return peer->signals[n].message;
}

uint64_t peer_signal_time(const struct peer *peer, size_t n)
{
	return peer->signals[n].time;
}

size_t peer_count(const struct peer *peer, const char *member, const char *path)
{
	size_t n = 0;

	for (size_t i = 0; i < peer->n_signals; i++)
		n += strcmp(sd_bus_message_get_member(peer->signals[i].message), member) == 0 &&
		     (!path ||
			     strcmp(sd_bus_message_get_path(peer->signals[i].message), path) == 0);
	return n;
}

struct count_wait {
	const struct peer *peer;
	const char *member, *path;
	size_t n;
};

static bool are_so_many(void *userdata)
{
	const struct count_wait *wait = userdata;

	return peer_count(wait->peer, wait->member, wait->path) >= wait->n;
}

bool peer_wait_count(
	struct peer *peer, unsigned milliseconds, const char *member, const char *path, size_t n)
{
	struct count_wait wait = {peer, member, path, n};

	return bed_wait(peer->peers->bed, milliseconds, are_so_many, &wait);
}

/* ---------------------------------------------------------------------------------- calls */

static int on_answer(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	sd_bus_message **ret = userdata;

	(void)error;
	*ret = sd_bus_message_ref(message);
	return 0;
}

static bool has_come(void *userdata)
{
	sd_bus_message **answer = userdata;

	return *answer != NULL;
}

void peer_send(struct peer *peer, sd_bus_message *call, sd_bus_message **ret)
{
	*ret = NULL;
	check("a call", sd_bus_call_async(
				peer->bus, NULL, call, on_answer, ret, UINT64_C(1000) * BED_LONG));
	on_ready(peer->peers);
}

sd_bus_message *peer_wait(struct peer *peer, sd_bus_message **answer)
{
	if (!bed_wait(peer->peers->bed, BED_LONG, has_come, answer))
		bed_die("an answer on the bus", ETIMEDOUT);
	return *answer;
}

sd_bus_message *peer_call(struct peer *peer, const char *path, const char *interface,
	const char *method, const char *types, ...)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *call = NULL;
	sd_bus_message *answer;
	va_list arguments;

	check(method, sd_bus_message_new_method_call(peer->bus, &call, BUS_NAME, path,
			      interface ? interface : BUS_MANAGER, method));
	va_start(arguments, types);
	check(method, sd_bus_message_appendv(call, types, arguments));
	va_end(arguments);
	peer_send(peer, call, &answer);
	return peer_wait(peer, &answer);
}

static sd_bus_message *call_bus(struct peer *peer, const char *method, const char *name)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *call = NULL;
	sd_bus_message *answer;

	check(method, sd_bus_message_new_method_call(peer->bus, &call, "org.freedesktop.DBus",
			      "/org/freedesktop/DBus", "org.freedesktop.DBus", method));
	check(method, sd_bus_message_append(call, "s", name));
	peer_send(peer, call, &answer);
	return peer_wait(peer, &answer);
}

bool peer_wait_name(struct peer *peer, unsigned milliseconds, const char *name, bool is_there)
{
	uint64_t deadline = bed_now() + milliseconds * UINT64_C(1000000);
	int owned = -1;

	do {
		CLEANUP(sd_bus_message_unrefp)
		sd_bus_message *answer = call_bus(peer, "NameHasOwner", name);

		check("NameHasOwner", sd_bus_message_read(answer, "b", &owned));
	} while ((owned != 0) != is_there && bed_now() < deadline);
	return (owned != 0) == is_there;
}

/* ----------------------------------------------------------------------------- properties */

static int value_as_text(sd_bus_message *message, char to[1024])
{
	const char *text;
	char type;
	uint64_t number = 0;
	uint32_t small = 0;
	double share;
	int flag, r = sd_bus_message_peek_type(message, &type, NULL);

	if (r < 0)
		return r;
	switch (type) {
	case 's':
	case 'o':
		r = sd_bus_message_read_basic(message, type, &text);
		if (r >= 0)
			snprintf(to, 1024, "%s", text);
		return r;
	case 'b':
		r = sd_bus_message_read(message, "b", &flag);
		snprintf(to, 1024, "%s", r >= 0 && flag ? "true" : "false");
		return r;
	case 'd':
		r = sd_bus_message_read(message, "d", &share);
		if (r >= 0)
			snprintf(to, 1024, "%.4f", share);
		return r;
	case 'u':
		r = sd_bus_message_read(message, "u", &small);
		number = small;
		break;
	case 't':
		r = sd_bus_message_read(message, "t", &number);
		break;
	default:
		return -EINVAL;
	}
	snprintf(to, 1024, "%" PRIu64, number);
	return r;
}

const char *peer_property(
	struct peer *peer, const char *path, const char *interface, const char *name, char to[1024])
{
	CLEANUP(sd_bus_message_unrefp)
	sd_bus_message *answer = peer_call(
		peer, path, "org.freedesktop.DBus.Properties", "Get", "ss", interface, name);
	const char *type;

	to[0] = '\0';
	if (sd_bus_message_is_method_error(answer, NULL) ||
		sd_bus_message_peek_type(answer, NULL, &type) < 0 ||
		sd_bus_message_enter_container(answer, 'v', type) < 0 ||
		value_as_text(answer, to) < 0)
		to[0] = '\0';
	return to;
}

bool peer_wait_property(struct peer *peer, unsigned milliseconds, const char *path,
	const char *interface, const char *name, const char *value)
{
	uint64_t deadline = bed_now() + milliseconds * UINT64_C(1000000);
	char got[1024];

	do {
		if (strcmp(peer_property(peer, path, interface, name, got), value) == 0)
			return true;
		bed_run(peer->peers->bed, 1);
	} while (bed_now() < deadline);
	printf("# %s.%s of %s is '%s', not '%s'\n", interface, name, path, got, value);
	return false;
}

/* ---------------------------------------------------------------------------------- polkit */

struct polkit {
	struct peers *peers;
	sd_bus *bus;
	sd_bus_slot *slot;
	enum polkit_word word;
	unsigned n_asked;
	char last[200];
	sd_bus_message *waiting[128];
	size_t n_waiting;
};

static int answer_one(struct polkit *polkit, sd_bus_message *call)
{
	return sd_bus_reply_method_return(
		call, "(bba{ss})", polkit->word == POLKIT_YES, polkit->word == POLKIT_CHALLENGE, 0);
}

static int on_check(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	struct polkit *polkit = userdata;
	const char *kind, *name, *action;
	uint32_t flags;
	int r = sd_bus_message_enter_container(call, 'r', "sa{sv}");

	(void)error;
	if (r >= 0)
		r = sd_bus_message_read(call, "s", &kind);
	if (r >= 0)
		r = sd_bus_message_read(call, "a{sv}", 1, &name, "s", &name);
	if (r >= 0)
		r = sd_bus_message_exit_container(call);
	if (r >= 0)
		r = sd_bus_message_read(call, "s", &action);
	if (r >= 0)
		r = sd_bus_message_skip(call, "a{ss}");
	if (r >= 0)
		r = sd_bus_message_read(call, "u", &flags);
	check("CheckAuthorization", r);
	polkit->n_asked++;
	snprintf(polkit->last, sizeof(polkit->last), "%s:%u:%s", action, flags, kind);
	if (polkit->word != POLKIT_MUTE)
		return answer_one(polkit, call);
	if (polkit->n_waiting == ARRAY_SIZE(polkit->waiting))
		bed_die("polkit", E2BIG);
	polkit->waiting[polkit->n_waiting++] = sd_bus_message_ref(call);
	return 1;
}

static const sd_bus_vtable authority[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})", on_check,
		SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

struct polkit *polkit_new(struct peers *peers)
{
	struct polkit *polkit = calloc(1, sizeof(*polkit));

	if (!polkit)
		bed_die("polkit", ENOMEM);
	polkit->peers = peers;
	polkit->bus = connect_bus(peers);
	check("polkit", sd_bus_add_object_vtable(polkit->bus, &polkit->slot,
				"/org/freedesktop/PolicyKit1/Authority",
				"org.freedesktop.PolicyKit1.Authority", authority, polkit));
	check("polkit", sd_bus_request_name(polkit->bus, "org.freedesktop.PolicyKit1", 0));
	return polkit;
}

void polkit_answer_all(struct polkit *polkit)
{
	while (polkit->n_waiting > 0) {
		sd_bus_message *call = polkit->waiting[--polkit->n_waiting];

		check("polkit", answer_one(polkit, call));
		sd_bus_message_unref(call);
	}
	on_ready(polkit->peers);
}

struct polkit *polkit_free(struct polkit *polkit)
{
	if (!polkit)
		return NULL;
	while (polkit->n_waiting > 0)
		sd_bus_message_unref(polkit->waiting[--polkit->n_waiting]);
	sd_bus_slot_unref(polkit->slot);
	sd_bus_close_unref(polkit->bus);
	free(polkit);
	return NULL;
}

void polkit_say(struct polkit *polkit, enum polkit_word word)
{
	polkit->word = word;
}

unsigned polkit_asked(const struct polkit *polkit)
{
	return polkit->n_asked;
}

const char *polkit_last(const struct polkit *polkit)
{
	return polkit->last;
}

/* --------------------------------------------------------------------------- other programs */

/* In the child of a process with threads: only what is safe there, and what only this one uses. */
static bool be_user(uid_t user, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
	if (user == 0)
		return true;
	if (setgroups(0, NULL) < 0 || setgid(user) < 0 || setuid(user) < 0)
		return false;
	/* It does not outlive a change of the user. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return true;
}

pid_t peers_fork(struct peers *peers, uid_t user, int (*child)(void *userdata), void *userdata)
{
	pid_t parent = getpid(), pid = fork();

	(void)peers;
	if (pid < 0)
		bed_die("fork", errno);
	if (pid == 0)
		_exit(be_user(user, parent) ? child(userdata) : PEERS_NO_USER);
	return pid;
}

pid_t peers_spawn(struct peers *peers, uid_t user, const char *name, const char *const argv[])
{
	char path[400];
	pid_t parent = getpid(), child = fork();
	int to;

	if (child < 0)
		bed_die("fork", errno);
	if (child > 0)
		return child;
	snprintf(path, sizeof(path), "%s/%s", bed_directory(peers->bed), name);
	to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (to < 0 || dup2(to, STDOUT_FILENO) < 0 || dup2(to, STDERR_FILENO) < 0)
		_exit(126);
	if (!be_user(user, parent))
		_exit(PEERS_NO_USER);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}
