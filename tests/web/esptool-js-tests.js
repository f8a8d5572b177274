// SPDX-License-Identifier: MIT
/*
 * esptool-js, Espressif's own peer of esptool, judges the simulated ROMs: it resets the board by both
 * lines, syncs, tells the chip, and reads what it reads of every chip by registers. It brings a
 * program into RAM, raises the rate, and its frames erase and write a flash.
 *
 * It never flashes by a ROM alone: a real one would run the program it brings first. So FLASH_BEGIN
 * and DATA are judged by its frames on later chips, with 1 KiB in a packet; what it sends to the ROM
 * of an ESP32 there is one word too long. SPI_ATTACH, MD5 and reads are sent here with the lengths of
 * a ROM, through its packets.
 */
"use strict";
const assert = require("node:assert/strict");
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const tty = require("node:tty");
const zlib = require("node:zlib");

const { BUILD, Board, runTests } = require("./board-line.js");

const PEER = path.join(BUILD, "web/node_modules/esptool-js");
const tests = [];

function test(name, body) {
	tests.push({ name, body });
}

/* ------------------------------------------------------------------ a board */

class EspBoard extends Board {
	async state() {
		const [chip, app, syncs, badWrites, memory, entry, baud] = (await this.tell("state")).split(" ");

		return { chip, app: Number(app), syncs: Number(syncs), badWrites: Number(badWrites), memory: Number(memory),
			entry: Number(entry), baud: Number(baud) };
	}

	async flash(offset, count) {
		return Buffer.from(await this.tell(`flash ${offset} ${count}`), "hex");
	}
}

/* What a browser would hand out for it. */
class SerialPort {
	constructor(board) {
		this.board = board;
		this.lines = { dataTerminalReady: false, requestToSend: false };
	}

	getInfo() {
		return { usbVendorId: 0x10c4, usbProductId: 0xea60 };
	}

	async open({ baudRate }) {
		const fd = fs.openSync(await this.board.path, fs.constants.O_RDWR | fs.constants.O_NOCTTY);

		this.stream = new tty.ReadStream(fd);
		this.stream.setRawMode(true);
		this.readable = new ReadableStream({
			start: (controller) => this.stream.on("data", (bytes) => controller.enqueue(new Uint8Array(bytes))),
			cancel: () => this.stream.removeAllListeners("data"),
		});
		this.writable = new WritableStream({
			write: (bytes) => new Promise((resolve) => this.stream.write(bytes, resolve)),
		});
		await this.setBaudRate(baudRate);
	}

	async setBaudRate(rate) {
		await this.board.obey(`baud ${rate}`);
	}

	async setSignals(signals) {
		Object.assign(this.lines, signals);
		await this.board.obey(`lines ${Number(this.lines.dataTerminalReady)} ${Number(this.lines.requestToSend)}`);
	}

	async close() {
		this.stream.destroy();
	}
}

const quiet = { clean() {}, writeLine() {}, write() {} };

async function withFreshBoard(chip, body, baudrate) {
	const { ESPLoader, Transport } = await import(path.join(PEER, "lib/index.js"));
	const board = new EspBoard(chip);
	const transport = new Transport(new SerialPort(board));

	transport.trace = () => {};
	try {
		await body(new ESPLoader({ transport, baudrate, terminal: quiet }), board);
		await transport.disconnect();
	} finally {
		board.end();
	}
}

/*
 * The peer gives up by the clock of a machine that may stand still, and takes an answer that came after that for
 * noise: then all of it once more, with another board. What we assert is not tried twice.
 */
async function withBoard(chip, body, baudrate = 115200) {
	for (let left = 2; ; left--) {
		try {
			return await withFreshBoard(chip, body, baudrate);
		} catch (error) {
			if (left === 0 || error.name === "AssertionError" || !/noise|timeout|timed out|connect/i.test(error.message))
				throw error;
		}
	}
}

/* ------------------------------------------------------------------ the tests */

const CHIPS = {
	esp32: { name: "ESP32", magic: 0x00f01d83, description: /ESP32.*revision[^0-9]*(v?3\.1|3)/ },
	esp32s2: { name: "ESP32-S2", magic: 0x000007c6, description: /ESP32-S2/ },
	esp32s3: { name: "ESP32-S3", magic: 0x00000009, description: /ESP32-S3.*v0\.2/ },
	esp32c3: { name: "ESP32-C3", magic: 0x1b31506f, description: /ESP32-C3.*v?0?\.?4/ },
	esp32c2: { name: "ESP32-C2", magic: 0x6f51306f, description: /ESP32-C2/ },
	esp32c6: { name: "ESP32-C6", magic: 0x2ce0806f, description: /ESP32-C6/ },
	esp32h2: { name: "ESP32-H2", magic: 0xd7b73e80, description: /ESP32-H2/, crystal: 32 },
	esp8266: { name: "ESP8266", magic: 0xfff0c101, description: /ESP8266/, crystal: 26 },
};

for (const [chip, known] of Object.entries(CHIPS)) {
	test(`${chip}: entered by both lines, synced, told, and read by registers`, () => withBoard(chip, async (loader, board) => {
		await loader.detectChip();
		assert.equal(loader.chip.CHIP_NAME, known.name);
		assert.equal((await loader.readReg(0x40001000)) >>> 0, known.magic);
		assert.match(await loader.chip.getChipDescription(loader), known.description);
		assert.match(await loader.chip.readMac(loader), /^24:0a:c4(:[0-9a-f]{2}){3}$/);
		assert.equal(await loader.chip.getCrystalFreq(loader), known.crystal || 40);
		/* Of the ESP8266 it writes registers of a length that this chip does not have. */
		if (chip !== "esp8266") {
			await loader.checkCommand("attach", 0x0d, new Uint8Array(8));
			assert.equal((await loader.readFlashId()).toString(16), "1640ef");
		}
		assert.equal((await board.state()).chip, "rom");
	}));
}

/* Both tools take an answer with another opcode and status 01 05 for "no such command". */
test("esp32: a refusal that does not name the command", () => withBoard("esp32", async (loader, board) => {
	await board.tell("knob unknown-opcode 8");
	await loader.detectChip();
	assert.equal(loader.chip.CHIP_NAME, "ESP32");
	assert.equal((await loader.readReg(0x40001000)) >>> 0, CHIPS.esp32.magic);
}));

test("a register that is written by a mask is read back", () => withBoard("esp32", async (loader) => {
	await loader.detectChip();
	await loader.writeReg(0x3ff42080, 0x12345678);
	await loader.writeReg(0x3ff42080, 0xffffffff, 0x0000ff00);
	assert.equal((await loader.readReg(0x3ff42080)) >>> 0, 0x1234ff78);
}));

/* 0xC0 and 0xDB among them, so that the escapes of both sides are judged. */
test("a program is brought into RAM, read back and started", () => withBoard("esp32c3", async (loader, board) => {
	const bytes = crypto.randomBytes(10000);

	Buffer.from([0xc0, 0xdb, 0xdc, 0xdd, 0xdb, 0xc0]).copy(bytes);
	await loader.detectChip();
	await loader.memBegin(bytes.length, 2, loader.ESP_RAM_BLOCK, 0x3fc90000);
	await loader.memBlock(new Uint8Array(bytes.subarray(0, loader.ESP_RAM_BLOCK)), 0);
	await loader.memBlock(new Uint8Array(bytes.subarray(loader.ESP_RAM_BLOCK)), 1);
	for (const at of [0, 4, 6140, 9996])
		assert.equal((await loader.readReg(0x3fc90000 + at)) >>> 0, bytes.readUInt32LE(at));
	await loader.memFinish(0x40380000);
	const state = await board.state();
	assert.equal(state.memory, bytes.length);
	assert.equal(state.entry, 0x40380000);
}));

test("a block whose checksum is wrong is refused", () => withBoard("esp32", async (loader) => {
	await loader.detectChip();
	await loader.memBegin(16, 1, loader.ESP_RAM_BLOCK, 0x3ffb0000);
	loader.checksum = () => 0;
	await assert.rejects(loader.memBlock(new Uint8Array(16), 0), /status 1,7/);
}));

for (const chip of ["esp32", "esp32c3"]) {
	test(`${chip}: the rate is raised`, () => withBoard(chip, async (loader, board) => {
		await loader.detectChip();
		await loader.changeBaud();
		assert.equal((await loader.readReg(0x40001000)) >>> 0, CHIPS[chip].magic);
		assert.ok(Math.abs((await board.state()).baud - 460800) < 460800 * 0.025);
	}, 460800));
}

async function attach(loader) {
	const parameters = Buffer.alloc(24);

	[0, 4 << 20, 0x10000, 0x1000, 0x100, 0xffff].forEach((word, i) => parameters.writeUInt32LE(word, 4 * i));
	await loader.checkCommand("attach", 0x0d, new Uint8Array(8));
	await loader.checkCommand("parameters", 0x0b, new Uint8Array(parameters));
}

async function md5(loader, offset, size) {
	const words = Buffer.alloc(16);

	words.writeUInt32LE(offset, 0);
	words.writeUInt32LE(size, 4);
	return Buffer.from(await loader.checkCommand("md5", 0x13, new Uint8Array(words), 0, 32)).toString();
}

for (const isDeflated of [false, true]) {
	test(`esp32c3: a region is ${isDeflated ? "inflated" : "written"} and summed up`, () => withBoard("esp32c3", async (loader, board) => {
		const bytes = Buffer.alloc(3000, "esptool-js ");
		const sent = isDeflated ? zlib.deflateSync(bytes) : bytes;

		await loader.detectChip();
		await attach(loader);
		loader.FLASH_WRITE_SIZE = 0x400;
		await (isDeflated ? loader.flashDeflBegin(bytes.length, sent.length, 0x10000) : loader.flashBegin(bytes.length, 0x10000));
		for (let at = 0, nth = 0; at < sent.length; at += 0x400, nth++) {
			const block = new Uint8Array(sent.subarray(at, at + 0x400));

			await (isDeflated ? loader.flashDeflBlock(block, nth, 3000) : loader.flashBlock(block, nth, 3000));
		}
		assert.deepEqual(await board.flash(0x10000, bytes.length), bytes);
		assert.equal(await md5(loader, 0x10000, bytes.length), crypto.createHash("md5").update(bytes).digest("hex"));
		assert.equal((await board.state()).badWrites, 0);
	}));
}

runTests(tests);
