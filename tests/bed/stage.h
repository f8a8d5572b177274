/* SPDX-License-Identifier: MIT */
/*
 * stage.h - the scene with a bus, and one who watches it. Only tests include it, after cmocka.
 */
#pragma once

#include "base/names.h"
#include "bed/peer.h"
#include "bed/scene.h"

#define PROPERTIES "org.freedesktop.DBus.Properties"
#define OBJECTS	   "org.freedesktop.DBus.ObjectManager"
#define BRIDGE_1   BUS_PATH_BRIDGE "/1"

struct stage {
	struct bed *bed;
	struct bus_daemon daemon;
	struct peers *peers;
	struct peer *peer;
};

/* For cmocka: `*state` becomes the stage. The bus runs, the service does not yet. */
int stage_set_up(void **state);
int stage_tear_down(void **state);
#define STAGE_TEST(f) cmocka_unit_test_setup_teardown(f, stage_set_up, stage_tear_down)

/* Starts the service, and waits until it has its name. */
void stage_start(struct stage *stage);

/* The bus goes, and with it who watches; and comes again, with another who does. */
void stage_end_bus(struct stage *stage);
void stage_begin_bus(struct stage *stage);

/* Once it has this value: as text, see peer_property(). */
void expect_property(struct stage *stage, const char *path, const char *interface, const char *name,
	const char *value);

/* Whether the signal gives this property of the interface a value, and that as text. */
bool told_by(sd_bus_message *signal, const char *interface, const char *name, char to[256]);

/* The value that the signals of the object gave the property last, as text; whether one did. */
bool last_told(struct peer *peer, const char *path, const char *name, char to[256]);
void expect_told(struct stage *stage, const char *path, const char *name, const char *value);

/* Takes the answer. It is an error of this name, and says so. */
void expect_error(sd_bus_message *answer, const char *name, const char *part);
/* It is none. */
void expect_good(sd_bus_message *answer);
