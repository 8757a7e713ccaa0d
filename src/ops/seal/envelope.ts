/** A DSSE envelope, github.com/secure-systems-lab/dsse protocol.md, around an in-toto statement. */

import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { FormatError, UsageError } from "../../io/errors.js";
import { MAX_SEAL_BYTES, MAX_SEAL_VALUES } from "../../io/limits.js";
import { valuesIn } from "../../io/parsed-json.js";

const PAYLOAD_TYPE = "application/vnd.in-toto+json";

export interface Signature {
  /** SHA-256 of the public key (SubjectPublicKeyInfo, DER). */
  readonly keyid: string;
  /** Base64. */
  readonly sig: string;
}

export interface Envelope {
  readonly payload: Buffer;
  readonly signatures: readonly Signature[];
}

/** The envelope as a JSON file; signed with an Ed25519 private key (PEM) if there is one. Errors: USAGE. */
export function encodeEnvelope(payload: Buffer, privateKey: Buffer | undefined): Buffer {
  const signatures: Signature[] = [];
  if (privateKey !== undefined) {
    const key = ed25519("private", () => createPrivateKey(privateKey));
    const sig = sign(null, signedBytes(payload), key).toString("base64");
    signatures.push({ keyid: keyId(createPublicKey(key)), sig });
  }
  const envelope = { payloadType: PAYLOAD_TYPE, payload: payload.toString("base64"), signatures };
  return Buffer.from(`${JSON.stringify(envelope)}\n`);
}

/** Errors: FormatError TOO_LARGE; INVALID for what is no envelope of a statement. */
export function decodeEnvelope(bytes: Buffer, file: string): Envelope {
  assertSmall(bytes, file);
  try {
    const { payloadType, payload, signatures } = JSON.parse(bytes.toString("utf8"));
    if (payloadType !== PAYLOAD_TYPE || typeof payload !== "string" || !Array.isArray(signatures))
      throw new TypeError("no envelope");
    for (const { keyid, sig } of signatures)
      if (typeof keyid !== "string" || typeof sig !== "string") throw new TypeError("no signature");
    return { payload: Buffer.from(payload, "base64"), signatures };
  } catch (cause) {
    throw new FormatError(
      "INVALID",
      "no seal of crimg (expected a DSSE envelope with an in-toto statement)",
      {
        file,
        cause,
      },
    );
  }
}

/** Counted before it is parsed. Errors: FormatError TOO_LARGE. */
export function assertSmall(json: Buffer, file: string): void {
  if (json.length > MAX_SEAL_BYTES || valuesIn(json) > MAX_SEAL_VALUES)
    throw new FormatError(
      "TOO_LARGE",
      `a seal has at most ${MAX_SEAL_BYTES} bytes and ${MAX_SEAL_VALUES} values; an image with more records is not sealed`,
      { file },
    );
}

/** Whether one of the signatures is by the key (Ed25519, PEM). Errors: USAGE for another key. */
export function isSignedBy({ payload, signatures }: Envelope, publicKey: Buffer): boolean {
  const key = ed25519("public", () => createPublicKey(publicKey));
  return signatures.some(({ sig }) => verify(null, signedBytes(payload), key, Buffer.from(sig, "base64")));
}

/** What is signed: the pre-authentication encoding of the type and the payload. */
function signedBytes(payload: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `),
    payload,
  ]);
}

function keyId(key: KeyObject): string {
  return createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("hex");
}

function ed25519(which: string, read: () => KeyObject): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = read();
  } catch {
    // What OpenSSL says of it helps nobody.
  }
  if (key?.asymmetricKeyType !== "ed25519")
    throw new UsageError(
      `invalid ${which} key (expected Ed25519 in PEM, as openssl genpkey -algorithm ed25519 makes it)`,
    );
  return key;
}
