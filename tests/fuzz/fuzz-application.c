/* SPDX-License-Identifier: MIT */
/*
 * What applications of sticks say, in four ways, by the first byte: any bytes, in any pieces, to
 * all receivers; any payload in sound frames, to all readers; two versions; and whole conversations
 * with a simulated application whose bytes are changed on their way. Whatever is heard, a
 * conversation ends at its deadline, and a version is a text that can be shown.
 */
#include "application/application-version.h"
#include "application/ash.h"
#include "application/cpc.h"
#include "application/crc16.h"
#include "application/ezsp.h"
#include "application/frames.h"
#include "application/hdlc.h"
#include "application/mt.h"
#include "application/spinel.h"
#include "application/zwave.h"
#include "job.h"
#include "sim/resident.h"
#include "sim/spoken.h"

#define PROBE_USEC (2 * USEC_PER_SEC)
/* One write, one read that waits, in virtual time. */
#define LATE_USEC (100 * USEC_PER_MSEC)

static void must_be_text(const char *text)
{
	MUST(memchr(text, '\0', APPLICATION_VERSION_BYTES));
	for (; *text; text++)
		MUST(*text >= ' ' && *text <= '~');
}

/* ------------------------------------------------------------------ readers of what a frame holds
 */

static void must_be_within(const uint8_t *part, size_t n_part, const uint8_t *all, size_t n_all)
{
	MUST(part >= all && n_part <= n_all && part + n_part <= all + n_all);
}

static void read_ezsp(const uint8_t *data, size_t n_data)
{
	for (unsigned version = 0; version < 16; version++) {
		char text[APPLICATION_VERSION_BYTES] = "";
		struct ezsp_response response;

		if (!ezsp_read(data, n_data, (uint8_t)version, &response))
			continue;
		must_be_within(response.data, response.n_data, data, n_data);
		(void)ezsp_stack_version(&response, text, sizeof(text));
		must_be_text(text);
		(void)ezsp_version_info(&response, (uint8_t)version, text, sizeof(text));
		must_be_text(text);
	}
}

static void read_spinel(const uint8_t *body, size_t n_body)
{
	char text[APPLICATION_VERSION_BYTES] = "";
	struct spinel_property_is is;
	uint32_t status;

	if (!spinel_read(body, n_body, &is))
		return;
	must_be_within(is.value, is.n_value, body, n_body);
	(void)spinel_unpack(&is.value, &is.n_value, &status);
	must_be_within(is.value, is.n_value, body, n_body);
	if (application_version_read(is.value, is.n_value, ';', text))
		MUST(text[0] && application_version_is(text, text));
	must_be_text(text);
}

static void read_cpc(const uint8_t *frame, size_t n_frame)
{
	char text[APPLICATION_VERSION_BYTES] = "";
	struct cpc_answer answer;

	if (!cpc_read(frame, n_frame, &answer))
		return;
	must_be_within(answer.value, answer.n_value, frame, n_frame);
	(void)application_version_read(answer.value, answer.n_value, '\0', text);
	must_be_text(text);
}

static void read_mt(const uint8_t *data, size_t n_data)
{
	char text[APPLICATION_VERSION_BYTES] = "";

	(void)mt_version(data, n_data, text, sizeof(text));
	must_be_text(text);
}

static void read_zwave(const uint8_t *data, size_t n_data)
{
	char text[APPLICATION_VERSION_BYTES] = "";

	for (int function = 1; function < 256; function++)
		(void)zwave_has(data, n_data, (enum zwave_function)function);
	if (application_version_read(data, n_data, '\0', text))
		(void)zwave_major(text);
}

/* ------------------------------------------------------------------ receivers */

static size_t find(const uint8_t *data, size_t size, frames_look_fn look)
{
	struct frames frames = {.n_bytes = 0};
	size_t n_frames = 0;

	for (size_t i = 0; i < size; i++) {
		frames_put(&frames, data[i]);
		while (frames_next(&frames, look)) {
			MUST(frames.n_frame > 0 && frames.n_frame <= frames.n_bytes);
			n_frames++;
			if (look == cpc_look)
				read_cpc(frames.bytes, frames.n_frame);
			else if (look == mt_look)
				read_mt(frames.bytes + MT_DATA, frames.bytes[MT_LENGTH]);
			else if (frames.n_frame > 1)
				read_zwave(frames.bytes + ZWAVE_DATA,
					frames.n_frame - ZWAVE_REQUEST_BYTES);
		}
	}
	/* Each byte given up makes what is left shorter. */
	for (size_t left = frames.n_bytes; left > 0; left = frames.n_bytes) {
		frames_give_up(&frames);
		while (frames_next(&frames, look))
			n_frames++;
		MUST(frames.n_bytes < left);
	}
	return n_frames;
}

static void receive(const uint8_t *data, size_t size)
{
	struct ash_receiver ash = {.n_body = 0};
	struct hdlc_receiver hdlc = {.n_body = 0};
	size_t n;

	for (size_t i = 0; i < size; i++) {
		if (ash_take(&ash, data[i], &n) == ASH_FRAME) {
			MUST(n <= ASH_DATA_MAX);
			read_ezsp(ash.body + 1, n);
		}
		if (hdlc_take(&hdlc, data[i], &n)) {
			MUST(n <= HDLC_BODY_MAX);
			read_spinel(hdlc.body, n);
		}
	}
	(void)find(data, size, mt_look);
	(void)find(data, size, cpc_look);
	(void)find(data, size, zwave_look);
}

/* ------------------------------------------------------------------ sound frames of any payload */

static void receive_ash(uint8_t control, const uint8_t *data, size_t size)
{
	struct ash_receiver receiver = {.n_body = 0};
	uint8_t frame[ASH_FRAME_MAX];
	enum ash_result result = ASH_MORE;
	size_t n = ash_make(frame, control, data, size), n_data = 0;

	for (size_t i = 0; i < n; i++)
		result = ash_take(&receiver, frame[i], &n_data);
	MUST(result == ASH_FRAME && receiver.body[0] == control && n_data == size);
	MUST(memcmp(receiver.body + 1, data, size) == 0);
	read_ezsp(receiver.body + 1, n_data);
}

static void receive_hdlc(const uint8_t *data, size_t size)
{
	struct hdlc_receiver receiver = {.n_body = 0};
	uint8_t frame[HDLC_ENCODED_MAX(HDLC_BODY_MAX)];
	bool is_body = false;
	size_t n = hdlc_make(frame, data, size), n_body = 0;

	for (size_t i = 0; i < n; i++)
		is_body = hdlc_take(&receiver, frame[i], &n_body);
	MUST(is_body && n_body == size && memcmp(receiver.body, data, size) == 0);
	read_spinel(receiver.body, n_body);
}

static void receive_mt(const uint8_t *data, size_t size)
{
	uint8_t frame[MT_FRAME_MAX];
	size_t n = mt_make(frame, MT_SYS_VERSION_ANSWER, data, size);

	MUST(find(frame, n, mt_look) == 1);
}

static void receive_cpc(const uint8_t *data, size_t size)
{
	uint8_t frame[7 + 240 + 2] = {CPC_FLAG, CPC_SYSTEM, (uint8_t)(size + 2), 0, CPC_POLL_FINAL};
	uint16_t crc = crc16_ccitt(0, frame, 5);

	frame[5] = (uint8_t)crc;
	frame[6] = (uint8_t)(crc >> 8);
	memcpy(frame + 7, data, size);
	crc = crc16_ccitt(0, data, size);
	frame[7 + size] = (uint8_t)crc;
	frame[8 + size] = (uint8_t)(crc >> 8);
	MUST(find(frame, 9 + size, cpc_look) == 1);
}

static void receive_payload(const uint8_t *data, size_t size)
{
	if (size < 2)
		return;
	if (size > 240)
		size = 240;
	receive_ash(data[0], data + 1, size - 1);
	receive_hdlc(data, size);
	receive_mt(data, size);
	receive_cpc(data, size);
	read_zwave(data, size);
}

/* Versions are compared without an order between them, and the same with itself. */
static void compare(const uint8_t *data, size_t size)
{
	char a[APPLICATION_VERSION_BYTES], b[APPLICATION_VERSION_BYTES];
	size_t half = size / 2;

	if (!application_version_read(data, half, '\0', a) ||
		!application_version_read(data + half, size - half, '\0', b))
		return;
	MUST(application_version_is(a, a));
	MUST(!application_version_is(a, b) || application_version_confirms(a, b));
}

/* ------------------------------------------------------------------ conversations */

static const struct {
	const char *protocol, *version;
	uint32_t baud;
	enum application_protocol asked;
} sticks[] = {
	{"ezsp", "7.4.3.0", 115200, APPLICATION_EZSP},
	{"ezsp", "8.0.2.0", 115200, APPLICATION_EZSP},
	{"ezsp", "6.6.3.0", 115200, APPLICATION_EZSP},
	{"cpc", "4.4.3", 460800, APPLICATION_CPC},
	{"spinel", "2.4.4.0", 460800, APPLICATION_SPINEL},
	{"zwave", "7.18.1.140", 115200, APPLICATION_ZWAVE},
};

#define STICK_BYTES 1024
#define WORDS_AT    0x300

/* An application behind the boot loader: vectors, and the line that says what it speaks. */
static void install(struct sim *sim, const struct sim_chip *chip, size_t stick)
{
	uint8_t *at = sim_flash(sim) + RESIDENT_BYTES;
	uint32_t entry = chip->flash_base + RESIDENT_BYTES;
	const uint32_t vectors[] = {chip->ram_start + 0x1000, entry + 0x101};

	memset(at, 0x5A, STICK_BYTES);
	memcpy(at, vectors, sizeof(vectors));
	(void)spoken_words((char *)at + WORDS_AT, 100, sticks[stick].protocol,
		sticks[stick].version, sticks[stick].baud);
}

static size_t edit(void *userdata, uint8_t byte, uint8_t to[PORT_SIM_EDIT])
{
	return input_edit(userdata, 8, input_change, byte, to);
}

static void converse(struct port *port, enum application_protocol protocol, bool enters)
{
	const struct application_protocol_ops *ops = application_protocol_of(protocol);
	struct expect expect = {.port = port};
	struct application_link link = {.expect = &expect, .deadline = port_now(port) + PROBE_USEC};
	char version[APPLICATION_VERSION_BYTES] = "";
	int r = enters && ops->enter_loader ? ops->enter_loader(&link) : ops->ask(&link, version);

	MUST(r == APPLICATION_OK || r == APPLICATION_SILENT || r == APPLICATION_REFUSED);
	MUST(port_now(port) <= link.deadline + LATE_USEC);
	must_be_text(version);
	MUST(r != APPLICATION_OK || enters || version[0]);
	if (r == APPLICATION_REFUSED)
		fuzz_must_be_sentence(link.reason.text);
	MUST(expect.begin <= expect.end && expect.end <= EXPECT_BYTES);
}

/* Bytes: which stick, what is asked, one knob, then edits. */
static void talk(const uint8_t *data, size_t size)
{
	struct input input = {.bytes = data, .n_bytes = size};
	const struct port_sim_options options = {.edit = edit, .userdata = &input};
	size_t stick = input_take(&input) % ARRAY_SIZE(sticks);
	unsigned flags = input_take(&input), frame = input_take(&input);
	struct sim_options board = {.chip = sim_chip_find("f103c8"),
		.resident = SIM_RESIDENT_GECKO,
		.circuit = SIM_CIRCUIT_NONE};
	struct reason reason = {""};
	struct port *port;
	struct sim *sim;

	board.faults.spoken.talks = flags & 1;
	board.faults.spoken.is_locked = (flags & 6) == 6;
	board.faults.spoken.spoil_heard = flags & 8 ? frame % 16 : 0;
	board.faults.spoken.drop_heard = flags & 16 ? frame / 16 : 0;
	sim = sim_new(&board);
	MUST(sim);
	install(sim, board.chip, stick);
	port_sim_attach(JOB_PORT, sim, &options);
	MUST(port_open(JOB_PORT, 0, 0, &port, &reason) == 0);
	MUST(port_configure(port, sticks[stick].baud, PORT_PARITY_NONE, &reason) == 0);
	if (flags & 32)
		for (enum application_protocol p = 0; p < APPLICATION_PROTOCOL_MAX; p++)
			converse(port, p, false);
	else
		converse(port, sticks[stick].asked, flags & 64);
	port_close(port);
	/* No question begins an upload. */
	MUST(sim_counters(sim)->files == 0);
	port_sim_detach_all();
	sim_free(sim);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	switch (data[0] % 4) {
	case 0:
		receive(data + 1, size - 1);
		break;
	case 1:
		receive_payload(data + 1, size - 1);
		break;
	case 2:
		compare(data + 1, size - 1);
		break;
	case 3:
		talk(data + 1, size - 1);
		break;
	}
	return 0;
}
