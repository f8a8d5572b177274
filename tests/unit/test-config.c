/* SPDX-License-Identifier: MIT */
/*
 * test-config.c - configurations in a temporary folder, and what they become. The default
 * configuration and the examples that are installed are read as well.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/outcome.h"
#include "chip/chips.h"
#include "chip/family.h"
#include "chip/rule-check.h"
#include "loader/loader.h"
#include "rules/config.h"
#include "rules/protocol-words.h"
#include "unit/configuration.h"
#include "unit/problems.h"
#include "unit/rows.h"

static void load(const char *service, struct config *ret)
{
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};
	char *refused CLEANUP(freep) = NULL;
	int r;

	put_configuration(service, NULL);
	r = config_load(folder, ret, &problems);
	refused = dump_problems(&problems, folder);
	assert_string_equal(refused, "");
	assert_int_equal(r, 0);
}

static void defaults_are_those_of_the_design(void **state)
{
	struct config config CLEANUP(config_done) = {0};
	const struct board *board;

	(void)state;
	load(GOOD, &config);
	assert_string_equal(config.service.image_dir, "/var/lib/plugflash/images");
	assert_int_equal(config.service.max_jobs, 0);
	assert_int_equal(config.service.settle_usec, 500000);
	assert_false(config.service.require_signature);
	assert_false(config.service.accept_legacy_signatures);
	assert_string_equal(config.service.trusted_keys, "/etc/plugflash/keys.d");
	assert_int_equal(config.n_boards, 1);
	board = config_find_board(&config, "a");
	assert_non_null(board);
	assert_null(config_find_board(&config, "A"));
	assert_string_equal(board->name, "a");
	assert_string_equal(board->file, in_folder("plugflash.conf"));
	assert_int_equal(board->line, 1);
	assert_int_equal(board->usb_id.n_items, 0);
	assert_null(board->serial);
	assert_null(board->product);
	assert_null(board->manufacturer);
	assert_null(board->path);
	assert_null(board->interface);
	assert_null(board->port_owner);
	assert_int_equal(board->n_port_owner, 0);
	assert_int_equal(board->protocol, BOARD_PROTOCOL_STM32);
	assert_int_equal(board->n_chip, 1);
	assert_string_equal(board->chip[0], "0x410");
	assert_null(board->chip[1]);
	assert_int_equal(board->baud.n_items, 1);
	assert_int_equal(board->baud.items[0], 115200);
	assert_int_equal(board->stub, BOARD_USE_AUTO);
	assert_int_equal(board->bursts, BOARD_USE_AUTO);
	assert_int_equal(board->entry, BOARD_ENTRY_LINES);
	assert_int_equal(board->wiring.enters[0].n_items, 2);
	assert_int_equal(board->wiring.rest, 0);
	assert_string_equal(board->image, "a.hex");
	assert_false(board->has_address);
	assert_true(board->check_vectors);
	assert_int_equal(board->update, BOARD_UPDATE_DIFFERENT);
	assert_int_equal(board->keep.n_items, 0);
	assert_int_equal(board->readout_protection, BOARD_PROTECTION_REFUSE);
	assert_int_equal(board->start, BOARD_START_RESET);
	assert_int_equal(board->retries, 3);
	assert_int_equal(board->retry_delay_usec, 2000000);
}

static void slots_have_names_and_places(void **state)
{
	struct config config CLEANUP(config_done) = {0};
	const struct slot *slot;

	(void)state;
	load("[board a]\nchip=1\nimage=a\nslot=A1 A2\n[slot A1]\npath=usb-1\n"
	     "[slot A2]\npath=usb-2\n",
		&config);
	assert_int_equal(config.n_slots, 2);
	assert_string_equal(config.slots[1].name, "A2");
	slot = config_find_slot(&config, "A1");
	assert_non_null(slot);
	assert_string_equal(slot->path, "usb-1");
	assert_string_equal(slot->file, in_folder("plugflash.conf"));
	assert_int_equal(slot->line, 5);
	assert_ptr_equal(config_find_slot(&config, "usb-1"), slot);
	assert_null(config_find_slot(&config, "a1"));
	assert_string_equal(config_slot_name(&config, "usb-2"), "A2");
	assert_string_equal(config_slot_name(&config, "A2"), "");
	assert_string_equal(config_slot_name(&config, NULL), "");
	assert_int_equal(config.boards[0].n_slot, 2);
	assert_string_equal(config.boards[0].slot[1], "A2");
	assert_null(config.boards[0].slot[2]);
}

static const char everything[] =
	"[service]\nimage-dir=/srv/i\nmax-jobs=16\nsettle=0\nrequire-signature=no\n"
	"trusted-keys=/srv/k\n"
	"[board gate-1.A_b]\nusb-id = 10C4:ea60,\n  1ba4:0002\nserial=%n;'\"\\\nproduct=CP* x\n"
	"manufacturer=Silicon Labs\npath=*-usb-0:1.2:1.0\ninterface=[01]\nprotocol=stm32\n"
	"port-owner=zigbee2mqtt.service, ha@a-b.service\n"
	"chip=0x410 F103xC\nbaud=460800, 115200\n\t57600\nstub=yes\nbursts=no\nentry=none\nwiring=direct\nreset=!rts\n"
	"boot=dtr\nimage=g/g-*.bin\naddress=0x08004000\nvector-table=ignore\nupdate=always\n"
	"keep=0x0803F800+2K, 0xFFFFF000+4K\nreadout-protection=clear\n"
	"serialize=0x0800FC00+8 decimal 1000\nstart=go\nretries=0\n"
	"retry-delay=1.5s\n";

static void assert_everything(const struct board *board)
{
	assert_string_equal(board->name, "gate-1.A_b");
	assert_int_equal(board->usb_id.n_items, 2);
	assert_int_equal(board->usb_id.items[0].vendor, 0x10C4);
	assert_int_equal(board->usb_id.items[0].product, 0xEA60);
	assert_int_equal(board->usb_id.items[1].vendor, 0x1BA4);
	assert_int_equal(board->usb_id.items[1].product, 2);
	assert_string_equal(board->serial, "%n;'\"\\");
	assert_string_equal(board->product, "CP* x");
	assert_string_equal(board->manufacturer, "Silicon Labs");
	assert_string_equal(board->path, "*-usb-0:1.2:1.0");
	assert_string_equal(board->interface, "[01]");
	assert_int_equal(board->n_port_owner, 2);
	assert_string_equal(board->port_owner[0], "zigbee2mqtt.service");
	assert_string_equal(board->port_owner[1], "ha@a-b.service");
	assert_null(board->port_owner[2]);
	assert_int_equal(board->n_chip, 2);
	assert_string_equal(board->chip[1], "F103xC");
	assert_int_equal(board->baud.n_items, 3);
	assert_int_equal(board->baud.items[0], 460800);
	assert_int_equal(board->baud.items[2], 57600);
	assert_int_equal(board->stub, BOARD_USE_YES);
	assert_int_equal(board->bursts, BOARD_USE_NO);
	assert_int_equal(board->entry, BOARD_ENTRY_NONE);
	assert_int_equal(board->wiring.rest, LINE_RTS);
	assert_string_equal(board->image, "g/g-*.bin");
	assert_true(board->has_address);
	assert_int_equal(board->address, 0x08004000);
	assert_false(board->check_vectors);
	assert_int_equal(board->update, BOARD_UPDATE_ALWAYS);
	assert_int_equal(board->keep.n_items, 2);
	assert_int_equal(board->keep.items[0].address, 0x0803F800);
	assert_int_equal(board->keep.items[0].size, 2048);
	assert_int_equal(board->keep.items[1].address, 0xFFFFF000);
	assert_int_equal(board->keep.items[1].size, 4096);
	assert_int_equal(board->readout_protection, BOARD_PROTECTION_CLEAR);
	assert_int_equal(board->serialize.form, PROVISION_DECIMAL);
	assert_int_equal(board->serialize.first, 1000);
	assert_int_equal(board->start, BOARD_START_GO);
	assert_int_equal(board->retries, 0);
	assert_int_equal(board->retry_delay_usec, 1500000);
}

/* `bursts` was a switch before there was `auto`: rules that have its other words mean the same. */
static void a_faster_way_has_three_words(void **state)
{
	static const struct {
		const char *word;
		enum board_use use;
	} rows[] = {
		{"auto", BOARD_USE_AUTO},
		{"yes", BOARD_USE_YES},
		{"on", BOARD_USE_YES},
		{"no", BOARD_USE_NO},
		{"0", BOARD_USE_NO},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct config config CLEANUP(config_done) = {0};
		char text[256];

		print_message("# %s\n", rows[i].word);
		snprintf(text, sizeof(text), GOOD "stub=%s\nbursts=%s\n", rows[i].word,
			rows[i].word);
		load(text, &config);
		assert_int_equal(config.boards[0].stub, rows[i].use);
		assert_int_equal(config.boards[0].bursts, rows[i].use);
	}
}

static void every_key_reaches_its_field(void **state)
{
	struct config config CLEANUP(config_done) = {0};

	(void)state;
	load(everything, &config);
	assert_string_equal(config.service.image_dir, "/srv/i");
	assert_int_equal(config.service.max_jobs, 16);
	assert_int_equal(config.service.settle_usec, 0);
	assert_string_equal(config.service.trusted_keys, "/srv/k");
	assert_int_equal(config.n_boards, 1);
	assert_everything(&config.boards[0]);
}

/* As the service hands it to a worker. */
static void write_and_read(const struct board *board, struct board *ret)
{
	struct ini ini CLEANUP(ini_done) = {0};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};
	char *text CLEANUP(freep) = NULL;
	size_t n_text = 0;
	FILE *to = open_memstream(&text, &n_text);

	assert_non_null(to);
	fputs("[job]\nport=/dev/ttyUSB0\n", to);
	assert_int_equal(config_write_board(board, to), 0);
	assert_int_equal(fclose(to), 0);
	assert_int_equal(ini_load_text(&ini, "job", text, n_text, &problems), 0);
	assert_int_equal(problems.n_items, 0);
	assert_int_equal(config_read_board(&ini, ret, &problems), 0);
	assert_int_equal(problems.n_items, 0);
}

static void a_written_board_is_read_as_the_same(void **state)
{
	struct config config CLEANUP(config_done) = {0};
	struct board once CLEANUP(board_done) = {0};
	struct board twice CLEANUP(board_done) = {0};

	(void)state;
	load(everything, &config);
	write_and_read(&config.boards[0], &once);
	assert_everything(&once);
	config_done(&config);
	write_and_read(&once, &twice);
	assert_everything(&twice);
}

static void a_written_board_may_have_long_lists(void **state)
{
	struct config config CLEANUP(config_done) = {0};
	struct board read CLEANUP(board_done) = {0};
	char text[8192];
	size_t n = (size_t)snprintf(text, sizeof(text), "%skeep =", GOOD);

	(void)state;
	for (unsigned i = 0; i < 300; i++)
		n += (size_t)snprintf(
			text + n, sizeof(text) - n, "\n  0x%08X+%u", 0x08000000 + i * 64, i + 1);
	snprintf(text + n, sizeof(text) - n, "\n");
	load(text, &config);
	write_and_read(&config.boards[0], &read);
	assert_int_equal(read.keep.n_items, 300);
	assert_memory_equal(
		read.keep.items, config.boards[0].keep.items, 300 * sizeof(read.keep.items[0]));
}

/* A worker is handed the rule alone, without the places of its slots. */
static void a_written_board_keeps_its_slots(void **state)
{
	struct config config CLEANUP(config_done) = {0};
	struct board read CLEANUP(board_done) = {0};

	(void)state;
	load(GOOD "slot=A1, A2\n[slot A1]\npath=usb-1\n[slot A2]\npath=usb-2\n", &config);
	write_and_read(&config.boards[0], &read);
	assert_int_equal(read.n_slot, 2);
	assert_string_equal(read.slot[1], "A2");
}

static void a_worker_wants_exactly_one_board(void **state)
{
	static const struct {
		const char *text;
		const char *problems;
	} rows[] = {
		{"[job]\n", "there is no [board NAME]\n"},
		{GOOD "[board b]\nchip=1\nimage=b\n", "job:4: [board b] expected one board only\n"},
		{"[board a]\nchip=0x410\nimage=a\nbaud=1\n",
			"job:4: [board a] baud: expected a list of speeds from 1200 to 3000000, "
			"like 115200, 57600, got '1'\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ini ini CLEANUP(ini_done) = {0};
		struct ini_problems problems CLEANUP(ini_problems_done) = {0};
		struct board board = {.retries = 77};
		char *refused CLEANUP(freep) = NULL;

		ini_load_text(&ini, "job", rows[i].text, strlen(rows[i].text), &problems);
		assert_int_equal(config_read_board(&ini, &board, &problems), OUTCOME_BAD_CONFIG);
		refused = dump_problems(&problems, folder);
		assert_string_equal(refused, rows[i].problems);
		assert_int_equal(board.retries, 77);
	}
}

static void no_configuration_is_a_mistake(void **state)
{
	struct config config = {.n_boards = 77};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};
	char *refused CLEANUP(freep) = NULL;

	(void)state;
	make_directory("empty");
	assert_int_equal(config_load(in_folder("empty"), &config, &problems), OUTCOME_BAD_CONFIG);
	assert_int_equal(config_load(in_folder("missing"), &config, &problems), OUTCOME_BAD_CONFIG);
	refused = dump_problems(&problems, folder);
	assert_string_equal(refused,
		"/empty/plugflash.conf: cannot be read: No such file or directory\n"
		"/missing: the configuration directory cannot be opened: No such file or "
		"directory: installing plugflash creates it, --config names another\n");
	assert_int_equal(config.n_boards, 77);
}

static void what_cannot_be_read_is_an_error_with_a_problem(void **state)
{
	struct config config = {.n_boards = 77};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};
	char *refused CLEANUP(freep) = NULL;

	(void)state;
	make_directory("loop");
	assert_int_equal(symlink("plugflash.conf", in_folder("loop/plugflash.conf")), 0);
	make_directory("loop/boards.d");
	put_text("loop/boards.d/10.conf", "x=1\n");
	assert_int_equal(config_load(in_folder("loop"), &config, &problems), -ELOOP);
	refused = dump_problems(&problems, folder);
	assert_string_equal(refused,
		"/loop/plugflash.conf: cannot be read: Too many levels of symbolic links\n"
		"/loop/boards.d/10.conf:1: an entry before the first [heading]\n");
	assert_int_equal(config.n_boards, 77);
}

static void fault_51_a_file_that_is_gone_refuses_the_whole(void **state)
{
	struct config config = {.n_boards = 77};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};
	char *refused CLEANUP(freep) = NULL;

	(void)state;
	make_directory("half");
	make_directory("half/boards.d");
	put_text("half/plugflash.conf", "[service]\n");
	put_text("half/boards.d/10.conf", GOOD);
	assert_int_equal(symlink("gone", in_folder("half/boards.d/20.conf")), 0);
	assert_int_equal(config_load(in_folder("half"), &config, &problems), -ENOENT);
	refused = dump_problems(&problems, folder);
	assert_string_equal(
		refused, "/half/boards.d/20.conf: cannot be read: No such file or directory\n");
	assert_int_equal(config.n_boards, 77);
}

static void put_version(const char *directory, const char *version)
{
	char name[64];
	char text[128];

	make_directory(directory);
	snprintf(name, sizeof(name), "%s/boards.d", directory);
	make_directory(name);
	snprintf(name, sizeof(name), "%s/plugflash.conf", directory);
	snprintf(text, sizeof(text), "[service]\nimage-dir=/%s\n", version);
	put_text(name, text);
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s/boards.d/%d.conf", directory, i);
		snprintf(text, sizeof(text), "[board b%d]\nchip=1\nimage=%s\n", i, version);
		put_text(name, text);
	}
}

/* Two whole configurations change places as fast as they can, while one is read again and again. */
static void fault_51_a_directory_replaced_meanwhile_does_not_mix(void **state)
{
	const char *now;
	const char *then;
	size_t n_of[2] = {0, 0};
	pid_t child;
	int status;

	(void)state;
	put_version("now", "1");
	put_version("then", "2");
	now = in_folder("now");
	then = in_folder("then");
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (child == 0)
		if (renameat2(AT_FDCWD, now, AT_FDCWD, then, RENAME_EXCHANGE) < 0)
			_exit(1);
	for (size_t round = 0; round < 2000 || n_of[0] == 0 || n_of[1] == 0; round++) {
		struct config config CLEANUP(config_done) = {0};
		struct ini_problems problems CLEANUP(ini_problems_done) = {0};

		assert_int_equal(config_load(now, &config, &problems), 0);
		assert_int_equal(config.n_boards, 3);
		for (size_t i = 0; i < 3; i++)
			assert_string_equal(config.boards[i].image, config.service.image_dir + 1);
		n_of[config.service.image_dir[1] == '2']++;
		assert_true(round < 200000);
	}
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
}

static void the_examples_are_good(void **state)
{
	struct chip_table chips CLEANUP(chip_table_done) = {0};
	struct ini ini CLEANUP(ini_done) = {0};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};
	char *refused CLEANUP(freep) = NULL;
	struct config config CLEANUP(config_done) = {0};
	size_t n_boards = 0, n_slots = 0;
	char *examples CLEANUP(freep) = realpath("config/examples", NULL);

	(void)state;
	assert_int_equal(ini_load_directory(&ini, "config/examples", &problems), 0);
	assert_int_equal(
		chip_table_load(chip_families, "config/chips.ini", NULL, &chips, &problems), 0);
	for (size_t i = 0; i < ini.n_sections; i++) {
		struct ini one = {&ini.sections[i], 1};
		struct board board CLEANUP(board_done) = {0};

		if (strcmp(one.sections->kind, "slot") == 0) {
			n_slots++;
			continue;
		}
		n_boards += config_read_board(&one, &board, &problems) == 0;
		for (size_t j = 0; j < board.n_chip; j++)
			assert_non_null(chip_table_find_for(&chips, &board, board.chip[j]));
	}
	refused = dump_problems(&problems, folder);
	assert_string_equal(refused, "");
	assert_int_equal(n_boards + n_slots, ini.n_sections);
	assert_true(n_boards >= 8);
	/* And all of them together, in the place where they are put to use. */
	put_configuration("", NULL);
	assert_int_equal(rmdir(in_folder("boards.d")), 0);
	assert_int_equal(symlink(examples, in_folder("boards.d")), 0);
	assert_int_equal(config_load(folder, &config, &problems), 0);
	assert_int_equal(config.n_boards, n_boards);
	assert_int_equal(config.n_slots, n_slots);
	assert_int_equal(
		config_check_chips(&config, "config/chips.ini", NULL, &problems, &problems), 0);
	assert_int_equal(problems.n_items, 0);
	assert_int_equal(unlink(in_folder("boards.d")), 0);
}

/* Takes the # off every setting of the default configuration; raw steps contradict the rest. */
static char *default_configuration(bool with_settings)
{
	FILE *from CLEANUP(fclosep) = fopen("config/plugflash.conf", "r");
	char *text = NULL;
	size_t n_text = 0;
	FILE *to = open_memstream(&text, &n_text);
	char line[400];

	assert_non_null(from);
	assert_non_null(to);
	while (fgets(line, sizeof(line), from)) {
		bool setting = line[0] == '#' && line[1] != ' ' && line[1] != '\n';
		bool raw = strncmp(line, "#enter", 6) == 0 || strncmp(line, "#leave", 6) == 0;

		fputs(line + (with_settings && setting && !raw), to);
	}
	assert_int_equal(fclose(to), 0);
	return text;
}

static void the_default_configuration_is_good(void **state)
{
	struct config config CLEANUP(config_done) = {0};
	char *text CLEANUP(freep) = default_configuration(false);

	(void)state;
	load(text, &config);
	assert_int_equal(config.n_boards, 0);
}

static void what_the_default_configuration_comments_out_is_good(void **state)
{
	struct config plain CLEANUP(config_done) = {0};
	struct config plain_esp CLEANUP(config_done) = {0};
	struct config plain_bsl CLEANUP(config_done) = {0};
	struct config config CLEANUP(config_done) = {0};
	char *text CLEANUP(freep) = default_configuration(true);
	const struct board *defaults;
	const struct board *board;

	(void)state;
	load(GOOD, &plain);
	load(text, &config);
	load(ESP, &plain_esp);
	load(BSL, &plain_bsl);
	assert_int_equal(config.n_boards, 6);
	defaults = &plain.boards[0];
	board = &config.boards[0];
	assert_string_equal(config.service.image_dir, plain.service.image_dir);
	assert_string_equal(config.service.trusted_keys, plain.service.trusted_keys);
	assert_int_equal(config.service.max_jobs, plain.service.max_jobs);
	assert_int_equal(config.service.settle_usec, plain.service.settle_usec);
	assert_int_equal(board->baud.n_items, defaults->baud.n_items);
	assert_int_equal(board->baud.items[0], defaults->baud.items[0]);
	assert_int_equal(board->entry, defaults->entry);
	assert_memory_equal(&board->wiring, &defaults->wiring, sizeof(board->wiring));
	assert_int_equal(board->check_vectors, defaults->check_vectors);
	assert_int_equal(board->update, defaults->update);
	assert_int_equal(board->readout_protection, defaults->readout_protection);
	assert_int_equal(board->start, defaults->start);
	assert_int_equal(board->verify, defaults->verify);
	assert_int_equal(board->retries, defaults->retries);
	assert_int_equal(board->retry_delay_usec, defaults->retry_delay_usec);
	assert_int_equal(board->confirm.within_usec, defaults->confirm.within_usec);
	assert_memory_equal(
		&board->confirm.line, &defaults->confirm.line, sizeof(struct board_line));
	board = &config.boards[1];
	assert_int_equal(board->entry, BOARD_ENTRY_COMMAND);
	assert_int_equal(board->application.wait_usec, defaults->application.wait_usec);
	assert_memory_equal(
		&board->application.line, &defaults->application.line, sizeof(struct board_line));
	board = &config.boards[2];
	assert_int_equal(board->protocol, BOARD_PROTOCOL_ESP);
	assert_string_equal(board->partition, "app0");
	assert_int_equal(board->otadata, plain_esp.boards[0].otadata);
	assert_int_equal(board->compress, plain_esp.boards[0].compress);
	assert_int_equal(board->verify, plain_esp.boards[0].verify);
	assert_memory_equal(&board->wiring, &plain_esp.boards[0].wiring, sizeof(struct wiring));
	board = &config.boards[3];
	assert_int_equal(board->protocol, BOARD_PROTOCOL_BSL);
	assert_int_equal(board->is_backdoor_high, plain_bsl.boards[0].is_backdoor_high);
	assert_int_equal(board->secondary_ieee, plain_bsl.boards[0].secondary_ieee);
	assert_int_equal(board->bank_erase, plain_bsl.boards[0].bank_erase);
	assert_int_equal(board->verify, plain_bsl.boards[0].verify);
	assert_memory_equal(&board->wiring, &plain_bsl.boards[0].wiring, sizeof(struct wiring));
	board = &config.boards[4];
	assert_int_equal(board->protocol, BOARD_PROTOCOL_YMODEM);
	assert_int_equal(board->menu.within_usec, defaults->menu.within_usec);
	assert_int_equal(board->transfer.erase_usec, defaults->transfer.erase_usec);
	assert_int_equal(board->transfer.answer_usec, defaults->transfer.answer_usec);
	assert_int_equal(board->transfer.closing_header, defaults->transfer.closing_header);
	assert_int_equal(board->verify, PROOF_CONFIRM);
	board = &config.boards[5];
	assert_int_equal(board->entry, BOARD_ENTRY_APPLICATION);
	assert_true(board->application.has_baud);
	assert_memory_equal(
		&board->application.line, &defaults->application.line, sizeof(struct board_line));
	assert_int_equal(board->confirm.line.baud, defaults->confirm.line.baud);
	assert_true(board->menu.start.n_items > 0);
}

/* What the keys of a rule may count on is what the procedure finds. */
static void every_protocol_is_what_its_word_says(void **state)
{
	static const enum board_protocol protocols[] = {BOARD_PROTOCOL_STM32, BOARD_PROTOCOL_ESP,
		BOARD_PROTOCOL_BSL, BOARD_PROTOCOL_YMODEM, BOARD_PROTOCOL_XMODEM};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		const struct protocol_word *word = protocol_word_of(protocols[i]);
		const struct loader_ops *ops = loader_of(protocols[i]);
		enum board_protocol parsed = BOARD_PROTOCOL_STM32;
		const char *expected = NULL;

		assert_string_equal(word->text, ops->name);
		assert_int_equal(word->takes_file, ops->send != NULL);
		assert_int_equal(word->takes_file, ops->identify == NULL);
		assert_int_equal(word->sends_back, ops->upload != NULL);
		assert_int_equal(word->most == PROOF_READ_BACK, ops->read != NULL);
		assert_int_equal(word->most == PROOF_UPLOAD, ops->upload != NULL);
		assert_true(word->least != PROOF_DIGEST || ops->digest);
		assert_int_equal(word->least < PROOF_DIGEST, word->takes_file);
		assert_true(word->least <= word->usual && word->usual <= word->most);
		assert_non_null(strstr(word->verify_words, proof_to_string(word->most)));
		assert_non_null(strstr(word->verify_words, proof_to_string(word->least)));
		assert_int_equal(parse_protocol(word->text, &parsed, &expected), 0);
		assert_int_equal(parsed, protocols[i]);
		assert_non_null(strstr(expected, word->text));
	}
}

int main(void)
{
	struct CMUnitTest tests[96];
	size_t n_tests = 0;

	ADD_TEST(tests, n_tests, defaults_are_those_of_the_design);
	ADD_TEST(tests, n_tests, every_key_reaches_its_field);
	ADD_TEST(tests, n_tests, a_faster_way_has_three_words);
	ADD_TEST(tests, n_tests, a_written_board_is_read_as_the_same);
	ADD_TEST(tests, n_tests, a_written_board_may_have_long_lists);
	ADD_TEST(tests, n_tests, a_written_board_keeps_its_slots);
	ADD_TEST(tests, n_tests, slots_have_names_and_places);
	ADD_TEST(tests, n_tests, a_worker_wants_exactly_one_board);
	ADD_TEST(tests, n_tests, no_configuration_is_a_mistake);
	ADD_TEST(tests, n_tests, what_cannot_be_read_is_an_error_with_a_problem);
	ADD_TEST(tests, n_tests, fault_51_a_file_that_is_gone_refuses_the_whole);
	ADD_TEST(tests, n_tests, fault_51_a_directory_replaced_meanwhile_does_not_mix);
	ADD_TEST(tests, n_tests, every_protocol_is_what_its_word_says);
	ADD_TEST(tests, n_tests, the_examples_are_good);
	ADD_TEST(tests, n_tests, the_default_configuration_is_good);
	ADD_TEST(tests, n_tests, what_the_default_configuration_comments_out_is_good);
	return _cmocka_run_group_tests("config", tests, n_tests, folder_make, folder_remove);
}
