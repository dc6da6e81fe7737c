-- SPDX-License-Identifier: GPL-2.0-or-later
-- How much feeds may bring.

CREATE TABLE feed_limits (
	-- One row, or none for the default.
	id INTEGER PRIMARY KEY CHECK (id = 1),
	max_paths INTEGER NOT NULL CHECK (max_paths >= 0) -- `feed max-paths N`; 0: the default
);
