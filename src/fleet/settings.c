/* SPDX-License-Identifier: MIT */
/*
 * settings.c - a table of keys for each section, then what several keys must be together.
 */
#include "fleet/settings.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/names.h"
#include "base/outcome.h"
#include "base/parse.h"
#include "base/text.h"
#include "fleet/command.h"

#define NAME_MOST     128 /* bytes of the name of a gateway or group */
#define GROUPS_MOST   16
#define PASSWORD_MOST 1024
#define PORT_TLS      8883
#define PORT_PLAIN    1883

/* What is read, and what of it is looked at once all keys are known. */
struct draft {
	struct fleet_settings settings;
	char *password_file;
	bool is_insecure;
};

static void wipe(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void fleet_settings_done(struct fleet_settings *settings)
{
	struct fleet_broker *broker = &settings->broker;
	struct fleet_download *download = &settings->download;
	char *const owned[] = {settings->gateway, settings->trusted_keys, broker->host, broker->ca,
		broker->certificate, broker->key, broker->alpn, broker->user, broker->client_id,
		download->ca, download->certificate, download->key};

	for (size_t i = 0; i < ARRAY_SIZE(owned); i++)
		free(owned[i]);
	parse_list_free(settings->groups);
	wipe(broker->password);
	topics_done(&settings->topics);
	*settings = (struct fleet_settings){0};
}

static void draft_done(struct draft *draft)
{
	fleet_settings_done(&draft->settings);
	free(draft->password_file);
}

/* -------------------------------------------------------------------------------- one key */

/* It becomes a level of topics as it is, and a client id. */
static bool is_fit_name(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("-._:@=", name[i]))
			return false;
	return n > 0 && n <= NAME_MOST;
}

static int parse_name(const char *value, void *field, const char **ret_expected)
{
	*ret_expected = "1 to 128 letters, digits and signs of -._:@=";
	return is_fit_name(value) ? ini_parse_string(value, field, ret_expected) : -EINVAL;
}

static int parse_groups(const char *value, void *field, const char **ret_expected)
{
	struct fleet_settings *settings = field;
	char **words CLEANUP(parse_list_freep) = NULL;
	size_t n = 0;
	int r = parse_list(value, &words, &n);

	*ret_expected =
		"at most 16 different names of 1 to 128 letters, digits and signs of -._:@=";
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		if (!is_fit_name(words[i]))
			return -EINVAL;
		for (size_t k = 0; k < i; k++)
			if (strcmp(words[i], words[k]) == 0)
				return -EINVAL;
	}
	if (n > GROUPS_MOST)
		return -ERANGE;
	parse_list_free(settings->groups);
	settings->groups = TAKE_PTR(words);
	settings->n_groups = n;
	return 0;
}

static int parse_path(const char *value, void *field, const char **ret_expected)
{
	*ret_expected = "an absolute path";
	return value[0] == '/' && strlen(value) < PATH_MAX
		       ? ini_parse_string(value, field, ret_expected)
		       : -EINVAL;
}

/* What goes into a packet as a text of its own. */
static int parse_word(const char *value, void *field, const char **ret_expected)
{
	size_t n = strlen(value);

	*ret_expected = "1 to 255 bytes of text";
	return n > 0 && n <= 255 ? ini_parse_string(value, field, ret_expected) : -EINVAL;
}

INI_RANGE_KEY(parse_rate, uint32_t, parse_u32, 1, 1000, "a number from 1 to 1000 messages a second")
INI_RANGE_KEY(parse_message_size, uint32_t, parse_size, 4 * 1024, 1024 * 1024,
	"a size from 4K to 1M, like 64K")
/* A 16-bit number of seconds in the packet. */
INI_RANGE_KEY(parse_keep_alive, uint64_t, parse_duration_usec, 5 * USEC_PER_SEC,
	1200 * USEC_PER_SEC, "a duration from 5s to 20min, like 60s")
INI_RANGE_KEY(parse_retry, uint64_t, parse_duration_usec, USEC_PER_SEC, 60 * USEC_PER_SEC,
	"a duration from 1s to 60s, like 4s")
INI_RANGE_KEY(parse_image_size, uint32_t, parse_size, 1024, UINT32_C(1) << 30,
	"a size from 1K to 1024M, like 16M")
INI_RANGE_KEY(parse_space, uint32_t, parse_size, 0, UINT32_MAX, "a size from 0 to 4095M, like 16M")
INI_RANGE_KEY(parse_bytes, uint32_t, parse_size, 0, UINT32_MAX,
	"bytes a second like 64K, or 0 for no limit")
INI_RANGE_KEY(parse_idle, uint64_t, parse_duration_usec, 5 * USEC_PER_SEC, 3600 * USEC_PER_SEC,
	"a duration from 5s to 60min, like 60s")
INI_RANGE_KEY(parse_spread, uint64_t, parse_duration_usec, 0, 3600 * USEC_PER_SEC,
	"a duration from 0 to 60min, like 5min")
INI_RANGE_KEY(
	parse_failures, uint32_t, parse_u32, 0, 1000000, "a number of failures, or 0 for never")
INI_RANGE_KEY(parse_percent, uint32_t, parse_u32, 0, 100, "percent from 1 to 100, or 0 for never")

/* "host", "host:port", "[::1]:port" behind the scheme; -EINVAL: it is none. */
static int take_address(const char *text, char **ret_host, uint16_t *port)
{
	bool is_literal = text[0] == '[';
	const char *begin = text + is_literal;
	size_t n = strcspn(begin, is_literal ? "]" : ":");
	const char *behind = begin + n + is_literal;
	char *host CLEANUP(freep) = strndup(begin, n);
	struct in6_addr address;
	uint32_t number = *port;

	if (!host)
		return -ENOMEM;
	if (n == 0 || (is_literal && (begin[n] != ']' || inet_pton(AF_INET6, host, &address) != 1)))
		return -EINVAL;
	for (size_t i = 0; i < n && !is_literal; i++)
		if (!isalnum((unsigned char)host[i]) && !strchr("-._", host[i]))
			return -EINVAL;
	if (*behind == ':' && (parse_u32(behind + 1, &number) < 0 || number == 0 || number > 65535))
		return -EINVAL;
	if (*behind != '\0' && *behind != ':')
		return -EINVAL;
	free(*ret_host);
	*ret_host = TAKE_PTR(host);
	*port = (uint16_t)number;
	return 0;
}

static int parse_uri(const char *value, void *field, const char **ret_expected)
{
	static const char tls[] = "mqtts://";
	static const char plain[] = "mqtt://";
	struct fleet_broker *broker = field;
	bool is_tls = strncmp(value, tls, strlen(tls)) == 0;

	*ret_expected =
		"mqtts://HOST or mqtts://HOST:PORT; user and password have keys of their own";
	if (!is_tls && strncmp(value, plain, strlen(plain)) != 0)
		return -EINVAL;
	broker->is_tls = is_tls;
	broker->port = is_tls ? PORT_TLS : PORT_PLAIN;
	return take_address(value + strlen(is_tls ? tls : plain), &broker->host, &broker->port);
}

/* -------------------------------------------------------------------------------- sections */

#define IN(field)    offsetof(struct fleet_settings, field)
#define DRAFT(field) offsetof(struct draft, field)

static const struct ini_key fleet_keys[] = {
	{"gateway", IN(gateway), parse_name},
	{"groups", 0, parse_groups},
	{"trusted-keys", IN(trusted_keys), parse_path},
	{"accept-legacy-signatures", IN(accepts_legacy), ini_parse_bool},
	{"home-assistant", IN(home_assistant), ini_parse_bool},
};

/* Of the draft, at whose head the settings are. */
static const struct ini_key broker_keys[] = {
	{"uri", IN(broker), parse_uri},
	{"insecure", DRAFT(is_insecure), ini_parse_bool},
	{"ca", IN(broker.ca), parse_path},
	{"certificate", IN(broker.certificate), parse_path},
	{"key", IN(broker.key), parse_path},
	{"alpn", IN(broker.alpn), parse_word},
	{"user", IN(broker.user), parse_word},
	{"password-file", DRAFT(password_file), parse_path},
	{"client-id", IN(broker.client_id), parse_word},
	{"keep-alive", IN(broker.keep_alive_usec), parse_keep_alive},
	{"retry", IN(broker.retry_usec), parse_retry},
	{"messages-per-second", IN(broker.rate), parse_rate},
	{"message-size", IN(broker.message_most), parse_message_size},
};

static const struct ini_key download_keys[] = {
	{"ca", IN(download.ca), parse_path},
	{"certificate", IN(download.certificate), parse_path},
	{"key", IN(download.key), parse_path},
	{"image-size", IN(download.size_most), parse_image_size},
	{"space-left", IN(download.space_left), parse_space},
	{"bytes-per-second", IN(download.rate), parse_bytes},
	{"idle", IN(download.idle_usec), parse_idle},
	{"spread", IN(download.spread_usec), parse_spread},
	{"plain-http", IN(download.plain_http), ini_parse_bool},
};

static int parse_verbs(const char *value, void *field, const char **ret_expected)
{
	struct reason ignored;

	*ret_expected = "verbs of retry, pause, resume, verify and identify";
	return command_verbs_parse(value, field, &ignored);
}

static const struct ini_key commands_keys[] = {
	{"allow", IN(commands), parse_verbs},
};

static const struct ini_key rollout_keys[] = {
	{"pause-after", IN(rollout.pause_after), parse_failures},
	{"pause-share", IN(rollout.pause_share), parse_percent},
};

_Static_assert(
	offsetof(struct draft, settings) == 0, "keys of the settings are those of the draft");

static const struct section {
	const char *kind;
	const struct ini_key *keys;
	size_t n_keys;
} sections[] = {
	{"fleet", fleet_keys, ARRAY_SIZE(fleet_keys)},
	{"broker", broker_keys, ARRAY_SIZE(broker_keys)},
	{"download", download_keys, ARRAY_SIZE(download_keys)},
	{"rollout", rollout_keys, ARRAY_SIZE(rollout_keys)},
	{"commands", commands_keys, ARRAY_SIZE(commands_keys)},
};

static int set_defaults(struct fleet_settings *settings)
{
	settings->broker.keep_alive_usec = 60 * USEC_PER_SEC;
	settings->broker.retry_usec = 4 * USEC_PER_SEC;
	settings->broker.rate = 20;
	settings->broker.message_most = 64 * 1024;
	settings->download.size_most = 16 * 1024 * 1024;
	settings->download.space_left = 16 * 1024 * 1024;
	settings->download.idle_usec = 60 * USEC_PER_SEC;
	settings->rollout.pause_after = 3;
	settings->rollout.pause_share = 50;
	return topics_set_defaults(&settings->topics);
}

static int read_section(
	const struct ini_section *section, struct draft *draft, struct ini_problems *problems)
{
	if (section->name[0] == '\0' && strcmp(section->kind, "topics") == 0)
		return topics_read(section, &draft->settings.topics, problems);
	for (size_t i = 0; i < ARRAY_SIZE(sections) && section->name[0] == '\0'; i++)
		if (strcmp(section->kind, sections[i].kind) == 0)
			return ini_section_apply(
				section, sections[i].keys, sections[i].n_keys, draft, problems);
	return ini_section_expect(section, NULL,
		"[fleet], [broker], [topics], [download], [rollout] or [commands]", problems);
}

/* -------------------------------------------------------------------------- what goes with what */

/* The section of that kind; problems of a key that is missing stand at its heading. */
static const struct ini_section *find_section(const struct ini *ini, const char *kind)
{
	for (size_t i = 0; i < ini->n_sections; i++)
		if (strcmp(ini->sections[i].kind, kind) == 0 && ini->sections[i].name[0] == '\0')
			return &ini->sections[i];
	return NULL;
}

static bool is_loopback(const char *host)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (strcasecmp(host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* 0, also with a problem; `others`: whether everybody may read it. */
static int judge_file(const struct ini_section *section, const char *key, const char *path,
	bool is_secret, struct ini_problems *problems)
{
	int fd CLEANUP(closep) = -1;
	struct stat status;

	if (!path)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &status) < 0)
		return ini_section_problem(section, key, problems,
			"the file cannot be read by this user: %s", strerror(errno));
	if (!S_ISREG(status.st_mode))
		return ini_section_problem(section, key, problems, "this is no file");
	if (is_secret && status.st_mode & S_IROTH)
		return ini_section_problem(section, key, problems,
			"everybody on this computer may read the file; chmod o-r it");
	return 0;
}

/* A certificate and its key, and who vouches for the other end. */
static int judge_tls(const struct ini_section *section, const char *ca, const char *certificate,
	const char *key, struct ini_problems *problems)
{
	int r = judge_file(section, "ca", ca, false, problems);

	if (r == 0)
		r = judge_file(section, "certificate", certificate, false, problems);
	if (r == 0)
		r = judge_file(section, "key", key, true, problems);
	if (r == 0 && !certificate != !key)
		r = ini_section_problem(section, key ? "key" : "certificate", problems,
			"certificate and key go together: `%s` is missing",
			key ? "certificate" : "key");
	return r;
}

/* The first line of the file. A NUL or a longer one is no password that a person could mean. */
static int read_password(
	const struct ini_section *section, struct draft *draft, struct ini_problems *problems)
{
	char text[PASSWORD_MOST + 2];
	int fd CLEANUP(closep) = -1;
	size_t n = 0;
	size_t line;
	int r = 0;

	fd = open(draft->password_file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || read_up_to(fd, text, sizeof(text) - 1, &n) < 0)
		return 0; /* judge_file() has said it */
	text[n] = '\0';
	line = strcspn(text, "\r\n");
	if (strlen(text) != n || line == 0 || line > PASSWORD_MOST)
		r = ini_section_problem(section, "password-file", problems,
			"expected a password of 1 to 1024 bytes in the first line");
	else if (!(draft->settings.broker.password = strndup(text, line)))
		r = -ENOMEM;
	explicit_bzero(text, sizeof(text));
	return r;
}

static int judge_user(
	const struct ini_section *section, struct draft *draft, struct ini_problems *problems)
{
	size_t n_before = problems->n_items;
	int r;

	if (draft->password_file && !draft->settings.broker.user)
		return ini_section_problem(section, "password-file", problems,
			"a password goes with a `user`, which is missing");
	r = judge_file(section, "password-file", draft->password_file, true, problems);
	if (r == 0 && draft->password_file && problems->n_items == n_before)
		r = read_password(section, draft, problems);
	return r;
}

static int judge_broker(
	const struct ini_section *section, struct draft *draft, struct ini_problems *problems)
{
	const struct fleet_broker *broker = &draft->settings.broker;
	int r = judge_tls(section, broker->ca, broker->certificate, broker->key, problems);

	if (r == 0)
		r = judge_user(section, draft, problems);
	if (r == 0 && !broker->host && !ini_section_find(section, "uri"))
		r = ini_section_expect(section, "uri", "mqtts://HOST", problems);
	if (r < 0 || !broker->host || broker->is_tls)
		return r;
	if (!draft->is_insecure && !is_loopback(broker->host))
		return ini_section_problem(section, "uri", problems,
			"mqtt:// sends password and commands in the clear: mqtts:// does not, and `insecure = yes` says that it is meant");
	if (broker->ca || broker->certificate || broker->alpn)
		return ini_section_problem(section, "uri", problems,
			"mqtt:// has no use for ca, certificate, key and alpn: is mqtts:// meant?");
	return 0;
}

/* What nobody named. */
static int fill_names(const struct ini_section *section, struct fleet_settings *settings,
	struct ini_problems *problems)
{
	char host[NAME_MOST + 1] = "";

	if (!settings->gateway) {
		if (gethostname(host, sizeof(host)) < 0 || host[NAME_MOST] || !is_fit_name(host))
			return ini_section_problem(section, NULL, problems,
				"the name of this computer does not do for that of a gateway; [fleet] needs `gateway`");
		if (text_duplicate(host, &settings->gateway) < 0)
			return -ENOMEM;
	}
	/* Brokers let a gateway write all below its own name. */
	if (strcmp(settings->gateway, "desired") == 0)
		return ini_section_problem(section, NULL, problems,
			"a gateway with the name 'desired' could write wishes of others; [fleet] needs another `gateway`");
	settings->topics.gateway = settings->gateway;
	return settings->broker.client_id ? 0
					  : text_format(&settings->broker.client_id, "plugflash-%s",
						    settings->gateway);
}

static int judge(const struct ini *ini, struct draft *draft, struct ini_problems *problems)
{
	const struct ini_section *broker = find_section(ini, "broker");
	const struct ini_section *download = find_section(ini, "download");
	const struct fleet_download *web = &draft->settings.download;
	int r;

	if (!broker)
		return ini_problem_add(problems, NULL, 0, NULL, NULL,
			"there is no [broker]: it needs `uri`, and plugflash-fleet.conf(5) shows the rest");
	r = judge_broker(broker, draft, problems);
	if (r == 0 && download)
		r = judge_tls(download, web->ca, web->certificate, web->key, problems);
	return r < 0 ? r : fill_names(broker, &draft->settings, problems);
}

/* ----------------------------------------------------------------------------------- files */

static int load_file(const char *directory, struct ini *ini, struct ini_problems *problems)
{
	char *path CLEANUP(freep) = NULL;

	if (text_format(&path, "%s/%s", directory, NAME_FLEET_CONFIGURATION) < 0)
		return -ENOMEM;
	return ini_load_file(ini, path, problems);
}

int fleet_settings_load(
	const char *directory, struct fleet_settings *ret, struct ini_problems *problems)
{
	struct ini ini CLEANUP(ini_done) = {0};
	struct draft draft CLEANUP(draft_done) = {0};
	size_t n_before = problems->n_items;
	int r = load_file(directory, &ini, problems);

	if (r == -ENOENT)
		return OUTCOME_BAD_CONFIG;
	if (r == 0)
		r = set_defaults(&draft.settings);
	for (size_t i = 0; r == 0 && i < ini.n_sections; i++)
		r = read_section(&ini.sections[i], &draft, problems);
	if (r == 0)
		r = judge(&ini, &draft, problems);
	if (r < 0)
		return r;
	if (problems->n_items > n_before)
		return OUTCOME_BAD_CONFIG;
	*ret = draft.settings;
	draft.settings = (struct fleet_settings){0};
	return 0;
}
