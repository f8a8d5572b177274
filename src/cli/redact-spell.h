/* SPDX-License-Identifier: MIT */
/* redact-spell.h - the ways in which the parts of a report write one text from outside. */
#pragma once

/* Ways of writing one name. */
#define REDACT_SPELLINGS 8

/* Adds all of them to an empty list, the text itself first; NULL behind the last. 0 or -ENOMEM. */
int redact_spell(const char *text, char *spellings[static REDACT_SPELLINGS]);

/* Adds one that is new; the list owns it then. A NULL one is -ENOMEM. 0 or -ENOMEM. */
int redact_add_spelling(char *spellings[static REDACT_SPELLINGS], char *text);
