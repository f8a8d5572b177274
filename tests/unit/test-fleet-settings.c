/* SPDX-License-Identifier: MIT */
/*
 * test-fleet-settings.c - fleet.conf: what it becomes, and each mistake in the words that a person
 * reads.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/outcome.h"
#include "fleet/command.h"
#include "fleet/settings.h"
#include "unit/folder.h"
#include "unit/problems.h"
#include "unit/rows.h"

#define URI "[broker]\nuri=mqtts://b.example\n"

/* Loads a file with this text, in which a value's @ at its head is the folder; its problems without
 * that folder. */
static char *load(const char *text, struct fleet_settings *ret, int *ret_result)
{
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};
	FILE *to = fopen(in_folder("fleet.conf"), "w");
	char prefix[64];

	assert_non_null(to);
	for (char before = '\0'; *text; before = *text++) {
		if (before == '=' && *text == '@')
			fputs(folder, to);
		else
			fputc(*text, to);
	}
	assert_int_equal(fclose(to), 0);
	snprintf(prefix, sizeof(prefix), "%s/", folder);
	*ret_result = fleet_settings_load(folder, ret, &problems);
	return dump_problems(&problems, prefix);
}

static void load_good(const char *text, struct fleet_settings *ret)
{
	int r;
	char *problems CLEANUP(freep) = load(text, ret, &r);

	assert_string_equal(problems, "");
	assert_int_equal(r, 0);
}

static void defaults_are_those_of_the_manual(void **state)
{
	struct fleet_settings settings CLEANUP(fleet_settings_done) = {0};
	char name[256];
	char client[300];

	(void)state;
	load_good(URI, &settings);
	assert_int_equal(gethostname(name, sizeof(name)), 0);
	snprintf(client, sizeof(client), "plugflash-%s", name);
	assert_string_equal(settings.gateway, name);
	assert_string_equal(settings.broker.client_id, client);
	assert_int_equal(settings.n_groups, 0);
	assert_null(settings.trusted_keys);
	assert_false(settings.accepts_legacy);
	assert_false(settings.home_assistant);
	assert_string_equal(settings.broker.host, "b.example");
	assert_int_equal(settings.broker.port, 8883);
	assert_true(settings.broker.is_tls);
	assert_null(settings.broker.ca);
	assert_null(settings.broker.user);
	assert_null(settings.broker.password);
	assert_int_equal(settings.broker.keep_alive_usec, 60000000);
	assert_int_equal(settings.broker.retry_usec, 4000000);
	assert_int_equal(settings.broker.rate, 20);
	assert_int_equal(settings.broker.message_most, 65536);
	assert_string_equal(settings.topics.prefix, "plugflash");
	assert_ptr_equal(settings.topics.gateway, settings.gateway);
	assert_int_equal(settings.download.size_most, 16 * 1024 * 1024);
	assert_int_equal(settings.download.space_left, 16 * 1024 * 1024);
	assert_int_equal(settings.download.rate, 0);
	assert_int_equal(settings.download.idle_usec, 60000000);
	assert_int_equal(settings.download.spread_usec, 0);
	assert_false(settings.download.plain_http);
	assert_int_equal(settings.rollout.pause_after, 3);
	assert_int_equal(settings.rollout.pause_share, 50);
	assert_int_equal(settings.commands, 0);
}

static void everything_can_be_said(void **state)
{
	struct fleet_settings settings CLEANUP(fleet_settings_done) = {0};

	(void)state;
	put_text("ca", "x");
	put_text("secret", "pass word\nsecond line\n");
	assert_int_equal(chmod(in_folder("secret"), 0640), 0);
	load_good(
		"[fleet]\ngateway=gw-7\ngroups=north, all\ntrusted-keys=/k\n"
		"accept-legacy-signatures=yes\nhome-assistant=yes\n"
		"[broker]\nuri=mqtts://[2001:db8::1]:443\nca=@/ca\ncertificate=@/ca\n"
		"key=@/secret\nalpn=x-amzn-mqtt-ca\nuser=me\npassword-file=@/secret\n"
		"client-id=me-too\nkeep-alive=5min\nretry=30s\nmessages-per-second=100\nmessage-size=128K\n"
		"[topics]\nprefix=acme/fleet\n"
		"[download]\nca=@/ca\ncertificate=@/ca\nkey=@/secret\nimage-size=4M\n"
		"space-left=1M\nbytes-per-second=64K\nidle=2min\nspread=10min\nplain-http=yes\n"
		"[rollout]\npause-after=0\npause-share=25\n"
		"[commands]\nallow=retry, verify\n",
		&settings);
	assert_string_equal(settings.gateway, "gw-7");
	assert_int_equal(settings.n_groups, 2);
	assert_string_equal(settings.groups[0], "north");
	assert_string_equal(settings.groups[1], "all");
	assert_string_equal(settings.trusted_keys, "/k");
	assert_true(settings.accepts_legacy);
	assert_true(settings.home_assistant);
	assert_string_equal(settings.broker.host, "2001:db8::1");
	assert_int_equal(settings.broker.port, 443);
	assert_string_equal(settings.broker.ca, in_folder("ca"));
	assert_string_equal(settings.broker.certificate, in_folder("ca"));
	assert_string_equal(settings.broker.key, in_folder("secret"));
	assert_string_equal(settings.broker.alpn, "x-amzn-mqtt-ca");
	assert_string_equal(settings.broker.user, "me");
	assert_string_equal(settings.broker.password, "pass word");
	assert_string_equal(settings.broker.client_id, "me-too");
	assert_int_equal(settings.broker.keep_alive_usec, 300000000);
	assert_int_equal(settings.broker.retry_usec, 30000000);
	assert_int_equal(settings.broker.rate, 100);
	assert_int_equal(settings.broker.message_most, 131072);
	assert_string_equal(settings.topics.prefix, "acme/fleet");
	assert_string_equal(settings.download.ca, in_folder("ca"));
	assert_string_equal(settings.download.key, in_folder("secret"));
	assert_int_equal(settings.download.size_most, 4 * 1024 * 1024);
	assert_int_equal(settings.download.space_left, 1024 * 1024);
	assert_int_equal(settings.download.rate, 65536);
	assert_int_equal(settings.download.idle_usec, 120000000);
	assert_int_equal(settings.download.spread_usec, 600000000);
	assert_true(settings.download.plain_http);
	assert_int_equal(settings.rollout.pause_after, 0);
	assert_int_equal(settings.rollout.pause_share, 25);
	assert_int_equal(settings.commands, 1U << COMMAND_RETRY | 1U << COMMAND_VERIFY);
}

/* ---------------------------------------------------------------------------------- addresses */

static const struct address {
	const char *name;
	const char *uri;
	const char *host; /* NULL: refused */
	unsigned port;
} addresses[] = {
	{"name", "mqtts://broker.example", "broker.example", 8883},
	{"name and port", "mqtts://broker.example:8884", "broker.example", 8884},
	{"IPv4", "mqtts://192.0.2.7", "192.0.2.7", 8883},
	{"IPv6", "mqtts://[2001:db8::7]", "2001:db8::7", 8883},
	{"IPv6 and port", "mqtts://[::1]:1", "::1", 1},
	{"plain to loopback by name", "mqtt://localhost", "localhost", 1883},
	{"plain to loopback", "mqtt://127.1.2.3:1884", "127.1.2.3", 1884},
	{"plain to loopback of IPv6", "mqtt://[::1]", "::1", 1883},
	{"no scheme", "broker.example", NULL, 0},
	{"another scheme", "ssl://broker.example", NULL, 0},
	{"no host", "mqtts://", NULL, 0},
	{"no host but a port", "mqtts://:8883", NULL, 0},
	{"port 0", "mqtts://b:0", NULL, 0},
	{"port above 65535", "mqtts://b:65536", NULL, 0},
	{"an empty port", "mqtts://b:", NULL, 0},
	{"a path", "mqtts://b/x", NULL, 0},
	{"a user", "mqtts://me@b", NULL, 0},
	{"IPv6 without brackets", "mqtts://2001:db8::7", NULL, 0},
	{"no IPv6 in brackets", "mqtts://[b]", NULL, 0},
	{"a bracket that stays open", "mqtts://[::1", NULL, 0},
	{"something behind the bracket", "mqtts://[::1]x", NULL, 0},
};

static void address_is_judged(void **state)
{
	const struct address *row = *state;
	struct fleet_settings settings CLEANUP(fleet_settings_done) = {0};
	char text[128];
	char expected[256];
	char *problems CLEANUP(freep) = NULL;
	int r;

	snprintf(text, sizeof(text), "[broker]\nuri=%s\n", row->uri);
	problems = load(text, &settings, &r);
	if (row->host) {
		assert_string_equal(problems, "");
		assert_string_equal(settings.broker.host, row->host);
		assert_int_equal(settings.broker.port, row->port);
		return;
	}
	snprintf(expected, sizeof(expected),
		"fleet.conf:2: [broker] uri: expected mqtts://HOST or mqtts://HOST:PORT; user and password have keys of their own, got '%s'\n",
		row->uri);
	assert_string_equal(problems, expected);
	assert_int_equal(r, OUTCOME_BAD_CONFIG);
	assert_null(settings.gateway);
}

/* ----------------------------------------------------------------------------------- mistakes */

static const struct mistake {
	const char *name;
	const char *text;
	const char *expected;
} mistakes[] = {
	{"nothing", "",
		"there is no [broker]: it needs `uri`, and plugflash-fleet.conf(5) shows the rest\n"},
	{"no address", "[broker]\nuser=x\n",
		"fleet.conf:1: [broker] uri: expected mqtts://HOST, but the key is missing\n"},
	{"plain to elsewhere", "[broker]\nuri=mqtt://b.example\n",
		"fleet.conf:2: [broker] uri: mqtt:// sends password and commands in the clear: mqtts:// does not, and `insecure = yes` says that it is meant\n"},
	{"certificates without TLS", "[broker]\nuri=mqtt://localhost\nca=@/ca\n",
		"fleet.conf:2: [broker] uri: mqtt:// has no use for ca, certificate, key and alpn: is mqtts:// meant?\n"},
	{"a file that is not there", URI "ca=@/none\n",
		"fleet.conf:3: [broker] ca: the file cannot be read by this user: No such file or directory\n"},
	{"a folder for a file", URI "ca=@\n", "fleet.conf:3: [broker] ca: this is no file\n"},
	{"a path that begins nowhere", URI "ca=ca.pem\n",
		"fleet.conf:3: [broker] ca: expected an absolute path, got 'ca.pem'\n"},
	{"a key that everybody reads", URI "certificate=@/ca\nkey=@/open\n",
		"fleet.conf:4: [broker] key: everybody on this computer may read the file; chmod o-r it\n"},
	{"a certificate without its key", URI "certificate=@/ca\n",
		"fleet.conf:3: [broker] certificate: certificate and key go together: `key` is missing\n"},
	{"a key without its certificate", "[download]\nkey=@/secret\n" URI,
		"fleet.conf:2: [download] key: certificate and key go together: `certificate` is missing\n"},
	{"a password without a user", URI "password-file=@/secret\n",
		"fleet.conf:3: [broker] password-file: a password goes with a `user`, which is missing\n"},
	{"an empty password", URI "user=x\npassword-file=@/blank\n",
		"fleet.conf:4: [broker] password-file: expected a password of 1 to 1024 bytes in the first line\n"},
	{"a gateway with a slash", "[fleet]\ngateway=a/b\n" URI,
		"fleet.conf:2: [fleet] gateway: expected 1 to 128 letters, digits and signs of -._:@=, got 'a/b'\n"},
	{"a gateway that could write wishes", "[fleet]\ngateway=desired\n" URI,
		"fleet.conf:3: [broker] a gateway with the name 'desired' could write wishes of others; [fleet] needs another `gateway`\n"},
	{"a group twice", "[fleet]\ngroups=a b a\n" URI,
		"fleet.conf:2: [fleet] groups: expected at most 16 different names of 1 to 128 letters, digits and signs of -._:@=, got 'a b a'\n"},
	{"a group with a wildcard", "[fleet]\ngroups=+\n" URI,
		"fleet.conf:2: [fleet] groups: expected at most 16 different names of 1 to 128 letters, digits and signs of -._:@=, got '+'\n"},
	{"keep-alive of no time", URI "keep-alive=1s\n",
		"fleet.conf:3: [broker] keep-alive: expected a duration from 5s to 20min, like 60s, got '1s'\n"},
	{"a retry at once", URI "retry=0\n",
		"fleet.conf:3: [broker] retry: expected a duration from 1s to 60s, like 4s, got '0'\n"},
	{"a rate of nothing", URI "messages-per-second=0\n",
		"fleet.conf:3: [broker] messages-per-second: expected a number from 1 to 1000 messages a second, got '0'\n"},
	{"a share above all", URI "[rollout]\npause-share=101\n",
		"fleet.conf:4: [rollout] pause-share: expected percent from 1 to 100, or 0 for never, got '101'\n"},
	{"a verb that nobody knows", URI "[commands]\nallow=retry erase\n",
		"fleet.conf:4: [commands] allow: expected verbs of retry, pause, resume, verify and identify, got 'retry erase'\n"},
	{"a key that nobody knows", URI "clientid=x\n",
		"fleet.conf:3: [broker] clientid: there is no such key; is it 'client-id'?\n"},
	{"a section that nobody knows", URI "[board gate]\nimage=x\n",
		"fleet.conf:3: [board gate] expected [fleet], [broker], [topics], [download], [rollout] or [commands]\n"},
	{"all at once", "[fleet]\ngateway=a b\n[broker]\nuri=x\nca=@/none\n",
		"fleet.conf:2: [fleet] gateway: expected 1 to 128 letters, digits and signs of -._:@=, got 'a b'\n"
		"fleet.conf:4: [broker] uri: expected mqtts://HOST or mqtts://HOST:PORT; user and password have keys of their own, got 'x'\n"
		"fleet.conf:5: [broker] ca: the file cannot be read by this user: No such file or directory\n"},
};

static void mistake_is_told(void **state)
{
	const struct mistake *row = *state;
	struct fleet_settings settings CLEANUP(fleet_settings_done) = {0};
	char *problems CLEANUP(freep) = NULL;
	int r;

	put_text("ca", "x");
	put_text("secret", "x\n");
	assert_int_equal(chmod(in_folder("secret"), 0600), 0);
	put_text("open", "x\n");
	assert_int_equal(chmod(in_folder("open"), 0644), 0);
	put_text("blank", "\nx\n");
	assert_int_equal(chmod(in_folder("blank"), 0600), 0);
	problems = load(row->text, &settings, &r);
	assert_string_equal(problems, row->expected);
	assert_int_equal(r, OUTCOME_BAD_CONFIG);
	assert_null(settings.gateway);
}

static void no_file_is_a_mistake(void **state)
{
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};
	struct fleet_settings settings CLEANUP(fleet_settings_done) = {0};

	(void)state;
	assert_int_equal(
		fleet_settings_load("/nonexistent", &settings, &problems), OUTCOME_BAD_CONFIG);
	assert_int_equal(problems.n_items, 1);
	assert_string_equal(problems.items[0].message, "cannot be read: No such file or directory");
}

static void plain_can_be_meant(void **state)
{
	struct fleet_settings settings CLEANUP(fleet_settings_done) = {0};

	(void)state;
	load_good("[broker]\nuri=mqtt://b.example\ninsecure=yes\n", &settings);
	assert_false(settings.broker.is_tls);
	assert_int_equal(settings.broker.port, 1883);
}

int main(void)
{
	static struct CMUnitTest tests[64];
	size_t n = 0;

	ADD_TEST(tests, n, defaults_are_those_of_the_manual);
	ADD_TEST(tests, n, everything_can_be_said);
	ADD_TEST(tests, n, plain_can_be_meant);
	ADD_ROWS(tests, n, addresses, address_is_judged);
	ADD_ROWS(tests, n, mistakes, mistake_is_told);
	ADD_TEST(tests, n, no_file_is_a_mistake);
	return _cmocka_run_group_tests("fleet settings", tests, n, folder_make, folder_remove);
}
