/* SPDX-License-Identifier: MIT */
#include "bed/bus-daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/names.h"
#include "bed/bed-private.h"

/*
 * The policy of Debian's system.conf, where nobody may call anybody unless a file says so. The test
 * itself is root, and may be logind and polkit; whoever is started by it as another user may not.
 */
static const char configuration[] =
	"<busconfig><type>system</type><listen>unix:path=%s/bus</listen><auth>EXTERNAL</auth>"
	"<policy context='default'><allow user='*'/><deny own='*'/><deny send_type='method_call'/>"
	"<allow send_type='signal'/><allow send_requested_reply='true' send_type='method_return'/>"
	"<allow send_requested_reply='true' send_type='error'/><allow receive_type='method_call'/>"
	"<allow receive_type='method_return'/><allow receive_type='error'/>"
	"<allow receive_type='signal'/><allow send_destination='org.freedesktop.DBus'/>"
	"</policy>"
	"<policy user='root'><allow own='org.freedesktop.login1'/>"
	"<allow own='org.freedesktop.systemd1'/>"
	"<allow own='org.freedesktop.PolicyKit1'/></policy>"
	"<policy context='default'><allow send_destination='org.freedesktop.login1'/>"
	"<allow send_destination='org.freedesktop.systemd1'/>"
	"<allow send_destination='org.freedesktop.PolicyKit1'/></policy>"
	"<include>%s/systemd/org.plugflash1.conf</include>"
	"</busconfig>\n";

void bus_daemon_init(struct bus_daemon *daemon, struct bed *bed)
{
	char path[200], here[2048];
	FILE *to;

	*daemon = (struct bus_daemon){.directory = bed_directory(bed)};
	snprintf(path, sizeof(path), "%s/bus.conf", daemon->directory);
	to = fopen(path, "we");
	if (!to || !getcwd(here, sizeof(here)) ||
		fprintf(to, configuration, daemon->directory, here) < 0 || fclose(to) != 0)
		bed_die(path, errno);
	snprintf(path, sizeof(path), "unix:path=%s/bus", daemon->directory);
	setenv(ENV_BUS_ADDRESS, path, 1);
	/* Other users come through to the socket. */
	if (chmod(daemon->directory, 0711) < 0)
		bed_die(daemon->directory, errno);
}

static _Noreturn void be_daemon(const struct bus_daemon *daemon, int ready, pid_t parent)
{
	char option[256], number[32];
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || null < 0)
		_exit(1);
	/* As root it tells of limits that it may not set here. */
	dup2(null, STDERR_FILENO);
	snprintf(option, sizeof(option), "--config-file=%s/bus.conf", daemon->directory);
	snprintf(number, sizeof(number), "--print-address=%d", ready);
	execlp("dbus-daemon", "dbus-daemon", option, "--nofork", "--nopidfile", "--nosyslog",
		number, (char *)NULL);
	_exit(127);
}

void bus_daemon_start(struct bus_daemon *daemon)
{
	pid_t parent = getpid();
	char said[512];
	int ends[2];

	if (pipe(ends) < 0)
		bed_die("pipe", errno);
	daemon->pid = fork();
	if (daemon->pid < 0)
		bed_die("fork", errno);
	if (daemon->pid == 0) {
		close(ends[0]);
		be_daemon(daemon, ends[1], parent);
	}
	close(ends[1]);
	/* Its address is on the pipe once it takes connections. */
	if (read(ends[0], said, sizeof(said)) <= 0)
		bed_die("dbus-daemon (Debian package dbus-daemon)", EIO);
	close(ends[0]);
}

void bus_daemon_end(struct bus_daemon *daemon)
{
	if (daemon->pid > 0) {
		kill(daemon->pid, SIGKILL);
		waitpid(daemon->pid, NULL, 0);
	}
	daemon->pid = 0;
}

void bus_daemon_done(struct bus_daemon *daemon)
{
	bus_daemon_end(daemon);
	unsetenv(ENV_BUS_ADDRESS);
}
