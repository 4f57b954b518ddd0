import { GetPublicKeyCommand, type KMSClient, SignCommand } from '@aws-sdk/client-kms';
import type { Signer } from '../../core/archive/signer.ts';
import { DependencyUnavailable } from '../../core/report.ts';

/**
 * An asymmetric key of KMS on curve P-256.
 * @param keyId also an alias: moving it replaces the key
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html
 */
export function createSigner(client: KMSClient, keyId: string): Signer {
  return {
    publicKey: () => ask(async () => (await client.send(new GetPublicKeyCommand({ KeyId: keyId }))).PublicKey),
    sign: (digest) =>
      ask(async () => {
        const sign = new SignCommand({
          KeyId: keyId,
          Message: digest,
          MessageType: 'DIGEST',
          SigningAlgorithm: 'ECDSA_SHA_256',
        });
        return (await client.send(sign)).Signature;
      }),
  };
}

async function ask(send: () => Promise<Uint8Array | undefined>): Promise<Buffer> {
  try {
    const answer = await send();
    if (answer === undefined) throw new TypeError('KMS answered nothing');
    return Buffer.from(answer);
  } catch (error) {
    throw new DependencyUnavailable('seal-key', error);
  }
}
