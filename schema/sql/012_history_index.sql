-- SPDX-License-Identifier: GPL-2.0-or-later
-- What is old, and what may go, is found without reading all of the history.

CREATE INDEX set_change_by_time ON set_change (at_ms);
CREATE INDEX set_change_whole ON set_change (router, interface, at_ms) WHERE whole4 IS NOT NULL;
CREATE INDEX event_by_time ON event (at_ms);
CREATE INDEX command_by_time ON command (at_ms);
