/* SPDX-License-Identifier: MIT */
/*
 * make-ti: images for sticks of the tests, for scripts and by hand; see ti-make.h and gbl-make.h.
 */
#include <errno.h>

#include "base/parse.h"
#include "tools/gbl-make.h"
#include "tools/ti-make.h"

static const char usage[] =
	"usage: make-ti image FILE CHIP VERSION [FAULT [SIZE]]\n"
	"                      an image of Z-Stack's kind, a .bin of the whole flash where FILE ends so,\n"
	"                      Intel HEX otherwise; VERSION is a date: 20240710\n"
	"       make-ti gbl FILE FW_TYPE VERSION [BAUD [SIZE]]\n"
	"                      a GBL for an EFR32; FW_TYPE: zigbee_ncp, openthread_rcp, multipan, zwave_ncp,\n"
	"                      or none for a file without metadata\n"
	"       make-ti flash FILE FW_TYPE VERSION [BAUD [SIZE]]\n"
	"                      what such a file leaves in the flash of a simulated stick\n"
	"       make-ti faults CHIP            the faults that an image for it can have\n";

static _Noreturn void tell_usage(void)
{
	fputs(usage, stderr);
	exit(2);
}

static uint32_t optional(int argc, char **argv, int at, uint32_t otherwise)
{
	uint32_t value;

	if (argc <= at)
		return otherwise;
	if (parse_size(argv[at], &value) != 0)
		tell_usage();
	return value;
}

static int save(const char *path, const uint8_t *data, size_t n)
{
	CLEANUP(fclosep) FILE *to = fopen(path, "we");

	if (!to || fwrite(data, 1, n, to) != n || fflush(to) != 0) {
		fprintf(stderr, "make-ti: %s: %s\n", path, strerror(errno));
		return 1;
	}
	return 0;
}

static int make_image(int argc, char **argv)
{
	struct ti_make_image image;
	struct ti_make_bytes bytes;
	const char *dot;
	int r;

	if (argc < 5 || argc > 7)
		tell_usage();
	dot = strrchr(argv[2], '.');
	image = ti_make_new(argv[3], argv[4], optional(argc, argv, 6, 0));
	if (argc > 5 && !ti_make_fault(&image, ti_make_fault_by_name(argv[5])))
		ti_make_die(argv[5], "an image for this chip has no such field");
	bytes = dot && strcmp(dot, ".bin") == 0 ? ti_make_bin(&image) : ti_make_hex(&image);
	r = save(argv[2], bytes.data, bytes.n);
	ti_make_bytes_done(&bytes);
	ti_make_done(&image);
	return r;
}

static int make_gbl(int argc, char **argv)
{
	struct gbl_make_file file;
	struct gbl_make gbl;
	int r;

	if (argc < 5 || argc > 7)
		tell_usage();
	file = (struct gbl_make_file){
		.fw_type = strcmp(argv[3], "none") == 0 ? NULL : argv[3],
		.version = argv[4],
		.baud = optional(argc, argv, 5, 0),
		.n_program = optional(argc, argv, 6, 0),
	};
	gbl = strcmp(argv[1], "flash") == 0 ? gbl_make_flash(&file) : gbl_make_file(&file);
	r = save(argv[2], gbl.data, gbl.n);
	gbl_make_done(&gbl);
	return r;
}

static int list_faults(int argc, char **argv)
{
	if (argc != 3)
		tell_usage();
	for (int i = 1; i < _TI_FAULT_MAX; i++) {
		struct ti_make_image image = ti_make_new(argv[2], "20240710", 0);

		if (ti_make_fault(&image, (enum ti_make_fault)i))
			puts(ti_make_fault_names[i]);
		ti_make_done(&image);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "image") == 0)
		return make_image(argc, argv);
	if (argc > 2 && (strcmp(argv[1], "gbl") == 0 || strcmp(argv[1], "flash") == 0))
		return make_gbl(argc, argv);
	if (argc > 2 && strcmp(argv[1], "faults") == 0)
		return list_faults(argc, argv);
	tell_usage();
}
