/* SPDX-License-Identifier: MIT */
#include "bed/service.h"

#include <errno.h>
#include <fcntl.h>
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

static void set_directory(const char *variable, const char *directory, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	setenv(variable, path, 1);
}

static void set_environment(
	const struct service *service, const char *directory, uint64_t watchdog_usec)
{
	CLEANUP(freep) char *chips = realpath("config/chips.ini", NULL);
	char text[64];

	set_directory(ENV_CONFIGURATION, directory, "config");
	set_directory(ENV_STATE, directory, "state");
	set_directory(ENV_RUNTIME, directory, "runtime");
	set_directory(ENV_WORKER, enclosure_build(), "plugflash-worker");
	if (chips)
		setenv(ENV_CHIPS, chips, 1);
	setenv("NOTIFY_SOCKET", service->notify_path, 1);
	setenv("LD_PRELOAD", enclosure_preload(), 1);
	if (watchdog_usec > 0) {
		snprintf(text, sizeof(text), "%llu", (unsigned long long)watchdog_usec);
		setenv("WATCHDOG_USEC", text, 1);
		snprintf(text, sizeof(text), "%d", (int)getpid());
		setenv("WATCHDOG_PID", text, 1);
	}
}

static _Noreturn void be_service(
	const struct service *service, const char *directory, uint64_t watchdog_usec, pid_t parent)
{
	char program[4200];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	set_environment(service, directory, watchdog_usec);
	child_drop_capabilities();
	snprintf(program, sizeof(program), "%s/plugflashd", enclosure_build());
	execl(program, "plugflashd", (char *)NULL);
	printf("# %s: %s\n", program, strerror(errno));
	fflush(stdout);
	_exit(127);
}

int service_start(struct service *service, const char *directory, uint64_t watchdog_usec)
{
	pid_t parent = getpid();

	service->is_ready = service->is_stopping = false;
	service->n_ready = service->n_watchdog = 0;
	service->status[0] = '\0';
	service->pid = fork();
	if (service->pid < 0)
		return -errno;
	if (service->pid == 0)
		be_service(service, directory, watchdog_usec, parent);
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
