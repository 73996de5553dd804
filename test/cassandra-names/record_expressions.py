#!/usr/bin/env python3
"""Writes python-expressions.jsonl: what Python's re.match says of many expressions and tags.

The first line is the list of tags; each further line is an expression and, for each tag, 1 where it matches and 0
where not, or `!` and Python's message where the expression is refused. Expressions are those listed here, and as many
random ones as asked, from a seed, of which only those are kept that Python takes.

    python3 test/cassandra-names/record_expressions.py [COUNT [SEED]] > test/cassandra-names/python-expressions.jsonl

For a longer comparison: `… 20000 7 > /tmp/more.jsonl`, then `EXPRESSIONS=/tmp/more.jsonl npx ava test/cassandra-names`.
"""

import json
import random
import re
import signal
import sys
import warnings

TAGS = [
    'a', 'b', 'ab', 'ba', 'A', 'aB', 'AB', 'aab', 'abab', 'aaa', 'bbb', '0', '01', '10', 'a0', '_', '-', 'a-b', 'a b',
    ' ', 'a:b', 'a.b', 'é', 'É', 'aé', 'ſ', '\u212a', 'k', 's', 'i', 'I', 'ı', '\n', 'a\n', 'ab\n', 'a\nb', '\na',
    '\na\n', '\udc80', 'a\udcff', '😀', '٣', '\x07', '{', 'a{', '}', ',', 'a{,a}', ']', '^', '[', '&', '|', '~', '/',
    '(', ')', '#', '\\', '\u2028', 'a\u2028b', '\x85', '\x1c', '\ufeff', '\xa0', 'Z', 'c', 'C', '9', 'abc', 'aabb',
    'abba', 'baab', 'aA', 'Aa', '\r', 'a\rb', 'µ', 'ß', 'ẞ', '²', 'ⅷ', '一', '\u0301', '_a', 'opcenter_daily',
    'daily_2024-05-01', 'DAILY_1', '2024-2024', '20242025',
]

LISTED = [
    '', '^opcenter_', 'daily', r'daily_\d{4}-\d\d-\d\d$', '(?i)daily', r'(?P<year>\d{4})-(?P=year)', r'(\d{4})\1\Z',
    r'(?P<year>\d{4})(?!(?P=year))', r'\Aa\Z', r'a$', r'(?m)a$', r'(?m)\na$', r'(?s)a.b', r'a.b', '(?i:a)b', 'a(?i:b)',
    '(?i)a(?-i:b)', '(?#what)a', 'a(?#what)+b', '(?x) a # first\n b', '(?x)a\\ b', r'(?x)[ ]|a', r'[]]', r'[^]]', '[]a]',
    '[a-]', '[-a]', r'[\w-]', r'[\W_]', r'[\b]', r'\a', r'\07', r'\0', r'\101', r'[\101]', r'\x41', r'\u00e9',
    r'\U0001f600', 'a{,2}b', 'a{1,}b', 'a{2}', 'a{', 'a{,a}', '{', 'a{}', 'a*+b', 'a?+a', 'a{1,2}+b', '(?>a|ab)b', '(?>a+)b',
    r'(?<=a)b', r'a(?<=a)b', r'a(?<!b)b', r'\bab\b', r'\Ba', r'a\Bb', r'(?a)\w', r'(?a)é', r'(?ai)ſ', r'(?i)s', r'(?i)k',
    r'(?i)i', r'(?i)ß', r'(?i)µ', '(?i)[a-c]+$', '(?i)[^a]', '(?ai)[^a]', '(?u)a', '(a)|b', r'(?:(a)|b)', 'a||b', '()', '|',
    # Refused here, by name.
    r'(a)?\1', r'(a)*\1', r'(a)|b\1', r'(?:(a)|b)\1', r'(a)(?(1)b|c)', r'\N{DIGIT ONE}', r'(?i)(a)\1', r'(?<=(a)\1)b',
    r'(?<=a?+)b', r'(?>(?:|a)*)b', '(?<=(?>a))b',
    # Refused by Python as well.
    '(', ')', '(a', 'a)', '[', '[a', '[]', '*', 'a**', 'a+*', '^*', r'\b+', 'a{2,1}', 'a{5000000000}', r'\1', r'(\1)',
    '(?P<n>a)(?P<n>b)', '(?P<1>a)', '(?P<n', '(?P=n)', '(?P>n)', '(?<n>a)', '(?', '(?i', '(?i-', '(?i-:a)', '(?i-i:a)',
    '(?z)a', 'a(?i)', '(?-i)a', '(?L)a', '(?au)a', '(?-a:a)', '(?#a', '(?~a)', r'\q', r'\Q', '\\', r'\x4', r'\u00e',
    r'\U0011ffff', r'\8', r'\400', r'[\400]', r'[\8]', r'[\Z]', '[b-a]', r'[\d-a]', r'[a-\d]', r'[\q]',
    # Taken here, refused by Python.
    r'(?<=a+)b', r'(?<!a|bb)b',
]

ATOMS = ['a', 'b', 'A', 'B', '0', '1', '_', '-', ' ', ':', 'é', 'ſ', 'k', 'i', r'\.', '.', '.', '{', '}', ',', 'a{', '{,a']
ESCAPES = [
    r'\d', r'\w', r'\s', r'\D', r'\W', r'\S', r'\b', r'\B', r'\A', r'\Z', '^', '$', r'\n', r'\x41', r'\u00e9', r'\U00000041',
    r'\0', r'\01', r'\101', r'\07', r'\a', r'\-', r'\_', r'\é',
]
REFERENCES = [r'\1', r'\2', '(?P=n)', '(?#c)']
MEMBERS = [
    'a', 'b', 'A', 'é', '-', 'a-c', '0-9', 'A-Z', r'\d', r'\W', r'\s', r'\w', r'\S', r'\]', r'\b', r'\n', r'\101', '^', '[',
    '&&', '--', '||', 'a-', ' ', '#', 'Z-_', '(', ')', '{', '/', 'k', 's', 'i', '~~', r'\-', r'\^', r'\\',
]
GROUPS = [
    '(%s)', '(%s)', '(%s)', '(?:%s)', '(?P<n>%s)', '(?P<m>%s)', '(?=%s)', '(?!%s)', '(?<=%s)', '(?<!%s)', '(?>%s)',
    '(?i:%s)', '(?s:%s)', '(?m:%s)', '(?x:%s)', '(?-i:%s)', '(?a:%s)', '(?i-s:%s)',
]
QUANTIFIERS = ['*', '+', '?', '{2}', '{1,2}', '{,2}', '{1,}', '{0}', '{,}', '{}', '{1']
FLAGS = ['', '', '', '', '(?i)', '(?m)', '(?s)', '(?x)', '(?a)', '(?im)', '(?i)(?s)', '(?u)', '(?ai)', '(?x) ']


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def expression(self):
        return self.random.choice(FLAGS) + self.alternatives(3)

    def alternatives(self, depth):
        return '|'.join(self.sequence(depth) for _ in range(self.random.choice([1, 1, 1, 2, 3])))

    def sequence(self, depth):
        return ''.join(self.atom(depth) + self.quantifier() for _ in range(self.random.randint(0, 4)))

    def atom(self, depth):
        kind = self.random.random()
        if kind < 0.35 or depth == 0:
            return self.random.choice(ATOMS)
        if kind < 0.50:
            return self.random.choice(ESCAPES)
        if kind < 0.65:
            return self.character_class()
        if kind < 0.70:
            return self.random.choice(REFERENCES)
        return self.random.choice(GROUPS) % self.alternatives(depth - 1)

    def character_class(self):
        opening = '[' + self.random.choice(['', '^']) + self.random.choice(['', ']'])
        return opening + ''.join(self.random.choices(MEMBERS, k=self.random.randint(1, 3))) + ']'

    def quantifier(self):
        if self.random.random() < 0.6:
            return ''
        return self.random.choice(QUANTIFIERS) + self.random.choice(['', '', '', '', '?', '+'])


class TooSlow(Exception):
    """Some expressions take ages by backtracking."""


def give_up(*_):
    raise TooSlow('too slow')


def judge(expression):
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        compiled = re.compile(expression)
        return ''.join('1' if compiled.match(tag) else '0' for tag in TAGS)
    except (re.error, OverflowError, TooSlow) as error:
        return f'!{error}'
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def main(count=400, seed=1):
    warnings.simplefilter('ignore')
    signal.signal(signal.SIGALRM, give_up)
    print(json.dumps(TAGS))
    for expression in LISTED:
        print(json.dumps([expression, judge(expression)]))
    generator = Generator(int(seed))
    found = 0
    while found < int(count):
        expression = generator.expression()
        judgement = judge(expression)
        if not judgement.startswith('!'):
            print(json.dumps([expression, judgement]))
            found += 1


if __name__ == '__main__':
    main(*sys.argv[1:])
