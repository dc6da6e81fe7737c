-- SPDX-License-Identifier: GPL-2.0-or-later
-- `radius prefix-length ipv4|ipv6 minimum BITS maximum BITS`.

ALTER TABLE radius_settings ADD COLUMN min_len_ipv4 INTEGER NOT NULL DEFAULT 8
	CHECK (min_len_ipv4 BETWEEN 1 AND 32);
ALTER TABLE radius_settings ADD COLUMN max_len_ipv4 INTEGER NOT NULL DEFAULT 32
	CHECK (max_len_ipv4 BETWEEN min_len_ipv4 AND 32);
ALTER TABLE radius_settings ADD COLUMN min_len_ipv6 INTEGER NOT NULL DEFAULT 16
	CHECK (min_len_ipv6 BETWEEN 1 AND 128);
ALTER TABLE radius_settings ADD COLUMN max_len_ipv6 INTEGER NOT NULL DEFAULT 128
	CHECK (max_len_ipv6 BETWEEN min_len_ipv6 AND 128);
