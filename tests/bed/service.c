/* SPDX-License-Identifier: MIT */
#include "bed/service.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/names.h"
#include "base/util.h"
#include "bed/enclosure.h"

int service_init(struct service *service, const char *directory)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	*service = (struct service){.pidfd = -1, .notify = -1};
	snprintf(service->notify_path, sizeof(service->notify_path), "%s/notify", directory);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", service->notify_path);
	service->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (service->notify < 0 ||
		bind(service->notify, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return 0;
}

void service_done(struct service *service)
{
	if (service->pid > 0) {
		kill(service->pid, SIGKILL);
		kill(service->pid, SIGCONT);
		waitpid(service->pid, NULL, 0);
	}
	closep(&service->pidfd);
	closep(&service->notify);
}

void child_drop_capabilities(void)
{
	for (unsigned long capability = 0; capability < 64; capability++)
		prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

static char **with_directory(
	char **environment, const char *variable, const char *directory, const char *name)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);

	return g_environ_setenv(environment, variable, path, TRUE);
}

/* As systemd sets it. To be freed with g_strfreev(). */
static char **make_environment(
	const struct service *service, const char *directory, uint64_t watchdog_usec)
{
	CLEANUP(freep) char *chips = realpath("config/chips.ini", NULL);
	char **made = g_get_environ();
	char text[64];

	made = with_directory(made, ENV_CONFIGURATION, directory, "config");
	made = with_directory(made, ENV_STATE, directory, "state");
	made = with_directory(made, ENV_RUNTIME, directory, "runtime");
	/* A test may have put something in front of it. */
	if (!g_environ_getenv(made, ENV_WORKER))
		made = with_directory(made, ENV_WORKER, enclosure_build(), "plugflash-worker");
	if (chips)
		made = g_environ_setenv(made, ENV_CHIPS, chips, TRUE);
	made = g_environ_setenv(made, "NOTIFY_SOCKET", service->notify_path, TRUE);
	made = g_environ_setenv(made, "LD_PRELOAD", enclosure_preload(), TRUE);
	if (watchdog_usec > 0) {
		snprintf(text, sizeof(text), "%llu", (unsigned long long)watchdog_usec);
		made = g_environ_setenv(made, "WATCHDOG_USEC", text, TRUE);
	}
	return made;
}

/* Only what is safe in the child of a process with threads. */
static _Noreturn void be_service(const char *program, char **environment, pid_t parent)
{
	char *argv[] = {(char *)"plugflashd", NULL};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	child_drop_capabilities();
	execve(program, argv, environment);
	_exit(127);
}

int service_start(struct service *service, const char *directory, uint64_t watchdog_usec)
{
	g_autofree char *program = g_build_filename(enclosure_build(), "plugflashd", NULL);
	g_auto(GStrv) environment = make_environment(service, directory, watchdog_usec);
	pid_t parent = getpid();

	service->is_ready = service->is_stopping = false;
	service->n_ready = service->n_watchdog = service->n_extensions = 0;
	service->status[0] = '\0';
	service->pid = fork();
	if (service->pid < 0)
		return -errno;
	if (service->pid == 0)
		be_service(program, environment, parent);
	closep(&service->pidfd);
	service->pidfd = (int)syscall(SYS_pidfd_open, service->pid, 0);
	return service->pidfd < 0 ? -errno : 0;
}

static void take_line(struct service *service, const char *line)
{
	if (strcmp(line, "READY=1") == 0) {
		service->is_ready = true;
		service->n_ready++;
	} else if (strcmp(line, "STOPPING=1") == 0) {
		service->is_stopping = true;
	} else if (strcmp(line, "WATCHDOG=1") == 0) {
		service->n_watchdog++;
	} else if (strncmp(line, "EXTEND_TIMEOUT_USEC=", 20) == 0) {
		service->n_extensions++;
	} else if (strncmp(line, "STATUS=", 7) == 0) {
		snprintf(service->status, sizeof(service->status), "%s", line + 7);
	}
}

void service_dispatch_notify(struct service *service)
{
	char message[2048];
	ssize_t n;

	while ((n = recv(service->notify, message, sizeof(message) - 1, 0)) > 0) {
		char *rest = NULL;

		message[n] = '\0';
		for (char *line = strtok_r(message, "\n", &rest); line;
			line = strtok_r(NULL, "\n", &rest))
			take_line(service, line);
	}
}

void service_reap(struct service *service)
{
	if (waitpid(service->pid, &service->exit_status, WNOHANG) == service->pid) {
		service->pid = 0;
		closep(&service->pidfd);
		service->pidfd = -1;
	}
}

long service_figure(const struct service *service, const char *name)
{
	CLEANUP(fclosep) FILE *f = NULL;
	char path[64], line[256];
	size_t n = strlen(name);

	snprintf(path, sizeof(path), "/proc/%d/status", (int)service->pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, name, n) == 0 && line[n] == ':')
			return strtol(line + n + 1, NULL, 10);
	return -1;
}
