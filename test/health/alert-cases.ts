/** Samples of a series, one each step from time 0, in promtool's notation: `0+2x5` is 0, 2, 4, 6, 8, 10. */
type Series = readonly [series: string, values: string];

/** One unit test of one alert rule. */
export interface AlertCase {
  readonly alert: string;
  readonly about: string;
  readonly series: readonly Series[];
  /** Minutes between two samples and two evaluations; 1 if absent. */
  readonly step?: number;
  /** Minutes after time 0. */
  readonly at: number;
  /** The labels of the alert, without its severity, and the value of its expression; absent: it does not fire. */
  readonly fires?: { readonly labels: Readonly<Record<string, string>>; readonly value: number };
}

const RELEASE = { namespace: 'sailmark-system', job: 'sailmark-metrics' };

/** A metric of a replica. */
const of = (name: string, labels = '', replica = 'a'): string =>
  `${name}{namespace="sailmark-system", job="sailmark-metrics", pod="${replica}"${labels === '' ? '' : `, ${labels}`}}`;

const fires = (value: number, labels: Readonly<Record<string, string>> = {}) => ({
  labels: { ...RELEASE, ...labels },
  value,
});

const REVIEW_COUNT = of('sailmark_review_duration_seconds_count', 'mode="enforce"');
const reviewBucket = (le: string): string =>
  of('sailmark_review_duration_seconds_bucket', `mode="enforce", le="${le}"`);
const finding = (reason: string): string =>
  of('sailmark_findings_total', `reason="${reason}", effect="deny"`);
const verification = (outcome: string): string =>
  of('sailmark_verifications_total', `outcome="${outcome}", from_memory="false"`);
const keys = (state: string): string => of('sailmark_keys', `state="${state}"`);
const evidenceWrites = (store: string, result: string): string =>
  of('sailmark_evidence_writes_total', `store="${store}", result="${result}"`);
const canary = (name: string): string => of('sailmark_canary_success', `case="${name}"`);
const CANARY_RUN = of('sailmark_canary_last_run_timestamp_seconds');

const webhookCases: readonly AlertCase[] = [
  {
    alert: 'SailmarkDown',
    about: 'no replica',
    series: [['up', '1x10']],
    at: 6,
    fires: { labels: {}, value: 1 },
  },
  { alert: 'SailmarkDown', about: 'one replica', series: [[of('sailmark_build_info'), '1x10']], at: 6 },
  {
    alert: 'SailmarkNotReady',
    about: 'two unready replicas',
    series: [
      [of('sailmark_ready'), '0x10'],
      [of('sailmark_ready', '', 'b'), '0x10'],
    ],
    at: 3,
    fires: fires(0),
  },
  {
    alert: 'SailmarkNotReady',
    about: 'one of two replicas is ready, as in a rollout',
    series: [
      [of('sailmark_ready'), '0x10'],
      [of('sailmark_ready', '', 'b'), '1x10'],
    ],
    at: 3,
  },
  {
    alert: 'SailmarkNotInForce',
    about: 'suspended',
    series: [[of('sailmark_webhook_active'), '0x30']],
    at: 16,
    fires: fires(0),
  },
  {
    alert: 'SailmarkNotInForce',
    about: 'an installation',
    series: [[of('sailmark_webhook_active'), '0x5 1x20']],
    at: 20,
  },
  {
    alert: 'SailmarkCanaryFailing',
    about: 'a forged signature is accepted',
    series: [
      [canary('good'), '1x5'],
      [canary('forged'), '0x5'],
      [CANARY_RUN, '0+60x5'],
    ],
    at: 2,
    fires: fires(0, { case: 'forged' }),
  },
  {
    alert: 'SailmarkCanaryFailing',
    about: 'it runs no more',
    series: [
      [canary('good'), '1x20'],
      [CANARY_RUN, '0x20'],
    ],
    at: 15,
    fires: fires(900),
  },
  {
    alert: 'SailmarkCanaryFailing',
    about: 'all is well',
    series: [
      [canary('good'), '1x20'],
      [CANARY_RUN, '0+60x20'],
    ],
    at: 15,
  },
  {
    alert: 'SailmarkInternalError',
    about: 'two image uses',
    series: [[finding('internal-error'), '0x5 2x10']],
    at: 8,
    fires: fires(2),
  },
  {
    alert: 'SailmarkInternalError',
    about: 'an unsigned image',
    series: [[finding('signature-missing'), '0x5 2x10']],
    at: 8,
  },
  {
    alert: 'SailmarkSlow',
    about: 'all take three seconds or more',
    series: [
      [reviewBucket('2.5'), '0x30'],
      [reviewBucket('5'), '0+20x30'],
      [reviewBucket('+Inf'), '0+20x30'],
      [REVIEW_COUNT, '0+20x30'],
    ],
    at: 25,
    fires: fires(4.975),
  },
  {
    alert: 'SailmarkSlow',
    about: 'one slow review in ten minutes is none in a hundred',
    series: [
      [reviewBucket('2.5'), '0x30'],
      [reviewBucket('5'), '0x10 1x20'],
      [reviewBucket('+Inf'), '0x10 1x20'],
      [REVIEW_COUNT, '0x10 1x20'],
    ],
    at: 25,
  },
  {
    alert: 'SailmarkBudgetBurning',
    about: 'a tenth takes more than a second',
    series: [
      [reviewBucket('1'), '0+45x70'],
      [REVIEW_COUNT, '0+50x70'],
    ],
    at: 65,
    fires: fires(0.1),
  },
  {
    alert: 'SailmarkBudgetBurning',
    about: 'it is over: the last five minutes are fast',
    series: [
      [reviewBucket('1'), '0+45x60 2750+50x10'],
      [REVIEW_COUNT, '0+50x70'],
    ],
    at: 68,
  },
  {
    alert: 'SailmarkBudgetBurning',
    about: 'a tenth of a few',
    series: [
      [reviewBucket('1'), '0+9x70'],
      [REVIEW_COUNT, '0+10x70'],
    ],
    at: 65,
  },
  {
    alert: 'SailmarkOverloaded',
    about: 'HTTP 503',
    series: [[of('sailmark_http_errors_total', 'code="503"'), '0+1x20']],
    at: 10,
    fires: fires(5),
  },
  {
    alert: 'SailmarkOverloaded',
    about: 'a stranger sends what is no review',
    series: [[of('sailmark_http_errors_total', 'code="400"'), '0+1x20']],
    at: 10,
  },
];

const rejection = (name: string, error: string): string =>
  `apiserver_admission_webhook_rejection_count{name="${name}", error_type="${error}", operation="CREATE", rejection_code="500", type="validating"}`;
const failOpen = (name: string): string =>
  `apiserver_admission_webhook_fail_open_count{name="${name}", type="validating"}`;
const matchErrors = (name: string): string =>
  `apiserver_admission_match_condition_evaluation_errors_total{kind="webhook", name="${name}", operation="CREATE", type="validating"}`;
const ENFORCE = 'enforce.sailmark.dev';
const CALL_ERROR = 'calling_webhook_error';

const apiServerCases: readonly AlertCase[] = [
  {
    alert: 'SailmarkCallsFailing',
    about: 'three calls fail',
    series: [[rejection(ENFORCE, CALL_ERROR), '0x2 3x10']],
    at: 4,
    fires: { labels: { name: ENFORCE, error_type: CALL_ERROR }, value: 3 },
  },
  {
    alert: 'SailmarkCallsFailing',
    about: 'denials by sailmark, and failing calls of another webhook',
    series: [
      [rejection(ENFORCE, 'no_error'), '0x2 3x10'],
      [rejection('validate.kyverno.svc-fail', CALL_ERROR), '0x2 3x10'],
    ],
    at: 4,
  },
  {
    alert: 'SailmarkFailingOpen',
    about: 'three pods are let through',
    series: [[failOpen('critical.sailmark.dev'), '0x2 3x10']],
    at: 4,
    fires: { labels: { name: 'critical.sailmark.dev' }, value: 3 },
  },
  {
    alert: 'SailmarkFailingOpen',
    about: 'another webhook',
    series: [[failOpen('sailmark.example'), '0x2 3x10']],
    at: 4,
  },
  {
    alert: 'SailmarkMatchConditionErrors',
    about: 'three evaluations fail',
    series: [[matchErrors(ENFORCE), '0x2 3x10']],
    at: 4,
    fires: { labels: { name: ENFORCE }, value: 3 },
  },
  {
    alert: 'SailmarkMatchConditionErrors',
    about: 'it was long ago',
    series: [[matchErrors(ENFORCE), '3x30']],
    at: 20,
  },
];

const verificationCases: readonly AlertCase[] = [
  {
    alert: 'SailmarkUndetermined',
    about: 'one in five',
    series: [
      [verification('undetermined'), '0+1x30'],
      [verification('verified'), '0+4x30'],
    ],
    at: 25,
    fires: fires(0.2),
  },
  {
    alert: 'SailmarkUndetermined',
    about: 'one in a hundred',
    series: [
      [verification('undetermined'), '0+1x30'],
      [verification('verified'), '0+99x30'],
    ],
    at: 25,
  },
  {
    alert: 'SailmarkUndetermined',
    about: 'two in half an hour',
    series: [
      [verification('undetermined'), '0x10 2x20'],
      [verification('verified'), '0x30'],
    ],
    at: 20,
  },
  {
    alert: 'SailmarkRegistryDown',
    about: 'one registry of two',
    series: [
      [of('sailmark_registry_up', 'registry="docker.io"'), '0x20'],
      [of('sailmark_registry_up', 'registry="mirror.example"'), '1x20'],
    ],
    at: 6,
    fires: fires(0, { registry: 'docker.io' }),
  },
  {
    alert: 'SailmarkRegistryDown',
    about: 'a short one',
    series: [[of('sailmark_registry_up', 'registry="docker.io"'), '0x3 1x20']],
    at: 10,
  },
  {
    alert: 'SailmarkRequestBudgetExhausted',
    about: 'refusals go on',
    series: [[of('sailmark_request_budget_refusals_total'), '0+1x30']],
    at: 15,
    fires: fires(10),
  },
  {
    alert: 'SailmarkRequestBudgetExhausted',
    about: 'a burst that is over',
    series: [[of('sailmark_request_budget_refusals_total'), '0x2 9x30']],
    at: 15,
  },
  {
    alert: 'SailmarkKeyMissing',
    about: 'one key',
    series: [[keys('missing'), '1x30']],
    at: 16,
    fires: fires(1),
  },
  { alert: 'SailmarkKeyMissing', about: 'while it starts', series: [[keys('missing'), '1x5 0x20']], at: 20 },
  {
    alert: 'SailmarkKeyChanged',
    about: 'at one replica',
    series: [[keys('changed'), '1x5']],
    at: 1,
    fires: fires(1),
  },
  {
    alert: 'SailmarkKeyChanged',
    about: 'all loaded',
    series: [
      [keys('changed'), '0x5'],
      [keys('loaded'), '2x5'],
    ],
    at: 1,
  },
  {
    alert: 'SailmarkKeyUnread',
    about: 'for 26 hours',
    series: [[of('sailmark_key_read_timestamp_seconds'), '0x30']],
    step: 60,
    at: 1560,
    fires: fires(26),
  },
  {
    alert: 'SailmarkKeyUnread',
    about: 'read every hour',
    series: [[of('sailmark_key_read_timestamp_seconds'), '0+3600x30']],
    step: 60,
    at: 1560,
  },
  {
    alert: 'SailmarkExemptionExpiring',
    about: 'in eleven days',
    series: [[of('sailmark_exemption_expiry_timestamp_seconds', 'exemption="1"'), '1000000x20']],
    at: 16,
    fires: fires(11.563, { exemption: '1' }),
  },
  {
    alert: 'SailmarkExemptionExpiring',
    about: 'in 23 days',
    series: [[of('sailmark_exemption_expiry_timestamp_seconds', 'exemption="1"'), '2000000x20']],
    at: 16,
  },
];

const CERTIFICATE = of('sailmark_certificate_expiry_timestamp_seconds');
const AUTHORITY = of('sailmark_ca_certificate_expiry_timestamp_seconds');
const LAST_USE = of('sailmark_evidence_last_use_timestamp_seconds');
const PENDING = of('sailmark_evidence_pending');
const [BYTES, LIMIT] = [of('sailmark_evidence_bytes'), of('sailmark_evidence_limit_bytes')];

const storageCases: readonly AlertCase[] = [
  {
    alert: 'SailmarkCertificateExpiring',
    about: 'in five days',
    series: [[CERTIFICATE, '500000x20']],
    at: 16,
    fires: fires(5.776),
  },
  {
    alert: 'SailmarkCertificateExpiring',
    about: 'in nine days',
    series: [[CERTIFICATE, '800000x20']],
    at: 16,
  },
  {
    alert: 'SailmarkAuthorityExpiring',
    about: 'in eleven days',
    series: [[AUTHORITY, '1000000x20']],
    at: 16,
    fires: fires(11.563),
  },
  { alert: 'SailmarkAuthorityExpiring', about: 'in 23 days', series: [[AUTHORITY, '2000000x20']], at: 16 },
  {
    alert: 'SailmarkEvidenceNotWritten',
    about: 'two images wait',
    series: [[PENDING, '2x60']],
    at: 36,
    fires: fires(2),
  },
  {
    alert: 'SailmarkEvidenceNotWritten',
    about: 'every write to the directory fails',
    series: [
      [evidenceWrites('directory', 'failed'), '0+1x60'],
      [evidenceWrites('directory', 'written'), '0x60'],
    ],
    at: 40,
    fires: fires(30, { store: 'directory' }),
  },
  {
    alert: 'SailmarkEvidenceNotWritten',
    about: 'writes fail and succeed, and nothing waits for long',
    series: [
      [PENDING, '2x10 0x50'],
      [evidenceWrites('cluster', 'failed'), '0+1x60'],
      [evidenceWrites('cluster', 'written'), '0+1x60'],
    ],
    at: 40,
  },
  {
    alert: 'SailmarkEvidenceStale',
    about: 'images are verified, none with the evidence, for three days',
    series: [
      [LAST_USE, '0x80'],
      [verification('verified'), '0+1x80'],
    ],
    step: 60,
    at: 4500,
    fires: fires(3.125),
  },
  {
    alert: 'SailmarkEvidenceStale',
    about: 'nothing is verified at all',
    series: [
      [LAST_USE, '0x80'],
      [verification('verified'), '5x80'],
    ],
    step: 60,
    at: 4500,
  },
  {
    alert: 'SailmarkEvidenceFull',
    about: 'at 95 %',
    series: [
      [BYTES, '95x70'],
      [LIMIT, '100x70'],
    ],
    at: 65,
    fires: fires(0.95),
  },
  {
    alert: 'SailmarkEvidenceFull',
    about: 'at half',
    series: [
      [BYTES, '50x70'],
      [LIMIT, '100x70'],
    ],
    at: 65,
  },
];

const SCANNED = of('sailmark_scan_last_success_timestamp_seconds');
const scanPods = (status: string): string => of('sailmark_scan_pods', `status="${status}"`);
const drifted = (state: string): string => of('sailmark_scan_drifted_containers', `state="${state}"`);
const preflight = (status: string): string => of('sailmark_scan_preflight_images', `status="${status}"`);

const scanCases: readonly AlertCase[] = [
  {
    alert: 'SailmarkScanStale',
    about: 'for five hours',
    series: [[SCANNED, '0x400']],
    at: 300,
    fires: fires(5),
  },
  { alert: 'SailmarkScanStale', about: 'every hour', series: [[SCANNED, '0+60x400']], at: 300 },
  {
    alert: 'SailmarkUnverifiedRunning',
    about: 'three would be refused',
    series: [
      [scanPods('refused'), '3x20'],
      [scanPods('verified'), '9x20'],
    ],
    at: 16,
    fires: fires(3, { status: 'refused' }),
  },
  {
    alert: 'SailmarkUnverifiedRunning',
    about: 'all are verified, exempt or only reported',
    series: [
      [scanPods('refused'), '0x20'],
      [scanPods('verified'), '9x20'],
      [scanPods('exempt'), '1x20'],
      [scanPods('reported'), '1x20'],
    ],
    at: 16,
  },
  {
    alert: 'SailmarkDrift',
    about: 'two containers',
    series: [[drifted('drifted'), '2x20']],
    at: 16,
    fires: fires(2),
  },
  {
    alert: 'SailmarkDrift',
    about: 'ids of unknown forms',
    series: [
      [drifted('drifted'), '0x20'],
      [drifted('unknown'), '9x20'],
    ],
    at: 16,
  },
  {
    alert: 'SailmarkPreflightRefused',
    about: 'an unsigned hub',
    series: [[preflight('refused'), '1x20']],
    at: 16,
    fires: fires(1),
  },
  {
    alert: 'SailmarkPreflightRefused',
    about: 'a signed one',
    series: [
      [preflight('refused'), '0x20'],
      [preflight('verified'), '4x20'],
    ],
    at: 16,
  },
];

/** Unit tests of every alert rule: at least one that fires and one that does not. */
export const alertCases: readonly AlertCase[] = [
  ...webhookCases,
  ...apiServerCases,
  ...verificationCases,
  ...storageCases,
  ...scanCases,
];
