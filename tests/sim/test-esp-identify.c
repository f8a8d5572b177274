/* SPDX-License-Identifier: MIT */
/*
 * test-esp-identify.c - who is there, before anything is erased: chip, revision, unit, fuses and
 * flash of each ESP, and every reason for which one is left alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "chip/family.h"
#include "loader/esp-identify.h"
#include "loader/esp-spi.h"
#include "sim/port-sim.h"
#include "sim/shipped.h"
#include "unit/rows.h"

#define PORT  "/dev/ttyUSB0"
#define MIB   (1024 * 1024)
#define EVERY UINT32_MAX /* a command that fails each time */

/* A board in its boot loader, with a table of this chip alone, which a test may change. */
struct desk {
	struct sim *sim;
	struct port *port;
	struct chip_table table;
	struct chip chip;
	struct esp_row row;
	struct board board;
	struct loader loader;
	struct esp_link link;
	struct chip_identity identity;
};

/* Both lines at once, and the boot pin low for long enough behind the reset. */
static void enter(struct desk *desk)
{
	static const struct {
		unsigned lines;
		uint64_t msec;
	} steps[] = {{0, 0}, {LINE_RTS, 100}, {LINE_DTR, 50}, {0, 300}};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		assert_int_equal(
			port_set_lines(desk->port, LINE_DTR | LINE_RTS, steps[i].lines), 0);
		assert_int_equal(port_wait(desk->port, steps[i].msec * USEC_PER_MSEC), 0);
	}
}

static void desk_begin(struct desk *desk, const char *name, const struct sim_esp *made,
	const struct sim_faults *faults)
{
	struct sim_options options = {.chip = sim_chip_find(name), .circuit = SIM_CIRCUIT_ESP};
	struct reason reason = {""};
	const struct chip *chip;

	assert_non_null(options.chip);
	if (made)
		options.esp = *made;
	if (faults)
		options.faults = *faults;
	*desk = (struct desk){.sim = sim_new(&options), .board = {.verify = PROOF_DIGEST}};
	port_sim_attach(PORT, desk->sim, NULL);
	assert_int_equal(port_open(PORT, 0, 0, &desk->port, &reason), 0);
	assert_int_equal(port_configure(desk->port, 115200, PORT_PARITY_NONE, &reason), 0);
	chip = chip_table_find_named(shipped_chips(), "esp", name);
	assert_non_null(chip);
	desk->chip = *chip;
	desk->row = *esp_row(chip);
	desk->chip.own = &desk->row;
	desk->table = (struct chip_table){&desk->chip, 1};
	desk->loader =
		(struct loader){.port = desk->port, .board = &desk->board, .chips = &desk->table};
	desk->link = (struct esp_link){.port = desk->port};
	enter(desk);
}

static void desk_end(struct desk *desk)
{
	port_close(desk->port);
	port_sim_detach_all();
	sim_free(desk->sim);
}

static int desk_identify(struct desk *desk)
{
	int r = esp_sync(&desk->link);

	return r == 0 ? esp_identify(&desk->link, &desk->loader, &desk->identity) : r;
}

/* How often a command was sent, whatever became of it; `ret_data` is behind the header of the last.
 */
static unsigned count_sent(uint8_t opcode, size_t *ret_data)
{
	const struct port_sim_record *record = port_sim_record(PORT);
	unsigned n = 0;

	for (size_t i = 0; i + 2 < record->n_sent; i++) {
		if (record->sent[i].byte != 0xC0 || record->sent[i + 1].byte != 0x00 ||
			record->sent[i + 2].byte != opcode)
			continue;
		n++;
		if (ret_data)
			*ret_data = i + 9;
	}
	return n;
}

static void assert_nothing_erased(void)
{
	assert_int_equal(count_sent(ESP_FLASH_BEGIN, NULL), 0);
	assert_int_equal(count_sent(ESP_FLASH_DEFL_BEGIN, NULL), 0);
}

/* ------------------------------------------------------------------ which chip, and whose */

static const struct chip_case {
	const char *name, *chip;
	uint32_t id, revision;
	bool has_revision, proves_nothing;
} chip_cases[] = {
	{"ESP32, by its magic", "esp32", 0, 301, true, false},
	{"ESP32-S2, by its magic behind a short info", "esp32s2", 2, 100, true, false},
	{"ESP32-S3", "esp32s3", 9, 2, true, false},
	{"ESP32-C2", "esp32c2", 12, 101, true, false},
	{"ESP32-C3", "esp32c3", 5, 4, true, false},
	{"ESP32-C6", "esp32c6", 13, 1, true, false},
	{"ESP32-H2", "esp32h2", 16, 2, true, false},
	{"ESP8266", "esp8266", 0x8266, 0, false, true},
};

static void a_chip_says_what_it_is(void **state)
{
	static const struct sim_esp board = {.mac = {0x24, 0x0A, 0xC4, 0x01, 0xFE, 0x80}};
	const struct chip_case *row = *state;
	struct desk desk;

	desk_begin(&desk, row->chip, &board, NULL);
	assert_int_equal(desk_identify(&desk), 0);
	assert_int_equal(desk.identity.product_id, row->id);
	assert_ptr_equal(desk.identity.chip, &desk.chip);
	assert_int_equal(desk.identity.has_revision, row->has_revision);
	assert_int_equal(desk.identity.revision, row->revision);
	assert_string_equal(desk.identity.unique_id, "240ac401fe80");
	assert_int_equal(desk.identity.has_security, !row->proves_nothing);
	assert_int_equal(desk.identity.security, 0);
	assert_false(desk.identity.is_protected);
	assert_string_equal(desk.identity.refusal, "");
	assert_int_equal(desk.identity.proves_nothing, row->proves_nothing);
	assert_int_equal(desk.identity.flash_bytes, row->proves_nothing ? 0 : 4 * MIB);
	if (!row->proves_nothing) {
		assert_true(sim_esp(desk.sim)->is_attached);
		assert_int_equal(sim_esp(desk.sim)->flash_bytes, 4 * MIB);
	}
	assert_nothing_erased();
	desk_end(&desk);
}

static void the_revision_is_read_of_each(void **state)
{
	static const struct {
		const char *chip;
		uint32_t revisions[6];
	} rows[] = {
		{"esp32", {1, 100, 200, 300, 301, 303}},
		{"esp32s2", {100, 101, 107, 200, 300, 115}},
		{"esp32s3", {1, 2, 100, 107, 115, 315}},
		{"esp32c3", {3, 4, 100, 101, 115, 301}},
		{"esp32c2", {100, 101, 102, 200, 300, 315}},
		{"esp32c6", {1, 2, 100, 101, 215, 315}},
		{"esp32h2", {1, 2, 7, 100, 102, 307}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t k = 0; k < ARRAY_SIZE(rows[i].revisions); k++) {
			const struct sim_esp board = {.revision = rows[i].revisions[k]};
			struct desk desk;

			desk_begin(&desk, rows[i].chip, &board, NULL);
			assert_int_equal(desk_identify(&desk), 0);
			assert_int_equal(desk.identity.revision, rows[i].revisions[k]);
			desk_end(&desk);
		}
}

/* A new silicon has another magic, and the id of its kind. */
static void an_id_is_enough_without_the_magic(void **state)
{
	struct desk desk;

	(void)state;
	desk_begin(&desk, "esp32c3", NULL, NULL);
	desk.row.n_magics = 0;
	assert_int_equal(desk_identify(&desk), 0);
	assert_int_equal(desk.identity.product_id, 5);
	desk_end(&desk);
}

/* Where the ROM's info is of no use, all is known by registers. */
static void the_magic_is_enough_without_the_info(void **state)
{
	static const char *const chips[] = {"esp32s2", "esp32s3", "esp32c3", "esp32h2"};
	static const struct sim_faults faults = {
		.esp = {.fail_code = ESP_GET_SECURITY_INFO, .fail_nth = EVERY, .fail_error = 5}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		struct desk desk;

		desk_begin(&desk, chips[i], NULL, &faults);
		assert_int_equal(desk_identify(&desk), 0);
		assert_ptr_equal(desk.identity.chip, &desk.chip);
		assert_true(desk.identity.has_security);
		assert_string_equal(desk.identity.refusal, "");
		desk_end(&desk);
	}
}

static void an_unknown_chip_is_named_by_what_it_says(void **state)
{
	static const struct {
		const char *chip;
		uint32_t id;
	} rows[] = {{"esp32c6", 13}, {"esp32", 0x00F01D83}, {"esp8266", 0xFFF0C101}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct desk desk;

		desk_begin(&desk, rows[i].chip, NULL, NULL);
		desk.chip.product_id = 99;
		desk.row.n_magics = 0;
		assert_int_equal(desk_identify(&desk), LOADER_UNKNOWN_CHIP);
		assert_int_equal(desk.identity.product_id, rows[i].id);
		assert_null(desk.identity.chip);
		assert_nothing_erased();
		desk_end(&desk);
	}
}

/* The id of an ESP32 is 0, and so is that of nobody. */
static void details_are_told_word_for_word(void **state)
{
	struct desk desk;

	(void)state;
	desk_begin(&desk, "esp32", NULL, NULL);
	assert_int_equal(desk_identify(&desk), 0);
	assert_non_null(strstr(desk.identity.details, "status 4; magic 0x00f01d83; 0x3ff5a004 "));
	assert_non_null(strstr(desk.identity.details, "0x3ff5a000 0x00000000"));
	assert_non_null(strstr(desk.identity.details, "flash-id 0x16"));
	desk_end(&desk);
	desk_begin(&desk, "esp32c3", NULL, NULL);
	assert_int_equal(desk_identify(&desk), 0);
	assert_non_null(strstr(
		desk.identity.details, "security-info 0000000000000000000000000500000000000000"));
	desk_end(&desk);
}

/* ------------------------------------------------------------------ the ESP8266 */

/* Its ROM attaches the flash in the command that erases: only where it may be written at all. */
static void the_flash_of_an_esp8266_is_asked_where_a_rule_takes_it(void **state)
{
	const struct port_sim_record *record;
	struct desk desk;
	size_t data = 0;

	(void)state;
	desk_begin(&desk, "esp8266", NULL, NULL);
	desk.board.verify = PROOF_LOADER;
	memset(sim_flash(desk.sim), 0x00, sim_flash_size(desk.sim));
	assert_int_equal(desk_identify(&desk), 0);
	assert_int_equal(desk.identity.flash_bytes, 4 * MIB);
	assert_int_equal(count_sent(ESP_FLASH_BEGIN, &data), 1);
	record = port_sim_record(PORT);
	for (size_t i = 0; i < 16; i++)
		assert_int_equal(record->sent[data + i].byte, 0);
	assert_int_equal(sim_counters(desk.sim)->pages_erased, 0);
	desk_end(&desk);
}

/* ------------------------------------------------------------------ fuses */

enum by { BY_BOTH, BY_FLAGS, BY_FUSES };

static const struct fuse_case {
	const char *name, *chip;
	enum by by;
	struct sim_esp board;
	unsigned security;
	const char *refusal; /* a part of it; NULL: there is none */
} fuse_cases[] = {
	{"ESP32, encryption", "esp32", BY_BOTH, {.crypt_count = 1}, IDENTITY_ENCRYPTED,
		"ESP32 switch on flash encryption for good"},
	{"ESP32, encryption in its last state", "esp32", BY_BOTH, {.crypt_count = 0x7F},
		IDENTITY_ENCRYPTED, "ciphertext"},
	{"ESP32, encryption switched off again", "esp32", BY_BOTH, {.crypt_count = 3}, 0, NULL},
	{"ESP32, secure boot v1", "esp32", BY_BOTH, {.secure_boot = 1}, IDENTITY_SECURE_BOOT,
		"ESP32 switch on secure boot for good"},
	{"ESP32, secure boot v2", "esp32", BY_BOTH, {.secure_boot = 2, .revision = 300},
		IDENTITY_SECURE_BOOT, "secure boot"},
	{"ESP32 before 3.0, whose bit of v2 means nothing", "esp32", BY_BOTH,
		{.secure_boot = 2, .revision = 100}, 0, NULL},
	{"ESP32, both", "esp32", BY_BOTH, {.secure_boot = 2, .revision = 301, .crypt_count = 7},
		IDENTITY_SECURE_BOOT | IDENTITY_ENCRYPTED,
		"switch on flash encryption and secure boot for good"},
	{"ESP32-S2, encryption", "esp32s2", BY_BOTH, {.crypt_count = 1}, IDENTITY_ENCRYPTED,
		"flash encryption"},
	{"ESP32-S2, secure boot by flags", "esp32s2", BY_FLAGS, {.secure_boot = 2},
		IDENTITY_SECURE_BOOT, "secure boot"},
	{"ESP32-S2, secure boot by fuses", "esp32s2", BY_FUSES, {.secure_boot = 2},
		IDENTITY_SECURE_BOOT, "secure boot"},
	{"ESP32-S2, secure download mode", "esp32s2", BY_BOTH, {.secure_download = true},
		IDENTITY_SECURE_DOWNLOAD, "secure download mode"},
	{"ESP32-S2, secure download mode by its registers alone", "esp32s2", BY_FUSES,
		{.secure_download = true}, IDENTITY_SECURE_DOWNLOAD, "secure download mode"},
	{"ESP32-C3, encryption by flags", "esp32c3", BY_FLAGS, {.crypt_count = 7},
		IDENTITY_ENCRYPTED, "flash encryption"},
	{"ESP32-C3, encryption by fuses", "esp32c3", BY_FUSES, {.crypt_count = 7},
		IDENTITY_ENCRYPTED, "flash encryption"},
	{"ESP32-C3, encryption switched off again", "esp32c3", BY_BOTH, {.crypt_count = 3}, 0,
		NULL},
	{"ESP32-C3, secure boot by flags", "esp32c3", BY_FLAGS, {.secure_boot = 2},
		IDENTITY_SECURE_BOOT, "secure boot"},
	{"ESP32-C3, secure boot by fuses", "esp32c3", BY_FUSES, {.secure_boot = 2},
		IDENTITY_SECURE_BOOT, "secure boot"},
	{"ESP32-C3, all of it", "esp32c3", BY_BOTH,
		{.secure_download = true, .secure_boot = 2, .crypt_count = 1},
		IDENTITY_SECURE_DOWNLOAD | IDENTITY_SECURE_BOOT | IDENTITY_ENCRYPTED,
		"secure download mode, flash encryption and secure boot for good: its boot loader shows nothing"},
	{"ESP32-C2, secure boot", "esp32c2", BY_FUSES, {.secure_boot = 2}, IDENTITY_SECURE_BOOT,
		"secure boot"},
	{"ESP32-C2, encryption", "esp32c2", BY_FUSES, {.crypt_count = 4}, IDENTITY_ENCRYPTED,
		"flash encryption"},
	{"ESP32-S3, encryption", "esp32s3", BY_FUSES, {.crypt_count = 2}, IDENTITY_ENCRYPTED,
		"flash encryption"},
	{"ESP32-C6, secure boot", "esp32c6", BY_FUSES, {.secure_boot = 2}, IDENTITY_SECURE_BOOT,
		"secure boot"},
	{"ESP32-H2, secure download mode", "esp32h2", BY_BOTH, {.secure_download = true},
		IDENTITY_SECURE_DOWNLOAD, "secure download mode"},
};

static void fuses_are_seen_and_refused_by_name(void **state)
{
	const struct fuse_case *row = *state;
	struct sim_faults faults = {.seed = 1};
	struct desk desk;

	if (row->by == BY_FUSES)
		faults.esp = (struct sim_esp_faults){
			.fail_code = ESP_GET_SECURITY_INFO, .fail_nth = EVERY, .fail_error = 5};
	desk_begin(&desk, row->chip, &row->board, &faults);
	if (row->by == BY_FLAGS) {
		desk.row.crypt_count.count = 0;
		memset(desk.row.secure_boot, 0, sizeof(desk.row.secure_boot));
	}
	assert_int_equal(desk_identify(&desk), 0);
	assert_ptr_equal(desk.identity.chip, &desk.chip);
	assert_true(desk.identity.has_security);
	assert_int_equal(desk.identity.security, row->security);
	assert_int_equal(desk.identity.is_protected, row->security != 0);
	assert_nothing_erased();
	if (row->refusal) {
		if (!strstr(desk.identity.refusal, row->refusal))
			fail_msg("%s", desk.identity.refusal);
		assert_int_equal(desk.identity.refusal_outcome, OUTCOME_PROTECTED);
	} else {
		assert_string_equal(desk.identity.refusal, "");
	}
	/* Nothing of it can be read then, and its flash is left alone. */
	if (row->security & IDENTITY_SECURE_DOWNLOAD) {
		assert_string_equal(desk.identity.unique_id, "");
		assert_false(desk.identity.has_revision);
		assert_int_equal(count_sent(ESP_SPI_ATTACH, NULL), 0);
	}
	desk_end(&desk);
}

/* ------------------------------------------------------------------ the flash */

static const struct flash_case {
	const char *name;
	uint32_t id;
	uint32_t bytes; /* 0: it is refused */
	const char *refusal;
} flash_cases[] = {
	{"all zeros", 0x000000, 0, "does not answer (its id reads 0x000000)"},
	{"all ones", 0xFFFFFF, 0, "does not answer (its id reads 0xffffff)"},
	{"ones behind the first byte", 0xFFFF3F, 0, "does not answer"},
	{"zeros behind the first byte", 0x0000EF, 0, "does not answer"},
	{"no maker", 0x164000, 0, "does not answer"},
	{"maker of ones", 0x1640FF, 0, "does not answer"},
	{"a size of 64 KiB", 0x1030EF, 0, "says the id 0x1030ef, which names no size"},
	{"a size of 128 KiB", 0x1130EF, 0, "names no size"},
	{"a size that nobody has", 0x2F40EF, 0, "names no size"},
	{"an unknown maker without a size", 0x004242, 0, "names no size"},
	{"Adesto below its series", 0x00031F, 0, "names no size"},
	{"Adesto above its series", 0x000A1F, 0, "names no size"},
	{"256 KiB", 0x1230EF, 256 * 1024, NULL},
	{"1 MiB", 0x1440EF, 1 * MIB, NULL},
	{"4 MiB of GigaDevice", 0x1640C8, 4 * MIB, NULL},
	{"4 MiB of a maker that nobody knows", 0x164042, 4 * MIB, NULL},
	{"4 MiB of the other series", 0x3640C2, 4 * MIB, NULL},
	{"4 MiB of Adesto", 0x01471F, 4 * MIB, NULL},
	{"16 MiB", 0x1840EF, 16 * MIB, NULL},
	{"32 MiB, of which the ROM reaches 16", 0x1940EF, 16 * MIB, NULL},
	{"64 MiB, by the series of Macronix", 0x2040C2, 16 * MIB, NULL},
};

static void a_flash_is_taken_by_its_id_or_refused(void **state)
{
	static const char *const chips[] = {"esp32", "esp32s2", "esp32c3", "esp32c6"};
	const struct flash_case *row = *state;

	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		const struct sim_faults faults = {.esp = {.rdid = SIM_ESP_RDID(row->id)}};
		struct desk desk;

		desk_begin(&desk, chips[i], NULL, &faults);
		assert_int_equal(desk_identify(&desk), 0);
		assert_int_equal(desk.identity.flash_bytes, row->bytes);
		if (row->bytes == 0) {
			if (!strstr(desk.identity.refusal, row->refusal))
				fail_msg("%s", desk.identity.refusal);
			assert_int_equal(desk.identity.refusal_outcome, OUTCOME_FAILED);
			assert_false(desk.identity.is_protected);
			assert_int_equal(count_sent(ESP_SPI_SET_PARAMS, NULL), 0);
		} else {
			assert_string_equal(desk.identity.refusal, "");
			assert_int_equal(sim_esp(desk.sim)->flash_bytes, row->bytes);
		}
		assert_nothing_erased();
		desk_end(&desk);
	}
}

/* Only the ESP32 has the pin that gives its flash too little. */
static void the_hint_at_the_supply_is_that_of_the_chip(void **state)
{
	static const struct sim_faults faults = {.esp = {.rdid = SIM_ESP_RDID(0xFFFFFF)}};
	static const char *const chips[] = {"esp32", "esp32c3"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		struct desk desk;

		desk_begin(&desk, chips[i], NULL, &faults);
		assert_int_equal(desk_identify(&desk), 0);
		assert_int_equal(strstr(desk.identity.refusal, "GPIO12") != NULL, i == 0);
		desk_end(&desk);
	}
}

static void the_controller_is_waited_for_and_not_for_ever(void **state)
{
	static const struct {
		unsigned busy;
		const char *refusal;
	} rows[] = {
		{0, NULL}, {9, NULL}, {10, "cannot ask its flash"}, {999, "cannot ask its flash"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sim_esp board = {.spi_busy = rows[i].busy};
		struct desk desk;

		desk_begin(&desk, "esp32", &board, NULL);
		assert_int_equal(desk_identify(&desk), 0);
		if (rows[i].refusal)
			assert_non_null(strstr(desk.identity.refusal, rows[i].refusal));
		else
			assert_string_equal(desk.identity.refusal, "");
		desk_end(&desk);
	}
}

static void what_the_rom_refuses_is_told_in_its_words(void **state)
{
	static const struct {
		int code;
		uint8_t error;
		const char *refusal;
	} rows[] = {
		{ESP_SPI_ATTACH, 6, "cannot attach its flash: the command failed (0x06)"},
		{ESP_SPI_SET_PARAMS, 1,
			"does not take the size of its flash, 4096 KiB: a parameter is wrong (0x01)"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sim_faults faults = {.esp = {.fail_code = rows[i].code,
							  .fail_nth = EVERY,
							  .fail_error = rows[i].error}};
		struct desk desk;

		desk_begin(&desk, "esp32s3", NULL, &faults);
		assert_int_equal(desk_identify(&desk), 0);
		if (!strstr(desk.identity.refusal, rows[i].refusal))
			fail_msg("%s", desk.identity.refusal);
		assert_int_equal(desk.identity.refusal_outcome, OUTCOME_FAILED);
		assert_nothing_erased();
		desk_end(&desk);
	}
}

/* ------------------------------------------------------------------ a bad line */

static bool is_same(const struct chip_identity *a, const struct chip_identity *b)
{
	return a->product_id == b->product_id && a->revision == b->revision &&
	       a->security == b->security && a->flash_bytes == b->flash_bytes &&
	       strcmp(a->unique_id, b->unique_id) == 0 && strcmp(a->refusal, b->refusal) == 0;
}

/*
 * A bit of the n-th byte is bent, on the way to the chip or from it, or the byte is lost: the chip
 * is what it is, or nobody says what it is; it is never another one, never without its fuses, and
 * its flash never larger. What a retry would do is not asked here.
 */
static void a_bent_byte_makes_no_other_chip(const char *name, const struct sim_esp *made)
{
	struct chip_identity truth;
	unsigned n_known = 0;
	struct desk desk;

	desk_begin(&desk, name, made, NULL);
	assert_int_equal(desk_identify(&desk), 0);
	truth = desk.identity;
	desk_end(&desk);
	for (uint64_t n = 1; n < 1500; n++) {
		struct sim_faults faults = {.seed = (unsigned)n};
		int r;

		if (n % 3 == 0)
			faults.flip_sent = n;
		else if (n % 3 == 1)
			faults.drop_sent = n;
		else
			faults.flip_received = n;
		desk_begin(&desk, name, made, &faults);
		r = desk_identify(&desk);
		assert_int_equal(sim_counters(desk.sim)->pages_erased, 0);
		if (r == 0 && !is_same(&desk.identity, &truth) && !*desk.identity.refusal)
			fail_msg("byte %u: %s", (unsigned)n, desk.identity.details);
		n_known += r == 0 && !*desk.identity.refusal;
		desk_end(&desk);
	}
	assert_true(*truth.refusal ? n_known == 0 : n_known > 0);
}

static void a_bent_byte_makes_no_other_chip_of_an_esp32(void **state)
{
	static const struct sim_esp board = {.mac = {0x24, 0x0A, 0xC4, 0x01, 0xFE, 0x80}};

	(void)state;
	a_bent_byte_makes_no_other_chip("esp32", &board);
}

static void a_bent_byte_hides_no_fuse(void **state)
{
	static const struct sim_esp board = {
		.secure_boot = 2, .mac = {0x24, 0x0A, 0xC4, 0x01, 0xFE, 0x80}};

	(void)state;
	a_bent_byte_makes_no_other_chip("esp32c3", &board);
}

int main(void)
{
	static struct CMUnitTest tests[ARRAY_SIZE(chip_cases) + ARRAY_SIZE(fuse_cases) +
				       ARRAY_SIZE(flash_cases) + 16];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, chip_cases, a_chip_says_what_it_is);
	ADD_TEST(tests, n_tests, the_revision_is_read_of_each);
	ADD_TEST(tests, n_tests, an_id_is_enough_without_the_magic);
	ADD_TEST(tests, n_tests, the_magic_is_enough_without_the_info);
	ADD_TEST(tests, n_tests, an_unknown_chip_is_named_by_what_it_says);
	ADD_TEST(tests, n_tests, details_are_told_word_for_word);
	ADD_TEST(tests, n_tests, the_flash_of_an_esp8266_is_asked_where_a_rule_takes_it);
	ADD_ROWS(tests, n_tests, fuse_cases, fuses_are_seen_and_refused_by_name);
	ADD_ROWS(tests, n_tests, flash_cases, a_flash_is_taken_by_its_id_or_refused);
	ADD_TEST(tests, n_tests, the_hint_at_the_supply_is_that_of_the_chip);
	ADD_TEST(tests, n_tests, the_controller_is_waited_for_and_not_for_ever);
	ADD_TEST(tests, n_tests, what_the_rom_refuses_is_told_in_its_words);
	ADD_TEST(tests, n_tests, a_bent_byte_makes_no_other_chip_of_an_esp32);
	ADD_TEST(tests, n_tests, a_bent_byte_hides_no_fuse);
	return RUN_TESTS("esp-identify", tests, n_tests);
}
