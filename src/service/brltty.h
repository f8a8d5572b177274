/* SPDX-License-Identifier: MIT */
/*
 * brltty.h - who else on this host takes CP210x bridges away from their driver.
 *
 * brltty claims 10c4:ea60 as a braille display some seconds after plug-in (its generic rules before
 * 6.5); the tty then disappears as if the board were unplugged. Only looks, ends nobody.
 */
#pragma once

/*
 * A sentence that names the suspect and says what to do, or NULL: no such program runs or is
 * installed. Processes of other users may be hidden from a confined service, so that an installed
 * program is named with less certainty.
 */
const char *brltty_suspect(void);
