/* SPDX-License-Identifier: MIT */
/* look-system.c - driver, udev, programs and clock: what the host is, whatever is plugged in. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "base/parse.h"
#include "base/processes.h"
#include "doctor/file.h"
#include "doctor/look.h"

#define DRIVER "cp210x"

/* ------------------------------------------------------------------ the driver */

/* A line of modules.dep(5) or modules.builtin: "kernel/drivers/usb/serial/cp210x.ko.xz: ...". */
static int is_of_driver(void *userdata, const char *line)
{
	const char *found = strstr(line, "/" DRIVER ".ko");

	(void)userdata;
	return found && found < line + strcspn(line, ":");
}

/* "alias usb:v10C4pEA60d*dc*dsc*dp*ic*isc*ip*in* cp210x" */
static int take_alias(void *userdata, const char *line)
{
	static const char begin[] = "alias usb:v", end[] = " " DRIVER;
	struct host_driver *driver = userdata;
	struct usb_id *grown;
	char vendor[8], product[8];
	uint32_t v, p;

	if (strncmp(line, begin, strlen(begin)) != 0 || !text_ends_with(line, end) ||
		strlen(line) < strlen(begin) + 9 || line[strlen(begin) + 4] != 'p')
		return 0;
	line += strlen(begin);
	snprintf(vendor, sizeof(vendor), "0x%.4s", line);
	snprintf(product, sizeof(product), "0x%.4s", line + 5);
	if (parse_u32(vendor, &v) < 0 || parse_u32(product, &p) < 0)
		return 0;
	grown = room_for_one(driver->ids, driver->n_ids, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	driver->ids = grown;
	driver->ids[driver->n_ids++] = (struct usb_id){(uint16_t)v, (uint16_t)p};
	return 0;
}

/* modprobe.d(5): "blacklist cp210x", or a command in its place that does nothing. */
static int is_blocking(void *userdata, const char *line)
{
	char word[16], name[16], command[64];
	int n = 0;

	(void)userdata;
	while (text_is_blank(*line))
		line++;
	n = (int)strcspn(line, " \t");
	snprintf(word, sizeof(word), "%.*s", n, line);
	line += n;
	line += strspn(line, " \t");
	n = (int)strcspn(line, " \t");
	snprintf(name, sizeof(name), "%.*s", n, line);
	line += n;
	snprintf(command, sizeof(command), "%s", line + strspn(line, " \t"));
	if (strcmp(name, DRIVER) != 0)
		return 0;
	return strcmp(word, "blacklist") == 0 ||
	       (strcmp(word, "install") == 0 &&
		       (text_ends_with(command, "/false") || text_ends_with(command, "/true")));
}

static void find_block(const char *root, struct host_driver *driver)
{
	static const char *const folders[] = {
		"/etc/modprobe.d", "/run/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d"};

	for (size_t i = 0; i < ARRAY_SIZE(folders) && !driver->blocked_by[0]; i++) {
		char path[FILE_PATH_MAX], file[FILE_PATH_MAX];
		CLEANUP(closedirp) DIR *folder = opendir(file_path(path, root, "%s", folders[i]));
		const struct dirent *entry;

		while (!driver->blocked_by[0] && folder && (entry = readdir(folder)))
			if (text_ends_with(entry->d_name, ".conf") &&
				file_each_line(
					file_path(file, root, "%s/%s", folders[i], entry->d_name),
					is_blocking, NULL) > 0) {
				char shown[TEXT_MAX / 2];

				snprintf(driver->blocked_by, sizeof(driver->blocked_by), "%s/%s",
					folders[i],
					text_escape(entry->d_name, shown, sizeof(shown)));
			}
	}
}

int look_driver(const char *root, struct host_driver *ret)
{
	char path[FILE_PATH_MAX];
	struct utsname name;
	const char *release;

	if (uname(&name) == 0)
		snprintf(ret->release, sizeof(ret->release), "%s", name.release);
	release = ret->release;
	ret->is_there =
		file_is_there(file_path(path, root, "/sys/bus/usb-serial/drivers/" DRIVER)) ||
		file_is_there(file_path(path, root, "/sys/module/" DRIVER));
	ret->has_folder = file_is_there(file_path(path, root, "/lib/modules/%s", release));
	ret->is_loadable =
		file_each_line(file_path(path, root, "/lib/modules/%s/modules.dep", release),
			is_of_driver, NULL) > 0 ||
		file_each_line(file_path(path, root, "/lib/modules/%s/modules.builtin", release),
			is_of_driver, NULL) > 0;
	find_block(root, ret);
	return file_each_line(
		file_path(path, root, "/lib/modules/%s/modules.alias", release), take_alias, ret);
}

/* ------------------------------------------------------------------ udev */

#define RULES "60-plugflash.rules"

/* udev(7): a file of the same name in an earlier folder takes the place of one in a later. */
static enum host_rules find_rules(const char *root)
{
	static const char *const folders[] = {"/etc/udev/rules.d", "/run/udev/rules.d",
		"/usr/local/lib/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d"};

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		char path[FILE_PATH_MAX], target[32];
		struct stat found;

		file_path(path, root, "%s/" RULES, folders[i]);
		if (file_link_name(path, target, sizeof(target)) && strcmp(target, "null") == 0)
			return HOST_RULES_MASKED;
		if (stat(path, &found) == 0)
			return found.st_size > 0 ? HOST_RULES_THERE : HOST_RULES_MASKED;
	}
	return HOST_RULES_MISSING;
}

void look_udev(const char *root, struct host_udev *ret)
{
	char path[FILE_PATH_MAX];

	ret->is_running = file_is_there(file_path(path, root, "/run/udev/control"));
	ret->rules = find_rules(root);
}

/* ------------------------------------------------------------------ programs and clock */

void look_programs(const char *root, struct host_programs *ret)
{
	static const char *const files[] = {"/usr/bin/brltty", "/bin/brltty", "/sbin/brltty"};
	char path[FILE_PATH_MAX];

	ret->has_modem_manager = processes_have(root, "ModemManager");
	ret->has_brltty = processes_have(root, "brltty");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		ret->has_brltty_file |= file_is_there(file_path(path, root, "%s", files[i]));
}

/* The time that the program's file has, was there when it was built or installed: no right clock
 * shows an earlier one. */
void look_clock(struct host_clock *ret)
{
	struct stat program;

	ret->now_usec = realtime_usec();
	ret->built_usec = stat("/proc/self/exe", &program) == 0 ? usec_of(&program.st_mtim) : 0;
	ret->is_synchronized = realtime_is_synchronized();
}
