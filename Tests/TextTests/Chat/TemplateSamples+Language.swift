/// Further samples, of what fewer templates use (see `TemplateSamples`).
extension TemplateSamples {
  static let language = recursion + iterators + keys + formatting + markup + others

  /// Loops that call themselves, call blocks, and macros with any arguments.
  static let recursion = samples(
    #"""
    {% for n in [{'v': 1, 'c': [{'v': 2, 'c': []}, {'v': 3, 'c': [{'v': 4, 'c': []}]}]}] recursive %}{{ loop.depth }}{{ loop.depth0 }}:{{ n.v }}({{ loop(n.c) }}){% else %}-{% endfor %}
    --->
    10:1(21:2(-)21:3(32:4(-)))
    ====
    {% for x in [1, 1, 2, 2, 2, 1] %}{% if loop.changed(x) %}{{ x }}{% endif %}{% endfor %} {% for x, y in [(1, 2), (1, 2), (1, 3)] %}{{ loop.changed(x, y) }}{% endfor %}
    --->
    121 TrueFalseTrue
    ====
    {% macro wrap(tag) %}<{{ tag }}>{{ caller() }}</{{ tag }}>{% endmacro %}{% call wrap('b') %}bold {{ 1 + 1 }}{% endcall %}{{ wrap.name }}{{ wrap.caller }}
    --->
    <b>bold 2</b>wrapTrue
    ====
    {% macro each(items) %}{% for i in items %}{{ caller(i, loop.index) }}{% endfor %}{% endmacro %}{% set x = 'outer' %}{% call(item, n=0) each(['a', 'b']) %}[{{ item }}{{ n }}{{ x }}]{% endcall %}
    --->
    [a1outer][b2outer]
    ====
    {% macro f(a, b=2) %}{{ a }},{{ b }},{{ varargs }},{{ kwargs }}{% endmacro %}{{ f(1, 3, 4, 5, k=6) }} {{ f(1) }} {{ f(*[7, 8, 9], **{'z': 1}) }} {{ f.catch_kwargs }}{{ f.catch_varargs }}
    --->
    1,3,(4, 5),{'k': 6} 1,2,(),{} 7,8,(9,),{'z': 1} TrueTrue
    ====
    {% macro g(x, y='d') %}{{ x }}{{ y }}{% endmacro %}{{ g(**{'y': 1, 'x': 2}) }} {{ g(*'ab') }} {{ dict(a=1, **{'b': 2}) }} {{ range(*[1, 4])|list }}
    --->
    21 ab {'a': 1, 'b': 2} [1, 2, 3]
    ====
    {% macro outer() %}{% macro inner() %}{{ caller is defined }}{% endmacro %}{{ inner() }}{% endmacro %}{{ outer() }}{% macro h() %}{{ caller is defined }}{% endmacro %}{{ h() }}
    --->
    FalseFalse
    ====
    {% set c = cycler('odd', 'even') %}{{ c.next() }}{{ c.current }}{{ c.next() }}{{ c.next() }}{{ c.reset() }}{{ c.current }} {% set j = joiner(' | ') %}{{ j() }}a{{ j() }}b{{ j() }}c {% set k = joiner() %}{{ k() }}{{ k() }}
    --->
    oddevenevenoddNoneodd a | b | c , 
    ====
    {% set ns = namespace(a=1, b='x') %}{% set ns.c = [ns.a] %}{{ ns }} {{ namespace() }} {{ [ns] }} {{ namespace({'q': 1}, r=2) }}
    --->
    <Namespace {'a': 1, 'b': 'x', 'c': [1]}> <Namespace {}> [<Namespace {'a': 1, 'b': 'x', 'c': [1]}>] <Namespace {'q': 1, 'r': 2}>
    ====
    {% for a in [1, 2] %}{% for b in [1, 2] %}{{ loop.index }}{{ loop.changed(a) }}{% endfor %}{% endfor %}
    --->
    1True2False1True2False
    """#)

  /// What filters make that gives its elements once, views of mappings, and groups.
  static let iterators = samples(
    #"""
    {% set g = ['a', 'b']|map('upper') %}{{ g|list }}{{ g|list }} {{ 'yes' if []|select else 'no' }} {{ none|selectattr('x')|list }} {{ none|map('upper')|list }} {{ 0|select|list }}
    --->
    ['A', 'B'][] yes [] [] []
    ====
    {% set g = [1, 2, 3]|select('odd') %}{{ g|first }}{{ g|first }}{{ g|first is undefined }} {% set h = [1, 2, 3]|map('string') %}{{ '2' in h }}{{ h|list }}
    --->
    13True True['3']
    ====
    {{ [3, 1, 2]|reverse|list }} {{ [1, 2]|map('string')|reverse }} {{ {'a': 1}|reverse|list }} {{ ([1, 2]|reverse) is sequence }} {{ ([1, 2]|unique) is iterable }} {{ ([1]|map('string'))[0] is undefined }}
    --->
    [2, 1, 3] ['2', '1'] ['a'] False True True
    ====
    {{ [1, 2, 3, 4, 5]|batch(2)|list }} {{ [1, 2, 3]|batch(2, 'x')|list }} {{ [1, 2, 3, 4, 5]|slice(3)|list }} {{ [1, 2, 3, 4]|slice(3, '-')|list }} {{ []|batch(2)|list }}
    --->
    [[1, 2], [3, 4], [5]] [[1, 2], [3, 'x']] [[1, 2], [3, 4], [5]] [[1, 2], [3, '-'], [4, '-']] []
    ====
    {% set u = [{'k': 'b', 'v': 1}, {'k': 'a', 'v': 2}, {'k': 'B', 'v': 3}] %}{% for g in u|groupby('k') %}{{ g.grouper }}={{ g.list|map(attribute='v')|join(',') }};{% endfor %}{% for k, items in u|groupby('k', case_sensitive=true) %}{{ k }}{{ items|length }}{% endfor %} {{ [{'a': 1}, {}]|groupby('a', default=0) }}
    --->
    a=2;b=1,3;B1a1b1 [(0, [{}]), (1, [{'a': 1}])]
    ====
    {% set d = {'b': 1, 'a': 2} %}{{ d.items() }} {{ d.keys() }} {{ d.values() }} {{ d.keys() is sequence }} {{ d.items() is iterable }} {{ d.items()|length }} {{ d.keys()|sort }} {{ 'a' in d.keys() }} {{ d.keys() == ['b', 'a'] }}
    --->
    dict_items([('b', 1), ('a', 2)]) dict_keys(['b', 'a']) dict_values([1, 2]) False True 2 ['a', 'b'] True False
    ====
    {{ range(3) }} {{ range(1, 9, 2) }} {{ range(5)[1:3] }} {{ range(9)[::-2] }} {{ range(3)[1] }} {{ range(3) == [0, 1, 2] }} {{ range(0) is sequence }} {{ range(3)|last }}
    --->
    range(0, 3) range(1, 9, 2) range(1, 3) range(8, -1, -2) 1 False True 2
    ====
    {{ [1, 2, 2, 'a', 'A']|unique|join(',') }} {{ 'hello'|unique|join }} {{ {'x': 1}|items|list }} {{ ['b', 'a']|sort|first }} {{ [[1, 2], [3]]|sum(start=[]) }} {{ [1, 2, 3]|map('pow', 2)|list if false else 'skipped' }}
    --->
    1,2,a helo [('x', 1)] a [1, 2, 3] skipped
    ====
    {% set a = [{'n': {'m': 'x'}}, {'n': {}}] %}{{ a|map(attribute='n.m', default='?')|list }} {{ a|selectattr('n.m', 'defined')|list|length }} {{ a|rejectattr('n.m')|list }} {{ [{'t': 'a'}, {'t': 'b'}]|selectattr('t', 'in', ['b', 'c'])|map(attribute='t')|list }} {{ [['x', 1], ['y', 2]]|map(attribute=1)|list }}
    --->
    ['x', '?'] 1 [{'n': {}}] ['b'] [1, 2]
    """#)

  /// Keys that are no texts.
  static let keys = samples(
    #"""
    {% set d = {1: 'one', 2.5: 'f', none: 'n', true: 'again', (1, 2): 't'} %}{{ d[1] }} {{ d[true] }} {{ d[1.0] }} {{ d[none] }} {{ d[(1, 2)] }} {{ d.get(9, '-') }} {{ 2.5 in d }} {{ d }}
    --->
    again again again n t - True {1: 'again', 2.5: 'f', None: 'n', (1, 2): 't'}
    ====
    {{ {1: 'a', 'x': {2: none}}|tojson }} {{ {none: 1, true: 2, 1.5: 3}|tojson }} {{ {3: 1, 2: 0}|dictsort }} {{ {2: 'b', 1: 'a'}|tojson(sort_keys=true) }} {{ {1: 2}.items()|list }} {{ {1: 2}|length }}
    --->
    {"1": "a", "x": {"2": null}} {"null": 1, "true": 2, "1.5": 3} [(2, 0), (3, 1)] {"1": "a", "2": "b"} [(1, 2)] 1
    ====
    {% for k, v in {1: 'a', 2: 'b'}.items() %}{{ k + 1 }}{{ v }}{% endfor %} {{ {'a': 1} == {'a': 1.0} }} {{ {1: 2} == {true: 2} }} {{ dict([(1, 2), ('b', 3)]) }}
    --->
    2a3b True True {1: 2, 'b': 3}
    """#)

  /// Formats of `str.format` and `%`, and texts of some width.
  static let formatting = samples(
    #"""
    {{ '{} and {}'.format(1, 'b') }} {{ '{1}{0}{1}'.format('a', 'b') }} {{ '{x!r} {x}'.format(x='q') }} {{ '{0.a} {0[b]} {1[0]}'.format({'a': 1, 'b': 2}, [3]) }} {{ '{{}} {}'.format(none) }}
    --->
    1 and b bab 'q' q 1 2 3 {} None
    ====
    {{ '[{:>5}|{:<5}|{:^5}|{:*^7}]'.format('ab', 'cd', 'ef', 'g') }} {{ '[{:5}|{:5}|{:05}|{:+}|{: }]'.format('ab', 12, -42, 7, 8) }} {{ '{:.2f} {:.0f} {:e} {:g} {:%}'.format(3.14159, 2.5, 12345.678, 0.0001, 0.25) }}
    --->
    [   ab|cd   | ef  |***g***] [ab   |   12|-0042|+7| 8] 3.14 2 1.234568e+04 0.0001 25.000000%
    ====
    {{ '{:,} {:_} {:x} {:#X} {:b} {:o} {:c} {:08.3f} {:>{w}}'.format(1234567, 1234567, 255, 255, 5, 8, 65, 3.14159, 'r', w=4) }} {{ '{:.3}'.format('abcdef') }} {{ '{:d} {:n}'.format(true, 5) }} {{ '{:10.1f}|{:<8g}|'.format(2.25, 1e20) }}
    --->
    1,234,567 1_234_567 ff 0XFF 101 10 A 0003.142    r abc 1 5        2.2|1e+20   |
    ====
    {{ '%s %d %5.1f|%-5s|%05d|%x|%%' % ('a', 3, 2.25, 'b', 42, 255) }} {{ '%(k)s=%(v)r' % {'k': 'a', 'v': 'b'} }} {{ '%s' % 5 }} {{ '%s' % [1, 'a'] }} {{ '%+d % d %o %E %c %.3s' % (5, 6, 8, 1.5, 'z', 'abcdef') }}
    --->
    a 3   2.2|b    |00042|ff|% a='b' 5 [1, 'a'] +5  6 10 1.500000E+00 z abc
    ====
    {{ '%s-%s'|format('a', 1) }} {{ '%(x)d'|format(x=3) }} {{ 'a%sb'|format(none) }} {{ '{a}{b}'.format_map({'a': 1, 'b': 2}) }} {{ '{:,.2f}'.format(1234.5) }} {{ '{:.3g} {:g} {:G}'.format(1234.5, 100000, 1e-10) }}
    --->
    a-1 3 aNoneb 12 1,234.50 1.23e+03 100000 1E-10
    ====
    {{ 'ab'.center(7, '*') }}|{{ 'ab'.center(5) }}|{{ 'abc'.ljust(5, '.') }}|{{ 'abc'.rjust(5) }}|{{ '42'.zfill(5) }}|{{ '-7'.zfill(4) }}|{{ '+x'.zfill(1) }}|{{ 'ab'|center(6) }}|
    --->
    ***ab**|  ab |abc..|  abc|00042|-007|+x|  ab  |
    ====
    {{ 'a\tb\tc'.expandtabs(4) }}|{{ 'aBc'.swapcase() }} {{ 'Straße'.casefold() }} {{ 'Hello World'.istitle() }}{{ 'Hello world'.istitle() }} {{ 'abab'.rindex('b') }} {{ '12'.isdecimal() }}{{ '½'.isnumeric() }}{{ 'é'.isascii() }}{{ 'a\n'.isprintable() }} {{ 'a b'.isprintable() }}
    --->
    a   b   c|AbC strasse TrueFalse 3 TrueTrueFalseFalse True
    ====
    {{ 'foo bar baz qux'|truncate(9) }}|{{ 'foo bar baz qux'|truncate(9, true) }}|{{ 'foo bar baz qux'|truncate(11) }}|{{ 'foo bar'|truncate(5, false, '…', 0) }}|{{ 'x y'|truncate(255) }}
    --->
    foo...|foo ba...|foo bar baz qux|foo…|x y
    ====
    {{ 1|filesizeformat }} {{ 999|filesizeformat }} {{ 1500|filesizeformat }} {{ 1048576|filesizeformat(true) }} {{ 123456789|filesizeformat }} {{ 'a b/ü&c'|urlencode }} {{ {'q': 'x y', 'n': 1}|urlencode }} {{ '3.7'|filesizeformat }}
    --->
    1 Byte 999 Bytes 1.5 kB 1.0 MiB 123.5 MB a%20b/%C3%BC%26c q=x+y&n=1 3 Bytes
    ====
    {{ '\N{GREEK SMALL LETTER ALPHA}\N{em dash}|' }}{{ '%c%c' % (65, 'b') }} {{ '{!s:>4}'.format(1) }} {{ '{:^+9.2f}|{:=+6d}|{:#06x}'.format(1.5, 3, 255) }}
    --->
    α—|Ab    1   +1.50  |+    3|0x00ff
    """#)

  /// Texts that are marked as safe.
  static let markup = samples(
    #"""
    {{ ('<b>'|safe) + '<i>' }} {{ '<i>' + ('<b>'|safe) }} {{ ('<b>'|safe) ~ '<i>' }} {{ ('<b>'|safe)|upper + '&' }} {{ '<'|e }} {{ '<'|e|e }} {{ '<'|safe|forceescape }} {{ ('<'|safe) is escaped }}{{ '<' is escaped }}
    --->
    <b>&lt;i&gt; &lt;i&gt;<b> <b><i> <B>&amp; &lt; &lt; &lt; TrueFalse
    ====
    {{ [('<'|safe), '<'] }} {{ ('a<'|safe)|tojson }} {{ ('%s<'|safe) % '<' }} {{ ('{}<'|safe).format('<') }} {{ ('-'|safe).join(['<', '>']) }} {{ ('a-b'|safe).replace('-', '<') }} {{ ('a-b'|safe)|replace('-', '<') }} {{ ('a b'|safe).split() }}
    --->
    [Markup('<'), '<'] "a<" &lt;< &lt;< &lt;-&gt; a&lt;b a<b [Markup('a'), Markup('b')]
    ====
    {{ ('<b>'|safe) * 2 + '<' }} {{ ('<b>'|safe)[0] + '<' }} {{ ('<b>'|safe)[1:] + '<' }} {{ ('<b>'|safe)|trim + '<' }} {{ ('<b>'|safe)|string + '<' }} {{ [('<'|safe), '<']|join }} {{ ('<b>'|safe) == '<b>' }} {{ ('a\nb<'|safe)|indent(2) + '<' }} {{ ('<'|safe) in '<>' }}
    --->
    <b><b>&lt; <&lt; b>&lt; <b>&lt; <b>&lt; << True a
      b<&lt; True
    ====
    {% set x %}<{% endset %}{{ x + '<' }} {% macro m() %}<{% endmacro %}{{ m() + '<' }} {{ ('<b>x</b>'|safe)|length }} {{ {('k'|safe): 1}['k'] }} {{ 'a<b'|escape|lower + '<' }} {{ 'string' if ('x'|safe) is string }}
    --->
    << << 8 1 a&lt;b&lt; string
    """#)

  /// What else published templates use.
  static let others = samples(
    #"""
    {{ 'upper' is filter }} {{ 'nope' is filter }} {{ 'defined' is test }} {{ 'nope' is test }} {{ range is callable }} {{ 1 is callable }} {{ 5 is divisibleby 5 }} {{ 'a' is in 'abc' }} {{ none is sameas none }}{{ 1 is sameas true }}
    --->
    True False True False True False True True TrueFalse
    ====
    {% raw %}{{ x }}{% endraw %}{# gone #}{%- if true -%} a {%- endif %}|{{- ' b' -}} | {%+ if true %}c{% endif %}
    --->
    {{ x }}a| b| c
    ====
    {{ 1 if 0 else 2 if 0 else 3 }} {{ (1, 2) + (3,) }} {{ [1, 2][-1] }} {{ 'abc'[-2:] }} {{ not (1 and 0) }} {{ 2 ** 3 // 3 }} {{ 7 % -3 }} {{ 1 < 2 <= 2 != 3 }} {{ 'x' not in 'abc' and 1 in (1, 2) }}
    --->
    3 (1, 2, 3) 2 bc True 2 -2 True True
    ====
    {% with %}{% set a = 1 %}{{ a }}{% endwith %}{{ a is defined }} {% with b = 2, c = 3 %}{{ b + c }}{% endwith %} {% filter replace('a', 'b')|upper %}banana{% endfilter %} {% set z | trim | length %}  four {% endset %}{{ z }}
    --->
    1False 5 BBNBNB 4
    ====
    {{ [1, [2, (3, 'x')], {'k': [none, true, 1.0]}] }} {{ "it's" }} {{ ["it's", 'say "x"'] }} {{ 1e100 }} {{ 1.0 * 3 }} {{ 10 / 4 }} {{ 3.0 }} {{ -1 // 2 }} {{ 0.1 + 0.2 }}
    --->
    [1, [2, (3, 'x')], {'k': [None, True, 1.0]}] it's ["it's", 'say "x"'] 1e+100 3.0 2.5 3.0 -1 0.30000000000000004
    ====
    {% for m in [{'role': 'user', 'content': [{'type': 'text', 'text': 'a'}, {'type': 'image'}]}] %}{% for p in m.content if p.type == 'text' %}{{ p.text }}{% else %}none{% endfor %}{% endfor %}{% for x in [1, 2, 3, 4] if x is odd %}{{ loop.index }}/{{ loop.length }}{% endfor %}
    --->
    a1/22/2
    ====
    {{ strftime_now('%d %b %Y') }} {{ 'a' ~ 1 ~ [2] }} {{ missing|default('x', true) }} {{ ''|default('y', true) }} {{ (missing|default([]))|length }} {{ missing is undefined or missing.x }} {{ [missing|default('z')] }}
    --->
    01 Jan 2026 a1[2] x y 0 True ['z']
    """#)
}
