/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fleet/broker.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/text.h"

/* Nothing is dropped: what a test's client has not read yet, or is away from, waits for it. */
static const char configuration[] = "per_listener_settings true\n"
				    "listener %d 127.0.0.1\n"
				    "cafile %s/ca.crt\n"
				    "certfile %s/server.crt\n"
				    "keyfile %s/server.key\n"
				    "tls_version tlsv1.2\n"
				    "require_certificate true\n"
				    "use_identity_as_username true\n"
				    "acl_file %s/acl\n"
				    "listener %d 127.0.0.1\n"
				    "allow_anonymous true\n"
				    "user root\n"
				    "persistence true\n"
				    "persistence_location %s/\n"
				    "autosave_interval 0\n"
				    "max_queued_messages 0\n"
				    "queue_qos0_messages true\n"
				    "log_dest stderr\n"
				    "log_type warning\nlog_type error\nlog_type notice\n";

static const char acl[] = "pattern readwrite plugflash/%u/#\n"
			  "pattern read plugflash/desired/group/+/+\n"
			  "pattern read plugflash/desired/gateway/%u/+\n"
			  "pattern write homeassistant/update/+/config\n"
			  "user " BROKER_ANY "\n"
			  "topic readwrite #\n";

struct broker {
	struct farm *farm;
	char *folder, *ca, *configuration;
	struct child child;
	char notify_path[108];
	int notify, log;
	sd_event_source *notified, *saved;
	bool is_ready, is_saved;
};

const char *broker_ca(const struct broker *broker)
{
	return broker->ca;
}

struct child *broker_child(struct broker *broker)
{
	return &broker->child;
}

/* ------------------------------------------------------------------------ certificates */

static void make_authority(struct broker *broker)
{
	CLEANUP(freep) char *key = NULL;

	assert_int_equal(text_format(&key, "%s/ca.key", broker->folder), 0);
	farm_run(broker->farm,
		(const char *const[]){"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
			"ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
			"/CN=authority of the farm", "-keyout", key, "-out", broker->ca, NULL});
}

void broker_make_certificate(struct broker *broker, const char *name, const char *folder)
{
	CLEANUP(freep) char *authority = NULL, *key = NULL, *certificate = NULL, *subject = NULL;

	assert_int_equal(text_format(&authority, "%s/ca.key", broker->folder), 0);
	assert_int_equal(text_format(&key, "%s/%s.key", folder, name), 0);
	assert_int_equal(text_format(&certificate, "%s/%s.crt", folder, name), 0);
	assert_int_equal(text_format(&subject, "/CN=%s", name), 0);
	farm_run(broker->farm, (const char *const[]){"openssl", "req", "-x509", "-newkey", "ec",
				       "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
				       "-days", "2", "-subj", subject, "-CA", broker->ca, "-CAkey",
				       authority, "-addext", "basicConstraints=critical,CA:FALSE",
				       "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
				       "-keyout", key, "-out", certificate, NULL});
}

/* --------------------------------------------------------------------------- its life */

static void write_file(struct broker *broker, const char *name, const char *text)
{
	CLEANUP(freep) char *path = NULL;

	assert_int_equal(text_format(&path, "%s/%s", broker->folder, name), 0);
	farm_write(path, text, strlen(text));
}

static void configure(struct broker *broker)
{
	CLEANUP(freep) char *text = NULL;
	const char *folder = broker->folder;

	assert_int_equal(text_format(&text, configuration, FARM_TLS_PORT, folder, folder, folder,
				 folder, FARM_PORT, folder),
		0);
	write_file(broker, "mosquitto.conf", text);
	write_file(broker, "acl", acl);
}

/* The broker tells systemd, and us, when it listens. */
static int on_notified(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct broker *broker = userdata;
	char message[512];
	ssize_t n = recv(fd, message, sizeof(message) - 1, 0);

	(void)source;
	(void)events;
	message[n > 0 ? n : 0] = '\0';
	broker->is_ready |= strstr(message, "READY=1") != NULL;
	return 0;
}

static void listen_for_ready(struct broker *broker)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", broker->folder);
	text_copy(broker->notify_path, sizeof(broker->notify_path), address.sun_path);
	broker->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(broker->notify >= 0);
	assert_int_equal(bind(broker->notify, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_true(sd_event_add_io(farm_event(broker->farm), &broker->notified, broker->notify,
			    EPOLLIN, on_notified, broker) >= 0);
}

static int on_saved(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
	struct broker *broker = userdata;

	(void)source;
	/* It writes a file beside it, and renames that. */
	broker->is_saved |= event->len > 0 && strcmp(event->name, "mosquitto.db") == 0;
	return 0;
}

struct broker *broker_new(struct farm *farm)
{
	struct broker *broker = calloc(1, sizeof(*broker));
	CLEANUP(freep) char *log = NULL;

	assert_non_null(broker);
	broker->farm = farm;
	broker->folder = farm_folder(farm, "broker");
	log = farm_path(farm, "broker/log");
	broker->ca = farm_path(farm, "broker/ca.crt");
	broker->configuration = farm_path(farm, "broker/mosquitto.conf");
	broker->log = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	assert_true(broker->log >= 0);
	make_authority(broker);
	broker_make_certificate(broker, "server", broker->folder);
	configure(broker);
	listen_for_ready(broker);
	assert_true(sd_event_add_inotify(farm_event(farm), &broker->saved, broker->folder,
			    IN_MOVED_TO, on_saved, broker) >= 0);
	return broker;
}

struct broker *broker_free(struct broker *broker)
{
	if (!broker)
		return NULL;
	child_end(&broker->child, SIGKILL);
	sd_event_source_disable_unref(broker->notified);
	sd_event_source_disable_unref(broker->saved);
	close(broker->notify);
	close(broker->log);
	free(broker->folder);
	free(broker->ca);
	free(broker->configuration);
	free(broker);
	return NULL;
}

static bool is_ready(void *userdata)
{
	const struct broker *broker = userdata;

	return broker->is_ready || !child_is_running(&broker->child);
}

void broker_start(struct broker *broker)
{
	char notify[128];
	const char *const environment[] = {notify, NULL};

	snprintf(notify, sizeof(notify), "NOTIFY_SOCKET=%s", broker->notify_path);
	broker->is_ready = false;
	child_start(broker->farm, &broker->child,
		&(struct child_setup){.environment = environment,
			.input = -1,
			.output = broker->log,
			.error = broker->log},
		(const char *const[]){"/usr/sbin/mosquitto", "-c", broker->configuration, NULL});
	if (!farm_wait(broker->farm, FARM_LONG, is_ready, broker) || !broker->is_ready)
		fail_msg("mosquitto does not start (Debian package mosquitto): %s/log",
			broker->folder);
}

void broker_kill(struct broker *broker)
{
	child_end(&broker->child, SIGKILL);
}

static bool is_saved(void *userdata)
{
	const struct broker *broker = userdata;

	return broker->is_saved;
}

void broker_save(struct broker *broker)
{
	broker->is_saved = false;
	assert_int_equal(kill(broker->child.pid, SIGUSR1), 0);
	assert_true(farm_wait(broker->farm, FARM_LONG, is_saved, broker));
}
