/* SPDX-License-Identifier: MIT */
/*
 * transfer.c - libcurl's multi interface in sd-event's loop.
 *
 * The library tells which sockets it waits for and when it wants to be called at the latest; each
 * socket becomes an event source, and the time one timer. Every event ends in
 * curl_multi_socket_action(), and after that it is asked whether the request has ended: inside of
 * its own callbacks no request may be taken away. Names are resolved in a thread of the library.
 */
#include "fleet/transfer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/names.h"
#include "base/util.h"

#define REDIRECTS_MOST 5
#define RANGE_SIZE     32

struct transfer {
	const struct fleet_download *settings;
	const struct transfer_callbacks *callbacks;
	void *userdata;
	sd_event *event;
	sd_event_source *timer;
	bool has_library;
	CURLM *multi;
	CURL *easy; /* NULL: none is under way */
	struct curl_slist *headers;
	struct reply reply;
	bool has_begun;		/* begin() was called */
	sd_event_source *pause; /* while bytes wait for the rate */
	bool is_paused;
	uint64_t free_usec; /* until then the bytes that were taken last keep the rate busy */
	bool is_plain;	    /* refused: http to an address of the network */
	char error[CURL_ERROR_SIZE];
};

/* ------------------------------------------------------------------ the end of a request */

static void drop(struct transfer *transfer)
{
	if (!transfer->easy)
		return;
	(void)curl_multi_remove_handle(transfer->multi, transfer->easy);
	curl_easy_cleanup(transfer->easy);
	curl_slist_free_all(transfer->headers);
	(void)sd_event_source_set_enabled(transfer->pause, SD_EVENT_OFF);
	transfer->is_paused = false;
	transfer->easy = NULL;
	transfer->headers = NULL;
}

/* The sentences of these say what to do; of all others the library's own are taken. */
static void explain(const struct transfer *transfer, CURLcode code, struct reason *reason)
{
	const char *text = transfer->error[0] ? transfer->error : curl_easy_strerror(code);
	char shown[TEXT_MAX];

	text_show(text, shown, sizeof(shown));
	if (transfer->is_plain)
		reason_set(reason,
			"http is taken from a loopback address alone: publish it at an https address");
	else if (code == CURLE_PEER_FAILED_VERIFICATION)
		reason_set(reason,
			"the server's certificate is not accepted: %s: look at ca of [download], and at the clock of this gateway",
			shown);
	else if (code == CURLE_UNSUPPORTED_PROTOCOL)
		reason_set(
			reason, "the server leads to another address that is not https: %s", shown);
	else if (code == CURLE_TOO_MANY_REDIRECTS)
		reason_set(reason,
			"the server leads from one address to the next, more than %d times",
			REDIRECTS_MOST);
	else if (code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CACERT_BADFILE)
		reason_set(reason, "ca, certificate or key of [download]: %s", shown);
	else
		reason_set(reason, "%s", shown);
}

static void end_with(struct transfer *transfer, CURLcode code)
{
	struct transfer_end end = {.is_whole = code == CURLE_OK};
	curl_off_t seconds = 0;

	if (!end.is_whole)
		explain(transfer, code, &end.reason);
	else if (!transfer->has_begun)
		(void)transfer->callbacks->begin(transfer->userdata, &transfer->reply);
	if (curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK &&
		seconds > 0 && (uint64_t)seconds < UINT64_MAX / USEC_PER_SEC)
		end.retry_usec = (uint64_t)seconds * USEC_PER_SEC;
	drop(transfer);
	transfer->callbacks->end(transfer->userdata, &end);
}

/* Nothing may be touched behind it: whoever hears of the end may have freed all. */
static void look_for_end(struct transfer *transfer)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(transfer->multi, &left)))
		if (message->msg == CURLMSG_DONE && message->easy_handle == transfer->easy) {
			end_with(transfer, message->data.result);
			return;
		}
}

/* ------------------------------------------------------------------ the event loop */

static int on_socket(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct transfer *transfer = userdata;
	int mask = (events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
		   (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		   (events & EPOLLERR ? CURL_CSELECT_ERR : 0);
	int running;

	(void)source;
	(void)curl_multi_socket_action(transfer->multi, fd, mask, &running);
	look_for_end(transfer);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct transfer *transfer = userdata;
	int running;

	(void)source;
	(void)usec;
	(void)curl_multi_socket_action(transfer->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	look_for_end(transfer);
	return 0;
}

/* The library wants to hear of this socket, or no more. */
static int set_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *kept)
{
	struct transfer *transfer = userdata;
	sd_event_source *source = kept;
	uint32_t events =
		(what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		(void)curl_multi_assign(transfer->multi, fd, NULL);
		sd_event_source_disable_unref(source);
		return 0;
	}
	if (source)
		return sd_event_source_set_io_events(source, events) < 0 ? -1 : 0;
	if (sd_event_add_io(transfer->event, &source, fd, events, on_socket, transfer) < 0)
		return -1;
	(void)curl_multi_assign(transfer->multi, fd, source);
	return 0;
}

static int set_timer(CURLM *multi, long msec, void *userdata)
{
	struct transfer *transfer = userdata;

	(void)multi;
	if (msec < 0)
		return sd_event_source_set_enabled(transfer->timer, SD_EVENT_OFF) < 0 ? -1 : 0;
	if (sd_event_source_set_time_relative(transfer->timer, (uint64_t)msec * USEC_PER_MSEC) <
			0 ||
		sd_event_source_set_enabled(transfer->timer, SD_EVENT_ONESHOT) < 0)
		return -1;
	return 0;
}

/* ------------------------------------------------------------------ what the library hands over */

static size_t on_header(char *line, size_t size, size_t n, void *userdata)
{
	struct transfer *transfer = userdata;

	(void)size;
	reply_take(&transfer->reply, line, n);
	return n;
}

/*
 * Whether bytes have to wait for the rate of the settings; else these are counted. The library has
 * a limit of its own, which lets the first seconds through at any speed: most images are through by
 * then.
 */
static bool must_wait(struct transfer *transfer, size_t n)
{
	uint64_t rate = transfer->settings->rate, now = monotonic_usec();

	if (rate == 0)
		return false;
	if (now < transfer->free_usec)
		return true;
	transfer->free_usec = now + n * USEC_PER_SEC / rate;
	return false;
}

static size_t wait_for_rate(struct transfer *transfer)
{
	if (sd_event_source_set_time(transfer->pause, transfer->free_usec) < 0 ||
		sd_event_source_set_enabled(transfer->pause, SD_EVENT_ONESHOT) < 0)
		return CURL_WRITEFUNC_ERROR;
	transfer->is_paused = true;
	return CURL_WRITEFUNC_PAUSE;
}

/* The library hands the same bytes over again, and may do so at once. */
static int on_pause_over(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct transfer *transfer = userdata;

	(void)source;
	(void)usec;
	transfer->is_paused = false;
	(void)curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
	look_for_end(transfer);
	return 0;
}

/* Not of redirects, whose bodies the library throws away. */
static size_t on_body(char *bytes, size_t size, size_t n, void *userdata)
{
	struct transfer *transfer = userdata;

	(void)size;
	if (must_wait(transfer, n))
		return wait_for_rate(transfer);
	if (!transfer->has_begun) {
		transfer->has_begun = true;
		if (transfer->callbacks->begin(transfer->userdata, &transfer->reply) != 0)
			return CURL_WRITEFUNC_ERROR;
	}
	return transfer->callbacks->take(transfer->userdata, bytes, n) == 0 ? n
									    : CURL_WRITEFUNC_ERROR;
}

static bool is_loopback(const char *address)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, address, &v4) == 1)
		return ntohl(v4.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET;
	return inet_pton(AF_INET6, address, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* Connected, and nothing is sent yet; also of each redirect. A name is what the resolver makes of
 * it, so that the address is what counts. */
static int on_connected(void *userdata, char *address, char *local, int port, int local_port)
{
	struct transfer *transfer = userdata;
	char *scheme = NULL;

	(void)local;
	(void)port;
	(void)local_port;
	if (curl_easy_getinfo(transfer->easy, CURLINFO_SCHEME, &scheme) == CURLE_OK && scheme &&
		strcasecmp(scheme, "https") == 0)
		return CURL_PREREQFUNC_OK;
	transfer->is_plain = !is_loopback(address);
	return transfer->is_plain ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* ------------------------------------------------------------------ a request */

static CURLcode set_callbacks(struct transfer *transfer)
{
	CURL *easy = transfer->easy;
	CURLcode r = CURLE_OK;

	r = r ? r : curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
	r = r ? r : curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	r = r ? r : curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	r = r ? r : curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	r = r ? r : curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	r = r ? r : curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
	r = r ? r : curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
	return r;
}

/* Whom is believed, and with what this gateway shows who it is. */
static CURLcode set_trust(CURL *easy, const struct fleet_download *settings)
{
	const char *protocols = settings->plain_http ? "http,https" : "https";
	CURLcode r = CURLE_OK;

	r = r ? r : curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, protocols);
	r = r ? r : curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, protocols);
	r = r ? r : curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (settings->ca) {
		r = r ? r : curl_easy_setopt(easy, CURLOPT_CAINFO, settings->ca);
		/* Otherwise the system's would be believed as well. */
		r = r ? r : curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (settings->certificate) {
		r = r ? r : curl_easy_setopt(easy, CURLOPT_SSLCERT, settings->certificate);
		r = r ? r : curl_easy_setopt(easy, CURLOPT_SSLKEY, settings->key);
	}
	return r;
}

static CURLcode set_question(struct transfer *transfer, const struct transfer_ask *ask)
{
	CURL *easy = transfer->easy;
	char range[RANGE_SIZE], condition[REPLY_TAG_MAX + sizeof("If-Range: ")];
	CURLcode r = curl_easy_setopt(easy, CURLOPT_URL, ask->url);

	if (ask->from > 0) {
		snprintf(range, sizeof(range), "%" PRIu64 "-", ask->from);
		r = r ? r : curl_easy_setopt(easy, CURLOPT_RANGE, range);
	}
	if (ask->from > 0 && *ask->tag) {
		snprintf(condition, sizeof(condition), "If-Range: %s", ask->tag);
		transfer->headers = curl_slist_append(NULL, condition);
		if (!transfer->headers)
			return CURLE_OUT_OF_MEMORY;
		r = r ? r : curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
	}
	return r;
}

static CURLcode set_manners(CURL *easy, const struct fleet_download *settings)
{
	CURLcode r = CURLE_OK;

	r = r ? r : curl_easy_setopt(easy, CURLOPT_USERAGENT, "plugflash-fleet/" PLUGFLASH_VERSION);
	r = r ? r : curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
	r = r ? r : curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)REDIRECTS_MOST);
	/* One file now, and the next in a week: streams beside one another are for others. */
	r = r ? r : curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	r = r ? r : curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	/* The library would take signals for its own timeouts. */
	r = r ? r : curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* Who is given up while a name is looked up is not waited for: the library's thread ends by
	 * itself, and up to then the event loop would stand still. */
	r = r ? r : curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	/* So much comes at a time: at a low rate a little, more often. */
	if (settings->rate > 0 && settings->rate < CURL_MAX_WRITE_SIZE)
		r = r ? r : curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)settings->rate);
	return r;
}

int transfer_begin(struct transfer *transfer, const struct transfer_ask *ask)
{
	CURLcode r;

	transfer->reply = (struct reply){};
	transfer->has_begun = transfer->is_plain = false;
	transfer->error[0] = '\0';
	transfer->easy = curl_easy_init();
	if (!transfer->easy)
		return -ENOMEM;
	r = set_callbacks(transfer);
	r = r ? r : set_trust(transfer->easy, transfer->settings);
	r = r ? r : set_manners(transfer->easy, transfer->settings);
	r = r ? r : set_question(transfer, ask);
	if (r != CURLE_OK || curl_multi_add_handle(transfer->multi, transfer->easy) != CURLM_OK) {
		drop(transfer);
		return r == CURLE_OUT_OF_MEMORY ? -ENOMEM : -EIO;
	}
	return 0;
}

bool transfer_is_paused(const struct transfer *transfer)
{
	return transfer->is_paused;
}

void transfer_stop(struct transfer *transfer)
{
	drop(transfer);
}

/* ------------------------------------------------------------------ life cycle */

static int set_up(struct transfer *transfer)
{
	CURLM *multi;
	int r = sd_event_add_time(
		transfer->event, &transfer->timer, CLOCK_MONOTONIC, 0, 1, on_timer, transfer);

	if (r >= 0)
		r = sd_event_source_set_enabled(transfer->timer, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time(transfer->event, &transfer->pause, CLOCK_MONOTONIC, 0, 1,
			on_pause_over, transfer);
	if (r >= 0)
		r = sd_event_source_set_enabled(transfer->pause, SD_EVENT_OFF);
	if (r < 0)
		return r;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -EIO;
	transfer->has_library = true;
	multi = transfer->multi = curl_multi_init();
	if (!multi)
		return -ENOMEM;
	if (curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, set_socket) != CURLM_OK ||
		curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, transfer) != CURLM_OK ||
		curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer) != CURLM_OK ||
		curl_multi_setopt(multi, CURLMOPT_TIMERDATA, transfer) != CURLM_OK)
		return -EIO;
	return 0;
}

static void transfer_freep(struct transfer **transfer)
{
	transfer_free(*transfer);
}

int transfer_new(sd_event *event, const struct fleet_download *settings,
	const struct transfer_callbacks *callbacks, void *userdata, struct transfer **ret)
{
	CLEANUP(transfer_freep) struct transfer *transfer = calloc(1, sizeof(*transfer));
	int r;

	if (!transfer)
		return -ENOMEM;
	transfer->event = sd_event_ref(event);
	transfer->settings = settings;
	transfer->callbacks = callbacks;
	transfer->userdata = userdata;
	r = set_up(transfer);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(transfer);
	return 0;
}

struct transfer *transfer_free(struct transfer *transfer)
{
	if (!transfer)
		return NULL;
	drop(transfer);
	(void)curl_multi_cleanup(transfer->multi);
	sd_event_source_disable_unref(transfer->timer);
	sd_event_source_disable_unref(transfer->pause);
	sd_event_unref(transfer->event);
	if (transfer->has_library)
		curl_global_cleanup();
	free(transfer);
	return NULL;
}
