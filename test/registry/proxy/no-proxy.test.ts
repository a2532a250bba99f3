import { describe, expect, it } from 'vitest';
import { createProxyFor, parseProxy } from '../../../src/registry/proxy/proxy.ts';

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
];

describe('NO_PROXY', () => {
  it.each(ROWS)('%j', (no, direct, proxied) => {
    expect([...direct, ...proxied].filter((url) => isDirect(no, url))).toEqual(direct);
  });

  it('or not, this machine is never asked through a proxy', () => {
    const own = ['https://localhost:5000', 'https://127.0.0.1', 'http://127.9.9.9', 'https://[::1]:5000'];
    expect(own.filter((url) => !isDirect('', url))).toEqual([]);
  });
});

describe('the proxies of an environment', () => {
  it('that are none are named without what they hold', () => {
    const bad = [
      'socks5://u:s3cret@p.example:1080',
      'http://',
      'ftp://s3cret',
      'http://u:s3cret@:3128',
      'a b',
    ];
    for (const text of bad)
      expect(parseProxy({ HTTPS_PROXY: text, http_proxy: text })).toEqual({
        proxy: {},
        problems: ['HTTPS_PROXY', 'HTTP_PROXY'].map(
          (name) => `${name} must be an http or https URL, such as http://proxy.corp.example:3128`,
        ),
      });
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
