/* SPDX-License-Identifier: MIT */
#include "fleet/lookup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <spawn.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/util.h"

struct lookup {
	lookup_handler *handler;
	void *userdata;
	sd_event_source *end; /* owns the process */
};

/* Errors of getaddrinfo() are small and negative: an exit status has them with the other sign. */
static int error_of(const siginfo_t *info)
{
	if (info->si_code != CLD_EXITED || info->si_status > -EAI_OVERFLOW)
		return EAI_AGAIN;
	return -info->si_status;
}

static int on_end(sd_event_source *source, const siginfo_t *info, void *userdata)
{
	struct lookup *lookup = userdata;

	(void)source;
	lookup->handler(lookup->userdata, error_of(info));
	return 0;
}

/* With our standard error alone, and signals as they are for any program. */
static int spawn(const char *host, pid_t *ret)
{
	char *const arguments[] = {"plugflash-fleet", "--look-up", (char *)host, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int r = posix_spawn_file_actions_init(&actions);

	if (r != 0)
		return -r;
	r = posix_spawnattr_init(&attributes);
	if (r != 0) {
		posix_spawn_file_actions_destroy(&actions);
		return -r;
	}
	sigemptyset(&none);
	sigfillset(&all);
	r = posix_spawnattr_setsigmask(&attributes, &none);
	if (r == 0)
		r = posix_spawnattr_setsigdefault(&attributes, &all);
	if (r == 0)
		r = posix_spawnattr_setflags(
			&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (r == 0)
		r = posix_spawn_file_actions_addopen(
			&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (r == 0)
		r = posix_spawn(ret, "/proc/self/exe", &actions, &attributes, arguments, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

int lookup_new(sd_event *event, const char *host, lookup_handler *handler, void *userdata,
	struct lookup **ret)
{
	struct lookup *lookup CLEANUP(freep) = calloc(1, sizeof(*lookup));
	pid_t pid = 0;
	int r;

	if (!lookup)
		return -ENOMEM;
	lookup->handler = handler;
	lookup->userdata = userdata;
	r = spawn(host, &pid);
	if (r < 0)
		return r;
	r = sd_event_add_child(event, &lookup->end, pid, WEXITED, on_end, lookup);
	if (r < 0) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		return r;
	}
	(void)sd_event_source_set_child_process_own(lookup->end, true);
	*ret = TAKE_PTR(lookup);
	return 0;
}

struct lookup *lookup_free(struct lookup *lookup)
{
	if (!lookup)
		return NULL;
	sd_event_source_disable_unref(lookup->end);
	free(lookup);
	return NULL;
}

bool lookup_is_needed(const char *host)
{
	struct in6_addr address;

	return strcasecmp(host, "localhost") != 0 && inet_pton(AF_INET, host, &address) != 1 &&
	       inet_pton(AF_INET6, host, &address) != 1;
}

int lookup_run(const char *host)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	int error = getaddrinfo(host, NULL, &hints, &found);

	if (error == 0)
		freeaddrinfo(found);
	return -error;
}
