#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Types into an interactive savsh on a pseudo-terminal and looks at what it shows.

usage: pty_driver.py SAVSH SOCKET_DIR HOME
Prints "ok - NAME" or "not ok - NAME" per case. The daemons of run.sh must be up.
"""
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import fcntl
import time

SAVSH, SOCKETS, HOME = sys.argv[1:4]
WAIT = 15  # seconds; the bound of every wait, never slept through
TOP = r'ctl# $'


class Shell:
    def __init__(self, *args, rows=24, env=None):
        environment = dict(os.environ, TERM='dumb', HOME=HOME, INPUTRC='/dev/null')
        environment.pop('SAVSH_PAGER', None)
        environment.update(env or {})
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(SAVSH, ['savsh', '--vty_socket', SOCKETS, *args], environment)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, 100, 0, 0))
        self.seen = ''

    def expect(self, pattern):
        """Reads until pattern appears; returns what came up to its end."""
        deadline = time.monotonic() + WAIT
        while True:
            match = re.search(pattern, self.seen)
            if match:
                text = self.seen[:match.end()]
                self.seen = self.seen[match.end():]
                return text
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise AssertionError(f'waited for {pattern!r}, saw {self.seen!r}')
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                data = b''
            if not data:
                raise AssertionError(f'ended before {pattern!r}, saw {self.seen!r}')
            self.seen += data.decode(errors='replace').replace('\r', '')

    def type(self, text):
        os.write(self.fd, text.encode())

    def run(self, line, prompt=TOP):
        self.type(line + '\n')
        return self.expect(prompt)

    def ended(self):
        """Exit status, once the shell is gone."""
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    self.seen += os.read(self.fd, 65536).decode(errors='replace')
                except OSError:
                    pass
        raise AssertionError('the shell did not end')

    def close(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


def other(line):
    """A command by another shell."""
    subprocess.run([SAVSH, '--vty_socket', SOCKETS, '-c', line], check=True, timeout=WAIT,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def prompt_follows_the_node(sh):
    sh.run('configure terminal', r'ctl\(config\)# $')
    sh.run('edge R I', r'ctl\(config-edge\)# $')
    sh.run('brake', r'ctl\(config-edge-brake\)# $')
    sh.run('exit', r'ctl\(config-edge\)# $')
    sh.run('provider X', r'r1\(config-provider\)# $')
    sh.run('edge R I', r'ctl\(config-edge\)# $')
    assert 'link wan0 up' in sh.run('do show links', r'ctl\(config-edge\)# $')
    sh.run('end')


def tab_completes(sh):
    sh.type('sh\t')
    sh.expect('show ')
    sh.type('edges\t')
    sh.expect('edges ')
    sh.type('\n')
    assert 'mode' in sh.expect(TOP)


def tab_lists_candidates_of_all_daemons(sh):
    sh.type('show l\t')
    text = sh.expect(r'logging[^\n]*\n(?:.*\n)*.*show l')
    assert 'links' in text and 'long' in text, text
    sh.type('\x03')
    sh.expect(TOP)


def tab_completes_values_and_do(sh):
    sh.run('configure terminal', r'\(config\)# $')
    sh.run('edge R I', r'\(config-edge\)# $')
    sh.type('customer be\t')
    sh.expect('beta ')
    sh.type('\x03')
    sh.expect(r'\(config-edge\)# $')
    sh.type('do show li\t')
    sh.expect('links ')
    sh.type('\n')
    sh.expect('wan0 up')
    sh.expect(r'\(config-edge\)# $')
    sh.run('end')


def question_mark_helps_and_keeps_the_line(sh):
    sh.type('show ?')
    text = sh.expect(r'yang .*\n.*# show $')
    assert re.search(r'edges +Edges and their sets', text), text
    assert re.search(r'links +Links to providers', text), text
    sh.type('links\n')
    sh.expect('wan0 up')
    sh.expect(TOP)


def question_mark_on_an_empty_line(sh):
    sh.type('?')
    text = sh.expect(TOP)
    assert 'configure' in text and 'show' in text, text


def question_mark_in_a_regex_is_a_character(sh):
    assert 'mode' in sh.run('show edges | include modes?')
    sh.type('show edges | ?')
    assert 'count' in sh.expect(r'# show edges \| $')
    sh.type('cou\t')
    sh.expect('count ')
    assert '\n1\n' in sh.run('')


def ctrl_c_discards_the_line(sh):
    sh.type('show edges and more')
    sh.expect('more')
    sh.type('\x03')
    sh.expect(TOP)
    assert 'mode' in sh.run('show edges')


def ctrl_z_is_end_and_ctrl_d_is_exit(sh):
    sh.run('configure terminal', r'\(config\)# $')
    sh.run('edge R I', r'\(config-edge\)# $')
    sh.type('\x1a')
    sh.expect(TOP)
    sh.run('configure terminal', r'\(config\)# $')
    sh.run('edge R I', r'\(config-edge\)# $')
    sh.type('\x04')
    sh.expect(r'\(config\)# $')
    sh.type('\x04')
    sh.expect(TOP)
    sh.type('\x04')
    assert sh.ended() == 0


def exit_ends_the_shell(sh):
    sh.type('exit\n')
    assert sh.ended() == 0


def errors_come_with_the_expected_words(sh):
    text = sh.run('show edgse')
    assert 'Unknown command' in text and 'expected: ' in text and 'edges' in text, text


def ctrl_c_leaves_a_hanging_daemon(sh):
    sh.type('hang 3\n')
    sh.expect('hang 3\n')
    sh.type('\x03')
    text = sh.expect(r'# $')
    assert 'interrupted' in text, text
    assert 'mode' in sh.run('show edges', r'# $')


def controls_are_made_visible(sh):
    text = sh.run('show control')
    assert '\033' not in text and '\007' not in text and '^[[31m' in text, text
    assert '<9B>' in text and 'ä' in text, text


def pager_gets_long_answers_only(sh):
    text = sh.run('show long 100', r'# $')
    assert text.count('line 0') == 100 and 'PAGED' in text, text[-300:]
    assert 'PAGED' not in sh.run('show long 3')
    sh.run('terminal length 0')
    assert 'PAGED' not in sh.run('show long 100', r'# $')


def ctrl_c_ends_a_long_answer(sh):
    sh.run('terminal length 0')
    sh.type('show long 300000\n')
    # the rest waits for us to read it
    sh.expect('line 0000100')
    sh.type('\x03')
    text = sh.expect(r'ctl# $')
    assert 'line 0300000' not in text, text[-200:]
    assert 'mode' in sh.run('show edges')


def terminal_paginate(sh):
    sh.run('no terminal paginate')
    assert 'PAGED' not in sh.run('show long 100', r'# $')
    sh.run('terminal paginate')
    assert 'PAGED' in sh.run('show long 100', r'# $')


def a_missing_pager_loses_nothing(sh):
    assert sh.run('show long 100', r'ctl# $').count('line 0') == 100


def history_has_no_secrets(sh):
    sh.run('configure terminal', r'\(config\)# $')
    sh.run('secret hush1', r'\(config\)# $')
    sh.run('sec hush2', r'\(config\)# $')
    sh.run('end')
    sh.run('say remember me')
    sh.type('\x10')
    sh.expect('remember me')
    sh.type('\n')
    sh.expect(TOP)
    sh.type('exit\n')
    assert sh.ended() == 0
    name = HOME + '/.savsh_history'
    with open(name, encoding='utf-8') as file:
        text = file.read()
    assert 'say remember me' in text and 'hush' not in text, text
    assert os.stat(name).st_mode & 0o777 == 0o600


def sigterm_does_not_run_half_a_line(sh):
    sh.type('say half')
    sh.expect('half')
    os.kill(sh.pid, signal.SIGTERM)
    sh.ended()
    assert sh.seen.count('half') == 0, sh.seen


def terminal_length(sh):
    sh.run('terminal length 20')
    assert 'PAGED' not in sh.run('show long 20', r'# $')
    assert 'PAGED' in sh.run('show long 21', r'# $')
    assert '0 to 512' in sh.run('terminal length many')
    assert '0 to 512' in sh.run('terminal length 513')
    sh.run('terminal no length')
    assert 'PAGED' not in sh.run('show long 21', r'# $')
    assert 'PAGED' in sh.run('show long 60', r'# $')


def terminal_monitor_shows_the_log(sh):
    sh.run('terminal monitor')
    sh.type('logmsg warnings the sky falls\n')  # its line comes before the prompt or after it
    text = sh.expect(r'\d{4}/\d\d/\d\d \d\d:\d\d:\d\d savd: warning: the sky falls\n')
    sh.expect(TOP)
    # a line that is being typed is shown again below
    sh.type('say half')
    other('logmsg notifications \033[31mred')
    text = sh.expect(r'savd: notice: \^\[\[31mred\n.*say half')
    sh.type(' and half\n')
    assert 'half and half' in sh.expect(r'half and half\n(.*\n)*.*# $'), text
    sh.run('configure terminal', r'\(config\)# $')
    sh.run('no terminal monitor savd', r'\(config\)# $')
    sh.run('logmsg warnings unheard', r'\(config\)# $')
    assert 'unheard' not in sh.run('end').replace('warnings unheard', '')
    assert 'no daemon nobody' in sh.run('terminal monitor nobody')
    assert 'one daemon' in sh.run('terminal monitor savd sav-agent')
    assert 'not filtered' in sh.run('terminal monitor | include x')


def colours_on_a_terminal(sh):
    text = sh.run('show links')
    assert 'link wan0 \033[32mup\033[0m' in text, text
    assert '\033[31m%' in sh.run('show edgse')


def no_colours(sh):
    text = sh.run('show links') + sh.run('show edgse')
    assert '\033[3' not in text and 'wan0 up' in text, text


CASES = [
    (prompt_follows_the_node, {}),
    (tab_completes, {}),
    (tab_lists_candidates_of_all_daemons, {}),
    (tab_completes_values_and_do, {}),
    (question_mark_helps_and_keeps_the_line, {'rows': 60}),
    (question_mark_on_an_empty_line, {'rows': 60}),
    (question_mark_in_a_regex_is_a_character, {}),
    (ctrl_c_discards_the_line, {}),
    (ctrl_z_is_end_and_ctrl_d_is_exit, {}),
    (exit_ends_the_shell, {}),
    (errors_come_with_the_expected_words, {}),
    (controls_are_made_visible, {}),
    (pager_gets_long_answers_only, {'env': {'SAVSH_PAGER': 'sed s/^/PAGED/'}}),
    (terminal_paginate, {'env': {'SAVSH_PAGER': 'sed s/^/PAGED/'}}),
    (ctrl_c_ends_a_long_answer, {}),
    (a_missing_pager_loses_nothing, {'env': {'SAVSH_PAGER': '/nonexistent/pager'}}),
    (history_has_no_secrets, {}),
    (sigterm_does_not_run_half_a_line, {}),
    (terminal_length, {'rows': 40, 'env': {'SAVSH_PAGER': 'sed s/^/PAGED/'}}),
    (terminal_monitor_shows_the_log, {}),
    (colours_on_a_terminal, {'env': {'TERM': 'vt100'}}),
    (no_colours, {}),
    (no_colours, {'env': {'TERM': 'vt100', 'NO_COLOR': '1'}}),
    (no_colours, {'env': {'TERM': 'vt100'}, 'args': ['--no-color']}),
    # the last: the daemon is busy for a while after it
    (ctrl_c_leaves_a_hanging_daemon, {}),
]


def main():
    for case, options in CASES:
        name = case.__name__.replace('_', ' ')
        shell = Shell(*options.pop('args', []), **options)
        try:
            shell.expect(TOP)
            case(shell)
            print(f'ok - {name}')
        except AssertionError as error:
            print(f'not ok - {name}\n# {error}')
        finally:
            shell.close()
        sys.stdout.flush()


main()
