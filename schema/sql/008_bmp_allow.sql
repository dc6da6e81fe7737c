-- SPDX-License-Identifier: GPL-2.0-or-later
-- Who may connect to the BMP listeners.

CREATE TABLE bmp_allow (
	-- `feed bmp allow PREFIX [password TEXT]`; no row: everybody
	prefix TEXT NOT NULL PRIMARY KEY,
	password TEXT NOT NULL -- TCP MD5; '' for none
) WITHOUT ROWID;
