export type { CertificateEvent } from './certificate-event.ts';
export { type Certificates, type CertificatesOptions, createCertificates } from './certificates.ts';
export type { CertificatePair } from './state.ts';
