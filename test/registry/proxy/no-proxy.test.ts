import { describe, expect, it } from 'vitest';
import { parseProxy } from '../../../src/registry/proxy/parse-proxy.ts';
import { createProxyFor } from '../../../src/registry/proxy/proxy.ts';

const PROXY = new URL('http://proxy.example:3128');
const isDirect = (no: string, url: string): boolean =>
  createProxyFor({ https: PROXY, http: PROXY, noProxy: no })(new URL(url)) === undefined;

/** The rules of Go (golang.org/x/net/http/httpproxy, the documentation of `Config.NoProxy`). */
const ROWS: readonly (readonly [no: string, direct: readonly string[], proxied: readonly string[]])[] = [
  ['', [], ['https://r.example', 'https://10.0.0.1', 'http://[fd00::1]:5000']],
  [
    'corp.example',
    ['https://corp.example', 'https://r.corp.example', 'https://a.b.corp.example:5000'],
    ['https://notcorp.example', 'https://corp.example.net'],
  ],
  ['.corp.example', ['https://r.corp.example'], ['https://corp.example']],
  ['*.corp.example', ['https://r.corp.example'], ['https://corp.example', 'https://xcorp.example']],
  [
    'corp.example:5000',
    ['https://r.corp.example:5000', 'http://corp.example:5000'],
    ['https://corp.example', 'https://corp.example:5001'],
  ],
  ['corp.example:443,corp.example:80', ['https://corp.example', 'http://corp.example'], []],
  ['CORP.Example', ['https://r.corp.example'], []],
  ['10.1.2.3', ['https://10.1.2.3', 'https://10.1.2.3:5000'], ['https://10.1.2.4', 'https://r.example']],
  ['10.1.2.3:5000', ['https://10.1.2.3:5000'], ['https://10.1.2.3']],
  [
    '10.0.0.0/8',
    ['https://10.200.0.1', 'https://10.1.2.3:5000'],
    ['https://11.0.0.1', 'https://ten.example'],
  ],
  ['fd00::/8', ['https://[fd12::1]', 'https://[fd12::1]:5000'], ['https://[fe00::1]', 'https://10.0.0.1']],
  ['fd12::1', ['https://[fd12:0::1]'], ['https://[fd12::2]']],
  ['[fd12::1]:5000', ['https://[fd12::1]:5000'], ['https://[fd12::1]']],
  ['*', ['https://r.example', 'https://10.0.0.1', 'https://[fd12::1]'], []],
  [' a.example , ,b.example ', ['https://a.example', 'https://b.example'], ['https://c.example']],
  ['10.0.0.0/33,:5000,a..b,/8,*x', [], ['https://10.0.0.1', 'https://r.example:5000', 'https://yx.example']],
  ['.0.1,0.0.1,0.1', [], ['https://10.0.0.1', 'http://192.168.0.1:5000']],
  ['.example', [], ['https://[1000::1]']],
  ['::1:2', [], ['https://[fd00::1:2]']],
  ['corp.example:', ['https://corp.example', 'https://r.corp.example:5000'], ['https://example']],
  ['corp.example:https', [], ['https://corp.example', 'https://corp.example:5000']],
  ['[corp.example]:5000', ['https://corp.example:5000'], ['https://corp.example']],
  ['[fd12::1]', [], ['https://[fd12::1]', 'https://[fd12::1]:5000']],
  ['fd12::1%eth0', [], ['https://[fd12::1]']],
  ['::ffff:10.0.0.1', ['https://10.0.0.1', 'https://[::ffff:a00:1]:5000'], ['https://10.0.0.2']],
  ['10.0.0.0/8', ['https://[::ffff:10.1.2.3]'], ['https://[::ffff:11.1.2.3]', 'https://[::a00:1]']],
  ['::ffff:10.0.0.0/104', ['https://10.200.0.1'], ['https://11.0.0.1', 'https://[fd12::1]']],
  ['::/0', ['https://[fd12::1]'], ['https://10.0.0.1', 'https://r.example']],
  ['0.0.0.0/0', ['https://10.0.0.1'], ['https://[fd12::1]', 'https://r.example']],
  ['2001:DB8::/32', ['https://[2001:db8:1::1]'], ['https://[2001:db9::1]']],
  ['.示例.example', ['http://www.示例.example'], ['http://示例.example']],
  ['示例.example:80', ['http://www.xn--fsq092h.example', 'http://示例.example'], ['https://示例.example']],
  ['xn--fsq092h.example', ['https://www.示例.example'], ['https://www.示.example']],
  ['*.École.example', ['https://r.école.example'], ['https://ecole.example']],
  ['a.example,*', ['https://r.example', 'https://10.0.0.1', 'https://[fd12::1]:5000'], []],
];

/** The hosts of httpproxy's own test, at port 80, and those that are contacted directly (proxy_test.go, `UseProxyTests`). */
const GO_LIST =
  'foobar.com, .barbaz.net, *.wildcard.io, 192.168.1.1, 192.168.1.2:81, 192.168.1.3:80, 10.0.0.0/30, 2001:db8::52:0:1, [2001:db8::52:0:2]:443, [2001:db8::52:0:3]:80, 2002:db8:a::45/64';
const GO_DIRECT = [
  'localhost',
  '127.0.0.1',
  '127.0.0.2',
  '[::1]',
  '192.168.1.1',
  '192.168.1.3',
  '10.0.0.2',
  '[2001:db8::52:0:1]',
  '[2001:db8::52:0:3]',
  '[2002:db8:a::123]',
  'www.barbaz.net',
  'foobar.com',
  'www.foobar.com',
  'nested.wildcard.io',
];
const GO_PROXIED = [
  '[::2]',
  '192.168.1.2',
  '192.168.1.4',
  '[2001:db8::52:0:2]',
  '[fe80::424b:c8be:1643:a1b6]',
  'barbaz.net',
  'foofoobar.com',
  'baz.com',
  'localhost.net',
  'local.localhost',
  'barbarbaz.net',
  'wildcard.io',
  'awildcard.io',
];

describe('NO_PROXY', () => {
  it.each(ROWS)('%j', (no, direct, proxied) => {
    expect([...direct, ...proxied].filter((url) => isDirect(no, url))).toEqual(direct);
  });

  it('divides the hosts of Go’s own test as Go does', () => {
    const hosts = [...GO_PROXIED, ...GO_DIRECT];
    expect(hosts.filter((host) => isDirect(GO_LIST, `http://${host}`))).toEqual(GO_DIRECT);
  });

  it('or not, this machine is never asked through a proxy', () => {
    const own = [
      'https://localhost:5000',
      'https://127.0.0.1',
      'http://127.9.9.9',
      'https://[::1]:5000',
      'https://[::ffff:127.0.0.1]',
    ];
    expect(own.filter((url) => !isDirect('', url))).toEqual([]);
  });
});

describe('the proxies of an environment', () => {
  const HTTP = 'must be an http or https URL, such as http://proxy.corp.example:3128';
  const ESCAPE = 'has a % in its user name or password that begins no escape: write it as %25';
  const SEPARATOR = 'has a /, \\, ? or # in its user name or password: write it as %2F, %5C, %3F or %23';
  const QUOTES = 'must be a URL without quotes, such as http://proxy.corp.example:3128';
  const SOCKS =
    'names a SOCKS proxy, which is not supported: name an http or https proxy, such as http://proxy.corp.example:3128';

  const NUMBER =
    'has a number as its host, which would be read as another address: write a host name, or four decimal numbers, such as http://192.0.2.1:3128';

  it.each([
    ['010.0.0.1:3128', NUMBER],
    ['http://u:s3cret@010.0.0.1:3128', NUMBER],
    ['3128', NUMBER],
    ['http://3128/', NUMBER],
    ['0x7f.1', NUMBER],
    ['http://0x7f000001:3128', NUMBER],
    ['127.1:3128', NUMBER],
    ['192.0.2.010', NUMBER],
    ['http://192.0.2.1.:3128', NUMBER],
    ['http://%31%32%37.0.0.1:3128', NUMBER],
    ['\uff11\uff12\uff17.0.0.1:3128', NUMBER],
    ['http://', HTTP],
    ['ftp://s3cret', HTTP],
    ['http://u:s3cret@:3128', HTTP],
    ['a b', HTTP],
    ['http:/proxy.example:3128', HTTP],
    ['http:proxy.example:3128', HTTP],
    ['http://http://proxy.example:3128', HTTP],
    ['http://u:s3cret@proxy.example:port', HTTP],
    ['http://"proxy.example":3128', HTTP],
    ['http://u:s3cret%@proxy.example:3128', ESCAPE],
    ['u:s3cret%zz@proxy.example:3128', ESCAPE],
    ['http://100%u:s3cret@proxy.example', ESCAPE],
    ['http://u:s3cret%4@proxy.example', ESCAPE],
    ['http://u:s3cret#1@proxy.example:3128', SEPARATOR],
    ['http://u:12/s3cret@proxy.example:3128', SEPARATOR],
    ['http://u:12?s3cret@proxy.example:3128', SEPARATOR],
    ['http://u:12\\s3cret@proxy.example:3128', SEPARATOR],
    ['"http://u:s3cret@proxy.example:3128"', QUOTES],
    ["'http://u:s3cret@proxy.example:3128'", QUOTES],
    ['http://proxy.example:3128"', QUOTES],
    ['socks5://u:s3cret@p.example:1080', SOCKS],
    ['SOCKS5H://p.example', SOCKS],
    ['socks4a://p.example', SOCKS],
  ])('that are %j are refused in a sentence without what they hold', (text, problem) => {
    expect(parseProxy({ HTTPS_PROXY: text, http_proxy: text })).toEqual({
      proxy: {},
      problems: [`HTTPS_PROXY ${problem}`, `HTTP_PROXY ${problem}`],
    });
  });

  it.each([
    ['proxy.example', 'http://proxy.example/'],
    ['localhost', 'http://localhost/'],
    ['http://u:p@192.0.2.1/', 'http://u:p@192.0.2.1/'],
    ['10.example:3128', 'http://10.example:3128/'],
    ['127.0.0.1:8080', 'http://127.0.0.1:8080/'],
    ['[fd00::1]:3128', 'http://[fd00::1]:3128/'],
    ['HTTPS://cache_1.corp.example', 'https://cache_1.corp.example/'],
    [' http://proxy.example:3128/ ', 'http://proxy.example:3128/'],
    ['http://u:p%25%40%e9@proxy.example', 'http://u:p%25%40%e9@proxy.example/'],
    ['http://u:p@ss@proxy.example', 'http://u:p%40ss@proxy.example/'],
    ['http://proxy.example/100%', 'http://proxy.example/100%'],
    ['proxy.example:3128/proxy', 'http://proxy.example:3128/proxy'],
  ])('may be %j', (text, url) => {
    expect(parseProxy({ HTTPS_PROXY: text })).toEqual({ proxy: { https: new URL(url) }, problems: [] });
  });

  it('are read in capitals before small letters, with a scheme or without', () => {
    expect(parseProxy({})).toEqual({ proxy: {}, problems: [] });
    expect(parseProxy({ HTTPS_PROXY: '', https_proxy: 'p.example:3128', no_proxy: 'a' })).toEqual({
      proxy: { https: new URL('http://p.example:3128'), noProxy: 'a' },
      problems: [],
    });
    expect(
      parseProxy({
        HTTPS_PROXY: 'https://u:p@a.example',
        https_proxy: 'http://b.example',
        HTTP_PROXY: 'http://c.example',
        NO_PROXY: 'x',
        no_proxy: 'y',
      }),
    ).toEqual({
      proxy: { https: new URL('https://u:p@a.example'), http: new URL('http://c.example'), noProxy: 'x' },
      problems: [],
    });
  });

  it('are for their own scheme each', () => {
    const proxyFor = createProxyFor({ https: PROXY });
    expect(proxyFor(new URL('https://r.example'))).toBe(PROXY);
    expect(proxyFor(new URL('http://r.example'))).toBeUndefined();
  });
});
