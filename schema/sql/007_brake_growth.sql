-- SPDX-License-Identifier: GPL-2.0-or-later
-- `brake growth PERCENT` of an edge; 0: no brake.

ALTER TABLE edge ADD COLUMN brake_growth_percent INTEGER NOT NULL DEFAULT 1000
	CHECK (brake_growth_percent BETWEEN 0 AND 100000);
