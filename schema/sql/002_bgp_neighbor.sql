-- SPDX-License-Identifier: GPL-2.0-or-later
-- Routers' own BGP sessions as a feed.

CREATE TABLE router_bgp_neighbor (
	-- `bgp neighbor ADDRESS as AS [port PORT]` of a router; no row: none.
	router TEXT NOT NULL PRIMARY KEY REFERENCES router (name) ON DELETE CASCADE,
	address TEXT NOT NULL,
	asn INTEGER NOT NULL CHECK (asn BETWEEN 1 AND 4294967295),
	port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
	password TEXT NOT NULL -- `bgp password TEXT` (TCP MD5); '' for none
) WITHOUT ROWID;
