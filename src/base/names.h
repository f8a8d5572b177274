/* SPDX-License-Identifier: MIT */
/*
 * names.h - every name that people, scripts and other programs outside rely on: paths, environment
 * variables, journal fields and message ids.
 */
#pragma once

#define PLUGFLASH_VERSION "0.1"
/* For the mains, whose compiler is told the commit. */
#define PLUGFLASH_BUILD PLUGFLASH_VERSION PLUGFLASH_COMMIT

/* Where things are when neither systemd's environment nor an option says otherwise. */
#define PATH_CONFIGURATION "/etc/plugflash"
#define PATH_STATE	   "/var/lib/plugflash"
#define PATH_RUNTIME	   "/run/plugflash"
#define PATH_IMAGES	   "/var/lib/plugflash/images"
#define PATH_KEYS	   "/etc/plugflash/keys.d"
#define PATH_CHIPS	   "/usr/share/plugflash/chips.ini"
#define PATH_WORKER	   "/usr/lib/plugflash/plugflash-worker"
#define PATH_PAGE	   "/usr/share/plugflash/web"
#define PATH_FLEET_STATE   "/var/lib/plugflash-fleet"
#define PATH_FLEET_IMAGES  PATH_IMAGES "/fleet"

/* Below the configuration directory. */
#define NAME_SERVICE_CONFIGURATION "plugflash.conf"
#define NAME_BOARDS		   "boards.d"
#define NAME_CHIPS		   "chips.d"
#define NAME_FLEET_CONFIGURATION   "fleet.conf"

/* Below the state directory: transcripts of jobs, "TIME-JOB.txt". */
#define NAME_TRANSCRIPTS   "transcripts"
#define TRANSCRIPTS_SUFFIX ".txt"

/* Below the runtime directory: a file with the name of the configuration directory; its time of
 * change is when the service read it. */
#define NAME_LOADED "loaded"

/* On the system bus, see plugflash-bus(5). */
#define BUS_NAME	       "org.plugflash1"
#define BUS_PATH	       "/org/plugflash1"
#define BUS_PATH_SLOT	       BUS_PATH "/slot"
#define BUS_PATH_BRIDGE	       BUS_PATH "/bridge"
#define BUS_PATH_JOB	       BUS_PATH "/job"
#define BUS_MANAGER	       BUS_NAME ".Manager"
#define BUS_SLOT	       BUS_NAME ".Slot"
#define BUS_BRIDGE	       BUS_NAME ".Bridge"
#define BUS_JOB		       BUS_NAME ".Job"
#define BUS_ERROR_NOT_FOUND    BUS_NAME ".Error.NotFound"
#define BUS_ERROR_BUSY	       BUS_NAME ".Error.Busy"
#define BUS_ERROR_DENIED       BUS_NAME ".Error.NotPermitted"
#define BUS_ERROR_NOT_POSSIBLE BUS_NAME ".Error.NotPossible"
#define BUS_ERROR_INVALID      BUS_NAME ".Error.InvalidArgument"
#define BUS_ACTION_OPERATE     BUS_NAME ".operate"
#define BUS_ACTION_CONFIGURE   BUS_NAME ".configure"
#define BUS_API_VERSION	       1
/* The system bus where the environment names none. */
#define BUS_ADDRESS	"unix:path=/run/dbus/system_bus_socket"
#define ENV_BUS_ADDRESS "DBUS_SYSTEM_BUS_ADDRESS"

/* Set by systemd (ConfigurationDirectory= and its like), by hand in a test. */
#define ENV_CONFIGURATION "CONFIGURATION_DIRECTORY"
#define ENV_STATE	  "STATE_DIRECTORY"
#define ENV_RUNTIME	  "RUNTIME_DIRECTORY"
/* Ours: another chip table, another worker than the installed one. */
#define ENV_CHIPS  "PLUGFLASH_CHIPS"
#define ENV_WORKER "PLUGFLASH_WORKER"
/* The user as whom root's `images` and `check-config` check access; NAME_USER without it. */
#define ENV_USER  "PLUGFLASH_USER"
#define NAME_USER "plugflash"
/* From the service to its workers: its own build. */
#define ENV_BUILD "PLUGFLASH_BUILD"
/* Argument of a worker that has a file for its transcript, and where it has that. */
#define WORKER_RECORDS	  "record"
#define WORKER_TRANSCRIPT 3
/* Exit status of a worker of another build, which does nothing. */
#define EXIT_OTHER_BUILD 75

/* Journal fields. */
#define FIELD_JOB	  "PLUGFLASH_JOB"
#define FIELD_OPERATION	  "PLUGFLASH_OPERATION"
#define FIELD_BOARD	  "PLUGFLASH_BOARD"
#define FIELD_PORT	  "PLUGFLASH_PORT"
#define FIELD_USB_SERIAL  "PLUGFLASH_USB_SERIAL"
#define FIELD_USB_PATH	  "PLUGFLASH_USB_PATH"
#define FIELD_SLOT	  "PLUGFLASH_SLOT"
#define FIELD_BATCH	  "PLUGFLASH_BATCH"
#define FIELD_CHIP	  "PLUGFLASH_CHIP"
#define FIELD_UNIT	  "PLUGFLASH_UNIT"
#define FIELD_UNIT_DATA	  "PLUGFLASH_UNIT_DATA"
#define FIELD_KEPT	  "PLUGFLASH_KEPT"
#define FIELD_PROTECTION  "PLUGFLASH_PROTECTION"
#define FIELD_REVISION	  "PLUGFLASH_REVISION"
#define FIELD_SECURITY	  "PLUGFLASH_SECURITY"
#define FIELD_IMAGE	  "PLUGFLASH_IMAGE"
#define FIELD_VERSION	  "PLUGFLASH_VERSION"
#define FIELD_SHA256	  "PLUGFLASH_SHA256"
#define FIELD_SIGNER	  "PLUGFLASH_SIGNER"
#define FIELD_PHASE	  "PLUGFLASH_PHASE"
#define FIELD_OUTCOME	  "PLUGFLASH_OUTCOME"
#define FIELD_ADDRESS	  "PLUGFLASH_ADDRESS"
#define FIELD_BYTES	  "PLUGFLASH_BYTES"
#define FIELD_PROOF	  "PLUGFLASH_PROOF"
#define FIELD_BAUD	  "PLUGFLASH_BAUD"
#define FIELD_STUB	  "PLUGFLASH_STUB"
#define FIELD_DURATION_MS "PLUGFLASH_DURATION_MS"
#define FIELD_ENTERED	  "PLUGFLASH_ENTERED"
#define FIELD_APPLICATION "PLUGFLASH_APPLICATION"
#define FIELD_APP_VERSION "PLUGFLASH_APPLICATION_VERSION"
#define FIELD_APP_BAUD	  "PLUGFLASH_APPLICATION_BAUD"

/* In the environment of the program of on-outcome, beside the journal's fields. */
#define FIELD_REASON "PLUGFLASH_REASON"

/* One id for each kind of entry; systemd/plugflash.catalog explains every one. */
#define MESSAGE_READY		"df08748100a645a8a4ef812e080f8cfd"
#define MESSAGE_CONFIG_REJECTED "2f3c8b4783d94e08a5b96ee26e158503"
#define MESSAGE_CONFIG_LOADED	"d91b76885fe04ddebf70a7f01f67223e"
#define MESSAGE_NO_MATCH	"f456abb05aa340f48b10bbfb29c0e6dc"
#define MESSAGE_AMBIGUOUS	"fdff53782d2c41dfa42eac1899f0a7df"
#define MESSAGE_JOB_STARTED	"c0fe1f8657814a7185a11cbe05af4c7d"
#define MESSAGE_JOB_RETRIED	"8046827a46be4ea5bb74cdaff22dacf2"
#define MESSAGE_UPDATED		"11eaa711f74a4a4cbfad0cb04dd79c60"
#define MESSAGE_CURRENT		"8226f44b644445329b4721466aed7f67"
#define MESSAGE_JOB_FAILED	"5f742019b82f49b1a49d5573ac489a1d"
#define MESSAGE_CHECKED		"d6a0f1b05e1c4e0b9d5a4a6f6c2e83b7"
#define MESSAGE_PAUSED		"0b7c52f4d2ab4d6e8f0e61c8a97d3f15"
#define MESSAGE_RESUMED		"5ea1c9d37b8047e2a4f3d0b6c81e92fa"
#define MESSAGE_BATCH_BEGUN	"c921e90639f5489093de26e37c0f5f4f"
#define MESSAGE_BATCH_DONE	"d7d7ecf1d3b5421397537ae2ae9f3989"
#define MESSAGE_BATCH_STOPPED	"20973bea41954c53a0ccfb0b082dc700"
#define MESSAGE_WRONG_CHIP	"3675dabb515345a0b65c77f4ca529a1a"
#define MESSAGE_EVENTS_LOST	"7c1613c457ee437994a8f69f7280c05d"
#define MESSAGE_FLAPPING	"95dba7490d144b6b90a3f637418dbd6b"
#define MESSAGE_IMAGE_AWAITED	"4bf7cd0a1a1b4ce09c3e2a5d6cf0e1a7"
#define MESSAGE_IMAGES_GONE	"a6d1f3c2b0884f6f8e2b7c91d45e03fa"
#define MESSAGE_STORE_UNUSABLE	"4554e0851d984e0181694f6824510d0e"
#define MESSAGE_STORE_USABLE	"58753be7ac9d4af48391710d40eb3e27"
#define MESSAGE_STORE_DAMAGED	"6823fd75ddf04557822ef9de5f57548f"
#define MESSAGE_STORE_REPLACED	"0c5d43b8ea5c4e0a8c3a7d7e2b9f6a14"
#define MESSAGE_SERIAL_RATE	"7d1f6f0f3c0b4a53a1e6a2d0c94be85c"
#define MESSAGE_STORE_HELD	"3fb47cab45ed420fba8b8837744f4e46"
#define MESSAGE_DISBELIEVED	"b40a3bb7e7e24fb0a4b1d2b1a0c6f5d3"
#define MESSAGE_TORN		"318636292e63446197eb2764561c8be4"
#define MESSAGE_QUARANTINED	"3c8e0157a60c443182ab75719b6bf31f"
#define MESSAGE_DROPS		"4274959a82144208a37c85e8ae1977ba"
#define MESSAGE_TURNED_OFF	"24ccd49fc99343638eeed0f6e3af7f68"
#define MESSAGE_ROLLBACK	"0f2f47766be94967990cb821e608a244"
#define MESSAGE_ROLLED_BACK	"f73d9af0d32a4c42983af0d0bc4e510f"
#define MESSAGE_NO_ROLLBACK	"19893bf8b79a4e0184160ce581e25053"
#define MESSAGE_GOING_DOWN	"8a93eb24c38d498c80d8900e64c9dcb4"
#define MESSAGE_STAYING_UP	"9659a98fd75b46b1892a4987cc64cee1"
#define MESSAGE_NO_DELAY	"9faf9097347b4cdbbda5a871e3731961"
#define MESSAGE_OWNER_STOPPED	"c4b0f1d87a5e4f0e9d3b62a7158ce904"
#define MESSAGE_OWNER_STARTED	"5d92e6a03cb14b7f8a04f7c92be0613d"
#define MESSAGE_OWNER_DOWN	"e81f3a6c20d54d5cb6f94e0c7d1a8b52"
#define MESSAGE_ENTRIES_LOST	"24f0f44caef740ec9676f16ae623078a"
#define MESSAGE_FORGIVEN	"ee401ac34f4e4d679f921e41c1651e8f"
