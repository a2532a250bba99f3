import type { Report, ReportedCase, ReportedFinding } from '../../src/report/index.ts';

/** A finding of a report, in line 7 of a manifest. */
export const finding = (more: Partial<ReportedFinding> = {}): ReportedFinding => ({
  code: 'signature-missing',
  level: 'error',
  fails: true,
  message: 'no signature was found (signature-missing); use a released Istio image',
  object: 'Deployment shop/cart',
  image: 'docker.io/istio/proxyv2:1.28.0',
  path: 'spec.template.spec.containers[0].image',
  place: { file: 'manifests/cart.yaml', line: 7 },
  ...more,
});

/** A case of a report with these findings. */
export const reportedCase = (findings: readonly ReportedFinding[]): ReportedCase => ({
  suite: 'manifests/cart.yaml',
  name: 'Deployment shop/cart',
  type: 'Deployment',
  place: { file: 'manifests/cart.yaml', line: 2 },
  findings,
});

/** A report of a review with these cases. */
export const report = (...cases: readonly ReportedCase[]): Report => ({
  command: 'review',
  version: '0.1.0',
  complete: true,
  cases,
  gaps: [],
});

const repeated = (text: string): string => text.repeat(3000);

/** Texts that break out of a format that does not escape them. */
const TEXTS: readonly string[] = [
  'a\r\n::error::injected\n##[error]injected',
  '::add-mask::x',
  '##[add-path]/tmp',
  '%0A::stop-commands::x',
  'x,line=1::injected',
  '</failure></testcase><testcase name="injected"/>',
  '"><script>alert(1)</script>',
  "' onload='x",
  ']]><!ENTITY x SYSTEM "file:///etc/passwd"> &x; &#0; <?xml?>',
  '{0} {1} [click](https://evil.example/) [x](0)',
  '\u0000\u0001\u0007\u001B[31m\u007F\u0085\u2028\u202E\uFFFE\uFFFF\u{1FFFE}',
  '\uD800 alone \uDC00',
  '../../etc/passwd',
  'file:///etc/passwd',
  'javascript:alert(1)',
  '__proto__',
  repeated('<&"\'>'),
  repeated('𝒳'),
];

/** Each with a short name. */
export const HOSTILE: readonly (readonly [name: string, text: string])[] = TEXTS.map((text) => [
  JSON.stringify(text.slice(0, 40)),
  text,
]);

/** A report in which every text is `text`. */
export const hostileReport = (text: string): Report => {
  const hostile = finding({
    message: text,
    object: text,
    image: text,
    path: text,
    place: { file: text, line: 1 },
  });
  const cluster = { ...hostile, place: undefined };
  const named = { suite: text, name: text, type: text, place: hostile.place };
  return {
    ...report(
      { ...named, findings: [hostile, hostile] },
      { ...named, place: undefined, findings: [cluster] },
    ),
    gaps: [{ subject: text, message: text }],
  };
};
