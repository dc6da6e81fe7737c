-- SPDX-License-Identifier: GPL-2.0-or-later
-- Where Prometheus is answered.

CREATE TABLE metrics_listen (
	-- `metrics listen ADDRESS port PORT`
	address TEXT NOT NULL,
	port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
	PRIMARY KEY (address, port)
) WITHOUT ROWID;
