/* SPDX-License-Identifier: MIT */
/*
 * test-config-problems.c - the sentence for each mistake that a configuration can hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/outcome.h"
#include "rules/config.h"
#include "unit/configuration.h"
#include "unit/problems.h"
#include "unit/rows.h"

struct bad_row {
	const char *name;
	const char *service; /* plugflash.conf */
	const char *board;   /* boards.d/10.conf, where given */
	const char *problems;
};

#define CUT                                                                                             \
	": ';' behind a blank begins a comment: write it as \\x3b in texts and [;] in patterns, leave " \
	"it out between steps, and put a comment on a line of its own\n"

#define LEFT	   "pci-0000:00:14.0-usb-0:1.2:1.0"
#define RIGHT	   "pci-0000:00:14.0-usb-0:1.3:1.0"
#define ONE_SOCKET "the PATH of one socket, as `plugflash list` shows it"
#define NO_GLOB \
	"the PATH of one socket, no glob: a slot is one place, and a rule may name several slots"
#define NO_PORT \
	"the PATH of the socket, as `plugflash list` shows it, not the port, whose number goes by the order of plugging in"
#define STEPS "steps like 'rts=1,dtr=1 100ms dtr=0 50ms'"
#define SHOWN "steps like 'dtr=1 500ms dtr=0 500ms', which take 100ms to 30s in all"
#define UNITS                                                                               \
	"1 to 16 units of systemd, each once and with its type, like zigbee2mqtt.service; " \
	".service, .socket, .timer or .path"
#define NEEDED \
	"no unit that plugflash itself needs: not its own, and none of D-Bus, polkit and systemd"
#define SECTIONS  "expected [service], [slot NAME] or [board NAME]"
#define SLOT_NAME "expected a name of 1 to 63 letters, digits, '.', '_' or '-' after 'slot'\n"

static const struct bad_row bads[] = {
	{"config: a good one", "[service]\n", GOOD, ""},
	{"config: no boards is no mistake", "", NULL, ""},
	{"config: boards in plugflash.conf", GOOD, NULL, ""},
	{"fault 48: unknown section", "[servce]\n[boards a]\n[service x]\n[Board b]\n[gate]\n",
		NULL,
		"/plugflash.conf:1: [servce] " SECTIONS "; is it 'service'?\n"
		"/plugflash.conf:2: [boards a] " SECTIONS "; is it 'board'?\n"
		"/plugflash.conf:3: [service x] " SECTIONS "\n"
		"/plugflash.conf:4: [Board b] " SECTIONS "; is it 'board'?\n"
		"/plugflash.conf:5: [gate] " SECTIONS "\n"},
	{"fault 48: unknown key", "[service]\nimages-dir=/x\n", GOOD "bauds=1\nReset=dtr\n",
		"/plugflash.conf:2: [service] images-dir: there is no such key; is it "
		"'image-dir'?\n"
		"/boards.d/10.conf:4: [board a] bauds: there is no such key; is it 'baud'?\n"
		"/boards.d/10.conf:5: [board a] Reset: there is no such key; is it 'reset'?\n"},
	{"fault 48: duplicate board in another file", GOOD, GOOD,
		"/boards.d/10.conf:1: [board a] stands already in %s/plugflash.conf, line 1\n"},
	{"fault 48: duplicate service", "[service]\nmax-jobs=1\n[service]\n", NULL,
		"/plugflash.conf:3: [service] stands already in %s/plugflash.conf, line 1\n"},
	{"fault 48: duplicate key", "", GOOD "chip=0x414\n",
		"/boards.d/10.conf:4: [board a] chip: stands already in line 2\n"},
	{"fault 48: bytes that are none of text", "\xEF\xBB\xBF[service]\r\nmax-jobs=\xFF\n", NULL,
		"/plugflash.conf:1: the line ends in CR LF; save the file with Unix line ends\n"
		"/plugflash.conf:1: the file begins with a byte order mark; save it as UTF-8 "
		"without one\n"
		"/plugflash.conf:2: [service] the line is not UTF-8\n"},
	{"config: values of the service",
		"[service]\nimage-dir=images\nmax-jobs=1001\nsettle=61s\nrequire-signature=maybe\n"
		"trusted-keys=\n",
		NULL,
		"/plugflash.conf:2: [service] image-dir: expected an absolute path, got 'images'\n"
		"/plugflash.conf:3: [service] max-jobs: expected a number from 0 (no limit) to "
		"1000, got '1001'\n"
		"/plugflash.conf:4: [service] settle: expected a duration from 0 to 60s, like "
		"500ms or 2s, got '61s'\n"
		"/plugflash.conf:5: [service] require-signature: expected yes or no, got 'maybe'\n"
		"/plugflash.conf:6: [service] trusted-keys: expected an absolute path, got ''\n"},
	{"config: image and chip are required", "[board a]\n", NULL,
		"/plugflash.conf:1: [board a] image: expected a glob below image-dir, but the key "
		"is missing\n"
		"/plugflash.conf:1: [board a] chip: expected the product ids or names of the chips "
		"it may be, but the key is missing\n"},
	{"config: a board without a name", "[board]\nchip=1\nimage=a\n", NULL,
		"/plugflash.conf:1: [board] expected a name of 1 to 63 letters, digits, '.', '_' "
		"or "
		"'-' after 'board'\n"},
	{"config: a board with two names", "[board kiosk gate]\nchip=1\nimage=a\n", NULL,
		"/plugflash.conf:1: [board kiosk gate] expected a name of 1 to 63 letters, digits, "
		"'.', '_' or '-' after 'board'\n"},
	{"fault 52: a board with a name for another field", "[board a'%n\\]\nchip=1\nimage=a\n",
		NULL,
		"/plugflash.conf:1: [board a\\x27%n\\x5c] expected a name of 1 to 63 letters, "
		"digits, '.', '_' or '-' after 'board'\n"},
	{"config: ids", GOOD "usb-id = 10c4 ea60\n", NULL,
		"/plugflash.conf:4: [board a] usb-id: expected a list of vendor:product, four "
		"hexadecimal digits each, like 10c4:ea60, got '10c4 ea60'\n"},
	{"config: an id too short", GOOD "usb-id = 10c4:ea6\n", NULL,
		"/plugflash.conf:4: [board a] usb-id: expected a list of vendor:product, four "
		"hexadecimal digits each, like 10c4:ea60, got '10c4:ea6'\n"},
	{"config: an id that is none", GOOD "usb-id = 10c4:ea60 0x10:ea60\n", NULL,
		"/plugflash.conf:4: [board a] usb-id: expected a list of vendor:product, four "
		"hexadecimal digits each, like 10c4:ea60, got '10c4:ea60 0x10:ea60'\n"},
	{"config: empty globs", GOOD "serial=\npath=\n", NULL,
		"/plugflash.conf:4: [board a] serial: expected a text or a glob like 'A1*'; leave "
		"the key out for any, got ''\n"
		"/plugflash.conf:5: [board a] path: expected a text or a glob like 'A1*'; leave "
		"the key out for any, got ''\n"},
	{"config: owners that are no units",
		GOOD "port-owner=\n[board b]\nchip=1\nimage=b\nport-owner=zigbee2mqtt\n"
		     "[board c]\nchip=1\nimage=c\nport-owner=a.service, b.target\n"
		     "[board d]\nchip=1\nimage=d\nport-owner=a.service a.service\n"
		     "[board e]\nchip=1\nimage=e\nport-owner=.service\n"
		     "[board f]\nchip=1\nimage=f\nport-owner=../a.service\n",
		NULL,
		"/plugflash.conf:4: [board a] port-owner: expected " UNITS ", got ''\n"
		"/plugflash.conf:8: [board b] port-owner: expected " UNITS ", got 'zigbee2mqtt'\n"
		"/plugflash.conf:12: [board c] port-owner: expected " UNITS
		", got 'a.service, b.target'\n"
		"/plugflash.conf:16: [board d] port-owner: expected " UNITS
		", got 'a.service a.service'\n"
		"/plugflash.conf:20: [board e] port-owner: expected " UNITS ", got '.service'\n"
		"/plugflash.conf:24: [board f] port-owner: expected " UNITS
		", got '../a.service'\n"},
	{"config: an owner that is a template, or needed",
		GOOD "port-owner=ha@.service\n[board b]\nchip=1\nimage=b\n"
		     "port-owner=a.service plugflashd.service\n"
		     "[board c]\nchip=1\nimage=c\nport-owner=systemd-logind.service\n"
		     "[board d]\nchip=1\nimage=d\nport-owner=dbus.socket\n",
		NULL,
		"/plugflash.conf:4: [board a] port-owner: expected the name of an instance, like "
		"home-assistant@homeassistant.service: a template alone does not run, got "
		"'ha@.service'\n"
		"/plugflash.conf:8: [board b] port-owner: expected " NEEDED
		", got 'a.service plugflashd.service'\n"
		"/plugflash.conf:12: [board c] port-owner: expected " NEEDED
		", got 'systemd-logind.service'\n"
		"/plugflash.conf:16: [board d] port-owner: expected " NEEDED
		", got 'dbus.socket'\n"},
	{"config: chips", "[board a]\nimage=a\nchip=0x100010410\n[board b]\nimage=b\nchip=,\n",
		NULL,
		"/plugflash.conf:3: [board a] chip: expected a list of product ids or names of "
		"chips, like 0x414 or F103xC, got '0x100010410'\n"
		"/plugflash.conf:6: [board b] chip: expected a list of product ids or names of "
		"chips, like 0x414 or F103xC, got ','\n"},
	{"config: too slow, too fast, not a number",
		GOOD "baud=1199\n[board b]\nchip=1\nimage=b\nbaud=115200,3000001\n"
		     "[board c]\nchip=1\nimage=b\nbaud=fast\n",
		NULL,
		"/plugflash.conf:4: [board a] baud: expected a list of speeds from 1200 to "
		"3000000, "
		"like 115200, 57600, got '1199'\n"
		"/plugflash.conf:8: [board b] baud: expected a list of speeds from 1200 to "
		"3000000, "
		"like 115200, 57600, got '115200,3000001'\n"
		"/plugflash.conf:12: [board c] baud: expected a list of speeds from 1200 to "
		"3000000, like 115200, 57600, got 'fast'\n"},
	{"config: what a protected chip cannot do",
		GOOD "readout-protection=set\nstart=go\n[board b]\nchip=1\nimage=b\n"
		     "readout-protection=set\nkeep=0x0803F800+2K\n[board c]\nchip=1\nimage=c\n"
		     "readout-protection=set\nentry=command\nentry-command=x\n"
		     "[board d]\nprotocol=ymodem\nimage=d\nreadout-protection=set\n",
		NULL,
		"/plugflash.conf:5: [board a] start: expected reset or none: a chip that "
		"readout-protection = set protects refuses go, got 'go'\n"
		"/plugflash.conf:10: [board b] keep: expected nothing: with readout-protection = "
		"set every update wipes the whole chip, got '0x0803F800+2K'\n"
		"/plugflash.conf:11: [board c] start: expected reset or none: a chip that "
		"readout-protection = set protects refuses go, but the key is missing\n"
		"/plugflash.conf:20: [board d] readout-protection: expected nothing: a loader that "
		"takes files cannot tell or change it, got 'set'\n"},
	{"config: slips of the finger",
		GOOD "quarantine_after=2\nretry-dealy=1s\nbaudrate=9600\nsettle=1s\nkeeep=x\n"
		     "ab=1\nabcdefghijklmnopqrstuvwxyzabcdefghijk=1\nmanu=1\nconfirm-wihtin=2s\n",
		NULL,
		"/plugflash.conf:4: [board a] quarantine_after: there is no such key; is it "
		"'quarantine-after'?\n"
		"/plugflash.conf:5: [board a] retry-dealy: there is no such key; is it "
		"'retry-delay'?\n"
		"/plugflash.conf:6: [board a] baudrate: there is no such key\n"
		"/plugflash.conf:7: [board a] settle: there is no such key here: it is one of [service]\n"
		"/plugflash.conf:8: [board a] keeep: there is no such key; is it 'keep'?\n"
		"/plugflash.conf:9: [board a] ab: there is no such key\n"
		"/plugflash.conf:10: [board a] abcdefghijklmnopqrstuvwxyzabcdefghijk: there is no "
		"such key\n"
		"/plugflash.conf:11: [board a] manu: there is no such key; is it 'menu'?\n"
		"/plugflash.conf:12: [board a] confirm-wihtin: there is no such key; is it "
		"'confirm-within'?\n"},
	{"config: what other formats of INI allow",
		"[board a]\nchip=1\nimage=\"a*\"\nserial='0001'\nproduct=Gate # left\n"
		"[board b]\nchip=1\nimage=a/\nserial=\"\nproduct=Gate #2 \"x\" 'y'\n"
		"[board c]\nchip=1\nimage=b # c\n",
		NULL,
		"/plugflash.conf:3: [board a] image: expected no quotes around it: they would be "
		"a part of it, got '\\x22a*\\x22'\n"
		"/plugflash.conf:4: [board a] serial: expected no quotes around it: they would be "
		"a part of it, got '\\x270001\\x27'\n"
		"/plugflash.conf:5: [board a] product: expected a comment behind it to begin with "
		"' ;', not with #, got 'Gate # left'\n"
		"/plugflash.conf:8: [board b] image: expected the name of a file, not of a "
		"folder, got 'a/'\n"
		"/plugflash.conf:13: [board c] image: expected a comment behind it to begin with "
		"' ;', not with #, got 'b # c'\n"},
	{"config: data of the units without a place or a source",
		GOOD "serialize=0x0800FC00+8\n[board b]\nimage=b\nprotocol=ymodem\n"
		     "serialize=0x0800FC00+8 decimal 1\n",
		NULL,
		"/plugflash.conf:4: [board a] serialize: expected address+size (1 to 64 bytes), "
		"and decimal, hex or binary with the first number, or text or bytes with the path "
		"of a file, like 0x0800FC00+8 decimal 1000, got '0x0800FC00+8'\n"
		"/plugflash.conf:8: [board b] serialize: expected nothing: a loader that takes "
		"files does not say which unit it is on, got '0x0800FC00+8 decimal 1'\n"},
	{"config: a command that is missing",
		GOOD "entry=command\n[board b]\nchip=1\nimage=b\nentry-command=x\nentry-reply=y\n",
		NULL,
		"/plugflash.conf:1: [board a] entry-command: expected what to send to the "
		"application, but the key is missing\n"
		"/plugflash.conf:8: [board b] entry-command: expected nothing without entry = "
		"command, got 'x'\n"
		"/plugflash.conf:9: [board b] entry-reply: expected nothing without entry = "
		"command, got 'y'\n"},
	{"config: what a loader that takes files has no use for",
		GOOD "protocol=ymodem\nreadout-protection=clear\n[board b]\nimage=b\n"
		     "protocol=xmodem\nmenu-upload=send \"2\"\nclosing-header=no\n"
		     "keep=0x0803F800+2K\n",
		NULL,
		"/plugflash.conf:2: [board a] chip: expected nothing: take the key out, as a "
		"loader that takes files does not say its chip, got '0x410'\n"
		"/plugflash.conf:5: [board a] readout-protection: expected nothing: a loader that "
		"takes files cannot tell or change it, got 'clear'\n"
		"/plugflash.conf:11: [board b] keep: expected nothing without address: where the "
		"loader puts the image is not known, got '0x0803F800+2K'\n"
		"/plugflash.conf:9: [board b] menu-upload: expected nothing: only protocol = "
		"ymodem can receive the flash again, got 'send \\x222\\x22'\n"
		"/plugflash.conf:10: [board b] closing-header: expected nothing: only protocol = "
		"ymodem has headers, got 'no'\n"},
	{"config: what only a loader that takes files has a use for",
		GOOD "menu=st-iap\nblock-size=128\naccept-unverified=yes\nversion-pattern=x\n"
		     "confirm=x\nstart=none\nconfirm-within=1s\n",
		NULL,
		"/plugflash.conf:4: [board a] menu: expected nothing: only protocol = ymodem or "
		"xmodem has a use for it, got 'st-iap'\n"
		"/plugflash.conf:5: [board a] block-size: expected nothing: only protocol = "
		"ymodem or xmodem has a use for it, got '128'\n"
		"/plugflash.conf:6: [board a] accept-unverified: expected nothing: only what "
		"protocol = ymodem or xmodem wrote cannot be read back, got 'yes'\n"
		"/plugflash.conf:7: [board a] version-pattern: expected nothing: protocol = stm32 "
		"reads back what the chip holds, got 'x'\n"
		"/plugflash.conf:8: [board a] confirm: expected nothing: start = none starts no "
		"application that could say something, got 'x'\n"},
	{"config: a proof that the loader cannot give",
		GOOD "verify=digest\n[board b]\nimage=b\nprotocol=xmodem\nverify=upload\n"
		     "[board c]\nimage=c\nprotocol=ymodem\nverify=read-back\n",
		NULL,
		"/plugflash.conf:4: [board a] verify: expected sums or read-back: protocol = stm32 gives "
		"nothing else, got 'digest'\n"
		"/plugflash.conf:8: [board b] verify: expected confirm or loader: protocol = "
		"xmodem sends nothing back, got 'upload'\n"
		"/plugflash.conf:12: [board c] verify: expected upload, confirm or loader: "
		"protocol = ymodem gives nothing else, got 'read-back'\n"},
	{"config: a proof that another key is missing for",
		"[board a]\nimage=a\nprotocol=ymodem\nverify=upload\n"
		"[board b]\nimage=b\nprotocol=xmodem\nverify=confirm\n"
		"[board c]\nimage=c\nprotocol=ymodem\nmenu=st-iap\nverify=upload\n"
		"accept-unverified=yes\nversion-pattern=x\n"
		"[board d]\nimage=d\nprotocol=xmodem\nverify=loader\naccept-unverified=yes\n",
		NULL,
		"/plugflash.conf:4: [board a] verify: expected a `menu-upload` beside it, or "
		"less, got 'upload'\n"
		"/plugflash.conf:8: [board b] verify: expected a `confirm` beside it, or less, "
		"got 'confirm'\n"
		"/plugflash.conf:14: [board c] accept-unverified: expected no beside this verify, "
		"which says what is enough, got 'yes'\n"
		"/plugflash.conf:15: [board c] version-pattern: expected nothing with verify = "
		"upload: a version shows nothing of the flash, got 'x'\n"},
	{"config: a proof that there is not",
		GOOD "verify=version\n[board b]\nimage=b\nprotocol=xmodem\nverify=\n", NULL,
		"/plugflash.conf:4: [board a] verify: expected read-back, digest, upload, confirm "
		"or loader, got 'version'\n"
		"/plugflash.conf:8: [board b] verify: expected read-back, digest, upload, confirm "
		"or loader, got ''\n"},
	{"config: going back without a word to go by", GOOD "rollback=yes\n", NULL,
		"/plugflash.conf:4: [board a] rollback: expected no, or `application` or `confirm` "
		"beside it, got 'yes'\n"},
	{"config: going back by what an ESP says itself",
		"[board a]\nimage=a\nprotocol=esp\nchip=esp32\nrollback=yes\n", NULL, ""},
	{"config: a floor that nothing raises", GOOD "anti-rollback=yes\n", NULL,
		"/plugflash.conf:4: [board a] anti-rollback: expected no, or require-signature = "
		"yes in [service], got 'yes'\n"},
	{"config: going back or not", GOOD "confirm=x\nrollback=perhaps\n", NULL,
		"/plugflash.conf:5: [board a] rollback: expected yes or no, got 'perhaps'\n"},
	{"config: a faster way or not", GOOD "stub=always\nbursts=trial\n", NULL,
		"/plugflash.conf:4: [board a] stub: expected auto, yes or no, got 'always'\n"
		"/plugflash.conf:5: [board a] bursts: expected auto, yes or no, got 'trial'\n"},
	{"config: no such program for a loader of files",
		"[board a]\nimage=a\nprotocol=ymodem\nstub=yes\n", NULL,
		"/plugflash.conf:4: [board a] stub: expected nothing: only protocol = stm32 has such a program, got 'yes'\n"},
	{"config: a ; behind a blank in texts",
		"[board a] ; c\nimage=a ; c\nprotocol=ymodem ;c\nentry=command\n"
		"entry-command=SET 1 ;BOOT\nentry-reply=x ;\nmenu=send \"1\" ; expect \"a\"\n"
		"menu-start=send \"1;2\";100ms\nconfirm=OK\n  or ;not\n"
		"confirm-query=A;B\\x20\\x3b\nversion-pattern=a[ ][;]b\n"
		"version-query=a:b ;c\nversion-in-name=:(.*)\t;\nmenu-upload=send \"a;\"\n",
		NULL,
		"/plugflash.conf:14: [board a] version-in-name" CUT "/plugflash.conf:5: [board a] "
		"entry-command" CUT "/plugflash.conf:6: [board a] entry-reply" CUT
		"/plugflash.conf:13: [board a] version-query" CUT
		"/plugflash.conf:7: [board a] menu" CUT
		"/plugflash.conf:10: [board a] confirm" CUT},
	{"config: patterns have a bound",
		"[board a]\nimage=a\nprotocol=ymodem\nentry=command\nentry-command=x\n"
		"version-in-name=a++++\nentry-reply=(a)\\1\nconfirm=(a{99}){99}\n"
		"version-pattern=a**\nmenu-after=expect \"(a+)++\"\n",
		NULL,
		"/plugflash.conf:6: [board a] version-in-name: expected a pattern without a repetition "
		"right behind another, like a++, got 'a++++'\n"
		"/plugflash.conf:7: [board a] entry-reply: expected a pattern without back references, "
		"like \\1, got '(a)\\x5c1'\n"
		"/plugflash.conf:8: [board a] confirm: expected a pattern with less repetition: written "
		"out it has more than 500 parts, got '(a{99}){99}'\n"
		"/plugflash.conf:9: [board a] version-pattern: expected a pattern without a repetition "
		"right behind another, like a++, got 'a**'\n"
		"/plugflash.conf:10: [board a] menu-after: expected a pattern without a repetition right "
		"behind another, like a++, got 'expect \\x22(a+)++\\x22'\n"},
	{"config: values of a conversation",
		"[board a]\nimage=a\nprotocol=ymodem\nmenu=st\nmenu-after=expect\n"
		"menu-start=expect \"(\"\nblock-size=256\nsize=4\nconfirm=[\n"
		"confirm-format=7e1\nconfirm-baud=1\nerase-within=0\nanswer-within=11min\n"
		"version-query=\\q\n",
		NULL,
		"/plugflash.conf:4: [board a] menu: expected st-iap, gecko, or steps like 'expect "
		"\"BL >\" send \"1\"', got 'st'\n"
		"/plugflash.conf:5: [board a] menu-after: expected steps like 'expect \"BL >\" "
		"send \"1\" 100ms' (texts in double quotes with C escapes, waits of at most 60s), "
		"got 'expect'\n"
		"/plugflash.conf:6: [board a] menu-start: expected an extended regular expression, "
		"like 'version [0-9.]+', got 'expect \\x22(\\x22'\n"
		"/plugflash.conf:7: [board a] block-size: expected 128, 1024 or mixed, got "
		"'256'\n"
		"/plugflash.conf:8: [board a] size: expected a size from 8 to 16M, like 224K, got "
		"'4'\n"
		"/plugflash.conf:9: [board a] confirm: expected an extended regular expression, "
		"like 'version [0-9.]+', got '['\n"
		"/plugflash.conf:10: [board a] confirm-format: expected 8n1 or 8e1, got '7e1'\n"
		"/plugflash.conf:11: [board a] confirm-baud: expected a speed from 1200 to "
		"3000000, got '1'\n"
		"/plugflash.conf:12: [board a] erase-within: expected a duration from 1ms to "
		"10min, like 500ms or 5s, got '0'\n"
		"/plugflash.conf:13: [board a] answer-within: expected a duration from 1ms to "
		"10min, like 500ms or 5s, got '11min'\n"
		"/plugflash.conf:14: [board a] version-query: expected a text of 1 to 256 bytes "
		"with C escapes, like BOOT\\r\\n, got '\\x5cq'\n"
		"/plugflash.conf:14: [board a] version-query: expected nothing without "
		"version-pattern, got '\\x5cq'\n"},
	{"config: a question for a confirmation that is not asked for", GOOD "confirm-query=V\\r\n",
		NULL,
		"/plugflash.conf:4: [board a] confirm-query: expected nothing without confirm, got "
		"'V\\x5cr'\n"},
	{"config: words that are none of a key's",
		GOOD "protocol=stm8\nentry=boot\nvector-table=no\nupdate=Newer\n"
		     "readout-protection=yes\nstart=run\n",
		NULL,
		"/plugflash.conf:4: [board a] protocol: expected stm32, esp, bsl, ymodem or xmodem, got "
		"'stm8'\n"
		"/plugflash.conf:5: [board a] entry: expected lines, command, none, or one or more of ezsp, cpc, spinel and zwave, which the application speaks, got 'boot'\n"
		"/plugflash.conf:6: [board a] vector-table: expected check or ignore, got 'no'\n"
		"/plugflash.conf:7: [board a] update: expected different, newer or always, got "
		"'Newer'\n"
		"/plugflash.conf:8: [board a] readout-protection: expected refuse, clear or set, "
		"got 'yes'\n"
		"/plugflash.conf:9: [board a] start: expected reset, go or none, got 'run'\n"},
	{"config: numbers", GOOD "address=0x100000000\nretries=21\nretry-delay=5\n", NULL,
		"/plugflash.conf:4: [board a] address: expected an address like 0x08000000, got "
		"'0x100000000'\n"
		"/plugflash.conf:5: [board a] retries: expected a number from 0 to 20, got '21'\n"
		"/plugflash.conf:6: [board a] retry-delay: expected a duration from 0 to 60s, like "
		"500ms or 2s, got '5'\n"},
	{"config: keep beyond the addresses", GOOD "keep = 0x08000000+1K 0xFFFFFC00+1025\n", NULL,
		"/plugflash.conf:4: [board a] keep: expected a list of address+size below 4 GiB, "
		"like 0x0803F800+2K, got '0x08000000+1K 0xFFFFFC00+1025'\n"},
	{"config: quotes of another format",
		GOOD "entry = command\nentry-command = \"BOOT\\r\"\nconfirm = 'ready'\n"
		     "entry-reply = \"a\":\"b\"\n",
		NULL,
		"/plugflash.conf:5: [board a] entry-command: expected no quotes around it: they would be sent (\\x22 and \\x27 are quotes that are meant), got '\\x22BOOT\\x5cr\\x22'\n"
		"/plugflash.conf:6: [board a] confirm: expected no quotes around it: they would be a part of it (write [\"] or ['] for one that is meant), got '\\x27ready\\x27'\n"},
	{"config: keep in decimal digits", GOOD "keep = 08010000+1K\n", NULL,
		"/plugflash.conf:4: [board a] keep: expected a list of address+size below 4 GiB, "
		"like 0x0803F800+2K, got '08010000+1K'\n"},
	{"config: keep of nothing", GOOD "keep = 0x08000000+0\n", NULL,
		"/plugflash.conf:4: [board a] keep: expected a list of address+size below 4 GiB, "
		"like 0x0803F800+2K, got '0x08000000+0'\n"},
	{"config: keep without a size", GOOD "keep = 0x08000000\n", NULL,
		"/plugflash.conf:4: [board a] keep: expected a list of address+size below 4 GiB, "
		"like 0x0803F800+2K, got '0x08000000'\n"},
	{"config: keep of two sizes", GOOD "keep = 0x08000000+1+1\n", NULL,
		"/plugflash.conf:4: [board a] keep: expected a list of address+size below 4 GiB, "
		"like 0x0803F800+2K, got '0x08000000+1+1'\n"},
	{"fault 31: an image outside of the directory, absolute",
		"[board a]\nchip=1\nimage=/etc/x\n", NULL,
		"/plugflash.conf:3: [board a] image: expected a glob below image-dir, without a "
		"leading / and without .., got '/etc/x'\n"},
	{"fault 31: an image outside of the directory, by dots",
		"[board a]\nchip=1\nimage=x/../../y*.hex\n", NULL,
		"/plugflash.conf:3: [board a] image: expected a glob below image-dir, without a "
		"leading / and without .., got 'x/../../y*.hex'\n"},
	{"fault 31: an image outside of the directory, dots at the end",
		"[board a]\nchip=1\nimage=x/..\n", NULL,
		"/plugflash.conf:3: [board a] image: expected a glob below image-dir, without a "
		"leading / and without .., got 'x/..'\n"},
	{"config: dots in a name are not a way out", "[board a]\nchip=1\nimage=..x/y../a..b.hex\n",
		NULL, ""},
	{"config: wirings that contradict themselves",
		GOOD
		"reset=rts\n[board b]\nchip=1\nimage=b\nwiring=esp\nboot=rts\n"
		"[board c]\nchip=1\nimage=c\nenter=dtr=1\n[board d]\nchip=1\nimage=d\nenter=dtr=1\n"
		"leave=x\n",
		NULL,
		"/plugflash.conf:1: [board a] boot: expected another line than that of reset, but "
		"the key is missing\n"
		"/plugflash.conf:9: [board b] boot: expected nothing: only wiring = direct has a "
		"line for it, got 'rts'\n"
		"/plugflash.conf:10: [board c] leave: expected steps, or one of wiring, reset and "
		"boot beside it: enter has raw ones, and no wiring says how to leave, but the key is missing\n"
		"/plugflash.conf:18: [board d] leave: expected steps like 'rts=1,dtr=1 100ms dtr=0 "
		"50ms', got 'x'\n"},
	{"config: a board that shows itself", GOOD "identify=dtr=1 10s dtr=0 10s dtr=1 10s\n", NULL,
		""},
	{"config: it shows itself without waiting", GOOD "identify=dtr=1 90ms dtr=0 9ms\n", NULL,
		"/plugflash.conf:4: [board a] identify: expected " SHOWN
		", got 'dtr=1 90ms dtr=0 9ms'\n"},
	{"config: it shows itself for too long",
		GOOD "identify=dtr=1 10s dtr=0 10s dtr=1 10s dtr=0 1ms\n", NULL,
		"/plugflash.conf:4: [board a] identify: expected " SHOWN
		", got 'dtr=1 10s dtr=0 10s dtr=1 10s dtr=0 1ms'\n"},
	{"config: it shows itself by words of another key",
		GOOD "identify=dtr 500ms\n[board b]\nchip=1\nimage=b\nidentify=\n", NULL,
		"/plugflash.conf:4: [board a] identify: expected " STEPS ", got 'dtr 500ms'\n"
		"/plugflash.conf:8: [board b] identify: expected " STEPS ", got ''\n"},
	{"config: no line, and yet by lines", GOOD "reset=none\nboot=none\n", NULL,
		"/plugflash.conf:5: [board a] boot: expected a line for reset or boot, or else "
		"entry = none, got 'none'\n"},
	{"config: no line, by a jumper", GOOD "reset=none\nboot=none\nentry=none\n", NULL, ""},
	{"fault 52: values are quoted, escaped and bounded",
		GOOD "baud=%n%s'\"\\\n[board b]\nchip=1\nimage=b\n"
		     "baud=0123456789012345678901234567890123456789012345678901234567890123456789"
		     "0123456789%n\n",
		NULL,
		"/plugflash.conf:4: [board a] baud: expected a list of speeds from 1200 to "
		"3000000, "
		"like 115200, 57600, got '%n%s\\x27\\x22\\x5c'\n"
		"/plugflash.conf:8: [board b] baud: expected a list of speeds from 1200 to "
		"3000000, "
		"like 115200, 57600, got "
		"'0123456789012345678901234567890123456789012345678901234567890123456789012345...'"
		"\n"},
	{"slot: a good one, behind the rule that names it", GOOD "slot = A1 A2, A3\n",
		"[slot A1]\npath=" LEFT "\n[slot A2]\npath=" RIGHT "\n[slot A3]\npath=x\n", ""},
	{"slot: one that no rule names", "[slot A1]\npath=" LEFT "\n", NULL, ""},
	{"slot: a name twice", "[slot A1]\npath=" LEFT "\n", "[slot A1]\npath=" RIGHT "\n",
		"/boards.d/10.conf:1: [slot A1] stands already in %s/plugflash.conf, line 1\n"},
	{"slot: a place twice", "[slot A1]\npath=" LEFT "\n", "[slot A2]\npath=" LEFT "\n",
		"/boards.d/10.conf:2: [slot A2] path: is the place of [slot A1] already, which "
		"stands in %s/plugflash.conf, line 1\n"},
	{"slot: no place", "[slot A1]\n[slot A2]\npath=\n", NULL,
		"/plugflash.conf:1: [slot A1] path: expected " ONE_SOCKET
		", but the key is missing\n"
		"/plugflash.conf:3: [slot A2] path: expected " ONE_SOCKET ", got ''\n"},
	{"slot: no place that udev names", "[slot A1]\npath=usb 1\n[slot A2]\npath='x'\n", NULL,
		"/plugflash.conf:2: [slot A1] path: expected " ONE_SOCKET ", got 'usb 1'\n"
		"/plugflash.conf:4: [slot A2] path: expected " ONE_SOCKET ", got '\\x27x\\x27'\n"},
	{"slot: a glob is no place", "[slot A1]\npath=*-usb-0:1.2:1.0\n[slot A2]\npath=usb-[12]\n",
		NULL,
		"/plugflash.conf:2: [slot A1] path: expected " NO_GLOB ", got '*-usb-0:1.2:1.0'\n"
		"/plugflash.conf:4: [slot A2] path: expected " NO_GLOB ", got 'usb-[12]'\n"},
	{"slot: names that are none", "[slot]\npath=a\n[slot A 1]\npath=b\n[slot A/1]\npath=c\n",
		NULL,
		"/plugflash.conf:1: [slot] " SLOT_NAME "/plugflash.conf:3: [slot A 1] " SLOT_NAME
		"/plugflash.conf:5: [slot A/1] " SLOT_NAME},
	{"slot: other keys", "[slot A1]\npath=a\npaht=b\nboard=gate\n", NULL,
		"/plugflash.conf:3: [slot A1] paht: there is no such key; is it 'path'?\n"
		"/plugflash.conf:4: [slot A1] board: there is no such key\n"},
	{"slot: a rule with slot and path", "[slot A1]\npath=a\n", GOOD "path=a\nslot=A1\n",
		"/boards.d/10.conf:5: [board a] slot: expected no `path` beside it: each says "
		"where the board is plugged in, got 'A1'\n"},
	{"slot: a rule with none", "", GOOD "slot=,\n",
		"/boards.d/10.conf:4: [board a] slot: expected names of slots, blanks between "
		"them; leave the key out for any, got ','\n"},
	{"slot: a port is no path", "[slot A1]\npath=ttyUSB0\n[slot A2]\npath=/dev/ttyUSB1\n", "",
		"/plugflash.conf:2: [slot A1] path: expected " NO_PORT ", got 'ttyUSB0'\n"
		"/plugflash.conf:4: [slot A2] path: expected " NO_PORT ", got '/dev/ttyUSB1'\n"},
	{"slot: a rule with one that is not there, and none is", "", GOOD "slot=A1\n",
		"/boards.d/10.conf:4: [board a] slot: there is no [slot A1]: a slot is a section "
		"of its own, whose `path` is that of `plugflash list`\n"},
	{"slot: a rule with slips of the finger",
		"[slot left-1]\npath=a\n[slot A1]\npath=b\n[slot B12]\npath=c\n",
		GOOD "slot=A1 a1 lfet-1 B1 A*\n",
		"/boards.d/10.conf:4: [board a] slot: there is no [slot a1]; the nearest name is "
		"'A1'\n"
		"/boards.d/10.conf:4: [board a] slot: there is no [slot lfet-1]; the nearest name "
		"is 'left-1'\n"
		"/boards.d/10.conf:4: [board a] slot: there is no [slot B1]; the nearest name is "
		"'A1'\n"
		"/boards.d/10.conf:4: [board a] slot: there is no [slot A*]; the nearest name is "
		"'A1'\n"},
	{"slot: a name twice in a rule", "[slot A1]\npath=a\n[slot A2]\npath=b\n",
		GOOD "slot=A1 A2 A1\n",
		"/boards.d/10.conf:4: [board a] slot: 'A1' stands there twice: is another slot "
		"meant?\n"},
	{"slot: a path is no name", "[slot A1]\npath=a-b\n", GOOD "slot=a-b\n",
		"/boards.d/10.conf:4: [board a] slot: there is no [slot a-b]; the nearest name is "
		"'A1'\n"},
	{"slot: a slot with a mistake is there all the same", "[slot A1]\npath=*\n",
		GOOD "slot=A1\n",
		"/plugflash.conf:2: [slot A1] path: expected " NO_GLOB ", got '*'\n"},
	{"config: mistakes of all files at once", "[service]\nx=1\nhello\n",
		"y=1\n[board a]\nz=1\n",
		"/plugflash.conf:3: [service] expected 'key = value', a [heading] or a comment, "
		"got "
		"'hello'\n"
		"/boards.d/10.conf:1: an entry before the first [heading]\n"
		"/plugflash.conf:2: [service] x: there is no such key\n"
		"/boards.d/10.conf:3: [board a] z: there is no such key\n"
		"/boards.d/10.conf:2: [board a] image: expected a glob below image-dir, but the "
		"key "
		"is missing\n"
		"/boards.d/10.conf:2: [board a] chip: expected the product ids or names of the "
		"chips it may be, but the key is missing\n"},
};

static void bad_row_holds(void **state)
{
	const struct bad_row *row = *state;
	struct config config = {.n_boards = 77};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};
	char *refused CLEANUP(freep) = NULL;
	const char *folder_at = strstr(row->problems, "in %s/");
	char want[4096];
	int r;

	put_configuration(row->service, row->board);
	r = config_load(folder, &config, &problems);
	refused = dump_problems(&problems, folder);
	if (folder_at)
		snprintf(want, sizeof(want), "%.*sin %s%s", (int)(folder_at - row->problems),
			row->problems, folder, folder_at + strlen("in %s"));
	else
		snprintf(want, sizeof(want), "%s", row->problems);
	assert_string_equal(refused, want);
	assert_int_equal(r, row->problems[0] ? OUTCOME_BAD_CONFIG : 0);
	/* What was in force stays as it is. */
	if (r != 0)
		assert_int_equal(config.n_boards, 77);
	else
		config_done(&config);
}

int main(void)
{
	struct CMUnitTest tests[80];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, bads, bad_row_holds);
	return _cmocka_run_group_tests(
		"config-problems", tests, n_tests, folder_make, folder_remove);
}
