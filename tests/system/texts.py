"""Every text of ours names only what exists: texts.py SOURCE POSTHORNCTL

Whatever the programs say and the manuals print as "posthornctl WORD", is a command that posthornctl
knows; and nobody is sent to a page in the browser or to a button on a screen before there is one.
"""
import pathlib
import re
import subprocess
import sys

SOURCE, POSTHORNCTL = pathlib.Path(sys.argv[1]), sys.argv[2]
CALL = re.compile(r'posthornctl ((?:[a-z]+ ?)+)')
ABSENT = re.compile(r"\b(?:page of the box|technician's page|press (?:reconnect|restart|link))\b", re.IGNORECASE)
# What follows a command in a sentence.
PROSE = {'a', 'does', 'for', 'gives', 'in', 'is', 'makes', 'needs', 'on', 'or', 'says', 'shows', 'then', 'to',
         'with', 'writes'}


def said_by(path):
    """What people read of a file: of C++ its string literals, joined as the compiler joins them."""
    text = path.read_text(errors='replace')
    if path.suffix not in ('.cpp', '.h'):
        return text
    text = re.sub(r'^\s*(?://|#include).*$', '', text, flags=re.MULTILINE)
    literals = re.findall(r'(?:"(?:[^"\\\n]|\\.)*"\s*)+', text)
    return '\n'.join(''.join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', one)).replace('\\"', '"') for one in literals)


def knows(words, known={}):
    """Whether posthornctl takes these words as commands; asked once for each."""
    if words not in known:
        done = subprocess.run([POSTHORNCTL, *words, '--help'], capture_output=True, text=True)
        known[words] = f'Usage: posthornctl {" ".join(words)} ' in done.stdout
    return known[words]


def methods():
    """README's lists of methods are the table that the API is made of."""
    built_in = set(re.findall(r'\{"([a-z][A-Za-z]+)", Verb', (SOURCE / 'src/api/routes.cpp').read_text()))
    built_in |= set(re.findall(r'route\((?:context, )?"([a-z][A-Za-z]+)"', (SOURCE / 'src/api/sending_file.cpp').read_text()))
    built_in |= set(re.findall(r'name = "([a-z][A-Za-z]+)"', (SOURCE / 'firmware/daemon/access_api.cpp').read_text()))
    refused = set(re.findall(r'\{"([a-z][A-Za-z]+)", Verb', (SOURCE / 'src/api/not_here.cpp').read_text()))
    rows = dict(re.findall(r'^\| (here today|not here yet|never|ours)[^|]*\| (.*) \|$', (SOURCE / 'README.md').read_text(),
                           re.MULTILINE))
    named = {row: set(re.findall(r'\b[a-z]+[A-Z][A-Za-z]+\b|\breboot\b|\blogout\b|\bqr\b|\bscanqrcode\b', text))
             - {'idMessage', 'chatId', 'passkeyRequired'} for row, text in rows.items()}
    wrong = []
    if named['here today'] - built_in:
        wrong.append(f"README, here today: {sorted(named['here today'] - built_in)} are not")
    if built_in - named['here today'] - named['ours']:
        wrong.append(f"README: {sorted(built_in - named['here today'] - named['ours'])} are missing")
    if named.get('not here yet', set()) & (built_in | refused):
        wrong.append(f"README, not here yet: {sorted(named['not here yet'] & (built_in | refused))} are")
    if not {name for name in refused if 'uthorization' not in name and name != 'checkAccount'} <= named['never']:
        wrong.append(f"README, never: {sorted(refused - named['never'])} are missing")
    return wrong


def main():
    files = [p for folder in ('src', 'firmware') for p in (SOURCE / folder).rglob('*')
             if p.suffix in ('.cpp', '.h', '.toml', '.md') or p.name == 'posthorn.txt']
    files += [SOURCE / 'README.md', *(SOURCE / 'image').rglob('*.md')]
    wrong, seen = [], set()
    for path in files:
        text = said_by(path)
        for match in CALL.finditer(text):
            words = match.group(1).split()
            if words[0] in PROSE:
                continue
            seen.add(words[0])
            if not knows((words[0],)):
                wrong.append(f'{path.relative_to(SOURCE)}: there is no posthornctl {words[0]}')
        for match in ABSENT.finditer(text):
            wrong.append(f'{path.relative_to(SOURCE)}: "{match.group(0)}" does not exist')
    wrong += methods()
    print(f'{len(files)} files name {len(seen)} commands: {", ".join(sorted(seen))}')
    if len(seen) < 8 or knows(('conjure',)):
        wrong.append('this test sees nothing')
    print('\n'.join(wrong))
    return 1 if wrong else 0


sys.exit(main())
