/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * iked_events - what happened to the tunnels last, as ike told it.
 */
#ifndef SAV_IKED_EVENTS_VTY_H
#define SAV_IKED_EVENTS_VTY_H

#include "ipsec/proc.h"

/* word: what kind of event, as in the log. What strangers can cause as often as they
 * like is kept twice a second at most, so that it drives out little else. */
void iked_events_note(const struct proc_event *event, const char *word);
void iked_events_vty_init(void);

#endif /* SAV_IKED_EVENTS_VTY_H */
