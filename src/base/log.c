/* SPDX-License-Identifier: MIT */
/*
 * log.c - one entry to journald with its fields, or one line to standard error.
 *
 * Neither way makes the process wait. While journald stands still, its socket is full, and so is a
 * standard error that systemd connected to it: an entry is then kept (log-journal.c) or dropped.
 */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "base/log-journal.h"
#include "base/text.h"

/* A journal that still takes entries needs less. */
#define CLOSE_USEC    USEC_PER_SEC

#define MESSAGE_BYTES 1024
#define VALUE_BYTES   1024

/* MESSAGE, PRIORITY, SYSLOG_IDENTIFIER, MESSAGE_ID. */
#define N_OWN_FIELDS 4

static struct {
	const char *identifier;
	enum log_target target;
	int threshold;
	bool has_prefix; /* standard error ends in journald, which reads <N> off the line */
} chosen = {.identifier = "plugflash", .threshold = LOG_INFO};

/* systemd sets JOURNAL_STREAM to the device and inode of what it connected (systemd.exec(5)). */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat status;

	if (!stream || fstat(STDERR_FILENO, &status) < 0)
		return false;
	snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
	return strcmp(stream, own) == 0;
}

enum log_target log_target_default(void)
{
	return access(JOURNAL_SOCKET, F_OK) == 0 ? LOG_TARGET_JOURNAL : LOG_TARGET_STDERR;
}

void log_open(const char *identifier, enum log_target target, int threshold)
{
	chosen.identifier = identifier;
	chosen.target = target == LOG_TARGET_JOURNAL ? log_target_default() : target;
	chosen.threshold = threshold;
	chosen.has_prefix = stderr_is_journal();
}

/* ------------------------------------------------------------------ fields */

/* A NULL argument of a plain "%s" adds nothing, instead of "(null)". */
static char *format_value(const char *format, va_list arguments)
{
	char *value = NULL;

	if (strcmp(format, "%s") == 0) {
		const char *text = va_arg(arguments, const char *);

		return text ? strdup(text) : NULL;
	}
	return vasprintf(&value, format, arguments) < 0 ? NULL : value;
}

void log_field(struct log_fields *fields, const char *name, const char *format, ...)
{
	CLEANUP(freep) char *value = NULL;
	char escaped[VALUE_BYTES];
	va_list arguments;
	char *item;

	if (!format || fields->n_items == ARRAY_SIZE(fields->items))
		return;
	va_start(arguments, format);
	value = format_value(format, arguments);
	va_end(arguments);
	if (!value || !*value)
		return;
	if (asprintf(&item, "%s=%s", name, text_escape(value, escaped, sizeof(escaped))) >= 0)
		fields->items[fields->n_items++] = item;
}

void log_fields_done(struct log_fields *fields)
{
	for (size_t i = 0; i < fields->n_items; i++)
		free(fields->items[i]);
	*fields = (struct log_fields){0};
}

/* ------------------------------------------------------------------ entries */

/*
 * Escapes the finished sentence except for its quotes and backslashes, which are our own or come of
 * text that was escaped already.
 */
static void escape_sentence(const char *from, char *to, size_t size)
{
	static const char kept[] = "\\'\"";
	size_t n = 0;

	to[0] = '\0';
	while (*from && n + 1 < size) {
		char run[MESSAGE_BYTES];
		size_t n_run = strcspn(from, kept);

		if (n_run == 0) {
			to[n++] = *from++;
			to[n] = '\0';
			continue;
		}
		snprintf(run, sizeof(run), "%.*s", (int)n_run, from);
		text_escape(run, to + n, size - n);
		n += strlen(to + n);
		from += n_run;
	}
}

static int send_to_journal(
	int priority, const char *message_id, const struct log_fields *fields, const char *message)
{
	struct iovec items[N_OWN_FIELDS + ARRAY_SIZE(fields->items)];
	char own[N_OWN_FIELDS][MESSAGE_BYTES + 16];
	size_t n = 0;

	snprintf(own[n++], sizeof(own[0]), "MESSAGE=%s", message);
	snprintf(own[n++], sizeof(own[0]), "PRIORITY=%d", priority);
	snprintf(own[n++], sizeof(own[0]), "SYSLOG_IDENTIFIER=%s", chosen.identifier);
	if (message_id)
		snprintf(own[n++], sizeof(own[0]), "MESSAGE_ID=%s", message_id);
	for (size_t i = 0; i < n; i++)
		items[i] = (struct iovec){own[i], strlen(own[i])};
	for (size_t i = 0; fields && i < fields->n_items; i++)
		items[n++] = (struct iovec){fields->items[i], strlen(fields->items[i])};
	return log_journal_send(items, n);
}

static void write_to_stderr(int priority, const char *message)
{
	struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};

	/* A terminal that a person stopped may wait, and a file is always ready. */
	if (chosen.has_prefix && poll(&ready, 1, 0) <= 0)
		return;
	if (chosen.has_prefix)
		fprintf(stderr, "<%d>%s\n", priority, message);
	else
		fprintf(stderr, "%s: %s\n", chosen.identifier, message);
}

void log_event(int priority, const char *message_id, const struct log_fields *fields,
	const char *format, ...)
{
	int saved_errno = errno;
	char sentence[MESSAGE_BYTES];
	char message[MESSAGE_BYTES];
	va_list arguments;

	if (priority > chosen.threshold)
		return;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	escape_sentence(sentence, message, sizeof(message));
	if (chosen.target != LOG_TARGET_JOURNAL ||
		send_to_journal(priority, message_id, fields, message) < 0)
		write_to_stderr(priority, message);
	errno = saved_errno;
}

int log_waiting_fd(void)
{
	return log_journal_waiting_fd();
}

void log_flush(void)
{
	log_journal_flush();
}

size_t log_take_lost(void)
{
	return log_journal_take_lost();
}

void log_close(void)
{
	log_journal_close(CLOSE_USEC);
}
