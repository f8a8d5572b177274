/* SPDX-License-Identifier: MIT */
/*
 * test-doctor.c - what is thought of a host: one that is well in everything, and in each row one
 * thing of it is spoilt, for which there must be one finding and no other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "doctor/judge.h"
#include "unit/rows.h"

#define HUB    "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-1"
#define BRIDGE HUB "/1-1.2"
#define OTHER  HUB "/1-1.3"

/* ------------------------------------------------------------------ a host that is well */

static struct usb_id driver_ids[] = {{0x10C4, 0xEA60}, {0x1BA4, 0x0002}};
static struct ini_problem problem = {
	.file = (char *)"/etc/plugflash/boards.d/gate.conf",
	.line = 7,
	.section = (char *)"board gate",
	.message = (char *)"is odd",
};
static const struct ini_problems no_problems, one_problem = {&problem, 1};
static struct host_folder folder;
static char *strays[] = {(char *)"a.bin", (char *)"it's.bin", (char *)"c.bin", (char *)"d.bin"};
static char *keys[] = {(char *)"release"};

static struct board board;
static struct config config;
static struct survey survey;
static struct host_usb usb[3];
static struct host_port ports[1];

static struct host make_host(void)
{
	static const struct user service = {.name = "plugflash",
		.exists = true,
		.uid = 990,
		.groups = {990, 20},
		.n_groups = 2};

	board = (struct board){.name = (char *)"gate", .image = (char *)"gate-*"};
	config = (struct config){
		.service = {.image_dir = (char *)"/images", .trusted_keys = (char *)"/keys"},
		.boards = &board,
		.n_boards = 1,
	};
	survey = (struct survey){.board = &board, .outcome = OUTCOME_MAX};
	folder = (struct host_folder){.path = (char *)"/images", .mode = 0755};
	usb[0] = (struct host_usb){.sysfs = (char *)HUB,
		.name = "1-1",
		.device_class = 9,
		.has_power = true,
		.is_self_powered = true,
		.is_configured = true};
	usb[1] = (struct host_usb){.sysfs = (char *)BRIDGE,
		.name = "1-1.2",
		.vendor_id = 0x10C4,
		.product_id = 0xEA60,
		.product = (char *)"CP2102N",
		.is_configured = true,
		.driver = "cp210x",
		.has_power = true,
		.milliamperes = 100,
		.firmware = 0x010008};
	usb[2] = (struct host_usb){.sysfs = (char *)OTHER,
		.name = "1-1.3",
		.is_configured = true,
		.has_power = true,
		.milliamperes = 100,
		.driver = "usbhid",
		.is_suspendable = true};
	ports[0] = (struct host_port){.facts = {.port = (char *)"/dev/ttyUSB0",
					      .vendor_id = 0x10C4,
					      .product_id = 0xEA60,
					      .interface = 0,
					      .driver = (char *)"cp210x",
					      .serial = (char *)"A1"},
		.usb = 1,
		.is_tagged = true,
		.is_off_limits = true,
		.has_node = true,
		.gid = 20,
		.mode = 0660,
		.group = "dialout"};
	return (struct host){
		.is_root = true,
		.service_user = service,
		.caller = {.name = "root", .exists = true},
		.driver = {.release = "6.1.0-1",
			.is_there = true,
			.has_folder = true,
			.is_loadable = true,
			.ids = driver_ids,
			.n_ids = ARRAY_SIZE(driver_ids)},
		.udev = {.is_running = true},
		.usb = usb,
		.n_usb = ARRAY_SIZE(usb),
		.ports = ports,
		.n_ports = 1,
		.service = {.unit = HOST_UNIT_ACTIVE, .is_enabled = true, .presence = CLIENT_THERE},
		.store = {.directory = "/var/lib/plugflash", .is_held = true},
		.disks = {{"store", "/var", true, 1 << 30, true, 1000, false},
			{"images", "/images", true, 1 << 30, true, 1000, false}},
		.clock = {.now_usec = 2000, .built_usec = 1000, .is_synchronized = true},
		.configuration = "/etc/plugflash",
		.problems = &no_problems,
		.warnings = &no_problems,
		.config = &config,
		.images = {.folders = &folder, .n_folders = 1, .surveys = &survey, .n_surveys = 1},
	};
}

static void a_host_that_is_well_has_good_news_alone(void **state)
{
	static const char *const abouts[] = {"driver", "udev", "programs", "bridges", "ports",
		"service", "store", "disk", "rules", "images", "clock"};
	CLEANUP(findings_done) struct findings findings = {0};
	struct host host = make_host();

	(void)state;
	assert_int_equal(judge(&host, &findings), 0);
	assert_int_equal(findings.n_items, ARRAY_SIZE(abouts));
	for (size_t i = 0; i < findings.n_items; i++) {
		assert_int_equal(findings.items[i].level, FINDING_GOOD);
		assert_string_equal(findings.items[i].about, abouts[i]);
	}
}

/* ------------------------------------------------------------------ what is spoilt */

struct row {
	const char *name;
	void (*spoil)(struct host *host);
	enum finding_level level;
	const char *about;
	const char *what; /* a part of it; NULL: there is nothing but good news */
	const char *mend; /* a part of a command; NULL: there is none */
};

#define SPOIL(row, ...)                    \
	static void row(struct host *host) \
	{                                  \
		(void)host;                \
		__VA_ARGS__;               \
	}

SPOIL(no_module, host->driver.is_there = host->driver.is_loadable = false; host->n_ports = 0;
	host->n_usb = 0; ports[0].facts.port = NULL)
SPOIL(no_folder, no_module(host); host->driver.has_folder = false)
SPOIL(port_without_module_files, host->driver.is_there = host->driver.is_loadable = false)
SPOIL(not_loaded_yet, host->driver.is_there = false)
SPOIL(blocked, strcpy(host->driver.blocked_by, "/etc/modprobe.d/x.conf");
	host->driver.is_there = false)
SPOIL(blocked_and_there, strcpy(host->driver.blocked_by, "/etc/modprobe.d/x.conf"))
SPOIL(no_udev, host->udev.is_running = false)
SPOIL(no_rules_of_udev, host->udev.rules = HOST_RULES_MISSING)
SPOIL(masked_rules, host->udev.rules = HOST_RULES_MASKED)
SPOIL(modem_manager, host->programs.has_modem_manager = true)
SPOIL(modem_manager_unmarked, modem_manager(host); ports[0].is_off_limits = false)
SPOIL(modem_manager_foreign, modem_manager_unmarked(host); ports[0].facts.vendor_id = 0x1BA4;
	ports[0].facts.product_id = 2; usb[1].vendor_id = 0x1BA4;
	board.usb_id.items = driver_ids + 1; board.usb_id.n_items = 1)
SPOIL(brltty, host->programs.has_brltty = host->programs.has_brltty_file = true)
SPOIL(brltty_file, host->programs.has_brltty_file = true)
SPOIL(never_set, host->clock.now_usec = 999; host->clock.is_synchronized = false)
SPOIL(unsynchronized, host->clock.is_synchronized = false)
SPOIL(not_built, host->clock.now_usec = 0; host->clock.built_usec = 0)

SPOIL(none_plugged, host->n_ports = 0; host->n_usb = 1)
SPOIL(no_tty, ports[0].usb = SIZE_MAX; usb[1].driver[0] = '\0')
SPOIL(no_current, ports[0].usb = SIZE_MAX; usb[1].driver[0] = '\0'; usb[1].is_configured = false)
SPOIL(taken, ports[0].usb = SIZE_MAX; strcpy(usb[1].driver, "usbfs"))
SPOIL(weak_hub, usb[0].is_self_powered = false)
SPOIL(hungry, weak_hub(host); usb[1].milliamperes = 102)
SPOIL(crowded, weak_hub(host); usb[2].milliamperes = 302)
SPOIL(hungry_at_the_host, usb[1].milliamperes = 500; usb[0].is_self_powered = false;
	strcpy(usb[0].name, "usb1"))
SPOIL(suspended, usb[1].is_suspendable = true)
SPOIL(old_firmware, usb[1].firmware = 0x010004)
SPOIL(unknown_firmware, usb[1].firmware = 0)

SPOIL(untagged, ports[0].is_tagged = false)
SPOIL(untagged_foreign, untagged(host); ports[0].facts.vendor_id = 0x1BA4;
	ports[0].facts.product_id = 2; board.usb_id.items = driver_ids + 1;
	board.usb_id.n_items = 1)
SPOIL(no_node, ports[0].has_node = false)
SPOIL(wrong_group, ports[0].gid = 0; strcpy(ports[0].group, "root"))
SPOIL(wrong_mode, ports[0].mode = 0640)
SPOIL(person, host->is_root = false; host->caller = (struct user){.name = "ann", .uid = 1000})
SPOIL(person_since, person(host); host->caller.is_in_group_of_ports = true)
SPOIL(person_in, person(host); host->caller.groups[0] = 20; host->caller.n_groups = 1)
SPOIL(no_rule, board.serial = (char *)"B*")
SPOIL(tie, static struct board two[2]; two[0] = two[1] = board; two[1].name = (char *)"door";
	config.boards = two; config.n_boards = 2)

SPOIL(no_user, host->service_user.exists = false)
SPOIL(failed, host->service.presence = CLIENT_NO_SERVICE; host->service.unit = HOST_UNIT_FAILED;
	host->store.is_held = false)
SPOIL(stopped, failed(host); host->service.unit = HOST_UNIT_INACTIVE)
SPOIL(starting, failed(host); host->service.unit = HOST_UNIT_STARTING)
SPOIL(replaced, host->service.is_replaced = true)
SPOIL(no_unit, failed(host); host->service.unit = HOST_UNIT_NOT_FOUND)
SPOIL(not_on_bus, failed(host); host->service.unit = HOST_UNIT_ACTIVE; host->store.is_held = true)
SPOIL(no_bus, host->service.presence = CLIENT_NO_BUS; host->store.is_held = false)
SPOIL(silent, host->service.presence = CLIENT_REFUSED)
SPOIL(hung, host->service.presence = CLIENT_ASKING; host->store.is_held = false)
SPOIL(not_enabled, host->service.is_enabled = false)
SPOIL(not_enabled_unknown, host->service.is_enabled = false; host->service.unit = HOST_UNIT_UNKNOWN)
SPOIL(stale, host->service.is_config_stale = true;
	strcpy(host->service.config_error, "gate.conf:3: \033[31m");
	strcpy(host->service.newer, "x"))
SPOIL(newer, strcpy(host->service.newer, "/etc/plugflash/boards.d/gate.conf"))
SPOIL(paused, host->service.is_paused = true; strcpy(host->service.pause_reason, "lunch"))

SPOIL(no_store_yet, host->store.state = HOST_STORE_NONE; host->store.is_held = false; stopped(host))
SPOIL(no_store, host->store.state = HOST_STORE_NONE)
SPOIL(hidden_store, host->store.state = HOST_STORE_HIDDEN; strcpy(host->caller.name, "ann"))
SPOIL(older_store, host->store.state = HOST_STORE_OLDER;
	reason_set(&host->store.reason, "of an earlier version"))
SPOIL(newer_store, host->store.state = HOST_STORE_NEWER;
	reason_set(&host->store.reason, "it has format 99"))
SPOIL(damaged, host->store.state = HOST_STORE_DAMAGED; reason_set(&host->store.reason, "page 3"))
SPOIL(unreadable, host->store.state = HOST_STORE_UNREADABLE;
	reason_set(&host->store.reason, "I/O error"))
SPOIL(aside, strcpy(host->store.aside, "/var/lib/plugflash/plugflash.db.damaged-2026"))
SPOIL(full, host->disks[0].free_bytes = 4095 << 10)
SPOIL(no_inodes, host->disks[1].free_inodes = 0)
SPOIL(uncounted_inodes, host->disks[1].free_inodes = 0; host->disks[1].has_inodes = false)
SPOIL(nearly_full, host->disks[1].free_bytes = 63 << 20)
SPOIL(read_only, host->disks[0].is_read_only = true)
SPOIL(read_only_images, host->disks[1].is_read_only = true)

SPOIL(no_configuration, host->configuration_error = -EACCES; host->config = NULL)
SPOIL(refused, host->problems = &one_problem; host->config = NULL)
SPOIL(warned, host->warnings = &one_problem)
SPOIL(no_rules, config.n_boards = 0; host->images.n_surveys = 0; host->images.strays = strays;
	host->images.n_strays = 1)
SPOIL(strange_id, static struct usb_id ids[] = {{0x1A86, 0x7523}, {0x10C4, 0xEA60}};
	board.usb_id.items = ids; board.usb_id.n_items = 2)
SPOIL(strange_id_unknown, strange_id(host); host->driver.n_ids = 0)
SPOIL(cp2102c, static struct usb_id ids[] = {{0x10C4, 0xEA64}, {0x10C4, 0xEA60}};
	board.usb_id.items = ids; board.usb_id.n_items = 2)
SPOIL(new_id, static struct usb_id ids[] = {{0x1A86, 0x7523}}; board.usb_id.items = ids;
	board.usb_id.n_items = 1; ports[0].facts.vendor_id = 0x1A86;
	ports[0].facts.product_id = 0x7523)

SPOIL(no_images, survey.outcome = OUTCOME_NO_IMAGE;
	reason_set(&survey.report.reason, "no file fits"))
SPOIL(bad_image, survey.outcome = OUTCOME_BAD_IMAGE; reason_set(&survey.report.reason, "cut off"))
SPOIL(hidden_images, host->images.is_hidden = true; host->images.n_folders = 0; bad_image(host);
	strcpy(host->caller.name, "ann"))
SPOIL(missing_images, host->images.is_missing = true; host->images.n_folders = 0; no_images(host))
SPOIL(folder_of_a_person, folder.uid = 1000)
SPOIL(open_folder, folder.mode = 0775)
SPOIL(folder_of_the_service, folder.uid = 990)
SPOIL(stray, host->images.strays = strays; host->images.n_strays = 1)
SPOIL(many_strays, host->images.strays = strays; host->images.n_strays = 4)

SPOIL(required, config.service.require_signature = true; host->images.keys = keys;
	host->images.n_keys = 1; strcpy(survey.report.signer, "release (0011223344556677)"))
SPOIL(no_keys, required(host); host->images.n_keys = 0;
	reason_set(&host->images.keys_fault, "there is no key"))
SPOIL(unused_key, required(host); strcpy(survey.report.signer, "release-2 (0011223344556677)"))
SPOIL(folder_of_a_fleet, required(host); folder.path = (char *)"/images/fleet"; folder.uid = 991)
SPOIL(open_fleet, folder_of_a_fleet(host); folder.mode = 0775)
SPOIL(fleet_elsewhere, folder.path = (char *)"/images/gate/fleet"; folder.uid = 994)
SPOIL(unsigned_fleet, folder.path = (char *)"/images/fleet"; folder.uid = 991)
SPOIL(not_required, required(host); config.service.require_signature = false)

static const struct row rows[] = {
	{"driver: the kernel has no module", no_module, FINDING_ERROR, "driver", "has no module",
		"apt install linux-image-"},
	{"driver: modules of another kernel", no_folder, FINDING_NOTE, "driver", "'6.1.0-1'",
		"reboot"},
	{"driver: a port is proof", port_without_module_files, FINDING_GOOD, NULL, NULL, NULL},
	{"driver: it is loaded with the first bridge", not_loaded_yet, FINDING_GOOD, NULL, NULL,
		NULL},
	{"driver: blocked", blocked, FINDING_ERROR, "driver", "/etc/modprobe.d/x.conf",
		"modprobe cp210x"},
	{"driver: blocked, and loaded by hand", blocked_and_there, FINDING_WARNING, "driver",
		"blocked", "editor"},
	{"udev: no daemon", no_udev, FINDING_ERROR, "udev", "does not run", "systemctl start"},
	{"udev: no rules", no_rules_of_udev, FINDING_ERROR, "udev", "not installed",
		"reinstall ./"},
	{"udev: masked rules", masked_rules, FINDING_WARNING, "udev", "masked", "rm "},
	{"programs: ModemManager that keeps off", modem_manager, FINDING_GOOD, NULL, NULL, NULL},
	{"programs: ModemManager that does not", modem_manager_unmarked, FINDING_WARNING,
		"programs", "'/dev/ttyUSB0'", "udevadm trigger"},
	{"programs: and a bridge of another maker", modem_manager_foreign, FINDING_WARNING,
		"programs", "ModemManager",
		"ATTRS{idVendor}==\"1ba4\", ATTRS{idProduct}==\"0002\""},
	{"programs: brltty", brltty, FINDING_WARNING, "programs", "brltty runs",
		"systemctl disable --now brltty"},
	{"programs: brltty on the disk", brltty_file, FINDING_NOTE, "programs", "installed",
		"apt remove brltty"},
	{"clock: never set", never_set, FINDING_WARNING, "clock", "never set", "timedatectl"},
	{"clock: nobody keeps it", unsynchronized, FINDING_NOTE, "clock", "NTP", "timedatectl"},
	{"clock: when it was built is not known", not_built, FINDING_GOOD, NULL, NULL, NULL},
	{"bridges: none", none_plugged, FINDING_NOTE, "bridges", "none is plugged in", NULL},
	{"bridges: no driver", no_tty, FINDING_ERROR, "bridges", "1-1.2 ('CP2102N') has no driver",
		"modprobe cp210x"},
	{"bridges: no current", no_current, FINDING_ERROR, "bridges", "no configuration",
		"journalctl -k -g 'usb 1-1.2'"},
	{"bridges: taken by a program", taken, FINDING_ERROR, "bridges", "held by a program",
		"lsof"},
	{"bridges: a hub without a supply is enough for two", weak_hub, FINDING_GOOD, NULL, NULL,
		NULL},
	{"bridges: more than 100 mA behind it", hungry, FINDING_WARNING, "bridges",
		"202 mA are wanted behind it: 102 by 1-1.2", NULL},
	{"bridges: 402 mA of all behind it", crowded, FINDING_WARNING, "bridges",
		"402 mA are wanted behind it: 302 by 1-1.3", NULL},
	{"bridges: a socket of the host", hungry_at_the_host, FINDING_GOOD, NULL, NULL, NULL},
	{"bridges: autosuspend", suspended, FINDING_WARNING, "bridges", "autosuspend",
		"echo on >" BRIDGE "/power/control"},
	{"bridges: a CP2102N that loses bytes", old_firmware, FINDING_WARNING, "bridges",
		"firmware 1.0.4", NULL},
	{"bridges: nobody asked it", unknown_firmware, FINDING_GOOD, NULL, NULL, NULL},
	{"ports: the rules have not run", untagged, FINDING_WARNING, "ports", "have not been run",
		"udevadm trigger"},
	{"ports: they need not for another maker's", untagged_foreign, FINDING_GOOD, NULL, NULL,
		NULL},
	{"ports: no node", no_node, FINDING_ERROR, "ports", "no device node '/dev/ttyUSB0'",
		"udevadm trigger"},
	{"ports: of another group", wrong_group, FINDING_ERROR, "ports", "group 'root', mode 0660",
		"udevadm trigger"},
	{"ports: nobody may write", wrong_mode, FINDING_ERROR, "ports", "mode 0640",
		"udevadm trigger"},
	{"ports: a person", person, FINDING_NOTE, "ports", "the user 'ann' may not open",
		"adduser ann dialout"},
	{"ports: a person who has not logged in since", person_since, FINDING_NOTE, "ports",
		"the user 'ann'", NULL},
	{"ports: a person of the group", person_in, FINDING_GOOD, NULL, NULL, NULL},
	{"ports: no rule", no_rule, FINDING_NOTE, "ports", "no rule fits '/dev/ttyUSB0'",
		"plugflash list"},
	{"ports: two rules", tie, FINDING_WARNING, "ports", "'gate' and 'door'", "plugflash list"},
	{"service: no user", no_user, FINDING_ERROR, "service", "no user 'plugflash'",
		"systemd-sysusers"},
	{"service: failed", failed, FINDING_ERROR, "service", "failed", "journalctl -u plugflashd"},
	{"service: stopped", stopped, FINDING_ERROR, "service", "does not run",
		"systemctl enable --now plugflashd"},
	{"service: again and again", starting, FINDING_ERROR, "service", "does not come up",
		"journalctl -u plugflashd"},
	{"service: of the version before", replaced, FINDING_WARNING, "service", "was replaced",
		"systemctl restart plugflashd"},
	{"service: no unit", no_unit, FINDING_ERROR, "service", "knows no unit", "daemon-reload"},
	{"service: not on the bus", not_on_bus, FINDING_WARNING, "service", "not on the bus",
		"systemctl reload dbus"},
	{"service: no bus", no_bus, FINDING_WARNING, "service", "no system bus",
		"apt install dbus"},
	{"service: no answer", silent, FINDING_ERROR, "service", "does not answer",
		"systemctl status"},
	{"service: a bus that hangs", hung, FINDING_ERROR, "service", "nor the system bus answers",
		"systemctl status dbus"},
	{"service: not at the next start", not_enabled, FINDING_WARNING, "service",
		"not started with the host", "systemctl enable plugflashd"},
	{"service: whether at the next start is not known", not_enabled_unknown, FINDING_GOOD, NULL,
		NULL, NULL},
	{"service: it refused the configuration", stale, FINDING_ERROR, "service",
		"gate.conf:3: \\x1b[31m", "systemctl reload plugflashd"},
	{"service: a newer configuration", newer, FINDING_WARNING, "service", "newer than",
		"systemctl reload plugflashd"},
	{"service: paused", paused, FINDING_NOTE, "service", "paused: 'lunch'", "plugflash resume"},
	{"store: none yet, and the service is stopped", no_store_yet, FINDING_ERROR, "service",
		"does not run", "systemctl"},
	{"store: none", no_store, FINDING_WARNING, "store", "there is none", "systemctl restart"},
	{"store: not for this user", hidden_store, FINDING_NOTE, "store", "may not read it",
		"adduser ann plugflash"},
	{"store: of an earlier version", older_store, FINDING_NOTE, "store",
		"of an earlier version", "systemctl restart plugflashd"},
	{"store: of a later version", newer_store, FINDING_ERROR, "store", "it has format 99",
		"apt install plugflash"},
	{"store: damaged", damaged, FINDING_ERROR, "store", "damaged: page 3",
		"systemctl restart plugflashd"},
	{"store: unreadable", unreadable, FINDING_ERROR, "store", "I/O error", NULL},
	{"store: one set aside", aside, FINDING_WARNING, "store", "damaged-2026", "journalctl -k"},
	{"disk: full", full, FINDING_ERROR, "disk", "(store) is full", "df -h"},
	{"disk: no inodes", no_inodes, FINDING_ERROR, "disk", "(images) is full", "df -h -i"},
	{"disk: inodes are not counted", uncounted_inodes, FINDING_GOOD, NULL, NULL, NULL},
	{"disk: nearly full", nearly_full, FINDING_WARNING, "disk", "has 63 MiB left", "df -h"},
	{"disk: a store on a read-only one", read_only, FINDING_ERROR, "disk", "read-only",
		"findmnt"},
	{"disk: images may be on one", read_only_images, FINDING_GOOD, NULL, NULL, NULL},
	{"rules: unreadable", no_configuration, FINDING_ERROR, "rules", "Permission denied", NULL},
	{"rules: refused", refused, FINDING_ERROR, "rules", "gate.conf:7: [board gate] is odd",
		"editor +7 '/etc/plugflash/boards.d/gate.conf'"},
	{"rules: warned of", warned, FINDING_WARNING, "rules", "is odd", "editor +7"},
	{"rules: none, and images are no strays then", no_rules, FINDING_NOTE, "rules",
		"there are none", "plugflash setup"},
	{"rules: an id of another driver", strange_id, FINDING_WARNING, "rules",
		"[board gate] waits for usb-id 1a86:7523", "new_id"},
	{"rules: the ids of the driver are not known", strange_id_unknown, FINDING_GOOD, NULL, NULL,
		NULL},
	{"rules: the CP2102C has another driver", cp2102c, FINDING_GOOD, NULL, NULL, NULL},
	{"rules: an id that the driver was told of", new_id, FINDING_GOOD, NULL, NULL, NULL},
	{"images: none", no_images, FINDING_WARNING, "images", "ends as 'no-image': no file fits",
		"plugflash images"},
	{"images: a bad one", bad_image, FINDING_ERROR, "images", "ends as 'bad-image': cut off",
		"plugflash images"},
	{"images: not for this user", hidden_images, FINDING_NOTE, "images", "may not look into",
		"adduser ann plugflash"},
	{"images: no folder", missing_images, FINDING_ERROR, "images", "no folder '/images'",
		"install -d"},
	{"images: a folder of a person", folder_of_a_person, FINDING_ERROR, "images",
		"belongs to the user 1000", "chown root '/images'"},
	{"images: a folder of a fleet", folder_of_a_fleet, FINDING_GOOD, NULL, NULL, NULL},
	{"images: a folder of a fleet, unsigned", unsigned_fleet, FINDING_NOTE, "images",
		"another user's", "set require-signature = yes"},
	{"images: a folder of a fleet, and others write it", open_fleet, FINDING_ERROR, "images",
		"mode 0775", "chmod go-w '/images/fleet'"},
	{"images: another of that name", fleet_elsewhere, FINDING_ERROR, "images",
		"belongs to the user 994", "chown root '/images/gate/fleet'"},
	{"images: a folder that others write", open_folder, FINDING_ERROR, "images", "mode 0775",
		"chmod go-w '/images'"},
	{"images: a folder of the service", folder_of_the_service, FINDING_WARNING, "images",
		"service's own user", "chown root:root '/images'"},
	{"images: one that no rule takes", stray, FINDING_NOTE, "images", "no rule takes 'a.bin'",
		"plugflash images"},
	{"images: many", many_strays, FINDING_NOTE, "images",
		"'a.bin', 'it\\x27s.bin', 'c.bin' and others", "plugflash images"},
	{"keys: required, and used", required, FINDING_GOOD, NULL, NULL, NULL},
	{"keys: required, and none", no_keys, FINDING_ERROR, "keys", "there is no key", NULL},
	{"keys: one that nobody needs", unused_key, FINDING_NOTE, "keys", "'release' has signed no",
		"rm '/keys/release.pub'"},
	{"keys: not required", not_required, FINDING_NOTE, "keys", "taken all the same", NULL},
};

static bool has_mend(const struct finding *finding, const char *part)
{
	for (size_t i = 0; i < finding->n_mend; i++)
		if (strstr(finding->mend[i], part))
			return true;
	return false;
}

static const struct finding *find_about(const struct findings *findings, const struct row *row)
{
	for (size_t i = 0; i < findings->n_items; i++)
		if (findings->items[i].level == row->level &&
			strcmp(findings->items[i].about, row->about) == 0)
			return &findings->items[i];
	return NULL;
}

/* Without the note that no bridge is plugged in, which rows without one have as well. */
static size_t count_bad(const struct findings *findings, const struct row *row)
{
	size_t n = 0;

	for (size_t i = 0; i < findings->n_items; i++)
		n += findings->items[i].level != FINDING_GOOD &&
		     (strcmp(findings->items[i].about, "bridges") != 0 ||
			     (row->about && strcmp(row->about, "bridges") == 0) ||
			     findings->items[i].level != FINDING_NOTE);
	return n;
}

static void one_thing_is_spoilt(void **state)
{
	const struct row *row = *state;
	CLEANUP(findings_done) struct findings findings = {0};
	struct host host = make_host();
	const struct finding *finding;

	row->spoil(&host);
	assert_int_equal(judge(&host, &findings), 0);
	if (!row->what) {
		assert_int_equal(findings_worst(&findings), FINDING_GOOD);
		return;
	}
	finding = find_about(&findings, row);
	assert_non_null(finding);
	assert_int_equal(count_bad(&findings, row), 1);
	assert_non_null(strstr(finding->what, row->what));
	if (row->mend)
		assert_true(has_mend(finding, row->mend));
	else
		assert_int_equal(finding->n_mend, 0);
	/* What is worse than a note is no good news as well. */
	if (row->level > FINDING_NOTE)
		for (size_t i = 0; i < findings.n_items; i++)
			assert_true(findings.items[i].level != FINDING_GOOD ||
				    strcmp(findings.items[i].about, row->about) != 0);
}

/* ------------------------------------------------------------------ the list */

static void the_worst_stand_first_and_others_keep_their_order(void **state)
{
	CLEANUP(findings_done) struct findings findings = {0};
	static const char *const order[] = {"c", "b", "e", "a", "d"};

	(void)state;
	finding_add(&findings, FINDING_GOOD, "a", "1");
	finding_add(&findings, FINDING_WARNING, "b", "2");
	finding_add(&findings, FINDING_ERROR, "c", "%d", 3);
	finding_add(&findings, FINDING_GOOD, "d", "4");
	finding_add(&findings, FINDING_WARNING, "e", "5");
	for (unsigned i = 0; i < FINDING_MENDS + 2; i++)
		finding_mend(&findings, "%u", i);
	findings_sort(&findings);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		assert_string_equal(findings.items[i].about, order[i]);
	assert_int_equal(findings.items[2].n_mend, FINDING_MENDS);
	assert_int_equal(findings_count(&findings, FINDING_WARNING), 2);
	assert_int_equal(findings_worst(&findings), FINDING_ERROR);
}

static void many_problems_are_not_all_told(void **state)
{
	CLEANUP(findings_done) struct findings findings = {0};
	struct ini_problem items[14];
	const struct ini_problems problems = {items, ARRAY_SIZE(items)};
	struct host host = make_host();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(items); i++)
		items[i] = problem;
	host.problems = &problems;
	host.config = NULL;
	assert_int_equal(judge(&host, &findings), 0);
	assert_int_equal(findings_count(&findings, FINDING_ERROR), 11);
	assert_string_equal(findings.items[10].what, "and 4 more");
}

/* A station with three bridges alike, and thirteen rules without an image. */
static void what_many_have_alike_is_told_once(void **state)
{
	CLEANUP(findings_done) struct findings findings = {0};
	struct host_usb many_usb[3];
	struct host_port many_ports[3];
	struct survey surveys[13];
	struct host host = make_host();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(many_ports); i++) {
		many_usb[i] = usb[1];
		many_usb[i].is_suspendable = true;
		many_ports[i] = ports[0];
		many_ports[i].usb = i;
		many_ports[i].is_tagged = false;
		many_ports[i].mode = 0600;
	}
	for (size_t i = 0; i < ARRAY_SIZE(surveys); i++)
		surveys[i] = (struct survey){.board = &board, .outcome = OUTCOME_NO_IMAGE};
	host.usb = many_usb;
	host.n_usb = 3;
	host.ports = many_ports;
	host.n_ports = 3;
	host.images.surveys = surveys;
	host.images.n_surveys = ARRAY_SIZE(surveys);
	assert_int_equal(judge(&host, &findings), 0);
	assert_int_equal(findings_count(&findings, FINDING_ERROR), 1);
	assert_non_null(strstr(findings.items[0].what, "may not open '/dev/ttyUSB0' and 2 more"));
	assert_int_equal(findings_count(&findings, FINDING_WARNING), 2 + 10 + 1);
	assert_non_null(
		strstr(findings.items[1].what, "bridge 1-1.2 ('CP2102N'), as 2 more, is put"));
	assert_string_equal(findings.items[13].what, "so do 3 rules more");
}

static void a_store_that_somebody_else_has(void **state)
{
	CLEANUP(findings_done) struct findings findings = {0};
	struct host host = make_host();

	(void)state;
	stopped(&host);
	host.store.is_held = true;
	assert_int_equal(judge(&host, &findings), 0);
	assert_int_equal(findings_count(&findings, FINDING_WARNING), 1);
	assert_string_equal(findings.items[1].about, "store");
	assert_true(has_mend(&findings.items[1], "fuser -v '/var/lib/plugflash/plugflash.lock'"));
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows) + 5];
	size_t n_tests = 0;

	ADD_TEST(tests, n_tests, a_host_that_is_well_has_good_news_alone);
	ADD_ROWS(tests, n_tests, rows, one_thing_is_spoilt);
	ADD_TEST(tests, n_tests, the_worst_stand_first_and_others_keep_their_order);
	ADD_TEST(tests, n_tests, many_problems_are_not_all_told);
	ADD_TEST(tests, n_tests, what_many_have_alike_is_told_once);
	ADD_TEST(tests, n_tests, a_store_that_somebody_else_has);
	return RUN_TESTS("doctor", tests, n_tests);
}
