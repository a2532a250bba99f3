import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { scanToHtml } from '../../../src/report/index.ts';
import type { ScanResult } from '../../../src/scan/index.ts';
import { exampleScan } from '../../support/example-scan.ts';
import { HOSTILE_TEXTS, hostileScan } from '../../support/hostile-scan.ts';

const dataOf = (html: string): string =>
  /<script type="application\/json" id="scan">(?<data>.*?)<\/script>/s.exec(html)?.groups?.['data'] ?? '';

const scanOf = (html: string): ScanResult => JSON.parse(dataOf(html)) as ScanResult;

/** The page without its data: what a browser takes for markup, style or code. */
const frameOf = (html: string): string => html.replace(dataOf(html), '');

const elementsOf = (html: string, name: string): readonly string[] =>
  [...html.matchAll(new RegExp(`<${name}(?: [^>]*)?>`, 'gi'))].map(([tag]) => tag);

const hashOf = (content: string): string =>
  `'sha256-${createHash('sha256').update(content).digest('base64')}'`;

const example = await scanToHtml(exampleScan());
const script = /<script>(?<script>.*?)<\/script>/s.exec(example)?.groups?.['script'] ?? '';
const style = /<style>(?<style>.*?)<\/style>/s.exec(example)?.groups?.['style'] ?? '';
const policy = (
  /http-equiv="Content-Security-Policy" content="(?<policy>[^"]*)"/.exec(example)?.groups?.['policy'] ?? ''
)
  .replaceAll('&#39;', "'")
  .split('; ');

describe('hostile texts of the cluster', () => {
  it.each(HOSTILE_TEXTS)('are never markup: %j', async (text) => {
    const html = await scanToHtml(hostileScan(text));
    const frame = frameOf(html);
    for (const name of ['script', 'style', 'noscript', 'meta', 'img', 'a', 'link', 'svg'])
      expect(elementsOf(frame, name)).toEqual(elementsOf(frameOf(example), name));
    expect(dataOf(html)).not.toMatch(/[<>&\u2028\u2029]/);
    expect(scanOf(html)).toEqual(hostileScan(text));
  });

  it('are replaced where a reader without a script sees them, if they are invisible or reorder a line', async () => {
    const html = frameOf(await scanToHtml(hostileScan('a\u202eb\u0000c\ud800d')));
    expect(html).not.toMatch(/[\u202e\p{Cs}]/u);
    expect(html).toMatch(/a[?\ufffd]b[?\ufffd]c[?\ufffd]d/);
  });

  it('do not name parts of the page', async () => {
    const html = await scanToHtml(hostileScan('{{data}}{{script}}$&$`'));
    expect(scanOf(html)).toEqual(hostileScan('{{data}}{{script}}$&$`'));
    expect(html.split(script)).toHaveLength(2);
  });
});

describe('the page', () => {
  it('forbids every request, and permits its own script and style alone', () => {
    expect(policy).toEqual([
      "default-src 'none'",
      `script-src ${hashOf(script)}`,
      `style-src ${hashOf(style)}`,
      "base-uri 'none'",
      "form-action 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ]);
  });

  it('names no address, no file and no handler in its frame', () => {
    const frame = frameOf(example).replace(script, '').replace(style, '');
    expect(frame.match(/\b(?:src|href|action|srcset|style|on\w+)\s*=\s*"[^#]/gi)).toBeNull();
    expect(style).not.toMatch(/url\(|@import/i);
    expect(script).not.toMatch(
      /\b(?:eval|innerHTML|outerHTML|insertAdjacentHTML|fetch|XMLHttpRequest|WebSocket)\b/,
    );
  });

  it('opens with the answer, before any script', () => {
    expect(example.indexOf('<h1>If you enforced now, 9 of 60 pods would be refused')).toBeLessThan(
      example.indexOf('<script'),
    );
  });

  it('says to readers without a script what would be refused, and what to do', () => {
    const plain = /<noscript>(?<plain>.*?)<\/noscript>/s.exec(example)?.groups?.['plain'] ?? '';
    expect(plain).toContain('<th scope="row">refused</th><td>9</td><td>2</td>');
    expect(plain).toContain('<code>docker.io/istio/proxyv2:1.11.4</code>');
    expect(plain).toContain('Declare registry.corp.example/istio as a mirror of docker.io/istio');
    expect(plain).toContain('grant the verb list on rollouts.argoproj.io');
  });

  it('carries the document as it is', () => {
    expect(scanOf(example)).toEqual(exampleScan());
  });

  it('takes less than 60 kB without its data', () => {
    expect(Buffer.byteLength(script) + Buffer.byteLength(style)).toBeLessThan(60_000);
  });
});
