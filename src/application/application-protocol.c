/* SPDX-License-Identifier: MIT */
#include "application/application-protocol.h"

static const struct application_protocol_ops *const protocols[APPLICATION_PROTOCOL_MAX] = {
	[APPLICATION_CPC] = &application_cpc,
	[APPLICATION_EZSP] = &application_ezsp,
	[APPLICATION_SPINEL] = &application_spinel,
	[APPLICATION_ZWAVE] = &application_zwave,
	[APPLICATION_MT] = &application_mt,
};

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
	int r;

	if (link->deadline < until)
		until = link->deadline;
	/* What never ends must end here: a read at its deadline still takes what is there. */
	r = port_now(link->expect->port) < until ? expect_hear(link->expect, ret, until)
						 : APPLICATION_SILENT;
	if (r == 0)
		link->n_heard++;
	return r;
}
