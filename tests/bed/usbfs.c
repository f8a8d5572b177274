/* SPDX-License-Identifier: MIT */
#include "bed/usbfs.h"

#include <errno.h>
#include <linux/usbdevice_fs.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "bed/bed-private.h"

/* As usb.c gives busnum and devnum. */
#define NODE "/dev/bus/usb/001/002"

struct usbfs {
	struct bed *bed;
	UMockdevIoctlBase *handler;
	uint8_t part;
	uint32_t firmware;
	unsigned n_requests, n_strange;
};

/* The length of the answer, or -errno. */
static int answer(struct usbfs *usbfs, const struct usbdevfs_ctrltransfer *request, uint8_t to[3])
{
	usbfs->n_requests++;
	if (request->bRequestType != 0xC0 || request->bRequest != 0xFF || request->timeout == 0) {
		usbfs->n_strange++;
		return -EPIPE;
	}
	if (usbfs->firmware == 0)
		return -EPIPE;
	if (request->wValue == 0x370B && request->wLength == 1) {
		to[0] = usbfs->part;
		return 1;
	}
	if (request->wValue == 0x0010 && request->wLength == 3 && usbfs->part >= 0x20) {
		for (unsigned i = 0; i < 3; i++)
			to[i] = (uint8_t)(usbfs->firmware >> (16 - 8 * i));
		return 3;
	}
	usbfs->n_strange++;
	return -EPIPE;
}

/* In umockdev's thread. */
static gboolean on_ioctl(UMockdevIoctlBase *handler, UMockdevIoctlClient *client, gpointer userdata)
{
	struct usbfs *usbfs = userdata;
	UMockdevIoctlData *arg = umockdev_ioctl_client_get_arg(client), *request, *data;
	uint8_t bytes[3] = {0};
	int r = -ENOTTY;

	(void)handler;
	if (umockdev_ioctl_client_get_request(client) == USBDEVFS_CONTROL) {
		request = umockdev_ioctl_data_resolve(
			arg, 0, sizeof(struct usbdevfs_ctrltransfer), NULL);
		pthread_mutex_lock(&usbfs->bed->mutex);
		r = answer(usbfs, (const struct usbdevfs_ctrltransfer *)request->data, bytes);
		pthread_mutex_unlock(&usbfs->bed->mutex);
		if (r > 0) {
			data = umockdev_ioctl_data_resolve(request,
				offsetof(struct usbdevfs_ctrltransfer, data), (gsize)r, NULL);
			umockdev_ioctl_data_update(data, 0, bytes, r);
		}
	}
	umockdev_ioctl_client_complete(client, r < 0 ? -1 : r, r < 0 ? -r : 0);
	return TRUE;
}

static void make_node(const struct bed *bed)
{
	static const char *const folders[] = {"/dev/bus", "/dev/bus/usb", "/dev/bus/usb/001"};
	char path[512];
	FILE *node;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", bed->root, folders[i]);
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			bed_die(path, errno);
	}
	snprintf(path, sizeof(path), "%s" NODE, bed->root);
	node = fopen(path, "we");
	if (!node || fclose(node) != 0)
		bed_die(path, errno);
}

struct usbfs *usbfs_new(struct bed *bed, uint8_t part, uint32_t firmware)
{
	struct usbfs *usbfs = calloc(1, sizeof(*usbfs));
	g_autoptr(GError) error = NULL;

	if (!usbfs)
		bed_die("usbfs", ENOMEM);
	*usbfs = (struct usbfs){.bed = bed, .part = part, .firmware = firmware};
	make_node(bed);
	usbfs->handler = umockdev_ioctl_base_new();
	g_signal_connect(usbfs->handler, "handle-ioctl", G_CALLBACK(on_ioctl), usbfs);
	if (!umockdev_testbed_attach_ioctl(bed->testbed, NODE, usbfs->handler, &error))
		g_error("umockdev: %s", error->message);
	return usbfs;
}

struct usbfs *usbfs_free(struct usbfs *usbfs)
{
	char path[512];

	if (!usbfs)
		return NULL;
	(void)umockdev_testbed_detach_ioctl(usbfs->bed->testbed, NODE, NULL);
	g_object_unref(usbfs->handler);
	snprintf(path, sizeof(path), "%s" NODE, usbfs->bed->root);
	(void)remove(path);
	free(usbfs);
	return NULL;
}

unsigned usbfs_requests(const struct usbfs *usbfs)
{
	return usbfs->n_requests;
}

unsigned usbfs_strange(const struct usbfs *usbfs)
{
	return usbfs->n_strange;
}
