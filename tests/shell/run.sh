#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# savsh against two small libfrr daemons (shelld) in the places of savd and
# sav-agent: scripts here, the prompt in pty_driver.py. Needs no root.
# Every wait is bounded; only processes that were started here are ended.
set -u
src=${OPENSAV_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${OPENSAV_BUILD:-$src}
savsh=$build/savsh
shelld=$build/tests/shell/shelld

passed=0 failed=0 skipped=0
declare -A pid=()

finish() {
	local d
	for d in "${!pid[@]}"; do stop "$d"; done
	rm -rf "$dir"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ $failed -eq 0 ]
	exit
}

ok() { passed=$((passed + 1)); echo "ok - $1"; }
not_ok() { # name, then what was seen
	failed=$((failed + 1))
	echo "not ok - $1"
	shift
	printf '%s\n' "$@" | sed 's/^/# /'
}

# wait_for SECONDS COMMAND...: until it succeeds
wait_for() {
	local n=$(($1 * 20))
	shift
	while [ $n -gt 0 ]; do
		"$@" && return 0
		n=$((n - 1))
		sleep 0.05
	done
	return 1
}

answers() { timeout 5 "$savsh" --vty_socket "$dir/run" -d "$1" -c 'show version' >"$dir/answers" 2>&1; }

start() { # daemon, shelld's options
	local name=$1
	shift
	rm -f "$dir/run/$name.vty"
	"$shelld" -i "$dir/$name.pid" --vty-path "$dir/run/$name.vty" --log "file:$dir/$name.log" "$@" \
		>"$dir/$name.out" 2>&1 </dev/null 8>&- &
	pid[$name]=$!
	wait_for 20 answers "$name" || { echo "# $name does not come up:"; cat "$dir/$name.out" "$dir/answers"; return 1; }
}

stop() {
	kill "${pid[$1]}" 2>/dev/null
	wait "${pid[$1]}" 2>/dev/null
	unset "pid[$1]"
}

# sh ARGS...: runs savsh; sets out, err, rc
sh() {
	timeout 60 "$savsh" --vty_socket "$dir/run" "$@" >"$dir/out" 2>"$dir/err" <"${stdin:-/dev/null}"
	rc=$?
	out=$(cat "$dir/out") err=$(cat "$dir/err")
}

seen() { printf 'exit status %s\nstandard output:\n%s\nstandard error:\n%s\n' "$rc" "$(head -c 2000 "$dir/out")" "$(head -c 2000 "$dir/err")"; }

# expect NAME RC OUT ERR: of the last run; OUT is exact, ERR a pattern ('' = nothing)
expect() {
	local good=1
	[ "$rc" -eq "$2" ] || good=0
	[ "$out" = "$3" ] || good=0
	case $4 in
	'') [ -z "$err" ] || good=0 ;;
	*) grep -Eq -- "$4" <<<"$err" || good=0 ;;
	esac
	if [ $good = 1 ]; then ok "$1"; else not_ok "$1" "$(seen)"; fi
}

# has NAME RC PATTERN: of standard output
has() {
	if [ "$rc" -eq "$2" ] && grep -Eq -- "$3" <<<"$out"; then ok "$1"; else not_ok "$1" "$(seen)"; fi
}

for program in "$savsh" "$shelld"; do
	[ -x "$program" ] || { echo "$program has not been built"; echo "0 passed, 0 failed, 1 skipped"; exit 77; }
done
dir=$(mktemp -d "${TMPDIR:-/tmp}/savsh.XXXXXX")
mkdir "$dir/run" "$dir/home"
trap finish EXIT
trap 'exit 130' INT TERM
# a savsh that ended early must not take this script with it
trap '' PIPE

# ---- nobody there
sh -c 'show edges'
expect "no daemon: exit status 3, and how to start it" 3 "" 'savd is not running .*/savd.vty.*systemctl start savd'
sh -d savd -c 'show edges'
expect "no daemon: only the one that was asked for is named" 3 "" 'savd is not running'
grep -q sav-agent <<<"$err" && not_ok "-d restricts" "$err" || ok "-d restricts"

# ---- usage
sh --nonsense
expect "unknown option" 2 "" usage
sh show edges
expect "a command without -c" 2 "" 'unexpected argument \(commands need -c\): show'
sh -d ../x -c 'show edges'
expect "-d is a name, not a path" 2 "" 'not the name of a daemon'
sh -c 'show edges' -f /dev/null
expect "-c and -f" 2 "" 'exclude each other'
sh --help
has "--help" 0 '^usage: savsh'
sh --version
has "--version" 0 '^savsh version [0-9]'

start savd || { not_ok "the test daemon starts"; exit; }

# ---- one daemon
sh -c 'show edges'
expect "a command" 0 "edge - mode off" ""
sh -c 'configure terminal' -c 'edge R I' -c 'mode strict' -c 'do show edges' -c end -c 'show edges'
expect "-c runs in sequence in one context" 0 "edge R I mode strict
edge R I mode strict" ""
sh -c $'configure terminal\nedge R2 I2\n mode acl\n! comment\n\nexit' -c 'do show edges'
expect "a -c of several lines" 0 "edge R2 I2 mode acl" ""
sh -c 'show running-config'
has "show running-config has no heading of one daemon" 0 '^frr version'
grep -q '^! savd' <<<"$out" && not_ok "no heading" "$out" || ok "no heading"
sh -c exit -c fail
expect "exit at the top ends the script" 0 "" ""
sh -c 'conf t' -c end -c 'sh edges'
expect "abbreviations" 0 "edge R2 I2 mode acl" ""
sh -c 'say  a   b'
expect "words reach the daemon" 0 "a b" ""

# ---- errors
sh -c fail
expect "a failing command: exit status 1, message on standard error" 1 "" '^% it went wrong, as asked$'
sh -c 'fail silently'
expect "a silent failure says that it failed" 1 "" 'refused without saying why'
sh -c 'conf t' -c 'fail config'
expect "a failing configuration command" 1 "" 'as asked'
sh -c 'show edges' -c fail -c 'show edges'
expect "nothing runs after a failure" 1 "edge R2 I2 mode acl" '-c number 2: failed, nothing after it was run: fail$'
sh -c 'show edgse'
expect "unknown: what fits instead" 1 "" '^% expected: edges?,.*; not "edgse" after "show"$'
sh -c 'conf t' -c 'edge R I' -c 'mode xyz'
expect "unknown: choices of a keyword" 1 "" '^% expected: acl .*feasible.*off.*strict.*; not "xyz" after "mode"$|^% expected: acl, feasible, off, strict; not "xyz" after "mode"$'
sh -c 'conf t' -c 'own-prefix 10.0.0.0/33'
expect "unknown: a bad prefix" 1 "" '^% expected: A.B.C.D/M \(IPv4 prefix\), X:X::X:X/M \(IPv6 prefix\); not "10.0.0.0/33" after "own-prefix"$'
sh -c 'show version now'
expect "too many words" 1 "" 'expected: json .*the end of the command; not "now" after "show version"'
sh -c 'conf t' -c 'edge R'
expect "incomplete" 1 "" '^% expected: INTERFACE \(Interface\) after "edge R"$'
sh -c 'conf t' -c 'e'
expect "ambiguous" 1 "" '^% expected: .*edge.*exit.*"e" may be any of them'
sh -c 'conf t' -c 'secret one two' -c 'say x'
expect "no secret in a message of the shell" 1 "" 'failed, nothing after it was run: \(not shown'
sh -c "say $(printf 'x%.0s' {1..5000})"
expect "a line that libfrr cannot take" 1 "" 'longer than 4000 bytes'

# ---- help in scripts
sh -c 'show ?'
has "LINE? helps" 0 '^  edges +Edges and their sets$'
sh -c 'show edg?'
expect "WORD? lists what begins so" 0 "  edge   One edge
  edges  Edges and their sets" ""
sh -c 'show edges ?'
expect "help names the end of a command last" 0 "  json  As JSON
  <cr>" ""
sh -c 'conf t' -c 'edge R I' -c 'customer ?'
expect "help lists known values" 0 "  WORD  Name
      alpha alpine beta" ""
sh -c 'show nonsense ?'
expect "help of nonsense" 1 "" 'nothing fits here'
sh -c '?'
has "help of the empty line" 0 '^  configure '
sh -c 'say a | include !%"?'
expect "a ? inside a filter is no help" 0 "" ""

# ---- filters
sh -c 'show long 1000 | include 000099 | count'
expect "include, count" 0 11 ""
sh -c 'show long 20 | exclude 000000|000001 | inc 20'
expect "exclude with an alternative, abbreviation" 0 "line 0000020 of a long answer that is to fill the socket" ""
sh -c 'show long 20 | begin 0000019 | count'
expect "begin" 0 2 ""
sh -c 'show edges | nonsense'
expect "unknown filter" 1 "" 'unknown filter "nonsense"; expected: include, exclude, begin, count'
sh -c 'show edges | include ['
expect "bad expression" 1 "" 'is no regular expression'
sh -c 'fail | include nothing'
expect "errors are not filtered" 1 "" 'as asked'

# ---- sizes
sh -c 'show long 300000'
if [ $rc = 0 ] && [ "$(wc -l <"$dir/out")" = 300000 ] && [ "$(tail -n 1 "$dir/out" | cut -c1-12)" = "line 0300000" ]; then
	ok "a long answer is complete"
else
	not_ok "a long answer is complete" "$(seen)"
fi
timeout 60 "$savsh" --vty_socket "$dir/run" -c 'show long 300000' 2>"$dir/err" </dev/null | head -n 1 >"$dir/out"
if [ "$(cat "$dir/out")" = "line 0000001 of a long answer that is to fill the socket" ] && [ ! -s "$dir/err" ]; then
	ok "a reader that has seen enough is no error"
else
	not_ok "a reader that has seen enough is no error" "$(cat "$dir/err")"
fi
sh -c 'show control'
if [ $rc = 0 ] && [ "$out" = $'bad \033[31mred\007 \302\233end \303\244' ]; then ok "a pipe gets the plain bytes"; else not_ok "plain bytes" "$(seen)"; fi

sh -c 'show long 300000 | count'
expect "a long answer is filtered" 0 300000 ""

edges_now=$(timeout 60 "$savsh" --vty_socket "$dir/run" -c 'show edges' </dev/null)
# ---- as ssh HOST savsh -c runs it: no terminal, and input that is for others
left=$(printf 'one\ntwo\n' | { timeout 60 "$savsh" --vty_socket "$dir/run" -c 'show edges' >/dev/null; cat; })
if [ "$left" = $'one\ntwo' ]; then ok "-c leaves standard input alone"; else not_ok "-c leaves standard input alone" "left: $left"; fi
timeout 60 setsid "$savsh" --vty_socket "$dir/run" -c 'show edges' >"$dir/out" 2>"$dir/err" </dev/null
rc=$? out=$(cat "$dir/out") err=$(cat "$dir/err")
expect "no controlling terminal" 0 "$edges_now" ""
timeout 60 "$savsh" --vty_socket "$dir/run" -c 'show edges' >"$dir/out" 2>"$dir/err" <&-
rc=$? out=$(cat "$dir/out") err=$(cat "$dir/err")
expect "standard input is closed" 0 "$edges_now" ""
timeout 60 "$savsh" --vty_socket "$dir/run" -c 'show edges' 2>"$dir/err" </dev/null >&-
rc=$? out='' err=$(cat "$dir/err")
expect "standard output is closed: an error, and nothing gets into the connection" 1 "" 'cannot write to standard output'
timeout 60 "$savsh" --vty_socket "$dir/run" -c 'show edges' >/dev/full 2>"$dir/err" </dev/null
rc=$? out='' err=$(cat "$dir/err")
expect "a full disk" 1 "" 'cannot write to standard output: No space left'
sh -c 'show version'
has "show version says what it is" 0 '^shelld [0-9.]+ of OpenSAV, with FRRouting.s library [0-9]'
sh -c 'show version json'
has "show version json" 0 '"libfrr":"[0-9]'

# ---- scripts
printf 'configure terminal\n\n! a comment\nedge F1 eth0\n mode feasible\nexit\nend\nshow edges' >"$dir/script"
sh -f "$dir/script"
expect "-f FILE" 0 "edge F1 eth0 mode feasible" ""
stdin=$dir/script sh
expect "standard input" 0 "edge F1 eth0 mode feasible" ""
stdin=$dir/script sh -f -
expect "-f -" 0 "edge F1 eth0 mode feasible" ""
printf 'show edges\nconfigure terminal\nedge\nmode acl\n' >"$dir/script"
sh -f "$dir/script"
expect "-f names the place of a failure" 1 "edge F1 eth0 mode feasible" "savsh: $dir/script:3: failed, nothing after it was run: edge$"
sh -f "$dir/absent"
expect "-f of no file" 2 "" 'absent: No such file'
printf 'show edges\0show edges\n' >"$dir/script"
sh -f "$dir/script"
expect "a NUL byte in a script" 1 "" ':1: a NUL byte is no text'

# ---- the log
sh -c 'terminal monitor nobody'
expect "terminal monitor of no daemon" 1 "" 'there is no daemon nobody'
timeout 60 "$savsh" --vty_socket "$dir/run" -c 'terminal monitor' >"$dir/followed" 2>&1 </dev/null 8>&- &
follower=$!
say_it() { sh -c 'logmsg warnings heard' && grep -q 'savd: warning: heard$' "$dir/followed"; }
if wait_for 20 say_it && kill -0 $follower; then ok "a script follows the log"; else not_ok "a script follows the log" "$(cat "$dir/followed")"; fi
kill $follower 2>/dev/null
wait $follower 2>/dev/null
TERM=xterm sh -c 'show running-config' -c 'terminal length 0'
if ! grep -q $'\033' "$dir/out" "$dir/err"; then ok "no terminal, no colours"; else not_ok "no terminal, no colours" "$(seen)"; fi

# ---- a daemon that goes away
sh -c die
expect "it dies under a command: exit status 3" 3 "" 'savd: no answer: it closed the connection.*may or may not'
wait "${pid[savd]}" 2>/dev/null
start savd || { not_ok "the test daemon starts again"; exit; }
mkfifo "$dir/fifo"
restart_under() { # script's first line, second line; sets out err rc
	timeout 60 "$savsh" --vty_socket "$dir/run" <"$dir/fifo" >"$dir/out" 2>"$dir/err" 8>&- &
	local shell=$!
	exec 8>"$dir/fifo"
	printf '%s\ndo say first\n' "$1" >&8
	wait_for 10 grep -q first "$dir/out"
	stop savd
	start savd
	printf '%s\n' "$2" >&8
	exec 8>&-
	wait $shell
	rc=$?
	out=$(cat "$dir/out") err=$(cat "$dir/err")
}
restart_under 'show edges' 'say second'
expect "a restart between commands is bridged" 0 "edge - mode off
first
second" 'connected to savd again'
restart_under 'configure terminal' 'do say second'
expect "a restart inside a node is not" 3 "first" 'back at the top node'

# ---- two daemons
start sav-agent --agent || { not_ok "the second test daemon starts"; exit; }
sh -c 'show edges' -c 'show links'
expect "a command goes to the daemon that knows it" 0 "edge - mode off
link wan0 up" ""
sh -d sav-agent -c 'show edges'
expect "-d keeps to one daemon" 1 "" 'Unknown command: show edges'
sh -c 'show running-config | include ^! sav|^hostname'
expect "show running-config has all, with headings" 0 "! savd
hostname ctl
! sav-agent
hostname r1" ""
sh -c 'show version | include ^!'
expect "show version is of all" 0 "! savd
! sav-agent" ""
sh -c 'list | include !|show links$|show edges$'
has "list has the commands of all" 0 'show links'
sh -c 'find show links'
has "find looks in all" 0 'show links'
sh -c 'sh run | inc ^host | count'
expect "abbreviated too" 0 2 ""
sh -c 'conf t' -c 'provider P' -c 'link wan0' -c 'edge R I' -c 'mode acl' -c 'provider P' -c 'link wan0' -c 'exit' -c 'do show links'
expect "from a node of one to a node of the other" 0 "link wan0 up" ""
sh -c 'conf t' -c 'provider P' -c 'edge R I' -c 'link wan0'
expect "the node that was left is left" 1 "" 'Unknown command: link wan0'
sh -c 'conf t' -c 'interface eth0' -c 'mtu 1500' -c 'interface eth1' -c 'mtu 1500'
expect "a node of both stays in step" 0 "controller: mtu of eth0
agent: mtu of eth0
controller: mtu of eth1
agent: mtu of eth1" ""
sh -c 'conf t' -c 'edge R I' -c brake -c 'shrink 5' -c exit -c 'mode off' -c exit -c exit -c 'show links'
expect "exit goes up one node at a time" 0 "link wan0 up" ""
sh -c 'disable' -c 'conf t'
expect "disable reaches all" 1 "" 'Unknown command: conf t'
sh -c 'show nonsense'
expect "what was not asked is named" 1 "" 'not asked, because not connected: sav-iked'

# ---- the prompt
python=$(command -v /usr/bin/python3 || command -v python3 || :)
if [ -n "$python" ] && "$python" -c 'import pty' 2>/dev/null; then
	timeout 300 "$python" "$src/tests/shell/pty_driver.py" "$savsh" "$dir/run" "$dir/home" >"$dir/pty" 2>&1
	cat "$dir/pty"
	passed=$((passed + $(grep -c '^ok - ' "$dir/pty")))
	failed=$((failed + $(grep -c '^not ok - ' "$dir/pty")))
	# a driver that broke down must not look like success
	grep -q 'Traceback' "$dir/pty" && failed=$((failed + 1))
	grep -q '^ok - ' "$dir/pty" || failed=$((failed + 1))
else
	echo "# no python3: the interactive cases are skipped"
	skipped=$((skipped + 20))
fi
