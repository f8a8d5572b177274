/* SPDX-License-Identifier: MIT */
/*
 * sim.h - a simulated board: an STM32, an Espressif chip (esp.h) or one of TI (ti.h) with its boot
 * ROM behind the DTR/RTS circuit of a bridge.
 *
 * Sans-I/O: bytes in, bytes out, time as an argument (nanoseconds on a clock of the caller's that
 * never goes back). It follows AN3155, AN2606, the data sheets and what is known of the ROM (F1
 * V2.2 by its disassembly), never our client: where the two differ, the client is wrong until the
 * document says otherwise. Front ends put it behind port.h (in process, virtual time) or behind a
 * tty (the bed).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/core-knobs.h"
#include "sim/esp.h"
#include "sim/spoken-knobs.h"
#include "sim/stub-knobs.h"
#include "sim/ti.h"

#define SIM_NEVER UINT64_MAX

/* The chip: a row of data, see sim-chips.c. */
struct sim_chip {
	const char *name; /* "f103xc", "f103c8", "f405", ... */
	uint16_t product_id;
	uint8_t version; /* 0x22, 0x31 */
	bool extended_erase;
	bool silent_bad_address; /* before V3.1: ACK, then no second NACK (stm32-rom.md 8) */
	bool deaf_to_failures; /* F1: a block that could not be programmed is ACKed all the same */
	bool double_nack_protected; /* two NACKs under read-out protection (stm32-rom.md 9) */
	bool two_acks_on_sync;
	bool voltage_range; /* virtual address 0xFFFF0000 */
	bool no_mass_erase;
	bool dual_bank;		    /* bank 1 and bank 2 can be erased alone */
	bool has_no_protection;	    /* none of the read-out commands (H5, AN3155 3.1) */
	bool has_special;	    /* Special, with sub-command 0x0082 (AN2606 table 218) */
	bool has_checksum;	    /* Get Checksum, V3.3 */
	bool unique_id_whole_block; /* reads inside the id's 256 bytes must begin at their start */
	bool unique_id_split;	    /* third word at +0x14 (L1) */
	uint8_t bootloader_id;	    /* at that address (AN2606 table 3); address 0: none */
	uint32_t bootloader_id_at;
	/* Known limitations (an2606-limitations.md 1): */
	bool loses_word_after_read;  /* the first unit of a Write Memory behind a Read Memory */
	bool erases_first_only;	     /* of a list of pages */
	bool erases_first_of_bank_2; /* of those of a list that are in the second bank; NACK */
	bool erases_early;	     /* ACK before the page is erased; what touches it hangs */
	bool erases_early_in_bank_2;
	bool clears_empty_flag; /* at its start */
	bool has_no_id;		/* no Get ID among its commands: none of ST's */
	uint8_t erased_value;	/* 0xFF, but 0x00 on L0 and L1 */
	uint32_t flash_base, flash_size;
	uint32_t ram_start, ram_size; /* the window the ROM lets be used */
	uint32_t system_memory, system_memory_size;
	uint32_t option_bytes, option_bytes_size;
	uint32_t option_zeros; /* bits of the first option word that are 0; not with a key */
	struct {
		uint32_t offset, value;
	} option_words[2];  /* others that are not all ones; value 0 ends */
	uint8_t option_key; /* first option byte of an unprotected F1 or F0; 0: other layouts */
	/* Bytes of an option value with its complement behind it, where the chip takes them: 2 (F4)
	 * or 4 (G0); 0: as with a key, or written bytes do nothing. */
	unsigned option_unit;
	unsigned option_protection; /* offset of the byte that is 0xAA without protection; unit 2, 4
				     */
	bool banks_swapped; /* an erase goes by the physical bank, all else by the address */
	uint32_t flash_size_register, unique_id;
	struct {
		uint32_t count, size;
		uint64_t erase_nsec; /* one page; 0: page_erase_nsec */
		unsigned jump;	     /* number of the first one; 0: goes on */
	} pages[8];		     /* count 0 ends */
	uint32_t max_erase_list;     /* pages in one Extended Erase */
	uint32_t protect_pages;	     /* that one sector code of Write Protect covers */
	uint32_t write_align;	     /* AN2606 table 7 */
	uint32_t program_unit;	     /* bytes programmed at once: 2 on F1 */
	uint64_t program_nsec;	     /* one unit, typical */
	uint64_t page_erase_nsec, mass_erase_nsec;
	uint64_t startup_nsec;
	const struct espchip *esp; /* an Espressif chip; NULL: none */
	const struct tichip *ti;   /* one of TI; both NULL: an STM32 */
};

const struct sim_chip *sim_chip_find(const char *name);

/* The STM32s in turn; NULL behind the last. */
const struct sim_chip *sim_chip_at(size_t i);

enum sim_circuit {
	SIM_CIRCUIT_DIRECT, /* DTR asserted resets, RTS asserted selects the ROM (inverters between)
			     */
	SIM_CIRCUIT_ONE_KEY, /* PNP/NPN pair of the common STM32 boards, wiring.md 2 */
	SIM_CIRCUIT_ESP,     /* two transistors, both equal is idle */
	SIM_CIRCUIT_BSL,     /* DTR asserted pulls the backdoor's pin low, RTS asserted resets; an
				STM32's lines swapped */
	SIM_CIRCUIT_PLAIN, /* both at the pins, nothing between: RTS not asserted selects the ROM */
	SIM_CIRCUIT_INVERTED, /* an inverter in each line: DTR not asserted resets */
	SIM_CIRCUIT_NONE,     /* lines not connected: always in the application */
	SIM_CIRCUIT_ROM,      /* lines not connected: BOOT0 tied high, always in the ROM */
};

/* A boot loader in the first pages of the flash; where there is one, it starts the application
 * behind it, or stays where that is none or the circuit selects it (BOOT0 is its button then). */
enum sim_resident {
	SIM_RESIDENT_NONE,
	SIM_RESIDENT_IAP,   /* ST's in-application programming: menu, YMODEM */
	SIM_RESIDENT_GECKO, /* Silicon Labs': prompt, XMODEM */
};

/* What runs where the ROM is told to go to an address in the RAM. */
enum sim_program {
	SIM_PROGRAM_NONE, /* an application, where the RAM holds one */
	SIM_PROGRAM_PEER, /* stub-peer.h: speaks as the program of src/stub does */
	SIM_PROGRAM_CORE, /* what was loaded, on an emulated processor */
};

/* What goes wrong. All zero: nothing. The n-th counts from 1. */
struct sim_faults {
	bool silent;		/* never answers */
	bool garbage;		/* endless random bytes whatever comes in (seeded) */
	bool ack_stream;	/* endless 0x79 */
	bool call_stream;	/* endless 'C', as of a receiver that asks without a pause */
	bool leading_zero;	/* a 0x00 before the first ACK after reset */
	unsigned silent_syncs;	/* the first n entries into the ROM lock to a wrong baud */
	uint32_t max_baud;	/* above it every sync locks wrong; 0: none */
	uint64_t drop_received; /* n-th byte to the chip is lost */
	uint64_t flip_received; /* n-th byte to the chip has a bit flipped */
	uint64_t drop_sent;	/* n-th byte from the chip is lost */
	uint64_t flip_sent;
	uint8_t flip_mask;	  /* which bits are flipped; 0: one at random */
	uint64_t double_received; /* n-th byte to the chip arrives twice */
	uint64_t double_sent;
	unsigned cancel_block;	 /* the resident loader cancels at its n-th block */
	bool naks_eot;		 /* it answers the first EOT with NAK, as Forsberg has it */
	bool ends_at_eot;	 /* it ends there, and asks for no other header */
	bool erases_before_call; /* it erases before it asks for the file */
	uint64_t nack_command;	 /* n-th command pair is NACKed */
	int nack_code;		 /* every command of this code is NACKed; 0: none (Get cannot be) */
	int nack_stage_code;	 /* this command ... */
	unsigned nack_stage;	 /* ... is NACKed at this stage: 1 the address, 2 the data */
	unsigned nack_storm;	 /* an erase does nothing and is answered by that many NACKs */
	int hang_code;	   /* falls silent until a reset at the command pair of this code ... */
	unsigned hang_nth; /* ... the n-th time it is seen (1: the first) */
	uint64_t power_cut_received; /* loses power after the n-th received byte: RAM gone, no
					answer until reset by sim_power() */
	uint64_t reset_received; /* an STM32 resets itself at the n-th received byte, which is lost:
				    by a watchdog ... */
	bool reset_is_dip;	 /* ... or by its supply, which is gone for a moment */
	uint64_t vanish_received; /* the bridge disappears after the n-th received byte: front ends
				     act */
	int vanish_code;	  /* the bridge disappears at the command pair of this code ... */
	unsigned vanish_nth;	  /* ... the n-th time */
	uint16_t product_id;	  /* answers Get ID with this instead; 0: its own */
	uint16_t id_once_erased;  /* the same, after something was erased ... */
	unsigned n_once_erased;	  /* ... the next n times */
	unsigned nack_reads_once_erased; /* the next n Read Memory after an erase are NACKed */
	unsigned flip_unique_id; /* a bit of it is flipped in the n-th answer that holds it */
	int get_length;		 /* length byte of Get's answer; 0: right, -1: zero. Where it says
				    more than there is, more is sent; never less */
	int get_id_length;	 /* the same for Get ID */
	bool hidden_options;	 /* the ROM does not let the option bytes be read */
	unsigned torn_options;	 /* at the n-th write of them the power fails for a moment, when
				    they are erased */
	bool mute_options;	 /* the chip resets before the ACK of such a write is out */
	uint8_t stuck_option_at; /* this byte of them ... */
	uint8_t stuck_options;	 /* ... has bits that a write does not change; 0: none */
	bool protect;		 /* read-out protection is on from here on */
	bool write_protected;	 /* program and erase are ACKed and do nothing */
	bool cached;		 /* what is erased and programmed is read back until the next
				    reset, and never reaches the cells */
	uint32_t stuck_address;	 /* a bit of this flash byte cannot be written; 0: none */
	uint64_t slow_sent_nsec; /* extra time before every sent byte */
	uint64_t slow_ack_nsec;	 /* extra time before every ACK and NACK of the ROM */
	uint64_t babble_after;	 /* the endless streams begin behind the n-th sent byte */
	unsigned more_acks;	 /* so many more ACKs behind each */
	uint64_t erase_nsec;	 /* an erase takes this instead; SIM_NEVER: never ends */
	unsigned seed;

	/* Of the resident boot loader: */
	const char *text_stream; /* this without an end, as of a menu that prints for ever */
	int answer;		 /* it answers every block by this byte; 0: as it should */
	bool acks_with_call;	 /* IAP: ACK and 'C' of the EOT in one, and it never calls again */
	const char *verdict;	 /* it says this once it has the file, before what it says else */
	const char *refuses_start; /* Gecko: it says this upon its key, and shows the menu again */
	const char *loader_name;   /* Gecko: in its menu, with its version; NULL: its own */
	bool loader_is_old;	   /* Gecko: it says `ebl`, and shows no menu before a key */
	unsigned gbl_error;	   /* Gecko: it finds this wrong at the end of the file */
	bool prints_whole_code;	   /* Gecko: all of it, in place of the old code of two digits */
	uint64_t reason_nsec;	   /* Gecko: from its CANs to the words why */
	bool has_gbl_key;	   /* Gecko: it takes encrypted files */
	bool st_manners;	   /* IAP: those of ST's source, see resident-iap.c */
	uint32_t upload_bytes;	   /* IAP: it sends back so many; 0: all there is */
	bool upload_has_no_length; /* IAP: the header of what it sends back is its name alone */
	bool repeats_upload;	   /* IAP: it sends its first block again whatever is answered */
	bool uploads_for_ever;	   /* IAP: behind the last block comes another */

	struct sim_stub_faults stub; /* of a program in the RAM */
	struct sim_esp_faults esp;
	struct sim_spoken_faults spoken; /* of an application that spoken.h describes */
	struct sim_ti_faults ti;
};

struct sim_options {
	const struct sim_chip *chip;
	enum sim_circuit circuit;
	struct sim_faults faults;
	/* The application prints this over and over while it runs (115200 8N1), one copy each 20
	 * ms; NULL: the line of tests/firmware's banner, after its start and each second, where
	 * that firmware is in the flash, else nothing. */
	const char *chatter;
	bool says_once; /* the banner, after the start alone */
	enum sim_resident resident;
	const char *
		command; /* upon this the application gives way to the resident loader or the ROM */
	const char *reply;	    /* what it says to it before; NULL: nothing */
	const char *query;	    /* upon this it says its banner again */
	bool enters_rom_when_empty; /* as chips with an empty check do (AN2606) */
	bool latches_empty;    /* and they look when the power comes, not at a reset (RM0444) */
	uint8_t unique_id[12]; /* all zero: one is made of the seed */
	enum sim_program program;
	struct sim_core_knobs core; /* with SIM_PROGRAM_CORE */
	struct sim_esp esp;	    /* a board with an Espressif chip */
	struct sim_ti ti;	    /* one with a chip of TI */
};

struct sim;

struct sim *sim_new(const struct sim_options *options);
struct sim *sim_free(struct sim *sim);

/* The modem lines as TIOCMGET would show them (1 asserted, LINE_DTR | LINE_RTS of rules/wiring.h).
 */
void sim_set_lines(struct sim *sim, unsigned lines, uint64_t now);

/* Whether a receiver at one rate understands the other: bridges make a rate from whole divisions of
 * their clock, and a byte is misread above 2.5 % (AN3155 2). */
static inline bool sim_rates_fit(uint64_t rate, uint64_t other)
{
	uint64_t difference = rate > other ? rate - other : other - rate;

	return difference * 1000 <= rate * 25;
}

/* What the bridge was told: bytes sent at another rate or parity arrive as garbage. */
void sim_set_format(struct sim *sim, uint32_t baud, bool even_parity, uint64_t now);

/* Another chip of the same kind is in its place from now on. */
void sim_swap_chip(struct sim *sim);

/* One byte whose last bit arrives at `now`. */
void sim_receive(struct sim *sim, uint8_t byte, uint64_t now);

/*
 * The next byte the chip sends, once its last bit has gone out by `now`; false while there is none.
 * sim_next() is when to ask again: the next byte is there by then, or something that may be
 * answered has ended; SIM_NEVER where only the host can move things. It is later than the `now` of
 * the call before it.
 */
bool sim_send(struct sim *sim, uint8_t *ret, uint64_t now);
uint64_t sim_next(const struct sim *sim);

/* Time of one byte on the line as the bridge is set. */
uint64_t sim_byte_nsec(const struct sim *sim);

/* Power off and on again: RAM is lost, flash is what it is. A bridge that had vanished is back. */
void sim_power(struct sim *sim, uint64_t now);

/* Whether a vanish fault has struck; the front end then takes the bridge away. */
bool sim_has_vanished(const struct sim *sim);

/*
 * Changes the faults of a board that runs, counters of the n-th begin anew. A bridge that had
 * vanished is back; protection that is on stays on, power that was cut stays cut.
 */
void sim_set_faults(struct sim *sim, const struct sim_faults *faults);

/* The flash, for loading and dumping. */
uint8_t *sim_flash(struct sim *sim);
uint32_t sim_flash_size(const struct sim *sim);
const uint8_t *sim_unique_id(const struct sim *sim);

/* Write-protects sectors of an STM32: a bit each, the last one for all above. */
void sim_protect_sectors(struct sim *sim, uint32_t sectors);

/* What is known of a board with an Espressif chip; NULL for any other. */
const struct sim_esp_state *sim_esp(const struct sim *sim);

/* The same of a program on an emulated processor; NULL where sim_options has none. */
const struct sim_core_state *sim_core(const struct sim *sim);

/* How many half-words of the RAM from `address` on it has executed. */
uint32_t sim_core_coverage(const struct sim *sim, uint32_t address, uint32_t size);

/* The same of a board with a chip of TI. */
const struct sim_ti_state *sim_ti(const struct sim *sim);

enum sim_state { SIM_RESET, SIM_APPLICATION, SIM_ROM, SIM_DEAD, SIM_LOADER, SIM_PROGRAM };

/* What the chip is doing, for a test to ask. */
enum sim_state sim_state(const struct sim *sim);

/* The application that runs has a stack pointer in RAM and a reset vector in flash (not half
 * erased). */
bool sim_application_is_sane(const struct sim *sim);

struct sim_counters {
	uint64_t received, sent; /* bytes */
	unsigned resets, rom_entries, syncs;
	unsigned commands[256]; /* accepted command pairs by code */
	unsigned pages_erased, mass_erases;
	unsigned blocks_written;
	unsigned bad_writes;	   /* programming of a unit that was not erased, or misaligned */
	unsigned bad_addresses;	   /* Read, Write or Go of an address the ROM refuses */
	unsigned unprotects;	   /* Readout Unprotect: the flash was wiped */
	unsigned sync_bytes_bad;   /* a byte other than 0x7F met the baud detection */
	unsigned sync_bytes_early; /* a byte came before the ROM listened */
	unsigned overruns;	   /* a byte was lost because the ROM was busy */
	/* Behind a reset by `reset_received`, up to the next one by the lines or synchronisation:
	 */
	unsigned strays_to_rom, strays_to_others; /* bytes that came */
	unsigned stray_commands;		  /* that the ROM found in them */
	/* Of a program in the RAM: */
	unsigned program_starts;
	unsigned stub_posted;	       /* sound frames with a number, each time that they came */
	unsigned stub_damaged;	       /* frames that were none */
	unsigned application_commands; /* heard by the application, and obeyed */
	/* Of the resident loader: */
	unsigned resident_entries, files, uploads;
	unsigned cancels;	   /* it sent CAN CAN */
	unsigned bad_blocks;	   /* whose number or CRC was wrong */
	unsigned aborts_by_letter; /* an 'a' stood where a block should begin */
};

const struct sim_counters *sim_counters(const struct sim *sim);
