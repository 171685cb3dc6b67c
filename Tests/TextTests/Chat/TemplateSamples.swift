import Testing

/// Small templates and their texts, which Jinja2 3.1.6 gave with the settings of transformers.
enum TemplateSamples {
  /// A template and its text.
  struct Sample: Sendable, CustomTestStringConvertible {
    let template: String
    let expected: String
    var testDescription: String { template }
  }

  /// All of them.
  static let all =
    whitespace + literals + operations + access + statements + filters + tests
    + methods + language

  /// Reads pairs of template and text.
  static func samples(_ text: String) -> [Sample] {
    text.split(separator: "\n====\n").map { pair in
      let parts = pair.split(
        separator: "\n--->\n", maxSplits: 1, omittingEmptySubsequences: false)
      return Sample(template: String(parts[0]), expected: String(parts[1]))
    }
  }

  /// Blanks around tags.
  static let whitespace = samples(
    #"""
    a{% if true %}
      b
    {% endif %}
    c
    --->
    a  b
    c
    ====
    a
      {% if true %}x{% endif %}
    b
    --->
    a
    xb
    ====
      {%+ if true %}x{% endif +%}
    y
    --->
      x
    y
    ====
    a {{- 1 -}} b {{ 2 }} c {%- if true -%} d {%- endif -%} e
    --->
    a1b 2 cde
    ====
    a {#- gone -#} b
    {# a whole line #}
    c {# inside #} d
    --->
    ab
    c  d
    ====
    {% for i in [1,2] %}
    {{ i }}
    {% endfor %}
    end
    --->
    1
    2
    end
    ====
    {% raw %}{{ not }} {% if %}{% endraw %}
    x
    --->
    {{ not }} {% if %}x
    ====
    a
      {%- raw -%}  {{ x }}  {%- endraw -%}  b
    --->
    a{{ x }}b
    ====
    	{% if true %}tab{% endif %}
    --->
    tab
    ====
    a{{ '\n' }}
    {{ "b" }}

    --->
    a

    b
    ====
    {{ {'a': {'b': 1}}['a'] }}
    --->
    {'b': 1}
    ====
    {% if true %}
      {% if true %}
      deep
      {% endif %}
    {% endif %}
    rest
    --->
      deep
    rest
    """#)

  /// Literals, and how values are printed.
  static let literals = samples(
    #"""
    {{ 1 }} {{ 1.0 }} {{ 1e3 }} {{ 1_000 }} {{ 0x1f }} {{ 0b101 }} {{ 0o17 }} {{ 2.5e-7 }}
    --->
    1 1.0 1000.0 1000 31 5 15 2.5e-07
    ====
    {{ 'it''s' }} {{ "a" 'b' }} {{ 'x\ty\x41\u00e9\U0001F600\101\q\'' }}
    --->
    its ab x	yAé😀A\q'
    ====
    {{ true }} {{ True }} {{ none }} {{ None }} {{ false }}
    --->
    True True None None False
    ====
    {{ [1, 'a', none, true, 1.5, [2], (3,), {}] }} {{ (1, 2) }} {{ () }} {{ {'k': 'v', 'n': none} }}
    --->
    [1, 'a', None, True, 1.5, [2], (3,), {}] (1, 2) () {'k': 'v', 'n': None}
    ====
    {{ ["it's", 'a"b', "both ' and \"", "tab\t", "é", "\x07", "\u200b"] }}
    --->
    ["it's", 'a"b', 'both \' and "', 'tab\t', 'é', '\x07', '\u200b']
    ====
    {{ 1e16 }} {{ 1.2e16 }} {{ 123456789012345678.0 }} {{ 0.0001 }} {{ 0.00001 }} {{ -0.0 }} {{ 1e300 }} {{ 1/3 }} {{ 100.0 }}
    --->
    1e+16 1.2e+16 1.2345678901234568e+17 0.0001 1e-05 -0.0 1e+300 0.3333333333333333 100.0
    ====
    {{ [1,2,] }} {{ {'a':1,} }}
    --->
    [1, 2] {'a': 1}
    """#)

  /// Operators.
  static let operations = samples(
    #"""
    {{ 1 + 2 * 3 }} {{ (1 + 2) * 3 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 4 / 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2 ** 3 ** 2 }}
    --->
    7 9 3 -4 1 2 3.5 2.0 1024 0.5 64
    ====
    {{ 7.5 // 2 }} {{ -7.5 % 2 }} {{ 1 + 1.5 }} {{ true + 1 }} {{ -3 }} {{ +3 }} {{ - -3 }} {{ -2 ** 2 }}
    --->
    3.0 0.5 2.5 2 -3 3 3 4
    ====
    {{ 'a' + 'b' }} {{ 'ab' * 3 }} {{ 2 * 'x' }} {{ [1] + [2] }} {{ [0] * 3 }} {{ (1,) + (2,) }} {{ 'x' * -1 }}
    --->
    ab ababab xx [1, 2] [0, 0, 0] (1, 2) 
    ====
    {{ 'a' ~ 1 ~ none ~ true ~ missing ~ [1] }} {{ 1 ~ 2 * 3 }}
    --->
    a1NoneTrue[1] 16
    ====
    {{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 1 == 1.0 }} {{ true == 1 }} {{ 'a' < 'b' }} {{ [1,2] < [1,3] }} {{ 'a' == 1 }} {{ none == none }} {{ [1,2] == (1,2) }} {{ {'a':1,'b':2} == {'b':2,'a':1} }}
    --->
    True False True True True True False True False True
    ====
    {{ 1 in [1,2] }} {{ 'a' in 'cat' }} {{ 'k' in {'k':1} }} {{ 3 not in [1] }} {{ '' in 'a' }} {{ 'x' in missing }} {{ not 1 in [1] }}
    --->
    True True True True True False False
    ====
    {{ 1 and 2 }} {{ 0 and 2 }} {{ 0 or 'x' }} {{ '' or [] or 'last' }} {{ not '' }} {{ not not 3 }} {{ 1 or missing.x }}
    --->
    2 0 x last True True 1
    ====
    {{ 'a' if true }}|{{ 'a' if false }}|{{ 'a' if false else 'b' }}|{{ 'a' if 0 else 'b' if 0 else 'c' }}
    --->
    a||b|c
    ====
    {{ -1 | abs }} {{ 2 * 3 | string ~ 'x' }} {{ 'a' ~ 'b' | upper }} {{ [1,2]|length + 1 }} {{ not missing is defined }}
    --->
    1 33x aB 3 True
    ====
    {{ '\u00e9' == 'e\u0301' }} {{ 'e' in 'cafe\u0301s' }} {{ 'e\u0301'|length }} {{ '👩‍👩‍👧'|length }} {{ '
    ' == '\n' }}
    --->
    False True 2 5 True
    """#)

  /// Attributes, items and slices.
  static let access = samples(
    #"""
    {% set l = [10, 20, 30, 40] %}{{ l[0] }} {{ l[-1] }} {{ l[9] }}|{{ l[1:3] }} {{ l[::-1] }} {{ l[:2] }} {{ l[-2:] }} {{ l[::2] }} {{ l[3:0:-1] }} {{ l[5:] }} {{ l.0 }} {{ l[true] }}
    --->
    10 40 |[20, 30] [40, 30, 20, 10] [10, 20] [30, 40] [10, 30] [40, 30, 20] [] 10 20
    ====
    {% set s = 'héllo' %}{{ s[1] }} {{ s[-1] }} {{ s[1:3] }} {{ s[::-1] }} {{ s[:-1] }} {{ s[10:] }}|{{ s[10] }}|
    --->
    é o él olléh héll ||
    ====
    {% set d = {'a': 1, 'items': 2, 'x y': 3} %}{{ d.a }} {{ d['items'] }} {{ d['x y'] }} {{ d.missing }}|{{ d.get('a') }} {{ d.get('z') }} {{ d.get('z', 5) }} {{ d.keys()|list }} {{ d.values()|list }} {{ d['missing'] is defined }} {{ d.missing is defined }}
    --->
    1 2 3 |1 None 5 ['a', 'items', 'x y'] [1, 2, 3] False False
    ====
    {% set d = {'a': 1, 'b': 2} %}{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k in d %}{{ k }}{% endfor %}{% for k, v in d|items %}{{ k }}{{ v }}{% endfor %}
    --->
    a=1;b=2;aba1b2
    ====
    {{ 'abc'.upper() }} {{ 'abc'['upper']() }} {{ 'a,b'.split(',')[1] }} {{ [1,2,1].count(1) }} {{ [1,2].index(2) }} {{ 5.foo }}|{{ none.foo }}|{{ 'a'.nothing }}|
    --->
    ABC ABC b 2 1 |||
    ====
    {{ missing }}|{{ missing is undefined }} {{ missing|default('d') }} {{ missing|length }} {{ missing|list }} {{ missing == other }} {% for x in missing %}never{% else %}empty{% endfor %}
    --->
    |True d 0 [] True empty
    ====
    {{ [[1,2],[3,4]][1][0] }} {{ {'a': [{'b': 'deep'}]}.a[0].b }} {{ (1,2,3)[1:] }}
    --->
    3 deep (2, 3)
    """#)

  /// Statements.
  static let statements = samples(
    #"""
    {% set a = 1 %}{% set b, c = 2, 3 %}{% set (d, e) = [4, 5] %}{{ a }}{{ b }}{{ c }}{{ d }}{{ e }}
    --->
    12345
    ====
    {% set x %}block {{ 1 + 1 }}{% endset %}[{{ x }}]{% set y | upper | trim %}  shout {% endset %}[{{ y }}]
    --->
    [block 2][SHOUT]
    ====
    {% set x = 1 %}{% for i in [1,2] %}{% set x = x + i %}{{ x }} {% endfor %}{{ x }}
    --->
    2 3 1
    ====
    {% set ns = namespace(n=0, l=[]) %}{% for i in range(4) %}{% set ns.n = ns.n + i %}{% set ns.l = ns.l + [i] %}{% endfor %}{{ ns.n }} {{ ns.l }} {{ ns.z is defined }}
    --->
    6 [0, 1, 2, 3] False
    ====
    {% if true %}{% set seen = 'inside' %}{% endif %}{{ seen }}{% if false %}1{% elif 0 %}2{% elif 'x' %}3{% else %}4{% endif %}
    --->
    inside3
    ====
    {% for x in ['a','b','c'] %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.depth }}{{ loop.cycle('o','e') }} {% endfor %}
    --->
    1032TrueFalse3b1o 2121FalseFalse3ac1e 3210FalseTrue3b1o 
    ====
    {% for x in range(10) if x % 3 == 0 %}{{ x }}/{{ loop.length }} {% endfor %}{% for x in [] %}{% else %}none{% endfor %}{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}
    --->
    0/4 3/4 6/4 9/4 none123
    ====
    {% for x in range(9) %}{% if x == 2 %}{% continue %}{% endif %}{% if x > 4 %}{% break %}{% endif %}{{ x }}{% endfor %}
    --->
    0134
    ====
    {% for x in 'añb' %}{{ x }}.{% endfor %}{% for x in (1,2) %}{% for y in 'ab' %}{{ x }}{{ y }}{{ loop.depth }} {% endfor %}{% endfor %}
    --->
    a.ñ.b.1a1 1b1 2a1 2b1 
    ====
    {% macro f(a, b=2, c=b) %}{{ a }}-{{ b }}-{{ c }};{% endmacro %}{{ f(1) }}{{ f(1, 5) }}{{ f(1, c=9) }}{{ f() }}{{ f(b=1, a=0) }}
    --->
    1-2-2;1-5-5;1-2-9;-2-2;0-1-1;
    ====
    {% macro fact(n) %}{% if n <= 1 %}1{% else %}{{ n * fact(n - 1)|int }}{% endif %}{% endmacro %}{{ fact(10) }}
    --->
    3628800
    ====
    {% set late = 'early' %}{% macro m() %}{{ late }}{{ later }}{% set late = 'own' %}{{ late }}{% endmacro %}{% set later = '!' %}{{ m() }}{{ late }}
    --->
    early!ownearly
    ====
    {% with a = 1, b = 2 %}{{ a + b }}{% set a = 9 %}{{ a }}{% endwith %}{{ a }}|{% filter upper %}loud {{ 'x' }}{% endfilter %}
    --->
    39|LOUD X
    ====
    {% generation %}{% set g = 1 %}answer{{ g }}{% endgeneration %}{{ g }}|
    --->
    answer1|
    ====
    {{ range(3)|list }} {{ range(1, 10, 4)|list }} {{ range(5, 0, -2)|list }} {{ dict(a=1, b='x') }} {{ dict([('k', 1)]) }}
    --->
    [0, 1, 2] [1, 5, 9] [5, 3, 1] {'a': 1, 'b': 'x'} {'k': 1}
    ====
    {{ strftime_now('%Y-%m-%d %B %d %j %a') }}
    --->
    2026-01-01 January 01 001 Thu
    ====
    {% set a = 1 if false %}{{ a is defined }}{{ a }}{% set t = 1, 2 %}{{ t }}
    --->
    False(1, 2)
    """#)

  /// Filters.
  static let filters = samples(
    #"""
    {{ ' x '|trim }}|{{ 'xxaxx'|trim('x') }} {{ 'a-b-a'|replace('a', 'c') }} {{ 'aaa'|replace('a', 'b', 2) }} {{ 'abc'|replace('', '.') }} {{ 'aBc dEf'|upper }} {{ 'ABC'|lower }} {{ 'hello wORLD'|title }} {{ 'hELLO'|capitalize }}
    --->
    x|a c-b-c bba .a.b.c. ABC DEF abc Hello World Hello
    ====
    {{ [1,2,3]|join }} {{ [1,2]|join(', ') }} {{ [{'n':'a'},{'n':'b'}]|join('+', attribute='n') }} {{ 'abc'|join('-') }}
    --->
    123 1, 2 a+b a-b-c
    ====
    {{ [3,1,2]|sort }} {{ ['b','A','c']|sort }} {{ ['b','A']|sort(case_sensitive=true) }} {{ [1,2]|sort(reverse=true) }} {{ [{'n':2},{'n':1}]|sort(attribute='n')|map(attribute='n')|list }}
    --->
    [1, 2, 3] ['A', 'b', 'c'] ['A', 'b'] [2, 1] [1, 2]
    ====
    {{ [1,2,3]|first }} {{ [1,2,3]|last }} {{ []|first }}|{{ 'abc'|first }} {{ 'abc'|last }} {{ 'abc'|list }} {{ [1,2,3]|reverse|list }} {{ 'abc'|reverse }} {{ {'a':1}|list }}
    --->
    1 3 |a c ['a', 'b', 'c'] [3, 2, 1] cba ['a']
    ====
    {{ [1,2,3]|sum }} {{ [{'v':2},{'v':3}]|sum(attribute='v') }} {{ [1,3,2]|max }} {{ ['b','a']|min }} {{ [1,1,2,'a','A']|unique|list }} {{ []|max }}|
    --->
    6 5 3 a [1, 2, 'a'] |
    ====
    {{ '3'|int }} {{ '3.9'|int }} {{ 'x'|int }} {{ 'x'|int(7) }} {{ 'ff'|int(base=16) }} {{ 3.9|int }} {{ true|int }} {{ '2.5'|float }} {{ 'x'|float }} {{ 3|float }} {{ -3|abs }} {{ 2.567|round(2) }} {{ 2.5|round }} {{ 2.1|round(method='ceil') }} {{ 7|round }} {{ 12|string ~ 1 }}
    --->
    3 3 0 7 255 3 1 2.5 0.0 3.0 3 2.57 2.0 3.0 7 121
    ====
    {{ none|default('d') }} {{ ''|default('d', true) }} {{ missing|d }}| {{ 0|default(5, boolean=true) }} {{ missing|default }}|
    --->
    None d | 5 |
    ====
    {{ [1,0,2]|select|list }} {{ [1,2,3,4]|select('even')|list }} {{ [1,2,3]|reject('odd')|list }} {{ [1,5]|select('gt', 3)|list }} {{ ['a','b']|reject('equalto', 'a')|list }} {{ ['a', 1]|select('string')|list }}
    --->
    [1, 2] [2, 4] [2] [5] ['b'] ['a']
    ====
    {% set u = [{'r':'a','ok':true,'s':{'t':1}},{'r':'b','ok':false,'s':{'t':2}}] %}{{ u|selectattr('ok')|map(attribute='r')|list }} {{ u|rejectattr('ok')|map(attribute='r')|join }} {{ u|selectattr('r','equalto','b')|list|length }} {{ u|map(attribute='s.t')|list }} {{ u|map(attribute='q', default='-')|list }} {{ u|selectattr('zz','defined')|list }} {{ u|selectattr('r','in',['a','z'])|map(attribute='r')|list }}
    --->
    ['a'] b 1 [1, 2] ['-', '-'] [] ['a']
    ====
    {{ ['a','b']|map('upper')|list }} {{ ['a ',' b']|map('trim')|join('|') }} {{ [1,2]|map('string')|list }} {{ ['x-y']|map('replace', '-', '+')|list }}
    --->
    ['A', 'B'] a|b ['1', '2'] ['x+y']
    ====
    {{ {'b':[1,2.5,none,true],'a':{'k':'é"\n<'}}|tojson }} {{ {'b':1,'a':2}|tojson(sort_keys=true) }} {{ 'é'|tojson(ensure_ascii=true) }} {{ [1,2]|tojson(separators=(',', ':')) }} {{ "\x01\b\f😀/"|tojson }} {{ "\x7f😀"|tojson(true) }} {{ missing is defined }}
    --->
    {"b": [1, 2.5, null, true], "a": {"k": "é\"\n<"}} {"a": 2, "b": 1} "\u00e9" [1,2] "\u0001\b\f😀/" "\u007f\ud83d\ude00" False
    ====
    {{ {'a':[1,{'b':[]}],'c':{}}|tojson(indent=2) }}
    --->
    {
      "a": [
        1,
        {
          "b": []
        }
      ],
      "c": {}
    }
    ====
    {{ [1,[2]]|tojson(indent=4) }} {{ 1e16|tojson }} {{ 1.0|tojson }} {{ none|tojson }} {{ 'a'|tojson|length }} {{ [1]|tojson(indent='>') }} {{ {'a':1,'b':2}|tojson(indent=0) }}
    --->
    [
        1,
        [
            2
        ]
    ] 1e+16 1.0 null 3 [
    >1
    ] {
    "a": 1,
    "b": 2
    }
    ====
    {{ 'a\nb\n\nc'|indent }}|{{ 'a\nb'|indent(2, true) }}|{{ 'a\n\nb'|indent(1, blank=true) }}|{{ 'a\nb'|indent('> ') }}
    --->
    a
        b

        c|  a
      b|a
     
     b|a
    > b
    ====
    {{ {'b':1,'a':2,'C':3}|dictsort }} {{ {'b':1,'a':2}|dictsort(by='value') }} {{ {'a':1}|items|list }} {{ '<a href="x">&\'</a>'|e }} {{ 'one two  three'|wordcount }} {{ {'a':1}|length }} {{ 'x'|safe }}
    --->
    [('a', 2), ('b', 1), ('C', 3)] [('b', 1), ('a', 2)] [('a', 1)] &lt;a href=&#34;x&#34;&gt;&amp;&#39;&lt;/a&gt; 3 1 x
    """#)

  /// Tests.
  static let tests = samples(
    #"""
    {{ 1 is defined }} {{ x is defined }} {{ x is not defined }} {{ none is none }} {{ 1 is none }} {{ 'a' is string }} {{ 1 is string }} {{ {} is mapping }} {{ [] is mapping }}
    --->
    True False True True False True False True False
    ====
    {{ [] is iterable }} {{ 'a' is iterable }} {{ 1 is iterable }} {{ none is iterable }} {{ [] is sequence }} {{ {} is sequence }} {{ 'a' is sequence }} {{ 1 is sequence }} {{ x is iterable }}
    --->
    True True False False True True True False True
    ====
    {{ 1 is number }} {{ 1.5 is number }} {{ true is number }} {{ '1' is number }} {{ 1 is integer }} {{ true is integer }} {{ 1.0 is float }} {{ true is boolean }} {{ 1 is boolean }} {{ true is true }} {{ 1 is true }} {{ false is false }}
    --->
    True True True False True False True True False True False True
    ====
    {{ 2 is even }} {{ 3 is odd }} {{ 6 is divisibleby 3 }} {{ 6 is divisibleby(4) }} {{ 1 is eq 1 }} {{ 1 is equalto(2) }} {{ 1 is ne 2 }} {{ 1 is lt 2 }} {{ 3 is ge 3 }} {{ 1 is in [1] }} {{ 'a' is lower }} {{ 'A' is upper }} {{ range is callable }} {{ 1 is sameas 1 }} {{ 'upper' is filter }}
    --->
    True True True False True False True True True True True True True True True
    ====
    {{ 'y' if x is defined and x else 'n' }} {{ 'y' if x is not defined or x else 'n' }} {{ [1] is defined and 1 is number }} {{ not x is defined }}
    --->
    n y True True
    """#)

  /// Methods of texts.
  static let methods = samples(
    #"""
    {{ ' a b '.strip() }}|{{ 'xxaxx'.strip('x') }} {{ '  a'.lstrip() }}|{{ 'a  '.rstrip() }}|{{ 'a\n\n'.rstrip('\n') }}|{{ '\u00a0\u2003a\x1c'.strip() }}|
    --->
    a b|a a|a|a|a|
    ====
    {{ 'a b  c'.split() }} {{ 'a,b,,c'.split(',') }} {{ 'a,b,c'.split(',', 1) }} {{ 'a b c'.split(none, 1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ 'a b c'.rsplit(maxsplit=1) }} {{ ''.split(',') }} {{ '  '.split() }} {{ 'x</think>y</think>z'.split('</think>')[-1] }}
    --->
    ['a', 'b', 'c'] ['a', 'b', '', 'c'] ['a', 'b,c'] ['a', 'b c'] ['a,b', 'c'] ['a b', 'c'] [''] [] z
    ====
    {{ 'abc'.startswith('ab') }} {{ 'abc'.endswith('bc') }} {{ 'abc'.startswith(('x','a')) }} {{ '\r\n'.startswith('\r') }} {{ 'e\u0301'.startswith('e') }} {{ ''.startswith('') }}
    --->
    True True True True True True
    ====
    {{ 'abc'.upper() }} {{ 'ABC'.lower() }} {{ 'straße'.upper() }} {{ 'hello wORLD it\'s'.title() }} {{ 'hELLO x'.capitalize() }} {{ 'abab'.replace('a','x') }} {{ 'aaa'.replace('a','b',1) }} {{ 'aXbX'.count('X') }} {{ 'héllo'.find('l') }} {{ 'abc'.find('z') }} {{ 'abab'.rfind('b') }} {{ 'aaaa'.count('aa') }}
    --->
    ABC abc STRASSE Hello World It'S Hello x xbxb baa 2 2 -1 3 2
    ====
    {{ '-'.join(['a','b']) }} {{ ''.join('abc') }} {{ 'a=b=c'.partition('=') }} {{ 'a=b=c'.rpartition('=') }} {{ 'abc'.partition('z') }} {{ 'abc'.removeprefix('a') }} {{ 'abc'.removesuffix('c') }} {{ 'abc'.removesuffix('x') }}
    --->
    a-b abc ('a', '=', 'b=c') ('a=b', '=', 'c') ('abc', '', '') bc ab abc
    ====
    {{ 'a\nb\r\nc\x85d'.splitlines() }} {{ 'a\n\nb\n'.splitlines(true) }} {{ '12'.isdigit() }} {{ ''.isdigit() }} {{ 'ab'.isalpha() }} {{ 'a1'.isalnum() }} {{ 'Ab'.islower() }} {{ 'AB1'.isupper() }} {{ ' \n'.isspace() }}
    --->
    ['a', 'b', 'c', 'd'] ['a\n', '\n', 'b\n'] True False True True False True True
    """#)
}
