/* SPDX-License-Identifier: MIT */
/* family-esp-rows.c - the keys that only the rows of an ESP32 and its relatives have. */
#include "chip/family-esp.h"
#include "chip/family.h"

static const struct esp_row default_row = {.spi_layout = ESP_SPI_LATER};

const struct family_rows family_esp_rows = {
	.name = "esp",
	.max_id = UINT16_MAX,
	.own_size = sizeof(struct esp_row),
	.own_default = &default_row,
};
