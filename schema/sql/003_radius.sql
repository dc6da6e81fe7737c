-- SPDX-License-Identifier: GPL-2.0-or-later
-- Provisioning by RADIUS: who may speak, which edge is meant, which sessions are up.

CREATE TABLE radius_listen (
	-- `radius listen accounting|dynamic-authorization ADDRESS port PORT`
	kind TEXT NOT NULL,
	address TEXT NOT NULL,
	port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
	PRIMARY KEY (kind, address, port)
) WITHOUT ROWID;

CREATE TABLE radius_client (
	-- `radius client NAME`: a NAS, or a server that passes on what several say
	name TEXT NOT NULL PRIMARY KEY,
	addresses TEXT NOT NULL, -- prefixes apart by blanks: where its packets come from
	secret TEXT NOT NULL,    -- '' for not said: nothing is accepted from it
	pool TEXT NOT NULL,      -- prefixes apart by blanks: what its sessions may have
	router TEXT NOT NULL,    -- of sessions that no rule is for; '' for none
	message_authenticator INTEGER NOT NULL CHECK (message_authenticator IN (0, 1)),
	dynamic_authorization INTEGER NOT NULL CHECK (dynamic_authorization IN (0, 1))
) WITHOUT ROWID;

CREATE TABLE radius_rule (
	-- `radius rule NUMBER`: from what a session says to its edge; '' for any
	number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 65535),
	client TEXT NOT NULL,
	nas TEXT NOT NULL,
	port TEXT NOT NULL,
	station TEXT NOT NULL,
	vendor INTEGER NOT NULL CHECK (vendor BETWEEN 0 AND 16777215), -- 0: a standard attribute
	attribute INTEGER NOT NULL CHECK (attribute BETWEEN 0 AND 255), -- 0: none
	value TEXT NOT NULL,
	router TEXT NOT NULL, -- the edge; '' for not said yet
	interface TEXT NOT NULL,
	role TEXT NOT NULL -- `create ROLE`: make the edge if it is not there; '' for not
);

CREATE TABLE radius_server (
	-- `radius server ADDRESS port PORT secret TEXT`: who is asked for profiles
	address TEXT NOT NULL,
	port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
	secret TEXT NOT NULL,
	PRIMARY KEY (address, port)
) WITHOUT ROWID;

CREATE TABLE radius_settings (
	-- Single values; one row, or none while all are as they come.
	id INTEGER PRIMARY KEY CHECK (id = 1),
	conflict TEXT NOT NULL,
	window_s INTEGER NOT NULL,
	silence_s INTEGER NOT NULL,
	silence_hold_s INTEGER NOT NULL,
	vendor INTEGER NOT NULL,
	profile_user TEXT NOT NULL,
	profile_password TEXT NOT NULL,
	profile_refresh_s INTEGER NOT NULL
);

CREATE TABLE edge_radius (
	-- `pending observe|drop` and `profile NAME` of an edge; '' for not said
	router TEXT NOT NULL,
	interface TEXT NOT NULL,
	pending TEXT NOT NULL,
	profile TEXT NOT NULL,
	PRIMARY KEY (router, interface),
	FOREIGN KEY (router, interface) REFERENCES edge (router, interface) ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE radius_session (
	-- Sessions that are up: a restart of savd opens nothing and closes nothing.
	id INTEGER PRIMARY KEY,
	client TEXT NOT NULL,
	nas TEXT NOT NULL,
	session BLOB NOT NULL, -- Acct-Session-Id
	router TEXT NOT NULL,  -- the edge
	interface TEXT NOT NULL,
	started INTEGER NOT NULL, -- when the NAS says it began
	changed INTEGER NOT NULL, -- when the NAS says it changed last
	attributes BLOB NOT NULL, -- RADIUS attributes: who it is, and its prefixes
	UNIQUE (client, nas, session)
);
