/* SPDX-License-Identifier: MIT */
/* mqtt-client.c - a client of the library that may connect, as the settings say. */
#include "fleet/mqtt-client.h"

#include <string.h>

#define CA_FOLDER "/etc/ssl/certs"

/* A key with a password would ask for it on a terminal. */
static int no_password(char *buffer, int size, int is_written, void *userdata)
{
	(void)buffer;
	(void)size;
	(void)is_written;
	(void)userdata;
	return 0;
}

/* Minimum 1.2: "tlsv1.2" leaves 1.3 in. Without a `ca` those of the system count. */
static int set_tls(struct mosquitto *client, const struct fleet_broker *settings)
{
	int r = mosquitto_tls_set(client, settings->ca, settings->ca ? NULL : CA_FOLDER,
		settings->certificate, settings->key, no_password);

	if (r == MOSQ_ERR_SUCCESS)
		r = mosquitto_tls_opts_set(client, 1, "tlsv1.2", NULL);
	if (r == MOSQ_ERR_SUCCESS && settings->alpn)
		r = mosquitto_string_option(client, MOSQ_OPT_TLS_ALPN, settings->alpn);
	return r;
}

int mqtt_client_set_up(struct mosquitto *client, const struct fleet_broker *settings,
	const char *will_topic, const char *will)
{
	int r = mosquitto_max_inflight_messages_set(client, MQTT_IN_FLIGHT_MOST);

	if (r == MOSQ_ERR_SUCCESS)
		r = mosquitto_will_set(client, will_topic, (int)strlen(will), will, 1, true);
	if (r == MOSQ_ERR_SUCCESS && settings->user)
		r = mosquitto_username_pw_set(client, settings->user, settings->password);
	if (r == MOSQ_ERR_SUCCESS && settings->is_tls)
		r = set_tls(client, settings);
	return r;
}
