/*
 * `helm test`: sends a review to the webhook through its Service, as the API server does, and checks the certificate and
 * the response. It does not test the route from the API server to the Service; the API server's own metrics show that.
 * The argument is the URL of the metrics, which say if what can refuse is in force; without it, it always is.
 */
import { request } from 'node:https';
import { checkServerIdentity } from 'node:tls';

const { SAILMARK_URL: base, SAILMARK_MODE: mode, SAILMARK_PIN: pin } = process.env;
const [, metrics] = process.argv;
const { hostname, port } = new URL(base);

// An image that only looks like Istio's: it is refused by its name, without a request to a registry.
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'sailmark-check', namespace: 'default' },
  spec: { containers: [{ name: 'istio-proxy', image: 'registry.invalid/look-alike/proxyv2:0' }] },
};
const review = {
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: 'b1f2c7de-0000-4000-8000-7361696c6d61',
    kind: { group: '', version: 'v1', kind: 'Pod' },
    resource: { group: '', version: 'v1', resource: 'pods' },
    name: pod.metadata.name,
    namespace: pod.metadata.namespace,
    operation: 'CREATE',
    userInfo: { username: 'helm-test' },
    dryRun: true,
    object: pod,
    oldObject: null,
  },
};

/** Resolves with the response and the certificate presented. The API server checks the CA, which this pod does not have. */
const sendReview = (path) =>
  new Promise((resolve, reject) => {
    const options = {
      method: 'POST',
      rejectUnauthorized: false,
      headers: { 'content-type': 'application/json' },
    };
    const sent = request(`${base}${path}?timeout=10s`, options, (response) => {
      const certificate = response.socket.getPeerCertificate();
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response
        .on('error', reject)
        .on('end', () => resolve({ status: response.statusCode, text, certificate }));
    });
    sent.setTimeout(15_000, () =>
      sent.destroy(new Error(`no response from ${hostname}:${port || 443} within 15 s`)),
    );
    sent.on('error', reject).end(JSON.stringify(review));
  });

const answerOf = ({ status, text }) => (status === 200 ? JSON.parse(text).response : undefined);

const problemsOf = ({ status, text, certificate }) => {
  if (status !== 200) return [`the webhook returned HTTP ${status}: ${text.slice(0, 300)}`];
  const { response } = JSON.parse(text);
  const wrongName = checkServerIdentity(hostname, certificate);
  return [
    ...(wrongName === undefined ? [] : [wrongName.message]),
    ...(Date.parse(certificate.valid_to) > Date.now()
      ? []
      : [`the certificate expired at ${certificate.valid_to}`]),
    ...(response.uid === review.request.uid ? [] : ['the response is to another review']),
    ...(response.auditAnnotations.mode === mode
      ? []
      : [`the response is of mode ${response.auditAnnotations.mode}, not ${mode}`]),
    ...(mode === 'enforce' || response.allowed ? [] : [`a pod was refused in mode ${mode}`]),
  ];
};

/** The mutating webhook never refuses, and pins nothing that is not Istio's. */
const pinProblemsOf = (result) => {
  const answer = answerOf(result);
  if (answer === undefined)
    return [`the mutating webhook returned HTTP ${result.status}: ${result.text.slice(0, 300)}`];
  return answer.uid === review.request.uid && answer.allowed && answer.patch === undefined
    ? []
    : ['the mutating webhook refused or changed a pod without an Istio image'];
};

/** Reads the metric; undefined where no replica has it, or a network policy keeps this pod out. */
const readActive = async (url) => {
  const text = await fetch(url, { signal: AbortSignal.timeout(10_000) }).then(
    (response) => response.text(),
    () => '',
  );
  return /^sailmark_webhook_active ([01])$/m.exec(text)?.[1];
};

const send = (path) =>
  sendReview(path).catch((error) => ({ status: 0, text: String(error?.message ?? error) }));

const result = await send(`/validate/${mode}`);
const problems = [
  ...problemsOf(result),
  ...(pin === 'never' ? [] : pinProblemsOf(await send('/mutate/pin'))),
  ...(metrics !== undefined && (await readActive(metrics)) === '0'
    ? ['nothing is refused: the webhook configuration is not in force; the log of the replicas says why']
    : []),
];
if (problems.length > 0) {
  process.stderr.write(`${problems.join('\n')}\n`);
  process.exit(1);
}
const { auditAnnotations } = answerOf(result);
process.stdout.write(`mode ${mode}, pin ${pin}, certificate until ${result.certificate.valid_to}
${pod.spec.containers[0].image}: ${auditAnnotations.verdict} ${auditAnnotations.reason}
`);
