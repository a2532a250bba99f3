/**
 * The signature formats. A format that is missing does not compile in `formats/formats.ts` (how it is read),
 * `log/log-proof.ts` and `log/read-entries.ts` (its part of the transparency log), and `cli/verify/cosign-json.ts`.
 * src/README.md, "Where a new thing goes", names what the compiler cannot.
 */
export type SignatureFormat = 'simple-signing' | 'sigstore-bundle';
