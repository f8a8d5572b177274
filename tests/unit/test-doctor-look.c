/* SPDX-License-Identifier: MIT */
/*
 * test-doctor-look.c - facts of a host that are read from files, in a folder that stands for its
 * root; and what a user may do with a file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "base/names.h"
#include "base/processes.h"
#include "doctor/file.h"
#include "doctor/loaded.h"
#include "doctor/look.h"
#include "unit/folder.h"

/* The path of the name, with the folders above it made. */
static const char *make_room(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s", in_folder(name));
	for (char *at = path + strlen(folder) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		(void)mkdir(path, 0755);
		*at = '/';
	}
	return name;
}

static void put(const char *name, const char *text)
{
	put_text(make_room(name), text);
}

/* Of the modules of the running kernel. */
static void put_modules(const char *name, const char *text)
{
	char path[512];
	struct utsname host;

	assert_int_equal(uname(&host), 0);
	snprintf(path, sizeof(path), "lib/modules/%s/%s", host.release, name);
	put(path, text);
}

static void link_to(const char *target, const char *name)
{
	assert_int_equal(symlink(target, in_folder(make_room(name))), 0);
}

static int empty(void **state)
{
	return folder_remove(state) < 0 || mkdir(folder, 0700) < 0;
}

static struct host_driver driver(void)
{
	struct host_driver found = {0};

	assert_int_equal(look_driver(folder, &found), 0);
	return found;
}

static void the_driver_is_found_among_the_modules(void **state)
{
	struct host_driver found = driver();

	(void)state;
	assert_false(found.has_folder || found.is_loadable || found.is_there);
	put_modules("modules.dep", "kernel/drivers/usb/serial/ftdi_sio.ko: kernel/cp210x.ko\n");
	found = driver();
	assert_true(found.has_folder);
	assert_false(found.is_loadable);
	put_modules("modules.dep",
		"kernel/a.ko:\nkernel/drivers/usb/serial/cp210x.ko.xz: kernel/b.ko\n");
	found = driver();
	assert_true(found.is_loadable);
	assert_false(found.is_there);
	put_modules("modules.dep", "");
	put_modules("modules.builtin", "kernel/drivers/usb/serial/cp210x.ko\n");
	found = driver();
	assert_true(found.is_loadable);
	put("sys/bus/usb-serial/drivers/cp210x/uevent", "");
	found = driver();
	assert_true(found.is_there);
}

static void the_ids_of_the_driver_are_those_of_its_aliases(void **state)
{
	struct host_driver found;

	(void)state;
	put_modules("modules.alias", "# Aliases\n"
				     "alias usb:v10C4pEA60d*dc*dsc*dp*ic*isc*ip*in* cp210x\n"
				     "alias usb:v0403p6001d*dc*dsc*dp*ic*isc*ip*in* ftdi_sio\n"
				     "alias usb:v10C4p* cp210x\n"
				     "alias usb:vXXXXpYYYYd* cp210x\n"
				     "alias usb:v1BA4p0002d*dc*dsc*dp*ic*isc*ip*in* cp210x\n");
	found = driver();
	assert_int_equal(found.n_ids, 2);
	assert_int_equal(found.ids[0].product, 0xEA60);
	assert_int_equal(found.ids[1].vendor, 0x1BA4);
	free(found.ids);
}

static void a_module_may_be_blocked(void **state)
{
	static const struct {
		const char *line;
		bool is_blocked;
	} lines[] = {{"blacklist cp210x\n", true}, {"\tinstall  cp210x   /bin/false\n", true},
		{"blacklist cp210x2\n", false}, {"# blacklist cp210x\n", false},
		{"options cp210x x=1\n", false},
		{"install cp210x /sbin/modprobe -i cp210x\n", false},
		{"install cp210x /bin/true", true}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		put("etc/modprobe.d/local.conf", lines[i].line);
		assert_string_equal(driver().blocked_by,
			lines[i].is_blocked ? "/etc/modprobe.d/local.conf" : "");
	}
	put("etc/modprobe.d/local.conf.bak", "blacklist cp210x\n");
	put("etc/modprobe.d/local.conf", "");
	assert_string_equal(driver().blocked_by, "");
}

static void the_rules_of_udev_are_there_or_masked(void **state)
{
	struct host_udev found = {0};

	(void)state;
	look_udev(folder, &found);
	assert_false(found.is_running);
	assert_int_equal(found.rules, HOST_RULES_MISSING);
	put("usr/lib/udev/rules.d/60-plugflash.rules", "# rules\n");
	put("run/udev/control", "");
	look_udev(folder, &found);
	assert_true(found.is_running);
	assert_int_equal(found.rules, HOST_RULES_THERE);
	link_to("/dev/null", "etc/udev/rules.d/60-plugflash.rules");
	look_udev(folder, &found);
	assert_int_equal(found.rules, HOST_RULES_MASKED);
	assert_int_equal(unlink(in_folder("etc/udev/rules.d/60-plugflash.rules")), 0);
	put("etc/udev/rules.d/60-plugflash.rules", "");
	look_udev(folder, &found);
	assert_int_equal(found.rules, HOST_RULES_MASKED);
	put("etc/udev/rules.d/60-plugflash.rules", "# mine\n");
	look_udev(folder, &found);
	assert_int_equal(found.rules, HOST_RULES_THERE);
}

static void programs_are_found_by_their_names(void **state)
{
	struct host_programs found = {0};

	(void)state;
	put("proc/12/comm", "ModemManagerX\n");
	put("proc/self/comm", "brltty\n");
	look_programs(folder, &found);
	assert_false(found.has_modem_manager || found.has_brltty || found.has_brltty_file);
	put("proc/13/comm", "ModemManager\n");
	put("proc/14/comm", "brltty\n");
	put("usr/bin/brltty", "");
	look_programs(folder, &found);
	assert_true(found.has_modem_manager && found.has_brltty && found.has_brltty_file);
}

static void a_process_is_found_with_its_id(void **state)
{
	char pid[PROCESSES_PID_MAX] = "";

	(void)state;
	put("proc/7/comm", "plugflashd\n");
	put("proc/123456789012345678/comm", "other\n");
	assert_true(processes_find(folder, "plugflashd", pid));
	assert_string_equal(pid, "7");
	/* No number of a process, whatever it is called. */
	assert_false(processes_find(folder, "other", pid));
}

#define USB "sys/devices/usb1/1-1"

static const struct host_usb *find(const struct host *host, const char *name)
{
	for (size_t i = 0; i < host->n_usb; i++)
		if (strcmp(host->usb[i].name, name) == 0)
			return &host->usb[i];
	return NULL;
}

static void devices_of_usb_are_read(void **state)
{
	CLEANUP(host_done) struct host host = {0};
	const struct host_usb *usb;

	(void)state;
	put(USB "/idVendor", "10c4\n");
	put(USB "/idProduct", "EA60\n");
	put(USB "/product", "CP2102\xff\n");
	put(USB "/bDeviceClass", "00\n");
	put(USB "/bMaxPower", "100mA\n");
	put(USB "/bmAttributes", "c0\n");
	put(USB "/bConfigurationValue", "1\n");
	put(USB "/power/control", "auto\n");
	link_to("../../../../bus/usb/drivers/cp210x", USB "/1-1:1.0/driver");
	link_to("../../../devices/usb1/1-1", "sys/bus/usb/devices/1-1");
	link_to("../../../devices/usb1/1-1/1-1:1.0", "sys/bus/usb/devices/1-1:1.0");
	/* Bytes that no kernel writes: no device, and no end of the doctor. */
	put("sys/bus/usb/devices/1-2/idVendor", "zzzz\n");
	put("sys/bus/usb/devices/1-2/idProduct", "ea60\n");
	put("sys/bus/usb/devices/1-3/idVendor", "110c4\n");
	put("sys/bus/usb/devices/1-3/idProduct", "ea60\n");
	put("sys/bus/usb/devices/1-4/idVendor", "10c4\n");
	put("sys/bus/usb/devices/1-4/idProduct", "ffffffffffffffffffff\n");
	put("sys/bus/usb/devices/1-5/idVendor", "10c4\n");
	put("sys/bus/usb/devices/1-5/idProduct", "ea60\n");
	put("sys/bus/usb/devices/1-5/bConfigurationValue", "\n");
	put("sys/bus/usb/devices/1-5/bMaxPower", "lots\n");
	assert_int_equal(look_usb(folder, &host), 0);
	assert_int_equal(host.n_usb, 2);
	usb = find(&host, "1-1");
	assert_non_null(usb);
	assert_string_equal(usb->sysfs, "/" USB);
	assert_string_equal(usb->driver, "cp210x");
	assert_string_equal(usb->product, "CP2102\xff");
	assert_int_equal(usb->product_id, 0xEA60);
	assert_true(usb->is_configured && usb->has_power && usb->is_self_powered);
	assert_true(usb->is_suspendable);
	assert_int_equal(usb->milliamperes, 100);
	usb = find(&host, "1-5");
	assert_non_null(usb);
	assert_false(usb->is_configured || usb->has_power || usb->is_suspendable);
	assert_string_equal(usb->driver, "");
}

static void a_path_that_is_too_long_is_no_file(void **state)
{
	char path[FILE_PATH_MAX], *name = calloc(1, FILE_PATH_MAX + 1);

	(void)state;
	memset(name, 'a', FILE_PATH_MAX);
	assert_string_equal(file_path(path, "/root", "/%s", name), "");
	assert_string_equal(file_path(path, name, "/%s", "x"), "");
	assert_false(file_is_there(path));
	free(name);
}

/* ------------------------------------------------------------------ files that no rule takes */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void files_that_no_rule_takes_are_found(void **state)
{
	static const char *const strays[] = {"a/b/c-1.hex", "door-1.0.bin"};
	CLEANUP(host_done) struct host host = {0};
	struct library_candidate taken[] = {
		{.name = (char *)"gate-1.0.bin"}, {.name = (char *)"esp-1.2.0/flasher_args.json"}};
	const struct survey survey = {.list = {taken, ARRAY_SIZE(taken), NULL}};
	struct board board = {.name = (char *)"gate"};
	struct config config = {.boards = &board, .n_boards = 1};

	(void)state;
	put("images/gate-1.0.bin", "x");
	put("images/gate-1.0.bin.minisig", "x");
	put("images/gate-1.0.bin.ini", "x");
	put("images/door-1.0.bin", "x");
	put("images/.hidden", "x");
	put("images/door-2.0.bin.part", "x");
	put("images/a/b/c-1.hex", "x");
	put("images/a/README.txt", "x");
	put("images/esp-1.2.0/flasher_args.json", "{}");
	put("images/esp-1.2.0/bootloader/bootloader.bin", "x");
	config.service.image_dir = (char *)in_folder("images");
	config.service.trusted_keys = (char *)in_folder("keys");
	host.images.surveys = &survey;
	host.images.n_surveys = 1;
	assert_int_equal(look_images(&config, &host.images), 0);
	assert_int_equal(host.images.n_strays, ARRAY_SIZE(strays));
	qsort(host.images.strays, host.images.n_strays, sizeof(char *), compare_texts);
	for (size_t i = 0; i < ARRAY_SIZE(strays); i++)
		assert_string_equal(host.images.strays[i], strays[i]);
	/* images, a, a/b, esp-1.2.0 and its bootloader. */
	assert_int_equal(host.images.n_folders, 5);
	assert_int_equal(host.images.n_keys, 0);
	assert_true(host.images.keys_fault.text[0]);
	assert_false(host.images.is_missing || host.images.is_hidden);
}

static void a_folder_of_images_may_be_missing(void **state)
{
	CLEANUP(host_done) struct host host = {0};
	struct config config = {0};

	(void)state;
	config.service.image_dir = (char *)in_folder("images");
	config.service.trusted_keys = (char *)in_folder("keys");
	assert_int_equal(look_images(&config, &host.images), 0);
	assert_true(host.images.is_missing);
	assert_int_equal(host.images.n_folders, 0);
}

/* ------------------------------------------------------------------ configuration */

static void a_configuration_may_be_newer_than_what_was_read(void **state)
{
	char newer[300] = "", line[300];
	const struct timespec early[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	const struct timespec late[2] = {{.tv_sec = 2000}, {.tv_sec = 2000}};

	(void)state;
	setenv(ENV_RUNTIME, in_folder("run"), 1);
	put("etc/plugflash.conf", "");
	put("etc/boards.d/gate.conf", "");
	assert_false(loaded_is_older(in_folder("etc"), newer, sizeof(newer)));
	snprintf(line, sizeof(line), "%s\n", in_folder("etc"));
	put("run/" NAME_LOADED, line);
	for (size_t i = 0; i < 2; i++) {
		static const char *const names[] = {"etc/plugflash.conf", "etc/boards.d"};

		assert_int_equal(utimensat(AT_FDCWD, in_folder(names[i]), early, 0), 0);
	}
	assert_int_equal(utimensat(AT_FDCWD, in_folder("etc/boards.d/gate.conf"), early, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, in_folder("run/" NAME_LOADED), late, 0), 0);
	assert_false(loaded_is_older(in_folder("etc"), newer, sizeof(newer)));
	put("etc/boards.d/gate.conf", "# changed");
	assert_true(loaded_is_older(in_folder("etc"), newer, sizeof(newer)));
	assert_string_equal(newer, in_folder("etc/boards.d/gate.conf"));
	assert_false(loaded_is_older("/elsewhere", newer, sizeof(newer)));
	unsetenv(ENV_RUNTIME);
}

/* ------------------------------------------------------------------ users */

static void owner_group_and_others_may_write_by_their_bits(void **state)
{
	const struct user user = {.uid = 1000, .groups = {20, 1000}, .n_groups = 2};
	const struct user root = {.uid = 0};
	static const struct {
		uid_t uid;
		gid_t gid;
		mode_t mode;
		bool may;
	} rows[] = {{0, 20, 0660, true}, {0, 20, 0640, false}, {0, 5, 0666, true},
		{0, 20, 0606, false}, {1000, 20, 0060, false}, {1000, 5, 0600, true},
		{1000, 5, 0400, false}, {0, 1000, 0020, false}, {0, 0, 0660, false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(
			user_may_write(&user, rows[i].uid, rows[i].gid, rows[i].mode), rows[i].may);
		assert_true(user_may_write(&root, rows[i].uid, rows[i].gid, rows[i].mode));
	}
}

static void the_service_user_is_that_of_the_environment(void **state)
{
	struct user user;

	(void)state;
	setenv(ENV_USER, "nobody", 1);
	user_find_service(&user);
	assert_true(user.exists);
	assert_string_equal(user.name, "nobody");
	setenv(ENV_USER, "nobody-of-this-name", 1);
	user_find_service(&user);
	assert_false(user.exists);
	unsetenv(ENV_USER);
	user_find_caller(&user);
	assert_int_equal(user.uid, geteuid());
	assert_true(user.n_groups > 0);
}

#define LOOK_TEST(f) cmocka_unit_test_setup(f, empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOOK_TEST(the_driver_is_found_among_the_modules),
		LOOK_TEST(the_ids_of_the_driver_are_those_of_its_aliases),
		LOOK_TEST(a_module_may_be_blocked),
		LOOK_TEST(the_rules_of_udev_are_there_or_masked),
		LOOK_TEST(programs_are_found_by_their_names),
		LOOK_TEST(a_process_is_found_with_its_id),
		LOOK_TEST(devices_of_usb_are_read),
		LOOK_TEST(a_path_that_is_too_long_is_no_file),
		LOOK_TEST(files_that_no_rule_takes_are_found),
		LOOK_TEST(a_folder_of_images_may_be_missing),
		LOOK_TEST(a_configuration_may_be_newer_than_what_was_read),
		LOOK_TEST(owner_group_and_others_may_write_by_their_bits),
		LOOK_TEST(the_service_user_is_that_of_the_environment),
	};

	return cmocka_run_group_tests_name("doctor-look", tests, folder_make, folder_remove);
}
