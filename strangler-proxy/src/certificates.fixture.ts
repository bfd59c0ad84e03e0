import { generateKeyPairSync, privateEncrypt } from 'node:crypto';
import forge from 'node-forge';

export type Pem = { readonly cert: string; readonly key: string };
export type Authority = {
  readonly cert: string;
  /** A certificate for these names and addresses, or for a client; `days` below 0: it has expired. */
  issue(subject: { names?: readonly string[]; addresses?: readonly string[]; days?: number }): Pem;
};

const DAY_MS = 86_400_000;
const { md, pki } = forge;
const SHA256_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex');

/** An authority nobody trusts who is not told to. */
export function createAuthority(name: string): Authority {
  // Keys take longest to make, and one does for the authority and all it issues.
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const key = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  // RFC 8017, 9.2: the signature of a SHA-256 digest; the library's own takes a second for each.
  const signing = {
    sign: (digest: forge.md.MessageDigest) =>
      privateEncrypt(
        privateKey,
        Buffer.concat([SHA256_INFO, Buffer.from(digest.digest().getBytes(), 'latin1')]),
      ).toString('latin1'),
  } as forge.pki.rsa.PrivateKey;
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const attributes = [{ name: 'commonName', value: name }];
  const certify = (subject: string, extensions: object[], days: number): string => {
    const certificate = pki.createCertificate();
    certificate.publicKey = pki.publicKeyFromPem(publicPem);
    certificate.serialNumber = `01${Math.floor(Math.random() * 1e12).toString(16)}`;
    certificate.validity.notBefore = new Date(Date.now() - 10 * DAY_MS);
    certificate.validity.notAfter = new Date(Date.now() + days * DAY_MS);
    certificate.setSubject([{ name: 'commonName', value: subject }]);
    certificate.setIssuer(attributes);
    certificate.setExtensions(extensions);
    certificate.sign(signing, md.sha256.create());
    return pki.certificateToPem(certificate);
  };
  return {
    cert: certify(name, [{ name: 'basicConstraints', cA: true, critical: true }], 10),
    issue({ names = [], addresses = [], days = 1 }) {
      const altNames = [
        ...names.map((value) => ({ type: 2, value })),
        ...addresses.map((ip) => ({ type: 7, ip })),
      ];
      const extensions = [
        { name: 'basicConstraints', cA: false },
        ...(altNames.length > 0 ? [{ name: 'subjectAltName', altNames }] : []),
      ];
      return { cert: certify(names[0] ?? addresses[0] ?? 'client', extensions, days), key };
    },
  };
}
