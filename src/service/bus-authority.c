/* SPDX-License-Identifier: MIT */
/*
 * bus-authority.c - a call that wants to change something, in these steps:
 *
 *   authority_ask()   it is kept
 *   on_user()         the bus has said whose it is: root and our own user go on at once
 *   on_word()         polkit has said whether that user may
 *   answer()          it is done, or refused; it is forgotten
 *
 * Each step is a call that is answered later, never one that waits: polkit starts on demand, and
 * asks people for passwords where the caller lets it (the flag of his message).
 *
 * polkit answers a service that is not root because the actions name its user as their owner
 * (org.plugflash1.policy).
 */
#include "service/bus-authority.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/names.h"
#include "base/util.h"

#define DRIVER		 "org.freedesktop.DBus"
#define POLKIT		 "org.freedesktop.PolicyKit1"
#define POLKIT_PATH	 "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_AUTHORITY POLKIT ".Authority"

/* Time for somebody to be fetched who knows the password. */
#define POLKIT_USEC (300 * USEC_PER_SEC)

/* CheckAuthorizationFlags */
#define ALLOW_INTERACTION 1

#define TOO_MANY	  "too many calls wait for polkit: wait for their answers, then call again"

struct petition {
	TAILQ_ENTRY(petition) link;
	struct authority *authority;
	sd_bus_message *call;
	const char *action;
	authority_handler handler;
	void *userdata;
	sd_bus_slot *slot; /* the answer that is waited for */
	uint32_t user;
	bool is_asked; /* it is polkit's answer */
};

static void forget(struct petition *petition)
{
	struct authority *authority = petition->authority;

	TAILQ_REMOVE(&authority->petitions, petition, link);
	authority->n_petitions--;
	sd_bus_slot_unref(petition->slot);
	sd_bus_message_unref(petition->call);
	free(petition);
}

/* The last step: `error` is set where it is refused. */
static void answer(struct petition *petition, sd_bus_error *error)
{
	int r = 0;

	if (!sd_bus_error_is_set(error))
		r = petition->handler(petition->userdata, petition->call, error);
	if (sd_bus_error_is_set(error))
		r = sd_bus_reply_method_error(petition->call, error);
	else if (r < 0)
		r = sd_bus_reply_method_errno(petition->call, r, NULL);
	if (r < 0)
		log_debug("an answer cannot be sent: %s", strerror(-r));
	sd_bus_error_free(error);
	forget(petition);
}

/* --------------------------------------------------------------------------------- polkit */

static bool is_absent(const sd_bus_error *said)
{
	return sd_bus_error_has_names(said, SD_BUS_ERROR_SERVICE_UNKNOWN,
		SD_BUS_ERROR_NAME_HAS_NO_OWNER, SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_TIMEOUT,
		SD_BUS_ERROR_DISCONNECTED, "org.freedesktop.DBus.Error.Spawn.ServiceNotFound",
		"org.freedesktop.DBus.Error.Spawn.ExecFailed",
		"org.freedesktop.DBus.Error.Spawn.ChildExited",
		"org.freedesktop.systemd1.NoSuchUnit", "org.freedesktop.systemd1.UnitMasked");
}

/* Who steers may be in the group; who may have the configuration read again is an administrator. */
static void set_denied(const struct petition *petition, bool is_challenge, sd_bus_error *error)
{
	bool is_for_group = strcmp(petition->action, BUS_ACTION_OPERATE) == 0;

	sd_bus_error_setf(error, BUS_ERROR_DENIED, "%s: polkit %s: %scall as root%s",
		petition->action, is_challenge ? "wants a password" : "does not let you do this",
		is_challenge ? "allow interactive authorization, or " : "",
		is_for_group ? ", or have your user put into the group plugflash-operators" : "");
}

static int on_word(sd_bus_message *message, void *userdata, sd_bus_error *unused)
{
	struct petition *petition = userdata;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	const sd_bus_error *said = sd_bus_message_get_error(message);
	int is_allowed = 0, is_challenge = 0;
	int r = 0;

	(void)unused;
	if (!said)
		r = sd_bus_message_enter_container(message, 'r', "bba{ss}");
	if (!said && r >= 0)
		r = sd_bus_message_read(message, "bb", &is_allowed, &is_challenge);
	if (said && is_absent(said))
		sd_bus_error_setf(&error, BUS_ERROR_DENIED,
			"%s: polkit is not there to say whether you may (%s): call as root, or install polkitd",
			petition->action, said->name);
	else if (said)
		sd_bus_error_setf(&error, BUS_ERROR_DENIED, "%s: polkit: %s", petition->action,
			said->message ? said->message : said->name);
	else if (r < 0 || !is_allowed)
		set_denied(petition, r >= 0 && is_challenge, &error);
	answer(petition, &error);
	return 0;
}

static int ask_polkit(struct petition *petition)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *message = NULL;
	sd_bus *bus = petition->authority->bus;
	uint32_t flags = sd_bus_message_get_allow_interactive_authorization(petition->call) > 0
				 ? ALLOW_INTERACTION
				 : 0;
	int r = sd_bus_message_new_method_call(
		bus, &message, POLKIT, POLKIT_PATH, POLKIT_AUTHORITY, "CheckAuthorization");

	if (r >= 0)
		r = sd_bus_message_append(message, "(sa{sv})s", "system-bus-name", 1, "name", "s",
			sd_bus_message_get_sender(petition->call), petition->action);
	if (r >= 0)
		r = sd_bus_message_append(message, "a{ss}us", 0, flags, "");
	petition->slot = sd_bus_slot_unref(petition->slot);
	if (r >= 0)
		r = sd_bus_call_async(
			bus, &petition->slot, message, on_word, petition, POLKIT_USEC);
	petition->is_asked = r >= 0;
	return r;
}

static bool is_place_left(const struct authority *authority, uint32_t user)
{
	const struct petition *petition;
	size_t n = 0, n_of_user = 0;

	TAILQ_FOREACH(petition, &authority->petitions, link)
	{
		n += petition->is_asked;
		n_of_user += petition->is_asked && petition->user == user;
	}
	return n < AUTHORITY_MOST_ASKED && n_of_user < AUTHORITY_MOST_OF_USER;
}

/* ---------------------------------------------------------------------------------- the user */

static int on_user(sd_bus_message *message, void *userdata, sd_bus_error *unused)
{
	struct petition *petition = userdata;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	uint32_t user = UINT32_MAX;
	int r = sd_bus_message_get_error(message) ? -ESRCH
						  : sd_bus_message_read(message, "u", &user);

	(void)unused;
	if (r >= 0 && user != 0 && user != geteuid()) {
		if (!is_place_left(petition->authority, user)) {
			sd_bus_error_set_const(&error, BUS_ERROR_BUSY, TOO_MANY);
			answer(petition, &error);
			return 0;
		}
		petition->user = user;
		r = ask_polkit(petition);
		if (r >= 0)
			return 0;
	}
	/* Who has left the bus does not read this. */
	if (r < 0)
		sd_bus_error_setf(&error, BUS_ERROR_DENIED,
			"%s: it cannot be asked whether you may: %s", petition->action,
			strerror(-r));
	answer(petition, &error);
	return 0;
}

/* ------------------------------------------------------------------------------------- asked */

static size_t count_of(const struct authority *authority, const char *sender)
{
	const struct petition *petition;
	size_t n = 0;

	TAILQ_FOREACH(petition, &authority->petitions, link)
	{
		n += strcmp(sd_bus_message_get_sender(petition->call), sender) == 0;
	}
	return n;
}

int authority_ask(struct authority *authority, sd_bus_message *call, const char *action,
	authority_handler handler, void *userdata, sd_bus_error *error)
{
	const char *sender = sd_bus_message_get_sender(call);
	struct petition *petition;
	int r;

	if (!sender || !authority->bus)
		return -EBADMSG;
	if (authority->n_petitions >= AUTHORITY_MOST ||
		count_of(authority, sender) >= AUTHORITY_MOST_OF_ONE)
		return sd_bus_error_set_const(error, BUS_ERROR_BUSY, TOO_MANY);
	petition = calloc(1, sizeof(*petition));
	if (!petition)
		return -ENOMEM;
	*petition = (struct petition){.authority = authority,
		.call = sd_bus_message_ref(call),
		.action = action,
		.handler = handler,
		.userdata = userdata};
	TAILQ_INSERT_TAIL(&authority->petitions, petition, link);
	authority->n_petitions++;
	r = sd_bus_call_method_async(authority->bus, &petition->slot, DRIVER,
		"/org/freedesktop/DBus", DRIVER, "GetConnectionUnixUser", on_user, petition, "s",
		sender);
	if (r >= 0)
		return 1;
	forget(petition);
	return r;
}

void authority_init(struct authority *authority)
{
	*authority = (struct authority){0};
	TAILQ_INIT(&authority->petitions);
}

void authority_put(struct authority *authority, sd_bus *bus)
{
	authority->bus = bus;
}

void authority_drop(struct authority *authority)
{
	struct petition *petition = TAILQ_FIRST(&authority->petitions), *next;

	for (; petition; petition = next) {
		next = TAILQ_NEXT(petition, link);
		forget(petition);
	}
	authority->bus = NULL;
}
