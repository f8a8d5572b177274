/* SPDX-License-Identifier: MIT */
/*
 * topics.c - one table says what each topic is for, what it is called, and which values it needs.
 */
#include "fleet/topics.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/parse.h"

enum place {
	PLACE_PREFIX,
	PLACE_GATEWAY,
	PLACE_SLOT,
	PLACE_UNIT,
	PLACE_BOARD,
	PLACE_GROUP,
	PLACE_ID,
	PLACE_MAX,
};

static const char *const place_names[PLACE_MAX] = {
	[PLACE_PREFIX] = "{prefix}",
	[PLACE_GATEWAY] = "{gateway}",
	[PLACE_SLOT] = "{slot}",
	[PLACE_UNIT] = "{unit}",
	[PLACE_BOARD] = "{board}",
	[PLACE_GROUP] = "{group}",
	[PLACE_ID] = "{id}",
};

#define GATEWAY (1U << PLACE_GATEWAY)
#define SLOT	(1U << PLACE_SLOT)
#define UNIT	(1U << PLACE_UNIT)
#define BOARD	(1U << PLACE_BOARD)
#define GROUP	(1U << PLACE_GROUP)
#define ID	(1U << PLACE_ID)

/*
 * `needed`: without these two things would share a topic. `heard`: others write it, and the one
 * value that is not known before stands as a wildcard in the filter.
 */
static const struct topic_kind {
	const char *key;
	const char *otherwise;
	unsigned needed;
	enum place heard; /* PLACE_MAX: it is not heard */
} kinds[TOPIC_MAX] = {
	[TOPIC_STATUS] = {"status", "{prefix}/{gateway}/status", GATEWAY, PLACE_MAX},
	[TOPIC_SLOT] = {"slot", "{prefix}/{gateway}/slot/{slot}", GATEWAY | SLOT, PLACE_MAX},
	[TOPIC_UNIT] = {"unit", "{prefix}/{gateway}/unit/{unit}/state", GATEWAY | UNIT, PLACE_MAX},
	[TOPIC_WISH] = {"wish", "{prefix}/{gateway}/wish/{board}", GATEWAY | BOARD, PLACE_MAX},
	[TOPIC_EVENT] = {"event", "{prefix}/{gateway}/event", GATEWAY, PLACE_MAX},
	[TOPIC_COMMAND] = {"command", "{prefix}/{gateway}/cmd/{id}", GATEWAY | ID, PLACE_ID},
	[TOPIC_DESIRED_GROUP] = {"desired-group", "{prefix}/desired/group/{group}/{board}",
		GROUP | BOARD, PLACE_BOARD},
	[TOPIC_DESIRED_GATEWAY] = {"desired-gateway", "{prefix}/desired/gateway/{gateway}/{board}",
		GATEWAY | BOARD, PLACE_BOARD},
	[TOPIC_DISCOVERY] = {"discovery", "homeassistant/update/{id}/config", ID, PLACE_MAX},
};

const char *topic_key(enum topic topic)
{
	return kinds[topic].key;
}

int topics_set_defaults(struct topics *topics)
{
	int r = text_duplicate("plugflash", &topics->prefix);

	for (size_t i = 0; r == 0 && i < TOPIC_MAX; i++)
		r = text_duplicate(kinds[i].otherwise, &topics->templates[i]);
	return r;
}

void topics_done(struct topics *topics)
{
	free(topics->prefix);
	for (size_t i = 0; i < TOPIC_MAX; i++)
		free(topics->templates[i]);
	*topics = (struct topics){0};
}

/* ------------------------------------------------------------------------------- templates */

/* The place that begins here; PLACE_MAX: none. */
static enum place place_at(const char *text)
{
	enum place place = 0;

	while (place < PLACE_MAX &&
		strncmp(text, place_names[place], strlen(place_names[place])) != 0)
		place++;
	return place;
}

/* Whether the place is a level of its own: a wildcard must be. */
static bool is_a_level(const char *template, const char *at, enum place place)
{
	char behind = at[strlen(place_names[place])];

	return (at == template || at[-1] == '/') && (behind == '\0' || behind == '/');
}

#define TOPIC_EXPECTED "a topic of 1 to 256 visible signs of ASCII, without + # \" and \\"

/* What a topic cannot hold, or a person can hardly mean. */
static bool has_strange_sign(const char *text)
{
	for (; *text; text++)
		if (!isgraph((unsigned char)*text) || strchr("+#\"\\", *text))
			return true;
	return false;
}

static void list_places(unsigned places, char *expected, size_t size)
{
	text_copy(expected, size, "no braces but these, each at most once:");
	for (enum place place = 0; place < PLACE_MAX; place++) {
		size_t n = strlen(expected);

		if (places & 1U << place)
			snprintf(expected + n, size - n, " %s", place_names[place]);
	}
}

/* Which places the template has, each once; `expected` says what is wrong with one: -EINVAL. */
static int take_places(const struct topic_kind *kind, const char *template, unsigned *ret_found,
	char *expected, size_t size)
{
	unsigned allowed = kind->needed | GATEWAY | 1U << PLACE_PREFIX;
	unsigned found = 0;

	for (const char *at = strpbrk(template, "{}"); at; at = strpbrk(at, "{}")) {
		enum place place = place_at(at);

		if (place == PLACE_MAX || (allowed & 1U << place) == 0 || found & 1U << place) {
			list_places(allowed, expected, size);
			return -EINVAL;
		}
		if (place == kind->heard && !is_a_level(template, at, place)) {
			snprintf(expected, size, "%s as a level of its own, between two '/'",
				place_names[place]);
			return -EINVAL;
		}
		found |= 1U << place;
		at += strlen(place_names[place]);
	}
	*ret_found = found;
	return 0;
}

static int judge_template(
	const struct topic_kind *kind, const char *template, char *expected, size_t size)
{
	unsigned found = 0;
	int r;

	if (template[0] == '\0' || strlen(template) >= TOPIC_SIZE || has_strange_sign(template)) {
		text_copy(expected, size, TOPIC_EXPECTED);
		return -EINVAL;
	}
	r = take_places(kind, template, &found, expected, size);
	for (enum place place = 0; r == 0 && place < PLACE_MAX; place++)
		if (kind->needed & ~found & 1U << place) {
			snprintf(expected, size,
				"%s in it: without that, several would share one topic",
				place_names[place]);
			r = -EINVAL;
		}
	return r;
}

static int parse_prefix(const char *value, void *field, const char **ret_expected)
{
	size_t n = strlen(value);

	*ret_expected =
		"one or more levels like 'acme/site7', without / at an end, + # { } \" and \\";
	if (n == 0 || n > TOPIC_SIZE / 2 || has_strange_sign(value) || strpbrk(value, "{}"))
		return -EINVAL;
	if (value[0] == '/' || value[n - 1] == '/')
		return -EINVAL;
	return ini_parse_string(value, field, ret_expected);
}

/* Two kinds with one topic would be taken for one another. */
static int judge_twins(const struct ini_section *section, const struct topics *topics,
	struct ini_problems *problems)
{
	for (size_t i = 0; i < TOPIC_MAX; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(topics->templates[i], topics->templates[k]) == 0 &&
				ini_section_problem(section, kinds[i].key, problems,
					"has the topic of `%s`: each needs its own",
					kinds[k].key) < 0)
				return -ENOMEM;
	return 0;
}

int topics_read(
	const struct ini_section *section, struct topics *topics, struct ini_problems *problems)
{
	struct ini_key keys[TOPIC_MAX + 1] = {
		{"prefix", offsetof(struct topics, prefix), parse_prefix},
	};
	int r;

	for (size_t i = 0; i < TOPIC_MAX; i++)
		keys[i + 1] = (struct ini_key){kinds[i].key,
			offsetof(struct topics, templates) + i * sizeof(char *), ini_parse_string};
	r = ini_section_apply(section, keys, ARRAY_SIZE(keys), topics, problems);
	for (size_t i = 0; r == 0 && i < TOPIC_MAX; i++) {
		char expected[128];

		if (judge_template(&kinds[i], topics->templates[i], expected, sizeof(expected)) < 0)
			r = ini_section_expect(section, kinds[i].key, expected, problems);
	}
	return r < 0 ? r : judge_twins(section, topics, problems);
}

/* ---------------------------------------------------------------------------------- making */

/* Letters, digits and signs that mean nothing to a broker stay as they are. */
static bool is_plain(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("-._~:@=,()!;", c));
}

/* A text that is being made; `at` NULL: it had no room. */
struct topic_text {
	char *at;
	const char *end;
};

static void append(struct topic_text *to, const char *from, size_t n)
{
	if (!to->at || (size_t)(to->end - to->at) <= n) {
		to->at = NULL;
		return;
	}
	memcpy(to->at, from, n);
	to->at += n;
	*to->at = '\0';
}

static void append_escaped(struct topic_text *to, const char *value)
{
	/* An empty level is another topic than the one that was meant. */
	if (!value || !*value)
		to->at = NULL;
	for (; to->at && *value; value++) {
		char escaped[4];

		if (is_plain(*value)) {
			append(to, value, 1);
			continue;
		}
		snprintf(escaped, sizeof(escaped), "%%%02X", (unsigned)(unsigned char)*value);
		append(to, escaped, 3);
	}
}

/* What stands in a place. The two that the configuration names are fit for a topic as they are. */
static void append_place(struct topic_text *to, const struct topics *topics, enum place place,
	const struct topic_values *values)
{
	const char *const value[PLACE_MAX] = {
		[PLACE_SLOT] = values->slot,
		[PLACE_UNIT] = values->unit,
		[PLACE_BOARD] = values->board,
		[PLACE_GROUP] = values->group,
		[PLACE_ID] = values->id,
	};

	if (place == PLACE_PREFIX)
		append(to, topics->prefix, strlen(topics->prefix));
	else if (place == PLACE_GATEWAY)
		append(to, topics->gateway, strlen(topics->gateway));
	else
		append_escaped(to, value[place]);
}

/* `wildcard`: the place that becomes a +; PLACE_MAX: none. */
static char *make(const struct topics *topics, enum topic topic, enum place wildcard,
	const struct topic_values *values, char *to)
{
	struct topic_text text = {.at = to, .end = to + TOPIC_SIZE};
	const char *from = topics->templates[topic];

	while (*from && text.at) {
		enum place place = place_at(from);

		if (place == PLACE_MAX) {
			append(&text, from++, 1);
			continue;
		}
		if (place == wildcard)
			append(&text, "+", 1);
		else
			append_place(&text, topics, place, values);
		from += strlen(place_names[place]);
	}
	return text.at ? to : NULL;
}

char *topics_make(
	const struct topics *topics, enum topic topic, const struct topic_values *values, char *to)
{
	static const struct topic_values none = {0};

	return make(topics, topic, PLACE_MAX, values ? values : &none, to);
}

char *topics_filter(const struct topics *topics, enum topic topic, const char *group, char *to)
{
	const struct topic_values values = {.group = group};

	return make(topics, topic, kinds[topic].heard, &values, to);
}

/* -------------------------------------------------------------------------------- matching */

/* Of an escape: %5b and %5B would be two topics of one value. */
static bool is_capital_digit(char c)
{
	return digit_value(c) < 16 && !islower((unsigned char)c);
}

/* The level as it was before it was escaped. False: this is nothing that append_escaped() makes. */
static bool read_level(const char *from, size_t n_from, char *to, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < n_from; i++) {
		char c = from[i];

		if (n + 1 >= size)
			return false;
		if (c == '%') {
			if (n_from - i < 3 || !is_capital_digit(from[i + 1]) ||
				!is_capital_digit(from[i + 2]))
				return false;
			c = (char)(digit_value(from[i + 1]) << 4 | digit_value(from[i + 2]));
			i += 2;
			if (c == '\0' || is_plain(c))
				return false;
		} else if (!is_plain(c)) {
			return false;
		}
		to[n++] = c;
	}
	to[n] = '\0';
	return n > 0;
}

/* Whether the text is the filter, with something in the place of its one +. */
static bool fits(const char *filter, const char *text, char *value, size_t size)
{
	const char *plus = strchr(filter, '+');
	size_t before = plus ? (size_t)(plus - filter) : 0;
	size_t level;

	if (!plus || strncmp(filter, text, before) != 0)
		return false;
	level = strcspn(text + before, "/");
	return strcmp(text + before + level, plus + 1) == 0 &&
	       read_level(text + before, level, value, size);
}

bool topics_match(const struct topics *topics, char *const *groups, size_t n_groups,
	const char *text, struct topic_match *ret)
{
	/* One that could not be answered. */
	if (strlen(text) >= TOPIC_SIZE)
		return false;
	for (enum topic topic = 0; topic < TOPIC_MAX; topic++) {
		size_t n = topic == TOPIC_DESIRED_GROUP ? n_groups : 1;

		for (size_t i = 0; kinds[topic].heard != PLACE_MAX && i < n; i++) {
			char filter[TOPIC_SIZE];
			const char *group = topic == TOPIC_DESIRED_GROUP ? groups[i] : NULL;

			if (!topics_filter(topics, topic, group, filter) ||
				!fits(filter, text, ret->value, sizeof(ret->value)))
				continue;
			ret->topic = topic;
			ret->group = i;
			return true;
		}
	}
	return false;
}
