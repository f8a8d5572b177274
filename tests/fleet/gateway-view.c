/* SPDX-License-Identifier: MIT */
/* gateway-view.c - the objects of a gateway that is not there, by plugflash-bus(5). */
#include <inttypes.h>
#include <string.h>

#include "base/names.h"
#include "fleet/gateway-private.h"
#include "image/digest.h"

void view_bridge_path_of(unsigned number, char to[static GATEWAY_PATH_MAX])
{
	snprintf(to, GATEWAY_PATH_MAX, "%s%u", BUS_PATH_BRIDGE "/", number + 1);
}

void view_slot_path_of(unsigned number, char to[static GATEWAY_PATH_MAX])
{
	snprintf(to, GATEWAY_PATH_MAX, "%s%u", BUS_PATH_SLOT "/", number + 1);
}

void view_job_path_of(const struct store_attempt *attempt, char to[static GATEWAY_PATH_MAX])
{
	snprintf(to, GATEWAY_PATH_MAX, "%s%s", BUS_PATH_JOB "/", attempt->job);
}

static void set_text(struct dict *dict, const char *name, const char *value)
{
	assert_int_equal(dict_set_text(dict, name, value), 0);
}

static void set_number(struct dict *dict, const char *name, uint32_t value)
{
	assert_int_equal(dict_set_number(dict, name, value), 0);
}

static void set_long(struct dict *dict, const char *name, int64_t value)
{
	assert_int_equal(dict_set_long(dict, name, (uint64_t)value), 0);
}

static void set_flag(struct dict *dict, const char *name, bool value)
{
	assert_int_equal(dict_set_flag(dict, name, value), 0);
}

void view_manager_of(const struct gateway *gateway, struct dict *ret)
{
	static const struct dict no_counts;
	unsigned n_jobs = 0, n_bridges = 0;
	char digest[DIGEST_HEX_SIZE];

	for (unsigned i = 0; i < gateway->n_units; i++) {
		n_jobs += gateway->units[i]->attempt != NULL;
		n_bridges += gateway->units[i]->is_plugged;
	}
	set_text(ret, "Version", "1.0.0");
	set_number(ret, "ApiVersion", BUS_API_VERSION);
	digest_sha256((const uint8_t *)gateway->name, strlen(gateway->name), digest);
	digest[32] = '\0';
	set_text(ret, "Store", digest);
	set_text(ret, "State", "running");
	set_text(ret, "PauseReason", "");
	set_number(ret, "JobsRunning", n_jobs);
	set_number(ret, "JobsWaiting", 0);
	set_number(ret, "Rules", 1);
	set_number(ret, "Bridges", n_bridges);
	set_text(ret, "ConfigError", "");
	set_flag(ret, "ConfigStale", false);
	set_long(ret, "ConfigTime", 1764460800000);
	set_text(ret, "ImageDirectory", gateway->images);
	set_text(ret, "CountersDay", "2026-11-28");
	assert_int_equal(dict_set_counts(ret, "Counters", &no_counts), 0);
	set_text(ret, "StoppedUnits", "");
	set_text(ret, "TurnedOff", "");
	set_text(ret, "BatchBoard", "");
	set_number(ret, "BatchCount", 0);
	set_number(ret, "BatchDone", 0);
	set_long(ret, "BatchStartTime", 0);
}

void view_slot_of(const struct gateway *gateway, unsigned number, struct dict *ret)
{
	const struct unit *unit = gateway->units[number];
	char path[GATEWAY_PATH_MAX];

	view_bridge_path_of(number, path);
	set_text(ret, "Name", unit->slot);
	set_text(ret, "Path", unit->path);
	set_text(ret, "Bridge", unit->is_plugged ? path : "/");
}

static void set_job(const struct unit *unit, struct dict *ret)
{
	char path[GATEWAY_PATH_MAX] = "/";

	if (unit->attempt)
		view_job_path_of(unit->attempt, path);
	set_text(ret, "Job", path);
}

void view_bridge_of(const struct gateway *gateway, unsigned number, struct dict *ret)
{
	const struct unit *unit = gateway->units[number];
	char port[32];

	snprintf(port, sizeof(port), "/dev/ttyUSB%u", number);
	set_text(ret, "Port", port);
	set_text(ret, "UsbId", "10c4:ea60");
	set_text(ret, "Serial", unit->row.serial);
	set_text(ret, "Product", "CP2102 USB to UART Bridge Controller");
	set_text(ret, "Manufacturer", "Silicon Labs");
	set_text(ret, "Path", unit->path);
	set_text(ret, "Interface", "00");
	set_text(ret, "Slot", unit->slot);
	set_text(ret, "Board", GATEWAY_BOARD);
	set_text(ret, "Match", "one");
	set_text(ret, "State", unit->attempt ? "working" : unit->row.failures ? "held" : "done");
	set_long(ret, "Since", unit->since_ms);
	set_job(unit, ret);
	set_text(ret, "Unit", unit->row.unit);
	set_text(ret, "LastOutcome", unit->last_ms ? outcome_to_string(unit->last_outcome) : "");
	set_text(ret, "LastReason", unit->last_reason.text);
	set_long(ret, "LastTime", unit->last_ms);
	set_long(ret, "HeldUntil", 0);
}

void view_job_of(const struct gateway *gateway, unsigned number, struct dict *ret)
{
	const struct store_attempt *attempt = gateway->units[number]->attempt;
	char path[GATEWAY_PATH_MAX];

	view_bridge_path_of(number, path);
	set_text(ret, "Id", attempt->job);
	set_text(ret, "Bridge", path);
	set_text(ret, "Board", attempt->board);
	set_text(ret, "Unit", attempt->report.unit);
	set_text(ret, "Operation", attempt->operation);
	set_text(ret, "Phase", phase_to_string(PHASE_WRITE));
	assert_int_equal(dict_set_share(ret, "Progress", 0.5), 0);
	set_long(ret, "Bytes", 4096);
	set_long(ret, "BytesDone", 2048);
	set_long(ret, "Rate", 11520);
	set_number(ret, "Baud", 115200);
	set_long(ret, "StartTime", attempt->started_ms);
	set_long(ret, "ExpectedEndTime", attempt->started_ms + 10000);
	set_number(ret, "Attempt", 1);
	set_text(ret, "Image", attempt->report.image);
	set_text(ret, "Version", attempt->report.version);
	set_flag(ret, "Cancelable", false);
}

void view_board_of(const struct gateway *gateway, struct dict *ret)
{
	set_text(ret, "board", GATEWAY_BOARD);
	set_text(ret, "image", GATEWAY_GLOB);
	set_text(ret, "protocol", "stm32");
	set_text(ret, "chip", "0x410");
	set_text(ret, "update", "newer");
	set_text(ret, "image_dir", gateway->images);
	set_text(ret, "trusted_keys", gateway->trusted_keys);
	set_flag(ret, "require_signature", gateway->trusted_keys != NULL);
	set_flag(ret, "accept_legacy_signatures", false);
	set_flag(ret, "rollback", true);
	set_flag(ret, "confirms", true);
	set_flag(ret, "anti_rollback", false);
	set_text(ret, "floor", gateway->floor);
}
