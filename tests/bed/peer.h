/* SPDX-License-Identifier: MIT */
/*
 * peer.h - clients of the bed's bus, and as much of polkit as a service has to do with that asks
 * it. Only tests include it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "bed/bed.h"
#include "bed/bus-daemon.h"

/* A loop of their own, run by the bed's. */
struct peers;
struct peers *peers_new(struct bed *bed);
struct peers *peers_free(struct peers *peers);

/* Everything that org.plugflash1 and the bus tell is kept, in its order. */
struct peer;
struct peer *peer_new(struct peers *peers);
struct peer *peer_free(struct peer *peer);
sd_bus *peer_bus(struct peer *peer);

/* Signals of this name that came so far, from the `from`-th on; of that object, NULL: of any. */
size_t peer_count(const struct peer *peer, const char *member, const char *path);
/* The n-th of all, at its beginning; NULL: there is none. */
sd_bus_message *peer_signal(struct peer *peer, size_t n);
size_t peer_signals(const struct peer *peer);
/* When it came, ns by bed_now(). */
uint64_t peer_signal_time(const struct peer *peer, size_t n);
void peer_forget(struct peer *peer);
bool peer_wait_count(
	struct peer *peer, unsigned milliseconds, const char *member, const char *path, size_t n);

/*
 * Calls, and waits for the answer, which is the caller's: also one that is an error.
 * `interface` NULL: that of the manager.
 */
sd_bus_message *peer_call(struct peer *peer, const char *path, const char *interface,
	const char *method, const char *types, ...);
/* The same without waiting: sent with `peer_send()`, the answer is in `*ret` when it came. */
void peer_send(struct peer *peer, sd_bus_message *call, sd_bus_message **ret);
sd_bus_message *peer_wait(struct peer *peer, sd_bus_message **answer);

/* Whether the name has an owner, by the bus itself; waits until it is so. */
bool peer_wait_name(struct peer *peer, unsigned milliseconds, const char *name, bool is_there);

/* A property as text, "" where it cannot be had: numbers in decimal, flags as true and false. */
const char *peer_property(struct peer *peer, const char *path, const char *interface,
	const char *name, char to[1024]);
bool peer_wait_property(struct peer *peer, unsigned milliseconds, const char *path,
	const char *interface, const char *name, const char *value);

/* -------------------------------------------------------------------------------- polkit */

enum polkit_word { POLKIT_YES, POLKIT_NO, POLKIT_CHALLENGE, POLKIT_MUTE };

struct polkit;
struct polkit *polkit_new(struct peers *peers);
struct polkit *polkit_free(struct polkit *polkit);
void polkit_say(struct polkit *polkit, enum polkit_word word);
unsigned polkit_asked(const struct polkit *polkit);
/* Of the last question: action, flags, and the kind of subject, with colons between. */
const char *polkit_last(const struct polkit *polkit);
/* Answers those that wait while it is mute. */
void polkit_answer_all(struct polkit *polkit);

/* ------------------------------------------------------------------------ other programs */

/* Exit status where there is no other user here: the bed in a namespace of its own has one. */
#define PEERS_NO_USER 125

/* A program of the distribution as this user, what it says in `NAME` of the bed's directory; its
 * pid. */
pid_t peers_spawn(struct peers *peers, uid_t user, const char *name, const char *const argv[]);

/* A child of the test as this user, which ends with what the function returns. */
pid_t peers_fork(struct peers *peers, uid_t user, int (*child)(void *userdata), void *userdata);
