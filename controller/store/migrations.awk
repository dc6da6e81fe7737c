# SPDX-License-Identifier: GPL-2.0-or-later
# Turns schema/sql/NNN_name.sql (given in order) into the array of migrate.h.
function fail(text) { print FILENAME ": " text >"/dev/stderr"; failed = 1; exit 1 }
BEGIN {
	print "/* Made from schema/sql by migrations.awk. */"
	print "#include \"controller/store/migrate.h\"\n"
	print "const struct migration migrations[] = {"
}
FNR == 1 {
	name = FILENAME
	sub(/.*\//, "", name)
	sub(/\.sql$/, "", name)
	if (name !~ /^[0-9][0-9][0-9]_/ || substr(name, 1, 3) + 0 != n + 1)
		fail("migrations are numbered 001_, 002_, ... without gaps")
	if (n++)
		print "\t},"
	printf "\t{\n\t\t.name = \"%s\",\n\t\t.sql =\n", name
}
{
	if (index($0, "\\"))
		fail("line " FNR ": a backslash would need quoting")
	gsub(/"/, "\\\"")
	print "\t\t\t\"" $0 "\\n\""
}
END {
	if (failed)
		exit 1
	print "\t},\n};"
	print "const size_t n_migrations = sizeof(migrations) / sizeof(migrations[0]);"
}
