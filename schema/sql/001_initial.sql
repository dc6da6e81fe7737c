-- SPDX-License-Identifier: GPL-2.0-or-later
-- The first schema. Comments are inside the statements so that ".schema" shows
-- them. Addresses and prefixes are text in the form the commands print.
-- Times are seconds since 1970-01-01 UTC.

PRAGMA application_id = 1330856278; -- "OSAV"

CREATE TABLE meta (
	-- Facts about this database; one row.
	id INTEGER PRIMARY KEY CHECK (id = 1),
	epoch INTEGER NOT NULL CHECK (epoch > 0) -- random; generations of another are not ours
);

CREATE TABLE router (
	-- `router NAME`
	name TEXT NOT NULL PRIMARY KEY
) WITHOUT ROWID;

CREATE TABLE router_bmp_source (
	-- Where the router's BMP may come from; no row: from anywhere.
	router TEXT NOT NULL REFERENCES router (name) ON DELETE CASCADE,
	address TEXT NOT NULL,
	PRIMARY KEY (router, address)
) WITHOUT ROWID;

CREATE TABLE customer (
	-- `customer NAME`
	name TEXT NOT NULL PRIMARY KEY,
	asn INTEGER NOT NULL CHECK (asn BETWEEN 0 AND 4294967295) -- 0: not said
) WITHOUT ROWID;

CREATE TABLE customer_prefix (
	-- The customer's static record.
	customer TEXT NOT NULL REFERENCES customer (name) ON DELETE CASCADE,
	prefix TEXT NOT NULL,
	PRIMARY KEY (customer, prefix)
) WITHOUT ROWID;

CREATE TABLE edge (
	-- `edge ROUTER INTERFACE`; words as in the commands, '' for not said.
	router TEXT NOT NULL REFERENCES router (name),
	interface TEXT NOT NULL,
	customer TEXT REFERENCES customer (name),
	role TEXT NOT NULL,
	mode TEXT NOT NULL,
	action TEXT NOT NULL,
	holddown_s INTEGER NOT NULL CHECK (holddown_s BETWEEN 0 AND 4294967295),
	brake_shrink_percent INTEGER NOT NULL CHECK (brake_shrink_percent BETWEEN 0 AND 4294967295),
	stale_s INTEGER NOT NULL CHECK (stale_s BETWEEN 0 AND 4294967295),
	stale_policy TEXT NOT NULL,
	PRIMARY KEY (router, interface)
) WITHOUT ROWID;

CREATE TABLE edge_peer (
	-- `peer ADDRESS` of an edge
	router TEXT NOT NULL,
	interface TEXT NOT NULL,
	address TEXT NOT NULL,
	PRIMARY KEY (router, interface, address),
	FOREIGN KEY (router, interface) REFERENCES edge (router, interface) ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE edge_prefix (
	-- `prefix PREFIX` of an edge: always accepted
	router TEXT NOT NULL,
	interface TEXT NOT NULL,
	prefix TEXT NOT NULL,
	PRIMARY KEY (router, interface, prefix),
	FOREIGN KEY (router, interface) REFERENCES edge (router, interface) ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE own_prefix (
	-- `own-prefix PREFIX`
	prefix TEXT NOT NULL PRIMARY KEY
) WITHOUT ROWID;

CREATE TABLE permit (
	-- `special-purpose permit PREFIX`
	prefix TEXT NOT NULL PRIMARY KEY
) WITHOUT ROWID;

CREATE TABLE bmp_listen (
	-- `feed bmp listen ADDRESS port PORT`
	address TEXT NOT NULL,
	port INTEGER NOT NULL CHECK (port BETWEEN 0 AND 65535),
	PRIMARY KEY (address, port)
) WITHOUT ROWID;

CREATE TABLE agent_listen (
	-- Where agents connect to.
	address TEXT NOT NULL,
	port INTEGER NOT NULL CHECK (port BETWEEN 0 AND 65535),
	PRIMARY KEY (address, port)
) WITHOUT ROWID;

CREATE TABLE generation (
	-- The last filter of each edge that was handed to its router. No reference
	-- to edge: the router may hold a filter longer than its edge is configured.
	id INTEGER PRIMARY KEY, -- a rowid table: large sets stay out of the index
	router TEXT NOT NULL,
	interface TEXT NOT NULL,
	generation INTEGER NOT NULL CHECK (generation >= 0),
	action TEXT NOT NULL,
	accept4 BLOB NOT NULL, -- per prefix: 4 address bytes, 1 length byte
	accept6 BLOB NOT NULL, -- per prefix: 16 address bytes, 1 length byte
	peers BLOB NOT NULL,   -- per address: 1 byte with its size (4 or 16), the address
	saved INTEGER NOT NULL,
	hash BLOB NOT NULL, -- SHA-256 of router, generation, saved and the filter's own hash
	UNIQUE (router, interface)
);

CREATE TABLE token (
	-- Open enrolment tokens. One per name: a new one makes the old one void.
	name TEXT NOT NULL PRIMARY KEY,
	kind TEXT NOT NULL,
	hash BLOB NOT NULL, -- SHA-256 of the secret
	expires INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE certificate (
	-- Certificates of agents; expired ones go when their agent gets another.
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL,
	kind TEXT NOT NULL,
	serial TEXT NOT NULL UNIQUE, -- lower-case hex
	issued INTEGER NOT NULL,
	not_after INTEGER NOT NULL,
	revoked INTEGER -- when; NULL: it is good
);
CREATE INDEX certificate_by_name ON certificate (name, issued);
