/* SPDX-License-Identifier: MIT */
/* mqtt-client.h - a client of the library, as the settings say. For mqtt.c alone. */
#pragma once

#include <mosquitto.h>

#include "fleet/settings.h"

/* As many as the library sends before it makes them wait: nothing waits there. */
#define MQTT_IN_FLIGHT_MOST 20

/*
 * Will, user, certificates. Files are read here and when the connection begins. A result of the
 * library; MOSQ_ERR_INVAL: a file cannot be read.
 */
int mqtt_client_set_up(struct mosquitto *client, const struct fleet_broker *settings,
	const char *will_topic, const char *will);
