# SPDX-License-Identifier: GPL-2.0-or-later
"""Manual pages say all that the programs understand and print, and nothing else.

A command is documented by a list item: ".It Ic brake shrink Ar percent". What is optional stands in
Oo...Oc, an argument in Ar, a choice of words in Cm, several commands of one item apart by a comma.
"Oo Ic no Oc" before a command stands for both forms. A JSON name is documented by ".It Va name".
"""

import collections
import re

from fragments import Makefile
from tree import Finding

# Program, its page, and where its commands are.
PROGRAMS = [
    ("savd", re.compile(r"^(controller/(vty/|[^/]+_vty\.c)|lib/(metrics|version)_vty\.c)"), ["doc/savd.8", "doc/opensav.conf.5"]),
    ("sav-agent", re.compile(r"^(agents/((steer|head)/)?\w+|lib/metrics(_listen)?|lib/version)_vty\.c$"), ["doc/sav-agent.8"]),
    ("sav-iked", re.compile(r"^((ipsec/.*|lib/metrics(_listen)?|lib/version)_vty|ipsec/esp/esp_counters)\.c$"), ["doc/sav-iked.8"]),
]
# The command line of each program.
OPTIONS = [
    ("controller/savd_main.c", "doc/savd.8"),
    ("controller/replay_main.c", "doc/sav-replay.8"),
    ("controller/savsh/savsh.c", "doc/savsh.8"),
    ("agents/agent_main.c", "doc/sav-agent.8"),
    ("ipsec/iked_main.c", "doc/sav-iked.8"),
]
# Commands of libfrr that our pages mention in lists of commands.
LIBFRR = ("configure", "exit", "end", "quit", "log", "copy", "show running-config", "terminal")

DEFUN = re.compile(r'^DEF(?:UN|UN_NOSH|PY|PY_NOSH)\s*\(\s*\w+\s*,\s*\w+\s*,\s*((?:"[^"]*"\s*)+),', re.M)
JSON = re.compile(r'(?:json_object_\w+_add\w*\(\s*[^,;]+|show_rows_begin\([^;"]*),\s*"([^"]+)"')
# Names in a table, which a loop puts into JSON.
JSON_TABLES = {"ipsec/esp/esp_counters.c": re.compile(r'"(esp[A-Z]\w*)"')}
PRINTED_JSON = re.compile(r'\\"(\w+)\\":')
OPTION = re.compile(r'\{\s*"([a-z][\w-]*)",\s*(?:no|required|optional)_argument')
MACROS = {"Ic", "Ar", "Cm", "Op", "Oo", "Oc", "Fl", "Va", "Li", "Ns", "No", "Pq", "Brq", "Bro", "Brc", "Xo", "Xc"}

Command = collections.namedtuple("Command", "words choices options")
ANY = "*"


# ---- commands as the programs define them

def defined_tokens(text):
    return re.findall(r"[\[\]<>|]|\([^)]*\)|[^\s\[\]<>|()]+", text)


def parse_sequence(tokens, at, ends):
    """Elements up to one of ends: words, ("opt", sequence), ("any", [sequence...])."""
    found = []
    while at < len(tokens) and tokens[at] not in ends:
        token = tokens[at]
        if token == "[":
            inner, at = parse_sequence(tokens, at + 1, "]")
            found.append(("opt", inner))
        elif token == "<":
            choices = []
            while tokens[at] != ">":
                inner, at = parse_sequence(tokens, at + 1, "|>")
                choices.append(inner)
            found.append(("any", choices))
        else:
            found.append(token)
        at += 1
    return found, at


def is_literal(element):
    return isinstance(element, str) and re.match(r"[a-z][a-z0-9_-]*$", element) is not None


def command_of(text):
    """(has a no form, Command) of a definition in libfrr's grammar."""
    elements, _ = parse_sequence(defined_tokens(text), 0, "")
    words, choices, options, both = [], set(), set(), False
    for i, element in enumerate(elements):
        if is_literal(element):
            words.append(element)
        elif isinstance(element, tuple) and element[0] == "opt":
            if i == 0 and element[1] == ["no"]:
                both = True
            options.update(e for e in element[1] if is_literal(e))
        else:
            words.append(ANY)
            if isinstance(element, tuple):
                choices.update(c[0] for c in element[1] if len(c) == 1 and is_literal(c[0]))
    return both, Command(tuple(words), frozenset(choices), frozenset(options))


def defined_commands(tree, sources):
    """(path, line, text, Command); a "[no]" gives two."""
    for path in tree.ending(".c"):
        if not sources.match(path):
            continue
        text = tree.text(path)
        for match in DEFUN.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            definition = "".join(re.findall(r'"([^"]*)"', match.group(1)))
            both, command = command_of(definition)
            yield path, line, definition, command
            if both:
                yield path, line, definition, command._replace(words=("no",) + command.words)


# ---- commands as the pages describe them

def macro_words(line):
    """Words of a macro line; quoted ones are one."""
    return [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', line)]


def described_commands(tree, page):
    """(line, Command) of each list item that begins with Ic."""
    for number, line in tree.lines(page):
        if not re.match(r"\.It (Xo )?(Ic|Oo Ic) ", line):
            continue
        for part in split_commas(macro_words(line)[1:]):
            command, both = described_command(part)
            yield number, command
            if both:
                yield number, command._replace(words=("no",) + command.words)


def split_commas(words):
    parts = [[]]
    for word in words:
        if word == ",":
            parts.append([])
        else:
            parts[-1].append(word)
    return [p for p in parts if p]


def described_command(words):
    out, options, macro, depth, both = [], set(), "Ic", 0, False
    for word in words:
        if word in MACROS:
            depth += (word == "Oo") - (word == "Oc")
            if word == "Cm" and depth == 0:
                out.append(ANY)
            macro = word
        elif depth > 0:
            options.add(word)
            both = both or (word == "no" and not out)
        elif macro == "Ic":
            out.append(word)
        elif macro == "Ar":
            out.append(ANY)
    return Command(tuple(out), frozenset(), frozenset(options)), both


def page_words(tree, pages):
    """All words that stand for themselves somewhere in the pages."""
    found = set()
    for page in pages:
        for _, line in tree.lines(page):
            if line.startswith(".") and re.search(r"\b(Cm|Ic)\b", line):
                found.update(macro_words(line))
    return found


def present(tree, pages):
    return [p for p in pages if p in tree.known]


def is_libfrr(words):
    return " ".join(words).removeprefix("no ").startswith(LIBFRR)


def check_commands(tree):
    """every command is in a manual page, and every documented command exists"""
    yield from check_pages(tree)
    for program, sources, pages in PROGRAMS:
        defined = list(defined_commands(tree, sources))
        pages_here = present(tree, pages)
        described = {}
        for page in pages_here:
            for line, command in described_commands(tree, page):
                described.setdefault(command.words, []).append((page, line, command))
        words = page_words(tree, pages_here)
        for path, line, text, command in defined:
            where = " or ".join(pages)
            if command.words not in described:
                yield Finding(path, line, f'"{" ".join(command.words)}" of {program} is not in {where}: add ".It Ic '
                                          f'{" ".join(command.words)}", arguments by Ar')
                continue
            for choice in sorted(command.choices - words):
                yield Finding(path, line, f'"{choice}" in "{text}" is not in {where}: describe it with Cm or Ic')
            if "json" in command.options and not any("json" in d[2].options for d in described[command.words]):
                page, at, _ = described[command.words][0]
                yield Finding(page, at, f'"{" ".join(command.words)}" can be asked for JSON: add "Oo Ic json Oc"')
        known = {command.words for _, _, _, command in defined}
        for command_words, places in described.items():
            for page, line, _ in places:
                if command_words not in known and not is_libfrr(command_words):
                    yield Finding(page, line, f'{program} has no command "{" ".join(command_words)}": remove or '
                                              "correct it")


def check_pages(tree):
    """every installed program has a page, every page is installed"""
    make = Makefile(tree)
    pages = {word: (path, line) for path, line, word in make.words("man_MANS")}
    for name in ("bin_PROGRAMS", "sbin_PROGRAMS"):
        for path, line, program in make.words(name):
            if not any(p in pages for p in (f"doc/{program}.8", f"doc/{program}.1")):
                yield Finding(path, line, f"program {program} has no manual page: write doc/{program}.8 and name it "
                                          "in doc/doc.am")
    for path in tree.paths:
        if re.match(r"doc/[^/]+\.[1-9]$", path) and path not in pages:
            yield Finding(path, 1, "is not installed: add it to man_MANS in doc/doc.am")


# ---- JSON

def described_names(tree, pages):
    for page in present(tree, pages):
        for number, line in tree.lines(page):
            if line.startswith(".It Va "):
                for word in macro_words(line)[2:]:
                    if word not in MACROS and word not in (",", "."):
                        yield page, number, word


def printed_names(tree, sources, pattern):
    for path in tree.ending(".c"):
        if sources.match(path):
            text = tree.text(path)
            for match in JSON_TABLES.get(path, pattern).finditer(text):
                yield path, text.count("\n", 0, match.start()) + 1, match.group(1)


def check_json(tree):
    """every name in JSON output is in a manual page, and every documented name is printed"""
    programs = [(sources, JSON, pages) for _, sources, pages in PROGRAMS]
    programs.append((re.compile(r"^controller/replay_\w+\.c$"), PRINTED_JSON, ["doc/sav-replay.8"]))
    for sources, pattern, pages in programs:
        printed = list(printed_names(tree, sources, pattern))
        described = list(described_names(tree, pages))
        known = {word for _, _, word in described}
        for path, line, name in printed:
            if name not in known:
                yield Finding(path, line, f'JSON name "{name}" is not in {" or ".join(pages)}: add ".It Va {name}"')
        known = {name for _, _, name in printed}
        for page, line, word in described:
            if word not in known:
                yield Finding(page, line, f'no JSON has the name "{word}": remove or correct it')


# ---- options

def check_options(tree):
    """every long option is in the manual page of its program"""
    for path, page in OPTIONS:
        if path not in tree.known:
            continue
        text = tree.text(path)
        described = set(re.findall(r"Fl -([\w-]+)", tree.text(page))) if page in tree.known else set()
        for match in OPTION.finditer(text):
            if match.group(1) not in described:
                line = text.count("\n", 0, match.start()) + 1
                yield Finding(path, line, f"option --{match.group(1)} is not in {page}: add it, \"Fl -{match.group(1)}\"")
