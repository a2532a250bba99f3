export {
  type Certificate,
  CertificateError,
  type CertificatePair,
  parsePair,
} from './certificate.ts';
export { type CertificateSource, createFileCertificates, withFallback } from './certificate-source.ts';
export { checkTrust } from './check-trust.ts';
export { whyUnread } from './oversized-review.ts';
export type { BodyLimits } from './scan-body.ts';
export { createServer, type ReviewServer, type ServerDependencies } from './server.ts';
