-- SPDX-License-Identifier: GPL-2.0-or-later
-- `mode feasible paths N` of an edge; 0: all paths.

ALTER TABLE edge ADD COLUMN feasible_paths INTEGER NOT NULL DEFAULT 0
	CHECK (feasible_paths BETWEEN 0 AND 64);
