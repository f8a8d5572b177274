/* SPDX-License-Identifier: MIT */
#include "application/application-protocol.h"

static const struct application_protocol_ops *const protocols[APPLICATION_PROTOCOL_MAX] = {0};

const struct application_protocol_ops *application_protocol_of(enum application_protocol protocol)
{
	return protocols[protocol];
}

int application_link_say(struct application_link *link, const uint8_t *bytes, size_t n_bytes)
{
	return expect_say(link->expect, bytes, n_bytes);
}

int application_link_hear(struct application_link *link, uint8_t *ret, uint64_t until)
{
	int r = expect_hear(link->expect, ret, until < link->deadline ? until : link->deadline);

	if (r == 0)
		link->n_heard++;
	return r;
}
