/* SPDX-License-Identifier: MIT */
/* plugflash-fleet.c - state up, wanted images down: options and environment, then the fleet. */
#include "base/environment.h"
#include "base/log.h"
#include "base/names.h"
#include "base/outcome.h"
#include "fleet/fleet.h"
#include "fleet/lookup.h"
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sysexits.h>

static const char *arg_config;
static const char *arg_images;
static const char *arg_look_up;
static bool arg_check;
static bool arg_debug;

static const char usage[] =
	"plugflash-fleet [--check] [--config DIR] [--debug] [--images DIR]\n"
	"Joins plugflashd to an MQTT broker: state up, wanted images down. Started by systemd.\n"
	"\n"
	"      --check       say what is wrong with " NAME_FLEET_CONFIGURATION ", and end\n"
	"  -c, --config DIR  configuration, else $" ENV_CONFIGURATION " or " PATH_CONFIGURATION "\n"
	"  -d, --debug       say more\n"
	"  -i, --images DIR  where images go (" PATH_FLEET_IMAGES ")\n"
	"  -h, --help        this text\n"
	"  -V, --version     the version";

static bool take_option(int option)
{
	if (option == 'C')
		arg_check = true;
	else if (option == 'c')
		arg_config = optarg;
	else if (option == 'd')
		arg_debug = true;
	else if (option == 'i')
		arg_images = optarg;
	else if (option == 'l')
		arg_look_up = optarg;
	else
		return false;
	return true;
}

/* 1: go on. 0: answered, end well. -1: wrong use. */
static int parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{"check", no_argument, NULL, 'C'},
		{"config", required_argument, NULL, 'c'},
		{"debug", no_argument, NULL, 'd'},
		{"help", no_argument, NULL, 'h'},
		{"images", required_argument, NULL, 'i'},
		{"look-up", required_argument, NULL, 'l'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:dhi:l:V", options, NULL)) >= 0) {
		if (option == 'h' || option == 'V') {
			puts(option == 'h' ? usage : "plugflash-fleet " PLUGFLASH_BUILD);
			return 0;
		}
		if (!take_option(option))
			return -1;
	}
	if (optind < argc)
		fprintf(stderr, "plugflash-fleet: no argument expected, got '%s'\n", argv[optind]);
	return optind == argc ? 1 : -1;
}

/* The exit status; that of a bad configuration is the one of systemd.exec(5). */
static int serve(void)
{
	struct fleet_settings settings CLEANUP(fleet_settings_done) = {0};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};
	struct reason reason = {0};
	const char *directory = environment_or(ENV_CONFIGURATION, PATH_CONFIGURATION);
	const struct fleet_options options = {
		.configuration = arg_config ? arg_config : directory,
		.state = environment_or(ENV_STATE, PATH_FLEET_STATE),
		.images = arg_images ? arg_images : PATH_FLEET_IMAGES,
	};
	int r = fleet_settings_load(options.configuration, &settings, &problems);

	ini_problems_print(&problems, stderr);
	if (r != 0)
		return r > 0 ? EX_CONFIG : EXIT_FAILURE;
	r = arg_check ? fleet_check_images(options.images, &reason)
		      : fleet_run(&options, &settings, &reason);
	if (r < 0)
		log_error("%s", reason.text);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	int r = parse_options(argc, argv);

	if (r <= 0)
		return r < 0 ? EXIT_USAGE : EXIT_SUCCESS;
	if (arg_look_up)
		return lookup_run(arg_look_up);
	/* A password is in our memory. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	/* A peer that left is noticed by its socket. */
	signal(SIGPIPE, SIG_IGN);
	log_open("plugflash-fleet", arg_check ? LOG_TARGET_STDERR : log_target_default(),
		arg_debug ? LOG_DEBUG : LOG_INFO);
	r = serve();
	log_close();
	return r;
}
