#!/usr/bin/env python3
"""usage: haven-reader.py HAVEN

Lists the snapshots of a haven, a JSON array a line: keyspace, table, tag, state, number of files, bytes. Reads every
byte and compares it with the receipts. What is wrong is named on stderr, exit code 1. Written from docs/haven-format.md.
"""
import hashlib, json, operator, os, re, sys, zlib

KEY = operator.itemgetter('keyspace', 'table', 'tag')

def raw(name):
    return name.encode('utf-8', 'surrogateescape')

def safe(name):
    if re.fullmatch('[a-z0-9_-][a-z0-9_.-]{0,99}', name):
        return name
    return re.sub('[^a-z0-9_-]+', '_', name.lower())[:60] + '~' + hashlib.sha256(raw(name)).hexdigest()[:16]

def paths(folder, depth):
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [path for name in names for path in (paths(f'{folder}/{name}', depth - 1) if depth else [f'{folder}/{name}'])]

def record(path):
    with open(path, 'rb') as file:
        text = file.read()
    if text[-23:] != b'"checksum":"%08x"}\n' % zlib.crc32(text[:-23]):
        raise ValueError('its checksum does not hold')
    return json.loads(text)

def in_doubt():
    for path in filter(re.compile(r'.*/(group|removal)-\d+\.json').fullmatch, paths('.snaphaven/partial', 1)):
        try:
            intent = record(path)
            yield from (KEY(one['key']) for kind in ('publications', 'removals') for one in intent.get(kind, []))
        except (ValueError, FileNotFoundError):
            pass  # it was never finished, so nothing was begun by it; or it is done with

def fault(folder, file):
    name, size, crc = f'{folder}/{file["path"]}', 0, 0
    if {'', '.', '..'} & set(name.split('/')):
        return f'{name} leads out of its folder'
    try:
        with open(raw(name), 'rb') as opened:
            while chunk := opened.read(1 << 20):
                size, crc = size + len(chunk), zlib.crc32(chunk, crc)
    except OSError as error:
        return f'{name}: {error.strerror}'
    same = (size, f'{crc:08x}') == (file['size'], file['crc32'])
    return None if same else f'{name}: {size} bytes of CRC-32 {crc:08x}, not {file["size"]} of {file["crc32"]}'

def check(path):
    """The line of a receipt's snapshot and what is wrong with it, nothing where it is in doubt."""
    try:
        receipt = record(path)
    except ValueError as error:
        return None, [f'{path}: {error}']
    keyspace, table, tag = KEY(receipt)
    belongs = path == f'.snaphaven/receipts/{safe(keyspace)}/{safe(table)}/{safe(tag)}.json'
    found = [fault(f'data/{keyspace}/{table}/snapshots/{tag}', file) for file in receipt['files']]
    line = [keyspace, table, tag, receipt['state'], receipt['fileCount'], receipt['byteCount']]
    wrong = filter(None, [None if belongs else f'{path} does not stand where it belongs', *found])
    return (None, []) if KEY(receipt) in in_doubt() else (line, list(wrong))

os.chdir(sys.argv[1])
if record('.snaphaven/haven.json')['format'] > 1:
    sys.exit('the haven has a newer format than 1')
for key in in_doubt():
    print('in doubt:', json.dumps(key), file=sys.stderr)
bad = False
for path in paths('.snaphaven/receipts', 2):
    line, wrong = check(path)
    if wrong:  # or only replaced meanwhile
        line, wrong = check(path) if os.path.exists(path) else (None, [])
    if line:
        print(json.dumps(line))
    for message in wrong:
        print('wrong:', message.encode('unicode_escape').decode(), file=sys.stderr)
    bad = bad or bool(wrong)
sys.exit(bad)
