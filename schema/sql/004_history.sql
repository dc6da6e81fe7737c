-- SPDX-License-Identifier: GPL-2.0-or-later
-- What operators did, what became of the filters and why, and records with a period.

CREATE TABLE command (
	-- Commands that changed something or were refused.
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	at_ms INTEGER NOT NULL, -- since 1970
	who TEXT NOT NULL,	-- the VTY's peer, or what did it by itself
	line TEXT NOT NULL,	-- secrets are left out
	revision INTEGER UNIQUE, -- of the configuration; NULL: it is as it was
	result TEXT NOT NULL	-- '' done, else why it was refused
);

CREATE TABLE command_change (
	-- What a command did to the text of the configuration, object by object.
	command INTEGER NOT NULL REFERENCES command (id) ON DELETE CASCADE,
	seq INTEGER NOT NULL,
	object TEXT NOT NULL, -- its first line; '' for lines of the top level
	diff TEXT NOT NULL,   -- '-LINE' and '+LINE', a newline after each
	PRIMARY KEY (command, seq)
) WITHOUT ROWID;

CREATE TABLE pending_commit (
	-- `commit confirmed MINUTES`: what happens unless `commit` follows.
	id INTEGER PRIMARY KEY CHECK (id = 1),
	revision INTEGER NOT NULL, -- to return to
	due_ms INTEGER NOT NULL,   -- since 1970
	who TEXT NOT NULL
);

CREATE TABLE set_change (
	-- Each change of an edge's filter, as address prefixes (form as in generation).
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	at_ms INTEGER NOT NULL, -- when it was sent to the router, since 1970
	router TEXT NOT NULL,
	interface TEXT NOT NULL,
	generation INTEGER NOT NULL,
	action TEXT NOT NULL, -- '': the edge was removed
	added4 BLOB NOT NULL,
	added6 BLOB NOT NULL,
	removed4 BLOB NOT NULL,
	removed6 BLOB NOT NULL,
	whole4 BLOB, -- now and then the set itself, to begin from
	whole6 BLOB,
	since INTEGER NOT NULL, -- bytes of the changes after the last whole set
	reason TEXT NOT NULL
);
CREATE INDEX set_change_by_edge ON set_change (router, interface, id);

CREATE TABLE event (
	-- What the log said of feeds, routers, brakes...
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	at_ms INTEGER NOT NULL, -- since 1970
	alarm INTEGER NOT NULL CHECK (alarm IN (0, 1)),
	text TEXT NOT NULL
);

CREATE TABLE history_limits (
	-- `history days N` and `history megabytes N`; one row, or none for the defaults.
	id INTEGER PRIMARY KEY CHECK (id = 1),
	days INTEGER NOT NULL,
	megabytes INTEGER NOT NULL
);

CREATE TABLE customer_term (
	-- `prefix PREFIX [from TIME] [until TIME] [allow-overlap]`: what is said beyond the
	-- prefix, which is then here and not in customer_prefix.
	customer TEXT NOT NULL REFERENCES customer (name) ON DELETE CASCADE,
	prefix TEXT NOT NULL,
	valid_from INTEGER NOT NULL,  -- seconds since 1970; 0: ever
	valid_until INTEGER NOT NULL, -- the first second after; 0: for ever
	overlap INTEGER NOT NULL CHECK (overlap IN (0, 1)),
	PRIMARY KEY (customer, prefix)
) WITHOUT ROWID;
