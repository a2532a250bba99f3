import { describe, expect, it } from 'vitest';
import { createReviewer, MalformedReview } from '../../src/admission/index.ts';
import { createClassifier } from '../../src/istio/index.ts';
import { createJudge } from '../../src/policy/index.ts';
import { type KubernetesObject, review } from '../support/builders.ts';
import { readFixture } from '../support/fixtures.ts';
import { withThirdParty } from '../support/third-party.ts';
import { rules, verified, withoutMemory } from '../support/verdicts.ts';

const asked: string[] = [];
const reviewer = createReviewer({
  judge: createJudge({
    ...createClassifier({ hubs: ['registry.istio.io/testing', 'registry.istio.io/release'], mirrors: [] }),
    verifier: withoutMemory(async ({ reference }) => {
      asked.push(reference.text);
      return verified();
    }),
    revoked: [],
    exemptions: [],
  }),
  rules: rules(),
  limits: { imagesPerReview: 64, verificationsAtOnce: 8 },
  now: () => 0,
  report: () => expect.unreachable(),
});

const verdictOf = async (body: unknown): Promise<string> => {
  try {
    const { record } = await reviewer.review(
      body,
      { mode: 'enforce', critical: false },
      new AbortController().signal,
    );
    return record.skipped ?? record.verdict;
  } catch (error) {
    if (error instanceof MalformedReview) return error.problems.map(({ path }) => path).join(' ');
    throw error;
  }
};

interface InjectedPod {
  readonly file: string;
  readonly doc: number;
  readonly images: Readonly<Record<string, readonly string[] | null>>;
  readonly pod: KubernetesObject;
}

describe('the pods that Istio’s injector makes', () => {
  const pods = readFixture<readonly InjectedPod[]>('istio', 'pods.json');

  it.each(pods.map((injected) => [`${injected.file} ${injected.doc}`, injected] as const))(
    '%s: each Istio image is asked about once',
    async (_, injected) => {
      asked.length = 0;
      await verdictOf(review(injected.pod));
      const images = Object.values(injected.images).flatMap((list) => list ?? []);
      const istio = images.filter((image) =>
        /^registry\.istio\.io\/(?!release\/examples-)\w+\/[a-z0-9_]+:/.test(image ?? ''),
      );
      expect(asked.toSorted()).toEqual([...new Set(istio)].toSorted());
    },
  );
});

/** Requests that another project captured, with sailmark's result for each. */
const CAPTURED: Readonly<Record<string, string>> = {
  '02_pod.json': 'allow',
  '05_replication_controller.json': 'allow',
  '06_daemonset.json': 'allow',
  '07_statefulset.json': 'allow',
  '08_job.json': 'allow',
  '10_update.json': 'no-new-image',
  '11_role.json': 'kind',
  '12_err_pod.json': 'request.object.spec',
  '14_deny_me_job.json': 'allow',
  '15_allow_me_job.json': 'allow',
  '16_mismatch_uid.json': 'allow',
  '17_deny_me_pod.json': 'allow',
  '18_allow_me_pod.json': 'allow',
  '19_pod_initcontainer.json': 'allow',
  '20_pod_ephemeralcontainer.json': 'allow',
  '21_broken_admission_request.json':
    'request.kind request.resource request.uid request.kind.kind request.resource.group request.resource.resource',
  '22_allow_me_with_index_docker_io.json': 'allow',
  '25_null_request.json': 'the body',
  '26_broken_update_admission_request.json':
    'request.kind request.resource request.uid request.kind.kind request.resource.group request.resource.resource',
};

/** Requests of v1beta1, which the API server sends only if a webhook's configuration lists it. */
const OF_V1BETA1 = [
  '01_deployment.json',
  '03_replicaset.json',
  '04_cronjob.json',
  '09_dply_multi_image.json',
  '13_unknown_parent.json',
  '23_alice_digest_dpl.json',
  '24_alice_tag_digest_dpl.json',
  '27_deleted_deployment.json',
  '28_deleted_deployment_updated.json',
  '29_deleted_deployment_update_for_delete.json',
];

describe('requests that another project captured', () => {
  const expected = { ...CAPTURED, ...Object.fromEntries(OF_V1BETA1.map((file) => [file, 'apiVersion'])) };
  for (const [file, verdict] of Object.entries(expected))
    withThirdParty<unknown>(['connaisseur', 'admission_requests', file], (body) => {
      it(`${file}: ${verdict}`, async () => {
        expect(await verdictOf(body)).toBe(verdict);
      });
    });
});
