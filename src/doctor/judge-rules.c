/* SPDX-License-Identifier: MIT */
#include "doctor/judge.h"

#include <string.h>
#include <sys/stat.h>

#include "image/library-look.h"

/* Nobody reads more of one kind; check-config and images have all of them. */
#define SHOWN_MOST     10

#define LINE_MAX_BYTES 1024

/* ------------------------------------------------------------------ configuration */

static void add_problems(const struct ini_problems *problems, enum finding_level level,
	const char *configuration, struct findings *to)
{
	char line[LINE_MAX_BYTES], shown[TEXT_MAX];

	for (size_t i = 0; i < problems->n_items && i < SHOWN_MOST; i++) {
		const struct ini_problem *problem = &problems->items[i];

		finding_add(
			to, level, "rules", "%s", ini_problem_format(problem, line, sizeof(line)));
		if (problem->file && problem->line > 0)
			finding_mend(to, "editor +%u '%s'", problem->line,
				text_escape(problem->file, shown, sizeof(shown)));
	}
	if (problems->n_items <= SHOWN_MOST)
		return;
	finding_add(to, level, "rules", "and %zu more", problems->n_items - SHOWN_MOST);
	finding_mend(to, "plugflash check-config --config '%s'",
		text_escape(configuration, shown, sizeof(shown)));
}

static bool has_id(const struct host_driver *driver, const struct usb_id *id)
{
	for (size_t i = 0; i < driver->n_ids; i++)
		if (driver->ids[i].vendor == id->vendor && driver->ids[i].product == id->product)
			return true;
	return false;
}

/* The CP2102C has another driver. */
static bool is_cp2102c(const struct usb_id *id)
{
	return id->vendor == 0x10C4 && id->product == 0xEA64;
}

/* A bridge of that id is there, so the driver was told of it by hand (new_id). */
static bool is_plugged(const struct host *host, const struct usb_id *id)
{
	for (size_t i = 0; i < host->n_ports; i++)
		if (host->ports[i].facts.vendor_id == id->vendor &&
			host->ports[i].facts.product_id == id->product)
			return true;
	return false;
}

/* An id that the driver does not know: the rule waits for a bridge that never becomes one. */
static void judge_ids(const struct host *host, const struct board *board, struct findings *to)
{
	char name[TEXT_MAX];

	for (size_t i = 0; host->driver.n_ids > 0 && i < board->usb_id.n_items; i++) {
		const struct usb_id *id = &board->usb_id.items[i];

		if (has_id(&host->driver, id) || is_cp2102c(id) || is_plugged(host, id))
			continue;
		finding_add(to, FINDING_WARNING, "rules",
			"[board %s] waits for usb-id %04x:%04x, which the driver cp210x does not know",
			text_escape(board->name, name, sizeof(name)), id->vendor, id->product);
		finding_why(to,
			"plugflash looks at bridges of that driver alone: no CH340, FTDI or PL2303, nor a CP210x with an id of its maker's own");
		finding_mend(to, "echo %04x %04x >/sys/bus/usb-serial/drivers/cp210x/new_id",
			id->vendor, id->product);
	}
}

void judge_configuration(const struct host *host, struct findings *to)
{
	char shown[TEXT_MAX];

	text_escape(host->configuration, shown, sizeof(shown));
	if (host->configuration_error < 0) {
		finding_add(to, FINDING_ERROR, "rules",
			"the configuration in '%s' cannot be read: %s", shown,
			strerror(-host->configuration_error));
		return;
	}
	add_problems(host->problems, FINDING_ERROR, host->configuration, to);
	add_problems(host->warnings, FINDING_WARNING, host->configuration, to);
	if (!host->config)
		return;
	if (host->config->n_boards == 0) {
		finding_add(to, FINDING_NOTE, "rules", "there are none in '%s'", shown);
		finding_why(to, "no port is touched, and nothing is flashed");
		finding_mend(to, "plugflash setup");
		return;
	}
	for (size_t i = 0; i < host->config->n_boards; i++)
		judge_ids(host, &host->config->boards[i], to);
	finding_good(to, "rules", "the configuration is good");
}

/* ------------------------------------------------------------------ images */

/* That of whoever brings images by himself (library-look.h). */
static bool is_of_fleet(const struct host *host, const struct host_folder *folder)
{
	const char *directory = host->config->service.image_dir;
	size_t n = strlen(directory);

	return strncmp(folder->path, directory, n) == 0 &&
	       strcmp(folder->path + n, "/" LIBRARY_FLEET) == 0;
}

/* It comes with plugflash-fleet, also where no rule is for it yet. */
static void tell_unsigned_fleet(const char *path, struct findings *to)
{
	finding_add(to, FINDING_NOTE, "images",
		"folder '%s' is another user's: images in it are refused as long as they need no signature",
		path);
	finding_why(to, "there the signature decides, and not whoever wrote it");
	finding_mend(to, "set require-signature = yes in [service]");
}

static void judge_folder(
	const struct host *host, const struct host_folder *folder, struct findings *to)
{
	const struct user *service = &host->service_user;
	bool is_strange = folder->uid != 0 && !(service->exists && folder->uid == service->uid);
	char path[TEXT_MAX];

	text_escape(folder->path, path, sizeof(path));
	if (is_strange && is_of_fleet(host, folder)) {
		if (!host->config->service.require_signature)
			tell_unsigned_fleet(path, to);
		is_strange = false;
	}
	if (is_strange) {
		finding_add(to, FINDING_ERROR, "images",
			"folder '%s' belongs to the user %u: images in it are refused", path,
			(unsigned)folder->uid);
		finding_why(
			to, "whoever writes there decides what is flashed: root alone is trusted");
		finding_mend(to, "chown root '%s'", path);
	} else if (folder->mode & (S_IWGRP | S_IWOTH)) {
		finding_add(to, FINDING_ERROR, "images",
			"folder '%s' can be written by others than its owner, mode %04o: images in it are refused",
			path, folder->mode);
		finding_why(
			to, "whoever writes there decides what is flashed: root alone is trusted");
		finding_mend(to, "chmod go-w '%s'", path);
	} else if (service->exists && folder->uid == service->uid && service->uid != 0) {
		finding_add(to, FINDING_WARNING, "images",
			"folder '%s' belongs to the service's own user", path);
		finding_why(to,
			"a board that takes over a worker could plant the image of the next one");
		finding_mend(to, "chown root:root '%s'", path);
	}
}

static void tell_survey(const struct survey *survey, struct findings *to)
{
	char name[TEXT_MAX], why[2 * TEXT_MAX];

	finding_add(to, survey->outcome == OUTCOME_NO_IMAGE ? FINDING_WARNING : FINDING_ERROR,
		"images", "[board %s] ends as '%s': %s",
		text_escape(survey->board->name, name, sizeof(name)),
		outcome_to_string(survey->outcome),
		text_show(survey->report.reason.text, why, sizeof(why)));
	finding_mend(to, "plugflash images");
}

static void judge_surveys(const struct host_images *images, struct findings *to)
{
	size_t n = 0;

	for (size_t i = 0; i < images->n_surveys; i++)
		if (images->surveys[i].outcome != OUTCOME_MAX && n++ < SHOWN_MOST)
			tell_survey(&images->surveys[i], to);
	if (n <= SHOWN_MOST)
		return;
	finding_add(to, FINDING_WARNING, "images", "so do %zu rules more", n - SHOWN_MOST);
	finding_mend(to, "plugflash images");
}

static void judge_strays(const struct host *host, struct findings *to)
{
	const struct host_images *images = &host->images;
	char shown[3][TEXT_MAX / 2];
	size_t n = images->n_strays;

	if (n == 0 || host->config->n_boards == 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		text_escape(i < n ? images->strays[i] : "", shown[i], sizeof(shown[i]));
	finding_add(to, FINDING_NOTE, "images", "no rule takes '%s'%s%s%s%s%s%s%s", shown[0],
		n > 1 ? ", '" : "", shown[1], n > 1 ? "'" : "", n > 2 ? ", '" : "", shown[2],
		n > 2 ? "'" : "", n > 3 ? " and others" : "");
	finding_why(to,
		"no board gets them; where one was meant for a rule, its name or folder is not what the rule says");
	finding_mend(to, "plugflash images");
}

void judge_images(const struct host *host, struct findings *to)
{
	const struct host_images *images = &host->images;
	char directory[TEXT_MAX];

	if (!host->config)
		return;
	text_escape(host->config->service.image_dir, directory, sizeof(directory));
	if (images->is_hidden) {
		finding_add(to, FINDING_NOTE, "images",
			"this user may not look into '%s', so that nothing is said of them",
			directory);
		finding_mend(to, "adduser %s plugflash", host->caller.name);
		return;
	}
	if (images->is_missing) {
		finding_add(to, FINDING_ERROR, "images", "there is no folder '%s'", directory);
		finding_why(to, "each board ends as 'no-image'");
		finding_mend(to, "install -d -o root -g root -m 755 '%s'", directory);
		return;
	}
	for (size_t i = 0; i < images->n_folders; i++)
		judge_folder(host, &images->folders[i], to);
	judge_surveys(images, to);
	judge_strays(host, to);
	finding_good(to, "images",
		host->config->n_boards == 0 ? "the folder is there, and root's"
					    : "each rule finds one that is good");
}

/* ------------------------------------------------------------------ keys */

/* "release (KEY ID)" is of the key "release". */
static bool signs_any(const struct host_images *images, const char *key)
{
	size_t n = strlen(key);

	for (size_t i = 0; i < images->n_surveys; i++) {
		const char *signer = images->surveys[i].report.signer;

		if (strncmp(signer, key, n) == 0 && strncmp(signer + n, " (", 2) == 0)
			return true;
	}
	return false;
}

void judge_keys(const struct host *host, struct findings *to)
{
	const struct host_images *images = &host->images;
	char directory[TEXT_MAX], why[2 * TEXT_MAX];

	if (!host->config || images->is_hidden || images->is_missing)
		return;
	text_escape(host->config->service.trusted_keys, directory, sizeof(directory));
	if (images->n_keys == 0) {
		if (!host->config->service.require_signature)
			return;
		finding_add(to, FINDING_ERROR, "keys", "%s",
			text_show(images->keys_fault.text, why, sizeof(why)));
		finding_why(to, "require-signature is set, so that no image is good");
		return;
	}
	if (!host->config->service.require_signature) {
		finding_add(to, FINDING_NOTE, "keys",
			"there are keys in '%s', and images without a signature are taken all the same",
			directory);
		finding_why(to, "require-signature = yes in [service] refuses them");
	}
	for (size_t i = 0; i < images->n_keys && images->n_surveys > 0; i++) {
		if (signs_any(images, images->keys[i]))
			continue;
		finding_add(to, FINDING_NOTE, "keys",
			"the key '%s' has signed no image that a rule gets", images->keys[i]);
		finding_why(to,
			"whoever has it may sign one: a key that nobody needs is best taken away");
		finding_mend(to, "rm '%s/%s.pub'", directory, images->keys[i]);
	}
	finding_good(to, "keys", "those that are trusted can be read");
}
