-- SPDX-License-Identifier: GPL-2.0-or-later
-- What is expected of routers' feeds, and what no edge waits for.

CREATE TABLE router_feed (
	-- Of a router, where one of them differs from its default; no row: none does.
	router TEXT NOT NULL PRIMARY KEY REFERENCES router (name) ON DELETE CASCADE,
	bmp_stats_s INTEGER NOT NULL, -- `bmp stats-interval SECONDS`; 0: not said
	redump_s INTEGER NOT NULL, -- `bmp redump-interval SECONDS`; 0: never
	exclude_bgp INTEGER NOT NULL CHECK (exclude_bgp IN (0, 1)) -- `exclude bgp`
) WITHOUT ROWID;

CREATE TABLE router_excluded_peer (
	-- `exclude peer ADDRESS` of a router
	router TEXT NOT NULL REFERENCES router (name) ON DELETE CASCADE,
	address TEXT NOT NULL,
	PRIMARY KEY (router, address)
) WITHOUT ROWID;
