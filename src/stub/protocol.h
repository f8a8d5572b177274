/* SPDX-License-Identifier: MIT */
/*
 * protocol.h - all that a host and the stub must agree on.
 *
 * The stub is a program in the RAM of an STM32. The host loads it by the boot loader in ROM, starts
 * it by Go, and speaks to it by the frames below. This header is enough to write either side. It is
 * freestanding: the stub, the host and tests include it. Every number on the line and in memory is
 * little endian; no struct here has a hole in it. "Ticks" are cycles of the processor's clock, once
 * all steps are done.
 *
 * LOAD IMAGE, made by the host, at an address that is a multiple of 16:
 *
 *     u32 initial SP (work + STUB_WORK_SIZE)
 *     u32 address of stub.bin | 1 (load address + 8 + 1)
 *     stub.bin (its size is a multiple of 4; it runs at every address that is a multiple of 4)
 *     struct stub_setup
 *     struct stub_candidate [candidates]
 *     struct stub_step [steps], then the steps of each candidate, in the order of the candidates
 *
 * The stub changes no byte of it. It finds struct stub_setup right behind its own code. It assumes
 * nothing of what the ROM left: it switches interrupts off, sets SP to work + STUB_WORK_SIZE, stops
 * SysTick and starts it again as its own clock, writes VTOR where there is one (a fault is then
 * silence until somebody resets the chip: a ROM could hear a stream that goes on), and takes the
 * steps in their order. It never uses an interrupt, never writes option bytes, never touches flash
 * while the flash is busy, and writes 0xAAAA to the watchdog (`iwdg`) in each of its loops. Caches
 * of the flash are switched off by steps; the stub does not flush them.
 *
 * TRAIN. After Go the host speaks 8N1, at 115200 or less: a bit is at least 200 ticks. It sends
 * trains of STUB_TRAIN_BYTES times STUB_TRAIN_BYTE without gaps, which is a square wave. The stub
 * looks at the RX pins of all candidates at once, as inputs (a pin that its step made an alternate
 * function still reads). The first pin with STUB_TRAIN_PERIODS periods of two bits in
 * sequence, each within a third of `period`, and all together within a sixteenth, is the line.
 * Their length in ticks is `train_ticks`: STUB_TRAIN_BITS bits of the host's own clock. The stub
 * takes the steps of that candidate, writes CR1 = CR2 = CR3 = 0, BRR = round(train_ticks /
 * STUB_TRAIN_BITS) >> clock_shift, CR1 = `cr1`, and waits for HELLO; what is left of the train is a
 * damaged frame, which before the first HELLO is not answered. So the host may write train, 0x00
 * and HELLO at once; it waits STUB_HELLO_MS for the answer and begins again, at most STUB_TRAINS
 * times. It takes the first sound answer, and what arrived before it (a pin that is not driven yet
 * gives noise) is thrown away.
 *
 * FRAMES, both directions: 8N1, COBS, and 0x00 ends a frame. A frame without bytes is ignored, so a
 * 0x00 before a frame is allowed, and right after silence or damage. Inside COBS: the header,
 * `size` bytes of data (at most STUB_DATA_MAX), and the CRC-32 (IEEE: polynomial 04C11DB7
 * reflected, begins with ~0, ends with ~, little endian) of all before it. The stub does nothing
 * before it has seen that the CRC is right. One answer follows each frame that was taken, in their
 * order, but for the gaps below; the stub says nothing unasked. An answer begins within
 * STUB_ANSWER_MS of the end of the frame, or of the work that the frame asks for.
 *
 * CREDIT. Received bytes wait in a ring. A frame is out of the ring before its work begins, and
 * while the flash is busy the next one is taken out as well. The host may have at most ring_size -
 * 1 bytes out that are not taken yet, and at most STUB_WINDOW posted frames without an answer.
 * `taken` of an answer counts the bytes (each 0x00 and those of damaged frames too) that were taken
 * out of the ring behind the 0x00 of the latest HELLO; HELLO's own answer has 0. Bytes that were
 * lost never count, so after a loss the host begins anew with its count: the answer to a frame says
 * that all up to the end of that frame is out. A byte that finds the ring full, or that an overrun
 * of the USART destroys, is counted in `lost`.
 *
 * POSTED FRAMES (STUB_POSTED is set in the type) have sequence numbers, modulo 256, from 0 after
 * HELLO. `expected` of each answer, also to queries, is the number that the stub does next; all
 * before it are done.
 *
 * - The number that is expected: the frame is done, then answered; `expected` is one more.
 *
 * - One of the 128 numbers before: a duplicate. It is not done again. The status of its answer is
 *   STUB_OK, or the failure.
 *
 * - One of the 127 numbers behind: frames were lost. It is not done. Its answer has STUB_EXPECTED,
 *   and the host sends again from `expected`. The stub says so once for a gap: further frames
 *   behind get no answer, unless a number is not larger than the one before it (the host has
 *   begun again, and the frame it began with was lost too).
 *
 * - A damaged frame (COBS, size or CRC wrong, or longer than a frame can be) opens a gap too. Its
 *   answer has the type STUB_ANSWER | STUB_DAMAGE, sequence 0 and STUB_EXPECTED. While a gap is
 * open damage gets no answer. So not every loss is answered: the host has a deadline beside it, and
 *   then asks by ECHO or sends again from the oldest.
 *
 * - A failure stays: `failure` is the status of the first posted frame that failed, `address`
 * where, `flash_status` what the flash's status register said, in every answer from then on. Later
 *   posted frames get numbers and answers with that status, and nothing is done for them, until
 *   HELLO.
 *
 * QUERIES (all others) may be asked at any time, also with a gap open, and repeated. `sequence` is
 * an id that the host chooses, and the answer repeats it. Their own failure is the status of that
 * answer and does not stay. An unknown type is a query. Before the first HELLO no other frame gets
 * an answer.
 *
 * SILENCE. Where no sound frame comes for `silence_limit` while the stub waits for one, also before
 * HELLO, it resets the chip: a board without a reset line is in its ROM again. A step whose
 * condition does not come ends in the same wait. 0: it waits for ever.
 */
#pragma once

#include <stdint.h>

#define STUB_MAGIC	    0x42545350u /* "PSTB", in setup and hello */
#define STUB_PROTOCOL	    1		/* of this header */
#define STUB_VERSION	    1		/* of the program; counts up with each stub.bin */
#define STUB_SIZE_MAX	    3072	/* of stub.bin */
#define STUB_DATA_MAX	    1024
#define STUB_WINDOW	    64
#define STUB_UNIT_MAX	    8
#define STUB_PAGES_MAX	    (STUB_DATA_MAX / 8) /* of a SUM */
#define STUB_CANDIDATES_MAX 4

/* The work area: 128-aligned RAM for vectors and state of the stub, two frames and its
 * stack. */
#define STUB_WORK_SIZE	   2816
#define STUB_WORK_ALIGN	   128
#define STUB_RING_MIN	   256
#define STUB_RING_MAX	   32768

#define STUB_TRAIN_BYTE	   0x55
#define STUB_TRAIN_BYTES   64
#define STUB_TRAIN_PERIODS 128
#define STUB_TRAIN_BITS	   256
#define STUB_TRAINS	   20
#define STUB_HELLO_MS	   20 /* beside the time of the bytes of train, question and answer */
#define STUB_ANSWER_MS	   20
#define STUB_SWITCH_MS	   2
#define STUB_FALL_BACK_MS  300 /* what `fall_back` is, in time */

/* What the data of a frame and of its answer are. `address` is 0 where nothing is said of it. */
enum stub_type {
	/* In answers alone. */
	STUB_DAMAGE = 0x00,

	/* No data; struct stub_hello. The stub forgets failure and gap, expects number 0, and
	 * counts `taken` and `lost` anew. The rate stays. */
	STUB_HELLO = 0x01,

	/* struct stub_rate; the same. Answered at the old rate; the stub switches after the last
	 * bit (TC). The host has nothing out meanwhile, waits STUB_SWITCH_MS after the answer, and
	 * asks (ECHO or HELLO). Without a sound frame within `fall_back` the stub goes back to the
	 * rate before. */
	STUB_LINK = 0x02,

	/* Any data; the same. */
	STUB_ECHO = 0x03,

	/* uint32_t [n], sizes of ranges that lie one behind the other from `address` on, n at most
	 * STUB_PAGES_MAX; struct stub_sums [n]. Address and sizes are multiples of 4. All in flash.
	 */
	STUB_SUM = 0x04,

	/* uint32_t, how many bytes from `address` on, at most STUB_DATA_MAX; the bytes. All in
	 * flash, all in `window` of the setup, or, in multiples of 4, all in the 256 bytes from
	 * `registers` on: such are read by whole words. */
	STUB_READ = 0x05,

	/* No data; uint32_t, the word at `address`: as READ of 4 bytes. */
	STUB_PEEK = 0x06,

	/* No data; none. After TC the stub resets the chip (SYSRESETREQ). */
	STUB_RESET = 0x07,

	/* A bit of the type. */
	STUB_POSTED = 0x40,

	/* struct stub_erase; none. Erases the page at `address`. */
	STUB_ERASE = 0x41,

	/* No data; none. Mass erase, of both banks. */
	STUB_ERASE_ALL = 0x42,

	/* Bytes; none. For every kind `address` and size are multiples of STUB_UNIT_MAX. Of each
	 * such eight bytes: all 0xFF are left alone, others are programmed by units of the kind if
	 * all eight are blank (else STUB_NOT_BLANK), and compared (STUB_DIFFERS). */
	STUB_DATA = 0x43,

	/* A bit of the type. */
	STUB_ANSWER = 0x80,
};

enum stub_status {
	STUB_OK,
	STUB_EXPECTED,	/* frames are missing: send again from `expected` */
	STUB_NOT_BLANK, /* eight bytes to be programmed are not erased; nothing was done to them */
	STUB_WRITE_PROTECTED, /* the flash says so (WRPERR) */
	STUB_FLASH_ERROR,     /* another error flag of the flash, see `flash_status` */
	STUB_DIFFERS,	      /* no error flag, and eight bytes read otherwise afterwards */
	STUB_TIMEOUT,	      /* the flash is busy longer than the limit of the setup */
	STUB_LOCKED,	      /* the flash does not open by its keys */
	STUB_RANGE,	      /* address, size or `select` out of bounds, or not aligned */
	STUB_UNKNOWN,	      /* no such type */
};

/* Host to stub. The data follow, then the CRC. */
struct stub_frame {
	uint8_t type;
	uint8_t sequence;
	uint16_t size; /* of data */
	uint32_t address;
};

/* Stub to host. The data follow, then the CRC. */
struct stub_answer {
	uint8_t type;	  /* of the frame that it answers, | STUB_ANSWER */
	uint8_t sequence; /* of the frame that it answers */
	uint8_t expected; /* number of the posted frame that is done next */
	uint8_t status;	  /* enum stub_status, of this frame */
	uint32_t taken;
	uint32_t address;      /* of the failure, or 0 */
	uint32_t flash_status; /* SR of the flash at the failure, or 0 */
	uint16_t size;	       /* of data */
	uint8_t failure; /* enum stub_status: of the first posted frame that failed, or STUB_OK */
	uint8_t lost;	 /* bytes, modulo 256 */
};

#define STUB_CRC_SIZE	4
#define STUB_FRAME_MAX	(sizeof(struct stub_frame) + STUB_DATA_MAX + STUB_CRC_SIZE)
#define STUB_ANSWER_MAX (sizeof(struct stub_answer) + STUB_DATA_MAX + STUB_CRC_SIZE)
/* Of `n` bytes on the line: COBS, one byte for each 254 begun, and the 0x00 behind. */
#define STUB_COBS_SIZE(n) ((n) + ((n) + 253) / 254 + 1)

struct stub_hello {
	uint32_t magic;	    /* STUB_MAGIC */
	uint16_t protocol;  /* STUB_PROTOCOL */
	uint16_t version;   /* STUB_VERSION */
	uint32_t self_crc;  /* CRC-32 of the load image, in RAM, behind its first 8 bytes */
	uint32_t dev_id;    /* the word at `dev_id` of the setup, 0 without */
	uint16_t flash_kib; /* the half-word at `flash_kib` of the setup, 0 without */
	uint8_t kind;	    /* enum stub_kind */
	uint8_t candidate;  /* number of the candidate that is the line */
	uint32_t ring_size;
	uint32_t train_ticks; /* of STUB_TRAIN_BITS bits at the rate of the train */
	uint32_t brr;	      /* as the USART has it now */
	uint32_t cr1;
};

/* The host knows the clock of the USART by its own: (train_ticks * rate / STUB_TRAIN_BITS) >>
 * clock_shift. The registers are written as they are, with UE off between; OVER8 is a bit of CR1.
 */
struct stub_rate {
	uint32_t brr;
	uint32_t cr1;
};

/* Both begin with ~0, end with ~ and are reflected. */
struct stub_sums {
	uint32_t ieee;	     /* polynomial 04C11DB7 */
	uint32_t castagnoli; /* polynomial 1EDC6F41 */
};

struct stub_erase {
	uint32_t size;	 /* of the page */
	uint32_t select; /* K1: the address (AR). K2: SNB, K3: PNB and BKER, as in CR */
};

enum stub_kind {
	STUB_K1 = 1, /* F0 F1 F3: KEYR 04, SR 0C, CR 10, AR 14; unit 2 */
	STUB_K2 = 2, /* F2 F4 F7: KEYR 04, SR 0C, CR 10; unit 1, 2 or 4 by PSIZE */
	STUB_K3 = 3, /* G0 G4 L4 ...: KEYR 08, SR 10, CR 14; unit 8 */
};

enum stub_usart {
	STUB_USART_V1 = 1, /* SR 00, DR 04, BRR 08, CR1 0C */
	STUB_USART_V2 = 2, /* CR1 00, BRR 0C, ISR 1C, ICR 20, RDR 24, TDR 28 */
};

struct stub_setup {
	uint32_t magic; /* STUB_MAGIC */
	uint16_t size;	/* of all: this struct, candidates, steps */
	uint8_t protocol;
	uint8_t kind;	    /* enum stub_kind */
	uint8_t usart;	    /* enum stub_usart */
	uint8_t unit;	    /* bytes that are programmed at once: 1, 2, 4 or 8 */
	uint8_t candidates; /* 1 to STUB_CANDIDATES_MAX */
	uint8_t steps;	    /* of all candidates, taken first */

	uint32_t work; /* STUB_WORK_SIZE bytes, STUB_WORK_ALIGN */
	uint32_t ring;
	uint32_t ring_size; /* a power of two */
	uint32_t cr1;	    /* of the USART in operation: v1 0x200C, v2 0x0000000D */
	uint32_t period;    /* of the train: ticks of two bits, by the clock that the steps set */

	uint32_t registers;	  /* of the flash controller */
	uint32_t bank2_registers; /* of bank 2: 0x40 behind on K1 XL, else `registers` again */
	uint32_t flash;		  /* where it begins */
	uint32_t flash_size;	  /* to the end of the last page; a gap between banks counts */
	uint32_t bank2;		  /* where bank 2 begins, 0: one bank */
	uint32_t bank2_select;	  /* K3: bits of `select` that bank 2 alone has (BKER), or 0 */
	uint32_t bank2_page;	  /* K3: number of its first page (0, or 256 where numbers go on) */
	uint32_t control;	  /* bits of CR that are always set (K2: PSIZE) */
	uint32_t erase_all;	  /* bits of CR for a mass erase (MER, MER2) */
	uint32_t busy;		  /* bits of SR: BSY, and BSY2 and CFGBSY of K3 */
	uint32_t errors;	  /* bits of SR that are a failure; WRPERR is bit 4 of all kinds */
	uint32_t clear;		  /* bits of SR that a 1 clears, before all: errors, EOP, OPTVERR */

	uint32_t program_limit; /* ticks, of one unit */
	uint32_t erase_limit;	/* ticks, of one page */
	uint32_t erase_all_limit;
	uint32_t step_limit; /* ticks, of one STUB_STEP_WAIT */
	uint32_t fall_back;
	uint32_t silence_limit;

	uint32_t iwdg;	    /* address of KR */
	uint32_t dev_id;    /* address of DBGMCU_IDCODE, or 0 */
	uint32_t flash_kib; /* address of the half-word with the flash size, or 0 */
	uint32_t window;    /* what may be read beside flash: ids, option bytes */
	uint32_t window_size;
	uint32_t vtor; /* address of VTOR (0xE000ED08), or 0: the core has none (Cortex-M0) */
};

struct stub_candidate {
	uint32_t idr;	     /* address of the port's IDR */
	uint32_t mask;	     /* the bit of RX in it */
	uint32_t usart;	     /* address of the USART */
	uint8_t clock_shift; /* clock of the USART = clock of the processor >> this */
	uint8_t steps;	     /* taken once it is picked: clock, reset and TX of that USART */
	uint16_t zero;
};

/* The low two bits of `address`. */
enum stub_op {
	STUB_STEP_CHANGE, /* reg = (reg & ~mask) | value; mask FFFFFFFF: a store without a read */
	STUB_STEP_WAIT,	  /* until (reg & mask) == value, at most `step_limit` */
};

struct stub_step {
	uint32_t address; /* of a 32 bit register | enum stub_op */
	uint32_t mask;
	uint32_t value;
};

_Static_assert(sizeof(struct stub_frame) == 8, "as on the line");
_Static_assert(sizeof(struct stub_answer) == 20, "as on the line");
_Static_assert(sizeof(struct stub_hello) == 36, "as on the line");
_Static_assert(sizeof(struct stub_setup) == 128 && sizeof(struct stub_candidate) == 16 &&
		       sizeof(struct stub_step) == 12,
	"as in the load image");
