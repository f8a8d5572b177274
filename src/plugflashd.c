/* SPDX-License-Identifier: MIT */
/* plugflashd.c - the service: options and environment, then the manager. */
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sysexits.h>

#include "base/environment.h"
#include "base/log.h"
#include "base/names.h"
#include "base/outcome.h"
#include "base/util.h"
#include "service/manager.h"

static const char *arg_config;
static bool arg_debug;

static const char usage[] =
	"plugflashd [--config DIR] [--debug]\n"
	"Updates the microcontroller behind a CP210x bridge when it is plugged in. Started by systemd.\n"
	"\n"
	"  -c, --config DIR  configuration, else $" ENV_CONFIGURATION " or " PATH_CONFIGURATION "\n"
	"  -d, --debug       say more\n"
	"  -h, --help        this text\n"
	"  -V, --version     the version\n"
	"\n"
	"$" ENV_CHIPS " is another chip table than " PATH_CHIPS ",\n"
	"$" ENV_WORKER " another worker than " PATH_WORKER ".\n";

/* 1: go on. 0: answered, end well. -1: wrong use. */
static int parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"debug", no_argument, NULL, 'd'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:dhV", options, NULL)) >= 0) {
		switch (option) {
		case 'c':
			arg_config = optarg;
			break;
		case 'd':
			arg_debug = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'V':
			puts("plugflashd " PLUGFLASH_BUILD);
			return 0;
		default:
			fputs("plugflashd: plugflashd --help lists the options\n", stderr);
			return -1;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "plugflashd: no argument expected, got '%s'\n", argv[optind]);
		return -1;
	}
	return 1;
}

/* The service and what it logs; its exit status. */
static int serve(void)
{
	const char *directory = environment_or(ENV_CONFIGURATION, PATH_CONFIGURATION);
	const struct manager_options options = {
		.configuration = arg_config ? arg_config : directory,
		.chips = environment_or(ENV_CHIPS, PATH_CHIPS),
		.worker = environment_or(ENV_WORKER, PATH_WORKER),
		.state = environment_or(ENV_STATE, PATH_STATE),
		.runtime = environment_or(ENV_RUNTIME, PATH_RUNTIME),
	};
	struct manager *manager = NULL;
	int r = manager_new(&options, &manager);

	/* The number of systemd.exec(5), so that systemctl status says CONFIG beside it. */
	if (r != 0)
		return r == OUTCOME_BAD_CONFIG ? EX_CONFIG : EXIT_FAILURE;
	r = manager_run(manager);
	manager_free(manager);
	return r;
}

int main(int argc, char **argv)
{
	int r = parse_options(argc, argv);

	if (r <= 0)
		return r < 0 ? EXIT_USAGE : EXIT_SUCCESS;
	/* Workers and programs of on-outcome run as the same user: they must not read our memory or
	 * trace us. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	/* The bus brings messages of up to 32 MiB from anybody. glibc learns from the first that is
	 * freed to keep the room for the next, for weeks; with a threshold that was set it does
	 * not. */
	(void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	/* A dead worker is noticed by its exit, not by a write to its pipe. */
	signal(SIGPIPE, SIG_IGN);
	(void)setenv(ENV_BUILD, PLUGFLASH_BUILD, 1);
	log_open("plugflashd", log_target_default(), arg_debug ? LOG_DEBUG : LOG_INFO);
	r = serve();
	log_close();
	return r;
}
