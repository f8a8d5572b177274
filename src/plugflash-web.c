/* SPDX-License-Identifier: MIT */
/* plugflash-web.c - the page: options and environment, then the server. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "base/log.h"
#include "base/names.h"
#include "base/outcome.h"
#include "base/parse.h"
#include "web/guard.h"
#include "web/server.h"

static const char *arg_page;
static const char *arg_hosts[GUARD_MAX_HOSTS + 1];
static size_t arg_n_hosts;
static uint32_t arg_idle_s = 60;

static const char usage[] =
	"plugflash-web [--allow-host NAME[:PORT]]... [--exit-idle SECONDS] [--page DIR]\n"
	"Shows on a page what plugflashd does. Started by systemd: systemctl enable --now plugflash-web.socket\n"
	"\n"
	"  -a, --allow-host NAME[:PORT]  the page may also be opened by this name\n"
	"  -e, --exit-idle SECONDS       end after so long without a connection (60); 0: never\n"
	"  -p, --page DIR                files of the page (" PATH_PAGE ")\n"
	"  -h, --help                    this text\n"
	"  -V, --version                 the version\n";

/* One option; whether its value is of the right form. */
static bool take_option(int option)
{
	switch (option) {
	case 'a':
		if (arg_n_hosts == GUARD_MAX_HOSTS || !guard_host_is_well_formed(optarg)) {
			fprintf(stderr,
				"plugflash-web: --allow-host: expected NAME or NAME:PORT, %d at most, got '%s'\n",
				GUARD_MAX_HOSTS, optarg);
			return false;
		}
		arg_hosts[arg_n_hosts++] = optarg;
		return true;
	case 'e':
		if (parse_u32(optarg, &arg_idle_s) == 0)
			return true;
		fprintf(stderr, "plugflash-web: --exit-idle: expected seconds, got '%s'\n", optarg);
		return false;
	case 'p':
		arg_page = optarg;
		return true;
	default:
		return false;
	}
}

/* 1: go on. 0: answered, end well. -1: wrong use. */
static int parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{"allow-host", required_argument, NULL, 'a'},
		{"exit-idle", required_argument, NULL, 'e'},
		{"help", no_argument, NULL, 'h'},
		{"page", required_argument, NULL, 'p'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "a:e:hp:V", options, NULL)) >= 0) {
		if (option == 'h' || option == 'V') {
			fputs(option == 'h' ? usage : "plugflash-web " PLUGFLASH_BUILD "\n",
				stdout);
			return 0;
		}
		if (!take_option(option))
			return -1;
	}
	if (optind < argc) {
		fprintf(stderr, "plugflash-web: no argument expected, got '%s'\n", argv[optind]);
		return -1;
	}
	return 1;
}

static int serve(void)
{
	struct listening listening;
	struct reason reason = {0};
	int r = listen_take(&listening, &reason);
	const struct server_options options = {
		.listening = &listening,
		.page = arg_page ? arg_page : PATH_PAGE,
		.hosts = arg_hosts,
		.idle_s = arg_idle_s,
	};

	if (r == 0)
		r = server_run(&options, &reason);
	if (r < 0)
		log_error("%s", reason.text);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	int r = parse_options(argc, argv);

	if (r <= 0)
		return r < 0 ? EXIT_USAGE : EXIT_SUCCESS;
	/* The token is in our memory. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	/* A client that left is noticed by its socket. */
	signal(SIGPIPE, SIG_IGN);
	log_open("plugflash-web", log_target_default(), LOG_INFO);
	r = serve();
	log_close();
	return r;
}
