/* SPDX-License-Identifier: MIT */
/* Topics: any template in the first line, any topic behind it; what is understood leads back. */
#include "fleet/topics.h"
#include "fuzz.h"

static void must_lead_back(const struct topics *topics, char *const *groups, const char *text)
{
	struct topic_match match;
	struct topic_values values = {0};
	char again[TOPIC_SIZE];

	if (!topics_match(topics, groups, 2, text, &match))
		return;
	MUST(match.topic != TOPIC_DESIRED_GROUP || match.group < 2);
	values.group = match.topic == TOPIC_DESIRED_GROUP ? groups[match.group] : NULL;
	values.board = values.id = match.value;
	MUST(topics_make(topics, match.topic, &values, again));
	MUST(strcmp(again, text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char *groups[] = {"north", "all", NULL};
	CLEANUP(ini_problems_done) struct ini_problems problems = {};
	CLEANUP(ini_done) struct ini ini = {};
	CLEANUP(topics_done) struct topics topics = {.gateway = "gw-1"};
	CLEANUP(freep) char *text = strndup((const char *)data, size);
	CLEANUP(freep) char *section = NULL;
	char *topic;

	MUST(text);
	topic = text + strcspn(text, "\n");
	if (*topic)
		*topic++ = '\0';
	MUST(topics_set_defaults(&topics) == 0);
	MUST(text_format(&section, "[topics]\ndesired-gateway=%s\n", text) == 0);
	MUST(ini_load_text(&ini, "file", section, strlen(section), &problems) == 0);
	if (problems.n_items > 0)
		return 0;
	MUST(topics_read(&ini.sections[0], &topics, &problems) == 0);
	if (problems.n_items == 0)
		must_lead_back(&topics, groups, topic);
	return 0;
}
