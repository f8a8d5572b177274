/* SPDX-License-Identifier: MIT */
/*
 * spinel.c - asks a Thread RCP for its version, and makes it start its boot loader.
 *
 * A property is asked for under the number of a transaction, and its answer has that number; what
 * the RCP says unasked (radio frames, its log) has 0 and is passed over. The version is the text
 * of NCP_VERSION up to the first semicolon: behind it stand the platform and the time of the build.
 *
 * A question changes nothing. RESET with the reason "boot loader" has no answer. An RCP that was
 * built without it resets itself all the same and says so as it starts: that is heard, so that
 * nobody waits for a menu that cannot come.
 */
#include "application/spinel.h"

#include <stdio.h>

#include "application/application-protocol.h"
#include "application/application-version.h"
#include "application/hdlc.h"
#include "base/util.h"

#define ASK_AGAIN_USEC (500 * USEC_PER_MSEC)

/* How long a refusal takes, or the start of an application that was only reset. */
#define RESET_USEC (500 * USEC_PER_MSEC)

/* With it the question has no byte that another application or a menu takes for something
 * (application-protocols.md 7). */
#define NUMBER 2

bool spinel_unpack(const uint8_t **bytes, size_t *n_bytes, uint32_t *ret)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < 3 && i < *n_bytes; i++) {
		uint8_t byte = (*bytes)[i];

		value |= (uint32_t)(byte & 0x7F) << 7 * i;
		if (byte & 0x80)
			continue;
		*bytes += i + 1;
		*n_bytes -= i + 1;
		*ret = value;
		return true;
	}
	return false;
}

bool spinel_read(const uint8_t *body, size_t n_body, struct spinel_property_is *ret)
{
	uint32_t command;

	if (n_body == 0 || (body[0] & 0xC0) != 0x80)
		return false;
	ret->header = *body++;
	n_body--;
	if (!spinel_unpack(&body, &n_body, &command) || command != SPINEL_PROPERTY_IS ||
		!spinel_unpack(&body, &n_body, &ret->key))
		return false;
	ret->value = body;
	ret->n_value = n_body;
	return true;
}

/* ------------------------------------------------------------------ the conversation */

struct spinel {
	struct application_link *link;
	struct hdlc_receiver receiver;
	struct spinel_property_is property; /* into `receiver` */
};

static int say(struct spinel *spinel, uint8_t header, uint8_t command, uint8_t argument)
{
	const uint8_t body[] = {header, command, argument};
	uint8_t frame[HDLC_ENCODED_MAX(sizeof(body))];

	return application_link_say(spinel->link, frame, hdlc_make(frame, body, sizeof(body)));
}

/* The next property that is said under this number. */
static int hear(struct spinel *spinel, uint8_t header, uint64_t until)
{
	for (;;) {
		uint8_t byte;
		size_t n;
		int r = application_link_hear(spinel->link, &byte, until);

		if (r != 0)
			return r;
		if (hdlc_take(&spinel->receiver, byte, &n) &&
			spinel_read(spinel->receiver.body, n, &spinel->property) &&
			spinel->property.header == header)
			return 0;
	}
}

static bool is_status(const struct spinel *spinel, uint32_t *ret)
{
	const uint8_t *value = spinel->property.value;
	size_t n = spinel->property.n_value;

	return spinel->property.key == SPINEL_LAST_STATUS && spinel_unpack(&value, &n, ret);
}

static int refuse_status(struct spinel *spinel, uint32_t status, const char *what)
{
	reason_set(&spinel->link->reason, "it answers %s with Spinel status %u", what, status);
	return APPLICATION_REFUSED;
}

/* What is said under our number is the answer, or a status. */
static int ask(struct application_link *link, char ret_version[static APPLICATION_VERSION_BYTES])
{
	struct spinel spinel = {.link = link};
	struct port *port = link->expect->port;
	uint32_t status = 0;
	int r;

	do {
		r = say(&spinel, SPINEL_HEADER(NUMBER), SPINEL_PROPERTY_GET, SPINEL_NCP_VERSION);
		if (r == 0)
			r = hear(&spinel, SPINEL_HEADER(NUMBER), port_now(port) + ASK_AGAIN_USEC);
	} while (r == APPLICATION_SILENT && port_now(port) < link->deadline);
	if (r != 0)
		return r;
	if (spinel.property.key == SPINEL_NCP_VERSION &&
		application_version_read(
			spinel.property.value, spinel.property.n_value, ';', ret_version))
		return 0;
	(void)is_status(&spinel, &status);
	return refuse_status(&spinel, status, "the question for its version");
}

static int enter_loader(struct application_link *link)
{
	struct spinel spinel = {.link = link};
	uint64_t until;
	uint32_t status;
	int r;

	expect_mark(link->expect);
	r = say(&spinel, SPINEL_HEADER(0), SPINEL_RESET, SPINEL_TO_LOADER);
	until = port_now(link->expect->port) + RESET_USEC;
	while (r == 0) {
		r = hear(&spinel, SPINEL_HEADER(0), until);
		if (r != 0 || !is_status(&spinel, &status) || status == 0)
			continue;
		if (status < SPINEL_RESET_FIRST || status > SPINEL_RESET_LAST)
			return refuse_status(
				&spinel, status, "the request to start its boot loader");
		reason_set(&link->reason,
			"it starts again in place of its boot loader: it was built without the way into that");
		return APPLICATION_REFUSED;
	}
	/* The menu may have come. */
	if (r == APPLICATION_SILENT) {
		expect_recall(link->expect);
		return 0;
	}
	return r;
}

/* 460800 is what OpenThread's RCPs have; 115200 is older builds'. */
static const uint32_t bauds[] = {460800, 115200};

const struct application_protocol_ops application_spinel = {
	.bauds = bauds,
	.n_bauds = ARRAY_SIZE(bauds),
	.ask = ask,
	.enter_loader = enter_loader,
};
