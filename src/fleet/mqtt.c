/* SPDX-License-Identifier: MIT */
/*
 * mqtt.c - libmosquitto on our event loop, without its thread.
 *
 * A connection is an object of the library from its beginning to its end: what it holds,
 * certificates too, is read anew each time, and nothing of it outlives the connection. The session
 * is the broker's: it keeps what came for this client id meanwhile. The first connection ends one
 * that another process left, or other settings: what was subscribed to then is not heard any more.
 *
 * The library calls back from within its functions, and must not be freed there. So its callbacks
 * note what happened, and on_settle() acts on it behind them, in one order: it is there, what was
 * acknowledged, it is gone, there is room.
 *
 * The library looks up the broker's name by a call that waits, and so a process of our own asks
 * for it before (lookup.h): a connection begins once that was answered.
 */
#include "fleet/mqtt.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "fleet/budget.h"
#include "fleet/delay.h"
#include "fleet/lookup.h"
#include "fleet/mqtt-client.h"

#define SUBSCRIBED_MOST 64

/* From the look-up of the name to the broker's answer. */
#define CONNECT_USEC (30 * USEC_PER_SEC)
/* The longest wait between two tries. */
#define RETRY_MOST_USEC (128 * USEC_PER_SEC)
/* A connection that lasted: the waits between tries begin with the shortest again. */
#define STABLE_USEC (60 * USEC_PER_SEC)

struct in_flight {
	unsigned id;
	bool is_done;
};

struct subscribed {
	int id;
	char *filter; /* NULL: answered, or never used */
};

struct mqtt {
	sd_event *event;
	const struct fleet_broker *settings;
	struct mqtt_callbacks callbacks;
	void *userdata;
	char *will_topic;
	char *will;

	struct lookup *lookup;	  /* of the broker's name, which comes first */
	struct mosquitto *client; /* both NULL: between two connections */
	sd_event_source *io;
	sd_event_source *timer; /* the limit of a connection's beginning, its ticks, or the retry */
	sd_event_source *settle; /* on_settle() */
	sd_event_source *room;	 /* when the next message may go */
	bool is_there;
	bool has_session; /* the one at the broker is of this object */
	bool is_closing;
	uint64_t there_usec; /* since when */
	unsigned n_failures; /* in a row */

	struct budget budget;
	struct in_flight in_flight[MQTT_IN_FLIGHT_MOST];
	size_t n_in_flight;
	struct subscribed subscribed[SUBSCRIBED_MOST];

	/* What happened inside of the library, for on_settle(). */
	bool has_come;
	bool is_lost;
	bool is_waited_for; /* somebody was told MQTT_BUSY */
	struct reason why;
	char heard[TEXT_MAX]; /* the last error that the library told of */
};

static void settle_soon(struct mqtt *mqtt)
{
	(void)sd_event_source_set_enabled(mqtt->settle, SD_EVENT_ONESHOT);
}

static void lose(struct mqtt *mqtt, const char *why)
{
	if (mqtt->is_lost)
		return;
	mqtt->is_lost = true;
	mqtt->is_there = false;
	reason_set(&mqtt->why, "%s", why);
	settle_soon(mqtt);
}

/* The connection was closed by the other side, without a word in its protocol. */
static const char *why_closed(const struct mqtt *mqtt)
{
	if (mqtt->is_there)
		return "the broker closed the connection: it was restarted, or another client has this client-id";
	if (mqtt->settings->is_tls)
		return "the connection was closed at once: does a broker listen at this port with TLS, and does it take this client's certificate?";
	return "the connection was closed at once: does a broker listen at this port, and without TLS?";
}

/* In words, for a result of the library; `error` is errno of right after. */
static void lose_by(struct mqtt *mqtt, int result, int error)
{
	if (result == MOSQ_ERR_EAI)
		lose(mqtt, gai_strerror(error));
	else if (mqtt->heard[0] && (result == MOSQ_ERR_TLS || error == EPROTO))
		lose(mqtt, mqtt->heard);
	else if (result == MOSQ_ERR_CONN_LOST || (result == MOSQ_ERR_ERRNO && error == EPROTO))
		lose(mqtt, why_closed(mqtt));
	else if (result == MOSQ_ERR_ERRNO)
		lose(mqtt, strerror(error));
	else if (result == MOSQ_ERR_NOMEM)
		lose(mqtt, "a message of many MiB came, or memory is short");
	else if (result == MOSQ_ERR_KEEPALIVE)
		lose(mqtt, "the broker does not answer any more");
	else
		lose(mqtt, mosquitto_strerror(result));
}

/* ------------------------------------------------------------------- callbacks of the library */

static void on_connect(struct mosquitto *client, void *userdata, int result)
{
	struct mqtt *mqtt = userdata;
	char why[TEXT_MAX];

	(void)client;
	if (result != 0) {
		snprintf(why, sizeof(why), "the broker refuses this client: %s",
			mosquitto_connack_string(result));
		lose(mqtt, why);
		return;
	}
	mqtt->is_there = mqtt->has_session = true;
	mqtt->has_come = true;
	mqtt->there_usec = monotonic_usec();
	mqtt->heard[0] = '\0';
	settle_soon(mqtt);
}

/* Only after a good-bye: each other end is the result of the function that meets it. */
static void on_disconnect(struct mosquitto *client, void *userdata, int result)
{
	(void)client;
	if (result == MOSQ_ERR_SUCCESS)
		lose(userdata, "");
}

static void on_message(
	struct mosquitto *client, void *userdata, const struct mosquitto_message *message)
{
	struct mqtt *mqtt = userdata;

	(void)client;
	mqtt->callbacks.on_message(mqtt->userdata, message->topic,
		message->payload ? message->payload : "",
		message->payload ? (size_t)message->payloadlen : 0, message->retain);
}

static void on_published(struct mosquitto *client, void *userdata, int id)
{
	struct mqtt *mqtt = userdata;

	(void)client;
	for (size_t i = 0; i < mqtt->n_in_flight; i++)
		if (mqtt->in_flight[i].id == (unsigned)id)
			mqtt->in_flight[i].is_done = true;
	settle_soon(mqtt);
}

/* 128 is the broker's no. */
static void on_subscribed(
	struct mosquitto *client, void *userdata, int id, int n_granted, const int *granted)
{
	struct mqtt *mqtt = userdata;

	(void)client;
	for (size_t i = 0; i < SUBSCRIBED_MOST; i++) {
		CLEANUP(freep) char *filter = NULL;

		if (!mqtt->subscribed[i].filter || mqtt->subscribed[i].id != id)
			continue;
		filter = TAKE_PTR(mqtt->subscribed[i].filter);
		mqtt->callbacks.on_subscribed(
			mqtt->userdata, filter, n_granted == 1 && granted[0] <= 2);
	}
}

/* "OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed": the end says it. */
static void on_log(struct mosquitto *client, void *userdata, int level, const char *text)
{
	struct mqtt *mqtt = userdata;
	const char *colon = strrchr(text, ':');
	const char *end = colon && colon[1] ? colon + 1 : text;

	(void)client;
	if (level != MOSQ_LOG_ERR)
		return;
	log_debug("broker: %s", text);
	snprintf(mqtt->heard, sizeof(mqtt->heard), "TLS: %s%s", end + strspn(end, " "),
		strstr(end, "certificate verify failed")
			? ": look at ca of [broker], at the name in uri, and at the clock of this gateway"
			: "");
}

/* ------------------------------------------------------------------------------- event loop */

/*
 * At the beginning of a connection edges are reported alone: the library may go on to ask for
 * EPOLLOUT while it waits for the other side. An edge that is asked for again is reported again.
 */
static void watch(struct mqtt *mqtt)
{
	uint32_t events = EPOLLIN, before = 0;

	if (!mqtt->client || !mqtt->io)
		return;
	if (!mqtt->is_there)
		events |= EPOLLOUT | EPOLLET;
	else if (mosquitto_want_write(mqtt->client))
		events |= EPOLLOUT;
	if (sd_event_source_get_io_events(mqtt->io, &before) < 0 || before != events)
		(void)sd_event_source_set_io_events(mqtt->io, events);
}

static int socket_error(int fd)
{
	int error = 0;
	socklen_t size = sizeof(error);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? errno : error;
}

/* Whichever way the socket is ready: the handshake goes on in the library's reading. */
static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct mqtt *mqtt = userdata;
	int error = events & EPOLLERR ? socket_error(fd) : 0;
	int r = mosquitto_loop_read(mqtt->client, 1);

	(void)source;
	if (r != MOSQ_ERR_SUCCESS)
		lose_by(mqtt, error ? MOSQ_ERR_ERRNO : r, error ? error : errno);
	if (!mqtt->is_lost) {
		r = mosquitto_loop_write(mqtt->client, 1);
		if (r != MOSQ_ERR_SUCCESS)
			lose_by(mqtt, r, errno);
	}
	if (events & (EPOLLERR | EPOLLHUP))
		lose(mqtt, error ? strerror(error) : why_closed(mqtt));
	watch(mqtt);
	return 0;
}

static void set_timer(struct mqtt *mqtt, uint64_t usec)
{
	(void)sd_event_source_set_time_relative(mqtt->timer, usec);
	(void)sd_event_source_set_enabled(mqtt->timer, SD_EVENT_ONESHOT);
}

/* Whether a ping is due is asked often enough to see a broker that is silent in time. */
static uint64_t tick_usec(const struct mqtt *mqtt)
{
	uint64_t usec = mqtt->settings->keep_alive_usec / 4;

	return usec > USEC_PER_SEC ? usec : USEC_PER_SEC;
}

/* ------------------------------------------------------------------------------ beginning, end */

static void drop(struct mqtt *mqtt)
{
	mqtt->lookup = lookup_free(mqtt->lookup);
	mqtt->io = sd_event_source_disable_unref(mqtt->io);
	mosquitto_destroy(mqtt->client);
	mqtt->client = NULL;
	mqtt->is_there = false;
	mqtt->n_in_flight = 0;
	for (size_t i = 0; i < SUBSCRIBED_MOST; i++)
		free(TAKE_PTR(mqtt->subscribed[i].filter));
}

/* A copy of the descriptor: the library closes its own in the midst of a call. */
static int add_io(struct mqtt *mqtt)
{
	int fd CLEANUP(closep) = fcntl(mosquitto_socket(mqtt->client), F_DUPFD_CLOEXEC, 3);
	int r;

	if (fd < 0)
		return -errno;
	r = sd_event_add_io(mqtt->event, &mqtt->io, fd, EPOLLIN | EPOLLOUT | EPOLLET, on_io, mqtt);
	if (r >= 0)
		r = sd_event_source_set_io_fd_own(mqtt->io, true);
	if (r >= 0)
		fd = -1;
	return r;
}

static int make_client(struct mqtt *mqtt)
{
	struct mosquitto *client =
		mosquitto_new(mqtt->settings->client_id, !mqtt->has_session, mqtt);

	if (!client)
		return MOSQ_ERR_NOMEM;
	mqtt->client = client;
	mosquitto_connect_callback_set(client, on_connect);
	mosquitto_disconnect_callback_set(client, on_disconnect);
	mosquitto_message_callback_set(client, on_message);
	mosquitto_publish_callback_set(client, on_published);
	mosquitto_subscribe_callback_set(client, on_subscribed);
	mosquitto_log_callback_set(client, on_log);
	return mqtt_client_set_up(client, mqtt->settings, mqtt->will_topic, mqtt->will);
}

static void connect_to(struct mqtt *mqtt)
{
	const struct fleet_broker *settings = mqtt->settings;
	int r = make_client(mqtt);

	if (r == MOSQ_ERR_INVAL)
		return lose(mqtt,
			"TLS: ca, certificate or key cannot be read: plugflash-fleet --check says which");
	if (r == MOSQ_ERR_SUCCESS)
		r = mosquitto_connect_async(mqtt->client, settings->host, settings->port,
			(int)(settings->keep_alive_usec / USEC_PER_SEC));
	if (r != MOSQ_ERR_SUCCESS)
		return lose_by(mqtt, r, errno);
	r = add_io(mqtt);
	if (r < 0)
		lose(mqtt, strerror(-r));
}

static void on_looked_up(void *userdata, int error)
{
	struct mqtt *mqtt = userdata;

	mqtt->lookup = lookup_free(mqtt->lookup);
	if (error)
		lose_by(mqtt, MOSQ_ERR_EAI, error);
	else
		connect_to(mqtt);
}

/* Where no process can be started, the loop waits for the name. */
static void begin(struct mqtt *mqtt)
{
	const char *host = mqtt->settings->host;

	mqtt->heard[0] = '\0';
	set_timer(mqtt, CONNECT_USEC);
	if (!lookup_is_needed(host) ||
		lookup_new(mqtt->event, host, on_looked_up, mqtt, &mqtt->lookup) < 0)
		connect_to(mqtt);
}

static void end(struct mqtt *mqtt)
{
	const struct delay retry = {mqtt->settings->retry_usec, RETRY_MOST_USEC};
	bool was_stable =
		mqtt->there_usec > 0 && monotonic_usec() - mqtt->there_usec >= STABLE_USEC;
	struct reason why = mqtt->why;

	mqtt->n_failures = was_stable ? 1 : mqtt->n_failures + 1;
	mqtt->there_usec = 0;
	mqtt->is_lost = mqtt->has_come = mqtt->is_waited_for = false;
	drop(mqtt);
	if (mqtt->is_closing)
		(void)sd_event_source_set_enabled(mqtt->timer, SD_EVENT_OFF);
	else
		set_timer(mqtt, delay_usec(&retry, mqtt->n_failures, delay_random()));
	mqtt->callbacks.on_presence(mqtt->userdata, false, why.text);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct mqtt *mqtt = userdata;
	int r;

	(void)source;
	(void)usec;
	if (!mqtt->client && !mqtt->lookup) {
		begin(mqtt);
		return 0;
	}
	if (!mqtt->is_there) {
		lose(mqtt, mqtt->lookup ? "its name was not found within 30 s"
					: "the broker did not answer within 30 s");
		return 0;
	}
	r = mosquitto_loop_misc(mqtt->client);
	if (r != MOSQ_ERR_SUCCESS)
		lose_by(mqtt, r, errno);
	set_timer(mqtt, tick_usec(mqtt));
	watch(mqtt);
	return 0;
}

/* ------------------------------------------------------------------------------------- settling */

/* Of messages that go out: those of a second at once. */
static struct budget_rate rate_of(const struct mqtt *mqtt)
{
	uint32_t rate = mqtt->settings->rate;

	return (struct budget_rate){rate, USEC_PER_SEC / rate};
}

static bool has_room(const struct mqtt *mqtt)
{
	return mqtt->is_there && mqtt->n_in_flight < MQTT_IN_FLIGHT_MOST &&
	       budget_wait_usec(&mqtt->budget, rate_of(mqtt), monotonic_usec()) == 0;
}

static void tell_acknowledged(struct mqtt *mqtt)
{
	size_t i = 0;

	while (i < mqtt->n_in_flight) {
		unsigned id = mqtt->in_flight[i].id;

		if (!mqtt->in_flight[i].is_done) {
			i++;
			continue;
		}
		mqtt->in_flight[i] = mqtt->in_flight[--mqtt->n_in_flight];
		mqtt->callbacks.on_acknowledged(mqtt->userdata, id);
	}
}

static void tell_ready(struct mqtt *mqtt)
{
	if (!mqtt->is_waited_for || !has_room(mqtt))
		return;
	mqtt->is_waited_for = false;
	mqtt->callbacks.on_ready(mqtt->userdata);
}

static int on_settle(sd_event_source *source, void *userdata)
{
	struct mqtt *mqtt = userdata;

	(void)source;
	if (mqtt->has_come && !mqtt->is_lost) {
		mqtt->has_come = false;
		set_timer(mqtt, tick_usec(mqtt));
		mqtt->callbacks.on_presence(mqtt->userdata, true, "");
	}
	tell_acknowledged(mqtt);
	if (mqtt->is_lost)
		end(mqtt);
	else
		tell_ready(mqtt);
	watch(mqtt);
	return 0;
}

static int on_room(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	tell_ready(userdata);
	return 0;
}

/* ----------------------------------------------------------------------------- what others call */

bool mqtt_is_there(const struct mqtt *mqtt)
{
	return mqtt->is_there;
}

/* MQTT_BUSY, and when it will be otherwise. */
static int refuse_for_now(struct mqtt *mqtt, uint64_t now)
{
	uint64_t wait = budget_wait_usec(&mqtt->budget, rate_of(mqtt), now);

	mqtt->is_waited_for = true;
	if (wait > 0) {
		(void)sd_event_source_set_time_relative(mqtt->room, wait);
		(void)sd_event_source_set_enabled(mqtt->room, SD_EVENT_ONESHOT);
	}
	return MQTT_BUSY;
}

int mqtt_publish(struct mqtt *mqtt, const char *topic, const char *payload, size_t n,
	enum mqtt_quality quality, bool is_retained, unsigned *ret_id)
{
	const struct budget_rate rate = rate_of(mqtt);
	uint64_t now = monotonic_usec();
	struct in_flight *slot = &mqtt->in_flight[mqtt->n_in_flight];
	int id = 0;
	int r;

	if (!mqtt->is_there)
		return MQTT_AWAY;
	if (n > mqtt->settings->message_most)
		return MQTT_TOO_LARGE;
	if (mqtt->n_in_flight == MQTT_IN_FLIGHT_MOST ||
		budget_wait_usec(&mqtt->budget, rate, now) > 0)
		return refuse_for_now(mqtt, now);
	r = mosquitto_publish(mqtt->client, &id, topic, (int)n, payload,
		quality == MQTT_AT_LEAST_ONCE, is_retained);
	if (r == MOSQ_ERR_NOMEM)
		return -ENOMEM;
	if (r != MOSQ_ERR_SUCCESS) {
		lose_by(mqtt, r, errno);
		return MQTT_AWAY;
	}
	budget_spend(&mqtt->budget, rate, now);
	/* QoS 0 has no acknowledgement: it may have gone out within the call, before it had an id.
	 */
	*slot = (struct in_flight){(unsigned)id, quality == MQTT_ONCE_OR_NOT};
	mqtt->n_in_flight++;
	if (slot->is_done)
		settle_soon(mqtt);
	watch(mqtt);
	*ret_id = (unsigned)id;
	return 0;
}

int mqtt_subscribe(struct mqtt *mqtt, const char *filter)
{
	size_t i = 0;
	int r;

	if (!mqtt->is_there)
		return MQTT_AWAY;
	while (i < SUBSCRIBED_MOST && mqtt->subscribed[i].filter)
		i++;
	if (i == SUBSCRIBED_MOST || text_duplicate(filter, &mqtt->subscribed[i].filter) < 0)
		return -ENOMEM;
	r = mosquitto_subscribe(mqtt->client, &mqtt->subscribed[i].id, filter, 1);
	if (r != MOSQ_ERR_SUCCESS) {
		lose_by(mqtt, r, errno);
		return MQTT_AWAY;
	}
	watch(mqtt);
	return 0;
}

void mqtt_close(struct mqtt *mqtt)
{
	mqtt->is_closing = true;
	if (!mqtt->is_there || mosquitto_disconnect(mqtt->client) != MOSQ_ERR_SUCCESS)
		lose(mqtt, "");
	watch(mqtt);
}

static int add_sources(struct mqtt *mqtt)
{
	int r = sd_event_add_defer(mqtt->event, &mqtt->settle, on_settle, mqtt);

	if (r >= 0)
		r = sd_event_source_set_enabled(mqtt->settle, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time_relative(
			mqtt->event, &mqtt->timer, CLOCK_MONOTONIC, 0, 0, on_timer, mqtt);
	if (r >= 0)
		r = sd_event_add_time_relative(
			mqtt->event, &mqtt->room, CLOCK_MONOTONIC, 0, 0, on_room, mqtt);
	if (r >= 0)
		r = sd_event_source_set_enabled(mqtt->room, SD_EVENT_OFF);
	return r < 0 ? r : 0;
}

int mqtt_new(sd_event *event, const struct fleet_broker *settings, const char *will_topic,
	const char *will, const struct mqtt_callbacks *callbacks, void *userdata, struct mqtt **ret)
{
	struct mqtt *mqtt = calloc(1, sizeof(*mqtt));
	int r;

	if (!mqtt)
		return -ENOMEM;
	(void)mosquitto_lib_init();
	mqtt->event = sd_event_ref(event);
	mqtt->settings = settings;
	mqtt->callbacks = *callbacks;
	mqtt->userdata = userdata;
	r = text_duplicate(will_topic, &mqtt->will_topic);
	if (r == 0)
		r = text_duplicate(will, &mqtt->will);
	if (r == 0)
		r = add_sources(mqtt);
	if (r < 0) {
		mqtt_free(mqtt);
		return r;
	}
	*ret = mqtt;
	return 0;
}

struct mqtt *mqtt_free(struct mqtt *mqtt)
{
	if (!mqtt)
		return NULL;
	drop(mqtt);
	sd_event_source_disable_unref(mqtt->timer);
	sd_event_source_disable_unref(mqtt->settle);
	sd_event_source_disable_unref(mqtt->room);
	sd_event_unref(mqtt->event);
	free(mqtt->will_topic);
	free(mqtt->will);
	(void)mosquitto_lib_cleanup();
	free(mqtt);
	return NULL;
}
