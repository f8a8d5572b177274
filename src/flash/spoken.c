/* SPDX-License-Identifier: MIT */
#include "flash/spoken.h"

#include <errno.h>

#include "base/util.h"

/* The n-th rate at which the rule has this protocol asked; 0: there are no more. */
static uint32_t rate_of(
	const struct board *board, const struct application_protocol_ops *ops, size_t n)
{
	const uint32_t *bauds = ops->bauds;
	size_t n_bauds = ops->n_bauds;

	if (board->application.has_baud) {
		bauds = &board->application.line.baud;
		n_bauds = 1;
	}
	if (n < n_bauds)
		return bauds[n];
	if (n > n_bauds || !board->confirm.has_baud)
		return 0;
	/* A stick that has its new application already talks at that one's rate. */
	for (size_t i = 0; i < n_bauds; i++)
		if (bauds[i] == board->confirm.line.baud)
			return 0;
	return board->confirm.line.baud;
}

bool spoken_candidate(const struct board *board, size_t n, struct spoken *ret)
{
	for (unsigned i = 0; i < APPLICATION_PROTOCOL_MAX; i++) {
		const struct application_protocol_ops *ops = application_protocol_of(i);
		size_t k = 0;

		if (!(board->applications & 1u << i) || !ops)
			continue;
		for (uint32_t baud; (baud = rate_of(board, ops, k)) > 0; k++)
			if (k == n) {
				*ret = (struct spoken){.protocol = i, .baud = baud};
				return true;
			}
		n -= k;
	}
	return false;
}

/* All that was sent at another rate must be out before. APPLICATION_SILENT: no such rate. */
static int set_rate(struct expect *expect, uint32_t baud)
{
	struct reason ignored;
	int r;

	/* A port that does not drain fails later. */
	(void)port_drain(expect->port, port_now(expect->port) + USEC_PER_SEC);
	r = port_configure(expect->port, baud, PORT_PARITY_NONE, &ignored);
	if (r == -ENOTSUP)
		return APPLICATION_SILENT;
	return r == 0 ? expect_forget(expect) : r;
}

int spoken_ask(
	struct spoken *spoken, struct expect *expect, uint64_t usec, struct spoken_heard *heard)
{
	const struct application_protocol_ops *ops = application_protocol_of(spoken->protocol);
	struct application_link link = {.expect = expect};
	char version[APPLICATION_VERSION_BYTES] = "";
	int r = set_rate(expect, spoken->baud);

	if (r != 0)
		return r;
	link.deadline = port_now(expect->port) + usec;
	r = ops->ask(&link, version);
	if (r == 0)
		text_copy(spoken->version, sizeof(spoken->version), version);
	if (r == APPLICATION_REFUSED)
		spoken->refusal = link.reason;
	if (r == APPLICATION_SILENT)
		heard->n_bytes += link.n_heard;
	return r;
}

int spoken_enter_loader(struct spoken *spoken, struct expect *expect)
{
	const struct application_protocol_ops *ops = application_protocol_of(spoken->protocol);
	struct application_link link = {.expect = expect};
	int r = set_rate(expect, spoken->baud);

	if (r != 0)
		return r;
	link.deadline = port_now(expect->port) + SPOKEN_ENTER_USEC;
	r = ops->enter_loader(&link);
	if (r == APPLICATION_REFUSED)
		spoken->refusal = link.reason;
	return r;
}

char *spoken_format(const struct spoken *spoken, char *to, size_t size)
{
	char version[TEXT_MAX];

	text_escape(spoken->version, version, sizeof(version));
	snprintf(to, size, "%s%s%s at %u baud", application_protocol_to_string(spoken->protocol),
		version[0] ? " " : "", version, spoken->baud);
	return to;
}

char *spoken_list(const struct board *board, char *to, size_t size)
{
	enum application_protocol last = APPLICATION_PROTOCOL_MAX;
	struct spoken spoken;
	size_t used = 0;

	to[0] = '\0';
	for (size_t i = 0; used < size && spoken_candidate(board, i, &spoken); i++) {
		const char *name = application_protocol_to_string(spoken.protocol);
		int n = spoken.protocol == last
				? snprintf(to + used, size - used, ", %u", spoken.baud)
				: snprintf(to + used, size - used, "%s%s at %u", i > 0 ? "; " : "",
					  name, spoken.baud);

		used += n > 0 ? (size_t)n : 0;
		last = spoken.protocol;
	}
	return to;
}
