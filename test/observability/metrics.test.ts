import { describe, expect, it } from 'vitest';
import type { PinRecord, ReviewRecord } from '../../src/admission/index.ts';
import {
  createLog,
  createMetrics,
  createRecordReview,
  labelRegistries,
  type Metrics,
} from '../../src/observability/index.ts';
import type { KeyRing, Verification } from '../../src/verification/index.ts';

const BUILD = { version: '1.2.3', commit: 'abc', node: 'v26' };

/** The samples of our own metrics that are not 0, without the buckets of histograms. */
const ownLines = async (metrics: Metrics): Promise<readonly string[]> =>
  (await metrics.render()).text
    .split('\n')
    .filter((line) => /^sailmark_(?!build_info|.*_bucket\{)/.test(line) && !line.endsWith(' 0'));

const record: ReviewRecord = {
  uid: 'u',
  namespace: 'shop',
  kind: 'Pod',
  name: 'httpbin-*',
  operation: 'CREATE',
  mode: 'enforce',
  critical: false,
  dryRun: false,
  verdict: 'deny',
  skipped: undefined,
  findings: [
    { image: 'docker.io/istio/pilot', path: 'spec.a', code: 'signature-missing', effect: 'deny' },
    { image: 'docker.io/istio/pilot', path: 'spec.b', code: 'signature-missing', effect: 'deny' },
    { image: 'a.example/proxyv2', path: 'spec.c', code: 'image-look-alike', effect: 'exempt' },
  ],
  images: ['docker.io/istio/pilot', 'a.example/proxyv2'],
  keyIds: [],
  verifications: 1,
  fromMemory: 0,
  requests: 3,
  incident: undefined,
};

const pins: PinRecord = {
  route: 'pin',
  uid: 'u',
  namespace: 'shop',
  kind: 'Pod',
  name: 'httpbin-*',
  operation: 'CREATE',
  critical: false,
  dryRun: false,
  skipped: undefined,
  pinned: [
    { image: 'docker.io/istio/pilot', path: 'spec.a', digest: 'sha256:0', source: 'verified' },
    { image: 'docker.io/istio/pilot', path: 'spec.b', digest: 'sha256:0', source: 'outage' },
  ],
  unpinned: [],
  images: ['docker.io/istio/pilot'],
  keyIds: [],
  verifications: 1,
  fromMemory: 0,
  requests: 3,
  incident: undefined,
};

describe('the metrics', () => {
  it('name no image, namespace, object or person', async () => {
    const metrics = createMetrics(BUILD);
    metrics.countReview(record, 0.01);
    metrics.countPins(pins, 0.01);
    const { text } = await metrics.render();
    expect(text).not.toMatch(/pilot|proxyv2|shop|httpbin|"u"/);
  });

  it('count a review, its findings and its time', async () => {
    const metrics = createMetrics(BUILD);
    metrics.countReview(record, 0.5);
    metrics.countReview({ ...record, critical: true, verdict: 'allow', findings: [] }, 1);
    expect(await ownLines(metrics)).toEqual([
      'sailmark_reviews_total{mode="enforce",critical="true",operation="CREATE",verdict="allow"} 1',
      'sailmark_reviews_total{mode="enforce",critical="false",operation="CREATE",verdict="deny"} 1',
      'sailmark_review_duration_seconds_sum{mode="enforce"} 1.5',
      'sailmark_review_duration_seconds_count{mode="enforce"} 2',
      'sailmark_findings_total{reason="image-look-alike",effect="exempt"} 1',
      'sailmark_findings_total{reason="signature-missing",effect="deny"} 2',
    ]);
  });

  it('count a review of a workload apart from those of pods, and not its findings: its pods have them too', async () => {
    const metrics = createMetrics(BUILD);
    metrics.countReview({ ...record, route: 'workloads', verdict: 'warn' }, 0.5);
    const lines = await ownLines(metrics);
    expect(lines.filter((line) => /reviews|findings|review_duration/.test(line))).toEqual([
      'sailmark_workload_reviews_total{mode="enforce",critical="false",verdict="warn"} 1',
    ]);
  });

  it('count a review by the mutating webhook, and each image that it pinned, apart from the reviews that decide', async () => {
    const metrics = createMetrics(BUILD);
    const unpinned = [{ image: 'docker.io/istio/pilot', path: 'spec.a', code: 'signature-missing' }] as const;
    metrics.countPins(pins, 0.5);
    metrics.countPins({ ...pins, pinned: [] }, 1);
    metrics.countPins({ ...pins, critical: true, unpinned }, 1);
    metrics.countPins({ ...pins, pinned: [], incident: 'a1' }, 1);
    const lines = await ownLines(metrics);
    expect(lines.filter((line) => /pin|reviews|findings/.test(line))).toEqual([
      'sailmark_pin_reviews_total{critical="true",operation="CREATE",result="incomplete"} 1',
      'sailmark_pin_reviews_total{critical="false",operation="CREATE",result="pinned"} 1',
      'sailmark_pin_reviews_total{critical="false",operation="CREATE",result="unchanged"} 1',
      'sailmark_pin_reviews_total{critical="false",operation="CREATE",result="failed"} 1',
      'sailmark_pin_duration_seconds_sum{critical="false"} 2.5',
      'sailmark_pin_duration_seconds_count{critical="false"} 3',
      'sailmark_pin_duration_seconds_sum{critical="true"} 1',
      'sailmark_pin_duration_seconds_count{critical="true"} 1',
      'sailmark_pinned_images_total{source="verified"} 2',
      'sailmark_pinned_images_total{source="outage"} 2',
    ]);
  });

  it('count verifications, and time those that were not remembered', async () => {
    const metrics = createMetrics(BUILD);
    const verified = { outcome: 'verified', fromMemory: true } as Verification;
    metrics.countVerification(verified, 5);
    metrics.countVerification({ ...verified, fromMemory: false }, 2);
    metrics.countVerification({ outcome: 'rejected', fromMemory: false } as Verification, 1);
    expect(await ownLines(metrics)).toEqual([
      'sailmark_verifications_total{outcome="verified",from_memory="true"} 1',
      'sailmark_verifications_total{outcome="verified",from_memory="false"} 1',
      'sailmark_verifications_total{outcome="rejected",from_memory="false"} 1',
      'sailmark_verification_duration_seconds_sum 3',
      'sailmark_verification_duration_seconds_count 2',
    ]);
  });

  it('tell the state of the keys when they are read, what happened to them, and when exemptions end', async () => {
    const metrics = createMetrics(BUILD);
    let ring = { keys: new Map([['a', {}]]), missing: [] } as unknown as KeyRing;
    metrics.watchKeys(
      () => ring,
      () => ({ changed: 1, oldestRead: 3_000 }),
    );
    ring = { keys: new Map(), missing: [{ source: 's', problem: 'p' }] };
    metrics.countKeyEvent({ code: 'key-url-changed' });
    metrics.countRegistryRequest('docker.io');
    metrics.setExemptionEnds([1_000_000, 2_000_000]);
    expect(await ownLines(metrics)).toEqual([
      'sailmark_registry_requests_total{registry="docker.io"} 1',
      'sailmark_key_events_total{code="key-url-changed"} 1',
      'sailmark_exemption_expiry_timestamp_seconds{exemption="0"} 1000',
      'sailmark_exemption_expiry_timestamp_seconds{exemption="1"} 2000',
      'sailmark_keys{state="missing"} 1',
      'sailmark_keys{state="changed"} 1',
      'sailmark_key_read_timestamp_seconds 3',
    ]);
  });

  it('begin a counter with few values at 0, so that its first event is an increase, and leave out what is not known', async () => {
    const { text } = await createMetrics(BUILD).render();
    expect(text).toContain('\nsailmark_key_events_total{code="key-missing"} 0\n');
    expect(text).toContain('\nsailmark_http_errors_total{code="503"} 0\n');
    expect(text).not.toMatch(/^sailmark_(certificate_expiry|webhook_active|ca_certificate|canary|keys)/m);
  });

  it('time reviews from 0.1 ms to 10 s', async () => {
    const metrics = createMetrics(BUILD);
    metrics.countReview(record, 0.00009);
    metrics.countReview(record, 9.9);
    metrics.countReview(record, 11);
    const { text } = await metrics.render();
    const bucket = (le: string) =>
      new RegExp(
        `review_duration_seconds_bucket\\{le="${le.replace('+', '\\+')}",mode="enforce"\\} (\\d)`,
      ).exec(text)?.[1];
    expect(['0.0001', '5', '10', '+Inf'].map(bucket)).toEqual(['1', '1', '2', '3']);
  });

  it('count HTTP errors by the statuses that the server has, and others as one', async () => {
    const metrics = createMetrics(BUILD);
    for (const status of [400, 503, 503, 418]) metrics.countHttpError(status);
    expect(await ownLines(metrics)).toEqual([
      'sailmark_http_errors_total{code="400"} 1',
      'sailmark_http_errors_total{code="503"} 2',
      'sailmark_http_errors_total{code="other"} 1',
    ]);
  });

  it('read the states of registries when rendered, with one line for all that the configuration does not name', async () => {
    const metrics = createMetrics(BUILD);
    const state = { up: true, failing: 1, inFlight: 2, waiting: 3 };
    const states = [
      { ...state, host: 'docker.io' },
      { ...state, host: 'chosen.by.a.stranger' },
      { ...state, host: 'another.stranger', up: false },
    ];
    metrics.watchRegistries(() => labelRegistries(states, new Set(['docker.io'])));
    const first = await ownLines(metrics);
    expect(first).toEqual([
      'sailmark_registry_up{registry="docker.io"} 1',
      'sailmark_registry_failing_resources{registry="docker.io"} 1',
      'sailmark_registry_failing_resources{registry="other"} 2',
      'sailmark_registry_requests_in_flight{registry="docker.io"} 2',
      'sailmark_registry_requests_in_flight{registry="other"} 4',
      'sailmark_registry_requests_waiting{registry="docker.io"} 3',
      'sailmark_registry_requests_waiting{registry="other"} 6',
    ]);
    expect((await metrics.render()).text).toContain('\nsailmark_registry_up{registry="other"} 0\n');
    expect(await ownLines(metrics)).toEqual(first);
  });

  it('tell the state of shared evidence, and of writes to each store', async () => {
    const metrics = createMetrics(BUILD);
    const state = {
      images: 1,
      bytes: 20,
      limitBytes: 30,
      pending: 0,
      oldest: 1_000,
      newest: 2_000,
      used: 3_000,
    };
    metrics.watchEvidence(() => state);
    let now = 5_000;
    metrics.evidenceWrites('cluster', () => now)('written');
    now = 9_000;
    metrics.evidenceWrites('cluster', () => now)('failed');
    metrics.evidenceWrites('directory', () => now)('failed');
    expect(await ownLines(metrics)).toEqual([
      'sailmark_evidence_writes_total{store="cluster",result="written"} 1',
      'sailmark_evidence_writes_total{store="cluster",result="failed"} 1',
      'sailmark_evidence_writes_total{store="directory",result="failed"} 1',
      'sailmark_evidence_last_write_timestamp_seconds{store="cluster"} 5',
      'sailmark_evidence_images 1',
      'sailmark_evidence_bytes 20',
      'sailmark_evidence_limit_bytes 30',
      'sailmark_evidence_oldest_timestamp_seconds 1',
      'sailmark_evidence_newest_timestamp_seconds 2',
      'sailmark_evidence_last_use_timestamp_seconds 3',
    ]);
  });

  it('read a state once each time they are rendered', async () => {
    const metrics = createMetrics(BUILD);
    let times = 0;
    metrics.watchEvidence(() => {
      times += 1;
      return { images: times, bytes: times, limitBytes: 9, pending: 0, oldest: 0, newest: 0, used: 0 };
    });
    const linesOf = async () => (await ownLines(metrics)).filter((line) => /images|_bytes/.test(line));
    expect(await linesOf()).toEqual([
      'sailmark_evidence_images 1',
      'sailmark_evidence_bytes 1',
      'sailmark_evidence_limit_bytes 9',
    ]);
    await new Promise((resolve) => void setImmediate(resolve));
    expect(await linesOf()).toEqual([
      'sailmark_evidence_images 2',
      'sailmark_evidence_bytes 2',
      'sailmark_evidence_limit_bytes 9',
    ]);
  });

  it('have no age of evidence where there is none: 0 would be the oldest of all', async () => {
    const metrics = createMetrics(BUILD);
    const none = {
      images: 0,
      bytes: 0,
      limitBytes: 30,
      pending: 2,
      oldest: undefined,
      newest: undefined,
      used: undefined,
    };
    metrics.watchEvidence(() => none);
    expect(await ownLines(metrics)).toEqual([
      'sailmark_evidence_limit_bytes 30',
      'sailmark_evidence_pending 2',
    ]);
    expect((await metrics.render()).text).not.toMatch(/^sailmark_evidence_(oldest|newest|last_use)_\S+ /m);
  });

  it('tell the build and the process, each in a registry of its own', async () => {
    const [one, other] = [createMetrics(BUILD), createMetrics(BUILD)];
    one.countRegistryRequest('docker.io');
    const { text, type } = await other.render();
    expect(type).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(text).toContain('sailmark_build_info{version="1.2.3",commit="abc",node="v26"} 1');
    expect(text).toContain('nodejs_eventloop_lag_seconds');
    expect(text).not.toContain('docker.io');
  });
});

describe('the record of a review', () => {
  it('is one line, and counted once', async () => {
    const lines: string[] = [];
    const log = createLog({ level: 'info', format: 'json', to: { write: (line) => void lines.push(line) } });
    const counted: [ReviewRecord, number][] = [];
    const metrics = {
      countReview: (...review: [ReviewRecord, number]) => void counted.push(review),
      countPins: () => expect.unreachable(),
    };
    createRecordReview(log, metrics)(record, 12.34567);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        level: 'info',
        time: expect.any(String),
        review: JSON.parse(JSON.stringify(record)),
        durationMs: 12.346,
        msg: 'review',
      },
    ]);
    expect(counted).toEqual([[record, 0.01234567]]);
  });

  it('of the mutating webhook is a line of its own, and none of the reviews that decide', () => {
    const lines: string[] = [];
    const log = createLog({ level: 'info', format: 'json', to: { write: (line) => void lines.push(line) } });
    const counted: [PinRecord, number][] = [];
    const metrics = {
      countReview: () => expect.unreachable(),
      countPins: (...review: [PinRecord, number]) => void counted.push(review),
    };
    createRecordReview(log, metrics)(pins, 1);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { pin: { route: 'pin', name: 'httpbin-*' }, durationMs: 1, msg: 'pin' },
    ]);
    expect(counted).toEqual([[pins, 0.001]]);
  });
});
