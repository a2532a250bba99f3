/**
 * The signature formats. `formats/formats.ts` says how each is read, `log/log-proof.ts` what each carries of the
 * transparency log; neither compiles while a format of this union is missing there.
 */
export type SignatureFormat = 'simple-signing' | 'sigstore-bundle';
