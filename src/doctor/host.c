/* SPDX-License-Identifier: MIT */
#include "doctor/host.h"

static void free_texts(char **texts, size_t n_texts)
{
	for (size_t i = 0; i < n_texts; i++)
		free(texts[i]);
	free(texts);
}

void host_done(struct host *host)
{
	for (size_t i = 0; i < host->n_usb; i++) {
		free(host->usb[i].sysfs);
		free(host->usb[i].product);
	}
	free(host->usb);
	for (size_t i = 0; i < host->n_ports; i++)
		facts_done(&host->ports[i].facts);
	free(host->ports);
	for (size_t i = 0; i < host->images.n_folders; i++)
		free(host->images.folders[i].path);
	free(host->images.folders);
	free_texts(host->images.strays, host->images.n_strays);
	free_texts(host->images.keys, host->images.n_keys);
	free(host->driver.ids);
	*host = (struct host){0};
}
