/* SPDX-License-Identifier: MIT */
/*
 * make-esp: files as ESP-IDF's build and esptool leave them, for scripts and by hand; see
 * esp-make.h. Numbers are decimal or 0x....
 */
#include <elf.h>

#include "base/parse.h"
#include "tools/esp-make.h"

static const char usage[] =
	"usage: make-esp project FOLDER CHIP VERSION [SIZE [otadata]]\n"
	"                      boot loader, partition table, (otadata,) application and flasher_args.json\n"
	"       make-esp application FILE CHIP VERSION [SIZE]\n"
	"       make-esp bootloader FILE CHIP [SIZE]\n"
	"       make-esp elf FILE CHIP ELF        an image of the program's segments\n"
	"       make-esp table FILE two-slots|factory\n"
	"       make-esp otadata FILE FIRST SECOND   sequence numbers, 0: blank\n"
	"       make-esp merged FILE OFFSET=FILE ...\n"
	"       make-esp args FILE CHIP OFFSET=NAME=FILE ...   flasher_args.json\n";

static _Noreturn void tell_usage(void)
{
	fputs(usage, stderr);
	exit(2);
}

static uint32_t number(const char *text)
{
	uint32_t value;

	if (parse_size(text, &value) != 0 && parse_address(text, &value) != 0)
		esp_make_die(text, "not a number");
	return value;
}

static uint32_t optional(int argc, char **argv, int at, uint32_t otherwise)
{
	return argc > at ? number(argv[at]) : otherwise;
}

static uint32_t seed_of(const char *version)
{
	uint32_t seed = 0;

	for (const char *c = version; *c; c++)
		seed = seed * 31 + (uint8_t)*c;
	return seed;
}

static void make_project(int argc, char **argv)
{
	struct esp_make_project project;
	bool has_otadata = argc > 6 && strcmp(argv[6], "otadata") == 0;

	if (argc < 5 || argc > 7 || (argc == 7 && !has_otadata))
		tell_usage();
	project = esp_make_project(argv[3], argv[4], optional(argc, argv, 5, 65536), has_otadata);
	if (mkdir(argv[2], 0755) < 0 && errno != EEXIST)
		esp_make_die(argv[2], strerror(errno));
	esp_make_project_write(&project, argv[2]);
	esp_make_project_done(&project);
}

static struct esp_bytes make_application(int argc, char **argv)
{
	if (argc < 5)
		tell_usage();
	return esp_make_application(esp_make_chip(argv[3]), "plugflash-test", argv[4],
		optional(argc, argv, 5, 65536), seed_of(argv[4]));
}

static struct esp_bytes make_bootloader(int argc, char **argv)
{
	if (argc < 4)
		tell_usage();
	return esp_make_bootloader(esp_make_chip(argv[3]), optional(argc, argv, 4, 0), 0);
}

static int compare_segments(const void *a, const void *b)
{
	const struct esp_make_segment *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

/*
 * A segment for each loaded piece of the program, by address, so that the constants of mapped flash
 * (3C... or 3F...) come first. They begin at 20 behind a border of 64 KiB, as they do in the file.
 */
static struct esp_bytes make_elf(int argc, char **argv)
{
	struct esp_make_segment segments[16];
	struct esp_bytes program, image;
	const Elf32_Ehdr *head;
	size_t n = 0;

	if (argc != 5)
		tell_usage();
	program = esp_make_read(argv[4]);
	head = (const void *)program.data;
	if (program.n < sizeof(*head) || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 ||
		head->e_ident[EI_CLASS] != ELFCLASS32 ||
		head->e_phoff + head->e_phnum * sizeof(Elf32_Phdr) > program.n)
		esp_make_die(argv[4], "not a 32-bit program");
	for (size_t i = 0; i < head->e_phnum; i++) {
		const Elf32_Phdr *piece =
			(const void *)(program.data + head->e_phoff + i * sizeof(Elf32_Phdr));

		if (piece->p_type != PT_LOAD || piece->p_filesz == 0)
			continue;
		if (n == ARRAY_SIZE(segments) || piece->p_offset + piece->p_filesz > program.n)
			esp_make_die(argv[4], "too many segments, or cut off");
		segments[n++] = (struct esp_make_segment){
			piece->p_vaddr, program.data + piece->p_offset, piece->p_filesz};
	}
	qsort(segments, n, sizeof(segments[0]), compare_segments);
	image = esp_make_image(&(struct esp_make_image){
		.chip_id = esp_make_chip(argv[3])->id,
		.mode = 2,
		.size_and_frequency = 0x20,
		.entry = head->e_entry,
		.max_revision = ESP_ANY_REVISION,
		.segments = segments,
		.n_segments = n,
	});
	esp_bytes_done(&program);
	return image;
}

static struct esp_bytes make_table(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[3], "two-slots") == 0)
		return esp_make_table(esp_make_two_slots, ARRAY_SIZE(esp_make_two_slots), true);
	if (argc == 4 && strcmp(argv[3], "factory") == 0)
		return esp_make_table(esp_make_factory, ARRAY_SIZE(esp_make_factory), true);
	tell_usage();
}

static struct esp_bytes make_otadata(int argc, char **argv)
{
	if (argc != 5)
		tell_usage();
	return esp_make_otadata(number(argv[3]), number(argv[4]));
}

/* Cuts "A=B" at its first '='. */
static char *cut(char *text)
{
	char *equals = strchr(text, '=');

	if (!equals)
		tell_usage();
	*equals = '\0';
	return equals + 1;
}

static struct esp_bytes make_merged(int argc, char **argv)
{
	struct esp_make_part parts[16] = {};
	struct esp_bytes merged;
	size_t n = 0;

	if (argc < 4 || argc - 3 > (int)ARRAY_SIZE(parts))
		tell_usage();
	for (int i = 3; i < argc; i++) {
		const char *file = cut(argv[i]);

		parts[n++] = (struct esp_make_part){
			.offset = number(argv[i]), .bytes = esp_make_read(file)};
	}
	merged = esp_make_merged(parts, n, 0);
	for (size_t i = 0; i < n; i++)
		esp_bytes_done(&parts[i].bytes);
	return merged;
}

static struct esp_bytes make_args(int argc, char **argv)
{
	struct esp_make_part parts[16];
	size_t n = 0;

	if (argc < 5 || argc - 4 > (int)ARRAY_SIZE(parts))
		tell_usage();
	for (int i = 4; i < argc; i++) {
		char *name = cut(argv[i]), *file = cut(name);

		parts[n++] = (struct esp_make_part){
			.offset = number(argv[i]), .name = name, .file = file};
	}
	return esp_make_args(parts, n, esp_make_chip(argv[3]));
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		struct esp_bytes (*make)(int argc, char **argv);
	} commands[] = {
		{"application", make_application},
		{"bootloader", make_bootloader},
		{"elf", make_elf},
		{"table", make_table},
		{"otadata", make_otadata},
		{"merged", make_merged},
		{"args", make_args},
	};

	if (argc < 3)
		tell_usage();
	if (strcmp(argv[1], "project") == 0) {
		make_project(argc, argv);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0) {
			struct esp_bytes bytes = commands[i].make(argc, argv);

			esp_make_file(argv[2], &bytes);
			esp_bytes_done(&bytes);
			return 0;
		}
	tell_usage();
}
